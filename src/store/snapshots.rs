//! What the reads of each source and of TOPdesk were like: the yardstick for the next ones.

use super::fault::Fault;
use super::stamp::{count, from_count, from_json, json, stamp, time, word};
use crate::core::model::ids::{RunId, SourceName};
use crate::core::reads::profile::Profile;
use crate::core::reads::snapshot::{PastRead, SnapshotHistory, SnapshotSummary, Verdict};
use chrono::{DateTime, Duration, Utc};
use sqlx::sqlite::SqliteRow;
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
    profiles: &[(SourceName, Profile)],
) -> Result<(), Fault> {
    let nothing = Profile::default();
    for summary in summaries {
        let SnapshotSummary {
            name,
            role,
            read_at,
            generation,
            records,
            keyless,
            unreadable,
            // Beside the rest of what later reads are compared with, in the profile.
            skipped: _,
            verdict,
            findings,
            acceptance: _,
            accepted: _,
        } = summary;
        let verdict = match verdict {
            Verdict::Complete => "complete",
            Verdict::Degraded { .. } => "degraded",
            Verdict::Rejected => "rejected",
        };
        sqlx::query(
            "INSERT INTO snapshot (environment, run, name, role, read_at, generation, records, keyless, unreadable, \
                                   verdict, findings, profile) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
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
        .bind(json(
            profiles
                .iter()
                .find(|(of, _)| of == name)
                .map_or(&nothing, |(_, profile)| profile),
        ))
        .execute(&mut *connection)
        .await?;
    }
    match summaries.iter().map(|summary| summary.read_at).max() {
        Some(now) => forget_old_profiles(connection, environment, now).await,
        None => Ok(()),
    }
}

/// Profiles are large beside the rest of a row: only those that a later read is compared with are kept.
async fn forget_old_profiles(
    connection: &mut SqliteConnection,
    environment: i64,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE snapshot SET profile = '{}' WHERE environment = ?1 AND profile <> '{}' AND read_at < ?2 AND id NOT IN ( \
             SELECT max(id) FROM snapshot WHERE environment = ?1 AND verdict IN ('complete', 'degraded') \
             GROUP BY name, verdict)",
    )
    .bind(environment)
    .bind(stamp(now - REFERENCE))
    .execute(connection)
    .await?;
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
                 SELECT 1 FROM json_each(findings) WHERE json_extract(value, '$.effect') = 'reject_acceptable' \
                     OR verdict = 'complete' AND json_extract(value, '$.effect') IN ('no_absence_acceptable', 'no_return_acceptable')) \
             GROUP BY name) \
         SELECT snapshot.name, max(snapshot.records), snapshot.read_at, snapshot.profile FROM snapshot LEFT JOIN approved USING (name) \
         WHERE environment = ?1 AND verdict IN ('complete', 'degraded') AND read_at >= ?2 \
             AND snapshot.id >= coalesce(approved.id, 0) \
         GROUP BY snapshot.name",
    )
    .bind(environment)
    .bind(stamp(now - REFERENCE))
    .fetch_all(&mut *connection)
    .await?;
    let last_accepted = sqlx::query(
        "SELECT name, records, read_at, profile, max(id) FROM snapshot \
         WHERE environment = ?1 AND verdict IN ('complete', 'degraded') GROUP BY name",
    )
    .bind(environment)
    .fetch_all(&mut *connection)
    .await?;
    for row in last_accepted.iter().chain(&largest) {
        let history = history_of(&mut histories, row)?;
        history.largest_accepted = Some(from_count(row.try_get(1)?));
        history.reference_at = Some(time(row.try_get(2)?, "snapshot")?);
        history.reference = Some(from_json(row.try_get(3)?, "snapshot")?);
    }
    for row in &last_accepted {
        let profile: Profile = from_json(row.try_get(3)?, "snapshot")?;
        let history = history_of(&mut histories, row)?;
        history.last_modified_at = profile.modified_at;
        history.last_name_date = profile.name_date;
    }
    let last_good = sqlx::query(
        "SELECT name, keyless, unreadable, profile, max(id) FROM snapshot \
         WHERE environment = ?1 AND verdict = 'complete' GROUP BY name",
    )
    .bind(environment)
    .fetch_all(&mut *connection)
    .await?;
    for row in &last_good {
        let history = history_of(&mut histories, row)?;
        history.last_good_keyless = Some(from_count(row.try_get(1)?));
        history.last_good_unreadable = Some(from_count(row.try_get(2)?));
        history.last_good = Some(from_json(row.try_get(3)?, "snapshot")?);
    }
    let contents = sqlx::query(
        "SELECT name, json_extract(profile, '$.content') AS content FROM snapshot \
         WHERE environment = ?1 AND verdict = 'complete' AND read_at >= ?2 AND content IS NOT NULL ORDER BY id",
    )
    .bind(environment)
    .bind(stamp(now - REFERENCE))
    .fetch_all(&mut *connection)
    .await?;
    for row in &contents {
        let content: &str = row.try_get(1)?;
        history_of(&mut histories, row)?.remember_content(content);
    }
    let last = sqlx::query(
        "SELECT name, read_at, records, verdict, max(id) FROM snapshot WHERE environment = ?1 GROUP BY name",
    )
    .bind(environment)
    .fetch_all(&mut *connection)
    .await?;
    for row in &last {
        history_of(&mut histories, row)?.last = Some(PastRead {
            read_at: time(row.try_get(1)?, "snapshot")?,
            records: from_count(row.try_get(2)?),
            verdict: row.try_get(3)?,
        });
    }
    Ok(histories)
}

/// The history that a row belongs to, by the name in its first column.
fn history_of<'h>(
    histories: &'h mut BTreeMap<SourceName, SnapshotHistory>,
    row: &SqliteRow,
) -> Result<&'h mut SnapshotHistory, Fault> {
    let name = SourceName::new(row.try_get::<&str, _>(0)?);
    Ok(histories.entry(name).or_default())
}
