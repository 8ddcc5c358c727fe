//! Forgetting one person at their wish: what is kept about them goes, the card id and a keyed hash of the key stay.
//!
//! A card that has its key and a person who is in the sources are remembered anew by the next run: forgetting is for those
//! who have left, after their records and their card are gone or anonymized.

use crate::core::memory::ledger::LedgerEntry;
use crate::core::memory::seen::SeenValues;
use crate::core::model::ids::{CardId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::Change;
use crate::engine::records::{Kept, RecordsKeeper};
use crate::engine::state::{KeyHasher, Learned, RunLease, StateWriter, StoreError};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Why nobody was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "nothing was forgotten: a request about this person, of run {run}, has no known effect yet; the next run settles it by reading, then forget again"
    )]
    InDoubt { run: RunId },
    #[error(
        "nothing was forgotten: a change of this person is half-way since run {run}, and its values are what ends it; `cardsync run` \
         finishes it or says in `cardsync holds` what to put right in TOPdesk, then forget again"
    )]
    HalfWay { run: RunId },
    #[error(
        "nobody with this key or card id is known, and nothing was changed; names are not accepted: find the number with `cardsync explain NAME`"
    )]
    Unknown,
}

/// Somebody of whom something is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub cards: BTreeSet<CardId>,
    /// Every key they had.
    pub keys: BTreeSet<Key>,
    /// Entries of the ledger that still name a key.
    pub remembered: u64,
    /// Their cards in TOPdesk, as far as nobody has seen them anonymized, and since when each stands archived by cardsync.
    /// Forgetting changes nothing there.
    pub in_topdesk: BTreeMap<CardId, Option<DateTime<Utc>>>,
    pub kept: Kept,
}

/// Who is meant by a key or a card id, in the ledger. Pure.
pub fn entries_of<'a>(
    ledger: &'a BTreeMap<CardId, LedgerEntry>,
    key: Option<&Key>,
    card: &CardId,
    hasher: &KeyHasher,
) -> Vec<&'a LedgerEntry> {
    let hash = key.map(|key| hasher.hash(key));
    let by_key = |entry: &LedgerEntry| {
        let named = |known: &Key| Some(known) == key;
        let hashed = hash.is_some() && entry.key_hash == hash;
        entry.key.as_ref().is_some_and(named) || entry.former_keys.iter().any(named) || hashed
    };
    ledger
        .values()
        .filter(|entry| entry.card == *card || by_key(entry))
        .collect()
}

/// Whether a text may stand in a sentence without meaning a person: it has no digit, or is no longer than a count.
fn can_be_a_word(key: &Key) -> bool {
    let text = key.as_str();
    text.len() < 4 || !text.contains(|letter: char| letter.is_ascii_digit())
}

/// What of an entry is not personal.
fn without_person(entry: &LedgerEntry, hasher: &KeyHasher) -> LedgerEntry {
    let mut left = entry.clone();
    if let Some(key) = left.key.take() {
        left.key_hash = Some(hasher.hash(&key));
    }
    left.former_keys.clear();
    left.anchors.clear();
    left.sightings.clear();
    left.leaving_since = None;
    left.leaves_on = None;
    left.leaving_is_certain = false;
    left.access_later = false;
    left.seen = SeenValues::default();
    left
}

