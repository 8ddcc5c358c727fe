//! Kept inputs: private, few, and without the people whom the ledger has forgotten.

use super::{HOST, at, folder, lease, open};
use crate::core::input::PlanInput;
use crate::core::model::ids::CardId;
use crate::core::tests::world::{World, key};
use crate::engine::inputs::{KeptHeader, KeptInput};
use crate::engine::records::RecordsKeeper;
use crate::engine::state::{Learned, StateWriter};
use crate::store::{InputFolder, SqliteStore};
use chrono::{Duration, Utc};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// One person, with a card and an entry of the ledger.
fn input() -> PlanInput {
    World::of(1).input()
}

/// The person's card.
fn card() -> CardId {
    CardId::from("c-E001")
}

fn kept(run: &str, age: Duration) -> KeptInput {
    KeptInput {
        header: KeptHeader {
            run: run.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kept_at: Utc::now() - age,
            moment: at(0),
            plan: "p-1".into(),
            fingerprint: "f".to_owned(),
            config: "timezone: UTC\n".to_owned(),
            forgotten: BTreeSet::new(),
            anonymized: BTreeSet::new(),
        },
        input: Arc::new(input()),
    }
}

fn runs(store: &Path) -> Vec<String> {
    let folder = InputFolder::beside(store, &HOST.into());
    folder
        .list()
        .unwrap()
        .iter()
        .map(|header| header.run.to_string())
        .collect()
}

async fn keep(store: &SqliteStore, run: &str, age: Duration) {
    let lease = lease(store, run).await;
    store.keep_input(&lease, kept(run, age)).await.unwrap();
}

#[tokio::test]
async fn the_last_three_are_kept_privately_and_read_back_as_they_were() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    for (number, run) in ["one", "two", "three", "four"].into_iter().enumerate() {
        keep(&store, run, Duration::hours(4 - number as i64)).await;
    }
    assert_eq!(runs(&path), ["four", "three", "two"]);
    let inputs = InputFolder::beside(&path, &HOST.into());
    assert_eq!(*inputs.read(&"four".into()).unwrap().unwrap().input, input());
    assert!(inputs.read(&"one".into()).unwrap().is_none());
    assert!(
        inputs.read(&"../inputs/four".into()).unwrap().is_none(),
        "only files of the folder"
    );
    let place = path.parent().unwrap().join("inputs").join(HOST);
    for entry in std::fs::read_dir(&place).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
    store.close().await;
}

#[tokio::test]
async fn what_is_old_unfinished_or_damaged_goes() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    keep(&store, "old", Duration::days(6)).await;
    let place = path.parent().unwrap().join("inputs").join(HOST);
    std::fs::write(place.join("killed.new"), "half").unwrap();
    std::fs::write(place.join("damaged.json.gz"), "no gzip").unwrap();
    assert!(
        InputFolder::beside(&path, &HOST.into())
            .read(&"damaged".into())
            .is_err()
    );
    // A week later by the clock of the newest.
    let mut newest = kept("new", Duration::zero());
    newest.header.kept_at += Duration::days(2);
    let lease = lease(&store, "new").await;
    store.keep_input(&lease, newest).await.unwrap();
    assert_eq!(runs(&path), ["new"]);
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1);
    drop(lease);
    store.close().await;
}

#[tokio::test]
async fn who_was_purged_from_the_ledger_is_taken_out_of_all_of_them() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    keep(&store, "before", Duration::hours(1)).await;
    let lease = lease(&store, "purge").await;
    let mut purged = input().ledger[&card()].clone();
    purged.key = None;
    let learned = Learned {
        ledger: &[purged],
        ..Learned::default()
    };
    store.learn(&lease, learned, at(0)).await.unwrap();
    store.tidy_inputs(&lease).await.unwrap();
    let read = |run: &str| {
        InputFolder::beside(&path, &HOST.into())
            .read(&run.into())
            .unwrap()
            .unwrap()
    };
    let forgotten = BTreeSet::from([card()]);
    assert_eq!(read("before").header.forgotten, forgotten);
    assert_eq!(read("before").input.ledger[&card()].key, None);
    // A run that still had the person when it read keeps nothing of them either.
    store.keep_input(&lease, kept("after", Duration::zero())).await.unwrap();
    assert_eq!(read("after").header.forgotten, forgotten);
    assert_eq!(read("after").input.ledger[&card()].key, None);
    drop(lease);
    store.close().await;
}

