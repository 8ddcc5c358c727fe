//! The program as a process: locked out, told to stop, and as a daemon.

use crate::support::company::{At, Company, today};
use crate::support::waiting::{FOR_EVER_MS, end, until_then};
use cardsync::app::run_once::{RunOnce, run_once};
use cardsync::core::plan::report::RunVerdict;
use cardsync::engine::Silent;
use cardsync::engine::state::StateReader;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) fn program(company: &Company, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardsync"));
    command.arg("-c").arg(company.config_path()).args(arguments);
    command.env_remove("NOTIFY_SOCKET").env_remove("RUST_LOG");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run_at(company: &Company, minutes: i64) -> Command {
    let at = (today() + chrono::Duration::minutes(minutes)).to_rfc3339();
    program(company, &["run", "--as-of", &at])
}

fn terminate(child: &Child) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_process_says_who_holds_the_lock() {
    let company = Company::open(&[]).await;
    company
        .sandbox
        .fault(&json!({ "route": "/persons", "delay_ms": FOR_EVER_MS }))
        .unwrap();
    let first = run_at(&company, 0).spawn().unwrap();
    until_then("the first reads", async || {
        company.sandbox.stats()["faults_played"] == 1
    })
    .await;
    let second = end(run_at(&company, 0).spawn().unwrap()).await;
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains(&format!(" run', process {}", first.id())), "{said}");
    terminate(&first);
    let first = end(first).await;
    assert_eq!(first.status.code(), Some(1), "told to stop while reading");
    let said = String::from_utf8(first.stderr).unwrap();
    assert!(
        said.contains("told to stop while reading: nothing was written"),
        "{said}"
    );
    assert!(company.effects().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_while_a_run_writes_is_whole_and_knows_what_is_in_doubt() {
    let company = Company::open(&[]).await;
    // In the middle of the day one write takes its time: its intent is on disk, its outcome is not.
    let slow = json!({ "method": "PATCH", "route": "/persons/{id}", "nth": 2, "answer_delay_ms": 2_000 });
    company.sandbox.fault(&slow).unwrap();
    let run = run_at(&company, 0).spawn().unwrap();
    until_then("a write takes its time", async || {
        company.sandbox.stats()["faults_played"] == 1
    })
    .await;
    let copy = company.config_path().with_file_name("copy.db");
    let backup = program(&company, &["store", "backup", copy.to_str().unwrap()])
        .spawn()
        .unwrap();
    let backup = end(backup).await;
    assert_eq!(backup.status.code(), Some(0), "{backup:?}");
    let sent_by_then: u64 = company.effects().values().sum();
    let run = end(run).await;
    assert_eq!(run.status.code(), Some(0), "the run is not disturbed: {run:?}");
    let day = (company.picture(), company.effects());
    assert!(sent_by_then < day.1.values().sum(), "{sent_by_then}: {:?}", day.1);

    // The copy in place of the store: what it does not know is found by reading, and nothing is done twice.
    std::fs::rename(&copy, company.store_path()).unwrap();
    let checked = end(program(&company, &["store", "check"]).spawn().unwrap()).await;
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let open = company.store().await;
    assert!(
        !open.open_intents().await.unwrap().is_empty(),
        "the copy was made in mid-write"
    );
    open.close().await;
    company.sandbox.clear_faults();
    let again = end(run_at(&company, 30).spawn().unwrap()).await;
    assert!(matches!(again.status.code(), Some(0 | 3)), "{again:?}");
    assert_eq!((company.picture(), company.effects()), day, "nothing is done twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_of_a_run_carry_its_id_and_environment() {
    let company = Company::open(&[]).await;
    let at = today().to_rfc3339();
    let child = program(&company, &["--log-format", "json", "run", "--as-of", &at])
        .spawn()
        .unwrap();
    let output = end(child).await;
    assert_eq!(output.status.code(), Some(0));
    let logs = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = logs
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let items: Vec<&Value> = lines.iter().filter(|line| line.get("item.id").is_some()).collect();
    assert!(items.len() >= 12, "{logs}");
    for line in items {
        assert!(
            line["span"]["run.id"].is_string() && line["span"]["environment"].is_string(),
            "{line}"
        );
    }
    for private in ["Visser", "Groot", "example.org", "jvisser", "secret"] {
        assert!(!logs.contains(private), "{private}: {logs}");
    }
}

/// Everything a socket of systemd's was told.
fn told(socket: &UnixDatagram) -> String {
    let mut all = String::new();
    let mut buffer = [0; 4096];
    while let Ok(length) = socket.recv(&mut buffer) {
        all.push_str(&String::from_utf8_lossy(&buffer[..length]));
        all.push('\n');
    }
    all
}

struct Daemon {
    child: Child,
    socket: UnixDatagram,
    // The socket lives in it.
    _folder: tempfile::TempDir,
}

fn daemon(company: &Company) -> Daemon {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let child = program(company, &["daemon"])
        .env("NOTIFY_SOCKET", &path)
        .spawn()
        .unwrap();
    Daemon {
        child,
        socket,
        _folder: folder,
    }
}

const EVERY_SECOND: &str = "schedule: { cron: \"* * * * * *\" }";

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_runs_on_its_schedule_and_ends_when_told() {
    let company = Company::open_with(&[], EVERY_SECOND).await;
    let mut daemon = daemon(&company);
    // Two reads of all persons are two runs.
    until_then("two runs", async || company.sandbox.requests("GET /persons/count") >= 4).await;
    let mut systemd = told(&daemon.socket);
    assert!(systemd.contains("READY=1"), "{systemd}");
    assert!(systemd.contains("STATUS=next run at"), "{systemd}");
    terminate(&daemon.child);
    let mut said = String::new();
    let stderr = daemon.child.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut stderr = stderr;
        stderr.read_to_string(&mut said).unwrap();
        said
    });
    let output = end(daemon.child).await;
    assert_eq!(output.status.code(), Some(0));
    systemd.push_str(&told(&daemon.socket));
    assert!(systemd.contains("STOPPING=1"), "{systemd}");
    let logs = reading.join().unwrap();
    assert!(logs.contains("next run of"), "{logs}");
    assert!(logs.contains(" ended: "), "{logs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_ends_when_told_while_it_reads_or_waits() {
    for fault in [
        json!({ "route": "/persons", "delay_ms": FOR_EVER_MS }),
        json!({ "route": "/persons", "answer": { "status": 503, "headers": { "Retry-After": "60" } } }),
        json!({ "method": "PATCH", "route": "/persons/{id}", "answer": { "status": 429, "headers": { "Retry-After": "60" } } }),
    ] {
        let company = Company::open_with(&[], EVERY_SECOND).await;
        company.sandbox.fault(&fault).unwrap();
        let daemon = daemon(&company);
        until_then("the fault", async || company.sandbox.stats()["faults_played"] != 0).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        terminate(&daemon.child);
        let played = company.sandbox.stats()["faults_played"].clone();
        let output = end(daemon.child).await;
        assert_eq!(
            company.sandbox.stats()["faults_played"],
            played,
            "{fault}: it was waited for"
        );
        assert_eq!(output.status.code(), Some(0), "{fault}: {output:?}");
    }
}

fn notes(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::Deserializer::from_str(&text)
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_gone_is_a_failed_run_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let notify = format!("notify: {{ command: [sh, -c, \"cat >> {}\"] }}", told.display());
    let company = Company::open_with(&[], &notify).await;
    std::fs::remove_file(company.config_path().with_file_name("password")).unwrap();
    let environment = company.environment();
    let error = run_once(RunOnce {
        environment: &environment,
        command: "daemon",
        clock: &At(today()),
        progress: &Silent,
        stop: &CancellationToken::new(),
    })
    .await
    .map(|report| report.id)
    .unwrap_err();
    assert!(error.to_string().contains("no password for TOPdesk"), "{error:#}");
    let store = company.store().await;
    let report = store.history(1).await.unwrap().remove(0);
    assert_eq!(report.verdict, Some(RunVerdict::Failed));
    assert!(report.failure.unwrap().contains("no password"));
    store.close().await;
    let notes = notes(&told);
    assert_eq!(notes.last().unwrap()["kind"], "run_failed", "{notes:?}");
}
