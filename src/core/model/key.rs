//! The key: the one value that decides who is who (RULES 1).
//!
//! Normalisers compare, they never write: [`RawKey`] is what a source or card holds, [`Key`] is what is compared.

use crate::core::model::field::CardField;
use crate::core::model::letters::{is_hidden, is_odd_blank};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// How two keys are made comparable. Unicode NFC comes always, first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normaliser {
    /// Take white space off both ends.
    Trim,
    /// Ignore case by comparing in upper case.
    Uppercase,
    /// Ignore case by comparing in lower case.
    Lowercase,
    /// Compare without leading zeros: `00123` and `123` are one key. A key of zeros only becomes `0`.
    StripLeadingZeros,
}

/// Which card field is the key and how it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySpec {
    /// The card field, usually `employeeNumber`.
    pub card_field: CardField,
    /// Applied in this order.
    pub normalise: Vec<Normaliser>,
    /// The administrator states that a login used as key never changes in life.
    pub immutable: bool,
}

/// A key as it stands in a source or on a card, untouched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawKey(pub Box<str>);

impl RawKey {
    /// What a create or adopt writes: NFC, without blanks and hidden characters around it, otherwise as the source has it.
    pub fn to_write(&self) -> String {
        let composed: String = self.0.nfc().collect();
        composed.trim_matches(is_padding).to_owned()
    }
}

/// A normalised key. Only made by [`KeySpec::read`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Box<str>);

