//! The sandbox without its socket: state, counters and faults behind locks, and the one place where a request meets them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;

use super::build;
use super::call::Call;
use super::edit::{self, Edit};
use super::faults::{Faults, Rule};
use super::problem::Problem;
use super::routes::{self, Answer};
use super::seed::{Seed, SeedError};
use super::settings::{SettingError, Settings};
use super::stats::Stats;
use super::world::World;

/// Why a sandbox could not be built.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The seed.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// A setting, of the seed or of the caller.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// Everything behind the HTTP face.
#[derive(Debug)]
pub struct Core {
    world: RwLock<World>,
    stats: Mutex<Stats>,
    faults: Mutex<Faults>,
    initial: Mutex<World>,
    overrides: Vec<(String, String)>,
    username: String,
    expected: String,
    /// How far the times that writes leave on cards are ahead of the machine's clock, in milliseconds.
    ahead: AtomicI64,
}

impl Core {
    /// Builds the state out of a seed.
    ///
    /// # Errors
    /// When the seed or a setting cannot be used.
    pub fn new(
        seed: Seed,
        overrides: Vec<(String, String)>,
        username: &str,
        password: &str,
    ) -> Result<Core, CoreError> {
        let world = build_world(seed, &overrides, username)?;
        Ok(Core {
            initial: Mutex::new(world.copy()),
            world: RwLock::new(world),
            stats: Mutex::new(Stats::default()),
            faults: Mutex::new(Faults::default()),
            overrides,
            username: username.to_owned(),
            expected: STANDARD.encode(format!("{username}:{password}")),
            ahead: AtomicI64::new(0),
        })
    }

    /// The state, to read.
    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, to change.
    pub fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counters.
    pub fn stats(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The faults in force.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault that strikes on this request.
    pub fn strike(&self, call: &Call, route: &str) -> Option<Rule> {
        self.faults().strike(call, route)
    }

    /// From now on writes leave times on cards that are so far ahead of the machine's clock; negative: behind.
    pub fn set_ahead(&self, milliseconds: i64) {
        self.ahead.store(milliseconds, Ordering::Relaxed);
    }

    /// The moment that a write at this moment of the machine's clock leaves on cards.
    fn written_at(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + Duration::milliseconds(self.ahead.load(Ordering::Relaxed))
    }

    /// Changes a card as a person in the user interface would, and gives its id.
    ///
    /// # Errors
    /// When the card is not found or a value does not fit.
    pub fn edit(&self, wanted: &serde_json::Value, at: DateTime<Utc>) -> Result<uuid::Uuid, String> {
        let wanted = Edit::deserialize(wanted).map_err(|error| error.to_string())?;
        let at = self.written_at(at).timestamp_millis();
        edit::make(&mut self.world_mut(), &wanted, at).map(|(id, _)| id)
    }

    /// Back to the seed, or to a new one; counters start again and faults are gone.
    ///
    /// # Errors
    /// When the new seed cannot be used; then nothing changes.
    pub fn reset(&self, new: Option<Seed>) -> Result<(), CoreError> {
        let mut initial = self.initial.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seed) = new {
            *initial = build_world(seed, &self.overrides, &self.username)?;
        }
        *self.world_mut() = initial.copy();
        *self.stats() = Stats::default();
        self.faults().clear();
        Ok(())
    }

    /// Answers a request to the API, with everything it does.
    pub fn answer(&self, call: &Call) -> Answer {
        if let Err(problem) = self.authenticate(call) {
            return problem.reply(routes::unauthorized_shape(call)).into();
        }
        if matches!(call.method.as_str(), "GET" | "HEAD") {
            routes::read(&self.world(), call)
        } else {
            let call = Call {
                at: self.written_at(call.at),
                ..call.clone()
            };
            routes::write(&mut self.world_mut(), &call)
        }
    }

    fn authenticate(&self, call: &Call) -> Result<(), Problem> {
        let header = call.authorization.as_deref().map(str::trim).unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        if header.is_empty() || !scheme.eq_ignore_ascii_case("basic") {
            return Err(Problem::new(401, "No authentication token provided"));
        }
        let world = self.world();
        let account = world.card(super::fields::Kind::Operator, world.account);
        if token.trim() != self.expected || account.archived() {
            return Err(Problem::new(401, "User removed or archived"));
        }
        Ok(())
    }
}

fn build_world(seed: Seed, overrides: &[(String, String)], username: &str) -> Result<World, CoreError> {
    let mut settings = Settings::default();
    settings.set_all(&seed.settings)?;
    for (name, value) in overrides {
        settings.set(name, value)?;
    }
    Ok(build::world(seed, settings, username)?)
}
