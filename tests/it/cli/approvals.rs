//! Decisions by list and by day, and what `apply` sets aside.

use super::{LATER, PEOPLE, known};
use crate::support::workplace::{Workplace, text};
use std::os::unix::fs::PermissionsExt;

/// Jan (no operator) and Eva (an operator) have left, and the whole of it waits: the budget for archives is 0.
fn two_leavers() -> Workplace {
    let place = known();
    let config = super::CONFIG.replace("store:", "guard: { archive: { max: 0 } }\nstore:");
    place.configure(&config);
    // The new limit is a changed configuration, and seen before anybody leaves.
    place.cardsync(&["run", "--as-of", "2025-03-03T09:00"]).exits(0);
    let people = PEOPLE
        .replace("j.visser@example.org,Delft,", "j.visser@example.org,Delft,2025-03-04")
        .replace("e.smit@example.org,Delft,", "e.smit@example.org,Delft,2025-03-04");
    place.write("people.csv", people);
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    place
}

/// The list with these decisions, by key.
fn fill(place: &Workplace, decisions: &[(&str, &str)]) {
    let sheet = std::fs::read_to_string(place.path("waiting.csv")).unwrap();
    let lines = sheet.lines().map(|line| {
        let found = decisions.iter().find(|(key, _)| line.contains(&format!(";{key};")));
        match (found, line.strip_suffix(";;")) {
            (Some((_, decision)), Some(line)) => format!("{line};{decision};by list"),
            (_, _) => line.to_owned(),
        }
    });
    let filled: Vec<String> = lines.collect();
    place.write("waiting.csv", filled.join("\r\n"));
}

#[test]
fn what_is_approved_of_an_undo_passes_with_that_undo() {
    let place = two_leavers();
    place.approve_each(&["archive", "operators"], &[]).exits(0);
    place.cardsync(&["run", "--as-of", "2025-03-05T08:30"]).exits(0);
    assert_eq!(archived(&place), ["100001", "100003"]);
    let run = place.cardsync(&["history", "last", "--json"]).exits(0).json();
    let run = text(&run["run"]["id"]).to_owned();
    place.cardsync(&["undo", &run, "--as-of", "2025-03-05T09:00"]).exits(3);
    let waiting = place.cardsync(&["holds", "--json"]).exits(3).json();
    let items = waiting.as_array().unwrap();
    assert!(items.iter().any(|item| item["undoes"] == run.as_str()), "{waiting}");
    let told = place.cardsync(&["holds"]).exits(3).stdout;
    assert!(told.contains(&format!("of the undo of {run}")), "{told}");
    let told = place.approve_each(&["unarchive"], &["--json"]).exits(0).json();
    assert_eq!(told["decisions"][0]["answer"], "approve", "{told}");
    let told = place.approve_each(&["unarchive"], &[]).exits(0).stdout;
    assert!(
        told.contains(&format!("They pass with: cardsync undo {run}, if")) && !told.contains("next run"),
        "{told}"
    );
    let told = place.cardsync(&["holds"]).exits(3).stdout;
    assert!(told.contains(&format!("passes with cardsync undo {run}")), "{told}");
    place.cardsync(&["undo", &run, "--as-of", "2025-03-05T10:00"]).exits(0);
    assert_eq!(archived(&place), Vec::<String>::new());
}

fn archived(place: &Workplace) -> Vec<String> {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap();
    let archived = cards.iter().filter(|card| card["archived"] == true);
    archived.map(|card| text(&card["employeeNumber"]).to_owned()).collect()
}

