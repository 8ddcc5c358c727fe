//! `audit` as a process, against a TOPdesk in which everything is wrong once.

use crate::support::workplace::{Workplace, text};
use cardsync::demo::site::Site;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

const CONFIG: &str = r#"
topdesk:
  url: "@URL@"
  username: api-cardsync
  password: { file: password }
  archiving_reason: Out of service
timezone: Europe/Amsterdam
sources:
  - { name: hr, type: csv, path: people.csv, key: Number, role: authoritative }
key: { card_field: employeeNumber, normalize: [trim, uppercase] }
fields:
  surName: "{{ hr['Last name'] }}"
  firstName: "{{ hr['First name'] }}"
  email: "{{ hr['E-mail'] | lower }}"
  branch: Delft
create: { hasSspAccess: true, isCaller: true }
lifecycle:
  leaver: { when: "{{ hr['End date'] | date < today }}" }
store: { sqlite: no/such/folder/cardsync.db }
"#;

const DAY: &str = "2026-11-27T08:00";

/// Number, surname, first name.
const PEOPLE: [(&str, &str, &str); 14] = [
    ("100001", "Visser", "Jan"),
    ("100002", "Bakker", "An"),
    ("100003", "Smit", "Eva"),
    ("100004", "Meijer", "Tom"),
    ("100005", "Vos", "Lot"),
    ("100007", "Dekker", "Kim"),
    ("100009", "Kok", "Lex"),
    ("100011", "Prins", "Wim"),
    ("100013", "Blom", "Bas"),
    ("100014", "Post", "Guus"),
    ("100018", "Koster", "Ab"),
    ("100019", "Tol", "Fred"),
    ("100020", "Timmer", "Iris"),
    ("100021", "Groot", "Piet"),
];

fn mail(first: &str, last: &str) -> String {
    format!("{first}.{last}@example.org").to_lowercase()
}

fn people() -> String {
    let mut csv = "Number,Last name,First name,E-mail,End date\n".to_owned();
    for (number, last, first) in PEOPLE {
        // Somebody has left, and somebody has another address than her card.
        let end = if number == "100003" { "2026-10-31" } else { "" };
        let last_now = if number == "100020" { "Newname" } else { last };
        csv.push_str(&format!("{number},{last},{first},{},{end}\n", mail(first, last_now)));
    }
    csv
}

fn card(number: &str, change: &Value) -> Value {
    let (_, last, first) = PEOPLE
        .iter()
        .find(|(known, _, _)| *known == number)
        .expect("somebody known");
    let mut card = json!({
        "surName": last, "firstName": first, "employeeNumber": number, "branch": "Delft",
        "email": mail(first, last),
    });
    for (name, value) in change.as_object().expect("fields") {
        card[name] = value.clone();
    }
    card
}

fn operator(last: &str, login: &str, linked: Value, more: Value) -> Value {
    let mut operator = json!({
        "surName": last, "firstName": "Some", "loginName": login, "branch": "Delft",
        "email": format!("{login}@example.org"), "linkedPerson": linked,
    });
    for (name, value) in more.as_object().expect("fields") {
        operator[name] = value.clone();
    }
    operator
}

