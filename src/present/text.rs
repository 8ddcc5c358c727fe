//! A judged plan as a tired administrator reads it: counts first, then what, to whom, from what to what and why, then what
//! waits and the way out, then who nothing happens to.

mod attention;
mod changes;
mod folded;
mod outcomes;

pub(crate) use self::attention::{needs_a_human, set_aside};
pub(crate) use self::folded::{Alike, Part, folded};
pub(crate) use self::outcomes::finished;
use crate::core::guard::Judged;
use crate::core::input::PlanInput;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::view::Count;
use crate::core::plan::{Change, Skip, SkipReason};
use crate::core::reads::snapshot::Verdict;
use crate::present::lines::Paint;
use crate::present::lines::{line, lined};
use crate::present::questions::{group, held_questions};
use crate::present::words::{conflict_words, counted, name_of, reason_words, snapshot_lines};
use std::collections::{BTreeMap, BTreeSet};

/// Lines per list before it is cut; `--all` shows everything.
const CUT: usize = 25;

/// What is shown.
pub(crate) struct Shown<'a> {
    pub judged: &'a Judged,
    pub input: &'a PlanInput,
    pub paint: Paint,
    pub all: bool,
    /// The one person whom it is about, as they were asked for.
    pub only: Option<&'a str>,
}

