//! Queries and the lists that cards point to.

use serde_json::json;

use super::{Desk, message};

#[tokio::test]
async fn queries_find_what_they_say() {
    let desk = Desk::open(&[]).await;
    let names = async |query: &str| {
        let (status, page) = desk.persons(&format!("fields=surName&query={query}")).await;
        assert_eq!(status, 200, "{query}: {page}");
        let rows = page["item"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["surName"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("surName==visser").await, ["Visser"]);
    assert_eq!(
        names("employeeNumber=in=('100001','100003')").await,
        ["Visser", "Vries"]
    );
    assert_eq!(
        names("employeeNumber=='100001',employeeNumber=='100002'").await,
        ["Bakker", "Visser"]
    );
    assert_eq!(names("employeeNumber=out=(100001,100003,'*****')").await, ["Bakker"]);
    assert_eq!(
        names("branch.name==Delft;archived==true;employeeNumber!='*****'").await,
        ["Vries"]
    );
    assert_eq!(names("manager==null;archived==false").await, ["Visser"]);
    assert_eq!(names("tasLoginName!=null").await, ["Visser"]);
    assert_eq!(names("surName=sw=V;employeeNumber=gt=100001").await, ["Vries"]);
    assert_eq!(
        names("creationDate=ge=2020-01-01T00:00:00Z;surName=='Bakker'").await,
        ["Bakker"]
    );
    let (status, body) = desk.persons("query=shoeSize==44").await;
    assert_eq!(status, 400);
    assert_eq!(
        message(&body),
        "Error parsing one of the query parameters. query contains unknown field: 'shoeSize'"
    );
    desk.sandbox.set("query_case", "exact").unwrap();
    assert_eq!(desk.persons("query=surName==visser").await.1["size"], 0);
    desk.sandbox.set("budget_holder_field", "disabled").unwrap();
    assert_eq!(desk.persons("query=budgetHolder.name==IT").await.0, 400);
}

#[tokio::test]
async fn lists_are_read_and_written() {
    let desk = Desk::open(&[]).await;
    assert_eq!(
        desk.get("/departments").await.1.as_array().unwrap().len(),
        1,
        "archived entries are hidden"
    );
    let (status, body) = desk
        .ask(
            "POST",
            "/departments",
            "application/json",
            Some(json!({ "name": "sales" })),
        )
        .await;
    assert_eq!(
        (status, message(&body)),
        (400, "Department with name 'sales' already exists.")
    );
    let (status, body) = desk
        .ask(
            "POST",
            "/budgetholders",
            "application/json",
            Some(json!({ "name": "it" })),
        )
        .await;
    assert_eq!(
        (status, body),
        (400, json!({ "errorCode": "duplicate_value", "appliesTo": ["name"] }))
    );
    for path in [
        "/budgetholders",
        "/personExtraFieldAEntries",
        "/persons/free_fields/2/searchlists/5",
    ] {
        let (status, entry) = desk
            .ask("POST", path, "application/json", Some(json!({ "name": "New" })))
            .await;
        assert_eq!((status, &entry["name"]), (201, &json!("New")), "{path}");
        assert!(
            desk.get(path)
                .await
                .1
                .as_array()
                .unwrap()
                .iter()
                .any(|e| e["id"] == entry["id"]),
            "{path}"
        );
    }
    let (_, locations) = desk.get("/locations?$fields=id,name,branch").await;
    assert_eq!(locations[1]["branch"]["name"], "Leiden");
    assert_eq!(desk.get("/languages").await.1[0]["languageCode"], "nl");
    assert_eq!(desk.get("/archiving-reasons").await.1[0]["name"], "Out of service");
    assert_eq!(desk.get("/productVersion").await.1["major"], 16);
    desk.sandbox.set("right.supporting_files_settings", "off").unwrap();
    let (status, _) = desk
        .ask(
            "POST",
            "/departments",
            "application/json",
            Some(json!({ "name": "More" })),
        )
        .await;
    assert_eq!(status, 403);
}
