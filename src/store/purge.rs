//! Forgetting a person (RULES 12): the values go, who did what when stays.

use super::fault::Fault;
use super::holds::{load_contact, save_contact};
use super::mentions;
use super::stamp::from_count;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::engine::records::Kept;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeSet;

/// Requests whose values may go: an open one keeps what recovery needs until it is settled, and the next purge takes it.
pub(super) const ENDED: &str = "(settled IS NOT NULL OR outcome IN ('done', 'not_done', 'held', 'not_reached'))";

/// Where a card's requests and items are: by the card, and by its keys where there was no card yet.
const OF_PERSON: &str =
    "(card = ?2 OR (card IS NULL AND key IS NOT NULL AND key IN (SELECT value FROM json_each(?3))))";

/// The same for what waits.
const HELD_FOR_PERSON: &str = "(card = ?2 OR (card IS NULL AND json_extract(body, '$.change.key') IN (SELECT value FROM json_each(?3))) \
      OR json_extract(body, '$.change.other.person_id') = ?2)";

/// The same for what else needs a human: it may name both.
const CONCERN_OF_PERSON: &str = "(card = ?2 OR (key IS NOT NULL AND key IN (SELECT value FROM json_each(?3))))";

/// Every key that is kept of a card.
async fn keys(connection: &mut SqliteConnection, environment: i64, card: &CardId) -> Result<BTreeSet<Key>, Fault> {
    let rows = sqlx::query(
        "SELECT key FROM ledger WHERE environment = ?1 AND card = ?2 \
         UNION SELECT former.value FROM ledger, json_each(ledger.rest, '$.former_keys') AS former \
               WHERE environment = ?1 AND card = ?2 \
         UNION SELECT key FROM journal WHERE environment = ?1 AND card = ?2 \
         UNION SELECT key FROM run_item WHERE environment = ?1 AND card = ?2",
    )
    .bind(environment)
    .bind(card.as_str())
    .fetch_all(connection)
    .await?;
    let mut keys = BTreeSet::new();
    for row in &rows {
        keys.extend(row.try_get::<Option<&str>, _>(0)?.map(Key::stored));
    }
    Ok(keys)
}

fn as_array(keys: &BTreeSet<Key>) -> String {
    super::stamp::json(&keys.iter().map(Key::as_str).collect::<Vec<_>>())
}

/// A decision about a card and a number, which names the card: `core::memory::rejected_pairs::pair_id`.
const OF_PAIR: &str = "item LIKE 'pair-' || ?2 || '-%'";

/// How much personal is kept of a card, beside its entry in the ledger.
pub(super) async fn kept(
    connection: &mut SqliteConnection,
    environment: i64,
    card: &CardId,
    more: &BTreeSet<Key>,
) -> Result<Kept, Fault> {
    let mut all = keys(&mut *connection, environment, card).await?;
    all.extend(more.iter().cloned());
    let keys = as_array(&all);
    let mut count = async |from: String| -> Result<u64, Fault> {
        let statement = format!("SELECT count(*) FROM {from}");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .bind(environment)
            .bind(card.as_str())
            .bind(&keys)
            .fetch_one(&mut *connection)
            .await?;
        Ok(from_count(found))
    };
    let of = |table: &str| format!("{table} WHERE environment = ?1 AND {OF_PERSON}");
    let journal = count(format!("{} AND (key IS NOT NULL OR change <> '')", of("journal"))).await?;
    let items = count(format!("{} AND (key IS NOT NULL OR detail <> '')", of("run_item"))).await?;
    let holds = count(format!("hold WHERE environment = ?1 AND {HELD_FOR_PERSON}")).await?;
    let concerns = count(format!("concern WHERE environment = ?1 AND {CONCERN_OF_PERSON}")).await?;
    let items_of = items_of_person();
    let notes = count(format!(
        "decision WHERE environment = ?1 AND note IS NOT NULL AND (item IN ({items_of}) OR {OF_PAIR} OR {OF_PERSON})"
    ))
    .await?;
    let elsewhere = mentions::count(connection, environment, card, &all).await?;
    Ok(Kept {
        journal,
        items,
        holds: holds + concerns,
        notes,
        elsewhere,
        inputs: 0,
    })
}

