//! What an import that recognises people by e-mail address would have done to the same company.
//!
//! A small, honest model, kind to its subject: it matches ignoring case, leaves alone every card without a personnel
//! number and without a row in the export, never makes two cards for one address, and wakes the cards it archived when
//! their address comes back. It reads the same rows as cardsync, with the addresses that the directory has.

use super::cards::Card;
use super::person::Person;
use std::collections::{BTreeMap, BTreeSet};

/// TOPdesk as such an import would have left it.
#[derive(Clone, Debug)]
pub struct EmailImport {
    cards: Vec<Imported>,
}

/// A card as the import sees it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The humans whom the card has stood for; more than one when it was given to somebody else.
    pub humans: BTreeSet<u32>,
    pub number: Option<u32>,
    /// In lower case.
    pub mail: String,
    pub archived: bool,
    /// Whether an operator card is linked, and goes where the card goes.
    pub operator: bool,
}

/// What it does, by personnel number, so that nobody is counted twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harm {
    /// People who got a second card.
    pub second_card: BTreeSet<u32>,
    /// People who work here and whose card was archived.
    pub archived: BTreeSet<u32>,
    /// Those of them who were locked out of TOPdesk as operators.
    pub locked_out: BTreeSet<u32>,
    /// Operators whose card was archived and who had left: right, but nobody was asked.
    pub unasked: BTreeSet<u32>,
    /// People who were given the card of somebody else.
    pub mixed_up: BTreeSet<u32>,
    /// Numbers that came to stand on two active cards.
    pub double_numbers: BTreeSet<u32>,
    /// People whose archived card it woke again: no harm, but not as if nothing had been.
    pub woken: BTreeSet<u32>,
}

impl Harm {
    /// Both together.
    pub fn add(&mut self, other: &Harm) {
        let Harm {
            second_card,
            archived,
            locked_out,
            unasked,
            mixed_up,
            double_numbers,
            woken,
        } = other;
        self.second_card.extend(second_card);
        self.archived.extend(archived);
        self.locked_out.extend(locked_out);
        self.unasked.extend(unasked);
        self.mixed_up.extend(mixed_up);
        self.double_numbers.extend(double_numbers);
        self.woken.extend(woken);
    }

    /// What of it is not part of an earlier one.
    pub fn without(&self, earlier: &Harm) -> Harm {
        let Harm {
            second_card,
            archived,
            locked_out,
            unasked,
            mixed_up,
            double_numbers,
            woken,
        } = self;
        Harm {
            second_card: second_card - &earlier.second_card,
            archived: archived - &earlier.archived,
            locked_out: locked_out - &earlier.locked_out,
            unasked: unasked - &earlier.unasked,
            mixed_up: mixed_up - &earlier.mixed_up,
            double_numbers: double_numbers - &earlier.double_numbers,
            woken: woken - &earlier.woken,
        }
    }

    /// Whether it did nothing that anybody would notice.
    pub fn is_none(&self) -> bool {
        *self == Harm::default()
    }
}

impl EmailImport {
    /// Begins with the cards that stand in TOPdesk.
    pub fn new(cards: &[Card]) -> Self {
        let cards = cards.iter().map(|card| Imported {
            humans: card.human.into_iter().collect(),
            number: card.has_number.then_some(card.says.number),
            mail: card.says.mail.to_lowercase(),
            archived: card.archived,
            operator: card.operator,
        });
        Self::over(cards.collect())
    }

    /// Begins with these cards.
    pub fn over(cards: Vec<Imported>) -> Self {
        Self { cards }
    }

