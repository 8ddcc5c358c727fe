//! `plan --redact` as text: the plan of a ticket, without names, keys and values.

use crate::core::plan::view::PlanView;
use crate::present::difference::item;
use crate::present::lines::Paint;
use crate::present::lines::{line, lined};
use crate::present::words::{conflict_words, name_of, skip_words, snapshot_lines};
use chrono_tz::Tz;

/// A redacted plan as text, whole.
pub(crate) fn redacted_text(view: &PlanView, zone: Tz, paint: Paint) -> String {
    let mut text = String::new();
    let at = view.created_at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z");
    let title = format!("Plan {} at {at}, redacted: keys and values are marks", view.plan_id);
    line!(text, "{}", paint.strong(&title));
    for (kind, count) in &view.summary {
        line!(
            text,
            "  {}: {} ({} allowed, {} held), operators {}",
            name_of(*kind),
            count.total,
            count.allowed,
            count.held,
            count.operators
        );
    }
    line!(
        text,
        "  active cards looked after: {}, other cards: {}",
        view.base,
        view.foreign_cards
    );
    line!(text, "\n{}", paint.strong("Read"));
    for snapshot in &view.snapshots {
        text.push_str(&snapshot_lines(snapshot, paint));
    }
    let conflicts = view.conflicts.iter().map(|conflict| {
        let records = conflict.records.iter().map(ToString::to_string);
        let places: Vec<String> = records
            .chain(conflict.cards.iter().map(|card| format!("card {card}")))
            .collect();
        lined!("  {} {}", conflict.key, conflict_words(conflict)) + &lined!("      {}", places.join("; "))
    });
    let rejections = view.rejections.iter().map(|rejection| {
        let key = rejection.key.as_ref().map_or("no key", |key| key.as_str());
        lined!(
            "  {} {}: {key}: {}",
            rejection.source,
            rejection.place,
            rejection.message
        )
    });
    let skipped = view.skipped.iter().map(|skip| {
        let key = skip.key.as_ref().map_or("no key", |key| key.as_str());
        lined!("  {key}: {}", skip_words(skip))
    });
    for (title, lines) in [
        ("Changes", view.changes.iter().map(item).collect::<Vec<String>>()),
        ("Conflicts", conflicts.collect()),
        ("Rejected records", rejections.collect()),
        ("Nothing happens to", skipped.collect()),
    ] {
        if !lines.is_empty() {
            let title = format!("{title} ({})", lines.len());
            line!(text, "\n{}", paint.strong(&title));
            text.extend(lines);
        }
    }
    text
}
