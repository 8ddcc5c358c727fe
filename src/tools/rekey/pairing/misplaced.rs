//! Numbers that stand on somebody else's card (RULES 1.8): the card has the number of one person of the sources, and name and
//! account of another. Where two cards have each other's, one item puts both right.

use super::Work;
use super::people::{Someone, places};
use crate::core::likeness::marks::{Agreement, Marks};
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A card whose number is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Misplaced {
    pub card: CardId,
    /// Whose number stands on it.
    pub bears: Key,
    /// Whose name and account stand on it; absent where it is nobody's of the sources.
    pub shows: Option<Key>,
    /// The card that has the number of whom this one shows, and shows whose number this one has.
    pub exchanged_with: Option<CardId>,
}

/// By the place of the card: whose number it has, and whom it shows.
pub(super) type Places = BTreeMap<usize, (usize, Option<usize>)>;

/// Looks at every active card whose number somebody of the sources has.
pub(super) fn find(
    people: &[Someone],
    by_place: &BTreeMap<(u8, String), Vec<usize>>,
    cards: impl Iterator<Item = (usize, usize, Marks)>,
    most_alike: usize,
) -> Places {
    let nobody_else_has = |_, _: &str| true;
    let mut found = Places::new();
    for (card, bears, marks) in cards {
        let own = Agreement::between(&people[bears].marks, &marks, nobody_else_has);
        if own.of_account() || own.full_name() || own.of_person() {
            continue;
        }
        let alike: BTreeSet<usize> = places(&marks)
            .iter()
            .filter_map(|place| by_place.get(place))
            .filter(|people| people.len() <= most_alike)
            .flatten()
            .copied()
            .filter(|person| *person != bears)
            .collect();
        let wholly = |person: &usize| {
            let agreement = Agreement::between(&people[*person].marks, &marks, nobody_else_has);
            agreement.full_name() && agreement.of_account()
        };
        let mut shows = alike.into_iter().filter(wholly);
        match (shows.next(), shows.next()) {
            (Some(person), None) => drop(found.insert(card, (bears, Some(person)))),
            (None, _) if own.names_differ() => drop(found.insert(card, (bears, None))),
            (Some(_), Some(_)) => drop(found.insert(card, (bears, None))),
            (None, _) => {}
        }
    }
    found
}

impl Work<'_> {
    /// The card with which this one has exchanged its number.
    pub(super) fn exchanged_with(&self, card: usize) -> Option<usize> {
        let (bears, shows) = self.misplaced.get(&card)?;
        let other = self.people[(*shows)?].card?;
        let (_, shown_there) = self.misplaced.get(&other)?;
        let both_may_be_written = self.refused(card).is_none() && self.refused(other).is_none();
        (both_may_be_written && *shown_there == Some(*bears)).then_some(other)
    }

    /// For the lists and the audit.
    pub(super) fn misplaced_cards(&self) -> Vec<Misplaced> {
        let id = |card: usize| self.index.cards[card].id.clone();
        let key = |person: usize| self.people[person].key.clone();
        self.misplaced
            .iter()
            .map(|(card, (bears, shows))| Misplaced {
                card: id(*card),
                bears: key(*bears),
                shows: shows.map(key),
                exchanged_with: self.exchanged_with(*card).map(id),
            })
            .collect()
    }
}
