//! A look-alike of TOPdesk's API, on real HTTP, for trying and testing without the real thing.
//!
//! It is a second witness: its structs are its own, written from the API description, and it refuses what the real
//! product refuses, in the same words. Behaviours that nobody could confirm hang on switches (`settings`). It uses
//! nothing of cardsync, and cardsync uses it for its demo and its tests alone.
//!
//! ```text
//! http (bytes) -> core (locks, sign-in) -> routes (paths) -> rules, lifecycle, filter, render (pure) -> world (state)
//! seed -> build -> world -> dump -> seed
//! ```

mod access;
mod build;
mod call;
mod card;
#[cfg(feature = "command")]
pub mod command;
mod core;
mod dump;
mod edit;
mod faults;
mod field_tables;
mod fields;
mod filter;
mod http;
mod lifecycle;
mod problem;
mod query;
mod render;
mod rights;
mod routes;
mod rules;
mod seed;
mod settings;
mod sort;
mod stats;
mod switches;
mod world;
mod write;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::core::Core;
use self::rights::Right;
pub use self::seed::{Seed, SeedError};
pub use self::settings::SettingError;
pub use self::switches::{SWITCHES, Switch};

/// What a sandbox needs to start.
#[derive(Debug)]
pub struct SandboxOptions {
    /// Where it listens; the caller binds, so tests take port 0.
    pub listener: TcpListener,
    /// What it starts with; an empty seed gives an empty environment with one API account.
    pub seed: Seed,
    /// Login of the API account.
    pub username: String,
    /// Password of the API account.
    pub password: String,
    /// Settings as name and value; they win over the seed's.
    pub settings: Vec<(String, String)>,
}

/// The TOPdesk look-alike.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts a sandbox on a task of the current runtime.
    ///
    /// # Errors
    /// When the seed or a setting cannot be used, with the place in the seed.
    pub async fn start(options: SandboxOptions) -> anyhow::Result<RunningSandbox> {
        let SandboxOptions {
            listener,
            seed,
            username,
            password,
            settings,
        } = options;
        let addr = listener.local_addr().context("the sandbox's listener has no address")?;
        let core = tokio::task::spawn_blocking(move || Core::new(seed, settings, &username, &password)).await??;
        let core = Arc::new(core);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // An error means that the handle is gone, which is a stop as well.
            let _ = stopped.await;
        };
        let task = tokio::spawn(http::serve(listener, Arc::clone(&core), shutdown));
        Ok(RunningSandbox {
            addr,
            core,
            stop: Some(stop),
            task: Some(task),
        })
    }
}

/// A sandbox that answers. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct RunningSandbox {
    /// Where it listens.
    pub addr: SocketAddr,
    core: Arc<Core>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<std::io::Result<()>>>,
}

impl RunningSandbox {
    /// Its address as a URL without a path, such as `http://127.0.0.1:8480`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Everything it holds, in the form of a seed: what `GET /sandbox/state` answers.
    pub fn state_json(&self) -> Value {
        serde_json::from_slice(&dump::state(&self.core.world())).expect("the dump is JSON")
    }

    /// What it counted: what `GET /sandbox/stats` answers.
    pub fn stats(&self) -> Value {
        self.core.stats().to_json(&self.core.world())
    }

    /// How often a method and route was asked for, such as `GET /persons` or `PATCH /persons/id/{id}/archive`.
    pub fn requests(&self, method_and_route: &str) -> u64 {
        self.core.stats().requests(method_and_route)
    }

    /// Changes one switch while it runs.
    ///
    /// # Errors
    /// When the name or the value is not known.
    pub fn set(&self, name: &str, value: &str) -> Result<(), SettingError> {
        let mut world = self.core.world_mut();
        world.settings.set(name, value)?;
        world.touch();
        Ok(())
    }

    /// Changes a card as a person in the user interface would: what `POST /sandbox/edit` does. Gives the card's id.
    ///
    /// # Errors
    /// When the card is not found or a value does not fit.
    pub fn edit(&self, edit: &Value) -> anyhow::Result<String> {
        let id = self.core.edit(edit, chrono::Utc::now());
        id.map(|id| id.to_string())
            .map_err(|problem| anyhow::anyhow!("the edit cannot be made: {problem}"))
    }

    /// Writes and edits from now on leave times on cards as if it were this moment; the clock in answers, by which callers
    /// judge their own, stays the machine's. For playing years in a minute.
    pub fn play_at(&self, moment: chrono::DateTime<chrono::Utc>) {
        let ahead = moment - chrono::Utc::now();
        self.core.set_ahead(ahead.num_milliseconds());
    }

    /// Adds a fault: what `POST /sandbox/faults` does, one rule or a list.
    ///
    /// # Errors
    /// When a field of a rule is unknown or of the wrong form.
    pub fn fault(&self, rules: &Value) -> anyhow::Result<()> {
        let rules = faults::parse(rules.to_string().as_bytes()).context("not a fault")?;
        let mut armed = self.core.faults();
        rules.into_iter().for_each(|rule| armed.add(rule));
        Ok(())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.core.faults().clear();
    }

    /// Back to the seed it started with, or to a new one.
    ///
    /// # Errors
    /// When the new seed cannot be used.
    pub fn reset(&self, seed: Option<Seed>) -> anyhow::Result<()> {
        Ok(self.core.reset(seed)?)
    }

    /// Stops answering and waits until open requests are done, for five seconds at most.
    ///
    /// # Errors
    /// When serving had failed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            // The task may already have ended; then there is nobody to tell.
            let _ = stop.send(());
        }
        match tokio::time::timeout(STOP_LIMIT, self.ended()).await {
            Ok(ended) => ended,
            Err(_) => {
                // A fault may hold a request for as long as its rule says; nobody waits for that.
                if let Some(task) = &self.task {
                    task.abort();
                }
                Ok(())
            }
        }
    }

    /// Waits until it answers no more, which without [`RunningSandbox::stop`] happens only when serving fails.
    ///
    /// # Errors
    /// When serving fails.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let Some(task) = &mut self.task else { return Ok(()) };
        let ended = task.await;
        self.task = None;
        ended
            .context("the sandbox's task failed")?
            .context("the sandbox stopped serving")
    }
}

/// How long a stop waits for open requests.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Takes a `name=value` apart and checks that there is such a setting and that it takes the value.
///
/// # Errors
/// With the names or values that would have been right.
pub fn parse_setting(text: &str) -> Result<(String, String), SettingError> {
    settings::Settings::default().set_text(text)
}

/// All switches with their values and what they decide, one per line, the default first: for people to read.
pub fn list_settings() -> String {
    let mut lines = String::new();
    let mut line = |name: &str, values: &str, about: &str| {
        lines.push_str(&format!("{name:<30} {values:<28} {about}\n"));
    };
    for switch in SWITCHES {
        line(
            switch.name,
            switch.values.join(" | ").trim_start_matches(" | "),
            switch.about,
        );
    }
    for (_, name) in Right::ALL {
        line(&format!("right.{name}"), "on | off", "one right of the account");
    }
    lines
}
