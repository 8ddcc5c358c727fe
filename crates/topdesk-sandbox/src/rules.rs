//! The rules of the API about whole cards: creating and changing persons, operators and list entries.
//!
//! Pure: the time is an argument. Every refusal is one that the API description states or that working clients have
//! seen; what is not known for sure hangs on a switch in `settings`.

use serde_json::{Map, Value};

use super::card::{Card, Cell, Place};
use super::fields::{FieldNo, Kind, common, operator, person, place};
use super::problem::{Problem, Shape};
use super::rights::Right;
use super::world::World;
use super::write::{Change, changes};

/// Creates a person.
///
/// # Errors
/// 400 and 403 in the real product's words.
pub fn create_person(world: &mut World, fields: &Map<String, Value>, now: i64) -> Result<Place, Problem> {
    if !world.settings.rights.has(Right::CreatePersons) {
        return Err(Problem::forbidden("No permission to create persons"));
    }
    let changes = changes(world, Kind::Person, fields)?;
    let mut card = Card::new(world.mint(Kind::Person));
    card.set_flag(person::IS_CALLER, true);
    card.set_flag(person::HAS_SSP_ACCESS, true);
    let touched = apply(&mut card, changes);
    check_person(world, None, &card, &touched)?;
    if world.settings.password_mandatory && !card.text(common::LOGIN).is_empty() {
        return Err(Problem::bad(
            "No password was provided, but passwords are set to be mandatory for persons.",
        ));
    }
    stamp(world, &mut card, now, true);
    card.shrink();
    Ok(world.add(Kind::Person, card).expect("a minted id is free"))
}

/// Changes a person.
///
/// # Errors
/// 400, 403 and 404 in the real product's words.
pub fn update_person(world: &mut World, at: Place, fields: &Map<String, Value>, now: i64) -> Result<(), Problem> {
    if !world.settings.rights.has(Right::WritePersons) {
        return Err(Problem::forbidden("No permission to update persons."));
    }
    let changes = changes(world, Kind::Person, fields)?;
    let mut card = world.card(Kind::Person, at).clone();
    if card.archived() && !world.settings.patch_archived {
        return Err(Problem::bad("The person is archived and cannot be modified."));
    }
    let touched = apply(&mut card, changes);
    if world.settings.branch_change_clears_location
        && touched.contains(&common::BRANCH)
        && !touched.contains(&common::LOCATION)
        && !location_fits(world, &card)
    {
        card.set(common::LOCATION, None);
    }
    check_person(world, Some(at), &card, &touched)?;
    stamp(world, &mut card, now, false);
    world.replace(Kind::Person, at, card);
    Ok(())
}

fn apply(card: &mut Card, changes: Vec<Change>) -> Vec<FieldNo> {
    let touched = changes.iter().map(Change::field).collect();
    for change in changes {
        change.apply(card);
    }
    touched
}

