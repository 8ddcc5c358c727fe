//! What needs a human beside the held items: the list of the last run that could judge.

use super::fault::Fault;
use super::stamp::{from_json, json, stamp};
use crate::core::model::key::Key;
use crate::engine::attention::KeptConcern;
use sqlx::{Row, SqliteConnection};

/// Puts a new list in the place of the old one.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    environment: i64,
    concerns: &[KeptConcern],
) -> Result<(), Fault> {
    sqlx::query("DELETE FROM concern WHERE environment = ?1")
        .bind(environment)
        .execute(&mut *connection)
        .await?;
    for (place, kept) in concerns.iter().enumerate() {
        let concern = &kept.concern;
        sqlx::query(
            "INSERT OR REPLACE INTO concern (environment, item, place, since, key, card, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(environment)
        .bind(concern.id.as_str())
        .bind(i64::try_from(place).expect("a list has fewer entries than 2^63"))
        .bind(stamp(kept.since))
        .bind(concern.key.as_ref().map(Key::as_str))
        .bind(concern.person_id.as_ref().map(|card| card.as_str()))
        .bind(json(kept))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The list in its order.
pub(super) async fn load(connection: &mut SqliteConnection, environment: i64) -> Result<Vec<KeptConcern>, Fault> {
    let rows = sqlx::query("SELECT body FROM concern WHERE environment = ?1 ORDER BY place")
        .bind(environment)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| from_json(row.try_get(0)?, "concern")).collect()
}
