//! What an audit finds, and what it does not claim to know.

mod keys;
mod mainframe;
mod wrong_cards;

use super::world::{World, row};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::OperatorId;
use crate::core::reads::clock::ClockJudgement;
use crate::core::reads::snapshot::{Effect, Finding};
use crate::tools::audit::{
    Audit, Candidate, Looked, LookedLevel, OperatorDetails, Severity, Surroundings, Version, audit,
};
use std::collections::BTreeMap;

type Details = BTreeMap<OperatorId, OperatorDetails>;

fn looked_at_with(world: &World, details: &Details) -> Audit {
    audit(&world.input(), &world.mapping, details, Surroundings::default())
}

fn looked_at(world: &World) -> Audit {
    looked_at_with(world, &Details::new())
}

/// The cards, or else the operators, that a finding concerns; empty where there is no such finding.
fn found(audit: &Audit, code: &str) -> Vec<String> {
    let of = audit.findings.iter().filter(|finding| finding.code == code);
    let subjects = of.flat_map(|finding| &finding.subjects);
    subjects
        .map(|subject| match (&subject.card, &subject.operator) {
            (Some(card), _) => card.to_string(),
            (None, Some(operator)) => operator.to_string(),
            (None, None) => "nobody".to_owned(),
        })
        .collect()
}

fn codes(audit: &Audit) -> Vec<&str> {
    audit.to_do().map(|finding| &*finding.code).collect()
}

fn says_not_known(audit: &Audit, what: &str) -> bool {
    audit.not_known.iter().any(|unknown| unknown.what.contains(what))
}

fn fact(audit: &Audit, code: &str, name: &str) -> Option<String> {
    let finding = audit.findings.iter().find(|finding| finding.code == code)?;
    let facts = finding.subjects.iter().flat_map(|subject| &subject.facts);
    facts
        .clone()
        .find(|fact| fact.name == name)
        .map(|fact| fact.value.clone())
}

fn regular(world: &mut World, id: &str, card: &str) {
    world.operator(id, card, false, OperatorKind::Regular);
    let operator = world.operators.get_mut(&OperatorId::from(id)).unwrap();
    operator.email = Some(format!("{}@example.net", card.trim_start_matches("c-").to_lowercase()).into());
}

fn flags(world: &mut World, card: &str, portal: bool, caller: bool) {
    world.set(card, CardField::HasSspAccess, Some(FieldValue::Flag(portal)));
    world.set(card, CardField::IsCaller, Some(FieldValue::Flag(caller)));
}

#[test]
fn people_in_step_need_nothing() {
    let mut world = World::of(5);
    regular(&mut world, "o1", "c-E001");
    let audit = looked_at(&world);
    assert_eq!(codes(&audit), Vec::<&str>::new());
    assert!(
        audit
            .not_known
            .iter()
            .all(|unknown| unknown.what.contains("matching on")),
        "{:?}",
        audit.not_known
    );
    let sizes = &audit.sizes;
    assert_eq!(
        (
            sizes.active_cards,
            sizes.active_with_key,
            sizes.active_operators,
            sizes.people
        ),
        (5, 5, 1, Some(5))
    );
    assert_eq!(audit.advice.field, Candidate::Field(CardField::EmployeeNumber));
    assert!(audit.advice.next.contains("cardsync plan"), "{}", audit.advice.next);
}

#[test]
fn an_operator_needs_a_person_who_is_there_and_active() {
    let mut world = World::of(3);
    regular(&mut world, "o1", "c-E001");
    regular(&mut world, "o2", "c-gone");
    regular(&mut world, "o3", "c-E003");
    regular(&mut world, "o4", "c-E003");
    world.operators.get_mut(&OperatorId::from("o1")).unwrap().linked_person = None;
    world.card_mut("c-E003").archived = true;
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "operator_without_person"), ["o1"]);
    assert_eq!(found(&audit, "operator_person_not_seen"), ["c-gone"]);
    assert_eq!(found(&audit, "operator_on_archived_person"), ["c-E003", "c-E003"]);
    assert_eq!(found(&audit, "several_operators_on_one_person"), ["c-E003"]);
    // An archived operator is nobody's worry.
    for operator in world.operators.values_mut() {
        operator.archived = true;
    }
    assert_eq!(codes(&looked_at(&world)), Vec::<&str>::new());
}

#[test]
fn a_card_that_a_doubtful_read_lacks_is_not_called_missing() {
    let mut world = World::of(2);
    regular(&mut world, "o1", "c-gone");
    world
        .target_findings
        .push(Finding::new("pages", Effect::NoAbsence, "shifted", "again"));
    assert_eq!(
        found(&looked_at(&world), "operator_person_not_seen"),
        Vec::<String>::new()
    );
}

