//! What passes and what waits (RULES 8).

use super::world::{World, allowed, change, holds, name, names, row};
use crate::core::memory::decision::{Answer, SetAside};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::plan::{Action, ActionKind, HoldReason};
use chrono::Duration;

fn leave(world: &mut World, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        world.leaves(&format!("E{number:03}"));
    }
}

#[test]
fn a_class_over_its_limit_is_held_whole_and_everything_else_goes_on() {
    let mut world = World::of(100);
    leave(&mut world, 1..=3);
    assert_eq!(allowed(&world.judged()).len(), 3);
    leave(&mut world, 1..=4);
    world.hr().set("E050", "job", "Nurse");
    let judged = world.judged();
    assert_eq!(allowed(&judged), ["update c-E050"]);
    let reason = &judged.held[&change(&judged.plan, "archive c-E001").id][0];
    assert!(
        matches!(
            reason,
            HoldReason::OverBudget {
                count: 4,
                limit: 3,
                base: 100,
                ..
            }
        ),
        "{reason:?}"
    );
}

#[test]
fn names_and_blanked_fields_have_budgets_of_their_own() {
    let mut world = World::of(100);
    for number in 1..=4 {
        world.hr().set(&format!("E{number:03}"), "sur", "Married");
        world.hr().set(&format!("E{:03}", number + 10), "email", "");
        world.hr().set(&format!("E{:03}", number + 20), "job", "Nurse");
    }
    world.hr().set("E050", "login", "");
    let judged = world.judged();
    assert_eq!(holds(&judged, "update c-E001"), ["over_budget:names"]);
    assert_eq!(holds(&judged, "update c-E011"), ["over_budget:blanked_fields:email"]);
    assert_eq!(
        allowed(&judged),
        [
            "update c-E021",
            "update c-E022",
            "update c-E023",
            "update c-E024",
            "update c-E050"
        ]
    );
}

#[test]
fn an_approval_lets_exactly_its_item_pass() {
    let mut world = World::of(100);
    leave(&mut world, 1..=5);
    world.approve(&world.judged(), |change| name(change) == "archive c-E002");
    assert_eq!(allowed(&world.judged()), ["archive c-E002"]);
    // Four of limit three, one approved: that does not let the other three pass.
    let mut world = World::of(100);
    leave(&mut world, 1..=4);
    world.approve(&world.judged(), |change| name(change) == "archive c-E002");
    assert_eq!(allowed(&world.judged()), ["archive c-E002"]);
}

#[test]
fn an_approval_waives_only_what_was_shown() {
    let mut world = World::of(5);
    leave(&mut world, 1..=1);
    world.filters = crate::core::model::card::FilterProof::Unreadable;
    let judged = world.judged();
    assert_eq!(holds(&judged, "archive c-E001"), ["operator_unproven"]);
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    world.contact.seen.as_mut().unwrap().config_hash = "older".to_owned();
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["config_changed"]);
}

#[test]
fn an_approval_expires_and_is_void_for_a_changed_item() {
    let mut world = World::of(5);
    leave(&mut world, 1..=1);
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    world.approve(&world.judged(), |_| true);
    let mut later = world.clone();
    later.now += Duration::days(7);
    assert_eq!(allowed(&later.judged()), Vec::<String>::new());
    assert_eq!(allowed(&world.judged()), ["archive c-E001"]);
    world.operator("o-2", "c-E001", false, OperatorKind::Regular);
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}

#[test]
fn a_rejection_holds_the_item_and_frees_the_budget() {
    let mut world = World::of(100);
    leave(&mut world, 1..=4);
    let item = change(&world.plan(), "archive c-E001").id.clone();
    world.decide(&item, Answer::Reject, Default::default());
    let judged = world.judged();
    assert_eq!(allowed(&judged).len(), 3);
    assert!(holds(&judged, "archive c-E001").contains(&"rejected".to_owned()));
}

