//! Managers, logins and list entries: what refers to other changes of the same plan (RULES 8.1, 9).

use super::world::{World, allowed, change, holds, key, names, row, skips};
use crate::core::model::card::DepartmentMode;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::model::references::card_reference;
use crate::core::plan::{ActionKind, SkipReason};
use crate::core::rules::policy::MissingEntry;

fn login(world: &World, card: &str) -> Option<String> {
    world.cards[&CardId::from(card)]
        .fields
        .text(CardField::TasLoginName)
        .map(str::to_owned)
}

#[test]
fn a_known_manager_is_a_plain_update() {
    let mut world = World::of(2);
    world.hr().set("E001", "mgr", "E002");
    assert_eq!(allowed(&world.run()), ["update c-E001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_new_manager_of_a_newcomer_is_set_in_a_second_pass() {
    let mut world = World::of(60);
    world.hr().rows.push(row("A1").with("mgr", "Z1"));
    world.hr().rows.push(row("Z1").with("mgr", "Z1"));
    world.hr().set("E001", "mgr", "Z1");
    assert_eq!(
        allowed(&world.run()),
        [
            "create A1",
            "create Z1",
            "set_references A1",
            "set_references c-E001",
            "set_references Z1"
        ]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>()
    );
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_manager_whose_create_is_held_holds_the_reference_and_nothing_else() {
    let mut world = World::of(60);
    world.hr().rows.push(row("Z1"));
    world.card("c-keyless", &row("Z1").with("key", ""));
    world.hr().set("E001", "mgr", "Z1");
    world.hr().set("E001", "job", "Nurse");
    let judged = world.judged();
    assert_eq!(allowed(&judged), ["update c-E001"]);
    assert_eq!(holds(&judged, "set_references c-E001"), ["depends_on"]);
}

#[test]
fn an_unknown_or_archived_manager_leaves_the_field() {
    let mut world = World::of(3);
    world.hr().set("E001", "mgr", "NOBODY");
    world.hr().set("E002", "mgr", "E003");
    world.card_mut("c-E003").archived = true;
    world.hr().set("E003", "end", "2026-01-01");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    let unknown = plan
        .skipped
        .iter()
        .filter(|skip| skip.reason == SkipReason::ManagerUnknown);
    assert_eq!(unknown.count(), 2);
    // Where it is asked whether the card wakes, the reference follows the answer.
    world.hr().set("E003", "end", "");
    assert_eq!(names(&world.plan()), ["unarchive c-E003", "set_references c-E002"]);
}

#[test]
fn a_manager_who_is_woken_is_set_after_that() {
    let mut world = World::of(2);
    world.archived_by_us("c-E002");
    world.hr().set("E001", "mgr", "E002");
    assert_eq!(allowed(&world.run()), ["unarchive c-E002", "set_references c-E001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn the_manager_flag_is_set_first_and_only_on_cards_that_may_be_updated() {
    let mut world = World::of(2);
    world.policy.manager_flag = true;
    world.hr().set("E001", "mgr", "E002");
    assert_eq!(allowed(&world.judged()), ["update c-E002", "set_references c-E001"]);
    let mut after = world.clone();
    after.run();
    assert_eq!(names(&after.plan()), Vec::<String>::new());
    // Whatever forbids a change of the manager's card forbids the flag too.
    for what in ["conflict", "scope", "leaves", "protected", "bad", "rejected"] {
        let mut world = world.clone();
        match what {
            "conflict" => world.hr().rows.push(row("E002")),
            "scope" => world.hr().set("E002", "scope", "no"),
            "leaves" => world.hr().set("E002", "status", "left"),
            "protected" => {
                world.policy.protected.keys.insert(key("E002"));
            }
            "bad" => world.hr().set("E002", "job", "BAD"),
            _ => {
                let record = crate::core::reads::snapshot::RejectionScope::Record;
                world.hr().remove("E002");
                world.hr().rejections.push((Some("E002".to_owned()), record));
            }
        }
        assert_eq!(names(&world.plan()), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn a_new_manager_gets_the_flag_with_its_creation() {
    let mut world = World::of(60);
    world.policy.manager_flag = true;
    world.hr().rows.push(row("Z1"));
    world.hr().set("E001", "mgr", "Z1");
    world.run();
    let made = world
        .cards
        .values()
        .find(|card| card.id.as_str().starts_with("z-"))
        .unwrap();
    assert_eq!(made.fields.get(CardField::IsManager), Some(&FieldValue::Flag(true)));
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_login_that_another_card_holds_is_left_out() {
    let mut world = World::of(2);
    world.hr().set("E001", "login", "e002");
    world.hr().set("E001", "job", "Nurse");
    let judged = world.run();
    assert_eq!(allowed(&judged), ["update c-E001"]);
    assert_eq!(skips(&judged.plan), [(SkipReason::LoginHeld, "c-E001".to_owned())]);
    assert_eq!(login(&world, "c-E001").as_deref(), Some("e001"));
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_login_set_free_in_the_same_plan_is_set_after_that() {
    let mut world = World::of(60);
    world.hr().set("E002", "login", "");
    world.hr().set("E001", "login", "E002");
    world.hr().rows.push(row("N1").with("login", "e001"));
    assert_eq!(
        allowed(&world.run()),
        [
            "create N1",
            "update c-E002",
            "set_references c-E001",
            "set_references N1"
        ]
    );
    assert_eq!(login(&world, "c-E001").as_deref(), Some("E002"));
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_chain_of_logins_is_applied_from_its_end_whatever_the_keys() {
    // E001 takes E002's, E002 takes E003's, E003 takes a new one; and the other way round.
    for reverse in [false, true] {
        let mut world = World::of(5);
        let order = if reverse {
            ["E003", "E002", "E001"]
        } else {
            ["E001", "E002", "E003"]
        };
        for (number, of) in order.iter().enumerate() {
            let to = order
                .get(number + 1)
                .map_or("new".to_owned(), |next| next.to_lowercase());
            world.hr().set(of, "login", &to);
        }
        let judged = world.run();
        assert_eq!(judged.approved.changes().len(), 3);
        assert_eq!(login(&world, &format!("c-{}", order[2])).as_deref(), Some("new"));
        assert_eq!(names(&world.plan()), Vec::<String>::new());
    }
}

#[test]
fn logins_wanted_in_a_circle_or_by_two_are_left_out() {
    let mut world = World::of(5);
    world.hr().set("E001", "login", "e002");
    world.hr().set("E002", "login", "e001");
    world.hr().set("E003", "login", "shared");
    world.hr().set("E004", "login", "shared");
    world.hr().set("E005", "login", "e001");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(skips(&plan).len(), 5);
}

#[test]
fn who_waits_for_a_held_change_of_a_login_is_held() {
    let mut world = World::of(5);
    world.operator("o-1", "c-E002", false, crate::core::model::card::OperatorKind::Regular);
    world.hr().set("E002", "login", "");
    world.hr().set("E001", "login", "e002");
    let judged = world.judged();
    assert_eq!(holds(&judged, "set_references c-E001"), ["depends_on"]);
}

#[test]
fn a_held_login_does_not_hold_the_manager() {
    let mut world = World::of(60);
    world.policy.manager_flag = true;
    // E002 gives up the login only if a human says that the number is theirs.
    for (attribute, value) in [("sur", "Else"), ("first", "Somebody"), ("email", ""), ("login", "")] {
        world.hr().set("E002", attribute, value);
    }
    world.hr().set("E001", "login", "e002");
    world.hr().set("E001", "mgr", "E003");
    let judged = world.run();
    assert_eq!(allowed(&judged), ["update c-E003", "set_references c-E001"]);
    assert_eq!(judged.held.len(), 2);
    assert!(world.card_mut("c-E001").fields.get(CardField::Manager).is_some());
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}

#[test]
fn an_adoption_goes_without_a_login_that_another_card_holds() {
    let mut world = World::of(10);
    world.hr().rows.push(row("N1"));
    world.card(
        "c-mail",
        &row("N1").with("key", "").with("login", "other").with("first", "X"),
    );
    world.card(
        "c-login",
        &row("").with("sur", "X").with("login", "n1").with("email", ""),
    );
    let judged = world.judged();
    let fields = change(&judged.plan, "adopt c-mail").action.fields();
    assert!(fields.iter().all(|change| change.field != CardField::TasLoginName));
    world.approve(&judged, |change| {
        change.card.as_ref().is_some_and(|card| card.as_str() == "c-mail")
    });
    assert_eq!(allowed(&world.run()), ["adopt c-mail"]);
}

#[test]
fn an_archived_card_keeps_its_login_where_the_environment_says_so() {
    let mut world = World::of(5);
    world.archived_by_us("c-E002");
    world.hr().remove("E002");
    world.hr().set("E001", "login", "e002");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.policy.archived_logins_reserved = false;
    assert_eq!(allowed(&world.run()), ["update c-E001"]);
}

#[test]
fn a_missing_list_entry_is_made_once_for_all_who_need_it() {
    let mut world = World::of(5);
    world.hr().set("E001", "dept", "New");
    world.hr().set("E002", "dept", " new ");
    world.hr().set("E003", "dept", "sales");
    let judged = world.run();
    assert_eq!(
        allowed(&judged),
        ["create_entry ", "update c-E001", "update c-E002", "update c-E003"]
    );
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn more_list_entries_than_allowed_hold_all_of_them_and_who_needs_them() {
    let mut world = World::of(12);
    for number in 1..=11 {
        world
            .hr()
            .set(&format!("E{number:03}"), "dept", &format!("New {number}"));
    }
    world.hr().set("E012", "dept", "Sales");
    assert_eq!(allowed(&world.judged()), ["update c-E012"]);
}

#[test]
fn an_entry_that_only_a_held_change_needs_waits_with_it() {
    let mut world = World::of(10);
    world.hr().rows.push(row("N1").with("dept", "New"));
    world.card("c-keyless", &row("N1").with("key", ""));
    let judged = world.judged();
    assert_eq!(allowed(&judged), Vec::<String>::new());
    world.approve(&judged, |change| change.action.kind() == ActionKind::Create);
    assert_eq!(allowed(&world.judged()), ["create_entry ", "create N1"]);
}

#[test]
fn a_missing_entry_holds_the_person_or_leaves_the_field_as_configured() {
    let mut world = World::of(2);
    world.hr().set("E001", "branch", "Nowhere");
    world.hr().set("E001", "job", "Nurse");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.rejections.len(), 1);
    world.policy.fields.get_mut(&CardField::Branch).unwrap().missing = MissingEntry::Skip;
    let plan = world.plan();
    assert_eq!(names(&plan), ["update c-E001"]);
    assert_eq!(skips(&plan), [(SkipReason::FieldLeft, "c-E001".to_owned())]);
}

#[test]
fn plain_text_departments_need_no_entry() {
    let mut world = World::of(1);
    world.lookups.department_mode = DepartmentMode::PlainText;
    world.hr().set("E001", "dept", "New");
    assert_eq!(allowed(&world.run()), ["update c-E001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_manager_who_stays_is_no_change_even_when_their_card_is_archived() {
    let mut world = World::of(2);
    let boss = card_reference(&"c-E002".into(), &key("E002"));
    world.set("c-E001", CardField::Manager, Some(FieldValue::Reference(boss)));
    world.hr().set("E001", "mgr", "E002");
    world.archived_by_us("c-E002");
    assert_eq!(allowed(&world.run()), ["unarchive c-E002"]);
}
