//! The store for commands that only read: it neither makes nor changes anything.

use super::fault::Fault;
use super::inputs::InputFolder;
use super::reads::{HasReader, Reader, refuse};
use super::{file, schema};
use crate::core::model::ids::EnvironmentId;
use crate::engine::state::{KeyHasher, StoreError};
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
        let connections = file::connections_reading(&path);
        let opened = async {
            let mut reading = connections.acquire().await?;
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
            Ok(bound) => Ok(Self(Some(Reader::new(connections, path, bound, environment)))),
            Err(fault) => Err(refuse(connections, fault, &path).await),
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

impl HasReader for ReadOnlyStore {
    fn reader(&self) -> Option<&Reader> {
        self.0.as_ref()
    }
}
