//! A TOPdesk of a few lines: applies what the guard lets pass, and refuses what the real one refuses.

use super::world::{World, entry};
use crate::core::guard::{ApprovedPlan, Judged, items_in};
use crate::core::memory::ledger::{LastLook, LedgerEntry, Origin, OurArchive};
use crate::core::model::card::PersonCard;
use crate::core::model::field::{CardField, FieldValue, Reference};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::plan::{Action, Change, FieldChange};
use crate::core::reads::cards::fold;
use crate::core::reads::diff::same;
use crate::core::rules::window::Spent;
use chrono::Duration;
use std::collections::BTreeMap;

#[derive(Default)]
struct Made {
    cards: BTreeMap<ItemId, CardId>,
    entries: BTreeMap<ItemId, String>,
}

impl World {
    /// One whole run: plan, judge, apply, remember. A minute passes.
    pub fn run(&mut self) -> Judged {
        let judged = self.judged();
        for entry in &judged.plan.ledger {
            self.ledger.insert(entry.card.clone(), entry.clone());
        }
        self.contact = judged.contact.clone();
        self.send(&judged.approved);
        self.now += Duration::minutes(1);
        judged
    }

    /// `run --only` or `apply`: some of what may pass is sent, nothing is remembered but what was sent.
    pub fn run_some(&mut self, wanted: impl Fn(&Change) -> bool) -> ApprovedPlan {
        let approved = self.judged().approved.keep(wanted);
        self.send(&approved);
        self.now += Duration::minutes(1);
        approved
    }

    pub fn send(&mut self, approved: &ApprovedPlan) {
        let mut made = Made::default();
        let mut done: Vec<ItemId> = Vec::new();
        for approved in approved.changes() {
            let change = approved.change();
            for needed in &change.depends_on {
                assert!(done.contains(needed), "{} comes before what it needs", change.id);
            }
            self.apply(change, &mut made);
            for class in change.classes() {
                let items = items_in(change, class);
                self.spent.push(Spent {
                    class,
                    at: self.now,
                    items,
                });
            }
            done.push(change.id.clone());
        }
    }

    fn apply(&mut self, change: &Change, made: &mut Made) {
        match &change.action {
            Action::CreateEntry { list, name } => {
                let id = format!("new-{}", change.id);
                let entries = self.lookups.lists.get_mut(list).expect("the list was read");
                assert!(
                    entries.iter().all(|known| fold(&known.name) != fold(name)),
                    "the entry exists"
                );
                entries.push(entry(&id, name));
                entries.sort();
                made.entries.insert(change.id.clone(), id);
            }
            Action::Create { fields } => {
                let id = CardId::new(format!("z-{}", change.id));
                let card = PersonCard {
                    id: id.clone(),
                    archived: false,
                    fields: Default::default(),
                    creator: None,
                    modifier: None,
                    created_at: None,
                    modified_at: None,
                };
                self.cards.insert(id.clone(), card);
                made.cards.insert(change.id.clone(), id.clone());
                self.write(&id, fields, made);
                self.remember(&id, change, Origin::Created);
            }
            Action::Update { fields } => {
                let card = change.card.as_ref().expect("a card");
                self.write(card, fields, made);
                if let Some(entry) = self.ledger.get_mut(card)
                    && fields.iter().any(|change| change.field == CardField::HasSspAccess)
                {
                    entry.access_later = false;
                }
            }
            Action::SetReferences { fields } => {
                let card = match &change.card {
                    Some(card) => card.clone(),
                    None => made.cards[&change.depends_on[0]].clone(),
                };
                self.write(&card, fields, made);
            }
            Action::Adopt { fields } => {
                let card = change.card.clone().expect("a card");
                self.write(&card, fields, made);
                self.remember(&card, change, Origin::Adopted);
            }
            Action::Exchange { fields, other } => {
                let card = change.card.clone().expect("a card");
                self.write(&card, fields, made);
                self.write(&other.card, &other.fields, made);
                self.remember(&card, change, Origin::Adopted);
                let of_other = Change {
                    key: Some(other.key.clone()),
                    anchors: Vec::new(),
                    ..change.clone()
                };
                self.remember(&other.card, &of_other, Origin::Adopted);
            }
            Action::Merge {
                fields, twin, taken, ..
            } => {
                let card = change.card.clone().expect("a card");
                self.write(twin, taken, made);
                self.write(&card, fields, made);
                self.cards.get_mut(twin).expect("the twin exists").archived = true;
                self.remember(&card, change, Origin::Adopted);
                let of_twin = self.ledger.get_mut(twin).expect("the twin was ours");
                of_twin.former_keys.extend(of_twin.key.take());
            }
            Action::Archive { apart, .. } if apart.left_behind => {
                for operator in &apart.operators {
                    let operator = self.operators.get_mut(operator).expect("the operator exists");
                    assert!(!operator.archived, "{} is archived already", operator.id);
                    operator.archived = true;
                }
            }
            Action::Archive { number, .. } => {
                if !number.is_empty() {
                    let card = change.card.clone().expect("a card");
                    self.write(&card, number, made);
                    self.remember(&card, change, Origin::Adopted);
                }
                self.set_archived(change, true);
            }
            Action::Unarchive { .. } => self.set_archived(change, false),
            Action::Anonymize { fields, .. } => {
                let id = change.card.clone().expect("a card");
                let card = self.cards.get_mut(&id).expect("the card exists");
                assert!(card.archived, "{id} is anonymized in the archive");
                for change in fields {
                    card.fields.set(change.field, change.to.clone());
                }
                card.modified_at = Some(self.now);
                let entry = self.ledger.get_mut(&id).expect("only what is ours");
                entry.anonymized = true;
                self.purged_keys.extend(entry.key.take());
                entry.former_keys.clear();
                entry.anchors.clear();
            }
        }
    }

