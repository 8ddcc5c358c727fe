//! What waits as a table for a spreadsheet, and the decisions that come back in it. Pure.
//!
//! Written so that a spreadsheet shows it as it is: a byte order mark, semicolons, ids in brackets (twelve hexadecimal
//! digits may look like a number), and an apostrophe before whatever could be taken for a formula. Read as spreadsheets
//! save it: with comma, semicolon or tab, in UTF-8, UTF-16 or windows-1252.

use crate::core::memory::decision::{Answer, Decision};
use crate::core::model::card::OperatorLink;
use crate::core::model::ids::ItemId;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::view::{ChangeView, FromTo};
use crate::engine::decisions::SheetDecision;
use crate::engine::decisions::{SnapshotHold, Waiting, choice_words, class_of};
use crate::engine::state::KeptHold;
use crate::sheets::read::{RowLines, decoded, delimiter, without_separator_line};
use crate::sheets::table::{Separator, defused, is_same_text, plain, table};
use chrono::NaiveDate;
use chrono_tz::Tz;
use csv::{ReaderBuilder, StringRecord};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The columns, in order. `choice`: that the line is one of several of which only one can be approved. `codes` are the reasons as programs name them: an approval waives only these.
const COLUMNS: [&str; 16] = [
    "id",
    "class",
    "action",
    "key",
    "name",
    "person_id",
    "choice",
    "operator",
    "fields",
    "why",
    "evidence",
    "reasons",
    "codes",
    "since",
    "decision",
    "note",
];

/// What tells whom and what a line is about: never edited, and that of its item in every line.
const SHOWN: [&str; 5] = ["action", "key", "name", "person_id", "operator"];

/// Why nothing of a sheet was taken, by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetProblem {
    /// From 1, as a text editor counts.
    pub line: u64,
    pub message: String,
}

impl fmt::Display for SheetProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Everything that waits, one line per item, with an empty decision and note.
pub fn write(waiting: &Waiting, zone: Tz, separator: Separator) -> String {
    let reads = waiting.snapshots.iter().map(|hold| of_snapshot(hold, zone));
    let items = waiting.by_question().into_iter().map(|kept| of_item(kept, zone));
    table(&COLUMNS, reads.chain(items), separator)
}

fn of_item(kept: &KeptHold, zone: Tz) -> [String; 16] {
    let item = &kept.item;
    let change = &item.change;
    let holds = &change.holds;
    let fields: Vec<String> = change.fields.iter().map(|(name, field)| from_to(name, field)).collect();
    let reasons: Vec<&str> = holds.iter().map(|hold| hold.message.as_str()).collect();
    [
        format!("[{}]", change.id),
        class_of(item),
        change.action.to_string(),
        change.key.as_ref().map(ToString::to_string).unwrap_or_default(),
        item.name.clone().unwrap_or_default(),
        change.person_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        choice(change),
        operator(change),
        fields.join(" | "),
        change.why.join(" | "),
        evidence(change),
        reasons.join(" | "),
        codes(kept).into_iter().collect::<Vec<_>>().join(" "),
        item.since.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string(),
        String::new(),
        String::new(),
    ]
}

/// Which answer it is to a question that has several, the best match first.
fn choice(change: &ChangeView) -> String {
    let at = change.choices.iter().position(|item| *item == change.id);
    at.map_or(String::new(), |at| {
        format!("{} of {}: {}", at + 1, change.choices.len(), choice_words(change))
    })
}

/// The days that its evidence names, in words, so that no spreadsheet writes them another way: the same item with another day is
/// another question.
fn evidence(change: &ChangeView) -> String {
    let days: BTreeSet<NaiveDate> = change.evidence.iter().filter_map(|evidence| evidence.day).collect();
    let days: Vec<String> = days.iter().map(|day| format!("of {day}")).collect();
    days.join(" and ")
}

fn of_snapshot(hold: &SnapshotHold, zone: Tz) -> [String; 16] {
    let mut cells: [String; 16] = Default::default();
    cells[0] = format!("[{}]", hold.id);
    cells[1] = "snapshot".to_owned();
    cells[2] = "accept_snapshot".to_owned();
    cells[4] = hold.source.to_string();
    cells[11] = hold.reasons.join(" | ");
    cells[12] = "snapshot".to_owned();
    cells[13] = hold.since.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    cells
}

