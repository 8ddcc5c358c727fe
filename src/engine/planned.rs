//! From what was read and remembered to a judged plan, without a writer at hand.

use super::Source;
use super::former::{Former, kept};
use super::gather::ReadParts;
use super::groups::read_groups;
use super::run::RunError;
use super::settled::SettledRead;
use super::state::StateReader;
use super::target::TargetReader;
use crate::core::guard::{Judged, judge};
use crate::core::input::PlanInput;
use crate::core::model::identity::Describe;
use crate::core::model::key::KeyReading;
use crate::core::plan::Plan;
use crate::core::planner::plan;
use std::sync::Arc;

/// A plan with all that it was made of.
pub struct Planned {
    pub judged: Judged,
    pub input: Arc<PlanInput>,
}

impl Planned {
    /// Plans and judges what is in the input, groups of operators included: a plan made again from a kept one.
    pub fn new(input: impl Into<Arc<PlanInput>>, describe: &dyn Describe) -> Self {
        let input = input.into();
        let judged = judge(plan(&input, describe), &input);
        Self { judged, input }
    }

    /// The part of one person. Budgets, windows, holds and first contact were judged over everybody.
    pub fn only(self, typed: &str) -> Result<Self, RunError> {
        let Self { judged, input } = self;
        let key = match input.policy.key.read(typed) {
            KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => key,
            KeyReading::None | KeyReading::Anonymized => return Err(RunError::Nobody(typed.to_owned())),
        };
        let has_key = |text: &str| matches!(input.policy.key.read(text), KeyReading::Key(found) if found == key);
        let in_sources = || input.snapshots.iter().any(|snapshot| snapshot.names(&key));
        let field = input.policy.key.card_field;
        let on_cards = || {
            input
                .target
                .cards
                .iter()
                .any(|card| card.fields.text(field).is_some_and(has_key))
        };
        let in_ledger = || input.ledger.values().any(|entry| entry.key.as_ref() == Some(&key));
        if !in_sources() && !on_cards() && !in_ledger() {
            return Err(RunError::Nobody(typed.to_owned()));
        }
        let judged = judged.only(&key);
        Ok(Self { judged, input })
    }
}

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Reads, plans and judges. Sends nothing but GET and changes no state.
    pub async fn plan(&self, store: &impl StateReader) -> Result<Planned, RunError> {
        let read = self.read_settled(store, None).await?;
        Ok(self.planned(read).await)
    }

    /// Plans, and plans under another configuration from the same reads, as far as they can be compared. Sends nothing but
    /// GET and changes no state.
    pub async fn plan_beside(
        &self,
        store: &impl StateReader,
        other: Former,
    ) -> Result<(Planned, Option<Plan>), RunError> {
        let SettledRead {
            readings,
            remembered,
            open,
        } = self.read_settled(store, Some(other)).await?;
        let (mut input, other) = self.input_beside(readings, remembered, open);
        let other = other.and_then(|other| other.plan(&mut input, &self.rules));
        input.former = other.as_ref().map(kept);
        let made = plan(&input, self.mapping);
        input.groups = read_groups(self.reader, &made).await;
        let judged = judge(made, &input);
        let input = Arc::new(input);
        Ok((Planned { judged, input }, other))
    }

    /// The groups of operators are read only for those that the plan touches, so between planning and judging.
    pub(crate) async fn planned(&self, read: SettledRead) -> Planned {
        let mut input = self.input(read.readings, read.remembered, read.open);
        let made = plan(&input, self.mapping);
        input.groups = read_groups(self.reader, &made).await;
        let mut judged = judge(made, &input);
        // The guard knows a configuration by its hash; its text is for the comparison with the next one.
        if let Some(seen) = judged
            .contact
            .seen
            .as_mut()
            .filter(|seen| seen.config_hash == self.policy.config_hash)
        {
            seen.config = Some(self.config.clone());
        }
        let input = Arc::new(input);
        Planned { judged, input }
    }
}
