//! `history`: the runs of this environment, and what became of each item of one.

pub(super) use crate::present::history::run as one_run;

use super::exit::Exit;
use super::out;
use super::session;
use super::table::TableForm;
use crate::core::model::ids::RunId;
use crate::core::plan::report::RunReport;
use crate::engine::state::StateReader;
use crate::present::history::{self as past, field_lines, reasons, verdict_word};
use crate::present::html::{self, Told};
use crate::present::lines::Paint;
use crate::tools::history::{ItemHistory, RunHistory, of_run};
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
        keep(file, &html::history(runs, told)?, args.json || args.csv)?;
    }
    if args.json {
        out::json(runs)?;
    } else if args.csv {
        let rows = runs.iter().map(|run| run_row(run, told.zone));
        out::table(&args.form.table(&RUN_COLUMNS, rows));
    } else if args.html.is_none() {
        out::print(&past::runs(runs, told.zone, Paint::stdout()));
    }
    Ok(())
}

fn one(run: &RunId, history: &RunHistory, args: &HistoryArgs, told: &Told<'_>) -> anyhow::Result<()> {
    if let Some(file) = &args.html {
        keep(file, &html::run(run, history, told)?, args.json || args.csv)?;
    }
    if args.json {
        out::json(history)?;
    } else if args.csv {
        let rows = history.items.iter().map(|item| item_row(run, item, told.zone));
        out::table(&args.form.table(&ITEM_COLUMNS, rows));
    } else if args.html.is_none() {
        out::print(&past::run(run, history, told.zone, Paint::stdout()));
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
