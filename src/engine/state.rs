//! What a run needs of the store: what was remembered, and a journal that is on disk before any request leaves.
//!
//! [`StateReader`] changes nothing and is all that `plan`, `check` and `holds` get. [`StateWriter`] belongs to a run:
//! what only a run may write takes its [`RunLease`], so that two runs can never write side by side. A store is bound to
//! one environment; time is an argument, so that a rehearsal at another date keeps that date's books.

pub use super::decision_log::LoggedDecision;
pub use super::hasher::KeyHasher;

use super::attention::KeptConcern;
use super::inputs::KeptInput;
use super::records::RunItem;
use super::target::IntentId;
use crate::core::memory::certificate::Certificate;
use crate::core::memory::decision::{Contact, Decision, HeldItem, InDoubt, SetAside, WhyEnded};
use crate::core::memory::deed::Deed;
use crate::core::memory::ledger::{LastWrite, LedgerEntry};
use crate::core::memory::pin::Pin;
use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::ids::{CardId, ItemId, PlanId, RunId, SourceName};
use crate::core::plan::report::{Outcome, RunReport};
use crate::core::plan::safe_end::{Begun, HalfDone};
use crate::core::plan::{Change, Step};
use crate::core::reads::profile::Profile;
use crate::core::reads::snapshot::{SnapshotHistory, SnapshotSummary};
use crate::core::rules::window::BudgetUsed;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::path::PathBuf;

/// Who holds the lock of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    pub pid: u32,
    pub user: String,
    pub host: String,
    /// What it does, e.g. `run` or `daemon`.
    pub command: String,
    pub since: DateTime<Utc>,
    /// Of its configuration, in which the time is told; UTC where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.with_timezone(&self.zone.unwrap_or(Tz::UTC));
        let since = since.format("%Y-%m-%d %H:%M:%S %Z");
        write!(
            f,
            "'cardsync {}', process {} of user {} on {}, since {since}",
            self.command, self.pid, self.user, self.host
        )
    }
}

/// Why the store did not do what was asked. Every message carries the cure; none carries personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another run works on this environment.
    #[error(
        "another run works on this environment: {}; wait until it ends, or stop it (nothing was changed)",
        .by.as_ref().map_or_else(|| "a process that has only just started".to_owned(), ToString::to_string)
    )]
    Locked { by: Option<LockHolder> },
    /// One TOPdesk has one cardsync, and this state is not its.
    #[error("{0}; one TOPdesk has one cardsync, two would make cards twice (nothing was changed)")]
    OtherStore(OtherStore),
    /// Another process kept the file busy for longer than the time limit.
    #[error("the store {} was kept busy by another process for {seconds} s; try again, or end what keeps it open", .path.display())]
    Busy { path: PathBuf, seconds: u64 },
    /// A later run took over: this one must not write any more.
    #[error(
        "this run's lease (number {ours}) ended when a later run (number {current}) began: nothing more is written; do not remove the store's .lock file while a run works"
    )]
    StaleLease { ours: i64, current: i64 },
    /// The file is damaged, cut off, or not a store of cardsync. It is never made anew silently.
    #[error(
        "the store {} cannot be used: {what}; put a backup in its place, or move it away to start anew, which is a first contact: what stands in TOPdesk then waits for approval", .path.display()
    )]
    Corrupt { path: PathBuf, what: String },
    /// A newer cardsync made this store.
    #[error("the store {} has format {found}, this cardsync knows up to {known}; install the newer cardsync again, or put a backup from before the upgrade in its place", .path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// The store needs an upgrade that a command which only reads must not make.
    #[error("the store {} has format {found}, this cardsync works with {known} and a command that only reads does not change it; the next `cardsync run` brings it up to date", .path.display())]
    Older { path: PathBuf, found: i64, known: i64 },
    /// The store remembers another TOPdesk.
    #[error("the store {} belongs to the TOPdesk on {bound}, the configuration names {asked}; correct topdesk.url, or give this TOPdesk a store file of its own (store.sqlite)", .path.display())]
    OtherHost {
        path: PathBuf,
        bound: String,
        asked: String,
    },
    /// No room for what must be written: the run stops before the next write to TOPdesk.
    #[error("the disk that holds the store {} is full: the run stops before its next write to TOPdesk; make room and run again, nothing is lost", .path.display())]
    DiskFull { path: PathBuf },
    /// The outcome of something that the journal does not have, or has an outcome of already.
    #[error(
        "the journal has no open intent {row}: it has its outcome already, or another store was put in place of this one while the run worked; run again, which settles it by reading"
    )]
    NoOpenIntent { row: i64 },
    /// The file or its folder could not be read or written.
    #[error("the store {}: {what}", .path.display())]
    Io { path: PathBuf, what: String },
}

