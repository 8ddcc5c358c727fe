//! Names of humans, made comparable: accents, the two spellings of umlauts, small words, the order of the parts.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Small words of surnames that one list has in a field of their own and another before the name.
const PARTICLES: [&str; 18] = [
    "van", "de", "den", "der", "het", "t", "te", "ter", "ten", "von", "zu", "zum", "la", "le", "du", "da", "di", "dos",
];

/// The words of a name in lower case without accents, in both spellings that lists use: `Müller` is `muller` here and
/// `mueller` there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Name {
    plain: Vec<String>,
    /// Only where it is another than `plain`.
    spelled_out: Option<Vec<String>>,
}

/// How a letter that is no letter of plain Latin with an accent is written without it.
fn without_accent(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        _ => return None,
    })
}

/// How a letter is written where a system has no accents, in German and Scandinavian.
fn spelled_out(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ä' => "ae",
        'ö' | 'ø' => "oe",
        'ü' => "ue",
        'å' => "aa",
        _ => return None,
    })
}

fn is_small(word: &str) -> bool {
    PARTICLES.contains(&word)
}

fn words(text: &str, also: impl Fn(char) -> Option<&'static str>) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfc().flat_map(char::to_lowercase) {
        if let Some(written) = also(letter).or_else(|| without_accent(letter)) {
            plain.push_str(written);
            continue;
        }
        for part in std::iter::once(letter).nfd().filter(|part| !is_combining_mark(*part)) {
            plain.push(if part.is_alphanumeric() { part } else { ' ' });
        }
    }
    plain.split_whitespace().map(str::to_owned).collect()
}

impl Name {
    /// Of a first name.
    pub fn of(text: &str) -> Self {
        let plain = words(text, |_| None);
        let spelled_out = Some(words(text, spelled_out)).filter(|spelled| *spelled != plain);
        Self { plain, spelled_out }
    }

    /// Of a surname without its small words (unless it has no others), and the small words, with those of a field of their
    /// own before them.
    pub fn of_surname(prefixes: &str, text: &str) -> (Self, Vec<String>) {
        let all = Self::of(text);
        let mut small = words(prefixes, |_| None);
        let core = all.core();
        if core != all {
            small.extend(all.plain.iter().filter(|word| is_small(word)).cloned());
        }
        (core, small)
    }

    /// Without its small words, unless it has no others: for a surname that stands where the first name should.
    #[must_use]
    pub fn core(&self) -> Self {
        let core = |words: &[String]| -> Vec<String> { words.iter().filter(|word| !is_small(word)).cloned().collect() };
        let plain = core(&self.plain);
        if plain.is_empty() {
            return self.clone();
        }
        Self {
            plain,
            spelled_out: self.spelled_out.as_deref().map(core),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Whether it is more than initials.
    pub fn is_spelled_out(&self) -> bool {
        self.plain.iter().any(|word| word.chars().count() > 1)
    }

    /// Whether both are one name, in either spelling.
    pub fn is_same(&self, other: &Name) -> bool {
        self.spellings()
            .any(|one| other.spellings().any(|theirs| one == theirs))
    }

    /// Its words in each spelling.
    pub fn spellings(&self) -> impl Iterator<Item = &[String]> {
        std::iter::once(self.plain.as_slice()).chain(self.spelled_out.as_deref())
    }
}

/// The words of a full name in one order, without accents and small words; `None` where either half is missing.
pub(crate) fn whole_name(first: Option<&str>, surname: Option<&str>) -> Option<Vec<String>> {
    let (first, surname) = (Name::of(first?), Name::of(surname?).core());
    if first.is_empty() || surname.is_empty() {
        return None;
    }
    let mut all: Vec<String> = first.plain.into_iter().chain(surname.plain).collect();
    all.sort();
    Some(all)
}

/// First name and surname.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WholeName {
    first: Name,
    surname: Name,
}

/// How far two whole names are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamesAgree {
    No,
    /// A first name or a surname, or a word of it.
    InPart,
    Wholly,
}

impl WholeName {
    /// Of the two halves as they stand on a card or in a source.
    pub fn of(first: &str, surname: &str) -> Self {
        Self {
            first: Name::of(first),
            surname: Name::of(surname).core(),
        }
    }

