//! Two cards with each other's number are one question, done as a whole or not at all (RULES 1.8, 8.5, 10).

use super::world::{World, allowed, change, holds, key, names, row};
use crate::core::guard::judge;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::plan::concern::ConcernCode;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::safe_end::{HalfDone, Seen};
use crate::core::plan::{Action, ActionKind, CardTarget, Change, Step};
use crate::tools::undo::{Author, Deed, Part, Undo, WhyKept, Written, part_of, undo};
use proptest::prelude::*;

/// Ten people in step; what stands on these cards is another's, each the next one's, and the last one's the first's.
fn around(people: &[&str]) -> World {
    let mut world = World::of(10);
    for (at, number) in people.iter().enumerate() {
        let shown = people[(at + 1) % people.len()];
        let mut card = row(shown);
        card.values.insert("key", (*number).to_owned());
        let id = format!("c-{number}");
        world.card(&id, &card);
    }
    world
}

fn exchanged() -> World {
    around(&["E001", "E002"])
}

fn number(world: &World, card: &str) -> Option<String> {
    let text = world.cards[&CardId::from(card)].fields.text(CardField::EmployeeNumber);
    text.map(str::to_owned)
}

#[test]
fn two_cards_with_each_others_number_are_one_item_with_a_yes_of_its_own() {
    let mut world = exchanged();
    world.operator("o-1", "c-E002", false, OperatorKind::Regular);
    let judged = world.judged();
    assert_eq!(names(&judged.plan), ["exchange c-E001"]);
    assert_eq!(
        holds(&judged, "exchange c-E001"),
        ["over_budget:keys", "exchanged_numbers"]
    );
    let item = change(&judged.plan, "exchange c-E001");
    assert_eq!(item.cards(), [&CardId::from("c-E001"), &CardId::from("c-E002")]);
    assert!(
        item.why.iter().any(|why| why.contains("c-E002 has an operator")),
        "{:?}",
        item.why
    );
    // Who approves the class has not answered who it is.
    world.decide(
        &item.id,
        crate::core::memory::decision::Answer::Approve,
        ["over_budget:keys".to_owned()].into(),
    );
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
    world.decisions.clear();
    world.approve(&world.judged(), |_| true);
    assert_eq!(allowed(&world.run()), ["exchange c-E001"]);
    assert_eq!(number(&world, "c-E001").as_deref(), Some("E002"));
    assert_eq!(number(&world, "c-E002").as_deref(), Some("E001"));
    assert_eq!(names(&world.plan()), Vec::<String>::new(), "the second run is empty");
}

#[test]
fn that_one_of_the_two_leaves_is_another_question() {
    let mut world = exchanged();
    let before = world.judged();
    let asked = change(&before.plan, "exchange c-E001").id.clone();
    world.decide(
        &asked,
        crate::core::memory::decision::Answer::Reject,
        Default::default(),
    );
    world.leaves("E001");
    let judged = world.judged();
    let item = change(&judged.plan, "exchange c-E001");
    assert_ne!(item.id, asked);
    assert!(!item.evidence.is_empty());
    assert!(item.why.iter().any(|why| why.contains("one of the two leaves")));
    assert_eq!(
        holds(&judged, "exchange c-E001"),
        ["over_budget:keys", "exchanged_numbers"]
    );
}

#[test]
fn a_leaver_is_archived_by_the_card_that_is_theirs() {
    let mut world = exchanged();
    world.leaves("E001");
    // The number of E001 stands on the card of E002.
    let judged = world.judged();
    assert_eq!(
        names(&judged.plan),
        ["exchange c-E001"],
        "nothing else is offered for these cards"
    );
    world.approve(&judged, |_| true);
    world.run();
    // The evidence was seen under another number: it is as new as any.
    world.run();
    world.now += chrono::Duration::days(3);
    assert_eq!(names(&world.plan()), ["archive c-E002"]);
}

#[test]
fn a_third_who_could_be_shown_too_makes_no_exchange() {
    let mut world = exchanged();
    let mut double = row("E002");
    double.values.insert("key", "E003".to_owned());
    *world.hr().row_of("E003") = double;
    let kinds: Vec<ActionKind> = world.plan().changes.iter().map(|it| it.action.kind()).collect();
    assert!(!kinds.contains(&ActionKind::Exchange), "{kinds:?}");
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}