/// How another cardsync with a state of its own shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtherStore {
    /// A daemon lives.
    #[error(
        "another cardsync serves the TOPdesk on {host} with another state file: {by}; use its state (store.sqlite in the configuration, or STATE_DIRECTORY), or end it for good first"
    )]
    Serves { host: String, by: String },
    /// A run works just now.
    #[error(
        "another cardsync works on the TOPdesk on {host} with another state file: {by}; find out why there are two, keep one state file (store.sqlite in the configuration, or STATE_DIRECTORY) and run again"
    )]
    Works { host: String, by: String },
    /// It could not be asked for.
    #[error(
        "whether another cardsync works on the TOPdesk on {host} could not be found out: {why}; allow local sockets (RestrictAddressFamilies=AF_UNIX in a unit)"
    )]
    Unknown { host: String, why: String },
    /// Nobody named a state file, and the service's is here.
    #[error(
        "no state file is configured and the one of this user, {}, would be made anew, while {} is the service's: give the command the service's (STATE_DIRECTORY={} cardsync ..., as root or as the service's user), or name one in the configuration (store.sqlite)",
        .path.display(), .service.display(), .service.display()
    )]
    ServiceFolder { path: PathBuf, service: PathBuf },
}

/// The right of one run to write. Its number is higher than that of every run before it; each write checks it, so that a
/// run that lost its lock can do no more harm. Dropping it frees the environment, and so does the end of the process.
pub struct RunLease {
    fence: i64,
    run: RunId,
    _lock: Box<dyn Any + Send + Sync>,
}

impl RunLease {
    /// For the store: the number is on disk and the lock is held as long as `lock` lives.
    pub(crate) fn granted(fence: i64, run: RunId, lock: Box<dyn Any + Send + Sync>) -> Self {
        Self {
            fence,
            run,
            _lock: lock,
        }
    }

    /// The fencing number.
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// The run that holds it.
    pub fn run(&self) -> &RunId {
        &self.run
    }
}

impl fmt::Debug for RunLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunLease({} of {})", self.fence, self.run)
    }
}

/// Everything that a plan takes from earlier runs.
#[derive(Clone, Debug)]
pub struct Remembered {
    pub ledger: BTreeMap<CardId, LedgerEntry>,
    /// The last decision about each item, if it is still in force.
    pub decisions: BTreeMap<ItemId, Decision>,
    pub contact: Contact,
    /// What was sent in the last 7 days, whatever command sent it. An item counts once per run; what surely was not done
    /// does not count, what is in doubt does.
    pub budget_used: BudgetUsed,
    /// Items that were set aside while they were applied, if that was seen in the last 30 days.
    pub set_aside: BTreeMap<ItemId, SetAside>,
    pub in_doubt: InDoubt,
    /// The newest write whose answer is known.
    pub last_write: Option<LastWrite>,
    /// Cards with a write that was settled as done by reading, and when each was changed last by that read.
    pub settled_writes: BTreeMap<CardId, DateTime<Utc>>,
    /// By the name that their summaries carry: each source, and TOPdesk.
    pub snapshots: BTreeMap<SourceName, SnapshotHistory>,
    /// When the last run ended whose clock no other machine contradicted.
    pub last_run_end: Option<DateTime<Utc>>,
    pub hasher: KeyHasher,
    /// What an undo took back and is not done again by itself.
    pub pins: Vec<Pin>,
    /// Changes that were cut off half-way and have not reached their safe end.
    pub half_done: BTreeSet<HalfDone>,
}

impl Remembered {
    /// What is remembered where no store is yet: nothing. The hasher is a random one that is not kept.
    pub fn nothing() -> Self {
        Self {
            ledger: BTreeMap::new(),
            decisions: BTreeMap::new(),
            contact: Contact::default(),
            budget_used: BudgetUsed::default(),
            set_aside: BTreeMap::new(),
            in_doubt: InDoubt::default(),
            last_write: None,
            settled_writes: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            last_run_end: None,
            hasher: KeyHasher::random(),
            pins: Vec::new(),
            half_done: BTreeSet::new(),
        }
    }
}

