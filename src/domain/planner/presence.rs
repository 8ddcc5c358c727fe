//! Somebody whom the sources name but to whom nothing may happen in this run: absence starts anew, and nothing that
//! waits about them counts as settled.

use super::Planner;
use crate::domain::key::Key;
use crate::domain::ledger::{LedgerEntry, Sighting};
use crate::domain::snapshot::Snapshot;
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
}

/// Notes which authoritative sources have the person, in whatever state.
pub(super) fn see<'a>(entry: &mut LedgerEntry, sources: impl Iterator<Item = &'a Snapshot>) {
    for snapshot in sources {
        let read_at = snapshot.summary.read_at;
        match entry.sightings.get_mut(&snapshot.summary.name) {
            Some(sighting) => {
                sighting.absent = None;
                // Rewriting a hundred thousand rows for a fresher date is not worth it.
                if read_at - sighting.last_seen > Duration::days(1) {
                    sighting.last_seen = read_at;
                }
            }
            None => {
                let sighting = Sighting {
                    last_seen: read_at,
                    absent: None,
                };
                entry.sightings.insert(snapshot.summary.name.clone(), sighting);
            }
        }
    }
}
