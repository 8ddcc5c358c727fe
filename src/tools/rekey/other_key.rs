//! What a plan would be made of if another card field were the key. A what-if: nothing of it is ever applied or remembered.
//!
//! The sources keep joining by the key they have; what changes is the value that is compared with the cards. It comes from the
//! mapping: the key of a person under `email` is what `fields.email` gives for that person.

use crate::core::input::PlanInput;
use crate::core::memory::asked::Asked;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::memory::pin::{Pin, Pinned};
use crate::core::model::card::PersonCard;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{
    Describe, Description, Desired, FirstDay, JoinedRecord, LastDay, Moment, Truth, Wanted,
};
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, KeyReading, KeySpec, Normaliser, RawKey};
use crate::core::model::record::SourceRecord;
use crate::core::reads::merge::{Member, Population};
use crate::core::reads::snapshot::{Snapshot, SnapshotReader};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// What a person's key is under both keys.
#[derive(Clone, Debug, Default)]
pub struct Translation {
    /// The key under the other field, by the configured one.
    to_other: BTreeMap<Key, (Key, RawKey)>,
    /// The configured key, where only one person has the other one.
    to_configured: BTreeMap<Key, Key>,
    /// People of the authoritative sources who have no value in the other field, by the configured key.
    pub without: BTreeSet<Key>,
    /// Values of the other field that several people share.
    pub shared: BTreeSet<Key>,
}

impl Translation {
    fn add(&mut self, configured: &Key, other: Option<(Key, RawKey)>) {
        let Some((key, raw)) = other else {
            self.without.insert(configured.clone());
            return;
        };
        if self.shared.contains(&key) || self.to_configured.insert(key.clone(), configured.clone()).is_some() {
            self.to_configured.remove(&key);
            self.shared.insert(key.clone());
        }
        self.to_other.insert(configured.clone(), (key, raw));
    }

    /// The key under the other field.
    pub fn other(&self, configured: &Key) -> Option<&Key> {
        self.to_other.get(configured).map(|(key, _)| key)
    }

    /// The configured key of the only person who has this one.
    pub fn configured(&self, other: &Key) -> Option<&Key> {
        self.to_configured.get(other)
    }
}

/// The input of a plan under another key, and how the two keys go together.
#[derive(Clone, Debug)]
pub struct UnderOtherKey {
    pub input: PlanInput,
    pub translation: Translation,
}

/// How another field is compared: like the configured key, but e-mail addresses, logins and names ignore case as well.
pub fn spec_of(field: CardField, configured: &KeySpec) -> KeySpec {
    let folds = field == CardField::Email || field.is_login() || field.is_name();
    let ignores_case = [Normaliser::Uppercase, Normaliser::Lowercase];
    let mut normalise = if folds {
        vec![Normaliser::Trim]
    } else {
        configured.normalise.clone()
    };
    if folds {
        let case = configured.normalise.iter().find(|step| ignores_case.contains(step));
        normalise.push(case.copied().unwrap_or(Normaliser::Lowercase));
    }
    KeySpec {
        card_field: field,
        normalise,
        immutable: false,
    }
}

