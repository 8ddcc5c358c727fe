//! A creation and an archive that look like one human: a new number for somebody who stays. Neither half passes by
//! itself (RULES 8.1): a second card cannot be undone, an operator's link never moves.

use super::{Planner, text_of};
use crate::domain::cards::{CardState, Likeness, LookAlikes};
use crate::domain::halves::Halves;
use crate::domain::ids::{CardId, ItemId};
use crate::domain::key::Key;
use crate::domain::plan::{ActionKind, Change, HoldReason};
use crate::domain::record::Anchor;
use crate::domain::snapshot::Role;
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
            match (archives.get(&card).copied(), creates.get(key).copied()) {
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

    /// Whether a source that decides has this number, or cannot say that it has it not.
    fn may_come(&self, key: &Key) -> bool {
        let mut decide = self.input.snapshots.iter();
        let partial = decide.any(|read| read.summary.role == Some(Role::Authoritative) && !read.can_say_absent());
        partial || self.population.sources_with(key).next().is_some()
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
            if !is_gone && card.is_none_or(|card| !made.contains(&card)) && (is_open || !full_look) {
                halves.add(id, key, item);
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
