//! One card: what the deeds did to it, and what takes that back.

use super::{Deed, Kept, WhyKept, Written};
use crate::core::input::PlanInput;
use crate::core::memory::pin::Pinned;
use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::model::ids::{CardId, ItemId, OperatorId};
use crate::core::model::key::{Key, KeyReading};
use crate::core::model::record::Anchor;
use crate::core::plan::{Action, ArchivedApart, Change, FieldChange, HoldReason, OperatorFate, Step, item_id};
use crate::core::reads::cards::{CardIndex, CardMatch, CardState};
use crate::core::reads::diff::same;
use crate::core::reads::snapshot::{Use, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the way back of one card is made from.
pub(super) struct OfCard<'a, 'd> {
    pub(super) input: &'a PlanInput,
    pub(super) index: &'a CardIndex<'a>,
    /// The card with which these deeds exchanged the number.
    pub(super) partner: Option<&'a CardId>,
    /// Oldest first.
    pub(super) deeds: &'d [(&'d Deed, &'d Written)],
}

/// The way back of one card.
pub(super) struct Turn<'d> {
    /// The card's place in the index.
    pub(super) card: usize,
    pub(super) key: Option<Key>,
    anchors: Vec<Anchor>,
    pub(super) way: Way<'d>,
    pub(super) fields: BTreeMap<CardField, Back<'d>>,
    /// The card was made by these deeds.
    pub(super) created: bool,
}

/// Between active and archived.
pub(super) enum Way<'d> {
    Stays,
    /// Or only its operators are woken, where the card is active already.
    Unarchive(&'d Written, &'d Deed, OperatorFate),
    /// With the operators that had got their log-in back by these deeds.
    Archive(&'d Deed, Vec<OperatorId>),
}

/// One field.
pub(super) struct Back<'d> {
    /// As it was written, and as it is now.
    pub(super) wrote: Option<FieldValue>,
    /// As it was before.
    pub(super) before: Option<FieldValue>,
    /// The last deed that wrote it.
    pub(super) deed: &'d Deed,
    /// It came with the key.
    adopted: bool,
}

/// The ids of a card's changes.
#[derive(Default)]
pub(super) struct Ids {
    pub(super) unarchive: Option<ItemId>,
    /// The changes that put fields back, by field.
    pub(super) fields: BTreeMap<CardField, ItemId>,
}

impl<'a, 'd> OfCard<'a, 'd> {
    /// The card's way back, and what of it stays; or why nothing of it is undone.
    pub(super) fn turn(&self, id: &CardId) -> Result<(Turn<'d>, Vec<Kept>), WhyKept> {
        let card = self.index.position(id).ok_or(WhyKept::CardGone)?;
        let now_key = match self.index.state(card) {
            CardState::Anonymized => return Err(WhyKept::AnonymizedSince),
            CardState::Keyless => None,
            CardState::Keyed(key) => Some(key),
        };
        if self.index.is_special(card) {
            return Err(WhyKept::SpecialAccount);
        }
        let (_, last) = self.deeds.last().expect("a card comes with its deeds");
        let protected = &self.input.policy.protected;
        let keys = now_key.into_iter().chain(last.change.key_of(id));
        if protected.cards.contains(id) || keys.clone().any(|key| protected.keys.contains(key)) {
            return Err(WhyKept::Protected);
        }
        if let Some(key) = now_key {
            match self.index.matching(key) {
                CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => return Err(WhyKept::Conflict),
                CardMatch::None | CardMatch::One { .. } => {}
            }
        }
        let mut kept = Vec::new();
        let created = self
            .deeds
            .iter()
            .any(|(_, written)| matches!(written.change.action, Action::Create { .. }));
        let way = self.way(card, &mut kept);
        let stored = &self.index.cards[card];
        let mut fields = BTreeMap::new();
        for (field, back) in self.written_fields(id, created) {
            if stored.archived && !matches!(way, Way::Unarchive(..)) {
                kept.push(Kept::new(back.deed, None, WhyKept::Archived));
                continue;
            }
            match self.field(stored, field, back) {
                Ok(back) => {
                    fields.insert(field, back);
                }
                Err((deed, why)) => kept.push(Kept::new(deed, Some(field), why)),
            }
        }
        let turn = Turn {
            card,
            key: last.change.key_of(id).cloned(),
            anchors: last.change.anchors.clone(),
            way,
            fields,
            created,
        };
        Ok((turn, kept))
    }

