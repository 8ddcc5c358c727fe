//! Decisions over random lives: runs good and bad, approvals, rejections, lists, what is taken back, edits by hand, undo. A model
//! beside it knows which question stands and who has said yes to it (RULES 8.4 to 8.6):
//!
//! - nothing that would wait is ever written without a yes that was given for this very question while it stood;
//! - what was once asked as one half of a pair is not written without a yes of its own, whatever became of the other half;
//! - no question is asked twice without a change;
//! - no question is lost.
//!
//! `CARDSYNC_LIVES=10000` plays so many; a test that fails names the life to play again: `CARDSYNC_LIFE=17`.

use super::*;
use crate::core::guard::{Judged, judge};
use crate::core::memory::decision::WhyEnded;
use crate::core::memory::pin::standing;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::plan::hold::{HoldReason, LiftedBy};
use crate::core::plan::report::{ChangeOutcome, Outcome};
use crate::core::plan::{Change, Plan};
use crate::core::planner::plan;
use crate::core::rules::policy::BudgetClass;
use crate::core::tests::chance::Chance;
use crate::core::tests::world::{World, row};
use crate::engine::after_run::held_items;
use crate::engine::settled::{done_of, waiting_since};

/// Lives in the ordinary suite.
const LIVES: u64 = 150;

/// Steps of a life.
const STEPS: usize = 40;

/// A yes or a no that stands in the model.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) answer: Answer,
    /// The item itself was named, not its class.
    pub(super) by_itself: bool,
    at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    /// Codes that were shown.
    shown: BTreeSet<String>,
}

/// A question that stands: an item that runs want, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    pub(super) answered: Option<Answered>,
    /// That it waits was told as new.
    told: u32,
    /// How often it may be told: once, and once more for each rejection that has grown old.
    may_be_told: u32,
    days: BTreeSet<chrono::NaiveDate>,
    cards: Vec<CardId>,
    key: String,
    /// That somebody has left whose card does not bear their number.
    of_leaver: bool,
}

