//! Pairs that were asked about: somebody new, and a card that may be theirs under an earlier number. When one of the two is
//! done, is rejected, or cannot be judged for a while, the other is no smaller question than before, and its doubt stands until
//! somebody has decided about it by itself (RULES 8.5).

use super::ids::{CardId, ItemId};
use super::key::Key;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// By card that is to be archived, or was: the new numbers that it was a pair with, each with the item that was to make its
/// card, as it was asked last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Halves(BTreeMap<CardId, BTreeMap<Key, ItemId>>);

impl Halves {
    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a pair; the item as it is asked now.
    pub fn add(&mut self, card: &CardId, key: &Key, item: &ItemId) {
        let of_card = self.0.entry(card.clone()).or_default();
        of_card.insert(key.clone(), item.clone());
    }

    /// Every pair.
    pub fn iter(&self) -> impl Iterator<Item = (&CardId, &Key, &ItemId)> {
        let of_cards = self.0.iter();
        of_cards.flat_map(|(card, keys)| keys.iter().map(move |(key, item)| (card, key, item)))
    }

    /// Without the pairs of these cards and numbers; says whether there were any.
    pub fn forget(&mut self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> bool {
        let before = self.clone();
        self.0.retain(|card, of_card| {
            of_card.retain(|key, _| !keys.contains(key));
            !cards.contains(card) && !of_card.is_empty()
        });
        *self != before
    }
}
