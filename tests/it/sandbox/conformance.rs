//! Every kind of request answers with a status, a media type and an error shape that the API is described with.

use serde_json::{Value, json};

use super::{Desk, PERSON, PERSONS};

/// The forms of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `[{"message": ..}]`
    Messages,
    /// `{"message": ..}`
    Message,
    /// `[{"errorCode": ..}]`
    Descriptions,
    /// `{"errorCode": ..}`
    Description,
    /// `{"errors": [{"errorCode": ..}]}`
    Entity,
    /// `[{"errors": [{"errorCode": ..}]}]`
    Entities,
    /// No body and no media type.
    Empty,
}

fn form(body: &str) -> Option<Form> {
    if body.is_empty() {
        return Some(Form::Empty);
    }
    let body: Value = serde_json::from_str(body).ok()?;
    let code = |value: &Value| value["errorCode"].is_string();
    match &body {
        Value::Array(list) if list[0]["message"].is_string() => Some(Form::Messages),
        Value::Array(list) if code(&list[0]) => Some(Form::Descriptions),
        Value::Array(list) if code(&list[0]["errors"][0]) => Some(Form::Entities),
        body if body["message"].is_string() => Some(Form::Message),
        body if code(&body["errors"][0]) => Some(Form::Entity),
        body if code(body) => Some(Form::Description),
        _ => None,
    }
}

async fn refused(desk: &Desk, method: &str, path: &str, accept: &str, body: Option<Value>) -> (u16, Option<Form>) {
    let response = desk.send(method, path, accept, body).await;
    let status = response.status().as_u16();
    let media_type = response
        .headers()
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    let expected = (!text.is_empty()).then(|| "application/json".to_owned());
    assert_eq!(media_type, expected, "{method} {path}");
    (status, form(&text))
}

#[tokio::test]
async fn each_refusal_has_its_described_status_and_shape() {
    let desk = Desk::open(&[]).await;
    let nobody = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    let of = |path: &str| path.replace("{nobody}", nobody);
    for (method, path, accept, body, expected) in [
        ("GET", "/persons?pageSize=0", PERSONS, None, (400, Form::Messages)),
        ("GET", "/persons?query=(", PERSONS, None, (400, Form::Messages)),
        ("GET", "/persons", "text/html", None, (406, Form::Empty)),
        (
            "GET",
            "/persons/count?query=(",
            "application/json",
            None,
            (400, Form::Message),
        ),
        ("GET", "/persons/no-id", PERSON, None, (400, Form::Descriptions)),
        ("GET", "/persons/{nobody}", PERSON, None, (404, Form::Descriptions)),
        (
            "PATCH",
            "/persons/{nobody}",
            PERSON,
            Some(json!({})),
            (404, Form::Messages),
        ),
        ("POST", "/persons", PERSON, Some(json!({})), (400, Form::Messages)),
        (
            "PATCH",
            "/persons/id/{nobody}/archive",
            "application/json",
            Some(json!({})),
            (404, Form::Messages),
        ),
        (
            "PUT",
            "/persons/id/no-id/unarchive",
            "application/json",
            None,
            (400, Form::Messages),
        ),
        (
            "GET",
            "/persons/lookup?$top=0",
            "application/json",
            None,
            (400, Form::Entity),
        ),
        (
            "GET",
            "/persons/lookup/{nobody}",
            "application/json",
            None,
            (404, Form::Empty),
        ),
        (
            "GET",
            "/operators?page_size=101",
            "application/json",
            None,
            (400, Form::Messages),
        ),
        (
            "GET",
            "/operators/id/{nobody}",
            "application/json",
            None,
            (404, Form::Messages),
        ),
        (
            "PATCH",
            "/operators/id/{nobody}/archive",
            "application/json",
            None,
            (404, Form::Messages),
        ),
        (
            "GET",
            "/operators/id/{nobody}/filters/branch",
            "application/json",
            None,
            (404, Form::Messages),
        ),
        (
            "GET",
            "/operatorgroups/id/{nobody}/operators",
            "application/json",
            None,
            (404, Form::Messages),
        ),
        (
            "GET",
            "/branches?query=(",
            "application/json",
            None,
            (400, Form::Entities),
        ),
        (
            "GET",
            "/locations?pageSize=0",
            "application/json",
            None,
            (400, Form::Entity),
        ),
        (
            "POST",
            "/branches",
            "application/json",
            Some(json!({})),
            (400, Form::Messages),
        ),
        (
            "POST",
            "/departments",
            "application/json",
            Some(json!({})),
            (400, Form::Messages),
        ),
        (
            "POST",
            "/budgetholders",
            "application/json",
            Some(json!({})),
            (400, Form::Description),
        ),
        (
            "POST",
            "/personExtraFieldAEntries",
            "application/json",
            Some(json!({})),
            (400, Form::Description),
        ),
        (
            "GET",
            "/persons/free_fields/3/searchlists/1",
            "application/json",
            None,
            (404, Form::Messages),
        ),
        (
            "POST",
            "/persons/free_fields/3/searchlists/1",
            "application/json",
            Some(json!({ "name": "x" })),
            (400, Form::Description),
        ),
    ] {
        let path = of(path);
        let (status, form) = refused(&desk, method, &path, accept, body).await;
        assert_eq!((status, form), (expected.0, Some(expected.1)), "{method} {path}");
    }
}

#[tokio::test]
async fn dates_are_as_seen_or_as_described() {
    let desk = Desk::open(&[]).await;
    let id = desk.person("100001");
    for (offset, expected) in [
        ("compact", "2020-01-01T00:00:00.000+0000"),
        ("colon", "2020-01-01T00:00:00.000+00:00"),
    ] {
        desk.sandbox.set("date_offset", offset).unwrap();
        let person = desk.ask("GET", &format!("/persons/{id}"), PERSON, None).await.1;
        let operators = desk.get("/operators").await.1;
        assert_eq!(person["creationDate"], expected);
        assert_eq!(operators[0]["creationDate"], expected);
    }
}
