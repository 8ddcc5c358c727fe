//! The state of the sandbox at the end, without what is empty or says nothing.

use crate::support::workplace::USERNAME;
use serde_json::{Map, Value};
use std::fmt::Write;

/// Fields that are not shown: ids, who and when, and settings that nobody maps.
const NOISE: [&str; 7] = [
    "id",
    "creator",
    "creationDate",
    "modifier",
    "modificationDate",
    "dynamicName",
    "principalId",
];

/// Lists that the program can add to.
const LISTS: [&str; 2] = ["departments", "budgetHolders"];

/// One card per line, in a stable order.
pub fn describe(state: &Value) -> String {
    let mut text = String::from("{\n");
    for (array, shown) in [
        ("persons", person as fn(&Map<String, Value>) -> Value),
        ("operators", operator),
    ] {
        let cards = objects(state, array).filter(|card| card.get("loginName") != Some(&USERNAME.into()));
        let mut lines: Vec<String> = cards.map(|card| shown(card).to_string()).collect();
        lines.sort();
        let _ = writeln!(text, "  \"{array}\": [\n    {}\n  ],", lines.join(",\n    "));
    }
    let lists = LISTS.map(|list| {
        let mut names: Vec<&Value> = objects(state, list).map(|entry| &entry["name"]).collect();
        names.sort_by_key(|name| name.to_string());
        format!("  \"{list}\": {}", Value::from_iter(names.into_iter().cloned()))
    });
    text.push_str(&lists.join(",\n"));
    text.push_str("\n}\n");
    text
}

fn objects<'a>(state: &'a Value, array: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    let cards = state[array].as_array().map(Vec::as_slice).unwrap_or_default();
    cards.iter().filter_map(Value::as_object)
}

fn person(card: &Map<String, Value>) -> Value {
    let mut shown = Map::new();
    // The key first: the lines are sorted by it.
    let key = card.get("employeeNumber").cloned().unwrap_or(Value::Null);
    shown.insert("employeeNumber".to_owned(), key);
    for (name, value) in card {
        let value = match value {
            // Flags of a caller stand as they are; all others are off unless they are shown.
            Value::Bool(_) if name == "isCaller" || name == "hasSspAccess" => value.clone(),
            Value::Bool(on) => match on {
                true => value.clone(),
                false => continue,
            },
            Value::Object(reference) => match reference.get("name").or_else(|| reference.get("dynamicName")) {
                Some(name) => name.clone(),
                None => continue,
            },
            Value::Null => continue,
            Value::String(text) if text.is_empty() || text.starts_with("00000000-") => continue,
            Value::String(_) | Value::Number(_) | Value::Array(_) => value.clone(),
        };
        if !NOISE.contains(&name.as_str()) {
            shown.insert(name.clone(), value);
        }
    }
    Value::Object(shown)
}

fn operator(card: &Map<String, Value>) -> Value {
    let mut shown = Map::new();
    for name in ["loginName", "surName", "status", "linkedPerson"] {
        let value = match card.get(name) {
            Some(Value::Object(person)) => person.get("dynamicName").or_else(|| person.get("name")).cloned(),
            Some(Value::String(text)) if text.is_empty() => None,
            other => other.cloned(),
        };
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    }
    Value::Object(shown)
}
