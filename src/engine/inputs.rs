//! The input of a run's plan as it is kept: what a plan is made of once more, without any server.

use crate::domain::ids::{CardId, PlanId, RunId};
use crate::domain::input::PlanInput;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many inputs are kept.
pub const MOST_KEPT: usize = 3;

/// And none for longer than this.
pub const KEPT_FOR: Duration = Duration::days(7);

/// What stands before a kept input, so that it can be found without reading all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHeader {
    pub run: RunId,
    /// The version of cardsync that made the plan.
    pub version: String,
    /// When it was kept, by the machine's clock.
    pub kept_at: DateTime<Utc>,
    /// The moment the plan was made for.
    pub moment: DateTime<Utc>,
    pub plan: PlanId,
    pub fingerprint: String,
    /// The effective configuration as YAML, without secrets.
    pub config: String,
    /// People who were taken out because TOPdesk or we anonymized them: the card ids. A plan made of what is left can differ.
    pub forgotten: BTreeSet<CardId>,
}

/// A kept input.
#[derive(Clone, Debug)]
pub struct KeptInput {
    pub header: KeptHeader,
    pub input: Arc<PlanInput>,
}

impl KeptInput {
    /// Takes people out, see [`PlanInput::forget`].
    #[must_use]
    pub fn without(mut self, cards: &BTreeSet<CardId>) -> Self {
        if self.input.remembers(cards) {
            Arc::make_mut(&mut self.input).forget(cards);
        }
        self.header.forgotten.extend(cards.iter().cloned());
        self
    }
}
