//! Writes over real sockets: against the look-alike, and against a server that answers what it is told to.
//! In the crate, because only it can make the number of an intent.

mod operators;

use super::*;
use crate::core::model::field::{CardField, FieldValue, LookupKind, Reference};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::{CardTarget, FieldChange, Step};
use crate::engine::target::{Concerns, IntentId, Made, TargetReader, TargetWriter, WriteError, Written};
use chrono_tz::Europe;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use topdesk_sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};

fn client(url: &str, timeout: &str) -> TopdeskClient {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "secret\n").unwrap();
    let config = json!({
        "url": url, "username": "api", "password": { "file": password }, "timeout": timeout, "requests_per_second": 1000,
    });
    TopdeskClient::connect(&serde_json::from_value(config).unwrap(), Europe::Amsterdam).unwrap()
}

fn text(field: CardField, to: &str) -> FieldChange {
    FieldChange {
        field,
        from: None,
        to: FieldValue::text(to),
    }
}

fn entry(field: CardField, id: &str) -> FieldChange {
    FieldChange {
        field,
        from: None,
        to: Some(FieldValue::Reference(Reference::Entry {
            id: id.into(),
            name: "".into(),
        })),
    }
}

async fn send(client: &TopdeskClient, step: &Step) -> Result<Written, WriteError> {
    let writer = client.writer();
    let turn = writer.turn().await;
    writer.send(turn, IntentId::committed(1), step, &Made::default()).await
}

fn card_of(written: Result<Written, WriteError>) -> crate::core::model::card::PersonCard {
    match written {
        Ok(Written::Card(card)) => *card,
        other => panic!("expected a card, got {other:?}"),
    }
}

// --- against the look-alike ---------------------------------------------------------------------------------------

