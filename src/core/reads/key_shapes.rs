//! What the keys of one list look like, so that what is no key is not taken for one: a total below the list, a line of
//! dashes, `NULL`, the surname of a row that is broken.
//!
//! A shape is digits and letters by kind, each run once, everything else as it is: `E-100012` is `A-9`.

use std::collections::BTreeMap;

/// More shapes than this and the keys of a file have no common look.
const MOST: usize = 32;

/// Fewer other keys than these have no common look.
const FEWEST: u64 = 3;

/// Of plain numbers, how many there must be before their length says something.
const ENOUGH_NUMBERS: u64 = 10;

/// Of the keys of a source, how many percent may share a shape that is still a rare one.
const RARE_PERCENT: u64 = 1;

/// How many percent of the keys must have digits before a key without any is odd.
const NUMBERED_PERCENT: u64 = 75;

/// How many keys have a shape, and how long they are.
#[derive(Clone, Debug, Default)]
struct Seen {
    count: u64,
    /// By length in characters.
    lengths: BTreeMap<usize, u64>,
}

/// The shapes of many keys.
#[derive(Clone, Debug, Default)]
pub struct KeyShapes {
    shapes: BTreeMap<String, Seen>,
    total: u64,
    /// How many have a digit.
    numbered: u64,
    buffer: String,
}

impl KeyShapes {
    /// Learns from a key.
    pub fn learn(&mut self, key: &str) {
        let key = key.trim();
        if key.is_empty() {
            return;
        }
        self.buffer.clear();
        shape(key, &mut self.buffer);
        if !self.shapes.contains_key(&self.buffer) {
            self.shapes.insert(self.buffer.clone(), Seen::default());
        }
        let seen = self.shapes.get_mut(&self.buffer).expect("it was just put there");
        seen.count += 1;
        *seen.lengths.entry(key.chars().count()).or_default() += 1;
        self.total += 1;
        self.numbered += u64::from(self.buffer.contains('9'));
    }

    /// Whether nothing was learned yet.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Whether this text looks like the keys learned: of a shape that they have, and a plain number no shorter and no longer
    /// than theirs.
    pub fn fits(&self, text: &str) -> bool {
        let (shape, length) = shape_of(text);
        let Some(seen) = self.shapes.get(&shape).filter(|_| self.shapes.len() <= MOST) else {
            return false;
        };
        let (shortest, longest) = seen.range();
        !is_number(&shape) || (shortest..=longest).contains(&length)
    }

    fn count(&self, shape: &str) -> u64 {
        self.shapes.get(shape).map_or(0, |seen| seen.count)
    }
}

impl Seen {
    fn range(&self) -> (usize, usize) {
        let first = self.lengths.first_key_value().map_or(0, |(length, _)| *length);
        let last = self.lengths.last_key_value().map_or(0, |(length, _)| *length);
        (first, last)
    }
}

/// Whether a key is written like no other: neither like the cards' keys nor, but for a few, like those of its own source,
/// which has this very key once. Where the keys have no common look, none is odd.
pub fn is_odd(key: &str, own: &KeyShapes, cards: &KeyShapes) -> bool {
    let others = (own.total + cards.total).saturating_sub(1);
    if others < FEWEST {
        return false;
    }
    let (shape, length) = shape_of(key);
    let numbered = (own.numbered + cards.numbered).saturating_sub(u64::from(shape.contains('9')));
    if cards.count(&shape) == 0 {
        let without_digits = !shape.contains('9') && numbered * 100 >= others * NUMBERED_PERCENT;
        let alike = own.count(&shape).saturating_sub(1);
        let rare = alike == 0 || own.count(&shape) * 100 <= own.total * RARE_PERCENT;
        return without_digits || rare && have_a_common_look(own, cards);
    }
    is_number(&shape) && is_odd_length(length, &shape, own, cards)
}

/// A number shorter than all others lost a part or counts something; one that is two digits longer is of another kind. One
/// digit more is how numbers grow.
fn is_odd_length(length: usize, shape: &str, own: &KeyShapes, cards: &KeyShapes) -> bool {
    let mut others: BTreeMap<usize, u64> = BTreeMap::new();
    for seen in [own, cards].iter().filter_map(|list| list.shapes.get(shape)) {
        for (length, count) in &seen.lengths {
            *others.entry(*length).or_default() += count;
        }
    }
    if let Some(count) = others.get_mut(&length) {
        *count = count.saturating_sub(1);
    }
    others.retain(|_, count| *count > 0);
    let enough = others.values().sum::<u64>() >= ENOUGH_NUMBERS;
    enough && (others.keys().all(|other| *other > length) || others.keys().all(|other| other + 1 < length))
}