/// A held item and the plan that held it: an approval may name the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptHold {
    pub plan: PlanId,
    pub item: HeldItem,
    /// The run or item that an undo takes back, where this item is of an undo; `None`: of the sync.
    pub undoes: Option<String>,
}

/// In the place of what is undone: the items of `rekey write`, which wait beside those of the sync as an undo's do.
pub const REKEY: &str = "rekey";

impl KeptHold {
    /// The command that does it once it is approved; `None`: the next run.
    pub fn done_by(&self) -> Option<String> {
        self.undoes.as_deref().map(|what| match what {
            REKEY => "cardsync rekey write".to_owned(),
            undone => format!("cardsync undo {undone}"),
        })
    }
}

/// What a run remembers in one transaction, after planning and whenever it holds more. What is `None` or empty stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Learned<'a> {
    /// Entries to add or replace, by card id.
    pub ledger: &'a [LedgerEntry],
    pub contact: Option<&'a Contact>,
    /// The reads of this run with their verdicts.
    pub snapshots: &'a [SnapshotSummary],
    /// What these reads were like, by the names of their summaries.
    pub profiles: &'a [(SourceName, Profile)],
    /// The whole set that waits now, each item with the time since when it has waited without a break.
    pub holds: Option<&'a [KeptHold]>,
    /// The whole list of what else needs a human.
    pub concerns: Option<&'a [KeptConcern]>,
    /// Items that were done, beside `holds`: that they were once set aside is over.
    pub done: &'a [ItemId],
    /// Items whose question is answered or gone: decisions about them end.
    pub ended: Option<&'a BTreeMap<ItemId, WhyEnded>>,
    /// What became of the items of this run, in the order of its plan, for the history.
    pub items: Option<&'a [RunItem]>,
    /// The whole set that waits of the undo of this run or item; the sync's own set stays.
    pub undo_holds: Option<(&'a str, &'a PlanId, &'a [HeldItem])>,
    /// The whole set of pins that stands now.
    pub pins: Option<&'a [Pin]>,
    /// Of people whose data goes now.
    pub certificates: &'a [Certificate],
}

/// One request that is about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    pub plan: &'a PlanId,
    pub change: &'a Change,
    /// Which of the change's steps, from 0.
    pub step_index: usize,
    pub step: &'a Step,
    /// The card as it was read last; `None` for what does not exist yet.
    pub before: Option<&'a PersonCard>,
    pub operators_before: &'a [OperatorCard],
    /// Every card of a change of several requests, as it was right before the first.
    pub cards_before: &'a [PersonCard],
    /// The decision that let the item pass, if it needed one.
    pub approval: Option<&'a Decision>,
    pub at: DateTime<Utc>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    pub outcome: &'a Outcome,
    /// The card as TOPdesk gave it back, or as it was read to settle a doubt.
    pub after: Option<&'a PersonCard>,
    /// What the ledger learns with it, in the same transaction.
    pub learned: Option<&'a LedgerEntry>,
    pub at: DateTime<Utc>,
}

/// A request of which nobody knows whether it took effect: no outcome was written (the process was killed), or the
/// outcome was doubt.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIntent {
    pub id: IntentId,
    pub run: RunId,
    pub plan: PlanId,
    pub change: Change,
    pub step_index: usize,
    pub step: Step,
    pub before: Option<PersonCard>,
    pub operators_before: Vec<OperatorCard>,
    pub sent_at: DateTime<Utc>,
    /// Who approved it, where that was needed.
    pub approver: Option<String>,
    /// The run itself wrote that it is in doubt; otherwise the run was cut off.
    pub known_in_doubt: bool,
    /// A later request of ours, whose answer came, had the same effect.
    pub overtaken: bool,
}

/// A change of several requests that was begun and of which nobody has written down that everything, or its safe end, shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Halfway {
    pub run: RunId,
    pub plan: PlanId,
    pub change: Change,
    pub operators_before: Vec<OperatorCard>,
    /// Its cards right before the first request. Empty where an earlier version began it.
    pub cards_before: Vec<PersonCard>,
}

impl Halfway {
    /// What a plan must know of it.
    pub fn known(&self) -> HalfDone {
        HalfDone {
            key: self.change.key.clone(),
            other_key: self.change.other_side().map(|other| other.key.clone()),
            cards: self.change.cards().into_iter().cloned().collect(),
            begun: Some(Begun {
                item: self.change.id.clone(),
                action: self.change.action.kind(),
                run: self.run.clone(),
                card: self.change.card.clone(),
            }),
        }
    }
}