fn check_person(world: &World, at: Option<Place>, card: &Card, touched: &[FieldNo]) -> Result<(), Problem> {
    let settings = &world.settings;
    let creating = at.is_none();
    let concerns = |number: FieldNo| creating || touched.contains(&number);
    if concerns(common::NAME) && card.text(common::NAME).trim().is_empty() {
        return Err(Problem::mandatory("surName"));
    }
    if concerns(common::BRANCH) && settings.branch_mandatory && card.link(common::BRANCH).is_none() {
        return Err(Problem::mandatory("branch"));
    }
    if touched.contains(&common::LOGIN) {
        if !settings.rights.has(Right::LoginData) {
            return Err(Problem::forbidden("No permission to update login data."));
        }
        let login = card.text(common::LOGIN);
        if !login.is_empty() && world.login_taken(Kind::Person, login, at) {
            return Err(Problem::bad(
                "The given login name of this person already exists but it must be unique.",
            ));
        }
    }
    if (touched.contains(&common::BRANCH) || touched.contains(&common::LOCATION)) && !location_fits(world, card) {
        return Err(Problem::bad("The given location doesn't belong to the given branch."));
    }
    if touched.contains(&person::MANAGER) && settings.manager_flag_needed {
        let manager = card
            .link(person::MANAGER)
            .and_then(|place| world.table(Kind::Person).get(place));
        if manager.is_some_and(|manager| !manager.flag(person::IS_MANAGER)) {
            return Err(Problem::cannot_be_found("manager"));
        }
    }
    let authorizes = [
        person::AUTHORIZE_ALL,
        person::AUTHORIZE_DEPARTMENT,
        person::AUTHORIZE_BUDGET_HOLDER,
        person::AUTHORIZE_BRANCH,
        person::AUTHORIZE_SUBSIDIARY_BRANCHES,
    ];
    let set_now = |number: &FieldNo| touched.contains(number) && card.flag(*number);
    if authorizes.iter().any(set_now) && !card.flag(person::IS_MANAGER) {
        return Err(Problem::bad(
            "Authorization checkboxes may only be set if the person is a manager.",
        ));
    }
    if card.flag(person::SHOW_SUBSIDIARIES) && !card.flag(person::SHOW_BRANCH) && touched_any(touched, SHOWS) {
        return Err(Problem::bad(
            "The field 'showSubsidiaries' can not be true when 'showBranch' is false.",
        ));
    }
    if card.flag(person::AUTHORIZE_SUBSIDIARY_BRANCHES)
        && !card.flag(person::AUTHORIZE_BRANCH)
        && touched_any(touched, AUTHORIZES_BRANCHES)
    {
        let text = "The field 'authorizeSubsidiaryBranches' can no be true when 'authorizeBranch' is false.";
        return Err(Problem::bad(text));
    }
    Ok(())
}

const SHOWS: &[FieldNo] = &[person::SHOW_SUBSIDIARIES, person::SHOW_BRANCH];
const AUTHORIZES_BRANCHES: &[FieldNo] = &[person::AUTHORIZE_SUBSIDIARY_BRANCHES, person::AUTHORIZE_BRANCH];

fn touched_any(touched: &[FieldNo], numbers: &[FieldNo]) -> bool {
    numbers.iter().any(|number| touched.contains(number))
}

fn location_fits(world: &World, card: &Card) -> bool {
    let Some(location) = card.link(common::LOCATION) else {
        return true;
    };
    let branch = world
        .table(Kind::Location)
        .get(location)
        .and_then(|location| location.link(common::BRANCH));
    branch.is_some() && branch == card.link(common::BRANCH)
}

/// Writes who changed the card and when.
pub fn stamp(world: &mut World, card: &mut Card, now: i64, created: bool) {
    let actor = world.account_actor();
    if created {
        card.set(common::CREATOR, Some(Cell::Link(actor)));
        card.set(common::CREATION_DATE, Some(Cell::Date(now)));
    }
    card.set(common::MODIFIER, Some(Cell::Link(actor)));
    card.set(common::MODIFICATION_DATE, Some(Cell::Date(now)));
}

/// Creates an operator.
///
/// # Errors
/// 400 and 403 in the real product's words.
pub fn create_operator(world: &mut World, fields: &Map<String, Value>, now: i64) -> Result<Place, Problem> {
    if !world.settings.rights.has(Right::CreateOperators) {
        return Err(Problem::forbidden("No permission to create operators"));
    }
    let mut fields = fields.clone();
    let password = fields.remove("password");
    let changes = changes(world, Kind::Operator, &fields)?;
    let mut card = Card::new(world.mint(Kind::Operator));
    let touched = apply(&mut card, changes);
    if card.link(operator::LINKED_PERSON).is_none() {
        return Err(Problem::mandatory("linkedPerson"));
    }
    check_operator(world, None, &card, &touched, password.is_some())?;
    stamp(world, &mut card, now, true);
    Ok(world.add(Kind::Operator, card).expect("a minted id is free"))
}

