//! Nobody is created twice (RULES 2), and what may be theirs already is offered to a human (RULES 1.1).

use super::world::{World, allowed, change, holds, names, row};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::model::record::Anchor;
use crate::core::plan::{Action, ActionKind, Change, Drift, HoldReason};
use crate::core::rules::policy::{FieldPolicy, FieldRules, MissingEntry};
use chrono::Duration;

fn with_newcomer() -> World {
    let mut world = World::of(10);
    world.hr().rows.push(row(" n001 "));
    world
}

fn flag(world: &World, field: CardField) -> Option<FieldValue> {
    let plan = world.plan();
    let fields = change(&plan, "create N001").action.fields().to_vec();
    fields
        .into_iter()
        .find(|change| change.field == field)
        .and_then(|change| change.to)
}

#[test]
fn a_newcomer_is_created_with_the_sources_key_trimmed_and_both_flags() {
    let mut world = with_newcomer();
    let key = Some(FieldValue::Text("n001".into()));
    assert_eq!(flag(&world, CardField::EmployeeNumber), key);
    world.policy.has_ssp_access = false;
    assert_eq!(flag(&world, CardField::HasSspAccess), Some(FieldValue::Flag(false)));
    assert_eq!(flag(&world, CardField::IsCaller), Some(FieldValue::Flag(true)));
    assert_eq!(allowed(&world.run()), ["create N001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_key_too_long_is_a_rejection_and_not_a_cut_key() {
    let mut world = World::of(1);
    world.hr().rows.push(row("N00000000000000000001"));
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.rejections.len(), 1);
    assert!(plan.rejections[0].key.is_some());
}

#[test]
fn anonymized_cards_are_never_matched_or_offered() {
    let mut world = with_newcomer();
    world.card("c-star", &row("n001").with("key", "***").with("sur", "***"));
    world.card("c-star2", &row("n001").with("sur", "***"));
    assert_eq!(allowed(&world.judged()), ["create N001"]);
}

#[test]
fn a_look_alike_holds_the_create_and_offers_an_adoption() {
    for mark in ["login", "email", "name"] {
        let mut world = with_newcomer();
        let other = row("")
            .with("sur", "Else")
            .with("email", "else@example.net")
            .with("login", "else");
        let card = match mark {
            "login" => other.with("login", "N001"),
            "email" => other.with("email", " N001@EXAMPLE.NET"),
            _ => other.with("sur", "sur n001").with("first", "FIRST N001"),
        };
        let newcomer = row("n001")
            .with("sur", "Sur N001")
            .with("first", "First N001")
            .with("email", "n001@example.net");
        *world.hr().row_of(" n001 ") = newcomer;
        world.card("c-keyless", &card);
        let judged = world.judged();
        assert_eq!(holds(&judged, "create N001"), ["adopt_or_create"], "{mark}");
        assert_eq!(
            holds(&judged, "adopt c-keyless"),
            ["over_budget:adopt", "adopt_or_create"],
            "{mark}"
        );
        assert_eq!(allowed(&judged), Vec::<String>::new());
    }
}

#[test]
fn the_network_login_is_a_mark_too() {
    let mut world = with_newcomer();
    world.card(
        "c-keyless",
        &row("").with("sur", "Else").with("login", "").with("email", ""),
    );
    world.set_text("c-keyless", CardField::NetworkLoginName, "n001");
    *world.hr().row_of(" n001 ") = row("n001");
    assert_eq!(holds(&world.judged(), "create N001"), ["adopt_or_create"]);
}

#[test]
fn an_adoption_writes_the_key_and_what_follows_and_the_second_run_is_empty() {
    let mut world = with_newcomer();
    *world.hr().row_of(" n001 ") = row("n001").with("mgr", "E002").with("dept", "New");
    world.card("c-keyless", &row("n001").with("key", "").with("job", "Clerk"));
    let judged = world.judged();
    let adopt = change(&judged.plan, "adopt c-keyless");
    assert_eq!(adopt.action.fields()[0].field, CardField::EmployeeNumber);
    assert!(
        adopt
            .action
            .fields()
            .iter()
            .any(|change| change.field == CardField::JobTitle && change.to.is_none())
    );
    world.approve(&judged, |change| change.action.kind() == ActionKind::Adopt);
    assert_eq!(allowed(&world.run()), ["create_entry ", "adopt c-keyless"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert_eq!(world.cards.len(), 11, "no second card");
}

#[test]
fn an_orphaned_card_and_a_card_archived_long_ago_hold_a_create() {
    for archived in [false, true] {
        let mut world = with_newcomer();
        *world.hr().row_of(" n001 ") = row("N001");
        world.card("c-old", &row("N001").with("key", "OLD"));
        world.card_mut("c-old").archived = archived;
        let judged = world.judged();
        assert_eq!(holds(&judged, "create N001"), ["adopt_or_create"]);
        let adopts = judged
            .plan
            .changes
            .iter()
            .filter(|change| change.action.kind() == ActionKind::Adopt);
        assert_eq!(
            adopts.count(),
            usize::from(!archived),
            "an archived card is not woken for this"
        );
    }
}

#[test]
fn a_rekey_of_a_card_with_another_key_is_in_the_class_keys() {
    let mut world = with_newcomer();
    *world.hr().row_of(" n001 ") = row("N001");
    world.card("c-old", &row("N001").with("key", "OLD"));
    assert_eq!(
        holds(&world.judged(), "adopt c-old"),
        ["over_budget:keys", "adopt_or_create"]
    );
}

#[test]
fn a_protected_or_special_look_alike_holds_the_create_and_is_not_offered() {
    for special in [false, true] {
        let mut world = with_newcomer();
        *world.hr().row_of(" n001 ") = row("N001");
        world.card("c-keyless", &row("N001").with("key", ""));
        if special {
            world.operator("o-1", "c-keyless", false, OperatorKind::ApiAccount);
        } else {
            world.policy.protected.cards.insert("c-keyless".into());
        }
        let judged = world.judged();
        assert_eq!(names(&judged.plan), ["create N001"], "special: {special}");
        assert_eq!(holds(&judged, "create N001"), ["adopt_or_create"]);
    }
}

#[test]
fn of_a_create_and_two_adoptions_at_most_one_passes() {
    let mut world = with_newcomer();
    *world.hr().row_of(" n001 ") = row("N001");
    for card in ["c-1", "c-2"] {
        world.card(card, &row("N001").with("key", "").with("login", card));
    }
    world.approve(&world.judged(), |_| true);
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
    world.decisions.clear();
    world.approve(&world.judged(), |change| change.action.kind() == ActionKind::Create);
    assert_eq!(allowed(&world.judged()), ["create N001"]);
}

#[test]
fn one_card_is_adopted_by_one_person_only() {
    let mut world = with_newcomer();
    *world.hr().row_of(" n001 ") = row("N001");
    world
        .hr()
        .rows
        .push(row("N001").with("key", "N002").with("login", "n002"));
    world.card("c-1", &row("N001").with("key", "").with("login", ""));
    world.approve(&world.judged(), |change| change.action.kind() == ActionKind::Adopt);
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}

#[test]
fn a_card_the_ledger_knows_in_any_shape_holds_the_create() {
    let shapes = [
        (Drift::CardMissing, "c-E001 is deleted"),
        (Drift::KeyEmptied, ""),
        (Drift::KeyChanged, "E999"),
        (Drift::Anonymized, "***"),
    ];
    for (what, value) in shapes {
        let mut world = World::of(10);
        // Nothing of the card is alike any more: only the ledger knows.
        let changed = row("")
            .with("sur", "X")
            .with("first", "Y")
            .with("email", "")
            .with("login", "");
        if what == Drift::CardMissing {
            world.cards.remove(&CardId::from("c-E001"));
            world.confirmed_gone.insert("c-E001".into());
        } else {
            world.card("c-E001", &changed);
            world.set_text("c-E001", CardField::EmployeeNumber, value);
        }
        let judged = world.judged();
        assert!(holds(&judged, "create E001").contains(&"drift".to_owned()), "{what:?}");
        let doubts = &change(&judged.plan, "create E001").doubts;
        assert!(
            doubts
                .iter()
                .any(|doubt| matches!(doubt, HoldReason::Drift { what: found, .. } if *found == what))
        );
        assert_eq!(allowed(&judged), Vec::<String>::new());
    }
}

#[test]
fn a_card_taken_by_another_person_still_holds_the_create_of_its_own() {
    let mut world = World::of(10);
    world.hr().rows.push(row("E050"));
    world.set_text("c-E001", CardField::EmployeeNumber, "E050");
    world.run();
    assert!(holds(&world.judged(), "create E001").contains(&"drift".to_owned()));
}

#[test]
fn a_purged_key_holds_the_create() {
    let mut world = with_newcomer();
    world.purged_keys.insert(super::world::key("N001"));
    assert_eq!(holds(&world.judged(), "create N001"), ["drift"]);
}

#[test]
fn of_somebody_forgotten_nobody_says_that_they_were_anonymized() {
    let mut world = with_newcomer();
    world.card("c-forgotten", &row("N001").with("key", ""));
    let key = super::world::key("N001");
    world.purged_keys.insert(key.clone());
    world.forgotten_cards.insert(key, "c-forgotten".into());
    let judged = world.judged();
    let create = judged
        .plan
        .changes
        .iter()
        .find(|change| change.action.kind() == ActionKind::Create);
    let create = create.expect("the person is asked about");
    let forgotten = |doubt: &HoldReason| matches!(doubt, HoldReason::Drift { what: Drift::Forgotten, card } if card.as_str() == "c-forgotten");
    assert!(create.doubts.iter().any(forgotten), "{:?}", create.doubts);
    // A card that TOPdesk has no more is told as gone.
    world.cards.remove(&CardId::from("c-forgotten"));
    let judged = world.judged();
    let gone = |change: &Change| {
        change.doubts.iter().any(|it| {
            matches!(
                it,
                HoldReason::Drift {
                    what: Drift::CardMissing,
                    ..
                }
            )
        })
    };
    assert!(judged.plan.changes.iter().any(gone));
}

#[test]
fn a_create_in_doubt_freezes_the_key_for_every_choice() {
    let mut world = with_newcomer();
    *world.hr().row_of(" n001 ") = row("N001");
    world.card("c-keyless", &row("N001").with("key", ""));
    world.in_doubt.insert(super::world::key("N001"));
    world.approve(&world.judged(), |_| true);
    let judged = world.judged();
    assert_eq!(holds(&judged, "create N001"), ["in_doubt"]);
    assert_eq!(holds(&judged, "adopt c-keyless"), ["in_doubt"]);
}

#[test]
fn a_directory_id_that_the_ledger_knows_holds_the_create() {
    let mut world = with_newcomer();
    let anchor = Anchor {
        source: "hr".into(),
        value: "guid".into(),
    };
    world.hr().row_of(" n001 ").anchor = Some("guid".to_owned());
    world.entry("c-E001").anchors.push(anchor);
    world.hr().remove("E001");
    let judged = world.judged();
    assert_eq!(names(&judged.plan), ["adopt c-E001"]);
    assert_eq!(holds(&judged, "adopt c-E001"), ["over_budget:keys", "same_person"]);
}

#[test]
fn a_new_number_for_somebody_who_leaves_or_is_absent_holds_both_halves() {
    for absent in [false, true] {
        let mut world = World::of(20);
        world.hr().rows.push(row("E001").with("key", "N001"));
        if absent {
            world.hr().remove("E001");
            world.absent("c-E001", "hr", 2, 72);
        } else {
            world.leaves("E001");
        }
        let judged = world.judged();
        assert_eq!(holds(&judged, "archive c-E001"), ["paired_with"]);
        assert_eq!(holds(&judged, "create N001"), ["adopt_or_create", "paired_with"]);
        assert_eq!(allowed(&judged), Vec::<String>::new());
        // The right way out: the card gets the new number, and nothing else happens to anybody.
        world.approve(&judged, |change| change.action.kind() == ActionKind::Adopt);
        assert_eq!(allowed(&world.run()), ["adopt c-E001"]);
        let judged = world.judged();
        assert_eq!(names(&judged.plan), Vec::<String>::new());
    }
}

#[test]
fn an_adoption_and_an_archive_of_one_card_do_not_both_pass() {
    let mut world = World::of(20);
    world.hr().rows.push(row("E001").with("key", "N001"));
    world.leaves("E001");
    world.approve(&world.judged(), |change| change.action.kind() != ActionKind::Create);
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}

#[test]
fn a_new_number_for_a_leaver_who_is_not_due_yet_holds_the_create() {
    let mut world = World::of(20);
    world.hr().rows.push(row("E001").with("key", "N001"));
    world.hr().set("E001", "status", "left");
    world.now += Duration::minutes(1);
    assert_eq!(holds(&world.judged(), "create N001"), ["adopt_or_create"]);
}

#[test]
fn a_mapped_flag_beats_the_default_also_where_it_is_false() {
    let mut world = with_newcomer();
    let rules = FieldRules {
        policy: FieldPolicy::Enforce,
        missing: MissingEntry::Hold,
    };
    world.policy.fields.insert(CardField::HasSspAccess, rules);
    world.mapping.no_ssp_access = true;
    assert_eq!(flag(&world, CardField::HasSspAccess), Some(FieldValue::Flag(false)));
}

#[test]
fn a_create_needs_a_surname() {
    for surname in ["ODD", ""] {
        let mut world = with_newcomer();
        world.hr().set(" n001 ", "sur", surname);
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new());
        assert_eq!(plan.rejections.len(), 1);
    }
}

#[test]
fn bad_fields_hold_a_create() {
    let mut world = with_newcomer();
    world.hr().set(" n001 ", "job", "BAD");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert!(
        world
            .plan()
            .changes
            .iter()
            .all(|change| !matches!(change.action, Action::Create { .. }))
    );
}
