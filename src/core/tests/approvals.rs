//! How a human of the tests approves, and that a yes covers what was shown and no more (RULES 8.4).

use super::world::{World, allowed, change, holds, row};
use crate::core::guard::Judged;
use crate::core::memory::decision::{About, Answer, Decision, WhyEnded};
use crate::core::memory::shown::Shown;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::model::ids::ItemId;
use crate::core::plan::{ActionKind, Change};
use chrono::Duration;
use std::collections::BTreeSet;

impl World {
    /// A human approves these items with what is shown now.
    pub fn approve(&mut self, judged: &Judged, wanted: impl Fn(&Change) -> bool) {
        for change in judged.plan.changes.iter().filter(|change| wanted(change)) {
            let Some(held) = judged.held.get(&change.id) else {
                continue;
            };
            let waives = held
                .iter()
                .filter(|reason| reason.approvable())
                .map(|reason| reason.code());
            let groups = judged.groups.of(&change.operator);
            let mut shown = Shown::of_operators(&change.operator, &judged.names, &groups);
            held.iter().map(Shown::of_reason).for_each(|of| shown.extend(of));
            self.decide(&change.id, Answer::Approve, waives.collect());
            let decision = self.decisions.get_mut(&change.id).expect("just decided");
            decision.about.shown = Some(shown);
        }
    }

    pub fn decide(&mut self, item: &ItemId, answer: Answer, waives: BTreeSet<String>) {
        let input = self.input();
        let wanted = self.plan().changes;
        let change = wanted.iter().find(|change| change.id == *item);
        let decision = Decision {
            item: item.clone(),
            answer,
            waives,
            by: "tester".to_owned(),
            at: self.now,
            until: (answer == Answer::Approve).then(|| self.now + Duration::days(7)),
            note: None,
            about: About {
                shown: Some(change.map_or_else(Shown::default, |it| Shown::of_change(it, &input))),
                ..About::default()
            },
        };
        self.decisions.insert(item.clone(), decision);
    }
}

const ARCHIVE: &str = "archive c-E001";

/// `E001` leaves with an operator, and somebody has approved that.
fn approved_leaver() -> World {
    let mut world = World::of(20);
    world.leaves("E001");
    world.operator("o-1", "c-E001", false, OperatorKind::Regular);
    world.operator("o-2", "c-E002", false, OperatorKind::Regular);
    let both = ["o-1".into(), "o-2".into()];
    world.groups.insert("Desk".to_owned(), both.into());
    let judged = world.judged();
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.judged()), [ARCHIVE]);
    world
}

#[test]
fn an_operator_who_is_called_otherwise_or_is_in_a_group_more_ends_the_yes() {
    let mut renamed = approved_leaver();
    let operator = renamed.operators.get_mut(&"o-1".into()).expect("the operator");
    operator.login_name = Some("boss".into());
    let mut promoted = approved_leaver();
    let both = ["o-1".into(), "o-2".into()];
    promoted.groups.insert("Managers".to_owned(), both.into());
    for world in [renamed, promoted] {
        let judged = world.judged();
        assert_eq!(holds(&judged, ARCHIVE), ["over_budget:operators", "approval_outdated"]);
        let item = &change(&judged.plan, ARCHIVE).id;
        assert_eq!(judged.ended[item], WhyEnded::OperatorChanged);
    }
    // A group less is no more than was shown.
    let mut less = approved_leaver();
    less.groups.clear();
    assert_eq!(allowed(&less.judged()), [ARCHIVE]);
}

#[test]
fn a_yes_of_which_nobody_noted_what_it_showed_is_asked_for_once_more() {
    let mut world = approved_leaver();
    let old = |world: &mut World| world.decisions.values_mut().for_each(|it| it.about.shown = None);
    old(&mut world);
    let judged = world.judged();
    assert_eq!(holds(&judged, ARCHIVE), ["over_budget:operators", "approval_outdated"]);
    let item = &change(&judged.plan, ARCHIVE).id;
    assert_eq!(judged.ended[item], WhyEnded::NotNoted);
    // The yes is gone after that run, and with it what was said of it.
    world.decisions.clear();
    let judged = world.judged();
    assert_eq!(holds(&judged, ARCHIVE), ["over_budget:operators"]);
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.judged()), [ARCHIVE]);
    // A card that may be theirs is more than the id of the new one says; a yes to what the id says all of is good.
    let mut alike = World::of(20);
    alike.card("c-1", &row("N001").with("key", "").with("email", ""));
    alike.hr().rows.push(row("N001"));
    let judged = alike.judged();
    alike.approve(&judged, |change| change.action.kind() == ActionKind::Create);
    old(&mut alike);
    assert_eq!(
        holds(&alike.judged(), "create N001"),
        ["adopt_or_create", "approval_outdated"]
    );
}

#[test]
fn a_yes_to_a_new_card_says_nothing_of_a_card_that_was_not_shown() {
    let mut world = World::of(20);
    world.card("c-1", &row("N001").with("key", "").with("email", ""));
    world.hr().rows.push(row("N001"));
    let judged = world.judged();
    world.approve(&judged, |change| change.action.kind() == ActionKind::Create);
    assert_eq!(allowed(&world.judged()), ["create N001"]);
    let mut second = world.clone();
    second.card("c-2", &row("N001").with("key", "").with("email", ""));
    assert_eq!(holds(&second.judged(), "create N001"), ["adopt_or_create"]);
    // What was shown agrees less: the same card, and less of a doubt.
    world.set_text("c-1", CardField::SurName, "Other");
    assert_eq!(allowed(&world.judged()), ["create N001"]);
}

#[test]
fn an_adoption_that_empties_a_login_equal_to_the_number_is_still_one_answer_of_the_question() {
    let mut world = World::of(20);
    // The login on the card is the number, and the source has none.
    world.card("c-1", &row("N001").with("key", ""));
    world.hr().rows.push(row("N001").with("login", ""));
    let judged = world.judged();
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.judged()), Vec::<String>::new());
}