#[test]
fn an_operator_and_its_card_can_disagree() {
    let mut world = World::of(2);
    regular(&mut world, "o1", "c-E001");
    regular(&mut world, "o2", "c-E002");
    let details = |number: &str| {
        let details = OperatorDetails {
            first_name: Some("First".into()),
            employee_number: Some(number.into()),
            ..OperatorDetails::default()
        };
        Details::from([("o1".into(), details)])
    };
    // The same whatever the case.
    let operator = world.operators.get_mut(&OperatorId::from("o1")).unwrap();
    operator.login_name = Some("E001".into());
    operator.email = Some("E001@Example.net".into());
    assert_eq!(codes(&looked_at_with(&world, &details("e001"))), Vec::<&str>::new());
    let operator = world.operators.get_mut(&OperatorId::from("o1")).unwrap();
    operator.login_name = Some("other".into());
    operator.email = Some("other@example.net".into());
    let audit = looked_at_with(&world, &details("E999"));
    for code in [
        "operator_number_differs",
        "operator_login_differs",
        "operator_email_differs",
    ] {
        assert_eq!(found(&audit, code), ["c-E001"], "{code}");
    }
    // The other login of the card will do.
    world.set_text("c-E001", CardField::NetworkLoginName, "Other");
    let audit = looked_at_with(&world, &details("E001"));
    assert_eq!(found(&audit, "operator_login_differs"), Vec::<String>::new());
}

#[test]
fn an_active_operator_who_has_left_is_a_licence() {
    let mut world = World::of(6);
    for number in 1..=4 {
        regular(&mut world, &format!("o{number}"), &format!("c-E00{number}"));
    }
    world.leaves("E001");
    world.hr().set("E002", "status", "?");
    // Without a number the address tells, as a suggestion.
    world.hr().set("E003", "status", "left");
    world.set("c-E003", CardField::EmployeeNumber, None);
    world.hr().rows.retain(|row| row.values["key"] != "E004");
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "operator_has_left"), ["c-E001", "c-E003"]);
    assert_eq!(found(&audit, "operator_not_in_sources"), ["c-E004"]);
    assert!(
        says_not_known(&audit, "which active operators have left"),
        "{:?}",
        audit.not_known
    );
}

#[test]
fn a_read_that_is_not_whole_says_of_nobody_that_they_are_gone() {
    let mut world = World::of(3);
    regular(&mut world, "o1", "c-E001");
    regular(&mut world, "o2", "c-E002");
    world.hr().set("E002", "status", "left");
    world.hr().rows.retain(|row| row.values["key"] != "E001");
    world.hr().degrade();
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "operator_not_in_sources"), Vec::<String>::new());
    assert_eq!(
        found(&audit, "operator_has_left"),
        ["c-E002"],
        "a record that is there says so itself"
    );
    assert!(says_not_known(&audit, "which active operators have left"));
    assert!(says_not_known(&audit, "whom another key would harm") && audit.other_keys.is_empty());
    world.hr().reject();
    let audit = looked_at(&world);
    assert_eq!(codes(&audit), Vec::<&str>::new());
    assert!(audit.has_rejected_read());
    assert_eq!((audit.sizes.people, audit.sizes.left), (None, None));
    assert!(audit.keys.iter().all(|key| key.matches.is_none()));
    // A clock that nobody believes ends no contract.
    let mut world = World::of(2);
    regular(&mut world, "o1", "c-E001");
    world.leaves("E001");
    world.clock = ClockJudgement {
        doubts: vec![Finding::new("clock", Effect::Note, "wrong", "set it")],
        ..ClockJudgement::default()
    };
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "operator_has_left"), Vec::<String>::new());
    assert!(says_not_known(&audit, "which active operators have left"));
}

#[test]
fn operators_that_cannot_be_read_are_unknown() {
    let mut world = World::of(2);
    let unread = Finding::new(
        "operators_unreadable",
        Effect::NoAbsence,
        "status 403",
        "give the right",
    );
    world.target_findings.push(unread);
    let audit = looked_at(&world);
    assert!(says_not_known(&audit, "everything about operators"));
    assert_eq!(codes(&audit), Vec::<&str>::new());
}

