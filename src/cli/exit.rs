//! Exit codes, as scripts rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Nothing to do, or all done.
    Done,
    Error,
    /// A verdict of the engine: 0 to 5.
    Verdict(u8),
    Rejected,
    Held,
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Held => 3,
            Exit::Rejected => 4,
            Exit::Usage => 64,
            Exit::Verdict(code) => code,
        })
    }
}
