//! Knows the truth, and looks at the sandbox from outside after every run: was anybody harmed, and is anybody stuck without
//! a word?

use super::hr::{Export, Sign};
use super::people::People;
use crate::years::seen::{Card, Seen};
use cardsync::core::memory::decision::{Answer, HeldItem};
use cardsync::core::plan::ActionKind;
use cardsync::core::plan::report::Outcome;
use cardsync::engine::run::Finished;
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a company is promised.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Days of `lifecycle.leaver.gap`.
    pub gap: usize,
    /// Shortest time between an archive and an anonymization.
    pub term: Duration,
    /// `lifecycle.rehire.operator: keep_archived`: an operator that wakes along is put back at once.
    pub keeps_archived: bool,
}

/// A yes that stands.
struct Yes {
    card: Option<String>,
    key: Option<String>,
    action: ActionKind,
}

/// How long somebody may be stuck with nothing but a line in the plan.
const QUIET_DAYS: u32 = 14;

/// See the module.
pub struct Oracle {
    promise: Promise,
    owners: BTreeMap<String, usize>,
    /// When cardsync archived a card that stands so.
    ours: BTreeMap<String, DateTime<Utc>>,
    /// When an undo archived a card that stands so: no archive of the sync's, but one of cardsync's.
    by_undo: BTreeMap<String, DateTime<Utc>>,
    /// Archived or woken by a hand, and not written by cardsync since with a yes.
    by_hand: BTreeSet<String>,
    /// Approvals in force, by item.
    yes: BTreeMap<String, Yes>,
    /// What each export that was read whole said of each human, the last one last.
    signs: BTreeMap<usize, Vec<(NaiveDate, Sign)>>,
    /// The end that HR gave before it came, of each human.
    announced: BTreeMap<usize, NaiveDate>,
    /// People whose changes were undone: what they get is what the human of the undo wanted.
    undone: BTreeSet<usize>,
    /// Days in which somebody was stuck and only the plan's small print said why, by reason.
    quiet: BTreeMap<usize, (u32, String)>,
    strangers: BTreeMap<String, Card>,
    cascades: [usize; 3],
    pub figures: BTreeMap<String, usize>,
}

impl Oracle {
    pub fn new(promise: Promise, seen: &Seen, people: &People) -> Oracle {
        let owner = |card: &Card| people.all.iter().position(|human| human.last == card.surname);
        let (mut owners, mut strangers) = (BTreeMap::new(), BTreeMap::new());
        for (id, card) in &seen.cards {
            match owner(card) {
                Some(who) => drop(owners.insert(id.clone(), who)),
                None => drop(strangers.insert(id.clone(), card.clone())),
            }
        }
        Oracle {
            promise,
            owners,
            ours: BTreeMap::new(),
            by_undo: BTreeMap::new(),
            by_hand: BTreeSet::new(),
            yes: BTreeMap::new(),
            signs: BTreeMap::new(),
            announced: BTreeMap::new(),
            undone: BTreeSet::new(),
            quiet: BTreeMap::new(),
            strangers,
            cascades: [0; 3],
            figures: BTreeMap::new(),
        }
    }

    pub fn count(&mut self, what: impl Into<String>) {
        *self.figures.entry(what.into()).or_default() += 1;
    }

    pub fn owner(&self, card: &str) -> Option<usize> {
        self.owners.get(card).copied()
    }

    pub fn has_card(&self, who: usize) -> bool {
        self.owners.values().any(|owner| *owner == who)
    }

    /// A human edited the card: an archive of ours is one of theirs.
    pub fn touched(&mut self, card: &str) {
        self.by_undo.remove(card);
        if self.ours.remove(card).is_some() {
            self.by_hand.insert(card.to_owned());
        }
    }

    pub fn put_by_hand(&mut self, card: &str) {
        self.by_undo.remove(card);
        self.ours.remove(card);
        self.by_hand.insert(card.to_owned());
    }

    pub fn deleted(&mut self, card: &str) {
        self.ours.remove(card);
        self.owners.remove(card);
    }

