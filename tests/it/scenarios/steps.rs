//! The steps of a scenario, one per line; `#` starts a remark.
//!
//! ```text
//! run 2025-03-03T08:00           a run as of that moment, and a plan after it that must be empty of what is allowed
//! run! 2025-03-03T08:00          a run after which something is left on purpose; a remark before it says why
//! run! 2025-03-03T08:00 only KEY one person's part of a run
//! plan 2025-03-03T08:00          only a plan
//! plan 2025-03-03T08:00 only KEY one person's part of a plan
//! plan 2025-03-03T08:00 diff OTHER   what is different under another configuration
//! undo N MOMENT [OPTION...]      undoes a run, counted from the last one back: 1 is the last
//! holds                          what waits, and what else needs a human
//! holds for WHOM                 what these people can settle
//! told                           what notify.command was told since it was asked last, kind and message
//! forget KEY                     takes out what is kept of somebody
//! explain KEY MOMENT             one person
//! decisions                      who decided what
//! anonymize MOMENT               who is due for anonymization, who waits and why, who is not yet
//! certificates                   what was anonymized
//! approve WORD...                an id, class, action or `snapshot`; @100001 is whatever waits for that key,
//!                                @100001#1 the first answer to the question about that key, `each:CLASS` each item of a
//!                                class or action by its id
//! reject WORD...
//! unapprove WORD...
//! put FILE OTHER                 FILE becomes a fresh copy of OTHER (or of itself: a new export with the same content)
//! age FILE HOURS                 FILE is so old, by its modification time
//! ldap HOW FILE                  the directory has the rows of FILE from now on, see [`super::directory`]
//! remove FILE
//! config OTHER                   another configuration
//! edit JSON                      somebody changes something in TOPdesk, see `/sandbox/edit`
//! meanwhile JSON                 the same, once a run has judged and looks at a card for the last time before it writes
//! set NAME=VALUE                 a setting of the sandbox
//! ```

use crate::support::masks::Masks;
use crate::support::workplace::{Ran, Workplace, text};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::time::{Duration, SystemTime};

/// Plays the steps and gives what was said.
pub fn play(place: &Workplace, steps: &str, masks: &mut Masks) -> String {
    let mut said = String::new();
    let mut runs: Vec<String> = Vec::new();
    masks.learn(&place.sandbox.state_json());
    for step in steps.lines().map(str::trim).filter(|step| !step.is_empty()) {
        if step.starts_with('#') {
            let _ = writeln!(said, "{step}");
            continue;
        }
        let ran = match step.strip_prefix("undo ") {
            Some(rest) => Some(undo(place, rest, &runs)),
            None => one(place, step),
        };
        let ids = ran.iter().flat_map(|ran| ran.stdout.lines());
        let ids = ids.filter_map(|line| {
            line.strip_prefix("Run ")?
                .split_once(" finished")
                .map(|(id, _)| id.to_owned())
        });
        runs.extend(ids.collect::<Vec<_>>());
        masks.learn(&place.sandbox.state_json());
        let _ = write!(said, "$ {step}");
        if let Some(ran) = ran {
            let _ = writeln!(said, "   (exit {})", ran.code);
            said.push_str(&masks.apply(&ran.stdout, place));
            // Logs are for the operating of the program; errors are for whoever typed.
            for line in ran.stderr.lines().filter(|line| line.starts_with("error:")) {
                let _ = writeln!(said, "{}", masks.apply(line, place));
            }
        }
        said.push('\n');
    }
    said
}

/// Undoes an earlier run of the scenario.
fn undo(place: &Workplace, rest: &str, runs: &[String]) -> Ran {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [back, moment, options @ ..] = words.as_slice() else {
        panic!("not a step: undo {rest}");
    };
    let back: usize = back.parse().unwrap_or_else(|error| panic!("undo {rest}: {error}"));
    let run = &runs[runs.len() - back];
    let mut arguments = vec!["undo", run, "--all", "--as-of", moment];
    arguments.extend(options);
    place.cardsync(&arguments)
}

