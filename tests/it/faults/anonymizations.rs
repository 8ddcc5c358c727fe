//! An anonymization through the API, where TOPdesk changes no archived card: refused, unarchived, overwritten, archived. Whatever
//! becomes of each request: the card ends archived, its person ends gone from the state, and a certificate says so.

use crate::support::waiting::until;
use crate::support::workplace::{Workplace, text};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const NUMBER: &str = "100005";

/// The scenario's company on the day on which the anonymizations are approved. HR lists its leavers on, with their last day.
fn place() -> Workplace {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/anonymize_by_api_in_place_or_for_a_moment_awake");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let mut cards: Value = serde_json::from_str(&read("cards.json")).unwrap();
    cards["operators"] = json!([]);
    let place = Workplace::open(cards);
    let config = read("config.yaml")
        .replace("[\"100004\"]", "[\"100004\", \"100006\"]")
        .replace("after: 400d", "after: 7d\n    since: \"{{ hr['End date'] | date }}\"");
    place.configure(&config);
    place.write("people.csv", read("people.csv"));
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(0);
    place.write("people.csv", read("left.csv"));
    place.cardsync(&["run", "--as-of", "2025-03-05T08:00"]).exits(0);
    place.cardsync(&["run", "--as-of", "2025-03-12T09:00"]).exits(3);
    place.approve_each(&["anonymize"], &[]).exits(0);
    place
}

/// Whether the card is archived, and whether it is overwritten.
fn card(place: &Workplace, id: &str) -> (bool, bool) {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap();
    let card = cards.iter().find(|card| card["id"] == id).expect("the card");
    (card["archived"] == true, card["surName"] == "*****")
}

fn id_of(place: &Workplace) -> String {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap();
    let card = cards
        .iter()
        .find(|card| card["employeeNumber"] == NUMBER)
        .expect("the card");
    text(&card["id"]).to_owned()
}

/// Runs later, and approves again what was driven back, until it is done.
fn until_done(place: &Workplace, id: &str, point: &str) {
    for round in 1..=5_u32 {
        let minutes = round * 11;
        let at = format!("2025-03-12T{:02}:{:02}", 10 + minutes / 60, minutes % 60);
        let ran = place.cardsync(&["run", "--as-of", &at]);
        assert!([0, 3].contains(&ran.code), "{point}: {ran:?}");
        let (archived, overwritten) = card(place, id);
        assert!(archived, "{point}, {at}: the safe end is an archived card; {ran:?}");
        let certificates = place.cardsync(&["anonymize", "certificates", "--json"]).json();
        if overwritten && ran.code == 0 {
            let certificates = certificates.as_array().unwrap();
            assert_eq!(certificates.len(), 1, "{point}: {certificates:#?}");
            assert_eq!(
                (text(&certificates[0]["card"]), text(&certificates[0]["way"])),
                (id, "api")
            );
            assert!(
                !text(&certificates[0]["approver"]).is_empty(),
                "{point}: {certificates:#?}"
            );
            let bytes = fs::read(place.path("cardsync.db")).unwrap();
            for word in [NUMBER, "Mulder", "s.mulder", "smulder"] {
                let found = bytes.windows(word.len()).any(|part| part == word.as_bytes());
                assert!(!found, "{point}: {word} is still in the store");
            }
            return;
        }
        assert!(
            overwritten || certificates == json!([]),
            "{point}: a certificate of nothing"
        );
        place.approve_each(&["anonymize"], &[]);
    }
    panic!("{point}: never done: {:?}", place.cardsync(&["holds"]));
}

/// The requests, the first of which TOPdesk refuses.
const POINTS: [(&str, &str, u32); 4] = [
    ("PATCH", "/persons/{id}", 1),
    ("PUT", "/persons/id/{id}/unarchive", 1),
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

#[test]
fn an_anonymization_lost_or_refused_at_each_request() {
    let refused = json!({ "answer": { "status": 400, "body": [{ "message": "The value for the field \"email\" cannot be parsed" }] } });
    for kind in [json!({ "reset": "before" }), json!({ "reset": "after" }), refused] {
        for point in POINTS {
            let place = place();
            let id = id_of(&place);
            fault(&place, &kind, point);
            let named = format!("{kind} at {point:?}");
            let ran = place.cardsync(&["run", "--as-of", "2025-03-12T10:00"]);
            assert_eq!(place.sandbox.stats()["faults_played"], 1, "{named}: {ran:?}");
            place.sandbox.clear_faults();
            until_done(&place, &id, &named);
        }
    }
}

#[test]
fn an_anonymization_killed_before_and_after_the_effect_of_each_request() {
    for (kind, effective) in [
        (json!({ "delay_ms": 60_000, "effect": false }), false),
        (json!({ "answer_delay_ms": 60_000 }), true),
    ] {
        for (number, point) in POINTS.into_iter().enumerate() {
            let place = place();
            let id = id_of(&place);
            let before = place.writes().len();
            fault(&place, &kind, point);
            let mut child = place.command(&["run", "--as-of", "2025-03-12T10:00"]).spawn().unwrap();
            // The first is refused: it is no write.
            until("it is played, and takes effect where it does", || {
                place.sandbox.stats()["faults_played"] == 1 && (!effective || place.writes().len() >= before + number)
            });
            child.kill().unwrap();
            child.wait().unwrap();
            place.sandbox.clear_faults();
            until_done(&place, &id, &format!("killed, {kind} at {point:?}"));
        }
    }
}