#[test]
fn a_circle_of_three_is_told_and_makes_no_second_card() {
    let world = around(&["E001", "E002", "E003"]);
    let judged = world.judged();
    assert_eq!(
        names(&judged.plan),
        ["update c-E001", "update c-E002", "update c-E003"],
        "each waits by itself"
    );
    for item in &judged.plan.changes {
        assert!(judged.held[&item.id].contains(&HoldReason::AnotherPerson));
        let told = item.why.iter().any(|why| why.contains("c-E001, c-E002, c-E003"));
        assert!(told, "{:?}", item.why);
    }
}

#[test]
fn whose_number_is_about_to_come_back_gets_no_card_meanwhile() {
    let mut world = exchanged();
    let plan = world.plan();
    let exchange = change(&plan, "exchange c-E001").clone();
    // Cut off after the first request: E001 stands on no card.
    take(&mut world, &exchange.steps()[0]);
    world.half_done.insert(HalfDone {
        key: exchange.key.clone(),
        other_key: exchange.other_side().map(|other| other.key.clone()),
        cards: exchange.cards().into_iter().cloned().collect(),
        begun: None,
    });
    let judged = world.judged();
    assert!(holds(&judged, "create E001").contains(&"half_done".to_owned()));
    assert_eq!(allowed(&judged), Vec::<String>::new());
}

fn take(world: &mut World, step: &Step) {
    let Step::PatchCard {
        card: CardTarget::Known(card),
        fields,
    } = step
    else {
        panic!("not a step of an exchange: {step:?}")
    };
    for change in fields {
        world.set(card.as_str(), change.field, change.to.clone());
    }
}

fn seen(world: &World) -> Seen {
    let cards = ["c-E001", "c-E002"].map(|id| world.cards[&CardId::from(id)].clone());
    Seen {
        cards: cards.into(),
        operators: Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Whichever of its requests took effect: the way to its safe end leaves both numbers right, or both as they were.
    #[test]
    fn an_exchange_cut_off_anywhere_ends_whole_or_not_begun(first in any::<bool>(), second in any::<bool>()) {
        let mut world = exchanged();
        let exchange = change(&world.plan(), "exchange c-E001").clone();
        let steps = exchange.steps();
        for (step, took) in steps.iter().zip([first, second]) {
            if took {
                take(&mut world, step);
            }
        }
        prop_assert_eq!(seen(&world).shows_all(&exchange), first && second);
        for step in exchange.safe_end().steps(&seen(&world)) {
            take(&mut world, &step);
        }
        let both = (number(&world, "c-E001"), number(&world, "c-E002"));
        let right = if first || second { ("E002", "E001") } else { ("E001", "E002") };
        prop_assert_eq!(both, (Some(right.0.to_owned()), Some(right.1.to_owned())));
        prop_assert!(exchange.safe_end().steps(&seen(&world)).is_empty(), "the safe end is an end");
    }
}

#[test]
fn what_somebody_wrote_there_meanwhile_stays_and_nothing_is_sent_while_a_half_may_land() {
    let mut world = exchanged();
    let exchange = change(&world.plan(), "exchange c-E001").clone();
    let steps = exchange.steps();
    let end = exchange.safe_end();
    assert!(steps.iter().all(|step| end.waits_for(step)));
    take(&mut world, &steps[0]);
    // Where TOPdesk refuses the second half the first goes back.
    let mut refused = world_like(&world);
    take(&mut refused, &end.last_resort(&seen(&world)).expect("a way back"));
    assert_eq!(number(&refused, "c-E001").as_deref(), Some("E001"));
    world.set_text("c-E002", CardField::EmployeeNumber, "E777");
    assert!(end.steps(&seen(&world)).is_empty());
    world.set("c-E002", CardField::EmployeeNumber, steps_from(&steps[1]));
    world.card_mut("c-E002").archived = true;
    assert!(end.steps(&seen(&world)).is_empty(), "an archived card is not edited");
}

fn steps_from(step: &Step) -> Option<FieldValue> {
    let Step::PatchCard { fields, .. } = step else {
        panic!("not a step of an exchange")
    };
    fields[0].from.clone()
}

/// Carries a change out on the world, and gives the deed of each of its requests.
fn did(world: &mut World, change: &Change) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for step in change.steps() {
        let id = step.card().expect("a card").clone();
        let before = world.cards[&id].clone();
        take(world, &step);
        deeds.push(Deed {
            run: "run-1".into(),
            item: change.id.clone(),
            action: change.action.kind(),
            card: Some(id.clone()),
            at: world.now,
            certain: true,
            written: Some(Written {
                change: change.clone(),
                step,
                before: Some(before),
                after: Some(world.cards[&id].clone()),
                operators_before: Vec::new(),
            }),
        });
    }
    deeds
}