fn one(place: &Workplace, step: &str) -> Option<Ran> {
    let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
    let words: Vec<&str> = rest.split_whitespace().collect();
    match (verb, words.as_slice()) {
        ("run!", [moment, "only", key]) => {
            return Some(place.cardsync(&["run", "--all", "--as-of", moment, "--only", key]));
        }
        ("plan", [moment, "only", key]) => {
            return Some(place.cardsync(&["plan", "--all", "--as-of", moment, "--only", key]));
        }
        ("plan", [moment, "diff", other]) => {
            let config = fs::read_to_string(place.path(other)).unwrap_or_else(|error| panic!("{step}: {error}"));
            place.write("other.yaml", config.replace("@URL@", &place.sandbox.url()));
            return Some(place.cardsync(&["plan", "--all", "--as-of", moment, "--diff-config", "other.yaml"]));
        }
        ("anonymize", [moment]) => {
            return Some(place.cardsync(&["anonymize", "list", "--all", "--as-of", moment]));
        }
        ("certificates", []) => return Some(place.cardsync(&["anonymize", "certificates"])),
        ("decisions", []) => return Some(place.cardsync(&["holds", "--decisions"])),
        ("run!", [moment]) => return Some(place.cardsync(&["run", "--all", "--as-of", moment])),
        ("run", [moment]) => {
            let ran = place.cardsync(&["run", "--all", "--as-of", moment]);
            second_plan_is_empty(place, moment, step);
            return Some(ran);
        }
        ("plan", [moment]) => return Some(place.cardsync(&["plan", "--all", "--as-of", moment])),
        ("holds", []) => return Some(place.cardsync(&["holds"])),
        ("holds", ["for", whom]) => return Some(place.cardsync(&["holds", "--for", whom])),
        ("forget", [key]) => return Some(place.cardsync(&["forget", key, "--yes"])),
        ("explain", [key, moment]) => return Some(place.cardsync(&["explain", key, "--as-of", moment])),
        ("told", []) => return Some(told(place)),
        ("approve" | "reject" | "unapprove", words) if !words.is_empty() => {
            let words: Vec<String> = words.iter().flat_map(|word| expand(place, word)).collect();
            let mut arguments = vec![verb];
            arguments.extend(words.iter().map(String::as_str));
            return Some(place.cardsync(&arguments));
        }
        ("put", [file, other]) => {
            let content = fs::read(place.path(other)).unwrap_or_else(|error| panic!("{step}: {error}"));
            place.write(file, content);
        }
        ("age", [file, hours]) => {
            let hours: u64 = hours.parse().unwrap_or_else(|error| panic!("{step}: {error}"));
            let file = fs::File::options().write(true).open(place.path(file));
            let then = SystemTime::now() - Duration::from_secs(hours * 3600);
            let aged = file.and_then(|file| file.set_modified(then));
            aged.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        ("ldap", [how, file]) => {
            let rows = fs::read_to_string(place.path(file)).unwrap_or_else(|error| panic!("{step}: {error}"));
            place.directory().play(super::directory::script(how, &rows));
        }
        ("remove", [file]) => fs::remove_file(place.path(file)).unwrap_or_else(|error| panic!("{step}: {error}")),
        ("config", [other]) => {
            let config = fs::read_to_string(place.path(other)).unwrap_or_else(|error| panic!("{step}: {error}"));
            place.configure(&config);
        }
        ("edit", _) => {
            let edit: Value = serde_json::from_str(rest).unwrap_or_else(|error| panic!("{step}: {error}"));
            place
                .sandbox
                .edit(&edit)
                .unwrap_or_else(|error| panic!("{step}: {error:#}"));
        }
        ("meanwhile", _) => {
            let edit: Value = serde_json::from_str(rest).unwrap_or_else(|error| panic!("{step}: {error}"));
            let last_look = json!({ "method": "GET", "route": "/persons/{id}", "nth": 1, "edit": edit });
            place
                .sandbox
                .fault(&last_look)
                .unwrap_or_else(|error| panic!("{step}: {error:#}"));
        }
        ("set", [setting]) => {
            let (name, value) = setting.split_once('=').unwrap_or_else(|| panic!("{step}: name=value"));
            place
                .sandbox
                .set(name, value)
                .unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        _unknown => panic!("not a step: {step}"),
    }
    None
}

/// What the program of `notify.command`, which appends to notify.log, was told; the file is empty after that.
fn told(place: &Workplace) -> Ran {
    let told = fs::read_to_string(place.path("notify.log")).unwrap_or_default();
    place.write("notify.log", "");
    let events = told.lines().filter(|line| !line.trim().is_empty());
    let mut stdout = String::new();
    for event in events {
        let event: Value = serde_json::from_str(event).unwrap_or_else(|error| panic!("{event}: {error}"));
        let _ = writeln!(stdout, "{}: {}", text(&event["kind"]), text(&event["message"]));
    }
    Ran {
        code: 0,
        stdout,
        stderr: String::new(),
    }
}

/// The ids that wait for a key, or the word itself.
fn expand(place: &Workplace, word: &str) -> Vec<String> {
    if let Some(class) = word.strip_prefix("each:") {
        return place.each_of(class);
    }
    let Some(key) = word.strip_prefix('@') else {
        return vec![word.to_owned()];
    };
    let holds = place.cardsync(&["holds", "--json"]).json();
    let items = || holds.as_array().expect("an array of what waits").iter();
    if let Some((key, answer)) = key.split_once('#') {
        let number: usize = answer.parse().unwrap_or_else(|error| panic!("{word}: {error}"));
        let asked = items().find(|item| item["key"] == key && item["choices"].is_array());
        let choices = &asked.unwrap_or_else(|| panic!("no question about {key}: {holds:#}"))["choices"];
        return vec![text(&choices[number - 1]).to_owned()];
    }
    let ids: Vec<String> = items()
        .filter(|item| item["key"] == key)
        .map(|item| text(&item["id"]).to_owned())
        .collect();
    assert!(!ids.is_empty(), "nothing waits for {key}: {holds:#}");
    ids
}

/// The same input planned again gives no changes. Held ones wait on and are no changes that would be made.
fn second_plan_is_empty(place: &Workplace, moment: &str, step: &str) {
    let again = place.cardsync(&["plan", "--json", "--as-of", moment]);
    let plan = again.json();
    let changes = plan["changes"].as_array().expect("a plan has changes").iter();
    let allowed: Vec<&Value> = changes.filter(|change| change["verdict"] == "allowed").collect();
    assert!(
        allowed.is_empty(),
        "after '{step}' the same input gives changes again: {allowed:#?}"
    );
}
