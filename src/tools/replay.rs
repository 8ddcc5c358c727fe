//! A past plan made again from its kept input, under its own configuration or another one. Pure: no server is asked.

use crate::core::input::PlanInput;
use crate::core::model::field::CardField;
use crate::core::model::ids::SourceName;
use crate::core::reads::snapshot::{Effect, Finding, Role, Snapshot};
use crate::core::rules::lists::hold_the_people;
use crate::core::rules::policy::Policy;
use crate::engine::inputs::KeptInput;
use crate::engine::run::Planned;
use crate::mapping::Mapping;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Another configuration, as far as it decides a plan.
pub struct OtherConfig<'a> {
    pub policy: Policy,
    pub mapping: &'a Mapping,
    /// Every configured source, in configuration order.
    pub sources: Vec<(SourceName, Role)>,
}

/// What the run read and the other configuration cannot be answered with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key is another one in this configuration (key.card_field or key.normalize): the two plans would speak of other people; \
     replay under a configuration with the same key"
)]
pub struct OtherKey;

/// The plan made again under its own configuration; `mapping` is that of the kept configuration.
pub fn again(kept: &KeptInput, mapping: &Mapping) -> Planned {
    Planned::new(Arc::clone(&kept.input), mapping)
}

/// The plan that the same reads would have given under another configuration, and what must be known to read it.
pub fn under(kept: &KeptInput, other: OtherConfig<'_>) -> Result<(Planned, Vec<String>), OtherKey> {
    let OtherConfig {
        policy,
        mapping,
        sources,
    } = other;
    let before = &kept.input;
    if policy.key.card_field != before.policy.key.card_field || policy.key.normalise != before.policy.key.normalise {
        return Err(OtherKey);
    }
    let mut notes = Vec::new();
    let snapshots = as_configured(before, sources, &mut notes);
    for (source, wanted) in mapping.references() {
        let snapshot = snapshots.iter().find(|snapshot| snapshot.summary.name == *source);
        let Some(snapshot) = snapshot.filter(|snapshot| !snapshot.is_rejected()) else {
            continue;
        };
        let lacking = wanted
            .iter()
            .filter(|name| snapshot.attributes.position(name).is_none());
        let lacking: Vec<&str> = lacking.map(String::as_str).collect();
        if !lacking.is_empty() {
            let lacking = lacking.join(", ");
            notes.push(format!(
                "{source}: {lacking} was not read in that run and counts as not known"
            ));
        }
    }
    let policy = answerable(policy, before, &mut notes);
    let mut input = PlanInput {
        policy,
        snapshots,
        ..PlanInput::clone(before)
    };
    hold_the_people(&mut input);
    Ok((Planned::new(input, mapping), notes))
}

/// The snapshots that the other configuration would have had: its sources, with its roles. A source that was not read then
/// is as one that cannot be read.
fn as_configured(input: &PlanInput, sources: Vec<(SourceName, Role)>, notes: &mut Vec<String>) -> Vec<Snapshot> {
    let mut read: BTreeMap<&SourceName, &Snapshot> = input
        .snapshots
        .iter()
        .map(|snapshot| (&snapshot.summary.name, snapshot))
        .collect();
    let mut snapshots = Vec::with_capacity(sources.len());
    for (name, role) in sources {
        match read.remove(&name) {
            Some(snapshot) => {
                let mut snapshot = snapshot.clone();
                snapshot.summary.role = Some(role);
                snapshots.push(snapshot);
            }
            None => {
                notes.push(format!("source {name} was not read in that run: it counts as rejected"));
                let finding = Finding::new(
                    "not_recorded",
                    Effect::Reject,
                    "this source was not read in the run that is replayed",
                    "make a plan with the configuration instead: cardsync plan",
                );
                snapshots.push(Snapshot::unreadable(name, role, input.moment.now, finding));
            }
        }
    }
    notes.extend(
        read.keys()
            .map(|name| format!("source {name} is not in this configuration: left out")),
    );
    notes.push(
        "a source is taken as it was read and judged then: other paths, filters, key columns and expectations change nothing here"
            .to_owned(),
    );
    snapshots
}

/// Without the fields that were not read from TOPdesk: they would all look empty.
fn answerable(mut policy: Policy, input: &PlanInput, notes: &mut Vec<String>) -> Policy {
    let unread: BTreeSet<CardField> = policy
        .fields
        .keys()
        .copied()
        .filter(|field| !input.policy.fields.contains_key(field))
        .collect();
    for field in &unread {
        policy.fields.remove(field);
        notes.push(format!("{field} was not read from TOPdesk in that run: left out"));
    }
    // Cards that a query of the configuration named then; it cannot be asked now.
    policy
        .protected
        .cards
        .extend(input.policy.protected.cards.iter().cloned());
    policy
}
