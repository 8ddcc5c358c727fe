//! Two cards of one human: one with the key, and one that TOPdesk made for the operator. The operator's link can never be
//! moved, so the card that has it must survive (RULES 2). A suggestion to a human, like every likeness.

use super::{Draft, ManagerWish, Planner};
use crate::core::memory::asked::mark_of;
use crate::core::model::card::{OperatorLink, PersonCard};
use crate::core::model::field::CardField;
use crate::core::model::identity::Description;
use crate::core::plan::hold::mark_name;
use crate::core::plan::{Action, FieldChange, HoldReason, SkipReason};
use crate::core::reads::cards::{CardState, Likeness, LookAlikes, fold};
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::Use;
use std::collections::{BTreeMap, BTreeSet};

impl<'a> Planner<'a> {
    /// Finds the cards with a key and without an operator that resemble a card without a key and with one. Nearly every
    /// environment has none of the second kind, and then nothing is looked at.
    pub(super) fn find_twins(&mut self) {
        let mut generated = LookAlikes::default();
        let mut any = false;
        for card in 0..self.index.cards.len() {
            if self.may_be_kept(card) {
                for likeness in self.likenesses_of_operator_card(card) {
                    generated.add(card, &likeness);
                }
                any = true;
            }
        }
        if !any {
            return;
        }
        for card in 0..self.index.cards.len() {
            let keyed = matches!(self.index.state(card), CardState::Keyed(_)) && self.claimed[card];
            if !keyed || self.index.cards[card].archived || self.index.operator(card).is_linked() {
                continue;
            }
            let alike = generated.find(&Likeness::of_card(&self.index.cards[card]));
            if !alike.is_empty() {
                self.twins.insert(card, alike);
            }
        }
    }

    /// A card that nobody's key claims, active, with an active operator, and that may be touched.
    fn may_be_kept(&self, card: usize) -> bool {
        *self.index.state(card) == CardState::Keyless
            && !self.index.cards[card].archived
            && matches!(self.index.operator(card), OperatorLink::Active { .. })
            && !self.index.is_special(card)
            && !self.is_protected(None, Some(card))
    }

    /// What the card says of its human, and what each of its operators says: a generated card may have little more than
    /// a name.
    pub(super) fn likenesses_of_operator_card(&self, card: usize) -> Vec<Likeness> {
        let stored = &self.index.cards[card];
        let linked = self
            .input
            .target
            .operators
            .iter()
            .filter(|operator| operator.linked_person.as_ref() == Some(&stored.id));
        let of_operators = linked.map(Likeness::of_operator);
        std::iter::once(Likeness::of_card(stored)).chain(of_operators).collect()
    }

    /// Offers to make one card of two.
    pub(super) fn twin(&mut self, person: &Person<'_>, card: usize, description: &Description) {
        let Some(alike) = self.twins.get(&card).cloned() else {
            return;
        };
        let ids = alike.keys().map(|other| &self.index.cards[*other].id);
        let cards: Vec<String> = ids
            .chain([&self.index.cards[card].id])
            .map(ToString::to_string)
            .collect();
        // A name alone says too little for what cannot be undone.
        let sure: BTreeMap<usize, BTreeSet<CardField>> = alike
            .into_iter()
            .filter(|(_, agree)| agree.iter().any(|mark| *mark != CardField::SurName))
            .collect();
        let key = person.key;
        match sure.len() {
            0 => {
                self.skip(
                    SkipReason::PossibleTwin,
                    Some(key),
                    Some(card),
                    "another card has the same full name, no key and an operator: if it is the same person, give it the \
                     same e-mail or login in TOPdesk",
                );
                self.last_goes_by(mark_of(cards));
            }
            1 => {
                let (keeper, agree) = sure.into_iter().next().expect("one was counted");
                let others = self.twins.iter().filter(|(other, alike)| {
                    let marks = alike.get(&keeper).into_iter().flatten();
                    **other != card && marks.into_iter().any(|mark| *mark != CardField::SurName)
                });
                if others.count() > 0 {
                    self.skip(
                        SkipReason::PossibleTwin,
                        Some(key),
                        Some(keeper),
                        "several cards with a key look like this card without one: give it the key of its person in TOPdesk",
                    );
                    self.last_goes_by(mark_of(cards));
                } else {
                    self.merge(person, card, keeper, description, agree);
                }
            }
            _several => {
                self.skip(
                    SkipReason::PossibleTwin,
                    Some(key),
                    Some(card),
                    "several cards without a key and with an operator look like this person: decide in TOPdesk which is",
                );
                self.last_goes_by(mark_of(cards));
            }
        }
    }

