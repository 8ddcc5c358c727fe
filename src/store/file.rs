//! The store as a file: where it is, who may read it, how it comes into being, and its connections.
//!
//! Nothing here opens an existing store with `std::fs`: closing such a handle would drop the locks that SQLite holds on
//! the same file for other connections of this process (<https://www.sqlite.org/howtocorrupt.html>, 2.2).

use super::fault::{BUSY_TIMEOUT, Fault, io};
use super::schema;
use crate::engine::state::{OtherStore, StoreError};
use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file's name in a state folder.
const NAME: &str = "cardsync.db";

/// Reads at once: a run, and those who look at what it does.
const READERS: u32 = 4;

/// The state folder that the unit gives the service.
const SERVICE_FOLDER: &str = "/var/lib/cardsync";

/// Refuses to begin a state in a user's own folder where the service has one for this TOPdesk, or one that cannot be looked
/// into. `path` is the place that nobody named.
pub async fn not_beside_the_service(path: &Path, host: &str) -> Result<(), StoreError> {
    // systemd names the folder of a unit.
    if std::env::var_os("STATE_DIRECTORY").is_some_and(|folder| !folder.is_empty()) {
        return Ok(());
    }
    not_beside(path, Path::new(SERVICE_FOLDER), host).await
}

async fn not_beside(path: &Path, service: &Path, host: &str) -> Result<(), StoreError> {
    let theirs = service.join(NAME);
    if existing(path)?.is_some() || resolved(path) == resolved(&theirs) {
        return Ok(());
    }
    let other = match std::fs::metadata(&theirs) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(_) => true,
        // What cannot be read may be anybody's.
        Ok(_) => super::bind::bound_to(&theirs)
            .await
            .map_or(true, |bound| bound.is_some_and(|bound| bound == host)),
    };
    if !other {
        return Ok(());
    }
    Err(StoreError::OtherStore(OtherStore::ServiceFolder {
        path: path.to_owned(),
        service: service.to_owned(),
    }))
}

/// Where the store is when the configuration does not say: `$STATE_DIRECTORY` (systemd), else the user's state folder.
/// `None` when there is no home folder either.
pub fn default_path() -> Option<PathBuf> {
    default_path_from(
        std::env::var_os("STATE_DIRECTORY"),
        std::env::var_os("XDG_STATE_HOME"),
        std::env::var_os("HOME"),
    )
}

fn default_path_from(
    state_directory: Option<OsString>,
    xdg_state_home: Option<OsString>,
    home: Option<OsString>,
) -> Option<PathBuf> {
    let filled = |value: Option<OsString>| value.filter(|value| !value.is_empty());
    if let Some(folders) = filled(state_directory) {
        // systemd lists several folders with colons between them; ours is the first.
        let first = std::env::split_paths(&folders).next()?;
        return Some(first.join(NAME));
    }
    let state = match filled(xdg_state_home)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
    {
        Some(path) => path,
        None => PathBuf::from(filled(home)?).join(".local/state"),
    };
    Some(state.join("cardsync").join(NAME))
}

/// The size of the store, or `None` where there is none. A file of 0 bytes is one that was cut off: cardsync never
/// leaves one behind, since a new store gets its name only when it is whole. Symbolic links are not followed: whatever
/// stands behind one may be anybody's file.
pub(super) fn existing(path: &Path) -> Result<Option<u64>, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let path = companion(path, suffix);
        if std::fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_symlink()) {
            return Err(StoreError::Io {
                path,
                what: "is a symbolic link, which is not followed; name the file itself in store.sqlite".to_owned(),
            });
        }
    }
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(corrupt("it is not a file")),
        Ok(metadata) if metadata.len() == 0 => Err(corrupt("it has 0 bytes: it was cut off")),
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if has_log(path) {
                return Err(corrupt("the file is gone and its -wal is still there"));
            }
            Ok(None)
        }
        Err(error) => Err(io(path, "cannot be looked at", &error)),
    }
}

/// Whether there is a write-ahead log with something in it.
pub(super) fn has_log(path: &Path) -> bool {
    std::fs::metadata(companion(path, "-wal")).is_ok_and(|metadata| metadata.len() > 0)
}

/// A file beside the store: its name and a suffix.
pub(super) fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The path with its folder resolved, so that one file has one name and one lock. The file itself is not: see [`existing`].
pub(super) fn resolved(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        (Ok(_) | Err(_), Some(_) | None) => path.to_owned(),
    }
}

/// Makes the folder of a store, readable by its owner only. An existing folder stays as it is.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| io(path, "its folder cannot be made", &error))
}

