//! Two cards of one person are made one in three requests. Whatever becomes of each of them: never two active cards with the
//! number, the safe end comes first, and a human who approves again gets there.

use crate::support::waiting::until;
use crate::support::workplace::Workplace;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const NUMBER: &str = "100003";

/// The scenario's company, with the merge approved.
fn place() -> Workplace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/twin_with_operator_survives");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let place = Workplace::open(serde_json::from_str(&read("cards.json")).unwrap());
    place.configure(&read("config.yaml"));
    place.write("people.csv", read("people.csv"));
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(3);
    place.approve_each(&["keys"], &[]).exits(0);
    place
}

/// The active cards with the number, by whether they are the one with the operator.
fn owners(place: &Workplace) -> Vec<bool> {
    let state = place.sandbox.state_json();
    let persons = state["persons"].as_array().unwrap();
    let owner = |card: &&Value| card["employeeNumber"] == NUMBER && card["archived"] != true;
    // The card that TOPdesk made for the operator is no caller.
    persons
        .iter()
        .filter(owner)
        .map(|card| card["isCaller"] != true)
        .collect()
}

/// Runs later, and approves again what was driven back, until the one card has the number.
fn until_merged(place: &Workplace, point: &str) -> u32 {
    for round in 1..=5_u32 {
        let minutes = round * 11;
        let at = format!("2025-03-03T{:02}:{:02}", 9 + minutes / 60, minutes % 60);
        let ran = place.cardsync(&["run", "--as-of", &at]);
        assert!([0, 3].contains(&ran.code), "{point}: {ran:?}");
        let now = owners(place);
        assert_eq!(
            now.len(),
            1,
            "{point}, {at}: the safe end is one active card with the number; {ran:?}"
        );
        if now == [true] && ran.code == 0 {
            return round;
        }
        place.approve_each(&["merge"], &[]);
    }
    panic!("{point}: never merged: {:?}", place.cardsync(&["holds"]));
}

/// The three requests of a merge.
const POINTS: [(&str, &str, u32); 3] = [
    ("PATCH", "/persons/{id}", 1),
    ("PATCH", "/persons/{id}", 2),
    ("PATCH", "/persons/id/{id}/archive", 1),
];

fn fault(place: &Workplace, kind: &Value, (method, route, nth): (&str, &str, u32)) {
    let mut rule = kind.clone();
    rule["method"] = method.into();
    rule["route"] = route.into();
    rule["nth"] = nth.into();
    place.sandbox.fault(&rule).unwrap();
}

/// This fault at each of the requests.
fn walk(kind: &Value) {
    for point in POINTS {
        let place = place();
        fault(&place, kind, point);
        let named = format!("{kind} at {point:?}");
        let ran = place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]);
        assert_eq!(place.sandbox.stats()["faults_played"], 1, "{named}: {ran:?}");
        assert!(owners(&place).len() <= 1, "{named}: {ran:?}");
        place.sandbox.clear_faults();
        until_merged(&place, &named);
        assert_eq!(place.sandbox.stats()["duplicate_keys"], json!([]), "{named}");
    }
}

#[test]
fn a_merge_lost_before_the_effect_of_each_request() {
    walk(&json!({ "reset": "before" }));
}

#[test]
fn a_merge_lost_after_the_effect_of_each_request() {
    walk(&json!({ "reset": "after" }));
}

#[test]
fn a_merge_refused_at_each_request() {
    walk(
        &json!({ "answer": { "status": 400, "body": [{ "message": "The value for the field \"employeeNumber\" cannot be parsed" }] } }),
    );
}

#[test]
fn a_merge_killed_before_and_after_the_effect_of_each_request() {
    for (kind, effective) in [
        (json!({ "delay_ms": 60_000, "effect": false }), false),
        (json!({ "answer_delay_ms": 60_000 }), true),
    ] {
        for point in POINTS {
            let place = place();
            let before = place.writes().len();
            fault(&place, &kind, point);
            let mut child = place.command(&["run", "--as-of", "2025-03-03T09:00"]).spawn().unwrap();
            let wanted = before
                + if point.1.ends_with("archive") {
                    3
                } else {
                    point.2 as usize
                };
            until("it is played, and takes effect where it does", || {
                place.sandbox.stats()["faults_played"] == 1 && (!effective || place.writes().len() >= wanted)
            });
            child.kill().unwrap();
            child.wait().unwrap();
            place.sandbox.clear_faults();
            let named = format!("killed, {kind} at {point:?}");
            assert!(owners(&place).len() <= 1, "{named}");
            until_merged(&place, &named);
            assert_eq!(place.sandbox.stats()["duplicate_keys"], json!([]), "{named}");
        }
    }
}
