//! A company in the state that most sites are in before they have cardsync: an import found people by e-mail address for
//! years, nobody kept numbers, logins went from leavers to joiners, and TOPdesk has generated cards for operators.
//!
//! The same size and day give the same company, byte for byte. [`Site::truth`] says whose each card really is, so that a
//! test can count what was paired wrongly.

mod cards;
mod files;
mod life;

use self::cards::{SiteCard, SiteOperator};
use super::person::{FIRST_NUMBER, Person, scattered};
use chrono::{Days, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How much of each kind of disorder there is, in people or cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disorder {
    /// People of HR's export, those who left lately among them.
    pub people: u32,
    /// People who answer calls: each has one active operator card.
    pub operators: u32,
    /// Cards that TOPdesk generated for operators: for the twins, for the integrations, and for operators without another
    /// card.
    pub generated: u32,
    /// Operators who also have the card of the import: the operator is linked to the generated one.
    pub twins: u32,
    /// People with two active cards: the import made a second one when their address changed.
    pub duplicates: u32,
    /// Operator accounts of programs that are no API accounts; each has a generated card.
    pub integrations: u32,
    /// People whose login was a former colleague's, on whose card it still stands.
    pub recycled_logins: u32,
    /// Of those, people whose mail address was that colleague's as well; the colleague's card is still active.
    pub recycled_mails: u32,
    /// People whose surname, address and login changed since their card was last right.
    pub renamed: u32,
    /// Operators to whom the same happened.
    pub renamed_operators: u32,
    /// People without any card.
    pub without_card: u32,
    /// People who left, with a card that is still active.
    pub leavers: u32,
    /// Of those, operators whose account is still active.
    pub leaving_operators: u32,
    /// Cards on which the number has zeros before it.
    pub zeros: u32,
    /// Cards whose number has a blank after it.
    pub blanks: u32,
    /// Cards of people without access to the self-service portal, which the policy gives to everybody.
    pub without_portal: u32,
    /// Operators whose login and address differ from those of their card.
    pub disagreeing: u32,
    /// Active operators whose card somebody archived.
    pub on_archived: u32,
    /// Operator accounts of people without any linked card.
    pub unlinked: u32,
    /// Former colleagues with an archived card, besides those whose login was given away.
    pub former: u32,
    /// Contractors and shared cards that HR does not know.
    pub outsiders: u32,
    /// Cards that TOPdesk anonymized.
    pub anonymized: u32,
}

impl Disorder {
    /// As much as a company of this size has; of each kind at least one.
    pub fn of(people: u32) -> Self {
        let per_5000 = |many: u32| (many * people / 5000).max(1);
        let (twins, integrations) = (per_5000(12), per_5000(5));
        Self {
            people,
            operators: per_5000(250),
            generated: per_5000(30).max(twins + integrations + 1),
            twins,
            duplicates: per_5000(40),
            integrations,
            recycled_logins: per_5000(300),
            recycled_mails: per_5000(10),
            renamed: per_5000(100),
            renamed_operators: per_5000(10),
            without_card: per_5000(50),
            leavers: per_5000(20).max(2),
            leaving_operators: per_5000(6),
            zeros: per_5000(8),
            blanks: per_5000(6),
            without_portal: per_5000(15),
            disagreeing: per_5000(8),
            on_archived: per_5000(3),
            unlinked: per_5000(2),
            former: per_5000(100),
            outsiders: per_5000(25),
            anonymized: per_5000(10),
        }
    }
}

/// The company: what HR and the directory say, and what stands in TOPdesk.
#[derive(Clone, Debug)]
pub struct Site {
    pub disorder: Disorder,
    pub today: NaiveDate,
    people: Vec<Person>,
    /// Numbers of people whose account is not in the directory any more.
    accounts_removed: BTreeSet<u32>,
    cards: Vec<SiteCard>,
    operators: Vec<SiteOperator>,
}

/// Indexes of former colleagues, far from those of anybody in HR's export.
const FORMER: u32 = 600_000;
const OUTSIDE: u32 = 700_000;
/// The mail domain before the company changed its name.
const FORMER_DOMAIN: &str = "vanouds.example";
/// Names of accounts under which programs work.
const PROGRAMS: [(&str, &str); 8] = [
    ("Monitoring", "svc-monitor"),
    ("API Interface", "api-interface"),
    ("Zabbix", "zabbix"),
    ("PowerBI koppeling", "powerbi"),
    ("Nagios", "svc.nagios"),
    ("Webservice HR", "webservice-hr"),
    ("Integration SCCM", "svc_sccm"),
    ("Event import", "eventimport"),
];

/// People by lot, each drawn once.
struct Lots(std::vec::IntoIter<u32>);

impl Lots {
    fn new(people: u32) -> Self {
        let mut order: Vec<u32> = (0..people).collect();
        order.sort_by_key(|index| scattered(*index, 40));
        Self(order.into_iter())
    }

    fn draw(&mut self, many: u32) -> Vec<u32> {
        self.0.by_ref().take(many as usize).collect()
    }
}

impl Site {
    /// A company of so many people with the usual disorder.
    pub fn new(people: u32, today: NaiveDate) -> Self {
        Self::with(Disorder::of(people), today)
    }

    /// A company with exactly this disorder.
    ///
    /// # Panics
    /// When more people are needed for the kinds of disorder than there are.
    pub fn with(disorder: Disorder, today: NaiveDate) -> Self {
        let mut making = Making {
            people: (0..disorder.people).map(|index| person(index, today)).collect(),
            cards: BTreeMap::new(),
            more: Vec::new(),
            operators: Vec::new(),
            today,
        };
        for (index, person) in (0..).zip(&making.people) {
            making.cards.insert(index, SiteCard::of(person));
        }
        let mut lots = Lots::new(disorder.people);
        making.operators(&disorder, &mut lots);
        making.others(&disorder, &mut lots);
        making.strangers(&disorder);
        let mut cards: Vec<SiteCard> = making.cards.into_values().collect();
        cards.extend(making.more);
        let operators = making.operators;
        Self {
            disorder,
            today,
            people: making.people,
            accounts_removed: BTreeSet::new(),
            cards,
            operators,
        }
    }

    /// The numbers of HR's export, sorted.
    pub fn numbers(&self) -> Vec<u32> {
        self.people.iter().map(|person| person.number).collect()
    }

    /// The numbers of people who work here today.
    pub fn employed(&self) -> Vec<u32> {
        let employed = self.people.iter().filter(|person| !person.has_left(self.today));
        employed.map(|person| person.number).collect()
    }

    /// Whose each card is, by id: the number of a person of HR's export, or nobody's (former colleagues, contractors,
    /// programs).
    pub fn truth(&self) -> BTreeMap<String, Option<u32>> {
        self.cards
            .iter()
            .map(|card| (card.id.to_string(), card.human))
            .collect()
    }

    /// HR's export of today, UTF-8, with semicolons.
    pub fn hr(&self) -> String {
        files::hr(&self.people)
    }

    /// Today's export of the directory; accounts of leavers are closed.
    pub fn directory(&self) -> String {
        let there = |person: &&Person| !self.accounts_removed.contains(&person.number);
        files::directory(self.people.iter().filter(there), self.today)
    }

    /// TOPdesk as a seed of the sandbox. Its API account is `api-cardsync`.
    pub fn seed(&self) -> String {
        cards::seed(&self.cards, &self.operators)
    }

    /// A configuration over `hr.csv`, `people.ldif` and a file `password`, with `employeeNumber` as key.
    pub fn configuration(url: &str) -> String {
        files::configuration(url)
    }

    /// Writes hr.csv, people.ldif, seed.json, cardsync.yaml and a password file into the folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, url: &str, password: &str) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
        write("hr.csv", self.hr())?;
        write("people.ldif", self.directory())?;
        write("seed.json", self.seed())?;
        write("cardsync.yaml", Self::configuration(url))?;
        write("password", password.to_owned())
    }
}

