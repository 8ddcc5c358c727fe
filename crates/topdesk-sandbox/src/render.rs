//! Cards as JSON, straight from the compact state into bytes: a page of 5,000 persons makes no copy of a card.

use uuid::Uuid;

use super::card::{Card, Cell, Place};
use super::fields::{Field, FieldNo, Form, Kind, LANGUAGE_CODE, common, operator, person, place};
use super::problem::Problem;
use super::rights::Right;
use super::settings::Settings;
use super::world::{World, dynamic_name};

/// Whose form an answer has: the same reference looks different in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Persons, version 2.
    Person2,
    /// Persons, version 1: what archive and unarchive answer.
    Person1,
    /// Operators and operator groups.
    Operator,
    /// Branches, locations and entries of lists.
    Plain,
    /// The sandbox's own dump, which is a seed again.
    Dump,
}

#[derive(Debug, Clone)]
enum Item {
    Field(FieldNo),
    Group(&'static str, Vec<FieldNo>),
}

/// The fields of an answer.
#[derive(Debug, Clone)]
pub struct Selection {
    items: Vec<Item>,
}

/// What a page of persons shows when `fields` is not given: the real set is limited and not listed anywhere.
const LIMITED: &str = "id,firstName,surName,dynamicName,archived,branch,email,phoneNumber,mobileNumber,employeeNumber";

/// The fields of version 1 that the version 2 table has; `status` is made here.
const VERSION_1: &str = "id,surName,firstName,dynamicName,firstInitials,prefixes,birthName,title,gender,language,\
    phoneNumber,mobileNumber,fax,email,jobTitle,department,departmentFree,budgetHolder,employeeNumber,networkLoginName,\
    mainframeLoginName,clientReferenceNumber,city,tasLoginName,showBranch,showBudgetholder,showDepartment,\
    showSubsidiaries,showAllBranches,authorizeAll,authorizeDepartment,authorizeBudgetHolder,authorizeBranch,\
    authorizeSubsidiaryBranches,isManager,manager,hasAttention,attention,attentionComment,creator,creationDate,modifier,\
    modificationDate,optionalFields1,optionalFields2,personExtraFieldA,personExtraFieldB,branch,location";

/// True when the field exists in this environment and the account may see it.
pub fn exists(kind: Kind, number: FieldNo, settings: &Settings) -> bool {
    let budget = match kind {
        Kind::Person => [
            common::BUDGET_HOLDER,
            person::SHOW_BUDGET_HOLDER,
            person::AUTHORIZE_BUDGET_HOLDER,
        ]
        .contains(&number),
        _ => false,
    };
    let hidden = kind == Kind::Operator
        && match number {
            operator::HAS_APPLICATION_PASSWORDS => !settings.rights.has(Right::LoginData),
            operator::ACCESS_ROLES => !settings.rights.has(Right::PermissionGroups),
            _ => false,
        };
    !(hidden || budget && !settings.budget_holder)
}

impl Selection {
    /// Every field that an answer of this view can have.
    pub fn all(kind: Kind, view: View, settings: &Settings) -> Self {
        if view == View::Person1 {
            return Selection::pick(kind, VERSION_1.split(','), true, settings).0;
        }
        let mut selection = Selection { items: Vec::new() };
        for (number, field) in kind.schema().numbered() {
            let wanted = field.shown || (view == View::Dump && !field.name.is_empty());
            if wanted && (view == View::Dump || exists(kind, number, settings)) {
                selection.push(number, field);
            }
        }
        selection
    }

    /// The fields of a `fields` parameter; `*` and `all` mean all, nothing means the route's default.
    ///
    /// # Errors
    /// When a name is unknown and the settings refuse that.
    pub fn named(
        kind: Kind,
        view: View,
        names: Option<&str>,
        default: Option<&str>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let names = match names.map(str::trim).filter(|names| !names.is_empty()).or(default) {
            None | Some("*" | "all") => return Ok(Selection::all(kind, view, settings)),
            Some(names) => names,
        };
        let (selection, unknown) = Selection::pick(kind, names.split(','), false, settings);
        if unknown && settings.unknown_fields_refused {
            return Err(Problem::malformed());
        }
        Ok(selection)
    }

    /// The limited set of persons' fields.
    pub fn limited() -> &'static str {
        LIMITED
    }

