//! What a cell means: spreadsheets and databases write numbers as formulas, apostrophes before numbers and words for
//! nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Takes the place of a blank before an opening quote; a text that holds a NUL was refused before.
pub const GAP: char = '\0';

/// The value of a cell. `blank` are the words that stand for nothing.
///
/// `="00123"` is how spreadsheets are made to keep zeros, and `'00123` how they show such a number.
pub fn value<'a>(cell: &'a str, blank: &BTreeSet<String>) -> Cow<'a, str> {
    // Blanks around the quotes are no part of it.
    let cell = match cell.strip_prefix(GAP) {
        Some(rest) => rest.trim_start_matches(GAP).trim_end(),
        None => cell,
    };
    let trimmed = cell.trim();
    if blank.contains(trimmed) {
        return Cow::Borrowed("");
    }
    let formula = trimmed.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    if let Some(inner) = formula {
        // Of the quotes within, two stand for one.
        return match inner.contains('"') {
            false => Cow::Borrowed(inner),
            true if inner.replace("\"\"", "").contains('"') => Cow::Borrowed(cell),
            true => Cow::Owned(inner.replace("\"\"", "\"")),
        };
    }
    match trimmed.strip_prefix('\'') {
        Some(number) if is_number(number) => Cow::Borrowed(number),
        Some(_) | None => Cow::Borrowed(cell),
    }
}

/// Digits, and what stands between them in telephone numbers, dates and amounts. Not `'t Hart`.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.starts_with(|letter: char| letter.is_ascii_digit())
        && digits
            .chars()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, ' ' | '.' | ',' | '-' | '/' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_write_around_a_number_is_taken_off_and_names_stay() {
        let blank: BTreeSet<String> = ["NULL", "-"].map(str::to_owned).into();
        for (cell, meant) in [
            ("=\"00123\"", "00123"),
            ("=\"\"", ""),
            (" =\"Jan\"", "Jan"),
            ("=\"17\"\" monitor\"", "17\" monitor"),
            ("=\"a\";\"b\"", "=\"a\";\"b\""),
            ("'00123", "00123"),
            ("'+31 15 123", "+31 15 123"),
            ("'31-12-2026", "31-12-2026"),
            ("'t Hart", "'t Hart"),
            ("'", "'"),
            ("'2nd floor", "'2nd floor"),
            ("\0\0Nina", "Nina"),
            ("NULL", ""),
            (" - ", ""),
            ("Null", "Null"),
            ("de-Vries", "de-Vries"),
            (" x ", " x "),
        ] {
            assert_eq!(value(cell, &blank), meant, "{cell}");
        }
        assert_eq!(value("NULL", &BTreeSet::new()), "NULL");
    }
}
