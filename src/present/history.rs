//! The history on a terminal.

use crate::core::model::ids::RunId;
use crate::core::plan::ActionKind;
use crate::core::plan::report::ends_without_verdict;
use crate::core::plan::report::{RunReport, RunVerdict};
use crate::core::plan::view::FromTo;
use crate::engine::records::Ended;
use crate::present::concerns::counts_line;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::{done_words, name_of, snapshot_lines};
use crate::tools::history::{ItemHistory, RunHistory};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

fn when(moment: DateTime<Utc>, zone: Tz) -> String {
    moment.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

fn number(count: u64) -> String {
    if count == 0 { "-".to_owned() } else { count.to_string() }
}

/// One line per run.
pub(crate) fn runs(runs: &[RunReport], zone: Tz, paint: Paint) -> String {
    if runs.is_empty() {
        return "There has been no run.\n".to_owned();
    }
    let mut text = String::new();
    // A command with its words, such as that of a pairing, must not move the columns.
    let widest = runs
        .iter()
        .map(|run| run.command.chars().count())
        .max()
        .unwrap_or(0)
        .max(8);
    let head = format!(
        "{:<23} {:<21} {:>6}  {:<widest$} {:<14} {:>6} {:>6} {:>9} {:>9} {:>10}",
        "run", "started", "took", "command", "verdict", "done", "held", "attention", "not done", "operators"
    );
    line!(text, "{}", paint.strong(&head));
    for run in runs {
        let counts = &run.counts;
        let not_done = counts.failed() + counts.not_reached;
        let verdict = format!("{:<14}", verdict_words(run));
        let verdict = match run.verdict {
            Some(RunVerdict::Clean) => paint.good(&verdict),
            Some(RunVerdict::Held | RunVerdict::Attention) | None => paint.warn(&verdict),
            Some(RunVerdict::SomeFailed | RunVerdict::SnapshotRejected | RunVerdict::Failed) => paint.bad(&verdict),
        };
        line!(
            text,
            "{:<23} {:<21} {:>6}  {:<widest$} {verdict} {:>6} {:>6} {:>9} {:>9} {:>10}",
            run.id.as_str(),
            when(run.started_at, zone),
            took(run),
            run.command,
            number(counts.done.values().sum()),
            number(counts.held),
            number(counts.needs_attention()),
            number(not_done),
            number(counts.operators)
        );
        if let Some(failure) = &run.failure {
            line!(text, "    {failure}");
        }
    }
    text.push_str("Item by item: cardsync history RUN\n");
    text
}

/// One run, item by item.
pub(crate) fn run(id: &RunId, history: &RunHistory, zone: Tz, paint: Paint) -> String {
    let mut text = String::new();
    match &history.run {
        Some(run) => head(&mut text, run, zone, paint),
        None => {
            let title = format!("Run {id}");
            line!(text, "{}", paint.strong(&title));
            text.push_str("  Its report is no longer kept; this is what the journal has.\n");
        }
    }
    if history.items.is_empty() {
        text.push_str("\nNothing was written, and nothing new was held.\n");
    }
    for (ended, title) in [
        (Ended::Done, "Done"),
        (Ended::NotDone, "Not done"),
        (Ended::InDoubt, "In doubt: a later run settles it by reading"),
        (Ended::Held, "Held, and not before this run"),
        (Ended::NotReached, "Not reached"),
        (Ended::HalfWay, "Half-way: begun and not finished, see cardsync holds"),
        (Ended::PutBack, "Put back: an earlier run had left it half-way"),
    ] {
        let items: Vec<&ItemHistory> = history.items.iter().filter(|item| item.outcome == ended).collect();
        if items.is_empty() {
            continue;
        }
        let title = format!("{title} ({})", items.len());
        line!(text, "\n{}", paint.strong(&title));
        for item in items {
            one(&mut text, item, zone, paint);
        }
    }
    text
}

fn head(text: &mut String, run: &RunReport, zone: Tz, paint: Paint) {
    let title = format!(
        "Run {}: {}, {}, took {}, {}",
        run.id,
        run.command,
        when(run.started_at, zone),
        took(run),
        verdict_words(run)
    );
    line!(text, "{}", paint.strong(&title));
    if let Some(failure) = &run.failure {
        line!(text, "  {}", paint.bad(failure));
    }
    let counts = &run.counts;
    let mut parts: Vec<String> = counts
        .done
        .iter()
        .map(|(kind, count)| format!("{count} {}", done_words(*kind, *count)))
        .collect();
    for (count, what) in [
        (counts.not_done, "not done"),
        (counts.in_doubt, "in doubt"),
        (counts.half_way, "half-way"),
        (counts.put_back, "put back"),
        (counts.not_reached, "not reached"),
        (counts.held, "held"),
        (counts.conflicts, "in conflict"),
        (counts.rejections, "rejected"),
        (counts.set_aside, "set aside as known"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if !parts.is_empty() {
        line!(text, "  {}", parts.join(", "));
    }
    if let Some(open) = counts_line(&counts.attention) {
        line!(text, "  needs a human: {open}");
    }
    if !run.snapshots.is_empty() {
        line!(text, "\n{}", paint.strong("Read"));
        for snapshot in &run.snapshots {
            text.push_str(&snapshot_lines(snapshot, paint));
        }
    }
}

/// Who an item is about.
fn who(item: &ItemHistory) -> String {
    let key = item.key.as_ref().map(ToString::to_string);
    let words: Vec<String> = key.into_iter().chain(item.name.clone()).collect();
    let card = item.person_id.as_ref().map(ToString::to_string);
    match (words.is_empty(), card) {
        (true, None) => String::new(),
        (true, Some(card)) => card,
        (false, None) => words.join(" "),
        (false, Some(card)) => format!("{} ({card})", words.join(" ")),
    }
}

fn one(text: &mut String, item: &ItemHistory, zone: Tz, paint: Paint) {
    let sent = item.sent_at.map_or(String::new(), |sent| {
        format!("  sent {}", sent.with_timezone(&zone).format("%H:%M:%S"))
    });
    line!(
        text,
        "  {:<11} {}  [{}]{sent}",
        name_of(item.action),
        who(item),
        item.item
    );
    for operator in &item.operators {
        let verb = if item.action == ActionKind::Unarchive {
            "woke"
        } else {
            "was archived"
        };
        let shown = item.operator_names.shown(operator);
        line!(text, "      {} {shown} {verb} with the card", paint.bad("operator"));
    }
    for line in field_lines(item) {
        line!(text, "      {line}");
    }
    for why in &item.why {
        line!(text, "      why: {why}");
    }
    if let Some(approver) = &item.approver {
        let at = item
            .approved_at
            .map_or(String::new(), |at| format!(" on {}", when(at, zone)));
        let note = item.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        line!(text, "      approved by {approver}{at}{note}");
    }
    for reason in reasons(item) {
        line!(text, "      {} {reason}", paint.warn("held:"));
    }
    if let Some(message) = &item.message {
        line!(text, "      {message}");
    }
    if item.requests > 1 {
        line!(text, "      {} requests", item.requests);
    }
    if let Some(run) = &item.settled_by {
        line!(text, "      settled by reading in run {run}");
    }
    if item.values_removed {
        text.push_str("      the values are no longer kept\n");
    }
}

/// How a run ended, as a word; the word that JSON has where there is a verdict.
pub(crate) fn verdict_word(run: &RunReport) -> &'static str {
    match (run.verdict, run.finished_at) {
        (Some(RunVerdict::Clean), _) => "clean",
        (Some(RunVerdict::Held), _) => "held",
        (Some(RunVerdict::Attention), _) => "attention",
        (Some(RunVerdict::SomeFailed), _) => "some_failed",
        (Some(RunVerdict::SnapshotRejected), _) => "snapshot_rejected",
        (Some(RunVerdict::Failed), _) => "failed",
        (None, Some(_)) if ends_without_verdict(&run.command) => "done",
        (None, Some(_)) => "stopped",
        (None, None) => "cut_off",
    }
}

/// How a run ended, for people.
pub(crate) fn verdict_words(run: &RunReport) -> &'static str {
    match verdict_word(run) {
        "some_failed" => "some failed",
        "snapshot_rejected" => "read rejected",
        "cut_off" => "cut off",
        word => word,
    }
}

/// Each field from and to.
pub(crate) fn field_lines(item: &ItemHistory) -> Vec<String> {
    let value = |value: &Option<String>| {
        value
            .as_ref()
            .map_or("(empty)".to_owned(), |text| format!("\"{text}\""))
    };
    let made = item.before.is_none() && item.other.is_none();
    let own = item.fields.iter().map(|(field, FromTo { from, to, .. })| match from {
        None if made => format!("{field}: {}", value(to)),
        Some(_) | None => format!("{field}: {} -> {}", value(from), value(to)),
    });
    let other = item.other.iter().flat_map(|other| {
        let name = other.name.as_ref().map_or(String::new(), |name| format!(" {name}"));
        let fields = other.fields.iter();
        fields.map(move |(field, FromTo { from, to, .. })| {
            format!(
                "and card {}{name}: {field}: {} -> {}",
                other.person_id,
                value(from),
                value(to)
            )
        })
    });
    own.chain(other).collect()
}

/// Why it is held, one line each.
pub(crate) fn reasons(item: &ItemHistory) -> impl Iterator<Item = String> {
    item.reasons.iter().map(|reason| reason.message.clone())
}

/// How long a run took, for people; nothing where it has no end.
pub(crate) fn took(run: &RunReport) -> String {
    let Some(end) = run.finished_at else {
        return "-".to_owned();
    };
    let seconds = (end - run.started_at).num_seconds().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _long => format!("{} h", seconds / 3600),
    }
}
