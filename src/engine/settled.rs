//! What every command that plans begins with: what is remembered, a read, and whatever earlier runs left open settled
//! by that read. And what those that write beside the sync, such as an undo, end with.

use super::Source;
use super::former::Former;
use super::gather::{ReadParts, Readings};
use super::recover::{Settled, settle};
use super::run::{RunError, WriteParts, open_cards, take_in};
use super::state::{KeptHold, OpenIntent, Remembered, RunLease, StateReader, StateWriter};
use super::stopping::unless_stopped;
use super::target::{TargetReader, TargetWriter};
use crate::core::memory::decision::HeldItem;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::report::{ChangeOutcome, Outcome};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A read, and what is known before it is planned on.
pub struct SettledRead {
    pub readings: Readings,
    pub remembered: Remembered,
    /// Cards of changes that were begun, and of which the read does not say how they ended.
    pub open: BTreeSet<CardId>,
}

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Sends nothing but GET and changes no state. What a former configuration needs besides is read where one is given,
    /// else where the store knows of a change of the configuration.
    pub(crate) async fn read_settled(
        &self,
        store: &impl StateReader,
        other: Option<Former>,
    ) -> Result<SettledRead, RunError> {
        let mut remembered = store.load(self.clock.now()).await?;
        let open = store.open_intents().await?;
        let readings = match other {
            Some(other) => self.read_beside(&remembered, Some(other)).await?,
            None => self.read(&remembered).await?,
        };
        let settled = settled_by(open, &readings, &remembered);
        take_in(&settled, &mut remembered);
        Ok(SettledRead {
            readings,
            remembered,
            open: open_cards(&settled),
        })
    }

    /// The same for a command that writes: what was settled is kept, and half-done changes are brought to their end; gives
    /// what was written for those, and what is half-way still. The caller has the lease.
    pub(crate) async fn settle_to_write<W: TargetWriter, T: StateWriter>(
        &self,
        parts: &WriteParts<'_, W, T>,
        lease: &RunLease,
    ) -> Result<(SettledRead, Vec<ChangeOutcome>), RunError> {
        let store = parts.store;
        let mut remembered = store.load(self.clock.now()).await?;
        let open = store.open_intents().await?;
        let mut readings = unless_stopped(parts.stop, Box::pin(self.read(&remembered)))
            .await
            .ok_or(RunError::Stopped)??;
        let settled = settled_by(open, &readings, &remembered);
        self.keep_settled(store, lease, &settled).await?;
        take_in(&settled, &mut remembered);
        let complete = self.complete(parts, lease, &settled, &mut readings, &mut remembered);
        let left = Box::pin(complete).await?;
        let read = SettledRead {
            readings,
            remembered,
            open: open_cards(&settled),
        };
        Ok((read, left))
    }
}

fn settled_by(open: Vec<OpenIntent>, readings: &Readings, remembered: &Remembered) -> Vec<Settled> {
    let trusted = readings.clock.is_trusted();
    settle(open, &readings.target, trusted, remembered, &readings.policy.key)
}

/// Since when each item of earlier runs waits; the items that still wait keep that time.
pub(crate) fn waiting_since<'a>(
    earlier: &'a [KeptHold],
    holds: &mut [HeldItem],
) -> BTreeMap<&'a ItemId, DateTime<Utc>> {
    let since: BTreeMap<&ItemId, _> = earlier
        .iter()
        .map(|kept| (&kept.item.change.id, kept.item.since))
        .collect();
    for hold in holds {
        hold.since = since.get(&hold.change.id).copied().unwrap_or(hold.since);
    }
    since
}

/// The items that were carried out.
pub(crate) fn done_of(outcomes: &[ChangeOutcome]) -> Vec<ItemId> {
    let done = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.outcome, Outcome::Done { .. }));
    done.map(|outcome| outcome.item.clone()).collect()
}
