//! What else needs a human: told once when it is new, and once when it is solved (RULES 8.7).

use super::{MOST_ITEMS, NotifyEvent, NotifyKind};
use crate::core::model::ids::{EnvironmentId, ItemId, SourceName};
use crate::core::plan::concern::{Addressee, Concern, ConcernCode};
use crate::core::plan::report::RunReport;
use crate::engine::attention::Attention;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that needs a human: enough to find it with `cardsync holds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyConcern {
    pub id: ItemId,
    pub code: ConcernCode,
    /// Who can settle it.
    #[serde(rename = "for")]
    pub addressee: Addressee,
    /// An active operator is concerned.
    pub operator: bool,
}

impl NotifyConcern {
    fn of(concern: &Concern) -> Self {
        Self {
            id: concern.id.clone(),
            code: concern.code,
            addressee: concern.addressee,
            operator: concern.concerns_operator(),
        }
    }
}

/// What a run has to tell of it. A rejected read is told by itself.
pub fn attention_events(environment: &EnvironmentId, current: &RunReport, attention: &Attention) -> Vec<NotifyEvent> {
    let told = |concern: &&Concern| concern.code != ConcernCode::ReadRejected && concern.is_open();
    let new: Vec<&Concern> = attention.new.iter().filter(told).collect();
    let solved: Vec<&Concern> = attention.solved.iter().filter(told).collect();
    let event = |kind, begin: &str, end: &str, concerns: &[&Concern]| NotifyEvent {
        concerns: concerns
            .iter()
            .take(MOST_ITEMS)
            .map(|it| NotifyConcern::of(it))
            .collect(),
        items_left_off: concerns.len().saturating_sub(MOST_ITEMS),
        ..NotifyEvent::plain(kind, environment, current, message(begin, end, concerns))
    };
    let mut events = Vec::new();
    if !new.is_empty() {
        events.push(event(
            NotifyKind::AttentionNew,
            "new and in need of a human",
            "; look with `cardsync holds`",
            &new,
        ));
    }
    if !solved.is_empty() {
        events.push(event(NotifyKind::AttentionSolved, "solved", "", &solved));
    }
    events
}

/// Whether an event only says of reads that they were rejected, and somebody has set each of them aside: with another content
/// it is another question, and told as new.
pub fn is_known(event: &NotifyEvent, attention: &Attention) -> bool {
    let set_aside = |name: &SourceName| {
        let of_read = attention.now.iter().map(|kept| &kept.concern).filter(|concern| {
            concern.code == ConcernCode::ReadRejected && concern.places.iter().any(|place| place == name.as_str())
        });
        let mut of_read = of_read.peekable();
        of_read.peek().is_some() && of_read.all(|concern| !concern.is_open())
    };
    event.kind == NotifyKind::SnapshotRejected && event.snapshots.iter().all(|read| set_aside(&read.name))
}

fn message(begin: &str, end: &str, concerns: &[&Concern]) -> String {
    let mut counts: BTreeMap<ConcernCode, u64> = BTreeMap::new();
    for concern in concerns {
        *counts.entry(concern.code).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(code, count)| format!("{count} {code}")).collect();
    let operators = concerns.iter().filter(|concern| concern.concerns_operator()).count();
    let with = match operators {
        0 => String::new(),
        n => format!(" ({n} with an active operator)"),
    };
    format!("{begin}: {}{with}{end}", counts.join(", "))
}
