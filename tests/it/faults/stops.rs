//! Told to stop: within a second or two, whatever was going on, and nothing is lost.

use crate::support::company::{Company, today};
use cardsync::domain::report::{Outcome, RunVerdict};
use cardsync::engine::run::{Finished, RunError};
use cardsync::engine::state::StateReader;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Runs with a fault and asks for a stop once the fault is being played; gives how long the end took.
async fn stopped(company: &Company, fault: Value) -> (Result<Finished, RunError>, Duration) {
    company.sandbox.fault(&fault).unwrap();
    let store = company.store().await;
    let stop = AtomicBool::new(false);
    let mut asked = Instant::now();
    let played = async {
        while company.sandbox.stats()["faults_played"] == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        asked = Instant::now();
        stop.store(true, Ordering::Relaxed);
    };
    let (finished, ()) = tokio::join!(company.run_with(&store, today(), &stop), played);
    let took = asked.elapsed();
    store.close().await;
    company.sandbox.clear_faults();
    (finished, took)
}

#[tokio::test]
async fn a_long_read_is_abandoned() {
    let company = Company::open(&[]).await;
    let (finished, took) = stopped(&company, json!({ "route": "/persons", "delay_ms": 20_000 })).await;
    assert!(matches!(finished.map(|it| it.report), Err(RunError::Stopped)));
    assert!(took < Duration::from_secs(3), "{took:?}");
    let store = company.store().await;
    let report = store.history(1).await.unwrap().remove(0);
    assert_eq!((report.verdict, report.finished_at.is_some()), (None, true));
    store.close().await;
}

#[tokio::test]
async fn a_wait_for_a_busy_topdesk_is_abandoned() {
    for header in ["90", "1"] {
        let company = Company::open(&[]).await;
        let busy = json!({ "method": "PATCH", "route": "/persons/{id}", "answer": { "status": 429, "headers": { "Retry-After": header } } });
        let (finished, took) = stopped(&company, busy).await;
        let finished = finished.unwrap();
        assert!(took < Duration::from_secs(4), "{took:?}");
        assert_eq!(finished.report.counts.in_doubt, 0, "what was not sent is not in doubt");
        assert!(finished.report.counts.not_reached > 0);
        company.settle(today()).await;
    }
}

#[tokio::test]
async fn the_write_in_flight_is_finished() {
    let company = Company::open(&[]).await;
    let slow = json!({ "method": "POST", "route": "/persons", "nth": 1, "answer_delay_ms": 600 });
    let (finished, took) = stopped(&company, slow).await;
    let finished = finished.unwrap();
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(finished.report.counts.in_doubt, 0);
    assert_eq!(company.effects(), company.journal().await);
    let told = |it: &&cardsync::domain::report::ChangeOutcome| matches!(&it.outcome, Outcome::NotReached { message } if message.contains("stop"));
    assert!(finished.outcomes.iter().filter(told).count() >= 5);
    assert_eq!(finished.report.verdict, Some(RunVerdict::SomeFailed));
    company.settle(today()).await;
}

#[tokio::test]
async fn a_write_that_hangs_is_in_doubt_after_the_grace() {
    let company = Company::open(&[]).await;
    let hangs = json!({ "method": "POST", "route": "/persons", "nth": 1, "answer_delay_ms": 15_000 });
    let (finished, took) = stopped(&company, hangs).await;
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(finished.unwrap().report.counts.in_doubt, 1);
    company.settle(today()).await;
    assert_eq!(company.duplicates(), json!([]));
    assert_eq!(company.effects(), company.journal().await);
}
