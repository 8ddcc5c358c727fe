//! A company in disorder, made by chance from a seed, and whose each card is in truth.

use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::tests::chance::Chance;
use crate::core::tests::pairing::{BORN, Company};
use crate::core::tests::world::{key, row};
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;

const FIRST: [&str; 24] = [
    "Jan", "Piet", "Eva", "Anna", "Kees", "Noor", "Lars", "Fleur", "Bram", "Sofie", "Daan", "Lotte", "Tim", "Iris",
    "Ruud", "Saskia", "Tom", "Vera", "Wim", "Femke", "Gijs", "Hanna", "Joris", "Mila",
];
const SUR: [&str; 40] = [
    "Jansen",
    "de Vries",
    "Bakker",
    "Visser",
    "Smit",
    "Meijer",
    "de Boer",
    "Mulder",
    "de Groot",
    "Bos",
    "Vos",
    "Peters",
    "Hendriks",
    "van Dijk",
    "van den Berg",
    "van der Berg",
    "Kok",
    "Schröder",
    "Müller",
    "Jäger",
    "Dekker",
    "Brouwer",
    "de Wit",
    "Dijkstra",
    "Smits",
    "de Graaf",
    "van der Meer",
    "Kuipers",
    "Veenstra",
    "Prins",
    "Blom",
    "Huisman",
    "Postma",
    "Kramer",
    "Schouten",
    "van Leeuwen",
    "Willems",
    "Hoekstra",
    "Koster",
    "Sørensen",
];
const ROOM: CardField = CardField::OptionalText(1, 1);

/// What is the matter with somebody and their card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Ordinary,
    /// A successor of the same name has the account and the desk; the card is the predecessor's.
    NamesakeTookOver,
    OtherTookOver,
    /// Two of one name at one desk, each with an account and a card.
    NamesakesAtOneDesk,
    /// Brothers or sisters, often born on one day.
    Siblings,
    TwiceInHr,
    NumberOnWrongCard,
    WithoutZeros,
    SharedMailbox,
    External,
    ArchivedTwin,
    GeneratedCard,
    Swapped,
    OtherSpelling,
    Married,
    MarriedWithNewAccount,
    InitialsOnly,
}

const KINDS: [(Kind, u64); 17] = [
    (Kind::Ordinary, 560),
    (Kind::NamesakeTookOver, 50),
    (Kind::OtherTookOver, 30),
    (Kind::NamesakesAtOneDesk, 20),
    (Kind::Siblings, 30),
    (Kind::TwiceInHr, 30),
    (Kind::NumberOnWrongCard, 20),
    (Kind::WithoutZeros, 30),
    (Kind::SharedMailbox, 20),
    (Kind::External, 40),
    (Kind::ArchivedTwin, 30),
    (Kind::GeneratedCard, 40),
    (Kind::Swapped, 20),
    (Kind::OtherSpelling, 20),
    (Kind::Married, 30),
    (Kind::MarriedWithNewAccount, 15),
    (Kind::InitialsOnly, 15),
];

/// When cards are made.
#[derive(Clone, Copy, Debug)]
enum Made {
    OnTheFirstDay,
    /// Up to 200 days after it.
    Later,
    /// Up to 50 days before it, and sometimes half a year.
    Earlier,
    /// By one import, of all who were there then; afterwards on the first day.
    ByAnImport,
}

/// The habits of a company.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    made: Made,
    /// Of a hundred people, whose first day and date of birth the sources know, and on whose card a date of birth stands.
    first_days: u64,
    born_in_sources: u64,
    born_on_cards: u64,
    /// Of a hundred leavers, how many the sources still list.
    leavers_listed: u64,
}

impl Habits {
    fn by(chance: &mut Chance) -> Self {
        let one = |chance: &mut Chance, of: &[u64]| of[chance.below(of.len())];
        let born = one(chance, &[0, 0, 60, 100]);
        Self {
            made: [Made::OnTheFirstDay, Made::Later, Made::Earlier, Made::ByAnImport][chance.below(4)],
            first_days: one(chance, &[0, 60, 100, 100]),
            born_in_sources: born,
            born_on_cards: born * one(chance, &[0, 50, 100]) / 100,
            leavers_listed: one(chance, &[0, 50, 100]),
        }
    }
}

