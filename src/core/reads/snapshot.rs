//! One read of a source or of TOPdesk, with its verdict: complete, degraded (and for what), rejected, and why (RULES 3).
//!
//! The shells read and report facts ([`SourceRead`]); this module judges them. Unknown is neither absent nor empty.

use crate::core::model::ids::{Generation, ItemId, SourceName};
use crate::core::model::key::Key;
use crate::core::model::record::{AttributeNames, NoKey, Place, RawRecord, SourceRecord, Unkeyed, Values};
use crate::core::reads::clock::ClockReading;
use crate::core::reads::profile::Profile;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a source decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides who exists.
    Authoritative,
    /// Adds attributes, never decides who exists.
    Enrich,
}

/// Why a snapshot is not complete, or what is worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code for programs, e.g. `below_floor`, `size_limit`.
    pub code: Box<str>,
    /// What is wrong and where, with numbers.
    pub message: String,
    /// What the administrator can do.
    pub cure: String,
    /// What the finding does to the snapshot.
    pub effect: Effect,
}

/// What a finding does to a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Worth saying, changes nothing.
    Note,
    /// Nobody counts as absent by this snapshot.
    NoAbsence,
    /// Nobody counts as absent by this snapshot, until a human accepts what was found.
    NoAbsenceAcceptable,
    /// Nobody who had left or was out of scope comes back by this snapshot, until a human accepts what was found.
    NoReturnAcceptable,
    /// The snapshot is rejected; a human may accept exactly this content (size, drop, canaries).
    RejectAcceptable,
    /// The snapshot is rejected; nobody can accept it (decoding, paging, result codes).
    Reject,
}

impl Finding {
    /// A finding.
    pub fn new(code: &str, effect: Effect, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            effect,
            message: message.into(),
            cure: cure.into(),
        }
    }
}

/// A record that cannot be used, or only in part. It counts as present (RULES 3.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rejection {
    pub source: SourceName,
    pub place: Place,
    /// Known even when the rest is not.
    pub key: Option<Key>,
    pub scope: RejectionScope,
    /// What is wrong, which attribute, and the cure; no personal data.
    pub message: String,
    /// A hash of what the record says, so that another content is another question; blank where it was not kept.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub content: Box<str>,
}

/// How much of a record is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionScope {
    /// The whole record: its person is neither missing nor leaving nor changed.
    Record,
    /// Its fields: creates and updates are held, evidence of leaving still counts.
    Fields,
}

/// What a source handed over: facts, not yet judged.
#[derive(Clone, Debug)]
pub struct SourceRead {
    pub source: SourceName,
    pub role: Role,
    /// When the read began.
    pub read_at: DateTime<Utc>,
    pub generation: Generation,
    /// The attribute that holds the key.
    pub key_attribute: String,
    pub attributes: AttributeNames,
    /// Attributes that were asked for and that the source does not have at all: their values are unknown.
    pub missing_attributes: BTreeSet<String>,
    /// Those among them that the source is known to have: by the schema of a directory, or by the configuration.
    pub known_attributes: BTreeSet<String>,
    pub records: Vec<RawRecord>,
    /// Rows that could not be read, e.g. ragged or undecodable.
    pub rejections: Vec<Rejection>,
    /// What the read itself noticed: a lost cookie, a result code, a reference.
    pub findings: Vec<Finding>,
    /// Modification time of a file; `None` for servers.
    pub modified_at: Option<DateTime<Utc>>,
    /// The date in the name of a file that was chosen by it.
    pub name_date: Option<NaiveDateTime>,
    /// Hash of a file's content alone; `None` for servers.
    pub content: Option<Box<str>>,
    /// How far each replica is that a server tells of, by its id, in texts that sort as they rise; empty for files.
    pub update_marks: BTreeMap<String, String>,
    /// The server's own clock when the read began; `None` for files and for servers that do not tell.
    pub server_time: Option<DateTime<Utc>>,
}

