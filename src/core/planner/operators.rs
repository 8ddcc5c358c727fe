//! What becomes of the operators of a card that is archived, or of one whose person comes back.

use super::Planner;
use crate::core::model::ids::OperatorId;
use crate::core::plan::fate::{ArchivedApart, OperatorFate};
use crate::core::rules::policy::RehireOperator;

impl Planner<'_> {
    /// The operators that would stay active when their card is archived.
    pub(super) fn archived_apart(&self, card: usize) -> ArchivedApart {
        let operators = if self.input.target.installation.archives_operators() {
            Vec::new()
        } else {
            self.index.active_operators(card)
        };
        ArchivedApart {
            operators,
            left_behind: false,
        }
    }

    /// What becomes of the archived operators of somebody who comes back.
    pub(super) fn fate(&self, card: usize) -> OperatorFate {
        let entry = self.known[card];
        let ours = entry.and_then(|entry| entry.archived_by_us.as_ref());
        let took = ours.map_or(&[][..], |ours| &ours.took_operators);
        let by_us = |operator: &OperatorId| {
            took.contains(operator) || entry.is_some_and(|entry| entry.archived_operators.contains(operator))
        };
        let archived = self.index.archived_operators(card);
        let reason = || self.input.target.archiving_reason.clone();
        let (taken, others): (Vec<OperatorId>, Vec<OperatorId>) =
            archived.iter().cloned().partition(|operator| took.contains(operator));
        match self.input.policy.rehire_operator {
            RehireOperator::Hold => OperatorFate::AsItFalls,
            // Who was no operator any more when the card was archived does not become one by coming back.
            RehireOperator::Restore => OperatorFate::back_to(taken, others, Vec::new(), reason()),
            RehireOperator::KeepArchived if archived.is_empty() => OperatorFate::AsItFalls,
            // That cardsync archived this very operator before is the proof that it can again: no right is missing, and it
            // is nobody whom TOPdesk protects.
            RehireOperator::KeepArchived => OperatorFate::KeepArchived {
                proven: archived.iter().all(by_us),
                keep: archived,
                reason: reason(),
            },
        }
    }
}

/// Which option decided about the operators.
pub(super) fn fate_words(fate: &OperatorFate) -> Option<String> {
    match fate {
        OperatorFate::AsItFalls => None,
        OperatorFate::Restore { .. } => Some(
            "lifecycle.rehire.operator is restore: an operator that was archived with the card wakes with it".to_owned(),
        ),
        OperatorFate::KeepArchived { proven: true, .. } => Some(
            "lifecycle.rehire.operator is keep_archived; cardsync has archived this operator before, so it can put it back"
                .to_owned(),
        ),
        OperatorFate::KeepArchived { proven: false, .. } => Some(
            "cardsync has not archived every operator of this card itself: that it can put them back is not proven"
                .to_owned(),
        ),
    }
}
