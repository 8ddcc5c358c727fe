//! The daemon: runs an environment on its schedule until it is told to stop.

mod serve;

pub use serve::serve;
