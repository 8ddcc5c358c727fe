//! The pure core: no clock, no socket, no file, no `async`; time is an argument.
//!
//! ```text
//! SourceRead --quality--> Snapshot --merge--> JoinedRecord --Describe--> Description | Rejection
//!                                                                            |
//!            TargetSnapshot --card--> cards, operators ----------matching----+
//!                                                                            v
//!                    ledger, decisions ------------------lifecycle, plan--> Plan --guard--> ApprovedPlan | held
//! ```
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod forget;
pub mod guard;
pub mod input;
pub mod likeness;
pub mod memory;
pub mod model;
pub mod plan;
pub mod planner;
pub mod reads;
pub mod redact;
pub mod rules;

#[cfg(test)]
pub(crate) mod tests;
