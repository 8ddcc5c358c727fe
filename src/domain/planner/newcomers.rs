//! A person without a card: a create, unless the ledger or a look-alike says that there may be one already. A second
//! card is the irreversible accident: an operator's link can never be moved (RULES 2).

use super::{Draft, ManagerWish, Planner, text_of};
use crate::domain::card::CardFields;
use crate::domain::card::OperatorLink;
use crate::domain::cards::{CardState, Likeness};
use crate::domain::diff::field_change;
use crate::domain::field::{CardField, FieldValue};
use crate::domain::ledger::LedgerEntry;
use crate::domain::lifecycle::{Leaving, leaving};
use crate::domain::merge::Person;
use crate::domain::plan::{Action, Drift, FieldChange, HoldReason, SkipReason};
use crate::domain::policy::FieldPolicy;
use crate::domain::snapshot::Use;
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    pub(super) fn unpaired(&mut self, person: &Person<'_>) {
        let key = person.key;
        match leaving(self.describe, person, self.input.moment, &self.input.policy, None) {
            Leaving::Now(_) | Leaving::Later { .. } => {
                self.skip(
                    SkipReason::LeftWithoutCard,
                    Some(key),
                    None,
                    "leaves or has left, and has no card: none is made",
                );
                return;
            }
            Leaving::Unknown(why) => {
                self.skip(
                    SkipReason::LeavingUnknown,
                    Some(key),
                    None,
                    format!("no card is made while this is open: {why}"),
                );
                return;
            }
            Leaving::No => {}
        }
        let description = self.describe.describe(&person.joined, self.input.moment);
        let fields = self.compare(person, &description, None, &CardFields::default());
        if !fields.holds.is_empty() {
            self.reject_fields(person, &fields.holds);
            return;
        }
        let mut changes = self.new_card_fields(person, fields.changes);
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
        let known = self.known_card(person);
        if let Some((card, what)) = &known {
            doubts.push(HoldReason::Drift {
                card: card.clone(),
                what: *what,
            });
        }
        let candidates = self.candidates(&changes, person, known.as_ref().map(|(card, _)| card));
        let active: Vec<(usize, BTreeSet<CardField>)> = candidates
            .iter()
            .map(|(card, agree)| (*card, agree.clone()))
            .filter(|(card, _)| !self.index.cards[*card].archived)
            .collect();
        if !candidates.is_empty() {
            let cards = self.ids(candidates.keys());
            let agree = candidates.values().flatten().copied().collect();
            doubts.push(HoldReason::AdoptOrCreate { cards, agree });
        }
        changes.sort_by_key(|change| change.field);
        let create = self.draft(Draft {
            action: Action::Create {
                fields: changes.clone(),
            },
            key: Some(key.clone()),
            raw_key: Some(person.joined.raw_key.clone()),
            card: None,
            operator: OperatorLink::ProvenNone,
            evidence: Vec::new(),
            doubts: doubts.clone(),
            why: vec!["in the sources, no card has this key".to_owned()],
            anchors: person.anchors.clone(),
            after: Vec::new(),
        });
        if let Some(manager) = fields.new_manager {
            let wish = ManagerWish {
                draft: Some(create),
                card: None,
                key: key.clone(),
                manager,
                from: None,
            };
            self.manager_wishes.push(wish);
        }
        for (card, agree) in active {
            self.adopt(person, card, &changes, agree);
        }
    }

    /// Everything a new card gets: the key, the flags of the configuration, and the mapped fields that are not empty.
    fn new_card_fields(&self, person: &Person<'_>, mapped: Vec<FieldChange>) -> Vec<FieldChange> {
        let policy = &self.input.policy;
        let mut changes: Vec<FieldChange> = mapped.into_iter().filter(|change| change.to.is_some()).collect();
        let mut add = |field: CardField, value: FieldValue| {
            if !changes.iter().any(|change| change.field == field) {
                changes.push(FieldChange {
                    field,
                    from: None,
                    to: Some(value),
                });
            }
        };
        add(
            policy.key.card_field,
            FieldValue::Text(person.joined.raw_key.to_write().into()),
        );
        add(CardField::HasSspAccess, FieldValue::Flag(policy.has_ssp_access));
        add(CardField::IsCaller, FieldValue::Flag(policy.is_caller));
        changes
    }

    /// The card that the ledger knows as this person's, in whatever shape it is now.
    fn known_card(&self, person: &Person<'_>) -> Option<(crate::domain::ids::CardId, Drift)> {
        let entry: Option<&LedgerEntry> = self.ledger_by_key.get(person.key).copied();
        if let Some(entry) = entry {
            let what = match self.index.position(&entry.card) {
                None => Drift::CardMissing,
                Some(card) => match self.index.state(card) {
                    CardState::Keyless => Drift::KeyEmptied,
                    CardState::Anonymized => Drift::Anonymized,
                    CardState::Keyed(_) => Drift::KeyChanged,
                },
            };
            return Some((entry.card.clone(), what));
        }
        if self.input.purged_keys.contains(person.key) {
            return Some(("purged".into(), Drift::Anonymized));
        }
        None
    }

    /// Cards without a key, or with the key of nobody, that resemble this person, and the card with the same directory id.
    fn candidates(
        &self,
        changes: &[FieldChange],
        person: &Person<'_>,
        known: Option<&crate::domain::ids::CardId>,
    ) -> BTreeMap<usize, BTreeSet<CardField>> {
        let likeness = Likeness::of(|field| text_of(changes, field).map(str::to_owned));
        let mut found = self.look_alikes.find(&likeness);
        for anchor in &person.anchors {
            let card = self
                .ledger_by_anchor
                .get(anchor)
                .and_then(|entry| self.index.position(&entry.card));
            if let Some(card) =
                card.filter(|card| !self.claimed[*card] && *self.index.state(*card) != CardState::Anonymized)
            {
                found.entry(card).or_default();
            }
        }
        if let Some(card) = known.and_then(|id| self.index.position(id))
            && !self.claimed[card]
            && !self.index.is_special(card)
            && *self.index.state(card) != CardState::Anonymized
        {
            found.entry(card).or_default();
        }
        found.retain(|card, _| !self.is_protected(None, Some(*card)));
        found
    }

    /// A suggestion to a human: write the key, and what follows from it, onto this card. The flags stay as they are.
    fn adopt(&mut self, person: &Person<'_>, card: usize, wanted: &[FieldChange], agree: BTreeSet<CardField>) {
        let current = self.index.cards[card].fields.clone();
        let key_field = self.input.policy.key.card_field;
        let rules = &self.input.policy.fields;
        let mut changes = vec![FieldChange {
            field: key_field,
            from: current.get(key_field).cloned(),
            to: Some(FieldValue::Text(person.joined.raw_key.to_write().into())),
        }];
        let mut rest: Vec<FieldChange> = wanted
            .iter()
            .filter(|change| change.field != key_field)
            .filter(|change| rules.contains_key(&change.field))
            .filter_map(|change| {
                let policy = rules
                    .get(&change.field)
                    .map_or(FieldPolicy::Enforce, |rule| rule.policy);
                field_change(change.field, &current, change.to.clone(), policy)
            })
            .collect();
        rest.sort_by_key(|change| change.field);
        changes.append(&mut rest);
        let operator = self.index.operator(card);
        let mut doubts: Vec<HoldReason> = self.target_doubt(Use::Adopt).into_iter().collect();
        let cards = vec![self.index.cards[card].id.clone()];
        doubts.push(HoldReason::AdoptOrCreate {
            cards,
            agree: agree.clone(),
        });
        let marks: Vec<String> = agree
            .iter()
            .map(|field| {
                if *field == CardField::SurName {
                    "full name".to_owned()
                } else {
                    field.to_string()
                }
            })
            .collect();
        let why = if marks.is_empty() {
            "the card known as this person's".to_owned()
        } else {
            format!("same {}", marks.join(", "))
        };
        self.draft(Draft {
            action: Action::Adopt { fields: changes },
            key: Some(person.key.clone()),
            raw_key: Some(person.joined.raw_key.clone()),
            card: Some(card),
            operator,
            evidence: Vec::new(),
            doubts,
            why: vec![why],
            anchors: person.anchors.clone(),
            after: Vec::new(),
        });
    }
}
