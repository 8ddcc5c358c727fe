//! A person without a card: a create, unless the ledger or a look-alike says that there may be one already. A second
//! card is the irreversible accident: an operator's link can never be moved (RULES 2).

use super::rekey::Rekey;
use super::{Draft, ManagerWish, Planner, text_of};
use crate::core::memory::asked::Asked;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::card::{CardFields, OperatorLink, PersonCard};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{Description, Desired, Wanted};
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::hold::{PURGED, mark_name};
use crate::core::plan::{Action, Drift, Evidence, EvidenceCode, FieldChange, HoldReason, SkipReason};
use crate::core::reads::cards::{CardState, Likeness};
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::Use;
use crate::core::rules::joining::{Starting, starting};
use crate::core::rules::lifecycle::dates::{self, FirstSight};
use crate::core::rules::lifecycle::{Leaving, leaving};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of the record of somebody of whom no card can be made.
const CANNOT_BE_USED: &str = "cannot be used";

impl<'a> Planner<'a> {
    pub(super) fn unpaired(&mut self, person: &Person<'_>) {
        let key = person.key;
        let state = leaving(self.describe, person, self.input, FirstSight::default());
        self.count_judged(&state);
        match state {
            Leaving::Now(_) | Leaving::Later { .. } | Leaving::ContractsEnded => {
                if let Some(HoldReason::DoubtfulDate { what }) = dates::doubt(self.describe, person, self.input, None) {
                    let detail = format!("no card is made while this is open: {what}");
                    self.skip_asking(SkipReason::LeavingUnknown, (Asked::Leaving, person), None, detail);
                    self.block(key, CANNOT_BE_USED);
                    return;
                }
                // Since when is remembered of cards only; of whoever stood apart at the last look it is not since today.
                let before = self.input.contact.apart.known.contains(key);
                let evidence = match state {
                    Leaving::Now(evidence) => Some(evidence),
                    Leaving::Later { .. } => before.then(|| {
                        let detail = "lifecycle.leaver.when holds, and did at the last look".to_owned();
                        Evidence::new(EvidenceCode::LeaverCondition, None, detail)
                    }),
                    _contracts_ended => None,
                };
                self.stands_apart(key);
                self.leaver_without_card(person, evidence);
                return;
            }
            Leaving::Unknown(why) => {
                self.skip_asking(
                    SkipReason::LeavingUnknown,
                    (Asked::Leaving, person),
                    None,
                    format!("no card is made while this is open: {why}"),
                );
                self.block(key, CANNOT_BE_USED);
                return;
            }
            Leaving::No | Leaving::NextContract => {
                self.told_by_records.insert(key.clone());
            }
        }
        match starting(self.describe, person, self.input) {
            Starting::Now => {}
            Starting::Later { detail } => {
                self.skip(SkipReason::StartsLater, Some(key), None, detail);
                // A new number that counts from a date to come: the card under the old one may well be theirs.
                self.block(key, "is of somebody who starts later");
                return;
            }
            Starting::Unknown(why) => {
                let detail = format!("no card is made while this is open: {why}");
                self.skip_asking(SkipReason::StartUnknown, (Asked::FirstDay, person), None, detail);
                self.block(key, CANNOT_BE_USED);
                return;
            }
        }
        if self.population.has_bad_fields(key) {
            // The source's own rejection says why.
            self.block(key, CANNOT_BE_USED);
            return;
        }
        let description = self.describe.describe(&person.joined, self.input.moment);
        let mut fields = self.compare(person, &description, None, &CardFields::default());
        if fields.holds.is_empty() && fields.needs.is_empty() && !names_a_surname(&fields.changes) {
            let message = "surName: the surname is not known; a new card needs one: correct the source".to_owned();
            fields.holds.push((CardField::SurName, message));
        }
        if !fields.holds.is_empty() {
            self.reject_fields(person, &fields.holds);
            self.block(key, CANNOT_BE_USED);
            return;
        }
        let mut changes = self.new_card_fields(person, &description, fields.changes);
        changes.sort_by_key(|change| change.field);
        let access_later = self.withhold_access(person, &mut changes);
        let mut doubts: Vec<HoldReason> = self.target_doubt(Use::Create).into_iter().collect();
        doubts.extend(
            fields
                .needs
                .into_iter()
                .map(|source| HoldReason::NeedsSource { source }),
        );
        if self.input.in_doubt.contains(key) {
            doubts.push(HoldReason::InDoubt);
        }
        doubts.extend(self.looks.doubt(person));
        let known = self.known_card(person);
        if let Some((card, what)) = &known {
            doubts.push(HoldReason::Drift {
                card: card.clone(),
                what: *what,
            });
        }
        let candidates = self.candidates(&changes, person, known.as_ref().map(|(card, _)| card));
        if !candidates.is_empty() {
            let cards = self.ids(candidates.keys());
            let agree = candidates.values().flatten().copied().collect();
            doubts.push(HoldReason::AdoptOrCreate { cards, agree });
        }
        let mut why = vec!["in the sources, no card has this key".to_owned()];
        if access_later {
            why.push("no access to the self-service portal before the first working day".to_owned());
        }
        let create = self.draft(Draft {
            raw_key: Some(person.joined.raw_key.clone()),
            doubts,
            why,
            anchors: person.anchors.clone(),
            access_later,
            ..Draft::new(
                Action::Create { fields: changes },
                Some(key.clone()),
                None,
                OperatorLink::ProvenNone,
            )
        });
        self.hold_second_cards(create, &candidates.keys().copied().collect());
        if let Some(manager) = fields.new_manager {
            self.manager_wishes.push(ManagerWish {
                draft: Some(create),
                card: None,
                key: key.clone(),
                manager,
                from: None,
                // It depends on the change of the card, which has them.
                doubts: Vec::new(),
                after: Vec::new(),
            });
        }
        let only = candidates.len() == 1 && known.is_none();
        for (card, agree) in candidates {
            let touchable = !self.index.is_special(card) && !self.is_protected(None, Some(card));
            if !touchable || self.index.cards[card].archived {
                continue;
            }
            let adopt = self.adopt(person, card, &description, agree);
            if let (true, Some(adopt)) = (only, adopt)
                && let Some(agreement) = self.same_person(person, self.drafts[create].action.fields(), card)
            {
                self.rekeys.entry(card).or_default().push(Rekey {
                    create,
                    adopt,
                    agreement,
                });
            }
        }
    }

