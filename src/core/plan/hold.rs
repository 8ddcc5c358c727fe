//! Why an item waits for a human, or for its cause to go away (RULES 8). The guard and the planner's own doubts use it.

mod words;

pub(crate) use self::words::strange_writes;
pub use self::words::{mark_name, shared_marks, work_left};

use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId, OperatorId, SourceName};
use crate::core::plan::short_hash;
use crate::core::rules::policy::BudgetClass;
use crate::core::rules::window::Window;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a rolling window holds already.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SentBefore {
    pub items: u64,
    pub window: Window,
    /// When the whole class fits again, in the configured zone; `None` where it never does.
    pub room: Option<String>,
}

/// Why an item needs a human. The text of each is in [`HoldReason::explain`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum HoldReason {
    /// The class has more items than its limit; it is held whole.
    OverBudget {
        class: BudgetClass,
        count: u64,
        limit: u64,
        base: u64,
        /// What was sent before, where this plan alone would fit.
        #[serde(default)]
        before: Option<SentBefore>,
        /// How many of them wait anyway, where the others fit and pass: then the class is not held, these would exceed it.
        #[serde(default, skip_serializing_if = "is_zero")]
        waiting: u64,
    },
    /// First contact with this environment: what stands there already waits.
    FirstContact,
    /// The configuration changed and this is what the change brought.
    ConfigChanged,
    /// This version of cardsync decides otherwise than the last one.
    DecisionChanged,
    /// A card without a key, or with the key of nobody, resembles this person.
    AdoptOrCreate {
        cards: Vec<CardId>,
        agree: BTreeSet<CardField>,
    },
    /// A card without a key that has the operator of somebody who resembles this person.
    Twin { card: CardId, agree: BTreeSet<CardField> },
    /// A person without a card and a card without a person, or a leaver's, look like one human under a new number.
    SamePerson {
        card: CardId,
        agree: BTreeSet<CardField>,
        /// The directory id agrees.
        anchor: bool,
    },
    /// The number agrees and nothing else does.
    AnotherPerson,
    /// Two cards have each other's number.
    ExchangedNumbers,
    /// The key is written like no other key of its source and of the cards.
    OddKey { source: SourceName },
    /// A card with another key has this newcomer's full name and more: a second card of one human?
    SecondCard {
        cards: Vec<CardId>,
        agree: BTreeSet<CardField>,
        /// Such a card bears the number of somebody else, who does not resemble it.
        misplaced: bool,
    },
    /// The card bears this number, and what stands on it is somebody else's of the sources, who has no card.
    SomebodyElsesCard { agree: BTreeSet<CardField> },
    /// The ledger knows a card of this person that has changed behind our back.
    Drift { card: CardId, what: Drift },
    /// The date that is evidence of leaving is not taken at its word. `what`: the date and what is odd about it.
    DoubtfulDate { what: String },
    /// Absent, linked to an operator, and another source still has them. `what`: which source, and where.
    StillListed { what: String },
    /// Whether an operator is linked could not be proven.
    OperatorUnproven,
    /// A needed enrich source was not usable.
    NeedsSource { source: SourceName },
    /// The rehire policy says: a human decides.
    Rehire,
    /// Somebody else archived the card of somebody who works here, or changed it after cardsync had archived it.
    ArchivedByHand { changed: bool },
    /// Somebody who has left resembles a card without a number, or with one that nobody of the sources has.
    LeaverWithoutNumber {
        card: CardId,
        agree: BTreeSet<CardField>,
        /// What stands on the card instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<Box<str>>,
    },
    /// An earlier change that this one needs is held.
    DependsOn { item: ItemId },
    /// It needs an item of another person, which `--only` leaves out.
    NotAlone { item: ItemId },
    /// This and another item look like one human.
    PairedWith { item: ItemId },
    /// The same, and the other item is done or was not judged in this run; `card`: the one that it made, or archived.
    OtherHalf { item: ItemId, card: Option<CardId> },
    /// The TOPdesk read was not good enough for this.
    TargetDegraded,
    /// What said that this person leaves, or is out of scope, vanished for many people at once.
    EvidenceVanished,
    /// A create of this key was sent and its answer lost.
    InDoubt,
    /// The clock is doubted, and this depends on the time.
    ClockDoubted,
    /// Cards bear our signature and this store does not know of the writes.
    StrangeWrites {
        cards: u64,
        examples: Vec<CardId>,
        /// What to approve once it is known what they are.
        item: ItemId,
    },
    /// Of several things that exclude each other more than one would pass.
    OneOf {
        /// The others.
        items: Vec<ItemId>,
    },
    /// Something that excludes it is approved, and passes.
    Answered { item: ItemId },
    /// Somebody said no, and the item has not changed since.
    Rejected {
        by: String,
        note: Option<String>,
        /// Said long ago: it is asked once more whether it still holds.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// Somebody had said yes, and somebody else has changed the card after it: the yes was for another card.
    ApprovalEnded {
        by: String,
        changed_at: DateTime<Utc>,
        /// The same in the configured zone, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<String>,
    },
    /// Somebody had said yes, and what was shown then is not what is shown now. `what`: the difference, nothing personal.
    ApprovalOutdated { by: String, what: String },
    /// The card or its operators were not as judged when they were read again right before the write.
    ChangedSinceJudged { what: String },
    /// TOPdesk refused to archive or wake the operator: the account has no right on operators.
    OperatorArchiveRefused,
    /// The card is active again, and TOPdesk refused to wake this operator: the account has no right on operators.
    OperatorWakeRefused { operator: OperatorId },
    /// It takes the last active operator of these operator groups along.
    LastOperator { groups: Vec<Box<str>> },
    /// Whether it takes the last active operator of a group along could not be read.
    GroupsUnreadable { why: String },
    /// It archives an operator who is still the manager of others.
    WorkLeft {
        /// On how many active cards; `None`: it could not be read.
        manager_of: Option<u64>,
        /// Keys of some of them, ids where there is no key.
        examples: Vec<Box<str>>,
    },
    /// TOPdesk refused to change the log-in of the operator: the account has no such right.
    OperatorLoginRefused,
    /// TOPdesk never archives this operator through the API: an administrator, or the account itself.
    OperatorProtected,
    /// Somebody took the same thing back with `undo`.
    Undone { by: String, at: DateTime<Utc> },
    /// A change of several requests could not be finished and was driven to its safe end.
    DrivenBack { what: String },
    /// TOPdesk refused to change the archived card.
    ArchivedCardRefused {
        what: String,
        /// An operator is linked, or may be: then the card is not unarchived for it.
        operator: bool,
    },
    /// A change of several requests was cut off half-way and its safe end has not been reached.
    HalfDone,
    /// The card is archived, and these operators are active all the same.
    OperatorStaysActive { operators: Vec<OperatorId> },
    /// TOPdesk itself is not what it was when this was last judged or approved.
    InstallationChanged { what: String },
    /// TOPdesk has refused the same thing in two runs, for what is in it.
    RefusedAgain { what: String },
}

