//! What is not undone, and why.

use super::Deed;
use crate::core::model::field::{CardField, LookupKind};
use crate::core::model::ids::{CardId, ItemId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::ActionKind;
use serde::{Deserialize, Serialize};

/// One deed, or one field of it, that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kept {
    pub action: ActionKind,
    pub key: Option<Key>,
    pub card: Option<CardId>,
    /// `None`: all of it.
    pub field: Option<CardField>,
    pub run: RunId,
    pub item: ItemId,
    pub why: WhyKept,
}

impl Kept {
    pub(super) fn new(deed: &Deed, field: Option<CardField>, why: WhyKept) -> Self {
        let change = deed.written.as_ref().map(|written| &written.change);
        Self {
            action: deed.action,
            key: change.and_then(|change| match &deed.card {
                Some(card) => change.key_of(card).cloned(),
                None => change.key.clone(),
            }),
            card: deed
                .card
                .clone()
                .or_else(|| change.and_then(|change| change.card.clone())),
            field,
            run: deed.run.clone(),
            item: deed.item.clone(),
            why,
        }
    }
}

/// Why something stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum WhyKept {
    /// It is as it was before: nothing is left to undo.
    AsBefore,
    /// An entry of a list.
    EntryStays { list: LookupKind, name: Box<str> },
    /// The change made the person unrecognisable.
    Anonymized,
    /// Two cards of one human became one: what each of them was is not told apart again by itself.
    Merged,
    /// The person's data was removed from the journal.
    Forgotten,
    /// The answer of the request was lost.
    InDoubt,
    /// It was begun and has reached no end yet.
    HalfWay,
    /// TOPdesk has no such card any more, or hides it.
    CardGone,
    /// The card was anonymized since.
    AnonymizedSince,
    /// On the protect list.
    Protected,
    /// Linked to an API account, a TOPdesk account or cardsync's own account.
    SpecialAccount,
    /// Several cards have the key now.
    Conflict,
    /// Another active card has the key now.
    KeyElsewhere { card: CardId },
    /// Somebody changed the archived card, or archived it again.
    TouchedSince,
    /// An operator alone was changed, its card stayed as it was.
    OperatorMoved,
    /// The card is archived: nothing is written on it.
    Archived,
    /// Somebody gave the field another value since.
    ChangedSince,
    /// The value that was written is not known.
    ValueUnknown,
    /// Another card has the login now.
    LoginHeld,
    /// The manager of before is archived or gone.
    ManagerArchived,
    /// Others have the person as their manager now.
    StillManager,
}

impl WhyKept {
    /// Whether there is nothing to undo, rather than something that cannot be undone.
    pub fn is_done(&self) -> bool {
        match self {
            WhyKept::AsBefore => true,
            WhyKept::EntryStays { .. }
            | WhyKept::Anonymized
            | WhyKept::Merged
            | WhyKept::Forgotten
            | WhyKept::InDoubt
            | WhyKept::HalfWay
            | WhyKept::CardGone
            | WhyKept::AnonymizedSince
            | WhyKept::Protected
            | WhyKept::SpecialAccount
            | WhyKept::Conflict
            | WhyKept::KeyElsewhere { .. }
            | WhyKept::TouchedSince
            | WhyKept::Archived
            | WhyKept::OperatorMoved
            | WhyKept::ChangedSince
            | WhyKept::ValueUnknown
            | WhyKept::LoginHeld
            | WhyKept::ManagerArchived
            | WhyKept::StillManager => false,
        }
    }

    /// In one line, with what a human can do.
    pub fn explain(&self) -> String {
        let fixed = match self {
            WhyKept::EntryStays { list, name } => {
                return format!(
                    "the entry \"{name}\" of the list {list} stays; remove it in TOPdesk if nobody uses it"
                );
            }
            WhyKept::KeyElsewhere { card } => {
                return format!("card {card} has the number now; decide in TOPdesk which of the two is this person's");
            }
            WhyKept::AsBefore => "is as it was before already",
            WhyKept::Anonymized => "an anonymization is final: the values are gone",
            WhyKept::Merged => {
                "two cards of one human became one; take them apart in TOPdesk by hand if they were not the same human's"
            }
            WhyKept::Forgotten => "the values of before were removed from the journal with the person's data",
            WhyKept::InDoubt => {
                "whether it was done is not known yet; a run at least 10 minutes after it settles that, undo again then"
            }
            WhyKept::HalfWay => {
                "it is half-way: `cardsync run` finishes it, or `cardsync holds` says what to put right in TOPdesk; undo again then"
            }
            WhyKept::CardGone => "TOPdesk no longer shows the card",
            WhyKept::AnonymizedSince => "the card was anonymized since; it is left alone",
            WhyKept::Protected => "on guard.protect; change it in TOPdesk by hand",
            WhyKept::SpecialAccount => {
                "linked to an API account, a TOPdesk account or cardsync's own account: never touched"
            }
            WhyKept::Conflict => "several cards have the number; take it off all but one in TOPdesk, then undo again",
            WhyKept::TouchedSince => {
                "somebody changed the card after it was archived; unarchive it in TOPdesk if that is right"
            }
            WhyKept::OperatorMoved => {
                "only the operator was changed, its card stayed as it was; change it back in TOPdesk by hand"
            }
            WhyKept::Archived => "the card is archived, and an archived card is not edited",
            WhyKept::ChangedSince => "somebody changed the value since; it stays",
            WhyKept::ValueUnknown => {
                "the journal does not have the value that was written; change it in TOPdesk by hand"
            }
            WhyKept::LoginHeld => "another card has the login now",
            WhyKept::ManagerArchived => "the manager of before has no active card",
            WhyKept::StillManager => "others have this person as their manager",
        };
        fixed.to_owned()
    }
}
