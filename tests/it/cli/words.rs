//! What people read: names where they decide, many alike as one, one form of tables, and words that are true.

use super::{CONFIG, LATER, export, in_step, known};
use crate::support::workplace::{Workplace, text};
use serde_json::json;
use std::fs;

/// A leaver with an operator whose login is not that of the person, held.
fn waiting() -> Workplace {
    let place = Workplace::open(json!({
        "branches": ["Delft", "Leiden"],
        "archivingReasons": ["Out of service", "Moved abroad"],
        "persons": [
            { "surName": "Visser", "firstName": "Jan", "employeeNumber": "100001", "branch": "Delft",
              "email": "j.visser@example.org", "tasLoginName": "jvisser" },
            { "surName": "Bakker", "firstName": "An", "employeeNumber": "100002", "branch": "Leiden",
              "email": "a.bakker@example.org", "tasLoginName": "abakker" },
            { "surName": "Smit-Jansen", "firstName": "Eva", "employeeNumber": "100003", "branch": "Delft",
              "email": "e.smit@example.org", "tasLoginName": "esmit" }
        ],
        "operators": [
            { "surName": "Smit", "firstName": "Eva", "loginName": "admin.eva", "branch": "Delft",
              "linkedPerson": { "employeeNumber": "100003" } },
            { "surName": "Desk", "firstName": "Night", "loginName": "nightdesk", "branch": "Delft" }
        ]
    }));
    place.configure(CONFIG);
    let people = super::PEOPLE.replace("Smit,Eva", "Smit-Jansen,Eva");
    place.write("people.csv", &people);
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(0);
    place.write(
        "people.csv",
        people.replace("e.smit@example.org,Delft,", "e.smit@example.org,Delft,2025-03-04"),
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(3);
    place
}

#[test]
fn who_decides_sees_the_person_and_the_login_of_the_operator() {
    let place = waiting();
    let plan = place.cardsync(&["plan", "--as-of", LATER]).exits(3).stdout;
    let holds = place.cardsync(&["holds"]).exits(3).stdout;
    let history = place.cardsync(&["history", "last"]).exits(0).stdout;
    for (place, shown) in [("plan", &plan), ("holds", &holds), ("history", &history)] {
        assert!(shown.contains("100003 Eva Smit-Jansen ("), "{place}: {shown}");
    }
    for (place, shown) in [("plan", &plan), ("holds", &holds)] {
        assert!(shown.contains("operator admin.eva ("), "{place}: {shown}");
    }
    let waits = place.cardsync(&["holds", "--json"]).exits(3).json();
    place.cardsync(&["approve", text(&waits[0]["id"])]).exits(0);
    let done = place.cardsync(&["run", "--as-of", "2025-03-05T09:00"]);
    assert!(
        done.stdout.contains("archived: operator admin.eva ("),
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.contains(") with the card of 100003 Eva Smit-Jansen\n"),
        "{}",
        done.stdout
    );
    assert!(
        !done.stderr.contains("admin.eva") && !done.stderr.contains("Smit"),
        "{}",
        done.stderr
    );
    let history = place.cardsync(&["history", "last"]).exits(0).stdout;
    assert!(history.contains("operator admin.eva ("), "{history}");
}

#[test]
fn somebody_is_found_by_name_and_by_the_login_of_the_operator() {
    let place = waiting();
    for (word, found_by) in [
        ("admin.eva", "operator"),
        ("Eva Smit-Jansen", "name"),
        ("smit, eva", "name"),
        ("SMIT-JANSEN", "name"),
    ] {
        let found = place.cardsync(&["explain", word, "--json"]).exits(0).json();
        assert_eq!(found["subject"]["key"], "100003", "{word}: {found:#}");
        assert_eq!(text(&found["subject"]["found_by"]), found_by, "{word}");
    }
    // Somebody whom only the source has yet.
    let people = fs::read_to_string(place.path("people.csv")).unwrap();
    place.write(
        "people.csv",
        format!("{people}100009,Bakker,Tom,t.bakker@example.org,Delft,\n"),
    );
    let several = place.cardsync(&["explain", "bakker"]).exits(0).stdout;
    assert!(several.contains("means 2 people"), "{several}");
    assert!(several.contains("100009 Tom Bakker (no card), by name"), "{several}");
    let desk = place.cardsync(&["explain", "nightdesk"]).exits(1).stderr;
    assert!(desk.contains("who has no person card"), "{desk}");
}

#[test]
fn many_alike_are_one_block_and_the_sum_comes_last() {
    let numbers = 100_001..100_009;
    let persons = numbers.clone().map(|number| {
        json!({ "surName": format!("Visser{number}"), "firstName": "Jan", "employeeNumber": number.to_string(),
                "branch": "Delft", "email": format!("p{number}@example.org") })
    });
    let persons: Vec<_> = persons.collect();
    let place = Workplace::open(json!({
        "branches": ["Delft", "Leiden"], "archivingReasons": ["Out of service"], "persons": persons,
    }));
    let export = |site: &str| {
        let rows = numbers
            .clone()
            .map(|number| format!("{number},Visser{number},Jan,p{number}@example.org,{site},,015 {number}\n"));
        let rows: String = rows.collect();
        place.write(
            "people.csv",
            format!("Number,Last name,First name,E-mail,Site,End date,Phone\n{rows}"),
        );
    };
    place.configure(CONFIG);
    export("Delft");
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]);
    place.configure(&CONFIG.replace("  branch:", "  phoneNumber: \"{{ hr.Phone }}\"\n  branch:"));
    let folded = place.cardsync(&["plan", "--as-of", LATER]).stdout;
    for words in [
        "8 cards alike\n",
        "      phoneNumber: (empty) -> 8 different values, e.g. \"",
        " and 5 more (--all)\n",
    ] {
        assert!(folded.contains(words), "{words} in {folded}");
    }
    let last = folded.lines().last().unwrap_or_default();
    assert!(last.starts_with("In all: ") && last.contains("8 update"), "{folded}");
    let whole = place.cardsync(&["plan", "--all", "--as-of", LATER]).stdout;
    assert!(
        !whole.contains("alike") && whole.matches("phoneNumber: (empty) -> ").count() == 8,
        "{whole}"
    );
    // The same values from and to.
    place.configure(CONFIG);
    export("Leiden");
    let folded = place.cardsync(&["plan", "--as-of", LATER]).stdout;
    assert!(
        folded.contains("8 cards alike\n      branch: \"Delft\" -> \"Leiden\"\n"),
        "{folded}"
    );
}

