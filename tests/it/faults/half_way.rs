//! A change of two requests of which one took effect. Whatever is refused, cut off or killed: both cards have their own number in
//! the end, or both what they had before, or it is told as half-way until somebody has acted.

use super::exchanges::{SCENARIO, approved_in};
use crate::support::waiting::{FOR_EVER_MS, until};
use crate::support::workplace::{Ran, Workplace, text};
use serde_json::{Value, json};

/// Two cards with each other's number, and nothing else that could need a human; the exchange is approved.
fn place() -> Workplace {
    let people = std::fs::read_to_string(format!("{SCENARIO}/people.csv")).unwrap();
    let people: Vec<&str> = people.lines().take(3).collect();
    let cards = std::fs::read_to_string(format!("{SCENARIO}/cards.json")).unwrap();
    let mut cards: Value = serde_json::from_str(&cards).unwrap();
    cards["persons"].as_array_mut().unwrap().truncate(2);
    cards["persons"].as_array_mut().unwrap().push(json!({
        "surName": "Desk", "firstName": "Front", "employeeNumber": "900001", "branch": "Delft"
    }));
    approved_in(cards, &(people.join("\n") + "\n"))
}

/// The number of somebody's card.
fn number(place: &Workplace, name: &str) -> String {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap();
    let card = cards.iter().find(|card| card["surName"] == name);
    text(&card.unwrap_or_else(|| panic!("no {name}: {cards:#?}"))["employeeNumber"]).to_owned()
}

fn numbers(place: &Workplace) -> (String, String) {
    (number(place, "Visser"), number(place, "Bakker"))
}

fn id(place: &Workplace, name: &str) -> String {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().unwrap();
    let card = cards.iter().find(|card| card["surName"] == name);
    text(&card.unwrap()["id"]).to_owned()
}

fn edit(place: &Workplace, name: &str, set: &Value) {
    let edit = json!({ "person": id(place, name), "set": set });
    place.sandbox.edit(&edit).unwrap();
}

fn both(visser: &str, bakker: &str) -> (String, String) {
    (visser.to_owned(), bakker.to_owned())
}

/// From one request to a card on, all are refused.
fn refuse_from(place: &Workplace, first: u64) {
    refuse(place, "from", first);
}

fn refuse(place: &Workplace, which: &str, number: u64) {
    let mut rule = json!({
        "method": "PATCH", "route": "/persons/{id}",
        "answer": { "status": 400, "body": [{ "message": "The value for the field \"employeeNumber\" cannot be parsed" }] }
    });
    rule[which] = number.into();
    place.sandbox.fault(&rule).unwrap();
}

