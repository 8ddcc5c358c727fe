//! Before the first working day: no card before its time, no access before the day (RULES 5, 11).

use super::world::{World, allowed, names, row, skips};
use super::worlds::worlds;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::plan::{ActionKind, SkipReason};
use crate::core::rules::policy::{Budget, Joiners};
use chrono::{Duration, NaiveDate, TimeZone, Utc};
use proptest::prelude::*;

/// A card a fortnight before, access on the day. Today is 2 March 2026.
fn waiting_world() -> World {
    let mut world = World::of(5);
    joiners_wait(&mut world);
    world
}

fn joiners_wait(world: &mut World) {
    world.mapping.starts = true;
    world.policy.joiners = Some(Joiners {
        days_before: 14,
        access_on_the_day: true,
    });
}

fn joiner(world: &mut World, start: &str) {
    world.hr().rows.push(row("N1").with("start", start));
}

fn access(world: &World) -> Option<bool> {
    let number =
        |card: &&crate::core::model::card::PersonCard| card.fields.text(CardField::EmployeeNumber) == Some("N1");
    match world.cards.values().find(number)?.fields.get(CardField::HasSspAccess) {
        Some(FieldValue::Flag(flag)) => Some(*flag),
        _ => None,
    }
}

#[test]
fn a_card_is_made_a_fortnight_before_the_first_day_and_no_sooner() {
    let mut world = waiting_world();
    joiner(&mut world, "2026-03-17");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    let [skip] = plan.skipped.as_slice() else {
        panic!("{:?}", plan.skipped)
    };
    assert_eq!(skip.reason, SkipReason::StartsLater);
    assert_eq!(skip.detail, "starts on 2026-03-17: waits until 2026-03-03");
    // The day changes at midnight in Amsterdam, an hour before UTC.
    world.now = Utc.with_ymd_and_hms(2026, 3, 2, 22, 59, 59).unwrap();
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.now = Utc.with_ymd_and_hms(2026, 3, 2, 23, 0, 0).unwrap();
    assert_eq!(names(&world.plan()), ["create N1"]);
}

#[test]
fn without_a_date_that_can_be_read_nobody_is_made() {
    for (start, reason) in [("", SkipReason::StartsLater), ("soon", SkipReason::StartUnknown)] {
        let mut world = waiting_world();
        joiner(&mut world, start);
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new());
        assert_eq!(skips(&plan), [(reason, "N1".to_owned())]);
    }
    let mut world = waiting_world();
    joiner(&mut world, "2026-03-02");
    world.hr().missing_attributes.insert("start".to_owned());
    assert_eq!(skips(&world.plan()), [(SkipReason::StartUnknown, "N1".to_owned())]);
}

