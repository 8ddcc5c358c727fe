//! A row per contract (RULES 4.5): a row that is missing is not one that has ended.

use super::world::{World, allowed, change, holds, names, row, skips};
use crate::core::model::card::OperatorKind;
use crate::core::plan::{EvidenceCode, Plan, SkipReason};
use crate::core::reads::clock::ClockJudgement;
use crate::core::reads::snapshot::{Effect, Expectations, Finding, Role};
use crate::core::rules::policy::Joiners;
use crate::mapping::testing::{FROM_START_TO_END, compile_contracts};
use chrono::Duration;
use std::sync::Arc;

/// People with a contract since 2020, seen so in a first run. Today is 2 March 2026.
fn world(people: u32) -> World {
    let mut world = World::of(people);
    world.hr().contracts = Some(Arc::new(compile_contracts(FROM_START_TO_END, "", "")));
    // Worlds are small: one row is many.
    let anything = Expectations {
        max_drop_percent: 100.0,
        ..Expectations::default()
    };
    world.policy.expectations.insert("hr".into(), anything);
    for row in &mut world.hr().rows {
        row.values.insert("start", "2020-01-01".to_owned());
    }
    world.run();
    world
}

fn contract(world: &mut World, key: &str, start: &str, end: &str) {
    world.hr().rows.push(row(key).with("start", start).with("end", end));
}

/// The next day, with a new export.
fn next_day(world: &mut World) {
    world.now += Duration::days(1);
    world.hr().generation += 1;
}

fn detail(plan: &Plan) -> &str {
    &plan.skipped.first().expect("somebody to whom nothing happens").detail
}

#[test]
fn the_row_that_was_current_and_has_ended_is_strong_evidence() {
    let mut world = world(2);
    world.hr().set("E001", "end", "2026-03-01");
    world.hr().set("E001", "job", "Nurse");
    assert_eq!(
        allowed(&world.run()),
        Vec::<String>::new(),
        "leaves, and so is left alone"
    );
    next_day(&mut world);
    let plan = world.plan();
    assert_eq!(names(&plan), ["archive c-E001"]);
    let evidence = &change(&plan, "archive c-E001").evidence;
    assert_eq!(evidence[0].code, EvidenceCode::ContractsEnded);
}

#[test]
fn a_current_row_that_is_missing_is_as_weak_as_absence() {
    let mut world = world(2);
    // The old contract stays in the export and the one that is current is lost.
    contract(&mut world, "E001", "2015-01-01", "2019-12-31");
    world.run();
    world.hr().rows.remove(0);
    world.operator("o-2", "c-E002", false, OperatorKind::Regular);
    for _ in 0..2 {
        next_day(&mut world);
        assert_eq!(allowed(&world.run()), Vec::<String>::new());
        assert_eq!(skips(&world.plan()), [(SkipReason::MissingNotYet, "c-E001".to_owned())]);
    }
    next_day(&mut world);
    let plan = world.plan();
    assert_eq!(names(&plan), ["archive c-E001"]);
    let evidence = &change(&plan, "archive c-E001").evidence;
    assert_eq!(evidence[0].code, EvidenceCode::NoCurrentRow);
    // The row is back: nothing was lost.
    contract(&mut world, "E001", "2020-01-01", "");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert!(
        world
            .run()
            .plan
            .ledger
            .iter()
            .all(|entry| entry.sightings[&"hr".into()].absent.is_none())
    );
}

#[test]
fn a_missing_current_row_of_an_operator_needs_a_second_source() {
    let mut world = world(1);
    world.sources.push(super::world::TestSource::new("ad", Role::Enrich));
    world.source("ad").rows.push(row("E001"));
    world.mapping.from.insert("status", "ad".into());
    world.operator("o-1", "c-E001", true, OperatorKind::Regular);
    world.hr().set("E001", "start", "2015-01-01");
    world.hr().set("E001", "end", "2019-12-31");
    world.absent("c-E001", "hr", 3, 72);
    assert!(holds(&world.judged(), "archive c-E001").contains(&"still_listed".to_owned()));
    world.source("ad").set("E001", "status", "left");
    world.entry("c-E001").leaving_since = Some(world.now - Duration::days(2));
    let evidence = world.plan().changes[0].evidence[0].code;
    assert_eq!(
        evidence,
        EvidenceCode::LeaverCondition,
        "the other source says so itself"
    );
}

