//! The look-alike as a program of its own: `topdesk-sandbox --listen 127.0.0.1:8480`.

use clap::Parser;
use topdesk_sandbox::command::SandboxArgs;

/// A look-alike of the TOPdesk API, for trying and testing integrations without the real thing.
#[derive(Debug, Parser)]
#[command(name = "topdesk-sandbox", version)]
struct Arguments {
    #[command(flatten)]
    sandbox: SandboxArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    Arguments::parse().sandbox.serve().await
}
