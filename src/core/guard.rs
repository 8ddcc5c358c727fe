//! The judge of a plan (RULES 8): what may pass, what waits and why. The only maker of [`ApprovedPlan`].
//!
//! A class over its limit is held whole; everything else goes on, unless it depends on a held item. An approval waives
//! the reasons it was shown, for exactly the item it was shown for.

pub use self::approved::{ApprovedChange, ApprovedPlan};
pub use self::questions::{could_judge, may_be_missing};

mod budgets;
mod contact;
mod decided;
mod exclusive;
mod questions;

#[cfg(test)]
pub(crate) use self::budgets::items_in;

use self::budgets::budgets;
use self::contact::{contact_reason, installation_reason, is_mass_update, next_contact};
use self::decided::Decided;
use self::exclusive::{answered, one_of};
use crate::core::input::PlanInput;
use crate::core::memory::decision::{Contact, SeenConfig, WhyEnded};
use crate::core::memory::rejected_pairs::of_pair;
use crate::core::model::groups::{GroupsRead, last_operator, touched_operators};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::model::operator_names::OperatorNames;
use crate::core::plan::choices::questions;
use crate::core::plan::concern::{Concern, concerns};
use crate::core::plan::view::{ChangeView, Count, PlanView};
use crate::core::plan::{ActionKind, Change, FieldChange, HoldReason, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// What apply accepts. In a module of its own, so that nothing but the guard can make one.
mod approved {
    use crate::core::model::ids::PlanId;
    use crate::core::plan::Change;

    /// One change that may be sent.
    #[derive(Clone, Debug)]
    pub struct ApprovedChange {
        change: Change,
        approved_by: Option<String>,
    }

    impl ApprovedChange {
        pub(crate) fn new(change: Change, approved_by: Option<String>) -> Self {
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
        pub(crate) fn new(plan: PlanId, changes: Vec<ApprovedChange>) -> Self {
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
    /// Decisions about items of the plan that this look has ended.
    pub ended: BTreeMap<ItemId, WhyEnded>,
    /// What needs a human beside the held items.
    pub concerns: Vec<Concern>,
    /// What the linked operators are called, to be shown.
    pub names: OperatorNames,
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
    let (decided, ended_now) = Decided::of(&plan, input);
    let mut ended = BTreeMap::new();
    for (item, end) in ended_now {
        let found = reasons
            .get_mut(&item)
            .expect("only decisions about items of the plan are kept");
        found.extend(end.reason);
        ended.insert(item, end.why);
    }
    last_operators(&plan, input, &mut reasons, &decided);
    answered(&plan, &mut reasons, &decided);
    budgets(&plan, input, &mut reasons, &decided);
    for (item, found) in &mut reasons {
        found.retain(|reason| decided.stands(item, reason));
        found.extend(rejected(item, &decided, input));
    }
    rejected_pairs(&plan, input, &decided, &mut reasons);
    one_of(&plan, &mut reasons);
    dependents(&plan, &mut reasons);
    idle_entries(&plan, &mut reasons);
    for found in reasons.values_mut() {
        found.sort();
        found.dedup();
    }
    let contact = next_contact(&plan, input, current, new_config.as_ref(), &reasons);
    let passing = plan.changes.iter().filter(|change| reasons[&change.id].is_empty());
    let approver = |change: &Change| {
        let decision = decided.about(&change.id).filter(|_| decided.is_approved(&change.id))?;
        Some(decision.by.clone())
    };
    let approved = passing
        .map(|change| ApprovedChange::new(change.clone(), approver(change)))
        .collect();
    let approved = ApprovedPlan::new(plan.id.clone(), approved);
    reasons.retain(|_, found| !found.is_empty());
    let links = plan.changes.iter().map(|change| &change.operator);
    let names = OperatorNames::of_links(links, &input.target.operators);
    let mut judged = Judged {
        plan,
        held: reasons,
        approved,
        contact,
        groups: input.groups.clone(),
        ended,
        names,
        concerns: Vec::new(),
    };
    judged.concerns = concerns(&judged, input);
    judged
}

/// What somebody has said no to is held by that alone.
fn rejected(item: &ItemId, decided: &Decided<'_>, input: &PlanInput) -> Option<HoldReason> {
    let decision = decided.about(item).filter(|_| decided.is_rejected(item))?;
    let now = input.clock.earliest(input.moment.now);
    Some(HoldReason::Rejected {
        by: decision.by.clone(),
        note: decision.note.clone(),
        again: !decision.keeps_quiet(now),
    })
}

/// What would leave an operator group without anybody waits, whatever the budgets say. Who was rejected does not go.
fn last_operators(
    plan: &Plan,
    input: &PlanInput,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
    decided: &Decided<'_>,
) {
    let goes = |change: &&Change| !decided.is_rejected(&change.id);
    let leaving = touched_operators(plan.changes.iter().filter(goes)).taken;
    for change in &plan.changes {
        let found = reasons.get_mut(&change.id).expect("every change has an entry");
        found.extend(last_operator(change, &input.target, &input.groups, &leaving));
    }
}

/// Nothing happens to a person while an earlier change of theirs has not reached its safe end (RULES 10).
fn half_done(change: &Change, input: &PlanInput) -> Option<HoldReason> {
    let concerned = input.half_done.iter().any(|half| {
        let card = change.cards().into_iter().any(|card| half.cards.contains(card));
        let mut keys = half.key.iter().chain(&half.other_key);
        card || change.keys().any(|key| keys.any(|half| half == key))
    });
    concerned.then_some(HoldReason::HalfDone)
}

/// Who said of a card that it is not this person's said it of every item that would write the number there, whatever else the
/// item does (RULES 1.7). A later yes to the item itself stands.
fn rejected_pairs(
    plan: &Plan,
    input: &PlanInput,
    decided: &Decided<'_>,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
) {
    for change in &plan.changes {
        let (ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge, Some(card), Some(key)) =
            (change.action.kind(), &change.card, &change.key)
        else {
            continue;
        };
        let puts_it_there = |field: &FieldChange| field.field == input.policy.key.card_field && field.to.is_some();
        let other = change.other_side().map(|other| (&other.card, &other.key));
        let rejection = [(card, key)].into_iter().chain(other).find_map(|(card, key)| {
            let writes = change.fields_on(card).iter().any(puts_it_there);
            of_pair(&input.decisions, card, Some(key)).filter(|_| writes)
        });
        let Some(rejection) = rejection else { continue };
        if decided.about(&change.id).is_some_and(|it| it.at >= rejection.at) {
            continue;
        }
        let found = reasons.get_mut(&change.id).expect("every change has an entry");
        found.push(HoldReason::Rejected {
            by: rejection.by.clone(),
            note: rejection.note.clone(),
            again: !rejection.keeps_quiet(input.clock.earliest(input.moment.now)),
        });
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
        let is_theirs = |change: &Change| change.keys().any(|of_change| of_change == key);
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
        self.concerns.retain(|concern| concern.key.as_ref() == Some(key));
        plan.conflicts.retain(|conflict| conflict.key == *key);
        plan.rejections.retain(|rejection| rejection.key.as_ref() == Some(key));
        plan.skipped.retain(|skip| {
            skip.key.as_ref() == Some(key)
                || skip.key.is_none() && skip.card.as_ref().is_some_and(|card| cards.contains(card))
        });
        self
    }

    /// How many items of each action there are.
    pub fn summary(&self) -> BTreeMap<ActionKind, Count> {
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
        summary
    }

    /// The plan as programs read it.
    pub fn view(&self) -> PlanView {
        let none = Vec::new();
        let choices = questions(&self.plan.changes);
        PlanView {
            plan_id: self.plan.id.clone(),
            fingerprint: self.plan.fingerprint.clone(),
            created_at: self.plan.created_at,
            config_hash: self.plan.config_hash.clone(),
            snapshots: self.plan.snapshots.clone(),
            clock: self.plan.clock.clone(),
            summary: self.summary(),
            changes: self
                .plan
                .changes
                .iter()
                .map(|change| {
                    let held = self.held.get(&change.id).unwrap_or(&none);
                    ChangeView::new(change, held)
                        .with_operators(&self.groups, &self.names)
                        .with_choices(&choices)
                })
                .collect(),
            conflicts: self.plan.conflicts.clone(),
            rejections: self.plan.rejections.clone(),
            skipped: self.plan.skipped.clone(),
            attention: self.concerns.clone(),
            base: self.plan.base,
            foreign_cards: self.plan.foreign_cards,
        }
    }
}
