//! How fast changes are written: so many updates through a whole run, with the durable journal on a real disk, beside a
//! bare HTTP client that sends the same requests with as many in flight.
//!
//! ```text
//! cargo bench --bench throughput [-- UPDATES [STORE_FOLDER]]
//! ```
//!
//! The look-alike of TOPdesk runs on threads of its own in this process. Both sides send `PATCH /persons/{id}` with the
//! same body and read the whole answer, a full card. Cases with one request in flight would take minutes: they send a
//! fifth of the updates; the table says how many. Times are from the first request to the last outcome.

use anyhow::{Context as _, ensure};
use cardsync::app::environment::{Environment, new_run_id};
use cardsync::core::memory::decision::Decision;
use cardsync::core::memory::deed::Deed;
use cardsync::core::model::ids::{CardId, ItemId, RunId};
use cardsync::core::plan::report::RunReport;
use cardsync::core::plan::{ActionKind, Step};
use cardsync::engine::attention::KeptConcern;
use cardsync::engine::run::{Scope, WriteParts};
use cardsync::engine::state::{
    Ending, Halfway, Intent, KeptHold, Learned, LoggedDecision, OpenIntent, Remembered, RunLease, StateReader,
    StateWriter, StoreError,
};
use cardsync::engine::target::{IntentId, Made, TargetWriter, WriteError, Written};
use cardsync::engine::{Silent, SystemClock};
use cardsync::store::SqliteStore;
use cardsync::topdesk::{TopdeskClient, WriteClient};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use topdesk_sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};

const PERSON: &str = "application/x.topdesk-person-v2+json";
const LATENCIES: [u64; 2] = [0, 50];
const IN_FLIGHT: [usize; 3] = [1, 4, 16];

fn main() -> anyhow::Result<()> {
    // `cargo bench` adds an option of its own.
    let mut arguments = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let updates: usize = arguments
        .next()
        .map_or(Ok(10_000), |text| text.parse())
        .context("UPDATES is a number")?;
    let folder = arguments
        .next()
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    // A second install changes nothing.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let desk = runtime()?;
    let sandbox = desk.block_on(start(updates))?;
    let client = runtime()?;
    println!("| latency, ms | in flight | updates | bare client, /s | cardsync, /s | ratio | journal's share |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for latency in LATENCIES {
        for in_flight in IN_FLIGHT {
            let count = if in_flight == 1 { updates.div_ceil(5) } else { updates };
            sandbox.set("latency_ms", &latency.to_string())?;
            sandbox.reset(None)?;
            sandbox.set("latency_ms", &latency.to_string())?;
            let bare = client.block_on(bare(&sandbox, count, in_flight))?;
            sandbox.reset(None)?;
            sandbox.set("latency_ms", &latency.to_string())?;
            let work = tempfile::tempdir_in(&folder)?;
            let ours = client.block_on(ours(&sandbox, work.path(), count, in_flight))?;
            let per_second = |took: Duration| count as f64 / took.as_secs_f64();
            println!(
                "| {latency} | {in_flight} | {count} | {:.0} | {:.0} | {:.0} % | {:.0} % |",
                per_second(bare),
                per_second(ours.took),
                100.0 * per_second(ours.took) / per_second(bare),
                100.0 * ours.journal
            );
        }
    }
    desk.block_on(sandbox.stop())
}

/// Cards as wide as they usually are.
async fn start(persons: usize) -> anyhow::Result<RunningSandbox> {
    let persons: Vec<_> = (0..persons)
        .map(|n| {
            json!({
                "id": card(n), "surName": format!("Surname{n}"), "firstName": "Given", "employeeNumber": number(n),
                "branch": "Delft", "department": format!("Department {}", n % 40), "jobTitle": "Before",
                "email": format!("p{n}@example.org"), "tasLoginName": format!("login{n}"),
                "networkLoginName": format!("login{n}"), "phoneNumber": format!("015-{n:07}"),
                "mobileNumber": format!("06-{n:08}"), "language": "nl",
                "optionalFields1": { "text1": "something", "date1": "2020-01-01T00:00:00.000+0000" },
            })
        })
        .collect();
    let seed = json!({
        "branches": ["Delft"], "languages": [{ "name": "Dutch", "languageCode": "nl" }], "archivingReasons": ["Left"],
        "persons": persons,
    });
    let options = SandboxOptions {
        listener: tokio::net::TcpListener::bind("127.0.0.1:0").await?,
        seed: Seed::from_value(seed)?,
        username: "api".to_owned(),
        password: "bench".to_owned(),
        settings: Vec::new(),
    };
    Sandbox::start(options).await
}

