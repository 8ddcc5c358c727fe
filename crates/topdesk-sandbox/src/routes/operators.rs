//! `/operators`, `/operatorgroups` and `/permissiongroups`.

use serde_json::{Value, json};

use super::super::call::{Call, Reply};
use super::super::card::Place;
use super::super::fields::{Kind, common};
use super::super::lifecycle::{Cascade, archive_operator, unarchive_operator};
use super::super::problem::{Problem, Shape};
use super::super::render::{self, Selection, View};
use super::super::rights::Right;
use super::super::rules;
use super::super::world::{World, stable_id};
use super::super::write::object;
use super::{Answer, Outcome, chosen, lookups, need, nowhere, number, seen, shaped};

/// Requests that read.
pub fn read(world: &World, call: &Call, segments: &[&str]) -> Outcome {
    if !call.accepts("application/json") {
        return Err((Problem::not_acceptable(), Shape::Empty));
    }
    let outcome = match *segments {
        ["operators"] => page(world, call, Kind::Operator, Right::ReadOperators),
        ["operatorgroups"] => page(world, call, Kind::OperatorGroup, Right::ReadOperatorGroups),
        ["permissiongroups"] => permission_groups(world),
        ["operators", "lookup", ..] | ["operatorgroups", "lookup", ..] => return lookups::read(world, call, segments),
        ["operators", "current"] => card(world, call, world.account, 200),
        ["operators", "current", "id"] => {
            let id = world.card(Kind::Operator, world.account).id;
            Ok(Reply::json(200, &json!({ "id": id.to_string() })).into())
        }
        ["operators", "current", "settings"] => {
            Ok(Reply::json(200, &json!({ "localization": { "language": "en", "timeZone": "UTC" } })).into())
        }
        ["operators", "filters", filter] => match filter_kind(filter) {
            Some(kind) => need(world, Right::ReadFilters, "No permission to see filters.")
                .map(|()| entries(world, kind, world.table(kind).iter().map(|(place, _)| place), 200)),
            None => return nowhere(call, false),
        },
        ["operators", "id", id] => {
            need(world, Right::ReadOperators, "No permission to access the entity").and_then(|()| {
                let missing = Problem::not_found("Entity not found");
                card(
                    world,
                    call,
                    seen(world, Kind::Operator, id, Problem::malformed(), missing)?,
                    200,
                )
            })
        }
        ["operators", "id", id, "filters", filter] => match filter_kind(filter) {
            Some(kind) => filters(world, id, kind),
            None => return nowhere(call, false),
        },
        ["operators", "id", id, "operatorgroups"] => groups(world, call, id, Kind::OperatorGroup),
        ["operators", "id", id, "permissiongroups"] => need(
            world,
            Right::PermissionGroups,
            "No permission to retrieve permissiongroups",
        )
        .and_then(|()| groups(world, call, id, Kind::PermissionGroup)),
        ["operatorgroups", "id", id] => group(world, id),
        ["operatorgroups", "id", id, "operators"] => members(world, id),
        _ => return nowhere(call, false),
    };
    outcome.or_else(shaped(Shape::Messages))
}

/// Requests that write.
pub fn write(world: &mut World, call: &Call, segments: &[&str]) -> Outcome {
    let now = call.at.timestamp_millis();
    let outcome = match (call.method.as_str(), &segments[1..]) {
        ("POST", []) => object(&call.body).and_then(|fields| {
            let place = rules::create_operator(world, &fields, now)?;
            written(world, call, place, 201)
        }),
        ("PATCH" | "PUT", ["id", id]) => object(&call.body).and_then(|fields| {
            need(world, Right::WriteOperators, "No permission to update operators")?;
            let place = found(world, id)?;
            rules::update_operator(world, place, &fields, now)?;
            written(world, call, place, 200)
        }),
        ("PATCH" | "PUT", ["id", id, "archive"]) => found(world, id).and_then(|place| {
            let cascade = archive_operator(world, place, &call.body, now)?;
            moved(world, call, place, cascade)
        }),
        ("PATCH" | "PUT", ["id", id, "unarchive"]) => found(world, id).and_then(|place| {
            let cascade = unarchive_operator(world, place, now)?;
            moved(world, call, place, cascade)
        }),
        ("POST" | "DELETE", ["id", id, list]) => match list_kind(list) {
            Some(kind) => change_list(world, call, id, kind),
            None => return nowhere(call, false),
        },
        ("POST" | "DELETE", ["id", id, "filters", filter]) => match filter_kind(filter) {
            Some(kind) => change_list(world, call, id, kind),
            None => return nowhere(call, false),
        },
        _ => return nowhere(call, true),
    };
    outcome.or_else(shaped(Shape::Messages))
}

