//! Applies what the guard approved, in order, on what is there (RULES 7, 9, 10): each request is in the journal before it
//! leaves, grave ones look again first, and one bad record does not stop the others.

mod account;
mod anonymize;
mod answers;
mod compound;
mod drive;
mod one_change;
mod others;
mod stops;

use self::others::Sent;
use self::stops::Stops;
use super::WRITES;
use super::state::{KeyHasher, RunLease, StateWriter, StoreError};
use super::target::{Made, TargetError, TargetReader, TargetWriter};
use super::{Clock, Progress};
pub use account::OperatorAccount;
use tokio_util::sync::CancellationToken;

use crate::core::guard::{ApprovedChange, ApprovedPlan};
use crate::core::input::PlanInput;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::card::{OperatorLink, PersonCard};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::{CardId, ItemId, OperatorId};
use crate::core::model::key::RawKey;
use crate::core::plan::report::{ChangeOutcome, Outcome};
use crate::core::plan::{Action, ActionKind, Change, FieldChange, HoldReason};
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Creates whose keys are looked up together right before they are sent.
const LOOK_UP_BATCH: usize = 50;

/// Applies one approved plan.
pub struct Applier<'a, R, W, S> {
    pub reader: &'a R,
    pub writer: &'a W,
    /// The account for approved items that touch an operator, where there is one.
    pub operator_account: Option<&'a OperatorAccount<'a, W>>,
    /// Nothing more is begun after this.
    pub ends_at: Option<Instant>,
    pub store: &'a S,
    pub lease: &'a RunLease,
    pub input: &'a PlanInput,
    /// What the ledger knows of each card, this run's reads included.
    pub ledger: BTreeMap<CardId, LedgerEntry>,
    /// Hashes keys for the logs.
    pub hasher: &'a KeyHasher,
    pub clock: &'a dyn Clock,
    pub progress: &'a dyn Progress,
    /// Requests in flight at most, as the writer's turns allow.
    pub concurrency: usize,
    /// Card fields that are compared when a card is read again.
    pub fields: BTreeSet<CardField>,
    /// Set from outside to end after the write in flight.
    pub stop: &'a CancellationToken,
    pub state: ApplyState,
}

/// What is learned on the way.
#[derive(Default)]
pub struct ApplyState {
    stops: Mutex<Stops>,
    made: Mutex<Made>,
    /// Cards as this run's own writes left them.
    cards: Mutex<BTreeMap<CardId, PersonCard>>,
    /// Operators that were archived or woken with a card, by item.
    operators: Mutex<BTreeMap<ItemId, Vec<OperatorId>>>,
    /// What the ledger learned by this run's own writes.
    learned: Mutex<BTreeMap<CardId, LedgerEntry>>,
    finished: AtomicU64,
    lost_in_a_row: AtomicU64,
    /// Operators that are active after the archive of their card, by item.
    left_active: Mutex<BTreeMap<ItemId, Vec<OperatorId>>>,
    /// Changes that TOPdesk refused for what is in them.
    refused: Mutex<BTreeSet<ItemId>>,
    /// TOPdesk changes no archived card: seen in this run.
    archived_cards_refused: AtomicBool,
    /// What was sent, or is just being sent.
    sent: Mutex<Sent>,
    /// A sign of another cardsync: somebody must look, whatever else this run did.
    alarm: Mutex<Option<String>>,
}

/// Nobody panics half-way through a change of these: a poisoned lock still holds whole values.
fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ApplyState {
    fn stops(&self) -> MutexGuard<'_, Stops> {
        open(&self.stops)
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        open(&self.made)
    }

    fn cards(&self) -> MutexGuard<'_, BTreeMap<CardId, PersonCard>> {
        open(&self.cards)
    }

    fn learned(&self) -> MutexGuard<'_, BTreeMap<CardId, LedgerEntry>> {
        open(&self.learned)
    }

    /// What the ledger learned, for a plan that follows.
    pub(super) fn take_learned(&self) -> BTreeMap<CardId, LedgerEntry> {
        std::mem::take(&mut *self.learned())
    }

    /// What somebody must look at, whatever else was done.
    pub(super) fn alarm(&self) -> Option<String> {
        open(&self.alarm).clone()
    }

    /// What TOPdesk refused for what is in it, for later runs.
    pub(super) fn refused(&self) -> MutexGuard<'_, BTreeSet<ItemId>> {
        open(&self.refused)
    }

    fn left_active(&self) -> MutexGuard<'_, BTreeMap<ItemId, Vec<OperatorId>>> {
        open(&self.left_active)
    }

    fn operators(&self) -> MutexGuard<'_, BTreeMap<ItemId, Vec<OperatorId>>> {
        open(&self.operators)
    }
}

