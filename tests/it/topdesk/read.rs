use super::*;
use cardsync::core::model::card::{DepartmentMode, FilterProof};
use cardsync::core::model::ids::CardId;
use cardsync::core::reads::snapshot::Effect;
use std::collections::BTreeSet;

fn codes(snapshot: &TargetSnapshot) -> Vec<&str> {
    snapshot.findings.iter().map(|finding| &*finding.code).collect()
}

fn effects(snapshot: &TargetSnapshot) -> BTreeSet<Effect> {
    snapshot.findings.iter().map(|finding| finding.effect).collect()
}

#[tokio::test]
async fn everything_is_read_in_bulk() {
    let desk = Desk::open(company(5_010, 450), &[]).await;
    let snapshot = desk.read().await.unwrap();
    assert_eq!(codes(&snapshot), [""; 0]);
    assert_eq!(snapshot.counts, (5_010, 5_010));
    assert_eq!(snapshot.cards.len(), 5_010);
    assert!(snapshot.cards.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(snapshot.cards.iter().filter(|card| card.archived).count(), 501);
    // One more than the seed: the account itself.
    assert_eq!(snapshot.operators.len(), 451);
    assert_eq!(
        snapshot.operators.iter().filter(|operator| operator.archived).count(),
        90
    );
    assert_eq!(
        snapshot
            .operators
            .iter()
            .filter(|operator| operator.linked_person.is_some())
            .count(),
        450
    );
    assert_eq!(snapshot.filters, FilterProof::None);
    assert!(snapshot.archiving_reason.is_some());
    assert_eq!(snapshot.lookups.lists.len(), 6);
    assert_eq!(snapshot.lookups.lists[&LookupKind::Branch].len(), 2);
    let room = &snapshot.lookups.lists[&LookupKind::Location][0];
    let delft = snapshot.lookups.lists[&LookupKind::Branch]
        .iter()
        .find(|entry| &*entry.name == "Delft")
        .unwrap();
    assert_eq!(room.qualifier.as_ref(), Some(&delft.id));
    assert!(snapshot.server_time.is_some());
    assert_eq!(desk.sandbox.requests("GET /persons"), 2);
    // Five pages, and a few beyond the last because their number is not known.
    assert!((5..=8).contains(&desk.sandbox.requests("GET /operators")));
    assert_eq!(desk.sandbox.requests("GET /persons/count"), 2);
    assert_eq!(desk.sandbox.stats()["writes"], json!([]));
}

#[tokio::test]
async fn pages_are_followed_under_every_switch() {
    let desk = Desk::open(company(5003, 3), &[]).await;
    for (name, value, usual) in [
        ("next_link", "path", "absolute"),
        ("next_link", "missing", "absolute"),
        ("sort_by_id", "refused", "allowed"),
        ("unset_values", "null", "missing"),
    ] {
        desk.sandbox.set(name, value).unwrap();
        let snapshot = desk.read().await.unwrap();
        assert_eq!(codes(&snapshot), [""; 0], "{name}={value}");
        assert_eq!(snapshot.cards.len(), 5003, "{name}={value}");
        desk.sandbox.set(name, usual).unwrap();
    }
}

#[tokio::test]
async fn an_empty_environment_is_read_as_empty() {
    let desk = Desk::open(json!({}), &[]).await;
    let snapshot = desk.read().await.unwrap();
    assert_eq!((snapshot.cards.len(), snapshot.counts), (0, (0, 0)));
    assert_eq!(codes(&snapshot), ["archiving_reason_missing"]);
    assert!(snapshot.archiving_reason.is_none());
}

#[tokio::test]
async fn departments_in_plain_text_are_found_out() {
    let mut seed = company(3, 0);
    seed["persons"][0]["department"] = json!("Care");
    let desk = Desk::open(seed, &[("department_mode", "text")]).await;
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.lookups.department_mode, DepartmentMode::PlainText);
}

#[tokio::test]
async fn a_disabled_field_is_noticed() {
    let desk = Desk::open(company(3, 0), &[("budget_holder_field", "disabled")]).await;
    let mut wants = wants();
    wants.fields.insert(CardField::BudgetHolder);
    let snapshot = desk.reader().read_all(&wants, &Silent).await.unwrap();
    assert_eq!(codes(&snapshot), ["budget_holder_off"]);
    let desk = Desk::open(company(3, 0), &[]).await;
    let snapshot = desk.reader().read_all(&wants, &Silent).await.unwrap();
    assert_eq!(codes(&snapshot), [""; 0]);
}

