//! Each mapped field of one person: the expression, what it read, what came of it, what the card has, and what happens.

use super::Person;
use crate::core::model::card::PersonCard;
use crate::core::model::field::CardField;
use crate::core::model::identity::{Desired, Evaluated, Unknown, Wanted};
use crate::core::plan::SkipReason;
use crate::core::plan::view::ChangeVerdict;
use crate::core::reads::cards::fold;
use crate::core::reads::diff::same;
use crate::core::rules::policy::FieldPolicy;
use serde::Serialize;
use std::collections::BTreeMap;

/// One field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldPart {
    pub field: CardField,
    pub expression: String,
    /// The attributes it read, with their values as the source has them.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// What the expression gives; null where that is nothing or not known.
    pub result: Option<String>,
    /// What the card should hold: the result fitted to the field.
    pub wanted: WantedPart,
    /// What the card holds; null is empty, or no card.
    pub on_card: Option<String>,
    #[serde(flatten)]
    pub happens: Fate,
}

/// What the card should hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedPart {
    Value(String),
    Empty,
    /// Not known, so that the field stays as it is: why.
    NotKnown(String),
}

/// What happens to a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "happens")]
pub enum Fate {
    /// The card has it already.
    Same,
    /// An item of the plan writes it.
    Written { item: String, held: bool },
    /// It stays as it is, and why.
    Stays { why: String },
    /// The person waits because of it, and why.
    HoldsPerson { why: String },
}

pub(super) fn field(evaluated: &Evaluated, person: &Person<'_>) -> FieldPart {
    let Evaluated {
        field,
        expression,
        inputs,
        raw,
        desired,
    } = evaluated;
    let card = person.card();
    FieldPart {
        field: *field,
        expression: expression.clone(),
        inputs: inputs.iter().cloned().collect(),
        result: raw.clone(),
        wanted: wanted(desired),
        on_card: card
            .and_then(|card| card.fields.get(*field))
            .map(|value| value.display()),
        happens: fate(*field, desired, person),
    }
}

fn wanted(desired: &Desired) -> WantedPart {
    match desired {
        Desired::Set(wanted) => WantedPart::Value(match wanted {
            Wanted::Value(value) => value.display(),
            Wanted::Entry(name) => name.to_string(),
            Wanted::ManagerKey(key) => key.to_string(),
            Wanted::ManagerDn { dn, .. } => dn.to_string(),
        }),
        Desired::Clear => WantedPart::Empty,
        Desired::Unknown(why) => WantedPart::NotKnown(unknown_words(why)),
    }
}

fn unknown_words(why: &Unknown) -> String {
    match why {
        Unknown::SourceRejected(source) => format!("the read of {source} cannot be used"),
        Unknown::NoRecord(source) => format!("{source} has no record of this person"),
        Unknown::DuplicateRecord(source) => format!("{source} has several records with this key"),
        Unknown::NoCurrentRow(source) => format!("no row of {source} is current"),
        Unknown::RowsDiffer(source) => format!("rows of {source} are current together and differ"),
        Unknown::NoAttribute(source, attribute) => format!("{source} has no attribute '{attribute}' at all"),
        Unknown::Unusable(message) | Unknown::Expression(message) => message.clone(),
    }
}

fn fate(field: CardField, desired: &Desired, person: &Person<'_>) -> Fate {
    let name = field.name();
    let about = |text: &str| text.starts_with(&format!("{name}: ")) || text.starts_with(&format!("{name} "));
    if field == person.input().policy.key.card_field {
        return stays("the key: equal keys are never rewritten");
    }
    if let Some(item) = person.items.iter().find(|item| item.change.fields.contains_key(&name)) {
        return Fate::Written {
            item: item.change.id.to_string(),
            held: item.change.verdict == ChangeVerdict::Held,
        };
    }
    if let Some(rejection) = person.rejections.iter().find(|rejection| about(&rejection.message)) {
        return Fate::HoldsPerson {
            why: rejection.message.clone(),
        };
    }
    let skipped = person.skipped.iter().find(|skip| {
        let left = skip.reason == SkipReason::FieldLeft && about(&skip.detail);
        let manager = skip.reason == SkipReason::ManagerUnknown && field == CardField::Manager;
        left || manager || skip.reason == SkipReason::LoginHeld && field.is_login()
    });
    if let Some(skip) = skipped {
        return stays(&skip.detail);
    }
    if let Desired::Unknown(why) = desired {
        return stays(&format!("not known: {}", unknown_words(why)));
    }
    let Some(card) = person.card() else {
        return stays("no card");
    };
    if is_same(field, desired, card) {
        return Fate::Same;
    }
    let policy = person.input().policy.fields.get(&field).map(|rules| rules.policy);
    let empty = card.fields.get(field).is_none();
    match (policy, desired) {
        (Some(FieldPolicy::Seed), _) if !empty => stays("policy seed: only an empty field is filled"),
        (Some(FieldPolicy::Seed | FieldPolicy::NeverClear), Desired::Clear) => {
            stays("an empty value does not empty the field (its policy)")
        }
        // Which card the name in the directory stands for was settled by the plan: it writes nothing.
        (Some(FieldPolicy::Enforce), Desired::Set(Wanted::ManagerDn { .. })) if !empty => Fate::Same,
        (Some(FieldPolicy::Enforce | FieldPolicy::Seed | FieldPolicy::NeverClear), _) | (None, _) => {
            stays("nothing is written to this person, see above")
        }
    }
}

fn stays(why: &str) -> Fate {
    Fate::Stays { why: why.to_owned() }
}

fn is_same(field: CardField, desired: &Desired, card: &PersonCard) -> bool {
    let current = card.fields.get(field);
    let label = || current.map(|value| value.display());
    match desired {
        Desired::Set(Wanted::Value(value)) => same(current, Some(value), field.kind()),
        Desired::Set(Wanted::Entry(name)) => label().is_some_and(|label| fold(&label) == fold(name)),
        Desired::Set(Wanted::ManagerKey(key)) => label().is_some_and(|label| label == key.as_str()),
        Desired::Set(Wanted::ManagerDn { .. }) => false,
        Desired::Clear => same(current, None, field.kind()),
        Desired::Unknown(_) => false,
    }
}
