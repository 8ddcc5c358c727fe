//! A change of several requests: looks again between them, and whatever happens drives it to its declared safe end first
//! (RULES 10). A later run never continues it: what was left is planned anew.

use super::Applier;
use super::drive::{AtRest, Driven};
use super::one_change::{Hurry, Sending};
use crate::core::model::ids::{ItemId, OperatorId};
use crate::core::plan::report::{ChangeOutcome, Outcome};
use crate::core::plan::safe_end::{SafeEnd, Seen};
use crate::core::plan::{Change, HoldReason, Step};
use crate::engine::state::{Halfway, OpenIntent, StateWriter, StoreError};
use crate::engine::stopping::unless_stopped;
use crate::engine::target::{TargetError, TargetReader, TargetWriter};

/// What was completed before anything else.
#[derive(Default)]
pub struct Completed {
    /// What was finished, put back, or is still half-way, with why.
    pub outcomes: Vec<ChangeOutcome>,
    /// Put back because TOPdesk refused the rest: it is not tried again unasked.
    pub refused: Vec<(ItemId, HoldReason)>,
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
        let mut cards_before = Vec::new();
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
            if !begun {
                cards_before.clone_from(&seen.cards);
            }
            let sending = Sending {
                cards_before: &cards_before,
                ..*sending
            };
            let before = step.card().and_then(|id| seen.card(id));
            let outcome = self
                .request(&sending, index, step, before, Hurry::UnlessStopped)
                .await?;
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
                Outcome::NotReached { .. } | Outcome::HalfWay { .. } | Outcome::PutBack { .. } => {
                    trouble = Some(outcome);
                    break;
                }
            }
        }
        let sending = &Sending {
            cards_before: &cards_before,
            ..*sending
        };
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
        Ok(asleep.unwrap_or_else(|| told_with(change, trouble, driven)))
    }

    /// Every request was answered; whether each operator is as it was to be, a last look says.
    async fn looked_after(&self, sending: &Sending<'_, W>, first_index: usize) -> Result<Outcome, StoreError> {
        let driven = self.drive(sending, &[], None, first_index).await?;
        Ok(match driven {
            // What could not be read stays half-way: the next run looks first.
            Driven::Whole | Driven::Finished | Driven::Unseen(_) => Outcome::Done {
                card: sending.change.card.clone(),
            },
            Driven::Safe(_) | Driven::NotYet(_) => {
                let message = "every request was answered, and a look afterwards does not show it".to_owned();
                told_with(sending.change, Outcome::NotDone { message }, driven)
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
                cards_before,
            } = half;
            let of_half = |intent: &&&OpenIntent| intent.run == *run && intent.change.id == change.id;
            let lost: Vec<&Step> = open.iter().filter(of_half).map(|intent| &intent.step).collect();
            let sending = Sending {
                run,
                plan,
                change,
                writer: self.writer,
                operators_before,
                cards_before,
                decision: None,
            };
            let driven = self.drive(&sending, &lost, None, change.steps().len()).await?;
            if let Ok(seen) = self.look(change).await {
                completed.seen.push(seen);
            }
            let item = change.id.as_str();
            let outcome = match driven {
                Driven::Whole => {
                    tracing::info!(item.id = item, "item {item}, cut off in run {run}, turned out whole");
                    continue;
                }
                Driven::Safe(AtRest {
                    stands, wrote: false, ..
                }) => {
                    let stands = stands.map_or(String::new(), |stands| format!(": {stands}"));
                    tracing::warn!(
                        item.id = item,
                        "item {item}, cut off in run {run}, is at its safe end{stands}"
                    );
                    continue;
                }
                Driven::Finished => Outcome::Done {
                    card: change.card.clone(),
                },
                Driven::Safe(AtRest { stands, refused, .. }) => {
                    let how = stands.or_else(|| refused.clone());
                    let how = how.map_or(String::new(), |how| format!(": {how}"));
                    let reason = refused.map(|what| HoldReason::DrivenBack { what });
                    completed
                        .refused
                        .extend(reason.map(|reason| (change.id.clone(), reason)));
                    Outcome::PutBack {
                        message: format!("cut off half-way in run {run}, and put back{how}"),
                    }
                }
                Driven::NotYet(why) | Driven::Unseen(why) => Outcome::HalfWay {
                    message: format!("cut off half-way in run {run}: {why}"),
                },
            };
            self.log_outcome(change, &outcome);
            completed.outcomes.push(ChangeOutcome {
                item: change.id.clone(),
                action: change.action.kind(),
                key: change.key.clone(),
                card: change.card.clone(),
                operators: self.state.operators().remove(&change.id).unwrap_or_default(),
                outcome,
            });
        }
        Ok(completed)
    }

    /// Which operators are not as they were before the change, for its outcome.
    pub(super) fn note_operators(&self, sending: &Sending<'_, W>, seen: &Seen) {
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
    pub(super) async fn look(&self, change: &Change) -> Result<Seen, TargetError> {
        let mut seen = Seen::default();
        for id in change.cards() {
            seen.cards.extend(self.reader.read_card(id, &self.fields).await?);
            seen.operators.extend(self.reader.read_operators_of(id).await?);
        }
        Ok(seen)
    }
}

pub(super) fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { .. } => "done".to_owned(),
        Outcome::NotDone { message }
        | Outcome::InDoubt { message }
        | Outcome::NotReached { message }
        | Outcome::HalfWay { message }
        | Outcome::PutBack { message } => message.clone(),
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
pub(super) fn where_it_stands(change: &Change, seen: &Seen) -> Option<String> {
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

/// The outcome of a change that was begun and met trouble.
fn told_with(change: &Change, trouble: Outcome, driven: Driven) -> Outcome {
    let what = words(&trouble);
    match (trouble, driven) {
        (_, Driven::Finished) => Outcome::Done {
            card: change.card.clone(),
        },
        (Outcome::InDoubt { message }, Driven::Whole | Driven::Safe(_)) => Outcome::InDoubt { message },
        (Outcome::InDoubt { .. }, Driven::NotYet(why) | Driven::Unseen(why)) => Outcome::InDoubt {
            message: format!("{what}; half-way: {why}"),
        },
        (Outcome::NotReached { .. }, Driven::Whole) => Outcome::NotReached {
            message: format!("{what}; what had been begun was driven to its safe end"),
        },
        (Outcome::NotReached { .. }, Driven::Safe(AtRest { stands, .. })) => {
            let stands = stands.map_or(String::new(), |stands| format!(": {stands}"));
            Outcome::NotReached {
                message: format!("{what}; what had been begun was driven to its safe end{stands}"),
            }
        }
        (_, Driven::Safe(AtRest { stands, .. })) => {
            let stands = stands.map_or(String::new(), |stands| format!(" ({stands})"));
            Outcome::Held {
                reason: HoldReason::DrivenBack {
                    what: format!("{what}{stands}"),
                },
            }
        }
        (_, Driven::Whole) => Outcome::Held {
            reason: HoldReason::DrivenBack { what },
        },
        // The way back may have been refused for the same reason, and says so.
        (_, Driven::NotYet(why) | Driven::Unseen(why)) if why.contains(&what) => Outcome::HalfWay { message: why },
        (_, Driven::NotYet(why) | Driven::Unseen(why)) => Outcome::HalfWay {
            message: format!("{what}; its safe end is not reached, the next run begins with that: {why}"),
        },
    }
}
