//! Exports with a row per contract: what the rows of one person say together, and what is remembered of them.
//!
//! 'Every row has ended' says that a current row is missing, and so it is as weak as absence, unless the row that was there
//! is the one that ended (RULES 4.5). Which row that was is remembered by what stays the same of a row while its end date is
//! filled in or passes, never by its place in the file.

use crate::core::model::record::{Place, SourceRecord, Values};
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// How one row stands on the day of the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    Current,
    /// The condition gives neither yes nor no, or the dates of the row contradict each other.
    NotKnown,
    /// The first day on which it will be current.
    Begins(NaiveDate),
    /// The first day on which it was current no more, where it goes by a date.
    Ended(Option<NaiveDate>),
}

/// One row and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub place: Place,
    #[serde(flatten)]
    pub state: RowState,
    /// It describes the person, alone or together with others.
    pub leads: bool,
}

/// What the rows of one person say together, beside the one that describes the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// All of them by their places, for `explain`: nothing is decided by a place.
    pub all: Vec<Row>,
    /// Other rows that lead as well as the describing one: where they differ, nothing says which of them holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<SourceRecord>,
    /// The marks of the rows that go on, or may, and of those that have ended.
    pub marks: RowMarks,
    /// The first day on which a row begins, where none is current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NaiveDate>,
    /// The day since which no row has been current, where all have ended and the days are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<NaiveDate>,
    /// Which rows are current depends on the clock.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_date: bool,
    /// Why it is not known whether a row is current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Rows {
    /// Whether a row has ended; with a row that begins later that is a gap between two contracts.
    pub fn any_ended(&self) -> bool {
        !self.marks.ended.is_empty()
    }
}

/// Marks of the rows of one person: short hashes of what stays the same of a row. Small: there may be one per card. Two rows
/// can have one mark, so they are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowMarks {
    /// Rows that are current, or begin later, or of which it is not known: each stands for a contract that may go on.
    pub live: Box<[u32]>,
    /// Rows that have ended.
    pub ended: Box<[u32]>,
}

impl RowMarks {
    /// Marks in any order.
    pub fn new(mut live: Vec<u32>, mut ended: Vec<u32>) -> Self {
        live.sort_unstable();
        ended.sort_unstable();
        Self {
            live: live.into(),
            ended: ended.into(),
        }
    }

    /// Whether every contract that went on when this was remembered is among the rows that have ended since.
    ///
    /// A row that had ended before is no evidence of today, and a contract that is neither current nor ended is a row that
    /// is missing.
    pub fn have_ended_in(&self, today: &RowMarks) -> bool {
        let mut since = today.ended.to_vec();
        for mark in &self.ended {
            if let Some(at) = since.iter().position(|known| known == mark) {
                since.swap_remove(at);
            }
        }
        let mut found = |mark: &u32| {
            let at = since.iter().position(|known| known == mark);
            at.map(|at| since.swap_remove(at)).is_some()
        };
        !self.live.is_empty() && today.live.is_empty() && self.live.iter().all(&mut found)
    }
}

/// The mark of a row: of its person and of what stays the same of it. Seasoned with the key, so that equal dates of two
/// people have nothing in common.
pub fn mark<'a>(key: &'a str, what_stays: impl Iterator<Item = &'a str>) -> u32 {
    let mut digest = Sha256::new();
    for part in std::iter::once(key).chain(what_stays) {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let bytes = digest.finalize();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The texts of some values, with a sign between two attributes.
pub fn texts<'a>(values: impl Iterator<Item = &'a Values>) -> impl Iterator<Item = &'a str> {
    values.flat_map(|values| {
        let texts = values.as_slice().iter().map(|text| text.trim());
        texts.chain(std::iter::once("\u{1f}"))
    })
}

impl Serialize for RowMarks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hex = |marks: &[u32]| marks.iter().map(|mark| format!("{mark:08x}")).collect::<String>();
        serializer.serialize_str(&format!("{}/{}", hex(&self.live), hex(&self.ended)))
    }
}

impl<'de> Deserialize<'de> for RowMarks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        // What cannot be read was never seen: then nothing has ended, and everybody waits as long as for absence.
        let read = text
            .split_once('/')
            .and_then(|(live, ended)| Some(Self::new(marks(live)?, marks(ended)?)));
        Ok(read.unwrap_or_default())
    }
}

fn marks(hex: &str) -> Option<Vec<u32>> {
    let pieces = hex.as_bytes().chunks(8);
    pieces
        .map(|piece| match piece.len() {
            8 => u32::from_str_radix(std::str::from_utf8(piece).ok()?, 16).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(live: &[u32], ended: &[u32]) -> RowMarks {
        RowMarks::new(live.to_vec(), ended.to_vec())
    }

    #[test]
    fn only_the_contract_that_went_on_and_has_ended_since_is_evidence() {
        let known = of(&[7], &[3]);
        assert!(known.have_ended_in(&of(&[], &[3, 7])));
        // Old ended rows that HR has cleared away are no objection.
        assert!(known.have_ended_in(&of(&[], &[7])));
        for (today, why) in [
            (of(&[], &[3]), "the row that was current is missing"),
            (of(&[], &[3, 3]), "another row"),
            (of(&[9], &[3, 7]), "another contract goes on"),
            (of(&[], &[]), "no row at all"),
        ] {
            assert!(!known.have_ended_in(&today), "{why}");
        }
        assert!(!RowMarks::default().have_ended_in(&of(&[], &[7])), "never seen");
    }

    #[test]
    fn every_contract_must_have_ended_and_equal_marks_are_counted() {
        assert!(!of(&[7, 8], &[]).have_ended_in(&of(&[], &[7])));
        assert!(of(&[7, 8], &[]).have_ended_in(&of(&[], &[7, 8])));
        assert!(!of(&[7, 7], &[]).have_ended_in(&of(&[], &[7])));
        // One of two equal rows had ended before: that one is no evidence.
        assert!(!of(&[7], &[7]).have_ended_in(&of(&[], &[7])));
        assert!(of(&[7], &[7]).have_ended_in(&of(&[], &[7, 7])));
    }

    #[test]
    fn marks_are_kept_as_text() {
        let marks = of(&[1, u32::MAX], &[5]);
        let text = serde_json::to_string(&marks).expect("json");
        assert_eq!(text, "\"00000001ffffffff/00000005\"");
        assert_eq!(serde_json::from_str::<RowMarks>(&text).expect("json"), marks);
        assert_eq!(
            serde_json::from_str::<RowMarks>("\"0001/\"").expect("json"),
            RowMarks::default()
        );
    }
}
