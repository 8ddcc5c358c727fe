//! One human under a new number is one item, not a leaver and a joiner (RULES 8.1).

use super::world::{World, allowed, change, holds, name, names, row, skips};
use crate::core::memory::decision::Answer;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::model::record::Anchor;
use crate::core::plan::{ActionKind, SkipReason};
use std::collections::BTreeSet;

/// `E001`, whose login says nothing of the name, is gone, and `N001` has come: the same name, the same login.
fn renumbered() -> World {
    let mut world = World::of(20);
    let login = "u10342";
    world.hr().set("E001", "login", login);
    world.set_text("c-E001", CardField::TasLoginName, login);
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 2, 72);
    let comes = row("E001")
        .with("key", "N001")
        .with("login", login)
        .with("email", "new@example.net");
    world.hr().rows.push(comes);
    world
}

#[test]
fn the_halves_become_one_item_that_moves_the_number() {
    let mut world = renumbered();
    world.operator("o1", "c-E001", false, OperatorKind::Regular);
    let judged = world.judged();
    assert_eq!(names(&judged.plan), ["adopt c-E001"]);
    assert_eq!(holds(&judged, "adopt c-E001"), ["over_budget:keys", "same_person"]);
    let why = &change(&judged.plan, "adopt c-E001").why;
    assert_eq!(why[0], "same person, new number? same full name, tasLoginName");
    assert_eq!(why[1], "the old side: no record has E001 any more");
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.run()), ["adopt c-E001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert_eq!(world.cards.len(), 20);
}

#[test]
fn it_is_one_item_before_the_absence_is_ripe_and_for_a_leaver_too() {
    let mut world = renumbered();
    world.absent("c-E001", "hr", 0, 1);
    assert_eq!(names(&world.plan()), ["adopt c-E001"]);
    let mut world = renumbered();
    let old = row("E001").with("login", "u10342").with("end", "2026-01-01");
    world.hr().rows.push(old);
    let plan = world.plan();
    assert_eq!(names(&plan), ["adopt c-E001"]);
    assert_eq!(
        change(&plan, "adopt c-E001").why[1],
        "the old side: E001 leaves or has left"
    );
}

#[test]
fn once_rejected_each_half_needs_an_approval_of_its_own() {
    let mut world = renumbered();
    let item = change(&world.plan(), "adopt c-E001").id.clone();
    world.decide(&item, Answer::Reject, BTreeSet::new());
    let judged = world.judged();
    assert_eq!(names(&judged.plan), ["create N001", "adopt c-E001", "archive c-E001"]);
    assert_eq!(allowed(&judged), Vec::<String>::new());
    assert!(holds(&judged, "create N001").contains(&"paired_with".to_owned()));
    assert_eq!(holds(&judged, "archive c-E001"), ["paired_with"]);
    world.approve(&judged, |change| change.action.kind() == ActionKind::Archive);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
}

#[test]
fn the_same_directory_id_is_enough() {
    let mut world = World::of(20);
    world.hr().remove("E001");
    let mut comes = row("N001");
    comes.anchor = Some("guid".to_owned());
    world.hr().rows.push(comes);
    let anchor = Anchor {
        source: "hr".into(),
        value: "guid".into(),
    };
    world.entry("c-E001").anchors.push(anchor);
    assert_eq!(names(&world.plan()), ["adopt c-E001"]);
}

#[test]
fn namesakes_with_the_address_that_follows_from_the_name_stay_a_choice() {
    let mut world = World::of(20);
    for (attribute, field, value) in [
        ("sur", CardField::SurName, "Smit"),
        ("first", CardField::FirstName, "Eva"),
        ("email", CardField::Email, "e.smit@example.net"),
        ("login", CardField::TasLoginName, "esmit"),
    ] {
        world.set_text("c-E001", field, value);
        world.hr().set("E001", attribute, value);
    }
    let comes = world.hr().row_of("E001").clone().with("key", "N001");
    world.hr().remove("E001");
    world.hr().rows.push(comes);
    let judged = world.judged();
    assert_eq!(names(&judged.plan), ["create N001", "adopt c-E001"]);
    assert!(holds(&judged, "create N001").contains(&"adopt_or_create".to_owned()));
}

#[test]
fn two_who_could_be_the_same_card_s_are_a_choice() {
    let mut world = renumbered();
    let second = world.hr().row_of("N001").clone().with("key", "N002");
    world.hr().rows.push(second);
    let found: BTreeSet<String> = world.plan().changes.iter().map(name).collect();
    let both = ["adopt c-E001", "archive c-E001", "create N001", "create N002"];
    assert_eq!(found, both.map(str::to_owned).into());
}

#[test]
fn others_wait_for_the_decision_and_are_told_so() {
    let mut world = renumbered();
    world.hr().set("E002", "mgr", "N001");
    let plan = world.plan();
    assert_eq!(names(&plan), ["adopt c-E001"]);
    assert!(skips(&plan).contains(&(SkipReason::FieldLeft, "c-E002".to_owned())));
}
