//! A small company with a sandbox, a configuration and a store of its own, and a day in its life on which every kind of
//! change happens. For tests of what goes wrong in between.

mod day;

pub use self::day::Picture;
use self::day::{AFTER, BEFORE, HEADER, picture, seed};
use cardsync::app::environment::{Connected, Environment, new_run_id};
use cardsync::core::input::PlanInput;
use cardsync::core::memory::decision::{About, Answer, Decision};
use cardsync::core::memory::shown::Shown;
use cardsync::core::plan::report::Outcome;
use cardsync::core::plan::{ActionKind, Change};
use cardsync::engine::apply::OperatorAccount;
use cardsync::engine::run::{Finished, Planned, RunError, Scope, WriteParts};
use cardsync::engine::state::{StateReader, StateWriter};
use cardsync::engine::{Clock, Silent};
use cardsync::store::SqliteStore;
use cardsync::topdesk::{Patience, TopdeskClient, WriteClient};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Once;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use topdesk_sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};

/// The day everything happens.
pub fn today() -> DateTime<Utc> {
    "2026-03-10T08:00:00Z".parse().unwrap()
}

/// A clock that stands still.
pub struct At(pub DateTime<Utc>);

impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// The company on the morning of the day, before anything is written: two were archived by an earlier run.
pub struct Company {
    pub sandbox: RunningSandbox,
    folder: TempDir,
    morning: Option<Morning>,
}

/// What is put back to play the day again.
struct Morning {
    state: Value,
    store: Vec<u8>,
}

impl Company {
    /// Opens the company and plays what was before: first contact, and two leavers archived.
    pub async fn open(settings: &[(&str, &str)]) -> Company {
        Self::open_with(settings, "").await
    }

    /// With more lines in the configuration.
    pub async fn open_with(settings: &[(&str, &str)], more: &str) -> Company {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another test of the same process may have been first.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = SandboxOptions {
            listener: tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(),
            seed: Seed::from_value(seed()).unwrap(),
            username: "api".into(),
            password: "secret".into(),
            settings: settings.collect(),
        };
        let mut company = Company {
            sandbox: Sandbox::start(options).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            morning: None,
        };
        company.write_config(more);
        company.export(&without_end(BEFORE));
        company.run(today() - Duration::days(20)).await.unwrap();
        company.export(BEFORE);
        company.approve(today() - Duration::days(19)).await;
        company.run(today() - Duration::days(19)).await.unwrap();
        company.export(AFTER);
        company.approve(today()).await;
        company.remember();
        company
    }

    /// From here on `again` comes back to this moment.
    pub fn remember(&mut self) {
        let store = std::fs::read(self.store_path()).unwrap();
        self.morning = Some(Morning {
            state: self.sandbox.state_json(),
            store,
        });
        self.again();
    }

    /// Back to the morning, or to what was remembered last.
    pub fn again(&self) {
        let morning = self.morning.as_ref().expect("the company is open");
        self.sandbox.clear_faults();
        let seed = Seed::from_value(morning.state.clone()).unwrap();
        self.sandbox.reset(Some(seed)).unwrap();
        for suffix in ["-wal", "-shm"] {
            // There only after a kill.
            let _ = std::fs::remove_file(format!("{}{suffix}", self.store_path().display()));
        }
        std::fs::write(self.store_path(), &morning.store).unwrap();
    }

    pub fn config_path(&self) -> PathBuf {
        self.folder.path().join("cardsync.yaml")
    }

    pub fn store_path(&self) -> PathBuf {
        self.folder.path().join("cardsync.db")
    }

    fn write_config(&self, more: &str) {
        let password = self.folder.path().join("password");
        std::fs::write(&password, "secret").unwrap();
        let people = self.folder.path().join("people.csv");
        let text = format!(
            r#"
topdesk:
  url: {url}
  username: api
  password: {{ file: {password} }}
  archiving_reason: Out of service
  requests_per_second: 1000
  timeout: 20s
timezone: Europe/Amsterdam
sources:
  - {{ name: hr, type: csv, path: {people}, delimiter: ";", key: Nr, role: authoritative, expect: {{ max_drop: 50% }} }}
fields:
  surName: "{{{{ hr.Last }}}}"
  firstName: "{{{{ hr.First }}}}"
  email: "{{{{ hr.Mail }}}}"
  branch: "{{{{ hr.Site }}}}"
  department: {{ value: "{{{{ hr.Dept }}}}", missing: create }}
  manager: {{ key: "{{{{ hr.Mgr }}}}" }}
  jobTitle: "{{{{ hr.Title }}}}"
  tasLoginName: "{{{{ hr.Login }}}}"
create: {{ hasSspAccess: true, isCaller: true }}
lifecycle:
  leaver: {{ when: "{{{{ hr.End | date < today }}}}", after: 0s }}
store: {{ sqlite: {store} }}
{more}
"#,
            url = self.sandbox.url(),
            password = password.display(),
            people = people.display(),
            store = self.store_path().display(),
        );
        std::fs::write(self.config_path(), text).unwrap();
    }

