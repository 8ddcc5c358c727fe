//! What was decided so far, as the log of decisions tells it.

use crate::core::memory::decision::{Decision, WhyEnded};
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::ActionKind;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A decision and what it was about, as far as that is still known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoggedDecision {
    #[serde(flatten)]
    pub decision: Decision,
    pub action: Option<ActionKind>,
    pub key: Option<Key>,
    pub card: Option<CardId>,
    /// When and why it said nothing any more; `None` while it is in force, or ran out or was replaced.
    pub ended: Option<DecisionEnd>,
}

/// The end of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionEnd {
    pub at: DateTime<Utc>,
    pub why: WhyEnded,
    /// Who took it back.
    pub by: Option<String>,
}
