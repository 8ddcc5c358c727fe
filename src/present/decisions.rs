//! `holds --decisions`: who decided what, when, and how long it holds.

use crate::core::memory::decision::{Answer, WhyEnded};
use crate::engine::decision_log::{DecisionEnd, LoggedDecision};
use crate::present::lines::Paint;
use crate::present::lines::line;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// Why a decision says nothing any more, before its time.
fn ended_words(end: &DecisionEnd) -> String {
    match end.why {
        WhyEnded::Done => "used up: it was done".to_owned(),
        WhyEnded::NotWanted => "over: a run no longer wanted the item,".to_owned(),
        WhyEnded::CardChanged => "over: somebody else had changed the card,".to_owned(),
        WhyEnded::OtherContent => "over: the source was read with other content,".to_owned(),
        WhyEnded::OtherDay => "over: the evidence names another day,".to_owned(),
        WhyEnded::NotNoted => "over: an earlier version did not note what was shown,".to_owned(),
        WhyEnded::OperatorChanged => "over: the linked operator was not as shown any more,".to_owned(),
        WhyEnded::TakenBack => format!("taken back by {}", end.by.as_deref().unwrap_or("somebody")),
    }
}

/// A decision in one line, with when it ends or why it has ended.
pub(crate) fn decision_words(
    logged: &LoggedDecision,
    replaced: bool,
    when: &dyn Fn(DateTime<Utc>) -> String,
) -> String {
    let decision = &logged.decision;
    let what = match decision.answer {
        Answer::Approve => "approved",
        Answer::Reject => "rejected",
    };
    let until = match (&logged.ended, decision.until) {
        (Some(end), _) => format!(", {} {}", ended_words(end), when(end.at)),
        (None, _) if replaced => ", replaced by a later decision".to_owned(),
        (None, Some(until)) => format!(" until {}", when(until)),
        (None, None) => String::new(),
    };
    let note = decision.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
    format!("[{}] {what} by {}{until}{note}", decision.item, decision.by)
}

/// The log, newest first.
pub(crate) fn as_text(log: &[LoggedDecision], now: DateTime<Utc>, zone: Tz, paint: Paint) -> String {
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
        let state = match (&logged.ended, decision.until) {
            (Some(end), _) => format!("{} {}", ended_words(end), when(end.at)),
            (None, _) if replaced => "replaced by a later decision".to_owned(),
            (None, Some(until)) if until <= now => format!("ended {}", when(until)),
            (None, Some(until)) => format!("holds until {}", when(until)),
            (None, None) if decision.answer == Answer::Reject => {
                "quiet until the item changes, for 30 days at most".to_owned()
            }
            (None, None) => "holds until the item changes".to_owned(),
        };
        line!(text, "    {state}");
        if !decision.waives.is_empty() && decision.answer == Answer::Approve {
            let waived = decision.waived();
            line!(text, "    lifts: {}", waived.join(", "));
        }
        if let Some(note) = &decision.note {
            line!(text, "    note: {note}");
        }
    }
    text
}
