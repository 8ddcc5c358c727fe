//! One present person: nothing, update, archive, unarchive; or, without a card, on to [`super::newcomers`].

use super::learning::{Seen, archived_before};
use super::operators::fate_words;
use super::{Draft, ManagerWish, Place, Planner, conflict_of, wanted_text};
use crate::core::memory::asked::Asked;
use crate::core::model::card::PersonCard;
use crate::core::model::field::CardField;
use crate::core::model::identity::{Description, Truth};
use crate::core::model::key::Key;
use crate::core::plan::{Action, Conflict, Evidence, FieldChange, HoldReason, SkipReason};
use crate::core::reads::cards::{CardMatch, Likeness, fold};
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::{Use, Verdict};
use crate::core::rules::contracts::Contracts;
use crate::core::rules::joining::{Starting, starting};
use crate::core::rules::lifecycle::dates::{self, leaves_on};
use crate::core::rules::lifecycle::{Leaving, archived_when, leaving};
use crate::core::rules::policy::RehirePerson;
use std::collections::BTreeSet;

impl<'a> Planner<'a> {
    pub(super) fn person(&mut self, person: &Person<'_>) -> Place {
        let place = self.person_in_scope(person);
        let Some(card) = place else {
            self.untouched(person.key);
            return Place::Done;
        };
        self.several_records(person, card);
        match card {
            Some(card) => {
                self.paired(person, card);
                Place::Done
            }
            None => Place::Newcomer,
        }
    }

    /// The person's card, if there is one; nothing at all where the person must be left alone.
    fn person_in_scope(&mut self, person: &Person<'_>) -> Option<Option<usize>> {
        let key = person.key;
        let matching = self.index.matching_in_order(key, &mut self.cursor);
        if let Some((kind, cards)) = conflict_of(&matching) {
            let cards = self.ids(cards.iter());
            self.conflicts.push(Conflict {
                key: key.clone(),
                kind,
                records: person.records.clone(),
                cards,
            });
            return None;
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
            return None;
        }
        if self.is_protected(Some(key), card) {
            self.skip(SkipReason::Protected, Some(key), card, "on guard.protect");
            return None;
        }
        match self.describe.scope(&person.joined, self.input.moment) {
            Truth::True => {}
            Truth::False => {
                if card.is_none_or(|card| self.index.cards[card].archived) {
                    self.stands_apart(key);
                }
                self.skip(SkipReason::OutOfScope, Some(key), card, "`include` says no");
                return None;
            }
            Truth::Unknown(why) => {
                self.judged.unknown += 1;
                self.skip_asking(
                    SkipReason::ScopeUnknown,
                    (Asked::Scope, person),
                    card,
                    format!("`include` gives neither yes nor no: {why}"),
                );
                return None;
            }
        }
        Some(card)
    }

