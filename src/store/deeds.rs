//! What earlier runs wrote, for undo: the requests that took effect, and pins on what was undone.

use super::fault::Fault;
use super::stamp::{from_json, from_word, json, time};
use crate::core::memory::deed::{Deed, Written};
use crate::core::memory::pin::Pin;
use crate::core::model::ids::ItemId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// The requests of a run that took effect or are in doubt, oldest first; of an item those of the last time that it was done.
/// What a later run sent to bring a change to its end belongs to the run that began it, and the other way round.
pub(super) async fn of(connection: &mut SqliteConnection, environment: i64, what: &str) -> Result<Vec<Deed>, Fault> {
    let rows = sqlx::query(
        "SELECT run, item, action, card, sent_at, coalesce(settled, outcome), change, step, before, after, operators, step_index \
         FROM journal WHERE environment = ?1 AND coalesce(settled, outcome, 'in_doubt') IN ('done', 'in_doubt') \
           AND (run = ?2 OR item = ?2 OR (action IN ('exchange', 'merge', 'archive', 'unarchive', 'anonymize') \
             AND item IN (SELECT item FROM journal WHERE environment = ?1 AND run = ?2))) \
         ORDER BY id",
    )
    .bind(environment)
    .bind(what)
    .fetch_all(connection)
    .await?;
    let mut sent: Vec<(Deed, bool)> = Vec::with_capacity(rows.len());
    for row in &rows {
        let deed = read(row)?;
        let index: i64 = row.try_get(11)?;
        let to_its_end = ends(&deed, index);
        sent.push((deed, to_its_end));
    }
    Ok(of_one(sent, what))
}

/// Whether a request was sent to bring to its end what an earlier one had begun.
fn ends(deed: &Deed, step_index: i64) -> bool {
    let change = deed.written.as_ref().map(|written| &written.change);
    change.is_some_and(|change| {
        let steps = i64::try_from(change.steps().len()).unwrap_or(i64::MAX);
        change.is_compound() && step_index >= steps
    })
}

/// Of these requests, oldest first, those of each time that an item was done in this run; or the last time of this item.
fn of_one(sent: Vec<(Deed, bool)>, what: &str) -> Vec<Deed> {
    let mut times: BTreeMap<ItemId, Vec<Vec<usize>>> = BTreeMap::new();
    for (place, (deed, to_its_end)) in sent.iter().enumerate() {
        let of_item = times.entry(deed.item.clone()).or_default();
        match of_item.last_mut() {
            Some(last) if *to_its_end || last.iter().any(|before| sent[*before].0.run == deed.run) => last.push(place),
            Some(_) | None => of_item.push(vec![place]),
        }
    }
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    for (item, of_item) in &times {
        if item.as_str() == what {
            wanted.extend(of_item.last().into_iter().flatten());
        }
        let in_run = |time: &&Vec<usize>| time.iter().any(|place| sent[*place].0.run.as_str() == what);
        wanted.extend(of_item.iter().filter(in_run).flatten());
    }
    let deeds = sent.into_iter().enumerate();
    let deeds = deeds.filter(|(place, _)| wanted.contains(place));
    deeds.map(|(_, (deed, _))| deed).collect()
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
