//! The daemon: wires the parts of an environment together and runs it on its schedule until it is told to stop.

pub mod wiring;