    fn pick<'a>(
        kind: Kind,
        names: impl Iterator<Item = &'a str>,
        hidden_too: bool,
        settings: &Settings,
    ) -> (Self, bool) {
        let schema = kind.schema();
        let mut selection = Selection { items: Vec::new() };
        let mut unknown = false;
        for name in names.map(str::trim).filter(|name| !name.is_empty()) {
            let (group, inner) = match name.split_once('.') {
                Some((group, inner)) if schema.has_group(group) => (Some(group), inner),
                Some((top, _)) => (None, top),
                None => (None, name),
            };
            if group.is_none() && schema.has_group(inner) {
                for (number, field) in schema.numbered().filter(|(_, field)| field.group == Some(inner)) {
                    selection.push(number, field);
                }
                continue;
            }
            match schema.find(group, inner) {
                Some(number) if exists(kind, number, settings) && (hidden_too || schema.field(number).shown) => {
                    selection.push(number, schema.field(number));
                }
                _ => unknown = true,
            }
        }
        (selection, unknown)
    }

    fn push(&mut self, number: FieldNo, field: &'static Field) {
        match field.group {
            None => {
                if !self
                    .items
                    .iter()
                    .any(|item| matches!(item, Item::Field(known) if *known == number))
                {
                    self.items.push(Item::Field(number));
                }
            }
            Some(group) => {
                let known = self.items.iter_mut().find_map(|item| match item {
                    Item::Group(name, fields) if *name == group => Some(fields),
                    _ => None,
                });
                match known {
                    Some(fields) if fields.contains(&number) => {}
                    Some(fields) => fields.push(number),
                    None => self.items.push(Item::Group(group, vec![number])),
                }
            }
        }
    }
}

/// A JSON object being written.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    /// Opens an object.
    pub fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Object { out, first: true }
    }

    /// Writes a key and gives the buffer for its value.
    pub fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        text(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// Closes the object.
    pub fn close(self) {
        self.out.push(b'}');
    }
}

/// Writes a JSON string.
pub fn text(out: &mut Vec<u8>, value: &str) {
    serde_json::to_writer(out, value).expect("a string always serialises into memory");
}

/// Writes an id as a JSON string.
pub fn id(out: &mut Vec<u8>, value: Uuid) {
    out.push(b'"');
    out.extend_from_slice(value.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    out.push(b'"');
}

/// An instant in the API's form.
pub fn date_text(millis: i64, colon: bool) -> String {
    let form = if colon {
        "%Y-%m-%dT%H:%M:%S%.3f%:z"
    } else {
        "%Y-%m-%dT%H:%M:%S%.3f%z"
    };
    chrono::DateTime::from_timestamp_millis(millis)
        .map(|date| date.format(form).to_string())
        .unwrap_or_default()
}

/// Writes one card.
pub fn card(out: &mut Vec<u8>, world: &World, kind: Kind, card: &Card, selection: &Selection, view: View) {
    let writer = Writer {
        world,
        kind,
        card,
        view,
    };
    let mut object = Object::open(out);
    for item in &selection.items {
        match item {
            Item::Field(number) => {
                writer.field(&mut object, *number);
                if view == View::Person1 && *number == common::ID {
                    let status = if card.archived() { "personArchived" } else { "person" };
                    text(object.key("status"), status);
                }
            }
            Item::Group(name, numbers) => {
                if view == View::Dump
                    && !numbers
                        .iter()
                        .any(|number| card.flag(*number) || card.cell(*number).is_some())
                {
                    continue;
                }
                let mut group = Object::open(object.key(name));
                for number in numbers {
                    writer.field(&mut group, *number);
                }
                group.close();
            }
        }
    }
    object.close();
}

struct Writer<'a> {
    world: &'a World,
    kind: Kind,
    card: &'a Card,
    view: View,
}

