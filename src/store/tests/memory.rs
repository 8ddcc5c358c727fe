//! What is remembered from run to run: ledger, decisions, holds, contact, snapshots, runs.

use super::super::writer::{Lesson, Write, Writer};
use super::super::{file, ledger};
use super::reads::summary;
use super::*;
use crate::core::memory::apart::Apart;
use crate::core::memory::decision::{
    Answer, Contact, Decision, HeldItem, SeenConfig, SetAside, StrangeWrites, Waiting,
};
use crate::core::memory::ledger::{Absence, LastLook, LedgerEntry, Origin, OurArchive, Sighting};
use crate::core::memory::rejected_pairs::pair_id;
use crate::core::model::ids::{Generation, ItemId, OperatorId};
use crate::core::model::key::Key;
use crate::core::model::record::Anchor;
use crate::core::plan::report::{RunCounts, RunReport, RunVerdict};
use crate::core::plan::view::ChangeView;
use crate::core::plan::{ActionKind, HoldReason};
use crate::core::reads::rows::RowMarks;
use crate::core::reads::snapshot::Verdict;
use crate::engine::records::{RecordsKeeper, Retention};
use crate::engine::state::{KeptHold, Learned, StateReader};
use std::collections::{BTreeMap, BTreeSet};

fn full_entry(id: &str) -> LedgerEntry {
    let absence = Absence {
        since: at(3),
        reads: 2,
        generation: Generation::new("g1"),
    };
    LedgerEntry {
        former_keys: vec![Key::stored("0"), Key::stored("00")],
        key_hash: Some("abcd".to_owned()),
        anchors: vec![Anchor {
            source: "ad".into(),
            value: "guid".into(),
        }],
        sightings: BTreeMap::from([(
            "hr".into(),
            Sighting {
                last_seen: at(2),
                absent: Some(absence),
                rows: Some(Box::new(RowMarks::new(vec![7], vec![3, 5]))),
                worked: true,
            },
        )]),
        leaving_since: Some(at(4)),
        leaves_on: at(4).date_naive().succ_opt(),
        leaving_is_certain: true,
        last_look: LastLook::Archived,
        archived_by_us: Some(Box::new(OurArchive {
            at: at(5),
            run: "r0".into(),
            modified_at: Some(at(6)),
            modifier: Some("operator-1".into()),
            took_operators: vec![OperatorId::new("o1")],
            put_back: false,
            asked_for: false,
        })),
        archived_operators: BTreeSet::from([OperatorId::new("o1"), OperatorId::new("o2")]),
        access_later: true,
        ..LedgerEntry::new(id.into(), Key::stored("1"), Origin::Adopted, at(1))
    }
}

fn decision(item: &str, answer: Answer, until: Option<i64>) -> Decision {
    Decision {
        item: item.into(),
        answer,
        waives: BTreeSet::from(["over_budget:archive".to_owned()]),
        by: "root".to_owned(),
        at: at(0),
        until: until.map(at),
        note: None,
        about: Default::default(),
    }
}

fn held(change: &Change, since: i64) -> HeldItem {
    let reasons = vec![HoldReason::FirstContact];
    HeldItem {
        change: ChangeView::new(change, &reasons),
        name: None,
        reasons,
        since: at(since),
        run: "r1".into(),
        set_aside: None,
        judged_at: None,
    }
}

