//! `audit`: what is at risk before the next import, from one read. Sends nothing but GET and needs no earlier run.

use super::exit::Exit;
use super::out;
use super::progress::Shown as Bars;
use super::session;
use super::table::TableForm;
use crate::app::environment::Environment;
use crate::core::model::key::Key;
use crate::engine::state::KeyHasher;
use crate::present::audit_text::{self, AuditText};
use crate::present::html::Told;
use crate::present::lines::Paint;
use crate::store::ReadOnlyStore;
use crate::tools::audit::{self, Audit};
use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Characters of a mark.
const MARK: usize = 8;

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Name everybody whom a finding concerns, however many.
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Write a report that needs no other file, for a browser or a printer; readable by its owner only.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a table for a spreadsheet, one row per card or operator of a finding; readable by its owner only.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    form: TableForm,
    /// For a ticket: keys and values of people become marks; counts, reasons and ids stay.
    #[arg(long)]
    redact: bool,
    /// Look as if it were another moment, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

pub(super) async fn audit(config: &Path, args: &AuditArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let as_of = args.as_of.as_deref();
    let as_of = as_of
        .map(|text| session::moment(text, environment.zone()))
        .transpose()?;
    let (mut audit, hasher) = look(&environment, as_of).await?;
    if args.redact {
        let mark = |text: &str| hasher.hash(&Key::stored(text)).chars().take(MARK).collect();
        audit = audit.redacted(&mark);
    }
    let audit = &audit;
    if let Some(file) = &args.html {
        let told = Told {
            environment: environment.id.as_str(),
            zone: environment.zone(),
            at: Utc::now(),
        };
        let html = crate::present::html::audit(audit, &told)?;
        out::private_file(file, &html)
            .with_context(|| format!("the report could not be written to {}", file.display()))?;
    }
    if let Some(file) = &args.csv {
        out::private_file(file, &table(audit, &args.form))
            .with_context(|| format!("the table could not be written to {}", file.display()))?;
    }
    if args.json {
        let mut document = serde_json::to_value(audit)?;
        document["environment"] = json!(environment.id.as_str());
        out::json(&document)?;
    } else {
        let shown = AuditText {
            audit,
            environment: environment.id.as_str(),
            zone: environment.zone(),
            all: args.all,
            paint: Paint::stdout(),
        };
        out::print(&shown.whole());
    }
    Ok(exit(audit))
}

/// 4 where a read was rejected, so that a part is unknown; 3 where there is something to do.
fn exit(audit: &Audit) -> Exit {
    if audit.has_rejected_read() {
        Exit::Rejected
    } else if audit.to_do().next().is_some() {
        Exit::Held
    } else {
        Exit::Done
    }
}

/// There may be no state yet, nor a place for it.
async fn look(environment: &Environment, as_of: Option<DateTime<Utc>>) -> anyhow::Result<(Audit, KeyHasher)> {
    let store = match environment.store_path() {
        Some(_) => session::read_store(environment).await?,
        None => ReadOnlyStore::none(),
    };
    let clock = session::clock(as_of);
    let hasher = store.hasher();
    let bars = Bars::new();
    let audit = crate::app::audit::look(environment, &store, &*clock, &bars).await;
    bars.finish();
    store.close().await;
    Ok((audit?, hasher))
}

/// A row per card or operator; a finding that concerns none has one row.
fn table(audit: &Audit, form: &TableForm) -> String {
    let header = [
        "severity", "area", "finding", "title", "key", "card", "operator", "details", "cure", "command",
    ];
    let nobody = [audit::Subject::default()];
    let rows = audit.findings.iter().flat_map(|finding| {
        let subjects = if finding.subjects.is_empty() {
            &nobody[..]
        } else {
            &finding.subjects[..]
        };
        subjects.iter().map(move |subject| {
            let id = |id: Option<&str>| id.unwrap_or_default().to_owned();
            vec![
                finding.severity.word().to_owned(),
                finding.area.title().to_owned(),
                finding.code.clone(),
                finding.title.clone(),
                subject.key.clone().unwrap_or_default(),
                id(subject.card.as_ref().map(|card| card.as_str())),
                id(subject.operator.as_ref().map(|operator| operator.as_str())),
                audit_text::facts(subject),
                finding.cure.clone(),
                finding
                    .command
                    .as_ref()
                    .map_or_else(String::new, |command| format!("cardsync {command}")),
            ]
        })
    });
    form.table(&header, rows)
}
