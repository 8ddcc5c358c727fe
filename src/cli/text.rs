//! A judged plan as a tired administrator reads it: counts first, then what, to whom, from what to what and why, then what
//! waits and the way out, then who nothing happens to.

mod attention;

use super::out::Paint;
use super::plan_questions::{group, held_questions};
use super::words::{
    conflict_words, counted, done_words, group_lines, name_of, operator_words, reason_words, snapshot_lines, twin_words,
};
use crate::cli::out::{line, lined};
use crate::domain::card::OperatorLink;
use crate::domain::field::CardField;
use crate::domain::guard::Judged;
use crate::domain::hold::HoldReason;
use crate::domain::ids::OperatorId;
use crate::domain::input::PlanInput;
use crate::domain::plan::{Action, ActionKind, Change, Skip, SkipReason};
use crate::domain::report::{ChangeOutcome, Outcome};
use crate::domain::snapshot::Verdict;
use crate::domain::view::ChangeView;
use std::collections::{BTreeMap, BTreeSet};

/// Lines per list before it is cut; `--all` shows everything.
const CUT: usize = 25;

/// What is shown.
pub(super) struct Shown<'a> {
    pub judged: &'a Judged,
    pub input: &'a PlanInput,
    pub paint: Paint,
    pub all: bool,
    /// The one person whom it is about, as they were asked for.
    pub only: Option<&'a str>,
}

