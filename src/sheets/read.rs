//! Tables as they come back from people: whatever a spreadsheet made of them when it saved them. Pure.

use crate::core::model::letters::{line_breaks, names_separator};
use csv::StringRecord;
use encoding_rs::{UTF_8, WINDOWS_1252};

/// As Excel and others save it: UTF-8 or UTF-16 by its mark, else UTF-8, else the old code page of Western Europe.
pub(crate) fn decoded(bytes: &[u8]) -> String {
    let (text, _, damaged) = UTF_8.decode(bytes);
    if damaged {
        WINDOWS_1252.decode(bytes).0.into_owned()
    } else {
        text.into_owned()
    }
}

/// A first line such as `sep=;` tells spreadsheets the delimiter and is no row.
pub(crate) fn without_separator_line(text: &str) -> (u64, &str) {
    match text.split_once('\n') {
        Some((first, rest)) if names_separator(first) => (1, rest),
        Some(_) | None => (0, text),
    }
}

/// The lines in which the rows of a sheet begin, as an editor and a spreadsheet count them.
///
/// The parser counts a line only once it has read past its end, and leaves the LF of a CR LF to the next row.
pub(crate) struct RowLines<'a> {
    body: &'a [u8],
    line: u64,
    counted: usize,
}

impl<'a> RowLines<'a> {
    /// Over a text above which so many lines were left out.
    pub(crate) fn new(body: &'a str, skipped: u64) -> Self {
        Self {
            body: body.as_bytes(),
            line: 1 + skipped,
            counted: 0,
        }
    }

    /// The line of a row; rows are asked for in their order.
    pub(crate) fn of(&mut self, row: &StringRecord) -> u64 {
        let at = row.position().map_or(0, csv::Position::byte);
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(self.body.len());
        let line_ends = self.body[at..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let start = at + line_ends.count();
        self.line += line_breaks(&self.body[self.counted.min(start)..start]);
        self.counted = start;
        self.line
    }
}

/// What the first line that is not blank is split by.
pub(crate) fn delimiter(body: &str) -> u8 {
    let header = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    let most = [b';', b',', b'\t']
        .into_iter()
        .max_by_key(|delimiter| count(*delimiter));
    most.unwrap_or(b';')
}
