//! The judge of a plan (RULES 8): what may pass, what waits and why. The only maker of [`ApprovedPlan`].
//!
//! A class over its limit is held whole; everything else goes on, unless it depends on a held item. An approval waives
//! the reasons it was shown, for exactly the item it was shown for.

pub use self::approved::{ApprovedChange, ApprovedPlan};

use super::decision::{Answer, Contact, Decision, SeenConfig, Waiting};
use super::ids::ItemId;
use super::input::PlanInput;
use super::plan::{ActionKind, Change, HoldReason, Plan};
use super::policy::BudgetClass;
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
}

/// Judges a plan. Pure.
pub fn judge(plan: Plan, input: &PlanInput) -> Judged {
    let policy = &input.policy;
    let current = SeenConfig {
        config_hash: policy.config_hash.clone(),
        decision_version: policy.decision_version,
    };
    let new_config = match &input.contact.seen {
        None => Some(HoldReason::FirstContact),
        Some(seen) if seen.config_hash != current.config_hash => Some(HoldReason::ConfigChanged),
        Some(seen) if seen.decision_version != current.decision_version => Some(HoldReason::DecisionChanged),
        Some(_) => None,
    };
    let mass_update = is_mass_update(&plan);
    let mut reasons: BTreeMap<ItemId, Vec<HoldReason>> = BTreeMap::new();
    for change in &plan.changes {
        let mut found = change.doubts.clone();
        found.extend(contact_reason(change, input, new_config.as_ref(), mass_update));
        reasons.insert(change.id.clone(), found);
    }
    let waivers = waivers(&plan, input);
    budgets(&plan, input, &mut reasons, &waivers);
    for (item, found) in &mut reasons {
        match input.decisions.get(item).map(|decision| (decision.answer, decision)) {
            Some((Answer::Approve, decision)) => {
                found.retain(|reason| !(reason.approvable() && decision.waives.contains(&reason.code())));
            }
            Some((Answer::Reject, decision)) => {
                found.push(HoldReason::Rejected {
                    by: decision.by.clone(),
                    note: decision.note.clone(),
                });
            }
            None => {}
        }
    }
    alternatives(&plan, &mut reasons);
    dependents(&plan, &mut reasons);
    for found in reasons.values_mut() {
        found.sort();
        found.dedup();
    }
    let contact = next_contact(&plan, input, current, new_config.as_ref(), &reasons);
    let passing = plan.changes.iter().filter(|change| reasons[&change.id].is_empty());
    let approved = passing
        .map(|change| {
            ApprovedChange::new(
                change.clone(),
                waivers.get(&change.id).map(|decision| decision.by.clone()),
            )
        })
        .collect();
    let approved = ApprovedPlan::new(plan.id.clone(), approved);
    reasons.retain(|_, found| !found.is_empty());
    Judged {
        plan,
        held: reasons,
        approved,
        contact,
    }
}

/// Approvals in force for items of this plan.
fn waivers<'a>(plan: &Plan, input: &'a PlanInput) -> BTreeMap<ItemId, &'a Decision> {
    let now = input.moment.now;
    plan.changes
        .iter()
        .filter_map(|change| {
            input
                .decisions
                .get(&change.id)
                .map(|decision| (change.id.clone(), decision))
        })
        .filter(|(_, decision)| decision.answer == Answer::Approve && decision.in_force(now))
        .collect()
}

/// More updates than 5 % of the cards that are ours (and more than 3): at first contact or under a changed configuration
/// they wait like archives.
fn is_mass_update(plan: &Plan) -> bool {
    let updates = plan.changes.iter().filter(|change| is_update(change)).count() as u64;
    updates > (plan.base * 5).div_ceil(100).max(3)
}

fn is_update(change: &Change) -> bool {
    match change.action.kind() {
        ActionKind::Update | ActionKind::SetReferences => change.card.is_some(),
        ActionKind::CreateEntry
        | ActionKind::Unarchive
        | ActionKind::Create
        | ActionKind::Adopt
        | ActionKind::Archive
        | ActionKind::Anonymize => false,
    }
}

/// What first contact or a changed configuration brought waits until approved, in this run and in later ones.
fn contact_reason(
    change: &Change,
    input: &PlanInput,
    new_config: Option<&HoldReason>,
    mass_update: bool,
) -> Option<HoldReason> {
    let card = change.card.as_ref()?;
    let kind = change.action.kind();
    if let Some(waiting) = input.contact.waiting.get(&Contact::slot(card, kind)) {
        return Some(waiting.reason.clone());
    }
    let grave = match kind {
        ActionKind::Archive | ActionKind::Unarchive | ActionKind::Anonymize => true,
        ActionKind::Update | ActionKind::SetReferences => mass_update,
        ActionKind::CreateEntry | ActionKind::Create | ActionKind::Adopt => false,
    };
    if grave { new_config.cloned() } else { None }
}

