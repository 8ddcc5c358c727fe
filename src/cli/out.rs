//! Standard output and error: the only place of the command line that writes to them, so that nothing from outside reaches
//! a screen raw (RULES 12). Plain where nobody looks, colour only on a terminal and never against `NO_COLOR`.
//!
//! Text is put together by [`crate::present`]; [`print`] makes visible whatever in it has no picture of its own.

use crate::core::model::visible;
use crate::present::lines::{Paint, styled};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Writes text to standard output; a closed pipe is no error.
pub(super) fn print(text: &str) {
    let styled = styled(&super::hints::complete(text), Paint::stdout());
    let mut stdout = std::io::stdout().lock();
    let _closed = stdout.write_all(styled.as_bytes()).and_then(|()| stdout.flush());
}

/// Writes a table to standard output as it is: its mark at the beginning is for the spreadsheet, and its cells hide nothing.
pub(super) fn table(table: &str) {
    let mut stdout = std::io::stdout().lock();
    let _closed = stdout.write_all(table.as_bytes()).and_then(|()| stdout.flush());
}

/// Writes a document as JSON to standard output.
pub(super) fn json(document: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    let text = as_json(document)?;
    let mut stdout = std::io::stdout().lock();
    let _closed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    Ok(())
}

/// A document as JSON that shows everything it has, with a line break at its end.
pub(super) fn as_json(document: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(document)?;
    Ok(format!("{}\n", visible::json(&text)))
}

/// One error on standard error.
pub(super) fn error(text: &str) {
    let paint = Paint::stderr();
    note(&format!("{} {text}", paint.bad("error:")));
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
    let styled = styled(&super::hints::complete(text), Paint::stderr());
    let mut stderr = std::io::stderr().lock();
    let _closed = writeln!(stderr, "{styled}");
}

/// Log lines for standard error: each write is one event, so that a line break within it is not a new one.
pub(super) fn log_line(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Cow::Borrowed(bytes);
    };
    let (event, end) = text.strip_suffix('\n').map_or((text, ""), |event| (event, "\n"));
    match visible::line(event) {
        Cow::Borrowed(_) => Cow::Borrowed(bytes),
        Cow::Owned(shown) => Cow::Owned(format!("{shown}{end}").into_bytes()),
    }
}

/// Writes a file with personal data: only its owner may read it.
pub(super) fn private_file(path: &Path, text: &str) -> std::io::Result<()> {
    private_bytes(path, text.as_bytes())
}

/// The same of any content.
pub(super) fn private_bytes(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    // A file that was there keeps its own mode otherwise.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()
}

impl Paint {
    /// For standard output.
    pub(super) fn stdout() -> Self {
        Self::wanted(wanted(std::io::stdout().is_terminal()))
    }

    /// For standard error.
    pub(super) fn stderr() -> Self {
        Self::wanted(wanted(std::io::stderr().is_terminal()))
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
    fn a_break_within_a_log_line_is_shown() {
        assert_eq!(log_line(b"WARN x\ny\n").as_ref(), b"WARN x<U+000A>y\n");
    }

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
