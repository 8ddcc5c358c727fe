//! The way from e-mail address to number, done on a company in disorder and told step by step. Whose each card really is, is
//! known, so what is told is compared with the truth.

mod before;
mod hr;
mod look;

use self::look::{Cards, count_of, is_card_of};
use super::email_import::{EmailImport, Harm};
use super::page::{Mark, Page};
use super::play::day_of;
use super::site::Site;
use super::stage::Stage;
use super::tally::{Owners, measure};
use super::words::{self, many};
use crate::core::model::field::CardField;
use crate::core::plan::ActionKind;
use crate::core::plan::report::RunVerdict;
use crate::core::plan::view::ChangeView;
use crate::engine::run::Finished;
use crate::tools::rekey::pairing::{Grade, NoPair, Pairing, Row, Verdict};
use crate::tools::rekey::sheet::Line;
use crate::tools::rekey::words::why_not;
use anyhow::{Context as _, ensure};
use chrono::{DateTime, Days, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// How many people the company has.
const PEOPLE: u32 = 300;
/// How long ago it begins.
const DAYS_AGO: u64 = 9;

/// Commands to try at the end, each with what it does.
pub const COMMANDS: &[&str] = &[
    "cardsync rekey pair                    whose the cards without a number are",
    "cardsync rekey review                  numbers that were written, with their evidence",
    "cardsync rekey verify --old email      both keys side by side, after the way",
    "cardsync holds --decisions             who approved which number, and when",
];

/// Plays and tells it; gives the stage, to look around on.
pub async fn play(page: &Page, listen: SocketAddr) -> anyhow::Result<Stage> {
    let now = Utc::now() - Days::new(DAYS_AGO);
    let site = Site::new(PEOPLE, day_of(now));
    let stage = Stage::open(site.seed().as_bytes(), Site::configuration, listen).await?;
    let truth = site.truth();
    let known = truth.iter().filter_map(|(card, human)| Some((card.clone(), (*human)?)));
    let owners = Owners::known(known.collect());
    let mut way = Way {
        import: EmailImport::over(site.imported()),
        at_first: measure(&stage.state(), &owners, &site.employed().into_iter().collect()),
        stage: &stage,
        page,
        site,
        truth,
        owners,
        by_email: Harm::default(),
        now,
        chapter: 0,
        approved: 0,
        decided: 0,
    };
    way.introduce()?;
    way.audit().await?;
    way.tonight().await?;
    let pairing = way.pairs().await?;
    let lines = way.list(&pairing)?;
    way.numbers(lines).await?;
    way.both_keys().await?;
    way.first_contact().await?;
    way.marriage().await?;
    way.sum_up()?;
    Ok(stage)
}

struct Way<'a> {
    stage: &'a Stage,
    page: &'a Page,
    site: Site,
    /// Whose each card is that was there at the beginning.
    truth: BTreeMap<String, Option<u32>>,
    owners: Owners,
    /// What was amiss before anything was done.
    at_first: Harm,
    import: EmailImport,
    by_email: Harm,
    now: DateTime<Utc>,
    chapter: usize,
    /// Operators that approved archives took along.
    approved: usize,
    /// Lines and items that a human decided.
    decided: usize,
}

/// What is told is not so.
macro_rules! claim {
    ($so:expr, $($text:tt)+) => {
        anyhow::ensure!($so, "this is not as the demo claims: {}", format!($($text)+))
    };
}
use claim;

