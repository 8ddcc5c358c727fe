//! The judge of a plan (RULES 8): what may pass, what waits and why. The only maker of [`ApprovedPlan`].
//!
//! A class over its limit is held whole; everything else goes on, unless it depends on a held item. An approval waives
//! the reasons it was shown, for exactly the item it was shown for.

pub use self::approved::{ApprovedChange, ApprovedPlan};

mod budgets;
mod contact;

#[cfg(test)]
pub(in crate::domain) use self::budgets::items_in;

use self::budgets::budgets;
use self::contact::{contact_reason, installation_reason, is_mass_update, next_contact};
use super::decision::{Answer, Contact, Decision, SeenConfig};
use super::groups::{GroupsRead, last_operator, touched_operators};
use super::ids::{CardId, ItemId};
use super::input::PlanInput;
use super::key::Key;
use super::plan::{ActionKind, Change, FieldChange, HoldReason, Plan};
use super::rekey::rejections::of_pair;
use super::signature::Signatures;
use super::view::{ChangeView, Count, PlanView};
use std::collections::{BTreeMap, BTreeSet};

/// What apply accepts. In a module of its own, so that nothing but the guard can make one.
mod approved {
    use crate::domain::ids::PlanId;
    use crate::domain::plan::Change;

    /// One change that may be sent.
    #[derive(Clone, Debug)]
    pub struct ApprovedChange {
        change: Change,
        approved_by: Option<String>,
    }

    impl ApprovedChange {
        pub(super) fn new(change: Change, approved_by: Option<String>) -> Self {
            Self { change, approved_by }
        }

        /// The change.
        pub fn change(&self) -> &Change {
            &self.change
        }

        /// Who approved it, where it needed that.
        pub fn approved_by(&self) -> Option<&str> {
            self.approved_by.as_deref()
        }
    }

    /// The changes of a plan that may be sent, in order. Cannot be read from a file.
    #[derive(Clone, Debug)]
    pub struct ApprovedPlan {
        plan: PlanId,
        changes: Vec<ApprovedChange>,
    }

    impl ApprovedPlan {
        pub(super) fn new(plan: PlanId, changes: Vec<ApprovedChange>) -> Self {
            Self { plan, changes }
        }

        /// The plan it comes from.
        pub fn plan(&self) -> &PlanId {
            &self.plan
        }

        /// The changes, in the order in which they are applied.
        pub fn changes(&self) -> &[ApprovedChange] {
            &self.changes
        }

        /// Fewer of them: `apply FILE` and `--only` select, they never add. A change whose precondition is not kept goes too.
        pub fn keep(mut self, wanted: impl Fn(&Change) -> bool) -> Self {
            self.changes.retain(|approved| wanted(&approved.change));
            loop {
                let kept: std::collections::BTreeSet<_> =
                    self.changes.iter().map(|approved| approved.change.id.clone()).collect();
                let before = self.changes.len();
                self.changes
                    .retain(|approved| approved.change.depends_on.iter().all(|needed| kept.contains(needed)));
                if self.changes.len() == before {
                    return self;
                }
            }
        }
    }
}

/// A judged plan.
#[derive(Clone, Debug)]
pub struct Judged {
    pub plan: Plan,
    /// Why each held change is held; a change that is not in it may pass.
    pub held: BTreeMap<ItemId, Vec<HoldReason>>,
    pub approved: ApprovedPlan,
    /// What is remembered of first contact and of changed configurations; only a run writes it.
    pub contact: Contact,
    /// The groups of the operators that are touched, to be shown.
    pub groups: GroupsRead,
}

