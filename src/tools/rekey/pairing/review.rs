//! Pairs that were written, with their evidence as it was then: what both keys agree on shows in no difference of plans.

use super::namesakes::ByName;
use super::people::{People, mapped};
use crate::core::input::PlanInput;
use crate::core::likeness::marks::{Agreement, Contradiction, Marks};
use crate::core::model::card::{OperatorLink, PersonCard};
use crate::core::model::field::FieldValue;
use crate::core::model::identity::Describe;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::reads::cards::{CardIndex, CardState};
use crate::tools::rekey::rows::{Grade, Pairing, Shown};
use crate::tools::rekey::standing::Standing;
use serde::Serialize;

/// A number that was written, and the card right before it.
#[derive(Clone, Debug)]
pub struct Written {
    pub card: CardId,
    pub key: Key,
    pub before: PersonCard,
    /// Why, as the journal has it.
    pub why: Vec<String>,
}

/// One of them beside the person.
#[derive(Clone, Debug, Serialize)]
pub struct Reviewed {
    pub card: CardId,
    pub key: Key,
    pub operator: OperatorLink,
    /// As the card was before the number.
    pub shown: Shown,
    /// Absent where the sources no longer name the person.
    pub person: Option<Shown>,
    pub agreement: Option<Agreement>,
    /// What the evidence is worth without the number; absent where it is worth nothing.
    pub grade: Option<Grade>,
    pub why: Vec<String>,
}

impl Reviewed {
    /// The weakest first.
    fn strength(&self) -> u8 {
        match (&self.agreement, self.grade) {
            (None, _) | (Some(_), None) => 0,
            (Some(_), Some(Grade::Possible)) => 1,
            (Some(_), Some(Grade::Likely)) => 2,
            (Some(_), Some(Grade::Sure)) => 3,
        }
    }
}

/// Those whose card still has the number, those with an operator first, then the weakest.
pub fn review(input: &PlanInput, describe: &dyn Describe, written: Vec<Written>) -> Vec<Reviewed> {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let people = People::of(input, describe, &index, &mut Pairing::default());
    let mapped = mapped(input);
    let nobody_else_has = |_, _: &str| true;
    let (mut named, mut unclear_named) = (ByName::default(), ByName::default());
    people
        .people
        .iter()
        .enumerate()
        .for_each(|(place, it)| named.add(place, &it.marks));
    people
        .unclear
        .iter()
        .enumerate()
        .for_each(|(place, it)| unclear_named.add(place, &it.marks));
    let mut reviewed: Vec<Reviewed> = Vec::new();
    for Written { card, key, before, why } in written {
        let Some(at) = index.position(&card) else { continue };
        if *index.state(at) != CardState::Keyed(key.clone()) {
            continue;
        }
        let marks = Marks::of_card(&before, &mapped, input.policy.birth_date, std::iter::empty());
        let place = people.people.binary_search_by(|person| person.key.cmp(&key)).ok();
        let person = place.map(|place| &people.people[place]);
        let agreement = person.map(|person| {
            let mut agreement = Agreement::between(&person.marks, &marks, nobody_else_has);
            let others = named.of(&marks).into_iter().any(|other| Some(other) != place);
            if others || !unclear_named.of(&marks).is_empty() {
                agreement.against.insert(Contradiction::Namesake);
            }
            agreement
        });
        let grade = agreement.as_ref().and_then(|agreement| match Standing::of(agreement) {
            Some(Standing::As(grade)) => Some(grade),
            Some(Standing::Not(_)) | None => None,
        });
        reviewed.push(Reviewed {
            operator: index.operator(at),
            shown: Shown {
                born: marks.birth_date,
                since: marks.begins,
                ..Shown::of(|field| before.fields.get(field).map(FieldValue::display))
            },
            person: person.map(|person| person.shown.clone()),
            agreement,
            grade,
            card,
            key,
            why,
        });
    }
    reviewed.sort_by(|a, b| {
        let order = |one: &Reviewed| (!one.operator.is_linked(), one.strength());
        order(a).cmp(&order(b)).then_with(|| a.card.cmp(&b.card))
    });
    reviewed
}
