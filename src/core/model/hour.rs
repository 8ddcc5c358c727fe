//! Times of day in a zone whose clocks are changed twice a year.

use crate::core::model::identity::Moment;
use chrono::{DateTime, Days, Duration, LocalResult, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The last time that the clocks of the zone showed `at`, now included. Of a time that comes twice in a night the first
/// counts, as it does for the schedule; a time that is left out is the moment at which the clocks are put forward.
pub fn last(at: NaiveTime, moment: Moment) -> DateTime<Utc> {
    let today = moment.today();
    let earlier = [0, 1]
        .into_iter()
        .filter_map(|days| today.checked_sub_days(Days::new(days)));
    let mut times = earlier.map(|date| on(date, at, moment.zone));
    // Where no such day is left, nothing has come: the beginning of time.
    times
        .find(|time| *time <= moment.now)
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// The same time of day so much earlier: whole days are days of the calendar, which may have 23 or 25 hours.
pub fn before(time: DateTime<Utc>, span: Duration, zone: Tz) -> DateTime<Utc> {
    let days = u64::try_from(span.num_days()).unwrap_or(0);
    let local = time.with_timezone(&zone).naive_local();
    match local.date().checked_sub_days(Days::new(days)) {
        Some(date) if is_whole_days(span) => on(date, local.time(), zone),
        Some(_) | None => time.checked_sub_signed(span).unwrap_or(DateTime::<Utc>::MIN_UTC),
    }
}

/// Whether a span is counted in days of the calendar.
pub fn is_whole_days(span: Duration) -> bool {
    span.num_days() > 0 && Duration::days(span.num_days()) == span
}

/// The beginning of a day; where the clocks are put forward over midnight, the first moment after it.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    // Beyond the calendar there is no time to compare with.
    day.succ_opt().and(day.pred_opt())?;
    Some(on(day, NaiveTime::MIN, zone))
}

/// The last second of a day.
pub fn end_of_day(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    Some(start_of_day(day.succ_opt()?, zone)? - Duration::seconds(1))
}

fn on(date: NaiveDate, at: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let local = date.and_time(at);
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) => time.to_utc(),
        LocalResult::Ambiguous(one, other) => one.min(other).to_utc(),
        LocalResult::None => after_gap(local, zone),
    }
}

/// The moment at which the clocks are put forward over this time.
fn after_gap(local: chrono::NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let minutes = (1..=24 * 60).map(|minutes| local + Duration::minutes(minutes));
    let mut after = minutes.filter_map(|later| zone.from_local_datetime(&later).earliest());
    after
        .next()
        .map_or_else(|| zone.from_utc_datetime(&local).to_utc(), |time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMSTERDAM: Tz = chrono_tz::Europe::Amsterdam;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn last_at(hour: u32, minute: u32, now: &str) -> String {
        let at = NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day");
        let moment = Moment {
            now: time(now),
            zone: AMSTERDAM,
        };
        last(at, moment).format("%Y-%m-%dT%H:%MZ").to_string()
    }

    #[test]
    fn the_hour_is_that_of_the_zone_in_summer_and_winter() {
        assert_eq!(last_at(18, 0, "2025-01-10T16:59:59Z"), "2025-01-09T17:00Z");
        assert_eq!(last_at(18, 0, "2025-01-10T17:00:00Z"), "2025-01-10T17:00Z");
        assert_eq!(last_at(18, 0, "2025-07-10T15:59:59Z"), "2025-07-09T16:00Z");
        assert_eq!(last_at(18, 0, "2025-07-10T16:00:00Z"), "2025-07-10T16:00Z");
        // Midnight in Amsterdam is another day in UTC.
        assert_eq!(last_at(0, 0, "2025-07-09T22:00:00Z"), "2025-07-09T22:00Z");
    }

    #[test]
    fn an_hour_that_is_left_out_comes_when_the_clocks_are_put_forward() {
        // 30 March 2025: from 02:00 to 03:00 at 01:00 UTC.
        assert_eq!(last_at(2, 30, "2025-03-30T00:59:00Z"), "2025-03-29T01:30Z");
        assert_eq!(last_at(2, 30, "2025-03-30T01:00:00Z"), "2025-03-30T01:00Z");
    }

    #[test]
    fn of_an_hour_that_comes_twice_the_first_counts() {
        // 26 October 2025: from 03:00 back to 02:00 at 01:00 UTC.
        assert_eq!(last_at(2, 30, "2025-10-26T00:29:00Z"), "2025-10-25T00:30Z");
        assert_eq!(last_at(2, 30, "2025-10-26T00:30:00Z"), "2025-10-26T00:30Z");
        assert_eq!(last_at(2, 30, "2025-10-26T01:30:00Z"), "2025-10-26T00:30Z");
    }

    #[test]
    fn days_before_are_days_of_the_calendar() {
        let day = Duration::days(1);
        for (from, to) in [
            ("2025-03-30T16:00:00Z", "2025-03-29T17:00:00Z"),
            ("2025-10-26T17:00:00Z", "2025-10-25T16:00:00Z"),
            ("2025-06-10T16:00:00Z", "2025-06-09T16:00:00Z"),
        ] {
            assert_eq!(before(time(from), day, AMSTERDAM), time(to));
        }
        let hours = Duration::hours(25);
        assert_eq!(
            before(time("2025-03-30T16:00:00Z"), hours, AMSTERDAM),
            time("2025-03-29T15:00:00Z")
        );
        assert_eq!(
            before(time("2025-03-30T16:00:00Z"), Duration::zero(), AMSTERDAM),
            time("2025-03-30T16:00:00Z")
        );
    }
}
