//! The one way in which the store is read, whoever reads it: several connections that see what is committed, so that a long
//! read keeps nobody waiting. Where there is no store, nothing is remembered.

use super::fault::Fault;
use super::inputs::InputFolder;
use super::{
    certificates, concerns, decisions, deeds, halfway, holds, journal, ledger, purge, records, runs, schema, snapshots,
};
use crate::core::memory::certificate::Certificate;
use crate::core::memory::deed::Deed;
use crate::core::model::ids::{CardId, EnvironmentId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::report::RunReport;
use crate::engine::attention::KeptConcern;
use crate::engine::records::{JournalEntry, JournalQuery, Kept, RecordsReader, RunItem};
use crate::engine::state::{
    Halfway, KeptHold, KeyHasher, LoggedDecision, OpenIntent, Remembered, StateReader, StoreError,
};
use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Reads from the table of this name for the environment; where there is no store nothing is there.
macro_rules! ask {
    ($store:expr, $read:path $(, $more:expr)*) => {
        match $store.reader() {
            Some(reader) => {
                let mut connection = reader.connection().await?;
                let read = $read(&mut connection, reader.environment $(, $more)*).await;
                read.map_err(|fault| reader.at(fault))
            }
            None => Ok(Default::default()),
        }
    };
}

pub(super) use ask;

/// What is read from.
pub struct Reader {
    pub(super) path: PathBuf,
    pub(super) environment: i64,
    pub(super) hasher: KeyHasher,
    pub(super) inputs: InputFolder,
    connections: SqlitePool,
}

/// What can be read: a store, or the place of one that is not there yet.
pub trait HasReader: Send + Sync {
    /// `None` where there is no store.
    fn reader(&self) -> Option<&Reader>;

    /// Cards of people whose key was purged.
    fn forgotten(&self) -> impl Future<Output = Result<BTreeSet<CardId>, StoreError>> + Send {
        async { ask!(self, ledger::forgotten) }
    }
}

/// Closes what was opened, so that nothing is left beside a refused file.
pub(super) async fn refuse(connections: SqlitePool, fault: Fault, path: &Path) -> StoreError {
    connections.close().await;
    fault.at(path)
}

impl Reader {
    pub(super) fn new(
        connections: SqlitePool,
        path: PathBuf,
        bound: schema::Bound,
        environment: &EnvironmentId,
    ) -> Self {
        Self {
            inputs: InputFolder::beside(&path, environment),
            path,
            environment: bound.row,
            hasher: bound.hasher,
            connections,
        }
    }

    pub(super) async fn close(self) {
        self.connections.close().await;
    }

    pub(super) async fn connection(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.connections.acquire().await.map_err(|error| self.at(error))
    }

    /// Files are read and written beside the runtime.
    pub(super) async fn with_inputs<T: Send + 'static>(
        &self,
        work: impl FnOnce(&InputFolder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = self.inputs.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.unwrap_or_else(|stopped| {
            Err(StoreError::Io {
                path: self.path.clone(),
                what: format!("its inputs could not be kept: {stopped}"),
            })
        })
    }

    pub(super) fn at(&self, fault: impl Into<Fault>) -> StoreError {
        fault.into().at(&self.path)
    }

    /// Everything within one transaction, so that a run that is writing shows all of a step or nothing.
    async fn load(&self, connection: &mut SqliteConnection, now: DateTime<Utc>) -> Result<Remembered, Fault> {
        let environment = self.environment;
        let mut transaction = connection.begin().await?;
        let remembered = Remembered {
            ledger: ledger::load(&mut transaction, environment).await?,
            decisions: decisions::in_force(&mut transaction, environment, now).await?,
            contact: holds::load_contact(&mut transaction, environment).await?,
            budget_used: journal::budget_used(&mut transaction, environment, now).await?,
            set_aside: holds::load_set_aside(&mut transaction, environment).await?,
            in_doubt: journal::in_doubt(&mut transaction, environment).await?,
            last_write: journal::last_write(&mut transaction, environment).await?,
            settled_writes: journal::settled_writes(&mut transaction, environment).await?,
            snapshots: snapshots::history(&mut transaction, environment, now).await?,
            last_run_end: runs::last_end(&mut transaction, environment).await?,
            hasher: self.hasher.clone(),
            pins: deeds::pins(&mut transaction, environment).await?,
            half_done: halfway::load(&mut transaction, environment)
                .await?
                .iter()
                .map(Halfway::known)
                .collect(),
        };
        transaction.commit().await?;
        Ok(remembered)
    }
}

impl<S: HasReader> StateReader for S {
    async fn load(&self, now: DateTime<Utc>) -> Result<Remembered, StoreError> {
        let Some(reader) = self.reader() else {
            return Ok(Remembered::nothing());
        };
        let mut connection = reader.connection().await?;
        let loaded = reader.load(&mut connection, now).await;
        loaded.map_err(|fault| reader.at(fault))
    }

    async fn holds(&self) -> Result<Vec<KeptHold>, StoreError> {
        ask!(self, holds::load)
    }

    async fn concerns(&self) -> Result<Vec<KeptConcern>, StoreError> {
        ask!(self, concerns::load)
    }

    async fn decisions(&self) -> Result<Vec<LoggedDecision>, StoreError> {
        ask!(self, decisions::all)
    }

    async fn history(&self, limit: u32) -> Result<Vec<RunReport>, StoreError> {
        ask!(self, runs::history, limit)
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        ask!(self, journal::open)
    }

    async fn deeds(&self, of: &str) -> Result<Vec<Deed>, StoreError> {
        ask!(self, deeds::of, of)
    }

    async fn halfway(&self) -> Result<Vec<Halfway>, StoreError> {
        ask!(self, halfway::load)
    }
}

impl<S: HasReader> RecordsReader for S {
    async fn run(&self, run: &RunId) -> Result<Option<RunReport>, StoreError> {
        ask!(self, records::run, run)
    }

    async fn run_items(&self, run: &RunId) -> Result<Vec<RunItem>, StoreError> {
        ask!(self, records::items, run)
    }

    async fn journal(&self, query: &JournalQuery<'_>) -> Result<Vec<JournalEntry>, StoreError> {
        ask!(self, records::journal, query)
    }

    async fn certificates(&self) -> Result<Vec<Certificate>, StoreError> {
        ask!(self, certificates::all)
    }

    async fn kept(&self, card: &CardId, keys: &BTreeSet<Key>) -> Result<Kept, StoreError> {
        ask!(self, purge::kept, card, keys)
    }
}
