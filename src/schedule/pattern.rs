//! Cron text, read strictly. Every field becomes its list of numbers here, so that faults are told in the user's words and
//! no notation means something else underneath; the `cron` crate then finds the dates.
//!
//! Where cron programs disagree, the text is refused: a weekday number next to a seconds field (Sunday is 0 in one
//! tradition and 1 in the other), a day of the month together with a weekday (some take both, some either), and `5/15`
//! (once, or every 15 from 5 on).

use super::ScheduleError;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use std::collections::BTreeSet;
use std::str::FromStr;

/// Wall-clock times, in no zone.
#[derive(Clone, Debug)]
pub(super) struct Pattern(cron::Schedule);

impl Pattern {
    /// Reads 5 fields (from the minute), 6 (from the second) or 7 (with the year).
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleError> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let written = words.len();
        match written {
            5 => words.splice(0..0, ["0"]).for_each(drop),
            6 | 7 => {}
            _ => {
                return Err(ScheduleError::new(
                    format!("has {written} fields, not 5, 6 or 7"),
                    "write e.g. \"*/30 6-20 * * mon-fri\": minute, hour, day, month, weekday; 6 fields begin with the second, \
                     7 also end with the year",
                ));
            }
        }
        let free = |word: &str| word == "*" || word == "?";
        if !free(words[DAY]) && !free(words[WEEKDAY]) {
            return Err(ScheduleError::new(
                format!("names days ('{}') and weekdays ('{}')", words[DAY], words[WEEKDAY]),
                "write * for one of them: cron programs disagree whether both must agree or one is enough",
            ));
        }
        let numbered = written > 5
            && words[WEEKDAY]
                .split(['/'])
                .next()
                .is_some_and(|w| w.contains(|c: char| c.is_ascii_digit()));
        if numbered {
            return Err(ScheduleError::new(
                format!("has a number as weekday ('{}') in {written} fields", words[WEEKDAY]),
                "write sun, mon, tue, wed, thu, fri or sat: next to a seconds field 1 is Sunday to some programs and Monday to others",
            ));
        }
        let mut plain = Vec::with_capacity(FIELDS.len());
        for (field, word) in FIELDS.iter().zip(&words) {
            plain.push(field.plain(word)?);
        }
        let inner = cron::Schedule::from_str(&plain.join(" ")).map_err(|error| {
            ScheduleError::new(format!("is not understood: {error}"), "write e.g. \"0 6 * * mon-fri\"")
        })?;
        let pattern = Self(inner);
        if pattern.after(NaiveDateTime::new(FIRST_DAY, NaiveTime::MIN)).is_none() {
            return Err(ScheduleError::new(
                format!(
                    "never comes: there is no day '{}' in month '{}' of those years",
                    words[DAY], words[MONTH]
                ),
                "see to the day and the month",
            ));
        }
        Ok(pattern)
    }

    /// The first wall-clock time after this one, to the second.
    pub(super) fn after(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        // In UTC every wall-clock time exists once.
        self.0.after(&wall.and_utc()).next().map(|found| found.naive_utc())
    }
}

/// Before the first year that can be written.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1969, 12, 31).expect("a day of the calendar");
const DAY: usize = 3;
const MONTH: usize = 4;
const WEEKDAY: usize = 5;

/// One of the seven fields.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Words for numbers from `first` on; three letters or more of one are enough.
    words: &'static [&'static str],
    /// Whether `?` may stand for "any".
    any: bool,
}

