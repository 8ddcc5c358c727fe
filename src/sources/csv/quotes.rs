//! Whether the quotes of a row are sound. A quote that is never closed swallows the rows after it, and a CSV parser does
//! not complain: nobody must be lost that way.

use super::cells::GAP;
use std::borrow::Cow;

/// The text with cells such as `, "Jansen, J."` made quoted ones: the blanks before the quote go behind it, as [`GAP`]s, so
/// that every place in the text stays where it is. Only where the quote closes again in the same line before a delimiter or
/// the line end; anything else is left as it is.
pub fn closed_up(text: &str, delimiter: u8) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let begins = |at: usize| at == 0 || matches!(bytes[at - 1], b'\n' | b'\r') || bytes[at - 1] == delimiter;
    // Nearly no file has any.
    let has_gap = bytes.windows(2).enumerate().any(|(at, pair)| {
        pair == b" \"" && {
            let blanks = bytes[..at].iter().rev().take_while(|byte| **byte == b' ').count();
            begins(at - blanks)
        }
    });
    if !has_gap {
        return Cow::Borrowed(text);
    }
    let mut closed: Vec<u8> = bytes.to_vec();
    let (mut at, mut cell_starts) = (0, true);
    while at < bytes.len() {
        let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        if !cell_starts || blanks > 0 && bytes.get(at + blanks) != Some(&b'"') {
            cell_starts = begins(at + 1);
            at += 1;
            continue;
        }
        let opening = at + blanks;
        let end = match bytes.get(opening) {
            Some(b'"') => end_of_quoted(bytes, opening, delimiter, blanks > 0),
            Some(_) | None => None,
        };
        if let Some(end) = end {
            if blanks > 0 {
                closed[at] = b'"';
                closed[at + 1..=opening].fill(u8::try_from(GAP).expect("a NUL is one byte"));
            }
            at = end;
            cell_starts = false;
        } else {
            cell_starts = begins(at + 1);
            at += 1;
        }
    }
    Cow::Owned(String::from_utf8(closed).expect("only blanks and quotes were exchanged"))
}

/// Where a cell that opens with the quote at `opening` ends: the place of its delimiter or line end.
fn end_of_quoted(bytes: &[u8], opening: usize, delimiter: u8, one_line: bool) -> Option<usize> {
    let mut at = opening + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' if bytes.get(at + 1) == Some(&b'"') => at += 2,
            b'"' => {
                let blanks = bytes[at + 1..].iter().take_while(|byte| **byte == b' ').count();
                let end = at + 1 + blanks;
                let ends = bytes
                    .get(end)
                    .is_none_or(|byte| *byte == delimiter || matches!(byte, b'\n' | b'\r'));
                return ends.then_some(end);
            }
            b'\n' | b'\r' if one_line => return None,
            _other => at += 1,
        }
    }
    None
}

/// Whether every quoted cell of this row ends where a cell may end. `row` is the raw text without its line end.
///
/// A quote inside a cell that does not begin with one is plain text (`17" monitor`), and blanks after a closing quote
/// are forgiven, as parsers forgive them.
pub fn are_sound(row: &str, delimiter: u8) -> bool {
    enum At {
        CellStart,
        Plain,
        Quoted,
        Closed,
        AfterClosed,
    }
    let mut at = At::CellStart;
    for byte in row.bytes() {
        at = match at {
            At::CellStart if byte == b'"' => At::Quoted,
            At::Quoted if byte == b'"' => At::Closed,
            At::Quoted => At::Quoted,
            // Two quotes are one quote of the text.
            At::Closed if byte == b'"' => At::Quoted,
            At::CellStart | At::Plain | At::Closed | At::AfterClosed if byte == delimiter => At::CellStart,
            At::CellStart | At::Plain => At::Plain,
            At::Closed | At::AfterClosed if byte == b' ' => At::AfterClosed,
            At::Closed | At::AfterClosed => return false,
        };
    }
    !matches!(at, At::Quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_before_a_quote_goes_behind_it() {
        let seen = |text: &str| closed_up(text, b',').replace(GAP, "~");
        for (text, closed) in [
            ("1, \"a, b\", \"c\"\n2, \"d\"\n", "1,\"~a, b\",\"~c\"\n2,\"~d\"\n"),
            ("  \"1\" ,x", "\"~~1\" ,x"),
            ("1, \"a \"\"b\"\"\"", "1,\"~a \"\"b\"\"\""),
            ("1, \"open\n2,\"x\"\n", "1, \"open\n2,\"x\"\n"),
            ("1, \"a\"b, \"c\"", "1, \"a\"b,\"~c\""),
            (
                "1,\"in, \"\"quotes\"\", \n \"\"\",x",
                "1,\"in, \"\"quotes\"\", \n \"\"\",x",
            ),
            ("1,17 \"monitor\"", "1,17 \"monitor\""),
        ] {
            assert_eq!(seen(text), closed, "{text}");
            assert_eq!(closed_up(text, b',').len(), text.len());
        }
    }

    #[test]
    fn sound_quotes() {
        for row in [
            "",
            "1;a",
            "1;\"a\"",
            "1;\"a;b\nc\";2",
            "\"\"",
            "\"a \"\"b\"\"\";x",
            "1;17\" monitor",
            "1;\"a\"  ;x",
        ] {
            assert!(are_sound(row, b';'), "{row}");
        }
    }

    #[test]
    fn quotes_that_never_close_or_close_too_early() {
        for row in [
            "1;\"a",
            "1;\"a\n2;b\n",
            "1;\"a\"b;c",
            "\"a\n2;\"b\";c",
            "1;\"17\" monitor\"",
        ] {
            assert!(!are_sound(row, b';'), "{row}");
        }
    }
}