    /// Back to active or archived, as the card was before the first of the deeds.
    fn way(&self, card: usize, kept: &mut Vec<Kept>) -> Way<'d> {
        let moves = || {
            self.deeds.iter().filter(|(_, written)| match written.change.action {
                // A request to an operator leaves the card as it is.
                Action::Create { .. } | Action::Archive { .. } | Action::Unarchive { .. } => {
                    written.step.operator().is_none()
                }
                Action::CreateEntry { .. }
                | Action::Update { .. }
                | Action::Adopt { .. }
                | Action::Exchange { .. }
                | Action::Merge { .. }
                | Action::Anonymize { .. }
                | Action::SetReferences { .. } => false,
            })
        };
        let (Some((first_deed, first)), Some((deed, last))) = (moves().next(), moves().next_back()) else {
            let armed = self.moved_login(false);
            if let Some((deed, written)) = self.deeds.first()
                && !armed.is_empty()
                && !self.index.cards[card].archived
            {
                let fate = OperatorFate::back_to(Vec::new(), Vec::new(), armed, None);
                return Way::Unarchive(written, deed, fate);
            }
            let of_operators = self
                .deeds
                .iter()
                .filter(|(_, written)| written.step.operator().is_some());
            kept.extend(of_operators.map(|(deed, _)| Kept::new(deed, None, WhyKept::OperatorMoved)));
            return Way::Stays;
        };
        // A card that was not there before cannot be taken away: archived is as near as it comes.
        let was_active = matches!(first.change.action, Action::Archive { .. });
        let stored = &self.index.cards[card];
        if was_active && !stored.archived {
            let fate = self.fate(card, first);
            if !fate.wakes().is_empty() || !fate.arms().is_empty() {
                return Way::Unarchive(first, first_deed, fate);
            }
        }
        if stored.archived != was_active {
            kept.push(Kept::new(deed, None, WhyKept::AsBefore));
            return Way::Stays;
        }
        if !was_active {
            return Way::Archive(deed, self.moved_login(true));
        }
        let as_left = last.after.as_ref().and_then(|after| after.modified_at);
        // Archived again by our own hand, because an undo could not be finished.
        let ledger = self.input.ledger.get(&stored.id);
        let put_back = ledger
            .and_then(|entry| entry.archived_by_us.as_ref())
            .filter(|archive| archive.put_back && archive.modified_at.is_some());
        let by_us = put_back.is_some_and(|archive| archive.modified_at == stored.modified_at);
        if as_left.is_some() && stored.modified_at != as_left && !by_us {
            kept.push(Kept::new(deed, None, WhyKept::TouchedSince));
            return Way::Stays;
        }
        if let Some(other) = self.active_with_key_of(card) {
            let card = self.index.cards[other].id.clone();
            kept.push(Kept::new(deed, None, WhyKept::KeyElsewhere { card }));
            return Way::Stays;
        }
        Way::Unarchive(last, deed, self.fate(card, first))
    }

    /// The operators are to be as they were before the first of the deeds: those that were active wake, the others sleep on.
    fn fate(&self, card: usize, first: &Written) -> OperatorFate {
        let was_active = |id: &OperatorId| first.operators_before.iter().any(|was| was.id == *id && !was.archived);
        let archived = self.index.archived_operators(card);
        let (wake, keep) = archived.into_iter().partition(was_active);
        let arm = self.moved_login(false);
        OperatorFate::back_to(wake, keep, arm, self.input.target.archiving_reason.clone())
    }

    /// The operators whose permission to log in these deeds gave or took, where it was otherwise before and still is so.
    fn moved_login(&self, given: bool) -> Vec<OperatorId> {
        let permission = |operators: &[OperatorCard], id: &OperatorId| {
            operators
                .iter()
                .find(|it| it.id == *id)
                .and_then(|it| it.login_permission)
        };
        let mut moved: Vec<OperatorId> = Vec::new();
        for (_, written) in self.deeds {
            if let Step::SetLoginPermission { operator, allowed } = &written.step
                && *allowed == given
                && permission(&written.operators_before, operator) == Some(!given)
                && permission(&self.input.target.operators, operator) == Some(given)
                && !moved.contains(operator)
            {
                moved.push(operator.clone());
            }
        }
        moved
    }

    /// Another active card with the key of this one.
    fn active_with_key_of(&self, card: usize) -> Option<usize> {
        let CardState::Keyed(key) = self.index.state(card) else {
            return None;
        };
        self.active_with(key, card)
    }

    fn active_with(&self, key: &Key, card: usize) -> Option<usize> {
        let group = self.index.group(key);
        group.active.into_iter().find(|other| *other != card)
    }

    /// Each field that the deeds wrote: from before the first to after the last. Of a card that they made only the login
    /// matters, where the one who had it gets it back.
    fn written_fields(&self, id: &CardId, created: bool) -> BTreeMap<CardField, Back<'d>> {
        let mut fields: BTreeMap<CardField, Back<'d>> = BTreeMap::new();
        for (deed, written) in self.deeds {
            let adopted = match &written.change.action {
                Action::Update { .. } | Action::SetReferences { .. } | Action::Create { .. } => false,
                // Of an archive that gave a leaver's card its number, the number.
                Action::Adopt { .. } | Action::Exchange { .. } | Action::Archive { .. } => true,
                Action::CreateEntry { .. }
                | Action::Merge { .. }
                | Action::Unarchive { .. }
                | Action::Anonymize { .. } => {
                    continue;
                }
            };
            for change in written.change.fields_on(id) {
                if created && change.field != CardField::TasLoginName {
                    continue;
                }
                let wrote = wrote(written, change);
                fields
                    .entry(change.field)
                    .and_modify(|back| {
                        back.wrote.clone_from(&wrote);
                        back.deed = deed;
                    })
                    .or_insert_with(|| Back {
                        wrote: wrote.clone(),
                        before: change.from.clone(),
                        deed,
                        adopted,
                    });
            }
        }
        fields
    }

    /// A field that still is as it was written goes back.
    fn field(&self, stored: &PersonCard, field: CardField, back: Back<'d>) -> Result<Back<'d>, (&'d Deed, WhyKept)> {
        let now = stored.fields.get(field);
        let kind = field.kind();
        if same(now, back.before.as_ref(), kind) {
            return Err((back.deed, WhyKept::AsBefore));
        }
        if let Some(FieldValue::Reference(Reference::Pending(_))) = &back.wrote {
            return Err((back.deed, WhyKept::ValueUnknown));
        }
        if !same(now, back.wrote.as_ref(), kind) {
            return Err((back.deed, WhyKept::ChangedSince));
        }
        if field == self.input.policy.key.card_field {
            let before = back.before.as_ref().map(FieldValue::display).unwrap_or_default();
            let card = self.index.position(&stored.id).expect("the card is in the index");
            if let KeyReading::Key(key) = self.input.policy.key.read(&before)
                && let Some(other) = self.active_with(&key, card)
                && self.partner != Some(&self.index.cards[other].id)
            {
                let card = self.index.cards[other].id.clone();
                return Err((back.deed, WhyKept::KeyElsewhere { card }));
            }
        }
        Ok(back)
    }
}

