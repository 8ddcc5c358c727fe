//! What HR exports: the people as it knows them, and its mistakes, which it corrects after some days.

use super::people::{Human, People};
use crate::years::chance::Chance;
use chrono::{Days, NaiveDate};
use std::fmt::Write as _;

/// How the sources are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One row per person, with an end date and a status.
    OneRow,
    /// A row per contract.
    PerContract,
    /// One row per person, which HR may take out soon, and a directory with an OU for leavers.
    Directory,
}

/// What an export says of one human.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Works,
    /// The record says that they have left.
    Ends,
    /// The record says so by a date that cannot be.
    Odd,
    /// No record, or none of a contract that goes on.
    Gone,
    /// A record that cannot be used, or not for this.
    Open,
    /// They work here, and the run doubted what it read.
    Doubted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    WrongEnd(NaiveDate),
    Epoch,
    EndIsText,
    RowLost,
    NumberMistyped,
    HalfAFile,
    WordRenamed,
    Total,
    Dashes,
    HeaderInTheMiddle,
}

#[derive(Clone, Debug)]
struct Slip {
    what: What,
    who: usize,
    until: NaiveDate,
}

/// HR with the mistakes that stand now.
pub struct Hr {
    pub shape: Shape,
    slips: Vec<Slip>,
}

/// One export.
pub struct Export {
    pub people: String,
    pub directory: String,
    /// Every row of it is there.
    pub whole: bool,
    /// Of each human.
    pub signs: Vec<Sign>,
    /// The end that it gives for each human, whether it has come or not.
    pub ends: Vec<Option<NaiveDate>>,
}

const HEADER: &str = "Nr;Last;First;Mail;Login;Site;Title;Start;End;Status";

impl Hr {
    pub fn new(shape: Shape) -> Hr {
        Hr {
            shape,
            slips: Vec::new(),
        }
    }

    /// Mistakes are corrected, and others are made.
    pub fn night(&mut self, people: &mut People, chance: &mut Chance) -> Vec<String> {
        let today = people.today;
        self.slips.retain(|slip| today < slip.until);
        let what = match chance.below(100) {
            0..=4 => What::WrongEnd(today - Days::new(chance.below(8) as u64)),
            5..=6 => What::Epoch,
            7 => What::EndIsText,
            8..=12 => What::RowLost,
            13 => What::NumberMistyped,
            14..=15 => What::HalfAFile,
            16..=17 => What::WordRenamed,
            18..=19 => What::Total,
            20 => What::Dashes,
            21..=22 => What::HeaderInTheMiddle,
            _ => return Vec::new(),
        };
        let Some(who) = chance.one_of(&people.settled()) else {
            return Vec::new();
        };
        let days = match what {
            What::HalfAFile | What::Total | What::Dashes | What::HeaderInTheMiddle => 1,
            _ => 1 + chance.below(8) as u64,
        };
        if what == What::NumberMistyped {
            let wrong = mistyped(&people.all[who]);
            people.all[who].numbers.insert(wrong);
        }
        let until = today + Days::new(days);
        self.slips.push(Slip { what, who, until });
        vec![format!("HR: {what:?} of {} until {until}", people.all[who].number)]
    }

    fn has(&self, what: What) -> bool {
        self.slips.iter().any(|slip| slip.what == what)
    }

