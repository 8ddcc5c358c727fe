//! Comparisons, in three values: what cannot be compared is not known, never true (RULES 4.3).
//!
//! | left, right              | `==`    | `!=`    | `<` `<=` `>` `>=`            |
//! |--------------------------|---------|---------|------------------------------|
//! | two of one kind          | yes     | yes     | dates, numbers; texts: fault |
//! | date, date with time     | as calendar dates in the configured zone         |||
//! | blank date, date         | false   | true    | the blank date is later      |
//! | blank date, blank date   | true    | false   | `<` `>` false, else unknown  |
//! | blank, text or number    | false   | unknown | unknown                      |
//! | blank, anything else     | unknown | unknown | unknown                      |
//! | unknown, anything        | unknown | unknown | unknown                      |
//! | two different kinds      | fault   | fault   | fault                        |
//!
//! Texts that are distinguished names of directories are equal when they mean one entry, however they are written.
//! Comparing with `''` or `none` written out is the test for blank and is always decided.

use super::advice::Kind;
use super::expression::Comparison;
use super::value::Value;
use crate::core::model::dn::are_one_name;
use chrono_tz::Tz;
use std::cmp::Ordering;

/// Compares; `label` is the comparison as written, for messages.
pub fn compare(comparison: Comparison, left: &Value<'_>, right: &Value<'_>, zone: Tz, label: &str) -> Value<'static> {
    if let Some(stopped) = left.stopped().or_else(|| right.stopped()) {
        return stopped;
    }
    let blank = Value::Blank;
    let left = if left.is_blank() { &blank } else { left };
    let right = if right.is_blank() { &blank } else { right };
    match (left, right) {
        (Value::Date(a), Value::Date(b)) => ordered(comparison, a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) => ordered(comparison, a.cmp(b)),
        (Value::Date(a), Value::DateTime(b)) => ordered(comparison, a.cmp(&b.with_timezone(&zone).date_naive())),
        (Value::DateTime(a), Value::Date(b)) => ordered(comparison, a.with_timezone(&zone).date_naive().cmp(b)),
        (Value::NoDate, Value::Date(_) | Value::DateTime(_)) => ordered(comparison, Ordering::Greater),
        (Value::Date(_) | Value::DateTime(_), Value::NoDate) => ordered(comparison, Ordering::Less),
        (Value::NoDate, Value::NoDate) => match comparison {
            Comparison::LessOrEqual | Comparison::GreaterOrEqual => {
                Value::undecided(format!("{label}: both dates are blank"))
            }
            _ => ordered(comparison, Ordering::Equal),
        },
        (Value::Number(a), Value::Number(b)) => ordered(comparison, a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => equal_only(comparison, a == b || are_one_name(a, b)).unwrap_or_else(|| {
            Value::fault(format!(
                "{label}: texts have no order; use | date or | int on both sides"
            ))
        }),
        (Value::Bool(a), Value::Bool(b)) => equal_only(comparison, a == b)
            .unwrap_or_else(|| Value::fault(format!("{label}: true and false have no order; use == or !="))),
        (Value::Blank, Value::Text(_) | Value::Number(_)) | (Value::Text(_) | Value::Number(_), Value::Blank)
            if comparison == Comparison::Equal =>
        {
            Value::Bool(false)
        }
        (Value::Blank, _) | (_, Value::Blank) => {
            let cure = match comparison {
                Comparison::Equal | Comparison::Unequal => "use | default('...') or 'is blank' to decide about blanks",
                _ => "use | date for dates, | default('...') otherwise",
            };
            Value::undecided(format!("{label}: a side is blank; {cure}"))
        }
        (Value::List(_), _) | (_, Value::List(_)) => Value::fault(format!(
            "{label}: a side has several values; use 'in', or take one with | sort | first"
        )),
        (a, b) => Value::fault(format!(
            "{label}: {} cannot be compared with {}; use | date, | int or | number on the text",
            a.kind(),
            b.kind()
        )),
    }
}

/// Whether a comparison of these kinds is unknown or a fault whatever the values are.
pub fn undecidable(comparison: Comparison, left: Kind, right: Kind) -> bool {
    match comparison {
        Comparison::Equal | Comparison::Unequal => left != right,
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            left != right || matches!(left, Kind::Text | Kind::Truth)
        }
    }
}

fn ordered(comparison: Comparison, ordering: Ordering) -> Value<'static> {
    Value::Bool(match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::Unequal => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    })
}

fn equal_only(comparison: Comparison, equal: bool) -> Option<Value<'static>> {
    match comparison {
        Comparison::Equal => Some(Value::Bool(equal)),
        Comparison::Unequal => Some(Value::Bool(!equal)),
        _ => None,
    }
}

/// `needle in list`, or `needle not in list` where `negated`. A single value is a list of one: how many groups somebody
/// has must not change what the question means.
pub fn within(negated: bool, needle: &Value<'_>, list: &Value<'_>, zone: Tz, label: &str) -> Value<'static> {
    if let Some(stopped) = needle.stopped().or_else(|| list.stopped()) {
        return stopped;
    }
    let items = match list {
        Value::List(items) => items.as_slice(),
        single if single.is_blank() => &[],
        single => std::slice::from_ref(single),
    };
    if matches!(needle, Value::List(_)) {
        return Value::fault(format!(
            "{label}: the left side has several values; use | sort | first, or turn the sides around"
        ));
    }
    if needle.is_blank() || items.is_empty() {
        return if negated {
            Value::undecided(format!(
                "{label}: a side is blank; use | default('...') or 'is blank' to decide about blanks"
            ))
        } else {
            Value::Bool(false)
        };
    }
    let comparison = if negated {
        Comparison::Unequal
    } else {
        Comparison::Equal
    };
    let answers = items.iter().map(|item| compare(comparison, needle, item, zone, label));
    if negated {
        all(answers, label)
    } else {
        any(answers, label)
    }
}

/// Kleene's `and`: false as soon as one is false, true only when all are.
pub fn all<'a>(answers: impl Iterator<Item = Value<'a>>, label: &str) -> Value<'static> {
    decide(answers, false, label)
}

/// Kleene's `or`: true as soon as one is true, false only when all are.
pub fn any<'a>(answers: impl Iterator<Item = Value<'a>>, label: &str) -> Value<'static> {
    decide(answers, true, label)
}

fn decide<'a>(answers: impl Iterator<Item = Value<'a>>, decisive: bool, label: &str) -> Value<'static> {
    let mut open = None;
    for answer in answers {
        match truth(&answer, label) {
            Value::Bool(flag) if flag == decisive => return Value::Bool(decisive),
            Value::Bool(_) => {}
            unknown => {
                open.get_or_insert(unknown);
            }
        }
    }
    open.unwrap_or(Value::Bool(!decisive))
}

/// The value where it is true, false, unknown or at fault; anything else is a fault.
pub fn truth(value: &Value<'_>, label: &str) -> Value<'static> {
    match value {
        Value::Bool(flag) => Value::Bool(*flag),
        Value::Blank => Value::undecided(format!(
            "{label} is blank, not true or false; compare it with something"
        )),
        other => other.stopped().unwrap_or_else(|| {
            Value::fault(format!(
                "{label} is {}, not true or false; compare it with something",
                other.kind()
            ))
        }),
    }
}
