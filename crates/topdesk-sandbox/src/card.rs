//! One card and one table of cards, kept small: a hundred thousand persons fit in well under 150 MB.
//!
//! A card keeps only what is set: flags as bits, everything else as a short sorted list. References are places in another
//! table, so that reading a card needs no search. Must not know rules or HTTP.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::fields::{FieldNo, common};

/// A card's place in its table. Places never move.
pub type Place = u32;

/// The value of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text, never empty.
    Text(Box<str>),
    /// A number.
    Number(f64),
    /// Milliseconds since 1970.
    Date(i64),
    /// Place of another card in the table that the field's form names.
    Link(Place),
    /// Kept as it came.
    Json(Box<Value>),
}

#[derive(Debug, Clone)]
struct Slot {
    field: FieldNo,
    cell: Cell,
}

/// One card or list entry.
#[derive(Debug, Clone)]
pub struct Card {
    /// Its id.
    pub id: Uuid,
    flags: u128,
    slots: Vec<Slot>,
}

impl Card {
    /// A card with nothing on it.
    pub fn new(id: Uuid) -> Self {
        Card {
            id,
            flags: 0,
            slots: Vec::new(),
        }
    }

    /// True when this flag is set.
    pub fn flag(&self, field: FieldNo) -> bool {
        self.flags & (1u128 << field) != 0
    }

    /// Sets or clears a flag.
    pub fn set_flag(&mut self, field: FieldNo, on: bool) {
        if on {
            self.flags |= 1u128 << field;
        } else {
            self.flags &= !(1u128 << field);
        }
    }

    /// True when the card is archived.
    pub fn archived(&self) -> bool {
        self.flag(common::ARCHIVED)
    }

    /// The value of a field that is not a flag.
    pub fn cell(&self, field: FieldNo) -> Option<&Cell> {
        self.slots
            .binary_search_by_key(&field, |slot| slot.field)
            .ok()
            .map(|place| &self.slots[place].cell)
    }

    /// Sets a field, or clears it with `None`. Empty text clears.
    pub fn set(&mut self, field: FieldNo, cell: Option<Cell>) {
        let cell = cell.filter(|cell| !matches!(cell, Cell::Text(text) if text.is_empty()));
        match (self.slots.binary_search_by_key(&field, |slot| slot.field), cell) {
            (Ok(place), Some(cell)) => self.slots[place].cell = cell,
            (Ok(place), None) => {
                self.slots.remove(place);
            }
            (Err(place), Some(cell)) => {
                self.slots.reserve_exact(1);
                self.slots.insert(place, Slot { field, cell });
            }
            (Err(_), None) => {}
        }
    }

    /// The text of a field, empty when unset.
    pub fn text(&self, field: FieldNo) -> &str {
        match self.cell(field) {
            Some(Cell::Text(text)) => text,
            _ => "",
        }
    }

    /// The place a reference points to.
    pub fn link(&self, field: FieldNo) -> Option<Place> {
        match self.cell(field) {
            Some(Cell::Link(place)) => Some(*place),
            _ => None,
        }
    }

    /// The instant in a field, in milliseconds since 1970.
    pub fn date(&self, field: FieldNo) -> Option<i64> {
        match self.cell(field) {
            Some(Cell::Date(millis)) => Some(*millis),
            _ => None,
        }
    }

    /// All fields that are set and are not flags.
    pub fn cells(&self) -> impl Iterator<Item = (FieldNo, &Cell)> {
        self.slots.iter().map(|slot| (slot.field, &slot.cell))
    }

    /// Gives back memory that growing left over.
    pub fn shrink(&mut self) {
        self.slots.shrink_to_fit();
    }
}

/// Ids are random enough to be their own hash.
#[derive(Debug, Default, Clone)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
}

/// All cards of one kind, in the order they were made. A copy shares the cards until one of the two changes them.
#[derive(Debug, Clone, Default)]
pub struct Table {
    cards: Vec<Option<Arc<Card>>>,
    by_id: HashMap<Uuid, Place, BuildHasherDefault<IdHasher>>,
}