#[tokio::test]
async fn filters_of_the_account_are_seen() {
    let desk = Desk::open(company(20, 2), &[("branch_filter", "Delft")]).await;
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.filters, FilterProof::Present(vec!["branch".into()]));
    assert!(effects(&snapshot).contains(&Effect::NoAbsence));
    let desk = Desk::open(company(20, 2), &[("category_filter", "Hardware")]).await;
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.filters, FilterProof::Present(vec!["category".into()]));
}

#[tokio::test]
async fn filters_that_cannot_be_read_prove_nothing_unless_somebody_states_it() {
    let desk = Desk::open(company(5, 2), &[("right.read_filters", "off")]).await;
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.filters, FilterProof::Unreadable);
    assert_eq!(codes(&snapshot), ["filters_unreadable"]);
    let stated = TargetWants {
        filters_stated_none: true,
        ..wants()
    };
    let snapshot = desk.reader().read_all(&stated, &Silent).await.unwrap();
    assert_eq!(snapshot.filters, FilterProof::None);
}

#[tokio::test]
async fn operators_that_cannot_be_read_prove_nothing_whatever_is_stated() {
    let desk = Desk::open(company(5, 2), &[("right.read_operators", "off")]).await;
    let stated = TargetWants {
        filters_stated_none: true,
        ..wants()
    };
    let snapshot = desk.reader().read_all(&stated, &Silent).await.unwrap();
    assert_eq!(snapshot.filters, FilterProof::Unreadable);
    assert!(codes(&snapshot).contains(&"operators_unreadable"));
    assert!(effects(&snapshot).contains(&Effect::NoAbsence));
}

#[tokio::test]
async fn a_query_for_archived_operators_that_is_refused_leaves_doubt() {
    let desk = Desk::open(company(5, 5), &[]).await;
    let fault = json!({ "route": "/operators", "contains": "archived", "answer": { "status": 400, "body": [{ "message": "no" }] } });
    desk.sandbox.fault(&fault).unwrap();
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.filters, FilterProof::Unreadable);
    assert!(codes(&snapshot).contains(&"operators_active_only"));
    assert!(snapshot.operators.iter().all(|operator| !operator.archived));
}

#[tokio::test]
async fn operators_are_read_in_passes_where_one_query_for_both_is_refused() {
    let together = Desk::open(company(300, 250), &[]).await.read().await.unwrap();
    let desk = Desk::open(
        company(300, 250),
        &[("operator_states", "one_by_one"), ("operator_names", "null")],
    )
    .await;
    let snapshot = desk.read().await.unwrap();
    assert_eq!(codes(&snapshot), [""; 0]);
    assert_eq!(snapshot.filters, FilterProof::None, "the proof is as strong");
    let states = |read: &TargetSnapshot| {
        let mut states: Vec<bool> = read.operators.iter().map(|operator| operator.archived).collect();
        states.sort_unstable();
        states
    };
    assert_eq!(states(&snapshot), states(&together));
    assert!(states(&snapshot).contains(&true) && states(&snapshot).contains(&false));
    let details = desk.reader().operator_details(&Silent).await.unwrap();
    assert_eq!(details.len(), snapshot.operators.len());
    let checked = desk.reader().probe(&wants()).await;
    let line = checked.iter().find(|line| line.topic == "operators").unwrap();
    assert!(line.text.contains("archived ones included"), "{line:?}");
}

#[tokio::test]
async fn an_operator_that_moves_between_the_passes_is_not_missed() {
    for (state, pass) in [("operatorArchived", 2), ("operator", 3)] {
        let desk = Desk::open(company(30, 20), &[("operator_states", "one_by_one")]).await;
        let one = desk.sandbox.state_json()["operators"][3].clone();
        let id = one["id"].as_str().unwrap().to_owned();
        let archived = |archived: bool| json!({ "operator": id, "set": { "archived": archived } });
        desk.sandbox.edit(&archived(state == "operatorArchived")).unwrap();
        // The refused query is the first; the pass in whose list it would be has just been read.
        let moves = json!({ "route": "/operators", "nth": pass + 1, "edit": archived(state != "operatorArchived") });
        desk.sandbox.fault(&moves).unwrap();
        let snapshot = desk.read().await.unwrap();
        assert_eq!(desk.sandbox.stats()["faults_played"], 1);
        let found = snapshot.operators.iter().find(|operator| operator.id.as_str() == id);
        assert!(found.is_some(), "{state} until pass {pass}");
    }
}

