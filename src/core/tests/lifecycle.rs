//! Evidence of leaving of somebody who is in the sources (RULES 4), and the operator that goes along (RULES 6).

use super::world::{World, allowed, change, holds, names, row, skips};
use crate::core::model::card::{FilterProof, OperatorKind, OperatorLink};
use crate::core::plan::{EvidenceCode, SkipReason, Step};
use crate::core::rules::policy::{BudgetClass, RehireOperator};
use chrono::Duration;

#[test]
fn a_date_in_the_past_is_evidence_once_it_has_held() {
    let mut world = World::of(1);
    // The world's today is 2 March in Amsterdam; evidence must hold for 24 hours.
    world.hr().set("E001", "end", "2026-03-02");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.hr().set("E001", "end", "2026-03-01");
    assert_eq!(
        skips(&world.run().plan),
        [(SkipReason::LeavingLater, "c-E001".to_owned())]
    );
    world.now += Duration::days(1);
    let plan = world.plan();
    assert_eq!(names(&plan), ["archive c-E001"]);
    assert_eq!(
        change(&plan, "archive c-E001").evidence[0].code,
        EvidenceCode::LeaverCondition
    );
}

#[test]
fn evidence_without_a_date_is_counted_from_the_first_run_that_saw_it() {
    let mut world = World::of(1);
    world.hr().set("E001", "status", "left");
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
    world.now += Duration::hours(23);
    assert_eq!(allowed(&world.run()), Vec::<String>::new());
    world.now += Duration::hours(1);
    assert_eq!(allowed(&world.run()), ["archive c-E001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn an_end_date_to_come_shows_as_leaves_on() {
    let mut world = World::of(1);
    // The condition is `end < today`.
    for (end, shown) in [
        ("2026-03-02", Some("2026-03-03")),
        ("2026-05-20", Some("2026-05-21")),
        ("2026-05-30", Some("2026-05-31")),
        ("2026-06-30", None),
        ("2027-01-01", None),
        ("", None),
    ] {
        world.hr().set("E001", "end", end);
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new());
        let skip = plan.skipped.first().map(|skip| (skip.reason, skip.detail.as_str()));
        let detail = shown.map(|date| format!("leaves on {date}; the card is archived 24 hours later at the earliest"));
        assert_eq!(
            skip,
            detail.as_deref().map(|detail| (SkipReason::LeavesOn, detail)),
            "{end}"
        );
    }
}

#[test]
fn evidence_that_went_away_starts_anew() {
    let mut world = World::of(1);
    world.hr().set("E001", "status", "left");
    world.run();
    world.hr().set("E001", "status", "");
    world.run();
    world.now += Duration::days(3);
    world.hr().set("E001", "status", "left");
    assert_eq!(names(&world.run().plan), Vec::<String>::new());
}

#[test]
fn blanks_sentinels_and_text_are_never_true() {
    for end in ["", "0000-00-00", "soon", "31-12-2025"] {
        let mut world = World::of(1);
        world.hr().set("E001", "end", end);
        assert_eq!(names(&world.plan()), Vec::<String>::new(), "{end}");
    }
}

#[test]
fn an_unknown_condition_archives_nobody_wakes_nobody_and_creates_nobody() {
    let mut world = World::of(2);
    world.archived_by_us("c-E002");
    world.hr().rows.push(row("E003").with("status", "?"));
    world.hr().set("E001", "status", "?");
    world.hr().set("E002", "status", "?");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(
        plan.skipped
            .iter()
            .all(|skip| skip.reason == SkipReason::LeavingUnknown)
    );
    assert_eq!(plan.skipped.len(), 3);
}

#[test]
fn a_leaver_gets_no_field_updates_and_is_never_created() {
    let mut world = World::of(2);
    world.leaves("E001");
    world.hr().set("E002", "end", "2026-03-01");
    for number in ["E001", "E002"] {
        world.hr().set(number, "job", "Nurse");
    }
    world.hr().rows.push(row("E003").with("end", "2026-01-01"));
    let plan = world.plan();
    assert_eq!(names(&plan), ["archive c-E001"]);
    assert!(skips(&plan).contains(&(SkipReason::LeftWithoutCard, "E003".to_owned())));
}

#[test]
fn an_archive_that_takes_an_operator_along_waits() {
    let mut world = World::of(5);
    world.leaves("E001");
    world.leaves("E002");
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    world.operator("o-2", "c-E002", true, OperatorKind::Regular);
    let judged = world.run();
    assert_eq!(holds(&judged, "archive c-E001"), ["over_budget:operators"]);
    assert_eq!(
        allowed(&judged),
        ["archive c-E002"],
        "an archived operator is not taken along"
    );
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.run()), ["archive c-E001"]);
}