/// Judges a plan. Pure.
pub fn judge(plan: Plan, input: &PlanInput) -> Judged {
    let policy = &input.policy;
    let current = SeenConfig {
        config_hash: policy.config_hash.clone(),
        decision_version: policy.decision_version,
        config: None,
    };
    let new_config = match &input.contact.seen {
        None => Some(HoldReason::FirstContact),
        Some(seen) if seen.config_hash != current.config_hash => Some(HoldReason::ConfigChanged),
        Some(seen) if seen.decision_version != current.decision_version => Some(HoldReason::DecisionChanged),
        Some(_) => None,
    };
    let mass_update = is_mass_update(&plan, input);
    let mut reasons: BTreeMap<ItemId, Vec<HoldReason>> = BTreeMap::new();
    for change in &plan.changes {
        let mut found = change.doubts.clone();
        found.extend(contact_reason(change, input, new_config.as_ref(), mass_update));
        found.extend(half_done(change, input));
        found.extend(installation_reason(change, input));
        found.extend(input.set_aside.get(&change.id).map(|aside| aside.reason.clone()));
        reasons.insert(change.id.clone(), found);
    }
    let (decisions, ended) = decisions_in_force(&plan, input);
    for (item, reason) in ended {
        reasons.entry(item).or_default().push(reason);
    }
    last_operators(&plan, input, &mut reasons, &decisions);
    budgets(&plan, input, &mut reasons, &decisions);
    for (item, decision) in &decisions {
        let found = reasons
            .get_mut(item)
            .expect("only decisions about items of the plan are kept");
        match decision.answer {
            Answer::Approve => {
                let unanswered = input
                    .set_aside
                    .get(item)
                    .filter(|aside| !aside.is_answered_by(decision));
                let waits_on = |reason: &HoldReason| unanswered.is_some_and(|aside| aside.reason == *reason);
                found.retain(|reason| waits_on(reason) || !waived(reason, Some(decision)));
            }
            Answer::Reject => found.push(HoldReason::Rejected {
                by: decision.by.clone(),
                note: decision.note.clone(),
            }),
        }
    }
    rejected_pairs(&plan, input, &decisions, &mut reasons);
    alternatives(&plan, &mut reasons);
    dependents(&plan, &mut reasons);
    idle_entries(&plan, &mut reasons);
    for found in reasons.values_mut() {
        found.sort();
        found.dedup();
    }
    let contact = next_contact(&plan, input, current, new_config.as_ref(), &reasons);
    let passing = plan.changes.iter().filter(|change| reasons[&change.id].is_empty());
    let approver = |change: &Change| {
        let decision = decisions.get(&change.id)?;
        (decision.answer == Answer::Approve).then(|| decision.by.clone())
    };
    let approved = passing
        .map(|change| ApprovedChange::new(change.clone(), approver(change)))
        .collect();
    let approved = ApprovedPlan::new(plan.id.clone(), approved);
    reasons.retain(|_, found| !found.is_empty());
    Judged {
        plan,
        held: reasons,
        approved,
        contact,
        groups: input.groups.clone(),
    }
}

/// What would leave an operator group without anybody waits, whatever the budgets say. Who was rejected does not go.
fn last_operators(
    plan: &Plan,
    input: &PlanInput,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
    decisions: &BTreeMap<ItemId, &Decision>,
) {
    let rejected = |change: &Change| decisions.get(&change.id).is_some_and(|it| it.answer == Answer::Reject);
    let leaving = touched_operators(plan.changes.iter().filter(|change| !rejected(change))).taken;
    for change in &plan.changes {
        let found = reasons.get_mut(&change.id).expect("every change has an entry");
        found.extend(last_operator(change, &input.target, &input.groups, &leaving));
    }
}

/// Decisions in force about items of this plan: an approval that has expired waives nothing. And of approvals that somebody
/// else's later change of the card has ended, what to say: what was undone by hand is not done again, also with an old store.
fn decisions_in_force<'a>(
    plan: &Plan,
    input: &'a PlanInput,
) -> (BTreeMap<ItemId, &'a Decision>, BTreeMap<ItemId, HoldReason>) {
    let now = input.clock.latest(input.moment.now);
    let ours = Signatures::of(input);
    let mut in_force = BTreeMap::new();
    let mut ended = BTreeMap::new();
    for change in &plan.changes {
        let decided = input
            .decisions
            .get(&change.id)
            .filter(|decision| decision.in_force(now));
        let Some(decision) = decided else { continue };
        match ended_by_change(change, decision, input, &ours) {
            Some(reason) => drop(ended.insert(change.id.clone(), reason)),
            None => drop(in_force.insert(change.id.clone(), decision)),
        }
    }
    (in_force, ended)
}

