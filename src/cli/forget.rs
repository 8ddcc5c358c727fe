//! `forget`: removes what is kept about one person.

use super::exit::Exit;
use super::{approver, out, session};
use crate::app::environment::{Environment, new_run_id};
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, KeyReading};
use crate::core::plan::report::RunReport;
use crate::engine::state::StateWriter;
use crate::present::lines::line;
use crate::store::SqliteStore;
use crate::tools::forget::{self, Person};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;

/// What stands below the options in the help.
const WHAT: &str = "\
Removed: the key, former keys and directory ids in the ledger, the values of every write, items that wait, notes about them, \
and their records and card in the kept inputs of past runs. Kept: the card id, a keyed hash of the key, and who did what when, without values.

Somebody who is still in the sources and has a card is remembered anew by the next run. Backups, saved plans and reports \
are not touched: remove those yourself.";

#[derive(Debug, Args)]
#[command(after_help = WHAT)]
pub(super) struct ForgetArgs {
    /// The key, a former key, or the id of the card.
    key: String,
    /// Do it; without this only what would go is said.
    #[arg(long)]
    yes: bool,
    /// What goes, as numbers in one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) async fn forget(config: &Path, args: &ForgetArgs) -> anyhow::Result<Exit> {
    let by = approver::operating_system_user();
    let environment = session::environment(config)?;
    let key = match environment.key().read(&args.key) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
        KeyReading::None | KeyReading::Anonymized => None,
    };
    let card = CardId::from(args.key.trim().to_lowercase());
    let store = session::write_store(&environment).await?;
    let done = within(&store, key.as_ref(), &card, args.yes, &by).await;
    store.close().await;
    let person = done?;
    if args.json {
        out::json(&counts(&person, args.yes))?;
    } else {
        out::print(&told(&person, args.yes));
        out::print(&left_in_topdesk(&person, &environment));
    }
    Ok(Exit::Done)
}

async fn within(store: &SqliteStore, key: Option<&Key>, card: &CardId, yes: bool, by: &str) -> anyhow::Result<Person> {
    let now = Utc::now();
    if !yes {
        return Ok(forget::look(store, key, card, now).await?);
    }
    let run = new_run_id(now);
    // Nothing may be in flight while it is decided that nothing is in doubt.
    let lease = store.acquire(&run, "forget", now).await?;
    let person = forget::look(store, key, card, now).await?;
    forget::forget(store, &lease, &person, now).await?;
    let mut report = RunReport::begun(run, &format!("forget by {by}"), now);
    report.finished_at = Some(Utc::now());
    store.finish_run(&lease, &report, None).await?;
    Ok(person)
}

fn counts(person: &Person, done: bool) -> Value {
    let Person { remembered, kept, .. } = person;
    json!({
        "done": done,
        "ledger_entries": remembered,
        "writes": kept.journal,
        "items": kept.items,
        "waiting": kept.holds,
        "notes": kept.notes,
        "elsewhere": kept.elsewhere,
        "inputs": kept.inputs,
        "left_in_topdesk": person.in_topdesk.keys().collect::<Vec<_>>(),
    })
}

fn told(person: &Person, done: bool) -> String {
    let Person { remembered, kept, .. } = person;
    let mut text = String::new();
    text.push_str(if done { "Removed:\n" } else { "Would be removed:\n" });
    for (count, one, several) in [
        (
            *remembered,
            "entry of the ledger: keys and directory ids",
            "entries of the ledger: keys and directory ids",
        ),
        (kept.journal, "write: its values", "writes: their values"),
        (kept.items, "item of a past run", "items of past runs"),
        (kept.holds, "item that waits", "items that wait"),
        (kept.notes, "note beside a decision", "notes beside decisions"),
        (
            kept.elsewhere,
            "text about somebody else that names the key",
            "texts about others that name the key",
        ),
        (
            kept.inputs,
            "kept input of a past run: their records and card",
            "kept inputs of past runs: their records and card",
        ),
    ] {
        match count {
            0 => {}
            1 => text.push_str(&format!("  1 {one}\n")),
            many => text.push_str(&format!("  {many} {several}\n")),
        }
    }
    text.push_str("Kept: the card id, a keyed hash of the key, and who did what when, without values.\n");
    if done {
        text.push_str(
            "Backups, saved plans and reports are not touched. Somebody who is still in the sources and has a card is remembered \
             anew by the next run.\n",
        );
    } else {
        text.push_str("Nothing was changed. To do it: cardsync forget KEY --yes\n");
    }
    text
}

/// What stays in TOPdesk, and who sees to it: forgetting is no anonymization.
fn left_in_topdesk(person: &Person, environment: &Environment) -> String {
    let zone = environment.zone();
    let rule = environment.config().lifecycle.anonymize.as_ref();
    let mut text = String::new();
    for (card, archived) in &person.in_topdesk {
        let day = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%Y-%m-%d").to_string();
        let what = match (archived, rule) {
            (Some(at), Some(rule)) => format!(
                "archived by cardsync on {}; it stays on `cardsync anonymize list`, from {} on as due, until it is seen anonymized",
                day(*at),
                day(*at + rule.after.chrono())
            ),
            (Some(at), None) => format!(
                "archived by cardsync on {}; nothing reminds of it, because lifecycle.anonymize is not configured: anonymize it in \
                 TOPdesk",
                day(*at)
            ),
            (None, _) => "not archived by cardsync: see to it in TOPdesk".to_owned(),
        };
        line!(text, "Still in TOPdesk, with name and addresses: card {card}, {what}.");
    }
    text
}
