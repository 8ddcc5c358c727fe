//! The right to write. There is no other way to a connection that writes, so no command, page or schedule goes round what is
//! checked here.

use super::environment::{Connected, Environment};
use crate::engine::Clock;
use crate::engine::apply::OperatorAccount;
use crate::topdesk::WriteClient;
use anyhow::bail;
use reqwest::StatusCode;
use reqwest::redirect::Policy;
use serde_json::Value;
use std::time::Duration;

/// How long TOPdesk gets to say whether it is a sandbox.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// An environment that may be written to: its key leads for life, and another day than today's is played on a sandbox alone.
///
/// That its state is the one of this TOPdesk is found out when the state is opened, which a run does before it reads.
#[derive(Clone, Copy)]
pub struct Writable<'a> {
    environment: &'a Environment,
}

impl<'a> Writable<'a> {
    /// Checks it. Nothing is written, and TOPdesk is asked only where the clock is not the machine's.
    ///
    /// # Errors
    /// When the key changes in life and nobody took the risk in the configuration, or when the clock shows another moment and
    /// this TOPdesk does not say that it is a sandbox.
    pub async fn prove(environment: &'a Environment, clock: &dyn Clock) -> anyhow::Result<Self> {
        environment.refuse_changing_key()?;
        if clock.is_rehearsal() {
            must_be_sandbox(environment).await?;
        }
        Ok(Self { environment })
    }

    /// What it may write to.
    pub fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// The connection that writes.
    pub(super) fn writer(&self, connected: &Connected) -> WriteClient {
        connected.client.writer()
    }

    /// The second account, for approved items that touch an operator.
    pub(super) fn operator_account(&self) -> Option<OperatorAccount<'a, WriteClient>> {
        self.environment.operator_account()
    }
}

async fn must_be_sandbox(environment: &Environment) -> anyhow::Result<()> {
    let mut url = crate::config::address::topdesk_api(&environment.config().topdesk.url)
        .map_err(|error| anyhow::anyhow!("topdesk.url: {}; {}", error.message, error.cure))?;
    url.set_path("/sandbox/state");
    let mut client = reqwest::Client::builder().redirect(Policy::none());
    // As all requests to this machine: what a proxy answers is not what the sandbox says.
    if crate::config::address::is_loopback(&url) {
        client = client.no_proxy();
    }
    let answered = client.build()?.get(url).timeout(ANSWER_LIMIT).send().await;
    let said = match answered {
        Ok(answer) if answer.status() == StatusCode::OK => answer.json().await.unwrap_or_default(),
        Ok(_) | Err(_) => Value::Null,
    };
    if !is_sandbox(&said) {
        bail!(
            "run --as-of is only for a sandbox: this TOPdesk does not say that it is one; use plan --as-of, which writes nothing"
        );
    }
    Ok(())
}

/// Whether this is what a sandbox says of itself; any page answers something, and some answer every address.
fn is_sandbox(said: &Value) -> bool {
    let lists = ["persons", "operators", "branches"];
    lists.iter().all(|list| said[*list].is_array())
        && said["settings"]["next_link"].is_string()
        && said["account"]["loginName"].is_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_of_a_sandbox_make_one() {
        let says = |text: &str| is_sandbox(&serde_json::from_str(text).unwrap_or_default());
        for other in [
            "",
            "<html>log in</html>",
            "{}",
            "[]",
            "true",
            r#"{"status":"ok"}"#,
            r#"{"persons":[]}"#,
        ] {
            assert!(!says(other), "{other}");
        }
        assert!(says(
            r#"{"settings":{"next_link":"absolute"},"account":{"loginName":"api"},"branches":[],"persons":[],"operators":[]}"#
        ));
    }
}