/// What may not run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane<'a> {
    /// Changes that take operators along: one after the other, so that a refusal of the first is the only one.
    Operators,
    /// One person.
    Person(Option<&'a str>, Option<&'a CardId>),
    /// A list entry.
    Alone(&'a ItemId),
}

fn lane(change: &Change) -> Lane<'_> {
    let cascades = match change.action.kind() {
        ActionKind::Archive | ActionKind::Unarchive | ActionKind::Anonymize => true,
        ActionKind::CreateEntry
        | ActionKind::Create
        | ActionKind::Update
        | ActionKind::Adopt
        | ActionKind::Exchange
        | ActionKind::Merge
        | ActionKind::SetReferences => false,
    };
    if cascades && change.operator != OperatorLink::ProvenNone {
        Lane::Operators
    } else if change.key.is_none() && change.card.is_none() {
        Lane::Alone(&change.id)
    } else {
        Lane::Person(change.key.as_ref().map(|key| key.as_str()), change.card.as_ref())
    }
}

/// Whether a change puts a key onto a card that had none.
fn gives_a_key(change: &Change) -> bool {
    match &change.action {
        Action::Create { .. } | Action::Adopt { .. } | Action::Exchange { .. } => true,
        Action::Archive { number, .. } => !number.is_empty(),
        Action::CreateEntry { .. }
        | Action::Unarchive { .. }
        | Action::Update { .. }
        | Action::Merge { .. }
        | Action::SetReferences { .. }
        | Action::Anonymize { .. } => false,
    }
}

