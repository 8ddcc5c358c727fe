//! `sandbox` and `demo`.

use super::exit::Exit;
use super::out;
use crate::demo::{DemoOptions, Tale};
use crate::sandbox::{Sandbox, SandboxOptions, Seed};
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8480", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What it starts with, in the form of `GET /sandbox/state`; empty without it.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Login of the API account.
    #[arg(long, default_value = "api-cardsync")]
    username: String,
    /// Its password.
    #[arg(long, default_value = "sandbox")]
    password: String,
    /// A behaviour that nobody could confirm, e.g. `unarchive_restores_operator=no`; see --list-settings.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// List the settings and leave.
    #[arg(long)]
    list_settings: bool,
}

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

pub(super) async fn sandbox(args: SandboxArgs) -> anyhow::Result<Exit> {
    if args.list_settings {
        out::print(&crate::sandbox::list_settings());
        return Ok(Exit::Done);
    }
    let seed = match &args.seed {
        Some(path) => {
            let file =
                std::fs::File::open(path).with_context(|| format!("the seed {} cannot be opened", path.display()))?;
            Seed::from_reader(BufReader::new(file))
                .with_context(|| format!("the seed {} cannot be used", path.display()))?
        }
        None => Seed::default(),
    };
    let settings = args
        .settings
        .iter()
        .map(|setting| crate::sandbox::parse_setting(setting))
        .collect::<Result<Vec<_>, _>>()?;
    let listener = tokio::net::TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another with --listen", args.listen))?;
    let options = SandboxOptions {
        listener,
        seed,
        username: args.username.clone(),
        password: args.password,
        settings,
    };
    let sandbox = Sandbox::start(options).await?;
    out::print(&format!(
        "sandbox on {} (user {}); state: {}/sandbox/state\n",
        sandbox.url(),
        args.username,
        sandbox.url()
    ));
    wait_for_stop().await?;
    sandbox.stop().await?;
    Ok(Exit::Done)
}

async fn wait_for_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        ended = tokio::signal::ctrl_c() => ended?,
    }
    Ok(())
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
