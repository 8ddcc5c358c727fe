//! `rekey write`: keys onto cards, as far as somebody approved the pairs.

use super::pair::{lines_of, told, which};
use crate::app::Writable;
use crate::app::environment::Environment;
use crate::app::run_once::{RunOnce, carry_through};
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::progress::Shown as Bars;
use crate::cli::{approver, session};
use crate::core::model::ids::{CardId, ItemId, RunId};
use crate::engine::explain::{JournalEntry, JournalReader};
use crate::engine::run::{Finished, Planned, plan_exit_code};
use crate::engine::state::StateReader;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::text::Shown;
use crate::present::words::counted;
use crate::store::ReadOnlyStore;
use crate::tools::rekey::pairing::Grade;
use crate::tools::rekey::run::{Choice, RekeyRequest, Writing};
use crate::tools::rekey::sheet::{Limits, OnTheCard};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Requests per key: the card, its operators, the write.
const REQUESTS_PER_KEY: u64 = 3;

/// A grade of pairs that may be written unseen. What is likely or possible needs a line of a list, or its own approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GradeName {
    Sure,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WriteArgs {
    /// A list of `rekey pair --csv` with decisions: its approved lines are written, approved by you, and its rejected ones are
    /// remembered. Several for the copies of several people: where they disagree nothing is written.
    files: Vec<PathBuf>,
    /// Write every pair of this grade, approved by you. Without it and without a list, sure and likely pairs wait in `holds`, and
    /// what was approved there is written.
    #[arg(long, conflicts_with = "files")]
    grade: Option<GradeName>,
    /// So many lines of the list may give another number than the proposed one, or one where none was proposed, to a card
    /// whose name does not agree wholly. Without it 5, or 2 % of the decided lines where that is more.
    #[arg(long, value_name = "NUMBER", requires = "files")]
    other_numbers: Option<u64>,
    /// Show what would be written and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Look also at cards with a number that nobody of the sources has. Lists of `rekey pair --unclaimed` need it.
    #[arg(long)]
    unclaimed: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Show every line, however many.
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Write as if it were another moment; only against a sandbox, unless with --dry-run.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

fn request(args: &WriteArgs) -> anyhow::Result<RekeyRequest> {
    let choice = match (args.files.as_slice(), args.grade) {
        ([], Some(GradeName::Sure)) => Choice::Grade(Grade::Sure),
        ([], None) => Choice::Approved,
        (files, _) => Choice::Lines(lines_of(files)?),
    };
    Ok(RekeyRequest {
        choice,
        which: which(args.unclaimed),
        limits: Limits {
            other_numbers: args.other_numbers,
        },
        by: approver::operating_system_user(),
    })
}

pub(super) async fn write(config: &Path, args: &WriteArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let request = request(args)?;
    let as_of = args.as_of.as_deref();
    let as_of = as_of
        .map(|text| session::moment(text, environment.zone()))
        .transpose()?;
    let clock = session::clock(as_of);
    // Before a long look that could lead to nothing.
    if args.dry_run {
        environment.refuse_changing_key()?;
    } else {
        Writable::prove(&environment, &*clock).await?;
    }
    session::drop_to_store_owner(&environment)?;
    let bars = Bars::new();
    // Looked at first, so that a list with a bad line is no failed run.
    let (first, runs, half_way) = {
        let store = session::read_store(&environment).await?;
        let connected = environment.connect()?;
        let first = environment
            .read_parts(&connected, &*clock, &bars)
            .plan_rekey(&store, &request)
            .await;
        let runs = match &first {
            Ok(first) => runs_that_wrote(&store, &first.resolved.on_the_card).await?,
            Err(_) => BTreeMap::new(),
        };
        let half_way = store.halfway().await?;
        store.close().await;
        (first, runs, half_way)
    };
    bars.finish();
    let first = first?;
    // What is half-way is finished before the lines are looked at: only then is it known which are written already.
    let finishes_first = !args.dry_run && !half_way.is_empty();
    if !first.resolved.problems.is_empty() && !finishes_first {
        let count = counted(first.resolved.problems.len() as u64, "line");
        bail!(
            "nothing was written: {count} of the list cannot be taken\n{}",
            told(&first.resolved.problems)
        );
    }
    if args.dry_run {
        show(args, &first)?;
        return Ok(Exit::Verdict(plan_exit_code(&first.planned.judged)));
    }
    let on_the_card = said_after_the_fact(&first.resolved.on_the_card, &runs);
    if finishes_first {
        let count = counted(half_way.len() as u64, "change");
        out::note(&format!(
            "{count} that an earlier run left half-way: finished first, then the lines are looked at."
        ));
    } else if !args.json {
        out::print(&head(&environment, &first));
        out::print(&Paint::stdout().warn(&on_the_card));
    }
    let stop = session::stop_signal()?;
    let bars = Bars::new();
    let once = RunOnce {
        environment: &environment,
        command: "rekey write",
        clock: &*clock,
        progress: &bars,
        stop: &stop,
    };
    let finished = carry_through(once, &request).await;
    bars.finish();
    let exit = report(args, &finished?, &first)?;
    Ok(match exit {
        // Somebody must take it off again, or the no back.
        Exit::Verdict(0) if !first.resolved.on_the_card.is_empty() => Exit::Held,
        exit => exit,
    })
}

/// The run and the item that wrote each number to which somebody says no now.
type Wrote = BTreeMap<CardId, (RunId, ItemId)>;

async fn runs_that_wrote(store: &ReadOnlyStore, rejected: &[OnTheCard]) -> anyhow::Result<Wrote> {
    let mut runs = BTreeMap::new();
    for one in rejected {
        let sent = store.journal_about(std::slice::from_ref(&one.card), &[]).await?;
        let wrote = |entry: &&JournalEntry| {
            entry.action == "adopt" && entry.key.as_ref() == Some(&one.key) && entry.outcome.as_deref() == Some("done")
        };
        let entry = sent.iter().rev().find(wrote);
        runs.extend(entry.map(|entry| (one.card.clone(), (entry.run.clone(), entry.item.clone()))));
    }
    Ok(runs)
}

/// Lines that say no to what stands on the cards already.
fn said_after_the_fact(rejected: &[OnTheCard], runs: &Wrote) -> String {
    let mut text = String::new();
    for one in rejected {
        let cure = match runs.get(&one.card) {
            Some((run, item)) => format!("run {run} wrote it: cardsync undo {item} takes it off again"),
            None => "cardsync did not write it: correct it in TOPdesk".to_owned(),
        };
        line!(
            text,
            "{}: rejected, and {} stands on card {} already; {cure}",
            one.place,
            one.key,
            one.card
        );
    }
    text
}

/// What is about to be done, and how long it takes.
fn head(environment: &Environment, first: &Writing) -> String {
    let keys = first.planned.judged.approved.changes().len() as u64;
    let held = first.planned.judged.held.len();
    let pace = u64::from(environment.config().topdesk.requests_per_second);
    let seconds = (keys * REQUESTS_PER_KEY).div_ceil(pace.max(1));
    let time = match seconds {
        0..=90 => format!("{seconds} s"),
        more => format!("{} min", more.div_ceil(60)),
    };
    let mut text = format!(
        "{} to write, {held} held; at {pace} requests per second this takes {time} or more. It can be stopped at any time: the \
         same command then does what is left.\n",
        counted(keys, "key")
    );
    let resolved = &first.resolved;
    if resolved.written + resolved.rejected + resolved.open > 0 {
        line!(
            text,
            "Of the list: {} approved and written before, {} rejected, {} without a decision.",
            resolved.written,
            resolved.rejected,
            resolved.open
        );
    }
    text
}

fn shown<'a>(args: &WriteArgs, planned: &'a Planned) -> Shown<'a> {
    Shown {
        judged: &planned.judged,
        input: &planned.input,
        paint: Paint::stdout(),
        all: args.all,
        only: None,
    }
}