    /// Imports one export. Rows of people who do not work here any more count as not there.
    pub fn import(&mut self, rows: &[&Person], employed: &BTreeSet<u32>) -> Harm {
        let mut harm = Harm::default();
        let rows = rows.iter().filter(|person| employed.contains(&person.number));
        let mut by_mail: BTreeMap<String, usize> = BTreeMap::new();
        for (at, card) in self.cards.iter().enumerate() {
            // An active card wins over an archived one with the same address.
            let known = by_mail.get(&card.mail).is_none_or(|other| self.cards[*other].archived);
            if known {
                by_mail.insert(card.mail.clone(), at);
            }
        }
        let mut seen = BTreeSet::new();
        for person in rows {
            let mail = person.mail.to_lowercase();
            match by_mail.get(&mail) {
                Some(&at) => {
                    let card = &mut self.cards[at];
                    if card.archived && card.humans.contains(&person.number) {
                        harm.woken.insert(person.number);
                    }
                    card.archived = false;
                    card.number = Some(person.written_number());
                    if !card.humans.is_empty() && card.humans.insert(person.number) {
                        harm.mixed_up.insert(person.number);
                    }
                }
                None => {
                    if self.cards.iter().any(|card| card.humans.contains(&person.number)) {
                        harm.second_card.insert(person.number);
                    }
                    by_mail.insert(mail.clone(), self.cards.len());
                    self.cards.push(Imported {
                        humans: BTreeSet::from([person.number]),
                        number: Some(person.written_number()),
                        mail: mail.clone(),
                        archived: false,
                        operator: false,
                    });
                }
            }
            seen.insert(mail);
        }
        harm.double_numbers.extend(self.numbers_on_two_cards(&seen));
        self.archive_unseen(&seen, employed, &mut harm);
        harm
    }

    fn numbers_on_two_cards(&self, seen: &BTreeSet<String>) -> Vec<u32> {
        let mut holders: BTreeMap<u32, u32> = BTreeMap::new();
        for card in self
            .cards
            .iter()
            .filter(|card| !card.archived && seen.contains(&card.mail))
        {
            if let Some(number) = card.number {
                *holders.entry(number).or_default() += 1;
            }
        }
        holders
            .into_iter()
            .filter(|(_, cards)| *cards > 1)
            .map(|(number, _)| number)
            .collect()
    }

    fn archive_unseen(&mut self, seen: &BTreeSet<String>, employed: &BTreeSet<u32>, harm: &mut Harm) {
        for card in &mut self.cards {
            if card.archived || card.number.is_none() || seen.contains(&card.mail) {
                continue;
            }
            card.archived = true;
            let (here, gone): (BTreeSet<u32>, BTreeSet<u32>) =
                card.humans.iter().partition(|human| employed.contains(human));
            if card.operator {
                harm.locked_out.extend(&here);
                harm.unasked.extend(&gone);
            }
            harm.archived.extend(here);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()
    }

    fn people(count: u32) -> Vec<Person> {
        (0..count).map(|index| Person::new(index, today())).collect()
    }

    fn harm(before: &[Person], now: &[Person], here: &[Person]) -> Harm {
        let cards: Vec<Card> = before.iter().cloned().map(Card::in_step).collect();
        let rows: Vec<&Person> = now.iter().collect();
        let employed = here.iter().map(|person| person.number).collect();
        EmailImport::new(&cards).import(&rows, &employed)
    }

    #[test]
    fn the_same_people_are_no_harm() {
        let people = people(20);
        assert!(harm(&people, &people, &people).is_none());
    }

    #[test]
    fn a_new_address_makes_a_second_card_and_archives_the_first_with_its_operator() {
        let before = people(20);
        let mut now = before.clone();
        now[16].mail = "somebody.else@example.org".to_owned();
        assert!(now[16].operator, "the test needs an operator");
        let number = now[16].number;
        let harm = harm(&before, &now, &now);
        let only = BTreeSet::from([number]);
        assert_eq!(
            (&harm.second_card, &harm.archived, &harm.locked_out),
            (&only, &only, &only)
        );
    }

    #[test]
    fn missing_rows_archive_people_who_work_here_and_a_leaver_is_no_harm_but_unasked() {
        let before = people(20);
        let lost = harm(&before, &before[..14], &before);
        assert_eq!(lost.archived.len(), 6);
        assert_eq!(lost.second_card.len(), 0);
        let left = harm(&before, &before[..16], &before[..16]);
        assert_eq!(
            (left.archived.len(), left.locked_out.len(), left.unasked.len()),
            (0, 0, 1)
        );
    }

    #[test]
    fn cards_without_a_number_are_left_alone() {
        let mut card = Card::in_step(Person::new(5, today()));
        card.human = None;
        card.has_number = false;
        let harm = EmailImport::new(&[card]).import(&[], &BTreeSet::new());
        assert!(harm.is_none());
    }
}
