//! Changes that are about operators take several requests. A card that is made active again with a say in what becomes of its operators takes several requests. Whatever becomes of
//! each of them: an operator that was to stay archived is archived at the end of the next run at the latest, and whoever asks
//! again gets what was asked for.

use crate::support::waiting::until;
use crate::support::workplace::{Ran, Workplace, text};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

const NUMBER: &str = "100003";

/// A card whose archive took one operator along, beside one that had been archived long before; its undo is approved. Gives
/// the run that archived. `wakes`: whether TOPdesk wakes operators with their cards.
fn place(wakes: bool) -> (Workplace, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/scenarios/undo_puts_operators_back_that_were_archived_before");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let place = Workplace::open(serde_json::from_str(&read("cards.json")).unwrap());
    if !wakes {
        place.sandbox.set("unarchive_restores_operator", "no").unwrap();
    }
    place.configure(&read("config.yaml"));
    place.write("people.csv", read("leavers.csv").replace("2025-03-03", "2025-02-28"));
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(3);
    place.approve_each(&["archive"], &[]).exits(0);
    place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]).exits(0);
    let run = text(&place.cardsync(&["history", "--json"]).json()[0]["id"]).to_owned();
    undo(&place, &run, "2025-03-03T09:30").exits(3);
    place.approve_each(&["unarchive"], &[]).exits(0);
    (place, run)
}

fn undo(place: &Workplace, run: &str, at: &str) -> Ran {
    place.cardsync(&["undo", run, "--only", NUMBER, "--as-of", at])
}

/// Whether these are active: the card, the operator that was taken along, the one that was archived before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Awake {
    card: bool,
    taken: bool,
    before: bool,
}

const AS_WANTED: Awake = Awake {
    card: true,
    taken: true,
    before: false,
};

fn awake(place: &Workplace) -> Awake {
    let state = place.sandbox.state_json();
    let operator = |login: &str| {
        let operators = state["operators"].as_array().unwrap();
        operators
            .iter()
            .any(|it| it["loginName"] == login && it["status"] == "operator")
    };
    let persons = state["persons"].as_array().unwrap();
    Awake {
        card: persons
            .iter()
            .any(|card| card["employeeNumber"] == NUMBER && card["archived"] != true),
        taken: operator("esmit"),
        before: operator("esmit-night"),
    }
}

/// Runs later, then asks for the undo again, until everything is as it was before the archive.
fn until_back(place: &Workplace, run: &str, point: &str) {
    for round in 1..=4_u32 {
        let at = |more: u32| {
            let minutes = round * 11 + more;
            format!("2025-03-03T{:02}:{:02}", 10 + minutes / 60, minutes % 60)
        };
        let ran = place.cardsync(&["run", "--as-of", &at(0)]);
        assert!([0, 3].contains(&ran.code), "{point}: {ran:?}");
        let now = awake(place);
        assert!(!now.before, "{point}: the safe end is that it is archived; {ran:?}");
        if now == AS_WANTED {
            return;
        }
        let ran = undo(place, run, &at(1));
        if ran.code == 3 {
            place.approve_each(&["unarchive"], &[]).exits(0);
        }
        assert!(!awake(place).before, "{point}: {ran:?}");
    }
    panic!("{point}: never back: {:?}", awake(place));
}

/// Each request that such an undo can take.
const POINTS: [(bool, &str, &str); 3] = [
    (true, "PUT", "/persons/id/{id}/unarchive"),
    (true, "PATCH", "/operators/id/{id}/archive"),
    (false, "PATCH", "/operators/id/{id}/unarchive"),
];

fn fault(place: &Workplace, kind: &Value, method: &str, route: &str) {
    let mut rule = kind.clone();
    rule["method"] = method.into();
    rule["route"] = route.into();
    rule["nth"] = 1.into();
    place.sandbox.fault(&rule).unwrap();
}

#[test]
fn an_undo_whose_answers_are_lost_ends_with_every_operator_as_before() {
    for (wakes, method, route) in POINTS {
        let (place, run) = place(wakes);
        let named = format!("{method} {route}");
        fault(&place, &json!({ "reset": "after" }), method, route);
        let ran = undo(&place, &run, "2025-03-03T10:00");
        assert_eq!(place.sandbox.stats()["faults_played"], 1, "{named}: {ran:?}");
        assert!(!awake(&place).before, "{named}: {ran:?}");
        until_back(&place, &run, &named);
    }
}

