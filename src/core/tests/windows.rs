//! The rolling windows of the budgets (RULES 8.2): what is sent in slices is held like what is sent at once.

use super::world::{World, allowed, change, holds, row};
use crate::core::plan::{Change, HoldReason};
use crate::core::reads::clock::{ClockReading, Yardsticks, judge_clock};
use crate::core::rules::policy::BudgetClass;
use crate::core::rules::window::Window;
use chrono::Duration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn leave(world: &mut World, number: u32) {
    world.leaves(&format!("E{number:03}"));
}

fn message(world: &World, named: &str) -> String {
    let judged = world.judged();
    let item = &change(&judged.plan, named).id;
    judged.held[item][0].explain()
}

#[test]
fn slices_under_the_budget_are_held_once_the_week_is_full() {
    let mut world = World::of(100);
    for number in 1..=3 {
        leave(&mut world, number);
        assert_eq!(allowed(&world.run()), [format!("archive c-E{number:03}")]);
        world.now += Duration::days(1);
    }
    leave(&mut world, 4);
    let judged = world.run();
    assert_eq!(holds(&judged, "archive c-E004"), ["over_budget:archive"]);
    let reason = &judged.held[&change(&judged.plan, "archive c-E004").id][0];
    let HoldReason::OverBudget {
        count: 1,
        limit: 3,
        before: Some(before),
        ..
    } = reason
    else {
        panic!("{reason:?}");
    };
    assert_eq!((before.items, before.window), (3, Window::Week));
    assert_eq!(
        reason.explain(),
        "1 in class archive, and 3 sent in the last 7 days (4.1 % of 97), limit 3: the class is held whole until \
         2026-03-09 10:00 CET; approve the items, or raise guard.archive.per_week"
    );
    world.now += Duration::days(4);
    assert_eq!(allowed(&world.run()), ["archive c-E004"], "the first is a week old");
}

#[test]
fn no_window_moves_on_by_a_clock_that_is_doubted() {
    let mut world = World::of(100);
    for number in 1..=3 {
        world.hr().set(&format!("E{number:03}"), "job", "Nurse");
        leave(&mut world, number);
    }
    assert_eq!(allowed(&world.run()).len(), 3);
    let used = world.input().budget_used;
    let then = world.now;
    let within = |world: &World| used.within(BudgetClass::Archive, Window::Week, world.clock.earliest(world.now));
    // Three years ahead: TOPdesk's clock says so, or nobody does and the last run is the only measure.
    world.now += Duration::days(3 * 365);
    assert_eq!(within(&world), 0, "by a clock that is believed they are long past");
    let reading = ClockReading {
        whose: "topdesk".to_owned(),
        theirs: then,
        began: world.now,
        ended: world.now,
    };
    for (readings, last_run) in [(vec![reading], None), (Vec::new(), Some(then))] {
        let known = Yardsticks {
            last_run,
            ..Yardsticks::default()
        };
        world.clock = judge_clock(world.now, &readings, &known);
        assert!(!world.clock.is_trusted());
        assert_eq!(within(&world), 3);
    }
}

#[test]
fn a_week_of_its_own_leaves_the_day_as_it_is() {
    let mut world = World::of(100);
    world.policy.budgets.archive.per_week = Some(5);
    for number in 1..=3 {
        leave(&mut world, number);
    }
    world.run();
    leave(&mut world, 4);
    assert_eq!(
        message(&world, "archive c-E004"),
        "1 in class archive, and 3 sent in the last 24 hours (4.1 % of 97), limit 3: the class is held whole until \
         2026-03-03 10:00 CET; approve the items, or raise guard.archive"
    );
    world.now += Duration::days(1);
    assert_eq!(allowed(&world.run()), ["archive c-E004"]);
}

#[test]
fn an_approved_item_passes_a_full_window_and_fills_it() {
    let mut world = World::of(100);
    for number in 1..=5 {
        leave(&mut world, number);
    }
    world.approve(&world.judged(), |_| true);
    assert_eq!(allowed(&world.run()).len(), 5);
    world.now += Duration::days(2);
    leave(&mut world, 6);
    leave(&mut world, 7);
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
    world.approve(&world.judged(), |change| {
        change.key.as_ref().is_some_and(|key| key.as_str() == "E006")
    });
    assert_eq!(allowed(&world.run()), ["archive c-E006"]);
}

