//! Text put together line by line: a line break within a line came from outside and is made visible (RULES 12), and styles stay
//! marks until it is known whether a terminal wants them.

use crate::core::model::visible;
use anstyle::{AnsiColor, Style};
use std::fmt;

/// Appends one line to a text: `line!(text, "{} of {}", a, b)`. A blank line first where the format begins with a break.
macro_rules! line {
    ($text:expr) => {
        $text.push('\n')
    };
    ($text:expr, $($args:tt)+) => {
        {
            use $crate::present::lines::Lines as _;
            $text.push_line(::std::format_args!($($args)+))
        }
    };
}

/// One line as a text of its own, with its line break.
macro_rules! lined {
    ($($args:tt)+) => {
        $crate::present::lines::one_line(::std::format_args!($($args)+))
    };
}

pub(crate) use {line, lined};

/// A text that grows by lines.
pub(crate) trait Lines {
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
pub(crate) fn one_line(args: fmt::Arguments<'_>) -> String {
    let mut text = String::new();
    text.push_line(args);
    text
}

/// A text with its styles as the terminal wants them, and nothing else raw.
pub(crate) fn styled(text: &str, paint: Paint) -> String {
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
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Colours where they are wanted.
    pub(crate) fn wanted(on: bool) -> Self {
        Self { on }
    }

    fn paint(self, style: char, text: &str) -> String {
        if self.on {
            format!("{style}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint(STYLES[0].0, text)
    }

    pub(crate) fn warn(self, text: &str) -> String {
        self.paint(STYLES[1].0, text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint(STYLES[2].0, text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint(STYLES[3].0, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
