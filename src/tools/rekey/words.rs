//! Pairs of cards and people in words: what agrees, what speaks against it, why there is none.

use crate::tools::rekey::pairing::{Namesakes, NoPair, Pair};

/// Why a card has no pair, in words.
pub fn why_not(why: NoPair) -> &'static str {
    match why {
        NoPair::Nobody => "nobody of the sources resembles this card",
        NoPair::HandedOn => {
            "e-mail or login are this person's and the name is somebody else's: handed on to another human?"
        }
        NoPair::DateDiffers => "all else agrees and a date differs: two people of one name?",
        NoPair::SeveralPeople => "several people resemble this card alike: write the right number",
        NoPair::SeveralCards => "several cards resemble this person alike: give one of them the number",
        NoPair::RatherAnother => "another card resembles this person more",
        NoPair::SecondCard => "a second card of somebody who has one with the number: decide in TOPdesk",
        NoPair::NumberElsewhere => {
            "the number of this person stands on a card that shows somebody else (see the rivals): put that card right first, by its own \
             line where it has one; the list that is made after that offers the number for this card"
        }
        NoPair::Twin => {
            "the operator's card of somebody whose number is, or goes, on another card: cardsync run then offers to make one \
             of the two, and this one stays"
        }
        NoPair::OutOfScope => "out of scope by include",
        NoPair::Archived => {
            "archived, and no other card is this person's: unarchive it in TOPdesk, or a run offers a new card"
        }
        NoPair::SpecialAccount => "of an API account, a TOPdesk account or cardsync's own: never touched",
        NoPair::Protected => "on guard.protect: never touched",
    }
}

/// What agrees, in words.
pub fn agreeing(pair: &Pair) -> String {
    let names: Vec<&str> = pair.agreement.same.iter().map(|mark| mark.name()).collect();
    names.join(", ")
}

/// What there is to know of a pair beside what agrees.
pub fn remarks(pair: &Pair) -> Vec<String> {
    let agreement = &pair.agreement;
    let differ: Vec<&str> = agreement.differ.iter().map(|mark| mark.name()).collect();
    let differ = (!differ.is_empty()).then(|| format!("not the same: {}", differ.join(", ")));
    let swapped = agreement
        .swapped
        .then(|| "first name and surname stand the other way round".to_owned());
    let against = agreement.against.iter().map(|against| against.words().to_owned());
    let Namesakes { people, cards, records } = &pair.namesakes;
    let records = records
        .iter()
        .map(|record| format!("{record}, which has no number that can be used, has this name too"));
    let exchange = pair.exchange.as_ref().map(|other| {
        format!(
            "this card has the number of {} and card {} has this person's: one approval puts both right",
            other.key, other.card
        )
    });
    let people = people
        .iter()
        .map(|key| format!("{key} in the sources has this name too"));
    let cards = cards.iter().map(|card| format!("card {card} has this name too"));
    let twin = pair.twin.as_ref().map(|card| {
        format!(
            "card {card} has the operator: cardsync run then offers to move the number there and to archive this one"
        )
    });
    let remarks = differ.into_iter().chain(swapped).chain(against).chain(people);
    remarks
        .chain(cards)
        .chain(records)
        .chain(twin)
        .chain(exchange)
        .collect()
}
