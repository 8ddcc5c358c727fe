//! Takes people out of a kept input whose data must not be kept any longer (RULES 12). The card's id and the keyed hash of its
//! key stay; everything else of the person goes, also where others refer to them.

use crate::core::input::PlanInput;
use crate::core::memory::seen::SeenValues;
use crate::core::model::card::{CardFields, OperatorCard, PersonCard, TargetSnapshot};
use crate::core::model::dn::same_for_all_spellings;
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, KeyReading, KeySpec};
use crate::core::model::record::{Place, SourceRecord, Values};
use crate::core::plan::safe_end::HalfDone;
use crate::core::reads::cards::{CardState, state_of};
use crate::core::reads::snapshot::Snapshot;
use std::collections::BTreeSet;

/// What TOPdesk writes over an anonymized name.
const GONE: &str = "*";

impl PlanInput {
    /// Whether anything personal is in it of these cards, of people with these keys, or of people recognised as purged. Cheap.
    pub fn remembers(&self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> bool {
        let named = |id: &CardId| {
            let at = self.target.cards.binary_search_by(|card| card.id.cmp(id));
            at.is_ok_and(|at| !is_anonymized(&self.target.cards[at], &self.policy.key))
        };
        let known = |id: &CardId| {
            let entry = self.ledger.get(id);
            entry.is_some_and(|entry| entry.key.is_some() || !entry.former_keys.is_empty())
        };
        let read = |key: &Key| self.snapshots.iter().any(|snapshot| snapshot.names(key));
        let operates = |operator: &OperatorCard| {
            let theirs = operator.linked_person.as_ref().is_some_and(|card| cards.contains(card));
            theirs && (operator.login_name.is_some() || operator.email.is_some())
        };
        let set_apart = |key: &Key| self.contact.apart.has(key);
        let paired = self.contact.halves.clone().forget(cards, keys);
        !self.purged_keys.is_empty()
            || paired
            || cards.iter().any(|id| named(id) || known(id))
            || keys.iter().any(|key| read(key) || self.lists(key) || set_apart(key))
            || self.target.operators.iter().any(operates)
    }

    /// Cards that TOPdesk showed anonymized: nothing of their people is in it but what other cards and sources say.
    pub fn anonymized(&self) -> BTreeSet<CardId> {
        let gone = |card: &&PersonCard| is_anonymized(card, &self.policy.key);
        self.target
            .cards
            .iter()
            .filter(gone)
            .map(|card| card.id.clone())
            .collect()
    }

    /// Whether a list or the memory of the lists has the number.
    fn lists(&self, key: &Key) -> bool {
        let legal_hold = self.policy.anonymize.as_ref().map(|rule| &rule.legal_hold.keys);
        self.policy.protected.keys.contains(key)
            || legal_hold.is_some_and(|keys| keys.contains(key))
            || self.contact.listed.contains_key(key)
    }

    /// Takes the people of these cards and keys out, and whoever was recognised as purged before. A plan made of what is
    /// left can differ from the one that was made then.
    pub fn forget(&mut self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) {
        let spec = &self.policy.key;
        let mut keys: BTreeSet<Key> = keys.clone();
        keys.append(&mut self.purged_keys);
        self.forgotten_cards.clear();
        for card in self.target.cards.iter().filter(|card| cards.contains(&card.id)) {
            keys.extend(key_of(card, spec));
        }
        for entry in self.ledger.values_mut().filter(|entry| cards.contains(&entry.card)) {
            keys.extend(entry.key.take());
            keys.append(&mut entry.former_keys.drain(..).collect());
            entry.anchors.clear();
            entry.seen = SeenValues::default();
            entry.anonymized = true;
        }
        // A decision does not say whom it is about, and no plan needs its note.
        for decision in self.decisions.values_mut() {
            decision.note = None;
        }
        self.contact.apart.forget(&keys);
        self.contact.halves.forget(cards, &keys);
        self.pins.retain(|pin| !cards.contains(&pin.card));
        for half in std::mem::take(&mut self.half_done) {
            let is_kept = |key: &Key| !keys.contains(key);
            let (key, other_key) = (half.key.filter(is_kept), half.other_key.filter(is_kept));
            self.half_done.insert(HalfDone { key, other_key, ..half });
        }
        self.in_doubt.retain(|key| !keys.contains(key));
        // The cards stay on the lists.
        self.contact.listed.retain(|key, _| !keys.contains(key));
        self.policy.protected.keys.retain(|key| !keys.contains(key));
        if let Some(rule) = &mut self.policy.anonymize {
            rule.legal_hold.keys.retain(|key| !keys.contains(key));
        }
        let mut marks: BTreeSet<Box<str>> = keys.iter().map(|key| key.as_str().into()).collect();
        for snapshot in &self.snapshots {
            marks.extend(keys.iter().flat_map(|key| snapshot.with_key(key)).flat_map(marks_of));
        }
        for snapshot in &mut self.snapshots {
            snapshot.forget(&keys, &marks);
        }
        for card in &mut self.target.cards {
            if cards.contains(&card.id) {
                card.fields = CardFields::from_iter([(CardField::SurName, FieldValue::Text(GONE.into()))]);
            } else {
                unname_manager(card, cards);
            }
        }
        for operator in &mut self.target.operators {
            if operator.linked_person.as_ref().is_some_and(|card| cards.contains(card)) {
                operator.login_name = None;
                operator.email = None;
            }
        }
    }
}

impl TargetSnapshot {
    /// The operators of anonymized cards without login and e-mail address: TOPdesk's own operator card may still have them,
    /// and nothing of the person is kept (RULES 12).
    pub fn forget_operators_of_the_anonymized(&mut self, spec: &KeySpec) {
        let cards = &self.cards;
        for operator in &mut self.operators {
            let of_anonymized = operator.linked_person.as_ref().is_some_and(|id| {
                let at = cards.binary_search_by(|card| card.id.cmp(id));
                at.is_ok_and(|at| is_anonymized(&cards[at], spec))
            });
            if of_anonymized {
                operator.login_name = None;
                operator.email = None;
            }
        }
    }
}

fn is_anonymized(card: &PersonCard, spec: &KeySpec) -> bool {
    state_of(card, spec) == CardState::Anonymized
}

fn key_of(card: &PersonCard, spec: &KeySpec) -> Option<Key> {
    match spec.read(card.fields.text(spec.card_field)?) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
        KeyReading::None | KeyReading::Anonymized => None,
    }
}

