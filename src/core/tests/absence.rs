//! People whom no source names any more (RULES 3 and 4.1).

use super::world::{TestSource, World, allowed, change, names, row, skips};
use crate::core::memory::ledger::Sighting;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, SourceName};
use crate::core::plan::{ConflictKind, EvidenceCode, SkipReason};
use crate::core::reads::snapshot::{RejectionScope, Role};
use crate::core::rules::policy::Protected;
use chrono::Duration;

/// `E001` of twenty has been missed often and long enough: this read is the last that is needed.
fn almost_gone() -> World {
    let mut world = World::of(20);
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 2, 72);
    world
}

fn reads(world: &World) -> Option<u32> {
    let sighting = &world.ledger[&CardId::from("c-E001")].sightings[&SourceName::from("hr")];
    sighting.absent.as_ref().map(|absence| absence.reads)
}

#[test]
fn absence_needs_three_reads_and_two_days() {
    let mut world = World::of(20);
    world.hr().remove("E001");
    for (hours, counted) in [(0, 1), (12, 2), (12, 3)] {
        world.now += Duration::hours(hours);
        world.hr().generation += 1;
        let judged = world.run();
        assert_eq!(names(&judged.plan), Vec::<String>::new());
        assert_eq!(skips(&judged.plan), [(SkipReason::MissingNotYet, "c-E001".to_owned())]);
        assert_eq!(reads(&world), Some(counted));
    }
    world.now += Duration::hours(24);
    let judged = world.run();
    assert_eq!(allowed(&judged), ["archive c-E001"]);
    assert_eq!(
        change(&judged.plan, "archive c-E001").evidence[0].code,
        EvidenceCode::Missing
    );
    world.hr().generation += 1;
    assert_eq!(names(&world.run().plan), Vec::<String>::new());
}

#[test]
fn two_days_without_three_reads_are_not_enough() {
    let mut world = World::of(20);
    world.hr().remove("E001");
    world.run();
    world.now += Duration::days(9);
    assert_eq!(names(&world.run().plan), Vec::<String>::new());
    assert_eq!(reads(&world), Some(1), "the same file is the same read");
}

#[test]
fn only_a_complete_read_counts() {
    for what in ["degraded", "rejected", "keyless", "unreadable"] {
        let mut world = almost_gone();
        let history = &mut world.hr().history;
        history.last_good_keyless = Some(0);
        history.last_good_unreadable = Some(0);
        match what {
            "degraded" => world.hr().degrade(),
            "rejected" => world.hr().reject(),
            "keyless" => world.hr().rows.push(row("")),
            _ => world.hr().rejections.push((None, RejectionScope::Record)),
        }
        let judged = world.run();
        assert_eq!(names(&judged.plan), Vec::<String>::new(), "{what}");
        assert!(
            skips(&judged.plan).contains(&(SkipReason::AbsenceUnknown, "c-E001".to_owned())),
            "{what}"
        );
        assert_eq!(reads(&world), Some(2), "{what}");
    }
}

#[test]
fn a_source_below_its_floor_or_dropped_too_far_archives_nobody() {
    let mut world = almost_gone();
    world.hr().history.largest_accepted = Some(100);
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    let item = plan_acceptance(&world);
    world.hr().history.accepted.insert(item);
    assert_eq!(
        names(&world.plan()),
        ["archive c-E001"],
        "a human accepted exactly this content"
    );
    world.hr().remove("E002");
    assert_eq!(
        names(&world.plan()),
        Vec::<String>::new(),
        "other content needs another look"
    );
}

fn plan_acceptance(world: &World) -> crate::core::model::ids::ItemId {
    world.input().snapshots[0].summary.acceptance.clone().unwrap()
}

#[test]
fn an_unusable_record_is_present() {
    let mut world = almost_gone();
    world.hr().history.last_good_unreadable = Some(1);
    world
        .hr()
        .rejections
        .push((Some("E001".to_owned()), RejectionScope::Record));
    let judged = world.run();
    assert_eq!(names(&judged.plan), Vec::<String>::new());
    assert_eq!(reads(&world), None, "absence starts anew");
}

