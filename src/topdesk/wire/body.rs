//! What is written: the bodies of creates and changes.
//!
//! Emptying a text is `""`, emptying a reference `{"id": null}`: both are relied on by working clients, while a bare
//! `null` is uncertain. Numbers and dates have no other empty form, so they are emptied with `null`.

use super::value::written_date;
use crate::core::model::field::{CardField, FieldKind, FieldValue, LookupKind, Reference};
use crate::core::plan::FieldChange;
use crate::engine::target::Made;
use chrono_tz::Tz;
use serde_json::{Map, Number, Value, json};

/// A body that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("field {field} refers to what change {item} was to make, and it has not been made")]
    NotMade { field: CardField, item: String },
    #[error("field {0} has a value of another kind than the field")]
    WrongKind(CardField),
}

/// The body of a create (only filled fields) or of a change (emptied fields too).
pub(crate) fn person(fields: &[FieldChange], create: bool, made: &Made, zone: Tz) -> Result<Vec<u8>, BodyError> {
    let mut body = Map::new();
    for change in fields {
        if create && change.to.is_none() {
            continue;
        }
        let value = match &change.to {
            Some(value) => filled(change.field, value, made, zone)?,
            None => emptied(change),
        };
        let name = change.field.name();
        match name.split_once('.') {
            Some((tab, inner)) => {
                let tab = body.entry(tab).or_insert_with(|| json!({}));
                tab.as_object_mut()
                    .expect("a tab is an object")
                    .insert(inner.to_owned(), value);
            }
            None => {
                body.insert(name, value);
            }
        }
    }
    Ok(Value::Object(body).to_string().into_bytes())
}

fn filled(field: CardField, value: &FieldValue, made: &Made, zone: Tz) -> Result<Value, BodyError> {
    let wrong = || BodyError::WrongKind(field);
    let not_made = |item: &str| BodyError::NotMade {
        field,
        item: item.to_owned(),
    };
    Ok(match (field.kind(), value) {
        (FieldKind::Text { .. }, FieldValue::Text(text)) => json!(text),
        (FieldKind::Flag, FieldValue::Flag(flag)) => json!(flag),
        (FieldKind::Number, FieldValue::Number(text)) => Value::Number(text.parse::<Number>().map_err(|_| wrong())?),
        (FieldKind::Date, FieldValue::Date(date)) => json!(written_date(*date, zone)),
        (FieldKind::Lookup(LookupKind::Department), FieldValue::Reference(Reference::FreeText(name))) => {
            json!({ "name": name })
        }
        (FieldKind::Lookup(_), FieldValue::Reference(Reference::Entry { id, name: _ })) => json!({ "id": id }),
        (FieldKind::Manager, FieldValue::Reference(Reference::Card { id, label: _ })) => json!({ "id": id }),
        (FieldKind::Lookup(_), FieldValue::Reference(Reference::Pending(pending))) => {
            let id = made
                .entries
                .get(&pending.item)
                .ok_or_else(|| not_made(pending.item.as_str()))?;
            json!({ "id": id })
        }
        (FieldKind::Manager, FieldValue::Reference(Reference::Pending(pending))) => {
            let id = made
                .cards
                .get(&pending.item)
                .ok_or_else(|| not_made(pending.item.as_str()))?;
            json!({ "id": id })
        }
        _other => return Err(wrong()),
    })
}

fn emptied(change: &FieldChange) -> Value {
    match change.field.kind() {
        FieldKind::Text { .. } => json!(""),
        // A flag is never empty: no is its empty.
        FieldKind::Flag => json!(false),
        FieldKind::Number | FieldKind::Date => Value::Null,
        FieldKind::Lookup(_) | FieldKind::Manager => match &change.from {
            Some(FieldValue::Reference(Reference::FreeText(_))) => json!({ "name": "" }),
            Some(_) | None => json!({ "id": null }),
        },
    }
}

/// The body of archiving: the reason where there is one.
pub(crate) fn archive(reason: Option<&str>) -> Vec<u8> {
    let body = match reason {
        Some(id) => json!({ "id": id }),
        None => json!({}),
    };
    body.to_string().into_bytes()
}

/// The body that gives or takes an operator's log-in; whatever else the operator has stays.
pub(crate) fn login_permission(allowed: bool) -> Vec<u8> {
    json!({ "loginPermission": allowed }).to_string().into_bytes()
}

