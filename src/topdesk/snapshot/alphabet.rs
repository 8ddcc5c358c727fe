//! Which characters may stand for which: a letter is replaced by a letter of its own script, a digit by a digit.

use std::collections::HashMap;

/// Scripts with a range of letters each; within a range only letters that are lower case, or have no case, take part.
const SCRIPTS: [(u32, u32); 9] = [
    ('a' as u32, 'z' as u32),
    // Latin with marks.
    (0xDF, 0x24F),
    // Greek, Cyrillic, Armenian.
    (0x3AC, 0x3CE),
    (0x430, 0x45F),
    (0x561, 0x586),
    // Hebrew, Arabic.
    (0x5D0, 0x5EA),
    (0x621, 0x64A),
    // Kana, and the characters that Chinese, Japanese and Korean share.
    (0x3041, 0x30FA),
    (0x4E00, 0x9FFF),
];
/// Where a letter of no known script goes: Latin with marks.
const STRAYS: usize = 2;

/// A character as a number in its alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// Which alphabet; 0 is the digits.
    pub(super) alphabet: usize,
    /// Its place there.
    pub(super) place: usize,
    /// Whether it was written as a capital.
    pub(super) capital: bool,
}

/// All alphabets.
pub(super) struct Alphabets {
    letters: Vec<Vec<char>>,
    places: HashMap<char, (usize, usize)>,
}

impl Alphabets {
    pub(super) fn new() -> Self {
        let mut letters = vec![('0'..='9').collect::<Vec<char>>()];
        for (first, last) in SCRIPTS {
            letters.push(
                (first..=last)
                    .filter_map(char::from_u32)
                    .filter(|c| plain(*c))
                    .collect(),
            );
        }
        let places = letters
            .iter()
            .enumerate()
            .flat_map(|(alphabet, letters)| letters.iter().enumerate().map(move |(n, c)| (*c, (alphabet, n))))
            .collect();
        Self { letters, places }
    }

    /// How many characters an alphabet has.
    pub(super) fn size(&self, alphabet: usize) -> usize {
        self.letters[alphabet].len()
    }

    /// The symbol of a letter or digit. A letter of no known script falls on one of the others, by its number: two such
    /// letters may fall on the same one.
    pub(super) fn symbol(&self, c: char) -> Symbol {
        let small = single(c.to_lowercase()).unwrap_or(c);
        let capital = small != c;
        let (alphabet, place) = self.places.get(&small).copied().unwrap_or_else(|| {
            let number = usize::try_from(u32::from(small)).unwrap_or_default();
            (STRAYS, number % self.letters[STRAYS].len())
        });
        Symbol {
            alphabet,
            place,
            capital,
        }
    }

    /// The character of a symbol.
    pub(super) fn character(&self, symbol: Symbol) -> char {
        let c = self.letters[symbol.alphabet][symbol.place];
        if symbol.capital {
            single(c.to_uppercase()).unwrap_or(c)
        } else {
            c
        }
    }
}

/// A letter that is small or caseless and whose capital is one letter that leads back.
fn plain(c: char) -> bool {
    let back = single(c.to_uppercase()).and_then(|capital| single(capital.to_lowercase()));
    c.is_alphabetic() && single(c.to_lowercase()) == Some(c) && back == Some(c)
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lead_there_and_back() {
        let alphabets = Alphabets::new();
        for c in "azAZ09éÉüłŁжЖωΩאبあ王".chars() {
            assert_eq!(alphabets.character(alphabets.symbol(c)), c);
        }
        // No capital of one letter: it becomes another letter, and that is all that is asked.
        assert!(alphabets.character(alphabets.symbol('ß')).is_alphabetic());
        assert!(alphabets.letters.iter().all(|letters| letters.len() >= 10));
    }
}