/// What other records refer to a person by: the number, the name in the directory.
fn marks_of(record: &SourceRecord) -> Vec<Box<str>> {
    let mut marks = vec![record.raw_key.0.clone()];
    match &record.place {
        // References to it may be written otherwise.
        Place::Dn(dn) => marks.extend([dn.clone(), same_for_all_spellings(dn).into()]),
        Place::Line(_) => {}
    }
    marks
}

/// The manager's key goes, the card's id stays.
fn unname_manager(card: &mut PersonCard, cards: &BTreeSet<CardId>) {
    if let Some(FieldValue::Reference(Reference::Card { id, .. })) = card.fields.get(CardField::Manager)
        && cards.contains(id)
    {
        let label = id.as_str().into();
        let manager = Reference::Card { id: id.clone(), label };
        card.fields
            .set(CardField::Manager, Some(FieldValue::Reference(manager)));
    }
}

impl Snapshot {
    /// Takes the records of these keys out, and values elsewhere that are one of the marks.
    fn forget(&mut self, keys: &BTreeSet<Key>, marks: &BTreeSet<Box<str>>) {
        self.rejections
            .retain(|rejection| rejection.key.as_ref().is_none_or(|key| !keys.contains(key)));
        self.remove_keys(keys);
        let means_them = |value: &str| {
            marks.contains(value) || value.contains('=') && marks.contains(same_for_all_spellings(value).as_str())
        };
        for values in self.values_mut() {
            if values.as_slice().iter().any(|value| means_them(value)) {
                let kept = values.as_slice().iter().filter(|value| !means_them(value));
                *values = Values::from_vec(kept.map(|value| value.to_string()).collect());
            }
        }
    }
}
