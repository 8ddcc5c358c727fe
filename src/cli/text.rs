//! A judged plan as a tired administrator reads it: counts first, then what, to whom, from what to what and why, then what
//! waits and the way out, then who nothing happens to.

use super::out::{Paint, with_cure};
use crate::domain::card::OperatorLink;
use crate::domain::field::CardField;
use crate::domain::guard::Judged;
use crate::domain::hold::HoldReason;
use crate::domain::input::PlanInput;
use crate::domain::plan::{Action, ActionKind, Change, ConflictKind, SkipReason};
use crate::domain::report::{ChangeOutcome, Outcome};
use crate::domain::snapshot::{Effect, SnapshotSummary, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Lines per list before it is cut; `--all` shows everything.
const CUT: usize = 25;

/// What is shown.
pub(super) struct Shown<'a> {
    pub judged: &'a Judged,
    pub input: &'a PlanInput,
    pub paint: Paint,
    pub all: bool,
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
        let _ = writeln!(text, "{}", self.paint.strong(&title));
        let view = self.judged.view();
        if view.summary.is_empty() {
            let _ = writeln!(text, "{}", self.nothing_to_do());
        } else {
            let _ = writeln!(
                text,
                "  {:<16}{:>7}{:>9}{:>7}{:>11}",
                "", "total", "allowed", "held", "operators"
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
                let _ = writeln!(text, "{line}");
            }
        }
        let _ = writeln!(
            text,
            "  {} active cards are ours; {} cards are not and stay untouched.",
            plan.base, plan.foreign_cards
        );
    }

    /// Why there are no changes. A source that could not be used is no reason to say that all is well.
    fn nothing_to_do(&self) -> String {
        let plan = &self.judged.plan;
        let unusable: Vec<&str> = plan
            .snapshots
            .iter()
            .filter(|snapshot| !matches!(snapshot.verdict, Verdict::Complete))
            .map(|snapshot| snapshot.name.as_str())
            .collect();
        if unusable.is_empty() {
            return format!("Nothing to do: {} cards are in step.", plan.base);
        }
        let line = format!("No changes, but not all is known: see {} below.", unusable.join(", "));
        self.paint.bad(&line)
    }

    fn reads(&self, text: &mut String) {
        let _ = writeln!(text, "\n{}", self.paint.strong("Read"));
        for snapshot in &self.judged.plan.snapshots {
            text.push_str(&snapshot_lines(snapshot, self.paint));
        }
    }

    fn allowed(&self, text: &mut String) {
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
        let _ = writeln!(text, "\n{}", self.paint.strong(&title));
        let by_kind = group(passing.iter().copied());
        for (_, changes) in by_kind {
            self.list(
                text,
                changes.len(),
                changes.iter().map(|change| self.change_lines(change)),
            );
        }
    }

    fn held(&self, text: &mut String) {
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
        let _ = writeln!(text, "\n{}", self.paint.strong(&self.paint.warn(&title)));
        for (kind, changes) in group(held.into_iter()) {
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
                let _ = writeln!(text, "  {} {reason}", self.paint.warn(&all));
            }
            self.list(
                text,
                changes.len(),
                changes.iter().map(|change| {
                    let mut lines = self.change_lines(change);
                    for reason in reasons(change) {
                        if !shared.contains(&reason) {
                            let _ = writeln!(lines, "      {} {reason}", self.paint.warn("held:"));
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
            let _ = writeln!(
                text,
                "  Decide after a run has recorded them: cardsync holds; cardsync approve ID|CLASS|{plan}; cardsync reject ID"
            );
        }
    }

    /// Who, what, from, to and why.
    fn change_lines(&self, change: &Change) -> String {
        let mut lines = String::new();
        let who = self.who(change);
        let _ = writeln!(lines, "  {:<11} {who}  [{}]", name_of(change.action.kind()), change.id);
        match &change.operator {
            OperatorLink::Active { operators } => {
                let effect = match change.action.kind() {
                    ActionKind::Archive => "is archived with the card",
                    _other => "linked, active",
                };
                let _ = writeln!(
                    lines,
                    "      {} {} {effect}",
                    self.paint.bad("operator"),
                    joined(operators)
                );
            }
            OperatorLink::Archived { operators } => {
                let effect = if matches!(change.action, Action::Unarchive) {
                    "would wake up with the card"
                } else {
                    "linked, archived"
                };
                let _ = writeln!(
                    lines,
                    "      {} {} {effect}",
                    self.paint.bad("operator"),
                    joined(operators)
                );
            }
            OperatorLink::Unproven => {
                let _ = writeln!(
                    lines,
                    "      {} whether one is linked is not proven",
                    self.paint.bad("operator")
                );
            }
            OperatorLink::ProvenNone => {}
        }
        for field in change.action.fields() {
            let shown = |value: &Option<crate::domain::field::FieldValue>| {
                value
                    .as_ref()
                    .map_or("(empty)".to_owned(), |value| format!("\"{}\"", value.display()))
            };
            let name = field.field.name();
            let line = match change.action.kind() {
                ActionKind::Create => format!("{name}: {}", shown(&field.to)),
                _other => format!("{name}: {} -> {}", shown(&field.from), shown(&field.to)),
            };
            let _ = writeln!(lines, "      {line}");
        }
        for why in &change.why {
            let _ = writeln!(lines, "      why: {why}");
        }
        lines
    }

    fn who(&self, change: &Change) -> String {
        if let Action::CreateEntry { list, name } = &change.action {
            return format!("{list} \"{name}\"");
        }
        let fields = change.action.fields();
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
        format!("{key} {} ({id})", name.join(" "))
    }

    fn nothing_happens(&self, text: &mut String) {
        let plan = &self.judged.plan;
        if !plan.conflicts.is_empty() {
            let title = format!(
                "Conflicts ({}): nobody here is changed until it is resolved",
                plan.conflicts.len()
            );
            let _ = writeln!(text, "\n{}", self.paint.strong(&title));
            self.list(
                text,
                plan.conflicts.len(),
                plan.conflicts.iter().map(|conflict| {
                    let what = match conflict.kind {
                        ConflictKind::DuplicateInSource => "several records have this key; correct the source",
                        ConflictKind::TwoActiveCards => {
                            "two active cards have this key; take it off one of them in TOPdesk"
                        }
                        ConflictKind::SeveralArchivedCards => {
                            "several archived cards have this key and no active one; take it off all but one in TOPdesk"
                        }
                    };
                    let records: Vec<String> = conflict.records.iter().map(ToString::to_string).collect();
                    format!(
                        "  {} {what}\n      {} {}\n",
                        conflict.key,
                        records.join("; "),
                        joined(&conflict.cards)
                    )
                }),
            );
        }
        if !plan.rejections.is_empty() {
            let title = format!("Rejected records ({}): present, and left alone", plan.rejections.len());
            let _ = writeln!(text, "\n{}", self.paint.strong(&title));
            self.list(
                text,
                plan.rejections.len(),
                plan.rejections.iter().map(|rejection| {
                    let key = rejection.key.as_ref().map_or("no key", |key| key.as_str());
                    format!(
                        "  {} {}: {key}: {}\n",
                        rejection.source, rejection.place, rejection.message
                    )
                }),
            );
        }
        if plan.skipped.is_empty() {
            return;
        }
        let title = format!("Nothing happens to ({})", plan.skipped.len());
        let _ = writeln!(text, "\n{}", self.paint.strong(&title));
        let mut by_reason: BTreeMap<SkipReason, Vec<String>> = BTreeMap::new();
        for skip in &plan.skipped {
            let key = skip.key.as_ref().map_or("no key", |key| key.as_str());
            let card = skip.card.as_ref().map_or("no card", |card| card.as_str());
            by_reason
                .entry(skip.reason)
                .or_default()
                .push(format!("    {key} ({card}): {}\n", skip.detail));
        }
        for (reason, lines) in by_reason {
            let _ = writeln!(text, "  {}: {}", reason_words(reason), lines.len());
            let shown = if self.all { lines.len() } else { 5 };
            text.extend(lines.iter().take(shown).map(String::as_str));
            if lines.len() > shown {
                let _ = writeln!(text, "    ... and {} more (--all)", lines.len() - shown);
            }
        }
    }

    fn list(&self, text: &mut String, count: usize, lines: impl Iterator<Item = String>) {
        let shown = if self.all { count } else { CUT };
        text.extend(lines.take(shown));
        if count > shown {
            let _ = writeln!(text, "  ... and {} more (--all, or --json)", count - shown);
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
            not.push(format!(
                "  {word}: {} {key} [{}]: {why}\n",
                name_of(outcome.action),
                outcome.item
            ));
        }
        let counts: Vec<String> = done
            .iter()
            .map(|(kind, count)| format!("{count} {}", name_of(*kind)))
            .collect();
        let title = if counts.is_empty() {
            "Nothing was written.".to_owned()
        } else {
            format!("Done: {}.", counts.join(", "))
        };
        let _ = writeln!(text, "\n{}", self.paint.good(&title));
        let count = operators.len();
        let moved = operators.into_iter().map(|(outcome, operator)| {
            let what = match outcome.action {
                ActionKind::Unarchive => "woken",
                ActionKind::CreateEntry
                | ActionKind::Create
                | ActionKind::Update
                | ActionKind::Adopt
                | ActionKind::SetReferences
                | ActionKind::Archive
                | ActionKind::Anonymize => "archived",
            };
            let key = outcome.key.as_ref().map_or("", |key| key.as_str());
            format!(
                "  {}: operator {operator} with the card of {key}\n",
                self.paint.warn(what)
            )
        });
        self.list(&mut text, count, moved);
        let count = not.len();
        self.list(&mut text, count, not.into_iter());
        text
    }
}

/// A read with its verdict, and what was found, with the cure.
pub(super) fn snapshot_lines(snapshot: &SnapshotSummary, paint: Paint) -> String {
    let mut text = String::new();
    let verdict = match &snapshot.verdict {
        Verdict::Complete => paint.good("complete"),
        Verdict::Degraded { cannot } => {
            let uses: Vec<String> = cannot.iter().map(|use_| format!("{use_:?}").to_lowercase()).collect();
            paint.warn(&format!("degraded: not for {}", uses.join(", ")))
        }
        Verdict::Rejected => paint.bad("REJECTED"),
    };
    let role = match snapshot.role {
        Some(crate::domain::snapshot::Role::Authoritative) => "decides",
        Some(crate::domain::snapshot::Role::Enrich) => "adds",
        None => "cards",
    };
    let _ = write!(
        text,
        "  {:<12} {role:<8} {:>7} records  {verdict}",
        snapshot.name.as_str(),
        snapshot.records
    );
    if snapshot.keyless + snapshot.unreadable > 0 {
        let _ = write!(
            text,
            " ({} without key, {} unreadable)",
            snapshot.keyless, snapshot.unreadable
        );
    }
    text.push('\n');
    for finding in &snapshot.findings {
        let mark = match finding.effect {
            Effect::Note => "note:".to_owned(),
            Effect::NoAbsence => paint.warn("doubt:"),
            Effect::RejectAcceptable | Effect::Reject => paint.bad("rejected:"),
        };
        let _ = writeln!(text, "      {mark} {}", with_cure(&finding.message, &finding.cure));
    }
    text
}

fn group<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeMap<ActionKind, Vec<&'a Change>> {
    let mut by_kind: BTreeMap<ActionKind, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        by_kind.entry(change.action.kind()).or_default().push(change);
    }
    by_kind
}

fn joined<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn name_of(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::CreateEntry => "new entry",
        ActionKind::SetReferences => "references",
        ActionKind::Unarchive
        | ActionKind::Create
        | ActionKind::Update
        | ActionKind::Adopt
        | ActionKind::Archive
        | ActionKind::Anonymize => kind.name(),
    }
}

fn reason_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Protected => "protected",
        SkipReason::SpecialAccount => "special account",
        SkipReason::OutOfScope => "out of scope",
        SkipReason::ScopeUnknown => "scope not known",
        SkipReason::ArchivedByHand => "archived by hand",
        SkipReason::UnarchivedByHand => "unarchived by hand",
        SkipReason::LeavingLater => "leaves, not yet",
        SkipReason::LeftWithoutCard => "left, has no card",
        SkipReason::LeavingUnknown => "leaving not known",
        SkipReason::MissingNotYet => "missing, not long enough",
        SkipReason::AbsenceUnknown => "absence not known",
        SkipReason::Drift => "changed behind our back",
        SkipReason::ArchivedTwin => "archived twin",
        SkipReason::FieldLeft => "field left as it is",
        SkipReason::LoginHeld => "login held by another card",
        SkipReason::ManagerUnknown => "manager not known",
        SkipReason::CardDeleted => "card deleted or hidden",
        SkipReason::TargetDegraded => "read of TOPdesk not good enough",
    }
}
