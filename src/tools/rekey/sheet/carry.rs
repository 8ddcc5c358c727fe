//! The decisions of an earlier list in a new one, as far as they still hold.

use super::ListProblem;
use super::read::Line;
use super::resolve::{Limits, resolve};
use crate::core::input::PlanInput;
use crate::core::memory::decision::Answer;
use crate::core::model::ids::CardId;
use crate::tools::rekey::pairing::{Pairing, Row};
use std::collections::BTreeMap;

/// What a line of an earlier list said, for a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    pub answer: Option<Answer>,
    /// The number that somebody put in.
    pub other_number: String,
    pub somebody_else: bool,
    pub note: String,
    /// Why the decision does not stand any more.
    pub remark: String,
}

/// What the lines of an earlier list say in a new one: decisions that still hold stay; of the others the note stays, and the
/// new list says why they do not. Also gives the lines whose card is not in the new list.
pub fn carry(lines: &[Line], pairing: &Pairing, input: &PlanInput) -> (BTreeMap<CardId, Carried>, Vec<ListProblem>) {
    let no_limit = Limits {
        other_numbers: Some(u64::MAX),
    };
    let problems: BTreeMap<(String, u64), String> = resolve(lines, pairing, input, no_limit)
        .problems
        .into_iter()
        .map(|problem| ((problem.file, problem.line), problem.message))
        .collect();
    let rows: BTreeMap<&CardId, &Row> = pairing.rows.iter().map(|row| (&row.card, row)).collect();
    let mut carried = BTreeMap::new();
    let mut gone = Vec::new();
    for line in lines {
        let said = line.answer.is_some() || !line.note.is_empty();
        let problem = problems.get(&(line.file.clone(), line.line));
        if !rows.contains_key(&line.card) || !said {
            gone.extend(problem.map(|message| line.problem(message.clone())));
            continue;
        }
        let word = match line.answer {
            Some(Answer::Reject) => "reject",
            Some(Answer::Approve) | None => "approve",
        };
        let number = if line.other_number.is_empty() {
            &line.number
        } else {
            &line.other_number
        };
        let holds = problem.is_none();
        let one = Carried {
            answer: line.answer.filter(|_| holds),
            other_number: if holds {
                line.other_number.clone()
            } else {
                String::new()
            },
            somebody_else: line.somebody_else && holds,
            note: line.note.clone(),
            remark: problem.map_or_else(String::new, |message| {
                format!("{} of the old list said {word} {number}: {message}", line.place())
            }),
        };
        carried.insert(line.card.clone(), one);
    }
    (carried, gone)
}
