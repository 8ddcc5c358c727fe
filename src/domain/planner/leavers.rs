//! People who have left and have no card by their number. A card without a number may be theirs, and with it an operator who
//! goes on: it is offered as one item where the marks suffice, else it is told. A name alone never suffices.

use super::Planner;
use crate::domain::cards::{CardState, Likeness};
use crate::domain::field::{CardField, FieldValue};
use crate::domain::hold::shared_marks;
use crate::domain::identity::Description;
use crate::domain::merge::Person;
use crate::domain::plan::{Action, Evidence, FieldChange, HoldReason, SkipReason};
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// `evidence`: that they have left, once it has held long enough.
    pub(super) fn leaver_without_card(&mut self, person: &Person<'_>, evidence: Option<Evidence>) {
        let key = person.key;
        let description = self.describe.describe(&person.joined, self.input.moment);
        let alike = self.unnumbered_cards_like(&description);
        let is_sure = |agree: &BTreeSet<CardField>| {
            let name = agree.contains(&CardField::SurName);
            name && agree.iter().any(|mark| *mark != CardField::SurName)
        };
        if let ([(card, agree)], Some(evidence)) = (alike.iter().collect::<Vec<_>>().as_slice(), &evidence)
            && is_sure(agree)
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
                format!("card {id}{operator}: same {}", shared_marks(agree, false).join(", "))
            })
            .collect();
        let detail = format!(
            "has left; a card without a number may be theirs, and nobody archives it: {}",
            cards.join("; ")
        );
        let only = alike.keys().next().copied().filter(|_| alike.len() == 1);
        self.skip(SkipReason::LeaverMayHaveCard, Some(key), only, detail);
    }

    /// Active cards without a number that may be touched and resemble the person, by themselves or by their operators. Of
    /// those without an operator a name alone says nothing: namesakes are many, and nobody goes on by such a card.
    fn unnumbered_cards_like(&self, description: &Description) -> BTreeMap<usize, BTreeSet<CardField>> {
        let wanted = Likeness::of(|field| super::wanted_text(description, field).map(str::to_owned));
        let mut alike = self.look_alikes.find(&wanted);
        alike.retain(|card, agree| {
            let untouchable = self.index.is_special(*card) || self.is_protected(None, Some(*card));
            let named_only = agree.iter().all(|mark| *mark == CardField::SurName);
            let is_active = *self.index.state(*card) == CardState::Keyless && !self.index.cards[*card].archived;
            is_active && !untouchable && (!named_only || self.index.operator(*card).is_linked())
        });
        alike
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
        }];
        doubts.extend(self.looks.doubt(person));
        doubts.extend(self.archive_doubts());
        let listed = self.listed_words(card);
        let archive = self.archive(person.key, card, vec![evidence], doubts);
        let draft = &mut self.drafts[archive];
        draft.raw_key = Some(person.joined.raw_key.clone());
        draft.anchors.clone_from(&person.anchors);
        draft.why.push(format!(
            "the card has no number, and the same {}",
            shared_marks(agree, false).join(", ")
        ));
        draft.why.extend(listed);
        if let Action::Archive { number, .. } = &mut draft.action {
            number.push(written);
        }
    }
}