/// Changes an operator.
///
/// # Errors
/// 400 and 403 in the real product's words.
pub fn update_operator(world: &mut World, at: Place, fields: &Map<String, Value>, now: i64) -> Result<(), Problem> {
    if !world.settings.rights.has(Right::WriteOperators) {
        return Err(Problem::forbidden("No permission to update operators"));
    }
    let mut fields = fields.clone();
    let password = fields.remove("password");
    let changes = changes(world, Kind::Operator, &fields)?;
    let old = world.card(Kind::Operator, at);
    if old.archived() {
        return Err(Problem::bad("Archived operators cannot be updated"));
    }
    let mut card = old.clone();
    let touched = apply(&mut card, changes);
    if card.link(operator::LINKED_PERSON) != world.card(Kind::Operator, at).link(operator::LINKED_PERSON) {
        return Err(Problem::bad(
            "The field \"linkedPerson\" of an existing operator cannot be changed.",
        ));
    }
    if touched.contains(&common::LOGIN) && card.flag(operator::ADMINISTRATOR) {
        return Err(Problem::bad("Changing loginName for admins not supported."));
    }
    check_operator(world, Some(at), &card, &touched, password.is_some())?;
    stamp(world, &mut card, now, false);
    world.replace(Kind::Operator, at, card);
    Ok(())
}

fn check_operator(
    world: &World,
    at: Option<Place>,
    card: &Card,
    touched: &[FieldNo],
    password: bool,
) -> Result<(), Problem> {
    let creating = at.is_none();
    let concerns = |number: FieldNo| creating || touched.contains(&number);
    if concerns(common::NAME) && card.text(common::NAME).trim().is_empty() {
        return Err(Problem::mandatory("surName"));
    }
    if concerns(common::BRANCH) && card.link(common::BRANCH).is_none() {
        return Err(Problem::mandatory("branch"));
    }
    let login_fields = [
        common::LOGIN,
        operator::LOGIN_PERMISSION,
        operator::HAS_APPLICATION_PASSWORDS,
    ];
    if touched_any(touched, &login_fields) || password {
        let rights = &world.settings.rights;
        if !rights.has(Right::LoginData) || !rights.has(Right::WritePermissionGroups) {
            return Err(Problem::forbidden("No permission to update login data."));
        }
        let login = card.text(common::LOGIN);
        if card.flag(operator::LOGIN_PERMISSION) && login.is_empty() {
            let text = "The new operator has login permission, but mandatory login credentials are missing.";
            return Err(Problem::bad(text));
        }
        if !login.is_empty() && world.login_taken(Kind::Operator, login, at) {
            return Err(Problem::bad(
                "The given login name of this operator already exists but it must be unique.",
            ));
        }
    }
    if (touched.contains(&common::BRANCH) || touched.contains(&common::LOCATION)) && !location_fits(world, card) {
        return Err(Problem::bad("The given location doesn't belong to the given branch."));
    }
    Ok(())
}

/// Creates a branch.
///
/// # Errors
/// 400 and 403 in the real product's words.
pub fn create_branch(world: &mut World, fields: &Map<String, Value>, now: i64) -> Result<Place, Problem> {
    if !world.settings.rights.has(Right::CreateBranches) {
        return Err(Problem::forbidden("No permission to create branches"));
    }
    let changes = changes(world, Kind::Branch, fields)?;
    let mut card = Card::new(world.mint(Kind::Branch));
    apply(&mut card, changes);
    if card.text(common::NAME).trim().is_empty() {
        return Err(Problem::mandatory("name"));
    }
    let head = card.link(place::HEAD_BRANCH);
    match card.text(place::BRANCH_TYPE) {
        "hasAHeadBranch" => {
            let Some(head) = head else {
                return Err(Problem::bad(
                    "Branch type 'hasAHeadBranch' was selected, but no head branch was given.",
                ));
            };
            if world.card(Kind::Branch, head).text(place::BRANCH_TYPE) != "headBranch" {
                let text =
                    "Branch type 'hasAHeadBranch' was selected, but the given head branch is not of headBranch type.";
                return Err(Problem::bad(text));
            }
        }
        kind if head.is_some() => {
            let kind = if kind.is_empty() { "independentBranch" } else { kind };
            let text = format!("Branch type '{kind}' was selected, a head branch is not allowed for this type.");
            return Err(Problem::bad(text));
        }
        _ => {}
    }
    stamp(world, &mut card, now, true);
    Ok(world.add(Kind::Branch, card).expect("a minted id is free"))
}

