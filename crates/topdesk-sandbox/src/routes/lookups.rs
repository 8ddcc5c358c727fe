//! Everything a person card points to: branches, locations, drop-down lists, languages, reasons; and the versions.

use serde_json::{Value, json};

use super::super::call::{Call, Reply};
use super::super::fields::{Kind, LANGUAGE_CODE, common};
use super::super::problem::{Problem, Shape};
use super::super::render::{self, Selection, View};
use super::super::rights::Right;
use super::super::rules;
use super::super::world::World;
use super::super::write::object;
use super::{Answer, Outcome, chosen, need, nowhere, number, seen, shaped, truth};

/// Requests that read.
pub fn read(world: &World, call: &Call, segments: &[&str]) -> Outcome {
    if !call.accepts("application/json") {
        return Err((Problem::not_acceptable(), Shape::Empty));
    }
    match *segments {
        ["branches"] => branches(world, call).or_else(shaped(Shape::Entities)),
        ["branches", "id", id] => place_card(world, Kind::Branch, id).or_else(shaped(Shape::Messages)),
        ["locations"] => locations(world, call).or_else(shaped(Shape::Entity)),
        ["locations", "id", id] => place_card(world, Kind::Location, id).or_else(shaped(Shape::Messages)),
        ["languages"] => Ok(languages(world)),
        ["archiving-reasons"] => Ok(reasons(world)),
        ["version"] => Ok(Reply::json(200, &json!({ "version": "3.2.1" })).into()),
        ["productVersion"] => {
            let (major, minor, patch) = world.settings.product_version;
            Ok(Reply::json(200, &json!({ "major": major, "minor": minor, "patch": patch })).into())
        }
        [list, "lookup"] => match lookup_kind(list) {
            Some(kind) => lookup(world, call, kind).or_else(silent),
            None => nowhere(call, false),
        },
        [list, "lookup", id] => match lookup_kind(list) {
            Some(kind) => lookup_one(world, kind, id).or_else(silent),
            None => nowhere(call, false),
        },
        _ => match entry_kind(segments) {
            Some(kind) => entries(world, call, kind).or_else(shaped(Shape::Messages)),
            None if is_search_list(segments) => Err((Problem::not_found("Not found"), Shape::Messages)),
            None => nowhere(call, false),
        },
    }
}

/// Requests that write.
pub fn write(world: &mut World, call: &Call, segments: &[&str]) -> Outcome {
    let now = call.at.timestamp_millis();
    if call.method != "POST" {
        return nowhere(call, !segments.is_empty());
    }
    // Branches, locations and departments answer in words, the other lists in codes.
    let shape = match *segments {
        ["branches" | "locations" | "departments"] => Shape::Messages,
        _ => Shape::Description,
    };
    let outcome = match *segments {
        ["branches"] => object(&call.body).and_then(|fields| {
            need(world, Right::CreateBranches, "No permission to create branches")?;
            let place = rules::create_branch(world, &fields, now)?;
            Ok((Kind::Branch, place))
        }),
        ["locations"] => object(&call.body).and_then(|fields| {
            need(world, Right::CreateLocations, "No permission to create locations")?;
            let place = rules::create_location(world, &fields, now)?;
            Ok((Kind::Location, place))
        }),
        _ => match entry_kind(segments) {
            Some(kind) => object(&call.body)
                .and_then(|fields| rules::create_entry(world, kind, &fields).map(|place| (kind, place))),
            // Reading such a list is described with a 404, writing to it only with a 400.
            None if is_search_list(segments) => Err(Problem::malformed()),
            None => return nowhere(call, true),
        },
    };
    match outcome {
        Ok((kind, place)) => {
            let selection = Selection::all(kind, View::Plain, &world.settings);
            let card = world.card(kind, place);
            let mut body = Vec::new();
            render::card(&mut body, world, kind, card, &selection, View::Plain);
            Ok(Answer {
                written: Some(card.id),
                ..Reply::typed(201, "application/json", body).into()
            })
        }
        Err(problem) => Err((problem, shape)),
    }
}

