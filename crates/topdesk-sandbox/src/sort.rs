//! The order of a list. Pure.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::access::{Access, Datum};
use super::card::Place;
use super::fields::{Kind, common};
use super::problem::Problem;
use super::settings::Settings;
use super::world::World;

/// The order of a list: `name:asc,other:desc`.
#[derive(Debug)]
pub struct Sort {
    keys: Vec<(Access, bool)>,
}

impl Sort {
    /// Reads a `sort` parameter.
    ///
    /// # Errors
    /// When a field is unknown or a direction is neither `asc` nor `desc`.
    pub fn parse(kind: Kind, text: &str, settings: &Settings) -> Result<Sort, Problem> {
        let mut keys = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, direction) = part.split_once(':').unwrap_or((part, "asc"));
            let descending = match direction.trim().to_ascii_lowercase().as_str() {
                "asc" => false,
                "desc" => true,
                _ => return Err(Problem::malformed()),
            };
            let access = Access::find(kind, name.trim(), settings).map_err(|_| Problem::malformed())?;
            if access == Access::Field(common::ID) && !settings.sort_by_id {
                return Err(Problem::malformed());
            }
            keys.push((access, descending));
        }
        Ok(Sort { keys })
    }

    /// Sorts places; cards that are equal stay in the order they were made.
    pub fn apply(&self, world: &World, kind: Kind, places: &mut [Place]) {
        if let [(Access::Field(common::ID), false)] = self.keys[..] {
            places.sort_by_key(|place| world.card(kind, *place).id);
            return;
        }
        for (access, descending) in self.keys.iter().rev() {
            let key = |place: &Place| {
                Key(match access.read(world, kind, world.card(kind, *place)) {
                    Datum::Text(text) => Datum::Text(Cow::Owned(text.to_lowercase())),
                    Datum::Null => Datum::Null,
                    Datum::Flag(on) => Datum::Flag(on),
                    Datum::Number(number) => Datum::Number(number),
                    Datum::Date(millis) => Datum::Date(millis),
                    Datum::Id(id) => Datum::Id(id),
                })
            };
            if *descending {
                places.sort_by_cached_key(|place| std::cmp::Reverse(key(place)));
            } else {
                places.sort_by_cached_key(key);
            }
        }
    }
}

/// A value as a sort key: nothing comes first.
struct Key(Datum<'static>);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Datum::Null, Datum::Null) => Ordering::Equal,
            (Datum::Null, _) => Ordering::Less,
            (_, Datum::Null) => Ordering::Greater,
            (Datum::Text(a), Datum::Text(b)) => a.cmp(b),
            (Datum::Flag(a), Datum::Flag(b)) => a.cmp(b),
            (Datum::Number(a), Datum::Number(b)) => a.total_cmp(b),
            (Datum::Date(a), Datum::Date(b)) => a.cmp(b),
            (Datum::Id(a), Datum::Id(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}