impl Shown<'_> {
    /// The whole plan, with its sum at the end, where a terminal stands.
    pub(crate) fn plan(&self) -> String {
        let mut text = self.body();
        self.sum(&mut text);
        text
    }

    /// The plan of a run: the sum comes after what was done.
    pub(crate) fn body(&self) -> String {
        let mut text = String::new();
        self.header(&mut text);
        self.reads(&mut text);
        self.allowed(&mut text);
        self.held(&mut text);
        self.nothing_happens(&mut text);
        text
    }

    /// What the plan comes to, in one line.
    fn sum(&self, text: &mut String) {
        let plan = &self.judged.plan;
        let summary = self.judged.summary();
        let of = |count: &dyn Fn(&Count) -> u64| -> Vec<String> {
            let counts = summary.iter().map(|(kind, counts)| (kind, count(counts)));
            counts
                .filter(|(_, count)| *count > 0)
                .map(|(kind, count)| format!("{count} {}", name_of(*kind)))
                .collect()
        };
        let operators: u64 = summary.values().map(|count| count.operators).sum();
        let mut parts = Vec::new();
        for (word, counts) in [
            ("allowed", of(&|count| count.allowed)),
            ("held", of(&|count| count.held)),
        ] {
            if !counts.is_empty() {
                parts.push(format!("{word} {}", counts.join(", ")));
            }
        }
        if operators > 0 {
            parts.push(format!("{} among them", counted(operators, "operator")));
        }
        for (count, word) in [
            (plan.conflicts.len(), "conflict"),
            (plan.rejections.len(), "rejected record"),
        ] {
            if count > 0 {
                parts.push(counted(count as u64, word));
            }
        }
        if !parts.is_empty() {
            line!(
                text,
                "\n{}",
                self.paint.strong(&format!("In all: {}.", parts.join("; ")))
            );
        }
    }

    fn header(&self, text: &mut String) {
        let plan = &self.judged.plan;
        let at = plan
            .created_at
            .with_timezone(&self.input.moment.zone)
            .format("%Y-%m-%d %H:%M %Z");
        let title = format!("Plan {} for {} at {at}", plan.id, self.input.environment);
        line!(text, "{}", self.paint.strong(&title));
        let summary = self.judged.summary();
        let bad_read = plan
            .snapshots
            .iter()
            .any(|snapshot| snapshot.verdict == Verdict::Rejected);
        if plan.judged.nobody() {
            line!(text, "{}", self.paint.bad(&self.nobody_judged()));
        }
        if summary.is_empty() && plan.judged.nobody() {
            // Said already.
        } else if summary.is_empty() && bad_read {
            let title = "No changes: not everything could be read, see below.";
            line!(text, "{}", self.paint.warn(title));
        } else if summary.is_empty() {
            line!(text, "{}", self.nothing_to_do());
        } else {
            line!(
                text,
                "  {:<16}{:>7}{:>9}{:>7}{:>11}",
                "",
                "total",
                "allowed",
                "held",
                "operators"
            );
            for (kind, count) in &summary {
                let line = format!(
                    "  {:<16}{:>7}{:>9}{:>7}{:>11}",
                    name_of(*kind),
                    count.total,
                    count.allowed,
                    count.held,
                    if count.operators == 0 {
                        "-".to_owned()
                    } else {
                        count.operators.to_string()
                    }
                );
                let line = if count.operators > 0 {
                    self.paint.bad(&line)
                } else {
                    line
                };
                line!(text, "{line}");
            }
        }
        let others = match plan.foreign_cards {
            0 => String::new(),
            others => format!(
                "; {} of nobody in the sources, left alone",
                counted(others, "other card")
            ),
        };
        line!(text, "  {} looked after{others}.", counted(plan.base, "active card"));
        self.needs_a_human(text);
    }

    fn reads(&self, text: &mut String) {
        if !self.judged.plan.clock.is_empty() {
            let title = "THE CLOCK IS DOUBTED: nothing that depends on the time counts, nobody leaves or returns";
            line!(text, "\n{}", self.paint.bad(title));
            for doubt in &self.judged.plan.clock {
                line!(text, "      {} {}", self.paint.warn("doubt:"), doubt.message);
                line!(text, "        -> {}", doubt.cure);
            }
        }
        line!(text, "\n{}", self.paint.strong("Read"));
        for snapshot in &self.judged.plan.snapshots {
            text.push_str(&snapshot_lines(snapshot, self.paint));
        }
    }

    pub(crate) fn allowed(&self, text: &mut String) {
        let passing: Vec<&Change> = self
            .judged
            .approved
            .changes()
            .iter()
            .map(|approved| approved.change())
            .collect();
        if passing.is_empty() {
            return;
        }
        let title = format!("Allowed ({})", passing.len());
        line!(text, "\n{}", self.paint.strong(&title));
        let by_kind = group(passing.iter().copied());
        for (_, changes) in by_kind {
            self.changes(text, &changes, &|_| Vec::new());
        }
    }

    /// Changes one by one, or what is alike together; `held` is what holds one of them.
    fn changes(&self, text: &mut String, changes: &[&Change], held: &dyn Fn(&Change) -> Vec<String>) {
        let parts = if self.all {
            changes.iter().copied().map(Part::One).collect()
        } else {
            folded(changes, held)
        };
        let (alone, blocks): (Vec<&Part<'_>>, Vec<&Part<'_>>) =
            parts.iter().partition(|part| matches!(part, Part::One(_)));
        for parts in [alone, blocks] {
            let lines = parts.iter().map(|part| {
                let (mut lines, change) = match part {
                    Part::One(change) => (self.change_lines(change), *change),
                    Part::Many(alike) => (self.alike_lines(alike), alike.changes[0]),
                };
                for reason in held(change) {
                    line!(lines, "      {} {reason}", self.paint.warn("held:"));
                }
                lines
            });
            self.list(text, parts.len(), lines);
        }
    }

    pub(crate) fn held(&self, text: &mut String) {
        let held: Vec<&Change> = self
            .judged
            .plan
            .changes
            .iter()
            .filter(|change| self.judged.held.contains_key(&change.id))
            .collect();
        if held.is_empty() {
            return;
        }
        let title = format!("Held ({})", held.len());
        line!(text, "\n{}", self.paint.strong(&self.paint.warn(&title)));
        let asked = held_questions(self, text);
        let held = held.into_iter().filter(|change| !asked.contains(&change.id));
        for (kind, changes) in group(held) {
            let reasons = |change: &Change| -> Vec<String> {
                let held = &self.judged.held[&change.id];
                held.iter().map(HoldReason::explain).collect()
            };
            // What holds all of them is said once, above them.
            let mut shared = match changes.as_slice() {
                [] | [_] => Vec::new(),
                [first, ..] => reasons(first),
            };
            shared.retain(|reason| changes.iter().all(|change| reasons(change).contains(reason)));
            for reason in &shared {
                let all = format!("all {} {}:", changes.len(), name_of(kind));
                line!(text, "  {} {reason}", self.paint.warn(&all));
            }
            let own = |change: &Change| -> Vec<String> {
                let mut own = reasons(change);
                own.retain(|reason| !shared.contains(reason));
                own
            };
            self.changes(text, &changes, &own);
        }
        let approvable = self
            .judged
            .held
            .values()
            .any(|reasons| reasons.iter().all(HoldReason::approvable));
        if approvable {
            let plan = &self.judged.plan.id;
            line!(
                text,
                "  Decide after a run has recorded them: cardsync holds; cardsync approve ID|CLASS|{plan}; cardsync reject ID"
            );
        }
    }

    fn nothing_happens(&self, text: &mut String) {
        let plan = &self.judged.plan;
        if !plan.conflicts.is_empty() {
            let title = format!(
                "Conflicts ({}): nobody here is changed until it is resolved",
                plan.conflicts.len()
            );
            line!(text, "\n{}", self.paint.strong(&title));
            self.list(
                text,
                plan.conflicts.len(),
                plan.conflicts.iter().map(|conflict| {
                    let what = conflict_words(conflict);
                    let records = conflict.records.iter().map(ToString::to_string);
                    let cards = conflict.cards.iter().map(|card| format!("card {card}"));
                    let places: Vec<String> = records.chain(cards).collect();
                    lined!("  {} {what}", conflict.key) + &lined!("      {}", places.join("; "))
                }),
            );
        }
        if !plan.rejections.is_empty() {
            let title = format!(
                "Rejected records ({}): these people count as present and are left as they are",
                plan.rejections.len()
            );
            line!(text, "\n{}", self.paint.strong(&title));
            self.list(
                text,
                plan.rejections.len(),
                plan.rejections.iter().map(|rejection| {
                    let key = rejection.key.as_ref().map_or("no key", |key| key.as_str());
                    lined!(
                        "  {} {}: {key}: {}",
                        rejection.source,
                        rejection.place,
                        rejection.message
                    )
                }),
            );
        }
        self.without_key(text);
        if plan.skipped.is_empty() {
            return;
        }
        let title = format!("Nothing happens to ({})", plan.skipped.len());
        line!(text, "\n{}", self.paint.strong(&title));
        let mut by_reason: BTreeMap<SkipReason, Vec<&Skip>> = BTreeMap::new();
        for skip in &plan.skipped {
            by_reason.entry(skip.reason).or_default().push(skip);
        }
        for (reason, skips) in by_reason {
            line!(text, "  {}: {}", reason_words(reason), skips.len());
            let one = |skip: &&Skip| {
                let key = skip.key.as_ref().map_or("no key", |key| key.as_str());
                let card = skip.card.as_ref().map_or("no card", |card| card.as_str());
                lined!("    {key} ({card}): {}", skip.detail)
            };
            let details: BTreeSet<&str> = skips.iter().map(|skip| skip.detail.as_str()).collect();
            // Whom a source that could not be read leaves open is everybody: five names of them say nothing.
            if let (false, SkipReason::AbsenceUnknown, Some(detail), 1) =
                (self.all, reason, details.first(), details.len())
                && skips.len() > 5
            {
                line!(text, "    {detail} (--all names them)");
                continue;
            }
            let shown = if self.all { skips.len() } else { 5 };
            text.extend(skips.iter().take(shown).map(one));
            if skips.len() > shown {
                line!(text, "    ... and {} more (--all)", skips.len() - shown);
            }
        }
    }

    pub(crate) fn list(&self, text: &mut String, count: usize, lines: impl Iterator<Item = String>) {
        let shown = if self.all { count } else { CUT };
        text.extend(lines.take(shown));
        if count > shown {
            line!(text, "  ... and {} more (--all, or --json)", count - shown);
        }
    }
}
