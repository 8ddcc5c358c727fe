//! `holds --decisions`: who decided what, when, and how long it holds.

use super::out::Paint;
use crate::cli::out::line;
use crate::domain::decision::Answer;
use crate::engine::state::LoggedDecision;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// The log, newest first.
pub(super) fn as_text(log: &[LoggedDecision], now: DateTime<Utc>, zone: Tz, paint: Paint) -> String {
    if log.is_empty() {
        return "Nothing was decided yet.\n".to_owned();
    }
    let when = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
    let mut text = String::new();
    let mut later = BTreeSet::new();
    for logged in log {
        let decision = &logged.decision;
        let replaced = !later.insert(&decision.item);
        let verb = match decision.answer {
            Answer::Approve => "approved",
            Answer::Reject => "rejected",
        };
        let parts = [
            logged.action.map(|action| action.to_string()),
            logged.key.as_ref().map(ToString::to_string),
            logged.card.as_ref().map(|card| format!("({card})")),
        ];
        let about: Vec<String> = parts.into_iter().flatten().collect();
        let what = if about.is_empty() {
            String::new()
        } else {
            format!(" {}", about.join(" "))
        };
        let title = format!(
            "{}  {verb} by {}: [{}]{what}",
            when(decision.at),
            decision.by,
            decision.item
        );
        line!(text, "{}", paint.strong(&title));
        let state = match decision.until {
            _ if replaced => "replaced by a later decision".to_owned(),
            Some(until) if until <= now => format!("ended {}", when(until)),
            Some(until) => format!("holds until {}", when(until)),
            None => "holds until the item changes".to_owned(),
        };
        line!(text, "    {state}");
        if !decision.waives.is_empty() && decision.answer == Answer::Approve {
            let waives: Vec<&str> = decision.waives.iter().map(String::as_str).collect();
            line!(text, "    lifts: {}", waives.join(", "));
        }
        if let Some(note) = &decision.note {
            line!(text, "    note: {note}");
        }
    }
    text
}
