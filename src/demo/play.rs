//! Plays a story step by step, tells it, and checks that what it tells is true.

use super::cards::Card;
use super::company::Company;
use super::email_import::{EmailImport, Harm};
use super::page::{Mark, Page};
use super::stage::Stage;
use super::story::{Day, Step, Story};
use super::tally::{Owners, measure};
use super::words;
use crate::core::plan::ActionKind;
use crate::core::plan::report::RunVerdict;
use crate::engine::run::Finished;
use anyhow::{bail, ensure};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Europe::Amsterdam;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The story as far as it was played.
pub struct Play<'a> {
    story: &'a Story,
    pub stage: &'a Stage,
    pub page: &'a Page,
    pub(super) company: Company,
    owners: Owners,
    import: EmailImport,
    /// When the story ends.
    end: DateTime<Utc>,
    /// Operators that approved archives took along.
    approved_operators: usize,
    /// Operators that approved unarchives may have woken.
    approved_woken: usize,
    /// Items that a human has said yes to.
    questions: usize,
    /// Items that wait after the last run, and how that was told.
    waiting: usize,
    told: Vec<String>,
    /// Everything the import by e-mail did.
    by_email: Harm,
}

/// The calendar day of a moment, where the company is.
pub fn day_of(moment: DateTime<Utc>) -> NaiveDate {
    moment.with_timezone(&Amsterdam).date_naive()
}

impl<'a> Play<'a> {
    /// Before the first day.
    pub fn new(
        story: &'a Story,
        stage: &'a Stage,
        page: &'a Page,
        company: Company,
        cards: &[Card],
        end: DateTime<Utc>,
    ) -> Self {
        Self {
            story,
            stage,
            page,
            company,
            owners: Owners::of(cards),
            import: EmailImport::new(cards),
            end,
            approved_operators: 0,
            approved_woken: 0,
            questions: 0,
            waiting: 0,
            told: Vec::new(),
            by_email: Harm::default(),
        }
    }

    /// Plays and tells one step.
    pub async fn step(&mut self, number: usize, step: &Step) -> anyhow::Result<()> {
        let from = self.end - Days::new(step.days.first().map_or(0, |day| day.days_ago));
        let date = day_of(from).format("%-d %B %Y").to_string();
        self.page.heading(&format!("{number}. {}", step.title), &date)?;
        self.page.text(step.story)?;
        self.page.gap()?;
        let mut harm = Harm::default();
        for day in step.days {
            let now = self.end - Days::new(day.days_ago);
            self.company.today = day_of(now);
            self.stage.play_at(now);
            for event in day.events {
                event.happen(&mut self.company);
                if let Some(edit) = event.in_topdesk() {
                    self.stage.sandbox.edit(&edit)?;
                }
            }
            self.stage.export(&self.company, day.export)?;
            let employed: BTreeSet<u32> = self.company.employed().map(|person| person.number).collect();
            harm.add(&self.import.import(&self.company.rows(day.export), &employed));
            let last = step.days.last().is_some_and(|last| last.days_ago == day.days_ago);
            self.day(day, last, now, &employed).await?;
        }
        let mut shown = Vec::new();
        for show in step.shows {
            let now = self.end - Days::new(step.days.last().map_or(0, |day| day.days_ago));
            shown.push(show.look(self.stage, &self.company, now).await?);
        }
        self.page.points(Mark::Plain, "Looked up", &shown)?;
        if self.story.by_email {
            self.page.points(Mark::ByEmail, "By e-mail", &words::by_email(&harm))?;
        }
        self.by_email.add(&harm);
        Ok(())
    }

    async fn day(&mut self, day: &Day, last: bool, now: DateTime<Utc>, employed: &BTreeSet<u32>) -> anyhow::Result<()> {
        if !day.approve.is_empty() {
            let approved = self.stage.approve(day.approve, now).await?;
            self.approved_operators += approved.operators;
            self.approved_woken += approved.woken;
            let items = words::many(approved.items, "item", "items");
            let text = format!(
                "{items} of {}, each after a look: cardsync approve ID",
                day.approve.join(" and ")
            );
            self.page.points(Mark::Human, "Approved", &[text])?;
            self.questions += approved.items;
        }
        let finished = self.stage.run(now).await?;
        let held = words::held(&finished);
        // What was told on the day before need not be told again.
        let news: Vec<String> = held.iter().filter(|line| !self.told.contains(line)).cloned().collect();
        // A day on the way on which nothing happened is not worth a line.
        if last || !finished.outcomes.is_empty() || !news.is_empty() {
            let mut done = words::done(&finished);
            if !self.story.by_email && finished.outcomes.is_empty() {
                done = vec!["nothing is changed in TOPdesk".to_owned()];
            }
            self.page.points(Mark::Done, "Done", &done)?;
        }
        self.page.points(Mark::Held, "Held", &news)?;
        self.told = held;
        self.waiting = finished.holds.len();
        let foreign = finished.planned.judged.plan.foreign_cards;
        if self.story.by_email && finished.planned.input.contact.seen.is_none() && foreign > 0 {
            let text = format!(
                "{foreign} cards without a number, or with one that HR does not know (contractors, former colleagues)"
            );
            self.page.points(Mark::Plain, "Not touched", &[text])?;
        }
        as_told(day, &finished)?;
        self.verify(now, employed).await
    }

