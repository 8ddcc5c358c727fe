//! Keys that are no keys (RULES 1.3, 2.5), and texts that were damaged on their way.

use super::world::{World, allowed, change, holds, key, names, row, text_of};
use crate::core::memory::decision::Answer;
use crate::core::model::field::CardField;
use crate::core::model::letters::{is_hidden, is_odd_blank};
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{Action, ActionKind};
use crate::core::reads::snapshot::{RejectionScope, Verdict};
use proptest::prelude::*;

/// So many people of `hr` with six digits, and rows with these keys beside them.
fn with(people: u32, others: &[&str]) -> World {
    let mut world = World::new();
    for number in 1..=people {
        world.staff(&format!("{}", 100_000 + number));
    }
    for other in others {
        world.hr().rows.push(row(other));
    }
    world
}

#[test]
fn a_key_like_no_other_waits_alone_and_the_joiners_go_on() {
    let junk = ["TOTAAL", "------", "NULL", "#N/B", "12"];
    let mut world = with(12, &junk);
    // As many joiners as the class takes in a day.
    for joiner in ["100050", "100051", "100052"] {
        world.hr().rows.push(row(joiner));
    }
    let judged = world.judged();
    let joiners = ["create 100050", "create 100051", "create 100052"];
    assert_eq!(
        allowed(&judged),
        joiners,
        "{:?}",
        joiners.map(|name| holds(&judged, name))
    );
    for key in junk {
        assert!(
            holds(&judged, &format!("create {key}")).contains(&"odd_key".to_owned()),
            "{key}"
        );
    }
}

#[test]
fn somebody_with_such_a_number_is_created_once_it_is_approved_and_the_next_of_the_kind_passes() {
    let mut world = with(12, &["X-1"]);
    let judged = world.judged();
    assert_eq!(holds(&judged, "create X-1"), ["odd_key"]);
    world.approve(&judged, |change| change.key == Some(key("X-1")));
    assert_eq!(allowed(&world.run()), ["create X-1"]);
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    world.hr().rows.push(row("X-2"));
    assert_eq!(allowed(&world.judged()), ["create X-2"]);
}

#[test]
fn a_rejected_odd_key_stays_quiet() {
    let mut world = with(12, &["TOTAAL"]);
    let item = change(&world.plan(), "create TOTAAL").id.clone();
    world.decide(&item, Answer::Reject, [].into());
    assert_eq!(holds(&world.judged(), "create TOTAAL"), ["odd_key", "rejected"]);
}

#[test]
fn an_adoption_that_would_write_an_odd_key_says_so() {
    let mut world = with(12, &["TOTAAL"]);
    world.card("c-other", &row("TOTAAL").with("key", ""));
    let judged = world.judged();
    for item in ["create TOTAAL", "adopt c-other"] {
        assert!(holds(&judged, item).contains(&"odd_key".to_owned()), "{item}");
    }
}

#[test]
fn a_key_with_a_character_that_nobody_sees_is_rejected_and_its_card_is_left() {
    let mut world = with(12, &[]);
    let odd = "1000\u{200b}51";
    world.hr().rows.push(row(odd));
    world.card("c-odd", &row(odd));
    world.ours("c-odd").key = Some(key(odd));
    world.absent("c-odd", "hr", 5, 200);
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    let rejected = &plan.rejections[0];
    assert!(
        rejected.message.contains("U+200B (zero width space)"),
        "{}",
        rejected.message
    );
    assert_eq!(rejected.scope, RejectionScope::Record);
}

#[test]
fn a_card_whose_key_only_looks_the_same_is_offered() {
    let mut world = with(12, &["100051"]);
    world.card(
        "c-odd",
        &row("1000\u{200b}51")
            .with("sur", "Else")
            .with("first", "Else")
            .with("email", "")
            .with("login", ""),
    );
    let judged = world.judged();
    assert!(holds(&judged, "create 100051").contains(&"adopt_or_create".to_owned()));
    assert_eq!(allowed(&judged), Vec::<String>::new());
    let adopt = change(&judged.plan, "adopt c-odd");
    let Action::Adopt { fields } = &adopt.action else {
        panic!("{adopt:?}")
    };
    assert_eq!(fields[0].field, CardField::EmployeeNumber);
}

