//! Steps through the rows of a text and knows where each begins.

use crate::sources::text::line_breaks;
use csv::{ReaderBuilder, StringRecord};
use std::ops::Range;

/// The rows of a text, one after the other.
pub struct Cursor<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    /// The cells of the current row.
    pub cells: StringRecord,
    /// The line of the current row, from 1, counted from the beginning of the text whatever is skipped.
    pub line: u64,
    /// Where the reader's own positions begin.
    offset: usize,
    /// The place up to which lines are counted.
    counted: usize,
}

impl<'a> Cursor<'a> {
    /// Over the rows that begin after so many bytes.
    pub fn new(text: &'a str, delimiter: u8, offset: usize) -> Self {
        Self {
            text,
            reader: ReaderBuilder::new()
                .delimiter(delimiter)
                .has_headers(false)
                .flexible(true)
                .from_reader(&text.as_bytes()[offset..]),
            cells: StringRecord::new(),
            offset,
            line: 1,
            counted: 0,
        }
    }

    /// The next row that is not blank: its raw text without line ends. Its cells are in `cells`.
    pub fn next_row(&mut self) -> Option<Range<usize>> {
        loop {
            let from = self.position();
            let more = self.reader.read_record(&mut self.cells);
            if !more.expect("text in memory is valid UTF-8 and cannot fail to be read") {
                return None;
            }
            // The parser steps over blank lines, and over the LF of a CR LF, only when it reads the next row.
            let line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
            let raw = &self.text.as_bytes()[from..self.position()];
            let start = from + raw.iter().take_while(|byte| line_end(byte)).count();
            let end = self.position() - raw.iter().rev().take_while(|byte| line_end(byte)).count();
            self.line += line_breaks(&self.text.as_bytes()[self.counted..start]);
            self.counted = start;
            // Ctrl-Z ends the files of old systems.
            let blank = |cell: &str| cell.chars().all(|letter| letter.is_whitespace() || letter == '\u{1a}');
            if self.cells.len() > 1 || !self.cells.get(0).is_none_or(blank) {
                return Some(start..end.max(start));
            }
        }
    }

    fn position(&self) -> usize {
        self.offset + usize::try_from(self.reader.position().byte()).expect("the text is in memory")
    }
}
