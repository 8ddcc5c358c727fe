//! Numbers that stand on somebody else's card: first of all findings, for everything that is done by number goes wrong there.

use super::finding::{Area, Finding, Severity, Subject, Words};
use super::values::Ground;
use crate::core::model::key::Key;
use crate::tools::rekey::pairing::Misplaced;

const WRONG_CARD: Words = Words {
    code: "number_of_somebody_else",
    area: Area::Identity,
    severity: Severity::High,
    title: "Numbers that stand on somebody else's card",
    why: "whatever is done by number is done to the wrong person: the data of one is written onto the card of the other, and the \
          card, with its operator, is archived when the other leaves",
    cure: "before anything is written by number, put the right number or the right name on each of these cards in TOPdesk; where a \
           card shows somebody of the sources, the list has a line for it, and one line for two cards with each other's number",
    command: Some("rekey pair --csv FILE"),
};

/// The finding, if there is such a card.
pub(super) fn finding(ground: &Ground<'_>) -> Option<Finding> {
    let name = |key: &Key| {
        let person = ground.pairing.people.get(key);
        person.map(|person| format!("{key} {}", person.shown.name))
    };
    let subject = |misplaced: &Misplaced| {
        let at = ground.index.position(&misplaced.card)?;
        let mut subject = Subject::of_card(ground.card(at), ground.spec.card_field);
        if let Some(operator) = ground.active_operator(at) {
            subject = subject.operator(&operator.id);
        }
        subject = subject
            .value("the number is of", name(&misplaced.bears))
            .value("the card shows", misplaced.shows.as_ref().and_then(name));
        Some(match &misplaced.exchanged_with {
            Some(other) => subject.plain("exchanged with card", other.as_str()),
            None => subject,
        })
    };
    WRONG_CARD.of(ground.pairing.misplaced.iter().filter_map(subject).collect())
}
