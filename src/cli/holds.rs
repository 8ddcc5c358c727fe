//! `holds`: what waits for a decision and what else needs a human, as a tired administrator reads it.

mod document;

use super::choices::questions;
use super::exit::Exit;
use super::out;
use super::session;
use super::table::TableForm;
use crate::core::memory::decision::{Answer, Decision, HeldItem, REJECTION_IS_QUIET, is_rejected, settled_items};
use crate::core::model::card::OperatorLink;
use crate::core::model::ids::ItemId;
use crate::core::plan::concern::Addressee;
use crate::core::plan::view::{ChangeView, HoldView};
use crate::core::plan::{ActionKind, HoldReason};
use crate::engine::attention::KeptConcern;
use crate::engine::decisions::{self, Waiting, choice_words};
use crate::engine::state::{KeptHold, REKEY, StateReader};
use crate::present::concerns;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::{NUMBER_OFF, group_lines, operator_words, other_card_words};
use anyhow::Context;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Items per action before the list is cut; `--all` shows everything.
const MOST_SHOWN: usize = 25;

#[derive(Debug, Args)]
pub(super) struct HoldsArgs {
    /// JSON on standard output: the array of what waits for a decision; with --for one object with that and what else needs
    /// a human.
    #[arg(long)]
    json: bool,
    /// Show every item, however many.
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Write the list for a spreadsheet, with a column for decisions that `approve --csv` reads; with --for what they have to
    /// correct. Readable by its owner only.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "all", "decisions"])]
    csv: Option<PathBuf>,
    #[command(flatten)]
    form: TableForm,
    /// Who decided what, newest first.
    #[arg(long, conflicts_with = "all")]
    decisions: bool,
    /// Only what these people can settle: `hr` corrects records, `it` sees to reads and the directory, `desk` manages cards and
    /// decides, `privacy` answers for personal data.
    #[arg(long = "for", value_name = "WHOM", conflicts_with = "decisions")]
    whom: Option<Whom>,
}

/// Whose list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Whom {
    Hr,
    It,
    Desk,
    Privacy,
    All,
}

impl Whom {
    fn includes(self, addressee: Addressee) -> bool {
        match self {
            Whom::Hr => addressee == Addressee::Hr,
            Whom::It => addressee == Addressee::It,
            Whom::Desk => addressee == Addressee::Desk,
            Whom::Privacy => addressee == Addressee::Privacy,
            Whom::All => true,
        }
    }

    /// Who manages the cards decides about them.
    fn decides(self) -> bool {
        matches!(self, Whom::Desk | Whom::All)
    }

    fn name(self) -> &'static str {
        match self {
            Whom::Hr => "hr",
            Whom::It => "it",
            Whom::Desk => "desk",
            Whom::Privacy => "privacy",
            Whom::All => "all",
        }
    }
}

pub(super) async fn holds(config: &Path, args: &HoldsArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let store = session::read_store(&environment).await?;
    if args.decisions {
        let log = store.decisions().await?;
        store.close().await;
        if args.json {
            out::json(&log)?;
        } else {
            let zone = environment.zone();
            out::print(&crate::present::decisions::as_text(
                &log,
                Utc::now(),
                zone,
                Paint::stdout(),
            ));
        }
        return Ok(Exit::Done);
    }
    let now = Utc::now();
    let mut waiting = decisions::waiting(&store, now).await?;
    store.close().await;
    let whom = args.whom.unwrap_or(Whom::All);
    if !whom.decides() {
        waiting.items.clear();
        waiting.snapshots.clear();
    }
    let zone = environment.zone();
    let listed: Vec<&KeptConcern> = waiting.concerns.iter().collect();
    // A doubt that an approval settles stands among what waits for one.
    let listed = listed
        .into_iter()
        .filter(|kept| kept.concern.acceptance.is_none() || !whom.decides());
    let listed: Vec<&KeptConcern> = listed.filter(|kept| whom.includes(kept.concern.addressee)).collect();
    match (&args.csv, args.whom) {
        (Some(file), Some(whom)) => {
            write_concerns(file, &listed, zone, &args.form)
                .with_context(|| format!("the list could not be written to {}", file.display()))?;
            let count = listed.len();
            out::print(&format!(
                "Wrote {count} line(s) for {} to {}.\n",
                whom.name(),
                file.display()
            ));
        }
        (Some(file), None) => {
            let sheet = crate::present::sheet::write(&waiting, zone, args.form.separator());
            out::private_file(file, &sheet)
                .with_context(|| format!("the list could not be written to {}", file.display()))?;
            let lines = waiting.items.len() + waiting.snapshots.len();
            out::print(&format!(
                "Wrote {lines} item(s) to {file}. Write approve or reject in the column 'decision', then: cardsync approve --csv {file}\n",
                file = file.display()
            ));
        }
        (None, Some(whom)) if args.json => out::json(&json!({
            "for": whom.name(),
            "last_look": waiting.last_look,
            "items": document::items(&waiting),
            "concerns": listed,
        }))?,
        (None, None) if args.json => out::json(&document::items(&waiting))?,
        (None, whom) => {
            let is_part = whom.is_some_and(|whom| !whom.decides());
            let of_list = List {
                waiting: &waiting,
                settled: settled(&waiting, now),
                concerns: &listed,
                is_part,
            };
            out::print(&as_text(&of_list, zone, args.all, Paint::stdout()));
        }
    }
    let settled = settled(&waiting, now);
    let known = |kept: &&KeptConcern| !kept.concern.is_open();
    let nothing = settled.len() == waiting.items.len() && waiting.snapshots.is_empty() && listed.iter().all(known);
    Ok(if nothing { Exit::Done } else { Exit::Held })
}

