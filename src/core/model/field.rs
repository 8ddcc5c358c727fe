//! The fields of a person card that cardsync can write: names, kinds and lengths as the TOPdesk Supporting Files API
//! (persons v2) has them, and the values they take.

use crate::core::model::ids::{CardId, ItemId};
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A list of TOPdesk that a reference field points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LookupKind {
    Branch,
    Department,
    BudgetHolder,
    /// Names repeat across branches: an entry is found by branch and name.
    Location,
    Language,
    PersonExtraFieldA,
    PersonExtraFieldB,
    /// A search list of an optional tab: tab 1 or 2, list 1 to 5.
    SearchList {
        tab: u8,
        list: u8,
    },
}

impl LookupKind {
    /// Whether cardsync may create an entry: the API can, and a missing entry there is harmless to make.
    pub fn can_create(self) -> bool {
        match self {
            LookupKind::Department
            | LookupKind::BudgetHolder
            | LookupKind::PersonExtraFieldA
            | LookupKind::PersonExtraFieldB
            | LookupKind::SearchList { .. } => true,
            LookupKind::Branch | LookupKind::Location | LookupKind::Language => false,
        }
    }
}

impl fmt::Display for LookupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupKind::Branch => f.write_str("branch"),
            LookupKind::Department => f.write_str("department"),
            LookupKind::BudgetHolder => f.write_str("budget holder"),
            LookupKind::Location => f.write_str("location"),
            LookupKind::Language => f.write_str("language"),
            LookupKind::PersonExtraFieldA => f.write_str("extra field A"),
            LookupKind::PersonExtraFieldB => f.write_str("extra field B"),
            LookupKind::SearchList { tab, list } => write!(f, "search list {list} of optional tab {tab}"),
        }
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text of at most so many characters; TOPdesk refuses longer text, it truncates nothing.
    Text { max_chars: usize },
    /// true or false.
    Flag,
    /// A decimal number.
    Number,
    /// A calendar date.
    Date,
    /// An entry of a list.
    Lookup(LookupKind),
    /// Another person card.
    Manager,
}

/// A writable field of a person card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardField {
    SurName,
    FirstName,
    FirstInitials,
    Prefixes,
    BirthName,
    Title,
    JobTitle,
    EmployeeNumber,
    Email,
    PhoneNumber,
    MobileNumber,
    Fax,
    TasLoginName,
    NetworkLoginName,
    MainframeLoginName,
    Branch,
    Location,
    Department,
    BudgetHolder,
    Language,
    Manager,
    PersonExtraFieldA,
    PersonExtraFieldB,
    HasSspAccess,
    IsCaller,
    IsManager,
    ShowBranch,
    ShowBudgetHolder,
    ShowDepartment,
    ShowSubsidiaries,
    ShowAllBranches,
    /// A field of optional tab 1 or 2, number 1 to 5.
    OptionalText(u8, u8),
    OptionalNumber(u8, u8),
    OptionalDate(u8, u8),
    OptionalFlag(u8, u8),
    OptionalSearchList(u8, u8),
}

