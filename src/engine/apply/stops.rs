//! What ends more than one change: a stop from outside, a refusal that meets all of a kind, a TOPdesk that is not there.

use super::Applier;
use crate::core::model::ids::ItemId;
use crate::core::plan::report::Outcome;
use crate::core::plan::{ActionKind, Change, HoldReason};
use crate::engine::target::{Concerns, TargetError};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Requests in a row that TOPdesk did not answer, or answered with 'later' to the last attempt: the run ends.
const MOST_LOST_IN_A_ROW: u64 = 3;

/// What was stopped on the way, and why.
#[derive(Default)]
pub(super) struct Stops {
    run: Option<String>,
    kinds: BTreeMap<ActionKind, String>,
    /// TOPdesk refused to archive, wake or change an operator once: no other is tried. What the hold says.
    operators: Option<HoldReason>,
}

impl Stops {
    /// Whether nothing more of this kind is sent.
    pub(super) fn has(&self, kind: ActionKind) -> bool {
        self.run.is_some() || self.kinds.contains_key(&kind)
    }
}

/// The outcome of a change that was not tried because of a stop from outside.
pub(super) fn told() -> Outcome {
    Outcome::NotReached {
        message: "cardsync was told to stop".to_owned(),
    }
}

impl<R, W, S> Applier<'_, R, W, S> {
    /// Why a change is not even tried: stopped, or what it needs was not done.
    pub(super) fn reason_to_wait(&self, change: &Change, before: &BTreeMap<ItemId, Outcome>) -> Option<Outcome> {
        if self.stop.is_cancelled() {
            return Some(told());
        }
        if self.ends_at.is_some_and(|end| Instant::now() >= end) {
            return Some(Outcome::NotReached {
                message: "the run has reached its time limit (topdesk.run_limit); the next run plans it again"
                    .to_owned(),
            });
        }
        let stops = self.state.stops();
        if let Some(message) = stops.run.as_ref().or_else(|| stops.kinds.get(&change.action.kind())) {
            return Some(Outcome::NotReached {
                message: message.clone(),
            });
        }
        let writes_operator = || change.steps().iter().any(|step| step.operator().is_some());
        if let Some(reason) = &stops.operators
            && (change.operators_affected() > 0 || writes_operator())
        {
            return Some(Outcome::Held { reason: reason.clone() });
        }
        let undone = change
            .depends_on
            .iter()
            .find(|needed| !matches!(before.get(*needed), Some(Outcome::Done { .. })))?;
        Some(Outcome::NotReached {
            message: format!("item {undone}, which it needs, was not done"),
        })
    }

    /// Ends the run; the first reason is kept.
    pub(super) fn stop_run(&self, message: String) {
        self.state.stops().run.get_or_insert(message);
    }

    /// Ends all of these kinds; the first reason of each is kept.
    pub(super) fn stop_kinds(&self, kinds: &[ActionKind], message: &str) {
        let mut stops = self.state.stops();
        for kind in kinds {
            stops.kinds.entry(*kind).or_insert_with(|| message.to_owned());
        }
    }

    /// A refusal, and what it stops besides this change.
    pub(super) fn failed(&self, change: &Change, error: &TargetError) -> Outcome {
        match error.concerns {
            Concerns::ArchivedCard if change.action.kind() == ActionKind::Anonymize => {
                return Outcome::Held {
                    reason: HoldReason::ArchivedCardRefused {
                        what: error.what.clone(),
                        operator: !change.is_compound(),
                    },
                };
            }
            Concerns::Record | Concerns::ArchivedCard => self.note_refusal(change, error),
            Concerns::ActionKind => {
                let kind = change.action.kind();
                self.state.stops().kinds.entry(kind).or_insert_with(|| {
                    format!(
                        "no {kind} was sent after TOPdesk refused one: {}; {}",
                        error.what, error.cure
                    )
                });
            }
            Concerns::Run => self.stop_run(format!("the run was stopped: {}; {}", error.what, error.cure)),
            Concerns::OperatorRight => return self.no_more_operators(HoldReason::OperatorArchiveRefused),
            Concerns::OperatorLoginRight => return self.no_more_operators(HoldReason::OperatorLoginRefused),
            Concerns::OperatorProtected => {
                return Outcome::Held {
                    reason: HoldReason::OperatorProtected,
                };
            }
        }
        Outcome::NotDone {
            message: error.to_string(),
        }
    }

    /// An answer that the same request will get again.
    fn note_refusal(&self, change: &Change, error: &TargetError) {
        let stays = !error.retryable && matches!(error.status, Some(400 | 403 | 404 | 409 | 422));
        if stays {
            self.state.refused().insert(change.id.clone());
        }
    }

    /// What was refused in an earlier run as well waits for a human, instead of being refused in every run.
    pub(super) fn refused_again(&self, change: &Change, outcome: Outcome) -> Outcome {
        let before = self.input.contact.refusals.times(change) > 0;
        match outcome {
            Outcome::NotDone { message } if before && self.state.refused().contains(&change.id) => Outcome::Held {
                reason: HoldReason::RefusedAgain { what: message },
            },
            other => other,
        }
    }

    /// The account has no right on operators: this one waits, and so does every other that would meet the same refusal.
    fn no_more_operators(&self, reason: HoldReason) -> Outcome {
        self.state.stops().operators.get_or_insert_with(|| reason.clone());
        Outcome::Held { reason }
    }

    /// A card that could not be read again. Where TOPdesk itself is well, that concerns this card only.
    pub(super) fn unread(&self, change: &Change, error: &TargetError) -> Outcome {
        if !error.retryable {
            return match error.status {
                Some(400 | 404 | 409 | 422) => self.failed(change, &of_record(error)),
                Some(_) | None => self.failed(change, error),
            };
        }
        self.lost(error);
        self.failed(change, &of_record(error))
    }

    /// Several requests in a row without an answer: TOPdesk is not there, the run ends.
    pub(super) fn lost(&self, error: &TargetError) {
        let lost = self.state.lost_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if lost >= MOST_LOST_IN_A_ROW {
            self.stop_run(format!(
                "stopped after {lost} requests in a row that TOPdesk did not carry out: {}; {}",
                error.what, error.cure
            ));
        }
    }

    /// TOPdesk answered: it is there.
    pub(super) fn answered(&self) {
        self.state.lost_in_a_row.store(0, Ordering::Relaxed);
    }

    /// What stopped the whole run, if anything did.
    pub fn stopped_by(&self) -> Option<String> {
        self.state.stops().run.clone()
    }
}

/// The same error, taken to concern one change only.
pub(super) fn of_record(error: &TargetError) -> TargetError {
    TargetError {
        concerns: Concerns::Record,
        ..error.clone()
    }
}
