//! Whom a word means: a key, a card id, a login name or an e-mail address.

use crate::domain::cards::{CardIndex, CardMatch, CardState, fold};
use crate::domain::field::{CardField, FieldValue};
use crate::domain::identity::{Desired, Wanted};
use crate::domain::ids::CardId;
use crate::domain::input::PlanInput;
use crate::domain::key::{Key, KeyReading};
use crate::domain::merge::{Member, Population};
use crate::mapping::Mapping;
use crate::mapping::inputs::Records;
use serde::Serialize;
use std::collections::BTreeSet;

/// How somebody was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    CardId,
    Key,
    /// A key that the person had before.
    FormerKey,
    Email,
    Login,
}

/// Somebody whom a word means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// Missing where a card has no key and the ledger does not know it either.
    pub key: Option<Key>,
    pub person_id: Option<CardId>,
    /// First name and surname of the card.
    pub name: Option<String>,
    pub found_by: FoundBy,
}

/// The fields by which people are looked for besides their key.
const ADDRESSES: [(CardField, FoundBy); 4] = [
    (CardField::Email, FoundBy::Email),
    (CardField::TasLoginName, FoundBy::Login),
    (CardField::NetworkLoginName, FoundBy::Login),
    (CardField::MainframeLoginName, FoundBy::Login),
];

/// Everybody whom a word means, each once. A card id and a key are exact; only where there is neither, e-mail addresses and
/// logins are looked at, of cards and of what the sources say.
pub fn find(word: &str, input: &PlanInput, mapping: &Mapping) -> Vec<Subject> {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let seek = Seek { input, index: &index };
    let id = CardId::from(word.trim().to_lowercase());
    if seek.index.position(&id).is_some() || input.ledger.contains_key(&id) {
        return vec![seek.of_card(&id, FoundBy::CardId)];
    }
    if let KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } =
        input.policy.key.read(word)
    {
        let found = seek.of_key(&key);
        if !found.is_empty() {
            return found;
        }
    }
    seek.by_address(word, mapping)
}

struct Seek<'a> {
    input: &'a PlanInput,
    index: &'a CardIndex<'a>,
}

impl Seek<'_> {
    fn of_card(&self, id: &CardId, found_by: FoundBy) -> Subject {
        let position = self.index.position(id);
        let on_card = position.and_then(|card| match self.index.state(card) {
            CardState::Keyed(key) => Some(key.clone()),
            CardState::Keyless | CardState::Anonymized => None,
        });
        let known = || self.input.ledger.get(id).and_then(|entry| entry.key.clone());
        Subject {
            key: on_card.or_else(known),
            person_id: Some(id.clone()),
            name: position.and_then(|card| name(&self.index.cards[card])),
            found_by,
        }
    }

    fn of_key(&self, key: &Key) -> Vec<Subject> {
        let in_sources = self.input.snapshots.iter().any(|snapshot| snapshot.names(key));
        let card = match self.index.matching(key) {
            CardMatch::One { card, .. } => Some(card),
            // Which of them is the person's is the question; the explanation shows them all.
            CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => None,
            CardMatch::None if in_sources => None,
            CardMatch::None => return self.of_ledger(key),
        };
        let card = card.map(|card| &self.index.cards[card]);
        vec![Subject {
            key: Some(key.clone()),
            person_id: card.map(|card| card.id.clone()),
            name: card.and_then(name),
            found_by: FoundBy::Key,
        }]
    }

    /// Nobody has the key now: who had it?
    fn of_ledger(&self, key: &Key) -> Vec<Subject> {
        let entries = self.input.ledger.values();
        let had = entries.filter(|entry| entry.key.as_ref() == Some(key) || entry.former_keys.contains(key));
        had.map(|entry| self.of_card(&entry.card, FoundBy::FormerKey)).collect()
    }

    fn by_address(&self, word: &str, mapping: &Mapping) -> Vec<Subject> {
        let wanted = fold(word);
        let mut found: BTreeSet<Subject> = BTreeSet::new();
        for card in self.index.cards {
            let mark = ADDRESSES
                .iter()
                .find(|(field, _)| card.fields.text(*field).is_some_and(|text| fold(text) == wanted));
            if let Some((_, found_by)) = mark {
                found.insert(self.of_card(&card.id, *found_by));
            }
        }
        let population = Population::new(&self.input.snapshots, &self.input.policy.same_people);
        for member in population.members() {
            let Member::Person(person) = member else { continue };
            let says = |field: CardField| {
                let rule = mapping.rule(field)?;
                let (desired, _) = rule.desired(Records::Joined(&person.joined), self.input.moment, mapping.key());
                match desired {
                    Desired::Set(Wanted::Value(FieldValue::Text(text))) => Some(fold(&text)),
                    Desired::Set(_) | Desired::Clear | Desired::Unknown(_) => None,
                }
            };
            let mark = ADDRESSES
                .iter()
                .find(|(field, _)| says(*field).as_ref() == Some(&wanted));
            let new = !found.iter().any(|subject| subject.key.as_ref() == Some(person.key));
            if let (Some((_, found_by)), true) = (mark, new) {
                found.extend(self.of_key(person.key).into_iter().map(|subject| Subject {
                    found_by: *found_by,
                    ..subject
                }));
            }
        }
        found.into_iter().collect()
    }
}

/// First name and surname.
pub(super) fn name(card: &crate::domain::card::PersonCard) -> Option<String> {
    let parts: Vec<&str> = [CardField::FirstName, CardField::SurName]
        .into_iter()
        .filter_map(|field| card.fields.text(field))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
