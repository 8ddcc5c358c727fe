//! TOPdesk gone for ten minutes in the middle of a run, and a clock that jumps back between runs: later runs reach the end
//! that an undisturbed one reaches, nobody is there twice, and no outcome is lost.

use crate::support::company::{Company, today};
use cardsync::core::plan::report::RunVerdict;
use cardsync::engine::run::RunError;
use cardsync::engine::state::StateReader;
use chrono::Duration;
use serde_json::json;

/// From the nth request on nobody answers: one of the reads, of the first writes, or of the last ones.
#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_without_topdesk_in_mid_run() {
    let company = Company::open(&[]).await;
    company.run(today()).await.unwrap();
    company.settle(today()).await;
    let undisturbed = company.picture();
    let writes: u64 = company.effects().values().sum();
    for (after_write, reset) in (1..=writes)
        .step_by(3)
        .flat_map(|nth| [(nth, "before"), (nth, "after")])
    {
        company.again();
        for method in ["POST", "PATCH", "PUT"] {
            let rule = json!({ "method": method, "from": after_write.div_ceil(3), "reset": reset });
            company.sandbox.fault(&rule).unwrap();
        }
        let point = format!("gone ({reset}) from about write {after_write} on");
        // During the outage the daemon would come by again: not even the reads are answered.
        let run = company.run(today()).await;
        assert!(run.is_ok(), "{point}: what was not reached is no error of the run");
        company
            .sandbox
            .fault(&json!({ "method": "GET", "reset": "before" }))
            .unwrap();
        let meanwhile = company.run(today() + Duration::minutes(5)).await;
        assert!(
            matches!(meanwhile.map(|it| it.report), Err(RunError::Target(_))),
            "{point}"
        );
        company.sandbox.clear_faults();
        company.run(today() + Duration::minutes(11)).await.unwrap();
        company.settle(today() + Duration::minutes(11)).await;
        assert_eq!(company.picture(), undisturbed, "{point}");
        assert_eq!(company.duplicates(), json!([]), "{point}");
        assert_eq!(company.effects(), company.journal().await, "lost outcomes: {point}");
    }
}

/// The machine's clock is two days late in the next run. What was done stays done, nothing is sent twice, and the day after
/// everything is as it would have been.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_back_does_nothing_twice() {
    let company = Company::open(&[]).await;
    company.run(today()).await.unwrap();
    company.settle(today()).await;
    let (undisturbed, sent) = (company.picture(), company.effects());
    let back = company.run(today() - Duration::days(2)).await.unwrap();
    assert!(
        matches!(
            back.report.verdict,
            Some(RunVerdict::Clean | RunVerdict::Attention | RunVerdict::Held)
        ),
        "{:?}",
        back.report
    );
    assert_eq!(company.effects(), sent, "nothing is sent on a clock of two days ago");
    company.run(today() + Duration::days(1)).await.unwrap();
    assert_eq!(company.picture(), undisturbed);
    assert_eq!(company.effects(), company.journal().await);
    let store = company.store().await;
    assert!(store.open_intents().await.unwrap().is_empty());
    store.close().await;
}