/// Whether at least half of all keys share their shape with another one. Ids that are drawn at random do not.
fn have_a_common_look(own: &KeyShapes, cards: &KeyShapes) -> bool {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (shape, seen) in own.shapes.iter().chain(&cards.shapes) {
        *counts.entry(shape).or_default() += seen.count;
    }
    let shared: u64 = counts.values().filter(|count| **count > 1).sum();
    shared * 2 >= own.total + cards.total
}

fn is_number(shape: &str) -> bool {
    shape == "9"
}

fn shape_of(text: &str) -> (String, usize) {
    let text = text.trim();
    let mut own = String::new();
    shape(text, &mut own);
    (own, text.chars().count())
}

fn shape(key: &str, shape: &mut String) {
    let mut last = None;
    for letter in key.chars() {
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
    use proptest::prelude::*;

    fn of<'a>(keys: impl IntoIterator<Item = &'a str>) -> KeyShapes {
        let mut shapes = KeyShapes::default();
        for key in keys {
            shapes.learn(key);
        }
        shapes
    }

    fn numbers(count: u32) -> Vec<String> {
        (1..=count).map(|nr| format!("{}", 100_000 + nr)).collect()
    }

    /// A source with so many numbers and this key, and the cards of these numbers.
    fn odd(count: u32, key: &str) -> bool {
        let numbers = numbers(count);
        let all = numbers.iter().map(String::as_str);
        is_odd(key, &of(all.clone().chain([key])), &of(all))
    }

    #[test]
    fn a_surname_is_not_taken_for_a_number() {
        let mut shapes = KeyShapes::default();
        assert!(!shapes.fits("100"));
        shapes.learn("100012");
        shapes.learn(" ");
        assert!(shapes.fits("700000") && shapes.fits(" 200000 "));
        assert!(!shapes.fits("12"), "the rest of an address");
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

    #[test]
    fn what_is_no_number_among_numbers_is_odd() {
        for junk in [
            "Totaal",
            "------",
            "NULL",
            "#N/B",
            "=\"00123\"",
            "(12 rows)",
            "1.2E+5",
            "12",
            "12345",
            "90010001",
        ] {
            assert!(odd(40, junk), "{junk}");
        }
        for number in ["100041", "999999", "1000000"] {
            assert!(!odd(40, number), "{number}");
        }
    }

    #[test]
    fn many_words_among_numbers_are_as_odd_as_one() {
        let numbers = numbers(60);
        let words = ["Totaal Delft", "Totaal Leiden", "Totaal Breda"];
        let all = numbers.iter().map(String::as_str);
        let (own, cards) = (of(all.clone().chain(words)), of(all));
        assert!(words.iter().all(|word| is_odd(word, &own, &cards)));
        // Other numbers in such a share are another range of numbers.
        let range = ["X-1", "X-2", "X-3"];
        let own = of(numbers.iter().map(String::as_str).chain(range));
        assert!(range.iter().all(|key| !is_odd(key, &own, &cards)));
    }

    #[test]
    fn nothing_is_odd_where_there_is_no_common_look() {
        assert!(!is_odd("Totaal", &of(["Totaal", "1"]), &of(["2"])), "two others");
        let random = ["a9-b", "9a-9", "b-9a9", "9-9", "aA9", "A-a"];
        assert!(!is_odd("x9X-9", &of(random.into_iter().chain(["x9X-9"])), &of([])));
        // A look that a card has is known.
        assert!(!is_odd("Totaal", &of(["Totaal", "1", "2", "3"]), &of(["Algemeen"])));
        // Numbers that were never padded have any length.
        let growing: Vec<String> = (1..=120).map(|nr: u32| nr.to_string()).collect();
        assert!(!is_odd("7", &of(growing.iter().map(String::as_str)), &of([])));
    }

    proptest! {
        /// Whatever has no digit is odd among numbers, and whatever is as long as they are is not.
        #[test]
        fn words_are_odd_and_numbers_are_not(count in 20_u32..80, word in "[A-Za-z#=/_. -]{0,8}[A-Za-z#=/_-]", number in 100_000_u32..999_999) {
            prop_assert!(odd(count, &word));
            prop_assert!(!odd(count, &number.to_string()));
        }
    }
}
