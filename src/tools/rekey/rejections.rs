//! Rows that somebody has said no to, in a list or where the same pair waited.

use super::pairing::{Pairing, Rejected};
use super::writing::{Chosen, ChosenBy, adoptions};
use crate::core::input::PlanInput;
use crate::core::memory::decision::Answer;
use crate::core::memory::rejected_pairs::pair_id;
use crate::core::model::ids::{CardId, ItemId};
use std::collections::BTreeMap;

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
