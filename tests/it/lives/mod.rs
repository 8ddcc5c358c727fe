//! Long lives: small companies live twelve weeks against the sandbox with the clock moved. People join, move, marry, leave,
//! come back and go on under another contract; HR errs and corrects; the desk approves, rejects and edits by hand; runs are
//! killed, answers are lost, runs are undone. An oracle that knows the truth looks for harm and for people who are stuck
//! without a word.
//!
//! A life is made from its seed alone. `LIVES_FROM` and `LIVES` choose the seeds of the whole, `LIVES_TOLD=1` prints what
//! happened day by day.

mod desk;
mod hr;
mod oracle;
mod people;

use self::hr::{Export, Hr, Shape};
use self::oracle::{Oracle, Promise};
use self::people::{People, SITES};
use crate::support::company::At;
use crate::support::workplace::Workplace;
use crate::years::chance::Chance;
use crate::years::seen::Seen;
use cardsync::app::environment::Environment;
use cardsync::app::run_once::{RunOnce, carry_through};
use cardsync::core::memory::decision::Answer;
use cardsync::core::plan::report::{Outcome, RunVerdict};
use cardsync::core::reads::snapshot::Verdict;
use cardsync::engine::decisions::Said;
use cardsync::engine::maker::PlanMaker;
use cardsync::engine::run::{Finished, Scope};
use cardsync::engine::state::StateWriter as _;
use cardsync::engine::{Silent, decisions};
use cardsync::store::SqliteStore;
use cardsync::tools::undo::Part;
use cardsync::tools::undo::run::UndoRequest;
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

const CONFIG: &str = r#"
topdesk:
  url: "@URL@"
  username: api-cardsync
  password: { file: password }
  archiving_reason: Out of service
  requests_per_second: 1000
  concurrency: 1
timezone: Europe/Amsterdam
sources:
  - { name: hr, type: csv, path: people.csv, delimiter: ";", key: Nr, role: authoritative, expect: { max_drop: 25% }@ROWS@ }
@DIRECTORY@
fields:
  surName: "{{ hr.Last }}"
  firstName: "{{ hr.First }}"
  email: "{{ hr.Mail }}"
  tasLoginName: "{{ hr.Login }}"
  branch: "{{ hr.Site }}"
  jobTitle: "{{ hr.Title }}"
create: { hasSspAccess: true, isCaller: true }
lifecycle:
  joiner: { starts: "{{ hr.Start | date }}", before: 7d, ssp_access: on_the_day }
  leaver: { @LEAVER@, after: 1d }
  missing: { reads: 3, for: 48h }
  rehire: { person: unarchive, operator: @REHIRE@ }
  anonymize: { by: api, after: 28d, approval: always }
store: { sqlite: cardsync.db }
"#;

const DIRECTORY: &str =
    r#"  - { name: ad, type: csv, path: ad.csv, delimiter: ";", key: Nr, role: enrich, expect: { max_drop: 25% } }"#;

const DAYS: u64 = 84;

#[test]
fn some_lives_harm_nobody_and_forget_nobody() {
    live(1, 3);
}

/// Two hundred lives, or those that the surroundings name: scripts/long-lives.
#[test]
#[ignore = "takes minutes"]
fn two_hundred_lives() {
    let number = |name: &str, otherwise: u64| {
        let value = std::env::var(name).ok();
        value.map_or(otherwise, |text| text.parse().expect("a number"))
    };
    live(number("LIVES_FROM", 1), number("LIVES", 200));
}

fn live(from: u64, count: u64) {
    // Another test of the same process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let began = Instant::now();
    let waiting = Mutex::new(from..from + count);
    let figures: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let failed: Mutex<Vec<u64>> = Mutex::default();
    let take = || waiting.lock().expect("nobody fails with it").next();
    std::thread::scope(|scope| {
        for _worker in 0..2 {
            scope.spawn(|| {
                while let Some(seed) = take() {
                    // All of them are lived, and what each found is above.
                    match std::panic::catch_unwind(|| Life::open(seed).live()) {
                        Ok(found) => {
                            let mut all = figures.lock().expect("nobody fails with it");
                            found
                                .into_iter()
                                .for_each(|(what, count)| *all.entry(what).or_default() += count);
                        }
                        Err(_told) => {
                            println!("seed {seed} failed: LIVES_FROM={seed} LIVES=1 LIVES_TOLD=1 scripts/long-lives");
                            failed.lock().expect("nobody fails with it").push(seed);
                        }
                    }
                }
            });
        }
    });
    println!("{count} lives from seed {from}, {:.0} s", began.elapsed().as_secs_f64());
    for (what, count) in figures.into_inner().expect("nobody fails with it") {
        println!("  {count:6} {what}");
    }
    let failed = failed.into_inner().expect("nobody fails with it");
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
}

