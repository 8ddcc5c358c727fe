//! People who stood apart at the last look and do not any more (RULES 4.7): many at once are as suspect as many leavers.

use super::Planner;
use crate::core::memory::apart::Apart;
use crate::core::model::key::Key;
use crate::core::plan::ActionKind;
use crate::core::plan::hold::HoldReason;
use crate::core::reads::cards::CardState;
use crate::core::reads::snapshot::Use;
use crate::core::rules::lifecycle::Leaving;
use std::collections::BTreeSet;

impl Planner<'_> {
    /// Somebody who leaves or is out of scope, and has no active card.
    pub(super) fn stands_apart(&mut self, key: &Key) {
        self.apart.known.insert(key.clone());
    }

    pub(super) fn count_judged(&mut self, state: &Leaving) {
        match state {
            Leaving::Unknown(_) => self.judged.unknown += 1,
            Leaving::No | Leaving::NextContract | Leaving::ContractsEnded | Leaving::Later { .. } | Leaving::Now(_) => {
                self.judged.decided += 1
            }
        }
    }

    /// Holds the cards of people whose evidence of leaving, or whose place out of scope, vanished together with that of many
    /// others; or while a source doubts its own read for that.
    pub(super) fn hold_mass_return(&mut self) {
        let before = &self.input.contact.apart;
        let doubted = self.input.snapshots.iter().any(|snapshot| snapshot.cannot(Use::Return));
        let returning: Vec<usize> = (0..self.drafts.len())
            .filter(|number| {
                let draft = &self.drafts[*number];
                let stood_apart = |key: &Key| before.known.contains(key) || before.vanished.contains(key);
                returns(draft.action.kind()) && draft.key.as_ref().is_some_and(stood_apart)
            })
            .collect();
        let of = |number: &usize| self.drafts[*number].key.as_ref();
        let fresh = returning
            .iter()
            .filter_map(of)
            .filter(|key| !before.vanished.contains(*key));
        let fresh = fresh.collect::<BTreeSet<_>>().len() as u64;
        let many = doubted || before.is_mass_return(fresh);
        let waits = |key: &Key| many || before.vanished.contains(key);
        let held: Vec<usize> = returning
            .into_iter()
            .filter(|number| of(number).is_some_and(waits))
            .collect();
        for number in held {
            let draft = &mut self.drafts[number];
            draft.doubts.push(HoldReason::EvidenceVanished);
            self.apart.vanished.extend(draft.key.clone());
        }
    }

    /// Who stands apart after this look. Whoever could not be judged, or whose card is still to come, stays among them.
    pub(super) fn apart_after(&mut self, full_look: bool) -> Apart {
        let before = &self.input.contact.apart;
        let stays = |key: &&Key| {
            let present = || self.population.sources_with(key).next().is_some();
            !full_look || present() && self.index.group(key).active.is_empty()
        };
        let mut apart = std::mem::take(&mut self.apart);
        apart.vanished.extend(before.vanished.iter().filter(stays).cloned());
        apart.known.extend(before.known.iter().filter(stays).cloned());
        // Of somebody who was anonymized nothing is kept; a card for them is held as drift.
        apart.known.retain(|key| !self.is_anonymized(key));
        apart.vanished.retain(|key| !self.is_anonymized(key));
        apart.asked.retain(|key, _| !self.is_anonymized(key));
        apart
    }

    fn is_anonymized(&self, key: &Key) -> bool {
        let entry = self.memory.by_key.get(key);
        let card = entry.and_then(|entry| self.index.position(&entry.card));
        self.input.purged_keys.contains(key)
            || card.is_some_and(|card| *self.index.state(card) == CardState::Anonymized)
    }
}

fn returns(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::Create | ActionKind::Unarchive)
}
