//! `config schema`, `config init` and `config show`.

use super::exit::Exit;
use super::{out, session};
use anyhow::{Context, bail};
use clap::Subcommand;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// JSON Schema of the configuration file, for editors.
    Schema,
    /// A commented starter file, on standard output or into a new file.
    Init {
        /// Where to write it; an existing file is never overwritten.
        file: Option<PathBuf>,
    },
    /// The effective configuration with its defaults; secrets are shown by their place only.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(config: &Path, command: &ConfigCommand) -> anyhow::Result<Exit> {
    match command {
        ConfigCommand::Schema => out::json(&crate::config::schema())?,
        ConfigCommand::Init { file: None } => out::print(crate::config::starter()),
        ConfigCommand::Init { file: Some(file) } => {
            if file.exists() {
                bail!("{} exists and is not overwritten; name another file", file.display());
            }
            out::private_file(file, crate::config::starter())
                .with_context(|| format!("{} could not be written", file.display()))?;
            out::print(&format!(
                "Written: {0}. Fill it in, then: cardsync -c {0} check\n",
                file.display()
            ));
        }
        ConfigCommand::Show { json } => {
            let environment = session::environment(config)?;
            if *json {
                let effective = crate::config::show::effective(environment.config());
                out::json(&effective)?;
            } else {
                out::print(&crate::config::show(environment.config()));
            }
        }
    }
    Ok(Exit::Done)
}
