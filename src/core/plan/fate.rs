//! What becomes of the archived operators of a card that is made active again. Whether TOPdesk wakes an operator with its
//! person is not documented for certain, so the end is said here and made true by requests of its own where it must be.

use crate::core::model::ids::OperatorId;
use serde::{Deserialize, Serialize};

/// Operators that are archived by a request of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedApart {
    /// Active ones that this TOPdesk does not archive with the card.
    pub operators: Vec<OperatorId>,
    /// The card is archived already: only they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_behind: bool,
}

impl ArchivedApart {
    /// Nobody: TOPdesk archives them with the card, or there are none.
    pub fn is_nobody(&self) -> bool {
        self.operators.is_empty()
    }
}

/// What becomes of the archived operators of a card that is made active again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum OperatorFate {
    /// Whatever TOPdesk makes of them.
    #[default]
    AsItFalls,
    /// Those that were active when the card was archived are woken; the others are put back, should they wake with the card.
    Restore {
        wake: Vec<OperatorId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keep: Vec<OperatorId>,
        /// Active ones that may log in again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        arm: Vec<OperatorId>,
        /// Archiving reason: an id of TOPdesk, as for archives.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Box<str>>,
    },
    /// They are put back at once, should they wake with the card.
    KeepArchived {
        keep: Vec<OperatorId>,
        /// An account that may archive operators is known, so that putting back can be counted on.
        proven: bool,
        /// Archiving reason: an id of TOPdesk, as for archives.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Box<str>>,
    },
}

impl OperatorFate {
    /// The way back to a former state: `wake` were active then, `keep` were not, and `arm` could log in.
    pub fn back_to(
        wake: Vec<OperatorId>,
        keep: Vec<OperatorId>,
        arm: Vec<OperatorId>,
        reason: Option<Box<str>>,
    ) -> Self {
        // No reason is needed, nor part of the item, where nobody is put back.
        let reason = reason.filter(|_| !keep.is_empty());
        match (wake.is_empty() && arm.is_empty(), keep.is_empty()) {
            (true, true) => OperatorFate::AsItFalls,
            (true, false) => OperatorFate::KeepArchived {
                keep,
                proven: false,
                reason,
            },
            (false, _) => OperatorFate::Restore {
                wake,
                keep,
                arm,
                reason,
            },
        }
    }

    /// Whether nothing is said.
    pub fn is_as_it_falls(&self) -> bool {
        *self == OperatorFate::AsItFalls
    }

    /// Those that are woken, whether or not they wake with the card.
    pub fn wakes(&self) -> &[OperatorId] {
        match self {
            OperatorFate::Restore { wake, .. } => wake,
            OperatorFate::AsItFalls | OperatorFate::KeepArchived { .. } => &[],
        }
    }

    /// Those that are archived at the end, whether or not they wake with the card.
    pub fn keeps(&self) -> &[OperatorId] {
        match self {
            OperatorFate::Restore { keep, .. } | OperatorFate::KeepArchived { keep, .. } => keep,
            OperatorFate::AsItFalls => &[],
        }
    }

    /// Those that may log in again.
    pub fn arms(&self) -> &[OperatorId] {
        match self {
            OperatorFate::Restore { arm, .. } => arm,
            OperatorFate::AsItFalls | OperatorFate::KeepArchived { .. } => &[],
        }
    }

    /// The reason with which they are put back.
    pub fn reason(&self) -> Option<&str> {
        match self {
            OperatorFate::Restore { reason, .. } | OperatorFate::KeepArchived { reason, .. } => reason.as_deref(),
            OperatorFate::AsItFalls => None,
        }
    }
}
