//! The journal: every request before it is sent, and how it ended.

use super::fault::Fault;
use super::stamp::{from_json, json, stamp, time};
use crate::core::memory::decision::InDoubt;
use crate::core::memory::ledger::LastWrite;
use crate::core::model::card::PersonCard;
use crate::core::model::ids::{CardId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::Step;
use crate::core::plan::report::Outcome;
use crate::core::rules::window::{BudgetUsed, Spent, Window};
use crate::engine::records::Ended;
use crate::engine::state::{Ending, Intent, OpenIntent, StoreError};
use crate::engine::target::IntentId;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

/// An intent as a row.
pub(super) struct IntentRow {
    run: String,
    plan: String,
    item: String,
    action: &'static str,
    step_index: i64,
    step_kind: &'static str,
    key: Option<String>,
    card: Option<String>,
    classes: String,
    sent_at: String,
    change: String,
    step: String,
    before: Option<String>,
    operators: String,
    approver: Option<String>,
    approval: Option<String>,
}

impl IntentRow {
    /// The row of an intent.
    pub(super) fn new(run: &RunId, intent: &Intent<'_>) -> Self {
        let Intent {
            plan,
            change,
            step_index,
            step,
            before,
            operators_before,
            cards_before: _,
            approval,
            at,
        } = intent;
        // Each class is JSON of its own, so that `json_each` gives it back as it was.
        let classes: Vec<String> = change.classes().iter().map(json).collect();
        Self {
            run: run.to_string(),
            plan: plan.to_string(),
            item: change.id.to_string(),
            action: change.action.kind().name(),
            step_index: i64::try_from(*step_index).expect("a change has a handful of steps"),
            step_kind: step_kind(step),
            // Of an exchange each request is about the person of its own card.
            key: match step.card() {
                Some(card) => change.key_of(card),
                None => change.key.as_ref(),
            }
            .map(ToString::to_string),
            card: step.card().or(change.card.as_ref()).map(ToString::to_string),
            classes: json(&classes),
            sent_at: stamp(*at),
            change: json(change),
            step: json(step),
            before: before.map(json),
            operators: json(operators_before),
            approver: approval.map(|decision| decision.by.clone()),
            // Whom it is about stands beside it.
            approval: approval.map(|decision| json(&decision.without_about())),
        }
    }
}

const CREATE_CARD: &str = "create_card";

fn step_kind(step: &Step) -> &'static str {
    match step {
        Step::CreateEntry { .. } => "create_entry",
        Step::CreateCard { .. } => CREATE_CARD,
        Step::PatchCard { .. } => "patch_card",
        Step::ArchiveCard { .. } => "archive_card",
        Step::UnarchiveCard { .. } => "unarchive_card",
        Step::ArchiveOperator { .. } => "archive_operator",
        Step::UnarchiveOperator { .. } => "unarchive_operator",
        Step::SetLoginPermission { .. } => "set_login_permission",
    }
}

/// An outcome as a row.
pub(super) struct EndingRow {
    intent: IntentId,
    run: String,
    word: &'static str,
    detail: String,
    card: Option<String>,
    after: Option<String>,
    at: String,
}

const IN_DOUBT: &str = "in_doubt";

impl EndingRow {
    /// The row of an outcome.
    pub(super) fn new(run: &RunId, intent: IntentId, ending: &Ending<'_>) -> Self {
        let made: Option<&CardId> = match ending.outcome {
            Outcome::Done { card } => card.as_ref(),
            Outcome::NotDone { .. }
            | Outcome::InDoubt { .. }
            | Outcome::Held { .. }
            | Outcome::NotReached { .. }
            | Outcome::HalfWay { .. }
            | Outcome::PutBack { .. } => None,
        };
        let after: Option<&PersonCard> = ending.after;
        Self {
            intent,
            run: run.to_string(),
            word: Ended::from(ending.outcome).word(),
            detail: json(ending.outcome),
            card: made.or(after.map(|card| &card.id)).map(ToString::to_string),
            after: after.map(json),
            at: stamp(ending.at),
        }
    }
}

