//! What tells one human from another, on a card and in the sources, made comparable.
//!
//! Marks come in families, and marks of one family are one witness: e-mail address, logins and name are made from each other,
//! so three of them that agree say no more than one. A telephone number, a date, an existing number, a directory id or another
//! field with a value of its own is a second witness.

use crate::domain::card::{CardFields, OperatorCard};
use crate::domain::cards::fold;
use crate::domain::field::{CardField, FieldValue};
use crate::domain::identity::{Description, Desired, Wanted};
use crate::domain::record::Anchor;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Whether a login or the part of an address before the @ is more than a form of the name: it has a number of its own and
/// nothing of the name. Where in doubt it follows from the name.
pub(in crate::domain) fn says_more_than(text: &str, names: [&str; 2]) -> bool {
    let plain = |text: &str| -> Vec<char> { fold(text).chars().filter(|c| c.is_alphanumeric()).collect() };
    let own = plain(text.split('@').next().unwrap_or(text));
    let digits = own.iter().filter(|c| c.is_numeric()).count();
    let of_name = names.iter().any(|name| {
        let name = plain(name);
        name.windows(3).any(|piece| own.windows(3).any(|part| part == piece))
    });
    digits >= 3 && !of_name
}

/// The digits by which telephone numbers are compared: the last nine, as far as there are as many.
fn phone_digits(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().rev().filter(char::is_ascii_digit).take(9).collect();
    (digits.len() >= 7).then(|| digits.into_iter().rev().collect())
}

/// Whether two telephone numbers are one, whatever their form.
pub(in crate::domain) fn same_phone(a: &str, b: &str) -> bool {
    phone_digits(a).is_some_and(|digits| phone_digits(b) == Some(digits))
}

/// A field by which people are recognised here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Email,
    Login,
    FirstName,
    SurName,
    Phone,
    /// A date of an optional field, such as a date of birth or of entry.
    Date,
    /// The number on the card is the person's but for leading zeros.
    Number,
    /// The directory id that the ledger knows of the card.
    DirectoryId,
    /// Another mapped field whose value only one person and one card have, and that does not follow from the name.
    OwnField,
}

impl Mark {
    /// Whether it is of the family of e-mail address, login and name: made from each other, one witness.
    pub fn is_of_the_account(self) -> bool {
        match self {
            Mark::Email | Mark::Login | Mark::FirstName | Mark::SurName => true,
            Mark::Phone | Mark::Date | Mark::Number | Mark::DirectoryId | Mark::OwnField => false,
        }
    }

    /// The name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Mark::Email => "e-mail",
            Mark::Login => "login",
            Mark::FirstName => "first name",
            Mark::SurName => "surname",
            Mark::Phone => "phone",
            Mark::Date => "date",
            Mark::Number => "number but for zeros",
            Mark::DirectoryId => "directory id",
            Mark::OwnField => "another field",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Words of a name, without accents, in lower case.
fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    plain.split_whitespace().map(str::to_owned).collect()
}

/// Small words of surnames that one list has in a field of their own and another before the name.
const PARTICLES: [&str; 18] = [
    "van", "de", "den", "der", "het", "t", "te", "ter", "ten", "von", "zu", "zum", "la", "le", "du", "da", "di", "dos",
];

/// A surname without its small words, unless it has no others.
fn core_of_surname(text: &str) -> Vec<String> {
    let all = words(text);
    let core: Vec<String> = all
        .iter()
        .filter(|word| !PARTICLES.contains(&word.as_str()))
        .cloned()
        .collect();
    if core.is_empty() { all } else { core }
}

/// The words of a full name in one order, without accents and small words; `None` where either half is missing.
pub(in crate::domain) fn whole_name(first: Option<&str>, surname: Option<&str>) -> Option<Vec<String>> {
    let (first, surname) = (words(first?), core_of_surname(surname?));
    if first.is_empty() || surname.is_empty() {
        return None;
    }
    let mut all: Vec<String> = first.into_iter().chain(surname).collect();
    all.sort();
    Some(all)
}

/// What one side, a card or a person of the sources, shows of a human.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Marks {
    pub emails: BTreeSet<String>,
    pub logins: BTreeSet<String>,
    pub first_name: Vec<String>,
    pub surname: Vec<String>,
    pub phones: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<String, NaiveDate>,
    /// The number without leading zeros, where a card has one that nobody claims.
    pub number: Option<String>,
    pub anchors: BTreeSet<Anchor>,
    /// Other text fields with a value of their own.
    pub own: BTreeMap<String, String>,
}

