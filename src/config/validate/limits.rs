//! Conditions, lifecycle, budgets and the schedule.

use super::is_blank;
use crate::config::problem::Fault;
use crate::config::units::{Percent, Span};
use crate::config::{BudgetConfig, Config, JoinerConfig, LeaverConfig, SspAccess};
use crate::core::model::field::CardField;
use crate::schedule::ScheduleError;

/// A limit above this share of the cards is none.
const MOST_PERCENT: f64 = 50.0;

pub fn conditions(config: &Config, faults: &mut Vec<Fault>) {
    if config.include.as_deref().is_some_and(is_blank) {
        faults.push(Fault::new(
            "include",
            "is blank",
            "write a condition, or take the option out: then everybody is in scope",
        ));
    }
    if config
        .lifecycle
        .leaver
        .as_ref()
        .and_then(|leaver| leaver.when.as_deref())
        .is_some_and(is_blank)
    {
        let cure = "write a condition such as \"{{ hr['End date'] | date < today }}\", or take 'leaver' out";
        faults.push(Fault::new("lifecycle.leaver.when", "is blank", cure));
    }
}

fn leavers(config: &Config, leaver: &LeaverConfig, faults: &mut Vec<Fault>) {
    let per_contract = config
        .sources
        .iter()
        .any(|source| source.options().contracts().is_some());
    if leaver.when.is_none() && !per_contract {
        let message = "is missing: no source has a row per contract, and so nothing says that somebody leaves";
        let cure = "write a condition such as \"{{ hr['End date'] | date < today }}\", or take 'leaver' out";
        faults.push(Fault::new("lifecycle.leaver.when", message, cure));
    }
    if !leaver.gap.is_zero() && !per_contract {
        let message = "no source has a row per contract: there is no gap between two contracts";
        let cure = "write how long evidence must hold as 'after', or take 'gap' out";
        faults.push(Fault::new("lifecycle.leaver.gap", message, cure));
    }
    if leaver.gap != Span::days(leaver.gap.chrono().num_days().unsigned_abs()) {
        faults.push(Fault::new(
            "lifecycle.leaver.gap",
            format!("{} is not a number of days", leaver.gap),
            "write whole days, e.g. 14d: contracts begin and end on days",
        ));
    }
}

pub fn lifecycle(config: &Config, faults: &mut Vec<Fault>) {
    if let Some(leaver) = &config.lifecycle.leaver {
        leavers(config, leaver, faults);
    }
    if let Some(joiner) = &config.lifecycle.joiner {
        joiners(config, joiner, faults);
    }
    let reads = config.lifecycle.missing.reads;
    if reads < 2 {
        let message = format!("{reads} is too few: one read without somebody proves nothing");
        faults.push(Fault::new(
            "lifecycle.missing.reads",
            message,
            "write 2 or more; 3 is the default",
        ));
    }
}

fn joiners(config: &Config, joiner: &JoinerConfig, faults: &mut Vec<Fault>) {
    if is_blank(&joiner.starts) {
        let cure =
            "write an expression that gives a date, such as \"{{ hr['Start date'] | date }}\", or take 'joiner' out";
        faults.push(Fault::new("lifecycle.joiner.starts", "is blank", cure));
    }
    let before = joiner.before;
    if before.chrono() != chrono::Duration::days(before.chrono().num_days()) {
        faults.push(Fault::new(
            "lifecycle.joiner.before",
            format!("{before} is not a number of whole days: a first working day has no hour"),
            "write days, e.g. 14d; 0d is the day itself",
        ));
    }
    let mapped = config.fields.contains_key(&CardField::HasSspAccess.name());
    if joiner.ssp_access == SspAccess::OnTheDay && mapped {
        let cure = "take fields.hasSspAccess out, or write ssp_access: at_once and let the mapping look at the date";
        faults.push(Fault::new(
            "lifecycle.joiner.ssp_access",
            "on_the_day gives what create.hasSspAccess says, and fields.hasSspAccess rules the same flag",
            cure,
        ));
    }
}

pub fn budgets(config: &Config, faults: &mut Vec<Fault>) {
    for (class, budget) in config.guard.written() {
        let Some(BudgetConfig { max, percent, per_week }) = budget else {
            continue;
        };
        let path = format!("guard.{class}");
        if max.is_none() && percent.is_none() {
            let cure = "write { max: 20 } or { percent: 2% } or both, or take it out to have the default";
            faults.push(Fault::new(
                &path,
                "has no limit, and a budget is never switched off",
                cure,
            ));
        }
        if let (Some(max), Some(per_week)) = (max, per_week)
            && per_week < max
        {
            let message = format!("{per_week} in 7 days is less than {max} in 24 hours");
            let cure =
                "write a number that is not less than max, or take it out: then 7 days have the same limit as 24 hours";
            faults.push(Fault::new(format!("{path}.per_week"), message, cure));
        }
        if let Some(Percent(share)) = percent
            && share > MOST_PERCENT
        {
            let message = format!("{share}% is no limit: half of all cards in one run is an accident, not a change");
            let cure = format!("write at most {MOST_PERCENT}%; a bigger change waits for `approve` and loses nothing");
            faults.push(Fault::new(format!("{path}.percent"), message, cure));
        }
    }
}

pub fn protect(config: &Config, faults: &mut Vec<Fault>) {
    let protect = &config.guard.protect;
    for (n, key) in protect.keys.iter().enumerate() {
        if is_blank(key) {
            faults.push(Fault::new(
                format!("guard.protect.keys[{n}]"),
                "is blank",
                "write a key",
            ));
        }
    }
    for (n, card) in protect.cards.iter().enumerate() {
        if uuid::Uuid::try_parse(card).is_err() {
            let cure = "write the id of a person card, e.g. 2c4b6a8e-0d1f-4a3b-9c5d-7e8f9a0b1c2d";
            faults.push(Fault::new(
                format!("guard.protect.cards[{n}]"),
                "is not a card id",
                cure,
            ));
        }
    }
    if protect.query.as_deref().is_some_and(is_blank) {
        faults.push(Fault::new(
            "guard.protect.query",
            "is blank",
            "write a query, or take the option out",
        ));
    }
}

pub fn schedule(config: &Config, faults: &mut Vec<Fault>) {
    if let Some(schedule) = &config.schedule
        && let Err(ScheduleError { message, cure }) = crate::schedule::check(&schedule.cron)
    {
        faults.push(Fault::new("schedule.cron", message, cure));
    }
}

/// Shortest times: budgets count a week of the journal, reads of two weeks are the yardstick for the next one.
const SHORTEST_JOURNAL: Span = Span::days(30);
const SHORTEST_REST: Span = Span::days(14);

pub fn retention(config: &Config, faults: &mut Vec<Fault>) {
    let kept = &config.store.retention;
    for (name, span, shortest) in [
        ("journal", kept.journal, SHORTEST_JOURNAL),
        ("values", kept.values, SHORTEST_REST),
        ("reports", kept.reports, SHORTEST_REST),
    ] {
        if span < shortest {
            let cure = format!("write {shortest} or more");
            faults.push(Fault::new(
                format!("store.retention.{name}"),
                format!("{span} is too short"),
                cure,
            ));
        }
    }
    if kept.values > kept.journal {
        let message = format!(
            "{} is longer than the journal itself is kept ({})",
            kept.values, kept.journal
        );
        let cure = "write at most what store.retention.journal has";
        faults.push(Fault::new("store.retention.values", message, cure));
    }
}
