//! What tells one human from another, on a card and in the sources, made comparable (RULES 1.6).
//!
//! Marks belong to something. E-mail address, login, telephone, room and asset belong to the **seat**: they are handed on
//! together, so all of them are one witness. The **person** is witnessed by a date of birth that the configuration names as
//! such and nobody else has, by the number but for zeros, and by the directory id.

use crate::core::likeness::names::{Name, Names};
use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{Description, Desired, Wanted};
use crate::core::model::record::Anchor;
use crate::core::reads::cards::fold;
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Whether a login or the part of an address before the @ is more than a form of the name: it has a number of its own and
/// nothing of the name. Where in doubt it follows from the name.
pub(crate) fn says_more_than(text: &str, names: [&str; 2]) -> bool {
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
pub(crate) fn same_phone(a: &str, b: &str) -> bool {
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
    /// The date of birth, where the configuration says which field has it.
    BirthDate,
    /// A date of another optional field. Many people may have it: it is no witness, and speaks only where it differs.
    Date,
    /// The number on the card is the person's but for leading zeros.
    Number,
    /// The directory id that the ledger knows of the card.
    DirectoryId,
    /// Another mapped field whose value only one person and one card have, and that does not follow from the name.
    OwnField,
}

impl Mark {
    /// Whether it witnesses the human, not the seat: it is never handed on.
    pub fn is_of_the_person(self) -> bool {
        match self {
            Mark::BirthDate | Mark::Number | Mark::DirectoryId => true,
            Mark::Email | Mark::Login | Mark::Phone | Mark::OwnField | Mark::FirstName | Mark::SurName | Mark::Date => {
                false
            }
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
            Mark::BirthDate => "date of birth",
            Mark::Date => "another date",
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

/// What speaks against a pair, whatever else agrees. It is never outvoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// Another e-mail address and another mobile number: the seat agrees in part only.
    OtherAddressAndMobile,
    /// Other small words before the surname, on both sides.
    OtherPrefixes,
    /// The card is older than the person's first day, by more than [`HEAD_START_DAYS`].
    OlderThanThePerson,
    /// A number that is not the person's stands on the card.
    OtherNumber,
    /// A date that is no date of birth differs.
    OtherDate,
    /// One side has a date of birth and the other has none.
    BirthDateOnOneSide,
    /// The person leaves or has left: whoever comes after them may have the account.
    Leaves,
    /// Nobody can say whether the person leaves.
    MayLeave,
    /// Not all of the sources and of TOPdesk could be read: what is missing may be a namesake.
    NotAllRead,
    /// Somebody else of the sources, or another card, has the same full name and nothing tells them apart.
    Namesake,
}

impl Contradiction {
    /// The words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Contradiction::OtherAddressAndMobile => "another e-mail address and another mobile number",
            Contradiction::OtherPrefixes => "other small words before the surname",
            Contradiction::OlderThanThePerson => "the card was made long before the person's first day",
            Contradiction::OtherNumber => "another number stands on the card",
            Contradiction::OtherDate => "a date differs",
            Contradiction::BirthDateOnOneSide => "only one side has a date of birth",
            Contradiction::Leaves => "leaves or has left",
            Contradiction::MayLeave => "whether the person leaves is not known",
            Contradiction::NotAllRead => "not everything could be read: somebody of this name may be missing",
            Contradiction::Namesake => "somebody else has the same full name",
        }
    }
}

/// How many days before somebody's first day their card may have been made.
pub const HEAD_START_DAYS: u64 = 60;

/// What one side, a card or a person of the sources, shows of a human.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Marks {
    pub emails: BTreeSet<String>,
    pub logins: BTreeSet<String>,
    pub first_name: Name,
    pub surname: Name,
    /// The small words before the surname, in a field of their own or in that of the surname.
    pub prefixes: Vec<String>,
    pub phones: BTreeSet<String>,
    pub mobile: Option<String>,
    pub birth_date: Option<NaiveDate>,
    /// Dates of other optional fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<String, NaiveDate>,
    /// The person's first day, or the day on which the card was made.
    pub begins: Option<NaiveDate>,
    /// The person leaves or has left.
    pub leaves: bool,
    /// Nobody can say whether the person leaves.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_leave: bool,
    /// The number without leading zeros, where a card has one that nobody claims.
    pub number: Option<String>,
    pub anchors: BTreeSet<Anchor>,
    /// Other text fields with a value of their own.
    pub own: BTreeMap<String, String>,
}