/// A verdict, as shown and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It may say that somebody is missing.
    Complete,
    /// It may be used, but not for these.
    Degraded { cannot: BTreeSet<Use> },
    /// It may not be used at all.
    Rejected,
}

/// What a degraded snapshot may not be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    Absence,
    Create,
    Archive,
    Unarchive,
    Adopt,
    Anonymize,
    /// A new or active card for somebody who had left or was out of scope.
    Return,
}

/// What is expected of a snapshot (RULES 3.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectations {
    /// Fewest records; at least 1.
    pub min_records: u64,
    /// Largest accepted drop against the reference, in percent.
    pub max_drop_percent: f64,
    /// Oldest accepted file.
    pub max_age: Option<Duration>,
    /// Keys that must be there.
    pub canaries: Vec<Key>,
    /// How many of them.
    pub canaries_at_least: usize,
    /// Attributes whose values are groups; `None`: what department, branch and location are made of, and where an entry
    /// stands in the directory.
    #[serde(default)]
    pub groups: Option<BTreeSet<String>>,
    /// Largest accepted loss of one group, in percent.
    #[serde(default = "half")]
    pub max_group_drop_percent: f64,
}

fn half() -> f64 {
    50.0
}

impl Default for Expectations {
    fn default() -> Self {
        Self {
            min_records: 1,
            max_drop_percent: 10.0,
            max_age: None,
            canaries: Vec::new(),
            canaries_at_least: 0,
            groups: None,
            max_group_drop_percent: half(),
        }
    }
}

/// What earlier reads of the same source or of TOPdesk were like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHistory {
    /// The most records of a snapshot accepted in the last 14 days.
    pub largest_accepted: Option<u64>,
    /// Keyless and unreadable records of the last complete read.
    pub last_good_keyless: Option<u64>,
    pub last_good_unreadable: Option<u64>,
    /// Acceptances in force: the items of what a human accepted.
    pub accepted: BTreeSet<ItemId>,
    /// What the last complete read was like.
    pub last_good: Option<Profile>,
    /// What the largest snapshot accepted in the last 14 days was like.
    pub reference: Option<Profile>,
    /// When that one was read.
    pub reference_at: Option<DateTime<Utc>>,
    /// Modification time of the file that was accepted last.
    pub last_modified_at: Option<DateTime<Utc>>,
    /// The date in its name, where it was chosen by that.
    pub last_name_date: Option<NaiveDateTime>,
    /// Contents of the complete reads of the last 14 days.
    pub earlier_contents: BTreeSet<Box<str>>,
    /// The same in their order, without the changes that were taken back.
    #[serde(default)]
    pub contents: Vec<Box<str>>,
    /// The last read, whatever came of it.
    pub last: Option<PastRead>,
}

impl SnapshotHistory {
    /// Takes the content of a complete read, the oldest first. Going back to what it replaced takes a change back.
    pub fn remember_content(&mut self, content: &str) {
        self.earlier_contents.insert(content.into());
        match self.contents.as_slice() {
            [.., last] if **last == *content => {}
            [.., before, _taken_back] if **before == *content => {
                self.contents.pop();
            }
            _new => self.contents.push(content.into()),
        }
    }

    /// What the content of the last complete read replaced.
    pub fn content_before(&self) -> Option<&str> {
        let before = self.contents.len().checked_sub(2)?;
        self.contents.get(before).map(|content| &**content)
    }
}

/// A read of an earlier run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRead {
    pub read_at: DateTime<Utc>,
    pub records: u64,
    /// `complete`, `degraded` or `rejected`.
    pub verdict: String,
}

/// What is shown and stored of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotSummary {
    pub name: SourceName,
    /// `None` for TOPdesk itself.
    pub role: Option<Role>,
    pub read_at: DateTime<Utc>,
    pub generation: Generation,
    pub records: u64,
    pub keyless: u64,
    pub unreadable: u64,
    /// Records that are no people, by `skip` and `exclude`; not among `records`.
    #[serde(default)]
    pub skipped: u64,
    #[serde(flatten)]
    pub verdict: Verdict,
    #[serde(rename = "reasons", alias = "findings")]
    pub findings: Vec<Finding>,
    /// Set when the snapshot was rejected and a human may accept exactly this content: the item to approve.
    pub acceptance: Option<ItemId>,
    /// A human has accepted exactly this content: the item that was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<ItemId>,
}

