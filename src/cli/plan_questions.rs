//! In a plan: a new card for somebody, and the cards that may be theirs already, as one question with its answers.

use super::text::Shown;
use crate::cli::out::{line, lined};
use crate::domain::choices::questions;
use crate::domain::hold::HoldReason;
use crate::domain::ids::ItemId;
use crate::domain::plan::{ActionKind, Change};
use std::collections::{BTreeMap, BTreeSet};

/// Writes the questions among the held items; gives the items that are in them.
pub(super) fn held_questions(shown: &Shown<'_>, text: &mut String) -> BTreeSet<ItemId> {
    let judged = shown.judged;
    let by_id: BTreeMap<&ItemId, &Change> = judged.plan.changes.iter().map(|change| (&change.id, change)).collect();
    let mut asked: Vec<Vec<ItemId>> = Vec::new();
    let mut seen: BTreeSet<ItemId> = BTreeSet::new();
    let choices = questions(&judged.plan.changes);
    for change in &judged.plan.changes {
        let Some(choices) = choices.get(&change.id).filter(|_| !seen.contains(&change.id)) else {
            continue;
        };
        seen.extend(choices.iter().cloned());
        // Where one is approved, the others only wait for it.
        if choices.iter().all(|item| judged.held.contains_key(item)) {
            asked.push(choices.clone());
        }
    }
    let one = |choices: &Vec<ItemId>| -> String {
        let title = format!("one question, {} answers: approve one of them", choices.len());
        let mut lines = lined!("  {}", shown.paint.warn(&title));
        let mut said: BTreeSet<&HoldReason> = BTreeSet::new();
        for item in choices {
            lines.push_str(&shown.change_lines(by_id[item]));
            for reason in judged.held[item].iter().filter(|reason| said.insert(reason)) {
                line!(lines, "      {} {}", shown.paint.warn("held:"), reason.explain());
            }
        }
        lines
    };
    shown.list(text, asked.len(), asked.iter().map(one));
    asked.into_iter().flatten().collect()
}

/// Changes by what they do.
pub(super) fn group<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeMap<ActionKind, Vec<&'a Change>> {
    let mut by_kind: BTreeMap<ActionKind, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        by_kind.entry(change.action.kind()).or_default().push(change);
    }
    by_kind
}
