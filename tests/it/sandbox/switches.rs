//! Every switch, in both positions where the other tests only see the default.

use serde_json::{Value, json};
use topdesk_sandbox::{SWITCHES, list_settings};

use super::{Desk, PERSON, message};

/// Creates a person with these fields on top of what is needed.
async fn create(desk: &Desk, more: Value) -> (u16, Value) {
    let mut body = json!({ "surName": "Smit", "branch": { "id": desk.id("branches", "name", "Delft") } });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    desk.ask("POST", "/persons", PERSON, Some(body)).await
}

#[test]
fn the_list_names_every_switch() {
    let list = list_settings();
    for switch in SWITCHES {
        assert!(
            list.contains(switch.name) && list.contains(switch.about),
            "{}",
            switch.name
        );
    }
    assert!(list.contains("right.archive_operators"));
}

/// What nobody could confirm about the real product, and what an application manager decides.
const KNOWN: &[(&str, &[&str])] = &[
    ("next_link", &["absolute", "path", "missing"]),
    ("reason_mandatory", &["on", "off"]),
    ("unarchive_restores_operator", &["yes", "no"]),
    ("patch_archived", &["refused", "accepted"]),
    ("branch_mandatory", &["yes", "no"]),
    ("department_mode", &["dropdown", "text"]),
    ("budget_holder_field", &["enabled", "disabled"]),
    ("query_case", &["ignored", "exact"]),
    ("query_trailing_blanks", &["ignored", "significant"]),
    ("bare_null", &["clears", "refused"]),
    ("login_of_archived", &["reserved", "free"]),
    ("archived_entries", &["hidden", "shown"]),
    ("branch_filter", &["", "Delft"]),
    ("rights", &["full", "archive_operators=off"]),
    ("product_version", &["16.08.002", "16.06.006"]),
    ("operator_states", &["together", "one_by_one"]),
    ("operator_names", &["shown", "null"]),
    ("mainframe_login", &["own", "occupied"]),
    ("reason_words", &["not_found", "not_available"]),
];

#[tokio::test]
async fn what_clients_saw_of_operators_and_reasons_has_switches() {
    let desk = Desk::open(&[]).await;
    let both = "/operators?fields=id,status,dynamicName,loginName&query=archived==true,archived==false";
    assert_eq!(desk.ask("GET", both, "application/json", None).await.0, 200);
    for (name, value) in [
        ("operator_states", "one_by_one"),
        ("operator_names", "null"),
        ("mainframe_login", "occupied"),
        ("reason_words", "not_available"),
    ] {
        desk.sandbox.set(name, value).unwrap();
    }
    assert_eq!(desk.ask("GET", both, "application/json", None).await.0, 400);
    let one = "/operators?fields=dynamicName,loginName&query=archived==false";
    let (status, operators) = desk.ask("GET", one, "application/json", None).await;
    assert_eq!(
        (status, &operators[0]),
        (200, &json!({ "dynamicName": null, "loginName": null }))
    );
    let (_, page) = desk.persons("fields=mainframeLoginName&pageSize=1").await;
    assert_eq!(page["item"][0]["mainframeLoginName"], "Managed by another program");
    let path = format!("/persons/id/{}/archive", desk.person("100002"));
    let nowhere = json!({ "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301" });
    let (status, body) = desk.ask("PATCH", &path, "application/json", Some(nowhere)).await;
    assert_eq!(
        (status, body),
        (
            400,
            json!({ "errors": [{ "errorCode": "Archiving reason not available" }] })
        )
    );
}

#[tokio::test]
async fn every_behaviour_in_doubt_has_a_switch_with_the_default_first() {
    let desk = Desk::open(&[]).await;
    for (name, values) in KNOWN {
        let switch = SWITCHES.iter().find(|switch| switch.name == *name).unwrap();
        assert_eq!(switch.values[0], values[0], "{name}");
        for value in *values {
            desk.sandbox.set(name, value).unwrap();
        }
    }
}

