//! What the options decide, as each says it in the schema (`x-decides`):
//!
//! | word | the option decides | changing it makes |
//! |---|---|---|
//! | `how` | how and when something is reached, sent, kept or told | nothing else of the plan |
//! | `judging` | what a read is taken for, and what is made of it | another configuration, and the same read |
//! | none | which records or cards come, what they hold, or the plan itself | another configuration, and another read |
//!
//! So an option that says nothing is taken for one that changes everything, and a forgotten word does no harm.

use super::schema::schema;
use serde_json::Value;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(schema);

/// Options that decide nothing of a plan.
pub const HOW: &[&str] = &["how"];

/// Options that decide nothing of what a read brings.
pub const NOT_THE_READ: &[&str] = &["how", "judging"];

/// Takes the options of these words out of a configuration, or out of the part of one at a path such as `topdesk`.
pub fn take_out(value: &mut Value, part: &[&str], words: &[&str]) {
    let root: &Value = &SCHEMA;
    let schema = part
        .iter()
        .fold(root, |schema, name| &resolve(schema)["properties"][name]);
    walk(value, schema, words);
}

/// The same for one source.
pub fn take_out_of_source(value: &mut Value, words: &[&str]) {
    let root: &Value = &SCHEMA;
    walk(value, &resolve(root)["properties"]["sources"]["items"], words);
}

/// Follows references.
fn resolve(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        Some(name) => resolve(&SCHEMA["$defs"][name]),
        None => schema,
    }
}

/// Every form that a value may have, with what stands beside a reference.
fn forms(schema: &'static Value) -> Vec<&'static Value> {
    let resolved = resolve(schema);
    let inner = ["anyOf", "oneOf"].iter().filter_map(|word| resolved[*word].as_array());
    let inner = inner.flatten().flat_map(forms);
    [schema, resolved].into_iter().chain(inner).collect()
}

fn walk(value: &mut Value, schema: &'static Value, words: &[&str]) {
    match value {
        Value::Object(options) => {
            let kind = options.get("type").cloned();
            let fits = |form: &&Value| match form["properties"]["type"]["const"].as_str() {
                Some(of) => kind.as_ref().and_then(Value::as_str) == Some(of),
                None => true,
            };
            let forms: Vec<&Value> = forms(schema).into_iter().filter(fits).collect();
            options.retain(|name, value| {
                let found = forms.iter().map(|form| &form["properties"][name.as_str()]);
                let Some(option) = found.into_iter().find(|option| !option.is_null()) else {
                    return true;
                };
                if option["x-decides"].as_str().is_some_and(|word| words.contains(&word)) {
                    return false;
                }
                walk(value, option, words);
                true
            });
        }
        Value::Array(items) => {
            let inner = forms(schema).into_iter().map(|form| &form["items"]);
            if let Some(inner) = inner.into_iter().find(|inner| !inner.is_null()) {
                for item in items {
                    walk(item, inner, words);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::{config_hash, from_text};
    use serde_json::json;
    use std::path::Path;

    fn all_options() -> Value {
        let text = include_str!("../../config/all-options.yaml");
        let loaded = from_text(Path::new("/x/c.yaml"), text).unwrap_or_else(|error| panic!("{error}"));
        serde_json::to_value(&loaded.config).unwrap()
    }

    fn names(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn of_a_source_what_brings_other_records_is_left() {
        let mut config = all_options();
        for (kind, left) in [
            (
                "csv",
                vec![
                    "type",
                    "name",
                    "path",
                    "delimiter",
                    "encoding",
                    "skip_lines",
                    "blank",
                    "rows",
                    "key",
                    "role",
                ],
            ),
            (
                "ldap",
                vec![
                    "type",
                    "name",
                    "url",
                    "bind_dn",
                    "base",
                    "filter",
                    "key",
                    "anchor",
                    "rare",
                    "role",
                    "harmless_references",
                ],
            ),
            (
                "ldif",
                vec![
                    "type",
                    "name",
                    "path",
                    "key",
                    "anchor",
                    "rare",
                    "role",
                    "harmless_references",
                ],
            ),
        ] {
            let sources = config["sources"].as_array_mut().unwrap();
            let source = sources.iter_mut().find(|source| source["type"] == kind);
            let source = source.unwrap_or_else(|| panic!("the sample with all options has no {kind}"));
            take_out_of_source(source, NOT_THE_READ);
            let mut found = names(source);
            found.retain(|name| !left.contains(name));
            assert_eq!(found, Vec::<&str>::new(), "{kind}");
        }
    }

    #[test]
    fn of_topdesk_address_account_filters_and_expectations_are_left() {
        let mut topdesk = all_options()["topdesk"].take();
        take_out(&mut topdesk, &["topdesk"], NOT_THE_READ);
        for name in names(&topdesk) {
            assert!(
                ["url", "username", "account_filters", "expect"].contains(&name),
                "{name}"
            );
        }
    }

    #[test]
    fn how_a_run_goes_is_no_other_configuration_and_what_decides_is() {
        let text = include_str!("../../config/all-options.yaml");
        let hash = |text: &str| config_hash(&from_text(Path::new("/x/c.yaml"), text).unwrap().config);
        let with = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            hash(&text.replace(from, to))
        };
        assert_eq!(with("concurrency: 4", "concurrency: 5"), hash(text));
        assert_eq!(with("page_size: 500", "page_size: 400"), hash(text));
        assert_ne!(with("username: api-cardsync", "username: api-other"), hash(text));
        let mut config = all_options();
        take_out(&mut config, &[], HOW);
        for section in ["schedule", "store", "notify"] {
            assert_eq!(config.get(section), None);
        }
        assert_ne!(config["lifecycle"], json!(null));
    }
}
