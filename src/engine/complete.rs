//! Completes what an earlier run left half-way, before this run plans anything (RULES 10).

use super::Source;
use super::apply::{Applier, ApplyState};
use super::gather::{ReadParts, Readings};
use super::recover::Settled;
use super::run::{WriteParts, open_cards};
use super::state::{Halfway, KeyHasher, OpenIntent, Remembered, RunLease, StateWriter, StoreError};
use super::target::{TargetReader, TargetWriter};
use crate::core::guard::Judged;
use crate::core::input::PlanInput;
use crate::core::memory::decision::SetAside;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::ids::CardId;
use crate::core::plan::concern::{ConcernCode, half_way, in_order};
use crate::core::plan::report::ChangeOutcome;
use crate::core::plan::safe_end::HalfDone;
use chrono::Utc;
use std::collections::BTreeMap;
use std::time::Instant;

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Drives every half-done change to its safe end and brings what was read up to date. Gives what was written for it, and
    /// what is left half-way.
    pub(super) async fn complete<W: TargetWriter, T: StateWriter>(
        &self,
        parts: &WriteParts<'_, W, T>,
        lease: &RunLease,
        settled: &[Settled],
        readings: &mut Readings,
        remembered: &mut Remembered,
    ) -> Result<Vec<ChangeOutcome>, StoreError> {
        let halves = parts.store.halfway().await?;
        if halves.is_empty() {
            return Ok(Vec::new());
        }
        let input = self.input(readings.alone(), remembered.clone(), open_cards(settled));
        let hasher = remembered.hasher.clone();
        let applier = self.applier(parts, lease, &input, remembered.ledger.clone(), &hasher);
        let still_open = settled.iter().filter(|one| one.outcome.is_none());
        let open: Vec<&OpenIntent> = still_open.map(|one| &one.intent).collect();
        let completed = applier.complete(&halves, &open).await?;
        remembered.ledger.extend(applier.state.take_learned());
        for seen in completed.seen {
            // What was written just now is no news of another cardsync.
            let newest = seen.cards.iter().filter_map(|card| card.modified_at).max();
            if let (Some(modified_at), Some(last)) = (newest, &mut remembered.last_write) {
                last.modified_at = last.modified_at.max(modified_at);
            }
            readings.target.take_in(seen.cards, seen.operators);
        }
        remembered.half_done = parts.store.halfway().await?.iter().map(Halfway::known).collect();
        for (item, reason) in completed.refused {
            // Decisions are made on the machine's clock, so what they must come after is noted on it too.
            let at = Utc::now();
            remembered.set_aside.insert(item, SetAside { reason, at });
        }
        Ok(completed.outcomes)
    }

    /// Puts on the list what is half-way now: the run may have ended some of it, and begun other.
    pub(super) async fn note_half_ways<T: StateWriter>(
        &self,
        store: &T,
        judged: &mut Judged,
        input: &PlanInput,
    ) -> Result<(), StoreError> {
        let halves = store.halfway().await?;
        let halves: Vec<HalfDone> = halves.iter().map(Halfway::known).collect();
        judged.concerns.retain(|concern| concern.code != ConcernCode::HalfWay);
        judged
            .concerns
            .extend(half_way(&halves, &input.decisions, input.moment.now));
        in_order(&mut judged.concerns);
        Ok(())
    }

    /// What sends the changes of a plan.
    pub(super) fn applier<'p, W: TargetWriter, T: StateWriter>(
        &'p self,
        parts: &'p WriteParts<'_, W, T>,
        lease: &'p RunLease,
        input: &'p PlanInput,
        ledger: BTreeMap<CardId, LedgerEntry>,
        hasher: &'p KeyHasher,
    ) -> Applier<'p, R, W, T> {
        Applier {
            reader: self.reader,
            writer: parts.writer,
            operator_account: parts.operator_account,
            ends_at: parts.limit.map(|limit| Instant::now() + limit),
            store: parts.store,
            lease,
            input,
            ledger,
            hasher,
            clock: self.clock,
            progress: self.progress,
            concurrency: parts.concurrency,
            fields: self.wants.fields.clone(),
            stop: parts.stop,
            state: ApplyState::default(),
        }
    }
}
