//! Standard output and error: the only place of the command line that writes to them, so that nothing from outside reaches
//! a screen raw (RULES 12). Plain where nobody looks, colour only on a terminal and never against `NO_COLOR`.
//!
//! Text is put together line by line with [`line!`] and [`lined!`], which know that a line break within a line came from
//! outside; [`print`] makes visible whatever else has no picture of its own.

use crate::domain::visible;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Appends one line to a text: `line!(text, "{} of {}", a, b)`. A blank line first where the format begins with a break.
macro_rules! line {
    ($text:expr) => {
        $text.push('\n')
    };
    ($text:expr, $($args:tt)+) => {
        {
            use $crate::cli::out::Lines as _;
            $text.push_line(::std::format_args!($($args)+))
        }
    };
}

/// One line as a text of its own, with its line break.
macro_rules! lined {
    ($($args:tt)+) => {
        $crate::cli::out::one_line(::std::format_args!($($args)+))
    };
}

pub(super) use {line, lined};

/// A text that grows by lines.
pub(super) trait Lines {
    fn push_line(&mut self, args: fmt::Arguments<'_>);
}

impl Lines for String {
    fn push_line(&mut self, args: fmt::Arguments<'_>) {
        let written = fmt::format(args);
        let at_start = self.is_empty() || self.ends_with('\n');
        let blank = usize::from(at_start && written.starts_with('\n'));
        self.push_str(&written[..blank]);
        self.push_str(&visible::neutral(&written[blank..], &is_style));
        self.push('\n');
    }
}

/// What [`lined!`] does.
pub(super) fn one_line(args: fmt::Arguments<'_>) -> String {
    let mut text = String::new();
    text.push_line(args);
    text
}

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

/// A text with its styles as the terminal wants them, and nothing else raw.
fn styled(text: &str, paint: Paint) -> String {
    let neutral = visible::neutral(text, &|letter| letter == '\n' || paint.on && is_style(letter));
    let mut styled = String::with_capacity(neutral.len());
    for letter in neutral.chars() {
        match STYLES.iter().find(|(mark, _)| *mark == letter) {
            Some((_, style)) => styled.push_str(&style.render().to_string()),
            None if letter == PLAIN => styled.push_str(&anstyle::Reset.render().to_string()),
            None => styled.push(letter),
        }
    }
    styled
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

/// Marks of the styles until a text is written: characters that stand for nothing in any text and that nobody can send as
/// themselves, so that an escape sequence from outside is never taken for ours.
const STYLES: [(char, Style); 4] = [
    ('\u{FDD0}', AnsiColor::Green.on_default()),
    ('\u{FDD1}', AnsiColor::Yellow.on_default()),
    ('\u{FDD2}', AnsiColor::Red.on_default().bold()),
    ('\u{FDD3}', Style::new().bold()),
];

/// The end of a style.
const PLAIN: char = '\u{FDDF}';

fn is_style(letter: char) -> bool {
    matches!(letter, '\u{FDD0}'..='\u{FDD3}' | PLAIN)
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

    fn paint(self, style: char, text: &str) -> String {
        if self.on {
            format!("{style}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint(STYLES[0].0, text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.paint(STYLES[1].0, text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint(STYLES[2].0, text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.paint(STYLES[3].0, text)
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
    fn an_escape_from_outside_is_never_ours() {
        let on = Paint { on: true };
        let text = lined!("{} {}", on.bad("bad"), "\u{1b}[2J\nforged");
        assert_eq!(
            styled(&text, on),
            "\u{1b}[1m\u{1b}[31mbad\u{1b}[0m <U+001B>[2J<U+000A>forged\n"
        );
        let off = Paint { on: false };
        assert_eq!(styled("\u{fdd2}x\u{1b}", off), "<U+FDD2>x<U+001B>");
    }

    #[test]
    fn only_a_break_of_the_format_begins_a_line() {
        let mut text = String::new();
        line!(text, "a {}", "b\n");
        line!(text, "\nc");
        line!(text);
        assert_eq!(text, "a b<U+000A>\n\nc\n\n");
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
