//! Only true is true: three values, and what can never be evidence.

use crate::core::model::identity::{Truth, Unknown};
use crate::mapping::condition::Condition;
use crate::mapping::inputs::Records;
use crate::mapping::testing::{TestSource, known, moment, with_joined};
use proptest::prelude::*;

fn truth(text: &str, sources: &[TestSource]) -> Truth {
    let condition = Condition::compile(text, &known(sources)).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    with_joined(sources, |joined| condition.holds(Records::Joined(joined), moment()))
}

/// T, F or U for a record of hr with these attributes.
fn letter(text: &str, sources: &[TestSource]) -> char {
    match truth(text, sources) {
        Truth::True => 'T',
        Truth::False => 'F',
        Truth::Unknown(_) => 'U',
    }
}

fn world() -> Vec<TestSource> {
    vec![
        TestSource::with(
            "hr",
            &[
                ("past", &["2024-05-31"]),
                ("today", &["2024-06-01"]),
                ("future", &["2024-06-02"]),
                ("never", &["9999-12-31"]),
                ("blank", &[""]),
                ("text", &["Sales"]),
                ("five", &["5"]),
                ("yes", &["true"]),
                ("groups", &["a", "b"]),
            ],
        ),
        TestSource::without("gone"),
        TestSource::degraded("half"),
        TestSource::rejected("bad"),
        TestSource::with(
            "ad",
            &[("userAccountControl", &["514"]), ("expires", &["133616664000000000"])],
        ),
    ]
}

fn check(cases: &[(&str, char)]) {
    let world = world();
    for (text, expected) in cases {
        assert_eq!(letter(text, &world), *expected, "{text}");
    }
}

#[test]
fn dates_compare_as_calendar_dates_in_the_zone() {
    check(&[
        ("{{ hr.past | date < today }}", 'T'),
        ("hr.past | date < today", 'T'),
        ("hr.today | date < today", 'F'),
        ("hr.today | date <= today", 'T'),
        ("hr.today | date == today", 'T'),
        ("hr.future | date < today", 'F'),
        ("hr.future | date >= today + days(1)", 'T'),
        ("hr.future | date - days(1) == today", 'T'),
        ("hr.past | date < hr.today | date", 'T'),
        ("hr.past | date < today <= hr.today | date", 'T'),
        // The last day is not over because the clock has passed midnight.
        ("hr.today | date < now", 'F'),
        ("hr.past | date < now", 'T'),
        // 2024-05-31 22:00 UTC is 1 June in Amsterdam.
        ("ad.expires | filetime < now", 'T'),
        ("ad.expires | filetime < today", 'F'),
        ("ad.expires | filetime | date == today", 'T'),
    ]);
}

#[test]
fn a_blank_date_is_later_than_every_date() {
    for blank in ["hr.blank", "hr.never"] {
        for (condition, expected) in [
            ("X | date < today", 'F'),
            ("X | date <= today", 'F'),
            ("X | date > today", 'T'),
            ("X | date >= today", 'T'),
            ("X | date == today", 'F'),
            ("X | date != today", 'T'),
            ("today < X | date", 'T'),
            ("today >= X | date", 'F'),
            ("not X | date < today", 'T'),
            ("X | date is blank", 'T'),
            ("X | date < X | date", 'F'),
            ("X | date <= X | date", 'U'),
            ("X | date == X | date", 'T'),
            ("X | date + days(3) < today", 'F'),
        ] {
            let condition = condition.replace('X', blank);
            assert_eq!(letter(&condition, &world()), expected, "{condition}");
        }
    }
}

