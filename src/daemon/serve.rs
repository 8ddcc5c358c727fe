//! The loop of the daemon: wait for what is due, run, tell, and stop when told to.

use crate::app::Writable;
use crate::app::environment::Environment;
use crate::app::run_once::{RunOnce, run_once};
use crate::core::plan::report::{RunReport, RunVerdict};
use crate::engine::{Clock, Silent, SystemClock};
use crate::schedule::Schedule;
use crate::store::machine;
use anyhow::Context;
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The machine's clock can jump: what is due is looked at again at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The longest chance pause before a run.
const LONGEST_SPREAD: chrono::Duration = chrono::Duration::seconds(5);

/// A clock that is put right by less than this changes no schedule.
const CLOCK_PUT_BACK: chrono::Duration = chrono::Duration::minutes(2);

/// After a stop was asked for, a run ends by itself in seconds: reads are given up and the write in flight gets a grace.
/// This is the last resort, below systemd's own patience.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// Runs an environment on its schedule until it is told to stop.
///
/// # Errors
/// When the environment may not be written to, has no schedule, or is served by another cardsync. A run that fails is logged
/// and told, and the next one comes.
pub async fn serve(environment: &Environment, stop: &CancellationToken) -> anyhow::Result<()> {
    Writable::prove(environment, &SystemClock).await?;
    let cron = environment
        .config()
        .schedule
        .as_ref()
        .context("the daemon needs a schedule; add e.g. schedule: { cron: \"*/30 6-20 * * mon-fri\" }")?;
    let schedule = Schedule::parse(&cron.cron, environment.zone())?;
    let path = environment.own_store_path().await?;
    // Held also between the runs: whoever comes with another state is refused.
    let _serving = machine::serve(&environment.authority(), &path).await?;
    let mut last = SystemClock.now();
    ready();
    loop {
        let Some(due) = schedule.next_after(last) else {
            anyhow::bail!("schedule.cron has no run left; correct it");
        };
        say_next(environment, due);
        match wait_until(due + spread(&schedule, due), last, stop).await {
            Waited::Due => {}
            Waited::ClockWentBack(now) => {
                tracing::warn!("the clock of this machine went back: the next run is reckoned anew");
                last = now;
                continue;
            }
            Waited::Stopped => {
                tracing::info!("told to stop while waiting: bye");
                stopping();
                return Ok(());
            }
        }
        let stopped = one_run(environment, stop).await;
        if stopped {
            stopping();
            return Ok(());
        }
        // Runs that would have been due meanwhile are not made up for: the next one sees everything.
        last = SystemClock.now().max(due);
    }
}

/// A chance pause before a run: two daemons with one schedule, on two machines, do not begin at the same moment, so that
/// the second sees what the first has written. A tenth of the time to the run after it at most.
fn spread(schedule: &Schedule, due: DateTime<Utc>) -> chrono::Duration {
    let gap = schedule.next_after(due).map_or(LONGEST_SPREAD, |next| next - due);
    let most = (gap / 10).min(LONGEST_SPREAD).num_milliseconds().max(1);
    let chance = i64::from(uuid::Uuid::new_v4().as_fields().0);
    chrono::Duration::milliseconds(chance % most)
}

/// How a wait ended.
enum Waited {
    Due,
    /// What was reckoned from a clock that was ahead would come far too late.
    ClockWentBack(DateTime<Utc>),
    Stopped,
}

/// Waits until it is `due`; `last` is the time from which that was reckoned.
async fn wait_until(due: DateTime<Utc>, last: DateTime<Utc>, stop: &CancellationToken) -> Waited {
    loop {
        let now = SystemClock.now();
        if now + CLOCK_PUT_BACK < last {
            return Waited::ClockWentBack(now);
        }
        let left = (due - now).to_std().unwrap_or(Duration::ZERO);
        if left.is_zero() {
            return Waited::Due;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(LONGEST_WAIT)) => {}
            () = stop.cancelled() => return Waited::Stopped,
        }
    }
}

/// One run; true when told to stop meanwhile.
async fn one_run(environment: &Environment, stop: &CancellationToken) -> bool {
    let clock = SystemClock;
    let run = run_once(RunOnce {
        environment,
        command: "daemon",
        clock: &clock,
        progress: &Silent,
        stop,
    });
    tokio::pin!(run);
    let outcome = tokio::select! {
        outcome = &mut run => Some(outcome),
        () = stop.cancelled() => tokio::time::timeout(STOP_PATIENCE, &mut run).await.ok(),
    };
    match outcome {
        Some(Ok(report)) => log_report(&report),
        Some(Err(error)) if stop.is_cancelled() => tracing::info!("the run ended early: {error:#}"),
        Some(Err(error)) => tracing::error!("the run failed: {error:#}"),
        None => tracing::warn!("the run did not end in time; the next start settles what was in flight"),
    }
    stop.is_cancelled()
}

fn log_report(report: &RunReport) {
    let counts = &report.counts;
    let done: u64 = counts.done.values().sum();
    let verdict = match report.verdict {
        Some(RunVerdict::Clean) => "clean",
        Some(RunVerdict::Held) => "something is held",
        Some(RunVerdict::Attention) => "something needs a human",
        Some(RunVerdict::SomeFailed) => "some changes failed",
        Some(RunVerdict::SnapshotRejected) => "a snapshot was rejected",
        Some(RunVerdict::Failed) | None => "failed",
    };
    tracing::info!(
        run.id = report.id.as_str(),
        verdict,
        done,
        held = counts.held,
        not_done = counts.not_done,
        in_doubt = counts.in_doubt,
        conflicts = counts.conflicts,
        rejections = counts.rejections,
        operators = counts.operators,
        "run {} ended: {verdict}; {done} done, {} held, {} not done, {} in doubt",
        report.id,
        counts.held,
        counts.not_done,
        counts.in_doubt
    );
}

fn say_next(environment: &Environment, due: DateTime<Utc>) {
    let local = due
        .with_timezone(&environment.zone())
        .format("%Y-%m-%d %H:%M:%S %Z")
        .to_string();
    tracing::info!(
        environment = environment.id.as_str(),
        next = local.as_str(),
        "next run of {} at {local}",
        environment.id
    );
    let status = format!("next run at {local}");
    // Without systemd there is nobody to tell.
    let _nobody = sd_notify::notify(&[sd_notify::NotifyState::Status(&status)]);
}

fn ready() {
    let _nobody = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

fn stopping() {
    let _nobody = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
}
