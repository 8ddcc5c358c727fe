//! The lists that cards refer to. Entries that cards carry and the lists do not show are archived ones: they are added as
//! such, so that the seed refers to nothing that is not in it.

use super::read::{self, Row};
use crate::core::model::field::LookupKind;
use crate::topdesk::client::Http;
use crate::topdesk::errors::Failure;
use crate::topdesk::query::ALL_OPERATORS as ACTIVE_AND_ARCHIVED;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// All kinds of lists in the order they are read.
pub(super) fn kinds() -> Vec<LookupKind> {
    let mut kinds = vec![
        LookupKind::Branch,
        LookupKind::Location,
        LookupKind::Department,
        LookupKind::BudgetHolder,
        LookupKind::Language,
        LookupKind::PersonExtraFieldA,
        LookupKind::PersonExtraFieldB,
    ];
    kinds.extend((1..=2).flat_map(|tab| (1..=5).map(move |list| LookupKind::SearchList { tab, list })));
    kinds
}

/// The name of a list's array in a seed.
pub(super) fn array(kind: LookupKind) -> String {
    match kind {
        LookupKind::Branch => "branches".to_owned(),
        LookupKind::Location => "locations".to_owned(),
        LookupKind::Department => "departments".to_owned(),
        LookupKind::BudgetHolder => "budgetHolders".to_owned(),
        LookupKind::Language => "languages".to_owned(),
        LookupKind::PersonExtraFieldA => "personExtraFieldAEntries".to_owned(),
        LookupKind::PersonExtraFieldB => "personExtraFieldBEntries".to_owned(),
        LookupKind::SearchList { tab, list } => format!("searchlist{tab}_{list}"),
    }
}

/// What is kept of an entry. Addresses, telephone numbers and remarks of branches and locations are not.
fn kept(kind: LookupKind) -> &'static [&'static str] {
    match kind {
        LookupKind::Branch => &["id", "name", "status", "branchType", "headBranch"],
        LookupKind::Location => &["id", "name", "status", "roomNumber", "branch"],
        LookupKind::Language => &["id", "name", "languageCode"],
        LookupKind::Department
        | LookupKind::BudgetHolder
        | LookupKind::PersonExtraFieldA
        | LookupKind::PersonExtraFieldB
        | LookupKind::SearchList { .. } => &["id", "name", "externalLinks"],
    }
}

/// One list: its entries, and what cards refer to beside them.
#[derive(Default)]
struct List {
    entries: Vec<Row>,
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
    /// Whether the list could be read: only then is an entry that it lacks an archived one.
    readable: bool,
}

/// All lists.
#[derive(Default)]
pub(super) struct Lists {
    lists: BTreeMap<LookupKind, List>,
    /// Departments given by an id, and as plain text.
    pub(super) departments: (u64, u64),
}

impl Lists {
    /// Reads one list. One that may not be read is empty, and the reason is told.
    pub(super) async fn read(&mut self, http: &Http, kind: LookupKind) -> Result<Option<String>, Failure> {
        let found = match kind {
            LookupKind::Branch | LookupKind::Location => {
                let fields = kept(kind).join(",");
                let route = if kind == LookupKind::Branch {
                    "/branches"
                } else {
                    "/locations"
                };
                let segments = [route.trim_start_matches('/')];
                let with_archived = [("$fields", fields.as_str()), ("query", ACTIVE_AND_ARCHIVED)];
                match read::rows(http, route, &segments, &with_archived).await {
                    Err(failure) if failure.status() == Some(400) => {
                        read::rows(http, route, &segments, &with_archived[..1]).await
                    }
                    other => other,
                }
            }
            _ => {
                let place = crate::topdesk::wire::list::place(kind);
                let segments: Vec<&str> = place.segments.iter().map(String::as_str).collect();
                read::rows(http, place.route, &segments, &[]).await
            }
        };
        let rows = match found {
            Ok(rows) => rows,
            Err(failure) if matches!(failure.status(), Some(400 | 403 | 404)) => {
                self.lists.entry(kind).or_default();
                return Ok(Some(format!("the list '{kind}' could not be read: {}", failure.tell())));
            }
            Err(failure) => return Err(failure),
        };
        let list = self.lists.entry(kind).or_default();
        list.readable = true;
        for mut row in rows {
            row.retain(|name, value| kept(kind).contains(&name.as_str()) && !value.is_null());
            list.add(row);
        }
        Ok(None)
    }

