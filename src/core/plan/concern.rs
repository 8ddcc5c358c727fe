//! What needs a human and is no item to approve (RULES 8.7): conflicts, records that cannot be used, people of whom it is not
//! known whether they leave, doubts on reads, anonymizations that nobody does. Together with the held items it is one list.
//!
//! A concern goes by what it is about and by what that says, never by where it stands in a file or what time it is: the same
//! question has the same id from run to run, so that it is told once when it is new and once when it is solved. Another value
//! behind it, another operator or another read is another question: nobody has said of that that it is known.

mod find;
mod half_way;
mod marks;
mod words;

pub use self::find::{concerns, in_order};
pub use self::half_way::half_way;

use crate::core::model::card::OperatorLink;
use crate::core::model::ids::{CardId, ItemId, SourceName};
use crate::core::model::key::Key;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who can settle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressee {
    /// Who keeps the people: records in files.
    Hr,
    /// Who runs cardsync, its reads and the directory.
    It,
    /// Who manages the cards in TOPdesk.
    Desk,
    /// Who answers for personal data.
    Privacy,
}

impl Addressee {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Addressee; 4] = [Addressee::Hr, Addressee::It, Addressee::Desk, Addressee::Privacy];

    /// The word, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Addressee::Hr => "hr",
            Addressee::It => "it",
            Addressee::Desk => "desk",
            Addressee::Privacy => "privacy",
        }
    }
}

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcernCode {
    /// A change of several requests that was begun and not finished.
    HalfWay,
    /// Of nobody it is known whether they leave.
    NobodyJudged,
    /// A read that may not be used, or a list in it.
    ReadRejected,
    /// A read that may be used in part only.
    ReadDoubted,
    ClockDoubted,
    LeavingUnknown,
    ScopeUnknown,
    StartUnknown,
    /// No record, and a source cannot say whether the person is gone.
    AbsenceUnknown,
    /// Somebody who leaves, and whose card a human made active again.
    LeaverAwake,
    /// Somebody who has left, and a card without a number, or with nobody's, that may be theirs.
    LeaverMayHaveCard,
    /// A card of ours that is active, and that lost its key or has another one.
    CardChanged,
    /// A card without a key that may be the person's as well.
    PossibleTwin,
    DuplicateKey,
    TwoActiveCards,
    SeveralArchivedCards,
    /// A record that cannot be used at all.
    RecordRejected,
    /// A record whose fields cannot be used.
    FieldsRejected,
    RecordWithoutKey,
    /// A source that adds has the person several times: what it says is not known.
    SeveralRecords,
    /// A number on a list that no card has.
    ListedWithoutCard,
    /// The time is over: a human anonymizes the card in TOPdesk.
    AnonymizationDue,
    /// The time is over, or not known, and something keeps them.
    AnonymizationWaits,
}

impl ConcernCode {
    /// Every code, in the order in which they are shown.
    pub const ALL: [ConcernCode; 23] = [
        ConcernCode::HalfWay,
        ConcernCode::NobodyJudged,
        ConcernCode::ReadRejected,
        ConcernCode::ReadDoubted,
        ConcernCode::ClockDoubted,
        ConcernCode::LeavingUnknown,
        ConcernCode::ScopeUnknown,
        ConcernCode::StartUnknown,
        ConcernCode::AbsenceUnknown,
        ConcernCode::LeaverAwake,
        ConcernCode::LeaverMayHaveCard,
        ConcernCode::CardChanged,
        ConcernCode::PossibleTwin,
        ConcernCode::DuplicateKey,
        ConcernCode::TwoActiveCards,
        ConcernCode::SeveralArchivedCards,
        ConcernCode::RecordRejected,
        ConcernCode::FieldsRejected,
        ConcernCode::RecordWithoutKey,
        ConcernCode::SeveralRecords,
        ConcernCode::ListedWithoutCard,
        ConcernCode::AnonymizationDue,
        ConcernCode::AnonymizationWaits,
    ];

