//! `/persons`: version 2 for reading and writing, version 1 for archiving, and the old version 1 list that still answers
//! when the `Accept` header does not ask for version 2.

use super::super::call::{Call, Reply};
use super::super::card::Place;
use super::super::fields::Kind;
use super::super::lifecycle::{Cascade, Method, archive_person, unarchive_person};
use super::super::problem::{Problem, Shape};
use super::super::render::{self, Selection, View};
use super::super::rights::Right;
use super::super::rules;
use super::super::settings::NextLink;
use super::super::world::World;
use super::super::write::object;
use super::{Answer, Outcome, chosen, lookups, need, nowhere, number, seen, shaped};

/// Media type of one person.
pub const ONE: &str = "application/x.topdesk-person-v2+json";
/// Media type of a page of persons.
pub const MANY: &str = "application/x.topdesk-collection-person-v2+json";

/// Requests that read.
pub fn read(world: &World, call: &Call, segments: &[&str]) -> Outcome {
    match segments[1..] {
        [] if world.settings.persons_v2 && call.accepts(MANY) => page(world, call).or_else(shaped(Shape::Messages)),
        [] if call.accepts("application/json") => page_of_version_1(world, call).or_else(shaped(Shape::Messages)),
        ["count"] => count(world, call).or_else(shaped(Shape::Message)),
        ["lookup", ..] | ["free_fields", ..] => lookups::read(world, call, segments),
        ["id", id] if call.accepts("application/json") => one_of_version_1(world, id).or_else(shaped(Shape::Messages)),
        ["current" | "id", ..] => nowhere(call, false),
        [id] if world.settings.persons_v2 && call.accepts(ONE) => {
            one(world, call, id).or_else(shaped(Shape::Descriptions))
        }
        [] | [_] => Err((Problem::not_acceptable(), Shape::Empty)),
        _ => nowhere(call, false),
    }
}

/// Requests that write.
pub fn write(world: &mut World, call: &Call, segments: &[&str]) -> Outcome {
    let v2 = world.settings.persons_v2 && call.accepts(ONE);
    let method = if call.method == "PUT" {
        Method::Put
    } else {
        Method::Patch
    };
    let outcome = match (call.method.as_str(), &segments[1..]) {
        ("POST", []) if v2 => create(world, call),
        ("PATCH", [id]) if v2 && !matches!(*id, "count" | "lookup" | "current" | "id") => update(world, call, id),
        ("POST", []) | ("PATCH", [_]) => Err(Problem::not_acceptable()),
        ("PATCH" | "PUT", ["id", id, "archive"]) => archive(world, call, id),
        ("PATCH" | "PUT", ["id", id, "unarchive"]) => unarchive(world, call, id, method),
        _ => return nowhere(call, true),
    };
    outcome.or_else(shaped(Shape::Messages))
}

fn page(world: &World, call: &Call) -> Result<Answer, Problem> {
    need(world, Right::ReadPersons, "No permission to access the data")?;
    let start = number(call, "pageStart", 0, 0, i32::MAX as usize)?;
    let size = number(call, "pageSize", 50, 1, 5000)?;
    let fields = call.parameter("fields");
    let limited = Some(Selection::limited());
    let selection = Selection::named(Kind::Person, View::Person2, fields.as_deref(), limited, &world.settings)?;
    let sort = call
        .parameter("sort")
        .filter(|sort| !sort.is_empty())
        .unwrap_or_else(|| "dynamicName:asc".to_owned());
    let places = chosen(world, Kind::Person, call, false, Some(&sort))?;
    let rows = &places[start.min(places.len())..start.saturating_add(size).min(places.len())];
    let more = start + rows.len() < places.len();
    let mut body = b"{\"item\":".to_vec();
    let cards = rows.iter().map(|place| world.card(Kind::Person, *place));
    body.extend(render::list(world, Kind::Person, cards, &selection, View::Person2));
    body.extend_from_slice(format!(",\"size\":{}", rows.len()).as_bytes());
    if more && world.settings.next_link != NextLink::Missing {
        body.extend_from_slice(b",\"next\":");
        render::text(&mut body, &next(world, call, start + size, size));
    } else if world.settings.unset_as_null {
        body.extend_from_slice(b",\"next\":null");
    }
    body.push(b'}');
    Ok(Reply::typed(if more { 206 } else { 200 }, MANY, body).into())
}

/// The link to the next page: this request with another start.
fn next(world: &World, call: &Call, start: usize, size: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("pageStart", &start.to_string())
        .append_pair("pageSize", &size.to_string());
    for (name, value) in url::form_urlencoded::parse(call.query.as_bytes()) {
        if name != "pageStart" && name != "pageSize" {
            query.append_pair(&name, &value);
        }
    }
    let host = match (world.settings.next_link, &call.host) {
        (NextLink::Absolute, Some(host)) => format!("http://{host}"),
        _ => String::new(),
    };
    format!("{host}/tas/api/persons?{}", query.finish())
}

