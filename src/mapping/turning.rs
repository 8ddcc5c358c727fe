//! When a condition turns with nothing but time: the days that it compares with today. For a row of an export with a row per
//! contract this tells a contract that has ended from one that has not begun.

use super::evaluate::Scope;
use super::expression::{Comparison, Expr, Program};
use super::inputs::Records;
use super::value::Value;
use crate::core::model::identity::Moment;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use std::collections::BTreeSet;

/// Two moments so far apart show which side of a comparison goes with the clock.
const FAR: i64 = 1000;

/// A comparison of a date of the record with the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// It becomes true with time, as that of a start date does.
    pub rises: bool,
    /// The date of the record; `None`: blank, or not a date.
    pub date: Option<NaiveDate>,
    /// The day on which the clock comes to it: the date itself, or some days from it (`today + days(14)`).
    pub day: Option<NaiveDate>,
}

impl Program {
    /// Every comparison with the clock over these records, in the order of the expression.
    pub fn turns(&self, records: Records<'_>, moment: Moment) -> Vec<Turn> {
        let mut turns = Vec::new();
        let now = Scope::of(self, records, moment);
        let then = Scope::of(self, records, moment.at(moment.now + Duration::days(FAR)));
        walk(&self.root, false, &now, &then, &mut turns);
        turns
    }

    /// Whether it would hold if every comparison with the clock did: what is left says no for a reason that no date has.
    pub fn holds_apart_from_dates(&self, records: Records<'_>, moment: Moment) -> bool {
        apart(&self.root, &Scope::of(self, records, moment))
    }
}

/// The days on which the answer can change.
pub fn days(turns: &[Turn]) -> BTreeSet<NaiveDate> {
    let days = turns.iter().filter_map(|turn| turn.day);
    days.flat_map(|day| [Some(day), day.succ_opt()]).flatten().collect()
}

/// The beginning and the end of a day in the zone of the moment: dates are compared alike at both, times of day are not.
pub fn ends_of(day: NaiveDate, moment: Moment) -> (Moment, Moment) {
    let at = |hour, minute| {
        let time = NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day");
        let local = day.and_time(time);
        // Where the clocks are put forward over midnight, noon is the same day.
        let noon = day.and_time(NaiveTime::from_hms_opt(12, 0, 0).expect("a time of day"));
        let found = moment.zone.from_local_datetime(&local).earliest();
        let found = found.or_else(|| moment.zone.from_local_datetime(&noon).earliest());
        moment.at(found.map_or_else(|| Utc.from_utc_datetime(&noon), |time| time.to_utc()))
    };
    (at(0, 0), at(23, 59))
}

fn walk<'a>(expr: &'a Expr, negated: bool, now: &Scope<'a>, then: &Scope<'a>, turns: &mut Vec<Turn>) {
    match expr {
        Expr::Constant(_) | Expr::Input(_) | Expr::Today | Expr::Now => {}
        Expr::Compare {
            comparison,
            left,
            right,
            ..
        } if left.reads_clock() || right.reads_clock() => {
            turns.extend(turn(*comparison, [left, right], negated, now, then));
        }
        Expr::Compare { left, right, .. } | Expr::Add { left, right, .. } => {
            [left, right]
                .into_iter()
                .for_each(|part| walk(part, negated, now, then, turns));
        }
        Expr::List(parts) | Expr::Text(parts) | Expr::All(parts) | Expr::Any(parts) => {
            parts.iter().for_each(|part| walk(part, negated, now, then, turns));
        }
        Expr::Not(inner) => walk(inner, !negated, now, then, turns),
        Expr::Within { needle, list, .. } => {
            [needle, list]
                .into_iter()
                .for_each(|part| walk(part, negated, now, then, turns));
        }
        Expr::Choose { test, yes, no } => {
            [test, yes, no]
                .into_iter()
                .for_each(|part| walk(part, negated, now, then, turns));
        }
        Expr::Default { value, other } => {
            [value, other]
                .into_iter()
                .for_each(|part| walk(part, negated, now, then, turns));
        }
        Expr::Filter { input, .. } | Expr::Test { input, .. } => walk(input, negated, now, then, turns),
    }
}

fn turn<'a>(
    comparison: Comparison,
    [left, right]: [&'a Expr; 2],
    negated: bool,
    now: &Scope<'a>,
    then: &Scope<'a>,
) -> Option<Turn> {
    let (left_now, right_now) = (now.evaluate(left), now.evaluate(right));
    let left_stands = left_now == then.evaluate(left);
    let right_stands = right_now == then.evaluate(right);
    let rises_on_the_left = match comparison {
        Comparison::Less | Comparison::LessOrEqual => Some(true),
        Comparison::Greater | Comparison::GreaterOrEqual => Some(false),
        // On one day only: neither a beginning nor an end.
        Comparison::Equal | Comparison::Unequal => None,
    };
    let (date, clock, rises) = match (left_stands, right_stands) {
        (true, false) => (left_now, right_now, rises_on_the_left),
        (false, true) => (right_now, left_now, rises_on_the_left.map(|rises| !rises)),
        (true, true) | (false, false) => return None,
    };
    let date = day_of(&date, now.moment());
    let clock = day_of(&clock, now.moment())?;
    let today = now.moment().today();
    let day = date.and_then(|date| today.checked_add_signed(date - clock));
    Some(Turn {
        rises: rises.is_some_and(|rises| rises != negated),
        date,
        day,
    })
}

fn day_of(value: &Value<'_>, moment: Moment) -> Option<NaiveDate> {
    let local = |time: &DateTime<Utc>| time.with_timezone(&moment.zone).date_naive();
    match value {
        Value::Date(date) => Some(*date),
        Value::DateTime(time) => Some(local(time)),
        _ => None,
    }
}

fn apart<'a>(expr: &'a Expr, scope: &Scope<'a>) -> bool {
    match expr {
        Expr::All(parts) => parts.iter().all(|part| apart(part, scope)),
        Expr::Any(parts) => parts.iter().any(|part| apart(part, scope)),
        Expr::Compare { left, right, .. } if left.reads_clock() || right.reads_clock() => true,
        other => scope.evaluate(other) == Value::Bool(true),
    }
}
