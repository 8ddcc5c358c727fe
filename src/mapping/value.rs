//! The values of expressions. Unknown is neither absent nor blank, and a blank date is not a blank text (RULES 3, 4.3).

use super::number::Number;
use crate::core::model::identity::Unknown;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use std::borrow::Cow;

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Not known, through no fault of the record: it changes nothing.
    Absent(Box<Absent>),
    /// A present value that the expression cannot work with. Says what and the cure, never the value.
    Fault(Box<str>),
    /// The record is there and says: empty.
    Blank,
    /// NFC. Texts of records are never blank; see [`Value::settled`].
    Text(Cow<'a, str>),
    /// Several values.
    List(Vec<Value<'a>>),
    Date(NaiveDate),
    DateTime(DateTime<Utc>),
    /// The blank date: later than every date.
    NoDate,
    /// A number of days, to add to a date.
    Days(i64),
    Bool(bool),
    Number(Number),
}

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Absent {
    pub why: Unknown,
    /// Whether `default` may take its other side: there is no record, by a snapshot that can say so, or nothing was found
    /// in a present value. A rejected source or a lost column is not replaced: the other value would flap with it.
    pub replaceable: bool,
}

impl<'a> Value<'a> {
    /// Not known, and not to be replaced by `default`.
    pub fn unknown(why: Unknown) -> Value<'static> {
        Value::Absent(Box::new(Absent {
            why,
            replaceable: false,
        }))
    }

    /// No answer, with the reason in words.
    pub fn undecided(message: String) -> Value<'static> {
        Value::unknown(Unknown::Expression(message))
    }

    /// A value that is there and cannot be taken as it is, told and left alone.
    pub fn unusable(message: String) -> Value<'static> {
        Value::unknown(Unknown::Unusable(message))
    }

    /// Nothing there, so that `default` may step in.
    pub fn nothing(why: Unknown) -> Value<'static> {
        Value::Absent(Box::new(Absent { why, replaceable: true }))
    }

    /// A present value that does not fit.
    pub fn fault(message: String) -> Value<'static> {
        Value::Fault(message.into())
    }

    /// A text, or blank.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        let text = text.into();
        if text.is_empty() || text.trim().is_empty() {
            Value::Blank
        } else {
            Value::Text(text)
        }
    }

    /// A text of white space only, which constants and parts put together can be, is blank.
    pub fn settled(self) -> Value<'a> {
        match self {
            Value::Text(text) if text.trim().is_empty() => Value::Blank,
            other => other,
        }
    }

    /// Whether [`Value::settled`] would be blank.
    pub fn is_blank(&self) -> bool {
        match self {
            Value::Blank => true,
            Value::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// No value: blank; one: itself; several: a list.
    pub fn list(mut items: Vec<Value<'a>>) -> Value<'a> {
        match items.len() {
            0 => Value::Blank,
            1 => items.swap_remove(0),
            _ => Value::List(items),
        }
    }

    /// The same value, borrowing from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::List(items) => Value::List(items.iter().map(Value::borrowed).collect()),
            Value::Absent(absent) => Value::Absent(absent.clone()),
            Value::Fault(message) => Value::Fault(message.clone()),
            Value::Blank => Value::Blank,
            Value::Date(date) => Value::Date(*date),
            Value::DateTime(moment) => Value::DateTime(*moment),
            Value::NoDate => Value::NoDate,
            Value::Days(days) => Value::Days(*days),
            Value::Bool(flag) => Value::Bool(*flag),
            Value::Number(number) => Value::Number(*number),
        }
    }

    /// The value itself where nothing can be done with it: unknown or at fault.
    pub fn stopped(&self) -> Option<Value<'static>> {
        match self {
            Value::Absent(absent) => Some(Value::Absent(absent.clone())),
            Value::Fault(message) => Some(Value::Fault(message.clone())),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Absent(_) => "not known",
            Value::Fault(_) => "wrong",
            Value::Blank => "blank",
            Value::Text(_) => "text",
            Value::List(_) => "a list of several values",
            Value::Date(_) => "a date",
            Value::DateTime(_) => "a date with time",
            Value::NoDate => "a blank date",
            Value::Days(_) => "a number of days",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
        }
    }

    /// As text, the way it is put together with other text. Blank gives nothing. `None`: it has no text form.
    pub fn to_text(&self, zone: Tz) -> Option<Cow<'_, str>> {
        match self {
            Value::Blank | Value::NoDate => Some(Cow::Borrowed("")),
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Date(date) => Some(Cow::Owned(date.to_string())),
            Value::DateTime(moment) => Some(Cow::Owned(
                moment.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false),
            )),
            Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            Value::Absent(_) | Value::Fault(_) | Value::List(_) | Value::Days(_) => None,
        }
    }

    /// What `explain` shows of it; `None` where nothing is known.
    pub fn shown(&self, zone: Tz) -> Option<String> {
        match self {
            Value::Absent(_) | Value::Fault(_) => None,
            Value::List(items) => {
                let shown: Vec<String> = items.iter().filter_map(|item| item.shown(zone)).collect();
                Some(format!("[{}]", shown.join(", ")))
            }
            Value::Days(days) => Some(format!("{days} days")),
            other => other.to_text(zone).map(Cow::into_owned),
        }
    }
}
