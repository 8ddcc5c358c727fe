//! What the mapped fields of a card showed when cardsync last saw them in step, as short hashes: enough to tell whether a
//! difference came about in TOPdesk or in the source, and nothing that could be read back from a lost store.

use crate::core::model::card::PersonCard;
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::plan::FieldChange;
use crate::core::rules::policy::{FieldPolicy, FieldRules};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The mapped fields that cardsync rules, in order, and the mark of exactly this set.
#[derive(Clone, Debug)]
pub struct RuledFields {
    fields: Vec<CardField>,
    mark: u32,
}

impl RuledFields {
    /// Of a configuration. Only what is enforced can be overwritten.
    pub fn of(rules: &BTreeMap<CardField, FieldRules>, key: CardField) -> Self {
        let ruled = |(field, rules): &(&CardField, &FieldRules)| match rules.policy {
            FieldPolicy::Enforce | FieldPolicy::NeverClear => **field != key,
            FieldPolicy::Seed => false,
        };
        let fields: Vec<CardField> = rules.iter().filter(ruled).map(|(field, _)| *field).collect();
        let names: Vec<String> = fields.iter().map(|field| field.name()).collect();
        Self {
            mark: hash(&[&names.join(",")]),
            fields,
        }
    }
}

/// Hashes of a card's ruled fields. Small: there is one per card of a company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenValues {
    /// The mark of the fields, that of the modification date, and one hash per field. Empty where nothing was seen.
    hashes: Box<[u32]>,
}

/// How many marks come before the fields.
const MARKS: usize = 2;

impl SeenValues {
    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether the card was not modified since all of it was seen in step.
    pub fn is_current(&self, card: &PersonCard, ruled: &RuledFields) -> bool {
        let modified = modification(card);
        modified != 0 && self.hashes.first() == Some(&ruled.mark) && self.hashes.get(1) == Some(&modified)
    }

    /// What is to be remembered of a card: what it shows, but for the fields that are not in step, of which the older
    /// value stays.
    pub fn next(&self, card: &PersonCard, ruled: &RuledFields, differing: &[FieldChange]) -> Self {
        let differs = |field: CardField| differing.iter().any(|change| change.field == field);
        let comparable = self.hashes.first() == Some(&ruled.mark);
        let mut in_step = true;
        let of_fields = ruled.fields.iter().enumerate().map(|(at, field)| {
            if differs(*field) {
                in_step = false;
                let before = comparable.then(|| self.hashes.get(MARKS + at).copied()).flatten();
                before.unwrap_or(UNKNOWN)
            } else {
                of_value(card, *field)
            }
        });
        let of_fields: Vec<u32> = of_fields.collect();
        let modified = if in_step { modification(card) } else { 0 };
        Self {
            hashes: [ruled.mark, modified].into_iter().chain(of_fields).collect(),
        }
    }

    /// What is to be remembered after a write of our own: the written fields as the card shows them now.
    pub fn after_write(&self, card: &PersonCard, ruled: &RuledFields, written: &[FieldChange]) -> Self {
        let mut next = self.clone();
        if next.hashes.first() != Some(&ruled.mark) {
            return next;
        }
        for (hash, field) in next.hashes.iter_mut().skip(MARKS).zip(&ruled.fields) {
            if written.iter().any(|change| change.field == *field) {
                *hash = of_value(card, *field);
            }
        }
        next
    }

    /// The fields among these changes whose old value is not the one that was seen: somebody entered it in TOPdesk.
    pub fn overwritten(&self, card: &PersonCard, ruled: &RuledFields, changes: &[FieldChange]) -> BTreeSet<CardField> {
        if self.hashes.first() != Some(&ruled.mark) {
            return BTreeSet::new();
        }
        let seen = ruled.fields.iter().zip(self.hashes.iter().skip(MARKS));
        let changed = seen.filter(|(field, seen)| {
            let differs = changes.iter().any(|change| change.field == **field);
            differs && **seen != UNKNOWN && **seen != of_value(card, **field)
        });
        changed.map(|(field, _)| *field).collect()
    }
}

/// Stands where no value was seen.
const UNKNOWN: u32 = 0;

fn hash(parts: &[&str]) -> u32 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let bytes = digest.finalize();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).max(1)
}

/// Seasoned with the card, so that equal values of two cards have nothing in common.
fn of_value(card: &PersonCard, field: CardField) -> u32 {
    let text = match card.fields.get(field) {
        None => String::new(),
        // A list entry that is renamed is the same entry.
        Some(FieldValue::Reference(Reference::Entry { id, .. })) => id.to_string(),
        Some(FieldValue::Reference(Reference::Card { id, .. })) => id.to_string(),
        Some(value) => value.display(),
    };
    hash(&[card.id.as_str(), &field.name(), text.trim()])
}

