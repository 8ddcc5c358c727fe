//! What an answer means: the outcome of a request, what it made, and whether it is sent again.

use super::Applier;
use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::ids::{CardId, OperatorId};
use crate::core::plan::report::Outcome;
use crate::core::plan::{Action, ActionKind, Change, HoldReason, Step};
use crate::engine::state::StateWriter;
use crate::engine::stopping::{READ_GRACE, WRITE_GRACE, unless_stopped, with_grace};
use crate::engine::target::{Concerns, IntentId, TargetError, TargetReader, TargetWriter, WriteError, Written};
use std::collections::BTreeSet;
use std::time::Duration;

/// Attempts for a request that TOPdesk answered with 'later' (429, 503): each has an intent of its own.
const MOST_ATTEMPTS: u32 = 4;

/// First wait before another attempt where TOPdesk does not say how long; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Longest `Retry-After` that is waited for: the rest is for the next run then.
const LONGEST_ASKED: Duration = Duration::from_secs(120);

/// How a request ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// The card after it.
    pub(super) after: Option<PersonCard>,
    /// It may be sent again after this time.
    pub(super) again: Option<Duration>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            after: None,
            again: None,
        }
    }
}

/// Up to a quarter longer, by chance: what was refused together does not come back together.
fn with_chance(wait: Duration) -> Duration {
    let chance = uuid::Uuid::new_v4().as_fields().0;
    wait + wait.mul_f64(0.25 * f64::from(chance) / f64::from(u32::MAX))
}