    /// Another password in the file, as an administrator would put it there.
    pub fn set_password(&self, password: &str) {
        std::fs::write(self.folder.path().join("password"), password).unwrap();
    }

    /// Replaces a text in the configuration.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config_path()).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(self.config_path(), text.replace(from, to)).unwrap();
    }

    fn export(&self, rows: &[impl AsRef<str>]) {
        let mut text = HEADER.to_owned();
        for row in rows {
            text.push_str(row.as_ref());
            text.push('\n');
        }
        std::fs::write(self.folder.path().join("people.csv"), text).unwrap();
    }

    pub fn environment(&self) -> Environment {
        Environment::load(&self.config_path()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    pub async fn store(&self) -> SqliteStore {
        let environment = self.environment();
        SqliteStore::open(&self.store_path(), &environment.id, &environment.host())
            .await
            .unwrap()
    }

    pub fn connect(&self, environment: &Environment) -> Connected {
        self.client(environment).into()
    }

    /// A client that loses patience quickly.
    pub fn client(&self, environment: &Environment) -> TopdeskClient {
        let patience = Patience {
            retries: 2,
            first_wait: std::time::Duration::from_millis(2),
            longest_wait: std::time::Duration::from_millis(10),
            longest_asked: std::time::Duration::from_secs(2),
            total: std::time::Duration::from_secs(20),
        };
        let zone = chrono_tz::Europe::Amsterdam;
        TopdeskClient::connect_with(&environment.config().topdesk, zone, patience).unwrap()
    }

    /// One whole run.
    pub async fn run(&self, at: DateTime<Utc>) -> Result<Finished, RunError> {
        let store = self.store().await;
        let finished = self.run_with(&store, at, &CancellationToken::new()).await;
        store.close().await;
        finished
    }

    /// One whole run over a store that is handed in.
    pub async fn run_with(
        &self,
        store: &impl StateWriter,
        at: DateTime<Utc>,
        stop: &CancellationToken,
    ) -> Result<Finished, RunError> {
        self.run_as(store, at, stop, None, None).await
    }

    /// One whole run with a second account and a time limit.
    pub async fn run_as(
        &self,
        store: &impl StateWriter,
        at: DateTime<Utc>,
        stop: &CancellationToken,
        operator_account: Option<&OperatorAccount<'_, WriteClient>>,
        limit: Option<std::time::Duration>,
    ) -> Result<Finished, RunError> {
        let environment = self.environment();
        let connected = self.connect(&environment);
        let clock = At(at);
        let lease = store.acquire(&new_run_id(at), "run", at).await.unwrap();
        let parts = WriteParts {
            writer: &self.client(&environment).writer(),
            operator_account,
            limit,
            store,
            concurrency: 4,
            stop,
        };
        environment
            .read_parts(&connected, &clock, &Silent)
            .run(&parts, &lease, &Scope::Whole, "run")
            .await
    }

    pub async fn plan(&self, at: DateTime<Utc>) -> Planned {
        let environment = self.environment();
        let connected = self.connect(&environment);
        let store = self.store().await;
        let planned = environment.read_parts(&connected, &At(at), &Silent).plan(&store).await;
        store.close().await;
        planned.unwrap()
    }

    /// Approves what a plan holds, but for creations that are offered beside an adoption.
    pub async fn approve(&self, at: DateTime<Utc>) {
        let Planned { judged, input } = self.plan(at).await;
        let before = |change: &Change| {
            input
                .decisions
                .get(&change.id)
                .map(|it| it.waives.clone())
                .unwrap_or_default()
        };
        let adopted: BTreeSet<_> = of_kind(&judged.plan.changes, ActionKind::Adopt)
            .map(|it| it.key.clone())
            .collect();
        let wanted = |change: &&Change| change.action.kind() != ActionKind::Create || !adopted.contains(&change.key);
        let decisions: Vec<Decision> = judged
            .plan
            .changes
            .iter()
            .filter(wanted)
            .filter_map(|change| Some((change, judged.held.get(&change.id)?)))
            .map(|(change, reasons)| Decision {
                item: change.id.clone(),
                answer: Answer::Approve,
                waives: before(change)
                    .into_iter()
                    .chain(reasons.iter().filter(|it| it.approvable()).map(|it| it.code()))
                    .collect(),
                by: "tester".to_owned(),
                // As a person would: on the machine's clock, whatever day is rehearsed.
                at: Utc::now(),
                until: Some(at + Duration::days(7)),
                note: None,
                about: shown(change, &input),
            })
            .collect();
        let store = self.store().await;
        store.decide(&decisions).await.unwrap();
        store.close().await;
    }

    /// Runs at +11 minutes each, until nothing is left to do; gives how many it took.
    pub async fn settle(&self, after: DateTime<Utc>) -> u32 {
        let mut at = after;
        for round in 1..=4 {
            at += Duration::minutes(11);
            let finished = self.run(at).await.unwrap();
            let calm = finished.outcomes.is_empty();
            let open = {
                let store = self.store().await;
                let open = store.open_intents().await.unwrap();
                store.close().await;
                open
            };
            if calm && open.is_empty() {
                return round;
            }
        }
        panic!("it never came to rest");
    }

    /// The id of the card with this key.
    pub fn card(&self, key: &str) -> String {
        let state = self.sandbox.state_json();
        let cards = state["persons"].as_array().unwrap();
        let card = cards.iter().find(|card| card["employeeNumber"] == key);
        card.unwrap_or_else(|| panic!("no card of {key}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// What the company looks like, without ids and times.
    pub fn picture(&self) -> Picture {
        picture(&self.sandbox.state_json())
    }

    /// Keys that several active cards have; must be none.
    pub fn duplicates(&self) -> Value {
        self.sandbox.stats()["duplicate_keys"].clone()
    }

    /// How many writes of each route took effect since the morning.
    pub fn effects(&self) -> BTreeMap<String, u64> {
        let mut effects = BTreeMap::new();
        for write in self.sandbox.stats()["writes"].as_array().unwrap() {
            let status = write["status"].as_u64().unwrap_or(200);
            if status < 300 {
                let place = format!(
                    "{} {}",
                    write["method"].as_str().unwrap(),
                    write["route"].as_str().unwrap()
                );
                *effects.entry(place).or_default() += 1;
            }
        }
        effects
    }

    /// What the journal says was done since the morning, by route.
    pub async fn journal(&self) -> BTreeMap<String, u64> {
        self.journal_since(today()).await
    }

    /// What the journal says was done since then, by route.
    pub async fn journal_since(&self, since: DateTime<Utc>) -> BTreeMap<String, u64> {
        let url = format!("sqlite://{}?mode=ro", self.store_path().display());
        let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
            .await
            .unwrap();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT step_kind, count(*) FROM journal WHERE coalesce(settled, outcome) = 'done' AND sent_at >= ?1 \
             GROUP BY step_kind",
        )
        .bind(since.format("%Y-%m-%d").to_string())
        .fetch_all(&mut connection)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(kind, count)| {
                let place = match kind.as_str() {
                    "create_card" => "POST /persons",
                    "create_entry" => "POST /departments",
                    "patch_card" => "PATCH /persons/{id}",
                    "archive_operator" => "PATCH /operators/id/{id}/archive",
                    "unarchive_operator" => "PATCH /operators/id/{id}/unarchive",
                    "set_login_permission" => "PATCH /operators/id/{id}",
                    "archive_card" => "PATCH /persons/id/{id}/archive",
                    "unarchive_card" => "PUT /persons/id/{id}/unarchive",
                    other => panic!("{other}"),
                };
                (place.to_owned(), u64::try_from(count).unwrap())
            })
            .collect()
    }
}

fn without_end(rows: &[&str]) -> Vec<String> {
    rows.iter()
        .map(|row| format!("{};", row.rsplit_once(';').unwrap().0))
        .collect()
}

/// Changes of a kind.
pub fn of_kind(changes: &[Change], kind: ActionKind) -> impl Iterator<Item = &Change> {
    changes.iter().filter(move |change| change.action.kind() == kind)
}

/// What a question showed, as a decision about it notes it.
pub fn shown(change: &Change, input: &PlanInput) -> About {
    About {
        shown: Some(Shown::of_change(change, input)),
        ..About::default()
    }
}

/// The outcome of the change of this kind for this person, as a word and its text.
pub fn outcome(finished: &Finished, kind: ActionKind, key: &str) -> (&'static str, String) {
    let found = finished
        .outcomes
        .iter()
        .find(|it| it.action == kind && it.key.as_ref().is_some_and(|found| found.as_str() == key));
    let found = found.unwrap_or_else(|| panic!("no {kind} of {key}: {:?}", finished.outcomes));
    match &found.outcome {
        Outcome::Done { .. } => ("done", String::new()),
        Outcome::NotDone { message } => ("not done", message.clone()),
        Outcome::InDoubt { message } => ("in doubt", message.clone()),
        Outcome::Held { reason } => ("held", reason.code()),
        Outcome::NotReached { message } => ("not reached", message.clone()),
        Outcome::HalfWay { message } => ("half-way", message.clone()),
        Outcome::PutBack { message } => ("put back", message.clone()),
    }
}

/// How many changes were done, by kind.
pub fn done(finished: &Finished) -> BTreeMap<ActionKind, u64> {
    let mut counts = BTreeMap::new();
    for outcome in &finished.outcomes {
        if matches!(outcome.outcome, Outcome::Done { .. }) {
            *counts.entry(outcome.action).or_default() += 1;
        }
    }
    counts
}
