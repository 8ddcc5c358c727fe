//! The cards of an audit with their operators, and the values that could be a key.

use crate::core::input::PlanInput;
use crate::core::model::card::{OperatorCard, PersonCard, TargetSnapshot};
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, OperatorId};
use crate::core::model::key::{Key, KeyReading, KeySpec};
use crate::core::model::surroundings::OperatorDetails;
use crate::core::reads::cards::{CardIndex, CardState, fold};
use crate::tools::rekey::pairing::{Pairing, Row};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What could decide who is who: a text field of the card, or the name, which some imports use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Candidate {
    Field(CardField),
    FullName,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Candidate::Field(field) => write!(f, "{field}"),
            Candidate::FullName => f.write_str("full name"),
        }
    }
}

impl Serialize for Candidate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Candidate {
    /// All, in the order of a report.
    pub fn all() -> impl Iterator<Item = Candidate> {
        let fixed = [
            CardField::EmployeeNumber,
            CardField::Email,
            CardField::TasLoginName,
            CardField::NetworkLoginName,
            CardField::MainframeLoginName,
        ];
        let optional = (1..=2).flat_map(|tab| (1..=5).map(move |number| CardField::OptionalText(tab, number)));
        fixed
            .into_iter()
            .chain(optional)
            .map(Candidate::Field)
            .chain([Candidate::FullName])
    }

    /// The card fields that it is made of.
    pub fn fields(self) -> Vec<CardField> {
        match self {
            Candidate::Field(field) => vec![field],
            Candidate::FullName => vec![CardField::FirstName, CardField::SurName],
        }
    }

    /// Why it is no key for life; `None` for what can stay the same.
    pub fn changes(self) -> Option<&'static str> {
        match self {
            Candidate::FullName => Some("a marriage changes a name, and two people can have one"),
            Candidate::Field(CardField::Email) => {
                Some("a marriage or a new mail domain changes an address, and addresses are given out again")
            }
            Candidate::Field(field) if field.is_name() => Some("a marriage changes a name"),
            Candidate::Field(field) if field.is_login() => {
                Some("logins follow the name, and those of leavers are given out again")
            }
            Candidate::Field(_) => None,
        }
    }

    /// Makes a text comparable; nothing for blank text and for TOPdesk's asterisks.
    pub(super) fn comparable(self, text: &str, spec: &KeySpec) -> Option<String> {
        if text.contains('*') {
            return None;
        }
        let value = match self {
            Candidate::Field(field) if field == spec.card_field => match spec.read(text) {
                KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => {
                    key.as_str().to_owned()
                }
                KeyReading::None | KeyReading::Anonymized => return None,
            },
            Candidate::Field(_) | Candidate::FullName => fold(text),
        };
        (!value.is_empty()).then_some(value)
    }

    /// From any way to look a text up: both names or none.
    pub(super) fn of(self, text: impl Fn(CardField) -> Option<String>, spec: &KeySpec) -> Option<String> {
        let parts: Option<Vec<String>> = self
            .fields()
            .into_iter()
            .map(|field| text(field).filter(|text| !text.trim().is_empty()))
            .collect();
        self.comparable(&parts?.join(" "), spec)
    }
}

