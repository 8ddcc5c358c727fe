//! Where a story is played: a folder with the company's files, the sandbox, and an environment of cardsync over both.

use super::cards::{API_LOGIN, ARCHIVING_REASON, Card, write_seed};
use super::company::{Company, Export};
use super::story::Story;
use crate::app::environment::{AsOf, Environment};
use crate::app::run_once::{RunOnce, carry_through};
use crate::core::guard::Judged;
use crate::core::memory::certificate::Certificate;
use crate::core::memory::decision::Answer;
use crate::core::model::field::CardField;
use crate::core::plan::ActionKind;
use crate::core::plan::view::ChangeView;
use crate::engine::Silent;
use crate::engine::decisions::{Said, decide, keep, names, waiting};
use crate::engine::maker::PlanMaker;
use crate::engine::records::RecordsReader as _;
use crate::engine::run::{Finished, Scope};
use crate::engine::state::KeptHold;
use crate::store::SqliteStore;
use crate::tools::audit::Audit;
use crate::tools::rekey::both_keys::BothKeys;
use crate::tools::rekey::other_key::spec_of;
use crate::tools::rekey::pairing::{Pairing, Which};
use crate::tools::rekey::run::{Choice, RekeyRequest};
use crate::tools::rekey::sheet::{Limits, Line};
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::fs::{self, DirBuilder};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;
use topdesk_sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};

/// The password of the sandbox's account: it guards invented people on this machine.
pub const PASSWORD: &str = "demo";

