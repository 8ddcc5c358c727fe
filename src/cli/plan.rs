//! `plan`, `run` and `apply`.

use super::exit::Exit;
use super::out;
use super::progress::Shown as Bars;
use super::session;
use crate::app::environment::Environment;
use crate::app::run_once::{RunOnce, carry_through};
use crate::core::memory::decision::HeldItem;
use crate::core::model::key::Key;
use crate::core::plan::view::PlanView;
use crate::core::redact::redact;
use crate::engine::run::{Finished, Planned, Scope, plan_exit_code};
use crate::present::html::Told;
use crate::present::lines::Paint;
use crate::present::redacted::redacted_text;
use crate::present::text::Shown;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// How results are shown.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// One JSON document on standard output.
    #[arg(long)]
    pub(super) json: bool,
    /// Show every line, however many.
    #[arg(long, conflicts_with = "json")]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    output: Output,
    /// Save the plan as JSON, for `apply`; readable by its owner only.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a report that needs no other file, for a browser or a printer; readable by its owner only.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["redact", "replay", "diff_config", "key"])]
    html: Option<PathBuf>,
    /// Plan as if it were another moment, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
    /// Only this person, by key; judged with everybody.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["out", "diff_config"])]
    only: Option<String>,
    /// Plan under another configuration as well, from the same reads, and show what is different.
    #[arg(long, value_name = "OLD.yaml", conflicts_with = "out")]
    diff_config: Option<PathBuf>,
    /// For a ticket: keys and values of people become marks; structure, reasons and ids stay. Shows every line.
    #[arg(long, conflicts_with_all = ["out", "replay", "diff_config"])]
    redact: bool,
    /// Make the plan of a past run again from what it had read (`last` for the latest), and show what is different under the
    /// configuration of today. Asks no server.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "as_of", "only", "diff_config"])]
    replay: Option<String>,
    /// What if another card field were the key, e.g. `email`: the value that people have in it is that of `fields:`, or of an
    /// expression, as in `--key "tasLoginName={{ ad.sAMAccountName }}"`. Only shown: no command ever applies such a plan.
    #[arg(long, value_name = "FIELD[=EXPRESSION]", conflicts_with_all = ["out", "diff_config", "redact", "replay"])]
    key: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    output: Output,
    /// Only this person, by key; judged with everybody. Counts no absence.
    #[arg(long, value_name = "KEY")]
    only: Option<String>,
    /// Run as if it were another moment; only against a sandbox.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// A plan saved by `plan --out`.
    file: PathBuf,
    #[command(flatten)]
    output: Output,
    /// Apply as if it were another moment; only against a sandbox.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

fn as_of(text: Option<&str>, environment: &Environment) -> anyhow::Result<Option<DateTime<Utc>>> {
    text.map(|text| session::moment(text, environment.zone())).transpose()
}

pub(super) async fn plan(config: &Path, args: &PlanArgs) -> anyhow::Result<Exit> {
    if let Some(key) = &args.key {
        return under_other_key(config, args, key).await;
    }
    let environment = session::environment(config)?;
    if let Some(run) = &args.replay {
        return super::replay::replay(&environment, run, &args.output).await;
    }
    let clock = session::clock(as_of(args.as_of.as_deref(), &environment)?);
    let store = session::read_store(&environment).await?;
    let connected = environment.connect()?;
    let bars = Bars::new();
    if let Some(old) = &args.diff_config {
        let other = session::environment(old)?.into_former();
        let parts = environment.read_parts(&connected, &*clock, &bars);
        let planned = parts.plan_beside(&store, other).await;
        bars.finish();
        store.close().await;
        let (planned, other) = planned?;
        super::diff_config::show(&planned, other.as_ref(), old, &args.output)?;
        return Ok(Exit::Verdict(plan_exit_code(&planned.judged)));
    }
    let planned = environment.read_parts(&connected, &*clock, &bars).plan(&store).await;
    bars.finish();
    let hasher = store.hasher();
    store.close().await;
    let mut planned = planned?;
    if let Some(key) = &args.only {
        planned = planned.only(key)?;
    }
    if args.redact {
        let hash = |text: &str| hasher.hash(&Key::stored(text));
        let redacted = redact(&planned.judged.view(), &planned.input, &hash);
        if args.output.json {
            out::json(&redacted)?;
        } else {
            out::print(&redacted_text(&redacted, environment.zone(), Paint::stdout()));
        }
        return Ok(Exit::Verdict(plan_exit_code(&planned.judged)));
    }
    if let Some(file) = &args.out {
        let text = out::as_json(&planned.judged.view())?;
        out::private_file(file, &text).with_context(|| format!("the plan could not be saved to {}", file.display()))?;
    }
    if let Some(file) = &args.html {
        let told = Told {
            environment: environment.id.as_str(),
            zone: environment.zone(),
            at: Utc::now(),
        };
        let html = crate::present::html::plan(&shown(&planned, &args.output, args.only.as_deref()), &told)?;
        out::private_file(file, &html)
            .with_context(|| format!("the report could not be written to {}", file.display()))?;
    }
    show(&planned, &args.output, args.only.as_deref())?;
    if let (Some(why), false) = (
        crate::config::validate::key_refusal(environment.config()),
        args.output.json,
    ) {
        out::note(&format!("note: `run` refuses this key: {why}"));
    }
    Ok(Exit::Verdict(plan_exit_code(&planned.judged)))
}

