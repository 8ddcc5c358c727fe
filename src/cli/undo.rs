//! `undo`: the way back from a run or an item.

use super::exit::Exit;
use super::out;
use super::progress::Shown as Bars;
use super::{approver, session};
use crate::app::environment::Environment;
use crate::app::run_once::{RunOnce, carry_through};
use crate::core::memory::decision::HeldItem;
use crate::core::model::ids::RunId;
use crate::core::model::key::KeyReading;
use crate::core::model::visible;
use crate::core::plan::report::RunReport;
use crate::engine::run::{Planned, plan_exit_code};
use crate::engine::state::StateReader;
use crate::present::lines::Paint;
use crate::present::lines::{line, lined};
use crate::present::text::Shown;
use crate::present::words::{counted, name_of};
use crate::tools::undo::run::{NothingToUndo, UndoRequest};
use crate::tools::undo::{Deed, Kept, Part, part_of};
use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;

/// What such a run is called in the history.
const UNDO: &str = "undo";

/// How far back the last run that wrote something is looked for.
const RUNS_LOOKED_AT: u32 = 1000;

#[derive(Clone, Debug, Args)]
pub(super) struct UndoArgs {
    /// The id of a run, `last` for the last one that wrote something, or the id of an item: then the last run that did it is
    /// meant, and this item of it only.
    #[arg(value_name = "RUN|ITEM")]
    what: String,
    /// This person only.
    #[arg(long, value_name = "KEY")]
    only: Option<String>,
    /// This action (archive, update, adopt ...) or budget class (operators, names ...) only.
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Show the way back and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Show every line, however many.
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Undo as if it were another moment; only against a sandbox, unless with --dry-run.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

pub(super) async fn undo(config: &Path, args: &UndoArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let Some(args) = &named(args, &environment).await? else {
        return Ok(Exit::Usage);
    };
    let request = UndoRequest {
        what: args.what.clone(),
        part: part(args, &environment)?,
        by: approver::operating_system_user(),
    };
    let as_of = args.as_of.as_deref();
    let as_of = as_of
        .map(|text| session::moment(text, environment.zone()))
        .transpose()?;
    let clock = session::clock(as_of);
    let bars = Bars::new();
    if args.dry_run {
        let store = session::read_store(&environment).await?;
        let connected = environment.connect()?;
        let way = environment
            .read_parts(&connected, &*clock, &bars)
            .plan_undo(&store, &request)
            .await;
        bars.finish();
        store.close().await;
        let way = way?;
        if args.json {
            print_json(&document(args, &way.planned, &way.kept))?;
        } else {
            out::print(&text(args, &way.planned, &way.kept));
        }
        let code = plan_exit_code(&way.planned.judged);
        let stays = way.kept.iter().any(|one| !one.why.is_done());
        return Ok(Exit::Verdict(if stays && [0, 2].contains(&code) { 3 } else { code }));
    }
    session::drop_to_store_owner(&environment)?;
    let stop = session::stop_signal()?;
    let once = RunOnce {
        environment: &environment,
        command: UNDO,
        clock: &*clock,
        progress: &bars,
        stop: &stop,
    };
    let finished = carry_through(once, &request).await;
    bars.finish();
    let finished = finished?;
    if args.json {
        let mut document = document(args, &finished.planned, &finished.also);
        document["run"] = json!(finished.report);
        document["outcomes"] = json!(finished.outcomes);
        print_json(&document)?;
    } else {
        out::print(&text(args, &finished.planned, &finished.also));
        out::print(&shown(args, &finished.planned).outcomes(&finished.outcomes));
        let held = HeldItem::open(&finished.holds).len();
        if held > 0 {
            let waits = if held == 1 { "item waits" } else { "items wait" };
            let line = format!(
                "{held} {waits} for a decision: see cardsync holds, then cardsync approve ID, then cardsync undo {} again.\n",
                args.what
            );
            out::print(&Paint::stdout().warn(&line));
        }
        let run = &finished.report.id;
        out::print(&crate::present::text::finished(
            run,
            &finished.planned.judged,
            &finished.outcomes,
            crate::present::text::needs_a_human(&finished.report.counts),
            "takes it back",
        ));
    }
    let verdict = finished.report.verdict.context("a finished run has a verdict")?;
    if verdict.exit_code() == 1 && !args.json {
        bail!("{}", finished.report.failure.unwrap_or_default());
    }
    Ok(Exit::Verdict(verdict.exit_code()))
}

/// Finds out what is meant, before anything begins: a word that names nothing is wrong usage and no run that failed. `None`
/// where it names nothing; that is said.
async fn named(args: &UndoArgs, environment: &Environment) -> anyhow::Result<Option<UndoArgs>> {
    let part = part(args, environment)?;
    let store = session::read_store(environment).await?;
    let found = what_wrote(&store, &args.what, &part).await;
    store.close().await;
    match found? {
        Meant::One(what) => Ok(Some(UndoArgs { what, ..args.clone() })),
        Meant::Nothing => {
            let why = NothingToUndo(visible::line(&args.what).into_owned());
            out::note(&format!("error: {why}; cardsync history lists the runs"));
            Ok(None)
        }
        Meant::NoSuchPart(what) => {
            out::note(&format!(
                "error: {} wrote nothing that this --only or --class names; cardsync history RUN lists what a run did",
                visible::line(&what)
            ));
            Ok(None)
        }
        Meant::AnUndo(run) => {
            out::note(&format!(
                "error: the last run that wrote something is an undo itself, {run}, and 'last' may mean two things: to go on \
                 with it, name the run that it undoes, as before; to take it back: cardsync undo {run}"
            ));
            Ok(None)
        }
    }
}

/// What the word of the command line means.
enum Meant {
    /// A run or an item.
    One(String),
    Nothing,
    /// A run or an item, and nothing of it is of the person or class that is asked for: a word that was typed wrong.
    NoSuchPart(String),
    /// `last`, and that is an undo: whoever gives the same command twice wants to go on with it, and not to take it back.
    AnUndo(RunId),
}

async fn what_wrote(store: &impl StateReader, word: &str, part: &Part) -> anyhow::Result<Meant> {
    let (what, deeds) = if word == "last" {
        let Some((run, deeds)) = last_that_wrote(store).await? else {
            return Ok(Meant::Nothing);
        };
        if run.command == UNDO {
            return Ok(Meant::AnUndo(run.id));
        }
        (run.id.to_string(), deeds)
    } else {
        (word.to_owned(), store.deeds(word).await?)
    };
    Ok(if deeds.is_empty() {
        Meant::Nothing
    } else if part_of(deeds, part).is_empty() {
        Meant::NoSuchPart(what)
    } else {
        Meant::One(what)
    })
}

async fn last_that_wrote(store: &impl StateReader) -> anyhow::Result<Option<(RunReport, Vec<Deed>)>> {
    for run in store.history(RUNS_LOOKED_AT).await? {
        let deeds = store.deeds(run.id.as_str()).await?;
        if !deeds.is_empty() {
            return Ok(Some((run, deeds)));
        }
    }
    Ok(None)
}

/// The part of it that is asked for.
fn part(args: &UndoArgs, environment: &Environment) -> anyhow::Result<Part> {
    let only = match &args.only {
        None => None,
        Some(raw) => match environment.key().read(raw) {
            KeyReading::Key(key) => Some(key),
            KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } | KeyReading::Hidden { .. } => {
                bail!("'{raw}' is not a key; give the number as the card has it")
            }
        },
    };
    let class = args.class.clone();
    Ok(Part { only, class })
}

