//! The program as a process, killed (SIGKILL) before and after the effect of its writes, and started again: the end is the
//! same, nobody is there twice, and the journal has each change once.
//!
//! The suite kills at each write of one day, and at one write of each kind of the undo of that day. The whole walk, under
//! every switch of the look-alike, takes minutes: `scripts/fault-walk`.

use super::process::program;
use super::switches::{Setting, settings};
use crate::support::company::{Company, Picture, shown, today};
use crate::support::waiting::{end, until_then};
use cardsync::core::memory::decision::{Answer, Decision};
use cardsync::core::model::ids::ItemId;
use cardsync::engine::Silent;
use cardsync::engine::state::StateWriter;
use cardsync::tools::undo::Part;
use cardsync::tools::undo::run::UndoRequest;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// When the request is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    BeforeTheEffect,
    AfterTheEffect,
}

impl Moment {
    fn fault(self) -> Value {
        match self {
            Moment::BeforeTheEffect => json!({ "delay_ms": 60_000, "effect": false }),
            Moment::AfterTheEffect => json!({ "answer_delay_ms": 60_000 }),
        }
    }
}

/// Which writes are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walked {
    Each,
    /// The first of each route.
    OneOfAKind,
}

/// What a walk found.
#[derive(Debug, Default)]
struct Figures {
    kills: u64,
    duplicates: u64,
    lost_outcomes: u64,
    other_ends: u64,
}

impl Figures {
    fn add(&mut self, other: &Figures) {
        self.kills += other.kills;
        self.duplicates += other.duplicates;
        self.lost_outcomes += other.lost_outcomes;
        self.other_ends += other.other_ends;
    }

    #[track_caller]
    fn are_clean(&self) {
        println!(
            "fault walk: {} kills, {} duplicates, {} lost outcomes, {} other ends",
            self.kills, self.duplicates, self.lost_outcomes, self.other_ends
        );
        assert!(self.duplicates + self.lost_outcomes + self.other_ends == 0, "{self:?}");
    }
}

/// A company whose configuration says what this look-alike needs.
async fn open(settings: &[Setting]) -> Company {
    let company = Company::open(settings).await;
    if settings.contains(&("manager_flag", "needed")) {
        company.reconfigure("timeout: 20s", "timeout: 20s\n  manager_flag: true");
        company.approve(today()).await;
    }
    company
}

/// A command that is killed and given again.
struct Walk {
    company: Company,
    /// Without the moment.
    arguments: Vec<String>,
    at: DateTime<Utc>,
    undisturbed: Picture,
    writes: BTreeMap<String, u64>,
}

impl Walk {
    /// The run of the day.
    async fn of_the_day(settings: &[Setting]) -> Walk {
        let mut company = open(settings).await;
        company.remember();
        Walk::of(company, vec!["run".to_owned()], today()).await
    }

    /// The undo of the day, a day later, what it holds approved.
    async fn of_its_undo(settings: &[Setting]) -> Walk {
        let mut company = open(settings).await;
        let run = company.run(today()).await.unwrap().report.id.to_string();
        company.settle(today()).await;
        let tomorrow = today() + Duration::days(1);
        company.approve_undo(&run, tomorrow).await;
        company.remember();
        Walk::of(company, vec!["undo".to_owned(), run], tomorrow).await
    }

    async fn of(company: Company, arguments: Vec<String>, at: DateTime<Utc>) -> Walk {
        let mut walk = Walk {
            company,
            arguments,
            at,
            undisturbed: Picture::new(),
            writes: BTreeMap::new(),
        };
        let output = end(walk.command(0).spawn().unwrap()).await;
        assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
        walk.company.settle(walk.at).await;
        walk.undisturbed = walk.company.picture();
        walk.writes = walk.company.effects();
        walk
    }

    fn command(&self, minutes: i64) -> std::process::Command {
        let at = (self.at + Duration::minutes(minutes)).to_rfc3339();
        let arguments = self.arguments.iter().map(String::as_str);
        program(&self.company, &arguments.chain(["--as-of", &at]).collect::<Vec<_>>())
    }

    /// Kills it at its writes, each time from the start.
    async fn kill(&self, moment: Moment, walked: Walked) -> Figures {
        let mut figures = Figures::default();
        for (place, count) in &self.writes {
            let last = match walked {
                Walked::Each => *count,
                Walked::OneOfAKind => 1,
            };
            for nth in 1..=last {
                figures.add(&self.kill_at(place, nth, moment).await);
            }
        }
        figures
    }

