//! Dates as sources write them: ISO 8601, formats, FILETIME, generalized time, and the texts that mean 'no date'.
//!
//! A date that is read wrongly archives somebody. So every doubt is an error: years that lack digits, formats that give
//! no full date, text behind the date.

mod doubt;
mod months;
mod serial;

pub use self::doubt::{Believe, doubt};
pub use self::serial::{DateSystem, serial_date};

use super::number::Number;
use super::value::Value;
use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use std::fmt::Write;

/// Years outside are misread: a two-digit year read with `%Y` gives the first century.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i32> = 1800..=9999;

/// Dates that systems write for 'none': the last days of SAP, AFAS, Oracle and .NET, the first days of Excel, SQL Server,
/// Windows and .NET.
const SENTINELS: [(i32, u32, u32); 10] = [
    (9999, 12, 31),
    (9999, 12, 30),
    (9999, 1, 1),
    (2999, 12, 31),
    (2999, 1, 1),
    (1900, 1, 1),
    (1899, 12, 30),
    (1899, 12, 31),
    (1601, 1, 1),
    (1, 1, 1),
];

/// Whether a date means 'none'.
pub fn is_sentinel(date: NaiveDate) -> bool {
    SENTINELS.contains(&(date.year(), date.month(), date.day()))
}

/// Texts that mean 'none' whatever the format: zeros with separators (`00-00-0000`), and the last day of 9999 or 2999 in any
/// order, with or without a time.
fn is_never(text: &str) -> bool {
    const LAST_DAYS: [&[u8]; 6] = [
        b"99991231",
        b"31129999",
        b"12319999",
        b"29991231",
        b"31122999",
        b"12312999",
    ];
    let mut day = [0_u8; 8];
    let mut digits = 0;
    let mut zeros = true;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                if let Some(place) = day.get_mut(digits) {
                    *place = byte;
                }
                digits += 1;
                zeros &= byte == b'0';
            }
            b'-' | b'/' | b'.' | b':' | b' ' | b'T' | b'Z' => {}
            _ => return false,
        }
    }
    digits > 0 && zeros || LAST_DAYS.contains(&day.as_slice())
}

/// One way a date may be written.
#[derive(Clone, Debug)]
pub struct DateFormat {
    text: Box<str>,
    items: Box<[Item<'static>]>,
    two_digit_year: bool,
    with_month_name: bool,
    with_offset: bool,
}

impl DateFormat {
    /// A strftime format that holds a full date, e.g. `%d-%m-%Y`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let items = parse_items(text)?;
        let has = |wanted: &dyn Fn(&Item<'static>) -> bool| items.iter().any(wanted);
        let format = DateFormat {
            text: text.into(),
            two_digit_year: has(&|item| matches!(item, Item::Numeric(Numeric::YearMod100 | Numeric::IsoYearMod100, _)))
                && !has(&|item| matches!(item, Item::Numeric(Numeric::YearDiv100 | Numeric::IsoYearDiv100, _))),
            with_month_name: has(&|item| matches!(item, Item::Fixed(Fixed::ShortMonthName | Fixed::LongMonthName))),
            with_offset: has(&|item| {
                matches!(
                    item,
                    Item::Fixed(
                        Fixed::TimezoneOffset
                            | Fixed::TimezoneOffsetColon
                            | Fixed::TimezoneOffsetZ
                            | Fixed::TimezoneOffsetColonZ
                            | Fixed::RFC3339
                            | Fixed::RFC2822
                    )
                )
            }),
            items: items.clone().into(),
        };
        let sample = DateTime::<Utc>::from_timestamp(1_709_208_000, 0).expect("29 February 2024, noon, is a time");
        let mut written = String::new();
        let readable = write!(
            written,
            "{}",
            sample.fixed_offset().format_with_items(format.items.iter())
        )
        .is_ok()
            && format.parse(&written, Tz::UTC) == Some(sample.date_naive());
        if readable {
            Ok(format)
        } else {
            Err(format!("'{text}' does not give day, month and year"))
        }
    }

    fn parse(&self, text: &str, zone: Tz) -> Option<NaiveDate> {
        self.parse_as_written(text, zone).or_else(|| {
            let spellings = if self.with_month_name {
                months::in_english(text)
            } else {
                Vec::new()
            };
            spellings.iter().find_map(|text| self.parse_as_written(text, zone))
        })
    }

