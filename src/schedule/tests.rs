use super::*;
use chrono::{Datelike, NaiveDate, NaiveTime};
use chrono_tz::America::{New_York, Sao_Paulo};
use chrono_tz::Australia::Lord_Howe;
use chrono_tz::Europe::Amsterdam;
use chrono_tz::Pacific::Apia;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn schedule(cron: &str, zone: Tz) -> Schedule {
    Schedule::parse(cron, zone).unwrap_or_else(|error| panic!("{cron}: {error}"))
}

fn utc(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().unwrap()
}

/// The wall-clock times, with offset, of the runs from one UTC moment (inclusive) to another (exclusive).
fn runs(cron: &str, zone: Tz, from: &str, to: &str) -> Vec<String> {
    let schedule = schedule(cron, zone);
    let before = utc(from) - Duration::seconds(1);
    std::iter::successors(schedule.next_after(before), |last| schedule.next_after(*last))
        .take_while(|moment| *moment < utc(to))
        .map(|moment| moment.with_timezone(&zone).format("%d %H:%M%:::z").to_string())
        .collect()
}

fn refused(cron: &str) -> String {
    check(cron).expect_err(cron).to_string()
}

/// The weekdays of a whole week, Monday first, on which it runs.
fn weekdays(cron: &str) -> Vec<u32> {
    let schedule = schedule(cron, Tz::UTC);
    schedule
        .upcoming(utc("2026-06-07T23:59"), 7)
        .into_iter()
        .take_while(|moment| *moment < utc("2026-06-15T00:00"))
        .map(|moment| moment.weekday().number_from_monday())
        .collect()
}