#[test]
fn cards_behind_accounts_of_nobody_are_named_and_left_out_elsewhere() {
    let mut world = World::of(2);
    world.operator("o1", "c-E001", false, OperatorKind::ApiAccount);
    world.operator("o2", "c-E002", false, OperatorKind::TopdeskAccount);
    world.set("c-E001", CardField::EmployeeNumber, None);
    let audit = looked_at(&world);
    assert_eq!(codes(&audit), ["person_behind_api_account"]);
    assert_eq!(found(&audit, "person_behind_api_account"), ["c-E001", "c-E002"]);
}

#[test]
fn a_generated_card_and_the_other_card_of_its_person() {
    let mut world = World::of(3);
    // TOPdesk's own card for the operator E001, who has one already; and one for somebody who has none.
    for (id, like) in [("g1", "E001"), ("g2", "E777")] {
        world.card(id, &row(like));
        world.set(id, CardField::EmployeeNumber, None);
        world.set(id, CardField::TasLoginName, None);
        flags(&mut world, id, false, false);
        regular(&mut world, &format!("o-{id}"), id);
    }
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "generated_twin"), ["g1"]);
    assert_eq!(
        found(&audit, "generated_card"),
        ["g2"],
        "there is one cure for each card"
    );
    assert_eq!(fact(&audit, "generated_twin", "other card").unwrap(), "c-E001");
    assert_eq!(found(&audit, "card_without_key"), Vec::<String>::new());
    assert_eq!(
        found(&audit, "flags_differ"),
        Vec::<String>::new(),
        "they are as TOPdesk makes them"
    );
    // A name alone is a namesake's where the addresses differ.
    world.set_text("g1", CardField::Email, "somebody.else@example.net");
    assert_eq!(found(&looked_at(&world), "generated_twin"), Vec::<String>::new());
    // Without an operator it is a card without a key like any other.
    world.operators.clear();
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "card_without_key"), ["g1"]);
    assert_eq!(found(&audit, "card_of_nobody"), ["g2"]);
    assert_eq!(found(&audit, "generated_card"), Vec::<String>::new());
}

#[test]
fn keys_that_several_cards_have() {
    let mut world = World::of(4);
    let mut again = |id: &str, key: &str, archived: bool| {
        world.card(id, &row(key).with("sur", &format!("Other{id}")));
        world.card_mut(id).archived = archived;
    };
    again("d1", "E001", false);
    again("t2", "E002", true);
    again("t3", "E003", true);
    world.card_mut("c-E003").archived = true;
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "duplicate_key"), ["c-E001", "d1"]);
    assert_eq!(found(&audit, "archived_twin"), ["c-E002"]);
    assert_eq!(found(&audit, "several_archived_cards"), ["c-E003", "t3"]);
}

#[test]
fn keys_that_differ_only_in_how_they_are_written() {
    let mut world = World::of(3);
    for key in ["100", "200"] {
        world.staff(key);
    }
    world.set_text("c-100", CardField::EmployeeNumber, "00100");
    // Zeros against another card; blanks and case are ignored by the key already, and are found where two cards have them.
    world.card("z", &row("0200").with("sur", "Z"));
    world.card("b", &row(" e001 ").with("sur", "B"));
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "duplicate_key"), ["b", "c-E001"]);
    assert_eq!(found(&audit, "nearly_the_same_key"), ["c-100", "c-200", "z"]);
    assert_eq!(fact(&audit, "nearly_the_same_key", "in the sources").unwrap(), "'100'");
}

#[test]
fn namesakes_whom_the_sources_tell_apart_are_no_finding() {
    let mut world = World::of(3);
    for key in ["E001", "E002"] {
        world.hr().set(key, "sur", "Same");
        world.hr().set(key, "first", "Name");
        let id = format!("c-{key}");
        world.set_text(&id, CardField::SurName, "Same");
        world.set_text(&id, CardField::FirstName, "Name");
    }
    assert_eq!(found(&looked_at(&world), "same_name"), Vec::<String>::new());
    world.set("c-E002", CardField::EmployeeNumber, None);
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "same_name"), ["c-E001"]);
    assert_eq!(
        found(&audit, "card_without_key"),
        ["c-E002"],
        "there is one cure for each card"
    );
    assert_eq!(found(&audit, "double_person"), Vec::<String>::new());
    // One person twice is told from two of one name by the address.
    let mail = world
        .card_mut("c-E001")
        .fields
        .text(CardField::Email)
        .map(str::to_owned);
    world.set_text("c-E003", CardField::SurName, "Same");
    world.set_text("c-E003", CardField::FirstName, "Name");
    world.set_text("c-E003", CardField::Email, &mail.unwrap());
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "double_person"), ["c-E001", "c-E003"]);
    assert_eq!(found(&audit, "same_name"), Vec::<String>::new());
}

