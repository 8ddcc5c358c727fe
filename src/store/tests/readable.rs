//! A value that no longer reads is found before the run that needs it.

use super::super::readable::Unreadable;
use super::super::{file, inspect};
use super::*;
use crate::core::memory::decision::{About, Answer, Decision};
use crate::core::memory::ledger::{LedgerEntry, Origin};
use crate::engine::state::Learned;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_row_is_read_and_what_does_not_read_is_named_by_table_and_id() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    send(&store, &lease, &create("100001"), at(0)).await.unwrap();
    let entry = LedgerEntry::new("c1".into(), Key::stored("100001"), Origin::Matched, at(0));
    let learned = Learned {
        ledger: &[entry],
        ..Learned::default()
    };
    store.learn(&lease, learned, at(1)).await.unwrap();
    let decision = Decision {
        item: "i1".into(),
        answer: Answer::Reject,
        waives: BTreeSet::new(),
        by: "somebody".to_owned(),
        at: at(2),
        until: None,
        note: None,
        about: About::default(),
    };
    store.decide(&[decision]).await.unwrap();
    drop(lease);
    let found = async || inspect(&path).await.unwrap().unwrap().unreadable;
    assert_eq!(found().await, []);
    let mut connection = file::connect_writing(&path).await.unwrap();
    for statement in [
        "UPDATE ledger SET rest = '{\"sightings\": \"Jansen\"}'",
        "UPDATE decision SET answer = 'perhaps'",
        "UPDATE journal SET change = substr(change, 1, 20), sent_at = 'yesterday'",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    let found = found().await;
    let places: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|Unreadable { table, row, column, .. }| (*table, row.as_str(), *column))
        .collect();
    assert_eq!(
        places,
        [
            ("ledger", "c1", "rest"),
            ("journal", "1", "sent_at"),
            ("journal", "1", "change"),
            ("decision", "1", "answer"),
        ]
    );
    let told = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(!told.contains("Jansen") && !told.contains("100001"), "{told}");
}
