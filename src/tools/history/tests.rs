use super::*;
use crate::core::memory::decision::{Answer, Decision};
use crate::core::model::card::OperatorLink;
use crate::core::model::field::FieldValue;
use crate::core::plan::{Action, FieldChange};
use crate::engine::records::ItemDetail;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600 + seconds, 0).unwrap()
}

fn change() -> Change {
    Change {
        id: "i1".into(),
        action: Action::Update {
            fields: vec![FieldChange {
                field: crate::core::model::field::CardField::SurName,
                from: FieldValue::text("Bakker"),
                to: FieldValue::text("Groot"),
            }],
        },
        key: Some(Key::stored("100002")),
        raw_key: None,
        card: Some("c2".into()),
        operator: OperatorLink::ProvenNone,
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts: Vec::new(),
        why: vec!["the sources say so".to_owned()],
        anchors: Vec::new(),
        overwrites: std::collections::BTreeSet::new(),
        access_later: false,
        seen_in: Vec::new(),
    }
}

fn request(id: i64, outcome: Option<Ended>) -> JournalEntry {
    JournalEntry {
        id,
        run: "r1".into(),
        plan: "p1".into(),
        item: "i1".into(),
        action: ActionKind::Update,
        step: "patch_card".to_owned(),
        step_index: 0,
        key: Some(Key::stored("100002")),
        card: Some("c2".into()),
        sent_at: at(id),
        approval: None,
        outcome,
        outcome_at: outcome.map(|_| at(id + 1)),
        message: None,
        settled: None,
        settled_at: None,
        settled_run: None,
        values: Some(JournalValues {
            change: change(),
            before: None,
            after: None,
            operators: Vec::new(),
        }),
    }
}

fn item(outcome: Ended) -> RunItem {
    RunItem {
        item: "i1".into(),
        action: ActionKind::Update,
        key: Some(Key::stored("100002")),
        card: Some("c2".into()),
        outcome,
        detail: ItemDetail::default(),
    }
}

#[test]
fn attempts_are_one_item_with_the_first_image_and_the_last_end() {
    let told = items_of(
        vec![item(Ended::Done)],
        vec![request(1, Some(Ended::NotDone)), request(5, Some(Ended::Done))],
    );
    let [only] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((only.requests, only.outcome), (2, Ended::Done));
    assert_eq!((only.sent_at, only.ended_at), (Some(at(1)), Some(at(6))));
    let surname = &only.fields["surName"];
    assert_eq!(surname.from.as_deref(), Some("Bakker"));
    assert_eq!(surname.to.as_deref(), Some("Groot"));
}

#[test]
fn a_doubt_that_a_later_run_settled_is_told_as_settled() {
    let mut sent = request(1, Some(Ended::InDoubt));
    sent.settled = Some(Ended::Done);
    sent.settled_at = Some(at(700));
    sent.settled_run = Some("r2".into());
    let told = items_of(vec![item(Ended::InDoubt)], vec![sent]);
    assert_eq!(told[0].outcome, Ended::Done);
    assert_eq!(told[0].settled_by, Some("r2".into()));
    assert_eq!(told[0].ended_at, Some(at(700)));
}

#[test]
fn a_run_that_was_killed_shows_what_its_journal_has_as_doubt() {
    let told = items_of(Vec::new(), vec![request(1, None)]);
    assert_eq!(told[0].outcome, Ended::InDoubt);
    assert_eq!(told[0].why, ["the sources say so"]);
    assert_eq!(told[0].ended_at, None);
}

#[test]
fn the_approver_and_the_note_stand_beside_the_item() {
    let mut sent = request(1, Some(Ended::Done));
    sent.approval = Some(Decision {
        item: "i1".into(),
        answer: Answer::Approve,
        waives: BTreeSet::new(),
        by: "eva".to_owned(),
        at: at(-60),
        until: None,
        note: Some("checked with HR".to_owned()),
        about: Default::default(),
    });
    let told = items_of(vec![item(Ended::Done)], vec![sent]);
    assert_eq!(told[0].approver.as_deref(), Some("eva"));
    assert_eq!(told[0].approved_at, Some(at(-60)));
    assert_eq!(told[0].note.as_deref(), Some("checked with HR"));
}

#[test]
fn of_a_purged_person_only_who_did_what_when_is_left() {
    let mut sent = request(1, Some(Ended::Done));
    sent.key = None;
    sent.values = None;
    let mut kept = item(Ended::Done);
    kept.key = None;
    let told = items_of(vec![kept], vec![sent]);
    assert!(told[0].values_removed);
    assert!(told[0].fields.is_empty() && told[0].key.is_none() && told[0].before.is_none());
    assert_eq!(told[0].person_id, Some("c2".into()));
}
