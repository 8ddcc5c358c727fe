//! Looks at the sandbox from outside and compares with what is true.

use super::human::Human;
use crate::support::workplace::text;
use cardsync::demo::site::Site;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use topdesk_sandbox::RunningSandbox;

/// A figure of the way, for whoever reads along.
pub fn figure(count: usize, what: &str) {
    println!("{count:8} {what}");
}

/// How it was at the beginning.
pub struct Outside {
    /// The number on each card, by id.
    numbers: BTreeMap<String, String>,
    active_cards: BTreeSet<String>,
    active_operators: BTreeSet<String>,
    employed_operators: usize,
    /// Numbers that stood on two cards.
    doubled: Value,
    looks: usize,
}

fn rows<'a>(state: &'a Value, what: &str) -> impl Iterator<Item = &'a Value> {
    state[what].as_array().expect("rows").iter()
}

fn id(row: &Value) -> String {
    text(&row["id"]).to_owned()
}

impl Outside {
    pub fn new(site: &Site, sandbox: &RunningSandbox) -> Outside {
        let state = sandbox.state_json();
        let truth = site.truth();
        let employed: BTreeSet<u32> = site.employed().into_iter().collect();
        let is_operator = |operator: &&Value| operator["status"] == "operator";
        let of_employed = |operator: &&Value| {
            let owner = truth.get(text(&operator["linkedPerson"]["id"])).copied().flatten();
            owner.is_some_and(|owner| employed.contains(&owner))
        };
        Outside {
            numbers: rows(&state, "persons")
                .map(|card| (id(card), text(&card["employeeNumber"]).to_owned()))
                .collect(),
            active_cards: rows(&state, "persons")
                .filter(|card| card["archived"] != true)
                .map(id)
                .collect(),
            active_operators: rows(&state, "operators").filter(is_operator).map(id).collect(),
            employed_operators: rows(&state, "operators")
                .filter(is_operator)
                .filter(of_employed)
                .count(),
            doubled: sandbox.stats()["duplicate_keys"].clone(),
            looks: 0,
        }
    }

    /// No number on the wrong card, no operator archived unasked, nobody with a card more.
    pub fn look(&mut self, human: &Human, sandbox: &RunningSandbox) {
        self.looks += 1;
        let doubled = &sandbox.stats()["duplicate_keys"];
        let more = doubled.as_array().expect("a list").iter().filter(|one| {
            let before = self.doubled.as_array().expect("a list");
            !before.contains(one)
        });
        assert_eq!(more.count(), 0, "a number stands on one more card: {doubled}");
        let state = sandbox.state_json();
        let mut made: BTreeMap<u32, usize> = BTreeMap::new();
        let cards: BTreeMap<String, &Value> = rows(&state, "persons").map(|card| (id(card), card)).collect();
        for (id, card) in &cards {
            let number = text(&card["employeeNumber"]);
            let Some(owner) = human.truth.get(id) else {
                let number = number.parse().expect("a card that was made has a number");
                *made.entry(number).or_default() += 1;
                continue;
            };
            match owner {
                None => assert_eq!(
                    *number, self.numbers[id],
                    "the number of nobody's card changed: {card:#}"
                ),
                Some(owner) if !number.is_empty() => {
                    assert_eq!(
                        number.trim().trim_start_matches('0'),
                        owner.to_string(),
                        "a wrong number: {card:#}"
                    );
                }
                Some(_) => {}
            }
        }
        for (number, count) in made {
            let before = human.truth.values().filter(|owner| **owner == Some(number)).count();
            assert_eq!((before, count), (0, 1), "{number} has a second card");
        }
        for operator in rows(&state, "operators") {
            if operator["status"] == "operator" || !self.active_operators.contains(text(&operator["id"])) {
                continue;
            }
            let card = text(&operator["linkedPerson"]["id"]);
            assert!(
                human.archives.contains(card),
                "an operator was archived and nobody was asked: {operator:#}"
            );
        }
        let holders: BTreeSet<&str> = cards
            .values()
            .filter(|card| card["archived"] != true)
            .map(|card| text(&card["employeeNumber"]).trim())
            .collect();
        for id in &self.active_cards {
            let Some(owner) = human.truth[id].filter(|_| cards[id]["archived"] == true) else {
                assert!(
                    human.truth[id].is_some() || cards[id]["archived"] != true,
                    "nobody's card was archived: {id}"
                );
                continue;
            };
            let left = human
                .site
                .person(owner)
                .is_some_and(|person| person.has_left(human.site.today));
            // Of a merge the twin is archived, and the number stands on the other one.
            assert!(
                left || holders.contains(owner.to_string().as_str()),
                "{owner} works here: {:#}",
                cards[id]
            );
        }
    }

    /// Who works here has one card with the number, as HR says, or waits for a human for a reason that was there before.
    pub fn everybody_is_as_hr_says(&self, human: &Human, sandbox: &RunningSandbox) {
        let state = sandbox.state_json();
        let mut active: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for card in rows(&state, "persons").filter(|card| card["archived"] != true) {
            active
                .entry(text(&card["employeeNumber"]).trim())
                .or_default()
                .push(card);
        }
        let mut missing = Vec::new();
        for number in human.site.employed() {
            let person = human.site.person(number).expect("somebody");
            match active.get(number.to_string().as_str()).map(Vec::as_slice) {
                Some([card]) => {
                    assert_eq!(card["surName"], person.last_name, "{card:#}");
                    assert_eq!(text(&card["email"]), person.mail, "{card:#}");
                }
                _none_or_several => missing.push(number),
            }
        }
        let had_doubles = human.site.disorder.duplicates + human.site.disorder.on_archived;
        assert!(
            missing.len() <= had_doubles as usize,
            "{} people without one active card: {missing:?}",
            missing.len()
        );
        let active_operators = rows(&state, "operators")
            .filter(|operator| operator["status"] == "operator")
            .count();
        figure(self.looks, "looks from outside");
        figure(
            0,
            "numbers on a wrong card, cards made twice, operators archived unasked",
        );
        figure(
            self.employed_operators,
            "operators of people who worked here at the beginning",
        );
        figure(
            self.active_operators.len() - active_operators,
            "operators archived, each approved: they left",
        );
        figure(
            human.site.employed().len() - missing.len(),
            "people who work here with one card, as HR says",
        );
        figure(
            missing.len(),
            "people with two numbered cards or an archived one, left to a human as before",
        );
        for joined in human
            .joined
            .iter()
            .filter(|number| human.site.employed().contains(number))
        {
            assert_eq!(
                active.get(joined.to_string().as_str()).map_or(0, Vec::len),
                1,
                "{joined} joined"
            );
        }
    }
}
