//! Text from outside made visible before anybody reads it (RULES 12): a name can hide a line above it, pretend to be one, or
//! turn the order of its neighbours, and whoever approves believes what the screen shows.
//!
//! Whatever is printed goes through here, as text, table or page. Letters of every script, their accents and emoji stay as
//! they are; only what has no picture of its own is written as `<U+001B>`.

use crate::core::model::letters::is_hidden;
use std::borrow::Cow;
use std::fmt::Write;

/// One line: line breaks and tabs are made visible too.
pub fn line(text: &str) -> Cow<'_, str> {
    neutral(text, &|_| false)
}

/// Several lines: line breaks stay, everything else is as in [`line()`].
pub fn block(text: &str) -> Cow<'_, str> {
    neutral(text, &|letter| letter == '\n')
}

/// The same with more that stays as it is.
pub fn neutral<'t>(text: &'t str, stays: &dyn Fn(char) -> bool) -> Cow<'t, str> {
    // Nearly everything is plain.
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut before = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if stays(letter) || !hides(letter) || belongs(letter, before, letters.peek().copied()) {
            shown.push(letter);
            before = Some(letter);
        } else {
            let _ = write!(shown, "<U+{:04X}>", u32::from(letter));
            before = None;
        }
    }
    Cow::Owned(shown)
}

/// JSON with the same characters written as JSON writes them, so that whoever reads it has the value and whoever looks at
/// it is not deceived. Outside of its strings JSON has none but line breaks.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|letter| letter != '\n' && hides(letter)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || !hides(letter) {
            shown.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(shown)
}

/// Whether a character has no picture of its own, or changes where others stand: what is hidden in a key as well, but for
/// signs that show; what shorthand and music format with; and what stands for nothing in any text.
pub fn hides(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    let shows = matches!(
        letter,
        '\u{0600}'..='\u{0605}' | '\u{06DD}' | '\u{070F}' | '\u{FFFC}' | '\u{FFFD}'
    );
    let formats = matches!(
        letter,
        '\u{FDD0}'..='\u{FDEF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
    );
    is_hidden(letter) && !shows || formats
}

/// What is invisible and yet part of how its neighbours are written: the joiners of Arabic and Indic scripts and of emoji,
/// the selectors that make a sign an emoji or choose the form of an ideograph.
fn belongs(letter: char, before: Option<char>, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match letter {
        '\u{200C}' | '\u{200D}' => after.is_some_and(|after| {
            let alike = joins(before) && joins(after) || is_pictured(before) && is_pictured(after);
            alike && !hides(after)
        }),
        '\u{FE0E}' | '\u{FE0F}' => is_pictured(before) || matches!(before, '0'..='9' | '#' | '*'),
        '\u{FE00}'..='\u{FE0D}' | '\u{E0100}'..='\u{E01EF}' => is_ideograph(before),
        '\u{180B}'..='\u{180D}' => matches!(before, '\u{1820}'..='\u{18AA}'),
        _other => false,
    }
}

/// Letters of scripts in which a joiner changes how they are written.
fn joins(letter: char) -> bool {
    matches!(letter, '\u{0620}'..='\u{08FF}' | '\u{0900}'..='\u{0DFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17D3}')
}

fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Signs and emoji, with what is put onto them.
fn is_pictured(letter: char) -> bool {
    matches!(letter, '\u{00A9}' | '\u{00AE}' | '\u{203C}' | '\u{2049}' | '\u{2100}'..='\u{27BF}' | '\u{2900}'..='\u{2BFF}'
        | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in [
            "Zoë Strauß-Øster",
            "Đặng Thị Huỳnh",
            "محمد",
            "می‌خواهم",
            "क्‍ष",
            "葛󠄀城",
            "👩‍💻 ❤️ 1️⃣ 👍🏽",
            "e\u{301}",
            "a\u{a0}b",
            "CORP\\jvisser",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn what_hides_or_forges_is_shown() {
        assert_eq!(line("\u{1b}[8A\r\n"), "<U+001B>[8A<U+000D><U+000A>");
        assert_eq!(
            line("a\u{202e}b\u{200b}c\u{ad}d\u{9b}"),
            "a<U+202E>b<U+200B>c<U+00AD>d<U+009B>"
        );
        assert_eq!(line("x\u{200d}y \u{fe0f}"), "x<U+200D>y <U+FE0F>");
        assert_eq!(block("a\nb\tc"), "a\nb<U+0009>c");
        assert_eq!(
            json("\"\u{7f}\u{202e}\u{e0041}\"\n"),
            "\"\\u007f\\u202e\\udb40\\udc41\"\n"
        );
    }

    proptest! {
        #[test]
        fn a_line_stays_one_and_hides_nothing(text in any::<String>()) {
            let shown = line(&text).into_owned();
            let kept = |letter: char| matches!(letter, '\u{200c}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{e0100}'..='\u{e01ef}');
            prop_assert!(shown.chars().all(|letter| !hides(letter) || kept(letter)), "{shown:?}");
            prop_assert_eq!(line(&shown).into_owned(), shown.clone());
            let visible = |text: &str| text.chars().filter(|letter| !hides(*letter)).collect::<String>();
            prop_assert!(visible(&text).chars().all(|letter| shown.contains(letter)));
            prop_assert!(shown.contains("<U+") || shown == text);
        }

        #[test]
        fn json_keeps_its_values(text in any::<String>()) {
            let written = serde_json::to_string_pretty(&[&text]).expect("text serialises");
            let shown = json(&written);
            prop_assert!(shown.chars().all(|letter| letter == '\n' || !hides(letter)));
            let read: Vec<String> = serde_json::from_str(&shown).expect("still JSON");
            prop_assert_eq!(&read[0], &text);
        }
    }
}
