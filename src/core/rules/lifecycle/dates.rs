//! Evidence with a date: since when it counts, when it will hold, and when a date is not taken at its word (RULES 4.6).

use super::decisive;
use crate::core::input::PlanInput;
use crate::core::memory::decision::Contact;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::hour;
use crate::core::model::identity::{Describe, FirstDay, JoinedRecord, Moment, Truth};
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::ActionKind;
use crate::core::plan::hold::HoldReason;
use crate::core::reads::merge::Person;
use chrono::{DateTime, Duration, Months, NaiveDate, TimeZone, Utc};

/// Whether the leaver condition holds at moments other than now.
pub(super) struct Holding<'a> {
    pub describe: &'a dyn Describe,
    /// Without what is no evidence: [`super::decisive`].
    pub joined: &'a JoinedRecord<'a>,
    pub moment: Moment,
}

impl Holding<'_> {
    pub(super) fn at(&self, time: DateTime<Utc>) -> bool {
        let moment = self.moment.at(time);
        self.describe.leaving(self.joined, moment) == Truth::True
    }

    /// Whether it depends on the date. A condition that holds in a far past does not: a status, an OU, a disabled account.
    pub(super) fn by_date(&self) -> bool {
        let far_past = Utc.timestamp_opt(-10_000_000_000, 0).single().expect("a valid time");
        !self.at(far_past)
    }

    fn at_end_of(&self, day: NaiveDate) -> bool {
        hour::end_of_day(day, self.moment.zone).is_some_and(|end| self.at(end))
    }

    /// The first day that it has held on without a break, looked for by halves.
    pub(super) fn began(&self) -> NaiveDate {
        let today = self.moment.today();
        let day = |back: i64| today.checked_sub_signed(Duration::days(back)).unwrap_or(NaiveDate::MIN);
        let (mut holds, mut holds_not) = (0, 150 * 366);
        while holds_not - holds > 1 {
            let middle = (holds + holds_not) / 2;
            if self.at_end_of(day(middle)) {
                holds = middle
            } else {
                holds_not = middle
            }
        }
        day(holds)
    }

    /// Whether evidence that begins with a date has held long enough: since `begun`, and, where its day had passed when it was
    /// first seen, since that sight. How long ago it was says nothing then, for it may be a slip.
    pub(super) fn is_ripe(&self, sight: FirstSight, begun: DateTime<Utc>, after: Duration) -> bool {
        if !self.at(begun) {
            return false;
        }
        let zone = self.moment.zone;
        let first_seen = sight.at.unwrap_or(self.moment.now);
        let day = hour::start_of_day(first_seen.with_timezone(&zone).date_naive(), zone).unwrap_or(first_seen);
        let had_passed = self.at(day - Duration::seconds(1));
        !had_passed
            || sight.is_baseline
            || sight.announced.is_some_and(|day| day == self.began())
            || sight.is_seen_by(begun, after, self.moment)
    }
}

/// When evidence of leaving was first seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct FirstSight {
    /// When a run first saw it hold; `None`: now.
    pub at: Option<DateTime<Utc>>,
    /// The day on which it was to begin, as was seen before it came.
    pub announced: Option<NaiveDate>,
    /// It stood there at first contact, or a changed configuration brought it: it waits for an approval anyway.
    pub is_baseline: bool,
}

/// A run that is made every day does not begin at the same second, and a day has passed all the same.
const RUNS_DIFFER: Duration = Duration::minutes(10);

impl FirstSight {
    /// What is remembered of when the evidence of a card's person was first seen. `doubted`: the card may be somebody else's.
    pub fn of_card(
        input: &PlanInput,
        key: &Key,
        card: &CardId,
        known: Option<&LedgerEntry>,
        doubted: bool,
    ) -> FirstSight {
        let PlanInput { contact, moment, .. } = input;
        match known {
            Some(entry) => {
                // What was seen under another number is no first sight of this one.
                let seen = if doubted || entry.key.as_ref() == Some(key) {
                    FirstSight::from(entry)
                } else {
                    FirstSight::default()
                };
                let slot = Contact::slot(card, ActionKind::Archive);
                FirstSight {
                    is_baseline: contact.waiting.contains_key(&slot),
                    ..seen
                }
            }
            // Nothing is remembered of a card that may be somebody else's, and its archive waits for an answer anyway.
            None => FirstSight {
                at: doubted.then(|| moment.now - Duration::days(3653)),
                announced: None,
                is_baseline: contact.seen.is_none(),
            },
        }
    }

    /// Whether it had been seen at `begun`.
    pub(crate) fn is_seen_by(self, begun: DateTime<Utc>, after: Duration, moment: Moment) -> bool {
        // A look at a moment just before that of the run has seen it too.
        let first_seen = self.at.map_or(moment.now, |at| at.min(moment.now));
        if hour::is_whole_days(after) {
            first_seen - RUNS_DIFFER <= begun
        } else {
            first_seen <= begun
        }
    }
}

