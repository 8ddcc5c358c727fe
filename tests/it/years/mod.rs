//! Two years in the life of a company, on the look-alike with a moving clock: joiners, movers, marriages, leavers, rehires
//! and anonymizations, a human who decides part of what is held and changes cards by hand, and a look from outside after
//! every run.

pub mod chance;
pub mod company;
mod human;
pub mod seen;
mod told;
mod traces;
mod watch;

use self::chance::Chance;
use self::company::Company;
use self::seen::Seen;
use self::traces::traces;
use self::watch::{Promise, Watch};
use crate::support::company::At;
use crate::support::workplace::Workplace;
use cardsync::app::environment::Environment;
use cardsync::app::run_once::{RunOnce, carry_through};
use cardsync::core::memory::decision::Answer;
use cardsync::core::model::ids::CardId;
use cardsync::core::plan::ActionKind;
use cardsync::core::plan::report::RunVerdict;
use cardsync::core::rules::retention::RetentionState;
use cardsync::engine::records::RecordsReader as _;
use cardsync::engine::run::{Finished, Scope};
use cardsync::engine::state::StateWriter as _;
use cardsync::engine::{Silent, decisions};
use cardsync::store::SqliteStore;
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use serde_json::json;
use std::collections::BTreeSet;
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
timezone: Europe/Amsterdam
sources:
  - { name: hr, type: csv, path: people.csv, delimiter: ";", key: Nr, role: authoritative, expect: { max_drop: 20% } }
fields:
  surName: "{{ hr.Last }}"
  firstName: "{{ hr.First }}"
  email: "{{ hr.Mail }}"
  tasLoginName: "{{ hr.Login }}"
  phoneNumber: "{{ hr.Phone }}"
  branch: "{{ hr.Site }}"
  department: { value: "{{ hr.Dept }}", missing: create }
  jobTitle: "{{ hr.Title }}"
  manager: { key: "{{ hr.Mgr }}" }
create: { hasSspAccess: true, isCaller: true }
lifecycle:
@LIFECYCLE@
store: { sqlite: state/cardsync.db }
"#;

/// How one world differs from the others.
struct World {
    name: &'static str,
    /// TOPdesk wakes the operator with its person.
    wakes: bool,
    /// TOPdesk takes changes of archived cards.
    patches_archived: bool,
    /// `lifecycle.rehire.operator`.
    rehire: &'static str,
    disarm: bool,
    /// `lifecycle.anonymize.by`.
    by: &'static str,
}

const fn world(
    name: &'static str,
    switches: (bool, bool),
    rehire: &'static str,
    disarm: bool,
    by: &'static str,
) -> World {
    World {
        name,
        wakes: switches.0,
        patches_archived: switches.1,
        rehire,
        disarm,
        by,
    }
}

/// Every two values of two different switches meet in one of them; the first three have each value but `hold`.
const WORLDS: [World; 6] = [
    world(
        "restored, wakes along, patched, topdesk",
        (true, true),
        "restore",
        false,
        "topdesk",
    ),
    world(
        "restored, stays asleep, disarmed, api",
        (false, false),
        "restore",
        true,
        "api",
    ),
    world(
        "kept archived, wakes along, api",
        (true, false),
        "keep_archived",
        false,
        "api",
    ),
    world(
        "held, wakes along, disarmed, topdesk",
        (true, false),
        "hold",
        true,
        "topdesk",
    ),
    world("held, stays asleep, patched, api", (false, true), "hold", false, "api"),
    world(
        "kept archived, stays asleep, patched, disarmed, topdesk",
        (false, true),
        "keep_archived",
        true,
        "topdesk",
    ),
];

/// Days between an archive and an anonymization.
const TERM: i64 = 300;
/// Two years are gathered into so many rounds of two runs each.
const ROUNDS: u64 = 18;
const DAYS_PER_ROUND: u64 = 41;

impl World {
    fn lifecycle(&self) -> String {
        let World { rehire, disarm, by, .. } = self;
        format!(
            r#"  joiner: {{ starts: "{{{{ hr.Start | date }}}}", before: 14d, ssp_access: on_the_day }}
  leaver: {{ when: "{{{{ hr.End | date < today }}}}", after: 1d, at: "07:00", disarm: {disarm} }}
  missing: {{ reads: 3, for: 48h }}
  rehire: {{ person: unarchive, operator: {rehire} }}
  anonymize: {{ by: {by}, after: {TERM}d, approval: always }}"#
        )
    }

    fn promise(&self) -> Promise {
        Promise {
            term: Duration::days(TERM),
            by_api: self.by == "api",
            disarms: self.disarm,
            keeps_archived: self.rehire == "keep_archived",
        }
    }
}

#[test]
fn two_years_harm_nobody() {
    live(&WORLDS[..3], 80);
}

/// The whole company, in every world: scripts/years.
#[test]
#[ignore = "takes minutes"]
fn the_whole_company() {
    live(&WORLDS, 2000);
}

