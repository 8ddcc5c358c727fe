//! What could be the key, and whom another one would harm.

use super::{found, looked_at, regular, says_not_known};
use crate::core::model::field::CardField;
use crate::core::reads::snapshot::Role;
use crate::core::tests::world::{TestSource, World, row};
use crate::tools::audit::{Audit, Candidate, KeyCandidate, Severity};

fn candidate(audit: &Audit, field: CardField) -> &KeyCandidate {
    let wanted = Candidate::Field(field);
    audit.keys.iter().find(|key| key.field == wanted).unwrap()
}

#[test]
fn how_unique_each_field_is_and_whom_it_finds() {
    let mut world = World::of(6);
    world.set_text("c-E001", CardField::Email, "e002@example.net");
    world.set("c-E003", CardField::Email, None);
    world.hr().set("E004", "email", "");
    world.hr().set("E005", "status", "left");
    let audit = looked_at(&world);
    let mail = candidate(&audit, CardField::Email);
    assert_eq!((mail.cards, mail.filled, mail.unique, mail.shared), (6, 5, 3, 2));
    assert!(mail.changes.is_some() && !mail.current);
    let matches = mail.matches.as_ref().unwrap();
    // E001's and E003's are nowhere, E002's stands twice, E006 is found.
    assert_eq!(
        (matches.people, matches.paired, matches.no_card, matches.unclear),
        (4, 1, 2, 1)
    );
    let number = candidate(&audit, CardField::EmployeeNumber);
    assert_eq!((number.unique, number.changes, number.current), (6, None, true));
    assert_eq!(number.matches.as_ref().unwrap().paired, 5);
    let logins = Candidate::Field(CardField::NetworkLoginName);
    assert!(audit.keys.iter().all(|key| key.field != logins), "no card has one");
}

#[test]
fn a_field_that_already_holds_the_numbers_is_the_better_key() {
    let mut world = World::of(5);
    for number in 1..=5 {
        let id = format!("c-E00{number}");
        world.set_text(&id, CardField::OptionalText(1, 2), &format!("e00{number}"));
        if number > 1 {
            world.set(&id, CardField::EmployeeNumber, None);
        }
    }
    let audit = looked_at(&world);
    assert_eq!(
        candidate(&audit, CardField::OptionalText(1, 2)).holds_source_keys,
        Some(5)
    );
    assert_eq!(audit.advice.field, Candidate::Field(CardField::OptionalText(1, 2)));
    assert!(
        !audit.advice.current && audit.advice.next.contains("optionalFields1.text2"),
        "{:?}",
        audit.advice
    );
}

#[test]
fn an_import_by_address_archives_who_married_and_the_operator_with_her() {
    let mut world = World::of(6);
    world.hr().set("E001", "email", "new.name@example.net");
    regular(&mut world, "o1", "c-E001");
    // E002's address was given to E003; E004 has one that no card has, and a card without one.
    world.hr().set("E002", "email", "e002.two@example.net");
    world.hr().set("E003", "email", "e002@example.net");
    world.set("c-E004", CardField::Email, None);
    let audit = looked_at(&world);
    let way = audit
        .other_keys
        .iter()
        .find(|way| way.field == Candidate::Field(CardField::Email))
        .unwrap();
    assert_eq!((way.judged, way.not_judged), (6, 0));
    // E001 and E003: nobody has the address that is on the card. E002: its card would become E003's.
    assert_eq!((way.archived, way.locked_out), (2, 1));
    // Each person once, by the worst: E004 alone gets no more than a second card.
    assert_eq!((way.second_card, way.mixed_up, way.harmed()), (1, 1, 4));
    let harmed = found(&audit, "harmed_by_another_key");
    assert_eq!(harmed, ["c-E001", "c-E002", "c-E003", "c-E004"]);
    let finding = audit
        .findings
        .iter()
        .find(|finding| finding.code == "harmed_by_another_key")
        .unwrap();
    assert_eq!(finding.severity, Severity::Medium);
    // Nobody who has left is counted.
    world.hr().set("E001", "status", "left");
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "harmed_by_another_key"), ["c-E002", "c-E003", "c-E004"]);
}

#[test]
fn values_of_a_source_that_could_not_be_read_harm_nobody() {
    let mut world = World::of(3);
    let mut ad = TestSource::new("ad", Role::Enrich);
    ad.rows = (1..=3).map(|number| row(&format!("E00{number}"))).collect();
    ad.reject();
    world.sources.push(ad);
    world.mapping.from.insert("email", "ad".into());
    let audit = looked_at(&world);
    assert_eq!(found(&audit, "harmed_by_another_key"), Vec::<String>::new());
    assert!(says_not_known(&audit, "matching on email"), "{:?}", audit.not_known);
    assert!(
        audit
            .other_keys
            .iter()
            .all(|way| way.field != Candidate::Field(CardField::Email))
    );
}

#[test]
fn a_key_that_changes_cannot_show_whose_a_card_is() {
    let mut world = World::of(3);
    world.policy.key.card_field = CardField::Email;
    world.policy.key.immutable = true;
    for number in 1..=3 {
        let mail = format!("e00{number}@example.net");
        world.hr().set(&format!("E00{number}"), "key", &mail);
    }
    let audit = looked_at(&world);
    assert!(
        says_not_known(&audit, "whom another key would harm"),
        "{:?}",
        audit.not_known
    );
    assert_eq!(audit.sizes.active_with_key, 3);
    assert!(!audit.advice.current);
    assert_eq!(audit.advice.field, Candidate::Field(CardField::EmployeeNumber));
    assert!(
        audit
            .advice
            .reasons
            .iter()
            .any(|reason| reason.contains("email, the key of the configuration, changes"))
    );
}
