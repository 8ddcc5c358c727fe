//! What was done, to whom, why and with whose approval: `history` in all its forms, and the reports.

use super::{LATER, PEOPLE, known};
use crate::support::workplace::{Workplace, text};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A surname that is a script, a joiner, and an operator who leaves and is approved with a note.
fn lived() -> Workplace {
    let place = known();
    let people = PEOPLE
        .replace("Bakker", "<script>alert(1)</script>")
        .replace("e.smit@example.org,Delft,", "e.smit@example.org,Delft,2025-03-04");
    place.write(
        "people.csv",
        format!("{people}100004,Meijer,Tom,t.meijer@example.org,Leiden,\n"),
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    place.cardsync(&["run", "--as-of", "2025-03-06T09:00"]).exits(3);
    place
        .approve_each(&["archive", "operators"], &["--note", "checked with HR"])
        .exits(0);
    place.cardsync(&["run", "--as-of", "2025-03-06T10:00"]).exits(0);
    place
}

fn runs(place: &Workplace) -> Vec<Value> {
    let listed = place.cardsync(&["history", "--json"]).exits(0).json();
    listed.as_array().expect("an array of runs").clone()
}

fn item<'a>(run: &'a Value, action: &str) -> &'a Value {
    let items = run["items"].as_array().expect("a run has items");
    let found = items.iter().find(|item| item["action"] == action);
    found.unwrap_or_else(|| panic!("no {action} in {run:#}"))
}

#[test]
fn runs_are_listed_newest_first_with_counts_and_verdicts() {
    let place = lived();
    let listed = runs(&place);
    let verdicts: Vec<&str> = listed.iter().map(|run| text(&run["verdict"])).collect();
    assert_eq!(verdicts, ["clean", "held", "held", "clean"]);
    assert_eq!(listed[0]["counts"]["operators"], 1);
    assert_eq!(listed[0]["counts"]["done"]["archive"], 1);
    let two = place.cardsync(&["history", "--limit", "2", "--json"]).json();
    assert_eq!(two.as_array().unwrap().len(), 2);
    let shown = place.cardsync(&["history"]).exits(0).stdout;
    for word in [
        text(&listed[0]["id"]),
        "2025-03-06 10:00 CET",
        "held",
        "cardsync history RUN",
    ] {
        assert!(shown.contains(word), "{word} in\n{shown}");
    }
    let table = place.cardsync(&["history", "--csv"]).exits(0).stdout;
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.starts_with("\u{feff}run;command;started_at;"), "{table}");
    assert!(table.contains(";2025-03-06T10:00:00+01:00;"), "{table}");
    let table = place
        .cardsync(&["history", "--csv", "--separator", "comma"])
        .exits(0)
        .stdout;
    assert!(table.starts_with("\u{feff}run,command,started_at,"), "{table}");
}

#[test]
fn a_run_tells_item_by_item_who_why_and_by_whose_leave() {
    let place = lived();
    let listed = runs(&place);
    let last = place.cardsync(&["history", "last", "--json"]).exits(0).json();
    assert_eq!(last["run"]["id"], listed[0]["id"]);
    let archive = item(&last, "archive");
    assert_eq!(archive["key"], "100003");
    assert_eq!(archive["outcome"], "done");
    assert_eq!(archive["note"], "checked with HR");
    assert!(!text(&archive["approver"]).is_empty());
    assert_eq!(archive["operators"].as_array().unwrap().len(), 1);
    assert_eq!(archive["before"]["archived"], false);
    assert_eq!(archive["after"]["archived"], true);
    let shown = place.cardsync(&["history", "last"]).exits(0).stdout;
    for words in [
        "archive     100003 Eva Smit",
        "operator esmit (",
        ") was archived with the card",
        ": checked with HR",
        "why: lifecycle.leaver.when holds",
    ] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    // The run before only waited for it: what was held before is not told again.
    let waited = place.cardsync(&["history", text(&listed[1]["id"]), "--json"]).json();
    assert_eq!(waited["items"].as_array().unwrap().len(), 0);
    assert_eq!(waited["run"]["counts"]["held"], 1);
    let eventful = place.cardsync(&["history", text(&listed[2]["id"]), "--json"]).json();
    let update = item(&eventful, "update");
    assert_eq!(update["fields"]["surName"]["from"], "Bakker");
    assert_eq!(item(&eventful, "create")["key"], "100004");
    let held = item(&eventful, "archive");
    assert_eq!(held["outcome"], "held");
    assert_eq!(held["reasons"][0]["code"], "over_budget:operators");
    let table = place
        .cardsync(&["history", text(&listed[2]["id"]), "--csv"])
        .exits(0)
        .stdout;
    assert!(table.contains("surName: \"\"Bakker\"\" -> "), "{table}");
}

