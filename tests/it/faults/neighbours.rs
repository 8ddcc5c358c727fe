//! Another connector that makes archived cards active for seconds, to change something on them: nothing follows from it.

use crate::support::workplace::{Workplace, text};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const NUMBER: &str = "100003";

/// A company whose leaver was archived, with their operator, after an approval.
fn place() -> Workplace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/scenarios/undo_puts_operators_back_that_were_archived_before");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let place = Workplace::open(serde_json::from_str(&read("cards.json")).unwrap());
    place.configure(&read("config.yaml"));
    place.write("people.csv", read("leavers.csv").replace("2025-03-03", "2025-02-28"));
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(3);
    for line in place.cardsync(&["holds", "--json"]).json().as_array().unwrap() {
        place.cardsync(&["approve", text(&line["id"])]).exits(0);
    }
    place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]).exits(0);
    place
}

fn flap(person: &str, archived: bool) -> Value {
    json!({ "person": person, "set": { "archived": archived }, "by": "api-neighbour" })
}

/// The card is active while the cards are read and archived again before the read ends.
fn awake_while_cards_are_read(place: &Workplace) {
    place
        .sandbox
        .fault(&json!({ "route": "/persons", "nth": 1, "edit": flap(NUMBER, false) }))
        .unwrap();
    place
        .sandbox
        .fault(&json!({ "route": "/persons/count", "nth": 2, "edit": flap(NUMBER, true) }))
        .unwrap();
}

fn is_archived(place: &Workplace) -> bool {
    let state = place.sandbox.state_json();
    let persons = state["persons"].as_array().unwrap();
    let card = persons.iter().find(|card| card["employeeNumber"] == NUMBER).unwrap();
    card["archived"] == true
}

#[test]
fn a_card_that_another_connector_wakes_for_seconds_is_left_alone_and_nothing_is_remembered_of_it() {
    let place = place();
    let (written, archived) = (place.writes().len(), is_archived(&place));
    assert!(archived);
    let quiet = place
        .cardsync(&["plan", "--json", "--as-of", "2025-03-03T09:20"])
        .json();
    for (read, run) in [
        ("2025-03-03T09:30", "2025-03-03T09:40"),
        ("2025-03-03T10:30", "2025-03-03T10:40"),
    ] {
        let played = place.sandbox.stats()["faults_played"].as_u64().unwrap();
        awake_while_cards_are_read(&place);
        let ran = place.cardsync(&["run", "--as-of", read]);
        assert_eq!(place.sandbox.stats()["faults_played"], played + 2, "{ran:?}");
        place.sandbox.clear_faults();
        assert!([0, 3].contains(&ran.code), "{ran:?}");
        assert_eq!(place.writes().len(), written, "{ran:?}");
        assert!(is_archived(&place));
        let ran = place.cardsync(&["run", "--as-of", run]);
        assert!([0, 3].contains(&ran.code), "{ran:?}");
        assert_eq!(place.writes().len(), written, "{ran:?}");
    }
    let after = place
        .cardsync(&["plan", "--json", "--as-of", "2025-03-03T11:00"])
        .json();
    assert_eq!(after["changes"], quiet["changes"], "as if nothing had been");
    // Whoever comes back is told of, and is not made anew.
    place.write(
        "people.csv",
        fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/scenarios/undo_puts_operators_back_that_were_archived_before/people.csv"),
        )
        .unwrap(),
    );
    let ran = place.cardsync(&["run", "--as-of", "2025-03-04T08:00"]);
    assert_eq!(
        place.writes().iter().filter(|write| write.contains("POST")).count(),
        0,
        "{ran:?}"
    );
}