/// The fields outside the optional tabs, with the name the API writes and what they hold.
const FIXED: [(CardField, &str, FieldKind); 31] = [
    (CardField::SurName, "surName", FieldKind::Text { max_chars: 50 }),
    (CardField::FirstName, "firstName", FieldKind::Text { max_chars: 30 }),
    (
        CardField::FirstInitials,
        "firstInitials",
        FieldKind::Text { max_chars: 10 },
    ),
    (CardField::Prefixes, "prefixes", FieldKind::Text { max_chars: 10 }),
    (CardField::BirthName, "birthName", FieldKind::Text { max_chars: 100 }),
    (CardField::Title, "title", FieldKind::Text { max_chars: 35 }),
    (CardField::JobTitle, "jobTitle", FieldKind::Text { max_chars: 100 }),
    (
        CardField::EmployeeNumber,
        "employeeNumber",
        FieldKind::Text { max_chars: 20 },
    ),
    (CardField::Email, "email", FieldKind::Text { max_chars: 100 }),
    (CardField::PhoneNumber, "phoneNumber", FieldKind::Text { max_chars: 25 }),
    (
        CardField::MobileNumber,
        "mobileNumber",
        FieldKind::Text { max_chars: 25 },
    ),
    (CardField::Fax, "fax", FieldKind::Text { max_chars: 25 }),
    (
        CardField::TasLoginName,
        "tasLoginName",
        FieldKind::Text { max_chars: 100 },
    ),
    (
        CardField::NetworkLoginName,
        "networkLoginName",
        FieldKind::Text { max_chars: 100 },
    ),
    (
        CardField::MainframeLoginName,
        "mainframeLoginName",
        FieldKind::Text { max_chars: 100 },
    ),
    (CardField::Branch, "branch", FieldKind::Lookup(LookupKind::Branch)),
    (CardField::Location, "location", FieldKind::Lookup(LookupKind::Location)),
    (
        CardField::Department,
        "department",
        FieldKind::Lookup(LookupKind::Department),
    ),
    (
        CardField::BudgetHolder,
        "budgetHolder",
        FieldKind::Lookup(LookupKind::BudgetHolder),
    ),
    (CardField::Language, "language", FieldKind::Lookup(LookupKind::Language)),
    (CardField::Manager, "manager", FieldKind::Manager),
    (
        CardField::PersonExtraFieldA,
        "personExtraFieldA",
        FieldKind::Lookup(LookupKind::PersonExtraFieldA),
    ),
    (
        CardField::PersonExtraFieldB,
        "personExtraFieldB",
        FieldKind::Lookup(LookupKind::PersonExtraFieldB),
    ),
    (CardField::HasSspAccess, "hasSspAccess", FieldKind::Flag),
    (CardField::IsCaller, "isCaller", FieldKind::Flag),
    (CardField::IsManager, "isManager", FieldKind::Flag),
    (CardField::ShowBranch, "showBranch", FieldKind::Flag),
    (CardField::ShowBudgetHolder, "showBudgetHolder", FieldKind::Flag),
    (CardField::ShowDepartment, "showDepartment", FieldKind::Flag),
    (CardField::ShowSubsidiaries, "showSubsidiaries", FieldKind::Flag),
    (CardField::ShowAllBranches, "showAllBranches", FieldKind::Flag),
];

impl CardField {
    /// Every field, fixed ones first, then the optional tabs.
    pub fn all() -> impl Iterator<Item = CardField> {
        FIXED.iter().map(|(field, _, _)| *field).chain((1..=2).flat_map(|tab| {
            (1..=5).flat_map(move |n| {
                [
                    CardField::OptionalFlag(tab, n),
                    CardField::OptionalNumber(tab, n),
                    CardField::OptionalDate(tab, n),
                    CardField::OptionalText(tab, n),
                    CardField::OptionalSearchList(tab, n),
                ]
            })
        }))
    }

    /// The name in the configuration and in plans: the API's write name; optional fields as `optionalFields1.text2`.
    pub fn name(self) -> String {
        let optional = |tab: u8, kind: &str, n: u8| format!("optionalFields{tab}.{kind}{n}");
        match self {
            CardField::OptionalText(tab, n) => optional(tab, "text", n),
            CardField::OptionalNumber(tab, n) => optional(tab, "number", n),
            CardField::OptionalDate(tab, n) => optional(tab, "date", n),
            CardField::OptionalFlag(tab, n) => optional(tab, "boolean", n),
            CardField::OptionalSearchList(tab, n) => optional(tab, "searchlist", n),
            fixed => {
                let row = FIXED.iter().find(|(field, _, _)| *field == fixed);
                row.expect("every fixed field is in the table").1.to_owned()
            }
        }
    }

    /// The field of a name as [`CardField::name`] gives it; upper and lower case are different.
    pub fn from_name(name: &str) -> Option<CardField> {
        CardField::all().find(|field| field.name() == name)
    }

    /// What the field holds.
    pub fn kind(self) -> FieldKind {
        match self {
            CardField::OptionalText(..) => FieldKind::Text { max_chars: 100 },
            CardField::OptionalNumber(..) => FieldKind::Number,
            CardField::OptionalDate(..) => FieldKind::Date,
            CardField::OptionalFlag(..) => FieldKind::Flag,
            CardField::OptionalSearchList(tab, list) => FieldKind::Lookup(LookupKind::SearchList { tab, list }),
            fixed => {
                let row = FIXED.iter().find(|(field, _, _)| *field == fixed);
                row.expect("every fixed field is in the table").2
            }
        }
    }

