//! Exports with one row per contract: which row describes the person, and whether all have ended.

use super::condition::Condition;
use super::inputs::Records;
use crate::domain::identity::{Moment, Truth};
use crate::domain::ids::SourceName;
use crate::domain::record::{AttributeNames, SourceRecord, Standing};

/// Makes one record per key of a source's rows, which must be sorted by key and, within a key, by their place in the file.
///
/// - The first row that is current describes the person.
/// - Else the first of which it is not known: unknown is not ended.
/// - Else all rows have ended: the last one describes the person, as [`Standing::AllRowsEnded`].
pub fn group_rows(
    records: Vec<SourceRecord>,
    names: &AttributeNames,
    source: &SourceName,
    condition: &Condition,
    moment: Moment,
) -> Vec<SourceRecord> {
    let mut people: Vec<SourceRecord> = Vec::with_capacity(records.len());
    // How the row chosen so far stands; the chosen row is the last of `people`.
    let mut chosen = Truth::False;
    for mut record in records {
        let row = Records::Row {
            source,
            names,
            place: &record.place,
            values: &record.values,
        };
        let same_person = people.last().is_some_and(|last| last.key == record.key);
        if same_person && chosen == Truth::True {
            continue;
        }
        let current = condition.holds(row, moment);
        record.standing = match current {
            Truth::True | Truth::Unknown(_) => Standing::Current,
            Truth::False => Standing::AllRowsEnded,
        };
        match (same_person, people.last_mut()) {
            (true, Some(last)) => {
                let better = match (&current, &chosen) {
                    (Truth::True, _) | (_, Truth::False) => true,
                    (Truth::False | Truth::Unknown(_), Truth::True | Truth::Unknown(_)) => false,
                };
                if better {
                    *last = record;
                    chosen = current;
                }
            }
            _ => {
                people.push(record);
                chosen = current;
            }
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::{Key, RawKey};
    use crate::domain::record::{Place, Values};
    use crate::mapping::parse::KnownSource;
    use chrono::{TimeZone, Utc};

    fn row(key: &str, line: u64, end: &str) -> SourceRecord {
        SourceRecord {
            key: Key::stored(key),
            raw_key: RawKey(key.into()),
            place: Place::Line(line),
            values: vec![Values::One(key.into()), Values::One(end.into())].into(),
            anchor: None,
            standing: Standing::Current,
        }
    }

    fn grouped(rows: Vec<SourceRecord>) -> Vec<(String, u64, Standing)> {
        let source = SourceName::new("hr");
        let known = [KnownSource {
            name: source.clone(),
            directory: false,
        }];
        let condition = Condition::compile("{{ hr['Contract end'] | date >= today }}", &known).unwrap();
        let names = AttributeNames::new(["Number".to_owned(), "Contract end".to_owned()], false);
        let moment = Moment {
            now: Utc.with_ymd_and_hms(2024, 6, 1, 10, 0, 0).unwrap(),
            zone: chrono_tz::Europe::Amsterdam,
        };
        group_rows(rows, &names, &source, &condition, moment)
            .into_iter()
            .map(|record| match record.place {
                Place::Line(line) => (record.key.to_string(), line, record.standing),
                Place::Dn(_) => panic!("rows have lines"),
            })
            .collect()
    }

    #[test]
    fn the_first_current_row_describes_the_person() {
        let rows = vec![
            row("1", 2, "2020-01-01"),
            row("1", 3, "2025-01-01"),
            row("1", 4, ""),
            row("2", 5, ""),
        ];
        assert_eq!(
            grouped(rows),
            [
                ("1".to_owned(), 3, Standing::Current),
                ("2".to_owned(), 5, Standing::Current)
            ]
        );
    }

    #[test]
    fn a_row_that_cannot_be_read_is_not_an_ended_one() {
        let rows = vec![
            row("1", 2, "2020-01-01"),
            row("1", 3, "soon"),
            row("1", 4, "2021-01-01"),
        ];
        assert_eq!(grouped(rows), [("1".to_owned(), 3, Standing::Current)]);
        let current_behind = vec![
            row("1", 2, "soon"),
            row("1", 3, "2021-01-01"),
            row("1", 4, "2024-06-01"),
        ];
        assert_eq!(grouped(current_behind), [("1".to_owned(), 4, Standing::Current)]);
    }

    #[test]
    fn only_when_all_rows_have_ended_has_the_person_left() {
        let rows = vec![
            row("1", 2, "2020-01-01"),
            row("1", 3, "2021-01-01"),
            row("2", 4, "2024-05-31"),
        ];
        assert_eq!(
            grouped(rows),
            [
                ("1".to_owned(), 3, Standing::AllRowsEnded),
                ("2".to_owned(), 4, Standing::AllRowsEnded)
            ]
        );
        assert!(grouped(Vec::new()).is_empty());
    }
}
