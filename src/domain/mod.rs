//! The pure core: no clock, no socket, no file, no `async`; time is an argument.
//!
//! ```text
//! SourceRead --quality--> Snapshot --merge--> JoinedRecord --Describe--> Identity | Rejection
//!                                                                            |
//!            TargetSnapshot --card--> cards, operators ----------matching----+
//!                                                                            v
//!                    ledger, decisions ------------------lifecycle, plan--> Plan --guard--> ApprovedPlan | held
//! ```
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod card;
pub mod field;
pub mod identity;
pub mod ids;
pub mod key;
pub mod record;
pub mod snapshot;
