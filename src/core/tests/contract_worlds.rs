//! Companies with a row per contract over some weeks: contracts that follow each other, overlap or leave gaps, and an export
//! that loses rows, spoils them and never keeps their order. The truth is kept beside: nobody who has a contract is archived
//! sooner than somebody who is missing would be, and whoever has none any more goes in time.

use super::world::{World, row};
use super::worlds::budgets;
use crate::core::model::ids::CardId;
use crate::core::plan::ActionKind;
use crate::core::planner::plan;
use crate::core::reads::snapshot::Expectations;
use crate::mapping::testing::{FROM_START_TO_END, compile_contracts};
use chrono::{DateTime, Duration, NaiveDate, TimeZone, Utc};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DAYS: i64 = 24;

/// A contract in truth, by days of the play: from its first to its last day, and on which day HR enters it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Contract {
    first: i64,
    last: i64,
    entered: i64,
    /// When HR enters the last day, counted back from it: until then the end is blank.
    end_known: i64,
}

impl Contract {
    /// On which days HR knows of it and it has not ended.
    fn goes_on(&self, day: i64) -> bool {
        self.entered <= day && day <= self.last
    }
}

/// What happens to the rows of a person in the export of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    None,
    /// The rows that are current are not in it.
    CurrentLost,
    /// Nor are those that begin later.
    AllLiveLost,
    /// The end of a current row cannot be read.
    Garbled,
    /// A current row has no number.
    Unkeyed,
    /// Every row is lost.
    Gone,
}

#[derive(Clone, Debug)]
struct Case {
    people: Vec<Vec<Contract>>,
    /// By person, from a day on for so many days.
    damage: Vec<Vec<(i64, i64, Damage)>>,
    seed: u64,
}

fn contracts() -> impl Strategy<Value = Vec<Contract>> {
    let one = (-400_i64..16, 3_i64..20, 0_i64..12, -3_i64..30);
    let several = prop::collection::vec(one, 1..4);
    several.prop_map(|all| {
        let mut contracts: Vec<Contract> = Vec::new();
        for (at, (gap, length, ahead, end_known)) in all.into_iter().enumerate() {
            // The first began before the play or begins in it; each other one follows, overlaps or leaves a gap.
            let first = match contracts.last() {
                None => gap,
                Some(before) => before.last + 1 + gap.rem_euclid(9) - 3,
            };
            let last = if at == 0 && first < 0 { length } else { first + length };
            contracts.push(Contract {
                first,
                last,
                entered: first - ahead,
                end_known,
            });
        }
        contracts
    })
}

fn damage() -> impl Strategy<Value = Vec<(i64, i64, Damage)>> {
    let kinds = vec![
        Damage::CurrentLost,
        Damage::CurrentLost,
        Damage::AllLiveLost,
        Damage::Garbled,
        Damage::Unkeyed,
        Damage::Gone,
    ];
    prop::collection::vec((1..DAYS, 1_i64..5, prop::sample::select(kinds)), 0..3)
}

fn cases() -> impl Strategy<Value = Case> {
    (2_usize..5)
        .prop_flat_map(|people| {
            (
                prop::collection::vec(contracts(), people),
                prop::collection::vec(damage(), people),
                any::<u64>(),
            )
        })
        .prop_map(|(people, damage, seed)| Case { people, damage, seed })
}

fn date(day: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date") + Duration::days(day)
}

fn noon(day: i64) -> DateTime<Utc> {
    Utc.from_utc_datetime(&date(day).and_hms_opt(11, 0, 0).expect("a time"))
}

/// The export of a day.
#[derive(Default)]
struct Export {
    rows: Vec<super::world::Row>,
    /// The contracts whose rows are in it, spoiled or not.
    holds: BTreeSet<(usize, usize)>,
    /// People whose rows are as they should be.
    sound: BTreeSet<usize>,
    complete: bool,
}

impl Case {
    fn damage_on(&self, person: usize, day: i64) -> Damage {
        let spells = self.damage[person].iter();
        let mut on = spells.filter(|(from, days, _)| (*from..from + days).contains(&day));
        on.next().map_or(Damage::None, |(_, _, damage)| *damage)
    }

    fn export(&self, day: i64) -> Export {
        let mut export = Export {
            complete: true,
            ..Export::default()
        };
        for (person, contracts) in self.people.iter().enumerate() {
            let damage = self.damage_on(person, day);
            let known = contracts
                .iter()
                .enumerate()
                .filter(|(_, contract)| contract.entered <= day);
            for (number, contract) in known {
                let current = (contract.first..=contract.last).contains(&day);
                let lost = match damage {
                    Damage::None | Damage::Garbled | Damage::Unkeyed => false,
                    Damage::CurrentLost => current,
                    Damage::AllLiveLost => day <= contract.last,
                    Damage::Gone => true,
                };
                if lost {
                    continue;
                }
                export.holds.insert((person, number));
                let end_is_known = day >= contract.last - contract.end_known;
                let end = match (damage, current) {
                    (Damage::Garbled, true) => "soon".to_owned(),
                    _ if end_is_known => date(contract.last).to_string(),
                    _ => String::new(),
                };
                let mut row = row(&format!("P{person}"));
                row = row.with("start", &date(contract.first).to_string()).with("end", &end);
                if damage == Damage::Unkeyed && current {
                    row = row.with("key", "");
                    export.complete = false;
                }
                export.rows.push(row);
            }
            if damage == Damage::None {
                export.sound.insert(person);
            }
        }
        // No two exports have one order.
        let by = |at: usize| (at as u64 + 1).wrapping_mul(self.seed.wrapping_add(day as u64) | 1) % 101;
        let mut order: Vec<(u64, usize)> = (0..export.rows.len()).map(|at| (by(at), at)).collect();
        order.sort_unstable();
        export.rows = order.into_iter().map(|(_, at)| export.rows[at].clone()).collect();
        export
    }

