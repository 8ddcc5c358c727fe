//! A query made ready for the cards of one kind. Pure.
//!
//! How `==` treats case and blanks at the end is not known for the real product: two switches decide.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use uuid::Uuid;

use super::access::{Access, Datum, Part, part_of};
use super::card::{Card, Place, parse_date};
use super::fields::{Form, Kind, operator};
use super::problem::Problem;
use super::query::{Operand, Operator, Query, Test};
use super::settings::Settings;
use super::world::World;

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