    fn parse_as_written(&self, text: &str, zone: Tz) -> Option<NaiveDate> {
        let mut parsed = chrono::format::Parsed::new();
        chrono::format::parse(&mut parsed, text, self.items.iter()).ok()?;
        if self.with_offset
            && let Ok(moment) = parsed.to_datetime()
        {
            return Some(moment.with_timezone(&zone).date_naive());
        }
        parsed.to_naive_date().ok()
    }

    /// The last year of two digits: sites with such formats write 31-12-99 for 'never'.
    fn means_none(&self, date: NaiveDate) -> bool {
        self.two_digit_year && date.year() % 100 == 99 && date.month() == 12 && date.day() == 31
    }
}

fn parse_items(text: &str) -> Result<Vec<Item<'static>>, String> {
    let items: Vec<Item<'static>> = StrftimeItems::new(text).map(Item::to_owned).collect();
    if items.iter().any(|item| matches!(item, Item::Error)) {
        return Err(format!("'{text}' has a part that no date format has"));
    }
    if !items
        .iter()
        .any(|item| matches!(item, Item::Numeric(..) | Item::Fixed(..)))
    {
        return Err(format!("'{text}' has no part such as %d, %m or %Y"));
    }
    Ok(items)
}

/// How `date` reads texts.
#[derive(Clone, Debug, Default)]
pub struct DateReading {
    /// Tried in order; none: ISO 8601.
    pub formats: Vec<DateFormat>,
    /// Further texts that mean 'no date', as the source writes them.
    pub never: Vec<Box<str>>,
}

impl DateReading {
    /// Reads a text that is not blank. `Err` says which forms were expected.
    pub fn read(&self, text: &str, zone: Tz) -> Result<Value<'static>, String> {
        if self.never.iter().any(|never| &**never == text) || is_never(text) {
            return Ok(Value::NoDate);
        }
        let found = if self.formats.is_empty() {
            iso_date(text, zone).map(|date| (date, false))
        } else {
            self.formats.iter().find_map(|format| {
                let date = format.parse(text, zone)?;
                Some((date, format.means_none(date)))
            })
        };
        match found {
            Some((date, none)) if none || is_sentinel(date) => Ok(Value::NoDate),
            Some((date, _)) if PLAUSIBLE_YEARS.contains(&date.year()) => Ok(Value::Date(date)),
            Some(_) => Err("is a date with an implausible year: a year of two digits needs %y".to_owned()),
            None if self.formats.is_empty() => {
                Err("is not an ISO 8601 date; give the format it has, e.g. | date('%d-%m-%Y')".to_owned())
            }
            None => {
                let formats: Vec<String> = self.formats.iter().map(|format| format!("'{}'", format.text)).collect();
                Err(format!(
                    "is not a date as {}; add the format it has, or the text that means 'no date' with never='...'",
                    formats.join(" or ")
                ))
            }
        }
    }
}

/// `2024-01-31`, `20240131`, `2024-01-31T10:00:00`, with or without fraction and offset. An offset moves the date into the zone.
pub fn iso_date(text: &str, zone: Tz) -> Option<NaiveDate> {
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = text.get(range)?;
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            part.parse().ok()
        } else {
            None
        }
    };
    let ymd = |year: u32, month, day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    if text.len() == 8 {
        return ymd(digits(0..4)?, digits(4..6)?, digits(6..8)?);
    }
    if text.as_bytes().get(4) != Some(&b'-') || text.as_bytes().get(7) != Some(&b'-') {
        return None;
    }
    let date = ymd(digits(0..4)?, digits(5..7)?, digits(8..10)?)?;
    if text.len() == 10 {
        return Some(date);
    }
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    if let Some(moment) = rfc3339(text) {
        return Some(moment.with_timezone(&zone).date_naive());
    }
    let time = format!("{}T{}", &text[..10], &text[11..]);
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&time, format).ok())
        .map(|moment| moment.date())
}

fn rfc3339(text: &str) -> Option<DateTime<FixedOffset>> {
    let basic_offset = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z"];
    DateTime::parse_from_rfc3339(text).ok().or_else(|| {
        basic_offset
            .iter()
            .find_map(|format| DateTime::parse_from_str(text, format).ok())
    })
}

