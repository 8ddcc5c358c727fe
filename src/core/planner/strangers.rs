//! Whether what stands on a card is wholly somebody else's of the sources: full name, and login or e-mail address (RULES 1.8).
//! Two numbers that were exchanged, or typed onto the card of a relative, show in no pair of names that both differ.

use super::{Planner, wanted_text};
use crate::core::model::field::CardField;
use crate::core::model::key::Key;
use crate::core::reads::cards::Likeness;
use crate::core::reads::merge::Member;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// Everybody of the sources by full name; made only where a card shows nothing of the person whose number it has.
#[derive(Default)]
pub(super) struct Everybody(OnceCell<BTreeMap<String, Vec<(Key, Likeness)>>>);

impl Planner<'_> {
    /// The others of the sources whose a card wholly is that bears this person's number.
    pub(super) fn whose_wholly(&self, key: &Key, on_card: &Likeness) -> Vec<&Key> {
        let Some(name) = &on_card.full_name else {
            return Vec::new();
        };
        let namesakes = self.everybody.0.get_or_init(|| self.by_full_name()).get(name);
        let is_theirs = |(other, likeness): &&(Key, Likeness)| {
            let more = likeness.agreement(on_card);
            other != key && more.iter().any(|mark| *mark != CardField::SurName)
        };
        let theirs = namesakes.into_iter().flatten().filter(is_theirs);
        theirs.map(|(other, _)| other).collect()
    }

    fn by_full_name(&self) -> BTreeMap<String, Vec<(Key, Likeness)>> {
        let mut everybody: BTreeMap<String, Vec<(Key, Likeness)>> = BTreeMap::new();
        for member in self.population.members() {
            let Member::Person(person) = member else { continue };
            let description = self.describe.describe(&person.joined, self.input.moment);
            let likeness = Likeness::of(|field| wanted_text(&description, field).map(str::to_owned));
            if let Some(name) = likeness.full_name.clone() {
                everybody.entry(name).or_default().push((person.key.clone(), likeness));
            }
        }
        everybody
    }
}