#[test]
fn what_cannot_be_compared_is_unknown() {
    check(&[
        ("hr.past < today", 'U'),
        ("hr.blank < today", 'U'),
        ("hr.text | date < today", 'U'),
        ("hr.text < hr.past", 'U'),
        ("hr.five < 7", 'U'),
        ("hr.five | int < 7", 'T'),
        ("hr.five == 5", 'U'),
        ("hr.blank | int < 7", 'U'),
        ("hr.past | date == '2024-05-31'", 'U'),
        ("hr.past | date == '2024-05-31' | date", 'T'),
        ("hr.groups == 'a'", 'U'),
        ("hr.text", 'U'),
        ("hr.yes", 'U'),
        ("hr.yes == true", 'U'),
        ("hr.blank", 'U'),
        ("today", 'U'),
        ("5", 'U'),
        ("none", 'U'),
        ("true", 'T'),
        ("hr.nothing == 'a'", 'U'),
        ("gone.x == 'a'", 'U'),
        ("gone.x != 'a'", 'U'),
        ("gone.x is blank", 'U'),
        ("bad.x | date < today", 'U'),
        ("bad.x is blank", 'U'),
        ("not bad.x == 'a'", 'U'),
    ]);
}

#[test]
fn a_blank_is_equal_to_nothing_and_different_from_nothing() {
    check(&[
        ("hr.text == 'Sales'", 'T'),
        ("hr.text == ' Sales '", 'T'),
        ("hr.text == 'sales'", 'F'),
        ("hr.text != 'Sales'", 'F'),
        ("hr.text != 'Left'", 'T'),
        ("hr.blank == 'Left'", 'F'),
        ("hr.blank != 'Active'", 'U'),
        ("not hr.blank == 'Active'", 'U'),
        ("not (hr.blank == 'Active' or hr.text == 'x')", 'U'),
        ("hr.blank not in ['Active', 'Leave']", 'U'),
        ("not (hr.blank in ['Active', 'Leave'])", 'U'),
        ("hr.blank in ['Left']", 'F'),
        ("hr.blank == hr.blank", 'U'),
        ("hr.blank | default('Active') != 'Active'", 'F'),
        ("hr.blank | default('') != 'Active'", 'U'),
        // Written out, it is the question whether something is blank.
        ("hr.blank == ''", 'T'),
        ("hr.blank != ''", 'F'),
        ("'' == hr.blank", 'T'),
        ("hr.blank == none", 'T'),
        ("hr.text == ''", 'F'),
        ("hr.text != ''", 'T'),
        ("hr.blank is blank", 'T'),
        ("hr.blank is none", 'T'),
        ("hr.blank is not blank", 'F'),
        ("hr.text is not blank", 'T'),
        ("hr.groups is blank", 'F'),
    ]);
}

#[test]
fn and_or_not_know_three_values() {
    let value = |letter| match letter {
        'T' => "hr.text == 'Sales'",
        'F' => "hr.text == 'x'",
        _ => "bad.x == 'x'",
    };
    let table = [
        ('T', 'T', 'T', 'T'),
        ('T', 'F', 'F', 'T'),
        ('T', 'U', 'U', 'T'),
        ('F', 'T', 'F', 'T'),
        ('F', 'F', 'F', 'F'),
        ('F', 'U', 'F', 'U'),
        ('U', 'T', 'U', 'T'),
        ('U', 'F', 'F', 'U'),
        ('U', 'U', 'U', 'U'),
    ];
    let negated = |letter| match letter {
        'T' => 'F',
        'F' => 'T',
        other => other,
    };
    for (a, b, and, or) in table {
        let (left, right) = (value(a), value(b));
        let world = world();
        assert_eq!(letter(&format!("{left} and {right}"), &world), and, "{a} and {b}");
        assert_eq!(letter(&format!("{left} or {right}"), &world), or, "{a} or {b}");
        assert_eq!(
            letter(&format!("not ({left} and {right})"), &world),
            negated(and),
            "not ({a} and {b})"
        );
        assert_eq!(
            letter(&format!("not ({left} or {right})"), &world),
            negated(or),
            "not ({a} or {b})"
        );
    }
    check(&[
        ("true if hr.text == 'Sales' else false", 'T'),
        ("not (true if hr.text == 'Sales' else false)", 'F'),
        ("true if bad.x == 'x' else true", 'U'),
        // In a condition, 'else' is no way around a blank.
        ("false if hr.blank == 'Active' else true", 'U'),
        ("{{ false if hr.blank == 'Active' else true }}", 'U'),
        ("true if hr.blank == 'Active' else false", 'F'),
        ("hr.text == 'x' or (false if hr.blank == 'Active' else true)", 'U'),
        ("true if hr.text == 'Sales'", 'T'),
        ("true if hr.text == 'x'", 'U'),
        ("(ad | ad_disabled) == true", 'T'),
        ("not (ad | ad_disabled)", 'F'),
        ("ad | ad_disabled", 'T'),
        ("ad.userAccountControl | ad_disabled and hr.past | date < today", 'T'),
        ("hr.text and true", 'U'),
        ("hr.text or true", 'T'),
        ("not hr.text", 'U'),
    ]);
}

