//! Writes whose answers do not come, come late, or say 'later'.

use crate::support::company::{Company, done, of_kind, outcome, today};
use crate::support::failing_store::{FailingStore, Full};
use crate::support::waiting::until_then;
use cardsync::core::plan::report::RunVerdict;
use cardsync::core::plan::{ActionKind, HoldReason};
use cardsync::engine::run::RunError;
use cardsync::engine::state::{StateReader, StoreError};
use chrono::Duration;
use serde_json::{Value, json};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a create with this key was sent, whatever became of it.
fn creates(company: &Company, key: &str) -> usize {
    let stats = company.sandbox.stats();
    let writes = stats["writes"].as_array().unwrap();
    let of_key = |write: &&Value| write["method"] == "POST" && write["body"]["employeeNumber"] == key;
    writes.iter().filter(of_key).count()
}

#[tokio::test]
async fn a_create_in_doubt_is_frozen_until_a_read_ten_minutes_later() {
    let company = Company::open(&[]).await;
    let lost = json!({ "method": "POST", "route": "/persons", "contains": "100010", "nth": 1, "reset": "before" });
    company.sandbox.fault(&lost).unwrap();
    let first = company.run(today()).await.unwrap();
    assert_eq!(outcome(&first, ActionKind::Create, "100010").0, "in doubt");
    assert_eq!(first.report.verdict, Some(RunVerdict::SomeFailed));
    for minutes in [1, 9] {
        let early = company.run(today() + Duration::minutes(minutes)).await.unwrap();
        assert_eq!(early.report.verdict, Some(RunVerdict::Held), "{minutes} minutes later");
        let hold = early
            .holds
            .iter()
            .find(|it| it.change.action == ActionKind::Create)
            .unwrap();
        assert_eq!(hold.reasons, [HoldReason::InDoubt]);
        assert_eq!(company.sandbox.requests("POST /persons"), 2, "one for each newcomer");
    }
    let late = company.run(today() + Duration::minutes(10)).await.unwrap();
    assert_eq!(outcome(&late, ActionKind::Create, "100010").0, "done");
    company.settle(today() + Duration::minutes(10)).await;
    assert_eq!(creates(&company, "100010"), 1);
    assert_eq!(company.duplicates(), json!([]));
    assert_eq!(company.effects(), company.journal().await);
}

#[tokio::test]
async fn an_effect_that_lands_later_is_found_and_not_made_again() {
    let company = Company::open(&[]).await;
    let late = json!({ "method": "POST", "route": "/persons", "contains": "100010", "nth": 1, "reset": "before", "effect_after_ms": 2_500 });
    company.sandbox.fault(&late).unwrap();
    company.run(today()).await.unwrap();
    let early = company.run(today() + Duration::minutes(1)).await.unwrap();
    assert_eq!(creates(&company, "100010"), 0, "not landed yet");
    assert_eq!(early.holds.len(), 1);
    until_then("the effect lands", async || creates(&company, "100010") == 1).await;
    let found = company.run(today() + Duration::minutes(2)).await.unwrap();
    assert!(!done(&found).contains_key(&ActionKind::Create));
    company.settle(today()).await;
    assert_eq!(creates(&company, "100010"), 1);
    assert_eq!(company.duplicates(), json!([]));
    assert_eq!(company.effects(), company.journal().await);
}

#[tokio::test]
async fn an_archive_that_lands_later_is_known_as_ours() {
    let company = Company::open(&[]).await;
    let late = json!({ "method": "PATCH", "route": "/persons/id/{id}/archive", "contains": company.card("100004"),
                       "nth": 1, "reset": "before", "effect_after_ms": 400 });
    company.sandbox.fault(&late).unwrap();
    company.run(today()).await.unwrap();
    let archived = |line: &String| line.contains("100004") && line.ends_with("true");
    until_then("the effect lands", async || company.picture().iter().any(archived)).await;
    company.settle(today()).await;
    let store = company.store().await;
    let remembered = store.load(today()).await.unwrap();
    let entry = remembered
        .ledger
        .values()
        .find(|it| it.key.as_ref().is_some_and(|key| key.as_str() == "100004"));
    assert!(entry.unwrap().archived_by_us.is_some());
    store.close().await;
}

#[tokio::test]
async fn a_busy_topdesk_is_waited_for_and_each_attempt_is_in_the_journal() {
    for headers in [json!({ "Retry-After": "1" }), json!({})] {
        let company = Company::open(&[]).await;
        let busy = json!({ "method": "PATCH", "route": "/persons/{id}", "nth": 1, "answer": { "status": 429, "headers": headers } });
        company.sandbox.fault(&busy).unwrap();
        let start = Instant::now();
        let finished = company.run(today()).await.unwrap();
        assert!(start.elapsed().as_millis() >= 900, "{:?}", start.elapsed());
        assert_eq!(finished.report.verdict, Some(RunVerdict::Clean));
        let sent = company.sandbox.requests("PATCH /persons/{id}");
        assert_eq!(sent, company.effects()["PATCH /persons/{id}"] + 1, "one was sent again");
        assert_eq!(company.effects(), company.journal().await);
    }
}

