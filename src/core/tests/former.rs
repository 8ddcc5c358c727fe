//! A changed configuration beside the former one (RULES 8.3): what both plans contain goes on, the rest waits.

use super::world::{World, allowed, change, holds};
use super::worlds::worlds;
use crate::core::guard::Judged;
use crate::core::input::FormerPlan;
use crate::core::model::ids::ItemId;
use crate::core::plan::{ActionKind, HoldReason, Plan};
use chrono::Duration;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn kept(plan: &Plan) -> FormerPlan {
    FormerPlan {
        items: plan.changes.iter().map(|change| change.id.clone()).collect(),
        counting_absent: plan.counting_absent.clone(),
    }
}

/// Twenty people under a configuration that no run has seen.
fn changed() -> World {
    let mut world = World::of(20);
    world.contact.seen.as_mut().unwrap().config_hash = "older".to_owned();
    world
}

#[test]
fn what_both_plans_contain_goes_on_and_the_rest_waits() {
    let mut world = changed();
    world.leaves("E001");
    let former = kept(&world.plan());
    world.leaves("E002");
    assert_eq!(
        allowed(&world.judged()),
        Vec::<String>::new(),
        "nothing to compare with"
    );
    world.former = Some(former);
    let judged = world.run();
    assert_eq!(allowed(&judged), ["archive c-E001"]);
    assert_eq!(holds(&judged, "archive c-E002"), ["config_changed"]);
    // The next run has nothing to compare any more, and it does not lapse.
    world.former = None;
    assert_eq!(holds(&world.run(), "archive c-E002"), ["config_changed"]);
    world.approve(&world.judged(), |_| true);
    assert_eq!(allowed(&world.run()), ["archive c-E002"]);
}

#[test]
fn other_evidence_for_the_same_archive_is_another_item() {
    let mut world = changed();
    world.leaves("E001");
    world.former = Some(kept(&world.plan()));
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 3, 72);
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["config_changed"]);
}

#[test]
fn whose_absence_began_before_the_change_does_not_wait_for_it() {
    let mut world = changed();
    world.hr().remove("E001");
    let former = kept(&world.plan());
    world.hr().remove("E002");
    world.former = Some(former);
    world.run();
    world.former = None;
    for _ in 0..3 {
        world.hr().generation += 1;
        world.now += Duration::days(1);
        world.run();
    }
    assert!(world.cards[&"c-E001".into()].archived);
    assert_eq!(holds(&world.judged(), "archive c-E002"), ["config_changed"]);
}

#[test]
fn updates_that_both_plans_contain_are_no_mass_that_the_change_brought() {
    let mut world = changed();
    for number in 1..=6 {
        world.hr().set(&format!("E{number:03}"), "job", "Nurse");
    }
    let former = kept(&world.plan());
    assert_eq!(allowed(&world.judged()).len(), 0);
    world.former = Some(former);
    world.hr().set("E007", "job", "Nurse");
    assert_eq!(allowed(&world.judged()).len(), 7);
    for number in 8..=11 {
        world.hr().set(&format!("E{number:03}"), "job", "Nurse");
    }
    let judged = world.judged();
    assert_eq!(allowed(&judged).len(), 6);
    assert_eq!(holds(&judged, "update c-E007"), ["config_changed"]);
}

#[test]
fn one_person_is_judged_with_everybody() {
    let mut world = World::of(100);
    for number in 1..=4 {
        world.leaves(&format!("E{number:03}"));
    }
    world.hr().rows.push(super::world::row("N1").with("dept", "New"));
    world.hr().rows.push(super::world::row("N2"));
    world.hr().set("E010", "mgr", "N2");
    let only = |number: &str| world.judged().only(&super::world::key(number));
    assert_eq!(holds(&only("E001"), "archive c-E001"), ["over_budget:archive"]);
    assert_eq!(only("E001").plan.changes.len(), 1);
    assert_eq!(allowed(&only("N1")), ["create_entry ", "create N1"]);
    let waits = only("E010");
    assert_eq!(allowed(&waits), Vec::<String>::new(), "its manager has no card yet");
    let named = super::world::name(&waits.plan.changes[0]);
    assert_eq!(holds(&waits, &named), ["not_alone"]);
    assert_eq!(change(&waits.plan, &named).depends_on.len(), 1);
}

fn allowed_ids(judged: &Judged) -> BTreeSet<ItemId> {
    judged
        .approved
        .changes()
        .iter()
        .map(|it| it.change().id.clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn under_a_changed_configuration_nothing_grave_passes_that_it_brought(case in worlds(), strict in 0_u8..4) {
        let mut world = case.world();
        if let Some(seen) = &mut world.contact.seen {
            "older".clone_into(&mut seen.config_hash);
        }
        let mut old = world.clone();
        match strict {
            0 => old.policy.leaver_after = Duration::days(400),
            1 => old.policy.missing_reads = 9,
            2 => old.sources[0].reject(),
            _ => old.policy.protected.keys.extend(world.ledger.values().filter_map(|entry| entry.key.clone()).take(3)),
        }
        let without = world.judged();
        let former = kept(&old.plan());
        world.former = Some(former.clone());
        let with = world.judged();
        for change in with.approved.changes().iter().map(|approved| approved.change()) {
            let grave = match change.action.kind() {
                ActionKind::Archive | ActionKind::Unarchive | ActionKind::Anonymize => true,
                ActionKind::CreateEntry | ActionKind::Create | ActionKind::Update | ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge | ActionKind::SetReferences => false,
            };
            if world.contact.seen.is_some() {
                prop_assert!(!grave || former.items.contains(&change.id), "{}", super::world::name(change));
            } else {
                prop_assert!(!grave, "first contact has no former configuration");
            }
        }
        // A comparison lets items go on, and these take their room in the budgets; it holds nothing else more.
        let with_ids = allowed_ids(&with);
        for item in allowed_ids(&without).difference(&with_ids) {
            let mut reasons = with.held[item].iter();
            let is_room = |reason: &HoldReason| matches!(reason, HoldReason::OverBudget { .. } | HoldReason::DependsOn { .. });
            prop_assert!(reasons.all(is_room), "a comparison holds nothing more: {:?}", with.held[item]);
        }
    }
}
