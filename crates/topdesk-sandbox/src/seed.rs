//! Reading a seed: JSON with one array per kind of card, in the API's own read form.
//!
//! Ids may be missing (they are made from array and position) and references may be given by name. Rows are turned into
//! small typed values while the file is read, so that a seed of 100,000 persons never exists as a tree of JSON. Building
//! the world out of the rows is in `build`.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::card::{Card, Cell, parse_date};
use super::fields::{FieldNo, Form, Kind, common, operator, person};

/// A seed that was read but not yet built into a world.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// The `settings` object.
    pub settings: Map<String, Value>,
    /// Which operator is the API account: id, login name or name.
    pub account: Option<Reference>,
    /// The arrays that are in the seed.
    pub arrays: Vec<(Kind, Vec<Row>)>,
}

/// One card of a seed.
#[derive(Debug, Clone)]
pub struct Row {
    /// The id, when the seed gives one.
    pub id: Option<Uuid>,
    /// Flags and plain values.
    pub card: Card,
    /// References, not yet looked up.
    pub links: Vec<(FieldNo, Reference)>,
    /// Groups and filters of an operator.
    pub lists: Vec<(Kind, Reference)>,
}

/// A reference as written: `{"id": ..}`, `{"name": ..}`, both, or a plain string, which is a name or an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// The id.
    pub id: Option<Uuid>,
    /// The name, a language's code, a person's employee number or login.
    pub name: Box<str>,
}

