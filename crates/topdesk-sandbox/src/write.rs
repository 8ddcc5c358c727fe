//! What a write may say: a JSON body against the field table, with the real product's refusals.
//!
//! Pure. The rules that look at the whole card (mandatory fields, logins, locations) are in `rules`.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::card::{Card, Cell, is_email, parse_date};
use super::fields::{FieldNo, Form, Kind, LANGUAGE_CODE, common};
use super::problem::Problem;
use super::render::exists;
use super::world::World;

/// One field of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A flag.
    Flag(FieldNo, bool),
    /// Any other value; `None` clears.
    Set(FieldNo, Option<Cell>),
}

impl Change {
    /// The field it changes.
    pub fn field(&self) -> FieldNo {
        match self {
            Change::Flag(number, _) | Change::Set(number, _) => *number,
        }
    }

    /// Makes the change on a card.
    pub fn apply(self, card: &mut Card) {
        match self {
            Change::Flag(number, on) => card.set_flag(number, on),
            Change::Set(number, cell) => card.set(number, cell),
        }
    }
}

/// Reads a body as a JSON object.
///
/// # Errors
/// 400 when it is not one.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Problem::bad("The request body cannot be parsed")),
    }
}

/// Reads the fields of a write.
///
/// # Errors
/// 400 with the real product's words for an unknown field, a value of the wrong form or length, or a reference to
/// nothing.
pub fn changes(world: &World, kind: Kind, fields: &Map<String, Value>) -> Result<Vec<Change>, Problem> {
    let schema = kind.schema();
    let mut found = Vec::new();
    for (name, value) in fields {
        if schema.has_group(name) {
            let inner = match value {
                Value::Object(inner) => inner,
                Value::Null if !world.settings.bare_null_refused => continue,
                _ => return Err(Problem::unparsable(name)),
            };
            for (part, value) in inner {
                let full = format!("{name}.{part}");
                if schema
                    .find(Some(name), part)
                    .is_some_and(|number| schema.field(number).form == Form::Memo)
                {
                    return Err(Problem::bad(format!(
                        "Memo fields cannot be modified via the API: '{full}'"
                    )));
                }
                let number = schema
                    .find_written(Some(name), part)
                    .ok_or_else(|| Problem::no_such_field(&full))?;
                change(world, kind, number, &full, value, &mut found)?;
            }
            continue;
        }
        let number = schema
            .find_written(None, name)
            .or_else(|| initials(kind, name))
            .filter(|number| exists(kind, *number, &world.settings))
            .ok_or_else(|| Problem::no_such_field(name))?;
        change(world, kind, number, name, value, &mut found)?;
    }
    Ok(found)
}

/// The operator's read side says `initials`, the write side `firstInitials`; clients write either.
fn initials(kind: Kind, name: &str) -> Option<FieldNo> {
    (kind == Kind::Operator && name == "initials")
        .then(|| kind.schema().find(None, name))
        .flatten()
}

fn change(
    world: &World,
    kind: Kind,
    number: FieldNo,
    name: &str,
    value: &Value,
    found: &mut Vec<Change>,
) -> Result<(), Problem> {
    let form = kind.schema().field(number).form;
    if value.is_null() {
        if world.settings.bare_null_refused {
            return Err(Problem::unparsable(name));
        }
        found.push(if form == Form::Flag {
            Change::Flag(number, false)
        } else {
            Change::Set(number, None)
        });
        return Ok(());
    }
    let cell = match form {
        Form::Flag => {
            let on = value.as_bool().ok_or_else(|| Problem::unparsable(name))?;
            found.push(Change::Flag(number, on));
            return Ok(());
        }
        Form::Text(limit) | Form::Email(limit) => {
            let text = value.as_str().ok_or_else(|| Problem::unparsable(name))?;
            if text.encode_utf16().count() > limit {
                return Err(Problem::too_long(name, limit));
            }
            if matches!(form, Form::Email(_)) && !text.is_empty() && !is_email(text) {
                return Err(Problem::unparsable(name));
            }
            Some(Cell::Text(text.into()))
        }
        Form::Choice(words) => match value.as_str() {
            Some(word) if words.contains(&word) => Some(Cell::Text(word.into())),
            _ if name == "branchType" || name == "roomSetup" => return Err(invalid_choice(name, words)),
            _ => return Err(Problem::unparsable(name)),
        },
        Form::Number => Some(Cell::Number(value.as_f64().ok_or_else(|| Problem::unparsable(name))?)),
        Form::Date => match value.as_str() {
            Some("") => None,
            Some(text) => Some(Cell::Date(parse_date(text).ok_or_else(|| Problem::unparsable(name))?)),
            None => return Err(Problem::unparsable(name)),
        },
        Form::Json => {
            unruled(name, value)?;
            Some(Cell::Json(Box::new(value.clone())))
        }
        Form::Link(Kind::Department) if world.settings.department_text => {
            found.push(department_text(name, value)?);
            return Ok(());
        }
        Form::Link(target) => {
            let parts = value.as_object().ok_or_else(|| Problem::unparsable(name))?;
            if target == Kind::Attention {
                attention_comment(name, parts, found)?;
                if !parts.contains_key("id") {
                    return Ok(());
                }
            }
            if target == Kind::Language && !parts.contains_key("id") {
                found.push(Change::Set(number, Some(language(world, name, parts)?)));
                return Ok(());
            }
            link(
                world,
                target,
                name,
                parts,
                matches!(kind, Kind::Branch | Kind::Location),
            )?
        }
        Form::Memo | Form::Id | Form::Principal | Form::DynamicName | Form::Status(_) | Form::HasAttention => {
            return Err(Problem::no_such_field(name));
        }
    };
    found.push(Change::Set(number, cell));
    Ok(())
}

