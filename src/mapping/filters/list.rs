//! Filters that make lists and take them apart.

use super::text::{LONGEST_TEXT, too_long};
use super::{Filter, needs_one};
use crate::mapping::number::Number;
use crate::mapping::text::{clean, clean_cow};
use crate::mapping::value::Value;
use chrono_tz::Tz;
use std::borrow::Cow;

pub fn split<'a>(filter: &Filter, value: Value<'a>, separator: Option<&str>, label: &str) -> Value<'a> {
    if matches!(value, Value::List(_)) {
        return needs_one(label, filter.name());
    }
    filter.each_text(value, label, |text| {
        let pieces = |text: &str| -> Vec<String> {
            let pieces: Vec<Cow<'_, str>> = match separator {
                Some(separator) => text.split(separator).map(clean).collect(),
                None => text.split_whitespace().map(clean).collect(),
            };
            pieces
                .into_iter()
                .filter(|piece| !piece.is_empty())
                .map(Cow::into_owned)
                .collect()
        };
        Value::list(pieces(&text).into_iter().map(Value::text).collect())
    })
}

pub fn first(value: Value<'_>) -> Value<'_> {
    match value {
        Value::List(items) => items.into_iter().next().unwrap_or(Value::Blank),
        single => single,
    }
}

pub fn last(value: Value<'_>) -> Value<'_> {
    match value {
        Value::List(items) => items.into_iter().next_back().unwrap_or(Value::Blank),
        single => single,
    }
}

pub fn sort(value: Value<'_>) -> Value<'_> {
    let Value::List(mut items) = value else {
        return value;
    };
    let letters = |value: &Value<'_>| match value {
        Value::Text(text) => (text.to_lowercase(), text.to_string()),
        _other => (String::new(), String::new()),
    };
    items.sort_by_cached_key(letters);
    Value::List(items)
}

/// A directory gives the values of an attribute in any order, another one tomorrow (RFC 4511 4.1.7): where there are
/// several, none of them is the first.
pub fn unordered<'a>(value: Value<'a>, wanted: &str, label: &str) -> Value<'a> {
    match value {
        Value::List(items) if items.iter().any(|item| *item != items[0]) => Value::unusable(format!(
            "{label} has several values, and a directory gives them in no order: {}",
            order_cure(label, wanted)
        )),
        other => other,
    }
}

/// How to say which of several values is meant.
pub fn order_cure(label: &str, wanted: &str) -> String {
    if label.to_ascii_lowercase().contains("proxyaddresses") {
        return "write | primary_smtp for the primary e-mail address".to_owned();
    }
    format!("write | sort | {wanted}, or pick one with | matching('PATTERN')")
}

pub fn join<'a>(value: Value<'a>, separator: &str, zone: Tz, label: &str) -> Value<'a> {
    let Value::List(items) = value else {
        return value;
    };
    let mut joined = String::new();
    for item in &items {
        if let Some(stopped) = item.stopped() {
            return stopped;
        }
        let Some(text) = item.to_text(zone) else {
            return Value::fault(format!("{label} has values that are not text; | join needs text"));
        };
        if text.is_empty() {
            continue;
        }
        if !joined.is_empty() {
            joined.push_str(separator);
        }
        joined.push_str(&text);
        if joined.len() > LONGEST_TEXT && items.len() > 1 {
            return too_long();
        }
    }
    Value::text(clean_cow(Cow::Owned(joined)))
}

pub fn length(value: &Value<'_>, label: &str) -> Value<'static> {
    let count = match value {
        Value::Blank | Value::NoDate => 0,
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
        other => {
            return other
                .stopped()
                .unwrap_or_else(|| Value::fault(format!("{label} is {}; | length needs text", other.kind())));
        }
    };
    Value::Number(Number::integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Of the values of a list, those where a pattern was found; when it was found in none, that none was.
pub fn found(value: Value<'_>) -> Value<'_> {
    let Value::List(items) = value else {
        return value;
    };
    if let Some(fault) = items.iter().find(|item| matches!(item, Value::Fault(_))) {
        return fault.stopped().expect("a fault stops");
    }
    let (missing, matching): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| matches!(item, Value::Absent(_)));
    if matching.is_empty() {
        missing.into_iter().next().unwrap_or(Value::Blank)
    } else {
        Value::list(matching)
    }
}
