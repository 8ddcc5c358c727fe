//! Looks at the sandbox after every run, from outside: who was archived, woken, made, anonymized, and whether that was
//! right.

use super::company::Company;
use super::seen::Seen;
use crate::support::workplace::text;
use cardsync::domain::decision::{Answer, HeldItem};
use cardsync::domain::ids::ItemId;
use cardsync::domain::plan::{ActionKind, HoldReason};
use cardsync::domain::report::Outcome;
use cardsync::engine::run::Finished;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the world promises.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Shortest time between an archive and an anonymization.
    pub term: Duration,
    /// cardsync itself anonymizes; otherwise a human does, from the work list.
    pub by_api: bool,
    pub disarms: bool,
}

/// Figures of two years.
#[derive(Clone, Debug, Default)]
pub struct Figures(pub BTreeMap<&'static str, usize>);

impl Figures {
    pub fn add(&mut self, what: &'static str, count: usize) {
        *self.0.entry(what).or_default() += count;
    }
}

/// See the module.
pub struct Watch {
    promise: Promise,
    /// Whose card it is: by the number it had first.
    owners: BTreeMap<String, usize>,
    /// When cardsync archived a card that stands so.
    ours: BTreeMap<String, DateTime<Utc>>,
    /// Archived by somebody else, or woken by somebody else, and not touched by cardsync since.
    by_hand: BTreeSet<String>,
    /// Humans whose card is anonymized, and all cards that are.
    pub anonymized: BTreeSet<String>,
    /// What a human has said yes to: card and action.
    approved: BTreeSet<(String, ActionKind)>,
    /// Keys of creates that a human has said yes to.
    approved_creates: BTreeSet<String>,
    cascades: [usize; 3],
    pub figures: Figures,
}

impl Watch {
    pub fn new(promise: Promise, seen: &Seen, company: &Company) -> Watch {
        let mut watch = Watch {
            promise,
            owners: BTreeMap::new(),
            ours: BTreeMap::new(),
            by_hand: BTreeSet::new(),
            anonymized: BTreeSet::new(),
            approved: BTreeSet::new(),
            approved_creates: BTreeSet::new(),
            cascades: [0; 3],
            figures: Figures::default(),
        };
        for (id, card) in &seen.cards {
            let owner = company.people.iter().position(|human| human.last == card.surname);
            watch.owners.extend(owner.map(|owner| (id.clone(), owner)));
        }
        watch
    }

    pub fn owner(&self, card: &str) -> Option<usize> {
        self.owners.get(card).copied()
    }

    pub fn has_card(&self, who: usize) -> bool {
        self.owners.values().any(|owner| *owner == who)
    }

    /// Whether cardsync archived it and it stands so.
    pub fn is_ours(&self, card: &str) -> bool {
        self.ours.contains_key(card)
    }

    pub fn archived_by_hand(&mut self, card: &str) {
        self.by_hand.insert(card.to_owned());
        self.figures.add("archived by hand", 1);
    }

    pub fn woken_by_hand(&mut self, card: &str) {
        self.ours.remove(card);
        self.by_hand.insert(card.to_owned());
        self.figures.add("woken by hand", 1);
    }

    pub fn anonymized_by_hand(&mut self, card: &str) {
        self.anonymized.insert(card.to_owned());
        self.figures.add("anonymized by hand", 1);
    }

    pub fn deleted_by_hand(&mut self, card: &str) {
        self.ours.remove(card);
        self.figures.add("deleted by hand", 1);
    }

    /// A human has answered.
    pub fn answered(&mut self, item: &HeldItem, answer: Answer) {
        let change = &item.change;
        let action = change.action;
        match answer {
            Answer::Reject => self.figures.add("rejected", 1),
            Answer::Approve => {
                self.figures.add("approved", 1);
                let cards = [
                    change.person_id.as_ref(),
                    change.twin.as_ref().map(|twin| &twin.person_id),
                ];
                let cards = cards.into_iter().flatten();
                self.approved.extend(cards.map(|card| (card.to_string(), action)));
                if action == ActionKind::Create {
                    self.approved_creates
                        .extend(change.key.as_ref().map(ToString::to_string));
                }
            }
        }
    }

    /// People who have no other card than anonymized ones, and whom HR does not know any more.
    pub fn forgotten(&self, seen: &Seen, company: &Company) -> Vec<usize> {
        let mut theirs: BTreeMap<usize, bool> = BTreeMap::new();
        for (id, card) in &seen.cards {
            if let Some(who) = self.owner(id) {
                let all = theirs.entry(who).or_insert(true);
                *all &= card.is_anonymized();
            }
        }
        let gone = |who: usize| !company.people[who].is_listed(company.today);
        let all = theirs.into_iter().filter(|(who, anonymized)| *anonymized && gone(*who));
        all.map(|(who, _)| who).collect()
    }

    fn said_yes(&self, card: &str, actions: &[ActionKind]) -> bool {
        let asked = |action: &ActionKind| self.approved.contains(&(card.to_owned(), *action));
        actions.iter().any(asked)
    }

    /// What one run did.
    pub fn run(
        &mut self,
        before: &Seen,
        after: &Seen,
        stats: &Value,
        finished: &Finished,
        company: &Company,
        now: DateTime<Utc>,
    ) {
        let at = now.format("%Y-%m-%d %H:%M");
        assert_eq!(
            stats["duplicate_keys"],
            serde_json::json!([]),
            "{at}: one number on two active cards"
        );
        self.cascades(after, stats, &at.to_string());
        self.operators(before, after, &at.to_string());
        for (id, card) in &after.cards {
            match before.cards.get(id) {
                None => self.made(id, &card.number, company, &at.to_string()),
                Some(old) => {
                    if old.is_anonymized() {
                        assert_eq!(old, card, "{at}: an anonymized card was changed");
                    }
                    if !old.is_anonymized() && card.is_anonymized() {
                        self.overwritten(id, after, company, now);
                    }
                    if !old.archived && card.archived {
                        self.put_away(id, after, company, now);
                    }
                    if old.archived && !card.archived {
                        self.woken(id, company, &at.to_string());
                    }
                }
            }
        }
        for id in before.cards.keys() {
            assert!(after.cards.contains_key(id), "{at}: a card is gone");
        }
        explained(finished, &at.to_string());
        self.nobody_is_lost(after, finished, company, &at.to_string());
    }

    /// Operators that went along, as the sandbox counts them.
    fn cascades(&mut self, after: &Seen, stats: &Value, at: &str) {
        let lists = [
            "operators_archived_by_cascade",
            "operators_woken_by_cascade",
            "persons_woken_by_operator",
        ];
        for (n, list) in lists.into_iter().enumerate() {
            let ids: Vec<&str> = stats[list].as_array().unwrap().iter().map(text).collect();
            for id in &ids[self.cascades[n]..] {
                let card = if n == 2 {
                    id
                } else {
                    after.operators[*id].person.as_str()
                };
                let yes = match n {
                    0 => self.said_yes(card, &[ActionKind::Archive, ActionKind::Merge]),
                    _ => self.said_yes(card, &[ActionKind::Unarchive]),
                };
                assert!(yes, "{at}: {list}: operator {id} of card {card}: nobody was asked");
            }
            let count = ids.len() - self.cascades[n];
            self.figures.add(
                [
                    "operators archived, approved",
                    "operators woken, approved",
                    "persons woken by operator",
                ][n],
                count,
            );
            self.cascades[n] = ids.len();
        }
    }

    /// Operators whose state is another one after the run.
    fn operators(&mut self, before: &Seen, after: &Seen, at: &str) {
        for (id, operator) in &after.operators {
            let old = &before.operators[id];
            let card = operator.person.as_str();
            if !old.archived && operator.archived {
                assert!(
                    self.said_yes(card, &[ActionKind::Archive, ActionKind::Merge]),
                    "{at}: operator {id} archived"
                );
            }
            if old.archived && !operator.archived {
                assert!(
                    self.said_yes(card, &[ActionKind::Unarchive]),
                    "{at}: operator {id} woken"
                );
            }
            if old.armed && !operator.armed {
                assert!(
                    self.promise.disarms && self.said_yes(card, &[ActionKind::Archive]),
                    "{at}: operator {id} disarmed"
                );
                self.figures.add("operators disarmed", 1);
            }
            if !old.armed && operator.armed {
                assert!(
                    self.said_yes(card, &[ActionKind::Unarchive]),
                    "{at}: operator {id} may log in again"
                );
                self.figures.add("operators armed again", 1);
            }
            if old.archived && operator.archived && old.armed != operator.armed {
                panic!("{at}: the archived operator {id} was changed");
            }
        }
    }

    /// A new card: of somebody who has none, unless a human said so.
    fn made(&mut self, id: &str, number: &str, company: &Company, at: &str) {
        let who = company
            .owner(number)
            .unwrap_or_else(|| panic!("{at}: a card of nobody was made: {number}"));
        let human = &company.people[who];
        assert!(
            human.is_present(company.today),
            "{at}: a card was made for {number}, who has left"
        );
        assert!(
            !self.has_card(who) || self.approved_creates.contains(number),
            "{at}: a second card was made for {number}"
        );
        self.owners.insert(id.to_owned(), who);
        self.figures.add("cards made", 1);
    }

    fn put_away(&mut self, id: &str, after: &Seen, company: &Company, now: DateTime<Utc>) {
        let who = self
            .owner(id)
            .unwrap_or_else(|| panic!("{now}: a card of nobody was archived: {id}"));
        let human = &company.people[who];
        let other = after
            .cards
            .iter()
            .any(|(other, card)| self.owner(other) == Some(who) && !card.archived && human.has_number(&card.number));
        assert!(
            other || !human.is_present(company.today),
            "{now}: {} works here and was archived",
            human.number()
        );
        assert!(
            !self.by_hand.contains(id) || self.said_yes(id, &[ActionKind::Archive, ActionKind::Merge]),
            "{now}: {id} was woken by hand and archived again"
        );
        self.ours.insert(id.to_owned(), now);
        self.figures.add("cards archived", 1);
    }

    fn woken(&mut self, id: &str, company: &Company, at: &str) {
        let who = self
            .owner(id)
            .unwrap_or_else(|| panic!("{at}: a card of nobody was woken: {id}"));
        let human = &company.people[who];
        assert!(
            human.is_present(company.today),
            "{at}: {} has left and was woken",
            human.number()
        );
        let ours = self.ours.remove(id).is_some();
        assert!(
            ours || self.said_yes(id, &[ActionKind::Unarchive]),
            "{at}: {id} was archived by a human and woken"
        );
        self.figures.add("cards woken", 1);
    }

    fn overwritten(&mut self, id: &str, after: &Seen, company: &Company, now: DateTime<Utc>) {
        assert!(self.promise.by_api, "{now}: {id}: a human anonymizes here");
        assert!(
            self.said_yes(id, &[ActionKind::Anonymize]),
            "{now}: {id} was anonymized and nobody was asked"
        );
        self.may_be_anonymized(id, after, company, now);
        assert!(after.cards[id].archived, "{now}: {id} is anonymized and active");
        self.anonymized.insert(id.to_owned());
        self.figures.add("anonymized by cardsync", 1);
    }

    /// Their term is over, they are not here, and no operator of theirs is active.
    pub fn may_be_anonymized(&self, id: &str, seen: &Seen, company: &Company, now: DateTime<Utc>) {
        let archived = self
            .ours
            .get(id)
            .unwrap_or_else(|| panic!("{now}: {id}: cardsync did not archive it"));
        assert!(
            *archived + self.promise.term <= now,
            "{now}: {id} was archived on {archived}: too early"
        );
        let who = self.owner(id).expect("its owner is known");
        assert!(
            !company.people[who].is_present(company.today),
            "{now}: {id}: works here"
        );
        assert!(
            seen.operators_of(id).all(|operator| operator.archived),
            "{now}: {id}: its operator is active"
        );
    }

    /// Whoever is here without an active card of their own, and whoever is not and has one, stands in the plan.
    fn nobody_is_lost(&self, after: &Seen, finished: &Finished, company: &Company, at: &str) {
        let plan = &finished.planned.judged.plan;
        let mut keys: BTreeSet<&str> = BTreeSet::new();
        let mut cards: BTreeSet<&str> = BTreeSet::new();
        for change in &plan.changes {
            keys.extend(change.key.as_ref().map(|key| key.as_str()));
            cards.extend(change.card.as_ref().map(|card| card.as_str()));
        }
        for skip in &plan.skipped {
            keys.extend(skip.key.as_ref().map(|key| key.as_str()));
            cards.extend(skip.card.as_ref().map(|card| card.as_str()));
        }
        for conflict in &plan.conflicts {
            keys.insert(conflict.key.as_str());
        }
        keys.extend(
            plan.rejections
                .iter()
                .filter_map(|it| it.key.as_ref())
                .map(|key| key.as_str()),
        );
        let mut active: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (id, card) in after.cards.iter().filter(|(_, card)| !card.archived) {
            if let Some(who) = self.owner(id).filter(|_| !card.number.is_empty()) {
                active.entry(who).or_default().push(id);
            }
        }
        for (who, human) in company.people.iter().enumerate() {
            let theirs = active.get(&who).map_or(&[][..], Vec::as_slice);
            let has_own = theirs.iter().any(|id| after.cards[*id].number == human.number());
            let right = human.is_present(company.today) == has_own && theirs.len() == usize::from(has_own);
            let told = keys.contains(human.number()) || theirs.iter().any(|id| cards.contains(id));
            assert!(
                right || told,
                "{at}: {} has {theirs:?} and the plan does not say why: {human:?}",
                human.number()
            );
        }
    }
}

/// Everything that waits says why, and how it goes on.
fn explained(finished: &Finished, at: &str) {
    let waiting: BTreeSet<_> = finished.holds.iter().map(|item| &item.change.id).collect();
    for item in &finished.holds {
        assert!(
            !item.reasons.is_empty() && !item.change.holds.is_empty(),
            "{at}: held without a reason: {item:?}"
        );
        for hold in &item.change.holds {
            assert!(!hold.message.trim().is_empty(), "{at}: {item:?}");
        }
        for reason in item.reasons.iter().filter(|reason| !reason.approvable()) {
            let way = match reason {
                HoldReason::DependsOn { item } => waiting.contains(item) || answered(finished, item),
                _other => false,
            };
            assert!(way, "{at}: no way out of {reason:?}: {item:?}");
        }
    }
}

/// Whether the other answer to the same question was carried out in this run: then the next run asks no more.
fn answered(finished: &Finished, item: &ItemId) -> bool {
    let changes = &finished.planned.judged.plan.changes;
    let Some(about) = changes.iter().find(|change| change.id == *item) else {
        return false;
    };
    finished
        .outcomes
        .iter()
        .any(|outcome| outcome.key == about.key && matches!(outcome.outcome, Outcome::Done { .. }))
}
