//! Reads that go wrong: nothing is written on them, and nothing is taken for gone.

use crate::support::company::{Company, of_kind, today};
use cardsync::core::model::card::OperatorLink;
use cardsync::core::plan::report::RunVerdict;
use cardsync::core::plan::{ActionKind, HoldReason};
use cardsync::core::reads::snapshot::Verdict;
use cardsync::engine::run::RunError;
use cardsync::engine::state::StateReader;
use chrono::Duration;
use serde_json::json;

#[tokio::test]
async fn a_read_that_never_comes_whole_ends_the_run_before_any_write() {
    let company = Company::open(&[]).await;
    for (fault, said) in [
        (json!({ "route": "/persons", "cut_body": true }), "no whole answer"),
        (json!({ "route": "/operators", "reset": "after" }), "no whole answer"),
        (
            json!({ "route": "/persons/count", "answer": { "status": 401 } }),
            "status 401",
        ),
        (json!({ "route": "/persons", "answer": { "status": 302 } }), "redirect"),
        (
            json!({ "route": "/branches", "answer": { "status": 200, "body": "<html><title>Log in</title></html>" } }),
            "Log in",
        ),
        (
            json!({ "route": "/persons", "answer": { "status": 503 } }),
            "status 503",
        ),
        (
            json!({ "route": "/persons", "answer": { "status": 429, "headers": { "Retry-After": "3600" } } }),
            "status 429",
        ),
    ] {
        company.again();
        company.sandbox.fault(&fault).unwrap();
        let error = company.run(today()).await.map(|it| it.report).unwrap_err();
        assert!(matches!(error, RunError::Target(_)), "{fault}: {error}");
        assert!(error.to_string().contains(said), "{fault}: {error}");
        assert!(!error.to_string().contains('\n'), "{fault}: {error}");
        assert!(company.effects().is_empty(), "{fault}");
        let store = company.store().await;
        let report = store.history(1).await.unwrap().remove(0);
        assert_eq!(report.verdict, Some(RunVerdict::Failed));
        assert!(report.failure.unwrap().contains(said));
        store.close().await;
    }
    company.again();
    company.run(today()).await.unwrap();
    company.settle(today()).await;
}

#[tokio::test]
async fn a_read_that_fails_now_and_then_is_tried_again() {
    let company = Company::open(&[]).await;
    company.run(today()).await.unwrap();
    let undisturbed = company.picture();
    for fault in [
        json!({ "method": "GET", "every": 3, "cut_body": true }),
        json!({ "method": "GET", "every": 3, "answer": { "status": 503 } }),
        json!({ "method": "GET", "every": 3, "answer": { "status": 429, "headers": { "Retry-After": "0" } } }),
        json!({ "method": "GET", "every": 4, "answer": { "status": 429 } }),
        json!({ "method": "GET", "every": 3, "answer": { "status": 521 } }),
        json!({ "method": "GET", "every": 3, "reset": "before" }),
    ] {
        company.again();
        company.sandbox.fault(&fault).unwrap();
        company.run(today()).await.unwrap();
        company.sandbox.clear_faults();
        company.settle(today()).await;
        assert_eq!(company.picture(), undisturbed, "{fault}");
    }
}

#[tokio::test]
async fn a_count_that_does_not_fit_creates_and_archives_nobody() {
    let company = Company::open(&[]).await;
    let counted = json!({ "route": "/persons/count", "answer": { "status": 200, "body": { "numberOfPersons": 12 } } });
    company.sandbox.fault(&counted).unwrap();
    let finished = company.run(today()).await.unwrap();
    let topdesk = &finished.planned.input.target;
    assert!(
        matches!(topdesk.verdict, Verdict::Degraded { .. }),
        "{:?}",
        topdesk.verdict
    );
    let effects = company.effects();
    let grave = [
        "POST /persons",
        "PATCH /persons/id/{id}/archive",
        "PUT /persons/id/{id}/unarchive",
    ];
    assert!(grave.iter().all(|place| !effects.contains_key(*place)), "{effects:?}");
    assert!(effects.contains_key("PATCH /persons/{id}"), "updates go on");
    company.sandbox.clear_faults();
    company.settle(today()).await;
    assert_eq!(company.duplicates(), json!([]));
}

#[tokio::test]
async fn a_card_that_cannot_be_read_again_is_left_and_the_others_go_on() {
    let company = Company::open(&[]).await;
    let id = company.card("100007");
    company
        .sandbox
        .fault(&json!({ "method": "GET", "route": "/persons/{id}", "contains": id, "answer": { "status": 500 } }))
        .unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(finished.report.verdict, Some(RunVerdict::SomeFailed));
    assert_eq!(finished.report.counts.not_done, 1);
    assert_eq!(finished.report.counts.not_reached, 0);
    company.sandbox.clear_faults();
    company.settle(today()).await;
}

#[tokio::test]
async fn an_operator_who_gets_another_group_right_before_the_write_waits() {
    let company = Company::open(&[]).await;
    let planned = company.plan(today()).await;
    let archive = of_kind(&planned.judged.plan.changes, ActionKind::Archive).find(|it| it.operators_affected() > 0);
    let archive = archive.expect("an operator goes").clone();
    let OperatorLink::Active { operators } = &archive.operator else {
        panic!("an active operator goes");
    };
    // The first read is the plan's, the second the last look.
    let rule = json!({
        "method": "GET",
        "route": "/operators/id/{id}/operatorgroups",
        "contains": operators[0].as_str(),
        "nth": 2,
        "answer": { "status": 200, "body": [{ "id": "5d3c5c5e-0000-4000-8000-000000000001", "groupName": "Night desk" }] },
    });
    company.sandbox.fault(&rule).unwrap();
    let finished = company.run(today()).await.unwrap();
    let hold = finished.holds.iter().find(|it| it.change.id == archive.id);
    let hold = hold.expect("it waits");
    assert!(
        matches!(hold.reasons.last(), Some(HoldReason::ChangedSinceJudged { what }) if what.contains("groups")),
        "{:?}",
        hold.reasons
    );
}

#[tokio::test]
async fn what_a_human_changes_between_the_read_and_the_write_is_a_hold() {
    let company = Company::open(&[]).await;
    let id = company.card("100007");
    let edit = json!({ "person": "100007", "set": { "jobTitle": "Chief" } });
    company
        .sandbox
        .fault(&json!({ "method": "GET", "route": "/persons/{id}", "contains": id, "nth": 1, "edit": edit }))
        .unwrap();
    let finished = company.run(today()).await.unwrap();
    let hold = finished
        .holds
        .iter()
        .find(|it| it.change.key.as_ref().is_some_and(|key| key.as_str() == "100007"))
        .unwrap();
    assert_eq!(hold.reasons.last().unwrap().code(), "changed_since_judged");
    assert_eq!(finished.report.verdict, Some(RunVerdict::Held));
    let again = company.run(today() + Duration::minutes(11)).await.unwrap();
    assert_eq!(again.report.counts.not_done, 0);
}
