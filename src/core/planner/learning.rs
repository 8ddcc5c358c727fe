//! What the ledger learns of somebody who is in the sources and has a card.

use super::Planner;
use crate::core::memory::ledger::{LastLook, LedgerEntry, Origin};
use crate::core::model::key::Key;
use crate::core::reads::merge::Person;
use crate::core::rules::lifecycle::Leaving;
use crate::core::rules::lifecycle::dates::FirstSight;
use chrono::NaiveDate;

/// What was made of the person in this run.
pub(super) struct Seen {
    /// Whether the card may be somebody else's.
    pub doubted: bool,
    /// Whether no date in a leaver condition that holds is in doubt.
    pub certain: bool,
    /// The day on which it is to begin to hold.
    pub leaves_on: Option<NaiveDate>,
}

impl Planner<'_> {
    /// What is remembered of when the evidence of a card's person was first seen.
    pub(super) fn first_sight(&self, key: &Key, card: usize, doubted: bool) -> FirstSight {
        let id = &self.index.cards[card].id;
        FirstSight::of_card(self.input, key, id, self.known[card], doubted)
    }

    /// What the ledger learns of a person with a card.
    pub(super) fn learn(&mut self, person: &Person<'_>, card: usize, state: &Leaving, seen: Seen) {
        let Seen {
            doubted,
            certain,
            leaves_on,
        } = seen;
        let id = self.index.cards[card].id.clone();
        let now = self.input.moment.now;
        let known = self.known[card];
        if known.is_none() && doubted {
            // Not ours before a human says that the number is this person's.
            return;
        }
        let mut entry = known
            .cloned()
            .unwrap_or_else(|| LedgerEntry::new(id.clone(), person.key.clone(), Origin::Matched, now));
        if entry.key.as_ref() != Some(person.key) {
            if doubted {
                // The card has this key now, but nobody has said that it is this person's.
                return;
            }
            entry.goes_under(person.key);
        }
        if !doubted {
            for anchor in &person.anchors {
                entry.anchors.retain(|known| known.source != anchor.source);
                entry.anchors.push(anchor.clone());
            }
            entry.anchors.sort();
        }
        self.see(&mut entry, person);
        entry.leaving_since = match state {
            // What begins at a time that is not known would ripen at one that is not known.
            Leaving::Now(_) | Leaving::Later { .. } if !self.input.clock.is_trusted() => entry.leaving_since,
            Leaving::Now(_) | Leaving::Later { .. } => entry.leaving_since.or(Some(now)),
            Leaving::No | Leaving::NextContract => None,
            Leaving::Unknown(_) | Leaving::ContractsEnded => entry.leaving_since,
        };
        let archived = self.index.cards[card].archived;
        entry.look(archived);
        match state {
            _ if !self.input.clock.is_trusted() => {}
            Leaving::No | Leaving::NextContract => (entry.leaves_on, entry.leaving_is_certain) = (leaves_on, false),
            Leaving::Now(_) | Leaving::Later { .. } => entry.leaving_is_certain = certain,
            Leaving::Unknown(_) | Leaving::ContractsEnded => {}
        }
        if matches!(state, Leaving::No | Leaving::NextContract) && !archived {
            entry.archived_by_us = None;
            entry.last_look = LastLook::Active;
        }
        if known != Some(&entry) {
            self.learned.insert(id, entry);
        }
    }
}

/// Who had archived a card that somebody else has made active again: a person or a program.
pub(super) fn archived_before(active: &LedgerEntry) -> Option<&'static str> {
    if active.archived_by_us.is_some() {
        Some("cardsync")
    } else if active.is_woken(false) {
        Some("somebody else")
    } else {
        None
    }
}