#[tokio::test]
async fn a_card_that_was_never_ours_is_taken_out_once_it_shows_anonymized() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let mut before = kept("before", Duration::hours(1));
    Arc::make_mut(&mut before.input).ledger.clear();
    let lease = lease(&store, "purge").await;
    store.keep_input(&lease, before).await.unwrap();
    let mut after = kept("after", Duration::zero());
    after.header.anonymized.insert(card());
    store.keep_input(&lease, after).await.unwrap();
    let read = InputFolder::beside(&path, &HOST.into()).read(&"before".into());
    let before = read.unwrap().unwrap();
    assert_eq!(before.header.forgotten, BTreeSet::from([card()]));
    let input = serde_json::to_string(&*before.input).unwrap();
    // The card's id stays.
    assert!(!input.replace("c-E001", "CARD").contains("E001"), "{input}");
    drop(lease);
    store.close().await;
}

#[tokio::test]
async fn somebody_who_is_in_the_sources_after_the_purge_is_counted_when_taken_out_again() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "purge").await;
    let mut purged = input().ledger[&card()].clone();
    purged.key = None;
    let learned = Learned {
        ledger: std::slice::from_ref(&purged),
        ..Learned::default()
    };
    store.learn(&lease, learned, at(0)).await.unwrap();
    // Read when the card showed asterisks, and the source still had the person.
    let mut later = kept("later", Duration::zero());
    later.header.anonymized.insert(card());
    let input = Arc::make_mut(&mut later.input);
    input.ledger.insert(card(), purged);
    input.purged_keys.insert(key("E001"));
    let read = |kept: &PlanInput| {
        kept.snapshots
            .iter()
            .map(|it| it.with_key(&key("E001")).len())
            .sum::<usize>()
    };
    assert!(read(input) > 0);
    store.keep_input(&lease, later).await.unwrap();
    let kept = InputFolder::beside(&path, &HOST.into())
        .read(&"later".into())
        .unwrap()
        .unwrap();
    assert_eq!(read(&kept.input), 0);
    assert_eq!(kept.header.forgotten, BTreeSet::from([card()]));
    drop(lease);
    store.close().await;
}

#[tokio::test]
async fn somebody_with_a_record_and_no_card_is_taken_out_by_the_key() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    keep(&store, "one", Duration::hours(1)).await;
    let lease = lease(&store, "forget").await;
    let (nobody, keys) = (BTreeSet::new(), BTreeSet::from([key("E001")]));
    assert_eq!(
        store
            .inputs_about(&nobody, &BTreeSet::from([key("E002")]))
            .await
            .unwrap(),
        0
    );
    assert_eq!(store.inputs_about(&nobody, &keys).await.unwrap(), 1);
    store.forget_inputs(&lease, &nobody, &keys).await.unwrap();
    assert_eq!(store.inputs_about(&nobody, &keys).await.unwrap(), 0);
    drop(lease);
    store.close().await;
}

#[tokio::test]
async fn the_key_that_a_twin_gave_away_is_not_forgotten() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    keep(&store, "merged", Duration::hours(1)).await;
    let lease = lease(&store, "merge").await;
    let mut twin = input().ledger[&card()].clone();
    twin.former_keys.extend(twin.key.take());
    let learned = Learned {
        ledger: &[twin],
        ..Learned::default()
    };
    store.learn(&lease, learned, at(0)).await.unwrap();
    store.tidy_inputs(&lease).await.unwrap();
    let read = InputFolder::beside(&path, &HOST.into()).read(&"merged".into());
    assert_eq!(*read.unwrap().unwrap().input, input());
    drop(lease);
    store.close().await;
}
