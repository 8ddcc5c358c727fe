//! The filters of expressions: `value | filter(arguments)`.
//!
//! All pass on what is unknown or at fault; blank stays blank (but for `date`, which gives the blank date, `length` and
//! `default`). Filters on text work on each value of a list. Arguments are constants, so that formats, patterns and
//! counts are checked with the configuration.

mod build;
mod directory;
mod list;
mod text;
mod typed;

pub use build::{Arguments, Refusal, build};
pub use list::order_cure;
pub use text::{LONGEST_TEXT, too_long};

use super::dates::{DateOutput, DateReading, DateSystem};
use super::value::Value;
use chrono_tz::Tz;
use regex::Regex;
use std::borrow::Cow;

/// The names of all filters, `default` included.
pub const NAMES: [&str; 31] = [
    "ad_disabled",
    "add_days",
    "bit",
    "date",
    "default",
    "excel_date",
    "filetime",
    "first",
    "format",
    "generalized_time",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "matching",
    "number",
    "ou",
    "pad",
    "primary_smtp",
    "rdn",
    "regex",
    "regex_replace",
    "replace",
    "slice",
    "sort",
    "split",
    "string",
    "title",
    "trim",
    "upper",
];

/// A filter with its arguments.
#[derive(Clone, Debug)]
pub enum Filter {
    Trim,
    Lower,
    Upper,
    /// First letter of each word large, the others small.
    Title,
    Replace {
        from: Box<str>,
        to: Box<str>,
    },
    /// The first group, or the whole match; no match is 'not known', for nothing says that the field is empty.
    Regex(Regex),
    RegexReplace {
        pattern: Regex,
        to: Box<str>,
    },
    /// Without a separator at white space; parts are trimmed, blank ones left out.
    Split(Option<Box<str>>),
    First,
    Last,
    Join(Box<str>),
    /// The values of a list in the order of their letters.
    Sort,
    /// The values in which a pattern is found.
    Matching(Regex),
    /// Of `proxyAddresses` the one with `SMTP:` in capitals, without it.
    PrimarySmtp,
    /// Not written by anybody: stands before a filter whose result depends on the order of values that have none, and
    /// stops where there are several. Holds the name of that filter.
    Unordered(&'static str),
    /// Fills up on the left.
    Pad {
        width: usize,
        fill: char,
    },
    /// Characters from, to; negative ones count from the end.
    Slice {
        from: Option<i64>,
        to: Option<i64>,
    },
    /// As text.
    String,
    /// Characters of a text, values of a list.
    Length,
    /// A whole number.
    Int,
    /// A decimal number.
    Number,
    Date(DateReading),
    Format(DateOutput),
    AddDays(i64),
    /// Are all bits of the mask set?
    Bit(i64),
    Filetime,
    GeneralizedTime,
    /// Days as a spreadsheet counts them.
    ExcelDate(DateSystem),
    /// The value of a distinguished name's first part.
    Rdn,
    /// The organisational units of a distinguished name, innermost first.
    Ou,
    /// userAccountControl says that the account is disabled.
    AdDisabled,
}

impl Filter {
    /// As it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Filter::Trim => "trim",
            Filter::Lower => "lower",
            Filter::Upper => "upper",
            Filter::Title => "title",
            Filter::Replace { .. } => "replace",
            Filter::Regex(_) => "regex",
            Filter::RegexReplace { .. } => "regex_replace",
            Filter::Split(_) => "split",
            Filter::First => "first",
            Filter::Last => "last",
            Filter::Join(_) => "join",
            Filter::Sort => "sort",
            Filter::Matching(_) => "matching",
            Filter::PrimarySmtp => "primary_smtp",
            Filter::Unordered(name) => name,
            Filter::Pad { .. } => "pad",
            Filter::Slice { .. } => "slice",
            Filter::String => "string",
            Filter::Length => "length",
            Filter::Int => "int",
            Filter::Number => "number",
            Filter::Date(_) => "date",
            Filter::Format(_) => "format",
            Filter::AddDays(_) => "add_days",
            Filter::Bit(_) => "bit",
            Filter::Filetime => "filetime",
            Filter::GeneralizedTime => "generalized_time",
            Filter::ExcelDate(_) => "excel_date",
            Filter::Rdn => "rdn",
            Filter::Ou => "ou",
            Filter::AdDisabled => "ad_disabled",
        }
    }

    /// Whether its result depends on the order of the values that it gets.
    pub fn takes_by_order(&self) -> bool {
        matches!(self, Filter::First | Filter::Last | Filter::Join(_))
    }

    /// Whether the values that it gives stand in an order of their own, whatever it got.
    pub fn gives_order(&self) -> bool {
        match self {
            Filter::Sort | Filter::Split(_) | Filter::Ou | Filter::First | Filter::Last | Filter::Join(_) => true,
            Filter::Trim
            | Filter::Lower
            | Filter::Upper
            | Filter::Title
            | Filter::Replace { .. }
            | Filter::Regex(_)
            | Filter::RegexReplace { .. }
            | Filter::Matching(_)
            | Filter::PrimarySmtp
            | Filter::Unordered(_)
            | Filter::Pad { .. }
            | Filter::Slice { .. }
            | Filter::String
            | Filter::Length
            | Filter::Int
            | Filter::Number
            | Filter::Date(_)
            | Filter::Format(_)
            | Filter::AddDays(_)
            | Filter::Bit(_)
            | Filter::Filetime
            | Filter::GeneralizedTime
            | Filter::ExcelDate(_)
            | Filter::Rdn
            | Filter::AdDisabled => false,
        }
    }

    /// Whether it reads dates that a source wrote.
    pub fn reads_dates(&self) -> bool {
        matches!(
            self,
            Filter::Date(_) | Filter::Filetime | Filter::GeneralizedTime | Filter::ExcelDate(_)
        )
    }

    /// Applies it; `label` says for messages what the value is.
    pub fn apply<'a>(&'a self, value: Value<'a>, zone: Tz, label: &str) -> Value<'a> {
        if matches!(value, Value::Absent(_) | Value::Fault(_)) {
            return value;
        }
        let value = value.settled();
        match self {
            Filter::Trim => self.each_text(value, label, text::trim),
            Filter::Lower => self.each_text(value, label, text::lower),
            Filter::Upper => self.each_text(value, label, text::upper),
            Filter::Title => self.each_text(value, label, text::title),
            Filter::Replace { from, to } => self.each_text(value, label, |text| text::replace(text, from, to)),
            Filter::Regex(pattern) => {
                list::found(self.each_text(value, label, |text| text::extract(text, pattern, label)))
            }
            Filter::RegexReplace { pattern, to } => {
                self.each_text(value, label, |text| text::replace_pattern(text, pattern, to))
            }
            Filter::Pad { width, fill } => self.each_text(value, label, |text| text::pad(text, *width, *fill)),
            Filter::Slice { from, to } => self.each_text(value, label, |text| text::slice(&text, *from, *to)),
            Filter::Split(separator) => list::split(self, value, separator.as_deref(), label),
            Filter::First => list::first(value),
            Filter::Last => list::last(value),
            Filter::Join(separator) => list::join(value, separator, zone, label),
            Filter::Sort => list::sort(value),
            Filter::Matching(pattern) => {
                list::found(self.each_text(value, label, |text| text::matching(text, pattern, label)))
            }
            Filter::PrimarySmtp => list::found(self.each_text(value, label, |text| text::primary_smtp(text, label))),
            Filter::Unordered(wanted) => list::unordered(value, wanted, label),
            Filter::Length => list::length(&value, label),
            Filter::String => typed::string(value, zone, label),
            Filter::Int => typed::int(&value, label),
            Filter::Number => typed::number(&value, label),
            Filter::Date(reading) => typed::date(&value, reading, zone, label),
            Filter::Format(output) => typed::format(&value, output, zone, label),
            Filter::AddDays(days) => typed::add_days(&value, *days, label),
            Filter::Bit(mask) => directory::bit(&value, *mask, label),
            Filter::AdDisabled => directory::ad_disabled(&value, label),
            Filter::Filetime => directory::filetime(&value, label),
            Filter::GeneralizedTime => directory::generalized_time(&value, label),
            Filter::ExcelDate(system) => typed::excel_date(&value, *system, label),
            Filter::Rdn => directory::rdn(&value, label),
            Filter::Ou => directory::ou(&value, label),
        }
    }

    /// Applies a function of text to a text, or to each text of a list.
    fn each_text<'a>(
        &self,
        value: Value<'a>,
        label: &str,
        function: impl Fn(Cow<'a, str>) -> Value<'a> + Copy,
    ) -> Value<'a> {
        match value {
            Value::Text(text) => function(text),
            Value::Blank => Value::Blank,
            Value::Number(number) => function(Cow::Owned(number.to_string())),
            Value::List(items) => Value::list(
                items
                    .into_iter()
                    .map(|item| self.each_text(item, label, function))
                    .filter(|item| *item != Value::Blank)
                    .collect(),
            ),
            Value::Absent(_) | Value::Fault(_) => value,
            Value::Date(_) | Value::DateTime(_) | Value::NoDate => Value::fault(format!(
                "{label} is {}; write | format('%Y-%m-%d') before | {}",
                value.kind(),
                self.name()
            )),
            Value::Bool(_) | Value::Days(_) => {
                Value::fault(format!("{label} is {}; | {} needs text", value.kind(), self.name()))
            }
        }
    }
}

/// The fault of a filter that takes one value and got several.
fn needs_one(label: &str, filter: &str) -> Value<'static> {
    Value::fault(format!(
        "{label} has several values; take one with | sort | first before | {filter}"
    ))
}

#[cfg(test)]
mod tests;
