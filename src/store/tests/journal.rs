//! The journal: what was about to be sent, how it ended, and what nobody knows.

use super::super::journal::IntentRow;
use super::super::writer::{Write, Writer};
use super::super::{file, schema};
use super::*;
use crate::core::memory::decision::{Answer, Decision};
use crate::core::memory::ledger::{LedgerEntry, Origin};
use crate::core::plan::{CardTarget, HoldReason, Step};
use crate::core::rules::policy::BudgetClass;
use crate::core::rules::window::Window;
use crate::engine::state::StateReader;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[tokio::test]
async fn an_intent_without_outcome_comes_back_whole_after_a_crash() {
    let (folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let change = archive("1", "c1");
    let intent = Intent {
        plan: &PlanId::new("p7"),
        change: &change,
        step_index: 0,
        step: &change.steps()[0],
        before: Some(&card("c1")),
        operators_before: &[operator("o1", "c1")],
        cards_before: &[],
        approval: None,
        at: at(5),
    };
    let id = store.intent(&lease, intent).await.unwrap();

    // What a power cut would leave: the files as they are now, without a clean end.
    let crashed = folder.path().join("crashed.db");
    std::fs::copy(&path, &crashed).unwrap();
    std::fs::copy(
        path.with_file_name("cardsync.db-wal"),
        folder.path().join("crashed.db-wal"),
    )
    .unwrap();
    let after = open(&crashed).await;
    let open = after.open_intents().await.unwrap();
    assert_eq!(open.len(), 1);
    let found = &open[0];
    assert_eq!(
        (found.id, &found.run, &found.plan),
        (id, lease.run(), &PlanId::new("p7"))
    );
    assert_eq!((&found.change, &found.step), (&change, &change.steps()[0]));
    assert_eq!(found.before, Some(card("c1")));
    assert_eq!(found.operators_before, [operator("o1", "c1")]);
    assert_eq!((found.sent_at, found.known_in_doubt), (at(5), false));
    assert!(
        after.load(at(9)).await.unwrap().in_doubt.keys.is_empty(),
        "only creates freeze a key"
    );
}

#[tokio::test]
async fn an_outcome_is_written_once_and_brings_the_ledger_entry_with_it() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let id = send(&store, &lease, &create("1"), at(0)).await.unwrap();
    let entry = LedgerEntry::new("c9".into(), Key::stored("1"), Origin::Created, at(1));
    let outcome = Outcome::Done {
        card: Some("c9".into()),
    };
    let ending = Ending {
        outcome: &outcome,
        after: Some(&card("c9")),
        learned: Some(&entry),
        at: at(1),
    };
    store.outcome(&lease, id, ending).await.unwrap();
    let other = LedgerEntry::new("c10".into(), Key::stored("1"), Origin::Created, at(1));
    let again = Ending {
        learned: Some(&other),
        ..ending
    };
    let refusal = StoreError::NoOpenIntent { row: id.row() };
    assert_eq!(store.outcome(&lease, id, again).await.unwrap_err(), refusal);
    assert_eq!(store.settle(&lease, id, again).await.unwrap_err(), refusal);
    drop(lease);
    store.close().await;

    let store = open(&path).await;
    assert_eq!(store.open_intents().await.unwrap(), []);
    let remembered = store.load(at(9)).await.unwrap();
    assert_eq!(remembered.ledger, BTreeMap::from([("c9".into(), entry)]));
    let mut reading = file::connect_reading(&path).await.unwrap();
    let row = sqlx::query("SELECT card, outcome, after IS NOT NULL, before IS NULL FROM journal")
        .fetch_one(&mut reading)
        .await
        .unwrap();
    assert_eq!((row.get::<&str, _>(0), row.get::<&str, _>(1)), ("c9", "done"));
    assert!(row.get::<bool, _>(2) && row.get::<bool, _>(3));
}

