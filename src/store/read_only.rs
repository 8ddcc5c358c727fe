//! The store for commands that only read: it neither makes nor changes anything.

use super::fault::Fault;
use super::inputs::InputFolder;
use super::sqlite::{Reader, refuse};
use super::{file, schema};
use crate::domain::ids::EnvironmentId;
use crate::domain::report::RunReport;
use crate::domain::undo::Deed;
use crate::engine::attention::KeptConcern;
use crate::engine::state::{
    Halfway, KeptHold, KeyHasher, LoggedDecision, OpenIntent, Remembered, StateReader, StoreError,
};
use chrono::{DateTime, Utc};
use std::path::Path;

/// The store for commands that only read. There may be no store yet: then nothing is remembered.
pub struct ReadOnlyStore(pub(super) Option<Reader>);

impl ReadOnlyStore {
    /// Opens the store where there is one. Neither makes nor changes anything.
    pub async fn open(path: &Path, environment: &EnvironmentId, host: &str) -> Result<Self, StoreError> {
        let path = file::resolved(path);
        let Some(bytes) = file::existing(&path)? else {
            return Ok(Self(None));
        };
        let mut reading = file::connect_reading(&path)
            .await
            .map_err(|error| Fault::from(error).at(&path))?;
        let opened = async {
            let format = schema::inspect(&mut reading, &path, bytes).await?;
            if format < schema::FORMAT {
                let path = path.clone();
                return Err(Fault::Refused(StoreError::Older {
                    path,
                    found: format,
                    known: schema::FORMAT,
                }));
            }
            schema::bound(&mut reading, &path, environment.as_str(), host).await
        };
        match opened.await {
            Ok(bound) => Ok(Self(Some(Reader::new(reading, path, bound, environment)))),
            Err(fault) => Err(refuse(reading, fault, &path).await),
        }
    }

    /// Where there is no place for a store: nothing is remembered.
    pub fn none() -> Self {
        Self(None)
    }

    /// Hashes keys as this store does; where there is no store, with a random key that is not kept.
    pub fn hasher(&self) -> KeyHasher {
        self.0
            .as_ref()
            .map_or_else(KeyHasher::random, |reader| reader.hasher.clone())
    }

    /// The kept inputs of its runs; `None` where there is no store.
    pub fn inputs(&self) -> Option<&InputFolder> {
        self.0.as_ref().map(|reader| &reader.inputs)
    }

    /// Whether there is a store.
    pub fn exists(&self) -> bool {
        self.0.is_some()
    }

    /// Closes the file.
    pub async fn close(self) {
        if let Some(reader) = self.0 {
            reader.close().await;
        }
    }
}

impl StateReader for ReadOnlyStore {
    async fn load(&self, now: DateTime<Utc>) -> Result<Remembered, StoreError> {
        match &self.0 {
            Some(reader) => reader.load(now).await,
            None => Ok(Remembered::nothing()),
        }
    }

    async fn holds(&self) -> Result<Vec<KeptHold>, StoreError> {
        match &self.0 {
            Some(reader) => reader.holds().await,
            None => Ok(Vec::new()),
        }
    }

    async fn concerns(&self) -> Result<Vec<KeptConcern>, StoreError> {
        match &self.0 {
            Some(reader) => reader.concerns().await,
            None => Ok(Vec::new()),
        }
    }

    async fn decisions(&self) -> Result<Vec<LoggedDecision>, StoreError> {
        match &self.0 {
            Some(reader) => reader.decisions().await,
            None => Ok(Vec::new()),
        }
    }

    async fn history(&self, limit: u32) -> Result<Vec<RunReport>, StoreError> {
        match &self.0 {
            Some(reader) => reader.history(limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        match &self.0 {
            Some(reader) => reader.open_intents().await,
            None => Ok(Vec::new()),
        }
    }

    async fn deeds(&self, of: &str) -> Result<Vec<Deed>, StoreError> {
        match &self.0 {
            Some(reader) => reader.deeds(of).await,
            None => Ok(Vec::new()),
        }
    }

    async fn halfway(&self) -> Result<Vec<Halfway>, StoreError> {
        match &self.0 {
            Some(reader) => reader.halfway().await,
            None => Ok(Vec::new()),
        }
    }
}
