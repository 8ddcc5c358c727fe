//! A second card for somebody who has one: the same full name *and* the same login, e-mail address or date stand on a card
//! under another number, or in another new record (RULES 2.4). A second employment with a number of its own, or a number
//! that was typed onto the wrong card (RULES 1.8). Neither is told apart by a program, so a human decides that very item.

use super::{Draft, Planner, text_of};
use crate::core::likeness::names::whole_name;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{ActionKind, FieldChange};
use crate::core::reads::cards::{CardState, Likeness, fold};
use std::collections::{BTreeMap, BTreeSet};

/// Everybody who has a card or is about to get one, by the words of the full name; made only where there are newcomers.
#[derive(Default)]
pub(super) struct NamesTaken {
    cards: BTreeMap<Vec<String>, BTreeSet<usize>>,
    /// Drafts that make a card.
    creates: BTreeMap<Vec<String>, Vec<usize>>,
    /// What the sources are about to write onto a card.
    updates: BTreeMap<usize, Vec<usize>>,
}

impl NamesTaken {
    pub(super) fn of(planner: &Planner<'_>) -> Self {
        let mut taken = NamesTaken::default();
        for (number, draft) in planner.drafts.iter().enumerate() {
            if let (ActionKind::Update, Some(card)) = (draft.action.kind(), draft.card) {
                taken.updates.entry(card).or_default().push(number);
            }
        }
        for card in 0..planner.index.cards.len() {
            if *planner.index.state(card) == CardState::Anonymized {
                continue;
            }
            let on_card = |field| planner.index.cards[card].fields.text(field);
            let before = whole_name(on_card(CardField::FirstName), on_card(CardField::SurName));
            let after = taken.updates.get(&card).and_then(|drafts| {
                let new = |field| planner.text_to_be(drafts, card, field);
                whole_name(new(CardField::FirstName), new(CardField::SurName))
            });
            for name in before.into_iter().chain(after) {
                taken.cards.entry(name).or_default().insert(card);
            }
        }
        taken
    }
}

fn name_of(fields: &[FieldChange]) -> Option<Vec<String>> {
    whole_name(
        text_of(fields, CardField::FirstName),
        text_of(fields, CardField::SurName),
    )
}

