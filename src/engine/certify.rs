//! Takes out what is kept of people whose card shows anonymized, and writes their certificates (RULES 12).

use super::state::{KeyHasher, Learned, RunLease, StateWriter, StoreError};
use crate::core::memory::certificate::Certificate;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::memory::seen::SeenValues;
use crate::core::model::card::TargetSnapshot;
use crate::core::model::ids::{CardId, RunId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// The people whose data goes, with their certificates.
#[derive(Default)]
pub(super) struct Purge {
    pub(super) cards: Vec<CardId>,
    pub(super) certificates: Vec<Certificate>,
}

/// Takes the person out of each entry whose card shows anonymized; the card id and a keyed hash of the key stay. Not while a
/// request about the card is open or a change of it half-way: what recovery needs would go too. Their turn comes when the
/// entry still has a key and nothing is open any more. Pure.
pub(super) fn purge(
    ledger: &mut [LedgerEntry],
    busy: &BTreeSet<CardId>,
    target: &TargetSnapshot,
    hasher: &KeyHasher,
    run: &RunId,
    now: DateTime<Utc>,
) -> Purge {
    let mut purge = Purge::default();
    for entry in ledger.iter_mut().filter(|entry| entry.anonymized) {
        if busy.contains(&entry.card) {
            continue;
        }
        let hash = entry.key.take().map(|key| hasher.hash(&key));
        let newly = hash.is_some();
        entry.key_hash = hash.or(entry.key_hash.take());
        if newly {
            let found = target.cards.binary_search_by(|card| card.id.cmp(&entry.card));
            let card = found.ok().map(|at| &target.cards[at]);
            let modifier = card.and_then(|card| card.modifier.as_ref()).map(ToString::to_string);
            let hash = entry.key_hash.clone();
            let certificate = Certificate::of(entry, hash, card.is_some(), modifier, run, now);
            purge.certificates.push(certificate);
        }
        entry.former_keys.clear();
        entry.anchors.clear();
        entry.overwritten = None;
        entry.seen = SeenValues::default();
        purge.cards.push(entry.card.clone());
    }
    purge
}

/// Cards that must wait: a request about them has no known effect, or a change of them is half-way.
pub(super) async fn busy<S: StateWriter>(store: &S) -> Result<BTreeSet<CardId>, StoreError> {
    let mut busy: BTreeSet<CardId> = BTreeSet::new();
    for half in store.halfway().await? {
        busy.extend(half.change.cards().into_iter().cloned());
    }
    for open in store.open_intents().await? {
        busy.extend(open.change.cards().into_iter().cloned());
    }
    Ok(busy)
}

/// What this run overwrote goes in the same run: after its outcomes and what waits are written down, which name the person
/// as well.
pub(super) async fn purge_done<S: StateWriter>(
    store: &S,
    lease: &RunLease,
    learned: BTreeMap<CardId, LedgerEntry>,
    target: &TargetSnapshot,
    hasher: &KeyHasher,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let overwritten = learned.into_values().filter(|entry| entry.overwritten.is_some());
    let mut entries: Vec<LedgerEntry> = overwritten.collect();
    if entries.is_empty() {
        return Ok(());
    }
    let busy = busy(store).await?;
    let purged = purge(&mut entries, &busy, target, hasher, lease.run(), now);
    entries.retain(|entry| entry.key.is_none());
    for card in &purged.cards {
        store.purge(lease, card).await?;
    }
    let learned = Learned {
        ledger: &entries,
        certificates: &purged.certificates,
        ..Learned::default()
    };
    store.learn(lease, learned, now).await
}
