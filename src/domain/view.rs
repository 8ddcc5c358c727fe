//! A judged plan as programs read it: the JSON of `plan --json`, `holds --json` and reports. Stable order, stable bytes.

use super::card::OperatorLink;
use super::ids::{CardId, ItemId, PlanId};
use super::key::Key;
use super::plan::{Action, ActionKind, Change, Conflict, Drift, Evidence, HoldReason, Skip};
use super::snapshot::{Rejection, SnapshotSummary};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A field's old and new value as text; null is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo {
    pub from: Option<String>,
    pub to: Option<String>,
}

/// Why an item is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    pub code: String,
    /// The number, the limit and the way out.
    pub message: String,
    /// Whether an approval lifts it.
    pub approvable: bool,
}

/// Allowed or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeVerdict {
    Allowed,
    Held,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    pub id: ItemId,
    pub action: ActionKind,
    pub key: Option<Key>,
    pub person_id: Option<CardId>,
    pub operator: OperatorLink,
    /// By field name; for a new list entry the list and its name.
    pub fields: BTreeMap<String, FromTo>,
    pub evidence: Vec<Evidence>,
    pub depends_on: Vec<ItemId>,
    pub why: Vec<String>,
    pub verdict: ChangeVerdict,
    pub holds: Vec<HoldView>,
}

impl ChangeView {
    /// The view of a change with its verdict.
    pub fn new(change: &Change, holds: &[HoldReason]) -> Self {
        let mut fields: BTreeMap<String, FromTo> = change
            .action
            .fields()
            .iter()
            .map(|field| {
                let shown = |value: &Option<super::field::FieldValue>| value.as_ref().map(|value| value.display());
                (
                    field.field.name(),
                    FromTo {
                        from: shown(&field.from),
                        to: shown(&field.to),
                    },
                )
            })
            .collect();
        if let Action::CreateEntry { list, name } = &change.action {
            fields.insert(
                list.to_string(),
                FromTo {
                    from: None,
                    to: Some(name.to_string()),
                },
            );
        }
        Self {
            id: change.id.clone(),
            action: change.action.kind(),
            key: change.key.clone(),
            person_id: change.card.clone(),
            operator: change.operator.clone(),
            fields,
            evidence: change.evidence.clone(),
            depends_on: change.depends_on.clone(),
            why: change.why.clone(),
            verdict: if holds.is_empty() {
                ChangeVerdict::Allowed
            } else {
                ChangeVerdict::Held
            },
            holds: holds
                .iter()
                .map(|reason| HoldView {
                    code: reason.code(),
                    message: reason.explain(),
                    approvable: reason.approvable(),
                })
                .collect(),
        }
    }
}

/// Counts of one action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub total: u64,
    pub allowed: u64,
    pub held: u64,
    /// Operators that the items take along or wake.
    pub operators: u64,
}

/// The whole plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanView {
    pub plan_id: PlanId,
    pub fingerprint: String,
    pub created_at: DateTime<Utc>,
    pub config_hash: String,
    pub snapshots: Vec<SnapshotSummary>,
    pub summary: BTreeMap<ActionKind, Count>,
    pub changes: Vec<ChangeView>,
    pub conflicts: Vec<Conflict>,
    pub rejections: Vec<Rejection>,
    pub skipped: Vec<Skip>,
    /// Active cards that are ours: the base of percentages.
    pub base: u64,
    /// Cards that are not ours and stay untouched.
    pub foreign_cards: u64,
}

impl HoldReason {
    /// The number, the limit and the way out, in one line.
    pub fn explain(&self) -> String {
        match self {
            HoldReason::OverBudget { class, count, limit, base } => {
                let share = if *base > 0 { format!(" ({:.1} % of {base})", *count as f64 * 100.0 / *base as f64) } else { String::new() };
                format!("{count} in class {class}{share}, limit {limit}: the class is held whole; approve the items, or raise guard.{}",
                    class.to_string().split(':').next().unwrap_or_default())
            }
            HoldReason::FirstContact => "stood there at first contact with this environment; approve it once you have checked it".to_owned(),
            HoldReason::ConfigChanged => "came with a changed configuration; approve it once you have checked that this is meant".to_owned(),
            HoldReason::DecisionChanged => "came with a new version of cardsync that decides otherwise; approve it once you have checked it".to_owned(),
            HoldReason::AdoptOrCreate { cards, agree } => {
                let fields: Vec<String> = agree.iter().map(ToString::to_string).collect();
                let cards: Vec<&str> = cards.iter().map(CardId::as_str).collect();
                format!("resembles card {} (same {}): approve the adoption if it is the same person, or this creation if it is somebody else",
                    cards.join(", "), fields.join(", "))
            }
            HoldReason::AnotherPerson => "same number, another person? surname and first name both differ from the card and neither directory id, e-mail nor login agrees; approve if the card is this person's".to_owned(),
            HoldReason::Drift { card, what } => {
                let what = match what {
                    Drift::CardMissing => "is gone or hidden from the account",
                    Drift::KeyEmptied => "has lost its key",
                    Drift::KeyChanged => "has another key now",
                    Drift::Anonymized => "was anonymized",
                };
                format!("card {card}, which is known as this person's, {what}; repair it in TOPdesk, or approve this item")
            }
            HoldReason::OperatorUnproven => "whether an operator is linked could not be proven: the account has filters, or they cannot be read; take the filters off, state `account_filters: none`, or approve the item".to_owned(),
            HoldReason::NeedsSource { source } => format!("needs source {source}, which could not be used in this run; it passes once the source is read again"),
            HoldReason::Rehire => "came back after cardsync had archived the card, and lifecycle.rehire says hold; approve to unarchive".to_owned(),
            HoldReason::DependsOn { item } => format!("waits for item {item}, which is held"),
            HoldReason::PairedWith { item } => format!("looks like the other half of item {item}: the same person under a new number? decide that item first, or approve this one"),
            HoldReason::TargetDegraded => "the read of TOPdesk was not good enough for this; see the snapshots; it passes once the read is whole".to_owned(),
            HoldReason::InDoubt => "a creation with this key was sent and its answer lost; a full read at least 10 minutes later settles it".to_owned(),
            HoldReason::Rejected { by, note } => match note {
                Some(note) => format!("rejected by {by}: {note}; approve to lift"),
                None => format!("rejected by {by}; approve to lift"),
            },
            HoldReason::ChangedSinceJudged { what } => format!("right before the write {what}; nothing was written; approve if it is still right"),
            HoldReason::OperatorArchiveRefused => "TOPdesk refused to archive the linked operator with the card: the account has no such right, which is the safe set-up; archive the operator in TOPdesk, or let an account with that right do it".to_owned(),
        }
    }
}
