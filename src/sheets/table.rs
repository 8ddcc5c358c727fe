//! Tables for spreadsheets, all of one form: what people open, they open with a double click. Pure.
//!
//! A byte order mark, so that names keep their accents; semicolons unless said otherwise, which is what a spreadsheet
//! expects wherever the decimal sign is a comma; line ends as Windows has them; an apostrophe before whatever a spreadsheet
//! could take for a formula; and nothing that hides.

use crate::core::model::visible;
use csv::{Terminator, WriterBuilder};
use std::str::FromStr;

/// What divides the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Separator {
    #[default]
    Semicolon,
    Comma,
    Tab,
}

impl Separator {
    fn byte(self) -> u8 {
        match self {
            Separator::Semicolon => b';',
            Separator::Comma => b',',
            Separator::Tab => b'\t',
        }
    }
}

/// A word that is no separator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write semicolon, comma or tab")]
pub struct NoSeparator;

impl FromStr for Separator {
    type Err = NoSeparator;

    fn from_str(word: &str) -> Result<Self, NoSeparator> {
        match word {
            "semicolon" | ";" => Ok(Separator::Semicolon),
            "comma" | "," => Ok(Separator::Comma),
            "tab" => Ok(Separator::Tab),
            _other => Err(NoSeparator),
        }
    }
}

/// A table with its header row.
pub fn table<H: AsRef<str>, R: AsRef<[String]>>(
    header: &[H],
    rows: impl IntoIterator<Item = R>,
    separator: Separator,
) -> String {
    let mut writer = WriterBuilder::new()
        .delimiter(separator.byte())
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let mut row = |cells: Vec<String>| writer.write_record(&cells).expect("memory takes every row");
    row(header.iter().map(|cell| defused(cell.as_ref())).collect());
    for cells in rows {
        row(cells.as_ref().iter().map(|cell| defused(cell)).collect());
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    format!("\u{feff}{}", String::from_utf8(bytes).expect("text in, text out"))
}

/// A cell that no spreadsheet takes for a formula.
pub(crate) fn defused(cell: &str) -> String {
    let cell = visible::line(cell);
    let first = cell.trim_start_matches([' ', '\u{a0}', '\u{feff}']).chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}') => {
            format!("'{cell}")
        }
        Some(_) | None => cell.into_owned(),
    }
}

/// A cell without what a table or a spreadsheet puts around it: blanks, an apostrophe, brackets.
pub(crate) fn plain(cell: &str) -> String {
    let text = cell.trim().trim_matches(['\'', '[', ']']);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text that came back is the one that was written: spreadsheets take letters that an old code page does not have.
pub(crate) fn is_same_text(cell: &str, written: &str) -> bool {
    cell == written
        || cell.chars().count() == written.chars().count()
            && cell
                .chars()
                .zip(written.chars())
                .all(|(one, other)| one == other || one == '?' && !other.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_names_keep_their_accents() {
        let rows = [["=cmd|'/c calc'!A1", "Visser; \"Zoë\"\u{1b}"].map(str::to_owned)];
        let shown = table(&["who", "name"], &rows, Separator::default());
        assert_eq!(
            shown,
            "\u{feff}who;name\r\n'=cmd|'/c calc'!A1;\"Visser; \"\"Zoë\"\"<U+001B>\"\r\n"
        );
        let shown = table(&["who", "name"], &rows, Separator::Comma);
        assert!(shown.starts_with("\u{feff}who,name\r\n'=cmd|'/c calc'!A1,"), "{shown}");
    }

    #[test]
    fn separators_have_names() {
        assert_eq!("tab".parse(), Ok(Separator::Tab));
        assert_eq!(",".parse(), Ok(Separator::Comma));
        assert_eq!("semicolons".parse::<Separator>(), Err(NoSeparator));
    }
}
