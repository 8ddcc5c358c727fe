//! What an undo took back waits: its changes get a doubt of their own, and fields that were undone are taken out of an
//! update, so that only they wait.

use super::{Draft, Planner};
use crate::core::memory::pin::{Pin, Pinned};
use crate::core::model::ids::CardId;
use crate::core::plan::{Action, FieldChange};
use std::collections::BTreeMap;

impl Planner<'_> {
    /// Whether an undo took its number off this card.
    pub(super) fn number_taken_off(&self, card: &CardId) -> bool {
        let mut pins = self.input.pins.iter();
        pins.any(|pin| pin.card == *card && matches!(pin.what, Pinned::Adopt { .. }))
    }

    /// Marks what is pinned.
    pub(super) fn pin(&self, drafts: &mut Vec<Draft>) {
        let mut by_card: BTreeMap<&CardId, Vec<&Pin>> = BTreeMap::new();
        for pin in &self.input.pins {
            by_card.entry(&pin.card).or_default().push(pin);
        }
        if by_card.is_empty() {
            return;
        }
        for number in 0..drafts.len() {
            let Some(card) = drafts[number].card else { continue };
            let Some(pins) = by_card.get(&self.index.cards[card].id) else {
                continue;
            };
            let draft = &mut drafts[number];
            let whole = pins
                .iter()
                .find(|pin| pin.holds_action(&draft.action, draft.key.as_ref(), &draft.evidence));
            if let Some(pin) = whole {
                draft.doubts.push(pin.reason());
                continue;
            }
            if let Some(apart) = set_apart(draft, pins) {
                drafts.push(apart);
                let apart = drafts.len() - 1;
                // Whoever waits for the change waits for both halves of it.
                for other in &mut drafts[..apart] {
                    if other.after.contains(&number) {
                        other.after.push(apart);
                    }
                }
            }
        }
    }
}

/// Takes the pinned fields out of a change of a card; where nothing else is left the change itself waits.
fn set_apart(draft: &mut Draft, pins: &[&Pin]) -> Option<Draft> {
    let (Action::Update { fields } | Action::SetReferences { fields }) = &mut draft.action else {
        return None;
    };
    let pin_of = |change: &FieldChange| pins.iter().find(|pin| pin.holds_field(change));
    let reason = fields.iter().find_map(pin_of)?.reason();
    let (pinned, free): (Vec<FieldChange>, Vec<FieldChange>) =
        fields.drain(..).partition(|change| pin_of(change).is_some());
    if free.is_empty() {
        *fields = pinned;
        draft.doubts.push(reason);
        return None;
    }
    *fields = free;
    let mut apart = draft.clone();
    apart.doubts.push(reason);
    if let Action::Update { fields } | Action::SetReferences { fields } = &mut apart.action {
        *fields = pinned;
    }
    Some(apart)
}
