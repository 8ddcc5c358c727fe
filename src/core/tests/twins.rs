//! Two cards of one human: the one with the operator survives (RULES 1.4, 2).

use super::world::{World, allowed, change, holds, names, row, skips};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::plan::safe_end::{HalfDone, SafeEnd, Seen};
use crate::core::plan::{Action, ActionKind, CardTarget, SkipReason, Step};
use crate::core::reads::cards::CardIndex;
use crate::core::reads::cards::CardMatch;
use proptest::prelude::*;

/// E001 has a card with the number; a card without one has the operator, the same name and the same e-mail address.
fn with_twins() -> World {
    let mut world = World::of(10);
    world.card("g-1", &row("E001").with("key", "").with("login", ""));
    world.operator("o-1", "g-1", false, OperatorKind::Regular);
    world
}

#[test]
fn the_card_with_the_operator_gets_number_and_login_and_the_other_is_archived() {
    let mut world = with_twins();
    let judged = world.judged();
    assert_eq!(names(&judged.plan), ["merge g-1"]);
    assert_eq!(holds(&judged, "merge g-1"), ["over_budget:keys", "twin"]);
    let Action::Merge {
        fields, twin, taken, ..
    } = &change(&judged.plan, "merge g-1").action
    else {
        panic!("a merge");
    };
    assert_eq!(twin.as_str(), "c-E001");
    let of = |changes: &[crate::core::plan::FieldChange]| -> Vec<CardField> {
        changes.iter().map(|change| change.field).collect()
    };
    assert_eq!(of(fields), [CardField::EmployeeNumber, CardField::TasLoginName]);
    assert_eq!(of(taken), [CardField::EmployeeNumber, CardField::TasLoginName]);
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.run()), ["merge g-1"]);
    assert!(world.cards[&CardId::from("c-E001")].archived);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert!(skips(&world.plan()).is_empty(), "{:?}", skips(&world.plan()));
}

#[test]
fn the_marks_of_the_operator_count_where_the_card_has_little_more_than_a_name() {
    let mut world = with_twins();
    let bare = row("E001").with("key", "").with("login", "").with("email", "");
    world.card("g-1", &bare);
    let plan = world.plan();
    assert_eq!(skips(&plan), [(SkipReason::PossibleTwin, "c-E001".to_owned())]);
    let operator = world.operators.get_mut(&"o-1".into()).expect("the operator");
    operator.login_name = Some(" E001 ".into());
    assert_eq!(names(&world.plan()), ["merge g-1"]);
}

