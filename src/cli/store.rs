//! `store backup`, `store check` and `store bind`: the state file.

use super::exit::Exit;
use super::out;
use super::{approver, session};
use crate::app::environment::Environment;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::counted;
use crate::store::{Inspection, StoreError, backup, bind, bound_to, inspect};
use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Copy the state into one file, also while a run works.
    Backup(BackupArgs),
    /// Whether the state is sound and fits together: one line per check, with the cure. Changes nothing.
    Check(CheckArgs),
    /// Give the state to another address of the same TOPdesk.
    Bind(BindArgs),
}

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The copy: readable by its owner only; one that is there is never overwritten.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct BindArgs {
    /// The host that topdesk.url names now, written out: your word that it is the same TOPdesk.
    #[arg(long, value_name = "HOST")]
    to: Option<String>,
}

pub(super) async fn run(config: &Path, command: &StoreCommand) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let path = session::store_path(&environment)?;
    // A copy goes where whoever types may write: as root into root's folder, too.
    if !matches!(command, StoreCommand::Backup(_)) {
        session::drop_to_store_owner(&environment)?;
    }
    match command {
        StoreCommand::Backup(args) => {
            let bytes = backup(&path, &args.file).await?;
            let size = bytes.div_ceil(1024);
            out::print(&format!(
                "{}, {size} KiB, readable by its owner only. It holds personal data, as the state does.\n\
                 To go back: stop cardsync, put the copy in the place of {}, and remove its -wal and -shm.\n",
                args.file.display(),
                path.display()
            ));
            Ok(Exit::Done)
        }
        StoreCommand::Check(args) => check(&environment, &path, args.json).await,
        StoreCommand::Bind(args) => rebind(&environment, &path, args.to.as_deref()).await,
    }
}

async fn rebind(environment: &Environment, path: &Path, to: Option<&str>) -> anyhow::Result<Exit> {
    let host = environment.host();
    let Some(bound) = bound_to(path).await? else {
        bail!(
            "{} does not exist yet: the first run makes it and binds it to {host}",
            path.display()
        );
    };
    if bound == host {
        out::print(&format!("The state belongs to {host} already.\n"));
        return Ok(Exit::Done);
    }
    match to {
        Some(to) if to == host => {}
        Some(to) => bail!("nothing was changed: --to {to}, but topdesk.url names {host}; correct one of them"),
        None => bail!(
            "nothing was changed. The state {} belongs to {bound}, topdesk.url names {host}. The ids of cards in it are those of \
             {bound}: only where {host} is the same TOPdesk under a new address may it have this state; another TOPdesk needs a \
             file of its own (store.sqlite). If it is the same: cardsync store bind --to {host}. The next run is then a first \
             contact: what is dangerous waits for approval",
            path.display()
        ),
    }
    let by = approver::operating_system_user();
    let before = bind(path, &environment.id, &host, Utc::now()).await?;
    tracing::warn!(
        "the state {} was bound to {host} by {by}; before: {before}",
        path.display()
    );
    out::print(&format!(
        "The state belongs to {host} now (before: {before}). The next run is a first contact: look at cardsync plan first.\n"
    ));
    Ok(Exit::Done)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

struct Line {
    level: Level,
    topic: &'static str,
    text: String,
    cure: Option<String>,
}

async fn check(environment: &Environment, path: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let mut lines = Vec::new();
    match inspect(path).await {
        Ok(Some(found)) => findings(environment, &found, &mut lines),
        Ok(None) => lines.push(Line {
            level: Level::Warn,
            topic: "file",
            text: format!("{} does not exist yet", path.display()),
            cure: Some("the first run makes it, and is a first contact".to_owned()),
        }),
        Err(error) => lines.push(refusal(&error)),
    }
    if as_json {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| json!({ "level": word(line.level), "topic": line.topic, "text": line.text, "cure": line.cure }))
            .collect();
        out::json(&json!({ "lines": lines }))?;
    } else {
        out::print(&as_text(&lines, Paint::stdout()));
    }
    let failed = lines.iter().any(|line| line.level == Level::Fail);
    Ok(if failed { Exit::Error } else { Exit::Done })
}

fn refusal(error: &StoreError) -> Line {
    Line {
        level: Level::Fail,
        topic: "file",
        text: error.to_string(),
        cure: None,
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warn => "warning",
        Level::Fail => "fail",
    }
}

