//! The rows of a CSV text: each becomes a record or a rejection. Pure.

use super::header::Header;
use super::quotes;
use super::shapes::KeyShapes;
use crate::domain::ids::SourceName;
use crate::domain::key::{Key, KeyReading, KeySpec};
use crate::domain::record::{Place, RawRecord, Values};
use crate::domain::snapshot::{Effect, Finding, Rejection, RejectionScope};
use crate::sources::text::{Text, line_breaks};
use csv::{ReaderBuilder, StringRecord};
use std::collections::BTreeSet;
use std::ops::Range;

/// How to read a text.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub source: &'a SourceName,
    pub delimiter: u8,
    /// The column that holds the key.
    pub key_column: &'a str,
    pub key: &'a KeySpec,
}

/// All rows of a text.
#[derive(Debug)]
pub struct Rows {
    pub header: Header,
    pub records: Vec<RawRecord>,
    pub rejections: Vec<Rejection>,
    pub findings: Vec<Finding>,
}

/// Reads all rows; `row_done` hears the number of rows so far.
///
/// # Errors
/// A text without a header row, or with one that cannot be read.
pub fn parse(
    text: &Text,
    layout: Layout<'_>,
    asked: &BTreeSet<String>,
    mut row_done: impl FnMut(u64),
) -> Result<Rows, Finding> {
    let mut cursor = Cursor::new(text, layout.delimiter);
    let first = cursor.next_row().ok_or_else(no_header)?;
    if text.is_malformed(first.clone()) || !quotes::are_sound(&text.text[first.clone()], layout.delimiter) {
        return Err(unreadable_header());
    }
    let header = Header::new(&cursor.cells, asked, layout.key_column, layout.delimiter);
    let mut reader = RowReader {
        text,
        layout,
        header,
        shapes: KeyShapes::default(),
        records: Vec::new(),
        doubtful: Vec::new(),
        embedded: Vec::new(),
        findings: Vec::new(),
    };
    let mut rows = 0;
    while let Some(range) = cursor.next_row() {
        reader.row(range, cursor.line, &cursor.cells);
        rows += 1;
        row_done(rows);
    }
    Ok(reader.finish())
}

