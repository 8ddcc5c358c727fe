//! The application manager of the tale: answers part of what is held, and changes cards by hand now and then.

use super::chance::Chance;
use super::company::Company;
use super::seen::Seen;
use super::watch::Watch;
use cardsync::core::memory::decision::{Answer, HeldItem};
use cardsync::core::plan::{ActionKind, HoldReason};
use serde_json::{Value, json};
use topdesk_sandbox::RunningSandbox;

/// What they answer to an item; nothing where they let it wait. They know who is who.
pub fn answer(item: &HeldItem, company: &Company, watch: &Watch, chance: &mut Chance) -> Option<Answer> {
    let luck = chance.below(100);
    let often = |yes: usize, no: usize| match luck {
        n if n < yes => Some(Answer::Approve),
        n if n < yes + no => Some(Answer::Reject),
        _ => None,
    };
    let change = &item.change;
    let who = change.key.as_ref().and_then(|key| company.owner(key.as_str()));
    let card_of = change.person_id.as_ref().and_then(|card| watch.owner(card.as_str()));
    let is_present = who.is_some_and(|who| company.people[who].is_present(company.today));
    match change.action {
        ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge => {
            if who.is_some() && who == card_of {
                often(85, 0)
            } else {
                Some(Answer::Reject)
            }
        }
        ActionKind::Create => {
            let doubts = item.reasons.iter().any(|reason| {
                matches!(
                    reason,
                    HoldReason::AdoptOrCreate { .. }
                        | HoldReason::SamePerson { .. }
                        | HoldReason::PairedWith { .. }
                        | HoldReason::Drift { .. }
                )
            });
            if doubts && who.is_some_and(|who| watch.has_card(who)) {
                often(0, 30)
            } else {
                often(90, 0)
            }
        }
        ActionKind::Archive if is_present => Some(Answer::Reject),
        ActionKind::Archive | ActionKind::Unarchive => often(75, 10),
        ActionKind::Anonymize => often(85, 5),
        ActionKind::Update | ActionKind::SetReferences => often(85, 5),
        ActionKind::CreateEntry => Some(Answer::Approve),
    }
}

/// What they change in TOPdesk between two runs. The watch is told.
pub fn by_hand(sandbox: &RunningSandbox, seen: &Seen, company: &Company, watch: &mut Watch, chance: &mut Chance) {
    let cards = |is: &dyn Fn(&str) -> bool| -> Vec<&str> {
        let ids = seen.cards.keys().map(String::as_str);
        let mut ids: Vec<&str> = ids.filter(|id| is(id)).collect();
        // The ids of new cards are others in every run.
        ids.sort_by_key(|id| (&seen.cards[*id].surname, &seen.cards[*id].number));
        ids
    };
    let edit = |card: &str, mut what: Value| {
        what["person"] = json!(card);
        sandbox
            .edit(&what)
            .unwrap_or_else(|problem| panic!("{what}: {problem}"));
    };
    let present = |card: &str| {
        let owner = watch.owner(card);
        owner.is_some_and(|who| company.people[who].is_present(company.today))
    };
    let archived = |card: &str| seen.cards[card].archived && !seen.cards[card].is_anonymized();
    let active = |card: &str| !seen.cards[card].archived;
    let edited = chance.one_of(&cards(&|card| active(card) && present(card)));
    let put_away = chance.one_of(&cards(&|card| {
        active(card) && chance_of(card).is_multiple_of(3) == present(card)
    }));
    let woken = chance.one_of(&cards(&|card| archived(card) && !present(card) && watch.is_ours(card)));
    let blotted = chance.one_of(&cards(&|card| archived(card) && !present(card)));
    let deleted = chance.one_of(&cards(&|card| {
        archived(card) && !present(card) && Some(card) != blotted && Some(card) != woken
    }));
    if let Some(card) = edited {
        edit(card, json!({ "set": { "jobTitle": "Whatever" } }));
    }
    if let Some(card) = put_away.filter(|card| Some(*card) != edited) {
        edit(card, json!({ "set": { "archived": true } }));
        watch.archived_by_hand(card);
    }
    if let Some(card) = woken.filter(|_| chance.percent(40)) {
        edit(card, json!({ "set": { "archived": false } }));
        watch.woken_by_hand(card);
    } else if let Some(card) = blotted.filter(|_| chance.percent(60)) {
        edit(card, json!({ "anonymize": true }));
        watch.anonymized_by_hand(card);
    }
    if let Some(card) = deleted.filter(|_| chance.percent(40)) {
        edit(card, json!({ "delete": true }));
        watch.deleted_by_hand(card);
    }
}

/// A number that belongs to a text.
fn chance_of(text: &str) -> u64 {
    text.bytes().map(u64::from).sum()
}
