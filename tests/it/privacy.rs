//! What is kept of people, and that it is gone when it should be: every file of the state folder is searched byte by byte.

use crate::support::workplace::{Workplace, text};
use cardsync::app::environment::Environment;
use cardsync::app::run_once::{RunOnce, run_once};
use cardsync::engine::{Clock, Silent};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use tokio_util::sync::CancellationToken;

const CONFIG: &str = r#"
topdesk:
  url: "@URL@"
  username: api-cardsync
  password: { file: password }
  archiving_reason: Out of service
timezone: Europe/Amsterdam
sources:
  - { name: hr, type: csv, path: people.csv, key: Number, role: authoritative, expect: { max_drop: 50% } }
fields:
  surName: "{{ hr['Last name'] }}"
  firstName: "{{ hr['First name'] }}"
  email: "{{ hr['E-mail'] }}"
  branch: "{{ hr.Site }}"
  jobTitle: "{{ hr.Title }}"
  manager: { key: "{{ hr.Manager }}" }
create: { hasSspAccess: true, isCaller: true }
lifecycle:
  leaver: { when: "{{ hr['End date'] | date < today }}", after: 0s }
guard: { changed_fields: { max: 50 } }
store: { sqlite: state/cardsync.db }
"#;

const HEADER: &str = "Number,Last name,First name,E-mail,Site,Title,Manager,End date\n";

/// What must not be found any more: everything about one person.
const THEIRS: [&str; 6] = [
    "Zwaluwstaart",
    "Quirina",
    "q.zwaluw@example.org",
    "Vogelaar",
    "900373",
    "called about Quirina",
];

/// Somebody who married, leads somebody, and left as an operator with an approval that names them.
fn lived() -> Workplace {
    let person = |number: &str, last: &str, first: &str, email: &str| {
        json!({ "surName": last, "firstName": first, "employeeNumber": number, "branch": "Delft", "email": email,
                "jobTitle": "Clerk", "hasSspAccess": true, "isCaller": true })
    };
    let place = Workplace::open(json!({
        "branches": ["Delft"],
        "archivingReasons": ["Out of service"],
        "persons": [
            person("100001", "Visser", "Jan", "j.visser@example.org"),
            person("100002", "Bakker", "An", "a.bakker@example.org"),
            person("900373", "Vogelaar", "Quirina", "q.vogelaar@example.org"),
        ],
        "operators": [
            { "surName": "Vogelaar", "firstName": "Quirina", "loginName": "OPVOG", "branch": "Delft",
              "linkedPerson": { "employeeNumber": "900373" } }
        ],
    }));
    place.configure(CONFIG);
    let export = |last: &str, email: &str, led_by: &str, end: &str| {
        place.write(
            "people.csv",
            format!(
                "{HEADER}100001,Visser,Jan,j.visser@example.org,Delft,Clerk,{led_by},\n\
                 100002,Bakker,An,a.bakker@example.org,Delft,Clerk,,\n\
                 900373,{last},Quirina,{email},Delft,Clerk,,{end}\n"
            ),
        );
    };
    export("Vogelaar", "q.vogelaar@example.org", "", "");
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(0);
    export("Zwaluwstaart", "q.zwaluw@example.org", "900373", "");
    place.cardsync(&["run", "--as-of", "2025-03-04T08:00"]).exits(0);
    export("Zwaluwstaart", "q.zwaluw@example.org", "", "2025-03-01");
    place.cardsync(&["run", "--as-of", "2025-03-05T08:00"]).exits(3);
    place
        .approve_each(&["operators"], &["--note", "called about Quirina"])
        .exits(0);
    place.cardsync(&["run", "--as-of", "2025-03-05T09:00"]).exits(0);
    // Rows that SQLite moves about, so that copies could stay in unused places.
    for (day, title) in [(6, "Senior clerk"), (7, "Head clerk"), (8, "Clerk")] {
        place.write(
            "people.csv",
            format!(
                "{HEADER}100001,Visser,Jan,j.visser@example.org,Delft,{title},,\n\
                 100002,Bakker,An,a.bakker@example.org,Delft,{title},,\n"
            ),
        );
        place
            .cardsync(&["run", "--as-of", &format!("2025-03-0{day}T08:00")])
            .exits(0);
    }
    place
}

/// The files of the state folder, and of the folders in it, that have one of these texts; what is compressed is unpacked.
fn found(place: &Workplace, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![place.path("state")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = unpacked(fs::read(&path).unwrap());
            for word in words {
                if bytes.windows(word.len()).any(|part| part == word.as_bytes()) {
                    found.push(format!("{word} in {}", path.display()));
                }
            }
        }
    }
    found
}

