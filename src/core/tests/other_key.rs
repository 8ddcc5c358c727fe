//! What another key would do, and whether two keys say the same.

use super::world::{World, key, names, row};
use crate::core::input::PlanInput;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::key::KeyReading;
use crate::core::plan::{Plan, SkipReason};
use crate::core::planner::plan;
use crate::tools::rekey::comparison::{KeyDifference, Keys, compare};
use crate::tools::rekey::other_key::{DescribeUnder, UnderOtherKey, spec_of, under_other_key};

struct Both {
    other: Plan,
    input: PlanInput,
    difference: KeyDifference,
}

fn under_email(world: &World) -> Both {
    let input = world.input();
    let spec = spec_of(CardField::Email, &world.policy.key);
    let UnderOtherKey {
        input: under,
        translation,
    } = under_other_key(&input, &world.mapping, spec);
    let describe = DescribeUnder {
        inner: &world.mapping,
        translation: &translation,
    };
    let other = plan(&under, &describe);
    let keys = Keys {
        configured: CardField::EmployeeNumber,
        other: CardField::Email,
        translation: &translation,
    };
    let difference = compare(&other, &plan(&input, &world.mapping), keys);
    Both {
        other,
        input: under,
        difference,
    }
}

#[test]
fn a_company_that_agrees_is_the_same_under_both_keys() {
    let mut world = World::of(6);
    world.hr().set("E002", "job", "Nurse");
    world.hr().set("E003", "mgr", "E001");
    world.leaves("E004");
    world.hr().rows.push(row("E777"));
    let both = under_email(&world);
    assert!(both.difference.plans.is_empty(), "{:#?}", both.difference.plans);
    assert!(both.difference.plans.same >= 4, "{}", both.difference.plans.same);
}

#[test]
fn a_new_address_is_a_second_card_under_the_address_and_one_update_under_the_number() {
    let mut world = World::of(4);
    world.hr().set("E002", "email", "married@example.net");
    let both = under_email(&world);
    let added = &both.difference.plans.added;
    let removed = &both.difference.plans.removed;
    assert_eq!(added.len(), 1, "{added:#?}");
    assert_eq!(added[0].fields["email"].to.as_deref(), Some("married@example.net"));
    assert!(
        removed.iter().any(|change| change.key == Some(key("E002"))),
        "{removed:#?}"
    );
    assert!(
        names(&both.other)
            .iter()
            .any(|name| name == "create MARRIED@EXAMPLE.NET"),
        "{:?}",
        names(&both.other)
    );
    let gone = both
        .other
        .skipped
        .iter()
        .find(|skip| skip.reason == SkipReason::MissingNotYet);
    assert_eq!(
        gone.and_then(|skip| skip.card.clone()),
        Some("c-E002".into()),
        "the old card begins to count as absent: {:?}",
        both.other.skipped
    );
}

#[test]
fn the_same_difference_has_the_same_mark_and_another_one_never() {
    let mut world = World::of(4);
    world.hr().set("E002", "email", "married@example.net");
    let first = under_email(&world).difference.id;
    world.now += chrono::Duration::hours(3);
    assert_eq!(under_email(&world).difference.id, first, "the time says nothing");
    world.hr().set("E003", "email", "third@example.net");
    assert_ne!(under_email(&world).difference.id, first);
}

#[test]
fn people_without_the_other_key_are_unknown_under_it_and_a_shared_one_is_a_conflict() {
    let mut world = World::of(4);
    world.hr().set("E001", "email", "");
    for number in ["E002", "E003"] {
        world.hr().set(number, "email", "desk@example.net");
    }
    let input = world.input();
    let spec = spec_of(CardField::Email, &world.policy.key);
    let KeyReading::Key(desk) = spec.read(" Desk@Example.net ") else {
        panic!("an address is a key");
    };
    let under = under_other_key(&input, &world.mapping, spec);
    assert_eq!(
        under.translation.without.iter().cloned().collect::<Vec<_>>(),
        [key("E001")]
    );
    assert!(under.translation.shared.iter().eq([&desk]));
    assert_eq!(under.input.snapshots[0].unkeyed().len(), 1);
    let both = under_email(&world);
    assert_eq!(both.other.conflicts.len(), 1, "{:?}", both.other.conflicts);
    assert_eq!(both.other.conflicts[0].key, desk);
}

#[test]
fn protected_people_stay_protected_and_decisions_do_not_pass_over() {
    let mut world = World::of(3);
    world.policy.protected.keys.insert(key("E002"));
    world.hr().set("E002", "email", "other@example.net");
    world.set("c-E003", CardField::JobTitle, FieldValue::text("x"));
    let judged = world.judged();
    world.approve(&judged, |_| true);
    let both = under_email(&world);
    assert!(both.input.decisions.is_empty());
    assert!(both.input.policy.protected.cards.contains(&"c-E002".into()));
    let touched = |plan: &Plan| plan.changes.iter().any(|change| change.card == Some("c-E002".into()));
    assert!(!touched(&both.other));
}
