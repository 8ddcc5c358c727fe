//! The people of the company, as HR knows them. Every name, address, phone and login belongs to one human only, so that
//! it can be looked for byte by byte.

use super::chance::Chance;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const SITES: [&str; 4] = ["Delft", "Leiden", "Breda", "Assen"];
const DEPARTMENTS: [&str; 6] = ["Sales", "Support", "Finance", "Facilities", "Legal", "Projects"];
const TITLES: [&str; 5] = ["Clerk", "Senior clerk", "Planner", "Adviser", "Lead"];

/// How long HR leaves the row of a leaver in its export, in days.
const ROW_STAYS: u64 = 60;

/// What stands in TOPdesk for somebody when cardsync comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// A card with the number.
    Card,
    /// Only the card that TOPdesk generated for the operator.
    Generated,
    /// A card with the number and, beside it, the one that TOPdesk generated for the operator.
    Twin,
    /// No card.
    Nothing,
}

/// One human.
#[derive(Clone, Debug)]
pub struct Human {
    /// Personnel numbers in the order in which HR gave them; the last one counts.
    pub numbers: Vec<String>,
    pub first: String,
    pub last: String,
    pub login: String,
    pub phone: String,
    pub site: &'static str,
    pub department: String,
    pub title: &'static str,
    pub manager: Option<usize>,
    pub start: NaiveDate,
    /// The last day of work, as far as HR knows.
    pub end: Option<NaiveDate>,
    /// HR took the row out.
    pub row_removed: bool,
    pub operator: bool,
    pub before: Before,
    /// Every name, address, phone and login they ever had.
    pub theirs: BTreeSet<String>,
}

impl Human {
    fn new(index: usize, start: NaiveDate) -> Human {
        let mut human = Human {
            numbers: vec![number(index, 1)],
            first: format!("{}x", word(index * 3 + 1, 3)),
            last: word(index, 4),
            login: format!("usr{:05}", index * 7919 % 100_000),
            phone: format!("+31 6 {:04} {:04}", 1000 + index * 37 % 9000, 1000 + index * 53 % 9000),
            site: SITES[index % SITES.len()],
            department: DEPARTMENTS[index / 3 % DEPARTMENTS.len()].to_owned(),
            title: TITLES[index % TITLES.len()],
            manager: (index >= 10).then_some(index % 10),
            start,
            end: None,
            row_removed: false,
            operator: false,
            before: Before::Nothing,
            theirs: BTreeSet::new(),
        };
        human.remember();
        human
    }

    /// The number that counts.
    pub fn number(&self) -> &str {
        self.numbers.last().expect("everybody has a number")
    }

    pub fn mail(&self) -> String {
        format!("{}.{}@example.org", self.first, self.last).to_lowercase()
    }

    /// Whether this is one of their numbers.
    pub fn has_number(&self, number: &str) -> bool {
        self.numbers.iter().any(|it| it == number)
    }

    /// Whether HR's export of the day has them.
    pub fn is_listed(&self, today: NaiveDate) -> bool {
        let gone = self.end.is_some_and(|end| end + Days::new(ROW_STAYS) < today);
        !self.row_removed && !gone
    }

    /// Whether they work here on this day, or are about to.
    pub fn is_present(&self, today: NaiveDate) -> bool {
        self.is_listed(today) && self.end.is_none_or(|end| today <= end)
    }

    fn remember(&mut self) {
        let mail = self.mail();
        self.theirs.extend([
            self.first.clone(),
            self.last.clone(),
            mail,
            self.login.clone(),
            self.phone.clone(),
        ]);
    }
}

fn number(index: usize, life: usize) -> String {
    format!("{}", 1_000_000 * life + 300_000 + index)
}

/// A word that only this index has, of so many syllables.
pub fn word(index: usize, syllables: usize) -> String {
    const CONSONANTS: [&str; 12] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "t", "v"];
    const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
    let all = 60_usize.pow(u32::try_from(syllables).expect("a few"));
    // Coprime with 60, so that no two indexes give one word.
    let mut rest = (index + 1) * 104_729 % all;
    let mut word = String::new();
    for _ in 0..syllables {
        word.push_str(CONSONANTS[rest % 12]);
        word.push_str(VOWELS[rest / 12 % 5]);
        rest /= 60;
    }
    word[..1].to_uppercase() + &word[1..]
}

/// The company on one day.
pub struct Company {
    pub people: Vec<Human>,
    pub today: NaiveDate,
    /// Surnames given by marriage so far.
    weddings: usize,
}

