//! Applies what the guard approved, in order, on what is there (RULES 7, 9, 10): each request is in the journal before it
//! leaves, grave ones look again first, and one bad record does not stop the others.

use super::ledger_after::after_done;
use super::recheck::{Recheck, changed_since};
use super::state::{Ending, Intent, RunLease, StateWriter, StoreError};
use super::target::{Concerns, Made, TargetError, TargetReader, TargetWriter, WriteError, Written};
use super::{Clock, Progress};
use crate::domain::card::PersonCard;
use crate::domain::field::{CardField, FieldValue};
use crate::domain::guard::{ApprovedChange, ApprovedPlan};
use crate::domain::ids::{CardId, ItemId};
use crate::domain::input::PlanInput;
use crate::domain::plan::{ActionKind, Change, HoldReason, Step};
use crate::domain::report::{ChangeOutcome, Outcome};
use chrono::Duration;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A write based on a read older than this looks again first.
const STALE_READ: Duration = Duration::minutes(15);

/// Creates whose keys are looked up together right before they are sent.
const LOOK_UP_BATCH: usize = 50;

/// Attempts for a request that TOPdesk answered with 'later' (429, 503): each has an intent of its own.
const MOST_ATTEMPTS: u32 = 4;

/// Lost answers or lost connections in a row that end the run: TOPdesk is not there.
const MOST_LOST_IN_A_ROW: u64 = 3;

/// Applies one approved plan.
pub struct Applier<'a, R, W, S> {
    pub reader: &'a R,
    pub writer: &'a W,
    pub store: &'a S,
    pub lease: &'a RunLease,
    pub input: &'a PlanInput,
    pub clock: &'a dyn Clock,
    pub progress: &'a dyn Progress,
    /// Changes in flight at most.
    pub concurrency: usize,
    /// Card fields that are compared when a card is read again.
    pub fields: BTreeSet<CardField>,
    /// Set from outside to end after the write in flight.
    pub stop: &'a AtomicBool,
    pub state: ApplyState,
}

/// What is learned on the way.
#[derive(Default)]
pub struct ApplyState {
    stops: Mutex<Stops>,
    made: Mutex<Made>,
    /// Cards as this run's own writes left them.
    cards: Mutex<BTreeMap<CardId, PersonCard>>,
    finished: AtomicU64,
    lost_in_a_row: AtomicU64,
}

