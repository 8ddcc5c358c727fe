//! Undo of every run of every golden scenario: the sandbox is as it was, but for what undo said it could not take back;
//! the run after it changes nothing; and the undo of the undo brings everything back.

use crate::support::workplace::{Workplace, text};
use cardsync::app::environment::Environment;
use cardsync::app::run_once::{RunOnce, carry_through};
use cardsync::core::guard::Judged;
use cardsync::core::memory::decision::Answer;
use cardsync::core::model::ids::ItemId;
use cardsync::core::plan::ActionKind;
use cardsync::core::plan::report::{ChangeOutcome, Outcome};
use cardsync::engine::maker::PlanMaker;
use cardsync::engine::run::{Finished, Scope};
use cardsync::engine::state::StateWriter;
use cardsync::engine::{Clock, Silent, decisions};
use cardsync::store::SqliteStore;
use cardsync::tools::undo::run::UndoRequest;
use cardsync::tools::undo::{Kept, Part, WhyKept};
use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Utc};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

struct At(DateTime<Utc>);

impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// A scenario that is played in this process.
struct Play {
    name: String,
    place: Workplace,
    runtime: tokio::runtime::Runtime,
}

/// What was undone in all.
#[derive(Default)]
struct Tally {
    runs: usize,
    changes: usize,
    kept: BTreeMap<String, usize>,
}

