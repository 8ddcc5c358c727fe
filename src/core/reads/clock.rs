//! The machine's clock against those of TOPdesk and of the directories, and against the last run.
//!
//! A clock that is wrong makes leavers of people whose end date lies ahead, and ripens absence in one night. While it is
//! doubted nothing that depends on the time is evidence: such a condition gives 'unknown', nothing ripens, nothing is
//! counted, nobody is unarchived.

use crate::core::model::identity::Moment;
use crate::core::reads::snapshot::{Effect, Finding};
use chrono::{DateTime, Duration, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Clocks may differ by this much, and a clock may be put back by this much between two runs.
const TOLERANCE: Duration = Duration::minutes(10);

/// No run for longer than this, and no other clock to ask: then it may as well be the clock that jumped.
const LONGEST_PAUSE: Duration = Duration::days(14);

/// What a time is measured by besides the clocks of other machines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Yardsticks {
    /// The end of the last run, by the clock of the runs; `None` where a human named the day.
    pub last_run: Option<DateTime<Utc>>,
    /// The machine's own clock, also where a day is rehearsed.
    pub machine: Option<DateTime<Utc>>,
    /// When this program was built: the machine's clock cannot be before that.
    pub built: Option<DateTime<Utc>>,
    /// The newest change that TOPdesk shows on a card, by its clock.
    pub newest_change: Option<DateTime<Utc>>,
    /// The zone in which times are told to people; UTC where it is not known.
    pub zone: Option<Tz>,
}

impl Yardsticks {
    /// Only the end of the last run is known.
    pub fn of_last_run(end: DateTime<Utc>) -> Self {
        Self {
            last_run: Some(end),
            ..Self::default()
        }
    }

    fn in_words(&self, time: DateTime<Utc>) -> String {
        let time = time.with_timezone(&self.zone.unwrap_or(Tz::UTC));
        time.format("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// Whether TOPdesk shows that the machine's clock cannot have jumped far ahead: somebody changed a card lately.
    fn show_that_time_passed(&self) -> bool {
        let lately = self.newest_change.zip(self.machine);
        lately.is_some_and(|(change, machine)| machine - change <= LONGEST_PAUSE)
    }
}

/// A server's clock, and the machine's before and after the server told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// Whose it is: `topdesk`, or the name of a source.
    pub whose: String,
    pub theirs: DateTime<Utc>,
    pub began: DateTime<Utc>,
    pub ended: DateTime<Utc>,
}

impl ClockReading {
    /// How far the server is ahead; negative: behind. Zero while the answer may have come at that very moment.
    fn ahead(&self) -> Duration {
        if self.theirs > self.ended {
            self.theirs - self.ended
        } else if self.theirs < self.began {
            self.theirs - self.began
        } else {
            Duration::zero()
        }
    }
}

/// Whether the time of a run can be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJudgement {
    /// Why it cannot; empty: it can.
    pub doubts: Vec<Finding>,
    /// What time it is by the other clocks.
    pub others: Vec<DateTime<Utc>>,
}

impl ClockJudgement {
    /// Whether anything that depends on the time may be evidence.
    pub fn is_trusted(&self) -> bool {
        self.doubts.is_empty()
    }

    /// Whether the time of this run is no yardstick for the next one: another clock contradicts, or there is none and it
    /// cannot be.
    pub fn is_contradicted(&self) -> bool {
        self.doubts.iter().any(|doubt| NO_YARDSTICK.contains(&&*doubt.code))
    }

    fn doubt(&mut self, code: &str, other: DateTime<Utc>, message: String, cure: &str) {
        self.others.push(other);
        self.doubts.push(Finding::new(code, Effect::NoAbsence, message, cure));
    }