    /// A person with exactly one card.
    fn paired(&mut self, person: &Person<'_>, card: usize) {
        let key = person.key;
        let known = self.known[card];
        let description = self.describe.describe(&person.joined, self.input.moment);
        let doubt = self.another_person(person, card, &description);
        if doubt.is_some() {
            self.note_stranger(person, card);
        }
        let sight = self.first_sight(key, card, doubt.is_some());
        let state = leaving(self.describe, person, self.input, sight);
        self.count_judged(&state);
        let archived = self.index.cards[card].archived;
        let leaves = match state {
            Leaving::No | Leaving::NextContract if !archived => leaves_on(self.describe, person, self.input.moment),
            _ => None,
        };
        let odd_date = match &state {
            Leaving::Now(_) | Leaving::Later { .. } => dates::doubt(self.describe, person, self.input, known),
            Leaving::No | Leaving::NextContract | Leaving::ContractsEnded | Leaving::Unknown(_) => None,
        };
        let seen = Seen {
            doubted: doubt.is_some(),
            certain: odd_date.is_none(),
            leaves_on: leaves,
        };
        self.learn(person, card, &state, seen);
        self.remember_openness(card, &state);
        match (state, archived) {
            (Leaving::ContractsEnded, _) => self.contracts_ended(person, card, doubt),
            (Leaving::Now(evidence), false) => {
                // Once the card is archived, which may be in this very run.
                self.stands_apart(key);
                if let Some(who) = known.and_then(archived_before) {
                    let detail = format!(
                        "leaves, but somebody else (a person or a program) unarchived the card after {who} had archived it: it stays so"
                    );
                    self.skip_asking(
                        SkipReason::UnarchivedByHand,
                        (Asked::Leaving, person),
                        Some(card),
                        detail,
                    );
                    return;
                }
                let mut doubts: Vec<HoldReason> = doubt.into_iter().chain(odd_date).collect();
                doubts.extend(self.archive_doubts());
                self.archive(key, card, vec![evidence], doubts);
            }
            (Leaving::Later { detail }, false) => self.skip(SkipReason::LeavingLater, Some(key), Some(card), detail),
            (Leaving::Now(_), true) => {
                self.stands_apart(key);
                if doubt.is_none() {
                    self.note_last_day(person, card);
                }
            }
            (Leaving::Later { .. }, true) => self.stands_apart(key),
            (Leaving::No | Leaving::NextContract, true) => self.rehire(person, card, &description, doubt),
            (Leaving::Unknown(why), true) => {
                self.skip_asking(
                    SkipReason::LeavingUnknown,
                    (Asked::Leaving, person),
                    Some(card),
                    format!("stays archived: {why}"),
                );
            }
            (Leaving::Unknown(why), false) => {
                let by_rows = matches!(person.contracts, Contracts::NotKnown(_));
                let detail = if by_rows {
                    why
                } else {
                    format!("lifecycle.leaver.when gives neither yes nor no: {why}")
                };
                self.skip_asking(SkipReason::LeavingUnknown, (Asked::Leaving, person), Some(card), detail);
                if !self.rows_are_open(person) {
                    // Whether they stay is open: no access is given meanwhile.
                    self.update(person, card, &description, doubt, Vec::new(), None);
                }
            }
            (Leaving::NextContract, false) if !self.next_contract(person, card) => self.stays[card] = doubt.is_none(),
            (Leaving::No | Leaving::NextContract, false) => {
                if let Some(date) = leaves {
                    let detail = format!("leaves on {date}; {}", archived_when(&self.input.policy));
                    self.skip(SkipReason::LeavesOn, Some(key), Some(card), detail);
                }
                let certain = doubt.is_none();
                let access = self.access_due(person, card);
                self.update(person, card, &description, doubt, Vec::new(), access);
                if certain {
                    self.twin(person, card, &description);
                }
            }
        }
    }

    /// A leaver's card can turn out to be a newcomer's, and evidence that is not ripe or not clear settles nothing.
    fn remember_openness(&mut self, card: usize, state: &Leaving) {
        let id = &self.index.cards[card].id;
        match state {
            // Of contracts that have ended more is said where they are judged.
            Leaving::No | Leaving::NextContract | Leaving::ContractsEnded => {}
            Leaving::Unknown(_) => {
                self.undecided.insert(id.clone());
            }
            Leaving::Now(_) => self.make_searchable(card),
            Leaving::Later { .. } => {
                if !self.index.cards[card].archived {
                    self.counting_absent.insert(id.clone());
                }
                self.make_searchable(card);
            }
        }
    }