/// The form of what has no rules here: lists of links, objects, and optional fields of cards other than persons.
fn unruled(name: &str, value: &Value) -> Result<(), Problem> {
    let lists = ["accessRoles", "externalLinks"];
    if lists.contains(&name) {
        return if value.is_array() {
            Ok(())
        } else {
            Err(Problem::unparsable(name))
        };
    }
    let parts = value.as_object().ok_or_else(|| Problem::unparsable(name))?;
    if !name.starts_with("optionalFields") {
        return Ok(());
    }
    for (part, value) in parts {
        let full = format!("{name}.{part}");
        let fits = match part.trim_end_matches(|c: char| c.is_ascii_digit()) {
            _ if value.is_null() => true,
            "boolean" => value.is_boolean(),
            "number" => value.is_number(),
            "text" => value.is_string(),
            "date" => value.as_str().is_some_and(|text| parse_date(text).is_some()),
            "searchlist" => value.is_object(),
            "memo" => {
                return Err(Problem::bad(format!(
                    "Memo fields cannot be modified via the API: '{full}'"
                )));
            }
            _ => return Err(Problem::no_such_field(&full)),
        };
        if !fits {
            return Err(Problem::unparsable(&full));
        }
    }
    Ok(())
}

fn invalid_choice(name: &str, words: &[&str]) -> Problem {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let (last, first) = quoted.split_last().expect("a choice has words");
    Problem::bad(format!(
        "The value of '{name}' is invalid. The only valid values are: {}, and {last}.",
        first.join(", ")
    ))
}

fn department_text(name: &str, value: &Value) -> Result<Change, Problem> {
    let parts = value.as_object().ok_or_else(|| Problem::unparsable(name))?;
    if let Some(other) = parts.keys().find(|key| *key != "name") {
        return Err(Problem::no_such_field(&format!("{name}.{other}")));
    }
    let text = match parts.get("name") {
        Some(Value::String(text)) => text.as_str(),
        Some(Value::Null) | None => "",
        Some(_) => return Err(Problem::unparsable(name)),
    };
    if text.encode_utf16().count() > 60 {
        return Err(Problem::too_long(name, 60));
    }
    Ok(Change::Set(common::DEPARTMENT_TEXT, Some(Cell::Text(text.into()))))
}

fn attention_comment(name: &str, parts: &Map<String, Value>, found: &mut Vec<Change>) -> Result<(), Problem> {
    let Some(comment) = parts.get("comment") else {
        return Ok(());
    };
    let full = format!("{name}.comment");
    let text = match comment {
        Value::Null => "",
        Value::String(text) => text.as_str(),
        _ => return Err(Problem::unparsable(&full)),
    };
    if text.encode_utf16().count() > 127 {
        return Err(Problem::too_long(&full, 127));
    }
    found.push(Change::Set(common::ATTENTION_COMMENT, Some(Cell::Text(text.into()))));
    Ok(())
}

fn language(world: &World, name: &str, parts: &Map<String, Value>) -> Result<Cell, Problem> {
    let code = parts
        .get("code")
        .and_then(Value::as_str)
        .ok_or_else(|| Problem::unparsable(name))?;
    let mut languages = world.table(Kind::Language).iter();
    languages
        .find(|(_, card)| card.text(LANGUAGE_CODE).eq_ignore_ascii_case(code))
        .map(|(place, _)| Cell::Link(place))
        .ok_or_else(|| Problem::cannot_be_found(name))
}

/// A reference by id; branches and locations also take a name.
fn link(
    world: &World,
    target: Kind,
    name: &str,
    parts: &Map<String, Value>,
    by_name: bool,
) -> Result<Option<Cell>, Problem> {
    let allowed = |key: &&String| *key != "id" && !(target == Kind::Attention && *key == "comment");
    let extra = parts
        .keys()
        .find(|key| allowed(key) && !(*key == "name" && (by_name || parts.contains_key("id"))));
    if let Some(other) = extra.filter(|key| !(target == Kind::Language && *key == "code")) {
        return Err(Problem::no_such_field(&format!("{name}.{other}")));
    }
    match parts.get("id") {
        Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let id = Uuid::parse_str(text).map_err(|_| Problem::unparsable(name))?;
            let place = world
                .table(target)
                .place(&id)
                .ok_or_else(|| Problem::cannot_be_found(name))?;
            Ok(Some(Cell::Link(place)))
        }
        Some(_) => Err(Problem::unparsable(name)),
        None => match parts.get("name").and_then(Value::as_str) {
            Some(text) if by_name => {
                let place = world
                    .by_name(target, text)
                    .ok_or_else(|| Problem::cannot_be_found(name))?;
                Ok(Some(Cell::Link(place)))
            }
            _ => Err(Problem::unparsable(name)),
        },
    }
}