#[test]
fn what_the_leaver_condition_reads_in_an_ended_row_is_no_evidence_of_its_own() {
    // The condition of this world is `end < today`, and the only row that is left ended in 2019.
    let mut world = world(1);
    world.hr().set("E001", "start", "2015-01-01");
    world.hr().set("E001", "end", "2019-12-31");
    assert_eq!(skips(&world.plan()), [(SkipReason::MissingNotYet, "c-E001".to_owned())]);
}

#[test]
fn nothing_is_counted_while_the_read_may_not_speak_of_absence() {
    let mut world = world(2);
    world.hr().set("E001", "end", "2026-02-20");
    world.run();
    next_day(&mut world);
    assert_eq!(names(&world.plan()), ["archive c-E001"]);
    world.hr().degrade();
    assert_eq!(
        skips(&world.plan()),
        [(SkipReason::AbsenceUnknown, "c-E001".to_owned())]
    );
    assert!(
        detail(&world.plan()).contains("the read of hr is doubted and cannot say who is missing"),
        "{}",
        detail(&world.plan())
    );
}

#[test]
fn a_row_that_cannot_be_used_shields_also_from_the_row_that_has_ended() {
    let mut world = world(2);
    world.hr().set("E001", "end", "2026-02-20");
    world.run();
    next_day(&mut world);
    // The next contract, with the number forgotten.
    world
        .hr()
        .rows
        .push(row("E001").with("start", "2026-02-21").with("key", ""));
    assert_eq!(skips(&world.plan()), [(SkipReason::Shielded, "c-E001".to_owned())]);
}

#[test]
fn a_known_next_contract_is_no_leaver() {
    let mut world = world(2);
    world.hr().set("E001", "end", "2026-02-20");
    contract(&mut world, "E001", "2026-05-01", "");
    world
        .hr()
        .rows
        .last_mut()
        .expect("a row")
        .values
        .insert("job", "Nurse".to_owned());
    for _ in 0..5 {
        let judged = world.run();
        assert_eq!(
            names(&judged.plan),
            Vec::<String>::new(),
            "and is not moved before its day"
        );
        assert_eq!(skips(&judged.plan), [(SkipReason::NextContract, "c-E001".to_owned())]);
        assert!(detail(&judged.plan).starts_with("next contract from 2026-05-01"));
        next_day(&mut world);
    }
    world.now += Duration::days(60);
    assert_eq!(allowed(&world.run()), ["update c-E001"]);
}

