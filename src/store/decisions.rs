//! What humans decided about items.

use super::fault::Fault;
use super::stamp::{from_json, from_word, json, stamp, time, word};
use crate::domain::decision::Decision;
use crate::domain::ids::{CardId, ItemId};
use crate::domain::key::Key;
use crate::engine::state::LoggedDecision;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

/// Keeps decisions, in order.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    environment: i64,
    decisions: &[Decision],
) -> Result<(), Fault> {
    for decision in decisions {
        let Decision {
            item,
            answer,
            waives,
            by,
            at,
            until,
            note,
        } = decision;
        sqlx::query(
            "INSERT INTO decision (environment, item, answer, waives, decided_by, decided_at, until, note, action, key, card) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, json_extract(hold.body, '$.change.action'), \
                    json_extract(hold.body, '$.change.key'), hold.card \
             FROM (SELECT 1) LEFT JOIN hold ON hold.environment = ?1 AND hold.item = ?2 AND hold.body IS NOT NULL",
        )
        .bind(environment)
        .bind(item.as_str())
        .bind(word(answer))
        .bind(json(waives))
        .bind(by)
        .bind(stamp(*at))
        .bind(until.map(stamp))
        .bind(note)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Decision, Fault> {
    const TABLE: &str = "decision";
    Ok(Decision {
        item: row.try_get::<&str, _>(0)?.into(),
        answer: from_word(row.try_get(1)?, TABLE)?,
        waives: from_json(row.try_get(2)?, TABLE)?,
        by: row.try_get(3)?,
        at: time(row.try_get(4)?, TABLE)?,
        until: row
            .try_get::<Option<&str>, _>(5)?
            .map(|text| time(text, TABLE))
            .transpose()?,
        note: row.try_get(6)?,
    })
}

/// The last decision about each item, if it is in force: an approval that has ended does not revive what was before it.
pub(super) async fn in_force(
    connection: &mut SqliteConnection,
    environment: i64,
    now: DateTime<Utc>,
) -> Result<BTreeMap<ItemId, Decision>, Fault> {
    let rows = sqlx::query(
        "SELECT item, answer, waives, decided_by, decided_at, until, note FROM decision \
         WHERE id IN (SELECT max(id) FROM decision WHERE environment = ?1 GROUP BY item)",
    )
    .bind(environment)
    .fetch_all(connection)
    .await?;
    let mut decisions = BTreeMap::new();
    for row in &rows {
        let decision = read(row)?;
        if decision.in_force(now) {
            decisions.insert(decision.item.clone(), decision);
        }
    }
    Ok(decisions)
}

/// Every decision, newest first, with what it was about.
pub(super) async fn all(connection: &mut SqliteConnection, environment: i64) -> Result<Vec<LoggedDecision>, Fault> {
    let rows = sqlx::query(
        "SELECT item, answer, waives, decided_by, decided_at, until, note, action, key, card FROM decision \
         WHERE environment = ?1 ORDER BY id DESC",
    )
    .bind(environment)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let action = row.try_get::<Option<&str>, _>(7)?;
            Ok(LoggedDecision {
                decision: read(row)?,
                action: action.map(|word| from_word(word, "decision")).transpose()?,
                key: row.try_get::<Option<&str>, _>(8)?.map(Key::stored),
                card: row.try_get::<Option<&str>, _>(9)?.map(CardId::from),
            })
        })
        .collect()
}
