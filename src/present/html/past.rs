//! What the reports of the past show: the list of runs with its charts, and one run.

use super::charts::{Chart, MOST_COLUMNS, Series};
use crate::core::model::ids::RunId;
use crate::core::plan::ActionKind;
use crate::core::plan::report::{RunReport, RunVerdict};
use crate::core::reads::snapshot::{Finding, SnapshotSummary, Verdict};
use crate::engine::records::Ended;
use crate::present::history::{reasons, took, verdict_words};
use crate::present::html::Told;
use crate::present::html::page;
use crate::present::words::{done_words, name_of};
use crate::tools::history::{ItemHistory, RunHistory};
use minijinja::{Value, context};
use std::collections::{BTreeMap, BTreeSet};

/// The report of many runs.
pub(crate) fn history(runs: &[RunReport], told: &Told<'_>) -> anyhow::Result<String> {
    let mut in_order: Vec<&RunReport> = runs.iter().collect();
    in_order.sort_by_key(|run| run.started_at);
    let together = in_order.len().div_ceil(MOST_COLUMNS).max(1);
    let columns: Vec<&[&RunReport]> = in_order.chunks(together).collect();
    let labels: Vec<String> = columns.iter().map(|runs| told.when(runs[0].started_at)).collect();
    let people = Chart {
        title: "People read",
        labels: &labels,
        series: &people(&columns),
    };
    let changes = Chart {
        title: "Changes made",
        labels: &labels,
        series: &changes(&columns),
    };
    let waiting = Chart {
        title: "Held, and not done",
        labels: &labels,
        series: &waiting(&columns),
    };
    let body = context! {
        runs => runs.iter().map(|run| row(run, told)).collect::<Vec<_>>(),
        first => in_order.first().map(|run| told.when(run.started_at)),
        last => in_order.last().map(|run| told.when(run.started_at)),
        people => Value::from_safe_string(people.lines()),
        changes => Value::from_safe_string(changes.stacked()),
        waiting => Value::from_safe_string(waiting.stacked()),
    };
    page("Runs of cardsync", told, "history.html", body)
}

/// Records of each source and cards of TOPdesk, as the last run of a column read them.
fn people(columns: &[&[&RunReport]]) -> Vec<Series> {
    let read = || {
        columns
            .iter()
            .flat_map(|runs| runs.iter().flat_map(|run| &run.snapshots))
    };
    let names: BTreeSet<&str> = read().map(|snapshot| snapshot.name.as_str()).collect();
    names
        .into_iter()
        .map(|name| Series {
            name: name.to_owned(),
            values: columns
                .iter()
                .map(|runs| {
                    let of_name = |run: &&RunReport| run.snapshots.iter().find(|it| it.name.as_str() == name).cloned();
                    let last = runs.iter().rev().find_map(of_name);
                    last.filter(|it| it.verdict != Verdict::Rejected)
                        .map(|it| it.records as f64)
                })
                .collect(),
        })
        .collect()
}

fn changes(columns: &[&[&RunReport]]) -> Vec<Series> {
    let kinds = ActionKind::IN_ORDER.into_iter().map(|kind| Series {
        name: done_words(kind, 2).to_owned(),
        values: columns
            .iter()
            .map(|runs| {
                let of_kind = runs.iter().filter_map(|run| run.counts.done.get(&kind));
                Some(of_kind.sum::<u64>() as f64)
            })
            .collect(),
    });
    let used = |series: &Series| series.values.iter().flatten().any(|value| *value > 0.0);
    kinds.filter(used).collect()
}

fn waiting(columns: &[&[&RunReport]]) -> Vec<Series> {
    let of = |name: &str, count: &dyn Fn(&[&RunReport]) -> u64| Series {
        name: name.to_owned(),
        values: columns.iter().map(|runs| Some(count(runs) as f64)).collect(),
    };
    let failed = |run: &&RunReport| run.counts.failed() + run.counts.not_reached;
    vec![
        // What waits is counted anew by each run: those of a column do not add up.
        of("held", &|runs| runs.last().map_or(0, |run| run.counts.held)),
        of("in need of a human", &|runs| {
            runs.last().map_or(0, |run| run.counts.needs_attention())
        }),
        of("not done", &|runs| runs.iter().map(failed).sum()),
    ]
}

fn class(run: &RunReport) -> &'static str {
    match run.verdict {
        Some(RunVerdict::Clean) => "good",
        Some(RunVerdict::Held | RunVerdict::Attention) | None => "warn",
        Some(RunVerdict::SomeFailed | RunVerdict::SnapshotRejected | RunVerdict::Failed) => "bad",
    }
}

