//! Values of people in TOPdesk's own words: a refusal may quote what was sent, or what stands on another card, and its text
//! goes to the log, the journal and the screen (RULES 12). Neither is repeated.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// Stands for a value.
const MASK: &str = "***";
/// A number with so many digits may be a telephone number or a date of birth.
const MANY_DIGITS: usize = 6;

/// What a request carried: values that are masked, and names of fields that are not.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// In lower case, the longest first.
    values: Vec<Vec<char>>,
    names: BTreeSet<String>,
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.values.len())
    }
}

impl Sent {
    /// Of a JSON body.
    pub(super) fn of(body: &[u8]) -> Self {
        let mut sent = Sent::default();
        if let Ok(body) = serde_json::from_slice::<Value>(body) {
            sent.collect(&body);
        }
        sent.values.sort_by(|a, b| (b.len(), a).cmp(&(a.len(), b)));
        sent.values.dedup();
        sent
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    self.names.insert(name.clone());
                    self.collect(inner);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::String(text) => self.add(text),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn add(&mut self, text: &str) {
        // Blanks are compared as the text of an answer is shown: one at a time.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let value: Vec<char> = text.chars().map(lower).collect();
        if value.len() > 1 {
            self.values.push(value);
        }
    }

    /// One line of TOPdesk's without values of people.
    pub(super) fn masked(&self, line: &str) -> String {
        let line = self.without_quotations(line);
        let line = self.without_own_values(&line);
        let line = without_numbers(&line);
        let words = line.split(' ').map(|word| if word.contains('@') { MASK } else { word });
        words.collect::<Vec<_>>().join(" ")
    }

    /// What stands between quotation marks, unless it is the name of a field. Without an end it is taken to go on to the end.
    fn without_quotations(&self, line: &str) -> String {
        let letters: Vec<char> = line.chars().collect();
        let mut shown = String::with_capacity(line.len());
        let mut at = 0;
        while at < letters.len() {
            let within_word = at > 0 && letters[at - 1].is_alphanumeric();
            let Some(closing) = closing_of(letters[at]).filter(|_| !within_word) else {
                shown.push(letters[at]);
                at += 1;
                continue;
            };
            let ends = |end: &usize| {
                let next = letters.get(end + 1);
                closing.contains(&letters[*end]) && next.is_none_or(|next| !next.is_alphanumeric())
            };
            let end = (at + 1..letters.len()).find(ends).unwrap_or(letters.len());
            let quoted: String = letters[at + 1..end].iter().collect();
            shown.push(letters[at]);
            shown.push_str(if self.is_field(&quoted) { &quoted } else { MASK });
            shown.extend(letters.get(end));
            at = end + 1;
        }
        shown
    }

    /// A name that the request has, or one in the manner of the API.
    fn is_field(&self, quoted: &str) -> bool {
        let plain = quoted
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
        let first = quoted.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        let camel = first && quoted.chars().any(|c| c.is_ascii_uppercase());
        self.names.contains(quoted) || plain && camel
    }

    fn without_own_values(&self, line: &str) -> String {
        let letters: Vec<char> = line.chars().collect();
        let folded: Vec<char> = letters.iter().copied().map(lower).collect();
        let mut shown = String::with_capacity(line.len());
        let mut at = 0;
        while at < letters.len() {
            let free = |place: usize| letters.get(place).is_none_or(|c| !c.is_alphanumeric());
            let begins = at == 0 || free(at - 1) || free(at);
            let found = self.values.iter().find(|value| {
                let end = at + value.len();
                let ends = end >= letters.len() || free(end) || free(end - 1);
                begins && ends && folded[at..].starts_with(value)
            });
            match found {
                Some(value) => {
                    shown.push_str(MASK);
                    at += value.len();
                }
                None => {
                    shown.push(letters[at]);
                    at += 1;
                }
            }
        }
        shown
    }
}

fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// What ends a quotation that begins so.
fn closing_of(letter: char) -> Option<&'static [char]> {
    match letter {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '`' => Some(&['`', '\'']),
        '\u{201C}' | '\u{201E}' => Some(&['\u{201D}', '\u{201C}']),
        '\u{2018}' | '\u{201A}' => Some(&['\u{2019}', '\u{2018}']),
        '\u{00AB}' => Some(&['\u{00BB}']),
        '\u{00BB}' => Some(&['\u{00AB}']),
        _other => None,
    }
}

/// Numbers long enough to reach or to recognise somebody by, in whatever groups. Ids with letters stay.
fn without_numbers(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    let mut shown = String::with_capacity(line.len());
    let mut at = 0;
    while at < letters.len() {
        let free = at == 0 || !letters[at - 1].is_alphanumeric() && letters[at - 1] != '-';
        let part = |c: &char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '/' | '.' | '(' | ')' | '+');
        let starts = free && (letters[at].is_ascii_digit() || matches!(letters[at], '+' | '('));
        let run = if starts {
            letters[at..].iter().take_while(|c| part(c)).count()
        } else {
            0
        };
        let last = letters[at..at + run].iter().rposition(char::is_ascii_digit);
        let digits = letters[at..at + run].iter().filter(|c| c.is_ascii_digit()).count();
        let bounded = letters.get(at + run).is_none_or(|c| !c.is_alphanumeric());
        match last {
            Some(last) if digits >= MANY_DIGITS && bounded => {
                shown.push_str(MASK);
                at += last + 1;
            }
            Some(_) | None => {
                shown.push(letters[at]);
                at += 1;
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sent(body: &Value) -> Sent {
        Sent::of(&serde_json::to_vec(body).expect("JSON serialises"))
    }

    #[test]
    fn values_of_the_request_and_quotations_are_masked_and_names_of_fields_are_not() {
        let sent = sent(&json!({ "surName": "Zebra fish", "phoneNumber": "+31 88 765", "branch": { "id": "b-1" } }));
        for (said, shown) in [
            ("The value \"Zebrafish\" is too long", "The value \"***\" is too long"),
            ("zebra fish: not unique", "***: not unique"),
            ("Field 'surName' may not be empty", "Field 'surName' may not be empty"),
            ("call +31 88 765 or +31 88 7654321.", "call *** or ***."),
            ("mail a@example.net is Jan's", "mail *** is Jan's"),
            (
                "\u{201E}Jansen\u{201C} has it, \u{00AB}Smit",
                "\u{201E}***\u{201C} has it, \u{00AB}***",
            ),
            (
                "no group with id 4f0e8d1c-0b6e-4f6c-9f3a-9f5f1d0c1a2b",
                "no group with id 4f0e8d1c-0b6e-4f6c-9f3a-9f5f1d0c1a2b",
            ),
            ("born 1980-01-02, room 12", "born ***, room 12"),
        ] {
            assert_eq!(sent.masked(said), shown);
        }
        assert!(!format!("{sent:?}").contains("zebra"));
    }

    proptest! {
        #[test]
        fn no_value_of_the_request_is_repeated(
            value in "[\\p{L}\\p{N}]{2,12}( [\\p{L}]{2,9})?",
            before in "[a-z ]{0,12}[ :\"'(]",
            after in "[ .,:\"')][a-z ]{0,12}",
        ) {
            let sent = sent(&json!({ "firstName": value }));
            let line = format!("{before}{value}{after}").split_whitespace().collect::<Vec<_>>().join(" ");
            let masked = sent.masked(&line);
            let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<String>>();
            let first = words(&value).remove(0);
            let around = words(&format!("{before} {after}"));
            prop_assert!(around.contains(&first) || !words(&masked).contains(&first), "{line} -> {masked}");
        }
    }
}
