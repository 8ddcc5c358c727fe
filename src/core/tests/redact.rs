//! A redacted plan has nothing of anybody, and still says what happens and why.

use super::world::World;
use super::worlds::worlds;
use crate::core::model::card::OperatorLink;
use crate::core::model::field::CardField;
use crate::core::plan::full_hash;
use crate::core::plan::view::PlanView;
use crate::core::reads::snapshot::SnapshotReader;
use crate::core::redact::{OWN_WORDS, redact};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

fn redacted(world: &World) -> PlanView {
    let input = world.input();
    redact(&world.judged().view(), &input, &|text| {
        full_hash(format!("secret {text}").as_bytes())
    })
}

/// Every value of every field of everybody.
fn values(world: &World) -> BTreeSet<String> {
    let input = world.input();
    let mut values: BTreeSet<String> = BTreeSet::new();
    for record in input.snapshots.iter().flat_map(|snapshot| snapshot.records()) {
        values.insert(record.key.to_string());
        values.extend(
            record
                .values
                .iter()
                .flat_map(|values| values.as_slice())
                .map(|value| value.to_string()),
        );
    }
    for card in &input.target.cards {
        values.extend(card.fields.iter().map(|(_, value)| value.display()));
    }
    for entry in input.ledger.values() {
        values.extend(entry.key.iter().chain(&entry.former_keys).map(ToString::to_string));
    }
    let own = |value: &str| ["true", "false"].contains(&value) || OWN_WORDS.contains(&value);
    values.retain(|value| value.chars().count() > 1 && !own(value));
    values
}

/// Names of our own words, which are the same for everybody: `left_without_card` is nobody's status `left`.
const CODES: [&str; 4] = ["reason", "code", "kind", "action"];

/// Every text in a value, except our own codes.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(members) => {
            let others = members.iter().filter(|(name, _)| !CODES.contains(&name.as_str()));
            others.for_each(|(_, value)| texts(value, found));
        }
    }
}

/// Whether a text has a value as words of its own.
fn has(text: &str, value: &str) -> bool {
    let letter = |found: Option<char>| found.is_some_and(char::is_alphanumeric);
    text.match_indices(value).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + value.len()..].chars().next());
        !letter(before) && !letter(after)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn a_redacted_plan_has_no_value_of_anybody(case in worlds()) {
        let world = case.world();
        let mut view = redacted(&world);
        let plain = world.judged().view();
        prop_assert_eq!(view.changes.len(), plain.changes.len());
        for (redacted, plain) in view.changes.iter_mut().zip(&plain.changes) {
            prop_assert_eq!(&redacted.id, &plain.id);
            prop_assert_eq!(redacted.verdict, plain.verdict);
            prop_assert!(redacted.fields.keys().eq(plain.fields.keys()));
            // Ids stay; in this world they are made of the keys.
            redacted.person_id = None;
            redacted.operator = OperatorLink::ProvenNone;
            redacted.operator_groups.clear();
            redacted.twin.iter_mut().for_each(|twin| twin.person_id = "".into());
        }
        for conflict in &mut view.conflicts {
            conflict.cards.clear();
        }
        for skip in &mut view.skipped {
            skip.card = None;
        }
        let parts = serde_json::to_value((&view.changes, &view.conflicts, &view.rejections, &view.skipped)).unwrap();
        let mut shown = Vec::new();
        texts(&parts, &mut shown);
        for value in values(&world) {
            let leak = shown.iter().find(|text| has(text, &value));
            prop_assert!(leak.is_none(), "{} in {:?} of {}", value, leak, parts);
        }
    }
}

#[test]
fn the_same_value_has_the_same_mark_and_reasons_stay() {
    let mut world = World::of(2);
    for card in ["c-E001", "c-E002"] {
        world.set_text(card, CardField::JobTitle, "Nurse");
    }
    let view = redacted(&world);
    let titles: BTreeSet<_> = view
        .changes
        .iter()
        .map(|change| change.fields["jobTitle"].from.clone())
        .collect();
    assert_eq!(titles.len(), 1);
    let mark = titles.first().cloned().flatten().unwrap();
    assert!(
        mark.starts_with("value-") && mark.ends_with(" (5 characters)"),
        "{mark}"
    );
    assert_ne!(view.changes[0].key, view.changes[1].key);
}

#[test]
fn words_of_our_own_sentences_are_nobodys_first_name() {
    let mut world = World::of(3);
    world.hr().set("E001", "first", "An");
    world.hr().set("E002", "first", "Of");
    world.hr().set("E003", "end", "An");
    let view = redacted(&world);
    let told: Vec<&str> = view.skipped.iter().map(|skip| skip.detail.as_str()).collect();
    let plain = world.judged().view();
    let before: Vec<&str> = plain.skipped.iter().map(|skip| skip.detail.as_str()).collect();
    assert_eq!(told, before, "no word of a sentence is marked");
    let changed = view.changes.iter().filter_map(|change| change.fields.get("firstName"));
    let shown: Vec<String> = changed.filter_map(|field| field.to.clone()).collect();
    assert!(
        !shown.is_empty() && shown.iter().all(|value| value.starts_with("value-")),
        "{shown:?}"
    );
}