fn from_to(name: &str, field: &FromTo) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(empty)".to_owned());
    format!("{name}: {} -> {}", shown(&field.from), shown(&field.to))
}

fn operator(change: &ChangeView) -> String {
    let names = &change.operator_names;
    match &change.operator {
        OperatorLink::ProvenNone => String::new(),
        OperatorLink::Unproven => "not known".to_owned(),
        OperatorLink::Active { operators } => format!("active: {}", names.list(operators)),
        OperatorLink::Archived { operators } => format!("archived: {}", names.list(operators)),
    }
}

/// The codes of the reasons that an approval can lift.
fn codes(kept: &KeptHold) -> BTreeSet<&str> {
    let approvable = kept.item.change.holds.iter().filter(|hold| hold.approvable);
    approvable.map(|hold| hold.code.as_str()).collect()
}

/// The decisions of a sheet about what waits now. One bad line and nothing of it is taken.
///
/// # Errors
/// Every bad line.
pub fn read(bytes: &[u8], waiting: &Waiting) -> Result<Vec<SheetDecision>, Vec<SheetProblem>> {
    let text = decoded(bytes);
    let first_line = |message: &str| {
        vec![SheetProblem {
            line: 1,
            message: message.to_owned(),
        }]
    };
    let (skipped, body) = without_separator_line(&text);
    let delimiter = delimiter(body);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(body.as_bytes());
    let mut rows = reader.records().map(|row| row.expect("text in memory can be read"));
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|cell| is_heading(cell, name));
    let stands = |name: &&&str| header.iter().filter(|cell| is_heading(cell, name)).count();
    if let Some(twice) = COLUMNS.iter().find(|name| stands(name) > 1) {
        return Err(first_line(&format!(
            "the column '{twice}' stands twice: keep one of them"
        )));
    }
    let shown: Option<Vec<usize>> = SHOWN.iter().map(|name| column(name)).collect();
    let needed = (column("id"), column("codes"), column("decision"), shown);
    let (Some(id), Some(codes), Some(decision), Some(shown)) = needed else {
        let message = format!(
            "this is no list of what waits: it needs the columns id, {}, codes and decision; make one with `cardsync holds \
             --csv FILE` and leave its first line as it is",
            SHOWN.join(", ")
        );
        return Err(first_line(&message));
    };
    let columns = Columns {
        id,
        codes,
        decision,
        shown,
        evidence: column("evidence"),
        note: column("note"),
    };
    let mut sheet = Sheet {
        items: waiting.items.iter().map(|kept| (&kept.item.change.id, kept)).collect(),
        reads: waiting.snapshots.iter().map(|hold| (&hold.id, hold)).collect(),
        rejected: waiting
            .decided
            .iter()
            .filter(|it| it.answer == Answer::Reject)
            .map(|it| (&it.item, it))
            .collect(),
        columns,
        decided: BTreeMap::new(),
        decisions: Vec::new(),
        problems: Vec::new(),
    };
    let mut lines = RowLines::new(body, skipped);
    for row in rows {
        let line = lines.of(&row);
        if let Err(message) = sheet.row(&row, line) {
            sheet.problems.push(SheetProblem { line, message });
        }
    }
    match (sheet.problems.is_empty(), sheet.decisions.is_empty()) {
        (false, _) => Err(sheet.problems),
        (true, true) => Err(first_line(
            "no line has a decision; write approve or reject in the column 'decision' of the lines you decide",
        )),
        (true, false) => Ok(sheet.decisions),
    }
}

fn is_heading(cell: &str, name: &str) -> bool {
    cell.trim().trim_start_matches('\'').eq_ignore_ascii_case(name)
}

/// Where the columns are.
struct Columns {
    id: usize,
    codes: usize,
    decision: usize,
    /// Where [`SHOWN`] are.
    shown: Vec<usize>,
    /// Lists of earlier versions have none, and name no day.
    evidence: Option<usize>,
    note: Option<usize>,
}

/// A sheet that is being read.
struct Sheet<'a> {
    items: BTreeMap<&'a ItemId, &'a KeptHold>,
    reads: BTreeMap<&'a ItemId, &'a SnapshotHold>,
    /// What somebody has said no to.
    rejected: BTreeMap<&'a ItemId, &'a Decision>,
    columns: Columns,
    /// The line of each item that has a decision.
    decided: BTreeMap<ItemId, u64>,
    decisions: Vec<SheetDecision>,
    problems: Vec<SheetProblem>,
}

