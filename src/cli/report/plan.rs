//! What the report of a plan shows.

use super::charts::{Chart, Series};
use super::past::read;
use super::{Told, page};
use crate::cli::text::Shown;
use crate::cli::words::{conflict_words, group_lines, name_of, operator_words, reason_words, twin_words};
use crate::domain::concern::ConcernCode;
use crate::domain::field::FieldValue;
use crate::domain::hold::HoldReason;
use crate::domain::plan::{Action, Change};
use crate::domain::view::ChangeView;
use minijinja::{Value, context};

/// The report of a plan.
pub(in crate::cli) fn plan(shown: &Shown<'_>, told: &Told<'_>) -> anyhow::Result<String> {
    let plan = &shown.judged.plan;
    let view = shown.judged.view();
    let labels: Vec<String> = view.summary.keys().map(|kind| name_of(*kind).to_owned()).collect();
    let counted = |name: &str, count: &dyn Fn(&crate::domain::view::Count) -> u64| Series {
        name: name.to_owned(),
        values: view.summary.values().map(|it| Some(count(it) as f64)).collect(),
    };
    let chart = Chart {
        title: "Allowed and held",
        labels: &labels,
        series: &[
            counted("allowed", &|count| count.allowed),
            counted("held", &|count| count.held),
        ],
    };
    let summary: Vec<Value> = view
        .summary
        .iter()
        .map(|(kind, count)| {
            context! {
                action => name_of(*kind),
                total => count.total,
                allowed => count.allowed,
                held => count.held,
                operators => count.operators,
            }
        })
        .collect();
    let held = |change: &&Change| shown.judged.held.contains_key(&change.id);
    let approved = shown.judged.approved.changes().iter().map(|it| it.change());
    let groups = [
        (
            "Held",
            plan.changes.iter().filter(held).map(|it| item(shown, it)).collect(),
        ),
        ("Allowed", approved.map(|it| item(shown, it)).collect::<Vec<Value>>()),
    ];
    let groups: Vec<Value> = groups
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(title, entries)| context! { title, entries })
        .collect();
    let body = context! {
        plan_id => plan.id.as_str(),
        planned => told.when(plan.created_at),
        summary,
        chart => Value::from_safe_string(chart.stacked()),
        base => plan.base,
        foreign => plan.foreign_cards,
        reads => plan.snapshots.iter().map(read).collect::<Vec<_>>(),
        groups,
        lists => lists(shown),
    };
    page("Plan of cardsync", told, "plan.html", body)
}

fn item(shown: &Shown<'_>, change: &Change) -> Value {
    let display = |value: &Option<FieldValue>| value.as_ref().map(FieldValue::display);
    let fields: Vec<Value> = change
        .action
        .fields()
        .iter()
        .map(|field| context! { name => field.field.name(), from => display(&field.from), to => display(&field.to) })
        .collect();
    let reasons: Vec<String> = shown
        .judged
        .held
        .get(&change.id)
        .into_iter()
        .flatten()
        .map(HoldReason::explain)
        .collect();
    let who = match &change.action {
        Action::CreateEntry { list, name } => format!("{list} \"{name}\""),
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Adopt { .. }
        | Action::Merge { .. }
        | Action::Archive { .. }
        | Action::Unarchive { .. }
        | Action::Anonymize { .. }
        | Action::SetReferences { .. } => shown.who(change),
    };
    context! {
        id => change.id.as_str(),
        action => name_of(change.action.kind()),
        who,
        outcome => if reasons.is_empty() { "allowed" } else { "held" },
        operator => operator_words(&change.operator, change.action.kind(), change.keeps_archived(), &shown.judged.names),
        operator_groups => group_lines(&shown.judged.groups.of(&change.operator), &shown.judged.names),
        twin => ChangeView::new(change, &[]).twin.as_ref().map(twin_words),
        fields,
        why => &change.why,
        reasons,
    }
}

/// Those to whom nothing happens, with why.
fn lists(shown: &Shown<'_>) -> Vec<Value> {
    let plan = &shown.judged.plan;
    let conflicts = plan.conflicts.iter().map(|conflict| {
        let records = conflict.records.iter().map(ToString::to_string);
        let cards = conflict.cards.iter().map(|card| format!("card {card}"));
        let places: Vec<String> = records.chain(cards).collect();
        format!("{} {}: {}", conflict.key, conflict_words(conflict), places.join("; "))
    });
    let rejections = plan.rejections.iter().map(|rejection| {
        let key = rejection.key.as_ref().map_or("no key", |key| key.as_str());
        format!("{} {}: {key}: {}", rejection.source, rejection.place, rejection.message)
    });
    let skipped = plan.skipped.iter().map(|skip| {
        let key = skip.key.as_ref().map_or("no key", |key| key.as_str());
        let card = skip.card.as_ref().map_or("no card", |card| card.as_str());
        format!("{}: {key} ({card}): {}", reason_words(skip.reason), skip.detail)
    });
    let without_key = shown.judged.concerns.iter();
    let without_key = without_key.filter(|concern| concern.code == ConcernCode::RecordWithoutKey);
    let lists: [(&str, Vec<String>); 4] = [
        (
            "Conflicts: nobody here is changed until it is resolved",
            conflicts.collect(),
        ),
        ("Rejected records: these people count as present", rejections.collect()),
        (
            "Records without a key: nobody's, as long as they have none",
            without_key.map(|concern| concern.places.join("; ")).collect(),
        ),
        ("Nothing happens to", skipped.collect()),
    ];
    lists
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|(title, lines)| context! { title, lines })
        .collect()
}
