//! What is remembered between runs, in one SQLite file: ledger, journal, decisions, holds, snapshots, runs.
//!
//! ```text
//!  open ── file.rs (created 0600, never recreated) ── schema.rs (format, damage) ── sqlite.rs (the store)
//!                                                                                      │
//!        reads.rs: several connections, what is committed     writes: writer.rs, one queue, one transaction
//!        ledger  journal  decisions  holds  runs  halfway     for all that wait (one flush to disk for many)
//! ```
//!
//! It keeps the engine's promises ([`crate::engine::state`]) and decides nothing. Personal data that is kept is in this
//! file and its two companions (`-wal`, `-shm`), and in the folder `inputs` beside it; all of them are readable by their
//! owner only.

mod about;
mod backup;
mod bind;
mod certificates;
mod concerns;
mod decisions;
mod deeds;
mod fault;
mod file;
mod halfway;
mod holds;
mod inputs;
mod inspection;
mod journal;
mod ledger;
mod lock;
pub mod machine;
mod mentions;
mod owner;
mod past;
mod prune;
mod purge;
mod read_only;
mod readable;
mod reads;
mod records;
mod runs;
mod schema;
mod snapshots;
mod sqlite;
mod stamp;
mod writer;

#[cfg(test)]
mod tests;

pub use crate::engine::state::StoreError;
pub use backup::backup;
pub use bind::{bind, bound_to};
pub use file::{default_path, not_beside_the_service};
pub use inputs::InputFolder;
pub use inspection::{Inspection, inspect};
pub use owner::{NewOwner, OwnerError, become_owner_of};
pub use read_only::ReadOnlyStore;
pub use sqlite::SqliteStore;
