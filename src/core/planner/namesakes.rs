//! The archived card of somebody who works here on another card: who came back under a new number may have got a new
//! card, or an old one without a number. Their key is in no source, and they are present all the same (RULES 5).

use super::{Planner, text_of};
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::field::CardField;
use crate::core::model::record::Anchor;
use crate::core::plan::ActionKind;
use crate::core::plan::hold::shared_marks;
use crate::core::reads::cards::{CardState, Likeness, LookAlikes};
use std::collections::{BTreeMap, BTreeSet};

/// The index over the cards that are active or are to be; made only where somebody is about to be anonymized.
#[derive(Default)]
pub(super) struct Namesakes {
    look_alikes: LookAlikes,
    by_anchor: BTreeMap<Anchor, usize>,
}

/// Such a card that has something in common with an archived one.
pub(super) struct Namesake {
    /// In words: which card, and what they share.
    pub words: String,
    /// They share more than a full name, so that it is taken for the same person until a human says otherwise.
    pub is_likely: bool,
}

impl Namesakes {
    pub(super) fn of(planner: &Planner<'_>) -> Self {
        let mut namesakes = Namesakes::default();
        let returning: BTreeSet<usize> = planner
            .drafts
            .iter()
            .filter(|draft| draft.action.kind() == ActionKind::Unarchive)
            .filter_map(|draft| draft.card)
            .collect();
        let is_present = |card: usize| {
            let active = !planner.index.cards[card].archived || returning.contains(&card);
            active && *planner.index.state(card) != CardState::Anonymized
        };
        for card in (0..planner.index.cards.len()).filter(|card| is_present(*card)) {
            let likeness = Likeness::of_card(&planner.index.cards[card]);
            namesakes.look_alikes.add(card, &likeness);
        }
        for operator in &planner.input.target.operators {
            let linked = operator
                .linked_person
                .as_ref()
                .and_then(|id| planner.index.position(id));
            if let Some(card) = linked.filter(|card| is_present(*card)) {
                namesakes.look_alikes.add(card, &Likeness::of_operator(operator));
            }
        }
        // What the sources say of them is not on the card yet, or cannot be: the archived card may hold their login.
        for (number, draft) in planner.drafts.iter().enumerate() {
            let other = match (draft.action.kind(), draft.card) {
                (ActionKind::Create, None) => planner.index.cards.len() + number,
                (ActionKind::Update | ActionKind::Adopt | ActionKind::Unarchive, Some(card)) if is_present(card) => {
                    card
                }
                (_, _) => continue,
            };
            let fields = draft.action.fields();
            let likeness = Likeness::of(|field| text_of(fields, field).map(str::to_owned));
            namesakes.look_alikes.add(other, &likeness);
            if draft.card.is_none() {
                namesakes
                    .by_anchor
                    .extend(draft.anchors.iter().map(|anchor| (anchor.clone(), other)));
            }
        }
        for (id, entry) in &planner.input.ledger {
            if let Some(card) = planner.index.position(id).filter(|card| is_present(*card)) {
                namesakes
                    .by_anchor
                    .extend(entry.anchors.iter().map(|anchor| (anchor.clone(), card)));
            }
        }
        namesakes
    }

    /// The one that has most in common with the archived card, which is the first of those with as much.
    pub(super) fn beside(&self, planner: &Planner<'_>, entry: &LedgerEntry, card: usize) -> Option<Namesake> {
        let mut alike: BTreeMap<usize, BTreeSet<CardField>> = BTreeMap::new();
        for likeness in planner.likenesses_of_operator_card(card) {
            for (other, marks) in self.look_alikes.find(&likeness) {
                alike.entry(other).or_default().extend(marks);
            }
        }
        let by_anchor = entry.anchors.iter().find_map(|anchor| self.by_anchor.get(anchor));
        if let Some(other) = by_anchor {
            alike.entry(*other).or_default();
        }
        let beyond_the_name = |marks: &BTreeSet<CardField>| marks.iter().any(|mark| *mark != CardField::SurName);
        let weight = |(other, marks): &(&usize, &BTreeSet<CardField>)| {
            (
                by_anchor == Some(*other),
                beyond_the_name(marks),
                marks.len(),
                std::cmp::Reverse(**other),
            )
        };
        let (other, marks) = alike.iter().max_by_key(weight)?;
        let same_anchor = by_anchor == Some(other);
        let who = Self::words_for(planner, *other);
        Some(Namesake {
            words: format!("{who} has the same {}", shared_marks(marks, same_anchor).join(", ")),
            is_likely: same_anchor || beyond_the_name(marks),
        })
    }

    /// Without the key, which may be a login or an e-mail address: these words stand in redacted output too.
    fn words_for(planner: &Planner<'_>, other: usize) -> String {
        match planner.index.cards.get(other) {
            None => "somebody who is to get a card".to_owned(),
            Some(card) if card.archived => format!("the returning card {}", card.id),
            Some(card) => format!("the active card {}", card.id),
        }
    }
}
