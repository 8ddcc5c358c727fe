//! `journal export`: one line of JSON per write, for a log collector or a SIEM.

use super::exit::Exit;
use super::{out, session};
use crate::core::model::key::Key;
use crate::core::plan::ActionKind;
use crate::engine::records::{JournalEntry, JournalQuery, RecordsReader};
use crate::tools::history::fields;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::Path;

/// Rows that are in memory at once.
const PIECE: u32 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum JournalCommand {
    /// Every write as JSON lines on standard output, oldest first. See docs/history.md for the fields.
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Only what was sent at this moment or later, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    since: Option<String>,
    /// With the values of fields from and to, messages and notes: personal data.
    #[arg(long)]
    with_values: bool,
}

pub(super) async fn run(config: &Path, command: &JournalCommand) -> anyhow::Result<Exit> {
    match command {
        JournalCommand::Export(args) => export(config, args).await,
    }
}

async fn export(config: &Path, args: &ExportArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let since = args
        .since
        .as_deref()
        .map(|text| session::moment(text, environment.zone()))
        .transpose()?;
    let store = session::read_store(&environment).await?;
    // A login or an e-mail address is personal: then a keyed hash stands for it, as in the logs.
    let hasher = (environment.key_is_personal() && !args.with_values).then(|| store.hasher());
    let shown = |key: &Key| hasher.as_ref().map_or(key.to_string(), |hasher| hasher.hash(key));
    let mut query = JournalQuery {
        since,
        limit: Some(PIECE),
        ..JournalQuery::default()
    };
    loop {
        let piece = store.journal(&query).await;
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                store.close().await;
                return Err(error.into());
            }
        };
        let mut text = String::new();
        for entry in &piece {
            let line = line(environment.id.as_str(), entry, &shown, args.with_values);
            text.push_str(&crate::core::model::visible::json(&line.to_string()));
            text.push('\n');
            query.after = entry.id;
        }
        out::print(&text);
        if piece.len() < PIECE as usize {
            break;
        }
    }
    store.close().await;
    Ok(Exit::Done)
}

/// Linked operators that the write takes along or wakes, as they were right before it.
fn operators(entry: &JournalEntry) -> Vec<&str> {
    let moves = |archived: bool| match entry.action {
        ActionKind::Archive | ActionKind::Anonymize => !archived,
        ActionKind::Unarchive => archived,
        ActionKind::CreateEntry
        | ActionKind::Create
        | ActionKind::Update
        | ActionKind::Adopt
        | ActionKind::Exchange
        | ActionKind::Merge
        | ActionKind::SetReferences => false,
    };
    let linked = entry.values.iter().flat_map(|values| &values.operators);
    linked
        .filter(|operator| moves(operator.archived))
        .map(|operator| operator.id.as_str())
        .collect()
}

fn line(environment: &str, entry: &JournalEntry, shown: &dyn Fn(&Key) -> String, with_values: bool) -> Value {
    let approval = entry.approval.as_ref();
    let mut line = json!({
        "time": entry.sent_at,
        "environment": environment,
        "request": entry.id,
        "run": entry.run,
        "plan": entry.plan,
        "item": entry.item,
        "action": entry.action,
        "step": entry.step,
        "card": entry.card,
        "key": entry.key.as_ref().map(shown),
        "operators": operators(entry),
        "outcome": entry.ended(),
        "outcome_at": entry.settled_at.or(entry.outcome_at),
        "settled_by": entry.settled_run,
        "approver": approval.map(|decision| &decision.by),
        "approved_at": approval.map(|decision| decision.at),
    });
    if with_values {
        let values = entry.values.as_ref();
        line["message"] = json!(entry.message);
        line["note"] = json!(approval.and_then(|decision| decision.note.as_ref()));
        line["fields"] = json!(values.map(|values| fields(&values.change)));
        line["why"] = json!(values.map(|values| &values.change.why));
    }
    line
}
