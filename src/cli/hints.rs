//! Hints that can be typed as they stand: where a command was told its configuration by an option, the commands that it
//! proposes are told as well. Everywhere else in the program a hint is `cardsync holds`.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

/// The option of this process, and the commands that it belongs to.
static GIVEN: OnceLock<Given> = OnceLock::new();

struct Given {
    /// ` -c FILE`, as a shell takes it.
    option: String,
    commands: Vec<String>,
}

/// From now on hints name this file. Without the option a command finds its configuration by itself, and so does the next.
pub(super) fn name(config: &Path, commands: impl Iterator<Item = String>) {
    let file = config.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
    let quoted = if file.chars().all(plain) {
        file
    } else {
        format!("'{}'", file.replace('\'', r"'\''"))
    };
    let _first_counts = GIVEN.set(Given {
        option: format!(" -c {quoted}"),
        commands: commands.collect(),
    });
}

/// A text with the option in its hints.
pub(super) fn complete(text: &str) -> Cow<'_, str> {
    match GIVEN.get() {
        Some(given) => with_option(text, given),
        None => Cow::Borrowed(text),
    }
}

fn with_option<'t>(text: &'t str, given: &Given) -> Cow<'t, str> {
    const CALLED: &str = "cardsync ";
    let mut completed = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices(CALLED) {
        let after = &text[at + CALLED.len()..];
        let word = after
            .split(|letter: char| !letter.is_ascii_lowercase())
            .next()
            .unwrap_or_default();
        if given.commands.iter().any(|command| command == word) {
            let end = at + CALLED.len() - 1;
            completed.push_str(&text[copied..end]);
            completed.push_str(&given.option);
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    completed.push_str(&text[copied..]);
    Cow::Owned(completed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_file_and_nothing_else_changes() {
        let given = Given {
            option: " -c my.yaml".to_owned(),
            commands: ["holds", "approve"].map(str::to_owned).to_vec(),
        };
        let shown = with_option(
            "see cardsync holds; cardsync approve ID. cardsync holds `cardsync approve X`",
            &given,
        );
        assert_eq!(
            shown,
            "see cardsync -c my.yaml holds; cardsync -c my.yaml approve ID. cardsync -c my.yaml holds `cardsync -c my.yaml \
             approve X`"
        );
        for other in [
            "cardsync has archived no card",
            "cardsync -c my.yaml holds",
            "cardsync holdsall",
        ] {
            assert_eq!(with_option(other, &given), other);
        }
    }
}
