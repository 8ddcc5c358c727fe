//! `demo` and the companies that are measured and tried with.

use super::exit::Exit;
use crate::demo::{DemoOptions, Tale};
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// What is played: one year beside an import by e-mail, two years in the life of person cards, or the way to a
    /// number as key.
    #[arg(long, value_enum, default_value_t, value_name = "STORY")]
    story: StoryName,
    /// Leave when the story is over; otherwise the sandbox stays up for looking around.
    #[arg(long)]
    once: bool,
    /// Where the demo's sandbox listens; a free port of this machine by default.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum StoryName {
    /// Joiners, movers, leavers and a bad export, and what an import by e-mail would have done.
    #[default]
    Year,
    /// From the first day to the end of the data: operators that leave and come back, generated cards, anonymization.
    Years,
    /// From e-mail address to number: a company in disorder pairs its cards, writes the numbers and meets its first marriage.
    Rekey,
}

pub(super) async fn demo(args: DemoArgs) -> anyhow::Result<Exit> {
    let DemoArgs { story, once, listen } = args;
    let tale = match story {
        StoryName::Year => Tale::Year,
        StoryName::Years => Tale::Years,
        StoryName::Rekey => Tale::Rekey,
    };
    crate::demo::run(DemoOptions { tale, once, listen }).await?;
    Ok(Exit::Done)
}

#[derive(Debug, Args)]
pub(super) struct CompanyArgs {
    /// Where to write it.
    folder: PathBuf,
    #[arg(long)]
    people: u32,
    /// Address that the configurations name as TOPdesk.
    #[arg(long, value_name = "URL")]
    sandbox: String,
    /// Address that one of them names as directory.
    #[arg(long, value_name = "URL", default_value = "ldap://127.0.0.1:3890")]
    ldap: String,
    /// A company in disorder instead, before it has cardsync: for `audit` and the way to a key.
    #[arg(long)]
    messy: bool,
}

pub(super) fn company(args: &CompanyArgs) -> anyhow::Result<Exit> {
    let CompanyArgs {
        folder,
        people,
        sandbox,
        ldap,
        messy,
    } = args;
    if *messy {
        let today = chrono::Utc::now().date_naive();
        crate::demo::site::Site::new(*people, today).write(folder, sandbox, "sandbox")?;
        return Ok(Exit::Done);
    }
    crate::demo::measured::write(folder, *people, sandbox, ldap)?;
    Ok(Exit::Done)
}
