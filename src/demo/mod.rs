//! A sample company and its stories, played on the built-in look-alike of TOPdesk with the real engine.
//!
//! ```text
//! names -> person -> company -> files, cards      what the company is, as files and as a seed
//!                          |- measured             a company of any size for scripts/bench
//!                          \- site                 a company of any size before it has cardsync, in disorder
//! rekey                    the way of such a company from e-mail address to number
//! story: year, years -> play (on a stage) -> words -> page     what happens, done for real, told
//!                       \- shows, email_import, tally          what is looked up; what an import by e-mail would have
//!                                                              done; what was done
//! ```
//!
//! Everybody in it is invented. What it tells is measured in the sandbox; where that differs from what the story says, it
//! fails. Nothing but the command line may use it.

mod cards;
mod company;
mod email_import;
mod files;
pub mod measured;
mod names;
mod page;
mod person;
mod play;
mod rekey;
mod shows;
pub mod site;
mod stage;
mod story;
mod tally;
mod words;
mod year;
mod years;

use self::cards::API_LOGIN;
use self::company::Company;
use self::page::Page;
use self::play::{Play, day_of};
use self::stage::{PASSWORD, Stage};
use self::story::Story;
use chrono::{Days, Utc};
use std::net::SocketAddr;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

/// How the demo is played.
#[derive(Clone, Debug, Default)]
pub struct DemoOptions {
    /// What is played.
    pub tale: Tale,
    /// Ends after the story; otherwise the sandbox stays up until Ctrl-C.
    pub once: bool,
    /// Where the sandbox listens; a free port of this machine when nothing is said.
    pub listen: Option<SocketAddr>,
}

/// The stories there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tale {
    /// One year of 300 people, and what an import by e-mail would have done to them.
    #[default]
    Year,
    /// Two years of person cards, from the first day of somebody to the end of their data.
    Years,
    /// From e-mail address to number, in a company in disorder.
    Rekey,
}

/// Plays a story of the sample company and tells it on standard output.
///
/// # Errors
/// When a part cannot be started, and when something is not as the demo claims.
pub async fn run(options: DemoOptions) -> anyhow::Result<()> {
    // The runs' own log lines would stand between those of the tale; what goes wrong ends the demo with a message.
    let played = played(options).with_subscriber(NoSubscriber::default());
    let mut terminate = signal(SignalKind::terminate())?;
    // The folder and the sandbox go with what is dropped here.
    tokio::select! {
        result = played => result,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    }
}

async fn played(options: DemoOptions) -> anyhow::Result<()> {
    let began = Instant::now();
    let page = Page::stdout();
    let listen = options.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let (stage, commands) = match options.tale {
        Tale::Year => (told(&page, &year::STORY, listen).await?, year::STORY.commands),
        Tale::Years => (told(&page, &years::STORY, listen).await?, years::STORY.commands),
        Tale::Rekey => (rekey::play(&page, listen).await?, rekey::COMMANDS),
    };
    let seconds = began.elapsed().as_secs_f64();
    page.gap()?;
    page.text(&format!(
        "Everything above was done for real on the sandbox and checked there after each run, in {seconds:.0} seconds."
    ))?;
    look_around(&page, options.tale, commands, &stage, options.once)?;
    if options.once {
        return Ok(());
    }
    std::future::pending().await
}

/// Plays a story that is data, and gives its stage.
async fn told(page: &Page, story: &'static Story, listen: SocketAddr) -> anyhow::Result<Stage> {
    let end = Utc::now();
    let start = day_of(end - Days::new(story.steps[0].days[0].days_ago));
    let mut company = Company::new(story.people, start);
    let cards = (story.cards)(&mut company);
    let stage = Stage::set(story, &cards, listen).await?;
    introduce(page, story, &stage, &company, &cards)?;
    let mut play = Play::new(story, &stage, page, company, &cards, end);
    for (number, step) in (1..).zip(story.steps) {
        play.step(number, step).await?;
    }
    play.sum_up().await?;
    Ok(stage)
}