#[test]
fn joiners_go_on_while_archives_are_held() {
    let mut world = World::of(100);
    for day in 0..5 {
        leave(&mut world, day + 1);
        world.hr().rows.push(row(&format!("N{day}")));
        let create = format!("create N{day}");
        let archive = format!("archive c-E{:03}", day + 1);
        let expected = if day < 3 { vec![create, archive] } else { vec![create] };
        assert_eq!(allowed(&world.run()), expected);
        world.now += Duration::days(1);
    }
}

#[test]
fn what_never_fits_names_no_moment() {
    let mut world = World::of(100);
    leave(&mut world, 1);
    world.run();
    for number in 2..=5 {
        leave(&mut world, number);
    }
    let told = message(&world, "archive c-E002");
    assert!(
        told.starts_with("4 in class archive (4.0 % of 99), limit 3: the class is held whole; approve"),
        "{told}"
    );
}

/// What happens between two runs.
#[derive(Clone, Debug)]
enum Event {
    Leave(u32),
    Join(u32),
    Rename(u32),
    Blank(u32),
}

#[derive(Clone, Debug)]
struct Day {
    hours: i64,
    events: Vec<Event>,
    /// `run --only` this person.
    only: Option<u32>,
    /// Somebody approves the items of this person first.
    approved: Option<u32>,
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let event = prop_oneof![
        (1_u32..60).prop_map(Event::Leave),
        (0_u32..60).prop_map(Event::Join),
        (1_u32..60).prop_map(Event::Rename),
        (1_u32..60).prop_map(Event::Blank),
    ];
    let someone = || prop::option::weighted(0.3, 1_u32..60);
    let day = (1_i64..60, prop::collection::vec(event, 0..6), someone(), someone());
    let day = day.prop_map(|(hours, events, only, approved)| Day {
        hours,
        events,
        only,
        approved,
    });
    prop::collection::vec(day, 1..10)
}

fn happen(world: &mut World, event: &Event) {
    let there = |world: &mut World, number: u32| {
        let key = format!("E{number:03}");
        let found = world.hr().rows.iter().any(|row| row.values["key"] == key);
        found.then_some(key)
    };
    match event {
        Event::Leave(number) => leave(world, *number),
        Event::Join(number) => {
            let key = format!("N{number:03}");
            if world.hr().rows.iter().all(|row| row.values["key"] != key) {
                world.hr().rows.push(row(&key));
            }
        }
        Event::Rename(number) => {
            if let Some(key) = there(world, *number) {
                world.hr().set(&key, "sur", "Married");
            }
        }
        Event::Blank(number) => {
            if let Some(key) = there(world, *number) {
                world.hr().set(&key, "job", "");
            }
        }
    }
}

fn is_of(change: &Change, number: u32) -> bool {
    let key = change.key.as_ref().map(|key| key.as_str());
    key == Some(&format!("E{number:03}")) || key == Some(&format!("N{number:03}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_class_exceeds_its_limit_in_any_window_by_any_sequence_of_commands(days in days(), week in prop::option::of(4_u32..9)) {
        let mut world = World::of(60);
        world.policy.budgets.archive.per_week = week;
        for day in &days {
            for event in &day.events {
                happen(&mut world, event);
            }
            if let Some(number) = day.approved {
                world.approve(&world.judged(), |change| is_of(change, number));
            }
            let base = world.plan().base;
            let approved: BTreeSet<_> = world.decisions.keys().cloned().collect();
            let sent = match day.only {
                Some(number) => world.run_some(|change| is_of(change, number)),
                None => world.run().approved,
            };
            let mut unapproved: BTreeMap<BudgetClass, u64> = BTreeMap::new();
            for change in sent.changes().iter().map(|sent| sent.change()).filter(|change| !approved.contains(&change.id)) {
                for class in change.classes() {
                    *unapproved.entry(class).or_default() += 1;
                }
            }
            for class in unapproved.into_keys() {
                for (window, hours) in [(Window::Day, 24), (Window::Week, 7 * 24)] {
                    let since = world.now - Duration::minutes(1) - Duration::hours(hours);
                    let sent = world.spent.iter().filter(|spent| spent.class == class && spent.at > since);
                    let sent: u64 = sent.map(|spent| spent.items).sum();
                    let limit = match (class, window, week) {
                        (BudgetClass::Archive, Window::Week, Some(week)) => u64::from(week),
                        _ => world.policy.budgets.of(class).limit(base),
                    };
                    prop_assert!(sent <= limit, "{class}: {sent} in {window}, limit {limit}");
                }
            }
            world.now += Duration::hours(day.hours);
        }
    }
}