impl Sheet<'_> {
    fn row(&mut self, row: &StringRecord, line: u64) -> Result<(), String> {
        let cell = |at: usize| row.get(at).unwrap_or_default().trim().trim_start_matches('\'').trim();
        self.is_of_its_item(row)?;
        let answer = match cell(self.columns.decision).to_lowercase().as_str() {
            "" => return Ok(()),
            "approve" | "approved" => Answer::Approve,
            "reject" | "rejected" => Answer::Reject,
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(format!(
                    "'{shown}' is no decision; write approve or reject, or leave the cell empty"
                ));
            }
        };
        let id = cell(self.columns.id).trim_start_matches('[').trim_end_matches(']');
        let item = ItemId::new(id);
        let shown: BTreeSet<&str> = cell(self.columns.codes).split_whitespace().collect();
        self.check(&item, &shown, answer)?;
        if let Some(before) = self.decided.insert(item.clone(), line) {
            return Err(format!(
                "item {item} has a decision in line {before} already; keep one of them"
            ));
        }
        let note = self.columns.note.map(cell).filter(|note| !note.is_empty());
        self.decisions.push(SheetDecision {
            item,
            answer,
            note: note.map(str::to_owned),
            line,
        });
        Ok(())
    }

    /// Whether what tells whom a line is about is that of its item: where one column was sorted or moved alone, every decision
    /// would be about somebody else (RULES 8.5). Also asked of lines without a decision.
    fn is_of_its_item(&self, row: &StringRecord) -> Result<(), String> {
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let id = ItemId::new(cell(self.columns.id).trim().trim_matches(['[', ']', '\'']));
        let of = match (self.items.get(&id), self.reads.get(&id)) {
            (Some(kept), _) => of_item(kept, Tz::UTC),
            (None, Some(hold)) => of_snapshot(hold, Tz::UTC),
            (None, None) => return Ok(()),
        };
        for (name, at) in SHOWN.iter().zip(&self.columns.shown) {
            let own = COLUMNS.iter().position(|column| column == name);
            if !is_same_cell(cell(*at), &of[own.expect("a column of the list")]) {
                return Err(format!(
                    "the column '{name}' is not that of item {id}: was a column sorted, moved or edited alone? Make a new list \
                     with `cardsync holds --csv FILE`, and sort all columns together"
                ));
            }
        }
        let named = self.items.get(&id).map(|kept| evidence(&kept.item.change));
        let shown = self.columns.evidence.map(cell).unwrap_or_default();
        match named {
            Some(named) if !is_same_cell(shown, &named) => Err(format!(
                "item {id} has evidence {named} now, which the list does not show: that is another question; make a new list with \
                 `cardsync holds --csv FILE`"
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the item still waits, and for nothing that the list did not show.
    fn check(&self, item: &ItemId, shown: &BTreeSet<&str>, answer: Answer) -> Result<(), String> {
        let again = "make a new list with `cardsync holds --csv FILE`";
        if self.reads.contains_key(item) {
            return Ok(());
        }
        let Some(kept) = self.items.get(item) else {
            return Err(format!(
                "nothing that waits is called '{item}': it has changed or was settled since the list was made; {again}"
            ));
        };
        // The list may be older than the no.
        let is_asked_again = |reason: &HoldReason| matches!(reason, HoldReason::Rejected { again: true, .. });
        if let Some(no) = self.rejected.get(item)
            && answer == Answer::Approve
            && !kept.item.reasons.iter().any(is_asked_again)
        {
            return Err(format!(
                "item {item} was rejected by {} on {}: no list overrules that; take it back first with `cardsync unapprove {item}`",
                no.by,
                no.at.format("%Y-%m-%d")
            ));
        }
        let more: Vec<&str> = codes(kept).difference(shown).copied().collect();
        if answer == Answer::Approve && !more.is_empty() {
            return Err(format!(
                "item {item} waits for more than the list showed ({}); {again}",
                more.join(", ")
            ));
        }
        Ok(())
    }
}

/// Whether a cell still says what was written: spreadsheets take zeros from numbers as well.
fn is_same_cell(cell: &str, written: &str) -> bool {
    let (cell, written) = (plain(cell), plain(&defused(written)));
    is_same_text(
        cell.trim_start_matches('0').trim(),
        written.trim_start_matches('0').trim(),
    )
}

#[cfg(test)]
mod tests;
