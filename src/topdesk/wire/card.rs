//! Person cards as the API gives them, decoded straight into [`PersonCard`].
//!
//! Only the wanted fields are kept. Missing, null and blank are all 'empty'. The version 1 form, which archiving and
//! unarchiving answer with, differs in what is used here only by `status` in the place of `archived`.

mod field_value;

use self::field_value::{MakerSeed, ValueSeed};
use super::value::moment;
use crate::core::model::card::{CardFields, PersonCard};
use crate::core::model::field::{CardField, FieldKind, FieldValue};
use crate::core::model::ids::CardId;
use chrono_tz::Tz;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// What every card is read with, whatever the mapping needs.
const ALWAYS: [&str; 6] = [
    "id",
    "archived",
    "creator",
    "creationDate",
    "modifier",
    "modificationDate",
];

/// Which fields to keep and how to read them.
#[derive(Clone, Debug)]
pub(crate) struct CardShape {
    /// Top-level names of a card, with what they hold.
    top: HashMap<String, Slot>,
    /// Names inside the two optional tabs.
    tabs: [HashMap<String, (CardField, FieldKind)>; 2],
    /// The value of the parameter `fields`.
    fields: String,
    wanted: usize,
    zone: Tz,
}

/// What a name in a card stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Field(CardField, FieldKind),
    Tab(usize),
    Id,
    Archived,
    Status,
    Creator,
    Created,
    Modifier,
    Modified,
    /// Only there where the environment has budget holders.
    BudgetHolderSign,
}

impl CardShape {
    /// A shape for these fields; dates become calendar dates in this zone.
    pub(crate) fn new(wanted: &BTreeSet<CardField>, zone: Tz) -> Self {
        let mut top = HashMap::from([
            ("id".to_owned(), Slot::Id),
            ("archived".to_owned(), Slot::Archived),
            ("status".to_owned(), Slot::Status),
            ("creator".to_owned(), Slot::Creator),
            ("creationDate".to_owned(), Slot::Created),
            ("modifier".to_owned(), Slot::Modifier),
            ("modificationDate".to_owned(), Slot::Modified),
        ]);
        let mut tabs = [HashMap::new(), HashMap::new()];
        let mut names: BTreeSet<String> = ALWAYS.iter().map(|name| (*name).to_owned()).collect();
        for field in wanted {
            let name = field.name();
            if let Some((tab, inner)) = name.split_once('.') {
                let number = usize::from(tab.ends_with('2'));
                tabs[number].insert(inner.to_owned(), (*field, field.kind()));
                top.insert(tab.to_owned(), Slot::Tab(number));
                names.insert(tab.to_owned());
            } else {
                let read = read_name(*field, name);
                top.insert(read.clone(), Slot::Field(*field, field.kind()));
                names.insert(read);
            }
        }
        // A card without a budget holder and an environment without the field look the same; this flag tells.
        if wanted.contains(&CardField::BudgetHolder) && !wanted.contains(&CardField::ShowBudgetHolder) {
            let sign = read_name(CardField::ShowBudgetHolder, String::new());
            top.insert(sign.clone(), Slot::BudgetHolderSign);
            names.insert(sign);
        }
        Self {
            top,
            tabs,
            fields: names.into_iter().collect::<Vec<_>>().join(","),
            wanted: wanted.len(),
            zone,
        }
    }

    /// Every field there is: for the answers of writes.
    pub(crate) fn everything(zone: Tz) -> Self {
        Self::new(&CardField::all().collect(), zone)
    }

    /// The value of the parameter `fields`.
    pub(crate) fn fields(&self) -> &str {
        &self.fields
    }

    /// One card.
    pub(crate) fn card(&self, body: &[u8]) -> Result<PersonCard, String> {
        let reading = Reading::new(self);
        let mut json = serde_json::Deserializer::from_slice(body);
        let card = CardSeed { reading: &reading }.deserialize(&mut json);
        card.and_then(|card| json.end().map(|()| card))
            .map_err(|error| reading.explain(&error))
    }

    /// A page of cards.
    pub(crate) fn page(&self, body: &[u8]) -> Result<Page, String> {
        let reading = Reading::new(self);
        let mut json = serde_json::Deserializer::from_slice(body);
        let page = PageSeed { reading: &reading }.deserialize(&mut json);
        page.and_then(|page| json.end().map(|()| page))
            .map_err(|error| reading.explain(&error))
    }
}

fn read_name(field: CardField, write_name: String) -> String {
    match field {
        // Written with a capital H, read without (API description).
        CardField::ShowBudgetHolder => "showBudgetholder".to_owned(),
        _other => write_name,
    }
}

/// One page of the list of persons.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) cards: Vec<PersonCard>,
    /// The link to the next page as given.
    pub(crate) next: Option<String>,
    /// Whether a card showed the sign that budget holders are switched on.
    pub(crate) budget_holders: bool,
}

/// One decoding: the shape, and where it is, for errors.
struct Reading<'s> {
    shape: &'s CardShape,
    at: Cell<Option<Slot>>,
    budget_holders: Cell<bool>,
}

impl<'s> Reading<'s> {
    fn new(shape: &'s CardShape) -> Self {
        Self {
            shape,
            at: Cell::new(None),
            budget_holders: Cell::new(false),
        }
    }

