//! A change that was begun and reached neither its end nor its safe end. It is known from the journal and not from a plan, and
//! it is over when the change is, whatever a run could judge.

use super::{Addressee, Concern, ConcernCode};
use crate::core::memory::decision::Decision;
use crate::core::model::card::OperatorLink;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::safe_end::{Begun, HalfDone};
use crate::core::plan::{ActionKind, short_hash};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What needs a human of each change that is half-way.
pub fn half_way<'a>(
    halves: impl IntoIterator<Item = &'a HalfDone>,
    decisions: &BTreeMap<ItemId, Decision>,
    now: DateTime<Utc>,
) -> Vec<Concern> {
    let concern = |half: &HalfDone| {
        let cards: Vec<String> = half.cards.iter().map(|card| format!("card {card}")).collect();
        let identity = match &half.begun {
            Some(Begun { item, run, .. }) => format!("{run} {item}"),
            None => cards.join(" "),
        };
        let id = ItemId::new(short_hash(format!("concern\nhalf_way\n{identity}").as_bytes()));
        let rejected = decisions.get(&id).filter(|decision| decision.keeps_quiet(now));
        let first = half.begun.as_ref().and_then(|begun| begun.card.clone());
        let (what, cure) = words(half);
        Concern {
            rejected_by: rejected.map(|decision| decision.by.clone()),
            id,
            code: ConcernCode::HalfWay,
            addressee: Addressee::Desk,
            key: half.key.clone(),
            person_id: first.or_else(|| half.cards.first().cloned()),
            name: None,
            operator: OperatorLink::ProvenNone,
            places: cards,
            what,
            cure,
            acceptance: None,
        }
    };
    halves.into_iter().map(concern).collect()
}

fn words(half: &HalfDone) -> (String, String) {
    let by_itself = "cardsync finishes it by itself in the next run where it can";
    let Some(Begun { action, run, card, .. }) = &half.begun else {
        return (
            "a change was begun and not finished: nothing else happens to these cards".to_owned(),
            format!("look at the cards and their operators in TOPdesk; {by_itself}"),
        );
    };
    let what = format!("{action} was begun in run {run} and not finished: nothing else happens to these cards");
    let is_first = |id: &&CardId| Some(*id) == card.as_ref();
    let other = half.cards.iter().find(|id| !is_first(id));
    let todo = match (action, card, other, &half.key, &half.other_key) {
        (ActionKind::Exchange, Some(card), Some(other), Some(key), Some(other_key)) => format!(
            "look at the names on both cards in TOPdesk: {key} belongs on card {card}, {other_key} on card {other}, and no number \
             may stand on two active cards"
        ),
        (ActionKind::Exchange, ..) => {
            "look at the names on both cards in TOPdesk: each person's number belongs on their own card".to_owned()
        }
        (ActionKind::Merge, Some(card), Some(other), Some(key), _) => format!(
            "in TOPdesk {key} belongs on card {card} alone, or, as before, on card {other} alone; archive the one without it"
        ),
        (ActionKind::Unarchive, ..) => {
            "look at the operators of the card in TOPdesk: archive the one that was to stay archived".to_owned()
        }
        (ActionKind::Anonymize, ..) => "archive the card in TOPdesk".to_owned(),
        (
            ActionKind::CreateEntry
            | ActionKind::Create
            | ActionKind::Update
            | ActionKind::Adopt
            | ActionKind::Merge
            | ActionKind::SetReferences
            | ActionKind::Archive,
            ..,
        ) => "look at the card and its operators in TOPdesk".to_owned(),
    };
    (what, format!("{todo}; {by_itself}"))
}