impl Marks {
    /// From any way to look a field up. `fields` are those that both sides can have.
    fn of<'v>(
        fields: &BTreeSet<CardField>,
        birth_date: Option<CardField>,
        value: impl Fn(CardField) -> Option<&'v FieldValue>,
    ) -> Self {
        let text = |field: CardField| match value(field) {
            Some(FieldValue::Text(text)) => Some(&**text),
            Some(FieldValue::Flag(_) | FieldValue::Number(_) | FieldValue::Date(_) | FieldValue::Reference(_))
            | None => None,
        };
        let names = [CardField::SurName, CardField::FirstName].map(|field| text(field).unwrap_or_default());
        let (surname, prefixes) = Name::of_surname(text(CardField::Prefixes).unwrap_or_default(), names[0]);
        let mut marks = Marks {
            first_name: Name::of(names[1]),
            surname,
            prefixes,
            mobile: text(CardField::MobileNumber).and_then(phone_digits),
            ..Marks::default()
        };
        let email = text(CardField::Email).map(fold).filter(|text| !text.is_empty());
        marks.emails.extend(email);
        for login in [CardField::TasLoginName, CardField::NetworkLoginName] {
            marks
                .logins
                .extend(text(login).map(fold).filter(|text| !text.is_empty()));
        }
        for phone in [CardField::PhoneNumber, CardField::MobileNumber] {
            marks.phones.extend(text(phone).and_then(phone_digits));
        }
        for field in fields {
            match (*field, value(*field)) {
                (date, Some(FieldValue::Date(day))) if Some(date) == birth_date => marks.birth_date = Some(*day),
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

    /// Of a card. A card that TOPdesk generated may have little more than a name: there the login and the address of its
    /// operator stand for its own. Only fields that the sources fill as well are looked at.
    pub fn of_card<'o>(
        card: &PersonCard,
        mapped: &BTreeSet<CardField>,
        birth_date: Option<CardField>,
        operators: impl Iterator<Item = &'o OperatorCard>,
    ) -> Self {
        let mut marks = Self::of(mapped, birth_date, |field| card.fields.get(field));
        marks.begins = card.created_at.map(|at| at.date_naive());
        let (no_login, no_email) = (marks.logins.is_empty(), marks.emails.is_empty());
        for operator in operators {
            let login = operator.login_name.as_deref().map(fold).filter(|_| no_login);
            marks.logins.extend(login.filter(|text| !text.is_empty()));
            let email = operator.email.as_deref().map(fold).filter(|_| no_email);
            marks.emails.extend(email.filter(|text| !text.is_empty()));
        }
        marks
    }

    /// Of a person of the sources, as the mapping describes them.
    pub fn of_person(
        description: &Description,
        mapped: &BTreeSet<CardField>,
        birth_date: Option<CardField>,
        anchors: &[Anchor],
    ) -> Self {
        let wanted = |field: CardField| match description.fields.get(&field) {
            Some(Desired::Set(Wanted::Value(value))) => Some(value),
            Some(Desired::Set(_) | Desired::Clear | Desired::Unknown(_)) | None => None,
        };
        let mut marks = Self::of(mapped, birth_date, wanted);
        marks.anchors.extend(anchors.iter().cloned());
        marks
    }

    /// The full name in each spelling, its words sorted: lists write first name and surname in either order.
    pub fn full_names(&self) -> BTreeSet<String> {
        if self.first_name.is_empty() || self.surname.is_empty() {
            return BTreeSet::new();
        }
        let joined = |first: &[String], sur: &[String]| {
            let mut words: Vec<&str> = first.iter().chain(sur).map(String::as_str).collect();
            words.sort_unstable();
            words.join(" ")
        };
        let first = self.first_name.core();
        first
            .spellings()
            .flat_map(|first| self.surname.spellings().map(move |sur| joined(first, sur)))
            .collect()
    }
}

/// What two sides have in common, and what speaks against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    pub same: BTreeSet<Mark>,
    pub differ: BTreeSet<Mark>,
    pub against: BTreeSet<Contradiction>,
    pub first_name: Names,
    pub surname: Names,
    /// The first name of one side is the surname of the other, both ways.
    pub swapped: bool,
    /// The first name is more than initials.
    spelled_out: bool,
    /// The card is not older than the person's first day, less [`HEAD_START_DAYS`]: nobody before them can have had it.
    pub made_for_them: bool,
}

impl Agreement {
    /// Of a person and a card. `telling` says whether a value is only this one's, on either side: a number that a whole
    /// department has tells nobody from another.
    pub fn between(person: &Marks, card: &Marks, telling: impl Fn(Mark, &str) -> bool) -> Self {
        let (first, sur) = (&person.first_name, &person.surname);
        let first_name = Names::of_first_names(first, &card.first_name);
        let surname = Names::of_surnames(sur, &card.surname);
        let same_swapped = |one: &Name, other: &Name| Names::of_surnames(one, other) == Names::Same;
        let mut agreement = Self {
            same: BTreeSet::new(),
            differ: BTreeSet::new(),
            against: BTreeSet::new(),
            first_name,
            surname,
            swapped: !(first_name == Names::Same && surname == Names::Same)
                && same_swapped(&first.core(), &card.surname)
                && same_swapped(sur, &card.first_name.core()),
            spelled_out: first.is_spelled_out(),
            made_for_them: false,
        };
        agreement.compare_seats(person, card, &telling);
        agreement.compare_people(person, card, &telling);
        agreement.compare_names(person, card);
        agreement
    }

