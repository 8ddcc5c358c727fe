//! The command line: definitions here, one file per command or family of commands. Thin: the engine does the work.

mod anonymize;
mod approve;
mod approver;
mod audit;
mod check;
mod choices;
mod config;
mod diff_config;
#[cfg(all(test, feature = "sandbox"))]
mod documented;
mod exit;
mod explain;
mod forget;
mod hints;
mod history;
mod holds;
mod journal;
mod other_key;
mod out;
mod plan;
mod progress;
mod rekey;
mod replay;
#[cfg(feature = "sandbox")]
mod sandbox;
mod session;
mod snapshot;
mod store;
mod table;
mod undo;

use clap::{CommandFactory, Parser, Subcommand};
use exit::Exit;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Keeps TOPdesk person cards in step with a directory and an HR system, and never archives somebody by accident.
#[derive(Debug, Parser)]
#[command(name = "cardsync", version, about, max_term_width = 110, after_help = AFTER_HELP)]
struct Cli {
    /// Configuration file.
    #[arg(
        short,
        long,
        global = true,
        help_heading = "Options of every command",
        env = "CARDSYNC_CONFIG",
        default_value = CONFIG,
        value_name = "FILE"
    )]
    config: PathBuf,

    /// Log lines as `text` (default) or `json`.
    #[arg(
        long,
        global = true,
        help_heading = "Options of every command",
        value_name = "FORM",
        default_value = "text"
    )]
    log_format: session::LogFormat,

    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is looked for when nobody says otherwise.
const CONFIG: &str = "/etc/cardsync/cardsync.yaml";

const AFTER_HELP: &str = "Exit codes: 0 nothing to do or all done; 1 error; 2 changes pending (plan); 3 something is held, \
needs a human, or was found (audit); 4 a read was rejected; 5 finished, but some changes failed; 64 wrong usage. RUST_LOG sets the log level.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Play a year or two of a sample company on the built-in sandbox; needs nothing.
    #[cfg(feature = "sandbox")]
    Demo(sandbox::DemoArgs),
    /// Prove that a run would work: configuration, sources, TOPdesk, rights, next runs. Changes nothing.
    Check(check::CheckArgs),
    /// Read everything and print what a run would do. Changes nothing.
    Plan(plan::PlanArgs),
    /// Read everything, do what is allowed, hold the rest for a human.
    Run(plan::RunArgs),
    /// Read and plan again, and apply what is also in a saved plan, unchanged, and allowed today.
    Apply(plan::ApplyArgs),
    /// What is at risk before the next import: operators, cards, keys. For the change board; needs no earlier run. Changes
    /// nothing.
    Audit(audit::AuditArgs),
    /// Everything about one person: records, fields, card, why something happens or not, what was written before. Changes nothing.
    Explain(explain::ExplainArgs),
    /// What waits for a decision, and what else needs a human.
    Holds(holds::HoldsArgs),
    /// Let items pass in the next run: by id, class, action or plan.
    Approve(approve::ApproveArgs),
    /// Say no to items: they stay quiet until they change.
    Reject(approve::RejectArgs),
    /// Take a decision back, a yes or a no: what still waits is asked again.
    Unapprove(approve::UnapproveArgs),
    /// The runs so far with counts and verdicts, or one run item by item.
    History(history::HistoryArgs),
    /// The journal for a log collector.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// The state file: copy, check, give to another address.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Who is to be anonymized and when, and the certificates of what was done. Changes nothing.
    #[command(subcommand)]
    Anonymize(anonymize::AnonymizeCommand),
    /// Remove what is kept about one person.
    Forget(forget::ForgetArgs),
    /// Take back what a run or an item wrote, as far as it can be taken back; says what cannot.
    Undo(undo::UndoArgs),
    /// From e-mail address or login to a number as key: pair the cards, write the keys, prove that both keys say the same.
    #[command(subcommand)]
    Rekey(rekey::RekeyCommand),
    /// Run on the configured schedule until told to stop.
    Daemon(session::DaemonArgs),
    /// A TOPdesk look-alike for trying and testing.
    #[cfg(feature = "sandbox")]
    Sandbox(topdesk_sandbox::command::SandboxArgs),
    /// Read the configured TOPdesk into a seed for the sandbox, personal data replaced. Changes nothing.
    Snapshot(snapshot::SnapshotArgs),
    /// The configuration: JSON Schema, a starter file, the effective settings.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Write a company of any size for scripts/bench: files, a seed for the sandbox, configurations.
    #[command(hide = true)]
    #[cfg(feature = "sandbox")]
    Company(sandbox::CompanyArgs),
    /// Completions for a shell, on standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// An argument with a character that has no picture of its own: copied along with a number, and no answer about it would be