/// Seconds between 1 January 1601, where FILETIME begins, and 1 January 1970.
const FILETIME_EPOCH_SECONDS: i64 = 11_644_473_600;

/// Active Directory's count of 100 ns since 1601. 0 and 9223372036854775807 mean never, and so does all beyond year 9999.
pub fn filetime(ticks: i64) -> Value<'static> {
    if ticks <= 0 {
        return Value::NoDate;
    }
    let seconds = ticks / 10_000_000 - FILETIME_EPOCH_SECONDS;
    let nanos = u32::try_from(ticks % 10_000_000 * 100).expect("a remainder of 10^7 times 100 is below 10^9");
    match DateTime::<Utc>::from_timestamp(seconds, nanos) {
        Some(moment) if moment.year() <= 9998 => Value::DateTime(moment),
        _ => Value::NoDate,
    }
}

/// LDAP generalized time (RFC 4517, 3.3.13): `20240131120000Z`, `202401311200+0100`, `20240131120000.0Z`.
pub fn generalized_time(text: &str) -> Option<Value<'static>> {
    let text = text.trim();
    let zone_at = text.find(['Z', 'z', '+', '-'])?;
    let (time, offset) = text.split_at(zone_at);
    let offset_seconds = match offset.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign, digits @ ..] if matches!(digits.len(), 2 | 4) && digits.iter().all(u8::is_ascii_digit) => {
            let number = |from: usize| i32::from(digits[from] - b'0') * 10 + i32::from(digits[from + 1] - b'0');
            let minutes = number(0) * 60 + if digits.len() == 4 { number(2) } else { 0 };
            minutes * if *sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    // The fraction is less than a minute or an hour; no decision here needs it.
    let (whole, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || !matches!(whole.len(), 10 | 12 | 14) {
        return None;
    }
    let padded = format!("{whole:0<14}");
    let local = NaiveDateTime::parse_from_str(&padded, "%Y%m%d%H%M%S").ok()?;
    if is_sentinel(local.date()) {
        return Some(Value::NoDate);
    }
    let moment = local.checked_sub_signed(chrono::Duration::seconds(offset_seconds.into()))?;
    let for_ever = local == FOR_EVER;
    (for_ever || PLAUSIBLE_YEARS.contains(&moment.year())).then(|| Value::DateTime(moment.and_utc()))
}

/// `000001010000Z` in pwdAccountLockedTime: the account is locked for good (draft-behera-ldap-password-policy, 5.3.3). A
/// time before every other, so that 'locked before now' holds at every moment.
pub const FOR_EVER: NaiveDateTime = match NaiveDate::from_ymd_opt(0, 1, 1) {
    Some(day) => day.and_time(chrono::NaiveTime::MIN),
    None => NaiveDateTime::MIN,
};

/// Reads a whole number of a directory, e.g. FILETIME or userAccountControl.
pub fn directory_integer(text: &str) -> Option<i64> {
    Number::parse(text).and_then(Number::to_i64)
}

/// How dates are written: a strftime format.
#[derive(Clone, Debug)]
pub struct DateOutput {
    items: Box<[Item<'static>]>,
}

impl DateOutput {
    /// # Errors
    /// What is wrong with the format.
    pub fn new(text: &str) -> Result<Self, String> {
        let output = DateOutput {
            items: parse_items(text)?.into(),
        };
        let sample = DateTime::<Utc>::from_timestamp(1_709_208_000, 0).expect("29 February 2024, noon, is a time");
        match output.write(sample, Tz::UTC) {
            Some(_) => Ok(output),
            None => Err(format!("'{text}' cannot be written")),
        }
    }

    /// A date with time, in the zone.
    pub fn write(&self, moment: DateTime<Utc>, zone: Tz) -> Option<String> {
        let mut text = String::new();
        write!(
            text,
            "{}",
            moment.with_timezone(&zone).format_with_items(self.items.iter())
        )
        .ok()?;
        Some(text)
    }

    /// A calendar date; time parts of the format are zero, an offset cannot be written.
    pub fn write_date(&self, date: NaiveDate) -> Option<String> {
        let mut text = String::new();
        let midnight = date.and_hms_opt(0, 0, 0)?;
        write!(text, "{}", midnight.format_with_items(self.items.iter())).ok()?;
        Some(text)
    }
}

#[cfg(test)]
mod tests;
