//! `rekey`: the way from e-mail address or login to a number. Pair, write what was approved, prove that both keys say the same.

mod pair;
mod review;
mod verify;
mod write;

use super::exit::Exit;
use clap::Subcommand;
use std::path::Path;

#[derive(Debug, Subcommand)]
pub(super) enum RekeyCommand {
    /// Put every card without a number beside the person it may belong to, with a grade. Changes nothing.
    Pair(pair::PairArgs),
    /// Write the key onto the cards whose pairs were approved. Given again, it does what is left.
    Write(write::WriteArgs),
    /// Plan under the old and the new key from the same reads and list every difference. Ends with 0 only where there is none,
    /// or where it was signed off.
    Verify(verify::VerifyArgs),
    /// Show numbers that were written beside their people, with the evidence: all with an operator, of the others the weakest.
    Review(review::ReviewArgs),
}

pub(super) async fn run(config: &Path, command: &RekeyCommand) -> anyhow::Result<Exit> {
    match command {
        RekeyCommand::Pair(args) => pair::pair(config, args).await,
        RekeyCommand::Write(args) => write::write(config, args).await,
        RekeyCommand::Verify(args) => verify::verify(config, args).await,
        RekeyCommand::Review(args) => review::show(config, args).await,
    }
}
