//! People of the sources who stand apart: they leave or are out of scope, and have no active card. Remembered from look to
//! look, so that it shows when what set them apart vanishes for many of them at once (RULES 4.7): a word in HR or an
//! organisational unit was renamed, an attribute went. A card that is made for one of them can never be taken back.

use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::Anchor;
use crate::core::plan::hold::HoldReason;
use crate::core::rules::evidence::Evidence;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// So few people may come back together without a question.
pub const FEW: u64 = 3;

/// Who stood apart when a full run looked last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Apart {
    /// Keys of people who left or were out of scope, without an active card. They stay until they have one, or until no
    /// source has them.
    pub known: BTreeSet<Key>,
    /// Those among them whose evidence vanished together with that of many others: a new card, or making the old one active
    /// again, waits until somebody has looked.
    pub vanished: BTreeSet<Key>,
    /// Leavers without a card by their number who were asked or told about. That their record goes answers nothing: the card
    /// that may be theirs stays active.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<Key, AskedLeaver>,
}

/// What a leaver's record said when it was looked at last, and the cards that may be theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLeaver {
    pub raw_key: RawKey,
    pub anchors: Vec<Anchor>,
    /// That they have left; `None`: not for long enough.
    pub evidence: Option<Evidence>,
    /// That the number is written like no other.
    pub odd: Option<HoldReason>,
    /// Each card with what agrees.
    pub cards: BTreeMap<CardId, BTreeSet<CardField>>,
}

impl Apart {
    /// Whether this person is among them.
    pub fn has(&self, key: &Key) -> bool {
        self.known.contains(key) || self.vanished.contains(key) || self.asked.contains_key(key)
    }

    /// Whether so many of them coming back in one look is no coincidence: more than a few, and more than half of all.
    pub fn is_mass_return(&self, returning: u64) -> bool {
        returning > FEW && returning * 2 > self.known.len() as u64
    }

    /// Without these people.
    pub fn forget(&mut self, keys: &BTreeSet<Key>) {
        self.known.retain(|key| !keys.contains(key));
        self.vanished.retain(|key| !keys.contains(key));
        self.asked.retain(|key, _| !keys.contains(key));
    }
}

/// Of how many people of the sources `include` and `lifecycle.leaver.when` gave an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JudgedPeople {
    /// Yes or no.
    pub decided: u64,
    /// Neither.
    pub unknown: u64,
}

impl JudgedPeople {
    /// Nobody got an answer: then nobody is seen to leave, and that must not look like a quiet day (RULES 4.8).
    pub fn nobody(&self) -> bool {
        self.decided == 0 && self.unknown > 0
    }
}