/// A mark of the modification date; 0 where TOPdesk gives none.
fn modification(card: &PersonCard) -> u32 {
    card.modified_at.map_or(0, |at| {
        let milliseconds = at.timestamp_millis().unsigned_abs();
        // Folded: two dates of one card that fall together are further apart than a card lives.
        ((milliseconds >> 32) as u32 ^ milliseconds as u32).max(1)
    })
}

impl Serialize for SeenValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.hashes.iter().map(|hash| format!("{hash:08x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for SeenValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let mut hashes = Vec::with_capacity(text.len() / 8);
        let mut rest: &str = &text;
        while let Some((digits, others)) = rest.split_at_checked(8) {
            let Ok(hash) = u32::from_str_radix(digits, 16) else {
                break;
            };
            hashes.push(hash);
            rest = others;
        }
        // What cannot be read was never seen.
        if !rest.is_empty() {
            hashes.clear();
        }
        Ok(Self { hashes: hashes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::card::CardFields;
    use crate::core::rules::policy::MissingEntry;
    use chrono::{TimeZone, Utc};

    fn card(title: &str, minute: u32) -> PersonCard {
        PersonCard {
            id: "c1".into(),
            archived: false,
            fields: [(CardField::JobTitle, FieldValue::Text(title.into()))]
                .into_iter()
                .collect::<CardFields>(),
            creator: None,
            modifier: None,
            created_at: None,
            modified_at: Utc.with_ymd_and_hms(2026, 3, 2, 9, minute, 0).single(),
        }
    }

    fn ruled(fields: &[CardField]) -> RuledFields {
        let rules = FieldRules {
            policy: FieldPolicy::Enforce,
            missing: MissingEntry::Hold,
        };
        let rules = fields.iter().map(|field| (*field, rules)).collect();
        RuledFields::of(&rules, CardField::EmployeeNumber)
    }

    fn to(title: &str) -> Vec<FieldChange> {
        vec![FieldChange {
            field: CardField::JobTitle,
            from: None,
            to: FieldValue::text(title),
        }]
    }

    #[test]
    fn a_value_that_was_entered_in_topdesk_is_told_from_one_that_the_source_changed() {
        let ruled = ruled(&[CardField::JobTitle]);
        let seen = SeenValues::default().next(&card("Clerk", 1), &ruled, &[]);
        assert!(seen.is_current(&card("Clerk", 1), &ruled));
        assert!(!seen.is_current(&card("Clerk", 2), &ruled));
        let by_source = seen.overwritten(&card("Clerk", 1), &ruled, &to("Head"));
        assert_eq!(by_source, BTreeSet::new());
        let by_hand = seen.overwritten(&card("Chief", 2), &ruled, &to("Clerk"));
        assert_eq!(by_hand, BTreeSet::from([CardField::JobTitle]));
        // While it waits, it stays so.
        let waiting = seen.next(&card("Chief", 2), &ruled, &to("Clerk"));
        assert!(!waiting.is_current(&card("Chief", 2), &ruled));
        assert_eq!(waiting.overwritten(&card("Chief", 2), &ruled, &to("Clerk")), by_hand);
    }

    #[test]
    fn what_was_never_seen_or_seen_under_other_fields_says_nothing() {
        let one = ruled(&[CardField::JobTitle]);
        let two = ruled(&[CardField::JobTitle, CardField::Email]);
        let never = SeenValues::default();
        assert_eq!(
            never.overwritten(&card("Chief", 2), &one, &to("Clerk")),
            BTreeSet::new()
        );
        let waiting = never.next(&card("Chief", 2), &one, &to("Clerk"));
        assert_eq!(
            waiting.overwritten(&card("Chief", 2), &one, &to("Clerk")),
            BTreeSet::new()
        );
        let seen = never.next(&card("Clerk", 1), &one, &[]);
        assert_eq!(seen.overwritten(&card("Chief", 2), &two, &to("Clerk")), BTreeSet::new());
    }

    #[test]
    fn it_is_kept_as_text() {
        let seen = SeenValues::default().next(&card("Clerk", 1), &ruled(&[CardField::JobTitle]), &[]);
        let text = serde_json::to_string(&seen).expect("json");
        assert_eq!(serde_json::from_str::<SeenValues>(&text).expect("json"), seen);
        assert_eq!(text.len(), 3 * 8 + 2);
    }
}
