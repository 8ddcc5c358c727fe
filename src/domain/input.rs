//! Everything a plan is made of. The same input gives the same plan, byte for byte.

use super::card::TargetSnapshot;
use super::clock::ClockJudgement;
use super::decision::{Contact, Decision};
use super::identity::Moment;
use super::ids::{CardId, EnvironmentId, ItemId};
use super::key::Key;
use super::ledger::LedgerEntry;
use super::policy::Policy;
use super::snapshot::Snapshot;
use super::window::BudgetUsed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The input of [`super::planner::plan`] and [`super::guard::judge`]. It is kept after a run and read again, so that the same
/// plan can be made later; nothing else may flow into the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanInput {
    pub environment: EnvironmentId,
    pub policy: Policy,
    pub moment: Moment,
    /// Whether the moment can be believed.
    #[serde(default)]
    pub clock: ClockJudgement,
    /// One per configured source, in configuration order.
    pub snapshots: Vec<Snapshot>,
    pub target: TargetSnapshot,
    pub ledger: BTreeMap<CardId, LedgerEntry>,
    /// The decision in force per item.
    pub decisions: BTreeMap<ItemId, Decision>,
    pub contact: Contact,
    /// What was sent in the rolling windows of the budgets.
    pub budget_used: BudgetUsed,
    /// Keys of creates whose answer was lost and that no later read has settled.
    pub in_doubt: BTreeSet<Key>,
    /// Keys of people whose card was anonymized and purged: recognised by their keyed hash.
    pub purged_keys: BTreeSet<Key>,
}
