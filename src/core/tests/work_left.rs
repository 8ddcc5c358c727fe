//! A leaver with an operator who is still the manager of others (off, report, hold).

use super::world::{World, allowed, change, holds};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::rules::policy::{BudgetClass, WorkLeft};

/// E001 leaves, has an operator, and is the manager of E002 and E003.
fn world(work_left: WorkLeft) -> World {
    let mut world = World::of(5);
    world.policy.work_left = work_left;
    world.policy.budgets.operators.max = Some(5);
    world.leaves("E001");
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    for staff in ["E002", "E003"] {
        managed(&mut world, staff, "E001");
    }
    world
}

fn managed(world: &mut World, staff: &str, manager: &str) {
    let reference = Reference::Card {
        id: format!("c-{manager}").as_str().into(),
        label: manager.into(),
    };
    world.set(
        &format!("c-{staff}"),
        CardField::Manager,
        Some(FieldValue::Reference(reference)),
    );
    world.hr().set(staff, "mgr", manager);
}

const ARCHIVE: &str = "archive c-E001";

fn told(world: &World) -> Vec<String> {
    let plan = world.plan();
    let why = change(&plan, ARCHIVE).why.iter();
    why.filter(|line| line.contains("manager")).cloned().collect()
}

#[test]
fn it_is_off_told_or_held_as_configured() {
    let off = world(WorkLeft::Off).judged();
    assert_eq!(allowed(&off), [ARCHIVE]);
    assert_eq!(told(&world(WorkLeft::Off)), Vec::<String>::new());
    let report = world(WorkLeft::Report);
    assert_eq!(allowed(&report.judged()), [ARCHIVE]);
    assert_eq!(told(&report), ["is still the manager on 2 active cards: E002, E003"]);
    let mut hold = world(WorkLeft::Hold);
    let judged = hold.judged();
    assert_eq!(holds(&judged, ARCHIVE), ["work_left"]);
    hold.approve(&judged, |_| true);
    assert_eq!(allowed(&hold.judged()), [ARCHIVE]);
}

#[test]
fn the_item_stays_the_same_whoever_is_left() {
    let before = world(WorkLeft::Hold).plan();
    let mut more = world(WorkLeft::Hold);
    managed(&mut more, "E004", "E001");
    assert_eq!(change(&before, ARCHIVE).id, change(&more.plan(), ARCHIVE).id);
}

#[test]
fn who_leaves_too_is_archived_or_gets_another_manager_is_not_left() {
    let mut world = world(WorkLeft::Report);
    world.leaves("E002");
    world.hr().set("E003", "mgr", "E005");
    assert_eq!(told(&world), Vec::<String>::new());
    managed(&mut world, "E004", "E001");
    world.archived_by_us("c-E004");
    world.leaves("E004");
    assert_eq!(told(&world), Vec::<String>::new());
}

#[test]
fn a_leaver_without_an_awake_operator_is_not_asked_about() {
    let mut world = world(WorkLeft::Hold);
    world.operators.clear();
    assert_eq!(allowed(&world.judged()), [ARCHIVE]);
    world.operator("o-1", "c-E001", true, OperatorKind::Regular);
    assert_eq!(allowed(&world.judged()), [ARCHIVE]);
    assert_eq!(world.policy.budgets.of(BudgetClass::Operators).max, Some(5));
}
