//! Filters on text.

use crate::core::model::identity::Unknown;
use crate::mapping::text::clean_cow;
use crate::mapping::value::Value;
use regex::{Captures, Regex};
use std::borrow::Cow;

pub fn trim(text: Cow<'_, str>) -> Value<'_> {
    Value::text(clean_cow(text))
}

pub fn lower(text: Cow<'_, str>) -> Value<'_> {
    Value::text(clean_cow(Cow::Owned(text.to_lowercase())))
}

pub fn upper(text: Cow<'_, str>) -> Value<'_> {
    Value::text(clean_cow(Cow::Owned(text.to_uppercase())))
}

/// `JANSEN-de VRIES` becomes `Jansen-De Vries`, `o'brien` becomes `O'Brien`.
pub fn title(text: Cow<'_, str>) -> Value<'_> {
    let mut titled = String::with_capacity(text.len());
    let mut starts_word = true;
    for c in text.chars() {
        if starts_word {
            titled.extend(c.to_uppercase());
        } else {
            titled.extend(c.to_lowercase());
        }
        starts_word = !(c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c));
    }
    Value::text(clean_cow(Cow::Owned(titled)))
}

/// Longest text that an expression makes, in bytes: far more than any field takes.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// What is told where an expression would make more.
pub fn too_long() -> Value<'static> {
    Value::fault(format!(
        "the text grows over {LONGEST_TEXT} bytes; look at | replace, | join and ~"
    ))
}

pub fn replace<'a>(text: Cow<'a, str>, from: &str, to: &str) -> Value<'a> {
    let found = text.matches(from).count();
    if found == 0 {
        return Value::Text(text);
    }
    // Known before it is made.
    if found.saturating_mul(to.len()) > LONGEST_TEXT {
        return too_long();
    }
    Value::text(clean_cow(Cow::Owned(text.replace(from, to))))
}

pub fn replace_pattern<'a>(text: Cow<'a, str>, pattern: &Regex, to: &str) -> Value<'a> {
    let mut made = 0;
    let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
        let mut piece = String::new();
        if made <= LONGEST_TEXT {
            found.expand(to, &mut piece);
            made += piece.len();
        }
        piece
    });
    match replaced {
        _ if made > LONGEST_TEXT => too_long(),
        Cow::Borrowed(_) => Value::Text(text),
        Cow::Owned(replaced) => Value::text(clean_cow(Cow::Owned(replaced))),
    }
}

/// The first group of the first match, or the whole match of a pattern without groups.
pub fn extract<'a>(text: Cow<'a, str>, pattern: &Regex, label: &str) -> Value<'a> {
    let Some(captures) = pattern.captures(&text) else {
        return Value::nothing(Unknown::Expression(format!(
            "{label} does not match the pattern of | regex; use | default('') where it should then be empty"
        )));
    };
    let group = if pattern.captures_len() > 1 {
        captures.get(1)
    } else {
        captures.get(0)
    };
    let range = group.map_or(0..0, |found| found.range());
    Value::text(match text {
        Cow::Borrowed(text) => crate::mapping::text::clean(&text[range]),
        Cow::Owned(text) => clean_cow(Cow::Owned(text[range].to_owned())),
    })
}

/// The text, where the pattern is found in it.
pub fn matching<'a>(text: Cow<'a, str>, pattern: &Regex, label: &str) -> Value<'a> {
    if pattern.is_match(&text) {
        return Value::Text(text);
    }
    Value::nothing(Unknown::Expression(format!(
        "no value of {label} matches the pattern of | matching; use | default('') where it should then be empty"
    )))
}

/// The address after `SMTP:`, which Exchange writes in capitals for the primary one.
pub fn primary_smtp<'a>(text: Cow<'a, str>, label: &str) -> Value<'a> {
    match text.strip_prefix("SMTP:") {
        Some(address) => Value::text(address.trim().to_owned()),
        None => Value::nothing(Unknown::Expression(format!(
            "no value of {label} begins with SMTP: in capitals, as the primary address does"
        ))),
    }
}

pub fn pad(text: Cow<'_, str>, width: usize, fill: char) -> Value<'_> {
    let chars = text.chars().count();
    if chars >= width {
        return Value::Text(text);
    }
    let mut padded: String = std::iter::repeat_n(fill, width - chars).collect();
    padded.push_str(&text);
    Value::text(padded)
}

pub fn slice(text: &str, from: Option<i64>, to: Option<i64>) -> Value<'static> {
    let chars: Vec<char> = text.chars().collect();
    let place = |at: i64| {
        let length = i64::try_from(chars.len()).unwrap_or(i64::MAX);
        let from_start = if at < 0 { length.saturating_add(at) } else { at };
        usize::try_from(from_start.clamp(0, length)).unwrap_or(0)
    };
    let from = from.map_or(0, place);
    let to = to.map_or(chars.len(), place);
    let part: String = chars.get(from..to).unwrap_or_default().iter().collect();
    Value::text(clean_cow(Cow::Owned(part)))
}
