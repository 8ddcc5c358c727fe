//! What is told: every item that waits has a way out, and nobody is forgotten without a word.

use super::company::Company;
use super::seen::Seen;
use super::watch::Watch;
use cardsync::core::model::ids::ItemId;
use cardsync::core::plan::HoldReason;
use cardsync::core::plan::report::Outcome;
use cardsync::engine::run::Finished;
use std::collections::{BTreeMap, BTreeSet};

/// Whoever is here without an active card of their own, and whoever is not and has one, stands in the plan.
pub fn nobody_is_lost(watch: &Watch, after: &Seen, finished: &Finished, company: &Company, at: &str) {
    let plan = &finished.planned.judged.plan;
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    let mut cards: BTreeSet<&str> = BTreeSet::new();
    for change in &plan.changes {
        keys.extend(change.key.as_ref().map(|key| key.as_str()));
        cards.extend(change.card.as_ref().map(|card| card.as_str()));
    }
    for skip in &plan.skipped {
        keys.extend(skip.key.as_ref().map(|key| key.as_str()));
        cards.extend(skip.card.as_ref().map(|card| card.as_str()));
    }
    for conflict in &plan.conflicts {
        keys.insert(conflict.key.as_str());
    }
    keys.extend(
        plan.rejections
            .iter()
            .filter_map(|it| it.key.as_ref())
            .map(|key| key.as_str()),
    );
    let mut active: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (id, card) in after.cards.iter().filter(|(_, card)| !card.archived) {
        if let Some(who) = watch.owner(id).filter(|_| !card.number.is_empty()) {
            active.entry(who).or_default().push(id);
        }
    }
    for (who, human) in company.people.iter().enumerate() {
        let theirs = active.get(&who).map_or(&[][..], Vec::as_slice);
        let has_own = theirs.iter().any(|id| after.cards[*id].number == human.number());
        let right = human.is_present(company.today) == has_own && theirs.len() == usize::from(has_own);
        let told = keys.contains(human.number()) || theirs.iter().any(|id| cards.contains(id));
        assert!(
            right || told,
            "{at}: {} has {theirs:?} and the plan does not say why: {human:?}",
            human.number()
        );
    }
}

/// Everything that waits says why, and how it goes on.
pub fn explained(finished: &Finished, at: &str) {
    let waiting: BTreeSet<_> = finished.holds.iter().map(|item| &item.change.id).collect();
    for item in &finished.holds {
        assert!(
            !item.reasons.is_empty() && !item.change.holds.is_empty(),
            "{at}: held without a reason: {item:?}"
        );
        for hold in &item.change.holds {
            assert!(!hold.message.trim().is_empty(), "{at}: {item:?}");
        }
        for reason in item.reasons.iter().filter(|reason| !reason.approvable()) {
            let way = match reason {
                HoldReason::DependsOn { item } => waiting.contains(item) || answered(finished, item),
                _other => false,
            };
            assert!(way, "{at}: no way out of {reason:?}: {item:?}");
        }
    }
}

/// Whether the other answer to the same question was carried out in this run: then the next run asks no more.
fn answered(finished: &Finished, item: &ItemId) -> bool {
    let changes = &finished.planned.judged.plan.changes;
    let Some(about) = changes.iter().find(|change| change.id == *item) else {
        return false;
    };
    finished
        .outcomes
        .iter()
        .any(|outcome| outcome.key == about.key && matches!(outcome.outcome, Outcome::Done { .. }))
}