fn card(n: usize) -> String {
    format!("{n:08x}-0000-4000-8000-000000000000")
}

fn number(n: usize) -> String {
    format!("{:06}", 100_000 + n)
}

/// The same requests by nothing but an HTTP client.
async fn bare(sandbox: &RunningSandbox, count: usize, in_flight: usize) -> anyhow::Result<Duration> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/tas/api/persons", sandbox.url());
    let send = async |n: usize| {
        let request = http
            .patch(format!("{url}/{}", card(n)))
            .basic_auth("api", Some("bench"))
            .header("Accept", PERSON)
            .header("Content-Type", "application/json")
            .body(r#"{"jobTitle":"After"}"#);
        let answer = request.send().await?.error_for_status()?;
        answer.bytes().await
    };
    let began = Instant::now();
    let mut answers = futures::stream::iter((0..count).map(send)).buffer_unordered(in_flight);
    while let Some(answer) = answers.next().await {
        ensure!(!answer?.is_empty(), "an answer was empty");
    }
    Ok(began.elapsed())
}

struct Ours {
    took: Duration,
    /// Of the time that changes were in work, the part in which they waited for the journal.
    journal: f64,
}

async fn ours(sandbox: &RunningSandbox, folder: &Path, count: usize, in_flight: usize) -> anyhow::Result<Ours> {
    let export = |function: &str| {
        let mut export = "number;name;given;function\n".to_owned();
        (0..count).for_each(|n| export.push_str(&format!("{};Surname{n};Given;{function}\n", number(n))));
        std::fs::write(folder.join("hr.csv"), export)
    };
    export("Before")?;
    std::fs::write(folder.join("password"), "bench")?;
    let file = folder.join("cardsync.yaml");
    std::fs::write(&file, configuration(&sandbox.url(), in_flight))?;
    let mut environment = Environment::load(&file).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    // More than the configuration lets one ask for: not the pace is measured.
    environment.loaded.config.topdesk.requests_per_second = 1_000_000;
    let connected = environment.connect()?;
    let store = SqliteStore::open(&folder.join("store"), &environment.id, &environment.host()).await?;
    let spent = Spent::default();
    let writer = Watched {
        inner: TopdeskClient::connect(&environment.config().topdesk, chrono_tz::Europe::Amsterdam)?.writer(),
        spent: &spent,
    };
    let journal = Watched {
        inner: store,
        spent: &spent,
    };
    let stop = CancellationToken::new();
    let parts = WriteParts {
        writer: &writer,
        operator_account: None,
        limit: None,
        store: &journal,
        concurrency: in_flight,
        stop: &stop,
    };
    let (clock, silent) = (SystemClock, Silent);
    let run = environment.read_parts(&connected, &clock, &silent);
    // The first contact with an environment holds mass updates: it has nothing to do here.
    let lease = journal.acquire(&new_run_id(Utc::now()), "bench", Utc::now()).await?;
    run.run(&parts, &lease, &Scope::Whole, "bench").await?;
    drop(lease);
    export("After")?;
    let lease = journal.acquire(&new_run_id(Utc::now()), "bench", Utc::now()).await?;
    let finished = run.run(&parts, &lease, &Scope::Whole, "bench").await?;
    let done = finished
        .report
        .counts
        .done
        .get(&ActionKind::Update)
        .copied()
        .unwrap_or(0);
    ensure!(
        done == count as u64,
        "{done} of {count} updates were done: {:?}",
        finished.report
    );
    ensure!(finished.report.counts.held == 0, "{:?}", finished.report);
    let Watched { inner: store, .. } = journal;
    drop(lease);
    store.close().await;
    spent.ours()
}

fn configuration(url: &str, in_flight: usize) -> String {
    format!(
        "topdesk: {{ url: '{url}', username: api, password: {{ file: password }}, concurrency: {in_flight} }}\n\
         timezone: Europe/Amsterdam\n\
         sources: [{{ name: hr, type: csv, path: hr.csv, delimiter: ';', encoding: utf-8, key: number, role: authoritative }}]\n\
         create: {{ hasSspAccess: true, isCaller: true }}\n\
         key: {{ card_field: employeeNumber, normalize: [trim] }}\n\
         fields: {{ surName: '{{{{ hr.name }}}}', firstName: '{{{{ hr.given }}}}', jobTitle: '{{{{ hr.function }}}}' }}\n"
    )
}

/// Where the time of changes went.
#[derive(Default)]
struct Spent {
    journal: AtomicU64,
    requests: AtomicU64,
    /// The first request and the last outcome.
    span: Mutex<Option<(Instant, Instant)>>,
}