#[derive(Clone, Debug)]
struct Human {
    number: String,
    first: String,
    sur: String,
    account: String,
    born: NaiveDate,
    begins: NaiveDate,
    desk: u32,
    mobile: u32,
}

pub struct Disorder {
    pub company: Company,
    pub habits: Habits,
    /// Whose each card is, by the number that is right for it, and what is the matter with it.
    pub truth: BTreeMap<CardId, (Option<Key>, Kind)>,
    chance: Chance,
    cards: u32,
    people: u32,
    /// A larger company has more surnames: as many people as in a small one share each.
    endings: usize,
}

/// Of surnames, in companies of more than 500 people.
const ENDINGS: [&str; 6] = ["", "stra", "inga", "mans", "huis", "dijk"];

const IMPORT: (i32, u32, u32) = (2019, 1, 7);

fn date((year, month, day): (i32, u32, u32)) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

impl Disorder {
    /// A company of about so many people.
    pub fn new(seed: u64, people: u32) -> Self {
        let mut chance = Chance::new(seed);
        let habits = Habits::by(&mut chance);
        let mut made = Self {
            company: Company::new(),
            habits,
            truth: BTreeMap::new(),
            chance,
            cards: 0,
            people: 0,
            endings: usize::try_from(people.div_ceil(500))
                .expect("few")
                .clamp(1, ENDINGS.len()),
        };
        for field in [CardField::MobileNumber, CardField::Prefixes, ROOM] {
            made.company.maps(field);
        }
        while made.people < people {
            let kind = made.kind();
            made.somebody(kind);
        }
        made
    }

    fn kind(&mut self) -> Kind {
        let all: u64 = KINDS.iter().map(|(_, weight)| weight).sum();
        let mut left = self.chance.next() % all;
        for (kind, weight) in KINDS {
            if left < weight {
                return kind;
            }
            left -= weight;
        }
        Kind::Ordinary
    }

    fn day_after(&mut self, day: NaiveDate, from: u64, to: u64) -> NaiveDate {
        let days = from + self.chance.next() % (to - from);
        day.checked_add_days(Days::new(days)).expect("a day")
    }

    fn human(&mut self) -> Human {
        self.people += 1;
        // Some names are much more frequent than others.
        let some = |chance: &mut Chance, of: usize| chance.below(of).min(chance.below(of));
        let (first, sur) = (
            some(&mut self.chance, FIRST.len()),
            some(&mut self.chance, SUR.len() * self.endings),
        );
        let begins = self.day_after(date((2006, 1, 1)), 0, 7000);
        let born = self.day_after(date((1960, 1, 1)), 0, 15_000);
        let number = self.people;
        Human {
            number: format!("{:06}", 1000 + number),
            first: FIRST[first].to_owned(),
            sur: format!("{}{}", SUR[sur % SUR.len()], ENDINGS[sur / SUR.len()]),
            account: format!("a{number:05}"),
            born,
            begins,
            desk: number,
            mobile: 500_000 + number,
        }
    }

    /// A line in the sources.
    fn employ(&mut self, human: &Human, left: bool) {
        let mut line = row(&human.number)
            .with("first", &human.first)
            .with("sur", &human.sur)
            .with("login", &human.account)
            .with("email", &mail(&human.account));
        if self.chance.percent(self.habits.first_days) {
            line = line.with("start", &human.begins.to_string());
        }
        if left {
            line = line.with("status", "left");
        }
        self.company.world.hr().rows.push(line);
        let born = self.chance.percent(self.habits.born_in_sources).then_some(human.born);
        let mut extra = vec![
            (CardField::PhoneNumber, phone(human.desk)),
            (CardField::MobileNumber, phone(human.mobile)),
            (ROOM, FieldValue::text(&format!("room-{:05}", human.desk))),
        ];
        extra.push((BORN, born.map(FieldValue::Date)));
        self.company.has(&human.number, extra);
    }