    fn explain(&self, error: &serde_json::Error) -> String {
        let text = super::describe(error);
        match (self.at.get(), error.is_data()) {
            (Some(Slot::Field(field, _)), true) => format!("{text}: field {field}"),
            (Some(slot), true) => format!("{text}: {slot:?}"),
            (None, _) | (_, false) => text,
        }
    }
}

struct PageSeed<'s> {
    reading: &'s Reading<'s>,
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of persons, version 2")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut cards = None;
        let mut next = None;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "item" => cards = Some(map.next_value_seed(CardsSeed { reading: self.reading })?),
                "next" => {
                    next = map
                        .next_value::<Option<String>>()?
                        .filter(|link| !link.trim().is_empty())
                }
                _other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Page {
            cards: cards.ok_or_else(|| A::Error::missing_field("item"))?,
            next,
            budget_holders: self.reading.budget_holders.get(),
        })
    }
}

struct CardsSeed<'s> {
    reading: &'s Reading<'s>,
}

impl<'de> DeserializeSeed<'de> for CardsSeed<'_> {
    type Value = Vec<PersonCard>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<PersonCard>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for CardsSeed<'_> {
    type Value = Vec<PersonCard>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of persons")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<PersonCard>, A::Error> {
        let mut cards = Vec::new();
        while let Some(card) = seq.next_element_seed(CardSeed { reading: self.reading })? {
            cards.push(card);
        }
        Ok(cards)
    }
}

struct CardSeed<'s> {
    reading: &'s Reading<'s>,
}

impl<'de> DeserializeSeed<'de> for CardSeed<'_> {
    type Value = PersonCard;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PersonCard, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for CardSeed<'_> {
    type Value = PersonCard;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a person")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PersonCard, A::Error> {
        let reading = self.reading;
        let shape = reading.shape;
        let mut fields: Vec<(CardField, FieldValue)> = Vec::with_capacity(shape.wanted);
        let mut id = None;
        let mut archived = None;
        let mut creator = None;
        let mut modifier = None;
        let mut created_at = None;
        let mut modified_at = None;
        while let Some(slot) = map.next_key_seed(NameSeed { names: &shape.top })? {
            let Some(slot) = slot else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            reading.at.set(Some(slot));
            match slot {
                Slot::Field(field, kind) => {
                    if field == CardField::ShowBudgetHolder {
                        reading.budget_holders.set(true);
                    }
                    if let Some(value) = map.next_value_seed(ValueSeed::new(shape.zone, field, kind))? {
                        fields.push((field, value));
                    }
                }
                Slot::Tab(number) => map.next_value_seed(TabSeed {
                    reading,
                    names: &shape.tabs[number],
                    fields: &mut fields,
                })?,
                Slot::Id => id = map.next_value::<Option<String>>()?,
                Slot::Archived => archived = map.next_value::<Option<bool>>()?,
                Slot::Status => {
                    let status = map.next_value::<Option<String>>()?;
                    archived = archived.or_else(|| status.map(|status| status == "personArchived"));
                }
                Slot::Creator => creator = map.next_value_seed(MakerSeed)?,
                Slot::Modifier => modifier = map.next_value_seed(MakerSeed)?,
                Slot::Created => {
                    let text = map.next_value::<Option<String>>()?;
                    created_at = text.as_deref().and_then(moment);
                }
                Slot::Modified => {
                    let text = map.next_value::<Option<String>>()?;
                    modified_at = text.as_deref().and_then(moment);
                }
                Slot::BudgetHolderSign => {
                    reading.budget_holders.set(true);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        reading.at.set(None);
        let id = id
            .filter(|id| !id.is_empty())
            .ok_or_else(|| A::Error::missing_field("id"))?;
        Ok(PersonCard {
            id: card_id(&id),
            archived: archived.ok_or_else(|| A::Error::missing_field("archived"))?,
            fields: CardFields::from_iter(fields),
            creator,
            modifier,
            created_at,
            modified_at,
        })
    }
}

/// TOPdesk's id of a card in our one form.
pub(crate) fn card_id(text: &str) -> CardId {
    CardId::new(text.trim().to_ascii_lowercase())
}

/// Looks a name up without keeping it.
struct NameSeed<'s, T> {
    names: &'s HashMap<String, T>,
}

impl<'de, T: Copy> DeserializeSeed<'de> for NameSeed<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T: Copy> Visitor<'_> for NameSeed<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<T>, E> {
        Ok(self.names.get(name).copied())
    }
}

/// An optional tab: its wanted fields go beside the others.
struct TabSeed<'s, 'f> {
    reading: &'s Reading<'s>,
    names: &'s HashMap<String, (CardField, FieldKind)>,
    fields: &'f mut Vec<(CardField, FieldValue)>,
}

impl<'de> DeserializeSeed<'de> for TabSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TabSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an optional tab")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(found) = map.next_key_seed(NameSeed { names: self.names })? {
            let Some((field, kind)) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.reading.at.set(Some(Slot::Field(field, kind)));
            if let Some(value) = map.next_value_seed(ValueSeed::new(self.reading.shape.zone, field, kind))? {
                self.fields.push((field, value));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
