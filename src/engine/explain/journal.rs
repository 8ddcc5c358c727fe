//! What the journal has about one person: every request that was sent for their cards, by whatever run.

use crate::core::model::ids::{CardId, ItemId, OperatorId, PlanId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::view::FromTo;
use crate::engine::state::StoreError;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;

/// One request with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JournalEntry {
    pub run: RunId,
    pub plan_id: PlanId,
    pub item: ItemId,
    /// The kind of change, e.g. `update`.
    pub action: String,
    /// The kind of request, e.g. `patch_card`: a change may take several.
    pub step: String,
    pub key: Option<Key>,
    pub person_id: Option<CardId>,
    pub sent_at: DateTime<Utc>,
    /// What was to be written; empty once the person was purged.
    pub fields: BTreeMap<String, FromTo>,
    pub why: Vec<String>,
    /// Operators linked to the card when it was sent.
    pub operators: Vec<OperatorId>,
    /// Who approved the item, where it needed that.
    pub approved_by: Option<String>,
    /// `done`, `not_done`, `in_doubt`, `held` or `not_reached`; null where the run was cut off.
    pub outcome: Option<String>,
    pub message: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
    /// What a later run found by reading, where the outcome was missing or in doubt.
    pub settled: Option<String>,
    pub settled_by: Option<RunId>,
}

/// Reads the journal of one person.
pub trait JournalReader {
    /// Every request about one of these cards or keys, oldest first. Changes nothing.
    fn journal_about(
        &self,
        cards: &[CardId],
        keys: &[Key],
    ) -> impl Future<Output = Result<Vec<JournalEntry>, StoreError>> + Send;
}
