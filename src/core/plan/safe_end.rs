//! The requests a change takes, and where a change that was cut off half-way is driven to (RULES 10).
//!
//! A change of several requests is never continued by a later run: what the state shows decides. Either everything shows,
//! or the declared safe end is made true by as few requests as it needs, and the rest is planned anew.

use crate::core::model::card::{OperatorCard, OperatorLink, PersonCard};
use crate::core::model::field::{FieldValue, Reference};
use crate::core::model::ids::{CardId, ItemId, OperatorId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::{Action, ActionKind, CardTarget, Change, FieldChange, Step};
use crate::core::reads::diff::same;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

impl Change {
    /// The requests it takes, in order.
    pub fn steps(&self) -> Vec<Step> {
        let card = || self.card.clone().expect("a change of a card names the card");
        let patch = |card: CardId, fields: &[FieldChange]| Step::PatchCard {
            card: CardTarget::Known(card),
            fields: fields.to_vec(),
        };
        match &self.action {
            Action::CreateEntry { list, name } => vec![Step::CreateEntry {
                list: *list,
                name: name.clone(),
            }],
            Action::Create { fields } => vec![Step::CreateCard { fields: fields.clone() }],
            Action::SetReferences { fields } => vec![match &self.card {
                Some(card) => patch(card.clone(), fields),
                None => {
                    let made_by = self
                        .depends_on
                        .first()
                        .cloned()
                        .expect("references of a new card depend on its creation");
                    Step::PatchCard {
                        card: CardTarget::MadeBy(made_by),
                        fields: fields.clone(),
                    }
                }
            }],
            Action::Update { fields } | Action::Adopt { fields } => vec![patch(card(), fields)],
            // Tried where the card is before anything else; these follow where TOPdesk refuses that.
            Action::Anonymize { fields, reason } if self.may_wake_the_card() => vec![
                Step::UnarchiveCard { card: card() },
                patch(card(), fields),
                Step::ArchiveCard {
                    card: card(),
                    reason: reason.clone(),
                },
            ],
            Action::Anonymize { fields, .. } => vec![patch(card(), fields)],
            Action::Exchange { fields, other } => vec![patch(card(), fields), patch(other.card.clone(), &other.fields)],
            // The key is off one card before it is on the other: never are two active cards found under it.
            Action::Merge {
                fields,
                twin,
                taken,
                reason,
            } => vec![
                patch(twin.clone(), taken),
                patch(card(), fields),
                Step::ArchiveCard {
                    card: twin.clone(),
                    reason: reason.clone(),
                },
            ],
            // The operator loses its log-in while it is active: an archived one cannot be changed. Where it does not follow its
            // card it goes first: what cannot be done with it stops the card as well.
            Action::Archive {
                reason,
                disarm,
                apart,
                number,
            } => {
                let numbered = (!number.is_empty()).then(|| patch(card(), number));
                let disarmed = disarm.iter().map(|operator| Step::SetLoginPermission {
                    operator: operator.clone(),
                    allowed: false,
                });
                let archived = Step::ArchiveCard {
                    card: card(),
                    reason: reason.clone(),
                };
                let sent_to_sleep = apart.operators.iter().map(|operator| Step::ArchiveOperator {
                    operator: operator.clone(),
                    reason: reason.clone(),
                });
                let first = numbered.into_iter().chain(disarmed);
                first.chain(sent_to_sleep).chain([archived]).collect()
            }
            // Whoever woke with the card and was not to is put back first. What shows already is not sent.
            Action::Unarchive { operators } => {
                let back = operators.keeps().iter().map(|operator| Step::ArchiveOperator {
                    operator: operator.clone(),
                    reason: operators.reason().map(Into::into),
                });
                let wake = operators.wakes().iter().map(|operator| Step::UnarchiveOperator {
                    operator: operator.clone(),
                });
                let first = std::iter::once(Step::UnarchiveCard { card: card() });
                let arm = operators.arms().iter().map(|operator| Step::SetLoginPermission {
                    operator: operator.clone(),
                    allowed: true,
                });
                first.chain(back).chain(wake).chain(arm).collect()
            }
        }
    }

    /// The state that a half-done change is driven to.
    pub fn safe_end(&self) -> SafeEnd {
        match &self.action {
            Action::Merge {
                fields,
                twin,
                taken,
                reason,
            } => SafeEnd::OneOwner {
                keeper: self.card.clone().expect("a merge names the card that stays"),
                twin: twin.clone(),
                key: fields.first().cloned().expect("a merge writes the key first"),
                taken: taken.clone(),
                reason: reason.clone(),
            },
            Action::Exchange { fields, other } => SafeEnd::Exchanged {
                sides: [
                    (self.card.clone().expect("an exchange names its card"), fields.clone()),
                    (other.card.clone(), other.fields.clone()),
                ],
            },
            Action::Archive {
                disarm, apart, number, ..
            } if !disarm.is_empty() || !apart.is_nobody() || !number.is_empty() => SafeEnd::AsItStands,
            Action::Unarchive { operators } if !operators.is_as_it_falls() => SafeEnd::Asleep {
                card: self.card.clone().expect("a change of a card names the card"),
                operators: operators.keeps().to_vec(),
                reason: operators.reason().map(Into::into),
            },
            Action::Anonymize { reason, .. } if self.may_wake_the_card() => SafeEnd::Archived {
                card: self.card.clone().expect("an anonymization names the card"),
                reason: reason.clone(),
            },
            Action::CreateEntry { .. }
            | Action::Create { .. }
            | Action::Update { .. }
            | Action::Adopt { .. }
            | Action::SetReferences { .. }
            | Action::Archive { .. }
            | Action::Unarchive { .. }
            | Action::Anonymize { .. } => SafeEnd::SingleRequest,
        }
    }

    /// Whether an anonymization may unarchive the card for a moment: only where nobody can wake with it (RULES 9).
    fn may_wake_the_card(&self) -> bool {
        self.operator == OperatorLink::ProvenNone
    }

    /// Whether it takes several requests, so that it can be cut off in between.
    pub fn is_compound(&self) -> bool {
        self.safe_end() != SafeEnd::SingleRequest
    }

    /// Every card it writes to, its own first.
    pub fn cards(&self) -> Vec<&CardId> {
        let twin = match &self.action {
            Action::Merge { twin, .. } => Some(twin),
            Action::Exchange { other, .. } => Some(&other.card),
            Action::CreateEntry { .. }
            | Action::Create { .. }
            | Action::Update { .. }
            | Action::Adopt { .. }
            | Action::SetReferences { .. }
            | Action::Archive { .. }
            | Action::Unarchive { .. }
            | Action::Anonymize { .. } => None,
        };
        self.card.iter().chain(twin).collect()
    }
}

/// Where a change that was cut off half-way is driven to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SafeEnd {
    /// One request: there is no half.
    SingleRequest,
    /// However far it came, less can be done with an account than before, as was approved: nothing has to be driven. What is
    /// left is planned again as the same item, so that its approval still holds.
    AsItStands,
    /// The key is on one active card. Where the keeper has it, the twin is archived; else the twin gets back what it gave
    /// up, so that the person has a card.
    OneOwner {
        keeper: CardId,
        twin: CardId,
        key: FieldChange,
        taken: Vec<FieldChange>,
        reason: Option<Box<str>>,
    },
    /// Both cards have their own number, or each still has the other's. Where one has its own already the other gets it too:
    /// both were approved together, and half of it leaves somebody without a card.
    Exchanged { sides: [(CardId, Vec<FieldChange>); 2] },
    /// None of these operators is active. The card may be: that was approved, and so was the waking of every other operator,
    /// however many of them are awake. Where one cannot be archived by itself, the card is archived again, which takes it
    /// along.
    Asleep {
        card: CardId,
        operators: Vec<OperatorId>,
        reason: Option<Box<str>>,
    },
    /// The card is archived, overwritten or not.
    Archived { card: CardId, reason: Option<Box<str>> },
}