/// The morning of a day.
fn morning(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(7, 0, 0).expect("a time").and_utc()
}

/// A company as far as it was lived.
struct Life {
    seed: u64,
    told: bool,
    place: Workplace,
    runtime: tokio::runtime::Runtime,
    people: People,
    hr: Hr,
    chance: Chance,
    oracle: Oracle,
    seen: Seen,
    /// The last run that wrote something.
    wrote: Option<String>,
}

impl Life {
    fn open(seed: u64) -> Life {
        let mut chance = Chance::new(seed);
        let shape = [Shape::OneRow, Shape::PerContract, Shape::Directory][(seed % 3) as usize];
        let gap = if shape == Shape::PerContract {
            chance.below(2) * 7
        } else {
            0
        };
        let rehire = ["hold", "restore", "keep_archived"][chance.below(3)];
        // The weeks reach over both nights in which the clocks are changed, in some lives.
        let start: NaiveDate = "2025-01-06".parse().expect("a day");
        let start = start + Days::new(chance.below(280) as u64);
        let people = People::new(20 + chance.below(20), start);
        let place = Workplace::open(seed_of(&people));
        let wakes = if chance.percent(50) { "yes" } else { "no" };
        place
            .sandbox
            .set("unarchive_restores_operator", wakes)
            .expect("a setting");
        place.configure(&config(shape, gap, rehire));
        let seen = Seen::of(&place.sandbox);
        let promise = Promise {
            gap,
            term: Duration::days(28),
            keeps_archived: rehire == "keep_archived",
        };
        let oracle = Oracle::new(promise, &seen, &people);
        Life {
            seed,
            told: std::env::var_os("LIVES_TOLD").is_some(),
            place,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            people,
            hr: Hr::new(shape),
            chance,
            oracle,
            seen,
            wrote: None,
        }
    }

    fn say(&self, at: DateTime<Utc>, what: &str) {
        if self.told {
            println!("seed {} {}: {what}", self.seed, at.format("%Y-%m-%d %H:%M"));
        }
    }

    fn live(mut self) -> BTreeMap<String, usize> {
        let start = self.people.today;
        for day in (0..DAYS).map(|day| start + Days::new(day)) {
            self.people.today = day;
            let at = morning(day);
            if day > start {
                self.night(at);
            }
            let export = self.hr.export(&self.people);
            self.oracle.reads(&export, day);
            self.put(&export);
            let interrupted = day > start && self.interrupted(at);
            let at = if interrupted { at + Duration::minutes(11) } else { at };
            self.run(at);
            if self.chance.percent(10) {
                // Nothing has changed, and nothing happens.
                self.run(at + Duration::hours(3));
            }
            self.decide(at + Duration::hours(4));
            if self.chance.percent(3) {
                self.undo(at + Duration::hours(5));
            }
        }
        self.oracle.figures
    }

    fn night(&mut self, at: DateTime<Utc>) {
        let before = at - Duration::hours(6);
        self.place.sandbox.play_at(before);
        let mut told = self.people.night(&mut self.chance);
        told.extend(self.hr.night(&mut self.people, &mut self.chance));
        told.extend(desk::by_hand(
            &self.place.sandbox,
            &self.seen,
            &mut self.people,
            &mut self.oracle,
            &mut self.chance,
        ));
        for what in told {
            self.say(before, &what);
        }
        self.seen = Seen::of(&self.place.sandbox);
        self.oracle.hands(&self.place.sandbox.stats());
    }

    fn put(&self, export: &Export) {
        self.place.write("people.csv", &export.people);
        if self.hr.shape == Shape::Directory {
            self.place.write("ad.csv", &export.directory);
        }
    }

