//! One human as the sources together describe them: what the card should hold, and whether they are leaving.
//!
//! The expressions live in `mapping`; this module has the words that the planner and the mapping share ([`Describe`]).

use crate::core::memory::asked::{Asked, all_values};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::{SourceRecord, Standing};
use crate::core::reads::snapshot::Snapshot;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why something is not known. Unknown changes nothing (RULES 3.5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// The source's snapshot was rejected.
    SourceRejected(SourceName),
    /// The source has no record of this person.
    NoRecord(SourceName),
    /// Two records of an enrich source share the key.
    DuplicateRecord(SourceName),
    /// No row of an enrich source with a row per contract is current.
    NoCurrentRow(SourceName),
    /// Rows of the source are current together and differ, and nothing says which of them leads.
    RowsDiffer(SourceName),
    /// No record of the snapshot has the attribute.
    NoAttribute(SourceName, Box<str>),
    /// A value that is there and cannot be used as it is: the text says why, with the cure and without the value.
    Unusable(String),
    /// An expression could not be evaluated: the text says which and why, without values.
    Expression(String),
}

/// What a field should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    Set(Wanted),
    /// A present record says: empty.
    Clear,
    Unknown(Unknown),
}

/// A wanted value before lists and managers are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Ready to compare.
    Value(FieldValue),
    /// The name or id of a list entry: resolved by the planner, trimmed, NFC, ignoring case.
    Entry(Box<str>),
    /// The manager's key, normalised.
    ManagerKey(Key),
    /// The manager's DN, resolved through the DNs that were read from these directories.
    ManagerDn { sources: Box<[SourceName]>, dn: Box<str> },
}

/// A present record, absent record, or no knowledge, per source.
#[derive(Clone, Debug)]
pub enum Part<'a> {
    Record(&'a SourceRecord),
    /// The snapshot has no record with this key. (Whether that proves absence is another question.)
    NoRecord,
    Unknown(Unknown),
}

/// One key, one record per source: what expressions see.
#[derive(Clone, Debug)]
pub struct JoinedRecord<'a> {
    pub key: &'a Key,
    /// As the authoritative record has it: what a create writes.
    pub raw_key: &'a RawKey,
    pub parts: BTreeMap<&'a SourceName, (&'a Snapshot, Part<'a>)>,
}

impl<'a> JoinedRecord<'a> {
    /// The same person as if nothing were known of records whose every contract row has ended.
    pub fn without_ended_rows(&self) -> Self {
        let mut without = self.clone();
        for (source, (_, part)) in &mut without.parts {
            if matches!(part, Part::Record(record) if record.standing == Standing::AllRowsEnded) {
                *part = Part::Unknown(Unknown::NoCurrentRow((*source).clone()));
            }
        }
        without
    }

    /// One record alone, as if no other source had the person.
    pub fn alone(snapshots: &'a [Snapshot], source: &SourceName, record: &'a SourceRecord) -> Self {
        let parts = snapshots.iter().map(|snapshot| {
            let part = if snapshot.summary.name == *source {
                Part::Record(record)
            } else {
                Part::NoRecord
            };
            (&snapshot.summary.name, (snapshot, part))
        });
        Self {
            key: &record.key,
            raw_key: &record.raw_key,
            parts: parts.collect(),
        }
    }
}

/// The moment and zone an expression is evaluated in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub now: DateTime<Utc>,
    pub zone: Tz,
}

impl Moment {
    /// The calendar date in the configured zone.
    pub fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.zone).date_naive()
    }

    /// The same zone at another time.
    pub fn at(&self, now: DateTime<Utc>) -> Moment {
        Moment { now, zone: self.zone }
    }
}

/// A condition's answer. Only `True` is true (RULES 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    /// Not a boolean, a comparison with a blank or text, an absent record, an error: the text says which.
    Unknown(String),
}

/// When somebody starts, as their records say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstDay {
    On(NaiveDate),
    /// A record that is there says: none. Later than every date (RULES 4.3).
    Blank,
    /// Not a date, an absent record, an error: the text says which.
    Unknown(String),
}

/// The last day of somebody who has left, as `lifecycle.anonymize.since` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastDay {
    /// No such expression is configured.
    NotMapped,
    On(NaiveDate),
    /// No date, and why.
    NotKnown(String),
}

/// Something wrong with one field that holds creates and updates of the person, or only skips the field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FieldProblem {
    pub field: CardField,
    /// What is wrong and the cure; no values of people.
    pub message: String,
    /// Whether the whole person waits, or only this field stays as it is.
    pub holds_person: bool,
}

/// One evaluated field, with all that `explain` shows.
#[derive(Clone, Debug)]
pub struct Evaluated {
    pub field: CardField,
    pub expression: String,
    /// The attributes it read, with their values.
    pub inputs: Vec<(String, Vec<String>)>,
    /// The expression's result before it was fitted to the field.
    pub raw: Option<String>,
    /// What the field should hold.
    pub desired: Desired,
}

/// What the mapping makes of one person's records.
#[derive(Clone, Debug)]
pub struct Description {
    pub fields: BTreeMap<CardField, Desired>,
    pub problems: Vec<FieldProblem>,
}

/// The mapping, as the planner sees it. Implemented by `mapping::Mapping`; must be deterministic.
pub trait Describe {
    /// Whether the person is in scope at all (`include`); `True` where nothing is configured.
    fn scope(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth;

    /// Whether the leaver condition holds at a moment; `False` where nothing is configured.
    fn leaving(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth;

    /// The same where no date counts that is no evidence by itself (RULES 4.6): the first day of some calendar, a text
    /// with two readings, a date before `first_day`, the person's first working day. `Unknown` says which and why.
    fn leaving_beyond_doubt(&self, joined: &JoinedRecord<'_>, moment: Moment, first_day: Option<NaiveDate>) -> Truth;

    /// The last day of somebody who has left.
    fn last_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> LastDay;

    /// Whether the leaver condition depends on the date, so that it can be looked ahead.
    fn leaves_by_date(&self) -> bool;

    /// The first working day; `None` where nothing is configured.
    fn first_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Option<FirstDay>;

    /// Whether a manager is named by DN, so that the DNs of all entries are needed.
    fn managers_by_dn(&self) -> bool;

    /// The wanted fields.
    fn describe(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Description;

    /// The values that an answer is made of: with another one it is another question. Everything that the records say, where
    /// it is not known what of it counts.
    fn behind(&self, _asked: Asked, joined: &JoinedRecord<'_>) -> Vec<String> {
        all_values(joined)
    }
}
