//! A plan file selects, it never supplies.

use super::{LATER, PEOPLE, known};
use crate::support::workplace::Workplace;
use serde_json::{Value, json};

/// A plan with a mover (100002) and another mover (100001), saved.
fn saved() -> Workplace {
    let place = known();
    let people = PEOPLE
        .replace("Leiden", "Delft")
        .replace("j.visser@example.org,Delft", "j.visser@example.org,Leiden");
    place.write("people.csv", people);
    place
        .cardsync(&["plan", "--as-of", LATER, "--out", "plan.json"])
        .exits(2);
    place
}

fn branch(place: &Workplace, number: &str) -> String {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap();
    let card = cards.iter().find(|card| card["employeeNumber"] == number).unwrap();
    card["branch"]["name"].as_str().unwrap().to_owned()
}

fn edit(place: &Workplace, change: impl FnOnce(&mut Value)) {
    let text = std::fs::read_to_string(place.path("plan.json")).unwrap();
    let mut plan: Value = serde_json::from_str(&text).unwrap();
    change(&mut plan);
    place.write("plan.json", plan.to_string());
}

#[test]
fn an_unchanged_plan_is_applied() {
    let place = saved();
    place.cardsync(&["apply", "plan.json", "--as-of", LATER]).exits(0);
    assert_eq!(
        (&*branch(&place, "100001"), &*branch(&place, "100002")),
        ("Leiden", "Delft")
    );
}

#[test]
fn what_has_changed_since_and_what_is_new_is_not_applied() {
    let place = saved();
    // 100001 stays after all, 100002 moves as planned, 100003 moves too.
    let people = PEOPLE
        .replace("Leiden", "Delft")
        .replace("e.smit@example.org,Delft", "e.smit@example.org,Leiden");
    place.write("people.csv", people);
    place.cardsync(&["apply", "plan.json", "--as-of", LATER]).exits(0);
    let now = ["100001", "100002", "100003"].map(|number| branch(&place, number));
    assert_eq!(now, ["Delft", "Delft", "Delft"]);
}

#[test]
fn a_plan_that_was_tampered_with_supplies_nothing() {
    let place = saved();
    edit(&place, |plan| {
        for change in plan["changes"].as_array_mut().unwrap() {
            change["fields"] = json!({ "email": { "from": null, "to": "mallory@example.org" } });
        }
        let mut archive = plan["changes"][0].clone();
        archive["id"] = json!("0123456789ab");
        archive["action"] = json!("archive");
        archive["fields"] = json!({});
        plan["changes"].as_array_mut().unwrap().push(archive);
    });
    place.cardsync(&["apply", "plan.json", "--as-of", LATER]).exits(0);
    assert_eq!(place.writes(), Vec::<String>::new());
}

#[test]
fn held_items_stay_held_whatever_the_file_says() {
    let place = known();
    place.write(
        "people.csv",
        PEOPLE.replace("e.smit@example.org,Delft,", "e.smit@example.org,Delft,2025-03-04"),
    );
    place
        .cardsync(&["plan", "--as-of", LATER, "--out", "plan.json"])
        .exits(3);
    edit(&place, |plan| {
        plan["changes"][0]["verdict"] = json!("allowed");
        plan["changes"][0]["holds"] = json!([]);
    });
    place.cardsync(&["apply", "plan.json", "--as-of", LATER]).exits(3);
    assert_eq!(place.writes(), Vec::<String>::new());
}

#[test]
fn a_file_that_is_no_plan_says_how_to_get_one() {
    let place = known();
    place.write("plan.json", "[]");
    for file in ["plan.json", "nowhere.json"] {
        let ran = place.cardsync(&["apply", file]).exits(1);
        assert!(
            ran.stderr.contains(file) && ran.stderr.contains("plan --out"),
            "{}",
            ran.stderr
        );
    }
}