#[test]
fn waking_an_operator_waits() {
    let mut world = World::of(2);
    for (card, operator) in [("c-E001", "o-1"), ("c-E002", "o-2")] {
        world.archived_by_us(card);
        world.operator(operator, card, true, OperatorKind::Regular);
    }
    world.operator("o-3", "c-E002", false, OperatorKind::Regular);
    let judged = world.judged();
    assert_eq!(holds(&judged, "unarchive c-E001"), ["over_budget:operators_woken"]);
    assert_eq!(
        holds(&judged, "unarchive c-E002"),
        ["over_budget:operators_woken"],
        "one of two sleeps"
    );
}

/// Somebody who is back, whose card was archived by us with the operator `o-1` beside `o-2`, which a human had archived.
fn back_with(operator: RehireOperator, others: bool) -> World {
    let mut world = World::of(60);
    world.policy.rehire_operator = operator;
    world.archived_by_us("c-E001");
    world.operator("o-1", "c-E001", true, OperatorKind::Regular);
    let ours = world.entry("c-E001").archived_by_us.as_mut().unwrap();
    ours.took_operators = vec!["o-1".into()];
    if others {
        world.operator("o-2", "c-E001", true, OperatorKind::Regular);
    }
    world
}

#[test]
fn an_operator_that_is_kept_archived_needs_no_approval_where_putting_it_back_is_proven() {
    let judged = back_with(RehireOperator::KeepArchived, false).judged();
    assert_eq!(allowed(&judged), ["unarchive c-E001"]);
    let unarchive = change(&judged.plan, "unarchive c-E001");
    assert_eq!(unarchive.keeps_archived(), ["o-1".into()]);
    let judged = back_with(RehireOperator::KeepArchived, true).judged();
    assert_eq!(
        holds(&judged, "unarchive c-E001"),
        ["over_budget:operators_woken"],
        "nobody knows whether o-2 can be put back"
    );
    // What was archived by us at an earlier leaving counts as well.
    let mut world = back_with(RehireOperator::KeepArchived, false);
    let entry = world.entry("c-E001");
    entry.archived_by_us.as_mut().unwrap().took_operators.clear();
    entry.archived_operators.insert("o-1".into());
    assert_eq!(allowed(&world.judged()), ["unarchive c-E001"]);
}

#[test]
fn an_operator_is_restored_only_with_an_approval_and_only_if_we_archived_it() {
    let judged = back_with(RehireOperator::Restore, true).judged();
    assert_eq!(holds(&judged, "unarchive c-E001"), ["over_budget:operators_woken"]);
    let unarchive = change(&judged.plan, "unarchive c-E001");
    let steps: Vec<&'static str> = unarchive.steps().iter().map(step_name).collect();
    assert_eq!(steps, ["unarchive card", "archive operator", "unarchive operator"]);
    assert_eq!(unarchive.keeps_archived(), ["o-2".into()]);
    // Where a human decides, nothing is said of the operators, and the item is the same as ever.
    let judged = back_with(RehireOperator::Hold, true).judged();
    let unarchive = change(&judged.plan, "unarchive c-E001");
    assert!(unarchive.keeps_archived().is_empty());
    assert_eq!(
        serde_json::to_value(&unarchive.action).unwrap(),
        serde_json::json!({ "do": "unarchive" })
    );
}

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::UnarchiveCard { .. } => "unarchive card",
        Step::ArchiveOperator { .. } => "archive operator",
        Step::UnarchiveOperator { .. } => "unarchive operator",
        Step::ArchiveCard { .. }
        | Step::SetLoginPermission { .. }
        | Step::CreateEntry { .. }
        | Step::CreateCard { .. }
        | Step::PatchCard { .. } => "another",
    }
}