    /// What the demo claims, measured in the sandbox.
    async fn verify(&self, now: DateTime<Utc>, employed: &BTreeSet<u32>) -> anyhow::Result<()> {
        let harm = measure(&self.stage.state(), &self.owners, employed);
        ensure!(
            harm.is_none(),
            "this is not as the demo claims: cardsync did harm: {harm:?}"
        );
        let stats = self.stage.sandbox.stats();
        let operators = stats["operators_archived_by_cascade"].as_array().map_or(0, Vec::len);
        ensure!(
            operators == self.approved_operators,
            "this is not as the demo claims: {operators} operators were archived, {} were approved",
            self.approved_operators
        );
        let (awake, _) = self.woken();
        ensure!(
            awake <= self.approved_woken,
            "this is not as the demo claims: {awake} operators were woken, {} were approved",
            self.approved_woken
        );
        let double = stats["duplicate_keys"].as_array().map_or(0, Vec::len);
        ensure!(
            double == 0,
            "this is not as the demo claims: {double} numbers stand on two cards"
        );
        let again = self.stage.plan(now).await?;
        let more = again.approved.changes().len();
        ensure!(
            more == 0,
            "this is not as the demo claims: a second run would change {more} more cards"
        );
        Ok(())
    }

    /// Operators that TOPdesk woke with their cards: those that are active, and those that were put back.
    fn woken(&self) -> (usize, usize) {
        let (stats, state) = (self.stage.sandbox.stats(), self.stage.state());
        let ids = stats["operators_woken_by_cascade"].as_array().into_iter().flatten();
        let active = |id: &Value| {
            let mut operators = state["operators"].as_array().into_iter().flatten();
            operators.any(|operator| operator["id"] == *id && operator["status"] == "operator")
        };
        let (awake, put_back): (Vec<_>, Vec<_>) = ids.partition(|id| active(id));
        (awake.len(), put_back.len())
    }

    /// The figures where nothing stands beside them.
    fn numbers(&self, ours: &Harm, operators: usize) -> anyhow::Result<()> {
        self.page.heading(self.story.numbers, "measured in the sandbox")?;
        let row = |what: &str, count: usize| self.page.verbatim(&format!("{what:74}{count:>12}"));
        row("People with a second card", ours.second_card.len())?;
        row("People who work here and whose card is archived", ours.archived.len())?;
        row(
            "Operators archived although nobody was asked",
            operators - self.approved_operators,
        )?;
        let (awake, put_back) = self.woken();
        row(
            "Operators woken although nobody was asked",
            awake.saturating_sub(self.approved_woken),
        )?;
        row(
            "Operators that TOPdesk woke with their card, put back at once",
            put_back,
        )?;
        row("Items put before a human", self.questions + self.waiting)?;
        Ok(())
    }

    /// The story in numbers.
    pub async fn sum_up(&self) -> anyhow::Result<()> {
        let employed: BTreeSet<u32> = self.company.employed().map(|person| person.number).collect();
        let ours = measure(&self.stage.state(), &self.owners, &employed);
        let stats = self.stage.sandbox.stats();
        let operators = stats["operators_archived_by_cascade"].as_array().map_or(0, Vec::len);
        if !self.story.by_email {
            return self.numbers(&ours, operators);
        }
        let by_email = &self.by_email;
        self.page
            .heading(self.story.numbers, "cardsync measured, by e-mail calculated")?;
        let row =
            |what: &str, ours: usize, theirs: usize| self.page.verbatim(&format!("{what:62}{ours:>12}{theirs:>12}"));
        self.page
            .verbatim(&format!("{:62}{:>12}{:>12}", "", "cardsync", "by e-mail"))?;
        row(
            "People with a second card",
            ours.second_card.len(),
            by_email.second_card.len(),
        )?;
        row(
            "People who work here and whose card was archived",
            ours.archived.len(),
            by_email.archived.len(),
        )?;
        row(
            "Operators who work here and were locked out",
            ours.locked_out.len(),
            by_email.locked_out.len(),
        )?;
        row(
            "Operators archived although nobody was asked",
            operators - self.approved_operators,
            by_email.unasked.len() + by_email.locked_out.len(),
        )?;
        row(
            "People given the card of somebody else",
            ours.mixed_up.len(),
            by_email.mixed_up.len(),
        )?;
        row("Items put before a human", self.questions + self.waiting, 0)?;
        Ok(())
    }
}

fn done_items(finished: &Finished) -> BTreeMap<ActionKind, u64> {
    finished.report.counts.done.clone()
}

fn held_items(finished: &Finished) -> BTreeMap<ActionKind, u64> {
    let mut held = BTreeMap::new();
    for item in &finished.holds {
        *held.entry(item.change.action).or_default() += 1;
    }
    held
}

/// The run did what the story says, no more and no less.
fn as_told(day: &Day, finished: &Finished) -> anyhow::Result<()> {
    if let Some(failure) = &finished.report.failure {
        bail!("the run failed: {failure}");
    }
    ensure!(
        finished.report.verdict != Some(RunVerdict::SomeFailed),
        "some changes failed: {:?}",
        finished
            .outcomes
            .iter()
            .map(|outcome| &outcome.outcome)
            .collect::<Vec<_>>()
    );
    let told = |items: &[(ActionKind, u64)]| items.iter().copied().collect::<BTreeMap<_, _>>();
    let (done, held) = (done_items(finished), held_items(finished));
    ensure!(
        done == told(day.done) && held == told(day.held),
        "this is not as the demo claims: done {done:?}, held {held:?}; the story says done {:?}, held {:?}",
        day.done,
        day.held
    );
    Ok(())
}