impl Marks {
    /// From any way to look a field up. `fields` are those that both sides can have.
    fn of<'v>(fields: impl Iterator<Item = CardField>, value: impl Fn(CardField) -> Option<&'v FieldValue>) -> Self {
        let text = |field: CardField| match value(field) {
            Some(FieldValue::Text(text)) => Some(&**text),
            Some(FieldValue::Flag(_) | FieldValue::Number(_) | FieldValue::Date(_) | FieldValue::Reference(_))
            | None => None,
        };
        let mut marks = Marks::default();
        let names = [CardField::SurName, CardField::FirstName].map(|field| text(field).unwrap_or_default());
        let email = text(CardField::Email).map(fold).filter(|text| !text.is_empty());
        marks.emails.extend(email);
        for login in [CardField::TasLoginName, CardField::NetworkLoginName] {
            marks
                .logins
                .extend(text(login).map(fold).filter(|text| !text.is_empty()));
        }
        marks.surname = core_of_surname(names[0]);
        marks.first_name = words(names[1]);
        for phone in [CardField::PhoneNumber, CardField::MobileNumber] {
            marks.phones.extend(text(phone).and_then(phone_digits));
        }
        for field in fields {
            match (field, value(field)) {
                (CardField::OptionalDate(..), Some(FieldValue::Date(date))) => {
                    marks.dates.insert(field.name(), *date);
                }
                (CardField::OptionalText(..), Some(FieldValue::Text(own))) if says_more_than(own, names) => {
                    marks.own.insert(field.name(), fold(own));
                }
                (CardField::OptionalNumber(..), Some(FieldValue::Number(own))) if own.len() >= 4 => {
                    marks.own.insert(field.name(), own.to_string());
                }
                (_, _) => {}
            }
        }
        marks
    }

    /// Of a card and its operators: a card that TOPdesk generated may have little more than a name, and its operator has the
    /// login. Only fields that the sources fill as well are looked at.
    pub fn of_card<'o>(
        fields: &CardFields,
        mapped: &BTreeSet<CardField>,
        operators: impl Iterator<Item = &'o OperatorCard>,
    ) -> Self {
        let mut marks = Self::of(mapped.iter().copied(), |field| fields.get(field));
        for operator in operators {
            let login = operator.login_name.as_deref().map(fold);
            marks.logins.extend(login.filter(|text| !text.is_empty()));
            let email = operator.email.as_deref().map(fold);
            marks.emails.extend(email.filter(|text| !text.is_empty()));
        }
        marks
    }

    /// Of a person of the sources, as the mapping describes them.
    pub fn of_person(description: &Description, mapped: &BTreeSet<CardField>, anchors: &[Anchor]) -> Self {
        let wanted = |field: CardField| match description.fields.get(&field) {
            Some(Desired::Set(Wanted::Value(value))) => Some(value),
            Some(Desired::Set(_) | Desired::Clear | Desired::Unknown(_)) | None => None,
        };
        let mut marks = Self::of(mapped.iter().copied(), wanted);
        marks.anchors.extend(anchors.iter().cloned());
        marks
    }
}

/// A name on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    Same,
    /// A word in common, or one is short for the other.
    Alike,
    Differ,
    /// One side has none.
    NotKnown,
}

fn compare_names(a: &[String], b: &[String], alike: impl Fn(&str, &str) -> bool) -> Names {
    if a.is_empty() || b.is_empty() {
        Names::NotKnown
    } else if a == b {
        Names::Same
    } else if a.iter().any(|one| b.iter().any(|other| alike(one, other))) {
        Names::Alike
    } else {
        Names::Differ
    }
}

/// What two sides have in common, and what speaks against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    pub same: BTreeSet<Mark>,
    pub differ: BTreeSet<Mark>,
    pub first_name: Names,
    pub surname: Names,
}