/// A life, and the model of it.
pub(super) struct Life {
    pub(super) world: World,
    pub(super) chance: Chance,
    pub(super) waiting: Vec<KeptHold>,
    pub(super) questions: BTreeMap<ItemId, Question>,
    /// When somebody else changed a card last.
    pub(super) edited: BTreeMap<CardId, DateTime<Utc>>,
    /// Cards whose archive was asked as the half of a pair, while it is wanted: each with the number of the other half.
    pub(super) halves: BTreeMap<CardId, String>,
    pub(super) story: Vec<String>,
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Life {
    fn new(seed: u64) -> Life {
        let mut world = World::of(14);
        let mut chance = Chance::new(seed);
        for number in 1..=4 {
            let card = format!("c-E{number:03}");
            world.operator(&format!("o-{number}"), &card, false, OperatorKind::Regular);
        }
        world.policy.leaver_after = Duration::hours(0);
        for number in 1..=3 {
            // Cards without a number, that may be those of people to come.
            let id = format!("c-K{number}");
            world.card(&id, &row(&format!("N{}", 1 + chance.below(3))).with("key", ""));
        }
        Life {
            world,
            chance,
            waiting: Vec::new(),
            questions: BTreeMap::new(),
            edited: BTreeMap::new(),
            halves: BTreeMap::new(),
            story: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn tell(&mut self, what: String) {
        self.story
            .push(format!("{} {what}", self.world.now.format("%m-%d %H:%M")));
    }

    pub(super) fn someone(&mut self) -> String {
        format!("E{:03}", 1 + self.chance.below(14))
    }

    pub(super) fn has_row(&self, key: &str) -> bool {
        self.world.sources[0].rows.iter().any(|row| row.values["key"] == key)
    }

    /// What was decided, into the store and into the model.
    pub(super) fn take_in(&mut self, decided: Result<Decided, Vec<Refused>>, by_itself: bool) {
        let Ok(decided) = decided else {
            self.count("refused for a contradiction");
            return;
        };
        let items: BTreeMap<ItemId, KeptHold> = self
            .waiting
            .iter()
            .map(|kept| (kept.item.change.id.clone(), kept.clone()))
            .collect();
        for decision in decided.decisions {
            let kept = &items[&decision.item];
            let question = self.questions.get_mut(&decision.item).expect("what waits is asked");
            let mut shown: BTreeSet<String> = kept.item.change.holds.iter().map(|hold| hold.code.clone()).collect();
            if let Some(before) = &question.answered
                && before.answer == Answer::Approve
            {
                shown.extend(before.shown.iter().cloned());
            }
            question.may_be_told += 1;
            question.answered = Some(Answered {
                answer: decision.answer,
                by_itself: by_itself
                    || question
                        .answered
                        .as_ref()
                        .is_some_and(|it| it.by_itself && it.answer == Answer::Approve),
                at: decision.at,
                until: decision.until,
                shown,
            });
            self.world.decisions.insert(decision.item.clone(), decision);
        }
    }

    pub(super) fn take_back(&mut self) {
        let decided: Vec<ItemId> = self.world.decisions.keys().cloned().collect();
        if decided.is_empty() {
            return;
        }
        let item = decided[self.chance.below(decided.len())].clone();
        let words = [item.to_string()];
        if let Ok(items) = to_take_back(&self.waiting(), &words) {
            for item in items {
                self.world.decisions.remove(&item);
                if let Some(question) = self.questions.get_mut(&item) {
                    question.answered = None;
                    question.may_be_told += 1;
                }
            }
            self.tell(format!("taken back: {item}"));
        }
    }

    /// A run, as the engine makes it: plan, judge, check, write, remember.
    pub(super) fn run(&mut self, good: bool) {
        let kind = self.chance.below(3);
        let (clock, findings) = (self.world.clock.clone(), self.world.sources[0].findings.clone());
        if !good {
            match kind {
                0 => self.world.hr().reject(),
                1 => self.world.hr().degrade(),
                _doubted => self.world.clock.doubts.push(crate::core::reads::snapshot::Finding::new(
                    "clock",
                    crate::core::reads::snapshot::Effect::Note,
                    "another time",
                    "set the clock",
                )),
            }
        }
        let input = self.world.input();
        let judged = judge(plan(&input, &self.world.mapping), &input);
        let bare = {
            let mut bare = input.clone();
            bare.decisions.retain(|_, decision| decision.answer == Answer::Reject);
            judge(judged.plan.clone(), &bare)
        };
        let told = format!("{:?}", crate::core::tests::world::names(&judged.plan));
        self.tell(format!("run, good {good} {kind}: {told}"));
        self.questions_of(&judged, good, !good && kind == 1);
        let changes: BTreeMap<&ItemId, &Change> = judged.plan.changes.iter().map(|it| (&it.id, it)).collect();
        for approved in judged.approved.changes() {
            let id = &approved.change().id;
            if let Some(reasons) = bare.held.get(id) {
                self.is_allowed(changes[id], reasons, &judged);
            }
        }
        self.fits(&judged);
        self.halves(&judged, good);
        let outcomes: Vec<ChangeOutcome> = judged.approved.changes().iter().map(|it| done(it.change())).collect();
        let ended = judged.ended_by(&input, &done_of(&outcomes), true);
        self.remember(&judged, &outcomes, &ended);
        self.world.hr().findings = findings;
        self.world.clock = clock;
        let stands = standing(&judged.plan, &self.world.pins);
        self.world.pins = stands;
    }

    /// Which questions stand now: in a run that could judge, those of its plan.
    fn questions_of(&mut self, judged: &Judged, good: bool, partial: bool) {
        let plan: &Plan = &judged.plan;
        let wanted: BTreeSet<&ItemId> = plan.changes.iter().map(|change| &change.id).collect();
        // A read that cannot say who is missing says what it has of those who are in it.
        let listed: BTreeSet<String> = self.world.sources[0]
            .rows
            .iter()
            .map(|row| row.values["key"].clone())
            .collect();
        if good {
            self.leavers(&wanted, &listed);
        }
        self.questions.retain(|item, question| {
            let is_judged = good || partial && listed.contains(&question.key);
            !is_judged || wanted.contains(item)
        });
        for change in &plan.changes {
            let days: BTreeSet<_> = change.evidence.iter().filter_map(|it| it.day).collect();
            let question = self.questions.entry(change.id.clone()).or_insert_with(|| Question {
                may_be_told: 1,
                ..Question::default()
            });
            let is_other = !question.days.is_empty() && !days.is_empty() && question.days != days;
            if question.answered.is_some() && is_other {
                // Another day is another question.
                question.answered = None;
                question.may_be_told += 1;
            }
            if !days.is_empty() {
                question.days = days;
            }
            question.of_leaver = change
                .doubts
                .iter()
                .any(|doubt| matches!(doubt, HoldReason::LeaverWithoutNumber { .. }));
            question.key = change.key.as_ref().map(ToString::to_string).unwrap_or_default();
            question.cards = change.cards().into_iter().cloned().collect();
        }
    }

    /// That a leaver's record goes answers nothing, while the card is active and bears nobody's number.
    fn leavers(&mut self, wanted: &BTreeSet<&ItemId>, listed: &BTreeSet<String>) {
        let number = |card: &CardId| self.world.cards[card].fields.text(CardField::EmployeeNumber);
        let mut asked_on = 0;
        for (item, question) in self.questions.iter().filter(|(_, question)| question.of_leaver) {
            let is_open = |card: &CardId| !self.world.cards[card].archived && number(card).is_none();
            let has_card = self.world.cards.keys().any(|card| number(card) == Some(&question.key));
            if question.cards.iter().all(is_open) && !has_card && !listed.contains(&question.key) {
                assert!(
                    wanted.contains(item),
                    "a leaver's question is lost: {question:#?}\n{}",
                    self.story.join("\n")
                );
                asked_on += 1;
            }
        }
        if asked_on > 0 {
            self.count("asked without a record");
        }
    }

    /// Nothing passes beyond the limit of its class unless somebody has said yes to that.
    fn fits(&self, judged: &Judged) {
        for class in [BudgetClass::Archive, BudgetClass::Create] {
            let code = format!("over_budget:{class}");
            let counts = |change: &&Change| {
                let decision = self.world.decisions.get(&change.id);
                let waived = decision.is_some_and(|it| it.answer == Answer::Approve && it.waives.contains(&code));
                change.classes().contains(&class) && !waived
            };
            let passing = judged.approved.changes().iter().map(|approved| approved.change());
            let count = passing.filter(counts).count();
            assert!(count <= 3, "{count} in {class}: {}", self.story.join("\n"));
        }
    }

    /// What would wait and is written: somebody has said yes to this very question.
    fn is_allowed(&mut self, change: &Change, reasons: &[HoldReason], judged: &Judged) {
        let now = self.world.now;
        let question = &self.questions[&change.id];
        let story = || format!("{change:#?}\n{reasons:#?}\n{question:#?}\n{}", self.story.join("\n"));
        let stands = |it: &&Answered| it.answer == Answer::Approve && it.until.is_none_or(|until| now < until);
        // Where somebody's choice excludes an item, the rest of its class may fit.
        let excludes = judged
            .held
            .values()
            .flatten()
            .any(|reason| matches!(reason, HoldReason::Answered { .. }));
        let passes_by_itself = |reason: &HoldReason| match reason {
            HoldReason::OneOf { .. } | HoldReason::DependsOn { .. } => true,
            HoldReason::OverBudget { .. } => excludes && reason.lifted_by() == LiftedBy::Class,
            _asked => false,
        };
        let Some(yes) = question.answered.as_ref().filter(stands) else {
            assert!(
                reasons.iter().all(passes_by_itself),
                "written without a yes: {}",
                story()
            );
            return;
        };
        for card in &question.cards {
            let edited = self.edited.get(card).is_some_and(|at| *at > yes.at);
            assert!(!edited, "somebody has changed the card since: {}", story());
        }
        for reason in reasons {
            assert!(
                yes.by_itself || reason.lifted_by() != LiftedBy::Item,
                "a class answered a doubt of its own, {}: {}",
                reason.code(),
                story()
            );
            let is_waived = yes.shown.contains(&reason.code());
            // What waits is told the limit that it may meet; whether it fits once it is approved is looked at below.
            let may_fit = reason.lifted_by() == LiftedBy::Class && matches!(reason, HoldReason::OverBudget { .. });
            assert!(
                is_waived || may_fit || passes_by_itself(reason),
                "{} was never shown: {}",
                reason.code(),
                story()
            );
        }
        self.count("written after a yes");
    }

    fn remember(&mut self, judged: &Judged, outcomes: &[ChangeOutcome], ended: &BTreeMap<ItemId, WhyEnded>) {
        let cards: Vec<_> = self.world.cards.values().cloned().collect();
        let now = self.world.now;
        let mut holds = held_items(judged, &cards, outcomes, &"r".into(), now, now, &BTreeMap::new());
        waiting_since(&self.waiting, &mut holds);
        let waits: BTreeSet<&ItemId> = holds.iter().map(|hold| &hold.change.id).collect();
        let done: BTreeSet<&ItemId> = outcomes.iter().map(|outcome| &outcome.item).collect();
        let settled_by_another = |change: &Change| {
            exclusive(judged.plan.changes.iter().map(Offer::from))
                .into_values()
                .any(|items| items.contains(&&change.id) && items.iter().any(|item| done.contains(item)))
                || change
                    .depends_on
                    .iter()
                    .any(|needed| !waits.contains(needed) && !done.contains(needed))
                || change.action
                    == crate::core::plan::Action::CreateEntry {
                        list: crate::core::model::field::LookupKind::Branch,
                        name: "".into(),
                    }
        };
        for change in &judged.plan.changes {
            let is_kept = waits.contains(&change.id) || done.contains(&change.id) || settled_by_another(change);
            assert!(is_kept, "a question is lost: {change:#?}\n{}", self.story.join("\n"));
            if !waits.contains(&change.id) && !done.contains(&change.id) {
                // Settled by another answer; whoever takes that back asks it anew.
                let question = self.questions.get_mut(&change.id).expect("what is wanted is asked");
                question.may_be_told += 1;
            }
        }
        let before: BTreeMap<&ItemId, bool> = self
            .waiting
            .iter()
            .map(|kept| (&kept.item.change.id, kept.item.is_settled()))
            .collect();
        for hold in &holds {
            let question = self.questions.get_mut(&hold.change.id).expect("what waits is asked");
            let no = question.answered.as_ref().filter(|it| it.answer == Answer::Reject);
            let is_quiet = no.is_some_and(|no| now < no.at + Duration::days(30));
            assert!(
                hold.is_settled() == is_quiet,
                "quiet {is_quiet}: {hold:#?}\n{question:#?}\n{}",
                self.story.join("\n")
            );
            let is_new = match before.get(&hold.change.id) {
                None => true,
                Some(was_settled) => *was_settled && !hold.is_settled(),
            };
            if is_new && !hold.is_settled() {
                question.told += 1;
                assert!(
                    question.told <= question.may_be_told,
                    "asked twice: {hold:#?}\n{question:#?}\n{}",
                    self.story.join("\n")
                );
            }
        }
        let plan_id = judged.plan.id.clone();
        let now_waits: Vec<KeptHold> = holds
            .into_iter()
            .map(|item| KeptHold {
                plan: plan_id.clone(),
                item,
                undoes: None,
            })
            .collect();
        // What a run could not judge waits on (RULES 8.6).
        let in_plan: BTreeSet<&ItemId> = judged.plan.changes.iter().map(|change| &change.id).collect();
        let before = std::mem::take(&mut self.waiting);
        let waits_on = |kept: &KeptHold| {
            let id = &kept.item.change.id;
            !in_plan.contains(id) && self.questions.contains_key(id)
        };
        self.waiting = before.into_iter().filter(waits_on).chain(now_waits).collect();
        self.world.contact = judged.contact.clone();
        for entry in &judged.plan.ledger {
            self.world.ledger.insert(entry.card.clone(), entry.clone());
        }
        self.world.send(&judged.approved);
        for change in judged.approved.changes().iter().map(|approved| approved.change()) {
            for card in change.cards() {
                self.world.card_mut(card.as_str()).modifier = Some("own".into());
                if let Some(archive) = &mut self.world.entry(card.as_str()).archived_by_us {
                    archive.modifier = Some("own".into());
                }
            }
        }
        for item in ended.keys() {
            self.world.decisions.remove(item);
            let is_done = done.contains(item);
            if let Some(question) = self.questions.get_mut(item) {
                question.answered = None;
                question.may_be_told += 1;
                if is_done {
                    question.told = 0;
                    question.may_be_told = 1;
                }
            }
        }
        self.questions.retain(|item, _| !done.contains(item));
    }
}

fn done(change: &Change) -> ChangeOutcome {
    ChangeOutcome {
        item: change.id.clone(),
        action: change.action.kind(),
        key: change.key.clone(),
        card: change.card.clone(),
        operators: Vec::new(),
        outcome: Outcome::Done { card: None },
    }
}

#[test]
fn nothing_is_written_without_a_yes_that_stood_nothing_is_asked_twice_and_nothing_is_lost() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("CARDSYNC_LIFE");
    let lives = number("CARDSYNC_LIVES").unwrap_or(LIVES);
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in one.map_or(0..lives, |one| one..one + 1) {
        let played = std::panic::catch_unwind(|| {
            let mut life = Life::new(seed);
            for _ in 0..STEPS {
                life.step();
            }
            life.counts
        });
        match played {
            Ok(played) => played
                .into_iter()
                .for_each(|(what, count)| *counts.entry(what).or_default() += count),
            Err(problem) => {
                eprintln!("life {seed}: CARDSYNC_LIFE={seed} plays it again");
                std::panic::resume_unwind(problem);
            }
        }
    }
    println!("{counts:?}");
    if one.is_none() {
        let kinds = ["written after a yes", "refused for a contradiction", "undo"];
        for what in kinds
            .into_iter()
            .chain(["half of a pair, by its own yes", "asked without a record"])
        {
            assert!(
                counts.get(what).is_some_and(|count| *count >= lives / 50),
                "{what}: {counts:?}"
            );
        }
    }
}
