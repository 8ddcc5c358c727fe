//! The input of a run's plan as it is kept: what a plan is made of once more, without any server.

use crate::core::input::PlanInput;
use crate::core::model::ids::{CardId, PlanId, RunId};
use crate::core::model::key::Key;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many inputs are kept.
pub const MOST_KEPT: usize = 3;

/// And none for longer than this.
pub const KEPT_FOR: Duration = Duration::days(7);

/// What stands before a kept input, so that it can be found without reading all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHeader {
    pub run: RunId,
    /// The version of cardsync that made the plan.
    pub version: String,
    /// When it was kept, by the machine's clock.
    pub kept_at: DateTime<Utc>,
    /// The moment the plan was made for.
    pub moment: DateTime<Utc>,
    pub plan: PlanId,
    pub fingerprint: String,
    /// The effective configuration as YAML, without secrets.
    pub config: String,
    /// People who were taken out because TOPdesk or we anonymized them: the card ids. A plan made of what is left can differ.
    pub forgotten: BTreeSet<CardId>,
    /// Cards that were anonymized already when it was read.
    #[serde(default)]
    pub anonymized: BTreeSet<CardId>,
}

/// A kept input.
#[derive(Clone, Debug)]
pub struct KeptInput {
    pub header: KeptHeader,
    pub input: Arc<PlanInput>,
}

impl KeptInput {
    /// Takes people out, see [`PlanInput::forget`].
    #[must_use]
    pub fn without(mut self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> Self {
        // A card that was anonymized when it was read, and by its entry in the ledger somebody's until then.
        let entries = cards.iter().filter_map(|card| self.input.ledger.get(card));
        let just_noticed: BTreeSet<CardId> = entries
            .filter(|entry| entry.key.is_some())
            .map(|entry| entry.card.clone())
            .collect();
        // Somebody who was purged before is in the sources again. Which of these cards was whose is known by their hashes only;
        // how many they are is known.
        let purged_before = |card: &&CardId| self.input.ledger.get(*card).is_some_and(|entry| entry.key.is_none());
        let came_back: BTreeSet<CardId> = cards
            .iter()
            .filter(purged_before)
            .take(self.input.purged_keys.len())
            .cloned()
            .collect();
        if self.input.remembers(cards, keys) {
            Arc::make_mut(&mut self.input).forget(cards, keys);
        }
        let KeptHeader {
            anonymized, forgotten, ..
        } = &mut self.header;
        // What somebody typed may be a key that was taken for a card's id as well: no key stays here.
        let typed = |card: &CardId| keys.iter().any(|key| key.as_str().eq_ignore_ascii_case(card.as_str()));
        let known = |card: &CardId| {
            let cards = &self.input.target.cards;
            self.input.ledger.contains_key(card) || cards.binary_search_by(|it| it.id.cmp(card)).is_ok()
        };
        let taken = cards
            .iter()
            .filter(|card| !anonymized.contains(*card) || just_noticed.contains(*card) || came_back.contains(*card))
            .filter(|card| known(card) || !typed(card));
        forgotten.extend(taken.cloned());
        self
    }
}
