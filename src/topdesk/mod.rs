//! The TOPdesk API, reading and writing.
//!
//! [`TopdeskClient::connect`] is called anew for every run; it gives a [`ReadClient`], which retries freely and sends
//! nothing but GET, and a [`WriteClient`], which sends each step once. Both share one pace. What the API describes and
//! what working clients rely on is beside the code that depends on it; where the real product's behaviour is uncertain,
//! both are survived.
//!
//! ```text
//! read, write --wire--> our words          read --persons, operators, lookups--> pages and lists
//!        \--client--> HTTP, pacing, TLS    write --refusal--> not done, in doubt, there already
//! ```
//!
//! Version 2 of the persons API only; archiving and unarchiving have no version 2 and use their version 1 path.
//! Must not: decide what is changed or when a write is sent again; keep or log values of people.

mod address;
mod audit;
mod check;
mod client;
mod errors;
mod lookups;
mod operators;
mod pacing;
mod persons;
mod proxy;
mod query;
mod read;
mod refusal;
mod snapshot;
mod tls;
mod values;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use check::{CheckLevel, CheckLine};
pub use pacing::Patience;
pub use read::ReadClient;
pub use snapshot::{SnapshotError, SnapshotKeys, SnapshotReport};
pub use wire::list::ProductVersion;
pub use write::WriteClient;

use crate::config::TopdeskConfig;
use crate::engine::target::TargetError;
use chrono_tz::Tz;
use client::Http;
use std::sync::Arc;
use wire::card::CardShape;

/// A connection to one TOPdesk with one account.
pub struct TopdeskClient {
    http: Arc<Http>,
    zone: Tz,
}

impl TopdeskClient {
    /// Reads the password and the authority file, and prepares the connection; nothing is sent. `zone` decides which
    /// calendar date a moment is.
    ///
    /// # Errors
    /// An address, a secret or a certificate that cannot be used: concerns the run.
    pub fn connect(config: &TopdeskConfig, zone: Tz) -> Result<Self, TargetError> {
        Self::connect_with(config, zone, Patience::default())
    }

    /// The same with another patience of reads.
    ///
    /// # Errors
    /// As [`TopdeskClient::connect`].
    pub fn connect_with(config: &TopdeskConfig, zone: Tz, patience: Patience) -> Result<Self, TargetError> {
        let http = Http::connect(config, patience)?;
        Ok(Self { http, zone })
    }

    /// What reads.
    pub fn reader(&self) -> ReadClient {
        ReadClient {
            http: Arc::clone(&self.http),
            zone: self.zone,
        }
    }

    /// What writes. Only apply has use for it.
    pub fn writer(&self) -> WriteClient {
        WriteClient {
            http: Arc::clone(&self.http),
            zone: self.zone,
            shape: Arc::new(CardShape::everything(self.zone)),
        }
    }
}