/// Everything is wrong once.
fn seed() -> Value {
    let id = |number: u32| format!("00000000-0000-4000-8000-{number:012}");
    let by_id = |number: u32| json!({ "id": id(number) });
    json!({
        "branches": ["Delft"],
        "archivingReasons": ["Out of service"],
        "persons": [
            card("100001", &json!({ "id": id(1), "tasLoginName": "jvisser" })),
            card("100002", &json!({ "id": id(2), "tasLoginName": "abakker" })),
            card("100003", &json!({ "id": id(3) })),
            card("100004", &json!({ "id": id(4), "archived": true })),
            card("100005", &json!({ "id": id(5), "employeeNumber": "" })),
            card("100005", &json!({ "id": id(6), "employeeNumber": "", "hasSspAccess": false, "isCaller": false })),
            card("100007", &json!({ "id": id(7) })),
            card("100007", &json!({ "id": id(8), "surName": "Other" })),
            card("100009", &json!({ "id": id(9) })),
            card("100009", &json!({ "id": id(10), "archived": true })),
            card("100011", &json!({ "id": id(11), "archived": true })),
            card("100011", &json!({ "id": id(12), "archived": true })),
            card("100013", &json!({ "id": id(13), "employeeNumber": "0100013" })),
            card("100014", &json!({ "id": id(14), "hasSspAccess": false })),
            card("100001", &json!({ "id": id(15), "employeeNumber": "555555", "surName": "Strange",
                                    "email": "strange@example.org" })),
            { "id": id(16), "surName": "*****", "firstName": "*****", "employeeNumber": "*****", "branch": "Delft" },
            { "id": id(17), "surName": "Monitoring", "branch": "Delft", "hasSspAccess": false, "isCaller": false },
            card("100018", &json!({ "id": id(18) })),
            card("100019", &json!({ "id": id(19) })),
            card("100020", &json!({ "id": id(20) })),
        ],
        "operators": [
            operator("Visser", "jvisser", by_id(1), json!({ "email": mail("Jan", "Visser") })),
            operator("Bakker", "bakker.old", by_id(2), json!({ "employeeNumber": "999" })),
            operator("Smit", "esmit", by_id(3), json!({ "email": mail("Eva", "Smit") })),
            operator("Meijer", "tmeijer", by_id(4), json!({ "email": mail("Tom", "Meijer") })),
            operator("Vos", "lvos", by_id(6), json!({ "email": mail("Lot", "Vos") })),
            operator("Strange", "strange", by_id(15), json!({})),
            operator("Monitoring", "svc-monitor", by_id(17), json!({ "email": "", "firstName": "" })),
            operator("Koster", "akoster", by_id(18), json!({ "email": mail("Ab", "Koster") })),
            operator("Koster", "akoster2", by_id(18), json!({ "email": mail("Ab", "Koster") })),
            operator("Tol", "ftol", by_id(19), json!({ "email": mail("Fred", "Tol"), "apiAccount": true })),
            operator("Timmer", "itimmer", by_id(20), json!({ "email": mail("Iris", "Timmer") })),
            operator("Nobody", "nobody", Value::Null, json!({})),
        ]
    })
}

fn everything_wrong() -> Workplace {
    let place = Workplace::open(seed());
    place.configure(CONFIG);
    place.write("people.csv", people());
    place
}

/// Code and count of every finding.
fn counts(audit: &Value) -> BTreeMap<String, u64> {
    let findings = audit["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|finding| {
            (
                text(&finding["code"]).to_owned(),
                finding["count"].as_u64().expect("a count"),
            )
        })
        .collect()
}

