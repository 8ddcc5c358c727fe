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

pub mod anonymize;
pub mod apart;
pub mod asked;
pub mod audit;
pub mod canaries;
pub mod card;
pub mod cards;
pub mod certificate;
pub mod choices;
pub mod clock;
pub mod concern;
pub mod contracts;
pub mod damage;
pub mod decision;
pub mod diff;
pub mod difference;
pub mod dn;
pub mod evidence;
pub mod exchange;
pub mod fate;
pub mod field;
pub mod forget;
pub mod groups;
pub mod guard;
pub mod halves;
pub mod hash;
pub mod hold;
pub mod hour;
pub mod identity;
pub mod ids;
pub mod input;
pub mod installation;
pub mod joining;
pub mod key;
pub mod key_shapes;
pub mod ledger;
pub mod letters;
pub mod lifecycle;
pub mod lists;
pub mod merge;
pub mod operator_names;
pub mod pin;
pub mod plan;
pub mod planner;
pub mod policy;
pub mod profile;
pub mod quality;
pub mod record;
pub mod redact;
pub mod references;
pub mod refused;
pub mod rekey;
pub mod report;
pub mod retention;
pub mod rows;
pub mod safe_end;
pub mod seen;
pub mod shown;
pub mod signature;
pub mod skip;
pub mod skipped;
pub mod snapshot;
pub mod step;
pub mod undo;
pub mod view;
pub mod visible;
pub mod window;

#[cfg(test)]
pub(crate) mod tests;
