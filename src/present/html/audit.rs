//! What the report of an audit shows: the answer first, then charts, then each finding with its cure.

use super::charts::{Chart, Series};
use super::past::read;
use crate::present::audit_text::{facts, weights};
use crate::present::html::Told;
use crate::present::html::page;
use crate::tools::audit::{Area, Audit, Finding, KeyCandidate, LookedLevel, OtherKey, Severity, Sizes};
use minijinja::{Value, context};

/// Subjects that are shown per finding; the table has them all.
const FEW: usize = 5;

/// The report of an audit.
pub(crate) fn audit(audit: &Audit, told: &Told<'_>) -> anyhow::Result<String> {
    let groups: Vec<Value> = Area::IN_ORDER
        .into_iter()
        .filter_map(|area| {
            let findings = audit.findings.iter().filter(|finding| finding.area == area);
            let findings: Vec<Value> = findings.map(finding).collect();
            (!findings.is_empty()).then(|| context! { title => area.title(), findings })
        })
        .collect();
    let looked = audit.surroundings.looked.iter().map(|looked| {
        let (word, class) = match looked.level {
            LookedLevel::Ok => ("ok", "good"),
            LookedLevel::Warning => ("look", "warn"),
            LookedLevel::Fail => ("fail", "bad"),
            LookedLevel::FirstWriteTells => ("first write tells", "soft"),
        };
        context! { word, class, topic => &looked.topic, text => &looked.text, cure => &looked.cure }
    });
    let body = context! {
        read_at => told.when(audit.at),
        weights => weights(audit),
        worst => audit.findings.first().map_or("good", |finding| class(finding.severity)),
        sizes => sizes(&audit.sizes),
        key_field => &audit.key_field,
        charts => charts(audit).into_iter().map(Value::from_safe_string).collect::<Vec<_>>(),
        summary => audit.to_do().map(finding).collect::<Vec<_>>(),
        advice => context! { field => audit.advice.field.to_string(), current => audit.advice.current,
                             reasons => &audit.advice.reasons, next => &audit.advice.next },
        keys => audit.keys.iter().map(key).collect::<Vec<_>>(),
        other_keys => audit.other_keys.iter().map(other).collect::<Vec<_>>(),
        groups,
        not_known => audit.not_known.iter().map(|it| context! { what => &it.what, why => &it.why }).collect::<Vec<_>>(),
        looked => looked.collect::<Vec<_>>(),
        reads => audit.snapshots.iter().map(read).collect::<Vec<_>>(),
    };
    page("Audit of person cards and operators", told, "audit.html", body)
}

fn sizes(sizes: &Sizes) -> Value {
    context! {
        active_cards => sizes.active_cards,
        active_with_key => sizes.active_with_key,
        archived_cards => sizes.archived_cards,
        active_operators => sizes.active_operators,
        api_accounts => sizes.api_accounts,
        people => sizes.people,
        left => sizes.left,
    }
}

fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "bad",
        Severity::Medium => "warn",
        Severity::Low => "soft",
        Severity::Note => "good",
    }
}

fn finding(finding: &Finding) -> Value {
    let subjects: Vec<Value> = finding
        .subjects
        .iter()
        .take(FEW)
        .map(|subject| {
            context! {
                key => &subject.key,
                card => subject.card.as_ref().map(|card| card.as_str()),
                operator => subject.operator.as_ref().map(|operator| operator.as_str()),
                facts => facts(subject),
            }
        })
        .collect();
    context! {
        code => &finding.code,
        severity => finding.severity.word(),
        class => class(finding.severity),
        title => &finding.title,
        why => &finding.why,
        count => (finding.count > 1 || !finding.subjects.is_empty()).then_some(finding.count),
        more => finding.subjects.len() - subjects.len(),
        subjects,
        cure => (finding.severity > Severity::Note).then_some(&finding.cure),
        command => &finding.command,
    }
}