impl Planner<'_> {
    /// What a text field will show once these drafts are done.
    fn text_to_be<'b>(&'b self, drafts: &[usize], card: usize, field: CardField) -> Option<&'b str> {
        let changed = drafts.iter().find_map(|number| {
            let mut fields = self.drafts[*number].action.fields().iter();
            fields
                .any(|change| change.field == field)
                .then(|| text_of(self.drafts[*number].action.fields(), field))
        });
        changed.unwrap_or_else(|| self.index.cards[card].fields.text(field))
    }

    /// Holds the creation where the person has a card already under another number, or gets one in this plan. `offered`
    /// are the cards that the creation says it resembles anyway.
    pub(super) fn hold_second_cards(&mut self, create: usize, offered: &BTreeSet<usize>) {
        let Some(name) = name_of(self.drafts[create].action.fields()) else {
            return;
        };
        let wanted = Likeness::of(|field| text_of(self.drafts[create].action.fields(), field).map(str::to_owned));
        let mut of_others: BTreeMap<usize, BTreeSet<CardField>> = BTreeMap::new();
        for card in self.names_taken.cards.get(&name).into_iter().flatten() {
            if !offered.contains(card) && !self.is_offered_elsewhere(*card) {
                let agree = self.agreement_beyond_the_name(&wanted, create, *card);
                if !agree.is_empty() {
                    of_others.insert(*card, agree);
                }
            }
        }
        let misplaced: BTreeSet<usize> = of_others
            .iter()
            .filter(|(card, agree)| self.bears_a_strange_number(**card, agree))
            .map(|(card, _)| *card)
            .collect();
        if !of_others.is_empty() {
            let agree: BTreeSet<CardField> = of_others
                .values()
                .flatten()
                .copied()
                .chain([CardField::SurName])
                .collect();
            let reason = HoldReason::SecondCard {
                cards: self.ids(of_others.keys()),
                agree,
                misplaced: !misplaced.is_empty(),
            };
            self.drafts[create].doubts.push(reason);
        }
        for card in misplaced {
            let agree = of_others[&card].iter().copied().chain([CardField::SurName]).collect();
            self.hold_the_wrong_number(card, agree);
        }
        self.pair_with_other_creates(create, &name, &wanted);
    }

    /// A card that nobody claims and that no look-alike offered, because only its words were found: it is no other
    /// person's, and an archived twin stays one.
    fn is_offered_elsewhere(&self, card: usize) -> bool {
        let keyed = matches!(self.index.state(card), CardState::Keyed(_));
        !keyed || self.index.cards[card].archived && !self.claimed[card]
    }

    /// The marks beside the full name that the newcomer has in common with a card, its operators, and what is about to be
    /// written onto it.
    fn agreement_beyond_the_name(&self, wanted: &Likeness, create: usize, card: usize) -> BTreeSet<CardField> {
        let mut known = self.likenesses_of_operator_card(card);
        if let Some(drafts) = self.names_taken.updates.get(&card) {
            known.push(Likeness::of(|field| {
                self.text_to_be(drafts, card, field).map(str::to_owned)
            }));
        }
        let mut agree: BTreeSet<CardField> = known.iter().flat_map(|known| wanted.agreement(known)).collect();
        agree.remove(&CardField::SurName);
        let dates = self.drafts[create]
            .action
            .fields()
            .iter()
            .filter(|change| is_date(change));
        let stored = &self.index.cards[card].fields;
        agree.extend(
            dates
                .filter(|change| stored.get(change.field) == change.to.as_ref())
                .map(|change| change.field),
        );
        agree
    }

    /// Whether the sources would take name and marks away from the card: its number belongs to somebody else than its
    /// content does.
    fn bears_a_strange_number(&self, card: usize, agree: &BTreeSet<CardField>) -> bool {
        let Some(drafts) = self.names_taken.updates.get(&card) else {
            return false;
        };
        let changes = |field: CardField| {
            let now = self.index.cards[card].fields.text(field);
            let to_be = self.text_to_be(drafts, card, field);
            now.is_some() && now.map(fold) != to_be.map(fold)
        };
        let logins = [CardField::TasLoginName, CardField::NetworkLoginName];
        let taken = |mark: &CardField| match mark {
            CardField::TasLoginName => logins.iter().any(|login| changes(*login)),
            other => changes(*other),
        };
        let renames = changes(CardField::SurName) || changes(CardField::FirstName);
        let texts = agree.iter().filter(|mark| !matches!(mark, CardField::OptionalDate(..)));
        renames && texts.into_iter().all(taken)
    }

    /// Nothing is written onto a card by its number while its content is somebody else's of the sources.
    fn hold_the_wrong_number(&mut self, card: usize, agree: BTreeSet<CardField>) {
        let reason = HoldReason::SomebodyElsesCard { agree };
        let of_card = |draft: &&mut Draft| draft.card == Some(card);
        for draft in self.drafts.iter_mut().filter(of_card) {
            let renames = |field: CardField| draft.action.fields().iter().any(|change| change.field == field);
            if !(renames(CardField::SurName) && renames(CardField::FirstName)) {
                // That what stands there is somebody else's is this reason.
                draft.doubts.retain(|doubt| *doubt != HoldReason::AnotherPerson);
            }
            if !draft.doubts.contains(&reason) {
                draft.doubts.push(reason.clone());
            }
        }
        for wish in &mut self.manager_wishes {
            if wish.card == Some(card) && !wish.doubts.contains(&reason) {
                wish.doubts.push(reason.clone());
            }
        }
        self.stays[card] = false;
        if self.known[card].is_none() {
            // Not ours before a human says that the number is this person's.
            self.learned.remove(&self.index.cards[card].id);
        }
    }

    /// Two new records of one human: of the cards that they would get, each waits for a decision of its own.
    fn pair_with_other_creates(&mut self, create: usize, name: &[String], wanted: &Likeness) {
        let others = self.names_taken.creates.entry(name.to_vec()).or_default();
        let twins: Vec<usize> = others
            .iter()
            .filter(|other| {
                let fields = self.drafts[**other].action.fields();
                let theirs = Likeness::of(|field| text_of(fields, field).map(str::to_owned));
                let mut agree = wanted.agreement(&theirs);
                agree.remove(&CardField::SurName);
                let mine = self.drafts[create]
                    .action
                    .fields()
                    .iter()
                    .filter(|change| is_date(change));
                !agree.is_empty() || mine.into_iter().any(|change| fields.contains(change))
            })
            .copied()
            .collect();
        others.push(create);
        for other in twins {
            self.drafts[other].pairs.push(create);
            self.drafts[create].pairs.push(other);
        }
    }
}

/// A date of an optional field: of birth, or of entry, which says less and is enough to ask.
fn is_date(change: &FieldChange) -> bool {
    matches!(change.field, CardField::OptionalDate(..)) && matches!(change.to, Some(FieldValue::Date(_)))
}
