//! What became of the changes of a plan, as a tired administrator reads it.

use super::Shown;
use super::folded::ALIKE;
use crate::core::guard::Judged;
use crate::core::model::card::OperatorLink;
use crate::core::model::ids::{ItemId, OperatorId, RunId};
use crate::core::plan::hold::HoldReason;
use crate::core::plan::report::{ChangeOutcome, Outcome};
use crate::core::plan::{ActionKind, Change};
use crate::present::lines::{line, lined};
use crate::present::words::{counted, done_words, name_of};
use std::collections::{BTreeMap, BTreeSet};

impl Shown<'_> {
    /// What became of the changes.
    pub(crate) fn outcomes(&self, outcomes: &[ChangeOutcome]) -> String {
        let mut text = String::new();
        let changes = self.by_item();
        line!(text, "\n{}", self.paint.good(&done(self.judged, outcomes)));
        let moved: Vec<String> = outcomes
            .iter()
            .flat_map(|outcome| self.moved(outcome, &changes))
            .collect();
        self.list(&mut text, moved.len(), moved.into_iter());
        let asleep: Vec<String> = outcomes
            .iter()
            .flat_map(|outcome| self.still_archived(outcome, &changes))
            .collect();
        self.list(&mut text, asleep.len(), asleep.into_iter());
        let not = self.not_done(outcomes, &changes);
        self.list(&mut text, not.len(), not.into_iter());
        text
    }

    fn by_item(&self) -> BTreeMap<&ItemId, &Change> {
        self.judged
            .plan
            .changes
            .iter()
            .map(|change| (&change.id, change))
            .collect()
    }

    /// Key and name of the person of an outcome.
    fn whose(&self, outcome: &ChangeOutcome, changes: &BTreeMap<&ItemId, &Change>) -> String {
        match changes.get(&outcome.item) {
            Some(change) => self.person(change),
            None => outcome.key.as_ref().map_or(String::new(), ToString::to_string),
        }
    }

    /// What was not done, and why. Many alike, as after a stop, are one line.
    fn not_done(&self, outcomes: &[ChangeOutcome], changes: &BTreeMap<&ItemId, &Change>) -> Vec<String> {
        let mut alike: BTreeMap<(String, ActionKind, String), Vec<&ChangeOutcome>> = BTreeMap::new();
        let mut order = Vec::new();
        for outcome in outcomes {
            let (word, why) = match &outcome.outcome {
                Outcome::Done { .. } => continue,
                Outcome::NotDone { message } => (self.paint.bad("not done"), message.clone()),
                Outcome::InDoubt { message } => (self.paint.bad("in doubt"), message.clone()),
                Outcome::Held { reason } => (self.paint.warn("held"), reason.explain()),
                Outcome::HalfWay { message } => (self.paint.bad("half-way"), message.clone()),
                Outcome::PutBack { message } => (self.paint.warn("put back"), message.clone()),
                Outcome::NotReached { message } => (self.paint.warn("not reached"), message.clone()),
            };
            let likeness = (word, outcome.action, why);
            let known = alike.entry(likeness.clone()).or_default();
            if known.is_empty() {
                order.push(likeness);
            }
            known.push(outcome);
        }
        let mut lines = Vec::new();
        for likeness in order {
            let (word, action, why) = &likeness;
            let these = &alike[&likeness];
            if !self.all && these.len() >= ALIKE {
                let many = counted(these.len() as u64, "item");
                lines.push(lined!(
                    "  {word}: {} of {many}: {why} (--all names them)",
                    name_of(*action)
                ));
                continue;
            }
            lines.extend(these.iter().map(|outcome| {
                let whose = self.whose(outcome, changes);
                lined!("  {word}: {} {whose} [{}]: {why}", name_of(*action), outcome.item)
            }));
        }
        lines
    }

    /// The operators that went or woke with a card.
    fn moved(&self, outcome: &ChangeOutcome, changes: &BTreeMap<&ItemId, &Change>) -> Vec<String> {
        if !matches!(outcome.outcome, Outcome::Done { .. }) {
            return Vec::new();
        }
        let what = match outcome.action {
            ActionKind::Unarchive => "woken",
            ActionKind::CreateEntry
            | ActionKind::Create
            | ActionKind::Update
            | ActionKind::Adopt
            | ActionKind::Exchange
            | ActionKind::Merge
            | ActionKind::SetReferences
            | ActionKind::Archive
            | ActionKind::Anonymize => "archived",
        };
        let line = |operator: &OperatorId| {
            lined!(
                "  {}: operator {} with the card of {}",
                self.paint.warn(what),
                self.judged.names.shown(operator),
                self.whose(outcome, changes)
            )
        };
        outcome.operators.iter().map(line).collect()
    }

    /// Operators of a card that was made active again which did not wake with it: what TOPdesk does depends on its version.
    fn still_archived(&self, outcome: &ChangeOutcome, changes: &BTreeMap<&ItemId, &Change>) -> Vec<String> {
        if outcome.action != ActionKind::Unarchive || !matches!(outcome.outcome, Outcome::Done { .. }) {
            return Vec::new();
        }
        let change = changes.get(&outcome.item);
        let archived: &[OperatorId] = match change.map(|change| &change.operator) {
            Some(OperatorLink::Archived { operators }) => operators,
            Some(OperatorLink::Active { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven) | None => &[],
        };
        let kept: &[OperatorId] = change.map_or(&[], |change| change.keeps_archived());
        let whose = self.whose(outcome, changes);
        let line = |operator: &OperatorId| {
            let shown = self.judged.names.shown(operator);
            if kept.contains(operator) {
                let word = self.paint.good("kept archived");
                return lined!("  {word}: operator {shown}, while the card of {whose} is active again");
            }
            lined!(
                "  {}: operator {shown}, though the card of {whose} is active again; unarchive the operator in TOPdesk if this \
                 person is to work as one",
                self.paint.warn("still archived")
            )
        };
        let asleep = archived.iter().filter(|operator| !outcome.operators.contains(operator));
        asleep.map(line).collect()
    }
}

