//! The past, for those who ask: rows of the journal, and the items of each run.

use super::fault::Fault;
use super::stamp::{from_json, from_word, json, stamp, time};
use crate::core::model::ids::{CardId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::report::{Outcome, RunReport};
use crate::engine::records::{Ended, ItemDetail, JournalEntry, JournalQuery, JournalValues, RunItem};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// Keeps what became of the items of a run, in place of what was kept of it before.
pub(super) async fn keep_items(
    connection: &mut SqliteConnection,
    environment: i64,
    run: &RunId,
    items: &[RunItem],
) -> Result<(), Fault> {
    for (place, item) in items.iter().enumerate() {
        let RunItem {
            item,
            action,
            key,
            card,
            outcome,
            detail,
        } = item;
        sqlx::query(
            "INSERT OR REPLACE INTO run_item (environment, run, place, item, action, key, card, outcome, detail) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .bind(environment)
        .bind(run.as_str())
        .bind(i64::try_from(place).expect("a run has fewer items than 2^63"))
        .bind(item.as_str())
        .bind(action.name())
        .bind(key.as_ref().map(Key::as_str))
        .bind(card.as_ref().map(CardId::as_str))
        .bind(outcome.word())
        .bind(json(detail))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// One run.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    environment: i64,
    run: &RunId,
) -> Result<Option<RunReport>, Fault> {
    let report: Option<String> = sqlx::query_scalar("SELECT report FROM run WHERE environment = ?1 AND id = ?2")
        .bind(environment)
        .bind(run.as_str())
        .fetch_optional(connection)
        .await?;
    report.map(|text| from_json(&text, "run")).transpose()
}

/// The items of a run, in the order of its plan.
pub(super) async fn items(
    connection: &mut SqliteConnection,
    environment: i64,
    run: &RunId,
) -> Result<Vec<RunItem>, Fault> {
    const TABLE: &str = "run_item";
    let rows = sqlx::query(
        "SELECT item, action, key, card, outcome, detail FROM run_item WHERE environment = ?1 AND run = ?2 ORDER BY place",
    )
    .bind(environment)
    .bind(run.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let detail: &str = row.try_get(5)?;
            Ok(RunItem {
                item: row.try_get::<&str, _>(0)?.into(),
                action: from_word(row.try_get(1)?, TABLE)?,
                key: row.try_get::<Option<&str>, _>(2)?.map(Key::stored),
                card: row.try_get::<Option<&str>, _>(3)?.map(CardId::from),
                outcome: from_word(row.try_get(4)?, TABLE)?,
                detail: if detail.is_empty() {
                    ItemDetail::default()
                } else {
                    from_json(detail, TABLE)?
                },
            })
        })
        .collect()
}

const JOURNAL: &str = "journal";

/// Rows of the journal, oldest first.
pub(super) async fn journal(
    connection: &mut SqliteConnection,
    environment: i64,
    query: &JournalQuery<'_>,
) -> Result<Vec<JournalEntry>, Fault> {
    let JournalQuery {
        run,
        card,
        key,
        item,
        since,
        after,
        limit,
    } = query;
    let rows = sqlx::query(
        "SELECT id, run, plan, item, action, step_kind, step_index, key, card, sent_at, approval, outcome, outcome_at, \
                outcome_detail, settled, settled_at, settled_run, settled_detail, change, before, after, operators \
         FROM journal \
         WHERE environment = ?1 AND id > ?2 AND (?3 IS NULL OR run = ?3) AND (?4 IS NULL OR card = ?4) \
               AND (?5 IS NULL OR key = ?5) AND (?6 IS NULL OR item = ?6) AND (?7 IS NULL OR sent_at >= ?7) \
         ORDER BY id LIMIT ?8",
    )
    .bind(environment)
    .bind(after)
    .bind(run.map(RunId::as_str))
    .bind(card.map(CardId::as_str))
    .bind(key.map(Key::as_str))
    .bind(item.map(|item| item.as_str()))
    .bind(since.map(stamp))
    .bind(limit.map_or(-1, i64::from))
    .fetch_all(connection)
    .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &SqliteRow) -> Result<JournalEntry, Fault> {
    let moment = |column: usize| -> Result<Option<DateTime<Utc>>, Fault> {
        let text: Option<&str> = row.try_get(column)?;
        text.map(|text| time(text, JOURNAL)).transpose()
    };
    let ended = |column: usize| -> Result<Option<Ended>, Fault> {
        let text: Option<&str> = row.try_get(column)?;
        text.map(|text| from_word(text, JOURNAL)).transpose()
    };
    let said = |column: usize| -> Result<Option<String>, Fault> {
        let text: Option<&str> = row.try_get(column)?;
        let outcome: Option<Outcome> = text.map(|text| from_json(text, JOURNAL)).transpose()?;
        Ok(outcome.as_ref().and_then(Outcome::message))
    };
    let change: &str = row.try_get(18)?;
    let values = if change.is_empty() {
        None
    } else {
        let image = |column: usize| -> Result<_, Fault> {
            let text: Option<&str> = row.try_get(column)?;
            text.map(|text| from_json(text, JOURNAL)).transpose()
        };
        Some(JournalValues {
            change: from_json(change, JOURNAL)?,
            before: image(19)?,
            after: image(20)?,
            operators: from_json(row.try_get(21)?, JOURNAL)?,
        })
    };
    Ok(JournalEntry {
        id: row.try_get(0)?,
        run: row.try_get::<&str, _>(1)?.into(),
        plan: row.try_get::<&str, _>(2)?.into(),
        item: row.try_get::<&str, _>(3)?.into(),
        action: from_word(row.try_get(4)?, JOURNAL)?,
        step: row.try_get(5)?,
        step_index: row.try_get(6)?,
        key: row.try_get::<Option<&str>, _>(7)?.map(Key::stored),
        card: row.try_get::<Option<&str>, _>(8)?.map(CardId::from),
        sent_at: time(row.try_get(9)?, JOURNAL)?,
        approval: row
            .try_get::<Option<&str>, _>(10)?
            .map(|text| from_json(text, JOURNAL))
            .transpose()?,
        outcome: ended(11)?,
        outcome_at: moment(12)?,
        message: match said(17)? {
            Some(settled) => Some(settled),
            None => said(13)?,
        },
        settled: ended(14)?,
        settled_at: moment(15)?,
        settled_run: row.try_get::<Option<&str>, _>(16)?.map(RunId::from),
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::super::stamp::word;
    use super::*;

    #[test]
    fn the_words_are_those_of_json() {
        for ended in [
            Ended::Done,
            Ended::NotDone,
            Ended::InDoubt,
            Ended::Held,
            Ended::NotReached,
            Ended::HalfWay,
            Ended::PutBack,
        ] {
            assert_eq!(word(&ended), ended.word());
        }
    }
}
