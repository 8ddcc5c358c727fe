//! The proof at the end of the way: what each key finds, what differs, what can be signed, and what no comparison shows.

use super::LATER;
use super::rekey::{HR, by_address, decide};
use crate::support::workplace::{Workplace, text};
use serde_json::json;

/// The numbers are on the cards, and nothing else was done.
fn written() -> Workplace {
    let place = by_address();
    place
        .cardsync(&["rekey", "pair", "--csv", "pairs.csv", "--as-of", LATER])
        .exits(0);
    decide(&place, "pairs.csv", &HR);
    place
        .cardsync(&["rekey", "write", "pairs.csv", "--as-of", LATER])
        .exits(0);
    place
}

#[test]
fn two_keys_that_find_nobody_prove_nothing() {
    let place = by_address();
    let ran = place
        .cardsync(&[
            "rekey",
            "verify",
            "--old",
            "networkLoginName={{ hr.Login }}",
            "--as-of",
            LATER,
        ])
        .exits(1);
    assert!(
        ran.stdout
            .contains("employeeNumber finds one active card for 0 of 5 people"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("fewer than 90 % prove nothing"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("is done"), "{}", ran.stdout);
}

#[test]
fn nobody_signs_second_cards_and_after_first_contact_both_keys_say_the_same() {
    let place = written();
    // Three people have other addresses in TOPdesk, which is what it was all about: under the old key each gets a second card.
    let verify = ["rekey", "verify", "--old", "email", "--floor", "40", "--as-of", LATER];
    let ran = place.cardsync(&verify).exits(3);
    for what in [
        "employeeNumber finds one active card for 5 of 5 people",
        "email finds one active card for 2 of 5 people",
        "Not done yet: 3 creations",
    ] {
        assert!(ran.stdout.contains(what), "{what}: {}", ran.stdout);
    }
    let ran = place
        .cardsync(&["rekey", "verify", "--old", "email", "--as-of", LATER])
        .exits(1);
    assert!(ran.stderr.contains("fewer than 90 % prove nothing"), "{}", ran.stderr);
    let mark = place.cardsync(&[&verify[..], &["--json"]].concat()).json();
    let mark = text(&mark["difference"]["id"]).to_owned();
    let sign = |more: &[&str]| place.cardsync(&[&verify[..], &["--sign", &mark], more].concat());
    sign(&[]).exits(64);
    let ran = sign(&["--note", "seen"]).exits(1);
    assert!(ran.stderr.contains("nothing was signed: 3 creations"), "{}", ran.stderr);

    // First contact: what the sources say beside the number is an ordinary plan.
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    place.approve_each(&["update"], &[]).exits(0);
    place.cardsync(&["run", "--as-of", "2025-03-05T09:00"]);
    place.cardsync(&["run", "--as-of", "2025-03-05T10:00"]).exits(0);
    let ran = place.cardsync(&["plan", "--as-of", "2025-03-05T11:00"]).exits(0);
    assert!(
        ran.stdout.contains("Nothing to do") || !ran.stdout.contains("Allowed"),
        "{}",
        ran.stdout
    );
    let stats = place.sandbox.stats();
    assert_eq!(stats["duplicate_keys"], json!([]), "{stats}");
    let ran = place
        .cardsync(&["rekey", "verify", "--old", "email", "--as-of", "2025-03-05T11:00"])
        .exits(0);
    assert!(
        ran.stdout.contains("No difference") && ran.stdout.contains("rekey review"),
        "{}",
        ran.stdout
    );

    // Two people share a mailbox from now on: a conflict under the address, and nothing under the number. Somebody signs that.
    let people = std::fs::read_to_string(place.path("people.csv")).unwrap();
    place.write(
        "people.csv",
        people.replace("j.visser@example.org", "a.bakker@example.org"),
    );
    let verify = [
        "rekey",
        "verify",
        "--old",
        "email",
        "--floor",
        "50",
        "--as-of",
        "2025-03-05T12:00",
    ];
    let with = |more: &[&str]| place.cardsync(&[&verify[..], more].concat());
    let mark = text(&with(&["--json"]).exits(3).json()["difference"]["id"]).to_owned();
    let last = if mark.ends_with('0') { '1' } else { '0' };
    let mark_of_another = format!("{}{last}", &mark[..mark.len() - 1]);
    let ran = with(&["--sign", &mark_of_another, "--note", "seen"]).exits(1);
    assert!(ran.stderr.contains("nothing was signed"), "{}", ran.stderr);
    let ran = with(&["--sign", &mark, "--note", " "]).exits(1);
    assert!(ran.stderr.contains("--note says"), "{}", ran.stderr);
    let ran = with(&["--sign", &mark, "--note", "seen with HR"]).exits(0);
    assert!(
        ran.stdout.contains("Signed off by ") && ran.stdout.contains(": seen with HR."),
        "{}",
        ran.stdout
    );
    with(&[]).exits(0);
}

/// What both keys agree on shows in no difference: a sample shows it, the card with an operator first, then the weakest.
#[test]
fn a_sample_of_what_was_written_shows_the_evidence_of_then() {
    let place = written();
    let ran = place.cardsync(&["rekey", "review", "--sample", "1"]).exits(0);
    assert!(
        ran.stdout
            .starts_with("5 numbers written by cardsync and still there; 2 shown"),
        "{}",
        ran.stdout
    );
    for what in [
        "00103 on card",
        ", operator: ",
        "100004 on card",
        "paired by hand",
        "card before    Timothy Jansen",
    ] {
        assert!(ran.stdout.contains(what), "{what}: {}", ran.stdout);
    }
    assert!(
        !ran.stdout.contains("100001 on card"),
        "a sure one is not among the weakest: {}",
        ran.stdout
    );
    let all = place.cardsync(&["rekey", "review", "--json"]).exits(0).json();
    assert_eq!(
        (&all["written"], all["shown"].as_array().unwrap().len()),
        (&json!(5), 5)
    );
}
