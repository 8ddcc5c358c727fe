//! Who is to be anonymized: cards that stand archived, whose person nobody has any more, for long enough. Whatever is not
//! proven keeps them (RULES 5, 6), and whoever is kept is listed: also whose card a human archived, and of whom only the card
//! id is remembered.

use super::namesakes::Namesakes;
use super::provenance::Found;
use super::shields::Shields;
use super::{Draft, Planner, conflict_of};
use crate::core::memory::ledger::{LedgerEntry, OurArchive};
use crate::core::model::card::OperatorLink;
use crate::core::model::identity::LastDay;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::{Action, HoldReason, SkipReason};
use crate::core::reads::cards::{CardState, Likeness};
use crate::core::reads::clock::DOUBTED;
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::{Role, Use};
use crate::core::rules::anonymize::{Anonymize, AnonymizeBy};
use crate::core::rules::lifecycle::{Missing, missing};
use crate::core::rules::retention::{
    ClockStart, Retained, RetentionClock, RetentionState, by_hand_clock, retention_clock,
};
use std::collections::BTreeSet;

/// What all of them share.
struct Looking<'a> {
    rule: &'a Anonymize,
    /// Another change of this plan concerns these cards, or may.
    concerned: BTreeSet<CardId>,
    strange: bool,
    shields: Option<Shields>,
    namesakes: Option<Namesakes>,
}

