//! Two numbers that were exchanged go back together: one alone would put the number of one person onto two cards.

use super::card::{Back, Turn, Way, undoes};
use super::{Deed, Kept, WhyKept, Written};
use crate::core::input::PlanInput;
use crate::core::memory::pin::Pinned;
use crate::core::model::field::FieldValue;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::{Key, KeyReading};
use crate::core::plan::exchange::{Side, exchange};
use crate::core::plan::{Action, Change, HoldReason, item_id};
use crate::core::reads::cards::CardIndex;
use crate::core::reads::snapshot::{Use, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// What was written to each card.
type WrittenTo<'a> = BTreeMap<CardId, Vec<(&'a Deed, &'a Written)>>;

/// By card the one with which these deeds exchanged its number, however many requests or items that took.
pub(super) fn partners(input: &PlanInput, cards: &WrittenTo<'_>) -> BTreeMap<CardId, CardId> {
    let mut moves: BTreeMap<(Key, Key), &CardId> = BTreeMap::new();
    for (card, deeds) in cards {
        let changes = || {
            let fields = deeds.iter().flat_map(|(_, written)| written.change.fields_on(card));
            fields.filter(|change| change.field == input.policy.key.card_field)
        };
        let before = changes().next().and_then(|change| read(input, change.from.as_ref()));
        let wrote = changes().next_back().and_then(|change| read(input, change.to.as_ref()));
        moves.extend(before.zip(wrote).map(|moved| (moved, card)));
    }
    let partner = |((before, wrote), card): (&(Key, Key), &&CardId)| {
        let other = moves.get(&(wrote.clone(), before.clone()))?;
        (other != card).then(|| ((*card).clone(), (*other).clone()))
    };
    moves.iter().filter_map(partner).collect()
}

fn read(input: &PlanInput, value: Option<&FieldValue>) -> Option<Key> {
    match input.policy.key.read(&value?.display()) {
        KeyReading::Key(key) => Some(key),
        KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } | KeyReading::Hidden { .. } => None,
    }
}

/// Takes the numbers of such cards out of their turns, and gives the changes that put both back, with what each card is pinned to.
/// Where one of the two cannot go back, the other stays as well.
pub(super) fn together(
    input: &PlanInput,
    index: &CardIndex<'_>,
    turns: &mut [Turn<'_>],
    (cards, partners): (&WrittenTo<'_>, &BTreeMap<CardId, CardId>),
    kept: &mut Vec<Kept>,
) -> Vec<(Change, Vec<(CardId, Pinned)>)> {
    let field = input.policy.key.card_field;
    let by_card: BTreeMap<&CardId, usize> = turns
        .iter()
        .enumerate()
        .map(|(number, turn)| (&index.cards[turn.card].id, number))
        .collect();
    let pairs: BTreeSet<(usize, usize)> = partners
        .iter()
        .filter_map(|(card, other)| Some((*by_card.get(card)?, *by_card.get(other)?)))
        .filter(|(one, two)| one < two)
        .collect();
    let mut changes = Vec::new();
    let mut paired: BTreeSet<usize> = BTreeSet::new();
    for (one, two) in pairs {
        let goes = |turn: &Turn<'_>| turn.fields.contains_key(&field) && matches!(turn.way, Way::Stays);
        if !goes(&turns[one]) || !goes(&turns[two]) {
            continue;
        }
        paired.extend([one, two]);
        let (Some(first), Some(second)) = (turns[one].fields.remove(&field), turns[two].fields.remove(&field)) else {
            unreachable!("both were just looked at");
        };
        let sides = [(turns[one].card, first), (turns[two].card, second)];
        changes.extend(back(input, index, sides));
    }
    for (card, other) in partners {
        let alone = by_card.get(card).filter(|number| !paired.contains(*number));
        let back = alone.and_then(|number| turns[*number].fields.remove(&field));
        kept.extend(back.map(|back| {
            let why = WhyKept::KeyElsewhere { card: other.clone() };
            Kept::new(back.deed, Some(field), why)
        }));
    }
    // What was written to the other card is not known any more, so neither number goes back.
    let alone = |card: &CardId| !partners.contains_key(card);
    let exchanged = |(_, written): &(&Deed, &Written)| matches!(written.change.action, Action::Exchange { .. });
    let halves = cards
        .iter()
        .filter(|(card, deeds)| alone(card) && deeds.iter().any(exchanged));
    for (card, _) in halves {
        let back = by_card
            .get(card)
            .and_then(|number| turns[*number].fields.remove(&field));
        kept.extend(back.map(|back| Kept::new(back.deed, Some(field), WhyKept::Forgotten)));
    }
    changes
}

fn back(
    input: &PlanInput,
    index: &CardIndex<'_>,
    [one, two]: [(usize, Back<'_>); 2],
) -> Option<(Change, Vec<(CardId, Pinned)>)> {
    let side = |(card, back): &(usize, Back<'_>)| {
        let to = back.before.clone()?;
        let key = read(input, Some(&to))?;
        Some(Side { card: *card, key, to })
    };
    let pinned = |(card, back): &(usize, Back<'_>)| {
        let key = read(input, back.wrote.as_ref())?;
        Some((index.cards[*card].id.clone(), Pinned::Adopt { key }))
    };
    let pins = [pinned(&one)?, pinned(&two)?].into();
    let (action, first) = exchange(input, index, [side(&one)?, side(&two)?]);
    let degraded = match &input.target.verdict {
        Verdict::Complete => false,
        Verdict::Degraded { cannot } => cannot.contains(&Use::Adopt),
        Verdict::Rejected => true,
    };
    let mut change = Change {
        id: ItemId::new(""),
        action,
        key: Some(first.key),
        raw_key: None,
        card: Some(index.cards[first.card].id.clone()),
        operator: index.operator(first.card),
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts: degraded.then_some(HoldReason::TargetDegraded).into_iter().collect(),
        why: vec![undoes(one.1.deed)],
        anchors: Vec::new(),
        overwrites: BTreeSet::new(),
        access_later: false,
        seen_in: Vec::new(),
    };
    change.id = item_id(&change);
    Some((change, pins))
}