fn key(key: &KeyCandidate) -> Value {
    let finds = match (&key.matches, key.holds_source_keys) {
        (Some(matches), _) => format!("{} of {} people", matches.paired, matches.people),
        (None, Some(cards)) => format!("{cards} cards hold a key of the sources"),
        (None, None) => "not known".to_owned(),
    };
    context! {
        field => key.field.to_string(),
        current => key.current,
        filled => key.filled,
        unique => key.unique,
        shared => key.shared,
        also_archived => key.also_archived,
        changes => key.changes,
        finds,
    }
}

fn other(other: &OtherKey) -> Value {
    context! {
        field => other.field.to_string(),
        judged => other.judged,
        not_judged => other.not_judged,
        harmed => other.harmed(),
        archived => other.archived,
        locked_out => other.locked_out,
        second_card => other.second_card,
        mixed_up => other.mixed_up,
    }
}

/// The charts in which there is something to see.
fn charts(audit: &Audit) -> Vec<String> {
    let series = |name: &str, values: Vec<u64>| Series {
        name: name.to_owned(),
        values: values.into_iter().map(|value| Some(value as f64)).collect(),
    };
    let mut charts = Vec::new();
    let areas: Vec<String> = Area::IN_ORDER.into_iter().map(|area| area.title().to_owned()).collect();
    let of = |severity| {
        let count = |area| {
            let of = audit.findings.iter();
            of.filter(|finding| finding.area == area && finding.severity == severity)
                .count() as u64
        };
        Area::IN_ORDER.into_iter().map(count).collect()
    };
    let findings = Chart {
        title: "Findings by weight",
        labels: &areas,
        series: &[
            series("high", of(Severity::High)),
            series("medium", of(Severity::Medium)),
            series("low", of(Severity::Low)),
        ],
    };
    charts.push(findings.bars(&[3, 1, 5]));
    let fields: Vec<String> = audit.keys.iter().map(|key| key.field.to_string()).collect();
    let of = |count: &dyn Fn(&KeyCandidate) -> u64| audit.keys.iter().map(count).collect();
    let unique = Chart {
        title: "Active cards: what could be the key",
        labels: &fields,
        series: &[
            series("unique", of(&|key| key.unique)),
            series("shared", of(&|key| key.shared)),
            series("empty", of(&|key| key.cards - key.filled)),
        ],
    };
    charts.push(unique.bars(&[2, 3, 7]));
    let known: Vec<(&KeyCandidate, _)> = audit
        .keys
        .iter()
        .filter_map(|key| Some((key, key.matches.as_ref()?)))
        .collect();
    if !known.is_empty() {
        let fields: Vec<String> = known.iter().map(|(key, _)| key.field.to_string()).collect();
        let found = Chart {
            title: "People of the sources: found by",
            labels: &fields,
            series: &[
                series("one card", known.iter().map(|(_, matches)| matches.paired).collect()),
                series("unclear", known.iter().map(|(_, matches)| matches.unclear).collect()),
                series("no card", known.iter().map(|(_, matches)| matches.no_card).collect()),
            ],
        };
        charts.push(found.bars(&[2, 3, 7]));
    }
    if audit.other_keys.iter().any(|other| other.harmed() > 0) {
        let ways: Vec<String> = audit
            .other_keys
            .iter()
            .map(|other| format!("by {}", other.field))
            .collect();
        let of = |count: &dyn Fn(&OtherKey) -> u64| audit.other_keys.iter().map(count).collect();
        let harm = Chart {
            title: "People who work here, harmed by another key",
            labels: &ways,
            series: &[
                series("archived with operator", of(&|other| other.locked_out)),
                series("archived", of(&|other| other.archived - other.locked_out)),
                series("mixed up", of(&|other| other.mixed_up)),
                series("second card", of(&|other| other.second_card)),
            ],
        };
        charts.push(harm.bars(&[3, 1, 4, 5]));
    }
    charts
}
