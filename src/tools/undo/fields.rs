//! Fields that tie cards together: a login that one card must give up before the other can have it back, and managers.

use super::card::{Back, Ids, Turn, Way};
use super::{Kept, WhyKept};
use crate::core::input::PlanInput;
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::reads::cards::{CardIndex, fold};
use std::collections::{BTreeMap, BTreeSet};

/// Which turn's change needs which other turn's first.
#[derive(Default)]
pub(super) struct Order {
    /// (who, the field, whom, what of them).
    needs: Vec<(usize, CardField, usize, Need)>,
}

/// What of another card must be done first.
#[derive(Clone, Copy)]
enum Need {
    Field(CardField),
    Unarchive,
}

impl Order {
    /// In ids: what each change needs.
    pub(super) fn needs(&self, made: &[Ids]) -> BTreeMap<ItemId, BTreeSet<ItemId>> {
        let mut needs: BTreeMap<ItemId, BTreeSet<ItemId>> = BTreeMap::new();
        for (who, field, whom, what) in &self.needs {
            let needed = match what {
                Need::Field(field) => made[*whom].fields.get(field),
                Need::Unarchive => made[*whom].unarchive.as_ref(),
            };
            if let (Some(change), Some(needed)) = (made[*who].fields.get(field), needed) {
                needs.entry(change.clone()).or_default().insert(needed.clone());
            }
        }
        needs
    }
}

/// Takes out what cannot go back because of other cards, and says what must come first.
pub(super) fn between_cards(
    input: &PlanInput,
    index: &CardIndex<'_>,
    turns: &mut [Turn<'_>],
    kept: &mut Vec<Kept>,
) -> Order {
    let mut order = Order::default();
    unwanted_logins(turns);
    logins(input, index, turns, kept, &mut order);
    managers(index, turns, kept, &mut order);
    flags(input, index, turns, kept, &mut order);
    order
}

fn login(value: Option<&FieldValue>) -> Option<String> {
    match value {
        Some(FieldValue::Text(text)) => Some(fold(text)),
        Some(FieldValue::Flag(_) | FieldValue::Number(_) | FieldValue::Date(_) | FieldValue::Reference(_)) | None => {
            None
        }
    }
}

fn login_back(back: &Turn<'_>) -> Option<String> {
    let back = back.fields.get(&CardField::TasLoginName)?;
    login(back.before.as_ref())
}

/// A card that was made gives its login up only for somebody who gets it back.
fn unwanted_logins(turns: &mut [Turn<'_>]) {
    let wanted: BTreeSet<String> = turns
        .iter()
        .filter(|turn| !turn.created)
        .filter_map(login_back)
        .collect();
    for turn in turns.iter_mut().filter(|turn| turn.created) {
        turn.fields
            .retain(|_, back| login(back.wrote.as_ref()).is_some_and(|login| wanted.contains(&login)));
    }
}

fn logins(input: &PlanInput, index: &CardIndex<'_>, turns: &mut [Turn<'_>], kept: &mut Vec<Kept>, order: &mut Order) {
    let reserved = input.policy.archived_logins_reserved;
    let mut holders: BTreeMap<String, usize> = BTreeMap::new();
    if turns.iter().any(|turn| login_back(turn).is_some()) {
        for (number, card) in index
            .cards
            .iter()
            .enumerate()
            .filter(|(_, card)| reserved || !card.archived)
        {
            holders.extend(login(card.fields.get(CardField::TasLoginName)).map(|login| (login, number)));
        }
    }
    // Whoever gives up nothing blocks the one who waits, and that one the next.
    loop {
        let by_card: BTreeMap<usize, usize> = turns
            .iter()
            .enumerate()
            .map(|(number, turn)| (turn.card, number))
            .collect();
        let giver = |turn: &Turn<'_>| -> Option<Result<usize, ()>> {
            let holder = *holders.get(&login_back(turn)?).filter(|holder| **holder != turn.card)?;
            let gives = by_card.get(&holder).copied();
            let gives = gives.filter(|giver| turns[*giver].fields.contains_key(&CardField::TasLoginName));
            Some(gives.ok_or(()))
        };
        let in_circle = |start: usize| {
            let mut at = start;
            for _step in 0..=turns.len() {
                match giver(&turns[at]) {
                    Some(Ok(next)) if next == start => return true,
                    Some(Ok(next)) => at = next,
                    Some(Err(())) | None => return false,
                }
            }
            false
        };
        let blocked: Vec<usize> = (0..turns.len())
            .filter(|number| matches!(giver(&turns[*number]), Some(Err(()))) || in_circle(*number))
            .collect();
        if blocked.is_empty() {
            for (number, turn) in turns.iter().enumerate() {
                if let Some(Ok(giver)) = giver(turn) {
                    let needed = Need::Field(CardField::TasLoginName);
                    order.needs.push((number, CardField::TasLoginName, giver, needed));
                }
            }
            return;
        }
        for number in blocked {
            keep(&mut turns[number], CardField::TasLoginName, WhyKept::LoginHeld, kept);
        }
    }
}

