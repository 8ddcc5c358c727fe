//! Everything a plan is made of. The same input gives the same plan, byte for byte.

use crate::core::memory::decision::{Contact, Decision, SetAside};
use crate::core::memory::ledger::{KnownWrites, LedgerEntry};
use crate::core::memory::pin::Pin;
use crate::core::model::card::TargetSnapshot;
use crate::core::model::groups::GroupsRead;
use crate::core::model::identity::Moment;
use crate::core::model::ids::{CardId, EnvironmentId, ItemId, SourceName};
use crate::core::model::key::Key;
use crate::core::plan::safe_end::HalfDone;
use crate::core::reads::clock::ClockJudgement;
use crate::core::reads::snapshot::{Role, Snapshot};
use crate::core::rules::policy::Policy;
use crate::core::rules::window::BudgetUsed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a plan under the former configuration contains (RULES 8.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerPlan {
    pub items: BTreeSet<ItemId>,
    /// Cards whose person leaves or is absent under it too, but not yet often or long enough.
    pub counting_absent: BTreeSet<CardId>,
}

/// The input of [`crate::core::planner::plan`] and [`crate::core::guard::judge`]. It is kept after a run and read again, so that the same
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
    /// What the configuration before this one would have planned from the same reads, where it has changed and that can
    /// be known.
    #[serde(default)]
    pub former: Option<FormerPlan>,
    /// What was sent in the rolling windows of the budgets.
    pub budget_used: BudgetUsed,
    /// Items that an earlier run set aside while it applied them.
    #[serde(default)]
    pub set_aside: BTreeMap<ItemId, SetAside>,
    /// The groups of the operators that the plan touches. The planner does not look at them: they are read after it.
    #[serde(default)]
    pub groups: GroupsRead,
    /// Keys of creates whose answer was lost and that no later read has settled.
    pub in_doubt: BTreeSet<Key>,
    /// Keys of people whose card was anonymized and purged: recognised by their keyed hash.
    pub purged_keys: BTreeSet<Key>,
    /// Of these, those whose card was not anonymized: the person was forgotten at their wish, and the card may still be there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forgotten_cards: BTreeMap<Key, CardId>,
    /// What an undo took back and is not done again by itself.
    #[serde(default)]
    pub pins: Vec<Pin>,
    /// Changes that were cut off half-way and have not reached their safe end.
    #[serde(default)]
    pub half_done: BTreeSet<HalfDone>,
    /// What this store knows of its own writes.
    #[serde(default)]
    pub writes: KnownWrites,
}

impl PlanInput {
    /// The authoritative sources that have a record with this key, by a read that can be used.
    pub fn sources_of(&self, key: &Key) -> Vec<SourceName> {
        let deciding = self.snapshots.iter().filter(|snapshot| {
            snapshot.summary.role == Some(Role::Authoritative)
                && !snapshot.is_rejected()
                && !snapshot.with_key(key).is_empty()
        });
        deciding.map(|snapshot| snapshot.summary.name.clone()).collect()
    }
}
