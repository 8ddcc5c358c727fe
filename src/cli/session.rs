//! What commands share: the environment, the state, the clock, signals and logs.

use super::exit::Exit;
use super::out;
use crate::app::environment::{AsOf, Environment};
use crate::engine::{Clock, SystemClock};
use crate::store::{ReadOnlyStore, SqliteStore};
use anyhow::Context;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

use tracing_subscriber::EnvFilter;

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

/// Logs go to standard error; results go to standard output. `lists_writes`: the command ends with a list of what it wrote,
/// so that on a terminal a line for each write only tears the bars.
pub(super) fn start_logging(format: LogFormat, lists_writes: bool) {
    let quiet = lists_writes && super::progress::on_terminal();
    let usual = if quiet {
        format!("cardsync=info,{}=off,warn", crate::engine::WRITES)
    } else {
        "cardsync=info,warn".to_owned()
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A closed standard error (`2>&1 | head`) must not end a run in the middle.
        .log_internal_errors(false)
        .with_writer(|| super::progress::BesideBars);
    match format {
        LogFormat::Text => logs.with_target(false).with_ansi(false).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
}

/// Loads the environment; every problem of the file on its own lines.
pub(super) fn environment(config: &Path) -> anyhow::Result<Environment> {
    Environment::load(config).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// Where the state is.
pub(super) fn store_path(environment: &Environment) -> anyhow::Result<PathBuf> {
    environment
        .store_path()
        .context("there is no place for the state: set store.sqlite in the configuration")
}

/// Opens the state for reading; where there is none yet, nothing is remembered and nothing is made.
pub(super) async fn read_store(environment: &Environment) -> anyhow::Result<ReadOnlyStore> {
    let path = store_path(environment)?;
    drop_to_owner(&path)?;
    Ok(ReadOnlyStore::open(&path, &environment.id, &environment.host()).await?)
}

/// Opens the state for writing.
pub(super) async fn write_store(environment: &Environment) -> anyhow::Result<SqliteStore> {
    drop_to_store_owner(environment)?;
    let path = environment.own_store_path().await?;
    let store = SqliteStore::open(&path, &environment.id, &environment.host()).await?;
    Ok(store.in_zone(environment.zone()))
}

/// Becomes the owner of the state folder, see [`drop_to_owner`].
pub(super) fn drop_to_store_owner(environment: &Environment) -> anyhow::Result<()> {
    drop_to_owner(&store_path(environment)?)
}

/// Run as root, the command line becomes the owner of the state folder before it opens the state.
fn drop_to_owner(path: &Path) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if folder.exists() {
        crate::store::become_owner_of(folder)?;
    }
    Ok(())
}

/// A moment given on the command line: RFC 3339, or a date with or without a time in the configured zone.
pub(super) fn moment(text: &str, zone: Tz) -> anyhow::Result<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let date = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .and_then(|date| date.and_hms_opt(0, 0, 0))
    };
    let local = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(date);
    let found = local.and_then(|local| zone.from_local_datetime(&local).earliest());
    found
        .map(|moment| moment.to_utc())
        .with_context(|| format!("'{text}' is not a moment; write e.g. 2026-03-01 or 2026-03-01T08:00:00+01:00"))
}

/// The machine's clock, or another day's.
pub(super) fn clock(as_of: Option<DateTime<Utc>>) -> Box<dyn Clock> {
    match as_of {
        Some(moment) => Box::new(AsOf::new(moment)),
        None => Box::new(SystemClock),
    }
}

/// Set when the process is told to stop: the write in flight is finished, nothing more is sent.
pub(super) fn stop_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.cancel();
        tracing::warn!("told to stop: the write in flight is finished, then the run ends");
        // A second signal does not wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        out::error("told to stop twice: ended at once; the next run settles what was in flight");
        std::process::exit(1);
    });
    Ok(stop)
}

/// Options of `daemon`.
#[derive(Debug, clap::Args)]
pub(super) struct DaemonArgs {}

/// Runs on the schedule.
pub(super) async fn daemon(config: &Path, _args: &DaemonArgs) -> anyhow::Result<Exit> {
    let environment = environment(config)?;
    drop_to_store_owner(&environment)?;
    crate::daemon::serve(&environment, &stop_signal()?).await?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_the_zone() {
        let zone = chrono_tz::Europe::Amsterdam;
        assert_eq!(
            moment("2026-03-01", zone).unwrap().to_rfc3339(),
            "2026-02-28T23:00:00+00:00"
        );
        assert_eq!(
            moment("2026-07-01T08:00", zone).unwrap().to_rfc3339(),
            "2026-07-01T06:00:00+00:00"
        );
        assert_eq!(
            moment("2026-07-01T08:00:00Z", zone).unwrap().to_rfc3339(),
            "2026-07-01T08:00:00+00:00"
        );
        assert!(moment("tomorrow", zone).unwrap_err().to_string().contains("2026-03-01"));
    }
}