fn keep(turn: &mut Turn<'_>, field: CardField, why: WhyKept, kept: &mut Vec<Kept>) {
    if let Some(Back { deed, .. }) = turn.fields.remove(&field) {
        kept.push(Kept::new(deed, Some(field), why));
    }
}

fn manager(value: Option<&FieldValue>) -> Option<&CardId> {
    match value {
        Some(FieldValue::Reference(Reference::Card { id, .. })) => Some(id),
        Some(
            FieldValue::Reference(Reference::Entry { .. } | Reference::FreeText(_) | Reference::Pending(_))
            | FieldValue::Text(_)
            | FieldValue::Flag(_)
            | FieldValue::Number(_)
            | FieldValue::Date(_),
        )
        | None => None,
    }
}

/// The manager of before must have an active card, or get it back.
fn managers(index: &CardIndex<'_>, turns: &mut [Turn<'_>], kept: &mut Vec<Kept>, order: &mut Order) {
    let woken: BTreeMap<usize, usize> = turns
        .iter()
        .enumerate()
        .filter(|(_, turn)| matches!(turn.way, Way::Unarchive(..)))
        .map(|(number, turn)| (turn.card, number))
        .collect();
    let mut gone = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        let back = turn.fields.get(&CardField::Manager);
        let Some(id) = back.and_then(|back| manager(back.before.as_ref())) else {
            continue;
        };
        let card = index.position(id);
        match card
            .filter(|card| index.cards[*card].archived)
            .map(|card| woken.get(&card))
        {
            Some(Some(waker)) => order.needs.push((number, CardField::Manager, *waker, Need::Unarchive)),
            None if card.is_some() => {}
            Some(None) | None => gone.push(number),
        }
    }
    for number in gone {
        keep(&mut turns[number], CardField::Manager, WhyKept::ManagerArchived, kept);
    }
}

/// A manager's flag goes last, and not while somebody refers to the card.
fn flags(input: &PlanInput, index: &CardIndex<'_>, turns: &mut [Turn<'_>], kept: &mut Vec<Kept>, order: &mut Order) {
    if !input.policy.manager_flag {
        return;
    }
    let by_card: BTreeMap<usize, usize> = turns
        .iter()
        .enumerate()
        .map(|(number, turn)| (turn.card, number))
        .collect();
    let mut needed = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        let back = turn.fields.get(&CardField::IsManager);
        if back.is_none_or(|back| back.before == Some(FieldValue::Flag(true))) {
            continue;
        }
        let id = &index.cards[turn.card].id;
        let reports = index
            .cards
            .iter()
            .enumerate()
            .filter(|(_, card)| !card.archived && manager(card.fields.get(CardField::Manager)) == Some(id));
        for (report, _) in reports {
            let leaves = by_card
                .get(&report)
                .filter(|report| turns[**report].fields.contains_key(&CardField::Manager));
            match leaves {
                Some(report) => {
                    let first = Need::Field(CardField::Manager);
                    order.needs.push((number, CardField::IsManager, *report, first));
                }
                None => needed.push(number),
            }
        }
    }
    for number in needed {
        keep(&mut turns[number], CardField::IsManager, WhyKept::StillManager, kept);
    }
}
