//! The same value gives the same pseudonym, whatever its capitals and wherever it stands; another value another one.
//!
//! A word is replaced by a word of the same length out of the same alphabets, by a permutation of all such words that
//! only the random key knows (a Feistel network over HMAC-SHA256). A permutation, and not a cut-off hash: two logins can
//! never fall together, no field grows too long, and what was double stays double. The key is made for one snapshot and
//! dropped with it. Whoever has the file but not the key sees lengths, capitals and what is equal, and nothing else.
//!
//! Must not keep or log a value.

use super::alphabet::{Alphabets, Symbol};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Rounds of the network, for each half; four are proven to be enough for a random function, and they are cheap.
const ROUNDS: u8 = 4;
/// Largest number of words in one permutation: halves and sums stay far below 128 bits.
const LARGEST: u128 = 1 << 64;
/// Longest local part that leaves room for the domain in the 100 characters of an e-mail field.
const LONGEST_LOCAL: usize = 64;

/// Makes the pseudonyms of one snapshot.
pub(super) struct Pseudonyms {
    keyed: Hmac<Sha256>,
    alphabets: Alphabets,
}

impl Pseudonyms {
    /// Under a fresh random key that nothing else ever sees.
    pub(super) fn random() -> Self {
        // Two version-4 UUIDs from the operating system's generator: 244 random bits, without another dependency.
        let mut key = [0; 32];
        key[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        key[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        Self::with_key(&key)
    }

    fn with_key(key: &[u8]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(key).expect("HMAC takes keys of every length"),
            alphabets: Alphabets::new(),
        }
    }

    /// Every word replaced; blanks, punctuation, asterisks, capitals and leading zeros stay where they are.
    pub(super) fn words(&self, value: &str) -> String {
        let mut replaced = String::with_capacity(value.len());
        let mut word = Vec::new();
        for c in value.chars() {
            if c.is_alphanumeric() {
                word.push(c);
            } else {
                self.word(&word, &mut replaced);
                word.clear();
                replaced.push(c);
            }
        }
        self.word(&word, &mut replaced);
        replaced
    }

    /// An e-mail address at example.invalid; one subdomain for each domain that there was. What holds no letter or digit
    /// (empty, asterisks) stays.
    pub(super) fn email(&self, value: &str) -> String {
        let address = value.trim();
        if !address.chars().any(char::is_alphanumeric) {
            return value.to_owned();
        }
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let usual = |c: char| c.is_ascii_alphanumeric() || "._%+-'&".contains(c);
        let local = if local.len() <= LONGEST_LOCAL && !local.is_empty() && local.chars().all(usual) {
            self.words(local)
        } else {
            self.token(b"local", local, 16)
        };
        let tag = self.token(b"domain", domain, 4);
        value.replacen(address, &format!("{local}@{tag}.example.invalid"), 1)
    }

    /// A login: like an e-mail address where it has the form of one, so that both stay equal.
    pub(super) fn login(&self, value: &str) -> String {
        if value.contains('@') {
            self.email(value)
        } else {
            self.words(value)
        }
    }

    /// Text that people wrote. One word may be a number or a code that stands elsewhere too and is replaced like that;
    /// more become letters without meaning, so that no language shows through.
    pub(super) fn text(&self, value: &str) -> String {
        if value.split_whitespace().count() < 2 {
            return self.login(value);
        }
        let mut stream = self.stream(b"text", value);
        let replace = |c: char| {
            if !c.is_alphanumeric() {
                return c;
            }
            let mut symbol = self.alphabets.symbol(c);
            let size = self.alphabets.size(symbol.alphabet);
            symbol.place = usize::try_from(stream.next().unwrap_or_default()).unwrap_or_default() % size;
            self.alphabets.character(symbol)
        };
        value.chars().map(replace).collect()
    }

    /// A number below `limit` for this value.
    pub(super) fn below(&self, limit: u32, value: &str) -> u32 {
        let number = self.stream(b"number", value).next().unwrap_or_default();
        number % limit.max(1)
    }

    /// So many small letters that stand for a value.
    fn token(&self, purpose: &[u8], value: &str, letters: usize) -> String {
        let letter = |number: u32| char::from(b'a' + u8::try_from(number % 26).expect("26 letters"));
        self.stream(purpose, value).take(letters).map(letter).collect()
    }

    /// Numbers without end that stand for a value, whatever its capitals and the blanks around it.
    fn stream(&self, purpose: &[u8], value: &str) -> impl Iterator<Item = u32> {
        let mut start = self.keyed.clone();
        start.update(purpose);
        start.update(&[0]);
        start.update(value.trim().to_lowercase().as_bytes());
        (0_u32..).flat_map(move |block| {
            let mut mac = start.clone();
            mac.update(&[0]);
            mac.update(&block.to_be_bytes());
            let bytes: [u8; 32] = mac.finalize().into_bytes().into();
            bytes
                .chunks_exact(4)
                .map(|four| u32::from_be_bytes(four.try_into().expect("chunks of four")))
                .collect::<Vec<_>>()
        })
    }

    fn word(&self, word: &[char], out: &mut String) {
        let number = word.iter().all(char::is_ascii_digit);
        // 0012 and 12 are the same number to many: they stay so.
        let zeros = if number {
            word.iter().take_while(|c| **c == '0').count()
        } else {
            0
        };
        out.extend(std::iter::repeat_n('0', zeros));
        let mut symbols: Vec<Symbol> = word[zeros..].iter().map(|c| self.alphabets.symbol(*c)).collect();
        // What was before a part decides about the part, so that equal ends do not show.
        let mut before: Vec<u8> = vec![u8::from(number)];
        let mut rest = &mut symbols[..];
        let mut first = number;
        while !rest.is_empty() {
            let radix =
                |at: usize, symbol: &Symbol| self.alphabets.size(symbol.alphabet) - usize::from(first && at == 0);
            let mut radices: Vec<u128> = Vec::new();
            let mut words: u128 = 1;
            for (at, symbol) in rest.iter().enumerate() {
                let radix = radix(at, symbol) as u128;
                if words * radix > LARGEST {
                    break;
                }
                words *= radix;
                radices.push(radix);
            }
            let (part, later) = rest.split_at_mut(radices.len());
            let original: Vec<u8> = part
                .iter()
                .flat_map(|symbol| {
                    let place = u32::try_from(symbol.place).unwrap_or_default().to_be_bytes();
                    [
                        u8::try_from(symbol.alphabet).unwrap_or_default(),
                        place[1],
                        place[2],
                        place[3],
                    ]
                })
                .collect();
            for symbol in part.iter() {
                before.push(u8::try_from(symbol.alphabet).unwrap_or_default());
            }
            self.permute(part, &radices, usize::from(first), &before);
            before.extend(original);
            first = false;
            rest = later;
        }
        out.extend(symbols.iter().map(|symbol| self.alphabets.character(*symbol)));
    }

    /// Replaces the symbols by another row of symbols, never by themselves: the words are put into a secret order, and
    /// each is replaced by the one after it.
    fn permute(&self, symbols: &mut [Symbol], radices: &[u128], lowest: usize, tweak: &[u8]) {
        let half = symbols.len() / 2;
        let places: Vec<u128> = symbols
            .iter()
            .enumerate()
            .map(|(at, symbol)| (symbol.place - if at == 0 { lowest } else { 0 }) as u128)
            .collect();
        let network = Network {
            keyed: &self.keyed,
            tweak,
            left: radices[..half].iter().product(),
            right: radices[half..].iter().product(),
        };
        let number = |places: &[u128], radices: &[u128]| {
            places
                .iter()
                .zip(radices)
                .fold(0, |number, (place, radix)| number * radix + place)
        };
        let start = (
            number(&places[..half], &radices[..half]),
            number(&places[half..], &radices[half..]),
        );
        let (left, right) = network.forth(start);
        let next = (left * network.right + right + 1) % (network.left * network.right);
        let (mut left, mut right) = network.back((next / network.right, next % network.right));
        for at in (0..symbols.len()).rev() {
            let rest = if at < half { &mut left } else { &mut right };
            let place = usize::try_from(*rest % radices[at]).expect("a place in an alphabet");
            *rest /= radices[at];
            symbols[at].place = place + if at == 0 { lowest } else { 0 };
        }
    }
}

/// A Feistel network over pairs of numbers, the first below `left`, the second below `right`.
struct Network<'a> {
    keyed: &'a Hmac<Sha256>,
    tweak: &'a [u8],
    left: u128,
    right: u128,
}

