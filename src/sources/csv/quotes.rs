//! Whether the quotes of a row are sound. A quote that is never closed swallows the rows after it, and a CSV parser does
//! not complain: nobody must be lost that way.

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
    use super::are_sound;

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
