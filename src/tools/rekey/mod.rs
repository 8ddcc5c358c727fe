//! The way from one key to another: what another key would do, who belongs to which card, and whether both keys say the same.
//!
//! ```text
//! PlanInput --other_key--> PlanInput under another key --planner--> a plan that is only looked at --comparison--> what differs
//! PlanInput --pairing--> rows: pairs with a grade, or why there is none --a human--> --writing--> a plan of adopt items
//! ```
//!
//! Nothing here matches for the sync: it finds people by what they resemble, which is a suggestion to a human (RULES 1.1).

pub mod both_keys;
pub mod comparison;
pub mod coverage;
pub mod other_key;
pub mod pairing;
pub mod rejections;
mod rows;
pub mod run;
pub mod sheet;
mod standing;
pub mod words;
pub mod writing;
