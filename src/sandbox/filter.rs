//! A query made ready for the cards of one kind, and the order of a list. Pure.
//!
//! How `==` treats case and blanks at the end is not known for the real product: two switches decide.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use uuid::Uuid;

use super::card::{Card, Cell, Place, parse_date};
use super::fields::{FieldNo, Form, Kind, LANGUAGE_CODE, common, operator, place};
use super::problem::Problem;
use super::query::{Operand, Operator, Query, Test};
use super::render::exists;
use super::settings::Settings;
use super::world::{World, dynamic_name};

/// A query whose fields are known and whose values are read.
#[derive(Debug)]
pub enum Filter {
    /// All of these.
    All(Vec<Filter>),
    /// Any of these.
    Any(Vec<Filter>),
    /// One comparison of one field.
    Test(Access, Check),
}

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

/// What a value is compared with.
#[derive(Debug)]
pub enum Check {
    /// Is nothing, or (false) is something.
    Null(bool),
    /// Is, or (false) is not, one of these.
    OneOf(Set, bool),
    /// Stands in this order to a value.
    Compare(Operator, Datum<'static>),
    /// Starts with this text, already folded.
    StartsWith(String),
}

/// Values to compare with, folded as the settings say.
#[derive(Debug, Default)]
pub struct Set {
    texts: HashSet<String>,
    ids: HashSet<Uuid>,
    others: Vec<Datum<'static>>,
    null: bool,
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

/// How texts are folded before they are compared.
#[derive(Debug, Clone, Copy)]
struct Folding {
    case: bool,
    blanks: bool,
}

impl Folding {
    fn of(settings: &Settings) -> Self {
        Folding {
            case: !settings.query_case_exact,
            blanks: !settings.query_blanks_significant,
        }
    }

    fn fold(self, text: &str) -> String {
        let text = if self.blanks { text.trim_end() } else { text };
        if self.case {
            text.to_lowercase()
        } else {
            text.to_owned()
        }
    }
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

fn part_of<'a>(world: &'a World, kind: Kind, card: &'a Card, part: Part) -> Datum<'a> {
    match part {
        Part::Id => Datum::Id(card.id),
        Part::Name => Datum::Text(world.name_of(kind, card)),
        Part::Text(number) => Datum::Text(Cow::Borrowed(card.text(number))),
    }
}

impl Filter {
    /// Makes a query ready for one kind of card.
    ///
    /// # Errors
    /// When a field is unknown or a value does not fit it.
    pub fn prepare(kind: Kind, query: &Query, settings: &Settings) -> Result<Filter, Problem> {
        match query {
            Query::All(parts) => Ok(Filter::All(
                parts
                    .iter()
                    .map(|part| Filter::prepare(kind, part, settings))
                    .collect::<Result<_, _>>()?,
            )),
            Query::Any(parts) => {
                let parts = parts
                    .iter()
                    .map(|part| Filter::prepare(kind, part, settings))
                    .collect::<Result<_, _>>()?;
                Ok(Filter::any(parts))
            }
            Query::Test(test) => Filter::test(kind, test, settings),
        }
    }

    /// A long `a==1,a==2,...` becomes one set, so that looking up many keys reads the cards once.
    fn any(parts: Vec<Filter>) -> Filter {
        let mut sets: Vec<(Access, Set)> = Vec::new();
        let mut rest = Vec::new();
        for part in parts {
            match part {
                Filter::Test(access, Check::OneOf(set, true)) => {
                    match sets.iter_mut().find(|(known, _)| *known == access) {
                        Some((_, known)) => known.join(set),
                        None => sets.push((access, set)),
                    }
                }
                other => rest.push(other),
            }
        }
        rest.extend(
            sets.into_iter()
                .map(|(access, set)| Filter::Test(access, Check::OneOf(set, true))),
        );
        Filter::Any(rest)
    }

