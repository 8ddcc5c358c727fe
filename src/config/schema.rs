//! The JSON Schema of the configuration, made from the structs: for editors, and for the checks of a file's shape.

use super::Config;
use crate::core::model::field::CardField;
use serde_json::{Value, json};

/// The JSON Schema of a configuration file, with the options' explanations.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    schema["title"] = json!("cardsync configuration");
    schema
}

/// The rule for the names in `fields`: editors complete them, and a mistyped one gets a suggestion.
pub(super) fn card_field_names() -> Value {
    json!({ "enum": CardField::all().map(CardField::name).collect::<Vec<_>>() })
}
