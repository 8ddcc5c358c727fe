//! One change: looks again where the rules say so, writes the intent, sends, writes the outcome (RULES 7.3, 10).

use super::stops::of_record;
use super::{Applier, gives_a_key, stops};
use crate::core::guard::{ApprovedChange, ApprovedPlan};
use crate::core::memory::decision::Decision;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::memory::seen::RuledFields;
use crate::core::model::card::{OperatorCard, OperatorLink, PersonCard};
use crate::core::model::field::FieldValue;
use crate::core::model::groups::touched_operators;
use crate::core::model::ids::{CardId, PlanId, RunId};
use crate::core::model::signature::Signatures;
use crate::core::plan::report::Outcome;
use crate::core::plan::{Action, ActionKind, CardTarget, Change, HoldReason, Step};
use crate::engine::ledger_after::{Effect, after_done};
use crate::engine::recheck::{Recheck, card_changed, operators_changed};
use crate::engine::state::{Ending, Intent, StateWriter, StoreError};
use crate::engine::stopping::{WRITE_GRACE, unless_stopped, with_grace};
use crate::engine::target::{TargetError, TargetReader, TargetWriter};
use chrono::Duration;

/// A write based on a read older than this looks again first.
const STALE_READ: Duration = Duration::minutes(15);

/// What all requests of one change share.
pub(super) struct Sending<'s, W> {
    /// The run that began the change.
    pub(super) run: &'s RunId,
    pub(super) plan: &'s PlanId,
    pub(super) change: &'s Change,
    pub(super) writer: &'s W,
    pub(super) operators_before: &'s [OperatorCard],
    /// Of a change of several requests: its cards before the first.
    pub(super) cards_before: &'s [PersonCard],
    /// The decision that let it pass.
    pub(super) decision: Option<&'s Decision>,
}

/// Whether a request is still sent after a stop was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hurry {
    UnlessStopped,
    /// On the way to a safe end.
    StoppedOrNot,
}

/// A change that was refused for now stays so; one that was never sent was not reached.
fn outcome_when_stopped(last: Outcome, attempt: u32) -> Outcome {
    if attempt > 1 { last } else { stops::told() }
}

