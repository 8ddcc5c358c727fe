//! One whole run of an environment: state, lock, connections, run, telling. The command line, the daemon and the demo share it.

use super::Writable;
use super::environment::{Environment, new_run_id};
use crate::core::model::ids::RunId;
use crate::core::plan::report::{RunReport, RunVerdict};
use crate::core::reads::snapshot::{Effect, Finding, Verdict};
use crate::engine::maker::PlanMaker;
use crate::engine::records::{Pruned, RecordsKeeper};
use crate::engine::run::{Finished, Scope, WriteParts};
use crate::engine::state::{RunLease, StateReader, StateWriter, StoreError};
use crate::engine::{Clock, Progress};
use crate::notify;
use crate::store::{SqliteStore, machine};
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// A program that is told gets this long.
const TELLING_LIMIT: Duration = Duration::from_secs(30);

/// And this long when cardsync was told to stop.
const TELLING_LIMIT_WHEN_STOPPED: Duration = Duration::from_secs(5);

/// How one run is made.
pub struct RunOnce<'a> {
    pub environment: &'a Environment,
    pub command: &'static str,
    pub clock: &'a dyn Clock,
    pub progress: &'a dyn Progress,
    pub stop: &'a CancellationToken,
}

/// A whole run, for the daemon.
pub async fn run_once(run: RunOnce<'_>) -> anyhow::Result<RunReport> {
    Ok(carry_through(run, &Scope::Whole).await?.report)
}

/// A run of any maker of plans; the store is opened for it and closed after it. Whatever keeps it from running is in the history
/// and told, as far as the store can be opened.
///
/// # Errors
/// When nothing may be written, see [`Writable::prove`]; when the state cannot be opened or another run holds it; when
/// reading or settling fails.
pub async fn carry_through<M: PlanMaker>(run: RunOnce<'_>, maker: &M) -> anyhow::Result<Finished<M::Also>> {
    let writable = Writable::prove(run.environment, run.clock).await?;
    let run_id = new_run_id(run.clock.now());
    let span = tracing::info_span!("run", run.id = %run_id, environment = %run.environment.id);
    in_span(run, writable, maker, run_id).instrument(span).await
}

async fn in_span<M: PlanMaker>(
    run: RunOnce<'_>,
    writable: Writable<'_>,
    maker: &M,
    run_id: RunId,
) -> anyhow::Result<Finished<M::Also>> {
    let RunOnce {
        environment,
        command,
        clock,
        stop,
        ..
    } = run;
    let argv = &environment.config().notify.command;
    let acquired = async {
        let path = environment.own_store_path().await?;
        let store = SqliteStore::open(&path, &environment.id, &environment.host()).await?;
        let store = store.in_zone(environment.zone());
        let lease = store.acquire(&run_id, command, clock.now()).await?;
        let only = machine::only_run(&environment.authority()).await?;
        anyhow::Ok((store, lease, only))
    };
    let (store, lease, only) = match acquired.await {
        Ok(acquired) => acquired,
        Err(error) => {
            // Another run at work is not trouble: it tells for itself.
            let locked = matches!(error.downcast_ref(), Some(StoreError::Locked { .. }));
            if !argv.is_empty() && !locked {
                let event = notify::not_begun(&environment.id, &run_id, clock.now(), &format!("{error:#}"));
                notify::command::tell(argv, &[event], TELLING_LIMIT).await;
            }
            return Err(error);
        }
    };
    let finished = connected_run(&run, writable, &store, &lease, maker).await;
    if let Ok(finished) = &finished {
        warn_of_rejected(&finished.report);
    }
    let new_holds = finished
        .as_ref()
        .map(|finished| finished.new_holds.clone())
        .unwrap_or_default();
    if !argv.is_empty() {
        let reports = store.history(10).await.unwrap_or_default();
        let current = reports.iter().find(|report| report.id == run_id);
        let previous = reports
            .iter()
            .find(|report| report.id != run_id && report.verdict.is_some());
        let events = match (current, &finished) {
            (Some(current), finished) => {
                let mut events = notify::events(&environment.id, previous, current, &new_holds);
                if let Ok(finished) = finished {
                    events.retain(|event| !notify::is_known(event, &finished.attention));
                    events.extend(notify::attention_events(&environment.id, current, &finished.attention));
                }
                events
            }
            // The store could not note that the run began.
            (None, Err(error)) => {
                let message = format!("{error:#}");
                vec![notify::not_begun(&environment.id, &run_id, clock.now(), &message)]
            }
            (None, Ok(_)) => Vec::new(),
        };
        let limit = if stop.is_cancelled() {
            TELLING_LIMIT_WHEN_STOPPED
        } else {
            TELLING_LIMIT
        };
        notify::command::tell(argv, &events, limit).await;
    }
    // Also after a failure: what is to go does not wait for better days. Only who was told to stop is not kept waiting.
    if finished.is_ok() || !stop.is_cancelled() {
        // By a clock that is not believed, or that nobody could judge, nothing is old; and no rehearsal takes anything out.
        let judged = finished
            .as_ref()
            .is_ok_and(|finished| finished.planned.input.clock.is_trusted());
        let today = (judged && !clock.is_rehearsal()).then(|| clock.now());
        tidy(environment, &store, &lease, today).await;
    }
    drop((lease, only));
    store.close().await;
    finished
}