/// The same reads with another key: records, ledger, protected people and whatever else names somebody by a key. Decisions are
/// left out, for they are about items of the configured key.
pub fn under_other_key(input: &PlanInput, describe: &dyn Describe, spec: KeySpec) -> UnderOtherKey {
    let other = |joined: &JoinedRecord<'_>| -> Option<(Key, RawKey)> {
        match describe
            .describe(joined, input.moment)
            .fields
            .remove(&spec.card_field)?
        {
            Desired::Set(Wanted::Value(FieldValue::Text(text))) => match spec.read(&text) {
                KeyReading::Key(key) => Some((key, RawKey(text))),
                KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } | KeyReading::Hidden { .. } => {
                    None
                }
            },
            Desired::Set(_) | Desired::Clear | Desired::Unknown(_) => None,
        }
    };
    let mut translation = Translation::default();
    let population = Population::new(&input.snapshots, &input.policy.same_people);
    let mut in_conflict = BTreeSet::new();
    for member in population.members() {
        match member {
            Member::Person(person) => translation.add(person.key, other(&person.joined)),
            Member::Conflict(conflict) => {
                in_conflict.insert(conflict.key);
            }
            Member::Rejected(_) | Member::Skipped(_) => {}
        }
    }
    // Records that share the configured key are people of their own under another one.
    let alone = |snapshot: &Snapshot, record: &SourceRecord| -> Option<(Key, RawKey)> {
        if in_conflict.contains(&record.key) {
            other(&JoinedRecord::alone(&input.snapshots, &snapshot.summary.name, record))
        } else {
            translation.to_other.get(&record.key).cloned()
        }
    };
    let skipped = keys_on_cards(input, &spec);
    let snapshots = input.snapshots.iter().map(|snapshot| {
        let under = snapshot.rekeyed(|record| alone(snapshot, record), |key| translation.other(key));
        let others = snapshot.skipped().iter().filter_map(|key| skipped.get(key).cloned());
        under.with_skipped(others.collect())
    });
    let mut under = PlanInput {
        snapshots: snapshots.collect(),
        ledger: BTreeMap::new(),
        decisions: BTreeMap::new(),
        former: None,
        ..without_bulk(input)
    };
    under.ledger = ledger(input, &spec);
    under.policy.protected.cards.extend(protected_cards(input));
    let translated = |keys: &BTreeSet<Key>| -> BTreeSet<Key> {
        keys.iter().filter_map(|key| translation.other(key)).cloned().collect()
    };
    under.policy.protected.keys = translated(&input.policy.protected.keys);
    under.in_doubt = translated(&input.in_doubt);
    under.purged_keys = translated(&input.purged_keys);
    let forgotten = input.forgotten_cards.iter();
    under.forgotten_cards = forgotten
        .filter_map(|(key, card)| Some((translation.other(key)?.clone(), card.clone())))
        .collect();
    under.pins = input
        .pins
        .iter()
        .filter_map(|pin| pin_under(pin, &translation))
        .collect();
    under.policy.key = spec;
    UnderOtherKey {
        input: under,
        translation,
    }
}

/// Everything but what is made anew: a company's records need not be copied twice.
fn without_bulk(input: &PlanInput) -> PlanInput {
    PlanInput {
        environment: input.environment.clone(),
        policy: input.policy.clone(),
        moment: input.moment,
        clock: input.clock.clone(),
        snapshots: Vec::new(),
        target: input.target.clone(),
        ledger: BTreeMap::new(),
        decisions: BTreeMap::new(),
        contact: input.contact.clone(),
        former: None,
        budget_used: input.budget_used.clone(),
        set_aside: input.set_aside.clone(),
        groups: input.groups.clone(),
        in_doubt: BTreeSet::new(),
        purged_keys: BTreeSet::new(),
        forgotten_cards: BTreeMap::new(),
        pins: Vec::new(),
        half_done: input.half_done.clone(),
        writes: input.writes.clone(),
    }
}

/// What would be remembered of the cards, had they been kept under the other key: a card without a value there would not be
/// known at all.
fn ledger(input: &PlanInput, spec: &KeySpec) -> BTreeMap<CardId, LedgerEntry> {
    let cards = &input.target.cards;
    let on_card = |entry: &LedgerEntry| -> Option<Key> {
        let at = cards.binary_search_by(|card| card.id.cmp(&entry.card)).ok()?;
        match spec.read(cards[at].fields.text(spec.card_field).unwrap_or_default()) {
            KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
            KeyReading::None | KeyReading::Anonymized => None,
        }
    };
    let entries = input.ledger.iter().filter_map(|(card, entry)| {
        let mut entry = entry.clone();
        if entry.key.is_some() {
            entry.key = Some(on_card(&entry)?);
        }
        // What the person's key was before, under this field, nobody knows.
        entry.former_keys.clear();
        Some((card.clone(), entry))
    });
    entries.collect()
}

