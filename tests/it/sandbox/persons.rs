//! Persons: pages, media types, defaults, refusals, patches.

use serde_json::{Value, json};

use super::{Desk, PERSON, PERSONS, message};

#[tokio::test]
async fn persons_come_in_pages_with_archived_ones() {
    let desk = Desk::open(&[]).await;
    let (status, page) = desk.persons("pageSize=3&fields=id,surName,branch").await;
    assert_eq!(status, 206);
    assert_eq!(page["size"], 3);
    let keys: Vec<_> = page["item"][1].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["id", "surName", "branch"]);
    assert_eq!(page["item"][1]["branch"]["phoneNumber"], "071");
    let next = page["next"].as_str().unwrap();
    assert!(next.starts_with(&desk.sandbox.url()), "{next}");
    let response = desk
        .client
        .get(next)
        .basic_auth("api", Some("secret"))
        .header("Accept", PERSONS)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], PERSONS);
    assert!(response.headers().contains_key("date"));
    let last: Value = response.json().await.unwrap();
    assert_eq!(last["size"], 1);
    assert!(last.get("next").is_none());
    let (status, beyond) = desk.persons("pageStart=100").await;
    assert_eq!((status, beyond["item"].clone()), (200, json!([])));
    for wrong in ["pageSize=5001", "pageSize=0", "pageStart=-1", "pageSize=x"] {
        let (status, body) = desk.persons(wrong).await;
        assert_eq!((status, message(&body)), (400, "Input parameters malformed"), "{wrong}");
    }
    let (_, count) = desk.get("/persons/count?query=archived==false").await;
    assert_eq!(count, json!({ "numberOfPersons": 2 }));
}