#[test]
fn who_already_leaves_at_first_contact_waits_until_approved() {
    let mut world = World::of(100);
    world.contact = Default::default();
    leave(&mut world, 1..=1);
    world.hr().set("E002", "status", "left");
    world.hr().set("E003", "job", "Nurse");
    let judged = world.run();
    assert_eq!(allowed(&judged), ["update c-E003"]);
    assert_eq!(holds(&judged, "archive c-E001"), ["first_contact"]);
    // Two days later the second one is ripe: a baseline leaver all the same. Who leaves since is none.
    world.now += Duration::days(2);
    leave(&mut world, 5..=5);
    let judged = world.run();
    assert_eq!(allowed(&judged), ["archive c-E005"]);
    assert_eq!(holds(&judged, "archive c-E002"), ["first_contact"]);
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.run()), ["archive c-E001", "archive c-E002"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.run();
    assert!(world.contact.waiting.is_empty());
}

#[test]
fn what_first_contact_brought_is_settled_by_being_done_and_not_by_half_of_it() {
    let mut world = World::of(100);
    world.contact = Default::default();
    for number in 1..=9 {
        world.hr().set(&format!("E{number:03}"), "job", "Nurse");
    }
    let judged = world.run();
    assert_eq!(holds(&judged, "update c-E001"), ["first_contact"], "a mass of updates");
    let one = change(&judged.plan, "update c-E001").id.clone();
    assert_eq!(judged.contact.settled(&judged.plan, &[]), None);
    let settled = judged
        .contact
        .settled(&judged.plan, std::slice::from_ref(&one))
        .expect("one is done");
    assert_eq!(settled.waiting.len(), judged.contact.waiting.len() - 1);
    // Its manager is a change of its own in the same place, and is not done.
    let mut plan = judged.plan.clone();
    let mut second = change(&plan, "update c-E001").clone();
    second.id = "another".into();
    second.action = Action::SetReferences { fields: Vec::new() };
    plan.changes.push(second);
    assert_eq!(judged.contact.settled(&plan, std::slice::from_ref(&one)), None);
    assert!(judged.contact.settled(&plan, &[one, "another".into()]).is_some());
}

#[test]
fn who_is_missing_at_a_changed_configuration_waits_until_approved() {
    let mut world = World::of(20);
    world.contact.seen.as_mut().unwrap().config_hash = "older".to_owned();
    world.hr().remove("E001");
    for _ in 0..3 {
        world.hr().generation += 1;
        world.now += Duration::days(1);
        world.run();
    }
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["config_changed"]);
}

#[test]
fn what_waits_is_not_settled_by_a_run_that_cannot_judge_it() {
    for what in [
        "scope",
        "odd scope",
        "odd status",
        "conflict",
        "rejected",
        "protected",
        "two cards",
        "drift",
        "later",
    ] {
        let mut world = World::of(20);
        world.contact = Default::default();
        leave(&mut world, 1..=1);
        world.run();
        let mut disturbed = world.clone();
        match what {
            "scope" => disturbed.hr().set("E001", "scope", "no"),
            "odd scope" => disturbed.hr().set("E001", "scope", "?"),
            "odd status" => disturbed.hr().set("E001", "status", "?"),
            "conflict" => disturbed.hr().rows.push(row("E001")),
            "rejected" => {
                disturbed.hr().remove("E001");
                let record = crate::core::reads::snapshot::RejectionScope::Record;
                disturbed.hr().rejections.push((Some("E001".to_owned()), record));
            }
            "protected" => {
                disturbed.policy.protected.cards.insert("c-E001".into());
            }
            "two cards" => disturbed.card("c-twin", &row("E001")),
            "drift" => {
                disturbed.hr().remove("E001");
                disturbed.set_text("c-E001", CardField::EmployeeNumber, "");
            }
            _ => disturbed.hr().set("E001", "end", "2026-03-01"),
        }
        world.contact = disturbed.run().contact;
        assert_eq!(holds(&world.judged(), "archive c-E001"), ["first_contact"], "{what}");
    }
    let mut world = World::of(20);
    world.contact = Default::default();
    leave(&mut world, 1..=1);
    world.run();
    world.hr().set("E001", "end", "");
    world.run();
    leave(&mut world, 1..=1);
    assert_eq!(
        allowed(&world.judged()),
        ["archive c-E001"],
        "stayed for a while: a new leaver"
    );
}

#[test]
fn a_degraded_look_does_not_make_a_configuration_known() {
    let mut world = World::of(20);
    world.contact = Default::default();
    world.hr().degrade();
    assert_eq!(world.run().contact.seen, None);
}