#[test]
fn what_is_not_there_is_said() {
    let place = known();
    let ran = place.cardsync(&["history", "20200101-000000-aaaaaa"]).exits(1);
    assert!(
        ran.stderr.contains("there is no run '20200101-000000-aaaaaa'"),
        "{ran:?}"
    );
    let fresh = super::in_step();
    let ran = fresh.cardsync(&["history"]).exits(0);
    assert_eq!(ran.stdout, "There has been no run.\n");
    assert!(!fresh.path("cardsync.db").exists());
}

/// Looks at a report: private, whole in itself, and nothing of people's values is markup.
fn looked_at(path: &Path) -> String {
    let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let html = std::fs::read_to_string(path).unwrap();
    for outside in ["<script", "http://", "https://", "<link", "<img", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.ends_with("</html>\n") || html.ends_with("</html>"), "it is whole");
    html
}

#[test]
fn reports_are_one_private_file_in_which_a_name_is_no_script() {
    let place = lived();
    let listed = runs(&place);
    place.cardsync(&["history", "--html", "runs.html"]).exits(0);
    let html = looked_at(&place.path("runs.html"));
    assert_eq!(html.matches("<figure>").count(), 3);
    assert!(html.contains("People read") && html.contains(text(&listed[0]["id"])));
    let eventful = text(&listed[2]["id"]);
    place.cardsync(&["history", eventful, "--html", "run.html"]).exits(0);
    let html = looked_at(&place.path("run.html"));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"), "{html}");
    let people = std::fs::read_to_string(place.path("people.csv")).unwrap();
    place.write("people.csv", people.replace("Visser", "<script>x</script>"));
    place
        .cardsync(&["plan", "--html", "plan.html", "--as-of", "2025-03-07T08:00"])
        .exits(2);
    let html = looked_at(&place.path("plan.html"));
    assert!(
        html.contains("&lt;script&gt;x") && html.contains("Allowed (1)"),
        "{html}"
    );
}

/// The world of a scenario.
fn scenario(name: &str) -> Workplace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name);
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let place = Workplace::open(serde_json::from_str(&read("cards.json")).unwrap());
    place.configure(&read("config.yaml"));
    place.write("people.csv", read("people.csv"));
    if folder.join("leavers.csv").exists() {
        place.write("leavers.csv", read("leavers.csv"));
    }
    place
}

#[test]
fn the_report_of_a_plan_names_the_twin_and_the_groups_of_operators() {
    let place = scenario("twin_with_operator_survives");
    place
        .cardsync(&["plan", "--html", "plan.html", "--as-of", "2025-03-03T08:00"])
        .exits(3);
    let html = looked_at(&place.path("plan.html"));
    assert!(
        html.contains("gives up employeeNumber, tasLoginName and is archived"),
        "{html}"
    );
    let place = scenario("last_operator_of_a_group");
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(0);
    place.write("people.csv", std::fs::read(place.path("leavers.csv")).unwrap());
    place
        .cardsync(&["plan", "--html", "plan.html", "--as-of", "2025-03-04T08:00"])
        .exits(3);
    let html = looked_at(&place.path("plan.html"));
    assert!(html.contains("<dt>groups</dt>") && html.contains("Network"), "{html}");
}
