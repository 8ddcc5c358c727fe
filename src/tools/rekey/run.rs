//! Pairs cards with people, and writes the approved keys: the same reads, guard, journal and apply as a run.

use crate::core::guard::judge;
use crate::core::input::PlanInput;
use crate::core::memory::decision::{About, Answer, Decision};
use crate::core::memory::rejected_pairs::{decision, of_pair};
use crate::core::memory::shown::Shown;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::{Change, Plan};
use crate::engine::Source;
use crate::engine::decisions::APPROVAL_LASTS;
use crate::engine::gather::ReadParts;
use crate::engine::groups::read_groups;
use crate::engine::maker::{Made, Making, PlanMaker};
use crate::engine::planned::Planned;
use crate::engine::run::RunError;
use crate::engine::settled::SettledRead;
use crate::engine::state::{REKEY, StateReader};
use crate::engine::target::TargetReader;
use crate::tools::rekey::pairing::{Grade, Pairing, Which, pair};
use crate::tools::rekey::sheet::{Limits, Line, ListProblem, Resolved, SaidNo, resolve};
use crate::tools::rekey::writing::{Chosen, ChosenBy, adoptions};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which pairs are to be written.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The approved lines of a list.
    Lines(Vec<Line>),
    /// Every pair of this grade: approved by whoever asks.
    Grade(Grade),
    /// Sure and likely pairs, as far as they were approved by `approve`; the others wait.
    Approved,
}

/// Keys to write, and who asks.
#[derive(Clone, Debug)]
pub struct RekeyRequest {
    pub choice: Choice,
    pub which: Which,
    pub limits: Limits,
    /// The operating-system user.
    pub by: String,
}

/// What was paired, from what.
pub struct Paired {
    pub pairing: Pairing,
    pub input: PlanInput,
}

/// A judged writing of keys.
pub struct Writing {
    pub planned: Planned,
    pub pairing: Pairing,
    /// What became of the lines of a list.
    pub resolved: Resolved,
    decisions: Vec<Decision>,
}

/// What a request stands for now.
fn choose(request: &RekeyRequest, pairing: &Pairing, input: &PlanInput) -> Resolved {
    let of_grades = |grades: &[Grade]| {
        let pairs = pairing.rows.iter().filter_map(|row| Some((row, row.pair()?)));
        // An exchange is of two people: whoever has seen a grade has not seen that.
        let wanted = pairs.filter(|(_, pair)| grades.contains(&pair.grade) && pair.exchange.is_none());
        wanted
            .map(|(row, pair)| {
                let chosen = Chosen {
                    card: row.card.clone(),
                    key: pair.key.clone(),
                    by: ChosenBy::Grade,
                };
                (chosen, String::new())
            })
            .collect()
    };
    match &request.choice {
        Choice::Lines(lines) => resolve(lines, pairing, input, request.limits),
        Choice::Grade(grade) => Resolved {
            chosen: of_grades(&[*grade]),
            ..Resolved::default()
        },
        Choice::Approved => Resolved {
            chosen: of_grades(&[Grade::Sure, Grade::Likely]),
            ..Resolved::default()
        },
    }
}

/// The approvals that a request gives by itself: for what it shows, and for nothing that came up otherwise, such as an undo.
fn decisions(
    request: &RekeyRequest,
    plan: &Plan,
    resolved: &Resolved,
    input: &PlanInput,
    now: DateTime<Utc>,
) -> Vec<Decision> {
    let shown = [
        "adopt_or_create",
        "exchanged_numbers",
        "over_budget:adopt",
        "over_budget:keys",
    ];
    let (more, word) = match &request.choice {
        Choice::Approved => return Vec::new(),
        // The list showed the cards as they are now.
        Choice::Lines(_) => (
            vec!["changed_since_judged", "driven_back"],
            "by the list of pairs".to_owned(),
        ),
        Choice::Grade(grade) => (Vec::new(), format!("every pair that is {grade}")),
    };
    let notes: BTreeMap<&CardId, &str> = resolved
        .chosen
        .iter()
        .map(|(chosen, note)| (&chosen.card, note.as_str()))
        .collect();
    let by_line = matches!(request.choice, Choice::Lines(_));
    let decide = |change: &Change| -> Option<Decision> {
        let before = input.decisions.get(&change.id);
        let names = change.card.as_ref().zip(change.key.as_ref());
        let pair_rejected = names.is_some_and(|(card, key)| of_pair(&input.decisions, card, Some(key)).is_some());
        if !by_line && (pair_rejected || before.is_some_and(|before| before.answer == Answer::Reject)) {
            // Somebody has looked at this very pair.
            return None;
        }
        let mut waives: BTreeSet<String> = shown.iter().chain(&more).map(|code| (*code).to_owned()).collect();
        if let Some(before) = before.filter(|before| before.answer == Answer::Approve) {
            waives.extend(before.waives.iter().cloned());
        }
        let note = change
            .card
            .as_ref()
            .and_then(|card| notes.get(card))
            .filter(|note| !note.is_empty());
        Some(Decision {
            item: change.id.clone(),
            answer: Answer::Approve,
            waives,
            by: request.by.clone(),
            at: now,
            until: Some(now.max(input.moment.now) + APPROVAL_LASTS),
            note: Some(note.map_or_else(|| word.clone(), |note| format!("{word}: {note}"))),
            about: About {
                shown: Some(Shown::of_change(change, input)),
                ..About::default()
            },
        })
    };
    let approvals: Vec<Decision> = plan.changes.iter().filter_map(decide).collect();
    let pairs = about_pairs(request, plan, resolved, input, now);
    pairs.into_iter().chain(approvals).collect()
}

