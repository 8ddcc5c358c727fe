//! How many of those who work here each key finds: two plans that find nobody agree in everything and prove nothing.

use super::other_key::Translation;
use crate::core::input::PlanInput;
use crate::core::model::identity::{Describe, Truth};
use crate::core::model::key::Key;
use crate::core::reads::cards::{CardIndex, CardMatch};
use crate::core::reads::merge::{Member, Population};
use crate::core::rules::lifecycle::dates::FirstSight;
use crate::core::rules::lifecycle::{Leaving, leaving};
use serde::Serialize;

/// What a key finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// People of the sources who are in scope and of whom nothing says that they leave.
    pub people: u64,
    /// Those of them with exactly one active card under the key.
    pub found: u64,
}

impl Coverage {
    /// Whether so many of a hundred are found; where there is nobody, nothing is.
    pub fn reaches(&self, percent: u64) -> bool {
        self.people > 0 && self.found * 100 >= self.people * percent
    }

    /// In words.
    pub fn words(&self) -> String {
        let percent = if self.people == 0 {
            0.0
        } else {
            self.found as f64 * 100.0 / self.people as f64
        };
        format!("{} of {} people ({percent:.1} %)", self.found, self.people)
    }
}

/// What both keys find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BothCoverages {
    pub configured: Coverage,
    pub other: Coverage,
}

/// Looks everybody up under both keys. `other` is the input under the other key.
pub fn coverages(
    input: &PlanInput,
    describe: &dyn Describe,
    other: &PlanInput,
    translation: &Translation,
) -> BothCoverages {
    let (index, other_index) = (
        CardIndex::build(&input.target, &input.policy.key),
        CardIndex::build(&other.target, &other.policy.key),
    );
    let has_one = |index: &CardIndex<'_>, key: &Key| match index.matching(key) {
        CardMatch::One { card, .. } => !index.cards[card].archived,
        CardMatch::None | CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => false,
    };
    let mut both = BothCoverages::default();
    let population = Population::new(&input.snapshots, &input.policy.same_people);
    for member in population.members() {
        let key = match &member {
            Member::Person(person) => {
                let out = describe.scope(&person.joined, input.moment) == Truth::False;
                let leaves = match leaving(describe, person, input, FirstSight::default()) {
                    Leaving::Now(_) | Leaving::Later { .. } | Leaving::ContractsEnded => true,
                    Leaving::No | Leaving::NextContract | Leaving::Unknown(_) => false,
                };
                if out || leaves {
                    continue;
                }
                Some(person.key)
            }
            // They are there, and under neither key anybody's.
            Member::Conflict(_) | Member::Rejected(_) => None,
            Member::Skipped(_) => continue,
        };
        both.configured.people += 1;
        both.other.people += 1;
        let Some(key) = key else { continue };
        both.configured.found += u64::from(has_one(&index, key));
        let under_other = translation
            .other(key)
            .filter(|other| !translation.shared.contains(*other));
        both.other.found += u64::from(under_other.is_some_and(|other| has_one(&other_index, other)));
    }
    both
}