    /// The export of the day.
    pub fn export(&self, people: &People) -> Export {
        let today = people.today;
        let mut lines = Vec::new();
        let mut directory = String::from("Nr;Ou\n");
        let (mut signs, mut ends) = (Vec::new(), Vec::new());
        let leavers = if self.has(What::WordRenamed) {
            "Former"
        } else {
            "Leavers"
        };
        for (who, human) in people.all.iter().enumerate() {
            let (rows, mut sign, shown) = self.rows(who, human, today);
            if self.shape == Shape::Directory {
                let last_days = human.contracts.iter().filter_map(|it| it.end);
                let listed = human.works(today)
                    || human.latest().start > today
                    || last_days.max().is_some_and(|end| today <= end + Days::new(30));
                let left = !human.works(today) && human.latest().start <= today;
                if listed {
                    let ou = if left { leavers } else { "Staff" };
                    writeln!(directory, "{};{ou}", human.number).expect("a String takes everything");
                }
                if left && listed && leavers == "Leavers" && !rows.is_empty() && sign == Sign::Works {
                    sign = Sign::Ends;
                }
            }
            lines.extend(rows);
            signs.push(sign);
            ends.push(shown);
        }
        if self.has(What::Total) {
            lines.push(format!("{};;;;;;;;;", lines.len()));
        }
        if self.has(What::Dashes) {
            lines.push("------;------;------;------;------;------;------;;;".to_owned());
        }
        if self.has(What::HeaderInTheMiddle) {
            lines.insert(lines.len() / 2, HEADER.to_owned());
        }
        let whole = !self.has(What::HalfAFile);
        if !whole {
            lines.truncate(lines.len() / 2);
        }
        Export {
            people: format!("{HEADER}\n{}\n", lines.join("\n")),
            directory,
            whole,
            signs,
            ends,
        }
    }

    /// The rows of one human, and what they say of the human's number, with the end that the last one gives.
    fn rows(&self, who: usize, human: &Human, today: NaiveDate) -> (Vec<String>, Sign, Option<NaiveDate>) {
        let mine = |what: What| self.slips.iter().any(|slip| slip.who == who && slip.what == what);
        let wrong_end = self.slips.iter().find_map(|slip| match slip.what {
            What::WrongEnd(end) if slip.who == who => Some(end),
            _ => None,
        });
        let per_contract = self.shape == Shape::PerContract;
        let entered: Vec<_> = human.contracts.iter().filter(|it| it.entered <= today).collect();
        let shown = if per_contract {
            &entered[..]
        } else {
            &entered[entered.len().saturating_sub(1)..]
        };
        let mut rows = Vec::new();
        let (mut sign, mut shown_end) = (Sign::Gone, None);
        for (at, contract) in shown.iter().enumerate() {
            let last = at + 1 == shown.len();
            let known = contract.known_end(today);
            let cleared = known.is_some_and(|end| end + Days::new(human.row_stays) < today);
            if cleared || last && mine(What::RowLost) {
                continue;
            }
            let mut end = known.map(|end| end.to_string()).unwrap_or_default();
            let mut says = match known {
                Some(end) if end < today => Sign::Ends,
                _ => Sign::Works,
            };
            if let Some(wrong) = wrong_end.filter(|_| last && says == Sign::Works) {
                end = wrong.to_string();
                let before = wrong < contract.start;
                says = match wrong < today {
                    true if before => Sign::Odd,
                    true => Sign::Ends,
                    false => Sign::Works,
                };
            } else if last && mine(What::Epoch) {
                (end, says) = ("1970-01-01".to_owned(), Sign::Odd);
            } else if last && mine(What::EndIsText) {
                (end, says) = ("onbekend".to_owned(), Sign::Open);
            }
            let gone = known.is_some_and(|end| end < today);
            let mut status = "in dienst";
            // Of every second leaver only the word says it.
            if self.shape == Shape::OneRow && gone {
                status = if self.has(What::WordRenamed) {
                    "vertrokken"
                } else {
                    "uit dienst"
                };
                if who.is_multiple_of(2) {
                    end.clear();
                    if status == "vertrokken" {
                        says = Sign::Works;
                    }
                }
            }
            let number = if mine(What::NumberMistyped) {
                mistyped(human)
            } else {
                human.number.clone()
            };
            rows.push(format!(
                "{number};{};{};{};{};{};{};{};{end};{status}",
                human.last,
                human.first,
                human.mail(),
                human.login,
                human.site,
                human.title,
                contract.start,
            ));
            shown_end = end.parse().ok();
            // An old row that has ended says nothing where the last one is missing.
            sign = match (says, last) {
                (Sign::Works, _) => Sign::Works,
                (says, true) if sign != Sign::Works => says,
                (_, true) | (_, false) => sign,
            };
        }
        if mine(What::NumberMistyped) {
            sign = Sign::Gone;
        }
        (rows, sign, shown_end)
    }
}

/// Two digits changed places.
fn mistyped(human: &Human) -> String {
    format!("9{}", &human.number[1..])
}
