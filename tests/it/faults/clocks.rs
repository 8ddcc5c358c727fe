//! A clock that is wrong decides nothing that cannot be taken back.

use crate::support::company::{At, Company, today};
use cardsync::app::run_once::{RunOnce, run_once};
use cardsync::engine::Silent;
use cardsync::engine::state::StateReader;
use chrono::{DateTime, Duration, Utc};
use tokio_util::sync::CancellationToken;

/// A whole run with everything around it, by this clock.
async fn whole_run(company: &Company, at: DateTime<Utc>) {
    let environment = company.environment();
    let run = RunOnce {
        environment: &environment,
        command: "run",
        clock: &At(at),
        progress: &Silent,
        stop: &CancellationToken::new(),
    };
    run_once(run).await.unwrap();
}

/// What of the day is still in the journal, and how many runs the history has.
async fn kept(company: &Company) -> (u64, usize) {
    let store = company.store().await;
    let runs = store.history(1_000).await.unwrap().len();
    store.close().await;
    (company.journal().await.values().sum(), runs)
}

#[tokio::test]
async fn a_run_three_years_ahead_takes_nothing_out_while_its_clock_is_doubted() {
    let company = Company::open(&[]).await;
    whole_run(&company, today()).await;
    let (writes, runs) = kept(&company).await;
    assert!(writes > 5 && runs >= 3, "{writes} {runs}");
    company.sandbox.set("clock_minutes", "30").unwrap();
    whole_run(&company, today() + Duration::days(3 * 365)).await;
    assert_eq!(kept(&company).await, (writes, runs + 1));
    // Were the clock right, all of it would be old by then.
    company.sandbox.set("clock_minutes", "0").unwrap();
    whole_run(&company, today() + Duration::days(3 * 365)).await;
    assert!(kept(&company).await.0 < writes);
}
