//! What the keys of a file look like, so that a cell of a broken row is taken for a key only when it can be one.
//!
//! In a row with too few or too many cells any cell may stand in the key's place, a surname too: a wrong key would
//! protect the wrong person and show the name of another.

use std::collections::BTreeSet;

/// More shapes than this and the keys have no common look.
const MOST: usize = 32;

/// The shapes of the keys in the sound rows of one file.
#[derive(Debug, Default)]
pub struct KeyShapes {
    shapes: BTreeSet<String>,
    buffer: String,
}

impl KeyShapes {
    /// Learns from the key of a sound row.
    pub fn learn(&mut self, key: &str) {
        if key.trim().is_empty() || self.shapes.len() > MOST {
            return;
        }
        self.buffer.clear();
        shape(key, &mut self.buffer);
        if !self.shapes.contains(&self.buffer) {
            self.shapes.insert(self.buffer.clone());
        }
    }

    /// Whether this text looks like the keys learned.
    pub fn fits(&self, text: &str) -> bool {
        let mut own = String::new();
        shape(text, &mut own);
        self.shapes.len() <= MOST && self.shapes.contains(&own)
    }
}

/// `E-100012` becomes `A-9`: digits and letters by kind, each run once, everything else as it is. Quotes do not count:
/// near broken quotes they are where they should not be.
fn shape(key: &str, shape: &mut String) {
    let mut last = None;
    for letter in key.trim().chars().filter(|letter| *letter != '"') {
        let kind = match letter {
            _ if letter.is_ascii_digit() => '9',
            _ if letter.is_uppercase() => 'A',
            _ if letter.is_alphabetic() => 'a',
            other => other,
        };
        if last != Some(kind) {
            shape.push(kind);
        }
        last = Some(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surname_is_not_taken_for_a_number() {
        let mut shapes = KeyShapes::default();
        assert!(!shapes.fits("100"));
        shapes.learn("100012");
        shapes.learn(" ");
        assert!(shapes.fits("7") && shapes.fits(" 200 "));
        assert!(!shapes.fits("Jansen") && !shapes.fits("2nd floor") && !shapes.fits(""));
        shapes.learn("E-1");
        assert!(shapes.fits("X-77") && !shapes.fits("x-77"));
    }

    #[test]
    fn keys_without_a_common_look_prove_nothing() {
        let mut shapes = KeyShapes::default();
        for width in 0..=MOST {
            shapes.learn(&"1-".repeat(width + 1));
        }
        assert!(!shapes.fits("1-"));
    }
}