    fn merge(
        &mut self,
        person: &Person<'_>,
        twin: usize,
        keeper: usize,
        description: &Description,
        agree: BTreeSet<CardField>,
    ) {
        if self.population.has_bad_fields(person.key) {
            return;
        }
        let cards: &'a [PersonCard] = self.index.cards;
        let (of_twin, of_keeper) = (&cards[twin], &cards[keeper]);
        let fields = self.compare(person, description, Some(keeper), &of_keeper.fields);
        if !fields.holds.is_empty() {
            // The person's own change says why.
            return;
        }
        let key_field = self.input.policy.key.card_field;
        let key_change = |card: &PersonCard, to| FieldChange {
            field: key_field,
            from: card.fields.get(key_field).cloned(),
            to,
        };
        let mut changes = vec![key_change(of_keeper, of_twin.fields.get(key_field).cloned())];
        let mut taken = vec![key_change(of_twin, None)];
        for change in fields.changes {
            let login = change.to.as_ref().map(|value| fold(&value.display()));
            match login.filter(|_| change.field == CardField::TasLoginName) {
                Some(login) if self.holds_login(twin, &login) => {
                    taken.push(FieldChange {
                        field: CardField::TasLoginName,
                        from: of_twin.fields.get(CardField::TasLoginName).cloned(),
                        to: None,
                    });
                    changes.push(change);
                }
                // Only the twin gives it up in this item.
                Some(login) if (0..cards.len()).any(|card| card != keeper && self.holds_login(card, &login)) => self
                    .skip(
                        SkipReason::LoginHeld,
                        Some(person.key),
                        Some(keeper),
                        "the login name is held by another card; it is set once it is free",
                    ),
                Some(_) | None => changes.push(change),
            }
        }
        let mut doubts: Vec<HoldReason> = [Use::Adopt, Use::Archive]
            .into_iter()
            .filter_map(|what| self.target_doubt(what))
            .collect();
        doubts.dedup();
        if self.index.operator(twin) == OperatorLink::Unproven {
            doubts.push(HoldReason::OperatorUnproven);
        }
        let marks: Vec<String> = agree.iter().map(|field| mark_name(*field)).collect();
        let why = format!("two cards of one person: same {}", marks.join(", "));
        doubts.push(HoldReason::Twin {
            card: of_keeper.id.clone(),
            agree,
        });
        let operator = self.index.operator(keeper);
        let action = Action::Merge {
            fields: changes,
            twin: of_twin.id.clone(),
            taken,
            reason: self.input.target.archiving_reason.clone(),
        };
        let merge = self.draft(Draft {
            raw_key: Some(person.joined.raw_key.clone()),
            doubts,
            why: vec![why],
            anchors: person.anchors.clone(),
            ..Draft::new(action, Some(person.key.clone()), Some(keeper), operator)
        });
        if let Some(manager) = fields.new_manager {
            self.manager_wishes.push(ManagerWish {
                draft: Some(merge),
                card: Some(keeper),
                key: person.key.clone(),
                manager,
                from: of_keeper.fields.get(CardField::Manager).cloned(),
                // It depends on the change of the card, which has them.
                doubts: Vec::new(),
                after: vec![merge],
            });
        }
    }

    fn holds_login(&self, card: usize, login: &str) -> bool {
        let held = self.index.cards[card].fields.text(CardField::TasLoginName);
        held.is_some_and(|held| fold(held) == login)
    }
}
