//! The words for what a plan is made of, shared by all commands.

use crate::core::model::card::OperatorLink;
use crate::core::model::groups::{Group, OperatorGroups, Seen};
use crate::core::model::ids::OperatorId;
use crate::core::model::operator_names::OperatorNames;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{ActionKind, Conflict, ConflictKind, Skip, SkipReason};
use crate::core::reads::snapshot::{Effect, Finding, Role, SnapshotSummary, Verdict};
use crate::present::lines::Paint;
use crate::present::lines::line;
use std::collections::BTreeMap;

/// What is written of an adoption on its way back.
pub(crate) const NUMBER_OFF: &str = "number off";

/// A number with its noun.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// What a read is for.
pub(crate) fn role_words(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Authoritative) => "decides",
        Some(Role::Enrich) => "adds",
        None => "cards",
    }
}

/// A read with its verdict, and what was found, with the cure.
pub(crate) fn snapshot_lines(snapshot: &SnapshotSummary, paint: Paint) -> String {
    let mut text = String::new();
    let verdict = match &snapshot.verdict {
        Verdict::Complete => paint.good("complete"),
        Verdict::Degraded { cannot } => {
            let uses: Vec<String> = cannot.iter().map(|use_| format!("{use_:?}").to_lowercase()).collect();
            paint.warn(&format!("degraded: not for {}", uses.join(", ")))
        }
        Verdict::Rejected => paint.bad("REJECTED"),
    };
    let role = role_words(snapshot.role);
    let mut besides = Vec::new();
    if snapshot.skipped > 0 {
        besides.push(format!("{} skipped", snapshot.skipped));
    }
    if snapshot.keyless + snapshot.unreadable > 0 {
        besides.push(format!("{} without key", snapshot.keyless));
        besides.push(format!("{} unreadable", snapshot.unreadable));
    }
    let besides = match besides.as_slice() {
        [] => String::new(),
        some => format!(" ({})", some.join(", ")),
    };
    line!(
        text,
        "  {:<12} {role:<8} {:>7} records  {verdict}{besides}",
        snapshot.name.as_str(),
        snapshot.records
    );
    // Accepted is all or nothing: what still waits is offered for approval.
    let usable = !snapshot.findings.iter().any(|finding| finding.effect == Effect::Reject);
    let accepted = usable && snapshot.acceptance.is_none();
    for (number, finding) in snapshot.findings.iter().enumerate() {
        let acceptable = matches!(
            finding.effect,
            Effect::RejectAcceptable | Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable
        );
        let waived = accepted && acceptable;
        let mark = match finding.effect {
            Effect::Note => "note:".to_owned(),
            Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable | Effect::RejectAcceptable if waived => {
                "accepted by approval:".to_owned()
            }
            Effect::NoAbsence | Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable => paint.warn("doubt:"),
            Effect::RejectAcceptable | Effect::Reject => paint.bad("rejected:"),
        };
        line!(text, "      {mark} {}", finding.message);
        // Several findings in a row often have one way out.
        let next = snapshot.findings.get(number + 1);
        if !waived && next.is_none_or(|next: &Finding| next.cure != finding.cure) {
            line!(text, "        -> {}", finding.cure);
        }
    }
    text
}

