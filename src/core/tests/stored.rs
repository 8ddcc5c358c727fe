//! An input that is stored and read again, that forgets people, and what two plans have apart.

use super::world::{World, key};
use super::worlds::worlds;
use crate::core::guard::judge;
use crate::core::input::PlanInput;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::model::references::card_reference;
use crate::core::plan::ActionKind;
use crate::core::plan::difference::PlanDifference;
use crate::core::planner::plan;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn stored(input: &PlanInput) -> PlanInput {
    let text = serde_json::to_string(input).expect("an input is plain data");
    serde_json::from_str(&text).expect("what was written can be read")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_is_stored_gives_the_same_plan(case in worlds()) {
        let world = case.world();
        let input = world.input();
        let again = stored(&input);
        prop_assert_eq!(&again, &input);
        let before = judge(plan(&input, &world.mapping), &input);
        let after = judge(plan(&again, &world.mapping), &again);
        prop_assert_eq!(after.view(), before.view());
        prop_assert!(PlanDifference::between(&before.view(), &after.view()).is_empty());
    }
}

#[test]
fn a_forgotten_person_is_nowhere_in_the_input() {
    let mut world = World::of(3);
    world.hr().rows[0].values.insert("mgr", "E002".to_owned());
    world.set(
        "c-E001",
        CardField::Manager,
        Some(FieldValue::Reference(card_reference(&"c-E002".into(), &key("E002")))),
    );
    world.operator("o-E002", "c-E002", false, OperatorKind::Regular);
    world.entry("c-E002").former_keys.push(key("OLD7"));
    world.in_doubt.insert(key("E002"));
    let mut input = world.input();
    input.target.operators[0].login_name = Some("e002".into());
    let cards = BTreeSet::from([CardId::from("c-E002")]);
    let nobody = BTreeSet::new();
    assert!(input.remembers(&cards, &nobody));
    input.forget(&cards, &nobody);
    assert!(!input.remembers(&cards, &nobody));
    let text = serde_json::to_string(&input).expect("an input is plain data");
    let text = text.replace("c-E002", "CARD").replace("o-E002", "OPERATOR");
    for personal in ["E002", "e002", "OLD7"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    assert!(text.contains("SurE001") && text.contains("SurE003"));
}

#[test]
fn nobody_to_forget_is_no_work() {
    let world = World::of(2);
    assert!(!world.input().remembers(&BTreeSet::new(), &BTreeSet::new()));
    let other = BTreeSet::from([CardId::from("c-other")]);
    assert!(!world.input().remembers(&other, &BTreeSet::from([key("OTHER")])));
}

#[test]
fn a_difference_tells_added_removed_and_changed_items() {
    let mut world = World::of(4);
    world.set_text("c-E001", CardField::JobTitle, "Nurse");
    world.set_text("c-E002", CardField::JobTitle, "Nurse");
    let before = world.judged().view();
    world.set_text("c-E001", CardField::JobTitle, "Clerk");
    world.set("c-E002", CardField::JobTitle, None);
    world.set_text("c-E003", CardField::JobTitle, "Clerk");
    let after = world.judged().view();
    let difference = PlanDifference::between(&before, &after);
    let keys = |changes: &[crate::core::plan::view::ChangeView]| -> Vec<String> {
        changes
            .iter()
            .filter_map(|change| change.key.as_ref().map(ToString::to_string))
            .collect()
    };
    assert_eq!(keys(&difference.added), ["E003"]);
    assert_eq!(keys(&difference.removed), ["E002"]);
    assert_eq!(difference.changed.len(), 1);
    assert_eq!(difference.changed[0].after.action, ActionKind::Update);
    assert_eq!(
        difference.changed[0].before.fields["jobTitle"].from.as_deref(),
        Some("Nurse")
    );
    assert_eq!(difference.same, 0);
    assert!(!difference.is_empty());
}
