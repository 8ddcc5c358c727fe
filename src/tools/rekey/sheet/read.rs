//! The lines of a list that came back, without a look at what they say of whom.

use super::{ListProblem, SOMEBODY_ELSE};
use crate::core::memory::decision::Answer;
use crate::core::model::ids::CardId;
use crate::sheets::read::{RowLines, decoded, delimiter, without_separator_line};
use csv::{ReaderBuilder, StringRecord};
use std::collections::BTreeMap;

/// One line of a list that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which of several files; empty where there is one.
    pub file: String,
    /// From 1, as an editor and a spreadsheet count.
    pub line: u64,
    pub card: CardId,
    /// What the line showed.
    pub(super) mark: LineMark,
    pub(super) card_name: String,
    pub(super) source_name: String,
    /// The number that was proposed, as the line shows it now.
    pub(super) number: String,
    /// Another number, of somebody who knows better.
    pub other_number: String,
    pub answer: Option<Answer>,
    /// The number may be that of somebody whose name is not on the card.
    pub somebody_else: bool,
    pub note: String,
    /// The other card of an exchange, as the line shows it now.
    pub(super) exchange: Option<Exchanged>,
    /// The grade, as the line shows it now; `None` where the list has no such column.
    pub(super) grade: Option<String>,
}

/// The other card of an exchange, its name, and the number that it is to get, as a line shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchanged {
    pub card: CardId,
    pub name: String,
    pub number: String,
}

/// The mark of a line in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineMark {
    pub card: String,
    /// Empty where nobody was proposed.
    pub proposal: String,
    /// When the rejection was given that the line showed.
    pub rejected: String,
    pub grade: char,
    pub others: Vec<String>,
}

/// Letters of the hash of one person or card beside others.
const SHORT: usize = 4;

impl LineMark {
    fn of(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [card, proposal, rejected, around] = parts.as_slice() else {
            return None;
        };
        let grade = around.chars().next()?;
        let others = &around[grade.len_utf8()..];
        if !others.is_ascii() || !others.len().is_multiple_of(SHORT) {
            return None;
        }
        let others = others.as_bytes().chunks(SHORT);
        Some(Self {
            card: (*card).to_owned(),
            proposal: if *proposal == "none" {
                String::new()
            } else {
                (*proposal).to_owned()
            },
            rejected: (*rejected).to_owned(),
            grade,
            others: others.map(|one| String::from_utf8_lossy(one).into_owned()).collect(),
        })
    }
}

impl Line {
    /// A problem of this line.
    pub(super) fn problem(&self, message: impl Into<String>) -> ListProblem {
        ListProblem {
            file: self.file.clone(),
            line: self.line,
            message: message.into(),
        }
    }

    /// Where it stands, for a message about another line.
    pub(super) fn place(&self) -> String {
        if self.file.is_empty() {
            format!("line {}", self.line)
        } else {
            format!("{} line {}", self.file, self.line)
        }
    }
}

