//! What keeps a run from its work.

use super::state::StoreError;
use super::target::TargetError;

/// Why a run could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TOPdesk could not be read: nothing to compare with, nothing was written.
    #[error("TOPdesk could not be read: {0}")]
    Target(TargetError),
    /// `--only` names nobody.
    #[error(
        "no source record and no card has the key '{0}'; write it as the source or TOPdesk has it, `cardsync plan --all` lists keys"
    )]
    Nobody(String),
    /// Told to stop before anything was written.
    #[error("cardsync was told to stop while reading: nothing was written; run again")]
    Stopped,
    /// What was asked for cannot be planned; nothing of it was written.
    #[error("{0}")]
    Refused(Box<dyn std::error::Error + Send + Sync>),
}

impl From<TargetError> for RunError {
    // Not as the source of the error: its text is part of this one already, and would be said twice.
    fn from(error: TargetError) -> Self {
        RunError::Target(error)
    }
}
