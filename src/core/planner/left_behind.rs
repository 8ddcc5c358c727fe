//! Active operators behind archived cards of ours: an account that is open and that nobody counts. Whatever the reason, it is
//! told in every run until somebody has acted.

use super::{Draft, Planner};
use crate::core::model::key::Key;
use crate::core::plan::fate::ArchivedApart;
use crate::core::plan::{Action, ActionKind, HoldReason};
use crate::core::reads::cards::CardState;
use std::collections::BTreeSet;

impl Planner<'_> {
    /// An item for each such card that this plan does not make active again: it waits for a decision of its own.
    pub(super) fn left_behind(&mut self) {
        let woken: BTreeSet<usize> = self
            .drafts
            .iter()
            .filter(|draft| draft.action.kind() == ActionKind::Unarchive)
            .filter_map(|draft| draft.card)
            .collect();
        // What is the matter with a conflict is told with it, and nothing happens to anybody in it.
        let conflicts: BTreeSet<Key> = self.conflicts.iter().map(|conflict| conflict.key.clone()).collect();
        for card in 0..self.index.cards.len() {
            if !self.index.cards[card].archived || woken.contains(&card) {
                continue;
            }
            let key = match (
                self.known[card].and_then(|entry| entry.key.clone()),
                self.index.state(card),
            ) {
                (Some(key), CardState::Keyed(on_card)) if key == *on_card && !conflicts.contains(&key) => key,
                (_, _) => continue,
            };
            let operators = self.index.active_operators(card);
            if operators.is_empty() || self.index.is_special(card) || self.is_protected(Some(&key), Some(card)) {
                continue;
            }
            let operator = self.index.operator(card);
            let mut doubts = self.archive_doubts();
            if !self.input.clock.is_trusted() {
                doubts.push(HoldReason::ClockDoubted);
            }
            doubts.push(HoldReason::OperatorStaysActive {
                operators: operators.clone(),
            });
            self.draft(Draft {
                doubts,
                why: vec!["the person card is archived already: only the operator would be archived".to_owned()],
                ..Draft::new(
                    Action::Archive {
                        reason: self.input.target.archiving_reason.clone(),
                        disarm: Vec::new(),
                        apart: ArchivedApart {
                            operators,
                            left_behind: true,
                        },
                        number: Vec::new(),
                    },
                    Some(key),
                    Some(card),
                    operator,
                )
            });
        }
    }
}