/// The code of the finding that a list of TOPdesk which the mapping needs could not be read.
pub const LIST_UNREADABLE: &str = "list_unreadable";

impl SnapshotSummary {
    /// Whether it, or a list in it that people are waiting for, could not be used: the exit code says so.
    pub fn is_unusable_in_part(&self) -> bool {
        self.verdict == Verdict::Rejected || self.findings.iter().any(|finding| &*finding.code == LIST_UNREADABLE)
    }
}

/// A judged read of one source: records with a key, sorted by key (then place).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub summary: SnapshotSummary,
    pub attributes: AttributeNames,
    pub missing_attributes: BTreeSet<String>,
    /// Those among them that the source knows, and that nobody has right now (RULES 4.8).
    #[serde(default)]
    pub rare_attributes: BTreeSet<String>,
    records: Vec<SourceRecord>,
    pub rejections: Vec<Rejection>,
    /// What the read was like, in counts.
    #[serde(default)]
    pub profile: Profile,
    /// The clock of the server, beside the machine's.
    #[serde(default)]
    pub clock: Option<ClockReading>,
    /// Records without a usable key; empty when rejected, and for a source that only enriches.
    #[serde(default)]
    unkeyed: Vec<Unkeyed>,
    /// Keys on records that are no people; empty when rejected.
    #[serde(default)]
    skipped: BTreeSet<Key>,
}

/// Gives the records of a snapshot in key order; in memory now, from a store where a company does not fit.
pub trait SnapshotReader {
    /// Records in ascending key order.
    fn records(&self) -> impl Iterator<Item = &SourceRecord>;
}

impl SnapshotReader for Snapshot {
    fn records(&self) -> impl Iterator<Item = &SourceRecord> {
        self.records.iter()
    }
}

impl Snapshot {
    /// The records with this key: none, one, or duplicates.
    pub fn with_key(&self, key: &Key) -> &[SourceRecord] {
        let start = self.records.partition_point(|record| record.key < *key);
        let end = start + self.records[start..].partition_point(|record| record.key == *key);
        &self.records[start..end]
    }

    /// How many records have a key.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no record has a key.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes everything out that is kept under these keys.
    pub(crate) fn remove_keys(&mut self, keys: &BTreeSet<Key>) {
        self.records.retain(|record| !keys.contains(&record.key));
        self.skipped.retain(|key| !keys.contains(key));
    }

    /// Whether anything is read of this key: a record, one that cannot be used, or one that is skipped.
    pub fn names(&self, key: &Key) -> bool {
        let is_of = |rejection: &Rejection| rejection.key.as_ref() == Some(key);
        !self.with_key(key).is_empty() || self.skipped.contains(key) || self.rejections.iter().any(is_of)
    }