/// Items that wait for nobody: somebody has said no, also since the last run.
fn settled(waiting: &Waiting, now: DateTime<Utc>) -> BTreeSet<&ItemId> {
    let decided = by_item(waiting);
    let judged: BTreeMap<&ItemId, &HeldItem> = waiting
        .items
        .iter()
        .map(|kept| (&kept.item.change.id, &kept.item))
        .collect();
    let said_no = |item: &ItemId, reasons: &[HoldReason]| match decided.get(item) {
        Some(decision) => decision.keeps_known(judged[item].judged_at, is_rejected(reasons), now),
        // A no to the card and the number is a no to the item; any other is over where it is not in force.
        None => is_rejected(reasons) && writes_a_number(judged[item].change.action),
    };
    let held = waiting
        .items
        .iter()
        .map(|kept| (&kept.item.change.id, kept.item.reasons.as_slice()));
    settled_items(held, said_no)
}

/// What is listed, and of whom.
struct List<'a> {
    waiting: &'a Waiting,
    settled: BTreeSet<&'a ItemId>,
    concerns: &'a [&'a KeptConcern],
    /// Of one addressee: what others decide is not in it.
    is_part: bool,
}

/// Whether a no to the card and the number is a no to such an item.
fn writes_a_number(action: ActionKind) -> bool {
    matches!(action, ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge)
}

/// What a rejection lasts, in words.
pub(super) fn quiet_words(decision: &Decision, when: &dyn Fn(DateTime<Utc>) -> String) -> String {
    match decision.until {
        Some(until) if until == decision.quiet_until() => format!("until {} at most", when(until)),
        Some(_) | None => format!("for {} days at most", REJECTION_IS_QUIET.num_days()),
    }
}

/// The decision in force about an item that waits.
fn decision<'a>(waiting: &'a Waiting, item: &HeldItem) -> Option<&'a Decision> {
    waiting.decided.iter().find(|decision| decision.item == item.change.id)
}

/// The decisions in force, found at once: a hundred thousand items may wait.
fn by_item(waiting: &Waiting) -> BTreeMap<&ItemId, &Decision> {
    let decided = waiting.decided.iter();
    decided.map(|decision| (&decision.item, decision)).collect()
}

/// How many wait, by action, and how many of them concern an operator; and how many wait for nobody, because they were rejected.
fn summary(waiting: &Waiting, settled: &BTreeSet<&ItemId>) -> String {
    let mut counts: BTreeMap<ActionKind, u64> = BTreeMap::new();
    let mut operators = 0;
    let open = |kept: &&KeptHold| !settled.contains(&kept.item.change.id);
    for kept in waiting.items.iter().filter(open) {
        *counts.entry(kept.item.change.action).or_default() += 1;
        operators += u64::from(kept.item.change.operator != OperatorLink::ProvenNone);
    }
    let mut parts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if operators > 0 {
        parts.push(format!("{operators} of them with an operator"));
    }
    for (word, rejected) in [("rejected", true), ("doubted", false)] {
        let snapshots = waiting
            .snapshots
            .iter()
            .filter(|hold| hold.rejected == rejected)
            .count();
        if snapshots > 0 {
            parts.push(format!("{snapshots} {word} snapshot"));
        }
    }
    let waiting = if parts.is_empty() {
        "Nothing waits for a decision".to_owned()
    } else {
        format!("Waiting: {}", parts.join(", "))
    };
    match settled.len() {
        0 => waiting,
        rejected => format!("{waiting}; {rejected} rejected, quiet until they change"),
    }
}