fn introduce(
    page: &Page,
    story: &Story,
    stage: &Stage,
    company: &Company,
    cards: &[cards::Card],
) -> anyhow::Result<()> {
    let operators = cards.iter().filter(|card| card.operator).count();
    page.heading(&format!("cardsync demo: {}", story.title), "everybody is invented")?;
    page.text(&format!(
        "{} people at six sites; {operators} people answer their calls as operators in TOPdesk. HR exports a CSV file every \
         night and decides who exists; the directory adds mail addresses, logins and phones. They are joined with the \
         cards in TOPdesk on the personnel number, and on nothing else.",
        company.people.len()
    ))?;
    page.gap()?;
    page.verbatim(&format!("HR's export        {}", stage.folder.file("hr.csv").display()))?;
    page.verbatim(&format!(
        "The directory      {}",
        stage.folder.file("people.ldif").display()
    ))?;
    page.verbatim(&format!(
        "TOPdesk            {} (a look-alike inside this program, on real HTTP)",
        stage.sandbox.url()
    ))?;
    if !story.by_email {
        return Ok(());
    }
    page.gap()?;
    page.text(
        "'By e-mail' tells after each step what another import would have done to the same company with the same files: \
         one that finds people by e-mail address, creates whom it does not find, and archives cards with a personnel \
         number whose address is no longer in the export. It is calculated from the same data, step by step.",
    )?;
    Ok(())
}

fn look_around(page: &Page, tale: Tale, commands: &[&str], stage: &Stage, once: bool) -> anyhow::Result<()> {
    let (url, config) = (stage.sandbox.url(), stage.config());
    let config = config.display();
    if !once {
        page.heading("Look around", "until Ctrl-C")?;
        let (opening, answers): (&str, &[&str]) = match tale {
            Tale::Year | Tale::Years => (
                "The sandbox stays up, and one operator's card still waits. In another terminal:",
                &[
                    "cardsync approve ID                    your yes to one of what waits",
                    "cardsync run                           archives the card, and its operator with it",
                ],
            ),
            Tale::Rekey => ("The sandbox stays up. In another terminal:", &[]),
        };
        page.text(opening)?;
        page.gap()?;
        on_path(page)?;
        page.verbatim(&format!("   export CARDSYNC_CONFIG={config}"))?;
        page.verbatim("   cardsync holds                         what waits, and why")?;
        for command in answers {
            page.verbatim(&format!("   {command}"))?;
        }
        for command in [
            "cardsync plan                          nothing left to do".to_owned(),
            format!("curl -u {API_LOGIN}:{PASSWORD} {url}/tas/api/persons/count"),
            format!("curl {url}/sandbox/stats"),
        ] {
            page.verbatim(&format!("   {command}"))?;
        }
        for command in commands {
            page.verbatim(&format!("   {command}"))?;
        }
        page.gap()?;
        let folder = stage.folder.path().display();
        page.text(&format!(
            "The sandbox's user is {API_LOGIN}, the password {PASSWORD}. Change hr.csv, people.ldif or cardsync.yaml in \
             {folder} and plan again."
        ))?;
    }
    page.heading("On your own data", "writes nothing before `run`")?;
    if once {
        on_path(page)?;
    }
    for command in [
        "cardsync config init cardsync.yaml     a commented file; five values to fill in",
        "cardsync -c cardsync.yaml check        proves that a run would work, or says what is missing",
        "cardsync -c cardsync.yaml plan         shows what would be done",
    ] {
        page.verbatim(&format!("   {command}"))?;
    }
    page.gap()?;
    Ok(())
}

/// Says how the shell finds this program, where it would not.
fn on_path(page: &Page) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    match program.parent() {
        Some(folder) if !std::env::split_paths(&path).any(|known| known == folder) => {
            page.verbatim(&format!("   export PATH=\"{}:$PATH\"", folder.display()))?;
        }
        Some(_) | None => {}
    }
    Ok(())
}
