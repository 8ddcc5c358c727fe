//! Whose card it is, before any number says so.

use super::world::{World, key, row};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{
    Describe, Description, Desired, FirstDay, JoinedRecord, LastDay, Moment, Truth, Wanted,
};
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::ActionKind;
use crate::core::rules::policy::{FieldPolicy, FieldRules, MissingEntry};
use crate::tools::rekey::pairing::{NoPair, Pairing, Verdict, Which, pair};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// A date of birth.
pub(super) const BORN: CardField = CardField::OptionalDate(1, 1);

/// The mapping of the tests with telephone numbers and dates of birth besides.
pub(super) struct More<'a> {
    pub world: &'a Company,
}

impl Describe for More<'_> {
    fn scope(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        self.world.world.mapping.scope(joined, moment)
    }

    fn leaving(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        self.world.world.mapping.leaving(joined, moment)
    }

    fn leaving_beyond_doubt(&self, joined: &JoinedRecord<'_>, moment: Moment, first_day: Option<NaiveDate>) -> Truth {
        self.world.world.mapping.leaving_beyond_doubt(joined, moment, first_day)
    }

    fn last_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> LastDay {
        self.world.world.mapping.last_day(joined, moment)
    }

    fn first_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Option<FirstDay> {
        self.world.world.mapping.first_day(joined, moment)
    }

    fn leaves_by_date(&self) -> bool {
        true
    }

    fn managers_by_dn(&self) -> bool {
        false
    }

    fn describe(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Description {
        let mut description = self.world.world.mapping.describe(joined, moment);
        let more = self.world.more.get(joined.key).cloned().unwrap_or_default();
        let known = [(CardField::PhoneNumber, more.phone), (BORN, more.born)];
        for (field, value) in known.into_iter().chain(more.others) {
            let desired = value.map_or(Desired::Clear, |value| Desired::Set(Wanted::Value(value)));
            description.fields.insert(field, desired);
        }
        description
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    pub phone: Option<FieldValue>,
    pub born: Option<FieldValue>,
    /// Instead of these, or besides.
    pub others: Vec<(CardField, Option<FieldValue>)>,
}

/// A company whose cards have no number.
pub(super) struct Company {
    pub world: World,
    pub more: BTreeMap<Key, Extra>,
}

pub(super) fn born(day: u32) -> Option<FieldValue> {
    let date = NaiveDate::from_num_days_from_ce_opt(710_000 + i32::try_from(day).expect("a small number"));
    date.map(FieldValue::Date)
}

pub(super) fn phone(number: u32) -> Option<FieldValue> {
    FieldValue::text(&format!("+31 6 {number:08}"))
}

impl Company {
    pub fn new() -> Self {
        let mut world = World::new();
        world.policy.birth_date = Some(BORN);
        world.mapping.starts = true;
        let mut company = Company {
            world,
            more: BTreeMap::new(),
        };
        company.maps(CardField::PhoneNumber);
        company.maps(BORN);
        company
    }

    /// The sources say what this field should be.
    pub fn maps(&mut self, field: CardField) {
        let rules = FieldRules {
            policy: FieldPolicy::Enforce,
            missing: MissingEntry::Hold,
        };
        self.world.policy.fields.insert(field, rules);
    }

    /// What the sources say of somebody.
    pub fn has(&mut self, number: &str, others: Vec<(CardField, Option<FieldValue>)>) {
        self.extra(
            number,
            Extra {
                others,
                ..Extra::default()
            },
        );
    }

    /// Somebody of `hr`.
    pub fn person(&mut self, number: &str, first: &str, sur: &str, login: &str) {
        let record = row(number)
            .with("first", first)
            .with("sur", sur)
            .with("login", login)
            .with("email", &format!("{login}@example.net"));
        self.world.hr().rows.push(record);
    }

    /// A card without a number.
    pub fn card(&mut self, id: &str, first: &str, sur: &str, login: &str) {
        let shown = row("").with("first", first).with("sur", sur).with("login", login).with(
            "email",
            &if login.is_empty() {
                String::new()
            } else {
                format!("{login}@example.net")
            },
        );
        self.world.card(id, &shown);
    }

    /// Their first day, in the sources.
    pub fn starts(&mut self, number: &str, day: NaiveDate) {
        self.world.hr().set(number, "start", &day.to_string());
    }

    /// When the card was made.
    pub fn made(&mut self, card: &str, day: NaiveDate) {
        self.world.card_mut(card).created_at = day.and_hms_opt(9, 0, 0).map(|at| at.and_utc());
    }

    pub fn extra(&mut self, number: &str, extra: Extra) {
        self.more.insert(key(number), extra);
    }

    pub fn pair(&self) -> Pairing {
        self.pair_of(Which::Keyless)
    }

    pub fn pair_of(&self, which: Which) -> Pairing {
        pair(&self.world.input(), &More { world: self }, which)
    }
}

/// Card, then what came of it: the grade and number, or why not and of whom.
fn told(pairing: &Pairing) -> Vec<(String, String)> {
    let rows = pairing.rows.iter().map(|row| {
        let what = match &row.verdict {
            Verdict::Pair(pair) => format!("{} {}", pair.grade, pair.key),
            Verdict::None { why, people, .. } => {
                let people: Vec<&str> = people.iter().map(Key::as_str).collect();
                format!("{why:?} {}", people.join(" ")).trim().to_owned()
            }
        };
        (row.card.to_string(), what)
    });
    rows.collect()
}

fn one(company: &Company, card: &str) -> String {
    let told = told(&company.pair());
    let found = told.into_iter().find(|(id, _)| id == card);
    found.unwrap_or_else(|| panic!("no row of {card}")).1
}

/// Eva Smit in the sources and on a card, alike in all of the first family.
fn eva() -> Company {
    let mut company = Company::new();
    company.person("E1", "Eva", "Smit", "esmit");
    company.card("c1", "Eva", "Smit", "esmit");
    company
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Eva with a first day, and her card made on it.
fn eva_with_a_first_day() -> Company {
    let mut company = eva();
    company.starts("E1", day("2024-03-01"));
    company.made("c1", day("2024-03-01"));
    company
}

/// Gives both sides what they share.
fn share(company: &mut Company, number: &str, card: &str, extra: &Extra) {
    company.world.set(card, CardField::PhoneNumber, extra.phone.clone());
    company.world.set(card, BORN, extra.born.clone());
    company.extra(number, extra.clone());
}

#[test]
fn all_that_comes_with_the_seat_is_one_witness() {
    let mut company = eva();
    assert_eq!(one(&company, "c1"), "likely E1");
    let phone = Extra {
        phone: phone(1),
        born: None,
        ..Extra::default()
    };
    share(&mut company, "E1", "c1", &phone);
    assert_eq!(one(&company, "c1"), "likely E1", "the telephone stays on the desk");
    let born = Extra {
        phone: None,
        born: born(1),
        ..Extra::default()
    };
    share(&mut company, "E1", "c1", &born);
    assert_eq!(one(&company, "c1"), "sure E1");
}

#[test]
fn a_card_that_is_not_older_than_its_person_had_no_predecessor() {
    let mut company = eva_with_a_first_day();
    assert_eq!(one(&company, "c1"), "sure E1");
    // Sixty days of head start for those who prepare the desk.
    company.made("c1", day("2024-01-01"));
    assert_eq!(one(&company, "c1"), "sure E1");
    company.made("c1", day("2023-12-31"));
    assert_eq!(one(&company, "c1"), "possible E1");
    // The person came back: what witnesses them outlasts the first day.
    let both = Extra {
        phone: None,
        born: born(1),
        ..Extra::default()
    };
    share(&mut company, "E1", "c1", &both);
    assert_eq!(one(&company, "c1"), "sure E1");
}

#[test]
fn a_namesake_that_nothing_tells_apart_takes_the_grade() {
    // Who left and is still listed.
    let mut company = eva_with_a_first_day();
    company.person("E2", "Eva", "Smit", "");
    company.world.hr().set("E2", "status", "left");
    assert_eq!(one(&company, "c1"), "possible E1");
    let pairing = company.pair();
    let of_the_pair = &pairing.rows[0].pair().expect("a pair").namesakes;
    assert_eq!(of_the_pair.people, [key("E2")]);
    // Who has a card of their own, by account and name.
    company.world.hr().set("E2", "login", "esmit2");
    company.card("c2", "Eva", "Smit", "esmit2");
    assert_eq!(one(&company, "c1"), "sure E1");
    // Another card of the name, of whom nobody knows.
    company.card("c3", "Eva", "Smit", "evas");
    assert_eq!(one(&company, "c1"), "possible E1");
    let both = Extra {
        phone: None,
        born: born(1),
        ..Extra::default()
    };
    share(&mut company, "E1", "c1", &both);
    company.world.set("c3", BORN, born(2));
    assert_eq!(one(&company, "c1"), "sure E1");
}

#[test]
fn what_contradicts_is_never_outvoted() {
    let born_then = Extra {
        phone: phone(1),
        born: born(1),
        ..Extra::default()
    };
    let mut company = eva_with_a_first_day();
    share(&mut company, "E1", "c1", &born_then);
    assert_eq!(one(&company, "c1"), "sure E1");
    company.world.hr().set("E1", "status", "left");
    assert_eq!(one(&company, "c1"), "likely E1");
    company.world.hr().set("E1", "status", "");
    company.world.set("c1", BORN, None);
    assert_eq!(one(&company, "c1"), "likely E1", "a date of birth on one side only");
    company.world.set("c1", BORN, born(2));
    assert_eq!(one(&company, "c1"), "DateDiffers E1");
    let mut company = eva_with_a_first_day();
    company.world.hr().set("E1", "sur", "van den Berg");
    company.world.set_text("c1", CardField::SurName, "van der Berg");
    assert_eq!(one(&company, "c1"), "possible E1");
    company.world.set_text("c1", CardField::SurName, "Berg");
    assert_eq!(one(&company, "c1"), "sure E1", "one list leaves the small words out");
}

#[test]
fn initials_and_names_the_wrong_way_round_are_no_whole_name() {
    let mut company = eva_with_a_first_day();
    company.world.set_text("c1", CardField::SurName, "Eva");
    company.world.set_text("c1", CardField::FirstName, "Smit");
    assert_eq!(one(&company, "c1"), "likely E1");
    company.world.set_text("c1", CardField::SurName, "Smit");
    company.world.set_text("c1", CardField::FirstName, "E.");
    company.world.hr().set("E1", "first", "E.");
    assert_eq!(one(&company, "c1"), "likely E1");
}

#[test]
fn both_spellings_of_an_umlaut_are_one_name() {
    let mut company = eva_with_a_first_day();
    company.world.hr().set("E1", "sur", "Schröder");
    for (spelling, expected) in [
        ("Schroeder", "sure E1"),
        ("Schroder", "sure E1"),
        ("Schreder", "possible E1"),
    ] {
        company.world.set_text("c1", CardField::SurName, spelling);
        assert_eq!(one(&company, "c1"), expected, "{spelling}");
    }
}

#[test]
fn a_date_that_two_people_share_witnesses_neither() {
    let mut company = eva();
    let both = Extra {
        phone: phone(9),
        born: born(1),
        ..Extra::default()
    };
    share(&mut company, "E1", "c1", &both);
    assert_eq!(one(&company, "c1"), "sure E1");
    company.person("E2", "Jan", "Visser", "jvisser");
    company.extra("E2", both);
    assert_eq!(one(&company, "c1"), "likely E1");
}

#[test]
fn a_login_that_was_handed_on_is_no_pair_whatever_else_agrees() {
    let mut company = eva();
    company.world.set_text("c1", CardField::SurName, "Kok");
    company.world.set_text("c1", CardField::FirstName, "Tim");
    company.extra(
        "E1",
        Extra {
            phone: phone(1),
            born: None,
            ..Extra::default()
        },
    );
    company.world.set("c1", CardField::PhoneNumber, phone(1));
    assert_eq!(one(&company, "c1"), "HandedOn E1");
}

#[test]
fn a_namesake_with_another_date_of_birth_is_no_pair() {
    let mut company = eva();
    let extra = Extra {
        phone: None,
        born: born(1),
        ..Extra::default()
    };
    company.extra("E1", extra);
    company.world.set("c1", BORN, born(2));
    assert_eq!(one(&company, "c1"), "DateDiffers E1");
}

#[test]
fn two_people_or_two_cards_that_are_alike_are_no_pair() {
    let mut company = eva();
    company.person("E2", "Eva", "Smit", "esmit");
    assert_eq!(one(&company, "c1"), "SeveralPeople E1 E2");
    let mut company = eva();
    company.card("c2", "Eva", "Smit", "esmit");
    assert_eq!(one(&company, "c1"), "SeveralCards E1");
    assert_eq!(one(&company, "c2"), "SeveralCards E1");
    // The date of birth tells them apart.
    let both = Extra {
        phone: None,
        born: born(1),
        ..Extra::default()
    };
    share(&mut company, "E1", "c2", &both);
    company.world.set("c1", BORN, born(2));
    assert_eq!(one(&company, "c2"), "sure E1");
    assert_eq!(one(&company, "c1"), "DateDiffers E1");
}

#[test]
fn a_marriage_takes_a_witness_that_is_never_handed_on() {
    let mut company = eva();
    company.world.set_text("c1", CardField::SurName, "Bakker");
    assert_eq!(one(&company, "c1"), "possible E1");
    let at_the_desk = Extra {
        phone: phone(1),
        born: None,
        ..Extra::default()
    };
    share(&mut company, "E1", "c1", &at_the_desk);
    assert_eq!(one(&company, "c1"), "possible E1");
    let lasting = Extra {
        phone: None,
        born: born(1),
        ..Extra::default()
    };
    share(&mut company, "E1", "c1", &lasting);
    assert_eq!(one(&company, "c1"), "sure E1");
    // Without the account it is for a human to say.
    for field in [CardField::Email, CardField::TasLoginName] {
        company.world.set_text("c1", field, "bakker");
    }
    assert_eq!(one(&company, "c1"), "likely E1");
}

#[test]
fn a_generated_card_is_found_by_its_operator_and_integrations_never() {
    let mut company = eva();
    company.card("c1", "Eva", "Smit", "");
    company.world.set("c1", CardField::Email, None);
    company.world.operator("o1", "c1", false, OperatorKind::Regular);
    company.world.operators.get_mut(&"o1".into()).unwrap().login_name = Some("esmit".into());
    assert_eq!(one(&company, "c1"), "likely E1");
    company.world.operators.get_mut(&"o1".into()).unwrap().kind = OperatorKind::ApiAccount;
    assert_eq!(one(&company, "c1"), "SpecialAccount E1");
}

#[test]
fn of_twins_the_number_goes_on_the_card_without_the_operator_and_a_run_makes_one_of_them() {
    let mut company = eva();
    company.card("c2", "Eva", "Smit", "esmit");
    company.world.operator("o1", "c2", false, OperatorKind::Regular);
    let pairing = company.pair();
    let of = |card: &str| pairing.rows.iter().find(|row| row.card.as_str() == card).unwrap();
    assert_eq!(of("c1").pair().unwrap().twin, Some(CardId::from("c2")));
    assert!(matches!(&of("c2").verdict, Verdict::None { why: NoPair::Twin, .. }));
    assert_eq!(pairing.rows[0].card, CardId::from("c2"), "operators come first");
    // The number is written, and the planner offers the one mechanism that there is.
    company.world.set_text("c1", CardField::EmployeeNumber, "E1");
    let plan = crate::core::planner::plan(&company.world.input(), &More { world: &company });
    assert!(
        plan.changes
            .iter()
            .any(|change| change.action.kind() == ActionKind::Merge)
    );
    assert_eq!(one(&company, "c2"), "Twin E1");
}

#[test]
fn who_has_a_card_by_number_gets_no_second_one_and_archived_cards_are_named() {
    let mut company = eva();
    company.card("c2", "Eva", "Smit", "esmit");
    company.world.set_text("c2", CardField::EmployeeNumber, "E1");
    assert_eq!(one(&company, "c1"), "SecondCard E1");
    let mut company = eva();
    company.world.card_mut("c1").archived = true;
    assert_eq!(one(&company, "c1"), "Archived E1");
    let mut company = eva();
    company.world.hr().set("E1", "scope", "no");
    assert_eq!(one(&company, "c1"), "OutOfScope E1");
    let mut company = eva();
    company.world.policy.protected.cards.insert("c1".into());
    assert_eq!(one(&company, "c1"), "Protected E1");
}

#[test]
fn a_number_that_lost_its_zeros_is_a_witness_and_only_where_it_is_asked_for() {
    let mut company = Company::new();
    company.person("00E1", "Eva", "Smit", "esmit");
    company.card("c1", "Eva", "Smit", "other");
    company.world.set_text("c1", CardField::EmployeeNumber, "E1");
    assert!(told(&company.pair()).is_empty(), "the card has a number");
    let pairing = pair(&company.world.input(), &More { world: &company }, Which::Unclaimed);
    assert_eq!(told(&pairing), [("c1".to_owned(), "sure 00E1".to_owned())]);
    company.world.set_text("c1", CardField::EmployeeNumber, "E7");
    let pairing = pair(&company.world.input(), &More { world: &company }, Which::Unclaimed);
    assert_eq!(told(&pairing), [("c1".to_owned(), "possible 00E1".to_owned())]);
}
