//! Dates as sources write them.

use super::*;

const ZONE: Tz = chrono_tz::Europe::Amsterdam;

fn date(year: i32, month: u32, day: u32) -> Value<'static> {
    Value::Date(NaiveDate::from_ymd_opt(year, month, day).unwrap())
}

fn reading(formats: &[&str]) -> DateReading {
    DateReading {
        formats: formats.iter().map(|format| DateFormat::new(format).unwrap()).collect(),
        never: vec!["NULL".into()],
    }
}

#[test]
fn iso_dates_are_read_without_a_format() {
    let iso = reading(&[]);
    for text in [
        "2024-01-31",
        "20240131",
        "2024-01-31T10:00:00",
        "2024-01-31 10:00",
        "2024-01-31T10:00:00.123",
        "2024-01-30T23:30:00Z",
        "2024-01-30T23:30:00+0000",
        "2024-01-31T00:30:00+01:00",
    ] {
        assert_eq!(iso.read(text, ZONE), Ok(date(2024, 1, 31)), "{text}");
    }
}

#[test]
fn anything_else_needs_a_format() {
    let iso = reading(&[]);
    for text in [
        "31-01-2024",
        "31/01/2024",
        "31012024",
        "01312024",
        "2024-13-01",
        "2024-02-30",
        "2024-1-31",
        "2024-01-31x",
        "2024-01-31T",
        "tomorrow",
        "24-01-31",
        "0024-01-31",
        "2024/01/31",
    ] {
        assert!(iso.read(text, ZONE).is_err(), "{text}");
    }
    let dutch = reading(&["%d-%m-%Y", "%d/%m/%Y"]);
    assert_eq!(dutch.read("31-01-2024", ZONE), Ok(date(2024, 1, 31)));
    assert_eq!(dutch.read("1/2/2024", ZONE), Ok(date(2024, 2, 1)));
    for text in ["2024-01-31", "31-01-24", "31-01-2024 10:00", "31-13-2024"] {
        assert!(dutch.read(text, ZONE).is_err(), "{text}");
    }
}

#[test]
fn sentinels_and_zeros_mean_no_date() {
    let dutch = reading(&["%d-%m-%Y"]);
    for text in [
        "31-12-9999",
        "31-12-2999",
        "01-01-1900",
        "01-01-0001",
        "00-00-0000",
        "00000000",
        "NULL",
    ] {
        assert_eq!(dutch.read(text, ZONE), Ok(Value::NoDate), "{text}");
    }
    let iso = reading(&[]);
    for text in [
        "9999-12-31",
        "99991231",
        "9999-12-31T23:59:59",
        "2999-12-31",
        "0001-01-01T00:00:00",
    ] {
        assert_eq!(iso.read(text, ZONE), Ok(Value::NoDate), "{text}");
    }
    let short = reading(&["%d-%m-%y"]);
    assert_eq!(short.read("31-12-99", ZONE), Ok(Value::NoDate));
    assert_eq!(short.read("31-01-24", ZONE), Ok(date(2024, 1, 31)));
}

#[test]
fn a_format_with_an_offset_gives_the_date_in_the_zone() {
    let with_offset = reading(&["%d-%m-%Y %H:%M %z"]);
    assert_eq!(with_offset.read("31-01-2024 23:30 +0000", ZONE), Ok(date(2024, 2, 1)));
}

#[test]
fn formats_that_give_no_full_date_are_refused() {
    for wrong in ["dd-MM-yyyy", "%d-%m", "%Q", "%H:%M", "", "%d-%m-%Y %"] {
        assert!(DateFormat::new(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn filetime_is_utc_and_never_is_blank() {
    assert_eq!(filetime(0), Value::NoDate);
    assert_eq!(filetime(i64::MAX), Value::NoDate);
    assert_eq!(filetime(-1), Value::NoDate);
    let Value::DateTime(moment) = filetime(133_511_328_000_000_000) else {
        panic!("a time");
    };
    assert_eq!(moment.to_rfc3339(), "2024-01-31T00:00:00+00:00");
}

#[test]
fn generalized_time_of_both_directories_is_read() {
    for text in [
        "20240131120000Z",
        "20240131120000.0Z",
        "202401311200Z",
        "2024013112Z",
        "20240131130000+0100",
        "20240131070000-05",
    ] {
        let Some(Value::DateTime(moment)) = generalized_time(text) else {
            panic!("{text}");
        };
        assert_eq!(moment.to_rfc3339(), "2024-01-31T12:00:00+00:00", "{text}");
    }
    for text in [
        "20240131",
        "20240131120000",
        "2024-01-31T12:00:00Z",
        "20241331120000Z",
        "Z",
        "20240131120000+1",
    ] {
        assert_eq!(generalized_time(text), None, "{text}");
    }
    assert_eq!(generalized_time("16010101000000.0Z"), Some(Value::NoDate));
    assert_eq!(generalized_time("99991231235959Z"), Some(Value::NoDate));
}

#[test]
fn locked_for_good_is_a_time_before_every_other() {
    let Some(Value::DateTime(moment)) = generalized_time("000001010000Z") else {
        panic!("a time");
    };
    assert_eq!(moment.naive_utc(), FOR_EVER);
    assert_eq!(generalized_time("000101010000Z"), Some(Value::NoDate));
    assert_eq!(generalized_time("000001020000Z"), None);
}

#[test]
fn months_are_read_in_four_languages() {
    let long = reading(&["%d %B %Y", "%d. %B %Y"]);
    for text in [
        "3 March 2026",
        "3 maart 2026",
        "3 MAART 2026",
        "03 mars 2026",
        "3. M\u{e4}rz 2026",
        "3 mrt. 2026",
        "3 mrt 2026",
    ] {
        assert_eq!(long.read(text, ZONE), Ok(date(2026, 3, 3)), "{text}");
    }
    let short = reading(&["%d-%b-%Y"]);
    for (text, month) in [
        ("31-okt-2026", 10),
        ("31-D\u{e9}c-2026", 12),
        ("31-mei-2026", 5),
        ("31-AUG-2026", 8),
    ] {
        assert_eq!(short.read(text, ZONE), Ok(date(2026, month, 31)), "{text}");
    }
    for text in ["3 maandag 2026", "3 fructidor 2026", "31 februari 2026"] {
        assert!(long.read(text, ZONE).is_err(), "{text}");
    }
}

#[test]
fn formats_with_two_readings_are_named() {
    let named = |formats: &[&str]| reading(formats).two_readings();
    assert_eq!(named(&["%d-%m-%Y", "%Y-%m-%d", "%d %B %Y"]), Vec::<String>::new());
    assert_eq!(
        named(&["%m/%d/%Y", "%d/%m/%Y"]),
        ["'%m/%d/%Y' and '%d/%m/%Y' both read 04/05/2003, as two days"]
    );
    assert_eq!(named(&["%d-%m-%y"]).len(), 1);
    assert_eq!(named(&["%D"]).len(), 1, "it is %m/%d/%y");
    assert_eq!(
        named(&["%d-%m-%C%y"]),
        Vec::<String>::new(),
        "four digits, in two parts"
    );
    assert_eq!(named(&["%d-%m-%y", "%y-%m-%d"]).len(), 3);
}
