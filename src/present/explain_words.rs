//! The words of an explanation for values, inputs and groups.

use crate::core::model::card::OperatorCard;
use crate::core::model::groups::{Group, Seen};
use crate::core::model::ids::CardId;
use crate::core::model::key::Normaliser;
use crate::core::model::operator_names::OperatorNames;
use crate::core::plan::ActionKind;
use crate::core::plan::view::FromTo;
use crate::core::reads::rows::{Row, RowState};
use crate::core::reads::snapshot::Verdict;
use crate::engine::explain::{Explanation, WantedPart};
use std::collections::BTreeMap;

/// What is said where nothing happens: that all is as it should be only where that is known.
pub(crate) fn nothing_words(explanation: &Explanation) -> String {
    let Explanation { sources, fields, .. } = explanation;
    let unread: Vec<&str> = sources
        .iter()
        .filter(|source| source.verdict != Verdict::Complete)
        .map(|source| source.source.as_str())
        .collect();
    if !unread.is_empty() {
        return format!(
            "nothing is changed, but not all is known: see {} below",
            unread.join(", ")
        );
    }
    let open = fields
        .iter()
        .filter(|field| matches!(field.wanted, WantedPart::NotKnown(_)));
    match open.count() {
        0 => "nothing: all is as it should be".to_owned(),
        1 => "nothing is changed, but of 1 field it is not known what it should hold: see below".to_owned(),
        more => format!("nothing is changed, but of {more} fields it is not known what they should hold: see below"),
    }
}

/// Fields from and to, or only to where something new is made.
pub(crate) fn values(fields: &BTreeMap<String, FromTo>, action: ActionKind) -> Vec<String> {
    let shown = |value: &Option<String>| {
        value
            .as_ref()
            .map_or("(empty)".to_owned(), |value| format!("\"{value}\""))
    };
    let new = matches!(action, ActionKind::Create | ActionKind::CreateEntry);
    fields
        .iter()
        .map(|(name, field)| match new {
            true => format!("    {name}: {}", shown(&field.to)),
            false => format!("    {name}: {} -> {}", shown(&field.from), shown(&field.to)),
        })
        .collect()
}

pub(crate) fn group_words(groups: &Seen<Vec<Group>>) -> String {
    match groups {
        Seen::Known(groups) if groups.is_empty() => "none".to_owned(),
        Seen::Known(groups) => groups.iter().map(|group| &*group.name).collect::<Vec<_>>().join(", "),
        Seen::Unreadable(why) => format!("could not be read: {why}"),
    }
}

/// What an expression read.
pub(crate) fn read(inputs: &BTreeMap<String, Vec<String>>) -> String {
    let parts: Vec<String> = inputs
        .iter()
        .map(|(label, values)| format!("{label} is {}", quoted(values)))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("   with {}", parts.join(", "))
    }
}

pub(crate) fn quoted(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    if quoted.is_empty() {
        "(nothing)".to_owned()
    } else {
        quoted.join(", ")
    }
}

pub(crate) fn normaliser_words(step: Normaliser) -> &'static str {
    match step {
        Normaliser::Trim => "trim",
        Normaliser::Uppercase => "uppercase",
        Normaliser::Lowercase => "lowercase",
        Normaliser::StripLeadingZeros => "strip_leading_zeros",
    }
}

/// How a contract row stands.
pub(crate) fn row_words(row: &Row) -> String {
    let stands = match row.state {
        RowState::Current => "is current".to_owned(),
        RowState::NotKnown => "is not known to be current".to_owned(),
        RowState::Begins(day) => format!("begins on {day}"),
        RowState::Ended(Some(day)) => format!("has ended, is over since {day}"),
        RowState::Ended(None) => "has ended".to_owned(),
    };
    let leads = if row.leads { "; describes the person" } else { "" };
    format!("{}: {stands}{leads}", row.place)
}

/// An operator that can log in although the person is archived.
pub(crate) fn active_behind(operator: &OperatorCard, card: &CardId) -> String {
    let name = OperatorNames::of_cards([operator]).shown(&operator.id);
    format!("operator {name} is active behind the archived card {card}: archive the operator, or bring the card back")
}