/// The groups of linked operators, a line for each that has any.
pub(crate) fn group_lines(groups: &BTreeMap<OperatorId, OperatorGroups>, names: &OperatorNames) -> Vec<String> {
    let part = |what: &str, seen: &Seen<Vec<Group>>| match seen {
        Seen::Known(groups) if groups.is_empty() => None,
        Seen::Known(groups) => {
            let mut names: Vec<&str> = groups.iter().map(|group| &*group.name).collect();
            names.sort_unstable();
            Some(format!("{what}: {}", names.join(", ")))
        }
        Seen::Unreadable(_) => Some(format!("{what}: could not be read")),
    };
    let line = |of: &OperatorGroups| {
        let parts = [
            part("operator groups", &of.operator_groups),
            part("permission groups", &of.permission_groups),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    };
    let several = groups.len() > 1;
    groups
        .iter()
        .filter_map(|(operator, of)| {
            let line = line(of)?;
            Some(if several {
                format!("{}: {line}", names.shown(operator))
            } else {
                line
            })
        })
        .collect()
}

/// The linked operator and what happens to it; nothing where it is proven that there is none.
pub(crate) fn operator_words(
    link: &OperatorLink,
    kind: ActionKind,
    kept: &[OperatorId],
    names: &OperatorNames,
) -> Option<String> {
    let joined = |operators: &[OperatorId]| names.list(operators);
    match link {
        OperatorLink::ProvenNone => None,
        OperatorLink::Unproven => Some("not known: the account may not see everything".to_owned()),
        OperatorLink::Active { operators } if kind == ActionKind::Archive => {
            Some(format!("{} is archived with the card", joined(operators)))
        }
        OperatorLink::Active { operators } => Some(format!("{} is linked and active", joined(operators))),
        OperatorLink::Archived { operators } if kind == ActionKind::Unarchive => {
            let wakes: Vec<OperatorId> = operators.iter().filter(|id| !kept.contains(id)).cloned().collect();
            let wake = format!("{} wakes up with the card", joined(&wakes));
            let stay = format!(
                "{} stays archived: if it wakes with the card, it is archived again at once",
                joined(kept)
            );
            Some(match (wakes.is_empty(), kept.is_empty()) {
                (_, true) => wake,
                (true, false) => stay,
                (false, false) => format!("{wake}; {stay}"),
            })
        }
        OperatorLink::Archived { operators } => Some(format!("{} is linked and archived", joined(operators))),
    }
}

/// What becomes of the other card, where a change is of two.
pub(crate) fn other_card_words(change: &ChangeView) -> Option<String> {
    if let Some(twin) = &change.twin {
        let fields: Vec<&str> = twin.fields.keys().map(String::as_str).collect();
        return Some(format!(
            "card {} gives up {} and is archived",
            twin.person_id,
            fields.join(", ")
        ));
    }
    let other = change.other.as_ref()?;
    let shown = |value: &Option<String>| {
        let value = value.as_ref();
        value.map_or("(empty)".to_owned(), |value| format!("\"{value}\""))
    };
    let fields: Vec<String> = other
        .fields
        .iter()
        .map(|(name, field)| format!("{name}: {} -> {}", shown(&field.from), shown(&field.to)))
        .collect();
    Some(format!("and card {}: {}", other.person_id, fields.join(", ")))
}

/// What was done to so many cards or entries.
pub(crate) fn done_words(kind: ActionKind, count: u64) -> &'static str {
    match kind {
        ActionKind::CreateEntry if count == 1 => "list entry made",
        ActionKind::CreateEntry => "list entries made",
        ActionKind::Unarchive => "unarchived",
        ActionKind::Create => "created",
        ActionKind::Update => "updated",
        ActionKind::Adopt => "adopted",
        ActionKind::Exchange if count == 1 => "exchange of two numbers",
        ActionKind::Exchange => "exchanges of two numbers",
        ActionKind::Merge => "merged",
        ActionKind::SetReferences => "with references set",
        ActionKind::Archive => "archived",
        ActionKind::Anonymize => "anonymized",
    }
}

/// Whether an action adds, alters or takes away, as a sign that is seen at a glance.
pub(crate) fn mark_of(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::CreateEntry | ActionKind::Create | ActionKind::Unarchive => "+",
        ActionKind::Update
        | ActionKind::Adopt
        | ActionKind::Exchange
        | ActionKind::Merge
        | ActionKind::SetReferences => "~",
        ActionKind::Archive | ActionKind::Anonymize => "-",
    }
}