#[derive(Default)]
struct Stops {
    run: Option<String>,
    kinds: BTreeMap<ActionKind, String>,
    /// TOPdesk refused to archive an operator once: no other is tried.
    operators: bool,
}

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Applies everything; the outcomes are in the plan's order. An error of the store ends the run: nothing may be
    /// sent that is not in the journal.
    pub async fn apply(&self, approved: &ApprovedPlan) -> Result<Vec<ChangeOutcome>, StoreError> {
        let total = approved.changes().len() as u64;
        let mut outcomes: BTreeMap<ItemId, Outcome> = BTreeMap::new();
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
                let batch = if kind == ActionKind::Create {
                    LOOK_UP_BATCH
                } else {
                    ready.len().max(1)
                };
                for part in ready.chunks(batch) {
                    let found = if kind == ActionKind::Create {
                        self.look_up_keys(part).await
                    } else {
                        Ok(BTreeMap::new())
                    };
                    let done = self.wave(approved, part, &outcomes, found, total).await?;
                    outcomes.extend(done);
                }
            }
        }
        Ok(approved
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
                    | Outcome::NotReached { .. } => change.card.clone(),
                };
                ChangeOutcome {
                    item: change.id.clone(),
                    action: change.action.kind(),
                    key: change.key.clone(),
                    card,
                    outcome,
                }
            })
            .collect())
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
        let mut by_person: BTreeMap<(Option<&str>, Option<&CardId>, &ItemId), Vec<&ApprovedChange>> = BTreeMap::new();
        for approved in ready {
            let change = approved.change();
            let alone = change.key.is_none() && change.card.is_none();
            let place = (
                change.key.as_ref().map(|key| key.as_str()),
                change.card.as_ref(),
                if alone { &change.id } else { &ready[0].change().id },
            );
            by_person.entry(place).or_default().push(approved);
        }
        let found = &found;
        let persons = futures::stream::iter(by_person.into_values().map(|changes| async move {
            let mut done = Vec::new();
            for approved in changes {
                let change = approved.change();
                let outcome = match (self.reason_to_wait(change, before), found) {
                    (Some(outcome), _) => outcome,
                    (None, Err(error)) => self.failed(change, error),
                    (None, Ok(found)) => match change.raw_key.as_ref().and_then(|raw| found.get(&raw.to_write())) {
                        Some(card) if change.action.kind() == ActionKind::Create => Outcome::Held {
                            reason: HoldReason::ChangedSinceJudged {
                                what: format!("card {card} was found to have this key"),
                            },
                        },
                        Some(_) | None => self.one(plan, approved).await?,
                    },
                };
                let finished = self.state.finished.fetch_add(1, Ordering::Relaxed) + 1;
                self.progress.advance("apply", finished, Some(total));
                log_outcome(change, &outcome);
                done.push((change.id.clone(), outcome));
            }
            Ok::<_, StoreError>(done)
        }))
        .buffer_unordered(self.concurrency.max(1));
        let results: Vec<_> = persons.collect().await;
        let mut all = Vec::new();
        for result in results {
            all.extend(result?);
        }
        Ok(all)
    }

    /// Why a change is not even tried: stopped, or what it needs was not done.
    fn reason_to_wait(&self, change: &Change, before: &BTreeMap<ItemId, Outcome>) -> Option<Outcome> {
        if self.stop.load(Ordering::Relaxed) {
            return Some(Outcome::NotReached {
                message: "cardsync was asked to stop".to_owned(),
            });
        }
        let stops = self.state.stops.lock().expect("no panic while the stops are held");
        if let Some(message) = stops.run.as_ref().or_else(|| stops.kinds.get(&change.action.kind())) {
            return Some(Outcome::NotReached {
                message: message.clone(),
            });
        }
        if stops.operators && change.action.kind() == ActionKind::Archive && change.operators_affected() > 0 {
            return Some(Outcome::Held {
                reason: HoldReason::OperatorArchiveRefused,
            });
        }
        let undone = change
            .depends_on
            .iter()
            .find(|needed| !matches!(before.get(*needed), Some(Outcome::Done { .. })))?;
        Some(Outcome::NotReached {
            message: format!("item {undone}, which it needs, was not done"),
        })
    }

    /// RULES 2.3: the keys of creates are looked up right before the write.
    async fn look_up_keys(&self, creates: &[&ApprovedChange]) -> Result<BTreeMap<String, CardId>, TargetError> {
        let spec = &self.input.policy.key;
        let written: Vec<String> = creates
            .iter()
            .filter_map(|approved| approved.change().raw_key.as_ref())
            .map(|raw| raw.to_write())
            .collect();
        let cards = self.reader.cards_with_keys(spec.card_field, &written).await?;
        let mut found = BTreeMap::new();
        for card in cards {
            let on_card = card.fields.text(spec.card_field).unwrap_or("");
            for raw in &written {
                if spec.read(raw) == spec.read(on_card) {
                    found.insert(raw.clone(), card.id.clone());
                }
            }
        }
        Ok(found)
    }

    /// One change: looks again where the rules say so, writes the intent, sends, writes the outcome.
    async fn one(&self, plan: &ApprovedPlan, approved: &ApprovedChange) -> Result<Outcome, StoreError> {
        let change = approved.change();
        let known = self.known_card(change);
        let (before, operators_before) = match self.recheck(approved, known.as_ref()).await {
            Ok(Recheck::Same { card, operators }) => (card, operators),
            Ok(Recheck::Changed(what)) => {
                return Ok(Outcome::Held {
                    reason: HoldReason::ChangedSinceJudged { what },
                });
            }
            Err(error) => return Ok(self.failed(change, &error)),
        };
        let decision = self
            .input
            .decisions
            .get(&change.id)
            .filter(|_| approved.approved_by().is_some());
        let mut outcome = Outcome::NotReached {
            message: "no step".to_owned(),
        };
        for (step_index, step) in change.steps().iter().enumerate() {
            let mut attempt = 1;
            outcome = loop {
                let intent = Intent {
                    plan: plan.plan(),
                    change,
                    step_index,
                    step,
                    before: before.as_ref(),
                    operators_before: &operators_before,
                    approval: decision,
                    at: self.clock.now(),
                };
                let intent = self.store.intent(self.lease, intent).await?;
                let made = self.state.made.lock().expect("no panic while the made is held").clone();
                let sent = self.writer.send(intent, step, &made).await;
                let (outcome, after, wait) = self.ended(change, step, sent, attempt).await;
                let learned = match &outcome {
                    Outcome::Done { .. } => {
                        after_done(change, after.as_ref(), self.input, self.lease.run(), self.clock.now())
                    }
                    Outcome::NotDone { .. }
                    | Outcome::InDoubt { .. }
                    | Outcome::Held { .. }
                    | Outcome::NotReached { .. } => None,
                };
                let ending = Ending {
                    outcome: &outcome,
                    after: after.as_ref(),
                    learned: learned.as_ref(),
                    at: self.clock.now(),
                };
                self.store.outcome(self.lease, intent, ending).await?;
                match wait {
                    Some(wait) if !self.stop.load(Ordering::Relaxed) => {
                        tokio::time::sleep(wait).await;
                        attempt += 1;
                    }
                    Some(_) | None => break outcome,
                }
            };
            if !matches!(outcome, Outcome::Done { .. }) {
                break;
            }
        }
        Ok(outcome)
    }

    /// The card as far as this run knows it: as its own writes left it, else as it was read.
    fn known_card(&self, change: &Change) -> Option<PersonCard> {
        let made = change.steps().into_iter().find_map(|step| match step {
            Step::PatchCard {
                card: crate::domain::plan::CardTarget::MadeBy(item),
                ..
            } => {
                let made = self.state.made.lock().expect("no panic while the made is held");
                made.cards.get(&item).cloned()
            }
            Step::PatchCard { .. }
            | Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::ArchiveCard { .. }
            | Step::UnarchiveCard { .. } => None,
        });
        let id = change.card.clone().or(made)?;
        let written = self
            .state
            .cards
            .lock()
            .expect("no panic while the cards are held")
            .get(&id)
            .cloned();
        written.or_else(|| {
            let cards = &self.input.target.cards;
            cards
                .binary_search_by(|card| card.id.cmp(&id))
                .ok()
                .map(|at| cards[at].clone())
        })
    }

    async fn recheck(&self, approved: &ApprovedChange, known: Option<&PersonCard>) -> Result<Recheck, TargetError> {
        let change = approved.change();
        let grave = match change.action.kind() {
            ActionKind::Archive | ActionKind::Unarchive | ActionKind::Anonymize | ActionKind::Adopt => true,
            ActionKind::CreateEntry | ActionKind::Create | ActionKind::Update | ActionKind::SetReferences => false,
        };
        let stale = self.clock.now() - self.input.target.read_at > STALE_READ;
        let (Some(known), Some(id)) = (known, &change.card) else {
            return Ok(Recheck::Same {
                card: known.cloned(),
                operators: Vec::new(),
            });
        };
        if !(grave || stale || approved.approved_by().is_some()) {
            let operators = self
                .input
                .target
                .operators
                .iter()
                .filter(|o| o.linked_person.as_ref() == Some(id));
            // Operators matter for the before-image only where the change concerns them.
            let operators = if change.operator.is_linked() {
                operators.cloned().collect()
            } else {
                Vec::new()
            };
            return Ok(Recheck::Same {
                card: Some(known.clone()),
                operators,
            });
        }
        let Some(now) = self.reader.read_card(id, &self.fields).await? else {
            return Ok(Recheck::Changed("the card was gone".to_owned()));
        };
        let operators = self.reader.read_operators_of(id).await?;
        Ok(match changed_since(change, known, &now, &operators) {
            Some(what) => Recheck::Changed(what),
            None => Recheck::Same {
                card: Some(now),
                operators,
            },
        })
    }

    /// What an answer means: the outcome, the card after it, and how long to wait before another attempt.
    async fn ended(
        &self,
        change: &Change,
        step: &Step,
        sent: Result<Written, WriteError>,
        attempt: u32,
    ) -> (Outcome, Option<PersonCard>, Option<std::time::Duration>) {
        match sent {
            Ok(Written::Entry(id)) => {
                self.state.lost_in_a_row.store(0, Ordering::Relaxed);
                self.state
                    .made
                    .lock()
                    .expect("no panic while the made is held")
                    .entries
                    .insert(change.id.clone(), id);
                (Outcome::Done { card: None }, None, None)
            }
            Ok(Written::Card(card)) => {
                self.state.lost_in_a_row.store(0, Ordering::Relaxed);
                let card = self.settled(change, step, *card).await;
                (
                    Outcome::Done {
                        card: Some(card.id.clone()),
                    },
                    Some(card),
                    None,
                )
            }
            Err(WriteError::AlreadyThere) => self.already_there(change, step).await,
            Err(WriteError::NotDone(error)) => {
                let again = error.retryable && attempt < MOST_ATTEMPTS;
                if again {
                    let pause = std::time::Duration::from_secs(u64::from(attempt) * 2);
                    let wait = error.retry_after.unwrap_or(pause);
                    return (
                        Outcome::NotDone {
                            message: error.to_string(),
                        },
                        None,
                        Some(wait),
                    );
                }
                if error.status.is_none() {
                    self.lost(&error);
                }
                (self.failed(change, &error), None, None)
            }
            Err(WriteError::InDoubt(error)) => {
                self.lost(&error);
                (
                    Outcome::InDoubt {
                        message: error.to_string(),
                    },
                    None,
                    None,
                )
            }
        }
    }

    /// Several lost answers in a row: TOPdesk is not there, the run ends.
    fn lost(&self, error: &TargetError) {
        let lost = self.state.lost_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if lost >= MOST_LOST_IN_A_ROW {
            let mut stops = self.state.stops.lock().expect("no panic while the stops are held");
            stops.run.get_or_insert_with(|| {
                format!(
                    "stopped after {lost} requests in a row without an answer: {}",
                    error.what
                )
            });
        }
    }

    /// Keeps what the write made. Archive and unarchive answer in another form: the card is read again for its
    /// modification date, by which our archive is known later.
    async fn settled(&self, change: &Change, step: &Step, answered: PersonCard) -> PersonCard {
        let card = match step {
            Step::ArchiveCard { card, .. } | Step::UnarchiveCard { card } => {
                let read = self.reader.read_card(card, &self.fields).await;
                read.ok().flatten().unwrap_or(answered)
            }
            Step::CreateEntry { .. } | Step::CreateCard { .. } | Step::PatchCard { .. } => answered,
        };
        if change.action.kind() == ActionKind::Create {
            let mut made = self.state.made.lock().expect("no panic while the made is held");
            made.cards.insert(change.id.clone(), card.id.clone());
        }
        self.state
            .cards
            .lock()
            .expect("no panic while the cards are held")
            .insert(card.id.clone(), card.clone());
        card
    }

    /// 'Already archived' or 'already active' is a success once a read confirms it.
    async fn already_there(
        &self,
        change: &Change,
        step: &Step,
    ) -> (Outcome, Option<PersonCard>, Option<std::time::Duration>) {
        let (id, archived) = match step {
            Step::ArchiveCard { card, .. } => (card, true),
            Step::UnarchiveCard { card } => (card, false),
            Step::CreateEntry { .. } | Step::CreateCard { .. } | Step::PatchCard { .. } => {
                return (
                    Outcome::NotDone {
                        message: "TOPdesk says that it is done already".to_owned(),
                    },
                    None,
                    None,
                );
            }
        };
        match self.reader.read_card(id, &self.fields).await {
            Ok(Some(card)) if card.archived == archived => (
                Outcome::Done {
                    card: Some(card.id.clone()),
                },
                Some(card),
                None,
            ),
            Ok(_) => (
                Outcome::InDoubt {
                    message: "TOPdesk says that it is done already, but the card shows otherwise".to_owned(),
                },
                None,
                None,
            ),
            Err(error) => (self.failed(change, &error), None, None),
        }
    }

    /// An answered refusal, and what it stops besides this change.
    fn failed(&self, change: &Change, error: &TargetError) -> Outcome {
        let mut stops = self.state.stops.lock().expect("no panic while the stops are held");
        match error.concerns {
            Concerns::Record => {}
            Concerns::ActionKind => {
                let kind = change.action.kind();
                stops.kinds.entry(kind).or_insert_with(|| {
                    format!(
                        "no {kind} was sent after TOPdesk refused one: {}; {}",
                        error.what, error.cure
                    )
                });
            }
            Concerns::Run => {
                stops
                    .run
                    .get_or_insert_with(|| format!("the run was stopped: {}; {}", error.what, error.cure));
            }
            Concerns::OperatorRight => {
                stops.operators = true;
                return Outcome::Held {
                    reason: HoldReason::OperatorArchiveRefused,
                };
            }
        }
        Outcome::NotDone {
            message: error.to_string(),
        }
    }

    /// What stopped the whole run, if anything did.
    pub fn stopped_by(&self) -> Option<String> {
        self.state
            .stops
            .lock()
            .expect("no panic while the stops are held")
            .run
            .clone()
    }
}