    fn test(kind: Kind, test: &Test, settings: &Settings) -> Result<Filter, Problem> {
        let access = Access::find(kind, &test.field, settings)?;
        let equality = matches!(test.operator, Operator::Equal | Operator::NotEqual);
        let linked_person = |access| {
            kind == Kind::Operator
                && matches!(access, Access::Field(n) | Access::Part(n, _) if n == operator::LINKED_PERSON)
        };
        if linked_person(access) && !equality {
            return Err(Problem::malformed());
        }
        let form = value_form(kind, access);
        let folding = Folding::of(settings);
        let null = |operand: &Operand| !operand.quoted && operand.text.eq_ignore_ascii_case("null");
        let check = match test.operator {
            Operator::Equal | Operator::NotEqual if null(&test.values[0]) => {
                Check::Null(test.operator == Operator::Equal)
            }
            Operator::Equal | Operator::NotEqual | Operator::In | Operator::Out => {
                let mut set = Set::default();
                for operand in &test.values {
                    if null(operand) {
                        set.null = true;
                    } else {
                        set.add(datum(form, operand)?, folding);
                    }
                }
                Check::OneOf(set, matches!(test.operator, Operator::Equal | Operator::In))
            }
            Operator::StartsWith if form == Value::Text => Check::StartsWith(folding.fold(&test.values[0].text)),
            Operator::StartsWith => return Err(Problem::malformed()),
            Operator::Greater | Operator::GreaterOrEqual | Operator::Less | Operator::LessOrEqual => {
                let value = match datum(form, &test.values[0])? {
                    Datum::Text(text) => Datum::Text(Cow::Owned(folding.fold(&text))),
                    other => other,
                };
                Check::Compare(test.operator, value)
            }
        };
        Ok(Filter::Test(access, check))
    }

    /// True when the card fits.
    pub fn fits(&self, world: &World, kind: Kind, at: Place, card: &Card) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.fits(world, kind, at, card)),
            Filter::Any(parts) => parts.iter().any(|part| part.fits(world, kind, at, card)),
            Filter::Test(Access::Group(part), check) => world
                .list_of(at, Kind::OperatorGroup)
                .iter()
                .map(|group| {
                    part_of(
                        world,
                        Kind::OperatorGroup,
                        world.card(Kind::OperatorGroup, *group),
                        *part,
                    )
                })
                .any(|value| check.fits(&value, &world.settings)),
            Filter::Test(access, check) => check.fits(&access.read(world, kind, card), &world.settings),
        }
    }
}

impl Check {
    fn fits(&self, value: &Datum<'_>, settings: &Settings) -> bool {
        let folding = Folding::of(settings);
        match self {
            Check::Null(wanted) => (*value == Datum::Null) == *wanted,
            Check::OneOf(set, wanted) => set.has(value, folding) == *wanted,
            Check::StartsWith(start) => {
                matches!(value, Datum::Text(text) if (Folding { blanks: false, ..folding }).fold(text).starts_with(start.as_str()))
            }
            Check::Compare(operator, wanted) => {
                let order = match (value, wanted) {
                    (Datum::Text(text), Datum::Text(wanted)) => Some(folding.fold(text).as_str().cmp(wanted)),
                    (Datum::Number(a), Datum::Number(b)) => a.partial_cmp(b),
                    (Datum::Date(a), Datum::Date(b)) => Some(a.cmp(b)),
                    (Datum::Id(a), Datum::Id(b)) => Some(a.cmp(b)),
                    _ => None,
                };
                order.is_some_and(|order| match operator {
                    Operator::Greater => order == Ordering::Greater,
                    Operator::GreaterOrEqual => order != Ordering::Less,
                    Operator::Less => order == Ordering::Less,
                    Operator::LessOrEqual => order != Ordering::Greater,
                    _ => false,
                })
            }
        }
    }
}

impl Set {
    fn add(&mut self, value: Datum<'static>, folding: Folding) {
        match value {
            Datum::Text(text) => {
                let folded = folding.fold(&text);
                self.null |= folded.is_empty();
                self.texts.insert(folded);
            }
            Datum::Id(id) => {
                self.ids.insert(id);
            }
            Datum::Null => self.null = true,
            other => self.others.push(other),
        }
    }

    fn join(&mut self, other: Set) {
        self.texts.extend(other.texts);
        self.ids.extend(other.ids);
        self.others.extend(other.others);
        self.null |= other.null;
    }