#[test]
fn five_fields_count_weekdays_as_cron_does() {
    assert_eq!(weekdays("0 6 * * 1-5"), [1, 2, 3, 4, 5]);
    assert_eq!(weekdays("0 6 * * 0"), [7]);
    assert_eq!(weekdays("0 6 * * 7"), [7]);
    assert_eq!(weekdays("0 6 * * 5-7"), [5, 6, 7]);
    assert_eq!(weekdays("0 6 * * 0,6"), [6, 7]);
    assert_eq!(weekdays("0 6 * * 0-7"), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(weekdays("0 6 * * */2"), [2, 4, 6, 7]);
}

#[test]
fn weekdays_have_names_in_every_form() {
    for cron in [
        "0 6 * * mon-fri",
        "0 6 * * Monday-FRIDAY",
        "0 0 6 * * mon-fri",
        "0 0 6 ? * MON,tues,Wed-Fri *",
    ] {
        assert_eq!(weekdays(cron), [1, 2, 3, 4, 5], "{cron}");
    }
    assert_eq!(weekdays("0 6 * * sat-sun"), [6, 7]);
    assert_eq!(weekdays("0 6 * * sun-tue"), [1, 2, 7]);
    assert_eq!(weekdays("0 0 6 * * mon-fri/2"), [1, 3, 5]);
}

#[test]
fn six_and_seven_fields_begin_with_seconds_and_end_with_the_year() {
    let next = |cron| {
        schedule(cron, Tz::UTC)
            .next_after(utc("2026-06-08T05:59"))
            .map(|moment| moment.to_rfc3339())
    };
    assert_eq!(next("30 0 6 * * *").as_deref(), Some("2026-06-08T06:00:30+00:00"));
    assert_eq!(next("0 0 6 1 feb ? 2028").as_deref(), Some("2028-02-01T06:00:00+00:00"));
    assert_eq!(next("0 0 6 * * * 2020"), None, "its years are over");
    assert_eq!(next("0 6 29 2 *").as_deref(), Some("2028-02-29T06:00:00+00:00"));
}

#[test]
fn a_run_at_this_very_second_is_not_next() {
    let schedule = schedule("0 6 * * *", Tz::UTC);
    let half_past = utc("2026-06-08T06:00") + Duration::milliseconds(500);
    assert_eq!(
        schedule.next_after(utc("2026-06-08T06:00")),
        Some(utc("2026-06-09T06:00"))
    );
    assert_eq!(schedule.next_after(half_past), Some(utc("2026-06-09T06:00")));
    assert_eq!(
        schedule.next_after(half_past - Duration::seconds(1)),
        Some(utc("2026-06-08T06:00"))
    );
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    assert!(refused("0 0 6 * * 1").starts_with("has a number as weekday ('1') in 6 fields; write sun, mon"));
    assert!(refused("0 0 6 * * 1-5 2030").starts_with("has a number as weekday ('1-5') in 7 fields"));
    assert!(refused("0 6 1,15 * mon").starts_with("names days ('1,15') and weekdays ('mon'); write * for one of them"));
    assert!(refused("5/15 * * * *").starts_with("minute '5/15' can be read in two ways; write 5-59/15"));
}

#[test]
fn a_refusal_names_the_field_and_the_cure() {
    for (cron, told) in [
        ("", "has 0 fields, not 5, 6 or 7; write e.g."),
        ("hourly", "has 1 fields"),
        ("0 0 6 * * * 2030 *", "has 8 fields"),
        ("75 6 * * *", "minute '75' is above 59; write a number from 0 to 59"),
        ("0 24 * * *", "hour '24' is above 23"),
        ("0 6 0 * *", "day '0' is below 1"),
        (
            "0 6 * 13 *",
            "month '13' is above 12; write a number from 1 to 12 or a name such as jan",
        ),
        (
            "0 6 * * 8",
            "weekday '8' is above 7; write a number from 0 to 7 or a name such as sun",
        ),
        ("0 6 * * mon#1", "weekday 'mon#1' is not understood"),
        ("0 6 L * *", "day 'L' is not understood"),
        ("0 6 * * ma", "weekday 'ma' is not understood"),
        ("0 6 * * mo", "weekday 'mo' is not understood"),
        ("0 6 * * mon,", "weekday has nothing at one side of a comma"),
        ("? 6 * * *", "minute '?' is not understood"),
        ("-5 6 * * *", "minute '-5' is not understood"),
        ("+5 6 * * *", "minute '+5' is not understood"),
        (
            "99999999999999999999 6 * * *",
            "minute '99999999999999999999' is above 59",
        ),
        ("0 22-4 * * *", "hour '22-4' runs backwards; write it as two ranges"),
        ("0 6 * * fri-mon", "weekday 'fri-mon' runs backwards"),
        (
            "*/0 * * * *",
            "minute '*/0' has no usable step; write a step from 1 to 59",
        ),
        ("*/x * * * *", "minute '*/x' has no usable step"),
        ("*/90 * * * *", "minute '*/90' steps over the whole field"),
        ("0 0 6 * * * 1960", "year '1960' is below 1970"),
        ("0 6 30 2 *", "never comes: there is no day '30' in month '2'"),
        ("0 0 6 29 2 * 2027", "never comes"),
    ] {
        let message = refused(cron);
        assert!(message.starts_with(told), "{cron}: {message}");
    }
}

// Europe/Amsterdam 2026: 02:00 -> 03:00 on 29 March at 01:00 UTC, 03:00 -> 02:00 on 25 October at 01:00 UTC.

#[test]
fn a_job_in_the_gap_runs_once_right_after_it() {
    let day = ("2026-03-28T12:00", "2026-03-30T12:00");
    assert_eq!(
        runs("30 2 * * *", Amsterdam, day.0, day.1),
        ["29 03:00+02", "30 02:30+02"]
    );
    assert_eq!(
        runs("0 2 * * *", Amsterdam, day.0, day.1),
        ["29 03:00+02", "30 02:00+02"]
    );
    assert_eq!(
        runs("0,30 2 * * *", Amsterdam, day.0, day.1),
        ["29 03:00+02", "30 02:00+02", "30 02:30+02"]
    );
    assert_eq!(
        runs("30 2,3 * * *", Amsterdam, day.0, "2026-03-29T12:00"),
        ["29 03:00+02", "29 03:30+02"]
    );
    assert_eq!(
        runs("0 2,3 * * *", Amsterdam, day.0, "2026-03-29T12:00"),
        ["29 03:00+02"]
    );
    assert_eq!(
        runs("30 2 29 3 *", Amsterdam, "2026-01-01T00:00", "2027-01-01T00:00"),
        ["29 03:00+02"]
    );
}

#[test]
fn a_job_in_the_overlap_runs_once_in_the_first_pass() {
    let day = ("2026-10-24T12:00", "2026-10-26T12:00");
    assert_eq!(
        runs("30 2 * * *", Amsterdam, day.0, day.1),
        ["25 02:30+02", "26 02:30+01"]
    );
    assert_eq!(
        runs("0 2 * * *", Amsterdam, day.0, day.1),
        ["25 02:00+02", "26 02:00+01"]
    );
    assert_eq!(
        runs("0 3 * * *", Amsterdam, day.0, day.1),
        ["25 03:00+01", "26 03:00+01"]
    );
    assert_eq!(
        runs("0,30 2 * * *", Amsterdam, day.0, "2026-10-25T12:00"),
        ["25 02:00+02", "25 02:30+02"]
    );
}

#[test]
fn started_in_the_second_pass_a_fixed_job_waits_for_the_next_day() {
    let schedule = schedule("30 2 * * *", Amsterdam);
    // 02:10 and 02:40 of the second pass.
    for now in ["2026-10-25T01:10", "2026-10-25T01:40"] {
        assert_eq!(schedule.next_after(utc(now)), Some(utc("2026-10-26T01:30")), "{now}");
    }
}

#[test]
fn frequent_schedules_go_on_through_both_hours() {
    let night = ("2026-10-24T23:30", "2026-10-25T02:30");
    let both = [
        "25 01:30+02",
        "25 02:00+02",
        "25 02:30+02",
        "25 02:00+01",
        "25 02:30+01",
        "25 03:00+01",
    ];
    assert_eq!(runs("*/30 * * * *", Amsterdam, night.0, night.1), both);
    assert_eq!(runs("*/30 0-5 * * *", Amsterdam, night.0, night.1), both);
    assert_eq!(runs("0 */30 * * * *", Amsterdam, night.0, night.1), both);
    assert_eq!(
        runs("15 * * * *", Amsterdam, night.0, night.1),
        ["25 02:15+02", "25 02:15+01", "25 03:15+01"]
    );
    // A window that begins in the repeated hour is not frequent around it: its first pass is enough.
    assert_eq!(
        runs("*/30 2-3 * * *", Amsterdam, night.0, night.1),
        ["25 02:00+02", "25 02:30+02", "25 03:00+01"]
    );
}

#[test]
fn frequent_schedules_cross_the_gap_without_an_extra_run() {
    let night = ("2026-03-29T00:00", "2026-03-29T02:00");
    assert_eq!(
        runs("5-55/20 * * * *", Amsterdam, night.0, night.1),
        [
            "29 01:05+01",
            "29 01:25+01",
            "29 01:45+01",
            "29 03:05+02",
            "29 03:25+02",
            "29 03:45+02"
        ]
    );
    assert_eq!(
        runs("30 * * * *", Amsterdam, night.0, night.1),
        ["29 01:30+01", "29 03:30+02"]
    );
    assert_eq!(
        runs("0 * * * *", Amsterdam, night.0, night.1),
        ["29 01:00+01", "29 03:00+02"]
    );
}

// America/New_York 2026: 02:00 -> 03:00 on 8 March at 07:00 UTC, 02:00 -> 01:00 on 1 November at 06:00 UTC.

#[test]
fn new_york_skips_and_repeats_other_hours() {
    assert_eq!(
        runs("15 2 * * *", New_York, "2026-03-07T12:00", "2026-03-09T12:00"),
        ["08 03:00-04", "09 02:15-04"]
    );
    assert_eq!(
        runs("15 1 * * *", New_York, "2026-10-31T12:00", "2026-11-02T12:00"),
        ["01 01:15-04", "02 01:15-05"]
    );
    assert_eq!(
        runs("*/30 * * * *", New_York, "2026-11-01T05:00", "2026-11-01T07:30"),
        [
            "01 01:00-04",
            "01 01:30-04",
            "01 01:00-05",
            "01 01:30-05",
            "01 02:00-05"
        ]
    );
    assert_eq!(
        runs(
            "*/30 6-20 * * mon-fri",
            New_York,
            "2026-10-30T23:30",
            "2026-11-02T12:00"
        ),
        [
            "30 19:30-04",
            "30 20:00-04",
            "30 20:30-04",
            "02 06:00-05",
            "02 06:30-05"
        ]
    );
}

// Australia/Lord_Howe moves by half an hour: 2026 02:00 -> 01:30 on 5 April at 15:00 UTC of the 4th,
// 02:00 -> 02:30 on 4 October at 15:30 UTC of the 3rd.

#[test]
fn lord_howe_moves_by_half_an_hour() {
    let named = |cron, from, to| -> Vec<String> {
        runs(cron, Lord_Howe, from, to)
            .iter()
            .map(|run| run[..8].to_owned())
            .collect()
    };
    assert_eq!(
        named("10 2 * * *", "2026-10-02T15:50", "2026-10-04T15:40"),
        ["04 02:30", "05 02:10"]
    );
    assert_eq!(
        named("45 1 * * *", "2026-04-03T16:00", "2026-04-05T16:00"),
        ["05 01:45", "06 01:45"]
    );
    assert_eq!(
        named("*/15 * * * *", "2026-04-04T14:15", "2026-04-04T15:45"),
        ["05 01:15", "05 01:30", "05 01:45", "05 01:30", "05 01:45", "05 02:00"]
    );
    assert_eq!(
        named("*/15 * * * *", "2026-10-03T15:00", "2026-10-03T16:00"),
        ["04 01:30", "04 01:45", "04 02:30", "04 02:45"]
    );
    assert_eq!(
        named("0 * * * *", "2026-04-04T13:30", "2026-04-04T17:00"),
        ["05 01:00", "05 02:00", "05 03:00"]
    );
}

#[test]
fn a_gap_at_midnight_and_a_skipped_day() {
    // Sao Paulo began summer time of 2018 at midnight of 4 November.
    assert_eq!(
        runs("0 0 * * *", Sao_Paulo, "2018-11-03T12:00", "2018-11-05T12:00"),
        ["04 01:00-02", "05 00:00-02"]
    );
    // Samoa had no 30 December 2011.
    assert_eq!(
        runs("0 6 * * *", Apia, "2011-12-29T12:00", "2012-01-01T00:00"),
        ["29 06:00-10", "31 00:00+14", "31 06:00+14", "01 06:00+14"]
    );
}

const ZONES: [Tz; 4] = [Amsterdam, New_York, Lord_Howe, Tz::UTC];

fn any_moment() -> impl Strategy<Value = DateTime<Utc>> {
    // 2024 to 2031, also between seconds.
    (1_704_067_200_000i64..1_924_905_600_000).prop_map(|ms| DateTime::from_timestamp_millis(ms).unwrap())
}

/// A day on which some zone of [`ZONES`] sets its clocks, or is near it.
fn any_night() -> impl Strategy<Value = DateTime<Utc>> {
    let changes = [
        "2026-03-29T01:00",
        "2026-10-25T01:00",
        "2026-03-08T07:00",
        "2026-11-01T06:00",
        "2026-04-04T15:00",
        "2026-10-03T15:30",
    ];
    (proptest::sample::select(changes.to_vec()), -10_800_000i64..10_800_000)
        .prop_map(|(change, ms)| utc(change) + Duration::milliseconds(ms))
}

fn any_cron() -> impl Strategy<Value = String> {
    let minute = prop_oneof![
        Just("*".to_owned()),
        (2u32..59).prop_map(|n| format!("*/{n}")),
        (0u32..60).prop_map(|n| n.to_string()),
        (0u32..30, 30u32..60).prop_map(|(a, b)| format!("{a},{b}")),
    ];
    let hour = prop_oneof![
        Just("*".to_owned()),
        (2u32..23).prop_map(|n| format!("*/{n}")),
        (0u32..24).prop_map(|n| n.to_string()),
        (0u32..12, 12u32..24).prop_map(|(a, b)| format!("{a}-{b}")),
    ];
    let days = prop_oneof![
        Just("* * *"),
        Just("* * mon-fri"),
        Just("* * 0"),
        Just("1,31 * *"),
        Just("* 3,4,10,11 *")
    ];
    (minute, hour, days).prop_map(|(minute, hour, days)| format!("{minute} {hour} {days}"))
}

proptest! {
    #[test]
    fn next_is_later_and_nothing_lies_between(
        cron in any_cron(),
        zone in proptest::sample::select(ZONES.to_vec()),
        now in prop_oneof![any_moment(), any_night()],
        ahead in 0i64..200_000,
    ) {
        let schedule = schedule(&cron, zone);
        let next = schedule.next_after(now).unwrap();
        prop_assert!(next > now);
        // Asked from anywhere before it, the answer is the same.
        let later = now + Duration::seconds(ahead);
        if later < next {
            prop_assert_eq!(schedule.next_after(later), Some(next));
        }
        prop_assert!(schedule.next_after(next).unwrap() > next);
    }

}

proptest! {
    // Each case looks at many days.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_daily_job_runs_once_on_every_day(
        hour in 0u32..24,
        minute in 0u32..60,
        zone in proptest::sample::select(ZONES.to_vec()),
    ) {
        let schedule = schedule(&format!("{minute} {hour} * * *"), zone);
        let mut days: BTreeMap<NaiveDate, u32> = BTreeMap::new();
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        for moment in schedule.upcoming(first.and_time(NaiveTime::MIN).and_utc(), 380) {
            *days.entry(moment.with_timezone(&zone).date_naive()).or_default() += 1;
        }
        for day in first.iter_days().skip(2).take(370) {
            prop_assert_eq!(days.get(&day), Some(&1), "{} {}", day, zone);
        }
    }

    #[test]
    fn away_from_clock_changes_runs_are_exactly_the_wall_clock_times(
        cron in any_cron(),
        zone in proptest::sample::select(ZONES.to_vec()),
        day in 0i64..60,
    ) {
        // May to July: no zone here sets its clocks.
        let start = utc("2026-05-01T00:00") + Duration::days(day);
        let end = start + Duration::days(3);
        let schedule = schedule(&cron, zone);
        let got: BTreeSet<_> = std::iter::successors(schedule.next_after(start), |last| schedule.next_after(*last))
            .take_while(|moment| *moment <= end)
            .collect();
        let wanted: BTreeSet<_> = (1..=3 * 24 * 60)
            .map(|minute| start + Duration::minutes(minute))
            .filter(|moment| matches(&cron, moment.with_timezone(&zone).naive_local()))
            .collect();
        prop_assert_eq!(got, wanted);
    }

}

proptest! {
    #[test]
    fn every_minute_is_every_minute_on_clock_changes_too(
        zone in proptest::sample::select(ZONES.to_vec()),
        now in any_night(),
    ) {
        let next = schedule("* * * * *", zone).next_after(now).unwrap();
        prop_assert!(next - now <= Duration::minutes(1));
    }
}

/// A second opinion on the expressions of [`any_cron`], minute by minute.
fn matches(cron: &str, wall: NaiveDateTime) -> bool {
    let weekday = wall.weekday().num_days_from_sunday();
    let words: Vec<&str> = cron.split(' ').collect();
    let at = |word: &str, value: u32| {
        word.split(',').any(|item| match item.split_once('-') {
            _ if item == "*" => true,
            _ if item == "mon-fri" => (1..=5).contains(&value),
            Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).contains(&value),
            None => match item.strip_prefix("*/") {
                Some(step) => value.is_multiple_of(step.parse().unwrap()),
                None => value == item.parse::<u32>().unwrap(),
            },
        })
    };
    at(words[0], wall.minute())
        && at(words[1], wall.hour())
        && at(words[2], wall.day())
        && at(words[3], wall.month())
        && at(words[4], weekday)
}