#[tokio::test]
async fn the_next_link_has_three_forms() {
    let path = Desk::open(&[("next_link", "path")]).await;
    let (_, page) = path.persons("pageSize=2&fields=id").await;
    assert_eq!(page["next"], "/tas/api/persons?pageStart=2&pageSize=2&fields=id");
    path.sandbox.set("next_link", "missing").unwrap();
    let (status, page) = path.persons("pageSize=2").await;
    assert_eq!((status, page.get("next")), (206, None));
}

#[tokio::test]
async fn what_is_not_set_is_missing_or_null() {
    let desk = Desk::open(&[]).await;
    let query = "fields=email,department,manager&query=employeeNumber==100003";
    assert_eq!(desk.persons(query).await.1["item"], json!([{ "email": "" }]));
    desk.sandbox.set("unset_values", "null").unwrap();
    let (_, page) = desk.persons(query).await;
    assert_eq!(
        page["item"],
        json!([{ "email": "", "department": null, "manager": null }])
    );
    assert_eq!(page.get("next"), Some(&Value::Null));
}

#[tokio::test]
async fn the_archiving_reason_can_be_optional() {
    let desk = Desk::open(&[("reason_mandatory", "off")]).await;
    let path = format!("/persons/id/{}/archive", desk.person("100002"));
    let wrong = json!({ "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301" });
    let (status, body) = desk.ask("PATCH", &path, "application/json", Some(wrong)).await;
    assert_eq!(
        (status, message(&body)),
        (400, "The value for the field \"archiving-reason\" cannot be found")
    );
    assert_eq!(
        desk.ask("PATCH", &path, "application/json", Some(json!({}))).await.0,
        200
    );
}

#[tokio::test]
async fn a_branch_can_be_optional() {
    let desk = Desk::open(&[]).await;
    let bare = || Some(json!({ "surName": "Smit" }));
    let (status, body) = desk.ask("POST", "/persons", PERSON, bare()).await;
    assert_eq!((status, message(&body)), (400, "Mandatory field 'branch' is missing."));
    desk.sandbox.set("branch_mandatory", "no").unwrap();
    assert_eq!(desk.ask("POST", "/persons", PERSON, bare()).await.0, 201);
}

#[tokio::test]
async fn departments_can_be_plain_text() {
    let desk = Desk::open(&[("department_mode", "text")]).await;
    let (_, page) = desk.persons("fields=department&query=employeeNumber==100001").await;
    assert_eq!(page["item"], json!([{ "department": { "name": "Sales" } }]));
    let (status, card) = create(&desk, json!({ "department": { "name": "Anything" } })).await;
    assert_eq!((status, &card["department"]), (201, &json!({ "name": "Anything" })));
    let list = desk.id("departments", "name", "Sales");
    let (status, body) = create(&desk, json!({ "department": { "id": list } })).await;
    assert_eq!(
        (status, message(&body)),
        (400, "The field \"department.id\" does not exist.")
    );
    assert_eq!(desk.persons("query=department.name==anything").await.1["size"], 1);
    let listed = Desk::open(&[]).await;
    assert_eq!(
        create(&listed, json!({ "department": { "name": "Sales" } })).await.0,
        400
    );
}

#[tokio::test]
async fn the_budget_holder_field_can_be_off() {
    let desk = Desk::open(&[]).await;
    let holder = json!({ "budgetHolder": { "id": desk.id("budgetHolders", "name", "IT") } });
    assert_eq!(create(&desk, holder.clone()).await.1["budgetHolder"]["name"], "IT");
    desk.sandbox.set("budget_holder_field", "disabled").unwrap();
    let (status, body) = create(&desk, holder).await;
    assert_eq!(
        (status, message(&body)),
        (400, "The field \"budgetHolder\" does not exist.")
    );
    let (_, card) = create(&desk, json!({})).await;
    for field in ["budgetHolder", "showBudgetholder", "authorizeBudgetHolder"] {
        assert!(card.get(field).is_none(), "{field}");
    }
}