impl Way<'_> {
    fn introduce(&self) -> anyhow::Result<()> {
        let state = self.stage.state();
        let cards = Cards::of(&state);
        self.page
            .heading("cardsync demo: from e-mail address to number", "everybody is invented")?;
        self.page.text(&format!(
            "A company of {PEOPLE} people, before it has cardsync. For years an import has recognised people in TOPdesk by their \
             e-mail address. {} cards are active, {} of them with a personnel number; {} operators work. Some people have two \
             cards, some operators only the card that TOPdesk generated, and logins of people who left were given to others. \
             It takes seven commands to leave that behind.",
            cards.active, cards.numbered, cards.operators
        ))?;
        self.page.gap()?;
        let file = |name: &str| self.stage.folder.file(name).display().to_string();
        self.page.verbatim(&format!("HR's export        {}", file("hr.csv")))?;
        self.page
            .verbatim(&format!("The directory      {}", file("people.ldif")))?;
        self.page.verbatim(&format!(
            "TOPdesk            {} (a look-alike inside this program, on real HTTP)",
            self.stage.sandbox.url()
        ))?;
        self.page.gap()?;
        self.page.text(
            "'By e-mail' tells what the old import would have done with the same files. It is calculated; all else is done on the \
             look-alike and compared with whose each card really is.",
        )?;
        Ok(())
    }

    fn chapter(&mut self, title: &str, story: &str) -> anyhow::Result<()> {
        self.chapter += 1;
        let date = day_of(self.now).format("%-d %B %Y").to_string();
        self.page.heading(&format!("{}. {title}", self.chapter), &date)?;
        self.page.text(story)?;
        self.page.gap()?;
        Ok(())
    }

    fn employed(&self) -> BTreeSet<u32> {
        self.site.employed().into_iter().collect()
    }

    /// Today's files, and what the old import would make of them.
    fn export(&mut self) -> anyhow::Result<Harm> {
        self.site.today = day_of(self.now);
        self.stage.play_at(self.now);
        std::fs::write(self.stage.folder.file("hr.csv"), self.site.hr())?;
        std::fs::write(self.stage.folder.file("people.ldif"), self.site.directory())?;
        let employed = self.employed();
        let harm = self.import.import(&self.site.rows(), &employed);
        self.by_email.add(&harm);
        Ok(harm)
    }

    async fn pairs(&mut self) -> anyhow::Result<Pairing> {
        self.chapter(
            "Whose card is whose",
            "cardsync rekey pair --unclaimed --csv pairs.csv: every card without a number of HR's beside the people. E-mail \
             address, login, telephone and room are handed on together, so all of them are one witness. A sure pair needs a \
             witness of the person: here the date of birth.",
        )?;
        let pairing = self.stage.pair(self.now).await?;
        let mut told = Vec::new();
        for (grade, what) in [
            (Grade::Sure, "the person is witnessed"),
            (Grade::Likely, "e-mail or login, and the name: a human decides"),
            (Grade::Possible, "a part of that: a human decides"),
        ] {
            let of_grade = |row: &&Row| pair_grade(row) == Some(grade);
            let rows = pairing.rows.iter().filter(of_grade);
            let operators = rows.clone().filter(|row| row.operator.is_linked()).count();
            told.push(format!(
                "{grade}: {}, {operators} with an operator; {what}",
                rows.count()
            ));
        }
        let mut none: BTreeMap<NoPair, usize> = BTreeMap::new();
        for row in &pairing.rows {
            match &row.verdict {
                Verdict::None { why, .. } => *none.entry(*why).or_default() += 1,
                Verdict::Pair(pair) => {
                    let right = is_card_of(&self.truth, row.card.as_str(), pair.key.as_str());
                    claim!(right || pair.grade != Grade::Sure, "a sure pair is wrong: {}", pair.key);
                }
            }
        }
        self.page.points(Mark::Done, "Pairs", &told)?;
        let none: Vec<String> = none
            .into_iter()
            .map(|(why, count)| format!("{}: {}", many(count, "card", "cards"), why_not(why)))
            .collect();
        self.page.points(Mark::Held, "No pair", &none)?;
        let sure = pairing
            .rows
            .iter()
            .filter(|row| pair_grade(row) == Some(Grade::Sure))
            .count();
        let looked = format!("all {sure} sure pairs are right");
        self.page.points(Mark::Plain, "Looked up", &[looked])?;
        Ok(pairing)
    }

    fn list(&mut self, pairing: &Pairing) -> anyhow::Result<Vec<Line>> {
        self.chapter(
            "HR looks at the list",
            "The list opens in a spreadsheet. HR approves the sure pairs as they stand, and for the others writes approve, reject, \
             or another number into a column of its own: the proposed one is fixed.",
        )?;
        let list = hr::decided(pairing, &self.truth)?;
        std::fs::write(self.stage.folder.file("pairs.csv"), &list.bytes)?;
        self.page.points(Mark::Human, "Decided", &list.told)?;
        self.decided += list.decided;
        Ok(list.lines)
    }

    async fn numbers(&mut self, lines: Vec<Line>) -> anyhow::Result<()> {
        self.chapter(
            "The numbers onto the cards",
            "cardsync rekey write pairs.csv --unclaimed. Right before each write the card and its operator are read again; whatever \
             is not as it was on the list is left out. It can be stopped, given again, and taken back with cardsync undo.",
        )?;
        let before = self.stage.state();
        let finished = self.stage.write_keys(lines, self.now).await?;
        no_failure(&finished)?;
        let written = count_of(&finished, ActionKind::Adopt);
        let after = self.stage.state();
        let looked = look::only_numbers(&before, &after, &self.truth)?;
        claim!(looked == written, "{looked} numbers changed, {written} were told");
        let told = vec![format!(
            "{}, and nothing else",
            many(written, "number written", "numbers written")
        )];
        self.page.points(Mark::Done, "Done", &told)?;
        let told = [
            "every number is on the card of its person; nothing else on any card or operator has changed".to_owned(),
        ];
        self.page.points(Mark::Plain, "Looked up", &told).map_err(Into::into)
    }

    async fn both_keys(&mut self) -> anyhow::Result<()> {
        self.chapter(
            "Both keys side by side",
            "cardsync rekey verify --old email: what a run would do under each key, from the same reads. Nobody can sign a new card \
             or an archive that only one key would do: these go once first contact has written the addresses, and the rest can be \
             signed with --sign and the mark that stands there.",
        )?;
        let both = self.stage.both_keys(CardField::Email, self.now).await?;
        let plans = &both.difference.plans;
        let of = |items: &[ChangeView], kind: ActionKind| items.iter().filter(|item| item.action == kind).count();
        let second = of(&plans.removed, ActionKind::Create);
        let people = look::other_addresses(
            &self.stage.state(),
            &self.site,
            plans.added.iter().chain(&plans.removed),
        );
        claim!(people.other_address > 0, "nobody has an old address");
        let told = vec![
            many(
                usize::try_from(plans.same)?,
                "item under both keys",
                "items under both keys",
            ),
            format!(
                "{} only under the e-mail address, {} among them",
                many(plans.removed.len(), "item", "items"),
                many(second, "new card", "new cards")
            ),
            format!(
                "{} only under the number, {} and {} among them",
                many(plans.added.len(), "item", "items"),
                many(of(&plans.added, ActionKind::Update), "update", "updates"),
                many(of(&plans.added, ActionKind::Create), "new card", "new cards"),
            ),
            format!(
                "{} in all; {} in TOPdesk with another address than in the directory, which is why both keys differ",
                many(people.all, "person", "people"),
                people.other_address
            ),
        ];
        self.page.points(Mark::Plain, "Differs", &told)?;
        Ok(())
    }

    async fn first_contact(&mut self) -> anyhow::Result<()> {
        self.now += Duration::days(1);
        self.export()?;
        self.chapter(
            "First contact under the number",
            "cardsync run. From now on the number decides who is who. A first run is held back in all that could do harm.",
        )?;
        self.run().await?;
        for _ in 0..4 {
            if !self.decide().await? {
                break;
            }
            self.now += Duration::hours(1);
            self.run().await?;
        }
        self.now += Duration::hours(1);
        let finished = self.run().await?;
        let changed = finished.outcomes.len();
        claim!(changed == 0, "a second run changed {changed} more cards");
        let told = "one more run had nothing to do: first contact is over".to_owned();
        self.page.points(Mark::Plain, "Looked up", &[told])?;
        let again = self.stage.plan(self.now).await?;
        let left = again.approved.changes().len();
        claim!(left == 0, "a second run would change {left} more cards");
        Ok(())
    }

    async fn run(&mut self) -> anyhow::Result<Finished> {
        let finished = self.stage.run(self.now).await?;
        no_failure(&finished)?;
        self.page.points(Mark::Done, "Done", &words::done(&finished))?;
        self.page.points(Mark::Held, "Held", &words::held(&finished))?;
        self.unharmed()?;
        Ok(finished)
    }

    /// Approves what is right; what is not waits on.
    async fn decide(&mut self) -> anyhow::Result<bool> {
        let right = |change: &ChangeView| hr::is_right(change, &self.site, &self.truth);
        let ids = self.stage.waiting(self.now, right).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let approved = self.stage.approve(&ids, self.now).await?;
        self.approved += approved.operators;
        self.decided += approved.items;
        let operators = match approved.operators {
            0 => String::new(),
            some => format!("; with them goes {} who left", many(some, "operator", "operators")),
        };
        let told = format!("{}, after a look{operators}", many(approved.items, "item", "items"));
        self.page.points(Mark::Human, "Approved", &[told])?;
        Ok(true)
    }

    /// Nothing has become worse for anybody, measured in the sandbox.
    fn unharmed(&self) -> anyhow::Result<()> {
        let state = self.stage.state();
        let harm = self.harm();
        claim!(harm.is_none(), "cardsync did harm: {harm:?}");
        look::numbers_are_right(&state, &self.truth)?;
        let archived = self.archived_operators();
        claim!(
            archived == self.approved,
            "{archived} operators were archived, {} were approved",
            self.approved
        );
        Ok(())
    }

    fn archived_operators(&self) -> usize {
        let stats = self.stage.sandbox.stats();
        stats["operators_archived_by_cascade"].as_array().map_or(0, Vec::len)
    }

    /// What is amiss and was not at the beginning.
    fn harm(&self) -> Harm {
        let now = measure(&self.stage.state(), &self.owners, &self.employed());
        now.without(&self.at_first)
    }

    async fn marriage(&mut self) -> anyhow::Result<()> {
        self.now = Utc::now();
        let bride = look::an_operator(&self.stage.state(), &self.site).context("somebody works as an operator")?;
        self.site.marries(bride);
        let harm = self.export()?;
        self.chapter(
            "A marriage",
            "An operator marries: another surname, another e-mail address, another login. Until last week that was a second card, \
             and the end of the operator.",
        )?;
        self.run().await?;
        let person = self.site.person(bride).context("the operator who marries")?;
        look::one_card_as_hr_says(&self.stage.state(), person)?;
        let told = format!(
            "{} ({bride}): one card, the same as before, with the new name and address; the operator works",
            person.full_name()
        );
        self.page.points(Mark::Plain, "Looked up", &[told])?;
        self.page.points(Mark::ByEmail, "By e-mail", &words::by_email(&harm))?;
        claim!(harm.second_card.contains(&bride), "the old import makes no second card");
        Ok(())
    }

    fn sum_up(&self) -> anyhow::Result<()> {
        self.page
            .heading("The way in numbers", "cardsync measured, by e-mail calculated")?;
        let (ours, theirs) = (self.harm(), &self.by_email);
        let row =
            |what: &str, ours: usize, theirs: usize| self.page.verbatim(&format!("{what:62}{ours:>12}{theirs:>12}"));
        self.page
            .verbatim(&format!("{:62}{:>12}{:>12}", "", "cardsync", "by e-mail"))?;
        row(
            "People given the card of somebody else",
            ours.mixed_up.len(),
            theirs.mixed_up.len(),
        )?;
        row(
            "People with one more card",
            ours.second_card.len(),
            theirs.second_card.len(),
        )?;
        row(
            "People who work here and whose card was archived",
            ours.archived.len(),
            theirs.archived.len(),
        )?;
        row(
            "Operators who work here and were locked out",
            ours.locked_out.len(),
            theirs.locked_out.len(),
        )?;
        row(
            "Operators archived although nobody was asked",
            self.archived_operators() - self.approved,
            theirs.unasked.len() + theirs.locked_out.len(),
        )?;
        row("Lines and items decided by a human", self.decided, 0)?;
        Ok(())
    }
}

fn pair_grade(row: &Row) -> Option<Grade> {
    row.pair().map(|pair| pair.grade)
}

fn no_failure(finished: &Finished) -> anyhow::Result<()> {
    ensure!(
        finished.report.failure.is_none() && finished.report.verdict != Some(RunVerdict::SomeFailed),
        "the run failed: {:?} {:?}",
        finished.report.failure,
        finished.report.counts
    );
    Ok(())
}