/// A folder of its own that goes when the demo ends.
pub struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let name = format!("cardsync-demo-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make the folder {} for the demo's files", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is invented, and the system clears its temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Everything that a day is played on.
pub struct Stage {
    pub folder: Folder,
    pub sandbox: RunningSandbox,
    environment: Environment,
    stop: CancellationToken,
}

/// What a human approved.
#[derive(Clone, Debug, Default)]
pub struct Approved {
    pub items: usize,
    /// Operators that approved archives take along.
    pub operators: usize,
    /// Operators that approved unarchives may wake.
    pub woken: usize,
}

impl Stage {
    /// Starts the sandbox with these cards and writes the configuration.
    pub async fn set(story: &Story, cards: &[Card], listen: SocketAddr) -> anyhow::Result<Self> {
        let mut seed = Vec::new();
        write_seed(&mut seed, cards.iter().cloned())?;
        Self::open(&seed, |url| configuration(url, story), listen).await
    }

    /// Starts the sandbox with a seed and writes the configuration over its address.
    pub async fn open(
        seed: &[u8],
        configuration: impl FnOnce(&str) -> String,
        listen: SocketAddr,
    ) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        let listener = tokio::net::TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}; another program may use it: try --listen 127.0.0.1:0")
        })?;
        let sandbox = Sandbox::start(SandboxOptions {
            listener,
            seed: Seed::from_reader(seed)?,
            username: API_LOGIN.to_owned(),
            password: PASSWORD.to_owned(),
            settings: Vec::new(),
        })
        .await?;
        fs::write(folder.file("password"), PASSWORD)?;
        let config = folder.file("cardsync.yaml");
        fs::write(&config, configuration(&sandbox.url()))?;
        let environment = Environment::load(&config).context("the demo's configuration")?;
        Ok(Self {
            folder,
            sandbox,
            environment,
            stop: CancellationToken::new(),
        })
    }

    /// Writes the company's files of the day.
    pub fn export(&self, company: &Company, export: Export) -> std::io::Result<()> {
        company.write_hr(&self.folder.file("hr.csv"), export)?;
        company.write_directory(&self.folder.file("people.ldif"))
    }

    /// The ids of what waits and is as a human wants it.
    pub async fn waiting(
        &self,
        now: DateTime<Utc>,
        wanted: impl Fn(&ChangeView) -> bool,
    ) -> anyhow::Result<Vec<String>> {
        let store = self.store().await?;
        let waiting = waiting(&store, now).await;
        store.close().await;
        let waiting = waiting?;
        let items = waiting.items.iter().map(|kept| &kept.item.change);
        Ok(items
            .filter(|change| wanted(change))
            .map(|change| change.id.to_string())
            .collect())
    }

    /// What waits under these words is approved, as `cardsync approve` does it.
    pub async fn approve(&self, words: &[&str], now: DateTime<Utc>) -> anyhow::Result<Approved> {
        let store = self.store().await?;
        let waiting = waiting(&store, now).await?;
        let asked = |kept: &&KeptHold| words.iter().any(|word| names(word, kept));
        let asked = waiting.items.iter().filter(asked);
        let words: Vec<String> = asked.map(|kept| kept.item.change.id.to_string()).collect();
        let said = Said {
            by: "demo",
            note: None,
            until: None,
            now,
        };
        let decided = decide(&waiting, &words, Answer::Approve, said).map_err(|unknown| {
            let words: Vec<String> = unknown.iter().map(ToString::to_string).collect();
            anyhow::anyhow!(words.join("; "))
        })?;
        keep(&store, &decided).await?;
        store.close().await;
        let approved = |item| decided.decisions.iter().any(|decision| decision.item == item);
        let linked = |action: ActionKind| {
            let items = waiting.items.iter().map(|kept| &kept.item.change);
            items
                .filter(|change| change.action == action && approved(change.id.clone()) && change.operator.is_linked())
                .count()
        };
        Ok(Approved {
            items: decided.decisions.len(),
            operators: linked(ActionKind::Archive),
            woken: linked(ActionKind::Unarchive),
        })
    }

    /// From now on TOPdesk notes this moment on the cards that are written.
    pub fn play_at(&self, now: DateTime<Utc>) {
        self.sandbox.play_at(now);
    }

    /// The state, opened for one look or decision and closed after it, as each command does: what was taken out is gone from
    /// its files then.
    async fn store(&self) -> anyhow::Result<SqliteStore> {
        let path = self.folder.file("cardsync.db");
        Ok(SqliteStore::open(&path, &self.environment.id, &self.environment.host()).await?)
    }

    /// One `cardsync run`.
    pub async fn run(&self, now: DateTime<Utc>) -> anyhow::Result<Finished> {
        self.carry_through(&Scope::Whole, now).await
    }

    /// One `cardsync audit`.
    pub async fn audit(&self, now: DateTime<Utc>) -> anyhow::Result<Audit> {
        let store = self.store().await?;
        let audit = crate::app::audit::look(&self.environment, &store, &AsOf::new(now), &Silent).await;
        store.close().await;
        audit
    }

    /// One `cardsync rekey pair`.
    pub async fn pair(&self, now: DateTime<Utc>) -> anyhow::Result<Pairing> {
        let clock = AsOf::new(now);
        let connected = self.environment.connect()?;
        let read = self.environment.read_parts(&connected, &clock, &Silent);
        let store = self.store().await?;
        let paired = read.pair(&store, Which::Unclaimed).await;
        store.close().await;
        Ok(paired?.pairing)
    }

    /// One `cardsync rekey write` of a list.
    pub async fn write_keys(&self, lines: Vec<Line>, now: DateTime<Utc>) -> anyhow::Result<Finished> {
        let request = RekeyRequest {
            choice: Choice::Lines(lines),
            which: Which::Unclaimed,
            // The human has looked at each.
            limits: Limits {
                other_numbers: Some(u64::MAX),
            },
            by: "demo".to_owned(),
        };
        self.carry_through(&request, now).await
    }

    /// The plan under another key beside that under the configured one, as `cardsync rekey verify` and `plan --key` make it.
    pub async fn both_keys(&self, other: CardField, now: DateTime<Utc>) -> anyhow::Result<BothKeys> {
        let clock = AsOf::new(now);
        let connected = self.environment.connect()?;
        let read = self.environment.read_parts(&connected, &clock, &Silent);
        let key = spec_of(other, self.environment.key());
        let store = self.store().await?;
        let both = read.plan_under_both(&store, key).await;
        store.close().await;
        Ok(both?)
    }

    async fn carry_through<M: PlanMaker>(&self, maker: &M, now: DateTime<Utc>) -> anyhow::Result<Finished<M::Also>> {
        let once = RunOnce {
            environment: &self.environment,
            command: "demo",
            clock: &AsOf::new(now),
            progress: &Silent,
            stop: &self.stop,
        };
        carry_through(once, maker).await
    }

    /// One `cardsync plan`.
    pub async fn plan(&self, now: DateTime<Utc>) -> anyhow::Result<Judged> {
        let clock = AsOf::new(now);
        let connected = self.environment.connect()?;
        let read = self.environment.read_parts(&connected, &clock, &Silent);
        let store = self.store().await?;
        let planned = read.plan(&store).await;
        store.close().await;
        Ok(planned?.judged)
    }

    /// What the sandbox holds: persons and operators, in the form of a seed.
    pub fn state(&self) -> Value {
        self.sandbox.state_json()
    }

    /// The folders and files in which cardsync keeps its state.
    pub fn kept(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut kept = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if folder != self.folder.path() || name.starts_with("cardsync.db") {
                    kept.push(path);
                }
            }
        }
        Ok(kept)
    }

    /// The certificates of anonymizations.
    pub async fn certificates(&self) -> anyhow::Result<Vec<Certificate>> {
        let store = self.store().await?;
        let certificates = store.certificates().await;
        store.close().await;
        Ok(certificates?)
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.file("cardsync.yaml")
    }
}

