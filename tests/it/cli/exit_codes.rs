use super::{CONFIG, LATER, PEOPLE, export, in_step, known};
use crate::support::workplace::{Workplace, finish, program, text};

#[test]
fn nothing_to_do_is_0_for_plan_and_run() {
    let place = in_step();
    place.cardsync(&["plan"]).exits(0);
    place.cardsync(&["run"]).exits(0);
    assert_eq!(place.writes(), Vec::<String>::new());
}

#[test]
fn changes_are_2_for_plan_and_0_once_done() {
    let place = known();
    export(&place, "Leiden", "Delft");
    place.cardsync(&["plan", "--as-of", LATER]).exits(2);
    assert_eq!(place.writes(), Vec::<String>::new(), "a plan sends nothing but GET");
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    place.cardsync(&["plan", "--as-of", LATER]).exits(0);
}

#[test]
fn something_held_is_3_until_it_is_decided() {
    let place = known();
    export(
        &place,
        "100003,Smit,Eva,e.smit@example.org,Delft,",
        "100003,Smit,Eva,e.smit@example.org,Delft,2025-03-04",
    );
    place.cardsync(&["plan", "--as-of", LATER]).exits(3);
    place.cardsync(&["holds"]).exits(0);
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    place.cardsync(&["holds"]).exits(3);
    place.cardsync(&["reject", "operators"]).exits(0);
    place.cardsync(&["holds"]).exits(0);
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    place.approve_each(&["archive"], &[]).exits(0);
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    place.cardsync(&["holds"]).exits(0);
}

#[test]
fn a_rejected_snapshot_is_4_and_wins_over_what_is_held() {
    let place = known();
    place.write("people.csv", PEOPLE.lines().next().unwrap());
    place.cardsync(&["plan", "--as-of", LATER]).exits(4);
    place.cardsync(&["run", "--as-of", LATER]).exits(4);
    place.cardsync(&["check"]).exits(4);
}

#[test]
fn a_change_that_fails_is_5() {
    let place = known();
    place.sandbox.set("right.write_persons", "off").unwrap();
    export(&place, "Leiden", "Delft");
    let ran = place.cardsync(&["run", "--as-of", LATER]).exits(5);
    assert!(ran.stdout.contains("not done"), "{}", ran.stdout);
}

#[test]
fn an_error_is_1_and_one_line_says_which() {
    let place = in_step();
    place.configure(&CONFIG.replace("{ file: password }", "{ file: nowhere }"));
    let ran = place.cardsync(&["run"]).exits(1);
    let errors: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.len(), 1, "{}", ran.stderr);
    assert!(errors[0].contains("nowhere"), "{}", ran.stderr);
}

#[test]
fn wrong_usage_is_64() {
    for wrong in [
        &["frobnicate"][..],
        &[],
        &["plan", "--frobnicate"],
        &["approve"],
        &["apply"],
        &["plan", "--json", "--all"],
        &["config", "frobnicate"],
    ] {
        let ran = finish(program().args(wrong)).exits(64);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{wrong:?}");
    }
}