/// Steps through the rows of a text and knows where each begins.
struct Cursor<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    cells: StringRecord,
    /// Where the reader's own positions begin: a line that only spreadsheets read is stepped over.
    offset: usize,
    /// The line of the current row, and the place up to which lines are counted.
    line: u64,
    counted: usize,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a Text, delimiter: u8) -> Self {
        let text = text.text.as_str();
        let offset = separator_line(text);
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
    fn next_row(&mut self) -> Option<Range<usize>> {
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

/// The length of a first line such as `sep=;`, which tells spreadsheets the delimiter.
fn separator_line(text: &str) -> usize {
    let line = text.lines().next().unwrap_or_default();
    let is_separator = line.strip_prefix("sep=").is_some_and(|rest| rest.chars().count() == 1);
    if is_separator { line.len() } else { 0 }
}

/// A row that is not a record; its key is known when the whole file is.
struct Doubtful {
    line: u64,
    key_cell: Option<String>,
    message: String,
}

/// A line inside a quoted cell that could be a row of its own.
struct Embedded {
    row_line: u64,
    key_cell: String,
    /// The row around it is broken too: no further proof is needed.
    certain: bool,
}

struct RowReader<'a> {
    text: &'a Text,
    layout: Layout<'a>,
    header: Header,
    shapes: KeyShapes,
    records: Vec<RawRecord>,
    doubtful: Vec<Doubtful>,
    embedded: Vec<Embedded>,
    findings: Vec<Finding>,
}

impl RowReader<'_> {
    fn row(&mut self, range: Range<usize>, line: u64, cells: &StringRecord) {
        let raw = &self.text.text[range.clone()];
        let last_and_open = range.end == self.text.text.len();
        let expected = self.header.names.len();
        let lines = 1 + line_breaks(raw.as_bytes());
        let sound = !raw.contains('"') || quotes::are_sound(raw, self.layout.delimiter);
        let malformed = self.text.is_malformed(range.clone());

        if last_and_open
            && (!sound || cells.len() < expected || self.text.is_malformed(range.end.saturating_sub(3)..range.end))
        {
            self.findings.push(cut_off(line));
        } else if !sound && lines > 1 {
            self.findings.push(swallowed(line, lines));
        }
        if sound && lines > 1 {
            let key_cell = self.header.key.and_then(|key| cells.get(key)).unwrap_or_default();
            let broken = cells.len() != expected || key_cell.contains(['\n', '\r']);
            self.look_for_rows_inside(raw, line, broken);
        }
        let message = if !sound {
            "the row has a quote that does not close, or text after a closing quote; \
             have cells with quotes exported with doubled quotes"
                .to_owned()
        } else if cells.len() != expected {
            format!(
                "the row has {} cells where the header has {expected}; \
                 have cells that hold the delimiter or a line end exported in quotes",
                cells.len()
            )
        } else if malformed {
            let column = cells
                .iter()
                .position(|cell| cell.contains(char::REPLACEMENT_CHARACTER))
                .unwrap_or(0);
            format!(
                "column '{}' holds bytes that are not {}; correct the cell, or set `encoding` to what the export uses",
                self.header.names[column],
                self.text.encoding.name().to_lowercase()
            )
        } else {
            self.record(line, cells);
            return;
        };
        let key_cell = self
            .header
            .key
            .filter(|_| sound)
            .and_then(|key| cells.get(key))
            .map(str::to_owned);
        self.doubtful.push(Doubtful {
            line,
            key_cell,
            message,
        });
    }

    fn record(&mut self, line: u64, cells: &StringRecord) {
        if let Some(key) = self.header.key {
            self.shapes.learn(&cells[key]);
        }
        let values = self
            .header
            .columns
            .iter()
            .map(|column| Values::One(cells[*column].into()))
            .collect();
        self.records.push(RawRecord {
            place: Place::Line(line),
            values,
            anchor: None,
        });
    }

    /// Two stray quotes can join many rows into one cell, and the row around them can look sound.
    fn look_for_rows_inside(&mut self, raw: &str, row_line: u64, certain: bool) {
        let Some(key) = self.header.key else { return };
        let delimiter = char::from(self.layout.delimiter);
        for line in raw.split(['\n', '\r']).skip(1) {
            let cells: Vec<&str> = line.split(delimiter).collect();
            if cells.len() == self.header.names.len() {
                let key_cell = cells[key].to_owned();
                self.embedded.push(Embedded {
                    row_line,
                    key_cell,
                    certain,
                });
            }
        }
    }

    fn finish(mut self) -> Rows {
        let hidden: Vec<&Embedded> = self
            .embedded
            .iter()
            .filter(|inside| inside.certain || self.shapes.fits(&inside.key_cell))
            .collect();
        if let Some(first) = hidden.first() {
            self.findings.push(hidden_rows(first.row_line, hidden.len()));
        }
        let known = |cell: Option<String>| -> Option<Key> {
            let cell = cell.filter(|cell| self.shapes.fits(cell))?;
            match self.layout.key.read(&cell) {
                KeyReading::Key(key) => Some(key),
                KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } => None,
            }
        };
        let rejections = std::mem::take(&mut self.doubtful)
            .into_iter()
            .map(|row| Rejection {
                source: self.layout.source.clone(),
                place: Place::Line(row.line),
                key: known(row.key_cell),
                scope: RejectionScope::Record,
                message: row.message,
            })
            .collect();
        let mut findings = std::mem::take(&mut self.header.findings);
        findings.append(&mut self.findings);
        self.records.shrink_to_fit();
        Rows {
            header: self.header,
            records: self.records,
            rejections,
            findings,
        }
    }
}

fn no_header() -> Finding {
    Finding::new(
        "no_header",
        Effect::Reject,
        "the file is empty: it has no header row",
        "Check whether the export ran to its end.",
    )
}

fn unreadable_header() -> Finding {
    Finding::new(
        "header_unreadable",
        Effect::Reject,
        "the header row cannot be read: undecodable bytes or quotes that do not match",
        "Check `encoding`, and the first row of the file.",
    )
}

fn cut_off(line: u64) -> Finding {
    Finding::new(
        "cut_off",
        Effect::Reject,
        format!("the file ends in the middle of the row that begins in line {line}"),
        "Wait for the export to finish, or run it again; let it write to another name and rename the file when it is complete.",
    )
}

fn swallowed(line: u64, lines: u64) -> Finding {
    Finding::new(
        "broken_quotes",
        Effect::Reject,
        format!(
            "a quote in the row that begins in line {line} does not match: it runs over {lines} lines, which may be other people's rows"
        ),
        "Correct the quotes in that row; have cells with quotes exported with doubled quotes.",
    )
}

fn hidden_rows(line: u64, count: usize) -> Finding {
    Finding::new(
        "broken_quotes",
        Effect::Reject,
        format!(
            "a quoted cell of the row that begins in line {line} holds what looks like {count} rows of other people"
        ),
        "Correct the quotes in that row and in the row where the cell ends.",
    )
}
