use super::*;
use crate::core::model::field::Reference;
use chrono_tz::Europe;

const ZONE: Tz = Europe::Amsterdam;

fn shape(fields: &[CardField]) -> CardShape {
    CardShape::new(&fields.iter().copied().collect(), ZONE)
}

const PAGE: &str = r#"{"item":[
  {"id":"9C4A6C2B-0000-4000-8000-000000000001","surName":"Jansen","firstName":"  ","dynamicName":"Jansen, A.",
   "archived":false,"employeeNumber":"000123","hasSspAccess":false,"isManager":true,
   "creator":{"id":"AA00000000000000000000000000000A","name":"api"},"modifier":null,
   "modificationDate":"2026-11-20T10:00:00.000+0100",
   "branch":{"id":"B1","name":"Delft","phoneNumber":"1"},"department":{"id":"D1","name":"Sales"},
   "manager":{"id":"9C4A6C2B-0000-4000-8000-000000000002","name":"Somebody"},
   "language":{"id":"L1","name":"Dutch","code":"nl"},
   "budgetHolder":null,"location":{},
   "optionalFields1":{"boolean1":false,"number1":2.50,"date1":"2026-06-30T22:00:00.000+0000","text1":"x","memo1":"m",
     "searchlist1":{"id":"S1","name":"one"},"text2":null},
   "optionalFields2":null},
  {"id":"9c4a6c2b-0000-4000-8000-000000000002","archived":true,"surName":"B","department":{"name":"Care"},
   "creator":"somebody","employeeNumber":42}
 ],"size":2,"next":null}"#;

#[test]
fn a_page_becomes_cards() {
    use CardField::*;
    let shape = shape(&[
        SurName,
        FirstName,
        EmployeeNumber,
        Branch,
        Location,
        BudgetHolder,
        Department,
        Language,
        Manager,
        HasSspAccess,
        OptionalText(1, 1),
        OptionalText(1, 2),
        OptionalNumber(1, 1),
        OptionalDate(1, 1),
        OptionalFlag(1, 1),
        OptionalSearchList(1, 1),
        OptionalText(2, 1),
    ]);
    let page = shape.page(PAGE.as_bytes()).unwrap();
    assert_eq!(page.next, None);
    assert!(!page.budget_holders);
    let first = &page.cards[0];
    assert_eq!(first.id.as_str(), "9c4a6c2b-0000-4000-8000-000000000001");
    assert!(!first.archived);
    assert_eq!(first.creator.as_deref(), Some("aa00000000000000000000000000000a"));
    assert_eq!(first.modifier, None);
    assert_eq!(first.modified_at.unwrap().to_rfc3339(), "2026-11-20T09:00:00+00:00");
    let shown: Vec<String> = first
        .fields
        .iter()
        .map(|(field, value)| format!("{field}={}", value.display()))
        .collect();
    assert_eq!(
        shown,
        [
            "surName=Jansen",
            "employeeNumber=000123",
            "branch=Delft",
            "department=Sales",
            "language=Dutch",
            "manager=9c4a6c2b-0000-4000-8000-000000000002",
            "hasSspAccess=false",
            "optionalFields1.text1=x",
            "optionalFields1.number1=2.5",
            "optionalFields1.date1=2026-07-01",
            "optionalFields1.boolean1=false",
            "optionalFields1.searchlist1=one",
        ],
        "blank, null and empty are empty, unwanted is not kept, false is a value"
    );
    let second = &page.cards[1];
    assert!(second.archived);
    assert_eq!(second.fields.text(EmployeeNumber), Some("42"));
    assert_eq!(
        second.fields.get(Department),
        Some(&FieldValue::Reference(Reference::FreeText("Care".into())))
    );
    let creator = second.creator.as_deref().unwrap();
    assert!(creator.starts_with("name-") && !creator.contains("somebody"));
}

#[test]
fn only_what_is_wanted_is_asked_for() {
    use CardField::*;
    assert_eq!(
        shape(&[ShowBudgetHolder, OptionalText(2, 3), OptionalDate(2, 1), SurName]).fields(),
        "archived,creationDate,creator,id,modificationDate,modifier,optionalFields2,showBudgetholder,surName"
    );
    assert_eq!(
        shape(&[BudgetHolder]).fields(),
        "archived,budgetHolder,creationDate,creator,id,modificationDate,modifier,showBudgetholder"
    );
}

#[test]
fn the_sign_of_budget_holders_is_noticed() {
    let body = br#"{"item":[{"id":"a","archived":false,"showBudgetholder":false}]}"#;
    assert!(shape(&[CardField::BudgetHolder]).page(body).unwrap().budget_holders);
    assert!(shape(&[CardField::ShowBudgetHolder]).page(body).unwrap().budget_holders);
}

