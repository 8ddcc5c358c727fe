//! The desk: a human who knows who is who, answers part of what waits, and changes cards by hand.

use super::oracle::Oracle;
use super::people::People;
use crate::years::chance::Chance;
use crate::years::seen::Seen;
use cardsync::core::memory::decision::{Answer, HeldItem};
use cardsync::core::plan::ActionKind;
use serde_json::{Value, json};
use topdesk_sandbox::RunningSandbox;

/// What they answer to an item; nothing where they let it wait.
pub fn answer(item: &HeldItem, people: &People, oracle: &Oracle, chance: &mut Chance) -> Option<Answer> {
    let change = &item.change;
    let who = change.key.as_ref().and_then(|key| people.owner(key.as_str()));
    let card_of = change.person_id.as_ref().and_then(|card| oracle.owner(card.as_str()));
    let works = who.is_some_and(|who| people.all[who].works(people.today));
    let right = match change.action {
        ActionKind::Archive => !works,
        ActionKind::Unarchive => works,
        ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge => who.is_some() && who == card_of,
        ActionKind::Create => who.is_some_and(|who| !oracle.has_card(who)),
        ActionKind::Anonymize => !works,
        ActionKind::Update | ActionKind::SetReferences | ActionKind::CreateEntry => true,
    };
    match (right, chance.below(100)) {
        (true, 0..=64) => Some(Answer::Approve),
        (false, 0..=49) => Some(Answer::Reject),
        _ => None,
    }
}

/// What they change in TOPdesk in a night; in words.
pub fn by_hand(
    sandbox: &RunningSandbox,
    seen: &Seen,
    people: &mut People,
    oracle: &mut Oracle,
    chance: &mut Chance,
) -> Option<String> {
    let mut cards: Vec<&str> = seen.cards.keys().map(String::as_str).collect();
    cards.retain(|card| oracle.owner(card).is_some() && !seen.cards[*card].is_anonymized());
    // The ids of new cards are others in every run.
    cards.sort_by_key(|card| {
        (
            &seen.cards[*card].number,
            oracle.owner(card),
            seen.cards[*card].archived,
        )
    });
    let card = chance.one_of(&cards)?;
    let who = oracle.owner(card)?;
    let archived = seen.cards[card].archived;
    let works = people.all[who].works(people.today);
    let edit = |mut what: Value| {
        what["person"] = json!(card);
        sandbox
            .edit(&what)
            .unwrap_or_else(|problem| panic!("{what}: {problem}"));
    };
    let what = match chance.below(100) {
        // A field, also of archived cards.
        0..=7 => {
            edit(json!({ "set": { "jobTitle": "Whatever" } }));
            oracle.touched(card);
            "edits a field of"
        }
        8..=12 if !archived && (!works || chance.percent(20)) => {
            edit(json!({ "set": { "archived": true } }));
            oracle.put_by_hand(card);
            "archives"
        }
        8..=14 if archived => {
            edit(json!({ "set": { "archived": false } }));
            oracle.put_by_hand(card);
            "wakes"
        }
        15 if archived && !works => {
            edit(json!({ "delete": true }));
            oracle.deleted(card);
            "deletes"
        }
        16 if !archived => {
            let wrong = format!("6{}", &people.all[who].number[1..]);
            edit(json!({ "set": { "employeeNumber": wrong } }));
            people.all[who].numbers.insert(wrong);
            oracle.touched(card);
            "changes the number of"
        }
        _ => return None,
    };
    Some(format!("the desk {what} the card of {}", people.all[who].number))
}
