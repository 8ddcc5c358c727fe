//! What a story is made of: a company, how cardsync is configured for it, and what happens, step by step. A story is data;
//! [`super::play`] plays it.

use super::cards::Card;
use super::company::{Company, Export, NAMESAKE};
use super::person::{DOMAIN, FIRST_NUMBER, Person};
use super::shows::Show;
use crate::core::plan::ActionKind;
use chrono::Days;
use serde_json::{Value, json};

/// One story.
pub struct Story {
    /// Behind `cardsync demo:`.
    pub title: &'static str,
    /// The heading of the figures at its end.
    pub numbers: &'static str,
    /// How many people the company has when cardsync comes.
    pub people: u32,
    /// What stands in TOPdesk then.
    pub cards: fn(&mut Company) -> Vec<Card>,
    /// Fewest records of a good export of HR.
    pub least_records: u32,
    /// More options of `lifecycle.leaver`, each after a comma.
    pub leaver: &'static str,
    /// More lines below `lifecycle` in the configuration, each with two blanks before it.
    pub lifecycle: &'static str,
    /// Beside it stands what an import by e-mail would have done.
    pub by_email: bool,
    pub steps: &'static [Step],
    /// More commands to try at the end, each with what it does.
    pub commands: &'static [&'static str],
}

/// One chapter of the year.
pub struct Step {
    pub title: &'static str,
    /// What happens in the company.
    pub story: &'static str,
    pub days: &'static [Day],
    /// What is looked up in the sandbox after it, and told.
    pub shows: &'static [Show],
}

/// One day on which HR and the directory export, and cardsync runs.
pub struct Day {
    /// Days before the end of the story, which is today.
    pub days_ago: u64,
    pub events: &'static [Event],
    pub export: Export,
    /// What a human approves before the run, as after `cardsync approve`.
    pub approve: &'static [&'static str],
    /// What the run must do, or the demo says so and fails.
    pub done: &'static [(ActionKind, u64)],
    /// What must wait after it.
    pub held: &'static [(ActionKind, u64)],
}

/// What happens to people. They are named by their index.
pub enum Event {
    /// Somebody new starts work.
    Joins(u32),
    /// Somebody new, and HR types the number of a colleague.
    JoinsWithNumberOf { who: u32, colleague: u32 },
    /// Somebody new with the name, and so the address, of a former colleague.
    JoinsAsNamesake(u32),
    /// HR corrects the number it typed.
    NumberCorrected(u32),
    /// Other work.
    Moves {
        who: u32,
        department: &'static str,
        function: &'static str,
        manager: u32,
    },
    /// Other site.
    MovesTo { who: u32, site: &'static str },
    /// A new surname, and with it a new address and login.
    Marries {
        who: u32,
        prefix: &'static str,
        last_name: &'static str,
    },
    /// Everybody at a site gets an address in another mail domain.
    NewMailDomain { site: &'static str, domain: &'static str },
    /// Their last day was three days ago.
    Left(u32),
    /// Has left, and HR took the row out at once.
    RowRemoved(u32),
    /// Somebody new is in HR's export before the first day, which is so many days away.
    Hired { who: u32, days_before: u64 },
    /// Comes back under the old number, and does other work: no operator any more.
    Returns {
        who: u32,
        department: &'static str,
        function: &'static str,
    },
    /// The account of somebody who left is taken out of the directory.
    AccountRemoved(u32),
    /// An application manager anonymizes the card in TOPdesk.
    Anonymized(u32),
}

impl Event {
    /// What somebody does in TOPdesk, as an edit of the sandbox.
    pub fn in_topdesk(&self) -> Option<Value> {
        match self {
            Event::Anonymized(who) => {
                let number = (FIRST_NUMBER + who).to_string();
                Some(json!({ "person": number, "anonymize": true }))
            }
            _other => None,
        }
    }

    /// Makes it happen.
    pub fn happen(&self, company: &mut Company) {
        let today = company.today;
        match *self {
            Event::Joins(index) => company.people.push(newcomer(index, company)),
            Event::JoinsWithNumberOf { who, colleague } => {
                let mut person = newcomer(who, company);
                person.typed_number = Some(FIRST_NUMBER + colleague);
                company.people.push(person);
            }
            Event::JoinsAsNamesake(who) => {
                let namesake = Person::new(NAMESAKE, today);
                let mut person = newcomer(who, company);
                person.first_name = namesake.first_name;
                person.prefix = namesake.prefix;
                person.last_name = namesake.last_name;
                person.name_account("");
                company.people.push(person);
            }
            Event::NumberCorrected(who) => company.person_mut(who).typed_number = None,
            Event::Moves {
                who,
                department,
                function,
                manager,
            } => {
                let person = company.person_mut(who);
                person.department = department;
                person.function = function;
                person.manager = Some(FIRST_NUMBER + manager);
            }
            Event::MovesTo { who, site } => company.person_mut(who).site = site,
            Event::Marries { who, prefix, last_name } => {
                let person = company.person_mut(who);
                person.prefix = prefix;
                person.last_name = last_name;
                person.name_account("");
            }
            Event::NewMailDomain { site, domain } => {
                for person in company.people.iter_mut().filter(|person| person.site == site) {
                    person.mail = person.mail.replace(DOMAIN, domain);
                }
            }
            Event::Left(who) => company.person_mut(who).last_day = Some(today - Days::new(3)),
            Event::RowRemoved(who) => {
                let person = company.person_mut(who);
                person.last_day = Some(today - Days::new(3));
                let number = person.number;
                company.rows_removed.push(number);
            }
            Event::Hired { who, days_before } => {
                let mut person = newcomer(who, company);
                person.hired = today + Days::new(days_before);
                company.people.push(person);
            }
            Event::Returns {
                who,
                department,
                function,
            } => {
                let person = company.person_mut(who);
                person.last_day = None;
                person.hired = today;
                person.department = department;
                person.function = function;
                person.operator = false;
            }
            Event::AccountRemoved(who) => company.accounts_removed.push(FIRST_NUMBER + who),
            // Nothing that HR or the directory would know.
            Event::Anonymized(_) => {}
        }
    }
}

fn newcomer(index: u32, company: &Company) -> Person {
    let mut person = Person::new(index, company.today);
    person.hired = company.today;
    person.operator = false;
    person
}