    /// The code, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            ConcernCode::HalfWay => "half_way",
            ConcernCode::NobodyJudged => "nobody_judged",
            ConcernCode::ReadRejected => "read_rejected",
            ConcernCode::ReadDoubted => "read_doubted",
            ConcernCode::ClockDoubted => "clock_doubted",
            ConcernCode::LeavingUnknown => "leaving_unknown",
            ConcernCode::ScopeUnknown => "scope_unknown",
            ConcernCode::StartUnknown => "start_unknown",
            ConcernCode::AbsenceUnknown => "absence_unknown",
            ConcernCode::LeaverAwake => "leaver_awake",
            ConcernCode::LeaverMayHaveCard => "leaver_may_have_card",
            ConcernCode::CardChanged => "card_changed",
            ConcernCode::PossibleTwin => "possible_twin",
            ConcernCode::DuplicateKey => "duplicate_key",
            ConcernCode::TwoActiveCards => "two_active_cards",
            ConcernCode::SeveralArchivedCards => "several_archived_cards",
            ConcernCode::RecordRejected => "record_rejected",
            ConcernCode::FieldsRejected => "fields_rejected",
            ConcernCode::RecordWithoutKey => "record_without_key",
            ConcernCode::SeveralRecords => "several_records",
            ConcernCode::ListedWithoutCard => "listed_without_card",
            ConcernCode::AnonymizationDue => "anonymization_due",
            ConcernCode::AnonymizationWaits => "anonymization_waits",
        }
    }
}

impl fmt::Display for ConcernCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that needs a human.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// The same from run to run, whatever line it stands in, as long as what it is about says the same.
    pub id: ItemId,
    pub code: ConcernCode,
    #[serde(rename = "for")]
    pub addressee: Addressee,
    pub key: Option<Key>,
    pub person_id: Option<CardId>,
    /// First name and surname as the card has them, for whoever looks into it.
    pub name: Option<String>,
    /// The operator that is concerned.
    pub operator: OperatorLink,
    /// Where it stands: source and line or DN, cards.
    pub places: Vec<String>,
    /// What is wrong.
    pub what: String,
    /// What settles it.
    pub cure: String,
    /// The item to approve where the cure is an approval: a doubted read that is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<ItemId>,
    /// Somebody said that it is known and may stay: it is quiet until it is gone or another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<String>,
}

impl Concern {
    /// Whether a decision about this item is one about it: whoever does not accept a read knows of it.
    pub fn is_answered_by(&self, item: &ItemId) -> bool {
        self.id == *item || self.acceptance.as_ref() == Some(item)
    }

    /// Whether it waits for somebody.
    pub fn is_open(&self) -> bool {
        self.rejected_by.is_none()
    }

    /// Whether every run knows it, also one that can judge nobody: a read, the clock, what was left half-way.
    pub fn is_about_the_run(&self) -> bool {
        matches!(
            self.code,
            ConcernCode::ReadRejected | ConcernCode::ReadDoubted | ConcernCode::ClockDoubted | ConcernCode::HalfWay
        )
    }

    /// The source that was read, where it is about that.
    pub fn source(&self) -> Option<SourceName> {
        match self.code {
            ConcernCode::ReadRejected | ConcernCode::ReadDoubted => {
                self.places.first().map(|name| SourceName::new(name.as_str()))
            }
            _other => None,
        }
    }

    /// Whether it is what became of another one: the same is the matter with the same person, record or read.
    pub fn follows(&self, earlier: &Concern) -> bool {
        let named = self.key.is_some() || self.person_id.is_some();
        let same_place = named || !self.places.is_empty() && self.places == earlier.places;
        self.code == earlier.code && self.key == earlier.key && self.person_id == earlier.person_id && same_place
    }

    /// Whether an operator goes on with rights that may be over.
    pub fn concerns_operator(&self) -> bool {
        match self.operator {
            OperatorLink::Active { .. } => true,
            OperatorLink::Archived { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven => false,
        }
    }
}
