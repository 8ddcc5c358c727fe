//! cardsync keeps TOPdesk person cards in step with a directory and an HR system.
//!
//! A pure core decides, thin shells do:
//!
//! ```text
//! records -> identities | rejections -> match on key -> plan -> guard -> apply -> outcomes -> report
//!    sources      mapping, core              core (pure)       engine, topdesk    store, cli
//! ```
//!
//! - [`core`]: the pure core: snapshot, match, evidence, plan, guard. No clock, socket, file or `async`.
//! - [`mapping`]: field and condition expressions over source attributes.
//! - [`config`]: the configuration file, its checks and its secrets.
//! - [`sources`]: where identities come from: CSV, LDAP, LDIF.
//! - [`topdesk`]: the TOPdesk API, reading and writing.
//! - [`store`]: what is remembered: ledger, journal, decisions, runs.
//! - [`engine`]: a run from the first read to the last outcome.
//! - [`tools`]: what is made over the pipeline: undo, the way to another key, audit, history, replay, forgetting.
//! - [`sheets`]: tables for spreadsheets, written and read back.
//! - [`present`]: how all of it is shown: text, HTML, tables.
//! - [`app`]: one environment put together, and one run of it; the only way to what writes.
//! - [`schedule`]: when a run is due.
//! - [`daemon`]: runs on a schedule.
//! - [`notify`]: tells somebody when a human is needed.
//! - `demo`: a sample company and its year, on the look-alike of `crates/topdesk-sandbox`; the feature `sandbox`.
//! - [`cli`]: the command line.

pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod daemon;
#[cfg(feature = "sandbox")]
pub mod demo;
pub mod engine;
pub mod mapping;
pub mod notify;
pub mod present;
pub mod schedule;
pub mod sheets;
pub mod sources;
pub mod store;
pub mod tools;
pub mod topdesk;
