//! Changes of several requests that have not reached their end.

use super::fault::Fault;
use super::stamp::{from_json, json, stamp};
use crate::core::model::ids::{ItemId, RunId};
use crate::core::plan::Change;
use crate::engine::state::{Halfway, Intent};
use sqlx::{Row, SqliteConnection};

/// The row that comes with the first request of a compound change.
pub(super) struct HalfwayRow {
    run: String,
    item: String,
    plan: String,
    cards: String,
    change: String,
    operators: String,
    before: String,
    begun_at: String,
}

impl HalfwayRow {
    /// `None` where one request is all there is, and for a request on the way to the safe end: that begins nothing.
    pub(super) fn new(run: &RunId, intent: &Intent<'_>) -> Option<Self> {
        let begins = intent.change.is_compound() && intent.step_index < intent.change.steps().len();
        begins.then(|| Self {
            run: run.to_string(),
            item: intent.change.id.to_string(),
            plan: intent.plan.to_string(),
            cards: json(&intent.change.cards()),
            change: json(intent.change),
            operators: json(&intent.operators_before),
            before: json(&intent.cards_before),
            begun_at: stamp(intent.at),
        })
    }
}

/// Writes it down, once per change and run.
pub(super) async fn begin(connection: &mut SqliteConnection, environment: i64, row: &HalfwayRow) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO halfway (environment, run, item, plan, cards, change, operators, before, begun_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
    )
    .bind(environment)
    .bind(&row.run)
    .bind(&row.item)
    .bind(&row.plan)
    .bind(&row.cards)
    .bind(&row.change)
    .bind(&row.operators)
    .bind(&row.before)
    .bind(&row.begun_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// It has reached an end.
pub(super) async fn close(
    connection: &mut SqliteConnection,
    environment: i64,
    run: &RunId,
    item: &ItemId,
) -> Result<(), Fault> {
    sqlx::query("DELETE FROM halfway WHERE environment = ?1 AND run = ?2 AND item = ?3")
        .bind(environment)
        .bind(run.as_str())
        .bind(item.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Those that are open, oldest first.
pub(super) async fn load(connection: &mut SqliteConnection, environment: i64) -> Result<Vec<Halfway>, Fault> {
    let rows = sqlx::query(
        "SELECT run, plan, change, operators, before FROM halfway WHERE environment = ?1 ORDER BY begun_at, run, item",
    )
    .bind(environment)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let change: Change = from_json(row.try_get(2)?, "halfway")?;
            Ok(Halfway {
                run: row.try_get::<&str, _>(0)?.into(),
                plan: row.try_get::<&str, _>(1)?.into(),
                change,
                operators_before: from_json(row.try_get(3)?, "halfway")?,
                cards_before: from_json(row.try_get(4)?, "halfway")?,
            })
        })
        .collect()
}