impl Company {
    /// A company of so many people, a tenth of them operators, in what a site looks like after years of upkeep by hand.
    pub fn new(people: usize, today: NaiveDate) -> Company {
        let start = |index: usize| today - Days::new(400 + index as u64 % 3000);
        let mut company = Company {
            people: (0..people).map(|index| Human::new(index, start(index))).collect(),
            today,
            weddings: 0,
        };
        // 200, 30 and 12 of 2,000.
        let (generated, twins) = (people * 30 / 2000, people * 12 / 2000);
        let mut operators = 0;
        for (index, human) in company.people.iter_mut().enumerate() {
            human.before = Before::Card;
            if index % 10 == 7 {
                human.operator = true;
                human.before = match operators {
                    n if n < generated => Before::Generated,
                    n if n < generated + twins => Before::Twin,
                    _ => Before::Card,
                };
                operators += 1;
            } else if index % 400 == 211 {
                human.before = Before::Nothing;
            }
        }
        company
    }

    /// Whose number this is.
    pub fn owner(&self, number: &str) -> Option<usize> {
        self.people.iter().position(|human| human.has_number(number))
    }

    /// People of whom this holds.
    pub fn who(&self, is: impl Fn(&Human) -> bool) -> Vec<usize> {
        let people = self.people.iter().enumerate();
        people.filter(|(_, human)| is(human)).map(|(index, _)| index).collect()
    }

    /// People who work here and have done so for a while.
    pub fn settled(&self) -> Vec<usize> {
        let today = self.today;
        self.who(|human| human.is_present(today) && human.end.is_none() && human.start < today)
    }

    /// Somebody new, who starts on this day.
    pub fn joins(&mut self, start: NaiveDate) -> usize {
        let index = self.people.len();
        self.people.push(Human::new(index, start));
        index
    }

    pub fn moves(&mut self, who: usize, chance: &mut Chance) {
        let leader = chance.below(10);
        let human = &mut self.people[who];
        human.site = SITES[chance.below(SITES.len())];
        human.title = TITLES[chance.below(TITLES.len())];
        human.department = DEPARTMENTS[chance.below(DEPARTMENTS.len())].to_owned();
        if human.manager.is_some() {
            human.manager = Some(leader);
        }
    }

    pub fn marries(&mut self, who: usize) {
        self.weddings += 1;
        let human = &mut self.people[who];
        human.last = word(50_000 + self.weddings, 4);
        human.remember();
    }

    /// Comes back; under another number where HR forgot the old one.
    pub fn returns(&mut self, who: usize, new_number: bool) {
        let today = self.today;
        let human = &mut self.people[who];
        human.start = today;
        human.end = None;
        human.row_removed = false;
        if new_number {
            let life = human.numbers.len() + 1;
            human.numbers.push(number(who, life));
        }
    }

    /// HR's export of today.
    pub fn export(&self) -> String {
        let mut text = String::from("Nr;Last;First;Mail;Login;Phone;Site;Dept;Title;Mgr;Start;End\n");
        for human in self.people.iter().filter(|human| human.is_listed(self.today)) {
            let manager = human.manager.map_or("", |index| self.people[index].number());
            let end = human.end.map(|end| end.to_string()).unwrap_or_default();
            writeln!(
                text,
                "{};{};{};{};{};{};{};{};{};{manager};{};{end}",
                human.number(),
                human.last,
                human.first,
                human.mail(),
                human.login,
                human.phone,
                human.site,
                human.department,
                human.title,
                human.start,
            )
            .expect("a String takes everything");
        }
        text
    }

    /// What stands in TOPdesk when cardsync comes.
    pub fn seed(&self) -> Value {
        let mut persons = Vec::new();
        let mut operators = Vec::new();
        for (index, human) in self.people.iter().enumerate() {
            let own = format!("00000000-0000-4000-8000-{index:012}");
            let generated = format!("00000000-0000-4000-9000-{index:012}");
            if matches!(human.before, Before::Card | Before::Twin) {
                let mut card = json!({
                    "id": own, "employeeNumber": human.number(), "surName": human.last, "firstName": human.first,
                    "email": human.mail(), "tasLoginName": human.login, "phoneNumber": human.phone,
                    "branch": human.site, "department": human.department, "jobTitle": human.title,
                    "hasSspAccess": true, "isCaller": true,
                });
                if let Some(manager) = human
                    .manager
                    .filter(|manager| self.people[*manager].before == Before::Card)
                {
                    card["manager"] = json!({ "id": format!("00000000-0000-4000-8000-{manager:012}") });
                }
                persons.push(card);
            }
            if matches!(human.before, Before::Generated | Before::Twin) {
                persons.push(json!({
                    "id": generated, "surName": human.last, "firstName": human.first, "email": human.mail(),
                    "branch": human.site, "hasSspAccess": false, "isCaller": false,
                }));
            }
            if human.operator {
                let linked = if human.before == Before::Card { own } else { generated };
                operators.push(json!({
                    "surName": human.last, "firstName": human.first, "loginName": human.login, "branch": human.site,
                    "email": human.mail(), "loginPermission": true, "linkedPerson": { "id": linked },
                }));
            }
        }
        json!({
            "branches": SITES, "departments": DEPARTMENTS, "archivingReasons": ["Out of service"],
            "persons": persons, "operators": operators,
        })
    }
}
