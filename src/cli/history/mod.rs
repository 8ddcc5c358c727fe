//! `history`: the runs of this environment, and what became of each item of one.

mod text;

pub(super) use text::run as one_run;

use super::exit::Exit;
use super::out::{self, Paint};
use super::report::{self, Told};
use super::session;
use super::table::TableForm;
use crate::domain::ids::RunId;
use crate::domain::report::{RunReport, RunVerdict, ends_without_verdict};
use crate::domain::view::FromTo;
use crate::engine::history::{ItemHistory, RunHistory, of_run};
use crate::engine::state::StateReader;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// One run, item by item: its id, as `history` lists it, or `last`.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Runs at most, newest first.
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "run")]
    limit: u32,
    /// JSON on standard output: an array of runs, or one run with its items.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV on standard output, for a spreadsheet.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    form: TableForm,
    /// Write a report that needs no other file, for a browser or a printer; readable by its owner only.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) async fn history(config: &Path, args: &HistoryArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let store = session::read_store(&environment).await?;
    let told = Told {
        environment: environment.id.as_str(),
        zone: environment.zone(),
        at: Utc::now(),
    };
    match &args.run {
        None => {
            let runs = store.history(args.limit).await;
            store.close().await;
            list(&runs?, args, &told)?;
        }
        Some(wanted) => {
            let run = match wanted.as_str() {
                "last" => store.history(1).await?.into_iter().next().map(|report| report.id),
                id => Some(RunId::from(id)),
            };
            let found = match &run {
                Some(run) => of_run(&store, run).await,
                None => Ok(None),
            };
            store.close().await;
            let found = found?;
            let (Some(run), Some(history)) = (run, found) else {
                bail!("there is no run '{wanted}'; cardsync history lists the runs that are kept");
            };
            one(&run, &history, args, &told)?;
        }
    }
    Ok(Exit::Done)
}

/// Writes a report and says so, unless something else is printed.
fn keep(file: &Path, html: &str, quiet: bool) -> anyhow::Result<()> {
    out::private_file(file, html).with_context(|| format!("the report could not be written to {}", file.display()))?;
    if !quiet {
        out::print(&format!("{}, readable by its owner only\n", file.display()));
    }
    Ok(())
}

fn list(runs: &[RunReport], args: &HistoryArgs, told: &Told<'_>) -> anyhow::Result<()> {
    if let Some(file) = &args.html {
        keep(file, &report::history(runs, told)?, args.json || args.csv)?;
    }
    if args.json {
        out::json(runs)?;
    } else if args.csv {
        let rows = runs.iter().map(|run| run_row(run, told.zone));
        out::table(&args.form.table(&RUN_COLUMNS, rows));
    } else if args.html.is_none() {
        out::print(&text::runs(runs, told.zone, Paint::stdout()));
    }
    Ok(())
}

fn one(run: &RunId, history: &RunHistory, args: &HistoryArgs, told: &Told<'_>) -> anyhow::Result<()> {
    if let Some(file) = &args.html {
        keep(file, &report::run(run, history, told)?, args.json || args.csv)?;
    }
    if args.json {
        out::json(history)?;
    } else if args.csv {
        let rows = history.items.iter().map(|item| item_row(run, item, told.zone));
        out::table(&args.form.table(&ITEM_COLUMNS, rows));
    } else if args.html.is_none() {
        out::print(&text::run(run, history, told.zone, Paint::stdout()));
    }
    Ok(())
}

const RUN_COLUMNS: [&str; 14] = [
    "run",
    "command",
    "started_at",
    "finished_at",
    "verdict",
    "done",
    "held",
    "not_done",
    "in_doubt",
    "not_reached",
    "operators",
    "conflicts",
    "rejections",
    "attention",
];

