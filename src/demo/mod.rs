//! A sample company and its year, played on the built-in look-alike of TOPdesk with the real engine.
//!
//! ```text
//! names -> person -> company -> files, cards      what the company is, as files and as a seed
//! ```
//!
//! Everybody in it is invented. It must not be used by anything but the command line and the benchmarks.

pub mod cards;
pub mod company;
pub mod files;
mod names;
pub mod person;
