//! What `mainframeLoginName` is used for at a site.

use super::{fact, looked_at};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::tests::world::World;
use crate::tools::audit::{Audit, Severity};

const CODE: &str = "mainframe_login_in_use";

fn fill(world: &mut World, card: &str, text: &str) {
    let value = FieldValue::Text(text.into());
    world.set(card, CardField::MainframeLoginName, Some(value));
}

/// How many cards there are of each use, as the audit says it.
fn uses(audit: &Audit) -> Vec<(String, String)> {
    let of = audit.findings.iter().filter(|finding| finding.code == CODE);
    let value = |facts: &[crate::tools::audit::Fact], name: &str| {
        let fact = facts.iter().find(|fact| fact.name == name);
        fact.map(|fact| fact.value.clone()).unwrap_or_default()
    };
    of.flat_map(|finding| &finding.subjects)
        .map(|subject| (value(&subject.facts, "use"), value(&subject.facts, "cards")))
        .collect()
}

#[test]
fn a_blank_field_is_no_news() {
    assert_eq!(uses(&looked_at(&World::of(5))), []);
}

#[test]
fn object_ids_marks_of_programs_and_other_texts_are_told_apart() {
    let mut world = World::of(9);
    for number in 1..=4 {
        fill(&mut world, &format!("c-E00{number}"), "Managed by another program");
    }
    fill(&mut world, "c-E005", "6f9619ff-8b86-d011-b42d-00c04fc964ff");
    fill(&mut world, "c-E006", "{6F9619FF-8B86-D011-B42D-00C04FC964F0}");
    fill(&mut world, "c-E007", "TSO0001");
    let audit = looked_at(&world);
    let found = uses(&audit);
    let count = |word: &str| {
        let of = found.iter().find(|(what, _)| what.contains(word));
        of.map(|(_, cards)| cards.as_str())
    };
    assert_eq!(count("object ids"), Some("2"));
    assert_eq!(count("mark of a program"), Some("4"));
    assert_eq!(count("other"), Some("1"));
    assert_eq!(
        fact(&audit, CODE, "text").as_deref(),
        Some("Managed by another program")
    );
    let finding = audit.findings.iter().find(|finding| finding.code == CODE);
    assert_eq!(
        finding.map(|finding| (finding.count, finding.severity)),
        Some((7, Severity::Note))
    );
    let redacted = audit.clone().redacted(&|_| "mark".to_owned());
    assert_eq!(
        fact(&redacted, CODE, "text").as_deref(),
        Some("mark"),
        "it could be somebody's"
    );
}

#[test]
fn as_the_key_it_is_looked_at_as_every_key_is() {
    let mut world = World::of(3);
    fill(&mut world, "c-E001", "E001");
    world.policy.key.card_field = CardField::MainframeLoginName;
    assert_eq!(uses(&looked_at(&world)), []);
}