#[test]
fn no_merge_where_the_keyed_card_has_an_operator_or_leaves_or_two_could_be_meant() {
    let mut world = with_twins();
    world.operator("o-2", "c-E001", true, OperatorKind::Regular);
    assert_eq!(names(&world.plan()), Vec::<String>::new());

    let mut world = with_twins();
    world.leaves("E001");
    assert_eq!(names(&world.plan()), ["archive c-E001"]);

    let mut world = with_twins();
    world.card("g-2", &row("E001").with("key", "").with("login", ""));
    world.operator("o-2", "g-2", false, OperatorKind::Regular);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    assert_eq!(skips(&world.plan()), [(SkipReason::PossibleTwin, "c-E001".to_owned())]);

    let mut world = with_twins();
    world.operators.get_mut(&"o-1".into()).expect("the operator").kind = OperatorKind::ApiAccount;
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_login_that_a_third_card_holds_is_left_out() {
    let mut world = with_twins();
    world.set_text("c-E002", CardField::TasLoginName, "e001");
    world.set_text("c-E001", CardField::TasLoginName, "old");
    let plan = world.plan();
    let Action::Merge { fields, taken, .. } = &change(&plan, "merge g-1").action else {
        panic!("a merge");
    };
    assert!(
        fields
            .iter()
            .chain(taken)
            .all(|change| change.field != CardField::TasLoginName)
    );
}

#[test]
fn a_half_done_change_stops_everything_about_its_people_and_nothing_else() {
    let mut world = with_twins();
    world.hr().set("E001", "job", "Nurse");
    world.hr().set("E002", "job", "Nurse");
    world.approve(&world.judged(), |_| true);
    world.half_done.insert(HalfDone {
        key: Some(super::world::key("E001")),
        other_key: None,
        cards: ["c-E001".into(), "g-1".into()].into(),
        begun: None,
    });
    let judged = world.judged();
    assert_eq!(allowed(&judged), ["update c-E002"]);
    assert_eq!(holds(&judged, "update c-E001"), ["half_done"]);
    assert_eq!(holds(&judged, "merge g-1"), ["half_done"]);
}

/// What TOPdesk makes of a step.
fn take(world: &mut World, step: &Step) {
    match step {
        Step::PatchCard {
            card: CardTarget::Known(card),
            fields,
        } => {
            for change in fields {
                world.set(card.as_str(), change.field, change.to.clone());
            }
        }
        Step::ArchiveCard { card, .. } => world.card_mut(card.as_str()).archived = true,
        other => panic!("not a step of a merge: {other:?}"),
    }
}

fn seen(world: &World) -> Seen {
    let cards = ["c-E001", "g-1"].map(|id| world.cards[&CardId::from(id)].clone());
    Seen {
        cards: cards.into(),
        operators: Vec::new(),
    }
}

fn owners(world: &World) -> usize {
    let spec = &world.policy.key;
    let input = world.input();
    let index = CardIndex::build(&input.target, spec);
    match index.matching(&super::world::key("E001")) {
        CardMatch::None => 0,
        CardMatch::One { .. } => 1,
        CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However far it came, and whether the last request took effect or not: never two cards with the key, and the safe
    /// end leaves exactly one, which is active.
    #[test]
    fn a_merge_cut_off_anywhere_never_shows_two_cards_with_the_key(cut in 0_usize..=3) {
        let mut world = with_twins();
        let plan = world.plan();
        let merge = change(&plan, "merge g-1").clone();
        for step in merge.steps().iter().take(cut) {
            take(&mut world, step);
            prop_assert!(owners(&world) <= 1);
        }
        let whole = seen(&world).shows_all(&merge);
        prop_assert_eq!(whole, cut == 3);
        if !whole {
            for step in merge.safe_end().steps(&seen(&world)) {
                take(&mut world, &step);
                prop_assert!(owners(&world) <= 1);
            }
        }
        prop_assert_eq!(owners(&world), 1);
        prop_assert!(merge.safe_end().steps(&seen(&world)).is_empty(), "the safe end is an end");
        let on_keeper = world.cards[&CardId::from("g-1")].fields.text(CardField::EmployeeNumber).is_some();
        prop_assert_eq!(on_keeper, cut >= 2);
        prop_assert_eq!(world.cards[&CardId::from("c-E001")].archived, on_keeper);
    }
}

#[test]
fn the_twin_gets_nothing_back_while_the_key_may_still_land_on_the_keeper() {
    let world = with_twins();
    let plan = world.plan();
    let merge = change(&plan, "merge g-1");
    let [off, on, archive] = merge.steps().try_into().expect("three steps");
    let end = merge.safe_end();
    assert!(!end.waits_for(&off) && end.waits_for(&on) && !end.waits_for(&archive));
    assert_ne!(end, SafeEnd::SingleRequest);
}

#[test]
fn what_somebody_wrote_on_the_twin_meanwhile_is_not_overwritten() {
    let mut world = with_twins();
    let plan = world.plan();
    let merge = change(&plan, "merge g-1").clone();
    take(&mut world, &merge.steps()[0]);
    world.set("c-E001", CardField::TasLoginName, FieldValue::text("new.login"));
    let back = merge.safe_end().steps(&seen(&world));
    let [Step::PatchCard { fields, .. }] = back.as_slice() else {
        panic!("one step: {back:?}")
    };
    assert_eq!(
        fields.iter().map(|change| change.field).collect::<Vec<_>>(),
        [CardField::EmployeeNumber]
    );
    assert_eq!(merge.action.kind(), ActionKind::Merge);
}
