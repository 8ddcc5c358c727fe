//! The one writer: everything to be written waits in one queue, and all that waits is committed together.
//!
//! A flush to disk takes milliseconds and covers any number of rows. So while one transaction is being flushed the next
//! writes gather, and callers that write at the same time share a flush; nobody is answered before the flush is done.

use super::fault::Fault;
use super::file;
use super::halfway::HalfwayRow;
use super::journal::{EndingRow, IntentRow};
use super::lock::this_process;
use super::stamp::{json, stamp};
use super::{
    certificates, concerns, decisions, deeds, halfway, holds, journal, ledger, purge, records, runs, snapshots,
};
use crate::core::memory::certificate::Certificate;
use crate::core::memory::decision::{Contact, Decision, WhyEnded};
use crate::core::memory::ledger::LedgerEntry;
use crate::core::memory::pin::Pin;
use crate::core::model::ids::{CardId, ItemId, RunId, SourceName};
use crate::core::model::key::Key;
use crate::core::plan::report::RunReport;
use crate::core::reads::profile::Profile;
use crate::core::reads::snapshot::SnapshotSummary;
use crate::engine::attention::KeptConcern;
use crate::engine::records::RunItem;
use crate::engine::state::StoreError;
use chrono::{DateTime, Utc};
use sqlx::{Connection, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Writes that may wait at once; further callers wait for a place.
const QUEUE: usize = 1024;
/// Writes in one transaction.
const BATCH: usize = 256;

/// What a run learned, as rows.
pub(super) struct Lesson {
    pub(super) run: RunId,
    /// JSON arrays of ledger rows, cut into pieces.
    pub(super) ledger: Vec<String>,
    pub(super) contact: Option<Contact>,
    pub(super) snapshots: Vec<SnapshotSummary>,
    pub(super) profiles: Vec<(SourceName, Profile)>,
    pub(super) holds: Vec<holds::HeldSet>,
    pub(super) ended: BTreeMap<ItemId, WhyEnded>,
    pub(super) concerns: Option<Vec<KeptConcern>>,
    pub(super) pins: Option<Vec<Pin>>,
    pub(super) items: Option<Vec<RunItem>>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) now: DateTime<Utc>,
}

/// Everything that can be written.
pub(super) enum Write {
    TakeLease {
        run: RunId,
        command: String,
        now: DateTime<Utc>,
    },
    StartRun {
        fence: i64,
        report: RunReport,
    },
    FinishRun {
        fence: i64,
        report: RunReport,
        fingerprint: Option<String>,
    },
    Learn {
        fence: i64,
        lesson: Lesson,
    },
    Intent {
        fence: i64,
        row: IntentRow,
        /// With the first request of a compound change.
        halfway: Option<HalfwayRow>,
    },
    Outcome {
        fence: i64,
        row: EndingRow,
        learned: Option<LedgerEntry>,
    },
    Settle {
        fence: i64,
        row: EndingRow,
        learned: Option<LedgerEntry>,
    },
    Close {
        fence: i64,
        run: RunId,
        item: ItemId,
    },
    Decide {
        decisions: Vec<Decision>,
    },
    TakeBack {
        items: BTreeMap<ItemId, WhyEnded>,
        by: String,
        now: DateTime<Utc>,
    },
    Purge {
        fence: i64,
        card: CardId,
        /// Of the same person, where there was no card.
        keys: BTreeSet<Key>,
    },
}

impl Write {
    /// The number of the lease it was made with; humans' decisions need none.
    fn fence(&self) -> Option<i64> {
        match self {
            Write::StartRun { fence, .. }
            | Write::FinishRun { fence, .. }
            | Write::Learn { fence, .. }
            | Write::Intent { fence, .. }
            | Write::Outcome { fence, .. }
            | Write::Settle { fence, .. }
            | Write::Close { fence, .. }
            | Write::Purge { fence, .. } => Some(*fence),
            Write::TakeLease { .. } | Write::Decide { .. } | Write::TakeBack { .. } => None,
        }
    }
}

/// The number of a new intent or lease; 0 where there is none.
type Number = i64;
type Waiting = (Write, oneshot::Sender<Result<Number, StoreError>>);

/// The handle to the queue. When the last one is dropped, what waits is still written and the connection closed.
pub(super) struct Writer {
    queue: mpsc::Sender<Waiting>,
    task: JoinHandle<()>,
    path: PathBuf,
}

impl Writer {
    /// Starts the writer on a connection.
    pub(super) fn start(connection: SqliteConnection, path: PathBuf, environment: i64) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let state = State {
            connection: Some(connection),
            path: path.clone(),
            environment,
        };
        let task = tokio::spawn(state.serve(waiting));
        Self { queue, task, path }
    }

    /// Writes and waits until it is on disk.
    pub(super) async fn write(&self, write: Write) -> Result<Number, StoreError> {
        let (answer, answered) = oneshot::channel();
        let ended = || StoreError::Io {
            path: self.path.clone(),
            what: "its writer has ended; start again".to_owned(),
        };
        self.queue.send((write, answer)).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    /// Writes what waits and closes the connection.
    pub(super) async fn close(self) {
        drop(self.queue);
        let _ended_before = self.task.await;
    }
}

struct State {
    /// `None` after a failure: the next batch begins on a new connection, free of half-ended transactions.
    connection: Option<SqliteConnection>,
    path: PathBuf,
    environment: i64,
}

