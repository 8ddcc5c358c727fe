//! `approve`, `reject` and `unapprove`.

use super::exit::Exit;
use super::{approver, holds, out, session};
use crate::app::environment::Environment;
use crate::core::memory::decision::{Answer, Decision};
use crate::core::model::ids::ItemId;
use crate::engine::decisions::{self, APPROVAL_LASTS_AT_MOST, Decided, Said, Waiting};
use crate::engine::state::{KeptHold, StateWriter};
use crate::present::lines::line;
use crate::present::sheet;
use anyhow::{Context, bail};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// Item ids, budget classes (archive, create ...), actions (update, archive ...), `snapshot`, or a plan id. A class, an action
    /// or a plan leaves out whatever asks something about one person: that is decided by its id, or in a list.
    #[arg(required_unless_present = "csv", value_name = "ID|CLASS|PLAN")]
    what: Vec<String>,
    /// Take the decisions, both approvals and rejections, from a list that `holds --csv` made: all of it or nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "what")]
    csv: Option<PathBuf>,
    /// Why, for those who read the journal later.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Last day, or moment, at which the approval holds: at most 30 days from now. Default: 7 days.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// The decisions as one JSON document on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RejectArgs {
    /// Item ids, budget classes (archive, operators ...), actions (update, adopt ...), `snapshot`, a plan id, or a kind of what
    /// needs a human (record_without_key ...): then it is known and counts no longer.
    #[arg(required = true, value_name = "ID|CLASS|PLAN|KIND")]
    what: Vec<String>,
    /// Why, for those who read the journal later.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Last day, or moment, of the silence. Default: until something about the item changes, for 30 days at most.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// The decisions as one JSON document on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct UnapproveArgs {
    /// Ids of items whose decision is taken back, whether it was a yes or a no.
    #[arg(required = true, value_name = "ID")]
    what: Vec<String>,
    /// The ids as one JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// What was asked for, by whichever command.
struct Asked<'a> {
    what: What<'a>,
    note: Option<&'a str>,
    until: Option<DateTime<Utc>>,
    by: String,
    now: DateTime<Utc>,
    json: bool,
}

enum What<'a> {
    Words(&'a [String], Answer),
    Sheet(Vec<u8>),
}

pub(super) async fn approve(config: &Path, args: &ApproveArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let now = Utc::now();
    let until = end(args.until.as_deref(), &environment, now)?;
    if let Some(until) = until
        && until > now + APPROVAL_LASTS_AT_MOST + Duration::days(1)
    {
        let days = APPROVAL_LASTS_AT_MOST.num_days();
        bail!("--until is more than {days} days away: approve for a shorter time, and again if it is needed again");
    }
    let what = match &args.csv {
        None => What::Words(&args.what, Answer::Approve),
        Some(file) => {
            let bytes = std::fs::read(file).with_context(|| format!("the list {} cannot be read", file.display()))?;
            What::Sheet(bytes)
        }
    };
    let asked = Asked {
        what,
        note: args.note.as_deref(),
        until,
        by: approver::operating_system_user(),
        now,
        json: args.json,
    };
    decide(&environment, asked).await
}

pub(super) async fn reject(config: &Path, args: &RejectArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let now = Utc::now();
    let asked = Asked {
        what: What::Words(&args.what, Answer::Reject),
        note: args.note.as_deref(),
        until: end(args.until.as_deref(), &environment, now)?,
        by: approver::operating_system_user(),
        now,
        json: args.json,
    };
    decide(&environment, asked).await
}

/// The end of a decision: a date is its whole day.
fn end(text: Option<&str>, environment: &Environment, now: DateTime<Utc>) -> anyhow::Result<Option<DateTime<Utc>>> {
    let Some(text) = text else { return Ok(None) };
    let zone = environment.zone();
    let end = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => {
            let next = day
                .succ_opt()
                .with_context(|| format!("'{text}' is no day of this world"))?;
            session::moment(&next.to_string(), zone)?
        }
        Err(_not_a_day) => session::moment(text, zone)?,
    };
    if end <= now {
        bail!("--until {text} is over already");
    }
    Ok(Some(end))
}

/// Takes decisions back: the items are asked about again.
pub(super) async fn unapprove(config: &Path, args: &UnapproveArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let store = session::write_store(&environment).await?;
    let now = Utc::now();
    let by = approver::operating_system_user();
    let taken = match decisions::waiting(&store, now).await {
        Ok(waiting) => decisions::to_take_back(&waiting, &args.what).map_err(|refused| nothing_decided(&refused)),
        Err(error) => Err(error.into()),
    };
    let kept = match &taken {
        Ok(items) => store.take_back(items, &by, now).await,
        Err(_) => Ok(()),
    };
    store.close().await;
    let items = taken?;
    kept?;
    if args.json {
        out::json(&items)?;
    } else {
        let ids: Vec<&str> = items.iter().map(ItemId::as_str).collect();
        out::print(&format!(
            "Taken back by {by}: {} decision(s){}\nWhat still waits is asked again.\n",
            ids.len(),
            named(&ids)
        ));
    }
    Ok(Exit::Done)
}

async fn decide(environment: &Environment, asked: Asked<'_>) -> anyhow::Result<Exit> {
    environment.refuse_changing_key()?;
    let store = session::write_store(environment).await?;
    let waiting = decisions::waiting(&store, asked.now).await?;
    let decided = match made(&waiting, &asked) {
        Ok(decided) => decided,
        Err(error) => {
            store.close().await;
            return Err(error);
        }
    };
    let kept = decisions::keep(&store, &decided).await;
    store.close().await;
    kept?;
    if asked.json {
        out::json(&decided)?;
    } else {
        tell(&decided, &waiting, &asked.by, environment.zone());
    }
    Ok(if decided.one_by_one.is_empty() {
        Exit::Done
    } else {
        Exit::Held
    })
}

