//! An index over the cards and operators of one read: by key, by operator, by login, by what makes people look alike.

use crate::core::model::card::{FilterProof, OperatorCard, OperatorKind, OperatorLink, PersonCard, TargetSnapshot};
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, OperatorId};
use crate::core::model::key::{Key, KeyReading, KeySpec};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// What a card is, for matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardState {
    Keyed(Key),
    Keyless,
    /// Asterisks: never indexed, matched or touched.
    Anonymized,
}

/// The cards that share a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyGroup {
    pub active: Vec<usize>,
    pub archived: Vec<usize>,
}

/// Which card a key stands for (RULES 1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardMatch {
    None,
    /// The card, and archived cards that share its key.
    One {
        card: usize,
        twins: Vec<usize>,
    },
    TwoActive(Vec<usize>),
    SeveralArchived(Vec<usize>),
}

/// The index.
pub struct CardIndex<'a> {
    pub cards: &'a [PersonCard],
    states: Vec<CardState>,
    by_key: Vec<(Key, usize)>,
    operators: BTreeMap<&'a CardId, (Vec<OperatorId>, Vec<OperatorId>)>,
    special: BTreeSet<&'a CardId>,
    none_is_proven: bool,
}

impl<'a> CardIndex<'a> {
    /// Over a judged read.
    pub fn build(target: &'a TargetSnapshot, spec: &KeySpec) -> Self {
        let mut operators: BTreeMap<&CardId, (Vec<OperatorId>, Vec<OperatorId>)> = BTreeMap::new();
        let mut special: BTreeSet<&CardId> = target.own_cards.iter().collect();
        for operator in &target.operators {
            let Some(card) = &operator.linked_person else { continue };
            let (active, archived) = operators.entry(card).or_default();
            if operator.archived {
                archived.push(operator.id.clone())
            } else {
                active.push(operator.id.clone())
            }
            match operator.kind {
                OperatorKind::Regular => {}
                OperatorKind::TopdeskAccount | OperatorKind::ApiAccount => {
                    special.insert(card);
                }
            }
        }
        let states: Vec<CardState> = target.cards.iter().map(|card| state_of(card, spec)).collect();
        let mut by_key: Vec<(Key, usize)> = states
            .iter()
            .enumerate()
            .filter_map(|(index, state)| match state {
                CardState::Keyed(key) => Some((key.clone(), index)),
                CardState::Keyless | CardState::Anonymized => None,
            })
            .collect();
        by_key.sort();
        let complete = target.verdict == crate::core::reads::snapshot::Verdict::Complete;
        let none_is_proven = complete && target.filters == FilterProof::None;
        Self {
            cards: &target.cards,
            states,
            by_key,
            operators,
            special,
            none_is_proven,
        }
    }

    /// The place of a card.
    pub fn position(&self, id: &CardId) -> Option<usize> {
        self.cards.binary_search_by(|card| card.id.cmp(id)).ok()
    }

    /// What the card is.
    pub fn state(&self, card: usize) -> &CardState {
        &self.states[card]
    }

    /// Linked to an API account, a TOPdesk account or cardsync's own account: never touched.
    pub fn is_special(&self, card: usize) -> bool {
        self.special.contains(&self.cards[card].id)
    }

    /// Whether every operator was seen: only then is there no other one behind a card.
    pub fn sees_all_operators(&self) -> bool {
        self.none_is_proven
    }

    /// The operator behind a card.
    pub fn operator(&self, card: usize) -> OperatorLink {
        match self.operators.get(&self.cards[card].id) {
            Some((active, archived)) if !active.is_empty() => OperatorLink::Active {
                operators: active.iter().chain(archived).cloned().collect(),
            },
            Some((_, archived)) if !archived.is_empty() => OperatorLink::Archived {
                operators: archived.clone(),
            },
            Some(_) | None if self.none_is_proven => OperatorLink::ProvenNone,
            Some(_) | None => OperatorLink::Unproven,
        }
    }

    /// The operators behind a card that are active.
    pub fn active_operators(&self, card: usize) -> Vec<OperatorId> {
        let linked = self.operators.get(&self.cards[card].id);
        linked.map_or_else(Vec::new, |(active, _)| active.clone())
    }

    /// The operators behind a card that are archived.
    pub fn archived_operators(&self, card: usize) -> Vec<OperatorId> {
        let linked = self.operators.get(&self.cards[card].id);
        linked.map_or_else(Vec::new, |(_, archived)| archived.clone())
    }

    /// The cards with a key.
    pub fn group(&self, key: &Key) -> KeyGroup {
        self.group_at(self.by_key.partition_point(|(known, _)| known < key), key)
    }

    fn group_at(&self, start: usize, key: &Key) -> KeyGroup {
        let mut group = KeyGroup::default();
        for (_, card) in self.by_key[start..].iter().take_while(|(known, _)| known == key) {
            if self.cards[*card].archived {
                group.archived.push(*card)
            } else {
                group.active.push(*card)
            }
        }
        group
    }

    /// What a key stands for, when keys are asked for in ascending order: `cursor` starts at 0 and is kept between calls.
    pub fn matching_in_order(&self, key: &Key, cursor: &mut usize) -> CardMatch {
        while self.by_key.get(*cursor).is_some_and(|(known, _)| known < key) {
            *cursor += 1;
        }
        self.match_of(self.group_at(*cursor, key))
    }

