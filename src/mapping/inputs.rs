//! What expressions read: attributes of the records of one person, or of one row.

use super::text::clean;
use super::value::Value;
use crate::core::model::identity::{JoinedRecord, Part, Unknown};
use crate::core::model::ids::SourceName;
use crate::core::model::record::{AttributeNames, Place, Values};
use crate::core::reads::snapshot::Snapshot;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The records that an expression is evaluated over.
#[derive(Clone, Copy, Debug)]
pub enum Records<'a> {
    /// One person: one record per source.
    Joined(&'a JoinedRecord<'a>),
    /// One row of one source.
    Row {
        source: &'a SourceName,
        names: &'a AttributeNames,
        place: &'a Place,
        values: &'a [Values],
    },
}

/// Where an input is in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Attribute,
    /// The place of a directory entry, `SOURCE.dn`: not an attribute that could be asked for.
    EntryName,
}

/// One attribute that an expression refers to.
#[derive(Debug)]
pub struct Input {
    pub source: SourceName,
    pub attribute: Box<str>,
    pub place: Where,
    /// Directories: the attribute's name ignores case.
    pub ignore_case: bool,
    /// In conditions: an attribute that the source knows and nobody has right now is blank, not unknown (RULES 4.8).
    pub rare_is_blank: bool,
    /// As it is written in expressions: `hr['Last name']`, `ad.mail`.
    pub label: Box<str>,
    /// Where the attribute was in the last record's names; checked before use, so that a wrong guess costs only time.
    hint: AtomicUsize,
}

impl Input {
    /// An input, labelled the way it is written.
    pub fn new(source: &SourceName, attribute: &str, place: Where, ignore_case: bool) -> Self {
        let identifier = attribute.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !attribute.starts_with(|c: char| c.is_ascii_digit());
        let label = if identifier {
            format!("{source}.{attribute}")
        } else {
            format!("{source}['{attribute}']")
        };
        Input {
            source: source.clone(),
            attribute: attribute.into(),
            place,
            ignore_case,
            rare_is_blank: false,
            label: label.into(),
            hint: AtomicUsize::new(0),
        }
    }

    /// Whether this is the attribute's name.
    pub fn is_called(&self, name: &str) -> bool {
        *self.attribute == *name || self.ignore_case && self.attribute.eq_ignore_ascii_case(name)
    }

    /// Whether its values are a set: those of an attribute of a directory come in any order.
    pub fn is_a_set(&self) -> bool {
        self.ignore_case && self.place == Where::Attribute
    }

    /// The value, or why it is not known.
    pub fn read<'a>(&self, records: Records<'a>) -> Value<'a> {
        let Found {
            place,
            values,
            names,
            snapshot,
        } = match self.record(records) {
            Ok(found) => found,
            Err(absent) => return absent,
        };
        if self.place == Where::EntryName {
            return match place {
                Place::Dn(dn) => Value::text(clean(dn)),
                Place::Line(_) => Value::unknown(self.no_attribute()),
            };
        }
        let lists = |names: &BTreeSet<String>| names.iter().any(|name| self.is_called(name));
        let known = snapshot.is_none_or(|snapshot| !lists(&snapshot.missing_attributes));
        match self.position(names) {
            Some(at) if known => self.read_values(values.get(at).unwrap_or(&Values::None)),
            _ if self.rare_is_blank && snapshot.is_some_and(|snapshot| lists(&snapshot.rare_attributes)) => {
                Value::Blank
            }
            _ => Value::unknown(self.no_attribute()),
        }
    }

    /// The values as the source has them, for `explain`.
    pub fn raw_values(&self, records: Records<'_>) -> Vec<String> {
        let Ok(Found {
            place, values, names, ..
        }) = self.record(records)
        else {
            return Vec::new();
        };
        match (self.place, place) {
            (Where::EntryName, Place::Dn(dn)) => vec![dn.to_string()],
            (Where::EntryName, Place::Line(_)) => Vec::new(),
            (Where::Attribute, _) => {
                let values = self.position(names).and_then(|at| values.get(at));
                let values = values.unwrap_or(&Values::None);
                values.as_slice().iter().map(|value| value.to_string()).collect()
            }
        }
    }

    fn no_attribute(&self) -> Unknown {
        Unknown::NoAttribute(self.source.clone(), self.attribute.clone())
    }

    fn record<'a>(&self, records: Records<'a>) -> Result<Found<'a>, Value<'static>> {
        match records {
            Records::Row {
                source,
                names,
                place,
                values,
            } if *source == self.source => Ok(Found {
                place,
                values,
                names,
                snapshot: None,
            }),
            Records::Row { .. } => Err(Value::unknown(Unknown::NoRecord(self.source.clone()))),
            Records::Joined(joined) => match joined.parts.get(&self.source) {
                Some((snapshot, Part::Record(record))) => Ok(Found {
                    place: &record.place,
                    values: &record.values,
                    names: &snapshot.attributes,
                    snapshot: Some(snapshot),
                }),
                // Only a complete snapshot can say that there is no record (RULES 3.1).
                Some((snapshot, Part::NoRecord)) if snapshot.can_say_absent() => {
                    Err(Value::nothing(Unknown::NoRecord(self.source.clone())))
                }
                Some((_, Part::NoRecord)) | None => Err(Value::unknown(Unknown::NoRecord(self.source.clone()))),
                Some((_, Part::Unknown(why))) => Err(Value::unknown(why.clone())),
            },
        }
    }

    fn position(&self, names: &AttributeNames) -> Option<usize> {
        let hint = self.hint.load(Ordering::Relaxed);
        if names.iter().nth(hint).is_some_and(|name| *name == *self.attribute) {
            return Some(hint);
        }
        let found = names.position(&self.attribute)?;
        self.hint.store(found, Ordering::Relaxed);
        Some(found)
    }

    fn read_values<'a>(&self, values: &'a Values) -> Value<'a> {
        match values {
            Values::None => Value::Blank,
            Values::Tagged => Value::unusable(format!(
                "{} has values only for a language or another option (such as ;lang-nl); whether it has one of its own is \
                 not known: name the option in the reference, {}['{};lang-nl']",
                self.label, self.source, self.attribute
            )),
            Values::One(value) => Value::text(clean(value)),
            Values::Many(values) => Value::list(
                values
                    .iter()
                    .map(|value| Value::text(clean(value)))
                    .filter(|value| *value != Value::Blank)
                    .collect(),
            ),
        }
    }
}

/// A record that an input is read from.
struct Found<'a> {
    place: &'a Place,
    values: &'a [Values],
    names: &'a AttributeNames,
    /// Of which it is a part; none where a record is looked at before the read is judged.
    snapshot: Option<&'a Snapshot>,
}
