//! Who else has the same full name, and whether something tells them apart.
//!
//! A predecessor and a successor of one name leave address, login, telephone and room in one hand: where a namesake is not
//! explained, whatever agrees may be theirs.

use super::marks::Marks;
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
pub(super) fn born_apart(one: Option<NaiveDate>, other: Option<NaiveDate>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}
