//! Whether two keys say the same: the plan under each, from the same reads, side by side.
//!
//! The plans speak of people by different keys, so both are first put into the words of the configured one. What either key
//! field is to hold is left out: that they differ there is what it is about. What waits and why is left out as well.

use super::other_key::Translation;
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::plan::difference::PlanDifference;
use crate::core::plan::view::{ChangeView, PlanView};
use crate::core::plan::{
    Action, ActionKind, Change, Conflict, ConflictKind, FieldChange, Plan, Skip, SkipReason, full_hash, short_hash,
};
use crate::core::reads::snapshot::Rejection;
use serde::Serialize;
use std::collections::BTreeMap;

/// The difference from the plan under the other key to the plan under the configured one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyDifference {
    /// The hash of everything that differs, without texts, counts and times: the same difference has the same hash from run
    /// to run, and another one never has it.
    pub id: ItemId,
    /// `removed`: only under the other key; `added`: only under the configured key.
    #[serde(flatten)]
    pub plans: PlanDifference,
}

/// The two key fields and how their values go together.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    pub configured: CardField,
    pub other: CardField,
    pub translation: &'a Translation,
}

/// Compares the plan under the other key with the plan under the configured one.
pub fn compare(under_other: &Plan, under_configured: &Plan, keys: Keys<'_>) -> KeyDifference {
    let to_configured = |key: &Key| keys.translation.configured(key).cloned().unwrap_or_else(|| key.clone());
    let before = neutral(under_other, keys, &to_configured);
    let after = neutral(under_configured, keys, &Key::clone);
    let plans = PlanDifference::between(&before, &after);
    KeyDifference {
        id: hash_of(&plans, keys),
        plans,
    }
}

/// A plan in words that do not depend on the key.
fn neutral(plan: &Plan, keys: Keys<'_>, key_of: &dyn Fn(&Key) -> Key) -> PlanView {
    let changes = plan.changes.iter().map(|change| {
        let mut view = ChangeView::new(change, &[]);
        view.key = change.key.as_ref().map(key_of);
        view.id = neutral_id(change, view.key.as_ref(), keys);
        view.depends_on.clear();
        view
    });
    let conflicts = plan.conflicts.iter().map(|conflict| Conflict {
        key: key_of(&conflict.key),
        ..conflict.clone()
    });
    // The place of a record says which it is.
    let rejections = plan.rejections.iter().map(|rejection| Rejection {
        key: None,
        ..rejection.clone()
    });
    let skipped = plan.skipped.iter().map(|skip| Skip {
        reason: skip.reason,
        key: skip.key.as_ref().map(key_of),
        card: skip.card.clone(),
        detail: String::new(),
        mark: String::new(),
    });
    PlanView {
        plan_id: plan.id.clone(),
        fingerprint: plan.fingerprint.clone(),
        created_at: plan.created_at,
        config_hash: plan.config_hash.clone(),
        snapshots: Vec::new(),
        clock: Vec::new(),
        summary: BTreeMap::new(),
        changes: changes.collect(),
        conflicts: sorted(conflicts),
        rejections: sorted(rejections),
        skipped: sorted(skipped),
        attention: Vec::new(),
        base: plan.base,
        foreign_cards: plan.foreign_cards,
    }
}

fn sorted<T: Ord>(list: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = list.collect();
    list.sort();
    list.dedup();
    list
}

/// What a change does, whatever the key: two plans that do the same to the same card or person have the same.
fn neutral_id(change: &Change, key: Option<&Key>, keys: Keys<'_>) -> ItemId {
    let writes_key = match change.action.kind() {
        ActionKind::Create | ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge => true,
        ActionKind::CreateEntry
        | ActionKind::Update
        | ActionKind::SetReferences
        | ActionKind::Unarchive
        | ActionKind::Archive
        | ActionKind::Anonymize => false,
    };
    let matters = |field: CardField| field != keys.configured && !(writes_key && field == keys.other);
    let shown = |value: &Option<FieldValue>| -> Option<String> {
        match value {
            Some(FieldValue::Reference(Reference::Card { id, .. })) => Some(id.to_string()),
            // A card that the plan makes: who it is for is the same under both keys.
            Some(FieldValue::Reference(Reference::Pending(_))) => Some("a new card or entry".to_owned()),
            Some(value) => Some(value.display()),
            None => None,
        }
    };
    let written = |fields: &[FieldChange]| -> Vec<(String, Option<String>, Option<String>)> {
        let fields = fields.iter().filter(|change| matters(change.field));
        fields
            .map(|change| (change.field.name(), shown(&change.from), shown(&change.to)))
            .collect()
    };
    // The only two that name more than the card, the person and the fields.
    let mut twin: Option<&CardId> = None;
    let mut entry = None;
    if let Action::Merge { twin: other, .. } = &change.action {
        twin = Some(other);
    } else if let Some(other) = change.other_side() {
        twin = Some(&other.card);
    } else if let Action::CreateEntry { list, name } = &change.action {
        entry = Some((list.to_string(), name.to_string()));
    }
    let content = (
        change.action.kind(),
        key,
        change.card.as_ref(),
        twin,
        entry,
        &change.operator,
        written(change.action.fields()),
    );
    ItemId::new(short_hash(
        &serde_json::to_vec(&content).expect("plain data always serialises"),
    ))
}

fn hash_of(plans: &PlanDifference, keys: Keys<'_>) -> ItemId {
    type Doubled<'a> = (&'a Key, ConflictKind, &'a [CardId]);
    type Skipped<'a> = (SkipReason, Option<&'a Key>, Option<&'a CardId>);
    let PlanDifference {
        same: _,
        added,
        removed,
        changed,
        conflicts,
        rejections,
        skipped,
    } = plans;
    let ids = |changes: &[ChangeView]| -> Vec<ItemId> { sorted(changes.iter().map(|change| change.id.clone())) };
    let changed = changed
        .iter()
        .map(|item| (item.before.id.clone(), item.after.id.clone()));
    let doubled = |list: &'_ [Conflict]| -> Vec<String> {
        let of = |it: &Conflict| -> String {
            let content: Doubled<'_> = (&it.key, it.kind, &it.cards);
            serde_json::to_string(&content).expect("plain data always serialises")
        };
        sorted(list.iter().map(of))
    };
    let left = |list: &'_ [Skip]| -> Vec<String> {
        let of = |it: &Skip| -> String {
            let content: Skipped<'_> = (it.reason, it.key.as_ref(), it.card.as_ref());
            serde_json::to_string(&content).expect("plain data always serialises")
        };
        sorted(list.iter().map(of))
    };
    let bad =
        |list: &[Rejection]| -> Vec<String> { sorted(list.iter().map(|it| format!("{}: {}", it.source, it.message))) };
    let content = (
        (keys.configured.name(), keys.other.name()),
        (ids(added), ids(removed), sorted(changed)),
        (doubled(&conflicts.added), doubled(&conflicts.removed)),
        (left(&skipped.added), left(&skipped.removed)),
        (bad(&rejections.added), bad(&rejections.removed)),
    );
    let hash = full_hash(&serde_json::to_vec(&content).expect("plain data always serialises"));
    ItemId::new(format!("keys-{}", &hash[..32]))
}
