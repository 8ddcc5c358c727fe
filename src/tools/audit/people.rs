//! The people of the sources, as far as an audit needs them: who works here, and what they have for each candidate.

use super::values::Candidate;
use crate::core::input::PlanInput;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{Describe, Description, Desired, Truth, Wanted};
use crate::core::model::key::Key;
use crate::core::reads::cards::{CardIndex, CardMatch};
use crate::core::reads::merge::{Member, Population};
use crate::core::reads::snapshot::Role;
use crate::core::rules::lifecycle::dates::FirstSight;
use crate::core::rules::lifecycle::{Leaving, leaving};
use std::collections::{BTreeMap, BTreeSet};

/// What the sources say of somebody's staying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Works,
    /// With what shows it.
    Left(String),
    OutOfScope,
    NotKnown,
}

/// What the sources have for a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Has {
    Value(String),
    Nothing,
    NotKnown,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) key: Key,
    pub(super) stands: Stands,
    values: BTreeMap<Candidate, Has>,
}

impl Worker {
    pub(super) fn has(&self, candidate: Candidate) -> &Has {
        self.values.get(&candidate).unwrap_or(&Has::NotKnown)
    }

    pub(super) fn value(&self, candidate: Candidate) -> Option<&str> {
        match self.has(candidate) {
            Has::Value(value) => Some(value),
            Has::Nothing | Has::NotKnown => None,
        }
    }
}

/// Everybody whom the authoritative sources name, sorted by key.
#[derive(Debug)]
pub(super) struct Workforce {
    people: Vec<Worker>,
    /// Keys whose record cannot be used, or that two records have: they are there, and nothing else is known.
    unread: BTreeSet<Key>,
    /// The candidates for which the configuration says what the sources have.
    pub(super) mapped: BTreeSet<Candidate>,
    /// Whether any authoritative source could be used.
    pub(super) usable: bool,
}

/// When it was first seen that somebody leaves: as a plan has it.
fn first_sight(input: &PlanInput, key: &Key, index: &CardIndex<'_>) -> FirstSight {
    match index.matching(key) {
        CardMatch::One { card, .. } => {
            let id = &index.cards[card].id;
            FirstSight::of_card(input, key, id, input.ledger.get(id), false)
        }
        CardMatch::None | CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => FirstSight::default(),
    }
}

impl Workforce {
    pub(super) fn of(input: &PlanInput, describe: &dyn Describe, index: &CardIndex<'_>) -> Self {
        let policy = &input.policy;
        let mapped: BTreeSet<Candidate> = Candidate::all()
            .filter(|candidate| {
                let known = |field: &CardField| *field == policy.key.card_field || policy.fields.contains_key(field);
                candidate.fields().iter().all(known)
            })
            .collect();
        let usable = input
            .snapshots
            .iter()
            .any(|snapshot| snapshot.summary.role == Some(Role::Authoritative) && !snapshot.is_rejected());
        let mut people = Vec::new();
        let mut unread = BTreeSet::new();
        let population = Population::new(&input.snapshots, &policy.same_people);
        for member in population.members() {
            let person = match member {
                Member::Person(person) => person,
                Member::Conflict(conflict) => {
                    unread.insert(conflict.key);
                    continue;
                }
                Member::Rejected(key) => {
                    unread.insert(key.clone());
                    continue;
                }
                Member::Skipped(key) => {
                    people.push(Worker {
                        key: key.clone(),
                        stands: Stands::OutOfScope,
                        values: BTreeMap::new(),
                    });
                    continue;
                }
            };
            let stands = match describe.scope(&person.joined, input.moment) {
                Truth::True => match leaving(describe, &person, input, first_sight(input, person.key, index)) {
                    Leaving::No | Leaving::NextContract => Stands::Works,
                    // Without a clock to believe it may be a matter of the date.
                    Leaving::ContractsEnded if input.clock.is_trusted() => {
                        Stands::Left("every contract row has ended".to_owned())
                    }
                    Leaving::Now(evidence) => Stands::Left(evidence.detail),
                    // Without a clock to believe it may be a matter of the date.
                    Leaving::Later { detail } if input.clock.is_trusted() => Stands::Left(detail),
                    Leaving::ContractsEnded | Leaving::Later { .. } | Leaving::Unknown(_) => Stands::NotKnown,
                },
                Truth::False => Stands::OutOfScope,
                Truth::Unknown(_) => Stands::NotKnown,
            };
            let description = describe.describe(&person.joined, input.moment);
            let values = mapped
                .iter()
                .map(|candidate| (*candidate, has(*candidate, person.key, &description, input)));
            people.push(Worker {
                key: person.key.clone(),
                stands,
                values: values.collect(),
            });
        }
        Self {
            people,
            unread,
            mapped,
            usable,
        }
    }

    pub(super) fn people(&self) -> &[Worker] {
        &self.people
    }

    pub(super) fn find(&self, key: &Key) -> Option<&Worker> {
        let at = self.people.binary_search_by(|person| person.key.cmp(key)).ok()?;
        Some(&self.people[at])
    }

    /// Whether the sources name the key, in whatever state.
    pub(super) fn names(&self, key: &Key) -> bool {
        self.unread.contains(key) || self.find(key).is_some()
    }

    /// People of whom only the key is known.
    pub(super) fn unread(&self) -> usize {
        self.unread.len()
    }

    pub(super) fn working(&self) -> impl Iterator<Item = &Worker> {
        self.people.iter().filter(|person| person.stands == Stands::Works)
    }

    pub(super) fn left(&self) -> impl Iterator<Item = &Worker> {
        self.people
            .iter()
            .filter(|person| matches!(person.stands, Stands::Left(_)))
    }
}

fn has(candidate: Candidate, key: &Key, description: &Description, input: &PlanInput) -> Has {
    let spec = &input.policy.key;
    let mut known = true;
    let text = |field: CardField| {
        if field == spec.card_field {
            return Ok(Some(key.as_str().to_owned()));
        }
        match description.fields.get(&field) {
            Some(Desired::Set(Wanted::Value(FieldValue::Text(text)))) => Ok(Some(text.to_string())),
            Some(Desired::Set(_) | Desired::Clear) => Ok(None),
            Some(Desired::Unknown(_)) | None => Err(()),
        }
    };
    let mut texts: BTreeMap<CardField, Option<String>> = BTreeMap::new();
    for field in candidate.fields() {
        match text(field) {
            Ok(text) => {
                texts.insert(field, text);
            }
            Err(()) => known = false,
        }
    }
    if !known {
        return Has::NotKnown;
    }
    match candidate.of(|field| texts.get(&field).cloned().flatten(), spec) {
        Some(value) => Has::Value(value),
        None => Has::Nothing,
    }
}
