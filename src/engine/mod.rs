//! A run from the first read to the last outcome, over parts that are handed in.
//!
//! The traits here are what sources, TOPdesk and the store must do for a run; they know nothing of each other.
//! Reading and writing are separate: planning code never holds a writer.

mod after_run;
pub mod apply;
pub mod attention;
mod certify;
mod complete;
pub mod decision_log;
pub mod decisions;
pub mod explain;
pub mod former;
pub mod gather;
pub(crate) mod groups;
mod hasher;
pub mod inputs;
mod ledger_after;
pub mod maker;
pub mod planned;
mod reason;
mod recheck;
pub mod records;
pub mod recover;
pub mod run;
mod run_error;
pub mod settled;
pub mod state;
pub mod stopping;
pub mod target;

use crate::core::reads::snapshot::{Finding, SourceRead};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::future::Future;

/// The target of the log lines about single writes, so that they can be shown and hidden by themselves: `RUST_LOG`
/// understands `cardsync_write=info`.
pub const WRITES: &str = "cardsync_write";

/// The time, handed in so that a run can be replayed.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;

    /// Whether a human named the day: then it may lie before the last run.
    fn is_rehearsal(&self) -> bool {
        false
    }
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// When this program was built: no clock that is right is before it.
pub(crate) fn built() -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(env!("CARDSYNC_BUILT").parse().ok()?, 0)
}

/// Told how far a long read or write is. Implementations draw a bar or write a log line; they must be quick.
pub trait Progress: Send + Sync {
    /// `done` of `total` (when known) in the named stage, e.g. `ad` or `persons`.
    fn advance(&self, stage: &str, done: u64, total: Option<u64>);
}

/// No progress is shown.
pub struct Silent;

impl Progress for Silent {
    fn advance(&self, _: &str, _: u64, _: Option<u64>) {}
}

/// Where identities come from.
///
/// A read must hand over everything or say what is missing: each doubt is a [`Finding`] in the read, a source that
/// cannot be read at all is an `Err` with a finding whose effect is `Reject`. It must never drop a record silently.
pub trait Source {
    /// Reads once, asking only for these attributes (and the key and anchor).
    fn read(
        &self,
        attributes: &BTreeSet<String>,
        progress: &dyn Progress,
    ) -> impl Future<Output = Result<SourceRead, Finding>> + Send;

    /// Tries every server of a source that has several to turn to, and says what each answered. Others have none.
    ///
    /// # Errors
    /// When the configuration itself is wrong.
    fn try_servers(&self) -> impl Future<Output = Result<Vec<(String, Option<Finding>)>, Finding>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// What `check` should warn about, from the configuration alone.
    fn advice(&self) -> Vec<Finding>;
}
