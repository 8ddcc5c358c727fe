//! The daemon: wires the parts of an environment together and runs it on its schedule until it is told to stop. What is
//! due when is pure and stands in [`schedule`].

pub mod schedule;
pub mod wiring;