/// A change of an earlier run that has not reached its safe end, as far as a plan must know: nothing happens to its people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HalfDone {
    pub key: Option<Key>,
    /// Of an exchange: the key of the other card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_key: Option<Key>,
    pub cards: BTreeSet<CardId>,
    /// What was begun, and by which run; `None` in what earlier versions kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
}

/// What a change that is half-way was to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Begun {
    pub item: ItemId,
    pub action: ActionKind,
    pub run: RunId,
    /// Of an exchange or a merge: the card that is to have `key`.
    pub card: Option<CardId>,
}

/// The cards of a change and their operators, as they are read now.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub cards: Vec<PersonCard>,
    pub operators: Vec<OperatorCard>,
}

impl Seen {
    /// One of the cards.
    pub fn card(&self, id: &CardId) -> Option<&PersonCard> {
        self.cards.iter().find(|card| card.id == *id)
    }

    /// Whether all that a change was to do shows.
    pub fn shows_all(&self, change: &Change) -> bool {
        if let (Action::Anonymize { fields, .. }, Some(card)) = (&change.action, &change.card) {
            // That the card was active in between leaves no trace.
            return self
                .card(card)
                .is_some_and(|card| card.archived && shows_fields(fields, card));
        }
        change.steps().iter().all(|step| self.shows(step))
    }

