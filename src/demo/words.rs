//! A run and its counterpart by e-mail, in plain words.

use super::email_import::Harm;
use crate::core::model::card::OperatorLink;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::ItemId;
use crate::core::plan::report::Outcome;
use crate::core::plan::{Action, ActionKind, Change, ConflictKind, EvidenceCode, HoldReason, SkipReason};
use crate::core::reads::snapshot::Verdict;
use crate::core::rules::policy::BudgetClass;
use crate::engine::run::Finished;
use std::collections::{BTreeMap, BTreeSet};

/// `1 card`, `2 cards`.
pub fn many(count: usize, one: &str, several: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {several}")
    }
}

/// What was written.
pub fn done(finished: &Finished) -> Vec<String> {
    let written: BTreeSet<&ItemId> = finished
        .outcomes
        .iter()
        .filter(|outcome| matches!(outcome.outcome, Outcome::Done { .. }))
        .map(|outcome| &outcome.item)
        .collect();
    let changes: Vec<&Change> = finished
        .planned
        .judged
        .plan
        .changes
        .iter()
        .filter(|change| written.contains(&change.id))
        .collect();
    let lines: Vec<String> = ActionKind::IN_ORDER
        .into_iter()
        .flat_map(|kind| {
            let of_kind = changes.iter().copied().filter(|change| change.action.kind() == kind);
            done_lines(kind, &of_kind.collect::<Vec<_>>())
        })
        .collect();
    if lines.is_empty() {
        vec!["nothing".to_owned()]
    } else {
        lines
    }
}

fn done_lines(kind: ActionKind, changes: &[&Change]) -> Vec<String> {
    let count = changes.len();
    if count == 0 {
        return Vec::new();
    }
    let line = match kind {
        ActionKind::CreateEntry => {
            let names: Vec<&str> = changes
                .iter()
                .filter_map(|change| match &change.action {
                    Action::CreateEntry { name, .. } => Some(&**name),
                    Action::Create { .. }
                    | Action::Update { .. }
                    | Action::Adopt { .. }
                    | Action::Exchange { .. }
                    | Action::Merge { .. }
                    | Action::Archive { .. }
                    | Action::Unarchive { .. }
                    | Action::Anonymize { .. }
                    | Action::SetReferences { .. } => None,
                })
                .collect();
            format!(
                "{} made in TOPdesk: {}",
                many(count, "department", "departments"),
                names.join(", ")
            )
        }
        ActionKind::Create => format!("{} created", many(count, "card", "cards")),
        ActionKind::Adopt => format!(
            "{} adopted: the number now stands on {}, operator and history stay",
            many(count, "card", "cards"),
            if count == 1 { "it" } else { "them" }
        ),
        ActionKind::Update | ActionKind::SetReferences => return updated(changes),
        ActionKind::Archive => {
            let operators: usize = changes.iter().map(|change| change.operators_affected()).sum();
            let along = match (operators, count) {
                (0, 1) => "; no operator is linked to it".to_owned(),
                (0, _) => "; no operator is linked to any of them".to_owned(),
                (_, _) => format!(
                    ", and {} with it, as approved",
                    many(operators, "linked operator", "linked operators")
                ),
            };
            let missing = changes
                .iter()
                .flat_map(|change| &change.evidence)
                .find(|evidence| evidence.code == EvidenceCode::Missing);
            let because = missing.map_or_else(String::new, |evidence| format!(", {}", evidence.detail));
            format!("{} archived{because}{along}", many(count, "card", "cards"))
        }
        ActionKind::Unarchive => format!("{} made active again", many(count, "card", "cards")),
        ActionKind::Exchange => format!("{} of numbers between two cards", many(count, "exchange", "exchanges")),
        ActionKind::Merge => format!("{} merged with the card of the operator", many(count, "card", "cards")),
        ActionKind::Anonymize => format!("{} anonymized", many(count, "card", "cards")),
    };
    vec![line]
}

fn updated(changes: &[&Change]) -> Vec<String> {
    let works = |change: &&&Change| matches!(change.operator, OperatorLink::Active { .. });
    let linked = changes.iter().filter(works).count();
    if let [only] = changes {
        let same = if linked == 0 {
            ""
        } else {
            "; its operator notices nothing"
        };
        let mut lines = vec![format!("1 card updated, the same card as before{same}:")];
        lines.extend(only.action.fields().iter().map(|change| {
            let shown =
                |value: &Option<FieldValue>| value.as_ref().map_or_else(|| "(none)".to_owned(), |v| v.display());
            format!(
                "{}: {} -> {}",
                field_name(change.field),
                shown(&change.from),
                shown(&change.to)
            )
        }));
        return lines;
    }
    let mut counts: BTreeMap<CardField, usize> = BTreeMap::new();
    for field in changes.iter().flat_map(|change| change.action.fields()) {
        *counts.entry(field.field).or_default() += 1;
    }
    let fields: Vec<String> = counts
        .iter()
        .map(|(field, count)| format!("{} {count}", field_name(*field)))
        .collect();
    let operators = match linked {
        0 => String::new(),
        1 => "; 1 of them belongs to an operator, who goes on working".to_owned(),
        _ => format!("; {linked} of them belong to operators, who go on working"),
    };
    vec![format!(
        "{} cards updated ({}){operators}",
        changes.len(),
        fields.join(", ")
    )]
}