/// The keys that a change writes, as they are written.
fn keys_given(change: &Change) -> Vec<String> {
    let raw = change.raw_key.iter().map(RawKey::to_write);
    let fields = |fields: &[FieldChange]| -> Vec<String> {
        let written = fields.iter().filter_map(|change| change.to.as_ref());
        written.map(FieldValue::display).collect()
    };
    match change.other_side() {
        // The way back of an exchange writes what stood there, whatever the sources say.
        Some(other) => fields(change.action.fields())
            .into_iter()
            .chain(fields(&other.fields))
            .collect(),
        None => raw.collect(),
    }
}

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Applies everything; the outcomes are in the plan's order. An error of the store ends the run: nothing may be
    /// sent that is not in the journal.
    pub async fn apply(&self, approved: &ApprovedPlan) -> Result<Vec<ChangeOutcome>, StoreError> {
        let total = approved.changes().len() as u64;
        let mut outcomes: BTreeMap<ItemId, Outcome> = BTreeMap::new();
        let mut alone = false;
        for kind in ActionKind::IN_ORDER {
            let mut waiting: Vec<&ApprovedChange> = approved
                .changes()
                .iter()
                .filter(|approved| approved.change().action.kind() == kind)
                .collect();
            while !waiting.is_empty() {
                let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|approved| {
                    approved
                        .change()
                        .depends_on
                        .iter()
                        .all(|needed| outcomes.contains_key(needed))
                });
                if ready.is_empty() {
                    let message = "what it needs is not part of this run".to_owned();
                    outcomes.extend(later.iter().map(|a| {
                        (
                            a.change().id.clone(),
                            Outcome::NotReached {
                                message: message.clone(),
                            },
                        )
                    }));
                    break;
                }
                waiting = later;
                for part in self.parts(kind, &ready) {
                    if kind == ActionKind::Create && !alone {
                        self.ask_for_others().await;
                    }
                    let found = if part.iter().any(|approved| gives_a_key(approved.change())) {
                        self.look_up_keys(part).await
                    } else {
                        Ok(BTreeMap::new())
                    };
                    let done = self.wave(approved, part, &outcomes, found, total).await?;
                    if kind == ActionKind::Create {
                        self.look_for_twins(part, &done).await;
                        // Asked before the first and, since that one went alone, before the second.
                        alone = part.len() > 1;
                    }
                    outcomes.extend(done);
                }
            }
        }
        let all: Vec<ChangeOutcome> = approved
            .changes()
            .iter()
            .map(|approved| {
                let change = approved.change();
                let outcome = outcomes
                    .remove(&change.id)
                    .expect("every approved change got an outcome");
                let card = match &outcome {
                    Outcome::Done { card: Some(card) } => Some(card.clone()),
                    Outcome::Done { card: None }
                    | Outcome::NotDone { .. }
                    | Outcome::InDoubt { .. }
                    | Outcome::Held { .. }
                    | Outcome::NotReached { .. }
                    | Outcome::HalfWay { .. }
                    | Outcome::PutBack { .. } => change.card.clone(),
                };
                ChangeOutcome {
                    item: change.id.clone(),
                    action: change.action.kind(),
                    key: change.key.clone(),
                    card,
                    operators: self.state.operators().remove(&change.id).unwrap_or_default(),
                    outcome,
                }
            })
            .collect();
        log_not_reached(&all);
        Ok(all)
    }

    /// What is looked up and sent together. The first create goes alone: where another cardsync is at the same point, one
    /// second card shows it.
    fn parts<'p, 'c>(&self, kind: ActionKind, ready: &'p [&'c ApprovedChange]) -> Vec<&'p [&'c ApprovedChange]> {
        let batch = if ready.iter().any(|approved| gives_a_key(approved.change())) {
            LOOK_UP_BATCH
        } else {
            ready.len().max(1)
        };
        let first = if kind == ActionKind::Create && open(&self.state.sent).no_create() {
            1
        } else {
            0
        };
        let (first, rest) = ready.split_at(first.min(ready.len()));
        let first = (!first.is_empty()).then_some(first);
        first.into_iter().chain(rest.chunks(batch)).collect()
    }

    /// Independent changes side by side; those of one person one after the other.
    async fn wave(
        &self,
        plan: &ApprovedPlan,
        ready: &[&ApprovedChange],
        before: &BTreeMap<ItemId, Outcome>,
        found: Result<BTreeMap<String, CardId>, TargetError>,
        total: u64,
    ) -> Result<Vec<(ItemId, Outcome)>, StoreError> {
        let mut lanes: BTreeMap<Lane<'_>, Vec<&ApprovedChange>> = BTreeMap::new();
        for approved in ready {
            lanes.entry(lane(approved.change())).or_default().push(approved);
        }
        let found = &found;
        let persons = futures::stream::iter(lanes.into_values().map(|changes| async move {
            let mut done = Vec::new();
            for approved in changes {
                let change = approved.change();
                let outcome = match (self.reason_to_wait(change, before), found) {
                    (Some(outcome), _) => outcome,
                    (None, Err(error)) => self.failed(change, error),
                    (None, Ok(found)) => match keys_given(change).iter().find_map(|key| found.get(key)) {
                        Some(card) if !change.cards().contains(&card) && gives_a_key(change) => Outcome::Held {
                            reason: HoldReason::ChangedSinceJudged {
                                what: format!("card {card} was found to have this key"),
                            },
                        },
                        Some(_) | None => match self.one(plan, approved).await {
                            Ok(outcome) => self.as_said(change, self.refused_again(change, outcome)).await,
                            Err(error) => {
                                // Nothing may be sent that is not in the journal: the others in flight end as well.
                                self.stop_run(error.to_string());
                                return Err(error);
                            }
                        },
                    },
                };
                let finished = self.state.finished.fetch_add(1, Ordering::Relaxed) + 1;
                self.progress.advance("apply", finished, Some(total));
                self.log_outcome(change, &outcome);
                done.push((change.id.clone(), outcome));
            }
            Ok::<_, StoreError>(done)
        }))
        .buffer_unordered(self.lanes_at_once());
        let results: Vec<_> = persons.collect().await;
        let mut all = Vec::new();
        for result in results {
            all.extend(result?);
        }
        Ok(all)
    }

    /// Twice as many changes in work as requests in flight: while the outcome of one is flushed to disk, the turn of the
    /// next has come. The writer's turns bound the requests. With one request in flight the order of changes is kept.
    fn lanes_at_once(&self) -> usize {
        match self.concurrency {
            0 | 1 => 1,
            more => more * 2,
        }
    }

    /// RULES 2.3: the keys that cards are to get are looked up right before the write. A new card is made where no card has
    /// the key; an active card is given it where no other active card has it, the other one of an exchange apart.
    async fn look_up_keys(&self, changes: &[&ApprovedChange]) -> Result<BTreeMap<String, CardId>, TargetError> {
        let spec = &self.input.policy.key;
        let written: Vec<String> = changes
            .iter()
            .flat_map(|approved| keys_given(approved.change()))
            .collect();
        let cards = self.reader.cards_with_keys(spec.card_field, &written).await?;
        let mut found = BTreeMap::new();
        let own: BTreeSet<&CardId> = changes.iter().flat_map(|approved| approved.change().cards()).collect();
        let counts = |card: &PersonCard| own.is_empty() || !card.archived && !own.contains(&card.id);
        for card in cards.into_iter().filter(counts) {
            let on_card = card.fields.text(spec.card_field).unwrap_or("");
            for raw in &written {
                if spec.read(raw) == spec.read(on_card) {
                    found.insert(raw.clone(), card.id.clone());
                }
            }
        }
        Ok(found)
    }

    /// The key as logs may carry it: a keyed hash where the key is a login, a name or an e-mail address (RULES 12).
    fn key_for_logs(&self, change: &Change) -> String {
        let Some(key) = &change.key else { return String::new() };
        let field = self.input.policy.key.card_field;
        if field.is_login() || field.is_name() || field == CardField::Email {
            self.hasher.hash(key)
        } else {
            key.to_string()
        }
    }

    fn log_outcome(&self, change: &Change, outcome: &Outcome) {
        let (item, action, key) = (
            change.id.as_str(),
            change.action.kind().name(),
            self.key_for_logs(change),
        );
        let (key, card) = (key.as_str(), change.card.as_ref());
        let made = match outcome {
            Outcome::Done { card: made } => made.as_ref(),
            Outcome::NotDone { .. }
            | Outcome::InDoubt { .. }
            | Outcome::Held { .. }
            | Outcome::NotReached { .. }
            | Outcome::HalfWay { .. }
            | Outcome::PutBack { .. } => None,
        };
        let card = made.or(card).map_or("", |card| card.as_str());
        // What it is about stands in the fields, and is not said twice.
        match outcome {
            Outcome::Done { .. } => {
                tracing::info!(target: WRITES, { item.id = item, action, key, card.id = card }, "done");
            }
            Outcome::NotDone { message } => {
                tracing::warn!(target: WRITES, { item.id = item, action, key, card.id = card }, "not done: {message}");
            }
            Outcome::HalfWay { message } => {
                tracing::error!(target: WRITES, { item.id = item, action, key, card.id = card }, "half-way: {message}");
            }
            Outcome::PutBack { message } => {
                tracing::warn!(target: WRITES, { item.id = item, action, key, card.id = card }, "put back: {message}");
            }
            Outcome::InDoubt { message } => {
                tracing::warn!(target: WRITES, { item.id = item, action, key, card.id = card }, "in doubt: {message}");
            }
            Outcome::Held { reason } => {
                let why = reason.explain();
                tracing::warn!(target: WRITES, { item.id = item, action, key, card.id = card }, "held: {why}");
            }
            // Told once for all of them: after a stop there may be a hundred thousand.
            Outcome::NotReached { message } => {
                tracing::debug!(target: WRITES, { item.id = item, action, key, card.id = card }, "not reached: {message}");
            }
        }
    }
}

/// One line for all that was not reached, with the first reason.
fn log_not_reached(outcomes: &[ChangeOutcome]) {
    let mut messages = outcomes.iter().filter_map(|outcome| match &outcome.outcome {
        Outcome::NotReached { message } => Some(message),
        Outcome::Done { .. }
        | Outcome::NotDone { .. }
        | Outcome::InDoubt { .. }
        | Outcome::Held { .. }
        | Outcome::HalfWay { .. }
        | Outcome::PutBack { .. } => None,
    });
    if let Some(first) = messages.next() {
        let count = 1 + messages.count();
        tracing::warn!(count, "{count} items were not reached: {first}");
    }
}
