//! Names, keys, groups, notes and whatever else comes from outside, as somebody would write them who wants to deceive whoever
//! approves: nothing that is printed, by any command, as text, table, page or JSON, may carry them raw (RULES 12).

use crate::support::workplace::Workplace;
use cardsync::core::model::visible::hides;
use serde_json::json;
use std::fs;

/// Up, to the beginning, away with what stands there; a forged line; turned text; what cannot be seen.
const TRICK: &str = "\u{1b}[8A\r\u{1b}[0J\u{9b}\nFORGED\u{2028}\t\u{202e}x\u{200b}";

const CONFIG: &str = r#"
topdesk:
  url: "@URL@"
  username: api-cardsync
  password: { file: password }
  archiving_reason: Out of service
timezone: Europe/Amsterdam
sources:
  - { name: hr, type: csv, path: people.csv, key: Number, role: authoritative, expect: { max_drop: 90% } }
fields:
  surName: "{{ hr['Last name'] }}"
  firstName: "{{ hr['First name'] }}"
  email: "{{ hr['E-mail'] }}"
  branch: "{{ hr.Site }}"
  department: { value: "{{ hr.Department }}", missing: hold }
  jobTitle: "{{ hr.Title }}"
create: { hasSspAccess: true, isCaller: true }
lifecycle:
  leaver: { when: "{{ hr['End date'] | date < today }}", after: 0s }
guard: { protect: { keys: ["100005"] } }
store: { sqlite: cardsync.db }
"#;

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// People in every state that a plan speaks of, each with the trick in whatever is theirs.
fn deceivers() -> Workplace {
    let tricky = |text: &str| format!("{text}{TRICK}");
    let person = |number: &str, last: &str| {
        json!({ "surName": tricky(last), "firstName": tricky("Kim"), "employeeNumber": number, "branch": "Delft",
                "jobTitle": tricky("Clerk"), "email": format!("{number}@example.org"), "tasLoginName": tricky(number) })
    };
    let place = Workplace::open(json!({
        "branches": ["Delft"],
        "departments": [tricky("Sales")],
        "archivingReasons": ["Out of service"],
        "persons": [
            person("100001", "Visser"), person("100002", "Bakker"), person("100003", "Smit"), person("100004", "Bos"),
            person("100005", "Mulder"),
            { "surName": tricky("Smit"), "firstName": tricky("Eva"), "branch": "Delft", "tasLoginName": tricky("esmit") },
            { "surName": tricky("Odd"), "firstName": "Kim", "employeeNumber": "7\u{1b}[2J\u{202e}7", "branch": "Delft" },
        ],
        "operatorGroups": [{ "groupName": tricky("Desk") }],
        "operators": [
            { "surName": tricky("Bakker"), "firstName": "Kim", "loginName": tricky("kbakker"), "branch": "Delft",
              "linkedPerson": { "employeeNumber": "100002" } }
        ],
    }));
    place.configure(CONFIG);
    place
}

fn export(place: &Workplace, end: &str) {
    let row = |number: &str, last: &str, title: &str, end: &str| {
        let cells = [
            last,
            "Kim",
            &format!("{number}@example.org"),
            "Delft",
            "Sales",
            title,
            end,
        ];
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| match column {
                0 | 1 | 4 | 5 => quoted(&format!("{cell}{TRICK}")),
                _plain => (*cell).to_owned(),
            })
            .collect();
        format!("{number},{}\n", cells.join(","))
    };
    let rows = [
        row("100001", "Visser", "Nurse", ""),
        row("100002", "Bakker", "Clerk", end),
        row("100003", "Smit", "Clerk", ""),
        row("100003", "Smit", "Clerk", ""),
        row("100004", "Bos", "Clerk", end),
        row("100006", "Newcomer", "Clerk", ""),
        row("", "Nameless", "Clerk", ""),
        row(&quoted(&format!("88{TRICK}99")), "Odd", "Clerk", ""),
    ];
    let header = "Number,Last name,First name,E-mail,Site,Department,Title,End date\n";
    place.write("people.csv", format!("{header}{}", rows.concat()));
}

