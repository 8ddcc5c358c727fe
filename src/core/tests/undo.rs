//! The way back, and what keeps the sync from doing again what was undone (RULES 1, 5, 6).

use super::world::{World, allowed, change, holds, key, name, row};
use crate::core::guard::{Judged, judge};
use crate::core::input::PlanInput;
use crate::core::memory::pin::{Pin, Pinned, standing, with_new};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::ItemId;
use crate::core::plan::{Action, ActionKind, Change};
use crate::tools::undo::{Author, Deed, Part, Undo, WhyKept, Written, part_of, undo};

fn author() -> Author {
    Author {
        by: "ann".to_owned(),
        run: "undo-1".into(),
    }
}

/// Carries a change out on the world, and gives the deed.
fn did(world: &mut World, change: &Change) -> Deed {
    let id = change.card.clone().expect("a change of a card");
    let operators = world
        .operators
        .values()
        .filter(|it| it.linked_person.as_ref() == Some(&id))
        .cloned()
        .collect();
    let card = world.cards.get_mut(&id).expect("the card");
    let before = card.clone();
    match &change.action {
        Action::Archive { .. } => card.archived = true,
        Action::Unarchive { .. } => card.archived = false,
        other => {
            for field in other.fields() {
                card.fields.set(field.field, field.to.clone());
            }
        }
    }
    card.modified_at = Some(world.now);
    let after = card.clone();
    if let Action::Archive { .. } = change.action {
        for operator in world
            .operators
            .values_mut()
            .filter(|it| it.linked_person.as_ref() == Some(&id))
        {
            operator.archived = true;
        }
    }
    Deed {
        run: "run-1".into(),
        item: change.id.clone(),
        action: change.action.kind(),
        card: Some(id),
        at: world.now,
        certain: true,
        written: Some(Written {
            change: change.clone(),
            step: change.steps().remove(0),
            before: Some(before),
            after: Some(after),
            operators_before: operators,
        }),
    }
}

fn back(input: &PlanInput, deeds: &[Deed]) -> (Undo, Judged) {
    let way = undo(input, deeds, &author());
    let judged = judge(way.plan.clone(), input);
    (way, judged)
}

fn whys(undo: &Undo) -> Vec<(Option<CardField>, WhyKept)> {
    undo.kept.iter().map(|kept| (kept.field, kept.why.clone())).collect()
}

/// A leaver whose archive is undone: the world after the archive, and its deed.
fn archived() -> (World, Deed) {
    let mut world = World::of(60);
    world.hr().set("E001", "status", "left");
    world.entry("c-E001").leaving_since = Some(world.now - chrono::Duration::hours(48));
    let judged = world.judged();
    assert_eq!(allowed(&judged), ["archive c-E001"]);
    let deed = did(&mut world, change(&judged.plan, "archive c-E001"));
    (world, deed)
}

#[test]
fn an_archive_goes_back_and_is_not_done_again_until_the_source_changes() {
    let (mut world, deed) = archived();
    let (way, judged) = back(&world.input(), std::slice::from_ref(&deed));
    assert_eq!(allowed(&judged), ["unarchive c-E001"]);
    let unarchive = change(&judged.plan, "unarchive c-E001").clone();
    world.pins = way.pins[&unarchive.id].clone();
    did(&mut world, &unarchive);
    let judged = world.judged();
    assert!(allowed(&judged).is_empty());
    assert_eq!(holds(&judged, "archive c-E001"), [world.pins[0].reason().code()]);
    assert_eq!(standing(&judged.plan, &world.pins), world.pins);
    // The record says that the person stays: the pin has nothing to hold any more.
    world.hr().set("E001", "status", "");
    let judged = world.judged();
    assert!(standing(&judged.plan, &world.pins).is_empty());
}

#[test]
fn an_approval_of_one_undo_is_none_of_the_next() {
    let pin = |minutes| Pin {
        card: "c".into(),
        what: Pinned::Unarchive,
        by: "ann".to_owned(),
        at: World::new().now + chrono::Duration::minutes(minutes),
        run: "r".into(),
    };
    assert_ne!(pin(0).reason().code(), pin(1).reason().code());
    assert_eq!(with_new(&[pin(0)], &[pin(1)]), [pin(1)]);
}

#[test]
fn a_card_that_somebody_touched_stays_archived() {
    let (mut world, deed) = archived();
    let later = world.now + chrono::Duration::minutes(5);
    world.card_mut("c-E001").modified_at = Some(later);
    let (way, judged) = back(&world.input(), &[deed]);
    assert!(judged.plan.changes.is_empty());
    assert_eq!(whys(&way), [(None, WhyKept::TouchedSince)]);
}

