//! What two plans have apart. Items are taken as the same when they do the same kind of thing to the same person or card; what
//! they write, and whether they wait, may have changed.

use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::plan::view::{ChangeView, PlanView};
use crate::core::plan::{ActionKind, Conflict, Skip};
use crate::core::reads::snapshot::Rejection;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One item that both plans have, with another content or verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangedItem {
    pub before: ChangeView,
    pub after: ChangeView,
}

/// What only one of two lists has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Apart<T> {
    pub added: Vec<T>,
    pub removed: Vec<T>,
}

/// The difference from one plan to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanDifference {
    /// Items that both have, unchanged.
    pub same: u64,
    pub added: Vec<ChangeView>,
    pub removed: Vec<ChangeView>,
    pub changed: Vec<ChangedItem>,
    pub conflicts: Apart<Conflict>,
    pub rejections: Apart<Rejection>,
    pub skipped: Apart<Skip>,
}

impl PlanDifference {
    /// From one plan to the other.
    pub fn between(before: &PlanView, after: &PlanView) -> Self {
        // One card can have two changes of a kind: its own, and the mark that others need.
        let mut earlier: BTreeMap<Whom<'_>, Vec<&ChangeView>> = BTreeMap::new();
        for change in &before.changes {
            earlier.entry(Whom::of(change)).or_default().push(change);
        }
        let mut difference = Self {
            same: 0,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            conflicts: apart(&before.conflicts, &after.conflicts),
            rejections: apart(&before.rejections, &after.rejections),
            skipped: apart(&before.skipped, &after.skipped),
        };
        let mut altered = Vec::new();
        for change in &after.changes {
            let known = earlier.get_mut(&Whom::of(change));
            let same = known
                .as_ref()
                .and_then(|known| known.iter().position(|known| is_same(known, change)));
            match (known, same) {
                (Some(known), Some(same)) => {
                    known.remove(same);
                    difference.same += 1;
                }
                (_, _) => altered.push(change),
            }
        }
        for change in altered {
            match earlier.get_mut(&Whom::of(change)).filter(|known| !known.is_empty()) {
                Some(known) => difference.changed.push(ChangedItem {
                    before: known.remove(0).clone(),
                    after: change.clone(),
                }),
                None => difference.added.push(change.clone()),
            }
        }
        // In the order of the plan they were in.
        let left: BTreeSet<&ItemId> = earlier.values().flatten().map(|change| &change.id).collect();
        let gone = before.changes.iter().filter(|change| left.contains(&change.id));
        difference.removed = gone.cloned().collect();
        difference
    }

    /// Whether the two plans are alike.
    pub fn is_empty(&self) -> bool {
        let Self {
            same: _,
            added,
            removed,
            changed,
            conflicts,
            rejections,
            skipped,
        } = self;
        added.is_empty()
            && removed.is_empty()
            && changed.is_empty()
            && conflicts.is_empty()
            && rejections.is_empty()
            && skipped.is_empty()
    }
}

impl<T> Apart<T> {
    /// Whether both lists are alike.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// The kind of change, and whom it is about.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Whom<'a>(ActionKind, Option<&'a Key>, Option<&'a CardId>, Option<&'a str>);

impl<'a> Whom<'a> {
    fn of(change: &'a ChangeView) -> Self {
        // A list entry has no person: its name says what it is.
        let entry = match change.action {
            ActionKind::CreateEntry => change.fields.values().find_map(|field| field.to.as_deref()),
            ActionKind::Unarchive
            | ActionKind::Create
            | ActionKind::Update
            | ActionKind::Adopt
            | ActionKind::Exchange
            | ActionKind::Merge
            | ActionKind::SetReferences
            | ActionKind::Archive
            | ActionKind::Anonymize => None,
        };
        Whom(change.action, change.key.as_ref(), change.person_id.as_ref(), entry)
    }
}

fn is_same(before: &ChangeView, after: &ChangeView) -> bool {
    let codes = |change: &ChangeView| -> Vec<String> { change.holds.iter().map(|hold| hold.code.clone()).collect() };
    before.id == after.id && before.verdict == after.verdict && codes(before) == codes(after)
}

fn apart<T: Ord + Clone>(before: &[T], after: &[T]) -> Apart<T> {
    // Plans come sorted.
    let without = |list: &[T], other: &[T]| -> Vec<T> {
        let other: BTreeSet<&T> = other.iter().collect();
        list.iter().filter(|item| !other.contains(item)).cloned().collect()
    };
    Apart {
        added: without(after, before),
        removed: without(before, after),
    }
}
