//! Where state is kept, and how long.

use super::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where state is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// SQLite file. Default: `cardsync.db` in `$STATE_DIRECTORY`, else in the user's state folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<PathBuf>,
    /// How long what is kept. A run takes out what is older, once a day.
    pub retention: RetentionConfig,
}

/// How long what is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// The journal: who did what to which card when. Default 730d, at least 30d.
    pub journal: Span,
    /// The values in it, which `undo` needs: what a card was like before and after. Default 180d, at least 14d.
    pub values: Span,
    /// Runs with their items and reads. Default 90d, at least 14d.
    pub reports: Span,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            journal: Span::days(730),
            values: Span::days(180),
            reports: Span::days(90),
        }
    }
}