fn person(index: u32, today: NaiveDate) -> Person {
    let mut person = Person::new(index, today);
    person.operator = false;
    person.manager = None;
    person
}

/// A company while it is made.
struct Making {
    people: Vec<Person>,
    /// The card that the import made, by the index of its person.
    cards: BTreeMap<u32, SiteCard>,
    more: Vec<SiteCard>,
    operators: Vec<SiteOperator>,
    today: NaiveDate,
}

impl Making {
    fn card(&mut self, index: u32) -> &mut SiteCard {
        self.cards.get_mut(&index).expect("everybody has a card at first")
    }

    fn operators(&mut self, disorder: &Disorder, lots: &mut Lots) {
        let lone = disorder.generated - disorder.twins - disorder.integrations;
        for index in lots.draw(disorder.twins) {
            let mut generated = SiteCard::of(&self.people[index as usize]).generated(9);
            // A login stands on one card only.
            generated.login = None;
            self.operators.push(SiteOperator::of(&generated));
            self.more.push(generated);
        }
        for index in lots.draw(lone) {
            let generated = SiteCard::of(&self.people[index as usize]).generated(9);
            self.operators.push(SiteOperator::of(&generated));
            self.cards.insert(index, generated);
        }
        for index in lots.draw(disorder.leaving_operators) {
            self.leaves(index);
            let operator = SiteOperator::of(self.card(index));
            self.operators.push(operator);
        }
        for index in lots.draw(disorder.disagreeing) {
            let mut operator = SiteOperator::of(self.card(index));
            operator.login = format!("{}.op", operator.login);
            operator.mail = operator.mail.map(|mail| at_domain(&mail, FORMER_DOMAIN));
            self.operators.push(operator);
        }
        for index in lots.draw(disorder.on_archived) {
            self.card(index).archived = true;
            let operator = SiteOperator::of(self.card(index));
            self.operators.push(operator);
        }
        let special = disorder.twins + lone + disorder.leaving_operators + disorder.disagreeing + disorder.on_archived;
        let ordinary = lots.draw(disorder.operators.saturating_sub(special));
        for (place, index) in (0..).zip(ordinary) {
            let operator = SiteOperator::of(self.card(index));
            self.operators.push(operator);
            if place < disorder.renamed_operators {
                if place % 2 == 0 {
                    // Numbers were filled in for operators first.
                    self.card(index).number = Some(self.people[index as usize].number.to_string());
                }
                self.renames(index, place);
            }
        }
        for index in lots.draw(disorder.unlinked) {
            let mut operator = SiteOperator::of(self.card(index));
            operator.card = None;
            self.operators.push(operator);
        }
    }