    fn compare_seats(&mut self, person: &Marks, card: &Marks, telling: &impl Fn(Mark, &str) -> bool) {
        let mut note = |mark: Mark, a: &BTreeSet<String>, b: &BTreeSet<String>| {
            if a.is_empty() || b.is_empty() {
                return;
            }
            let shared: Vec<&String> = a.intersection(b).collect();
            if shared.is_empty() {
                self.differ.insert(mark);
            } else if mark != Mark::Phone || shared.iter().any(|value| telling(mark, value)) {
                self.same.insert(mark);
            }
        };
        note(Mark::Email, &person.emails, &card.emails);
        note(Mark::Login, &person.logins, &card.logins);
        note(Mark::Phone, &person.phones, &card.phones);
        for (field, own) in &person.own {
            if card.own.get(field) == Some(own) && telling(Mark::OwnField, &format!("{field} {own}")) {
                self.same.insert(Mark::OwnField);
            }
        }
        let other_mobile = match (&person.mobile, &card.mobile) {
            (Some(one), Some(other)) => !card.phones.contains(one) && !person.phones.contains(other),
            (Some(_) | None, _) => false,
        };
        if other_mobile && self.differ.contains(&Mark::Email) {
            self.against.insert(Contradiction::OtherAddressAndMobile);
        }
    }

    fn compare_people(&mut self, person: &Marks, card: &Marks, telling: &impl Fn(Mark, &str) -> bool) {
        match (person.birth_date, card.birth_date) {
            (Some(one), Some(other)) if one != other => {
                self.differ.insert(Mark::BirthDate);
            }
            (Some(one), Some(_)) if telling(Mark::BirthDate, &one.to_string()) => {
                self.same.insert(Mark::BirthDate);
            }
            (Some(_), Some(_)) | (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                self.against.insert(Contradiction::BirthDateOnOneSide);
            }
        }
        for (field, date) in &person.dates {
            match card.dates.get(field) {
                Some(other) if other == date => {
                    self.same.insert(Mark::Date);
                }
                Some(_) => {
                    self.differ.insert(Mark::Date);
                    self.against.insert(Contradiction::OtherDate);
                }
                None => {}
            }
        }
        if card.number.is_some() {
            if card.number == person.number {
                self.same.insert(Mark::Number);
            } else {
                self.differ.insert(Mark::Number);
                self.against.insert(Contradiction::OtherNumber);
            }
        }
        if person.anchors.intersection(&card.anchors).next().is_some() {
            self.same.insert(Mark::DirectoryId);
        }
        if person.leaves {
            self.against.insert(Contradiction::Leaves);
        }
        if person.may_leave {
            self.against.insert(Contradiction::MayLeave);
        }
        if let (Some(first_day), Some(made)) = (person.begins, card.begins) {
            let earliest = first_day.checked_sub_days(Days::new(HEAD_START_DAYS));
            self.made_for_them = earliest.is_none_or(|earliest| earliest <= made);
            if !self.made_for_them {
                self.against.insert(Contradiction::OlderThanThePerson);
            }
        }
    }

    fn compare_names(&mut self, person: &Marks, card: &Marks) {
        let small_words_differ =
            !person.prefixes.is_empty() && !card.prefixes.is_empty() && person.prefixes != card.prefixes;
        if small_words_differ && self.surname == Names::Same {
            self.surname = Names::Alike;
            self.against.insert(Contradiction::OtherPrefixes);
        }
        let of_each = [(Mark::FirstName, self.first_name), (Mark::SurName, self.surname)];
        for (mark, names) in of_each {
            match names {
                _ if self.swapped => self.same.insert(mark),
                Names::Same => self.same.insert(mark),
                Names::Differ => self.differ.insert(mark),
                Names::Alike | Names::NotKnown => false,
            };
        }
    }

    /// E-mail address or login.
    pub fn of_account(&self) -> bool {
        self.same.contains(&Mark::Email) || self.same.contains(&Mark::Login)
    }

    /// First name and surname, in either order.
    pub fn full_name(&self) -> bool {
        self.first_name == Names::Same && self.surname == Names::Same || self.swapped
    }

    /// First name and surname, each in its place and more than initials.
    pub fn whole_name(&self) -> bool {
        self.full_name() && !self.swapped && self.spelled_out
    }

    /// Surname and first name are both other ones: whatever else agrees, somebody may have taken it over.
    pub fn names_differ(&self) -> bool {
        self.first_name == Names::Differ && self.surname == Names::Differ && !self.swapped
    }

    /// Whether something of the seat agrees: address, login, telephone, or another field with a value of its own.
    pub fn of_seat(&self) -> bool {
        let seat = [Mark::Phone, Mark::OwnField];
        self.of_account() || seat.iter().any(|mark| self.same.contains(mark))
    }

    /// Whether a witness of the human agrees.
    pub fn of_person(&self) -> bool {
        self.same.iter().any(|mark| mark.is_of_the_person())
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
}
