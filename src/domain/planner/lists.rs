//! Lists of people by number: what they say to whoever decides (RULES 5).

use super::Planner;
use crate::domain::cards::CardState;
use crate::domain::key::Key;
use crate::domain::lists::listed_cards;
use crate::domain::plan::SkipReason;
use std::collections::BTreeSet;

impl Planner<'_> {
    /// A number on a list that no card has or had holds nobody, and whoever wrote it there believes that it does.
    pub(super) fn lists_without_cards(&mut self) {
        let policy = &self.input.policy;
        let legal_hold = policy.anonymize.as_ref().map(|rule| &rule.legal_hold.keys);
        let cards = listed_cards(self.input);
        let lists: [(&str, Option<&BTreeSet<Key>>); 2] = [
            ("guard.protect", Some(&policy.protected.keys)),
            ("the legal-hold list (lifecycle.anonymize.legal_hold)", legal_hold),
        ];
        for (list, keys) in lists {
            let without = keys
                .into_iter()
                .flatten()
                .filter(|key| cards.get(*key).is_none_or(BTreeSet::is_empty));
            for key in without {
                let detail = format!(
                    "on {list}, and no card has this number or had it before: it holds nobody; correct the number, or list \
                     the card's id"
                );
                self.skip(SkipReason::ListedWithoutCard, Some(key), None, detail);
            }
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
