//! A judged plan as programs read it: the JSON of `plan --json`, `holds --json` and reports. Stable order, stable bytes.

use crate::core::model::card::OperatorLink;
use crate::core::model::field::FieldValue;
use crate::core::model::groups::{GroupsRead, OperatorGroups};
use crate::core::model::ids::{CardId, ItemId, OperatorId, PlanId};
use crate::core::model::key::Key;
use crate::core::model::operator_names::OperatorNames;
use crate::core::plan::concern::Concern;
use crate::core::plan::{
    Action, ActionKind, Change, Conflict, Evidence, FieldChange, HoldReason, Skip, takes_number_off,
};
use crate::core::reads::snapshot::{Finding, Rejection, SnapshotSummary};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A field's old and new value as text; null is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo {
    pub from: Option<String>,
    pub to: Option<String>,
    /// The old value was entered in TOPdesk since cardsync last saw the field in step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrites: bool,
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

/// The other card of a change of two: what a merge takes off it before it is archived, or what an exchange gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwinView {
    pub person_id: CardId,
    /// By field name.
    pub fields: BTreeMap<String, FromTo>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    pub id: ItemId,
    pub action: ActionKind,
    pub key: Option<Key>,
    pub person_id: Option<CardId>,
    pub operator: OperatorLink,
    /// What the linked operators are called: login, else e-mail address.
    #[serde(default, skip_serializing_if = "OperatorNames::is_empty")]
    pub operator_names: OperatorNames,
    /// The groups of the linked operators, where the item takes them along or wakes them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operator_groups: BTreeMap<OperatorId, OperatorGroups>,
    /// Operators that stay archived while their card is made active again: one that wakes with it is archived again at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators_kept_archived: Vec<OperatorId>,
    /// By field name; for a new list entry the list and its name.
    pub fields: BTreeMap<String, FromTo>,
    /// For merges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<TwinView>,
    /// For exchanges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<TwinView>,
    pub evidence: Vec<Evidence>,
    pub depends_on: Vec<ItemId>,
    pub why: Vec<String>,
    pub verdict: ChangeVerdict,
    pub holds: Vec<HoldView>,
    /// Where it is one answer of several to a question about one person: all of them, the best match first. Only one can be
    /// approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<ItemId>,
}

fn from_to(changes: &[FieldChange]) -> BTreeMap<String, FromTo> {
    let shown = |value: &Option<FieldValue>| value.as_ref().map(|value| value.display());
    let pairs = changes.iter().map(|change| {
        let (from, to) = (shown(&change.from), shown(&change.to));
        (
            change.field.name(),
            FromTo {
                from,
                to,
                overwrites: false,
            },
        )
    });
    pairs.collect()
}

impl ChangeView {
    /// Whether it takes a number off a card again: the way back of an adoption.
    pub fn takes_number_off(&self) -> bool {
        let fields = self.fields.values();
        let texts = fields.map(|field| (field.from.clone(), field.to.clone()));
        takes_number_off(self.action, self.key.as_ref(), texts)
    }

    /// The same with the groups and the names of its operators.
    pub fn with_operators(mut self, read: &GroupsRead, names: &OperatorNames) -> Self {
        self.operator_groups = read.of(&self.operator);
        self.operator_names = names.only(&self.operator);
        self
    }

    /// The same with what one of its requests writes.
    pub fn with_fields(mut self, fields: &[FieldChange]) -> Self {
        self.fields = from_to(fields);
        self
    }

    /// The same with the choices of its question.
    pub fn with_choices(mut self, questions: &BTreeMap<ItemId, Vec<ItemId>>) -> Self {
        self.choices = questions.get(&self.id).cloned().unwrap_or_default();
        self
    }

    /// The view of a change with its verdict.
    pub fn new(change: &Change, holds: &[HoldReason]) -> Self {
        let mut fields = from_to(change.action.fields());
        for overwritten in &change.overwrites {
            if let Some(field) = fields.get_mut(&overwritten.name()) {
                field.overwrites = true;
            }
        }
        let twin = match &change.action {
            Action::Merge { twin, taken, .. } => Some(TwinView {
                person_id: twin.clone(),
                fields: from_to(taken),
            }),
            Action::CreateEntry { .. }
            | Action::Create { .. }
            | Action::Update { .. }
            | Action::Adopt { .. }
            | Action::Exchange { .. }
            | Action::Archive { .. }
            | Action::Unarchive { .. }
            | Action::Anonymize { .. }
            | Action::SetReferences { .. } => None,
        };
        if let Action::CreateEntry { list, name } = &change.action {
            fields.insert(
                list.to_string(),
                FromTo {
                    from: None,
                    to: Some(name.to_string()),
                    overwrites: false,
                },
            );
        }
        Self {
            id: change.id.clone(),
            action: change.action.kind(),
            key: change.key.clone(),
            person_id: change.card.clone(),
            operator: change.operator.clone(),
            operator_names: OperatorNames::default(),
            operator_groups: BTreeMap::new(),
            operators_kept_archived: change.keeps_archived().to_vec(),
            fields,
            twin,
            other: change.other_side().map(|other| TwinView {
                person_id: other.card.clone(),
                fields: from_to(&other.fields),
            }),
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
            choices: Vec::new(),
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
    /// Why the clock is doubted: then nothing that depends on the time counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock: Vec<Finding>,
    pub summary: BTreeMap<ActionKind, Count>,
    pub changes: Vec<ChangeView>,
    pub conflicts: Vec<Conflict>,
    pub rejections: Vec<Rejection>,
    pub skipped: Vec<Skip>,
    /// What needs a human beside the held items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attention: Vec<Concern>,
    /// Active cards that are ours: the base of percentages.
    pub base: u64,
    /// Cards that are not ours and stay untouched.
    pub foreign_cards: u64,
}