/// What no reader may be shown.
fn raw(text: &str) -> Vec<String> {
    let bad = |line: &str| line.chars().any(hides) || line.trim_start().starts_with("FORGED");
    text.split('\n')
        .filter(|line| bad(line))
        .map(|line| format!("{line:?}"))
        .collect()
}

#[test]
fn nothing_from_outside_is_printed_raw_by_any_command() {
    let place = deceivers();
    export(&place, "");
    let mut printed = 0;
    let mut shown = |arguments: &[&str]| -> String {
        let ran = place.cardsync(arguments);
        // The run of this test wrote nothing that could be undone.
        let deceives = arguments.contains(&TRICK) || arguments[0] == "undo";
        assert!(ran.code != 64 || deceives, "{arguments:?}: {}", ran.stderr);
        for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            // A table for a spreadsheet has its mark and its line ends; its cells have neither.
            let text = if arguments.contains(&"--csv") {
                text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
            } else {
                text.clone()
            };
            let raw = raw(&text);
            assert!(raw.is_empty(), "{arguments:?} on {stream}: {raw:#?}");
        }
        printed += ran.stdout.matches("<U+001B>").count() + ran.stdout.matches("\\u001b").count();
        ran.stdout
    };
    shown(&["check"]);
    shown(&["plan", "--all"]);
    shown(&["run", "--all", "--as-of", "2025-03-03T08:00"]);
    export(&place, "2025-03-01");
    shown(&["run", "--all", "--as-of", "2025-03-04T08:00"]);
    shown(&["holds", "--all"]);
    shown(&["holds", "--csv", "holds.csv"]);
    shown(&["reject", "update", "--note", TRICK]);
    shown(&["approve", "operators", "--note", TRICK]);
    shown(&["holds", "--decisions"]);
    shown(&["holds", "--decisions", "--json"]);
    let said = shown(&["run", "--all", "--as-of", "2025-03-05T08:00"]);
    let run = said
        .lines()
        .rev()
        .find_map(|line| Some(line.strip_prefix("Run ")?.split_once([' ', ';'])?.0));
    let run = run.expect("a run has an id");
    for word in ["100001", "100002", "100003", "100006", TRICK] {
        shown(&["explain", word]);
        shown(&["explain", word, "--json"]);
    }
    shown(&["audit", "--all", "--csv", "audit.csv", "--html", "audit.html"]);
    shown(&["audit", "--json"]);
    shown(&["plan", "--html", "plan.html", "--out", "plan.json", "--all"]);
    shown(&["plan", "--redact"]);
    shown(&["plan", "--json"]);
    shown(&["history"]);
    shown(&["history", run]);
    shown(&["history", "--csv"]);
    shown(&["history", run, "--json"]);
    shown(&["history", "--html", "history.html"]);
    shown(&["journal", "export", "--with-values"]);
    shown(&["rekey", "pair", "--csv", "pairs.csv", "--all"]);
    shown(&["rekey", "verify", "--old", "email"]);
    shown(&["plan", "--key", "email", "--all"]);
    shown(&["undo", run, "--dry-run"]);
    shown(&["forget", "100001"]);
    shown(&["store", "check"]);
    shown(&["approve", TRICK]);
    shown(&[TRICK]);
    shown(&["plan", "--only", TRICK]);
    assert!(printed > 50, "the tricks were hardly shown at all: {printed}");
    for file in [
        "holds.csv",
        "audit.csv",
        "audit.html",
        "plan.html",
        "plan.json",
        "history.html",
        "pairs.csv",
    ] {
        let Ok(text) = fs::read_to_string(place.path(file)) else {
            panic!("{file} was not written");
        };
        // A spreadsheet's own marks: the one at the beginning, and line ends.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        // In a page a line break is a blank: it begins no line.
        let text = if file.ends_with(".html") {
            text.replace('\n', " ")
        } else {
            text
        };
        assert_eq!(raw(&text), Vec::<String>::new(), "{file}");
    }
}
