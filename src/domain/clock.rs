//! The machine's clock against those of TOPdesk and of the directories, and against the last run.
//!
//! A clock that is wrong makes leavers of people whose end date lies ahead, and ripens absence in one night. While it is
//! doubted nothing that depends on the time is evidence: such a condition gives 'unknown', nothing ripens, nothing is
//! counted, nobody is unarchived.

use super::identity::Moment;
use super::snapshot::{Effect, Finding};
use chrono::{DateTime, Duration, TimeZone, Utc};
use serde::{Deserialize, Serialize};

/// Clocks may differ by this much.
const TOLERANCE: Duration = Duration::minutes(10);

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

    /// Whether a clock of another machine contradicts: then the time of this run is no yardstick for the next one.
    pub fn is_contradicted(&self) -> bool {
        self.doubts.iter().any(|doubt| &*doubt.code == DIFFERS)
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

/// What is said wherever the doubt decides something.
pub const DOUBTED: &str = "the clock is doubted, see above: nothing that depends on the time counts in this run";

/// Judges the clock of a run. `now` is the run's time; in a rehearsal of another day it is that day, and the readings still
/// compare the machine's clock. `last_run` is the end of the last run; `None` where a human named the day.
pub fn judge_clock(now: DateTime<Utc>, readings: &[ClockReading], last_run: Option<DateTime<Utc>>) -> ClockJudgement {
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
    if let Some(last) = last_run.filter(|last| now < *last) {
        judgement.others.push(last);
        judgement.doubts.push(Finding::new(
            "clock_went_back",
            Effect::NoAbsence,
            format!(
                "it is {} by the clock of this machine, the last run ended {}",
                shown(now),
                shown(last)
            ),
            "set the clock: timedatectl; if it was wrong then and is right now, the next run believes it",
        ));
    }
    judgement
}

fn shown(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
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

    #[test]
    fn a_long_read_is_no_difference() {
        for theirs in [0, 15, 30, 40, -10] {
            assert!(judge_clock(at(0), &[reading(theirs)], None).is_trusted(), "{theirs}");
        }
        for (theirs, side) in [(41, "11 minutes behind"), (-11, "11 minutes ahead of")] {
            let judged = judge_clock(at(0), &[reading(theirs)], None);
            assert!(judged.doubts[0].message.contains(side), "{}", judged.doubts[0].message);
            assert!(judged.is_contradicted());
        }
    }

    #[test]
    fn a_run_does_not_begin_before_the_last_one_ended() {
        assert!(judge_clock(at(5), &[], Some(at(5))).is_trusted());
        let judged = judge_clock(at(4), &[], Some(at(5)));
        assert_eq!(judged.latest(at(4)), at(5));
        assert!(!judged.is_trusted() && !judged.is_contradicted());
    }
}
