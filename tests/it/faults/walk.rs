//! A fault at every write of the day, one after the other.

use crate::support::company::{Company, today};
use serde_json::{Value, json};

/// Plays the day with this fault at each of its writes.
async fn walk(fault: Value) {
    let company = Company::open(&[]).await;
    company.run(today()).await.unwrap();
    company.settle(today()).await;
    let (undisturbed, writes) = (company.picture(), company.effects());
    let mut points = 0;
    for (place, count) in &writes {
        let (method, route) = place.split_once(' ').unwrap();
        for nth in 1..=*count {
            company.again();
            let mut rule = fault.clone();
            rule["method"] = method.into();
            rule["route"] = route.into();
            rule["nth"] = nth.into();
            company.sandbox.fault(&rule).unwrap();
            let point = format!("{fault} at {place} {nth}");
            let run = company.run(today()).await;
            assert_eq!(company.sandbox.stats()["faults_played"], 1, "{point}");
            company.sandbox.clear_faults();
            let rounds = company.settle(today()).await;
            assert_eq!(
                company.picture(),
                undisturbed,
                "{point}, {rounds} rounds, {:?}",
                run.map(|it| it.outcomes)
            );
            assert_eq!(company.duplicates(), json!([]), "{point}");
            assert_eq!(company.effects(), company.journal().await, "lost outcomes: {point}");
            points += 1;
        }
    }
    println!("{points} fault points");
    assert!(points >= 12, "{points}");
}

#[tokio::test]
async fn a_reset_before_the_effect_of_each_write() {
    walk(json!({ "reset": "before" })).await;
}

#[tokio::test]
async fn a_reset_after_the_effect_of_each_write() {
    walk(json!({ "reset": "after" })).await;
}

#[tokio::test]
async fn a_500_at_each_write() {
    walk(json!({ "answer": { "status": 500, "body": "An error occurred on the server" } })).await;
}

#[tokio::test]
async fn a_500_after_the_effect_of_each_write() {
    walk(json!({ "answer": { "status": 500 }, "effect": true })).await;
}

#[tokio::test]
async fn a_503_at_each_write() {
    walk(json!({ "answer": { "status": 503, "headers": { "Retry-After": "0" } } })).await;
}

#[tokio::test]
async fn a_522_of_an_edge_at_each_write_that_had_its_effect() {
    walk(json!({ "answer": { "status": 522 }, "effect": true })).await;
}

#[tokio::test]
async fn a_cut_answer_of_each_write() {
    walk(json!({ "cut_body": true })).await;
}
