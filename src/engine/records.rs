//! What is kept of the past, for those who ask later: the journal's rows, the items of each run, and what is taken out
//! when its time is over or its person is to be forgotten.
//!
//! Reading is for `history` and `journal export`; they never change anything. Nothing here decides.

use super::state::{RunLease, StoreError};
use crate::core::memory::certificate::Certificate;
use crate::core::memory::decision::Decision;
use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::ids::{CardId, ItemId, OperatorId, PlanId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::report::{Outcome, RunReport};
use crate::core::plan::view::HoldView;
use crate::core::plan::{ActionKind, Change};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::future::Future;

/// How a request or an item ended, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Done,
    NotDone,
    InDoubt,
    Held,
    NotReached,
    HalfWay,
    PutBack,
}

impl Ended {
    /// The word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Ended::Done => "done",
            Ended::NotDone => "not_done",
            Ended::InDoubt => "in_doubt",
            Ended::Held => "held",
            Ended::NotReached => "not_reached",
            Ended::HalfWay => "half_way",
            Ended::PutBack => "put_back",
        }
    }
}

impl From<&Outcome> for Ended {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done { .. } => Ended::Done,
            Outcome::NotDone { .. } => Ended::NotDone,
            Outcome::InDoubt { .. } => Ended::InDoubt,
            Outcome::Held { .. } => Ended::Held,
            Outcome::NotReached { .. } => Ended::NotReached,
            Outcome::HalfWay { .. } => Ended::HalfWay,
            Outcome::PutBack { .. } => Ended::PutBack,
        }
    }
}

/// One request, as the journal has it.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// Its number: rises by one with every request of this store.
    pub id: i64,
    pub run: RunId,
    pub plan: PlanId,
    pub item: ItemId,
    pub action: ActionKind,
    /// The kind of request, e.g. `patch_card`.
    pub step: String,
    pub step_index: i64,
    /// `None` for list entries, and once the person was purged.
    pub key: Option<Key>,
    pub card: Option<CardId>,
    pub sent_at: DateTime<Utc>,
    /// The decision that let the item pass, if it needed one.
    pub approval: Option<Decision>,
    /// What the run that sent it saw; `None`: it was cut off.
    pub outcome: Option<Ended>,
    pub outcome_at: Option<DateTime<Utc>>,
    /// What TOPdesk or the run said where it was not done.
    pub message: Option<String>,
    /// What a later read found, where the outcome was missing or in doubt.
    pub settled: Option<Ended>,
    pub settled_at: Option<DateTime<Utc>>,
    pub settled_run: Option<RunId>,
    /// `None` once the values were taken out: the person was purged, or their time was over.
    pub values: Option<JournalValues>,
}

/// What of a request is personal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalValues {
    pub change: Change,
    /// The card right before and after; `None` for what did not exist.
    pub before: Option<PersonCard>,
    pub after: Option<PersonCard>,
    /// Linked operators as they were right before.
    pub operators: Vec<OperatorCard>,
}

impl JournalEntry {
    /// How it ended as far as anybody knows; no outcome at all is doubt.
    pub fn ended(&self) -> Ended {
        self.settled.or(self.outcome).unwrap_or(Ended::InDoubt)
    }
}

/// What became of one item of a run. Without values: those are in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct RunItem {
    pub item: ItemId,
    pub action: ActionKind,
    pub key: Option<Key>,
    pub card: Option<CardId>,
    pub outcome: Ended,
    pub detail: ItemDetail,
}

/// More of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemDetail {
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it is held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<HoldView>,
    /// Which rule brought it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Linked operators that were archived or woken with the card.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<OperatorId>,
}

/// Which rows of the journal; all that are set must hold. Oldest first, `limit` at most.
#[derive(Clone, Debug, Default)]
pub struct JournalQuery<'a> {
    pub run: Option<&'a RunId>,
    pub card: Option<&'a CardId>,
    pub key: Option<&'a Key>,
    pub item: Option<&'a ItemId>,
    /// Sent at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Only rows after this number: how a long journal is read in pieces.
    pub after: i64,
    pub limit: Option<u32>,
}

