//! One change: looks again where the rules say so, writes the intent, sends, writes the outcome (RULES 7.3, 10).

use super::stops::of_record;
use super::{Applier, stops};
use crate::domain::card::PersonCard;
use crate::domain::guard::{ApprovedChange, ApprovedPlan};
use crate::domain::plan::{ActionKind, CardTarget, Change, HoldReason, Step};
use crate::domain::report::Outcome;
use crate::engine::ledger_after::{Effect, after_done};
use crate::engine::recheck::{Recheck, changed_since};
use crate::engine::state::{Ending, Intent, StateWriter, StoreError};
use crate::engine::stopping::unless_stopped;
use crate::engine::target::{TargetError, TargetReader, TargetWriter};
use chrono::Duration;

/// A write based on a read older than this looks again first.
const STALE_READ: Duration = Duration::minutes(15);

/// A change that was refused for now stays so; one that was never sent was not reached.
fn outcome_when_stopped(last: Outcome, attempt: u32) -> Outcome {
    if attempt > 1 { last } else { stops::told() }
}

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Carries one change out.
    pub(super) async fn one(&self, plan: &ApprovedPlan, approved: &ApprovedChange) -> Result<Outcome, StoreError> {
        let change = approved.change();
        let known = self.known_card(change);
        let looked = unless_stopped(self.stop, self.recheck(approved, known.as_ref())).await;
        let (before, operators_before) = match looked {
            Some(Ok(Recheck::Same { card, operators })) => (card, operators),
            Some(Ok(Recheck::Changed(what))) => {
                return Ok(Outcome::Held {
                    reason: HoldReason::ChangedSinceJudged { what },
                });
            }
            Some(Err(error)) => return Ok(self.unread(change, &error)),
            None => return Ok(stops::told()),
        };
        let writer = match self.writer_of(approved) {
            Ok(writer) => writer,
            // The others do not need that account.
            Err(error) => return Ok(self.failed(change, &of_record(error))),
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
                let Some(turn) = self.turn(writer).await else {
                    break outcome_when_stopped(outcome, attempt);
                };
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
                let sent = self.send(writer, turn, intent, step).await;
                let ended = self.ended(change, step, &operators_before, sent, attempt).await;
                let at = self.clock.now();
                let learned = match &ended.outcome {
                    Outcome::Done { card } => after_done(&Effect {
                        change,
                        step,
                        after: ended.after.as_ref(),
                        operators_before: &operators_before,
                        known: card.as_ref().and_then(|card| self.ledger.get(card)),
                        run: self.lease.run(),
                        at,
                    }),
                    Outcome::NotDone { .. }
                    | Outcome::InDoubt { .. }
                    | Outcome::Held { .. }
                    | Outcome::NotReached { .. } => None,
                };
                let ending = Ending {
                    outcome: &ended.outcome,
                    after: ended.after.as_ref(),
                    learned: learned.as_ref(),
                    at,
                };
                self.store.outcome(self.lease, intent, ending).await?;
                match ended.again {
                    Some(wait) if self.stopped_by().is_none() && self.wait(wait).await => {
                        outcome = ended.outcome;
                        attempt += 1;
                    }
                    Some(_) | None => break ended.outcome,
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
                card: CardTarget::MadeBy(item),
                ..
            } => self.state.made().cards.get(&item).cloned(),
            Step::PatchCard { .. }
            | Step::CreateEntry { .. }
            | Step::CreateCard { .. }
            | Step::ArchiveCard { .. }
            | Step::UnarchiveCard { .. }
            | Step::ArchiveOperator { .. }
            | Step::UnarchiveOperator { .. }
            | Step::SetLoginPermission { .. } => None,
        });
        let id = change.card.clone().or(made)?;
        let written = self.state.cards().get(&id).cloned();
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
        Ok(match changed_since(change, &self.fields, known, &now, &operators) {
            Some(what) => Recheck::Changed(what),
            None => Recheck::Same {
                card: Some(now),
                operators,
            },
        })
    }
}
