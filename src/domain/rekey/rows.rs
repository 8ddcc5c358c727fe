//! What pairing gives: a row for every card that was looked at.

use super::marks::Agreement;
use crate::domain::card::OperatorLink;
use crate::domain::ids::CardId;
use crate::domain::key::{Key, RawKey};
use crate::domain::record::Anchor;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How sure a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// A witness of the person agrees; or account, whole name and time, and nobody else has the name.
    Sure,
    /// E-mail address or login, and the whole name: it belongs to the seat, which is handed on.
    Likely,
    /// A part of it.
    Possible,
}

impl Grade {
    /// The word, as in lists.
    pub fn word(self) -> &'static str {
        match self {
            Grade::Sure => "sure",
            Grade::Likely => "likely",
            Grade::Possible => "possible",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a card has no pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoPair {
    /// Nobody of the sources resembles it.
    Nobody,
    /// E-mail address or login are this person's, and the name is somebody else's: handed on.
    HandedOn,
    /// All else agrees and a date does not: a namesake?
    DateDiffers,
    /// Two or more people resemble it alike.
    SeveralPeople,
    /// Two or more cards resemble this person alike.
    SeveralCards,
    /// Another card resembles the person more.
    RatherAnother,
    /// The person has a card with the key already; this one has no operator, or both have.
    SecondCard,
    /// The person has a card with the key, or is about to get it, and this one has the operator: a run offers to make one of
    /// the two.
    Twin,
    /// `include` does not say yes for the person.
    OutOfScope,
    /// The card is archived: the key cannot be written as long as it is.
    Archived,
    /// Linked to an API account, a TOPdesk account or cardsync's own account: never touched.
    SpecialAccount,
    /// On the list of those who are never touched.
    Protected,
}

/// What is shown of one side, for those who know the people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub name: String,
    pub email: String,
    pub login: String,
}

/// A card and its person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    pub grade: Grade,
    pub key: Key,
    /// What is written onto the card.
    pub raw_key: RawKey,
    pub person: Shown,
    pub agreement: Agreement,
    /// The person is leaving or has left: the card gets the key all the same, so that it can be archived.
    pub leaves: bool,
    /// A card with an operator that looks like the same person's: once the key is on this one, a run offers to move it there.
    pub twin: Option<CardId>,
    /// Others of the same full name whom nothing tells apart from this pair.
    pub namesakes: Namesakes,
    /// The hash of the person, as far as the pair rests on them.
    pub mark: String,
}

/// People and cards of the same full name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Namesakes {
    /// Of the sources.
    pub people: Vec<Key>,
    pub cards: Vec<CardId>,
}

/// What comes of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    Pair(Box<Pair>),
    None {
        why: NoPair,
        /// The people that it is about.
        people: Vec<Key>,
        /// Other cards that it is about.
        cards: Vec<CardId>,
    },
}

/// One card that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub card: CardId,
    pub operator: OperatorLink,
    pub shown: Shown,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The hash of the card, as far as the pair rests on it.
    pub mark: String,
}

impl Row {
    /// The pair, if there is one.
    pub fn pair(&self) -> Option<&Pair> {
        match &self.verdict {
            Verdict::Pair(pair) => Some(pair),
            Verdict::None { .. } => None,
        }
    }
}

/// A person without a card, who can be given one by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreePerson {
    pub raw_key: RawKey,
    pub shown: Shown,
    pub anchors: Vec<Anchor>,
    pub in_scope: bool,
}

/// All cards that were looked at, those with an operator first.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    pub rows: Vec<Row>,
    /// People of the sources whom no card with the key stands for.
    pub free: BTreeMap<Key, FreePerson>,
    /// People of the sources who have their card.
    pub taken: BTreeMap<Key, CardId>,
    /// Numbers that several records, or several cards, have: nothing is done for them.
    pub in_conflict: BTreeSet<Key>,
}

/// Which cards are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those without a key.
    Keyless,
    /// Those, and the ones with a key that nobody of the sources has.
    Unclaimed,
}
