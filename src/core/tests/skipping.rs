//! Records that are no people (RULES 3.3, 3.4, 4.4).

use super::world::{TestSource, World, allowed, names, row, skips};
use crate::core::plan::SkipReason;
use crate::core::reads::snapshot::{Effect, Role, Verdict};
use crate::mapping::testing::{FROM_START_TO_END, compile_contracts};
use chrono::Duration;
use proptest::prelude::*;
use std::sync::Arc;

/// A company of which the last good read was the one of now.
fn remembered(people: u32, skipped: u32) -> World {
    let mut world = World::of(people);
    world.hr().skip_rule = "one";
    for number in 0..skipped {
        let mut pool = row(&format!("P{number:03}"));
        pool.skipped = true;
        world.hr().rows.push(pool);
    }
    remember(&mut world);
    world
}

fn remember(world: &mut World) {
    let snapshot = &world.input().snapshots[0];
    let profile = snapshot.profile.clone();
    let history = &mut world.hr().history;
    history.largest_accepted = Some(profile.records);
    history.last_good_keyless = Some(snapshot.summary.keyless);
    history.last_good_unreadable = Some(snapshot.summary.unreadable);
    history.last_good = Some(profile.clone());
    history.reference = Some(profile);
}

/// What is doubted of the read, with its effect.
fn doubts(world: &World) -> Vec<(String, Effect)> {
    let summary = &world.input().snapshots[0].summary;
    let findings = summary.findings.iter();
    findings
        .map(|finding| (finding.code.to_string(), finding.effect))
        .collect()
}

fn skip_of(world: &mut World, key: &str) {
    world.hr().row_of(key).skipped = true;
}

#[test]
fn a_second_record_that_is_no_person_is_no_conflict_and_lacks_no_key() {
    let mut world = World::of(3);
    let mut admin = row("E001").with("sur", "Admin");
    admin.skipped = true;
    let mut service = row("");
    service.skipped = true;
    world.hr().rows.extend([admin, service]);
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(plan.conflicts.is_empty() && plan.rejections.is_empty());
    let summary = &world.input().snapshots[0].summary;
    assert_eq!((summary.records, summary.keyless, summary.skipped), (3, 0, 2));
}

#[test]
fn who_has_only_a_skipped_record_is_out_of_scope_and_never_absent() {
    let mut world = World::of(20);
    skip_of(&mut world, "E001");
    world.absent("c-E001", "hr", 9, 900);
    for _ in 0..3 {
        world.now += Duration::hours(48);
        world.hr().generation += 1;
        let judged = world.run();
        assert_eq!(names(&judged.plan), Vec::<String>::new());
        assert_eq!(skips(&judged.plan), [(SkipReason::OutOfScope, "c-E001".to_owned())]);
    }
}

#[test]
fn ended_rows_beside_a_skipped_one_are_no_evidence() {
    let mut world = World::of(20);
    world.hr().contracts = Some(Arc::new(compile_contracts(FROM_START_TO_END, "", "")));
    for row in &mut world.hr().rows {
        row.values.insert("start", "2020-01-01".to_owned());
    }
    world.run();
    world.hr().set("E001", "end", "2026-03-01");
    world.run();
    world.hr().generation += 1;
    world.now += Duration::days(1);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    let mut other = row("E001");
    other.skipped = true;
    world.hr().rows.push(other);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert_eq!(skips(&world.plan()), [(SkipReason::OutOfScope, "c-E001".to_owned())]);
}