fn log_outcome(change: &Change, outcome: &Outcome) {
    let (item, action) = (change.id.as_str(), change.action.kind().name());
    let card = change.card.as_ref().map_or("", |card| card.as_str());
    match outcome {
        Outcome::Done { card: made } => {
            let card = made.as_ref().map_or(card, |card| card.as_str());
            match change.action.kind() {
                ActionKind::CreateEntry => tracing::info!(item.id = item, action, "done: {action}, item {item}"),
                _card => tracing::info!(item.id = item, action, card.id = card, "done: {action} of card {card}"),
            }
        }
        Outcome::NotDone { message } => tracing::warn!(
            item.id = item,
            action,
            card.id = card,
            "not done: {action} of card {card}: {message}"
        ),
        Outcome::InDoubt { message } => tracing::warn!(
            item.id = item,
            action,
            card.id = card,
            "in doubt: {action} of card {card}: {message}"
        ),
        Outcome::Held { reason } => {
            let why = reason.explain();
            tracing::warn!(
                item.id = item,
                action,
                card.id = card,
                "held: {action} of card {card}: {why}"
            );
        }
        Outcome::NotReached { message } => tracing::info!(
            item.id = item,
            action,
            card.id = card,
            "not reached: {action} of card {card}: {message}"
        ),
    }
}

/// The values that a step would leave on a card, for settling doubts.
pub fn shows_effect(step: &Step, card: &PersonCard) -> bool {
    match step {
        Step::ArchiveCard { .. } => card.archived,
        Step::UnarchiveCard { .. } => !card.archived,
        Step::PatchCard { fields, .. } => fields.iter().all(|change| {
            let pending = matches!(
                &change.to,
                Some(FieldValue::Reference(crate::domain::field::Reference::Pending(_)))
            );
            pending || crate::domain::diff::same(card.fields.get(change.field), change.to.as_ref(), change.field.kind())
        }),
        Step::CreateEntry { .. } | Step::CreateCard { .. } => true,
    }
}