impl State {
    async fn serve(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let (writes, answers): (Vec<Write>, Vec<_>) = batch.drain(..).unzip();
            let mut results = self.commit(&writes).await;
            // One bad write must not take the others with it; a full disk or a busy file meets all of them alike.
            let one_may_be_bad = |result: &Result<_, StoreError>| {
                matches!(result, Err(StoreError::Io { .. } | StoreError::Corrupt { .. }))
            };
            if writes.len() > 1 && results.iter().all(one_may_be_bad) {
                results.clear();
                for write in &writes {
                    results.append(&mut self.commit(std::slice::from_ref(write)).await);
                }
            }
            for (answer, result) in answers.into_iter().zip(results) {
                // Nobody waits any more where the caller was cancelled; what was written stays written.
                let _unheard = answer.send(result);
            }
        }
        if let Some(connection) = self.connection.take() {
            let _closed_anyway = connection.close().await;
        }
    }

    /// One transaction for all of them. A refusal concerns one write, a failure all.
    async fn commit(&mut self, writes: &[Write]) -> Vec<Result<Number, StoreError>> {
        match self.try_commit(writes).await {
            Ok(results) => results,
            Err(fault) => {
                // Closing rolls back whatever was open.
                if let Some(connection) = self.connection.take() {
                    let _closed_anyway = connection.close().await;
                }
                let error = fault.at(&self.path);
                writes.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    async fn try_commit(&mut self, writes: &[Write]) -> Result<Vec<Result<Number, StoreError>>, Fault> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(file::connect_writing(&self.path).await?),
        };
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        let mut transaction = Open {
            connection,
            environment: self.environment,
            fence: None,
        };
        let mut results = Vec::with_capacity(writes.len());
        for write in writes {
            results.push(match transaction.apply(write).await {
                Ok(number) => Ok(number),
                Err(Fault::Refused(refusal)) => Err(refusal),
                Err(fault) => return Err(fault),
            });
        }
        sqlx::query("COMMIT").execute(connection).await?;
        Ok(results)
    }
}

/// A transaction that is being filled.
struct Open<'c> {
    connection: &'c mut SqliteConnection,
    environment: i64,
    /// The number of the last lease, once it was needed.
    fence: Option<i64>,
}

impl Open<'_> {
    async fn current_fence(&mut self) -> Result<i64, Fault> {
        if let Some(fence) = self.fence {
            return Ok(fence);
        }
        let fence: Option<i64> = sqlx::query_scalar("SELECT fence FROM lease WHERE environment = ?1")
            .bind(self.environment)
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(*self.fence.insert(fence.unwrap_or(0)))
    }

    /// Applies one write. A refusal comes before anything of this write was changed.
    async fn apply(&mut self, write: &Write) -> Result<Number, Fault> {
        if let Some(ours) = write.fence() {
            let current = self.current_fence().await?;
            if ours != current {
                return Err(Fault::Refused(StoreError::StaleLease { ours, current }));
            }
        }
        let environment = self.environment;
        let connection = &mut *self.connection;
        match write {
            Write::TakeLease { run, command, now } => {
                let fence: i64 = sqlx::query_scalar(
                    "INSERT INTO lease (environment, fence, run, holder, taken_at) VALUES (?1, 1, ?2, ?3, ?4) \
                     ON CONFLICT (environment) DO UPDATE SET fence = fence + 1, run = excluded.run, \
                     holder = excluded.holder, taken_at = excluded.taken_at RETURNING fence",
                )
                .bind(environment)
                .bind(run.as_str())
                .bind(json(&this_process(command, *now, None)))
                .bind(stamp(*now))
                .fetch_one(connection)
                .await?;
                self.fence = Some(fence);
                Ok(fence)
            }
            Write::StartRun { report, .. } => runs::start(connection, environment, report).await.map(|()| 0),
            Write::FinishRun {
                report, fingerprint, ..
            } => runs::finish(connection, environment, report, fingerprint.as_deref())
                .await
                .map(|()| 0),
            Write::Learn { lesson, .. } => {
                ledger::upsert(connection, environment, &lesson.ledger).await?;
                snapshots::log(
                    connection,
                    environment,
                    &lesson.run,
                    &lesson.snapshots,
                    &lesson.profiles,
                )
                .await?;
                if let Some(contact) = &lesson.contact {
                    holds::save_contact(connection, environment, contact).await?;
                }
                for held in &lesson.holds {
                    holds::replace(connection, environment, held, lesson.now).await?;
                }
                decisions::end(connection, environment, &lesson.ended, None, lesson.now).await?;
                if let Some(list) = &lesson.concerns {
                    concerns::replace(connection, environment, list).await?;
                }
                if let Some(items) = &lesson.items {
                    records::keep_items(connection, environment, &lesson.run, items).await?;
                }
                certificates::keep(connection, environment, &lesson.certificates).await?;
                if let Some(pins) = &lesson.pins {
                    deeds::replace_pins(connection, environment, pins).await?;
                }
                Ok(0)
            }
            Write::Intent { fence, row, halfway } => {
                if let Some(halfway) = halfway {
                    halfway::begin(connection, environment, halfway).await?;
                }
                journal::insert(connection, environment, *fence, row).await
            }
            Write::Close { run, item, .. } => halfway::close(connection, environment, run, item).await.map(|()| 0),
            Write::Outcome { row, learned, .. } => {
                journal::end(connection, environment, row).await?;
                ledger::learn_one(connection, environment, learned.as_ref())
                    .await
                    .map(|()| 0)
            }
            Write::Settle { row, learned, .. } => {
                journal::settle(connection, environment, row).await?;
                ledger::learn_one(connection, environment, learned.as_ref())
                    .await
                    .map(|()| 0)
            }
            Write::Decide { decisions } => decisions::insert(connection, environment, decisions).await.map(|()| 0),
            Write::TakeBack { items, by, now } => decisions::end(connection, environment, items, Some(by), *now)
                .await
                .map(|()| 0),
            Write::Purge { card, keys, .. } => purge::person(connection, environment, card, keys).await.map(|()| 0),
        }
    }
}
