//! Whoever knows the people: corrects the list of pairs, decides what waits, and what happens in the company.

use super::outside::figure;
use crate::support::workplace::{Workplace, text};
use cardsync::demo::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// A table for a spreadsheet.
pub struct Sheet {
    header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    fn at(&self, name: &str) -> usize {
        let named = |cell: &String| cell == name;
        self.header
            .iter()
            .position(named)
            .unwrap_or_else(|| panic!("no column {name}"))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
        for row in std::iter::once(&self.header).chain(&self.rows) {
            writer.write_record(row).expect("memory takes every row");
        }
        writer.into_inner().expect("memory takes every row")
    }
}

/// Reads a table of the folder.
pub fn sheet(place: &Workplace, file: &str) -> Sheet {
    let bytes = std::fs::read(place.path(file)).expect("the list was written");
    let body = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .has_headers(false)
        .from_reader(body);
    let mut rows = reader
        .records()
        .map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<String>>());
    Sheet {
        header: rows.next().expect("a header"),
        rows: rows.collect(),
    }
}

fn bare(cell: &str) -> &str {
    cell.trim_start_matches('\'')
        .trim_start_matches('[')
        .trim_end_matches(']')
}

/// The numbers on the cards.
fn numbers(place: &Workplace) -> BTreeSet<String> {
    let state = place.sandbox.state_json();
    let cards = state["persons"].as_array().expect("cards");
    cards
        .iter()
        .map(|card| text(&card["employeeNumber"]).to_owned())
        .collect()
}

/// See the module.
pub struct Human {
    pub site: Site,
    /// Whose each card is, by id; of cards that were there at the beginning.
    pub truth: BTreeMap<String, Option<u32>>,
    /// Whether the list is looked at whole; before that every tenth line is left for later.
    pub whole_list: bool,
    /// Numbers that were given to a card by the list.
    given: BTreeSet<u32>,
    /// Cards whose archiving was approved.
    pub archives: BTreeSet<String>,
    figures: BTreeMap<&'static str, usize>,
    /// What happened, by number.
    pub married: Vec<u32>,
    pub joined: Vec<u32>,
    pub left: Vec<u32>,
}