#[test]
fn every_kind_of_finding_is_found_by_reading_only() {
    let place = everything_wrong();
    let audit = place.cardsync(&["audit", "--json", "--as-of", DAY]).exits(3).json();
    let wanted = [
        ("anonymized_card", 1),
        ("archived_twin", 1),
        ("card_without_key", 1),
        ("duplicate_key", 2),
        ("flags_differ", 1),
        ("generated_card", 1),
        ("generated_twin", 1),
        ("harmed_by_another_key", 1),
        ("nearly_the_same_key", 1),
        ("operator_email_differs", 1),
        ("operator_has_left", 1),
        ("operator_login_differs", 1),
        ("operator_looks_like_a_program", 1),
        ("operator_not_in_sources", 1),
        ("operator_number_differs", 1),
        ("operator_on_archived_person", 1),
        ("operator_without_person", 1),
        ("person_behind_api_account", 1),
        ("person_card_leads", 1),
        ("several_archived_cards", 2),
        ("several_operators_on_one_person", 1),
    ];
    // What `check` would warn of stands there too, under names of its own.
    let mut found = counts(&audit);
    found.retain(|code, _| !code.starts_with("check_"));
    let wanted: BTreeMap<String, u64> = wanted.map(|(code, count)| (code.to_owned(), count)).into();
    assert_eq!(found, wanted, "{audit:#}");
    let page = include_str!("../../docs/audit.md");
    for code in found.keys() {
        assert!(
            page.contains(&format!("`{code}`")),
            "docs/audit.md says nothing of {code}"
        );
    }
    for finding in audit["findings"].as_array().unwrap() {
        for name in ["area", "severity", "title", "why", "cure"] {
            assert!(finding[name].is_string(), "{name} in {finding:#}");
        }
        assert!(finding["command"].is_string() || finding["command"].is_null());
        for subject in finding["subjects"].as_array().unwrap() {
            assert!(subject["facts"].is_object(), "{subject:#}");
        }
    }
    for name in [
        "at",
        "environment",
        "key_field",
        "surroundings",
        "sizes",
        "keys",
        "advice",
        "other_keys",
        "not_known",
        "snapshots",
    ] {
        assert!(!audit[name].is_null(), "{name}");
    }
    assert_eq!(audit["advice"]["field"], "employeeNumber");
    let way = &audit["other_keys"][0];
    assert_eq!(
        (&way["field"], &way["archived"], &way["locked_out"]),
        (&json!("email"), &json!(1), &json!(1))
    );
    // Only GET, and nothing was made on this machine.
    assert_eq!(place.writes(), Vec::<String>::new());
    let stats = place.sandbox.stats();
    let requests = stats["requests"].as_object().unwrap();
    assert!(
        requests.keys().all(|request| request.starts_with("GET ")),
        "{requests:?}"
    );
    assert!(requests["GET /persons"].as_u64().unwrap() <= 4, "in bulk: {requests:?}");
    assert!(!place.path("no").exists());
}

