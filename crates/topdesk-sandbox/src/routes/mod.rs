//! The API as functions: a request and the world in, an answer out. Nothing here knows HTTP's wire form.
//!
//! A path belongs to persons, operators or look-ups; each has its own file. Rights come before everything else, then
//! media types, then parameters, as the real product refuses.

pub mod control;
pub mod lookups;
pub mod operators;
pub mod persons;

use std::sync::Arc;

use uuid::Uuid;

use super::call::{Call, Reply};
use super::card::Place;
use super::fields::{Kind, common};
use super::filter::Filter;
use super::lifecycle::Cascade;
use super::problem::{Problem, Shape};
use super::query;
use super::rights::Right;
use super::sort::Sort;
use super::world::World;

/// What a request did beside its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer itself.
    pub reply: Reply,
    /// The card or entry that was written.
    pub written: Option<Uuid>,
    /// What happened to linked cards.
    pub cascade: Cascade,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Answer {
            reply,
            written: None,
            cascade: Cascade::default(),
        }
    }
}

/// A refusal together with the shape its route uses.
type Refusal = (Problem, Shape);

type Outcome = Result<Answer, Refusal>;

/// Gives a route's error shape to its refusals.
fn shaped<T>(shape: Shape) -> impl Fn(Problem) -> Result<T, Refusal> {
    move |problem| Err((problem, shape))
}

/// The route of a path with placeholders, as it is counted and as faults name it: `/persons/id/{id}/archive`.
pub fn pattern(segments: &[&str]) -> String {
    let mut route = String::new();
    for (at, segment) in segments.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| segments[before]);
        let placeholder = match (at, before) {
            (_, Some("id" | "lookup")) if *segment != "archive" => Some("{id}"),
            (1, Some("persons")) if !matches!(*segment, "count" | "id" | "lookup" | "free_fields" | "current") => {
                Some("{id}")
            }
            (2, Some("free_fields")) => Some("{tab}"),
            (4, Some("searchlists")) => Some("{searchlist}"),
            _ => None,
        };
        route.push('/');
        route.push_str(placeholder.unwrap_or(segment));
    }
    route
}

/// Answers a request that only reads.
pub fn read(world: &World, call: &Call) -> Answer {
    let segments = call.segments();
    let outcome = guard(world, &segments).and_then(|()| match segments[..] {
        ["persons", ..] => persons::read(world, call, &segments),
        ["operators" | "operatorgroups" | "permissiongroups", ..] => operators::read(world, call, &segments),
        _ => lookups::read(world, call, &segments),
    });
    settle(outcome)
}

/// Answers a request that may write.
pub fn write(world: &mut World, call: &Call) -> Answer {
    let segments = call.segments();
    let outcome = guard(world, &segments).and_then(|()| match segments[..] {
        ["persons", "free_fields", ..] => lookups::write(world, call, &segments),
        ["persons", ..] => persons::write(world, call, &segments),
        ["operators", ..] => operators::write(world, call, &segments),
        _ => lookups::write(world, call, &segments),
    });
    settle(outcome)
}

fn settle(outcome: Outcome) -> Answer {
    outcome.unwrap_or_else(|(problem, shape)| problem.reply(shape).into())
}

/// The shape of a 401, which differs from route to route.
pub fn unauthorized_shape(call: &Call) -> Shape {
    match call.segments()[..] {
        ["persons", "count"] => Shape::Message,
        ["locations"] if call.method == "GET" => Shape::Entity,
        ["persons" | "operators" | "operatorgroups", "lookup", ..] | ["archiving-reasons"] => Shape::Empty,
        ["persons", _] if call.method == "GET" => Shape::Descriptions,
        ["branches" | "budgetholders", ..] | ["locations", _, ..] => Shape::Entities,
        _ => Shape::Messages,
    }
}

