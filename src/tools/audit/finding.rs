//! What an audit finds: a matter with its weight, everybody it concerns, the cure and the command that helps.

use crate::core::model::card::PersonCard;
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, OperatorId};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Note,
    /// To be tidied up some day.
    Low,
    /// To be done before person cards are changed by a program.
    Medium,
    /// The next import or archive harms somebody.
    High,
}

impl Severity {
    /// All, the heaviest first.
    pub const IN_ORDER: [Severity; 4] = [Severity::High, Severity::Medium, Severity::Low, Severity::Note];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Whose number stands on whose card.
    Identity,
    /// TOPdesk and the account.
    Environment,
    Operators,
    Cards,
    /// What decides who is who.
    Keys,
}

impl Area {
    /// All, in the order of a report.
    pub const IN_ORDER: [Area; 5] = [
        Area::Identity,
        Area::Environment,
        Area::Operators,
        Area::Cards,
        Area::Keys,
    ];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Area::Identity => "Numbers on the wrong card",
            Area::Environment => "TOPdesk and the account",
            Area::Operators => "Operators",
            Area::Cards => "Person cards",
            Area::Keys => "Keys",
        }
    }
}

/// One thing that is known of a subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
    /// Whether it is a value of a person: a mark in a redacted report.
    pub personal: bool,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value)
    }
}

/// A card, an operator, or both together, that a finding concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// The value of the key field, as the card has it.
    pub key: Option<String>,
    pub card: Option<CardId>,
    pub operator: Option<OperatorId>,
    #[serde(serialize_with = "by_name")]
    pub facts: Vec<Fact>,
}

fn by_name<S: Serializer>(facts: &[Fact], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(facts.len()))?;
    for fact in facts {
        map.serialize_entry(fact.name, &fact.value)?;
    }
    map.end()
}

impl Subject {
    /// A card: its key, and the name by which people know it.
    pub fn of_card(card: &PersonCard, key: CardField) -> Self {
        let subject = Self {
            key: card.fields.text(key).map(str::to_owned),
            card: Some(card.id.clone()),
            ..Self::default()
        };
        let text = |field| card.fields.text(field);
        let parts = [CardField::FirstName, CardField::Prefixes, CardField::SurName].map(text);
        let name: Vec<&str> = parts.into_iter().flatten().collect();
        subject.value("name", (!name.is_empty()).then(|| name.join(" ")))
    }

    /// With the operator.
    pub fn operator(self, id: &OperatorId) -> Self {
        Self {
            operator: Some(id.clone()),
            ..self
        }
    }

    /// With a value of the person, where there is one.
    pub fn value(mut self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        self.facts.extend(value.map(|value| Fact {
            name,
            value: value.into(),
            personal: true,
        }));
        self
    }

    /// With something that says nothing of the person.
    pub fn plain(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push(Fact {
            name,
            value: value.into(),
            personal: false,
        });
        self
    }
}

/// A matter, and everybody it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable code for programs.
    pub code: String,
    pub area: Area,
    pub severity: Severity,
    /// What was found, without a number.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// How many subjects there are; 1 for a matter of the environment.
    pub count: u64,
    /// In the order of their cards and operators.
    pub subjects: Vec<Subject>,
    pub cure: String,
    /// The command that helps, where one does.
    pub command: Option<String>,
}

/// Something that could not be judged, which is no finding (RULES 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotKnown {
    pub what: String,
    pub why: String,
}

/// The words of a finding: what, why it matters, what to do, what helps.
pub(super) struct Words {
    pub(super) code: &'static str,
    pub(super) area: Area,
    pub(super) severity: Severity,
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    pub(super) cure: &'static str,
    pub(super) command: Option<&'static str>,
}

impl Words {
    /// The finding, if it concerns anybody.
    pub(super) fn of(&self, mut subjects: Vec<Subject>) -> Option<Finding> {
        if subjects.is_empty() {
            return None;
        }
        subjects.sort_by(|a, b| (&a.card, &a.operator, &a.key).cmp(&(&b.card, &b.operator, &b.key)));
        Some(self.counted(subjects.len() as u64, subjects))
    }

    pub(super) fn counted(&self, count: u64, subjects: Vec<Subject>) -> Finding {
        Finding {
            code: self.code.to_owned(),
            area: self.area,
            severity: self.severity,
            title: self.title.to_owned(),
            why: self.why.to_owned(),
            count,
            subjects,
            cure: self.cure.to_owned(),
            command: self.command.map(str::to_owned),
        }
    }
}
