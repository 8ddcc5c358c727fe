//! What became of a plan: outcomes per change, and the report of a run.

use crate::core::model::ids::{CardId, ItemId, OperatorId, PlanId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::concern::ConcernCode;
use crate::core::plan::{ActionKind, HoldReason};
use crate::core::reads::snapshot::{Finding, SnapshotSummary};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// TOPdesk answered that it is done.
    Done { card: Option<CardId> },
    /// It was not done, for certain: refused by TOPdesk, or not sent.
    NotDone { message: String },
    /// It was sent and the answer lost: a later read settles it.
    InDoubt { message: String },
    /// What was read right before the write was not what had been judged, or TOPdesk refused in a way that needs a human.
    Held { reason: HoldReason },
    /// The run ended before its turn; the next plan has it again.
    NotReached { message: String },
    /// Some of its requests took effect, and neither the whole change nor its safe end is reached.
    HalfWay { message: String },
    /// An earlier run had left it half-way, and this one put back what had been done of it.
    PutBack { message: String },
}

impl Outcome {
    /// Whether requests of it took effect for certain.
    pub fn is_written(&self) -> bool {
        match self {
            Outcome::Done { .. } | Outcome::HalfWay { .. } | Outcome::PutBack { .. } => true,
            Outcome::NotDone { .. } | Outcome::InDoubt { .. } | Outcome::Held { .. } | Outcome::NotReached { .. } => {
                false
            }
        }
    }

    /// What it says beyond its word: why not, or why it is held.
    pub fn message(&self) -> Option<String> {
        match self {
            Outcome::Done { .. } => None,
            Outcome::NotDone { message }
            | Outcome::InDoubt { message }
            | Outcome::NotReached { message }
            | Outcome::HalfWay { message }
            | Outcome::PutBack { message } => Some(message.clone()),
            Outcome::Held { reason } => Some(reason.explain()),
        }
    }
}

/// One change with its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeOutcome {
    pub item: ItemId,
    pub action: ActionKind,
    pub key: Option<Key>,
    pub card: Option<CardId>,
    /// Linked operators that were archived or woken with the card, as they were read after the write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<OperatorId>,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Nothing to do, or everything done.
    Clean,
    /// Everything allowed was done, nothing is held, and something else needs a human.
    Attention,
    /// Everything allowed was done; something is held.
    Held,
    /// Some changes failed.
    SomeFailed,
    /// A snapshot was rejected.
    SnapshotRejected,
    /// The run could not do its work.
    Failed,
}

impl RunVerdict {
    /// The exit code: 0, 3, 3, 5, 4 or 1.
    pub fn exit_code(self) -> u8 {
        match self {
            RunVerdict::Clean => 0,
            RunVerdict::Held | RunVerdict::Attention => 3,
            RunVerdict::SomeFailed => 5,
            RunVerdict::SnapshotRejected => 4,
            RunVerdict::Failed => 1,
        }
    }
}

/// Totals of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCounts {
    pub done: BTreeMap<ActionKind, u64>,
    pub not_done: u64,
    pub in_doubt: u64,
    /// Begun and not finished: some of their requests took effect.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub half_way: u64,
    /// Left half-way by earlier runs, and put back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub put_back: u64,
    pub held: u64,
    pub not_reached: u64,
    pub conflicts: u64,
    pub rejections: u64,
    /// What needs a human beside what is held, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attention: BTreeMap<ConcernCode, u64>,
    /// What somebody has set aside as known: of what needs a human, and of the held items.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub set_aside: u64,
    /// Operators archived or woken with their cards.
    pub operators: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One run as `history` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    pub id: RunId,
    pub command: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub plan_id: Option<PlanId>,
    pub verdict: Option<RunVerdict>,
    /// What went wrong for the whole run, if anything.
    pub failure: Option<String>,
    pub counts: RunCounts,
    pub snapshots: Vec<SnapshotSummary>,
    /// Why the clock of the run was doubted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock: Vec<Finding>,
    /// The run was to look at everybody: it renews the list of what waits, or could not judge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
}

impl RunCounts {
    /// What was tried and is not done.
    pub fn failed(&self) -> u64 {
        self.not_done + self.in_doubt + self.half_way
    }

    /// How much needs a human beside what is held.
    pub fn needs_attention(&self) -> u64 {
        self.attention.values().sum()
    }
}

/// Whether a command has no verdict of its own: one that ended has done what it was told.
pub fn ends_without_verdict(command: &str) -> bool {
    command.split(' ').next() == Some("forget")
}

impl RunReport {
    /// A run that begins.
    pub fn begun(id: RunId, command: &str, at: DateTime<Utc>) -> Self {
        Self {
            id,
            command: command.to_owned(),
            started_at: at,
            finished_at: None,
            plan_id: None,
            verdict: None,
            failure: None,
            counts: RunCounts::default(),
            snapshots: Vec::new(),
            clock: Vec::new(),
            whole: false,
        }
    }
}