#[test]
fn flags_are_compared_with_the_policy_and_anonymized_cards_are_only_counted() {
    let mut world = World::of(3);
    flags(&mut world, "c-E001", false, true);
    world.set_text("c-E002", CardField::EmployeeNumber, "*****");
    world.set_text("c-E002", CardField::SurName, "*****");
    let audit = looked_at(&world);
    assert_eq!(codes(&audit), ["flags_differ"]);
    assert_eq!(found(&audit, "flags_differ"), ["c-E001"]);
    assert_eq!(
        fact(&audit, "flags_differ", "hasSspAccess").unwrap(),
        "false, policy true"
    );
    assert_eq!(audit.sizes.anonymized_cards, 1);
    let note = audit
        .findings
        .iter()
        .find(|finding| finding.code == "anonymized_card")
        .unwrap();
    assert_eq!((note.severity, note.count), (Severity::Note, 1));
}

#[test]
fn a_rejected_read_of_topdesk_leaves_everything_unknown() {
    let mut world = World::of(3);
    world.set("c-E001", CardField::EmployeeNumber, None);
    world
        .target_findings
        .push(Finding::new("broken", Effect::Reject, "cut", "again"));
    let audit = looked_at(&world);
    assert_eq!(codes(&audit), Vec::<&str>::new());
    assert!(says_not_known(&audit, "everything about cards"));
    assert!(audit.other_keys.is_empty());
}

#[test]
fn a_field_that_topdesk_no_longer_shows_is_empty_on_no_card() {
    let world = World::of(4);
    let mut input = world.input();
    for card in &mut input.target.cards {
        card.fields.set(CardField::EmployeeNumber, None);
        card.fields.set(CardField::Email, None);
    }
    input.target.unknown_fields = [CardField::EmployeeNumber, CardField::Email].into();
    let audit = audit(&input, &world.mapping, &Details::new(), Surroundings::default());
    assert_eq!(codes(&audit), Vec::<&str>::new());
    assert!(says_not_known(&audit, "which cards have no key") && says_not_known(&audit, "matching on email"));
}

#[test]
fn records_without_a_key_may_be_anybodys() {
    let mut world = World::of(2);
    regular(&mut world, "o1", "c-E001");
    world.hr().row_of("E001").values.insert("key", String::new());
    assert!(says_not_known(&looked_at(&world), "which active operators have left"));
}

#[test]
fn the_version_says_what_follows_and_checks_become_findings() {
    let world = World::of(1);
    let with = |product: Option<Version>| {
        let line = |level, topic: &str| Looked {
            level,
            topic: topic.into(),
            text: "text".into(),
            cure: Some("cure".into()),
        };
        let surroundings = Surroundings {
            product,
            looked: vec![
                line(LookedLevel::Warning, "account filters"),
                line(LookedLevel::Fail, "archiving reason"),
                line(LookedLevel::Ok, "operators"),
                line(LookedLevel::Warning, "version"),
            ],
            ..Surroundings::default()
        };
        audit(&world.input(), &world.mapping, &Details::new(), surroundings)
    };
    let told = |product| with(product).findings.pop().expect("the note comes last").title;
    assert!(told(Some(Version(16, 8, 2))).ends_with("16.08.002: the person card leads"));
    assert!(told(Some(Version(16, 6, 6))).contains("archiving not yet"));
    assert!(told(Some(Version(16, 3, 18))).contains("does not lead yet"));
    assert!(told(None).contains("not known"));
    assert_eq!(codes(&with(None)), ["check_archiving_reason", "check_account_filters"]);
}

#[test]
fn a_redacted_audit_has_no_values_of_people() {
    let mut world = World::of(3);
    regular(&mut world, "o1", "c-E001");
    world.hr().set("E001", "email", "new.name@example.net");
    world.operators.get_mut(&OperatorId::from("o1")).unwrap().login_name = Some("secretlogin".into());
    let plain = looked_at(&world);
    let text = serde_json::to_string(&plain).unwrap();
    assert!(text.contains("secretlogin") && text.contains("SurE001") && text.contains("\"E001\""));
    let redacted = plain.clone().redacted(&|text| format!("m{}", text.len()));
    let text = serde_json::to_string(&redacted).unwrap();
    for value in ["secretlogin", "SurE001", "\"E001\"", "example.net", "new.name"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
    assert!(text.contains("c-E001") && text.contains("o1"), "ids stay: {text}");
    assert_eq!(codes(&redacted), codes(&plain));
}
