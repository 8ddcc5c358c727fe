//! Golden scenarios: a folder under `tests/scenarios` per case, named after what it protects.
//!
//! | file | is |
//! |---|---|
//! | `config.yaml` | the configuration; `@URL@` stands for the sandbox, `@LDAP@` for a directory |
//! | `cards.json` | what the sandbox starts with |
//! | `steps` | what happens, one step per line, see [`steps`]; without it one run |
//! | `expected-plan.txt` | what the program said, step by step |
//! | `expected-cards.json` | the cards at the end, what is not empty of them |
//! | `explain` | whom to explain at the end, one per line: the person that the scenario is about |
//! | `expected-explain.txt` | what `explain` said of them |
//! | all others | sources |
//!
//! Every run is followed by a plan over the same input: it must have nothing left that may be done. `BLESS=1 cargo nextest
//! run scenarios` writes the expected files anew; the difference is reviewed like code.

mod cards;
mod directory;
mod steps;

use crate::support::masks::Masks;
use crate::support::workplace::Workplace;
use rstest::rstest;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A test per folder.
#[rstest]
fn plays(#[files("tests/scenarios/*/config.yaml")] config: PathBuf) {
    let folder = config.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    play(folder.expect("a folder with a name"));
}

/// The tests are made when this file is compiled, and a new folder alone compiles nothing.
#[test]
fn every_folder_has_its_test() {
    let program = std::env::current_exe().unwrap();
    let listed = Command::new(program).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // Long names are cut off.
    let names: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_once("_tests_scenarios_"))
        .map(|(_, name)| name.trim_end_matches(": test"))
        .collect();
    for folder in fs::read_dir(root()).unwrap() {
        let folder = folder.unwrap().file_name().into_string().unwrap();
        let whole = format!("{folder}_config_yaml");
        assert!(
            names.iter().any(|name| whole.starts_with(name)),
            "{folder} is new: touch tests/it/scenarios.rs, so that it gets a test"
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Files of a scenario that are not sources.
const OWN: [&str; 7] = [
    "config.yaml",
    "cards.json",
    "steps",
    "expected-plan.txt",
    "expected-cards.json",
    "explain",
    "expected-explain.txt",
];

fn play(name: &str) {
    let folder = root().join(name);
    let read =
        |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{name}/{file}: {error}"));
    let seed = serde_json::from_str(&read("cards.json")).unwrap_or_else(|error| panic!("{name}/cards.json: {error}"));
    let place = Workplace::open(seed);
    place.configure(&read("config.yaml"));
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        if !OWN.contains(&file.as_str()) {
            place.write(&file, fs::read(entry.path()).unwrap());
        }
    }
    let steps = match fs::read_to_string(folder.join("steps")) {
        Ok(steps) => steps,
        Err(_none) => "run 2025-03-03T08:00".to_owned(),
    };
    let mut masks = Masks::default();
    let said = steps::play(&place, &steps, &mut masks);
    replays_as_it_was(&place);
    let cards = cards::describe(&place.sandbox.state_json());
    if let Ok(words) = fs::read_to_string(folder.join("explain")) {
        compare(
            &folder.join("expected-explain.txt"),
            &explained(&place, &words, &steps, &mut masks),
        );
    }
    compare(&folder.join("expected-plan.txt"), &said);
    compare(&folder.join("expected-cards.json"), &cards);
}

/// What `explain` says of these people after the last step, at the moment of the last run.
fn explained(place: &Workplace, words: &str, steps: &str, masks: &mut Masks) -> String {
    let moment = steps.lines().rev().find_map(|step| {
        let (verb, moment) = step.trim().split_once(' ')?;
        ["run", "run!", "plan"].contains(&verb).then_some(moment)
    });
    let moment = moment.expect("a scenario has a run");
    let mut said = String::new();
    for word in words.lines() {
        let ran = place.cardsync(&["explain", word, "--as-of", moment]);
        said.push_str(&format!("$ explain {word}   (exit {})\n", ran.code));
        said.push_str(&masks.apply(&ran.stdout, place));
        said.push_str(&masks.apply(&ran.stderr, place));
    }
    said
}

/// What the last run read and remembered gives the same plan again, without any server.
fn replays_as_it_was(place: &Workplace) {
    let history = place.path("inputs");
    if !history.exists() {
        return;
    }
    let again = place.cardsync(&["plan", "--replay", "last", "--json"]).json();
    // A plan without the people who were purged can be another one.
    assert!(
        again["same"] == true || again["people_taken_out"] != 0,
        "{:#}",
        again["replayed"]
    );
}

fn compare(file: &Path, found: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(file, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected == found {
        return;
    }
    let differs = expected
        .lines()
        .zip(found.lines())
        .position(|(expected, found)| expected != found);
    let line = differs.unwrap_or_else(|| expected.lines().count().min(found.lines().count())) + 1;
    panic!(
        "{} differs from line {line} on; if that is right: BLESS=1 cargo nextest run scenarios\n--- found\n{found}",
        file.display()
    );
}
