//! What is true of a world, asked of the world itself and not of the planner.

use super::world::{TestSource, World, key};
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::reads::cards::fold;
use crate::core::reads::snapshot::RejectionScope;
use std::collections::BTreeSet;

pub fn key_of(world: &World, card: &CardId) -> Option<Key> {
    let fields = &world.cards[card].fields;
    let anonymized = |field| fields.text(field).is_some_and(|text| text.contains('*'));
    if anonymized(CardField::EmployeeNumber) || anonymized(CardField::SurName) {
        return None;
    }
    fields
        .text(CardField::EmployeeNumber)
        .map(|text| key(&text.trim().to_uppercase()))
}

/// How many usable and unusable records the usable authoritative sources have under a key, by source.
pub fn records(world: &World, wanted: &Key) -> Vec<(usize, usize)> {
    let read = |source: &&TestSource| !source.snapshot(&world.policy, world.now).is_rejected();
    let usable = world.sources.iter().filter(read);
    usable
        .map(|source| {
            let rows = source.rows.iter().filter(|row| row.values["key"] == wanted.as_str());
            let unusable = source
                .rejections
                .iter()
                .filter(|(key, scope)| key.as_deref() == Some(wanted.as_str()) && *scope == RejectionScope::Record);
            (rows.count(), unusable.count())
        })
        .collect()
}

pub fn in_conflict(world: &World, wanted: &Key) -> bool {
    let found = records(world, wanted);
    let several = found.iter().any(|(rows, _)| *rows > 1);
    let unusable = found.iter().any(|(_, unusable)| *unusable > 0);
    let sources = found.iter().filter(|(rows, _)| *rows > 0).count();
    let cards: Vec<bool> = world
        .cards
        .iter()
        .filter(|(id, _)| key_of(world, id).as_ref() == Some(wanted))
        .map(|(_, card)| card.archived)
        .collect();
    let active = cards.iter().filter(|archived| !**archived).count();
    let cards = active > 1 || active == 0 && cards.len() > 1;
    several || unusable || cards || sources > 1 && world.policy.same_people.is_empty()
}

pub fn marks(text: impl Fn(CardField) -> Option<String>) -> BTreeSet<String> {
    let folded = |field| text(field).map(|text| fold(&text)).filter(|text| !text.is_empty());
    let name = folded(CardField::FirstName).zip(folded(CardField::SurName));
    [
        folded(CardField::TasLoginName),
        folded(CardField::Email),
        name.map(|(a, b)| format!("{a}+{b}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same full name and one more mark.
pub fn is_one_human(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let shared: Vec<&String> = one.intersection(other).collect();
    shared.len() > 1 && shared.iter().any(|mark| mark.contains('+'))
}
