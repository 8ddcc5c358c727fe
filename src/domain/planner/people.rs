//! One present person: nothing, update, archive, unarchive; or, without a card, on to [`super::newcomers`].

use super::{Draft, ManagerWish, Planner, conflict_of, names_differ};
use crate::domain::card::{CardFields, OperatorLink};
use crate::domain::cards::{CardMatch, Likeness};
use crate::domain::diff::field_change;
use crate::domain::field::{CardField, FieldKind, FieldValue, Reference};
use crate::domain::identity::{Description, Desired, Truth, Unknown, Wanted};
use crate::domain::ids::SourceName;
use crate::domain::key::Key;
use crate::domain::ledger::{LedgerEntry, Origin, Sighting};
use crate::domain::lifecycle::{Leaving, leaving};
use crate::domain::merge::Person;
use crate::domain::plan::{Action, Conflict, FieldChange, HoldReason, SkipReason};
use crate::domain::policy::RehirePerson;
use crate::domain::references::Resolved;
use crate::domain::snapshot::{Rejection, RejectionScope, Role, Use};
use std::collections::{BTreeMap, BTreeSet};

/// The wanted fields of a person, compared with a card or with nothing.
pub(super) struct Fields {
    pub changes: Vec<FieldChange>,
    /// A manager that this plan may make.
    pub new_manager: Option<Key>,
    /// Problems that make the person wait.
    pub holds: Vec<String>,
    /// Enrich sources whose values are unknown because they were rejected.
    pub needs: BTreeSet<SourceName>,
}

