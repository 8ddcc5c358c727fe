//! What words and lists decide, and lives of decisions at random.

mod lives;
mod lives_steps;

use super::*;
use crate::core::memory::decision::HeldItem;
use crate::core::model::card::OperatorLink;
use crate::core::model::key::Key;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{Action, Change, HoldReason, item_id};
use chrono::TimeZone;

fn waits_for(reasons: &[HoldReason]) -> KeptHold {
    let mut change = Change {
        id: "".into(),
        action: Action::Archive {
            reason: None,
            disarm: Vec::new(),
            apart: Default::default(),
            number: Vec::new(),
        },
        key: Some(Key::stored("1")),
        raw_key: None,
        card: Some("c1".into()),
        operator: OperatorLink::ProvenNone,
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts: Vec::new(),
        why: Vec::new(),
        anchors: Vec::new(),
        overwrites: BTreeSet::new(),
        access_later: false,
        seen_in: Vec::new(),
    };
    change.id = item_id(&change);
    KeptHold {
        plan: "p1".into(),
        item: HeldItem {
            change: ChangeView::new(&change, reasons),
            name: None,
            reasons: reasons.to_vec(),
            since: Utc.timestamp_opt(0, 0).single().expect("a valid time"),
            run: "r1".into(),
            set_aside: None,
            judged_at: None,
        },
        undoes: None,
    }
}

fn said() -> Said<'static> {
    Said {
        by: "tester",
        note: None,
        until: None,
        now: Utc.timestamp_opt(100, 0).single().expect("a valid time"),
    }
}

fn approve(items: Vec<KeptHold>, decided: Vec<Decision>) -> Decision {
    let waiting = Waiting {
        items,
        decided,
        snapshots: Vec::new(),
        ..Waiting::default()
    };
    let words = [waiting.items[0].item.change.id.to_string()];
    decide(&waiting, &words, Answer::Approve, said())
        .expect("it waits")
        .decisions
        .remove(0)
}

#[test]
fn a_second_reason_does_not_bring_back_the_first_one() {
    let first = approve(vec![waits_for(&[HoldReason::OperatorUnproven])], Vec::new());
    assert_eq!(first.waives, BTreeSet::from(["operator_unproven".to_owned()]));
    let second = approve(vec![waits_for(&[HoldReason::ConfigChanged])], vec![first]);
    let both = ["config_changed", "operator_unproven"].map(str::to_owned);
    assert_eq!(second.waives, BTreeSet::from(both));
}

#[test]
fn a_class_never_answers_a_doubt_about_one_person() {
    let waiting = Waiting {
        items: vec![waits_for(&[HoldReason::AnotherPerson, HoldReason::FirstContact])],
        ..Waiting::default()
    };
    let id = waiting.items[0].item.change.id.clone();
    let say = |word: &str, answer| decide(&waiting, &[word.to_owned()], answer, said()).expect("it waits");
    for word in ["archive", "p1"] {
        let decided = say(word, Answer::Approve);
        assert!(decided.decisions.is_empty(), "{word}: {decided:?}");
        assert_eq!(decided.one_by_one, std::slice::from_ref(&id));
    }
    assert_eq!(say(id.as_str(), Answer::Approve).decisions.len(), 1);
    assert_eq!(
        say("archive", Answer::Reject).decisions.len(),
        1,
        "to say no lifts nothing"
    );
}

#[test]
fn a_class_leaves_alone_what_was_approved_by_its_id_and_does_not_call_it_open() {
    let mut waiting = Waiting {
        items: vec![waits_for(&[HoldReason::AnotherPerson])],
        ..Waiting::default()
    };
    let id = waiting.items[0].item.change.id.to_string();
    let say = |waiting: &Waiting, word: &str| decide(waiting, &[word.to_owned()], Answer::Approve, said()).unwrap();
    waiting.decided = say(&waiting, &id).decisions;
    assert_eq!(say(&waiting, "archive"), Decided::default());
    waiting.items = vec![waits_for(&[HoldReason::AnotherPerson, HoldReason::OperatorUnproven])];
    assert_eq!(
        say(&waiting, "archive").one_by_one.len(),
        1,
        "a reason more, which nobody has answered"
    );
}

#[test]
fn an_approval_after_a_rejection_starts_anew() {
    let mut rejected = approve(vec![waits_for(&[HoldReason::OperatorUnproven])], Vec::new());
    rejected.answer = Answer::Reject;
    let second = approve(vec![waits_for(&[HoldReason::ConfigChanged])], vec![rejected]);
    assert_eq!(second.waives, BTreeSet::from(["config_changed".to_owned()]));
}

/// A new card for somebody, and cards that may be theirs already.
fn question(cards: &[&str]) -> Waiting {
    let doubt = [HoldReason::AdoptOrCreate {
        cards: cards.iter().map(|card| (*card).into()).collect(),
        agree: BTreeSet::new(),
    }];
    let item = |action: ActionKind, card: Option<&str>| {
        let mut kept = waits_for(&doubt);
        kept.item.change.id = format!("{action}-{}", card.unwrap_or_default()).as_str().into();
        kept.item.change.action = action;
        kept.item.change.person_id = card.map(Into::into);
        kept
    };
    let adoptions = cards.iter().map(|card| item(ActionKind::Adopt, Some(card)));
    Waiting {
        items: adoptions.chain([item(ActionKind::Create, None)]).collect(),
        ..Waiting::default()
    }
}

#[test]
fn two_answers_to_one_question_are_refused_with_their_lines() {
    let waiting = question(&["c1", "c2"]);
    let answers = [(2, Answer::Approve), (3, Answer::Reject), (4, Answer::Approve)];
    let lines = waiting
        .items
        .iter()
        .zip(answers)
        .map(|(kept, (line, answer))| SheetDecision {
            item: kept.item.change.id.clone(),
            answer,
            note: None,
            line,
        });
    let mut lines: Vec<SheetDecision> = lines.collect();
    let refused = decide_sheet(&waiting, &lines, said()).expect_err("two answers");
    assert_eq!(
        refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "of number 1 only one can be approved: line 2: card c1 [adopt-c1]; line 4: a new card [create-]; approve one, and reject \
          the others or leave them"
        ]
    );
    lines.pop();
    assert_eq!(
        decide_sheet(&waiting, &lines, said())
            .expect("one answer")
            .decisions
            .len(),
        2
    );
}

#[test]
fn an_answer_that_stands_excludes_the_others_until_it_is_taken_back() {
    let mut waiting = question(&["c1", "c2"]);
    let say = |waiting: &Waiting, word: &str| decide(waiting, &[word.to_owned()], Answer::Approve, said());
    waiting.decided = say(&waiting, "adopt-c1").expect("the first answer").decisions;
    let refused = say(&waiting, "adopt-c2").expect_err("the second answer");
    assert!(
        refused[0]
            .to_string()
            .contains("card c1 [adopt-c1], which tester has approved (cardsync unapprove adopt-c1)"),
        "{refused:?}"
    );
    assert!(say(&waiting, "adopt-c1").is_ok(), "the same answer once more");
    assert_eq!(
        to_take_back(&waiting, &["[adopt-c1]".to_owned()]).expect("it is decided"),
        [ItemId::new("adopt-c1")]
    );
    assert!(to_take_back(&waiting, &["create-".to_owned()]).is_err());
    waiting.decided.clear();
    assert!(say(&waiting, "adopt-c2").is_ok());
}
