//! Telling somebody: what a run says to the outside, and the program it says it to.
//!
//! What is worth telling is decided here, from two reports, without a clock or a file. An event names items by their
//! ids and counts people; it must never carry a name, an address, a key or a field value, because it leaves the machine
//! by ways that cardsync does not know: mail, chat, a ticket.

mod attention;
pub mod command;

pub use self::attention::{NotifyConcern, attention_events, is_known};

use crate::core::memory::decision::HeldItem;
use crate::core::model::ids::{EnvironmentId, ItemId, RunId, SourceName};
use crate::core::plan::ActionKind;
use crate::core::plan::report::{RunCounts, RunReport, RunVerdict};
use crate::core::reads::snapshot::{Effect, SnapshotSummary, Verdict};
use crate::engine::decisions::class_of;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// No more items than this are listed in one event; the number of all is in its message and in `items_left_off`.
pub const MOST_ITEMS: usize = 200;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyKind {
    /// Items wait for a decision that did not wait before.
    HoldNew,
    /// A source or TOPdesk gave a read that may not be used.
    SnapshotRejected,
    /// A run could not do its work, or some of its changes failed.
    RunFailed,
    /// Something else needs a human that did not before: a conflict, a record, a doubt.
    AttentionNew,
    /// What needed a human does not any more.
    AttentionSolved,
    /// The first clean run after trouble.
    AllWell,
}

/// One thing to tell, as the program of `notify.command` gets it: one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyEvent {
    pub kind: NotifyKind,
    pub environment: EnvironmentId,
    pub run: RunId,
    /// When the run ended.
    pub at: DateTime<Utc>,
    pub verdict: Option<RunVerdict>,
    /// The run before had the same trouble.
    pub repeated: bool,
    /// What, how much and what to do, in one line.
    pub message: String,
    pub counts: RunCounts,
    /// The items that are new; only with `hold_new`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<NotifyItem>,
    /// What is new or solved; only with `attention_new` and `attention_solved`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<NotifyConcern>,
    /// How many are not in `items` or `concerns`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_left_off: usize,
    /// The reads that were rejected; only with `snapshot_rejected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<NotifySnapshot>,
}

/// One held item: enough to find it with `cardsync holds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyItem {
    pub id: ItemId,
    pub action: ActionKind,
    /// What `cardsync approve` takes for all of its kind.
    pub class: String,
    /// Codes of the reasons.
    pub reasons: Vec<String>,
}

/// One rejected read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifySnapshot {
    pub name: SourceName,
    pub records: u64,
    /// Codes of what was found, e.g. `below_floor`.
    pub findings: Vec<String>,
    /// The id to approve when a human may accept exactly this content.
    pub acceptance: Option<ItemId>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What a run has to tell, gravest first. `previous` is the last run before it that ended with a verdict, `new_holds`
/// what waits now and did not wait before.
pub fn events(
    environment: &EnvironmentId,
    previous: Option<&RunReport>,
    current: &RunReport,
    new_holds: &[HeldItem],
) -> Vec<NotifyEvent> {
    let event = |kind, message| NotifyEvent::plain(kind, environment, current, message);
    let mut told = Vec::new();
    if let Some(message) = failure(current) {
        let repeated = previous.is_some_and(|report| failure(report).is_some());
        told.push(NotifyEvent {
            repeated,
            ..event(NotifyKind::RunFailed, message)
        });
    }
    let snapshots: Vec<NotifySnapshot> = rejected(current).map(NotifySnapshot::of).collect();
    if !snapshots.is_empty() {
        let before: BTreeSet<&SourceName> = previous.into_iter().flat_map(rejected).map(|read| &read.name).collect();
        told.push(NotifyEvent {
            repeated: snapshots.iter().all(|read| before.contains(&read.name)),
            message: rejection_message(&snapshots),
            snapshots,
            ..event(NotifyKind::SnapshotRejected, String::new())
        });
    }
    if !new_holds.is_empty() {
        told.push(NotifyEvent {
            items: new_holds.iter().take(MOST_ITEMS).map(NotifyItem::of).collect(),
            items_left_off: new_holds.len().saturating_sub(MOST_ITEMS),
            ..event(NotifyKind::HoldNew, hold_message(new_holds))
        });
    }
    if told.is_empty() && current.verdict == Some(RunVerdict::Clean) && previous.is_some_and(was_trouble) {
        let message = match current.counts.set_aside {
            0 => "all is well again: everything read, everything done, nothing waits".to_owned(),
            1 => "nothing waits any more; 1 thing that somebody knows of is set aside, see `cardsync holds`".to_owned(),
            known => format!(
                "nothing waits any more; {known} things that somebody knows of are set aside, see `cardsync holds`"
            ),
        };
        told.push(event(NotifyKind::AllWell, message));
    }
    told
}

