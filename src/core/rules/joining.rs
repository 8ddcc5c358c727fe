//! Nobody has a card before their time: joiners and rehires wait until a few days before their first working day, and
//! access to the self-service portal comes on the day itself.

use crate::core::input::PlanInput;
use crate::core::model::identity::{Describe, FirstDay};
use crate::core::reads::clock::DOUBTED;
use crate::core::reads::merge::Person;
use crate::core::rules::contracts::{Contracts, next_in_words};
use chrono::{Days, NaiveDate};

/// Whether a person of the sources may have an active card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Starting {
    Now,
    /// Not yet, with the dates.
    Later {
        detail: String,
    },
    /// Whether the time has come is not known.
    Unknown(String),
}

/// Whether the time has come to make this person's card, or to make it active again.
pub fn starting(describe: &dyn Describe, person: &Person<'_>, input: &PlanInput) -> Starting {
    let next = next_contract(person);
    let without_date = || match next {
        None => Starting::Now,
        Some(from) => Starting::Later {
            detail: format!("{}: waits until then", next_in_words(from)),
        },
    };
    let Some(joiners) = &input.policy.joiners else {
        return without_date();
    };
    match describe.first_day(&person.joined, input.moment) {
        None => without_date(),
        Some(FirstDay::Unknown(why)) => Starting::Unknown(format!("lifecycle.joiner.starts gives no date: {why}")),
        Some(FirstDay::Blank) => Starting::Later {
            detail: "has no start date yet: waits until there is one".to_owned(),
        },
        Some(FirstDay::On(_)) if !input.clock.is_trusted() => Starting::Unknown(DOUBTED.to_owned()),
        Some(FirstDay::On(day)) => {
            // Somebody who worked here before may have the first day of long ago.
            let day = next.flatten().map_or(day, |from| from.max(day));
            // A window that reaches beyond the calendar is open.
            let from = day.checked_sub_days(Days::new(u64::from(joiners.days_before)));
            match from.filter(|from| input.moment.today() < *from) {
                None => Starting::Now,
                Some(from) => Starting::Later {
                    detail: format!("starts on {day}: waits until {from}"),
                },
            }
        }
    }
}

/// The first day of the contract that begins later, where none is current.
fn next_contract(person: &Person<'_>) -> Option<Option<NaiveDate>> {
    match &person.contracts {
        Contracts::Next { from, .. } => Some(*from),
        Contracts::GoOn | Contracts::NotKnown(_) | Contracts::Ended => None,
    }
}

/// Whether the first working day has come, in the zone of the run. What is not known, or blank, has not come.
pub fn has_started(describe: &dyn Describe, person: &Person<'_>, input: &PlanInput) -> bool {
    if next_contract(person).is_some() {
        return false;
    }
    match describe.first_day(&person.joined, input.moment) {
        None => true,
        Some(FirstDay::On(day)) => input.clock.is_trusted() && day <= input.moment.today(),
        Some(FirstDay::Blank | FirstDay::Unknown(_)) => false,
    }
}
