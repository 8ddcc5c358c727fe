//! Whom a word means: a key, a card id, a login or an e-mail address of the card or of its operator, or a name.

use crate::core::input::PlanInput;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{Desired, Wanted};
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, KeyReading};
use crate::core::reads::cards::{CardIndex, CardMatch, CardState, fold};
use crate::core::reads::merge::{Member, Population};
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
    /// Login or e-mail address of an operator that is linked to the card.
    Operator,
    Name,
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

/// The fields by which people are looked for when nothing else is known of them.
const NAMES: [CardField; 2] = [CardField::FirstName, CardField::SurName];

/// Everybody whom a word means, each once. A card id and a key are exact; only where there is neither, e-mail addresses and
/// logins are looked at, of cards, of their operators and of what the sources say; and only where nobody has that, names.
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
    let wanted = fold(word);
    let by_address = |text: &dyn Fn(CardField) -> Option<String>| {
        let has = |field: CardField| text(field).is_some_and(|text| fold(&text) == wanted);
        let mark = ADDRESSES.iter().find(|(field, _)| has(*field));
        mark.map(|(_, found_by)| *found_by)
    };
    let mut found = seek.everybody(mapping, &by_address);
    found.extend(seek.by_operator(&wanted));
    if found.is_empty() {
        let words = words_of(&wanted);
        let by_name = |text: &dyn Fn(CardField) -> Option<String>| {
            let name: Vec<String> = NAMES.into_iter().filter_map(text).collect();
            let name = fold(&name.join(" "));
            let parts = words_of(&name);
            let named = !words.is_empty() && words.iter().all(|word| parts.contains(word));
            named.then_some(FoundBy::Name)
        };
        found = seek.everybody(mapping, &by_name);
    }
    each_once(found)
}

struct Seek<'a> {
    input: &'a PlanInput,
    index: &'a CardIndex<'a>,
}

/// What somebody's fields say, as text.
type Says<'a> = &'a dyn Fn(CardField) -> Option<String>;

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

    /// The cards linked to operators with this login or e-mail address.
    fn by_operator(&self, wanted: &str) -> Vec<Subject> {
        let operators = self.input.target.operators.iter().filter(|operator| {
            let marks = [&operator.login_name, &operator.email];
            marks.into_iter().flatten().any(|mark| fold(mark) == wanted)
        });
        operators
            .filter_map(|operator| operator.linked_person.as_ref())
            .map(|card| self.of_card(card, FoundBy::Operator))
            .collect()
    }

    /// Everybody whose card, or whose wanted values, are what is looked for.
    fn everybody(&self, mapping: &Mapping, mark: &dyn Fn(Says<'_>) -> Option<FoundBy>) -> Vec<Subject> {
        let mut found: Vec<Subject> = Vec::new();
        let mut keys: BTreeSet<Key> = BTreeSet::new();
        for card in self.index.cards {
            if let Some(found_by) = mark(&|field| card.fields.text(field).map(str::to_owned)) {
                let subject = self.of_card(&card.id, found_by);
                keys.extend(subject.key.clone());
                found.push(subject);
            }
        }
        let population = Population::new(&self.input.snapshots, &self.input.policy.same_people);
        for member in population.members() {
            let Member::Person(person) = member else { continue };
            if keys.contains(person.key) {
                continue;
            }
            let says = |field: CardField| {
                let rule = mapping.rule(field)?;
                let (desired, _) = rule.desired(Records::Joined(&person.joined), self.input.moment, mapping.key());
                match desired {
                    Desired::Set(Wanted::Value(FieldValue::Text(text))) => Some(text.to_string()),
                    Desired::Set(_) | Desired::Clear | Desired::Unknown(_) => None,
                }
            };
            if let Some(found_by) = mark(&says) {
                let named = || {
                    let name: Vec<String> = NAMES.into_iter().filter_map(says).collect();
                    (!name.is_empty()).then(|| name.join(" "))
                };
                found.extend(self.of_key(person.key).into_iter().map(|subject| Subject {
                    found_by,
                    name: subject.name.or_else(named),
                    ..subject
                }));
            }
        }
        found
    }
}

/// The words of a name in any order, with or without a comma; both halves of a double name count as well.
fn words_of(name: &str) -> BTreeSet<&str> {
    let words = name.split([' ', ',']).filter(|word| !word.is_empty());
    words
        .flat_map(|word| std::iter::once(word).chain(word.split('-')))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Somebody who was found in two ways is still one.
fn each_once(found: Vec<Subject>) -> Vec<Subject> {
    let mut found: Vec<Subject> = found.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    found.dedup_by(|later, first| later.key == first.key && later.person_id == first.person_id);
    found
}

/// First name and surname.
pub(super) fn name(card: &crate::core::model::card::PersonCard) -> Option<String> {
    let parts: Vec<&str> = [CardField::FirstName, CardField::SurName]
        .into_iter()
        .filter_map(|field| card.fields.text(field))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_words_in_any_order() {
        let asked = words_of("meijer, sophie");
        assert!(asked.is_subset(&words_of("sophie meijer")));
        assert!(asked.is_subset(&words_of("sophie anna meijer-smit")));
        assert!(!asked.is_subset(&words_of("sophie meijerink")));
    }
}