/// Reads what is kept of the past. Must not change it.
pub trait RecordsReader: Send + Sync {
    /// One run, if it is still kept.
    fn run(&self, run: &RunId) -> impl Future<Output = Result<Option<RunReport>, StoreError>> + Send;

    /// What became of each item of a run, in the order of its plan.
    fn run_items(&self, run: &RunId) -> impl Future<Output = Result<Vec<RunItem>, StoreError>> + Send;

    /// Rows of the journal.
    fn journal(&self, query: &JournalQuery<'_>) -> impl Future<Output = Result<Vec<JournalEntry>, StoreError>> + Send;

    /// The certificates of anonymizations, oldest first.
    fn certificates(&self) -> impl Future<Output = Result<Vec<Certificate>, StoreError>> + Send;

    /// How much personal is kept of a card, beside its entry in the ledger, and of these keys where there was no card.
    fn kept(&self, card: &CardId, keys: &BTreeSet<Key>) -> impl Future<Output = Result<Kept, StoreError>> + Send;
}

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Who did what to which card when, with its decisions.
    pub journal: Duration,
    /// The values in it: what a card was like before and after.
    pub values: Duration,
    /// Runs with their items and reads.
    pub reports: Duration,
}

/// What was taken out because its time was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Rows of the journal.
    pub journal: u64,
    /// Rows of the journal of which only the values went.
    pub values: u64,
    pub runs: u64,
    pub decisions: u64,
}

impl Pruned {
    /// Whether anything went.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// What is kept of one person, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Requests of the journal that still have values or a key.
    pub journal: u64,
    /// Items of past runs.
    pub items: u64,
    /// Items that wait.
    pub holds: u64,
    /// Notes that somebody wrote beside a decision.
    pub notes: u64,
    /// Texts about others that name the person's key.
    pub elsewhere: u64,
    /// Inputs of the last runs that have the person.
    pub inputs: u64,
}

impl Kept {
    /// Adds what is kept of another card of the same person.
    pub fn add(&mut self, other: Kept) {
        let Kept {
            journal,
            items,
            holds,
            notes,
            elsewhere,
            inputs,
        } = other;
        self.journal += journal;
        self.items += items;
        self.holds += holds;
        self.notes += notes;
        // One text names the key once for all cards of the person.
        self.elsewhere = self.elsewhere.max(elsewhere);
        self.inputs += inputs;
    }
}

/// Takes out what is kept. Open requests always stay until they are settled.
pub trait RecordsKeeper: RecordsReader {
    /// Takes out what is older than its time, as of `now`; does nothing when that was done within the last day.
    fn prune(
        &self,
        lease: &RunLease,
        retention: Retention,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Pruned, StoreError>> + Send;

    /// Forgets a card's person as [`super::state::StateWriter::purge`] does, and what is kept of these keys where there was
    /// no card.
    fn forget(
        &self,
        lease: &RunLease,
        card: &CardId,
        keys: &BTreeSet<Key>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How many kept inputs of past runs have the people of these cards and keys. Reads all of them.
    fn inputs_about(
        &self,
        cards: &BTreeSet<CardId>,
        keys: &BTreeSet<Key>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Takes the people of these cards and keys out of the kept inputs of past runs.
    fn forget_inputs(
        &self,
        lease: &RunLease,
        cards: &BTreeSet<CardId>,
        keys: &BTreeSet<Key>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Lets go of kept inputs whose time is over, and takes people out whom the ledger no longer knows by their key.
    fn tidy_inputs(&self, lease: &RunLease) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the file anew where something was taken out since, so that no copy of it stays in unused places. True when
    /// it did.
    fn rewrite(&self, lease: &RunLease) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