/// The demo's configuration, over files beside it.
fn configuration(url: &str, story: &Story) -> String {
    let Story {
        least_records,
        leaver,
        lifecycle,
        ..
    } = story;
    format!(
        r#"# The configuration of the demo: HR's export decides who exists, the directory adds addresses and logins.
topdesk:
  url: {url}
  username: {API_LOGIN}
  password: {{ file: password }}
  archiving_reason: {ARCHIVING_REASON}
  requests_per_second: 1000              # it is on this machine; for the real one 20 is a good number

timezone: Europe/Amsterdam

sources:
  - name: hr
    type: csv
    path: hr.csv
    delimiter: ";"
    encoding: windows-1252
    key: Personnel number
    role: authoritative                  # decides who exists
    expect: {{ min_records: {least_records}, max_drop: 10%, max_age: 7d }}
  - name: ad
    type: ldif
    path: people.ldif
    key: employeeID
    role: enrich                         # adds attributes, never decides who exists
    expect: {{ max_age: 7d }}

key: {{ card_field: employeeNumber, normalize: [trim] }}

fields:
  surName: "{{{{ hr['Last name'] }}}}"
  firstName: "{{{{ hr['First name'] }}}}"
  prefixes: "{{{{ hr.Prefix }}}}"
  jobTitle: "{{{{ hr.Function }}}}"
  email: "{{{{ ad.mail | lower }}}}"
  tasLoginName: "{{{{ ad.sAMAccountName | lower }}}}"
  phoneNumber: "{{{{ ad.telephoneNumber }}}}"
  branch: {{ value: "{{{{ hr.Site }}}}", missing: hold }}
  department: {{ value: "{{{{ hr.Department }}}}", missing: create }}
  manager: {{ key: "{{{{ hr['Manager number'] }}}}" }}

create: {{ hasSspAccess: true, isCaller: true }}

lifecycle:
  leaver: {{ when: "{{{{ hr['End date'] | date('%d-%m-%Y') < today }}}}", after: 0d{leaver} }}
  missing: {{ reads: 3, for: 48h }}
{lifecycle}
guard:
  archive: {{ max: 20, percent: 2% }}
  operators: {{ max: 0 }}                  # operators that an archive would lock out

store: {{ sqlite: cardsync.db }}
"#
    )
}
