//! Canaries that are about to leave: named while there is time to choose others. A canary that leaves is missed by every
//! read that follows.

use crate::core::model::identity::{Describe, Moment, Truth};
use crate::core::model::key::Key;
use crate::core::reads::merge::{Member, Person, Population};
use crate::core::reads::snapshot::{Effect, Finding, Snapshot};
use crate::core::rules::contracts::Contracts;
use crate::core::rules::policy::Policy;
use chrono::{Duration, NaiveDate};
use std::collections::BTreeMap;

/// So many days ahead.
const AHEAD: i64 = 30;

/// Notes in each read which of its canaries leave soon.
pub fn name_leavers(snapshots: &mut [Snapshot], policy: &Policy, describe: &dyn Describe, moment: Moment) {
    let mut leaving: BTreeMap<Key, NaiveDate> = BTreeMap::new();
    let is_canary = |key: &Key| {
        policy
            .expectations
            .values()
            .any(|expected| expected.canaries.contains(key))
    };
    if policy
        .expectations
        .values()
        .all(|expected| expected.canaries.is_empty())
    {
        return;
    }
    for member in Population::new(snapshots, &policy.same_people).members() {
        match member {
            Member::Person(person) if is_canary(person.key) => {
                leaving.extend(leaves(&person, describe, moment).map(|day| (person.key.clone(), day)));
            }
            Member::Person(_) | Member::Conflict(_) | Member::Rejected(_) | Member::Skipped(_) => {}
        }
    }
    for snapshot in snapshots.iter_mut().filter(|snapshot| !snapshot.is_rejected()) {
        let Some(expected) = policy.expectations.get(&snapshot.summary.name) else {
            continue;
        };
        let gone = expected.canaries.iter().filter_map(|key| leaving.get_key_value(key));
        for (key, day) in gone {
            let name = &snapshot.summary.name;
            let when = if *day <= moment.today() {
                "has evidence of leaving".to_owned()
            } else {
                format!("leaves on {day}")
            };
            snapshot.summary.findings.push(Finding::new(
                "canary_leaves",
                Effect::Note,
                format!("canary {key} of {name} {when}"),
                "name somebody else in expect.canaries",
            ));
        }
    }
}

/// The first day on which there is evidence that the person leaves.
fn leaves(person: &Person<'_>, describe: &dyn Describe, moment: Moment) -> Option<NaiveDate> {
    if person.contracts == Contracts::Ended {
        return Some(moment.today());
    }
    let day = |ahead| moment.at(moment.now + Duration::days(ahead));
    let first = (0..=AHEAD).find(|ahead| describe.leaving(&person.joined, day(*ahead)) == Truth::True);
    first.map(|ahead| day(ahead).today())
}