/// Kills a command at a request: before or after its effect.
fn kill(place: &Workplace, arguments: &[&str], nth: u64, effective: bool) {
    let before = place.writes().len();
    let mut rule = if effective {
        json!({ "answer_delay_ms": FOR_EVER_MS })
    } else {
        json!({ "delay_ms": FOR_EVER_MS, "effect": false })
    };
    rule["method"] = "PATCH".into();
    rule["route"] = "/persons/{id}".into();
    rule["nth"] = nth.into();
    place.sandbox.fault(&rule).unwrap();
    let mut child = place.command(arguments).spawn().unwrap();
    let wanted = before + usize::try_from(nth).unwrap();
    until("it is played, and takes effect where it does", || {
        place.sandbox.stats()["faults_played"] == 1 && (!effective || place.writes().len() >= wanted)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    place.sandbox.clear_faults();
}

fn run(place: &Workplace, at: &str) -> Ran {
    place.cardsync(&["run", "--as-of", &format!("2025-03-03T{at}")])
}

fn run_id(ran: &Ran) -> String {
    let line = ran.stdout.lines().find_map(|line| line.strip_prefix("Run "));
    let id = line.and_then(|line| line.split(' ').next());
    id.unwrap_or_else(|| panic!("no run: {ran:?}")).to_owned()
}

/// What is half-way, as `holds` has it.
fn half_ways(place: &Workplace) -> Vec<Value> {
    let list = place.cardsync(&["holds", "--for", "all", "--json"]).json();
    let concerns = list["concerns"].as_array().unwrap().iter();
    concerns.filter(|it| it["code"] == "half_way").cloned().collect()
}

/// One of the two requests took effect, and every other is refused.
fn half_way() -> (Workplace, Ran) {
    let place = place();
    refuse_from(&place, 2);
    let ran = run(&place, "09:00");
    place.sandbox.clear_faults();
    assert_eq!(number(&place, "Visser"), number(&place, "Bakker"), "{ran:?}");
    (place, ran)
}

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stdout.contains(word), "{word}: {}\n{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn half_of_an_exchange_is_told_in_the_run_the_list_and_the_history_and_ends_as_one() {
    let (place, first) = half_way();
    assert_eq!(first.code, 5, "{first:?}");
    says(
        &first,
        &[
            "Begun and not done: 1 half-way",
            "half-way: exchange",
            "finished: 1 half-way",
            "1 thing needs a human",
        ],
    );
    assert!(!first.stdout.contains("othing was written"), "{}", first.stdout);
    let holds = place.cardsync(&["holds"]).exits(3);
    says(
        &holds,
        &["1 change that is half-way", "100002 belongs on card", "100001 on card"],
    );
    assert_eq!(half_ways(&place).len(), 1);
    says(
        &place.cardsync(&["history", "last"]),
        &["some failed", "1 half-way", "Half-way: begun and not finished"],
    );
    says(&place.cardsync(&["store", "check"]).exits(0), &[]);
    // Nothing of it may be forgotten: that is what ends it.
    let forgotten = place.cardsync(&["forget", "100002", "--yes"]).exits(1);
    assert!(forgotten.stderr.contains("half-way"), "{}", forgotten.stderr);
    let undone = place
        .cardsync(&["undo", &run_id(&first), "--dry-run", "--as-of", "2025-03-03T09:05"])
        .exits(3);
    says(&undone, &["it is half-way"]);
    // A run that cannot finish it says so again, and it is the same thing.
    let id = half_ways(&place)[0]["id"].clone();
    refuse_from(&place, 1);
    let second = run(&place, "09:20");
    assert_eq!(second.code, 5, "{second:?}");
    says(&second, &["half-way: exchange", "finished: 1 half-way"]);
    assert_eq!(half_ways(&place)[0]["id"], id);
    place.sandbox.clear_faults();
    let third = run(&place, "09:40").exits(0);
    assert_eq!(numbers(&place), both("100001", "100002"));
    says(&third, &["Done: 1 ", "takes it back"]);
    assert!(half_ways(&place).is_empty());
    place.cardsync(&["holds"]).exits(0);
    let told = place.cardsync(&["history", "last", "--json"]).json();
    assert_eq!(told["items"][0]["outcome"], "done", "{told:#}");
    assert_eq!(told["run"]["counts"]["done"]["exchange"], 1, "{told:#}");
    // Whichever of its runs is named, the whole of it goes back.
    let item = text(&told["items"][0]["item"]).to_owned();
    for what in [run_id(&first), run_id(&third), item] {
        let way = place
            .cardsync(&["undo", &what, "--dry-run", "--json", "--as-of", "2025-03-03T09:50"])
            .json();
        let changes = way["plan"]["changes"].as_array().unwrap();
        assert_eq!((changes.len(), &way["kept"]), (1, &json!([])), "{what}: {way:#}");
        assert_eq!(changes[0]["action"], "exchange");
    }
    let back = ["undo", &run_id(&third), "--as-of", "2025-03-03T09:55"].map(str::to_owned);
    let back: Vec<&str> = back.iter().map(String::as_str).collect();
    place.cardsync(&back).exits(3);
    place.approve_each(&["exchange"], &[]).exits(0);
    place.cardsync(&back).exits(0);
    assert_eq!(numbers(&place), both("100002", "100001"));
}

#[test]
fn history_gives_each_card_of_an_exchange_its_own_values() {
    let place = place();
    run(&place, "09:00").exits(0);
    let told = place.cardsync(&["history", "last", "--json"]).json();
    let item = &told["items"][0];
    let [own, other] = [item, &item["other"]];
    for side in [own, other] {
        let to = &side["fields"]["employeeNumber"]["to"];
        let name = if to == "100001" { "Jan Visser" } else { "An Bakker" };
        assert_eq!(side["name"], name, "{told:#}");
        let after = &side["after"]["fields"];
        assert!(
            after
                .to_string()
                .contains(&format!("[\"employeeNumber\",{{\"text\":{to}}}]")),
            "{after}"
        );
        assert_eq!(&side["before"]["id"], &side["person_id"], "{told:#}");
        assert_eq!(&side["after"]["id"], &side["person_id"], "{told:#}");
    }
    for (key, from) in [("100001", "100002"), ("100002", "100001")] {
        let told = place
            .cardsync(&["explain", key, "--json", "--as-of", "2025-03-03T09:10"])
            .json();
        let journal = told["journal"].as_array().unwrap();
        let fields = &journal.last().unwrap()["fields"]["employeeNumber"];
        assert_eq!(
            (&fields["from"], &fields["to"]),
            (&json!(from), &json!(key)),
            "{told:#}"
        );
    }
    says(&place.cardsync(&["history", "last", "--csv"]), &["and card "]);
}

#[test]
fn an_exchange_that_a_later_run_puts_back_is_told_and_is_nothing_to_undo() {
    let place = place();
    kill(&place, &["run", "--as-of", "2025-03-03T09:00"], 2, false);
    // Nobody has run since, and it is told all the same.
    assert_eq!(half_ways(&place).len(), 1);
    says(&place.cardsync(&["holds"]).exits(3), &["half-way"]);
    refuse(&place, "nth", 1);
    let ran = run(&place, "09:20").exits(3);
    place.sandbox.clear_faults();
    assert_eq!(numbers(&place), both("100002", "100001"));
    says(&ran, &["1 put back", "put back: exchange"]);
    says(&place.cardsync(&["history", "last"]), &["Put back: an earlier run"]);
    assert!(half_ways(&place).is_empty());
    let undone = place
        .cardsync(&["undo", "last", "--dry-run", "--json", "--as-of", "2025-03-03T09:30"])
        .exits(0);
    let way = undone.json();
    assert_eq!(way["plan"]["changes"], json!([]), "{way:#}");
    assert!(
        way["kept"]
            .as_array()
            .unwrap()
            .iter()
            .all(|kept| kept["why"]["why"] == "as_before"),
        "{way:#}"
    );
    // It waits for another yes, and then it is done.
    place.approve_each(&["exchange"], &[]).exits(0);
    run(&place, "09:40").exits(0);
    assert_eq!(numbers(&place), both("100001", "100002"));
}

#[test]
fn a_number_that_another_card_has_got_meanwhile_is_not_written_until_somebody_has_acted() {
    let (place, _) = half_way();
    // Which of the two numbers is on no card now.
    let free = if number(&place, "Visser") == "100001" {
        "100002"
    } else {
        "100001"
    };
    edit(&place, "Desk", &json!({ "employeeNumber": free }));
    let writes = place.writes().len();
    let ran = run(&place, "09:20");
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(place.writes().len(), writes, "nothing more is written");
    says(&ran, &["has the number meanwhile", "half-way"]);
    assert_eq!(half_ways(&place).len(), 1);
    edit(&place, "Desk", &json!({ "employeeNumber": "900001" }));
    run(&place, "09:40").exits(0);
    assert_eq!(numbers(&place), both("100001", "100002"));
    assert!(half_ways(&place).is_empty());
}

#[test]
fn a_card_that_became_somebody_elses_is_not_written_and_what_is_right_by_hand_ends_by_itself() {
    for right in [true, false] {
        let (place, _) = half_way();
        let waits = if number(&place, "Visser") == "100001" {
            "Bakker"
        } else {
            "Visser"
        };
        edit(&place, waits, &json!({ "surName": "Nieuw", "firstName": "Noor" }));
        let writes = place.writes().len();
        let ran = run(&place, "09:20");
        assert_eq!(ran.code, 5, "{ran:?}");
        assert_eq!(place.writes().len(), writes, "nothing more is written");
        says(&ran, &["shows another name"]);
        assert_eq!(half_ways(&place).len(), 1);
        if right {
            let own = if waits == "Bakker" { "100002" } else { "100001" };
            edit(&place, "Nieuw", &json!({ "employeeNumber": own }));
        } else {
            edit(&place, "Nieuw", &json!({ "employeeNumber": "777777" }));
        }
        let after = run(&place, "09:40");
        assert!(half_ways(&place).is_empty(), "{after:?}");
        assert_ne!(after.code, 5, "{after:?}");
    }
}

#[test]
fn a_list_of_pairs_killed_between_two_writes_goes_on_with_the_same_command() {
    for refused in [false, true] {
        let place = place();
        place.cardsync(&["reject", &place.each_of("exchange")[0]]).exits(0);
        let at = ["--as-of", "2025-03-03T09:00"];
        place
            .cardsync(&["rekey", "pair", "--csv", "pairs.csv", at[0], at[1]])
            .exits(0);
        let list = std::fs::read_to_string(place.path("pairs.csv")).unwrap();
        let separator = if list.lines().next().unwrap().contains(';') {
            ";"
        } else {
            ","
        };
        let head: Vec<&str> = list
            .lines()
            .next()
            .unwrap()
            .trim_start_matches('\u{feff}')
            .split(separator)
            .collect();
        let decision = head.iter().position(|cell| *cell == "decision").unwrap();
        let lines: Vec<String> = list
            .lines()
            .map(|line| {
                let mut cells: Vec<&str> = line.split(separator).collect();
                if line.contains("exchanged") {
                    cells[decision] = "approve";
                }
                cells.join(separator)
            })
            .collect();
        place.write("pairs.csv", lines.join("\n") + "\n");
        kill(&place, &["rekey", "write", "pairs.csv", at[0], at[1]], 2, false);
        assert_eq!(number(&place, "Visser"), number(&place, "Bakker"));
        if refused {
            refuse(&place, "nth", 1);
        }
        let dry = place.cardsync(&[
            "rekey",
            "write",
            "pairs.csv",
            "--dry-run",
            "--as-of",
            "2025-03-03T09:20",
        ]);
        assert!(dry.code == 1 && dry.stderr.contains("half-way"), "{dry:?}");
        let ran = place.cardsync(&["rekey", "write", "pairs.csv", "--as-of", "2025-03-03T09:20"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(numbers(&place), both("100001", "100002"), "{ran:?}");
        let again = place
            .cardsync(&["rekey", "write", "pairs.csv", "--as-of", "2025-03-03T09:40"])
            .exits(0);
        says(&again, &["1 approved and written before"]);
    }
}

/// Every set of the first four requests that is refused, and a kill before each that is not reached.
#[test]
fn whatever_is_refused_or_killed_is_right_as_before_or_told() {
    for refused in 0..16_u64 {
        for killed in [None, Some(1), Some(2)] {
            if killed.is_some() && refused > 7 {
                continue;
            }
            let place = place();
            if let Some(nth) = killed {
                kill(&place, &["run", "--as-of", "2025-03-03T08:50"], nth, nth == 1);
            }
            for nth in (1..=4).filter(|nth| refused & (1 << (nth - 1)) != 0) {
                refuse(&place, "nth", nth);
            }
            let ran = run(&place, "09:10");
            place.sandbox.clear_faults();
            let point = format!("refused {refused:04b}, killed at {killed:?}: {ran:?}");
            let (own, before) = (both("100001", "100002"), both("100002", "100001"));
            let now = numbers(&place);
            let told = !half_ways(&place).is_empty();
            assert_eq!(told, now != own && now != before, "{point}");
            if told {
                assert_eq!(ran.code, 5, "{point}");
                run(&place, "09:30").exits(0);
                assert_eq!(numbers(&place), own, "{point}");
                assert!(half_ways(&place).is_empty(), "{point}");
            } else if now == own {
                assert_eq!(ran.code, 0, "{point}");
                assert!(ran.stdout.contains("Done: 1 ") || killed.is_some(), "{point}");
            } else {
                assert_ne!(ran.code, 0, "{point}");
            }
        }
    }
}

#[test]
fn an_undo_killed_between_two_numbers_finishes_with_the_same_command_and_says_so() {
    for refused in [false, true] {
        let place = place();
        let first = run_id(&run(&place, "09:00").exits(0));
        let undo = |at: &str| {
            let at = format!("2025-03-03T{at}");
            place.cardsync(&["undo", &first, "--as-of", &at])
        };
        undo("09:10").exits(3);
        place.approve_each(&["exchange"], &[]).exits(0);
        kill(&place, &["undo", &first, "--as-of", "2025-03-03T09:20"], 2, false);
        assert_eq!(number(&place, "Visser"), number(&place, "Bakker"));
        if refused {
            refuse_from(&place, 1);
            let ran = undo("09:40");
            assert_eq!(ran.code, 5, "{ran:?}");
            says(&ran, &["finished: 1 half-way; 1 thing needs a human"]);
            assert_eq!(half_ways(&place).len(), 1);
            place.sandbox.clear_faults();
        }
        let ran = undo("10:00").exits(0);
        assert_eq!(numbers(&place), both("100002", "100001"), "{ran:?}");
        says(&ran, &["Done: 1 "]);
        assert!(half_ways(&place).is_empty());
        let told = place.cardsync(&["history", "last", "--json"]).json();
        assert_eq!(told["items"][0]["outcome"], "done", "{told:#}");
    }
}
