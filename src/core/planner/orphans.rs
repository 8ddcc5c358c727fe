//! Cards of the ledger that nobody's key claims: absent people, and cards that changed behind our back.

use super::learning::archived_before;
use super::shields::Shields;
use super::{Planner, conflict_of};
use crate::core::memory::ledger::LedgerEntry;
use crate::core::plan::{Conflict, HoldReason, Skip, SkipReason};
use crate::core::reads::cards::{CardState, Likeness};
use crate::core::reads::snapshot::Use;
use crate::core::rules::evidence::Grade;
use crate::core::rules::lifecycle::{Missing, Objection, missing, remembered, second_source};

impl Planner<'_> {
    pub(super) fn orphans(&mut self) {
        let input = self.input;
        let mut shields = None;
        for (id, entry) in &input.ledger {
            let Some(key) = &entry.key else { continue };
            let Some(card) = self.index.position(id) else {
                self.undecided.insert(id.clone());
                let gone = input.target.confirmed_gone.contains(id);
                if gone && self.was_due(entry) {
                    self.learn_anonymized(entry);
                    self.skipped.push(Skip {
                        reason: SkipReason::Drift,
                        key: Some(key.clone()),
                        card: Some(id.clone()),
                        detail: "the card was due for anonymization and was deleted in TOPdesk: that counts as done"
                            .to_owned(),
                        mark: String::new(),
                    });
                    continue;
                }
                let detail = if gone {
                    "TOPdesk no longer knows this card; it is not made again by itself"
                } else {
                    "the card was not in the read"
                };
                self.skipped.push(Skip {
                    reason: SkipReason::CardDeleted,
                    key: Some(key.clone()),
                    card: Some(id.clone()),
                    detail: detail.to_owned(),
                    mark: String::new(),
                });
                continue;
            };
            match self.index.state(card) {
                CardState::Anonymized => {
                    self.learn_anonymized(entry);
                    let detail = if entry.overwritten.is_some() {
                        "cardsync anonymized the card; what is kept of the person goes now"
                    } else {
                        "the card was anonymized in TOPdesk; it is left alone"
                    };
                    self.skip(SkipReason::Drift, Some(key), Some(card), detail);
                }
                CardState::Keyless if self.number_taken_off(id) => {
                    self.undecided.insert(id.clone());
                    let detail = "an undo took the number off the card; it stays off, and the card is never archived for absence";
                    self.skip(SkipReason::FieldLeft, Some(key), Some(card), detail);
                }
                CardState::Keyless => {
                    self.undecided.insert(id.clone());
                    self.skip(
                        SkipReason::Drift,
                        Some(key),
                        Some(card),
                        "the card has lost its key in TOPdesk; it is never archived for absence",
                    );
                }
                CardState::Keyed(other) if other != key && !self.claimed[card] => {
                    self.undecided.insert(id.clone());
                    let detail = format!("the card has the key {other} now; it is never archived for absence");
                    self.skip(SkipReason::Drift, Some(key), Some(card), detail);
                }
                CardState::Keyed(_) if self.claimed[card] => {}
                CardState::Keyed(_) => self.orphan(entry, card, &mut shields),
            }
        }
        self.archive_left(&mut shields);
    }

    /// The run that learns this takes out what is kept of the person; while the entry has a key that was not done.
    fn learn_anonymized(&mut self, entry: &LedgerEntry) {
        let mut entry = entry.clone();
        entry.anonymized = true;
        self.learned.insert(entry.card.clone(), entry);
    }

    /// Whether a card that is gone was due for anonymization, by our own archive of it.
    fn was_due(&self, entry: &LedgerEntry) -> bool {
        let input = self.input;
        let rule = input.policy.anonymize.as_ref();
        let due = rule
            .zip(entry.archived_by_us.as_ref())
            .map(|(rule, archive)| archive.at + rule.after);
        let held = rule
            .zip(entry.key.as_ref())
            .is_some_and(|(rule, key)| rule.legal_hold.has(key, &entry.card));
        let believed = input.clock.is_trusted() && self.target_doubt(Use::Anonymize).is_none();
        believed && !held && due.is_some_and(|due| due <= input.moment.now)
    }

    /// A card of ours with its key in place that no record claims.
    fn orphan(&mut self, entry: &LedgerEntry, card: usize, shields: &mut Option<Shields>) {
        let key = entry.key.as_ref().expect("only cards with a key come here");
        let stored = &self.index.cards[card];
        let archived = stored.archived;
        let mut now = entry.clone();
        now.look(archived);
        if archived {
            // Whose absence counts for anonymization has been absent since long before they are due.
            if self.input.policy.anonymize.is_some() && entry.archived_by_us.is_some() {
                now.sightings = missing(entry, key, self.population, self.input).1;
            }
            if now != *entry {
                self.learned.insert(entry.card.clone(), now);
            }
            return;
        }
        if let Some((kind, _)) = conflict_of(&self.index.matching(key)) {
            let cards = self.cards_with(key);
            self.undecided.extend(cards.iter().cloned());
            self.conflicts.push(Conflict {
                key: key.clone(),
                kind,
                records: Vec::new(),
                cards,
            });
            return;
        }
        let (state, sightings) = missing(entry, key, self.population, self.input);
        now.sightings = sightings;
        if now != *entry {
            self.learned.insert(entry.card.clone(), now);
        }
        if self.index.is_special(card) {
            self.undecided.insert(entry.card.clone());
            self.skip(
                SkipReason::SpecialAccount,
                Some(key),
                Some(card),
                "linked to an API account, a TOPdesk account or cardsync's own account: never touched",
            );
            return;
        }
        if self.is_protected(Some(key), Some(card)) {
            self.undecided.insert(entry.card.clone());
            self.skip(SkipReason::Protected, Some(key), Some(card), "on guard.protect");
            return;
        }
        // What a source said before its record went, it has said.
        let state = match (state, remembered(entry, self.input)) {
            (Missing::NotYet { .. } | Missing::Gone(_), Some(evidence)) => Missing::Gone(vec![evidence]),
            (state, _) => state,
        };
        match state {
            Missing::Present => {}
            Missing::Unknown(why) => {
                self.undecided.insert(entry.card.clone());
                self.skip(SkipReason::AbsenceUnknown, Some(key), Some(card), why);
            }
            Missing::NotYet { detail } => {
                self.counting_absent.insert(entry.card.clone());
                self.skip(SkipReason::MissingNotYet, Some(key), Some(card), detail);
            }
            Missing::Gone(evidence) => {
                if let Some(who) = archived_before(entry) {
                    let detail = format!(
                        "absent, but somebody else (a person or a program) unarchived the card after {who} had archived it: it stays so"
                    );
                    self.skip(SkipReason::UnarchivedByHand, Some(key), Some(card), detail);
                    return;
                }
                let shields = shields.get_or_insert_with(|| Shields::of(self));
                if let Some(why) = shields.over(&Likeness::of_card(&self.index.cards[card]), entry) {
                    self.counting_absent.insert(entry.card.clone());
                    self.skip(SkipReason::Shielded, Some(key), Some(card), why);
                    return;
                }
                let mut doubts = self.archive_doubts();
                let is_absence = evidence.iter().all(|evidence| evidence.grade == Grade::Weak);
                if is_absence && self.index.operator(card).is_linked() {
                    match second_source(self.describe, key, &self.input.snapshots, self.input.moment) {
                        None => {}
                        Some(Objection::Unreadable(why)) => {
                            self.counting_absent.insert(entry.card.clone());
                            let detail = format!("absence alone does not archive an operator's card: {why}");
                            self.skip(SkipReason::SecondSource, Some(key), Some(card), detail);
                            return;
                        }
                        Some(Objection::StillListed(what)) => doubts.push(HoldReason::StillListed { what }),
                    }
                }
                self.archive(key, card, evidence, doubts);
            }
        }
    }
}
