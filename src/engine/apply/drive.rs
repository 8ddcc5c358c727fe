//! The way of a half-done change to its safe end (RULES 10): as few requests as it needs, and none that would put a number onto a
//! card whose it is not any more.

use super::Applier;
use super::compound::{where_it_stands, words};
use super::one_change::{Hurry, Sending};
use super::stops::of_record;
use crate::core::model::field::FieldValue;
use crate::core::plan::report::Outcome;
use crate::core::plan::safe_end::{Seen, renamed};
use crate::core::plan::{CardTarget, Step};
use crate::engine::state::{StateWriter, StoreError};
use crate::engine::stopping::{READ_GRACE, WRITE_GRACE, with_grace};
use crate::engine::target::{TargetReader, TargetWriter};

/// Where a half-done change was brought.
pub(super) enum Driven {
    /// Everything that it was to do shows after all.
    Whole,
    /// Everything that it was to do shows, by what was sent on the way.
    Finished,
    Safe(AtRest),
    /// Not there yet: the next start goes on from here. Says why.
    NotYet(String),
    /// Nobody knows: its cards could not be read. The next start looks first.
    Unseen(String),
}

/// At its safe end, which is not its end.
#[derive(Default)]
pub(super) struct AtRest {
    /// Where operators are concerned: how the card and they are now.
    pub(super) stands: Option<String>,
    /// Something was sent on the way.
    pub(super) wrote: bool,
    /// What TOPdesk said where it refused to let it be finished.
    pub(super) refused: Option<String>,
}

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Drives a half-done change to its safe end, also after a stop. What is in doubt keeps it half-way until a read has
    /// settled that.
    pub(super) async fn drive(
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
        let mut rest = AtRest::default();
        let mut last = None;
        for (number, step) in steps.iter().enumerate() {
            let outcome = match refused {
                // It would be refused again.
                Some((known, outcome)) if *known == step => outcome.clone(),
                Some(_) | None => {
                    if let Some(why) = self.not_theirs_any_more(sending, &seen, step).await {
                        return Ok(Driven::NotYet(why));
                    }
                    let before = step.card().and_then(|id| seen.card(id));
                    let index = first_index + number;
                    self.request(sending, index, step, before, Hurry::StoppedOrNot).await?
                }
            };
            match outcome {
                Outcome::Done { .. } => rest.wrote = true,
                Outcome::NotDone { .. } | Outcome::Held { .. } if end.last_resort(&seen).is_some() => {
                    last = end.last_resort(&seen).map(|step| (step, outcome));
                    break;
                }
                Outcome::NotDone { .. }
                | Outcome::Held { .. }
                | Outcome::InDoubt { .. }
                | Outcome::NotReached { .. }
                | Outcome::HalfWay { .. }
                | Outcome::PutBack { .. } => return Ok(Driven::NotYet(words(&outcome))),
            }
        }
        if let Some((step, why)) = last {
            let index = first_index + steps.len();
            if let Err(not_yet) = self.at_last(sending, (&seen, &step), &why, index).await? {
                return Ok(Driven::NotYet(not_yet));
            }
            rest.wrote = true;
            rest.refused = Some(words(&why));
        }
        if rest.wrote {
            seen = match with_grace(self.stop, WRITE_GRACE, self.look(change)).await {
                Some(Ok(seen)) => seen,
                Some(Err(error)) => return Ok(Driven::NotYet(error.to_string())),
                None => return Ok(Driven::NotYet("it could not be looked at in time".to_owned())),
            };
            self.note_operators(sending, &seen);
            if end.is_of_operators() && !end.steps(&seen).is_empty() {
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
        if rest.wrote && seen.shows_all(change) {
            return Ok(Driven::Finished);
        }
        rest.stands = where_it_stands(change, &seen);
        Ok(Driven::Safe(rest))
    }

    /// Sends what is tried where the requests of a safe end are refused. The error says what is left to a human.
    async fn at_last(
        &self,
        sending: &Sending<'_, W>,
        (seen, step): (&Seen, &Step),
        why: &Outcome,
        index: usize,
    ) -> Result<Result<(), String>, StoreError> {
        let of_operators = sending.change.safe_end().is_of_operators();
        let nor = if let Some(why) = self.not_theirs_any_more(sending, seen, step).await {
            why
        } else {
            let before = step.card().and_then(|id| seen.card(id));
            let writer = if of_operators {
                self.last_resort_writer()
            } else {
                Ok(sending.writer)
            };
            let outcome = match writer {
                Ok(writer) => {
                    let sending = Sending { writer, ..*sending };
                    self.request(&sending, index, step, before, Hurry::StoppedOrNot).await?
                }
                Err(error) => self.failed(sending.change, &of_record(error)),
            };
            if matches!(outcome, Outcome::Done { .. }) {
                return Ok(Ok(()));
            }
            words(&outcome)
        };
        let why = words(why);
        Ok(Err(if of_operators {
            format!(
                "AN OPERATOR IS AWAKE that was to stay archived, archive it in TOPdesk: {why}; nor was the card archived again: {nor}"
            )
        } else {
            format!(
                "two cards have one number, put each number on its own card in TOPdesk: {why}; nor could the first be put back: {nor}"
            )
        }))
    }

    /// Why a number is not written on the way to a safe end: since the change was begun somebody has given it to another card,
    /// or has made one of the cards somebody else's.
    async fn not_theirs_any_more(&self, sending: &Sending<'_, W>, seen: &Seen, step: &Step) -> Option<String> {
        let key_field = self.input.policy.key.card_field;
        let Step::PatchCard {
            card: CardTarget::Known(card),
            fields,
        } = step
        else {
            return None;
        };
        let number = fields.iter().find(|change| change.field == key_field)?;
        let number = number.to.as_ref().map(FieldValue::display)?;
        if let Some(renamed) = renamed(sending.cards_before, seen) {
            return Some(format!(
                "card {renamed} shows another name than before; nothing more is written, put each number on its own card in \
                 TOPdesk"
            ));
        }
        let read = self.reader.cards_with_keys(key_field, std::slice::from_ref(&number));
        let found = match with_grace(self.stop, READ_GRACE, read).await {
            Some(Ok(found)) => found,
            Some(Err(error)) => return Some(error.to_string()),
            None => return Some("who has the number could not be read in time".to_owned()),
        };
        let other = found.iter().find(|found| found.id != *card && !found.archived)?;
        Some(format!(
            "card {} has the number meanwhile that belongs on card {card}; nothing more is written, put each number on its own \
             card in TOPdesk",
            other.id
        ))
    }
}