fn guard(world: &World, segments: &[&str]) -> Result<(), Refusal> {
    let open = matches!(segments, ["version" | "productVersion"]);
    if !open && !world.settings.rights.has(Right::RestApi) {
        return Err((Problem::forbidden("No permission to access the data"), Shape::Messages));
    }
    Ok(())
}

/// The answer to a path that does not exist, or not with this method.
fn nowhere(call: &Call, known: bool) -> Outcome {
    let status = if known && call.method != "GET" { 405 } else { 404 };
    Ok(Reply::empty(status).into())
}

/// A right, or 403 with these words.
fn need(world: &World, right: Right, text: &str) -> Result<(), Problem> {
    if world.settings.rights.has(right) {
        Ok(())
    } else {
        Err(Problem::forbidden(text))
    }
}

/// A number in the query within its limits.
fn number(call: &Call, name: &str, default: usize, least: usize, most: usize) -> Result<usize, Problem> {
    let Some(text) = call.parameter(name) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(Problem::malformed)
}

/// A yes or no in the query.
fn truth(call: &Call, name: &str) -> Result<Option<bool>, Problem> {
    match call.parameter(name).as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Problem::malformed()),
    }
}

/// The cards that a list shows, in its order: those the account sees, that fit the query, sorted.
///
/// `without_query` says what a list without a query shows: everything, or only what is active.
fn chosen(
    world: &World,
    kind: Kind,
    call: &Call,
    active_without_query: bool,
    sort: Option<&str>,
) -> Result<Arc<Vec<Place>>, Problem> {
    let query = call.parameter("query").filter(|query| !query.trim().is_empty());
    let text = query.as_deref().unwrap_or_default();
    let key = format!("{}\0{text}\0{}", kind.array(), sort.unwrap_or_default());
    world.order(&key, || {
        let settings = &world.settings;
        let filter = match &query {
            None => None,
            Some(text) => {
                let query = query::parse(text)
                    .map_err(|error| Problem::bad(format!("Error parsing one of the query parameters. {error}")))?;
                if kind == Kind::Operator && settings.operator_states_apart && query.asks_twice("archived") {
                    return Err(Problem::bad(
                        "Error parsing one of the query parameters. archived: one value only",
                    ));
                }
                Some(Filter::prepare(kind, &query, settings)?)
            }
        };
        let sort = sort.map(|sort| Sort::parse(kind, sort, settings)).transpose()?;
        let active_only = active_without_query && filter.is_none();
        let mut places = Vec::new();
        for (place, card) in world.table(kind).iter() {
            let fits = match &filter {
                Some(filter) => filter.fits(world, kind, place, card),
                None => !(active_only && card.flag(common::ARCHIVED)),
            };
            if fits && world.visible(kind, place) {
                places.push(place);
            }
        }
        if let Some(sort) = sort {
            sort.apply(world, kind, &mut places);
        }
        Ok(places)
    })
}

/// The card of a path's id, if the account sees it.
fn seen(world: &World, kind: Kind, id: &str, unparsable: Problem, missing: Problem) -> Result<Place, Problem> {
    let id = Uuid::parse_str(id).map_err(|_| unparsable)?;
    let place = world.table(kind).place(&id).filter(|place| world.visible(kind, *place));
    place.ok_or(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_counted_without_their_ids() {
        for (path, expected) in [
            ("persons", "/persons"),
            ("persons/count", "/persons/count"),
            ("persons/3f2504e0", "/persons/{id}"),
            ("persons/id/3f2504e0/archive", "/persons/id/{id}/archive"),
            (
                "persons/free_fields/1/searchlists/5",
                "/persons/free_fields/{tab}/searchlists/{searchlist}",
            ),
            ("operators/id/x/filters/branch", "/operators/id/{id}/filters/branch"),
            ("operators/current/id", "/operators/current/id"),
            ("branches/lookup/7", "/branches/lookup/{id}"),
            ("persons/lookup", "/persons/lookup"),
        ] {
            assert_eq!(pattern(&path.split('/').collect::<Vec<_>>()), expected);
        }
    }
}
