//! What a run leaves: what waits, totals and verdict. Pure.

use crate::core::guard::Judged;
use crate::core::memory::decision::{HeldItem, SetAside};
use crate::core::model::card::PersonCard;
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId, RunId};
use crate::core::plan::choices::questions;
use crate::core::plan::concern::{Concern, ConcernCode};
use crate::core::plan::report::{ChangeOutcome, Outcome, RunCounts, RunReport, RunVerdict};
use crate::core::plan::view::ChangeView;
use crate::core::plan::{ActionKind, Change, HoldReason};
use crate::core::reads::snapshot::SnapshotSummary;
use crate::engine::records::{Ended, ItemDetail, RunItem};
use crate::engine::state::KeptHold;
use std::collections::{BTreeMap, BTreeSet};

/// What waits after the run: what the guard held, and what apply set aside.
pub(crate) fn held_items(
    judged: &Judged,
    cards: &[PersonCard],
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
            Outcome::Done { .. }
            | Outcome::NotDone { .. }
            | Outcome::InDoubt { .. }
            | Outcome::NotReached { .. }
            | Outcome::HalfWay { .. }
            | Outcome::PutBack { .. } => None,
        })
        .collect();
    let moot = moot(judged, outcomes);
    let choices = questions(&judged.plan.changes);
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
                change: ChangeView::new(change, &reasons)
                    .with_operators(&judged.groups, &judged.names)
                    .with_choices(&choices),
                name: name(change, cards),
                reasons,
                since: now,
                run: run.clone(),
                set_aside,
                judged_at: Some(now),
            })
        })
        .collect()
}

/// First name and surname, as the card has them or as a new card would.
fn name(change: &Change, cards: &[PersonCard]) -> Option<String> {
    let card = change
        .card
        .as_ref()
        .and_then(|id| cards.binary_search_by(|card| card.id.cmp(id)).ok())
        .map(|at| &cards[at]);
    let text = |field| match card {
        Some(card) => card.fields.text(field).map(str::to_owned),
        None => {
            let new = change.action.fields().iter().find(|new| new.field == field)?;
            new.to.as_ref().map(|value| value.display())
        }
    };
    let parts: Vec<String> = [text(CardField::FirstName), text(CardField::SurName)]
        .into_iter()
        .flatten()
        .collect();
    let other = change.other_side().and_then(|other| name_on(&other.card, cards));
    let own = (!parts.is_empty()).then(|| parts.join(" "));
    match (own, other) {
        (Some(own), Some(other)) => Some(format!("{own} and {other}")),
        (own, other) => own.or(other),
    }
}

