//! A change of several requests: looks again between them, and whatever happens drives it to its declared safe end first
//! (RULES 10). A later run never continues it: what was left is planned anew.

use super::Applier;
use super::one_change::{Hurry, Sending};
use super::stops::of_record;
use crate::domain::ids::OperatorId;
use crate::domain::plan::{Change, HoldReason, Step};
use crate::domain::report::{ChangeOutcome, Outcome};
use crate::domain::safe_end::{SafeEnd, Seen};
use crate::engine::state::{Halfway, OpenIntent, StateWriter, StoreError};
use crate::engine::stopping::{WRITE_GRACE, unless_stopped, with_grace};
use crate::engine::target::{TargetError, TargetReader, TargetWriter};

/// Where a half-done change was brought.
enum Driven {
    /// Everything that it was to do shows after all.
    Whole,
    /// Where operators are concerned: how the card and they are now.
    Safe(Option<String>),
    /// Not there yet: the next start goes on from here. Says why.
    NotYet(String),
    /// Nobody knows: its cards could not be read. The next start looks first.
    Unseen(String),
}

/// What was completed before anything else.
#[derive(Default)]
pub struct Completed {
    /// What is still half-way, with why.
    pub left: Vec<ChangeOutcome>,
    /// The cards and operators of all of them, as they are now.
    pub seen: Vec<Seen>,
}

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Sends the requests of a change one after the other; what shows already is not sent.
    pub(super) async fn compound(&self, sending: &Sending<'_, W>) -> Result<Outcome, StoreError> {
        let change = sending.change;
        let done = Outcome::Done {
            card: change.card.clone(),
        };
        let steps = change.steps();
        let mut begun = false;
        let mut lost = Vec::new();
        let mut trouble = None;
        let mut refused = None;
        for (index, step) in steps.iter().enumerate() {
            let seen = match unless_stopped(self.stop, self.look(change)).await {
                Some(Ok(seen)) => seen,
                Some(Err(error)) => {
                    trouble = Some(self.unread(change, &error));
                    break;
                }
                None => {
                    trouble = Some(super::stops::told());
                    break;
                }
            };
            if seen.shows(step) {
                continue;
            }
            let before = step.card().and_then(|id| seen.card(id));
            let outcome = self.request(sending, index, step, before, Hurry::UnlessStopped).await?;
            match outcome {
                Outcome::Done { .. } => begun = true,
                Outcome::InDoubt { .. } => {
                    begun = true;
                    lost.push(step);
                    trouble = Some(outcome);
                    break;
                }
                Outcome::NotDone { .. } | Outcome::Held { .. } => {
                    refused = Some((step, outcome.clone()));
                    trouble = Some(outcome);
                    break;
                }
                Outcome::NotReached { .. } => {
                    trouble = Some(outcome);
                    break;
                }
            }
        }
        let Some(trouble) = trouble else {
            if change.safe_end().is_of_operators() {
                return self.looked_after(sending, steps.len()).await;
            }
            self.store.closed(self.lease, sending.run, &change.id).await?;
            return Ok(done);
        };
        if !begun {
            // Nothing was done: there is no half.
            self.store.closed(self.lease, sending.run, &change.id).await?;
            return Ok(trouble);
        }
        let driven = self.drive(sending, &lost, refused.as_ref(), steps.len()).await?;
        let asleep = refused.and_then(|(step, outcome)| not_woken(step, &outcome, &driven));
        Ok(asleep.unwrap_or_else(|| told_with(trouble, driven)))
    }

    /// Every request was answered; whether each operator is as it was to be, a last look says.
    async fn looked_after(&self, sending: &Sending<'_, W>, first_index: usize) -> Result<Outcome, StoreError> {
        let driven = self.drive(sending, &[], None, first_index).await?;
        Ok(match driven {
            // What could not be read stays half-way: the next run looks first.
            Driven::Whole | Driven::Unseen(_) => Outcome::Done {
                card: sending.change.card.clone(),
            },
            Driven::Safe(_) | Driven::NotYet(_) => {
                let message = "every request was answered, and a look afterwards does not show it".to_owned();
                told_with(Outcome::NotDone { message }, driven)
            }
        })
    }

    /// Completes what earlier runs left half-way, before anything else is sent. `open`: their requests of which nobody
    /// knows the outcome.
    pub(in crate::engine) async fn complete(
        &self,
        halves: &[Halfway],
        open: &[&OpenIntent],
    ) -> Result<Completed, StoreError> {
        let mut completed = Completed::default();
        for half in halves {
            let Halfway {
                run,
                plan,
                change,
                operators_before,
            } = half;
            let of_half = |intent: &&&OpenIntent| intent.run == *run && intent.change.id == change.id;
            let lost: Vec<&Step> = open.iter().filter(of_half).map(|intent| &intent.step).collect();
            let sending = Sending {
                run,
                plan,
                change,
                writer: self.writer,
                operators_before,
                decision: None,
            };
            let driven = self.drive(&sending, &lost, None, change.steps().len()).await?;
            if let Ok(seen) = self.look(change).await {
                completed.seen.push(seen);
            }
            let item = change.id.as_str();
            match driven {
                Driven::Whole => tracing::info!(item.id = item, "item {item}, cut off in run {run}, turned out whole"),
                Driven::Safe(stands) => {
                    let stands = stands.map_or(String::new(), |stands| format!(": {stands}"));
                    tracing::warn!(
                        item.id = item,
                        "item {item}, cut off in run {run}, was driven to its safe end{stands}"
                    );
                }
                Driven::NotYet(why) | Driven::Unseen(why) => {
                    tracing::warn!(
                        item.id = item,
                        "item {item}, cut off in run {run}, is still half-way: {why}"
                    );
                    completed.left.push(ChangeOutcome {
                        item: change.id.clone(),
                        action: change.action.kind(),
                        key: change.key.clone(),
                        card: change.card.clone(),
                        operators: Vec::<OperatorId>::new(),
                        outcome: Outcome::NotDone {
                            message: format!("cut off half-way in run {run}: {why}"),
                        },
                    });
                }
            }
        }
        Ok(completed)
    }

    /// Drives a half-done change to its safe end, also after a stop. What is in doubt keeps it half-way until a read has
    /// settled that.
    async fn drive(
        &self,
        sending: &Sending<'_, W>,
        lost: &[&Step],
        refused: Option<&(&Step, Outcome)>,
        first_index: usize,
    ) -> Result<Driven, StoreError> {
        let change = sending.change;
        let mut seen = match with_grace(self.stop, WRITE_GRACE, self.look(change)).await {
            Some(Ok(seen)) => seen,
            Some(Err(error)) => return Ok(Driven::Unseen(error.to_string())),
            None => return Ok(Driven::Unseen("its cards could not be read in time".to_owned())),
        };
        self.note_operators(sending, &seen);
        if seen.shows_all(change) {
            self.store.closed(self.lease, sending.run, &change.id).await?;
            return Ok(Driven::Whole);
        }
        let end = change.safe_end();
        if lost.iter().any(|step| end.waits_for(step)) {
            return Ok(Driven::NotYet(
                "a request whose answer was lost may still land; a read at least 10 minutes later settles it"
                    .to_owned(),
            ));
        }
        let steps = end.steps(&seen);
        let mut last = None;
        for (number, step) in steps.iter().enumerate() {
            let outcome = match refused {
                // It would be refused again.
                Some((known, outcome)) if *known == step => outcome.clone(),
                Some(_) | None => {
                    let before = step.card().and_then(|id| seen.card(id));
                    let index = first_index + number;
                    self.request(sending, index, step, before, Hurry::StoppedOrNot).await?
                }
            };
            match outcome {
                Outcome::Done { .. } => {}
                Outcome::NotDone { .. } | Outcome::Held { .. } if end.last_resort(&seen).is_some() => {
                    last = end.last_resort(&seen).map(|step| (step, outcome));
                    break;
                }
                Outcome::NotDone { .. }
                | Outcome::Held { .. }
                | Outcome::InDoubt { .. }
                | Outcome::NotReached { .. } => return Ok(Driven::NotYet(words(&outcome))),
            }
        }
        if let Some((step, why)) = last {
            let index = first_index + steps.len();
            let before = step.card().and_then(|id| seen.card(id));
            let writer = if end.is_of_operators() {
                self.last_resort_writer()
            } else {
                Ok(sending.writer)
            };
            let outcome = match writer {
                Ok(writer) => {
                    let sending = Sending { writer, ..*sending };
                    self.request(&sending, index, &step, before, Hurry::StoppedOrNot)
                        .await?
                }
                Err(error) => self.failed(change, &of_record(error)),
            };
            if !matches!(outcome, Outcome::Done { .. }) {
                let (why, nor) = (words(&why), words(&outcome));
                return Ok(Driven::NotYet(if end.is_of_operators() {
                    format!(
                        "AN OPERATOR IS AWAKE that was to stay archived, archive it in TOPdesk: {why}; nor was the card \
                         archived again: {nor}"
                    )
                } else {
                    format!(
                        "two cards have one number, put each number on its own card in TOPdesk: {why}; nor could the first be \
                         put back: {nor}"
                    )
                }));
            }
        }
        if end.is_of_operators() && !steps.is_empty() {
            seen = match with_grace(self.stop, WRITE_GRACE, self.look(change)).await {
                Some(Ok(seen)) => seen,
                Some(Err(error)) => return Ok(Driven::NotYet(error.to_string())),
                None => return Ok(Driven::NotYet("its operators could not be read in time".to_owned())),
            };
            self.note_operators(sending, &seen);
            if !end.steps(&seen).is_empty() {
                return Ok(Driven::NotYet(
                    "an operator that was to stay archived is still active; archive it in TOPdesk".to_owned(),
                ));
            }
        }
        if !lost.is_empty() {
            return Ok(Driven::NotYet(
                "its safe end shows, but a request whose answer was lost may still land".to_owned(),
            ));
        }
        self.store.closed(self.lease, sending.run, &change.id).await?;
        Ok(Driven::Safe(where_it_stands(change, &seen)))
    }

    /// Which operators are not as they were before the change, for its outcome.
    fn note_operators(&self, sending: &Sending<'_, W>, seen: &Seen) {
        if !sending.change.safe_end().is_of_operators() {
            return;
        }
        let before = sending.operators_before;
        let moved = seen.operators.iter().filter(|now| {
            let was = before.iter().find(|was| was.id == now.id);
            was.is_some_and(|was| was.archived != now.archived)
        });
        let moved: Vec<OperatorId> = moved.map(|operator| operator.id.clone()).collect();
        self.state.operators().insert(sending.change.id.clone(), moved);
    }

    /// The cards of a change and their operators, now.
    async fn look(&self, change: &Change) -> Result<Seen, TargetError> {
        let mut seen = Seen::default();
        for id in change.cards() {
            seen.cards.extend(self.reader.read_card(id, &self.fields).await?);
            seen.operators.extend(self.reader.read_operators_of(id).await?);
        }
        Ok(seen)
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { .. } => "done".to_owned(),
        Outcome::NotDone { message } | Outcome::InDoubt { message } | Outcome::NotReached { message } => {
            message.clone()
        }
        Outcome::Held { reason } => reason.explain(),
    }
}