/// Creates a location.
///
/// # Errors
/// 400 and 403 in the real product's words.
pub fn create_location(world: &mut World, fields: &Map<String, Value>, now: i64) -> Result<Place, Problem> {
    if !world.settings.rights.has(Right::CreateLocations) {
        return Err(Problem::forbidden("No permission to create locations"));
    }
    let changes = changes(world, Kind::Location, fields)?;
    let mut card = Card::new(world.mint(Kind::Location));
    apply(&mut card, changes);
    if card.text(common::NAME).trim().is_empty() {
        return Err(Problem::mandatory("name"));
    }
    if card.link(common::BRANCH).is_none() {
        return Err(Problem::mandatory("branch"));
    }
    stamp(world, &mut card, now, true);
    Ok(world.add(Kind::Location, card).expect("a minted id is free"))
}

/// Creates an entry of a drop-down list. Names are unique whatever their case, archived ones included.
///
/// # Errors
/// 400 and 403; departments have words and the other lists codes.
pub fn create_entry(world: &mut World, kind: Kind, fields: &Map<String, Value>) -> Result<Place, Problem> {
    let departments = kind == Kind::Department;
    if !world.settings.rights.has(Right::SupportingFilesSettings) {
        if departments {
            return Err(Problem::forbidden("No permission to create departments"));
        }
        let shape = if kind == Kind::BudgetHolder {
            Shape::Entities
        } else {
            Shape::Messages
        };
        return Err(Problem {
            shape: Some(shape),
            ..Problem::forbidden("No permission to see <searchlist>")
        });
    }
    let refuse = |code: &'static str, text: String| {
        if departments {
            Problem::bad(text)
        } else {
            Problem::code(code, "name")
        }
    };
    let name = match fields.get("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => name.trim(),
        Some(Value::String(_) | Value::Null) | None => {
            return Err(refuse("value_mandatory", "Mandatory field 'name' is missing.".into()));
        }
        Some(_) => {
            return Err(refuse(
                "value_invalid",
                "The value for the field \"name\" cannot be parsed".into(),
            ));
        }
    };
    if let Some(other) = fields.keys().find(|key| *key != "name" && *key != "externalLink") {
        return Err(Problem::no_such_field(other));
    }
    if name.encode_utf16().count() > 100 {
        return Err(refuse("value_too_long", "The field name is too long.".into()));
    }
    if world.by_name(kind, name).is_some() {
        return Err(refuse(
            "duplicate_value",
            format!("Department with name '{name}' already exists."),
        ));
    }
    let mut card = Card::new(world.mint(kind));
    card.set(common::NAME, Some(Cell::Text(name.into())));
    if let Some(link) = fields.get("externalLink").filter(|link| !link.is_null()) {
        let number = kind
            .schema()
            .find(None, "externalLinks")
            .expect("every list entry has external links");
        card.set(
            number,
            Some(Cell::Json(Box::new(Value::Array(vec![external_link(link)?])))),
        );
    }
    Ok(world.add(kind, card).expect("a minted id is free"))
}

fn external_link(link: &Value) -> Result<Value, Problem> {
    let text = |name: &str| link.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = text("id").ok_or_else(|| Problem::mandatory("externalLink.id"))?;
    let kind = text("type").ok_or_else(|| Problem::mandatory("externalLink.type"))?;
    if id.encode_utf16().count() > 450 {
        return Err(Problem::too_long("externalLink.id", 450));
    }
    if kind.parse::<i64>().ok().is_none_or(|number| number == 0) {
        return Err(Problem::unparsable("externalLink.type"));
    }
    if text("date").is_some_and(|date| super::card::parse_date(date).is_none()) {
        return Err(Problem::unparsable("externalLink.date"));
    }
    Ok(link.clone())
}
