//! Values with a unit, as people write them: `26h`, `5%`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time: a whole number and `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    seconds: u64,
}

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self { seconds }
    }
    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self { seconds: hours * 3600 }
    }
    /// So many days of 24 hours.
    pub const fn days(days: u64) -> Self {
        Self { seconds: days * 86_400 }
    }
    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.seconds == 0
    }
    /// As a standard duration.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.seconds)
    }
    /// As a calendar duration.
    pub fn chrono(self) -> chrono::Duration {
        chrono::Duration::seconds(i64::try_from(self.seconds).unwrap_or(i64::MAX / 1000))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a length of time; write a whole number and s, m, h or d, e.g. 26h");
        let trimmed = text.trim();
        let unit = trimmed.chars().last().ok_or_else(wrong)?;
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = trimmed[..trimmed.len() - 1].trim().parse().map_err(|_| wrong())?;
        let seconds = number
            .checked_mul(factor)
            .filter(|s| *s <= 100 * 366 * 86_400)
            .ok_or_else(wrong)?;
        Ok(Self { seconds })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.seconds;
        match s {
            s if s >= 86_400 && s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            s if s >= 3600 && s % 3600 == 0 => write!(f, "{}h", s / 3600),
            s if s >= 60 && s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

/// A time of day, hours and minutes, e.g. `18:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimeOfDay(pub chrono::NaiveTime);

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a time of day; write hours and minutes from \"00:00\" to \"23:59\"");
        let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !(1..=2).contains(&hour.len()) || minute.len() != 2 || !digits(hour) || !digits(minute) {
            return Err(wrong());
        }
        let (hour, minute) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
        chrono::NaiveTime::from_hms_opt(hour, minute, 0)
            .map(Self)
            .ok_or_else(wrong)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%H:%M"))
    }
}

/// A share in percent.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Percent(pub f64);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a percentage between 0% and 100%; write e.g. 5%");
        let number = text.trim().strip_suffix('%').ok_or_else(wrong)?;
        let value: f64 = number.trim().parse().map_err(|_| wrong())?;
        if (0.0..=100.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

macro_rules! as_text {
    ($name:ident, $format:literal, $pattern:literal, $what:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format, "pattern": $pattern, "description": $what })
            }
        }
    };
}

as_text!(
    Span,
    "span",
    r"^\s*[0-9]+\s*[smhd]\s*$",
    "A whole number and s, m, h or d, e.g. 26h"
);
as_text!(
    TimeOfDay,
    "time-of-day",
    r"^\s*([01]?[0-9]|2[0-3]):[0-5][0-9]\s*$",
    "Hours and minutes, e.g. \"18:00\""
);
as_text!(
    Percent,
    "percent",
    r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$",
    "A percentage between 0% and 100%, e.g. 5%"
);

/// The one word of `rows: one_per_person`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnePerPerson {
    OnePerPerson,
}

/// Lets an untagged enum have a variant that is one word.
pub mod one_per_person {
    use super::OnePerPerson;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes the word.
    pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        OnePerPerson::OnePerPerson.serialize(serializer)
    }

    /// Reads the word.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        OnePerPerson::deserialize(deserializer).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print_the_same() {
        for text in ["30s", "5m", "26h", "400d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("48h".parse::<Span>().unwrap(), Span::days(2));
        for wrong in ["", "5", "h", "-1h", "1.5h", "9999999999999d"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_of_day_read_and_print_the_same() {
        for text in ["00:00", "18:00", "23:59"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        assert_eq!("8:30".parse::<TimeOfDay>().unwrap().to_string(), "08:30");
        for wrong in ["", "18", "24:00", "18:60", "18:0", "+8:00", "18:00:00", "6pm"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn percentages_stay_between_0_and_100() {
        assert_eq!("5%".parse::<Percent>().unwrap(), Percent(5.0));
        assert_eq!("2.5 %".parse::<Percent>().unwrap(), Percent(2.5));
        for wrong in ["5", "101%", "-1%", "%", "x%", "NaN%"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
    }
}
