//! What the report of a plan shows.

use super::charts::{Chart, Series};
use super::past::read;
use crate::core::model::field::FieldValue;
use crate::core::model::ids::ItemId;
use crate::core::plan::concern::ConcernCode;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{Action, Change};
use crate::present::html::Told;
use crate::present::html::page;
use crate::present::questions::{asked, question_title};
use crate::present::text::{Alike, Part, Shown, folded};
use crate::present::words::{
    conflict_words, counted, group_lines, name_of, operator_words, other_card_words, reason_words,
};
use minijinja::{Value, context};
use std::collections::{BTreeMap, BTreeSet};

/// The report of a plan.
pub(crate) fn plan(shown: &Shown<'_>, told: &Told<'_>) -> anyhow::Result<String> {
    let plan = &shown.judged.plan;
    let view = shown.judged.view();
    let labels: Vec<String> = view.summary.keys().map(|kind| name_of(*kind).to_owned()).collect();
    let series = |name: &str, count: &dyn Fn(&crate::core::plan::view::Count) -> u64| Series {
        name: name.to_owned(),
        values: view.summary.values().map(|it| Some(count(it) as f64)).collect(),
    };
    let chart = Chart {
        title: "Allowed and held",
        labels: &labels,
        series: &[
            series("allowed", &|count| count.allowed),
            series("held", &|count| count.held),
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
    let held = plan.changes.iter();
    let held: Vec<&Change> = held.filter(|it| shown.judged.held.contains_key(&it.id)).collect();
    let approved = shown.judged.approved.changes().iter();
    let approved: Vec<&Change> = approved.map(|it| it.change()).collect();
    let groups = [("Held", held), ("Allowed", approved)];
    let groups: Vec<Value> = groups
        .into_iter()
        .filter(|(_, changes)| !changes.is_empty())
        .map(|(title, changes)| {
            let count = changes.len();
            let entries = entries(shown, &changes);
            context! { title, count, entries }
        })
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

/// As the text has them: first the questions, each with its answers together, then the others, with many that say the same as
/// one.
fn entries(shown: &Shown<'_>, changes: &[&Change]) -> Vec<Value> {
    let by_id: BTreeMap<&ItemId, &Change> = changes.iter().map(|change| (&change.id, *change)).collect();
    let asked: Vec<Vec<ItemId>> = asked(shown.judged)
        .into_iter()
        .filter(|choices| choices.iter().all(|item| by_id.contains_key(item)))
        .collect();
    let of_questions: BTreeSet<&ItemId> = asked.iter().flatten().collect();
    let others: Vec<&Change> = changes
        .iter()
        .copied()
        .filter(|change| !of_questions.contains(&change.id))
        .collect();
    let questions = asked.iter().flat_map(|choices| {
        let last = choices.len() - 1;
        choices.iter().enumerate().map(move |(at, id)| {
            let opens = (at == 0).then(|| question_title(choices.len()));
            (opens, at == last, id)
        })
    });
    let questions = questions.map(|(opens, closes, id)| context! { opens, closes, ..item(shown, by_id[id]) });
    let held = |change: &Change| reasons(shown, change);
    let parts = if shown.all {
        others.into_iter().map(Part::One).collect()
    } else {
        folded(&others, &held)
    };
    let entries = parts.iter().map(|part| match part {
        Part::One(change) => item(shown, change),
        Part::Many(many) => alike(shown, many),
    });
    questions.chain(entries).collect()
}

/// Several that say the same: what they do once, and who they are.
fn alike(shown: &Shown<'_>, alike: &Alike<'_>) -> Value {
    let first = alike.changes[0];
    let people = alike.changes.iter();
    let people: Vec<String> = people
        .map(|change| format!("{} [{}]", shown.who(change), change.id))
        .collect();
    let who = format!("{} alike", counted(people.len() as u64, "card"));
    context! {
        lines => &alike.fields,
        people,
        who,
        fields => Vec::<Value>::new(),
        ..item(shown, first)
    }
}

fn reasons(shown: &Shown<'_>, change: &Change) -> Vec<String> {
    let held = shown.judged.held.get(&change.id);
    held.into_iter().flatten().map(HoldReason::explain).collect()
}

fn item(shown: &Shown<'_>, change: &Change) -> Value {
    let display = |value: &Option<FieldValue>| value.as_ref().map(FieldValue::display);
    let fields: Vec<Value> = change
        .action
        .fields()
        .iter()
        .map(|field| context! { name => field.field.name(), from => display(&field.from), to => display(&field.to) })
        .collect();
    let reasons = reasons(shown, change);
    let who = match &change.action {
        Action::CreateEntry { list, name } => format!("{list} \"{name}\""),
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Adopt { .. }
        | Action::Exchange { .. }
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
        twin => other_card_words(&ChangeView::new(change, &[])),
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
