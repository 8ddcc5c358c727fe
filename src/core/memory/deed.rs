//! What earlier runs wrote, as the journal has it.

use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::ids::{CardId, ItemId, RunId};
use crate::core::plan::{ActionKind, Change, Step};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One request of an earlier run that took effect, or of which nobody knows, as the journal has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    pub run: RunId,
    pub item: ItemId,
    pub action: ActionKind,
    pub card: Option<CardId>,
    pub at: DateTime<Utc>,
    /// False: its answer was lost, and no read has settled it yet.
    pub certain: bool,
    /// `None` where the person's data was forgotten.
    pub written: Option<Written>,
}

/// What a request wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Written {
    pub change: Change,
    pub step: Step,
    pub before: Option<PersonCard>,
    pub after: Option<PersonCard>,
    pub operators_before: Vec<OperatorCard>,
}
