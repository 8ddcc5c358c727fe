//! Names of months in Dutch, German and French, as exports of these languages write them.

/// The English names of three letters, which the formats read, and the other names of each month. No name of one language
/// is another month in another one.
const NAMES: [(&str, &[&str]); 12] = [
    (
        "Jan",
        &["januari", "januar", "j\u{e4}nner", "j\u{e4}n", "janvier", "janv"],
    ),
    (
        "Feb",
        &[
            "februari",
            "februar",
            "feber",
            "f\u{e9}vrier",
            "fevrier",
            "f\u{e9}vr",
            "fevr",
            "f\u{e9}v",
            "fev",
        ],
    ),
    (
        "Mar",
        &["maart", "mrt", "m\u{e4}rz", "maerz", "m\u{e4}r", "mrz", "mars"],
    ),
    ("Apr", &["avril", "avr"]),
    ("May", &["mei", "mai"]),
    ("Jun", &["juni", "juin"]),
    ("Jul", &["juli", "juillet", "juil", "juill"]),
    ("Aug", &["augustus", "ao\u{fb}t", "aout"]),
    ("Sep", &["sept", "septembre"]),
    ("Oct", &["oktober", "okt", "octobre"]),
    ("Nov", &["novembre"]),
    ("Dec", &["dezember", "dez", "d\u{e9}cembre", "decembre", "d\u{e9}c"]),
];

/// The English name of three letters, whatever of these languages the month is written in.
fn english(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let english = |name: &str| {
        let long = [
            "january",
            "february",
            "march",
            "april",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        word == name.to_lowercase() || word.starts_with(&name.to_lowercase()) && long.contains(&word.as_str())
    };
    let found = NAMES
        .iter()
        .find(|(name, others)| english(name) || others.contains(&word.as_str()));
    found.map(|(name, _)| *name)
}

/// The text with the months in English: as it is otherwise, and without the full stop of an abbreviation. Empty where it
/// names no month.
pub(super) fn in_english(text: &str) -> Vec<String> {
    let (mut dotted, mut plain) = (String::new(), String::new());
    let mut rest = text;
    let mut found = false;
    while let Some(first) = rest.chars().next() {
        let letters = first.is_alphabetic();
        let end = rest.find(|c: char| c.is_alphabetic() != letters).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        match english(piece) {
            Some(name) => {
                found = true;
                dotted.push_str(name);
                plain.push_str(name);
                if let Some(after) = rest.strip_prefix('.') {
                    dotted.push('.');
                    rest = after;
                }
            }
            None => {
                dotted.push_str(piece);
                plain.push_str(piece);
            }
        }
    }
    match (found, dotted == plain) {
        (false, _) => Vec::new(),
        (true, true) => vec![plain],
        (true, false) => vec![dotted, plain],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_one_month() {
        let all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for (month, names) in NAMES {
            for name in names.iter().chain([&month]) {
                assert_eq!(english(&name.to_uppercase()), Some(month), "{name}");
            }
        }
        for word in ["", "T", "Z", "ma", "maandag", "marketing"] {
            assert_eq!(english(word), None, "{word}");
        }
    }

    #[test]
    fn a_full_stop_may_end_an_abbreviation() {
        assert_eq!(in_english("3 maart 2026"), ["3 Mar 2026"]);
        assert_eq!(in_english("3. M\u{e4}rz 2026"), ["3. Mar 2026"]);
        assert_eq!(in_english("3 janv. 2026"), ["3 Jan. 2026", "3 Jan 2026"]);
        assert!(in_english("03-04-2026").is_empty());
    }
}