#[tokio::test]
async fn a_filter_by_state_that_is_overlooked_proves_nothing() {
    let desk = Desk::open(company(30, 20), &[("operator_states", "one_by_one")]).await;
    desk.sandbox
        .fault(&json!({ "route": "/operators", "contains": "archived==true", "from": 2, "drop_parameter": "query" }))
        .unwrap();
    let snapshot = desk.read().await.unwrap();
    assert_eq!(codes(&snapshot), ["operators_filter_overlooked"]);
    assert_eq!(snapshot.filters, FilterProof::Unreadable);
}

#[tokio::test]
async fn pages_that_shift_are_noticed() {
    // The list is sorted by id: a new card with the lowest id moves every row by one.
    let first = "00000000-0000-4000-8000-000000000001";
    let create = json!({ "persons": { "id": first, "surName": "New", "branch": "Delft" } });
    let desk = Desk::open(company(5003, 0), &[]).await;
    desk.sandbox
        .fault(&json!({ "route": "/persons", "nth": 2, "edit": { "create": create } }))
        .unwrap();
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.counts, (5003, 5004));
    assert_eq!(snapshot.cards.len(), 5003);
    assert_eq!(codes(&snapshot), ["cards_read_twice"]);
    assert!(effects(&snapshot).contains(&Effect::NoAbsence));
    // A card that vanishes takes a row away unseen: only the count tells.
    let mut seed = company(5003, 0);
    seed["persons"][0]["id"] = json!(first);
    let desk = Desk::open(seed, &[]).await;
    let delete = json!({ "person": first, "delete": true });
    desk.sandbox
        .fault(&json!({ "route": "/persons", "nth": 2, "edit": delete }))
        .unwrap();
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.counts, (5003, 5002));
    assert_ne!(snapshot.cards.len() as u64, snapshot.counts.1 + 1, "a row was lost");
}

#[tokio::test]
async fn an_environment_that_overlooks_the_offset_is_noticed() {
    let desk = Desk::open(company(5003, 150), &[]).await;
    desk.sandbox
        .fault(&json!([
            { "route": "/persons", "drop_parameter": "pageStart" },
            { "route": "/operators", "drop_parameter": "start" },
        ]))
        .unwrap();
    let snapshot = desk.read().await.unwrap();
    assert!(codes(&snapshot).contains(&"page_repeated"));
    assert!(codes(&snapshot).contains(&"operators_cut_short"));
    assert!(effects(&snapshot).contains(&Effect::Reject));
    assert_eq!(snapshot.filters, FilterProof::Unreadable);
}