    /// RULES 1.5 and 1.8: the number agrees and nothing else does, or what stands there is wholly somebody else's.
    fn another_person(&self, person: &Person<'_>, card: usize, description: &Description) -> Option<HoldReason> {
        let wanted_text = |field| wanted_text(description, field);
        let stored = &self.index.cards[card];
        // A name that is missing on either side does not differ.
        let differs = |field| match (wanted_text(field), stored.fields.text(field)) {
            (Some(wanted), Some(known)) => wanted != known && fold(wanted) != fold(known),
            (Some(_) | None, _) => false,
        };
        let (surname, first_name) = (differs(CardField::SurName), differs(CardField::FirstName));
        if !surname && !first_name {
            return None;
        }
        let wanted = Likeness::of(|field| wanted_text(field).map(str::to_owned));
        let on_card = Likeness::of_card(stored);
        if !wanted.agreement(&on_card).is_empty() {
            return None;
        }
        let known = self.known[card];
        let same_anchor = known.is_some_and(|entry| person.anchors.iter().any(|anchor| entry.anchors.contains(anchor)));
        let another = surname && first_name && !same_anchor || !self.whose_wholly(person.key, &on_card).is_empty();
        another.then_some(HoldReason::AnotherPerson)
    }

    pub(super) fn archive_doubts(&self) -> Vec<HoldReason> {
        let mut doubts: Vec<HoldReason> = self.target_doubt(Use::Archive).into_iter().collect();
        if !self.index.sees_all_operators() {
            doubts.push(HoldReason::OperatorUnproven);
        }
        doubts
    }

    pub(super) fn archive(
        &mut self,
        key: &Key,
        card: usize,
        evidence: Vec<Evidence>,
        doubts: Vec<HoldReason>,
    ) -> usize {
        let mut why: Vec<String> = evidence.iter().map(|evidence| evidence.detail.clone()).collect();
        let reason = self.input.target.archiving_reason.clone();
        let operator = self.index.operator(card);
        let disarm = if self.input.policy.disarm {
            self.index.active_operators(card)
        } else {
            Vec::new()
        };
        for operator in &disarm {
            why.push(format!(
                "lifecycle.leaver.disarm: operator {operator} loses the permission to log in before it is archived"
            ));
        }
        let apart = self.archived_apart(card);
        for operator in &apart.operators {
            why.push(format!(
                "this version of TOPdesk does not archive operator {operator} with the card: it is archived first, by a request \
                 of its own"
            ));
        }
        self.draft(Draft {
            evidence,
            doubts,
            why,
            ..Draft::new(
                Action::Archive {
                    reason,
                    disarm,
                    apart,
                    number: Vec::new(),
                },
                Some(key.clone()),
                Some(card),
                operator,
            )
        })
    }

    /// Somebody with an archived card who is back. What cardsync archived itself, and nobody touched since, is made active
    /// again; whether another one is, a human is asked.
    fn rehire(&mut self, person: &Person<'_>, card: usize, description: &Description, doubt: Option<HoldReason>) {
        let key = person.key;
        let ours = self.known[card].is_some_and(|entry| entry.archived_by_us.is_some());
        let by_hand = self.standing_archive(card).is_none_or(|archive| archive.asked_for);
        match starting(self.describe, person, self.input) {
            Starting::Now => {}
            Starting::Later { detail } => {
                self.skip(SkipReason::StartsLater, Some(key), Some(card), detail);
                return;
            }
            Starting::Unknown(why) => {
                let detail = format!("stays archived: {why}");
                self.skip_asking(SkipReason::StartUnknown, (Asked::FirstDay, person), Some(card), detail);
                return;
            }
        }
        let operator = self.index.operator(card);
        let mut doubts: Vec<HoldReason> = doubt.into_iter().collect();
        if by_hand {
            // What a human archived stays so until somebody says otherwise of this very card; but it is asked, not left.
            // An undo that still holds the card back says so itself.
            let undone = self
                .input
                .pins
                .iter()
                .any(|pin| pin.keeps_archived(&self.index.cards[card].id));
            if !undone {
                let changed = ours && self.standing_archive(card).is_none();
                doubts.push(HoldReason::ArchivedByHand { changed });
            }
        }
        doubts.extend(self.target_doubt(Use::Unarchive));
        if !self.index.sees_all_operators() {
            doubts.push(HoldReason::OperatorUnproven);
        }
        if !self.input.clock.is_trusted() {
            // An end date that a wrong clock puts into the future must wake nobody.
            doubts.push(HoldReason::ClockDoubted);
        }
        match self.input.policy.rehire {
            RehirePerson::Unarchive => {}
            RehirePerson::Hold => doubts.push(HoldReason::Rehire),
        }
        let operators = self.fate(card);
        let mut why = vec![
            if by_hand {
                "works here by the sources, and has no active card"
            } else {
                "is back in the sources; cardsync had archived the card"
            }
            .to_owned(),
        ];
        why.extend(fate_words(&operators));
        let unarchive = self.draft(Draft {
            doubts,
            why,
            ..Draft::new(Action::Unarchive { operators }, Some(key.clone()), Some(card), operator)
        });
        let access = self.access_due(person, card);
        self.update(person, card, description, None, vec![unarchive], access);
    }

