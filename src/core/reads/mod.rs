//! What was read, and what a read is worth.

pub mod canaries;
pub mod cards;
pub mod clock;
pub mod diff;
pub mod key_shapes;
pub mod merge;
pub mod profile;
pub mod quality;
pub mod rows;
pub mod skipped;
pub mod snapshot;