fn filter_kind(name: &str) -> Option<Kind> {
    match name {
        "branch" => Some(Kind::BranchFilter),
        "operator" => Some(Kind::OperatorFilter),
        "category" => Some(Kind::CategoryFilter),
        _ => None,
    }
}

fn list_kind(name: &str) -> Option<Kind> {
    match name {
        "operatorgroups" => Some(Kind::OperatorGroup),
        "permissiongroups" => Some(Kind::PermissionGroup),
        _ => None,
    }
}

fn page(world: &World, call: &Call, kind: Kind, right: Right) -> Result<Answer, Problem> {
    need(world, right, "No permission to access the data")?;
    let start = number(call, "start", 0, 0, i32::MAX as usize)?;
    let size = number(call, "page_size", 10, 1, 100)?;
    let fields = call.parameter("fields");
    let selection = Selection::named(kind, View::Operator, fields.as_deref(), None, &world.settings)?;
    let places = chosen(world, kind, call, true, None)?;
    let rows = &places[start.min(places.len())..start.saturating_add(size).min(places.len())];
    if rows.is_empty() {
        return Ok(Reply::empty(204).into());
    }
    let cards = rows.iter().map(|place| world.card(kind, *place));
    let body = render::list(world, kind, cards, &selection, View::Operator);
    let status = if start + rows.len() < places.len() { 206 } else { 200 };
    Ok(Reply::typed(status, "application/json", body).into())
}

fn card(world: &World, call: &Call, place: Place, status: u16) -> Result<Answer, Problem> {
    let fields = call.parameter("fields");
    let selection = Selection::named(Kind::Operator, View::Operator, fields.as_deref(), None, &world.settings)?;
    let mut body = Vec::new();
    render::card(
        &mut body,
        world,
        Kind::Operator,
        world.card(Kind::Operator, place),
        &selection,
        View::Operator,
    );
    Ok(Reply::typed(status, "application/json", body).into())
}

fn written(world: &World, call: &Call, place: Place, status: u16) -> Result<Answer, Problem> {
    let written = Some(world.card(Kind::Operator, place).id);
    Ok(Answer {
        written,
        ..card(world, call, place, status)?
    })
}

fn moved(world: &World, call: &Call, place: Place, cascade: Cascade) -> Result<Answer, Problem> {
    Ok(Answer {
        cascade,
        ..written(world, call, place, 200)?
    })
}

fn found(world: &World, id: &str) -> Result<Place, Problem> {
    let unparsable = Problem::bad(format!("The operator id '{id}' cannot be parsed"));
    seen(
        world,
        Kind::Operator,
        id,
        unparsable,
        Problem::not_found("The operator could not be found"),
    )
}

/// Id and name of each; with nothing to show, 204 where the route says so.
fn entries(world: &World, kind: Kind, places: impl Iterator<Item = Place>, when_empty: u16) -> Answer {
    let list: Vec<Value> = places
        .map(|place| {
            let card = world.card(kind, place);
            let mut entry = json!({ "id": card.id.to_string(), "name": world.name_of(kind, card) });
            if matches!(kind, Kind::BranchFilter | Kind::OperatorFilter | Kind::CategoryFilter) {
                entry["applicable"] = json!("specific");
            }
            entry
        })
        .collect();
    if list.is_empty() && when_empty == 204 {
        return Reply::empty(204).into();
    }
    Reply::json(200, &Value::Array(list)).into()
}

fn permission_groups(world: &World) -> Result<Answer, Problem> {
    need(world, Right::PermissionGroups, "No permission to see <searchlist>")?;
    let places = world.table(Kind::PermissionGroup).iter().map(|(place, _)| place);
    Ok(entries(world, Kind::PermissionGroup, places, 200))
}

