//! Writes that bear the signature of our account and that this store does not know of: another cardsync writes here, or this
//! store is an old one that was put back. Either way what this store believes about people without a card, and about cards
//! without people, may be wrong: nobody is created or archived until a human has looked.

use super::Planner;
use crate::core::memory::decision::{Answer, StrangeWrites};
use crate::core::model::card::PersonCard;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::hold::strange_writes;
use crate::core::plan::{ActionKind, HoldReason, short_hash};
use crate::core::reads::cards::CardState;
use crate::core::reads::snapshot::{Effect, Finding, SnapshotSummary};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeSet;

/// What TOPdesk itself does to a card in the wake of our write comes this much later at most.
const WAKE_OF_A_WRITE: Duration = Duration::seconds(60);

/// How many cards are named.
const EXAMPLES: usize = 3;

/// What was found of such writes.
pub(super) struct Found {
    pub(super) writes: StrangeWrites,
    /// Why creates and archives wait; `None` where there is no such write, or a human has looked at all of them.
    pub(super) hold: Option<HoldReason>,
}

impl Planner<'_> {
    /// Looks for writes that bear our signature and that this store cannot explain.
    pub(super) fn strange_writes(&self) -> Found {
        let known = &self.input.contact.strange_writes;
        let found: BTreeSet<String> = (0..self.index.cards.len())
            .filter_map(|card| self.strange_write(card))
            .collect();
        let accepted: BTreeSet<String> = known.accepted.intersection(&found).cloned().collect();
        let mut waiting: BTreeSet<String> = known.waiting.union(&found).cloned().collect();
        waiting.retain(|mark| !known.accepted.contains(mark) && !self.is_settled(mark));
        if waiting.is_empty() {
            let writes = StrangeWrites { waiting, accepted };
            return Found { writes, hold: None };
        }
        let item = ItemId::new(short_hash(
            &serde_json::to_vec(&waiting).expect("plain data always serialises"),
        ));
        let decision = self.input.decisions.get(&item);
        let approved = decision
            .is_some_and(|decision| decision.answer == Answer::Approve && decision.in_force(self.input.moment.now));
        if approved {
            let accepted = accepted.into_iter().chain(waiting).collect();
            let waiting = BTreeSet::new();
            let writes = StrangeWrites { waiting, accepted };
            return Found { writes, hold: None };
        }
        let cards: BTreeSet<&str> = waiting
            .iter()
            .map(|mark| mark.split('@').next().unwrap_or(mark))
            .collect();
        let hold = HoldReason::StrangeWrites {
            cards: cards.len() as u64,
            examples: cards.iter().take(EXAMPLES).map(|card| CardId::new(*card)).collect(),
            item,
        };
        Found {
            writes: StrangeWrites { waiting, accepted },
            hold: Some(hold),
        }
    }

    /// The mark of such a write on this card.
    fn strange_write(&self, card: usize) -> Option<String> {
        let PersonCard {
            id,
            creator,
            modifier,
            modified_at,
            ..
        } = &self.index.cards[card];
        // Of a card that was anonymized the journal no longer has our own writes.
        let anonymized = self.known[card].is_some_and(|entry| entry.anonymized);
        if anonymized || self.input.writes.in_doubt.contains(id) {
            return None;
        }
        let lost = || match self.index.state(card) {
            CardState::Keyed(key) => self.input.in_doubt.contains(key),
            CardState::Keyless | CardState::Anonymized => false,
        };
        if self.known[card].is_none() && self.is_ours(creator.as_deref()) && !lost() {
            return Some(id.to_string());
        }
        let last = self.input.writes.last.as_ref()?;
        let modified_at = modified_at.filter(|at| *at > last.modified_at + WAKE_OF_A_WRITE)?;
        let mark = modified_mark(id, modified_at);
        (self.is_ours(modifier.as_deref()) && !self.is_settled(&mark)).then_some(mark)
    }

    /// Whether what a mark is about was a write of ours whose answer was lost and that was settled by reading.
    fn is_settled(&self, mark: &str) -> bool {
        let Some((card, at)) = mark.split_once('@') else {
            return false;
        };
        let settled = self.input.writes.settled.get(&CardId::new(card));
        let at = DateTime::parse_from_rfc3339(at).ok();
        at.zip(settled)
            .is_some_and(|(at, settled)| at <= *settled + WAKE_OF_A_WRITE)
    }

    /// Whether a signature is that of cardsync's own account: its operator, or whoever signed our last write.
    fn is_ours(&self, signature: Option<&str>) -> bool {
        self.signatures.include(signature)
    }

    /// Holds what must wait.
    pub(super) fn hold_for_strange_writes(&mut self, found: &Found) {
        let Some(hold) = &found.hold else { return };
        for draft in &mut self.drafts {
            match draft.action.kind() {
                ActionKind::Create | ActionKind::Archive | ActionKind::Exchange | ActionKind::Merge => {
                    draft.doubts.push(hold.clone())
                }
                ActionKind::CreateEntry
                | ActionKind::Unarchive
                | ActionKind::Update
                | ActionKind::Adopt
                | ActionKind::SetReferences
                | ActionKind::Anonymize => {}
            }
        }
    }
}

/// What a change of a card is known by.
fn modified_mark(card: &CardId, at: DateTime<Utc>) -> String {
    format!("{card}@{}", at.format("%Y-%m-%dT%H:%M:%SZ"))
}

/// Says it with the read of TOPdesk, where it can be approved.
pub(super) fn tell(found: &Found, summary: &mut SnapshotSummary) {
    let Some(HoldReason::StrangeWrites { cards, examples, item }) = &found.hold else {
        return;
    };
    let message = strange_writes(*cards, examples, item);
    let cure = "until then nobody is created or archived";
    summary
        .findings
        .push(Finding::new("strange_writes", Effect::Note, message, cure));
    summary.acceptance = Some(item.clone());
}
