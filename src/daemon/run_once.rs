//! One whole run of an environment: state, lock, connections, run, telling. The command line and the daemon share it.

use super::wiring::{Environment, new_run_id};
use crate::domain::report::RunReport;
use crate::engine::run::{Finished, Scope, WriteParts};
use crate::engine::state::{StateReader, StateWriter};
use crate::engine::{Clock, Progress};
use crate::notify;
use crate::store::SqliteStore;
use anyhow::Context;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A program that is told gets this long.
const TELLING_LIMIT: Duration = Duration::from_secs(30);

/// How one run is made.
pub struct RunOnce<'a> {
    pub environment: &'a Environment,
    pub command: &'static str,
    pub clock: &'a dyn Clock,
    pub progress: &'a dyn Progress,
    pub stop: &'a AtomicBool,
}

/// A whole run, for the daemon.
pub async fn run_once(run: RunOnce<'_>) -> anyhow::Result<RunReport> {
    Ok(carry_through(run, &Scope::Whole).await?.report)
}

/// A run of any scope; the store is opened for it and closed after it.
pub async fn carry_through(run: RunOnce<'_>, scope: &Scope) -> anyhow::Result<Finished> {
    let RunOnce {
        environment,
        command,
        clock,
        progress,
        stop,
    } = run;
    let path = environment
        .store_path()
        .context("there is no place for the state: set store.sqlite in the configuration")?;
    let store = SqliteStore::open(&path, &environment.id, &environment.host()).await?;
    let run_id = new_run_id(clock.now());
    let lease = store.acquire(&run_id, command, clock.now()).await?;
    let finished = async {
        let connected = environment.connect()?;
        let writer = connected.client.writer();
        let concurrency = environment.config().topdesk.concurrency;
        let parts = WriteParts {
            writer: &writer,
            store: &store,
            concurrency,
            stop,
        };
        environment
            .read_parts(&connected, clock, progress)
            .run(&parts, &lease, scope, command)
            .await
            .map_err(anyhow::Error::from)
    }
    .await;
    let new_holds = finished
        .as_ref()
        .map(|finished| finished.new_holds.clone())
        .unwrap_or_default();
    let argv = &environment.config().notify.command;
    if !argv.is_empty() {
        let reports = store.history(10).await.unwrap_or_default();
        let current = reports.iter().find(|report| report.id == run_id);
        let previous = reports
            .iter()
            .find(|report| report.id != run_id && report.verdict.is_some());
        if let Some(current) = current {
            let events = notify::events(&environment.id, previous, current, &new_holds);
            notify::command::tell(argv, &events, TELLING_LIMIT).await;
        }
    }
    drop(lease);
    store.close().await;
    finished
}
