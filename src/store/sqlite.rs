//! The store as the engine sees it: opening, and the engine's traits over the tables.

use super::fault::Fault;
use super::file;
use super::halfway::HalfwayRow;
use super::holds::HeldSet;
use super::journal::{EndingRow, IntentRow};
use super::lock::{LockFile, this_process};
use super::reads::{HasReader, Reader, refuse};
use super::writer::{Lesson, Write, Writer};
use super::{ledger, schema};
use crate::core::memory::decision::{Decision, HeldItem, WhyEnded};
use crate::core::model::ids::{CardId, EnvironmentId, ItemId, RunId};
use crate::core::plan::report::RunReport;
use crate::engine::inputs::KeptInput;
use crate::engine::records::RunItem;
use crate::engine::state::{Ending, Intent, KeptHold, Learned, RunLease, StateWriter, StoreError};
use crate::engine::target::IntentId;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::path::Path;

/// The store of one environment, open for reading and writing. Needs a tokio runtime.
pub struct SqliteStore {
    pub(super) reader: Reader,
    writer: Writer,
    zone: Option<Tz>,
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
        let connections = file::connections_reading(&path);
        let opened = async {
            // Looked at before anything can change it: a refused file stays as it is, to the byte and with its rights.
            let mut reading = connections.acquire().await?;
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
                reader: Reader::new(connections, path, bound, environment),
                zone: None,
            }),
            Err(fault) => Err(refuse(connections, fault, &path).await),
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

impl HasReader for SqliteStore {
    fn reader(&self) -> Option<&Reader> {
        Some(&self.reader)
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
        let forgotten = self.forgotten().await?;
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
