//! Filters for what directories keep in numbers and names.

use super::needs_one;
use crate::core::model::dn::{organisational_units, relative_names};
use crate::core::model::identity::Unknown;
use crate::mapping::dates;
use crate::mapping::text::clean_cow;
use crate::mapping::value::Value;
use std::borrow::Cow;

/// ACCOUNTDISABLE of userAccountControl (MS-ADTS 2.2.16).
const ACCOUNT_DISABLED: i64 = 2;

pub fn bit(value: &Value<'_>, mask: i64, label: &str) -> Value<'static> {
    match integer(value, label, "bit") {
        Ok(Some(number)) => Value::Bool(number & mask == mask),
        Ok(None) => Value::nothing(Unknown::Expression(format!("{label} has no value to test bits of"))),
        Err(stopped) => stopped,
    }
}

pub fn ad_disabled(value: &Value<'_>, label: &str) -> Value<'static> {
    bit(value, ACCOUNT_DISABLED, label)
}

pub fn filetime(value: &Value<'_>, label: &str) -> Value<'static> {
    match integer(value, label, "filetime") {
        Ok(Some(ticks)) => dates::filetime(ticks),
        Ok(None) => Value::NoDate,
        Err(stopped) => stopped,
    }
}

pub fn generalized_time(value: &Value<'_>, label: &str) -> Value<'static> {
    match value {
        Value::Blank | Value::NoDate => Value::NoDate,
        Value::DateTime(moment) => Value::DateTime(*moment),
        Value::Text(text) => dates::generalized_time(text).unwrap_or_else(|| {
            Value::fault(format!(
                "{label} is not a generalized time such as 20240131120000Z; use | date for dates or | filetime for counts"
            ))
        }),
        Value::List(_) => needs_one(label, "generalized_time"),
        other => other
            .stopped()
            .unwrap_or_else(|| Value::fault(format!("{label} is {}; | generalized_time needs text", other.kind()))),
    }
}

pub fn rdn(value: &Value<'_>, label: &str) -> Value<'static> {
    of_names(value, label, "rdn", &|dn| {
        let first = relative_names(dn)?.into_iter().next()?.into_iter().next()?;
        Some(vec![first.value])
    })
}

pub fn ou(value: &Value<'_>, label: &str) -> Value<'static> {
    if matches!(value, Value::List(_)) {
        return needs_one(label, "ou");
    }
    of_names(value, label, "ou", &organisational_units)
}

fn of_names(
    value: &Value<'_>,
    label: &str,
    filter: &str,
    part: &dyn Fn(&str) -> Option<Vec<String>>,
) -> Value<'static> {
    match value {
        Value::Blank => Value::Blank,
        Value::Text(dn) => match part(dn) {
            Some(names) => Value::list(
                names
                    .into_iter()
                    .map(|name| Value::text(clean_cow(Cow::Owned(name))))
                    .filter(|name| *name != Value::Blank)
                    .collect(),
            ),
            None => Value::fault(format!("{label} is not a distinguished name; | {filter} needs one")),
        },
        Value::List(names) => {
            let parts: Vec<Value<'static>> = names.iter().map(|name| of_names(name, label, filter, part)).collect();
            match parts.iter().find_map(Value::stopped) {
                Some(stopped) => stopped,
                None => Value::list(parts),
            }
        }
        other => other
            .stopped()
            .unwrap_or_else(|| Value::fault(format!("{label} is {}; | {filter} needs text", other.kind()))),
    }
}

/// The whole number of a directory attribute; `None` where it is blank.
fn integer(value: &Value<'_>, label: &str, filter: &str) -> Result<Option<i64>, Value<'static>> {
    let not_whole = || Value::fault(format!("{label} is not a whole number; | {filter} needs one"));
    match value {
        Value::Blank | Value::NoDate => Ok(None),
        Value::Text(text) => dates::directory_integer(text).map(Some).ok_or_else(not_whole),
        Value::Number(number) => number.to_i64().map(Some).ok_or_else(not_whole),
        Value::List(_) => Err(needs_one(label, filter)),
        other => Err(other.stopped().unwrap_or_else(not_whole)),
    }
}
