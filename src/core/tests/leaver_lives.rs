//! Seven weeks of a few people whose HR errs and corrects and whose desk archives and wakes by hand, against an oracle of a
//! few lines: nobody is archived without evidence that had been seen before, and nobody who leaves is forgotten.

use super::world::{World, allowed, holds, names, skips};
use crate::core::model::ids::CardId;
use crate::core::plan::SkipReason;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use proptest::prelude::*;

/// What happens to somebody between two runs.
#[derive(Clone, Copy, Debug)]
enum Event {
    EndsIn(i64),
    Epoch,
    EndBeforeOurs,
    NoEnd,
    Status(bool),
    RowLost,
    RowBack,
    HandArchives,
    HandWakes,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (-12_i64..6).prop_map(Event::EndsIn),
        1 => Just(Event::Epoch),
        1 => Just(Event::EndBeforeOurs),
        3 => Just(Event::NoEnd),
        2 => any::<bool>().prop_map(Event::Status),
        3 => Just(Event::RowLost),
        3 => Just(Event::RowBack),
        2 => Just(Event::HandArchives),
        2 => Just(Event::HandWakes),
    ]
}

/// What is the case for one person.
#[derive(Clone, Debug, Default)]
struct Truth {
    end: Option<NaiveDate>,
    left: bool,
    lost: bool,
    /// The day of the first run that saw evidence, while it lasts; whether it was beyond doubt when last seen.
    seen: Option<NaiveDate>,
    certain: bool,
    /// The end that was seen before it came.
    announced: Option<NaiveDate>,
    /// Runs without the row, and the first of them.
    missed: u32,
    missed_since: Option<DateTime<Utc>>,
    archived_at_last_run: bool,
    woken: bool,
}

impl Truth {
    fn odd(&self, ours: NaiveDate) -> bool {
        !self.left && self.end.is_some_and(|end| end < ours)
    }

    fn evidence(&self, today: NaiveDate) -> bool {
        !self.lost && self.evidence_at(today)
    }

    fn evidence_at(&self, day: NaiveDate) -> bool {
        self.left || self.end.is_some_and(|end| end < day)
    }

    /// What a run on this day sees.
    fn look(&mut self, now: DateTime<Utc>, today: NaiveDate, ours: NaiveDate, archived: bool) {
        if self.archived_at_last_run && !archived {
            self.woken = true;
        }
        if self.lost {
            if !archived {
                self.missed += 1;
                self.missed_since.get_or_insert(now);
            }
            return;
        }
        (self.missed, self.missed_since) = (0, None);
        if self.evidence(today) {
            self.seen.get_or_insert(today);
            self.certain = !self.odd(ours);
        } else {
            (self.seen, self.certain) = (None, false);
            self.announced = self.end.filter(|_| !archived);
            self.woken &= archived;
        }
    }

    /// Whether the time to archive has come.
    fn due(&self, now: DateTime<Utc>, today: NaiveDate) -> bool {
        let ripe = self.seen.is_some_and(|day| day < today);
        let announced = !self.left && self.end.is_some() && self.end == self.announced;
        let long = self.missed >= 3
            && self
                .missed_since
                .is_some_and(|since| since + Duration::hours(48) <= now);
        match self.lost {
            // A date that is put forward counts from its own day again.
            false => (ripe || announced) && self.evidence(today) && self.evidence_at(today - Duration::days(1)),
            true => long || ripe && self.certain,
        }
    }
}

fn happen(world: &mut World, truth: &mut Truth, number: &str, event: Event, today: NaiveDate) {
    let card = format!("c-{number}");
    match event {
        Event::EndsIn(days) => truth.end = Some(today + Duration::days(days)),
        Event::Epoch => truth.end = NaiveDate::from_ymd_opt(1970, 1, 1),
        Event::EndBeforeOurs => truth.end = NaiveDate::from_ymd_opt(2026, 1, 20),
        Event::NoEnd => truth.end = None,
        Event::Status(left) => truth.left = left,
        Event::RowLost => truth.lost = true,
        Event::RowBack => truth.lost = false,
        Event::HandArchives | Event::HandWakes => {
            let now = world.now;
            let stored = world.card_mut(&card);
            let archived = matches!(event, Event::HandArchives);
            if stored.archived != archived {
                (stored.archived, stored.modified_at) = (archived, Some(now));
            }
        }
    }
    world.hr().rows.retain(|row| row.values["key"] != number);
    if !truth.lost {
        let end = truth.end.map(|end| end.to_string()).unwrap_or_default();
        let status = if truth.left { "left" } else { "" };
        let row = super::world::row(number).with("end", &end).with("status", status);
        world.hr().rows.push(row);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nobody_goes_unseen_and_nobody_is_forgotten(
        days in proptest::collection::vec(proptest::collection::vec((1_usize..6, event()), 0..3), 20..50),
        jitter in proptest::collection::vec(0_i64..10, 50),
    ) {
        let mut world = World::of(60);
        let ours = (world.now - Duration::days(30)).date_naive();
        let mut truths = vec![Truth::default(); 6];
        let start = world.now;
        for (day, events) in days.iter().enumerate() {
            world.now = start + Duration::days(i64::try_from(day).unwrap());
            let today = world.now.with_timezone(&world.zone).date_naive();
            for (who, event) in events {
                happen(&mut world, &mut truths[*who], &format!("E00{who}"), *event, today);
            }
            world.now += Duration::minutes(jitter[day]);
            let now = world.now;
            let archived = |world: &World, who: usize| world.cards[&CardId::new(format!("c-E00{who}"))].archived;
            let before: Vec<bool> = (0..6).map(|who| who > 0 && archived(&world, who)).collect();
            for who in 1..6 {
                truths[who].look(now, today, ours, before[who]);
            }
            world.hr().generation += 1;
            let judged = world.run();
            for who in 1..6 {
                let (truth, archive) = (&mut truths[who], format!("archive c-E00{who}"));
                let planned = names(&judged.plan).contains(&archive);
                let due = !before[who] && truth.due(now, today);
                let stays = skips(&judged.plan).contains(&(SkipReason::UnarchivedByHand, format!("c-E00{who}")));
                // Liveness: who is due goes, or waits and is told.
                prop_assert_eq!(due, planned || stays, "E00{} on {}: {:?}", who, today, truth);
                // Harm: what a human woke stays, and a date in doubt archives nobody.
                prop_assert_eq!(stays, due && truth.woken, "E00{} on {}: {:?}", who, today, truth);
                if planned {
                    let doubted = holds(&judged, &archive).iter().any(|code| code.starts_with("doubtful_date"));
                    let odd = !truth.lost && truth.odd(ours);
                    prop_assert_eq!(doubted, odd, "E00{} on {}: {:?}", who, today, truth);
                    prop_assert!(!odd || !allowed(&judged).contains(&archive));
                }
                truth.archived_at_last_run = archived(&world, who);
                // What cardsync itself woke for somebody who is back was not woken by hand.
                if before[who] && !truth.archived_at_last_run {
                    truth.woken = false;
                }
            }
        }
    }
}