    async fn kill_at(&self, place: &str, nth: u64, moment: Moment) -> Figures {
        let company = &self.company;
        company.again();
        let (method, route) = place.split_once(' ').unwrap();
        let mut rule = moment.fault();
        rule["method"] = method.into();
        rule["route"] = route.into();
        rule["nth"] = nth.into();
        company.sandbox.fault(&rule).unwrap();
        let mut child = self.command(0).spawn().unwrap();
        let there = async || {
            let effects = company.effects().get(place).copied().unwrap_or(0);
            company.sandbox.stats()["faults_played"] == 1 && (moment == Moment::BeforeTheEffect || effects >= 1)
        };
        until_then(place, there).await;
        child.kill().unwrap();
        child.wait().unwrap();
        company.sandbox.clear_faults();
        let point = format!("{:?} killed at {place} {nth}, {moment:?}", self.arguments);
        let output = end(self.command(11).spawn().unwrap()).await;
        assert!(matches!(output.status.code(), Some(0 | 3)), "{point}: {output:?}");
        company.settle(self.at + Duration::minutes(11)).await;
        let (effects, journal) = (company.effects(), company.journal_since(self.at).await);
        let picture = company.picture();
        let figures = Figures {
            kills: 1,
            duplicates: u64::from(company.duplicates() != json!([])),
            lost_outcomes: u64::from(effects != journal),
            other_ends: u64::from(picture != self.undisturbed),
        };
        if figures.duplicates + figures.lost_outcomes + figures.other_ends > 0 {
            println!(
                "{point}: {figures:?}\n{effects:?}\n{journal:?}\n{picture:#?}\n{:#?}",
                self.undisturbed
            );
        }
        figures
    }
}

impl Company {
    /// Approves what the undo of a run holds.
    async fn approve_undo(&self, run: &str, at: DateTime<Utc>) {
        let environment = self.environment();
        let connected = self.connect(&environment);
        let store = self.store().await;
        let request = UndoRequest {
            what: run.to_owned(),
            part: Part::default(),
            by: "tester".to_owned(),
        };
        let clock = crate::support::company::At(at);
        let parts = environment.read_parts(&connected, &clock, &Silent);
        let planned = parts.plan_undo(&store, &request).await.unwrap().planned;
        let (judged, input) = (&planned.judged, &planned.input);
        let change = |item: &ItemId| judged.plan.changes.iter().find(|change| change.id == *item).unwrap();
        let decisions: Vec<Decision> = judged
            .held
            .iter()
            .map(|(item, reasons)| Decision {
                item: item.clone(),
                answer: Answer::Approve,
                waives: reasons
                    .iter()
                    .filter(|it| it.approvable())
                    .map(|it| it.code())
                    .collect(),
                by: "tester".to_owned(),
                at,
                until: Some(at + Duration::days(7)),
                note: None,
                about: shown(change(item), input),
            })
            .collect();
        store.decide(&decisions).await.unwrap();
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_effect_of_each_write() {
    let figures = Walk::of_the_day(&[])
        .await
        .kill(Moment::BeforeTheEffect, Walked::Each)
        .await;
    figures.are_clean();
    assert!(figures.kills >= 12, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_effect_of_each_write() {
    let figures = Walk::of_the_day(&[])
        .await
        .kill(Moment::AfterTheEffect, Walked::Each)
        .await;
    figures.are_clean();
    assert!(figures.kills >= 12, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_killed_at_each_kind_of_write_ends_as_undisturbed() {
    let walk = Walk::of_its_undo(&[]).await;
    let mut figures = walk.kill(Moment::BeforeTheEffect, Walked::OneOfAKind).await;
    figures.add(&walk.kill(Moment::AfterTheEffect, Walked::OneOfAKind).await);
    figures.are_clean();
    assert!(figures.kills >= 6, "{figures:?}");
}

/// Every write of the day and of its undo, before and after its effect, under each value of each switch.
#[test]
#[ignore = "takes minutes; scripts/fault-walk runs it"]
fn the_whole_walk() {
    let variants: Vec<Vec<Setting>> = std::iter::once(Vec::new())
        .chain(settings().into_iter().map(|setting| vec![setting]))
        .collect();
    let waiting = Mutex::new(variants.into_iter());
    let take = || waiting.lock().unwrap().next();
    let all = Mutex::new(Figures::default());
    std::thread::scope(|scope| {
        for _worker in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .enable_all()
                    .build()
                    .unwrap();
                while let Some(settings) = take() {
                    let figures = runtime.block_on(async {
                        let mut figures = Figures::default();
                        for walk in [Walk::of_the_day(&settings).await, Walk::of_its_undo(&settings).await] {
                            for moment in [Moment::BeforeTheEffect, Moment::AfterTheEffect] {
                                figures.add(&walk.kill(moment, Walked::Each).await);
                            }
                        }
                        figures
                    });
                    println!("{settings:?}: {figures:?}");
                    all.lock().unwrap().add(&figures);
                }
            });
        }
    });
    let figures = all.into_inner().unwrap();
    figures.are_clean();
    assert!(figures.kills >= 300, "{figures:?}");
}
