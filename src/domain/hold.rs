//! Why an item waits for a human, or for its cause to go away (RULES 8). The guard and the planner's own doubts use it.

use super::field::CardField;
use super::ids::{CardId, ItemId, SourceName};
use super::policy::BudgetClass;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// The number agrees and nothing else does.
    AnotherPerson,
    /// The ledger knows a card of this person that has changed behind our back.
    Drift { card: CardId, what: Drift },
    /// Whether an operator is linked could not be proven.
    OperatorUnproven,
    /// A needed enrich source was not usable.
    NeedsSource { source: SourceName },
    /// The rehire policy says: a human decides.
    Rehire,
    /// An earlier change that this one needs is held.
    DependsOn { item: ItemId },
    /// This and another item look like one human.
    PairedWith { item: ItemId },
    /// The TOPdesk read was not good enough for this.
    TargetDegraded,
    /// A create of this key was sent and its answer lost.
    InDoubt,
    /// Somebody said no, and the item has not changed since.
    Rejected { by: String, note: Option<String> },
    /// The card or its operators were not as judged when they were read again right before the write.
    ChangedSinceJudged { what: String },
    /// TOPdesk refused to archive the operator with the card.
    OperatorArchiveRefused,
}

/// What happened to a card of ours in TOPdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    CardMissing,
    KeyEmptied,
    KeyChanged,
    Anonymized,
}

impl HoldReason {
    /// Whether an approval can lift it. The others lift themselves when their cause is gone.
    pub fn approvable(&self) -> bool {
        match self {
            HoldReason::OverBudget { .. }
            | HoldReason::FirstContact
            | HoldReason::ConfigChanged
            | HoldReason::DecisionChanged
            | HoldReason::AdoptOrCreate { .. }
            | HoldReason::AnotherPerson
            | HoldReason::Drift { .. }
            | HoldReason::OperatorUnproven
            | HoldReason::Rehire
            | HoldReason::PairedWith { .. }
            | HoldReason::Rejected { .. }
            | HoldReason::ChangedSinceJudged { .. }
            | HoldReason::OperatorArchiveRefused => true,
            HoldReason::NeedsSource { .. }
            | HoldReason::DependsOn { .. }
            | HoldReason::TargetDegraded
            | HoldReason::InDoubt => false,
        }
    }

    /// The stable code, as in JSON; a budget's code names its class. An approval waives codes.
    pub fn code(&self) -> String {
        match self {
            HoldReason::OverBudget { class, .. } => format!("over_budget:{class}"),
            HoldReason::FirstContact => "first_contact".to_owned(),
            HoldReason::ConfigChanged => "config_changed".to_owned(),
            HoldReason::DecisionChanged => "decision_changed".to_owned(),
            HoldReason::AdoptOrCreate { .. } => "adopt_or_create".to_owned(),
            HoldReason::AnotherPerson => "another_person".to_owned(),
            HoldReason::Drift { .. } => "drift".to_owned(),
            HoldReason::OperatorUnproven => "operator_unproven".to_owned(),
            HoldReason::NeedsSource { .. } => "needs_source".to_owned(),
            HoldReason::Rehire => "rehire".to_owned(),
            HoldReason::DependsOn { .. } => "depends_on".to_owned(),
            HoldReason::PairedWith { .. } => "paired_with".to_owned(),
            HoldReason::TargetDegraded => "target_degraded".to_owned(),
            HoldReason::InDoubt => "in_doubt".to_owned(),
            HoldReason::Rejected { .. } => "rejected".to_owned(),
            HoldReason::ChangedSinceJudged { .. } => "changed_since_judged".to_owned(),
            HoldReason::OperatorArchiveRefused => "operator_archive_refused".to_owned(),
        }
    }
}