impl Network<'_> {
    fn round(&self, round: u8, other: u128, below: u128) -> u128 {
        let mut mac = self.keyed.clone();
        mac.update(b"word\0");
        mac.update(&[round]);
        mac.update(&other.to_be_bytes());
        mac.update(self.tweak);
        let bytes = mac.finalize().into_bytes();
        u128::from_be_bytes(bytes[..16].try_into().expect("HMAC-SHA256 gives 32 bytes")) % below
    }

    fn forth(&self, (mut left, mut right): (u128, u128)) -> (u128, u128) {
        for round in 0..ROUNDS {
            left = (left + self.round(2 * round, right, self.left)) % self.left;
            right = (right + self.round(2 * round + 1, left, self.right)) % self.right;
        }
        (left, right)
    }

    fn back(&self, (mut left, mut right): (u128, u128)) -> (u128, u128) {
        for round in (0..ROUNDS).rev() {
            right = (right + self.right - self.round(2 * round + 1, left, self.right)) % self.right;
            left = (left + self.left - self.round(2 * round, right, self.left)) % self.left;
        }
        (left, right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::with_key(b"a key of the test")
    }

    #[test]
    fn every_short_word_has_its_own_pseudonym_and_none_is_its_own() {
        let names = pseudonyms();
        let digits: BTreeSet<String> = (1..3_000).map(|n| names.words(&n.to_string())).collect();
        assert_eq!(digits.len(), 2_999);
        assert!((1..3_000).all(|n: u32| names.words(&n.to_string()) != n.to_string()));
        let letters: Vec<String> = ('a'..='z')
            .flat_map(|a| ('a'..='z').map(move |b| format!("{a}{b}")))
            .collect();
        let replaced: BTreeSet<String> = letters.iter().map(|word| names.words(word)).collect();
        assert_eq!(replaced.len(), letters.len());
        assert!(letters.iter().all(|word| names.words(word) != *word));
    }

    #[test]
    fn what_carries_no_person_stays() {
        let names = pseudonyms();
        for value in ["", " ", "*****", "*", "-", "**@**"] {
            assert_eq!(names.words(value), value);
            assert_eq!(names.email(value), value);
            assert_eq!(names.text(value), value);
        }
        assert_eq!(names.words("000"), "000");
    }

    #[test]
    fn variants_of_a_key_stay_variants() {
        let names = pseudonyms();
        let plain = names.words("1042");
        assert_eq!(names.words("001042"), format!("00{plain}"));
        assert_eq!(names.words(" 1042 "), format!(" {plain} "));
        assert_eq!(names.words("AB-7Q"), names.words("ab-7q").to_uppercase());
        assert!(plain.len() == 4 && !plain.starts_with('0') && plain != "1042");
    }

    #[test]
    fn addresses_and_logins_stay_equal_and_valid() {
        let names = pseudonyms();
        let address = names.email("J.Visser@Example.org");
        assert!(address.ends_with(".example.invalid"), "{address}");
        assert!(address.eq_ignore_ascii_case(&names.login("j.visser@example.org")));
        assert!(
            address
                .to_lowercase()
                .starts_with(&format!("{}@", names.login("j.visser")))
        );
        assert_ne!(names.email("a@one.example"), names.email("a@two.example"));
        for odd in ["Jan <jan@x.nl>", "jürgen@x.nl", "no address", "a b@c", &"x".repeat(90)] {
            let replaced = names.email(odd);
            let (local, domain) = replaced.split_once('@').unwrap();
            assert!(
                local.bytes().all(|b| b.is_ascii_graphic()) && domain.ends_with(".example.invalid"),
                "{replaced}"
            );
            assert!(replaced.len() <= 100);
        }
    }

    #[test]
    fn sentences_lose_their_words() {
        let names = pseudonyms();
        let (one, two) = (names.text("calls the desk"), names.text("mails the desk"));
        assert_eq!((one.len(), one.find(' ')), (14, Some(5)));
        assert!(
            one[5..] != two[5..],
            "the same words in another sentence are other letters"
        );
        assert_eq!(names.text("100042"), names.words("100042"));
    }

    #[test]
    fn another_key_gives_other_pseudonyms() {
        assert_ne!(
            Pseudonyms::random().words("Vermeulen"),
            Pseudonyms::random().words("Vermeulen")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn length_and_form_are_kept_and_different_stays_different(one in "[ -~éüłжΩ王]{0,60}", two in "[ -~éüłжΩ王]{0,60}") {
            let names = pseudonyms();
            let replaced = names.words(&one);
            prop_assert_eq!(replaced.chars().count(), one.chars().count());
            for (a, b) in one.chars().zip(replaced.chars()) {
                prop_assert_eq!(a.is_numeric(), b.is_numeric());
                prop_assert_eq!(a.is_uppercase(), b.is_uppercase());
                prop_assert!(a.is_alphanumeric() || a == b);
            }
            prop_assert_eq!(replaced.to_lowercase() == names.words(&two).to_lowercase(), one.to_lowercase() == two.to_lowercase());
        }
    }
}
