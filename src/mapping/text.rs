//! The one form that texts have in expressions: Unicode NFC, no white space at the ends.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// NFC and trimmed; borrowed wherever the text is so already.
pub fn clean(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    if trimmed.is_ascii() || is_nfc_quick(trimmed.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(trimmed);
    }
    let composed: String = trimmed.nfc().collect();
    Cow::Owned(composed.trim().to_owned())
}

/// [`clean`] for a text that may be owned.
pub fn clean_cow(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(borrowed) => clean(borrowed),
        Cow::Owned(owned) => match clean(&owned) {
            Cow::Borrowed(same) if same.len() == owned.len() => Cow::Owned(owned),
            Cow::Borrowed(shorter) => Cow::Owned(shorter.to_owned()),
            Cow::Owned(composed) => Cow::Owned(composed),
        },
    }
}

fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Control characters and line breaks, with the white space around them, become one blank: card fields are single lines.
pub fn one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(breaks_line) {
        return text;
    }
    let mut line = String::with_capacity(text.len());
    for piece in text.split(breaks_line) {
        let piece = piece.trim();
        if piece.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(piece);
    }
    Cow::Owned(line)
}

/// At most so many characters, without white space at the cut.
pub fn cut(text: &str, max_chars: usize) -> &str {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => text[..end].trim_end(),
        None => text,
    }
}

/// The known name that a mistyped one is probably meant to be.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_composed_and_trimmed() {
        assert_eq!(clean(" a b\u{a0}"), "a b");
        assert_eq!(clean("Andre\u{301} "), "Andr\u{e9}");
        assert!(matches!(clean(" J\u{f6}rg "), Cow::Borrowed("J\u{f6}rg")));
        assert_eq!(clean_cow(Cow::Owned(" x ".to_owned())), "x");
    }

    #[test]
    fn line_breaks_and_control_characters_become_one_blank() {
        assert_eq!(one_line("a\r\n b\tc".into()), "a b c");
        assert_eq!(one_line("\u{1}a\u{2028}".into()), "a");
        assert_eq!(one_line("a  b".into()), "a  b");
    }

    #[test]
    fn a_cut_is_at_a_character_and_leaves_no_blank() {
        assert_eq!(cut("J\u{f6}rg", 2), "J\u{f6}");
        assert_eq!(cut("Anna Maria", 5), "Anna");
        assert_eq!(cut("Anna", 4), "Anna");
    }

    #[test]
    fn near_misses_are_suggested() {
        assert_eq!(did_you_mean("lowr", ["trim", "lower", "upper"]), Some("lower"));
        assert_eq!(did_you_mean("HR", ["ad", "hr"]), Some("hr"));
        assert_eq!(did_you_mean("xyz", ["ad", "hr"]), None);
    }
}
