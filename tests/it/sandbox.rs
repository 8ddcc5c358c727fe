//! The TOPdesk look-alike over real HTTP: pages, media types, words of refusals, the cascade, filters and faults.

use std::sync::Once;

use cardsync::sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

const PERSON: &str = "application/x.topdesk-person-v2+json";
const PERSONS: &str = "application/x.topdesk-collection-person-v2+json";

fn company() -> Value {
    json!({
        "branches": [{ "name": "Delft" }, { "name": "Leiden", "phone": "071" }],
        "departments": [{ "name": "Sales" }, { "name": "Old", "archived": true }],
        "budgetHolders": ["IT"],
        "languages": [{ "name": "Dutch", "languageCode": "nl" }],
        "archivingReasons": [{ "name": "Out of service" }],
        "locations": [{ "name": "Room 1", "branch": "Delft" }, { "name": "Room 1", "branch": "Leiden" }],
        "persons": [
            { "surName": "Visser", "firstName": "Jan", "employeeNumber": "100001", "branch": "Delft",
              "department": "Sales", "tasLoginName": "jvisser", "language": "nl", "location": { "name": "Room 1" },
              "email": "j.visser@example.org", "isManager": true },
            { "surName": "Bakker", "firstName": "An", "employeeNumber": "100002", "branch": { "name": "Leiden" },
              "manager": { "name": "Visser, Jan" } },
            { "surName": "Vries", "prefixes": "de", "firstName": "Bo", "employeeNumber": "100003", "branch": "Delft",
              "archived": true },
            { "surName": "*****", "employeeNumber": "*****", "branch": "Delft", "archived": true }
        ],
        "operators": [
            { "surName": "Visser", "firstName": "Jan", "loginName": "JVISSER", "branch": "Delft",
              "linkedPerson": "Visser, Jan", "operatorGroups": ["Desk"] },
            { "surName": "Vries", "linkedPerson": { "employeeNumber": "100003" }, "branch": "Delft",
              "status": "operatorArchived" }
        ]
    })
}

struct Desk {
    sandbox: RunningSandbox,
    client: Client,
}

impl Desk {
    async fn open(settings: &[(&str, &str)]) -> Desk {
        Desk::with(company(), settings).await
    }

    async fn with(seed: Value, settings: &[(&str, &str)]) -> Desk {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another test of the same process may have been first.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let seed = Seed::from_value(seed).unwrap();
        let options = SandboxOptions {
            listener,
            seed,
            username: "api".into(),
            password: "secret".into(),
            settings,
        };
        Desk {
            sandbox: Sandbox::start(options).await.unwrap(),
            client: Client::new(),
        }
    }

    async fn send(&self, method: &str, path: &str, accept: &str, body: Option<Value>) -> Response {
        let url = format!("{}/tas/api{path}", self.sandbox.url());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .client
            .request(method, url)
            .basic_auth("api", Some("secret"))
            .header("Accept", accept);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str, accept: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.send(method, path, accept, body).await;
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (
            status,
            if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&text).unwrap()
            },
        )
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "application/json", None).await
    }

    async fn persons(&self, query: &str) -> (u16, Value) {
        self.ask("GET", &format!("/persons?{query}"), PERSONS, None).await
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/sandbox{path}", self.sandbox.url());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let response = self.client.request(method, url).json(&body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    /// The id of the person with this employee number.
    fn person(&self, number: &str) -> String {
        self.id("persons", "employeeNumber", number)
    }

    fn id(&self, array: &str, field: &str, value: &str) -> String {
        let state = self.sandbox.state_json();
        let cards = state[array].as_array().unwrap();
        let card = cards
            .iter()
            .find(|card| card[field] == value)
            .unwrap_or_else(|| panic!("{array} {field} {value}"));
        card["id"].as_str().unwrap().to_owned()
    }

    fn reason(&self) -> Value {
        json!({ "id": self.id("archivingReasons", "name", "Out of service") })
    }
}

fn message(body: &Value) -> &str {
    body[0]["message"].as_str().unwrap_or_default()
}

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