fn live(worlds: &'static [World], people: usize) {
    // Another test of the same process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let waiting = Mutex::new(worlds.iter());
    let take = || waiting.lock().expect("nobody fails with it").next();
    std::thread::scope(|scope| {
        for _worker in 0..2 {
            scope.spawn(|| {
                while let Some(world) = take() {
                    Life::open(world, people).live();
                }
            });
        }
    });
}

/// A world as far as it was lived.
struct Life {
    world: &'static World,
    place: Workplace,
    runtime: tokio::runtime::Runtime,
    company: Company,
    watch: Watch,
    chance: Chance,
    seen: Seen,
}

/// The morning of a day.
fn morning(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(8, 0, 0).expect("a time").and_utc()
}

impl Life {
    fn open(world: &'static World, people: usize) -> Life {
        let start: NaiveDate = "2024-11-04".parse().expect("a day");
        let company = Company::new(people, start);
        let place = Workplace::open(company.seed());
        for (name, value) in [
            ("unarchive_restores_operator", if world.wakes { "yes" } else { "no" }),
            (
                "patch_archived",
                if world.patches_archived { "accepted" } else { "refused" },
            ),
        ] {
            place.sandbox.set(name, value).expect("a setting");
        }
        std::fs::create_dir(place.path("state")).expect("a folder");
        place.configure(&CONFIG.replace("@LIFECYCLE@", &world.lifecycle()));
        let seen = Seen::of(&place.sandbox);
        Life {
            world,
            watch: Watch::new(world.promise(), &seen, &company),
            chance: Chance::new(world.name.len() as u64),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            place,
            company,
            seen,
        }
    }

    fn live(mut self) {
        let began = Instant::now();
        let start = self.company.today;
        for round in 0..ROUNDS {
            let day = start + Days::new(round * DAYS_PER_ROUND);
            self.company.today = day;
            if round > 0 {
                self.happen(round);
                self.by_hand(day);
            }
            let finished = self.run(morning(day));
            self.decide(morning(day));
            self.work_off(&finished, morning(day));
            let next = day + Days::new(1);
            self.company.today = next;
            let second = self.run(morning(next));
            if round % 6 == 5 {
                self.again(&second, morning(next) + Duration::minutes(20));
            }
        }
        self.nothing_is_left();
        self.certified();
        let took = began.elapsed().as_secs_f64();
        println!(
            "{}: {} people at the end, {took:.1} s",
            self.world.name,
            self.company.people.len()
        );
        for (what, count) in &self.watch.figures.0 {
            println!("  {count:6} {what}");
        }
    }

    /// What happens in the company between two rounds.
    fn happen(&mut self, round: u64) {
        let size = self.company.people.len();
        let (company, chance) = (&mut self.company, &mut self.chance);
        let share = |permille: usize| (size * permille).div_ceil(1000);
        let today = company.today;
        for _ in 0..share(12) {
            // Some start later, as HR knows already.
            let later = [0, 0, 0, 10, 30][chance.below(5)];
            company.joins(today + Days::new(later));
        }
        let others = |company: &Company, operator: bool| -> Vec<usize> {
            let all = company.settled().into_iter();
            all.filter(|who| *who >= 10 && company.people[*who].operator == operator)
                .collect()
        };
        for who in chance.some_of(&company.settled(), share(30)) {
            company.moves(who, chance);
        }
        for who in chance.some_of(&company.settled(), share(4)) {
            company.marries(who);
        }
        let wave = if round == 9 { share(40) } else { share(7) };
        let mut leavers = chance.some_of(&others(company, false), wave);
        leavers.extend(chance.some_of(&others(company, true), share(4)));
        for who in leavers {
            company.people[who].end = Some(today - Days::new(3));
        }
        let mut absent = chance.some_of(&others(company, false), share(2));
        absent.extend(chance.some_of(&others(company, true), 1));
        for who in absent {
            company.people[who].row_removed = true;
        }
        let gone = company.who(|human| human.end.is_some_and(|end| end + Days::new(30) < today));
        let back = chance.some_of(&gone, share(2));
        for (n, who) in back.into_iter().enumerate() {
            company.returns(who, n % 3 == 2);
        }
    }

    fn by_hand(&mut self, day: NaiveDate) {
        self.place.sandbox.play_at(morning(day) - Duration::hours(3));
        human::by_hand(
            &self.place.sandbox,
            &self.seen,
            &self.company,
            &mut self.watch,
            &mut self.chance,
        );
        self.seen = Seen::of(&self.place.sandbox);
    }

