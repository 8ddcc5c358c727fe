//! Looks at the sandbox after every run, from outside: who was archived, woken, made, anonymized, and whether that was
//! right.

use super::company::Company;
use super::seen::Seen;
use super::told::{explained, nobody_is_lost};
use crate::support::workplace::text;
use cardsync::core::memory::decision::{Answer, HeldItem};
use cardsync::core::plan::ActionKind;
use cardsync::engine::decisions::APPROVAL_LASTS;
use cardsync::engine::run::Finished;
use chrono::{DateTime, Days, Duration, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the world promises.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Shortest time between an archive and an anonymization.
    pub term: Duration,
    /// cardsync itself anonymizes; otherwise a human does, from the work list.
    pub by_api: bool,
    /// An approved archive takes the operator's log-in.
    pub disarms: bool,
    /// Whoever comes back is no operator any more: one that wakes along is put back at once.
    pub keeps_archived: bool,
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
    /// Cards that get the access to the portal on the first day.
    before_the_day: BTreeSet<String>,
    /// Cards that were anonymized when they were due.
    pub certified: BTreeSet<String>,
    /// What a human has said yes to, card and action, and when.
    approved: BTreeMap<(String, ActionKind), DateTime<Utc>>,
    now: DateTime<Utc>,
    /// Every number that ever stood on a card.
    numbers: BTreeSet<String>,
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
            before_the_day: BTreeSet::new(),
            certified: BTreeSet::new(),
            approved: BTreeMap::new(),
            now: DateTime::UNIX_EPOCH,
            numbers: BTreeSet::new(),
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
        self.ours.remove(card);
        self.figures.add("anonymized by hand", 1);
    }

    /// A human anonymized it in TOPdesk, from the work list.
    pub fn worked_off(&mut self, card: &str) {
        self.certified.insert(card.to_owned());
        self.figures.add("anonymized in TOPdesk from the work list", 1);
    }

    pub fn deleted_by_hand(&mut self, card: &str) {
        self.ours.remove(card);
        self.figures.add("deleted by hand", 1);
    }

    /// A human has answered.
    pub fn answered(&mut self, item: &HeldItem, answer: Answer, at: DateTime<Utc>) {
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
                self.approved.extend(cards.map(|card| ((card.to_string(), action), at)));
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
        let in_force = |said: &DateTime<Utc>| self.now < *said + APPROVAL_LASTS;
        let asked = |action: &ActionKind| self.approved.get(&(card.to_owned(), *action)).is_some_and(in_force);
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
        self.now = now;
        self.numbers
            .extend(before.cards.values().map(|card| card.number.clone()));
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
                None => self.made(id, after, company, &at.to_string()),
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
        self.numbers
            .extend(after.cards.values().map(|card| card.number.clone()));
        for id in before.cards.keys() {
            assert!(after.cards.contains_key(id), "{at}: a card is gone");
        }
        // Somebody who works here again on a card that a human woke: a later leaving is a new one.
        let owners = &self.owners;
        self.by_hand.retain(|id| {
            let owner = owners.get(id).map(|who| &company.people[*who]);
            let back = owner.is_some_and(|human| human.is_present(company.today) && !human.row_removed);
            !back || after.cards.get(id).is_none_or(|card| card.archived)
        });
        self.first_days(after, company, &at.to_string());
        explained(finished, &at.to_string());
        nobody_is_lost(self, after, finished, company, &at.to_string());
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
                let (card, put_back) = match after.operators.get(*id) {
                    Some(operator) => (operator.person.as_str(), operator.archived),
                    None => (*id, false),
                };
                let archives = n == 0;
                let yes = if archives {
                    self.said_yes(card, &[ActionKind::Archive, ActionKind::Merge])
                } else {
                    self.said_yes(card, &[ActionKind::Unarchive])
                };
                let for_a_moment = self.promise.keeps_archived && !archives && put_back;
                assert!(
                    yes || for_a_moment,
                    "{at}: {list}: {id} of card {card}: nobody was asked"
                );
                self.figures.add(
                    match (archives, for_a_moment) {
                        (true, _) => "operators archived, approved",
                        (false, true) => "operators that woke with the card, put back at once",
                        (false, false) => "operators woken, approved",
                    },
                    1,
                );
            }
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
                    !self.promise.disarms || !operator.armed,
                    "{at}: operator {id} was archived and may log in"
                );
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
    fn made(&mut self, id: &str, after: &Seen, company: &Company, at: &str) {
        let card = &after.cards[id];
        let number = card.number.as_str();
        let who = company
            .owner(number)
            .unwrap_or_else(|| panic!("{at}: a card of nobody was made: {number}"));
        let human = &company.people[who];
        assert!(
            human.is_present(company.today),
            "{at}: a card was made for {number}, who has left"
        );
        // Somebody of whom nothing is left, under a number that was never seen, is somebody new to everybody.
        let known = after
            .cards
            .iter()
            .any(|(other, card)| other != id && self.owner(other) == Some(who) && !card.is_anonymized());
        let is_new = !known && !self.numbers.contains(number);
        assert!(
            is_new || !self.has_card(who) || self.approved_creates.contains(number),
            "{at}: a second card was made for {number}"
        );
        let early = company.today < human.start;
        assert!(
            human.start <= company.today + Days::new(14),
            "{at}: {number} starts on {}",
            human.start
        );
        assert_eq!(
            card.portal, !early,
            "{at}: the portal of {number}, who starts on {}",
            human.start
        );
        if early {
            self.before_the_day.insert(id.to_owned());
            self.figures.add("cards made before the first day", 1);
        }
        self.owners.insert(id.to_owned(), who);
        self.figures.add("cards made", 1);
    }

    /// Whoever has begun may log in to the portal.
    fn first_days(&mut self, after: &Seen, company: &Company, at: &str) {
        for id in std::mem::take(&mut self.before_the_day) {
            let Some(card) = after.cards.get(&id).filter(|card| !card.archived) else {
                continue;
            };
            let human = &company.people[self.owners[&id]];
            let begun = human.start <= company.today;
            // Whoever leaves gets nothing any more.
            if begun && human.is_present(company.today) && !human.row_removed {
                assert!(
                    card.portal,
                    "{at}: {} has begun and may not log in to the portal",
                    card.number
                );
                self.figures.add("given the portal on the first day", 1);
            } else {
                assert!(
                    begun || !card.portal,
                    "{at}: {} may log in before the first day",
                    card.number
                );
                self.before_the_day.insert(id);
            }
        }
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
        let card = &after.cards[id];
        assert!(
            [&card.first, &card.mail, &card.login, &card.phone]
                .iter()
                .all(|text| text.is_empty()),
            "{now}: left on the anonymized card: {card:?}"
        );
        self.certified.insert(id.to_owned());
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
}
