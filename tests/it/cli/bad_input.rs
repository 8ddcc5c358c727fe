//! One line that says what, where and the cure; exit code 1 or 4; nothing written.

use super::{CONFIG, LATER, PEOPLE, in_step, known};
use crate::support::workplace::{Ran, Workplace};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

/// The address of a server that gives one and the same answer to everybody.
pub(super) fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            // A client that goes away early gets no answer.
            let _read = stream
                .read(&mut request)
                .and_then(|_| stream.write_all(answer.as_bytes()));
        }
    });
    url
}

/// Fails with this code, with all these words in one error line, and writes nothing.
#[track_caller]
fn refused(place: &Workplace, arguments: &[&str], code: i32, words: &[&str]) -> Ran {
    let ran = place.cardsync(arguments).exits(code);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let line = said.lines().find(|line| words.iter().all(|word| line.contains(word)));
    assert!(line.is_some(), "no line with {words:?} in:\n{said}");
    assert_eq!(place.writes(), Vec::<String>::new());
    ran
}

#[test]
fn an_unknown_key_says_line_path_and_what_was_meant() {
    let place = in_step();
    place.configure(&CONFIG.replace("archiving_reason", "archive_reason"));
    let line = CONFIG
        .lines()
        .position(|line| line.contains("archiving_reason"))
        .unwrap()
        + 1;
    let place_of = format!("cardsync.yaml:{line}:3");
    refused(
        &place,
        &["plan"],
        1,
        &[&place_of, "topdesk.archive_reason", "did you mean 'archiving_reason'?"],
    );
}

#[test]
fn all_problems_come_at_once() {
    let place = in_step();
    let config = CONFIG
        .replace("archiving_reason", "archive_reason")
        .replace("type: csv", "type: cvs")
        .replace("Europe/Amsterdam", "Europe/Amsterdm")
        .replace("| lower", "| lowr");
    place.configure(&config);
    let ran = place.cardsync(&["check"]).exits(1);
    for word in ["archive_reason", "'cvs'", "Amsterdm"] {
        assert!(ran.stderr.contains(word), "{word}\n{}", ran.stderr);
    }
}

#[test]
fn expressions_are_checked_before_anything_is_read() {
    for (from, to, words) in [
        ("| lower", "| lowr", &["fields.email", "lowr", "lower"][..]),
        ("{{ hr.Site }}", "{{ hrr.Site }}", &["fields.branch", "hrr"]),
        ("{{ hr.Site }}", "{{ hr.Site", &["fields.branch"]),
        ("| date < today", "| date < ", &["lifecycle.leaver.when"]),
    ] {
        let place = in_step();
        assert!(CONFIG.contains(from));
        place.configure(&CONFIG.replace(from, to));
        let ran = refused(&place, &["plan"], 1, words);
        assert_eq!(place.sandbox.requests("GET /persons"), 0, "{}", ran.stderr);
    }
}

#[test]
fn no_configuration_says_how_to_get_one() {
    let place = in_step();
    std::fs::remove_file(place.path("cardsync.yaml")).unwrap();
    refused(&place, &["plan"], 1, &["cardsync.yaml", "config init"]);
}

#[test]
fn a_wrong_password_is_named_as_such() {
    let place = in_step();
    place.write("password", "hunter2");
    let ran = refused(
        &place,
        &["run"],
        1,
        &["401", "topdesk.username", "application password"],
    );
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn an_unknown_host_is_named() {
    let place = in_step();
    place.configure(&CONFIG.replace("@URL@", "https://no-such-host.invalid"));
    refused(&place, &["plan"], 1, &["no connection", "topdesk.url"]);
}

#[test]
fn answers_of_something_else_are_not_taken_for_topdesk() {
    for (answer, word) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>",
            "topdesk.url",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://login.example.org/sso\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "302",
        ),
        (
            "HTTP/1.1 406 Not Acceptable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "406",
        ),
    ] {
        let place = in_step();
        place.configure(&CONFIG.replace("@URL@", &answering(answer)));
        refused(&place, &["plan"], 1, &["error", word]);
    }
}

#[test]
fn an_environment_that_is_too_old_says_so() {
    let place = in_step();
    place.sandbox.set("persons_v2", "missing").unwrap();
    refused(&place, &["run"], 1, &["406"]);
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let place = in_step();
    place.configure(&CONFIG.replace("@URL@", "http://topdesk.example.org"));
    refused(&place, &["plan"], 1, &["topdesk.url", "https"]);
}

#[test]
fn an_unreadable_export_is_a_rejected_snapshot() {
    for (spoil, word) in [
        (spoil_missing as fn(&Workplace), "does not exist"),
        (spoil_encoding, "fewer"),
        (spoil_folder, "people.csv"),
        (spoil_headers, "E-mail"),
    ] {
        let place = known();
        spoil(&place);
        refused(&place, &["run", "--as-of", LATER], 4, &["rejected:", word]);
    }
}

fn spoil_missing(place: &Workplace) {
    std::fs::remove_file(place.path("people.csv")).unwrap();
}

fn spoil_encoding(place: &Workplace) {
    place.write(
        "people.csv",
        PEOPLE
            .replace("Smit", "Sm\u{ef}t")
            .chars()
            .map(|letter| letter as u8)
            .collect::<Vec<u8>>(),
    );
}

fn spoil_folder(place: &Workplace) {
    spoil_missing(place);
    std::fs::create_dir(place.path("people.csv")).unwrap();
}

fn spoil_headers(place: &Workplace) {
    place.write("people.csv", PEOPLE.replace("First name,E-mail", "E-mail,E-mail"));
}

#[test]
fn an_export_without_permission_is_a_rejected_snapshot() {
    if nix::unistd::Uid::current().is_root() {
        // Root may read everything; there is nothing to see.
        return;
    }
    let place = known();
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(place.path("people.csv"), closed).unwrap();
    refused(&place, &["run", "--as-of", LATER], 4, &["rejected:", "people.csv"]);
}

#[test]
fn a_column_nobody_has_is_named() {
    let place = known();
    place.configure(&CONFIG.replace("hr.Site", "hr.Location"));
    refused(&place, &["run", "--as-of", LATER], 4, &["'Location'"]);
}

#[test]
fn a_key_that_changes_in_life_is_planned_and_never_run() {
    let place = in_step();
    let config: String = CONFIG
        .lines()
        .filter(|line| !line.contains("email:"))
        .fold(String::new(), |all, line| all + line + "\n");
    let config = config.replace("create:", "key: { card_field: email }\ncreate:");
    place.configure(&config.replace("key: Number", "key: E-mail"));
    let plan = place.cardsync(&["plan"]);
    assert!([0, 2, 3].contains(&plan.code), "{plan:?}");
    assert!(plan.stderr.contains("`run` refuses this key"), "{}", plan.stderr);
    refused(&place, &["run"], 1, &["key.card_field", "email"]);
    place.write("plan.json", "{}");
    place.cardsync(&["daemon"]).exits(1);
    place.cardsync(&["apply", "plan.json"]).exits(1);
}

#[test]
fn a_store_belongs_to_one_topdesk() {
    let place = known();
    place.configure(&CONFIG.replace("@URL@", "https://other.example.org"));
    refused(&place, &["run"], 1, &["other.example.org", "127.0.0.1"]);
}

#[test]
fn a_full_disk_or_a_closed_folder_is_named() {
    let place = in_step();
    place.configure(&CONFIG.replace("sqlite: cardsync.db", "sqlite: /proc/nowhere/cardsync.db"));
    refused(&place, &["run"], 1, &["/proc/nowhere"]);
}