/// What a list says about pairs, to be remembered: each no, and each yes to what was rejected before.
fn about_pairs(
    request: &RekeyRequest,
    plan: &Plan,
    resolved: &Resolved,
    input: &PlanInput,
    now: DateTime<Utc>,
) -> Vec<Decision> {
    let like = |note: &str| Decision {
        item: ItemId::new(""),
        answer: Answer::Reject,
        waives: BTreeSet::new(),
        by: request.by.clone(),
        at: now,
        until: None,
        note: Some(if note.is_empty() {
            "by the list of pairs".to_owned()
        } else {
            format!("by the list of pairs: {note}")
        }),
        about: About::default(),
    };
    let no = resolved.said_no.iter();
    let no = no.map(|SaidNo { card, key, note }| decision(card, key.as_ref(), Answer::Reject, &like(note)));
    let by_line = matches!(request.choice, Choice::Lines(_));
    let yes = plan.changes.iter().filter(|_| by_line).filter_map(|change| {
        let (card, key) = change.card.as_ref().zip(change.key.as_ref())?;
        let was_rejected = of_pair(&input.decisions, card, Some(key)).is_some();
        was_rejected.then(|| decision(card, Some(key), Answer::Approve, &like("")))
    });
    no.chain(yes).collect()
}

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Reads and pairs. Sends nothing but GET and changes no state.
    pub async fn pair(&self, store: &impl StateReader, which: Which) -> Result<Paired, RunError> {
        let read = self.read_settled(store, None).await?;
        let input = self.input(read.readings, read.remembered, read.open);
        let pairing = pair(&input, self.mapping, which);
        Ok(Paired { pairing, input })
    }

    /// Reads, pairs, and plans and judges the keys that a request stands for. Sends nothing but GET and changes no state.
    pub async fn plan_rekey(&self, store: &impl StateReader, request: &RekeyRequest) -> Result<Writing, RunError> {
        let read = self.read_settled(store, None).await?;
        Ok(self.writing(read, request).await)
    }

    async fn writing(&self, read: SettledRead, request: &RekeyRequest) -> Writing {
        let mut input = self.input(read.readings, read.remembered, read.open);
        let pairing = pair(&input, self.mapping, request.which);
        let resolved = choose(request, &pairing, &input);
        let chosen: Vec<Chosen> = resolved.chosen.iter().map(|(chosen, _)| chosen.clone()).collect();
        let plan = adoptions(&input, &pairing, &chosen);
        input.groups = read_groups(self.reader, &plan).await;
        let decisions = decisions(request, &plan, &resolved, &input, Utc::now());
        input.decisions.extend(
            decisions
                .iter()
                .map(|decision| (decision.item.clone(), decision.clone())),
        );
        let mut judged = judge(plan, &input);
        // The list of what needs a human is the sync's.
        judged.concerns.clear();
        Writing {
            planned: Planned {
                judged,
                input: Arc::new(input),
            },
            pairing,
            resolved,
            decisions,
        }
    }
}

impl PlanMaker for RekeyRequest {
    type Also = ();

    fn aside(&self) -> Option<&str> {
        Some(REKEY)
    }

    /// What was written before is written no more, so that giving the same request again does what is left.
    async fn make<S: Source + Sync, R: TargetReader, T: StateReader>(
        &self,
        making: Making<'_, S, R, T>,
    ) -> Result<Made<()>, RunError> {
        let Writing {
            planned,
            resolved,
            decisions,
            ..
        } = making.parts.writing(making.read, self).await;
        if !resolved.problems.is_empty() {
            let ended = making.recovered.iter().filter(|outcome| outcome.outcome.is_written());
            let refused = PairsRefused {
                problems: resolved.problems,
                finished: match ended.count() {
                    0 => String::new(),
                    ended => format!("; before that, {ended} that an earlier run had left half-way came to an end"),
                },
            };
            return Err(RunError::Refused(refused.into()));
        }
        Ok(Made {
            approved: planned.judged.approved.clone(),
            planned,
            pins: BTreeMap::new(),
            decisions,
            also: (),
        })
    }
}

/// Lines of a list of pairs that do not hold.
#[derive(Debug, thiserror::Error)]
#[error("no line was written{finished}: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PairsRefused {
    problems: Vec<ListProblem>,
    /// What had been left half-way and was ended before, in words.
    finished: String,
}
