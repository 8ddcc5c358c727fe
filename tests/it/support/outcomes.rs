//! What a plan holds and what became of it, picked out for tests.

use cardsync::domain::plan::{ActionKind, Change};
use cardsync::domain::report::Outcome;
use cardsync::engine::run::Finished;
use std::collections::BTreeMap;

/// Changes of a kind.
pub fn of_kind(changes: &[Change], kind: ActionKind) -> impl Iterator<Item = &Change> {
    changes.iter().filter(move |change| change.action.kind() == kind)
}

/// The outcome of the change of this kind for this person, as a word and its text.
pub fn outcome(finished: &Finished, kind: ActionKind, key: &str) -> (&'static str, String) {
    let found = finished
        .outcomes
        .iter()
        .find(|it| it.action == kind && it.key.as_ref().is_some_and(|found| found.as_str() == key));
    let found = found.unwrap_or_else(|| panic!("no {kind} of {key}: {:?}", finished.outcomes));
    match &found.outcome {
        Outcome::Done { .. } => ("done", String::new()),
        Outcome::NotDone { message } => ("not done", message.clone()),
        Outcome::InDoubt { message } => ("in doubt", message.clone()),
        Outcome::Held { reason } => ("held", reason.code()),
        Outcome::NotReached { message } => ("not reached", message.clone()),
    }
}

/// How many changes were done, by kind.
pub fn done(finished: &Finished) -> BTreeMap<ActionKind, u64> {
    let mut counts = BTreeMap::new();
    for outcome in &finished.outcomes {
        if matches!(outcome.outcome, Outcome::Done { .. }) {
            *counts.entry(outcome.action).or_default() += 1;
        }
    }
    counts
}
