//! Archiving, operators, rights and filters.

use serde_json::{Value, json};

use super::{Desk, PERSON, message};

#[tokio::test]
async fn archiving_a_person_takes_the_operator_along() {
    let desk = Desk::open(&[]).await;
    let id = desk.person("100001");
    let path = format!("/persons/id/{id}/archive");
    let (status, body) = desk.ask("PATCH", &path, "application/json", Some(json!({}))).await;
    assert_eq!((status, message(&body)), (400, "Reason for archiving is mandatory"));
    let (status, card) = desk.ask("PATCH", &path, "application/json", Some(desk.reason())).await;
    assert_eq!((status, &card["status"]), (200, &json!("personArchived")));
    let (_, operators) = desk.get(&format!("/operators?query=linkedPerson.id=={id}")).await;
    assert_eq!(operators[0]["status"], "operatorArchived");
    let operator = operators[0]["id"].clone();
    assert_eq!(desk.sandbox.stats()["operators_archived_by_cascade"], json!([operator]));
    let (status, body) = desk.ask("PATCH", &path, "application/json", Some(desk.reason())).await;
    assert_eq!((status, message(&body)), (400, "Person is already archived"));
    let back = format!("/persons/id/{id}/unarchive");
    let (status, card) = desk.ask("PATCH", &back, "application/json", None).await;
    assert_eq!((status, &card["status"]), (200, &json!("person")));
    assert_eq!(desk.sandbox.stats()["operators_woken_by_cascade"], json!([operator]));
    let (status, body) = desk.ask("PUT", &back, "application/json", None).await;
    assert_eq!((status, message(&body)), (400, "Person is already unarchived"));
}

#[tokio::test]
async fn switches_decide_what_the_cascade_does() {
    let old = Desk::open(&[("product_version", "16.06.006")]).await;
    let id = old.person("100001");
    old.ask(
        "PATCH",
        &format!("/persons/id/{id}/archive"),
        "application/json",
        Some(old.reason()),
    )
    .await;
    let (_, operators) = old.get("/operators?fields=surName,status,linkedPerson").await;
    assert!(
        operators
            .as_array()
            .unwrap()
            .iter()
            .any(|o| o["linkedPerson"]["id"] == *id),
        "the operator stays active"
    );

    let asleep = Desk::open(&[("unarchive_restores_operator", "no")]).await;
    let id = asleep.person("100003");
    let (status, _) = asleep
        .ask(
            "PATCH",
            &format!("/persons/id/{id}/unarchive"),
            "application/json",
            None,
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(asleep.sandbox.stats()["operators_woken_by_cascade"], json!([]));
}

#[tokio::test]
async fn the_right_on_operators_guards_the_cascade() {
    let desk = Desk::open(&[("right.archive_operators", "off")]).await;
    let id = desk.person("100001");
    let path = format!("/persons/id/{id}/archive");
    let (status, body) = desk.ask("PATCH", &path, "application/json", Some(desk.reason())).await;
    assert_eq!((status, message(&body)), (403, "No permission to archive operators."));
    assert_eq!(
        desk.persons("query=archived==true;employeeNumber==100001").await.1["size"],
        0,
        "nothing was archived"
    );
    let other = format!("/persons/id/{}/archive", desk.person("100002"));
    assert_eq!(
        desk.ask("PATCH", &other, "application/json", Some(desk.reason()))
            .await
            .0,
        200
    );
    let back = format!("/persons/id/{}/unarchive", desk.person("100003"));
    let (status, body) = desk.ask("PATCH", &back, "application/json", None).await;
    assert_eq!((status, message(&body)), (403, "No permission to unarchive person."));
    assert_eq!(
        desk.ask("PUT", &back, "application/json", None).await.0,
        200,
        "PUT asks for the right on persons only"
    );
    assert_eq!(desk.sandbox.stats()["operators_woken_by_cascade"], json!([]));
}

#[tokio::test]
async fn operators_come_in_pages_and_204_when_there_are_none() {
    let desk = Desk::open(&[]).await;
    let (status, active) = desk.get("/operators").await;
    assert_eq!(
        (status, active.as_array().unwrap().len()),
        (200, 2),
        "one active and the account itself"
    );
    let (status, all) = desk
        .get("/operators?query=archived==true,archived==false&page_size=2")
        .await;
    assert_eq!((status, all.as_array().unwrap().len()), (206, 2));
    let none = desk
        .send("GET", "/operators?query=surName==Nobody", "application/json", None)
        .await;
    assert_eq!(none.status(), 204);
    assert_eq!(none.text().await.unwrap(), "");
    assert_eq!(desk.get("/operators?page_size=101").await.0, 400);
    let (_, current) = desk.get("/operators/current").await;
    assert_eq!(current["apiAccount"], true);
    let id = current["id"].as_str().unwrap();
    assert_eq!(desk.get("/operators/current/id").await.1, json!({ "id": id }));
    assert_eq!(
        desk.get(&format!("/operators/id/{id}/filters/branch")).await,
        (204, Value::Null)
    );
    let visser = desk.id("operators", "loginName", "JVISSER");
    assert_eq!(
        desk.get(&format!("/operators/id/{visser}/operatorgroups")).await.1[0]["name"],
        "Desk"
    );
    let path = format!("/operators/id/{visser}");
    let change = json!({ "loginPermission": false, "linkedPerson": { "id": desk.person("100002") } });
    assert_eq!(
        desk.ask("PATCH", &path, "application/json", Some(change)).await.0,
        400,
        "a linked person never changes"
    );
    let (status, card) = desk
        .ask(
            "PATCH",
            &path,
            "application/json",
            Some(json!({ "loginPermission": false })),
        )
        .await;
    assert_eq!((status, &card["loginPermission"]), (200, &json!(false)));
    let own = format!("/operators/id/{id}/archive");
    let (status, body) = desk.ask("PATCH", &own, "application/json", Some(desk.reason())).await;
    assert_eq!((status, message(&body)), (400, "Can not archive yourself"));
}

#[tokio::test]
async fn a_branch_filter_hides_cards_and_shows_in_the_accounts_filters() {
    let desk = Desk::open(&[("branch_filter", "Delft")]).await;
    assert_eq!(desk.get("/persons/count").await.1["numberOfPersons"], 3);
    let hidden = desk.person("100002");
    let (status, body) = desk.ask("GET", &format!("/persons/{hidden}"), PERSON, None).await;
    assert_eq!((status, &body[0]["errorMessage"]), (404, &json!("Entity not found")));
    let archive = format!("/persons/id/{hidden}/archive");
    let (status, body) = desk
        .ask("PATCH", &archive, "application/json", Some(desk.reason()))
        .await;
    assert_eq!((status, message(&body)), (404, "The person could not be found."));
    assert_eq!(desk.get("/branches").await.1.as_array().unwrap().len(), 1);
    let (_, id) = desk.get("/operators/current/id").await;
    let filters = format!("/operators/id/{}/filters/branch", id["id"].as_str().unwrap());
    let (status, list) = desk.get(&filters).await;
    assert_eq!((status, &list[0]["name"]), (200, &json!("Delft")));
}
