//! Puts an environment together from its configuration and lets it run once: what the command line, the daemon and the demo
//! share. Whatever writes goes through [`run_once`], and with that through the checks of [`Writable`].

pub mod audit;
pub mod environment;
mod reading;
pub mod run_once;
mod writable;

pub use writable::Writable;