#[tokio::test]
async fn queries_compare_as_the_switches_say() {
    let desk = Desk::open(&[]).await;
    create(&desk, json!({ "employeeNumber": "AB7 " })).await;
    let size = async |query: &str| desk.persons(&format!("query={query}")).await.1["size"].clone();
    assert_eq!(size("employeeNumber=='ab7'").await, 1);
    desk.sandbox.set("query_trailing_blanks", "significant").unwrap();
    assert_eq!(
        (
            size("employeeNumber=='ab7'").await,
            size("employeeNumber=='ab7 '").await
        ),
        (json!(0), json!(1))
    );
    desk.sandbox.set("query_case", "exact").unwrap();
    assert_eq!(
        (
            size("employeeNumber=='ab7 '").await,
            size("employeeNumber=='AB7 '").await
        ),
        (json!(0), json!(1))
    );
}

#[tokio::test]
async fn a_login_of_an_archived_card_is_reserved_or_free() {
    let desk = Desk::open(&[]).await;
    let path = format!("/persons/id/{}/archive", desk.person("100001"));
    desk.ask("PATCH", &path, "application/json", Some(desk.reason())).await;
    let login = || json!({ "tasLoginName": "jvisser" });
    assert_eq!(create(&desk, login()).await.0, 400);
    desk.sandbox.set("login_of_archived", "free").unwrap();
    assert_eq!(create(&desk, login()).await.0, 201);
    desk.sandbox.set("password_mandatory", "on").unwrap();
    let (status, body) = create(&desk, json!({ "tasLoginName": "other" })).await;
    let text = "No password was provided, but passwords are set to be mandatory for persons.";
    assert_eq!((status, message(&body)), (400, text));
    desk.sandbox.set("right.login_data", "off").unwrap();
    assert_eq!(create(&desk, json!({ "tasLoginName": "third" })).await.0, 403);
}

