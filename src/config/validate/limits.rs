//! Conditions, lifecycle, budgets and the schedule.

use super::is_blank;
use crate::config::problem::Fault;
use crate::config::units::Percent;
use crate::config::{BudgetConfig, Config};

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
        .is_some_and(|leaver| is_blank(&leaver.when))
    {
        let cure = "write a condition such as \"{{ hr['End date'] | date < today }}\", or take 'leaver' out";
        faults.push(Fault::new("lifecycle.leaver.when", "is blank", cure));
    }
}

pub fn lifecycle(config: &Config, faults: &mut Vec<Fault>) {
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

pub fn budgets(config: &Config, faults: &mut Vec<Fault>) {
    for (class, budget) in config.guard.written() {
        let Some(BudgetConfig { max, percent }) = budget else {
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
        && let Some(message) = cron_fault(&schedule.cron)
    {
        let cure = "write e.g. \"*/30 6-20 * * mon-fri\": minute, hour, day, month, weekday";
        faults.push(Fault::new("schedule.cron", message, cure));
    }
}

/// What is wrong with the form of a cron expression: the number of fields and their characters. Whether the numbers are
/// in range is known where times are calculated.
pub fn cron_fault(cron: &str) -> Option<String> {
    let fields = cron.split_whitespace().count();
    if !(5..=7).contains(&fields) {
        return Some(format!("has {fields} fields, not 5, 6 or 7"));
    }
    let strange = |c: &char| !c.is_ascii_alphanumeric() && !matches!(c, '*' | '/' | ',' | '-' | '?' | '#' | ' ');
    cron.chars()
        .find(strange)
        .map(|c| format!("has a '{}' in it", c.escape_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_has_five_to_seven_fields() {
        for good in ["*/30 6-20 * * mon-fri", "0 0 6 * * *", "0 0 6 1,15 * ? 2030"] {
            assert_eq!(cron_fault(good), None, "{good}");
        }
        for bad in [
            "",
            "6 * *",
            "0 0 6 * * * * *",
            "0 6 * * mon;fri",
            "every day at six o'clock",
        ] {
            assert!(cron_fault(bad).is_some(), "{bad}");
        }
    }
}