fn back(world: &World, deeds: &[Deed]) -> Undo {
    let author = Author {
        by: "ann".to_owned(),
        run: "undo-1".into(),
    };
    undo(&world.input(), deeds, &author)
}

/// The two adoptions that an exchange was written as by earlier versions.
fn as_two(exchange: &Change) -> [Change; 2] {
    let of = |card: &CardId| Change {
        action: Action::Adopt {
            fields: exchange.fields_on(card).to_vec(),
        },
        key: exchange.key_of(card).cloned(),
        card: Some(card.clone()),
        ..exchange.clone()
    };
    let [one, two]: [&CardId; 2] = exchange.cards().try_into().expect("two cards");
    [of(one), of(two)]
}

#[test]
fn both_numbers_go_back_as_one_item_that_the_sync_does_not_do_again() {
    for split in [false, true] {
        let mut world = exchanged();
        let exchange = change(&world.plan(), "exchange c-E001").clone();
        let deeds: Vec<Deed> = if split {
            as_two(&exchange)
                .iter()
                .flat_map(|half| did(&mut world, half))
                .collect()
        } else {
            did(&mut world, &exchange)
        };
        let way = back(&world, &deeds);
        assert_eq!(
            (names(&way.plan), way.kept),
            (vec!["exchange c-E001".to_owned()], Vec::new())
        );
        let undoing = change(&way.plan, "exchange c-E001").clone();
        let judged = judge(way.plan, &world.input());
        assert_eq!(holds(&judged, "exchange c-E001"), ["over_budget:keys"]);
        world.pins = way.pins[&undoing.id].clone();
        did(&mut world, &undoing);
        assert_eq!(number(&world, "c-E001").as_deref(), Some("E001"));
        assert_eq!(number(&world, "c-E002").as_deref(), Some("E002"));
        let judged = world.judged();
        let held = holds(&judged, "exchange c-E001");
        assert!(held.iter().any(|code| code.starts_with("undone:")), "{held:?}");
    }
}

#[test]
fn where_one_cannot_go_back_the_other_stays_as_well() {
    let mut world = exchanged();
    let exchange = change(&world.plan(), "exchange c-E001").clone();
    let deeds = did(&mut world, &exchange);
    for spoil in [
        (|world: &mut World| world.set_text("c-E002", CardField::EmployeeNumber, "E777")) as fn(&mut World),
        |world| {
            world.policy.protected.cards.insert("c-E002".into());
        },
        |world| world.card_mut("c-E002").archived = true,
    ] {
        let mut world = world_like(&world);
        spoil(&mut world);
        let way = back(&world, &deeds);
        assert_eq!(names(&way.plan), Vec::<String>::new());
        let whys: Vec<&WhyKept> = way.kept.iter().map(|kept| &kept.why).collect();
        assert_eq!(whys.len(), 2, "{whys:?}");
    }
    // One half of what was written as two.
    let mut world = exchanged();
    let halves = as_two(&exchange);
    let deeds: Vec<Deed> = halves.iter().flat_map(|half| did(&mut world, half)).collect();
    let only = Part {
        only: Some(key("E001")),
        class: None,
    };
    let one = part_of(deeds, &only);
    assert_eq!(one.len(), 1);
    let way = back(&world, &one);
    assert_eq!(names(&way.plan), Vec::<String>::new());
    assert!(matches!(way.kept[0].why, WhyKept::KeyElsewhere { .. }));
}

/// The same once more: cards as they are now.
fn world_like(world: &World) -> World {
    let mut like = exchanged();
    like.cards.clone_from(&world.cards);
    like
}

#[test]
fn what_is_not_known_of_somebody_is_told_of_the_card_that_shows_them_and_its_operator() {
    let mut world = exchanged();
    world.operator("o-1", "c-E002", false, OperatorKind::Regular);
    // The number of E001 stands on the card of E002, and the card that shows E001 has an operator.
    world.hr().set("E001", "status", "?");
    let told = world.judged().concerns;
    let unknown: Vec<_> = told
        .iter()
        .filter(|concern| concern.code == ConcernCode::LeavingUnknown)
        .collect();
    let [unknown] = unknown.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(unknown.person_id, Some(CardId::from("c-E002")));
    assert!(unknown.concerns_operator());
}