#[test]
fn a_row_that_takes_the_place_of_the_current_one_moves_nobody_early() {
    let mut world = world(1);
    world.hr().set("E001", "start", "2026-03-14");
    world.hr().set("E001", "job", "Nurse");
    assert_eq!(skips(&world.plan()), [(SkipReason::NextContract, "c-E001".to_owned())]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_next_contract_that_is_lost_is_missing_too() {
    let mut world = world(1);
    world.hr().set("E001", "end", "2026-02-20");
    contract(&mut world, "E001", "2026-05-01", "");
    world.run();
    world.hr().rows.pop();
    for _ in 0..2 {
        next_day(&mut world);
        assert_eq!(
            skips(&world.run().plan),
            [(SkipReason::MissingNotYet, "c-E001".to_owned())]
        );
    }
}

#[test]
fn a_next_contract_that_was_seen_spoiled_and_is_lost_is_missing_too() {
    let mut world = world(1);
    world.hr().set("E001", "end", "2026-03-01");
    world.run();
    next_day(&mut world);
    contract(&mut world, "E001", "2026-03-02", "soon");
    assert_eq!(
        skips(&world.run().plan),
        [(SkipReason::LeavingUnknown, "c-E001".to_owned())]
    );
    next_day(&mut world);
    world.hr().rows.pop();
    assert_eq!(skips(&world.plan()), [(SkipReason::MissingNotYet, "c-E001".to_owned())]);
}

#[test]
fn the_gap_waits_for_a_contract_that_is_entered_late() {
    let mut world = world(1);
    world.policy.leaver_gap_days = 14;
    // The last day is 28 February: from 15 March on nobody waits any longer.
    world.hr().set("E001", "end", "2026-02-28");
    world.run();
    for _ in 0..12 {
        next_day(&mut world);
        let judged = world.run();
        assert_eq!(
            skips(&judged.plan),
            [(SkipReason::LeavingLater, "c-E001".to_owned())],
            "{}",
            world.now
        );
        assert!(
            detail(&judged.plan).contains("until 2026-03-15"),
            "{}",
            detail(&judged.plan)
        );
    }
    next_day(&mut world);
    assert_eq!(allowed(&world.run()), ["archive c-E001"]);
}

#[test]
fn a_later_first_contract_of_somebody_without_a_card_is_a_joiner() {
    let mut world = world(1);
    contract(&mut world, "N1", "2026-03-20", "");
    assert_eq!(skips(&world.plan()), [(SkipReason::StartsLater, "N1".to_owned())]);
    world.mapping.starts = true;
    world.policy.joiners = Some(Joiners {
        days_before: 14,
        access_on_the_day: true,
    });
    assert_eq!(skips(&world.plan()), [(SkipReason::StartsLater, "N1".to_owned())]);
    world.now += Duration::days(4);
    assert_eq!(allowed(&world.run()), ["create N1"]);
    // Kept in step before the first day; the access comes on the day.
    world.hr().set("N1", "job", "Nurse");
    next_day(&mut world);
    assert_eq!(allowed(&world.run()).len(), 1);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.now += Duration::days(13);
    let judged = world.run();
    assert_eq!(allowed(&judged).len(), 1, "the access");
}

#[test]
fn who_was_here_before_waits_for_the_contract_and_not_for_the_first_day_of_long_ago() {
    let mut world = world(1);
    world.mapping.starts = true;
    world.policy.joiners = Some(Joiners {
        days_before: 14,
        access_on_the_day: false,
    });
    world.archived_by_us("c-E001");
    world.hr().set("E001", "end", "2025-12-31");
    contract(&mut world, "E001", "2026-06-01", "");
    assert_eq!(skips(&world.plan()), [(SkipReason::StartsLater, "c-E001".to_owned())]);
    world.now += Duration::days(78);
    assert_eq!(allowed(&world.run()), ["unarchive c-E001"]);
}

#[test]
fn another_source_that_cannot_be_read_wakes_and_moves_nobody() {
    let mut world = world(1);
    world
        .sources
        .push(super::world::TestSource::new("hr2", Role::Authoritative));
    world.policy.same_people = vec![["hr".into(), "hr2".into()].into()];
    world.source("hr2").rows.push(row("X").with("end", "2026-01-01"));
    world.hr().set("E001", "start", "2015-01-01");
    world.hr().set("E001", "end", "2019-12-31");
    world.hr().set("E001", "job", "Nurse");
    world.archived_by_us("c-E001");
    world.source("hr2").reject();
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(skips(&plan).contains(&(SkipReason::LeavingUnknown, "c-E001".to_owned())));
    world.card_mut("c-E001").archived = false;
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn an_enrich_source_without_a_current_row_says_nothing() {
    let mut world = world(1);
    let mut ad = super::world::TestSource::new("jobs", Role::Enrich);
    ad.rows.push(
        row("E001")
            .with("start", "2015-01-01")
            .with("end", "2019-12-31")
            .with("job", "Clerk"),
    );
    ad.contracts = None;
    world.sources.push(ad);
    world.mapping.from.insert("job", "jobs".into());
    assert_eq!(names(&world.plan()), ["update c-E001"]);
    world.sources[1].rows[0].ended = true;
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_clock_that_is_doubted_says_of_no_row_that_it_is_current() {
    let mut world = world(2);
    world.hr().set("E001", "end", "2026-03-10");
    world.hr().set("E002", "job", "Nurse");
    contract(&mut world, "E001", "2026-03-11", "");
    world.now += Duration::days(30);
    contract(&mut world, "N1", "2026-03-20", "");
    world.clock = ClockJudgement {
        doubts: vec![Finding::new("clock", Effect::Note, "wrong", "set it")],
        ..ClockJudgement::default()
    };
    let judged = world.run();
    assert_eq!(names(&judged.plan), Vec::<String>::new());
    assert!(
        skips(&judged.plan)
            .iter()
            .all(|(reason, _)| *reason == SkipReason::LeavingUnknown)
    );
}

#[test]
fn rows_are_counted_for_the_drop_as_people_are() {
    let mut world = world(10);
    world.policy.expectations.clear();
    for number in 1..=10 {
        contract(&mut world, &format!("E{number:03}"), "2015-01-01", "2019-12-31");
    }
    let whole = world.hr().clone().snapshot(&world.policy, world.now);
    assert_eq!(whole.profile.rows, 20);
    world.hr().history.last_good = Some(whole.profile.clone());
    world.hr().history.reference = Some(whole.profile);
    // The current rows of three of ten are lost, and nobody is missing.
    world.hr().rows.drain(..3);
    let read = world.hr().clone().snapshot(&world.policy, world.now);
    assert_eq!(read.summary.records, 10);
    assert!(read.is_rejected());
    assert!(
        read.summary
            .findings
            .iter()
            .any(|finding| finding.code == "rows_dropped".into())
    );
    assert!(read.summary.acceptance.is_some());
}
