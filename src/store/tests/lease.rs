//! One run at a time, in whatever process, and no write by a run that lost its place.

use super::*;
use crate::core::model::key::Key;
use crate::engine::state::{Learned, LockHolder, StateReader};
use std::io::{BufRead, BufReader};

#[tokio::test]
async fn the_second_run_is_told_who_works() {
    let (_folder, path) = folder();
    let (first, second) = (open(&path).await, open(&path).await);
    let held = first.acquire(&RunId::new("r1"), "daemon", at(0)).await.unwrap();
    let error = second.acquire(&RunId::new("r2"), "run", at(1)).await.unwrap_err();
    let StoreError::Locked { by: Some(holder) } = &error else {
        panic!("{error:?}")
    };
    let LockHolder {
        pid,
        user,
        host,
        command,
        since,
        zone: _,
    } = holder;
    assert_eq!((*pid, command.as_str(), *since), (std::process::id(), "daemon", at(0)));
    assert!(!user.is_empty() && !host.is_empty());
    assert!(
        error
            .to_string()
            .starts_with("another run works on this environment: 'cardsync daemon', process ")
    );
    drop(held);
    let lease = second.acquire(&RunId::new("r2"), "run", at(1)).await.unwrap();
    assert_eq!(lease.run(), &RunId::new("r2"));
}

#[tokio::test]
async fn a_lock_whose_holder_cannot_be_read_is_still_a_lock() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let _held = lease(&store, "r1").await;
    std::fs::write(path.with_file_name("cardsync.db.lock"), "").unwrap();
    let error = store.acquire(&RunId::new("r2"), "run", at(1)).await.unwrap_err();
    assert_eq!(error, StoreError::Locked { by: None });
    assert!(
        error.to_string().contains("a process that has only just started; wait"),
        "{error}"
    );
}

#[tokio::test]
async fn a_lock_that_is_not_ours_is_left_as_it_is() {
    let (folder, path) = folder();
    let store = open(&path).await;
    let (lock, other) = (
        path.with_file_name("cardsync.db.lock"),
        folder.path().join("export.csv"),
    );
    std::fs::write(&other, "Number;Name\n").unwrap();
    let refused = async || {
        store
            .acquire(&RunId::new("r1"), "run", at(0))
            .await
            .unwrap_err()
            .to_string()
    };
    std::os::unix::fs::symlink(&other, &lock).unwrap();
    assert!(refused().await.contains("is a symbolic link"));
    std::fs::remove_file(&lock).unwrap();
    std::fs::hard_link(&other, &lock).unwrap();
    assert!(refused().await.contains("holds something else than a lock"));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "Number;Name\n");
    std::fs::remove_file(&lock).unwrap();
    nix::unistd::mkfifo(&lock, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(refused().await.contains("is not a file"));
    std::fs::remove_file(&lock).unwrap();
    // What a killed run left is a lock.
    let holder = serde_json::to_string(&super::super::lock::this_process("run", at(0), None)).unwrap();
    std::fs::write(&lock, holder).unwrap();
    drop(lease(&store, "r2").await);
}

#[tokio::test]
async fn numbers_only_rise_also_after_reopening() {
    let (_folder, path) = folder();
    let mut last = 0;
    for run in ["r1", "r2", "r3"] {
        let store = open(&path).await;
        let lease = lease(&store, run).await;
        assert!(lease.fence() > last);
        last = lease.fence();
        drop(lease);
        store.close().await;
    }
}

#[tokio::test]
async fn a_run_whose_lock_was_taken_away_writes_nothing_more() {
    let (_folder, path) = folder();
    let (old, new) = (open(&path).await, open(&path).await);
    let stale = lease(&old, "r1").await;
    let sent = send(&old, &stale, &create("1"), at(0)).await.unwrap();
    // Somebody removes the lock file to get a run going.
    std::fs::remove_file(path.with_file_name("cardsync.db.lock")).unwrap();
    let current = lease(&new, "r2").await;

    let expected = StoreError::StaleLease {
        ours: stale.fence(),
        current: current.fence(),
    };
    assert_eq!(send(&old, &stale, &create("2"), at(1)).await.unwrap_err(), expected);
    assert_eq!(old.outcome(&stale, sent, ending(&done())).await.unwrap_err(), expected);
    assert_eq!(old.settle(&stale, sent, ending(&done())).await.unwrap_err(), expected);
    let learned = Learned {
        contact: Some(&Default::default()),
        ..Learned::default()
    };
    assert_eq!(old.learn(&stale, learned, at(1)).await.unwrap_err(), expected);

    new.settle(&current, sent, ending(&done())).await.unwrap();
    send(&new, &current, &create("3"), at(2)).await.unwrap();
    let open: Vec<_> = new
        .open_intents()
        .await
        .unwrap()
        .into_iter()
        .map(|intent| intent.change.key)
        .collect();
    assert_eq!(open, [Some(Key::stored("3"))]);
}

/// `kill -9` while another process writes: the lock is free, its holder was named while it lived, and all that it was
/// told is on disk is there.
#[tokio::test]
async fn a_killed_run_frees_the_lock_and_loses_nothing_it_was_told() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    for round in 0..3 {
        let mut writing = child("store::tests::lease::child_writes", &path);
        let mut told = Vec::new();
        let mut lines = BufReader::new(writing.stdout.take().unwrap()).lines();
        while told.len() < 20 {
            let line = lines.next().expect("the child must write").unwrap();
            told.extend(line.strip_prefix("on disk: ").map(|row| row.parse::<i64>().unwrap()));
        }
        let error = store.acquire(&RunId::new("second"), "run", at(0)).await.unwrap_err();
        assert!(matches!(error, StoreError::Locked { by: Some(holder) } if holder.pid == writing.id()));
        writing.kill().unwrap();
        writing.wait().unwrap();
        // What it wrote between the last line that was read and its end counts as well.
        told.extend(
            lines
                .map_while(Result::ok)
                .filter_map(|line| line.strip_prefix("on disk: ")?.parse::<i64>().ok()),
        );

        let lease = lease(&store, &format!("after-{round}")).await;
        let open: Vec<i64> = store
            .open_intents()
            .await
            .unwrap()
            .iter()
            .map(|intent| intent.id.row())
            .collect();
        assert!(
            told.iter().all(|row| open.contains(row)),
            "told {told:?}, open {open:?}"
        );
        for intent in store.open_intents().await.unwrap() {
            store
                .settle(
                    &lease,
                    intent.id,
                    ending(&Outcome::NotDone {
                        message: "not found".into(),
                    }),
                )
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
#[ignore = "run by a_killed_run_frees_the_lock_and_loses_nothing_it_was_told in a process of its own"]
async fn child_writes() {
    let Some(path) = std::env::var_os(CHILD_STORE) else {
        return;
    };
    let store = open(Path::new(&path)).await;
    let lease = lease(&store, &format!("child-{}", std::process::id())).await;
    for number in 0.. {
        let intent = send(&store, &lease, &create(&format!("{number}")), at(number))
            .await
            .unwrap();
        println!("\non disk: {}", intent.row());
    }
}

#[tokio::test]
async fn each_store_has_its_own_hash_key_and_keeps_it() {
    let (_first_folder, first) = folder();
    let (_second_folder, second) = folder();
    let key = Key::stored("j.jansen@example.net");
    let hash = async |path: &Path| open(path).await.load(at(0)).await.unwrap().hasher.hash(&key);
    let once = hash(&first).await;
    assert_eq!(hash(&first).await, once);
    assert_ne!(hash(&second).await, once);
}
