//! What TOPdesk has refused for what is in it: such a request would be refused in every run, and take with it what shares
//! it. A field that was refused once is sent by itself the next time; what was refused twice waits for a human.

use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::{Change, FieldChange, Plan, short_hash};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A value of a field that TOPdesk refused, alone or together with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RefusedValue {
    /// A hash of the value: another one has not been refused.
    value: String,
    times: u32,
}

/// What TOPdesk has refused and is still wanted. Holds no values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<CardId, BTreeMap<CardField, RefusedValue>>,
    /// Items that write no fields of a card that is there, with how often they were refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    items: BTreeMap<ItemId, u32>,
}

fn hash_of(change: &FieldChange) -> String {
    short_hash(&serde_json::to_vec(&change.to).expect("plain data always serialises"))
}

/// The card and its fields, of a change that only writes fields.
fn writes_fields(change: &Change) -> Option<(&CardId, &[FieldChange])> {
    use crate::core::plan::ActionKind::{
        Adopt, Anonymize, Archive, Create, CreateEntry, Exchange, Merge, SetReferences, Unarchive, Update,
    };
    match change.action.kind() {
        Update | SetReferences => Some((change.card.as_ref()?, change.action.fields())),
        CreateEntry | Create | Unarchive | Adopt | Exchange | Merge | Archive | Anonymize => None,
    }
}

impl Refusals {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.items.is_empty()
    }

    /// Whether this value of this field was part of a request that was refused.
    pub fn concerns(&self, card: &CardId, change: &FieldChange) -> bool {
        self.times_of(card, change) > 0
    }

    fn times_of(&self, card: &CardId, change: &FieldChange) -> u32 {
        let known = self.fields.get(card).and_then(|fields| fields.get(&change.field));
        known
            .filter(|known| known.value == hash_of(change))
            .map_or(0, |known| known.times)
    }

    /// How often the whole of a change was refused.
    pub fn times(&self, change: &Change) -> u32 {
        match writes_fields(change) {
            Some((card, fields)) => fields.iter().map(|field| self.times_of(card, field)).min().unwrap_or(0),
            None => self.items.get(&change.id).copied().unwrap_or(0),
        }
    }

    /// Learns of a change that was refused.
    pub fn refused(&mut self, change: &Change) {
        let Some((card, fields)) = writes_fields(change) else {
            *self.items.entry(change.id.clone()).or_default() += 1;
            return;
        };
        let of_card = self.fields.entry(card.clone()).or_default();
        for field in fields {
            let value = hash_of(field);
            let known = of_card.get(&field.field).filter(|known| known.value == value);
            let times = known.map_or(0, |known| known.times) + 1;
            of_card.insert(field.field, RefusedValue { value, times });
        }
    }

    /// Learns of a change that was done.
    pub fn done(&mut self, change: &Change) {
        self.items.remove(&change.id);
        let Some((card, fields)) = writes_fields(change) else {
            return;
        };
        if let Some(of_card) = self.fields.get_mut(card) {
            of_card.retain(|field, _| !fields.iter().any(|change| change.field == *field));
        }
        self.fields.retain(|_, of_card| !of_card.is_empty());
    }

    /// Forgets what a plan does not want any more.
    pub fn keep_wanted(&mut self, plan: &Plan) {
        if self.is_empty() {
            return;
        }
        let mut wanted: BTreeSet<(&CardId, CardField, String)> = BTreeSet::new();
        for (card, fields) in plan.changes.iter().filter_map(writes_fields) {
            wanted.extend(fields.iter().map(|field| (card, field.field, hash_of(field))));
        }
        for (card, of_card) in &mut self.fields {
            of_card.retain(|field, known| wanted.contains(&(card, *field, known.value.clone())));
        }
        self.fields.retain(|_, of_card| !of_card.is_empty());
        let items: BTreeSet<&ItemId> = plan.changes.iter().map(|change| &change.id).collect();
        self.items.retain(|item, _| items.contains(item));
    }

    /// Which changes of a card's fields go together: what was refused before goes alone, so that it takes nothing along.
    /// A branch and its location are one.
    pub fn apart(&self, card: &CardId, changes: Vec<FieldChange>) -> Vec<Vec<FieldChange>> {
        let mut together = Vec::new();
        let mut place = Vec::new();
        let mut alone = Vec::new();
        let of_place = |field| matches!(field, CardField::Branch | CardField::Location);
        let place_refused = changes
            .iter()
            .any(|change| of_place(change.field) && self.concerns(card, change));
        for change in changes {
            if of_place(change.field) && place_refused {
                place.push(change);
            } else if self.concerns(card, &change) {
                alone.push(vec![change]);
            } else {
                together.push(change);
            }
        }
        let mut groups = vec![together, place];
        groups.extend(alone);
        groups.retain(|group| !group.is_empty());
        groups
    }
}