    /// The three login fields.
    pub fn is_login(self) -> bool {
        matches!(
            self,
            CardField::TasLoginName | CardField::NetworkLoginName | CardField::MainframeLoginName
        )
    }

    /// The e-mail address and the logins: what other systems and the person's sign-in know the card by.
    pub fn identifies(self) -> bool {
        self.is_login() || self == CardField::Email
    }

    /// Fields that make up a person's name: they change in life and are never a key.
    pub fn is_name(self) -> bool {
        matches!(
            self,
            CardField::SurName
                | CardField::FirstName
                | CardField::FirstInitials
                | CardField::Prefixes
                | CardField::BirthName
                | CardField::Title
        )
    }
}

impl fmt::Display for CardField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Serialize for CardField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for CardField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        CardField::from_name(&name).ok_or_else(|| de::Error::custom(format!("'{name}' is not a person card field")))
    }
}

/// The value of a field. An empty field has no value: it is the absence of one, never an empty text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    Text(Box<str>),
    Flag(bool),
    /// A decimal number in its shortest form, without trailing zeros.
    Number(Box<str>),
    Date(NaiveDate),
    Reference(Reference),
}

impl FieldValue {
    /// A text value; `None` for blank text, which TOPdesk stores as empty.
    pub fn text(text: &str) -> Option<FieldValue> {
        if text.trim().is_empty() {
            None
        } else {
            Some(FieldValue::Text(text.into()))
        }
    }

    /// The value as a person reads it.
    pub fn display(&self) -> String {
        match self {
            FieldValue::Text(text) | FieldValue::Number(text) => text.to_string(),
            FieldValue::Flag(flag) => flag.to_string(),
            FieldValue::Date(date) => date.to_string(),
            FieldValue::Reference(reference) => reference.label().to_owned(),
        }
    }
}

/// What a reference field points to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// An entry of a list, by id. Two references to one id are equal whatever the name says.
    Entry { id: Box<str>, name: Box<str> },
    /// A department of an environment that keeps departments as plain text: there is no id.
    FreeText(Box<str>),
    /// A person card; `label` is its key where it has one, else its id: never a name.
    Card { id: CardId, label: Box<str> },
    /// What an earlier change of the same plan makes.
    Pending(PendingRef),
}

/// A reference to exactly the earlier change that makes the thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PendingRef {
    /// The change that creates the entry or card.
    pub item: ItemId,
    /// The name of the entry, or the key of the person.
    pub label: Box<str>,
}

impl Reference {
    /// The text that stands for it in plans.
    pub fn label(&self) -> &str {
        match self {
            Reference::Entry { name, .. } => name,
            Reference::FreeText(text) => text,
            Reference::Card { label, .. } => label,
            Reference::Pending(pending) => &pending.label,
        }
    }

    fn identity(&self) -> (u8, &str) {
        match self {
            Reference::Entry { id, .. } => (0, id),
            Reference::FreeText(text) => (1, text),
            Reference::Card { id, .. } => (2, id.as_str()),
            Reference::Pending(pending) => (3, pending.item.as_str()),
        }
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Reference {}

impl PartialOrd for Reference {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reference {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.identity().cmp(&other.identity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_own_name() {
        for field in CardField::all() {
            assert_eq!(CardField::from_name(&field.name()), Some(field));
        }
        assert_eq!(CardField::all().count(), 31 + 50);
        assert_eq!(CardField::from_name("surname"), None);
        assert_eq!(
            CardField::from_name("optionalFields2.searchlist5"),
            Some(CardField::OptionalSearchList(2, 5))
        );
    }

    #[test]
    fn a_reference_is_its_id_not_its_name() {
        let a = Reference::Entry {
            id: "1".into(),
            name: "Sales".into(),
        };
        let b = Reference::Entry {
            id: "1".into(),
            name: "sales".into(),
        };
        assert_eq!(a, b);
    }
}