#[test]
fn access_comes_on_the_day_once() {
    let mut world = waiting_world();
    joiner(&mut world, "2026-03-10");
    assert_eq!(allowed(&world.run()), ["create N1"]);
    assert_eq!(access(&world), Some(false));
    world.now = Utc.with_ymd_and_hms(2026, 3, 9, 22, 59, 0).unwrap();
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
    world.now = Utc.with_ymd_and_hms(2026, 3, 9, 23, 0, 0).unwrap();
    let judged = world.run();
    assert_eq!(judged.plan.changes.len(), 1);
    assert_eq!(judged.plan.changes[0].action.kind(), ActionKind::Update);
    assert_eq!(access(&world), Some(true));
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    // Whoever takes it away later wants it so.
    let card: CardId = world
        .cards
        .keys()
        .find(|id| id.as_str().starts_with("z-"))
        .cloned()
        .unwrap();
    world.set(card.as_str(), CardField::HasSspAccess, Some(FieldValue::Flag(false)));
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn access_that_a_human_gave_or_took_before_the_day_stays_as_it_is() {
    let mut world = waiting_world();
    joiner(&mut world, "2026-03-10");
    world.run();
    let card: CardId = world
        .cards
        .keys()
        .find(|id| id.as_str().starts_with("z-"))
        .cloned()
        .unwrap();
    world.set(card.as_str(), CardField::HasSspAccess, Some(FieldValue::Flag(true)));
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
    world.set(card.as_str(), CardField::HasSspAccess, Some(FieldValue::Flag(false)));
    world.now += Duration::days(20);
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
    assert_eq!(access(&world), Some(false));
}

#[test]
fn flags_of_cards_that_were_not_made_so_are_never_touched() {
    let mut world = waiting_world();
    // One who was there before, one whose card was made with all its access.
    world.hr().set("E001", "start", "2026-03-02");
    world.set("c-E001", CardField::HasSspAccess, Some(FieldValue::Flag(false)));
    joiner(&mut world, "2026-03-02");
    assert_eq!(allowed(&world.run()), ["create N1"]);
    assert_eq!(access(&world), Some(true));
    let card: CardId = world
        .cards
        .keys()
        .find(|id| id.as_str().starts_with("z-"))
        .cloned()
        .unwrap();
    world.set(card.as_str(), CardField::HasSspAccess, Some(FieldValue::Flag(false)));
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
}

#[test]
fn whoever_is_about_to_leave_gets_no_access() {
    let mut world = waiting_world();
    joiner(&mut world, "2026-03-10");
    world.run();
    world.now = Utc.with_ymd_and_hms(2026, 3, 10, 8, 0, 0).unwrap();
    world.hr().set("N1", "status", "?");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.hr().set("N1", "status", "left");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn where_new_cards_get_no_access_none_comes_on_the_day() {
    let mut world = waiting_world();
    world.policy.has_ssp_access = false;
    joiner(&mut world, "2026-03-10");
    world.run();
    world.now += Duration::days(20);
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
}

#[test]
fn access_that_waits_when_the_option_is_taken_out_is_told_and_not_given() {
    let mut world = waiting_world();
    joiner(&mut world, "2026-03-10");
    world.run();
    world.now += Duration::days(20);
    world.policy.joiners = None;
    world.mapping.starts = false;
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.skipped[0].reason, SkipReason::FieldLeft);
}

#[test]
fn a_rehire_waits_for_the_same_window() {
    let mut world = waiting_world();
    world.archived_by_us("c-E001");
    world.hr().set("E001", "start", "2026-03-20");
    assert_eq!(skips(&world.plan()), [(SkipReason::StartsLater, "c-E001".to_owned())]);
    world.hr().set("E001", "start", "soon");
    assert_eq!(skips(&world.plan()), [(SkipReason::StartUnknown, "c-E001".to_owned())]);
    world.hr().set("E001", "start", "2026-03-16");
    assert_eq!(names(&world.plan()), ["unarchive c-E001"]);
}

#[test]
fn who_has_a_card_is_kept_in_step_whenever_they_start() {
    let mut world = waiting_world();
    world.hr().set("E001", "start", "2027-01-01");
    world.hr().set("E001", "job", "Nurse");
    assert_eq!(names(&world.plan()), ["update c-E001"]);
}

#[test]
fn a_new_number_that_counts_from_a_day_to_come_shields_the_card_under_the_old_one() {
    let mut world = waiting_world();
    world.hr().rows.retain(|row| row.values["key"] != "E001");
    let same = row("E001").with("key", "N1").with("start", "2026-06-01");
    world.hr().rows.push(same);
    world.absent("c-E001", "hr", 3, 72);
    assert_eq!(
        skips(&world.plan()),
        [
            (SkipReason::StartsLater, "N1".to_owned()),
            (SkipReason::Shielded, "c-E001".to_owned())
        ]
    );
}

#[test]
fn the_access_of_a_day_is_no_class_of_its_own() {
    let mut world = waiting_world();
    world.policy.budgets.create = Budget {
        max: Some(50),
        percent: None,
        per_week: None,
    };
    for number in 0..20 {
        let row = row(&format!("N{number}")).with("start", "2026-03-10");
        world.hr().rows.push(row);
    }
    assert_eq!(allowed(&world.run()).len(), 20);
    world.now = Utc.with_ymd_and_hms(2026, 3, 10, 8, 0, 0).unwrap();
    assert_eq!(allowed(&world.run()).len(), 20);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Over a month of daily runs in whatever world: nobody is made or woken before the window, no access is given before
    /// the day or twice, and the second run of every day is empty of both.
    #[test]
    fn nobody_has_a_card_or_access_before_their_time(
        case in worlds(),
        starts in proptest::collection::vec(prop_oneof![4 => (0_i64..40).prop_map(Some), 1 => Just(None)], 12),
    ) {
        let mut world = case.world();
        joiners_wait(&mut world);
        world.policy.budgets = super::worlds::budgets(2);
        let first = world.now.date_naive();
        for source in &mut world.sources {
            for (row, start) in source.rows.iter_mut().zip(starts.iter().cycle()) {
                let start = start.map_or_else(|| "soon".to_owned(), |days| (first + Duration::days(days)).to_string());
                *row = row.clone().with("start", &start);
            }
        }
        let days = |world: &World, number: &str| -> Vec<Option<NaiveDate>> {
            let rows = world.sources.iter().flat_map(|source| &source.rows);
            let theirs = rows.filter(|row| row.values.get("key").is_some_and(|key| key.trim().to_uppercase() == number));
            theirs.map(|row| row.values["start"].parse().ok()).collect()
        };
        let mut given = std::collections::BTreeMap::<CardId, u32>::new();
        for _ in 0..6 {
            let today = world.input().moment.today();
            for again in [false, true] {
                let judged = world.run();
                for approved in judged.approved.changes() {
                    let change = approved.change();
                    let kind = change.action.kind();
                    let number = change.key.as_ref().map(|key| key.as_str().to_owned()).unwrap_or_default();
                    if matches!(kind, ActionKind::Create | ActionKind::Unarchive) {
                        let in_time = |day: &Option<NaiveDate>| day.is_some_and(|day| day - Duration::days(14) <= today);
                        prop_assert!(days(&world, &number).iter().any(in_time), "{kind} of {number} on {today}");
                    }
                    let on = |field: &&crate::core::plan::FieldChange| {
                        field.field == CardField::HasSspAccess && field.to == Some(FieldValue::Flag(true))
                    };
                    if change.action.fields().iter().any(|field| on(&field)) {
                        let begun = |day: &Option<NaiveDate>| day.is_some_and(|day| day <= today);
                        prop_assert!(days(&world, &number).iter().any(begun), "access of {number} on {today}");
                        prop_assert!(!(again && kind == ActionKind::Update), "access of {number} again on {today}");
                        if let Some(card) = &change.card {
                            let times = given.entry(card.clone()).or_default();
                            *times += 1;
                            prop_assert_eq!(*times, 1);
                        }
                    }
                }
            }
            world.now += Duration::days(7);
        }
    }
}