#[test]
fn membership_and_tests() {
    check(&[
        ("'a' in hr.groups", 'T'),
        ("'c' in hr.groups", 'F'),
        ("'c' not in hr.groups", 'T'),
        ("'a' not in hr.groups", 'F'),
        ("hr.text in ['Sales', 'HR']", 'T'),
        ("hr.text not in ('Sales', 'HR')", 'F'),
        // One value is a list of one, not a text to search in.
        ("'Sale' in hr.text", 'F'),
        ("'Sales' in hr.text", 'T'),
        ("'a' in hr.blank", 'F'),
        ("'a' not in hr.blank", 'U'),
        ("hr.groups in ['a']", 'U'),
        ("hr.text in [bad.x, 'Sales']", 'T'),
        ("hr.text in [bad.x, 'HR']", 'U'),
        ("hr.text not in [bad.x, 'HR']", 'U'),
        ("'Leavers' in (ad.dn | ou)", 'T'),
        ("'Staff' in (ad.dn | ou)", 'F'),
        ("ad.dn is containing('OU=Leavers')", 'T'),
        ("hr.text is startingwith('Sa')", 'T'),
        ("hr.text is endingwith('xx')", 'F'),
        ("hr.text is not containing 'x'", 'T'),
        ("hr.blank is containing('x')", 'F'),
        ("hr.blank is not containing('x')", 'U'),
        ("hr.text is defined", 'T'),
        ("hr.blank is defined", 'F'),
        ("hr.blank is not defined", 'T'),
        ("gone.x is defined", 'F'),
        // The lack of a record is never evidence.
        ("gone.x is not defined", 'U'),
        ("half.x is defined", 'U'),
        ("bad.x is defined", 'U'),
        ("hr.nothing is defined", 'U'),
    ]);
}

#[test]
fn the_reason_of_an_unknown_is_told() {
    for (text, part) in [
        ("bad.x == 'a'", "source bad was rejected"),
        ("gone.x == 'a'", "source gone has no record"),
        ("hr.nothing == 'a'", "source hr has no attribute 'nothing'"),
        ("hr.blank != 'a'", "hr.blank != 'a': a side is blank; use | default"),
        ("hr.text", "the condition gives text"),
        ("hr.past < today", "use | date"),
    ] {
        let Truth::Unknown(reason) = truth(text, &world()) else {
            panic!("{text}");
        };
        assert!(reason.contains(part), "{text}: {reason}");
    }
    let twice = [TestSource::unknown("hr", Unknown::DuplicateRecord("hr".into()))];
    assert!(matches!(truth("hr.x == 'a'", &twice), Truth::Unknown(reason) if reason.contains("several records")));
}

/// A value of an attribute that must never make an ordering true: blank, text, or nothing there at all.
fn hostile() -> impl Strategy<Value = Vec<TestSource>> {
    let text = prop_oneof![
        Just(String::new()),
        Just("   ".to_owned()),
        Just("2024-01-01".to_owned()),
        Just("0".to_owned()),
        "\\PC{0,12}",
    ];
    prop_oneof![
        text.prop_map(|text| vec![TestSource::with("hr", &[("a", &[text.as_str()])])]),
        Just(vec![TestSource::with("hr", &[("a", &[])])]),
        Just(vec![TestSource::with("hr", &[("a", &["2024-01-01", "2024-01-02"])])]),
        Just(vec![TestSource::with("hr", &[("b", &["2024-01-01"])])]),
        Just(vec![TestSource::without("hr")]),
        Just(vec![TestSource::degraded("hr")]),
        Just(vec![TestSource::rejected("hr")]),
    ]
}

