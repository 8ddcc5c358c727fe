//! The demo as a person sees it: it ends well, and its text can be read everywhere.

use std::process::Command;

/// It is told in 100 columns without colour, says this, ends with 0, and leaves nothing behind.
fn ends_well(story: &[&str], tells: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_cardsync"))
        .args(["demo", "--once"])
        .args(story)
        .env("RUST_LOG", "warn")
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (told, errors) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}\n{errors}");
    assert_eq!(errors, "");
    for line in told.lines() {
        assert!(line.chars().count() <= 100, "longer than 100 columns: {line}");
        assert!(!line.contains('\u{1b}'), "colour without a terminal: {line}");
    }
    for wanted in tells {
        assert!(told.contains(wanted), "'{wanted}' is not in:\n{told}");
    }
    let folder = told
        .split_whitespace()
        .find(|word| word.ends_with("/hr.csv"))
        .and_then(|file| std::path::Path::new(file).parent())
        .expect("the folder is told");
    assert!(!folder.exists(), "{} was left behind", folder.display());
}

#[test]
fn the_year_is_played_to_its_end_and_told_plainly() {
    let tells = [
        "1. First contact",
        "7. The repaired export, today",
        "cardsync approve ID",
        "100 people who work here find their cards archived",
        "cardsync config init",
    ];
    ends_well(&[], &tells);
}

#[test]
fn two_years_are_played_to_their_end_and_told_plainly() {
    let tells = [
        "1. First contact: a generated card, and a twin",
        "may not yet log in to the self-service portal",
        "card archived, operator archived, and may not log in",
        "card active, operator archived, and may not log in",
        "cardsync anonymize list: 100041 (due",
        "are in none of them",
        "cardsync anonymize certificates: card",
        "Operators that TOPdesk woke with their card, put back at once                        1",
    ];
    ends_well(&["--story", "years"], &tells);
}

#[test]
fn the_way_to_the_number_is_played_to_its_end_and_told_plainly() {
    let tells = [
        "1. What is at risk",
        "Operator accounts that look like those of programs (high)",
        "2. What the old key would do tonight",
        "sure pairs are right",
        "every number is on the card of its person; nothing else on any card or operator has",
        "8. A marriage",
        "1 card updated, the same card as before; its operator notices nothing:",
        "Operators archived although nobody was asked                             0",
    ];
    ends_well(&["--story", "rekey"], &tells);
}