    fn block(&mut self, key: &Key, why: &'static str) {
        self.blocked.insert(key.clone(), why);
    }

    /// Everything a new card gets: the key, the flags of the configuration, and the mapped fields that are not empty.
    fn new_card_fields(
        &self,
        person: &Person<'_>,
        description: &Description,
        mapped: Vec<FieldChange>,
    ) -> Vec<FieldChange> {
        let policy = &self.input.policy;
        let mut changes: Vec<FieldChange> = mapped.into_iter().filter(|change| change.to.is_some()).collect();
        let mut set = |field: CardField, value: FieldValue| {
            changes.retain(|change| change.field != field);
            changes.push(FieldChange {
                field,
                from: None,
                to: Some(value),
            });
        };
        // A mapped `false` is no difference from nothing, and yet TOPdesk's own default is true.
        let flag = |field: CardField, otherwise: bool| match description.fields.get(&field) {
            Some(Desired::Set(Wanted::Value(FieldValue::Flag(flag)))) if policy.fields.contains_key(&field) => *flag,
            Some(Desired::Set(_) | Desired::Clear | Desired::Unknown(_)) | None => otherwise,
        };
        let key = person.joined.raw_key.to_write();
        set(policy.key.card_field, FieldValue::Text(key.into()));
        for (field, otherwise) in [
            (CardField::HasSspAccess, policy.has_ssp_access),
            (CardField::IsCaller, policy.is_caller),
        ] {
            set(field, FieldValue::Flag(flag(field, otherwise)));
        }
        changes
    }

    /// The card that the ledger knows as this person's, in whatever shape it is now.
    fn known_card(&self, person: &Person<'_>) -> Option<(CardId, Drift)> {
        let entry: Option<&LedgerEntry> = self.memory.by_key.get(person.key).copied();
        if let Some(entry) = entry {
            return Some((entry.card.clone(), self.drift(&entry.card)));
        }
        if let Some(card) = self.input.forgotten_cards.get(person.key) {
            let what = match self.drift(card) {
                Drift::KeyEmptied | Drift::KeyUndone | Drift::KeyChanged => Drift::Forgotten,
                what @ (Drift::CardMissing | Drift::Anonymized | Drift::Forgotten) => what,
            };
            return Some((card.clone(), what));
        }
        if self.input.purged_keys.contains(person.key) {
            return Some((PURGED.into(), Drift::Anonymized));
        }
        None
    }

