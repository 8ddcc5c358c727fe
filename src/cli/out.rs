//! Standard output and error: plain where nobody looks, colour only on a terminal and never against `NO_COLOR`.

use anstyle::{AnsiColor, Style};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Writes text to standard output; a closed pipe is no error.
pub(super) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _closed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// One error on standard error.
pub(super) fn error(text: &str) {
    let style = Paint::stderr();
    let mut stderr = std::io::stderr().lock();
    let _closed = writeln!(stderr, "{} {text}", style.bad("error:"));
}

/// An error with its causes on one line. A cause that the error already tells is not told twice.
pub(super) fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// A remark on standard error.
pub(super) fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _closed = writeln!(stderr, "{text}");
}

/// Writes a file with personal data: only its owner may read it.
pub(super) fn private_file(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    // A file that was there keeps its own mode otherwise.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    pub(super) fn stdout() -> Self {
        Self {
            on: wanted(std::io::stdout().is_terminal()),
        }
    }

    /// For standard error.
    pub(super) fn stderr() -> Self {
        Self {
            on: wanted(std::io::stderr().is_terminal()),
        }
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.on {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }
}

fn wanted(terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    terminal && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("status 401; check the password")]
    struct Inner;

    #[derive(Debug, thiserror::Error)]
    #[error("TOPdesk could not be read: {0}")]
    struct Outer(#[source] Inner);

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::Error::new(Outer(Inner));
        assert_eq!(
            told(&error),
            "TOPdesk could not be read: status 401; check the password"
        );
        let error = anyhow::Error::new(Inner).context("no plan");
        assert_eq!(told(&error), "no plan: status 401; check the password");
    }
}
