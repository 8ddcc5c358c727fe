//! Single values as the API writes them: dates with an offset, numbers, references.

use crate::core::model::field::FieldValue;
use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// A moment: ISO 8601 with an offset (`+0200`, `+02:00`, `Z`); without one it is UTC (API description).
pub(crate) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.with_timezone(&Utc));
    }
    if let Ok(moment) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(moment.with_timezone(&Utc));
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    local.ok().map(|local| local.and_utc())
}

/// The calendar date of a moment in the configured zone; a bare date is that date everywhere.
pub(crate) fn calendar_date(text: &str, zone: Tz) -> Option<NaiveDate> {
    if let Ok(date) = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
        return Some(date);
    }
    moment(text).map(|moment| moment.with_timezone(&zone).date_naive())
}

/// A calendar date as the API takes it: its first moment in the configured zone, with the offset of that moment.
pub(crate) fn written_date(date: NaiveDate, zone: Tz) -> String {
    let midnight = date.and_time(NaiveTime::MIN);
    let start = match zone.from_local_datetime(&midnight) {
        MappedLocalTime::Single(start) | MappedLocalTime::Ambiguous(start, _) => start.fixed_offset(),
        // Clocks that jump at midnight: the day begins at one o'clock.
        MappedLocalTime::None => match zone.from_local_datetime(&(midnight + chrono::Duration::hours(1))) {
            MappedLocalTime::Single(start) | MappedLocalTime::Ambiguous(start, _) => start.fixed_offset(),
            MappedLocalTime::None => midnight.and_utc().fixed_offset(),
        },
    };
    start.format("%Y-%m-%dT%H:%M:%S%.3f%z").to_string()
}

/// A decimal number in its shortest form: `1`, `0.5`, without trailing zeros.
pub(crate) fn shortest(number: f64) -> Option<FieldValue> {
    number.is_finite().then(|| {
        // `+ 0.0` makes minus zero zero.
        FieldValue::Number(format!("{}", number + 0.0).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America, Europe};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn moments_are_read_with_every_offset_form() {
        let expected = "2026-11-21T05:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "2026-11-21T06:00:00.000+0100",
            "2026-11-21T06:00:00+01:00",
            "2026-11-21T05:00:00.000Z",
            "2026-11-21T05:00:00",
            " 2026-11-21T05:00:00.000+0000 ",
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        assert_eq!(moment("21-11-2026"), None);
    }

    #[test]
    fn dates_are_those_of_the_configured_zone() {
        let zone = Europe::Amsterdam;
        assert_eq!(
            calendar_date("2026-06-30T22:00:00.000+0000", zone),
            Some(date("2026-07-01"))
        );
        assert_eq!(
            calendar_date("2026-07-01T00:00:00.000+0200", zone),
            Some(date("2026-07-01"))
        );
        assert_eq!(calendar_date("2026-07-01", zone), Some(date("2026-07-01")));
        assert_eq!(calendar_date("", zone), None);
    }

    #[test]
    fn a_written_date_reads_back_as_itself() {
        assert_eq!(
            written_date(date("2026-07-01"), Europe::Amsterdam),
            "2026-07-01T00:00:00.000+0200"
        );
        // Midnight did not exist on this day there.
        let gap = date("2018-11-04");
        assert_eq!(written_date(gap, America::Sao_Paulo), "2018-11-04T01:00:00.000-0200");
        for zone in [Europe::Amsterdam, America::Sao_Paulo, Tz::UTC] {
            let mut day = date("2018-01-01");
            while day < date("2019-01-01") {
                assert_eq!(calendar_date(&written_date(day, zone), zone), Some(day));
                day = day.succ_opt().unwrap();
            }
        }
    }

    #[test]
    fn numbers_have_one_form() {
        let text = |number| shortest(number).map(|value| value.display());
        assert_eq!(text(1.0).as_deref(), Some("1"));
        assert_eq!(text(0.50).as_deref(), Some("0.5"));
        assert_eq!(text(-0.0).as_deref(), Some("0"));
        assert_eq!(text(f64::NAN), None);
    }
}