#[test]
fn a_leaver_is_disarmed_in_the_same_item_and_stays_that_item_once_it_is() {
    let mut world = World::of(60);
    world.hr().set("E001", "status", "left");
    world.hr().set("E002", "status", "left");
    for card in ["c-E001", "c-E002"] {
        world.entry(card).leaving_since = Some(world.now - Duration::hours(48));
    }
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    let before = world.plan();
    world.policy.disarm = true;
    let judged = world.judged();
    assert_eq!(holds(&judged, "archive c-E001"), ["over_budget:operators"]);
    let archive = change(&judged.plan, "archive c-E001");
    assert_eq!(archive.steps().len(), 2);
    assert_ne!(archive.id, change(&before, "archive c-E001").id, "another item");
    // Nobody without an operator is concerned.
    let other = change(&judged.plan, "archive c-E002");
    assert_eq!(other.id, change(&before, "archive c-E002").id);
    assert_eq!(other.steps().len(), 1);
    // Cut off after the first request, it is the same item, and its approval holds.
    world.operators.get_mut(&"o-1".into()).unwrap().login_permission = Some(false);
    assert_eq!(change(&world.plan(), "archive c-E001").id, archive.id);
}

#[test]
fn an_operator_must_be_proven_absent() {
    for filters in [FilterProof::Unreadable, FilterProof::Present(vec!["branch".into()])] {
        let mut world = World::of(2);
        world.filters = filters;
        world.leaves("E001");
        world.archived_by_us("c-E002");
        let judged = world.judged();
        assert_eq!(holds(&judged, "archive c-E001"), ["operator_unproven"]);
        assert_eq!(holds(&judged, "unarchive c-E002"), ["operator_unproven"]);
        assert_eq!(change(&judged.plan, "archive c-E001").operator, OperatorLink::Unproven);
        // An archived operator that is seen says nothing about an active one that is not.
        world.operator("o-1", "c-E001", true, OperatorKind::Regular);
        assert_eq!(holds(&world.judged(), "archive c-E001"), ["operator_unproven"]);
    }
}

#[test]
fn clearing_a_login_or_email_of_an_operator_waits() {
    for attribute in ["login", "email"] {
        let mut world = World::of(1);
        world.operator("o-1", "c-E001", false, OperatorKind::Regular);
        world.hr().set("E001", attribute, "");
        let judged = world.judged();
        assert_eq!(holds(&judged, "update c-E001"), ["over_budget:operators"]);
        assert!(
            change(&judged.plan, "update c-E001")
                .classes()
                .contains(&BudgetClass::Operators)
        );
    }
}

#[test]
fn clearing_a_login_waits_while_the_operator_is_unproven() {
    let mut world = World::of(1);
    world.filters = FilterProof::Unreadable;
    world.hr().set("E001", "login", "");
    assert_eq!(holds(&world.judged(), "update c-E001"), ["operator_unproven"]);
}

#[test]
fn a_degraded_read_of_topdesk_allows_updates_only() {
    let mut world = World::of(3);
    world.target_findings.push(crate::core::reads::snapshot::Finding::new(
        "page_shifted",
        crate::core::reads::snapshot::Effect::NoAbsence,
        "",
        "",
    ));
    world.leaves("E001");
    world.archived_by_us("c-E002");
    world.hr().set("E003", "job", "Nurse");
    world.hr().rows.push(row("E004"));
    let judged = world.judged();
    assert_eq!(allowed(&judged), ["update c-E003"]);
    for held in ["archive c-E001", "unarchive c-E002", "create E004"] {
        assert!(holds(&judged, held).contains(&"target_degraded".to_owned()), "{held}");
    }
}

#[test]
fn a_rejected_read_of_topdesk_allows_nothing() {
    let mut world = World::of(1);
    world.target_findings.push(crate::core::reads::snapshot::Finding::new(
        "cut_off",
        crate::core::reads::snapshot::Effect::Reject,
        "",
        "",
    ));
    world.hr().set("E001", "job", "Nurse");
    world.hr().set("E001", "dept", "New");
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}
