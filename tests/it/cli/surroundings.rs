//! Files, locks, colours, logs and whoever is told.

use super::{CONFIG, LATER, PEOPLE, export, in_step, known};
use crate::support::waiting::until;
use crate::support::workplace::{PASSWORD, Workplace, finish};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

#[test]
fn files_with_personal_data_are_their_owners_alone() {
    let place = known();
    export(&place, "Leiden", "Delft");
    place.write("plan.json", "");
    std::fs::set_permissions(place.path("plan.json"), std::fs::Permissions::from_mode(0o644)).unwrap();
    place
        .cardsync(&["plan", "--as-of", LATER, "--out", "plan.json"])
        .exits(2);
    let own = ["cardsync.yaml", "people.csv", "password"];
    for entry in std::fs::read_dir(place.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_file() && !own.contains(&name.as_str()) {
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
    assert!(place.path("cardsync.db").exists());
}

#[test]
fn plans_and_checks_make_no_store() {
    let place = in_step();
    for command in [&["plan"][..], &["check"], &["holds"], &["config", "show"]] {
        place.cardsync(command);
        assert!(!place.path("cardsync.db").exists(), "{command:?}");
    }
}

#[test]
fn a_second_run_says_who_is_running() {
    let place = in_step();
    place.sandbox.set("latency_ms", "150").unwrap();
    let mut first = place
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the first run begins", || {
        place.sandbox.requests("GET /persons") + place.sandbox.requests("GET /version") > 0
    });
    let second = place.cardsync(&["run"]).exits(1);
    let pid = first.id().to_string();
    assert!(second.stderr.contains(&pid), "who? {pid}\n{}", second.stderr);
    assert!(first.wait().unwrap().success());
    place.sandbox.set("latency_ms", "0").unwrap();
    place.cardsync(&["run"]).exits(0);
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let place = known();
    export(
        &place,
        "e.smit@example.org,Delft,",
        "e.smit@example.org,Delft,2025-03-04",
    );
    for colours in [None, Some("")] {
        let mut command = place.command(&["run", "--as-of", LATER]);
        if let Some(value) = colours {
            command.env("NO_COLOR", value).env("CLICOLOR_FORCE", "1");
        }
        let ran = finish(&mut command).exits(3);
        assert!(
            !ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'),
            "{ran:?}"
        );
    }
}

/// Whatever belongs to people in the test's company, and its secrets.
const PRIVATE: [&str; 9] = [
    "Visser",
    "Bakker",
    "Smit",
    "Meijer",
    "j.visser@",
    "e.smit@",
    "t.meijer@",
    "jvisser",
    PASSWORD,
];

fn eventful(place: &Workplace) {
    let people = PEOPLE.replace("a.bakker@example.org,Leiden", "an@example.org,Delft");
    let people = people.replace("e.smit@example.org,Delft,", "e.smit@example.org,Delft,2025-03-04");
    place.write(
        "people.csv",
        format!("{people}100004,Meijer,Tom,t.meijer@example.org,Nowhere,\n100005,,,\n"),
    );
}

#[track_caller]
fn discreet(said: &str) {
    for word in PRIVATE {
        let line = said.lines().find(|line| line.contains(word));
        assert!(line.is_none(), "{word} in a log: {line:?}");
    }
}

#[test]
fn logs_name_nobody() {
    for format in ["text", "json"] {
        let place = known();
        eventful(&place);
        let mut command = place.command(&["--log-format", format, "run", "--as-of", LATER]);
        let ran = finish(command.env("RUST_LOG", "trace"));
        assert!(
            ran.stderr.lines().count() > 10,
            "it was told to say everything: {}",
            ran.stderr
        );
        discreet(&ran.stderr);
        // A failing write is logged with what TOPdesk said.
        let place = known();
        place.sandbox.set("right.write_persons", "off").unwrap();
        export(&place, "Leiden", "Delft");
        let ran = finish(
            place
                .command(&["run", "--as-of", "2025-03-06"])
                .env("RUST_LOG", "debug"),
        )
        .exits(5);
        discreet(&ran.stderr);
    }
}

#[test]
fn a_login_as_key_is_not_logged() {
    let place = in_step();
    let config = CONFIG.replace("create:", "key: { card_field: tasLoginName, immutable: true }\ncreate:");
    place.configure(&config.replace("key: Number", "key: Login"));
    let people = "Login,Last name,First name,E-mail,Site,End date\njvisser,Visser,Jan,j.visser@example.org,Leiden,\n";
    place.write("people.csv", people);
    let ran = finish(place.command(&["run"]).env("RUST_LOG", "trace"));
    discreet(&ran.stderr);
}

#[test]
fn whoever_is_told_gets_one_json_object() {
    let place = known();
    let told = place.path("told");
    let script = format!("cat > {0}.$$ && mv {0}.$$ {0}", told.display());
    let config = format!("{CONFIG}notify: {{ command: [/bin/sh, -c, \"{script}\"] }}\n");
    place.configure(&config);
    place.cardsync(&["run", "--as-of", "2025-03-04T08:00"]).exits(0);
    assert!(!told.exists(), "there is nothing to tell");
    place.write("people.csv", PEOPLE.lines().next().unwrap());
    place.cardsync(&["run", "--as-of", LATER]).exits(4);
    let event: Value = serde_json::from_str(&std::fs::read_to_string(&told).unwrap()).unwrap();
    assert!(event.is_object() && event["kind"] == "snapshot_rejected", "{event:#}");
    std::fs::remove_file(&told).unwrap();
    place.write("people.csv", PEOPLE);
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    let event: Value = serde_json::from_str(&std::fs::read_to_string(&told).unwrap()).unwrap();
    assert_eq!(event["kind"], "all_well", "{event:#}");
}

#[test]
fn a_schedule_that_is_over_is_no_schedule() {
    let place = known();
    place.configure(&format!("{CONFIG}schedule: {{ cron: \"0 0 1 1 1 * 1999\" }}\n"));
    let said = place.cardsync(&["check"]);
    assert!(said.stdout.contains("has no run left"), "{said:?}");
    assert_eq!(said.code, 1);
}

#[test]
fn check_says_which_way_it_goes_and_a_bad_proxy_is_an_error() {
    let place = known();
    let said = place.cardsync(&["check"]).stdout;
    assert!(said.contains("straight, no proxy"), "{said}");
    // This machine is never asked through a proxy.
    let said = finish(place.command(&["check"]).env("HTTPS_PROXY", "http://:nowhere"));
    assert!(said.stdout.contains("straight, no proxy"), "{said:?}");
    let elsewhere = CONFIG.replace("@URL@", "https://topdesk.invalid");
    place.configure(&elsewhere.replace("cardsync.db", "other.db"));
    let said = finish(
        place
            .command(&["check"])
            .env("HTTPS_PROXY", "http://user:hunter2@:nowhere"),
    );
    assert!(said.stdout.contains("HTTPS_PROXY is not an address"), "{said:?}");
    assert!(!format!("{said:?}").contains("hunter2"));
}