/// The value that a write left, as TOPdesk answered it.
fn wrote(written: &Written, change: &FieldChange) -> Option<FieldValue> {
    let answered = written.after.as_ref().and_then(|after| after.fields.get(change.field));
    match (&change.to, answered) {
        (Some(_), Some(answered)) => Some(answered.clone()),
        (to, _) => to.clone(),
    }
}

impl Turn<'_> {
    /// The changes of the way back, each with what it pins.
    pub(super) fn changes(&self, input: &PlanInput, index: &CardIndex<'_>) -> (Vec<(Change, Vec<Pinned>)>, Ids) {
        let mut ids = Ids::default();
        let mut changes = Vec::new();
        if let Way::Unarchive(written, deed, fate) = &self.way {
            let mut change = self.change(
                input,
                index,
                Action::Unarchive {
                    operators: fate.clone(),
                },
                Some(Use::Unarchive),
            );
            change.why.push(undoes(deed));
            if !index.cards[self.card].archived {
                change
                    .why
                    .push("the card is active already; an operator is not as it was before".to_owned());
            }
            for operator in fate.arms() {
                change.why.push(format!("operator {operator} may log in again"));
            }
            let evidence = written.change.evidence.iter().map(|evidence| evidence.code).collect();
            ids.unarchive = Some(change.id.clone());
            changes.push((change, vec![Pinned::Archive { evidence }]));
        }
        let mut last_of_fields = Vec::new();
        for (action, deed, pinned) in self.field_actions(input) {
            let looks = matches!(action, Action::Adopt { .. }).then_some(Use::Adopt);
            let mut change = self.change(input, index, action, looks);
            change.why.push(undoes(deed));
            change.depends_on.extend(ids.unarchive.clone());
            for field in change.action.fields() {
                ids.fields.insert(field.field, change.id.clone());
            }
            last_of_fields.push(change.id.clone());
            changes.push((change, pinned));
        }
        if let Way::Archive(deed, disarm) = &self.way {
            let reason = input.target.archiving_reason.clone();
            let mut change = self.change(
                input,
                index,
                Action::Archive {
                    reason,
                    disarm: disarm.clone(),
                    apart: ArchivedApart {
                        operators: if input.target.installation.archives_operators() {
                            Vec::new()
                        } else {
                            index.active_operators(self.card)
                        },
                        left_behind: false,
                    },
                    number: Vec::new(),
                },
                Some(Use::Archive),
            );
            change.why.push(undoes(deed));
            if self.created {
                change
                    .why
                    .push("TOPdesk cannot delete a person card: it stays, archived, with its number".to_owned());
            }
            // An archived card cannot be edited any more.
            change.depends_on.extend(last_of_fields);
            changes.push((change, vec![Pinned::Unarchive]));
        }
        (changes, ids)
    }

    /// The fields that go back, as actions: with the key what came with it, then the rest, and a manager's flag once
    /// nobody refers to it.
    fn field_actions(&self, input: &PlanInput) -> Vec<(Action, &Deed, Vec<Pinned>)> {
        let key_field = input.policy.key.card_field;
        let mut adopt = Vec::new();
        let mut update = Vec::new();
        let mut last = Vec::new();
        let key_goes = self.fields.get(&key_field).is_some_and(|back| back.adopted);
        for (field, back) in &self.fields {
            let place = if key_goes && back.adopted {
                &mut adopt
            } else if *field == CardField::IsManager {
                &mut last
            } else {
                &mut update
            };
            place.push((*field, back));
        }
        // The key first, as in every adoption.
        adopt.sort_by_key(|(field, _)| (*field != key_field, *field));
        let mut actions = Vec::new();
        type Make = fn(Vec<FieldChange>) -> Action;
        let makes: [(Make, Vec<(CardField, &Back<'_>)>); 3] = [
            (|fields| Action::Update { fields }, update),
            (|fields| Action::Adopt { fields }, adopt),
            (|fields| Action::SetReferences { fields }, last),
        ];
        for (make, backs) in makes {
            let Some((_, first)) = backs.first() else { continue };
            let deed = first.deed;
            let fields = backs.iter().map(|(field, back)| FieldChange {
                field: *field,
                from: back.wrote.clone(),
                to: back.before.clone(),
            });
            let action = make(fields.collect());
            let mut pinned: Vec<Pinned> = backs
                .iter()
                .map(|(field, back)| Pinned::Field {
                    field: *field,
                    to: back.wrote.clone(),
                })
                .collect();
            if let (Action::Adopt { .. }, Some(key)) = (&action, &self.key) {
                pinned.push(Pinned::Adopt { key: key.clone() });
            }
            actions.push((action, deed, pinned));
        }
        actions
    }

    fn change(&self, input: &PlanInput, index: &CardIndex<'_>, action: Action, looks: Option<Use>) -> Change {
        let operator = index.operator(self.card);
        let mut doubts = Vec::new();
        let degraded = match (&input.target.verdict, looks) {
            (Verdict::Complete, _) => false,
            (Verdict::Degraded { cannot }, Some(what)) => cannot.contains(&what),
            (Verdict::Degraded { .. }, None) => false,
            (Verdict::Rejected, _) => true,
        };
        if degraded {
            doubts.push(HoldReason::TargetDegraded);
        }
        let grave = match &action {
            Action::Archive { .. } | Action::Unarchive { .. } => true,
            Action::CreateEntry { .. }
            | Action::Create { .. }
            | Action::Update { .. }
            | Action::Adopt { .. }
            | Action::Exchange { .. }
            | Action::Merge { .. }
            | Action::Anonymize { .. }
            | Action::SetReferences { .. } => action.fields().iter().any(FieldChange::blanks_identity),
        };
        if grave && !index.sees_all_operators() {
            doubts.push(HoldReason::OperatorUnproven);
        }
        let mut change = Change {
            id: ItemId::new(""),
            key: self.key_after(input, &action),
            action,
            raw_key: None,
            card: Some(index.cards[self.card].id.clone()),
            operator,
            evidence: Vec::new(),
            depends_on: Vec::new(),
            doubts,
            why: Vec::new(),
            anchors: self.anchors.clone(),
            overwrites: BTreeSet::new(),
            access_later: false,
            seen_in: Vec::new(),
        };
        change.id = item_id(&change);
        change
    }

    /// The key under which the card is ours afterwards: the one that is put back, else the one that it has. A card whose
    /// key is only taken off is still known by it, so that nobody is created beside it (RULES 2.1).
    fn key_after(&self, input: &PlanInput, action: &Action) -> Option<Key> {
        let put_back = action
            .fields()
            .iter()
            .find(|change| change.field == input.policy.key.card_field);
        let raw = put_back.and_then(|change| change.to.as_ref()).map(FieldValue::display);
        match raw.map(|raw| input.policy.key.read(&raw)) {
            Some(KeyReading::Key(key)) => Some(key),
            Some(
                KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } | KeyReading::Hidden { .. },
            )
            | None => self.key.clone(),
        }
    }
}

pub(super) fn undoes(deed: &Deed) -> String {
    format!("undoes {} {} of run {}", deed.action, deed.item, deed.run)
}
