//! One present person with a card: the decision table's middle (RULES 1, 3.5, 4.2, 5, 9).

use super::world::{World, allowed, change, holds, key, names, row, skips};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::plan::{ConflictKind, SkipReason};
use crate::core::reads::snapshot::{RejectionScope, Role};
use crate::core::rules::policy::{FieldPolicy, RehirePerson};

#[test]
fn a_world_in_step_needs_nothing() {
    let mut world = World::of(5);
    world.run();
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(skips(&plan), []);
    assert_eq!((plan.base, plan.foreign_cards), (5, 0));
    assert!(plan.ledger.is_empty(), "nothing new to remember");
}

#[test]
fn a_changed_value_is_one_update_and_the_second_run_is_empty() {
    let mut world = World::of(3);
    world.hr().set("E002", "job", "Nurse");
    assert_eq!(allowed(&world.run()), ["update c-E002"]);
    assert_eq!(
        world.cards[&CardId::from("c-E002")].fields.text(CardField::JobTitle),
        Some("Nurse")
    );
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_key_equal_after_normalising_is_never_rewritten() {
    let mut world = World::of(1);
    world.set_text("c-E001", CardField::EmployeeNumber, " e001");
    world.hr().set("E001", "job", "Nurse");
    world
        .policy
        .fields
        .insert(CardField::EmployeeNumber, world.policy.fields[&CardField::JobTitle]);
    let plan = world.plan();
    let fields: Vec<CardField> = change(&plan, "update c-E001")
        .action
        .fields()
        .iter()
        .map(|f| f.field)
        .collect();
    assert_eq!(fields, [CardField::JobTitle]);
}

#[test]
fn two_active_cards_with_one_key_are_a_conflict_and_nothing_happens() {
    let mut world = World::of(1);
    world.card("c-twin", &row("E001"));
    world.hr().set("E001", "job", "Nurse");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.conflicts[0].kind, ConflictKind::TwoActiveCards);
    assert_eq!(plan.conflicts[0].cards.len(), 2);
}

#[test]
fn the_active_card_is_the_match_and_archived_twins_are_reported() {
    let mut world = World::of(1);
    world.card("c-old", &row("E001"));
    world.card_mut("c-old").archived = true;
    world.hr().set("E001", "job", "Nurse");
    let plan = world.plan();
    assert_eq!(names(&plan), ["update c-E001"]);
    assert_eq!(skips(&plan), [(SkipReason::ArchivedTwin, "c-old".to_owned())]);
}

#[test]
fn several_archived_cards_and_no_active_one_are_a_conflict() {
    let mut world = World::of(1);
    world.archived_by_us("c-E001");
    world.card("c-old", &row("E001"));
    world.card_mut("c-old").archived = true;
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.conflicts[0].kind, ConflictKind::SeveralArchivedCards);
}

#[test]
fn leaver_with_open_conflict_is_not_archived() {
    let mut world = World::of(1);
    world.hr().rows.push(row("E001").with("end", "2026-01-01"));
    world.leaves("E001");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.conflicts[0].kind, ConflictKind::DuplicateInSource);
    assert_eq!(plan.conflicts[0].cards, [CardId::from("c-E001")]);
}

#[test]
fn one_key_in_two_sources_is_a_conflict_unless_they_describe_the_same_people() {
    let mut world = World::of(1);
    world
        .sources
        .push(super::world::TestSource::new("hr2", Role::Authoritative));
    world.source("hr2").rows.push(row("E001"));
    world.hr().set("E001", "job", "Nurse");
    assert_eq!(world.plan().conflicts.len(), 1);
    world.policy.same_people = vec![["hr".into(), "hr2".into()].into()];
    let plan = world.plan();
    assert_eq!(plan.conflicts, []);
    assert_eq!(names(&plan), ["update c-E001"]);
}

#[test]
fn a_doubled_or_half_unusable_enrich_record_is_unknown_and_blocks_nothing_else() {
    for unusable in [false, true] {
        let mut world = World::of(1);
        world.sources.push(super::world::TestSource::new("ad", Role::Enrich));
        world.mapping.from.insert("email", "ad".into());
        let ad = world.source("ad");
        ad.rows.push(row("E001").with("email", "new@example.net"));
        if unusable {
            ad.rejections.push((Some("E001".to_owned()), RejectionScope::Record));
        } else {
            ad.rows.push(row("E001").with("email", "other@example.net"));
        }
        world.hr().set("E001", "job", "Nurse");
        let plan = world.plan();
        let fields: Vec<CardField> = change(&plan, "update c-E001")
            .action
            .fields()
            .iter()
            .map(|f| f.field)
            .collect();
        assert_eq!(fields, [CardField::JobTitle], "unusable: {unusable}");
    }
}

