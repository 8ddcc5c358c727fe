//! How what was planned, done, found and remembered is shown: as text for a terminal, as HTML, as tables for spreadsheets. Nothing here
//! reads, decides or prints; whoever shows something hands it in, so that every face of the program shows the same.
//!
//! | what | text | HTML | table |
//! |---|---|---|---|
//! | a plan and what became of it | `text` | `html` | |
//! | what waits for a decision | `questions` | `html` | `sheet`, which is read back too |
//! | what else needs a human | `concerns` | | `concerns` |
//! | runs | `history` | `html` | |
//! | an audit | `audit_text` | `html` | |
//! | one person | `explain` | | |
//! | two plans beside each other | `difference` | | |
//!
//! `lines` is the one way in which lines are put together, and [`crate::sheets`] has the one form of all tables.

pub(crate) mod audit_text;
pub(crate) mod concerns;
pub(crate) mod decisions;
pub(crate) mod difference;
pub(crate) mod explain;
pub(crate) mod explain_words;
pub(crate) mod history;
pub(crate) mod html;
pub(crate) mod lines;
pub(crate) mod questions;
pub(crate) mod redacted;
pub mod sheet;
pub(crate) mod text;
pub(crate) mod words;
pub(crate) mod workbook;