    /// What happened to a card that has somebody's number no more.
    fn drift(&self, card: &CardId) -> Drift {
        match self.index.position(card) {
            None => Drift::CardMissing,
            Some(at) => match self.index.state(at) {
                CardState::Keyless if self.number_taken_off(card) => Drift::KeyUndone,
                CardState::Keyless => Drift::KeyEmptied,
                CardState::Anonymized => Drift::Anonymized,
                CardState::Keyed(_) => Drift::KeyChanged,
            },
        }
    }

    /// Cards that may be this person's already: without a key, with the key of nobody or of a leaver, and alike; the card
    /// with the same directory id; the card that the ledger knows; the card whose key only looks the same. Never one whose
    /// key somebody who stays has.
    fn candidates(
        &self,
        changes: &[FieldChange],
        person: &Person<'_>,
        known: Option<&CardId>,
    ) -> BTreeMap<usize, BTreeSet<CardField>> {
        let likeness = Likeness::of(|field| text_of(changes, field).map(str::to_owned));
        let mut found = self.look_alikes.find(&likeness);
        let by_anchor = person
            .anchors
            .iter()
            .filter_map(|anchor| self.memory.by_anchor.get(anchor).map(|entry| &entry.card));
        for id in by_anchor.chain(known) {
            if let Some(card) = self.index.position(id).filter(|card| self.searchable[*card]) {
                found.entry(card).or_default();
            }
        }
        for card in self
            .looks
            .disguised(person.key)
            .iter()
            .filter(|card| self.searchable[**card])
        {
            found.entry(*card).or_default().insert(self.input.policy.key.card_field);
        }
        found
    }

    /// A suggestion to a human: write the key, and what follows from it, onto this card.
    fn adopt(
        &mut self,
        person: &Person<'_>,
        card: usize,
        description: &Description,
        agree: BTreeSet<CardField>,
    ) -> Option<usize> {
        let cards: &'a [PersonCard] = self.index.cards;
        let current = &cards[card].fields;
        let fields = self.compare(person, description, Some(card), current);
        if !fields.holds.is_empty() {
            self.reject_fields(person, &fields.holds);
            return None;
        }
        let key_field = self.input.policy.key.card_field;
        let mut changes = vec![FieldChange {
            field: key_field,
            from: current.get(key_field).cloned(),
            to: Some(FieldValue::Text(person.joined.raw_key.to_write().into())),
        }];
        changes.extend(fields.changes);
        let operator = self.index.operator(card);
        let mut doubts: Vec<HoldReason> = self.target_doubt(Use::Adopt).into_iter().collect();
        if self.input.in_doubt.contains(person.key) {
            doubts.push(HoldReason::InDoubt);
        }
        if !self.index.sees_all_operators() && changes.iter().any(FieldChange::blanks_identity) {
            doubts.push(HoldReason::OperatorUnproven);
        }
        doubts.extend(self.looks.doubt(person));
        let cards = vec![self.index.cards[card].id.clone()];
        doubts.push(HoldReason::AdoptOrCreate {
            cards,
            agree: agree.clone(),
        });
        let marks: Vec<String> = agree.iter().map(|field| mark_name(*field)).collect();
        let mut why = vec![if marks.is_empty() {
            "the card known as this person's".to_owned()
        } else {
            format!("same {}", marks.join(", "))
        }];
        why.extend(self.listed_words(card));
        let adopt = self.draft(Draft {
            raw_key: Some(person.joined.raw_key.clone()),
            doubts,
            why,
            anchors: person.anchors.clone(),
            ..Draft::new(
                Action::Adopt { fields: changes },
                Some(person.key.clone()),
                Some(card),
                operator,
            )
        });
        if let Some(manager) = fields.new_manager {
            self.manager_wishes.push(ManagerWish {
                draft: Some(adopt),
                card: Some(card),
                key: person.key.clone(),
                manager,
                from: current.get(CardField::Manager).cloned(),
                // It depends on the change of the card, which has them.
                doubts: Vec::new(),
                after: vec![adopt],
            });
        }
        Some(adopt)
    }
}

fn names_a_surname(changes: &[FieldChange]) -> bool {
    changes
        .iter()
        .any(|change| change.field == CardField::SurName && change.to.is_some())
}
