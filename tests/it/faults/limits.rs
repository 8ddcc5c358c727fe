//! Who may send, how long, and when: the second account, the time limit of a run, maintenance, passwords.

use crate::support::company::{Company, done, outcome, today};
use cardsync::core::model::field::LookupKind;
use cardsync::core::plan::ActionKind;
use cardsync::core::plan::report::{Outcome, RunVerdict};
use cardsync::engine::apply::OperatorAccount;
use cardsync::engine::run::Finished;
use cardsync::engine::target::{Concerns, TargetError, TargetReader};
use cardsync::topdesk::WriteClient;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

async fn run(
    company: &Company,
    account: Option<&OperatorAccount<'_, WriteClient>>,
    limit: Option<Duration>,
) -> Finished {
    let store = company.store().await;
    let stop = CancellationToken::new();
    let finished = company.run_as(&store, today(), &stop, account, limit).await;
    store.close().await;
    finished.unwrap()
}

#[tokio::test]
async fn the_second_account_is_loaded_once_and_only_when_it_is_needed() {
    let company = Company::open(&[]).await;
    let environment = company.environment();
    let loaded = AtomicUsize::new(0);
    let account = OperatorAccount::new(|| {
        loaded.fetch_add(1, Ordering::SeqCst);
        Ok(company.client(&environment).writer())
    });
    let finished = run(&company, Some(&account), None).await;
    // One is archived with an operator, one is brought back with one: both were approved.
    assert_eq!(outcome(&finished, ActionKind::Archive, "100007").0, "done");
    assert_eq!(outcome(&finished, ActionKind::Unarchive, "100006").0, "done");
    assert_eq!(loaded.load(Ordering::SeqCst), 1);
    let unneeded = OperatorAccount::new(|| panic!("nothing is left that touches an operator"));
    run(&company, Some(&unneeded), None).await;
}

#[tokio::test]
async fn without_the_second_accounts_secret_only_its_items_fail() {
    let company = Company::open(&[]).await;
    let account = OperatorAccount::new(|| {
        Err(TargetError::new(
            Concerns::Run,
            "no password for TOPdesk: no such file",
            "correct it",
        ))
    });
    let finished = run(&company, Some(&account), None).await;
    for (kind, key) in [(ActionKind::Archive, "100007"), (ActionKind::Unarchive, "100006")] {
        let (word, message) = outcome(&finished, kind, key);
        assert_eq!(word, "not done", "{key}");
        assert!(message.contains("no such file"), "{message}");
    }
    assert_eq!(outcome(&finished, ActionKind::Archive, "100004").0, "done");
    assert_eq!(outcome(&finished, ActionKind::Unarchive, "100005").0, "done");
    assert_eq!(finished.report.counts.not_done, 2);
    assert_eq!(company.sandbox.stats()["operators_archived_by_cascade"], json!([]));
    company.settle(today()).await;
}

#[tokio::test]
async fn the_time_limit_ends_a_run_and_the_next_one_does_the_rest() {
    let company = Company::open(&[]).await;
    let slow = json!({ "method": "POST", "route": "/departments", "answer_delay_ms": 300 });
    company.sandbox.fault(&slow).unwrap();
    let finished = run(&company, None, Some(Duration::from_millis(200))).await;
    assert_eq!(
        done(&finished).len(),
        1,
        "what had begun is finished, nothing more begins"
    );
    assert_eq!(done(&finished)[&ActionKind::CreateEntry], 1);
    let limited = finished
        .outcomes
        .iter()
        .filter(|it| matches!(&it.outcome, Outcome::NotReached { message } if message.contains("topdesk.run_limit")));
    assert_eq!(limited.count(), finished.outcomes.len() - 1);
    assert_eq!(finished.report.verdict, Some(RunVerdict::SomeFailed));
    company.settle(today()).await;
    assert_eq!(company.effects(), company.journal().await);
}

#[tokio::test]
async fn maintenance_is_waited_for_before_anything_is_read_or_written() {
    let company = Company::open(&[]).await;
    company.reconfigure("timeout: 20s", "timeout: 20s\n  patience: 20m");
    let environment = company.environment();
    let connected = company.connect(&environment);
    // More refusals than one read tries again.
    let maintenance = json!({ "answer": { "status": 503, "headers": { "Retry-After": "0" } }, "times": 7 });
    company.sandbox.fault(&maintenance).unwrap();
    // It ends with the maintenance, long before its patience.
    environment
        .wait_for_maintenance(&connected, &CancellationToken::new())
        .await;
    assert_eq!(company.sandbox.stats()["faults_played"], 7);
    assert_eq!(
        company.run(today()).await.unwrap().report.verdict,
        Some(RunVerdict::Clean)
    );
}

#[tokio::test]
async fn patience_ends_and_without_it_nobody_asks() {
    let company = Company::open(&[]).await;
    let maintenance = json!({ "answer": { "status": 503, "headers": { "Retry-After": "0" } } });
    company.sandbox.fault(&maintenance).unwrap();
    let played = || company.sandbox.stats()["faults_played"].as_u64().unwrap();
    let environment = company.environment();
    let connected = company.connect(&environment);
    environment
        .wait_for_maintenance(&connected, &CancellationToken::new())
        .await;
    assert_eq!(played(), 0, "the default is not to wait");
    company.reconfigure("timeout: 20s", "timeout: 20s\n  patience: 1s");
    let environment = company.environment();
    let began = Instant::now();
    environment
        .wait_for_maintenance(&connected, &CancellationToken::new())
        .await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(played() > 3);
    // Told to stop, it waits no longer.
    let stop = CancellationToken::new();
    stop.cancel();
    environment.wait_for_maintenance(&connected, &stop).await;
}

#[tokio::test]
async fn the_password_is_read_again_for_every_connection() {
    let company = Company::open(&[]).await;
    let environment = company.environment();
    let reads = async || {
        company
            .connect(&environment)
            .reader
            .read_entries(LookupKind::Branch)
            .await
    };
    assert_eq!(reads().await.err(), None);
    company.set_password("changed elsewhere");
    assert_eq!(reads().await.unwrap_err().status, Some(401));
    company.set_password("secret\n");
    assert_eq!(reads().await.err(), None);
}

#[tokio::test]
async fn an_application_password_that_will_expire_is_told_from_30_days_before() {
    let company = Company::open(&[]).await;
    company.reconfigure("timeout: 20s", "timeout: 20s\n  password_expires: 2026-04-30");
    let environment = company.environment();
    let told = |day: &str| environment.password_warning(day.parse().unwrap());
    assert_eq!(told("2026-03-30"), None);
    for (day, words) in [
        ("2026-03-31", "expires in 30 days"),
        ("2026-04-29", "expires tomorrow"),
        ("2026-04-30", "expires today"),
        ("2026-05-01", "expired on 2026-04-30"),
    ] {
        let warning = told(day).unwrap_or_default();
        assert!(warning.contains(words) && warning.contains("api"), "{day}: {warning}");
    }
}
