//! The rolling windows of the budgets (RULES 8.2): what any command sent in the last 24 hours and 7 days counts, so that
//! nothing passes in slices that would have been held in one piece.

use crate::core::rules::policy::BudgetClass;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A span of time that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
}

impl Window {
    /// Both, the longer one first: where both are full, room comes back with the longer one.
    pub const LONGEST_FIRST: [Window; 2] = [Window::Week, Window::Day];

    /// How long it is.
    pub fn span(self) -> Duration {
        match self {
            Window::Day => Duration::hours(24),
            Window::Week => Duration::days(7),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Window::Day => "24 hours",
            Window::Week => "7 days",
        })
    }
}

/// Items of one class that were sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    pub class: BudgetClass,
    /// When the last of them was sent.
    pub at: DateTime<Utc>,
    pub items: u64,
}

/// What was sent in the longest window, whatever command sent it. What is in doubt counts, what surely was not done does
/// not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetUsed(Vec<Spent>);

impl BudgetUsed {
    /// In any order.
    pub fn new(mut spent: Vec<Spent>) -> Self {
        spent.sort_by_key(|spent| (spent.at, spent.class));
        Self(spent)
    }

    /// Everything, oldest first.
    pub fn spent(&self) -> &[Spent] {
        &self.0
    }

    fn of(&self, class: BudgetClass, window: Window, now: DateTime<Utc>) -> impl Iterator<Item = &Spent> {
        let counts = move |spent: &&Spent| spent.class == class && spent.at + window.span() > now;
        self.0.iter().filter(counts)
    }

    /// Items of a class in a window.
    pub fn within(&self, class: BudgetClass, window: Window, now: DateTime<Utc>) -> u64 {
        self.of(class, window, now).map(|spent| spent.items).sum()
    }

    /// When so many more items fit below the limit, if nothing else is sent; `None` where they never do.
    pub fn room_at(
        &self,
        class: BudgetClass,
        window: Window,
        now: DateTime<Utc>,
        more: u64,
        limit: u64,
    ) -> Option<DateTime<Utc>> {
        let mut used = self.within(class, window, now) + more;
        if used <= limit {
            return Some(now);
        }
        self.of(class, window, now).find_map(|spent| {
            used -= spent.items;
            (used <= limit).then(|| spent.at + window.span())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(hours: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(hours * 3600, 0).single().expect("a valid time")
    }

    fn used() -> BudgetUsed {
        let spent = |hours, items| Spent {
            class: BudgetClass::Archive,
            at: at(hours),
            items,
        };
        BudgetUsed::new(vec![spent(30, 2), spent(0, 3), spent(40, 1)])
    }

    #[test]
    fn a_window_forgets_what_is_older() {
        let within = |window, now| used().within(BudgetClass::Archive, window, at(now));
        assert_eq!(within(Window::Day, 41), 3);
        assert_eq!(within(Window::Day, 54), 1);
        assert_eq!(within(Window::Week, 54), 6);
        assert_eq!(within(Window::Week, 168), 3);
        assert_eq!(used().within(BudgetClass::Create, Window::Week, at(54)), 0);
    }

    #[test]
    fn room_comes_back_when_enough_is_older() {
        let room = |more, limit| used().room_at(BudgetClass::Archive, Window::Week, at(48), more, limit);
        assert_eq!(room(1, 7), Some(at(48)));
        assert_eq!(room(1, 6), Some(at(168)));
        assert_eq!(room(3, 4), Some(at(30 + 168)));
        assert_eq!(room(4, 4), Some(at(40 + 168)));
        assert_eq!(room(5, 4), None, "never");
    }
}
