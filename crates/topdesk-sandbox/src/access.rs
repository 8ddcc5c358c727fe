//! From the name of a field in a query or a sort to the value on a card.

use std::borrow::Cow;

use uuid::Uuid;

use super::card::{Card, Cell};
use super::fields::{FieldNo, Form, Kind, LANGUAGE_CODE, common, place};
use super::problem::Problem;
use super::render::exists;
use super::settings::Settings;
use super::world::{World, dynamic_name};

/// How to get at a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The field itself.
    Field(FieldNo),
    /// A part of what the field points to.
    Part(FieldNo, Part),
    /// A part of any operator group the operator is in.
    Group(Part),
}

/// A part of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its id.
    Id,
    /// Its name.
    Name,
    /// A text field of the target.
    Text(FieldNo),
}

/// A value of a card.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum<'a> {
    /// Not set.
    Null,
    /// Text.
    Text(Cow<'a, str>),
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// Milliseconds since 1970.
    Date(i64),
    /// An id.
    Id(Uuid),
}

fn unknown(field: &str) -> Problem {
    Problem::bad(format!(
        "Error parsing one of the query parameters. query contains unknown field: '{field}'"
    ))
}

impl Access {
    /// Finds the field a query or a sort names.
    ///
    /// # Errors
    /// When the kind has no such field, or the environment has it switched off.
    pub fn find(kind: Kind, name: &str, settings: &Settings) -> Result<Access, Problem> {
        let schema = kind.schema();
        let allowed = |number: FieldNo| {
            let field = schema.field(number);
            let kept = field.shown || number == common::ARCHIVED;
            (kept && exists(kind, number, settings) && field.form != Form::Memo).then_some(number)
        };
        if let Some(number) = schema.find(None, name).and_then(allowed) {
            return Ok(Access::Field(number));
        }
        let mut parts = name.splitn(3, '.');
        let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let Some(second) = second else {
            return Err(unknown(name));
        };
        let (number, rest) = if schema.has_group(first) {
            let number = schema
                .find(Some(first), second)
                .and_then(allowed)
                .ok_or_else(|| unknown(name))?;
            match third {
                None => return Ok(Access::Field(number)),
                Some(third) => (number, third),
            }
        } else if kind == Kind::Operator && first == "operatorGroup" {
            let part = match second {
                "id" => Part::Id,
                "name" => Part::Name,
                _ => return Err(unknown(name)),
            };
            return Ok(Access::Group(part));
        } else {
            let number = schema
                .find(None, first)
                .and_then(allowed)
                .ok_or_else(|| unknown(name))?;
            if third.is_some() {
                return Err(unknown(name));
            }
            (number, second)
        };
        let Form::Link(target) = schema.field(number).form else {
            return Err(unknown(name));
        };
        let part = match (target, rest) {
            (_, "id") => Part::Id,
            (Kind::Attention, "name") if kind == Kind::Person => return Err(unknown(name)),
            (_, "name") => Part::Name,
            (Kind::Language, "code") => Part::Text(LANGUAGE_CODE),
            (Kind::Branch, "clientReferenceNumber") => Part::Text(place::CLIENT_REFERENCE),
            (Kind::Branch, "phoneNumber") => Part::Text(place::PHONE),
            _ => return Err(unknown(name)),
        };
        Ok(Access::Part(number, part))
    }

    /// The value on a card.
    pub fn read<'a>(self, world: &'a World, kind: Kind, card: &'a Card) -> Datum<'a> {
        match self {
            Access::Field(number) => {
                let text = |text: &'a str| {
                    if text.is_empty() {
                        Datum::Null
                    } else {
                        Datum::Text(Cow::Borrowed(text))
                    }
                };
                match kind.schema().field(number).form {
                    Form::Id => Datum::Id(card.id),
                    Form::Principal => Datum::Id(Uuid::from_u128(card.id.as_u128() ^ 1)),
                    Form::DynamicName => Datum::Text(Cow::Owned(dynamic_name(card))),
                    Form::Status(active) if card.archived() => Datum::Text(Cow::Owned(format!("{active}Archived"))),
                    Form::Status(active) => Datum::Text(Cow::Borrowed(active)),
                    Form::HasAttention => Datum::Flag(card.cell(common::ATTENTION).is_some()),
                    Form::Flag => Datum::Flag(card.flag(number)),
                    Form::Choice(words) if card.text(number).is_empty() => Datum::Text(Cow::Borrowed(words[0])),
                    Form::Link(target) => match linked(world, card, number, target) {
                        Some(found) => Datum::Text(world.name_of(target, found)),
                        None if number == common::DEPARTMENT => text(card.text(common::DEPARTMENT_TEXT)),
                        None => Datum::Null,
                    },
                    _ => match card.cell(number) {
                        Some(Cell::Text(value)) => text(value),
                        Some(Cell::Number(value)) => Datum::Number(*value),
                        Some(Cell::Date(millis)) => Datum::Date(*millis),
                        Some(Cell::Link(_) | Cell::Json(_)) => Datum::Text(Cow::Borrowed("")),
                        None => Datum::Null,
                    },
                }
            }
            Access::Part(number, part) => {
                let Form::Link(target) = kind.schema().field(number).form else {
                    return Datum::Null;
                };
                match linked(world, card, number, target) {
                    Some(found) => part_of(world, target, found, part),
                    None if number == common::DEPARTMENT && part == Part::Name => {
                        let text = card.text(common::DEPARTMENT_TEXT);
                        if text.is_empty() {
                            Datum::Null
                        } else {
                            Datum::Text(Cow::Borrowed(text))
                        }
                    }
                    None => Datum::Null,
                }
            }
            Access::Group(_) => Datum::Null,
        }
    }
}

fn linked<'a>(world: &'a World, card: &Card, number: FieldNo, kind: Kind) -> Option<&'a Card> {
    card.link(number).and_then(|place| world.table(kind).get(place))
}

/// A part of a card that is referred to.
pub fn part_of<'a>(world: &'a World, kind: Kind, card: &'a Card, part: Part) -> Datum<'a> {
    match part {
        Part::Id => Datum::Id(card.id),
        Part::Name => Datum::Text(world.name_of(kind, card)),
        Part::Text(number) => Datum::Text(Cow::Borrowed(card.text(number))),
    }
}