/// The name of an action in lists.
pub(crate) fn name_of(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::CreateEntry => "new entry",
        ActionKind::SetReferences => "references",
        ActionKind::Unarchive
        | ActionKind::Create
        | ActionKind::Update
        | ActionKind::Adopt
        | ActionKind::Exchange
        | ActionKind::Merge
        | ActionKind::Archive
        | ActionKind::Anonymize => kind.name(),
    }
}

/// What is double, and what to do about it.
pub(crate) fn conflict_words(conflict: &Conflict) -> &'static str {
    let mut sources = conflict.records.iter().map(|record| &record.source);
    let first = sources.next();
    match conflict.kind {
        ConflictKind::DuplicateInSource if sources.any(|source| Some(source) != first) => {
            "records of several sources have this key; where the sources describe the same people, say so with same_people_as, \
             else correct one of them"
        }
        ConflictKind::DuplicateInSource => {
            "several records have this key; where they are contracts of one person, say so with rows.per: contract; take those \
             that are no people out with skip or exclude, or correct the source"
        }
        ConflictKind::TwoActiveCards => "two active cards have this key; take it off one of them in TOPdesk",
        ConflictKind::SeveralArchivedCards => {
            "several archived cards have this key and no active one; take it off all but one in TOPdesk"
        }
    }
}

/// Why nothing happens to somebody, and what is known of it. A comparison under two keys has the reason only.
pub(crate) fn skip_words(skip: &Skip) -> String {
    let reason = reason_words(skip.reason);
    if skip.detail.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {}", skip.detail)
    }
}

/// Why nothing happens to somebody, in a word or two.
pub(crate) fn reason_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Protected => "protected",
        SkipReason::ListedWithoutCard => "on a list, no card",
        SkipReason::SpecialAccount => "special account",
        SkipReason::OutOfScope => "out of scope",
        SkipReason::ScopeUnknown => "scope not known",
        SkipReason::UnarchivedByHand => "unarchived by hand",
        SkipReason::LeavingLater => "leaves, not yet",
        SkipReason::LeavesOn => "leaves on a date to come",
        SkipReason::NextContract => "between two contracts",
        SkipReason::StartsLater => "starts later",
        SkipReason::StartUnknown => "start date not known",
        SkipReason::SecondSource => "missing, but has an operator and a second source could not be read",
        SkipReason::Shielded => "missing, but may be in a record that cannot be used",
        SkipReason::LeftWithoutCard => "left, has no card",
        SkipReason::LeaverMayHaveCard => "left, a card without their number may be theirs",
        SkipReason::LeavingUnknown => "leaving not known",
        SkipReason::MissingNotYet => "missing, not long enough",
        SkipReason::AbsenceUnknown => "no record, and not known whether gone",
        SkipReason::Drift => "changed behind our back",
        SkipReason::ArchivedTwin => "archived twin",
        SkipReason::PossibleTwin => "twin, perhaps",
        SkipReason::SeveralRecords => "several records in a source that adds",
        SkipReason::FieldLeft => "field left as it is",
        SkipReason::LoginHeld => "login held by another card",
        SkipReason::ManagerUnknown => "manager not known",
        SkipReason::CardDeleted => "card deleted or hidden",
        SkipReason::AnonymizeInTopdesk => "to be anonymized in TOPdesk",
        SkipReason::AnonymizationWaits => "anonymization waits",
        SkipReason::LegalHold => "legal hold",
        SkipReason::TargetDegraded => "read of TOPdesk not good enough",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_after_the_reason_where_nothing_more_is_known() {
        let mut skip = Skip {
            reason: SkipReason::UnarchivedByHand,
            key: None,
            card: None,
            detail: String::new(),
            mark: String::new(),
        };
        assert_eq!(skip_words(&skip), "unarchived by hand");
        skip.detail = "a human archived the card".to_owned();
        assert_eq!(skip_words(&skip), "unarchived by hand: a human archived the card");
    }
}