#[test]
fn a_new_decision_version_holds_like_a_changed_configuration() {
    let mut world = World::of(20);
    leave(&mut world, 1..=1);
    world.contact.seen.as_mut().unwrap().decision_version += 1;
    assert_eq!(holds(&world.judged(), "archive c-E001"), ["decision_changed"]);
}

#[test]
fn a_configuration_that_changes_many_cards_waits() {
    let mut world = World::of(20);
    world.contact.seen.as_mut().unwrap().config_hash = "older".to_owned();
    for number in 1..=3 {
        world.hr().set(&format!("E{number:03}"), "job", "Nurse");
    }
    assert_eq!(allowed(&world.judged()).len(), 3);
    world.hr().set("E004", "job", "Nurse");
    assert_eq!(allowed(&world.judged()).len(), 0);
    world.run();
    assert_eq!(
        allowed(&world.judged()).len(),
        0,
        "the next run changes nothing about that"
    );
}

#[test]
fn a_reference_that_waits_does_not_pass_as_an_update_of_the_next_run() {
    let mut world = World::of(20);
    world.policy.manager_flag = true;
    world.contact.seen.as_mut().unwrap().config_hash = "older".to_owned();
    for number in 1..=4 {
        world.hr().set(&format!("E{number:03}"), "mgr", "E010");
    }
    world.approve(&world.judged(), |change| name(change) == "update c-E010");
    assert_eq!(allowed(&world.run()), ["update c-E010"]);
    let judged = world.judged();
    assert_eq!(names(&judged.plan).len(), 4);
    assert_eq!(holds(&judged, "update c-E001"), ["config_changed"]);
}

#[test]
fn a_baseline_is_shown_the_budget_it_will_meet_and_does_not_use_up_that_of_others() {
    let mut world = World::of(100);
    world.contact = Default::default();
    leave(&mut world, 1..=10);
    let judged = world.run();
    assert_eq!(
        holds(&judged, "archive c-E001"),
        ["over_budget:archive", "first_contact"]
    );
    leave(&mut world, 11..=12);
    assert_eq!(allowed(&world.judged()), ["archive c-E011", "archive c-E012"]);
    // An approval of the baseline alone does not open the gate for all of it.
    let items: Vec<_> = judged.plan.changes.iter().map(|change| change.id.clone()).collect();
    for item in &items {
        world.decide(item, Answer::Approve, ["first_contact".to_owned()].into());
    }
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
    world.approve(&judged, |_| true);
    assert_eq!(
        allowed(&world.judged()).len(),
        10,
        "those that nobody approved wait for the next run"
    );
}

#[test]
fn nothing_outside_the_plan_passes_and_selecting_takes_dependents_along() {
    let mut world = World::of(60);
    world.hr().rows.push(row("Z1"));
    world.hr().set("E001", "mgr", "Z1");
    let judged = world.judged();
    assert_eq!(allowed(&judged), ["create Z1", "set_references c-E001"]);
    let kept = judged
        .approved
        .keep(|change| change.action.kind() != ActionKind::Create);
    assert!(kept.changes().is_empty());
}

#[test]
fn ids_do_not_move_with_time_and_counters() {
    let mut world = World::of(20);
    leave(&mut world, 1..=1);
    world.hr().remove("E002");
    world.absent("c-E002", "hr", 2, 72);
    let before = world.plan();
    world.now += Duration::days(3);
    world.hr().generation += 5;
    world.absent("c-E002", "hr", 3, 300);
    world.entry("c-E001").leaving_since = Some(world.now - Duration::days(2));
    let after = world.plan();
    let ids = |plan: &crate::core::plan::Plan| plan.changes.iter().map(|change| change.id.clone()).collect::<Vec<_>>();
    assert_eq!(names(&before), ["archive c-E001", "archive c-E002"]);
    assert_eq!(ids(&before), ids(&after));
}