#[test]
fn an_operator_is_woken_by_an_undo_only_with_an_approval() {
    let mut world = World::of(60);
    world.operator("op", "c-E001", false, OperatorKind::Regular);
    world.hr().set("E001", "status", "left");
    world.entry("c-E001").leaving_since = Some(world.now - chrono::Duration::hours(48));
    let judged = world.judged();
    let deed = did(&mut world, change(&judged.plan, "archive c-E001"));
    let (_, judged) = back(&world.input(), &[deed]);
    assert_eq!(holds(&judged, "unarchive c-E001"), ["over_budget:operators_woken"]);
}

#[test]
fn protected_special_and_anonymized_cards_are_left_alone() {
    type Happens = fn(&mut World);
    let cases: [(Happens, WhyKept); 4] = [
        (
            |world| world.operator("api", "c-E001", true, OperatorKind::ApiAccount),
            WhyKept::SpecialAccount,
        ),
        (
            |world| {
                world.policy.protected.keys.insert(key("E001"));
            },
            WhyKept::Protected,
        ),
        (
            |world| world.set_text("c-E001", CardField::SurName, "****"),
            WhyKept::AnonymizedSince,
        ),
        (
            |world| {
                world.cards.remove(&"c-E001".into());
            },
            WhyKept::CardGone,
        ),
    ];
    for (what, why) in cases {
        let (mut world, deed) = archived();
        what(&mut world);
        let (way, judged) = back(&world.input(), &[deed]);
        assert!(judged.plan.changes.is_empty(), "{why:?}");
        assert_eq!(whys(&way), [(None, why)]);
    }
}

#[test]
fn a_number_that_another_active_card_has_is_not_doubled() {
    let (mut world, deed) = archived();
    let row = world.sources[0].rows[0].clone();
    world.card("c-other", &row);
    let (way, _) = back(&world.input(), &[deed]);
    assert_eq!(whys(&way), [(None, WhyKept::KeyElsewhere { card: "c-other".into() })]);
}

/// Two fields of one card changed.
fn updated() -> (World, Deed) {
    let mut world = World::of(60);
    world.hr().set("E001", "job", "Nurse");
    world.hr().set("E001", "sur", "Groot");
    let judged = world.judged();
    let deed = did(&mut world, change(&judged.plan, "update c-E001"));
    (world, deed)
}

#[test]
fn fields_go_back_where_nobody_changed_them_since() {
    let (mut world, deed) = updated();
    world.set_text("c-E001", CardField::SurName, "Klein");
    let (way, judged) = back(&world.input(), &[deed]);
    let fields: Vec<CardField> = change(&judged.plan, "update c-E001")
        .action
        .fields()
        .iter()
        .map(|it| it.field)
        .collect();
    assert_eq!(fields, [CardField::JobTitle]);
    assert_eq!(whys(&way), [(Some(CardField::SurName), WhyKept::ChangedSince)]);
}

#[test]
fn of_an_update_only_the_undone_fields_wait() {
    let (mut world, deed) = updated();
    let (way, judged) = back(&world.input(), &[deed]);
    let undone = change(&judged.plan, "update c-E001").clone();
    world.pins = way.pins[&undone.id].clone();
    world.pins.retain(|pin| pin.place() == "field surName");
    did(&mut world, &undone);
    let judged = world.judged();
    let of = |id: &ItemId| judged.plan.changes.iter().find(|it| it.id == *id).expect("planned");
    let passing: Vec<_> = judged
        .approved
        .changes()
        .iter()
        .map(|it| it.change().action.fields()[0].field)
        .collect();
    let waiting: Vec<_> = judged.held.keys().map(|id| of(id).action.fields()[0].field).collect();
    assert_eq!(
        (passing, waiting),
        (vec![CardField::JobTitle], vec![CardField::SurName])
    );
    // Another value is another matter.
    world.hr().set("E001", "sur", "Anders");
    assert!(world.judged().held.is_empty());
}

#[test]
fn a_key_that_was_written_is_taken_off_and_the_card_stays_known() {
    let mut world = World::of(60);
    let row = super::world::row("Z1");
    world.hr().rows.push(row.clone());
    world.card("c-keyless", &row.with("key", ""));
    let judged = world.judged();
    let adopt = judged
        .plan
        .changes
        .iter()
        .find(|it| it.action.kind() == ActionKind::Adopt)
        .expect("an adoption");
    let adopt = adopt.clone();
    let deed = did(&mut world, &adopt);
    world.ours("c-keyless");
    let (way, judged) = back(&world.input(), &[deed]);
    let off = judged
        .plan
        .changes
        .iter()
        .find(|it| it.action.kind() == ActionKind::Adopt)
        .expect("a way back")
        .clone();
    assert_eq!(off.action.fields()[0].field, CardField::EmployeeNumber);
    assert_eq!(off.action.fields()[0].to, None);
    assert_eq!(holds(&judged, &name(&off)), ["over_budget:keys"]);
    world.pins = way.pins[&off.id].clone();
    did(&mut world, &off);
    let judged = world.judged();
    assert!(allowed(&judged).is_empty(), "{:?}", allowed(&judged));
    let adopt = judged
        .plan
        .changes
        .iter()
        .find(|it| it.action.kind() == ActionKind::Adopt)
        .expect("offered again");
    assert!(
        holds(&judged, &name(adopt))
            .iter()
            .any(|code| code.starts_with("undone:"))
    );
}

