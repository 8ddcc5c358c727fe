//! What the reads of each source and of TOPdesk were like: the yardstick for the next ones.

use super::fault::Fault;
use super::stamp::{count, from_count, json, stamp, word};
use crate::domain::ids::{RunId, SourceName};
use crate::domain::snapshot::{SnapshotHistory, SnapshotSummary, Verdict};
use chrono::{DateTime, Duration, Utc};
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

/// Reads of this long are the yardstick for size (RULES 3.2).
const REFERENCE: Duration = Duration::days(14);

/// Keeps the verdicts of a run's reads.
pub(super) async fn log(
    connection: &mut SqliteConnection,
    environment: i64,
    run: &RunId,
    summaries: &[SnapshotSummary],
) -> Result<(), Fault> {
    for summary in summaries {
        let SnapshotSummary {
            name,
            role,
            read_at,
            generation,
            records,
            keyless,
            unreadable,
            verdict,
            findings,
            acceptance: _,
        } = summary;
        let verdict = match verdict {
            Verdict::Complete => "complete",
            Verdict::Degraded { .. } => "degraded",
            Verdict::Rejected => "rejected",
        };
        sqlx::query(
            "INSERT INTO snapshot (environment, run, name, role, read_at, generation, records, keyless, unreadable, \
                                   verdict, findings) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(environment)
        .bind(run.as_str())
        .bind(name.as_str())
        .bind(word(role))
        .bind(stamp(*read_at))
        .bind(generation.as_str())
        .bind(count(*records))
        .bind(count(*keyless))
        .bind(count(*unreadable))
        .bind(verdict)
        .bind(json(findings))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The history of every source and of TOPdesk. A read that a human accepted in spite of its size is the new yardstick:
/// without that, every export after a reorganisation would have to be approved for 14 days. Where nothing was accepted in the last 14 days the last accepted read is
/// the yardstick, however old: after a long rest a half export must not pass for want of one.
pub(super) async fn history(
    connection: &mut SqliteConnection,
    environment: i64,
    now: DateTime<Utc>,
) -> Result<BTreeMap<SourceName, SnapshotHistory>, Fault> {
    let mut histories: BTreeMap<SourceName, SnapshotHistory> = BTreeMap::new();
    // With a single max(), SQLite takes the other columns from the row that has it.
    let largest = sqlx::query(
        "WITH approved AS ( \
             SELECT name, max(id) AS id FROM snapshot \
             WHERE environment = ?1 AND verdict IN ('complete', 'degraded') AND EXISTS ( \
                 SELECT 1 FROM json_each(findings) WHERE json_extract(value, '$.effect') = 'reject_acceptable') \
             GROUP BY name) \
         SELECT snapshot.name, max(snapshot.records) FROM snapshot LEFT JOIN approved USING (name) \
         WHERE environment = ?1 AND verdict IN ('complete', 'degraded') AND read_at >= ?2 \
             AND snapshot.id >= coalesce(approved.id, 0) \
         GROUP BY snapshot.name",
    )
    .bind(environment)
    .bind(stamp(now - REFERENCE))
    .fetch_all(&mut *connection)
    .await?;
    let last_accepted = sqlx::query(
        "SELECT name, records, max(id) FROM snapshot \
         WHERE environment = ?1 AND verdict IN ('complete', 'degraded') GROUP BY name",
    )
    .bind(environment)
    .fetch_all(&mut *connection)
    .await?;
    for row in last_accepted.iter().chain(&largest) {
        let history = histories
            .entry(SourceName::new(row.try_get::<&str, _>(0)?))
            .or_default();
        history.largest_accepted = Some(from_count(row.try_get(1)?));
    }
    let last_good = sqlx::query(
        "SELECT name, keyless, unreadable, max(id) FROM snapshot \
         WHERE environment = ?1 AND verdict = 'complete' GROUP BY name",
    )
    .bind(environment)
    .fetch_all(&mut *connection)
    .await?;
    for row in &last_good {
        let history = histories
            .entry(SourceName::new(row.try_get::<&str, _>(0)?))
            .or_default();
        history.last_good_keyless = Some(from_count(row.try_get(1)?));
        history.last_good_unreadable = Some(from_count(row.try_get(2)?));
    }
    Ok(histories)
}
