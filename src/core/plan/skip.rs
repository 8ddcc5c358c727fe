//! Those to whom nothing happens, and why.

use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use serde::{Deserialize, Serialize};

/// Why nothing happens to somebody. That is output, not a log line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skip {
    pub reason: SkipReason,
    pub key: Option<Key>,
    pub card: Option<CardId>,
    /// Dates, counts and names of fields; no personal data.
    pub detail: String,
    /// A hash of what it goes by beside key and card; blank: of nothing else. Whoever it is, another value is another question.
    #[serde(skip)]
    pub mark: String,
}

/// Why nothing happens to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// On the protect list.
    Protected,
    /// On the protect list or on legal hold by a number that no card has or had: nobody is held by it.
    ListedWithoutCard,
    /// Linked to an API account, a TOPdesk account or cardsync's own account.
    SpecialAccount,
    OutOfScope,
    ScopeUnknown,
    /// Somebody else, a person or a program, unarchived a card that was archived.
    UnarchivedByHand,
    /// Evidence of leaving that has not held long enough.
    LeavingLater,
    /// Stays today, and the leaver condition will hold on a date that is known.
    LeavesOn,
    /// Between two contracts: the card stays as it is until the next one begins.
    NextContract,
    /// Starts on a date to come: no card is made, or made active again, before its time.
    StartsLater,
    /// When they start is not known: no card is made, or made active again, and no access given.
    StartUnknown,
    /// Has left and has no card: none is made.
    LeftWithoutCard,
    /// Has left, and a card without a number, or with nobody's, may be theirs; not sure enough to offer.
    LeaverMayHaveCard,
    /// Whether they leave is not known.
    LeavingUnknown,
    /// Absent, but not often or long enough.
    MissingNotYet,
    /// A source cannot say whether they are absent.
    AbsenceUnknown,
    /// Absent, but linked to an operator, and a second source could not be read.
    SecondSource,
    /// Absent, but a record that cannot be used may be theirs.
    Shielded,
    /// A card of ours changed behind our back.
    Drift,
    /// Archived cards that share the key of the active one.
    ArchivedTwin,
    /// A card without a key that may be the same person's, where that is not sure enough to offer.
    PossibleTwin,
    /// A source that adds has several records of the person: what it says is not known.
    SeveralRecords,
    /// A field is left as it is.
    FieldLeft,
    /// Another card holds the login.
    LoginHeld,
    /// The manager is not known.
    ManagerUnknown,
    /// A read of TOPdesk that is not good enough.
    TargetDegraded,
    /// A card of ours was deleted in TOPdesk.
    CardDeleted,
    /// Due: a human anonymizes the card in TOPdesk.
    AnonymizeInTopdesk,
    /// Due, or without a known date, and something keeps them.
    AnonymizationWaits,
    /// On the legal-hold list.
    LegalHold,
}