impl Planner<'_> {
    /// A source that lists a leaver may say since when; only where nothing else is doubtful about them.
    pub(super) fn note_last_day(&mut self, person: &Person<'_>, card: usize) {
        if self.input.policy.anonymize.is_some() {
            let day = self.describe.last_day(&person.joined, self.input.moment);
            self.last_days.insert(card, day);
        }
    }

    /// Our archive of a card, while it stands and nobody touched the card since.
    pub(super) fn standing_archive(&self, card: usize) -> Option<&OurArchive> {
        let stored = &self.index.cards[card];
        let ours = self.known[card].and_then(|entry| entry.archived_by_us.as_deref())?;
        let same_time = ours.modified_at.is_none() || ours.modified_at == stored.modified_at;
        let same_hand = ours.modifier.is_none() || ours.modifier == stored.modifier;
        (stored.archived && same_time && same_hand).then_some(ours)
    }

    /// Goes through the cards of the ledger.
    pub(super) fn retention(&mut self, strange: &Found) {
        let input = self.input;
        let Some(rule) = &input.policy.anonymize else { return };
        let mut looking = Looking {
            rule,
            concerned: self.concerned(),
            strange: strange.hold.is_some(),
            shields: None,
            namesakes: None,
        };
        for (id, entry) in &input.ledger {
            let Some(card) = self.index.position(id) else { continue };
            let CardState::Keyed(on_card) = self.index.state(card).clone() else {
                continue;
            };
            // What is kept of somebody may have been taken out at their wish: the card in TOPdesk still is theirs.
            let is_theirs = match &entry.key {
                Some(key) => *key == on_card,
                None => !entry.anonymized && entry.archived_by_us.is_some(),
            };
            if !self.index.cards[card].archived || !is_theirs {
                // Active, in drift, or anonymized already: said elsewhere.
                continue;
            }
            let key = &on_card;
            if let Some(retained) = self.retained(entry, key, card, &mut looking) {
                self.tell(&retained, card, rule);
                self.retained.push(retained);
            }
        }
        self.retained
            .sort_by(|a, b| (a.state, a.due, &a.key, &a.card).cmp(&(b.state, b.due, &b.key, &b.card)));
    }

    /// Cards that another change of this plan writes to, or that it may turn out to be about.
    fn concerned(&self) -> BTreeSet<CardId> {
        let mut concerned = BTreeSet::new();
        for draft in &self.drafts {
            concerned.extend(draft.card.map(|card| self.index.cards[card].id.clone()));
            if let Action::Merge { twin, .. } = &draft.action {
                concerned.insert(twin.clone());
            }
            if let Action::Exchange { other, .. } = &draft.action {
                concerned.insert(other.card.clone());
            }
            for doubt in &draft.doubts {
                match doubt {
                    HoldReason::AdoptOrCreate { cards, .. } => concerned.extend(cards.iter().cloned()),
                    HoldReason::Twin { card, .. }
                    | HoldReason::SamePerson { card, .. }
                    | HoldReason::Drift { card, .. } => {
                        concerned.insert(card.clone());
                    }
                    _other => {}
                }
            }
        }
        let half_done = self.input.half_done.iter().flat_map(|half| &half.cards);
        concerned.extend(half_done.cloned());
        concerned
    }

    /// Where an archived card of ours stands; `None` for one that a human archived and whose person works here.
    fn retained(&mut self, entry: &LedgerEntry, key: &Key, card: usize, looking: &mut Looking<'_>) -> Option<Retained> {
        let input = self.input;
        let (after, zone) = (looking.rule.after, input.moment.zone);
        let clock = match &entry.archived_by_us {
            Some(ours) => retention_clock(ours, self.last_days.get(&card), after, zone),
            None if self.claimed[card] && !self.last_days.contains_key(&card) => return None,
            None => by_hand_clock(self.index.cards[card].modified_at, after, zone),
        };
        let is_held = looking.rule.legal_hold.has(key, &entry.card);
        let (state, why) = match &clock {
            _ if is_held => (
                RetentionState::LegalHold,
                Some("on the legal-hold list (lifecycle.anonymize.legal_hold): never anonymized".to_owned()),
            ),
            Err(why) => (RetentionState::Waits, Some(why.clone())),
            Ok(clock) if clock.due > input.moment.now => (RetentionState::Later, None),
            Ok(_) => match self.keeper(entry, key, card, looking) {
                Some(why) => (RetentionState::Waits, Some(why)),
                None => (RetentionState::Due, self.of_one_name(entry, card, looking)),
            },
        };
        let clock = clock.ok();
        let due = clock
            .as_ref()
            .map(|clock| clock.due.with_timezone(&input.moment.zone).date_naive());
        Some(Retained {
            state,
            due,
            since: clock.as_ref().map(|clock| clock.since),
            started: clock.map(|RetentionClock { started, .. }| started),
            key: key.clone(),
            card: entry.card.clone(),
            operator: self.index.operator(card),
            why,
        })
    }

    /// What keeps somebody whose time is over; `None` where nothing does.
    fn keeper(&mut self, entry: &LedgerEntry, key: &Key, card: usize, looking: &mut Looking<'_>) -> Option<String> {
        let Looking {
            rule,
            concerned,
            strange,
            shields,
            namesakes,
        } = looking;
        if let Some(why) = &rule.legal_hold.unreadable {
            return Some(why.clone());
        }
        if !self.input.clock.is_trusted() {
            return Some(DOUBTED.to_owned());
        }
        if self.target_doubt(Use::Anonymize).is_some() {
            return Some("the read of TOPdesk was not good enough for this, see there".to_owned());
        }
        if *strange {
            return Some("another cardsync writes here, or this store is old, see there".to_owned());
        }
        if self.index.is_special(card) {
            return Some(
                "linked to an API account, a TOPdesk account or cardsync's own account: never touched".to_owned(),
            );
        }
        if self.is_protected(Some(key), Some(card)) {
            return Some("on guard.protect".to_owned());
        }
        if entry.archived_by_us.is_none() {
            return Some(
                "somebody else (a person or a program) archived the card, not cardsync: a human decides; anonymize it in TOPdesk once its time is over"
                    .to_owned(),
            );
        }
        if self.standing_archive(card).is_none() {
            return Some(
                "the card was changed by somebody else after cardsync had archived it: a human decides; anonymize it in \
                 TOPdesk"
                    .to_owned(),
            );
        }
        let group = self.index.group(key);
        if conflict_of(&self.index.matching(key)).is_some() || group.active.len() + group.archived.len() > 1 {
            return Some("another card has the same key: sort that out in TOPdesk first".to_owned());
        }
        if concerned.contains(&entry.card) {
            return Some("another change of this plan is about this card, or may be: decide that first".to_owned());
        }
        match self.index.operator(card) {
            OperatorLink::ProvenNone | OperatorLink::Archived { .. } => {}
            OperatorLink::Active { .. } => {
                return Some(
                    "its operator is active: archive the operator in TOPdesk, or find out who uses it".to_owned(),
                );
            }
            OperatorLink::Unproven => return Some(HoldReason::OperatorUnproven.explain()),
        }
        if !self.index.sees_all_operators() {
            // Beside the one that is archived there may be another, active one.
            return Some(HoldReason::OperatorUnproven.explain());
        }
        let unseen = rule.touches(&self.input.policy.key);
        if rule.by == AnonymizeBy::Api
            && let Some(field) = unseen.intersection(&self.input.target.unknown_fields).next()
        {
            return Some(format!("what stands in {field} could not be read in this run"));
        }
        if let Some(why) = self.still_there(entry, key, card) {
            return Some(why);
        }
        let shields = shields.get_or_insert_with(|| Shields::of(self));
        if let Some(why) = shields.over(&Likeness::of_card(&self.index.cards[card]), entry) {
            return Some(why);
        }
        let namesake = namesakes
            .get_or_insert_with(|| Namesakes::of(self))
            .beside(self, entry, card)?;
        namesake.is_likely.then(|| {
            format!(
                "{}: if that is the same person, they still work here, so settle in TOPdesk which card they keep; if it is \
                 somebody else, anonymize this card in TOPdesk",
                namesake.words
            )
        })
    }

    /// Whose full name is the same on an active card: more people have one name, so it keeps nobody, and whoever decides
    /// is told.
    fn of_one_name(&self, entry: &LedgerEntry, card: usize, looking: &mut Looking<'_>) -> Option<String> {
        let namesakes = looking.namesakes.get_or_insert_with(|| Namesakes::of(self));
        let namesake = namesakes.beside(self, entry, card)?;
        Some(format!("{}: make sure that it is somebody else", namesake.words))
    }

    /// A source that has the person, or that cannot say.
    fn still_there(&mut self, entry: &LedgerEntry, key: &Key, card: usize) -> Option<String> {
        let input = self.input;
        for snapshot in &input.snapshots {
            let name = &snapshot.summary.name;
            if !snapshot.can_say_absent() {
                return Some(snapshot.why_not_absent());
            }
            if snapshot.summary.role == Some(Role::Enrich) && self.population.has(snapshot, key) {
                return Some(format!("{name} still has them: take the record out there"));
            }
        }
        if self.claimed[card] {
            let mut sources = self.population.sources_with(key);
            let name = sources
                .next()
                .map_or_else(String::new, |it| it.summary.name.to_string());
            return match self.last_days.get(&card) {
                Some(LastDay::On(_)) => None,
                Some(LastDay::NotMapped) => Some(format!(
                    "{name} still lists them as a leaver: take the record out there, or say in lifecycle.anonymize.since \
                     where their last day stands"
                )),
                Some(LastDay::NotKnown(why)) => Some(why.clone()),
                None => Some(format!("{name} has them")),
            };
        }
        // Without a key what was counted was taken out at their wish; every source was read completely, and none has them.
        entry.key.as_ref()?;
        let (state, sightings) = missing(entry, key, self.population, input);
        if sightings != entry.sightings {
            let mut learned = self.learned.get(&entry.card).unwrap_or(entry).clone();
            learned.sightings = sightings;
            self.learned.insert(entry.card.clone(), learned);
        }
        match state {
            Missing::Gone(_) => None,
            Missing::Present => Some("a source has them".to_owned()),
            Missing::Unknown(why) => Some(why),
            Missing::NotYet { detail } => Some(detail),
        }
    }

    /// Says it: as an item where cardsync does it, else as somebody to whom nothing happens.
    fn tell(&mut self, retained: &Retained, card: usize, rule: &Anonymize) {
        let Retained {
            state,
            due,
            since,
            started,
            key,
            operator,
            why,
            ..
        } = retained;
        let mut words = String::new();
        if let (Some(since), Some(due), Some(started)) = (since, due, started) {
            let what = match started {
                ClockStart::Archived => "archived by cardsync on",
                ClockStart::LastDay => "the last day was",
                ClockStart::ChangedLast => "archived by a human, the card was changed last on",
            };
            words = format!("{what} {since}, due since {due}");
        }
        let told = why.clone();
        let why = why.as_deref().unwrap_or_default();
        match state {
            RetentionState::Later => {}
            RetentionState::LegalHold => self.skip(SkipReason::LegalHold, Some(key), Some(card), why),
            RetentionState::Waits => {
                let join = if words.is_empty() { "" } else { ": " };
                let detail = format!("{words}{join}{why}");
                self.skip(SkipReason::AnonymizationWaits, Some(key), Some(card), detail);
            }
            RetentionState::Due => match rule.by {
                AnonymizeBy::Topdesk => {
                    let with = if operator.is_linked() {
                        ", its operator with it"
                    } else {
                        ""
                    };
                    let note = told.map(|note| format!("; {note}")).unwrap_or_default();
                    let detail = format!("{words}: anonymize the card in TOPdesk{with}{note}");
                    self.skip(SkipReason::AnonymizeInTopdesk, Some(key), Some(card), detail);
                }
                AnonymizeBy::Api => {
                    let fields = rule.overwrite(&self.index.cards[card], &self.input.policy.key);
                    let reason = self.input.target.archiving_reason.clone();
                    let mut why = vec![words];
                    why.extend(told);
                    if *operator == OperatorLink::ProvenNone {
                        why.push(
                            "where TOPdesk changes no archived card, it is unarchived for this and archived again: no \
                             operator is linked to it"
                                .to_owned(),
                        );
                    }
                    self.draft(Draft {
                        why,
                        ..Draft::new(
                            Action::Anonymize { fields, reason },
                            Some(key.clone()),
                            Some(card),
                            operator.clone(),
                        )
                    });
                }
            },
        }
    }
}