/// The plan under another key, and how far it is from that under the configured one.
async fn under_other_key(config: &Path, args: &PlanArgs, key: &str) -> anyhow::Result<Exit> {
    let asked = super::other_key::load(config, key)?;
    let environment = &asked.environment;
    let clock = session::clock(as_of(args.as_of.as_deref(), environment)?);
    let store = session::read_store(environment).await?;
    let connected = environment.connect()?;
    let bars = Bars::new();
    let parts = asked.read_parts(&connected, &*clock, &bars);
    let both = parts.plan_under_both(&store, asked.key.clone()).await;
    bars.finish();
    store.close().await;
    let mut both = both?;
    let (document, beside) = (asked.document(&both), super::other_key::beside(&both, Paint::stdout()));
    if let Some(person) = &args.only {
        both.other = both.other.only(person)?;
    }
    if args.output.json {
        let mut plan = serde_json::to_value(both.other.judged.view())?;
        plan["what_if"] = document;
        out::json(&plan)?;
    } else {
        out::print(&asked.banner(Paint::stdout()));
        out::print(&shown(&both.other, &args.output, args.only.as_deref()).plan());
        out::print(&beside);
    }
    Ok(Exit::Verdict(plan_exit_code(&both.other.judged)))
}

fn show(planned: &Planned, output: &Output, only: Option<&str>) -> anyhow::Result<()> {
    if output.json {
        out::json(&planned.judged.view())?;
    } else {
        out::print(&shown(planned, output, only).plan());
    }
    Ok(())
}

pub(super) fn shown<'a>(planned: &'a Planned, output: &Output, only: Option<&'a str>) -> Shown<'a> {
    Shown {
        judged: &planned.judged,
        input: &planned.input,
        paint: Paint::stdout(),
        all: output.all,
        only,
    }
}

pub(super) async fn run(config: &Path, args: &RunArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let as_of = as_of(args.as_of.as_deref(), &environment)?;
    let scope = match &args.only {
        Some(key) => Scope::Only(key.clone()),
        None => Scope::Whole,
    };
    write(&environment, as_of, &scope, "run", &args.output).await
}

pub(super) async fn apply(config: &Path, args: &ApplyArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let as_of = as_of(args.as_of.as_deref(), &environment)?;
    let text = std::fs::read_to_string(&args.file).with_context(|| {
        format!(
            "the plan {} cannot be read; save one with `cardsync plan --out FILE`",
            args.file.display()
        )
    })?;
    let saved: PlanView = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is not a saved plan of this version; save one with `cardsync plan --out FILE`",
            args.file.display()
        )
    })?;
    write(
        &environment,
        as_of,
        &Scope::Selected(Box::new(saved)),
        "apply",
        &args.output,
    )
    .await
}

async fn write(
    environment: &Environment,
    as_of: Option<DateTime<Utc>>,
    scope: &Scope,
    command: &'static str,
    output: &Output,
) -> anyhow::Result<Exit> {
    session::drop_to_store_owner(environment)?;
    let clock = session::clock(as_of);
    let stop = session::stop_signal()?;
    let bars = Bars::new();
    let once = RunOnce {
        environment,
        command,
        clock: &*clock,
        progress: &bars,
        stop: &stop,
    };
    let finished = carry_through(once, scope).await;
    bars.finish();
    let finished = finished?;
    let only = match scope {
        Scope::Only(person) => Some(person.as_str()),
        Scope::Whole | Scope::Selected(_) => None,
    };
    report(&finished, output, only)?;
    let verdict = finished.report.verdict.context("a finished run has a verdict")?;
    if verdict.exit_code() == 1 && !output.json {
        bail!("{}", finished.report.failure.unwrap_or_default());
    }
    Ok(Exit::Verdict(verdict.exit_code()))
}

fn report(finished: &Finished, output: &Output, only: Option<&str>) -> anyhow::Result<()> {
    if output.json {
        let document = json!({
            "run": finished.report,
            "plan": finished.planned.judged.view(),
            "outcomes": finished.outcomes,
        });
        out::json(&document)?;
        return Ok(());
    }
    let shown = shown(&finished.planned, output, only);
    out::print(&shown.body());
    out::print(&shown.outcomes(&finished.outcomes));
    let paint = Paint::stdout();
    let held = HeldItem::open(&finished.holds).len();
    if held > 0 {
        let plan = &finished.planned.judged.plan.id;
        let waits = if held == 1 { "item waits" } else { "items wait" };
        let line = format!(
            "{held} {waits} for a decision: see cardsync holds, then cardsync approve ID|CLASS|{plan} or cardsync reject ID. \
             What is approved passes in the next run.\n"
        );
        out::print(&paint.warn(&line));
    }
    let aside = crate::present::text::set_aside(finished.report.counts.set_aside);
    let open = crate::present::text::needs_a_human(&finished.report.counts).or(aside);
    let run = &finished.report.id;
    out::print(&crate::present::text::finished(
        run,
        &finished.planned.judged,
        &finished.outcomes,
        open,
        "takes it back",
    ));
    Ok(())
}