#[tokio::test]
async fn a_settled_write_is_known_and_a_later_answered_one_overtakes_an_older() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let change = archive("1", "c1");
    let lost = send(&store, &lease, &change, at(0)).await.unwrap();
    assert!(!store.open_intents().await.unwrap()[0].overtaken);
    let (outcome, after) = (done(), card("c1"));
    let ending = Ending {
        after: Some(&after),
        ..ending(&outcome)
    };
    let other = send(&store, &lease, &archive("2", "c2"), at(30)).await.unwrap();
    store.outcome(&lease, other, ending).await.unwrap();
    assert!(
        !store.open_intents().await.unwrap()[0].overtaken,
        "that was another card"
    );
    let again = send(&store, &lease, &change, at(60)).await.unwrap();
    assert!(
        !store.open_intents().await.unwrap()[0].overtaken,
        "it is not answered yet"
    );
    store.outcome(&lease, again, ending).await.unwrap();
    assert!(store.open_intents().await.unwrap()[0].overtaken);
    assert!(store.load(at(70)).await.unwrap().settled_writes.is_empty());
    store.settle(&lease, lost, ending).await.unwrap();
    assert_eq!(
        store.load(at(70)).await.unwrap().settled_writes,
        BTreeMap::from([("c1".into(), at(-100))])
    );
}

#[tokio::test]
async fn what_was_sent_is_counted_also_by_a_clock_that_jumped_ahead() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let sent = send(&store, &lease, &archive("1", "c1"), at(0)).await.unwrap();
    store.outcome(&lease, sent, ending(&done())).await.unwrap();
    let three_years = 3 * 365 * 86_400;
    let used = store.load(at(three_years)).await.unwrap().budget_used;
    assert_eq!(
        used.within(BudgetClass::Archive, Window::Week, at(1)),
        1,
        "the windows are the guard's"
    );
    assert_eq!(used.within(BudgetClass::Archive, Window::Week, at(three_years)), 0);
}

#[tokio::test]
async fn a_create_stays_in_doubt_until_it_is_settled() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let first = lease(&store, "r1").await;
    let lost = Outcome::InDoubt {
        message: "connection reset".into(),
    };
    let refused = Outcome::NotDone { message: "400".into() };
    let doubtful = send(&store, &first, &create("1"), at(10)).await.unwrap();
    store.outcome(&first, doubtful, ending(&lost)).await.unwrap();
    let cut_off = send(&store, &first, &create("2"), at(20)).await.unwrap();
    let answered = send(&store, &first, &create("3"), at(30)).await.unwrap();
    store.outcome(&first, answered, ending(&refused)).await.unwrap();
    drop(first);

    let in_doubt = async || store.load(at(99)).await.unwrap().in_doubt.keys;
    let (one, two) = (Key::stored("1"), Key::stored("2"));
    assert_eq!(
        in_doubt().await,
        BTreeMap::from([(one.clone(), at(10)), (two.clone(), at(20))])
    );

    let second = lease(&store, "r2").await;
    let known: Vec<_> = store
        .open_intents()
        .await
        .unwrap()
        .iter()
        .map(|intent| intent.known_in_doubt)
        .collect();
    assert_eq!(known, [true, false]);
    // A look that proves nothing keeps it frozen.
    store.settle(&second, cut_off, ending(&lost)).await.unwrap();
    assert_eq!(in_doubt().await.len(), 2);
    store.settle(&second, cut_off, ending(&refused)).await.unwrap();
    assert_eq!(in_doubt().await, BTreeMap::from([(one, at(10))]));
    store.settle(&second, doubtful, ending(&done())).await.unwrap();
    assert_eq!(in_doubt().await, BTreeMap::new());
}

