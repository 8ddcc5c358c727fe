//! What humans decided about items.

use super::fault::Fault;
use super::stamp::{from_json, from_word, json, stamp, time, word};
use crate::core::memory::decision::{About, Decision, WhyEnded};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::engine::decision_log::{DecisionEnd, LoggedDecision};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
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
            // Whom it is about stands in the item that waits.
            about:
                About {
                    key: _,
                    card: _,
                    action: _,
                    days,
                    shown,
                },
        } = decision;
        sqlx::query(
            "INSERT INTO decision (environment, item, answer, waives, decided_by, decided_at, until, note, days, shown, action, key, card) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, json_extract(hold.body, '$.change.action'), \
                    coalesce(json_extract(hold.body, '$.change.key'), concern.key), coalesce(hold.card, concern.card) \
             FROM (SELECT 1) LEFT JOIN hold ON hold.environment = ?1 AND hold.item = ?2 AND hold.body IS NOT NULL \
                  LEFT JOIN concern ON concern.environment = ?1 AND concern.item = ?2",
        )
        .bind(environment)
        .bind(item.as_str())
        .bind(word(answer))
        .bind(json(waives))
        .bind(by)
        .bind(stamp(*at))
        .bind(until.map(stamp))
        .bind(note)
        .bind(days.as_ref().map(json))
        .bind(shown.as_ref().map(json))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The question of these items is answered or gone: what was decided about them says nothing about the next time that it is
/// asked. That the sync does not want an item says nothing about one that an undo or a pairing asks about.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    environment: i64,
    ended: &BTreeMap<ItemId, WhyEnded>,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    for (item, why) in ended {
        let of_another = match why {
            WhyEnded::NotWanted => {
                "AND NOT EXISTS (SELECT 1 FROM hold WHERE environment = ?1 AND item = ?2 AND origin <> '' AND place IS NOT NULL)"
            }
            WhyEnded::Done
            | WhyEnded::CardChanged
            | WhyEnded::OtherContent
            | WhyEnded::OtherDay
            | WhyEnded::OperatorChanged
            | WhyEnded::NotNoted
            | WhyEnded::TakenBack => "",
        };
        let statement = format!(
            "UPDATE decision SET ended = ?3, ended_why = ?4, ended_by = ?5 \
             WHERE id = (SELECT max(id) FROM decision WHERE environment = ?1 AND item = ?2) AND ended IS NULL {of_another}"
        );
        // One of two constants.
        sqlx::query(AssertSqlSafe(statement))
            .bind(environment)
            .bind(item.as_str())
            .bind(stamp(now))
            .bind(word(why))
            .bind(by)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What every query for decisions selects.
const COLUMNS: &str = "item, answer, waives, decided_by, decided_at, until, note, key, card, days, action, shown";

fn read(row: &SqliteRow) -> Result<Decision, Fault> {
    const TABLE: &str = "decision";
    let days = row.try_get::<Option<&str>, _>(9)?;
    let action = row.try_get::<Option<&str>, _>(10)?;
    let shown = row.try_get::<Option<&str>, _>(11)?;
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
        about: About {
            key: row.try_get::<Option<&str>, _>(7)?.map(Key::stored),
            card: row.try_get::<Option<&str>, _>(8)?.map(CardId::from),
            action: action.map(|word| from_word(word, TABLE)).transpose()?,
            days: days.map(|days| from_json(days, TABLE)).transpose()?,
            shown: shown.map(|shown| from_json(shown, TABLE)).transpose()?,
        },
    })
}

/// The last decision about each item, if it is in force: an approval that has ended does not revive what was before it.
pub(super) async fn in_force(
    connection: &mut SqliteConnection,
    environment: i64,
    now: DateTime<Utc>,
) -> Result<BTreeMap<ItemId, Decision>, Fault> {
    let statement = format!(
        "SELECT {COLUMNS} FROM decision \
         WHERE id IN (SELECT max(id) FROM decision WHERE environment = ?1 GROUP BY item) AND ended IS NULL"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
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
    const TABLE: &str = "decision";
    let statement =
        format!("SELECT {COLUMNS}, ended, ended_why, ended_by FROM decision WHERE environment = ?1 ORDER BY id DESC");
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(environment)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let decision = read(row)?;
            let ended = row.try_get::<Option<&str>, _>(12)?;
            let ended = ended.zip(row.try_get::<Option<&str>, _>(13)?).map(|(at, why)| {
                Ok::<_, Fault>(DecisionEnd {
                    at: time(at, TABLE)?,
                    why: from_word(why, TABLE)?,
                    by: row.try_get(14)?,
                })
            });
            Ok(LoggedDecision {
                action: decision.about.action,
                key: decision.about.key.clone(),
                card: decision.about.card.clone(),
                ended: ended.transpose()?,
                decision,
            })
        })
        .collect()
}
