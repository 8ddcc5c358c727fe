//! The values inside a card: texts, flags, numbers, dates, references, and who made it.

use super::super::value::{calendar_date, shortest};
use crate::core::model::field::{CardField, FieldKind, FieldValue, LookupKind, Reference};
use crate::core::model::ids::CardId;
use crate::core::plan::short_hash;
use chrono_tz::Tz;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// A field's value; `None` is empty.
pub(super) struct ValueSeed {
    zone: Tz,
    field: CardField,
    kind: FieldKind,
}

impl ValueSeed {
    pub(super) fn new(zone: Tz, field: CardField, kind: FieldKind) -> Self {
        Self { zone, field, kind }
    }

    fn wrong<E: serde::de::Error>(&self) -> E {
        E::custom("a value of another kind")
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Option<FieldValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<FieldValue>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Option<FieldValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of {}", self.field)
    }

    fn visit_unit<E>(self) -> Result<Option<FieldValue>, E> {
        Ok(None)
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Option<FieldValue>, E> {
        match self.kind {
            FieldKind::Flag => Ok(Some(FieldValue::Flag(flag))),
            FieldKind::Text { .. }
            | FieldKind::Number
            | FieldKind::Date
            | FieldKind::Lookup(_)
            | FieldKind::Manager => Err(self.wrong()),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<FieldValue>, E> {
        self.whole_number(number)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Option<FieldValue>, E> {
        self.whole_number(number)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Option<FieldValue>, E> {
        match self.kind {
            FieldKind::Number => Ok(shortest(number)),
            FieldKind::Text { .. } | FieldKind::Flag | FieldKind::Date | FieldKind::Lookup(_) | FieldKind::Manager => {
                Err(self.wrong())
            }
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<FieldValue>, E> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        match self.kind {
            FieldKind::Text { .. } => Ok(Some(FieldValue::Text(text.into()))),
            FieldKind::Date => calendar_date(text, self.zone)
                .map(|date| Some(FieldValue::Date(date)))
                .ok_or_else(|| self.wrong()),
            FieldKind::Number => text.trim().parse().map(shortest).map_err(|_| self.wrong()),
            FieldKind::Lookup(LookupKind::Department) => {
                Ok(Some(FieldValue::Reference(Reference::FreeText(text.into()))))
            }
            FieldKind::Flag | FieldKind::Lookup(_) | FieldKind::Manager => Err(self.wrong()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<FieldValue>, A::Error> {
        let Named { id, name } = named(map)?;
        let reference = match (self.kind, id, name) {
            (FieldKind::Lookup(_) | FieldKind::Manager, None, None) => return Ok(None),
            (FieldKind::Lookup(_), Some(id), name) => Reference::Entry {
                id: id.into(),
                name: name.unwrap_or_default().into(),
            },
            (FieldKind::Lookup(LookupKind::Department), None, Some(name)) => Reference::FreeText(name.into()),
            (FieldKind::Manager, Some(id), _name) => {
                let id = CardId::from(id);
                Reference::Card {
                    label: id.as_str().into(),
                    id,
                }
            }
            _other => return Err(self.wrong()),
        };
        Ok(Some(FieldValue::Reference(reference)))
    }
}

impl ValueSeed {
    /// A whole number, also where a text is meant: an employee number may come without quotes.
    fn whole_number<E: serde::de::Error>(self, number: impl fmt::Display) -> Result<Option<FieldValue>, E> {
        let text = number.to_string().into_boxed_str();
        match self.kind {
            FieldKind::Number => Ok(Some(FieldValue::Number(text))),
            FieldKind::Text { .. } => Ok(Some(FieldValue::Text(text))),
            FieldKind::Flag | FieldKind::Date | FieldKind::Lookup(_) | FieldKind::Manager => Err(self.wrong()),
        }
    }
}

/// `{id, name}`, blank as missing, the id in lower case.
struct Named {
    id: Option<String>,
    name: Option<String>,
}

fn named<'de, A: MapAccess<'de>>(mut map: A) -> Result<Named, A::Error> {
    let mut found = Named { id: None, name: None };
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    while let Some(name) = map.next_key::<String>()? {
        match name.as_str() {
            "id" => {
                found.id = filled(map.next_value()?).map(|mut id| {
                    id.make_ascii_lowercase();
                    id
                });
            }
            "name" => found.name = filled(map.next_value()?),
            _other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(found)
}

/// Who made or changed a card: the id, or a stand-in for a bare name, which is personal.
pub(super) struct MakerSeed;

impl<'de> DeserializeSeed<'de> for MakerSeed {
    type Value = Option<Box<str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Box<str>>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn stand_in(name: &str) -> Option<Box<str>> {
    (!name.trim().is_empty()).then(|| format!("name-{}", short_hash(name.as_bytes())).into())
}

impl<'de> Visitor<'de> for MakerSeed {
    type Value = Option<Box<str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("who it was")
    }

    fn visit_unit<E>(self) -> Result<Option<Box<str>>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<Box<str>>, E> {
        Ok(stand_in(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Box<str>>, A::Error> {
        let Named { id, name } = named(map)?;
        Ok(id
            .map(String::into_boxed_str)
            .or_else(|| name.as_deref().and_then(stand_in)))
    }
}
