//! Faults, played over a real connection, and edits as a person in the user interface makes them.

use crate::support::waiting::until_then;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Desk, PERSON, PERSONS, message};

impl Desk {
    async fn fault(&self, rule: Value) {
        let (status, body) = self.control("POST", "/faults", rule).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Sends a request byte by byte as written, and gives what came back until the connection ended, and how it ended.
    async fn raw(&self, method: &str, path: &str, body: &str) -> (String, std::io::Result<usize>) {
        let token = base64::engine::general_purpose::STANDARD.encode("api:secret");
        let request = format!(
            "{method} /tas/api{path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Basic {token}\r\nAccept: {PERSON}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.sandbox.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        (
            String::from_utf8(answer).unwrap(),
            end.expect("the connection was never ended"),
        )
    }

    async fn found(&self, number: &str) -> u64 {
        self.persons(&format!("query=employeeNumber=={number}")).await.1["size"]
            .as_u64()
            .unwrap()
    }

    fn smit(&self) -> String {
        json!({ "surName": "Smit", "employeeNumber": "42", "branch": { "id": self.id("branches", "name", "Delft") } })
            .to_string()
    }
}

#[tokio::test]
async fn a_reset_before_the_effect_leaves_nothing_behind() {
    let desk = Desk::open(&[]).await;
    desk.fault(json!({ "method": "POST", "route": "/persons", "contains": "\"42\"", "times": 1, "reset": "before" }))
        .await;
    let (answer, end) = desk.raw("POST", "/persons", &desk.smit()).await;
    assert_eq!(answer, "");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(desk.found("42").await, 0);
    assert_eq!(desk.sandbox.stats()["writes"], json!([]));
    let (answer, _) = tokio::time::timeout(Duration::from_secs(5), async {
        let sent = desk
            .ask(
                "POST",
                "/persons",
                PERSON,
                Some(serde_json::from_str(&desk.smit()).unwrap()),
            )
            .await;
        (sent.0, sent.1)
    })
    .await
    .unwrap();
    assert_eq!(answer, 201, "the rule strikes once");
}

#[tokio::test]
async fn a_reset_after_the_effect_loses_only_the_answer() {
    let desk = Desk::open(&[]).await;
    desk.fault(json!({ "method": "POST", "route": "/persons", "nth": 1, "reset": "after" }))
        .await;
    let (answer, end) = desk.raw("POST", "/persons", &desk.smit()).await;
    assert_eq!(answer, "");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(desk.found("42").await, 1);
    let stats = desk.sandbox.stats();
    assert_eq!(stats["writes"][0]["status"], Value::Null, "nobody saw the answer");
    assert_eq!(stats["faults_played"], 1);
}

#[tokio::test]
async fn an_effect_can_land_after_the_connection_is_gone() {
    let desk = Desk::open(&[]).await;
    desk.fault(json!({ "method": "POST", "route": "/persons", "reset": "before", "effect_after_ms": 1_500 }))
        .await;
    let (_, end) = desk.raw("POST", "/persons", &desk.smit()).await;
    assert!(end.is_err());
    assert_eq!(desk.found("42").await, 0, "not there yet");
    until_then("the effect lands", async || desk.found("42").await == 1).await;
}

#[tokio::test]
async fn a_cut_body_announces_more_than_it_sends() {
    let desk = Desk::open(&[]).await;
    desk.fault(json!({ "route": "/persons/{id}", "cut_body": true })).await;
    let (answer, end) = desk
        .raw("GET", &format!("/persons/{}", desk.person("100001")), "")
        .await;
    assert!(end.is_err());
    let (head, body) = answer.split_once("\r\n\r\n").expect("the head came whole");
    let announced = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let announced: usize = announced.unwrap().parse().unwrap();
    assert_eq!(body.len(), announced / 2);
}

#[tokio::test]
async fn scripted_answers_have_their_status_headers_and_body() {
    let desk = Desk::open(&[]).await;
    desk.fault(json!([
        { "route": "/persons", "nth": 1, "answer": { "status": 429, "headers": { "Retry-After": "2" } } },
        { "route": "/persons", "nth": 2, "answer": { "status": 429 } },
        { "route": "/persons", "nth": 3, "answer": { "status": 302 } },
        { "route": "/persons", "nth": 4, "answer": { "status": 500, "body": "An error occurred on the server" } },
        { "route": "/persons", "nth": 5, "answer": { "status": 200, "body": "<html></html>" } },
        { "route": "/persons", "from": 6, "answer": { "status": 401, "body": [{ "message": "x" }] } }
    ]))
    .await;
    let patient = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = format!("{}/tas/api/persons", desk.sandbox.url());
    let mut seen = Vec::new();
    for _ in 0..7 {
        let answer = patient
            .get(&url)
            .basic_auth("api", Some("secret"))
            .header("Accept", PERSONS)
            .send()
            .await
            .unwrap();
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        seen.push((
            answer.status().as_u16(),
            header("retry-after"),
            header("location"),
            header("content-type"),
        ));
    }
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        seen,
        [
            (429, some("2"), None, None),
            (429, None, None, None),
            (302, None, some("/tas/public/login"), some("text/html")),
            (500, None, None, some("text/plain")),
            (200, None, None, some("text/html")),
            (401, None, None, some("application/json")),
            (401, None, None, some("application/json")),
        ]
    );
    assert_eq!(desk.control("DELETE", "/faults", Value::Null).await.1, json!([]));
    assert_eq!(desk.persons("").await.0, 200);
    assert_eq!(desk.control("POST", "/faults", json!({ "rout": "x" })).await.0, 400);
}

