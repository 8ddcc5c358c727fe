//! What somebody has said no to: that a card is a person's. It is remembered for the card and the number, whatever else
//! changes on either side, until somebody says the opposite (RULES 1.7).

use crate::core::memory::decision::{Answer, Decision};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::plan::short_hash;
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