async fn sandbox(settings: &[(&str, &str)]) -> (RunningSandbox, TopdeskClient) {
    let seed = json!({
        "branches": ["Delft"],
        "departments": [{ "name": "Sales" }, { "name": "Gone", "archived": true }],
        "archivingReasons": ["Left"],
        "persons": [
            { "surName": "Visser", "employeeNumber": "1", "branch": "Delft", "tasLoginName": "taken" },
            { "surName": "Bakker", "employeeNumber": "2", "branch": "Delft", "department": "Sales", "email": "b@example.org" },
        ],
        "operators": [{ "surName": "Visser", "branch": "Delft", "linkedPerson": { "employeeNumber": "1" }, "loginName": "v",
            "operatorGroups": ["Desk", "Network"], "permissionGroups": ["Desk staff"] }],
    });
    let options = SandboxOptions {
        listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        seed: Seed::from_value(seed).unwrap(),
        username: "api".into(),
        password: "secret".into(),
        settings: settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = client(&sandbox.url(), "20s");
    (sandbox, client)
}

async fn by_key(client: &TopdeskClient, key: &str) -> CardId {
    let found = client
        .reader()
        .cards_with_keys(CardField::EmployeeNumber, &[key.to_owned()])
        .await
        .unwrap();
    found[0].id.clone()
}

async fn entry_id(client: &TopdeskClient, list: LookupKind, name: &str) -> Box<str> {
    let entries = client.reader().read_entries(list).await.unwrap();
    entries.into_iter().find(|entry| &*entry.name == name).unwrap().id
}

async fn reason(client: &TopdeskClient) -> Option<Box<str>> {
    lookups::archiving_reason(&client.http, "left").await.unwrap().ok()
}

#[tokio::test]
async fn a_person_is_made_changed_archived_and_brought_back() {
    let (sandbox, client) = sandbox(&[]).await;
    let branch = entry_id(&client, LookupKind::Branch, "Delft").await;
    let department = entry_id(&client, LookupKind::Department, "Sales").await;
    let create = Step::CreateCard {
        fields: vec![
            text(CardField::SurName, "d'Arc é"),
            text(CardField::EmployeeNumber, "0042"),
            text(CardField::Email, "arc@example.org"),
            entry(CardField::Branch, &branch),
            entry(CardField::Department, &department),
            FieldChange {
                field: CardField::HasSspAccess,
                from: None,
                to: Some(FieldValue::Flag(false)),
            },
            FieldChange {
                field: CardField::OptionalDate(1, 1),
                from: None,
                to: Some(FieldValue::Date("2026-07-01".parse().unwrap())),
            },
        ],
    };
    let made = card_of(send(&client, &create).await);
    assert_eq!(made.fields.text(CardField::SurName), Some("d'Arc é"));
    assert_eq!(made.fields.get(CardField::HasSspAccess), Some(&FieldValue::Flag(false)));
    assert_eq!(
        made.fields.get(CardField::OptionalDate(1, 1)),
        Some(&FieldValue::Date("2026-07-01".parse().unwrap()))
    );
    let cleared = |field| FieldChange {
        field,
        from: made.fields.get(field).cloned(),
        to: None,
    };
    let patch = Step::PatchCard {
        card: CardTarget::Known(made.id.clone()),
        fields: vec![
            text(CardField::SurName, "Arc"),
            cleared(CardField::Email),
            cleared(CardField::Department),
            cleared(CardField::OptionalDate(1, 1)),
        ],
    };
    let patched = card_of(send(&client, &patch).await);
    assert_eq!(patched.fields.text(CardField::SurName), Some("Arc"));
    for field in [CardField::Email, CardField::Department, CardField::OptionalDate(1, 1)] {
        assert_eq!(patched.fields.get(field), None, "{field}");
    }
    let archive = Step::ArchiveCard {
        card: made.id.clone(),
        reason: reason(&client).await,
    };
    assert!(card_of(send(&client, &archive).await).archived);
    assert_eq!(send(&client, &archive).await, Err(WriteError::AlreadyThere));
    let unarchive = Step::UnarchiveCard { card: made.id.clone() };
    assert!(!card_of(send(&client, &unarchive).await).archived);
    assert_eq!(send(&client, &unarchive).await, Err(WriteError::AlreadyThere));
    let now = client
        .reader()
        .read_card(&made.id, &BTreeSet::from([CardField::SurName]))
        .await
        .unwrap()
        .unwrap();
    assert!(!now.archived);
    assert_eq!(sandbox.stats()["writes"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn without_the_right_on_operators_topdesk_refuses_the_accident() {
    let (sandbox, client) = sandbox(&[("right.archive_operators", "off")]).await;
    let reason = reason(&client).await;
    let archive = |card| Step::ArchiveCard {
        card,
        reason: reason.clone(),
    };
    let Err(WriteError::NotDone(error)) = send(&client, &archive(by_key(&client, "1").await)).await else {
        panic!("the operator must be safe");
    };
    assert_eq!((error.concerns, error.status), (Concerns::OperatorRight, Some(403)));
    // Somebody without an operator can leave and come back.
    let plain = by_key(&client, "2").await;
    assert!(card_of(send(&client, &archive(plain.clone())).await).archived);
    assert!(!card_of(send(&client, &Step::UnarchiveCard { card: plain }).await).archived);
    assert_eq!(sandbox.stats()["operatorsArchived"].as_array().map_or(0, Vec::len), 0);
}

#[tokio::test]
async fn refusals_concern_whom_they_should() {
    let (_sandbox, client) = sandbox(&[]).await;
    let card = by_key(&client, "2").await;
    let concerns = |result: Result<Written, WriteError>| match result {
        Err(WriteError::NotDone(error)) => (error.concerns, error.status),
        other => panic!("{other:?}"),
    };
    let patch = |card: &CardId, fields| Step::PatchCard {
        card: CardTarget::Known(card.clone()),
        fields,
    };
    let long = patch(&card, vec![text(CardField::SurName, &"x".repeat(51))]);
    assert_eq!(concerns(send(&client, &long).await), (Concerns::Record, Some(400)));
    let login = patch(&card, vec![text(CardField::TasLoginName, "taken")]);
    assert_eq!(concerns(send(&client, &login).await), (Concerns::Record, Some(400)));
    let gone = patch(
        &CardId::from("00000000-0000-4000-8000-000000000000"),
        vec![text(CardField::SurName, "x")],
    );
    assert_eq!(concerns(send(&client, &gone).await), (Concerns::Record, Some(404)));
    let no_reason = Step::ArchiveCard {
        card: card.clone(),
        reason: None,
    };
    assert_eq!(
        concerns(send(&client, &no_reason).await),
        (Concerns::ActionKind, Some(400))
    );
    let not_made = Step::PatchCard {
        card: CardTarget::MadeBy(ItemId::from("i1")),
        fields: vec![],
    };
    assert_eq!(concerns(send(&client, &not_made).await), (Concerns::Record, None));
    let branch = Step::CreateEntry {
        list: LookupKind::Branch,
        name: "New".into(),
    };
    assert_eq!(concerns(send(&client, &branch).await), (Concerns::ActionKind, None));
}

#[tokio::test]
async fn an_entry_that_is_there_already_is_used() {
    let (sandbox, client) = sandbox(&[]).await;
    let create = |list, name: &str| Step::CreateEntry {
        list,
        name: name.into(),
    };
    let lists = [
        LookupKind::Department,
        LookupKind::BudgetHolder,
        LookupKind::PersonExtraFieldA,
        LookupKind::PersonExtraFieldB,
        LookupKind::SearchList { tab: 2, list: 5 },
    ];
    for list in lists {
        let made = send(&client, &create(list, "Care")).await.unwrap();
        assert_eq!(made, Written::Entry(entry_id(&client, list, "Care").await), "{list}");
        assert_eq!(send(&client, &create(list, "CARE ")).await, Ok(made), "{list}");
    }
    // A name that only an archived entry has cannot be seen and cannot be made.
    let Err(WriteError::NotDone(error)) = send(&client, &create(LookupKind::Department, "gone")).await else {
        panic!("refused");
    };
    assert_eq!(error.concerns, Concerns::Record);
    assert!(error.cure.contains("archived entry"), "{error}");
    sandbox.set("right.supporting_files_settings", "off").unwrap();
    let Err(WriteError::NotDone(error)) = send(&client, &create(LookupKind::Department, "More")).await else {
        panic!("refused");
    };
    assert_eq!(error.concerns, Concerns::ActionKind);
}

#[tokio::test]
async fn departments_in_plain_text_are_written_and_emptied() {
    let (_sandbox, client) = sandbox(&[("department_mode", "text")]).await;
    let card = by_key(&client, "2").await;
    let free = |name: &str| Some(FieldValue::Reference(Reference::FreeText(name.into())));
    let step = |from, to| Step::PatchCard {
        card: CardTarget::Known(card.clone()),
        fields: vec![FieldChange {
            field: CardField::Department,
            from,
            to,
        }],
    };
    let written = card_of(send(&client, &step(None, free("Care"))).await);
    assert_eq!(written.fields.get(CardField::Department), free("Care").as_ref());
    let emptied = card_of(send(&client, &step(free("Care"), None)).await);
    assert_eq!(emptied.fields.get(CardField::Department), None);
}

// --- against a server that answers what it is told to -----------------------------------------------------------------

/// What the server does with one request.
enum Play {
    /// Reads it and answers this.
    Answer(&'static str),
    /// Reads it and closes the connection.
    Hang,
    /// Reads it and never answers.
    Mute,
}

/// Counts requests and plays the same on each; ends when dropped.
struct Player {
    url: String,
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Player {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server(play: Play) -> Player {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    let task = tokio::spawn(async move {
        let mut muted: Vec<TcpStream> = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "a request has bytes");
            match play {
                Play::Answer(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                Play::Hang => {}
                Play::Mute => muted.push(stream),
            }
        }
    });
    Player { url, requests, task }
}

/// How a create ended, and how often it was sent.
async fn outcome(play: Play) -> (&'static str, Concerns, bool, usize) {
    let server = server(play).await;
    let client = client(&server.url, "1s");
    let step = Step::CreateCard {
        fields: vec![text(CardField::SurName, "Secretive")],
    };
    let (name, error) = match send(&client, &step).await {
        Err(WriteError::NotDone(error)) => ("not done", error),
        Err(WriteError::InDoubt(error)) => ("in doubt", error),
        other => panic!("{other:?}"),
    };
    assert!(
        !error.to_string().contains("Secretive"),
        "our own body is never told: {error}"
    );
    (
        name,
        error.concerns,
        error.retryable,
        server.requests.load(Ordering::SeqCst),
    )
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_nothing_is_sent_twice() {
    use Concerns::*;
    assert_eq!(outcome(Play::Hang).await, ("in doubt", Record, true, 1));
    assert_eq!(outcome(Play::Mute).await, ("in doubt", Record, true, 1));
    let cut = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\":";
    assert_eq!(outcome(Play::Answer(cut)).await, ("in doubt", Record, true, 1));
    let short = "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":\"a\"";
    assert_eq!(outcome(Play::Answer(short)).await, ("in doubt", Record, false, 1));
    let empty = "HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(outcome(Play::Answer(empty)).await, ("in doubt", Record, false, 1));
    let page = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html><title>Log in</title>";
    assert_eq!(outcome(Play::Answer(page)).await, ("in doubt", Run, false, 1));
    let error = "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\nAn error occurred on the server";
    assert_eq!(outcome(Play::Answer(error)).await, ("in doubt", Record, true, 1));
    let gateway = "HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(Play::Answer(gateway)).await, ("in doubt", Record, true, 1));
}

#[tokio::test]
async fn an_answered_error_is_not_done() {
    use Concerns::*;
    let busy = "HTTP/1.1 429 Busy\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(Play::Answer(busy)).await, ("not done", Record, true, 1));
    let maintenance = "HTTP/1.1 503 Maintenance\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(Play::Answer(maintenance)).await, ("not done", Record, true, 1));
    let login = "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(Play::Answer(login)).await, ("not done", Run, false, 1));
    let expired = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(Play::Answer(expired)).await, ("not done", Run, false, 1));
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_host_are_not_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}", listener.local_addr().unwrap());
    // TLS that never begins: the server speaks plain HTTP.
    let plain = server(Play::Answer("HTTP/1.1 200 OK\r\n\r\n")).await;
    let no_tls = plain.url.replace("http://", "https://");
    drop(listener);
    for (url, retryable) in [
        (refused.as_str(), true),
        (no_tls.as_str(), false),
        ("https://nobody.invalid", false),
    ] {
        let step = Step::CreateCard { fields: vec![] };
        let Err(WriteError::NotDone(error)) = send(&client(url, "5s"), &step).await else {
            panic!("nothing was sent to {url}");
        };
        assert_eq!(error.concerns, Concerns::Run, "{url}: {error}");
        if url.contains("127.0.0.1") {
            assert_eq!(error.retryable, retryable, "{url}: {error}");
        }
    }
}

#[test]
fn what_cannot_be_set_up_is_told_with_its_cure() {
    let connect = |change: Value| {
        let mut config =
            json!({ "url": "https://example.net", "username": "api", "password": { "env": "CARDSYNC_TEST_NOT_SET" } });
        config
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let config = serde_json::from_value(config).unwrap();
        TopdeskClient::connect(&config, Europe::Amsterdam)
            .err()
            .unwrap()
            .to_string()
    };
    assert!(connect(json!({})).contains("CARDSYNC_TEST_NOT_SET"));
    assert!(connect(json!({ "url": "http://example.net" })).contains("https://"));
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "s").unwrap();
    let missing = folder.path().join("ca.pem");
    let told = connect(json!({ "password": { "file": password }, "ca_file": missing }));
    assert!(told.contains("ca.pem") && told.contains("topdesk.ca_file"), "{told}");
}
