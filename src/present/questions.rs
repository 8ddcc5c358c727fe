//! In a plan: a new card for somebody, and the cards that may be theirs already, as one question with its answers.

use crate::core::guard::Judged;
use crate::core::model::ids::ItemId;
use crate::core::plan::choices::questions;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{ActionKind, Change};
use crate::present::lines::{line, lined};
use crate::present::text::Shown;
use std::collections::{BTreeMap, BTreeSet};

/// The questions among the held items: each with its answers, the best match first.
pub(crate) fn asked(judged: &Judged) -> Vec<Vec<ItemId>> {
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
    asked
}

/// What a question is called, by the number of its answers.
pub(crate) fn question_title(answers: usize) -> String {
    format!("one question, {answers} answers: approve one of them")
}

/// Writes the questions among the held items; gives the items that are in them.
pub(crate) fn held_questions(shown: &Shown<'_>, text: &mut String) -> BTreeSet<ItemId> {
    let judged = shown.judged;
    let by_id: BTreeMap<&ItemId, &Change> = judged.plan.changes.iter().map(|change| (&change.id, change)).collect();
    let asked = asked(judged);
    let one = |choices: &Vec<ItemId>| -> String {
        let mut lines = lined!("  {}", shown.paint.warn(&question_title(choices.len())));
        let mut said: BTreeSet<&HoldReason> = BTreeSet::new();
        for item in choices {
            lines.push_str(&shown.change_lines(by_id[item]));
            // That it was rejected is said of each.
            let rejected = |reason: &HoldReason| matches!(reason, HoldReason::Rejected { .. });
            for reason in judged.held[item].iter().filter(|it| rejected(it) || said.insert(it)) {
                line!(lines, "      {} {}", shown.paint.warn("held:"), reason.explain());
            }
        }
        lines
    };
    shown.list(text, asked.len(), asked.iter().map(one));
    asked.into_iter().flatten().collect()
}

/// Changes by what they do.
pub(crate) fn group<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeMap<ActionKind, Vec<&'a Change>> {
    let mut by_kind: BTreeMap<ActionKind, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        by_kind.entry(change.action.kind()).or_default().push(change);
    }
    by_kind
}
