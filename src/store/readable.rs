//! Whether every value in the file still reads as what it is: what cannot be read stops the run that needs it, perhaps months
//! from now.

use super::fault::Fault;
use super::ledger;
use super::stamp::{from_json, from_word, time};
use crate::core::memory::certificate::Certificate;
use crate::core::memory::decision::{Answer, Contact, Decision, HeldItem, WhyEnded};
use crate::core::memory::ledger::Origin;
use crate::core::memory::pin::Pin;
use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::ids::CardId;
use crate::core::plan::report::{Outcome, RunReport};
use crate::core::plan::{ActionKind, Change, Step};
use crate::core::reads::profile::Profile;
use crate::core::reads::snapshot::Finding;
use crate::core::rules::policy::BudgetClass;
use crate::engine::attention::KeptConcern;
use crate::engine::records::{Ended, ItemDetail};
use chrono::NaiveDate;
use futures::TryStreamExt;
use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use std::collections::BTreeSet;
use std::fmt;

/// A value that does not read: where it stands and never what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub table: &'static str,
    /// What tells the row from the others of its table: a card, an item, a run, or a number.
    pub row: String,
    pub column: &'static str,
    pub what: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unreadable {
            table,
            row,
            column,
            what,
        } = self;
        write!(f, "{table} {row}, {column}: {what}")
    }
}

/// How the texts of a column are read.
type Reads = fn(&str, &'static str) -> Result<(), Fault>;

fn of<T: DeserializeOwned>(text: &str, table: &'static str) -> Result<(), Fault> {
    from_json::<T>(text, table).map(drop)
}

fn a_word<T: DeserializeOwned>(text: &str, table: &'static str) -> Result<(), Fault> {
    from_word::<T>(text, table).map(drop)
}

fn a_time(text: &str, table: &'static str) -> Result<(), Fault> {
    time(text, table).map(drop)
}

/// Each class is a text of its own.
fn classes(text: &str, table: &'static str) -> Result<(), Fault> {
    let classes: Vec<String> = from_json(text, table)?;
    let mut classes = classes.iter();
    classes.try_for_each(|class| of::<BudgetClass>(class, table))
}

/// A table, what tells its rows apart, and its columns.
struct Table {
    name: &'static str,
    row: &'static str,
    columns: &'static [(&'static str, Reads)],
}

const TABLES: [Table; 12] = [
    Table {
        name: "ledger",
        row: "card",
        columns: &[
            ("origin", a_word::<Origin>),
            ("since", a_time),
            ("leaving_since", a_time),
            ("rest", ledger::reads_rest),
        ],
    },
    Table {
        name: "journal",
        row: "id",
        columns: &[
            ("action", a_word::<ActionKind>),
            ("classes", classes),
            ("sent_at", a_time),
            ("change", of::<Change>),
            ("step", of::<Step>),
            ("before", of::<PersonCard>),
            ("operators", of::<Vec<OperatorCard>>),
            ("approval", of::<Decision>),
            ("outcome", a_word::<Ended>),
            ("outcome_at", a_time),
            ("outcome_detail", of::<Outcome>),
            ("after", of::<PersonCard>),
            ("settled", a_word::<Ended>),
            ("settled_at", a_time),
            ("settled_detail", of::<Outcome>),
        ],
    },
    Table {
        name: "decision",
        row: "id",
        columns: &[
            ("answer", a_word::<Answer>),
            ("waives", of::<BTreeSet<String>>),
            ("decided_at", a_time),
            ("until", a_time),
            ("days", of::<BTreeSet<NaiveDate>>),
            ("action", a_word::<ActionKind>),
            ("ended", a_time),
            ("ended_why", a_word::<WhyEnded>),
        ],
    },
    Table {
        name: "hold",
        row: "item",
        columns: &[("since", a_time), ("last_held", a_time), ("body", of::<HeldItem>)],
    },
    Table {
        name: "concern",
        row: "item",
        columns: &[("since", a_time), ("body", of::<KeptConcern>)],
    },
    Table {
        name: "contact",
        row: "environment",
        columns: &[("body", of::<Contact>)],
    },
    Table {
        name: "snapshot",
        row: "id",
        columns: &[
            ("read_at", a_time),
            ("findings", of::<Vec<Finding>>),
            ("profile", of::<Profile>),
        ],
    },
    Table {
        name: "run",
        row: "id",
        columns: &[
            ("started_at", a_time),
            ("finished_at", a_time),
            ("report", of::<RunReport>),
        ],
    },
    Table {
        name: "run_item",
        row: "run || ' ' || place",
        columns: &[
            ("action", a_word::<ActionKind>),
            ("outcome", a_word::<Ended>),
            ("detail", of::<ItemDetail>),
        ],
    },
    Table {
        name: "halfway",
        row: "run || ' ' || item",
        columns: &[
            ("cards", of::<Vec<CardId>>),
            ("change", of::<Change>),
            ("operators", of::<Vec<OperatorCard>>),
            ("before", of::<Vec<PersonCard>>),
            ("begun_at", a_time),
        ],
    },
    Table {
        name: "pin",
        row: "card || ' ' || place",
        columns: &[("body", of::<Pin>)],
    },
    Table {
        name: "certificate",
        row: "card",
        columns: &[("at", a_time), ("body", of::<Certificate>)],
    },
];

/// Reads every value of every row, one by one. What was taken out of a row on purpose is blank and no fault.
pub(super) async fn unreadable(connection: &mut SqliteConnection) -> Result<Vec<Unreadable>, Fault> {
    let mut found = Vec::new();
    for Table { name, row, columns } in &TABLES {
        let names: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
        // Names of this table above.
        let statement = format!("SELECT CAST({row} AS TEXT), {} FROM {name}", names.join(", "));
        let mut rows = sqlx::query(AssertSqlSafe(statement)).fetch(&mut *connection);
        while let Some(values) = rows.try_next().await? {
            for (at, (column, reads)) in columns.iter().enumerate() {
                let what = match values.try_get::<Option<&str>, _>(at + 1) {
                    Ok(None | Some("")) => continue,
                    Ok(Some(text)) => match reads(text, name) {
                        Ok(()) => continue,
                        Err(Fault::Unreadable { what, .. }) => what,
                        Err(other) => return Err(other),
                    },
                    Err(_no_text) => "it is no text".to_owned(),
                };
                found.push(Unreadable {
                    table: name,
                    row: values.try_get::<Option<String>, _>(0)?.unwrap_or_default(),
                    column,
                    what,
                });
            }
        }
    }
    Ok(found)
}
