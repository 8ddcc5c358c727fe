//! A copy of the store in one file: whole and consistent while a run is writing.

use super::fault::{Fault, io};
use super::file;
use crate::engine::state::StoreError;
use sqlx::Connection;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a copy of the store. The copy appears when it is whole, is readable by its owner only, and never takes the place
/// of a file that is there. Gives its size in bytes.
pub async fn backup(store: &Path, copy: &Path) -> Result<u64, StoreError> {
    let store = file::resolved(store);
    if file::existing(&store)?.is_none() {
        return Err(StoreError::Io {
            path: store,
            what: "does not exist yet: there is nothing to copy".to_owned(),
        });
    }
    let draft = file::companion(copy, &format!(".{}.part", std::process::id()));
    let written = write(&store, copy, &draft).await;
    // After success it is a second name of the copy, after a failure half a copy.
    let _gone_already = std::fs::remove_file(&draft);
    written
}

async fn write(store: &Path, copy: &Path, draft: &Path) -> Result<u64, StoreError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => StoreError::Io {
            path: copy.to_owned(),
            what: "is there already; a backup never overwrites, name another file".to_owned(),
        },
        _other => io(copy, "cannot be written", &error),
    };
    if copy.exists() {
        return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
    }
    // SQLite fills an empty file that is there: so it is private from its first moment.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
        .map_err(failed)?;
    let copied = async {
        let mut connection = file::connect_copying(store).await?;
        // One read transaction: what is committed when it begins, whatever is written meanwhile.
        sqlx::query("VACUUM INTO ?1")
            .bind(draft.to_string_lossy().into_owned())
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok::<_, Fault>(())
    };
    copied.await.map_err(|fault| fault.at(draft))?;
    let bytes = File::open(draft)
        .and_then(|file| file.sync_all().map(|()| file))
        .and_then(|file| file.metadata())
        .map_err(failed)?
        .len();
    // A second name is refused where a file has the name already; a rename would replace it.
    std::fs::hard_link(draft, copy).map_err(failed)?;
    Ok(bytes)
}
