//! Archiving and unarchiving, with what it does to the card on the other side of the link.
//!
//! The cascade is the reason this sandbox exists: from product 16.06.007 archiving a person archives the linked operator.
//! Nothing is changed unless everything is allowed.

use uuid::Uuid;

use super::card::{Cell, Place};
use super::fields::{Kind, common, operator};
use super::problem::Problem;
use super::rights::Right;
use super::rules::stamp;
use super::world::World;

/// What an archive or unarchive did beside its own card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cascade {
    /// Operators that were archived because of their person.
    pub operators_archived: Vec<Uuid>,
    /// Operators that were unarchived because of their person.
    pub operators_woken: Vec<Uuid>,
    /// Persons that were unarchived because of their operator.
    pub persons_woken: Vec<Uuid>,
}

/// How an archive or unarchive was asked for: the rights of the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// PATCH.
    Patch,
    /// PUT.
    Put,
}

/// The reason of an archive request: a body with `id`, or nothing where no reason is needed.
///
/// # Errors
/// 400 in the real product's words.
pub fn reason(world: &World, body: &[u8]) -> Result<Option<Place>, Problem> {
    let text = if body.iter().all(u8::is_ascii_whitespace) {
        b"{}"
    } else {
        body
    };
    let unparsable = || Problem::bad("The field 'id' cannot be parsed");
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|_| unparsable())?;
    let fields = value.as_object().ok_or_else(unparsable)?;
    match fields.get("id") {
        None | Some(serde_json::Value::Null) => {
            if world.settings.reason_mandatory {
                return Err(Problem::bad("Reason for archiving is mandatory"));
            }
            Ok(None)
        }
        Some(id) => {
            let id = id
                .as_str()
                .and_then(|id| Uuid::parse_str(id).ok())
                .ok_or_else(unparsable)?;
            let place = world.table(Kind::ArchivingReason).place(&id);
            let missing = || {
                if world.settings.reason_not_available {
                    Problem::errors("Archiving reason not available")
                } else {
                    Problem::bad("The value for the field \"archiving-reason\" cannot be found")
                }
            };
            place.map(Some).ok_or_else(missing)
        }
    }
}

/// Archives a person, and with it the linked operator where the product does so.
///
/// # Errors
/// 400 and 403 in the real product's words; then nothing was changed.
pub fn archive_person(world: &mut World, at: Place, body: &[u8], now: i64) -> Result<Cascade, Problem> {
    if !world.settings.rights.has(Right::ArchivePersons) {
        return Err(Problem::forbidden("No permission to archive persons."));
    }
    let reason = reason(world, body)?;
    if world.card(Kind::Person, at).archived() {
        return Err(Problem::bad("Person is already archived"));
    }
    let linked = linked_operators(world, at, false);
    if !linked.is_empty() && !world.settings.rights.has(Right::ArchiveOperators) {
        return Err(Problem::forbidden("No permission to archive operators."));
    }
    for place in &linked {
        refuse_protected(world, *place, world.settings.admins_by_person)?;
    }
    set_archived(world, Kind::Person, at, true, reason, now);
    let mut cascade = Cascade::default();
    for place in linked {
        set_archived(world, Kind::Operator, place, true, reason, now);
        cascade.operators_archived.push(world.card(Kind::Operator, place).id);
    }
    Ok(cascade)
}

/// Unarchives a person, and with it the linked operator where the switch says so.
///
/// The description gives PATCH both rights and PUT the right on persons only: with PUT and without the right on
/// operators, the operator stays archived.
///
/// # Errors
/// 400 and 403 in the real product's words; then nothing was changed.
pub fn unarchive_person(world: &mut World, at: Place, method: Method, now: i64) -> Result<Cascade, Problem> {
    let rights = &world.settings.rights;
    let operators = rights.has(Right::ArchiveOperators);
    if !rights.has(Right::ArchivePersons) || (method == Method::Patch && !operators) {
        return Err(Problem::forbidden("No permission to unarchive person."));
    }
    if !world.card(Kind::Person, at).archived() {
        return Err(Problem::bad("Person is already unarchived"));
    }
    set_archived(world, Kind::Person, at, false, None, now);
    let mut cascade = Cascade::default();
    if operators && world.settings.unarchive_restores_operator {
        for place in linked_operators(world, at, true) {
            set_archived(world, Kind::Operator, place, false, None, now);
            cascade.operators_woken.push(world.card(Kind::Operator, place).id);
        }
    }
    Ok(cascade)
}

/// Archives an operator; its person stays as it is.
///
/// # Errors
/// 400 and 403 in the real product's words.
pub fn archive_operator(world: &mut World, at: Place, body: &[u8], now: i64) -> Result<Cascade, Problem> {
    if !world.settings.rights.has(Right::ArchiveOperators) {
        return Err(Problem::forbidden("No permission to archive operators."));
    }
    let reason = reason(world, body)?;
    if world.card(Kind::Operator, at).archived() {
        return Err(Problem::bad("Operator is already archived"));
    }
    refuse_protected(world, at, false)?;
    set_archived(world, Kind::Operator, at, true, reason, now);
    Ok(Cascade::default())
}

/// Unarchives an operator and its person.
///
/// # Errors
/// 400 and 403 in the real product's words; then nothing was changed.
pub fn unarchive_operator(world: &mut World, at: Place, now: i64) -> Result<Cascade, Problem> {
    if !world.settings.rights.has(Right::ArchiveOperators) {
        return Err(Problem::forbidden("No permission to archive operators."));
    }
    let card = world.card(Kind::Operator, at);
    if !card.archived() {
        return Err(Problem::bad("Operator is already unarchived"));
    }
    let person = card.link(operator::LINKED_PERSON).filter(|place| {
        world.settings.person_leads()
            && world
                .table(Kind::Person)
                .get(*place)
                .is_some_and(super::card::Card::archived)
    });
    if person.is_some() && !world.settings.rights.has(Right::ArchivePersons) {
        return Err(Problem::forbidden("No permission to archive persons."));
    }
    set_archived(world, Kind::Operator, at, false, None, now);
    let mut cascade = Cascade::default();
    if let Some(place) = person {
        set_archived(world, Kind::Person, place, false, None, now);
        cascade.persons_woken.push(world.card(Kind::Person, place).id);
    }
    Ok(cascade)
}

/// The operators that follow a person into or out of the archive.
fn linked_operators(world: &World, person: Place, archived: bool) -> Vec<Place> {
    if !world.settings.person_leads() {
        return Vec::new();
    }
    let places = world.operators_of(person).iter().copied();
    places
        .filter(|place| world.card(Kind::Operator, *place).archived() == archived)
        .collect()
}

fn refuse_protected(world: &World, at: Place, admins_allowed: bool) -> Result<(), Problem> {
    if at == world.account {
        return Err(Problem::bad("Can not archive yourself"));
    }
    if world.card(Kind::Operator, at).flag(operator::ADMINISTRATOR) && !admins_allowed {
        return Err(Problem::bad("Can not archive admins"));
    }
    Ok(())
}

fn set_archived(world: &mut World, kind: Kind, at: Place, archived: bool, reason: Option<Place>, now: i64) {
    let mut card = world.card(kind, at).clone();
    card.set_flag(common::ARCHIVED, archived);
    card.set(common::REASON, reason.map(Cell::Link));
    stamp(world, &mut card, now, false);
    world.replace(kind, at, card);
}
