//! What a good read of a source looks like.

use crate::config::units::{Percent, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a good read of a source looks like; anything else may not say that somebody is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Fewest records. Default 1.
    pub min_records: u64,
    /// Largest drop against the largest read accepted in the last 14 days. Default 10%.
    pub max_drop: Percent,
    /// Oldest accepted file. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
    /// Attributes whose values are groups, such as a department or a site; `dn` is where an entry of a directory stands.
    /// Default: what `department`, `branch` and `location` are made of, and `dn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Largest loss of a group against the largest read of the last 14 days; a group has at least 5 people. Default 50%.
    pub max_group_drop: Percent,
    /// Keys of people who are certainly there. A bare list: all but one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canaries: Option<Canaries>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            min_records: 1,
            max_drop: Percent(10.0),
            max_age: None,
            groups: None,
            max_group_drop: Percent(50.0),
            canaries: None,
        }
    }
}

/// People who are certainly there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Canaries {
    /// All but one must be found.
    Keys(Vec<String>),
    /// At least so many must be found.
    AtLeast(CanariesAtLeast),
}

/// Canaries with a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanariesAtLeast {
    pub keys: Vec<String>,
    pub at_least: usize,
}
