//! The TOPdesk look-alike over real HTTP: pages, media types, words of refusals, the cascade, filters and faults.

mod cascade;
mod conformance;
mod faults;
mod lookups;
mod persons;
mod seeds;
mod switches;

use std::sync::Once;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use topdesk_sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};

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
