//! What stands in `mainframeLoginName`. Sites use it in two ways: for the object id of the directory, or for the mark of the
//! program that manages the card ("Managed by ..."). Either way it belongs to somebody, and cardsync writes it only where
//! the configuration maps it.

use super::finding::{Area, Finding, Severity, Subject, Words};
use super::values::{Candidate, Ground};
use crate::core::model::field::CardField;
use std::collections::BTreeMap;

const OCCUPIED: Words = Words {
    code: "mainframe_login_in_use",
    area: Area::Cards,
    severity: Severity::Note,
    title: "What stands in mainframeLoginName of the active cards",
    why: "some programs keep the object id of the directory there, others the mark of the cards that they manage: another \
          program may go by it, and may change cards that bear its mark",
    cure: "find out who writes it; map it under `fields` only when nobody else does; object ids there can be the second \
           witness of a person",
    command: None,
};

/// A text on more cards than this is a mark, not somebody's name for logging in.
const SHARED_BY: usize = 3;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    ObjectId,
    Mark(String),
    Other,
}

/// One finding with a line for each use, or nothing where the field is blank or is the key.
pub(super) fn findings(ground: &Ground<'_>) -> Option<Finding> {
    let field = CardField::MainframeLoginName;
    if ground.spec.card_field == field {
        return None;
    }
    let mut uses: BTreeMap<Use, usize> = BTreeMap::new();
    for cards in ground
        .by_value(Candidate::Field(field), ground.active_people())
        .into_values()
    {
        let text = ground.card(cards[0]).fields.text(field).unwrap_or_default().trim();
        let what = match text {
            text if is_object_id(text) => Use::ObjectId,
            text if cards.len() > SHARED_BY => Use::Mark(text.to_owned()),
            _ => Use::Other,
        };
        *uses.entry(what).or_default() += cards.len();
    }
    let filled: usize = uses.values().sum();
    let subject = |(what, cards): (Use, usize)| {
        let subject = Subject::default().plain("cards", cards.to_string());
        match what {
            Use::ObjectId => subject.plain("use", "object ids of a directory"),
            Use::Mark(text) => subject
                .plain("use", "the same text on each: the mark of a program")
                .value("text", Some(text)),
            Use::Other => subject.plain("use", "other texts"),
        }
    };
    let subjects: Vec<Subject> = uses.into_iter().map(subject).collect();
    (filled > 0).then(|| OCCUPIED.counted(filled as u64, subjects))
}

/// Thirty-two hex digits, with or without hyphens and braces: an objectGUID or an entryUUID.
fn is_object_id(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !matches!(c, '-' | '{' | '}')).collect();
    bare.len() == 32 && bare.chars().all(|c| c.is_ascii_hexdigit())
}