impl Spent {
    fn note(&self, part: &AtomicU64, began: Instant) {
        let now = Instant::now();
        let nanoseconds = u64::try_from(now.duration_since(began).as_nanos()).unwrap_or(u64::MAX);
        part.fetch_add(nanoseconds, Ordering::Relaxed);
        let mut span = self.span.lock().expect("nothing panics while the span is held");
        *span = Some((span.map_or(began, |(first, _)| first.min(began)), now));
    }

    fn ours(&self) -> anyhow::Result<Ours> {
        let span = *self.span.lock().expect("nothing panics while the span is held");
        let (first, last) = span.context("nothing was written")?;
        let (journal, requests) = (
            self.journal.load(Ordering::Relaxed),
            self.requests.load(Ordering::Relaxed),
        );
        Ok(Ours {
            took: last - first,
            journal: journal as f64 / (journal + requests) as f64,
        })
    }
}

/// A writer or a store, with a look at the clock.
struct Watched<'s, T> {
    inner: T,
    spent: &'s Spent,
}

impl TargetWriter for Watched<'_, WriteClient> {
    type Turn<'a>
        = <WriteClient as TargetWriter>::Turn<'a>
    where
        Self: 'a;

    async fn turn(&self) -> Self::Turn<'_> {
        self.inner.turn().await
    }

    async fn send<'a>(
        &'a self,
        turn: Self::Turn<'a>,
        intent: IntentId,
        step: &Step,
        made: &Made,
    ) -> Result<Written, WriteError> {
        let began = Instant::now();
        let sent = self.inner.send(turn, intent, step, made).await;
        self.spent.note(&self.spent.requests, began);
        sent
    }
}

impl StateReader for Watched<'_, SqliteStore> {
    async fn load(&self, now: DateTime<Utc>) -> Result<Remembered, StoreError> {
        self.inner.load(now).await
    }

    async fn holds(&self) -> Result<Vec<KeptHold>, StoreError> {
        self.inner.holds().await
    }

    async fn concerns(&self) -> Result<Vec<KeptConcern>, StoreError> {
        self.inner.concerns().await
    }

    async fn decisions(&self) -> Result<Vec<LoggedDecision>, StoreError> {
        self.inner.decisions().await
    }

    async fn history(&self, limit: u32) -> Result<Vec<RunReport>, StoreError> {
        self.inner.history(limit).await
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.inner.open_intents().await
    }

    async fn deeds(&self, run_or_item: &str) -> Result<Vec<Deed>, StoreError> {
        self.inner.deeds(run_or_item).await
    }

    async fn halfway(&self) -> Result<Vec<Halfway>, StoreError> {
        self.inner.halfway().await
    }
}

impl StateWriter for Watched<'_, SqliteStore> {
    async fn acquire(&self, run: &RunId, command: &str, now: DateTime<Utc>) -> Result<RunLease, StoreError> {
        self.inner.acquire(run, command, now).await
    }

    async fn start_run(&self, lease: &RunLease, report: &RunReport) -> Result<(), StoreError> {
        self.inner.start_run(lease, report).await
    }

    async fn finish_run(
        &self,
        lease: &RunLease,
        report: &RunReport,
        fingerprint: Option<&str>,
    ) -> Result<(), StoreError> {
        self.inner.finish_run(lease, report, fingerprint).await
    }

    async fn learn(&self, lease: &RunLease, learned: Learned<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.learn(lease, learned, now).await
    }

    async fn intent(&self, lease: &RunLease, intent: Intent<'_>) -> Result<IntentId, StoreError> {
        let began = Instant::now();
        let written = self.inner.intent(lease, intent).await;
        self.spent.note(&self.spent.journal, began);
        written
    }

    async fn outcome(&self, lease: &RunLease, intent: IntentId, ending: Ending<'_>) -> Result<(), StoreError> {
        let began = Instant::now();
        let written = self.inner.outcome(lease, intent, ending).await;
        self.spent.note(&self.spent.journal, began);
        written
    }

    async fn settle(&self, lease: &RunLease, intent: IntentId, ending: Ending<'_>) -> Result<(), StoreError> {
        self.inner.settle(lease, intent, ending).await
    }

    async fn closed(&self, lease: &RunLease, run: &RunId, item: &ItemId) -> Result<(), StoreError> {
        self.inner.closed(lease, run, item).await
    }

    async fn decide(&self, decisions: &[Decision]) -> Result<(), StoreError> {
        self.inner.decide(decisions).await
    }

    async fn take_back(&self, items: &[ItemId], by: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.take_back(items, by, now).await
    }

    async fn purge(&self, lease: &RunLease, card: &CardId) -> Result<(), StoreError> {
        self.inner.purge(lease, card).await
    }
}
