//! The sample company: its people, the files it exports, and what stands in TOPdesk when cardsync comes.

use super::cards::Card;
use super::files::{Flavour, hr_export};
use super::person::{FIRST_NUMBER, Person};
use chrono::{Days, NaiveDate};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

/// How long HR leaves the row of a leaver in its export, in days.
const ROW_STAYS: u64 = 90;
/// The mail domain before the company changed its name: some cards still have it.
const FORMER_DOMAIN: &str = "vanouds.example";

/// The company on one day.
#[derive(Clone, Debug)]
pub struct Company {
    /// Everybody who ever worked here since the year began, in the order of their numbers.
    pub people: Vec<Person>,
    /// Numbers whose row HR has taken out of the export.
    pub rows_removed: Vec<u32>,
    /// Numbers whose account is no longer in the directory.
    pub accounts_removed: Vec<u32>,
    pub today: NaiveDate,
}

/// How much of the export reaches cardsync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    Whole,
    /// The job that writes it stopped: the last third of the rows is not there.
    CutOff,
}

impl Company {
    /// A company of so many people.
    pub fn new(people: u32, today: NaiveDate) -> Self {
        Self {
            people: (0..people).map(|index| Person::new(index, today)).collect(),
            rows_removed: Vec::new(),
            accounts_removed: Vec::new(),
            today,
        }
    }

    /// The person with this number.
    pub fn person(&self, number: u32) -> Option<&Person> {
        self.people.iter().find(|person| person.number == number)
    }

    /// The person with this index, who must be there.
    pub fn person_mut(&mut self, index: u32) -> &mut Person {
        let number = FIRST_NUMBER + index;
        self.people
            .iter_mut()
            .find(|person| person.number == number)
            .expect("the year names people of the company")
    }

    /// People who work here today.
    pub fn employed(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(|person| !person.has_left(self.today))
    }

    /// The rows of HR's export of today.
    pub fn rows(&self, export: Export) -> Vec<&Person> {
        let long_gone = |person: &Person| {
            person
                .last_day
                .is_some_and(|day| day + Days::new(ROW_STAYS) < self.today)
        };
        let mut rows: Vec<&Person> = self
            .people
            .iter()
            .filter(|person| !long_gone(person) && !self.rows_removed.contains(&person.number))
            .collect();
        match export {
            Export::Whole => {}
            Export::CutOff => rows.truncate(rows.len() * 2 / 3),
        }
        rows
    }

    /// Writes HR's export of today.
    pub fn write_hr(&self, path: &Path, export: Export) -> io::Result<()> {
        let file = BufWriter::new(File::create(path)?);
        hr_export(file, self.rows(export).into_iter())
    }

    /// Writes today's export of the directory. Accounts of leavers stay in it, closed.
    pub fn write_directory(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        io::Write::write_all(&mut file, b"version: 1\n\n")?;
        let accounts = self
            .people
            .iter()
            .filter(|person| !self.accounts_removed.contains(&person.number));
        for person in accounts {
            let manager = person.manager.and_then(|number| self.person(number));
            Flavour::ActiveDirectory.entry(&mut file, person, manager, self.today)?;
        }
        io::Write::flush(&mut file)
    }

    /// What stands in TOPdesk after years of upkeep by hand, and makes the leavers of HR's export leave.
    ///
    /// Most cards are right. Some people have none, some operators have only the card that TOPdesk generated for them,
    /// some cards say what was true years ago, some belong to people who left, to former colleagues or to people whom HR
    /// does not know.
    pub fn cards_before(&mut self) -> Vec<Card> {
        let workers = (0u32..).zip(&self.people).skip(LEADERS);
        let (operators, others): (Vec<_>, Vec<_>) = workers.partition(|(_, person)| person.operator);
        let indexes = |part: Vec<(u32, &Person)>| part.into_iter().map(|(index, _)| index).collect::<Vec<u32>>();
        let (operators, others) = (indexes(operators), indexes(others));
        for at in PAST_LEAVERS {
            let gone = self.today - Days::new(20 + at as u64 % 40);
            self.person_mut(others[at]).last_day = Some(gone);
        }
        let number = |index: u32| FIRST_NUMBER + index;
        let without: Vec<u32> = WITHOUT_CARD.map(|at| number(others[at])).to_vec();
        let generated: Vec<u32> = GENERATED.map(|at| number(operators[at])).to_vec();
        let mut former_address: Vec<u32> = FORMER_ADDRESS.map(|at| number(others[at])).to_vec();
        former_address.push(number(operators[OPERATOR_WITH_FORMER_ADDRESS]));
        let mut cards = Vec::with_capacity(self.people.len() + 40);
        for (index, person) in self.people.iter().enumerate() {
            if without.contains(&person.number) {
                continue;
            }
            let mut card = Card::in_step(person.clone());
            let says = &mut card.says;
            if generated.contains(&person.number) {
                card.has_number = false;
                card.generated = true;
                says.phone = String::new();
                says.function = "";
            } else if former_address.contains(&person.number) {
                let (name, _) = says.mail.split_once('@').expect("a mail address");
                says.mail = format!("{name}@{FORMER_DOMAIN}");
            } else if index % 20 == 19 {
                says.phone = says.phone.replace("+31 30", "030");
            } else if index % 30 == 16 {
                says.function = "Trainee";
            }
            cards.push(card);
        }
        cards.extend(former_colleagues(self.today));
        cards.extend(people_from_outside(self.today));
        cards
    }
}