proptest! {
    #[test]
    fn a_blank_text_or_absent_operand_never_makes_an_ordering_true(
        sources in hostile(),
        sign in prop_oneof![Just("<"), Just("<="), Just(">"), Just(">=")],
        other in prop_oneof![
            Just("today"), Just("now"), Just("5"), Just("'m'"), Just("''"), Just("none"), Just("hr.a"), Just("true"),
            Just("today + days(3)"), Just("['a', 'b']"),
        ],
        swapped: bool,
        negated: bool,
    ) {
        let text = if swapped { format!("{other} {sign} hr.a") } else { format!("hr.a {sign} {other}") };
        let text = if negated { format!("not ({text})") } else { text };
        prop_assert_ne!(truth(&text, &sources), Truth::True, "{}", text);
    }

    #[test]
    fn no_blank_or_absent_value_is_ever_before_today(sources in hostile(), negated: bool) {
        let blank = match letter("hr.a is blank", &sources) {
            'T' => true,
            'F' => false,
            _ => {
                // Not there at all: nothing about it is ever decided.
                for text in ["hr.a | date < today", "hr.a | date >= today", "hr.a != 'x'", "hr.a == 'x'", "hr.a is blank"] {
                    let text = if negated { format!("not ({text})") } else { text.to_owned() };
                    prop_assert_eq!(letter(&text, &sources), 'U', "{}", text);
                }
                return Ok(());
            }
        };
        if blank {
            prop_assert_eq!(letter("hr.a | date < today", &sources), 'F');
            prop_assert_eq!(letter("hr.a | date > today", &sources), 'T');
            prop_assert_eq!(letter("hr.a != 'x'", &sources), 'U');
        }
    }

    #[test]
    fn any_text_as_a_condition_is_refused_or_decided_without_a_panic(text in "\\PC{0,40}") {
        let sources = world();
        if let Ok(condition) = Condition::compile(&text, &known(&sources)) {
            with_joined(&sources, |joined| condition.holds(Records::Joined(joined), moment()));
        }
    }

    #[test]
    fn a_condition_and_its_negation_are_never_both_true(
        sources in hostile(),
        text in prop_oneof![
            Just("hr.a == 'x'"), Just("hr.a in ['x', 'y']"), Just("hr.a is blank"), Just("hr.a | date < today"),
            Just("hr.a | int > 3"), Just("hr.a is containing('1')"), Just("hr.a == 'x' and hr.a | date > today"),
            Just("'x' in hr.a or hr.a | date != today"), Just("hr.a is defined"),
        ],
    ) {
        let both = (letter(text, &sources), letter(&format!("not ({text})"), &sources));
        prop_assert!(matches!(both, ('T', 'F') | ('F', 'T' | 'U') | ('U', 'U')), "{}: {:?}", text, both);
    }
}

/// What a leaver condition gives as it stands, and where no date counts that is no evidence by itself. Today is 1 June 2024.
fn both(text: &str, sources: &[TestSource], first_day: Option<&str>) -> (char, char) {
    let condition = Condition::compile(text, &known(sources)).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    let first_day = first_day.map(|day| day.parse().expect("a day"));
    let beyond = with_joined(sources, |joined| {
        condition.holds_beyond_doubt(Records::Joined(joined), moment(), first_day)
    });
    let beyond = match beyond {
        Truth::True => 'T',
        Truth::False => 'F',
        Truth::Unknown(_) => 'U',
    };
    (letter(text, sources), beyond)
}

