//! Explaining, replaying and redacting: what they find, what they leave alone, and what they never say.

use super::{CONFIG, LATER, PEOPLE, export, in_step, known};
use crate::support::workplace::{Workplace, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// After a run in which somebody moved and somebody married.
fn changed() -> Workplace {
    let place = known();
    export(
        &place,
        "Bakker,An,a.bakker@example.org,Leiden",
        "Jansen,An,an.jansen@example.org,Delft",
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    place
}

#[test]
fn somebody_is_found_by_key_card_id_mail_and_login() {
    let place = known();
    let by_key = place.cardsync(&["explain", "100003", "--json"]).exits(0).json();
    let card = text(&by_key["subject"]["person_id"]).to_owned();
    for (word, found_by) in [
        (card.as_str(), "card_id"),
        ("E.Smit@example.org", "email"),
        ("esmit", "login"),
    ] {
        let explained = place.cardsync(&["explain", word, "--json"]).exits(0).json();
        assert_eq!(explained["subject"]["key"], "100003", "{word}");
        assert_eq!(explained["subject"]["found_by"], found_by);
    }
    // An address that only the source has yet.
    export(&place, "e.smit@example.org", "eva.jansen@example.org");
    let explained = place
        .cardsync(&["explain", "eva.jansen@example.org", "--json"])
        .exits(0)
        .json();
    assert_eq!(explained["subject"]["key"], "100003");
    let nobody = place.cardsync(&["explain", "nobody@example.org"]).exits(1);
    assert!(
        nobody.stderr.contains("nobody is called 'nobody@example.org'"),
        "{}",
        nobody.stderr
    );
}

#[test]
fn several_people_are_listed_and_none_is_guessed() {
    let place = known();
    export(&place, "a.bakker@example.org", "j.visser@example.org");
    let listed = place.cardsync(&["explain", "j.visser@example.org"]).exits(0).stdout;
    assert!(listed.contains("means 2 people"), "{listed}");
    assert!(
        listed.contains("100001 Jan Visser") && listed.contains("100002 An Bakker"),
        "{listed}"
    );
}

#[test]
fn explaining_reads_and_changes_nothing() {
    let place = changed();
    let store = fs::read(place.path("cardsync.db")).unwrap();
    let writes = place.writes();
    let explained = place
        .cardsync(&["explain", "100002", "--as-of", LATER, "--json"])
        .exits(0)
        .json();
    assert_eq!(explained["journal"][0]["fields"]["surName"]["to"], "Jansen");
    assert_eq!(explained["journal"][0]["outcome"], "done");
    assert_eq!(explained["sources"][0]["records"][0]["place"]["line"], 3);
    assert_eq!(place.writes(), writes);
    assert_eq!(fs::read(place.path("cardsync.db")).unwrap(), store);
}

#[test]
fn a_past_run_is_explained_and_replayed_without_a_server() {
    let place = changed();
    let asked = place.sandbox.stats();
    let past = place
        .cardsync(&["explain", "100002", "--run", "last", "--json"])
        .exits(0)
        .json();
    let item = &past["items"][0];
    assert_eq!(item["fields"]["surName"]["from"], "Bakker");
    assert_eq!(item["verdict"], "allowed");
    let again = place
        .cardsync(&["plan", "--replay", text(&past["run"]), "--json"])
        .exits(0)
        .json();
    assert_eq!(again["same"], true);
    assert_eq!(again["replayed"], again["recorded"]);
    assert_eq!(place.sandbox.stats(), asked);
    let unknown = place.cardsync(&["plan", "--replay", "20200101-000000-abcdef"]).exits(1);
    assert!(unknown.stderr.contains("is not kept"), "{}", unknown.stderr);
}

#[test]
fn an_old_run_is_explained_from_its_records() {
    let place = changed();
    let run = place.cardsync(&["history", "last", "--json"]).exits(0).json();
    let run = text(&run["run"]["id"]).to_owned();
    let folder = fs::read_dir(place.path("inputs")).unwrap().next().unwrap().unwrap();
    for kept in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(kept.unwrap().path()).unwrap();
    }
    let told = place.cardsync(&["explain", "100002", "--run", &run]).exits(0).stdout;
    for wanted in ["no longer kept", "Done (1)", "surName: \"Bakker\" -> \"Jansen\""] {
        assert!(told.contains(wanted), "{wanted} in\n{told}");
    }
    let told = place
        .cardsync(&["explain", "100002", "--run", &run, "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&told["input_kept"], &told["run"]["id"]),
        (&false.into(), &run.as_str().into())
    );
    assert_eq!(
        told["items"].as_array().unwrap().len(),
        1,
        "the other person's is not in it"
    );
    let nothing = place.cardsync(&["explain", "100003", "--run", &run]).exits(1);
    assert!(
        nothing.stderr.contains("have nothing about '100003'"),
        "{}",
        nothing.stderr
    );
    place
        .cardsync(&["explain", "100002", "--run", "20200101-000000-abcdef"])
        .exits(1);
}

#[test]
fn one_person_for_whom_nothing_is_to_be_done_is_told_so() {
    let place = known();
    let plan = place.cardsync(&["plan", "--only", "100001", "--as-of", LATER]).exits(0);
    assert!(plan.stdout.contains("Nothing to do for 100001."), "{}", plan.stdout);
    let run = place.cardsync(&["run", "--only", "100001", "--as-of", LATER]).exits(0);
    assert!(run.stdout.contains("Nothing to do for 100001."), "{}", run.stdout);
}

#[test]
fn another_configuration_is_tried_on_what_a_run_had_read() {
    let place = changed();
    let other = CONFIG
        .replace("hr['First name']", "hr['First name'] | upper")
        .replace("  branch: \"{{ hr.Site }}\"\n", "");
    place.configure(&other);
    let replayed = place.cardsync(&["plan", "--replay", "last"]).exits(2).stdout;
    for wanted in [
        "the same plan",
        "Added (2)",
        "Changed (1)",
        "firstName: \"Jan\" -> \"JAN\"",
        "    - branch: \"Leiden\" -> \"Delft\"",
    ] {
        assert!(replayed.contains(wanted), "{wanted} in\n{replayed}");
    }
}

#[test]
fn kept_inputs_are_private_and_few() {
    let place = known();
    for day in 4..8 {
        place
            .cardsync(&["run", "--as-of", &format!("2025-03-0{day}T08:00")])
            .exits(0);
    }
    let folder = fs::read_dir(place.path("inputs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_redacted_plan_names_nobody() {
    let place = known();
    let people = PEOPLE.replace("Leiden", "Delft").replace("Smit,Eva", "Jansen,Eva");
    place.write(
        "people.csv",
        format!("{people}100004,Meijer,Tom,t.meijer@example.org,Leiden,\n"),
    );
    let plain = place.cardsync(&["plan", "--json", "--as-of", LATER]).json();
    for arguments in [
        &["plan", "--redact", "--as-of", LATER][..],
        &["plan", "--redact", "--json", "--as-of", LATER],
    ] {
        let redacted = place.cardsync(arguments).stdout;
        for personal in [
            "100002",
            "100003",
            "100004",
            "Smit",
            "Jansen",
            "Meijer",
            "Tom",
            "example.org",
            "Leiden",
            "Delft",
        ] {
            assert!(!redacted.contains(personal), "{personal} in\n{redacted}");
        }
        let item = text(&plain["changes"][0]["id"]);
        assert!(redacted.contains(item) && redacted.contains("surName"), "{redacted}");
    }
}

#[test]
fn where_there_is_no_state_nothing_can_be_replayed() {
    let refused = in_step().cardsync(&["plan", "--replay", "last"]).exits(1);
    assert!(refused.stderr.contains("no state yet"), "{}", refused.stderr);
}
