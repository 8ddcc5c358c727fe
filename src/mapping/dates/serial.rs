//! Dates as spreadsheets count them: a number of days since the beginning of 1900, or of 1904.

use super::{Value, is_sentinel};
use crate::mapping::number::Number;
use chrono::{Duration, NaiveDate};

/// Where a spreadsheet begins to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateSystem {
    /// Day 1 is 1 January 1900, and 29 February 1900, which never was, is day 60.
    #[default]
    From1900,
    /// Day 0 is 1 January 1904: workbooks of old Macs.
    From1904,
}

/// The last day of the year 9999, counted from 1900.
const LAST: i64 = 2_958_465;

/// The day of a serial number; the time of day behind the point is left out. 0 means no date. `None`: no day has it.
pub fn serial_date(number: Number, system: DateSystem) -> Option<Value<'static>> {
    let days = number.whole()?;
    if days == 0 {
        return Some(Value::NoDate);
    }
    let (from, days) = match system {
        _ if !(1..=LAST).contains(&days) || days == 60 && system == DateSystem::From1900 => return None,
        // Before the day that never was, the count is one lower.
        DateSystem::From1900 if days < 60 => ((1899, 12, 31), days),
        DateSystem::From1900 => ((1899, 12, 30), days),
        DateSystem::From1904 => ((1904, 1, 1), days),
    };
    let first = NaiveDate::from_ymd_opt(from.0, from.1, from.2)?;
    let date = first.checked_add_signed(Duration::try_days(days)?)?;
    Some(if is_sentinel(date) {
        Value::NoDate
    } else {
        Value::Date(date)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(number: &str, system: DateSystem) -> String {
        match serial_date(Number::parse(number).expect("a number"), system) {
            Some(Value::Date(date)) => date.to_string(),
            Some(Value::NoDate) => "none".to_owned(),
            Some(other) => panic!("{other:?}"),
            None => "no day".to_owned(),
        }
    }

    #[test]
    fn days_are_counted_as_spreadsheets_count_them() {
        for (number, day) in [
            ("45292", "2024-01-01"),
            ("45292.75", "2024-01-01"),
            ("45322,5", "2024-01-31"),
            ("61", "1900-03-01"),
            ("60", "no day"),
            ("59", "1900-02-28"),
            ("2", "1900-01-02"),
            ("1", "none"),
            ("0", "none"),
            ("2958465", "none"),
            ("2958466", "no day"),
            ("20240131", "no day"),
            ("-3", "no day"),
        ] {
            assert_eq!(read(number, DateSystem::From1900), day, "{number}");
        }
        assert_eq!(read("43830", DateSystem::From1904), "2024-01-01");
    }
}