    /// How far both are one, in either order.
    pub fn agree(&self, other: &WholeName) -> NamesAgree {
        let first = Names::of_first_names(&self.first, &other.first);
        let surname = Names::of_surnames(&self.surname, &other.surname);
        let swapped = Names::of_surnames(&self.first.core(), &other.surname) == Names::Same
            && Names::of_surnames(&self.surname, &other.first.core()) == Names::Same;
        let related = |names: Names| matches!(names, Names::Same | Names::Alike);
        if swapped || first == Names::Same && surname == Names::Same {
            NamesAgree::Wholly
        } else if related(first) || related(surname) {
            NamesAgree::InPart
        } else {
            NamesAgree::No
        }
    }

    /// By which a list is sorted: the surname, then the first name.
    pub fn order(&self) -> (&[String], &[String]) {
        (&self.surname.plain, &self.first.plain)
    }
}

/// A name on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    Same,
    /// A word in common, or one is short for the other.
    Alike,
    Differ,
    /// One side has none.
    NotKnown,
}

impl Names {
    /// Of two first names: one may be short for the other.
    pub fn of_first_names(a: &Name, b: &Name) -> Self {
        Self::of(a, b, |one, other| one.starts_with(other) || other.starts_with(one))
    }

    /// Of two surnames: a word in common makes them alike.
    pub fn of_surnames(a: &Name, b: &Name) -> Self {
        Self::of(a, b, |one, other| one == other)
    }

    fn of(a: &Name, b: &Name, alike: impl Fn(&str, &str) -> bool) -> Self {
        if a.is_empty() || b.is_empty() {
            return Names::NotKnown;
        }
        if a.is_same(b) {
            return Names::Same;
        }
        let share =
            |one: &[String], other: &[String]| one.iter().any(|word| other.iter().any(|theirs| alike(word, theirs)));
        if a.spellings().any(|one| b.spellings().any(|other| share(one, other))) {
            Names::Alike
        } else {
            Names::Differ
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surnames_are_compared_without_accents_and_small_words() {
        let same = |a: &str, b: &str| Names::of_surnames(&Name::of_surname("", a).0, &Name::of_surname("", b).0);
        assert_eq!(same("van den Berg", "Berg"), Names::Same);
        assert_eq!(same("Müller", "muller"), Names::Same);
        assert_eq!(same("Müller", "Mueller"), Names::Same);
        assert_eq!(same("Sørensen", "Soerensen"), Names::Same);
        assert_eq!(same("Groß", "Gross"), Names::Same);
        assert_eq!(same("Hoek", "Hok"), Names::Differ);
        assert_eq!(same("Visser-de Boer", "Visser"), Names::Alike);
        assert_eq!(same("de", "Berg"), Names::Differ);
        assert_eq!(same("", "Berg"), Names::NotKnown);
        assert_eq!(
            Name::of_surname("van der", "Berg").1,
            Name::of_surname("", "van der Berg").1
        );
    }

    #[test]
    fn whole_names_agree_wholly_in_part_or_not() {
        let agree = |a: (&str, &str), b: (&str, &str)| WholeName::of(a.0, a.1).agree(&WholeName::of(b.0, b.1));
        assert_eq!(agree(("Eva", "van den Berg"), ("Eva", "Berg")), NamesAgree::Wholly);
        assert_eq!(agree(("Berg", "Eva"), ("Eva", "Berg")), NamesAgree::Wholly);
        assert_eq!(agree(("Tim", "Kok"), ("Timothy", "Jansen")), NamesAgree::InPart);
        assert_eq!(agree(("", "Kok"), ("Tim", "Kok")), NamesAgree::InPart);
        assert_eq!(agree(("Eva", "Smit"), ("Jan", "Kok")), NamesAgree::No);
        assert_eq!(agree(("", ""), ("Jan", "Kok")), NamesAgree::No);
    }

    #[test]
    fn a_first_name_may_be_short_for_another() {
        let first = |a: &str, b: &str| Names::of_first_names(&Name::of(a), &Name::of(b));
        assert_eq!(first("Jo", "Johan"), Names::Alike);
        assert_eq!(first("E.", "Eva"), Names::Alike);
        assert_eq!(first("Eva", "Jan"), Names::Differ);
        assert!(!Name::of("J. P.").is_spelled_out() && Name::of("Jan P.").is_spelled_out());
    }
}
