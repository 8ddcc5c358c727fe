//! What a question about a person or a record goes by, as a hash: with another value it is another question, and a line or a
//! day that moves on makes no new one. Nothing can be read from it.

use crate::core::model::field::CardField;
use crate::core::model::identity::{JoinedRecord, Part};
use crate::core::model::record::{SourceRecord, Values};
use crate::core::plan::short_hash;

/// What is asked of somebody's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether they are in scope.
    Scope,
    /// Whether they leave, with the rows and the first day that this goes by.
    Leaving,
    /// When they begin.
    FirstDay,
    /// What this field of their card should hold.
    Field(CardField),
}

/// Texts as one mark, whatever they are.
pub fn mark_of(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(text.as_ref().as_bytes());
        bytes.push(0);
    }
    short_hash(&bytes)
}

/// What values say, with the place of each: a value that moves to another column is another content.
pub fn mark_of_values(values: &[Values]) -> String {
    mark_of(texts(values))
}

/// What a record says, with the rows that lead as well as it.
pub fn mark_of_record(record: &SourceRecord) -> String {
    let beside = record.rows.iter().flat_map(|rows| &rows.beside);
    let mut rows: Vec<String> = beside.map(|row| mark_of_values(&row.values)).collect();
    rows.push(mark_of_values(&record.values));
    rows.sort();
    mark_of(rows)
}

/// Everything that the records of a person say.
pub(crate) fn all_values(joined: &JoinedRecord<'_>) -> Vec<String> {
    let parts = joined.parts.iter().map(|(source, (_, part))| match part {
        Part::Record(record) => format!("{source} {}", mark_of_record(record)),
        Part::NoRecord => format!("{source} -"),
        Part::Unknown(_) => format!("{source} ?"),
    });
    parts.collect()
}

/// A sentence without its numbers: counts, lines and times move on while the question stays.
pub(crate) fn without_numbers(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

fn texts(values: &[Values]) -> Vec<String> {
    let columns = values.iter().enumerate();
    let with_place = columns.flat_map(|(place, values)| {
        let values = values.as_slice().iter();
        values.map(move |value| format!("{place} {}", value.trim()))
    });
    with_place.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> Values {
        Values::One(value.into())
    }

    #[test]
    fn another_value_or_another_place_is_another_content_and_blanks_are_none() {
        let before = mark_of_values(&[one("later"), one("")]);
        assert_eq!(before, mark_of_values(&[one(" later "), one("")]));
        assert_ne!(before, mark_of_values(&[one("sooner"), one("")]));
        assert_ne!(before, mark_of_values(&[one(""), one("later")]));
        assert_ne!(mark_of(["a", "b"]), mark_of(["ab", ""]));
    }

    #[test]
    fn a_sentence_goes_by_its_words() {
        assert_eq!(without_numbers("36 hours old"), without_numbers("37 hours old"));
        assert_ne!(
            without_numbers("hr.End is no date"),
            without_numbers("hr.Start is no date")
        );
    }
}