#[tokio::test]
async fn ledger_entries_come_back_as_they_were_and_are_replaced_by_card() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let plain = LedgerEntry::new("c1".into(), Key::stored("O'Hara \"x\" ü"), Origin::Matched, at(1));
    let purged = LedgerEntry {
        key: None,
        anonymized: true,
        ..full_entry("c3")
    };
    let entries = [plain.clone(), full_entry("c2"), purged.clone()];
    let learned = Learned {
        ledger: &entries,
        ..Learned::default()
    };
    store.learn(&lease, learned, at(2)).await.unwrap();
    let moved = LedgerEntry {
        key: Some(Key::stored("2")),
        former_keys: vec![Key::stored("1")],
        ..full_entry("c2")
    };
    store
        .learn(
            &lease,
            Learned {
                ledger: std::slice::from_ref(&moved),
                ..Learned::default()
            },
            at(3),
        )
        .await
        .unwrap();
    drop(lease);
    store.close().await;
    let loaded = open(&path).await.load(at(9)).await.unwrap().ledger;
    let expected = [plain, moved, purged].map(|entry| (entry.card.clone(), entry));
    assert_eq!(loaded, BTreeMap::from(expected));
}

/// Several writes share a transaction: the bad one must neither leave half of itself nor take its neighbours with it.
#[tokio::test(flavor = "current_thread")]
async fn nothing_is_kept_of_a_lesson_that_fails_half_way_and_its_neighbours_are_kept() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let connection = file::connect_writing(&path).await.unwrap();
    let writer = Writer::start(connection, path.clone(), 1);
    let write = |pieces: Vec<String>| {
        let lesson = Lesson {
            run: lease.run().clone(),
            ledger: pieces,
            contact: None,
            snapshots: Vec::new(),
            profiles: Vec::new(),
            holds: Vec::new(),
            ended: Default::default(),
            concerns: None,
            pins: None,
            items: None,
            certificates: Vec::new(),
            now: at(1),
        };
        writer.write(Write::Learn {
            fence: lease.fence(),
            lesson,
        })
    };
    let piece = |card: &str| ledger::pieces(&[full_entry(card)]).remove(0);
    let (first, broken, last) = tokio::join!(
        write(vec![piece("c1")]),
        write(vec![piece("c2"), "no JSON".to_owned()]),
        write(vec![piece("c3")]),
    );
    first.unwrap();
    last.unwrap();
    assert!(matches!(broken, Err(StoreError::Io { .. })), "{broken:?}");
    let cards: Vec<CardId> = store.load(at(9)).await.unwrap().ledger.into_keys().collect();
    assert_eq!(cards, [CardId::from("c1"), CardId::from("c3")]);
}

#[tokio::test]
async fn the_last_decision_counts_and_only_while_it_is_in_force() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let made = [
        decision("a", Answer::Reject, None),
        decision("a", Answer::Approve, Some(100)),
        decision("b", Answer::Approve, Some(50)),
        decision("c", Answer::Reject, None),
    ];
    // Approving needs no lease: it works while a run does.
    let _working = lease(&store, "r1").await;
    let approving = open(&path).await;
    approving.decide(&made).await.unwrap();
    let in_force = async |seconds| store.load(at(seconds)).await.unwrap().decisions;
    let named = |index: usize| (made[index].item.clone(), made[index].clone());
    assert_eq!(in_force(10).await, BTreeMap::from([named(1), named(2), named(3)]));
    assert_eq!(in_force(60).await, BTreeMap::from([named(1), named(3)]));
    // The rejection before the approval does not come back when the approval ends.
    assert_eq!(in_force(100).await, BTreeMap::from([named(3)]));
    let mut newest_first = made.to_vec();
    newest_first.reverse();
    let log = store.decisions().await.unwrap();
    assert_eq!(
        log.iter().map(|logged| logged.decision.clone()).collect::<Vec<_>>(),
        newest_first
    );
    assert!(
        log.iter().all(|logged| logged.action.is_none()),
        "nothing of it ever waited"
    );
}

