//! What humans have said of the items of a plan, as far as it still counts (RULES 8.4).

use crate::core::input::PlanInput;
use crate::core::memory::decision::{About, Answer, Decision, SetAside, WhyEnded};
use crate::core::memory::shown::Shown;
use crate::core::model::ids::ItemId;
use crate::core::model::operator_names::OperatorNames;
use crate::core::model::signature::Signatures;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{Change, Plan};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// The decisions in force about the items of a plan.
pub(super) struct Decided<'a> {
    in_force: BTreeMap<&'a ItemId, &'a Decision>,
    /// What an approval does not lift because it came up after it.
    unanswered: BTreeMap<&'a ItemId, &'a SetAside>,
}

/// A decision that this look has ended.
pub(super) struct EndedNow {
    pub why: WhyEnded,
    /// What to say of it; an approval that ends without a word leaves the reasons it had lifted.
    pub reason: Option<HoldReason>,
}

impl<'a> Decided<'a> {
    /// An approval that has expired waives nothing; nor does a decision about another day of the evidence, nor an approval of a
    /// card that somebody else has changed after it: what was undone by hand is not done again, also with an old store.
    pub(super) fn of(plan: &'a Plan, input: &'a PlanInput) -> (Decided<'a>, BTreeMap<ItemId, EndedNow>) {
        let now = input.clock.latest(input.moment.now);
        let ours = Signatures::of(input);
        let mut in_force = BTreeMap::new();
        let mut unanswered = BTreeMap::new();
        let mut ended = BTreeMap::new();
        for change in &plan.changes {
            let decided = input.decisions.get(&change.id).filter(|it| it.in_force(now));
            let Some(decision) = decided else { continue };
            let end = other_day(change, decision)
                .or_else(|| changed_after(change, decision, input, &ours))
                .or_else(|| other_operators(change, decision, input))
                .or_else(|| not_noted(change, decision, input));
            if let Some(end) = end {
                ended.insert(change.id.clone(), end);
                continue;
            }
            in_force.insert(&change.id, decision);
            let aside = input.set_aside.get(&change.id);
            unanswered.extend(
                aside
                    .filter(|aside| !aside.is_answered_by(decision))
                    .map(|aside| (&change.id, aside)),
            );
        }
        (Decided { in_force, unanswered }, ended)
    }

    /// The decision about an item.
    pub(super) fn about(&self, item: &ItemId) -> Option<&'a Decision> {
        self.in_force.get(item).copied()
    }

    pub(super) fn is_rejected(&self, item: &ItemId) -> bool {
        self.about(item).is_some_and(|it| it.answer == Answer::Reject)
    }

    pub(super) fn is_approved(&self, item: &ItemId) -> bool {
        self.about(item).is_some_and(|it| it.answer == Answer::Approve)
    }

    /// Whether a reason still holds an item: an approval lifts what was shown, and only what a human can lift.
    pub(super) fn stands(&self, item: &ItemId, reason: &HoldReason) -> bool {
        if self.unanswered.get(item).is_some_and(|aside| aside.reason == *reason) {
            return true;
        }
        !self.about(item).is_some_and(|decision| decision.lifts(reason))
    }

    /// Whether any of these reasons still holds an item.
    pub(super) fn is_held(&self, item: &ItemId, reasons: &[HoldReason]) -> bool {
        self.is_rejected(item) || reasons.iter().any(|reason| self.stands(item, reason))
    }
}

/// The days that the evidence of a change names.
fn days_of(change: &Change) -> BTreeSet<NaiveDate> {
    change.evidence.iter().filter_map(|evidence| evidence.day).collect()
}

fn other_day(change: &Change, decision: &Decision) -> Option<EndedNow> {
    let About { days, .. } = &decision.about;
    let now = days_of(change);
    // Evidence whose record went names no day any more, and is the same.
    let is_other = |then: &BTreeSet<NaiveDate>| !then.is_empty() && !now.is_empty() && *then != now;
    let is_other = days.as_ref().is_some_and(is_other);
    is_other.then_some(EndedNow {
        why: WhyEnded::OtherDay,
        reason: None,
    })
}

fn changed_after(change: &Change, decision: &Decision, input: &PlanInput, ours: &Signatures) -> Option<EndedNow> {
    if decision.answer != Answer::Approve {
        return None;
    }
    let cards = &input.target.cards;
    let changed = change.cards().into_iter().filter_map(|id| {
        let at = cards.binary_search_by(|card| card.id.cmp(id)).ok()?;
        let card = &cards[at];
        card.modified_at.filter(|_| !ours.include(card.modifier.as_deref()))
    });
    let changed_at = changed.filter(|at| *at > decision.at).max()?;
    let by = decision.by.clone();
    let shown = changed_at.with_timezone(&input.moment.zone).format("%Y-%m-%d %H:%M %Z");
    let shown = Some(shown.to_string());
    Some(EndedNow {
        why: WhyEnded::CardChanged,
        reason: Some(HoldReason::ApprovalEnded { by, changed_at, shown }),
    })
}

/// Who goes or wakes with the card was shown by name and by group, and is another one now.
fn other_operators(change: &Change, decision: &Decision, input: &PlanInput) -> Option<EndedNow> {
    if decision.answer != Answer::Approve || !change.operator.is_linked() {
        return None;
    }
    let names = OperatorNames::of_links([&change.operator], &input.target.operators);
    let now = Shown::of_operators(&change.operator, &names, &input.groups.of(&change.operator));
    let what = decision.about.shown.as_ref()?.other_operators(&now)?;
    let (by, what) = (decision.by.clone(), what.to_owned());
    Some(EndedNow {
        why: WhyEnded::OperatorChanged,
        reason: Some(HoldReason::ApprovalOutdated { by, what }),
    })
}

/// An earlier version did not note what a yes was about: it counts for nothing but what the item's id says.
fn not_noted(change: &Change, decision: &Decision, input: &PlanInput) -> Option<EndedNow> {
    let noted = decision.answer != Answer::Approve || decision.about.shown.is_some();
    if noted || Shown::of_change(change, input).is_empty() {
        return None;
    }
    let by = decision.by.clone();
    let what =
        "cardsync was upgraded: which operators, cards and marks were shown with it was not noted before".to_owned();
    Some(EndedNow {
        why: WhyEnded::NotNoted,
        reason: Some(HoldReason::ApprovalOutdated { by, what }),
    })
}