#[tokio::test]
async fn what_was_sent_counts_once_per_item_and_run_in_each_of_its_classes() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let first = lease(&store, "r1").await;
    let blanked = FieldChange {
        field: CardField::Email,
        from: FieldValue::text("a@b"),
        to: None,
    };
    let blanks = change(Action::Update { fields: vec![blanked] }, "8", Some("c8"));
    let not_sent = Outcome::NotDone {
        message: "connection refused".into(),
    };
    let held = Outcome::Held {
        reason: HoldReason::OperatorArchiveRefused,
    };
    let lost = Outcome::InDoubt {
        message: "reset".into(),
    };
    let sent = [
        (archive("1", "c1"), 0, Some(done())),
        (archive("2", "c2"), 100, Some(not_sent.clone())),
        (archive("2", "c2"), 101, Some(done())),
        (archive("2", "c2"), 102, Some(done())),
        (archive("3", "c3"), 103, Some(lost)),
        (archive("4", "c4"), 104, None),
        (archive("5", "c5"), 105, Some(held)),
        (archive("6", "c6"), 106, Some(not_sent)),
        (blanks, 107, Some(done())),
    ];
    for (change, seconds, outcome) in &sent {
        let id = send(&store, &first, change, at(*seconds)).await.unwrap();
        if let Some(outcome) = outcome {
            store.outcome(&first, id, ending(outcome)).await.unwrap();
        }
    }
    drop(first);
    let second = lease(&store, "r2").await;
    let id = send(&store, &second, &archive("2", "c2"), at(200)).await.unwrap();
    store.outcome(&second, id, ending(&done())).await.unwrap();

    let blanked = BudgetClass::Blanked(CardField::Email);
    // 1, 2 (once in each run), 3 in doubt, 4 cut off.
    let used = store.load(at(300)).await.unwrap().budget_used;
    assert_eq!(used.within(BudgetClass::Archive, Window::Week, at(300)), 5);
    assert_eq!(used.within(blanked, Window::Day, at(300)), 1);
    let week = 7 * 24 * 3600;
    for (seconds, left) in [(101, 4), (103, 2), (104, 1), (199, 1), (200, 0)] {
        let used = store.load(at(week + seconds)).await.unwrap().budget_used;
        assert_eq!(
            used.within(BudgetClass::Archive, Window::Week, at(week + seconds)),
            left,
            "{seconds}"
        );
    }
}

#[tokio::test]
async fn every_operator_that_went_along_counts() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let mut both = archive("1", "c1");
    both.operator = OperatorLink::Active {
        operators: vec!["o1".into(), "o2".into()],
    };
    for (change, seconds) in [(both.clone(), 0), (both, 1)] {
        let id = send(&store, &lease, &change, at(seconds)).await.unwrap();
        store.outcome(&lease, id, ending(&done())).await.unwrap();
    }
    let used = store.load(at(10)).await.unwrap().budget_used;
    assert_eq!(used.within(BudgetClass::Operators, Window::Day, at(10)), 2);
    assert_eq!(used.within(BudgetClass::Archive, Window::Day, at(10)), 1);
}

