//! Two numbers that were exchanged are put right in two requests. Whatever becomes of each of them: both cards have their own
//! number in the end, or both what they had, nobody is asked twice, and nobody gets a second card.

use crate::support::waiting::{FOR_EVER_MS, until};
use crate::support::workplace::{Workplace, text};
use serde_json::{Value, json};
use std::fs;

/// Where the company is from.
pub(super) const SCENARIO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/scenarios/exchanged_numbers_are_one_item"
);

/// The scenario's company, with the exchange approved.
fn place() -> Workplace {
    let read = |file: &str| fs::read_to_string(format!("{SCENARIO}/{file}")).unwrap();
    approved_in(serde_json::from_str(&read("cards.json")).unwrap(), &read("people.csv"))
}

/// A company under the scenario's configuration, with the exchange approved.
pub(super) fn approved_in(cards: Value, people: &str) -> Workplace {
    let place = Workplace::open(cards);
    place.configure(&fs::read_to_string(format!("{SCENARIO}/config.yaml")).unwrap());
    place.write("people.csv", people);
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(3);
    place.approve_each(&["exchange"], &[]).exits(0);
    place
}

/// The numbers of the two cards, that of Jan Visser first.
fn numbers(place: &Workplace) -> (String, String) {
    let state = place.sandbox.state_json();
    let persons = state["persons"].as_array().unwrap();
    assert_eq!(persons.len(), 5, "nobody gets a second card");
    let of = |name: &str| {
        let card = persons.iter().find(|card| card["surName"] == name);
        text(&card.unwrap()["employeeNumber"]).to_owned()
    };
    (of("Visser"), of("Bakker"))
}

fn own() -> (String, String) {
    ("100001".to_owned(), "100002".to_owned())
}

fn exchanged() -> (String, String) {
    ("100002".to_owned(), "100001".to_owned())
}

/// Runs later until each card has its own number; gives how often it had to be approved again.
fn until_right(place: &Workplace, point: &str) -> u32 {
    for asked in 0..5_u32 {
        let minutes = (asked + 1) * 11;
        let at = format!("2025-03-03T{:02}:{:02}", 9 + minutes / 60, minutes % 60);
        let ran = place.cardsync(&["run", "--as-of", &at]);
        // The circle of three waits.
        assert_eq!(ran.code, 3, "{point}: {ran:?}");
        let now = numbers(place);
        if now == own() {
            return asked;
        }
        assert_eq!(now, exchanged(), "{point}, {at}: both or none; {ran:?}");
        place.approve_each(&["exchange"], &[]);
    }
    panic!("{point}: never put right: {:?}", place.cardsync(&["holds"]));
}

fn fault(place: &Workplace, kind: &Value, nth: u32) {
    let mut rule = kind.clone();
    rule["method"] = "PATCH".into();
    rule["route"] = "/persons/{id}".into();
    rule["nth"] = nth.into();
    place.sandbox.fault(&rule).unwrap();
}

#[test]
fn an_exchange_lost_before_or_after_the_effect_of_each_request_is_finished_without_another_question() {
    for kind in [json!({ "reset": "before" }), json!({ "reset": "after" })] {
        for nth in [1, 2] {
            let place = place();
            fault(&place, &kind, nth);
            let named = format!("{kind} at {nth}");
            let ran = place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]);
            assert_eq!(place.sandbox.stats()["faults_played"], 1, "{named}: {ran:?}");
            place.sandbox.clear_faults();
            assert_eq!(until_right(&place, &named), 0, "{named}");
        }
    }
}

#[test]
fn an_exchange_refused_at_each_request_leaves_both_as_they_were() {
    let kind = json!({ "answer": { "status": 400, "body": [{ "message": "The value for the field \"employeeNumber\" cannot be parsed" }] } });
    for nth in [1, 2] {
        let place = place();
        fault(&place, &kind, nth);
        place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]);
        assert_eq!(place.sandbox.stats()["faults_played"], 1, "{nth}");
        assert_eq!(numbers(&place), exchanged(), "{nth}");
        place.sandbox.clear_faults();
        until_right(&place, &format!("refused at {nth}"));
    }
}

#[test]
fn an_exchange_killed_before_and_after_the_effect_of_each_request_is_finished_without_another_question() {
    for (kind, effective) in [
        (json!({ "delay_ms": FOR_EVER_MS, "effect": false }), false),
        (json!({ "answer_delay_ms": FOR_EVER_MS }), true),
    ] {
        for nth in [1, 2] {
            let place = place();
            let before = place.writes().len();
            fault(&place, &kind, nth);
            let mut child = place.command(&["run", "--as-of", "2025-03-03T09:00"]).spawn().unwrap();
            let wanted = before + nth as usize;
            until("it is played, and takes effect where it does", || {
                place.sandbox.stats()["faults_played"] == 1 && (!effective || place.writes().len() >= wanted)
            });
            child.kill().unwrap();
            child.wait().unwrap();
            place.sandbox.clear_faults();
            let named = format!("killed, {kind} at {nth}");
            assert_eq!(until_right(&place, &named), 0, "{named}");
        }
    }
}