    fn update(
        &mut self,
        person: &Person<'_>,
        card: usize,
        description: &Description,
        doubt: Option<HoldReason>,
        after: Vec<usize>,
        access: Option<FieldChange>,
    ) {
        if self.population.has_bad_fields(person.key) {
            // The source's own rejection says why.
            self.undecided.insert(self.index.cards[card].id.clone());
            return;
        }
        let cards: &'a [PersonCard] = self.index.cards;
        let stored = &cards[card];
        let mut fields = self.compare(person, description, Some(card), &stored.fields);
        if !fields.holds.is_empty() {
            self.reject_fields(person, &fields.holds);
            self.undecided.insert(stored.id.clone());
            return;
        }
        self.stays[card] = doubt.is_none();
        let mut doubts: Vec<HoldReason> = doubt.into_iter().collect();
        if self.input.target.verdict == Verdict::Rejected {
            doubts.push(HoldReason::TargetDegraded);
        }
        let mut why = fields.why;
        if access.is_some() {
            why.push("has started: access to the self-service portal".to_owned());
        }
        fields.changes.extend(access);
        fields.changes.sort_by_key(|change| change.field);
        let overwrites = self.overwritten(card, &fields.changes);
        let operator = self.index.operator(card);
        if !self.index.sees_all_operators() && fields.changes.iter().any(FieldChange::blanks_identity) {
            doubts.push(HoldReason::OperatorUnproven);
        }
        let mut draft = None;
        for changes in self.input.contact.refusals.apart(&stored.id, fields.changes) {
            let written: BTreeSet<CardField> = changes.iter().map(|change| change.field).collect();
            let number = self.draft(Draft {
                doubts: doubts.clone(),
                after: after.clone(),
                overwrites: overwrites.intersection(&written).copied().collect(),
                why: why.clone(),
                ..Draft::new(
                    Action::Update { fields: changes },
                    Some(person.key.clone()),
                    Some(card),
                    operator.clone(),
                )
            });
            draft.get_or_insert(number);
        }
        if let Some(manager) = fields.new_manager {
            self.manager_wishes.push(ManagerWish {
                draft,
                card: Some(card),
                key: person.key.clone(),
                manager,
                from: stored.fields.get(CardField::Manager).cloned(),
                doubts,
                after,
            });
        }
    }
    /// Which of these changes overwrite what somebody entered in TOPdesk; remembers what the card shows otherwise.
    fn overwritten(&mut self, card: usize, changes: &[FieldChange]) -> BTreeSet<CardField> {
        let cards: &'a [PersonCard] = self.index.cards;
        let stored = &cards[card];
        let Some(entry) = self.learned.get(&stored.id).or(self.known[card]) else {
            return BTreeSet::new();
        };
        if entry.seen.is_current(stored, &self.ruled) && changes.is_empty() {
            return BTreeSet::new();
        }
        let overwrites = entry.seen.overwritten(stored, &self.ruled, changes);
        let seen = entry.seen.next(stored, &self.ruled, changes);
        if seen != entry.seen {
            let mut entry = entry.clone();
            entry.seen = seen;
            self.learned.insert(stored.id.clone(), entry);
        }
        overwrites
    }
}
