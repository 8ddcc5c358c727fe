//! Whom an operator without a number may be, by what the sources say of people: a suggestion to a human.

use super::people::{Worker, Workforce};
use super::values::{Candidate, Ground};
use crate::core::model::field::CardField;
use crate::core::model::key::Key;
use crate::core::reads::cards::fold;
use std::collections::{BTreeMap, BTreeSet};

/// Whom an operator without a number may be.
pub(super) enum Found<'w> {
    /// With what says so.
    One(&'w Worker, &'static str),
    /// Several people have the mark.
    Several,
}

/// The people of the sources by what operators are recognised by where there is no number.
pub(super) struct Marks<'w> {
    by_value: BTreeMap<Candidate, BTreeMap<&'w str, Vec<&'w Worker>>>,
}

impl<'w> Marks<'w> {
    /// The surest first: a name is many people's.
    const IN_ORDER: [(Candidate, &'static str); 4] = [
        (Candidate::Field(CardField::Email), "e-mail address"),
        (Candidate::Field(CardField::TasLoginName), "login"),
        (Candidate::Field(CardField::NetworkLoginName), "login"),
        (Candidate::FullName, "full name"),
    ];

    pub(super) fn of(workforce: &'w Workforce) -> Self {
        let mut by_value: BTreeMap<Candidate, BTreeMap<&str, Vec<&Worker>>> = BTreeMap::new();
        for (candidate, _) in Self::IN_ORDER {
            let of = by_value.entry(candidate).or_default();
            for person in workforce.people() {
                if let Some(value) = person.value(candidate) {
                    of.entry(value).or_default().push(person);
                }
            }
        }
        Self { by_value }
    }

    /// By the card and its operator; either login may be either of a person's.
    pub(super) fn find(&self, ground: &Ground<'_>, at: usize) -> Option<Found<'w>> {
        let operator = ground.active_operator(at);
        let mut several = false;
        for (candidate, by) in Self::IN_ORDER {
            let mut values: BTreeSet<String> = ground.value(at, candidate).into_iter().collect();
            match candidate {
                Candidate::Field(CardField::Email) => {
                    values.extend(operator.and_then(|it| it.email.as_deref()).map(fold));
                }
                Candidate::Field(field) if field.is_login() => {
                    values.extend(operator.and_then(|it| it.login_name.as_deref()).map(fold));
                    let logins = [CardField::TasLoginName, CardField::NetworkLoginName].map(Candidate::Field);
                    values.extend(logins.into_iter().filter_map(|login| ground.value(at, login)));
                }
                Candidate::Field(_) | Candidate::FullName => {}
            }
            let people = &self.by_value[&candidate];
            let found: BTreeMap<&Key, &Worker> = values
                .iter()
                .filter_map(|value| people.get(&**value))
                .flatten()
                .map(|person| (&person.key, *person))
                .collect();
            match found.values().copied().collect::<Vec<_>>().as_slice() {
                [person] => return Some(Found::One(person, by)),
                [] => {}
                _several => several = true,
            }
        }
        several.then_some(Found::Several)
    }
}
