//! What two plans have apart, in text.

use crate::core::plan::difference::{Apart, PlanDifference};
use crate::core::plan::view::ChangeView;
use crate::present::lines::{Paint, line, lined};
use crate::present::words::{conflict_words, counted, name_of, skip_words};

/// Lines per list before it is cut; `--all` shows everything.
const MOST_SHOWN: usize = 25;

/// Whether the plans that are compared were judged: what is allowed and what is held is shown only then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plans {
    Judged,
    NotJudged,
}

/// What is added, removed and changed, as a person reads it.
pub(crate) fn difference_text(difference: &PlanDifference, plans: Plans, paint: Paint, all: bool) -> String {
    let item = |change: &ChangeView| match plans {
        Plans::Judged => item(change),
        Plans::NotJudged => with_values(change),
    };
    let mut text = String::new();
    if difference.is_empty() {
        line!(text, "  no difference: {} alike", counted(difference.same, "item"));
        return text;
    }
    line!(
        text,
        "  {} alike, {} added, {} removed, {} changed",
        counted(difference.same, "item"),
        difference.added.len(),
        difference.removed.len(),
        difference.changed.len()
    );
    let mut list = |title: &str, lines: Vec<String>| {
        if lines.is_empty() {
            return;
        }
        let title = format!("{title} ({})", lines.len());
        line!(text, "\n{}", paint.strong(&title));
        let shown = if all { lines.len() } else { MOST_SHOWN };
        text.extend(lines.iter().take(shown).map(String::as_str));
        if lines.len() > shown {
            line!(text, "  ... and {} more (--all, or --json)", lines.len() - shown);
        }
    };
    list("Added", difference.added.iter().map(item).collect());
    list("Removed", difference.removed.iter().map(item).collect());
    let changed = difference
        .changed
        .iter()
        .map(|changed| changed_item(&changed.before, &changed.after));
    list("Changed", changed.collect());
    list(
        "Conflicts",
        signed(&difference.conflicts, |conflict| {
            format!("{}: {}", conflict.key, conflict_words(conflict))
        }),
    );
    list(
        "Rejected records",
        signed(&difference.rejections, |rejection| {
            let key = rejection.key.as_ref().map_or("no key", |key| key.as_str());
            format!("{} {}: {key}: {}", rejection.source, rejection.place, rejection.message)
        }),
    );
    list(
        "Nothing happens to",
        signed(&difference.skipped, |skip| {
            let key = skip.key.as_ref().map_or("no key", |key| key.as_str());
            format!("{key}: {}", skip_words(skip))
        }),
    );
    text
}

fn signed<T>(apart: &Apart<T>, item_words: impl Fn(&T) -> String) -> Vec<String> {
    let removed = apart.removed.iter().map(|item| lined!("  - {}", item_words(item)));
    let added = apart.added.iter().map(|item| lined!("  + {}", item_words(item)));
    removed.chain(added).collect()
}

fn title(change: &ChangeView) -> String {
    let key = change.key.as_ref().map_or("", |key| key.as_str());
    let card = change.person_id.as_ref().map_or("new", |card| card.as_str());
    lined!("  {:<11} {key} ({card})  [{}]", name_of(change.action), change.id)
}

fn values(change: &ChangeView) -> Vec<String> {
    let shown = |value: &Option<String>| {
        value
            .as_ref()
            .map_or("(empty)".to_owned(), |value| format!("\"{value}\""))
    };
    let fields = change.fields.iter();
    fields
        .map(|(name, field)| format!("{name}: {} -> {}", shown(&field.from), shown(&field.to)))
        .collect()
}

fn verdict(change: &ChangeView) -> Vec<String> {
    if change.holds.is_empty() {
        return vec!["allowed".to_owned()];
    }
    change
        .holds
        .iter()
        .map(|hold| format!("held: {}", hold.message))
        .collect()
}

/// An item with what it writes and its verdict.
pub(crate) fn item(change: &ChangeView) -> String {
    let mut text = with_values(change);
    for line in verdict(change) {
        line!(text, "      {line}");
    }
    text
}

fn with_values(change: &ChangeView) -> String {
    let mut text = title(change);
    for line in values(change) {
        line!(text, "      {line}");
    }
    text
}

/// Only the lines in which the two differ.
fn changed_item(before: &ChangeView, after: &ChangeView) -> String {
    let mut text = title(after);
    for (then, now) in [(values(before), values(after)), (verdict(before), verdict(after))] {
        for line in then.iter().filter(|line| !now.contains(line)) {
            line!(text, "    - {line}");
        }
        for line in now.iter().filter(|line| !then.contains(line)) {
            line!(text, "    + {line}");
        }
    }
    text
}
