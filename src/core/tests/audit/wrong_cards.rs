//! Numbers on the wrong card, operators without a number, and how long the list is.

use super::{Details, codes, fact, found, looked_at, looked_at_with, regular};
use crate::core::model::field::CardField;
use crate::core::model::ids::OperatorId;
use crate::core::tests::disorder::Disorder;
use crate::core::tests::world::{World, row};
use crate::tools::audit::{OperatorDetails, Severity};

/// Two numbers stand on each other's card; an operator has left and another is in no source, both without a number; and somebody
/// has the name of a program.
#[test]
fn numbers_on_the_wrong_card_come_first_and_operators_without_one_are_found_by_what_they_show() {
    let mut world = World::of(8);
    world.set_text("c-E001", CardField::EmployeeNumber, "E002");
    world.set_text("c-E002", CardField::EmployeeNumber, "E001");
    world.set("c-E003", CardField::EmployeeNumber, None);
    world.set("c-E003", CardField::Email, None);
    world.set("c-E003", CardField::TasLoginName, None);
    regular(&mut world, "o3", "c-E003");
    world.hr().set("E003", "status", "left");
    world.card("x", &row("E777"));
    world.set("x", CardField::EmployeeNumber, None);
    regular(&mut world, "ox", "x");
    world.hr().set("E005", "sur", "Importer");
    world.set_text("c-E005", CardField::SurName, "Importer");
    regular(&mut world, "o5", "c-E005");
    let operator = |id: &str| OperatorId::from(id);
    world.operators.get_mut(&operator("o3")).unwrap().email = None;
    world.operators.get_mut(&operator("o5")).unwrap().login_name = Some("importer".into());
    let audit = looked_at(&world);
    let first = &audit.findings[0];
    assert_eq!(
        (&*first.code, first.severity),
        ("number_of_somebody_else", Severity::High)
    );
    assert_eq!(found(&audit, "number_of_somebody_else"), ["c-E001", "c-E002"]);
    assert_eq!(
        fact(&audit, "number_of_somebody_else", "exchanged with card").unwrap(),
        "c-E002"
    );
    assert!(
        audit.other_keys.iter().all(|way| way.harmed() == 0 && way.judged == 5),
        "whose they are is not what their number says: {:?}",
        audit.other_keys
    );
    assert!(
        audit.advice.next.contains("somebody else's card right (2 cards,"),
        "{:?}",
        audit.advice
    );
    assert_eq!(found(&audit, "operator_has_left"), ["c-E003"]);
    assert!(
        fact(&audit, "operator_has_left", "recognised by")
            .unwrap()
            .starts_with("full name")
    );
    assert_eq!(found(&audit, "operator_not_known"), ["x"]);
    assert_eq!(found(&audit, "operator_looks_like_a_program"), Vec::<String>::new());
}

/// A company in disorder gets fewer rows than it has cards.
#[test]
fn there_is_less_than_a_row_per_card() {
    let disorder = Disorder::new(1, 400);
    let company = &disorder.company;
    let audit = company.audit();
    let rows: usize = audit.findings.iter().map(|finding| finding.subjects.len().max(1)).sum();
    let cards = company.world.cards.values().filter(|card| !card.archived).count();
    println!("{rows} rows for {cards} active cards");
    assert!(rows < cards, "{rows} rows for {cards} cards: {:?}", codes(&audit));
}

#[test]
fn programs_are_told_from_people() {
    let mut world = World::of(6);
    let mut details = Details::new();
    let mut account = |id: &str, card: &str, login: &str, mail: bool, first: Option<&str>, last: &str| {
        regular(&mut world, id, card);
        let operator = world.operators.get_mut(&OperatorId::from(id)).unwrap();
        operator.login_name = Some(login.into());
        if !mail {
            operator.email = None;
        }
        let known = OperatorDetails {
            first_name: first.map(Into::into),
            sur_name: Some(last.into()),
            ..OperatorDetails::default()
        };
        details.insert(id.into(), known);
        world.set_text(card, CardField::TasLoginName, login);
    };
    account("o1", "c-E001", "svc-backup", true, Some("Backup"), "Account");
    account("o2", "c-E002", "e002", false, None, "Something");
    account("o3", "c-E003", "zabbix01", true, None, "Zabbix");
    account("o4", "c-E004", "batchelor", true, Some("Tom"), "Batchelor");
    account("o5", "c-E005", "e005", false, Some("Eva"), "Smit");
    account("o6", "c-E006", "apinto", true, Some("Ana"), "Pinto");
    let audit = looked_at_with(&world, &details);
    assert_eq!(
        found(&audit, "operator_looks_like_a_program"),
        Vec::<String>::new(),
        "somebody whom the sources name is no program"
    );
    for key in ["E001", "E002", "E003"] {
        world.hr().remove(key);
    }
    let audit = looked_at_with(&world, &details);
    assert_eq!(
        found(&audit, "operator_looks_like_a_program"),
        ["c-E001", "c-E002", "c-E003"]
    );
    assert!(
        fact(&audit, "operator_looks_like_a_program", "signs")
            .unwrap()
            .contains("'svc'")
    );
}