/// Writes an intent and gives its number.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    environment: i64,
    fence: i64,
    row: &IntentRow,
) -> Result<i64, Fault> {
    let done = sqlx::query(
        "INSERT INTO journal (environment, fence, run, plan, item, action, step_index, step_kind, key, card, classes, \
                              sent_at, change, step, before, operators, approver, approval) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )
    .bind(environment)
    .bind(fence)
    .bind(&row.run)
    .bind(&row.plan)
    .bind(&row.item)
    .bind(row.action)
    .bind(row.step_index)
    .bind(row.step_kind)
    .bind(&row.key)
    .bind(&row.card)
    .bind(&row.classes)
    .bind(&row.sent_at)
    .bind(&row.change)
    .bind(&row.step)
    .bind(&row.before)
    .bind(&row.operators)
    .bind(&row.approver)
    .bind(&row.approval)
    .execute(connection)
    .await?;
    Ok(done.last_insert_rowid())
}

/// Writes the outcome of an intent that has none.
pub(super) async fn end(connection: &mut SqliteConnection, environment: i64, row: &EndingRow) -> Result<(), Fault> {
    let done = sqlx::query(
        "UPDATE journal SET outcome = ?3, outcome_at = ?4, outcome_detail = ?5, after = ?6, card = coalesce(card, ?7) \
         WHERE environment = ?1 AND id = ?2 AND outcome IS NULL AND settled IS NULL",
    )
    .bind(environment)
    .bind(row.intent.row())
    .bind(row.word)
    .bind(&row.at)
    .bind(&row.detail)
    .bind(&row.after)
    .bind(&row.card)
    .execute(connection)
    .await?;
    changed(done.rows_affected(), row)
}

/// Writes what a later read found. Doubt that stays doubt keeps the intent open.
pub(super) async fn settle(connection: &mut SqliteConnection, environment: i64, row: &EndingRow) -> Result<(), Fault> {
    let still_in_doubt = row.word == IN_DOUBT;
    let statement = if still_in_doubt {
        "UPDATE journal SET outcome = ?3, outcome_at = coalesce(outcome_at, ?4), \
                            outcome_detail = coalesce(outcome_detail, ?5), after = coalesce(?6, after), \
                            card = coalesce(card, ?7) \
         WHERE environment = ?1 AND id = ?2 AND settled IS NULL AND (outcome IS NULL OR outcome = 'in_doubt')"
    } else {
        "UPDATE journal SET settled = ?3, settled_at = ?4, settled_detail = ?5, after = coalesce(?6, after), \
                            card = coalesce(card, ?7), settled_run = ?8 \
         WHERE environment = ?1 AND id = ?2 AND settled IS NULL AND (outcome IS NULL OR outcome = 'in_doubt')"
    };
    let query = sqlx::query(statement)
        .bind(environment)
        .bind(row.intent.row())
        .bind(row.word)
        .bind(&row.at)
        .bind(&row.detail)
        .bind(&row.after)
        .bind(&row.card);
    let query = if still_in_doubt { query } else { query.bind(&row.run) };
    let done = query.execute(connection).await?;
    changed(done.rows_affected(), row)
}

fn changed(rows: u64, row: &EndingRow) -> Result<(), Fault> {
    if rows == 1 {
        Ok(())
    } else {
        Err(Fault::Refused(StoreError::NoOpenIntent { row: row.intent.row() }))
    }
}

/// Intents whose effect nobody knows, oldest first.
pub(super) async fn open(connection: &mut SqliteConnection, environment: i64) -> Result<Vec<OpenIntent>, Fault> {
    let rows = sqlx::query(
        "SELECT id, run, plan, change, step_index, step, before, operators, sent_at, outcome, approver FROM journal \
         WHERE environment = ?1 AND settled IS NULL AND (outcome IS NULL OR outcome = 'in_doubt') ORDER BY id",
    )
    .bind(environment)
    .fetch_all(&mut *connection)
    .await?;
    let Some(oldest) = rows.first() else {
        return Ok(Vec::new());
    };
    let answered = answered_after(connection, environment, oldest.try_get(0)?).await?;
    rows.iter()
        .map(|row| {
            let number: i64 = row.try_get(0)?;
            let step: Step = from_json(row.try_get(5)?, "journal")?;
            let later = answered.partition_point(|(other, _)| *other <= number);
            let later: Vec<Step> = answered[later..].iter().map(|(_, step)| step.clone()).collect();
            Ok(OpenIntent {
                id: IntentId::committed(number),
                run: row.try_get::<&str, _>(1)?.into(),
                plan: row.try_get::<&str, _>(2)?.into(),
                change: from_json(row.try_get(3)?, "journal")?,
                step_index: usize::try_from(row.try_get::<i64, _>(4)?).unwrap_or(0),
                overtaken: step.is_overtaken_by(&later),
                step,
                before: row
                    .try_get::<Option<&str>, _>(6)?
                    .map(|text| from_json(text, "journal"))
                    .transpose()?,
                operators_before: from_json(row.try_get(7)?, "journal")?,
                sent_at: time(row.try_get(8)?, "journal")?,
                approver: row.try_get(10)?,
                known_in_doubt: row.try_get::<Option<&str>, _>(9)?.is_some(),
            })
        })
        .collect()
}

/// What was sent after this row and answered, oldest first.
async fn answered_after(
    connection: &mut SqliteConnection,
    environment: i64,
    row: i64,
) -> Result<Vec<(i64, Step)>, Fault> {
    let rows = sqlx::query(
        "SELECT id, step FROM journal \
         WHERE environment = ?1 AND id > ?2 AND outcome = 'done' AND settled IS NULL AND step <> '' ORDER BY id",
    )
    .bind(environment)
    .bind(row)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, from_json(row.try_get(1)?, "journal")?)))
        .collect()
}