#[test]
fn the_answer_of_archiving_is_version_1() {
    let body = br#"{"id":"A1","status":"personArchived","surName":"X","gender":"UNDEFINED"}"#;
    let card = CardShape::everything(ZONE).card(body).unwrap();
    assert!(card.archived);
    let body = br#"{"id":"A1","status":"person","surName":"X"}"#;
    assert!(!CardShape::everything(ZONE).card(body).unwrap().archived);
}

#[test]
fn errors_name_field_and_place_and_never_a_value() {
    let shape = shape(&[CardField::HasSspAccess, CardField::OptionalDate(1, 1)]);
    for (body, expected) in [
        (
            r#"{"item":[{"id":"a","archived":false,"hasSspAccess":"Jansen"}]}"#,
            "hasSspAccess",
        ),
        (
            r#"{"item":[{"id":"a","archived":false,"optionalFields1":{"date1":"Jansen"}}]}"#,
            "optionalFields1.date1",
        ),
        (r#"{"item":[{"id":"a","archived":"Jansen"}]}"#, "Archived"),
        (r#"{"item":[{"archived":false}]}"#, "not as the API describes"),
        (r#"{"item":[{"id":"a"}]}"#, "not as the API describes"),
        (r#"{"items":[]}"#, "not as the API describes"),
        (r#"[{"id":"a"}]"#, "not as the API describes"),
        (r#"{"item":[{"id":"a","archived":false}"#, "ends early"),
        (r#"{"item":[]}x"#, "broken"),
    ] {
        let error = shape.page(body.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{body}: {error}");
        assert!(!error.contains("Jansen"), "{error}");
    }
}

/// A page of so many cards with twelve usual fields.
fn usual_page(cards: usize) -> (CardShape, Vec<u8>) {
    use CardField::*;
    let items: Vec<String> = (0..cards)
        .map(|n| {
            format!(
                r#"{{"id":"{n:08x}-1111-4222-8333-444444444444","surName":"Surname{n:06}","firstName":"Firstname",
"archived":false,"employeeNumber":"{n:06}","email":"firstname.surname{n:06}@example.org","phoneNumber":"+31 15 270 {n:04}",
"tasLoginName":"fsurname{n:06}","networkLoginName":"fsurname{n:06}","jobTitle":"Senior administrator","hasSspAccess":true,
"branch":{{"id":"aaaaaaaa-1111-4222-8333-44444444444{b}","name":"Branch {b}","phoneNumber":null,"clientReferenceNumber":null}},
"department":{{"id":"dddddddd-1111-4222-8333-44444444444{b}","name":"Department {b}"}},
"manager":{{"id":"00000000-1111-4222-8333-444444444444","name":"Manager, The"}},
"creator":{{"id":"cccccccc-1111-4222-8333-444444444444","name":"api"}},"modifier":{{"id":"cccccccc-1111-4222-8333-444444444444","name":"api"}},
"modificationDate":"2026-11-20T10:00:00.000+0100"}}"#,
                b = n % 9
            )
        })
        .collect();
    let shape = shape(&[
        SurName,
        FirstName,
        EmployeeNumber,
        Email,
        PhoneNumber,
        TasLoginName,
        NetworkLoginName,
        JobTitle,
        HasSspAccess,
        Branch,
        Department,
        Manager,
    ]);
    let body = format!(r#"{{"item":[{}],"size":{cards},"next":null}}"#, items.join(","));
    (shape, body.into_bytes())
}

fn text_bytes(value: &FieldValue) -> usize {
    match value {
        FieldValue::Text(text) | FieldValue::Number(text) => text.len(),
        FieldValue::Flag(_) | FieldValue::Date(_) => 0,
        FieldValue::Reference(Reference::Entry { id, name }) => id.len() + name.len(),
        FieldValue::Reference(Reference::Card { id, label }) => id.as_str().len() + label.len(),
        FieldValue::Reference(Reference::FreeText(text)) => text.len(),
        FieldValue::Reference(Reference::Pending(_)) => panic!("a card that was read has nothing pending"),
    }
}

#[test]
fn a_card_of_twelve_fields_takes_less_than_1200_bytes() {
    let (shape, body) = usual_page(100);
    let cards = shape.page(&body).unwrap().cards;
    let pair = size_of::<(CardField, FieldValue)>();
    let total: usize = cards
        .iter()
        .map(|card| {
            let fields: usize = card.fields.iter().map(|(_, value)| pair + text_bytes(value)).sum();
            let makers =
                card.creator.as_ref().map_or(0, |id| id.len()) + card.modifier.as_ref().map_or(0, |id| id.len());
            size_of::<PersonCard>() + card.id.as_str().len() + fields + makers
        })
        .sum();
    let each = total / cards.len();
    assert!(each < 1200, "{each} bytes per card, {pair} per field");
    println!("{each} bytes per card, {pair} per field");
}