/// What waits for a decision, then what else needs a human.
fn as_text(list: &List<'_>, zone: Tz, all: bool, paint: Paint) -> String {
    let (waiting, concerns, is_part) = (list.waiting, list.concerns, list.is_part);
    let settled = &list.settled;
    let mut text = String::new();
    let nothing_waits = waiting.items.is_empty() && waiting.snapshots.is_empty();
    if nothing_waits && concerns.is_empty() && !is_part {
        return "Nothing waits.\n".to_owned();
    }
    if is_part && nothing_waits {
        let nothing = if concerns.is_empty() {
            "Nothing to correct. "
        } else {
            ""
        };
        line!(text, "{nothing}What waits for a decision stands in `cardsync holds`.");
    } else if nothing_waits {
        text.push_str("Nothing waits for a decision.\n");
    } else {
        decidable(&mut text, waiting, settled, zone, all, paint);
    }
    if !concerns.is_empty() {
        let when = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
        let known = |kept: &KeptConcern| {
            let by = kept.concern.rejected_by.as_ref()?;
            let mut decided = waiting.decided.iter();
            let decision = decided.find(|it| kept.concern.is_answered_by(&it.item))?;
            let for_how_long = quiet_words(decision, &when);
            Some(format!("known to {by}: stays quiet until it changes, {for_how_long}"))
        };
        let mark = |kept: &KeptConcern| concerns::Mark {
            is_stale: waiting.is_stale(kept.seen_at),
            known: known(kept),
        };
        text.push_str(&concerns::as_text(concerns, zone, all, paint, &mark));
        text.push_str(
            "\nThis is settled where it stands, and goes from the list once it is. What is known and may stay: cardsync reject \
             ID|KIND, then it is quiet until it changes.\n",
        );
    }
    text
}

fn decidable(text: &mut String, waiting: &Waiting, settled: &BTreeSet<&ItemId>, zone: Tz, all: bool, paint: Paint) {
    let when = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
    line!(text, "{}", paint.strong(&summary(waiting, settled)));
    for hold in &waiting.snapshots {
        let verdict = if hold.rejected { "rejected" } else { "doubted" };
        let title = format!("[{}] snapshot of {}, {verdict}", hold.id, hold.source);
        line!(text, "\n{}  since {}", paint.strong(&title), when(hold.since));
        for reason in &hold.reasons {
            line!(text, "    {reason}");
        }
    }
    let show =
        |text: &mut String, kept: &KeptHold, shared: &[&HoldView]| one(text, kept, shared, waiting, &when, paint);
    questions(text, waiting, all, &show, paint);
    let mut by_action: BTreeMap<ActionKind, Vec<&KeptHold>> = BTreeMap::new();
    for kept in waiting.items.iter().filter(|kept| kept.item.change.choices.is_empty()) {
        by_action.entry(kept.item.change.action).or_default().push(kept);
    }
    for (action, items) in by_action {
        line!(text);
        // What holds all of them is said once, above them.
        let shared: Vec<&HoldView> = match items.as_slice() {
            [] | [_] => Vec::new(),
            [first, others @ ..] => first
                .item
                .change
                .holds
                .iter()
                .filter(|hold| others.iter().all(|kept| kept.item.change.holds.contains(hold)))
                .collect(),
        };
        for hold in &shared {
            let all = format!("all {} {action}:", items.len());
            line!(text, "{} {}", paint.warn(&all), hold.message);
        }
        let shown = if all { items.len() } else { MOST_SHOWN };
        for kept in items.iter().take(shown) {
            show(text, kept, &shared);
        }
        if items.len() > shown {
            line!(text, "... and {} more (--all, or --json)", items.len() - shown);
        }
    }
    line!(
        text,
        "\nDecide: cardsync approve ID|CLASS|PLAN, or cardsync reject ID. An approval holds for 7 days and for exactly what is shown; \
         a class or a plan leaves out what asks about one person."
    );
}

