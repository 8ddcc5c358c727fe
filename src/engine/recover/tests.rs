//! What a later read says of requests that nobody knows the end of.

use super::*;
use crate::core::model::card::{
    CardFields, DepartmentMode, FilterProof, LookupEntry, Lookups, OperatorCard, OperatorKind, OperatorLink,
};
use crate::core::model::field::{CardField, FieldValue, LookupKind, PendingRef, Reference};
use crate::core::model::ids::{ItemId, RunId};
use crate::core::model::key::{Key, RawKey};
use crate::core::plan::{Action, Change, FieldChange, OperatorFate, item_id};
use crate::engine::target::IntentId;
use chrono::{DateTime, Duration, TimeZone, Utc};
use std::collections::{BTreeMap, BTreeSet};

fn sent() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0)
        .single()
        .expect("a valid time")
}

fn spec() -> KeySpec {
    KeySpec {
        card_field: CardField::EmployeeNumber,
        normalise: Vec::new(),
        immutable: false,
    }
}

fn card(id: &str, key: &str, fields: &[(CardField, FieldValue)]) -> PersonCard {
    let key = (CardField::EmployeeNumber, FieldValue::text(key).expect("a key"));
    PersonCard {
        id: id.into(),
        archived: false,
        fields: fields.iter().cloned().chain([key]).collect::<CardFields>(),
        creator: None,
        modifier: None,
        created_at: None,
        modified_at: None,
    }
}

fn read(minutes: i64, cards: Vec<PersonCard>) -> TargetSnapshot {
    let count = cards.len() as u64;
    TargetSnapshot {
        read_at: sent() + Duration::minutes(minutes),
        verdict: Verdict::Complete,
        findings: Vec::new(),
        cards,
        operators: Vec::new(),
        filters: FilterProof::None,
        lookups: Lookups {
            lists: BTreeMap::from([(LookupKind::Department, Vec::<LookupEntry>::new())]),
            department_mode: DepartmentMode::DropDown,
        },
        counts: (count, count),
        archiving_reason: None,
        own_account: None,
        own_cards: BTreeSet::new(),
        confirmed_gone: BTreeSet::new(),
        server_time: None,
        unknown_fields: BTreeSet::new(),
        acceptance: None,
        installation: Default::default(),
        accepted: None,
    }
}

fn open(action: Action, card: Option<&str>, depends_on: Vec<ItemId>) -> OpenIntent {
    let mut change = Change {
        id: "".into(),
        action,
        key: Some(Key::stored("1")),
        raw_key: Some(RawKey("1".into())),
        card: card.map(CardId::from),
        operator: OperatorLink::ProvenNone,
        evidence: Vec::new(),
        depends_on,
        doubts: Vec::new(),
        why: Vec::new(),
        anchors: Vec::new(),
        overwrites: BTreeSet::new(),
        access_later: false,
        seen_in: Vec::new(),
    };
    change.id = item_id(&change);
    OpenIntent {
        id: IntentId::committed(1),
        run: RunId::new("r1"),
        plan: "p1".into(),
        step: change.steps().remove(0),
        change,
        step_index: 0,
        before: None,
        operators_before: Vec::new(),
        sent_at: sent(),
        approver: None,
        known_in_doubt: false,
        overtaken: false,
    }
}

fn pending(field: CardField, from: Option<FieldValue>) -> FieldChange {
    FieldChange {
        field,
        from,
        to: Some(FieldValue::Reference(Reference::Pending(PendingRef {
            item: "item".into(),
            label: "Projects".into(),
        }))),
    }
}