#[test]
fn a_part_is_one_person_or_one_class() {
    let (_, archive) = archived();
    let (_, update) = updated();
    let named = |class: &str| Part {
        class: Some(class.to_owned()),
        ..Part::default()
    };
    let both = || vec![archive.clone(), update.clone()];
    assert_eq!(part_of(both(), &named("archive")), std::slice::from_ref(&archive));
    assert_eq!(part_of(both(), &named("names")), std::slice::from_ref(&update));
    let of = |text: &str| Part {
        only: Some(key(text)),
        ..Part::default()
    };
    assert_eq!(part_of(both(), &of("E001")).len(), 2);
    assert!(part_of(both(), &of("E002")).is_empty());
}

#[test]
fn what_is_in_doubt_or_forgotten_stays() {
    let (world, mut deed) = archived();
    deed.certain = false;
    assert_eq!(
        whys(&back(&world.input(), std::slice::from_ref(&deed)).0),
        [(None, WhyKept::InDoubt)]
    );
    deed.written = None;
    assert_eq!(whys(&back(&world.input(), &[deed]).0), [(None, WhyKept::Forgotten)]);
}

#[test]
fn a_login_goes_back_once_the_other_card_has_given_it_up() {
    let mut world = World::of(60);
    for (card, key, login) in [("c-E001", "E001", "a"), ("c-E002", "E002", "b")] {
        world.set_text(card, CardField::TasLoginName, login);
        world.hr().set(key, "login", login);
    }
    world.hr().set("E001", "login", "c");
    world.hr().set("E002", "login", "a");
    let judged = world.judged();
    let deeds: Vec<Deed> = judged.plan.changes.iter().map(|it| did(&mut world, it)).collect();
    let login = |world: &World, card: &str| {
        world.cards[&card.into()]
            .fields
            .text(CardField::TasLoginName)
            .map(str::to_owned)
    };
    assert_eq!(login(&world, "c-E002").as_deref(), Some("a"));
    let (_, judged) = back(&world.input(), &deeds);
    let order: Vec<String> = judged.approved.changes().iter().map(|it| name(it.change())).collect();
    assert_eq!(order, ["update c-E002", "update c-E001"]);
    // Kept by somebody else now, it does not go back.
    world.set("c-E002", CardField::TasLoginName, Some(FieldValue::Text("d".into())));
    world.set_text("c-E003", CardField::TasLoginName, "a");
    let (way, _) = back(&world.input(), &deeds);
    assert!(
        whys(&way).contains(&(Some(CardField::TasLoginName), WhyKept::LoginHeld)),
        "{:?}",
        whys(&way)
    );
}

/// A leaver whose card had no number: it was given and the card archived, in one change.
fn numbered_and_archived() -> (World, Deed) {
    let mut world = World::of(20);
    world.card("c-1", &row("L001").with("login", "").with("key", ""));
    world.hr().rows.push(row("L001").with("end", "2026-02-20"));
    world.contact.apart.known.insert(key("L001"));
    let change = change(&world.plan(), "archive c-1").clone();
    let deed = did(&mut world, &change);
    world.set_text("c-1", CardField::EmployeeNumber, "L001");
    world.ours("c-1").key = Some(key("L001"));
    (world, deed)
}

#[test]
fn the_number_of_a_leavers_card_goes_back_after_a_yes_of_its_own() {
    let (world, deed) = numbered_and_archived();
    let input = world.input();
    let way = undo(&input, std::slice::from_ref(&deed), &author());
    let judged = judge(way.plan, &input);
    assert_eq!(allowed(&judged), ["unarchive c-1"]);
    let number = &change(&judged.plan, "adopt c-1").action.fields()[0];
    assert_eq!((number.field, &number.to), (CardField::EmployeeNumber, &None));
}

#[test]
fn another_number_on_a_leavers_card_stays() {
    let (mut world, deed) = numbered_and_archived();
    world.set_text("c-1", CardField::EmployeeNumber, "777");
    let way = undo(&world.input(), &[deed], &author());
    assert!(whys(&way).contains(&(Some(CardField::EmployeeNumber), WhyKept::ChangedSince)));
}
