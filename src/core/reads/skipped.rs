//! Records that the configuration says are no people (`skip`, `exclude`): they stand aside before keys are looked at, so
//! that they are no conflict, have no key to lack and are not missed. Whoever has such a record and no other is out of
//! scope, not absent (RULES 4.4).

use crate::core::model::dn::same_for_all_spellings;
use crate::core::model::key::{Key, KeyReading, KeySpec};
use crate::core::model::record::{AttributeNames, Place, RawRecord};
use crate::core::plan::short_hash;
use crate::core::reads::snapshot::SourceRead;
use std::collections::BTreeSet;

/// What stands aside of one read.
#[derive(Clone, Debug, Default)]
pub struct Skipped {
    /// The records, in the order of the source.
    pub records: Vec<RawRecord>,
    /// A hash of the options that took them: counts are only compared under the same ones. Blank without any.
    pub rule: Box<str>,
    /// How many of the other records `skip` gives neither yes nor no for; they count as people.
    pub undecided: u64,
    /// Why, for the first of them.
    pub why_undecided: Option<String>,
    /// Names of `exclude` at or below which nothing stood.
    pub idle: Vec<String>,
}

impl Skipped {
    /// Takes the records out of a read for which `is_no_person` says so.
    pub fn take_out(read: &mut SourceRead, mut is_no_person: impl FnMut(&AttributeNames, &RawRecord) -> bool) -> Self {
        let names = read.attributes.clone();
        let (records, people) = std::mem::take(&mut read.records)
            .into_iter()
            .partition(|record| is_no_person(&names, record));
        read.records = people;
        Skipped {
            records,
            ..Skipped::default()
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.records.len() as u64
    }

    /// The keys that are on them. `position` is the place of the key among the values.
    pub(crate) fn keys(&self, position: Option<usize>, spec: &KeySpec) -> BTreeSet<Key> {
        let values = |record: &RawRecord| -> Vec<Key> {
            let values = position.and_then(|at| record.values.get(at));
            let texts = values.into_iter().flat_map(|values| values.as_slice());
            texts.filter_map(|text| key_of(text, spec)).collect()
        };
        self.records.iter().flat_map(values).collect()
    }

    /// What an approval of so many skipped records is for: these records, whatever the order of the source.
    pub(crate) fn marks(&self) -> Vec<String> {
        let mut marks: Vec<String> = self.records.iter().map(mark).collect();
        marks.sort();
        marks
    }
}

fn key_of(text: &str, spec: &KeySpec) -> Option<Key> {
    match spec.read(text) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
        KeyReading::None | KeyReading::Anonymized => None,
    }
}

/// A record in words that stay the same from read to read: a directory entry goes by its name; a line of a file moves with
/// every export and goes by what it says.
pub(crate) fn mark(record: &RawRecord) -> String {
    match &record.place {
        Place::Dn(dn) => same_for_all_spellings(dn),
        Place::Line(_) => {
            let mut text = Vec::new();
            for value in record.values.iter().flat_map(|values| values.as_slice()) {
                text.extend_from_slice(value.as_bytes());
                text.push(0);
            }
            short_hash(&text)
        }
    }
}
