//! The ledger's rows: what is remembered per card.

use super::fault::Fault;
use super::stamp::{from_json, from_word, json, stamp, time, word};
use crate::core::memory::certificate::Overwritten;
use crate::core::memory::ledger::{LastLook, LedgerEntry, OurArchive, Sighting};
use crate::core::memory::seen::SeenValues;
use crate::core::model::ids::{CardId, OperatorId, SourceName};
use crate::core::model::key::Key;
use crate::core::model::record::Anchor;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Rows per statement: few enough that a piece stays below a megabyte.
const PIECE: usize = 1000;

/// What has no column of its own.
#[derive(Serialize, Deserialize)]
struct Rest<'a> {
    #[serde(default, skip_serializing_if = "<[Key]>::is_empty")]
    former_keys: Cow<'a, [Key]>,
    #[serde(default, skip_serializing_if = "<[Anchor]>::is_empty")]
    anchors: Cow<'a, [Anchor]>,
    sightings: Cow<'a, BTreeMap<SourceName, Sighting>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaves_on: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaving_is_certain: bool,
    #[serde(default, skip_serializing_if = "LastLook::is_active")]
    last_look: LastLook,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archived_by_us: Option<Cow<'a, OurArchive>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    archived_operators: Cow<'a, BTreeSet<OperatorId>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    access_later: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overwritten: Option<Cow<'a, Overwritten>>,
    #[serde(default, skip_serializing_if = "SeenValues::is_empty")]
    seen: Cow<'a, SeenValues>,
}

/// Whether this text of a row reads.
pub(super) fn reads_rest(text: &str, table: &'static str) -> Result<(), Fault> {
    from_json::<Rest<'static>>(text, table).map(drop)
}

/// Entries as JSON arrays of rows, in pieces: one statement then writes a thousand rows.
pub(super) fn pieces(entries: &[LedgerEntry]) -> Vec<String> {
    entries
        .chunks(PIECE)
        .map(|piece| json(&piece.iter().map(row).collect::<Vec<_>>()))
        .collect()
}

/// One row, in the order of the columns.
fn row(entry: &LedgerEntry) -> impl Serialize {
    let LedgerEntry {
        card,
        key,
        former_keys,
        key_hash,
        anchors,
        origin,
        since,
        sightings,
        leaving_since,
        leaves_on,
        leaving_is_certain,
        last_look,
        archived_by_us,
        archived_operators,
        anonymized,
        access_later,
        overwritten,
        seen,
    } = entry;
    let rest = Rest {
        former_keys: Cow::Borrowed(former_keys),
        anchors: Cow::Borrowed(anchors),
        sightings: Cow::Borrowed(sightings),
        leaves_on: *leaves_on,
        leaving_is_certain: *leaving_is_certain,
        last_look: *last_look,
        archived_by_us: archived_by_us.as_deref().map(Cow::Borrowed),
        archived_operators: Cow::Borrowed(archived_operators),
        access_later: *access_later,
        overwritten: overwritten.as_deref().map(Cow::Borrowed),
        seen: Cow::Borrowed(seen),
    };
    (
        card,
        key,
        key_hash,
        word(origin),
        stamp(*since),
        leaving_since.map(stamp),
        *anonymized,
        rest,
    )
}