    /// A human takes back what a run did to these cards.
    pub fn undoes(&mut self, before: &Seen, after: &Seen, at: DateTime<Utc>) {
        for (id, card) in &after.cards {
            let was = before.cards.get(id);
            if was != Some(card) {
                self.undone.extend(self.owner(id));
                if was.is_some_and(|was| was.archived == card.archived) {
                    self.touched(id);
                } else {
                    self.put_by_hand(id);
                    self.by_undo.extend(card.archived.then(|| (id.clone(), at)));
                }
            }
        }
    }

    /// A human has answered.
    pub fn answered(&mut self, item: &HeldItem, answer: Answer) {
        let change = &item.change;
        let id = change.id.to_string();
        if answer == Answer::Reject {
            self.yes.remove(&id);
            return;
        }
        let yes = Yes {
            card: change.person_id.as_ref().map(ToString::to_string),
            key: change.key.as_ref().map(ToString::to_string),
            action: change.action,
        };
        if let Some(twin) = &change.twin {
            let twin = Yes {
                card: Some(twin.person_id.to_string()),
                key: yes.key.clone(),
                action: yes.action,
            };
            self.yes.insert(format!("{id} twin"), twin);
        }
        self.yes.insert(id, yes);
    }

    fn said_yes(&self, card: &str, actions: &[ActionKind]) -> bool {
        let about = |yes: &Yes| yes.card.as_deref() == Some(card) && actions.contains(&yes.action);
        self.yes.values().any(about)
    }

    /// What a run saw of HR.
    pub fn reads(&mut self, export: &Export, today: NaiveDate) {
        if !export.whole {
            return;
        }
        for (who, sign) in export.signs.iter().enumerate() {
            let signs = self.signs.entry(who).or_default();
            signs.retain(|(day, _)| *day != today);
            signs.push((today, *sign));
            if *sign == Sign::Works {
                self.announced.remove(&who);
                self.announced.extend(export.ends[who].map(|end| (who, end)));
            }
        }
    }

    /// The run doubted what it read on that day: that somebody works is no proof then that earlier evidence had passed.
    pub fn doubts(&mut self, today: NaiveDate) {
        for (day, sign) in self.signs.values_mut().flatten() {
            if *day == today && *sign == Sign::Works {
                *sign = Sign::Doubted;
            }
        }
    }

    /// The last signs that are not `Works`, the newest first.
    fn not_works(&self, who: usize) -> Vec<Sign> {
        let signs = self.signs.get(&who).into_iter().flatten().rev();
        signs
            .map(|(_, sign)| *sign)
            .take_while(|sign| *sign != Sign::Works)
            .collect()
    }

    /// For how many exports HR has said nothing but that they work here.
    fn works_for(&self, who: usize) -> usize {
        let signs = self.signs.get(&who).into_iter().flatten().rev();
        signs.take_while(|(_, sign)| *sign == Sign::Works).count()
    }

    /// What was done between two looks, which is one run, or one that was killed and the one after it.
    pub fn harm(&mut self, before: &Seen, after: &Seen, stats: &Value, people: &People, at: DateTime<Utc>) {
        assert_eq!(
            stats["duplicate_keys"],
            serde_json::json!([]),
            "{at}: one number on two active cards"
        );
        self.cascades(after, stats, at);
        for (id, card) in &self.strangers {
            assert_eq!(Some(card), after.cards.get(id), "{at}: a stranger's card was touched");
        }
        for id in before.cards.keys() {
            assert!(after.cards.contains_key(id), "{at}: a card is gone");
        }
        for (id, card) in &after.cards {
            match before.cards.get(id) {
                None => self.made(id, card, after, people, at),
                Some(old) if !old.archived && card.archived => self.archived(id, after, people, at),
                Some(old) if old.archived && !card.archived => self.woken(id, card, people, at),
                Some(old) if !old.is_anonymized() && card.is_anonymized() => self.anonymized(id, people, at),
                Some(_) => {}
            }
        }
        // Somebody who works here again on a card that a hand woke: a later leaving is a new one.
        let works = |id: &String| {
            self.owner(id).is_some_and(|who| self.works_for(who) > 0)
                && after.cards.get(id).is_some_and(|card| !card.archived)
        };
        let settled: Vec<String> = self.by_hand.iter().filter(|id| works(id)).cloned().collect();
        for id in settled {
            self.by_hand.remove(&id);
        }
    }

