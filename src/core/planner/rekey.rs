//! One human under a new number: a person without a card and a card that nobody claims, or whose person leaves, are one
//! item that moves the number on the card, not a leaver and a joiner.
//!
//! That takes the same directory id, or two fields that agree and of which one does not follow from the name: namesakes
//! have the same name, and often the same e-mail address and login one after the other.

use super::{Draft, Planner, text_of};
use crate::core::likeness::marks::{same_phone, says_more_than};
use crate::core::memory::decision::Answer;
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::hold::shared_marks;
use crate::core::plan::{ActionKind, Change, FieldChange, HoldReason, SkipReason};
use crate::core::reads::cards::{CardState, Likeness, fold};
use crate::core::reads::merge::Person;
use std::collections::{BTreeMap, BTreeSet};

/// What two sides have in common.
#[derive(Clone, Debug)]
pub(super) struct Agreement {
    pub(super) fields: BTreeSet<CardField>,
    pub(super) anchor: bool,
}

/// A creation and the adoption that takes its place if both sides are one human.
#[derive(Clone, Debug)]
pub(super) struct Rekey {
    pub(super) create: usize,
    pub(super) adopt: usize,
    pub(super) agreement: Agreement,
}

impl Planner<'_> {
    /// Whether the person and the only card that resembles them look like one human under a new number.
    pub(super) fn same_person(&self, person: &Person<'_>, changes: &[FieldChange], card: usize) -> Option<Agreement> {
        let stored = &self.index.cards[card];
        let CardState::Keyed(_) = self.index.state(card) else {
            return None;
        };
        if stored.archived {
            return None;
        }
        let anchors = self.known[card].map_or(&[][..], |entry| &entry.anchors);
        let anchor = person.anchors.iter().any(|anchor| anchors.contains(anchor));
        let new = |field| text_of(changes, field);
        let old = |field| stored.fields.text(field);
        let same = |field| {
            new(field)
                .zip(old(field))
                .is_some_and(|(new, old)| fold(new) == fold(old))
        };
        let wanted = Likeness::of(|field| new(field).map(str::to_owned));
        let mut fields = wanted.agreement(&Likeness::of_card(stored));
        for phone in [CardField::PhoneNumber, CardField::MobileNumber] {
            if new(phone)
                .zip(old(phone))
                .is_some_and(|(new, old)| same_phone(new, old))
            {
                fields.insert(phone);
            }
        }
        let named_alike = same(CardField::SurName) || same(CardField::FirstName);
        let names = [CardField::SurName, CardField::FirstName].map(|field| new(field).unwrap_or_default());
        let independent = |field: &CardField| match field {
            CardField::PhoneNumber | CardField::MobileNumber => true,
            CardField::TasLoginName => [CardField::TasLoginName, CardField::NetworkLoginName]
                .iter()
                .filter_map(|login| new(*login))
                .any(|login| says_more_than(login, names)),
            CardField::Email => new(CardField::Email).is_some_and(|email| says_more_than(email, names)),
            _name => false,
        };
        let by_fields = named_alike && fields.len() > 1 && fields.iter().any(independent);
        (anchor || by_fields).then_some(Agreement { fields, anchor })
    }

    /// Makes one item of the halves: what moves the number stands for the creation and the archive.
    pub(super) fn join_halves(&mut self) {
        let by_card = std::mem::take(&mut self.rekeys);
        for (card, found) in by_card {
            // Two people who could be one and the same card's: a human must choose among all of it.
            let [
                Rekey {
                    create,
                    adopt,
                    agreement,
                },
            ] = found.as_slice()
            else {
                continue;
            };
            let is_archive = |draft: &Draft| draft.action.kind() == ActionKind::Archive && draft.card == Some(card);
            let archive = self.drafts.iter().position(is_archive);
            for half in archive.into_iter().chain([*create]) {
                self.drafts[half].half_of = Some(*adopt);
            }
            let reason = HoldReason::SamePerson {
                card: self.index.cards[card].id.clone(),
                agree: agreement.fields.clone(),
                anchor: agreement.anchor,
            };
            let old = match self.index.state(card) {
                CardState::Keyed(key) => key.to_string(),
                CardState::Keyless | CardState::Anonymized => String::new(),
            };
            let gone = if self.claimed[card] {
                format!("the old side: {old} leaves or has left")
            } else {
                format!("the old side: no record has {old} any more")
            };
            let listed = self.listed_words(card);
            let draft = &mut self.drafts[*adopt];
            draft
                .doubts
                .retain(|doubt| !matches!(doubt, HoldReason::AdoptOrCreate { .. }));
            draft.doubts.push(reason);
            draft.why = vec![
                format!(
                    "same person, new number? same {}",
                    shared_marks(&agreement.fields, agreement.anchor).join(", ")
                ),
                gone,
            ];
            draft.why.extend(listed);
        }
    }

    /// Takes the halves out whose one item nobody has rejected, and what would only follow from them.
    pub(super) fn without_halves(
        &mut self,
        drafts: &[Draft],
        ids: &BTreeMap<usize, ItemId>,
        changes: &mut Vec<Change>,
    ) {
        let rejected = |item: &ItemId| {
            let decision = self.input.decisions.get(item);
            decision
                .is_some_and(|decision| decision.answer == Answer::Reject && decision.in_force(self.input.moment.now))
        };
        let halves = drafts.iter().enumerate().filter_map(|(number, draft)| {
            let whole = ids.get(&draft.half_of?)?;
            (!rejected(whole)).then(|| ids.get(&number).map(|half| (half.clone(), whole.clone())))?
        });
        let mut out: BTreeMap<ItemId, ItemId> = halves.collect();
        if out.is_empty() {
            return;
        }
        loop {
            let follows: Vec<(ItemId, ItemId)> = changes
                .iter()
                .filter(|change| !out.contains_key(&change.id))
                .filter_map(|change| {
                    let whole = change.depends_on.iter().find_map(|needed| out.get(needed))?;
                    Some((change.id.clone(), whole.clone()))
                })
                .collect();
            if follows.is_empty() {
                break;
            }
            out.extend(follows);
        }
        let (gone, kept): (Vec<Change>, Vec<Change>) = std::mem::take(changes)
            .into_iter()
            .partition(|change| out.contains_key(&change.id));
        *changes = kept;
        let created: BTreeSet<_> = gone
            .iter()
            .filter(|change| change.action.kind() == ActionKind::Create)
            .filter_map(|change| change.key.clone())
            .collect();
        // What was said about the card that is not made now.
        self.skipped.retain(|skip| {
            let of_new_card = skip.card.is_none() && skip.key.as_ref().is_some_and(|key| created.contains(key));
            !(of_new_card && matches!(skip.reason, SkipReason::LoginHeld | SkipReason::FieldLeft))
        });
        for change in gone {
            match (change.action.kind(), change.card.as_ref()) {
                // It is about to be archived, and nobody has settled it.
                (ActionKind::Archive, Some(card)) => {
                    self.counting_absent.insert(CardId::clone(card));
                }
                (ActionKind::Update | ActionKind::SetReferences, Some(card)) => {
                    let whole = &out[&change.id];
                    let card = self.index.position(card);
                    let detail = format!("waits until item {whole} is decided; the field stays as it is");
                    self.skip(SkipReason::FieldLeft, change.key.as_ref(), card, detail);
                }
                (_, _) => {}
            }
        }
    }
}
