//! Dates that can be read and yet cannot be taken at their word (RULES 4.6): the first days of calendars, which systems
//! write where they have no date, years of two digits, texts that fit several formats, an end before the person's start.
//! A field takes them as they are; evidence of leaving needs more than that.

use super::{DateFormat, DateReading, FOR_EVER, PLAUSIBLE_YEARS};
use crate::core::model::identity::Moment;
use crate::mapping::filters::Filter;
use crate::mapping::value::Value;
use chrono::{Datelike, Months, NaiveDate};
use chrono_tz::Tz;

/// Which dates an evaluation believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Believe {
    /// Every date that can be read.
    AllRead,
    /// For a first working day: nothing that systems write for 'none', nothing that has two readings.
    FirstDay,
    /// For a row of an export with a row per contract: besides, no year of two digits that may lie ahead.
    Row,
    /// For evidence of leaving: besides, no further beginning of a calendar, and nothing before the person's first
    /// working day, where that is known.
    Evidence { first_day: Option<NaiveDate> },
}

/// No date of somebody's work today lies before this year: such dates are the beginning of some calendar (1601, 1753,
/// 1858, 1899, 1900, 1901, 1904), a day more or less.
const FIRST_YEAR_OF_WORK: i32 = 1930;

/// The beginning of Unix time, and what that is west of Greenwich.
const BEGINNINGS: [(i32, u32, u32); 2] = [(1970, 1, 1), (1969, 12, 31)];

/// Further beginnings (FAT, GPS, databases), on which people may well have started to work, but nobody has left who
/// still has a card.
const ROUND_DAYS: [(i32, u32, u32); 5] = [(1980, 1, 1), (1979, 12, 31), (1980, 1, 6), (2000, 1, 1), (1999, 12, 31)];

/// How far ahead the end of somebody who works today may lie.
const YEARS_AHEAD: u32 = 80;

fn is_one_of(days: &[(i32, u32, u32)], date: NaiveDate) -> bool {
    days.contains(&(date.year(), date.month(), date.day()))
}

/// Why a date that a filter has read is not believed, as a sentence that its label begins. The dates themselves are said:
/// whoever decides must see them.
pub fn doubt(
    filter: &Filter,
    written: &Value<'_>,
    read: &Value<'_>,
    believe: Believe,
    moment: Moment,
) -> Option<String> {
    let first_day = match believe {
        Believe::AllRead => return None,
        Believe::FirstDay | Believe::Row => None,
        Believe::Evidence { first_day } => first_day,
    };
    let evidence = matches!(believe, Believe::Evidence { .. });
    let two_digits = believe != Believe::FirstDay;
    // A time shows as one day in the zone and, near midnight, as another one where it was written.
    let (date, elsewhere) = match read {
        Value::Date(date) => (*date, *date),
        Value::DateTime(time) if time.naive_utc() == FOR_EVER => return None,
        Value::DateTime(time) => (time.with_timezone(&moment.zone).date_naive(), time.date_naive()),
        _ => return None,
    };
    let is_beginning = |date: NaiveDate| {
        date.year() < FIRST_YEAR_OF_WORK || is_one_of(&BEGINNINGS, date) || evidence && is_one_of(&ROUND_DAYS, date)
    };
    if is_beginning(date) || is_beginning(elsewhere) {
        return Some(format!(
            "is {date}, which systems write where they have no date; leave it blank in the source, or name the text that \
             means 'no date' with never='...'"
        ));
    }
    if let (Filter::Date(reading), Value::Text(text)) = (filter, written)
        && let Some((other, why)) = reading.other_reading(text, date, moment, two_digits)
    {
        return Some(format!("is {date} and may as well be {other}: {why}"));
    }
    let first_day = first_day.filter(|first| date < *first)?;
    Some(format!("is {date}, before the first working day {first_day}"))
}

impl DateReading {
    /// Another day that the same text may mean, and why.
    fn other_reading(
        &self,
        text: &str,
        date: NaiveDate,
        moment: Moment,
        two_digits: bool,
    ) -> Option<(NaiveDate, String)> {
        for format in &self.formats {
            let other = format.parse(text, moment.zone).filter(|other| *other != date);
            if let Some(other) = other.filter(|other| PLAUSIBLE_YEARS.contains(&other.year())) {
                return Some((other, format!("it also fits '{}'", format.text)));
            }
        }
        let chosen = self
            .formats
            .iter()
            .find(|format| format.parse(text, moment.zone).is_some())?;
        let century_on = date.checked_add_months(Months::new(12 * 100))?;
        let latest = moment.today().checked_add_months(Months::new(12 * YEARS_AHEAD))?;
        (two_digits && chosen.two_digit_year && century_on <= latest)
            .then(|| (century_on, "the year has two digits".to_owned()))
    }

    /// What in these formats lets one text mean two days, in words, for whoever writes the configuration.
    pub fn two_readings(&self) -> Vec<String> {
        // Day, month and year are all small, so that each may be taken for each other.
        let sample = NaiveDate::from_ymd_opt(2003, 4, 5).expect("a day of the calendar");
        let mut found = Vec::new();
        for (at, format) in self.formats.iter().enumerate() {
            if format.two_digit_year {
                found.push(format!(
                    "'{}' reads years of two digits: 71 is 1971, and may be 2071",
                    format.text
                ));
            }
            let written = format.write(sample);
            let other = self.formats.iter().skip(at + 1).find(|other| {
                let read = written.as_ref().and_then(|written| other.parse(written, Tz::UTC));
                read.is_some_and(|read| read != sample && PLAUSIBLE_YEARS.contains(&read.year()))
            });
            if let (Some(other), Some(written)) = (other, written) {
                found.push(format!(
                    "'{}' and '{}' both read {written}, as two days",
                    format.text, other.text
                ));
            }
        }
        found
    }
}

impl DateFormat {
    fn write(&self, date: NaiveDate) -> Option<String> {
        use std::fmt::Write;
        let noon = date.and_hms_opt(12, 0, 0)?.and_utc().fixed_offset();
        let mut text = String::new();
        write!(text, "{}", noon.format_with_items(self.items.iter())).ok()?;
        Some(text)
    }
}