    /// A card with what is true of somebody when it is made.
    fn card(&mut self, human: &Human, owner: Option<&str>, kind: Kind) -> String {
        self.cards += 1;
        let id = format!("c-{:06}", self.cards);
        self.company.card(&id, &human.first, &human.sur, &human.account);
        let born = self.chance.percent(self.habits.born_on_cards).then_some(human.born);
        let fields = [
            (CardField::PhoneNumber, phone(human.desk)),
            (CardField::MobileNumber, phone(human.mobile)),
            (ROOM, FieldValue::text(&format!("room-{:05}", human.desk))),
            (BORN, born.map(FieldValue::Date)),
        ];
        for (field, value) in fields {
            self.company.world.set(&id, field, value);
        }
        let made = match self.habits.made {
            Made::OnTheFirstDay => human.begins,
            Made::Later => self.day_after(human.begins, 0, 200),
            Made::Earlier if self.chance.percent(10) => self.day_after(human.begins - Days::new(200), 0, 140),
            Made::Earlier => self.day_after(human.begins - Days::new(50), 0, 50),
            Made::ByAnImport => human.begins.max(date(IMPORT)),
        };
        self.company.made(&id, made);
        if self.chance.percent(20) {
            self.operator(&id, None);
        }
        self.truth.insert(id.as_str().into(), (owner.map(key), kind));
        id
    }

    fn operator(&mut self, card: &str, login: Option<&str>) {
        let id = format!("o-{card}");
        let world = &mut self.company.world;
        world.operator(&id, card, false, OperatorKind::Regular);
        let operator = world.operators.get_mut(&id.as_str().into()).expect("just made");
        operator.login_name = login.map(Into::into);
    }

    fn somebody(&mut self, kind: Kind) {
        let mut human = self.human();
        let number = human.number.clone();
        let own = Some(number.as_str());
        match kind {
            Kind::NamesakeTookOver | Kind::OtherTookOver => return self.took_over(&human, kind),
            Kind::NamesakesAtOneDesk => {
                let mut other = self.human();
                (other.first, other.sur) = (human.first.clone(), human.sur.clone());
                other.desk = human.desk;
                self.employ(&other, false);
                self.card(&other, Some(&other.number.clone()), kind);
            }
            Kind::Siblings => {
                let mut other = self.human();
                other.sur.clone_from(&human.sur);
                if other.first == human.first {
                    "Alex".clone_into(&mut other.first);
                }
                if self.chance.percent(50) {
                    other.born = human.born;
                }
                // One of them may have left, card and all.
                let here = self.chance.percent(60);
                if here {
                    self.employ(&other, false);
                }
                let owner = here.then(|| other.number.clone());
                self.card(&other, owner.as_deref(), kind);
            }
            Kind::TwiceInHr => {
                // Back under a new number; the directory has the old one, the new one, or both.
                let mut before = human.clone();
                before.number = self.human().number;
                self.card(&before, own, kind);
                human.begins = self.day_after(human.begins, 400, 900);
                if self.chance.percent(50) {
                    human.account = String::new();
                } else if self.chance.percent(50) {
                    before.account = String::new();
                }
                self.employ(&before, true);
                self.employ(&human, false);
                return;
            }
            Kind::NumberOnWrongCard => {
                let other = self.human();
                self.employ(&other, false);
                let wrong = self.card(&other, Some(&other.number.clone()), kind);
                self.company.world.set_text(&wrong, CardField::EmployeeNumber, &number);
            }
            Kind::SharedMailbox | Kind::External => return self.of_nobody(&human, kind),
            Kind::ArchivedTwin => {
                let mut before = human.clone();
                before.account = format!("old{}", human.account);
                let old = self.card(&before, own, kind);
                self.company.world.card_mut(&old).archived = true;
            }
            Kind::Ordinary
            | Kind::WithoutZeros
            | Kind::GeneratedCard
            | Kind::Swapped
            | Kind::OtherSpelling
            | Kind::Married
            | Kind::MarriedWithNewAccount
            | Kind::InitialsOnly => {}
        }
        if kind == Kind::InitialsOnly {
            human.first.truncate(1);
        }
        let card = self.card(&human, own, kind);
        self.odd(&mut human, &card, kind);
        self.employ(&human, false);
    }

