//! What earlier runs wrote, for undo: the requests that took effect, and pins on what was undone.

use super::fault::Fault;
use super::stamp::{from_json, from_word, json, time};
use crate::domain::pin::Pin;
use crate::domain::undo::{Deed, Written};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// The requests of a run that took effect or are in doubt, oldest first; of an item those of the last run that had it.
pub(super) async fn of(connection: &mut SqliteConnection, environment: i64, what: &str) -> Result<Vec<Deed>, Fault> {
    let rows = sqlx::query(
        "SELECT run, item, action, card, sent_at, coalesce(settled, outcome), change, step, before, after, operators \
         FROM journal WHERE environment = ?1 AND coalesce(settled, outcome, 'in_doubt') IN ('done', 'in_doubt') \
           AND (run = ?2 OR (item = ?2 AND run = (SELECT run FROM journal WHERE environment = ?1 AND item = ?2 \
             AND coalesce(settled, outcome, 'in_doubt') IN ('done', 'in_doubt') ORDER BY id DESC LIMIT 1))) \
         ORDER BY id",
    )
    .bind(environment)
    .bind(what)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Deed, Fault> {
    const TABLE: &str = "journal";
    let image = |column: usize| -> Result<_, Fault> {
        let text: Option<&str> = row.try_get(column)?;
        text.map(|text| from_json(text, TABLE)).transpose()
    };
    // A purge leaves who did what when, and empties the rest.
    let change: &str = row.try_get(6)?;
    let written = if change.is_empty() {
        None
    } else {
        Some(Written {
            change: from_json(change, TABLE)?,
            step: from_json(row.try_get(7)?, TABLE)?,
            before: image(8)?,
            after: image(9)?,
            operators_before: from_json(row.try_get(10)?, TABLE)?,
        })
    };
    Ok(Deed {
        run: row.try_get::<&str, _>(0)?.into(),
        item: row.try_get::<&str, _>(1)?.into(),
        action: from_word(row.try_get(2)?, TABLE)?,
        card: row.try_get::<Option<&str>, _>(3)?.map(Into::into),
        at: time(row.try_get(4)?, TABLE)?,
        certain: row.try_get::<Option<&str>, _>(5)? == Some("done"),
        written,
    })
}

/// The pins that stand.
pub(super) async fn pins(connection: &mut SqliteConnection, environment: i64) -> Result<Vec<Pin>, Fault> {
    let bodies: Vec<String> = sqlx::query_scalar("SELECT body FROM pin WHERE environment = ?1 ORDER BY card, place")
        .bind(environment)
        .fetch_all(connection)
        .await?;
    bodies.iter().map(|body| from_json(body, "pin")).collect()
}

/// Puts a new set of pins in the place of the old one.
pub(super) async fn replace_pins(
    connection: &mut SqliteConnection,
    environment: i64,
    pins: &[Pin],
) -> Result<(), Fault> {
    sqlx::query("DELETE FROM pin WHERE environment = ?1")
        .bind(environment)
        .execute(&mut *connection)
        .await?;
    for pin in pins {
        sqlx::query("INSERT OR REPLACE INTO pin (environment, card, place, body) VALUES (?1, ?2, ?3, ?4)")
            .bind(environment)
            .bind(pin.card.as_str())
            .bind(pin.place())
            .bind(json(pin))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
