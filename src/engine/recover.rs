//! Settles what an earlier run left open: requests without an outcome, and answers that were lost (RULES 2, 10).
//!
//! Only reading settles a doubt, and no write of an old plan is ever sent again: what was left is planned anew.

use super::apply::shows_effect;
use super::gather::SETTLING_TIME;
use super::state::{OpenIntent, Remembered};
use crate::domain::card::{PersonCard, TargetSnapshot};
use crate::domain::cards::fold;
use crate::domain::ids::CardId;
use crate::domain::key::{Key, KeyReading};
use crate::domain::ledger::{LedgerEntry, Origin, OurArchive};
use crate::domain::plan::{ActionKind, CardTarget, Step};
use crate::domain::policy::Policy;
use crate::domain::report::Outcome;
use crate::domain::snapshot::Verdict;
use chrono::{DateTime, Utc};

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
pub fn settle(
    open: Vec<OpenIntent>,
    target: &TargetSnapshot,
    remembered: &Remembered,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Vec<Settled> {
    open.into_iter()
        .map(|intent| {
            let (outcome, after) = match &intent.step {
                Step::CreateCard { .. } => created(&intent, target, policy),
                Step::CreateEntry { list, name } => {
                    let entries = target.lookups.lists.get(list);
                    let made =
                        entries.is_some_and(|entries| entries.iter().any(|entry| fold(&entry.name) == fold(name)));
                    (entries.map(|_| done_or_not(made, None)), None)
                }
                Step::PatchCard {
                    card: CardTarget::MadeBy(_),
                    ..
                } => {
                    // The new card's own creation settles who it is; its references are planned anew.
                    (
                        Some(Outcome::NotDone {
                            message: "cut off; planned again".to_owned(),
                        }),
                        None,
                    )
                }
                Step::PatchCard {
                    card: CardTarget::Known(card),
                    ..
                }
                | Step::ArchiveCard { card, .. }
                | Step::UnarchiveCard { card } => match card_of(target, card) {
                    Some(card) => {
                        let done = shows_effect(&intent.step, card);
                        (Some(done_or_not(done, Some(card.id.clone()))), Some(card.clone()))
                    }
                    None => (None, None),
                },
            };
            let learned = match &outcome {
                Some(Outcome::Done { .. }) => learned(&intent, after.as_ref(), remembered, now),
                Some(
                    Outcome::NotDone { .. }
                    | Outcome::InDoubt { .. }
                    | Outcome::Held { .. }
                    | Outcome::NotReached { .. },
                )
                | None => None,
            };
            Settled {
                intent,
                outcome,
                after,
                learned,
            }
        })
        .collect()
}

fn card_of<'a>(target: &'a TargetSnapshot, id: &CardId) -> Option<&'a PersonCard> {
    target
        .cards
        .binary_search_by(|card| card.id.cmp(id))
        .ok()
        .map(|at| &target.cards[at])
}

fn done_or_not(done: bool, card: Option<CardId>) -> Outcome {
    if done {
        Outcome::Done { card }
    } else {
        Outcome::NotDone {
            message: "a later read does not show the effect; planned again if still wanted".to_owned(),
        }
    }
}

/// A create is settled by its card, or by a full read that began late enough and lacks it.
fn created(intent: &OpenIntent, target: &TargetSnapshot, policy: &Policy) -> (Option<Outcome>, Option<PersonCard>) {
    let Some(key) = &intent.change.key else {
        return (None, None);
    };
    let has_key = |card: &&PersonCard| {
        let raw = card.fields.text(policy.key.card_field).unwrap_or("");
        matches!(policy.key.read(raw), KeyReading::Key(found) if found == *key)
    };
    match target.cards.iter().find(has_key) {
        Some(card) => (
            Some(Outcome::Done {
                card: Some(card.id.clone()),
            }),
            Some(card.clone()),
        ),
        None if target.verdict == Verdict::Complete && target.read_at >= intent.sent_at + SETTLING_TIME => (
            Some(Outcome::NotDone {
                message: "a full read at least 10 minutes later shows no such card".to_owned(),
            }),
            None,
        ),
        None => (None, None),
    }
}

fn learned(
    intent: &OpenIntent,
    after: Option<&PersonCard>,
    remembered: &Remembered,
    now: DateTime<Utc>,
) -> Option<LedgerEntry> {
    let card = after?;
    let key: Key = intent.change.key.clone()?;
    let known = remembered.ledger.get(&card.id).cloned();
    match intent.change.action.kind() {
        ActionKind::Create | ActionKind::Adopt => {
            let origin = if intent.change.action.kind() == ActionKind::Create {
                Origin::Created
            } else {
                Origin::Adopted
            };
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card.id.clone(), key, origin, now));
            entry.anchors.clone_from(&intent.change.anchors);
            Some(entry)
        }
        ActionKind::Archive => {
            let mut entry = known?;
            let took_operators = intent
                .operators_before
                .iter()
                .filter(|o| !o.archived)
                .map(|o| o.id.clone())
                .collect();
            let at = intent.sent_at;
            entry.archived_by_us = Some(OurArchive {
                at,
                run: intent.run.clone(),
                modified_at: card.modified_at,
                took_operators,
            });
            Some(entry)
        }
        ActionKind::Unarchive => {
            let mut entry = known?;
            entry.archived_by_us = None;
            entry.leaving_since = None;
            Some(entry)
        }
        ActionKind::Update | ActionKind::SetReferences | ActionKind::CreateEntry | ActionKind::Anonymize => None,
    }
}
