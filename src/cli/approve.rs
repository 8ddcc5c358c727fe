//! `holds`, `approve` and `reject`.

use super::exit::Exit;
use super::out::{self, Paint};
use super::session;
use crate::config::policy::zone;
use crate::domain::card::OperatorLink;
use crate::domain::decision::Answer;
use crate::domain::plan::ActionKind;
use crate::domain::view::ChangeView;
use crate::engine::decisions::{self, Waiting, class_of};
use anyhow::bail;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

#[derive(Debug, Args)]
pub(super) struct HoldsArgs {
    /// A JSON array on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DecideArgs {
    /// Item ids, budget classes (archive, operators ...), actions (update, adopt ...), `snapshot`, or a plan id.
    #[arg(required = true, value_name = "ID|CLASS|PLAN")]
    what: Vec<String>,
    /// Why, for those who read the journal later.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(super) async fn holds(config: &Path, args: &HoldsArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let store = session::read_store(&environment).await?;
    let waiting = decisions::waiting(&store, Utc::now()).await?;
    store.close().await;
    if args.json {
        out::print(&format!("{}\n", serde_json::to_string_pretty(&as_json(&waiting))?));
    } else {
        out::print(&as_text(&waiting, zone(environment.config()), Paint::stdout()));
    }
    let nothing = waiting.items.is_empty() && waiting.snapshots.is_empty();
    Ok(if nothing { Exit::Done } else { Exit::Held })
}

fn as_json(waiting: &Waiting) -> Value {
    let items = waiting.items.iter().map(|kept| {
        let change = &kept.item.change;
        let decision = waiting.decided.iter().find(|decision| decision.item == change.id);
        json!({
            "id": change.id,
            "class": class_of(&kept.item),
            "action": change.action,
            "key": change.key,
            "person_id": change.person_id,
            "operator": change.operator,
            "fields": change.fields,
            "evidence": change.evidence,
            "reasons": change.holds,
            "since": kept.item.since,
            "plan_id": kept.plan,
            "decision": decision,
        })
    });
    let snapshots = waiting.snapshots.iter().map(|hold| {
        let reasons: Vec<Value> = hold
            .reasons
            .iter()
            .map(|text| json!({ "code": "snapshot_rejected", "message": text, "approvable": true }))
            .collect();
        json!({
            "id": hold.id,
            "class": "snapshot",
            "action": "accept_snapshot",
            "key": null,
            "person_id": null,
            "operator": null,
            "fields": {},
            "evidence": [],
            "reasons": reasons,
            "since": hold.since,
            "source": hold.source,
        })
    });
    items.chain(snapshots).collect()
}

/// How many wait, by action, and how many of them concern an operator.
fn summary(waiting: &Waiting) -> String {
    let mut counts: BTreeMap<ActionKind, u64> = BTreeMap::new();
    let mut operators = 0;
    for kept in &waiting.items {
        *counts.entry(kept.item.change.action).or_default() += 1;
        operators += u64::from(kept.item.change.operator != OperatorLink::ProvenNone);
    }
    let mut parts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if operators > 0 {
        parts.push(format!("{operators} of them with an operator"));
    }
    let snapshots = waiting.snapshots.len();
    if snapshots > 0 {
        parts.push(format!("{snapshots} rejected snapshot"));
    }
    format!("Waiting: {}", parts.join(", "))
}