/// The items that concern a person.
fn items_of_person() -> String {
    format!(
        "SELECT item FROM journal WHERE environment = ?1 AND {OF_PERSON} \
         UNION SELECT item FROM run_item WHERE environment = ?1 AND {OF_PERSON} \
         UNION SELECT item FROM hold WHERE environment = ?1 AND {HELD_FOR_PERSON}"
    )
}

/// Empties everything personal that is kept for a card, and for more keys where there was no card. The card id, the
/// actions, times and outcomes stay; the ledger is the caller's, in the same run.
pub(super) async fn person(
    connection: &mut SqliteConnection,
    environment: i64,
    card: &CardId,
    more: &BTreeSet<Key>,
) -> Result<(), Fault> {
    let mut keys = keys(&mut *connection, environment, card).await?;
    keys.extend(more.iter().cloned());
    let listed = as_array(&keys);
    let mut gone = 0;
    let notes = format!(
        "UPDATE decision SET note = NULL WHERE environment = ?1 AND note IS NOT NULL AND (item IN ({}) OR {OF_PERSON})",
        items_of_person()
    );
    // A decision is copied into what it let pass.
    let approvals = format!(
        "UPDATE journal SET approval = json_set(approval, '$.note', NULL) \
         WHERE environment = ?1 AND {OF_PERSON} AND json_extract(approval, '$.note') IS NOT NULL"
    );
    let journal = format!(
        "UPDATE journal SET key = NULL, change = '', step = '', before = NULL, operators = '[]', after = NULL, \
         outcome_detail = NULL, settled_detail = NULL \
         WHERE environment = ?1 AND {OF_PERSON} AND {ENDED} AND (key IS NOT NULL OR change <> '')"
    );
    let items = format!(
        "UPDATE run_item SET key = NULL, detail = '' \
         WHERE environment = ?1 AND {OF_PERSON} AND (key IS NOT NULL OR detail <> '')"
    );
    let holds = format!("DELETE FROM hold WHERE environment = ?1 AND {HELD_FOR_PERSON}");
    let concerns = format!("DELETE FROM concern WHERE environment = ?1 AND {CONCERN_OF_PERSON}");
    let decided = format!(
        "UPDATE decision SET key = NULL, days = NULL, shown = NULL \
         WHERE environment = ?1 AND (key IS NOT NULL OR days IS NOT NULL OR shown IS NOT NULL) AND {OF_PERSON}"
    );
    let pins = "DELETE FROM pin WHERE environment = ?1 AND card = ?2".to_owned();
    let halfway =
        "DELETE FROM halfway WHERE environment = ?1 AND EXISTS (SELECT 1 FROM json_each(cards) WHERE value = ?2)"
            .to_owned();
    // Whose card it is not, and why, is said of the person too.
    let pairs = format!("DELETE FROM decision WHERE environment = ?1 AND {OF_PAIR}");
    for statement in [
        pairs, notes, approvals, decided, pins, halfway, journal, items, holds, concerns,
    ] {
        gone += sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(environment)
            .bind(card.as_str())
            .bind(&listed)
            .execute(&mut *connection)
            .await?
            .rows_affected();
    }
    let mut contact = load_contact(connection, environment).await?;
    let before = contact.apart.clone();
    contact.apart.forget(&keys);
    let paired = contact.halves.forget(&BTreeSet::from([card.clone()]), &keys);
    if paired || contact.apart != before {
        save_contact(connection, environment, &contact).await?;
        gone += 1;
    }
    gone += mentions::take_out(connection, environment, card, &keys).await?;
    if gone > 0 {
        rewrite_is_due(connection, environment).await?;
    }
    Ok(())
}

/// SQLite moves rows about and leaves copies in unused places: only a file that is written anew is surely without them.
pub(super) async fn rewrite_is_due(connection: &mut SqliteConnection, environment: i64) -> Result<(), Fault> {
    sqlx::query("UPDATE environment SET rewrite_due = 1 WHERE id = ?1")
        .bind(environment)
        .execute(connection)
        .await?;
    Ok(())
}
