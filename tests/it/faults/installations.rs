//! Two installations on one TOPdesk: a second server, a copy of the configuration, a run by hand with a state of its own.
//! Nobody is made twice where they share a machine; where they do not, the first second card ends it.
//!
//! The suite plays a few starts close together; `scripts/two-installations` plays them all and prints the figures.

use super::process::program;
use crate::support::company::{Company, outcome, today};
use crate::support::waiting::{end, until_then};
use cardsync::core::plan::ActionKind;
use cardsync::core::plan::report::RunVerdict;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

const JOINERS: &str = "\
100012;Haan;Kim;k.haan@example.org;Delft;Sales;;Clerk;khaan;
100013;Wit;Lot;l.wit@example.org;Delft;Sales;;Clerk;lwit;
100014;Berg;Max;m.berg@example.org;Leiden;Sales;;Clerk;mberg;
";

/// The company on a day on which five people join; with two dozen more at work it is large enough for that.
async fn five_join() -> Company {
    let company = Company::open_with(&[], "guard: { create: { max: 50, percent: 50% } }").await;
    let people = company.config_path().with_file_name("people.csv");
    let mut text = std::fs::read_to_string(&people).unwrap() + JOINERS;
    for number in 200_001..200_025 {
        let (last, first) = (format!("Vaste{number}"), format!("Piet{number}"));
        let (mail, login) = (format!("p{number}@example.org"), format!("p{number}"));
        let card = json!({
            "surName": last, "firstName": first, "employeeNumber": number.to_string(), "branch": "Delft",
            "department": "Sales", "jobTitle": "Clerk", "email": mail, "tasLoginName": login,
        });
        company.sandbox.edit(&json!({ "create": { "persons": card } })).unwrap();
        text += &format!("{number};{last};{first};{mail};Delft;Sales;;Clerk;{login};\n");
    }
    std::fs::write(&people, text).unwrap();
    company
}

/// Where the second installation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// On the same machine: it knows TOPdesk by the same name.
    Here,
    /// As if on another one: by another name there is no common lock.
    Elsewhere,
}

/// What the second installation remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    Fresh,
    /// A copy of the first one's state.
    Known,
}

/// A configuration of its own with a state of its own.
async fn second(company: &Company, place: Place, memory: Memory) -> PathBuf {
    let folder = company.config_path().with_file_name("second");
    let _gone = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let store = folder.join("cardsync.db");
    let mut text = std::fs::read_to_string(company.config_path()).unwrap();
    text = text.replace(
        &company.store_path().display().to_string(),
        &store.display().to_string(),
    );
    if place == Place::Elsewhere {
        text = text.replace("//127.0.0.1:", "//localhost:");
    }
    let config = folder.join("cardsync.yaml");
    std::fs::write(&config, text).unwrap();
    if memory == Memory::Known {
        std::fs::copy(company.store_path(), &store).unwrap();
        if place == Place::Elsewhere {
            let bound = end(cardsync(&config, &["store", "bind", "--to", "localhost"])
                .spawn()
                .unwrap());
            let bound = bound.await;
            assert_eq!(bound.status.code(), Some(0), "{bound:?}");
        }
    }
    config
}

fn cardsync(config: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardsync"));
    command.arg("-c").arg(config).args(arguments);
    command.env_remove("NOTIFY_SOCKET").env_remove("RUST_LOG");
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    command
}

/// Starts both, so long apart, and gives how they ended.
async fn both(company: &Company, second: &std::path::Path, apart: Duration) -> (Output, Output) {
    let at = today().to_rfc3339();
    let first = program(company, &["run", "--as-of", &at]).spawn().unwrap();
    tokio::time::sleep(apart).await;
    let second = cardsync(second, &["run", "--as-of", &at]).spawn().unwrap();
    tokio::join!(end(first), end(second))
}

