//! The requests that a change takes. Which they are, and where a change that was cut off between them is driven to, is in
//! [`crate::core::plan::safe_end`].

use crate::core::model::card::OperatorCard;
use crate::core::model::field::LookupKind;
use crate::core::model::ids::{CardId, ItemId, OperatorId};
use crate::core::plan::FieldChange;
use serde::{Deserialize, Serialize};

/// The card a step writes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardTarget {
    Known(CardId),
    /// The card that this earlier change makes.
    MadeBy(ItemId),
}

/// One request to TOPdesk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    CreateEntry {
        list: LookupKind,
        name: Box<str>,
    },
    CreateCard {
        fields: Vec<FieldChange>,
    },
    PatchCard {
        card: CardTarget,
        fields: Vec<FieldChange>,
    },
    ArchiveCard {
        card: CardId,
        reason: Option<Box<str>>,
    },
    UnarchiveCard {
        card: CardId,
    },
    /// The operator alone; its person card stays as it is.
    ArchiveOperator {
        operator: OperatorId,
        reason: Option<Box<str>>,
    },
    /// The operator is made active again, and its person card with it.
    UnarchiveOperator {
        operator: OperatorId,
    },
    /// An active operator may log in, or may not.
    SetLoginPermission {
        operator: OperatorId,
        allowed: bool,
    },
}

impl Step {
    /// Whether what it would leave behind is what these steps, sent later and answered, left behind: then that it shows says
    /// nothing of whether this one ever left.
    pub fn is_overtaken_by(&self, later: &[Step]) -> bool {
        match self {
            Step::PatchCard {
                card: CardTarget::Known(card),
                fields,
            } => {
                !fields.is_empty()
                    && fields.iter().all(|wanted| {
                        later.iter().any(|other| {
                            matches!(other, Step::PatchCard { card: CardTarget::Known(to), fields } if to == card
                        && fields.iter().any(|it| it.field == wanted.field && it.to == wanted.to))
                        })
                    })
            }
            Step::ArchiveCard { card, .. } => later
                .iter()
                .any(|other| matches!(other, Step::ArchiveCard { card: to, .. } if to == card)),
            Step::ArchiveOperator { operator, .. } => later
                .iter()
                .any(|other| matches!(other, Step::ArchiveOperator { operator: to, .. } if to == operator)),
            // A card that was made has its key frozen until that is settled, so none is made again before.
            Step::CreateCard { .. }
            | Step::PatchCard {
                card: CardTarget::MadeBy(_),
                ..
            } => false,
            Step::CreateEntry { .. }
            | Step::UnarchiveCard { .. }
            | Step::UnarchiveOperator { .. }
            | Step::SetLoginPermission { .. } => later.contains(self),
        }
    }

    /// The card it writes to, where that is known before.
    pub fn card(&self) -> Option<&CardId> {
        match self {
            Step::PatchCard {
                card: CardTarget::Known(card),
                ..
            }
            | Step::ArchiveCard { card, .. }
            | Step::UnarchiveCard { card } => Some(card),
            Step::PatchCard {
                card: CardTarget::MadeBy(_),
                ..
            }
            | Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::ArchiveOperator { .. }
            | Step::UnarchiveOperator { .. }
            | Step::SetLoginPermission { .. } => None,
        }
    }

    /// The operator it writes to, where it writes to one itself.
    pub fn operator(&self) -> Option<&OperatorId> {
        match self {
            Step::ArchiveOperator { operator, .. }
            | Step::UnarchiveOperator { operator }
            | Step::SetLoginPermission { operator, .. } => Some(operator),
            Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::PatchCard { .. }
            | Step::ArchiveCard { .. }
            | Step::UnarchiveCard { .. } => None,
        }
    }

    /// Whether an operator is as this step would leave it; `None` for a step that writes to no operator itself.
    pub fn shows_in(&self, operator: &OperatorCard) -> Option<bool> {
        match self {
            Step::ArchiveOperator { .. } => Some(operator.archived),
            Step::UnarchiveOperator { .. } => Some(!operator.archived),
            Step::SetLoginPermission { allowed, .. } => Some(operator.login_permission == Some(*allowed)),
            Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::PatchCard { .. }
            | Step::ArchiveCard { .. }
            | Step::UnarchiveCard { .. } => None,
        }
    }
}
