//! Measures what became of the company in the sandbox, in the same words as [`super::email_import::Harm`].

use super::cards::Card;
use super::email_import::Harm;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whose card is whose: known for the cards of the beginning, by number for the later ones.
pub struct Owners {
    owners: BTreeMap<String, u32>,
    /// How many cards each human had then.
    had: BTreeMap<u32, u32>,
}

impl Owners {
    /// The owners of the cards of the beginning.
    pub fn of(cards: &[Card]) -> Self {
        let known = cards
            .iter()
            .filter_map(|card| card.human.map(|human| (card.id().to_string(), human)));
        Self::known(known.collect())
    }

    /// These owners, by the id of the card.
    pub fn known(owners: BTreeMap<String, u32>) -> Self {
        let mut had = BTreeMap::new();
        for owner in owners.values() {
            *had.entry(*owner).or_default() += 1;
        }
        Self { owners, had }
    }

    fn owner(&self, card: &Value) -> Option<u32> {
        let id = card["id"].as_str()?;
        self.owners.get(id).copied().or_else(|| number(card))
    }
}

fn number(card: &Value) -> Option<u32> {
    card["employeeNumber"].as_str()?.parse().ok()
}

fn rows<'a>(state: &'a Value, array: &str) -> impl Iterator<Item = &'a Value> {
    state[array].as_array().into_iter().flatten()
}

/// The harm that stands in the sandbox now.
pub fn measure(state: &Value, owners: &Owners, employed: &BTreeSet<u32>) -> Harm {
    let mut harm = Harm::default();
    let mut cards: BTreeMap<u32, u32> = BTreeMap::new();
    let mut holders: BTreeMap<u32, u32> = BTreeMap::new();
    let mut archived: BTreeMap<&str, u32> = BTreeMap::new();
    let mut has_active: BTreeSet<u32> = BTreeSet::new();
    for card in rows(state, "persons") {
        let Some(owner) = owners.owner(card) else { continue };
        *cards.entry(owner).or_default() += 1;
        if number(card).is_some_and(|number| number != owner) {
            harm.mixed_up.insert(owner);
        }
        if card["archived"] == true {
            archived.extend(card["id"].as_str().map(|id| (id, owner)));
            if employed.contains(&owner) {
                harm.archived.insert(owner);
            }
        } else {
            has_active.insert(owner);
            if let Some(number) = number(card) {
                *holders.entry(number).or_default() += 1;
            }
        }
    }
    // Of a merge the twin stays behind.
    harm.archived.retain(|owner| !has_active.contains(owner));
    let more = cards
        .iter()
        .filter(|(owner, count)| **count > owners.had.get(owner).copied().unwrap_or(1));
    harm.second_card.extend(more.map(|(owner, _)| *owner));
    harm.double_numbers.extend(several(&holders));
    for operator in rows(state, "operators").filter(|operator| operator["status"] == "operatorArchived") {
        let linked = operator["linkedPerson"]["id"].as_str();
        if let Some(owner) = linked
            .and_then(|id| archived.get(id))
            .filter(|owner| employed.contains(owner))
        {
            harm.locked_out.insert(*owner);
        }
    }
    harm
}

fn several(counts: &BTreeMap<u32, u32>) -> impl Iterator<Item = u32> {
    counts
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::person::Person;
    use serde_json::json;

    #[test]
    fn every_kind_of_harm_is_seen() {
        let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let cards: Vec<Card> = (0..4).map(|index| Card::in_step(Person::new(index, today))).collect();
        let id = |n: usize| cards[n].id().to_string();
        let state = json!({
            "persons": [
                { "id": id(0), "employeeNumber": "100001", "archived": true },
                { "id": id(1), "employeeNumber": "100003", "archived": false },
                { "id": id(2), "employeeNumber": "100003", "archived": false },
                { "id": "another", "employeeNumber": "100004", "archived": false },
                { "id": id(3), "employeeNumber": "100004", "archived": true },
                { "id": "nobody's", "archived": true },
            ],
            "operators": [{ "status": "operatorArchived", "linkedPerson": { "id": id(0) } }],
        });
        let employed = BTreeSet::from([100_001, 100_002, 100_003]);
        let harm = measure(&state, &Owners::of(&cards), &employed);
        let set = |numbers: &[u32]| numbers.iter().copied().collect::<BTreeSet<u32>>();
        assert_eq!(harm.archived, set(&[100_001]));
        assert_eq!(harm.locked_out, set(&[100_001]));
        assert_eq!(harm.mixed_up, set(&[100_002]));
        assert_eq!(harm.double_numbers, set(&[100_003]));
        assert_eq!(harm.second_card, set(&[100_004]));
    }
}
