//! Keys that are written like no other (RULES 2.5): a total, a line of dashes, `NULL`. A card made for one can never be
//! deleted, so a human looks first; and cards whose key looks like a newcomer's and is not the same.

use super::Planner;
use crate::core::model::identity::Part;
use crate::core::model::ids::SourceName;
use crate::core::model::key::Key;
use crate::core::model::letters::as_seen;
use crate::core::plan::HoldReason;
use crate::core::reads::cards::CardState;
use crate::core::reads::key_shapes::{KeyShapes, is_odd};
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::{Role, SnapshotReader};
use std::collections::BTreeMap;

/// What keys look like; learned only where somebody has no card.
#[derive(Default)]
pub(super) struct Looks {
    cards: KeyShapes,
    /// Of each source that decides who exists.
    sources: BTreeMap<SourceName, KeyShapes>,
    /// Cards whose key has characters that nobody sees, by the key that they show.
    disguised: BTreeMap<String, Vec<usize>>,
}

impl Looks {
    pub(super) fn of(planner: &Planner<'_>) -> Self {
        let mut looks = Looks::default();
        for card in 0..planner.index.cards.len() {
            let CardState::Keyed(key) = planner.index.state(card) else {
                continue;
            };
            looks.cards.learn(key.as_str());
            if !key.as_str().is_ascii() || key.as_str().contains(|letter: char| letter.is_control()) {
                let seen = as_seen(key.as_str());
                if seen != key.as_str() {
                    looks.disguised.entry(seen).or_default().push(card);
                }
            }
        }
        for snapshot in &planner.input.snapshots {
            if snapshot.summary.role != Some(Role::Authoritative) {
                continue;
            }
            let mut shapes = KeyShapes::default();
            let mut last: Option<&Key> = None;
            for record in snapshot.records() {
                if last != Some(&record.key) {
                    shapes.learn(record.key.as_str());
                }
                last = Some(&record.key);
            }
            looks.sources.insert(snapshot.summary.name.clone(), shapes);
        }
        looks
    }

    /// The doubt about a key that no source of this person and no card has the like of.
    pub(super) fn doubt(&self, person: &Person<'_>) -> Option<HoldReason> {
        let parts = person.joined.parts.values();
        let own = parts.filter_map(|(snapshot, part)| {
            let shapes = self.sources.get(&snapshot.summary.name)?;
            matches!(part, Part::Record(_)).then_some((&snapshot.summary.name, shapes))
        });
        let mut odd = None;
        for (source, shapes) in own {
            if !is_odd(person.key.as_str(), shapes, &self.cards) {
                return None;
            }
            odd = odd.or(Some(source));
        }
        odd.map(|source| HoldReason::OddKey { source: source.clone() })
    }

    /// Cards whose key looks the same as this one and has characters that nobody sees.
    pub(super) fn disguised(&self, key: &Key) -> &[usize] {
        self.disguised.get(key.as_str()).map_or(&[], Vec::as_slice)
    }
}