/// Second cards so far.
fn twins(company: &Company) -> usize {
    company.duplicates().as_array().unwrap().len()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// One try: how many second cards it made.
async fn one_try(company: &mut Company, place: Place, memory: Memory, apart: Duration) -> usize {
    company.again();
    let config = second(company, place, memory).await;
    let (first, other) = both(company, &config, apart).await;
    let made = twins(company);
    let most = match place {
        Place::Here => 0,
        Place::Elsewhere => 1,
    };
    assert!(
        made <= most,
        "{place:?}, {memory:?}, {apart:?}: {made} second cards\n{}\n{}",
        said(&first),
        said(&other)
    );
    if made > 0 {
        let told =
            [&first, &other].map(|it| it.status.code() == Some(1) && said(it).contains("a second one under its key"));
        assert!(
            told.contains(&true),
            "nobody was told:\n{}\n{}",
            said(&first),
            said(&other)
        );
    }
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn on_one_machine_nobody_is_made_twice() {
    let mut company = five_join().await;
    company.remember();
    for (memory, apart) in [(Memory::Fresh, 0), (Memory::Fresh, 60), (Memory::Known, 20)] {
        one_try(&mut company, Place::Here, memory, Duration::from_millis(apart)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_two_machines_the_first_second_card_ends_it() {
    let mut company = five_join().await;
    company.remember();
    for (memory, apart) in [(Memory::Fresh, 0), (Memory::Known, 0), (Memory::Fresh, 60)] {
        one_try(&mut company, Place::Elsewhere, memory, Duration::from_millis(apart)).await;
    }
}

/// All of it: 0 to 2,000 ms apart, both memories, both places.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/two-installations runs it"]
async fn every_distance() {
    let mut company = five_join().await;
    company.remember();
    for place in [Place::Here, Place::Elsewhere] {
        for memory in [Memory::Fresh, Memory::Known] {
            let (mut tries, mut made) = (0, 0);
            for apart in [0, 0, 0, 0, 10, 20, 50, 100, 150, 200, 300, 500, 1_000, 2_000] {
                tries += 1;
                made += one_try(&mut company, place, memory, Duration::from_millis(apart)).await;
            }
            println!("two installations: {place:?}, {memory:?} second state: {made} second cards in {tries} tries");
        }
    }
}

/// What another cardsync with the same account would send.
async fn card_of_another(company: &Company, key: &str) {
    let state = company.sandbox.state_json();
    let branch = state["branches"][0]["id"].clone();
    let card = json!({ "surName": "Haan", "firstName": "Kim", "employeeNumber": key, "branch": { "id": branch } });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = client
        .post(format!("{}/tas/api/persons", company.sandbox.url()))
        .basic_auth("api", Some("secret"))
        .header("Accept", "application/x.topdesk-person-v2+json")
        .json(&card)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 201, "{:?}", sent.text().await);
}

/// A run in which one request is slow, and what happens meanwhile.
async fn meanwhile(company: &Company, slow: Value, key: &str) -> cardsync::engine::run::Finished {
    company.sandbox.fault(&slow).unwrap();
    let other = async {
        until_then("a write takes its time", async || {
            company.sandbox.stats()["faults_played"] == 1
        })
        .await;
        card_of_another(company, key).await;
    };
    let (finished, ()) = tokio::join!(company.run(today()), other);
    finished.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_another_made_since_the_read_ends_creates_and_archives() {
    let company = five_join().await;
    let slow = json!({ "method": "POST", "route": "/departments", "answer_delay_ms": 700 });
    let finished = meanwhile(&company, slow, "100099").await;
    for key in ["100009", "100010", "100012"] {
        let (word, why) = outcome(&finished, ActionKind::Create, key);
        assert_eq!(word, "not reached", "{why}");
        assert!(why.contains("another cardsync works on this TOPdesk"), "{why}");
    }
    assert_eq!(outcome(&finished, ActionKind::Archive, "100004").0, "not reached");
    assert_eq!(
        outcome(&finished, ActionKind::Update, "100002").0,
        "done",
        "the rest goes on"
    );
    assert_eq!(finished.report.verdict, Some(RunVerdict::Failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_create_goes_alone_and_its_second_card_ends_the_class() {
    let company = five_join().await;
    let slow = json!({ "method": "POST", "route": "/persons", "answer_delay_ms": 700 });
    let finished = meanwhile(&company, slow, "100009").await;
    assert_eq!(outcome(&finished, ActionKind::Create, "100009").0, "done");
    for key in ["100010", "100012", "100013", "100014"] {
        let (word, why) = outcome(&finished, ActionKind::Create, key);
        assert_eq!(word, "not reached", "{why}");
    }
    let failure = finished.report.failure.clone().unwrap();
    assert!(failure.contains("a second one under its key"), "{failure}");
    assert_eq!(twins(&company), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_lets_no_other_state_work_between_its_runs() {
    let company = Company::open_with(&[], "schedule: { cron: \"0 4 1 1 *\" }").await;
    let daemon = program(&company, &["daemon"]).spawn().unwrap();
    let config = second(&company, Place::Here, Memory::Fresh).await;
    let mut refused = end(cardsync(&config, &["run"]).spawn().unwrap()).await;
    // Until the daemon has come up.
    for _ in 0..50 {
        if said(&refused).contains("serves the TOPdesk") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        std::fs::remove_dir_all(config.parent().unwrap()).unwrap();
        second(&company, Place::Here, Memory::Fresh).await;
        refused = end(cardsync(&config, &["run"]).spawn().unwrap()).await;
    }
    assert_eq!(refused.status.code(), Some(1));
    let text = said(&refused);
    assert!(text.contains(&format!("process {}", daemon.id())), "{text}");
    assert!(!config.with_file_name("cardsync.db").exists(), "no state was made");
    let own = end(program(&company, &["holds"]).spawn().unwrap()).await;
    assert!(
        matches!(own.status.code(), Some(0 | 3)),
        "its own state goes on: {own:?}"
    );
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(daemon.id()).unwrap()),
        nix::sys::signal::Signal::SIGTERM,
    )
    .unwrap();
    end(daemon).await;
}