#[tokio::test]
async fn a_decision_remembers_what_it_was_about_when_nothing_waits_any_more() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let one = archive("1", "c1");
    let kept = [KeptHold {
        plan: "p1".into(),
        item: held(&one, 10),
        undoes: None,
    }];
    let set = async |kept: &[KeptHold]| {
        let learned = Learned {
            holds: Some(kept),
            ..Learned::default()
        };
        store.learn(&lease, learned, at(10)).await.unwrap();
    };
    set(&kept).await;
    store
        .decide(&[decision(one.id.as_str(), Answer::Approve, None)])
        .await
        .unwrap();
    set(&[]).await;
    let about = async || {
        let logged = store.decisions().await.unwrap().remove(0);
        (
            logged.action,
            logged.key.map(|key| key.to_string()),
            logged.card.map(|card| card.to_string()),
        )
    };
    let card = Some("c1".to_owned());
    assert_eq!(
        about().await,
        (Some(ActionKind::Archive), Some("1".to_owned()), card.clone())
    );
    store.purge(&lease, &"c1".into()).await.unwrap();
    assert_eq!(about().await, (Some(ActionKind::Archive), None, card));
}

/// Whose card it is not, and why, goes with the card's person; of others it stays.
#[tokio::test]
async fn what_was_said_of_a_card_and_a_number_goes_with_its_person() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let said = |card: &str| {
        let id = pair_id(&card.into(), Some(&Key::stored("100001")));
        Decision {
            note: Some("her brother's".to_owned()),
            ..decision(id.as_str(), Answer::Reject, None)
        }
    };
    store.decide(&[said("c1"), said("c11")]).await.unwrap();
    store.purge(&lease, &"c1".into()).await.unwrap();
    let left: Vec<Decision> = store
        .decisions()
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.decision)
        .collect();
    assert_eq!(left, [said("c11")]);
}

#[tokio::test]
async fn holds_are_replaced_and_an_item_that_was_gone_is_a_new_one() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let (one, two, three) = (archive("1", "c1"), archive("2", "c2"), archive("3", "c3"));
    let set = async |name: &str, items: &[HeldItem], seconds| {
        let kept = items.iter().map(|item| KeptHold {
            plan: name.into(),
            item: item.clone(),
            undoes: None,
        });
        let learned = Learned {
            holds: Some(&kept.collect::<Vec<_>>()),
            ..Learned::default()
        };
        store.learn(&lease, learned, at(seconds)).await.unwrap();
    };
    set("p1", &[held(&two, 10), held(&one, 10)], 10).await;
    set("p2", &[held(&three, 20), held(&two, 10)], 20).await;
    let expected = |plan: &str, change: &Change, since| KeptHold {
        plan: plan.into(),
        item: held(change, since),
        undoes: None,
    };
    assert_eq!(
        store.holds().await.unwrap(),
        [expected("p2", &three, 20), expected("p2", &two, 10)]
    );
    // An item that a run did not want any more waits anew when it comes back.
    set("p3", &[held(&one, 30)], 30).await;
    assert_eq!(store.holds().await.unwrap(), [expected("p3", &one, 30)]);
    // What is old is taken out where the clock is believed.
    let month = 31 * 86_400;
    set("p3", &[held(&one, 30)], month - 86_400).await;
    set("p4", &[], month).await;
    let years = chrono::Duration::days(800);
    let retention = Retention {
        journal: years,
        values: years,
        reports: years,
    };
    store.prune(&lease, retention, at(month)).await.unwrap();
    set("p5", &[held(&two, month), held(&one, month)], month).await;
    assert_eq!(
        store.holds().await.unwrap(),
        [expected("p5", &two, month), expected("p5", &one, month)]
    );
    // What does not name holds leaves them.
    store.learn(&lease, Learned::default(), at(month)).await.unwrap();
    assert_eq!(store.holds().await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_set_aside_is_known_until_it_is_done_or_forgotten() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let (one, two) = (archive("1", "c1"), archive("2", "c2"));
    let aside = SetAside {
        reason: HoldReason::OperatorArchiveRefused,
        at: at(5),
    };
    let waits = |change: &Change| HeldItem {
        set_aside: Some(aside.clone()),
        ..held(change, 10)
    };
    let set = async |items: &[HeldItem], done: &[ItemId], seconds| {
        let kept = items.iter().map(|item| KeptHold {
            plan: "p1".into(),
            item: item.clone(),
            undoes: None,
        });
        let learned = Learned {
            holds: Some(&kept.collect::<Vec<_>>()),
            done,
            ..Learned::default()
        };
        store.learn(&lease, learned, at(seconds)).await.unwrap();
        store.load(at(seconds)).await.unwrap().set_aside
    };
    let both = BTreeMap::from([(one.id.clone(), aside.clone()), (two.id.clone(), aside.clone())]);
    assert_eq!(
        set(&[waits(&one), waits(&two), held(&archive("3", "c3"), 10)], &[], 10).await,
        both
    );
    assert_eq!(set(&[], &[], 20).await, both, "a source that failed for one run");
    assert!(
        store.holds().await.unwrap().is_empty(),
        "it does not wait while it is not planned"
    );
    let rest = set(&[], std::slice::from_ref(&one.id), 30).await;
    assert_eq!(rest.keys().collect::<Vec<_>>(), [&two.id]);
    store.purge(&lease, &"c2".into()).await.unwrap();
    assert!(store.load(at(40)).await.unwrap().set_aside.is_empty());
}

