//! Cards that have each other's number (RULES 1.8). Two of them are one item that puts both right; a circle of more is told, for
//! each of its cards waits by itself.

use super::{Draft, Planner};
use crate::core::model::field::FieldValue;
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::Anchor;
use crate::core::plan::exchange::{Side, exchange};
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{Action, ActionKind, SkipReason};
use crate::core::reads::cards::Likeness;
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::Use;
use std::collections::BTreeMap;

/// An active card that bears the number of one person of the sources and shows another one wholly.
#[derive(Debug)]
pub(super) struct Stranger {
    /// Whose number it has.
    bears: Key,
    raw_key: RawKey,
    anchors: Vec<Anchor>,
    /// Whom it shows: nobody else of the sources has that name and account.
    shows: Key,
}

impl Planner<'_> {
    /// Remembers whom a card shows that bears somebody else's number.
    pub(super) fn note_stranger(&mut self, person: &Person<'_>, card: usize) {
        if self.index.cards[card].archived {
            return;
        }
        let on_card = Likeness::of_card(&self.index.cards[card]);
        if let [shows] = self.whose_wholly(person.key, &on_card).as_slice() {
            let stranger = Stranger {
                bears: person.key.clone(),
                raw_key: person.joined.raw_key.clone(),
                anchors: person.anchors.clone(),
                shows: (*shows).clone(),
            };
            self.strangers.insert(card, stranger);
        }
    }

    /// Looks along the cards that bear somebody else's number.
    pub(super) fn exchanges(&mut self) {
        let strange = std::mem::take(&mut self.strangers);
        let by_number: BTreeMap<&Key, usize> = strange.iter().map(|(card, one)| (&one.bears, *card)).collect();
        self.name_their_own_cards(&strange);
        for (card, one) in &strange {
            let Some(circle) = circle(*card, &strange, &by_number) else {
                continue;
            };
            match circle.as_slice() {
                [first, second] if first == card => self.exchange([*first, *second], [one, &strange[second]]),
                [_, _] => {}
                // Which number goes where is plain, and too much for one look.
                circle => {
                    let ids: Vec<CardId> = circle.iter().map(|card| self.index.cards[*card].id.clone()).collect();
                    self.tell_circle(*card, &ids);
                }
            }
        }
    }

    /// What is not known of a person is about the card that shows them, and its operator, not about the one that bears their
    /// number.
    fn name_their_own_cards(&mut self, strange: &BTreeMap<usize, Stranger>) {
        let shows: BTreeMap<&Key, usize> = strange.iter().map(|(card, one)| (&one.shows, *card)).collect();
        let own = |key: &Key, named: &CardId| {
            let card = self.index.position(named)?;
            let bears = &strange.get(&card)?.bears;
            let own = shows.get(key).filter(|_| bears == key)?;
            Some(self.index.cards[*own].id.clone())
        };
        for skip in &mut self.skipped {
            if let (SkipReason::LeavingUnknown, Some(key), Some(named)) = (skip.reason, &skip.key, &skip.card)
                && let Some(own) = own(key, named)
            {
                skip.detail = format!(
                    "{} (card {own} shows this person, card {named} bears the number)",
                    skip.detail
                );
                skip.card = Some(own);
            }
        }
    }

    /// One item instead of everything that the wrong numbers would bring.
    fn exchange(&mut self, cards: [usize; 2], [one, two]: [&Stranger; 2]) {
        let side = |card: usize, stranger: &Stranger| Side {
            card,
            key: stranger.bears.clone(),
            to: FieldValue::Text(stranger.raw_key.to_write().into()),
        };
        // Each gets the number that stands on the other.
        let sides = [side(cards[0], two), side(cards[1], one)];
        let (action, first) = exchange(self.input, &self.index, sides);
        let theirs = if first.card == cards[0] { two } else { one };
        // That one of the two leaves is another question, with an id of its own: nobody leaves behind an earlier no.
        let mut evidence = Vec::new();
        for draft in self
            .drafts
            .iter_mut()
            .filter(|it| it.card.is_some_and(|card| cards.contains(&card)))
        {
            if draft.action.kind() == ActionKind::Archive {
                evidence.append(&mut draft.evidence);
            }
            draft.action = Action::Update { fields: Vec::new() };
            (draft.doubts, draft.evidence) = (vec![HoldReason::ExchangedNumbers], Vec::new());
        }
        self.manager_wishes
            .retain(|wish| wish.card.is_none_or(|card| !cards.contains(&card)));
        self.left.retain(|left| !cards.contains(&left.card));
        let degraded = self.target_doubt(Use::Adopt);
        let ids = cards.map(|card| self.index.cards[card].id.clone());
        let operators = cards
            .iter()
            .filter(|card| self.index.operator(**card).is_linked())
            .map(|card| {
                format!(
                    "card {} has an operator, which stays with it",
                    self.index.cards[*card].id
                )
            });
        let why = std::iter::once(format!(
            "card {} shows whom the number of card {} belongs to, and the other way round",
            ids[0], ids[1]
        ));
        let leaves = (!evidence.is_empty())
            .then(|| "one of the two leaves: their card is archived once both have their own number".to_owned());
        let why = why.chain(operators).chain(leaves).collect();
        let operator = self.index.operator(first.card);
        self.draft(Draft {
            raw_key: Some(theirs.raw_key.clone()),
            evidence,
            doubts: std::iter::once(HoldReason::ExchangedNumbers).chain(degraded).collect(),
            why,
            anchors: theirs.anchors.clone(),
            ..Draft::new(action, Some(first.key.clone()), Some(first.card), operator)
        });
    }

    fn tell_circle(&mut self, card: usize, circle: &[CardId]) {
        let shown: Vec<&str> = circle.iter().map(CardId::as_str).collect();
        let told = format!(
            "{} cards have each other's numbers in a circle; each has the number of whom the one before it shows: {}. Put them right \
             in TOPdesk, all in one go",
            circle.len(),
            shown.join(", ")
        );
        for draft in self.drafts.iter_mut().filter(|draft| draft.card == Some(card)) {
            draft.why.push(told.clone());
        }
    }
}

/// The cards that have each other's numbers, from this one on, the lowest first: each shows whose number the next one has.
fn circle(start: usize, strange: &BTreeMap<usize, Stranger>, by_number: &BTreeMap<&Key, usize>) -> Option<Vec<usize>> {
    let mut circle = vec![start];
    let mut at = start;
    loop {
        at = *by_number.get(&strange[&at].shows)?;
        if at == start {
            break;
        }
        if circle.contains(&at) {
            // It leads into a circle of others.
            return None;
        }
        circle.push(at);
    }
    let lowest = circle.iter().enumerate().min_by_key(|(_, card)| **card);
    let lowest = lowest.map_or(0, |(place, _)| place);
    circle.rotate_left(lowest);
    (circle.len() > 1).then_some(circle)
}
