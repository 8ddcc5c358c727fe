//! Giving a store to another address (RULES 5): for the same TOPdesk under a new name, by a human's word.

use super::fault::Fault;
use super::file;
use super::lock::{LockFile, this_process};
use super::schema;
use crate::core::model::ids::EnvironmentId;
use crate::engine::state::StoreError;
use chrono::{DateTime, Utc};
use sqlx::{Connection, Row};
use std::path::Path;

/// The host that a store belongs to; `None` where there is no store. Changes nothing.
pub async fn bound_to(path: &Path) -> Result<Option<String>, StoreError> {
    let path = file::resolved(path);
    let Some(bytes) = file::existing(&path)? else {
        return Ok(None);
    };
    let read = async {
        let mut connection = file::connect_reading(&path).await?;
        schema::inspect(&mut connection, &path, bytes).await?;
        let host: String = sqlx::query_scalar("SELECT host FROM environment ORDER BY id LIMIT 1")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok::<_, Fault>(host)
    };
    read.await.map(Some).map_err(|fault| fault.at(&path))
}

/// Binds a store to another environment and host, while no run works on it. What is remembered stays; what a first contact
/// and seen configurations brought goes, so that the next run is a first contact: whatever is dangerous waits.
///
/// Gives the host it belonged to.
pub async fn bind(
    path: &Path,
    environment: &EnvironmentId,
    host: &str,
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let path = file::resolved(path);
    let _lock = LockFile::take(&path, &this_process("store bind", now, None))?;
    let Some(before) = bound_to(&path).await? else {
        return Err(StoreError::Io {
            path,
            what: "does not exist yet: the first run makes it and binds it".to_owned(),
        });
    };
    let written = async {
        let mut connection = file::connect_writing(&path).await?;
        schema::migrate(&mut connection).await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let row: i64 = sqlx::query("SELECT id FROM environment ORDER BY id LIMIT 1")
            .fetch_one(&mut *transaction)
            .await?
            .try_get(0)?;
        schema::rebind(&mut transaction, row, environment.as_str(), host).await?;
        sqlx::query("DELETE FROM contact WHERE environment = ?1")
            .bind(row)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        connection.close().await?;
        Ok::<_, Fault>(())
    };
    written.await.map_err(|fault| fault.at(&path))?;
    Ok(before)
}
