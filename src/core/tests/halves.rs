//! One half of a pair stays a question when the other half is done, rejected, or cannot be judged (RULES 8.5).

use super::world::{World, allowed, change, holds, key, names, row};
use crate::core::memory::decision::Answer;
use crate::core::memory::shown::Shown;
use crate::core::model::field::CardField;
use crate::core::plan::ActionKind;
use crate::core::plan::hold::HoldReason;
use crate::core::reads::snapshot::RejectionScope;
use std::collections::BTreeSet;

const ARCHIVE: &str = "archive c-E001";
const CREATE: &str = "create N001";

/// `E001` leaves, and `N001` comes with the same name and address.
fn pair() -> World {
    let mut world = World::of(20);
    world.leaves("E001");
    world
        .hr()
        .rows
        .push(row("E001").with("key", "N001").with("login", "n001"));
    let judged = world.run();
    assert_eq!(names(&judged.plan), [CREATE, "adopt c-E001", ARCHIVE]);
    assert_eq!(holds(&judged, ARCHIVE), ["paired_with"]);
    world
}

fn approve(world: &mut World, kind: ActionKind) {
    let judged = world.judged();
    world.approve(&judged, |change| change.action.kind() == kind);
}

#[test]
fn the_archive_waits_for_its_own_yes_after_the_new_card_was_made() {
    let mut world = pair();
    approve(&mut world, ActionKind::Create);
    assert_eq!(allowed(&world.run()), [CREATE]);
    // Whatever is corrected in the new record.
    for email in ["e001@example.net", "new@example.net"] {
        world.hr().set("N001", "email", email);
        world.run();
        let judged = world.run();
        assert_eq!(holds(&judged, ARCHIVE), ["paired_with"]);
        let told: Vec<String> = judged.held[&change(&judged.plan, ARCHIVE).id]
            .iter()
            .map(HoldReason::explain)
            .collect();
        assert!(told[0].contains("is done (card "), "{told:?}");
    }
    approve(&mut world, ActionKind::Archive);
    assert_eq!(allowed(&world.run()), [ARCHIVE]);
    world.run();
    assert!(world.contact.halves.is_empty(), "both halves are settled");
}

#[test]
fn a_yes_to_both_stands_when_one_is_done_before_the_other() {
    let mut world = pair();
    approve(&mut world, ActionKind::Create);
    approve(&mut world, ActionKind::Archive);
    let judged = world.judged();
    for change in &judged.plan.changes {
        if let Some(decision) = world.decisions.get_mut(&change.id) {
            let mut shown = Shown::default();
            let doubts = change.doubts.iter().map(Shown::of_reason);
            doubts.for_each(|doubt| shown.extend(doubt));
            decision.about.shown = Some(shown);
        }
    }
    world.run_some(|change| change.action.kind() == ActionKind::Create);
    assert_eq!(allowed(&world.run()), [ARCHIVE]);
}

#[test]
fn the_new_card_waits_for_its_own_yes_after_the_archive() {
    let mut world = pair();
    approve(&mut world, ActionKind::Archive);
    assert_eq!(allowed(&world.run()), [ARCHIVE]);
    for email in ["e001@example.net", "new@example.net"] {
        world.hr().set("N001", "email", email);
        world.hr().set("N001", "first", "Corrected");
        let judged = world.run();
        assert!(!holds(&judged, CREATE).is_empty(), "{email}");
    }
    approve(&mut world, ActionKind::Create);
    assert_eq!(allowed(&world.run()), [CREATE]);
}

#[test]
fn the_archive_waits_while_the_other_half_is_rejected_or_cannot_be_judged() {
    let mut world = pair();
    let item = change(&world.plan(), CREATE).id.clone();
    world.decide(&item, Answer::Reject, BTreeSet::new());
    assert_eq!(holds(&world.run(), ARCHIVE), ["paired_with"]);
    world
        .hr()
        .rejections
        .push((Some("N001".to_owned()), RejectionScope::Record));
    world.hr().remove("N001");
    let judged = world.run();
    assert_eq!(names(&judged.plan), [ARCHIVE]);
    assert_eq!(holds(&judged, ARCHIVE), ["paired_with"]);
    assert!(world.contact.halves.iter().any(|(_, number, _)| *number == key("N001")));
    // No record of it any more, by a whole read: a leaver as any other.
    world.hr().rejections.clear();
    assert_eq!(allowed(&world.run()), [ARCHIVE]);
}