#[tokio::test]
async fn maintenance_in_the_middle_ends_the_run_and_the_next_one_does_the_rest() {
    let company = Company::open(&[]).await;
    company.run(today()).await.unwrap();
    let undisturbed = company.picture();
    company.again();
    let away = json!({ "method": "PATCH", "route": "/persons/{id}", "answer": { "status": 503, "headers": { "Retry-After": "0" } } });
    company.sandbox.fault(&away).unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(finished.report.verdict, Some(RunVerdict::Failed));
    assert!(
        finished.report.failure.as_ref().unwrap().contains("in a row"),
        "{:?}",
        finished.report.failure
    );
    assert_eq!(
        company.sandbox.requests("PATCH /persons/id/{id}/archive"),
        0,
        "nothing after the stop"
    );
    company.sandbox.clear_faults();
    company.settle(today()).await;
    assert_eq!(company.picture(), undisturbed);
}

#[tokio::test]
async fn a_wait_of_an_hour_is_not_waited_for() {
    let company = Company::open(&[]).await;
    let hour = json!({ "method": "POST", "route": "/persons", "answer": { "status": 429, "headers": { "Retry-After": "3600" } } });
    company.sandbox.fault(&hour).unwrap();
    let finished = company.run(today()).await.unwrap();
    let failure = finished.report.failure.unwrap();
    assert!(failure.contains("asks to wait for 3600 s"), "{failure}");
    assert_eq!(finished.report.counts.in_doubt, 0);
}

#[tokio::test]
async fn a_full_disk_stops_before_the_next_write() {
    let company = Company::open(&[]).await;
    company.run(today()).await.unwrap();
    let undisturbed = company.picture();
    for full in [Full::Intent, Full::Outcome] {
        for nth in [1, 3, 7, 13] {
            company.again();
            let store = FailingStore::new(company.store().await, full, nth);
            let error = company
                .run_with(&store, today(), &CancellationToken::new())
                .await
                .map(|it| it.report)
                .unwrap_err();
            assert!(matches!(error, RunError::Store(StoreError::DiskFull { .. })), "{error}");
            let written: u64 = company.effects().values().sum();
            let most = match full {
                Full::Intent => u64::from(nth) - 1,
                // Those in flight side by side had left already.
                Full::Outcome => u64::from(nth) + 3,
            };
            assert!(written <= most, "{full:?} {nth}: {written} writes");
            let report = store.history(1).await.unwrap().remove(0);
            assert_eq!(report.verdict, Some(RunVerdict::Failed));
            store.inner.close().await;
            company.settle(today()).await;
            assert_eq!(company.picture(), undisturbed, "{full:?} {nth}");
            assert_eq!(company.effects(), company.journal().await, "{full:?} {nth}");
        }
    }
}

#[tokio::test]
async fn a_key_that_appears_before_the_create_is_not_made_twice() {
    let company = Company::open(&[]).await;
    let edit = json!({ "person": "jprins", "set": { "employeeNumber": "100010" } });
    // The look-up right before the creates is the second read of persons.
    company
        .sandbox
        .fault(&json!({ "method": "GET", "route": "/persons", "nth": 2, "edit": edit }))
        .unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(
        outcome(&finished, ActionKind::Create, "100010"),
        ("held", "changed_since_judged".to_owned())
    );
    assert_eq!(company.duplicates(), json!([]));
    assert_eq!(creates(&company, "100010"), 0);
}

#[tokio::test]
async fn a_key_that_another_card_got_meanwhile_is_not_adopted() {
    let company = Company::open(&[]).await;
    let planned = company.plan(today()).await;
    let mut adopts = of_kind(&planned.judged.plan.changes, ActionKind::Adopt);
    let key = adopts
        .next()
        .and_then(|change| change.key.clone())
        .expect("the day has an adopt");
    let edit = json!({ "person": "jprins", "set": { "employeeNumber": key.as_str() } });
    // The reads of persons: all of them, the keys of the creates, those of the adopts.
    company
        .sandbox
        .fault(&json!({ "method": "GET", "route": "/persons", "nth": 3, "edit": edit }))
        .unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(
        outcome(&finished, ActionKind::Adopt, key.as_str()),
        ("held", "changed_since_judged".to_owned())
    );
    assert_eq!(company.duplicates(), json!([]));
}
