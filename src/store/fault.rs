//! What goes wrong inside the store, before it is told with the file's path and a cure.

use crate::engine::state::StoreError;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long a write waits for another process (an approval beside a run) before it gives up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An error without its place.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(sqlx::Error),
    /// A value in the file that does not read.
    Unreadable {
        table: &'static str,
        what: String,
    },
    /// The store is sound and says no.
    Refused(StoreError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Fault::Sql(error)
    }
}

// Result codes: https://www.sqlite.org/rescode.html. The low byte is the kind.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;
/// The shared-memory file could not grow: in practice a full disk.
const IOERR_SHMSIZE: i32 = IOERR | (19 << 8);

/// A failure of the file system, with what was tried.
pub(super) fn io(path: &Path, what: &str, error: &io::Error) -> StoreError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull { path },
        _other => StoreError::Io {
            path,
            what: format!("{what} ({error}); the user who runs cardsync must own it and its folder"),
        },
    }
}

impl Fault {
    /// The error as callers see it.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        let corrupt = |path, what: &str| StoreError::Corrupt {
            path,
            what: what.to_owned(),
        };
        match self {
            Fault::Refused(error) => error,
            Fault::Unreadable { table, what } => StoreError::Corrupt {
                path,
                what: format!("in its table {table} {what}"),
            },
            Fault::Sql(sqlx::Error::Database(error)) => {
                let code: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
                match (code, code & 0xff) {
                    (IOERR_SHMSIZE, _) | (_, FULL) => StoreError::DiskFull { path },
                    (_, BUSY | LOCKED) => StoreError::Busy { path, seconds: BUSY_TIMEOUT.as_secs() },
                    (_, CORRUPT) => corrupt(path, "it is damaged or was cut off"),
                    (_, NOTADB) => corrupt(path, "it is not an SQLite file, or its head is damaged"),
                    (_, READONLY) => StoreError::Io {
                        path,
                        what: "may not be written; run as the user who owns it, or give that user write access to it, to its -wal and -shm where they are there, and to its folder".to_owned(),
                    },
                    (_, CANTOPEN) => StoreError::Io {
                        path,
                        what: "cannot be opened; the user who runs cardsync must own it and may need write access to its folder".to_owned(),
                    },
                    (_, IOERR) => StoreError::Io {
                        path,
                        what: format!("the disk failed (SQLite code {code}); check the disk and the system's log"),
                    },
                    // SQLite's words name tables and columns, never values.
                    (_, _) => StoreError::Io { path, what: format!("SQLite says: {}", error.message()) },
                }
            }
            Fault::Sql(sqlx::Error::ColumnDecode { index, .. }) => StoreError::Corrupt {
                path,
                what: format!("its column {index} does not read"),
            },
            Fault::Sql(sqlx::Error::RowNotFound) => corrupt(path, "a row that every store has is missing"),
            Fault::Sql(error) => StoreError::Io {
                path,
                what: format!("{error}"),
            },
        }
    }
}