impl Human {
    pub fn new(site: Site) -> Human {
        Human {
            truth: site.truth(),
            site,
            whole_list: false,
            given: BTreeSet::new(),
            archives: BTreeSet::new(),
            figures: BTreeMap::new(),
            married: Vec::new(),
            joined: Vec::new(),
            left: Vec::new(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.figures.entry(what).or_default() += 1;
    }

    pub fn tell(&self) {
        self.figures.iter().for_each(|(what, count)| figure(*count, what));
        figure(self.joined.len(), "joiners in the month");
        figure(self.left.len(), "leavers in the month");
        figure(self.married.len(), "marriages in the month");
    }

    /// Whether the person with this address has a card, under whatever address.
    pub fn has_a_card_with_other_address(&self, email: &str) -> bool {
        let person = self.site.numbers().into_iter().find(|number| {
            let person = self.site.person(*number).expect("somebody");
            person.mail.eq_ignore_ascii_case(email)
        });
        person.is_some_and(|number| self.has_card(number))
    }

    pub fn has_card(&self, number: u32) -> bool {
        self.truth.values().any(|human| *human == Some(number))
    }

    fn has_left(&self, number: u32) -> bool {
        self.site
            .person(number)
            .is_some_and(|person| person.has_left(self.site.today))
    }

    /// Approves every sure pair unseen, and looks at the others: the right number, or no.
    pub fn correct(&mut self, place: &Workplace, file: &str) {
        let mut list = sheet(place, file);
        let [grade, card, number, other, decision, why] =
            ["grade", "person_id", "number", "other_number", "decision", "why"].map(|name| list.at(name));
        let has_number = numbers(place);
        for at in 0..list.rows.len() {
            let row = &list.rows[at];
            let owner = self.truth[bare(&row[card])];
            let proposed: Option<u32> = bare(&row[number]).trim_start_matches('0').parse().ok();
            if !row[decision].is_empty() {
                continue;
            }
            if row[grade] == "sure" {
                assert_eq!(proposed, owner, "a sure pair is wrong: {row:?}");
                list.rows[at][decision] = "approve".to_owned();
                self.given.extend(owner);
                self.count("sure pairs, approved unseen, all right");
                continue;
            }
            if !self.whole_list && at % 10 == 0 {
                continue;
            }
            let twin = row[why].contains("the operator's card of somebody");
            let archived = row[why].contains("archived, and no other card");
            match owner {
                // A run offers to make one of the two; the archived one is woken by hand, or not.
                Some(_) if twin || archived => self.count("lines left to a run, or to TOPdesk"),
                Some(owner) if self.given.contains(&owner) || has_number.contains(&owner.to_string()) => {
                    list.rows[at][decision] = "reject".to_owned();
                    self.count("second cards, rejected");
                }
                Some(owner) => {
                    let right = proposed == Some(owner);
                    list.rows[at][decision] = "approve".to_owned();
                    if !right {
                        list.rows[at][other] = format!("[{owner}]");
                        list.rows[at][decision] = "approve somebody-else".to_owned();
                    }
                    self.given.insert(owner);
                    self.count(if right {
                        "other pairs, right"
                    } else {
                        "numbers corrected or added"
                    });
                }
                None => {
                    list.rows[at][decision] = "reject".to_owned();
                    let what = if proposed.is_some() {
                        "wrong pairs that were proposed, rejected"
                    } else {
                        "cards of nobody, rejected"
                    };
                    self.count(what);
                }
            }
        }
        place.write(file, list.bytes());
    }

    /// Decides all that waits by what is true; gives how much was approved.
    pub fn decide(&mut self, place: &Workplace) -> usize {
        place.cardsync(&["holds", "--csv", "waiting.csv"]);
        let mut list = sheet(place, "waiting.csv");
        let [action, key, card, decision] = ["action", "key", "person_id", "decision"].map(|name| list.at(name));
        let mut approved = 0;
        for at in 0..list.rows.len() {
            let row = &list.rows[at];
            if !row[decision].is_empty() {
                continue;
            }
            let person: Option<u32> = bare(&row[key]).parse().ok();
            let card = bare(&row[card]).to_owned();
            let is_theirs = person.is_some() && self.truth.get(&card).copied().flatten() == person;
            let yes = match (row[action].as_str(), person) {
                ("create", Some(person)) => !self.has_card(person) && !self.has_left(person),
                ("archive", Some(person)) => self.has_left(person),
                ("adopt" | "exchange" | "merge", Some(_)) => is_theirs,
                ("unarchive", Some(person)) => is_theirs && !self.has_left(person),
                ("update" | "set_references", Some(_)) | ("create_entry", None) => true,
                (action, person) => panic!("what is to be decided? {action} {person:?}: {row:?}"),
            };
            let action = row[action].clone();
            list.rows[at][decision] = if yes { "approve" } else { "reject" }.to_owned();
            if yes {
                approved += 1;
                if action == "archive" {
                    self.archives.insert(card);
                }
            }
            self.count(if yes {
                "items that waited, approved"
            } else {
                "items that waited, rejected"
            });
        }
        place.write("waiting.csv", list.bytes());
        if approved > 0 {
            place.cardsync(&["approve", "--csv", "waiting.csv"]).exits(0);
        }
        approved
    }

    /// A day in the company: somebody joins every day, somebody leaves every other day, somebody marries every third; and every
    /// fifth a newcomer is given the login of somebody who left.
    pub fn happen(&mut self, day: u64) {
        let joined = self.site.joins();
        self.joined.push(joined);
        let settled: Vec<u32> = self
            .site
            .employed()
            .into_iter()
            .filter(|number| self.has_card(*number) && !self.married.contains(number))
            .collect();
        let some = |salt: u64| settled[usize::try_from(day * 7919 + salt * 104_729).expect("small") % settled.len()];
        if day.is_multiple_of(2) {
            let leaver = some(1);
            self.site.leaves(leaver);
            self.left.push(leaver);
        }
        let bride = some(2);
        if day.is_multiple_of(3) && !self.left.contains(&bride) {
            self.site.marries(bride);
            self.married.push(bride);
        }
        if day.is_multiple_of(5) {
            let leaver = self.left[self.left.len() / 2];
            let newcomer = self.site.joins_with_login_of(leaver);
            self.joined.push(newcomer);
            self.count("logins handed on to a newcomer in the month");
        }
    }
}
