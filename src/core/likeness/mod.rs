//! Whether two descriptions are of one human: marks that agree and contradict, and names however they are written.

pub mod marks;
pub mod names;