impl Writer<'_> {
    fn field(&self, object: &mut Object<'_>, number: FieldNo) {
        let field = self.kind.schema().field(number);
        let (card, name) = (self.card, field.name);
        if self.view == View::Dump && !field.shown && !card.flag(number) && card.cell(number).is_none() {
            if number == common::ARCHIVED {
                object.key(name).extend_from_slice(b"false");
            }
            return;
        }
        if number == common::DEPARTMENT && self.department_as_text(object) {
            return;
        }
        if self.shown_otherwise(object, number, field) {
            return;
        }
        match field.form {
            Form::Id => id(object.key(name), card.id),
            Form::Principal => id(object.key(name), Uuid::from_u128(card.id.as_u128() ^ 1)),
            Form::DynamicName => text(object.key(name), &dynamic_name(card)),
            Form::Status(active) => {
                let status = if card.archived() {
                    format!("{active}Archived")
                } else {
                    active.to_owned()
                };
                text(object.key(name), &status);
            }
            Form::HasAttention => flag(object.key(name), card.cell(common::ATTENTION).is_some()),
            Form::Flag => flag(object.key(name), card.flag(number)),
            Form::Text(_) | Form::Email(_) | Form::Memo => text(object.key(name), card.text(number)),
            Form::Choice(words) => {
                let value = card.text(number);
                text(object.key(name), if value.is_empty() { words[0] } else { value });
            }
            Form::Number | Form::Date | Form::Link(_) | Form::Json => match card.cell(number) {
                Some(Cell::Number(value)) => {
                    object
                        .key(name)
                        .extend_from_slice(serde_json::Value::from(*value).to_string().as_bytes());
                }
                Some(Cell::Date(millis)) => text(object.key(name), &date_text(*millis, self.world.settings.date_colon)),
                Some(Cell::Json(value)) => object.key(name).extend_from_slice(value.to_string().as_bytes()),
                Some(Cell::Link(target)) => self.link(object, name, field.form, *target),
                Some(Cell::Text(_)) | None => self.unset(object, name),
            },
        }
    }

    /// What the settings show in the place of what a card has.
    fn shown_otherwise(&self, object: &mut Object<'_>, number: FieldNo, field: &Field) -> bool {
        let settings = &self.world.settings;
        if self.view == View::Dump {
            return false;
        }
        let nameless = field.form == Form::DynamicName || number == common::LOGIN;
        if self.kind == Kind::Operator && settings.operator_names_null && nameless {
            object.key(field.name).extend_from_slice(b"null");
            return true;
        }
        let unmarked = field.name == "mainframeLoginName" && self.card.text(number).is_empty();
        if self.kind == Kind::Person && settings.mainframe_login_occupied && unmarked {
            text(object.key(field.name), "Managed by another program");
            return true;
        }
        false
    }

    fn unset(&self, object: &mut Object<'_>, name: &str) {
        if self.world.settings.unset_as_null && self.view != View::Dump {
            object.key(name).extend_from_slice(b"null");
        }
    }

    /// With plain-text departments there is only a name.
    fn department_as_text(&self, object: &mut Object<'_>) -> bool {
        let people = matches!(self.kind, Kind::Person | Kind::Operator);
        if !people || !self.world.settings.department_text || self.view == View::Dump {
            return false;
        }
        let name = self.card.text(common::DEPARTMENT_TEXT);
        if name.is_empty() || self.view == View::Person1 {
            self.unset(object, "department");
        } else {
            let mut department = Object::open(object.key("department"));
            text(department.key("name"), name);
            department.close();
        }
        true
    }

    fn link(&self, object: &mut Object<'_>, name: &str, form: Form, target: Place) {
        let Form::Link(kind) = form else { return };
        match self.world.table(kind).get(target) {
            Some(card) => self.reference(object.key(name), kind, card),
            None => self.unset(object, name),
        }
    }

    fn reference(&self, out: &mut Vec<u8>, kind: Kind, target: &Card) {
        let mut object = Object::open(out);
        id(object.key("id"), target.id);
        let branch = target
            .link(common::BRANCH)
            .and_then(|place| self.world.table(Kind::Branch).get(place));
        if let (Kind::Location, View::Person1 | View::Operator, Some(branch)) = (kind, self.view, branch) {
            self.reference(object.key("branch"), Kind::Branch, branch);
        }
        text(object.key("name"), &self.world.name_of(kind, target));
        match (kind, self.view) {
            (Kind::Branch, View::Person2) => {
                text(object.key("phoneNumber"), target.text(place::PHONE));
                text(
                    object.key("clientReferenceNumber"),
                    target.text(place::CLIENT_REFERENCE),
                );
            }
            (Kind::Branch, View::Person1 | View::Operator) => {
                text(
                    object.key("clientReferenceNumber"),
                    target.text(place::CLIENT_REFERENCE),
                );
                text(object.key("timeZone"), target.text(place::TIME_ZONE));
            }
            (Kind::Location, View::Person1 | View::Operator) => {
                text(object.key("room"), target.text(place::ROOM_NUMBER));
            }
            (Kind::Language, View::Person2) => text(object.key("code"), target.text(LANGUAGE_CODE)),
            (Kind::Attention, View::Person2) => text(object.key("comment"), self.card.text(common::ATTENTION_COMMENT)),
            _ => {}
        }
        object.close();
    }
}

fn flag(out: &mut Vec<u8>, on: bool) {
    out.extend_from_slice(if on { b"true" } else { b"false" });
}

/// Writes a list of cards as a JSON array.
pub fn list<'a>(
    world: &World,
    kind: Kind,
    cards: impl Iterator<Item = &'a Card>,
    selection: &Selection,
    view: View,
) -> Vec<u8> {
    let mut out = vec![b'['];
    for (count, found) in cards.enumerate() {
        if count > 0 {
            out.push(b',');
        }
        card(&mut out, world, kind, found, selection, view);
    }
    out.push(b']');
    out
}
