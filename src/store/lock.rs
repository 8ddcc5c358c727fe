//! One run per environment at a time, in whatever process: a lock on the file beside the store.
//!
//! The operating system frees the lock when the process ends, however it ends, so there is nothing to clean up. The file
//! stays; it says who holds the lock, for whoever comes second.

use super::fault::io;
use crate::engine::state::{LockHolder, StoreError};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The lock, held while this lives.
pub(super) struct LockFile {
    file: File,
}

/// The lock's file: the store's name and `.lock`.
pub(super) fn lock_path(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// This process as the holder of a lock.
pub(super) fn this_process(command: &str, since: DateTime<Utc>, zone: Option<Tz>) -> LockHolder {
    let user = nix::unistd::geteuid();
    let user = match nix::unistd::User::from_uid(user) {
        Ok(Some(known)) => known.name,
        Ok(None) | Err(_) => user.to_string(),
    };
    let host = nix::unistd::gethostname().map_or_else(|_| "?".to_owned(), |name| name.to_string_lossy().into_owned());
    LockHolder {
        pid: std::process::id(),
        user,
        host,
        command: command.to_owned(),
        since,
        zone,
    }
}

impl LockFile {
    /// Takes the lock or says who has it; never waits.
    pub(super) fn take(store: &Path, holder: &LockHolder) -> Result<Self, StoreError> {
        let path = lock_path(store);
        let failed = |doing: &str, error: std::io::Error| {
            io(store, &format!("its lock {} cannot be {doing}", path.display()), &error)
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // A link may lead to a file that is not ours, and what is in it would be lost; a pipe would wait.
            .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
            .open(&path)
            .map_err(|error| match error.raw_os_error() {
                Some(nix::libc::ELOOP) => foreign(store, &path, "is a symbolic link, which is not followed"),
                _other => failed("opened", error),
            })?;
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Err(foreign(store, &path, "is not a file"));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // What cannot be read now is being written by a process that has just taken the lock.
                let by = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| serde_json::from_str(&text).ok());
                return Err(StoreError::Locked { by });
            }
            Err(TryLockError::Error(error)) => return Err(failed("taken", error)),
        }
        if !is_lock(&mut file) {
            return Err(foreign(store, &path, "holds something else than a lock"));
        }
        let text = serde_json::to_string(holder).expect("plain data always serialises");
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(text.as_bytes()))
            .map_err(|error| failed("written", error))?;
        Ok(Self { file })
    }
}

/// Longer than any lock.
const LONGEST: u64 = 64 * 1024;

/// Whether a file is empty or names the holder of a lock that was killed: nothing else is written over.
fn is_lock(file: &mut File) -> bool {
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    read.is_ok() && (text.is_empty() || serde_json::from_str::<LockHolder>(&text).is_ok())
}

fn foreign(store: &Path, lock: &Path, what: &str) -> StoreError {
    StoreError::Io {
        path: store.to_owned(),
        what: format!(
            "its lock {} {what}: it is left as it is; look whose it is and take it away",
            lock.display()
        ),
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Only so that nobody reading the file thinks that the lock is held. Closing the file is what frees it.
        let _unimportant = self.file.set_len(0);
    }
}
