//! Whose write it was: an archive is ours only while nobody has touched the card since, cards with our signature that this
//! store does not know hold what could do harm, and what was entered in TOPdesk is told from what the source changed.

use super::world::{World, allowed, change, holds, key, names, row};
use crate::core::memory::decision::Answer;
use crate::core::memory::ledger::LastWrite;
use crate::core::model::field::CardField;
use crate::core::plan::{HoldReason, Plan};
use chrono::Duration;
use std::collections::BTreeSet;

#[test]
fn an_archive_that_somebody_else_signed_since_is_not_ours() {
    let mut world = World::of(1);
    world.archived_by_us("c-E001");
    let ours = world.entry("c-E001").archived_by_us.as_mut().expect("archived");
    ours.modifier = Some("own".into());
    world.card_mut("c-E001").modifier = Some("own".into());
    assert_eq!(allowed(&world.judged()), ["unarchive c-E001"]);
    world.card_mut("c-E001").modifier = Some("somebody".into());
    assert_eq!(holds(&world.judged(), "unarchive c-E001"), ["archived_by_hand"]);
}

/// One leaver, one newcomer, and a card that cardsync's account made and this store does not know.
fn another_cardsync() -> World {
    let mut world = World::of(20);
    world.leaves("E001");
    world.hr().set("E002", "job", "Nurse");
    world.hr().rows.push(row("N001"));
    world.card("c-strange", &row("X9"));
    world.card_mut("c-strange").creator = Some("OWN".into());
    world
}

fn strange(plan: &Plan) -> &HoldReason {
    let doubts = plan.changes.iter().flat_map(|change| &change.doubts);
    let mut found = doubts.filter(|doubt| matches!(doubt, HoldReason::StrangeWrites { .. }));
    found.next().expect("strange writes")
}

#[test]
fn a_card_of_our_account_that_the_store_does_not_know_holds_creates_and_archives() {
    let mut world = another_cardsync();
    let judged = world.run();
    assert_eq!(allowed(&judged), ["update c-E002"]);
    assert_eq!(holds(&judged, "create N001"), ["strange_writes"]);
    assert_eq!(holds(&judged, "archive c-E001"), ["strange_writes"]);
    assert!(strange(&judged.plan).explain().contains("1 card bears"));
    let target = judged.plan.snapshots.last().expect("topdesk");
    let item = target.acceptance.clone().expect("something to approve");
    // That the card has become known meanwhile settles nothing.
    world.hr().rows.push(row("X9"));
    world.run();
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
    world.decide(&item, Answer::Approve, BTreeSet::from(["snapshot".to_owned()]));
    assert_eq!(allowed(&world.run()), ["create N001", "archive c-E001"]);
    world.decisions.clear();
    world.hr().rows.push(row("N002"));
    assert_eq!(allowed(&world.run()), ["create N002"], "accepted once is accepted");
    world.card("c-stranger", &row("X10"));
    world.card_mut("c-stranger").creator = Some("own".into());
    world.hr().rows.push(row("N003"));
    assert_eq!(holds(&world.judged(), "create N003"), ["strange_writes"]);
}

#[test]
fn cards_of_others_and_answers_that_were_lost_are_nothing_strange() {
    let mut world = another_cardsync();
    world.card_mut("c-strange").creator = Some("somebody".into());
    assert_eq!(allowed(&world.judged()).len(), 3);
    let mut world = another_cardsync();
    world.in_doubt.insert(key("X9"));
    assert_eq!(allowed(&world.judged()).len(), 3);
    let mut world = another_cardsync();
    world.writes.in_doubt.insert("c-strange".into());
    assert_eq!(allowed(&world.judged()).len(), 3);
}

#[test]
fn a_store_that_was_put_back_is_older_than_our_own_last_write() {
    let mut world = World::of(20);
    world.leaves("E001");
    let written = world.now - Duration::days(2);
    world.writes.last = Some(LastWrite {
        modifier: Some("Actor-7".into()),
        modified_at: written,
    });
    let card = world.card_mut("c-E003");
    card.modifier = Some("actor-7".into());
    card.modified_at = Some(written);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    world.card_mut("c-E003").modified_at = Some(written + Duration::hours(1));
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["strange_writes"]);
    world.card_mut("c-E003").modifier = Some("somebody".into());
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
}

#[test]
fn a_write_whose_answer_was_lost_and_that_was_settled_is_ours() {
    let mut world = World::of(20);
    world.leaves("E001");
    let answered = world.now - Duration::days(2);
    let settled = answered + Duration::hours(5);
    world.writes.last = Some(LastWrite {
        modifier: Some("own".into()),
        modified_at: answered,
    });
    let card = world.card_mut("c-E003");
    card.modifier = Some("own".into());
    card.modified_at = Some(settled);
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["strange_writes"]);
    // Also where an earlier version of cardsync took it for another one's: that waits no longer.
    world.run();
    world.writes.settled.insert("c-E003".into(), settled);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    // It explains that card, as it was then, and no other.
    world.card_mut("c-E003").modified_at = Some(settled + Duration::hours(1));
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["strange_writes"]);
    world.card_mut("c-E003").modified_at = Some(settled);
    let other = world.card_mut("c-E004");
    other.modifier = Some("own".into());
    other.modified_at = Some(settled);
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["strange_writes"]);
}

#[test]
fn what_was_entered_in_topdesk_is_told_from_what_the_source_changed() {
    let mut world = World::of(20);
    world.hr().set("E001", "job", "Clerk");
    world.set_text("c-E001", CardField::JobTitle, "Clerk");
    world.hr().set("E002", "job", "Clerk");
    world.set_text("c-E002", CardField::JobTitle, "Clerk");
    assert_eq!(names(&world.run().plan), Vec::<String>::new());
    assert_eq!(world.plan().ledger, Vec::new(), "what is in step is remembered once");
    world.set_text("c-E001", CardField::JobTitle, "Chief");
    world.card_mut("c-E001").modified_at = Some(world.now);
    world.hr().set("E002", "job", "Nurse");
    let plan = world.plan();
    let by_hand = BTreeSet::from([CardField::JobTitle]);
    assert_eq!(change(&plan, "update c-E001").overwrites, by_hand);
    assert_eq!(change(&plan, "update c-E002").overwrites, BTreeSet::new());
}
