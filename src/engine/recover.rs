//! Settles what an earlier run left open: requests without an outcome, and answers that were lost (RULES 2, 10).
//!
//! Only reading settles a doubt, and no write of an old plan is ever sent again: what was left is planned anew.

use super::gather::SETTLING_TIME;
use super::ledger_after::{Effect, after_done};
use super::state::{OpenIntent, Remembered};
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::card::{FilterProof, PersonCard, TargetSnapshot};
use crate::core::model::ids::{CardId, OperatorId};
use crate::core::model::key::{KeyReading, KeySpec};
use crate::core::plan::report::Outcome;
use crate::core::plan::safe_end::shows_fields;
use crate::core::plan::{CardTarget, Step};
use crate::core::reads::cards::fold;
use crate::core::reads::snapshot::Verdict;

/// What a later read says of one open request.
#[derive(Clone, Debug)]
pub struct Settled {
    pub intent: OpenIntent,
    /// `None`: it stays in doubt.
    pub outcome: Option<Outcome>,
    /// The card as it was read.
    pub after: Option<PersonCard>,
    pub learned: Option<LedgerEntry>,
}

/// Compares every open request with what TOPdesk shows now. Pure.
///
/// An effect that shows is settled at once. That there is none is settled only by a whole read that began late enough:
/// a request whose answer was lost may still take effect behind our back.
/// With a clock that is doubted (`clock_trusted` false) no read is late enough.
pub fn settle(
    open: Vec<OpenIntent>,
    target: &TargetSnapshot,
    clock_trusted: bool,
    remembered: &Remembered,
    spec: &KeySpec,
) -> Vec<Settled> {
    open.into_iter()
        .map(|intent| {
            let late = clock_trusted && target.read_at >= intent.sent_at + SETTLING_TIME;
            let (shown, after) = seen(&intent, target, spec);
            let outcome = match shown {
                // Another request of ours explains what shows. Of this one nothing shows at all.
                Shown::Yes if intent.overtaken => not_done("a later request did what it asked for: overtaken"),
                Shown::Yes => Some(Outcome::Done {
                    card: after.map(|card| card.id.clone()),
                }),
                Shown::No if late => not_done("a read at least 10 minutes later does not show the effect"),
                // Only a whole read can say that something is not there.
                Shown::Nowhere if late && target.verdict == Verdict::Complete => {
                    not_done("a full read at least 10 minutes later shows no such card or operator")
                }
                Shown::No | Shown::Nowhere | Shown::NotRead => None,
            };
            let learned = match &outcome {
                Some(Outcome::Done { .. }) => after_done(&Effect {
                    change: &intent.change,
                    step: &intent.step,
                    after,
                    operators_before: &intent.operators_before,
                    known: after.and_then(|card| remembered.ledger.get(&card.id)),
                    // What another configuration mapped is of no use to this one.
                    ruled: None,
                    run: &intent.run,
                    at: intent.sent_at,
                    approver: intent.approver.as_deref(),
                })
                .filter(|_| after.is_some()),
                Some(
                    Outcome::NotDone { .. }
                    | Outcome::InDoubt { .. }
                    | Outcome::Held { .. }
                    | Outcome::NotReached { .. }
                    | Outcome::HalfWay { .. }
                    | Outcome::PutBack { .. },
                )
                | None => None,
            };
            Settled {
                outcome,
                after: after.cloned(),
                learned,
                intent,
            }
        })
        .collect()
}

fn not_done(why: &str) -> Option<Outcome> {
    Some(Outcome::NotDone {
        message: format!("{why}; planned again if it is still wanted"),
    })
}

/// Whether a read shows the effect of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Yes,
    /// What it was to change is there, and unchanged.
    No,
    /// The card is not in the read.
    Nowhere,
    /// The read had no place for it: a list that is no longer read.
    NotRead,
}

fn seen<'a>(intent: &OpenIntent, target: &'a TargetSnapshot, spec: &KeySpec) -> (Shown, Option<&'a PersonCard>) {
    let of_key = || {
        let key = intent.change.key.as_ref()?;
        target.cards.iter().find(|card| {
            let raw = card.fields.text(spec.card_field).unwrap_or("");
            matches!(spec.read(raw), KeyReading::Key(found) if found == *key)
        })
    };
    let of_id = |id: &CardId| {
        let at = target.cards.binary_search_by(|card| card.id.cmp(id)).ok()?;
        Some(&target.cards[at])
    };
    let card = match &intent.step {
        Step::CreateCard { .. } => {
            let card = of_key();
            return (if card.is_some() { Shown::Yes } else { Shown::Nowhere }, card);
        }
        Step::CreateEntry { list, name } => {
            let shown = match target.lookups.lists.get(list) {
                Some(entries) if entries.iter().any(|entry| fold(&entry.name) == fold(name)) => Shown::Yes,
                Some(_) => Shown::No,
                None => Shown::NotRead,
            };
            return (shown, None);
        }
        // A card that the same plan made is known by its key.
        Step::PatchCard {
            card: CardTarget::MadeBy(_),
            ..
        } => of_key(),
        Step::PatchCard {
            card: CardTarget::Known(card),
            ..
        }
        | Step::ArchiveCard { card, .. }
        | Step::UnarchiveCard { card } => of_id(card),
        Step::ArchiveOperator { operator, .. }
        | Step::UnarchiveOperator { operator }
        | Step::SetLoginPermission { operator, .. } => {
            let card = intent.change.card.as_ref().and_then(of_id);
            return (operator_shows(&intent.step, operator, target), card);
        }
    };
    match card {
        Some(card) if shows_effect(&intent.step, card) => (Shown::Yes, Some(card)),
        Some(card) => (Shown::No, Some(card)),
        None => (Shown::Nowhere, None),
    }
}

/// Whether the operator is as the step would leave it. A list that may lack operators says nothing by what it lacks.
fn operator_shows(step: &Step, operator: &OperatorId, target: &TargetSnapshot) -> Shown {
    match target.operators.binary_search_by(|known| known.id.cmp(operator)) {
        Ok(at) if step.shows_in(&target.operators[at]) == Some(true) => Shown::Yes,
        Ok(_) => Shown::No,
        Err(_) if target.filters == FilterProof::None => Shown::Nowhere,
        Err(_) => Shown::NotRead,
    }
}

/// Whether a card is as a step would leave it.
fn shows_effect(step: &Step, card: &PersonCard) -> bool {
    match step {
        Step::ArchiveCard { .. } => card.archived,
        Step::UnarchiveCard { .. } => !card.archived,
        Step::PatchCard { fields, .. } => shows_fields(fields, card),
        Step::CreateEntry { .. }
        | Step::CreateCard { .. }
        | Step::ArchiveOperator { .. }
        | Step::UnarchiveOperator { .. }
        | Step::SetLoginPermission { .. } => true,
    }
}

#[cfg(test)]
mod tests;
