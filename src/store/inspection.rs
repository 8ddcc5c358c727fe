//! What `store check` looks at: whether the file is sound, and whether what it says fits together. Changes nothing.

use super::fault::Fault;
use super::file;
use super::inputs::InputFolder;
use super::readable::{self, Unreadable};
use super::schema;
use super::stamp::from_count;
use crate::core::model::ids::EnvironmentId;
use crate::core::plan::report::ends_without_verdict;
use crate::engine::state::StoreError;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What was found. Every number is of the whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    pub path: PathBuf,
    pub bytes: u64,
    /// Rights of the file; only its owner may have any.
    pub mode: u32,
    pub format: i64,
    /// The format that this program writes.
    pub known_format: i64,
    /// What SQLite says of the pages; empty where all is well.
    pub damage: Vec<String>,
    /// Environment and host that the store belongs to.
    pub bound: Vec<(String, String)>,
    /// Rows by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Requests whose effect nobody knows, and the run and time of the oldest.
    pub open: u64,
    pub oldest_open: Option<(String, String)>,
    /// Keys under which the ledger knows more than one card; no fault.
    pub two_cards: u64,
    /// Contradictions, as sentences; empty where there are none.
    pub contradictions: Vec<String>,
    /// Values that do not read as what they are.
    pub unreadable: Vec<Unreadable>,
    /// Kept inputs that do not read: the file, and why.
    pub unreadable_inputs: Vec<(PathBuf, String)>,
    /// The last run: id, and how it ended (`None`: it was cut off or is going on).
    pub last_run: Option<(String, Option<String>)>,
    /// Values were taken out and the file was not written anew since.
    pub rewrite_due: bool,
}

const TABLES: [&str; 10] = [
    "ledger",
    "journal",
    "decision",
    "hold",
    "concern",
    "contact",
    "snapshot",
    "run",
    "run_item",
    "certificate",
];

/// People who had two cards: one that was deleted, anonymized or lost its number, and one that was made or found later. The
/// ledger keeps both, so that neither is made a third time.
const TWO_CARDS: &str =
    "SELECT count(*) FROM (SELECT key FROM ledger WHERE key IS NOT NULL GROUP BY environment, key HAVING count(*) > 1)";

/// What must never be: a sentence and the count of it.
const CONTRADICTIONS: [(&str, &str); 6] = [
    (
        "steps of an item that one run did twice",
        "SELECT count(*) FROM (SELECT 1 FROM journal WHERE coalesce(settled, outcome) = 'done' \
         GROUP BY environment, run, item, step_index HAVING count(*) > 1)",
    ),
    (
        "outcomes without a time",
        "SELECT count(*) FROM journal WHERE (outcome IS NULL) <> (outcome_at IS NULL) OR (settled IS NULL) <> (settled_at IS NULL)",
    ),
    (
        "cards that were created and have no id",
        "SELECT count(*) FROM journal WHERE step_kind = 'create_card' AND coalesce(settled, outcome) = 'done' AND card IS NULL",
    ),
    (
        "cards that were created and are not in the ledger",
        "SELECT count(*) FROM journal WHERE step_kind = 'create_card' AND coalesce(settled, outcome) = 'done' \
         AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.environment = journal.environment AND ledger.card = journal.card)",
    ),
    (
        "changes that are half-way and of which no request is kept, so that nothing can end them",
        "SELECT count(*) FROM halfway WHERE NOT EXISTS (SELECT 1 FROM journal WHERE journal.environment = halfway.environment \
         AND journal.run = halfway.run AND journal.item = halfway.item AND journal.change <> '')",
    ),
    (
        "rows that belong to no environment",
        "SELECT count(*) FROM pragma_foreign_key_check",
    ),
];

/// Looks at a store; `None` where there is none. Fails where the file cannot be opened as a store at all.
pub async fn inspect(path: &Path) -> Result<Option<Inspection>, StoreError> {
    let path = file::resolved(path);
    let Some(bytes) = file::existing(&path)? else {
        return Ok(None);
    };
    let mode = std::fs::metadata(&path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    let looked = async {
        let mut connection = file::connect_reading(&path).await?;
        let format = schema::inspect(&mut connection, &path, bytes).await;
        let found = match format {
            Ok(format) => look(&mut connection, format).await,
            Err(fault) => Err(fault),
        };
        let _closed_anyway = connection.close().await;
        found
    };
    let found = looked.await.map_err(|fault| fault.at(&path))?;
    let mut unreadable_inputs = Vec::new();
    for (environment, _) in &found.bound {
        let folder = InputFolder::beside(&path, &EnvironmentId::new(environment.as_str()));
        unreadable_inputs.extend(folder.unreadable()?);
    }
    Ok(Some(Inspection {
        path,
        bytes,
        mode,
        unreadable_inputs,
        ..found
    }))
}

async fn look(connection: &mut SqliteConnection, format: i64) -> Result<Inspection, Fault> {
    let mut found = Inspection {
        format,
        known_format: schema::FORMAT,
        ..Inspection::default()
    };
    let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
        .fetch_all(&mut *connection)
        .await?;
    found.damage = said.into_iter().filter(|line| line != "ok").collect();
    if format < schema::FORMAT {
        // The tables of today are not there yet; the next run makes them.
        return Ok(found);
    }
    for row in sqlx::query("SELECT name, host, rewrite_due FROM environment ORDER BY id")
        .fetch_all(&mut *connection)
        .await?
    {
        found.bound.push((row.try_get(0)?, row.try_get(1)?));
        found.rewrite_due |= row.try_get::<bool, _>(2)?;
    }
    for table in TABLES {
        let rows = count(connection, &format!("SELECT count(*) FROM {table}")).await?;
        found.rows.insert(table, rows);
    }
    const OPEN: &str = "FROM journal WHERE settled IS NULL AND (outcome IS NULL OR outcome = 'in_doubt')";
    found.open = count(connection, &format!("SELECT count(*) {OPEN}")).await?;
    let oldest = sqlx::query(AssertSqlSafe(format!("SELECT run, sent_at {OPEN} ORDER BY id LIMIT 1")))
        .fetch_optional(&mut *connection)
        .await?;
    found.oldest_open = oldest
        .map(|row| Ok::<_, Fault>((row.try_get(0)?, row.try_get(1)?)))
        .transpose()?;
    found.two_cards = count(connection, TWO_CARDS).await?;
    for (what, statement) in CONTRADICTIONS {
        let number = count(connection, statement).await?;
        if number > 0 {
            found.contradictions.push(format!("{what}: {number}"));
        }
    }
    found.unreadable = readable::unreadable(connection).await?;
    let last = sqlx::query("SELECT id, finished_at, verdict, command FROM run ORDER BY started_at DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    if let Some(row) = last {
        let ended: Option<String> = row.try_get(1)?;
        let verdict: Option<String> = row.try_get(2)?;
        let without_verdict = if ends_without_verdict(row.try_get(3)?) {
            "done"
        } else {
            "stopped"
        };
        found.last_run = Some((
            row.try_get(0)?,
            ended.map(|_| verdict.unwrap_or_else(|| without_verdict.to_owned())),
        ));
    }
    Ok(found)
}

async fn count(connection: &mut SqliteConnection, statement: &str) -> Result<u64, Fault> {
    let found: i64 = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
        .fetch_one(connection)
        .await?;
    Ok(from_count(found))
}
