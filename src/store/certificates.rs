//! Certificates of anonymizations. Nothing takes them out: they are the proof that somebody's data went, and say nothing of the
//! person.

use super::fault::Fault;
use super::stamp::{from_json, json, stamp};
use crate::core::memory::certificate::Certificate;
use sqlx::{Row, SqliteConnection};

/// Keeps them, once each.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    environment: i64,
    certificates: &[Certificate],
) -> Result<(), Fault> {
    for certificate in certificates {
        sqlx::query("INSERT OR REPLACE INTO certificate (environment, card, at, body) VALUES (?1, ?2, ?3, ?4)")
            .bind(environment)
            .bind(certificate.card.as_str())
            .bind(stamp(certificate.at))
            .bind(json(certificate))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// All of them, oldest first.
pub(super) async fn all(connection: &mut SqliteConnection, environment: i64) -> Result<Vec<Certificate>, Fault> {
    let rows = sqlx::query("SELECT body FROM certificate WHERE environment = ?1 ORDER BY at, card")
        .bind(environment)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| from_json(row.try_get(0)?, "certificate"))
        .collect()
}