fn field_name(field: CardField) -> String {
    match field {
        CardField::SurName => "surname".to_owned(),
        CardField::FirstName => "first name".to_owned(),
        CardField::Prefixes => "prefix".to_owned(),
        CardField::Email => "e-mail".to_owned(),
        CardField::TasLoginName => "login".to_owned(),
        CardField::PhoneNumber => "phone".to_owned(),
        CardField::JobTitle => "job title".to_owned(),
        CardField::HasSspAccess => "self-service portal".to_owned(),
        other => other.name(),
    }
}

/// What waits, and why; what is not decided yet; and a source that was refused.
pub fn held(finished: &Finished) -> Vec<String> {
    let judged = &finished.planned.judged;
    let mut lines = Vec::new();
    for snapshot in judged
        .plan
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.verdict == Verdict::Rejected)
    {
        lines.extend(snapshot.findings.iter().map(|finding| {
            format!(
                "the whole export, and nobody counts as gone: {}; {}",
                finding.message, finding.cure
            )
        }));
    }
    // The creation and the adoption are two answers to one question: the adoption stands for both.
    let offered: BTreeSet<_> = judged
        .plan
        .changes
        .iter()
        .filter(|change| change.action.kind() == ActionKind::Adopt)
        .map(|change| &change.key)
        .collect();
    let mut groups: BTreeMap<String, BTreeMap<ActionKind, usize>> = BTreeMap::new();
    for change in &judged.plan.changes {
        let kind = change.action.kind();
        if kind == ActionKind::Create && offered.contains(&change.key) {
            continue;
        }
        if let Some(reason) = judged.held.get(&change.id).and_then(|reasons| weightiest(reasons)) {
            *groups.entry(why(reason)).or_default().entry(kind).or_default() += 1;
        }
    }
    for (why, kinds) in &groups {
        let what: Vec<String> = kinds.iter().map(|(kind, count)| items(*kind, *count)).collect();
        lines.push(format!("{}: {why}", what.join(" and ")));
    }
    for conflict in &judged.plan.conflicts {
        let what = match conflict.kind {
            ConflictKind::DuplicateInSource => "stands on two rows of the export",
            ConflictKind::TwoActiveCards => "stands on two active cards",
            ConflictKind::SeveralArchivedCards => "stands on several archived cards",
        };
        lines.push(format!(
            "number {} {what}: nothing happens to anybody who has it until that is corrected",
            conflict.key
        ));
    }
    let missing = judged
        .plan
        .skipped
        .iter()
        .filter(|skip| skip.reason == SkipReason::MissingNotYet);
    lines.extend(missing.map(|skip| format!("1 missing row, which proves nothing yet: {}", skip.detail)));
    lines
}

fn items(kind: ActionKind, count: usize) -> String {
    match kind {
        ActionKind::CreateEntry => many(count, "list entry", "list entries"),
        ActionKind::Unarchive => many(count, "unarchiving", "unarchivings"),
        ActionKind::Create => many(count, "new card", "new cards"),
        ActionKind::Update | ActionKind::SetReferences => many(count, "update", "updates"),
        ActionKind::Adopt => many(count, "person", "people"),
        ActionKind::Archive => many(count, "archive", "archives"),
        ActionKind::Exchange => many(count, "exchange", "exchanges"),
        ActionKind::Merge => many(count, "merge", "merges"),
        ActionKind::Anonymize => many(count, "anonymization", "anonymizations"),
    }
}