#[test]
fn what_was_set_aside_waits_for_a_decision_made_after_it() {
    let mut world = World::of(20);
    leave(&mut world, 1..=2);
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    world.approve(&world.judged(), |change| name(change) == "archive c-E001");
    assert_eq!(allowed(&world.judged()), ["archive c-E001", "archive c-E002"]);
    for reason in [
        HoldReason::OperatorArchiveRefused,
        HoldReason::ChangedSinceJudged {
            what: "the card was found archived".to_owned(),
        },
    ] {
        let item = change(&world.plan(), "archive c-E001").id.clone();
        world.now += Duration::minutes(1);
        let aside = SetAside {
            reason: reason.clone(),
            at: world.now,
        };
        world.set_aside.insert(item, aside);
        let again = world.judged();
        assert_eq!(
            allowed(&again),
            ["archive c-E002"],
            "what was approved before was refused"
        );
        assert_eq!(holds(&again, "archive c-E001"), [reason.code()]);
        world.now += Duration::minutes(1);
        // The approval replaces the one before, and waives what that one did as well.
        let item = change(&again.plan, "archive c-E001").id.clone();
        let mut waives = world.decisions[&item].waives.clone();
        waives.insert(reason.code());
        world.decide(&item, Answer::Approve, waives);
        assert_eq!(allowed(&world.judged()), ["archive c-E001", "archive c-E002"]);
    }
    // Another item of the same card has not been refused.
    world.operator("o-2", "c-E001", false, OperatorKind::Regular);
    assert!(!holds(&world.judged(), "archive c-E001").contains(&"changed_since_judged".to_owned()));
}

#[test]
fn an_approval_ends_when_somebody_else_changes_the_card_after_it() {
    let mut world = World::of(20);
    leave(&mut world, 1..=1);
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    world.approve(&world.judged(), |_| true);
    let decided = world.now;
    for (modifier, seconds, passes) in [
        (Some("somebody"), -1, true),
        (Some("somebody"), 1, false),
        (None, 1, false),
        (Some("OWN"), 1, true),
    ] {
        let card = world.card_mut("c-E001");
        card.modifier = modifier.map(Into::into);
        card.modified_at = Some(decided + Duration::seconds(seconds));
        assert_eq!(
            allowed(&world.judged()).len(),
            usize::from(passes),
            "{modifier:?} {seconds}"
        );
    }
    world.card_mut("c-E001").modifier = Some("somebody".into());
    let judged = world.judged();
    assert!(holds(&judged, "archive c-E001").contains(&"approval_ended".to_owned()));
    world.now += Duration::minutes(1);
    world.approve(&judged, |_| true);
    assert_eq!(
        allowed(&world.judged()),
        ["archive c-E001"],
        "approved again, with the change known"
    );
}

#[test]
fn the_view_tells_what_is_held_and_why() {
    let mut world = World::of(5);
    leave(&mut world, 1..=1);
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    let view = world.judged().view();
    let count = view.summary[&ActionKind::Archive];
    assert_eq!((count.total, count.allowed, count.held, count.operators), (1, 0, 1, 1));
    assert_eq!(view.changes[0].person_id, Some(CardId::from("c-E001")));
    assert!(view.changes[0].holds[0].message.contains("limit 0"));
}

#[test]
fn an_approval_outlives_the_list_entry_that_others_needed_too() {
    let mut world = World::of(20);
    world.hr().rows.push(row("N1").with("dept", " new"));
    world.card("c-keyless", &row("N1").with("key", ""));
    world.hr().set("E001", "dept", "New");
    world.approve(&world.judged(), |change| change.action.kind() == ActionKind::Adopt);
    // Something else holds it in this run; the entry is made for the other person.
    world.in_doubt.insert(super::world::key("N1"));
    assert_eq!(allowed(&world.run()), ["create_entry ", "update c-E001"]);
    world.in_doubt.clear();
    assert_eq!(allowed(&world.run()), ["adopt c-keyless"]);
}

#[test]
fn what_a_degraded_first_look_held_stays_held() {
    let mut world = World::of(20);
    world.contact = Default::default();
    world.hr().degrade();
    for number in 1..=4 {
        world.hr().set(&format!("E{number:03}"), "job", "Nurse");
    }
    world.approve(&world.judged(), |change| name(change) == "update c-E001");
    assert_eq!(allowed(&world.run()), ["update c-E001"]);
    assert_eq!(
        allowed(&world.run()),
        Vec::<String>::new(),
        "three are few, but they waited before"
    );
}
