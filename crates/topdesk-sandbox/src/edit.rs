//! Changes that a person makes in the user interface: any field, archiving, making and deleting cards, anonymizing.
//!
//! No rights and no checks of the API apply; the cascade does, as it does in the product.

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::build::Finder;
use super::card::{Card, Cell, Place};
use super::fields::{Form, Kind, common, operator};
use super::lifecycle::Cascade;
use super::seed::{Reference, Row, row};
use super::world::{World, stable_id};

/// An edit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Which person: id, employee number, login or name.
    #[serde(default)]
    pub person: Option<String>,
    /// Which operator: id, employee number, login or name.
    #[serde(default)]
    pub operator: Option<String>,
    /// Which entry of which array: `{"departments": "Sales"}`.
    #[serde(default)]
    pub entry: Option<Map<String, Value>>,
    /// A new card: `{"persons": {..}}`, in the form of a seed.
    #[serde(default)]
    pub create: Option<Map<String, Value>>,
    /// Fields to set, in the form of a seed; `null` and `""` empty them.
    #[serde(default)]
    pub set: Map<String, Value>,
    /// Overwrites everything personal with asterisks, on the linked operator too.
    #[serde(default)]
    pub anonymize: bool,
    /// Removes the card for good; with a person its operators.
    #[serde(default)]
    pub delete: bool,
    /// Who does it.
    #[serde(default = "somebody")]
    pub by: String,
}

fn somebody() -> String {
    "Application manager".to_owned()
}

/// Makes an edit and gives the card's id and what happened to linked cards.
///
/// # Errors
/// When the card is not found or a value does not fit; then nothing was changed.
pub fn make(world: &mut World, edit: &Edit, now: i64) -> Result<(Uuid, Cascade), String> {
    let mut finder = Finder::default();
    if let Some(create) = &edit.create {
        let (kind, fields) = only(create, "create")?;
        let fields = fields.as_object().ok_or("create: expected an object of fields")?;
        let row = row(kind, fields).map_err(|(field, problem)| format!("create.{field}: {problem}"))?;
        let mut card = row.card.clone();
        card.id = row.id.unwrap_or_else(|| world.mint(kind));
        let id = card.id;
        links(world, &mut finder, kind, &row, &mut card)?;
        stamp(world, &mut card, &edit.by, now, true);
        world
            .add(kind, card)
            .ok_or_else(|| format!("create.id: {id} is there already"))?;
        return Ok((id, Cascade::default()));
    }
    let (kind, at) = target(world, &mut finder, edit)?;
    let id = world.card(kind, at).id;
    let mut card = world.card(kind, at).clone();
    set(world, &mut finder, kind, &mut card, &edit.set)?;
    let was = world.card(kind, at).archived();
    stamp(world, &mut card, &edit.by, now, false);
    let is = card.archived();
    world.replace(kind, at, card);
    let mut cascade = Cascade::default();
    if was != is {
        cascade = follow(world, kind, at, is, edit, now);
    }
    if edit.anonymize {
        let operators = if kind == Kind::Person {
            world.operators_of(at).to_vec()
        } else {
            Vec::new()
        };
        anonymize(world, kind, at);
        operators
            .into_iter()
            .for_each(|linked| anonymize(world, Kind::Operator, linked));
    }
    if edit.delete {
        world.remove(kind, at);
    }
    Ok((id, cascade))
}

fn only<'a>(map: &'a Map<String, Value>, what: &str) -> Result<(Kind, &'a Value), String> {
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((array, value)), None) => {
            let kind = Kind::from_array(array).ok_or_else(|| format!("{what}: there is no array '{array}'"))?;
            Ok((kind, value))
        }
        _ => Err(format!("{what}: expected one array, such as {{\"persons\": ..}}")),
    }
}

fn target(world: &mut World, finder: &mut Finder, edit: &Edit) -> Result<(Kind, Place), String> {
    let (kind, name) = match (&edit.person, &edit.operator, &edit.entry) {
        (Some(name), None, None) => (Kind::Person, name.as_str()),
        (None, Some(name), None) => (Kind::Operator, name.as_str()),
        (None, None, Some(entry)) => {
            let (kind, name) = only(entry, "entry")?;
            (kind, name.as_str().ok_or("entry: expected a name or an id")?)
        }
        _ => return Err("name one card: person, operator, entry or create".into()),
    };
    let reference = match Uuid::parse_str(name) {
        Ok(id) => Reference {
            id: Some(id),
            name: "".into(),
        },
        Err(_) => Reference {
            id: None,
            name: name.into(),
        },
    };
    finder.known(world, kind, &reference, None).map(|place| (kind, place))
}

