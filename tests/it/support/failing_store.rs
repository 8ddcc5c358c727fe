//! A store whose disk fills up at the wrong moment.

use cardsync::core::memory::decision::Decision;
use cardsync::core::memory::deed::Deed;
use cardsync::core::model::ids::{CardId, ItemId, RunId};
use cardsync::core::plan::report::RunReport;
use cardsync::engine::attention::KeptConcern;
use cardsync::engine::state::{
    Ending, Halfway, Intent, KeptHold, Learned, LoggedDecision, OpenIntent, Remembered, RunLease, StateReader,
    StateWriter, StoreError,
};
use cardsync::engine::target::IntentId;
use cardsync::store::SqliteStore;
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicU32, Ordering};

/// Which write of the journal meets the full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    Intent,
    Outcome,
}

/// Fails from the nth intent or outcome on.
pub struct FailingStore {
    pub inner: SqliteStore,
    pub full: Full,
    pub nth: u32,
    seen: AtomicU32,
}

impl FailingStore {
    pub fn new(inner: SqliteStore, full: Full, nth: u32) -> Self {
        Self {
            inner,
            full,
            nth,
            seen: AtomicU32::new(0),
        }
    }

    fn room(&self, what: Full) -> Result<(), StoreError> {
        if what == self.full && self.seen.fetch_add(1, Ordering::Relaxed) + 1 >= self.nth {
            return Err(StoreError::DiskFull {
                path: self.inner.path().to_owned(),
            });
        }
        Ok(())
    }
}

impl StateReader for FailingStore {
    async fn load(&self, now: DateTime<Utc>) -> Result<Remembered, StoreError> {
        self.inner.load(now).await
    }

    async fn holds(&self) -> Result<Vec<KeptHold>, StoreError> {
        self.inner.holds().await
    }

    async fn concerns(&self) -> Result<Vec<KeptConcern>, StoreError> {
        self.inner.concerns().await
    }

    async fn decisions(&self) -> Result<Vec<LoggedDecision>, StoreError> {
        self.inner.decisions().await
    }

    async fn history(&self, limit: u32) -> Result<Vec<RunReport>, StoreError> {
        self.inner.history(limit).await
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.inner.open_intents().await
    }

    async fn deeds(&self, of: &str) -> Result<Vec<Deed>, StoreError> {
        self.inner.deeds(of).await
    }

    async fn halfway(&self) -> Result<Vec<Halfway>, StoreError> {
        self.inner.halfway().await
    }
}

impl StateWriter for FailingStore {
    async fn acquire(&self, run: &RunId, command: &str, now: DateTime<Utc>) -> Result<RunLease, StoreError> {
        self.inner.acquire(run, command, now).await
    }

    async fn start_run(&self, lease: &RunLease, report: &RunReport) -> Result<(), StoreError> {
        self.inner.start_run(lease, report).await
    }

    async fn finish_run(
        &self,
        lease: &RunLease,
        report: &RunReport,
        fingerprint: Option<&str>,
    ) -> Result<(), StoreError> {
        self.inner.finish_run(lease, report, fingerprint).await
    }

    async fn learn(&self, lease: &RunLease, learned: Learned<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.learn(lease, learned, now).await
    }

    async fn intent(&self, lease: &RunLease, intent: Intent<'_>) -> Result<IntentId, StoreError> {
        self.room(Full::Intent)?;
        self.inner.intent(lease, intent).await
    }

    async fn outcome(&self, lease: &RunLease, intent: IntentId, ending: Ending<'_>) -> Result<(), StoreError> {
        self.room(Full::Outcome)?;
        self.inner.outcome(lease, intent, ending).await
    }

    async fn settle(&self, lease: &RunLease, intent: IntentId, ending: Ending<'_>) -> Result<(), StoreError> {
        self.inner.settle(lease, intent, ending).await
    }

    async fn closed(&self, lease: &RunLease, run: &RunId, item: &ItemId) -> Result<(), StoreError> {
        self.inner.closed(lease, run, item).await
    }

    async fn decide(&self, decisions: &[Decision]) -> Result<(), StoreError> {
        self.inner.decide(decisions).await
    }

    async fn take_back(&self, items: &[ItemId], by: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.take_back(items, by, now).await
    }

    async fn purge(&self, lease: &RunLease, card: &CardId) -> Result<(), StoreError> {
        self.inner.purge(lease, card).await
    }
}
