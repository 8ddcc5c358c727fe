//! Absence is the weakest evidence: what may be theirs in a record that cannot be used, and a second source that still has
//! them, keep a card from being archived (RULES 3.3 and 4.1).

use super::world::{Row, TestSource, World, change, holds, names, row};
use crate::core::model::card::OperatorKind;
use crate::core::model::record::Anchor;
use crate::core::plan::{HoldReason, Plan, SkipReason};
use crate::core::reads::snapshot::{RejectionScope, Role};

/// `E001` of twenty is gone for good, unless something speaks against it.
fn gone() -> World {
    let mut world = World::of(20);
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 2, 72);
    world
}

/// A record with nothing of `E001`.
fn somebody() -> Row {
    row("S1").with("key", "")
}

fn detail(plan: &Plan, reason: SkipReason) -> &str {
    let found = plan.skipped.iter().find(|skip| skip.reason == reason);
    &found
        .unwrap_or_else(|| panic!("nothing of {reason:?}: {:?}", plan.skipped))
        .detail
}

#[test]
fn a_record_without_a_key_shields_the_card_it_resembles() {
    let mut world = gone();
    world.hr().rows.push(somebody());
    assert_eq!(names(&world.plan()), ["archive c-E001"]);
    let alike = [
        ("login", somebody().with("login", "E001"), "tasLoginName"),
        ("email", somebody().with("email", "e001@example.net"), "email"),
        (
            "name",
            somebody().with("sur", "SurE001").with("first", "FirstE001"),
            "full name",
        ),
    ];
    for (mark, row, shown) in alike {
        let mut world = gone();
        world.hr().rows.push(row);
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new(), "{mark}");
        let detail = detail(&plan, SkipReason::Shielded);
        let start = format!("hr line 21 has no key and has the same {shown}");
        assert!(detail.starts_with(&start), "{detail}");
    }
}

#[test]
fn a_directory_id_shields_as_well() {
    let mut world = gone();
    let mut record = somebody();
    record.anchor = Some("guid".to_owned());
    world.hr().rows.push(record);
    let anchor = Anchor {
        source: "hr".into(),
        value: "guid".into(),
    };
    world.entry("c-E001").anchors.push(anchor);
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(detail(&plan, SkipReason::Shielded).contains("directory id"));
}

#[test]
fn records_in_conflict_and_records_that_cannot_be_used_shield() {
    let alike = row("S1").with("login", "e001");
    let mut world = gone();
    world.hr().rows.extend([alike.clone(), alike.clone()]);
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(detail(&plan, SkipReason::Shielded).contains("is in conflict"));

    let mut world = gone();
    world.hr().rows.push(alike.clone().with("key", "N00000000000000000001"));
    assert!(detail(&world.plan(), SkipReason::Shielded).contains("too long"));

    // No card is made of it, because its fields are bad.
    let mut world = gone();
    world.hr().rows.push(alike.with("job", "BAD"));
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(detail(&plan, SkipReason::Shielded).contains("cannot be used"));
}

#[test]
fn evidence_of_a_present_record_is_not_shielded() {
    let mut world = World::of(20);
    world.leaves("E001");
    world.hr().rows.push(somebody().with("login", "e001"));
    assert_eq!(names(&world.plan()), ["archive c-E001"]);
}

#[test]
fn a_source_that_only_enriches_shields_nobody() {
    let mut world = gone();
    world.sources.push(TestSource::new("ad", Role::Enrich));
    world.source("ad").rows.push(somebody().with("login", "e001"));
    assert_eq!(names(&world.plan()), ["archive c-E001"]);
}

/// An enrich source that knows `E001`, who has an operator.
fn with_directory(record: Option<Row>) -> World {
    let mut world = gone();
    world.operator("o1", "c-E001", false, OperatorKind::Regular);
    world.sources.push(TestSource::new("ad", Role::Enrich));
    // Nobody at all would be no read.
    world.source("ad").rows.push(row("E002"));
    world.source("ad").rows.extend(record);
    world
}

#[test]
fn the_absence_of_somebody_with_an_operator_needs_a_second_source() {
    assert_eq!(names(&with_directory(None).plan()), ["archive c-E001"]);
    let still_there = with_directory(Some(row("E001")));
    let judged = still_there.judged();
    let reasons = holds(&judged, "archive c-E001");
    assert_eq!(reasons, ["over_budget:operators", "still_listed"], "held, and so told");
    let what = "ad line 3 still has them".to_owned();
    let archive = change(&judged.plan, "archive c-E001");
    assert_eq!(archive.doubts, [HoldReason::StillListed { what }]);
    let mut without_operator = still_there;
    without_operator.operators.clear();
    assert_eq!(names(&without_operator.plan()), ["archive c-E001"]);
}

#[test]
fn a_second_source_that_cannot_say_does_not_agree() {
    let mut world = with_directory(None);
    world.source("ad").degrade();
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(detail(&plan, SkipReason::SecondSource).contains("the read of ad is doubted"));
    let mut world = with_directory(None);
    world.source("ad").rejections.push((None, RejectionScope::Record));
    assert_eq!(names(&world.plan()), ["archive c-E001"]);
}
