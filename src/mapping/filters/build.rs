//! Filters from their names and arguments, checked with the configuration.

use super::{Filter, NAMES};
use crate::mapping::dates::{DateFormat, DateOutput, DateReading, DateSystem};
use crate::mapping::text::did_you_mean;
use crate::mapping::value::Value;
use regex::Regex;

/// Why a piece of an expression is refused, and the cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub cure: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(message: impl Into<String>, cure: impl Into<String>) -> Self {
        Refusal {
            message: message.into(),
            cure: cure.into(),
        }
    }
}

/// The constant arguments of a filter.
#[derive(Debug, Default)]
pub struct Arguments {
    pub positional: Vec<Value<'static>>,
    pub named: Vec<(String, Value<'static>)>,
}

impl Arguments {
    fn text(&self, at: usize) -> Option<&str> {
        match self.positional.get(at) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn integer(&self, at: usize) -> Option<i64> {
        match self.positional.get(at) {
            Some(Value::Number(number)) => number.to_i64(),
            _ => None,
        }
    }

    fn count(&self) -> usize {
        self.positional.len()
    }
}

/// Builds a filter other than `default`, whose argument is an expression.
///
/// # Errors
/// An unknown name, arguments that do not fit, a bad pattern or format.
pub fn build(name: &str, arguments: &Arguments) -> Result<Filter, Refusal> {
    if name != "date"
        && let Some((named, _)) = arguments.named.first()
    {
        return Err(Refusal::new(
            format!("| {name} has no argument named '{named}'"),
            "write the arguments without names",
        ));
    }
    let usage = |usage: &str| Refusal::new(format!("| {name} does not fit its arguments"), format!("write {usage}"));
    let plain = |filter: Filter| match arguments.count() {
        0 => Ok(filter),
        _ => Err(usage(&format!("| {name} without arguments"))),
    };
    match name {
        "trim" => plain(Filter::Trim),
        "lower" => plain(Filter::Lower),
        "upper" => plain(Filter::Upper),
        "title" => plain(Filter::Title),
        "first" => plain(Filter::First),
        "sort" => plain(Filter::Sort),
        "primary_smtp" => plain(Filter::PrimarySmtp),
        "matching" => match (arguments.text(0), arguments.count()) {
            (Some(text), 1) => Ok(Filter::Matching(pattern(text)?)),
            _ => Err(usage("| matching('pattern')")),
        },
        "last" => plain(Filter::Last),
        "length" => plain(Filter::Length),
        "string" => plain(Filter::String),
        "int" => plain(Filter::Int),
        "number" => plain(Filter::Number),
        "filetime" => plain(Filter::Filetime),
        "generalized_time" => plain(Filter::GeneralizedTime),
        "rdn" => plain(Filter::Rdn),
        "ou" => plain(Filter::Ou),
        "ad_disabled" => plain(Filter::AdDisabled),
        "replace" => match (arguments.text(0), arguments.text(1), arguments.count()) {
            (Some(from), Some(to), 2) if !from.is_empty() => Ok(Filter::Replace {
                from: from.into(),
                to: to.into(),
            }),
            _ => Err(usage("| replace('from', 'to')")),
        },
        "regex" => match (arguments.text(0), arguments.count()) {
            (Some(text), 1) => Ok(Filter::Regex(pattern(text)?)),
            _ => Err(usage("| regex('pattern')")),
        },
        "regex_replace" => match (arguments.text(0), arguments.text(1), arguments.count()) {
            (Some(text), Some(to), 2) => {
                if to.contains(|c: char| c.is_control()) {
                    return Err(Refusal::new(
                        "| regex_replace has a control character in its replacement",
                        "write groups as $1, not as \\1",
                    ));
                }
                Ok(Filter::RegexReplace {
                    pattern: pattern(text)?,
                    to: to.into(),
                })
            }
            _ => Err(usage("| regex_replace('pattern', 'replacement')")),
        },
        "split" => match (arguments.text(0), arguments.count()) {
            (None, 0) => Ok(Filter::Split(None)),
            (Some(separator), 1) if !separator.is_empty() => Ok(Filter::Split(Some(separator.into()))),
            _ => Err(usage("| split(',') or | split")),
        },
        "join" => match (arguments.text(0), arguments.count()) {
            (None, 0) => Ok(Filter::Join(", ".into())),
            (Some(separator), 1) => Ok(Filter::Join(separator.into())),
            _ => Err(usage("| join(', ')")),
        },
        "pad" => build_pad(arguments).ok_or_else(|| usage("| pad(6) or | pad(6, '0')")),
        "slice" => match arguments.count() {
            1 | 2 => {
                let from = arguments.integer(0).ok_or_else(|| usage("| slice(0, 3)"))?;
                let to = match arguments.count() {
                    1 => None,
                    _ => Some(arguments.integer(1).ok_or_else(|| usage("| slice(0, 3)"))?),
                };
                Ok(Filter::Slice { from: Some(from), to })
            }
            _ => Err(usage("| slice(0, 3)")),
        },
        "date" => build_date(arguments),
        "excel_date" => match (arguments.count(), arguments.text(0), arguments.integer(0)) {
            (0, ..) => Ok(Filter::ExcelDate(DateSystem::From1900)),
            (1, Some("1904"), _) | (1, _, Some(1904)) => Ok(Filter::ExcelDate(DateSystem::From1904)),
            _ => Err(usage(
                "| excel_date, or | excel_date(1904) for workbooks that count from 1904",
            )),
        },
        "format" => match (arguments.text(0), arguments.count()) {
            (Some(text), 1) => DateOutput::new(text)
                .map(Filter::Format)
                .map_err(|wrong| Refusal::new(format!("| format: {wrong}"), "write e.g. | format('%d-%m-%Y')")),
            _ => Err(usage("| format('%d-%m-%Y')")),
        },
        "add_days" => match (arguments.integer(0), arguments.count()) {
            (Some(days), 1) => Ok(Filter::AddDays(days)),
            _ => Err(usage("| add_days(3)")),
        },
        "bit" => match (arguments.integer(0), arguments.count()) {
            (Some(mask), 1) if mask != 0 => Ok(Filter::Bit(mask)),
            _ => Err(usage("| bit(2) with a mask other than 0")),
        },
        unknown => Err(unknown_filter(unknown)),
    }
}

fn build_pad(arguments: &Arguments) -> Option<Filter> {
    let width = usize::try_from(arguments.integer(0)?)
        .ok()
        .filter(|width| (1..=1000).contains(width))?;
    let fill = match arguments.count() {
        1 => '0',
        2 => {
            let mut chars = arguments.text(1)?.chars();
            let fill = chars.next()?;
            if chars.next().is_some() {
                return None;
            }
            fill
        }
        _ => return None,
    };
    Some(Filter::Pad { width, fill })
}

fn build_date(arguments: &Arguments) -> Result<Filter, Refusal> {
    let mut reading = DateReading::default();
    for at in 0..arguments.count() {
        let Some(text) = arguments.text(at) else {
            return Err(Refusal::new(
                "| date has an argument that is not a format",
                "write e.g. | date('%d-%m-%Y')",
            ));
        };
        let format = DateFormat::new(text).map_err(|wrong| {
            Refusal::new(
                format!("| date: {wrong}"),
                "write it with %d, %m and %Y, e.g. | date('%d-%m-%Y')",
            )
        })?;
        reading.formats.push(format);
    }
    for (name, value) in &arguments.named {
        let texts = match value {
            Value::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        for text in texts {
            match text {
                Value::Text(text) if name == "never" => reading.never.push(text.as_ref().into()),
                _ => {
                    return Err(Refusal::new(
                        format!("| date has no such argument '{name}'"),
                        "texts that mean 'no date' are given as never='31-12-2099' or never=['NULL', '-']",
                    ));
                }
            }
        }
    }
    Ok(Filter::Date(reading))
}

/// Compiles a pattern. In a Jinja text `\b` is a backspace, which no pattern needs: it is meant as the word boundary.
fn pattern(text: &str) -> Result<Regex, Refusal> {
    Regex::new(&text.replace('\u{8}', "\\b")).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim();
        Refusal::new(
            format!(
                "'{text}' is not a regular expression: {}",
                last.trim_start_matches("error: ")
            ),
            "correct the pattern (syntax of the Rust regex library: no look-around, no back references)",
        )
    })
}

fn unknown_filter(name: &str) -> Refusal {
    let cure = match did_you_mean(name, NAMES) {
        Some(near) => format!("did you mean | {near}?"),
        None => format!("filters are: {}", NAMES.join(", ")),
    };
    Refusal::new(format!("there is no filter '{name}'"), cure)
}
