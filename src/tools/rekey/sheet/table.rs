//! The list as rows of cells, and as the text of a CSV file.

use super::{COLUMNS, Carried};
use crate::core::memory::decision::Answer;
use crate::core::model::card::OperatorLink;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::sheets::table::Separator;
use crate::sheets::table::defused;
use crate::tools::rekey::pairing::{Pair, Pairing, Row, RowMark, Shown, Verdict};
use crate::tools::rekey::words::{agreeing, remarks, why_not};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// The list, its header first, sorted by the names on the cards.
pub fn table(pairing: &Pairing, carried: &BTreeMap<CardId, Carried>) -> Vec<Vec<String>> {
    let mut rows: Vec<&Row> = pairing.rows.iter().collect();
    rows.sort_by(|a, b| {
        let order = |row: &'_ Row| row.shown.name.clone();
        let names = a.shown.names.order().cmp(&b.shown.names.order());
        names
            .then_with(|| order(a).cmp(&order(b)))
            .then_with(|| a.card.cmp(&b.card))
    });
    let nothing = Carried::default();
    let header = COLUMNS.map(str::to_owned).to_vec();
    let lines = rows.into_iter().map(|row| {
        let cells = cells(pairing, row, carried.get(&row.card).unwrap_or(&nothing));
        COLUMNS
            .iter()
            .map(|column| defused(&cells.get(column).cloned().unwrap_or_default()))
            .collect()
    });
    std::iter::once(header).chain(lines).collect()
}

/// The list as a CSV file.
pub fn write(pairing: &Pairing, carried: &BTreeMap<CardId, Carried>, separator: Separator) -> String {
    let mut rows = table(pairing, carried).into_iter();
    let header = rows.next().unwrap_or_default();
    crate::sheets::table::table(&header, rows, separator)
}

/// An id or a number, so that no spreadsheet takes it for a number of its own.
pub(super) fn bracketed(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("[{text}]")
    }
}

/// How a pair stands among others, in one letter: it may get better and not worse.
pub(super) fn grade_letter(verdict: &Verdict) -> char {
    match verdict {
        Verdict::Pair(pair) => match pair.grade {
            crate::tools::rekey::pairing::Grade::Sure => 'a',
            crate::tools::rekey::pairing::Grade::Likely => 'b',
            crate::tools::rekey::pairing::Grade::Possible => 'c',
        },
        Verdict::None { .. } => 'n',
    }
}

/// The mark of a line: card, proposal, rejection that stood, grade, and who else resembles it.
pub(super) fn mark_of(row: &Row) -> String {
    let RowMark { card, proposal, others } = &row.mark;
    let rejected = row
        .rejected
        .as_ref()
        .map_or(0, |rejected| rejected.at.timestamp_millis());
    let proposal = if proposal.is_empty() { "none" } else { proposal };
    let letter = grade_letter(&row.verdict);
    format!("{card}-{proposal}-{rejected:x}-{letter}{}", others.concat())
}

type Cells = BTreeMap<&'static str, String>;

fn day(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn cells(pairing: &Pairing, row: &Row, carried: &Carried) -> Cells {
    let operator = match &row.operator {
        OperatorLink::Active { .. } => "active",
        OperatorLink::Archived { .. } => "archived",
        OperatorLink::Unproven => "not known",
        OperatorLink::ProvenNone => "",
    };
    let mut cells = Cells::from([
        ("id", bracketed(&mark_of(row))),
        ("operator", operator.to_owned()),
        ("person_id", bracketed(row.card.as_str())),
        ("card_name", row.shown.name.clone()),
    ]);
    let mut why = Vec::new();
    why.extend((!carried.remark.is_empty()).then(|| carried.remark.clone()));
    if let Some(rejected) = &row.rejected {
        let note = rejected
            .note
            .as_ref()
            .map_or_else(String::new, |note| format!(": {note}"));
        why.push(format!(
            "rejected by {} on {}{note}",
            rejected.by,
            rejected.at.date_naive()
        ));
    }
    match &row.verdict {
        Verdict::Pair(pair) => {
            why.extend(remarks(pair));
            of_pair(&mut cells, pairing, pair);
        }
        Verdict::None { why: no, people, cards } => {
            why.push(why_not(*no).to_owned());
            cells.insert("grade", "none".to_owned());
            cells.insert("rivals", rivals(pairing, people, cards, &[]));
        }
    }
    let sides = [
        [
            "card_since",
            "card_born",
            "card_department",
            "card_site",
            "card_email",
            "card_login",
            "card_phone",
        ],
        [
            "source_first_day",
            "source_born",
            "source_department",
            "source_site",
            "source_email",
            "source_login",
            "source_phone",
        ],
    ];
    let person = row.pair().map(|pair| &pair.person);
    for (columns, shown) in sides.into_iter().zip([Some(&row.shown), person]) {
        let Some(shown) = shown else { continue };
        let values = [
            day(shown.since),
            day(shown.born),
            shown.department.clone(),
            shown.site.clone(),
            shown.email.clone(),
            shown.login.clone(),
            shown.phone.clone(),
        ];
        cells.extend(columns.into_iter().zip(values));
    }
    let decision = match carried.answer.or(row.rejected.as_ref().map(|_| Answer::Reject)) {
        Some(Answer::Approve) => "approve",
        Some(Answer::Reject) => "reject",
        None => "",
    };
    cells.insert("why", why.join(" | "));
    let word = if carried.somebody_else {
        format!("{decision} {}", super::SOMEBODY_ELSE)
    } else {
        decision.to_owned()
    };
    cells.insert("decision", word);
    cells.insert("other_number", bracketed(&carried.other_number));
    cells.insert("note", carried.note.clone());
    cells
}

fn of_pair(cells: &mut Cells, pairing: &Pairing, pair: &Pair) {
    cells.insert("grade", pair.grade.word().to_owned());
    cells.insert("number", bracketed(&pair.raw_key.to_write()));
    cells.insert("source_name", pair.person.name.clone());
    cells.insert("source_last_day", day(pair.person.until));
    cells.insert("agree", agreeing(pair));
    let namesakes = &pair.namesakes;
    let told = rivals(pairing, &namesakes.people, &namesakes.cards, &namesakes.records);
    cells.insert("rivals", told);
    if let Some(exchange) = &pair.exchange {
        cells.insert("grade", "exchanged".to_owned());
        cells.insert("exchange_with", bracketed(exchange.card.as_str()));
        cells.insert("exchange_name", exchange.shown.name.clone());
        cells.insert("exchange_number", bracketed(exchange.key.as_str()));
    }
}

/// Who else resembles the card or the person, with what tells them apart.
fn rivals(pairing: &Pairing, people: &[Key], cards: &[CardId], records: &[String]) -> String {
    let person = |key: &Key| match pairing.people.get(key) {
        Some(person) => told(&format!("{key} {}", person.shown.name), &person.shown),
        None => key.to_string(),
    };
    let card = |id: &CardId| match pairing.rows.iter().find(|row| row.card == *id) {
        Some(row) => told(&format!("card {id} {}", row.shown.name), &row.shown),
        None => format!("card {id}"),
    };
    let people = people.iter().map(person);
    let cards = cards.iter().map(card);
    people
        .chain(cards)
        .chain(records.iter().cloned())
        .collect::<Vec<_>>()
        .join(" | ")
}

fn told(who: &str, shown: &Shown) -> String {
    let apart = shown.told_apart_by();
    if apart.is_empty() {
        who.to_owned()
    } else {
        format!("{who} ({apart})")
    }
}
