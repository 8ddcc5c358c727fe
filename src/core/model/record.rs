//! Raw entries of sources: multi-valued attributes and where they came from.
//!
//! Attribute names are kept once per snapshot ([`AttributeNames`]); a record holds only values, so that a hundred
//! thousand people fit in memory.

use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, RawKey};
use crate::core::reads::rows::Rows;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The attribute names of one snapshot, in the order of the values in its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeNames {
    names: Arc<[Box<str>]>,
    /// LDAP and LDIF names ignore case; CSV columns do not.
    ignore_case: bool,
}

impl AttributeNames {
    /// Names as the source has them. `ignore_case` for directories.
    pub fn new(names: impl IntoIterator<Item = String>, ignore_case: bool) -> Self {
        Self {
            names: names.into_iter().map(String::into_boxed_str).collect(),
            ignore_case,
        }
    }

    /// The place of an attribute in the records' values.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| {
            if self.ignore_case {
                known.eq_ignore_ascii_case(name)
            } else {
                &**known == name
            }
        })
    }

    /// Whether they are attributes of a directory: there an attribute that nobody has does not show at all.
    pub fn of_directory(&self) -> bool {
        self.ignore_case
    }

    /// All names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// The values of one attribute in one record. Blank texts are kept as they are; an attribute the entry does not have is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Values {
    /// The entry has no such attribute.
    #[default]
    None,
    /// The entry has it only with an option that was not asked for, such as `;lang-nl`: what it holds by itself is not known.
    Tagged,
    One(Box<str>),
    Many(Box<[Box<str>]>),
}

impl Values {
    /// The values in source order.
    pub fn as_slice(&self) -> &[Box<str>] {
        match self {
            Values::None | Values::Tagged => &[],
            Values::One(value) => std::slice::from_ref(value),
            Values::Many(values) => values,
        }
    }

    /// From any number of values.
    pub fn from_vec(mut values: Vec<String>) -> Self {
        match values.len() {
            0 => Values::None,
            1 => Values::One(values.remove(0).into()),
            _ => Values::Many(values.into_iter().map(String::into_boxed_str).collect()),
        }
    }
}

/// Where a record stands in its source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The line in the file where the record starts, from 1 (the header is line 1).
    Line(u64),
    /// The distinguished name.
    Dn(Box<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Dn(dn) => f.write_str(dn),
        }
    }
}

/// Which record: source and place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordRef {
    pub source: SourceName,
    pub place: Place,
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.source, self.place)
    }
}

/// A second, unchanging mark of a human in a directory: objectGUID or entryUUID, in text form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Anchor {
    pub source: SourceName,
    pub value: Box<str>,
}

/// Whether a record of an export with several rows per person describes somebody who is still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// One row per person, or a row that is current.
    #[default]
    Current,
    /// No row is current, and of one it is not known.
    NotKnown,
    /// No row is current, and one begins later.
    NextRow,
    /// Every row of this person has ended.
    AllRowsEnded,
}

/// One raw entry as a source gives it, before its key is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRecord {
    pub place: Place,
    /// In the order of the read's [`AttributeNames`].
    pub values: Box<[Values]>,
    /// Directory id, where the source has one.
    pub anchor: Option<Box<str>>,
}

/// A record that no key can be taken from. It counts as present, and may be anybody's (RULES 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unkeyed {
    pub record: RawRecord,
    pub why: NoKey,
}

impl Unkeyed {
    /// The record by itself, to be compared with people and cards: under a blank key, by which it joins with nobody.
    pub fn alone(&self) -> SourceRecord {
        SourceRecord {
            key: Key::stored(""),
            raw_key: RawKey("".into()),
            place: self.record.place.clone(),
            values: self.record.values.clone(),
            anchor: self.record.anchor.clone(),
            standing: Standing::Current,
            rows: None,
        }
    }
}

/// Why a record has no key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoKey {
    Empty,
    /// More than one value.
    Several,
    /// Asterisks.
    Anonymized,
    /// Longer than the card's field.
    TooLong,
    /// With a control, invisible or bidirectional character in it.
    Hidden,
}

/// One entry of a snapshot, with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    pub key: Key,
    pub raw_key: RawKey,
    pub place: Place,
    pub values: Box<[Values]>,
    pub anchor: Option<Box<str>>,
    pub standing: Standing,
    /// What all rows of the person say together, in an export with a row per contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Box<Rows>>,
}
