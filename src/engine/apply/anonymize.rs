//! An anonymization: overwritten where the card is, in the archive. Where TOPdesk refuses that, and nobody can wake with the
//! card, it is unarchived for it and archived again, with that as its safe end (RULES 9, 10).

use super::Applier;
use super::one_change::{Hurry, Sending};
use crate::core::model::card::PersonCard;
use crate::core::plan::report::Outcome;
use crate::core::plan::{HoldReason, Step};
use crate::engine::state::{StateWriter, StoreError};
use crate::engine::target::{TargetReader, TargetWriter};
use std::sync::atomic::Ordering;

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Carries one anonymization out.
    pub(super) async fn anonymize(
        &self,
        sending: &Sending<'_, W>,
        before: Option<&PersonCard>,
    ) -> Result<Outcome, StoreError> {
        let change = sending.change;
        let compound = change.is_compound();
        // One refusal in those words is that of all others.
        let known = self.state.archived_cards_refused.load(Ordering::Relaxed);
        if !(compound && known) {
            let steps = change.steps();
            let patch = steps.iter().find(|step| matches!(step, Step::PatchCard { .. }));
            let patch = patch.expect("an anonymization writes the card");
            let outcome = self.request(sending, 0, patch, before, Hurry::UnlessStopped).await?;
            match &outcome {
                Outcome::Held {
                    reason: HoldReason::ArchivedCardRefused { .. },
                } => {
                    self.state.archived_cards_refused.store(true, Ordering::Relaxed);
                    if !compound {
                        return Ok(outcome);
                    }
                }
                // What is in doubt stays half-way until a read has settled it.
                Outcome::InDoubt { .. } => return Ok(outcome),
                Outcome::Done { .. }
                | Outcome::NotDone { .. }
                | Outcome::Held { .. }
                | Outcome::NotReached { .. }
                | Outcome::HalfWay { .. }
                | Outcome::PutBack { .. } => {
                    if compound {
                        self.store.closed(self.lease, sending.run, &change.id).await?;
                    }
                    return Ok(outcome);
                }
            }
        }
        self.compound(sending).await
    }
}