#[test]
fn a_list_goes_to_the_application_manager_and_comes_back() {
    let place = two_leavers();
    let ran = place.cardsync(&["holds", "--csv", "waiting.csv"]).exits(3);
    assert!(ran.stdout.contains("Wrote 2 item(s) to waiting.csv"), "{}", ran.stdout);
    let mode = std::fs::metadata(place.path("waiting.csv"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let sheet = std::fs::read_to_string(place.path("waiting.csv")).unwrap();
    assert!(sheet.contains("Eva Smit") && sheet.contains("active: "), "{sheet}");

    fill(&place, &[("100001", "approve"), ("100003", "perhaps")]);
    let ran = place.cardsync(&["approve", "--csv", "waiting.csv"]).exits(1);
    assert!(
        ran.stderr.contains("nothing was decided: line ") && ran.stderr.contains("'perhaps' is no decision"),
        "{}",
        ran.stderr
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    assert_eq!(
        archived(&place),
        Vec::<String>::new(),
        "nothing of a list with a bad line"
    );

    place.cardsync(&["holds", "--csv", "waiting.csv"]).exits(3);
    fill(&place, &[("100001", "approve"), ("100003", "reject")]);
    let ran = place.cardsync(&["approve", "--csv", "waiting.csv"]).exits(0);
    assert!(
        ran.stdout.contains("Approved by ") && ran.stdout.contains("Rejected by "),
        "{}",
        ran.stdout
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    assert_eq!(archived(&place), ["100001"]);

    let log = place.cardsync(&["holds", "--decisions", "--json"]).exits(0).json();
    let told: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|decision| {
            (
                text(&decision["answer"]),
                text(&decision["key"]),
                text(&decision["note"]),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("reject", "100003", "by list"), ("approve", "100001", "by list")]
    );

    let ran = place.cardsync(&["approve", "--csv", "waiting.csv"]).exits(1);
    assert!(ran.stderr.contains("it has changed or was settled"), "{}", ran.stderr);
}

#[test]
fn an_approval_has_an_end_within_a_month() {
    let place = two_leavers();
    let day = |days| {
        (chrono::Utc::now() + chrono::Duration::days(days))
            .format("%Y-%m-%d")
            .to_string()
    };
    for (until, what) in [
        (day(40), "more than 30 days away"),
        (day(-2), "is over already"),
        ("soon".to_owned(), "not a moment"),
    ] {
        let ran = place.cardsync(&["approve", "archive", "--until", &until]).exits(1);
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
    }
    place.approve_each(&["archive"], &["--until", &day(20)]).exits(0);
    let holds = place.cardsync(&["holds", "--json"]).exits(3).json();
    let until = text(&holds[0]["decision"]["until"]);
    assert!(until > day(19).as_str() && until < day(22).as_str(), "{until}");
}

#[test]
fn what_apply_sets_aside_right_before_the_write_waits_for_a_decision() {
    let place = known();
    let people = PEOPLE.replace("e.smit@example.org,Delft,", "e.smit@example.org,Delft,2025-03-04");
    place.write("people.csv", people);
    // The everyday account may not archive operators: TOPdesk refuses what was approved.
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    place.approve_each(&["operators"], &[]).exits(0);
    place
        .cardsync(&["plan", "--as-of", LATER, "--out", "plan.json"])
        .exits(2);
    place.sandbox.set("right.archive_operators", "off").unwrap();
    place.cardsync(&["apply", "plan.json", "--as-of", LATER]).exits(3);
    let holds = place.cardsync(&["holds", "--json"]).exits(3).json();
    let codes: Vec<&str> = holds[0]["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| text(&reason["code"]))
        .collect();
    assert_eq!(codes, ["operator_archive_refused"]);
    place.sandbox.set("right.archive_operators", "on").unwrap();
    place.approve_each(&["archive"], &[]).exits(0);
    place
        .cardsync(&["plan", "--as-of", LATER, "--out", "plan.json"])
        .exits(2);
    place.cardsync(&["apply", "plan.json", "--as-of", LATER]).exits(0);
    place.cardsync(&["holds"]).exits(0);
}

#[test]
fn a_list_of_topdesk_that_people_wait_for_and_that_cannot_be_read_is_4() {
    let place = known();
    place.write("people.csv", PEOPLE.replace("Leiden", "Delft"));
    let refused = serde_json::json!({ "method": "GET", "route": "/branches", "answer": { "status": 403 } });
    place.sandbox.fault(&refused).unwrap();
    for command in ["plan", "run"] {
        let ran = place.cardsync(&[command, "--as-of", LATER]).exits(4);
        assert!(
            ran.stdout.contains("the list 'branch' could not be read"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_class_leaves_out_whoever_has_an_operator_and_says_so() {
    let place = two_leavers();
    let ran = place.cardsync(&["approve", "archive"]).exits(3);
    assert!(
        ran.stdout.contains("1 item(s)") && ran.stdout.contains("1 item has a doubt of its own"),
        "{}",
        ran.stdout
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    assert_eq!(archived(&place), ["100001"]);
    // Nor does a class overrule what somebody has said about this very item, also before a run has taken it in.
    let item = place.each_of("operators").remove(0);
    place.cardsync(&["reject", &item]).exits(0);
    place.cardsync(&["approve", "archive"]).exits(3);
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    assert_eq!(archived(&place), ["100001"]);
    let ran = place.cardsync(&["unapprove", &item]).exits(0);
    assert!(ran.stdout.contains("Taken back by "), "{}", ran.stdout);
    let ran = place.cardsync(&["unapprove", &item]).exits(1);
    assert!(ran.stderr.contains("no decision about"), "{}", ran.stderr);
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
}

#[test]
fn a_list_with_one_column_sorted_alone_decides_nothing() {
    let place = two_leavers();
    place.cardsync(&["holds", "--csv", "waiting.csv"]).exits(3);
    fill(&place, &[("100001", "approve")]);
    let sheet = std::fs::read_to_string(place.path("waiting.csv")).unwrap();
    let swapped = |a: &str, b: &str| sheet.replace(a, "\u{1}").replace(b, a).replace('\u{1}', b);
    for (one, other) in [(";100001;", ";100003;"), (";Jan Visser;", ";Eva Smit;")] {
        place.write("waiting.csv", swapped(one, other));
        let ran = place.cardsync(&["approve", "--csv", "waiting.csv"]).exits(1);
        let told = ran.stderr.contains("line 2: the column '") && ran.stderr.contains("line 3: the column '");
        assert!(told, "{}", ran.stderr);
    }
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    assert_eq!(archived(&place), Vec::<String>::new());
}