/// One line per check.
fn findings(environment: &Environment, found: &Inspection, lines: &mut Vec<Line>) {
    let mut say = |level, topic, text: String, cure: Option<&str>| {
        lines.push(Line {
            level,
            topic,
            text,
            cure: cure.map(str::to_owned),
        });
    };
    let place = found.path.display();
    if found.mode & 0o077 == 0 {
        let text = format!("{place}, {} KiB, its owner's alone", found.bytes.div_ceil(1024));
        say(Level::Ok, "file", text, None);
    } else {
        let text = format!("{place} can be read by others (mode {:o})", found.mode);
        say(
            Level::Fail,
            "file",
            text,
            Some("chmod 600, and look who could have read it"),
        );
    }
    const RESTORE: &str = "stop cardsync and keep a copy of the file; then put the newest sound backup in its place: what was \
                           written since is not known to it, so look at `cardsync plan` before the next run";
    match found.damage.as_slice() {
        [] => say(Level::Ok, "pages", "every page is sound".to_owned(), None),
        damage => say(Level::Fail, "pages", damage.join("; "), Some(RESTORE)),
    }
    if found.format < found.known_format {
        let text = format!(
            "format {}, this cardsync works with {}",
            found.format, found.known_format
        );
        let cure = "the next cardsync run brings it up to date; take a backup before, and check again after it";
        say(Level::Warn, "format", text, Some(cure));
        return;
    }
    say(Level::Ok, "format", format!("{}, up to date", found.format), None);
    let host = environment.host();
    let bound: Vec<&str> = found.bound.iter().map(|(_, host)| host.as_str()).collect();
    if bound.contains(&host.as_str()) {
        say(Level::Ok, "binding", format!("belongs to {host}"), None);
    } else {
        let text = format!("belongs to {}, topdesk.url names {host}", bound.join(", "));
        let cure = "correct topdesk.url; if it is the same TOPdesk under a new address: cardsync store bind";
        say(Level::Fail, "binding", text, Some(cure));
    }
    match (&found.oldest_open, found.open) {
        (Some((run, at)), open) => {
            let at = match DateTime::parse_from_rfc3339(at) {
                Ok(at) => at
                    .with_timezone(&environment.zone())
                    .format("%Y-%m-%d %H:%M %Z")
                    .to_string(),
                Err(_) => at.clone(),
            };
            let text = format!(
                "{} without a known effect, the oldest of run {run}, sent {at}",
                counted(open, "request")
            );
            let cure = "the next run settles them by reading; those of a run that works now are in flight";
            say(Level::Warn, "journal", text, Some(cure));
        }
        (None, _) => say(Level::Ok, "journal", "every request has its outcome".to_owned(), None),
    }
    match found.contradictions.as_slice() {
        [] => say(Level::Ok, "contents", "nothing contradicts itself".to_owned(), None),
        all => {
            // A backup would forget what was written since, and with it who got which card.
            let cure = "keep using this file: a backup knows less; keep a copy of it and report this";
            say(Level::Fail, "contents", all.join("; "), Some(cure));
        }
    }
    values(found, &mut say, RESTORE);
    if found.two_cards > 0 {
        let text = format!(
            "{} with a card of today and one of before: deleted, anonymized, or without the number now",
            counted(found.two_cards, "key")
        );
        say(Level::Ok, "cards", text, None);
    }
    match &found.last_run {
        Some((run, Some(verdict))) => say(Level::Ok, "last run", format!("{run}: {verdict}"), None),
        Some((run, None)) => {
            let cure = "it works now, or it was killed: then the next run settles what it left";
            say(Level::Warn, "last run", format!("{run} has no end"), Some(cure));
        }
        None => say(Level::Ok, "last run", "there has been none".to_owned(), None),
    }
    if found.rewrite_due {
        let text = "values were taken out, and the file was not written anew since".to_owned();
        say(Level::Warn, "privacy", text, Some("the end of the next run does it"));
    }
    let rows: Vec<String> = found
        .rows
        .iter()
        .map(|(table, rows)| format!("{table} {rows}"))
        .collect();
    say(Level::Ok, "rows", rows.join(", "), None);
}

/// How many values that do not read are named; the others are counted.
const MOST_NAMED: usize = 20;

/// Whether everything that is kept reads.
fn values(found: &Inspection, say: &mut impl FnMut(Level, &'static str, String, Option<&str>), restore: &str) {
    if found.unreadable.is_empty() {
        say(Level::Ok, "values", "every row reads as what it is".to_owned(), None);
    }
    for unreadable in found.unreadable.iter().take(MOST_NAMED) {
        say(Level::Fail, "values", unreadable.to_string(), Some(restore));
    }
    if found.unreadable.len() > MOST_NAMED {
        let text = format!("and {} more that do not read", found.unreadable.len() - MOST_NAMED);
        say(Level::Fail, "values", text, Some(restore));
    }
    for (file, what) in &found.unreadable_inputs {
        let text = format!("{}: {what}", file.display());
        let cure = "its run cannot be replayed, and nothing else needs it: remove the file, or leave it, it goes by itself within \
                    a week";
        say(Level::Warn, "inputs", text, Some(cure));
    }
}

fn as_text(lines: &[Line], paint: Paint) -> String {
    let mut text = String::new();
    for line in lines {
        let mark = match line.level {
            Level::Ok => paint.good("ok   "),
            Level::Warn => paint.warn("warn "),
            Level::Fail => paint.bad("FAIL "),
        };
        line!(text, "{mark} {:<10} {}", line.topic, line.text);
        if let Some(cure) = &line.cure {
            line!(text, "      {:<10} -> {cure}", "");
        }
    }
    text
}