/// The lines of one list. `file` names it where there are several.
///
/// # Errors
/// Every line that is no line of such a list.
pub fn read(bytes: &[u8], file: &str) -> Result<Vec<Line>, Vec<ListProblem>> {
    let problem = |line: u64, message: String| ListProblem {
        file: file.to_owned(),
        line,
        message,
    };
    if bytes.starts_with(b"PK\x03\x04") {
        let message =
            "this is a workbook; save the list as CSV in the spreadsheet (all columns, UTF-8) and give that file";
        return Err(vec![problem(0, message.to_owned())]);
    }
    let text = decoded(bytes);
    let (skipped, body) = without_separator_line(&text);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(body))
        .has_headers(false)
        .flexible(true)
        .from_reader(body.as_bytes());
    let mut rows = reader.records().map(|row| row.expect("text in memory can be read"));
    let header = rows.next().unwrap_or_default();
    let Some(columns) = Columns::of(&header) else {
        let message = "this is no list of pairs, or one of an earlier version: it needs the columns id, person_id, card_name, \
                       number, source_name, other_number and decision; make one with `cardsync rekey pair --csv FILE` and leave \
                       its first line as it is";
        return Err(vec![problem(1, message.to_owned())]);
    };
    let (mut lines, mut problems): (Vec<Line>, Vec<ListProblem>) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<CardId, u64> = BTreeMap::new();
    let mut at_line = RowLines::new(body, skipped);
    for row in rows {
        let at = at_line.of(&row);
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match columns.line(&row, file, at) {
            Ok(line) => {
                if let Some(before) = seen.insert(line.card.clone(), at) {
                    let message = format!(
                        "card {} is in line {before} already; keep one of the two lines",
                        line.card
                    );
                    problems.push(problem(at, message));
                }
                lines.push(line);
            }
            Err(message) => problems.push(problem(at, message)),
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

struct Columns {
    id: usize,
    card: usize,
    card_name: usize,
    number: usize,
    source_name: usize,
    other_number: usize,
    decision: usize,
    note: Option<usize>,
    grade: Option<usize>,
    exchange: [Option<usize>; 3],
}

impl Columns {
    fn of(header: &StringRecord) -> Option<Self> {
        let column = |name: &str| {
            let named = |cell: &str| cell.trim().trim_start_matches('\'').eq_ignore_ascii_case(name);
            header.iter().position(named)
        };
        Some(Self {
            id: column("id")?,
            card: column("person_id")?,
            card_name: column("card_name")?,
            number: column("number")?,
            source_name: column("source_name")?,
            other_number: column("other_number")?,
            decision: column("decision")?,
            note: column("note"),
            grade: column("grade"),
            exchange: ["exchange_with", "exchange_name", "exchange_number"].map(column),
        })
    }

    fn line(&self, row: &StringRecord, file: &str, line: u64) -> Result<Line, String> {
        let cell = |at: usize| row.get(at).unwrap_or_default().trim().trim_start_matches('\'').trim();
        let bare = |at: usize| cell(at).trim_start_matches('[').trim_end_matches(']').trim();
        let (answer, somebody_else) = said(cell(self.decision))?;
        let Some(mark) = LineMark::of(bare(self.id)) else {
            return Err(
                "the column 'id' was changed; put back what stood there, or take the line from a new list".to_owned(),
            );
        };
        if bare(self.card).is_empty() {
            return Err("the column 'person_id' is empty; put back what stood there".to_owned());
        }
        let other_number = bare(self.other_number).to_owned();
        if answer.is_none() && !other_number.is_empty() {
            return Err(format!(
                "another number ({other_number}) and no decision; write approve to give it to this card, or take the number out"
            ));
        }
        let [card, name, number] = self.exchange.map(|at| at.map(bare).unwrap_or_default());
        let named = !(card.is_empty() && name.is_empty() && number.is_empty());
        let exchange = named.then(|| Exchanged {
            card: CardId::from(card.to_lowercase()),
            name: name.to_owned(),
            number: number.to_owned(),
        });
        Ok(Line {
            file: file.to_owned(),
            line,
            card: CardId::from(bare(self.card).to_lowercase()),
            mark,
            card_name: cell(self.card_name).to_owned(),
            source_name: cell(self.source_name).to_owned(),
            number: bare(self.number).to_owned(),
            other_number,
            answer,
            somebody_else,
            note: self.note.map(cell).unwrap_or_default().to_owned(),
            exchange,
            grade: self.grade.map(cell).map(str::to_owned),
        })
    }
}

/// The words of a decision.
fn said(cell: &str) -> Result<(Option<Answer>, bool), String> {
    let words = cell.to_lowercase();
    let (mut answer, mut somebody_else) = (None, false);
    for word in words.split_whitespace() {
        let said = match word {
            "approve" | "approved" => Answer::Approve,
            "reject" | "rejected" => Answer::Reject,
            SOMEBODY_ELSE if !somebody_else => {
                somebody_else = true;
                continue;
            }
            _other => return Err(no_decision(&words)),
        };
        if answer.replace(said).is_some() {
            return Err(no_decision(&words));
        }
    }
    if somebody_else && answer.is_none() {
        return Err(no_decision(&words));
    }
    Ok((answer, somebody_else))
}

fn no_decision(cell: &str) -> String {
    let shown: String = cell.chars().take(40).collect();
    format!("'{shown}' is no decision; write approve or reject, or leave the cell empty")
}
