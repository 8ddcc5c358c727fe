//! What needs a human and is no item to approve, as people read it: in text by whom it is for, as a table, and counted in a line.

use crate::core::model::card::OperatorLink;
use crate::core::plan::concern::{Addressee, Concern, ConcernCode};
use crate::engine::attention::KeptConcern;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::counted;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// Lines per kind before the list is cut; `--all` shows everything.
const MOST_SHOWN: usize = 25;

/// A kind of concern, of one and of several.
pub(crate) fn code_words(code: ConcernCode) -> (&'static str, &'static str) {
    match code {
        ConcernCode::HalfWay => ("change that is half-way", "changes that are half-way"),
        ConcernCode::NobodyJudged => (
            "nobody is seen to leave, the answer is missing",
            "answers missing who leaves",
        ),
        ConcernCode::ReadRejected => ("rejected read", "rejected reads"),
        ConcernCode::ReadDoubted => ("doubt about a read", "doubts about reads"),
        ConcernCode::ClockDoubted => ("doubt about the clock", "doubts about the clock"),
        ConcernCode::LeavingUnknown => ("person whose leaving is not known", "people whose leaving is not known"),
        ConcernCode::ScopeUnknown => ("person whose scope is not known", "people whose scope is not known"),
        ConcernCode::StartUnknown => (
            "person whose first day is not known",
            "people whose first day is not known",
        ),
        ConcernCode::AbsenceUnknown => (
            "person without a record, perhaps gone",
            "people without a record, perhaps gone",
        ),
        ConcernCode::LeaverAwake => (
            "leaver with an active card, by hand",
            "leavers with an active card, by hand",
        ),
        ConcernCode::LeaverMayHaveCard => (
            "leaver who may have a card without their number",
            "leavers who may have a card without their number",
        ),
        ConcernCode::CardChanged => ("card without its number", "cards without their number"),
        ConcernCode::PossibleTwin => ("second card, perhaps", "second cards, perhaps"),
        ConcernCode::DuplicateKey => ("key of several records", "keys of several records"),
        ConcernCode::TwoActiveCards => ("key of two active cards", "keys of two active cards"),
        ConcernCode::SeveralArchivedCards => ("key of several archived cards", "keys of several archived cards"),
        ConcernCode::RecordRejected => ("record that cannot be used", "records that cannot be used"),
        ConcernCode::FieldsRejected => ("record with bad fields", "records with bad fields"),
        ConcernCode::RecordWithoutKey => ("record without a key", "records without a key"),
        ConcernCode::SeveralRecords => (
            "person whom a source has several times",
            "people whom a source has several times",
        ),
        ConcernCode::ListedWithoutCard => ("listed number without a card", "listed numbers without a card"),
        ConcernCode::AnonymizationDue => ("anonymization due", "anonymizations due"),
        ConcernCode::AnonymizationWaits => ("anonymization overdue that waits", "anonymizations overdue that wait"),
    }
}

/// How much of each kind, in one line; nothing where there is nothing.
pub(crate) fn counts_line(counts: &BTreeMap<ConcernCode, u64>) -> Option<String> {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(code, count)| {
            let (one, several) = code_words(*code);
            format!("{count} {}", if *count == 1 { one } else { several })
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What is open of these, in one line, with the operators among them.
pub(crate) fn open_line<'a>(concerns: impl Iterator<Item = &'a Concern>) -> Option<String> {
    let mut counts: BTreeMap<ConcernCode, u64> = BTreeMap::new();
    let mut operators = 0;
    for concern in concerns.filter(|concern| concern.is_open()) {
        *counts.entry(concern.code).or_default() += 1;
        operators += u64::from(concern.concerns_operator());
    }
    let line = counts_line(&counts)?;
    Some(match operators {
        0 => line,
        some => format!("{line}; {} among them", counted(some, "active operator")),
    })
}

fn whom(addressee: Addressee) -> &'static str {
    match addressee {
        Addressee::Hr => "For HR, who keeps the records",
        Addressee::It => "For IT, who runs the reads and the directory",
        Addressee::Desk => "For the desk, who manages the cards in TOPdesk",
        Addressee::Privacy => "For privacy, who answers for personal data",
    }
}