    fn has(&self, value: &Datum<'_>, folding: Folding) -> bool {
        match value {
            Datum::Null => self.null,
            Datum::Text(text) => self.texts.contains(&folding.fold(text)),
            Datum::Id(id) => self.ids.contains(id),
            other => self.others.iter().any(|known| known == other),
        }
    }
}

/// What a query value for an access must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Text,
    Flag,
    Number,
    Date,
    Id,
}

fn value_form(kind: Kind, access: Access) -> Value {
    match access {
        Access::Part(_, Part::Id) | Access::Group(Part::Id) => Value::Id,
        Access::Part(..) | Access::Group(_) => Value::Text,
        Access::Field(number) => match kind.schema().field(number).form {
            Form::Id | Form::Principal => Value::Id,
            Form::Flag | Form::HasAttention => Value::Flag,
            Form::Number => Value::Number,
            Form::Date => Value::Date,
            _ => Value::Text,
        },
    }
}

fn datum(form: Value, operand: &Operand) -> Result<Datum<'static>, Problem> {
    let text = operand.text.as_str();
    let found = match form {
        Value::Text => Some(Datum::Text(Cow::Owned(text.to_owned()))),
        Value::Flag => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Datum::Flag(true)),
            "false" => Some(Datum::Flag(false)),
            _ => None,
        },
        Value::Number => text.parse().ok().map(Datum::Number),
        Value::Date => parse_date(text).map(Datum::Date),
        Value::Id => Uuid::parse_str(text).ok().map(Datum::Id),
    };
    found.ok_or_else(Problem::malformed)
}

/// The order of a list: `name:asc,other:desc`.
#[derive(Debug)]
pub struct Sort {
    keys: Vec<(Access, bool)>,
}

impl Sort {
    /// Reads a `sort` parameter.
    ///
    /// # Errors
    /// When a field is unknown or a direction is neither `asc` nor `desc`.
    pub fn parse(kind: Kind, text: &str, settings: &Settings) -> Result<Sort, Problem> {
        let mut keys = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, direction) = part.split_once(':').unwrap_or((part, "asc"));
            let descending = match direction.trim().to_ascii_lowercase().as_str() {
                "asc" => false,
                "desc" => true,
                _ => return Err(Problem::malformed()),
            };
            let access = Access::find(kind, name.trim(), settings).map_err(|_| Problem::malformed())?;
            if access == Access::Field(common::ID) && !settings.sort_by_id {
                return Err(Problem::malformed());
            }
            keys.push((access, descending));
        }
        Ok(Sort { keys })
    }

    /// Sorts places; cards that are equal stay in the order they were made.
    pub fn apply(&self, world: &World, kind: Kind, places: &mut [Place]) {
        if let [(Access::Field(common::ID), false)] = self.keys[..] {
            places.sort_by_key(|place| world.card(kind, *place).id);
            return;
        }
        for (access, descending) in self.keys.iter().rev() {
            let key = |place: &Place| {
                Key(match access.read(world, kind, world.card(kind, *place)) {
                    Datum::Text(text) => Datum::Text(Cow::Owned(text.to_lowercase())),
                    Datum::Null => Datum::Null,
                    Datum::Flag(on) => Datum::Flag(on),
                    Datum::Number(number) => Datum::Number(number),
                    Datum::Date(millis) => Datum::Date(millis),
                    Datum::Id(id) => Datum::Id(id),
                })
            };
            if *descending {
                places.sort_by_cached_key(|place| std::cmp::Reverse(key(place)));
            } else {
                places.sort_by_cached_key(key);
            }
        }
    }
}

/// A value as a sort key: nothing comes first.
struct Key(Datum<'static>);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Datum::Null, Datum::Null) => Ordering::Equal,
            (Datum::Null, _) => Ordering::Less,
            (_, Datum::Null) => Ordering::Greater,
            (Datum::Text(a), Datum::Text(b)) => a.cmp(b),
            (Datum::Flag(a), Datum::Flag(b)) => a.cmp(b),
            (Datum::Number(a), Datum::Number(b)) => a.total_cmp(b),
            (Datum::Date(a), Datum::Date(b)) => a.cmp(b),
            (Datum::Id(a), Datum::Id(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}
