//! Who else has the same full name, and whether something tells them apart.
//!
//! A predecessor and a successor of one name leave address, login, telephone and room in one hand: where a namesake is not
//! explained, whatever agrees may be theirs.

use super::{Edge, LIKELY, Namesakes, Work};
use crate::core::likeness::marks::{Contradiction, Mark, Marks};
use crate::core::model::card::OperatorLink;
use crate::tools::rekey::standing::Standing;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// The places of those who share full names.
#[derive(Default)]
pub(super) struct ByName(BTreeMap<String, Vec<usize>>);

impl ByName {
    /// Adds somebody.
    pub fn add(&mut self, place: usize, marks: &Marks) {
        for name in marks.full_names() {
            self.0.entry(name).or_default().push(place);
        }
    }

    /// Everybody with one of the full names.
    pub fn of(&self, marks: &Marks) -> BTreeSet<usize> {
        let names = marks.full_names();
        let found = names.iter().filter_map(|name| self.0.get(name));
        found.flatten().copied().collect()
    }
}

/// Whether dates of birth tell two apart: both are known and differ.
fn born_apart(one: Option<NaiveDate>, other: Option<NaiveDate>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

impl Work<'_> {
    /// Takes the grade from pairs whose card may be that of somebody else of the same full name.
    pub(super) fn mind_namesakes(&mut self) {
        let mut doubted = Vec::new();
        for (at, edges) in self.edges.iter().enumerate() {
            for (number, edge) in edges.iter().enumerate().filter(|(_, edge)| edge.rank() >= LIKELY) {
                // The very number on the card is nobody else's.
                if !edge.agreement.same.contains(&Mark::Number) && self.namesakes(at, edge).is_some() {
                    doubted.push((at, number));
                }
            }
        }
        for (at, number) in doubted {
            let edge = &mut self.edges[at][number];
            edge.agreement.against.insert(Contradiction::Namesake);
            edge.standing = Standing::of(&edge.agreement).expect("what speaks against a pair makes it no less related");
        }
    }

    /// Other people and other cards of the same full name that nothing tells apart from this pair.
    pub(super) fn namesakes(&self, at: usize, edge: &Edge) -> Option<Namesakes> {
        let card = self.cards[at];
        let person = &self.people[edge.person];
        let people = self.named.0.of(&self.marks[at]).into_iter();
        let people = people.filter(|other| *other != edge.person && !self.is_another_human(*other, at));
        let cards = self.named.1.of(&person.marks).into_iter();
        let cards = cards.filter(|other| *other != card && !self.is_another_card(*other, edge.person, at));
        let unclear = self.unclear_named.of(&self.marks[at]).into_iter();
        let unclear =
            unclear.filter(|other| !born_apart(self.unclear[*other].marks.birth_date, self.marks[at].birth_date));
        let found = Namesakes {
            people: people.map(|other| self.people[other].key.clone()).collect(),
            cards: cards.map(|other| self.index.cards[other].id.clone()).collect(),
            records: unclear.map(|other| self.unclear[other].record.to_string()).collect(),
        };
        (found != Namesakes::default()).then_some(found)
    }

    /// Whether this card is surely not the one of a namesake of the sources: they have another one by number, by account
    /// and name, or were born on another day.
    fn is_another_human(&self, namesake: usize, at: usize) -> bool {
        let person = &self.people[namesake];
        // A number on somebody else's card says nothing of where their own is.
        let own = person.card.filter(|card| !self.misplaced.contains_key(card));
        own.is_some_and(|card| card != self.cards[at])
            || born_apart(person.marks.birth_date, self.marks[at].birth_date)
            || self.has_account(at, namesake).is_none_or(|same| !same) && self.has_a_card_elsewhere(namesake, at)
    }

    /// Whether another card of the same full name is surely not this person's.
    fn is_another_card(&self, card: usize, person: usize, at: usize) -> bool {
        let claimed = self.claimed.get(&card).filter(|_| !self.misplaced.contains_key(&card));
        let of_somebody = claimed.is_some_and(|other| *other != person);
        if of_somebody
            || self.index.cards[card].archived
            || born_apart(self.people[person].marks.birth_date, self.born[card])
        {
            return true;
        }
        let Ok(other_at) = self.cards.binary_search(&card) else {
            return false;
        };
        if self.has_account(other_at, person) == Some(true) {
            // Of two cards of one human the operator's is known by the operator's login.
            let link = |card: usize| self.index.operator(card);
            return matches!(link(card), OperatorLink::Active { .. })
                && link(self.cards[at]) == OperatorLink::ProvenNone
                || link(card) == OperatorLink::ProvenNone
                    && matches!(link(self.cards[at]), OperatorLink::Active { .. });
        }
        self.edges[other_at]
            .iter()
            .any(|edge| edge.person != person && edge.agreement.of_account() && edge.agreement.full_name())
    }

    /// Whether the account on a card is a person's; `None` where they have nothing to do with each other.
    fn has_account(&self, at: usize, person: usize) -> Option<bool> {
        let edge = self.edges[at].iter().find(|edge| edge.person == person)?;
        Some(edge.agreement.of_account())
    }

    /// Whether a person has the account and the full name of another card.
    fn has_a_card_elsewhere(&self, person: usize, at: usize) -> bool {
        let cards = self.named.1.of(&self.people[person].marks);
        let places = cards.iter().filter_map(|card| self.cards.binary_search(card).ok());
        places.filter(|other| *other != at).any(|other| {
            let edges = &self.edges[other];
            edges
                .iter()
                .any(|edge| edge.person == person && edge.agreement.of_account() && edge.agreement.full_name())
        })
    }

    /// Of several people whom a card resembles alike, those who have it by account, where the others have only the name
    /// and a card of their own.
    pub(super) fn in_the_running<'e>(&self, at: usize, edges: &[&'e Edge]) -> Vec<&'e Edge> {
        let stays = |edge: &&&Edge| edge.agreement.of_account() || !self.is_another_human(edge.person, at);
        edges.iter().filter(stays).copied().collect()
    }
}