/// What a gzip file holds; other bytes as they are.
fn unpacked(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

/// The kept inputs of past runs.
fn kept_inputs(place: &Workplace) -> usize {
    let folders = fs::read_dir(place.path("state/inputs")).unwrap();
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    files.count()
}

fn journal_of(place: &Workplace, card: &str) -> Vec<Value> {
    let lines = place.cardsync(&["journal", "export", "--with-values"]).exits(0).stdout;
    let all = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    all.filter(|line: &Value| line["card"] == card).collect()
}

fn card_of(place: &Workplace, number: &str) -> String {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap().iter();
    let card = cards.into_iter().find(|card| card["employeeNumber"] == number);
    text(&card.expect("a card")["id"]).to_owned()
}

#[test]
fn an_anonymized_person_is_in_no_file_of_the_state_after_the_same_run() {
    let place = lived();
    let card = card_of(&place, "900373");
    let before = found(&place, &THEIRS);
    for word in THEIRS {
        assert!(
            before.iter().any(|place| place.starts_with(word)),
            "{word} is looked for in vain"
        );
    }
    assert!(before.iter().any(|place| place.contains("/inputs/")), "{before:?}");
    assert_eq!(journal_of(&place, &card).len(), 2);
    place
        .sandbox
        .edit(&json!({ "person": "900373", "anonymize": true }))
        .unwrap();
    place.cardsync(&["run", "--as-of", "2025-03-10T08:00"]).exits(0);
    assert_eq!(found(&place, &THEIRS), Vec::<String>::new());
    // Who did what when stays, and the others' values.
    let kept = journal_of(&place, &card);
    let actions: Vec<&str> = kept.iter().map(|line| text(&line["action"])).collect();
    assert_eq!(actions, ["update", "archive"]);
    for line in &kept {
        assert_eq!(
            (&line["key"], &line["fields"]),
            (&Value::Null, &Value::Null),
            "{line:#}"
        );
        assert_eq!(line["outcome"], "done");
    }
    assert!(!text(&kept[1]["approver"]).is_empty());
    let others = card_of(&place, "100001");
    assert!(
        journal_of(&place, &others)
            .iter()
            .any(|line| line["fields"]["jobTitle"]["to"] == "Head clerk")
    );
    assert_eq!(kept_inputs(&place), 3, "they are cleaned, not thrown away");
    place.cardsync(&["store", "check"]).exits(0);
}

#[test]
fn forget_says_what_goes_and_does_it_when_told_twice() {
    let place = lived();
    let card = card_of(&place, "900373");
    let said = place.cardsync(&["forget", "900373"]).exits(0).stdout;
    for words in [
        "Would be removed:",
        "  1 entry of the ledger",
        "  2 writes: their values",
        "note beside a decision",
        "  3 kept inputs of past runs",
        "Nothing was changed",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    assert!(!found(&place, &THEIRS).is_empty());
    let said = place.cardsync(&["forget", "900373", "--yes"]).exits(0).stdout;
    assert!(said.starts_with("Removed:\n"), "{said}");
    assert_eq!(found(&place, &THEIRS), Vec::<String>::new());
    assert_eq!(journal_of(&place, &card).len(), 2);
    let history = place.cardsync(&["history"]).exits(0).stdout;
    assert!(
        history.contains("forget by") && !history.contains("900373"),
        "{history}"
    );
    let again = place.cardsync(&["forget", "900373", "--yes"]).exits(1);
    assert!(
        again.stderr.contains("nobody with this key or card id is known"),
        "{again:?}"
    );
    // The card is archived and its person gone: nothing happens to either, and nothing is learned again.
    place.cardsync(&["run", "--as-of", "2025-03-10T08:00"]).exits(0);
    assert_eq!(found(&place, &["Zwaluwstaart", "900373"]), Vec::<String>::new());
}

#[test]
fn a_word_that_is_nobodys_key_is_refused_and_changes_nothing() {
    let place = lived();
    let before = place.cardsync(&["history", "--json"]).exits(0).stdout;
    for word in [
        "class",
        "limit",
        "archive",
        "hr",
        "operators",
        "Zwaluwstaart",
        "3",
        "no-such-key",
    ] {
        for yes in [&["forget", word][..], &["forget", word, "--yes"]] {
            let refused = place.cardsync(yes).exits(1);
            assert!(refused.stderr.contains("names are not accepted"), "{word}: {refused:?}");
        }
    }
    assert_eq!(place.cardsync(&["history", "--json"]).exits(0).stdout, before);
    place.cardsync(&["store", "check"]).exits(0);
    place.cardsync(&["holds", "--all"]);
    place.cardsync(&["forget", "900373"]).exits(0);
}

#[test]
fn nobody_is_forgotten_while_something_is_in_doubt() {
    let place = lived();
    place.write(
        "people.csv",
        format!("{HEADER}100001,Visser,Jan,j.visser@example.org,Delft,Head,,\n100002,Bakker,An,a.bakker@example.org,Delft,Clerk,,\n"),
    );
    place
        .sandbox
        .fault(&json!({ "method": "PATCH", "route": "/persons/{id}", "nth": 1, "reset": "before" }))
        .unwrap();
    place.cardsync(&["run", "--as-of", "2025-03-10T08:00"]).exits(5);
    let refused = place.cardsync(&["forget", "100001", "--yes"]).exits(1);
    assert!(refused.stderr.contains("has no known effect yet"), "{refused:?}");
    // Somebody else may be.
    place.cardsync(&["forget", "900373", "--yes"]).exits(0);
}

/// A clock of a machine, on another day.
struct On(DateTime<Utc>);

impl Clock for On {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// A whole run on that day, by the machine's clock and not as a rehearsal.
fn run_on(place: &Workplace, day: &str) {
    let environment = Environment::load(&place.path("cardsync.yaml")).unwrap_or_else(|problems| panic!("{problems}"));
    let run = RunOnce {
        environment: &environment,
        command: "run",
        clock: &On(day.parse().unwrap()),
        progress: &Silent,
        stop: &CancellationToken::new(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run_once(run)).unwrap();
}

#[test]
fn what_is_older_than_its_time_is_taken_out_by_a_run() {
    let place = lived();
    let card = card_of(&place, "900373");
    place.configure(&CONFIG.replace(
        "cardsync.db }",
        "cardsync.db, retention: { journal: 400d, values: 60d, reports: 30d } }",
    ));
    // Nobody takes anything out by a day that is only rehearsed.
    let before = place.cardsync(&["history", "--json"]).exits(0).json();
    place.cardsync(&["run", "--as-of", "2025-06-10T08:00"]).exits(0);
    let runs = place.cardsync(&["history", "--json"]).exits(0).json();
    assert_eq!(runs.as_array().unwrap().len(), before.as_array().unwrap().len() + 1);
    run_on(&place, "2025-06-10T09:00:00Z");
    let runs = place.cardsync(&["history", "--json"]).exits(0).json();
    assert_eq!(runs.as_array().unwrap().len(), 2, "the reports are gone");
    let kept = journal_of(&place, &card);
    assert_eq!(kept.len(), 2);
    assert_eq!((text(&kept[0]["key"]), &kept[0]["fields"]), ("900373", &Value::Null));
    // What the last runs read is no week old by the machine's clock, and the card still has their name.
    let mut left = found(&place, &["Zwaluwstaart", "Head clerk", "Vogelaar"]);
    left.retain(|place| !place.contains("/inputs/"));
    assert_eq!(left, Vec::<String>::new());
    run_on(&place, "2026-06-10T08:00:00Z");
    assert_eq!(journal_of(&place, &card), Vec::<Value>::new());
    place.cardsync(&["store", "check"]).exits(0);
}

/// Beside what `lived` knows of the person: what only the card and its operator have.
const ON_THE_CARD: [&str; 4] = ["015 987 65 43", "ZWALU1", "kamer 4.17", "OPVOG"];

#[test]
fn a_person_whom_cardsync_anonymized_is_in_no_file_of_the_state_after_the_same_run() {
    let place = lived();
    let card = card_of(&place, "900373");
    let run = |day: &str| place.cardsync(&["run", "--as-of", &format!("2025-{day}T09:00")]);
    place.configure(&CONFIG.replace("guard:", "  anonymize: { by: api, after: 7d }\nguard:"));
    place.sandbox.set("patch_archived", "accepted").unwrap();
    let edit = json!({ "phoneNumber": "015 987 65 43", "networkLoginName": "ZWALU1", "optionalFields1": { "text1": "kamer 4.17" } });
    place.sandbox.edit(&json!({ "person": "900373", "set": edit })).unwrap();
    // Somebody touched the card after the archive: then it is theirs.
    let said = run("03-20").exits(3).stdout;
    assert!(
        said.contains("changed by somebody else after cardsync had archived it"),
        "{said}"
    );
    // So cardsync archives it once more, and the clock starts anew.
    let export = |theirs: &str| {
        place.write(
            "people.csv",
            format!(
                "{HEADER}100001,Visser,Jan,j.visser@example.org,Delft,Cashier,,\n\
                 100002,Bakker,An,a.bakker@example.org,Delft,Cashier,,\n{theirs}"
            ),
        );
    };
    place
        .sandbox
        .edit(&json!({ "person": "900373", "set": { "archived": false } }))
        .unwrap();
    export("900373,Zwaluwstaart,Quirina,q.zwaluw@example.org,Delft,Clerk,,\n");
    run("03-21");
    export("900373,Zwaluwstaart,Quirina,q.zwaluw@example.org,Delft,Clerk,,2025-03-20\n");
    // The yes for the first archive is used up.
    assert!(run("03-22").exits(3).stdout.contains("takes an operator along"));
    place.approve_each(&["operators"], &[]).exits(0);
    run("03-22").exits(0);
    for day in ["04-01", "04-02", "04-04"] {
        export("");
        run(day);
    }
    let held = place.cardsync(&["holds", "--json"]).json();
    assert_eq!(
        (text(&held[0]["action"]), text(&held[0]["person_id"])),
        ("anonymize", card.as_str()),
        "{held:#}"
    );
    let theirs: Vec<&str> = THEIRS
        .into_iter()
        .filter(|word| !word.starts_with("called"))
        .chain(ON_THE_CARD)
        .collect();
    let before = found(&place, &theirs);
    for word in &theirs {
        assert!(
            before.iter().any(|place| place.starts_with(word)),
            "{word} is looked for in vain"
        );
    }
    place
        .approve_each(&["anonymize", "operators"], &["--note", "called about Quirina"])
        .exits(0);
    let done = run("04-04").exits(0).stdout;
    assert!(done.contains("Done: 1 anonymized."), "{done}");
    assert_eq!(found(&place, &THEIRS), Vec::<String>::new());
    assert_eq!(found(&place, &ON_THE_CARD), Vec::<String>::new());
    let certificates = place.cardsync(&["anonymize", "certificates", "--json"]).json();
    assert_eq!(
        (text(&certificates[0]["card"]), text(&certificates[0]["way"])),
        (card.as_str(), "api")
    );
    let shown = certificates.to_string();
    assert!(
        THEIRS.iter().chain(&ON_THE_CARD).all(|word| !shown.contains(word)),
        "{shown}"
    );
    let table = place
        .cardsync(&["anonymize", "list", "--csv", "--as-of", "2025-04-05T09:00"])
        .exits(0)
        .stdout;
    assert_eq!(table.lines().count(), 1, "{table}");
    // Nothing is learned again.
    place.cardsync(&["run", "--as-of", "2025-04-06T09:00"]).exits(0);
    assert_eq!(found(&place, &THEIRS), Vec::<String>::new());
    place.cardsync(&["store", "check"]).exits(0);
}

#[test]
fn a_number_in_a_sentence_about_somebody_else_goes_with_its_person() {
    let person = |number: &str, last: &str| {
        json!({ "surName": last, "firstName": "Kim", "employeeNumber": number, "branch": "Delft", "jobTitle": "Clerk",
                "email": format!("{}@example.org", last.to_lowercase()), "hasSspAccess": true, "isCaller": true })
    };
    let place = Workplace::open(json!({
        "branches": ["Delft"],
        "archivingReasons": ["Out of service"],
        "persons": [person("100001", "Visser"), person("100002", "Bakker"), person("900373", "Zwaluwstaart")],
        "operators": [
            { "surName": "Bakker", "firstName": "Kim", "loginName": "kbakker", "branch": "Delft",
              "linkedPerson": { "employeeNumber": "100002" } }
        ],
    }));
    place.configure(&CONFIG.replace("after: 0s }", "after: 0s, work_left: report }"));
    let day = |day: &str, manager_leaves: &str, theirs: &str| {
        place.write(
            "people.csv",
            format!(
                "{HEADER}100001,Visser,Kim,visser@example.org,Delft,Clerk,,\n\
                 100002,Bakker,Kim,bakker@example.org,Delft,Clerk,,{manager_leaves}\n{theirs}"
            ),
        );
        place.cardsync(&["run", "--as-of", &format!("2025-03-{day}T08:00")])
    };
    let theirs = "900373,Zwaluwstaart,Kim,zwaluwstaart@example.org,Delft,Clerk,100002,\n";
    day("03", "", theirs).exits(0);
    let said = day("05", "2025-03-04", theirs).exits(3).stdout;
    assert!(said.contains("is still the manager on 1 active card: 900373"), "{said}");
    place.approve_each(&["operators"], &[]).exits(0);
    day("06", "2025-03-04", theirs).exits(0);
    assert!(!found(&place, &["900373"]).is_empty());
    place
        .sandbox
        .edit(&json!({ "person": "900373", "anonymize": true }))
        .unwrap();
    day("07", "2025-03-04", "").exits(0);
    assert_eq!(found(&place, &["900373", "Zwaluwstaart"]), Vec::<String>::new());
    let forget = place.cardsync(&["forget", "900373"]).exits(1);
    assert!(
        forget.stderr.contains("nobody with this key or card id is known"),
        "{forget:?}"
    );
}