/// An operator that was to wake and may not: its card is active all the same, and nothing had to be driven back.
fn not_woken(step: &Step, outcome: &Outcome, driven: &Driven) -> Option<Outcome> {
    match (step, outcome, driven) {
        (
            Step::UnarchiveOperator { operator },
            Outcome::Held {
                reason: HoldReason::OperatorArchiveRefused,
            },
            Driven::Safe(_),
        ) => Some(Outcome::Held {
            reason: HoldReason::OperatorWakeRefused {
                operator: operator.clone(),
            },
        }),
        _other => None,
    }
}

/// How the card and its operators are after a change that is about them.
fn where_it_stands(change: &Change, seen: &Seen) -> Option<String> {
    let logins = match change.safe_end() {
        SafeEnd::Asleep { .. } => false,
        SafeEnd::AsItStands => true,
        SafeEnd::SingleRequest | SafeEnd::OneOwner { .. } | SafeEnd::Exchanged { .. } | SafeEnd::Archived { .. } => {
            return None;
        }
    };
    let state = |archived: bool| if archived { "archived" } else { "active" };
    let cards = seen
        .cards
        .iter()
        .map(|card| format!("the card is {}", state(card.archived)));
    let operators = seen.operators.iter().map(|operator| {
        let login = match operator.login_permission {
            Some(false) if logins => " and may not log in",
            Some(_) | None => "",
        };
        format!("operator {} is {}{login}", operator.id, state(operator.archived))
    });
    let all: Vec<String> = cards.chain(operators).collect();
    Some(all.join(", "))
}

