//! Told to stop: it waits for nothing that takes long, and nothing is lost.

use crate::support::company::{Company, today};
use crate::support::waiting::{FOR_EVER_MS, PATIENCE};
use cardsync::core::plan::report::{Outcome, RunVerdict};
use cardsync::engine::run::{Finished, RunError};
use cardsync::engine::state::StateReader;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Runs with a fault and asks for a stop once the fault is being played.
async fn stopped(company: &Company, fault: Value) -> Result<Finished, RunError> {
    company.sandbox.fault(&fault).unwrap();
    let store = company.store().await;
    let stop = CancellationToken::new();
    let played = async {
        while company.sandbox.stats()["faults_played"] == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
    };
    let ended = async { tokio::join!(company.run_with(&store, today(), &stop), played).0 };
    let finished = tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
    store.close().await;
    company.sandbox.clear_faults();
    finished
}

#[tokio::test]
async fn a_long_read_is_abandoned() {
    let company = Company::open(&[]).await;
    let finished = stopped(&company, json!({ "route": "/persons", "delay_ms": FOR_EVER_MS })).await;
    assert!(matches!(finished.map(|it| it.report), Err(RunError::Stopped)));
    let store = company.store().await;
    let report = store.history(1).await.unwrap().remove(0);
    assert_eq!((report.verdict, report.finished_at.is_some()), (None, true));
    store.close().await;
}

#[tokio::test]
async fn a_wait_for_a_busy_topdesk_is_abandoned() {
    for header in ["1200", "1"] {
        let company = Company::open(&[]).await;
        let busy = json!({ "method": "PATCH", "route": "/persons/{id}", "answer": { "status": 429, "headers": { "Retry-After": header } } });
        let finished = stopped(&company, busy).await;
        let finished = finished.unwrap();
        assert_eq!(finished.report.counts.in_doubt, 0, "what was not sent is not in doubt");
        assert!(finished.report.counts.not_reached > 0);
        company.settle(today()).await;
    }
}

#[tokio::test]
async fn the_write_in_flight_is_finished() {
    let company = Company::open(&[]).await;
    let slow = json!({ "method": "POST", "route": "/persons", "nth": 1, "answer_delay_ms": 600 });
    let finished = stopped(&company, slow).await;
    let finished = finished.unwrap();
    assert_eq!(finished.report.counts.in_doubt, 0);
    assert_eq!(company.effects(), company.journal().await);
    let told = |it: &&cardsync::core::plan::report::ChangeOutcome| matches!(&it.outcome, Outcome::NotReached { message } if message.contains("stop"));
    assert!(finished.outcomes.iter().filter(told).count() >= 5);
    assert_eq!(finished.report.verdict, Some(RunVerdict::SomeFailed));
    company.settle(today()).await;
}

#[tokio::test]
async fn a_write_that_hangs_is_in_doubt_after_the_grace() {
    let company = Company::open(&[]).await;
    let hangs = json!({ "method": "POST", "route": "/persons", "nth": 1, "answer_delay_ms": FOR_EVER_MS });
    let finished = stopped(&company, hangs).await;
    assert_eq!(finished.unwrap().report.counts.in_doubt, 1);
    company.settle(today()).await;
    assert_eq!(company.duplicates(), json!([]));
    assert_eq!(company.effects(), company.journal().await);
}
