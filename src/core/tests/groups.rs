//! The last active operator of an operator group (RULES 6).

use super::world::{World, allowed, change, holds};
use crate::core::guard::judge;
use crate::core::input::PlanInput;
use crate::core::memory::decision::Answer;
use crate::core::model::card::OperatorKind;
use crate::core::model::groups::Seen;
use crate::core::model::ids::OperatorId;

fn leave(world: &mut World, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        world.leaves(&format!("E{number:03}"));
    }
}

#[test]
fn nobody_takes_the_last_active_operator_of_a_group_along_unasked() {
    let mut world = World::of(20);
    // The budget would let them pass: the group is a reason of its own.
    world.policy.budgets.operators.max = Some(10);
    leave(&mut world, [1]);
    for (operator, card, archived) in [
        ("o-1", "c-E001", false),
        ("o-2", "c-E002", false),
        ("o-3", "c-E003", true),
    ] {
        world.operator(operator, card, archived, OperatorKind::Regular);
    }
    world.operator("o-api", "c-E004", false, OperatorKind::ApiAccount);
    let desk = |members: &[&str]| members.iter().map(|it| OperatorId::from(*it)).collect();
    world
        .groups
        .insert("Desk".to_owned(), desk(&["o-1", "o-2", "o-3", "o-api"]));
    assert_eq!(allowed(&world.judged()), ["archive c-E001"], "a colleague stays");
    // Both leave on one day, or the other one is archived already: nobody is left.
    let mut together = world.clone();
    leave(&mut together, [2]);
    let judged = together.judged();
    assert_eq!(holds(&judged, "archive c-E001"), ["last_operator"]);
    assert_eq!(holds(&judged, "archive c-E002"), ["last_operator"]);
    let reason = judged.held[&change(&judged.plan, "archive c-E001").id][0].explain();
    assert!(reason.contains("group 'Desk'"), "{reason}");
    // Whoever is not to leave stays, so the other one is not the last.
    let item = change(&judged.plan, "archive c-E002").id.clone();
    together.decide(&item, Answer::Reject, Default::default());
    assert_eq!(allowed(&together.judged()), ["archive c-E001"]);
    world.operator("o-2", "c-E002", true, OperatorKind::Regular);
    let judged = world.judged();
    assert_eq!(holds(&judged, "archive c-E001"), ["last_operator"]);
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
}

#[test]
fn groups_that_cannot_be_read_hold_as_well() {
    let mut world = World::of(20);
    world.policy.budgets.operators.max = Some(10);
    leave(&mut world, [1]);
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    let mut input = world.input();
    let held = |input: &PlanInput| holds(&judge(world.plan(), input), "archive c-E001");
    assert_eq!(held(&input), Vec::<String>::new());
    let unreadable = || Seen::Unreadable("status 403".to_owned());
    let groups = input.groups.of_operators.get_mut(&OperatorId::from("o-1")).unwrap();
    groups.operator_groups = unreadable();
    assert_eq!(held(&input), ["groups_unreadable"]);
    input.groups.of_operators.clear();
    assert_eq!(held(&input), ["groups_unreadable"], "what was not asked is not known");
    world.groups.insert("Desk".to_owned(), ["o-1".into()].into());
    let mut input = world.input();
    input
        .groups
        .members
        .insert("Desk".into(), Seen::Unreadable("status 403".to_owned()));
    assert_eq!(
        holds(&judge(world.plan(), &input), "archive c-E001"),
        ["groups_unreadable"]
    );
}