/// What to tell when a run ended before it could write a report: no secret, no store, somebody else has the lock. The
/// message is that of the error, which names no person.
pub fn not_begun(environment: &EnvironmentId, run: &RunId, at: DateTime<Utc>, message: &str) -> NotifyEvent {
    NotifyEvent {
        kind: NotifyKind::RunFailed,
        environment: environment.clone(),
        run: run.clone(),
        at,
        verdict: Some(RunVerdict::Failed),
        repeated: false,
        message: message.lines().next().unwrap_or_default().to_owned(),
        counts: RunCounts::default(),
        items: Vec::new(),
        concerns: Vec::new(),
        items_left_off: 0,
        snapshots: Vec::new(),
    }
}

/// What went wrong in a run, if anything; a rejected read is not meant.
fn failure(report: &RunReport) -> Option<String> {
    let counts = &report.counts;
    let parts = [
        (counts.not_done, "failed"),
        (counts.in_doubt, "in doubt"),
        (counts.half_way, "half-way"),
        (counts.not_reached, "not reached"),
    ];
    let troubled = report.failure.is_some() || counts.failed() > 0;
    match report.verdict? {
        RunVerdict::Failed => {}
        RunVerdict::SomeFailed => {}
        // A rejected read outranks failed changes, and does not hide them.
        RunVerdict::SnapshotRejected if troubled => {}
        RunVerdict::SnapshotRejected | RunVerdict::Held | RunVerdict::Attention | RunVerdict::Clean => return None,
    }
    if let Some(failure) = &report.failure {
        return Some(failure.lines().next().unwrap_or_default().to_owned());
    }
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let what = if parts.is_empty() {
        "it did not finish".to_owned()
    } else {
        format!("changes {}", parts.join(", "))
    };
    Some(format!(
        "run {}: {what}; `cardsync history` tells more, the next run plans the rest again",
        report.id
    ))
}

fn was_trouble(report: &RunReport) -> bool {
    match report.verdict {
        Some(
            RunVerdict::Held
            | RunVerdict::Attention
            | RunVerdict::SomeFailed
            | RunVerdict::SnapshotRejected
            | RunVerdict::Failed,
        ) => true,
        Some(RunVerdict::Clean) | None => false,
    }
}

fn rejected(report: &RunReport) -> impl Iterator<Item = &SnapshotSummary> {
    report.snapshots.iter().filter(|read| read.verdict == Verdict::Rejected)
}

fn rejection_message(snapshots: &[NotifySnapshot]) -> String {
    let reads: Vec<String> = snapshots
        .iter()
        .map(|read| match read.findings.as_slice() {
            [] => format!("{} ({} records)", read.name, read.records),
            findings => format!("{} ({} records: {})", read.name, read.records, findings.join(", ")),
        })
        .collect();
    let way_out = match snapshots.iter().find_map(|read| read.acceptance.as_ref()) {
        Some(item) => {
            format!("`cardsync plan` tells more; if the content is right, `cardsync approve {item}` accepts it")
        }
        None => "`cardsync plan` tells what is wrong and the cure".to_owned(),
    };
    format!("rejected: {}; {way_out}", reads.join(", "))
}

fn hold_message(items: &[HeldItem]) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for item in items {
        *counts.entry(class_of(item)).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(class, count)| format!("{count} {class}")).collect();
    let operators = items.iter().filter(|item| item.change.operator.is_linked()).count();
    let with = match operators {
        0 => String::new(),
        n => format!(" ({n} with a linked operator)"),
    };
    format!(
        "new and waiting for a decision: {}{with}; look with `cardsync holds`",
        counts.join(", ")
    )
}

impl NotifyEvent {
    /// Of a run, without anything to list.
    fn plain(kind: NotifyKind, environment: &EnvironmentId, run: &RunReport, message: String) -> Self {
        Self {
            kind,
            environment: environment.clone(),
            run: run.id.clone(),
            at: run.finished_at.unwrap_or(run.started_at),
            verdict: run.verdict,
            repeated: false,
            message,
            counts: run.counts.clone(),
            items: Vec::new(),
            concerns: Vec::new(),
            items_left_off: 0,
            snapshots: Vec::new(),
        }
    }
}

impl NotifyItem {
    fn of(item: &HeldItem) -> Self {
        Self {
            id: item.change.id.clone(),
            action: item.change.action,
            class: class_of(item),
            reasons: item.reasons.iter().map(crate::core::plan::HoldReason::code).collect(),
        }
    }
}

impl NotifySnapshot {
    fn of(read: &SnapshotSummary) -> Self {
        let counts = |effect| match effect {
            Effect::Reject | Effect::RejectAcceptable => true,
            Effect::Note | Effect::NoAbsence | Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable => false,
        };
        Self {
            name: read.name.clone(),
            records: read.records,
            findings: read
                .findings
                .iter()
                .filter(|f| counts(f.effect))
                .map(|f| f.code.to_string())
                .collect(),
            acceptance: read.acceptance.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
