//! When a run is due: a cron expression on the wall clock of one time zone. Pure: the moment is an argument.
//!
//! Twice a year the wall clock skips or repeats time, and nothing may be lost or done twice by that:
//!
//! | the schedule | skipped time (spring) | repeated time (autumn) |
//! |---|---|---|
//! | runs at least once an hour there | skipped times fall away, the next is near | goes on through both passes |
//! | any other | runs once, right after the gap | runs in the first pass only |

mod pattern;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use pattern::Pattern;

/// A cron expression that cannot be used: what is wrong with which field, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {cure}")]
pub struct ScheduleError {
    /// What is wrong, e.g. `minute '75' is above 59`.
    pub message: String,
    /// What to do.
    pub cure: String,
}

impl ScheduleError {
    fn new(message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cure: cure.into(),
        }
    }
}

/// Checks a cron expression.
///
/// # Errors
/// When it has not 5, 6 or 7 fields, when a field cannot be read or can be read in two ways, or when it never comes.
pub fn check(cron: &str) -> Result<(), ScheduleError> {
    Pattern::parse(cron).map(drop)
}

/// When runs are due.
#[derive(Clone, Debug)]
pub struct Schedule {
    pattern: Pattern,
    zone: Tz,
}

impl Schedule {
    /// Reads a cron expression with 5, 6 (seconds first) or 7 (year last) fields, meant on the wall clock of `zone`.
    ///
    /// # Errors
    /// As [`check`].
    pub fn parse(cron: &str, zone: Tz) -> Result<Self, ScheduleError> {
        Ok(Self {
            pattern: Pattern::parse(cron)?,
            zone,
        })
    }

    /// The first moment after `now` at which a run is due; `None` when the years of the expression are over.
    pub fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut wall = now.with_timezone(&self.zone).naive_local();
        let repeated = self.in_second_pass(now, wall);
        let following = loop {
            let Some(next) = self.pattern.after(wall) else {
                break None;
            };
            match self.zone.from_local_datetime(&next) {
                LocalResult::Single(moment) => break Some(moment.with_timezone(&Utc)),
                LocalResult::Ambiguous(first, second) => {
                    let (first, second) = (first.with_timezone(&Utc), second.with_timezone(&Utc));
                    if first > now {
                        break Some(first);
                    }
                    let overlap = self.overlap(first, second);
                    if second > now && self.is_frequent(&overlap) {
                        break Some(second);
                    }
                    wall = overlap.last_wall();
                }
                LocalResult::None => {
                    let gap = self.gap(next);
                    if !self.is_frequent(&gap) {
                        break Some(gap.moment);
                    }
                    wall = gap.last_wall();
                }
            }
        };
        match (following, repeated) {
            (Some(following), Some(repeated)) => Some(following.min(repeated)),
            (one, other) => one.or(other),
        }
    }

    /// The next `n` moments after `now`; fewer when the years of the expression are over.
    pub fn upcoming(&self, now: DateTime<Utc>, n: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.next_after(now), |last| self.next_after(*last))
            .take(n)
            .collect()
    }

    /// In the first pass of repeated time: the first run of the second pass, whose wall-clock time may be behind us.
    fn in_second_pass(&self, now: DateTime<Utc>, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let LocalResult::Ambiguous(first, second) = self.zone.from_local_datetime(&wall) else {
            return None;
        };
        if first.with_timezone(&Utc) != now {
            return None;
        }
        let overlap = self.overlap(first.with_timezone(&Utc), second.with_timezone(&Utc));
        if !self.is_frequent(&overlap) {
            return None;
        }
        let next = self
            .pattern
            .after(overlap.start - Duration::seconds(1))
            .filter(|next| *next < overlap.end)?;
        self.zone
            .from_local_datetime(&next)
            .latest()
            .map(|moment| moment.with_timezone(&Utc))
    }

    /// Whether runs around and in this stretch of wall-clock time are at most an hour apart.
    fn is_frequent(&self, shift: &Shift) -> bool {
        let hour = Duration::hours(1);
        let Some(mut last) = self.pattern.after(shift.start - hour - Duration::seconds(1)) else {
            return false;
        };
        if last >= shift.start {
            return false;
        }
        while last < shift.end {
            match self.pattern.after(last) {
                Some(next) if next - last <= hour => last = next,
                _ => return false,
            }
        }
        true
    }

    /// The repeated stretch that has these two moments with one and the same wall-clock time.
    fn overlap(&self, first: DateTime<Utc>, second: DateTime<Utc>) -> Shift {
        let offset = |moment: DateTime<Utc>| self.offset(moment);
        let moment = first_where(first, second, |moment| offset(moment) == offset(second));
        Shift {
            start: moment.naive_utc() + offset(second),
            end: moment.naive_utc() + offset(first),
            moment,
        }
    }

    /// The skipped stretch that has this wall-clock time.
    fn gap(&self, wall: NaiveDateTime) -> Shift {
        // No zone is or was further from UTC than 16 hours, and none ever skipped more than a day.
        let (early, late) = (
            wall.and_utc() - Duration::hours(41),
            wall.and_utc() + Duration::hours(41),
        );
        let moment = first_where(early, late, |moment| {
            moment.with_timezone(&self.zone).naive_local() > wall
        });
        Shift {
            start: moment.naive_utc() + self.offset(moment - Duration::seconds(1)),
            end: moment.naive_utc() + self.offset(moment),
            moment,
        }
    }

    fn offset(&self, moment: DateTime<Utc>) -> Duration {
        let seconds = self
            .zone
            .offset_from_utc_datetime(&moment.naive_utc())
            .fix()
            .local_minus_utc();
        Duration::seconds(i64::from(seconds))
    }
}

/// A stretch of wall-clock time that is skipped or repeated, and the moment at which the clock is set.
struct Shift {
    start: NaiveDateTime,
    /// The first time after it.
    end: NaiveDateTime,
    moment: DateTime<Utc>,
}

impl Shift {
    fn last_wall(&self) -> NaiveDateTime {
        self.end - Duration::seconds(1)
    }
}

/// The first whole second in `(early, late]` for which the answer is yes; it is no at `early`, yes at `late`, and turns once.
fn first_where(early: DateTime<Utc>, late: DateTime<Utc>, answer: impl Fn(DateTime<Utc>) -> bool) -> DateTime<Utc> {
    let whole = |moment: DateTime<Utc>| moment.with_nanosecond(0).expect("every second begins");
    let (mut no, mut yes) = (whole(early), whole(late));
    while (yes - no).num_seconds() > 1 {
        let middle = no + Duration::seconds((yes - no).num_seconds() / 2);
        if answer(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}