/// RULES 8.4: an approval ends when somebody else changes the card after it.
fn ended_by_change(change: &Change, decision: &Decision, input: &PlanInput, ours: &Signatures) -> Option<HoldReason> {
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
    Some(HoldReason::ApprovalEnded {
        by: decision.by.clone(),
        changed_at,
    })
}

/// Whether an approval lifts a reason: only a reason that was shown, and only one that a human can lift.
fn waived(reason: &HoldReason, decision: Option<&Decision>) -> bool {
    decision.is_some_and(|decision| {
        decision.answer == Answer::Approve && reason.approvable() && decision.waives.contains(&reason.code())
    })
}

/// Nothing happens to a person while an earlier change of theirs has not reached its safe end (RULES 10).
fn half_done(change: &Change, input: &PlanInput) -> Option<HoldReason> {
    let concerned = input.half_done.iter().any(|half| {
        let card = change.cards().into_iter().any(|card| half.cards.contains(card));
        card || change.key.is_some() && change.key == half.key
    });
    concerned.then_some(HoldReason::HalfDone)
}

/// Who said of a card that it is not this person's said it of every item that would write the number there, whatever else the
/// item does (RULES 1.7). A later yes to the item itself stands.
fn rejected_pairs(
    plan: &Plan,
    input: &PlanInput,
    decisions: &BTreeMap<ItemId, &Decision>,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
) {
    for change in &plan.changes {
        let (ActionKind::Adopt | ActionKind::Merge, Some(card), Some(key)) =
            (change.action.kind(), &change.card, &change.key)
        else {
            continue;
        };
        let puts_it_there = |field: &FieldChange| field.field == input.policy.key.card_field && field.to.is_some();
        let Some(rejection) = of_pair(&input.decisions, card, Some(key)) else {
            continue;
        };
        if !change.action.fields().iter().any(puts_it_there) {
            continue;
        }
        if decisions
            .get(&change.id)
            .is_some_and(|decision| decision.at >= rejection.at)
        {
            continue;
        }
        let found = reasons.get_mut(&change.id).expect("every change has an entry");
        found.push(HoldReason::Rejected {
            by: rejection.by.clone(),
            note: rejection.note.clone(),
        });
    }
}

/// Of a creation and the adoptions offered instead, at most one passes; and of the adoptions of one card and its
/// archive, at most one. Whoever approved both must choose: all of them wait.
fn alternatives(plan: &Plan, reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>) {
    let mut choices: BTreeMap<(bool, &str), Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        let kind = change.action.kind();
        if let (ActionKind::Create | ActionKind::Adopt, Some(key)) = (kind, &change.key) {
            choices.entry((false, key.as_str())).or_default().push(change);
        }
        if matches!(kind, ActionKind::Adopt | ActionKind::Merge | ActionKind::Archive) {
            for card in change.cards() {
                choices.entry((true, card.as_str())).or_default().push(change);
            }
        }
    }
    let mut again: Vec<(&ItemId, HoldReason)> = Vec::new();
    for of_one in choices.values() {
        let passing: Vec<&Change> = of_one
            .iter()
            .filter(|change| reasons[&change.id].is_empty())
            .copied()
            .collect();
        for change in &passing {
            if let Some(other) = passing.iter().find(|other| other.id != change.id) {
                again.push((&change.id, HoldReason::PairedWith { item: other.id.clone() }));
            }
        }
    }
    for (item, reason) in again {
        let found = reasons.get_mut(item).expect("every change has an entry");
        found.push(reason);
    }
}

/// What needs a held item is held.
fn dependents(plan: &Plan, reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>) {
    loop {
        let mut more = Vec::new();
        for change in &plan.changes {
            let held = change
                .depends_on
                .iter()
                .find(|needed| reasons.get(*needed).is_some_and(|found| !found.is_empty()));
            if let Some(needed) = held {
                let reason = HoldReason::DependsOn { item: needed.clone() };
                if !reasons[&change.id].contains(&reason) {
                    more.push((change.id.clone(), reason));
                }
            }
        }
        if more.is_empty() {
            return;
        }
        for (item, reason) in more {
            reasons.get_mut(&item).expect("every change has an entry").push(reason);
        }
    }
}

