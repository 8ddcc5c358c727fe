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
pub mod decision;
pub mod field;
pub mod identity;
pub mod ids;
pub mod key;
pub mod ledger;
pub mod plan;
pub mod policy;
pub mod record;
pub mod report;
pub mod snapshot;
pub mod view;
