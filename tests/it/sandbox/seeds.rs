//! Seeds, dumps and counters.

use serde_json::{Value, json};
use topdesk_sandbox::{Sandbox, SandboxOptions, Seed};

use super::{Desk, PERSON};

#[tokio::test]
async fn the_state_is_a_seed_again() {
    let desk = Desk::open(&[("next_link", "path"), ("right.login_data", "off")]).await;
    let path = format!("/persons/{}", desk.person("100001"));
    let body = json!({ "attention": { "comment": "careful" }, "optionalFields2": { "number3": 1.5 } });
    assert_eq!(desk.ask("PATCH", &path, PERSON, Some(body)).await.0, 200);
    let state = desk.sandbox.state_json();
    let again = Desk::with(state.clone(), &[]).await;
    assert_eq!(again.sandbox.state_json(), state);
    assert_eq!(desk.control("GET", "/state", Value::Null).await.1, state);
    assert_eq!(
        desk.control("POST", "/reset", Value::Null).await.0,
        400,
        "a body must be a seed"
    );
    desk.sandbox.reset(None).unwrap();
    assert!(desk.sandbox.state_json() != state);
}

#[tokio::test]
async fn requests_are_counted_by_method_and_route() {
    let desk = Desk::open(&[]).await;
    desk.persons("").await;
    desk.persons("pageStart=1").await;
    let id = desk.person("100002");
    desk.ask(
        "PATCH",
        &format!("/persons/{id}"),
        PERSON,
        Some(json!({ "employeeNumber": "100001" })),
    )
    .await;
    let (_, stats) = desk.control("GET", "/stats", Value::Null).await;
    assert_eq!(
        stats["requests"],
        json!({ "GET /persons": 2, "PATCH /persons/{id}": 1 })
    );
    let write = &stats["writes"][0];
    assert_eq!(
        (&write["seq"], &write["method"], &write["status"]),
        (&json!(1), &json!("PATCH"), &json!(200))
    );
    assert_eq!(write["body"], json!({ "employeeNumber": "100001" }));
    assert_eq!(stats["duplicate_keys"][0]["employeeNumber"], "100001");
    assert_eq!(desk.sandbox.requests("GET /persons"), 2);
    desk.sandbox.stop().await.unwrap();
}

#[test]
fn a_wrong_seed_is_refused_with_its_place() {
    for (seed, place) in [
        (
            json!({ "persons": [{ "surname": "x" }] }),
            "persons[0].surname: a person has no such field, did you mean 'surName'?",
        ),
        (
            json!({ "persons": [{}, { "surName": "x".repeat(51) }] }),
            "persons[1].surName: 51 characters",
        ),
        (
            json!({ "person": [] }),
            "'person' is not part of a seed, did you mean 'persons'?",
        ),
        (
            json!({ "branches": [{ "id": "7", "name": "x" }] }),
            "branches[0].id: '7' is not an id",
        ),
    ] {
        let error = Seed::from_value(seed).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
    assert!("{\"persons\": [".parse::<Seed>().is_err());
}

#[tokio::test]
async fn a_seed_that_points_nowhere_is_refused_with_its_place() {
    for (seed, place) in [
        (
            json!({ "branches": [], "persons": [{ "surName": "x", "branch": "Delft" }] }),
            "persons[0].branch: there is no branch 'Delft'",
        ),
        (
            json!({ "persons": [{ "surName": "x" }, { "surName": "y", "manager": "z" }] }),
            "persons[1].manager",
        ),
        (json!({ "settings": { "next_link": "sideways" } }), "next_link"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seed = Seed::from_value(seed).unwrap();
        let options = SandboxOptions {
            listener,
            seed,
            username: "a".into(),
            password: "b".into(),
            settings: vec![],
        };
        let error = Sandbox::start(options).await.unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}