#[tokio::test]
async fn wrong_media_types_and_credentials_are_refused() {
    let desk = Desk::open(&[]).await;
    assert_eq!(desk.ask("GET", "/persons", "text/html", None).await, (406, Value::Null));
    assert_eq!(
        desk.ask("POST", "/persons", "application/json", Some(json!({})))
            .await
            .0,
        406
    );
    let path = format!("/persons/{}", desk.person("100001"));
    assert_eq!(desk.ask("GET", &path, PERSONS, None).await.0, 406);
    assert_eq!(desk.ask("GET", &path, PERSON, None).await.0, 200);
    let (status, old) = desk.get("/persons").await;
    assert_eq!(
        (status, old.as_array().unwrap().len()),
        (200, 2),
        "version 1 shows active persons as an array"
    );
    let url = format!("{}/tas/api/version", desk.sandbox.url());
    let nobody = desk.client.get(&url).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    assert_eq!(
        nobody.text().await.unwrap(),
        r#"[{"message":"No authentication token provided"}]"#
    );
    assert_eq!(
        desk.client
            .get(&url)
            .basic_auth("api", Some("wrong"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let old = Desk::open(&[("persons_v2", "missing")]).await;
    assert_eq!(old.persons("").await.0, 406);
}

#[tokio::test]
async fn a_new_person_gets_the_products_defaults() {
    let desk = Desk::open(&[]).await;
    let branch = desk.id("branches", "name", "Delft");
    let body = json!({ "surName": "Smit", "branch": { "id": branch }, "employeeNumber": "007" });
    let (status, card) = desk.ask("POST", "/persons", PERSON, Some(body)).await;
    assert_eq!(status, 201);
    for (field, value) in [
        ("isCaller", json!(true)),
        ("hasSspAccess", json!(true)),
        ("archived", json!(false)),
        ("employeeNumber", json!("007")),
        ("email", json!("")),
        ("dynamicName", json!("Smit")),
    ] {
        assert_eq!(card[field], value, "{field}");
    }
    assert_eq!(card["creator"]["name"], "API account api");
    let id = card["id"].as_str().unwrap();
    let (_, again) = desk.ask("GET", &format!("/persons/{id}"), PERSON, None).await;
    assert_eq!(again, card);
    assert_eq!(desk.sandbox.stats()["writes"][0]["id"], *id);
}

#[tokio::test]
async fn bad_values_are_refused_in_the_products_words() {
    let desk = Desk::open(&[]).await;
    let path = format!("/persons/{}", desk.person("100001"));
    let leiden_room = {
        let state = desk.sandbox.state_json();
        state["locations"][1]["id"].clone()
    };
    let nobody = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    for (body, text) in [
        (json!({ "surName": "" }), "Mandatory field 'surName' is missing."),
        (
            json!({ "branch": { "id": null } }),
            "Mandatory field 'branch' is missing.",
        ),
        (json!({ "surname": "x" }), "The field \"surname\" does not exist."),
        (json!({ "archived": true }), "The field \"archived\" does not exist."),
        (
            json!({ "isCaller": "yes" }),
            "The value for the field \"isCaller\" cannot be parsed",
        ),
        (
            json!({ "branch": { "id": "7" } }),
            "The value for the field \"branch\" cannot be parsed",
        ),
        (
            json!({ "email": "nobody" }),
            "The value for the field \"email\" cannot be parsed",
        ),
        (
            json!({ "firstName": "x".repeat(31) }),
            "The value for the field \"firstName\" can only be 30 characters long.",
        ),
        (
            json!({ "department": { "id": nobody } }),
            "The value for the field \"department\" cannot be found.",
        ),
        (
            json!({ "location": { "id": leiden_room } }),
            "The given location doesn't belong to the given branch.",
        ),
        (
            json!({ "authorizeAll": true, "isManager": false }),
            "Authorization checkboxes may only be set if the person is a manager.",
        ),
        (
            json!({ "showSubsidiaries": true }),
            "The field 'showSubsidiaries' can not be true when 'showBranch' is false.",
        ),
        (
            json!({ "optionalFields1": { "memo1": "x" } }),
            "Memo fields cannot be modified via the API: 'optionalFields1.memo1'",
        ),
    ] {
        let (status, answer) = desk.ask("PATCH", &path, PERSON, Some(body)).await;
        assert_eq!((status, message(&answer)), (400, text));
    }
    let other = format!("/persons/{}", desk.person("100002"));
    let (status, answer) = desk
        .ask("PATCH", &other, PERSON, Some(json!({ "tasLoginName": "JVisser" })))
        .await;
    assert_eq!(status, 400);
    assert_eq!(
        message(&answer),
        "The given login name of this person already exists but it must be unique."
    );
    let (status, answer) = desk
        .ask("POST", "/persons", PERSON, Some(json!({ "firstName": "x" })))
        .await;
    assert_eq!(
        (status, message(&answer)),
        (400, "Mandatory field 'surName' is missing.")
    );
    let gone = format!("/persons/{}", desk.person("100003"));
    assert_eq!(
        desk.ask("PATCH", &gone, PERSON, Some(json!({ "title": "x" }))).await.0,
        400
    );
    assert_eq!(
        desk.ask("PATCH", &format!("/persons/{nobody}"), PERSON, Some(json!({})))
            .await
            .0,
        404
    );
    let accepting = Desk::open(&[("patch_archived", "accepted")]).await;
    assert_eq!(
        accepting
            .ask("PATCH", &gone, PERSON, Some(json!({ "title": "x" })))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_clears_what_it_empties() {
    let desk = Desk::open(&[]).await;
    let path = format!("/persons/{}", desk.person("100001"));
    let body = json!({ "email": "", "department": { "id": null }, "jobTitle": "Clerk", "language": { "code": "nl" },
                       "optionalFields1": { "text1": "a", "boolean2": true, "date1": "2026-01-31" } });
    let (status, card) = desk.ask("PATCH", &path, PERSON, Some(body)).await;
    assert_eq!(status, 200, "{card}");
    assert_eq!(card["email"], "");
    assert!(card.get("department").is_none());
    assert_eq!(card["jobTitle"], "Clerk");
    assert_eq!(card["surName"], "Visser");
    assert_eq!(card["language"]["code"], "nl");
    assert_eq!(card["optionalFields1"]["text1"], "a");
    assert_eq!(card["optionalFields1"]["boolean2"], true);
    assert_eq!(card["optionalFields1"]["date1"], "2026-01-31T00:00:00.000+0000");
    assert_eq!(card["modifier"]["name"], "API account api");
    let (status, _) = desk
        .ask("PATCH", &path, PERSON, Some(json!({ "jobTitle": null })))
        .await;
    assert_eq!(status, 200);
    desk.sandbox.set("bare_null", "refused").unwrap();
    let (status, answer) = desk
        .ask("PATCH", &path, PERSON, Some(json!({ "jobTitle": null })))
        .await;
    assert_eq!(
        (status, message(&answer)),
        (400, "The value for the field \"jobTitle\" cannot be parsed")
    );
}