/// What happened to a card of ours in TOPdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    CardMissing,
    KeyEmptied,
    /// An undo took the number off again.
    KeyUndone,
    KeyChanged,
    Anonymized,
    /// cardsync was asked to forget the person; the card is there, without the number.
    Forgotten,
}

/// What an approval must name to lift a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiftedBy {
    /// The item, or its class, action or plan: what is asked concerns all of them alike.
    Class,
    /// The item itself: a doubt about one person, which nobody answers for many.
    Item,
    /// No approval lifts it.
    Nothing,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl HoldReason {
    /// What an approval must name to lift it (RULES 8.5).
    pub fn lifted_by(&self) -> LiftedBy {
        match self {
            HoldReason::OverBudget { class, .. } => match class {
                // Each operator that goes or wakes is one person's access, and what is anonymized never comes back.
                BudgetClass::Operators | BudgetClass::OperatorsWoken | BudgetClass::Anonymize => LiftedBy::Item,
                BudgetClass::Archive
                | BudgetClass::Unarchive
                | BudgetClass::Create
                | BudgetClass::Names
                | BudgetClass::Blanked(_)
                | BudgetClass::Changed(_)
                | BudgetClass::Lookups
                | BudgetClass::Adopt
                | BudgetClass::Keys => LiftedBy::Class,
            },
            HoldReason::FirstContact
            | HoldReason::ConfigChanged
            | HoldReason::DecisionChanged
            | HoldReason::InstallationChanged { .. }
            | HoldReason::Rehire
            | HoldReason::StrangeWrites { .. } => LiftedBy::Class,
            // Who it is, what becomes of an operator, and what somebody has said about this very card.
            HoldReason::AdoptOrCreate { .. }
            | HoldReason::Twin { .. }
            | HoldReason::SamePerson { .. }
            | HoldReason::AnotherPerson
            | HoldReason::ExchangedNumbers
            | HoldReason::OddKey { .. }
            | HoldReason::SecondCard { .. }
            | HoldReason::SomebodyElsesCard { .. }
            | HoldReason::ArchivedByHand { .. }
            | HoldReason::LeaverWithoutNumber { .. }
            | HoldReason::Drift { .. }
            | HoldReason::DoubtfulDate { .. }
            | HoldReason::StillListed { .. }
            | HoldReason::OperatorUnproven
            | HoldReason::EvidenceVanished
            | HoldReason::PairedWith { .. }
            | HoldReason::OtherHalf { .. }
            | HoldReason::OneOf { .. }
            | HoldReason::Rejected { .. }
            | HoldReason::ApprovalEnded { .. }
            | HoldReason::ApprovalOutdated { .. }
            | HoldReason::Undone { .. }
            | HoldReason::ChangedSinceJudged { .. }
            | HoldReason::OperatorArchiveRefused
            | HoldReason::OperatorWakeRefused { .. }
            | HoldReason::OperatorLoginRefused
            | HoldReason::DrivenBack { .. }
            | HoldReason::ArchivedCardRefused { .. }
            | HoldReason::LastOperator { .. }
            | HoldReason::GroupsUnreadable { .. }
            | HoldReason::WorkLeft { .. }
            | HoldReason::RefusedAgain { .. }
            | HoldReason::OperatorStaysActive { .. }
            | HoldReason::OperatorProtected => LiftedBy::Item,
            HoldReason::NeedsSource { .. }
            | HoldReason::DependsOn { .. }
            | HoldReason::NotAlone { .. }
            | HoldReason::Answered { .. }
            | HoldReason::TargetDegraded
            | HoldReason::ClockDoubted
            | HoldReason::InDoubt
            | HoldReason::HalfDone => LiftedBy::Nothing,
        }
    }

    /// Whether an approval can lift it. The others lift themselves when their cause is gone.
    pub fn approvable(&self) -> bool {
        self.lifted_by() != LiftedBy::Nothing
    }

    /// The stable code, as in JSON; a budget's code names its class. An approval waives codes.
    pub fn code(&self) -> String {
        match self {
            HoldReason::OverBudget { class, .. } => format!("over_budget:{class}"),
            HoldReason::FirstContact => "first_contact".to_owned(),
            HoldReason::ConfigChanged => "config_changed".to_owned(),
            HoldReason::DecisionChanged => "decision_changed".to_owned(),
            HoldReason::AdoptOrCreate { .. } => "adopt_or_create".to_owned(),
            HoldReason::Twin { .. } => "twin".to_owned(),
            HoldReason::SamePerson { .. } => "same_person".to_owned(),
            HoldReason::AnotherPerson => "another_person".to_owned(),
            HoldReason::ExchangedNumbers => "exchanged_numbers".to_owned(),
            HoldReason::OddKey { .. } => "odd_key".to_owned(),
            HoldReason::SecondCard { .. } => "second_card".to_owned(),
            HoldReason::SomebodyElsesCard { .. } => "somebody_elses_card".to_owned(),
            HoldReason::Drift { .. } => "drift".to_owned(),
            // Each date is a question of its own: a yes to one says nothing of the next.
            HoldReason::DoubtfulDate { what } => format!("doubtful_date:{}", short_hash(what.as_bytes())),
            HoldReason::StillListed { .. } => "still_listed".to_owned(),
            HoldReason::OperatorUnproven => "operator_unproven".to_owned(),
            HoldReason::NeedsSource { .. } => "needs_source".to_owned(),
            HoldReason::Rehire => "rehire".to_owned(),
            HoldReason::ArchivedByHand { .. } => "archived_by_hand".to_owned(),
            HoldReason::LeaverWithoutNumber { .. } => "leaver_without_number".to_owned(),
            HoldReason::EvidenceVanished => "evidence_vanished".to_owned(),
            HoldReason::DependsOn { .. } => "depends_on".to_owned(),
            HoldReason::NotAlone { .. } => "not_alone".to_owned(),
            // One question, whatever has become of the other half: a yes to it stands.
            HoldReason::PairedWith { .. } | HoldReason::OtherHalf { .. } => "paired_with".to_owned(),
            HoldReason::TargetDegraded => "target_degraded".to_owned(),
            HoldReason::InDoubt => "in_doubt".to_owned(),
            HoldReason::ClockDoubted => "clock_doubted".to_owned(),
            HoldReason::StrangeWrites { .. } => "strange_writes".to_owned(),
            HoldReason::OneOf { .. } => "one_of".to_owned(),
            HoldReason::Answered { .. } => "answered".to_owned(),
            HoldReason::Rejected { .. } => "rejected".to_owned(),
            HoldReason::ApprovalEnded { .. } => "approval_ended".to_owned(),
            HoldReason::ApprovalOutdated { .. } => "approval_outdated".to_owned(),
            HoldReason::ChangedSinceJudged { .. } => "changed_since_judged".to_owned(),
            HoldReason::OperatorArchiveRefused => "operator_archive_refused".to_owned(),
            HoldReason::OperatorWakeRefused { .. } => "operator_wake_refused".to_owned(),
            HoldReason::OperatorLoginRefused => "operator_login_refused".to_owned(),
            HoldReason::LastOperator { .. } => "last_operator".to_owned(),
            HoldReason::GroupsUnreadable { .. } => "groups_unreadable".to_owned(),
            HoldReason::WorkLeft { .. } => "work_left".to_owned(),
            HoldReason::OperatorProtected => "operator_protected".to_owned(),
            // Each undo has its own: what was approved after one is not approved after the next.
            HoldReason::Undone { at, .. } => format!("undone:{}", at.format("%Y-%m-%dT%H:%M:%SZ")),
            HoldReason::DrivenBack { .. } => "driven_back".to_owned(),
            HoldReason::ArchivedCardRefused { .. } => "archived_card_refused".to_owned(),
            HoldReason::HalfDone => "half_done".to_owned(),
            HoldReason::RefusedAgain { .. } => "refused_again".to_owned(),
            HoldReason::OperatorStaysActive { .. } => "operator_stays_active".to_owned(),
            // Each change has its own: what was approved after one is not approved after the next.
            HoldReason::InstallationChanged { what } => {
                format!(
                    "installation_changed:{}",
                    crate::core::plan::short_hash(what.as_bytes())
                )
            }
        }
    }
}

/// Stands for the card of somebody who was purged.
pub const PURGED: &str = "purged";
