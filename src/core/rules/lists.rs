//! Lists of people by number (`guard.protect`, `lifecycle.anonymize.legal_hold`) hold the person and not the spelling
//! (RULES 5): whoever had a listed number once, and the card that bore it, stay on the list when the number changes.

use crate::core::input::PlanInput;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::reads::cards::{CardState, state_of};
use std::collections::{BTreeMap, BTreeSet};

/// The cards that bore a listed number when a run looked, by number.
pub type ListedCards = BTreeMap<Key, BTreeSet<CardId>>;

/// Every number on a list.
fn listed(input: &PlanInput) -> BTreeSet<&Key> {
    let policy = &input.policy;
    let held = policy.anonymize.iter().flat_map(|rule| &rule.legal_hold.keys);
    policy.protected.keys.iter().chain(held).collect()
}

/// The cards of everybody on a list: by the number on the card, by the ledger, former numbers included, and by what earlier
/// runs saw. Without anonymized cards, of which nothing is remembered. Numbers without a card are in it, empty.
pub fn listed_cards(input: &PlanInput) -> ListedCards {
    let mut found: ListedCards = listed(input)
        .into_iter()
        .map(|key| (key.clone(), BTreeSet::new()))
        .collect();
    if found.is_empty() {
        return found;
    }
    let mut anonymized: BTreeSet<&CardId> = BTreeSet::new();
    for card in &input.target.cards {
        match state_of(card, &input.policy.key) {
            CardState::Keyed(key) => {
                if let Some(cards) = found.get_mut(&key) {
                    cards.insert(card.id.clone());
                }
            }
            CardState::Anonymized => {
                anonymized.insert(&card.id);
            }
            CardState::Keyless => {}
        }
    }
    for entry in input.ledger.values() {
        for key in entry.key.iter().chain(&entry.former_keys) {
            if let Some(cards) = found.get_mut(key) {
                cards.insert(entry.card.clone());
            }
        }
    }
    for (key, cards) in &input.contact.listed {
        if let Some(found) = found.get_mut(key) {
            found.extend(cards.iter().cloned());
        }
    }
    for cards in found.values_mut() {
        cards.retain(|card| !anonymized.contains(card));
    }
    found
}

/// Numbers on a list that no card has or had, with the list: they hold nobody, and whoever wrote them there believes that
/// they do.
pub fn without_cards(input: &PlanInput) -> Vec<(Key, String)> {
    let policy = &input.policy;
    let legal_hold = policy.anonymize.as_ref().map(|rule| &rule.legal_hold.keys);
    let cards = listed_cards(input);
    let lists: [(&str, Option<&BTreeSet<Key>>); 2] = [
        ("guard.protect", Some(&policy.protected.keys)),
        ("the legal-hold list (lifecycle.anonymize.legal_hold)", legal_hold),
    ];
    let mut without = Vec::new();
    for (list, keys) in lists {
        for key in keys.into_iter().flatten() {
            if cards.get(key).is_none_or(BTreeSet::is_empty) {
                let words = format!("on {list}, and no card has this number or had it before: it holds nobody");
                without.push((key.clone(), words));
            }
        }
    }
    without
}

/// What to do about such a number.
pub const WITHOUT_CARD_CURE: &str = "correct the number, or list the card's id";

/// Puts the cards of everybody whom a list names by number onto that list. Done once, before anything is planned, so that
/// whatever asks the lists has the whole answer.
pub fn hold_the_people(input: &mut PlanInput) {
    let cards = listed_cards(input);
    let of = |keys: &BTreeSet<Key>| -> Vec<CardId> {
        keys.iter()
            .filter_map(|key| cards.get(key))
            .flatten()
            .cloned()
            .collect()
    };
    let protected = of(&input.policy.protected.keys);
    input.policy.protected.cards.extend(protected);
    if let Some(rule) = &mut input.policy.anonymize {
        let held = of(&rule.legal_hold.keys);
        rule.legal_hold.cards.extend(held);
    }
}
