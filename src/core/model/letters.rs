//! Characters that nobody sees: controls, invisible ones, and those that turn the direction of what follows. Two texts that
//! differ in them look the same to people and are not the same to a program. And line ends, which are counted as people count
//! them.

/// Whether a character has no shape of its own: controls, formats (zero width, direction, joiners), fillers, variation
/// selectors, and the mark of what could not be decoded. Blanks are not among them, whatever their width.
pub fn is_hidden(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    letter.is_control()
        || matches!(letter,
            '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether it is a blank that looks like an ordinary one and is none: a no-break space, a thin one.
pub fn is_odd_blank(letter: char) -> bool {
    letter != ' ' && letter.is_whitespace()
}

/// Its number in Unicode, and its name where people know it by one: `U+00A0 (no-break space)`.
pub fn named(letter: char) -> String {
    let name = match letter {
        '\t' => " (tab)",
        '\n' | '\r' => " (line end)",
        '\u{1b}' => " (escape)",
        '\u{a0}' => " (no-break space)",
        '\u{ad}' => " (soft hyphen)",
        '\u{200b}' => " (zero width space)",
        '\u{200c}' => " (zero width non-joiner)",
        '\u{200d}' => " (zero width joiner)",
        '\u{200e}' => " (left-to-right mark)",
        '\u{200f}' => " (right-to-left mark)",
        '\u{202e}' => " (right-to-left override)",
        '\u{202f}' => " (narrow no-break space)",
        '\u{2060}' => " (word joiner)",
        '\u{feff}' => " (byte order mark)",
        '\u{fffd}' => " (replacement character)",
        _unnamed => "",
    };
    format!("U+{:04X}{name}", u32::from(letter))
}

/// As it looks: without hidden characters, every blank an ordinary one.
pub fn as_seen(text: &str) -> String {
    let seen = text.chars().filter(|letter| !is_hidden(*letter));
    seen.map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .collect()
}

/// How many line ends there are: LF, CR LF, or CR alone. A CR at the very end counts.
pub fn line_breaks(bytes: &[u8]) -> u64 {
    let mut breaks = 0;
    for (index, byte) in bytes.iter().enumerate() {
        breaks += match byte {
            b'\n' => 1,
            b'\r' if bytes.get(index + 1) != Some(&b'\n') => 1,
            _ => 0,
        };
    }
    breaks
}

/// `sep=;`, in quotes, in capitals, or with the delimiters that a spreadsheet has put behind it.
pub fn names_separator(line: &str) -> bool {
    // A tab may be what it names.
    let line = line.trim_matches([' ', '\r', '\n']).trim_start_matches('"');
    let Some(rest) = line
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("sep="))
        .map(|_| &line[4..])
    else {
        return false;
    };
    let mut letters = rest.chars().filter(|letter| *letter != '"');
    let first = letters.next();
    let others: Vec<char> = letters.collect();
    // A file of another delimiter, saved again, has that one behind it.
    first.is_some_and(|first| !first.is_alphanumeric())
        && others
            .iter()
            .all(|letter| matches!(letter, ';' | ',' | '\t' | '|' | ' ') && Some(letter) == others.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_shape_is_hidden_and_letters_and_blanks_are_not() {
        for letter in
            "\0\u{7}\t\n\r\u{1b}\u{7f}\u{85}\u{ad}\u{200b}\u{200e}\u{202e}\u{2066}\u{2028}\u{feff}\u{fffd}\u{fe0f}"
                .chars()
        {
            assert!(is_hidden(letter), "{}", named(letter));
        }
        for letter in "aZ9é李ا-/. '\u{a0}\u{202f}\u{3000}€".chars() {
            assert!(!is_hidden(letter), "{}", named(letter));
        }
    }

    #[test]
    fn every_way_to_name_the_separator_is_stepped_over() {
        for line in [
            "sep=;",
            "SEP=;",
            "\"sep=;\"",
            "sep=;;;;;",
            "sep=,;;;;",
            "\"sep=;\";;;",
            "sep=\t",
            " Sep=| ",
        ] {
            assert!(names_separator(line), "{line}");
        }
        for line in ["", "sep", "sep=", "sep=;a", "separator;name", "sep=x", "Nr;sep=;"] {
            assert!(!names_separator(line), "{line}");
        }
    }

    #[test]
    fn they_are_named_by_number_and_name() {
        assert_eq!(named('\u{a0}'), "U+00A0 (no-break space)");
        assert_eq!(named('\u{e0001}'), "U+E0001");
        assert_eq!(as_seen("Last\u{a0}na\u{200b}me"), "Last name");
    }
}
