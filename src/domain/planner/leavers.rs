//! People who have left and have no card by their number. A card without a number, or with one that nobody of the sources has,
//! may be theirs, and with it an operator who goes on: it is offered as one item where the marks suffice, else it is told. A name
//! alone never suffices.

use super::Planner;
use crate::domain::cards::{CardState, Likeness};
use crate::domain::field::{CardField, FieldValue};
use crate::domain::hold::shared_marks;
use crate::domain::identity::Description;
use crate::domain::key::Key;
use crate::domain::ledger::LedgerEntry;
use crate::domain::merge::Person;
use crate::domain::plan::{Action, Evidence, FieldChange, HoldReason, SkipReason};
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// `evidence`: that they have left, once it has held long enough.
    pub(super) fn leaver_without_card(&mut self, person: &Person<'_>, evidence: Option<Evidence>) {
        let key = person.key;
        let description = self.describe.describe(&person.joined, self.input.moment);
        let alike = self.unclaimed_cards_like(key, &description);
        let is_sure = |card: usize, agree: &BTreeSet<CardField>| {
            let name = agree.contains(&CardField::SurName);
            self.was_theirs(key, card) || name && agree.iter().any(|mark| *mark != CardField::SurName)
        };
        if let ([(card, agree)], Some(evidence)) = (alike.iter().collect::<Vec<_>>().as_slice(), &evidence)
            && is_sure(**card, agree)
        {
            self.offer_archive(person, **card, agree, evidence.clone());
            return;
        }
        if alike.is_empty() {
            self.skip(
                SkipReason::LeftWithoutCard,
                Some(key),
                None,
                "leaves or has left, and has no card: none is made",
            );
            return;
        }
        let cards: Vec<String> = alike
            .iter()
            .map(|(card, agree)| {
                let id = &self.index.cards[*card].id;
                let operator = if self.index.operator(*card).is_linked() {
                    ", with an operator"
                } else {
                    ""
                };
                let number = match self.number_on(*card) {
                    Some(number) => format!(" with number {number}"),
                    None => String::new(),
                };
                match shared_marks(agree, false).join(", ") {
                    marks if marks.is_empty() => format!("card {id}{number}{operator}: it had this number before"),
                    marks => format!("card {id}{number}{operator}: same {marks}"),
                }
            })
            .collect();
        let numbered = alike.keys().any(|card| self.number_on(*card).is_some());
        let which = if numbered {
            "a card with no number of the sources"
        } else {
            "a card without a number"
        };
        let detail = format!(
            "has left; {which} may be theirs, and nobody archives it: {}",
            cards.join("; ")
        );
        let only = alike.keys().next().copied().filter(|_| alike.len() == 1);
        self.skip(SkipReason::LeaverMayHaveCard, Some(key), only, detail);
    }

    /// Active cards that nobody's number claims, that may be touched and resemble the person, by themselves or by their
    /// operators; and the one that was this person's until somebody changed its number. Of those without an operator a name
    /// alone says nothing: namesakes are many, and nobody goes on by such a card.
    fn unclaimed_cards_like(&self, key: &Key, description: &Description) -> BTreeMap<usize, BTreeSet<CardField>> {
        let wanted = Likeness::of(|field| super::wanted_text(description, field).map(str::to_owned));
        let mut alike = self.look_alikes.find(&wanted);
        let known = self
            .memory
            .by_key
            .get(key)
            .and_then(|entry| self.index.position(&entry.card));
        if let Some(card) = known.filter(|card| self.was_theirs(key, *card)) {
            alike.entry(card).or_default();
        }
        alike.retain(|card, agree| {
            let untouchable = self.index.is_special(*card) || self.is_protected(None, Some(*card));
            let named_only = agree.iter().all(|mark| *mark == CardField::SurName);
            let is_free = match self.index.state(*card) {
                CardState::Keyless => true,
                // A card whose number a source had is judged by that number.
                CardState::Keyed(number) => {
                    let of_source =
                        |entry: &&LedgerEntry| entry.key.as_ref() == Some(number) && !entry.sightings.is_empty();
                    !self.claimed[*card] && self.known[*card].filter(of_source).is_none()
                }
                CardState::Anonymized => false,
            };
            let speaks = !named_only || self.index.operator(*card).is_linked() || self.was_theirs(key, *card);
            is_free && !self.index.cards[*card].archived && !untouchable && speaks
        });
        alike
    }

    /// Whether cardsync knows the card by this number, which is not on it any more.
    fn was_theirs(&self, key: &Key, card: usize) -> bool {
        self.known[card].is_some_and(|entry| entry.key.as_ref() == Some(key))
    }

    /// The number on a card, as it is written there.
    fn number_on(&self, card: usize) -> Option<&str> {
        self.index.cards[card].fields.text(self.input.policy.key.card_field)
    }

    /// One item: the number goes onto the card, and nothing else, for whoever leaves gets no new values; then the card is
    /// archived like that of any leaver. Two steps of one change: the card is known as theirs before it is archived.
    fn offer_archive(&mut self, person: &Person<'_>, card: usize, agree: &BTreeSet<CardField>, evidence: Evidence) {
        let field = self.input.policy.key.card_field;
        let written = FieldChange {
            field,
            from: self.index.cards[card].fields.get(field).cloned(),
            to: Some(FieldValue::Text(person.joined.raw_key.to_write().into())),
        };
        let mut doubts = vec![HoldReason::LeaverWithoutNumber {
            card: self.index.cards[card].id.clone(),
            agree: agree.clone(),
            number: self.number_on(card).map(Into::into),
        }];
        doubts.extend(self.looks.doubt(person));
        doubts.extend(self.archive_doubts());
        let listed = self.listed_words(card);
        let bears = match self.number_on(card) {
            None => "the card has no number".to_owned(),
            Some(number) => format!("the card has number {number}, which nobody of the sources has"),
        };
        let found = match shared_marks(agree, false).join(", ") {
            marks if marks.is_empty() => format!("{bears}, and had this person's before"),
            marks => format!("{bears}, and the same {marks}"),
        };
        let archive = self.archive(person.key, card, vec![evidence], doubts);
        let draft = &mut self.drafts[archive];
        draft.raw_key = Some(person.joined.raw_key.clone());
        draft.anchors.clone_from(&person.anchors);
        draft.why.push(found);
        draft.why.extend(listed);
        if let Action::Archive { number, .. } = &mut draft.action {
            number.push(written);
        }
    }
}
