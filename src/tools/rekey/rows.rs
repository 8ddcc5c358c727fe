//! What pairing gives: a row for every card that was looked at.

use super::pairing::Misplaced;
use crate::core::likeness::marks::Agreement;
use crate::core::likeness::names::WholeName;
use crate::core::model::card::OperatorLink;
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::Anchor;
use chrono::{DateTime, NaiveDate, Utc};
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
    /// The person's number stands on a card that shows somebody else.
    NumberElsewhere,
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

/// What is shown of one side, for those who know the people: by what is here they tell namesakes apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub name: String,
    pub email: String,
    pub login: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub department: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub site: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub born: Option<NaiveDate>,
    /// The person's first day; of a card the day on which it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// The person's last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// The name in its parts, to compare.
    #[serde(skip)]
    pub names: WholeName,
}

impl Shown {
    /// Of any way to look the text of a field up.
    pub(super) fn of(text: impl Fn(CardField) -> Option<String>) -> Self {
        let or_none = |field| text(field).unwrap_or_default();
        let parts = [CardField::FirstName, CardField::Prefixes, CardField::SurName].map(&text);
        let login = text(CardField::TasLoginName).or_else(|| text(CardField::NetworkLoginName));
        let phone = text(CardField::PhoneNumber).or_else(|| text(CardField::MobileNumber));
        Self {
            names: WholeName::of(&or_none(CardField::FirstName), &or_none(CardField::SurName)),
            name: parts.into_iter().flatten().collect::<Vec<_>>().join(" "),
            email: or_none(CardField::Email),
            login: login.unwrap_or_default(),
            phone: phone.unwrap_or_default(),
            department: or_none(CardField::Department),
            site: or_none(CardField::Branch),
            ..Self::default()
        }
    }

    /// By what somebody of the same name is told from others, on one line.
    pub fn told_apart_by(&self) -> String {
        let day = |word: &str, day: Option<NaiveDate>| day.map(|day| format!("{word} {day}"));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let parts = [
            day("born", self.born),
            day("since", self.since),
            day("until", self.until),
            text(&self.department),
            text(&self.site),
            text(&self.email),
            text(&self.phone),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
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
    /// The card has the number of somebody else, whose card has this person's: one decision puts both right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
}

/// The other card of two that have each other's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exchange {
    pub card: CardId,
    pub operator: OperatorLink,
    pub shown: Shown,
    /// The number that it is to get.
    pub key: Key,
    pub person: Shown,
}

/// People and cards of the same full name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Namesakes {
    /// Of the sources.
    pub people: Vec<Key>,
    pub cards: Vec<CardId>,
    /// Records of the sources that cannot be used, or whose number several have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
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
    /// What the row rests on: a list that comes back says by it what it showed.
    pub mark: RowMark,
    /// Somebody has said that this card is not this person's (or, without a pair, nobody's of the sources).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejected>,
}

/// Who said no to a row, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    pub by: String,
    pub at: DateTime<Utc>,
    pub note: Option<String>,
}

/// What a row rests on, in hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowMark {
    /// Of the card: its name, its marks and its operator.
    pub card: String,
    /// Of the number that is proposed and whose it is: names and marks. Without a pair, that there is none.
    pub proposal: String,
    /// The people and cards that resemble it as well, a hash of each: fewer of them make a pair no worse.
    pub others: Vec<String>,
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

/// A person of the sources, who may be given a card by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePerson {
    pub raw_key: RawKey,
    pub shown: Shown,
    pub anchors: Vec<Anchor>,
    pub in_scope: bool,
}

/// All cards that were looked at, those with an operator first.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    pub rows: Vec<Row>,
    /// Everybody whom the sources name once.
    pub people: BTreeMap<Key, SourcePerson>,
    /// Those of them for whom no card with the key stands.
    pub free: BTreeSet<Key>,
    /// Those who have their card.
    pub taken: BTreeMap<Key, CardId>,
    /// Cards whose number is somebody else's.
    pub misplaced: Vec<Misplaced>,
    /// Numbers that several records, or several cards, have: nothing is done for them.
    pub in_conflict: BTreeSet<Key>,
}

impl Pairing {
    /// Somebody who has no card yet.
    pub fn free(&self, key: &Key) -> Option<&SourcePerson> {
        self.people.get(key).filter(|_| self.free.contains(key))
    }
}

/// Which cards are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those without a key.
    Keyless,
    /// Those, and the ones with a key that nobody of the sources has.
    Unclaimed,
}