    fn write(&mut self, id: &CardId, changes: &[FieldChange], made: &Made) {
        let reserved = self.policy.archived_logins_reserved;
        let now = self.now;
        let card = self.cards.get_mut(id).expect("the card exists");
        assert!(!card.archived, "an archived card cannot be patched");
        for change in changes {
            let current = card.fields.get(change.field);
            assert!(
                same(current, change.from.as_ref(), change.field.kind()),
                "{id}: {} is not what was judged",
                change.field
            );
            let to = match &change.to {
                Some(FieldValue::Reference(Reference::Pending(pending))) => Some(FieldValue::Reference(
                    match (made.cards.get(&pending.item), made.entries.get(&pending.item)) {
                        (Some(card), _) => Reference::Card {
                            id: card.clone(),
                            label: pending.label.clone(),
                        },
                        (None, Some(entry)) => Reference::Entry {
                            id: entry.as_str().into(),
                            name: pending.label.clone(),
                        },
                        (None, None) => panic!("{} was not made before", pending.label),
                    },
                )),
                other => other.clone(),
            };
            card.fields.set(change.field, to);
        }
        card.modified_at = Some(now);
        assert!(card.fields.text(CardField::SurName).is_some(), "a surname is mandatory");
        let login = card.fields.text(CardField::TasLoginName).map(fold);
        if changes.iter().any(|change| change.field == CardField::TasLoginName) && login.is_some() {
            let holders = self.cards.values().filter(|card| reserved || !card.archived);
            let same_login = holders.filter(|card| card.fields.text(CardField::TasLoginName).map(fold) == login);
            assert_eq!(same_login.count(), 1, "{id}: a login name must be unique");
        }
    }

    /// The last day of somebody of `hr` was 20 February, ten days ago, and that was seen the day after.
    pub fn leaves(&mut self, key: &str) {
        self.hr().set(key, "end", "2026-02-20");
        if let Some(entry) = self.ledger.get_mut(&CardId::new(format!("c-{key}"))) {
            entry.leaving_since = "2026-02-21T05:00:00Z".parse().ok();
        }
    }

    fn remember(&mut self, id: &CardId, change: &Change, origin: Origin) {
        let key = change.key.clone().expect("people have keys");
        let mut entry = self
            .ledger
            .get(id)
            .cloned()
            .unwrap_or_else(|| LedgerEntry::new(id.clone(), key.clone(), origin, self.now));
        entry.goes_under(&key);
        entry.anchors = change.anchors.clone();
        entry.access_later = change.access_later;
        entry.see(&change.seen_in, self.now);
        self.ledger.insert(id.clone(), entry);
    }

    fn set_archived(&mut self, change: &Change, archived: bool) {
        let id = change.card.clone().expect("a card");
        let now = self.now;
        let card = self.cards.get_mut(&id).expect("the card exists");
        assert_ne!(card.archived, archived, "{id} is in that state already");
        card.archived = archived;
        card.modified_at = Some(now);
        for operator in self
            .operators
            .values_mut()
            .filter(|operator| operator.linked_person.as_ref() == Some(&id))
        {
            operator.archived = archived;
        }
        if !self.ledger.contains_key(&id) {
            self.remember(&id, change, Origin::Matched);
        }
        let entry = self.ledger.get_mut(&id).expect("it is there now");
        entry.last_look = if archived { LastLook::Archived } else { LastLook::Active };
        if !archived {
            entry.leaving_since = None;
            entry.leaving_is_certain = false;
        }
        entry.archived_by_us = archived.then(|| {
            Box::new(OurArchive {
                at: now,
                run: "run".into(),
                modified_at: Some(now),
                modifier: None,
                took_operators: Vec::new(),
                put_back: false,
                asked_for: false,
            })
        });
    }
}