    fn cascades(&mut self, after: &Seen, stats: &Value, at: DateTime<Utc>) {
        let lists = [
            "operators_archived_by_cascade",
            "operators_woken_by_cascade",
            "persons_woken_by_operator",
        ];
        for (n, list) in lists.into_iter().enumerate() {
            let ids: Vec<String> = stats[list]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect();
            for id in &ids[self.cascades[n]..] {
                let Some(operator) = after.operators.get(id) else {
                    panic!("{at}: {list}: {id}");
                };
                let actions: &[ActionKind] = if n == 0 {
                    &[ActionKind::Archive, ActionKind::Merge]
                } else {
                    &[ActionKind::Unarchive]
                };
                let for_a_moment = self.promise.keeps_archived && n == 1 && operator.archived;
                assert!(
                    for_a_moment || self.said_yes(&operator.person, actions),
                    "{at}: {list}: {id} of card {}: nobody was asked, or for another question",
                    operator.person
                );
            }
            if ids.len() > self.cascades[n] {
                self.count(list);
            }
            self.cascades[n] = ids.len();
        }
    }

    /// What happened between two runs is the work of hands.
    pub fn hands(&mut self, stats: &Value) {
        let lists = [
            "operators_archived_by_cascade",
            "operators_woken_by_cascade",
            "persons_woken_by_operator",
        ];
        for (n, list) in lists.into_iter().enumerate() {
            self.cascades[n] = stats[list].as_array().map_or(0, Vec::len);
        }
    }

    fn made(&mut self, id: &str, card: &Card, after: &Seen, people: &People, at: DateTime<Utc>) {
        let number = card.number.as_str();
        let who = people
            .owner(number)
            .unwrap_or_else(|| panic!("{at}: a card of nobody was made: {number}"));
        let asked = self
            .yes
            .values()
            .any(|yes| yes.action == ActionKind::Create && yes.key.as_deref() == Some(number));
        let has_one = after
            .cards
            .iter()
            .any(|(other, card)| other != id && self.owner(other) == Some(who) && !card.is_anonymized());
        assert!(asked || !has_one, "{at}: a second card was made for {number}");
        self.owners.insert(id.to_owned(), who);
        self.count("cards made");
    }

    fn archived(&mut self, id: &str, after: &Seen, people: &People, at: DateTime<Utc>) {
        let who = self
            .owner(id)
            .unwrap_or_else(|| panic!("{at}: a card of nobody was archived: {id}"));
        let human = &people.all[who];
        let asked = self.said_yes(id, &[ActionKind::Archive, ActionKind::Merge]);
        let other = after
            .cards
            .iter()
            .any(|(other, card)| other != id && self.owner(other) == Some(who) && !card.archived);
        let signs = self.not_works(who);
        let count = |wanted: Sign| signs.iter().filter(|sign| **sign == wanted).count();
        // A day that HR gave before it came has been over for a day of its own.
        let announced = self
            .announced
            .get(&who)
            .is_some_and(|end| *end + Days::new(2) <= people.today);
        let evidence = count(Sign::Ends) >= 1 && (signs.len() >= 2 || announced) || count(Sign::Gone) >= 3;
        // A card under a number that is not theirs any more is nobody's.
        let under_another = after.cards[id].number != human.number;
        assert!(
            asked || evidence || other || under_another,
            "{at}: {} was archived after {signs:?}: {human:?}",
            human.number
        );
        assert!(
            asked || !self.by_hand.contains(id),
            "{at}: {id} of {} was woken by hand and archived again",
            human.number
        );
        if asked {
            self.by_hand.remove(id);
        }
        self.ours.insert(id.to_owned(), at);
        self.count("cards archived");
    }

    fn woken(&mut self, id: &str, card: &Card, people: &People, at: DateTime<Utc>) {
        let who = self
            .owner(id)
            .unwrap_or_else(|| panic!("{at}: a card of nobody was woken: {id}"));
        let asked = self.said_yes(id, &[ActionKind::Unarchive]);
        self.by_undo.remove(id);
        let ours = self.ours.remove(id).is_some();
        let number = &people.all[who].number;
        assert!(asked || ours, "{at}: {id} of {number} was archived by a hand and woken");
        assert!(
            asked || self.works_for(who) > 0 || card.number != *number,
            "{at}: {number} was woken, and HR does not say that they work here"
        );
        if asked {
            self.by_hand.remove(id);
        }
        self.count("cards woken");
    }

