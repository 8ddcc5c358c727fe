//! What commands share: the environment, the state, the clock, signals and logs.

use super::exit::Exit;
use super::out;
use crate::config::policy::zone;
use crate::daemon::wiring::{AsOf, Environment};
use crate::engine::{Clock, SystemClock};
use crate::store::{ReadOnlyStore, SqliteStore};
use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Refuses a key that changes in life, for everything that writes.
pub(super) fn refuse_changing_key(environment: &Environment) -> anyhow::Result<()> {
    match crate::config::validate::key_refusal(environment.config()) {
        Some(why) => bail!("{why}"),
        None => Ok(()),
    }
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
    Ok(store.in_zone(zone(environment.config())))
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

/// Another day may only be run where the target says that it is a sandbox.
pub(super) async fn must_be_sandbox(environment: &Environment) -> anyhow::Result<()> {
    let mut url = crate::config::address::topdesk_api(&environment.config().topdesk.url)
        .map_err(|error| anyhow::anyhow!("topdesk.url: {}; {}", error.message, error.cure))?;
    url.set_path("/sandbox/state");
    let refused = "run --as-of is only for a sandbox: this TOPdesk does not say that it is one; use plan --as-of, which writes nothing";
    let mut client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    // As all requests to this machine: what a proxy answers is not what the sandbox says.
    if crate::config::address::is_loopback(&url) {
        client = client.no_proxy();
    }
    let answered = client.build()?.get(url).timeout(std::time::Duration::from_secs(30));
    let said = match answered.send().await {
        Ok(answer) if answer.status() == reqwest::StatusCode::OK => answer.json().await.unwrap_or_default(),
        Ok(_) | Err(_) => serde_json::Value::Null,
    };
    if is_sandbox(&said) { Ok(()) } else { bail!("{refused}") }
}

/// Whether this is what a sandbox says of itself; any page answers something, and some answer every address.
fn is_sandbox(said: &serde_json::Value) -> bool {
    let lists = ["persons", "operators", "branches"];
    lists.iter().all(|list| said[*list].is_array())
        && said["settings"]["next_link"].is_string()
        && said["account"]["loginName"].is_string()
}

/// Set when the process is told to stop: the write in flight is finished, nothing more is sent.
pub(super) fn stop_signal() -> anyhow::Result<Arc<AtomicBool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Arc::new(AtomicBool::new(false));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let flag = Arc::clone(&stop);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        flag.store(true, Ordering::Relaxed);
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
    refuse_changing_key(&environment)?;
    drop_to_store_owner(&environment)?;
    crate::daemon::serve(config).await?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_of_a_sandbox_make_one() {
        let says = |text: &str| is_sandbox(&serde_json::from_str(text).unwrap_or_default());
        for other in [
            "",
            "<html>log in</html>",
            "{}",
            "[]",
            "true",
            r#"{"status":"ok"}"#,
            r#"{"persons":[]}"#,
        ] {
            assert!(!says(other), "{other}");
        }
        assert!(says(
            r#"{"settings":{"next_link":"absolute"},"account":{"loginName":"api"},"branches":[],"persons":[],"operators":[]}"#
        ));
    }

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