#[test]
fn many_more_than_in_the_last_good_read_are_a_doubt() {
    let mut world = remembered(100, 4);
    for number in 1..=4 {
        skip_of(&mut world, &format!("E{number:03}"));
    }
    assert_eq!(doubts(&world), [], "a handful comes and goes");
    skip_of(&mut world, "E005");
    assert_eq!(
        doubts(&world),
        [("more_skipped".to_owned(), Effect::NoAbsenceAcceptable)]
    );
    for number in 6..=10 {
        skip_of(&mut world, &format!("E{number:03}"));
    }
    assert_eq!(
        doubts(&world),
        [("more_skipped".to_owned(), Effect::NoAbsenceAcceptable)]
    );
    skip_of(&mut world, "E011");
    let found = doubts(&world);
    assert!(
        found.contains(&("more_skipped".to_owned(), Effect::RejectAcceptable)),
        "{found:?}"
    );
    let item = world.input().snapshots[0].summary.acceptance.clone().expect("an item");
    world.hr().history.accepted.insert(item);
    assert_eq!(world.input().snapshots[0].summary.verdict, Verdict::Complete);
    skip_of(&mut world, "E012");
    assert_eq!(
        world.input().snapshots[0].summary.verdict,
        Verdict::Rejected,
        "accepted were other records"
    );
}

#[test]
fn what_counts_as_people_all_at_once_makes_no_cards() {
    let mut world = remembered(100, 8);
    for row in &mut world.hr().rows {
        row.skipped = false;
    }
    assert_eq!(doubts(&world), [("fewer_skipped".to_owned(), Effect::RejectAcceptable)]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    let mut cleaned = remembered(100, 8);
    cleaned.hr().rows.retain(|row| !row.skipped);
    assert_eq!(doubts(&cleaned), [], "accounts that were deleted");
}

#[test]
fn another_rule_is_no_loss_and_says_what_it_changed() {
    let mut world = remembered(30, 0);
    world.hr().skip_rule = "two";
    for number in 1..=10 {
        skip_of(&mut world, &format!("E{number:03}"));
    }
    assert_eq!(doubts(&world), [("skip_changed".to_owned(), Effect::Note)]);
    assert_eq!(world.input().snapshots[0].summary.verdict, Verdict::Complete);
    // Those who are really gone count all the same.
    world.hr().rows.truncate(26);
    assert!(
        doubts(&world).iter().any(|(code, _)| code == "dropped"),
        "{:?}",
        doubts(&world)
    );
}

#[test]
fn several_records_in_a_source_that_adds_are_told_of_the_person() {
    let mut world = World::of(3);
    let mut ad = TestSource::new("ad", Role::Enrich);
    ad.rows = vec![row("E001"), row("E001"), row("E002"), row("X1"), row("X1")];
    world.sources.push(ad);
    let plan = world.plan();
    assert_eq!(skips(&plan), [(SkipReason::SeveralRecords, "c-E001".to_owned())]);
    let summary = &world.input().snapshots[1].summary;
    let found: Vec<&str> = summary.findings.iter().map(|finding| &*finding.code).collect();
    assert_eq!(found, ["several_records"]);
    assert!(
        summary.findings[0].message.contains("2 keys"),
        "{}",
        summary.findings[0].message
    );
    assert!(
        summary.findings[0].message.contains("E001, X1"),
        "{}",
        summary.findings[0].message
    );
    world.source("ad").rows[1].skipped = true;
    assert_eq!(skips(&world.plan()), []);
}

proptest! {
    /// Whatever records are skipped: nobody is archived or anonymized for it, and nobody who has another record notices.
    #[test]
    fn skipping_harms_nobody(skip in prop::collection::vec(any::<bool>(), 20), doubled in prop::collection::vec(any::<bool>(), 20)) {
        let mut world = World::of(20);
        world.policy.expectations.entry("hr".into()).or_default().max_drop_percent = 100.0;
        for (number, (skip, doubled)) in skip.iter().zip(&doubled).enumerate() {
            let key = format!("E{:03}", number + 1);
            world.absent(&format!("c-{key}"), "hr", 9, 900);
            if *doubled {
                let mut second = row(&key).with("sur", "Second").with("end", "2020-01-01");
                second.skipped = true;
                world.hr().rows.push(second);
            } else if *skip {
                skip_of(&mut world, &key);
            }
        }
        let plan = world.plan();
        prop_assert_eq!(names(&plan), Vec::<String>::new());
        prop_assert!(plan.conflicts.is_empty());
    }
}