impl Table {
    /// Adds a card and says where; `None` when its id is taken.
    pub fn add(&mut self, card: Card) -> Option<Place> {
        let place = Place::try_from(self.cards.len()).expect("a table holds fewer than 4 billion cards");
        if self.by_id.contains_key(&card.id) {
            return None;
        }
        self.by_id.insert(card.id, place);
        self.cards.push(Some(Arc::new(card)));
        Some(place)
    }

    /// Removes a card for good, as a person in the user interface can.
    pub fn remove(&mut self, place: Place) {
        if let Some(card) = self.cards.get_mut(place as usize).and_then(Option::take) {
            self.by_id.remove(&card.id);
        }
    }

    /// Where the card with this id is.
    pub fn place(&self, id: &Uuid) -> Option<Place> {
        self.by_id.get(id).copied()
    }

    /// The card at this place, unless it was removed.
    pub fn get(&self, place: Place) -> Option<&Card> {
        self.cards.get(place as usize).and_then(Option::as_deref)
    }

    /// The card at this place, to change.
    pub fn get_mut(&mut self, place: Place) -> Option<&mut Card> {
        self.cards
            .get_mut(place as usize)
            .and_then(Option::as_mut)
            .map(Arc::make_mut)
    }

    /// All cards with their places.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &Card)> {
        (0u32..)
            .zip(self.cards.iter())
            .filter_map(|(place, card)| card.as_deref().map(|card| (place, card)))
    }

    /// How many cards there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}

/// Milliseconds since 1970 for a date as the API takes it: ISO 8601, offset optional (then UTC), time optional.
pub fn parse_date(text: &str) -> Option<i64> {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    for form in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M%z"] {
        if let Ok(date) = DateTime::parse_from_str(text, form) {
            return Some(date.timestamp_millis());
        }
    }
    let plain = text.strip_suffix('Z').unwrap_or(text);
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(date) = NaiveDateTime::parse_from_str(plain, form) {
            return Some(date.and_utc().timestamp_millis());
        }
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()?
        .and_hms_opt(0, 0, 0)
        .map(|date| date.and_utc().timestamp_millis())
}

/// True when a text looks like an e-mail address to the API.
pub fn is_email(text: &str) -> bool {
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && !domain.is_empty()
                && !local.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !text
                    .chars()
                    .any(|c| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>'))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_keeps_only_what_is_set() {
        let mut card = Card::new(Uuid::nil());
        card.set(common::NAME, Some(Cell::Text("Visser".into())));
        card.set(common::FIRST_NAME, Some(Cell::Text("".into())));
        assert_eq!(card.text(common::NAME), "Visser");
        assert_eq!(card.cells().count(), 1);
        card.set(common::NAME, None);
        assert_eq!(card.cells().count(), 0);
        card.set_flag(127, true);
        assert!(card.flag(127) && !card.flag(126));
    }

    #[test]
    fn a_table_refuses_a_second_card_with_one_id_and_keeps_places() {
        let mut table = Table::default();
        let first = table.add(Card::new(Uuid::from_u128(1))).unwrap();
        let second = table.add(Card::new(Uuid::from_u128(2))).unwrap();
        assert_eq!(table.add(Card::new(Uuid::from_u128(1))), None);
        table.remove(first);
        assert_eq!(table.place(&Uuid::from_u128(2)), Some(second));
        assert_eq!(table.len(), 1);
        assert!(table.get(first).is_none());
    }

    #[test]
    fn dates_are_read_in_every_form_the_api_takes() {
        let noon = parse_date("2015-11-15T12:00:00.000+0000");
        assert!(noon.is_some());
        for text in [
            "2015-11-15T14:00:00.000+0200",
            "2015-11-15T14:00:00+02:00",
            "2015-11-15T12:00:00Z",
            "2015-11-15T12:00:00.000",
            "2015-11-15T12:00",
        ] {
            assert_eq!(parse_date(text), noon, "{text}");
        }
        assert!(parse_date("2015-11-15").is_some());
        assert_eq!(parse_date("15-11-2015"), None);
    }

    #[test]
    fn addresses_are_checked_for_their_shape() {
        assert!(is_email("j.visser@example.org"));
        for wrong in ["", "visser", "@example.org", "a@", "a b@example.org", "a@b@c", "a@.org"] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
