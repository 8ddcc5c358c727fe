//! What is made over the pipeline and is no part of it: each takes its reads, its guard, its journal and its way of carrying a
//! plan out, and nothing in the core or the engine knows of any of them. Their commands are in [`crate::cli`].

pub mod audit;
pub mod forget;
pub mod history;
pub mod rekey;
pub mod replay;
pub mod undo;
