//! Runs: when, what plan, how they ended.

use super::fault::Fault;
use super::stamp::{from_json, json, stamp, time, word};
use crate::core::plan::report::RunReport;
use crate::core::reads::clock::NO_YARDSTICK;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

/// A run begins.
pub(super) async fn start(
    connection: &mut SqliteConnection,
    environment: i64,
    report: &RunReport,
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO run (environment, id, command, started_at, plan, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(environment)
        .bind(report.id.as_str())
        .bind(&report.command)
        .bind(stamp(report.started_at))
        .bind(report.plan_id.as_ref().map(|plan| plan.as_str()))
        .bind(json(report))
        .execute(connection)
        .await?;
    Ok(())
}

/// A run has ended; one that was not begun here is added whole.
pub(super) async fn finish(
    connection: &mut SqliteConnection,
    environment: i64,
    report: &RunReport,
    fingerprint: Option<&str>,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO run (environment, id, command, started_at, finished_at, plan, fingerprint, verdict, report) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (environment, id) DO UPDATE SET finished_at = excluded.finished_at, plan = excluded.plan, \
            fingerprint = excluded.fingerprint, verdict = excluded.verdict, report = excluded.report",
    )
    .bind(environment)
    .bind(report.id.as_str())
    .bind(&report.command)
    .bind(stamp(report.started_at))
    .bind(report.finished_at.map(stamp))
    .bind(report.plan_id.as_ref().map(|plan| plan.as_str()))
    .bind(fingerprint)
    .bind(report.verdict.as_ref().map(word))
    .bind(json(report))
    .execute(connection)
    .await?;
    Ok(())
}

/// When the run before this one ended. A run whose clock was contradicted is no yardstick: a clock that was a
/// year ahead once must not make every later run doubt itself. The order of rows counts, for the same reason.
pub(super) async fn last_end(
    connection: &mut SqliteConnection,
    environment: i64,
) -> Result<Option<DateTime<Utc>>, Fault> {
    let end: Option<String> = sqlx::query_scalar(
        "SELECT finished_at FROM run WHERE environment = ?1 AND finished_at IS NOT NULL AND NOT EXISTS ( \
             SELECT 1 FROM json_each(report, '$.clock') \
             WHERE json_extract(value, '$.code') IN (SELECT value FROM json_each(?2))) \
         ORDER BY rowid DESC LIMIT 1",
    )
    .bind(environment)
    .bind(json(&NO_YARDSTICK))
    .fetch_optional(connection)
    .await?;
    end.map(|end| time(&end, "run")).transpose()
}

/// The last runs, newest first.
pub(super) async fn history(
    connection: &mut SqliteConnection,
    environment: i64,
    limit: u32,
) -> Result<Vec<RunReport>, Fault> {
    let rows =
        sqlx::query("SELECT report FROM run WHERE environment = ?1 ORDER BY started_at DESC, rowid DESC LIMIT ?2")
            .bind(environment)
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
    rows.iter().map(|row| from_json(row.try_get(0)?, "run")).collect()
}