/// Whether an item waits for reasons of its own, known before: it does not use up the budget of others.
fn waits_anyway(found: &[HoldReason], decision: Option<&Decision>) -> bool {
    let baseline = found.iter().any(|reason| {
        matches!(
            reason,
            HoldReason::FirstContact | HoldReason::ConfigChanged | HoldReason::DecisionChanged
        )
    });
    baseline || decision.is_some_and(|decision| decision.answer == Answer::Reject)
}

/// A class over its limit is held whole, not its excess.
fn budgets(
    plan: &Plan,
    input: &PlanInput,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
    waivers: &BTreeMap<ItemId, &Decision>,
) {
    let mut counts: BTreeMap<BudgetClass, u64> = BTreeMap::new();
    for change in &plan.changes {
        if waits_anyway(&reasons[&change.id], input.decisions.get(&change.id)) {
            continue;
        }
        for class in change.classes() {
            // Approved for this class: a human has counted it.
            if waivers
                .get(&change.id)
                .is_some_and(|decision| decision.waives.contains(&format!("over_budget:{class}")))
            {
                continue;
            }
            *counts.entry(class).or_default() += operators_or_one(change, class);
        }
    }
    for change in &plan.changes {
        for class in change.classes() {
            let count = counts.get(&class).copied().unwrap_or(0);
            let limit = input.policy.budgets.of(class).limit(plan.base);
            // A waiting item does not count, but the approver must see the budget it will meet.
            let shown = count.max(operators_or_one(change, class));
            if count > limit || shown > limit {
                let found = reasons.get_mut(&change.id).expect("every change has an entry");
                found.push(HoldReason::OverBudget {
                    class,
                    count: shown,
                    limit,
                    base: plan.base,
                });
            }
        }
    }
}

fn operators_or_one(change: &Change, class: BudgetClass) -> u64 {
    match class {
        BudgetClass::Operators | BudgetClass::OperatorsWoken => (change.operators_affected() as u64).max(1),
        BudgetClass::Archive
        | BudgetClass::Unarchive
        | BudgetClass::Create
        | BudgetClass::Names
        | BudgetClass::Blanked(_)
        | BudgetClass::Lookups
        | BudgetClass::Adopt
        | BudgetClass::Keys
        | BudgetClass::Anonymize => 1,
    }
}

/// Of a creation and the adoptions offered instead, at most one passes.
fn alternatives(plan: &Plan, reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>) {
    let mut by_key: BTreeMap<_, Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        if matches!(change.action.kind(), ActionKind::Create | ActionKind::Adopt)
            && let Some(key) = &change.key
        {
            by_key.entry(key).or_default().push(change);
        }
    }
    for choices in by_key.values().filter(|choices| choices.len() > 1) {
        let passing: Vec<_> = choices.iter().filter(|change| reasons[&change.id].is_empty()).collect();
        if passing.len() > 1 {
            for change in choices {
                let doubts = change
                    .doubts
                    .iter()
                    .filter(|doubt| matches!(doubt, HoldReason::AdoptOrCreate { .. }))
                    .cloned();
                reasons
                    .get_mut(&change.id)
                    .expect("every change has an entry")
                    .extend(doubts);
            }
        }
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

/// What is remembered after a run: the configuration counts as seen once every read was complete; what it brought, and
/// whose absence began under it, waits.
fn next_contact(
    plan: &Plan,
    input: &PlanInput,
    current: SeenConfig,
    new_config: Option<&HoldReason>,
    reasons: &BTreeMap<ItemId, Vec<HoldReason>>,
) -> Contact {
    let mut contact = input.contact.clone();
    if !plan.full_look {
        return contact;
    }
    let now = input.moment.now;
    let planned: BTreeSet<String> = plan
        .changes
        .iter()
        .filter_map(|change| {
            change
                .card
                .as_ref()
                .map(|card| Contact::slot(card, change.action.kind()))
        })
        .collect();
    let counting: BTreeSet<String> = plan
        .counting_absent
        .iter()
        .map(|card| Contact::slot(card, ActionKind::Archive))
        .collect();
    contact
        .waiting
        .retain(|slot, _| planned.contains(slot) || counting.contains(slot));
    if let Some(reason) = new_config {
        let held = plan
            .changes
            .iter()
            .filter(|change| reasons[&change.id].contains(reason));
        let slots = held.filter_map(|change| change.card.clone().map(|card| (card, change.action.kind())));
        let absent = plan
            .counting_absent
            .iter()
            .map(|card| (card.clone(), ActionKind::Archive));
        for (card, action) in slots.chain(absent) {
            let slot = Contact::slot(&card, action);
            contact.waiting.entry(slot).or_insert(Waiting {
                card,
                action,
                reason: reason.clone(),
                since: now,
            });
        }
        contact.seen = Some(current);
    }
    contact
}

impl Judged {
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
            summary,
            changes: self
                .plan
                .changes
                .iter()
                .map(|change| ChangeView::new(change, self.held.get(&change.id).unwrap_or(&none)))
                .collect(),
            conflicts: self.plan.conflicts.clone(),
            rejections: self.plan.rejections.clone(),
            skipped: self.plan.skipped.clone(),
            base: self.plan.base,
            foreign_cards: self.plan.foreign_cards,
        }
    }
}
