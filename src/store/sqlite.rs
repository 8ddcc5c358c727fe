//! The store as the engine sees it: opening, and the engine's traits over the tables.

use super::fault::Fault;
use super::file;
use super::halfway::HalfwayRow;
use super::holds::HeldSet;
use super::inputs::InputFolder;
use super::journal::{EndingRow, IntentRow};
use super::lock::{LockFile, this_process};
use super::writer::{Lesson, Write, Writer};
use super::{concerns, decisions, deeds, halfway, holds, journal, ledger, runs, schema, snapshots};
use crate::domain::decision::{Decision, HeldItem, WhyEnded};
use crate::domain::ids::{CardId, EnvironmentId, ItemId, RunId};
use crate::domain::report::RunReport;
use crate::domain::undo::Deed;
use crate::engine::attention::KeptConcern;
use crate::engine::inputs::KeptInput;
use crate::engine::records::RunItem;
use crate::engine::state::{
    Ending, Halfway, Intent, KeptHold, KeyHasher, Learned, LoggedDecision, OpenIntent, Remembered, RunLease,
    StateReader, StateWriter, StoreError,
};
use crate::engine::target::IntentId;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sqlx::{Connection, SqliteConnection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

/// The store of one environment, open for reading and writing. Needs a tokio runtime.
pub struct SqliteStore {
    pub(super) reader: Reader,
    writer: Writer,
    zone: Option<Tz>,
}

/// One connection that reads what is committed.
pub(super) struct Reader {
    pub(super) path: PathBuf,
    pub(super) environment: i64,
    pub(super) hasher: KeyHasher,
    pub(super) inputs: InputFolder,
    pub(super) connection: Mutex<SqliteConnection>,
}

impl SqliteStore {
    /// The same with the zone in which others are told since when this one works.
    #[must_use]
    pub fn in_zone(self, zone: Tz) -> Self {
        let zone = Some(zone);
        Self { zone, ..self }
    }

    /// Opens the store, making it and its folder where there is none, and brings its format up to date.
    ///
    /// Refuses a store of another environment or host, of a newer format, and one that is damaged or was cut off.
    pub async fn open(path: &Path, environment: &EnvironmentId, host: &str) -> Result<Self, StoreError> {
        file::make_folder(path)?;
        let path = file::resolved(path);
        let bytes = match file::existing(&path)? {
            Some(bytes) => bytes,
            None => {
                file::create(&path, environment.as_str(), host, Utc::now()).await?;
                file::existing(&path)?.unwrap_or(0)
            }
        };
        // Looked at before anything can change it: a refused file stays as it is, to the byte and with its rights.
        let mut reading = file::connect_reading(&path)
            .await
            .map_err(|error| Fault::from(error).at(&path))?;
        let opened = async {
            let format = schema::inspect(&mut reading, &path, bytes).await?;
            let bound = schema::bound(&mut reading, &path, environment.as_str(), host).await?;
            file::make_private(&path).map_err(Fault::Refused)?;
            let mut writing = file::connect_writing(&path).await?;
            if format < schema::FORMAT {
                schema::migrate(&mut writing).await?;
            }
            if bound.rebind {
                schema::rebind(&mut writing, bound.row, environment.as_str(), host).await?;
            }
            Ok::<_, Fault>((writing, bound))
        };
        match opened.await {
            Ok((writing, bound)) => Ok(Self {
                writer: Writer::start(writing, path.clone(), bound.row),
                reader: Reader::new(reading, path, bound, environment),
                zone: None,
            }),
            Err(fault) => Err(refuse(reading, fault, &path).await),
        }
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        &self.reader.path
    }

    /// Writes what waits and closes the file. Dropping the store does the same later, or never if the runtime ends first;
    /// nothing that was answered is lost either way.
    pub async fn close(self) {
        self.writer.close().await;
        self.reader.close().await;
    }

    pub(super) async fn write(&self, write: Write) -> Result<(), StoreError> {
        self.writer.write(write).await.map(|_| ())
    }
}

/// Closes what was opened, so that nothing is left beside a refused file.
pub(super) async fn refuse(connection: SqliteConnection, fault: Fault, path: &Path) -> StoreError {
    let _closed_anyway = connection.close().await;
    fault.at(path)
}

impl Reader {
    pub(super) fn new(
        connection: SqliteConnection,
        path: PathBuf,
        bound: schema::Bound,
        environment: &EnvironmentId,
    ) -> Self {
        Self {
            inputs: InputFolder::beside(&path, environment),
            path,
            environment: bound.row,
            hasher: bound.hasher,
            connection: Mutex::new(connection),
        }
    }

    pub(super) async fn close(self) {
        let _closed_anyway = self.connection.into_inner().close().await;
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
    pub(super) async fn load(&self, now: DateTime<Utc>) -> Result<Remembered, StoreError> {
        let environment = self.environment;
        let mut connection = self.connection.lock().await;
        let loaded = async {
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
            Ok::<_, Fault>(remembered)
        };
        loaded.await.map_err(|fault| self.at(fault))
    }

    pub(super) async fn holds(&self) -> Result<Vec<KeptHold>, StoreError> {
        let mut connection = self.connection.lock().await;
        holds::load(&mut connection, self.environment)
            .await
            .map_err(|fault| self.at(fault))
    }

    pub(super) async fn concerns(&self) -> Result<Vec<KeptConcern>, StoreError> {
        let mut connection = self.connection.lock().await;
        concerns::load(&mut connection, self.environment)
            .await
            .map_err(|fault| self.at(fault))
    }

    pub(super) async fn decisions(&self) -> Result<Vec<LoggedDecision>, StoreError> {
        let mut connection = self.connection.lock().await;
        decisions::all(&mut connection, self.environment)
            .await
            .map_err(|fault| self.at(fault))
    }

    pub(super) async fn history(&self, limit: u32) -> Result<Vec<RunReport>, StoreError> {
        let mut connection = self.connection.lock().await;
        runs::history(&mut connection, self.environment, limit)
            .await
            .map_err(|fault| self.at(fault))
    }

    pub(super) async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        let mut connection = self.connection.lock().await;
        journal::open(&mut connection, self.environment)
            .await
            .map_err(|fault| self.at(fault))
    }

    pub(super) async fn deeds(&self, of: &str) -> Result<Vec<Deed>, StoreError> {
        let mut connection = self.connection.lock().await;
        deeds::of(&mut connection, self.environment, of)
            .await
            .map_err(|fault| self.at(fault))
    }

    pub(super) async fn halfway(&self) -> Result<Vec<Halfway>, StoreError> {
        let mut connection = self.connection.lock().await;
        halfway::load(&mut connection, self.environment)
            .await
            .map_err(|fault| self.at(fault))
    }

    /// Cards of people whose key was purged.
    pub(super) async fn forgotten(&self) -> Result<BTreeSet<CardId>, StoreError> {
        let mut connection = self.connection.lock().await;
        ledger::forgotten(&mut connection, self.environment)
            .await
            .map_err(|fault| self.at(fault))
    }
}

impl StateReader for SqliteStore {
    async fn load(&self, now: DateTime<Utc>) -> Result<Remembered, StoreError> {
        self.reader.load(now).await
    }

    async fn holds(&self) -> Result<Vec<KeptHold>, StoreError> {
        self.reader.holds().await
    }

    async fn concerns(&self) -> Result<Vec<KeptConcern>, StoreError> {
        self.reader.concerns().await
    }

    async fn decisions(&self) -> Result<Vec<LoggedDecision>, StoreError> {
        self.reader.decisions().await
    }

    async fn history(&self, limit: u32) -> Result<Vec<RunReport>, StoreError> {
        self.reader.history(limit).await
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.reader.open_intents().await
    }

    async fn deeds(&self, of: &str) -> Result<Vec<Deed>, StoreError> {
        self.reader.deeds(of).await
    }

    async fn halfway(&self) -> Result<Vec<Halfway>, StoreError> {
        self.reader.halfway().await
    }
}

impl StateWriter for SqliteStore {
    async fn acquire(&self, run: &RunId, command: &str, now: DateTime<Utc>) -> Result<RunLease, StoreError> {
        let lock = LockFile::take(&self.reader.path, &this_process(command, now, self.zone))?;
        let taken = Write::TakeLease {
            run: run.clone(),
            command: command.to_owned(),
            now,
        };
        let fence = self.writer.write(taken).await?;
        Ok(RunLease::granted(fence, run.clone(), Box::new(lock)))
    }

    async fn start_run(&self, lease: &RunLease, report: &RunReport) -> Result<(), StoreError> {
        self.write(Write::StartRun {
            fence: lease.fence(),
            report: report.clone(),
        })
        .await
    }

    async fn finish_run(
        &self,
        lease: &RunLease,
        report: &RunReport,
        fingerprint: Option<&str>,
    ) -> Result<(), StoreError> {
        let fingerprint = fingerprint.map(str::to_owned);
        self.write(Write::FinishRun {
            fence: lease.fence(),
            report: report.clone(),
            fingerprint,
        })
        .await
    }

    async fn learn(&self, lease: &RunLease, learned: Learned<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let Learned {
            ledger,
            contact,
            snapshots,
            profiles,
            holds,
            concerns,
            done,
            ended,
            items,
            undo_holds,
            pins,
            certificates,
        } = learned;
        let lesson = Lesson {
            run: lease.run().clone(),
            ledger: ledger::pieces(ledger),
            contact: contact.cloned(),
            snapshots: snapshots.to_vec(),
            profiles: profiles.to_vec(),
            holds: holds
                .map(|items| HeldSet {
                    origin: String::new(),
                    items: items.to_vec(),
                    done: done.to_vec(),
                })
                .into_iter()
                .chain(undo_holds.map(|(origin, plan, items)| {
                    let with_plan = |item: &HeldItem| KeptHold {
                        plan: plan.clone(),
                        item: item.clone(),
                        undoes: Some(origin.to_owned()),
                    };
                    HeldSet {
                        origin: origin.to_owned(),
                        items: items.iter().map(with_plan).collect(),
                        done: done.to_vec(),
                    }
                }))
                .collect(),
            ended: ended.cloned().unwrap_or_default(),
            concerns: concerns.map(<[_]>::to_vec),
            pins: pins.map(<[_]>::to_vec),
            items: items.map(<[RunItem]>::to_vec),
            certificates: certificates.to_vec(),
            now,
        };
        self.write(Write::Learn {
            fence: lease.fence(),
            lesson,
        })
        .await
    }

    async fn intent(&self, lease: &RunLease, intent: Intent<'_>) -> Result<IntentId, StoreError> {
        let row = IntentRow::new(lease.run(), &intent);
        let halfway = HalfwayRow::new(lease.run(), &intent);
        let row = self
            .writer
            .write(Write::Intent {
                fence: lease.fence(),
                row,
                halfway,
            })
            .await?;
        Ok(IntentId::committed(row))
    }

    async fn outcome(&self, lease: &RunLease, intent: IntentId, ending: Ending<'_>) -> Result<(), StoreError> {
        let row = EndingRow::new(lease.run(), intent, &ending);
        self.write(Write::Outcome {
            fence: lease.fence(),
            row,
            learned: ending.learned.cloned(),
        })
        .await
    }

    async fn settle(&self, lease: &RunLease, intent: IntentId, ending: Ending<'_>) -> Result<(), StoreError> {
        let row = EndingRow::new(lease.run(), intent, &ending);
        self.write(Write::Settle {
            fence: lease.fence(),
            row,
            learned: ending.learned.cloned(),
        })
        .await
    }

    async fn closed(&self, lease: &RunLease, run: &RunId, item: &ItemId) -> Result<(), StoreError> {
        self.write(Write::Close {
            fence: lease.fence(),
            run: run.clone(),
            item: item.clone(),
        })
        .await
    }

    async fn decide(&self, decisions: &[Decision]) -> Result<(), StoreError> {
        self.write(Write::Decide {
            decisions: decisions.to_vec(),
        })
        .await
    }

    async fn take_back(&self, items: &[ItemId], by: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let taken_back = |item: &ItemId| (item.clone(), WhyEnded::TakenBack);
        self.write(Write::TakeBack {
            items: items.iter().map(taken_back).collect(),
            by: by.to_owned(),
            now,
        })
        .await
    }

    async fn keep_input(&self, _lease: &RunLease, kept: KeptInput) -> Result<(), StoreError> {
        let forgotten = self.reader.forgotten().await?;
        self.reader
            .with_inputs(move |folder| folder.keep(kept, &forgotten))
            .await
    }

    async fn purge(&self, lease: &RunLease, card: &CardId) -> Result<(), StoreError> {
        self.write(Write::Purge {
            fence: lease.fence(),
            card: card.clone(),
            keys: BTreeSet::new(),
        })
        .await
    }
}