#[tokio::test]
async fn archived_entries_are_hidden_or_shown() {
    let desk = Desk::open(&[("archived_entries", "shown")]).await;
    assert_eq!(desk.get("/departments").await.1.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_new_branch_is_checked_against_the_old_location_or_clears_it() {
    let desk = Desk::open(&[]).await;
    let path = format!("/persons/{}", desk.person("100001"));
    let body = || Some(json!({ "branch": { "id": desk.id("branches", "name", "Leiden") } }));
    let (status, answer) = desk.ask("PATCH", &path, PERSON, body()).await;
    assert_eq!(
        (status, message(&answer)),
        (400, "The given location doesn't belong to the given branch.")
    );
    desk.sandbox.set("branch_change", "clears_location").unwrap();
    let (status, card) = desk.ask("PATCH", &path, PERSON, body()).await;
    assert_eq!((status, card.get("location")), (200, None));
}

#[tokio::test]
async fn a_manager_may_need_the_flag() {
    let desk = Desk::open(&[]).await;
    let manager = json!({ "manager": { "id": desk.person("100002") } });
    assert_eq!(create(&desk, manager.clone()).await.0, 201);
    desk.sandbox.set("manager_flag", "needed").unwrap();
    let (status, body) = create(&desk, manager).await;
    assert_eq!(
        (status, message(&body)),
        (400, "The value for the field \"manager\" cannot be found.")
    );
    assert_eq!(
        create(&desk, json!({ "manager": { "id": desk.person("100001") } }))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn administrators_are_kept_from_the_cascade_or_not() {
    let mut seed = super::company();
    seed["operators"][0]["administrator"] = json!(true);
    let desk = Desk::with(seed, &[]).await;
    let path = format!("/persons/id/{}/archive", desk.person("100001"));
    let (status, body) = desk.ask("PATCH", &path, "application/json", Some(desk.reason())).await;
    assert_eq!((status, message(&body)), (400, "Can not archive admins"));
    desk.sandbox.set("admins_by_person", "archived").unwrap();
    assert_eq!(
        desk.ask("PATCH", &path, "application/json", Some(desk.reason()))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn sorting_fields_and_dates_follow_their_switches() {
    let desk = Desk::open(&[]).await;
    let (_, page) = desk.persons("sort=employeeNumber:desc&fields=employeeNumber").await;
    let numbers: Vec<_> = page["item"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["employeeNumber"].clone())
        .collect();
    assert_eq!(numbers, ["100003", "100002", "100001", "*****"]);
    assert_eq!(desk.persons("sort=id").await.0, 200);
    assert_eq!(desk.persons("sort=id:up").await.0, 400);
    assert_eq!(desk.persons("fields=id,shoeSize").await.0, 200);
    desk.sandbox.set("sort_by_id", "refused").unwrap();
    desk.sandbox.set("unknown_fields", "refused").unwrap();
    desk.sandbox.set("date_offset", "colon").unwrap();
    assert_eq!(desk.persons("sort=id").await.0, 400);
    assert_eq!(desk.persons("fields=id,shoeSize").await.0, 400);
    let (_, page) = desk.persons("fields=creationDate&pageSize=1").await;
    assert_eq!(page["item"][0]["creationDate"], "2020-01-01T00:00:00.000+00:00");
}

#[tokio::test]
async fn each_missing_right_has_its_own_refusal() {
    let desk = Desk::open(&[]).await;
    let id = desk.person("100002");
    let operator = desk.id("operators", "loginName", "JVISSER");
    let any = || Some(json!({ "surName": "x" }));
    for (right, method, path, body, text) in [
        (
            "read_persons",
            "GET",
            "/persons".to_owned(),
            None,
            "No permission to access the data",
        ),
        (
            "create_persons",
            "POST",
            "/persons".to_owned(),
            any(),
            "No permission to create persons",
        ),
        (
            "write_persons",
            "PATCH",
            format!("/persons/{id}"),
            any(),
            "No permission to update persons.",
        ),
        (
            "archive_persons",
            "PATCH",
            format!("/persons/id/{id}/archive"),
            any(),
            "No permission to archive persons.",
        ),
        (
            "read_operators",
            "GET",
            "/operators".to_owned(),
            None,
            "No permission to access the data",
        ),
        (
            "write_operators",
            "PATCH",
            format!("/operators/id/{operator}"),
            any(),
            "No permission to update operators",
        ),
        (
            "archive_operators",
            "PATCH",
            format!("/operators/id/{operator}/archive"),
            any(),
            "No permission to archive operators.",
        ),
        (
            "read_filters",
            "GET",
            format!("/operators/id/{operator}/filters/branch"),
            None,
            "No permission to see filters.",
        ),
        (
            "permission_groups",
            "GET",
            format!("/operators/id/{operator}/permissiongroups"),
            None,
            "No permission to retrieve permissiongroups",
        ),
        (
            "write_permission_groups",
            "POST",
            format!("/operators/id/{operator}/permissiongroups"),
            Some(json!([])),
            "No permission to link permission groups to operators.",
        ),
        (
            "supporting_files_settings",
            "POST",
            "/departments".to_owned(),
            any(),
            "No permission to create departments",
        ),
        (
            "create_branches",
            "POST",
            "/branches".to_owned(),
            any(),
            "No permission to create branches",
        ),
        (
            "create_locations",
            "POST",
            "/locations".to_owned(),
            any(),
            "No permission to create locations",
        ),
        (
            "rest_api",
            "GET",
            "/archiving-reasons".to_owned(),
            None,
            "No permission to access the data",
        ),
    ] {
        let name = format!("right.{right}");
        desk.sandbox.set(&name, "off").unwrap();
        let (status, answer) = desk.ask(method, &path, "*/*", body).await;
        assert_eq!((status, message(&answer)), (403, text), "{right}");
        desk.sandbox.set(&name, "on").unwrap();
    }
}

#[tokio::test]
async fn switches_can_be_changed_over_http() {
    let desk = Desk::open(&[]).await;
    let (status, settings) = desk
        .control("POST", "/settings", json!({ "next_link": "path", "latency_ms": 1 }))
        .await;
    assert_eq!(
        (status, &settings["next_link"], &settings["latency_ms"]),
        (200, &json!("path"), &json!(1))
    );
    let (status, body) = desk.control("POST", "/settings", json!({ "next_link": "x" })).await;
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("absolute or path or missing"));
    assert_eq!(desk.control("GET", "/settings", Value::Null).await.1, settings);
}