/// Version 1: a plain array, pages of at most 100, archived persons only by query.
fn page_of_version_1(world: &World, call: &Call) -> Result<Answer, Problem> {
    need(world, Right::ReadPersons, "No permission to access the data")?;
    let start = number(call, "start", 0, 0, i32::MAX as usize)?;
    let size = number(call, "page_size", 10, 1, 100)?;
    let places = chosen(world, Kind::Person, call, true, Some("dynamicName:asc"))?;
    let rows = &places[start.min(places.len())..(start + size).min(places.len())];
    if rows.is_empty() {
        return Ok(Reply::empty(204).into());
    }
    let selection = Selection::all(Kind::Person, View::Person1, &world.settings);
    let cards = rows.iter().map(|place| world.card(Kind::Person, *place));
    let body = render::list(world, Kind::Person, cards, &selection, View::Person1);
    let status = if start + rows.len() < places.len() { 206 } else { 200 };
    Ok(Reply::typed(status, "application/json", body).into())
}

fn count(world: &World, call: &Call) -> Result<Answer, Problem> {
    need(world, Right::ReadPersons, "No permission to access the data")?;
    let places = chosen(world, Kind::Person, call, false, None)?;
    Ok(Reply::json(200, &serde_json::json!({ "numberOfPersons": places.len() })).into())
}

fn one(world: &World, call: &Call, id: &str) -> Result<Answer, Problem> {
    need(world, Right::ReadPersons, "No permission to access the entity")?;
    let fields = call.parameter("fields");
    let selection = Selection::named(Kind::Person, View::Person2, fields.as_deref(), None, &world.settings)?;
    let place = seen(
        world,
        Kind::Person,
        id,
        Problem::malformed(),
        Problem::not_found("Entity not found"),
    )?;
    Ok(card(world, place, &selection, 200))
}

fn one_of_version_1(world: &World, id: &str) -> Result<Answer, Problem> {
    need(world, Right::ReadPersons, "No permission to access the entity")?;
    let place = seen(
        world,
        Kind::Person,
        id,
        Problem::malformed(),
        Problem::not_found("Entity not found"),
    )?;
    Ok(version_1(world, place))
}

fn card(world: &World, place: Place, selection: &Selection, status: u16) -> Answer {
    let mut body = Vec::new();
    render::card(
        &mut body,
        world,
        Kind::Person,
        world.card(Kind::Person, place),
        selection,
        View::Person2,
    );
    Reply::typed(status, ONE, body).into()
}

fn version_1(world: &World, place: Place) -> Answer {
    let selection = Selection::all(Kind::Person, View::Person1, &world.settings);
    let mut body = Vec::new();
    render::card(
        &mut body,
        world,
        Kind::Person,
        world.card(Kind::Person, place),
        &selection,
        View::Person1,
    );
    Reply::typed(200, "application/json", body).into()
}

fn create(world: &mut World, call: &Call) -> Result<Answer, Problem> {
    need(world, Right::CreatePersons, "No permission to create persons")?;
    let fields = object(&call.body)?;
    let place = rules::create_person(world, &fields, call.at.timestamp_millis())?;
    Ok(written(world, place, 201))
}

fn update(world: &mut World, call: &Call, id: &str) -> Result<Answer, Problem> {
    need(world, Right::WritePersons, "No permission to update persons.")?;
    let missing = Problem::not_found("The person could not be found.");
    let place = seen(world, Kind::Person, id, Problem::malformed(), missing)?;
    let fields = object(&call.body)?;
    rules::update_person(world, place, &fields, call.at.timestamp_millis())?;
    Ok(written(world, place, 200))
}

fn written(world: &World, place: Place, status: u16) -> Answer {
    let selection = Selection::all(Kind::Person, View::Person2, &world.settings);
    let mut answer = card(world, place, &selection, status);
    answer.written = Some(world.card(Kind::Person, place).id);
    answer
}

fn found(world: &World, id: &str) -> Result<Place, Problem> {
    let unparsable = Problem::bad(format!("The person id '{id}' cannot be parsed"));
    seen(
        world,
        Kind::Person,
        id,
        unparsable,
        Problem::not_found("The person could not be found."),
    )
}

fn archive(world: &mut World, call: &Call, id: &str) -> Result<Answer, Problem> {
    let place = found(world, id)?;
    let cascade = archive_person(world, place, &call.body, call.at.timestamp_millis())?;
    Ok(moved(world, place, cascade))
}

fn unarchive(world: &mut World, call: &Call, id: &str, method: Method) -> Result<Answer, Problem> {
    let place = found(world, id)?;
    let cascade = unarchive_person(world, place, method, call.at.timestamp_millis())?;
    Ok(moved(world, place, cascade))
}

fn moved(world: &World, place: Place, cascade: Cascade) -> Answer {
    let written = Some(world.card(Kind::Person, place).id);
    Answer {
        written,
        cascade,
        ..version_1(world, place)
    }
}