    /// Which cards have one of these keys, sorted: one walk over both.
    pub fn claimed_by(&self, keys: &[&Key]) -> Vec<bool> {
        let mut claimed = vec![false; self.cards.len()];
        let mut keys = keys.iter().peekable();
        for (key, card) in &self.by_key {
            while keys.next_if(|claiming| **claiming < key).is_some() {}
            claimed[*card] = keys.peek().is_some_and(|claiming| **claiming == key);
        }
        claimed
    }

    /// The card a key stands for, or why there is none: one active, or exactly one archived, else a conflict.
    pub fn matching(&self, key: &Key) -> CardMatch {
        self.match_of(self.group(key))
    }

    fn match_of(&self, group: KeyGroup) -> CardMatch {
        let KeyGroup { active, archived } = group;
        match (active.as_slice(), archived.as_slice()) {
            ([], []) => CardMatch::None,
            ([card], _) => CardMatch::One {
                card: *card,
                twins: archived,
            },
            ([], [card]) => CardMatch::One {
                card: *card,
                twins: Vec::new(),
            },
            ([], _) => CardMatch::SeveralArchived(archived),
            (_, _) => CardMatch::TwoActive(active.into_iter().chain(archived).collect()),
        }
    }
}

/// What a card's key and surname say it is.
pub(crate) fn state_of(card: &PersonCard, spec: &KeySpec) -> CardState {
    let anonymized_name = card
        .fields
        .text(CardField::SurName)
        .is_some_and(|name| name.trim().chars().all(|c| c == '*'));
    let raw = card.fields.text(spec.card_field).unwrap_or("");
    match spec.read(raw) {
        _ if anonymized_name => CardState::Anonymized,
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => {
            CardState::Keyed(key)
        }
        KeyReading::None => CardState::Keyless,
        KeyReading::Anonymized => CardState::Anonymized,
    }
}

/// Makes two texts comparable where only likeness matters: NFC, trimmed, lower case, runs of blanks as one.
pub fn fold(text: &str) -> String {
    // Nearly everything is plain text, and this runs for every person.
    let composed: String = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.nfc().flat_map(char::to_lowercase).collect()
    };
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What people are recognised by when there is no key: a suggestion to a human, never a match (RULES 1.1, 2.2).
#[derive(Clone, Debug, Default)]
pub struct Likeness {
    pub login: Option<String>,
    pub network_login: Option<String>,
    pub email: Option<String>,
    pub full_name: Option<String>,
}

impl Likeness {
    /// From any way to look a field's text up.
    pub fn of(text: impl Fn(CardField) -> Option<String>) -> Self {
        let folded = |field| text(field).map(|text| fold(&text)).filter(|text| !text.is_empty());
        let full_name = match (folded(CardField::FirstName), folded(CardField::SurName)) {
            (Some(first), Some(sur)) => Some(format!("{first} {sur}")),
            (Some(_) | None, _) => None,
        };
        Self {
            login: folded(CardField::TasLoginName),
            network_login: folded(CardField::NetworkLoginName),
            email: folded(CardField::Email),
            full_name,
        }
    }

    /// Of a card.
    pub fn of_card(card: &PersonCard) -> Self {
        Self::of(|field| card.fields.text(field).map(str::to_owned))
    }

    /// Of an operator: login and e-mail.
    pub fn of_operator(operator: &OperatorCard) -> Self {
        let folded = |text: &Option<Box<str>>| text.as_deref().map(fold).filter(|text| !text.is_empty());
        Self {
            login: folded(&operator.login_name),
            email: folded(&operator.email),
            ..Self::default()
        }
    }

    fn marks(&self) -> impl Iterator<Item = (CardField, &str)> {
        // The two logins are one mark: sites fill either.
        [
            (CardField::TasLoginName, &self.login),
            (CardField::TasLoginName, &self.network_login),
            (CardField::Email, &self.email),
            (CardField::SurName, &self.full_name),
        ]
        .into_iter()
        .filter_map(|(field, text)| text.as_deref().map(|text| (field, text)))
    }

    /// The marks both have: login, e-mail, full name (as surname).
    pub fn agreement(&self, other: &Likeness) -> BTreeSet<CardField> {
        let theirs: BTreeSet<(CardField, &str)> = other.marks().collect();
        self.marks()
            .filter(|mark| theirs.contains(mark))
            .map(|(field, _)| field)
            .collect()
    }
}

/// Cards that nobody's key claims, found by likeness.
#[derive(Default)]
pub struct LookAlikes {
    by_mark: BTreeMap<(CardField, String), Vec<usize>>,
}

impl LookAlikes {
    /// Adds a card.
    pub fn add(&mut self, index: usize, likeness: &Likeness) {
        let marks: BTreeSet<(CardField, &str)> = likeness.marks().collect();
        for (field, text) in marks {
            self.by_mark.entry((field, text.to_owned())).or_default().push(index);
        }
    }

    /// The cards that share a mark, each with the marks shared, in card order.
    pub fn find(&self, likeness: &Likeness) -> BTreeMap<usize, BTreeSet<CardField>> {
        let mut found: BTreeMap<usize, BTreeSet<CardField>> = BTreeMap::new();
        for (field, text) in likeness.marks() {
            for card in self.by_mark.get(&(field, text.to_owned())).into_iter().flatten() {
                found.entry(*card).or_default().insert(field);
            }
        }
        found
    }
}
