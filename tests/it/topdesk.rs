//! The TOPdesk client's reads against the look-alike: pages, filters, lists, switches and faults.

mod check;
mod read;
mod snapshot;
mod tls;

use cardsync::config::TopdeskConfig;
use cardsync::core::model::card::TargetSnapshot;
use cardsync::core::model::field::{CardField, LookupKind};
use cardsync::engine::Silent;
use cardsync::engine::target::{TargetError, TargetReader, TargetWants};
use cardsync::topdesk::{Patience, ReadClient, TopdeskClient};
use chrono_tz::Europe;
use serde_json::{Value, json};
use std::time::Duration;
use topdesk_sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};

/// A sandbox and a client of it that loses patience quickly.
struct Desk {
    sandbox: RunningSandbox,
    client: TopdeskClient,
    // Holds the password for as long as the client may be made again.
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn open(seed: Value, settings: &[(&str, &str)]) -> Desk {
        Desk::with_password(seed, settings, "secret").await
    }

    async fn with_password(seed: Value, settings: &[(&str, &str)], password: &str) -> Desk {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = SandboxOptions {
            listener,
            seed: Seed::from_value(seed).unwrap(),
            username: "api".into(),
            password: "secret".into(),
            settings: settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let client = connect(&sandbox.url(), &folder, password).unwrap();
        Desk {
            sandbox,
            client,
            _folder: folder,
        }
    }

    fn reader(&self) -> ReadClient {
        self.client.reader()
    }

    async fn read(&self) -> Result<TargetSnapshot, TargetError> {
        self.reader().read_all(&wants(), &Silent).await
    }
}

fn config(url: &str, folder: &tempfile::TempDir, password: &str) -> TopdeskConfig {
    let file = folder.path().join("password");
    std::fs::write(&file, password).unwrap();
    serde_json::from_value(json!({
        "url": url,
        "username": "api",
        "password": { "file": file },
        "requests_per_second": 100_000,
        "timeout": "20s",
    }))
    .unwrap()
}

fn connect(url: &str, folder: &tempfile::TempDir, password: &str) -> Result<TopdeskClient, TargetError> {
    let patience = Patience {
        retries: 3,
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(10),
        longest_asked: Duration::from_secs(2),
        total: Duration::from_secs(20),
    };
    TopdeskClient::connect_with(&config(url, folder, password), Europe::Amsterdam, patience)
}

fn wants() -> TargetWants {
    use CardField::*;
    TargetWants {
        mapped: [TasLoginName].into(),
        makes_entries: false,
        fields: [
            SurName,
            FirstName,
            EmployeeNumber,
            Email,
            Branch,
            Location,
            Department,
            Language,
            Manager,
            HasSspAccess,
            OptionalDate(1, 1),
        ]
        .into(),
        lookups: [
            LookupKind::Branch,
            LookupKind::Department,
            LookupKind::Location,
            LookupKind::Language,
            LookupKind::PersonExtraFieldA,
            LookupKind::SearchList { tab: 2, list: 3 },
        ]
        .into(),
        archiving_reason: Some("out of SERVICE".to_owned()),
        filters_stated_none: false,
    }
}

/// A company of so many persons, every tenth archived, and so many linked operators, every fifth archived.
fn company(persons: usize, operators: usize) -> Value {
    let people: Vec<Value> = (0..persons)
        .map(|n| {
            json!({
                "surName": format!("Name{n:05}"), "firstName": "A", "employeeNumber": format!("{n:06}"),
                "branch": if n % 2 == 0 { "Delft" } else { "Leiden" }, "archived": n % 10 == 9,
                "email": format!("p{n}@example.org"),
            })
        })
        .collect();
    let desk: Vec<Value> = (0..operators)
        .map(|n| {
            json!({
                "surName": format!("Name{n:05}"), "branch": "Delft", "loginName": format!("op{n}"),
                "linkedPerson": { "employeeNumber": format!("{n:06}") },
                "status": if n % 5 == 4 { "operatorArchived" } else { "operator" },
            })
        })
        .collect();
    json!({
        "branches": ["Delft", "Leiden"],
        "departments": ["Sales"],
        "locations": [{ "name": "Room", "branch": "Delft" }],
        "languages": [{ "name": "Dutch", "languageCode": "nl" }],
        "archivingReasons": ["Out of service"],
        "persons": people,
        "operators": desk,
    })
}