#[test]
fn every_table_opens_with_a_double_click() {
    let place = waiting();
    place.cardsync(&["audit", "--csv", "audit.csv", "--as-of", LATER]);
    place.cardsync(&["holds", "--csv", "holds.csv"]).exits(3);
    place.cardsync(&["rekey", "pair", "--csv", "pairs.csv", "--as-of", LATER]);
    let mut tables: Vec<(&str, String)> = ["audit.csv", "holds.csv", "pairs.csv"]
        .map(|file| (file, fs::read_to_string(place.path(file)).unwrap()))
        .to_vec();
    tables.push(("history", place.cardsync(&["history", "--csv"]).exits(0).stdout));
    tables.push(("one run", place.cardsync(&["history", "last", "--csv"]).exits(0).stdout));
    tables.push((
        "certificates",
        place.cardsync(&["anonymize", "certificates", "--csv"]).exits(0).stdout,
    ));
    for (name, table) in &tables {
        let header = table.lines().next().unwrap_or_default();
        assert!(
            header.starts_with('\u{feff}') && header.contains(';'),
            "{name}: {header}"
        );
        assert!(table.ends_with("\r\n"), "{name}");
    }
}

#[test]
fn check_tests_constants_and_speaks_of_what_is_mapped_only() {
    let place = in_step();
    place.configure(&CONFIG.replace("branch: \"{{ hr.Site }}\"", "branch: Hoofdkantoor"));
    let checked = place.cardsync(&["check"]).exits(1).stdout;
    assert!(
        checked.contains("branch is the same for everybody, and TOPdesk has no branch 'Hoofdkantoor'"),
        "{checked}"
    );
    // `hold` is what is set.
    assert!(
        checked.contains("or say `missing: skip`") && !checked.contains("missing: hold"),
        "{checked}"
    );
    assert!(!checked.contains("login data"), "{checked}");
    assert!(!checked.contains("UTC"), "{checked}");
    place.configure(
        &CONFIG
            .replace("branch: \"{{ hr.Site }}\"", "branch: Delft")
            .replace("  archiving_reason: Out of service\n", ""),
    );
    let checked = place.cardsync(&["check"]).exits(0).stdout;
    assert!(checked.contains("branch: 'Delft' for everybody is there"), "{checked}");
    assert!(checked.contains("TOPdesk has 'Out of service'"), "{checked}");
}

#[test]
fn a_rejected_read_is_a_warning_with_its_reason() {
    let place = known();
    export(
        &place,
        "100002,Bakker,An,a.bakker@example.org,Leiden,\n100003,Smit,Eva,e.smit@example.org,Delft,\n",
        "",
    );
    let ran = place.cardsync(&["run", "--as-of", LATER]).exits(4);
    let warned = ran
        .stderr
        .lines()
        .find(|line| line.contains("WARN") && line.contains("the read of hr was rejected"));
    let warned = warned.unwrap_or_else(|| panic!("{}", ran.stderr));
    assert!(warned.contains("(1 records: "), "{warned}");
}

#[test]
fn hints_can_be_typed_as_they_stand() {
    let place = waiting();
    let found = place.cardsync(&["holds"]).exits(3).stdout;
    assert!(found.contains("cardsync approve ID"), "{found}");
    let given = place.cardsync(&["-c", "cardsync.yaml", "holds"]).exits(3).stdout;
    assert!(given.contains("cardsync -c cardsync.yaml approve ID"), "{given}");
}
