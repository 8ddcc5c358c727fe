//! What is remembered of earlier reads: the yardstick of the next one.

use super::*;
use crate::core::model::ids::{Generation, SourceName};
use crate::core::reads::snapshot::{Effect, Finding, Role, SnapshotHistory, SnapshotSummary, Use, Verdict};
use crate::engine::state::{Learned, StateReader};
use chrono::Duration;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn summary(name: &str, days: i64, records: u64, verdict: Verdict) -> SnapshotSummary {
    SnapshotSummary {
        name: name.into(),
        role: Some(Role::Authoritative),
        read_at: at(0) + Duration::days(days),
        generation: Generation::new(format!("{name}-{days}")),
        records,
        keyless: records / 100,
        unreadable: 1,
        skipped: 0,
        verdict,
        findings: vec![Finding::new("below_floor", Effect::Note, "41 records", "look at it")],
        acceptance: None,
        accepted: None,
    }
}

#[tokio::test]
async fn the_yardstick_is_the_largest_accepted_read_of_two_weeks() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let degraded = Verdict::Degraded {
        cannot: BTreeSet::from([Use::Absence]),
    };
    let reads = [
        summary("hr", -20, 9000, Verdict::Complete),
        summary("hr", -10, 1000, Verdict::Complete),
        summary("hr", -5, 1100, degraded.clone()),
        summary("hr", -4, 5000, Verdict::Rejected),
        summary("hr", -3, 900, Verdict::Complete),
        summary("hr", -1, 800, degraded),
        summary("ad", -40, 700, Verdict::Complete),
        summary("ad", -30, 600, Verdict::Complete),
        summary("new", -1, 50, Verdict::Rejected),
    ];
    store
        .learn(
            &lease,
            Learned {
                snapshots: &reads,
                ..Learned::default()
            },
            at(0),
        )
        .await
        .unwrap();
    let history = |largest, keyless| SnapshotHistory {
        largest_accepted: Some(largest),
        last_good_keyless: Some(keyless),
        last_good_unreadable: Some(1),
        ..SnapshotHistory::default()
    };
    let mut loaded = store.load(at(0)).await.unwrap().snapshots;
    for history in loaded.values_mut() {
        // What is compared besides size has a test of its own.
        *history = SnapshotHistory {
            largest_accepted: history.largest_accepted,
            last_good_keyless: history.last_good_keyless,
            last_good_unreadable: history.last_good_unreadable,
            ..SnapshotHistory::default()
        };
    }
    // After a long rest the last accepted read is the yardstick: better an old one than none.
    let rejected = ("new".into(), SnapshotHistory::default());
    let expected: [(SourceName, _); 3] = [
        ("ad".into(), history(600, 6)),
        ("hr".into(), history(1100, 9)),
        rejected,
    ];
    assert_eq!(loaded, BTreeMap::from(expected));
}