/// What is kept of whoever has this key or card id. Refuses while a request about them is in doubt, or a change half-way.
pub async fn look<S: StateWriter + RecordsKeeper>(
    store: &S,
    key: Option<&Key>,
    card: &CardId,
    now: DateTime<Utc>,
) -> Result<Person, ForgetError> {
    let remembered = store.load(now).await?;
    let entries = entries_of(&remembered.ledger, key, card, &remembered.hasher);
    let mut cards: BTreeSet<CardId> = entries.iter().map(|entry| entry.card.clone()).collect();
    cards.insert(card.clone());
    let mut keys: BTreeSet<Key> = key.cloned().into_iter().collect();
    for entry in &entries {
        keys.extend(entry.key.iter().chain(&entry.former_keys).cloned());
    }
    let concerns = |change: &Change| {
        change.keys().any(|key| keys.contains(key)) || change.cards().into_iter().any(|card| cards.contains(card))
    };
    let open = store.open_intents().await?;
    if let Some(open) = open.into_iter().find(|open| concerns(&open.change)) {
        return Err(ForgetError::InDoubt { run: open.run });
    }
    let halves = store.halfway().await?;
    if let Some(half) = halves.into_iter().find(|half| concerns(&half.change)) {
        return Err(ForgetError::HalfWay { run: half.run });
    }
    let mut kept = Kept::default();
    for card in &cards {
        kept.add(store.kept(card, &keys).await?);
    }
    kept.inputs = store.inputs_about(&cards, &keys).await?;
    let named = entries.iter().filter(|entry| entry.key.is_some()).count() as u64;
    // A word in texts about others is a key only where it can be nothing else: names and the words of a sentence are none.
    let only_mentioned = Kept { elsewhere: 0, ..kept } == Kept::default();
    if named == 0 && only_mentioned && (kept.elsewhere == 0 || keys.iter().all(can_be_a_word)) {
        return Err(ForgetError::Unknown);
    }
    let in_topdesk = entries.iter().filter(|entry| !entry.anonymized);
    let in_topdesk = in_topdesk.map(|entry| {
        let archived = entry.archived_by_us.as_ref().map(|archive| archive.at);
        (entry.card.clone(), archived)
    });
    Ok(Person {
        in_topdesk: in_topdesk.collect(),
        cards,
        keys,
        remembered: named,
        kept,
    })
}

/// Forgets them. The file is written anew, so that nothing stays in unused places.
pub async fn forget<S: StateWriter + RecordsKeeper>(
    store: &S,
    lease: &RunLease,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<(), ForgetError> {
    let remembered = store.load(now).await?;
    // What was typed may be no card's id; a card's own id says more where it takes the place of a key.
    let is_key = |card: &&CardId| person.keys.iter().any(|key| key.as_str() == card.as_str());
    let (typed, cards): (Vec<&CardId>, Vec<&CardId>) = person.cards.iter().partition(is_key);
    for card in cards.into_iter().chain(typed) {
        store.forget(lease, card, &person.keys).await?;
    }
    let left: Vec<LedgerEntry> = person
        .cards
        .iter()
        .filter_map(|card| remembered.ledger.get(card))
        .map(|entry| without_person(entry, &remembered.hasher))
        .collect();
    let learned = Learned {
        ledger: &left,
        ..Learned::default()
    };
    store.learn(lease, learned, now).await?;
    store.forget_inputs(lease, &person.cards, &person.keys).await?;
    store.rewrite(lease).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::memory::ledger::Origin;

    fn ledger() -> BTreeMap<CardId, LedgerEntry> {
        let at = DateTime::UNIX_EPOCH;
        let mut renumbered = LedgerEntry::new("c1".into(), Key::stored("200"), Origin::Matched, at);
        renumbered.former_keys.push(Key::stored("100"));
        let other = LedgerEntry::new("c2".into(), Key::stored("300"), Origin::Created, at);
        [renumbered, other]
            .into_iter()
            .map(|entry| (entry.card.clone(), entry))
            .collect()
    }

    #[test]
    fn somebody_is_found_by_a_key_a_former_key_and_a_card_id() {
        let ledger = ledger();
        let hasher = KeyHasher::new([3; 32]);
        let found = |key: &str, card: &str| -> Vec<String> {
            let key = Key::stored(key);
            let entries = entries_of(&ledger, Some(&key), &card.into(), &hasher);
            entries.iter().map(|entry| entry.card.to_string()).collect()
        };
        assert_eq!(found("200", "200"), ["c1"]);
        assert_eq!(found("100", "100"), ["c1"]);
        assert_eq!(found("c2", "c2"), ["c2"]);
        assert!(found("400", "400").is_empty());
    }

    #[test]
    fn a_forgotten_person_is_found_again_by_the_hash_alone() {
        let hasher = KeyHasher::new([3; 32]);
        let left: BTreeMap<CardId, LedgerEntry> = ledger()
            .into_iter()
            .map(|(card, entry)| (card, without_person(&entry, &hasher)))
            .collect();
        assert!(
            left.values()
                .all(|entry| entry.key.is_none() && entry.former_keys.is_empty())
        );
        let entries = entries_of(&left, Some(&Key::stored("200")), &"200".into(), &hasher);
        assert_eq!(entries.len(), 1);
    }
}
