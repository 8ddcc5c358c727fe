//! The budgets of a plan: what a class may send in each rolling window (RULES 8.2).

use super::decided::Decided;
use crate::core::input::PlanInput;
use crate::core::model::ids::ItemId;
use crate::core::plan::hold::{HoldReason, SentBefore};
use crate::core::plan::{ActionKind, Change, Plan};
use crate::core::rules::policy::BudgetClass;
use crate::core::rules::window::Window;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Whether an item counts in the budgets of its classes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// It passes unless a budget holds it.
    Yes,
    /// It waits for something else: a question is no answer, so it does not use up the budget of others. Together these items
    /// must fit as well once they are approved.
    WaitsAnyway,
    /// Somebody said no to it.
    No,
}

/// Whether a class is judged before the others: what it holds takes no room in theirs. An archive that waits for somebody to look
/// at its operator is none yet, and who needs a list entry that is held is not made.
fn is_first(class: BudgetClass) -> bool {
    match class {
        BudgetClass::Operators
        | BudgetClass::OperatorsWoken
        | BudgetClass::Anonymize
        | BudgetClass::Adopt
        | BudgetClass::Keys
        | BudgetClass::Lookups => true,
        BudgetClass::Archive
        | BudgetClass::Unarchive
        | BudgetClass::Create
        | BudgetClass::Names
        | BudgetClass::Blanked(_)
        | BudgetClass::Changed(_) => false,
    }
}

/// A class over its limit is held whole, not its excess. What is approved counts too: it will be written, and approving one
/// item must not open the gate for others.
pub(super) fn budgets(
    plan: &Plan,
    input: &PlanInput,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
    decided: &Decided<'_>,
) {
    let is_held = |item: &&ItemId, reasons: &BTreeMap<ItemId, Vec<HoldReason>>| decided.is_held(item, &reasons[*item]);
    for stage in [true, false] {
        let mut held: BTreeSet<&ItemId> = plan.changes.iter().map(|change| &change.id).collect();
        held.retain(|item| is_held(item, reasons));
        follow(plan, &mut held);
        let counted = |change: &Change| {
            if decided.is_rejected(&change.id) {
                Counted::No
            } else if held.contains(&change.id) {
                Counted::WaitsAnyway
            } else {
                Counted::Yes
            }
        };
        exceed(plan, input, reasons, counted, |class| is_first(class) == stage);
    }
}

/// Takes in what cannot pass because of what is held: what needs such an item, and a list entry that only such items need.
fn follow<'a>(plan: &'a Plan, held: &mut BTreeSet<&'a ItemId>) {
    let mut users: BTreeMap<&ItemId, Vec<&ItemId>> = BTreeMap::new();
    for change in &plan.changes {
        for needed in &change.depends_on {
            users.entry(needed).or_default().push(&change.id);
        }
    }
    loop {
        let before = held.len();
        for change in &plan.changes {
            let users = users.get(&change.id).map_or(&[][..], Vec::as_slice);
            let is_idle = change.action.kind() == ActionKind::CreateEntry
                && !users.is_empty()
                && users.iter().all(|user| held.contains(*user));
            if is_idle || change.depends_on.iter().any(|needed| held.contains(needed)) {
                held.insert(&change.id);
            }
        }
        if held.len() == before {
            return;
        }
    }
}

/// Holds what is over the limits of these classes.
fn exceed(
    plan: &Plan,
    input: &PlanInput,
    reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>,
    counted: impl Fn(&Change) -> Counted,
    judged: impl Fn(BudgetClass) -> bool,
) {
    let mut live: BTreeMap<BudgetClass, u64> = BTreeMap::new();
    let mut waiting: BTreeMap<BudgetClass, u64> = BTreeMap::new();
    for change in &plan.changes {
        let counts = match counted(change) {
            Counted::Yes => &mut live,
            Counted::WaitsAnyway => &mut waiting,
            Counted::No => continue,
        };
        for class in change.classes().into_iter().filter(|class| judged(*class)) {
            *counts.entry(class).or_default() += items_in(change, class);
        }
    }
    for change in &plan.changes {
        for class in change.classes().into_iter().filter(|class| judged(*class)) {
            let own = items_in(change, class);
            let of = |counts: &BTreeMap<BudgetClass, u64>| counts.get(&class).copied().unwrap_or(0);
            // What waits is shown the budget that it will meet, so that one approval covers both reasons.
            let count = match counted(change) {
                Counted::Yes => of(&live),
                Counted::WaitsAnyway => of(&live) + of(&waiting),
                Counted::No => of(&live) + own,
            };
            let count = count.max(own);
            if let Some((limit, before)) = exceeded(input, class, count, plan.base) {
                // Where those that nothing else holds fit by themselves, they pass, and the class is not held.
                let passing = of(&live);
                let fits = passing > 0 && exceeded(input, class, passing, plan.base).is_none();
                let waiting = match counted(change) {
                    Counted::WaitsAnyway | Counted::No if fits => count - passing,
                    Counted::Yes | Counted::WaitsAnyway | Counted::No => 0,
                };
                let found = reasons.get_mut(&change.id).expect("every change has an entry");
                found.push(HoldReason::OverBudget {
                    class,
                    count,
                    limit,
                    base: plan.base,
                    before,
                    waiting,
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
pub(crate) fn items_in(change: &Change, class: BudgetClass) -> u64 {
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