/// What of it passes how: an item of an undo passes in that undo, not in a run.
fn passes(approved: &[&str], by_id: &BTreeMap<&str, &KeptHold>) -> String {
    let mut commands: BTreeSet<String> = BTreeSet::new();
    let mut by_run = false;
    for item in approved {
        match by_id.get(item).and_then(|kept| kept.done_by()) {
            Some(command) => {
                commands.insert(command);
            }
            None => by_run = true,
        }
    }
    const UNCHANGED: &str = "if nothing about them has changed by then.";
    let mut text = String::new();
    if by_run {
        line!(text, "They pass in the next run, {UNCHANGED}");
    }
    for command in commands {
        let these = match (by_run, command.starts_with("cardsync undo")) {
            (true, true) => "What belongs to the undo passes",
            (true, false) => "What belongs to rekey passes",
            (false, _) => "They pass",
        };
        line!(text, "{these} with: {command}, {UNCHANGED}");
    }
    text
}

fn made(waiting: &Waiting, asked: &Asked<'_>) -> anyhow::Result<Decided> {
    let Asked {
        what,
        note,
        until,
        by,
        now,
        json: _,
    } = asked;
    let said = Said {
        by,
        note: *note,
        until: *until,
        now: *now,
    };
    let decided = match what {
        What::Words(words, answer) => decisions::decide(waiting, words, *answer, said),
        What::Sheet(bytes) => {
            let sheet = sheet::read(bytes, waiting).map_err(|problems| nothing_decided(&problems))?;
            decisions::decide_sheet(waiting, &sheet, said)
        }
    };
    decided.map_err(|refused| nothing_decided(&refused))
}

/// Ids, as long as somebody can read them.
fn named(ids: &[&str]) -> String {
    const READABLE: usize = 20;
    if ids.len() > READABLE {
        String::new()
    } else {
        format!(": {}", ids.join(" "))
    }
}

fn nothing_decided(problems: &[impl ToString]) -> anyhow::Error {
    // A cell of a sheet is quoted in some of them.
    let line = |problem: &dyn ToString| crate::core::model::visible::line(&problem.to_string()).into_owned();
    let lines: Vec<String> = problems.iter().map(|problem| line(problem)).collect();
    anyhow::anyhow!("nothing was decided: {}", lines.join("\n"))
}

fn tell(decided: &Decided, waiting: &Waiting, by: &str, zone: Tz) {
    let by_id: BTreeMap<&str, &KeptHold> = waiting
        .items
        .iter()
        .map(|kept| (kept.item.change.id.as_str(), kept))
        .collect();
    let of = |answer: Answer| -> Vec<&str> {
        let of_it = decided.decisions.iter().filter(|decision| decision.answer == answer);
        of_it.map(|decision| decision.item.as_str()).collect()
    };
    let approved = of(Answer::Approve);
    let waits_on: BTreeSet<&str> = decided.not_approvable.iter().map(ItemId::as_str).collect();
    let passing: Vec<&str> = approved.iter().copied().filter(|id| !waits_on.contains(id)).collect();
    let waits_on: Vec<&str> = approved.iter().copied().filter(|id| waits_on.contains(id)).collect();
    if !approved.is_empty() {
        out::print(&format!(
            "Approved by {by}: {} item(s){}\n{}",
            approved.len(),
            named(&approved),
            passes(&passing, &by_id)
        ));
    }
    let rejected = of(Answer::Reject);
    if !rejected.is_empty() {
        out::print(&format!(
            "Rejected by {by}: {} item(s){}\nThey stay quiet until something about them changes, {}.\n",
            rejected.len(),
            named(&rejected),
            quiet_words(&decided.decisions, zone)
        ));
    }
    if !waits_on.is_empty() {
        out::print(&format!(
            "These also wait for something that no approval lifts (see holds){}\n",
            named(&waits_on)
        ));
    }
    alone(decided, &by_id);
}

/// How long the longest of these rejections lasts.
fn quiet_words(decisions: &[Decision], zone: Tz) -> String {
    let rejections = decisions.iter().filter(|it| it.answer == Answer::Reject);
    let last = rejections.max_by_key(|it| it.quiet_until());
    last.map_or(String::new(), |last| {
        holds::quiet_words(last, &|at| {
            at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
        })
    })
}

/// What a class, an action or a plan named and no such word decides, and how it is decided.
fn alone(decided: &Decided, by_id: &BTreeMap<&str, &KeptHold>) {
    let ids: Vec<&str> = decided.one_by_one.iter().map(ItemId::as_str).collect();
    if ids.is_empty() {
        return;
    }
    let resembles = |id: &&&str| {
        let kept = by_id.get(**id);
        kept.is_some_and(|kept| kept.item.change.holds.iter().any(|hold| hold.code == "adopt_or_create"))
    };
    let alike = ids.iter().filter(resembles).count();
    let have = if ids.len() == 1 {
        "item has a doubt of its own"
    } else {
        "items have doubts of their own"
    };
    let mut text = String::new();
    line!(
        text,
        "Not approved: {} {have}, which no class or plan answers{}",
        ids.len(),
        named(&ids)
    );
    line!(
        text,
        "  Decide one by one: cardsync holds, then cardsync approve ID or reject ID; or by lines: cardsync holds --csv FILE"
    );
    if alike > 0 {
        line!(
            text,
            "  {alike} of them may have a card already: cardsync rekey pair compares many people with many cards at once"
        );
    }
    out::print(&text);
}
