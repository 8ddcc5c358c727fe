//! The daemon: wires the parts of an environment together and runs it on its schedule until it is told to stop. What is
//! due when is pure and stands in [`schedule`].

pub mod audit;
mod reading;
pub mod run_once;
pub mod schedule;
mod serve;
pub mod wiring;

pub use serve::serve;

use crate::config::Config;
use crate::config::policy::zone;
use chrono::{DateTime, Utc};

/// The next runs of a configuration, as local times; `None` without a schedule.
pub fn upcoming(config: &Config, now: DateTime<Utc>, count: usize) -> Option<Result<Vec<String>, String>> {
    let cron = &config.schedule.as_ref()?.cron;
    let zone = zone(config);
    let schedule = schedule::Schedule::parse(cron, zone);
    Some(schedule.map_err(|error| error.to_string()).map(|schedule| {
        let times = schedule.upcoming(now, count);
        times
            .into_iter()
            .map(|due| due.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z").to_string())
            .collect()
    }))
}