/// Adds or replaces entries. A row that says the same already is not written again.
pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    environment: i64,
    pieces: &[String],
) -> Result<(), Fault> {
    for piece in pieces {
        sqlx::query(
            "INSERT INTO ledger (environment, card, key, key_hash, origin, since, leaving_since, anonymized, rest) \
             SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
                    value -> 7 FROM json_each(?2) WHERE true \
             ON CONFLICT (environment, card) DO UPDATE SET key = excluded.key, key_hash = excluded.key_hash, \
                origin = excluded.origin, since = excluded.since, leaving_since = excluded.leaving_since, \
                anonymized = excluded.anonymized, rest = excluded.rest \
             WHERE (key, key_hash, origin, since, leaving_since, anonymized, rest) IS NOT \
                   (excluded.key, excluded.key_hash, excluded.origin, excluded.since, excluded.leaving_since, \
                    excluded.anonymized, excluded.rest)",
        )
        .bind(environment)
        .bind(piece.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The entry that comes with an outcome.
pub(super) async fn learn_one(
    connection: &mut SqliteConnection,
    environment: i64,
    entry: Option<&LedgerEntry>,
) -> Result<(), Fault> {
    match entry {
        Some(entry) => upsert(connection, environment, &pieces(std::slice::from_ref(entry))).await,
        None => Ok(()),
    }
}

/// A row as it is read: its columns, and what has none.
type ReadRow = (
    (
        CardId,
        Option<String>,
        Option<String>,
        String,
        String,
        Option<String>,
        u8,
    ),
    Rest<'static>,
);

/// The whole ledger, by thousands of rows in one text each: to hand over row by row takes longer than all the rest.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    environment: i64,
) -> Result<BTreeMap<CardId, LedgerEntry>, Fault> {
    let mut entries = Vec::new();
    let mut after = String::new();
    loop {
        let piece = sqlx::query(
            "SELECT max(card), '[' || group_concat('[' || json_array(card, key, key_hash, origin, since, leaving_since, \
                    anonymized) || ',' || rest || ']') || ']' \
             FROM (SELECT card, key, key_hash, origin, since, leaving_since, anonymized, rest FROM ledger \
                   WHERE environment = ?1 AND card > ?2 ORDER BY card LIMIT ?3)",
        )
        .bind(environment)
        .bind(after.as_str())
        .bind(i64::try_from(PIECE).expect("a small number"))
        .fetch_one(&mut *connection)
        .await?;
        let Some(last) = piece.try_get::<Option<String>, _>(0)? else {
            break;
        };
        after = last;
        let rows: Vec<ReadRow> = from_json(piece.try_get(1)?, "ledger")?;
        for row in rows {
            entries.push(entry(row)?);
        }
    }
    // Sorted already: the map is built in one pass.
    Ok(entries.into_iter().map(|entry| (entry.card.clone(), entry)).collect())
}

fn entry(row: ReadRow) -> Result<LedgerEntry, Fault> {
    let ((card, key, key_hash, origin, since, leaving_since, anonymized), rest) = row;
    Ok(LedgerEntry {
        card,
        key: key.map(|key| Key::stored(&key)),
        former_keys: rest.former_keys.into_owned(),
        key_hash,
        anchors: rest.anchors.into_owned(),
        origin: from_word(&origin, "ledger")?,
        since: time(&since, "ledger")?,
        sightings: rest.sightings.into_owned(),
        leaving_since: leaving_since.map(|text| time(&text, "ledger")).transpose()?,
        leaves_on: rest.leaves_on,
        leaving_is_certain: rest.leaving_is_certain,
        last_look: rest.last_look,
        archived_by_us: rest.archived_by_us.map(|archive| Box::new(archive.into_owned())),
        archived_operators: rest.archived_operators.into_owned(),
        anonymized: anonymized != 0,
        access_later: rest.access_later,
        overwritten: rest.overwritten.map(|written| Box::new(written.into_owned())),
        seen: rest.seen.into_owned(),
    })
}

/// Cards whose entry has lost its keys: people who were anonymized or forgotten. One that gave its key away to a twin still
/// has it among its former ones.
pub(super) async fn forgotten(connection: &mut SqliteConnection, environment: i64) -> Result<BTreeSet<CardId>, Fault> {
    let rows = sqlx::query(
        "SELECT card FROM ledger WHERE environment = ?1 AND key IS NULL \
         AND coalesce(json_array_length(rest, '$.former_keys'), 0) = 0",
    )
    .bind(environment)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok(CardId::new(row.try_get::<&str, _>(0)?)))
        .collect()
}