/// The same where the run itself was stopped.
fn outcome_when_stopped_by(message: String, last: Outcome, attempt: u32) -> Outcome {
    if attempt > 1 {
        last
    } else {
        Outcome::NotReached { message }
    }
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
        let sending = Sending {
            run: self.lease.run(),
            plan: plan.plan(),
            change,
            writer,
            operators_before: &operators_before,
            cards_before: &[],
            decision: self
                .input
                .decisions
                .get(&change.id)
                .filter(|_| approved.approved_by().is_some()),
        };
        if let Action::Anonymize { .. } = &change.action {
            return self.anonymize(&sending, before.as_ref()).await;
        }
        if change.is_compound() {
            return self.compound(&sending).await;
        }
        let mut outcome = Outcome::NotReached {
            message: "no step".to_owned(),
        };
        for (index, step) in change.steps().iter().enumerate() {
            outcome = self
                .request(&sending, index, step, before.as_ref(), Hurry::UnlessStopped)
                .await?;
            if !matches!(outcome, Outcome::Done { .. }) {
                break;
            }
        }
        Ok(outcome)
    }

    /// Sends one step, again where TOPdesk says 'later', with an intent and an outcome for each attempt.
    pub(super) async fn request(
        &self,
        sending: &Sending<'_, W>,
        step_index: usize,
        step: &Step,
        before: Option<&PersonCard>,
        hurry: Hurry,
    ) -> Result<Outcome, StoreError> {
        let Sending {
            run: _,
            plan,
            change,
            writer,
            operators_before,
            cards_before,
            decision,
        } = *sending;
        let writer = match self.sender_of(step, writer) {
            Ok(writer) => writer,
            Err(error) => return Ok(self.failed(change, &of_record(error))),
        };
        let mut outcome = stops::told();
        let mut attempt = 1;
        loop {
            let turn = match hurry {
                Hurry::UnlessStopped => self.turn(writer).await,
                Hurry::StoppedOrNot => with_grace(self.stop, WRITE_GRACE, writer.turn()).await,
            };
            let Some(turn) = turn else {
                return Ok(outcome_when_stopped(outcome, attempt));
            };
            // While it waited for its turn, another request may have met what ends the run.
            if let (Hurry::UnlessStopped, Some(message)) = (hurry, self.stopped_by()) {
                return Ok(outcome_when_stopped_by(message, outcome, attempt));
            }
            let intent = Intent {
                plan,
                change,
                step_index,
                step,
                before,
                operators_before,
                cards_before,
                approval: decision,
                at: self.clock.now(),
            };
            let intent = self.store.intent(self.lease, intent).await?;
            self.note_sent(change, step);
            let sent = self.send(writer, turn, intent, step).await;
            let ended = self.ended(change, step, operators_before, sent, attempt).await;
            let at = self.clock.now();
            let learned = match &ended.outcome {
                Outcome::Done { card } => {
                    let policy = &self.input.policy;
                    let id = card.as_ref().or(step.card());
                    let known = id.and_then(|id| self.remembered(id));
                    after_done(&Effect {
                        change,
                        step,
                        after: ended.after.as_ref(),
                        operators_before,
                        known: known.as_ref(),
                        ruled: Some(&RuledFields::of(&policy.fields, policy.key.card_field)),
                        run: self.lease.run(),
                        at,
                        approver: decision.map(|decision| decision.by.as_str()),
                    })
                }
                Outcome::NotDone { .. }
                | Outcome::InDoubt { .. }
                | Outcome::Held { .. }
                | Outcome::NotReached { .. }
                | Outcome::HalfWay { .. }
                | Outcome::PutBack { .. } => None,
            };
            let ending = Ending {
                outcome: &ended.outcome,
                after: ended.after.as_ref(),
                learned: learned.as_ref(),
                at,
            };
            self.store.outcome(self.lease, intent, ending).await?;
            if let Some(entry) = learned {
                self.state.learned().insert(entry.card.clone(), entry);
            }
            match ended.again {
                Some(wait) if self.stopped_by().is_none() && self.wait(wait).await => {
                    outcome = ended.outcome;
                    attempt += 1;
                }
                Some(_) | None => return Ok(ended.outcome),
            }
        }
    }

    /// What the ledger knows of a card, this run's own writes included.
    fn remembered(&self, id: &CardId) -> Option<LedgerEntry> {
        let learned = self.state.learned().get(id).cloned();
        learned.or_else(|| self.ledger.get(id).cloned())
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
        self.known(&change.card.clone().or(made)?)
    }

    /// A card as this run's own writes left it, else as it was read.
    fn known(&self, id: &CardId) -> Option<PersonCard> {
        let written = self.state.cards().get(id).cloned();
        written.or_else(|| {
            let cards = &self.input.target.cards;
            cards
                .binary_search_by(|card| card.id.cmp(id))
                .ok()
                .map(|at| cards[at].clone())
        })
    }

    async fn recheck(&self, approved: &ApprovedChange, known: Option<&PersonCard>) -> Result<Recheck, TargetError> {
        let change = approved.change();
        let grave = match change.action.kind() {
            ActionKind::Archive
            | ActionKind::Unarchive
            | ActionKind::Anonymize
            | ActionKind::Adopt
            | ActionKind::Exchange
            | ActionKind::Merge => true,
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
        if let Some(what) = self.twin_changed(change).await? {
            return Ok(Recheck::Changed(what));
        }
        if let Some(what) = self.other_side_changed(approved).await? {
            return Ok(Recheck::Changed(what));
        }
        // Whose card it is may have been told by its operator, and whoever approved was shown who goes or wakes with it.
        let was_shown = gives_a_key(change) || approved.approved_by().is_some();
        if was_shown && let Some(what) = operators_changed(&self.input.target.operators, &operators) {
            return Ok(Recheck::Changed(what));
        }
        if approved.approved_by().is_some() && self.groups_changed(change).await? {
            let what = "the groups of the linked operator were found changed";
            return Ok(Recheck::Changed(what.to_owned()));
        }
        let operator = self.expected_operator(change, known, &operators);
        Ok(match card_changed(&operator, &self.fields, known, &now, &operators) {
            Some(what) => Recheck::Changed(what),
            // A yes is for the card as it was then, also in fields that are not read.
            None if approved.approved_by().is_some() && self.touched_by_others(known, &now) => {
                Recheck::Changed("somebody else changed the card after it was approved".to_owned())
            }
            None => Recheck::Same {
                card: Some(now),
                operators,
            },
        })
    }

    /// Whether an operator that goes or wakes with the card is in other groups than whoever approved was shown.
    async fn groups_changed(&self, change: &Change) -> Result<bool, TargetError> {
        for operator in touched_operators([change]).moved {
            let Some(judged) = self.input.groups.of_operators.get(&operator) else {
                continue;
            };
            let now = self.reader.read_groups_of(&operator).await?;
            if !judged.same_groups(&now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The second card of an exchange: as judged, its operators among it.
    async fn other_side_changed(&self, approved: &ApprovedChange) -> Result<Option<String>, TargetError> {
        let Some(other) = approved.change().other_side() else {
            return Ok(None);
        };
        let card = &other.card;
        let (Some(known), Some(now)) = (self.known(card), self.reader.read_card(card, &self.fields).await?) else {
            return Ok(Some(format!("card {card} was gone")));
        };
        let operators = self.reader.read_operators_of(card).await?;
        let what = operators_changed(&self.input.target.operators, &operators)
            .or_else(|| card_changed(&other.operator, &self.fields, &known, &now, &operators));
        if let Some(what) = what {
            return Ok(Some(format!("{what} (card {card})")));
        }
        let touched = approved.approved_by().is_some() && self.touched_by_others(&known, &now);
        Ok(touched.then(|| format!("somebody else changed card {card} after it was approved")))
    }

    /// Whether somebody else has changed a card since it was read or written by this run.
    fn touched_by_others(&self, known: &PersonCard, now: &PersonCard) -> bool {
        now.modified_at != known.modified_at && !Signatures::of(self.input).include(now.modifier.as_deref())
    }

    /// The operator as the change was judged; where this run has just made the card active, its operators may have woken.
    fn expected_operator(&self, change: &Change, known: &PersonCard, now: &[OperatorCard]) -> OperatorLink {
        let cards = &self.input.target.cards;
        let was_archived = cards
            .binary_search_by(|card| card.id.cmp(&known.id))
            .is_ok_and(|at| cards[at].archived);
        match &change.operator {
            OperatorLink::Archived { operators }
                if was_archived && !known.archived && now.iter().any(|operator| !operator.archived) =>
            {
                OperatorLink::Active {
                    operators: operators.clone(),
                }
            }
            as_judged => as_judged.clone(),
        }
    }

    /// The other card of a merge: as judged, without an operator, and the only one with the key.
    async fn twin_changed(&self, change: &Change) -> Result<Option<String>, TargetError> {
        let Action::Merge { twin, taken, .. } = &change.action else {
            return Ok(None);
        };
        let (Some(known), Some(now)) = (self.known(twin), self.reader.read_card(twin, &self.fields).await?) else {
            return Ok(Some(format!("card {twin} was gone")));
        };
        let no_operator = OperatorLink::ProvenNone;
        let operators = self.reader.read_operators_of(twin).await?;
        if let Some(what) = card_changed(&no_operator, &self.fields, &known, &now, &operators) {
            return Ok(Some(format!("{what} (card {twin})")));
        }
        let key_field = self.input.policy.key.card_field;
        let held = taken.iter().find(|change| change.field == key_field);
        let Some(FieldValue::Text(held)) = held.and_then(|change| change.from.as_ref()) else {
            return Ok(None);
        };
        let others = self.reader.cards_with_keys(key_field, &[held.to_string()]).await?;
        let other = others.iter().find(|card| card.id != *twin && !card.archived);
        Ok(other.map(|card| format!("card {} was found to have this key too", card.id)))
    }
}