/// understood. A note is text of its own and is shown as it can be.
fn hidden_in(arguments: impl Iterator<Item = String>) -> Option<String> {
    let mut of_note = false;
    let hidden = |argument: &String| {
        let free = std::mem::replace(&mut of_note, argument == "--note") || argument.starts_with("--note=");
        !free && crate::core::model::visible::line(argument) != argument.as_str()
    };
    arguments.skip(1).find(hidden)
}

/// Parses the arguments, runs the command and gives the exit code.
pub fn main() -> ExitCode {
    if let Some(word) = hidden_in(std::env::args_os().map(|word| word.to_string_lossy().into_owned())) {
        let shown = crate::core::model::visible::line(&word);
        out::error(&format!(
            "'{shown}' has characters that nobody sees, shown here by their numbers; type it anew"
        ));
        return Exit::Usage.into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            if error.use_stderr() {
                // What was typed stands in it.
                out::note(error.render().to_string().trim_end());
            } else {
                // A closed terminal is no reason to fail.
                let _unprinted = error.print();
            }
            return code.into();
        }
    };
    // One TLS stack: every part that does not bring its own provider uses this one. A second install changes nothing.
    let _already = rustls::crypto::ring::default_provider().install_default();
    if is_given(&cli.config) {
        let commands = Cli::command();
        let commands = commands.get_subcommands().map(|command| command.get_name().to_owned());
        hints::name(&cli.config, commands);
    }
    let lists_writes = !matches!(cli.command, Command::Daemon(_));
    session::start_logging(cli.log_format, lists_writes);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::error(&format!("the runtime could not be started: {error}"));
            return Exit::Error.into();
        }
    };
    let done = runtime.block_on(dispatch(cli));
    // A read that hangs in a thread of its own must not keep a finished command alive.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            out::error(&out::told(&error));
            Exit::Error.into()
        }
    }
}

/// Whether the configuration was named by the option, so that the next command needs it too.
fn is_given(config: &Path) -> bool {
    let found = std::env::var_os("CARDSYNC_CONFIG").map(PathBuf::from);
    config != found.as_deref().unwrap_or(Path::new(CONFIG))
}

async fn dispatch(cli: Cli) -> anyhow::Result<Exit> {
    let config = &cli.config;
    match cli.command {
        #[cfg(feature = "sandbox")]
        Command::Demo(args) => sandbox::demo(args).await,
        Command::Check(args) => check::check(config, &args).await,
        Command::Plan(args) => plan::plan(config, &args).await,
        Command::Run(args) => plan::run(config, &args).await,
        Command::Apply(args) => plan::apply(config, &args).await,
        Command::Audit(args) => audit::audit(config, &args).await,
        Command::Explain(args) => explain::run(config, &args).await,
        Command::Holds(args) => holds::holds(config, &args).await,
        Command::Approve(args) => approve::approve(config, &args).await,
        Command::Reject(args) => approve::reject(config, &args).await,
        Command::Unapprove(args) => approve::unapprove(config, &args).await,
        Command::History(args) => history::history(config, &args).await,
        Command::Journal(command) => journal::run(config, &command).await,
        Command::Store(command) => store::run(config, &command).await,
        Command::Anonymize(command) => anonymize::run(config, &command).await,
        Command::Forget(args) => forget::forget(config, &args).await,
        Command::Undo(args) => undo::undo(config, &args).await,
        Command::Rekey(command) => rekey::run(config, &command).await,
        Command::Daemon(args) => session::daemon(config, &args).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox(args) => args.serve().await.map(|()| exit::Exit::Done),
        Command::Snapshot(args) => snapshot::snapshot(config, &args).await,
        Command::Config(command) => config::run(config, &command),
        #[cfg(feature = "sandbox")]
        Command::Company(args) => sandbox::company(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "cardsync", &mut script);
            out::print(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_hides_something_is_found_and_a_note_is_free() {
        let found = |words: &[&str]| hidden_in(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(
            found(&["cardsync", "explain", "Zoë", "--note", "a\nb", "--note=a\tb"]),
            None
        );
        assert_eq!(
            found(&["cardsync", "explain", "10\u{200b}1"]).as_deref(),
            Some("10\u{200b}1")
        );
        assert_eq!(found(&["cardsync", "--note", "a\n", "b\n"]).as_deref(), Some("b\n"));
    }

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