fn row(run: &RunReport, told: &Told<'_>) -> Value {
    let counts = &run.counts;
    let kinds: Vec<String> = counts
        .done
        .iter()
        .map(|(kind, count)| format!("{count} {}", done_words(*kind, *count)))
        .collect();
    context! {
        id => run.id.as_str(),
        started => told.when(run.started_at),
        took => took(run),
        command => &run.command,
        verdict => verdict_words(run),
        class => class(run),
        kinds => kinds.join(", "),
        done => counts.done.values().sum::<u64>(),
        held => counts.held,
        attention => counts.needs_attention(),
        not_done => counts.failed() + counts.not_reached,
        operators => counts.operators,
        failure => &run.failure,
    }
}

/// A read with its verdict.
pub(super) fn read(snapshot: &SnapshotSummary) -> Value {
    let (verdict, class) = match &snapshot.verdict {
        Verdict::Complete => ("complete", "good"),
        Verdict::Degraded { .. } => ("degraded", "warn"),
        Verdict::Rejected => ("rejected", "bad"),
    };
    let findings: Vec<Value> = snapshot
        .findings
        .iter()
        .map(|Finding { message, cure, .. }| context! { message, cure })
        .collect();
    context! { name => snapshot.name.as_str(), records => snapshot.records, verdict, class, findings }
}

/// The report of one run.
pub(crate) fn run(id: &RunId, history: &RunHistory, told: &Told<'_>) -> anyhow::Result<String> {
    let mut groups: BTreeMap<Ended, Vec<Value>> = BTreeMap::new();
    for item in &history.items {
        groups.entry(item.outcome).or_default().push(shown(item, told));
    }
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(ended, entries)| context! { title => title(ended), entries })
        .collect();
    let reads = history.run.iter().flat_map(|run| &run.snapshots);
    let body = context! {
        run => history.run.as_ref().map(|run| row(run, told)),
        reads => reads.map(read).collect::<Vec<_>>(),
        groups,
    };
    page(&format!("Run {id}"), told, "run.html", body)
}

fn title(ended: Ended) -> &'static str {
    match ended {
        Ended::Done => "Done",
        Ended::NotDone => "Not done",
        Ended::InDoubt => "In doubt: a later run settles it by reading",
        Ended::Held => "Held, and not before this run",
        Ended::NotReached => "Not reached",
        Ended::HalfWay => "Half-way: begun and not finished, see cardsync holds",
        Ended::PutBack => "Put back: an earlier run had left it half-way",
    }
}

fn shown(item: &ItemHistory, told: &Told<'_>) -> Value {
    let key = item.key.as_ref().map(ToString::to_string);
    let who: Vec<String> = key.into_iter().chain(item.name.clone()).collect();
    let went = if item.action == ActionKind::Unarchive {
        "woke with the card"
    } else {
        "was archived with the card"
    };
    let approved = item.approver.as_ref().map(|by| {
        let at = item
            .approved_at
            .map_or(String::new(), |at| format!(", {}", told.when(at)));
        let note = item.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        format!("by {by}{at}{note}")
    });
    let sent = item.sent_at.map(|sent| {
        let requests = match item.requests {
            0 | 1 => String::new(),
            several => format!(", {several} requests"),
        };
        let settled = item
            .settled_by
            .as_ref()
            .map_or(String::new(), |run| format!(", settled by reading in run {run}"));
        format!("{}{requests}{settled}", told.when(sent))
    });
    let fields: Vec<Value> = item
        .fields
        .iter()
        .map(|(name, field)| context! { name, from => &field.from, to => &field.to })
        .chain(item.other.iter().flat_map(|other| {
            let whose = other.name.clone().unwrap_or_else(|| other.person_id.to_string());
            other.fields.iter().map(move |(name, field)| {
                context! { name => format!("{name} of {whose}"), from => &field.from, to => &field.to }
            })
        }))
        .collect();
    context! {
        id => item.item.as_str(),
        action => name_of(item.action),
        who => who.join(" "),
        card => item.person_id.as_ref().map_or("", |card| card.as_str()),
        outcome => item.outcome.word(),
        operators => item.operators.iter().map(|operator| item.operator_names.shown(operator)).collect::<Vec<_>>(),
        went,
        fields,
        why => &item.why,
        approved,
        reasons => reasons(item).collect::<Vec<_>>(),
        message => &item.message,
        sent,
        removed => item.values_removed,
    }
}
