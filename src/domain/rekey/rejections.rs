//! What somebody has said no to: that a card is a person's. It is remembered for the card and the number, whatever else
//! changes on either side, until somebody says the opposite (RULES 1.7).

use super::pairing::{Pairing, Rejected};
use super::writing::{Chosen, ChosenBy, adoptions};
use crate::domain::decision::{Answer, Decision};
use crate::domain::ids::{CardId, ItemId};
use crate::domain::input::PlanInput;
use crate::domain::key::Key;
use crate::domain::plan::short_hash;
use std::collections::{BTreeMap, BTreeSet};

/// What a decision about a pair waives: nothing that is judged, only its own name in the log.
pub const PAIR: &str = "pair";

/// Under which a decision about a card and a number is kept. Without a number: that the card is nobody's of the sources. It
/// names the card, so that it goes when the card's person is forgotten.
pub fn pair_id(card: &CardId, key: Option<&Key>) -> ItemId {
    let content = serde_json::to_vec(&(card, key)).expect("plain data always serialises");
    ItemId::new(format!("pair-{card}-{}", short_hash(&content)))
}

/// A decision that stands until the opposite is decided.
pub fn decision(card: &CardId, key: Option<&Key>, answer: Answer, like: &Decision) -> Decision {
    Decision {
        item: pair_id(card, key),
        answer,
        waives: BTreeSet::from([PAIR.to_owned()]),
        until: None,
        ..like.clone()
    }
}

/// The rejection of a card and a number that is in force.
pub fn of_pair<'d>(
    decisions: &'d BTreeMap<ItemId, Decision>,
    card: &CardId,
    key: Option<&Key>,
) -> Option<&'d Decision> {
    let decision = decisions.get(&pair_id(card, key))?;
    (decision.answer == Answer::Reject).then_some(decision)
}

/// Notes on each row whether it was rejected: in a list, or where the same pair waited.
pub(super) fn note(pairing: &mut Pairing, input: &PlanInput) {
    let chosen: Vec<Chosen> = pairing
        .rows
        .iter()
        .filter_map(|row| {
            Some(Chosen {
                card: row.card.clone(),
                key: row.pair()?.key.clone(),
                by: ChosenBy::Grade,
            })
        })
        .collect();
    let items: BTreeMap<CardId, ItemId> = if input.decisions.is_empty() {
        BTreeMap::new()
    } else {
        let changes = adoptions(input, pairing, &chosen).changes.into_iter();
        changes.filter_map(|change| Some((change.card?, change.id))).collect()
    };
    for row in &mut pairing.rows {
        let of_pair = input
            .decisions
            .get(&pair_id(&row.card, row.pair().map(|pair| &pair.key)));
        let of_item = items.get(&row.card).and_then(|item| input.decisions.get(item));
        let last = of_pair.into_iter().chain(of_item).max_by_key(|decision| decision.at);
        row.rejected = last
            .filter(|decision| decision.answer == Answer::Reject)
            .map(|decision| Rejected {
                by: decision.by.clone(),
                at: decision.at,
                note: decision.note.clone(),
            });
    }
}