impl From<&LedgerEntry> for FirstSight {
    fn from(entry: &LedgerEntry) -> Self {
        Self {
            at: entry.leaving_since,
            announced: entry.leaves_on,
            is_baseline: false,
        }
    }
}

/// How far back an end may lie on a card that was in step.
const YEARS_BACK: u32 = 5;

/// Why the date in the leaver condition of somebody who leaves is not taken at its word; `None`: it is, or there is none.
/// `known`: what is remembered of the person's card.
pub fn doubt(
    describe: &dyn Describe,
    person: &Person<'_>,
    input: &PlanInput,
    known: Option<&LedgerEntry>,
) -> Option<HoldReason> {
    let moment = input.moment;
    let joined = decisive(person);
    let holding = Holding {
        describe,
        joined: &joined,
        moment,
    };
    if !input.clock.is_trusted() || !holding.at(moment.now) {
        return None;
    }
    let first_day = match describe.first_day(&joined, moment) {
        Some(FirstDay::On(day)) => Some(day),
        Some(FirstDay::Blank | FirstDay::Unknown(_)) | None => None,
    };
    match describe.leaving_beyond_doubt(&joined, moment, first_day) {
        Truth::True => {}
        Truth::False => {
            return Some(doubtful(
                "lifecycle.leaver.when rests on a date that is in doubt".to_owned(),
            ));
        }
        Truth::Unknown(what) => return Some(doubtful(what)),
    }
    let known = known?;
    let shown_active = known.leaving_since.is_none_or(|first_seen| first_seen > known.since);
    if !shown_active || !holding.by_date() {
        return None;
    }
    let since = known.since.with_timezone(&moment.zone).date_naive();
    let first_seen = known.leaving_since.unwrap_or(moment.now);
    long_past(holding.began(), since, first_seen, moment)
}

fn doubtful(what: String) -> HoldReason {
    HoldReason::DoubtfulDate { what }
}

/// An end that lies before the time in which the source showed the person as active, run by run. `end`: the day from which
/// on it holds; `since`: when the card became ours; `first_seen`: when it was first seen to hold.
pub fn long_past(end: NaiveDate, since: NaiveDate, first_seen: DateTime<Utc>, moment: Moment) -> Option<HoldReason> {
    if end <= since {
        return Some(doubtful(format!(
            "the end that it gives was over by {end}, before the card became ours on {since}, and the source has shown the \
             person as active since then"
        )));
    }
    let seen = first_seen.with_timezone(&moment.zone).date_naive();
    let long_ago = seen.checked_sub_months(Months::new(12 * YEARS_BACK))?;
    (end <= long_ago).then(|| {
        doubtful(format!(
            "the end that it gives was over by {end}, more than {YEARS_BACK} years before it was first seen, and the card \
             was in step since then"
        ))
    })
}

/// The last day before the leaver condition holds, where a date in it decides that: passed, or near.
pub fn last_day(describe: &dyn Describe, person: &Person<'_>, moment: Moment) -> Option<NaiveDate> {
    if !describe.leaves_by_date() {
        return None;
    }
    let joined = decisive(person);
    let holding = Holding {
        describe,
        joined: &joined,
        moment,
    };
    let first = if !holding.at(moment.now) {
        leaves_on(describe, person, moment)
    } else {
        holding.by_date().then(|| holding.began())
    };
    first?.pred_opt()
}

/// How far ahead end dates are looked for.
const LOOK_AHEAD_DAYS: i64 = 90;

/// The day on which the leaver condition of somebody who stays now begins to hold, where that is near, whatever the time of
/// day. Looked for by halves: a condition that is not true for good once it is true may give any of its days.
pub fn leaves_on(describe: &dyn Describe, person: &Person<'_>, moment: Moment) -> Option<NaiveDate> {
    if !describe.leaves_by_date() {
        return None;
    }
    let joined = decisive(person);
    let holding = Holding {
        describe,
        joined: &joined,
        moment,
    };
    let day = |ahead: i64| moment.today().checked_add_signed(Duration::days(ahead));
    let holds = |ahead: i64| day(ahead).is_some_and(|day| holding.at_end_of(day));
    if holds(0) {
        return day(0);
    }
    if !holds(LOOK_AHEAD_DAYS) {
        return None;
    }
    let (mut stays, mut leaves) = (0, LOOK_AHEAD_DAYS);
    while leaves - stays > 1 {
        let middle = (stays + leaves) / 2;
        if holds(middle) { leaves = middle } else { stays = middle }
    }
    day(leaves)
}
