//! Pairs that were asked about: somebody new, and a card that may be theirs under an earlier number. When one of the two is
//! done, is rejected, or cannot be judged for a while, the other is no smaller question than before, and its doubt stands until
//! somebody has decided about it by itself (RULES 8.5).

use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was asked as a pair, as it was asked last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halves {
    /// By new number: the new numbers of the same human, it may be, each with the item that was to make its card.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    new_together: BTreeMap<Key, BTreeMap<Key, ItemId>>,
    /// By card that is to be archived, or was: the new numbers that it was a pair with, each with the item that was to make
    /// its card.
    #[serde(flatten)]
    by_card: BTreeMap<CardId, BTreeMap<Key, ItemId>>,
}

impl Halves {
    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.by_card.is_empty() && self.new_together.is_empty()
    }

    /// Notes a pair; the item as it is asked now.
    pub fn add(&mut self, card: &CardId, key: &Key, item: &ItemId) {
        let of_card = self.by_card.entry(card.clone()).or_default();
        of_card.insert(key.clone(), item.clone());
    }

    /// Notes two new numbers; the item is the one that makes the card of the other.
    pub fn add_new(&mut self, key: &Key, other: &Key, item: &ItemId) {
        let of_key = self.new_together.entry(key.clone()).or_default();
        of_key.insert(other.clone(), item.clone());
    }

    /// Every pair of a card and a new number.
    pub fn iter(&self) -> impl Iterator<Item = (&CardId, &Key, &ItemId)> {
        each(&self.by_card)
    }

    /// Every two new numbers, from either side.
    pub fn new_together(&self) -> impl Iterator<Item = (&Key, &Key, &ItemId)> {
        each(&self.new_together)
    }

    /// Without the pairs of these cards and numbers; says whether there were any.
    pub fn forget(&mut self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> bool {
        let before = self.clone();
        self.by_card.retain(|card, of_card| {
            of_card.retain(|key, _| !keys.contains(key));
            !cards.contains(card) && !of_card.is_empty()
        });
        self.new_together.retain(|key, others| {
            others.retain(|other, _| !keys.contains(other));
            !keys.contains(key) && !others.is_empty()
        });
        *self != before
    }
}

fn each<T>(pairs: &BTreeMap<T, BTreeMap<Key, ItemId>>) -> impl Iterator<Item = (&T, &Key, &ItemId)> {
    pairs
        .iter()
        .flat_map(|(one, keys)| keys.iter().map(move |(key, item)| (one, key, item)))
}
