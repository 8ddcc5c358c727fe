//! Somebody whom the sources name but to whom nothing may happen in this run: absence starts anew, and nothing that
//! waits about them counts as settled.

use super::Planner;
use crate::core::memory::asked::{mark_of, mark_of_record};
use crate::core::memory::ledger::{LedgerEntry, Sighting};
use crate::core::model::identity::{Part, Unknown};
use crate::core::model::key::Key;
use crate::core::plan::SkipReason;
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::Snapshot;
use chrono::Duration;

impl Planner<'_> {
    /// A key that is there and that this run leaves alone: a conflict, an unusable record, protected, out of scope.
    pub(super) fn untouched(&mut self, key: &Key) {
        let group = self.index.group(key);
        for card in group.active.iter().chain(&group.archived) {
            let id = self.index.cards[*card].id.clone();
            if let Some(known) = self.known[*card] {
                let mut entry = known.clone();
                // Whichever source has the person: they are not absent, so no count goes on.
                for sighting in entry.sightings.values_mut() {
                    sighting.absent = None;
                }
                entry.look(self.index.cards[*card].archived);
                see(&mut entry, self.population.sources_with(key));
                if entry != *known {
                    self.learned.insert(id.clone(), entry);
                }
            }
            self.undecided.insert(id);
        }
    }

    /// A key that only records have that are no people: out of scope. Nothing is said of those without a card: there may be
    /// hundreds, and the read tells how many.
    pub(super) fn skipped_record(&mut self, key: &Key) {
        self.untouched(key);
        let group = self.index.group(key);
        let card = group.active.first().or(group.archived.first()).copied();
        if card.is_some() {
            let detail = "its record is no person by `skip` or `exclude`";
            self.skip(SkipReason::OutOfScope, Some(key), card, detail);
        }
    }

    /// Tells of sources whose values are not known because they have the person several times (RULES 3.4).
    pub(super) fn several_records(&mut self, person: &Person<'_>, card: Option<usize>) {
        for (source, (snapshot, part)) in &person.joined.parts {
            if matches!(part, Part::Unknown(Unknown::DuplicateRecord(_))) {
                let what = match snapshot.with_key(person.key).len() {
                    1 => "a second record with this key, which cannot be used".to_owned(),
                    count => format!("{count} records with this key"),
                };
                let detail = format!(
                    "{source} has {what}, so that what it says of this person is not known; take those that are no people \
                     out with `skip` or `exclude`, or correct the source"
                );
                self.skip(SkipReason::SeveralRecords, Some(person.key), card, detail);
                let mut records: Vec<String> = snapshot.with_key(person.key).iter().map(mark_of_record).collect();
                records.sort();
                self.last_goes_by(mark_of(records));
            }
        }
    }
}

/// Notes which authoritative sources have the person, in whatever state.
pub(super) fn see<'a>(entry: &mut LedgerEntry, sources: impl Iterator<Item = &'a Snapshot>) {
    for snapshot in sources {
        see_listed(entry, snapshot);
        if let Some(sighting) = entry.sightings.get_mut(&snapshot.summary.name) {
            sighting.absent = None;
        }
    }
}

/// Notes that a source lists the person, and lets what is counted go on.
pub(super) fn see_listed(entry: &mut LedgerEntry, snapshot: &Snapshot) {
    let read_at = snapshot.summary.read_at;
    let name = &snapshot.summary.name;
    match entry.sightings.get_mut(name) {
        // Rewriting a hundred thousand rows for a fresher date is not worth it.
        Some(sighting) if read_at - sighting.last_seen > Duration::days(1) => sighting.last_seen = read_at,
        Some(_) => {}
        None => {
            entry.sightings.insert(name.clone(), Sighting::new(read_at));
        }
    }
}
