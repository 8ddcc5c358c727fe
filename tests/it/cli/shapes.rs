//! JSON for programs.

use super::{LATER, PEOPLE, export, in_step, known};
use crate::support::workplace::Workplace;
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[track_caller]
fn has(value: &Value, wanted: &[&str]) {
    let there = keys(value);
    let missing: Vec<&&str> = wanted.iter().filter(|key| !there.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?} not in {value:#}");
}

/// A mover, a joiner and an operator who leaves.
fn eventful() -> Workplace {
    let place = known();
    let people = PEOPLE
        .replace("Leiden", "Delft")
        .replace("e.smit@example.org,Delft,", "e.smit@example.org,Delft,2025-03-04");
    place.write(
        "people.csv",
        format!("{people}100004,Meijer,Tom,t.meijer@example.org,Leiden,\n"),
    );
    place
}

#[test]
fn a_plan_has_what_programs_read() {
    let place = eventful();
    let plan = place.cardsync(&["plan", "--json", "--as-of", LATER]).exits(3).json();
    let top = [
        "plan_id",
        "fingerprint",
        "created_at",
        "config_hash",
        "snapshots",
        "summary",
        "changes",
        "conflicts",
        "rejections",
        "skipped",
    ];
    has(&plan, &top);
    let names: Vec<&Value> = plan["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|snapshot| &snapshot["name"])
        .collect();
    assert_eq!(names, ["hr", "topdesk"]);
    for snapshot in plan["snapshots"].as_array().unwrap() {
        has(snapshot, &["name", "records", "verdict", "reasons"]);
        assert_eq!(snapshot["verdict"], "complete");
    }
    assert_eq!(
        plan["summary"]["archive"],
        json!({ "total": 1, "allowed": 0, "held": 1, "operators": 1 })
    );
    assert_eq!(
        plan["summary"]["create"],
        json!({ "total": 1, "allowed": 1, "held": 0, "operators": 0 })
    );
    let changes = plan["changes"].as_array().unwrap();
    for change in changes {
        has(
            change,
            &[
                "id",
                "action",
                "key",
                "person_id",
                "operator",
                "fields",
                "evidence",
                "verdict",
                "holds",
            ],
        );
    }
    let of = |action: &str| changes.iter().find(|change| change["action"] == action).unwrap();
    assert_eq!(
        of("update")["fields"],
        json!({ "branch": { "from": "Leiden", "to": "Delft" } })
    );
    assert_eq!(of("update")["verdict"], "allowed");
    assert_eq!(
        of("create")["fields"]["surName"],
        json!({ "from": null, "to": "Meijer" })
    );
    assert_eq!(of("create")["person_id"], Value::Null);
    let archive = of("archive");
    assert_eq!(
        (&archive["verdict"], &archive["key"]),
        (&json!("held"), &json!("100003"))
    );
    assert_eq!(archive["operator"]["state"], "active");
    assert_eq!(archive["evidence"][0]["code"], "leaver_condition");
    assert_eq!(archive["holds"][0]["code"], "over_budget:operators");
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let place = eventful();
    let plan = || {
        let mut plan = place.cardsync(&["plan", "--json", "--as-of", LATER]).json();
        // The moment of reading is no part of what is compared.
        plan["created_at"].take();
        for snapshot in plan["snapshots"].as_array_mut().unwrap() {
            snapshot["read_at"].take();
            snapshot["generation"].take();
        }
        plan.to_string()
    };
    let first = plan();
    for _ in 0..3 {
        assert_eq!(plan(), first);
    }
}

#[test]
fn holds_are_an_array_of_items() {
    let place = eventful();
    assert_eq!(place.cardsync(&["holds", "--json"]).exits(0).json(), json!([]));
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    let holds = place.cardsync(&["holds", "--json"]).exits(3).json();
    let item = &holds[0];
    has(
        item,
        &[
            "id",
            "class",
            "action",
            "key",
            "person_id",
            "operator",
            "fields",
            "evidence",
            "reasons",
            "since",
        ],
    );
    assert_eq!(
        (&item["class"], &item["action"]),
        (&json!("operators"), &json!("archive"))
    );
    assert!(
        item["since"].as_str().unwrap().starts_with("2025-03-05T07:00"),
        "{item:#}"
    );
    has(&item["reasons"][0], &["code", "message"]);
    let id = item["id"].as_str().unwrap();
    place.cardsync(&["approve", id, "--note", "seen"]).exits(0);
    let holds = place.cardsync(&["holds", "--json"]).json();
    assert_eq!(holds[0]["decision"]["answer"], "approve");
}

#[test]
fn a_rejected_snapshot_waits_as_an_item() {
    let place = known();
    place.write("people.csv", PEOPLE.lines().next().unwrap());
    place.cardsync(&["run", "--as-of", LATER]).exits(4);
    let holds = place.cardsync(&["holds", "--json"]).exits(3).json();
    assert_eq!(
        (&holds[0]["class"], &holds[0]["source"]),
        (&json!("snapshot"), &json!("hr"))
    );
}

#[test]
fn a_run_gives_its_plan_and_its_outcomes() {
    let place = known();
    export(&place, "Leiden", "Delft");
    let ran = place.cardsync(&["run", "--json", "--as-of", LATER]).exits(0).json();
    has(&ran, &["run", "plan", "outcomes"]);
    assert_eq!(ran["run"]["counts"]["done"], json!({ "update": 1 }));
    assert_eq!(ran["outcomes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_check_has_a_line_per_topic() {
    let place = in_step();
    let check = place.cardsync(&["check", "--json"]).exits(0).json();
    for line in check["lines"].as_array().unwrap() {
        has(line, &["level", "topic", "text", "cure"]);
    }
    let text = place.cardsync(&["check"]).exits(0).stdout;
    assert!(
        text.contains("configuration") && text.contains("first contact"),
        "{text}"
    );
    assert_eq!(place.writes(), Vec::<String>::new());
}

#[test]
fn the_schema_and_the_starter_fit_each_other() {
    let place = in_step();
    let schema = place.cardsync(&["config", "schema"]).exits(0).json();
    has(
        &schema["properties"],
        &["topdesk", "sources", "fields", "lifecycle", "guard"],
    );
    let starter = place.cardsync(&["config", "init"]).exits(0).stdout;
    place.write("cardsync.yaml", starter);
    place.cardsync(&["config", "show"]).exits(0);
}

#[test]
fn the_effective_configuration_shows_no_secret() {
    let place = in_step();
    let shown = place.cardsync(&["config", "show"]).exits(0).stdout;
    assert!(
        shown.contains("max_drop") && !shown.contains(crate::support::workplace::PASSWORD),
        "{shown}"
    );
}
