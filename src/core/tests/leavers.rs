//! Leavers whose card does not bear their number: none, or one that nobody of the sources has (RULES 8.7).

use super::world::{World, allowed, change, holds, key, names, row, skips};
use crate::core::memory::decision::Answer;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::plan::{ActionKind, SkipReason};
use crate::core::reads::snapshot::RejectionScope;
use std::collections::BTreeSet;

const ARCHIVE: &str = "archive c-1";

/// `L001` has left; the card with the same name and address, and an operator, bears this number.
fn world(number: &str) -> World {
    let mut world = World::of(20);
    world.card("c-1", &row("L001").with("login", "").with("key", number));
    world.operator("o-1", "c-1", false, OperatorKind::Regular);
    world.hr().rows.push(row("L001").with("end", "2026-02-20"));
    world.contact.apart.known.insert(key("L001"));
    world
}

#[test]
fn a_number_of_nobody_is_asked_about_like_none() {
    for (number, class) in [("", "adopt"), ("X-L001", "keys")] {
        let mut world = world(number);
        let judged = world.run();
        let class = format!("over_budget:{class}");
        let asked = [class.as_str(), "over_budget:operators", "leaver_without_number"];
        assert_eq!(holds(&judged, ARCHIVE), asked, "{number}");
        let written = change(&judged.plan, ARCHIVE).action.fields();
        assert_eq!(written[0].to, Some(FieldValue::Text("L001".into())));
        world.approve(&judged, |_| true);
        assert_eq!(allowed(&world.run()), [ARCHIVE]);
        let card = &world.cards[&"c-1".into()];
        assert!(card.archived && card.fields.text(CardField::EmployeeNumber) == Some("L001"));
        assert_eq!(names(&world.run().plan), Vec::<String>::new());
    }
}

#[test]
fn another_number_after_the_yes_is_another_question() {
    let mut world = world("");
    let judged = world.run();
    world.approve(&judged, |_| true);
    world.set_text("c-1", CardField::EmployeeNumber, "777");
    let asked = world.run();
    assert!(holds(&asked, ARCHIVE).contains(&"leaver_without_number".to_owned()));
    assert_ne!(change(&asked.plan, ARCHIVE).id, change(&judged.plan, ARCHIVE).id);
    assert!(change(&asked.plan, ARCHIVE).why[1].contains("the card has number 777"));
}

#[test]
fn a_card_that_was_theirs_is_found_whatever_stands_on_it_now() {
    let mut world = World::of(20);
    world.leaves("E001");
    for (field, text) in [
        (CardField::EmployeeNumber, "777"),
        (CardField::SurName, "Other"),
        (CardField::Email, "other@example.net"),
        (CardField::TasLoginName, "other"),
        (CardField::NetworkLoginName, "other"),
    ] {
        world.set_text("c-E001", field, text);
    }
    world.contact.apart.known.insert(key("E001"));
    assert_eq!(
        holds(&world.run(), "archive c-E001"),
        ["over_budget:keys", "leaver_without_number"]
    );
}

#[test]
fn what_is_not_sure_is_told_and_what_is_somebody_elses_is_nobodys_business() {
    let mut named = world("X-L001");
    named.set_text("c-1", CardField::Email, "other@example.net");
    let plan = named.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert!(skips(&plan).contains(&(SkipReason::LeaverMayHaveCard, "c-1".to_owned())));
    let told = plan
        .skipped
        .iter()
        .find(|skip| skip.reason == SkipReason::LeaverMayHaveCard);
    assert!(told.is_some_and(|skip| skip.detail.contains("card c-1 with number X-L001, with an operator")));
    // A number that somebody has: the card is theirs.
    let mut claimed = world("X-L001");
    claimed.hr().rows.push(row("X-L001"));
    let plan = claimed.plan();
    assert!(
        plan.changes
            .iter()
            .all(|change| change.action.kind() != ActionKind::Archive)
    );
    // A card of ours whose record has gone is judged by that.
    let mut ours = world("X-L001");
    ours.ours("c-1");
    ours.absent("c-1", "hr", 1, 1);
    assert_eq!(names(&ours.plan()), Vec::<String>::new());
}