/// The drop-down list behind a path.
fn entry_kind(segments: &[&str]) -> Option<Kind> {
    match *segments {
        ["departments"] => Some(Kind::Department),
        ["budgetholders"] => Some(Kind::BudgetHolder),
        ["personExtraFieldAEntries"] => Some(Kind::ExtraA),
        ["personExtraFieldBEntries"] => Some(Kind::ExtraB),
        ["persons", "free_fields", tab, "searchlists", list] => {
            let tab: u8 = tab.parse().ok().filter(|tab| (1..=2).contains(tab))?;
            let list: u8 = list.parse().ok().filter(|list| (1..=5).contains(list))?;
            Some(Kind::Search((tab - 1) * 5 + list - 1))
        }
        _ => None,
    }
}

fn is_search_list(segments: &[&str]) -> bool {
    matches!(segments, ["persons", "free_fields", _, "searchlists", _])
}

fn lookup_kind(list: &str) -> Option<Kind> {
    match list {
        "persons" => Some(Kind::Person),
        "operators" => Some(Kind::Operator),
        "operatorgroups" => Some(Kind::OperatorGroup),
        "branches" => Some(Kind::Branch),
        "locations" => Some(Kind::Location),
        _ => None,
    }
}

fn branches(world: &World, call: &Call) -> Result<Answer, Problem> {
    let fields = call.parameter("$fields");
    let selection = Selection::named(
        Kind::Branch,
        View::Plain,
        fields.as_deref(),
        Some("id,name"),
        &world.settings,
    )?;
    let places = chosen(world, Kind::Branch, call, true, Some("name:asc"))?;
    let cards = places.iter().map(|place| world.card(Kind::Branch, *place));
    let body = render::list(world, Kind::Branch, cards, &selection, View::Plain);
    Ok(Reply::typed(200, "application/json", body).into())
}

fn locations(world: &World, call: &Call) -> Result<Answer, Problem> {
    let fields = call.parameter("$fields");
    let default = Some("id,name,roomNumber,branch");
    let selection = Selection::named(Kind::Location, View::Plain, fields.as_deref(), default, &world.settings)?;
    let most = number(call, "pageSize", usize::MAX, 1, i32::MAX as usize)?;
    let places = chosen(world, Kind::Location, call, true, Some("name:asc"))?;
    let cards = places.iter().take(most).map(|place| world.card(Kind::Location, *place));
    let body = render::list(world, Kind::Location, cards, &selection, View::Plain);
    Ok(Reply::typed(200, "application/json", body).into())
}

fn place_card(world: &World, kind: Kind, id: &str) -> Result<Answer, Problem> {
    let place = seen(
        world,
        kind,
        id,
        Problem::malformed(),
        Problem::not_found("Entity not found"),
    )?;
    let selection = Selection::all(kind, View::Plain, &world.settings);
    let mut body = Vec::new();
    render::card(&mut body, world, kind, world.card(kind, place), &selection, View::Plain);
    Ok(Reply::typed(200, "application/json", body).into())
}