/// The outcome of a change that was begun and not finished.
fn told_with(trouble: Outcome, driven: Driven) -> Outcome {
    let what = words(&trouble);
    match (trouble, driven) {
        (Outcome::InDoubt { message }, Driven::Whole | Driven::Safe(_)) => Outcome::InDoubt { message },
        (Outcome::InDoubt { .. }, Driven::NotYet(why) | Driven::Unseen(why)) => Outcome::InDoubt {
            message: format!("{what}; half-way: {why}"),
        },
        (Outcome::NotReached { .. }, Driven::Safe(None) | Driven::Whole) => Outcome::NotReached {
            message: format!("{what}; what had been begun was driven to its safe end"),
        },
        (Outcome::NotReached { .. }, Driven::Safe(Some(stands))) => Outcome::NotReached {
            message: format!("{what}; what had been begun was driven to its safe end: {stands}"),
        },
        (Outcome::NotDone { .. } | Outcome::Held { .. } | Outcome::Done { .. }, Driven::Safe(stands)) => {
            let stands = stands.map_or(String::new(), |stands| format!(" ({stands})"));
            Outcome::Held {
                reason: HoldReason::DrivenBack {
                    what: format!("{what}{stands}"),
                },
            }
        }
        (Outcome::NotDone { .. } | Outcome::Held { .. } | Outcome::Done { .. }, Driven::Whole) => Outcome::Held {
            reason: HoldReason::DrivenBack { what },
        },
        (
            Outcome::NotReached { .. } | Outcome::NotDone { .. } | Outcome::Held { .. } | Outcome::Done { .. },
            Driven::NotYet(why) | Driven::Unseen(why),
        ) => Outcome::NotDone {
            message: format!("{what}; its safe end is not reached, the next run begins with that: {why}"),
        },
    }
}