impl Planner<'_> {
    pub(super) fn person(&mut self, person: &Person<'_>) {
        let key = person.key;
        let matching = self.index.matching(key);
        if let Some((kind, cards)) = conflict_of(&matching) {
            let cards = self.ids(cards.iter());
            self.conflicts.push(Conflict {
                key: key.clone(),
                kind,
                records: person.records.clone(),
                cards,
            });
            return;
        }
        let (card, twins) = match matching {
            CardMatch::One { card, twins } => (Some(card), twins),
            CardMatch::None | CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => (None, Vec::new()),
        };
        for twin in twins {
            self.skip(
                SkipReason::ArchivedTwin,
                Some(key),
                Some(twin),
                "an archived card has the same key as the active one; the active one is kept",
            );
        }
        if card.is_some_and(|card| self.index.is_special(card)) {
            self.skip(
                SkipReason::SpecialAccount,
                Some(key),
                card,
                "linked to an API account, a TOPdesk account or cardsync's own account: never touched",
            );
            return;
        }
        if self.is_protected(Some(key), card) {
            self.skip(SkipReason::Protected, Some(key), card, "on guard.protect");
            return;
        }
        match self.describe.scope(&person.joined, self.input.moment) {
            Truth::True => {}
            Truth::False => {
                self.skip(SkipReason::OutOfScope, Some(key), card, "`include` says no");
                return;
            }
            Truth::Unknown(why) => {
                self.skip(
                    SkipReason::ScopeUnknown,
                    Some(key),
                    card,
                    format!("`include` gives neither yes nor no: {why}"),
                );
                return;
            }
        }
        match card {
            Some(card) => self.paired(person, card),
            None => self.unpaired(person),
        }
    }

    /// A person with exactly one card.
    fn paired(&mut self, person: &Person<'_>, card: usize) {
        let key = person.key;
        let known = self.input.ledger.get(&self.index.cards[card].id);
        let since = known.and_then(|entry| entry.leaving_since);
        let state = leaving(self.describe, person, self.input.moment, &self.input.policy, since);
        let description = self.describe.describe(&person.joined, self.input.moment);
        let doubt = self.another_person(person, card, &description);
        self.learn(person, card, &state, doubt.is_some());
        let archived = self.index.cards[card].archived;
        match (state, archived) {
            (Leaving::Now(evidence), false) => {
                if known.is_some_and(|entry| entry.archived_by_us.is_some()) {
                    self.skip(
                        SkipReason::UnarchivedByHand,
                        Some(key),
                        Some(card),
                        "leaves, but a human unarchived the card after cardsync had archived it: it stays so",
                    );
                    return;
                }
                let mut doubts: Vec<HoldReason> = doubt.into_iter().collect();
                doubts.extend(self.archive_doubts(card));
                self.archive(key, card, vec![evidence], doubts);
            }
            (Leaving::Later { detail }, false) => self.skip(SkipReason::LeavingLater, Some(key), Some(card), detail),
            (Leaving::Now(_) | Leaving::Later { .. }, true) => {}
            (Leaving::No, true) => self.rehire(person, card, &description, doubt),
            (Leaving::Unknown(why), true) => {
                self.skip(
                    SkipReason::LeavingUnknown,
                    Some(key),
                    Some(card),
                    format!("stays archived: {why}"),
                );
            }
            (Leaving::Unknown(why), false) => {
                self.skip(
                    SkipReason::LeavingUnknown,
                    Some(key),
                    Some(card),
                    format!("lifecycle.leaver.when gives neither yes nor no: {why}"),
                );
                self.update(person, card, &description, doubt, Vec::new());
            }
            (Leaving::No, false) => self.update(person, card, &description, doubt, Vec::new()),
        }
    }

    /// RULES 1.5: the number agrees and nothing else does.
    fn another_person(&self, person: &Person<'_>, card: usize, description: &Description) -> Option<HoldReason> {
        let wanted_text = |field| match description.fields.get(&field) {
            Some(Desired::Set(Wanted::Value(FieldValue::Text(text)))) => Some(text.to_string()),
            Some(Desired::Set(_) | Desired::Clear | Desired::Unknown(_)) | None => None,
        };
        let wanted = Likeness::of(wanted_text);
        let fields = &self.index.cards[card].fields;
        let on_card = Likeness::of_card(&self.index.cards[card]);
        let (sur, first) = (wanted_text(CardField::SurName), wanted_text(CardField::FirstName));
        let firsts = (first.as_deref(), fields.text(CardField::FirstName));
        if !names_differ(
            &wanted,
            &on_card,
            sur.as_deref(),
            fields.text(CardField::SurName),
            firsts,
        ) {
            return None;
        }
        let known = self.input.ledger.get(&self.index.cards[card].id);
        let same_anchor = known.is_some_and(|entry| person.anchors.iter().any(|anchor| entry.anchors.contains(anchor)));
        let agrees = same_anchor || !wanted.agreement(&on_card).is_empty();
        (!agrees).then_some(HoldReason::AnotherPerson)
    }

    /// What the ledger learns of a person with a card.
    fn learn(&mut self, person: &Person<'_>, card: usize, state: &Leaving, doubted: bool) {
        let id = self.index.cards[card].id.clone();
        let now = self.input.moment.now;
        let known = self.input.ledger.get(&id);
        if known.is_none() && doubted {
            // Not ours before a human says that the number is this person's.
            return;
        }
        let mut entry = known
            .cloned()
            .unwrap_or_else(|| LedgerEntry::new(id.clone(), person.key.clone(), Origin::Matched, now));
        if entry.key.as_ref() != Some(person.key) {
            entry.former_keys.extend(entry.key.take());
            entry.key = Some(person.key.clone());
        }
        if !doubted {
            for anchor in &person.anchors {
                entry.anchors.retain(|known| known.source != anchor.source);
                entry.anchors.push(anchor.clone());
            }
            entry.anchors.sort();
        }
        for (source, (snapshot, part)) in &person.joined.parts {
            let seen = matches!(part, crate::domain::identity::Part::Record(_));
            if snapshot.summary.role != Some(Role::Authoritative) || snapshot.is_rejected() {
                continue;
            }
            match (seen, entry.sightings.get_mut(*source)) {
                (true, Some(sighting)) => {
                    sighting.absent = None;
                    // Rewriting a hundred thousand rows for a fresher date is not worth it.
                    if snapshot.summary.read_at - sighting.last_seen > chrono::Duration::days(1) {
                        sighting.last_seen = snapshot.summary.read_at;
                    }
                }
                (true, None) => {
                    let sighting = Sighting {
                        last_seen: snapshot.summary.read_at,
                        absent: None,
                    };
                    entry.sightings.insert((*source).clone(), sighting);
                }
                (false, _) => {}
            }
        }
        entry.leaving_since = match state {
            Leaving::Now(_) | Leaving::Later { .. } => entry.leaving_since.or(Some(now)),
            Leaving::No => None,
            Leaving::Unknown(_) => entry.leaving_since,
        };
        if *state == Leaving::No && !self.index.cards[card].archived {
            entry.archived_by_us = None;
        }
        if known != Some(&entry) {
            self.learned.insert(id, entry);
        }
    }

    pub(super) fn archive_doubts(&self, card: usize) -> Vec<HoldReason> {
        let mut doubts: Vec<HoldReason> = self.target_doubt(Use::Archive).into_iter().collect();
        if self.index.operator(card) == OperatorLink::Unproven {
            doubts.push(HoldReason::OperatorUnproven);
        }
        doubts
    }

    pub(super) fn archive(
        &mut self,
        key: &Key,
        card: usize,
        evidence: Vec<crate::domain::plan::Evidence>,
        doubts: Vec<HoldReason>,
    ) -> usize {
        let why = evidence.iter().map(|evidence| evidence.detail.clone()).collect();
        self.draft(Draft {
            action: Action::Archive {
                reason: self.input.target.archiving_reason.clone(),
            },
            key: Some(key.clone()),
            raw_key: None,
            card: Some(card),
            operator: self.index.operator(card),
            evidence,
            doubts,
            why,
            anchors: Vec::new(),
            after: Vec::new(),
        })
    }

    /// Somebody with an archived card who is back: only what cardsync archived itself, and nobody touched since.
    fn rehire(&mut self, person: &Person<'_>, card: usize, description: &Description, doubt: Option<HoldReason>) {
        let key = person.key;
        let stored = &self.index.cards[card];
        let ours = self
            .input
            .ledger
            .get(&stored.id)
            .and_then(|entry| entry.archived_by_us.as_ref());
        let untouched = ours.is_some_and(|ours| ours.modified_at.is_none() || ours.modified_at == stored.modified_at);
        if !untouched {
            let detail = if ours.is_some() {
                "the card was changed by somebody else after cardsync had archived it: it stays archived"
            } else {
                "a human archived the card: it stays archived"
            };
            self.skip(SkipReason::ArchivedByHand, Some(key), Some(card), detail);
            return;
        }
        let operator = self.index.operator(card);
        let mut doubts: Vec<HoldReason> = doubt.into_iter().collect();
        doubts.extend(self.target_doubt(Use::Unarchive));
        if operator == OperatorLink::Unproven {
            doubts.push(HoldReason::OperatorUnproven);
        }
        match self.input.policy.rehire {
            RehirePerson::Unarchive => {}
            RehirePerson::Hold => doubts.push(HoldReason::Rehire),
        }
        let unarchive = self.draft(Draft {
            action: Action::Unarchive,
            key: Some(key.clone()),
            raw_key: None,
            card: Some(card),
            operator,
            evidence: Vec::new(),
            doubts: doubts.clone(),
            why: vec!["is back in the sources; cardsync had archived the card".to_owned()],
            anchors: Vec::new(),
            after: Vec::new(),
        });
        self.update(person, card, description, None, vec![unarchive]);
    }

    fn update(
        &mut self,
        person: &Person<'_>,
        card: usize,
        description: &Description,
        doubt: Option<HoldReason>,
        after: Vec<usize>,
    ) {
        let current = self.index.cards[card].fields.clone();
        let fields = self.compare(person, description, Some(card), &current);
        if !fields.holds.is_empty() {
            self.reject_fields(person, &fields.holds);
            return;
        }
        let mut doubts: Vec<HoldReason> = doubt.into_iter().collect();
        let operator = self.index.operator(card);
        if operator == OperatorLink::Unproven && fields.changes.iter().any(FieldChange::blanks_identity) {
            doubts.push(HoldReason::OperatorUnproven);
        }
        let draft = (!fields.changes.is_empty()).then(|| {
            self.draft(Draft {
                action: Action::Update { fields: fields.changes },
                key: Some(person.key.clone()),
                raw_key: None,
                card: Some(card),
                operator,
                evidence: Vec::new(),
                doubts,
                why: Vec::new(),
                anchors: Vec::new(),
                after,
            })
        });
        if let Some(manager) = fields.new_manager {
            let from = current.get(CardField::Manager).cloned();
            self.manager_wishes.push(ManagerWish {
                draft,
                card: Some(card),
                key: person.key.clone(),
                manager,
                from,
            });
        }
    }

    /// Bad fields hold creates and updates of the person, never an archive with evidence (RULES 4.2).
    pub(super) fn reject_fields(&mut self, person: &Person<'_>, problems: &[String]) {
        let Some(record) = person.records.first() else { return };
        for message in problems {
            self.rejections.push(Rejection {
                source: record.source.clone(),
                place: record.place.clone(),
                key: Some(person.key.clone()),
                scope: RejectionScope::Fields,
                message: message.clone(),
            });
        }
    }

    /// Compares the wanted fields with a card, or with nothing for a create.
    pub(super) fn compare(
        &mut self,
        person: &Person<'_>,
        description: &Description,
        card: Option<usize>,
        current: &CardFields,
    ) -> Fields {
        let mut fields = Fields {
            changes: Vec::new(),
            new_manager: None,
            holds: Vec::new(),
            needs: BTreeSet::new(),
        };
        for problem in &description.problems {
            let message = format!("{}: {}", problem.field, problem.message);
            if problem.holds_person {
                fields.holds.push(message)
            } else {
                self.skip(SkipReason::FieldLeft, Some(person.key), card, message)
            }
        }
        let mut branch: Option<Box<str>> = entry_id(current.get(CardField::Branch));
        let rules: BTreeMap<CardField, _> = self.input.policy.fields.clone();
        for (field, desired) in &description.fields {
            let Some(rule) = rules.get(field) else { continue };
            let wanted = match desired {
                Desired::Unknown(unknown) => {
                    if let Unknown::SourceRejected(source) = unknown {
                        fields.needs.insert(source.clone());
                    }
                    continue;
                }
                Desired::Clear => None,
                Desired::Set(wanted) => {
                    let kind = match field.kind() {
                        FieldKind::Lookup(kind) => Some(kind),
                        FieldKind::Text { .. }
                        | FieldKind::Flag
                        | FieldKind::Number
                        | FieldKind::Date
                        | FieldKind::Manager => None,
                    };
                    match self
                        .references
                        .resolve(wanted, kind, rule.missing, branch.as_deref(), &self.index)
                    {
                        Resolved::Value(value) => Some(value),
                        Resolved::Leave(message) => {
                            self.skip(
                                SkipReason::FieldLeft,
                                Some(person.key),
                                card,
                                format!("{field}: {message}"),
                            );
                            continue;
                        }
                        Resolved::Hold(message) => {
                            fields.holds.push(format!("{field}: {message}"));
                            continue;
                        }
                        Resolved::NewManager(key) => {
                            fields.new_manager = Some(key);
                            continue;
                        }
                        Resolved::NoManager(message) => {
                            self.skip(
                                SkipReason::ManagerUnknown,
                                Some(person.key),
                                card,
                                format!("{message}; the field stays as it is"),
                            );
                            continue;
                        }
                    }
                }
            };
            if *field == CardField::Branch {
                branch = entry_id(wanted.as_ref());
            }
            if *field == CardField::SurName && wanted.is_none() {
                fields
                    .holds
                    .push("surName: the surname is empty; a card needs one: correct the source".to_owned());
                continue;
            }
            let needs_flag = self.input.policy.manager_flag && *field == CardField::Manager;
            match field_change(*field, current, wanted, rule.policy) {
                Some(change) if needs_flag && self.manager_needs_flag(&change) => {
                    fields.new_manager = change.to.as_ref().and_then(manager_key);
                }
                Some(change) => fields.changes.push(change),
                None => {}
            }
        }
        fields
    }

    /// Whether the manager's card must first be marked as a manager's.
    fn manager_needs_flag(&self, change: &FieldChange) -> bool {
        let Some(FieldValue::Reference(Reference::Card { id, .. })) = &change.to else {
            return false;
        };
        let position = self.index.position(id);
        position.is_some_and(|card| {
            self.index.cards[card].fields.get(CardField::IsManager) != Some(&FieldValue::Flag(true))
        })
    }
}

fn manager_key(value: &FieldValue) -> Option<Key> {
    match value {
        FieldValue::Reference(Reference::Card { label, .. }) => Some(Key::stored(label)),
        FieldValue::Reference(Reference::Entry { .. } | Reference::FreeText(_) | Reference::Pending(_)) => None,
        FieldValue::Text(_) | FieldValue::Flag(_) | FieldValue::Number(_) | FieldValue::Date(_) => None,
    }
}

fn entry_id(value: Option<&FieldValue>) -> Option<Box<str>> {
    match value {
        Some(FieldValue::Reference(Reference::Entry { id, .. })) => Some(id.clone()),
        Some(
            FieldValue::Reference(_)
            | FieldValue::Text(_)
            | FieldValue::Flag(_)
            | FieldValue::Number(_)
            | FieldValue::Date(_),
        )
        | None => None,
    }
}
