//! From e-mail addresses to numbers: what another key would do, pairs by list, keys written, killed, resumed and taken back, and
//! the proof at the end.

use super::LATER;
use crate::support::waiting::until;
use crate::support::workplace::{Workplace, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

pub(super) const CONFIG: &str = r#"
topdesk:
  url: "@URL@"
  username: api-cardsync
  password: { file: password }
  archiving_reason: Out of service
  concurrency: 1
timezone: Europe/Amsterdam
sources:
  - { name: hr, type: csv, path: people.csv, key: Number, role: authoritative }
fields:
  surName: "{{ hr['Last name'] }}"
  firstName: "{{ hr['First name'] }}"
  email: "{{ hr['E-mail'] | lower }}"
  tasLoginName: "{{ hr.Login }}"
  phoneNumber: "{{ hr.Phone }}"
  branch: "{{ hr.Site }}"
  optionalFields1.date1: "{{ hr.Born | date }}"
key: { birth_date: optionalFields1.date1 }
create: { hasSspAccess: true, isCaller: true }
lifecycle:
  leaver: { when: "{{ hr['End date'] | date < today }}" }
store: { sqlite: cardsync.db }
"#;

const PEOPLE: &str = "\
Number,Last name,First name,E-mail,Login,Phone,Site,Born,End date
100001,Visser,Jan,j.visser@example.org,jvisser,0612345001,Delft,1980-02-03,
100002,Bakker,An,a.bakker@example.org,abakker,,Delft,,
00103,Smit,Eva,e.smit@example.org,esmit,,Delft,,
100004,Kok,Tim,t.kok@example.org,tkok,,Delft,,
100005,Groot,Ria,r.groot@example.org,rgroot,,Delft,,
";

/// Jan agrees in two ways, An in one; Eva has a generated card; Tim's login stands on the card of somebody who had it before,
/// and his own card is under another name; of Ria only the name is right.
pub(super) fn by_address() -> Workplace {
    let place = Workplace::open(json!({
        "branches": ["Delft"],
        "archivingReasons": ["Out of service"],
        "persons": [
            { "surName": "Visser", "firstName": "Jan", "branch": "Delft", "email": "J.Visser@example.org",
              "tasLoginName": "jvisser", "phoneNumber": "+31 6 12345001",
              "optionalFields1": { "date1": "1980-02-03T00:00:00.000+0000" } },
            { "surName": "Bakker", "firstName": "An", "branch": "Delft", "email": "a.bakker@example.org",
              "tasLoginName": "abakker" },
            { "surName": "Smit", "firstName": "Eva", "branch": "Delft" },
            { "surName": "Meijer", "firstName": "Rob", "branch": "Delft", "email": "r.meijer@example.org",
              "tasLoginName": "tkok" },
            { "surName": "Jansen", "firstName": "Timothy", "branch": "Delft", "email": "tim@example.net" },
            { "surName": "Groot", "firstName": "Ria", "branch": "Delft", "email": "ria@example.net" }
        ],
        "operators": [
            { "surName": "Smit", "firstName": "Eva", "loginName": "esmit", "branch": "Delft", "linkedPerson": "Smit, Eva" }
        ]
    }));
    place.configure(CONFIG);
    place.write("people.csv", PEOPLE);
    place
}

/// The list as rows of cells by column.
pub(super) fn rows(place: &Workplace, file: &str) -> Vec<BTreeMap<String, String>> {
    let sheet = std::fs::read(place.path(file)).unwrap();
    let body = sheet.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(body);
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

/// Writes decisions into the list, by the name on the card, with another number where there is one.
pub(super) fn decide(place: &Workplace, file: &str, decisions: &[(&str, &str, &str)]) {
    let sheet = std::fs::read_to_string(place.path(file)).unwrap();
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(sheet.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| {
        header
            .iter()
            .position(|cell| cell.trim_start_matches('\u{feff}') == name)
            .unwrap()
    };
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    for row in reader.records() {
        let mut cells: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        let found = decisions.iter().find(|(name, _, _)| cells[at("card_name")] == *name);
        if let Some((_, decision, number)) = found {
            cells[at("decision")] = (*decision).to_owned();
            cells[at("note")] = "HR".to_owned();
            cells[at("other_number")] = (*number).to_owned();
        }
        writer.write_record(&cells).unwrap();
    }
    place.write(file, writer.into_inner().unwrap());
}

/// The number on each card, by surname.
pub(super) fn numbers(place: &Workplace) -> BTreeMap<String, String> {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap().clone();
    let number = |card: &Value| {
        (
            text(&card["surName"]).to_owned(),
            text(&card["employeeNumber"]).to_owned(),
        )
    };
    cards
        .iter()
        .map(number)
        .filter(|(_, number)| !number.is_empty())
        .collect()
}

pub(super) fn expected(numbers: &[(&str, &str)]) -> BTreeMap<String, String> {
    numbers
        .iter()
        .map(|(name, number)| ((*name).to_owned(), (*number).to_owned()))
        .collect()
}

const ALL: [(&str, &str); 5] = [
    ("Visser", "100001"),
    ("Bakker", "100002"),
    ("Smit", "00103"),
    ("Jansen", "100004"),
    ("Groot", "100005"),
];

/// What HR says: Tim's card is the one under his other name.
pub(super) const HR: [(&str, &str, &str); 5] = [
    ("Jan Visser", "approve", ""),
    ("An Bakker", "approve", ""),
    ("Eva Smit", "approve", ""),
    ("Timothy Jansen", "approve", "100004"),
    ("Ria Groot", "approve", ""),
];

#[test]
fn what_another_key_would_do_is_shown_and_never_done() {
    let place = by_address();
    let ran = place.cardsync(&["plan", "--key", "email", "--as-of", LATER]);
    assert!(
        ran.stdout.starts_with("What if email were the key? A what-if"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("Beside the plan under employeeNumber"),
        "{}",
        ran.stdout
    );
    let plan = place
        .cardsync(&["plan", "--key", "email", "--json", "--as-of", LATER])
        .json();
    assert_eq!(plan["what_if"]["key"], "email");
    let created: Vec<&str> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] == "create")
        .map(|change| text(&change["key"]))
        .collect();
    assert_eq!(
        created,
        ["e.smit@example.org", "r.groot@example.org", "t.kok@example.org"],
        "whoever has another address in TOPdesk gets a second card"
    );
    let ran = place
        .cardsync(&["explain", "j.visser@example.org", "--key", "email", "--as-of", LATER])
        .exits(0);
    assert!(
        ran.stdout.contains("in email, compared after trim, lowercase"),
        "{}",
        ran.stdout
    );
    // People know each other by their numbers, also of somebody whose address no card has.
    for (number, shown) in [("100001", "j.visser@example.org"), ("100005", "r.groot@example.org")] {
        let ran = place
            .cardsync(&["explain", number, "--key", "email", "--as-of", LATER])
            .exits(0);
        assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    }
    for (key, what) in [
        ("mail", "is not a field of a person card"),
        ("department", "is not a text field"),
        ("employeeNumber", "is the configured key already"),
        ("networkLoginName", "is not among the fields of the configuration"),
    ] {
        let ran = place.cardsync(&["plan", "--key", key]).exits(1);
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
    }
    place.cardsync(&["plan", "--key", "networkLoginName={{ hr.Login }}", "--as-of", LATER]);
    assert!(place.writes().is_empty());
    assert!(!place.path("cardsync.db").exists(), "nothing is remembered");
}

#[test]
fn a_list_goes_to_hr_and_the_keys_are_written() {
    let place = by_address();
    let ran = place
        .cardsync(&["rekey", "pair", "--csv", "pairs.csv", "--as-of", LATER])
        .exits(0);
    assert!(ran.stdout.contains("Wrote 6 rows to pairs.csv"), "{}", ran.stdout);
    let mode = std::fs::metadata(place.path("pairs.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let list = rows(&place, "pairs.csv");
    let told: Vec<(&str, &str, &str)> = list
        .iter()
        .map(|row| (row["card_name"].as_str(), row["grade"].as_str(), row["number"].as_str()))
        .collect();
    assert_eq!(told[0], ("An Bakker", "likely", "[100002]"), "sorted by the surnames");
    assert!(told.contains(&("Eva Smit", "likely", "[00103]")), "zeros stay");
    assert!(told.contains(&("Jan Visser", "sure", "[100001]")), "{told:?}");
    assert!(told.contains(&("Ria Groot", "possible", "[100005]")), "{told:?}");
    assert!(told.contains(&("Rob Meijer", "none", "")), "{told:?}");

    decide(
        &place,
        "pairs.csv",
        &[("Rob Meijer", "perhaps", ""), ("Jan Visser", "approve", "100009")],
    );
    let ran = place
        .cardsync(&["rekey", "write", "pairs.csv", "--as-of", LATER])
        .exits(1);
    assert!(ran.stderr.contains("'perhaps' is no decision"), "{}", ran.stderr);
    decide(
        &place,
        "pairs.csv",
        &[
            ("Rob Meijer", "", ""),
            ("An Bakker", "approve", "103"),
            ("Eva Smit", "approve", ""),
        ],
    );
    let ran = place
        .cardsync(&["rekey", "write", "pairs.csv", "--as-of", LATER])
        .exits(1);
    for what in [
        "nobody of the sources has 100009",
        "00103 was meant? A spreadsheet takes leading zeros off",
    ] {
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
    }
    assert!(place.writes().is_empty());

    // An older list: what still holds is taken over.
    place
        .cardsync(&[
            "rekey",
            "pair",
            "--from",
            "pairs.csv",
            "--csv",
            "new.csv",
            "--as-of",
            LATER,
        ])
        .exits(0);
    let new = rows(&place, "new.csv");
    let of = |name: &str| new.iter().find(|row| row["card_name"] == name).unwrap();
    assert_eq!(of("Eva Smit")["decision"], "approve");
    assert_eq!(of("An Bakker")["decision"], "");
    assert!(
        of("An Bakker")["why"].contains("of the old list said approve 103"),
        "{:?}",
        of("An Bakker")
    );
    assert_eq!(of("An Bakker")["note"], "HR", "nothing is lost");
    assert_eq!(
        of("An Bakker")["other_number"],
        "",
        "what does not hold is not taken over"
    );

    decide(&place, "new.csv", &HR);
    let dry = place
        .cardsync(&["rekey", "write", "new.csv", "--dry-run", "--as-of", LATER])
        .exits(2);
    assert!(dry.stdout.contains("Nothing was written"), "{}", dry.stdout);
    assert!(place.writes().is_empty());
    let ran = place
        .cardsync(&["rekey", "write", "new.csv", "--as-of", LATER])
        .exits(0);
    assert!(
        ran.stdout.contains("5 keys to write") && ran.stdout.contains("Done: 5 adopted"),
        "{}",
        ran.stdout
    );
    assert_eq!(numbers(&place), expected(&ALL));
    assert_eq!(place.writes().len(), 5, "{:?}", place.writes());
    let log = place.cardsync(&["holds", "--decisions"]).exits(0).stdout;
    assert!(
        log.contains("by the list of pairs: HR") && log.contains("adopt 00103"),
        "{log}"
    );
    let again = place
        .cardsync(&["rekey", "write", "new.csv", "--as-of", LATER])
        .exits(0);
    assert!(
        again.stdout.contains("5 approved and written before"),
        "{}",
        again.stdout
    );
    assert_eq!(place.writes().len(), 5);
}

#[test]
fn killed_in_the_middle_it_goes_on_and_undo_takes_the_keys_off() {
    let place = by_address();
    place
        .cardsync(&["rekey", "pair", "--csv", "pairs.csv", "--as-of", LATER])
        .exits(0);
    decide(&place, "pairs.csv", &HR);
    // The third write takes effect, and its answer never comes.
    let third = json!({ "method": "PATCH", "route": "/persons/{id}", "nth": 3, "answer_delay_ms": 60_000 });
    place.sandbox.fault(&third).unwrap();
    let mut child = place
        .command(&["rekey", "write", "pairs.csv", "--as-of", LATER])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("the third number is written", || numbers(&place).len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    place.sandbox.clear_faults();
    assert_eq!(numbers(&place).len(), 3);
    let ran = place
        .cardsync(&["rekey", "write", "pairs.csv", "--as-of", LATER])
        .exits(0);
    assert!(
        ran.stdout.contains("2 keys to write") && ran.stdout.contains("Done: 2 adopted"),
        "{}",
        ran.stdout
    );
    assert_eq!(numbers(&place), expected(&ALL));
    assert_eq!(
        place.writes().len(),
        5,
        "no key was written twice: {:?}",
        place.writes()
    );

    let id = |ran: &str| {
        ran.split("cardsync undo ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    let run = id(&ran.stdout);
    // To take a key off is as grave as to change one.
    place.cardsync(&["undo", &run, "--as-of", LATER]).exits(3);
    place.approve_each(&["adopt"], &[]).exits(0);
    place.cardsync(&["undo", &run, "--as-of", LATER]).exits(0);
    assert_eq!(numbers(&place).len(), 3, "{:?}", numbers(&place));
    // The list was made before somebody took them off: it does not put them back by itself.
    let ran = place
        .cardsync(&["rekey", "write", "pairs.csv", "--as-of", LATER])
        .exits(3);
    assert!(ran.stdout.contains("undone by"), "{}", ran.stdout);
    assert_eq!(numbers(&place).len(), 3);
}

#[test]
fn what_changed_right_before_the_write_is_not_written_and_a_grade_can_be_written_whole() {
    let place = by_address();
    let ran = place.cardsync(&["rekey", "write", "--as-of", LATER]).exits(3);
    assert!(ran.stdout.contains("3 items wait"), "{}", ran.stdout);
    assert!(
        place.writes().is_empty(),
        "sure and likely pairs wait until somebody approves them"
    );
    place
        .cardsync(&["rekey", "write", "--grade", "sure", "--as-of", LATER])
        .exits(0);
    assert_eq!(numbers(&place), expected(&ALL[..1]));
    place
        .cardsync(&["rekey", "pair", "--csv", "pairs.csv", "--as-of", LATER])
        .exits(0);
    decide(&place, "pairs.csv", &HR);
    // Somebody edits a card meanwhile: its line is of another day.
    let state = place.sandbox.state_json();
    let an = state["persons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|card| card["surName"] == "Bakker")
        .map(|card| text(&card["id"]).to_owned())
        .unwrap();
    let mut changed = state.clone();
    for card in changed["persons"].as_array_mut().unwrap() {
        if card["id"] == json!(an) {
            card["email"] = json!("an@example.net");
        }
    }
    let seed = topdesk_sandbox::Seed::from_value(changed).unwrap();
    place.sandbox.reset(Some(seed)).unwrap();
    let ran = place
        .cardsync(&["rekey", "write", "pairs.csv", "--as-of", LATER])
        .exits(1);
    assert!(
        ran.stderr.contains("has changed since the list was made") && ran.stderr.contains("rekey pair --from"),
        "{}",
        ran.stderr
    );
    assert_eq!(numbers(&place).len(), 1);
}

#[test]
fn a_company_in_disorder_gets_no_wrong_number() {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let site = cardsync::demo::site::Site::new(300, day);
    let place = Workplace::open(serde_json::from_str(&site.seed()).unwrap());
    site.write(place.folder.path(), &place.sandbox.url(), "correct-horse-battery")
        .unwrap();
    let at = "2026-03-02T08:00";
    let truth = site.truth();
    let pairs = place
        .cardsync(&["rekey", "pair", "--json", "--as-of", at])
        .exits(0)
        .json();
    let mut right = 0;
    for row in pairs["rows"].as_array().unwrap() {
        if row["grade"] == "sure" {
            let owner = truth[text(&row["card"])].map(|number| number.to_string());
            assert_eq!(owner.as_deref(), Some(text(&row["key"])), "{row:#}");
            right += 1;
        }
    }
    assert!(right > 50, "{right}: {:#}", pairs["summary"]);
    place
        .cardsync(&["rekey", "write", "--grade", "sure", "--as-of", at])
        .exits(0);
    assert_eq!(place.sandbox.stats()["duplicate_keys"], json!([]));
}