    /// The values of all records. A key must not be changed by it.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Values> {
        let keyed = self.records.iter_mut().flat_map(|record| record.values.iter_mut());
        let unkeyed = self.unkeyed.iter_mut();
        keyed.chain(unkeyed.flat_map(|unkeyed| unkeyed.record.values.iter_mut()))
    }

    /// Whether the snapshot may say that somebody is missing.
    pub fn can_say_absent(&self) -> bool {
        !self.is_rejected() && !self.cannot(Use::Absence)
    }

    /// Whether the snapshot is degraded in such a way that it may not be used for this.
    pub fn cannot(&self, what: Use) -> bool {
        matches!(&self.summary.verdict, Verdict::Degraded { cannot } if cannot.contains(&what))
    }

    /// Whether the snapshot is rejected.
    pub fn is_rejected(&self) -> bool {
        self.summary.verdict == Verdict::Rejected
    }

    /// A snapshot of a source that could not be read at all.
    pub fn unreadable(source: SourceName, role: Role, read_at: DateTime<Utc>, finding: Finding) -> Self {
        Snapshot {
            summary: SnapshotSummary {
                name: source,
                role: Some(role),
                read_at,
                generation: Generation::new(""),
                records: 0,
                keyless: 0,
                unreadable: 0,
                skipped: 0,
                verdict: Verdict::Rejected,
                findings: vec![finding],
                acceptance: None,
                accepted: None,
            },
            attributes: AttributeNames::new([], false),
            missing_attributes: BTreeSet::new(),
            rare_attributes: BTreeSet::new(),
            records: Vec::new(),
            rejections: Vec::new(),
            profile: Profile::default(),
            clock: None,
            unkeyed: Vec::new(),
            skipped: BTreeSet::new(),
        }
    }

    /// A judged snapshot; the records of a rejected one are dropped. Records must be sorted by key.
    pub(crate) fn judged(
        summary: SnapshotSummary,
        attributes: AttributeNames,
        missing_attributes: BTreeSet<String>,
        records: Vec<SourceRecord>,
        rejections: Vec<Rejection>,
        profile: Profile,
    ) -> Self {
        debug_assert!(
            records.is_sorted_by(|a, b| a.key <= b.key),
            "records come sorted by key"
        );
        let records = if summary.verdict == Verdict::Rejected {
            Vec::new()
        } else {
            records
        };
        Snapshot {
            summary,
            attributes,
            missing_attributes,
            rare_attributes: BTreeSet::new(),
            records,
            rejections,
            profile,
            clock: None,
            unkeyed: Vec::new(),
            skipped: BTreeSet::new(),
        }
    }

    /// With the attributes that the source knows and nobody has right now.
    pub(crate) fn with_rare(mut self, rare: BTreeSet<String>) -> Self {
        self.rare_attributes = rare;
        self
    }

    /// With the records that no key can be taken from.
    pub(crate) fn with_unkeyed(mut self, unkeyed: Vec<Unkeyed>) -> Self {
        if !self.is_rejected() {
            self.unkeyed = unkeyed;
        }
        self
    }

    /// With the keys on records that are no people.
    pub(crate) fn with_skipped(mut self, skipped: BTreeSet<Key>) -> Self {
        if !self.is_rejected() {
            self.skipped = skipped;
        }
        self
    }

    /// Keys on records that are no people (`skip`, `exclude`): whoever has no other record is out of scope.
    pub fn skipped(&self) -> &BTreeSet<Key> {
        &self.skipped
    }

    /// The same read, as if other keys had been found in it: `records` in any order, and those that have none then.
    pub(crate) fn with_other_keys(
        &self,
        mut records: Vec<SourceRecord>,
        without: Vec<&SourceRecord>,
        rejections: Vec<Rejection>,
    ) -> Self {
        records.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.place.cmp(&b.place)));
        let mut unkeyed = self.unkeyed.clone();
        let mut summary = self.summary.clone();
        if summary.role == Some(Role::Authoritative) {
            summary.keyless += without.len() as u64;
            unkeyed.extend(without.into_iter().map(|record| Unkeyed {
                record: RawRecord {
                    place: record.place.clone(),
                    values: record.values.clone(),
                    anchor: record.anchor.clone(),
                },
                why: NoKey::Empty,
            }));
            unkeyed.sort_by(|a, b| a.record.place.cmp(&b.record.place));
        }
        Snapshot {
            summary,
            attributes: self.attributes.clone(),
            missing_attributes: self.missing_attributes.clone(),
            rare_attributes: self.rare_attributes.clone(),
            records,
            rejections,
            profile: self.profile.clone(),
            clock: self.clock.clone(),
            unkeyed,
            skipped: BTreeSet::new(),
        }
    }

    /// The records that no key can be taken from: they may be anybody's.
    pub fn unkeyed(&self) -> &[Unkeyed] {
        &self.unkeyed
    }
}
