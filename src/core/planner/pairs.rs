//! A creation and an archive that look like one human: a new number for somebody who stays. Neither half passes by
//! itself (RULES 8.1): a second card cannot be undone, an operator's link never moves.

use super::{Draft, Planner, text_of};
use crate::core::memory::halves::Halves;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::model::record::Anchor;
use crate::core::plan::{ActionKind, Change, HoldReason};
use crate::core::reads::cards::{CardState, Likeness, LookAlikes};
use crate::core::reads::snapshot::Role;
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// Marks the pairs among the drafts.
    pub(super) fn pair_up(&mut self) {
        let mut creates = LookAlikes::default();
        let mut by_anchor: BTreeMap<Anchor, Vec<usize>> = BTreeMap::new();
        for (number, draft) in self.drafts.iter().enumerate() {
            if draft.action.kind() != ActionKind::Create {
                continue;
            }
            let fields = draft.action.fields();
            creates.add(number, &Likeness::of(|field| text_of(fields, field).map(str::to_owned)));
            for anchor in &draft.anchors {
                by_anchor.entry(anchor.clone()).or_default().push(number);
            }
        }
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (number, draft) in self.drafts.iter().enumerate() {
            let (ActionKind::Archive, Some(card)) = (draft.action.kind(), draft.card) else {
                continue;
            };
            let alike = creates.find(&Likeness::of_card(&self.index.cards[card]));
            let anchors = self.known[card].map_or(&[][..], |entry| &entry.anchors);
            let known = anchors.iter().filter_map(|anchor| by_anchor.get(anchor)).flatten();
            let twins: BTreeSet<usize> = alike.into_keys().chain(known.copied()).collect();
            pairs.extend(twins.into_iter().map(|create| (number, create)));
        }
        for (archive, create) in pairs {
            self.drafts[archive].pairs.push(create);
            self.drafts[create].pairs.push(archive);
        }
    }

    /// What an earlier run asked as a pair stays one, whatever its other half has become: done, rejected, or a record that
    /// cannot be used for the moment.
    pub(super) fn pairs_asked_before(&mut self) {
        let input = self.input;
        if input.contact.halves.is_empty() {
            return;
        }
        self.new_together_before();
        let mut creates: BTreeMap<Key, usize> = BTreeMap::new();
        let mut archives: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, draft) in self.drafts.iter().enumerate() {
            match (draft.action.kind(), &draft.key, draft.card) {
                (ActionKind::Create, Some(key), _) => {
                    creates.insert(key.clone(), number);
                }
                (ActionKind::Archive, _, Some(card)) => {
                    archives.insert(card, number);
                }
                (_, _, _) => {}
            }
        }
        for (id, key, item) in input.contact.halves.iter() {
            let Some(card) = self.index.position(id) else { continue };
            if matches!(self.index.state(card), CardState::Keyed(own) if own == key) {
                // The number has moved to this very card: that was the answer.
                continue;
            }
            let doubt = |card: Option<usize>| HoldReason::OtherHalf {
                item: item.clone(),
                card: card.map(|card| self.index.cards[card].id.clone()),
            };
            let is_own = |archive: &usize| self.drafts[*archive].key.as_ref() == Some(key);
            match (archives.get(&card).copied(), creates.get(key).copied()) {
                // A leaver whose card this may be: the archive is of the same person, and no half of anything.
                (Some(archive), _) if is_own(&archive) => {}
                (Some(archive), Some(create)) => {
                    if !self.drafts[archive].pairs.contains(&create) {
                        self.drafts[archive].pairs.push(create);
                        self.drafts[create].pairs.push(archive);
                    }
                }
                (Some(archive), None) => {
                    let made = self.index.group(key).active.into_iter().find(|made| *made != card);
                    if made.is_some() || self.may_come(key) {
                        let doubt = doubt(made);
                        self.drafts[archive].doubts.push(doubt);
                    }
                }
                (None, Some(create)) if self.index.cards[card].archived => {
                    let offers = |doubt: &HoldReason| match doubt {
                        HoldReason::AdoptOrCreate { cards, .. } => cards.contains(id),
                        _other => false,
                    };
                    if !self.drafts[create].doubts.iter().any(offers) {
                        let doubt = doubt(Some(card));
                        self.drafts[create].doubts.push(doubt);
                    }
                }
                (None, Some(_) | None) => {}
            }
        }
    }

    /// Two new records of one human, of which one cannot be used now: it is there all the same, and the other one waits on.
    fn new_together_before(&mut self) {
        let input = self.input;
        for (key, other, item) in input.contact.halves.new_together() {
            let is_create =
                |draft: &Draft, key: &Key| draft.action.kind() == ActionKind::Create && draft.key.as_ref() == Some(key);
            let is_made = self.drafts.iter().any(|draft| is_create(draft, other));
            if is_made || self.apart.known.contains(other) || !self.is_still_to_come(other) {
                continue;
            }
            if let Some(draft) = self.drafts.iter_mut().find(|draft| is_create(draft, key)) {
                draft.doubts.push(HoldReason::OtherHalf {
                    item: item.clone(),
                    card: None,
                });
            }
        }
    }

    /// Whether this number has no card, and a source may have it.
    fn is_still_to_come(&self, key: &Key) -> bool {
        let group = self.index.group(key);
        group.active.is_empty() && group.archived.is_empty() && self.may_come(key)
    }

    /// Whether a source that decides has this number, or cannot say that it has it not.
    fn may_come(&self, key: &Key) -> bool {
        self.reads_may_lack_people() || self.population.sources_with(key).next().is_some()
    }

    /// Whether a source that decides cannot say who is missing.
    pub(super) fn reads_may_lack_people(&self) -> bool {
        let mut decide = self.input.snapshots.iter();
        decide.any(|read| read.summary.role == Some(Role::Authoritative) && !read.can_say_absent())
    }

    /// The pairs of this look, and those of earlier ones of which a half may still be decided. A card that may be archived
    /// later, because its person is not absent long enough yet, counts too: whoever has chosen a new card beside it has not
    /// said that it goes.
    pub(super) fn halves_after(&self, changes: &[Change], full_look: bool) -> Halves {
        let archives: BTreeMap<&ItemId, &CardId> = changes
            .iter()
            .filter(|change| change.action.kind() == ActionKind::Archive)
            .filter_map(|change| Some((&change.id, change.card.as_ref()?)))
            .collect();
        let goes: BTreeSet<&CardId> = archives.values().copied().collect();
        let asked_as_leavers = &self.apart.asked;
        let is_own = |card: &CardId, key: &Key| asked_as_leavers.get(key).is_some_and(|it| it.cards.contains_key(card));
        let may_go =
            |card: &CardId| goes.contains(card) || self.counting_absent.contains(card) || self.undecided.contains(card);
        let mut halves = Halves::default();
        for (id, key, item) in self.input.contact.halves.iter() {
            let card = self.index.position(id);
            let is_archived = card.is_some_and(|card| self.index.cards[card].archived);
            let is_gone = card.is_some_and(|card| *self.index.state(card) == CardState::Anonymized)
                || self.input.purged_keys.contains(key);
            let made = self.index.group(key).active;
            let is_open = (may_go(id) || is_archived && made.is_empty()) && (!made.is_empty() || self.may_come(key));
            let is_two = card.is_none_or(|card| !made.contains(&card)) && !is_own(id, key);
            if !is_gone && is_two && (is_open || !full_look) {
                halves.add(id, key, item);
            }
        }
        let creates: BTreeMap<&ItemId, &Key> = changes
            .iter()
            .filter(|change| change.action.kind() == ActionKind::Create)
            .filter_map(|change| Some((&change.id, change.key.as_ref()?)))
            .collect();
        for (key, other, item) in self.input.contact.halves.new_together() {
            let is_gone = [key, other].iter().any(|key| self.input.purged_keys.contains(*key));
            let is_open = [key, other].iter().all(|key| self.is_still_to_come(key));
            if !is_gone && (is_open || !full_look) {
                halves.add_new(key, other, item);
            }
        }
        for change in changes {
            // One item may stand for both halves.
            let (ActionKind::Create | ActionKind::Adopt, Some(key)) = (change.action.kind(), &change.key) else {
                continue;
            };
            for doubt in &change.doubts {
                match doubt {
                    HoldReason::SamePerson { card, .. } => halves.add(card, key, &change.id),
                    _other if change.action.kind() == ActionKind::Adopt => {}
                    HoldReason::PairedWith { item } => {
                        if let Some(card) = archives.get(item) {
                            halves.add(card, key, &change.id);
                        }
                        if let Some(other) = creates.get(item) {
                            halves.add_new(key, other, item);
                        }
                    }
                    HoldReason::AdoptOrCreate { cards, .. } => {
                        for card in cards.iter().filter(|card| may_go(card)) {
                            halves.add(card, key, &change.id);
                        }
                    }
                    _other => {}
                }
            }
        }
        halves
    }
}