    fn others(&mut self, disorder: &Disorder, lots: &mut Lots) {
        for index in lots.draw(disorder.duplicates) {
            let mut second = self.card(index).clone();
            second.again(8);
            second.mail = second.mail.map(|mail| at_domain(&mail, FORMER_DOMAIN));
            second.login = None;
            second.network_login = None;
            // HR filled the number in on both, or on the newer one only.
            if index % 2 == 0 {
                let number = Some(self.people[index as usize].number.to_string());
                self.card(index).number.clone_from(&number);
                second.number = number;
            }
            self.more.push(second);
        }
        for (place, index) in (0u32..).zip(lots.draw(disorder.recycled_logins)) {
            let mut former = SiteCard::of(&person(FORMER + place, self.today));
            former.human = None;
            former.login = None;
            former.number = None;
            former.archived = place % 3 != 0;
            self.people[index as usize].login = former.network_login.clone().expect("a colleague has a login");
            let card = self.card(index);
            card.login = None;
            card.network_login = None;
            if place < disorder.recycled_mails {
                former.archived = false;
                let person = &self.people[index as usize];
                former.mail = Some(person.mail.clone());
                former.first_name = person.first_name;
                former.prefix = person.prefix;
                former.last_name = person.last_name;
                self.card(index).mail = Some(person.mail.replace('@', "2@"));
            }
            self.more.push(former);
        }
        for (place, index) in (0u32..).zip(lots.draw(disorder.renamed)) {
            self.renames(index, place);
        }
        for index in lots.draw(disorder.without_card) {
            self.cards.remove(&index);
        }
        for index in lots.draw(disorder.leavers - disorder.leaving_operators.min(disorder.leavers)) {
            self.leaves(index);
        }
        for index in lots.draw(disorder.zeros) {
            let number = self.people[index as usize].number;
            self.card(index).number = Some(format!("0{number}"));
        }
        for index in lots.draw(disorder.blanks) {
            let number = self.people[index as usize].number;
            self.card(index).number = Some(format!("{number} "));
        }
        let portal = lots.draw(disorder.without_portal);
        assert_eq!(
            portal.len(),
            disorder.without_portal as usize,
            "too few people for so much disorder"
        );
        for index in portal {
            self.card(index).portal = false;
        }
    }

    /// Whom HR does not know.
    fn strangers(&mut self, disorder: &Disorder) {
        for place in 0..disorder.former {
            let mut card = SiteCard::of(&person(FORMER + 50_000 + place, self.today));
            card.human = None;
            card.archived = true;
            self.more.push(card);
        }
        for place in 0..disorder.outsiders {
            let mut card = SiteCard::of(&person(OUTSIDE + place, self.today));
            card.human = None;
            card.number = None;
            card.mail = card.mail.map(|mail| mail.replace('@', ".contractor@"));
            self.more.push(card);
        }
        for place in 0..disorder.anonymized {
            self.more.push(SiteCard::anonymized(FORMER + 90_000 + place));
        }
        for place in 0..disorder.integrations {
            let (name, login) = PROGRAMS[place as usize % PROGRAMS.len()];
            let round = place as usize / PROGRAMS.len();
            let (name, login) = match round {
                0 => (name.to_owned(), login.to_owned()),
                again => (format!("{name} {again}"), format!("{login}{again}")),
            };
            let card = SiteCard::of_program(FORMER + 95_000 + place, &name, &login);
            self.operators.push(SiteOperator::of(&card));
            self.more.push(card);
        }
    }

    /// Somebody takes another surname: the card keeps what was true before.
    fn renames(&mut self, index: u32, place: u32) {
        let other = person(index + 37 + place % 11, self.today);
        let person = &mut self.people[index as usize];
        (person.prefix, person.last_name) = (other.prefix, other.last_name);
        person.name_account(&format!("{}", 5 + place % 4));
    }

    fn leaves(&mut self, index: u32) {
        let person = &mut self.people[index as usize];
        person.last_day = self
            .today
            .checked_sub_days(Days::new(15 + u64::from(person.number) % 60));
    }
}

fn at_domain(mail: &str, domain: &str) -> String {
    let (name, _) = mail.split_once('@').unwrap_or((mail, ""));
    format!("{name}@{domain}")
}

/// The day on which somebody was born.
fn born(number: u32) -> NaiveDate {
    let days = u64::from(u16::from_le_bytes([scattered(number, 12)[0], scattered(number, 12)[1]])) % 14_000;
    let youngest = NaiveDate::from_ymd_opt(2004, 6, 1).expect("a day of the calendar");
    youngest - Days::new(days)
}

/// The index of a person with this number.
fn index_of(number: u32) -> u32 {
    number - FIRST_NUMBER
}

#[cfg(test)]
mod tests;