/// A seed that cannot be used; says where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// Not JSON, or a value of the wrong form; the text names array, index and field.
    #[error("the seed cannot be read: {0}")]
    Unreadable(String),
    /// A value that cannot be built into a world.
    #[error("the seed cannot be used: {place}: {problem}")]
    Unusable {
        /// Array, index and field.
        place: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl Seed {
    /// Reads a seed.
    ///
    /// # Errors
    /// When the text is not JSON or a value does not fit its field.
    pub fn from_reader(reader: impl Read) -> Result<Seed, SeedError> {
        let mut deserializer = serde_json::Deserializer::from_reader(std::io::BufReader::new(reader));
        Seed::read(&mut deserializer)
            .and_then(|seed| deserializer.end().map(|()| seed))
            .map_err(unreadable)
    }

    /// Reads a seed from a value.
    ///
    /// # Errors
    /// When a value does not fit its field.
    pub fn from_value(value: Value) -> Result<Seed, SeedError> {
        Seed::read(value).map_err(unreadable)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Seed, D::Error> {
        deserializer.deserialize_map(SeedVisitor)
    }
}

impl std::str::FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Seed, SeedError> {
        Seed::from_reader(text.as_bytes())
    }
}

fn unreadable(error: serde_json::Error) -> SeedError {
    SeedError::Unreadable(error.to_string())
}

struct SeedVisitor;

impl<'de> Visitor<'de> for SeedVisitor {
    type Value = Seed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with arrays such as `persons` and `branches`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seed, A::Error> {
        let mut seed = Seed::default();
        while let Some(name) = map.next_key::<String>()? {
            if let Some(kind) = Kind::from_array(&name) {
                if seed.arrays.iter().any(|(known, _)| *known == kind) {
                    return Err(A::Error::custom(format!("{name} is there twice")));
                }
                seed.arrays.push((kind, map.next_value_seed(RowsSeed(kind))?));
            } else if name == "settings" {
                seed.settings = map.next_value()?;
            } else if name == "account" {
                let value: Value = map.next_value()?;
                seed.account = reference(&value).map_err(|problem| A::Error::custom(format!("account: {problem}")))?;
            } else if name.starts_with('$') || name.starts_with('_') {
                map.next_value::<IgnoredAny>()?;
            } else {
                return Err(A::Error::custom(format!(
                    "'{name}' is not part of a seed{}",
                    suggest_array(&name)
                )));
            }
        }
        Ok(seed)
    }
}

struct RowsSeed(Kind);

impl<'de> DeserializeSeed<'de> for RowsSeed {
    type Value = Vec<Row>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Row>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed {
    type Value = Vec<Row>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {}", self.0.array())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Vec<Row>, A::Error> {
        let mut found = Vec::new();
        while let Some(value) = rows.next_element::<Value>()? {
            let place = format!("{}[{}]", self.0.array(), found.len());
            let row = match value {
                Value::Object(fields) => row(self.0, &fields),
                Value::String(name) if !matches!(self.0, Kind::Person | Kind::Operator) => {
                    let mut fields = Map::new();
                    fields.insert(self.0.schema().field(common::NAME).name.to_owned(), Value::String(name));
                    row(self.0, &fields)
                }
                _ => return Err(A::Error::custom(format!("{place}: expected an object"))),
            };
            found.push(row.map_err(|(field, problem)| A::Error::custom(format!("{place}.{field}: {problem}")))?);
        }
        Ok(found)
    }
}

/// A field and what is wrong with it.
pub type FieldError = (String, String);

/// Reads one card.
///
/// # Errors
/// With the field and what is wrong with it.
pub fn row(kind: Kind, fields: &Map<String, Value>) -> Result<Row, FieldError> {
    let mut row = Row {
        id: None,
        card: Card::new(Uuid::nil()),
        links: Vec::new(),
        lists: Vec::new(),
    };
    if kind == Kind::Person {
        row.card.set_flag(person::IS_CALLER, true);
        row.card.set_flag(person::HAS_SSP_ACCESS, true);
    }
    if kind == Kind::Operator {
        row.card
            .set_flag(operator::LOGIN_PERMISSION, fields.contains_key("loginName"));
    }
    for (name, value) in fields {
        let schema = kind.schema();
        if schema.has_group(name) {
            let Some(inner) = value.as_object() else {
                return if value.is_null() {
                    continue;
                } else {
                    Err((name.clone(), "expected an object".into()))
                };
            };
            for (part, value) in inner {
                let full = format!("{name}.{part}");
                let number = schema.find(Some(name), part).ok_or_else(|| no_field(kind, &full))?;
                read_field(kind, number, value, &mut row).map_err(|problem| (full, problem))?;
            }
        } else if let Some(list) = list_kind(kind, name) {
            let Some(entries) = value.as_array() else {
                return Err((name.clone(), "expected an array".into()));
            };
            for entry in entries {
                let reference = reference(entry).map_err(|problem| (name.clone(), problem))?;
                row.lists.extend(reference.map(|reference| (list, reference)));
            }
        } else {
            let number = schema
                .find(None, name)
                .or_else(|| schema.find_written(None, name))
                .or_else(|| {
                    if name == "status" && kind == Kind::Person {
                        Some(common::ARCHIVED)
                    } else {
                        None
                    }
                })
                .ok_or_else(|| no_field(kind, name))?;
            read_field(kind, number, value, &mut row).map_err(|problem| (name.clone(), problem))?;
        }
    }
    let named = !row.card.text(common::NAME).trim().is_empty();
    if !named && !matches!(kind, Kind::Person | Kind::Operator) {
        return Err((
            kind.schema().field(common::NAME).name.to_owned(),
            "a name is needed".into(),
        ));
    }
    row.card.shrink();
    row.links.sort_by_key(|(number, _)| *number);
    row.links.shrink_to_fit();
    Ok(row)
}

/// The lists of an operator that a seed carries on the card itself.
pub fn list_kind(kind: Kind, name: &str) -> Option<Kind> {
    let lists = [
        Kind::OperatorGroup,
        Kind::PermissionGroup,
        Kind::BranchFilter,
        Kind::OperatorFilter,
        Kind::CategoryFilter,
    ];
    (kind == Kind::Operator)
        .then(|| lists.into_iter().find(|list| list.array() == name))
        .flatten()
}

fn read_field(kind: Kind, number: FieldNo, value: &Value, row: &mut Row) -> Result<(), String> {
    let form = kind.schema().field(number).form;
    if value.is_null() {
        return Ok(());
    }
    let cell = match form {
        Form::Id => {
            row.id = Some(parse_id(value)?);
            return Ok(());
        }
        Form::Principal | Form::DynamicName | Form::HasAttention => return Ok(()),
        Form::Status(_) => {
            let status = value.as_str().ok_or("expected text")?;
            row.card.set_flag(common::ARCHIVED, status.ends_with("Archived"));
            return Ok(());
        }
        Form::Flag => {
            let on = match value {
                Value::Bool(on) => *on,
                Value::String(status) if number == common::ARCHIVED => status.ends_with("Archived"),
                _ => return Err("expected true or false".into()),
            };
            row.card.set_flag(number, on);
            return Ok(());
        }
        Form::Text(limit) | Form::Email(limit) => text_cell(value, limit)?,
        Form::Memo => text_cell(value, usize::MAX)?,
        Form::Choice(words) => match value.as_str() {
            Some(word) if words.contains(&word) => Cell::Text(word.into()),
            _ => return Err(format!("expected one of {}", words.join(", "))),
        },
        Form::Number => Cell::Number(value.as_f64().ok_or("expected a number")?),
        Form::Date => {
            let text = value.as_str().ok_or("expected a date as text")?;
            Cell::Date(
                parse_date(text)
                    .ok_or_else(|| format!("'{text}' is not a date such as 2026-01-31T12:00:00.000+0000"))?,
            )
        }
        Form::Json => Cell::Json(Box::new(value.clone())),
        Form::Link(target) => {
            if let (Kind::Attention, Some(comment)) = (target, value.get("comment")) {
                row.card.set(common::ATTENTION_COMMENT, Some(text_cell(comment, 127)?));
            }
            row.links.extend(reference(value)?.map(|reference| (number, reference)));
            return Ok(());
        }
    };
    row.card.set(number, Some(cell));
    Ok(())
}

fn text_cell(value: &Value, limit: usize) -> Result<Cell, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err("expected text".into()),
    };
    let length = text.encode_utf16().count();
    if length > limit {
        return Err(format!("{length} characters long, but the field holds {limit}"));
    }
    Ok(Cell::Text(text.into()))
}