/// Sets the fields that are named and empties those that are null or blank.
fn set(
    world: &mut World,
    finder: &mut Finder,
    kind: Kind,
    card: &mut Card,
    fields: &Map<String, Value>,
) -> Result<(), String> {
    let schema = kind.schema();
    let mut filled = Map::new();
    let mut named = Vec::new();
    for (name, value) in fields {
        let number = schema.find(None, name).or_else(|| schema.find_written(None, name));
        match number {
            Some(common::ID) => return Err("set.id: an id never changes".into()),
            Some(number) if value.is_null() || value.as_str() == Some("") => {
                card.set_flag(number, false);
                card.set(number, None);
            }
            Some(number) => {
                named.push(number);
                filled.insert(name.clone(), value.clone());
            }
            None => {
                let inner = value.as_object().into_iter().flat_map(Map::keys);
                named.extend(inner.filter_map(|part| schema.find(Some(name), part)));
                filled.insert(name.clone(), value.clone());
            }
        }
    }
    // The name is only there to satisfy the row; it is taken over when it was named.
    filled
        .entry(schema.field(common::NAME).name)
        .or_insert_with(|| Value::from("x"));
    let row = row(kind, &filled).map_err(|(field, problem)| format!("set.{field}: {problem}"))?;
    for number in named {
        if schema.field(number).form == Form::Flag {
            card.set_flag(number, row.card.flag(number));
        } else if let Some(cell) = row.card.cell(number) {
            card.set(number, Some(cell.clone()));
        }
    }
    if let Some(archived) = fields.get("status").and_then(Value::as_str) {
        card.set_flag(common::ARCHIVED, archived.ends_with("Archived"));
    }
    links(world, finder, kind, &row, card)
}

fn links(world: &mut World, finder: &mut Finder, kind: Kind, row: &Row, card: &mut Card) -> Result<(), String> {
    for (number, reference) in &row.links {
        let field = kind.schema().field(*number);
        let Form::Link(target) = field.form else { continue };
        let place = finder.known(world, target, reference, card.link(common::BRANCH));
        card.set(
            *number,
            Some(Cell::Link(
                place.map_err(|problem| format!("{}: {problem}", field.name))?,
            )),
        );
    }
    Ok(())
}

fn stamp(world: &mut World, card: &mut Card, by: &str, now: i64, created: bool) {
    let actor = world.actor(stable_id(&["actor", by]), by);
    if created {
        card.set(common::CREATOR, Some(Cell::Link(actor)));
        card.set(common::CREATION_DATE, Some(Cell::Date(now)));
    }
    card.set(common::MODIFIER, Some(Cell::Link(actor)));
    card.set(common::MODIFICATION_DATE, Some(Cell::Date(now)));
}

/// The cards on the other side of the link go along.
fn follow(world: &mut World, kind: Kind, at: Place, archived: bool, edit: &Edit, now: i64) -> Cascade {
    let mut cascade = Cascade::default();
    if !world.settings.person_leads() {
        return cascade;
    }
    let others: Vec<(Kind, Place)> = match kind {
        Kind::Person if archived || world.settings.unarchive_restores_operator => world
            .operators_of(at)
            .iter()
            .map(|place| (Kind::Operator, *place))
            .collect(),
        Kind::Operator if !archived => {
            let person = world.card(kind, at).link(operator::LINKED_PERSON);
            person.into_iter().map(|place| (Kind::Person, place)).collect()
        }
        _ => Vec::new(),
    };
    for (kind, place) in others {
        let Some(card) = world.table(kind).get(place).filter(|card| card.archived() != archived) else {
            continue;
        };
        let mut card = card.clone();
        card.set_flag(common::ARCHIVED, archived);
        stamp(world, &mut card, &edit.by, now, false);
        match (kind, archived) {
            (Kind::Operator, true) => cascade.operators_archived.push(card.id),
            (Kind::Operator, false) => cascade.operators_woken.push(card.id),
            _ => cascade.persons_woken.push(card.id),
        }
        world.replace(kind, place, card);
    }
    cascade
}

/// Everything personal becomes asterisks, as the product's own anonymization leaves it; logins go.
fn anonymize(world: &mut World, kind: Kind, at: Place) {
    let mut card = world.card(kind, at).clone();
    let texts: Vec<_> = card
        .cells()
        .filter(|(number, _)| {
            let form = kind.schema().field(*number).form;
            matches!(form, Form::Text(_) | Form::Email(_) | Form::Memo) && *number != common::DEPARTMENT_TEXT
        })
        .map(|(number, _)| number)
        .collect();
    for number in texts {
        let gone = number == common::LOGIN;
        card.set(number, (!gone).then(|| Cell::Text("*****".into())));
    }
    world.replace(kind, at, card);
}