#[test]
fn the_pair_ends_when_nobody_leaves_any_more() {
    let mut world = pair();
    world.hr().set("E001", "end", "");
    world.run();
    assert!(world.contact.halves.is_empty());
}

#[test]
fn whoever_chose_a_new_card_has_not_said_that_the_old_one_goes() {
    // The old number has just gone: nothing is archived yet, and the new card is asked about alone.
    let mut world = World::of(20);
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 1, 1);
    world
        .hr()
        .rows
        .push(row("E001").with("key", "N001").with("login", "n001"));
    world.run();
    approve(&mut world, ActionKind::Create);
    assert_eq!(allowed(&world.run()), [CREATE]);
    world.absent("c-E001", "hr", 3, 72);
    assert_eq!(holds(&world.run(), ARCHIVE), ["paired_with"]);
}

#[test]
fn a_card_that_got_the_new_number_is_no_half_any_more() {
    let mut world = pair();
    approve(&mut world, ActionKind::Adopt);
    assert_eq!(allowed(&world.run()), ["adopt c-E001"]);
    world.hr().set("N001", "end", "2026-02-20");
    world.now += chrono::Duration::days(3);
    let since = world.now - chrono::Duration::days(2);
    world.entry("c-E001").leaving_since = Some(since);
    let judged = world.judged();
    assert!(!holds(&judged, ARCHIVE).contains(&"paired_with".to_owned()));
}

#[test]
fn a_leaver_is_no_half_of_their_own_former_new_card() {
    // E001 counts as absent, and N001 comes with the same name and address: a new card beside the old one, or that one?
    let mut world = World::of(20);
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 1, 1);
    world.set_text("c-E001", CardField::EmployeeNumber, "");
    world
        .hr()
        .rows
        .push(row("E001").with("key", "N001").with("login", "n001"));
    world.run();
    assert!(world.contact.halves.iter().any(|(_, number, _)| *number == key("N001")));
    world.hr().set("N001", "end", "2026-02-20");
    world.contact.apart.known.insert(key("N001"));
    for _ in 0..2 {
        let judged = world.run();
        assert_eq!(names(&judged.plan), [ARCHIVE]);
        assert!(!holds(&judged, ARCHIVE).contains(&"paired_with".to_owned()));
    }
    assert!(world.contact.halves.is_empty());
}

#[test]
fn of_two_new_records_of_one_human_the_one_that_can_be_used_waits_for_the_other() {
    let mut world = World::of(20);
    world.hr().rows.push(row("N001"));
    world
        .hr()
        .rows
        .push(row("N001").with("key", "N002").with("login", "n002"));
    for create in ["create N001", "create N002"] {
        assert_eq!(holds(&world.run(), create), ["paired_with"]);
    }
    let good = world.sources.clone();
    type Spoil = fn(&mut World);
    let spoils: [Spoil; 4] = [
        |world| {
            let rejected = (Some("N002".to_owned()), RejectionScope::Record);
            world.hr().remove("N002");
            world.hr().rejections.push(rejected);
        },
        |world| {
            let rejected = (Some("N002".to_owned()), RejectionScope::Fields);
            world.hr().rejections.push(rejected);
        },
        |world| world.hr().set("N002", "status", "?"),
        |world| {
            world.hr().remove("N002");
            world.hr().degrade();
        },
    ];
    for spoil in spoils {
        spoil(&mut world);
        for _ in 0..2 {
            let judged = world.run();
            assert_eq!(names(&judged.plan), ["create N001"]);
            assert_eq!(holds(&judged, "create N001"), ["paired_with"]);
        }
        world.sources = good.clone();
        assert_eq!(holds(&world.run(), "create N001"), ["paired_with"]);
    }
    // Somebody looks: this one it is.
    world.hr().set("N002", "status", "?");
    world.run();
    approve(&mut world, ActionKind::Create);
    assert_eq!(allowed(&world.run()), ["create N001"]);
    // By a whole read nobody has the other number any more.
    let mut other = World::of(20);
    (other.sources, other.contact) = (good, world.contact.clone());
    other.run();
    other.hr().remove("N002");
    assert_eq!(allowed(&other.run()), ["create N001"]);
}