/// Takes away what others may do with the store and its companions.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    for path in [path.to_owned(), companion(path, "-wal"), companion(path, "-shm")] {
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))
                    .map_err(|error| io(&path, "can be read by others, and that cannot be changed", &error))?;
                tracing::warn!(path = %path.display(), "the store could be read by others; it is private again");
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// How connections are made. Without logging: statements would be told by the driver, failures are told by us.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // What is forgotten must not stay behind in free pages.
        .pragma("secure_delete", "ON")
        .row_buffer_size(1024)
        .disable_statement_logging()
}

/// A connection that writes: every commit is flushed to disk before it returns, and what is deleted is overwritten, so
/// that a purged person does not live on in unused pages.
pub(super) async fn connect_writing(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .connect()
        .await
}

/// Connections that change nothing, made when they are asked for, see [`connect_reading`].
pub(super) fn connections_reading(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options(path).pragma("query_only", "ON"))
}

/// A connection that changes nothing. Opened as if it could write where the file allows it: only then does SQLite take
/// its companions away again when the last connection closes.
pub(super) async fn connect_reading(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    options(path).pragma("query_only", "ON").connect().await
}

/// A connection that copies the store into another file. It may write there, so the read-only pragma is not set; the store
/// itself it only reads.
pub(super) async fn connect_copying(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    options(path).connect().await
}

/// Makes a new store. It is built beside its place and moved there when it is whole, so that a process killed at any
/// moment leaves either no store or a whole one.
pub(super) async fn create(path: &Path, name: &str, host: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Two processes that start at once: the second waits here and then finds a store.
    let guard = File::open(folder).map_err(|error| io(path, "its folder cannot be opened", &error))?;
    guard
        .lock()
        .map_err(|error| io(path, "its folder cannot be locked", &error))?;
    if existing(path)?.is_some() {
        return Ok(());
    }
    let unfinished = companion(path, ".new");
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match std::fs::remove_file(companion(&unfinished, suffix)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(io(path, "an unfinished one cannot be removed", &error)),
        }
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(|error| io(path, "cannot be made", &error))?;
    build(&unfinished, name, host, now)
        .await
        .map_err(|fault| fault.at(path))?;
    // No connection is open on it any more, so a handle of ours does no harm.
    File::open(&unfinished)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&unfinished, path))
        .and_then(|()| guard.sync_all())
        .map_err(|error| io(path, "cannot be made", &error))
}

async fn build(unfinished: &Path, name: &str, host: &str, now: DateTime<Utc>) -> Result<(), Fault> {
    let mut connection = connect_writing(unfinished).await?;
    schema::create(&mut connection).await?;
    schema::bind(&mut connection, name, host, now).await?;
    connection.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn path(state_directory: &str, xdg: &str, home: &str) -> Option<PathBuf> {
        let some = |text: &str| (!text.is_empty()).then(|| OsStr::new(text).to_owned());
        default_path_from(some(state_directory), some(xdg), some(home))
    }

    #[tokio::test]
    async fn a_state_of_ones_own_is_not_begun_beside_the_services() {
        let folder = tempfile::tempdir().unwrap();
        let (service, own) = (folder.path().join("service"), folder.path().join("own.db"));
        let beside = async || not_beside(&own, &service, "example.topdesk.net").await;
        assert!(beside().await.is_ok(), "there is no service");
        std::fs::create_dir(&service).unwrap();
        assert!(beside().await.is_ok(), "it has no state");
        create(&service.join(NAME), "x", "example.topdesk.net", Utc::now())
            .await
            .unwrap();
        let refused = beside().await.unwrap_err().to_string();
        assert!(refused.contains("STATE_DIRECTORY="), "{refused}");
        assert!(
            not_beside(&own, &service, "other.topdesk.net").await.is_ok(),
            "of another TOPdesk"
        );
        assert!(
            not_beside(&service.join(NAME), &service, "example.topdesk.net")
                .await
                .is_ok()
        );
        std::fs::write(&own, "there already").unwrap();
        assert!(beside().await.is_ok(), "nothing is made");
        std::fs::remove_file(&own).unwrap();
        std::fs::write(service.join(NAME), "what nobody can read").unwrap();
        assert!(beside().await.is_err());
    }

    #[test]
    fn the_default_place_is_systemds_folder_then_the_users() {
        let at = |text: &str| Some(PathBuf::from(text));
        assert_eq!(
            path("/var/lib/cardsync", "/x", "/h"),
            at("/var/lib/cardsync/cardsync.db")
        );
        assert_eq!(path("/var/lib/a:/var/lib/b", "", ""), at("/var/lib/a/cardsync.db"));
        assert_eq!(path("", "/x", "/h"), at("/x/cardsync/cardsync.db"));
        assert_eq!(path("", "relative", "/h"), at("/h/.local/state/cardsync/cardsync.db"));
        assert_eq!(path("", "", "/h"), at("/h/.local/state/cardsync/cardsync.db"));
        assert_eq!(path("", "", ""), None);
    }
}