    fn environment(&self) -> Environment {
        Environment::load(&self.place.path("cardsync.yaml")).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn carry(&self, at: DateTime<Utc>) -> Finished {
        self.place.sandbox.play_at(at);
        let environment = self.environment();
        let once = RunOnce {
            environment: &environment,
            command: "run",
            clock: &At(at),
            progress: &Silent,
            stop: &CancellationToken::new(),
        };
        let finished = self.runtime.block_on(carry_through(once, &Scope::Whole));
        finished.unwrap_or_else(|error| panic!("{}: {at}: {error:#}", self.world.name))
    }

    fn run(&mut self, at: DateTime<Utc>) -> Finished {
        self.place.write("people.csv", self.company.export());
        let finished = self.carry(at);
        let good = matches!(
            finished.report.verdict,
            Some(RunVerdict::Clean | RunVerdict::Attention | RunVerdict::Held)
        );
        assert!(
            good,
            "{}: {at}: {:?} {:?}",
            self.world.name, finished.report, finished.outcomes
        );
        let after = Seen::of(&self.place.sandbox);
        let stats = self.place.sandbox.stats();
        self.watch.run(&self.seen, &after, &stats, &finished, &self.company, at);
        self.seen = after;
        self.watch.figures.add("runs", 1);
        finished
    }

    /// The same input again: nothing is left to do. What was rejected of a card whose operator slept is another question once
    /// both are awake.
    fn again(&mut self, first: &Finished, at: DateTime<Utc>) {
        let woken = |card: Option<&CardId>| {
            let mut done = first.outcomes.iter();
            done.any(|outcome| outcome.action == ActionKind::Unarchive && outcome.card.as_ref() == card)
        };
        let finished = self.carry(at);
        let left: Vec<_> = finished
            .outcomes
            .iter()
            .filter(|outcome| !woken(outcome.card.as_ref()))
            .collect();
        assert!(left.is_empty(), "{}: {at}: {left:?}", self.world.name);
        self.watch.figures.add("second runs, all empty", 1);
    }

    /// The human anonymizes part of the work list in TOPdesk.
    fn work_off(&mut self, finished: &Finished, at: DateTime<Utc>) {
        let retained = finished.planned.judged.plan.retained.iter();
        for due in retained.filter(|one| one.state == RetentionState::Due) {
            let card = due.card.as_str();
            self.watch.may_be_anonymized(card, &self.seen, &self.company, at);
            if self.world.by == "topdesk" && self.chance.percent(80) {
                let edit = json!({ "person": card, "anonymize": true });
                self.place.sandbox.edit(&edit).expect("a card of the work list");
                self.watch.worked_off(card);
            }
        }
        self.seen = Seen::of(&self.place.sandbox);
    }

    /// Every anonymization of a card of ours has its certificate.
    fn certified(&mut self) {
        let environment = self.environment();
        let path = environment.store_path().expect("a store");
        let certificates = self.runtime.block_on(async {
            let store = SqliteStore::open(&path, &environment.id, &environment.host())
                .await
                .expect("a store");
            let certificates = store.certificates().await.expect("certificates");
            store.close().await;
            certificates
        });
        let cards: BTreeSet<&str> = certificates.iter().map(|one| one.card.as_str()).collect();
        for card in &self.watch.certified {
            assert!(
                cards.contains(card.as_str()),
                "{}: no certificate of {card}",
                self.world.name
            );
        }
        self.watch.figures.add("certificates", certificates.len());
    }

    /// Of anonymized people nothing is in any file of the state folder; the others are found there.
    fn nothing_is_left(&mut self) {
        let folder = self.place.path("state");
        let forgotten = self.watch.forgotten(&self.seen, &self.company);
        let words: BTreeSet<String> = forgotten
            .iter()
            .flat_map(|who| self.company.people[*who].theirs.iter().cloned())
            .collect();
        let (found, looked) = traces(&folder, &words);
        assert!(
            found.is_empty(),
            "{}: left of anonymized people: {found:#?}",
            self.world.name
        );
        self.watch
            .figures
            .add("words of anonymized people looked for", words.len());
        self.watch.figures.add("bytes looked through", looked);
        // The search finds what is there.
        let others = self.company.settled();
        let words: BTreeSet<String> = others
            .iter()
            .map(|who| self.company.people[*who].last.clone())
            .collect();
        let (found, _) = traces(&folder, &words);
        let names: BTreeSet<&str> = found.iter().filter_map(|it| it.split(' ').next()).collect();
        assert_eq!(
            names.len(),
            words.len(),
            "{}: the search does not find people who work here",
            self.world.name
        );
    }

    /// The human answers part of what waits.
    fn decide(&mut self, at: DateTime<Utc>) {
        let environment = self.environment();
        let path = environment.store_path().expect("a store");
        let runtime = &self.runtime;
        let (company, watch, chance) = (&self.company, &mut self.watch, &mut self.chance);
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
                let Some(answer) = human::answer(&kept.item, company, watch, chance) else {
                    continue;
                };
                let until = (answer == Answer::Approve).then(|| at + decisions::APPROVAL_LASTS);
                let words = [kept.item.change.id.to_string()];
                // As a person would: on the machine's clock, whatever day is played.
                // An answer that an earlier one excludes is refused.
                if let Ok(decided) = decisions::decide(&waiting, &words, answer, said(until, Utc::now())) {
                    watch.answered(&kept.item, answer, at);
                    store.decide(&decided.decisions).await.expect("a decision");
                    waiting.decided.extend(decided.decisions);
                }
            }
            store.close().await;
        });
    }
}

fn said(until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> decisions::Said<'static> {
    decisions::Said {
        by: "tester",
        note: None,
        until,
        now,
    }
}
