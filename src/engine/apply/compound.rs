//! A change of several requests: looks again between them, and whatever happens drives it to its declared safe end first
//! (RULES 10). A later run never continues it: what was left is planned anew.

use super::Applier;
use super::one_change::{Hurry, Sending};
use crate::domain::ids::OperatorId;
use crate::domain::plan::{Change, HoldReason, Step};
use crate::domain::report::{ChangeOutcome, Outcome};
use crate::domain::safe_end::Seen;
use crate::engine::state::{Halfway, OpenIntent, StateWriter, StoreError};
use crate::engine::stopping::{WRITE_GRACE, unless_stopped, with_grace};
use crate::engine::target::{TargetError, TargetReader, TargetWriter};

/// Where a half-done change was brought.
enum Driven {
    /// Everything that it was to do shows after all.
    Whole,
    Safe,
    /// Not there yet: the next start goes on from here. Says why.
    NotYet(String),
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
                Outcome::NotDone { .. } | Outcome::Held { .. } | Outcome::NotReached { .. } => {
                    trouble = Some(outcome);
                    break;
                }
            }
        }
        let Some(trouble) = trouble else {
            self.store.closed(self.lease, sending.run, &change.id).await?;
            return Ok(done);
        };
        if !begun {
            // Nothing was done: there is no half.
            self.store.closed(self.lease, sending.run, &change.id).await?;
            return Ok(trouble);
        }
        let driven = self.drive(sending, &lost, steps.len()).await?;
        Ok(told_with(trouble, driven))
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
            let driven = self.drive(&sending, &lost, change.steps().len()).await?;
            if let Ok(seen) = self.look(change).await {
                completed.seen.push(seen);
            }
            let item = change.id.as_str();
            match driven {
                Driven::Whole => tracing::info!(item.id = item, "item {item}, cut off in run {run}, turned out whole"),
                Driven::Safe => {
                    tracing::warn!(
                        item.id = item,
                        "item {item}, cut off in run {run}, was driven to its safe end"
                    );
                }
                Driven::NotYet(why) => {
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
    async fn drive(&self, sending: &Sending<'_, W>, lost: &[&Step], first_index: usize) -> Result<Driven, StoreError> {
        let change = sending.change;
        let seen = match with_grace(self.stop, WRITE_GRACE, self.look(change)).await {
            Some(Ok(seen)) => seen,
            Some(Err(error)) => return Ok(Driven::NotYet(error.to_string())),
            None => return Ok(Driven::NotYet("its cards could not be read in time".to_owned())),
        };
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
        for (number, step) in end.steps(&seen).iter().enumerate() {
            let before = step.card().and_then(|id| seen.card(id));
            let index = first_index + number;
            let outcome = self.request(sending, index, step, before, Hurry::StoppedOrNot).await?;
            if !matches!(outcome, Outcome::Done { .. }) {
                return Ok(Driven::NotYet(words(&outcome)));
            }
        }
        if !lost.is_empty() {
            return Ok(Driven::NotYet(
                "its safe end shows, but a request whose answer was lost may still land".to_owned(),
            ));
        }
        self.store.closed(self.lease, sending.run, &change.id).await?;
        Ok(Driven::Safe)
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

/// The outcome of a change that was begun and not finished.
fn told_with(trouble: Outcome, driven: Driven) -> Outcome {
    let what = words(&trouble);
    match (trouble, driven) {
        (Outcome::InDoubt { message }, Driven::Whole | Driven::Safe) => Outcome::InDoubt { message },
        (Outcome::InDoubt { .. }, Driven::NotYet(why)) => Outcome::InDoubt {
            message: format!("{what}; half-way: {why}"),
        },
        (Outcome::NotReached { .. }, Driven::Safe | Driven::Whole) => Outcome::NotReached {
            message: format!("{what}; what had been begun was driven to its safe end"),
        },
        (Outcome::NotDone { .. } | Outcome::Held { .. } | Outcome::Done { .. }, Driven::Safe | Driven::Whole) => {
            Outcome::Held {
                reason: HoldReason::DrivenBack { what },
            }
        }
        (
            Outcome::NotReached { .. } | Outcome::NotDone { .. } | Outcome::Held { .. } | Outcome::Done { .. },
            Driven::NotYet(why),
        ) => Outcome::NotDone {
            message: format!("{what}; its safe end is not reached, the next run begins with that: {why}"),
        },
    }
}
