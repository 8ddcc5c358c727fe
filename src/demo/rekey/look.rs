//! What is looked up in the sandbox on the way, and compared with the truth.

use super::super::person::Person;
use super::super::site::Site;
use crate::core::plan::ActionKind;
use crate::core::plan::view::ChangeView;
use crate::engine::run::Finished;
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn rows<'a>(state: &'a Value, array: &str) -> impl Iterator<Item = &'a Value> + Clone {
    state[array].as_array().into_iter().flatten()
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

/// How many there are.
pub struct Cards {
    pub active: usize,
    pub numbered: usize,
    pub operators: usize,
}

impl Cards {
    pub fn of(state: &Value) -> Self {
        let active = rows(state, "persons").filter(|card| card["archived"] != true);
        let linked = |operator: &&Value| operator["status"] == "operator" && operator["linkedPerson"]["id"].is_string();
        Self {
            numbered: active
                .clone()
                .filter(|card| !text(card, "employeeNumber").is_empty())
                .count(),
            active: active.count(),
            operators: rows(state, "operators").filter(linked).count(),
        }
    }
}

/// Whether a card is that of the person with this number.
pub fn is_card_of(truth: &BTreeMap<String, Option<u32>>, card: &str, number: &str) -> bool {
    let owner = truth.get(card).copied().flatten();
    owner.is_some_and(|owner| number == owner.to_string())
}

/// How much of a kind was done.
pub fn count_of(finished: &Finished, kind: ActionKind) -> usize {
    let done = finished.report.counts.done.get(&kind).copied().unwrap_or(0);
    usize::try_from(done).unwrap_or(usize::MAX)
}

/// Between the two states only numbers changed, each to the number of whose card it is; gives how many.
///
/// # Errors
/// When anything else changed.
pub fn only_numbers(before: &Value, after: &Value, truth: &BTreeMap<String, Option<u32>>) -> anyhow::Result<usize> {
    ensure!(
        before["operators"] == after["operators"],
        "this is not as the demo claims: an operator changed"
    );
    let then: BTreeMap<&str, &Value> = rows(before, "persons").map(|card| (text(card, "id"), card)).collect();
    let mut changed = 0;
    ensure!(
        then.len() == rows(after, "persons").count(),
        "this is not as the demo claims: there are other cards than before"
    );
    for card in rows(after, "persons") {
        let id = text(card, "id");
        let was = then.get(id).context("this is not as the demo claims: a new card")?;
        let rest = |card: &Value| {
            let mut rest = card.clone();
            for noted in ["employeeNumber", "modificationDate", "modifier"] {
                rest.as_object_mut().map(|fields| fields.remove(noted));
            }
            rest
        };
        ensure!(
            rest(card) == rest(was),
            "this is not as the demo claims: more than the number of card {id} changed"
        );
        let number = text(card, "employeeNumber");
        if number != text(was, "employeeNumber") {
            changed += 1;
            ensure!(
                is_card_of(truth, id, number),
                "this is not as the demo claims: number {number} is on the card of somebody else, {id}"
            );
        }
    }
    Ok(changed)
}

/// Every number that is a person's of HR's export stands on the card of that person.
///
/// # Errors
/// When one does not.
pub fn numbers_are_right(state: &Value, truth: &BTreeMap<String, Option<u32>>) -> anyhow::Result<()> {
    for card in rows(state, "persons") {
        let (id, number) = (text(card, "id"), text(card, "employeeNumber").trim());
        let Some(Some(owner)) = truth.get(id) else { continue };
        let bare = number.trim_start_matches('0');
        ensure!(
            bare.is_empty() || bare == owner.to_string(),
            "this is not as the demo claims: number {number} is on the card of {owner}"
        );
    }
    Ok(())
}

/// The first operator who works here, with the card that HR's number stands on.
pub fn an_operator(state: &Value, site: &Site) -> Option<u32> {
    let operators = rows(state, "operators").filter(|operator| operator["status"] == "operator");
    let cards: BTreeMap<&str, &Value> = rows(state, "persons").map(|card| (text(card, "id"), card)).collect();
    let numbers = operators.filter_map(|operator| {
        let card = cards.get(operator["linkedPerson"]["id"].as_str()?)?;
        let number = text(card, "employeeNumber").parse().ok()?;
        let person = site.person(number)?;
        let as_hr_says = text(card, "email") == person.mail && card["archived"] != true;
        (as_hr_says && !person.has_left(site.today)).then_some(number)
    });
    numbers.min()
}

/// People of items, and how many of them have a card whose address is not that of the directory.
pub struct People {
    pub all: usize,
    pub other_address: usize,
}

/// Who the items are about.
pub fn other_addresses<'a>(state: &Value, site: &Site, items: impl Iterator<Item = &'a ChangeView>) -> People {
    let numbers: BTreeSet<&str> = items.filter_map(|item| Some(item.key.as_ref()?.as_str())).collect();
    let other = rows(state, "persons").filter(|card| {
        let number = text(card, "employeeNumber").trim();
        let person = number.parse().ok().and_then(|number| site.person(number));
        let other = person.is_some_and(|person| !text(card, "email").eq_ignore_ascii_case(&person.mail));
        numbers.contains(number) && other
    });
    People {
        all: numbers.len(),
        other_address: other.count(),
    }
}

/// One active card has the number, name and address of somebody, and an active operator.
///
/// # Errors
/// When it is otherwise.
pub fn one_card_as_hr_says(state: &Value, person: &Person) -> anyhow::Result<()> {
    let number = person.number.to_string();
    let cards: Vec<&Value> = rows(state, "persons")
        .filter(|card| text(card, "employeeNumber") == number)
        .collect();
    let [card] = cards[..] else {
        anyhow::bail!(
            "this is not as the demo claims: {} cards have number {number}",
            cards.len()
        );
    };
    ensure!(
        card["archived"] != true && text(card, "surName") == person.last_name && text(card, "email") == person.mail,
        "this is not as the demo claims: the card of {number} is archived or not as HR says"
    );
    let operator = rows(state, "operators").find(|operator| operator["linkedPerson"]["id"] == card["id"]);
    ensure!(
        operator.is_some_and(|operator| operator["status"] == "operator"),
        "this is not as the demo claims: the operator of {number} does not work any more"
    );
    Ok(())
}
