//! Pairs of cards and people as a list for a spreadsheet, and the decisions that come back in it. Pure.
//!
//! Whoever knows the people writes approve or reject, and another number into a column of its own. The proposed number is
//! fixed: number, names and what the pair rests on are in the mark of the line, and a line that does not show what was sent,
//! or of which something has changed since, refuses the list (RULES 1.7). Formed and read as [`crate::present::sheet`] is; numbers
//! stand in brackets as well, so that a spreadsheet leaves their zeros.

mod carry;
mod cells;
mod read;
mod resolve;
mod table;

pub use self::carry::{Carried, carry};
pub use self::read::{Line, read};
pub use self::resolve::{Limits, OnTheCard, Resolved, SaidNo, resolve};
pub use self::table::{table, write};

use std::fmt;

/// The columns, in order. Those to be filled in stand in the middle, before what there is to know.
pub(crate) const COLUMNS: [&str; 31] = [
    "id",
    "grade",
    "operator",
    "person_id",
    "card_name",
    "number",
    "source_name",
    "decision",
    "other_number",
    "note",
    "agree",
    "why",
    "rivals",
    "card_since",
    "source_first_day",
    "source_last_day",
    "card_born",
    "source_born",
    "card_department",
    "source_department",
    "card_site",
    "source_site",
    "card_email",
    "source_email",
    "card_login",
    "source_login",
    "card_phone",
    "source_phone",
    "exchange_with",
    "exchange_name",
    "exchange_number",
];

/// The word that lets a number stand on a card with another name.
pub const SOMEBODY_ELSE: &str = "somebody-else";

/// Why nothing of a list was taken, by file and line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListProblem {
    /// Which of several files; empty where there is one.
    pub file: String,
    /// From 1, as an editor and a spreadsheet count.
    pub line: u64,
    pub message: String,
}

impl fmt::Display for ListProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}: ", self.file)?;
        }
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.message)
    }
}