fn one(
    text: &mut String,
    kept: &KeptHold,
    shared: &[&HoldView],
    waiting: &Waiting,
    when: &dyn Fn(DateTime<Utc>) -> String,
    paint: Paint,
) {
    let item = &kept.item;
    let change: &ChangeView = &item.change;
    let key = change.key.as_ref().map_or("", |key| key.as_str());
    let card = change.person_id.as_ref().map_or("new card", |card| card.as_str());
    let named: Vec<&str> = [key]
        .into_iter()
        .chain(item.name.as_deref())
        .filter(|word| !word.is_empty())
        .collect();
    let named = named.join(" ");
    let title = match change.action {
        ActionKind::CreateEntry => format!("[{}] {}", change.id, change.action),
        _choice if !change.choices.is_empty() => format!("[{}] {} for {named}", change.id, choice_words(change)),
        _back if change.takes_number_off() => format!("[{}] {NUMBER_OFF} {named} ({card})", change.id),
        _card => format!("[{}] {} {named} ({card})", change.id, change.action),
    };
    let unjudged = match item.judged_at {
        Some(at) if kept.undoes.is_none() && waiting.is_stale(at) => format!(", not judged since {}", when(at)),
        Some(_) | None => String::new(),
    };
    line!(text, "{}  since {}{unjudged}", paint.strong(&title), when(item.since));
    match kept.undoes.as_deref() {
        Some(REKEY) => {
            line!(text, "    of rekey write");
        }
        Some(what) => {
            line!(text, "    of the undo of {what}");
        }
        None => {}
    }
    if let Some(what) = operator_words(
        &change.operator,
        change.action,
        &change.operators_kept_archived,
        &change.operator_names,
    ) {
        line!(text, "    {} {what}", paint.bad("operator"));
    }
    for line in group_lines(&change.operator_groups, &change.operator_names) {
        line!(text, "      {line}");
    }
    for (name, field) in &change.fields {
        let value = |value: &Option<String>| {
            value
                .as_ref()
                .map_or("(empty)".to_owned(), |value| format!("\"{value}\""))
        };
        match change.action {
            ActionKind::Create | ActionKind::CreateEntry => line!(text, "    {name}: {}", value(&field.to)),
            _existing => line!(text, "    {name}: {} -> {}", value(&field.from), value(&field.to)),
        };
    }
    if let Some(other) = other_card_words(change) {
        line!(text, "    {other}");
    }
    for why in &change.why {
        line!(text, "    why: {why}");
    }
    for hold in change.holds.iter().filter(|hold| !shared.contains(hold)) {
        // Waiting for another item ends with that item; approving this one would not help.
        let mark = match (hold.approvable, hold.code.as_str()) {
            (true, _) => "held:",
            (false, "depends_on") => "follows:",
            (false, _) => "held (no approval lifts this):",
        };
        line!(text, "    {} {}", paint.warn(mark), hold.message);
    }
    if let Some(decision) = decision(waiting, item) {
        let until = decision
            .until
            .map_or(String::new(), |until| format!(" until {}", when(until)));
        let by = &decision.by;
        match decision.answer {
            Answer::Approve if change.holds.iter().any(|hold| !hold.approvable) => line!(
                text,
                "    approved by {by}{until}, and waits for what no approval lifts"
            ),
            Answer::Approve if decision.covers(change) => {
                let then = match kept.done_by() {
                    None => "in the next run".to_owned(),
                    Some(command) => format!("with {command}"),
                };
                line!(text, "    approved by {by}{until}: passes {then}")
            }
            Answer::Approve => line!(
                text,
                "    approved by {by}{until}, but not what holds it now: approve it again"
            ),
            Answer::Reject if item.is_settled() => {}
            Answer::Reject => line!(
                text,
                "    rejected by {by}: stays quiet until it changes, {}",
                quiet_words(decision, when)
            ),
        };
    }
}

/// The list as a table for whoever it is for; readable by its owner only.
fn write_concerns(file: &Path, concerns: &[&KeptConcern], zone: Tz, form: &TableForm) -> anyhow::Result<()> {
    let rows = concerns.iter().map(|kept| concerns::row(kept, zone));
    out::private_file(file, &form.table(&concerns::COLUMNS, rows))?;
    Ok(())
}
