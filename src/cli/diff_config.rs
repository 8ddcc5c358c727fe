//! `plan --diff-config`: what this configuration and another one make of the same reads.

use super::out::{self, Paint};
use super::plan::Output;
use super::words::{counted, name_of};
use crate::cli::out::line;
use crate::domain::ids::ItemId;
use crate::domain::plan::Plan;
use crate::domain::view::ChangeView;
use crate::engine::run::Planned;
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
            "compared": other.is_some(),
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
    if other.is_none() {
        let line = format!(
            "{old} reads TOPdesk in another way (url, username, account_filters, expect or key): its plan cannot be made from these reads."
        );
        line!(text, "{}", paint.warn(&line));
    }
    line!(
        text,
        "From the same reads: {} in both plans, {} only with this configuration, {} only with {old}.",
        counted(both, "change"),
        added.len(),
        removed.len()
    );
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
