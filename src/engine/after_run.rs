//! What a run leaves: what waits, totals and verdict. Pure.

use crate::domain::decision::{HeldItem, SetAside};
use crate::domain::guard::Judged;
use crate::domain::ids::{ItemId, RunId};
use crate::domain::plan::{ActionKind, Change, HoldReason};
use crate::domain::report::{ChangeOutcome, Outcome, RunCounts, RunReport, RunVerdict};
use crate::domain::snapshot::Verdict;
use crate::domain::view::ChangeView;
use std::collections::{BTreeMap, BTreeSet};

/// What waits after the run: what the guard held, and what apply set aside.
pub(super) fn held_items(
    judged: &Judged,
    outcomes: &[ChangeOutcome],
    run: &RunId,
    now: chrono::DateTime<chrono::Utc>,
    noted_at: chrono::DateTime<chrono::Utc>,
    earlier: &BTreeMap<ItemId, SetAside>,
) -> Vec<HeldItem> {
    let late: BTreeMap<&ItemId, &HoldReason> = outcomes
        .iter()
        .filter_map(|outcome| match &outcome.outcome {
            Outcome::Held { reason } => Some((&outcome.item, reason)),
            Outcome::Done { .. } | Outcome::NotDone { .. } | Outcome::InDoubt { .. } | Outcome::NotReached { .. } => {
                None
            }
        })
        .collect();
    let moot = moot(judged, outcomes);
    judged
        .plan
        .changes
        .iter()
        .filter(|change| !moot.contains(&change.id))
        .filter_map(|change| {
            let mut reasons = judged.held.get(&change.id).cloned().unwrap_or_default();
            let set_aside = late.get(&change.id).map(|reason| SetAside {
                reason: (*reason).clone(),
                at: noted_at,
            });
            reasons.extend(set_aside.iter().map(|aside| aside.reason.clone()));
            let set_aside = set_aside.or_else(|| earlier.get(&change.id).cloned());
            (!reasons.is_empty()).then(|| HeldItem {
                change: ChangeView::new(change, &reasons).with_groups(&judged.groups),
                reasons,
                since: now,
                run: run.clone(),
                set_aside,
            })
        })
        .collect()
}

/// Held items that this run has answered: an alternative was done (the adoption instead of the creation, the adoption of
/// the card instead of its archive), and what only needed such an item.
fn moot<'a>(judged: &'a Judged, outcomes: &[ChangeOutcome]) -> BTreeSet<&'a ItemId> {
    let done: BTreeSet<&ItemId> = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.outcome, Outcome::Done { .. }))
        .map(|outcome| &outcome.item)
        .collect();
    let makes = |change: &Change| matches!(change.action.kind(), ActionKind::Create | ActionKind::Adopt);
    let takes = |change: &Change| {
        matches!(
            change.action.kind(),
            ActionKind::Adopt | ActionKind::Merge | ActionKind::Archive
        )
    };
    let changes = || judged.plan.changes.iter();
    let settled = || changes().filter(|change| done.contains(&change.id));
    let keys: BTreeSet<_> = settled()
        .filter(|it| makes(it))
        .filter_map(|it| it.key.as_ref())
        .collect();
    let cards: BTreeSet<_> = settled().filter(|it| takes(it)).flat_map(Change::cards).collect();
    let mut moot: BTreeSet<&ItemId> = changes()
        .filter(|change| !done.contains(&change.id))
        .filter(|change| {
            let has_card = makes(change) && change.key.as_ref().is_some_and(|key| keys.contains(key));
            let is_settled = takes(change) && change.cards().into_iter().any(|card| cards.contains(card));
            has_card || is_settled
        })
        .map(|change| &change.id)
        .collect();
    // A new list entry or references that waited only for such an item have nothing left to wait for.
    loop {
        let before = moot.len();
        let idle = judged.held.iter().filter(|(_, reasons)| {
            let on_moot = |reason: &HoldReason| matches!(reason, HoldReason::DependsOn { item } if moot.contains(item));
            reasons.iter().all(on_moot)
        });
        let idle: Vec<&ItemId> = idle.map(|(item, _)| item).collect();
        moot.extend(idle);
        if moot.len() == before {
            return moot;
        }
    }
}

/// Totals.
pub(super) fn counts(judged: &Judged, outcomes: &[ChangeOutcome], held: u64) -> RunCounts {
    let mut counts = RunCounts {
        held,
        conflicts: judged.plan.conflicts.len() as u64,
        rejections: judged.plan.rejections.len() as u64,
        ..RunCounts::default()
    };
    for outcome in outcomes {
        match &outcome.outcome {
            Outcome::Done { .. } => {
                *counts.done.entry(outcome.action).or_default() += 1;
                counts.operators += outcome.operators.len() as u64;
            }
            Outcome::NotDone { .. } => counts.not_done += 1,
            Outcome::InDoubt { .. } => counts.in_doubt += 1,
            Outcome::NotReached { .. } => counts.not_reached += 1,
            Outcome::Held { .. } => {}
        }
    }
    counts
}

/// How the run ended; where several apply: failed, snapshot rejected, some failed, held, clean.
pub(super) fn verdict(
    report: &RunReport,
    judged: &Judged,
    outcomes: &[ChangeOutcome],
    holds: &[HeldItem],
) -> RunVerdict {
    let counts = &report.counts;
    let rejected = judged
        .plan
        .snapshots
        .iter()
        .any(|snapshot| snapshot.verdict == Verdict::Rejected);
    let unfinished = outcomes
        .iter()
        .any(|outcome| matches!(outcome.outcome, Outcome::NotReached { .. }));
    if report.failure.is_some() {
        RunVerdict::Failed
    } else if rejected {
        RunVerdict::SnapshotRejected
    } else if counts.not_done + counts.in_doubt > 0 || unfinished {
        RunVerdict::SomeFailed
    } else if !holds.iter().all(HeldItem::is_settled) {
        RunVerdict::Held
    } else {
        RunVerdict::Clean
    }
}