fn print_json(document: &Value) -> anyhow::Result<()> {
    out::json(document)?;
    Ok(())
}

fn document(args: &UndoArgs, planned: &Planned, kept: &[Kept]) -> Value {
    let kept: Vec<Value> = kept
        .iter()
        .map(|one| {
            json!({
                "action": one.action, "key": one.key, "person_id": one.card, "field": one.field, "item": one.item,
                "run": one.run, "why": one.why, "message": one.why.explain(),
            })
        })
        .collect();
    json!({ "undo_of": args.what, "plan": planned.judged.view(), "kept": kept })
}

fn shown<'a>(args: &UndoArgs, planned: &'a Planned) -> Shown<'a> {
    Shown {
        judged: &planned.judged,
        input: &planned.input,
        paint: Paint::stdout(),
        all: args.all,
        only: None,
    }
}

fn text(args: &UndoArgs, planned: &Planned, kept: &[Kept]) -> String {
    let shown = shown(args, planned);
    let plan = &planned.judged.plan;
    let at = plan
        .created_at
        .with_timezone(&planned.input.moment.zone)
        .format("%Y-%m-%d %H:%M %Z");
    let title = format!("Undo of {} for {} at {at}", args.what, planned.input.environment);
    let mut text = String::new();
    line!(text, "{}", shown.paint.strong(&title));
    let held = planned.judged.held.len();
    let (done, cannot): (Vec<&Kept>, Vec<&Kept>) = kept.iter().partition(|one| one.why.is_done());
    line!(
        text,
        "  {}, {held} held; {} cannot be undone, {} as before already.",
        counted((plan.changes.len() - held) as u64, "change"),
        cannot.len(),
        done.len(),
    );
    shown.allowed(&mut text);
    shown.held(&mut text);
    for (title, list) in [("Cannot be undone", cannot), ("As before already", done)] {
        if list.is_empty() {
            continue;
        }
        let title = format!("{title} ({})", list.len());
        line!(text, "\n{}", shown.paint.strong(&title));
        shown.list(&mut text, list.len(), list.into_iter().map(line));
    }
    text
}

fn line(kept: &Kept) -> String {
    let who = kept.key.as_ref().map(ToString::to_string);
    let field = kept.field.map(|field| field.to_string());
    let card = kept.card.as_ref().map(|card| format!("({card})"));
    let parts: Vec<String> = who.into_iter().chain(card).chain(field).collect();
    lined!(
        "  {:<11} {}  [{}]: {}",
        name_of(kept.action),
        parts.join(" "),
        kept.item,
        kept.why.explain()
    )
}
