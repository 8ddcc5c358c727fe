//! 'Did you mean': the known word nearest to an unknown one.

/// The nearest of the known words, if one is near enough to be meant. Upper and lower case, `-` and `_` do not count.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(word);
    if wanted.is_empty() {
        return None;
    }
    // A third of the letters may be wrong, or the start must agree: `user` means `username`, `url` does not mean `key`.
    let limit = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter_map(|candidate| {
            let other = plain(candidate);
            let distance = strsim::damerau_levenshtein(&wanted, &other);
            let alike = strsim::jaro_winkler(&wanted, &other);
            let near = distance <= limit && distance < other.chars().count().max(2);
            (near || alike >= 0.88).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Words in a list of what is known; a line that fills the screen helps nobody.
const MOST_LISTED: usize = 30;

/// The cure for an unknown word: the nearest, or all that are known.
pub fn cure(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => all(known),
    }
}

/// All that are known, or so many that one sees what they are like.
pub fn all(known: &[&str]) -> String {
    match known.split_at_checked(MOST_LISTED) {
        Some((listed, more)) if !more.is_empty() => format!(
            "known here: {} and {} more, see `cardsync config schema`",
            listed.join(", "),
            more.len()
        ),
        Some(_) | None => format!("known here: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_are_recognised_and_other_words_are_not() {
        let known = ["username", "url", "expect", "max_drop", "archiving_reason", "surName"];
        let meant = |word| nearest(word, known);
        assert_eq!(meant("expct"), Some("expect"));
        assert_eq!(meant("user"), Some("username"));
        assert_eq!(meant("max-drop"), Some("max_drop"));
        assert_eq!(meant("surname"), Some("surName"));
        assert_eq!(meant("archive_reason"), Some("archiving_reason"));
        assert_eq!(meant("colour"), None);
        assert_eq!(meant("x"), None);
        assert_eq!(meant(""), None);
    }
}