#[tokio::test]
async fn contact_comes_back() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    assert_eq!(store.load(at(0)).await.unwrap().contact, Contact::default());
    let lease = lease(&store, "r1").await;
    let waiting = Waiting {
        card: "c1".into(),
        action: ActionKind::Archive,
        reason: HoldReason::FirstContact,
        since: at(1),
    };
    let contact = Contact {
        seen: Some(SeenConfig {
            config_hash: "h".to_owned(),
            decision_version: 1,
            config: Some("topdesk: {}".to_owned()),
        }),
        waiting: BTreeMap::from([(Contact::slot(&"c1".into(), ActionKind::Archive), waiting)]),
        strange_writes: StrangeWrites {
            waiting: ["c7".to_owned()].into(),
            accepted: ["c8@2026-01-01T00:00:00Z".to_owned()].into(),
        },
        listed: BTreeMap::from([(Key::stored("100004"), BTreeSet::from(["c9".into()]))]),
        apart: Apart {
            known: [Key::stored("E7"), Key::stored("E8")].into(),
            vanished: [Key::stored("E8")].into(),
            ..Apart::default()
        },
        ..Contact::default()
    };
    store
        .learn(
            &lease,
            Learned {
                contact: Some(&contact),
                ..Learned::default()
            },
            at(2),
        )
        .await
        .unwrap();
    drop(lease);
    store.close().await;
    assert_eq!(open(&path).await.load(at(0)).await.unwrap().contact, contact);
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_a_killed_one_has_no_end() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let report = |id: &str, started: i64| RunReport {
        snapshots: vec![summary("hr", 0, 10, Verdict::Complete)],
        ..RunReport::begun(id.into(), "run", at(started))
    };
    for (id, started) in [("r1", 1), ("r2", 2), ("r3", 3)] {
        let lease = lease(&store, id).await;
        store.start_run(&lease, &report(id, started)).await.unwrap();
        let finished = RunReport {
            finished_at: Some(at(started + 1)),
            plan_id: Some("p1".into()),
            verdict: Some(RunVerdict::Held),
            counts: RunCounts {
                held: 3,
                done: BTreeMap::from([(ActionKind::Create, 2)]),
                ..RunCounts::default()
            },
            ..report(id, started)
        };
        if id != "r2" {
            store.finish_run(&lease, &finished, Some("fingerprint")).await.unwrap();
        }
    }
    store.close().await;
    let history = open(&path).await.history(2).await.unwrap();
    let ends: Vec<_> = history
        .iter()
        .map(|run| (run.id.as_str(), run.finished_at, run.verdict))
        .collect();
    assert_eq!(ends, [("r3", Some(at(4)), Some(RunVerdict::Held)), ("r2", None, None)]);
    assert_eq!(history[0].counts.done[&ActionKind::Create], 2);
}
