//! What a run needs of TOPdesk: a reader that may retry, and a writer that sends each request once.

use crate::core::model::card::{LookupEntry, OperatorCard, PersonCard, TargetSnapshot};
use crate::core::model::field::{CardField, FieldValue, LookupKind, Reference};
use crate::core::model::groups::{GroupMembers, OperatorGroups};
use crate::core::model::ids::{CardId, GroupId, ItemId, OperatorId};
use crate::core::plan::{CardTarget, Step};
use crate::engine::Progress;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

/// What a full read asks for.
#[derive(Clone, Debug, Default)]
pub struct TargetWants {
    /// The card fields that the mapping, the key and the look-alike search need.
    pub fields: BTreeSet<CardField>,
    /// Those of them that the mapping fills.
    pub mapped: BTreeSet<CardField>,
    /// A field may make list entries that are not there.
    pub makes_entries: bool,
    /// The lists that the mapping needs.
    pub lookups: BTreeSet<LookupKind>,
    /// Name of the archiving reason, if one is configured.
    pub archiving_reason: Option<String>,
    /// The configuration states that the account has no filters.
    pub filters_stated_none: bool,
}

/// What a failure concerns, and so what the caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// This card only: go on with the others.
    Record,
    /// Every change of this kind: send no more of them.
    ActionKind,
    /// The whole run: stop.
    Run,
    /// Operators may not be archived or woken by this account: a hold, not a failure, and no other is tried.
    OperatorRight,
    /// The log-in of operators may not be changed by this account: a hold as well, and no other is tried.
    OperatorLoginRight,
    /// The card is archived, and TOPdesk changes no archived card, or so it seems.
    ArchivedCard,
    /// This one operator is never archived through the API (an administrator, or the account itself): a hold.
    OperatorProtected,
}

/// An answer of TOPdesk that is not what was asked for, or no answer.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}; {cure}")]
pub struct TargetError {
    pub concerns: Concerns,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What was tried, on which card, field, and TOPdesk's own words; no personal data.
    pub what: String,
    /// What the administrator can do.
    pub cure: String,
    /// The same request may succeed later: no connection, a busy server, an environment in maintenance. A reader has
    /// already tried again; for a write the engine decides.
    pub retryable: bool,
    /// How long TOPdesk asks to wait (`Retry-After`), capped.
    pub retry_after: Option<Duration>,
}

impl TargetError {
    /// An error that trying again does not mend, without an answer of TOPdesk.
    pub fn new(concerns: Concerns, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            concerns,
            status: None,
            what: what.into(),
            cure: cure.into(),
            retryable: false,
            retry_after: None,
        }
    }
}

/// How a write that did not succeed ended.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// It was not done, for certain: the connection was refused, or TOPdesk answered with an error.
    #[error("{0}")]
    NotDone(TargetError),
    /// It was sent and no whole answer came back.
    #[error("{0}")]
    InDoubt(TargetError),
    /// TOPdesk says that the card or operator is already archived, or already active: re-read and see.
    #[error("it already is in the wanted state")]
    AlreadyThere,
}

/// Reads TOPdesk. Every call may be repeated freely and sends nothing but GET.
pub trait TargetReader: Send + Sync {
    /// Reads everything a plan needs, in bulk: no request per person.
    fn read_all(
        &self,
        wants: &TargetWants,
        progress: &dyn Progress,
    ) -> impl Future<Output = Result<TargetSnapshot, TargetError>> + Send;

    /// One card as it is now; `None` when it is gone or hidden.
    fn read_card(
        &self,
        card: &CardId,
        fields: &BTreeSet<CardField>,
    ) -> impl Future<Output = Result<Option<PersonCard>, TargetError>> + Send;

    /// The operators linked to a card now, archived ones included.
    fn read_operators_of(&self, card: &CardId) -> impl Future<Output = Result<Vec<OperatorCard>, TargetError>> + Send;

    /// One operator as it is now; `None` when it is gone or hidden.
    fn read_operator(
        &self,
        operator: &OperatorId,
    ) -> impl Future<Output = Result<Option<OperatorCard>, TargetError>> + Send;

    /// The groups of one operator. Only for operators that a plan touches: it takes two requests each. What the account
    /// may not see is said in the value and is no error.
    fn read_groups_of(&self, operator: &OperatorId)
    -> impl Future<Output = Result<OperatorGroups, TargetError>> + Send;

    /// The operators in an operator group; whether archived ones are among them is not documented.
    fn read_members_of(&self, group: &GroupId) -> impl Future<Output = Result<GroupMembers, TargetError>> + Send;

    /// Cards that hold one of these texts in the key field, batched: the look-up right before creates.
    fn cards_with_keys(
        &self,
        key_field: CardField,
        raw_keys: &[String],
    ) -> impl Future<Output = Result<Vec<PersonCard>, TargetError>> + Send;