/// A drop-down list: entries that are not archived, unless the switch shows archived departments and budget holders.
fn entries(world: &World, call: &Call, kind: Kind) -> Result<Answer, Problem> {
    if matches!(kind, Kind::Search(_)) {
        need(world, Right::ReadPersons, "No permission to see <searchlist>")?;
    }
    let archived_too = world.settings.archived_entries_shown && matches!(kind, Kind::Department | Kind::BudgetHolder);
    let wanted = |name: &str| -> Vec<String> {
        let pairs = url::form_urlencoded::parse(call.query.as_bytes());
        pairs
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    let (ids, types) = (wanted("external_link_id"), wanted("external_link_type"));
    let links = kind
        .schema()
        .find(None, "externalLinks")
        .expect("every list entry has external links");
    let selection = Selection::all(kind, View::Plain, &world.settings);
    let linked = |card: &super::super::card::Card| {
        if ids.is_empty() && types.is_empty() {
            return true;
        }
        let Some(super::super::card::Cell::Json(list)) = card.cell(links) else {
            return false;
        };
        let fits = |link: &Value, name: &str, wanted: &[String]| {
            wanted.is_empty()
                || link[name]
                    .as_str()
                    .is_some_and(|value| wanted.iter().any(|known| known == value))
        };
        list.as_array().is_some_and(|list| {
            list.iter()
                .any(|link| fits(link, "id", &ids) && fits(link, "type", &types))
        })
    };
    let cards = world.table(kind).iter().map(|(_, card)| card);
    let cards = cards.filter(|card| (archived_too || !card.archived()) && linked(card));
    let body = render::list(world, kind, cards, &selection, View::Plain);
    Ok(Reply::typed(200, "application/json", body).into())
}

fn languages(world: &World) -> Answer {
    let list: Vec<Value> = world
        .table(Kind::Language)
        .iter()
        .map(|(_, card)| {
            json!({ "id": card.id.to_string(), "name": card.text(common::NAME), "languageCode": card.text(LANGUAGE_CODE) })
        })
        .collect();
    Reply::json(200, &Value::Array(list)).into()
}

fn reasons(world: &World) -> Answer {
    let active = world
        .table(Kind::ArchivingReason)
        .iter()
        .filter(|(_, card)| !card.archived());
    let list: Vec<Value> = active
        .map(|(_, card)| json!({ "id": card.id.to_string(), "name": card.text(common::NAME) }))
        .collect();
    Reply::json(200, &Value::Array(list)).into()
}

/// The look-ups say something only about what they cannot read.
fn silent(problem: Problem) -> Outcome {
    let shape = if problem.status == 400 {
        Shape::Entity
    } else {
        Shape::Empty
    };
    Err((problem, shape))
}

fn lookup_right(world: &World, kind: Kind) -> Result<(), Problem> {
    let right = match kind {
        Kind::Person => Right::ReadPersons,
        Kind::Operator => Right::ReadOperators,
        Kind::OperatorGroup => Right::ReadOperatorGroups,
        _ => return Ok(()),
    };
    need(world, right, "No permission to access the data")
}

/// Id and name of what starts with a name, sorted by name.
fn lookup(world: &World, call: &Call, kind: Kind) -> Result<Answer, Problem> {
    lookup_right(world, kind)?;
    let top = number(call, "$top", 1000, 1, 10_000)?;
    let most = if truth(call, "$all")?.unwrap_or(false) {
        usize::MAX
    } else {
        top
    };
    let archived = truth(call, "archived")?;
    let caller = truth(call, "isCaller")?;
    let start = call.parameter("name").unwrap_or_default().to_lowercase();
    let mut found: Vec<(String, String)> = Vec::new();
    for (place, card) in world.table(kind).iter() {
        let name = world.name_of(kind, card);
        let fits = archived.is_none_or(|state| card.archived() == state)
            && (kind != Kind::Person
                || caller.is_none_or(|state| card.flag(super::super::fields::person::IS_CALLER) == state))
            && name.to_lowercase().starts_with(&start)
            && world.visible(kind, place);
        if fits {
            found.push((name.into_owned(), card.id.to_string()));
        }
    }
    found.sort_by_cached_key(|(name, _)| name.to_lowercase());
    let results: Vec<Value> = found
        .into_iter()
        .take(most)
        .map(|(name, id)| json!({ "id": id, "name": name }))
        .collect();
    Ok(Reply::json(200, &json!({ "results": results })).into())
}

fn lookup_one(world: &World, kind: Kind, id: &str) -> Result<Answer, Problem> {
    lookup_right(world, kind)?;
    let place = seen(world, kind, id, Problem::malformed(), Problem::not_found("Not found"))?;
    let card = world.card(kind, place);
    Ok(Reply::json(
        200,
        &json!({ "id": card.id.to_string(), "name": world.name_of(kind, card) }),
    )
    .into())
}
