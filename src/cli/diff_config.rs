//! `plan --diff-config`: what this configuration and another one make of the same reads.

use super::out;
use super::plan::Output;
use crate::core::model::ids::{ItemId, SourceName};
use crate::core::plan::Plan;
use crate::core::plan::view::ChangeView;
use crate::core::reads::snapshot::{Effect, Finding, SnapshotSummary, Verdict};
use crate::engine::run::Planned;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::{counted, name_of};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// Items per list before it is cut; `--all` shows everything.
const CUT: usize = 25;

/// Shows the difference; `other` is `None` where TOPdesk is read in another way under the other configuration.
pub(super) fn show(planned: &Planned, other: Option<&Plan>, old: &Path, output: &Output) -> anyhow::Result<()> {
    let ids = |plan: &Plan| -> BTreeSet<ItemId> { plan.changes.iter().map(|change| change.id.clone()).collect() };
    let mine = ids(&planned.judged.plan);
    let theirs = other.map(ids).unwrap_or_default();
    let view = planned.judged.view();
    let added: Vec<ChangeView> = view
        .changes
        .into_iter()
        .filter(|change| !theirs.contains(&change.id))
        .collect();
    let removed: Vec<ChangeView> = other
        .iter()
        .flat_map(|plan| &plan.changes)
        .filter(|change| !mine.contains(&change.id))
        .map(|change| ChangeView::new(change, &[]))
        .collect();
    let both = mine.intersection(&theirs).count() as u64;
    let obstacles = obstacles(planned, other, &old.display().to_string());
    if output.json {
        let removed: Vec<_> = removed
            .iter()
            .map(|change| {
                json!({
                    "id": change.id,
                    "action": change.action,
                    "key": change.key,
                    "person_id": change.person_id,
                    "operator": change.operator,
                    "fields": change.fields,
                    "evidence": change.evidence,
                    "why": change.why,
                })
            })
            .collect();
        let document = json!({
            "compared": obstacles.is_empty(),
            "not_compared": obstacles
                .iter()
                .map(|it| json!({ "source": it.source, "message": it.message, "cure": it.cure }))
                .collect::<Vec<_>>(),
            "both": both,
            "only_this": added,
            "only_other": removed,
        });
        out::json(&document)?;
        return Ok(());
    }
    let paint = Paint::stdout();
    let old = old.display();
    let mut text = String::new();
    for Obstacle { source, message, cure } in &obstacles {
        let what = source.as_ref().map_or(String::new(), |source| format!("{source}: "));
        line!(text, "{}", paint.bad(&format!("NOT COMPARED: {what}{message}")));
        line!(text, "  -> {cure}");
    }
    let counts = format!(
        "{} in both plans, {} only with this configuration, {} only with {old}.",
        counted(both, "change"),
        added.len(),
        removed.len()
    );
    let some = both > 0 || !added.is_empty() || !removed.is_empty();
    if obstacles.is_empty() {
        line!(text, "From the same reads: {counts}");
    } else if other.is_some() && some {
        line!(text, "Of what could be read alone: {counts}");
    }
    for (title, changes) in [
        ("Only with this configuration".to_owned(), &added),
        (format!("Only with {old}"), &removed),
    ] {
        if changes.is_empty() {
            continue;
        }
        line!(text, "\n{}", paint.strong(&format!("{title} ({})", changes.len())));
        let shown = if output.all { changes.len() } else { CUT };
        for change in changes.iter().take(shown) {
            one(&mut text, change, paint);
        }
        if changes.len() > shown {
            line!(text, "  ... and {} more (--all, or --json)", changes.len() - shown);
        }
    }
    out::print(&text);
    Ok(())
}

/// Why the two plans say nothing about each other: a plan without one of its reads is no plan of the configuration.
struct Obstacle {
    source: Option<SourceName>,
    message: String,
    cure: String,
}

fn obstacles(planned: &Planned, other: Option<&Plan>, old: &str) -> Vec<Obstacle> {
    let Some(other) = other else {
        return vec![Obstacle {
            source: None,
            message: format!(
                "{old} reads TOPdesk in another way (url, username, account_filters, expect or key): its plan cannot be made \
                 from these reads"
            ),
            cure: "compare configurations that have these options in common, or make a plan with each and compare them by eye"
                .to_owned(),
        }];
    };
    let of = |plan: &Plan, which: &str| -> Vec<Obstacle> {
        let rejected = plan.snapshots.iter().filter(|read| read.verdict == Verdict::Rejected);
        let refusing = |read: &SnapshotSummary| {
            let refuses = |effect| matches!(effect, Effect::Reject | Effect::RejectAcceptable);
            let found = read.findings.iter().find(|finding| refuses(finding.effect)).cloned();
            found.unwrap_or_else(|| Finding::new("rejected", Effect::Reject, "it could not be used", ""))
        };
        let told = rejected.map(|read| {
            let Finding { message, cure, .. } = refusing(read);
            let cure = if cure.is_empty() {
                "see what is different in how the source is read, and compare again once it can be read".to_owned()
            } else {
                cure
            };
            Obstacle {
                source: Some(read.name.clone()),
                message: format!("the read was rejected{which}: {message}"),
                cure,
            }
        });
        told.collect()
    };
    let mut found = of(&planned.judged.plan, "");
    let known: BTreeSet<SourceName> = found.iter().filter_map(|it| it.source.clone()).collect();
    let theirs = of(other, &format!(" with {old}"));
    found.extend(
        theirs
            .into_iter()
            .filter(|it| it.source.as_ref().is_none_or(|source| !known.contains(source))),
    );
    found
}

fn one(text: &mut String, change: &ChangeView, paint: Paint) {
    let key = change.key.as_ref().map_or("no key", |key| key.as_str());
    let card = change.person_id.as_ref().map_or("new card", |card| card.as_str());
    line!(text, "  {:<11} {key} ({card})  [{}]", name_of(change.action), change.id);
    for (name, field) in &change.fields {
        let shown = |value: &Option<String>| {
            value
                .as_ref()
                .map_or("(empty)".to_owned(), |value| format!("\"{value}\""))
        };
        line!(text, "      {name}: {} -> {}", shown(&field.from), shown(&field.to));
    }
    for why in &change.why {
        line!(text, "      why: {why}");
    }
    for hold in &change.holds {
        line!(text, "      {} {}", paint.warn("held:"), hold.message);
    }
}
