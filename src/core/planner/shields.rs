//! Records that cannot be used shield cards that nobody claims: an orphaned card that shares a login, an e-mail address, a
//! directory id or a full name with a record that is rejected, in conflict or without a key may well be that person's, so
//! absence does not archive it.

use super::{Planner, wanted_text};
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::identity::JoinedRecord;
use crate::core::model::key::Key;
use crate::core::model::record::{Anchor, NoKey, RecordRef, SourceRecord};
use crate::core::plan::hold::mark_name;
use crate::core::reads::cards::{Likeness, LookAlikes};
use crate::core::reads::snapshot::{Role, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// The index over such records; made only where somebody is about to be archived for absence.
#[derive(Default)]
pub(super) struct Shields {
    records: Vec<(RecordRef, &'static str)>,
    look_alikes: LookAlikes,
    by_anchor: BTreeMap<Anchor, usize>,
}

impl Shields {
    pub(super) fn of(planner: &Planner<'_>) -> Self {
        let mut shields = Shields::default();
        let snapshots = &planner.input.snapshots;
        let deciding = || {
            let usable = |snapshot: &&Snapshot| !snapshot.is_rejected();
            let decides = |snapshot: &&Snapshot| snapshot.summary.role == Some(Role::Authoritative);
            snapshots.iter().filter(usable).filter(decides)
        };
        let conflicts: BTreeSet<&Key> = planner.conflicts.iter().map(|conflict| &conflict.key).collect();
        for snapshot in deciding() {
            for unkeyed in snapshot.unkeyed() {
                let why = match unkeyed.why {
                    NoKey::Empty => "has no key",
                    NoKey::Several => "has several keys",
                    NoKey::Anonymized => "has an asterisk for a key",
                    NoKey::TooLong => "has a key that is too long",
                    NoKey::Hidden => "has a key with a character that nobody sees",
                };
                shields.add(planner, snapshot, &unkeyed.alone(), why);
            }
            let blocked = planner.blocked.iter().map(|(key, why)| (key, *why));
            let double = conflicts.iter().map(|key| (*key, "is in conflict"));
            for (key, why) in double.chain(blocked) {
                for record in snapshot.with_key(key) {
                    shields.add(planner, snapshot, record, why);
                }
            }
        }
        shields
    }

    fn add(&mut self, planner: &Planner<'_>, snapshot: &Snapshot, record: &SourceRecord, why: &'static str) {
        let source = &snapshot.summary.name;
        let joined = JoinedRecord::alone(&planner.input.snapshots, source, record);
        let description = planner.describe.describe(&joined, planner.input.moment);
        let number = self.records.len();
        let likeness = Likeness::of(|field| wanted_text(&description, field).map(str::to_owned));
        self.look_alikes.add(number, &likeness);
        if let Some(value) = &record.anchor {
            let anchor = Anchor {
                source: source.clone(),
                value: value.clone(),
            };
            self.by_anchor.insert(anchor, number);
        }
        let place = RecordRef {
            source: source.clone(),
            place: record.place.clone(),
        };
        self.records.push((place, why));
    }

    /// The record that may be of the person whose card this is, and what they share.
    pub(super) fn over(&self, likeness: &Likeness, entry: &LedgerEntry) -> Option<String> {
        let alike = self.look_alikes.find(likeness);
        let by_anchor = entry.anchors.iter().find_map(|anchor| self.by_anchor.get(anchor));
        let (number, marks) = match (by_anchor, alike.first_key_value()) {
            (Some(number), _) => (*number, vec!["directory id".to_owned()]),
            (None, Some((number, marks))) => (*number, marks.iter().map(|field| mark_name(*field)).collect()),
            (None, None) => return None,
        };
        let (record, why) = &self.records[number];
        Some(format!(
            "{record} {why} and has the same {}: it may be theirs; correct it in the source",
            marks.join(", ")
        ))
    }
}
