//! One invented person, made from a number alone: the same number gives the same person in a company of any size.

use super::names::{DEPARTMENTS, FIRST_NAMES, FUNCTIONS, SITES, SURNAMES, ascii};
use chrono::{Days, NaiveDate};

/// The number of the first person; the others follow.
pub const FIRST_NUMBER: u32 = 100_001;
/// The mail domain of the company.
pub const DOMAIN: &str = "noorderlicht.example";

/// How many of a hundred people work in each department, in the order of [`DEPARTMENTS`].
const SHARES: [u32; 13] = [1, 14, 5, 14, 10, 22, 5, 6, 4, 3, 8, 5, 3];
/// The departments whose people answer calls in TOPdesk.
const OPERATORS_FROM: usize = 11;

/// A person as HR and the directory know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Personnel number: the key, the same for life.
    pub number: u32,
    /// The number as HR typed it, where that is another one.
    pub typed_number: Option<u32>,
    pub first_name: &'static str,
    pub prefix: &'static str,
    pub last_name: &'static str,
    pub mail: String,
    pub login: String,
    pub phone: String,
    pub site: &'static str,
    pub department: &'static str,
    pub function: &'static str,
    /// Personnel number of the manager.
    pub manager: Option<u32>,
    pub hired: NaiveDate,
    /// Last day at work, as far as HR knows.
    pub last_day: Option<NaiveDate>,
    /// Whether they answer calls in TOPdesk.
    pub operator: bool,
}

/// Indexes of first name and surname. Their numbers are coprime, so that the first 9,797 people all have other names.
fn name_of(index: u32) -> (usize, usize) {
    let step = u64::from(index) * 4801 % 9797;
    let step = usize::try_from(step).expect("below 9797");
    (step % FIRST_NAMES.len(), step % SURNAMES.len())
}

/// A number that looks random and is always the same (splitmix64).
fn mixed(index: u32, salt: u64) -> u64 {
    let mut z = (u64::from(index) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xd1b5_4a32_d192_ed03);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick(index: u32, salt: u64, of: usize) -> usize {
    usize::try_from(mixed(index, salt) % of as u64).expect("less than a length")
}

/// The first is the director, the next ones lead a department each, the others are spread by share.
fn department_of(index: u32) -> usize {
    let leaders = DEPARTMENTS.len() as u32;
    if index < leaders {
        return index as usize;
    }
    let mut slot = index * 37 % 100;
    for (department, share) in SHARES.into_iter().enumerate() {
        if slot < share {
            return department;
        }
        slot -= share;
    }
    unreachable!("the shares are of a hundred")
}

impl Person {
    /// The person with this index, from 0, in a company that exists on `today`.
    pub fn new(index: u32, today: NaiveDate) -> Self {
        let (first, last) = name_of(index);
        let (first_name, (prefix, last_name)) = (FIRST_NAMES[first], SURNAMES[last]);
        let department = department_of(index);
        let leaders = DEPARTMENTS.len() as u32;
        let manager = match index {
            0 => None,
            leader if leader < leaders => Some(FIRST_NUMBER),
            _worker => Some(FIRST_NUMBER + department as u32),
        };
        let days = 400 + mixed(index, 3) % 8000;
        let mut person = Self {
            number: FIRST_NUMBER + index,
            typed_number: None,
            first_name,
            prefix,
            last_name,
            mail: String::new(),
            login: String::new(),
            phone: format!("+31 30 {:03} {:04}", 200 + index / 10_000, index % 10_000),
            site: SITES[pick(index, 1, SITES.len())],
            department: DEPARTMENTS[department],
            function: FUNCTIONS[department][pick(index, 2, 3)],
            manager,
            hired: today.checked_sub_days(Days::new(days)).unwrap_or(today),
            last_day: None,
            operator: department >= OPERATORS_FROM,
        };
        // People with the same name come 9,797 apart; the later one has a number in the address.
        let namesakes = index / 9797;
        let suffix = if namesakes == 0 {
            String::new()
        } else {
            (namesakes + 1).to_string()
        };
        person.name_account(&suffix);
        person
    }

    /// Makes mail address and login out of the name, as after a marriage.
    pub fn name_account(&mut self, suffix: &str) {
        let (first, prefix, last) = (ascii(self.first_name), ascii(self.prefix), ascii(self.last_name));
        self.mail = format!("{first}.{prefix}{last}{suffix}@{DOMAIN}");
        let initial = first.chars().next().unwrap_or('x');
        self.login = format!("{prefix}{last}{initial}{}", self.number % 100_000);
    }

    /// First name, prefix and surname.
    pub fn full_name(&self) -> String {
        let parts = [self.first_name, self.prefix, self.last_name];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The number that stands in HR's export.
    pub fn written_number(&self) -> u32 {
        self.typed_number.unwrap_or(self.number)
    }

    /// Whether they have left before this day.
    pub fn has_left(&self, today: NaiveDate) -> bool {
        self.last_day.is_some_and(|day| day < today)
    }

    /// The directory's own id of this person's account, which never changes.
    pub fn guid(&self) -> [u8; 16] {
        scattered(self.number, 5)
    }
}

/// Sixteen bytes that look random and are always the same.
pub fn scattered(number: u32, salt: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&mixed(number, salt).to_le_bytes());
    bytes[8..].copy_from_slice(&mixed(number, salt + 100).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()
    }

    #[test]
    fn addresses_logins_and_directory_ids_are_unique_in_a_large_company() {
        let people: Vec<Person> = (0..30_000).map(|index| Person::new(index, today())).collect();
        let mails: BTreeSet<_> = people.iter().map(|person| &person.mail).collect();
        let logins: BTreeSet<_> = people.iter().map(|person| &person.login).collect();
        let guids: BTreeSet<_> = people.iter().map(Person::guid).collect();
        assert_eq!((mails.len(), logins.len(), guids.len()), (30_000, 30_000, 30_000));
    }

    #[test]
    fn names_fit_the_fields_of_a_card() {
        for person in (0..9797).map(|index| Person::new(index, today())) {
            assert!(person.last_name.chars().count() <= 50);
            assert!(person.first_name.chars().count() <= 30);
            assert!(person.prefix.chars().count() <= 10);
            assert!(person.phone.chars().count() <= 25, "{}", person.phone);
            assert!(person.mail.len() <= 100 && person.login.len() <= 100);
        }
    }

    #[test]
    fn three_hundred_people_have_about_two_dozen_operators() {
        let operators = (0..300).filter(|index| Person::new(*index, today()).operator).count();
        assert!((22..=27).contains(&operators), "{operators}");
    }
}
