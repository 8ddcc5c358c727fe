//! Leavers are archived at an hour of the day, the last working day included (RULES 4).

use super::world::{World, names, row, skips};
use crate::core::model::hour;
use crate::core::plan::SkipReason;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use proptest::prelude::*;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// A run saw it in the first minute of the day after.
fn seen_after(end: &str) -> Option<DateTime<Utc>> {
    let next = end.parse::<NaiveDate>().ok()?.succ_opt()?;
    hour::start_of_day(next, chrono_tz::Europe::Amsterdam)
}

/// Somebody whose last working day is this one; the condition is `end < today`.
fn leaver(end: &str, after: Duration, at: Option<(u32, u32)>) -> World {
    let mut world = World::of(3);
    world.hr().set("E001", "end", end);
    world.entry("c-E001").leaving_since = seen_after(end);
    world.policy.leaver_after = after;
    world.policy.leaver_at = at.map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day"));
    world
}

/// Whether the card is archived by then.
fn gone(world: &mut World, now: &str) -> bool {
    world.now = time(now);
    names(&world.plan()) == ["archive c-E001"]
}

#[test]
fn nobody_is_archived_before_their_last_working_day_is_over() {
    for at in [None, Some((18, 0)), Some((0, 0))] {
        let mut world = leaver("2026-03-02", Duration::zero(), at);
        assert!(!gone(&mut world, "2026-03-02T22:59:59Z"), "{at:?}");
        // Midnight in Amsterdam.
        assert_eq!(gone(&mut world, "2026-03-02T23:00:00Z"), at != Some((18, 0)), "{at:?}");
    }
}

#[test]
fn the_hour_is_the_first_after_the_evidence_has_held() {
    for (after, last_before, first) in [
        (Duration::zero(), "2026-03-03T16:59:59Z", "2026-03-03T17:00:00Z"),
        (Duration::days(1), "2026-03-04T16:59:59Z", "2026-03-04T17:00:00Z"),
        (Duration::days(30), "2026-04-02T15:59:59Z", "2026-04-02T16:00:00Z"),
        (Duration::hours(20), "2026-03-04T16:59:59Z", "2026-03-04T17:00:00Z"),
    ] {
        let mut world = leaver("2026-03-02", after, Some((18, 0)));
        assert!(!gone(&mut world, last_before), "{after}");
        let waits = skips(&world.plan());
        assert_eq!(waits[0].1, "c-E001");
        assert!(gone(&mut world, first), "{after}");
        assert!(gone(&mut world, "2026-05-01T03:00:00Z"), "{after}: and it stays due");
    }
}

#[test]
fn a_night_without_the_hour_and_one_that_has_it_twice() {
    // 29 March 2026 has no 02:30, 25 October has it twice.
    let mut world = leaver("2026-03-28", Duration::zero(), Some((2, 30)));
    assert!(!gone(&mut world, "2026-03-29T00:59:59Z"));
    assert!(gone(&mut world, "2026-03-29T01:00:00Z"));
    let mut world = leaver("2026-10-24", Duration::zero(), Some((2, 30)));
    assert!(!gone(&mut world, "2026-10-25T00:29:59Z"));
    assert!(gone(&mut world, "2026-10-25T00:30:00Z"));
    assert!(
        gone(&mut world, "2026-10-25T01:10:00Z"),
        "and it stays due when the clocks go back"
    );
    // A day after midnight of a day of 23 hours is the next midnight.
    let mut world = leaver("2026-03-28", Duration::days(1), Some((0, 0)));
    assert!(!gone(&mut world, "2026-03-29T21:59:59Z"));
    assert!(gone(&mut world, "2026-03-29T22:00:00Z"));
}

#[test]
fn what_does_not_depend_on_the_date_waits_for_the_hour_as_well() {
    let mut world = leaver("", Duration::days(1), Some((18, 0)));
    world.hr().set("E001", "status", "left");
    world.run();
    assert!(
        !gone(&mut world, "2026-03-03T09:30:00Z"),
        "held for a day, the hour has not come"
    );
    assert_eq!(skips(&world.plan())[0].0, SkipReason::LeavingLater);
    let detail = world.plan().skipped[0].detail.clone();
    assert!(
        detail.ends_with("; the card is archived at the first 18:00 (Europe/Amsterdam) after that"),
        "{detail}"
    );
    assert!(gone(&mut world, "2026-03-03T17:00:00Z"));
}

#[test]
fn an_end_date_to_come_says_the_hour() {
    let world = leaver("2026-03-09", Duration::days(1), Some((18, 0)));
    assert_eq!(
        world.plan().skipped[0].detail,
        "leaves on 2026-03-10; the card is archived 24 hours later at the earliest, at 18:00"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the hour, the delay and the time of the year: an hour never makes anybody leave sooner, and once it has
    /// come it stays.
    #[test]
    fn an_hour_never_comes_early_and_never_goes_back(
        day in 0_i64..400, minute in 0_u32..1440, days in 0_i64..4, steps in proptest::collection::vec(1_i64..600, 1..12),
    ) {
        let end = time("2026-01-01T00:00:00Z").date_naive() + Duration::days(day);
        let mut with = World::new();
        with.staff("E001");
        with.hr().rows[0] = row("E001").with("end", &end.to_string());
        with.entry("c-E001").leaving_since = seen_after(&end.to_string());
        with.entry("c-E001").since = time("2025-01-01T00:00:00Z");
        with.policy.leaver_after = Duration::days(days);
        let mut without = with.clone();
        with.policy.leaver_at = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0);
        without.policy.leaver_at = None;
        let mut now = end.and_hms_opt(12, 0, 0).unwrap().and_utc() + Duration::days(days);
        let mut was = false;
        for step in steps {
            now += Duration::minutes(step);
            (with.now, without.now) = (now, now);
            let is = !names(&with.plan()).is_empty();
            prop_assert!(is || !was, "it went back at {now}");
            // A day of 23 hours is a day: only there the hour may come an hour before 24 hours have passed.
            without.now += Duration::hours(1);
            prop_assert!(!is || !names(&without.plan()).is_empty(), "early at {now}");
            was = is;
        }
        (with.now, without.now) = (now + Duration::days(2), now);
        prop_assert!(names(&without.plan()).is_empty() || !names(&with.plan()).is_empty(), "never at {now}");
    }
}