impl Key {
    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key that was normalised before and kept in the store.
    pub fn stored(text: &str) -> Key {
        Key(text.into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

/// What a raw key turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyReading {
    /// Usable.
    Key(Key),
    /// Empty or blank.
    None,
    /// Asterisks: TOPdesk's mark of an anonymized card. Never indexed, matched or touched.
    Anonymized,
    /// Longer than the card field: never truncated, the record is rejected. Carries the length in characters.
    TooLong { key: Key, chars: usize, limit: usize },
    /// A character that nobody sees, or a blank that is no ordinary one, stands within it: it looks like another key, so
    /// the record is rejected. A card that has it keeps it, and nobody else's record matches it.
    Hidden { key: Key, letter: char },
}

/// What around a key can only be padding.
fn is_padding(letter: char) -> bool {
    letter.is_whitespace() || is_hidden(letter)
}

/// NFC. Nearly all keys are plain text, which is NFC as it is.
fn composed(text: &str) -> String {
    if text.is_ascii() {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

impl KeySpec {
    /// Normalises a raw key.
    pub fn read(&self, raw: &str) -> KeyReading {
        let composed = composed(raw);
        // Hidden characters around a key come from copying and from spreadsheets; where blanks are trimmed, both may be mixed.
        let trims = self.normalise.contains(&Normaliser::Trim);
        let composed = composed.trim_matches(|letter| is_hidden(letter) || trims && is_padding(letter));
        if composed.trim().is_empty() {
            return KeyReading::None;
        }
        if composed.contains('*') {
            return KeyReading::Anonymized;
        }
        let written = composed.trim();
        let written_chars = written.chars().count();
        let letter = written
            .chars()
            .find(|letter| is_hidden(*letter) || is_odd_blank(*letter));
        let mut text = composed.to_owned();
        for step in &self.normalise {
            text = match step {
                Normaliser::Trim => text.trim().to_owned(),
                Normaliser::Uppercase => text.to_uppercase(),
                Normaliser::Lowercase => text.to_lowercase(),
                Normaliser::StripLeadingZeros => {
                    let stripped = text.trim_start_matches('0');
                    if stripped.is_empty() {
                        "0".to_owned()
                    } else {
                        stripped.to_owned()
                    }
                }
            };
        }
        // Case mapping can leave NFC; comparing needs one form.
        let key = Key(if text.is_ascii() { text } else { self::composed(&text) }.into());
        if let Some(letter) = letter {
            return KeyReading::Hidden { key, letter };
        }
        let limit = self.max_chars();
        if written_chars > limit {
            return KeyReading::TooLong {
                key,
                chars: written_chars,
                limit,
            };
        }
        KeyReading::Key(key)
    }

    /// The most characters the card field takes.
    pub fn max_chars(&self) -> usize {
        match self.card_field.kind() {
            crate::core::model::field::FieldKind::Text { max_chars } => max_chars,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(normalise: &[Normaliser]) -> KeySpec {
        KeySpec {
            card_field: CardField::EmployeeNumber,
            normalise: normalise.to_vec(),
            immutable: false,
        }
    }

    #[test]
    fn keys_differing_in_case_and_blanks_are_one_key() {
        let spec = spec(&[Normaliser::Trim, Normaliser::Uppercase]);
        assert_eq!(spec.read(" e100 "), spec.read("E100"));
        assert_ne!(spec.read("E100"), spec.read("E0100"));
    }

    #[test]
    fn zeros_count_unless_the_configuration_says_otherwise() {
        let plain = spec(&[Normaliser::Trim]);
        assert_ne!(plain.read("00123"), plain.read("123"));
        let stripping = spec(&[Normaliser::Trim, Normaliser::StripLeadingZeros]);
        assert_eq!(stripping.read("00123"), stripping.read("123"));
        assert_eq!(stripping.read("000"), KeyReading::Key(Key::stored("0")));
    }

    #[test]
    fn asterisks_blanks_and_long_keys_are_not_keys() {
        let spec = spec(&[Normaliser::Trim]);
        assert_eq!(spec.read("*****"), KeyReading::Anonymized);
        assert_eq!(spec.read("12*"), KeyReading::Anonymized);
        assert_eq!(spec.read("  "), KeyReading::None);
        assert!(matches!(
            spec.read("123456789012345678901"),
            KeyReading::TooLong {
                chars: 21,
                limit: 20,
                ..
            }
        ));
        assert!(matches!(spec.read(" 12345678901234567890 "), KeyReading::Key(_)));
    }

    #[test]
    fn hidden_characters_around_a_key_are_padding_and_within_it_make_it_none() {
        let spec = spec(&[Normaliser::Trim]);
        let plain = KeyReading::Key(Key::stored("100051"));
        for padded in [
            "\u{200b}100051",
            "\u{feff} 100051\u{a0}\r\n",
            "\u{202d}100051\u{202c}",
            "100051\t\u{200b} ",
        ] {
            assert_eq!(spec.read(padded), plain, "{padded:?}");
            assert_eq!(RawKey(padded.into()).to_write(), "100051");
        }
        assert_eq!(spec.read("\u{200b} \u{feff}"), KeyReading::None);
        for (within, letter) in [
            ("12\nINFO", '\n'),
            ("77\u{1b}[2J", '\u{1b}'),
            ("8\u{202e}999", '\u{202e}'),
            ("5\u{200b}55", '\u{200b}'),
            ("10\u{ad}0001", '\u{ad}'),
            ("12\u{a0}345", '\u{a0}'),
        ] {
            assert!(
                matches!(spec.read(within), KeyReading::Hidden { letter: found, .. } if found == letter),
                "{within:?}"
            );
        }
        assert!(matches!(spec.read("A 12"), KeyReading::Key(_)));
    }

    proptest! {
        /// No key that is made from any text has a character that nobody sees, and padding changes no key.
        #[test]
        fn a_key_is_what_it_looks_like(text in any_key(), before in padding(), after in padding(), trims: bool) {
            let steps: &[Normaliser] = if trims { &[Normaliser::Trim, Normaliser::Uppercase] } else { &[Normaliser::Uppercase] };
            let spec = spec(steps);
            let reading = spec.read(&text);
            if let KeyReading::Key(key) = &reading {
                prop_assert!(key.as_str().trim().chars().all(|letter| !is_hidden(letter) && !is_odd_blank(letter)));
                let written = RawKey(text.as_str().into()).to_write();
                prop_assert!(written.chars().all(|letter| !is_hidden(letter)));
            }
            prop_assert_eq!(spec.read(&format!("{before}{text}{after}")), reading);
        }
    }

    fn any_key() -> impl Strategy<Value = String> {
        let letters = prop_oneof![
            6 => proptest::char::range('0', '9'),
            2 => proptest::char::range('A', 'F'),
            1 => prop_oneof![Just(' '), Just('-'), Just('\u{a0}'), Just('\u{200b}'), Just('\u{202e}'), Just('\n'), Just('\u{ad}')],
        ];
        // It begins and ends with something that is seen.
        ("[0-9A-F]", proptest::collection::vec(letters, 0..8), "[0-9A-F]")
            .prop_map(|(first, letters, last)| format!("{first}{}{last}", String::from_iter(letters)))
    }

    fn padding() -> impl Strategy<Value = String> {
        let letters = prop_oneof![
            Just('\u{200b}'),
            Just('\u{feff}'),
            Just('\u{202d}'),
            Just('\r'),
            Just('\u{0}')
        ];
        proptest::collection::vec(letters, 0..3).prop_map(String::from_iter)
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_key_and_written_composed() {
        let spec = spec(&[Normaliser::Trim]);
        assert_eq!(spec.read("e\u{301}1"), spec.read("\u{e9}1"));
        assert_eq!(RawKey(" e\u{301}1 ".into()).to_write(), "\u{e9}1");
    }
}