#[test]
fn an_undo_that_is_killed_ends_with_every_operator_as_before() {
    for (kind, effective) in [
        (json!({ "delay_ms": 60_000, "effect": false }), false),
        (json!({ "answer_delay_ms": 60_000 }), true),
    ] {
        for (number, (wakes, method, route)) in POINTS.into_iter().enumerate() {
            let (place, run) = place(wakes);
            let before = place.writes().len();
            fault(&place, &kind, method, route);
            let arguments = ["undo", &run, "--only", NUMBER, "--as-of", "2025-03-03T10:00"];
            let mut child = place.command(&arguments).spawn().unwrap();
            let wanted = before + 1 + usize::from(number > 0);
            until("it is played, and takes effect where it does", || {
                place.sandbox.stats()["faults_played"] == 1 && (!effective || place.writes().len() >= wanted)
            });
            child.kill().unwrap();
            child.wait().unwrap();
            place.sandbox.clear_faults();
            until_back(&place, &run, &format!("killed, {kind} at {method} {route}"));
        }
    }
}

fn refusal() -> Value {
    json!({ "answer": { "status": 403, "body": [{ "message": "No permission to archive operators." }] } })
}

#[test]
fn an_operator_that_may_not_be_woken_waits_and_its_card_is_active() {
    let (place, run) = place(false);
    fault(&place, &refusal(), "PATCH", "/operators/id/{id}/unarchive");
    let ran = undo(&place, &run, "2025-03-03T10:00").exits(3);
    assert!(ran.stdout.contains("the card is active again and operator"), "{ran:?}");
    let refused = Awake {
        taken: false,
        ..AS_WANTED
    };
    assert_eq!(awake(&place), refused);
    // The approval of before does not send it again.
    let writes = place.writes().len();
    let ran = undo(&place, &run, "2025-03-03T10:10").exits(3);
    assert!(
        ran.stdout.contains("stays archived: TOPdesk refused to wake it"),
        "{ran:?}"
    );
    assert_eq!(place.writes().len(), writes);
    place.approve_each(&["unarchive"], &[]).exits(0);
    undo(&place, &run, "2025-03-03T10:20").exits(0);
    assert_eq!(awake(&place), AS_WANTED);
}

#[test]
fn where_an_operator_cannot_be_put_back_its_card_is_archived_again() {
    let (place, run) = place(true);
    fault(&place, &refusal(), "PATCH", "/operators/id/{id}/archive");
    let ran = undo(&place, &run, "2025-03-03T10:00").exits(3);
    assert!(ran.stdout.contains("driven to its safe end"), "{ran:?}");
    let asleep = Awake {
        card: false,
        taken: false,
        before: false,
    };
    assert_eq!(awake(&place), asleep, "{ran:?}");
    until_back(&place, &run, "refused");
}

#[test]
fn what_was_cut_off_is_put_back_by_the_second_account() {
    let (place, run) = place(true);
    let config = fs::read_to_string(place.path("cardsync.yaml")).unwrap();
    let second = |password: &str| {
        let account =
            format!("  operator_account: {{ username: api-cardsync, password: {{ file: {password} }} }}\ntimezone:");
        place.write("cardsync.yaml", config.replacen("timezone:", &account, 1));
    };
    place.write("wrong", "not-the-password");
    fault(
        &place,
        &json!({ "delay_ms": 60_000, "effect": false }),
        "PATCH",
        "/operators/id/{id}/archive",
    );
    let arguments = ["undo", &run, "--only", NUMBER, "--as-of", "2025-03-03T10:00"];
    let mut child = place.command(&arguments).spawn().unwrap();
    while place.sandbox.stats()["faults_played"] != 1 {
        std::thread::sleep(Duration::from_millis(3));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    place.sandbox.clear_faults();
    assert!(awake(&place).before);
    // The everyday account would do; it is not the one that is asked.
    second("wrong");
    let ran = place.cardsync(&["run", "--as-of", "2025-03-03T10:11"]);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(awake(&place).before, "{ran:?}");
    second("password");
    until_back(&place, &run, "second account");
}

/// A leaver whose archive, which takes the operator's log-in first, is approved.
fn leaver() -> Workplace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/leaver_is_disarmed_before_the_archive");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let place = Workplace::open(serde_json::from_str(&read("cards.json")).unwrap());
    place.configure(&read("config.yaml"));
    place.write("people.csv", read("leavers.csv").replace("2025-03-03", "2025-02-28"));
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(3);
    place.approve_each(&["operators"], &[]).exits(0);
    place
}