/// A new list entry that only held changes need waits with them: nobody would be in it.
fn idle_entries(plan: &Plan, reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>) {
    let mut users: BTreeMap<&ItemId, Vec<&ItemId>> = BTreeMap::new();
    for change in &plan.changes {
        for needed in &change.depends_on {
            users.entry(needed).or_default().push(&change.id);
        }
    }
    for change in &plan.changes {
        if change.action.kind() != ActionKind::CreateEntry || !reasons[&change.id].is_empty() {
            continue;
        }
        let users = users.get(&change.id).map_or(&[][..], Vec::as_slice);
        let waiting = users.iter().find(|user| !reasons[**user].is_empty());
        if users.iter().all(|user| !reasons[*user].is_empty())
            && let Some(user) = waiting
        {
            let reason = HoldReason::DependsOn { item: (*user).clone() };
            reasons
                .get_mut(&change.id)
                .expect("every change has an entry")
                .push(reason);
        }
    }
}

impl Judged {
    /// The part of one person, with the list entries that their changes need. What was judged over everybody stays.
    pub fn only(mut self, key: &Key) -> Judged {
        let is_theirs = |change: &Change| change.key.as_ref() == Some(key);
        let mut wanted: BTreeSet<ItemId> = BTreeSet::new();
        for change in self.plan.changes.iter().filter(|change| is_theirs(change)) {
            wanted.insert(change.id.clone());
            wanted.extend(change.depends_on.iter().cloned());
        }
        let keep = |change: &Change| {
            is_theirs(change) || change.action.kind() == ActionKind::CreateEntry && wanted.contains(&change.id)
        };
        self.approved = self.approved.keep(keep);
        let passing: BTreeSet<&ItemId> = self
            .approved
            .changes()
            .iter()
            .map(|approved| &approved.change().id)
            .collect();
        let plan = &mut self.plan;
        plan.changes.retain(keep);
        for change in &plan.changes {
            // What needs another person's change waits for that one.
            if !passing.contains(&change.id) && !self.held.contains_key(&change.id) {
                let others = change.depends_on.iter().filter(|needed| !passing.contains(needed));
                let reasons = others.map(|item| HoldReason::NotAlone { item: item.clone() });
                self.held.insert(change.id.clone(), reasons.collect());
            }
        }
        let planned: BTreeSet<&ItemId> = plan.changes.iter().map(|change| &change.id).collect();
        self.held.retain(|item, _| planned.contains(item));
        let cards: BTreeSet<&CardId> = plan.changes.iter().filter_map(|change| change.card.as_ref()).collect();
        plan.conflicts.retain(|conflict| conflict.key == *key);
        plan.rejections.retain(|rejection| rejection.key.as_ref() == Some(key));
        plan.skipped.retain(|skip| {
            skip.key.as_ref() == Some(key)
                || skip.key.is_none() && skip.card.as_ref().is_some_and(|card| cards.contains(card))
        });
        self
    }

    /// The plan as programs read it.
    pub fn view(&self) -> PlanView {
        let none = Vec::new();
        let mut summary: BTreeMap<ActionKind, Count> = BTreeMap::new();
        for change in &self.plan.changes {
            let count = summary.entry(change.action.kind()).or_default();
            count.total += 1;
            count.operators += change.operators_affected() as u64;
            if self.held.contains_key(&change.id) {
                count.held += 1
            } else {
                count.allowed += 1
            }
        }
        PlanView {
            plan_id: self.plan.id.clone(),
            fingerprint: self.plan.fingerprint.clone(),
            created_at: self.plan.created_at,
            config_hash: self.plan.config_hash.clone(),
            snapshots: self.plan.snapshots.clone(),
            clock: self.plan.clock.clone(),
            summary,
            changes: self
                .plan
                .changes
                .iter()
                .map(|change| {
                    let held = self.held.get(&change.id).unwrap_or(&none);
                    ChangeView::new(change, held).with_groups(&self.groups)
                })
                .collect(),
            conflicts: self.plan.conflicts.clone(),
            rejections: self.plan.rejections.clone(),
            skipped: self.plan.skipped.clone(),
            base: self.plan.base,
            foreign_cards: self.plan.foreign_cards,
        }
    }
}
