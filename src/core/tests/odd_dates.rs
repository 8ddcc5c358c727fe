//! Dates that are no evidence by themselves, and evidence that counts from its first sight (RULES 4.6).

use super::world::{World, allowed, change, holds, key, names, row, skips};
use crate::core::memory::ledger::LastLook;
use crate::core::model::card::OperatorKind;
use crate::core::model::hour;
use crate::core::model::identity::Moment;
use crate::core::plan::SkipReason;
use crate::core::reads::snapshot::Role;
use chrono::{DateTime, Duration, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

/// The world's today is 2 March 2026; the cards are ours since 31 January.
fn with_end(end: &str) -> World {
    let mut world = World::of(40);
    world.hr().set("E001", "end", end);
    world
}

/// The code of the one hold of this archive.
fn doubt(world: &World) -> String {
    let judged = world.judged();
    let held = holds(&judged, "archive c-E001");
    let code = held.into_iter().find(|code| code.starts_with("doubtful_date:"));
    code.unwrap_or_else(|| panic!("no doubt: {:?}", skips(&judged.plan)))
}

#[test]
fn what_is_first_seen_today_is_evidence_of_today() {
    let mut world = with_end("2026-02-10");
    let judged = world.run();
    assert_eq!(skips(&judged.plan), [(SkipReason::LeavingLater, "c-E001".to_owned())]);
    // A day later, a few minutes more or less.
    world.now = "2026-03-03T08:49:00Z".parse().unwrap();
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.now = "2026-03-03T08:58:00Z".parse().unwrap();
    assert_eq!(allowed(&world.run()), ["archive c-E001"]);
}

#[test]
fn a_day_that_was_known_ahead_counts_also_where_no_run_saw_it_come() {
    // Friday is the last day, and no run is made at the weekend.
    let mut world = with_end("2026-03-06");
    world.run();
    world.now = "2026-03-09T05:00:00Z".parse().unwrap();
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    // Another day than the one that was known is new.
    world.hr().set("E001", "end", "2026-03-05");
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}

#[test]
fn hours_count_from_the_very_sight() {
    let mut world = with_end("2026-02-10");
    world.policy.leaver_after = Duration::hours(4);
    world.run();
    world.now += Duration::minutes(238);
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
    world.now += Duration::minutes(1);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    // Whose last day was yesterday counts from midnight.
    let mut world = with_end("2026-03-01");
    world.policy.leaver_after = Duration::hours(4);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
}

#[test]
fn an_end_before_the_card_became_ours_waits_for_somebody_who_looks() {
    let mut world = with_end("2026-01-15");
    world.run();
    world.now += Duration::days(2);
    let first = doubt(&world);
    let judged = world.judged();
    let archive = change(&judged.plan, "archive c-E001").clone();
    assert!(
        archive.doubts[0]
            .explain()
            .contains("over by 2026-01-16, before the card became ours on 2026-01-31"),
        "{}",
        archive.doubts[0].explain()
    );
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    // Another date is another question.
    world.hr().set("E001", "end", "2025-01-15");
    let second = doubt(&world);
    assert_ne!(first, second);
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}

#[test]
fn who_was_a_leaver_when_the_card_became_ours_is_no_surprise() {
    let mut world = with_end("2026-01-15");
    let entry = world.entry("c-E001");
    entry.leaving_since = Some(entry.since);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
}

#[test]
fn an_end_years_ago_on_a_card_that_was_in_step_waits() {
    let mut world = with_end("2021-01-15");
    world.entry("c-E001").since = "2015-01-01T08:00:00Z".parse().unwrap();
    world.run();
    world.now += Duration::days(2);
    doubt(&world);
    world.hr().set("E001", "end", "2021-05-15");
    assert_eq!(allowed(&world.judged()), ["archive c-E001"], "less than five years");
}

#[test]
fn an_end_before_the_start_waits_and_makes_no_card() {
    let mut world = with_end("2026-02-20");
    world.mapping.starts = true;
    for row in &mut world.hr().rows {
        row.values.insert("start", "2020-01-01".to_owned());
    }
    world.hr().set("E001", "start", "2026-02-21");
    world
        .hr()
        .rows
        .push(row("E900").with("start", "2026-02-21").with("end", "2026-02-20"));
    world
        .hr()
        .rows
        .push(row("E901").with("start", "2026-02-01").with("end", "2026-02-20"));
    world.run();
    world.now += Duration::days(2);
    doubt(&world);
    let plan = world.plan();
    assert!(skips(&plan).contains(&(SkipReason::LeavingUnknown, "E900".to_owned())));
    assert!(skips(&plan).contains(&(SkipReason::LeftWithoutCard, "E901".to_owned())));
}

#[test]
fn a_status_needs_no_date() {
    let mut world = with_end("1970-01-01");
    world.hr().set("E001", "status", "left");
    world.run();
    world.now += Duration::days(2);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    world.hr().set("E001", "status", "");
    doubt(&world);
}

#[test]
fn doubts_take_no_room_from_those_who_leave() {
    let mut world = World::of(40);
    for number in 1..=3 {
        world.hr().set(&format!("E00{number}"), "end", "1970-01-01");
    }
    world.leaves("E004");
    world.run();
    world.now += Duration::days(2);
    assert!(!holds(&world.judged(), "archive c-E001").is_empty());
    let plan = world.judged();
    assert_eq!(allowed(&plan), Vec::<String>::new(), "E004 went in the first run");
    world.leaves("E005");
    assert_eq!(allowed(&world.judged()), ["archive c-E005"]);
}

#[test]
fn evidence_that_was_seen_stays_when_the_record_goes() {
    let mut world = World::of(40);
    world.sources.push(super::world::TestSource::new("ad", Role::Enrich));
    world.source("ad").rows.extend([row("E001"), row("E002")]);
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    for number in ["E001", "E002"] {
        world.hr().set(number, "end", "2026-03-01");
    }
    world.policy.leaver_after = Duration::days(3);
    world.run();
    world.now += Duration::days(1);
    for number in ["E001", "E002"] {
        world.hr().remove(number);
    }
    world.hr().generation += 1;
    assert_eq!(names(&world.run().plan), Vec::<String>::new(), "not yet");
    world.now += Duration::days(2);
    let judged = world.run();
    assert_eq!(allowed(&judged), ["archive c-E002"]);
    assert_eq!(
        holds(&judged, "archive c-E001"),
        ["over_budget:operators"],
        "told, and not for the directory's sake"
    );
    let id = change(&judged.plan, "archive c-E001").id.clone();
    world.now += Duration::days(10);
    world.hr().generation += 5;
    assert_eq!(
        change(&world.run().plan, "archive c-E001").id,
        id,
        "and it stays that item"
    );
    // The record comes back, and the end date is gone.
    world.hr().rows.push(row("E001"));
    assert_eq!(names(&world.run().plan), Vec::<String>::new());
    assert!(!world.entry("c-E001").leaving_is_certain);
}

#[test]
fn evidence_in_doubt_does_not_outlive_its_record() {
    let mut world = with_end("1970-01-01");
    world.run();
    world.now += Duration::days(2);
    world.hr().remove("E001");
    assert_eq!(names(&world.run().plan), Vec::<String>::new());
    assert!(skips(&world.plan()).contains(&(SkipReason::MissingNotYet, "c-E001".to_owned())));
}

#[test]
fn what_cardsync_made_counts_as_seen_in_that_run() {
    let mut world = World::of(40);
    world.hr().rows.push(row("E900"));
    assert_eq!(allowed(&world.run()), ["create E900"]);
    world.hr().remove("E900");
    for _ in 0..3 {
        world.now += Duration::days(1);
        world.hr().generation += 1;
        world.run();
    }
    let card = world.cards.values().find(|card| card.archived);
    assert!(
        card.is_some_and(|card| card.id.as_str().starts_with("z-")),
        "gone from the next export on"
    );
}

#[test]
fn a_card_that_a_human_woke_stays_whoever_had_archived_it() {
    for absent in [false, true] {
        let mut world = World::of(40);
        world.leaves("E001");
        world.card_mut("c-E001").archived = true;
        world.run();
        assert_eq!(world.entry("c-E001").last_look, LastLook::Archived);
        world.card_mut("c-E001").archived = false;
        if absent {
            world.hr().remove("E001");
        }
        for _ in 0..5 {
            world.now += Duration::days(1);
            world.hr().generation += 1;
            assert_eq!(names(&world.run().plan), Vec::<String>::new());
        }
        assert_eq!(
            skips(&world.plan()),
            [(SkipReason::UnarchivedByHand, "c-E001".to_owned())]
        );
        // Whoever is back for good and leaves later is archived like everybody.
        if absent {
            world.hr().rows.push(row("E001"));
        }
        world.hr().set("E001", "end", "");
        world.run();
        world.hr().set("E001", "status", "left");
        world.run();
        world.now += Duration::days(1);
        assert_eq!(allowed(&world.run()), ["archive c-E001"]);
    }
}

const ZONES: [Tz; 4] = [
    chrono_tz::Europe::Amsterdam,
    chrono_tz::Asia::Beirut,
    chrono_tz::America::Santiago,
    chrono_tz::Australia::Lord_Howe,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// So many days before are so many days of the calendar, and never later than the time itself; a later moment looks
    /// back to a later one.
    #[test]
    fn days_before_are_days_of_the_calendar_in_every_zone(
        zone in 0_usize..4, minute in 0_i64..1_000_000, step in 1_i64..3000, days in 1_i64..5,
    ) {
        let zone = ZONES[zone];
        let start: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let (now, span) = (start + Duration::minutes(minute), Duration::days(days));
        let before = hour::before(now, span, zone);
        let day = |time: DateTime<Utc>| time.with_timezone(&zone).date_naive();
        prop_assert_eq!(day(now) - day(before), span);
        prop_assert!(before <= now - span + Duration::minutes(61) && before >= now - span - Duration::minutes(61));
        // In the night in which an hour comes twice, looking back goes over it again: it goes back no further.
        let later = hour::before(now + Duration::minutes(step), span, zone);
        prop_assert!(later >= before - Duration::minutes(60));
    }

    /// `at` is the first moment of the day at which the clocks show it or are put forward over it, which is when a schedule
    /// with that time runs.
    #[test]
    fn the_hour_is_the_first_of_its_day(zone in 0_usize..4, minute in 0_i64..1_000_000, at in 0_u32..1440) {
        let zone = ZONES[zone];
        let start: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let now = start + Duration::minutes(minute);
        let at = NaiveTime::from_hms_opt(at / 60, at % 60, 0).unwrap();
        let last = hour::last(at, Moment { now, zone });
        prop_assert!(last <= now);
        let local = last.with_timezone(&zone);
        if local.time() == at {
            prop_assert_eq!(Some(local), zone.from_local_datetime(&local.naive_local()).earliest());
        } else {
            prop_assert!(zone.from_local_datetime(&local.date_naive().and_time(at)).earliest().is_none(), "{}", local);
        }
        prop_assert!(hour::last(at, Moment { now: now + Duration::minutes(7), zone }) >= last, "it never goes back");
    }

    /// A leaver is archived on the day that the docs promise, in every zone and season, whenever runs happen; never before
    /// it, and never because of the time of day of a run.
    #[test]
    fn a_day_after_the_last_day_is_a_day_of_the_calendar(
        zone in 0_usize..4, day in 0_i64..700, after in 0_i64..4, late in 0_i64..1440, early in 1_i64..1440,
    ) {
        let zone = ZONES[zone];
        let mut world = World::of(1);
        world.zone = zone;
        let end = chrono::NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + Duration::days(day);
        world.hr().set("E001", "end", &end.to_string());
        world.policy.leaver_after = Duration::days(after);
        world.entry("c-E001").since = "2024-01-01T00:00:00Z".parse().unwrap();
        let next = end + Duration::days(1);
        // A run sees it some time in the day after.
        let begins = hour::start_of_day(next, zone).unwrap();
        world.now = begins + Duration::minutes(late.min(1379));
        let first = world.run();
        prop_assert_eq!(after == 0, !names(&first.plan).is_empty());
        if after > 0 {
            let due = hour::start_of_day(next + Duration::days(after), zone).unwrap();
            world.now = due - Duration::minutes(early.min(60));
            prop_assert_eq!(names(&world.plan()), Vec::<String>::new());
            world.now = due;
            prop_assert_eq!(names(&world.plan()), ["archive c-E001"]);
        }
    }

    /// What 'leaves on' says does not depend on the time of day of the plan.
    #[test]
    fn leaves_on_is_the_same_all_day(zone in 0_usize..4, day in 0_i64..700, ahead in 1_i64..80, minutes in (0_i64..1380, 0_i64..1380)) {
        let zone = ZONES[zone];
        let mut world = World::of(1);
        world.zone = zone;
        let today = chrono::NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + Duration::days(day);
        world.hr().set("E001", "end", &(today + Duration::days(ahead)).to_string());
        world.entry("c-E001").since = "2024-01-01T00:00:00Z".parse().unwrap();
        let begins = hour::start_of_day(today, zone).unwrap();
        let mut said = |minutes: i64| {
            world.now = begins + Duration::minutes(minutes);
            world.plan().skipped[0].detail.clone()
        };
        let one = said(minutes.0);
        prop_assert!(one.starts_with(&format!("leaves on {}", today + Duration::days(ahead + 1))), "{}", one);
        prop_assert_eq!(one, said(minutes.1));
    }
}

#[test]
fn what_was_seen_under_a_former_number_is_no_first_sight_of_the_new_one() {
    let mut world = with_end("2026-02-20");
    let since = world.now - Duration::days(20);
    let entry = world.entry("c-E001");
    (entry.key, entry.leaving_since, entry.leaving_is_certain) = (Some(key("X001")), Some(since), true);
    let judged = world.run();
    assert_eq!(skips(&judged.plan), [(SkipReason::LeavingLater, "c-E001".to_owned())]);
    assert_eq!(world.entry("c-E001").leaving_since, Some(since + Duration::days(20)));
    let mut entry = world.entry("c-E001").clone();
    entry.goes_under(&key("E901"));
    assert_eq!((entry.leaving_since, entry.leaving_is_certain), (None, false));
    assert_eq!(entry.former_keys, [key("X001"), key("E001")]);
}