const fn field(name: &'static str, first: u32, last: u32) -> Field {
    Field {
        name,
        first,
        last,
        words: &[],
        any: false,
    }
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: &[&str] = &[
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

const FIELDS: [Field; 7] = [
    field("second", 0, 59),
    field("minute", 0, 59),
    field("hour", 0, 23),
    Field {
        any: true,
        ..field("day", 1, 31)
    },
    Field {
        words: MONTHS,
        ..field("month", 1, 12)
    },
    // As everywhere in 5 fields: 0 and 7 are Sunday.
    Field {
        words: WEEKDAYS,
        any: true,
        ..field("weekday", 0, 7)
    },
    field("year", 1970, 2100),
];

impl Field {
    /// The field as a list of numbers in the crate's counting, or `*`.
    fn plain(&self, text: &str) -> Result<String, ScheduleError> {
        if text == "*" || (self.any && text == "?") {
            return Ok("*".to_owned());
        }
        let mut numbers = BTreeSet::new();
        for item in text.split(',') {
            self.add(item, &mut numbers)?;
        }
        // The crate counts weekdays from 1, Sunday.
        let counted: BTreeSet<u32> = numbers
            .into_iter()
            .map(|n| if self.is_weekday() { n % 7 + 1 } else { n })
            .collect();
        let counted: Vec<String> = counted.iter().map(u32::to_string).collect();
        Ok(counted.join(","))
    }

    /// Adds what one item between commas means.
    fn add(&self, item: &str, numbers: &mut BTreeSet<u32>) -> Result<(), ScheduleError> {
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => (range, Some(step)),
        };
        let (first, last) = match range.split_once('-') {
            // Sunday twice would be one day too much for a step.
            None if range == "*" => (self.first, if self.is_weekday() { 6 } else { self.last }),
            None => {
                let number = self.number(range, item)?;
                if step.is_some() {
                    return Err(self.fault(
                        format!("'{item}' can be read in two ways"),
                        format!(
                            "write {range}-{}/{} if that is meant",
                            self.last,
                            step.unwrap_or_default()
                        ),
                    ));
                }
                (number, number)
            }
            Some((first, last)) => {
                let (first, last_word) = (self.number(first, item)?, last);
                let last = self.number(last_word, item)?;
                // A week may end on a Sunday.
                let last = if self.is_weekday() && last == 0 && first > 0 {
                    7
                } else {
                    last
                };
                if first > last {
                    return Err(self.fault(
                        format!("'{item}' runs backwards"),
                        "write it as two ranges, with a comma between",
                    ));
                }
                (first, last)
            }
        };
        let step = match step {
            None => 1,
            Some(step) => self.step(step, item, range == "*")?,
        };
        numbers.extend((first..=last).step_by(step));
        Ok(())
    }

    fn is_weekday(&self) -> bool {
        self.name == FIELDS[WEEKDAY].name
    }

    fn number(&self, word: &str, item: &str) -> Result<u32, ScheduleError> {
        let range = match self.words.first() {
            None => format!("write a number from {} to {}", self.first, self.last),
            Some(name) => format!(
                "write a number from {} to {} or a name such as {}",
                self.first,
                self.last,
                &name[..3]
            ),
        };
        if let Some(number) = digits(word) {
            return match number {
                n if n < self.first => Err(self.fault(format!("'{word}' is below {}", self.first), range)),
                n if n > self.last => Err(self.fault(format!("'{word}' is above {}", self.last), range)),
                n => Ok(n),
            };
        }
        let lower = word.to_ascii_lowercase();
        let named = self
            .words
            .iter()
            .position(|name| lower.len() >= 3 && name.starts_with(&lower));
        match named.and_then(|place| u32::try_from(place).ok()) {
            Some(place) => Ok(self.first + place),
            None if item.is_empty() => Err(self.fault("has nothing at one side of a comma", range)),
            None => Err(self.fault(format!("'{item}' is not understood"), range)),
        }
    }

    fn step(&self, word: &str, item: &str, whole: bool) -> Result<usize, ScheduleError> {
        let span = self.last - self.first;
        let cure = format!("write a step from 1 to {span} after the slash");
        match digits(word) {
            None | Some(0) => Err(self.fault(format!("'{item}' has no usable step"), cure)),
            Some(step) if whole && step > span => Err(self.fault(
                format!("'{item}' steps over the whole field, which then begins anew"),
                cure,
            )),
            Some(step) => Ok(usize::try_from(step).expect("32 bits fit")),
        }
    }

    fn fault(&self, what: impl AsRef<str>, cure: impl Into<String>) -> ScheduleError {
        ScheduleError::new(format!("{} {}", self.name, what.as_ref()), cure)
    }
}

/// A number in plain digits: no sign, no blank.
fn digits(word: &str) -> Option<u32> {
    let plain = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| word.parse().unwrap_or(u32::MAX))
}
