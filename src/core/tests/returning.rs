//! Evidence of leaving that vanishes for many at once (RULES 4.7): who stood apart comes back only one by one.

use super::world::{World, allowed, holds, row};
use crate::core::memory::apart::FEW;
use crate::core::model::field::CardField;
use crate::core::model::key::Key;
use crate::core::plan::ActionKind;
use crate::core::rules::policy::Budget;
use chrono::Duration;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Staff, people whose card cardsync archived, and people who left before there was a card; all leavers by their status.
fn company(staff: u32, archived: u32, without_card: u32) -> World {
    let mut world = World::of(staff);
    let wide = Budget {
        max: Some(1000),
        percent: None,
        per_week: None,
    };
    world.policy.budgets.create = wide;
    world.policy.budgets.unarchive = wide;
    for number in 0..archived {
        let key = format!("A{number:03}");
        world.staff(&key);
        world.archived_by_us(&format!("c-{key}"));
        world.hr().set(&key, "status", "left");
    }
    for number in 0..without_card {
        let gone = row(&format!("N{number:03}")).with("status", "left");
        world.hr().rows.push(gone);
    }
    world.run();
    world.now += Duration::days(2);
    world
}

fn keys(letter: char, count: u32) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{letter}{number:03}"))
}

/// The word in HR is another one for these.
fn reword(world: &mut World, keys: impl Iterator<Item = String>) {
    for key in keys {
        world.hr().set(&key, "status", "former");
    }
}

#[test]
fn everybody_who_stops_being_a_leaver_waits_and_a_joiner_does_not() {
    let mut world = company(50, 3, 4);
    reword(&mut world, keys('A', 3).chain(keys('N', 4)));
    world.hr().rows.push(row("J001"));
    let judged = world.run();
    assert_eq!(allowed(&judged), ["create J001"]);
    assert_eq!(holds(&judged, "unarchive c-A000"), ["evidence_vanished"]);
    assert_eq!(holds(&judged, "create N003"), ["evidence_vanished"]);
    // It does not lapse with the next run.
    world.now += Duration::days(1);
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
    // The word is corrected: they are leavers again, and nothing waits.
    for key in keys('A', 3).chain(keys('N', 4)) {
        world.hr().set(&key, "status", "left");
    }
    assert!(world.run().plan.changes.is_empty());
}

#[test]
fn a_few_come_back_without_a_question() {
    let mut world = company(50, 2, 6);
    reword(&mut world, keys('A', 2).chain(keys('N', 1)));
    assert_eq!(
        allowed(&world.run()),
        ["unarchive c-A000", "unarchive c-A001", "create N000"]
    );
}

#[test]
fn people_who_come_into_scope_in_a_crowd_wait_too() {
    let mut world = World::of(50);
    for key in keys('X', 5) {
        world.hr().rows.push(row(&key).with("scope", "no"));
    }
    world.policy.budgets.create.percent = Some(50.0);
    world.run();
    for key in keys('X', 5) {
        world.hr().set(&key, "scope", "");
    }
    let judged = world.run();
    assert_eq!(allowed(&judged), Vec::<String>::new());
    assert_eq!(holds(&judged, "create X004"), ["evidence_vanished"]);
}

#[test]
fn approved_is_approved() {
    let mut world = company(50, 4, 0);
    reword(&mut world, keys('A', 4));
    let judged = world.run();
    world.approve(&judged, |change| change.action.kind() == ActionKind::Unarchive);
    assert_eq!(allowed(&world.run()).len(), 4);
    assert!(world.run().plan.changes.is_empty());
    assert!(world.contact.apart.known.is_empty() && world.contact.apart.vanished.is_empty());
}

#[test]
fn one_field_changed_on_many_waits_and_the_others_go_on() {
    let mut world = World::of(40);
    for number in 1..=4 {
        let key = format!("E{number:03}");
        world.hr().set(&key, "email", &format!("{key}@other.example"));
    }
    for number in 1..=9 {
        let key = format!("E{:03}", number + 10);
        world.set_text(&format!("c-{key}"), CardField::JobTitle, "Nurse");
        world.hr().set(&key, "job", "Doctor");
    }
    let judged = world.judged();
    // 5 % of 40 are fewer than 3, which always pass; 20 % are 8.
    assert_eq!(holds(&judged, "update c-E001"), ["over_budget:changed_logins:email"]);
    assert_eq!(holds(&judged, "update c-E011"), ["over_budget:changed_fields:jobTitle"]);
    world.hr().set("E004", "email", "e004@example.net");
    world.hr().set("E019", "job", "Nurse");
    assert_eq!(allowed(&world.judged()).len(), 3 + 8);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// However many lose the mark of a leaver, in whatever portions: nobody of a crowd gets a card in the run in which most
    /// of them do, nor later without an approval; and joiners get theirs at once.
    #[test]
    fn a_crowd_never_comes_back_unseen(
        archived in 0_u32..12, without_card in 0_u32..12, portion in 1_u32..24, joiners in 0_u32..3, days in 1_i64..5,
    ) {
        let mut world = company(60, archived, without_card);
        let all: Vec<String> = keys('A', archived).chain(keys('N', without_card)).collect();
        let changed: Vec<String> = all.iter().take(portion as usize).cloned().collect();
        reword(&mut world, changed.iter().cloned());
        for key in keys('J', joiners) {
            world.hr().rows.push(row(&key));
        }
        let crowd = changed.len() as u64 > FEW && changed.len() * 2 > all.len();
        let mut sent: BTreeSet<Key> = BTreeSet::new();
        for _ in 0..days {
            let judged = world.run();
            sent.extend(judged.approved.changes().iter().filter_map(|approved| approved.change().key.clone()));
            world.now += Duration::days(1);
        }
        for key in keys('J', joiners) {
            prop_assert!(sent.contains(&Key::stored(&key)), "{key} joined and waits");
        }
        let back: Vec<&String> = changed.iter().filter(|key| sent.contains(&Key::stored(key))).collect();
        if crowd {
            prop_assert!(back.is_empty(), "came back: {back:?}");
        } else {
            prop_assert_eq!(back.len(), changed.len(), "a few came back and wait");
        }
    }
}