/// A rejected read is told where the log is watched, with its reason: the codes, because the words may quote values.
fn warn_of_rejected(report: &RunReport) {
    let rejecting = |finding: &&Finding| matches!(finding.effect, Effect::Reject | Effect::RejectAcceptable);
    for read in report.snapshots.iter().filter(|read| read.verdict == Verdict::Rejected) {
        let codes: Vec<&str> = read
            .findings
            .iter()
            .filter(rejecting)
            .map(|finding| &*finding.code)
            .collect();
        tracing::warn!(
            run.id = report.id.as_str(),
            source = read.name.as_str(),
            records = read.records,
            "the read of {} was rejected ({} records: {}); `cardsync plan` tells what is wrong and the cure",
            read.name,
            read.records,
            codes.join(", ")
        );
    }
}

/// Takes out what is older than its time, where the time is known, and writes the file anew where something was taken out.
/// The run itself is over: what fails here is tried again after the next one.
async fn tidy(environment: &Environment, store: &SqliteStore, lease: &RunLease, now: Option<DateTime<Utc>>) {
    let tidied = async {
        let pruned = match now {
            Some(now) => store.prune(lease, environment.retention(), now).await?,
            None => Pruned::default(),
        };
        if pruned.any() {
            tracing::info!(
                "older than store.retention and taken out: {} writes, values of {}, {} runs, {} decisions",
                pruned.journal,
                pruned.values,
                pruned.runs,
                pruned.decisions
            );
        }
        store.tidy_inputs(lease).await?;
        store.rewrite(lease).await
    };
    if let Err(error) = tidied.await {
        tracing::warn!("what is to be forgotten could not all be taken out: {error}; the next run tries again");
    }
}

/// Connects and runs. That no connection could be prepared (a secret, a certificate file) is a failed run as well.
async fn connected_run<M: PlanMaker>(
    run: &RunOnce<'_>,
    writable: Writable<'_>,
    store: &SqliteStore,
    lease: &RunLease,
    maker: &M,
) -> anyhow::Result<Finished<M::Also>> {
    let RunOnce {
        environment,
        command,
        clock,
        progress,
        stop,
    } = run;
    let connected = match environment.connect() {
        Ok(connected) => connected,
        Err(error) => {
            let now = clock.now();
            let mut report = RunReport::begun(lease.run().clone(), command, now);
            report.whole = maker.is_whole();
            report.finished_at = Some(now);
            report.verdict = Some(RunVerdict::Failed);
            report.failure = Some(error.to_string());
            store.finish_run(lease, &report, None).await?;
            return Err(error.into());
        }
    };
    if let Some(warning) = environment.password_warning(clock.now().date_naive()) {
        tracing::warn!("{warning}; make a new one in TOPdesk and change topdesk.password_expires");
    }
    environment.wait_for_maintenance(&connected, stop).await;
    let writer = writable.writer(&connected);
    let operator_account = writable.operator_account();
    let parts = WriteParts {
        writer: &writer,
        operator_account: operator_account.as_ref(),
        limit: Some(environment.config().topdesk.run_limit.duration()),
        store,
        concurrency: environment.config().topdesk.concurrency,
        stop,
    };
    let finished = environment
        .read_parts(&connected, *clock, *progress)
        .run(&parts, lease, maker, command)
        .await;
    Ok(finished?)
}