    /// Cards, archived ones included, whose modification date is not before `since`; all of them where it is `None`. Each
    /// with its key field, who made and who changed it last.
    fn cards_changed_since(
        &self,
        since: Option<DateTime<Utc>>,
        key_field: CardField,
    ) -> impl Future<Output = Result<Vec<PersonCard>, TargetError>> + Send;

    /// The ids of the cards that a TOPdesk query gives: the protect list's query.
    fn cards_of_query(&self, query: &str) -> impl Future<Output = Result<BTreeSet<CardId>, TargetError>> + Send;

    /// A list, read now.
    fn read_entries(&self, list: LookupKind) -> impl Future<Output = Result<Vec<LookupEntry>, TargetError>> + Send;
}

/// The number of an intent in the journal. Only the journal makes one, so that no request leaves before its intent is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IntentId(i64);

impl IntentId {
    /// For the journal: the row that was committed.
    pub(crate) fn committed(row: i64) -> Self {
        Self(row)
    }

    /// The row.
    pub fn row(self) -> i64 {
        self.0
    }
}

/// Ids of what earlier changes of this run made: cards and list entries.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub cards: BTreeMap<ItemId, CardId>,
    pub entries: BTreeMap<ItemId, Box<str>>,
}

impl Made {
    /// The part that this step refers to: all of it is as large as the run.
    pub fn needed_by(&self, step: &Step) -> Made {
        let (target, fields) = match step {
            Step::CreateCard { fields } => (None, fields.as_slice()),
            Step::PatchCard {
                card: CardTarget::MadeBy(item),
                fields,
            } => (Some(item), fields.as_slice()),
            Step::PatchCard {
                card: CardTarget::Known(_),
                fields,
            } => (None, fields.as_slice()),
            Step::CreateEntry { .. }
            | Step::ArchiveCard { .. }
            | Step::UnarchiveCard { .. }
            | Step::ArchiveOperator { .. }
            | Step::UnarchiveOperator { .. }
            | Step::SetLoginPermission { .. } => (None, &[][..]),
        };
        let pending = fields.iter().filter_map(|change| {
            let Some(FieldValue::Reference(Reference::Pending(pending))) = &change.to else {
                return None;
            };
            Some(&pending.item)
        });
        let mut needed = Made::default();
        for item in pending.chain(target) {
            let card = self.cards.get(item).map(|card| (item.clone(), card.clone()));
            let entry = self.entries.get(item).map(|entry| (item.clone(), entry.clone()));
            needed.cards.extend(card);
            needed.entries.extend(entry);
        }
        needed
    }
}

/// What a write gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The card as it is after the write, and the raw answer's modification date in it.
    Card(Box<PersonCard>),
    /// The operator as it is after the write.
    Operator(Box<OperatorCard>),
    /// The new entry's id.
    Entry(Box<str>),
}

/// Writes TOPdesk. One request per call, one attempt; when to try again is the engine's decision.
pub trait TargetWriter: Send + Sync {
    /// The right to send one request now. Dropping it gives it back.
    type Turn<'a>: Send
    where
        Self: 'a;

    /// Waits until a request may leave: pace, and pauses that TOPdesk asked for. It comes before the intent, so that
    /// nothing waits between its intent and its request. May be given up at any time.
    fn turn(&self) -> impl Future<Output = Self::Turn<'_>> + Send;

    /// Sends one step, at once. `made` resolves references to what earlier changes made.
    fn send<'a>(
        &'a self,
        turn: Self::Turn<'a>,
        intent: IntentId,
        step: &Step,
        made: &Made,
    ) -> impl Future<Output = Result<Written, WriteError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::field::PendingRef;
    use crate::core::plan::FieldChange;

    #[test]
    fn a_step_is_given_what_it_refers_to_and_no_more() {
        let made = Made {
            cards: ["card", "manager", "other"]
                .map(|item| (item.into(), item.into()))
                .into(),
            entries: ["branch", "unused"].map(|item| (item.into(), item.into())).into(),
        };
        let pending = |field, item: &str| FieldChange {
            field,
            from: None,
            to: Some(FieldValue::Reference(Reference::Pending(PendingRef {
                item: item.into(),
                label: "".into(),
            }))),
        };
        let step = Step::PatchCard {
            card: CardTarget::MadeBy("card".into()),
            fields: vec![
                pending(CardField::Manager, "manager"),
                pending(CardField::Branch, "branch"),
            ],
        };
        let needed = made.needed_by(&step);
        assert_eq!(
            needed.cards.keys().map(ItemId::as_str).collect::<Vec<_>>(),
            ["card", "manager"]
        );
        assert_eq!(
            needed.entries.keys().map(ItemId::as_str).collect::<Vec<_>>(),
            ["branch"]
        );
        let archive = Step::ArchiveCard {
            card: "c".into(),
            reason: None,
        };
        assert!(made.needed_by(&archive).cards.is_empty());
    }
}
