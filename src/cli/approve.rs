//! `approve` and `reject`.

use super::exit::Exit;
use super::{out, session};
use crate::domain::decision::Answer;
use crate::engine::decisions;
use anyhow::bail;
use chrono::Utc;
use clap::Args;
use std::path::Path;

#[derive(Debug, Args)]
pub(super) struct DecideArgs {
    /// Item ids, budget classes (archive, operators ...), actions (update, adopt ...), `snapshot`, or a plan id.
    #[arg(required = true, value_name = "ID|CLASS|PLAN")]
    what: Vec<String>,
    /// Why, for those who read the journal later.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
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
            bail!("nothing was decided: {}", lines.join("\n"));
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
