//! The budgets of a plan: what a class may send in each rolling window (RULES 8.2).

use super::waived;
use crate::domain::decision::{Answer, Decision};
use crate::domain::hold::{HoldReason, SentBefore};
use crate::domain::ids::ItemId;
use crate::domain::input::PlanInput;
use crate::domain::plan::{Change, Plan};
use crate::domain::policy::BudgetClass;
use crate::domain::window::Window;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Whether an item counts in the budgets of its classes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Yes,
    /// It waits as part of a baseline that nobody has approved, or because its key is odd or its evidence in doubt: it
    /// does not use up the budget of others, but together these items must fit as well once they are approved.
    AsBaseline,
    /// Somebody said no to it.
    No,
}

fn counted(found: &[HoldReason], decision: Option<&Decision>) -> Counted {
    if decision.is_some_and(|decision| decision.answer == Answer::Reject) {
        return Counted::No;
    }
    let baseline = found.iter().any(|reason| {
        let waits = matches!(
            reason,
            HoldReason::FirstContact
                | HoldReason::ConfigChanged
                | HoldReason::DecisionChanged
                // Junk in a list must not hold the people in it.
                | HoldReason::OddKey { .. }
                | HoldReason::Undone { .. }
                | HoldReason::DoubtfulDate { .. }
                | HoldReason::StillListed { .. }
        );
        waits && !waived(reason, decision)
    });
    if baseline { Counted::AsBaseline } else { Counted::Yes }
}

/// A class over its limit is held whole, not its excess. What is approved counts too: it will be written, and approving one
/// item must not open the gate for others.
pub(super) fn budgets(
    plan: &Plan,
    input: &PlanInput,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
    decisions: &BTreeMap<ItemId, &Decision>,
) {
    let decision = |change: &Change| decisions.get(&change.id).copied();
    let mut live: BTreeMap<BudgetClass, u64> = BTreeMap::new();
    let mut baseline: BTreeMap<BudgetClass, u64> = BTreeMap::new();
    for change in &plan.changes {
        let counts = match counted(&reasons[&change.id], decision(change)) {
            Counted::Yes => &mut live,
            Counted::AsBaseline => &mut baseline,
            Counted::No => continue,
        };
        for class in change.classes() {
            *counts.entry(class).or_default() += items_in(change, class);
        }
    }
    for change in &plan.changes {
        let counted = counted(&reasons[&change.id], decision(change));
        for class in change.classes() {
            let own = items_in(change, class);
            let of = |counts: &BTreeMap<BudgetClass, u64>| counts.get(&class).copied().unwrap_or(0);
            // What waits is shown the budget that it will meet, so that one approval covers both reasons.
            let count = match counted {
                Counted::Yes => of(&live),
                Counted::AsBaseline => of(&live) + of(&baseline),
                Counted::No => of(&live) + own,
            };
            let count = count.max(own);
            if let Some((limit, before)) = exceeded(input, class, count, plan.base) {
                let found = reasons.get_mut(&change.id).expect("every change has an entry");
                found.push(HoldReason::OverBudget {
                    class,
                    count,
                    limit,
                    base: plan.base,
                    before,
                });
            }
        }
    }
}

/// The limit that so many items of a class exceed, by themselves or with what was sent before.
fn exceeded(input: &PlanInput, class: BudgetClass, count: u64, base: u64) -> Option<(u64, Option<SentBefore>)> {
    let budget = input.policy.budgets.of(class);
    let limits = || Window::LONGEST_FIRST.map(|window| (window, budget.limit_in(window, base)));
    if let Some(limit) = limits()
        .map(|(_, limit)| limit)
        .into_iter()
        .min()
        .filter(|limit| count > *limit)
    {
        return Some((limit, None));
    }
    // While the clock is doubted no window moves on.
    let now = input.clock.earliest(input.moment.now);
    limits().into_iter().find_map(|(window, limit)| {
        let items = input.budget_used.within(class, window, now);
        (items + count > limit).then(|| {
            let room = input.budget_used.room_at(class, window, now, count, limit);
            let in_zone = |room: DateTime<Utc>| room.with_timezone(&input.moment.zone).format("%Y-%m-%d %H:%M %Z");
            let before = SentBefore {
                items,
                window,
                room: room.map(|room| in_zone(room).to_string()),
            };
            (limit, Some(before))
        })
    })
}

/// What a change counts in a class: one, or each operator that it concerns.
pub(in crate::domain) fn items_in(change: &Change, class: BudgetClass) -> u64 {
    match class {
        BudgetClass::Operators | BudgetClass::OperatorsWoken => (change.operators_affected() as u64).max(1),
        BudgetClass::Archive
        | BudgetClass::Unarchive
        | BudgetClass::Create
        | BudgetClass::Names
        | BudgetClass::Blanked(_)
        | BudgetClass::Changed(_)
        | BudgetClass::Lookups
        | BudgetClass::Adopt
        | BudgetClass::Keys
        | BudgetClass::Anonymize => 1,
    }
}