#[test]
fn undo_of_every_scenario_restores_what_was_there_but_for_what_it_names() {
    // Another test of the same process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let folders = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    let waiting = Mutex::new(folders.into_iter());
    let tally = Mutex::new(Tally::default());
    // All of them are played, and what each found is above.
    let failed = Mutex::new(Vec::new());
    let take = || waiting.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _worker in 0..2 {
            scope.spawn(|| {
                while let Some(folder) = take() {
                    let played = std::panic::catch_unwind(|| Play::open(&folder).play(&folder, &tally));
                    if played.is_err() {
                        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
                        failed.lock().unwrap().push(name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    let Tally { runs, changes, kept } = tally.into_inner().unwrap();
    println!("{runs} runs undone, {changes} changes; not taken back: {kept:?}");
    assert!(runs >= 50 && changes >= 70, "{runs} {changes}");
}

/// A configuration that tells nobody: runs are played within this process, in the folder where it was started.
fn untold(config: &str) -> String {
    let lines = config.lines().filter(|line| !line.starts_with("notify:"));
    lines.map(|line| format!("{line}\n")).collect()
}

impl Play {
    fn open(folder: &Path) -> Play {
        let seed = serde_json::from_str(&fs::read_to_string(folder.join("cards.json")).unwrap()).unwrap();
        let place = Workplace::open(seed);
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            place.write(entry.file_name().to_str().unwrap(), fs::read(entry.path()).unwrap());
        }
        place.configure(&untold(&fs::read_to_string(folder.join("config.yaml")).unwrap()));
        Play {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            place,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    fn play(&self, folder: &Path, tally: &Mutex<Tally>) {
        let steps = fs::read_to_string(folder.join("steps"));
        let steps = steps.unwrap_or_else(|_none| "run 2025-03-03T08:00".to_owned());
        let mut now = Utc::now();
        for step in steps.lines().map(str::trim).filter(|step| !step.is_empty()) {
            let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
            let words: Vec<&str> = rest.split_whitespace().collect();
            match (verb, words.as_slice()) {
                ("run" | "run!", [moment, ..]) => {
                    now = self.moment(moment);
                    self.run_and_back(now, tally);
                }
                ("approve", words) => self.decide(words, Answer::Approve, now),
                ("reject", words) => self.decide(words, Answer::Reject, now),
                ("put", [file, other]) => {
                    let content = fs::read(self.place.path(other)).unwrap();
                    self.place.write(file, content);
                }
                ("remove", [file]) => fs::remove_file(self.place.path(file)).unwrap(),
                ("config", [other]) => {
                    self.place
                        .configure(&untold(&fs::read_to_string(self.place.path(other)).unwrap()));
                }
                ("edit", _) => {
                    self.place.sandbox.edit(&serde_json::from_str(rest).unwrap()).unwrap();
                }
                ("set", [setting]) => {
                    let (name, value) = setting.split_once('=').unwrap();
                    self.place.sandbox.set(name, value).unwrap();
                }
                // Remarks, what is only shown, and what other tests of undo do.
                _other => {}
            }
        }
    }

    fn environment(&self) -> Environment {
        // Paths in the configuration are those of the folder.
        Environment::load(&self.place.path("cardsync.yaml"))
            .unwrap_or_else(|problems| panic!("{}: {problems}", self.name))
    }

    fn moment(&self, text: &str) -> DateTime<Utc> {
        let zone = self.environment().zone();
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap();
        zone.from_local_datetime(&local).unwrap().to_utc()
    }

    fn carry<M: PlanMaker>(&self, at: DateTime<Utc>, maker: &M) -> Option<Finished<M::Also>> {
        let environment = self.environment();
        let once = RunOnce {
            environment: &environment,
            command: "run",
            clock: &At(at),
            progress: &Silent,
            stop: &CancellationToken::new(),
        };
        self.runtime.block_on(carry_through(once, maker)).ok()
    }

    fn decide(&self, words: &[&str], answer: Answer, now: DateTime<Utc>) {
        let environment = self.environment();
        let path = environment.store_path().unwrap();
        self.runtime.block_on(async {
            let store = SqliteStore::open(&path, &environment.id, &environment.host())
                .await
                .unwrap();
            let waiting = decisions::waiting(&store, now).await.unwrap();
            let ids = |word: &&str| -> Vec<String> {
                match word.strip_prefix('@') {
                    None => vec![(*word).to_owned()],
                    Some(key) => waiting
                        .items
                        .iter()
                        .filter(|kept| kept.item.change.key.as_ref().is_some_and(|it| it.as_str() == key))
                        .map(|kept| kept.item.change.id.to_string())
                        .collect(),
                }
            };
            let words: Vec<String> = words
                .iter()
                .filter(|word| !word.starts_with("--"))
                .flat_map(ids)
                .collect();
            // What the way back changed may have taken the item that the scenario decides about away.
            if let Ok(decided) = decisions::decide(&waiting, &words, answer, said(None, now)) {
                store.decide(&decided.decisions).await.unwrap();
            }
            store.close().await;
        });
    }

    /// A run; and where it wrote anything the way back and forth again.
    fn run_and_back(&self, at: DateTime<Utc>, tally: &Mutex<Tally>) {
        let before = self.place.sandbox.state_json();
        let Some(finished) = self.carry(at, &Scope::Whole) else {
            return;
        };
        let after = self.place.sandbox.state_json();
        if !finished.outcomes.iter().any(is_done) {
            return;
        }
        let left = self.carry(at, &Scope::Whole).expect("a second run");
        let left: BTreeSet<ItemId> = passing(&left.planned.judged);
        let undone = self.undo(&finished.report.id, at + Duration::minutes(1));
        let said = Said::of(&undone);
        let now = self.place.sandbox.state_json();
        same_state(&before, &now, &said, &format!("{}: undo at {at}", self.name));
        let next = self
            .carry(at + Duration::minutes(2), &Scope::Whole)
            .expect("the run after the undo");
        let more: Vec<&ChangeOutcome> = next
            .outcomes
            .iter()
            .filter(|outcome| is_done(outcome) && !left.contains(&outcome.item))
            .collect();
        let decided = || {
            let decisions = &next.planned.input.decisions;
            more.iter().map(|it| decisions.get(&it.item)).collect::<Vec<_>>()
        };
        assert!(
            more.is_empty(),
            "{}: the run after the undo at {at} does {more:?}, {:?}",
            self.name,
            decided()
        );
        {
            let mut tally = tally.lock().unwrap();
            tally.runs += 1;
            tally.changes += undone
                .last()
                .map_or(0, |last| last.outcomes.iter().filter(|it| is_done(it)).count());
            for kept in undone.last().into_iter().flat_map(|last| &last.also) {
                *tally
                    .kept
                    .entry(format!("{:?}", kept.why).split([' ', '{']).next().unwrap().to_owned())
                    .or_default() += 1;
            }
        }
        let runs: Vec<_> = undone
            .iter()
            .filter(|finished| finished.outcomes.iter().any(is_done))
            .map(|finished| finished.report.id.clone())
            .collect();
        let mut said = said;
        for (number, run) in runs.iter().rev().enumerate() {
            let minutes = 10 + 5 * i64::try_from(number).unwrap();
            let forth = self.undo(run, at + Duration::minutes(minutes));
            said.add(&forth);
        }
        let now = self.place.sandbox.state_json();
        same_state(&after, &now, &said, &format!("{}: undo of the undo at {at}", self.name));
    }

    /// Undoes a run, approves what waits, and undoes it again. What the first one kept as it was already is no news in the
    /// second.
    fn undo(&self, run: &cardsync::core::model::ids::RunId, at: DateTime<Utc>) -> Vec<Finished<Vec<Kept>>> {
        let request = UndoRequest {
            what: run.to_string(),
            part: Part::default(),
            by: "tester".to_owned(),
        };
        let first = self
            .carry(at, &request)
            .unwrap_or_else(|| panic!("{}: undo of {run}", self.name));
        let ids: Vec<String> = first.holds.iter().map(|hold| hold.change.id.to_string()).collect();
        if ids.is_empty() {
            return vec![first];
        }
        let words: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.decide(&words, Answer::Approve, at);
        let second = self.carry(at + Duration::seconds(10), &request).expect("undo again");
        vec![first, second]
    }
}

fn is_done(outcome: &ChangeOutcome) -> bool {
    matches!(outcome.outcome, Outcome::Done { .. })
}

fn passing(judged: &Judged) -> BTreeSet<ItemId> {
    judged
        .approved
        .changes()
        .iter()
        .map(|approved| approved.change().id.clone())
        .collect()
}

/// What an undo said that it leaves as it is.
#[derive(Debug, Default)]
struct Said {
    /// Cards of which anything may differ: what waits on, failed, or is kept whole.
    cards: BTreeSet<String>,
    fields: BTreeSet<(String, String)>,
    entries: BTreeSet<String>,
}

impl Said {
    fn of(undone: &[Finished<Vec<Kept>>]) -> Said {
        let mut said = Said::default();
        said.add(undone);
        said
    }

    fn add(&mut self, undone: &[Finished<Vec<Kept>>]) {
        let Some(last) = undone.last() else { return };
        for Kept { card, field, why, .. } in &last.also {
            match (why, card, field) {
                // The first of two undos may have done it.
                (WhyKept::AsBefore, _, _) => {}
                (WhyKept::EntryStays { name, .. }, _, _) => {
                    self.entries.insert(name.to_string());
                }
                (_, Some(card), Some(field)) => {
                    self.fields.insert((card.to_string(), field.to_string()));
                }
                (_, Some(card), None) => {
                    self.cards.insert(card.to_string());
                }
                (_, None, _) => {}
            }
        }
        for outcome in last.outcomes.iter().filter(|outcome| !is_done(outcome)) {
            self.cards.extend(outcome.card.iter().map(ToString::to_string));
        }
        let held = last
            .holds
            .iter()
            .filter(|hold| hold.change.action != ActionKind::CreateEntry);
        self.cards.extend(
            held.filter_map(|hold| hold.change.person_id.as_ref())
                .map(ToString::to_string),
        );
    }
}

const TIMES: [&str; 4] = ["modificationDate", "modifier", "dynamicName", "archivingReason"];

fn by_id<'a>(state: &'a Value, list: &str) -> BTreeMap<&'a str, &'a Map<String, Value>> {
    let cards = state[list].as_array().unwrap().iter().filter_map(Value::as_object);
    cards.map(|card| (text(&card["id"]), card)).collect()
}

/// Cards and operators are as before; a card that is new is archived; an entry that is new was named.
fn same_state(before: &Value, now: &Value, said: &Said, what: &str) {
    let (was, is) = (by_id(before, "persons"), by_id(now, "persons"));
    for (id, card) in &is {
        let Some(old) = was.get(id) else {
            let archived = card.get("archived").cloned().unwrap_or(Value::Null);
            assert_eq!(archived, true, "{what}: the new card {id} stays active: {said:?}");
            continue;
        };
        if said.cards.contains(*id) {
            continue;
        }
        let names: BTreeSet<&String> = old.keys().chain(card.keys()).collect();
        for name in names.into_iter().filter(|name| !TIMES.contains(&name.as_str())) {
            let of = |card: &Map<String, Value>| card.get(name).cloned().unwrap_or(Value::Null);
            let excused = said.fields.contains(&((*id).to_owned(), name.clone()));
            assert!(
                excused || empty_alike(&of(old), &of(card)),
                "{what}: {name} of {} was {} and is {}: {said:?}",
                card.get("employeeNumber").map_or("no number", text),
                of(old),
                of(card)
            );
        }
    }
    let (was, is) = (by_id(before, "operators"), by_id(now, "operators"));
    for (id, operator) in is {
        let person = operator.get("linkedPerson").map_or("", |person| text(&person["id"]));
        let excused = said.cards.contains(person);
        assert!(
            excused || was[id].get("status") == operator.get("status"),
            "{what}: operator {operator:?}: {said:?}"
        );
    }
    for list in ["departments", "budgetHolders"] {
        let names = |state: &Value| -> BTreeSet<String> {
            let entries = state[list].as_array().cloned().unwrap_or_default();
            entries.iter().map(|entry| text(&entry["name"]).to_owned()).collect()
        };
        for name in names(now).difference(&names(before)) {
            assert!(said.entries.contains(name), "{what}: the entry {name} was not named");
        }
    }
}

/// Nothing, an empty text and false are all the same to TOPdesk; references by id.
fn empty_alike(a: &Value, b: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::Null | Value::Bool(false) => Value::Null,
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Object(reference) if reference.contains_key("id") => reference["id"].clone(),
        other => other.clone(),
    };
    plain(a) == plain(b)
}

fn said(until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> decisions::Said<'static> {
    decisions::Said {
        by: "tester",
        note: None,
        until,
        now,
    }
}
