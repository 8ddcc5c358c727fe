//! The key and the mapped fields.

use super::is_blank;
use crate::config::policy::key_spec;
use crate::config::problem::Fault;
use crate::config::{Config, FieldOptions, FieldRule, MissingEntry, TooLong};
use crate::core::model::field::{CardField, FieldKind};
use crate::core::model::key::Normaliser;

pub fn key(config: &Config, faults: &mut Vec<Fault>) {
    faults.extend(key_spec(config).err());
    let steps = &config.key.normalize;
    if steps.contains(&Normaliser::Uppercase) && steps.contains(&Normaliser::Lowercase) {
        faults.push(Fault::new(
            "key.normalize",
            "has both uppercase and lowercase",
            "keep one",
        ));
    }
    if let Some(n) = (1..steps.len()).find(|n| steps[..*n].contains(&steps[*n])) {
        faults.push(Fault::new(
            format!("key.normalize[{n}]"),
            "stands twice in the list",
            "keep one",
        ));
    }
}

/// A date of birth that nobody maps witnesses nobody.
pub fn birth_date(config: &Config, faults: &mut Vec<Fault>) {
    let Some(name) = &config.key.birth_date else { return };
    let mut fault = |message: String, cure: String| faults.push(Fault::new("key.birth_date", message, cure));
    match CardField::from_name(name) {
        Some(CardField::OptionalDate(..)) if config.fields.contains_key(name) => {}
        Some(CardField::OptionalDate(..)) => fault(
            format!("'{name}' is not under fields: nothing says what it should be"),
            format!("add it there, e.g. {name}: \"{{{{ hr['Date of birth'] | date('%d-%m-%Y') }}}}\""),
        ),
        Some(_) | None => fault(
            format!("'{name}' is no optional date field of a person card"),
            "use one such as optionalFields1.date1".to_owned(),
        ),
    }
}

/// The key field is written from the key itself, on create and adopt only; a mapping could write something else there.
pub fn key_is_not_mapped(config: &Config, faults: &mut Vec<Fault>) {
    let name = &config.key.card_field;
    if config.fields.contains_key(name) {
        let message = "is the key field, which is written from the key itself";
        faults.push(Fault::new(format!("fields.{name}"), message, "take this line out"));
    }
}

pub fn surname_is_mapped(config: &Config, faults: &mut Vec<Fault>) {
    let surname = CardField::SurName.name();
    if !config.fields.contains_key(&surname) && config.key.card_field != surname {
        let cure = "add e.g. surName: \"{{ hr['Last name'] }}\"";
        faults.push(Fault::new(
            "fields.surName",
            "is missing: TOPdesk makes no card without a surname",
            cure,
        ));
    }
}

pub fn options(config: &Config, faults: &mut Vec<Fault>) {
    for (name, rule) in &config.fields {
        let path = format!("fields.{name}");
        // An unknown name was reported by its shape.
        let Some(field) = CardField::from_name(name) else {
            continue;
        };
        match rule {
            FieldRule::Expression(text) => expression(&path, text, faults),
            FieldRule::Full(full) => full_rule(&path, field, full, faults),
        }
    }
}

fn expression(path: &str, text: &str, faults: &mut Vec<Fault>) {
    if is_blank(text) {
        let cure = "write an expression, or take the field out so that cardsync leaves it alone";
        faults.push(Fault::new(path, "has a blank expression", cure));
    }
}

fn full_rule(path: &str, field: CardField, rule: &FieldOptions, faults: &mut Vec<Fault>) {
    let FieldOptions {
        value,
        key,
        dn,
        policy: _,
        missing,
        too_long,
    } = rule;
    let is_manager = field == CardField::Manager;
    let given: Vec<(&str, &String)> = [("value", value), ("key", key), ("dn", dn)]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_ref()?)))
        .collect();
    for (name, text) in &given {
        expression(&format!("{path}.{name}"), text, faults);
    }
    match given.as_slice() {
        [] if is_manager => {
            faults.push(Fault::new(
                path,
                "has no expression",
                "add 'key' (the manager's key) or 'dn' (the manager's DN)",
            ));
        }
        [] => faults.push(Fault::new(path, "has no expression", "add 'value'")),
        [(name @ ("key" | "dn"), _)] if !is_manager => {
            let message = format!("'{name}' is for the field manager only");
            faults.push(Fault::new(format!("{path}.{name}"), message, "write 'value' instead"));
        }
        [_] => {}
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
            faults.push(Fault::new(
                path,
                format!("has {}", names.join(" and ")),
                "keep exactly one of them",
            ));
        }
    }
    let (missing_path, too_long_path) = (format!("{path}.missing"), format!("{path}.too_long"));
    match (field.kind(), missing) {
        (_, MissingEntry::Hold) => {}
        (FieldKind::Lookup(kind), MissingEntry::Create) if !kind.can_create() => {
            let message = format!("cardsync creates no {kind} entries");
            faults.push(Fault::new(
                missing_path,
                message,
                "make the entry in TOPdesk and write hold or skip",
            ));
        }
        (FieldKind::Manager, MissingEntry::Create) => {
            faults.push(Fault::new(missing_path, "a manager is never created", "take it out"));
        }
        (FieldKind::Lookup(_) | FieldKind::Manager, _) => {}
        (FieldKind::Text { .. } | FieldKind::Flag | FieldKind::Number | FieldKind::Date, _) => {
            let message = format!("'{}' is not a reference to a list", field.name());
            faults.push(Fault::new(missing_path, message, "take it out"));
        }
    }
    match (field.kind(), too_long) {
        (FieldKind::Text { .. }, _) | (_, TooLong::Skip) => {}
        (_, TooLong::Truncate | TooLong::Reject) => {
            let message = format!("'{}' is not a text field", field.name());
            faults.push(Fault::new(too_long_path, message, "take it out"));
        }
    }
}