/// Keys of creates whose effect nobody knows, with the time of the last request.
pub(super) async fn in_doubt(connection: &mut SqliteConnection, environment: i64) -> Result<InDoubt, Fault> {
    let rows = sqlx::query(
        "SELECT key, max(sent_at) FROM journal \
         WHERE environment = ?1 AND settled IS NULL AND (outcome IS NULL OR outcome = 'in_doubt') \
               AND step_kind = ?2 AND key IS NOT NULL GROUP BY key",
    )
    .bind(environment)
    .bind(CREATE_CARD)
    .fetch_all(connection)
    .await?;
    let keys = rows
        .iter()
        .map(|row| Ok((Key::stored(row.try_get(0)?), time(row.try_get(1)?, "journal")?)))
        .collect::<Result<_, Fault>>()?;
    Ok(InDoubt { keys })
}

/// Answers that are looked at for the newest write: requests that are under way at the same time may end in any order.
const NEWEST: i64 = 64;

/// The newest write whose answer came, as TOPdesk signed and dated it.
pub(super) async fn last_write(
    connection: &mut SqliteConnection,
    environment: i64,
) -> Result<Option<LastWrite>, Fault> {
    let rows = sqlx::query(
        "SELECT after ->> 'modifier', after ->> 'modified_at' FROM \
           (SELECT after FROM journal \
            WHERE environment = ?1 AND after IS NOT NULL AND outcome = 'done' AND settled IS NULL \
            ORDER BY id DESC LIMIT ?2) \
         WHERE after ->> 'modified_at' IS NOT NULL",
    )
    .bind(environment)
    .bind(NEWEST)
    .fetch_all(connection)
    .await?;
    let mut newest: Option<LastWrite> = None;
    for row in &rows {
        let modifier = row.try_get::<Option<&str>, _>(0)?.map(Into::into);
        let modified_at = time(row.try_get(1)?, "journal")?;
        if newest.as_ref().is_none_or(|known| known.modified_at < modified_at) {
            newest = Some(LastWrite { modifier, modified_at });
        }
    }
    Ok(newest)
}

/// Cards with a write whose answer was lost and that a read settled as done, with their modification date by that read.
pub(super) async fn settled_writes(
    connection: &mut SqliteConnection,
    environment: i64,
) -> Result<BTreeMap<CardId, DateTime<Utc>>, Fault> {
    let rows = sqlx::query(
        "SELECT after ->> 'id', after ->> 'modified_at' FROM journal \
         WHERE environment = ?1 AND settled = 'done' AND after IS NOT NULL AND json_valid(after) \
               AND after ->> 'id' IS NOT NULL AND after ->> 'modified_at' IS NOT NULL",
    )
    .bind(environment)
    .fetch_all(connection)
    .await?;
    let mut settled: BTreeMap<CardId, DateTime<Utc>> = BTreeMap::new();
    for row in &rows {
        let at = time(row.try_get(1)?, "journal")?;
        let known = settled.entry(row.try_get::<&str, _>(0)?.into()).or_insert(at);
        *known = at.max(*known);
    }
    Ok(settled)
}

/// What was sent in the longest window of the budgets, per class and run. An item counts once per run, however many requests
/// and attempts it took; where operators are counted, as often as it has operators. Items of one run are given the time of the
/// last of them.
pub(super) async fn budget_used(
    connection: &mut SqliteConnection,
    environment: i64,
    now: DateTime<Utc>,
) -> Result<BudgetUsed, Fault> {
    // Counted back from the newest request where that is earlier: a clock that jumped ahead empties no window. The windows
    // themselves are the guard's, which knows whether the clock is believed.
    let newest: Option<String> = sqlx::query_scalar("SELECT max(sent_at) FROM journal WHERE environment = ?1")
        .bind(environment)
        .fetch_one(&mut *connection)
        .await?;
    let newest = newest.map(|at| time(&at, "journal")).transpose()?;
    let until = newest.map_or(now, |newest| newest.min(now));
    let rows = sqlx::query(
        "SELECT class, sum(weight), max(sent_at) FROM ( \
             SELECT class.value AS class, journal.run AS run, max(journal.sent_at) AS sent_at, \
                    max(CASE WHEN class.value IN ('\"operators\"', '\"operators_woken\"') AND json_valid(journal.change) \
                             THEN max(1, coalesce(json_array_length(journal.change, '$.operator.operators'), 1)) \
                             ELSE 1 END) AS weight \
             FROM journal, json_each(journal.classes) AS class \
             WHERE journal.environment = ?1 AND journal.sent_at > ?2 \
                   AND coalesce(journal.settled, journal.outcome, 'in_doubt') IN ('done', 'in_doubt') \
             GROUP BY class.value, journal.run, journal.item) \
         GROUP BY class, run, sent_at > ?3",
    )
    .bind(environment)
    .bind(stamp(until - Window::Week.span()))
    .bind(stamp(now - Window::Week.span()))
    .fetch_all(connection)
    .await?;
    let spent = rows.iter().map(|row| {
        Ok(Spent {
            class: from_json(row.try_get(0)?, "journal")?,
            items: super::stamp::from_count(row.try_get(1)?),
            at: time(row.try_get(2)?, "journal")?,
        })
    });
    Ok(BudgetUsed::new(spent.collect::<Result<_, Fault>>()?))
}