/// The last line of a run: what was done, what else is to be said, and the way back where there is something to take back.
pub(crate) fn finished(
    run: &RunId,
    judged: &Judged,
    outcomes: &[ChangeOutcome],
    besides: Option<String>,
    back: &str,
) -> String {
    let counts = counts(judged, outcomes);
    let unfinished = unfinished(outcomes);
    let done = if counts.is_empty() && unfinished.is_empty() {
        "nothing was written".to_owned()
    } else {
        [counts.clone(), unfinished].concat().join(", ")
    };
    let back = (!counts.is_empty()).then(|| format!("cardsync undo {run} {back}"));
    let parts: Vec<String> = std::iter::once(done).chain(besides).chain(back).collect();
    format!("Run {run} finished: {}.\n", parts.join("; "))
}

/// What was done, in numbers.
fn done(judged: &Judged, outcomes: &[ChangeOutcome]) -> String {
    let counts = counts(judged, outcomes);
    let done = (!counts.is_empty()).then(|| format!("Done: {}.", counts.join(", ")));
    let unfinished = unfinished(outcomes);
    let not = (!unfinished.is_empty()).then(|| format!("Begun and not done: {}.", unfinished.join(", ")));
    let told: Vec<String> = done.into_iter().chain(not).collect();
    if told.is_empty() {
        "Nothing was written.".to_owned()
    } else {
        told.join(" ")
    }
}

/// What was sent, in numbers, without the change being done.
fn unfinished(outcomes: &[ChangeOutcome]) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in outcomes {
        let word = match &outcome.outcome {
            Outcome::HalfWay { .. } => "half-way",
            Outcome::PutBack { .. } => "put back",
            Outcome::InDoubt { .. } => "in doubt",
            Outcome::Held {
                reason: HoldReason::DrivenBack { .. },
            } => "driven to its safe end",
            Outcome::Done { .. } | Outcome::NotDone { .. } | Outcome::Held { .. } | Outcome::NotReached { .. } => {
                continue;
            }
        };
        *counts.entry(word).or_default() += 1;
    }
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect()
}

fn counts(judged: &Judged, outcomes: &[ChangeOutcome]) -> Vec<String> {
    let back = judged.plan.changes.iter().filter(|change| change.takes_number_off());
    let back: BTreeSet<&ItemId> = back.map(|change| &change.id).collect();
    let mut taken_off = 0;
    let mut done: BTreeMap<ActionKind, u64> = BTreeMap::new();
    for outcome in outcomes {
        if !matches!(outcome.outcome, Outcome::Done { .. }) {
            continue;
        }
        if back.contains(&outcome.item) {
            taken_off += 1;
        } else {
            *done.entry(outcome.action).or_default() += 1;
        }
    }
    let mut counts: Vec<String> = done
        .iter()
        .map(|(kind, count)| format!("{count} {}", done_words(*kind, *count)))
        .collect();
    if taken_off > 0 {
        counts.push(format!("{} taken off", counted(taken_off, "number")));
    }
    counts
}
