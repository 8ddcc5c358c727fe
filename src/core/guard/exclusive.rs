//! Of items that exclude each other at most one passes (RULES 8.5).

use super::decided::Decided;
use crate::core::model::ids::ItemId;
use crate::core::plan::Plan;
use crate::core::plan::choices::{Offer, exclusive};
use crate::core::plan::hold::HoldReason;
use std::collections::BTreeMap;

/// What is excluded by an item that somebody approved waits until that one is done. Before the budgets: what cannot pass takes
/// no room in them.
pub(super) fn answered(plan: &Plan, reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>, decided: &Decided<'_>) {
    let passes = |item: &ItemId| decided.is_approved(item) && !decided.is_held(item, &reasons[item]);
    let mut answered: Vec<(ItemId, HoldReason)> = Vec::new();
    for items in exclusive(plan.changes.iter().map(Offer::from)).into_values() {
        let approved: Vec<&ItemId> = items.iter().copied().filter(|item| passes(item)).collect();
        if let [chosen] = approved.as_slice() {
            let others = items.iter().filter(|item| *item != chosen);
            let reason = || HoldReason::Answered {
                item: (*chosen).clone(),
            };
            answered.extend(others.map(|item| ((*item).clone(), reason())));
        }
    }
    add(answered, reasons);
}

/// Of those that would pass now at most one may: where there are more, all of them wait for a choice.
pub(super) fn one_of(plan: &Plan, reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>) {
    let mut unclear: Vec<(ItemId, HoldReason)> = Vec::new();
    for items in exclusive(plan.changes.iter().map(Offer::from)).into_values() {
        let passing: Vec<&ItemId> = items.into_iter().filter(|item| reasons[*item].is_empty()).collect();
        if passing.len() < 2 {
            continue;
        }
        for item in &passing {
            let others = passing.iter().filter(|other| *other != item);
            let items = others.map(|other| (*other).clone()).collect();
            unclear.push(((*item).clone(), HoldReason::OneOf { items }));
        }
    }
    add(unclear, reasons);
}

fn add(found: Vec<(ItemId, HoldReason)>, reasons: &mut BTreeMap<ItemId, Vec<HoldReason>>) {
    for (item, reason) in found {
        reasons.get_mut(&item).expect("every change has an entry").push(reason);
    }
}