#[tokio::test]
async fn the_approver_stands_beside_what_was_approved() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let change = archive("1", "c1");
    let decision = Decision {
        item: change.id.clone(),
        answer: Answer::Approve,
        waives: BTreeSet::from(["first_contact".to_owned()]),
        by: "manager".to_owned(),
        at: at(-10),
        until: Some(at(1000)),
        note: Some("known leaver".to_owned()),
        about: Default::default(),
    };
    let intent = Intent {
        plan: &PlanId::new("p1"),
        change: &change,
        step_index: 0,
        step: &Step::PatchCard {
            card: CardTarget::MadeBy("x".into()),
            fields: vec![],
        },
        before: None,
        operators_before: &[],
        cards_before: &[],
        approval: Some(&decision),
        at: at(0),
    };
    store.intent(&lease, intent).await.unwrap();
    let mut reading = file::connect_reading(&path).await.unwrap();
    let row = sqlx::query("SELECT approver, approval, card FROM journal")
        .fetch_one(&mut reading)
        .await
        .unwrap();
    assert_eq!((row.get::<&str, _>(0), row.get::<&str, _>(2)), ("manager", "c1"));
    assert_eq!(serde_json::from_str::<Decision>(row.get(1)).unwrap(), decision);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_at_the_same_time_get_a_number_each() {
    let (_folder, path) = folder();
    let store = Arc::new(open(&path).await);
    let lease = Arc::new(lease(&store, "r1").await);
    let callers: Vec<_> = (0..16)
        .map(|caller| {
            let (store, lease) = (Arc::clone(&store), Arc::clone(&lease));
            tokio::spawn(async move {
                let mut rows = Vec::new();
                for number in 0..25 {
                    let change = create(&format!("{caller}-{number}"));
                    rows.push((change.key.clone(), send(&store, &lease, &change, at(0)).await.unwrap()));
                }
                rows
            })
        })
        .collect();
    let mut told = BTreeMap::new();
    for caller in callers {
        told.extend(caller.await.unwrap().into_iter().map(|(key, id)| (id, key)));
    }
    assert_eq!(told.len(), 400);
    let open = store.open_intents().await.unwrap();
    assert_eq!(
        open.into_iter()
            .map(|intent| (intent.id, intent.change.key))
            .collect::<BTreeMap<_, _>>(),
        told
    );
}

/// A hundred that wait at once are one transaction: the log grows by what they say, not by pages for each of them.
#[tokio::test(flavor = "current_thread")]
async fn callers_at_the_same_time_share_a_flush() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let log = || std::fs::metadata(file::companion(&path, "-wal")).unwrap().len();
    let changes: Vec<Change> = (0..100).map(|number| create(&number.to_string())).collect();
    let begin = log();
    let together = changes.iter().map(|change| send(&store, &lease, change, at(0)));
    let together = futures::future::join_all(together).await;
    assert!(together.iter().all(Result::is_ok));
    let shared = log() - begin;
    let begin = log();
    for change in &changes {
        send(&store, &lease, change, at(1)).await.unwrap();
    }
    let alone = log() - begin;
    assert!(
        shared * 5 < alone,
        "together {shared} bytes, one after the other {alone} bytes"
    );
}

/// A full disk: the intent is refused, nothing of it is there, and once there is room it goes on.
#[tokio::test]
async fn a_full_disk_refuses_the_intent_and_keeps_what_was_there() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let kept = send(&store, &lease, &create("kept"), at(0)).await.unwrap();
    let mut small = file::connect_writing(&path).await.unwrap();
    let environment = schema::bound(&mut small, &path, HOST, HOST).await.unwrap().row;
    sqlx::query("PRAGMA max_page_count = 1")
        .fetch_one(&mut small)
        .await
        .unwrap();
    let writer = Writer::start(small, path.clone(), environment);
    let row = |key: &str| {
        let mut change = create(key);
        change.why = vec!["x".repeat(100_000)];
        let plan = PlanId::new("p1");
        let step = change.steps().remove(0);
        let intent = Intent {
            plan: &plan,
            change: &change,
            step_index: 0,
            step: &step,
            before: None,
            operators_before: &[],
            cards_before: &[],
            approval: None,
            at: at(0),
        };
        Write::Intent {
            fence: lease.fence(),
            row: IntentRow::new(lease.run(), &intent),
            halfway: None,
        }
    };
    let error = writer.write(row("large")).await.unwrap_err();
    assert_eq!(error, StoreError::DiskFull { path: path.clone() });
    assert!(error.to_string().contains("stops before its next write"), "{error}");
    let open: Vec<_> = store
        .open_intents()
        .await
        .unwrap()
        .iter()
        .map(|intent| intent.id)
        .collect();
    assert_eq!(open, [kept]);
    // The next write finds a new connection, which has no such limit: there is room again.
    assert!(writer.write(row("large")).await.unwrap() > kept.row());
    writer.close().await;
}