/// Whether the operator's card is active, and the operator itself, and whether it may log in.
fn access(place: &Workplace) -> (bool, bool, bool) {
    let state = place.sandbox.state_json();
    let operators = state["operators"].as_array().unwrap();
    let operator = operators.iter().find(|it| it["loginName"] == "esmit").unwrap();
    (
        awake(place).card,
        operator["status"] == "operator",
        operator["loginPermission"] == true,
    )
}

const DISARMING: [(&str, &str); 2] = [("PATCH", "/operators/id/{id}"), ("PATCH", "/persons/id/{id}/archive")];

/// Undoes the run that archived, with an approval; the operator may log in again.
fn given_back(place: &Workplace, run: &str, named: &str) {
    let ran = undo(place, run, "2025-03-03T12:00");
    assert_eq!(ran.code, 3, "{named}: it waits for an approval; {ran:?}");
    place.approve_each(&["unarchive"], &[]).exits(0);
    let ran = undo(place, run, "2025-03-03T12:01");
    assert_eq!(access(place), (true, true, true), "{named}: {ran:?}");
}

#[test]
fn a_leaver_who_is_disarmed_is_archived_with_the_same_approval_whatever_is_cut_off() {
    for (kind, kill) in [
        (json!({ "reset": "after" }), false),
        (json!({ "delay_ms": 60_000, "effect": false }), true),
        (json!({ "answer_delay_ms": 60_000 }), true),
    ] {
        for (method, route) in DISARMING {
            let place = leaver();
            let named = format!("{kind} at {method} {route}");
            fault(&place, &kind, method, route);
            let arguments = ["run", "--as-of", "2025-03-03T09:00"];
            if kill {
                let effective = kind.get("effect").is_none();
                let wanted = 1 + usize::from(route.starts_with("/persons"));
                let mut child = place.command(&arguments).spawn().unwrap();
                until("it is played, and takes effect where it does", || {
                    place.sandbox.stats()["faults_played"] == 1 && (!effective || place.writes().len() >= wanted)
                });
                child.kill().unwrap();
                child.wait().unwrap();
                place.sandbox.clear_faults();
            } else {
                place.cardsync(&arguments);
            }
            // The first settles by reading what was in doubt, and a change that waited for that is planned by the second.
            for at in ["2025-03-03T09:11", "2025-03-03T09:22"] {
                let ran = place.cardsync(&["run", "--as-of", at]);
                assert_eq!(ran.code, 3, "{named}: only the other leaver waits; {ran:?}");
            }
            assert_eq!(access(&place), (false, false, false), "{named}");
        }
    }
}

#[test]
fn a_disarmed_operator_whose_archive_is_refused_waits_and_undo_gives_the_log_in_back() {
    let place = leaver();
    fault(&place, &refusal(), "PATCH", "/persons/id/{id}/archive");
    let ran = place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]).exits(3);
    assert!(ran.stdout.contains("may not log in"), "{ran:?}");
    assert_eq!(access(&place), (true, true, false), "{ran:?}");
    let run = text(&place.cardsync(&["history", "--json"]).json()[0]["id"]).to_owned();
    let writes = place.writes().len();
    place.cardsync(&["run", "--as-of", "2025-03-03T09:11"]).exits(3);
    assert_eq!(
        place.writes().len(),
        writes,
        "nothing is sent again without a newer approval"
    );
    given_back(&place, &run, "after the refusal");
}

#[test]
fn undo_of_the_archive_of_a_disarmed_operator_gives_the_log_in_back() {
    let place = leaver();
    place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]).exits(3);
    assert_eq!(access(&place), (false, false, false));
    let run = text(&place.cardsync(&["history", "--json"]).json()[0]["id"]).to_owned();
    given_back(&place, &run, "after the archive");
    let undone = text(&place.cardsync(&["history", "--json"]).json()[0]["id"]).to_owned();
    undo(&place, &undone, "2025-03-03T13:00").exits(3);
    place.approve_each(&["operators"], &[]).exits(0);
    undo(&place, &undone, "2025-03-03T13:01").exits(0);
    assert_eq!(
        access(&place),
        (false, false, false),
        "the undo of the undo takes it again"
    );
}