/// The filters of an operator; the account's own come from the settings as well.
fn filters(world: &World, id: &str, kind: Kind) -> Result<Answer, Problem> {
    need(world, Right::ReadFilters, "No permission to see filters.")?;
    need(
        world,
        Right::ReadOperators,
        "No permission to see the requested operator.",
    )?;
    let unparsable = Problem::unparsable("id");
    let missing = Problem::not_found("The operator could not be found");
    let place = seen(world, Kind::Operator, id, unparsable, missing)?;
    let mut answer = entries(world, kind, world.list_of(place, kind).iter().copied(), 200);
    let own = match kind {
        Kind::BranchFilter => &world.settings.branch_filter,
        Kind::OperatorFilter => &world.settings.operator_filter,
        _ => &world.settings.category_filter,
    };
    let mut list: Vec<Value> = serde_json::from_slice(&answer.reply.body).expect("a list of entries is JSON");
    if place == world.account && !own.is_empty() {
        let id = stable_id(&["account filter", kind.array()]);
        list.push(json!({ "id": id.to_string(), "name": own.join(", "), "applicable": "specific" }));
    }
    answer.reply = if list.is_empty() {
        Reply::empty(204)
    } else {
        Reply::json(200, &Value::Array(list))
    };
    Ok(answer)
}

fn groups(world: &World, call: &Call, id: &str, kind: Kind) -> Result<Answer, Problem> {
    need(
        world,
        Right::ReadOperators,
        "No permission to see the requested operator.",
    )?;
    let place = found(world, id)?;
    let archived = match call.parameter("query").as_deref() {
        None | Some("") => None,
        Some("archived==true") => Some(true),
        Some("archived==false") => Some(false),
        Some(_) => return Err(Problem::malformed()),
    };
    let list = world.list_of(place, kind).iter().copied();
    let wanted = list.filter(|place| archived.is_none_or(|state| world.card(kind, *place).archived() == state));
    Ok(entries(world, kind, wanted, 204))
}

fn group(world: &World, id: &str) -> Result<Answer, Problem> {
    need(world, Right::ReadOperatorGroups, "No permission to access the entity")?;
    let missing = Problem::not_found("Entity not found");
    let place = seen(world, Kind::OperatorGroup, id, Problem::malformed(), missing)?;
    let selection = Selection::all(Kind::OperatorGroup, View::Operator, &world.settings);
    let mut body = Vec::new();
    let card = world.card(Kind::OperatorGroup, place);
    render::card(&mut body, world, Kind::OperatorGroup, card, &selection, View::Operator);
    Ok(Reply::typed(200, "application/json", body).into())
}

fn members(world: &World, id: &str) -> Result<Answer, Problem> {
    need(
        world,
        Right::ReadOperatorGroups,
        "No permission to perform the operation on operator group.",
    )?;
    let unparsable = Problem::bad(format!("The operatorgroup id '{id}' cannot be parsed"));
    let missing = Problem::not_found("The operator group could not be found.");
    let group = seen(world, Kind::OperatorGroup, id, unparsable, missing)?;
    let operators = world.table(Kind::Operator).iter().map(|(place, _)| place);
    let in_group = operators.filter(|place| {
        world.list_of(*place, Kind::OperatorGroup).contains(&group)
            && !world.card(Kind::Operator, *place).flag(common::ARCHIVED)
            && world.visible(Kind::Operator, *place)
    });
    Ok(entries(world, Kind::Operator, in_group, 204))
}

/// Links an operator to groups or filters, or takes it out of them: a list of ids, unknown ones are ignored.
fn change_list(world: &mut World, call: &Call, id: &str, kind: Kind) -> Result<Answer, Problem> {
    let (right, refusal) = match kind {
        Kind::OperatorGroup => (
            Right::WritePermissionGroups,
            "No permission to perform the operation on operatorgrouplink.",
        ),
        Kind::PermissionGroup => (
            Right::WritePermissionGroups,
            "No permission to link permission groups to operators.",
        ),
        _filter => (
            Right::WriteOperators,
            "No permission to perform the operation on operator.",
        ),
    };
    need(world, right, refusal)?;
    let place = found(world, id)?;
    let ids: Vec<Value> = serde_json::from_slice(&call.body).map_err(|_| Problem::unparsable("id"))?;
    for entry in ids {
        let id = entry
            .get("id")
            .and_then(Value::as_str)
            .and_then(|id| uuid::Uuid::parse_str(id).ok());
        let id = id.ok_or_else(|| Problem::unparsable("id"))?;
        if let Some(target) = world.table(kind).place(&id) {
            if call.method == "POST" {
                world.link_to(place, kind, target);
            } else {
                world.unlink_from(place, kind, target);
            }
        }
    }
    let written = Some(world.card(Kind::Operator, place).id);
    Ok(Answer {
        written,
        ..Reply::empty(204).into()
    })
}