    /// Whether a step's effect shows. What a step is to make cannot show here: it has no card yet.
    pub fn shows(&self, step: &Step) -> bool {
        match step {
            Step::ArchiveCard { card, .. } => self.card(card).is_some_and(|card| card.archived),
            Step::UnarchiveCard { card } => self.card(card).is_some_and(|card| !card.archived),
            Step::PatchCard {
                card: CardTarget::Known(card),
                fields,
            } => self.card(card).is_some_and(|card| shows_fields(fields, card)),
            Step::PatchCard {
                card: CardTarget::MadeBy(_),
                ..
            }
            | Step::CreateEntry { .. }
            | Step::CreateCard { .. } => false,
            Step::ArchiveOperator { operator, .. }
            | Step::UnarchiveOperator { operator }
            | Step::SetLoginPermission { operator, .. } => self
                .operators
                .iter()
                .find(|seen| seen.id == *operator)
                .and_then(|seen| step.shows_in(seen))
                .unwrap_or(false),
        }
    }
}

/// Whether a card holds what these changes were to write.
pub fn shows_fields(fields: &[FieldChange], card: &PersonCard) -> bool {
    fields.iter().all(|change| {
        let now = card.fields.get(change.field);
        let kind = change.field.kind();
        match &change.to {
            // What an earlier change of that plan was to make: its id is not known here, a new value is.
            Some(FieldValue::Reference(Reference::Pending(_))) => !same(now, change.from.as_ref(), kind),
            to => same(now, to.as_ref(), kind),
        }
    })
}

/// Of the cards as they were before a change was begun, one that shows another name now: it may be somebody else's.
pub fn renamed<'a>(before: &'a [PersonCard], now: &Seen) -> Option<&'a CardId> {
    let is_renamed = |was: &&PersonCard| {
        now.card(&was.id).is_some_and(|now| {
            let mut names = was.fields.iter().filter(|(field, _)| field.is_name());
            names.any(|(field, value)| !same(now.fields.get(field), Some(value), field.kind()))
        })
    };
    before.iter().find(is_renamed).map(|card| &card.id)
}

