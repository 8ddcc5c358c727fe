//! Why nothing is decided, in words that say what to do.

use crate::core::model::ids::ItemId;

/// Why nothing is decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(
        "nothing that waits is called '{0}'; `cardsync holds` lists ids, classes and the plan; an item that has changed since has a new id, and what only needs a human can be rejected (it is known, and stays quiet), never approved"
    )]
    UnknownWord(String),
    #[error("no decision about '{0}' is in force; `cardsync holds --decisions` lists them with their ids")]
    NotDecided(String),
    /// Decisions that exclude each other.
    #[error("of {of} only one can be approved: {}; approve one, and reject the others or leave them", join(.choices))]
    OneOf { of: String, choices: Vec<Choice> },
}

/// One of several things that exclude each other, and where it was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub item: ItemId,
    /// `a new card`, `card c-1`, `archive of card c-1`.
    pub what: String,
    pub approved: Approved,
}

/// Where an approval comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approved {
    /// With the others.
    Now,
    /// In this line of the list.
    Line(u64),
    /// Before, by somebody.
    Before(String),
}

fn join(choices: &[Choice]) -> String {
    let one = |choice: &Choice| {
        let Choice { item, what, approved } = choice;
        match approved {
            Approved::Now => format!("{what} [{item}]"),
            Approved::Line(line) => format!("line {line}: {what} [{item}]"),
            Approved::Before(by) => format!("{what} [{item}], which {by} has approved (cardsync unapprove {item})"),
        }
    };
    choices.iter().map(one).collect::<Vec<_>>().join("; ")
}
