//! What the journal has about one person.

use super::fault::Fault;
use super::read_only::ReadOnlyStore;
use super::reads::{HasReader, ask};
use super::stamp::{from_json, json, time};
use crate::core::model::card::OperatorCard;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::report::Outcome;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{Change, Step};
use crate::engine::explain::{JournalEntry, JournalReader};
use crate::engine::state::StoreError;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

impl JournalReader for ReadOnlyStore {
    async fn journal_about(&self, cards: &[CardId], keys: &[Key]) -> Result<Vec<JournalEntry>, StoreError> {
        ask!(self, journal, cards, keys)
    }
}

/// Every request about one of these cards or keys, oldest first.
async fn journal(
    connection: &mut SqliteConnection,
    environment: i64,
    cards: &[CardId],
    keys: &[Key],
) -> Result<Vec<JournalEntry>, Fault> {
    let rows = sqlx::query(
        "SELECT run, plan, item, action, key, card, sent_at, change, operators, approver, outcome, outcome_detail, \
                outcome_at, settled, settled_detail, settled_run, step_kind, step FROM journal \
         WHERE environment = ?1 AND (card IN (SELECT value FROM json_each(?2)) \
                                     OR key IN (SELECT value FROM json_each(?3))) ORDER BY id",
    )
    .bind(environment)
    .bind(json(cards))
    .bind(json(keys))
    .fetch_all(connection)
    .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &SqliteRow) -> Result<JournalEntry, Fault> {
    let text = |column: usize| row.try_get::<Option<&str>, _>(column);
    let moment = |column: usize| -> Result<Option<DateTime<Utc>>, Fault> {
        text(column)?.map(|text| time(text, "journal")).transpose()
    };
    // A purged row has kept who did what when, and lost what.
    let purged: bool = row.try_get::<&str, _>(7)?.is_empty();
    let change: Option<ChangeView> = if purged {
        None
    } else {
        let change: Change = from_json(row.try_get(7)?, "journal")?;
        let view = ChangeView::new(&change, &[]);
        // Of a change of two cards each request is about one of them, and may be the way back.
        Some(match from_json(row.try_get(17)?, "journal")? {
            Step::PatchCard { fields, .. } if change.cards().len() > 1 => view.with_fields(&fields),
            _step_of_one_card => view,
        })
    };
    let operators: Vec<OperatorCard> = from_json(row.try_get(8)?, "journal")?;
    let detail = text(14)?.or(text(11)?);
    let outcome: Option<Outcome> = detail.map(|detail| from_json(detail, "journal")).transpose()?;
    let (fields, why) = change.map_or_else(Default::default, |change| (change.fields, change.why));
    Ok(JournalEntry {
        run: row.try_get::<&str, _>(0)?.into(),
        plan_id: row.try_get::<&str, _>(1)?.into(),
        item: row.try_get::<&str, _>(2)?.into(),
        action: row.try_get::<&str, _>(3)?.to_owned(),
        step: row.try_get::<&str, _>(16)?.to_owned(),
        key: text(4)?.map(Key::stored),
        person_id: text(5)?.map(CardId::from),
        sent_at: time(row.try_get(6)?, "journal")?,
        fields,
        why,
        operators: operators.into_iter().map(|operator| operator.id).collect(),
        approved_by: text(9)?.map(str::to_owned),
        outcome: text(10)?.map(str::to_owned),
        message: outcome.as_ref().and_then(Outcome::message),
        ended_at: moment(12)?,
        settled: text(13)?.map(str::to_owned),
        settled_by: text(15)?.map(Into::into),
    })
}
