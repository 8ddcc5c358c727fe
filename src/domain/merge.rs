//! Records of several sources become people: one key, one record per source (RULES 3.4, 3.5).
//!
//! Snapshots come sorted by key, so this is a merge: one person at a time, nobody kept.

use super::identity::{JoinedRecord, Part, Unknown};
use super::ids::SourceName;
use super::key::Key;
use super::plan::{Conflict, ConflictKind};
use super::record::{Anchor, RecordRef, SourceRecord, Standing};
use super::snapshot::{RejectionScope, Role, Snapshot, SnapshotReader};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

/// One human as the sources have them.
#[derive(Debug)]
pub struct Person<'a> {
    pub key: &'a Key,
    pub joined: JoinedRecord<'a>,
    pub records: Vec<RecordRef>,
    pub anchors: Vec<Anchor>,
    /// Whether every contract row of this person has ended.
    pub standing: Standing,
}

/// A key of the authoritative sources.
#[derive(Debug)]
pub enum Member<'a> {
    Person(Box<Person<'a>>),
    Conflict(Conflict),
    /// Present, but the record cannot be used.
    Rejected(&'a Key),
}

/// Everybody the authoritative sources name.
pub struct Population<'a> {
    snapshots: &'a [Snapshot],
    same_people: &'a [BTreeSet<SourceName>],
    /// Keys of unusable records per authoritative source.
    rejected_keys: BTreeMap<&'a SourceName, BTreeSet<&'a Key>>,
}

impl<'a> Population<'a> {
    /// Over judged snapshots.
    pub fn new(snapshots: &'a [Snapshot], same_people: &'a [BTreeSet<SourceName>]) -> Self {
        let mut rejected_keys: BTreeMap<&SourceName, BTreeSet<&Key>> = BTreeMap::new();
        for rejection in snapshots.iter().flat_map(|snapshot| &snapshot.rejections) {
            if let (Some(key), RejectionScope::Record) = (&rejection.key, rejection.scope) {
                rejected_keys.entry(&rejection.source).or_default().insert(key);
            }
        }
        Self {
            snapshots,
            same_people,
            rejected_keys,
        }
    }

    fn rejected(&self, source: &SourceName, key: &Key) -> bool {
        self.rejected_keys.get(source).is_some_and(|keys| keys.contains(key))
    }

    /// Whether an authoritative source has the key, in whatever state.
    pub fn has(&self, snapshot: &Snapshot, key: &Key) -> bool {
        !snapshot.with_key(key).is_empty() || self.rejected(&snapshot.summary.name, key)
    }

    /// Everybody in key order.
    pub fn members(&'a self) -> impl Iterator<Item = Member<'a>> {
        let mut cursors: Vec<(usize, Peekable<_>)> = self
            .snapshots
            .iter()
            .enumerate()
            .filter(|(_, snapshot)| snapshot.summary.role == Some(Role::Authoritative) && !snapshot.is_rejected())
            .map(|(index, snapshot)| (index, snapshot.records().peekable()))
            .collect();
        let mut rejected: BTreeSet<&Key> = self
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.summary.role == Some(Role::Authoritative) && !snapshot.is_rejected())
            .filter_map(|snapshot| self.rejected_keys.get(&snapshot.summary.name))
            .flatten()
            .copied()
            .collect();
        std::iter::from_fn(move || {
            let by_record = cursors
                .iter_mut()
                .filter_map(|(_, cursor)| cursor.peek().map(|record| &record.key))
                .min();
            let key = match (by_record, rejected.first().copied()) {
                (Some(record), Some(rejection)) => record.min(rejection),
                (Some(key), None) | (None, Some(key)) => key,
                (None, None) => return None,
            };
            let unusable = rejected.remove(key);
            let mut found: Vec<(usize, &SourceRecord)> = Vec::new();
            for (index, cursor) in &mut cursors {
                while let Some(record) = cursor.next_if(|record| record.key == *key) {
                    found.push((*index, record));
                }
            }
            Some(self.member(key, &found, unusable))
        })
    }

    fn member(&'a self, key: &'a Key, found: &[(usize, &'a SourceRecord)], unusable: bool) -> Member<'a> {
        let Some((_, first)) = found.first() else {
            return Member::Rejected(key);
        };
        let place = |(index, record): &(usize, &SourceRecord)| RecordRef {
            source: self.snapshots[*index].summary.name.clone(),
            place: record.place.clone(),
        };
        let sources: BTreeSet<&SourceName> = found
            .iter()
            .map(|(index, _)| &self.snapshots[*index].summary.name)
            .collect();
        let one_each = sources.len() == found.len();
        let same_people = sources.len() == 1
            || self
                .same_people
                .iter()
                .any(|group| sources.iter().all(|source| group.contains(*source)));
        if !one_each || !same_people || unusable {
            let records = found.iter().map(place).collect();
            return Member::Conflict(Conflict {
                key: key.clone(),
                kind: ConflictKind::DuplicateInSource,
                records,
                cards: Vec::new(),
            });
        }
        let mut parts = BTreeMap::new();
        let mut anchors = Vec::new();
        let mut records = Vec::new();
        for snapshot in self.snapshots {
            let source = &snapshot.summary.name;
            let part = match snapshot.with_key(key) {
                _ if snapshot.is_rejected() => Part::Unknown(Unknown::SourceRejected(source.clone())),
                [] if self.rejected(source, key) => Part::Unknown(Unknown::SourceRejected(source.clone())),
                [] => Part::NoRecord,
                [record] => {
                    records.push(RecordRef {
                        source: source.clone(),
                        place: record.place.clone(),
                    });
                    if let Some(anchor) = &record.anchor {
                        anchors.push(Anchor {
                            source: source.clone(),
                            value: anchor.clone(),
                        });
                    }
                    Part::Record(record)
                }
                _several => Part::Unknown(Unknown::DuplicateRecord(source.clone())),
            };
            parts.insert(source, (snapshot, part));
        }
        let ended = found
            .iter()
            .all(|(_, record)| record.standing == Standing::AllRowsEnded);
        let standing = if ended {
            Standing::AllRowsEnded
        } else {
            Standing::Current
        };
        let joined = JoinedRecord {
            key,
            raw_key: &first.raw_key,
            parts,
        };
        Member::Person(Box::new(Person {
            key,
            joined,
            records,
            anchors,
            standing,
        }))
    }
}
