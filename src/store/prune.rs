//! Taking out what is older than its time, and writing the file anew so that nothing of it stays in unused places.

use super::fault::Fault;
use super::holds;
use super::purge::{ENDED, rewrite_is_due};
use super::stamp::{stamp, time};
use crate::engine::records::{Pruned, Retention};
use chrono::{DateTime, Duration, Utc};
use sqlx::{AssertSqlSafe, SqliteConnection};

/// What ends a change that is half-way stays, however old.
const NOT_HALF_WAY: &str = "NOT EXISTS (SELECT 1 FROM halfway WHERE halfway.environment = journal.environment \
                            AND halfway.run = journal.run AND halfway.item = journal.item)";

/// Old things go once a day: a run every few minutes need not look each time.
const EVERY: Duration = Duration::days(1);

/// Reads are the yardstick for the reads after them; the last good one of each source stays however old it is.
const YARDSTICKS: &str = "SELECT max(id) FROM snapshot WHERE environment = ?1 AND verdict = 'complete' GROUP BY name \
     UNION SELECT max(id) FROM snapshot WHERE environment = ?1 AND verdict IN ('complete', 'degraded') GROUP BY name";

/// Takes out what is older than its time, in one transaction.
pub(super) async fn prune(
    connection: &mut SqliteConnection,
    environment: i64,
    retention: Retention,
    now: DateTime<Utc>,
) -> Result<Pruned, Fault> {
    let last: Option<String> = sqlx::query_scalar("SELECT pruned_at FROM environment WHERE id = ?1")
        .bind(environment)
        .fetch_one(&mut *connection)
        .await?;
    let last = last.map(|text| time(&text, "environment")).transpose()?;
    // A clock that was set back looks again as well.
    if last.is_some_and(|last| last <= now && now < last + EVERY) {
        return Ok(Pruned::default());
    }
    let mut execute = async |statement: String, before: DateTime<Utc>| -> Result<u64, Fault> {
        let done = sqlx::query(AssertSqlSafe(statement))
            .bind(environment)
            .bind(stamp(before))
            .execute(&mut *connection)
            .await?;
        Ok(done.rows_affected())
    };
    let Retention {
        journal,
        values,
        reports,
    } = retention;
    let (journal, values, reports) = (now - journal, now - values, now - reports);
    let pruned = Pruned {
        journal: execute(
            format!("DELETE FROM journal WHERE environment = ?1 AND sent_at < ?2 AND {ENDED} AND {NOT_HALF_WAY}"),
            journal,
        )
        .await?,
        values: execute(
            format!(
                "UPDATE journal SET change = '', step = '', before = NULL, operators = '[]', after = NULL, \
                 outcome_detail = NULL, settled_detail = NULL \
                 WHERE environment = ?1 AND sent_at < ?2 AND {ENDED} AND {NOT_HALF_WAY} AND change <> ''"
            ),
            values,
        )
        .await?,
        runs: execute(
            "DELETE FROM run WHERE environment = ?1 AND started_at < ?2".to_owned(),
            reports,
        )
        .await?,
        // The last word about an item that is still in force is no matter of the past.
        decisions: execute(
            "DELETE FROM decision WHERE environment = ?1 AND decided_at < ?2 AND (until < ?2 OR id NOT IN \
                 (SELECT max(id) FROM decision WHERE environment = ?1 GROUP BY item))"
                .to_owned(),
            journal,
        )
        .await?,
    };
    execute(
        "DELETE FROM run_item WHERE environment = ?1 AND run NOT IN (SELECT id FROM run WHERE environment = ?1) \
             AND ?2 IS NOT NULL"
            .to_owned(),
        reports,
    )
    .await?;
    execute(
        format!("DELETE FROM snapshot WHERE environment = ?1 AND read_at < ?2 AND id NOT IN ({YARDSTICKS})"),
        reports,
    )
    .await?;
    execute("UPDATE environment SET pruned_at = ?2 WHERE id = ?1".to_owned(), now).await?;
    holds::forget_old(&mut *connection, environment, now).await?;
    if pruned.any() {
        rewrite_is_due(connection, environment).await?;
    }
    Ok(pruned)
}

/// Writes the file anew if something was taken out since it last was, and empties the log. True when it did.
///
/// Not within a transaction. Another process that is reading keeps the log as it is; the last one to close the file takes
/// it away.
pub(super) async fn rewrite(connection: &mut SqliteConnection, environment: i64) -> Result<bool, Fault> {
    let due: bool = sqlx::query_scalar("SELECT rewrite_due FROM environment WHERE id = ?1")
        .bind(environment)
        .fetch_one(&mut *connection)
        .await?;
    if !due {
        return Ok(false);
    }
    sqlx::query("VACUUM").execute(&mut *connection).await?;
    sqlx::query("UPDATE environment SET rewrite_due = 0 WHERE id = ?1")
        .bind(environment)
        .execute(&mut *connection)
        .await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(connection)
        .await?;
    Ok(true)
}
