//! Serving until told to stop: for the program of this package, and for others that have it as a command.

use crate::{Sandbox, SandboxOptions, Seed, list_settings, parse_setting};
use anyhow::Context;
use clap::Args;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};

/// What the sandbox is started with on a command line.
#[derive(Debug, Args)]
pub struct SandboxArgs {
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

impl SandboxArgs {
    /// Serves until SIGTERM or Ctrl-C, or lists the settings.
    ///
    /// # Errors
    /// When the seed, a setting or the address cannot be used, or serving fails.
    pub async fn serve(self) -> anyhow::Result<()> {
        if self.list_settings {
            print!("{}", list_settings());
            return Ok(());
        }
        let seed = self.seed.as_deref().map(seed).transpose()?.unwrap_or_default();
        let settings = self.settings.iter().map(|setting| parse_setting(setting));
        let settings = settings.collect::<Result<Vec<_>, _>>()?;
        let listener = tokio::net::TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}; choose another with --listen", self.listen))?;
        let options = SandboxOptions {
            listener,
            seed,
            username: self.username.clone(),
            password: self.password,
            settings,
        };
        let sandbox = Sandbox::start(options).await?;
        let (url, username) = (sandbox.url(), self.username);
        println!("sandbox on {url} (user {username}); state: {url}/sandbox/state");
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => {}
            ended = tokio::signal::ctrl_c() => ended?,
        }
        sandbox.stop().await
    }
}

fn seed(path: &Path) -> anyhow::Result<Seed> {
    let file = std::fs::File::open(path).with_context(|| format!("the seed {} cannot be opened", path.display()))?;
    Seed::from_reader(BufReader::new(file)).with_context(|| format!("the seed {} cannot be used", path.display()))
}