#[test]
fn a_damaged_name_is_not_written_and_its_leaver_leaves() {
    let mut world = with(12, &[]);
    world.hr().set("100001", "sur", "BrontÃ«");
    world.hr().set("100002", "sur", "X'4dc3bc6c6c6572'");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
    let told: Vec<_> = world
        .plan()
        .rejections
        .iter()
        .map(|rejection| rejection.message.clone())
        .collect();
    assert!(
        told.iter().any(|told| told.starts_with("'sur' looks like UTF-8")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|told| told.starts_with("'sur' is in hexadecimal")),
        "{told:?}"
    );
    world.hr().rows.push(row("100050").with("first", "ZoÃ«"));
    assert_eq!(
        names(&world.plan()),
        Vec::<String>::new(),
        "no card is made for such a name"
    );
    let (yesterday, now) = ("2026-02-20", world.now);
    world.hr().set("100001", "end", yesterday);
    world.ours("c-100001").leaving_since = Some(now - chrono::Duration::days(3));
    assert_eq!(allowed(&world.judged()), ["archive c-100001"]);
}

#[test]
fn a_read_of_which_most_cannot_be_read_is_rejected() {
    let mut world = with(3, &[]);
    for number in 0..3 {
        world
            .hr()
            .rejections
            .push((Some(format!("10010{number}")), RejectionScope::Record));
    }
    let verdict = |world: &World| world.input().snapshots[0].summary.verdict.clone();
    assert_eq!(verdict(&world), Verdict::Complete);
    world.hr().rejections.push((None, RejectionScope::Record));
    assert_eq!(verdict(&world), Verdict::Rejected);
    let item = world.input().snapshots[0]
        .summary
        .acceptance
        .clone()
        .expect("it can be accepted");
    world.hr().history.accepted.insert(item);
    assert_eq!(verdict(&world), Verdict::Complete);
}

/// Anything that may stand in the column of the key.
fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        (100_000_u32..100_400).prop_map(|number| number.to_string()),
        "[A-Za-z#=/_. -]{1,12}",
        "[0-9]{1,8}",
        (
            "[0-9]{3}",
            prop_oneof![
                Just('\u{200b}'),
                Just('\u{202e}'),
                Just('\u{a0}'),
                Just('\n'),
                Just('\u{1b}'),
                Just('\u{ad}')
            ],
            "[0-9]{3}"
        )
            .prop_map(|(before, letter, after)| format!("{before}{letter}{after}")),
        (
            prop_oneof![Just("\u{feff}"), Just("\u{200b} "), Just("\r")],
            100_000_u32..100_400
        )
            .prop_map(|(padding, number)| format!("{padding}{number}")),
    ]
}

proptest! {
    /// Whatever stands in the column of the key: no request carries a character in a key that nobody sees, and no key
    /// without a digit gets a card among numbers unless a human decided about that very item.
    #[test]
    fn no_key_that_is_none_is_written(keys in proptest::collection::vec(any_key(), 0..12)) {
        let mut world = with(40, &[]);
        for key in &keys {
            world.hr().rows.push(row(key));
        }
        let judged = world.judged();
        for change in judged.approved.changes().iter().map(|approved| approved.change()) {
            let Some(written) = text_of(change, CardField::EmployeeNumber) else { continue };
            prop_assert!(written.chars().all(|letter| !is_hidden(letter) && !is_odd_blank(letter)), "{written:?}");
            prop_assert!(written.contains(|letter: char| letter.is_ascii_digit()), "{written:?}");
        }
        // An odd key is held by itself: it never makes the class of the others too many.
        for change in &judged.plan.changes {
            let held = judged.held.get(&change.id).map_or(&[][..], Vec::as_slice);
            let odd = held.iter().any(|reason| matches!(reason, HoldReason::OddKey { .. }));
            let over = held.iter().find_map(|reason| match reason {
                HoldReason::OverBudget { count, .. } if !odd => Some(*count),
                _other => None,
            });
            let sound = judged.plan.changes.iter().filter(|other| {
                let reasons = judged.held.get(&other.id).map_or(&[][..], Vec::as_slice);
                other.action.kind() == ActionKind::Create && !reasons.iter().any(|reason| matches!(reason, HoldReason::OddKey { .. }))
            });
            if let Some(count) = over.filter(|_| change.action.kind() == ActionKind::Create) {
                prop_assert_eq!(count, sound.count() as u64);
            }
        }
    }
}