fn as_text(waiting: &Waiting, zone: Tz, paint: Paint) -> String {
    let mut text = String::new();
    if waiting.items.is_empty() && waiting.snapshots.is_empty() {
        return "Nothing waits.\n".to_owned();
    }
    let when = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z");
    let _ = writeln!(text, "{}\n", paint.strong(&summary(waiting)));
    for hold in &waiting.snapshots {
        let since = when(hold.since);
        let title = format!("[{}] snapshot of {}, rejected  since {since}", hold.id, hold.source);
        let _ = writeln!(text, "{}", paint.strong(&title));
        for reason in &hold.reasons {
            let _ = writeln!(text, "    {reason}");
        }
    }
    for kept in &waiting.items {
        let change: &ChangeView = &kept.item.change;
        let key = change.key.as_ref().map_or("", |key| key.as_str());
        let card = change.person_id.as_ref().map_or("new card", |card| card.as_str());
        let title = match change.action {
            ActionKind::CreateEntry => format!("[{}] {}", change.id, change.action),
            _card => format!("[{}] {} {key} ({card})", change.id, change.action),
        };
        let since = when(kept.item.since);
        let _ = writeln!(text, "{}  since {since}", paint.strong(&title));
        match &change.operator {
            OperatorLink::ProvenNone => {}
            other => {
                let shown = serde_json::to_value(other).unwrap_or_default();
                let _ = writeln!(
                    text,
                    "    {} {}",
                    paint.bad("operator:"),
                    shown["state"].as_str().unwrap_or_default()
                );
            }
        }
        for (name, field) in &change.fields {
            let value = |value: &Option<String>| {
                value
                    .as_ref()
                    .map_or("(empty)".to_owned(), |value| format!("\"{value}\""))
            };
            let _ = writeln!(text, "    {name}: {} -> {}", value(&field.from), value(&field.to));
        }
        for why in &change.why {
            let _ = writeln!(text, "    why: {why}");
        }
        for hold in &change.holds {
            // Waiting for another item ends with that item; approving this one would not help.
            let mark = match (hold.approvable, hold.code.as_str()) {
                (true, _) => "held:",
                (false, "depends_on") => "follows:",
                (false, _) => "held (no approval lifts this):",
            };
            let _ = writeln!(text, "    {} {}", paint.warn(mark), hold.message);
        }
        if let Some(decision) = waiting.decided.iter().find(|decision| decision.item == change.id) {
            let answer = match decision.answer {
                Answer::Approve => "approved, passes in the next run",
                Answer::Reject => "rejected",
            };
            let until = decision
                .until
                .map_or(String::new(), |until| format!(" until {}", when(until)));
            let _ = writeln!(text, "    {answer} by {}{until}", decision.by);
        }
    }
    let _ = writeln!(
        text,
        "\nDecide: cardsync approve ID|CLASS|PLAN, or cardsync reject ID. An approval holds for 7 days and for exactly what is shown."
    );
    text
}

pub(super) async fn decide(config: &Path, args: &DecideArgs, answer: Answer) -> anyhow::Result<Exit> {
    let by = session::operating_system_user();
    let environment = session::environment(config)?;
    session::refuse_changing_key(&environment)?;
    let now = Utc::now();
    let store = session::write_store(&environment).await?;
    let waiting = decisions::waiting(&store, now).await?;
    let decided = match decisions::decide(&waiting, &args.what, answer, &by, args.note.as_deref(), None, now) {
        Ok(decided) => decided,
        Err(unknown) => {
            store.close().await;
            let lines: Vec<String> = unknown.iter().map(ToString::to_string).collect();
            bail!("{}", lines.join("\n"));
        }
    };
    let kept = decisions::keep(&store, &decided).await;
    store.close().await;
    kept?;
    let verb = match answer {
        Answer::Approve => "Approved",
        Answer::Reject => "Rejected",
    };
    let ids: Vec<&str> = decided
        .decisions
        .iter()
        .map(|decision| decision.item.as_str())
        .collect();
    out::print(&format!("{verb} by {by}: {} item(s): {}\n", ids.len(), ids.join(" ")));
    match answer {
        Answer::Approve => out::print("They pass in the next run, if nothing about them has changed by then.\n"),
        Answer::Reject => out::print("They stay quiet until something about them changes.\n"),
    }
    if answer == Answer::Approve && !decided.not_approvable.is_empty() {
        let ids: Vec<&str> = decided.not_approvable.iter().map(|item| item.as_str()).collect();
        out::print(&format!(
            "These also wait for something that no approval lifts (see holds): {}\n",
            ids.join(" ")
        ));
    }
    Ok(Exit::Done)
}