    fn environment(&self) -> Environment {
        Environment::load(&self.place.path("cardsync.yaml")).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn carry<M: PlanMaker>(&self, at: DateTime<Utc>, command: &'static str, maker: &M) -> Finished<M::Also> {
        self.place.sandbox.play_at(at);
        let environment = self.environment();
        let once = RunOnce {
            environment: &environment,
            command,
            clock: &At(at),
            progress: &Silent,
            stop: &CancellationToken::new(),
        };
        let finished = self.runtime.block_on(carry_through(once, maker));
        finished.unwrap_or_else(|error| panic!("seed {}: {at}: {error:#}", self.seed))
    }

    fn run(&mut self, at: DateTime<Utc>) {
        let lost = self.chance.percent(6);
        if lost {
            let reset = if self.chance.percent(50) { "after" } else { "before" };
            let rule = json!({ "method": "PATCH", "nth": 1 + self.chance.below(3), "reset": reset, "times": 1 });
            self.place.sandbox.fault(&rule).expect("a rule");
        }
        let finished = self.carry(at, "run", &Scope::Whole);
        self.place.sandbox.clear_faults();
        let verdict = finished.report.verdict.expect("a run that ended has a verdict");
        let plan = &finished.planned.judged.plan;
        self.say(
            at,
            &format!(
                "run: {verdict:?}, {} changes, {} held, {} done",
                plan.changes.len(),
                finished.holds.len(),
                finished.outcomes.len()
            ),
        );
        assert_ne!(
            verdict,
            RunVerdict::Failed,
            "seed {}: {at}: {:?}",
            self.seed,
            finished.report
        );
        for read in &finished.report.snapshots {
            if read.verdict != Verdict::Complete {
                let why: Vec<&str> = read.findings.iter().map(|finding| &*finding.code).collect();
                self.say(at, &format!("  not whole: {}: {why:?}", read.name));
            }
        }
        for change in &plan.changes {
            for evidence in &change.evidence {
                let key = change.key.as_ref().map_or("", |key| key.as_str());
                self.say(at, &format!("  {} {key}: {}", change.action.kind(), evidence.detail));
            }
        }
        let after = Seen::of(&self.place.sandbox);
        let stats = self.place.sandbox.stats();
        self.oracle.harm(&self.seen, &after, &stats, &self.people, at);
        let read = |wanted: fn(&Verdict) -> bool| finished.report.snapshots.iter().all(|it| wanted(&it.verdict));
        // What a read cannot say is no answer to a question.
        if read(|verdict| *verdict == Verdict::Complete) {
            self.oracle.ends_approvals(&finished);
        } else {
            self.oracle.doubts(self.people.today);
        }
        let judged = read(|verdict| *verdict != Verdict::Rejected);
        if judged && verdict != RunVerdict::SomeFailed {
            self.oracle.told(&after, &finished, &self.people, at);
        }
        for outcome in &finished.outcomes {
            let key = outcome.key.as_ref().map_or("", |key| key.as_str());
            self.say(at, &format!("  {} {key}: {:?}", outcome.action, outcome.outcome));
            if matches!(outcome.outcome, Outcome::Done { .. }) {
                self.wrote = Some(finished.report.id.to_string());
            }
        }
        self.seen = after;
        self.oracle.count(format!("runs that end with {}", verdict.exit_code()));
    }

    /// On some days the program is killed at one of its writes, before or after the effect. Gives whether it was.
    fn interrupted(&mut self, at: DateTime<Utc>) -> bool {
        if !self.chance.percent(12) {
            return false;
        }
        let nth = 1 + self.chance.below(2);
        let effect = if self.chance.percent(50) {
            json!({ "delay_ms": 60_000, "effect": false })
        } else {
            json!({ "answer_delay_ms": 60_000 })
        };
        self.place.sandbox.play_at(at);
        let played = || self.place.sandbox.stats()["faults_played"].as_u64().unwrap_or(0);
        let before = played();
        // Whichever write comes first; many days have but one.
        for method in ["PATCH", "POST", "PUT"] {
            let mut rule = effect.clone();
            (rule["method"], rule["nth"], rule["times"]) = (json!(method), json!(nth), json!(1));
            self.place.sandbox.fault(&rule).expect("a rule");
        }
        let moment = at.to_rfc3339();
        let mut program = self.place.command(&["run", "--as-of", &moment]);
        let mut child = program
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program can be started");
        let killed = loop {
            if child.try_wait().expect("a child").is_some() {
                break false;
            }
            if played() > before {
                child.kill().expect("it can be killed");
                child.wait().expect("it ends");
                break true;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        self.place.sandbox.clear_faults();
        self.say(at, &format!("killed at write {nth}: {killed}"));
        if killed {
            self.oracle.count("kills");
        }
        true
    }

    /// The desk answers part of what waits.
    fn decide(&mut self, at: DateTime<Utc>) {
        let environment = self.environment();
        let path = environment.store_path().expect("a store");
        let runtime = &self.runtime;
        let (people, oracle, chance) = (&self.people, &mut self.oracle, &mut self.chance);
        let mut said = Vec::new();
        runtime.block_on(async {
            let store = SqliteStore::open(&path, &environment.id, &environment.host())
                .await
                .expect("a store");
            let mut waiting = decisions::waiting(&store, at).await.expect("what waits");
            let mut open: Vec<_> = waiting.items.clone();
            open.retain(|kept| !kept.item.is_settled());
            // The ids of items on new cards are others in every run.
            open.sort_by_key(|kept| (kept.item.change.key.clone(), kept.item.change.action));
            for kept in open {
                let Some(answer) = desk::answer(&kept.item, people, oracle, chance) else {
                    continue;
                };
                let until = (answer == Answer::Approve).then(|| at + decisions::APPROVAL_LASTS);
                let words = [kept.item.change.id.to_string()];
                // As a person would: on the machine's clock, whatever day is played.
                let told = Said {
                    by: "tester",
                    note: None,
                    until,
                    now: Utc::now(),
                };
                // What an earlier answer excludes is refused.
                let Ok(decided) = decisions::decide(&waiting, &words, answer, told) else {
                    continue;
                };
                store.decide(&decided.decisions).await.expect("a decision");
                if !decided.decisions.is_empty() {
                    oracle.answered(&kept.item, answer);
                    waiting.decided.extend(decided.decisions);
                    said.push(format!(
                        "{answer:?} {} {}",
                        kept.item.change.action,
                        kept.item.change.key.as_ref().map_or("", |key| key.as_str())
                    ));
                }
            }
            store.close().await;
        });
        for what in said {
            self.say(at, &what);
            self.oracle.count("decisions");
        }
    }

    /// The last run that wrote is undone, as far as that needs no approval.
    fn undo(&mut self, at: DateTime<Utc>) {
        let Some(run) = self.wrote.take() else { return };
        let request = UndoRequest {
            what: run,
            part: Part::default(),
            by: "tester".to_owned(),
        };
        let before = Seen::of(&self.place.sandbox);
        let finished = self.carry(at, "undo", &request);
        let after = Seen::of(&self.place.sandbox);
        self.say(at, &format!("undo: {} done", finished.outcomes.len()));
        self.oracle.undoes(&before, &after, at);
        self.oracle.hands(&self.place.sandbox.stats());
        self.oracle.count("undone runs");
        self.seen = after;
    }
}

fn config(shape: Shape, gap: usize, rehire: &str) -> String {
    let leaver = match shape {
        Shape::OneRow => r#"when: "{{ hr.End | date < today or hr.Status == 'uit dienst' }}""#.to_owned(),
        Shape::PerContract => format!("gap: {gap}d"),
        Shape::Directory => r#"when: "{{ hr.End | date < today or ad.Ou == 'Leavers' }}""#.to_owned(),
    };
    let rows = match shape {
        Shape::PerContract => {
            r#", rows: { per: contract, current: "{{ hr.Start | date <= today and today <= hr.End | date }}" }"#
        }
        Shape::OneRow | Shape::Directory => "",
    };
    let directory = if shape == Shape::Directory { DIRECTORY } else { "" };
    CONFIG
        .replace("@ROWS@", rows)
        .replace("@DIRECTORY@", directory)
        .replace("@LEAVER@", &leaver)
        .replace("@REHIRE@", rehire)
}

/// What stands in TOPdesk when cardsync comes: everybody's card, operators, and strangers.
fn seed_of(people: &People) -> Value {
    let id = |index: usize| format!("00000000-0000-4000-8000-{index:012}");
    let all = people.all.iter().enumerate();
    let mut persons: Vec<Value> = all
        .clone()
        .map(|(index, human)| {
            json!({
                "id": id(index), "employeeNumber": human.number, "surName": human.last, "firstName": human.first,
                "email": human.mail(), "tasLoginName": human.login, "branch": human.site, "jobTitle": human.title,
                "hasSspAccess": true, "isCaller": true,
            })
        })
        .collect();
    persons.push(json!({ "id": id(900), "surName": "Reception", "branch": SITES[0] }));
    persons.push(json!({ "id": id(901), "surName": "Jansen Supplies", "branch": SITES[1], "archived": true }));
    let operators: Vec<Value> = all
        .filter(|(_, human)| human.operator)
        .map(|(index, human)| {
            json!({
                "surName": human.last, "firstName": human.first, "loginName": human.login, "branch": human.site,
                "email": human.mail(), "loginPermission": true, "linkedPerson": { "id": id(index) },
            })
        })
        .collect();
    json!({
        "branches": SITES, "archivingReasons": ["Out of service"], "persons": persons, "operators": operators,
    })
}
