//! Records of several sources become people: one key, one record per source (RULES 3.4, 3.5).
//!
//! Snapshots come sorted by key, so this is a merge: one person at a time, nobody kept.

use crate::core::model::identity::{JoinedRecord, Part, Unknown};
use crate::core::model::ids::SourceName;
use crate::core::model::key::Key;
use crate::core::model::record::{Anchor, RecordRef, SourceRecord, Standing};
use crate::core::plan::{Conflict, ConflictKind};
use crate::core::reads::snapshot::{RejectionScope, Role, Snapshot, SnapshotReader};
use crate::core::rules::contracts::{self, Contracts};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

/// One human as the sources have them.
#[derive(Debug)]
pub struct Person<'a> {
    pub key: &'a Key,
    pub joined: JoinedRecord<'a>,
    pub records: Vec<RecordRef>,
    pub anchors: Vec<Anchor>,
    /// How the contracts of this person stand, where a source has a row per contract.
    pub contracts: Contracts,
}

/// A key of the authoritative sources.
#[derive(Debug)]
pub enum Member<'a> {
    Person(Box<Person<'a>>),
    Conflict(Conflict),
    /// Present, but the record cannot be used.
    Rejected(&'a Key),
    /// Only records that are no people have it (`skip`, `exclude`), or besides them only rows that have ended: out of scope.
    Skipped(&'a Key),
}

/// What authoritative sources have of a key besides records.
#[derive(Clone, Copy, Debug)]
struct Beside {
    /// A record that cannot be used.
    unusable: bool,
    /// A record that is no person.
    skipped: bool,
}

/// Everybody the authoritative sources name.
pub struct Population<'a> {
    snapshots: &'a [Snapshot],
    same_people: &'a [BTreeSet<SourceName>],
    /// Keys of unusable records per source.
    rejected_keys: BTreeMap<&'a SourceName, BTreeSet<&'a Key>>,
    /// Keys of people with a record whose fields the source itself could not read.
    bad_fields: BTreeSet<&'a Key>,
}

impl<'a> Population<'a> {
    /// Over judged snapshots.
    pub fn new(snapshots: &'a [Snapshot], same_people: &'a [BTreeSet<SourceName>]) -> Self {
        let mut rejected_keys: BTreeMap<&SourceName, BTreeSet<&Key>> = BTreeMap::new();
        let mut bad_fields = BTreeSet::new();
        for rejection in snapshots.iter().flat_map(|snapshot| &snapshot.rejections) {
            let Some(key) = &rejection.key else { continue };
            match rejection.scope {
                RejectionScope::Record => {
                    rejected_keys.entry(&rejection.source).or_default().insert(key);
                }
                RejectionScope::Fields => {
                    bad_fields.insert(key);
                }
            }
        }
        Self {
            snapshots,
            same_people,
            rejected_keys,
            bad_fields,
        }
    }

    fn rejected(&self, source: &SourceName, key: &Key) -> bool {
        self.rejected_keys.get(source).is_some_and(|keys| keys.contains(key))
    }

    /// Whether an authoritative source has the key, in whatever state.
    pub fn has(&self, snapshot: &Snapshot, key: &Key) -> bool {
        !snapshot.with_key(key).is_empty()
            || snapshot.skipped().contains(key)
            || self.rejected(&snapshot.summary.name, key)
    }

    /// Whether an authoritative source has the key in a state that says more than that every contract has ended.
    pub fn goes_on(&self, snapshot: &Snapshot, key: &Key) -> bool {
        let records = snapshot.with_key(key);
        records.iter().any(|record| record.standing != Standing::AllRowsEnded)
            || snapshot.skipped().contains(key)
            || self.rejected(&snapshot.summary.name, key)
    }

    /// Whether a source could not read fields of this person's record (RULES 4.2).
    pub fn has_bad_fields(&self, key: &Key) -> bool {
        self.bad_fields.contains(key)
    }

    /// Authoritative snapshots that can be used.
    fn usable(&self) -> impl Iterator<Item = &'a Snapshot> {
        let snapshots = self.snapshots;
        snapshots
            .iter()
            .filter(|snapshot| snapshot.summary.role == Some(Role::Authoritative) && !snapshot.is_rejected())
    }

    /// The authoritative sources that have this key, in whatever state.
    pub fn sources_with(&self, key: &Key) -> impl Iterator<Item = &'a Snapshot> {
        self.usable().filter(|snapshot| self.has(snapshot, key))
    }

    fn rejected_of_usable(&self) -> BTreeSet<&'a Key> {
        let of_usable = self
            .usable()
            .filter_map(|snapshot| self.rejected_keys.get(&snapshot.summary.name));
        of_usable.flatten().copied().collect()
    }

    fn skipped_of_usable(&self) -> BTreeSet<&'a Key> {
        self.usable().flat_map(Snapshot::skipped).collect()
    }

    /// The keys of [`Population::members`], sorted.
    pub fn keys(&self) -> Vec<&'a Key> {
        let mut keys: Vec<&Key> = self.rejected_of_usable().into_iter().collect();
        keys.extend(self.skipped_of_usable());
        for snapshot in self.usable() {
            keys.extend(snapshot.records().map(|record| &record.key));
        }
        keys.sort();
        keys.dedup();
        keys
    }

    /// Everybody in key order.
    pub fn members(&'a self) -> impl Iterator<Item = Member<'a>> {
        let mut cursors: Vec<(&Snapshot, Peekable<_>)> = self
            .snapshots
            .iter()
            .filter(|snapshot| !snapshot.is_rejected())
            .map(|snapshot| (snapshot, snapshot.records().peekable()))
            .collect();
        let mut rejected = self.rejected_of_usable();
        let mut skipped = self.skipped_of_usable();
        std::iter::from_fn(move || {
            let by_record = cursors
                .iter_mut()
                .filter(|(snapshot, _)| snapshot.summary.role == Some(Role::Authoritative))
                .filter_map(|(_, cursor)| cursor.peek().map(|record| &record.key))
                .min();
            let first = [by_record, rejected.first().copied(), skipped.first().copied()];
            let key = first.into_iter().flatten().min()?;
            let beside = Beside {
                unusable: rejected.remove(key),
                skipped: skipped.remove(key),
            };
            let mut found: Vec<(&Snapshot, &SourceRecord)> = Vec::new();
            for (snapshot, cursor) in &mut cursors {
                // Records of an enrich source whose key no authoritative source has are nobody's.
                while cursor.next_if(|record| record.key < *key).is_some() {}
                while let Some(record) = cursor.next_if(|record| record.key == *key) {
                    found.push((snapshot, record));
                }
            }
            Some(self.member(key, &found, beside))
        })
    }

    fn member(&'a self, key: &'a Key, found: &[(&'a Snapshot, &'a SourceRecord)], beside: Beside) -> Member<'a> {
        let deciding = || {
            found
                .iter()
                .filter(|(snapshot, _)| snapshot.summary.role == Some(Role::Authoritative))
        };
        let Some((_, first)) = deciding().next() else {
            return if beside.unusable {
                Member::Rejected(key)
            } else {
                Member::Skipped(key)
            };
        };
        let place = |(snapshot, record): &(&Snapshot, &SourceRecord)| RecordRef {
            source: snapshot.summary.name.clone(),
            place: record.place.clone(),
        };
        let sources: BTreeSet<&SourceName> = deciding().map(|(snapshot, _)| &snapshot.summary.name).collect();
        let one_each = sources.len() == deciding().count();
        let same_people = sources.len() == 1
            || self
                .same_people
                .iter()
                .any(|group| sources.iter().all(|source| group.contains(*source)));
        if !one_each || !same_people || beside.unusable {
            return Member::Conflict(Conflict {
                key: key.clone(),
                kind: ConflictKind::DuplicateInSource,
                records: deciding().map(place).collect(),
                cards: Vec::new(),
            });
        }
        let mut parts = BTreeMap::new();
        let mut anchors = Vec::new();
        let mut records = Vec::new();
        let authoritative = self
            .snapshots
            .iter()
            .filter(|it| it.summary.role == Some(Role::Authoritative));
        let contracts = contracts::together(deciding().map(|(_, record)| *record), authoritative);
        if beside.skipped && contracts == Contracts::Ended {
            // The row that is left out may be the current one.
            return Member::Skipped(key);
        }
        for snapshot in self.snapshots {
            let source = &snapshot.summary.name;
            let mut of_source = found.iter().filter(|(from, _)| std::ptr::eq(*from, snapshot));
            let part = match (of_source.next(), of_source.next()) {
                _ if snapshot.is_rejected() => Part::Unknown(Unknown::SourceRejected(source.clone())),
                (None, _) if self.rejected(source, key) => Part::Unknown(Unknown::SourceRejected(source.clone())),
                (None, _) => Part::NoRecord,
                // An unusable record counts as present: with another one they are two.
                (Some(_), None) if self.rejected(source, key) => {
                    Part::Unknown(Unknown::DuplicateRecord(source.clone()))
                }
                // Old contracts say nothing of what is so today.
                (Some((_, record)), None)
                    if snapshot.summary.role == Some(Role::Enrich) && record.standing != Standing::Current =>
                {
                    Part::Unknown(Unknown::NoCurrentRow(source.clone()))
                }
                (Some((_, record)), None) if contracts.are_elsewhere_than(record.standing) => Part::NoRecord,
                (Some(one), None) => {
                    let (_, record) = one;
                    records.push(place(one));
                    if let Some(anchor) = &record.anchor {
                        anchors.push(Anchor {
                            source: source.clone(),
                            value: anchor.clone(),
                        });
                    }
                    Part::Record(record)
                }
                (Some(_), Some(_)) => Part::Unknown(Unknown::DuplicateRecord(source.clone())),
            };
            parts.insert(source, (snapshot, part));
        }
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
            contracts,
        }))
    }
}