    /// The earliest of all clocks: by it nothing is forgotten too soon, such as what was sent in the window of a budget.
    pub fn earliest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.others.iter().copied().fold(now, DateTime::min)
    }

    /// The latest of all clocks: an approval that has expired by any of them waives nothing.
    pub fn latest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.others.iter().copied().fold(now, DateTime::max)
    }

    /// Moments at which a condition must give the same answer to be believed while the clock is doubted: the distant past
    /// and future, and what the clocks say.
    pub fn probes(&self, moment: Moment) -> Vec<Moment> {
        let distant = [-10_000_000_000, 10_000_000_000].map(|seconds| Utc.timestamp_opt(seconds, 0).single());
        let others = self.others.iter().copied();
        distant
            .into_iter()
            .flatten()
            .chain(others)
            .map(|now| moment.at(now))
            .collect()
    }
}

const DIFFERS: &str = "clock_differs";
const WENT_AHEAD: &str = "clock_went_ahead";
const BEFORE_BUILD: &str = "clock_before_build";

/// Codes of doubts after which the time of a run is no yardstick for the next one.
pub const NO_YARDSTICK: [&str; 3] = [DIFFERS, WENT_AHEAD, BEFORE_BUILD];

/// What is said wherever the doubt decides something.
pub const DOUBTED: &str = "the clock is doubted, see above: nothing that depends on the time counts in this run";

/// Judges the clock of a run. `now` is the run's time; in a rehearsal of another day it is that day, and the readings still
/// compare the machine's clock. Where another machine's clock can be asked, it decides; where none can, a jump is told by
/// the last run, by the age of this program and by what TOPdesk shows.
pub fn judge_clock(now: DateTime<Utc>, readings: &[ClockReading], known: &Yardsticks) -> ClockJudgement {
    let shown = |time: DateTime<Utc>| known.in_words(time);
    let mut judgement = ClockJudgement::default();
    for reading in readings {
        let ahead = reading.ahead();
        if ahead.abs() <= TOLERANCE {
            continue;
        }
        let (minutes, side) = if ahead > Duration::zero() {
            (ahead.num_minutes(), "behind")
        } else {
            ((-ahead).num_minutes(), "ahead of")
        };
        judgement.others.push(now + ahead);
        judgement.doubts.push(Finding::new(
            DIFFERS,
            Effect::NoAbsence,
            format!(
                "the clock of this machine is {minutes} minutes {side} that of {}, at most {} are accepted",
                reading.whose,
                TOLERANCE.num_minutes()
            ),
            "see which of the two is wrong, and set it: timedatectl",
        ));
    }
    if let Some(last) = known.last_run.filter(|last| now + TOLERANCE < *last) {
        judgement.doubt(
            "clock_went_back",
            last,
            format!(
                "it is {} by the clock of this machine, the last run ended {}",
                shown(now),
                shown(last)
            ),
            "set the clock: timedatectl; if it was wrong then and is right now, the next run believes it",
        );
    }
    if readings.is_empty() {
        alone(now, known, &mut judgement);
    }
    judgement
}