#[test]
fn an_undo_of_what_is_not_there_is_wrong_usage_and_no_run() {
    let place = known();
    let runs = |place: &Workplace| place.cardsync(&["history", "--json"]).json().as_array().unwrap().len();
    let before = runs(&place);
    for word in ["20250101-000000-abcdef", "lats"] {
        let ran = place.cardsync(&["undo", word, "--as-of", LATER]).exits(64);
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
    assert_eq!(runs(&place), before, "nothing was begun");
}

#[test]
fn the_last_run_that_wrote_is_undone_by_its_name() {
    let place = known();
    export(&place, "Leiden", "Delft");
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    // One that has nothing to do is not what is meant.
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    let ran = place
        .cardsync(&["undo", "last", "--dry-run", "--as-of", LATER])
        .exits(2);
    assert!(ran.stdout.contains("Leiden"), "{}", ran.stdout);
    // A class or a number that was typed wrong is not 'nothing to undo'.
    for part in [["--class", "updaet"], ["--only", "999"]] {
        let words = [&["undo", "last", "--dry-run", "--as-of", LATER][..], &part].concat();
        place.cardsync(&words).exits(64);
    }
}

#[test]
fn a_report_that_would_not_be_written_is_refused() {
    let place = known();
    for other in [
        &["--redact"][..],
        &["--replay", "last"],
        &["--diff-config", "config.yaml"],
    ] {
        let words = [&["plan", "--html", "plan.html"], other].concat();
        place.cardsync(&words).exits(64);
    }
}

#[test]
fn the_same_undo_of_the_last_run_given_twice_does_not_take_itself_back() {
    let place = known();
    export(&place, "Leiden", "Delft");
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    place
        .cardsync(&["undo", "last", "--as-of", "2025-03-05T09:00"])
        .exits(0);
    let ran = place
        .cardsync(&["undo", "last", "--as-of", "2025-03-05T10:00"])
        .exits(64);
    let runs = place.cardsync(&["history", "--json", "--limit", "1"]).json();
    let undo = text(&runs[0]["id"]);
    let back = format!("to take it back: cardsync undo {undo}");
    assert!(ran.stderr.contains(&back), "{}", ran.stderr);
    place.cardsync(&["undo", undo, "--as-of", "2025-03-05T10:00"]).exits(0);
}

#[test]
fn what_only_needs_a_human_is_3_until_it_is_known_or_gone() {
    let place = known();
    place.write(
        "people.csv",
        format!("{PEOPLE},Nieuw,Noor,n.nieuw@example.org,Delft,\n"),
    );
    for command in ["plan", "run"] {
        let ran = place.cardsync(&[command, "--as-of", LATER]).exits(3);
        assert!(!ran.stdout.contains("Nothing to do"), "{}", ran.stdout);
    }
    let runs = place.cardsync(&["history", "--json", "--limit", "1"]).json();
    assert_eq!(runs[0]["verdict"], "attention");
    let list = place.cardsync(&["holds", "--json", "--for", "hr"]).exits(3).json();
    let id = text(&list["concerns"][0]["id"]).to_owned();
    place.cardsync(&["approve", &id]).exits(1);
    place.cardsync(&["reject", &id]).exits(0);
    let quiet = place.cardsync(&["holds", "--for", "hr"]).exits(0);
    assert!(
        quiet.stdout.contains("stays quiet until it changes"),
        "{}",
        quiet.stdout
    );
}

#[test]
fn unknown_items_are_an_error_that_names_them() {
    let place = known();
    let ran = place.cardsync(&["approve", "0123456789ab", "everything"]).exits(1);
    for word in ["'0123456789ab'", "'everything'"] {
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
}

#[test]
fn a_run_of_another_day_is_for_sandboxes_only() {
    let place = in_step();
    // Without the sandbox's own answer it is a TOPdesk like any other.
    let stranger =
        super::bad_input::answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    place.configure(&CONFIG.replace("@URL@", &stranger));
    let ran = place.cardsync(&["run", "--as-of", LATER]).exits(1);
    assert!(ran.stderr.contains("plan --as-of"), "{}", ran.stderr);
}

#[test]
fn help_version_and_completions_are_0() {
    let help = finish(program().arg("--help")).exits(0);
    for command in [
        "check", "plan", "run", "apply", "holds", "approve", "reject", "daemon", "sandbox", "demo", "config",
    ] {
        assert!(help.stdout.contains(command), "{command}");
    }
    let version = finish(program().arg("--version")).exits(0);
    assert_eq!(version.stdout, format!("cardsync {}\n", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        let script = finish(program().args(["completions", shell])).exits(0).stdout;
        assert!(script.contains("cardsync") && script.contains("approve"), "{shell}");
    }
}

#[test]
fn what_is_known_until_a_day_is_said_so_at_once_and_is_open_after_it() {
    let place = known();
    place.write(
        "people.csv",
        format!("{PEOPLE},Nieuw,Noor,n.nieuw@example.org,Delft,\n"),
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    let concern = || place.cardsync(&["holds", "--json", "--for", "hr"]).json()["concerns"][0].clone();
    let id = text(&concern()["id"]).to_owned();
    let in_days = |days| chrono::Utc::now() + chrono::Duration::days(days);
    let day = in_days(3).format("%Y-%m-%d").to_string();
    let told = place.cardsync(&["reject", &id, "--until", &day]).exits(0).stdout;
    // The whole day is meant: until midnight.
    let end = in_days(4).format("until %Y-%m-%d 00:00 CE").to_string();
    assert!(told.contains(&end) && !told.contains("30 days"), "{told}");
    assert!(concern()["rejected_by"].is_string(), "before any run");
    let told = place.cardsync(&["holds", "--for", "hr"]).exits(0).stdout;
    assert!(told.contains("known to ") && told.contains(&end), "{told}");
    // That the read is doubted for it is another matter.
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    place.cardsync(&["holds", "--for", "hr"]).exits(0);
    // A look at a day on which it is over finds it open, and so it stays until somebody says more.
    let after = in_days(6).format("%Y-%m-%dT%H:%M").to_string();
    place.cardsync(&["run", "--as-of", &after]).exits(3);
    assert!(concern()["rejected_by"].is_null());
    place.cardsync(&["holds", "--for", "hr"]).exits(3);
}