impl Shown<'_> {
    /// The whole plan.
    pub(super) fn plan(&self) -> String {
        let mut text = String::new();
        self.header(&mut text);
        self.reads(&mut text);
        self.allowed(&mut text);
        self.held(&mut text);
        self.nothing_happens(&mut text);
        text
    }

    fn header(&self, text: &mut String) {
        let plan = &self.judged.plan;
        let at = plan
            .created_at
            .with_timezone(&self.input.moment.zone)
            .format("%Y-%m-%d %H:%M %Z");
        let title = format!("Plan {} for {} at {at}", plan.id, self.input.environment);
        line!(text, "{}", self.paint.strong(&title));
        let view = self.judged.view();
        let bad_read = plan
            .snapshots
            .iter()
            .any(|snapshot| snapshot.verdict == Verdict::Rejected);
        if plan.judged.nobody() {
            line!(text, "{}", self.paint.bad(&self.nobody_judged()));
        }
        if view.summary.is_empty() && plan.judged.nobody() {
            // Said already.
        } else if view.summary.is_empty() && bad_read {
            let title = "No changes: not everything could be read, see below.";
            line!(text, "{}", self.paint.warn(title));
        } else if view.summary.is_empty() {
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
            for (kind, count) in &view.summary {
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

    pub(super) fn allowed(&self, text: &mut String) {
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
            self.list(
                text,
                changes.len(),
                changes.iter().map(|change| self.change_lines(change)),
            );
        }
    }

    pub(super) fn held(&self, text: &mut String) {
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
            self.list(
                text,
                changes.len(),
                changes.iter().map(|change| {
                    let mut lines = self.change_lines(change);
                    for reason in reasons(change) {
                        if !shared.contains(&reason) {
                            line!(lines, "      {} {reason}", self.paint.warn("held:"));
                        }
                    }
                    lines
                }),
            );
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

    /// Who, what, from, to and why.
    pub(super) fn change_lines(&self, change: &Change) -> String {
        let mut lines = String::new();
        let who = self.who(change);
        line!(lines, "  {:<11} {who}  [{}]", name_of(change.action.kind()), change.id);
        if let Some(what) = operator_words(&change.operator, change.action.kind(), change.keeps_archived()) {
            line!(lines, "      {} {what}", self.paint.bad("operator"));
        }
        for line in group_lines(&self.judged.groups.of(&change.operator)) {
            line!(lines, "        {line}");
        }
        for field in change.action.fields() {
            let shown = |value: &Option<crate::domain::field::FieldValue>| {
                value
                    .as_ref()
                    .map_or("(empty)".to_owned(), |value| format!("\"{}\"", value.display()))
            };
            let name = field.field.name();
            let overwrites = if change.overwrites.contains(&field.field) {
                "  (overwrites what was entered in TOPdesk)"
            } else {
                ""
            };
            let line = match change.action.kind() {
                ActionKind::Create => format!("{name}: {}", shown(&field.to)),
                _other => format!("{name}: {} -> {}", shown(&field.from), shown(&field.to)),
            };
            line!(lines, "      {line}{overwrites}");
        }
        if let Some(twin) = ChangeView::new(change, &[]).twin {
            line!(lines, "      {}", twin_words(&twin));
        }
        for why in &change.why {
            line!(lines, "      why: {why}");
        }
        lines
    }

    /// Who a change is about: key, name and card.
    pub(super) fn who(&self, change: &Change) -> String {
        if let Action::CreateEntry { list, name } = &change.action {
            return format!("{list} \"{name}\"");
        }
        // References of a new card come after its creation, which has the name.
        let creation = self.judged.plan.changes.iter().find(|other| {
            change.card.is_none() && other.key == change.key && matches!(other.action, Action::Create { .. })
        });
        let fields = creation.unwrap_or(change).action.fields();
        let new = |field| {
            fields
                .iter()
                .find(|change| change.field == field)
                .and_then(|change| change.to.as_ref())
                .map(|value| value.display())
        };
        let card = change.card.as_ref().and_then(|id| {
            let at = self.input.target.cards.binary_search_by(|card| card.id.cmp(id)).ok()?;
            Some(&self.input.target.cards[at])
        });
        let text = |field| match card {
            Some(card) => card.fields.text(field).map(str::to_owned),
            None => new(field),
        };
        let name: Vec<String> = [text(CardField::FirstName), text(CardField::SurName)]
            .into_iter()
            .flatten()
            .collect();
        let key = change.key.as_ref().map_or("no key", |key| key.as_str());
        let id = change.card.as_ref().map_or("new card", |card| card.as_str());
        let named: Vec<&str> = std::iter::once(key).chain(name.iter().map(String::as_str)).collect();
        format!("{} ({id})", named.join(" "))
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

    pub(super) fn list(&self, text: &mut String, count: usize, lines: impl Iterator<Item = String>) {
        let shown = if self.all { count } else { CUT };
        text.extend(lines.take(shown));
        if count > shown {
            line!(text, "  ... and {} more (--all, or --json)", count - shown);
        }
    }

    /// What became of the changes.
    pub(super) fn outcomes(&self, outcomes: &[ChangeOutcome]) -> String {
        let mut text = String::new();
        let mut done: BTreeMap<ActionKind, u64> = BTreeMap::new();
        let mut not = Vec::new();
        let mut operators = Vec::new();
        for outcome in outcomes {
            let (word, why) = match &outcome.outcome {
                Outcome::Done { .. } => {
                    *done.entry(outcome.action).or_default() += 1;
                    operators.extend(outcome.operators.iter().map(|operator| (outcome, operator)));
                    continue;
                }
                Outcome::NotDone { message } => (self.paint.bad("not done"), message.clone()),
                Outcome::InDoubt { message } => (self.paint.bad("in doubt"), message.clone()),
                Outcome::Held { reason } => (self.paint.warn("held"), reason.explain()),
                Outcome::NotReached { message } => (self.paint.warn("not reached"), message.clone()),
            };
            let key = outcome.key.as_ref().map_or("", |key| key.as_str());
            not.push(lined!(
                "  {word}: {} {key} [{}]: {why}",
                name_of(outcome.action),
                outcome.item
            ));
        }
        let counts: Vec<String> = done
            .iter()
            .map(|(kind, count)| format!("{count} {}", done_words(*kind, *count)))
            .collect();
        let title = if counts.is_empty() {
            "Nothing was written.".to_owned()
        } else {
            format!("Done: {}.", counts.join(", "))
        };
        line!(text, "\n{}", self.paint.good(&title));
        let count = operators.len();
        let moved = operators.into_iter().map(|(outcome, operator)| {
            let what = match outcome.action {
                ActionKind::Unarchive => "woken",
                ActionKind::CreateEntry
                | ActionKind::Create
                | ActionKind::Update
                | ActionKind::Adopt
                | ActionKind::Merge
                | ActionKind::SetReferences
                | ActionKind::Archive
                | ActionKind::Anonymize => "archived",
            };
            let key = outcome.key.as_ref().map_or("", |key| key.as_str());
            lined!(
                "  {}: operator {operator} with the card of {key}",
                self.paint.warn(what)
            )
        });
        self.list(&mut text, count, moved);
        let asleep = self.still_archived(outcomes);
        let count = asleep.len();
        self.list(&mut text, count, asleep.into_iter());
        let count = not.len();
        self.list(&mut text, count, not.into_iter());
        text
    }

    /// Operators of cards that were made active again which did not wake with them: what TOPdesk does depends on its version.
    fn still_archived(&self, outcomes: &[ChangeOutcome]) -> Vec<String> {
        let done = outcomes.iter().filter(|outcome| {
            outcome.action == ActionKind::Unarchive && matches!(outcome.outcome, Outcome::Done { .. })
        });
        let of_change = |outcome: &ChangeOutcome| {
            let change = self.judged.plan.changes.iter().find(|change| change.id == outcome.item);
            let archived = match change.map(|change| &change.operator) {
                Some(OperatorLink::Archived { operators }) => operators.clone(),
                Some(OperatorLink::Active { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven) | None => {
                    Vec::new()
                }
            };
            let woken: Vec<OperatorId> = outcome.operators.clone();
            let kept: Vec<OperatorId> = change.map_or_else(Vec::new, |change| change.keeps_archived().to_vec());
            let key = outcome.key.as_ref().map_or(String::new(), ToString::to_string);
            archived
                .into_iter()
                .filter(move |operator| !woken.contains(operator))
                .map(move |operator| {
                    if kept.contains(&operator) {
                        let word = self.paint.good("kept archived");
                        return lined!("  {word}: operator {operator}, while the card of {key} is active again");
                    }
                    lined!(
                        "  {}: operator {operator}, though the card of {key} is active again; unarchive the operator in \
                         TOPdesk if this person is to work as one",
                        self.paint.warn("still archived")
                    )
                })
        };
        done.flat_map(of_change).collect()
    }
}
