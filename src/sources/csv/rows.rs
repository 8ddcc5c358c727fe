//! The rows of a CSV text: each becomes a record or a rejection. Pure.

use super::beginning::{self, further_down, no_header};
use super::cells;
use super::cursor::Cursor;
use super::header::{Header, Repeated};
use super::quotes;
use super::short::{self, ShortRow, Whole};
use crate::core::memory::asked::mark_of;
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, KeyReading, KeySpec};
use crate::core::model::record::{Place, RawRecord, Values};
use crate::core::reads::key_shapes::KeyShapes;
use crate::core::reads::snapshot::{Effect, Finding, Rejection, RejectionScope};
use crate::sources::text::{Text, line_breaks};
use csv::StringRecord;
use std::borrow::Cow;
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
    /// How many lines stand above the header.
    pub skip_lines: u64,
    /// Cells that stand for nothing.
    pub blank: &'a BTreeSet<String>,
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
    let closed = quotes::closed_up(&text.text, layout.delimiter);
    let nothing = || no_header(layout.skip_lines);
    let begins = beginning::length(&closed, layout.skip_lines).ok_or_else(nothing)?;
    let mut cursor = Cursor::new(&closed, layout.delimiter, begins);
    let first = cursor.next_row().ok_or_else(nothing)?;
    let readable = !text.is_malformed(first.clone()) && quotes::are_sound(&closed[first], layout.delimiter);
    let header = Header::new(&cursor.cells, asked, layout.key_column, layout.delimiter);
    if header.key.is_none()
        && let Some(found) = further_down(&closed, cursor.line, layout.key_column, layout.delimiter)
    {
        return Err(found);
    }
    if !readable {
        return Err(unreadable_header());
    }
    let mut reader = RowReader {
        text,
        closed: &closed,
        layout,
        filled: vec![0; header.columns.len()],
        header,
        shapes: KeyShapes::default(),
        order: 0,
        whole: 0,
        records: Vec::new(),
        short: Vec::new(),
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

/// A row that is not a record; its key is known when the whole file is.
struct Doubtful {
    order: u64,
    line: u64,
    key_cell: Option<String>,
    message: String,
    /// A hash of its cells.
    content: String,
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
    /// The same text, place by place, in which every quoted cell begins with its quote.
    closed: &'a str,
    layout: Layout<'a>,
    header: Header,
    shapes: KeyShapes,
    /// How many rows came before this one.
    order: u64,
    /// How many rows have all their cells, and in how many of them each asked-for column is filled.
    whole: u64,
    filled: Vec<u64>,
    records: Vec<RawRecord>,
    short: Vec<ShortRow>,
    doubtful: Vec<Doubtful>,
    embedded: Vec<Embedded>,
    findings: Vec<Finding>,
}

impl RowReader<'_> {
    fn row(&mut self, range: Range<usize>, line: u64, cells: &StringRecord) {
        let raw = &self.closed[range.clone()];
        let last_and_open = range.end == self.closed.len();
        let (expected, needed) = (self.header.names.len(), self.header.named);
        let lines = 1 + line_breaks(raw.as_bytes());
        let sound = !raw.contains('"') || quotes::are_sound(raw, self.layout.delimiter);
        let malformed = self.text.is_malformed(range.clone());
        let fits = (needed..=expected).contains(&cells.len());
        self.order += 1;

        if last_and_open
            && (!sound || cells.len() < needed || self.text.is_malformed(range.end.saturating_sub(3)..range.end))
        {
            self.findings.push(cut_off(line));
        } else if !sound && lines > 1 {
            self.findings.push(swallowed(line, lines));
        }
        if sound && lines > 1 {
            let key_cell = self.header.key.and_then(|key| cells.get(key)).unwrap_or_default();
            let broken = !fits || key_cell.contains(['\n', '\r']);
            self.look_for_rows_inside(raw, line, broken);
        }
        let message = if !sound {
            "the row has a quote that does not close, or text after a closing quote; \
             have cells with quotes exported with doubled quotes"
                .to_owned()
        } else if let Some(repeated) = self.header.repeated(cells) {
            self.header_again(line, repeated);
            return;
        } else if cells.len() > expected {
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
        } else if fits {
            self.record(line, cells);
            return;
        } else if last_and_open || lines > 1 || self.header.key.is_none_or(|key| key >= cells.len()) {
            format!(
                "the row ends after {} of {expected} cells; have every row exported with all its delimiters",
                cells.len()
            )
        } else {
            self.keep_short(line, cells);
            return;
        };
        let key_cell = self.header.key.filter(|_| sound).and_then(|key| cells.get(key));
        self.doubtful.push(Doubtful {
            order: self.order,
            line,
            key_cell: key_cell.map(|cell| self.value(cell).into_owned()),
            message,
            content: mark_of(cells),
        });
    }

    fn value<'c>(&self, cell: &'c str) -> Cow<'c, str> {
        cells::value(cell, self.layout.blank)
    }

    /// Two exports in one file: a heading is nobody.
    fn header_again(&mut self, line: u64, repeated: Repeated) {
        let message = match repeated {
            Repeated::Same => "the row is the header once more: it is nobody; have it left out of the export",
            Repeated::Other => "the row is another header: it is nobody",
        };
        if repeated == Repeated::Other {
            self.findings.push(other_header(line));
        }
        self.doubtful.push(Doubtful {
            order: self.order,
            line,
            key_cell: None,
            message: message.to_owned(),
            content: String::new(),
        });
    }

    fn record(&mut self, line: u64, cells: &StringRecord) {
        if let Some(key) = self.header.key {
            let key = cells::value(&cells[key], self.layout.blank);
            self.shapes.learn(&without_quotes(&key));
        }
        self.whole += 1;
        let mut values = Vec::with_capacity(self.header.columns.len());
        for (place, column) in self.header.columns.iter().enumerate() {
            // Columns without a name at the end may lack, and nobody can ask for those.
            let value = cells::value(&cells[*column], self.layout.blank);
            self.filled[place] += u64::from(!value.trim().is_empty());
            values.push(Values::One(value.into()));
        }
        self.records.push(RawRecord {
            place: Place::Line(line),
            values: values.into(),
            anchor: None,
        });
    }

    fn keep_short(&mut self, line: u64, cells: &StringRecord) {
        let key = self.header.key.and_then(|key| cells.get(key)).unwrap_or_default();
        self.short.push(ShortRow {
            order: self.order,
            line,
            cells: cells.iter().map(Into::into).collect(),
            key: self.value(key).into(),
        });
    }

    /// Rows that only lack blank cells at their end become records, the others are rejected.
    fn settle_short(&mut self) {
        let rows = std::mem::take(&mut self.short);
        let columns = self.header.columns.iter().zip(&self.filled);
        let always_filled = columns
            .filter(|(_, filled)| **filled == self.whole)
            .map(|(column, _)| (*column, self.header.names[*column].as_str()))
            .collect();
        let whole = Whole {
            count: self.whole,
            shapes: &self.shapes,
            always_filled,
            bad: self.doubtful.iter().map(|row| row.order).collect(),
            expected: self.header.names.len(),
        };
        let decided = short::decide(&rows, &whole);
        let mut taken: Vec<u64> = Vec::new();
        for (row, why) in decided {
            let Some(message) = why else {
                let cell = |column: &usize| row.cells.get(*column).map_or("", |cell| cell);
                let values = self.header.columns.iter().map(cell);
                let values = values.map(|cell| Values::One(self.value(cell).into()));
                self.records.push(RawRecord {
                    place: Place::Line(row.line),
                    values: values.collect(),
                    anchor: None,
                });
                taken.push(row.line);
                continue;
            };
            self.doubtful.push(Doubtful {
                order: row.order,
                line: row.line,
                key_cell: Some(row.key.to_string()),
                message,
                content: mark_of(&row.cells),
            });
        }
        if let Some(first) = taken.first() {
            self.findings.push(short_rows(taken.len(), *first));
            self.records.sort_by(|a, b| a.place.cmp(&b.place));
        }
        self.doubtful.sort_by_key(|row| row.order);
    }

    /// Two stray quotes can join many rows into one cell, and the row around them can look sound.
    fn look_for_rows_inside(&mut self, raw: &str, row_line: u64, certain: bool) {
        let Some(key) = self.header.key else { return };
        let delimiter = char::from(self.layout.delimiter);
        for line in raw.split(['\n', '\r']).skip(1) {
            let cells: Vec<&str> = line.split(delimiter).collect();
            if cells.len() == self.header.names.len() {
                let key_cell = self.value(cells[key]).into_owned();
                self.embedded.push(Embedded {
                    row_line,
                    key_cell,
                    certain,
                });
            }
        }
    }

    fn finish(mut self) -> Rows {
        self.settle_short();
        let hidden: Vec<&Embedded> = self
            .embedded
            .iter()
            .filter(|inside| inside.certain || self.shapes.fits(&without_quotes(&inside.key_cell)))
            .collect();
        if let Some(first) = hidden.first() {
            self.findings.push(hidden_rows(first.row_line, hidden.len()));
        }
        let known = |cell: Option<String>| -> Option<Key> {
            let cell = cell.filter(|cell| self.shapes.fits(&without_quotes(cell)))?;
            match self.layout.key.read(&cell) {
                KeyReading::Key(key) => Some(key),
                KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } | KeyReading::Hidden { .. } => {
                    None
                }
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
                content: row.content.into(),
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

/// Near broken quotes they are where they should not be: they do not count when keys are compared by their looks.
fn without_quotes(key: &str) -> Cow<'_, str> {
    if key.contains('"') {
        Cow::Owned(key.replace('"', ""))
    } else {
        Cow::Borrowed(key)
    }
}

fn other_header(line: u64) -> Finding {
    Finding::new(
        "other_header",
        Effect::Reject,
        format!(
            "line {line} is another header, with other columns or in another order: what the rows after it mean is not known"
        ),
        "Export each list into a file of its own, and make each a source.",
    )
}

fn short_rows(count: usize, first: u64) -> Finding {
    let rows = if count == 1 {
        "1 row ends"
    } else {
        &*format!("{count} rows end")
    };
    Finding::new(
        "short_rows",
        Effect::Note,
        format!("{rows} before the last column, the first in line {first}: what is not there is read as blank"),
        "nothing, if a spreadsheet wrote the file; else have every row exported with all its delimiters",
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