#[tokio::test]
async fn reads_survive_what_passes() {
    for fault in [
        json!({ "route": "/persons", "nth": 2, "answer": { "status": 503 } }),
        json!({ "route": "/persons", "nth": 1, "answer": { "status": 429, "headers": { "Retry-After": "0" } } }),
        json!({ "route": "/persons", "nth": 1, "answer": { "status": 500, "body": "An error occurred on the server" } }),
        json!({ "route": "/persons", "nth": 2, "cut_body": true }),
        json!({ "route": "/operators", "nth": 2, "reset": "before" }),
        json!({ "route": "/persons/count", "every": 2, "times": 2, "answer": { "status": 502 } }),
        json!({ "route": "/persons", "nth": 2, "answer": { "status": 520 } }),
        json!({ "route": "/operators", "nth": 1, "answer": { "status": 522, "body": "<html><title>522</title></html>" } }),
        json!({ "route": "/persons/count", "every": 2, "times": 2, "answer": { "status": 524 } }),
    ] {
        let desk = Desk::open(company(5003, 120), &[]).await;
        desk.sandbox.fault(&fault).unwrap();
        let snapshot = desk.read().await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert_eq!((snapshot.cards.len(), snapshot.operators.len()), (5003, 121), "{fault}");
        assert_eq!(codes(&snapshot), [""; 0], "{fault}");
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_and_too_long_a_wait_ends_the_read() {
    let desk = Desk::open(company(3, 0), &[]).await;
    let busy = |seconds: &str| json!({ "route": "/persons/count", "nth": 1, "answer": { "status": 429, "headers": { "Retry-After": seconds } } });
    desk.sandbox.fault(&busy("1")).unwrap();
    let began = std::time::Instant::now();
    desk.read().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    let desk = Desk::open(company(3, 0), &[]).await;
    desk.sandbox.fault(&busy("3600")).unwrap();
    let error = desk.read().await.unwrap_err();
    assert_eq!((error.status, error.retryable), (Some(429), true));
    assert_eq!(error.retry_after, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn what_is_not_the_api_is_told_apart_at_once() {
    let html = json!({ "Content-Type": "text/html" });
    for (fault, status, words) in [
        (
            json!({ "status": 200, "headers": html, "body": "<html><title>Log in</title>" }),
            200,
            "Log in",
        ),
        (
            json!({ "status": 302, "headers": { "Location": "https://elsewhere.example/login" } }),
            302,
            "redirect",
        ),
        (json!({ "status": 406 }), 406, "too old"),
        (json!({ "status": 404 }), 404, "topdesk.url"),
        (
            json!({ "status": 200, "body": [{ "id": "x" }] }),
            200,
            "not as the API describes",
        ),
    ] {
        let desk = Desk::open(company(3, 0), &[]).await;
        desk.sandbox
            .fault(&json!({ "route": "/persons", "answer": fault }))
            .unwrap();
        let error = desk.read().await.unwrap_err();
        assert_eq!(error.status, Some(status), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("elsewhere"), "{error}");
        let tries = desk.sandbox.requests("GET /persons");
        assert_eq!(tries, 1, "trying again does not help: {error}");
    }
    let desk = Desk::open(company(3, 0), &[("persons_v2", "missing")]).await;
    assert_eq!(desk.read().await.unwrap_err().status, Some(406));
}

#[tokio::test]
async fn a_wrong_password_is_told_once() {
    let desk = Desk::with_password(company(3, 0), &[], "wrong").await;
    let error = desk.read().await.unwrap_err();
    assert_eq!(error.status, Some(401));
    assert!(error.cure.contains("application password"), "{error}");
    assert_eq!(desk.reader().requests_sent(), 1);
}

#[tokio::test]
async fn nobody_there_is_told_after_trying_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let client = connect(&url, &folder, "secret").unwrap();
    let error = client.reader().read_all(&wants(), &Silent).await.unwrap_err();
    assert!(error.retryable);
    assert!(error.to_string().contains("no connection"), "{error}");
    assert_eq!(client.reader().requests_sent(), 4);
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_read() {
    let desk = Desk::open(company(1, 0), &[]).await;
    let page = json!({ "item": [{ "id": "a", "archived": false }], "size": 1, "next": "/tas/api/persons?pageStart=1" });
    desk.sandbox
        .fault(&json!({ "route": "/persons", "answer": { "status": 206, "body": page } }))
        .unwrap();
    let snapshot = desk.read().await.unwrap();
    assert!(codes(&snapshot).contains(&"page_repeated"));
    assert!(effects(&snapshot).contains(&Effect::Reject));
    assert_eq!(
        desk.sandbox.requests("GET /persons"),
        3,
        "the page ahead of a link to another offset is thrown away"
    );
}

#[tokio::test]
async fn a_link_elsewhere_is_not_followed() {
    let desk = Desk::open(company(3, 0), &[]).await;
    let first = json!({ "item": [{ "id": "a", "archived": false }], "next": "https://elsewhere.example/tas/api/persons?pageStart=1" });
    let last = json!({ "item": [{ "id": "b", "archived": false }], "next": null });
    desk.sandbox
        .fault(&json!([
            { "route": "/persons", "nth": 1, "answer": { "status": 206, "body": first } },
            { "route": "/persons", "from": 2, "answer": { "status": 200, "body": last } },
        ]))
        .unwrap();
    let snapshot = desk.read().await.unwrap();
    assert_eq!(snapshot.cards.len(), 2);
    assert_eq!(codes(&snapshot), ["next_link_elsewhere"]);
    assert_eq!(effects(&snapshot), BTreeSet::from([Effect::Note]));
}

#[tokio::test]
async fn operators_without_end_are_noticed() {
    let desk = Desk::open(company(3, 0), &[]).await;
    let page: Vec<Value> = (0..100)
        .map(|n| json!({ "id": format!("o{n}"), "status": "operator" }))
        .collect();
    desk.sandbox
        .fault(&json!({ "route": "/operators", "answer": { "status": 206, "body": page } }))
        .unwrap();
    let snapshot = desk.read().await.unwrap();
    assert!(codes(&snapshot).contains(&"operators_cut_short"));
    assert_eq!(snapshot.filters, FilterProof::Unreadable);
}

#[tokio::test]
async fn single_cards_and_their_operators_are_read_as_they_are_now() {
    let desk = Desk::open(company(10, 5), &[]).await;
    let reader = desk.reader();
    let fields = wants().fields;
    let snapshot = desk.read().await.unwrap();
    let by_key = |key: &str| {
        let card = snapshot
            .cards
            .iter()
            .find(|card| card.fields.text(CardField::EmployeeNumber) == Some(key));
        card.unwrap().clone()
    };
    let card = by_key("000004");
    assert_eq!(reader.read_card(&card.id, &fields).await.unwrap(), Some(card.clone()));
    let operators = reader.read_operators_of(&card.id).await.unwrap();
    assert_eq!(operators.len(), 1);
    assert!(operators[0].archived, "archived operators are included");
    assert!(reader.read_operators_of(&by_key("000009").id).await.unwrap().is_empty());
    let gone = CardId::from("00000000-0000-4000-8000-000000000000");
    assert_eq!(reader.read_card(&gone, &fields).await.unwrap(), None);
}

#[tokio::test]
async fn keys_are_looked_up_in_batches() {
    let desk = Desk::open(company(300, 0), &[]).await;
    let keys: Vec<String> = (0..250).map(|n| format!("{:06}", n * 2 + 1)).collect();
    let found = desk
        .reader()
        .cards_with_keys(CardField::EmployeeNumber, &keys)
        .await
        .unwrap();
    assert_eq!(found.len(), 150);
    assert!(found.iter().any(|card| card.archived));
    assert_eq!(desk.sandbox.requests("GET /persons"), 3);
    let odd = ["it's; (a,b) \\ + & # %".to_owned(), "null".to_owned()];
    assert!(
        desk.reader()
            .cards_with_keys(CardField::EmployeeNumber, &odd)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        desk.reader()
            .cards_with_keys(CardField::EmployeeNumber, &[])
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_look_up_that_may_have_missed_a_card_is_an_error() {
    let desk = Desk::open(company(1, 0), &[]).await;
    let page = json!({ "item": [], "size": 0, "next": null });
    desk.sandbox
        .fault(&json!({ "route": "/persons", "answer": { "status": 206, "body": page } }))
        .unwrap();
    let keys = ["000000".to_owned()];
    let error = desk
        .reader()
        .cards_with_keys(CardField::EmployeeNumber, &keys)
        .await
        .unwrap_err();
    assert!(error.retryable && error.what.contains("announced more"), "{error}");
    assert!(desk.reader().cards_of_query("archived==false").await.is_err());
}

#[tokio::test]
async fn cards_of_a_query_are_found_and_a_wrong_query_is_named() {
    let desk = Desk::open(company(10, 0), &[]).await;
    let found = desk.reader().cards_of_query("branch.name=='Delft'").await.unwrap();
    assert_eq!(found.len(), 5);
    let error = desk.reader().cards_of_query("branch.nam=='Delft'").await.unwrap_err();
    assert!(error.cure.contains("guard.protect.query"), "{error}");
}

#[tokio::test]
async fn cards_of_the_account_itself_are_known() {
    let mut seed = company(3, 0);
    seed["operators"] = json!([{ "surName": "Api", "loginName": "api", "branch": "Delft", "linkedPerson": { "employeeNumber": "000001" } }]);
    seed["account"] = json!("api");
    let desk = Desk::open(seed, &[]).await;
    let snapshot = desk.read().await.unwrap();
    let own = snapshot
        .cards
        .iter()
        .find(|card| card.fields.text(CardField::EmployeeNumber) == Some("000001"))
        .unwrap();
    assert_eq!(snapshot.own_cards, BTreeSet::from([own.id.clone()]));
}

#[tokio::test]
async fn lists_are_read_again_when_asked() {
    let desk = Desk::open(company(1, 0), &[]).await;
    let entries = desk.reader().read_entries(LookupKind::Department).await.unwrap();
    assert_eq!(&*entries[0].name, "Sales");
}