fn parse_id(value: &Value) -> Result<Uuid, String> {
    let text = value.as_str().ok_or("expected an id as text")?;
    Uuid::parse_str(text).map_err(|_| format!("'{text}' is not an id such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301"))
}

/// Reads a reference; `None` for one that refers to nothing.
fn reference(value: &Value) -> Result<Option<Reference>, String> {
    let mut found = Reference::default();
    match value {
        Value::Null => {}
        Value::String(text) => match Uuid::parse_str(text) {
            Ok(id) => found.id = Some(id),
            Err(_) => found.name = text.trim().into(),
        },
        Value::Object(parts) => {
            if let Some(id) = parts.get("id").filter(|id| !id.is_null()) {
                found.id = Some(parse_id(id)?);
            }
            let names = [
                "name",
                "groupName",
                "code",
                "languageCode",
                "employeeNumber",
                "loginName",
                "tasLoginName",
            ];
            let name = names.iter().find_map(|name| parts.get(*name)).and_then(Value::as_str);
            found.name = name.unwrap_or_default().trim().into();
        }
        _ => return Err("expected a name or an object with id or name".into()),
    }
    Ok((found != Reference::default()).then_some(found))
}

fn no_field(kind: Kind, name: &str) -> FieldError {
    let known = kind
        .schema()
        .fields
        .iter()
        .filter(|field| field.group.is_none())
        .map(|field| field.name);
    (
        name.to_owned(),
        format!("a {} has no such field{}", kind.noun(), suggest(name, known)),
    )
}

fn suggest_array(name: &str) -> String {
    suggest(name, Kind::all().map(Kind::array).chain(["settings", "account"]))
}

fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, near)| format!(", did you mean '{near}'?"))
        .unwrap_or_default()
}
