//! Prints for people: 100 columns, readable without colour.

use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

const COLUMNS: usize = 100;
const INDENT: usize = 3;
const LABEL: usize = 12;

/// The kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Plain,
    Done,
    Held,
    Human,
    ByEmail,
}

impl Mark {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Mark::Plain => Style::new(),
            Mark::Done => colour(AnsiColor::Green),
            Mark::Held => colour(AnsiColor::Yellow),
            Mark::Human => colour(AnsiColor::Cyan),
            Mark::ByEmail => colour(AnsiColor::Red),
        }
    }
}

/// Standard output, with colour where that is a terminal and nobody said otherwise.
pub struct Page {
    colour: bool,
}

impl Page {
    /// Standard output.
    pub fn stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            colour: wanted && io::stdout().is_terminal(),
        }
    }

    /// A heading with something at its right end.
    pub fn heading(&self, title: &str, right: &str) -> io::Result<()> {
        let used = title.chars().count() + right.chars().count() + 8;
        let rule = "-".repeat(COLUMNS.saturating_sub(used).max(3));
        let text = format!("-- {title} {rule} {right} --");
        self.line("")?;
        self.line(&self.painted(Style::new().bold(), &text))?;
        self.line("")
    }

    /// Paragraphs under no label.
    pub fn text(&self, text: &str) -> io::Result<()> {
        for line in wrapped(text, COLUMNS - INDENT) {
            self.line(&format!("{:INDENT$}{line}", ""))?;
        }
        Ok(())
    }

    /// A line as it is, indented: a command, a row of a table.
    pub fn verbatim(&self, text: &str) -> io::Result<()> {
        self.line(&format!("{:INDENT$}{text}", ""))
    }

    /// An empty line.
    pub fn gap(&self) -> io::Result<()> {
        self.line("")
    }

    /// Points under a label; the label stands before the first.
    pub fn points(&self, mark: Mark, label: &str, points: &[String]) -> io::Result<()> {
        let mut label = label;
        for point in points {
            for (n, line) in wrapped(point, COLUMNS - INDENT - LABEL).into_iter().enumerate() {
                let shown = format!("{label:LABEL$}");
                let shown = self.painted(mark.style().bold(), &shown);
                let hanging = if n > 0 { "  " } else { "" };
                self.line(&format!("{:INDENT$}{shown}{hanging}{line}", ""))?;
                label = "";
            }
        }
        Ok(())
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.colour && !text.trim().is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn line(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text.trim_end())
    }
}

/// Breaks text into lines of at most so many characters; later lines have room for two blanks.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let hanging = if lines.len() > 1 { 2 } else { 0 };
        let line = lines.last_mut().expect("there is a first line");
        let length = line.chars().count() + word.chars().count() + 1 + hanging;
        if line.is_empty() {
            line.push_str(word);
        } else if length <= columns {
            // Writing to a String cannot fail.
            let _ = write!(line, " {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_blanks() {
        let lines = wrapped("a card without a number, and a very long tale about it", 20);
        assert_eq!(lines[0], "a card without a");
        assert!(lines.iter().all(|line| line.len() <= 20), "{lines:?}");
        assert_eq!(
            lines.join(" "),
            "a card without a number, and a very long tale about it"
        );
    }
}
