//! What a leaver with an operator leaves to nobody: cards that still have them as their manager. (Operator groups without an
//! active operator are found by the guard, which has read the groups.)

use super::{Draft, Planner};
use crate::core::model::card::OperatorLink;
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::plan::hold::work_left;
use crate::core::plan::{Action, ActionKind, HoldReason};
use crate::core::reads::cards::CardState;
use crate::core::rules::policy::WorkLeft;
use std::collections::{BTreeMap, BTreeSet};

/// How many cards are named.
const EXAMPLES: usize = 5;

impl Planner<'_> {
    /// Marks the archives that leave such work, once it is known who else goes and who gets another manager.
    pub(super) fn work_left(&self, drafts: &mut [Draft]) {
        let hold = match self.input.policy.work_left {
            WorkLeft::Off => return,
            WorkLeft::Report => false,
            WorkLeft::Hold => true,
        };
        let leavers: BTreeSet<usize> = drafts
            .iter()
            .filter(|draft| takes_operator(draft))
            .filter_map(|draft| draft.card)
            .collect();
        if leavers.is_empty() {
            return;
        }
        let unread = self.input.target.unknown_fields.contains(&CardField::Manager);
        let mut left = if unread {
            BTreeMap::new()
        } else {
            self.managed_by(&leavers, drafts)
        };
        for draft in drafts.iter_mut().filter(|draft| takes_operator(draft)) {
            let cards = draft.card.and_then(|card| left.remove(&card));
            if cards.is_none() && !unread {
                continue;
            }
            let mut examples = cards.unwrap_or_default();
            examples.sort();
            let manager_of = (!unread).then_some(examples.len() as u64);
            examples.truncate(EXAMPLES);
            if hold {
                draft.doubts.push(HoldReason::WorkLeft { manager_of, examples });
            } else {
                draft.why.push(work_left(manager_of, &examples));
            }
        }
    }

    /// The active cards that have one of these as their manager, and will have after this plan.
    fn managed_by(&self, leavers: &BTreeSet<usize>, drafts: &[Draft]) -> BTreeMap<usize, Vec<Box<str>>> {
        let goes = |draft: &Draft| draft.action.kind() == ActionKind::Archive;
        let moves = |draft: &Draft| {
            draft
                .action
                .fields()
                .iter()
                .any(|change| change.field == CardField::Manager)
        };
        let settled = drafts.iter().filter(|draft| goes(draft) || moves(draft));
        let settled: BTreeSet<usize> = settled.filter_map(|draft| draft.card).collect();
        let mut left: BTreeMap<usize, Vec<Box<str>>> = BTreeMap::new();
        for (card, stored) in self.index.cards.iter().enumerate() {
            let Some(FieldValue::Reference(Reference::Card { id, .. })) = stored.fields.get(CardField::Manager) else {
                continue;
            };
            if stored.archived || settled.contains(&card) {
                continue;
            }
            if let Some(manager) = self
                .index
                .position(id)
                .filter(|manager| leavers.contains(manager) && *manager != card)
            {
                let name = match self.index.state(card) {
                    CardState::Keyed(key) => key.as_str(),
                    CardState::Keyless | CardState::Anonymized => stored.id.as_str(),
                };
                left.entry(manager).or_default().push(name.into());
            }
        }
        left
    }
}

fn takes_operator(draft: &Draft) -> bool {
    matches!(
        (&draft.action, &draft.operator),
        (Action::Archive { .. }, OperatorLink::Active { .. })
    )
}
