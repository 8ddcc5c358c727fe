//! The way from one key to another: what another key would do, who belongs to which card, and whether both keys say the same.
//!
//! ```text
//! PlanInput --other_key--> PlanInput under another key --planner--> a plan that is only looked at --comparison--> what differs
//! PlanInput --pairing--> rows: pairs with a grade, or why there is none --a human--> --writing--> a plan of adopt items
//! ```
//!
//! Nothing here matches for the sync: it finds people by what they resemble, which is a suggestion to a human (RULES 1.1).

pub mod comparison;
pub mod marks;
pub mod names;
pub mod other_key;
pub mod pairing;
mod rows;
mod standing;
pub mod writing;

use super::field::{CardField, FieldValue};
use super::identity::{Description, Desired, Wanted};

/// The text that a field should hold, where the sources say.
fn text_wanted(description: &Description, field: CardField) -> Option<String> {
    match description.fields.get(&field) {
        Some(Desired::Set(Wanted::Value(FieldValue::Text(text)))) => Some(text.to_string()),
        Some(Desired::Set(_) | Desired::Clear | Desired::Unknown(_)) | None => None,
    }
}
