//! A human who has a card under another number gets no second one unseen (RULES 1.8, 2.4).

use super::world::{World, allowed, change, holds, names, row};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::plan::{ActionKind, HoldReason};
use chrono::Duration;

/// E001 and a second record of the same human, who shares this much with it.
fn employed_twice(shared: &[&'static str]) -> World {
    let mut world = World::of(10);
    let mut second = row("N001");
    for attribute in shared {
        let value = row("E001").values[attribute].clone();
        second = second.with(attribute, &value);
    }
    world.hr().rows.push(second);
    world
}

#[test]
fn a_second_employment_waits_where_the_full_name_and_one_mark_agree() {
    for mark in ["login", "email"] {
        let world = employed_twice(&["sur", "first", mark]);
        let judged = world.judged();
        assert_eq!(holds(&judged, "create N001"), ["second_card"], "{mark}");
        assert_eq!(allowed(&judged), Vec::<String>::new());
    }
}

#[test]
fn namesakes_and_people_who_share_a_mailbox_get_their_cards() {
    for shared in [
        &["sur", "first"][..],
        &["email"],
        &["sur", "email"],
        &["first", "email"],
    ] {
        let world = employed_twice(shared);
        assert_eq!(allowed(&world.judged()), ["create N001"], "{shared:?}");
    }
}

#[test]
fn the_order_and_the_accents_of_a_name_hide_nobody() {
    let mut world = employed_twice(&["email"]);
    let hr = world.hr();
    *hr.row_of("N001") = hr
        .row_of("N001")
        .clone()
        .with("sur", "firste001")
        .with("first", "Súre001");
    assert_eq!(holds(&world.judged(), "create N001"), ["second_card"]);
}

#[test]
fn an_operator_of_the_card_is_a_witness_too() {
    let mut world = employed_twice(&["sur", "first"]);
    world.operator("op", "c-E001", false, OperatorKind::Regular);
    world.operators.get_mut(&"op".into()).expect("made").login_name = Some("N001".into());
    assert_eq!(holds(&world.judged(), "create N001"), ["second_card"]);
}

#[test]
fn what_is_about_to_be_written_onto_the_card_counts_as_well() {
    let mut world = employed_twice(&["sur", "first"]);
    *world.hr().row_of("E001") = row("E001").with("email", "n001@example.net");
    let judged = world.judged();
    assert_eq!(holds(&judged, "create N001"), ["second_card"]);
    assert_eq!(allowed(&judged), ["update c-E001"]);
}

#[test]
fn only_a_decision_on_the_item_makes_the_second_card_and_the_next_run_is_empty() {
    let mut world = employed_twice(&["sur", "first", "email"]);
    let judged = world.judged();
    world.approve(&judged, |change| change.action.kind() == ActionKind::Create);
    assert_eq!(allowed(&world.run()), ["create N001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn of_two_new_numbers_of_one_human_neither_is_made_unseen() {
    let mut world = World::of(10);
    for number in ["N001", "N002"] {
        world.hr().rows.push(row("N001").with("key", number));
    }
    let judged = world.judged();
    assert_eq!(holds(&judged, "create N001"), ["paired_with"]);
    assert_eq!(holds(&judged, "create N002"), ["paired_with"]);
    world.approve(&judged, |change| {
        change.key.as_ref().is_some_and(|key| key.as_str() == "N001")
    });
    assert_eq!(allowed(&world.run()), ["create N001"]);
    world.now += Duration::hours(1);
    assert_eq!(holds(&world.judged(), "create N002"), ["second_card"]);
}

/// The number of E002 stands on the card of N001, whose own number stands nowhere.
fn number_on_the_wrong_card() -> World {
    let mut world = World::of(10);
    world.hr().rows.push(row("N001"));
    let mut card = row("N001");
    card.values.insert("key", "E002".to_owned());
    world.card("c-E002", &card);
    world.ledger.remove(&"c-E002".into());
    world
}

#[test]
fn a_number_on_somebody_elses_card_holds_both_sides() {
    let mut world = number_on_the_wrong_card();
    // The same surname: neither name alone says that they are two people.
    world.set_text("c-E002", CardField::SurName, "SurE002");
    *world.hr().row_of("N001") = row("N001").with("sur", "SurE002");
    let judged = world.judged();
    assert_eq!(holds(&judged, "create N001"), ["second_card"]);
    let reasons = &judged.held[&change(&judged.plan, "create N001").id];
    let misplaced = |reason: &HoldReason| matches!(reason, HoldReason::SecondCard { misplaced, .. } if *misplaced);
    assert!(reasons.iter().any(misplaced), "{reasons:?}");
    assert_eq!(holds(&judged, "update c-E002"), ["somebody_elses_card"]);
    assert_eq!(allowed(&judged), Vec::<String>::new());
    let learned = judged.plan.ledger.iter().any(|entry| entry.card.as_str() == "c-E002");
    assert!(!learned, "not ours before a human says whose number it is");
}

#[test]
fn where_both_names_differ_the_number_is_doubted_too_and_the_owner_gets_no_second_card() {
    let judged = number_on_the_wrong_card().judged();
    assert_eq!(holds(&judged, "create N001"), ["second_card"]);
    assert_eq!(
        holds(&judged, "update c-E002"),
        ["another_person", "somebody_elses_card"]
    );
    assert_eq!(allowed(&judged), Vec::<String>::new());
}