/// In the configured zone, with its distance from UTC: people read it, and programs are not left to guess.
fn stamp(moment: DateTime<Utc>, zone: Tz) -> String {
    moment
        .with_timezone(&zone)
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn run_row(run: &RunReport, zone: Tz) -> Vec<String> {
    let stamp = |moment| stamp(moment, zone);
    let counts = &run.counts;
    let done: u64 = counts.done.values().sum();
    let numbers = [
        done,
        counts.held,
        counts.not_done,
        counts.in_doubt,
        counts.not_reached,
        counts.operators,
        counts.conflicts,
        counts.rejections,
        counts.needs_attention(),
    ];
    let words = [
        run.id.to_string(),
        run.command.clone(),
        stamp(run.started_at),
        run.finished_at.map(stamp).unwrap_or_default(),
        verdict_word(run).to_owned(),
    ];
    words
        .into_iter()
        .chain(numbers.iter().map(ToString::to_string))
        .collect()
}

const ITEM_COLUMNS: [&str; 16] = [
    "run",
    "item",
    "action",
    "key",
    "name",
    "person_id",
    "outcome",
    "reason",
    "why",
    "fields",
    "operators",
    "approver",
    "approved_at",
    "note",
    "sent_at",
    "ended_at",
];

fn item_row(run: &RunId, item: &ItemHistory, zone: Tz) -> Vec<String> {
    let stamp = |moment| stamp(moment, zone);
    let reasons: Vec<String> = item.message.iter().cloned().chain(reasons(item)).collect();
    vec![
        run.to_string(),
        item.item.to_string(),
        item.action.to_string(),
        item.key.as_ref().map(ToString::to_string).unwrap_or_default(),
        item.name.clone().unwrap_or_default(),
        item.person_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        item.outcome.word().to_owned(),
        reasons.join("; "),
        item.why.join("; "),
        field_lines(item).join("; "),
        item.operator_names.list(&item.operators),
        item.approver.clone().unwrap_or_default(),
        item.approved_at.map(stamp).unwrap_or_default(),
        item.note.clone().unwrap_or_default(),
        item.sent_at.map(stamp).unwrap_or_default(),
        item.ended_at.map(stamp).unwrap_or_default(),
    ]
}

/// How a run ended, as a word; the word that JSON has where there is a verdict.
pub(super) fn verdict_word(run: &RunReport) -> &'static str {
    match (run.verdict, run.finished_at) {
        (Some(RunVerdict::Clean), _) => "clean",
        (Some(RunVerdict::Held), _) => "held",
        (Some(RunVerdict::Attention), _) => "attention",
        (Some(RunVerdict::SomeFailed), _) => "some_failed",
        (Some(RunVerdict::SnapshotRejected), _) => "snapshot_rejected",
        (Some(RunVerdict::Failed), _) => "failed",
        (None, Some(_)) if ends_without_verdict(&run.command) => "done",
        (None, Some(_)) => "stopped",
        (None, None) => "cut_off",
    }
}

/// How a run ended, for people.
pub(super) fn verdict_words(run: &RunReport) -> &'static str {
    match verdict_word(run) {
        "some_failed" => "some failed",
        "snapshot_rejected" => "read rejected",
        "cut_off" => "cut off",
        word => word,
    }
}

/// Each field from and to.
pub(super) fn field_lines(item: &ItemHistory) -> Vec<String> {
    let value = |value: &Option<String>| {
        value
            .as_ref()
            .map_or("(empty)".to_owned(), |text| format!("\"{text}\""))
    };
    let made = item.before.is_none() && item.other.is_none();
    let own = item.fields.iter().map(|(field, FromTo { from, to, .. })| match from {
        None if made => format!("{field}: {}", value(to)),
        Some(_) | None => format!("{field}: {} -> {}", value(from), value(to)),
    });
    let other = item.other.iter().flat_map(|other| {
        let name = other.name.as_ref().map_or(String::new(), |name| format!(" {name}"));
        let fields = other.fields.iter();
        fields.map(move |(field, FromTo { from, to, .. })| {
            format!(
                "and card {}{name}: {field}: {} -> {}",
                other.person_id,
                value(from),
                value(to)
            )
        })
    });
    own.chain(other).collect()
}

/// Why it is held, one line each.
pub(super) fn reasons(item: &ItemHistory) -> impl Iterator<Item = String> {
    item.reasons.iter().map(|reason| reason.message.clone())
}

/// How long a run took, for people; nothing where it has no end.
pub(super) fn took(run: &RunReport) -> String {
    let Some(end) = run.finished_at else {
        return "-".to_owned();
    };
    let seconds = (end - run.started_at).num_seconds().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _long => format!("{} h", seconds / 3600),
    }
}
