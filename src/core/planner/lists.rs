//! Lists of people by number: what they say to whoever decides (RULES 5).

use super::Planner;
use crate::core::model::key::Key;
use crate::core::plan::SkipReason;
use crate::core::reads::cards::CardState;
use crate::core::rules::lists::{WITHOUT_CARD_CURE, without_cards};
use std::collections::BTreeSet;

impl Planner<'_> {
    /// Says which numbers on a list hold nobody.
    pub(super) fn lists_without_cards(&mut self) {
        for (key, words) in without_cards(self.input) {
            let detail = format!("{words}; {WITHOUT_CARD_CURE}");
            self.skip(SkipReason::ListedWithoutCard, Some(&key), None, detail);
        }
    }

    /// What whoever changes the number of a listed card should know.
    pub(super) fn listed_words(&self, card: usize) -> Vec<String> {
        let policy = &self.input.policy;
        let id = &self.index.cards[card].id;
        let numbered = |keys: &BTreeSet<Key>| match self.index.state(card) {
            CardState::Keyed(key) => keys.contains(key),
            CardState::Keyless | CardState::Anonymized => false,
        };
        let legal_hold = policy.anonymize.as_ref().map(|rule| &rule.legal_hold);
        let held = legal_hold.is_some_and(|list| list.cards.contains(id) || numbered(&list.keys));
        let words =
            "the card is on legal hold and stays so under the new number: put the new number on the list as well";
        held.then(|| words.to_owned()).into_iter().collect()
    }
}
