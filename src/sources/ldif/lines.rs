//! The lines of an LDIF text (RFC 2849): folded lines joined, each with the line it begins in.

use crate::sources::text::Text;
use std::borrow::Cow;

/// One logical line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Ends an entry.
    Blank,
    /// What stands after `#`.
    Comment { number: u64, text: Cow<'a, str> },
    /// `attribute: value`, not looked at yet.
    Content(Content<'a>),
}

/// A line of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// The line in the file, from 1.
    pub number: u64,
    pub text: Cow<'a, str>,
    /// Some of its bytes could not be decoded.
    pub malformed: bool,
}

/// Walks over the logical lines of a text.
pub struct Lines<'a> {
    text: &'a Text,
    at: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    /// From the first line on.
    pub fn new(text: &'a Text) -> Self {
        Self { text, at: 0, number: 0 }
    }

    /// The next line as it stands in the file, without its line end.
    fn physical(&mut self) -> Option<&'a str> {
        let rest = &self.text.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        self.at += length;
        self.number += 1;
        let line = &rest[..length];
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.at;
        let mut text = Cow::Borrowed(self.physical()?);
        let number = self.number;
        if text.is_empty() {
            return Some(Line::Blank);
        }
        // A comment is folded like any other line.
        while self.text.text[self.at..].starts_with(' ') {
            let more = self.physical().expect("a line begins here");
            text.to_mut().push_str(&more[1..]);
        }
        Some(match text.strip_prefix('#') {
            Some(comment) => Line::Comment {
                number,
                text: comment.to_owned().into(),
            },
            None => Line::Content(Content {
                number,
                text,
                malformed: self.text.is_malformed(start..self.at),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::text::{Declared, TextReader};

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut reader = TextReader::new(Declared::ByMark);
        reader.push(bytes);
        let text = reader.finish();
        Lines::new(&text)
            .map(|line| match line {
                Line::Blank => "-".to_owned(),
                Line::Comment { number, text } => format!("{number}#{text}"),
                Line::Content(line) => {
                    format!("{}{}{}", line.number, if line.malformed { "!" } else { ":" }, line.text)
                }
            })
            .collect()
    }

    #[test]
    fn folds_are_joined_in_content_and_comments() {
        assert_eq!(
            lines(b"# a\r\n b\r\ndn: x\r\n  y\r\n z\r\nsn: q\r\n\r\nend: 1"),
            ["1# ab", "3:dn: x yz", "6:sn: q", "-", "8:end: 1"]
        );
        assert_eq!(lines(b"dn: x\n"), ["1:dn: x"]);
        assert_eq!(lines(b""), [""; 0]);
    }

    #[test]
    fn undecodable_bytes_are_blamed_on_their_line() {
        assert_eq!(
            lines(b"dn: x\nsn: \xff\ncn: y\n"),
            ["1:dn: x", "2!sn: \u{fffd}", "3:cn: y"]
        );
    }
}
