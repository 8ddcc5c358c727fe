//! Two cards that have each other's number, put right by one change (RULES 1.8): both numbers or none. Whoever makes such a
//! change (the sync, a list of pairs, an undo) makes it here, so that the same exchange is the same item everywhere.

use crate::core::input::PlanInput;
use crate::core::model::card::OperatorLink;
use crate::core::model::field::FieldValue;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::{Action, Change, FieldChange};
use crate::core::reads::cards::CardIndex;
use serde::{Deserialize, Serialize};

/// The second card of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherSide {
    pub card: CardId,
    /// The key that it gets.
    pub key: Key,
    /// Its number, as the change of a field.
    pub fields: Vec<FieldChange>,
    /// Who works with that card: part of the item, like the operator of the first.
    pub operator: OperatorLink,
}

/// A card, and the number that it is to get.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its place in the index.
    pub card: usize,
    pub key: Key,
    /// As it is written.
    pub to: FieldValue,
}

/// The action that gives each of two cards its number, and which of the sides is its first: that of the card with the lower id.
pub fn exchange(input: &PlanInput, index: &CardIndex<'_>, sides: [Side; 2]) -> (Action, Side) {
    let [mut first, mut second] = sides;
    if index.cards[second.card].id < index.cards[first.card].id {
        std::mem::swap(&mut first, &mut second);
    }
    let field = input.policy.key.card_field;
    let number = |side: &Side| FieldChange {
        field,
        from: index.cards[side.card].fields.get(field).cloned(),
        to: Some(side.to.clone()),
    };
    let action = Action::Exchange {
        fields: vec![number(&first)],
        other: Box::new(OtherSide {
            card: index.cards[second.card].id.clone(),
            fields: vec![number(&second)],
            operator: index.operator(second.card),
            key: second.key,
        }),
    };
    (action, first)
}

impl Change {
    /// The second card of an exchange.
    pub fn other_side(&self) -> Option<&OtherSide> {
        match &self.action {
            Action::Exchange { other, .. } => Some(other),
            Action::CreateEntry { .. }
            | Action::Create { .. }
            | Action::Update { .. }
            | Action::Adopt { .. }
            | Action::Merge { .. }
            | Action::Archive { .. }
            | Action::Unarchive { .. }
            | Action::Anonymize { .. }
            | Action::SetReferences { .. } => None,
        }
    }

    /// The key under which this card goes after the change.
    pub fn key_of(&self, card: &CardId) -> Option<&Key> {
        match self.other_side() {
            Some(other) if other.card == *card => Some(&other.key),
            Some(_) | None => self.key.as_ref(),
        }
    }

    /// Every key that it is about, that of its own card first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        let other = self.other_side().map(|other| &other.key);
        self.key.iter().chain(other)
    }

    /// What it writes onto this card of its own.
    pub fn fields_on(&self, card: &CardId) -> &[FieldChange] {
        match self.other_side() {
            Some(other) if other.card == *card => &other.fields,
            Some(_) | None => self.action.fields(),
        }
    }
}