    /// Brings the references between branches and locations into the seed's form, once both were read.
    pub(super) fn tie_places(&mut self) {
        for (kind, field) in [(LookupKind::Branch, "headBranch"), (LookupKind::Location, "branch")] {
            let mut entries = std::mem::take(&mut self.lists.entry(kind).or_default().entries);
            for row in &mut entries {
                let tied = row.get(field).map(|value| self.refer(LookupKind::Branch, value, None));
                match tied {
                    Some(Some(reference)) => row.insert(field.to_owned(), reference),
                    Some(None) | None => row.remove(field),
                };
            }
            // What was referred to and not known has been added meanwhile.
            let list = self.lists.entry(kind).or_default();
            entries.append(&mut list.entries);
            list.entries = entries;
        }
    }

    /// The reference to write for a reference that a card carries, `None` for one to nothing. `branch` is the card's.
    pub(super) fn refer(&mut self, kind: LookupKind, value: &Value, branch: Option<&Value>) -> Option<Value> {
        let id = text(value, "id").map(|id| id.trim().to_ascii_lowercase());
        let name = text(value, "name").map(str::trim);
        if kind == LookupKind::Department {
            let counted = match (&id, name) {
                (Some(_), _) => Some(&mut self.departments.0),
                (None, Some(_)) => Some(&mut self.departments.1),
                (None, None) => None,
            };
            counted.into_iter().for_each(|count| *count += 1);
        }
        let list = self.lists.entry(kind).or_default();
        let mut row = Row::new();
        let reference = match (id, name) {
            (Some(id), name) => {
                if list.ids.contains(&id) {
                    // With the name: where departments turn out to be plain text, the name is the value.
                    return Some(json!({ "id": id, "name": name.unwrap_or_default() }));
                }
                row.insert("id".to_owned(), json!(id));
                row.insert("name".to_owned(), json!(name.unwrap_or(UNNAMED)));
                json!({ "id": id, "name": name.unwrap_or(UNNAMED) })
            }
            (None, Some(name)) => {
                if list.names.contains(&name.to_lowercase()) {
                    return Some(json!({ "name": name }));
                }
                row.insert("name".to_owned(), json!(name));
                json!({ "name": name })
            }
            (None, None) => return None,
        };
        if let Some(code) = text(value, "code") {
            row.insert("languageCode".to_owned(), json!(code));
        }
        if let (LookupKind::Location, Some(branch)) = (kind, branch) {
            row.insert("branch".to_owned(), id_and_name(branch));
        }
        if list.readable {
            row.insert("archived".to_owned(), json!(true));
        }
        list.add(row);
        Some(reference)
    }

    /// The rows of a list, those that only cards showed included.
    pub(super) fn rows(&self, kind: LookupKind) -> &[Row] {
        self.lists.get(&kind).map_or(&[], |list| &list.entries)
    }
}

/// An entry without a name cannot stand in a seed.
const UNNAMED: &str = "(no name)";

impl List {
    fn add(&mut self, mut row: Row) {
        let name = row
            .get("name")
            .and_then(Value::as_str)
            .map(str::trim)
            .unwrap_or_default();
        if name.is_empty() {
            row.insert("name".to_owned(), json!(UNNAMED));
        } else {
            self.names.insert(name.to_lowercase());
        }
        let id = row.get("id").and_then(Value::as_str).map(str::to_ascii_lowercase);
        if id.is_none_or(|id| self.ids.insert(id)) {
            self.entries.push(row);
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.trim().is_empty())
}

/// A reference with nothing but id and name: branches carry telephone numbers there.
fn id_and_name(value: &Value) -> Value {
    json!({ "id": text(value, "id"), "name": text(value, "name") })
}
