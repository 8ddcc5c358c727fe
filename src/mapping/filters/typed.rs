//! Filters that turn text into numbers and dates, and back.

use super::needs_one;
use crate::mapping::dates::{DateOutput, DateReading, DateSystem, serial_date};
use crate::mapping::number::Number;
use crate::mapping::value::Value;
use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;

pub fn int(value: &Value<'_>, label: &str) -> Value<'static> {
    match numeric(value, label, "int") {
        Value::Number(number) if number.to_i64().is_none() => {
            Value::fault(format!("{label} is not a whole number; use | number for decimals"))
        }
        other => other,
    }
}

pub fn number(value: &Value<'_>, label: &str) -> Value<'static> {
    numeric(value, label, "number")
}

fn numeric(value: &Value<'_>, label: &str, filter: &str) -> Value<'static> {
    match value {
        Value::Number(number) => Value::Number(*number),
        Value::Blank => Value::Blank,
        Value::Text(text) => Number::parse(text).map_or_else(
            || {
                Value::fault(format!(
                    "{label} is not a number; correct the source or take the number out with | regex"
                ))
            },
            Value::Number,
        ),
        Value::List(_) => needs_one(label, filter),
        other => other
            .stopped()
            .unwrap_or_else(|| Value::fault(format!("{label} is {}; | {filter} needs text", other.kind()))),
    }
}

pub fn date(value: &Value<'_>, reading: &DateReading, zone: Tz, label: &str) -> Value<'static> {
    match value {
        Value::Date(date) => Value::Date(*date),
        Value::DateTime(moment) => Value::Date(moment.with_timezone(&zone).date_naive()),
        Value::Blank | Value::NoDate => Value::NoDate,
        Value::Text(text) => reading
            .read(text, zone)
            .unwrap_or_else(|wrong| Value::fault(format!("{label} {wrong}"))),
        Value::Number(number) => reading
            .read(&number.to_string(), zone)
            .unwrap_or_else(|wrong| Value::fault(format!("{label} {wrong}"))),
        Value::List(_) => needs_one(label, "date"),
        other => other
            .stopped()
            .unwrap_or_else(|| Value::fault(format!("{label} is {}; | date needs text", other.kind()))),
    }
}

pub fn excel_date(value: &Value<'_>, system: DateSystem, label: &str) -> Value<'static> {
    let number = match value {
        Value::Date(date) => return Value::Date(*date),
        Value::Blank | Value::NoDate => return Value::NoDate,
        Value::Number(number) => Some(*number),
        Value::Text(text) => Number::parse(text),
        Value::List(_) => return needs_one(label, "excel_date"),
        other => {
            return other
                .stopped()
                .unwrap_or_else(|| Value::fault(format!("{label} is {}; | excel_date needs a number", other.kind())));
        }
    };
    number.and_then(|number| serial_date(number, system)).unwrap_or_else(|| {
        Value::fault(format!(
            "{label} is not a day as spreadsheets count them, such as 45292; use | date for dates that are written out"
        ))
    })
}

pub fn format(value: &Value<'_>, output: &DateOutput, zone: Tz, label: &str) -> Value<'static> {
    let written = match value {
        Value::NoDate | Value::Blank => return Value::Blank,
        Value::Date(date) => output.write_date(*date),
        Value::DateTime(moment) => output.write(*moment, zone),
        Value::List(_) => return needs_one(label, "format"),
        other => {
            return other
                .stopped()
                .unwrap_or_else(|| Value::fault(format!("{label} is {}; write | date before | format", other.kind())));
        }
    };
    written.map_or_else(
        || {
            Value::fault(format!(
                "{label} is a date without a zone; leave the offset out of | format"
            ))
        },
        Value::text,
    )
}

pub fn add_days(value: &Value<'_>, days: i64, label: &str) -> Value<'static> {
    let span = Duration::try_days(days);
    let added = match (value, span) {
        (Value::NoDate, _) => return Value::NoDate,
        (Value::Blank, _) => return Value::Blank,
        (Value::Date(date), Some(span)) => in_range(date.checked_add_signed(span)).map(Value::Date),
        (Value::DateTime(moment), Some(span)) => moment.checked_add_signed(span).map(Value::DateTime),
        (Value::Date(_) | Value::DateTime(_), None) => None,
        (other, _) => {
            return other.stopped().unwrap_or_else(|| {
                Value::fault(format!(
                    "{label} is {}; days are added to a date: use | date",
                    other.kind()
                ))
            });
        }
    };
    added.unwrap_or_else(|| Value::fault(format!("{label}: the date with the days added is out of range")))
}

fn in_range(date: Option<NaiveDate>) -> Option<NaiveDate> {
    use chrono::Datelike;
    date.filter(|date| (0..=9999).contains(&date.year()))
}

pub fn string(value: Value<'_>, zone: Tz, label: &str) -> Value<'static> {
    if let Some(stopped) = value.stopped() {
        return stopped;
    }
    match value.to_text(zone) {
        Some(text) => Value::text(text.into_owned()),
        None => Value::fault(format!("{label} is {}; | string needs one value", value.kind())),
    }
}
