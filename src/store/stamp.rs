//! How values are written into columns: times as text that sorts, the rest as JSON.

use super::fault::Fault;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A time as text: UTC, always nine decimals, so that texts compare as times do.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// Reads a time back.
pub(super) fn time(text: &str, table: &'static str) -> Result<DateTime<Utc>, Fault> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| Fault::Unreadable {
            table,
            what: format!("'{text}' is not a time"),
        })
}

/// A value as JSON.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data always serialises")
}

/// Reads a value back. The error says where and not what: the value can be personal.
pub(super) fn from_json<T: DeserializeOwned>(text: &str, table: &'static str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Unreadable {
        table,
        what: format!(
            "a value does not read ({:?} at character {})",
            error.classify(),
            error.column()
        ),
    })
}

/// A plain enum as the text it has in JSON, without quotes.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    json(value).trim_matches('"').to_owned()
}

/// Reads a plain enum back.
pub(super) fn from_word<T: DeserializeOwned>(text: &str, table: &'static str) -> Result<T, Fault> {
    from_json(&format!("\"{text}\""), table)
}

/// A count for a column; SQLite has no unsigned numbers.
pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count from a column.
pub(super) fn from_count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