/// The other key of those who are out of scope because their records are skipped: what is on their card, since nothing is
/// kept of such a record but its key.
fn keys_on_cards(input: &PlanInput, spec: &KeySpec) -> BTreeMap<Key, Key> {
    if input.snapshots.iter().all(|snapshot| snapshot.skipped().is_empty()) {
        return BTreeMap::new();
    }
    let on_card = |card: &PersonCard, spec: &KeySpec| match spec.read(card.fields.text(spec.card_field)?) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
        KeyReading::None | KeyReading::Anonymized => None,
    };
    let cards = input.target.cards.iter();
    cards
        .filter_map(|card| Some((on_card(card, &input.policy.key)?, on_card(card, spec)?)))
        .collect()
}

fn protected_cards(input: &PlanInput) -> impl Iterator<Item = CardId> {
    let policy = &input.policy;
    let is_protected = |text: &str| match policy.key.read(text) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => {
            policy.protected.keys.contains(&key)
        }
        KeyReading::None | KeyReading::Anonymized => false,
    };
    let cards = input.target.cards.iter();
    cards
        .filter(move |card| {
            !policy.protected.keys.is_empty() && card.fields.text(policy.key.card_field).is_some_and(is_protected)
        })
        .map(|card| card.id.clone())
}

fn pin_under(pin: &Pin, translation: &Translation) -> Option<Pin> {
    let mut pin = pin.clone();
    if let Pinned::Adopt { key } = &mut pin.what {
        *key = translation.other(key)?.clone();
    }
    Some(pin)
}

/// The mapping under another key: managers who are named by the configured key are found by theirs under the other one.
pub struct DescribeUnder<'a> {
    pub inner: &'a dyn Describe,
    pub translation: &'a Translation,
}

impl Describe for DescribeUnder<'_> {
    fn scope(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        self.inner.scope(joined, moment)
    }

    fn leaving(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        self.inner.leaving(joined, moment)
    }

    fn leaving_beyond_doubt(&self, joined: &JoinedRecord<'_>, moment: Moment, first_day: Option<NaiveDate>) -> Truth {
        self.inner.leaving_beyond_doubt(joined, moment, first_day)
    }

    fn last_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> LastDay {
        self.inner.last_day(joined, moment)
    }

    fn first_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Option<FirstDay> {
        self.inner.first_day(joined, moment)
    }

    fn leaves_by_date(&self) -> bool {
        self.inner.leaves_by_date()
    }

    fn managers_by_dn(&self) -> bool {
        self.inner.managers_by_dn()
    }

    fn behind(&self, asked: Asked, joined: &JoinedRecord<'_>) -> Vec<String> {
        self.inner.behind(asked, joined)
    }

    fn describe(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Description {
        let mut description = self.inner.describe(joined, moment);
        for desired in description.fields.values_mut() {
            if let Desired::Set(Wanted::ManagerKey(key)) = desired
                && let Some(other) = self.translation.other(key)
            {
                *key = other.clone();
            }
        }
        description
    }
}

impl Snapshot {
    /// The same read with other keys. A record that has none becomes one without a usable key, as if the source had been read
    /// so; rejections keep a key only where it is known under the other field.
    fn rekeyed<'k>(
        &self,
        key_of: impl Fn(&SourceRecord) -> Option<(Key, RawKey)>,
        other: impl Fn(&Key) -> Option<&'k Key>,
    ) -> Snapshot {
        let mut records = Vec::with_capacity(self.len());
        let mut lost = Vec::new();
        for record in self.records() {
            match key_of(record) {
                Some((key, raw_key)) => records.push(SourceRecord {
                    key,
                    raw_key,
                    ..record.clone()
                }),
                None => lost.push(record),
            }
        }
        let rejections = self.rejections.iter().cloned().map(|mut rejection| {
            rejection.key = rejection.key.as_ref().and_then(&other).cloned();
            rejection
        });
        self.with_other_keys(records, lost, rejections.collect())
    }
}