/// The body of a new list entry.
pub(crate) fn entry(name: &str) -> Vec<u8> {
    json!({ "name": name }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::field::PendingRef;
    use crate::core::model::ids::{CardId, ItemId};
    use chrono_tz::Europe;

    fn change(field: CardField, from: Option<FieldValue>, to: Option<FieldValue>) -> FieldChange {
        FieldChange { field, from, to }
    }

    fn set(field: CardField, to: FieldValue) -> FieldChange {
        change(field, None, Some(to))
    }

    fn written(fields: &[FieldChange], create: bool, made: &Made) -> Result<Value, BodyError> {
        person(fields, create, made, Europe::Amsterdam).map(|body| serde_json::from_slice(&body).unwrap())
    }

    fn entry_ref(id: &str) -> FieldValue {
        FieldValue::Reference(Reference::Entry {
            id: id.into(),
            name: "name".into(),
        })
    }

    #[test]
    fn values_are_written_in_the_forms_of_the_api() {
        let card = FieldValue::Reference(Reference::Card {
            id: CardId::from("m1"),
            label: "100".into(),
        });
        let fields = [
            set(CardField::SurName, FieldValue::Text("O'Neil \"x\"".into())),
            set(CardField::HasSspAccess, FieldValue::Flag(false)),
            set(CardField::ShowBudgetHolder, FieldValue::Flag(true)),
            set(CardField::Branch, entry_ref("b1")),
            set(CardField::Language, entry_ref("l1")),
            set(
                CardField::Department,
                FieldValue::Reference(Reference::FreeText("Care".into())),
            ),
            set(CardField::Manager, card),
            set(CardField::OptionalNumber(1, 1), FieldValue::Number("2.5".into())),
            set(
                CardField::OptionalDate(1, 2),
                FieldValue::Date("2026-07-01".parse().unwrap()),
            ),
            set(CardField::OptionalFlag(2, 1), FieldValue::Flag(true)),
            set(CardField::OptionalSearchList(2, 2), entry_ref("s1")),
            change(CardField::Email, None, None),
        ];
        assert_eq!(
            written(&fields, true, &Made::default()).unwrap(),
            json!({
                "surName": "O'Neil \"x\"", "hasSspAccess": false, "showBudgetHolder": true,
                "branch": {"id": "b1"}, "language": {"id": "l1"}, "department": {"name": "Care"}, "manager": {"id": "m1"},
                "optionalFields1": {"number1": 2.5, "date2": "2026-07-01T00:00:00.000+0200"},
                "optionalFields2": {"boolean1": true, "searchlist2": {"id": "s1"}},
            })
        );
    }

    #[test]
    fn emptied_fields_have_their_own_forms() {
        let free = FieldValue::Reference(Reference::FreeText("Care".into()));
        let fields = [
            change(CardField::Email, Some(FieldValue::Text("x".into())), None),
            change(CardField::Branch, Some(entry_ref("b1")), None),
            change(CardField::Department, Some(free), None),
            change(CardField::IsManager, Some(FieldValue::Flag(true)), None),
            change(CardField::OptionalDate(1, 1), None, None),
            change(CardField::OptionalNumber(1, 1), None, None),
        ];
        assert_eq!(
            written(&fields, false, &Made::default()).unwrap(),
            json!({
                "email": "", "branch": {"id": null}, "department": {"name": ""}, "isManager": false,
                "optionalFields1": {"date1": null, "number1": null},
            })
        );
    }

    #[test]
    fn what_earlier_changes_made_is_put_in() {
        let pending = |item: &str| {
            FieldValue::Reference(Reference::Pending(PendingRef {
                item: ItemId::from(item),
                label: "x".into(),
            }))
        };
        let fields = [
            set(CardField::Department, pending("i1")),
            set(CardField::Manager, pending("i2")),
        ];
        let mut made = Made::default();
        let missing = written(&fields, true, &made).unwrap_err();
        assert!(
            missing.to_string().contains("department") && missing.to_string().contains("i1"),
            "{missing}"
        );
        made.entries.insert(ItemId::from("i1"), "d1".into());
        made.cards.insert(ItemId::from("i2"), CardId::from("c2"));
        assert_eq!(
            written(&fields, true, &made).unwrap(),
            json!({"department": {"id": "d1"}, "manager": {"id": "c2"}})
        );
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        let fields = [set(CardField::Branch, FieldValue::Text("Delft".into()))];
        assert_eq!(
            written(&fields, true, &Made::default()),
            Err(BodyError::WrongKind(CardField::Branch))
        );
        let fields = [set(CardField::OptionalNumber(1, 1), FieldValue::Number("many".into()))];
        assert!(written(&fields, true, &Made::default()).is_err());
    }

    #[test]
    fn small_bodies() {
        assert_eq!(archive(Some("r1")), br#"{"id":"r1"}"#);
        assert_eq!(archive(None), b"{}");
        assert_eq!(entry("Sales"), br#"{"name":"Sales"}"#);
    }
}
