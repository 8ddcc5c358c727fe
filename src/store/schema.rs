//! The format of the file: its migrations, and whether a file is one of ours and sound.

use super::fault::Fault;
use super::file;
use crate::engine::state::{KeyHasher, StoreError};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use std::path::Path;

/// Every format ever used, in order; the number of a format is its place, from 1. What was released is never edited.
const MIGRATIONS: [&str; 11] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_profiles.sql"),
    include_str!("migrations/0003_halfway.sql"),
    include_str!("migrations/0004_decision_log.sql"),
    include_str!("migrations/0006_records.sql"),
    include_str!("migrations/0007_undo.sql"),
    include_str!("migrations/0008_certificates.sql"),
    include_str!("migrations/0009_decisions_end.sql"),
    include_str!("migrations/0010_concerns.sql"),
    include_str!("migrations/0011_decisions_shown.sql"),
    include_str!("migrations/0012_halfway_before.sql"),
];

/// The format this program writes.
pub(super) const FORMAT: i64 = MIGRATIONS.len() as i64;

/// `card` in ASCII: marks an SQLite file as a store of cardsync.
const APPLICATION_ID: i64 = 0x6361_7264;

/// Up to this size a file is checked page by page when it is opened. Larger ones would make every command wait; there
/// SQLite itself notices a cut-off file at the first read, and damage where it is read.
const CHECKED_WHEN_OPENED_BYTES: u64 = 16 << 20;

/// The environment's row.
pub(super) struct Bound {
    pub(super) row: i64,
    pub(super) hasher: KeyHasher,
    /// The store names another environment, but nothing of that one was ever kept.
    pub(super) rebind: bool,
}

/// Whether the file, which had so many bytes before it was opened, is a sound store, and its format.
pub(super) async fn inspect(connection: &mut SqliteConnection, path: &Path, bytes: u64) -> Result<i64, Fault> {
    let corrupt = |what: String| {
        Fault::Refused(StoreError::Corrupt {
            path: path.to_owned(),
            what,
        })
    };
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?;
    if id != APPLICATION_ID {
        return Err(corrupt("it is an SQLite file of another program".to_owned()));
    }
    let format: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    if format > FORMAT {
        return Err(Fault::Refused(StoreError::Newer {
            path: path.to_owned(),
            found: format,
            known: FORMAT,
        }));
    }
    // SQLite counts a page that is there in part; only its log can make that page whole.
    let page: i64 = sqlx::query_scalar("PRAGMA page_size")
        .fetch_one(&mut *connection)
        .await?;
    let torn = u64::try_from(page).is_ok_and(|page| !bytes.is_multiple_of(page));
    if torn && !file::has_log(path) {
        return Err(corrupt("it was cut off within a page".to_owned()));
    }
    if bytes <= CHECKED_WHEN_OPENED_BYTES {
        let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&mut *connection)
            .await?;
        if found != "ok" {
            return Err(corrupt("it is damaged".to_owned()));
        }
    }
    Ok(format)
}

/// Makes an empty file a store of the first format and brings it up to date.
pub(super) async fn create(connection: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::query(AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}")))
        .execute(&mut *connection)
        .await?;
    migrate(connection).await
}

/// Brings a store up to date, all or nothing.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    // Read within the transaction: another process may just have done it.
    let format: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(format).unwrap_or(0)) {
        sqlx::raw_sql(*migration).execute(&mut *connection).await?;
    }
    if format < FORMAT {
        sqlx::query(AssertSqlSafe(format!("PRAGMA user_version = {FORMAT}")))
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("COMMIT").execute(&mut *connection).await?;
    Ok(())
}

/// Binds a new store to its environment.
pub(super) async fn bind(
    connection: &mut SqliteConnection,
    name: &str,
    host: &str,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO environment (name, host, hash_key, created_at) VALUES (?1, ?2, ?3, ?4)")
        .bind(name)
        .bind(host)
        .bind(KeyHasher::random().secret().as_slice())
        .bind(super::stamp::stamp(now))
        .execute(connection)
        .await?;
    Ok(())
}

/// The environment that the store belongs to; another one is refused once anything of the first was kept.
pub(super) async fn bound(
    connection: &mut SqliteConnection,
    path: &Path,
    name: &str,
    host: &str,
) -> Result<Bound, Fault> {
    let rows = sqlx::query("SELECT id, name, host, hash_key FROM environment ORDER BY id")
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        let (known_name, known_host): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        if known_name == name && known_host == host {
            let secret: &[u8] = row.try_get(3)?;
            return Ok(Bound {
                row: row.try_get(0)?,
                hasher: hasher(secret)?,
                rebind: false,
            });
        }
    }
    let Some(first) = rows.first() else {
        return Err(Fault::Unreadable {
            table: "environment",
            what: "there is no row".to_owned(),
        });
    };
    if let [only] = rows.as_slice()
        && is_untouched(connection).await?
    {
        let secret: &[u8] = only.try_get(3)?;
        return Ok(Bound {
            row: only.try_get(0)?,
            hasher: hasher(secret)?,
            rebind: true,
        });
    }
    let told = |name: &str, host: &str| {
        if name == host {
            host.to_owned()
        } else {
            format!("{host} (environment {name})")
        }
    };
    Err(Fault::Refused(StoreError::OtherHost {
        path: path.to_owned(),
        bound: told(first.try_get(1)?, first.try_get(2)?),
        asked: told(name, host),
    }))
}

/// Whether nothing of any TOPdesk was ever kept: a first run against a mistyped address ends so, and must not bind the
/// store to a host that does not exist.
async fn is_untouched(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    let kept: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM ledger) + EXISTS (SELECT 1 FROM journal) + EXISTS (SELECT 1 FROM decision) \
         + EXISTS (SELECT 1 FROM hold) + EXISTS (SELECT 1 FROM contact) + EXISTS (SELECT 1 FROM snapshot)",
    )
    .fetch_one(connection)
    .await?;
    Ok(kept == 0)
}

/// Binds a store in which nothing was ever kept to another environment.
pub(super) async fn rebind(connection: &mut SqliteConnection, row: i64, name: &str, host: &str) -> Result<(), Fault> {
    sqlx::query("UPDATE environment SET name = ?1, host = ?2 WHERE id = ?3")
        .bind(name)
        .bind(host)
        .bind(row)
        .execute(connection)
        .await?;
    Ok(())
}

fn hasher(secret: &[u8]) -> Result<KeyHasher, Fault> {
    let secret: [u8; 32] = secret.try_into().map_err(|_| Fault::Unreadable {
        table: "environment",
        what: "the hash key does not have 32 bytes".to_owned(),
    })?;
    Ok(KeyHasher::new(secret))
}