    fn world(&self) -> World {
        let mut world = World::new();
        world.policy.budgets = budgets(2);
        world.policy.budgets.archive.per_week = None;
        let anything = Expectations {
            max_drop_percent: 100.0,
            max_group_drop_percent: 100.0,
            ..Expectations::default()
        };
        world.policy.expectations.insert("hr".into(), anything);
        let hr = world.hr();
        hr.contracts = Some(Arc::new(compile_contracts(FROM_START_TO_END, "", "")));
        hr.history.last_good_keyless = Some(0);
        hr.history.last_good_unreadable = Some(0);
        // Somebody who is always there, so that the read is never empty.
        hr.rows.push(row("STAFF").with("start", "2020-01-01"));
        world
    }
}

fn card_of(world: &World, person: usize) -> Option<(CardId, bool)> {
    let key = format!("P{person}");
    let of = |card: &&crate::core::model::card::PersonCard| {
        card.fields.text(crate::core::model::field::CardField::EmployeeNumber) == Some(key.as_str())
    };
    let card = world.cards.values().find(of)?;
    Some((card.id.clone(), card.archived))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn nobody_with_a_contract_goes_and_whoever_has_none_goes_in_time(case in cases()) {
        let mut world = case.world();
        let staff = world.hr().rows.clone();
        let mut exports: BTreeMap<i64, Export> = BTreeMap::new();
        for day in 0..DAYS {
            let mut export = case.export(day);
            world.now = noon(day);
            world.hr().generation += 1;
            world.hr().rows = staff.iter().cloned().chain(std::mem::take(&mut export.rows)).collect();
            exports.insert(day, export);
            let judged = world.run();
            let sent: BTreeSet<CardId> = judged
                .approved
                .changes()
                .iter()
                .map(|approved| approved.change())
                .filter(|change| change.action.kind() == ActionKind::Archive)
                .filter_map(|change| change.card.clone())
                .collect();
            for (person, contracts) in case.people.iter().enumerate() {
                let Some((card, archived)) = card_of(&world, person) else { continue };
                if sent.contains(&card) {
                    for (number, _) in contracts.iter().enumerate().filter(|(_, it)| it.goes_on(day)) {
                        // What HR entered and no good read ever had nobody can know of.
                        let was_seen = (0..day).any(|day| {
                            exports[&day].complete && exports[&day].holds.contains(&(person, number))
                        });
                        // Three whole exports without it, one after the other; one that is not whole, or that has the row
                        // without its number, says nothing between them.
                        let is_there = |day: &i64| {
                            case.damage_on(person, *day) != Damage::Unkeyed && exports[day].holds.contains(&(person, number))
                        };
                        let lacking = (0..=day).rev().take_while(|day| !is_there(day));
                        let missing = lacking.filter(|day| exports[day].complete).count() >= 3;
                        prop_assert!(!was_seen || missing, "P{person} archived on day {day} with contract {number}");
                    }
                }
                // The last day was seen as such, and three whole exports say that it is over: archived by now.
                let ended = contracts.iter().map(|it| it.last).max().expect("a contract") + 1;
                let all_entered = contracts.iter().all(|it| it.entered < ended);
                let dated = contracts.iter().all(|it| it.last - it.end_known <= ended);
                let whole = |day: &i64| exports.get(day).is_some_and(|it| it.complete && it.sound.contains(&person));
                if day == ended + 1 && ended > 1 && all_entered && dated && (ended - 2..=day).all(|day| whole(&day)) {
                    prop_assert!(archived, "P{person} has left on day {ended} and is active on day {day}");
                }
                // Who works here has an active card.
                let works = contracts.iter().any(|it| it.entered <= day && (it.first..=it.last).contains(&day));
                if works && exports[&day].sound.contains(&person) {
                    prop_assert!(!archived, "P{person} works here on day {day}");
                }
            }
        }
    }

    #[test]
    fn the_order_of_rows_does_not_change_a_byte_of_the_plan(case in cases(), day in 0..DAYS, other in any::<u64>()) {
        let mapping = compile_contracts(FROM_START_TO_END, "", "");
        let mut case = case;
        // A record without a number is told by its line.
        for spell in case.damage.iter_mut().flatten().filter(|spell| spell.2 == Damage::Unkeyed) {
            spell.2 = Damage::Garbled;
        }
        let mut plans = Vec::new();
        for seed in [case.seed, other] {
            case.seed = seed;
            let mut world = case.world();
            for day in day - 1..=day {
                world.now = noon(day);
                world.hr().generation += 1;
                let mut rows = case.export(day).rows;
                for (at, row) in rows.iter_mut().enumerate() {
                    // Contracts that overlap differ in what they say.
                    let start = row.values["start"].clone();
                    *row = std::mem::take(row).with("job", if start.ends_with('1') { "Nurse" } else { "Clerk" });
                    row.line = Some(at as u64 + 100);
                }
                rows.push(row("STAFF").with("start", "2020-01-01"));
                world.hr().rows = rows;
                world.run();
            }
            let planned = plan(&world.input(), &mapping);
            plans.push(format!("{planned:?}"));
        }
        prop_assert_eq!(&plans[0], &plans[1]);
    }
}