/// Reads what is remembered. Must not change it, and must not create a store where there is none.
pub trait StateReader: Send + Sync {
    /// All that a plan needs, as of `now` (decisions in force, snapshots of the last 14 days).
    fn load(&self, now: DateTime<Utc>) -> impl Future<Output = Result<Remembered, StoreError>> + Send;

    /// What waits since the last run, in plan order.
    fn holds(&self) -> impl Future<Output = Result<Vec<KeptHold>, StoreError>> + Send;

    /// What else needs a human since the last run, in the order in which it is shown.
    fn concerns(&self) -> impl Future<Output = Result<Vec<KeptConcern>, StoreError>> + Send;

    /// Every decision ever made, newest first.
    fn decisions(&self) -> impl Future<Output = Result<Vec<LoggedDecision>, StoreError>> + Send;

    /// The last runs, newest first. A run that was killed has no end and no verdict.
    fn history(&self, limit: u32) -> impl Future<Output = Result<Vec<RunReport>, StoreError>> + Send;

    /// Requests whose effect nobody knows, oldest first. While a run works, its requests in flight are among them.
    fn open_intents(&self) -> impl Future<Output = Result<Vec<OpenIntent>, StoreError>> + Send;

    /// The requests of a run, or of an item in the last run that had it, that took effect or are in doubt, oldest first.
    fn deeds(&self, run_or_item: &str) -> impl Future<Output = Result<Vec<Deed>, StoreError>> + Send;

    /// Changes of several requests that are half-way, oldest first. While a run works, those in flight are among them.
    fn halfway(&self) -> impl Future<Output = Result<Vec<Halfway>, StoreError>> + Send;
}

/// Writes. What returns `Ok` is on disk, whatever happens to the machine next.
///
/// A write with a lease fails with [`StoreError::StaleLease`] once a later run holds the environment. After
/// [`StoreError::DiskFull`] or any other error of `intent` the request must not be sent.
pub trait StateWriter: StateReader {
    /// Takes the environment for one run, or says who has it. Does not wait.
    fn acquire(
        &self,
        run: &RunId,
        command: &str,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<RunLease, StoreError>> + Send;

    /// Writes down that the run began.
    fn start_run(&self, lease: &RunLease, report: &RunReport) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes down how it ended, with the fingerprint of its plan.
    fn finish_run(
        &self,
        lease: &RunLease,
        report: &RunReport,
        fingerprint: Option<&str>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Remembers, all or nothing.
    fn learn(
        &self,
        lease: &RunLease,
        learned: Learned<'_>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes down what is about to be sent. Many calls at once share one flush to disk. The first request of a compound
    /// change makes it half-way, in the same transaction.
    fn intent(&self, lease: &RunLease, intent: Intent<'_>)
    -> impl Future<Output = Result<IntentId, StoreError>> + Send;

    /// Writes down how it ended, once.
    fn outcome(
        &self,
        lease: &RunLease,
        intent: IntentId,
        ending: Ending<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Settles an open intent, also of an earlier run, with what was found by reading. What the journal had stays.
    fn settle(
        &self,
        lease: &RunLease,
        intent: IntentId,
        ending: Ending<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A compound change of this or an earlier run is half-way no more: everything it was to do shows, or its safe end, or
    /// nothing of it was done.
    fn closed(
        &self,
        lease: &RunLease,
        run: &RunId,
        item: &ItemId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps decisions of humans; a later one about the same item replaces an earlier one. Needs no lease.
    fn decide(&self, decisions: &[Decision]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends the decisions about these items: somebody takes them back. What was decided before them does not revive. Needs no
    /// lease.
    fn take_back(
        &self,
        items: &[ItemId],
        by: &str,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps the input of a run's plan, and takes people out of what is kept whom the ledger no longer knows by their key. A
    /// store that has no place for inputs keeps none.
    fn keep_input(&self, _lease: &RunLease, _kept: KeptInput) -> impl Future<Output = Result<(), StoreError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Forgets a person's data: journal images, held items and values of this card. The card id, actions and times stay.
    fn purge(&self, lease: &RunLease, card: &CardId) -> impl Future<Output = Result<(), StoreError>> + Send;
}
