//! Texts that were damaged on their way: decoded twice, or never. They are somebody's name only by accident, and must not be
//! written (RULES 3). Texts that are merely odd are left in peace.

/// What is wrong with a text, as words that follow "column 'X'", and the cure.
pub fn of(text: &str) -> Option<&'static str> {
    let trimmed = text.trim();
    if is_hex(trimmed) {
        return Some("is in hexadecimal (X'...'), as csvde writes what is not ASCII; export with csvde -u");
    }
    if is_mail_word(trimmed) {
        return Some("is encoded like the head of an e-mail (=?...?=); have the plain text exported");
    }
    if has_entity(trimmed) {
        return Some("holds a character written for web pages (&...;); have the plain text exported");
    }
    if text.is_ascii() {
        return None;
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Some("holds U+FFFD, the mark of what could not be decoded; correct it in the source");
    }
    is_decoded_wrongly(text).then_some(
        "looks like UTF-8 that was read as windows-1252; correct the cell, or the encoding where the export is put together",
    )
}

fn is_hex(text: &str) -> bool {
    let digits = text.strip_prefix("X'").and_then(|rest| rest.strip_suffix('\''));
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// An encoded word of RFC 2047.
fn is_mail_word(text: &str) -> bool {
    let inner = text.strip_prefix("=?").and_then(|rest| rest.strip_suffix("?="));
    inner.is_some_and(|inner| {
        let method = inner.split('?').nth(1);
        method.is_some_and(|method| method.eq_ignore_ascii_case("b") || method.eq_ignore_ascii_case("q"))
    })
}

/// `&eacute;`, `&#233;`, `&amp;`: not every text between an ampersand and a semicolon.
fn has_entity(text: &str) -> bool {
    const ENDINGS: [&str; 8] = ["uml", "acute", "grave", "circ", "tilde", "cedil", "slash", "ring"];
    text.split('&').skip(1).any(|rest| {
        let Some((name, _)) = rest.split_once(';') else {
            return false;
        };
        let number = name
            .strip_prefix('#')
            .map(|number| number.trim_start_matches(['x', 'X']));
        let accented = |ending: &&str| {
            name.len() == ending.len() + 1
                && name.ends_with(*ending)
                && name.starts_with(|l: char| l.is_ascii_alphabetic())
        };
        match number {
            Some(number) => !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_hexdigit()),
            None => {
                matches!(
                    name,
                    "amp" | "lt" | "gt" | "quot" | "apos" | "nbsp" | "szlig" | "aelig" | "AElig" | "oelig"
                ) || ENDINGS.iter().any(accented)
            }
        }
    })
}

/// Whether the bytes that windows-1252 has for this text are UTF-8: `Ã«` for `ë`. Honest text hardly ever is, and all of it
/// must be.
fn is_decoded_wrongly(text: &str) -> bool {
    let Some(bytes) = text.chars().map(windows_1252).collect::<Option<Vec<u8>>>() else {
        return false;
    };
    let Ok(meant) = String::from_utf8(bytes) else {
        return false;
    };
    let wide: Vec<char> = meant.chars().filter(|letter| !letter.is_ascii()).collect();
    match wide.as_slice() {
        [] => false,
        // A capital before a quotation mark or a dash can be meant: `CAFÉ’S`.
        [letter] => {
            matches!(letter, '\u{a0}'..='\u{ff}') || matches!(letter, '\u{2010}'..='\u{203a}' | '€') || {
                let last = text.chars().rfind(|letter| !letter.is_ascii());
                matches!(letter, '\u{100}'..='\u{17f}') && !last.is_some_and(is_punctuation)
            }
        }
        several => several.iter().all(|letter| is_european(*letter)) || several.len() > 2,
    }
}

fn is_punctuation(letter: char) -> bool {
    matches!(letter, '\u{2010}'..='\u{203a}')
}

fn is_european(letter: char) -> bool {
    matches!(letter, '\u{a0}'..='\u{17f}' | '\u{370}'..='\u{4ff}' | '\u{2010}'..='\u{203a}' | '€')
}

fn windows_1252(letter: char) -> Option<u8> {
    const HIGH: [(char, u8); 27] = [
        ('€', 0x80),
        ('‚', 0x82),
        ('ƒ', 0x83),
        ('„', 0x84),
        ('…', 0x85),
        ('†', 0x86),
        ('‡', 0x87),
        ('ˆ', 0x88),
        ('‰', 0x89),
        ('Š', 0x8a),
        ('‹', 0x8b),
        ('Œ', 0x8c),
        ('Ž', 0x8e),
        ('‘', 0x91),
        ('’', 0x92),
        ('“', 0x93),
        ('”', 0x94),
        ('•', 0x95),
        ('–', 0x96),
        ('—', 0x97),
        ('˜', 0x98),
        ('™', 0x99),
        ('š', 0x9a),
        ('›', 0x9b),
        ('œ', 0x9c),
        ('ž', 0x9e),
        ('Ÿ', 0x9f),
    ];
    match u8::try_from(u32::from(letter)) {
        Ok(byte) => Some(byte),
        Err(_) => HIGH.iter().find(|(known, _)| *known == letter).map(|(_, byte)| *byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn damaged_texts_are_known() {
        for text in [
            "BrontÃ«",
            "MÃ¼ller",
            "GarcÃ\u{ad}a",
            "Å\u{a0}ebestovÃ¡",
            "Ð˜Ð²Ð°Ð½",
            "Oâ€™Brien",
            "Ã˜stergÃ¥rd",
            "Å\u{81}ukasz",
            "X'4dc3bc6c6c6572'",
            "=?UTF-8?B?TcO8bGxlcg==?=",
            "=?iso-8859-1?q?M=FCller?=",
            "M&uuml;ller",
            "R&amp;D",
            "Zo&#235;",
            "Bront\u{fffd}",
        ] {
            assert!(of(text).is_some(), "{text}");
        }
    }

    #[test]
    fn odd_and_honest_texts_are_left_in_peace() {
        for text in [
            "Brontë",
            "Müller",
            "São Paulo",
            "SÃO",
            "Ünal",
            "CAFÉ’S",
            "BÖ–Nord",
            "CAFÉ\u{a0}NOIR",
            "Ångström",
            "Łukasz",
            "李雷",
            "Ærø",
            "naïve – “x”",
            "R&D; Sales",
            "A & B",
            "X'",
            "X'zz'",
            "X'123'",
            "=?",
            "= ?=",
            "?",
            "50 € p.m.",
            "Straße 5°",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    proptest! {
        /// A name with accents that is decoded twice is always noticed, and never as it is.
        #[test]
        fn what_is_decoded_twice_is_noticed(name in "[A-Z][a-z]{0,5}[éèëêïöüáàâäçñøåæ][a-zéëü]{0,5}") {
            prop_assert_eq!(of(&name), None);
            let twice: Option<String> = name.bytes().map(|byte| {
                (0..=255).chain(0x2013..=0x2122).filter_map(char::from_u32).find(|letter| windows_1252(*letter) == Some(byte))
            }).collect();
            if let Some(twice) = twice {
                prop_assert!(of(&twice).is_some(), "{}", twice);
            }
        }
    }
}
