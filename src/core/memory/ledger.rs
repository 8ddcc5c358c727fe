//! What cardsync remembers per card: how it became ours, its key and anchors, where and since when it is missing, and
//! who archived it. The ledger's key is the card id; the match key is an attribute with history.

use crate::core::memory::certificate::Overwritten;
use crate::core::memory::seen::SeenValues;
use crate::core::model::ids::{CardId, Generation, OperatorId, RunId, SourceName};
use crate::core::model::key::Key;
use crate::core::model::record::Anchor;
use crate::core::reads::rows::RowMarks;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How a card became ours (RULES 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Created,
    Adopted,
    /// Found by its key.
    Matched,
}

/// What one authoritative source said of a person, last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// When the source last had a record.
    pub last_seen: DateTime<Utc>,
    /// Set while complete reads miss the person, or their current row.
    pub absent: Option<Absence>,
    /// In an export with a row per contract: the rows of the last complete read in which a contract went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Box<RowMarks>>,
    /// In such an export: a row was current at some time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub worked: bool,
}

impl Sighting {
    /// Somebody whom a source has.
    pub fn new(last_seen: DateTime<Utc>) -> Self {
        Self {
            last_seen,
            absent: None,
            rows: None,
            worked: false,
        }
    }
}

/// Counted absence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// The first complete read that missed the person.
    pub since: DateTime<Utc>,
    /// How many complete reads with new content missed them.
    pub reads: u32,
    /// The content that was counted last: the same content is the same read.
    pub generation: Generation,
}

/// What a store knows of the writes it sent: a card that bears our signature and is not explained by it was written by
/// another cardsync, or by this one after the store was put aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownWrites {
    /// The newest write whose answer is in the journal.
    pub last: Option<LastWrite>,
    /// Cards with a request whose effect was not known when the run began: what shows on them is explained.
    pub in_doubt: BTreeSet<CardId>,
    /// Cards with a write of ours whose answer was lost and that a later read settled as done: when each was changed last
    /// by that read. Whose name stood there then is not known to be ours, so it explains these cards alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<CardId, DateTime<Utc>>,
}

/// A write, as TOPdesk signed and dated it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWrite {
    pub modifier: Option<Box<str>>,
    pub modified_at: DateTime<Utc>,
}

/// An archive that we wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OurArchive {
    pub at: DateTime<Utc>,
    pub run: RunId,
    /// The card's modification date right after our write: an archive is ours only while it has not moved.
    pub modified_at: Option<DateTime<Utc>>,
    /// Who modified the card with our write; another one later means that it is no longer our archive.
    #[serde(default)]
    pub modifier: Option<Box<str>>,
    /// The operator links before the archive, for undo and for showing who would wake.
    pub took_operators: Vec<OperatorId>,
    /// It was archived again on the way to a safe end, by a change that was to make it active.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub put_back: bool,
    /// A human asked for it, by an undo: it says nothing of whether the person works here, so that nobody wakes the card
    /// again unasked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked_for: bool,
}

/// What is remembered about one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub card: CardId,
    /// The key under which it is ours; `None` after a purge.
    pub key: Option<Key>,
    /// Keys it had before, oldest first.
    pub former_keys: Vec<Key>,
    /// A keyed hash of the key that stays after a purge.
    pub key_hash: Option<String>,
    /// Directory ids of the person, the second anchor.
    pub anchors: Vec<Anchor>,
    pub origin: Origin,
    /// When it became ours.
    pub since: DateTime<Utc>,
    /// One per authoritative source that ever had this person.
    pub sightings: BTreeMap<SourceName, Sighting>,
    /// The first complete read in which the leaver condition held, while it holds.
    pub leaving_since: Option<DateTime<Utc>>,
    /// The day on which it is to begin, as the sources say ahead; kept while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_on: Option<NaiveDate>,
    /// That evidence was beyond doubt when it was last seen: it stays evidence when the record goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving_is_certain: bool,
    /// Whether the card was archived at the last look, or was woken by somebody else since.
    #[serde(default, skip_serializing_if = "LastLook::is_active")]
    pub last_look: LastLook,
    /// Set while an archive of ours stands, or was lifted by a human while the person still has evidence of leaving.
    /// Boxed, like what follows: nearly no entry has one, and there is an entry for every card.
    pub archived_by_us: Option<Box<OurArchive>>,
    /// Operators of the card that cardsync archived at some time: proof that it can archive them again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub archived_operators: BTreeSet<OperatorId>,
    /// The card was seen anonymized, by anyone.
    pub anonymized: bool,
    /// Made without access to the self-service portal, which is given on the first working day; until then, and until
    /// somebody else gives it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub access_later: bool,
    /// cardsync itself overwrote the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwritten: Option<Box<Overwritten>>,
    /// What its fields showed when they were last in step.
    #[serde(default, skip_serializing_if = "SeenValues::is_empty")]
    pub seen: SeenValues,
}

impl LedgerEntry {
    /// A card that becomes ours now.
    pub fn new(card: CardId, key: Key, origin: Origin, since: DateTime<Utc>) -> Self {
        Self {
            card,
            key: Some(key),
            former_keys: Vec::new(),
            key_hash: None,
            anchors: Vec::new(),
            origin,
            since,
            sightings: BTreeMap::new(),
            leaving_since: None,
            leaves_on: None,
            leaving_is_certain: false,
            last_look: LastLook::Active,
            archived_by_us: None,
            archived_operators: BTreeSet::new(),
            anonymized: false,
            access_later: false,
            overwritten: None,
            seen: SeenValues::default(),
        }
    }

    /// These sources have the person now.
    pub fn see(&mut self, sources: &[SourceName], at: DateTime<Utc>) {
        for source in sources {
            let sighting = self.sightings.entry(source.clone());
            let sighting = sighting.or_insert_with(|| Sighting::new(at));
            (sighting.last_seen, sighting.absent) = (at, None);
        }
    }

    /// The card goes under this number from now on: what was counted and seen was of the number before it.
    pub fn goes_under(&mut self, key: &Key) {
        if self.key.as_ref() == Some(key) {
            return;
        }
        self.former_keys.extend(self.key.take());
        self.key = Some(key.clone());
        for sighting in self.sightings.values_mut() {
            sighting.absent = None;
        }
        self.forget_leaving();
    }

    /// Evidence of leaving that is over: a later one counts from its own first sight.
    pub fn forget_leaving(&mut self) {
        (self.leaving_since, self.leaves_on, self.leaving_is_certain) = (None, None, false);
    }

    /// Takes in whether the card is archived now.
    pub fn look(&mut self, archived: bool) {
        self.last_look = match (archived, self.last_look) {
            (true, _) => LastLook::Archived,
            (false, LastLook::Archived | LastLook::Woken) => LastLook::Woken,
            (false, LastLook::Active) => LastLook::Active,
        };
    }

    /// Whether somebody else made the card active again, whoever had archived it, and the person has had evidence of
    /// leaving, or been absent, ever since: that stays so (RULES 5).
    pub fn is_woken(&self, archived: bool) -> bool {
        !archived && self.last_look != LastLook::Active
    }
}

/// What the last look at a card showed. Each archive and unarchive of ours is taken in with its answer, so that what
/// differs at the next look was somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastLook {
    /// Active, as far as anybody did anything about it.
    #[default]
    Active,
    Archived,
    /// Active, and archived before: a human made it active again.
    Woken,
}

impl LastLook {
    /// Whether it is the usual one, of which nothing is kept.
    pub fn is_active(&self) -> bool {
        *self == LastLook::Active
    }
}
