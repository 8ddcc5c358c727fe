//! What an undo took back is pinned: the sync holds it until somebody approves it or the sources say something else, so
//! that undo and sync never fight.
//!
//! A pin stands as long as the sync wants to do again what was undone. Once a whole look at everything gives no such
//! change any more, the cause has gone and the pin goes with it.

use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::{CardId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{Action, Change, Evidence, EvidenceCode, FieldChange, Plan};
use crate::core::reads::diff::same;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that an undo took back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    pub card: CardId,
    pub what: Pinned,
    /// The operating-system user who undid it.
    pub by: String,
    pub at: DateTime<Utc>,
    /// The run of the undo.
    pub run: RunId,
}

/// What is not done again by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "pinned")]
pub enum Pinned {
    /// Archiving the card on this evidence, or on weaker.
    Archive { evidence: BTreeSet<EvidenceCode> },
    /// Making the card active again.
    Unarchive,
    /// Writing this key onto the card.
    Adopt { key: Key },
    /// Giving the field this value; `None` empties it.
    Field { field: CardField, to: Option<FieldValue> },
}

impl Pin {
    /// The place of a pin on its card: a later one in the same place replaces it.
    pub fn place(&self) -> String {
        match &self.what {
            Pinned::Archive { .. } | Pinned::Unarchive => "lifecycle".to_owned(),
            Pinned::Adopt { .. } => "key".to_owned(),
            Pinned::Field { field, .. } => format!("field {field}"),
        }
    }

    /// Why what it pins is held.
    pub fn reason(&self) -> HoldReason {
        HoldReason::Undone {
            by: self.by.clone(),
            at: self.at,
        }
    }

    /// Whether it holds a whole change of its card. Fields are asked for one by one, see [`Pin::holds_field`].
    pub fn holds_action(&self, action: &Action, key: Option<&Key>, evidence: &[Evidence]) -> bool {
        match (&self.what, action) {
            (Pinned::Archive { evidence: pinned }, Action::Archive { .. }) => {
                // A record that goes after it said so says less than before, and nothing new. The strongest code comes first.
                evidence.iter().map(|evidence| evidence.code).min() >= pinned.first().copied()
            }
            (Pinned::Unarchive, Action::Unarchive { .. }) => true,
            (Pinned::Adopt { key: pinned }, Action::Adopt { .. }) => key == Some(pinned),
            (Pinned::Adopt { key: pinned }, Action::Exchange { other, .. }) => {
                if other.card == self.card {
                    other.key == *pinned
                } else {
                    key == Some(pinned)
                }
            }
            (
                Pinned::Archive { .. } | Pinned::Unarchive | Pinned::Adopt { .. } | Pinned::Field { .. },
                _other_action,
            ) => false,
        }
    }

    /// Whether it keeps this card archived.
    pub fn keeps_archived(&self, card: &CardId) -> bool {
        self.card == *card && self.what == Pinned::Unarchive
    }

    /// Whether it holds this change of a field of its card.
    pub fn holds_field(&self, change: &FieldChange) -> bool {
        match &self.what {
            Pinned::Field { field, to } => {
                *field == change.field && same(to.as_ref(), change.to.as_ref(), field.kind())
            }
            Pinned::Archive { .. } | Pinned::Unarchive | Pinned::Adopt { .. } => false,
        }
    }

    fn concerns(&self, change: &Change) -> bool {
        change.cards().contains(&&self.card)
            && (self.holds_action(&change.action, change.key.as_ref(), &change.evidence)
                || change.action.fields().iter().any(|field| self.holds_field(field)))
    }
}

/// The pins that still stand after a plan of the sync. Somebody who could not be judged, or who is only counted yet, is no
/// proof that the cause has gone.
pub fn standing(plan: &Plan, pins: &[Pin]) -> Vec<Pin> {
    if !plan.full_look || pins.is_empty() {
        return pins.to_vec();
    }
    let mut changes: BTreeMap<&CardId, Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        for card in change.cards() {
            changes.entry(card).or_default().push(change);
        }
    }
    let skipped: BTreeSet<&CardId> = plan.skipped.iter().filter_map(|skip| skip.card.as_ref()).collect();
    let in_conflict: BTreeSet<&CardId> = plan.conflicts.iter().flat_map(|it| &it.cards).collect();
    let open = |card: &CardId| {
        skipped.contains(card)
            || in_conflict.contains(card)
            || plan.undecided.contains(card)
            || plan.counting_absent.contains(card)
    };
    let wanted = |pin: &Pin| {
        let of_card = changes.get(&pin.card);
        of_card.is_some_and(|changes| changes.iter().any(|change| pin.concerns(change)))
    };
    pins.iter()
        .filter(|pin| open(&pin.card) || wanted(pin))
        .cloned()
        .collect()
}

/// The pins that stand once these are added: one per card and place.
pub fn with_new(pins: &[Pin], new: &[Pin]) -> Vec<Pin> {
    let both = pins.iter().chain(new);
    let by_place: BTreeMap<(CardId, String), Pin> =
        both.map(|pin| ((pin.card.clone(), pin.place()), pin.clone())).collect();
    by_place.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::fate::ArchivedApart;

    #[test]
    fn an_archive_that_was_undone_is_not_done_again_on_weaker_evidence() {
        let archive = Action::Archive {
            reason: None,
            disarm: Vec::new(),
            apart: ArchivedApart::default(),
            number: Vec::new(),
        };
        let pin = |code| Pin {
            card: "c-1".into(),
            what: Pinned::Archive {
                evidence: BTreeSet::from([code]),
            },
            by: "tester".to_owned(),
            at: DateTime::UNIX_EPOCH,
            run: "run".into(),
        };
        let holds =
            |pinned, code| pin(pinned).holds_action(&archive, None, &[Evidence::new(code, None, String::new())]);
        assert!(holds(EvidenceCode::LeaverCondition, EvidenceCode::LeaverCondition));
        assert!(holds(EvidenceCode::LeaverCondition, EvidenceCode::Missing));
        assert!(holds(EvidenceCode::ContractsEnded, EvidenceCode::NoCurrentRow));
        assert!(
            !holds(EvidenceCode::Missing, EvidenceCode::LeaverCondition),
            "that is new"
        );
    }
}
