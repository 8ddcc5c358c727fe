//! Lists by number hold the person, whatever number they have now (RULES 5).

use super::world::{World, allowed, key, names, row, skips};
use crate::core::model::field::CardField;
use crate::core::plan::SkipReason;
use crate::core::rules::anonymize::{Anonymize, AnonymizeBy, LegalHold};
use crate::core::rules::lists::listed_cards;
use chrono::Duration;

fn protect(world: &mut World, number: &str) {
    world.policy.protected.keys.insert(key(number));
}

/// The number is changed by hand in TOPdesk and in the source.
fn renumber(world: &mut World, from: &str, to: &str) {
    world.set_text(&format!("c-{from}"), CardField::EmployeeNumber, to);
    world.hr().row_of(from).values.insert("key", to.to_owned());
}

/// What a run remembers of the lists.
fn remember(world: &mut World) {
    world.contact = world.judged().contact;
}

#[test]
fn a_protected_card_stays_so_under_a_new_number() {
    let mut world = World::of(10);
    protect(&mut world, "E004");
    remember(&mut world);
    renumber(&mut world, "E004", "N004");
    *world.hr().row_of("N004") = row("N004").with("end", "2026-01-01");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert!(skips(&world.plan()).contains(&(SkipReason::Protected, "c-E004".to_owned())));
}

#[test]
fn a_former_number_in_the_ledger_counts_without_an_earlier_look_at_the_list() {
    let mut world = World::of(10);
    renumber(&mut world, "E004", "N004");
    world.entry("c-E004").key = Some(key("N004"));
    world.entry("c-E004").former_keys.push(key("E004"));
    protect(&mut world, "E004");
    *world.hr().row_of("N004") = row("N004").with("job", "Nurse");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_card_that_was_never_ours_is_remembered_as_well() {
    let mut world = World::of(10);
    world.card("c-board", &row("B001"));
    protect(&mut world, "B001");
    remember(&mut world);
    world.set_text("c-board", CardField::EmployeeNumber, "N900");
    world
        .hr()
        .rows
        .push(row("B001").with("key", "N900").with("job", "Director"));
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    // Taken off the list it is like every other card.
    world.policy.protected.keys.clear();
    assert_eq!(allowed(&world.judged()), ["update c-board"]);
}

#[test]
fn a_number_that_no_card_has_is_told_and_one_that_a_card_had_is_not() {
    let mut world = World::of(10);
    protect(&mut world, "E004");
    protect(&mut world, "9999");
    remember(&mut world);
    renumber(&mut world, "E004", "N004");
    let told: Vec<(SkipReason, String)> = skips(&world.plan())
        .into_iter()
        .filter(|(reason, _)| *reason == SkipReason::ListedWithoutCard)
        .collect();
    assert_eq!(told, [(SkipReason::ListedWithoutCard, "9999".to_owned())]);
}

fn on_legal_hold(world: &mut World, number: &str) {
    world.policy.anonymize = Some(Anonymize {
        by: AnonymizeBy::Api,
        after: Duration::days(5),
        legal_hold: LegalHold {
            keys: [key(number)].into(),
            ..LegalHold::default()
        },
        fields: Anonymize::default_fields(),
    });
}

#[test]
fn legal_hold_outlives_a_new_number() {
    let mut world = World::of(10);
    on_legal_hold(&mut world, "E004");
    remember(&mut world);
    world.set_text("c-E004", CardField::EmployeeNumber, "N004");
    world.entry("c-E004").key = Some(key("N004"));
    world.hr().rows.retain(|row| row.values["key"] != "E004");
    world.archived_by_us("c-E004");
    world.absent("c-E004", "hr", 9, 240);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert!(skips(&world.plan()).contains(&(SkipReason::LegalHold, "c-E004".to_owned())));
}

#[test]
fn an_adoption_of_a_card_on_legal_hold_says_so() {
    let mut world = World::of(10);
    on_legal_hold(&mut world, "E004");
    remember(&mut world);
    world.set_text("c-E004", CardField::EmployeeNumber, "");
    world.hr().rows.retain(|row| row.values["key"] != "E004");
    world.hr().rows.push(row("E004").with("key", "N004"));
    let plan = world.plan();
    let adopt = plan
        .changes
        .iter()
        .find(|change| change.card.as_ref().is_some_and(|card| card.as_str() == "c-E004"));
    let why = &adopt.expect("offered").why;
    assert!(why.iter().any(|why| why.contains("legal hold")), "{why:?}");
}

#[test]
fn nothing_is_remembered_of_whom_no_list_names_or_who_was_anonymized() {
    let mut world = World::of(10);
    protect(&mut world, "E004");
    remember(&mut world);
    assert_eq!(world.contact.listed.len(), 1);
    world.set_text("c-E004", CardField::SurName, "*****");
    assert!(listed_cards(&world.input()).values().all(|cards| cards.is_empty()));
    remember(&mut world);
    assert!(world.contact.listed.is_empty());
}
