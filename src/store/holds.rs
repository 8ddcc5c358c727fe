//! What waits for a human: the held items of the last run, and what first contact or a changed configuration brought.

use super::fault::Fault;
use super::stamp::{from_json, json, stamp, time};
use crate::core::memory::decision::{Contact, HeldItem, SetAside};
use crate::core::model::ids::ItemId;
use crate::engine::state::KeptHold;
use chrono::{DateTime, Duration, Utc};
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

/// How long it is kept after an item last waited that it was set aside while it was applied.
const FIRST_HOLD_KEPT: Duration = Duration::days(30);

/// How long what an undo holds waits without the undo being given again: as long as an approval.
const UNDO_WAITS: Duration = Duration::days(7);

/// The items that wait now.
pub(super) struct HeldSet {
    /// Empty for the sync, else what is undone.
    pub(super) origin: String,
    pub(super) items: Vec<KeptHold>,
    /// Items that were done: nothing of them needs to be known.
    pub(super) done: Vec<ItemId>,
}

/// Puts a new set in the place of the old one. Whoever makes the set knows since when each item waits: what a run that could
/// judge no longer asked and a later one asks again, is asked anew. An item that waits no longer stays where it was set aside
/// while it was applied: it may be back in the next plan, and must wait then.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    environment: i64,
    held: &HeldSet,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE hold SET place = NULL, \
            card = CASE WHEN json_extract(body, '$.set_aside') IS NULL THEN NULL ELSE card END, \
            body = CASE WHEN json_extract(body, '$.set_aside') IS NULL THEN NULL ELSE body END \
         WHERE environment = ?1 AND place IS NOT NULL \
           AND (origin = ?2 OR (origin <> '' AND last_held < ?3))",
    )
    .bind(environment)
    .bind(&held.origin)
    .bind(stamp(now - UNDO_WAITS))
    .execute(&mut *connection)
    .await?;
    for item in &held.done {
        sqlx::query("UPDATE hold SET body = NULL, card = NULL WHERE environment = ?1 AND item = ?2")
            .bind(environment)
            .bind(item.as_str())
            .execute(&mut *connection)
            .await?;
    }
    for (place, KeptHold { plan, item, undoes: _ }) in held.items.iter().enumerate() {
        sqlx::query(
            "INSERT INTO hold (environment, item, since, last_held, plan, place, card, body, origin) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             ON CONFLICT (environment, item) DO UPDATE SET since = excluded.since, \
                last_held = excluded.last_held, plan = excluded.plan, place = excluded.place, \
                card = excluded.card, body = excluded.body, \
                origin = CASE WHEN hold.origin <> '' THEN hold.origin ELSE excluded.origin END",
        )
        .bind(environment)
        .bind(item.change.id.as_str())
        .bind(stamp(item.since))
        .bind(stamp(now))
        .bind(plan.as_str())
        .bind(i64::try_from(place).expect("a plan has fewer items than 2^63"))
        .bind(item.change.person_id.as_ref().map(|card| card.as_str()))
        .bind(json(item))
        .bind(&held.origin)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Forgets items that have not waited for a month.
pub(super) async fn forget_old(
    connection: &mut SqliteConnection,
    environment: i64,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    sqlx::query("DELETE FROM hold WHERE environment = ?1 AND place IS NULL AND last_held < ?2")
        .bind(environment)
        .bind(stamp(now - FIRST_HOLD_KEPT))
        .execute(connection)
        .await?;
    Ok(())
}

/// What waits, in plan order.
pub(super) async fn load(connection: &mut SqliteConnection, environment: i64) -> Result<Vec<KeptHold>, Fault> {
    let rows = sqlx::query(
        "SELECT plan, body, since, origin FROM hold WHERE environment = ?1 AND place IS NOT NULL AND body IS NOT NULL \
         ORDER BY origin, place",
    )
    .bind(environment)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let mut item: HeldItem = from_json(row.try_get(1)?, "hold")?;
            item.since = time(row.try_get(2)?, "hold")?;
            Ok(KeptHold {
                plan: row.try_get::<&str, _>(0)?.into(),
                item,
                undoes: Some(row.try_get::<String, _>(3)?).filter(|origin| !origin.is_empty()),
            })
        })
        .collect()
}

/// What was set aside while it was applied, also of items that do not wait just now.
pub(super) async fn load_set_aside(
    connection: &mut SqliteConnection,
    environment: i64,
) -> Result<BTreeMap<ItemId, SetAside>, Fault> {
    let rows = sqlx::query(
        "SELECT item, json_extract(body, '$.set_aside') FROM hold \
         WHERE environment = ?1 AND json_extract(body, '$.set_aside') IS NOT NULL",
    )
    .bind(environment)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get::<&str, _>(0)?.into(), from_json(row.try_get(1)?, "hold")?)))
        .collect()
}

/// Keeps what the environment's first contact and its configurations brought.
pub(super) async fn save_contact(
    connection: &mut SqliteConnection,
    environment: i64,
    contact: &Contact,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO contact (environment, body) VALUES (?1, ?2) \
         ON CONFLICT (environment) DO UPDATE SET body = excluded.body",
    )
    .bind(environment)
    .bind(json(contact))
    .execute(connection)
    .await?;
    Ok(())
}

/// What was kept; the default where no run has been.
pub(super) async fn load_contact(connection: &mut SqliteConnection, environment: i64) -> Result<Contact, Fault> {
    let body: Option<String> = sqlx::query_scalar("SELECT body FROM contact WHERE environment = ?1")
        .bind(environment)
        .fetch_optional(connection)
        .await?;
    match body {
        Some(body) => from_json(&body, "contact"),
        None => Ok(Contact::default()),
    }
}