impl SafeEnd {
    /// The requests that make it true; none when it is. Only asked while not everything that the change was to do shows.
    pub fn steps(&self, seen: &Seen) -> Vec<Step> {
        match self {
            SafeEnd::SingleRequest | SafeEnd::AsItStands => Vec::new(),
            SafeEnd::Exchanged { sides: [one, two] } => {
                let has_its_own = |(card, fields): &(CardId, Vec<FieldChange>)| {
                    seen.card(card)
                        .is_some_and(|card| !card.archived && shows_fields(fields, card))
                };
                // Whatever somebody wrote there since is theirs.
                let waits = |(card, fields): &(CardId, Vec<FieldChange>)| {
                    let is_as_before = |card: &PersonCard| {
                        let mut fields = fields.iter();
                        fields.all(|it| same(card.fields.get(it.field), it.from.as_ref(), it.field.kind()))
                    };
                    seen.card(card).is_some_and(|card| !card.archived && is_as_before(card))
                };
                let pairs = [(one, two), (two, one)];
                let left = pairs
                    .into_iter()
                    .filter(|(done, left)| has_its_own(done) && waits(left));
                left.map(|(_, (card, fields))| Step::PatchCard {
                    card: CardTarget::Known(card.clone()),
                    fields: fields.clone(),
                })
                .collect()
            }
            SafeEnd::Asleep {
                card: _,
                operators,
                reason,
            } => {
                let awake = seen
                    .operators
                    .iter()
                    .filter(|seen| !seen.archived && operators.contains(&seen.id));
                let back = awake.map(|operator| Step::ArchiveOperator {
                    operator: operator.id.clone(),
                    reason: reason.clone(),
                });
                back.collect()
            }
            SafeEnd::OneOwner {
                keeper,
                twin,
                key,
                taken,
                reason,
            } => {
                let Some(of_twin) = seen.card(twin).filter(|card| !card.archived) else {
                    return Vec::new();
                };
                let holds = |card: &PersonCard, value: &Option<FieldValue>| {
                    same(card.fields.get(key.field), value.as_ref(), key.field.kind())
                };
                let keeper_has_it = seen.card(keeper).is_some_and(|card| holds(card, &key.to));
                if keeper_has_it {
                    return vec![Step::ArchiveCard {
                        card: twin.clone(),
                        reason: reason.clone(),
                    }];
                }
                // Whatever somebody wrote there since is theirs.
                let back: Vec<FieldChange> = taken
                    .iter()
                    .filter(|change| same(of_twin.fields.get(change.field), None, change.field.kind()))
                    .map(|change| FieldChange {
                        field: change.field,
                        from: None,
                        to: change.from.clone(),
                    })
                    .filter(|change| change.to.is_some())
                    .collect();
                if back.is_empty() {
                    return Vec::new();
                }
                vec![Step::PatchCard {
                    card: CardTarget::Known(twin.clone()),
                    fields: back,
                }]
            }
            SafeEnd::Archived { card, reason } => {
                let awake = seen.card(card).is_some_and(|card| !card.archived);
                let archive = Step::ArchiveCard {
                    card: card.clone(),
                    reason: reason.clone(),
                };
                awake.then_some(archive).into_iter().collect()
            }
        }
    }

    /// Whether a request that may still land could break it: then nothing is written before a later read has settled that.
    pub fn waits_for(&self, in_doubt: &Step) -> bool {
        match (self, in_doubt) {
            // The key may be about to appear on the keeper: it must not be given back to the twin meanwhile.
            (
                SafeEnd::OneOwner { keeper, key, .. },
                Step::PatchCard {
                    card: CardTarget::Known(card),
                    fields,
                },
            ) => card == keeper && fields.iter().any(|change| change.field == key.field),
            // The half that may still land decides whether the other one is wanted.
            (
                SafeEnd::Exchanged { sides },
                Step::PatchCard {
                    card: CardTarget::Known(card),
                    ..
                },
            ) => sides.iter().any(|(side, _)| side == card),
            // Whatever lands late is seen and put back by the next run: until then it is half-way.
            (
                SafeEnd::OneOwner { .. }
                | SafeEnd::Exchanged { .. }
                | SafeEnd::Asleep { .. }
                | SafeEnd::AsItStands
                | SafeEnd::Archived { .. }
                | SafeEnd::SingleRequest,
                _,
            ) => false,
        }
    }

    /// What is tried where its own requests are refused.
    pub fn last_resort(&self, seen: &Seen) -> Option<Step> {
        match self {
            // The card that has its number already gets back what it had: two cards of one number would be nobody's.
            SafeEnd::Exchanged { sides } => {
                let done = sides.iter().find(|(card, fields)| {
                    let now = seen.card(card);
                    now.is_some_and(|now| !now.archived && shows_fields(fields, now))
                });
                done.map(|(card, fields)| Step::PatchCard {
                    card: CardTarget::Known(card.clone()),
                    fields: fields.iter().map(FieldChange::reversed).collect(),
                })
            }
            SafeEnd::Asleep { card, reason, .. } => Some(Step::ArchiveCard {
                card: card.clone(),
                reason: reason.clone(),
            }),
            SafeEnd::SingleRequest | SafeEnd::AsItStands | SafeEnd::OneOwner { .. } | SafeEnd::Archived { .. } => None,
        }
    }

    /// Whether it is about operators.
    pub fn is_of_operators(&self) -> bool {
        match self {
            SafeEnd::Asleep { .. } => true,
            SafeEnd::SingleRequest
            | SafeEnd::AsItStands
            | SafeEnd::OneOwner { .. }
            | SafeEnd::Exchanged { .. }
            | SafeEnd::Archived { .. } => false,
        }
    }
}
