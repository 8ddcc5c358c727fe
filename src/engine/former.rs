//! The configuration of the last full run beside the new one (RULES 8.3): what it would have planned from the same reads.
//! What both plans contain goes on; what only the new one contains waits.

use crate::core::input::{FormerPlan, PlanInput};
use crate::core::memory::decision::{Contact, SeenConfig};
use crate::core::model::ids::{CardId, SourceName};
use crate::core::plan::Plan;
use crate::core::planner::plan;
use crate::core::reads::snapshot::{Effect, Finding, Role, Snapshot};
use crate::core::rules::lists::hold_the_people;
use crate::core::rules::policy::Policy;
use crate::mapping::Mapping;
use std::collections::{BTreeMap, BTreeSet};

/// How one source is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReading {
    pub name: SourceName,
    pub role: Role,
    /// Everything that decides which records come, with what key and values: path, filter, base, encoding. Only compared.
    pub rule: String,
}

/// How everything is read under one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingRules {
    /// In configuration order.
    pub sources: Vec<SourceReading>,
    /// What decides how much of TOPdesk is seen and believed. Only compared.
    pub target: String,
    /// TOPdesk query for protected cards.
    pub protect_query: Option<String>,
}

impl ReadingRules {
    fn source(&self, name: &SourceName) -> Option<&SourceReading> {
        self.sources.iter().find(|source| source.name == *name)
    }
}

/// A configuration that was in force before, ready to plan.
#[derive(Debug)]
pub struct Former {
    pub policy: Policy,
    pub mapping: Mapping,
    pub rules: ReadingRules,
}

/// A former configuration and what was read for it besides.
pub struct FormerReadings {
    pub former: Former,
    /// Sources whose read it judges otherwise: as it would have judged them.
    pub judged_otherwise: BTreeMap<SourceName, Snapshot>,
    /// Cards that its own query protects.
    pub protected: BTreeSet<CardId>,
}

/// The text of the configuration that a full run has seen, where the one in force is to be compared with it. A plan of
/// another decision version cannot be made any more: the code that made it is gone.
pub(crate) fn to_compare<'a>(contact: &'a Contact, policy: &Policy) -> Option<&'a str> {
    let SeenConfig {
        config_hash,
        decision_version,
        config,
    } = contact.seen.as_ref()?;
    let comparable = *config_hash != policy.config_hash && *decision_version == policy.decision_version;
    config.as_deref().filter(|_| comparable)
}

impl Former {
    /// Whether a source is read now as it was then. One that is not says nothing of what it would have said.
    pub(crate) fn reads_alike(&self, source: &SourceName, now: &ReadingRules) -> bool {
        self.rules.source(source).is_some() && self.rules.source(source) == now.source(source)
    }

    /// The attributes that it needs of a source beyond those that are read anyway.
    pub(crate) fn more_attributes(
        &self,
        source: &SourceName,
        now: &ReadingRules,
        read: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let wanted = self.mapping.references().get(source);
        match wanted.filter(|_| self.reads_alike(source, now)) {
            Some(wanted) => wanted.difference(read).cloned().collect(),
            None => BTreeSet::new(),
        }
    }
}

impl FormerReadings {
    /// The plan under the former configuration, from the reads of `input`, which is as before afterwards. Reads are moved
    /// and not copied: they may be those of a million people. `None` where TOPdesk itself was read otherwise.
    pub fn plan(self, input: &mut PlanInput, now: &ReadingRules) -> Option<Plan> {
        let Self {
            former,
            mut judged_otherwise,
            protected,
        } = self;
        if former.rules.target != now.target {
            return None;
        }
        let order: Vec<SourceName> = input
            .snapshots
            .iter()
            .map(|snapshot| snapshot.summary.name.clone())
            .collect();
        let mut read: BTreeMap<SourceName, Snapshot> = std::mem::take(&mut input.snapshots)
            .into_iter()
            .map(|snapshot| (snapshot.summary.name.clone(), snapshot))
            .collect();
        let mut lent = BTreeSet::new();
        for source in &former.rules.sources {
            let alike = former.reads_alike(&source.name, now);
            let otherwise = judged_otherwise.remove(&source.name);
            let snapshot = if !alike {
                unknown(source, input)
            } else if let Some(otherwise) = otherwise {
                otherwise
            } else if let Some(same) = read.remove(&source.name) {
                lent.insert(source.name.clone());
                same
            } else {
                unknown(source, input)
            };
            input.snapshots.push(snapshot);
        }
        let mut policy = former.policy;
        policy.protected.cards.extend(protected);
        // A field that is not read from TOPdesk would look empty on every card.
        policy.fields.retain(|field, _| input.policy.fields.contains_key(field));
        let policy = std::mem::replace(&mut input.policy, policy);
        hold_the_people(input);
        let made = plan(input, &former.mapping);
        input.policy = policy;
        let back = std::mem::take(&mut input.snapshots).into_iter();
        read.extend(
            back.filter(|snapshot| lent.contains(&snapshot.summary.name))
                .map(|snapshot| (snapshot.summary.name.clone(), snapshot)),
        );
        input.snapshots = order.iter().filter_map(|name| read.remove(name)).collect();
        Some(made)
    }
}

/// What is kept of such a plan.
pub(crate) fn kept(plan: &Plan) -> FormerPlan {
    FormerPlan {
        items: plan.changes.iter().map(|change| change.id.clone()).collect(),
        counting_absent: plan.counting_absent.clone(),
    }
}

/// A source that is read otherwise now, or not at all: what it would have said is not known.
fn unknown(source: &SourceReading, input: &PlanInput) -> Snapshot {
    let finding = Finding::new(
        "read_otherwise",
        Effect::Reject,
        format!("{} is not read any more as the former configuration says", source.name),
        "",
    );
    Snapshot::unreadable(source.name.clone(), source.role, input.moment.now, finding)
}