/// The word for what became of one open request under this read.
fn settled(intent: &OpenIntent, target: &TargetSnapshot) -> &'static str {
    let settled = settle(vec![intent.clone()], target, true, &Remembered::nothing(), &spec()).remove(0);
    match settled.outcome {
        Some(Outcome::Done { .. }) => "done",
        Some(Outcome::NotDone { .. }) => "not done",
        None => "open",
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn an_effect_is_known_at_once_and_its_absence_only_late() {
    let archive = open(
        Action::Archive {
            reason: None,
            disarm: Vec::new(),
            apart: Default::default(),
            number: Vec::new(),
        },
        Some("c1"),
        Vec::new(),
    );
    let mut archived = card("c1", "1", &[]);
    archived.archived = true;
    assert_eq!(settled(&archive, &read(1, vec![archived])), "done");
    assert_eq!(settled(&archive, &read(9, vec![card("c1", "1", &[])])), "open");
    assert_eq!(settled(&archive, &read(10, vec![card("c1", "1", &[])])), "not done");
}

#[test]
fn a_create_needs_a_whole_read_to_be_called_not_done() {
    let create = open(Action::Create { fields: Vec::new() }, None, Vec::new());
    assert_eq!(settled(&create, &read(1, vec![card("c1", "1", &[])])), "done");
    assert_eq!(settled(&create, &read(9, Vec::new())), "open");
    assert_eq!(settled(&create, &read(10, Vec::new())), "not done");
    let mut degraded = read(60, Vec::new());
    degraded.verdict = Verdict::Rejected;
    assert_eq!(settled(&create, &degraded), "open");
    degraded.cards = vec![card("c1", "1", &[])];
    assert_eq!(settled(&create, &degraded), "done", "what was read is there");
}

#[test]
fn a_new_card_whose_answer_was_lost_still_waits_for_its_access() {
    for later in [false, true] {
        let mut create = open(Action::Create { fields: Vec::new() }, None, Vec::new());
        create.change.access_later = later;
        let target = read(1, vec![card("c1", "1", &[])]);
        let settled = settle(vec![create], &target, true, &Remembered::nothing(), &spec()).remove(0);
        assert_eq!(settled.learned.map(|entry| entry.access_later), Some(later));
    }
}

#[test]
fn a_card_that_has_gone_settles_what_was_sent_for_it() {
    let unarchive = open(
        Action::Unarchive {
            operators: OperatorFate::AsItFalls,
        },
        Some("c1"),
        Vec::new(),
    );
    assert_eq!(settled(&unarchive, &read(9, Vec::new())), "open");
    assert_eq!(settled(&unarchive, &read(11, Vec::new())), "not done");
}

#[test]
fn a_value_that_another_change_was_to_make_is_no_proof_by_itself() {
    let fields = vec![pending(CardField::Department, None)];
    let update = open(Action::Update { fields }, Some("c1"), Vec::new());
    assert_eq!(settled(&update, &read(11, vec![card("c1", "1", &[])])), "not done");
    let department = FieldValue::Reference(Reference::Entry {
        id: "d9".into(),
        name: "Projects".into(),
    });
    let moved = card("c1", "1", &[(CardField::Department, department)]);
    assert_eq!(settled(&update, &read(1, vec![moved])), "done");
}

#[test]
fn references_of_a_new_card_are_settled_by_its_key() {
    let fields = vec![pending(CardField::Manager, None)];
    let references = open(Action::SetReferences { fields }, None, vec!["create".into()]);
    assert_eq!(settled(&references, &read(11, vec![card("c7", "1", &[])])), "not done");
    let manager = FieldValue::Reference(Reference::Entry {
        id: "c2".into(),
        name: "".into(),
    });
    let led = card("c7", "1", &[(CardField::Manager, manager)]);
    assert_eq!(settled(&references, &read(1, vec![led])), "done");
}

/// A step that writes to operator `o1`, of an archive of card `c1`.
fn operator_step(step: Step) -> OpenIntent {
    OpenIntent {
        step,
        ..open(
            Action::Archive {
                reason: None,
                disarm: Vec::new(),
                apart: Default::default(),
                number: Vec::new(),
            },
            Some("c1"),
            Vec::new(),
        )
    }
}

fn operator(archived: bool, login_permission: bool) -> OperatorCard {
    OperatorCard {
        id: "o1".into(),
        archived,
        kind: OperatorKind::Regular,
        linked_person: Some("c1".into()),
        login_name: None,
        email: None,
        login_permission: Some(login_permission),
    }
}

#[test]
fn what_was_sent_to_an_operator_is_settled_by_the_operator() {
    let sleep = operator_step(Step::ArchiveOperator {
        operator: "o1".into(),
        reason: None,
    });
    let wake = operator_step(Step::UnarchiveOperator { operator: "o1".into() });
    let disarm = operator_step(Step::SetLoginPermission {
        operator: "o1".into(),
        allowed: false,
    });
    for (intent, as_sent, as_before) in [
        (&sleep, operator(true, true), operator(false, true)),
        (&wake, operator(false, true), operator(true, true)),
        (&disarm, operator(false, false), operator(false, true)),
    ] {
        let with = |minutes, operator| {
            let mut target = read(minutes, vec![card("c1", "1", &[])]);
            target.operators.extend(operator);
            target
        };
        assert_eq!(settled(intent, &with(1, Some(as_sent))), "done");
        assert_eq!(settled(intent, &with(9, Some(as_before.clone()))), "open");
        assert_eq!(settled(intent, &with(10, Some(as_before))), "not done");
        assert_eq!(settled(intent, &with(10, None)), "not done", "it has gone");
        let mut filtered = with(10, None);
        filtered.filters = FilterProof::Unreadable;
        assert_eq!(settled(intent, &filtered), "open", "it may only be hidden");
    }
}

#[test]
fn an_operator_that_was_disarmed_is_no_archive_of_its_card() {
    let disarm = operator_step(Step::SetLoginPermission {
        operator: "o1".into(),
        allowed: false,
    });
    let mut target = read(1, vec![card("c1", "1", &[])]);
    target.operators.push(operator(false, false));
    let settled = settle(vec![disarm], &target, true, &Remembered::nothing(), &spec()).remove(0);
    assert!(settled.learned.is_none());
}

#[test]
fn an_archive_that_shows_is_ours_with_the_operators_that_were_awake() {
    let mut archive = open(
        Action::Archive {
            reason: None,
            disarm: Vec::new(),
            apart: Default::default(),
            number: Vec::new(),
        },
        Some("c1"),
        Vec::new(),
    );
    archive.operators_before = [("o1", false), ("o2", true)]
        .map(|(id, archived)| OperatorCard {
            id: id.into(),
            archived,
            kind: OperatorKind::Regular,
            linked_person: Some("c1".into()),
            login_name: None,
            email: None,
            login_permission: None,
        })
        .into();
    let mut archived = card("c1", "1", &[]);
    archived.archived = true;
    let settled = settle(
        vec![archive],
        &read(1, vec![archived]),
        true,
        &Remembered::nothing(),
        &spec(),
    )
    .remove(0);
    let ours = settled
        .learned
        .and_then(|entry| entry.archived_by_us)
        .expect("our archive");
    assert_eq!((ours.at, ours.run), (sent(), RunId::new("r1")));
    assert_eq!(ours.took_operators, ["o1".into()]);
}

#[test]
fn what_a_later_answered_request_explains_is_not_this_ones_doing() {
    let mut archive = open(
        Action::Archive {
            reason: None,
            disarm: Vec::new(),
            apart: Default::default(),
            number: Vec::new(),
        },
        Some("c1"),
        Vec::new(),
    );
    let mut archived = card("c1", "1", &[]);
    archived.archived = true;
    let target = read(15, vec![archived]);
    assert_eq!(settled(&archive, &target), "done");
    archive.overtaken = true;
    let result = settle(vec![archive], &target, true, &Remembered::nothing(), &spec()).remove(0);
    assert!(
        matches!(&result.outcome, Some(Outcome::NotDone { message }) if message.contains("overtaken")),
        "{:?}",
        result.outcome
    );
    assert!(result.learned.is_none(), "the later one taught the ledger");
}

#[test]
fn only_the_same_effect_overtakes() {
    let patch = |card: &str, fields: &[(CardField, &str)]| Step::PatchCard {
        card: CardTarget::Known(card.into()),
        fields: fields
            .iter()
            .map(|(field, to)| FieldChange {
                field: *field,
                from: None,
                to: FieldValue::text(to),
            })
            .collect(),
    };
    let (title, mail) = ((CardField::JobTitle, "Nurse"), (CardField::Email, "a@example.org"));
    let first = patch("c1", &[title, mail]);
    let overtaken = |later: &[Step]| first.is_overtaken_by(later);
    assert!(!overtaken(&[]));
    assert!(overtaken(&[patch("c1", &[mail, title])]));
    assert!(overtaken(&[patch("c1", &[mail]), patch("c1", &[title])]));
    assert!(!overtaken(&[patch("c1", &[title])]));
    assert!(!overtaken(&[patch("c2", &[title, mail])]));
    assert!(!overtaken(&[patch(
        "c1",
        &[title, (CardField::Email, "b@example.org")]
    )]));
    let wake = Step::UnarchiveCard { card: "c1".into() };
    assert!(wake.is_overtaken_by(std::slice::from_ref(&wake)));
    assert!(!wake.is_overtaken_by(&[patch("c1", &[title])]));
}