#[test]
fn special_accounts_are_never_touched() {
    for (own, kind) in [
        (false, OperatorKind::ApiAccount),
        (false, OperatorKind::TopdeskAccount),
        (true, OperatorKind::Regular),
    ] {
        let mut world = World::of(1);
        world.leaves("E001");
        world.operator("o-1", "c-E001", false, kind);
        if own {
            world.own_cards.insert("c-E001".into());
        }
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new());
        assert_eq!(skips(&plan), [(SkipReason::SpecialAccount, "c-E001".to_owned())]);
    }
}

#[test]
fn protect_by_key_and_by_card_is_absolute() {
    for by_key in [true, false] {
        let mut world = World::of(1);
        world.leaves("E001");
        if by_key {
            world.policy.protected.keys.insert(key("E001"));
        } else {
            world.policy.protected.cards.insert("c-E001".into());
        }
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new());
        assert_eq!(skips(&plan), [(SkipReason::Protected, "c-E001".to_owned())]);
    }
}

#[test]
fn out_of_scope_and_unknown_scope_are_left_alone() {
    for (value, reason) in [("no", SkipReason::OutOfScope), ("?", SkipReason::ScopeUnknown)] {
        let mut world = World::of(1);
        world.hr().set("E001", "scope", value);
        world.leaves("E001");
        world.hr().rows.push(row("E002").with("scope", value));
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new());
        assert_eq!(
            skips(&plan),
            [(reason, "c-E001".to_owned()), (reason, "E002".to_owned())]
        );
    }
}

#[test]
fn a_number_that_is_all_that_agrees_is_held() {
    let mut world = World::of(1);
    let stranger = row("E001")
        .with("sur", "Else")
        .with("first", "Somebody")
        .with("email", "else@example.net");
    *world.hr().row_of("E001") = stranger.with("login", "else");
    assert_eq!(holds(&world.judged(), "update c-E001"), ["another_person"]);
    // Any one mark that agrees silences the doubt; the name classes have budgets of their own.
    world.hr().set("E001", "login", "e001");
    assert_eq!(holds(&world.judged(), "update c-E001"), Vec::<String>::new());
    world.hr().set("E001", "login", "else");
    world.hr().row_of("E001").anchor = Some("guid".to_owned());
    world.entry("c-E001").anchors.push(crate::core::model::record::Anchor {
        source: "hr".into(),
        value: "guid".into(),
    });
    assert_eq!(holds(&world.judged(), "update c-E001"), Vec::<String>::new());
}

#[test]
fn a_doubted_card_is_not_ours_and_a_doubted_leaver_is_held() {
    let mut world = World::new();
    world.hr().rows.push(row("E001").with("end", "2026-01-01"));
    world.card(
        "c-1",
        &row("E001")
            .with("sur", "Else")
            .with("first", "Somebody")
            .with("email", "x@x")
            .with("login", "x"),
    );
    let judged = world.judged();
    assert_eq!(holds(&judged, "archive c-1"), ["another_person"]);
    assert!(judged.plan.ledger.is_empty());
}