#[test]
fn dates_that_cannot_be_are_no_evidence() {
    let two_digits = "hr.end | date('%d-%m-%y') < today";
    let two_forms = "hr.end | date('%m/%d/%Y', '%d/%m/%Y') < today";
    let iso = "hr.end | date < today";
    for (text, end, expected) in [
        (two_digits, "01-03-71", ('T', 'U')),
        (two_digits, "01-03-99", ('T', 'U')),
        (two_digits, "01-03-10", ('T', 'T')),
        (two_digits, "31-05-24", ('T', 'T')),
        // Read as 2068, which is no evidence either way.
        (two_digits, "01-03-68", ('F', 'F')),
        ("hr.end | date('%d-%m-%Y') < today", "01-03-1999", ('T', 'T')),
        (two_forms, "03/12/2023", ('T', 'U')),
        (two_forms, "03/13/2023", ('T', 'T')),
        (two_forms, "03/03/2023", ('T', 'T')),
        (iso, "1970-01-01", ('T', 'U')),
        (iso, "1969-12-31", ('T', 'U')),
        (iso, "1970-01-01T00:00:00Z", ('T', 'U')),
        (iso, "1969-12-31T19:00:00-05:00", ('T', 'U')),
        (iso, "1904-01-01", ('T', 'U')),
        (iso, "1901-01-01", ('T', 'U')),
        (iso, "1900-01-02", ('T', 'U')),
        (iso, "1980-01-01", ('T', 'U')),
        (iso, "2000-01-01", ('T', 'U')),
        (iso, "1970-01-02", ('T', 'T')),
        (iso, "2024-05-31", ('T', 'T')),
        (iso, "", ('F', 'F')),
        ("hr.end | excel_date < today", "367", ('T', 'U')),
        ("hr.end | excel_date < today", "45322", ('T', 'T')),
        ("hr.end | filetime < now", "116444736000000000", ('T', 'U')),
        ("hr.end | filetime < now", "133511328000000000", ('T', 'T')),
        ("hr.end | generalized_time < now", "19700101000000Z", ('T', 'U')),
        // Locked for good is said in as many words.
        ("hr.end | generalized_time < now", "000001010000Z", ('T', 'T')),
        // Another thing that says the same is evidence.
        ("hr.end | date < today or hr.status == 'left'", "1970-01-01", ('T', 'T')),
        ("hr.end | date | add_days(30) < today", "1970-01-01", ('T', 'U')),
    ] {
        let sources = [TestSource::with("hr", &[("end", &[end]), ("status", &["left"])])];
        assert_eq!(both(text, &sources, None), expected, "{text} of {end}");
    }
    // An end before the person's own first day.
    let sources = [TestSource::with("hr", &[("end", &["2023-12-31"])])];
    assert_eq!(both(iso, &sources, Some("2024-01-01")), ('T', 'U'));
    assert_eq!(both(iso, &sources, Some("2023-12-31")), ('T', 'T'));
}

proptest! {
    /// To believe less never turns an answer around.
    #[test]
    fn a_doubt_only_takes_away(day in 0_i64..60_000, format in 0_usize..4, first in 0_i64..60_000, inner in 0_usize..3) {
        let start = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        let formats = ["%Y-%m-%d", "%d-%m-%y", "%m/%d/%Y", "%d/%m/%Y"];
        let end = (start + chrono::Duration::days(day)).format(formats[format]).to_string();
        let first = (start + chrono::Duration::days(first)).to_string();
        let text = [
            "hr.end | date('%Y-%m-%d', '%d-%m-%y', '%m/%d/%Y', '%d/%m/%Y') < today",
            "not (hr.end | date('%Y-%m-%d', '%d-%m-%y', '%m/%d/%Y', '%d/%m/%Y') >= today)",
            "(hr.end | date('%Y-%m-%d', '%d-%m-%y', '%m/%d/%Y', '%d/%m/%Y') | default(today)) < today",
        ][inner];
        let (as_read, beyond) = both(text, &[TestSource::with("hr", &[("end", &[&end])])], Some(&first));
        prop_assert!(beyond == as_read || beyond == 'U', "{text} of {end}: {as_read} {beyond}");
    }
}