fn unclear(message: &str) -> Ended {
    Outcome::InDoubt {
        message: message.to_owned(),
    }
    .into()
}

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Sends once. After a stop was asked for, the answer is waited for a little longer; then it is in doubt.
    pub(super) async fn send<'w>(
        &self,
        writer: &'w W,
        turn: W::Turn<'w>,
        intent: IntentId,
        step: &Step,
    ) -> Result<Written, WriteError> {
        let made = self.state.made().needed_by(step);
        let sending = writer.send(turn, intent, step, &made);
        with_grace(self.stop, WRITE_GRACE, sending).await.unwrap_or_else(|| {
            let what = "cardsync was told to stop and the answer had not come";
            let cure = "it may have been done: the next run settles it by reading";
            Err(WriteError::InDoubt(TargetError::new(Concerns::Record, what, cure)))
        })
    }

    /// What an answer means.
    pub(super) async fn ended(
        &self,
        change: &Change,
        step: &Step,
        operators_before: &[OperatorCard],
        sent: Result<Written, WriteError>,
        attempt: u32,
    ) -> Ended {
        match sent {
            Ok(Written::Entry(id)) => {
                self.answered();
                self.state.made().entries.insert(change.id.clone(), id);
                Outcome::Done { card: None }.into()
            }
            Ok(Written::Card(card)) => {
                self.answered();
                let card = self.made(change, step, operators_before, *card).await;
                Ended {
                    outcome: Outcome::Done {
                        card: Some(card.id.clone()),
                    },
                    after: Some(card),
                    again: None,
                }
            }
            Ok(Written::Operator(operator)) => {
                self.answered();
                self.operator_done(change, step, &operator).await
            }
            Err(WriteError::AlreadyThere) => {
                self.answered();
                self.already_there(change, step, operators_before).await
            }
            Err(WriteError::NotDone(error)) if error.retryable => self.later(change, &error, attempt),
            Err(WriteError::NotDone(error)) => {
                self.answered();
                self.failed(change, &error).into()
            }
            Err(WriteError::InDoubt(error)) => {
                self.lost(&error);
                // What answered was not TOPdesk: nothing more is sent to it.
                if error.concerns == Concerns::Run {
                    self.stop_run(format!("the run was stopped: {}; {}", error.what, error.cure));
                }
                Outcome::InDoubt {
                    message: error.to_string(),
                }
                .into()
            }
        }
    }

    /// TOPdesk did not take it: too busy, in maintenance, or no connection came about.
    fn later(&self, change: &Change, error: &TargetError, attempt: u32) -> Ended {
        let not_done = Outcome::NotDone {
            message: error.to_string(),
        };
        if error.retry_after.is_some_and(|asked| asked > LONGEST_ASKED) {
            self.stop_run(format!(
                "the run was stopped, TOPdesk asks to wait for {} s: {}; {}",
                error.retry_after.unwrap_or_default().as_secs(),
                error.what,
                error.cure
            ));
            return not_done.into();
        }
        if attempt < MOST_ATTEMPTS {
            let own = with_chance(FIRST_WAIT * 2_u32.pow(attempt - 1));
            return Ended {
                again: Some(error.retry_after.unwrap_or(own)),
                ..not_done.into()
            };
        }
        self.lost(error);
        // No connection concerns the whole run to the client; whether it is so, the row of lost requests decides.
        let error = TargetError {
            concerns: Concerns::Record,
            ..error.clone()
        };
        self.failed(change, &error).into()
    }

    /// Keeps what the write made. Archive and unarchive answer in another form: the card is read again for its
    /// modification date, by which our archive is known later, and its operators, because nobody documents for
    /// certain what becomes of them.
    async fn made(
        &self,
        change: &Change,
        step: &Step,
        operators_before: &[OperatorCard],
        answered: PersonCard,
    ) -> PersonCard {
        let card = match step {
            Step::ArchiveCard { card, .. } | Step::UnarchiveCard { card } => {
                let read = with_grace(self.stop, READ_GRACE, self.reader.read_card(card, &self.fields)).await;
                let read = read.and_then(Result::ok).flatten();
                self.operators_after(change, card, operators_before).await;
                read.unwrap_or(answered)
            }
            Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::PatchCard { .. }
            | Step::ArchiveOperator { .. }
            | Step::UnarchiveOperator { .. }
            | Step::SetLoginPermission { .. } => answered,
        };
        if change.action.kind() == ActionKind::Create {
            self.state.made().cards.insert(change.id.clone(), card.id.clone());
        }
        self.state.cards().insert(card.id.clone(), card.clone());
        card
    }

    /// Which linked operators the change archived or woke, as they are read now; where they cannot be read, as assumed.
    async fn operators_after(&self, change: &Change, card: &CardId, before: &[OperatorCard]) {
        if before.is_empty() && change.operators_affected() == 0 {
            return;
        }
        let read = with_grace(self.stop, READ_GRACE, self.reader.read_operators_of(card)).await;
        let moved: Vec<OperatorId> = match read {
            Some(Ok(after)) => {
                self.note_left_active(change, &after);
                let was: BTreeSet<(&OperatorId, bool)> = before.iter().map(|it| (&it.id, it.archived)).collect();
                let moved = after.iter().filter(|it| !was.contains(&(&it.id, it.archived)));
                moved.map(|it| it.id.clone()).collect()
            }
            Some(Err(_)) | None => {
                tracing::warn!(
                    item.id = change.id.as_str(),
                    card.id = card.as_str(),
                    "the operators of card {card} could not be read after the write; they are counted as assumed"
                );
                let archives = change.action.kind() == ActionKind::Archive;
                let concerned = before.iter().filter(|it| it.archived != archives);
                concerned.map(|it| it.id.clone()).collect()
            }
        };
        let verb = if change.action.kind() == ActionKind::Unarchive {
            "woke"
        } else {
            "was archived"
        };
        for operator in &moved {
            tracing::warn!(
                item.id = change.id.as_str(),
                card.id = card.as_str(),
                operator.id = operator.as_str(),
                "operator {operator} {verb} with card {card}"
            );
        }
        if !moved.is_empty() {
            self.state.operators().insert(change.id.clone(), moved);
        }
    }

    /// Which operators are active after an archive that was to take them along.
    fn note_left_active(&self, change: &Change, after: &[OperatorCard]) {
        if change.action.kind() != ActionKind::Archive {
            return;
        }
        let active = after.iter().filter(|operator| !operator.archived);
        let left: Vec<OperatorId> = active.map(|operator| operator.id.clone()).collect();
        let mut known = self.state.left_active();
        if left.is_empty() {
            known.remove(&change.id);
        } else {
            known.insert(change.id.clone(), left);
        }
    }

    /// What an archive was said to do to operators is looked at after it: one that is active all the same is somebody's
    /// business, in this run and in every later one.
    pub(super) async fn as_said(&self, change: &Change, outcome: Outcome) -> Outcome {
        let (Outcome::Done { .. }, Action::Archive { apart, .. }, Some(card)) =
            (&outcome, &change.action, &change.card)
        else {
            return outcome;
        };
        if apart.left_behind
            && let Some(Ok(after)) = with_grace(self.stop, READ_GRACE, self.reader.read_operators_of(card)).await
        {
            self.note_left_active(change, &after);
        }
        match self.state.left_active().remove(&change.id) {
            Some(operators) => Outcome::Held {
                reason: HoldReason::OperatorStaysActive { operators },
            },
            None => outcome,
        }
    }

    /// 'Already archived' or 'already active' is a success once a read confirms it.
    async fn already_there(&self, change: &Change, step: &Step, operators_before: &[OperatorCard]) -> Ended {
        let (id, archived) = match step {
            Step::ArchiveCard { card, .. } => (card, true),
            Step::UnarchiveCard { card } => (card, false),
            Step::ArchiveOperator { operator, .. } | Step::UnarchiveOperator { operator } => {
                return self.operator_already_there(change, step, operator).await;
            }
            Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::PatchCard { .. }
            | Step::SetLoginPermission { .. } => {
                return Outcome::NotDone {
                    message: "TOPdesk says that it is done already".to_owned(),
                }
                .into();
            }
        };
        match with_grace(self.stop, READ_GRACE, self.reader.read_card(id, &self.fields)).await {
            Some(Ok(Some(card))) if card.archived == archived => {
                let card = self.made(change, step, operators_before, card).await;
                Ended {
                    outcome: Outcome::Done {
                        card: Some(card.id.clone()),
                    },
                    after: Some(card),
                    again: None,
                }
            }
            Some(Ok(_)) => unclear("TOPdesk says that it is done already, but the card shows otherwise"),
            Some(Err(_)) | None => {
                unclear("TOPdesk says that it is done already, and the card could not be read; the next run does")
            }
        }
    }

    /// Keeps what a write to an operator did. An operator that wakes brings its person card along, which is read again.
    async fn operator_done(&self, change: &Change, step: &Step, operator: &OperatorCard) -> Ended {
        let moved = match step {
            Step::ArchiveOperator { .. } | Step::UnarchiveOperator { .. } => true,
            Step::SetLoginPermission { .. }
            | Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::PatchCard { .. }
            | Step::ArchiveCard { .. }
            | Step::UnarchiveCard { .. } => false,
        };
        if moved {
            let mut known = self.state.operators();
            let of_item = known.entry(change.id.clone()).or_default();
            if !of_item.contains(&operator.id) {
                of_item.push(operator.id.clone());
            }
        }
        let mut after = None;
        if let (Step::UnarchiveOperator { .. }, Some(card)) = (step, &change.card) {
            let read = with_grace(self.stop, READ_GRACE, self.reader.read_card(card, &self.fields)).await;
            after = read.and_then(Result::ok).flatten();
            self.state
                .cards()
                .extend(after.iter().map(|card| (card.id.clone(), card.clone())));
        }
        Ended {
            outcome: Outcome::Done {
                card: change.card.clone(),
            },
            after,
            again: None,
        }
    }

    /// The same for an operator that TOPdesk says is archived, or active, already.
    async fn operator_already_there(&self, change: &Change, step: &Step, operator: &OperatorId) -> Ended {
        match with_grace(self.stop, READ_GRACE, self.reader.read_operator(operator)).await {
            Some(Ok(Some(now))) if step.shows_in(&now) == Some(true) => self.operator_done(change, step, &now).await,
            Some(Ok(_)) => unclear("TOPdesk says that it is done already, but the operator shows otherwise"),
            Some(Err(_)) | None => {
                unclear("TOPdesk says that it is done already, and the operator could not be read; the next run does")
            }
        }
    }

    /// Waits before another attempt; false when a stop was asked for meanwhile.
    pub(super) async fn wait(&self, wait: Duration) -> bool {
        unless_stopped(self.stop, tokio::time::sleep(wait)).await.is_some()
    }

    /// The turn of the next request; `None` when a stop was asked for meanwhile.
    pub(super) async fn turn<'w>(&self, writer: &'w W) -> Option<W::Turn<'w>> {
        unless_stopped(self.stop, writer.turn()).await
    }
}