    /// What is odd about one card, or about what the sources say of its person.
    fn odd(&mut self, human: &mut Human, card: &str, kind: Kind) {
        let world = &mut self.company.world;
        match kind {
            Kind::WithoutZeros => {
                world.set_text(card, CardField::EmployeeNumber, human.number.trim_start_matches('0'));
            }
            Kind::Swapped => {
                world.set_text(card, CardField::FirstName, &human.sur);
                world.set_text(card, CardField::SurName, &human.first);
            }
            Kind::OtherSpelling => {
                "Schröder".clone_into(&mut human.sur);
                world.set_text(card, CardField::SurName, "Schroeder");
            }
            Kind::Married | Kind::MarriedWithNewAccount => {
                human.sur = format!("Nieuw{}", human.desk);
                if kind == Kind::MarriedWithNewAccount {
                    human.account = format!("n{}", human.account);
                }
            }
            Kind::GeneratedCard => {
                // TOPdesk made it with the operator: a name, and the login is the operator's.
                for field in [
                    CardField::TasLoginName,
                    CardField::Email,
                    CardField::MobileNumber,
                    ROOM,
                    BORN,
                ] {
                    world.set(card, field, None);
                }
                let account = human.account.clone();
                self.operator(card, Some(&account));
            }
            _ => {}
        }
    }

    /// The card is the predecessor's; the successor has the account, the desk and the telephone.
    fn took_over(&mut self, before: &Human, kind: Kind) {
        let card = self.card(before, None, kind);
        let made = self
            .company
            .world
            .card_mut(&card)
            .created_at
            .expect("made")
            .date_naive();
        let mut after = self.human();
        // The predecessor worked here for a while after the card was made.
        after.begins = self.day_after(made, 150, 1500);
        (after.account, after.desk) = (before.account.clone(), before.desk);
        if kind == Kind::NamesakeTookOver {
            (after.first, after.sur) = (before.first.clone(), before.sur.clone());
        } else if after.first == before.first || after.sur == before.sur {
            "Zita".clone_into(&mut after.first);
            "Zonneveld".clone_into(&mut after.sur);
        }
        if self.chance.percent(50) {
            after.mobile = before.mobile;
        }
        if self.chance.percent(self.habits.leavers_listed) {
            let mut listed = before.clone();
            if self.chance.percent(50) {
                listed.account = String::new();
            }
            self.employ(&listed, true);
            self.truth
                .insert(card.as_str().into(), (Some(key(&before.number)), kind));
        }
        self.employ(&after, false);
    }

    /// Cards that no record of the sources is about.
    fn of_nobody(&mut self, human: &Human, kind: Kind) {
        let card = self.card(human, None, kind);
        let world = &mut self.company.world;
        if kind == Kind::SharedMailbox {
            world.set_text(&card, CardField::SurName, "Receptie");
            world.set(&card, CardField::FirstName, None);
        } else if self.chance.percent(50) {
            // An external of the name of somebody who is employed.
            let mut employed = self.human();
            (employed.first, employed.sur) = (human.first.clone(), human.sur.clone());
            let own = employed.number.clone();
            self.card(&employed, Some(&own), kind);
            self.employ(&employed, false);
        }
    }
}

fn mail(account: &str) -> String {
    if account.is_empty() {
        String::new()
    } else {
        format!("{account}@example.net")
    }
}

fn phone(number: u32) -> Option<FieldValue> {
    FieldValue::text(&format!("+31 6 {number:08}"))
}