impl Agreement {
    /// Of a person and a card. `telling` says whether a value is only this one's, on either side: a number that a whole
    /// department has tells nobody from another.
    pub fn between(person: &Marks, card: &Marks, telling: impl Fn(Mark, &str) -> bool) -> Self {
        let mut same = BTreeSet::new();
        let mut differ = BTreeSet::new();
        let mut note = |mark: Mark, a: &BTreeSet<String>, b: &BTreeSet<String>| {
            if a.is_empty() || b.is_empty() {
                return;
            }
            let shared: Vec<&String> = a.intersection(b).collect();
            if shared.is_empty() {
                differ.insert(mark);
            } else if mark.is_of_the_account() || shared.iter().any(|value| telling(mark, value)) {
                same.insert(mark);
            }
        };
        note(Mark::Email, &person.emails, &card.emails);
        note(Mark::Login, &person.logins, &card.logins);
        note(Mark::Phone, &person.phones, &card.phones);
        for (field, date) in &person.dates {
            match card.dates.get(field) {
                Some(other) if other == date && telling(Mark::Date, &format!("{field} {date}")) => {
                    same.insert(Mark::Date);
                }
                Some(other) if other != date => {
                    differ.insert(Mark::Date);
                }
                Some(_) | None => {}
            }
        }
        for (field, own) in &person.own {
            if card.own.get(field) == Some(own) && telling(Mark::OwnField, &format!("{field} {own}")) {
                same.insert(Mark::OwnField);
            }
        }
        if card.number.is_some() {
            let of = if card.number == person.number {
                &mut same
            } else {
                &mut differ
            };
            of.insert(Mark::Number);
        }
        if person.anchors.intersection(&card.anchors).next().is_some() {
            same.insert(Mark::DirectoryId);
        }
        let short_for = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
        let first_name = compare_names(&person.first_name, &card.first_name, short_for);
        let surname = compare_names(&person.surname, &card.surname, |one, other| one == other);
        for (mark, names) in [(Mark::FirstName, first_name), (Mark::SurName, surname)] {
            match names {
                Names::Same => same.insert(mark),
                Names::Differ => differ.insert(mark),
                Names::Alike | Names::NotKnown => false,
            };
        }
        Self {
            same,
            differ,
            first_name,
            surname,
        }
    }

    /// E-mail address or login.
    pub fn of_account(&self) -> bool {
        self.same.contains(&Mark::Email) || self.same.contains(&Mark::Login)
    }

    /// First name and surname.
    pub fn full_name(&self) -> bool {
        self.first_name == Names::Same && self.surname == Names::Same
    }

    /// Surname and first name are both other ones: whatever else agrees, somebody may have taken it over.
    pub fn names_differ(&self) -> bool {
        self.first_name == Names::Differ && self.surname == Names::Differ
    }

    /// Whether a witness of another family agrees.
    pub fn second_witness(&self) -> bool {
        self.same.iter().any(|mark| !mark.is_of_the_account())
    }

    /// Whether a witness agrees that is never handed on from one to another.
    pub fn lasting_witness(&self) -> bool {
        [Mark::Date, Mark::Number, Mark::DirectoryId]
            .iter()
            .any(|mark| self.same.contains(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_name_says_nothing_more() {
        let names = ["Smit", "Eva"];
        for derived in [
            "esmit",
            "eva.smit@example.org",
            "e.smit2@example.org",
            "evsm",
            "smit1234",
            "desk@example.org",
            "",
        ] {
            assert!(!says_more_than(derived, names), "{derived}");
        }
        for own in ["u10342", "p-004711@example.org"] {
            assert!(says_more_than(own, names), "{own}");
        }
    }

    #[test]
    fn telephone_numbers_agree_whatever_their_form() {
        assert!(same_phone("+31 6 1234 5678", "06-12345678"));
        assert!(!same_phone("06-12345678", "06-12345679"));
        assert!(!same_phone("112", "112"));
    }

    #[test]
    fn names_are_compared_without_accents_and_small_words() {
        let same = |a: &str, b: &str| compare_names(&core_of_surname(a), &core_of_surname(b), |x, y| x == y);
        assert_eq!(same("van den Berg", "Berg"), Names::Same);
        assert_eq!(same("Müller", "muller"), Names::Same);
        assert_eq!(same("Visser-de Boer", "Visser"), Names::Alike);
        assert_eq!(same("de", "Berg"), Names::Differ);
        assert_eq!(same("", "Berg"), Names::NotKnown);
        let first = |a: &str, b: &str| compare_names(&words(a), &words(b), |x, y| x.starts_with(y) || y.starts_with(x));
        assert_eq!(first("Jo", "Johan"), Names::Alike);
        assert_eq!(first("E.", "Eva"), Names::Alike);
        assert_eq!(first("Eva", "Jan"), Names::Differ);
    }
}