#[test]
fn the_question_stays_when_the_record_goes_and_a_yes_given_then_is_good() {
    let mut world = world("");
    let asked = world.run();
    let id = change(&asked.plan, ARCHIVE).id.clone();
    world.hr().remove("L001");
    for _ in 0..2 {
        let judged = world.run();
        assert_eq!(change(&judged.plan, ARCHIVE).id, id);
        assert_eq!(holds(&judged, ARCHIVE), holds(&asked, ARCHIVE));
    }
    world.decide(&id, Answer::Reject, BTreeSet::new());
    assert!(holds(&world.run(), ARCHIVE).contains(&"rejected".to_owned()));
    world.decisions.clear();
    let judged = world.run();
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.run()), [ARCHIVE]);
    let card = &world.cards[&"c-1".into()];
    assert!(card.archived && card.fields.text(CardField::EmployeeNumber) == Some("L001"));
    world.run();
    assert!(world.contact.apart.asked.is_empty(), "it was answered");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

#[test]
fn what_was_only_told_of_a_leaver_is_told_on_when_the_record_goes() {
    let mut world = world("X-L001");
    world.set_text("c-1", CardField::Email, "other@example.net");
    let told = |world: &mut World| -> Vec<String> {
        let concerns = world.run().concerns;
        concerns.iter().map(|concern| concern.id.to_string()).collect()
    };
    let before = told(&mut world);
    assert_eq!(before.len(), 1);
    world.hr().remove("L001");
    assert_eq!(told(&mut world), before);
    assert_eq!(told(&mut world), before);
    world.card_mut("c-1").archived = true;
    assert_eq!(told(&mut world), Vec::<String>::new());
}

#[test]
fn a_read_that_cannot_say_who_is_missing_and_an_unusable_record_leave_the_question_as_it_is() {
    type Spoil = fn(&mut World);
    let spoils: [Spoil; 3] = [
        |world| world.hr().degrade(),
        |world| world.hr().reject(),
        |world| {
            let rejected = (Some("L001".to_owned()), RejectionScope::Record);
            world.hr().rejections.push(rejected);
        },
    ];
    for spoil in spoils {
        let mut world = world("");
        let asked = world.run();
        world.hr().remove("L001");
        let good = world.sources.clone();
        spoil(&mut world);
        assert_eq!(names(&world.run().plan), Vec::<String>::new());
        world.sources = good;
        assert_eq!(
            change(&world.run().plan, ARCHIVE).id,
            change(&asked.plan, ARCHIVE).id,
            "remembered all the time"
        );
    }
}

#[test]
fn out_of_scope_answers_nothing_either() {
    let mut world = world("");
    let asked = world.run();
    world.hr().set("L001", "scope", "no");
    assert_eq!(change(&world.run().plan, ARCHIVE).id, change(&asked.plan, ARCHIVE).id);
}

#[test]
fn the_question_ends_when_the_person_is_back_or_the_card_is_settled() {
    type Settle = fn(&mut World);
    let settles: [Settle; 4] = [
        |world| world.hr().rows.push(row("L001")),
        |world| world.card_mut("c-1").archived = true,
        |world| world.set_text("c-1", CardField::EmployeeNumber, "L001"),
        |world| world.card("c-2", &row("L001").with("login", "x").with("email", "x@example.net")),
    ];
    for settle in settles {
        let mut world = world("");
        world.run();
        world.hr().remove("L001");
        settle(&mut world);
        world.run();
        assert!(world.contact.apart.asked.is_empty());
        world.hr().rows.retain(|row| row.values["key"] != "L001");
        let archives = world.run().plan.changes.into_iter();
        assert_eq!(archives.filter(|it| it.action.kind() == ActionKind::Archive).count(), 0);
    }
}
