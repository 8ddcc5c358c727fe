//! The command line as a process: exit codes, JSON, what a bad input says, saved plans, files, logs and telling.

mod apply;
mod approvals;
mod bad_input;
mod exit_codes;
mod explain;
mod history;
mod lists;
mod rekey;
mod shapes;
mod store;
mod surroundings;
mod verify;
mod words;

use crate::support::workplace::Workplace;
use serde_json::{Value, json};

/// A moment after first contact.
const LATER: &str = "2025-03-05T08:00";

const CONFIG: &str = r#"
topdesk:
  url: "@URL@"
  username: api-cardsync
  password: { file: password }
  archiving_reason: Out of service
timezone: Europe/Amsterdam
sources:
  - { name: hr, type: csv, path: people.csv, key: Number, role: authoritative }
fields:
  surName: "{{ hr['Last name'] }}"
  firstName: "{{ hr['First name'] }}"
  email: "{{ hr['E-mail'] | lower }}"
  branch: "{{ hr.Site }}"
create: { hasSspAccess: true, isCaller: true }
lifecycle:
  leaver: { when: "{{ hr['End date'] | date < today }}", after: 0d }
store: { sqlite: cardsync.db }
"#;

const PEOPLE: &str = "\
Number,Last name,First name,E-mail,Site,End date
100001,Visser,Jan,j.visser@example.org,Delft,
100002,Bakker,An,a.bakker@example.org,Leiden,
100003,Smit,Eva,e.smit@example.org,Delft,
";

fn company() -> Value {
    json!({
        "branches": ["Delft", "Leiden"],
        "archivingReasons": ["Out of service"],
        "persons": [
            { "surName": "Visser", "firstName": "Jan", "employeeNumber": "100001", "branch": "Delft",
              "email": "j.visser@example.org", "tasLoginName": "jvisser" },
            { "surName": "Bakker", "firstName": "An", "employeeNumber": "100002", "branch": "Leiden",
              "email": "a.bakker@example.org", "tasLoginName": "abakker" },
            { "surName": "Smit", "firstName": "Eva", "employeeNumber": "100003", "branch": "Delft",
              "email": "e.smit@example.org", "tasLoginName": "esmit" }
        ],
        "operators": [
            { "surName": "Smit", "firstName": "Eva", "loginName": "esmit", "branch": "Delft",
              "linkedPerson": { "employeeNumber": "100003" } }
        ]
    })
}

/// A company in step with its export.
fn in_step() -> Workplace {
    let place = Workplace::open(company());
    place.configure(CONFIG);
    place.write("people.csv", PEOPLE);
    place
}

/// The same after its first run.
fn known() -> Workplace {
    let place = in_step();
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(0);
    place
}

/// The export with one thing changed.
fn export(place: &Workplace, from: &str, to: &str) {
    assert!(PEOPLE.contains(from), "{from}");
    place.write("people.csv", PEOPLE.replace(from, to));
}