#[test]
fn a_doubt_also_holds_the_manager() {
    let mut world = World::of(1);
    world.hr().rows.push(row("E050").with("job", "Boss"));
    let stranger = row("E001")
        .with("sur", "Else")
        .with("first", "Somebody")
        .with("email", "")
        .with("login", "e001");
    *world.hr().row_of("E001") = stranger.with("mgr", "E050");
    world.set("c-E001", CardField::Email, None);
    world.set("c-E001", CardField::TasLoginName, None);
    world.hr().set("E001", "login", "");
    let judged = world.judged();
    assert_eq!(holds(&judged, "update c-E001"), ["another_person"]);
    assert_eq!(holds(&judged, "set_references c-E001"), ["depends_on"]);
    world.approve(&judged, |change| {
        change.action.kind() == crate::core::plan::ActionKind::Update
    });
    let judged = world.run();
    assert!(
        allowed(&judged).contains(&"set_references c-E001".to_owned()),
        "one approval is for both halves"
    );
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn bad_fields_hold_an_update_and_never_an_archive() {
    let mut world = World::of(2);
    world.hr().set("E001", "job", "BAD");
    world.hr().set("E001", "sur", "Married");
    world.hr().set("E002", "job", "BAD");
    world.leaves("E002");
    let plan = world.plan();
    assert_eq!(names(&plan), ["archive c-E002"]);
    let rejected: Vec<_> = plan.rejections.iter().map(|r| (r.key.clone(), r.scope)).collect();
    assert_eq!(rejected, [(Some(key("E001")), RejectionScope::Fields)]);
}

#[test]
fn fields_that_a_source_could_not_read_hold_an_update_and_never_an_archive() {
    let mut world = World::of(2);
    for number in ["E001", "E002"] {
        world
            .hr()
            .rejections
            .push((Some(number.to_owned()), RejectionScope::Fields));
        world.hr().set(number, "job", "Nurse");
    }
    world.leaves("E002");
    assert_eq!(names(&world.plan()), ["archive c-E002"]);
}

#[test]
fn an_odd_field_is_left_and_the_others_go_on() {
    let mut world = World::of(1);
    world.hr().set("E001", "job", "ODD");
    world.hr().set("E001", "sur", "Married");
    let plan = world.plan();
    assert_eq!(names(&plan), ["update c-E001"]);
    assert_eq!(skips(&plan), [(SkipReason::FieldLeft, "c-E001".to_owned())]);
}

#[test]
fn unknown_changes_nothing_and_clear_empties() {
    let mut world = World::of(1);
    world.set_text("c-E001", CardField::JobTitle, "Nurse");
    world.hr().missing_attributes.insert("job".to_owned());
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.hr().missing_attributes.clear();
    let plan = world.plan();
    assert_eq!(change(&plan, "update c-E001").action.fields()[0].to, None);
    world.policy.fields.get_mut(&CardField::JobTitle).unwrap().policy = FieldPolicy::NeverClear;
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_rejected_enrich_source_does_not_stop_a_run_but_holds_creates() {
    let mut world = World::of(2);
    world.sources.push(super::world::TestSource::new("ad", Role::Enrich));
    world.mapping.from.insert("email", "ad".into());
    world.source("ad").reject();
    world.hr().set("E001", "job", "Nurse");
    world.hr().rows.push(row("E009"));
    let judged = world.judged();
    assert_eq!(allowed(&judged), ["update c-E001"]);
    assert_eq!(holds(&judged, "create E009"), ["needs_source"]);
    world.approve(&judged, |_| true);
    assert_eq!(
        holds(&world.judged(), "create E009"),
        ["needs_source"],
        "nobody can lift it"
    );
}

#[test]
fn an_empty_surname_holds_the_person() {
    let mut world = World::of(1);
    world.hr().set("E001", "sur", "");
    world.hr().set("E001", "job", "Nurse");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.rejections.len(), 1);
}

#[test]
fn who_returns_is_woken_and_updated_where_the_archive_was_ours() {
    let mut world = World::of(1);
    world.archived_by_us("c-E001");
    world.hr().set("E001", "job", "Nurse");
    assert_eq!(allowed(&world.run()), ["unarchive c-E001", "update c-E001"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn what_a_human_archived_stays_archived_until_somebody_says_otherwise() {
    let mut world = World::of(2);
    world.card_mut("c-E001").archived = true;
    world.archived_by_us("c-E002");
    world.card_mut("c-E002").modified_at = Some(world.now);
    world.hr().set("E001", "job", "Nurse");
    let judged = world.judged();
    assert_eq!(allowed(&judged), Vec::<String>::new());
    assert_eq!(holds(&judged, "unarchive c-E001"), ["archived_by_hand"]);
    assert_eq!(holds(&judged, "unarchive c-E002"), ["archived_by_hand"]);
    world.approve(&judged, |change| change.card == Some("c-E001".into()));
    assert_eq!(allowed(&world.run()), ["unarchive c-E001", "update c-E001"]);
    // What is asked uses up nobody's budget.
    assert_eq!(holds(&world.judged(), "unarchive c-E002"), ["archived_by_hand"]);
}

#[test]
fn what_a_human_unarchived_stays_active() {
    let mut world = World::of(1);
    world.archived_by_us("c-E001");
    world.card_mut("c-E001").archived = false;
    world.leaves("E001");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(skips(&plan), [(SkipReason::UnarchivedByHand, "c-E001".to_owned())]);
}

#[test]
fn a_rehire_under_the_hold_policy_waits_with_everything_that_follows() {
    let mut world = World::of(2);
    world.policy.rehire = RehirePerson::Hold;
    world.archived_by_us("c-E001");
    world.hr().set("E001", "job", "Nurse");
    world.hr().rows.push(row("E003"));
    world.hr().set("E001", "mgr", "E003");
    let judged = world.judged();
    assert_eq!(holds(&judged, "unarchive c-E001"), ["rehire"]);
    assert_eq!(holds(&judged, "update c-E001"), ["depends_on"]);
    assert_eq!(holds(&judged, "set_references c-E001"), ["depends_on"]);
    assert_eq!(allowed(&judged), ["create E003"]);
}

#[test]
fn the_manager_of_a_rehire_waits_even_where_no_field_changes() {
    let mut world = World::of(1);
    world.policy.rehire = RehirePerson::Hold;
    world.archived_by_us("c-E001");
    world.hr().rows.push(row("E003"));
    world.hr().set("E001", "mgr", "E003");
    let judged = world.judged();
    assert_eq!(holds(&judged, "set_references c-E001"), ["depends_on"]);
    world.approve(&judged, |_| true);
    world.run();
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn an_archived_card_is_never_woken_to_be_edited() {
    let mut world = World::of(1);
    world.archived_by_us("c-E001");
    world.leaves("E001");
    world.hr().set("E001", "job", "Nurse");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_match_by_key_makes_a_card_ours_and_a_foreign_card_stays_foreign() {
    let mut world = World::new();
    world.hr().rows.push(row("E001"));
    world.card("c-1", &row("E001"));
    world.card("c-2", &row("E900"));
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(
        plan.ledger.iter().map(|entry| entry.card.as_str()).collect::<Vec<_>>(),
        ["c-1"]
    );
    assert_eq!(plan.foreign_cards, 1);
}

#[test]
fn a_card_taken_over_by_another_key_is_remembered_with_its_history() {
    let mut world = World::of(2);
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 2, 100);
    world.hr().rows.push(row("E001").with("key", "E077"));
    world.set_text("c-E001", CardField::EmployeeNumber, "E077");
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    let entry = &plan.ledger[0];
    assert_eq!(
        (entry.key.clone(), entry.former_keys.clone()),
        (Some(key("E077")), vec![key("E001")])
    );
    assert!(entry.sightings.values().all(|sighting| sighting.absent.is_none()));
}

#[test]
fn phones_blanks_and_letters_that_topdesk_stores_alike_are_no_change() {
    let mut world = World::of(1);
    world.hr().set("E001", "sur", "Jose\u{301} ");
    world.set_text("c-E001", CardField::SurName, "Jos\u{e9}");
    world.set("c-E001", CardField::IsManager, Some(FieldValue::Flag(false)));
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_seeded_manager_is_not_replaced_by_one_who_is_new() {
    let mut world = World::of(2);
    world.policy.fields.get_mut(&CardField::Manager).unwrap().policy = FieldPolicy::Seed;
    let boss = crate::core::model::references::card_reference(&"c-E002".into(), &key("E002"));
    world.set("c-E001", CardField::Manager, Some(FieldValue::Reference(boss)));
    world.hr().rows.push(row("E003"));
    world.hr().set("E001", "mgr", "E003");
    assert_eq!(names(&world.plan()), ["create E003"]);
}

#[test]
fn contracts_that_ended_are_no_evidence_while_another_source_of_the_same_people_cannot_be_read() {
    let mut world = World::of(1);
    world
        .sources
        .push(super::world::TestSource::new("hr2", Role::Authoritative));
    world.policy.same_people = vec![["hr".into(), "hr2".into()].into()];
    world.source("hr2").rows.push(row("X").with("end", "2026-01-01"));
    world.hr().row_of("E001").ended = true;
    world.absent("c-E001", "hr", 3, 72);
    assert_eq!(names(&world.plan()), ["archive c-E001"]);
    world.source("hr2").reject();
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_doubt_survives_the_change_that_carried_it() {
    // Nothing but the login would change, and it is held by another card: the manager must not slip through.
    let mut world = World::of(3);
    let names = [CardField::SurName, CardField::FirstName];
    for field in names {
        world.policy.fields.get_mut(&field).unwrap().policy = FieldPolicy::Seed;
    }
    world.set("c-E001", CardField::Email, None);
    world.set("c-E001", CardField::TasLoginName, None);
    world.hr().rows.push(row("E050"));
    let stranger = row("E001")
        .with("sur", "Else")
        .with("first", "Somebody")
        .with("email", "");
    *world.hr().row_of("E001") = stranger.with("login", "e002").with("mgr", "E050");
    let judged = world.judged();
    assert_eq!(holds(&judged, "set_references c-E001"), ["another_person"]);
}