fn show(args: &WriteArgs, first: &Writing) -> anyhow::Result<()> {
    if args.json {
        let document = json!({ "plan": first.planned.judged.view() });
        out::json(&document)?;
    } else {
        out::print(&shown(args, &first.planned).plan());
        out::print("Nothing was written.\n");
    }
    Ok(())
}

fn report(args: &WriteArgs, finished: &Finished, first: &Writing) -> anyhow::Result<Exit> {
    let verdict = finished.report.verdict.context("a finished run has a verdict")?;
    if args.json {
        let document = json!({
            "run": finished.report,
            "plan": finished.planned.judged.view(),
            "outcomes": finished.outcomes,
            "written_before": first.resolved.written,
            "rejected": first.resolved.rejected,
            "rejected_and_written": first.resolved.on_the_card.iter().map(|one| &one.card).collect::<Vec<_>>(),
            "open": first.resolved.open,
        });
        out::json(&document)?;
        return Ok(Exit::Verdict(verdict.exit_code()));
    }
    let shown = shown(args, &finished.planned);
    let mut text = String::new();
    shown.held(&mut text);
    out::print(&text);
    out::print(&shown.outcomes(&finished.outcomes));
    let held = finished.holds.iter().filter(|hold| !hold.is_settled()).count();
    if held > 0 {
        let waits = if held == 1 { "item waits" } else { "items wait" };
        let line = format!(
            "{held} {waits} for a decision: see cardsync holds, then cardsync approve ID, then cardsync rekey write.\n"
        );
        out::print(&Paint::stdout().warn(&line));
    }
    let run = &finished.report.id;
    out::print(&crate::present::text::finished(
        run,
        &finished.planned.judged,
        &finished.outcomes,
        crate::present::text::needs_a_human(&finished.report.counts),
        "takes the keys off again",
    ));
    if verdict.exit_code() == 1 {
        bail!("{}", finished.report.failure.clone().unwrap_or_default());
    }
    Ok(Exit::Verdict(verdict.exit_code()))
}
