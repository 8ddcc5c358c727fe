//! How fast it is, printed: `cargo nextest run store::tests::speed --no-capture`. The limits are far above what is
//! measured; they fail when something becomes slower by its nature, such as a flush per row.

use super::*;
use crate::domain::ledger::{LedgerEntry, Origin, Sighting};
use crate::domain::record::Anchor;
use crate::engine::state::{Learned, StateReader};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PEOPLE: usize = 100_000;

fn person(number: usize, seen: i64) -> LedgerEntry {
    let id = format!("{number:08x}-7c1e-4f6a-9d53-0a1b2c3d4e5f");
    let sighting = Sighting {
        last_seen: at(seen),
        absent: None,
    };
    LedgerEntry {
        anchors: vec![Anchor {
            source: "ad".into(),
            value: id.as_str().into(),
        }],
        sightings: BTreeMap::from([("hr".into(), sighting)]),
        ..LedgerEntry::new(
            CardId::new(id),
            Key::stored(&number.to_string()),
            Origin::Matched,
            at(0),
        )
    }
}

#[tokio::test]
async fn a_ledger_of_a_hundred_thousand_loads_and_is_learned_in_seconds() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let learn = async |seen| {
        let entries: Vec<LedgerEntry> = (0..PEOPLE).map(|number| person(number, seen)).collect();
        let start = Instant::now();
        store
            .learn(
                &lease,
                Learned {
                    ledger: &entries,
                    ..Learned::default()
                },
                at(0),
            )
            .await
            .unwrap();
        start.elapsed()
    };
    let (first, moved) = (learn(1).await, learn(2).await);
    let start = Instant::now();
    let remembered = store.load(at(0)).await.unwrap();
    let loaded = start.elapsed();
    println!("{PEOPLE} entries: learned {first:.2?}, all changed {moved:.2?}, loaded {loaded:.2?}");
    assert_eq!(remembered.ledger.len(), PEOPLE);
    assert!(loaded < Duration::from_secs(20), "{loaded:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_intents_are_on_disk_within_a_second() {
    let (_folder, path) = folder();
    let store = Arc::new(open(&path).await);
    let lease = Arc::new(lease(&store, "r1").await);
    for callers in [1_usize, 4, 16] {
        let each = 320 / callers;
        let start = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let (store, lease) = (Arc::clone(&store), Arc::clone(&lease));
                tokio::spawn(async move {
                    for number in 0..each {
                        let change = archive(&format!("{caller}-{number}"), "c1");
                        let id = send(&store, &lease, &change, at(0)).await.unwrap();
                        store.outcome(&lease, id, ending(&done())).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let rate = (each * callers) as f64 / start.elapsed().as_secs_f64();
        println!("{callers} in flight: {rate:.0} intents with outcome per second");
        assert!(rate > 20.0, "{rate}");
    }
}