impl Company {
    /// Cards that say what HR and directory say, but for two operators: one has only the card that TOPdesk generated, one
    /// has a card of his own and beside it, since nobody saw that, the generated one.
    pub fn cards_in_step(&mut self) -> Vec<Card> {
        let mut cards = Vec::with_capacity(self.people.len() + 1);
        for (index, person) in (0u32..).zip(&self.people) {
            let mut card = Card::in_step(person.clone());
            if index == GENERATED_ONLY {
                card.has_number = false;
                card.generated = true;
                card.says.phone = String::new();
                card.says.function = "";
            } else if index == WITH_TWIN {
                let mut generated = Card::in_step(person.clone());
                generated.says.number += TWINS;
                generated.says.phone = String::new();
                generated.says.function = "";
                generated.has_number = false;
                generated.generated = true;
                generated.human = Some(person.number);
                generated.is_twin = true;
                cards.push(generated);
                card.operator = false;
            }
            cards.push(card);
        }
        cards
    }
}

/// An operator with only a generated card, in a company that is in step otherwise.
pub const GENERATED_ONLY: u32 = 27;
/// An operator with two cards there.
pub const WITH_TWIN: u32 = 35;
/// Added to a number to make the id of a generated card beside one with that number.
const TWINS: u32 = 50_000;

/// The director and the heads of department, whom the start leaves as they are.
const LEADERS: usize = 13;
/// Places among the people who are no operators: left lately, active card.
const PAST_LEAVERS: [usize; 6] = [31, 77, 102, 148, 190, 233];
/// Places among the people who are no operators: no card.
const WITHOUT_CARD: [usize; 4] = [50, 111, 170, 221];
/// Places among the operators: only a generated card, without a number.
const GENERATED: [usize; 5] = [1, 5, 9, 13, 17];
/// Places among the people who are no operators: their card has the address of years ago.
const FORMER_ADDRESS: [usize; 7] = [12, 44, 81, 119, 152, 199, 240];
const OPERATOR_WITH_FORMER_ADDRESS: usize = 7;

/// Indexes of people who left years ago: their cards are archived, HR does not know them any more.
const FORMER: std::ops::Range<u32> = 9000..9020;
/// The former colleague with whose name somebody is hired later.
pub const NAMESAKE: u32 = FORMER.start + 3;

fn former_colleagues(today: NaiveDate) -> impl Iterator<Item = Card> {
    FORMER.map(move |index| {
        let mut person = Person::new(index, today);
        person.number -= 60_000;
        let mut card = Card::in_step(person);
        card.archived = true;
        card.operator = false;
        card
    })
}

/// Contractors and shared cards, kept by hand. Two are operators.
fn people_from_outside(today: NaiveDate) -> impl Iterator<Item = Card> {
    (9500..9512).map(move |index| {
        let mut person = Person::new(index, today);
        person.mail = person.mail.replace('@', ".contractor@");
        let mut card = Card::in_step(person);
        card.human = None;
        card.has_number = false;
        card.operator = index < 9502;
        card
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company() -> Company {
        Company::new(300, NaiveDate::from_ymd_opt(2026, 3, 1).unwrap())
    }

    #[test]
    fn the_cards_before_are_mostly_right() {
        let mut company = company();
        let cards = company.cards_before();
        let count = |wanted: fn(&Card) -> bool| cards.iter().filter(|card| wanted(card)).count();
        assert_eq!(count(|card| card.generated && card.operator), 5);
        assert_eq!(count(|card| card.archived), 20);
        assert_eq!(count(|card| card.human.is_none()), 12);
        assert_eq!(company.employed().count(), 294);
        let same = cards
            .iter()
            .filter(|card| card.human.and_then(|human| company.person(human)) == Some(&card.says))
            .count();
        assert!((240..=280).contains(&same), "{same}");
    }

    #[test]
    fn a_cut_off_export_lacks_a_third_and_a_leavers_row_stays_for_a_while() {
        let mut company = company();
        assert_eq!(company.rows(Export::CutOff).len(), 200);
        company.person_mut(20).last_day = Some(company.today - Days::new(10));
        company.person_mut(21).last_day = Some(company.today - Days::new(100));
        assert_eq!(company.rows(Export::Whole).len(), 299);
    }
}
