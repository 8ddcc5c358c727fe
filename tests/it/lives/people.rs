//! The people of a small company as they are, whatever HR says of them, and what happens to them.

use crate::years::chance::Chance;
use crate::years::company::word;
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;

pub const SITES: [&str; 3] = ["Delft", "Leiden", "Breda"];
const TITLES: [&str; 4] = ["Clerk", "Planner", "Adviser", "Lead"];

/// A contract as it is, and when HR enters it.
#[derive(Clone, Debug)]
pub struct Contract {
    pub start: NaiveDate,
    pub end: Option<NaiveDate>,
    /// From this day on HR knows it.
    pub entered: NaiveDate,
    /// From this day on HR knows its end.
    pub end_entered: NaiveDate,
}

impl Contract {
    /// The end as HR knows it on a day.
    pub fn known_end(&self, today: NaiveDate) -> Option<NaiveDate> {
        self.end.filter(|_| self.end_entered <= today)
    }
}

/// One human.
#[derive(Clone, Debug)]
pub struct Human {
    pub number: String,
    /// Every number that HR or a hand ever wrote for them.
    pub numbers: BTreeSet<String>,
    pub first: String,
    pub last: String,
    pub login: String,
    pub site: &'static str,
    pub title: &'static str,
    /// By their first days, never empty.
    pub contracts: Vec<Contract>,
    /// How many days HR leaves the row of a leaver.
    pub row_stays: u64,
    pub operator: bool,
}

impl Human {
    fn new(index: usize, start: NaiveDate) -> Human {
        let number = (100_001 + index).to_string();
        Human {
            numbers: BTreeSet::from([number.clone()]),
            number,
            first: word(index * 3 + 1, 3),
            last: word(index, 4),
            login: format!("usr{index:03}"),
            site: SITES[index % SITES.len()],
            title: TITLES[index % TITLES.len()],
            contracts: vec![Contract {
                start,
                end: None,
                entered: start - Days::new(9),
                end_entered: start,
            }],
            row_stays: 0,
            operator: false,
        }
    }

    pub fn mail(&self) -> String {
        format!("{}.{}@example.org", self.first, self.last).to_lowercase()
    }

    /// Whether they work here on a day.
    pub fn works(&self, day: NaiveDate) -> bool {
        self.contracts
            .iter()
            .any(|it| it.start <= day && it.end.is_none_or(|end| day <= end))
    }

    pub fn latest(&self) -> &Contract {
        self.contracts.last().expect("everybody has a contract")
    }

    fn latest_mut(&mut self) -> &mut Contract {
        self.contracts.last_mut().expect("everybody has a contract")
    }

    /// Works here without an end, and has for a while.
    fn is_settled(&self, today: NaiveDate) -> bool {
        self.works(today) && self.latest().end.is_none() && self.latest().start + Days::new(3) <= today
    }

    /// Has left for good, as far as anybody knows.
    fn is_away(&self, today: NaiveDate) -> bool {
        self.contracts
            .iter()
            .all(|it| it.end.is_some_and(|end| end + Days::new(4) < today))
    }
}

/// The company on one day.
pub struct People {
    pub all: Vec<Human>,
    pub today: NaiveDate,
    weddings: usize,
}

impl People {
    pub fn new(size: usize, today: NaiveDate) -> People {
        let mut people = People {
            all: Vec::new(),
            today,
            weddings: 0,
        };
        for index in 0..size {
            people
                .all
                .push(Human::new(index, today - Days::new(300 + index as u64 * 17)));
            people.all[index].operator = index % 6 == 3;
        }
        people
    }

    /// Whose number this is.
    pub fn owner(&self, number: &str) -> Option<usize> {
        self.all.iter().position(|human| human.numbers.contains(number))
    }

    pub fn who(&self, is: impl Fn(&Human) -> bool) -> Vec<usize> {
        let all = self.all.iter().enumerate();
        all.filter(|(_, human)| is(human)).map(|(index, _)| index).collect()
    }

    pub fn settled(&self) -> Vec<usize> {
        self.who(|human| human.is_settled(self.today))
    }

    /// What happens in a night; in words, for whoever looks for what went wrong.
    pub fn night(&mut self, chance: &mut Chance) -> Vec<String> {
        let mut told = Vec::new();
        let today = self.today;
        let someone = chance.one_of(&self.settled());
        let away = chance.one_of(&self.who(|human| human.is_away(today)));
        if chance.percent(12) {
            let start = today + Days::new(chance.below(12) as u64);
            let index = self.all.len();
            self.all.push(Human::new(index, start));
            told.push(format!("{} joins on {start}", self.all[index].number));
        }
        if let Some(who) = someone {
            match chance.below(100) {
                0..=9 => {
                    let human = &mut self.all[who];
                    human.site = SITES[chance.below(SITES.len())];
                    human.title = TITLES[chance.below(TITLES.len())];
                    told.push(format!("{} moves", human.number));
                }
                10..=13 => {
                    self.weddings += 1;
                    let human = &mut self.all[who];
                    human.last = word(50_000 + self.weddings, 4);
                    told.push(format!("{} marries", human.number));
                }
                14..=25 => told.push(self.leaves(who, chance)),
                26..=31 => told.push(self.goes_on(who, chance)),
                32..=33 => {
                    let human = &mut self.all[who];
                    let number = format!("7{}", &human.number[1..]);
                    human.numbers.insert(number.clone());
                    told.push(format!("{} gets the number {number}", human.number));
                    human.number = number;
                }
                _ => {}
            }
        }
        if let Some(who) = away.filter(|_| chance.percent(7)) {
            let human = &mut self.all[who];
            let new_number = chance.percent(30);
            if new_number {
                human.number = format!("8{}", &human.number[1..]);
                human.numbers.insert(human.number.clone());
            }
            let start = today + Days::new(chance.below(6) as u64);
            human.contracts.push(Contract {
                start,
                end: None,
                entered: today,
                end_entered: today,
            });
            told.push(format!("{} comes back on {start}", human.number));
        }
        told
    }

    /// The end is known ahead, or entered late.
    fn leaves(&mut self, who: usize, chance: &mut Chance) -> String {
        let today = self.today;
        let human = &mut self.all[who];
        human.row_stays = [0, 0, 1, 2, 10, 30][chance.below(6)];
        let late = chance.percent(25);
        let days = Days::new(chance.below(if late { 5 } else { 15 }) as u64);
        let contract = human.latest_mut();
        let end = if late { today - days } else { today + days };
        contract.end = Some(end.max(contract.start));
        contract.end_entered = today;
        format!("{} leaves on {end}", human.number)
    }

    /// A contract ends and the next one begins, at once or after a gap; entered now or late.
    fn goes_on(&mut self, who: usize, chance: &mut Chance) -> String {
        let today = self.today;
        let human = &mut self.all[who];
        let end = today + Days::new(2 + chance.below(8) as u64);
        let gap = [0, 0, 3, 9][chance.below(4)];
        let start = end + Days::new(1 + gap);
        let contract = human.latest_mut();
        (contract.end, contract.end_entered) = (Some(end), today);
        human.row_stays = 30;
        let entered = if chance.percent(70) { today } else { start };
        human.contracts.push(Contract {
            start,
            end: None,
            entered,
            end_entered: start,
        });
        format!(
            "{}: a contract ends on {end}, the next begins on {start}, entered on {entered}",
            human.number
        )
    }
}