/// The reason that a human must know first.
fn weightiest(reasons: &[HoldReason]) -> Option<&HoldReason> {
    reasons.iter().min_by_key(|reason| match reason {
        HoldReason::OverBudget {
            class: BudgetClass::Operators | BudgetClass::OperatorsWoken,
            ..
        } => 0,
        HoldReason::AdoptOrCreate { .. }
        | HoldReason::Twin { .. }
        | HoldReason::SamePerson { .. }
        | HoldReason::AnotherPerson
        | HoldReason::ExchangedNumbers
        | HoldReason::OddKey { .. }
        | HoldReason::SecondCard { .. }
        | HoldReason::SomebodyElsesCard { .. }
        | HoldReason::DoubtfulDate { .. }
        | HoldReason::StillListed { .. }
        | HoldReason::Drift { .. } => 1,
        HoldReason::FirstContact | HoldReason::ConfigChanged | HoldReason::DecisionChanged => 2,
        HoldReason::OverBudget { .. } => 3,
        HoldReason::OperatorUnproven
        | HoldReason::NeedsSource { .. }
        | HoldReason::Rehire
        | HoldReason::ArchivedByHand { .. }
        | HoldReason::LeaverWithoutNumber { .. }
        | HoldReason::EvidenceVanished
        | HoldReason::StrangeWrites { .. }
        | HoldReason::DependsOn { .. }
        | HoldReason::NotAlone { .. }
        | HoldReason::PairedWith { .. }
        | HoldReason::OtherHalf { .. }
        | HoldReason::TargetDegraded
        | HoldReason::InDoubt
        | HoldReason::ClockDoubted
        | HoldReason::OneOf { .. }
        | HoldReason::Answered { .. }
        | HoldReason::Rejected { .. }
        | HoldReason::ApprovalEnded { .. }
        | HoldReason::ApprovalOutdated { .. }
        | HoldReason::ChangedSinceJudged { .. }
        | HoldReason::OperatorArchiveRefused
        | HoldReason::OperatorWakeRefused { .. }
        | HoldReason::Undone { .. }
        | HoldReason::OperatorLoginRefused
        | HoldReason::DrivenBack { .. }
        | HoldReason::HalfDone
        | HoldReason::ArchivedCardRefused { .. }
        | HoldReason::LastOperator { .. }
        | HoldReason::WorkLeft { .. }
        | HoldReason::GroupsUnreadable { .. }
        | HoldReason::RefusedAgain { .. }
        | HoldReason::OperatorStaysActive { .. }
        | HoldReason::InstallationChanged { .. }
        | HoldReason::OperatorProtected => 4,
    })
}

fn why(reason: &HoldReason) -> String {
    match reason {
        HoldReason::OverBudget {
            class: BudgetClass::Operators,
            limit,
            ..
        } => format!(
            "an operator is linked to the card and would be locked out with it; {}",
            pass(*limit)
        ),
        HoldReason::AdoptOrCreate { agree, .. } => {
            let agree: Vec<String> = agree.iter().map(|field| field_name(*field)).collect();
            format!(
                "TOPdesk has a card that looks like this (same {}). Is it the same human? Two cards can never be made \
                 one again, so a human decides",
                agree.join(", ")
            )
        }
        HoldReason::Twin { agree, .. } => {
            let agree: Vec<String> = agree.iter().map(|field| field_name(*field)).collect();
            format!(
                "a card with the number and a card with the operator look like one human (same {}). If they are, the \
                 number moves to the card with the operator, and the other is archived with the calls that hang on it",
                agree.join(", ")
            )
        }
        HoldReason::OverBudget {
            class, count, limit, ..
        } => {
            format!("{count} {class} in one run; {}", pass(*limit))
        }
        HoldReason::FirstContact => {
            "first contact. Differences that cardsync found there wait until a human has looked".to_owned()
        }
        other => other.explain(),
    }
}

fn pass(limit: u64) -> String {
    if limit == 0 {
        "none passes unasked".to_owned()
    } else {
        format!("at most {limit} pass unasked")
    }
}

/// What the import by e-mail did.
pub fn by_email(harm: &Harm) -> Vec<String> {
    let Harm {
        second_card,
        archived,
        locked_out,
        unasked,
        mixed_up,
        double_numbers,
        woken,
    } = harm;
    let mut lines = Vec::new();
    let mut add = |people: &BTreeSet<u32>, one: &str, several: &str| {
        if !people.is_empty() {
            lines.push(many(people.len(), one, several));
        }
    };
    add(
        second_card,
        "person gets a second card; calls and history stay on the first",
        "people get a second card; their calls and history stay on the first",
    );
    add(
        archived,
        "person who works here finds their card archived",
        "people who work here find their cards archived",
    );
    add(
        locked_out,
        "of them is an operator and locked out of TOPdesk",
        "of them are operators and locked out of TOPdesk",
    );
    add(
        unasked,
        "operator who left is archived; nobody was asked",
        "operators who left are archived; nobody was asked",
    );
    add(
        mixed_up,
        "newcomer is given the old card of the former colleague, with all that hangs on it",
        "newcomers are given the old cards of former colleagues, with all that hangs on them",
    );
    add(
        double_numbers,
        "number stands on two active cards",
        "numbers stand on two active cards",
    );
    add(
        woken,
        "card is woken again; whether its operator wakes too depends on the version of TOPdesk",
        "cards are woken again; whether their operators wake too depends on the version of TOPdesk",
    );
    if lines.is_empty() {
        lines.push("the same".to_owned());
    }
    lines
}
