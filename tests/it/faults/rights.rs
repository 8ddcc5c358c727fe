//! Refusals: each stops what it concerns and nothing else, and is met once.

use crate::support::company::{Company, done, outcome, today};
use cardsync::core::plan::report::RunVerdict;
use cardsync::core::plan::{ActionKind, HoldReason};
use serde_json::json;

#[tokio::test]
async fn a_401_in_the_middle_stops_the_run_at_once() {
    let company = Company::open(&[]).await;
    let expired = json!({ "method": "PATCH", "answer": { "status": 401 } });
    company.sandbox.fault(&expired).unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(finished.report.verdict, Some(RunVerdict::Failed));
    let failure = finished.report.failure.clone().unwrap();
    assert!(
        failure.contains("status 401") && failure.contains("topdesk.username"),
        "{failure}"
    );
    assert!(
        company.sandbox.requests("PATCH /persons/{id}") <= 4,
        "those in flight only"
    );
    assert_eq!(company.sandbox.requests("PATCH /persons/id/{id}/archive"), 0);
    assert!(
        done(&finished).contains_key(&ActionKind::Create),
        "what came before is done"
    );
    company.sandbox.clear_faults();
    company.settle(today()).await;
    assert_eq!(company.effects(), company.journal().await);
}

#[tokio::test]
async fn after_the_first_401_nothing_is_sent_but_what_is_in_flight() {
    let company = Company::open(&[]).await;
    for (method, from) in [("PATCH", 1), ("POST", 1), ("GET", 12)] {
        company.again();
        // Slow enough that others are in flight with it.
        let expired = json!({ "method": method, "from": from, "answer": { "status": 401 }, "delay_ms": 30 });
        company.sandbox.fault(&expired).unwrap();
        let said = match company.run(today()).await {
            Ok(finished) => finished.report.failure.unwrap(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains("topdesk.username"), "{method}: {said}");
        let refused = company.sandbox.stats()["faults_played"].as_u64().unwrap();
        assert!((1..=4).contains(&refused), "{method}: {refused} refused requests");
        company.sandbox.clear_faults();
        company.settle(today()).await;
        assert_eq!(company.effects(), company.journal().await, "{method}");
    }
}

#[tokio::test]
async fn operators_that_may_not_be_archived_are_held_after_one_refusal() {
    let company = Company::open(&[]).await;
    company.sandbox.set("rights", "archive_operators=off").unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(
        outcome(&finished, ActionKind::Archive, "100007"),
        ("held", "operator_archive_refused".to_owned())
    );
    assert_eq!(outcome(&finished, ActionKind::Archive, "100004").0, "done");
    assert!(
        finished
            .holds
            .iter()
            .any(|it| it.change.key.as_ref().is_some_and(|key| key.as_str() == "100007"))
    );
    assert_eq!(company.sandbox.stats()["operators_archived_by_cascade"], json!([]));
    assert_eq!(finished.report.counts.not_done, 0);
}

#[tokio::test]
async fn a_refused_archive_is_asked_again_only_after_a_new_approval() {
    let company = Company::open(&[]).await;
    company.sandbox.set("rights", "archive_operators=off").unwrap();
    let operator = company.card("100007");
    let asked = || {
        let stats = company.sandbox.stats();
        let writes = stats["writes"].as_array().unwrap().iter();
        writes
            .filter(|it| it["route"] == "/persons/id/{id}/archive" && it["id"] == *operator)
            .count()
    };
    let refused = company.run(today()).await.unwrap();
    assert_eq!(asked(), 1);
    let is_it = |it: &&cardsync::core::memory::decision::HeldItem| {
        it.change.key.as_ref().is_some_and(|key| key.as_str() == "100007")
    };
    assert!(refused.new_holds.iter().any(|it| is_it(&it)), "a refusal is news");
    // The approval from before is still in force, and says nothing about the refusal.
    let quiet = company.run(today()).await.unwrap();
    assert_eq!(asked(), 1);
    let waiting = quiet.holds.iter().find(is_it).expect("it waits on");
    assert_eq!(waiting.reasons, [HoldReason::OperatorArchiveRefused]);
    assert!(quiet.new_holds.is_empty());
    company.approve(today()).await;
    let again = company.run(today()).await.unwrap();
    assert_eq!(asked(), 2, "asked once more");
    assert!(again.holds.iter().any(|it| is_it(&it)));
    company.run(today()).await.unwrap();
    assert_eq!(asked(), 2);
    company.sandbox.set("rights", "full").unwrap();
    company.approve(today()).await;
    assert_eq!(
        outcome(&company.run(today()).await.unwrap(), ActionKind::Archive, "100007").0,
        "done"
    );
    company.settle(today()).await;
}

#[tokio::test]
async fn a_refusal_about_operators_is_met_once() {
    let company = Company::open(&[]).await;
    let refuse = json!({ "method": "PUT", "route": "/persons/id/{id}/unarchive", "contains": company.card("100006"),
                         "answer": { "status": 403, "body": [{ "message": "No permission to unarchive operators." }] } });
    company.sandbox.fault(&refuse).unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(outcome(&finished, ActionKind::Unarchive, "100006").0, "held");
    assert_eq!(outcome(&finished, ActionKind::Unarchive, "100005").0, "done");
    // The archive with an operator comes later in the plan and is not sent any more.
    assert_eq!(outcome(&finished, ActionKind::Archive, "100007").0, "held");
    assert_eq!(company.sandbox.requests("PATCH /persons/id/{id}/archive"), 1);
}

#[tokio::test]
async fn a_missing_right_stops_its_kind_and_nothing_else() {
    for (right, kind, key) in [
        ("create_persons", ActionKind::Create, "100009"),
        ("archive_persons", ActionKind::Archive, "100004"),
        ("write_persons", ActionKind::Update, "100002"),
    ] {
        let company = Company::open(&[]).await;
        company.run(today()).await.unwrap();
        let undisturbed = company.picture();
        company.again();
        company.sandbox.set(&format!("right.{right}"), "off").unwrap();
        let finished = company.run(today()).await.unwrap();
        let (word, message) = outcome(&finished, kind, key);
        assert!(["not done", "not reached"].contains(&word), "{right}: {word} {message}");
        assert_eq!(finished.report.verdict, Some(RunVerdict::SomeFailed), "{right}");
        assert!(!done(&finished).is_empty(), "{right}");
        company.sandbox.set(&format!("right.{right}"), "on").unwrap();
        company.settle(today()).await;
        assert_eq!(company.picture(), undisturbed, "{right}");
    }
}

#[tokio::test]
async fn entries_that_may_not_be_made_stop_only_who_needs_them() {
    let company = Company::open(&[]).await;
    let refused = json!({ "method": "POST", "route": "/departments", "answer": { "status": 403 } });
    company.sandbox.fault(&refused).unwrap();
    let finished = company.run(today()).await.unwrap();
    assert_eq!(outcome(&finished, ActionKind::Create, "100009").0, "not reached");
    assert_eq!(outcome(&finished, ActionKind::Update, "100002").0, "done");
    assert_eq!(outcome(&finished, ActionKind::Archive, "100007").0, "done");
    company.sandbox.clear_faults();
    company.settle(today()).await;
}

#[tokio::test]
async fn a_missing_archiving_reason_stops_archives_only() {
    let company = Company::open(&[]).await;
    company.reconfigure("archiving_reason: Out of service", "archiving_reason: Gone");
    company.approve(today()).await;
    let finished = company.run(today()).await.unwrap();
    for key in ["100004", "100007"] {
        let (word, message) = outcome(&finished, ActionKind::Archive, key);
        assert_eq!(word, "not done");
        assert!(message.contains("'Gone'"), "{message}");
    }
    assert_eq!(company.sandbox.requests("PATCH /persons/id/{id}/archive"), 0);
    assert_eq!(finished.report.counts.not_done, 2);
    assert_eq!(done(&finished)[&ActionKind::Create], 2);
    assert_eq!(finished.report.verdict, Some(RunVerdict::SomeFailed));
}

#[tokio::test]
async fn operators_are_read_again_after_archive_and_unarchive() {
    for (restores, woken) in [("yes", 1), ("no", 0)] {
        let company = Company::open(&[]).await;
        company.sandbox.set("unarchive_restores_operator", restores).unwrap();
        let finished = company.run(today()).await.unwrap();
        let of = |kind| {
            let found = finished.outcomes.iter().filter(move |it| it.action == kind);
            found.map(|it| it.operators.len()).sum::<usize>()
        };
        assert_eq!(of(ActionKind::Unarchive), woken, "{restores}");
        assert_eq!(of(ActionKind::Archive), 1);
        assert_eq!(finished.report.counts.operators, 1 + woken as u64);
    }
}
