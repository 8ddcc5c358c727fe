//! A list of pairs comes back: as what was sent, or not at all; what was said in it is remembered.

use super::LATER;
use super::rekey::{by_address, decide, expected, numbers, rows};
use crate::support::workplace::{Ran, Workplace, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

fn list_of(place: &Workplace, file: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let sheet = std::fs::read_to_string(place.path(file)).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .has_headers(false)
        .from_reader(sheet.trim_start_matches('\u{feff}').as_bytes());
    let mut all = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    (all.next().unwrap(), all.collect())
}

fn save(place: &Workplace, file: &str, header: &[String], rows: &[Vec<String>]) {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(header).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    place.write(file, writer.into_inner().unwrap());
}

fn pairs(place: &Workplace, file: &str) {
    place
        .cardsync(&["rekey", "pair", "--csv", file, "--as-of", LATER])
        .exits(0);
}

fn write(place: &Workplace, arguments: &[&str]) -> Ran {
    place.cardsync(&[&["rekey", "write"][..], arguments, &["--as-of", LATER]].concat())
}

/// Says yes to everybody who was proposed.
fn all_approved(place: &Workplace, file: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let (header, mut rows) = list_of(place, file);
    let at = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    for row in &mut rows {
        if !row[at("number")].is_empty() {
            row[at("decision")] = "approve".to_owned();
        }
    }
    (header, rows)
}

/// Whatever columns are sorted or moved alone, not one number is written; whole rows in another order are the same list.
#[test]
fn columns_that_were_moved_alone_refuse_the_list() {
    let place = by_address();
    pairs(&place, "pairs.csv");
    let (header, rows) = all_approved(&place, "pairs.csv");
    let at = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    for columns in [
        &["number"][..],
        &["source_name"],
        &["card_name"],
        &["person_id"],
        &["number", "source_name"],
        &["card_name", "person_id"],
        &["id"],
    ] {
        let mut moved = rows.clone();
        for column in columns {
            let mut cells: Vec<String> = rows.iter().map(|row| row[at(column)].clone()).collect();
            cells.rotate_left(1);
            for (row, cell) in moved.iter_mut().zip(cells) {
                row[at(column)] = cell;
            }
        }
        save(&place, "moved.csv", &header, &moved);
        let ran = write(&place, &["moved.csv"]).exits(1);
        assert!(ran.stderr.contains("line 2: "), "{columns:?}: {}", ran.stderr);
        assert!(place.writes().is_empty(), "{columns:?}");
    }
    let mut other_order = rows.clone();
    other_order.reverse();
    save(&place, "order.csv", &header, &other_order);
    write(&place, &["order.csv", "--dry-run"]).exits(2);
}

/// A number is what was proposed for this card then, not what stands in a cell.
#[test]
fn numbers_that_hr_corrects_after_the_list_refuse_it() {
    let place = by_address();
    pairs(&place, "pairs.csv");
    let (header, rows) = all_approved(&place, "pairs.csv");
    save(&place, "pairs.csv", &header, &rows);
    let people = std::fs::read_to_string(place.path("people.csv")).unwrap();
    let corrected = people
        .replace("100001", "X")
        .replace("100002", "100001")
        .replace('X', "100002");
    place.write("people.csv", corrected);
    let ran = write(&place, &["pairs.csv"]).exits(1);
    assert!(
        ran.stderr.contains("2 lines of the list cannot be taken")
            && ran
                .stderr
                .contains("the person that was proposed for this card has changed"),
        "{}",
        ran.stderr
    );
    assert!(place.writes().is_empty());
}

#[test]
fn a_no_is_remembered_by_every_later_command() {
    let place = by_address();
    pairs(&place, "pairs.csv");
    std::fs::copy(place.path("pairs.csv"), place.path("copy.csv")).unwrap();
    decide(
        &place,
        "pairs.csv",
        &[("Jan Visser", "reject", ""), ("Rob Meijer", "reject", "")],
    );
    let ran = write(&place, &["pairs.csv"]).exits(0);
    assert!(ran.stdout.contains("2 rejected"), "{}", ran.stdout);
    let log = place.cardsync(&["holds", "--decisions"]).exits(0).stdout;
    assert!(log.contains("by the list of pairs: HR"), "{log}");
    // Neither a grade, nor the copy of somebody else, writes it.
    write(&place, &["--grade", "sure"]);
    assert_eq!(numbers(&place), BTreeMap::new());
    decide(&place, "copy.csv", &[("Jan Visser", "approve", "")]);
    let ran = write(&place, &["copy.csv"]).exits(1);
    assert!(ran.stderr.contains("rejected this on"), "{}", ran.stderr);
    // The same list again says nothing new.
    let ran = write(&place, &["pairs.csv"]).exits(0);
    assert!(ran.stdout.contains("2 rejected"), "{}", ran.stdout);
    // What a run would write onto the card is the same question.
    place.cardsync(&["run", "--as-of", LATER]);
    let items = place.cardsync(&["plan", "--json", "--as-of", LATER]).json();
    let items = items["changes"].as_array().unwrap();
    let adopts: Vec<_> = items
        .iter()
        .filter(|item| item["action"] == "adopt" && item["key"] == "100001")
        .collect();
    assert!(
        !adopts.is_empty() && adopts.iter().all(|item| item["holds"].to_string().contains("rejected")),
        "{adopts:#?}"
    );
    // The next list shows it, and there it can be taken back.
    pairs(&place, "next.csv");
    let list = rows(&place, "next.csv");
    let jan = list.iter().find(|row| row["card_name"] == "Jan Visser").unwrap();
    assert_eq!(jan["decision"], "reject");
    assert!(
        jan["why"].contains("rejected by") && jan["why"].contains("HR"),
        "{jan:?}"
    );
    decide(&place, "next.csv", &[("Jan Visser", "approve", "")]);
    write(&place, &["next.csv"]).exits(0);
    assert_eq!(numbers(&place), expected(&[("Visser", "100001")]));
}

#[test]
fn a_no_to_what_is_written_says_so_and_how_to_take_it_off() {
    let place = by_address();
    pairs(&place, "pairs.csv");
    std::fs::copy(place.path("pairs.csv"), place.path("copy.csv")).unwrap();
    decide(&place, "pairs.csv", &[("Jan Visser", "approve", "")]);
    write(&place, &["pairs.csv"]).exits(0);
    decide(&place, "copy.csv", &[("Jan Visser", "reject", "")]);
    let ran = write(&place, &["copy.csv"]).exits(3);
    let cure = ran.stdout.split("cardsync undo ").nth(1).unwrap();
    let item = cure.split(' ').next().unwrap();
    assert!(ran.stdout.contains("100001 stands on card"), "{}", ran.stdout);
    let undone = place.cardsync(&["undo", item, "--as-of", LATER]);
    assert_eq!(
        undone.code, 3,
        "to take a number off is asked as well: {}",
        undone.stdout
    );
}

#[test]
fn copies_that_disagree_are_named_and_nothing_is_written() {
    let place = by_address();
    pairs(&place, "anna.csv");
    std::fs::copy(place.path("anna.csv"), place.path("bert.csv")).unwrap();
    decide(
        &place,
        "anna.csv",
        &[("Jan Visser", "approve", ""), ("An Bakker", "approve", "")],
    );
    decide(
        &place,
        "bert.csv",
        &[("Jan Visser", "reject", ""), ("Eva Smit", "approve", "")],
    );
    let ran = write(&place, &["anna.csv", "bert.csv"]).exits(1);
    assert!(
        ran.stderr.contains("bert.csv: line")
            && ran.stderr.contains("anna.csv line")
            && ran.stderr.contains("says otherwise"),
        "{}",
        ran.stderr
    );
    assert!(place.writes().is_empty());
    decide(&place, "bert.csv", &[("Jan Visser", "", "")]);
    write(&place, &["anna.csv", "bert.csv"]).exits(0);
    assert_eq!(
        numbers(&place).len(),
        3,
        "what each has said is done: {:?}",
        numbers(&place)
    );
}

#[test]
fn another_number_needs_a_name_that_agrees_or_the_word() {
    let place = by_address();
    pairs(&place, "pairs.csv");
    decide(&place, "pairs.csv", &[("Rob Meijer", "approve", "100005")]);
    let ran = write(&place, &["pairs.csv"]).exits(1);
    assert!(ran.stderr.contains("'approve somebody-else'"), "{}", ran.stderr);
    assert!(
        !ran.stderr.contains("Meijer") && !ran.stderr.contains("Groot"),
        "{}",
        ran.stderr
    );
    decide(
        &place,
        "pairs.csv",
        &[("Rob Meijer", "approve somebody-else", "100005")],
    );
    write(&place, &["pairs.csv"]).exits(0);
    assert_eq!(numbers(&place), expected(&[("Meijer", "100005")]));
    // The right number beside a no says both: this one, and not that one.
    let place = by_address();
    pairs(&place, "pairs.csv");
    decide(&place, "pairs.csv", &[("Ria Groot", "reject somebody-else", "100004")]);
    write(&place, &["pairs.csv"]).exits(0);
    assert_eq!(numbers(&place), expected(&[("Groot", "100004")]));
    let log = place.cardsync(&["holds", "--decisions", "--json"]).exits(0).stdout;
    assert!(log.contains("\"reject\"") && log.contains("\"approve\""), "{log}");
    // A number without a decision is nobody's.
    decide(&place, "pairs.csv", &[("An Bakker", "", "100002")]);
    let ran = write(&place, &["pairs.csv"]).exits(1);
    assert!(ran.stderr.contains("no decision"), "{}", ran.stderr);
}

/// Six people who have little in common with their cards.
#[test]
fn more_than_a_handful_of_other_numbers_wants_to_be_said() {
    let names = ["Aa", "Bee", "Cee", "Dee", "Eee", "Fff"];
    let place = Workplace::open(json!({
        "branches": ["Delft"],
        "archivingReasons": ["Out of service"],
        "persons": names.map(|name| json!({ "surName": name, "firstName": "Kim", "branch": "Delft" })),
    }));
    place.configure(super::rekey::CONFIG);
    let people: String = (1..)
        .zip(names)
        .map(|(number, name)| format!("10000{number},Other{name},Kim,,,,Delft,,\n"))
        .collect();
    let header = "Number,Last name,First name,E-mail,Login,Phone,Site,Born,End date\n";
    place.write("people.csv", format!("{header}{people}"));
    pairs(&place, "pairs.csv");
    let (header, mut list) = list_of(&place, "pairs.csv");
    let at = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    for (number, row) in (1..).zip(&mut list) {
        row[at("decision")] = "approve".to_owned();
        row[at("other_number")] = format!("[10000{number}]");
    }
    save(&place, "pairs.csv", &header, &list);
    let ran = write(&place, &["pairs.csv"]).exits(1);
    assert!(ran.stderr.contains("--other-numbers 6"), "{}", ran.stderr);
    assert!(place.writes().is_empty());
    write(&place, &["pairs.csv", "--other-numbers", "6"]).exits(0);
    assert_eq!(numbers(&place).len(), 6);
}

#[test]
fn a_workbook_opens_as_it_is_and_comes_back_as_csv() {
    let place = by_address();
    place
        .cardsync(&["rekey", "pair", "--xlsx", "pairs.xlsx", "--as-of", LATER])
        .exits(0);
    let mode = std::fs::metadata(place.path("pairs.xlsx"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let ran = write(&place, &["pairs.xlsx"]).exits(1);
    assert!(ran.stderr.contains("save the list as CSV"), "{}", ran.stderr);
    write(&place, &["--grade", "likely"]).exits(64);
}

/// Numbers of two people that stand on each other's card are one line, and one yes puts both right.
#[test]
fn two_numbers_that_were_exchanged_are_one_line() {
    let place = by_address();
    let ids: BTreeMap<String, String> = place.sandbox.state_json()["persons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| (text(&card["surName"]).to_owned(), text(&card["id"]).to_owned()))
        .collect();
    for (name, number) in [("Visser", "100002"), ("Bakker", "100001")] {
        let edit = json!({ "person": ids[name], "set": { "employeeNumber": number } });
        place.sandbox.edit(&edit).unwrap();
    }
    // A run asks too: one item for both, though it was not asked before by names that differ alone.
    let asked = || {
        let plan = place.cardsync(&["plan", "--json", "--as-of", LATER]).json();
        let items = plan["changes"].as_array().unwrap().clone();
        let concerned = |item: &Value| ["100001", "100002"].contains(&text(&item["key"]));
        let of_both = items.into_iter().filter(concerned);
        of_both
            .map(|item| text(&item["action"]).to_owned())
            .collect::<Vec<String>>()
    };
    assert_eq!(asked(), ["exchange"]);
    pairs(&place, "pairs.csv");
    let list = rows(&place, "pairs.csv");
    let lines: Vec<_> = list.iter().filter(|row| row["grade"] == "exchanged").collect();
    assert_eq!(lines.len(), 1, "{list:#?}");
    assert!(
        !list
            .iter()
            .any(|row| row["grade"] != "exchanged" && ["An Bakker", "Jan Visser"].contains(&&*row["card_name"]))
    );
    write(&place, &["--grade", "sure"]);
    assert_eq!(numbers(&place)["Visser"], "100002", "no grade writes it unseen");
    let (header, mut all) = list_of(&place, "pairs.csv");
    let at = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    for row in &mut all {
        if row[at("grade")] == "exchanged" {
            row[at("decision")] = "approve".to_owned();
        }
    }
    save(&place, "pairs.csv", &header, &all);
    // What the line shows of the other card is part of it.
    let good = std::fs::read_to_string(place.path("pairs.csv")).unwrap();
    for (column, other) in [
        ("exchange_name", "Somebody Else"),
        ("exchange_number", "[100003]"),
        ("exchange_with", "[00000000-0000-4000-8000-00000000ffff]"),
        ("exchange_name", ""),
        ("grade", "sure"),
    ] {
        let (header, mut all) = list_of(&place, "pairs.csv");
        for row in &mut all {
            if row[at("grade")] == "exchanged" {
                row[at(column)] = other.to_owned();
            }
        }
        save(&place, "edited.csv", &header, &all);
        let refused = write(&place, &["edited.csv"]);
        assert_eq!(refused.code, 1, "{column}: {}", refused.stdout);
        let named = format!("the column '{column}' is not that of this line");
        assert!(refused.stderr.contains(&named), "{}", refused.stderr);
    }
    place.write("pairs.csv", good);
    // TOPdesk refuses the second write: the first goes back, and the same list does it once TOPdesk takes it.
    let refused = json!({ "message": "not now" });
    let second = json!({ "method": "PATCH", "route": "/persons/{id}", "nth": 2,
                         "answer": { "status": 400, "body": [refused] } });
    place.sandbox.fault(&second).unwrap();
    let half = write(&place, &["pairs.csv"]);
    assert_ne!(half.code, 0, "{}", half.stdout);
    place.sandbox.clear_faults();
    let now = numbers(&place);
    assert_eq!((&*now["Visser"], &*now["Bakker"]), ("100002", "100001"), "both or none");
    assert_eq!(asked(), ["exchange"]);
    let ran = write(&place, &["pairs.csv"]).exits(0);
    assert!(ran.stdout.contains("1 key to write"), "{}", ran.stdout);
    let now = numbers(&place);
    assert_eq!((&*now["Visser"], &*now["Bakker"]), ("100001", "100002"));
    let again = write(&place, &["pairs.csv"]).exits(0);
    assert!(
        again.stdout.contains("1 approved and written before"),
        "{}",
        again.stdout
    );
    // Both go back together too.
    let run = ran
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("Run ")?.split(' ').next());
    let undo = ["undo", run.unwrap(), "--as-of", LATER];
    let waits = place.cardsync(&undo);
    assert!(waits.code == 3 && waits.stdout.contains("Held (1)"), "{}", waits.stdout);
    place.approve_each(&["exchange"], &[]).exits(0);
    place.cardsync(&undo).exits(0);
    let now = numbers(&place);
    assert_eq!((&*now["Visser"], &*now["Bakker"]), ("100002", "100001"));
}