    fn anonymized(&mut self, id: &str, people: &People, at: DateTime<Utc>) {
        let archived = self
            .ours
            .get(id)
            .or_else(|| self.by_undo.get(id))
            .unwrap_or_else(|| panic!("{at}: {id}: cardsync did not archive it"));
        assert!(
            *archived + self.promise.term <= at,
            "{at}: {id} was archived on {archived}: too early"
        );
        let who = self.owner(id).expect("its owner is known");
        assert!(
            !people.all[who].works(people.today),
            "{at}: {id}: {} works here",
            people.all[who].number
        );
        assert!(
            self.said_yes(id, &[ActionKind::Anonymize]),
            "{at}: {id} was anonymized and nobody was asked"
        );
        self.count("cards anonymized");
    }

    /// A complete run ends the approvals whose question it no longer asks, and those that it carried out.
    pub fn ends_approvals(&mut self, finished: &Finished) {
        let asked: BTreeSet<String> = finished
            .planned
            .judged
            .plan
            .changes
            .iter()
            .map(|change| change.id.to_string())
            .collect();
        let done: BTreeSet<String> = finished
            .outcomes
            .iter()
            .filter(|outcome| matches!(outcome.outcome, Outcome::Done { .. }))
            .map(|outcome| outcome.item.to_string())
            .collect();
        self.yes.retain(|id, _| {
            let id = id.trim_end_matches(" twin");
            asked.contains(id) && !done.contains(id)
        });
    }

    /// Who is stuck is told.
    pub fn told(&mut self, after: &Seen, finished: &Finished, people: &People, at: DateTime<Utc>) {
        let plan = &finished.planned.judged.plan;
        let attention = finished.report.verdict.is_some_and(|verdict| verdict.exit_code() != 0);
        for (who, human) in people.all.iter().enumerate() {
            let theirs: Vec<&String> = after
                .cards
                .iter()
                .filter(|(id, card)| self.owner(id) == Some(who) && !card.archived)
                .map(|(id, _)| id)
                .collect();
            let has_own = theirs.iter().any(|id| after.cards[*id].number == human.number);
            let works = human.works(people.today);
            let gone_for = self
                .not_works(who)
                .into_iter()
                .take_while(|sign| *sign != Sign::Doubted)
                .count();
            let waits_for_a_card = works && !has_own && self.works_for(who) >= 3;
            let stays = !works && !theirs.is_empty() && gone_for >= 5 + self.promise.gap;
            if self.undone.contains(&who) || !(waits_for_a_card || stays) {
                self.quiet.remove(&who);
                continue;
            }
            let key = human.number.as_str();
            let is_theirs = |card: Option<&str>| card.is_some_and(|card| self.owner(card) == Some(who));
            let asked = plan.changes.iter().any(|change| {
                change.key.as_ref().is_some_and(|it| it.as_str() == key)
                    || is_theirs(change.card.as_ref().map(|card| card.as_str()))
            });
            let in_conflict = plan.conflicts.iter().any(|it| human.numbers.contains(it.key.as_str()));
            let rejected = plan
                .rejections
                .iter()
                .any(|it| it.key.as_ref().is_some_and(|key| human.numbers.contains(key.as_str())));
            if asked || in_conflict || rejected {
                self.count("days of people who were stuck, and asked about");
                self.quiet.remove(&who);
                continue;
            }
            let skip = plan.skipped.iter().find(|skip| {
                skip.key.as_ref().is_some_and(|it| it.as_str() == key)
                    || is_theirs(skip.card.as_ref().map(|card| card.as_str()))
            });
            let Some(skip) = skip else {
                panic!("{at}: {key} is stuck with {theirs:?}, and the plan does not say why: {human:?}");
            };
            let reason = format!("{:?}", skip.reason);
            self.count(format!("days of people who were stuck, with nothing but {reason}"));
            let quiet = self.quiet.entry(who).or_insert((0, reason.clone()));
            *quiet = (quiet.0 + 1, reason);
            assert!(
                attention || quiet.0 <= QUIET_DAYS,
                "{at}: {key} has been stuck for {} runs, which end with 0: {skip:?}: {human:?}",
                quiet.0
            );
        }
    }
}
