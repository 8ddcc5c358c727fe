//! `plan --replay RUN`: a past plan made again from what its run had read, and what is different under another configuration.

use super::exit::Exit;
use super::out;
use super::plan::{Output, shown};
use super::session;
use crate::app::environment::{Environment, kept_mapping};
use crate::core::plan::difference::PlanDifference;
use crate::engine::inputs::{KeptHeader, KeptInput};
use crate::engine::run::Planned;
use crate::present::difference::{Plans, difference_text};
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::store::ReadOnlyStore;
use crate::tools::replay::{again, under};
use anyhow::bail;
use serde_json::json;

/// The word for the latest run whose input is kept.
const LAST: &str = "last";

/// The exit code where there is a difference.
const DIFFERENT: u8 = 2;

/// The kept input of a run, or words that say which there are.
pub(super) fn look_for_input(store: &ReadOnlyStore, run: &str) -> anyhow::Result<Result<KeptInput, String>> {
    let Some(folder) = store.inputs() else {
        bail!("there is no state yet, so no run has been kept");
    };
    let kept = folder.list()?;
    let wanted = match kept.first() {
        Some(newest) if run == LAST => newest.run.clone(),
        Some(_) | None => run.into(),
    };
    Ok(folder.read(&wanted)?.ok_or_else(|| {
        let runs: Vec<String> = kept.iter().map(|header| header.run.to_string()).collect();
        let there = if runs.is_empty() {
            "none is kept".to_owned()
        } else {
            format!("kept are {}", runs.join(", "))
        };
        format!("what run {run} had read is not kept (the last 3 runs are, for 7 days): {there}")
    }))
}

/// Finds a kept input by its run, or says which there are.
fn kept_input(store: &ReadOnlyStore, run: &str) -> anyhow::Result<KeptInput> {
    look_for_input(store, run)?.map_err(|not_kept| anyhow::anyhow!(not_kept))
}

pub(super) async fn replay(environment: &Environment, run: &str, output: &Output) -> anyhow::Result<Exit> {
    let store = session::read_store(environment).await?;
    let kept = kept_input(&store, run);
    store.close().await;
    let kept = kept?;
    let mapping = kept_mapping(&kept.header).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let own = again(&kept, &mapping);
    let same = own.judged.plan.fingerprint == kept.header.fingerprint;
    let changed = environment.loaded.config_hash != kept.input.policy.config_hash;
    let other = if changed {
        Some(under(&kept, environment.for_replay())?)
    } else {
        None
    };
    let difference = other
        .as_ref()
        .map(|(planned, _)| PlanDifference::between(&own.judged.view(), &planned.judged.view()));
    if output.json {
        let document = json!({
            "run": kept.header.run,
            "version": kept.header.version,
            "moment": kept.header.moment,
            "recorded": { "plan_id": kept.header.plan, "fingerprint": kept.header.fingerprint },
            "replayed": { "plan_id": own.judged.plan.id, "fingerprint": own.judged.plan.fingerprint },
            "same": same,
            "people_taken_out": kept.header.forgotten.len(),
            "config_changed": changed,
            "notes": other.as_ref().map(|(_, notes)| notes),
            "difference": difference,
            "plan": other.as_ref().map_or(&own, |(planned, _)| planned).judged.view(),
        });
        out::json(&document)?;
    } else {
        let paint = Paint::stdout();
        let mut text = head(&kept.header, &own, same, paint);
        match (&other, &difference) {
            (Some((planned, notes)), Some(difference)) => {
                let file = environment.loaded.path.display();
                line!(
                    text,
                    "\nUnder {file}, which differs from the run's own configuration: plan {}",
                    planned.judged.plan.id
                );
                text.push_str(&difference_text(difference, Plans::Judged, paint, output.all));
                for note in notes {
                    line!(text, "note: {note}");
                }
            }
            (None, _) | (_, None) => {
                text.push('\n');
                text.push_str(&shown(&own, output, None).plan());
            }
        }
        out::print(&text);
    }
    let different = !same || difference.is_some_and(|difference| !difference.is_empty());
    Ok(if different {
        Exit::Verdict(DIFFERENT)
    } else {
        Exit::Done
    })
}

fn head(header: &KeptHeader, own: &Planned, same: bool, paint: Paint) -> String {
    let mut text = String::new();
    let title = format!("Replay of run {}", header.run);
    line!(text, "{}", paint.strong(&title));
    let short: String = header.fingerprint.chars().take(12).collect();
    if same {
        line!(
            text,
            "  made again under its own configuration: the same plan {} ({short})",
            header.plan
        );
        return text;
    }
    let line = format!(
        "  made again under its own configuration: plan {} instead of {}",
        own.judged.plan.id, header.plan
    );
    line!(text, "{}", paint.warn(&line));
    let this = env!("CARGO_PKG_VERSION");
    if !header.forgotten.is_empty() {
        let people = header.forgotten.len();
        line!(
            text,
            "  {people} of its people were anonymized or forgotten since and are no longer in it"
        );
    } else if header.version != this {
        line!(text, "  it was made by cardsync {}, this is {this}", header.version);
    }
    text
}