#[test]
fn whoever_is_seen_starts_anew_even_where_nothing_may_happen_to_them() {
    for what in [
        "scope",
        "odd scope",
        "conflict",
        "two cards",
        "protected",
        "special",
        "back",
    ] {
        let mut world = almost_gone();
        world.hr().rows.push(row("E001"));
        match what {
            "scope" => world.hr().set("E001", "scope", "no"),
            "odd scope" => world.hr().set("E001", "scope", "?"),
            "conflict" => world.hr().rows.push(row("E001")),
            "two cards" => world.card("c-twin", &row("E001")),
            "protected" => world.policy.protected.keys = [super::world::key("E001")].into(),
            "special" => world.operator("o-1", "c-E001", false, OperatorKind::ApiAccount),
            _ => {}
        }
        world.run();
        assert_eq!(reads(&world), None, "{what}");
        // Gone again, and nothing in the way: this is the first read that misses them.
        world.hr().rows.retain(|row| row.values["key"] != "E001");
        world.hr().generation += 1;
        world.cards.remove(&CardId::from("c-twin"));
        world.policy.protected = Protected::default();
        world.operators.clear();
        assert_eq!(names(&world.run().plan), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn absent_means_absent_from_every_source_that_ever_had_the_person() {
    let mut world = almost_gone();
    world.sources.push(TestSource::new("hr2", Role::Authoritative));
    let seen = Sighting::new(world.now);
    world.source("hr2").rows.push(row("X"));
    world.entry("c-E001").sightings.insert("hr2".into(), seen);
    assert_eq!(skips(&world.plan())[0].0, SkipReason::MissingNotYet);
    world.absent("c-E001", "hr2", 2, 72);
    let plan = world.plan();
    assert_eq!(change(&plan, "archive c-E001").evidence.len(), 2);
    world.source("hr2").reject();
    assert_eq!(skips(&world.plan())[0].0, SkipReason::AbsenceUnknown);
    world.sources.pop();
    assert_eq!(
        skips(&world.plan())[0].0,
        SkipReason::AbsenceUnknown,
        "taken out of the configuration"
    );
    world.sources.push(TestSource::new("hr2", Role::Enrich));
    assert_eq!(
        skips(&world.plan())[0].0,
        SkipReason::AbsenceUnknown,
        "no longer authoritative"
    );
}

#[test]
fn a_card_that_no_source_ever_had_is_never_absent() {
    let mut world = almost_gone();
    world.entry("c-E001").sightings.clear();
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn cards_without_a_ledger_entry_are_never_archived() {
    let mut world = almost_gone();
    world.ledger.remove(&CardId::from("c-E001"));
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.foreign_cards, 1);
}

#[test]
fn a_card_that_drifted_is_never_archived_for_absence() {
    for (what, value) in [("emptied", ""), ("changed", "E999")] {
        let mut world = almost_gone();
        world.set_text("c-E001", CardField::EmployeeNumber, value);
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new(), "{what}");
        assert_eq!(skips(&plan), [(SkipReason::Drift, "c-E001".to_owned())], "{what}");
    }
    let mut world = almost_gone();
    world.set_text("c-E001", CardField::SurName, "*****");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(plan.ledger[0].anonymized);
}

#[test]
fn two_active_cards_under_the_key_of_somebody_absent_are_a_conflict() {
    let mut world = almost_gone();
    world.card("c-twin", &row("E001"));
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.conflicts[0].kind, ConflictKind::TwoActiveCards);
}

#[test]
fn an_archived_twin_is_no_obstacle_and_an_archived_card_is_not_counted() {
    let mut world = almost_gone();
    world.card("c-twin", &row("E001"));
    world.card_mut("c-twin").archived = true;
    assert_eq!(names(&world.plan()), ["archive c-E001"]);
    world.cards.remove(&CardId::from("c-twin"));
    world.archived_by_us("c-E001");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    let written = plan.ledger.iter().any(|entry| entry.card.as_str() == "c-E001");
    assert!(!written, "no row to write with every read");
}

#[test]
fn absent_special_and_protected_people_stay() {
    let mut world = almost_gone();
    world.operator("o-1", "c-E001", false, OperatorKind::TopdeskAccount);
    assert_eq!(
        skips(&world.plan()),
        [(SkipReason::SpecialAccount, "c-E001".to_owned())]
    );
    let mut world = almost_gone();
    world.policy.protected.cards.insert("c-E001".into());
    assert_eq!(skips(&world.plan()), [(SkipReason::Protected, "c-E001".to_owned())]);
}

#[test]
fn an_absent_person_whom_a_human_woke_stays_active() {
    let mut world = almost_gone();
    world.archived_by_us("c-E001");
    world.card_mut("c-E001").archived = false;
    assert_eq!(
        skips(&world.plan()),
        [(SkipReason::UnarchivedByHand, "c-E001".to_owned())]
    );
}

#[test]
fn whoever_returns_after_an_archive_for_absence_is_woken() {
    let mut world = almost_gone();
    assert_eq!(allowed(&world.run()), ["archive c-E001"]);
    world.hr().rows.push(row("E001"));
    world.hr().generation += 1;
    assert_eq!(allowed(&world.run()), ["unarchive c-E001"]);
    world.hr().remove("E001");
    world.hr().generation += 1;
    assert_eq!(names(&world.run().plan), Vec::<String>::new(), "counting starts anew");
}

#[test]
fn counting_stops_at_what_is_needed() {
    let mut world = almost_gone();
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    for _ in 0..3 {
        world.hr().generation += 1;
        world.run();
    }
    assert_eq!(
        reads(&world),
        Some(3),
        "the archive is held, and the row is not written again"
    );
}

#[test]
fn a_card_deleted_in_topdesk_is_reported_and_not_made_again() {
    let mut world = World::of(20);
    world.cards.remove(&CardId::from("c-E001"));
    world.confirmed_gone.insert("c-E001".into());
    let judged = world.judged();
    assert_eq!(super::world::holds(&judged, "create E001"), ["drift"]);
    assert_eq!(skips(&judged.plan), [(SkipReason::CardDeleted, "c-E001".to_owned())]);
}