#[test]
fn a_report_a_table_and_text_tell_the_same() {
    let place = everything_wrong();
    let arguments = ["audit", "--as-of", DAY, "--html", "audit.html", "--csv", "audit.csv"];
    let shown = place.cardsync(&arguments).exits(3).stdout;
    assert!(
        shown.starts_with("Audit of 127.0.0.1 at 2026-11-27 08:00 CET"),
        "{shown}"
    );
    for line in [
        "HIGH   Active operators whose person has left: 1",
        "Best: employeeNumber",
        "Read",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    for name in ["audit.html", "audit.csv"] {
        let mode = std::fs::metadata(place.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let html = std::fs::read_to_string(place.path("audit.html")).unwrap();
    assert!(!html.contains("http://") && !html.contains("<script") && html.matches("<figure>").count() == 4);
    let opened = std::fs::read_to_string(place.path("audit.csv")).unwrap();
    let text = opened
        .strip_prefix('\u{feff}')
        .expect("a mark that makes a spreadsheet read UTF-8");
    let mut table = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.as_bytes());
    let header = [
        "severity", "area", "finding", "title", "key", "card", "operator", "details", "cure", "command",
    ];
    assert_eq!(table.headers().unwrap(), header.as_slice());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let codes: BTreeSet<&str> = rows.iter().map(|row| &row[2]).collect();
    for code in &codes {
        assert!(html.contains(&format!("id=\"{code}\"")), "{code}");
    }
    let left = rows.iter().find(|row| &row[2] == "operator_has_left").unwrap();
    assert_eq!((&left[0], &left[4], &left[9]), ("high", "100003", "cardsync plan"));
    assert!(left[7].contains("name: Eva Smit"), "{left:?}");
}

#[test]
fn the_same_input_gives_the_same_audit_and_a_redacted_one_has_no_people() {
    let place = everything_wrong();
    let audit = |more: &[&str]| {
        let mut arguments = vec!["audit", "--json", "--as-of", DAY];
        arguments.extend(more);
        let mut audit = place.cardsync(&arguments).exits(3).json();
        audit["at"].take();
        for snapshot in audit["snapshots"].as_array_mut().unwrap() {
            snapshot["read_at"].take();
            snapshot["generation"].take();
        }
        audit.to_string()
    };
    assert_eq!(audit(&[]), audit(&[]));
    let redacted = audit(&["--redact"]);
    for (number, last, _) in PEOPLE {
        let gone = |value: &str| !redacted.contains(&format!("{value}\"")) && !redacted.contains(&format!("{value} "));
        assert!(gone(number) && gone(last), "{number} {last}");
    }
    assert!(!redacted.contains("@example.org") && !redacted.contains("svc-monitor"));
    assert!(redacted.contains("operator_has_left"));
}

#[test]
fn a_source_that_cannot_be_read_is_unknown_and_not_a_finding() {
    let place = everything_wrong();
    place.write("people.csv", "Number,Last name\n");
    let audit = place.cardsync(&["audit", "--json", "--as-of", DAY]).exits(4).json();
    let found = counts(&audit);
    for code in ["operator_has_left", "operator_not_in_sources", "harmed_by_email"] {
        assert!(!found.contains_key(code), "{code}");
    }
    assert_eq!(found["duplicate_key"], 2, "cards need no source");
    let not_known = audit["not_known"].as_array().unwrap();
    assert!(
        not_known.iter().any(|it| text(&it["what"]).contains("have left")),
        "{not_known:?}"
    );
    let text = place.cardsync(&["audit", "--as-of", DAY]).exits(4).stdout;
    assert!(text.contains("Not known") && text.contains("REJECTED"), "{text}");
}

#[test]
fn an_address_is_accepted_as_key_to_show_the_harm() {
    let place = everything_wrong();
    let config = CONFIG
        .replace("card_field: employeeNumber", "card_field: email")
        .replace("key: Number", "key: E-mail")
        .replace(
            "  email: \"{{ hr['E-mail'] | lower }}\"",
            "  employeeNumber: \"{{ hr.Number }}\"",
        );
    place.configure(&config);
    let audit = place.cardsync(&["audit", "--json", "--as-of", DAY]).exits(3).json();
    assert_eq!(audit["key_field"], "email");
    assert_eq!(audit["advice"]["field"], "employeeNumber");
    let harmed: Vec<&Value> = audit["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "harmed_by_another_key")
        .collect();
    assert_eq!(harmed.len(), 1, "{audit:#}");
    assert_eq!(
        (&harmed[0]["severity"], &harmed[0]["count"]),
        (&json!("high"), &json!(1))
    );
    place.cardsync(&["run"]).exits(1);
}

#[test]
fn a_company_in_the_usual_disorder_is_counted_rightly() {
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 27).unwrap();
    let site = Site::new(400, today);
    let place = Workplace::open(serde_json::from_str(&site.seed()).unwrap());
    place.configure(&Site::configuration("@URL@"));
    place.write("hr.csv", site.hr());
    place.write("people.ldif", site.directory());
    let audit = place.cardsync(&["audit", "--json", "--as-of", DAY]).exits(3).json();
    let found = counts(&audit);
    let disorder = site.disorder;
    for (code, wanted) in [
        ("generated_twin", disorder.twins),
        ("generated_card", disorder.generated - disorder.twins),
        ("operator_looks_like_a_program", disorder.integrations),
        ("operator_without_person", disorder.unlinked),
        ("operator_on_archived_person", disorder.on_archived),
        ("operator_login_differs", disorder.disagreeing),
        ("operator_has_left", disorder.leaving_operators),
        ("nearly_the_same_key", disorder.zeros),
        ("flags_differ", disorder.without_portal),
        ("anonymized_card", disorder.anonymized),
    ] {
        assert_eq!(found.get(code).copied(), Some(u64::from(wanted)), "{code} in {found:?}");
    }
    assert!(found["harmed_by_another_key"] > 0);
    let rows: u64 = found.values().sum();
    let cards = audit["sizes"]["active_cards"].as_u64().unwrap();
    assert!(rows < cards, "{rows} rows for {cards} cards");
    let people = audit["sizes"]["people"].as_u64().unwrap();
    assert_eq!(people, site.employed().len() as u64);
}