/// First name and surname as the card has them.
fn name_on(card: &CardId, cards: &[PersonCard]) -> Option<String> {
    let at = cards.binary_search_by(|known| known.id.cmp(card)).ok()?;
    let parts = [CardField::FirstName, CardField::SurName].map(|field| cards[at].fields.text(field));
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Items that waited for nobody, for somebody had said no.
pub(crate) fn quiet(earlier: &[KeptHold]) -> BTreeSet<ItemId> {
    let settled = earlier.iter().filter(|kept| kept.item.is_settled());
    settled.map(|kept| kept.item.change.id.clone()).collect()
}

/// What waits after a run that looked at some items only: what waited before, without what it did, and with what it held,
/// also right before the write.
pub(crate) fn holds_after_some(before: Vec<KeptHold>, now: Vec<KeptHold>, done: &[ItemId]) -> Vec<KeptHold> {
    let known: BTreeSet<&ItemId> = now.iter().map(|kept| &kept.item.change.id).chain(done).collect();
    let stays = |kept: &KeptHold| !known.contains(&kept.item.change.id);
    let mut kept: Vec<KeptHold> = before.into_iter().filter(stays).collect();
    kept.extend(now);
    kept
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
            ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge | ActionKind::Archive
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

/// What became of each item, for the history: what was tried, and what is held now and was not before.
pub(crate) fn run_items(judged: &Judged, outcomes: &[ChangeOutcome], new_holds: &[HeldItem]) -> Vec<RunItem> {
    let mut outcomes: BTreeMap<&ItemId, &ChangeOutcome> = outcomes.iter().map(|it| (&it.item, it)).collect();
    let new_holds: BTreeMap<&ItemId, &HeldItem> = new_holds.iter().map(|it| (&it.change.id, it)).collect();
    let mut items = Vec::new();
    for change in &judged.plan.changes {
        let held = new_holds.get(&change.id);
        let (ended, card, mut detail) = match (outcomes.remove(&change.id), held) {
            (Some(outcome), _) => {
                let detail = ItemDetail {
                    message: outcome.outcome.message(),
                    operators: outcome.operators.clone(),
                    ..ItemDetail::default()
                };
                (Ended::from(&outcome.outcome), outcome.card.clone(), detail)
            }
            (None, Some(_)) => (Ended::Held, change.card.clone(), ItemDetail::default()),
            (None, None) => continue,
        };
        detail.why.clone_from(&change.why);
        if let (Ended::Held, Some(held)) = (ended, held) {
            detail.reasons.clone_from(&held.change.holds);
            detail.message = None;
        }
        items.push(RunItem {
            item: change.id.clone(),
            action: change.action.kind(),
            key: change.key.clone(),
            card,
            outcome: ended,
            detail,
        });
    }
    // What earlier runs had left half-way need not be part of this plan.
    items.extend(outcomes.into_values().map(|outcome| RunItem {
        item: outcome.item.clone(),
        action: outcome.action,
        key: outcome.key.clone(),
        card: outcome.card.clone(),
        outcome: Ended::from(&outcome.outcome),
        detail: ItemDetail {
            message: outcome.outcome.message(),
            operators: outcome.operators.clone(),
            ..ItemDetail::default()
        },
    }));
    items
}

/// What was finished of a card whose person went in this run keeps what was done, not to whom.
pub(crate) fn without_people(mut items: Vec<RunItem>, forgotten: &[CardId]) -> Vec<RunItem> {
    let is_gone = |item: &&mut RunItem| item.card.as_ref().is_some_and(|card| forgotten.contains(card));
    for item in items.iter_mut().filter(is_gone) {
        item.key = None;
        item.detail = ItemDetail::default();
    }
    items
}

fn by_code<'a>(concerns: impl Iterator<Item = &'a Concern>) -> BTreeMap<ConcernCode, u64> {
    let mut counts = BTreeMap::new();
    for concern in concerns {
        *counts.entry(concern.code).or_default() += 1;
    }
    counts
}

/// Totals.
pub(crate) fn counts(judged: &Judged, outcomes: &[ChangeOutcome], holds: &[HeldItem]) -> RunCounts {
    let known = judged.concerns.iter().filter(|concern| !concern.is_open()).count();
    let rejected = holds.len() - HeldItem::open(holds).len();
    let mut counts = RunCounts {
        held: holds.len() as u64,
        set_aside: (known + rejected) as u64,
        conflicts: judged.plan.conflicts.len() as u64,
        rejections: judged.plan.rejections.len() as u64,
        attention: by_code(judged.concerns.iter().filter(|concern| concern.is_open())),
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
            Outcome::HalfWay { .. } => counts.half_way += 1,
            Outcome::PutBack { .. } => counts.put_back += 1,
            Outcome::Held { .. } => {}
        }
    }
    counts
}

/// How the run ended; where several apply: failed, snapshot rejected, some failed, held, attention, clean.
pub(crate) fn verdict(
    report: &RunReport,
    judged: &Judged,
    outcomes: &[ChangeOutcome],
    holds: &[HeldItem],
) -> RunVerdict {
    let counts = &report.counts;
    let rejected = judged.plan.snapshots.iter().any(SnapshotSummary::is_unusable_in_part);
    let unfinished = outcomes
        .iter()
        .any(|outcome| matches!(outcome.outcome, Outcome::NotReached { .. }));
    if report.failure.is_some() {
        RunVerdict::Failed
    } else if rejected {
        RunVerdict::SnapshotRejected
    } else if counts.failed() > 0 || unfinished {
        RunVerdict::SomeFailed
    } else if judged.plan.judged.nobody() || !HeldItem::open(holds).is_empty() {
        RunVerdict::Held
    } else if counts.needs_attention() > 0 {
        RunVerdict::Attention
    } else {
        RunVerdict::Clean
    }
}