/// Who it is about: key, name, operator, and where it stands.
fn who(concern: &Concern) -> String {
    let key = concern.key.as_ref().map(ToString::to_string);
    let mut parts: Vec<String> = key.into_iter().chain(concern.name.clone()).collect();
    if let Some(card) = &concern.person_id {
        parts.push(format!("({card})"));
    }
    let places = concern.places.join("; ");
    match (parts.is_empty(), places.is_empty()) {
        (true, _) => places,
        (false, true) => parts.join(" "),
        (false, false) => format!("{}, {places}", parts.join(" ")),
    }
}

/// What is said of one beside what it is.
pub(crate) struct Mark {
    /// No run could judge it since.
    pub is_stale: bool,
    /// That somebody knows of it.
    pub known: Option<String>,
}

/// The list, by whom it is for and by kind; operators first.
pub(crate) fn as_text(
    concerns: &[&KeptConcern],
    zone: Tz,
    all: bool,
    paint: Paint,
    mark: &dyn Fn(&KeptConcern) -> Mark,
) -> String {
    let mut text = String::new();
    let when = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
    for addressee in Addressee::ALL {
        let mut by_code: BTreeMap<ConcernCode, Vec<&KeptConcern>> = BTreeMap::new();
        for kept in concerns.iter().filter(|kept| kept.concern.addressee == addressee) {
            by_code.entry(kept.concern.code).or_default().push(kept);
        }
        let total: usize = by_code.values().map(Vec::len).sum();
        if total == 0 {
            continue;
        }
        let title = format!(
            "{} ({total}; cardsync holds --for {})",
            whom(addressee),
            addressee.name()
        );
        line!(text, "\n{}", paint.strong(&title));
        for (code, of_kind) in by_code {
            let (one, several) = code_words(code);
            let words = if of_kind.len() == 1 { one } else { several };
            line!(text, "  {} {}", of_kind.len(), paint.warn(words));
            let shown = if all { of_kind.len() } else { MOST_SHOWN };
            for kept in of_kind.iter().take(shown) {
                one_of(&mut text, kept, &when, paint, mark(kept));
            }
            if of_kind.len() > shown {
                line!(
                    text,
                    "    ... and {} more (--all, --csv or --json)",
                    of_kind.len() - shown
                );
            }
            // One way out for all of a kind is said once.
            let mut cures: Vec<&str> = of_kind.iter().map(|kept| kept.concern.cure.as_str()).collect();
            cures.dedup();
            if let [cure] = cures.as_slice() {
                line!(text, "    -> {cure}");
            }
        }
    }
    text
}

fn one_of(text: &mut String, kept: &KeptConcern, when: &dyn Fn(DateTime<Utc>) -> String, paint: Paint, mark: Mark) {
    let concern = &kept.concern;
    let Mark { is_stale, known } = mark;
    let mark = if is_stale {
        format!(", not judged since {}", when(kept.seen_at))
    } else {
        String::new()
    };
    let since = when(kept.since);
    line!(text, "    [{}] {}  since {since}{mark}", concern.id, who(concern));
    if let OperatorLink::Active { operators } = &concern.operator {
        let ids: Vec<&str> = operators.iter().map(|id| id.as_str()).collect();
        line!(text, "        {} {} is active", paint.bad("operator"), ids.join(", "));
    }
    line!(text, "        {}", concern.what);
    if let Some(known) = known {
        line!(text, "        {known}");
    }
}

/// The header of that table.
pub(crate) const COLUMNS: [&str; 11] = [
    "id",
    "for",
    "code",
    "key",
    "name",
    "person_id",
    "operator",
    "where",
    "what",
    "cure",
    "since",
];

/// One of them as a row of a table.
pub(crate) fn row(kept: &KeptConcern, zone: Tz) -> Vec<String> {
    let concern = &kept.concern;
    let operator = match &concern.operator {
        OperatorLink::Active { operators } => {
            let ids: Vec<&str> = operators.iter().map(|id| id.as_str()).collect();
            format!("active: {}", ids.join(" "))
        }
        OperatorLink::Archived { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven => String::new(),
    };
    let since = kept.since.with_timezone(&zone).format("%Y-%m-%d %H:%M");
    vec![
        format!("[{}]", concern.id),
        concern.addressee.name().to_owned(),
        concern.code.to_string(),
        concern.key.as_ref().map(ToString::to_string).unwrap_or_default(),
        concern.name.clone().unwrap_or_default(),
        concern.person_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        operator,
        concern.places.join("; "),
        concern.what.clone(),
        concern.cure.clone(),
        since.to_string(),
    ]
}