/// No other clock could be asked.
fn alone(now: DateTime<Utc>, known: &Yardsticks, judgement: &mut ClockJudgement) {
    let shown = |time: DateTime<Utc>| known.in_words(time);
    let long_ago = |last: &DateTime<Utc>| now - *last > LONGEST_PAUSE && !known.show_that_time_passed();
    if let Some(last) = known.last_run.filter(long_ago) {
        judgement.doubt(
            WENT_AHEAD,
            last,
            format!(
                "it is {} by the clock of this machine, the last run ended {}: {} days without a run, or the clock jumped, and \
                 no other clock could be asked",
                shown(now),
                shown(last),
                (now - last).num_days()
            ),
            "set the clock: timedatectl; if it is right, change any card in TOPdesk: its time of change shows it",
        );
    }
    let Some(machine) = known.machine else { return };
    if let Some(built) = known.built.filter(|built| machine + TOLERANCE < *built) {
        judgement.doubt(
            BEFORE_BUILD,
            built,
            format!(
                "it is {} by the clock of this machine, and this cardsync was built {}",
                shown(machine),
                shown(built)
            ),
            "set the clock: timedatectl",
        );
    }
    if let Some(change) = known.newest_change.filter(|change| machine + TOLERANCE < *change) {
        judgement.doubt(
            DIFFERS,
            change,
            format!(
                "it is {} by the clock of this machine, and TOPdesk shows a change of {}",
                shown(machine),
                shown(change)
            ),
            "see which of the two is wrong, and set it: timedatectl",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(1_800_000_000 + minutes * 60, 0)
            .single()
            .expect("a valid time")
    }

    fn reading(theirs: i64) -> ClockReading {
        ClockReading {
            whose: "topdesk".to_owned(),
            theirs: at(theirs),
            began: at(0),
            ended: at(30),
        }
    }

    fn judged(now: i64, readings: &[ClockReading], last_run: i64) -> ClockJudgement {
        judge_clock(at(now), readings, &Yardsticks::of_last_run(at(last_run)))
    }

    #[test]
    fn a_long_read_is_no_difference() {
        let nothing = Yardsticks::default();
        for theirs in [0, 15, 30, 40, -10] {
            assert!(
                judge_clock(at(0), &[reading(theirs)], &nothing).is_trusted(),
                "{theirs}"
            );
        }
        for (theirs, side) in [(41, "11 minutes behind"), (-11, "11 minutes ahead of")] {
            let judged = judge_clock(at(0), &[reading(theirs)], &nothing);
            assert!(judged.doubts[0].message.contains(side), "{}", judged.doubts[0].message);
            assert!(judged.is_contradicted());
        }
    }

    #[test]
    fn a_run_does_not_begin_long_before_the_last_one_ended() {
        for minutes in [10, 1, 0, -5] {
            assert!(judged(-minutes, &[], 0).is_trusted(), "{minutes} minutes are no doubt");
        }
        let judged = judged(-11, &[], 0);
        assert_eq!((judged.latest(at(-11)), judged.earliest(at(-11))), (at(0), at(-11)));
        assert!(!judged.is_trusted() && !judged.is_contradicted());
    }

    #[test]
    fn a_jump_ahead_is_doubted_where_nobody_confirms_it() {
        const DAY: i64 = 24 * 60;
        assert!(judged(14 * DAY, &[], 0).is_trusted());
        let jumped = judged(3 * 365 * DAY, &[], 0);
        assert_eq!(&*jumped.doubts[0].code, "clock_went_ahead");
        assert!(jumped.is_contradicted());
        assert_eq!(jumped.earliest(at(3 * 365 * DAY)), at(0));
        let confirming = ClockReading {
            whose: "topdesk".to_owned(),
            theirs: at(20 * DAY),
            began: at(20 * DAY),
            ended: at(20 * DAY),
        };
        assert!(
            judged(20 * DAY, &[confirming], 0).is_trusted(),
            "a real pause, and TOPdesk says so"
        );
        let mut known = Yardsticks {
            machine: Some(at(20 * DAY)),
            newest_change: Some(at(2 * DAY)),
            ..Yardsticks::of_last_run(at(0))
        };
        assert!(!judge_clock(at(20 * DAY), &[], &known).is_trusted());
        known.newest_change = Some(at(7 * DAY));
        assert!(
            judge_clock(at(20 * DAY), &[], &known).is_trusted(),
            "somebody worked lately"
        );
    }

    #[test]
    fn a_clock_before_the_build_or_before_what_topdesk_shows_is_wrong() {
        let known = Yardsticks {
            machine: Some(at(0)),
            built: Some(at(30)),
            newest_change: Some(at(60)),
            last_run: None,
            zone: None,
        };
        let codes: Vec<_> = judge_clock(at(0), &[], &known)
            .doubts
            .into_iter()
            .map(|it| it.code)
            .collect();
        assert_eq!(
            codes.iter().map(|code| &**code).collect::<Vec<_>>(),
            [BEFORE_BUILD, DIFFERS]
        );
        assert!(
            judge_clock(at(0), &[reading(0)], &known).is_trusted(),
            "another clock agrees"
        );
    }
}