/// The cards with their operators.
pub(super) struct Ground<'a> {
    pub(super) input: &'a PlanInput,
    pub(super) target: &'a TargetSnapshot,
    pub(super) spec: &'a KeySpec,
    pub(super) index: CardIndex<'a>,
    pub(super) details: &'a BTreeMap<OperatorId, OperatorDetails>,
    /// Whose each card is, by what it shows.
    pub(super) pairing: &'a Pairing,
    rows: BTreeMap<&'a CardId, &'a Row>,
    /// The places of the cards whose number is somebody else's.
    misplaced: BTreeSet<usize>,
    /// By the place of the card.
    operators: BTreeMap<usize, Vec<&'a OperatorCard>>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(
        input: &'a PlanInput,
        details: &'a BTreeMap<OperatorId, OperatorDetails>,
        pairing: &'a Pairing,
    ) -> Self {
        let (target, spec) = (&input.target, &input.policy.key);
        let index = CardIndex::build(target, spec);
        let mut operators: BTreeMap<usize, Vec<&OperatorCard>> = BTreeMap::new();
        for operator in &target.operators {
            let card = operator.linked_person.as_ref().and_then(|card| index.position(card));
            if let Some(card) = card {
                operators.entry(card).or_default().push(operator);
            }
        }
        let misplaced = pairing
            .misplaced
            .iter()
            .filter_map(|one| index.position(&one.card))
            .collect();
        Self {
            input,
            target,
            spec,
            index,
            details,
            pairing,
            rows: pairing.rows.iter().map(|row| (&row.card, row)).collect(),
            misplaced,
            operators,
        }
    }

    pub(super) fn card(&self, at: usize) -> &'a PersonCard {
        &self.index.cards[at]
    }

    /// The operators linked to a card, in the order of their ids.
    pub(super) fn operators(&self, at: usize) -> &[&'a OperatorCard] {
        self.operators.get(&at).map_or(&[], Vec::as_slice)
    }

    /// The first active operator of a card.
    pub(super) fn active_operator(&self, at: usize) -> Option<&'a OperatorCard> {
        self.operators(at).iter().copied().find(|operator| !operator.archived)
    }

    pub(super) fn key(&self, at: usize) -> Option<&Key> {
        match self.index.state(at) {
            CardState::Keyed(key) => Some(key),
            CardState::Keyless | CardState::Anonymized => None,
        }
    }

    /// Whether the number on the card is somebody else's.
    pub(super) fn is_misplaced(&self, at: usize) -> bool {
        self.misplaced.contains(&at)
    }

    /// What `rekey pair` says of a card without a number: the grade of its pair, or that nobody resembles it.
    pub(super) fn pair_of(&self, at: usize) -> Option<&'a Row> {
        self.rows.get(&self.index.cards[at].id).copied()
    }

    pub(super) fn is_anonymized(&self, at: usize) -> bool {
        *self.index.state(at) == CardState::Anonymized
    }

    pub(super) fn flag(&self, at: usize, field: CardField) -> Option<bool> {
        match self.card(at).fields.get(field) {
            Some(crate::core::model::field::FieldValue::Flag(flag)) => Some(*flag),
            Some(_) | None => None,
        }
    }

    /// As TOPdesk makes a card for an operator who has none: no key, neither portal nor caller, and an operator.
    pub(super) fn is_generated(&self, at: usize) -> bool {
        *self.index.state(at) == CardState::Keyless
            && self.flag(at, CardField::HasSspAccess) == Some(false)
            && self.flag(at, CardField::IsCaller) == Some(false)
            && !self.operators(at).is_empty()
    }

    /// The places of the active cards of people: neither anonymized nor of an account that is nobody's.
    pub(super) fn active_people(&self) -> impl Iterator<Item = usize> {
        (0..self.index.cards.len())
            .filter(|at| !self.card(*at).archived && !self.is_anonymized(*at) && !self.index.is_special(*at))
    }

    /// What a card has for a candidate.
    pub(super) fn value(&self, at: usize, candidate: Candidate) -> Option<String> {
        let card = self.card(at);
        candidate.of(|field| card.fields.text(field).map(str::to_owned), self.spec)
    }

    /// Cards by what they have for a candidate.
    pub(super) fn by_value(
        &self,
        candidate: Candidate,
        cards: impl Iterator<Item = usize>,
    ) -> BTreeMap<String, Vec<usize>> {
        let mut by_value: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for at in cards {
            if let Some(value) = self.value(at, candidate) {
                by_value.entry(value).or_default().push(at);
            }
        }
        by_value
    }
}
