//! What is looked up in the sandbox, or in what cardsync keeps, after a step: a claim of the story and where it is seen. A
//! claim that is not so ends the demo.

use super::cards::card_id;
use super::company::Company;
use super::person::{FIRST_NUMBER, Person};
use super::play::day_of;
use super::stage::Stage;
use crate::core::rules::retention::RetentionState;
use anyhow::{Context as _, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use std::fs;
use std::io::Read as _;

/// One claim. People are named by their index.
pub enum Show {
    /// The card may, or may not yet, use the self-service portal.
    Portal { who: u32, open: bool },
    /// The card and its operator, each active or archived, and whether the operator may log in.
    Operator {
        who: u32,
        card: bool,
        operator: bool,
        may_log_in: bool,
    },
    /// One card has the number, it is the one with the operator, and it is active; nobody made another.
    OneCardWithOperator(u32),
    /// cardsync's work list for TOPdesk's own anonymization has these people, and nobody else.
    Due(&'static [u32]),
    /// There is a certificate of the anonymization of this person's card, and nothing personal in it.
    Certificate(u32),
    /// Nothing that names or reaches somebody is in any file of cardsync's state.
    NothingKept(u32),
}

impl Show {
    /// Looks, and tells what is there.
    ///
    /// # Errors
    /// When it is not as the story says.
    pub async fn look(&self, stage: &Stage, company: &Company, now: DateTime<Utc>) -> anyhow::Result<String> {
        let state = stage.state();
        let person = |who: u32| {
            let found = company.person(FIRST_NUMBER + who);
            found.context("the story names people of the company")
        };
        match *self {
            Show::Portal { who, open } => {
                let person = person(who)?;
                let [card] = cards_of(&state, person)[..] else {
                    anyhow::bail!(
                        "this is not as the demo claims: {} has no card, or several",
                        person.number
                    );
                };
                let is = card["hasSspAccess"] == true;
                ensure!(
                    is == open,
                    "this is not as the demo claims: hasSspAccess of {} is {is}",
                    person.number
                );
                let may = if open { "may" } else { "may not yet" };
                Ok(format!(
                    "{} ({}): {may} log in to the self-service portal",
                    person.full_name(),
                    person.number
                ))
            }
            Show::Operator {
                who,
                card: card_active,
                operator: operator_active,
                may_log_in,
            } => {
                let person = person(who)?;
                let [card] = cards_of(&state, person)[..] else {
                    anyhow::bail!(
                        "this is not as the demo claims: {} has no card, or several",
                        person.number
                    );
                };
                let operator =
                    operator_of(&state, card).context("this is not as the demo claims: no operator is linked")?;
                let is = (
                    card["archived"] != true,
                    operator["status"] == "operator",
                    operator["loginPermission"] == true,
                );
                ensure!(
                    is == (card_active, operator_active, may_log_in),
                    "this is not as the demo claims: card active, operator active, may log in of {}: {is:?}",
                    person.number
                );
                let word = |active: bool| if active { "active" } else { "archived" };
                let log_in = if may_log_in { "" } else { ", and may not log in" };
                Ok(format!(
                    "{} ({}): card {}, operator {}{log_in}",
                    person.full_name(),
                    person.number,
                    word(card_active),
                    word(operator_active)
                ))
            }
            Show::OneCardWithOperator(who) => {
                let person = person(who)?;
                let cards = cards_of(&state, person);
                let [card] = cards[..] else {
                    anyhow::bail!(
                        "this is not as the demo claims: {} cards have number {}",
                        cards.len(),
                        person.number
                    );
                };
                let operator = operator_of(&state, card);
                ensure!(
                    card["archived"] != true && operator.is_some_and(|operator| operator["status"] == "operator"),
                    "this is not as the demo claims: the card with number {} is archived or has no operator",
                    person.number
                );
                Ok(format!(
                    "{} ({}): one card with the number, and it is the one that the operator hangs on",
                    person.full_name(),
                    person.number
                ))
            }
            Show::Due(people) => {
                let plan = stage.plan(now).await?.plan;
                let due = plan.retained.iter().filter(|one| one.state == RetentionState::Due);
                let due: Vec<String> = due.map(|one| format!("{} (due {})", one.key, day(one.due))).collect();
                let wanted: Vec<String> = people.iter().map(|who| (FIRST_NUMBER + who).to_string()).collect();
                let same =
                    due.len() == wanted.len() && due.iter().all(|one| wanted.iter().any(|it| one.starts_with(it)));
                ensure!(
                    same,
                    "this is not as the demo claims: due are {due:?}, the story says {wanted:?}"
                );
                Ok(format!("cardsync anonymize list: {}", due.join(", ")))
            }
            Show::Certificate(who) => {
                let person = person(who)?;
                let card = card_id(person.number).to_string();
                let certificates = stage.certificates().await?;
                let one = certificates.iter().find(|one| one.card.as_str() == card);
                let one = one.context("this is not as the demo claims: there is no certificate")?;
                let text = serde_json::to_string(one)?;
                let number = person.number.to_string();
                for word in [&number, &person.mail, &person.login, &person.phone] {
                    ensure!(
                        !text.contains(word.as_str()),
                        "this is not as the demo claims: {word} is in the certificate"
                    );
                }
                Ok(format!(
                    "cardsync anonymize certificates: card {card}, archived on {}, seen anonymized in TOPdesk on {}; a keyed hash \
                     of the number, and no name",
                    day(one.archived_at.map(day_of)),
                    day_of(one.at).format(DATE)
                ))
            }
            Show::NothingKept(who) => {
                let person = person(who)?;
                let number = person.number.to_string();
                let words = [&number, &person.mail, &person.login, &person.phone];
                let (mut files, mut bytes) = (0, 0);
                // What is there is found: the number of the first of those who work here.
                let other = FIRST_NUMBER.to_string();
                let mut finds = false;
                for path in stage.kept()? {
                    let content = unpacked(fs::read(&path)?)?;
                    for word in words {
                        ensure!(
                            !content.windows(word.len()).any(|part| part == word.as_bytes()),
                            "this is not as the demo claims: {word} is still in {}",
                            path.display()
                        );
                    }
                    finds |= content.windows(other.len()).any(|part| part == other.as_bytes());
                    files += 1;
                    bytes += content.len();
                }
                ensure!(
                    finds,
                    "this is not as the demo claims: the state keeps nothing of anybody"
                );
                Ok(format!(
                    "the {files} files of cardsync's state, {} MB unpacked: number, address, login and phone of this person \
                     are in none of them",
                    bytes.div_ceil(1_000_000)
                ))
            }
        }
    }
}

const DATE: &str = "%-d %B %Y";

fn day(day: Option<NaiveDate>) -> String {
    day.map_or_else(|| "an unknown day".to_owned(), |day| day.format(DATE).to_string())
}

/// The cards with somebody's number.
fn cards_of<'a>(state: &'a Value, person: &Person) -> Vec<&'a Value> {
    let number = person.number.to_string();
    let cards = state["persons"].as_array().into_iter().flatten();
    cards.filter(|card| card["employeeNumber"] == *number).collect()
}

fn operator_of<'a>(state: &'a Value, card: &Value) -> Option<&'a Value> {
    let mut operators = state["operators"].as_array().into_iter().flatten();
    operators.find(|operator| operator["linkedPerson"]["id"] == card["id"])
}

/// What a gzip file holds; other bytes as they are.
fn unpacked(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
    Ok(plain)
}