#[tokio::test]
async fn a_write_can_take_effect_behind_a_scripted_answer() {
    let desk = Desk::open(&[]).await;
    desk.fault(json!({ "method": "POST", "answer": { "status": 503 }, "effect": true }))
        .await;
    let (status, _) = desk
        .ask(
            "POST",
            "/persons",
            PERSON,
            Some(serde_json::from_str(&desk.smit()).unwrap()),
        )
        .await;
    assert_eq!((status, desk.found("42").await), (503, 1));
}

#[tokio::test]
async fn a_rule_strikes_every_so_often_and_can_answer_late() {
    let desk = Desk::open(&[]).await;
    let late = json!({ "route": "/version", "every": 3, "answer_delay_ms": 40, "answer": { "status": 502 } });
    desk.fault(late).await;
    let start = Instant::now();
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(desk.send("GET", "/version", "application/json", None).await.status());
    }
    assert_eq!(seen, [200, 200, 502, 200, 200, 502]);
    assert!(start.elapsed() >= Duration::from_millis(80));
    let (_, rules) = desk.control("GET", "/faults", Value::Null).await;
    assert_eq!((&rules[0]["requests"], &rules[0]["struck"]), (&json!(6), &json!(2)));
}

#[tokio::test]
async fn answers_can_be_slow() {
    let desk = Desk::open(&[("latency_ms", "30")]).await;
    desk.fault(json!({ "route": "/version", "delay_ms": 60 })).await;
    let start = Instant::now();
    desk.get("/version").await;
    assert!(start.elapsed() >= Duration::from_millis(90));
}

#[tokio::test]
async fn pages_can_shift_and_repeat() {
    let desk = Desk::open(&[]).await;
    let page = async |start: u8| {
        desk.persons(&format!("pageSize=2&pageStart={start}&fields=surName"))
            .await
            .1["item"]
            .clone()
    };
    let whole = [page(0).await, page(2).await];
    desk.fault(json!({ "route": "/persons", "nth": 2, "edit": { "person": "100001", "set": { "surName": "Aa" } } }))
        .await;
    assert_eq!(page(0).await, whole[0]);
    assert_eq!(
        page(2).await[0]["surName"],
        "Bakker",
        "the card that moved to the front pushed one onto the next page"
    );
    desk.sandbox.clear_faults();
    desk.fault(json!({ "route": "/persons", "drop_parameter": "pageStart" }))
        .await;
    assert_eq!(page(2).await, page(0).await);
}

#[tokio::test]
async fn an_edit_changes_a_card_as_a_person_would() {
    let desk = Desk::open(&[]).await;
    let id = desk.person("100001");
    let path = format!("/persons/{id}");
    let edit = json!({ "person": "100001", "by": "Ms Jansen",
                       "set": { "employeeNumber": null, "branch": "Leiden", "location": null, "gender": "FEMALE" } });
    assert_eq!(desk.control("POST", "/edit", edit).await, (200, json!({ "id": id })));
    let (_, card) = desk.ask("GET", &path, PERSON, None).await;
    assert_eq!(card["employeeNumber"], "");
    assert_eq!(card["branch"]["name"], "Leiden");
    assert_eq!(card["modifier"]["name"], "Ms Jansen");
    assert_eq!(card["surName"], "Visser");
    assert_eq!(card["isManager"], true, "what was not named stays");

    desk.sandbox
        .edit(&json!({ "person": id, "set": { "archived": true } }))
        .unwrap();
    assert_eq!(
        desk.sandbox.state_json()["operators"][0]["archived"],
        true,
        "the operator goes along"
    );
    let body = Some(json!({ "title": "x" }));
    assert_eq!(
        message(&desk.ask("PATCH", &path, PERSON, body).await.1),
        "The person is archived and cannot be modified."
    );

    desk.sandbox.edit(&json!({ "person": id, "anonymize": true })).unwrap();
    let (_, card) = desk.ask("GET", &path, PERSON, None).await;
    assert_eq!(
        (&card["surName"], &card["email"], &card["tasLoginName"]),
        (&json!("*****"), &json!("*****"), &json!(""))
    );
    assert_eq!(desk.sandbox.state_json()["operators"][0]["surName"], "*****");

    desk.sandbox.edit(&json!({ "person": id, "delete": true })).unwrap();
    assert_eq!(desk.ask("GET", &path, PERSON, None).await.0, 404);
    assert_eq!(
        desk.persons("query=employeeNumber==100002&fields=manager").await.1["item"],
        json!([{}])
    );
}

#[tokio::test]
async fn an_edit_can_make_a_card_and_refuses_what_it_cannot_do() {
    let desk = Desk::open(&[]).await;
    let card = json!({ "surName": "Kok", "employeeNumber": "100001", "branch": "Delft" });
    desk.sandbox.edit(&json!({ "create": { "persons": card } })).unwrap();
    assert_eq!(desk.sandbox.stats()["duplicate_keys"][0]["employeeNumber"], "100001");
    for (edit, problem) in [
        (json!({ "person": "999" }), "there is no person '999'"),
        (json!({ "person": "100001" }), "2 cards are called '100001'"),
        (
            json!({ "person": "100002", "set": { "surname": "x" } }),
            "did you mean 'surName'",
        ),
        (
            json!({ "person": "100002", "set": { "branch": "Atlantis" } }),
            "there is no branch 'Atlantis'",
        ),
        (json!({}), "name one card"),
    ] {
        let error = desk.sandbox.edit(&edit).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    desk.sandbox
        .edit(&json!({ "entry": { "departments": "Sales" }, "set": { "name": "Trade" } }))
        .unwrap();
    assert_eq!(desk.get("/departments").await.1[0]["name"], "Trade");
}
