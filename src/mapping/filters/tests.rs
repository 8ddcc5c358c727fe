//! One table per filter: what goes in, what comes out.

use crate::mapping::testing::{TestSource, evaluate, message, refusal};

/// Evaluates `hr.a | FILTER` over a single value, several values, or none.
fn filtered(filter: &str, values: &[&str]) -> String {
    evaluate(
        &format!("{{{{ hr.a | {filter} }}}}"),
        &[TestSource::with("hr", &[("a", values)])],
    )
}

fn check(filter: &str, cases: &[(&str, &str)]) {
    for (value, expected) in cases {
        assert_eq!(filtered(filter, &[value]), *expected, "{value:?} | {filter}");
    }
}

#[test]
fn text_filters() {
    check("trim", &[(" a b ", "a b"), ("", "blank"), ("  ", "blank")]);
    check(
        "lower",
        &[
            ("Jan@EXAMPLE.net", "jan@example.net"),
            ("\u{c9}A", "\u{e9}a"),
            ("", "blank"),
        ],
    );
    check("upper", &[("jan \u{e9}", "JAN \u{c9}"), ("stra\u{df}e", "STRASSE")]);
    check(
        "title",
        &[
            ("JAN-PETER", "Jan-Peter"),
            ("o'BRIEN", "O'Brien"),
            ("van der berg", "Van Der Berg"),
            ("\u{e9}lise", "\u{c9}lise"),
        ],
    );
    check(
        "replace('-', ' ')",
        &[("06-12-34", "06 12 34"), ("-", "blank"), ("a", "a")],
    );
    check("replace(' ', '')", &[("06 12 34", "061234")]);
    check("pad(6)", &[("123", "000123"), ("1234567", "1234567"), ("", "blank")]);
    check("pad(4, 'x')", &[("\u{e9}", "xxx\u{e9}")]);
    check(
        "slice(0, 3)",
        &[("J\u{f6}rgen", "J\u{f6}r"), ("ab", "ab"), ("", "blank")],
    );
    check("slice(-2)", &[("12345", "45"), ("1", "1")]);
    check("slice(2, 1)", &[("12345", "blank")]);
    check("length", &[("J\u{f6}rg", "number 4"), ("", "number 0")]);
    check("string", &[("a", "a"), ("", "blank")]);
}

#[test]
fn text_filters_work_on_each_value_of_a_list() {
    assert_eq!(filtered("lower", &["A", "B"]), "[a, b]");
    assert_eq!(filtered("pad(3)", &["1", "22"]), "[001, 022]");
    assert_eq!(filtered("replace('x', '')", &["x", "ax"]), "a");
    assert_eq!(filtered("length", &["A", "B"]), "number 2");
}

#[test]
fn regex_gives_the_group_or_the_match_or_nothing_known() {
    check(
        r"regex('^SMTP:(.*)$')",
        &[
            ("SMTP:jan@example.net", "jan@example.net"),
            ("smtp:x", "unknown"),
            ("", "blank"),
        ],
    );
    check(r"regex('\d+')", &[("room 12b", "12"), ("none", "unknown")]);
    check(r"regex('\bb')", &[("a b", "b"), ("ab", "unknown")]);
    check(r"regex('x(y)?')", &[("x", "blank")]);
    check(r"regex('\d+') | default('')", &[("none", "blank")]);
    check(r"regex_replace('\s+', ' ')", &[("a   b", "a b"), ("", "blank")]);
    check(
        r"regex_replace('^(\w+), (\w+)$', '$2 $1')",
        &[("Jansen, Jan", "Jan Jansen")],
    );
    let addresses = ["smtp:j@x", "SMTP:jan@x", "X500:abc"];
    assert_eq!(filtered("regex('^SMTP:(.*)')", &addresses), "jan@x");
    assert_eq!(filtered("regex('(?i)^smtp:(.*)')", &addresses), "[j@x, jan@x]");
    assert_eq!(filtered("regex('^sip:(.*)')", &addresses), "unknown");
}

#[test]
fn list_filters() {
    check(
        "split(',')",
        &[("a, b,,c", "[a, b, c]"), ("a", "a"), ("", "blank"), (",", "blank")],
    );
    check("split", &[("a  b", "[a, b]")]);
    check("split(',') | first", &[("a,b", "a"), ("a", "a"), ("", "blank")]);
    check("split(',') | last", &[("a,b", "b"), ("", "blank")]);
    check("split(',') | join('; ')", &[("a,b", "a; b"), ("a", "a"), ("", "blank")]);
    assert_eq!(filtered("first", &["x", "y"]), "x");
    assert_eq!(filtered("last", &["x", "y"]), "y");
    assert_eq!(filtered("join", &["x", "", "y"]), "x, y");
    assert_eq!(filtered("split(',')", &["x", "y"]), "fault");
}

#[test]
fn numbers() {
    check(
        "int",
        &[
            ("007", "number 7"),
            (" -3 ", "number -3"),
            ("", "blank"),
            ("1.5", "fault"),
            ("a", "fault"),
        ],
    );
    check("number", &[("0,80", "number 0.8"), ("", "blank"), ("1.000,5", "fault")]);
    check("int | pad(4)", &[("7", "0007")]);
    assert_eq!(filtered("int", &["1", "2"]), "fault");
}

#[test]
fn dates() {
    check(
        "date",
        &[
            ("2024-01-31", "date 2024-01-31"),
            ("20240131", "date 2024-01-31"),
            ("2024-05-31T22:30:00Z", "date 2024-06-01"),
            ("", "no date"),
            ("9999-12-31", "no date"),
            ("31-01-2024", "fault"),
        ],
    );
    check(
        "date('%d-%m-%Y', '%d/%m/%Y')",
        &[
            ("31-01-2024", "date 2024-01-31"),
            ("31/01/2024", "date 2024-01-31"),
            ("31-12-9999", "no date"),
            ("2024-01-31", "fault"),
            ("31-01-24", "fault"),
        ],
    );
    check(
        "date(never='NULL')",
        &[("NULL", "no date"), ("2024-01-31", "date 2024-01-31")],
    );
    check(
        "date('%d-%m-%Y', never=['31-12-2099', '-'])",
        &[("31-12-2099", "no date"), ("-", "no date")],
    );
    check(
        "date('%d-%m-%Y') | format('%Y-%m-%d')",
        &[("31-01-2024", "2024-01-31"), ("", "blank")],
    );
    check("date | format('%Y %H:%M')", &[("2024-01-31", "2024 00:00")]);
    check("date | format('%Y %z')", &[("2024-01-31", "fault")]);
    check(
        "date | add_days(1)",
        &[("2024-02-28", "date 2024-02-29"), ("", "no date")],
    );
    check("add_days(1)", &[("2024-02-28", "fault")]);
    check("format('%Y')", &[("2024-02-28", "fault"), ("", "blank")]);
    check("date | lower", &[("2024-01-31", "fault")]);
    assert_eq!(filtered("date", &["2024-01-31", "2024-02-01"]), "fault");
}

#[test]
fn directory_filters() {
    check(
        "bit(2)",
        &[("514", "true"), ("512", "false"), ("", "unknown"), ("x", "fault")],
    );
    check("bit(3)", &[("1", "false"), ("7", "true")]);
    check(
        "ad_disabled",
        &[("514", "true"), ("66048", "false"), ("66050", "true"), ("", "unknown")],
    );
    check(
        "filetime",
        &[
            ("133511328000000000", "time 2024-01-31T00:00:00+00:00"),
            ("0", "no date"),
            ("9223372036854775807", "no date"),
            ("", "no date"),
            ("2024-01-31", "fault"),
        ],
    );
    check("filetime | date", &[("133511328000000000", "date 2024-01-31")]);
    check(
        "generalized_time",
        &[
            ("20240131120000.0Z", "time 2024-01-31T12:00:00+00:00"),
            ("", "no date"),
            ("2024-01-31", "fault"),
        ],
    );
    check(
        "rdn",
        &[
            ("CN=Jansen\\, Jan,OU=x,DC=y", "Jansen, Jan"),
            ("", "blank"),
            ("Jan", "fault"),
        ],
    );
    check(
        "ou",
        &[
            ("CN=a,OU=Leavers,OU=People,DC=x", "[Leavers, People]"),
            ("CN=a,OU=People,DC=x", "People"),
            ("CN=a,DC=x", "blank"),
            ("", "blank"),
        ],
    );
    check("ou | first", &[("CN=a,OU=Leavers,OU=People,DC=x", "Leavers")]);
    assert_eq!(filtered("rdn", &["CN=a,DC=x", "CN=b,DC=x"]), "[a, b]");
}

#[test]
fn what_is_not_known_stays_so_through_every_filter() {
    let sources = [TestSource::rejected("hr")];
    for filter in [
        "trim",
        "lower",
        "upper",
        "title",
        "replace('a', 'b')",
        "regex('a')",
        "regex_replace('a', 'b')",
        "split",
        "first",
        "last",
        "join",
        "pad(3)",
        "slice(1)",
        "string",
        "length",
        "int",
        "number",
        "date",
        "format('%Y')",
        "add_days(1)",
        "bit(2)",
        "filetime",
        "generalized_time",
        "rdn",
        "ou",
        "ad_disabled",
        "default('x')",
    ] {
        assert_eq!(
            evaluate(&format!("{{{{ hr.a | {filter} }}}}"), &sources),
            "unknown",
            "{filter}"
        );
    }
}

#[test]
fn messages_name_the_attribute_and_the_cure_but_no_value() {
    let sources = [TestSource::with(
        "hr",
        &[("End date", &["Secretvalue"]), ("list", &["Secretvalue", "b"])],
    )];
    for (text, part) in [
        (
            "{{ hr['End date'] | date }}",
            "hr['End date'] is not an ISO 8601 date; give the format",
        ),
        (
            "{{ hr['End date'] | date('%d-%m-%Y') }}",
            "hr['End date'] is not a date as '%d-%m-%Y'",
        ),
        ("{{ hr['End date'] | int }}", "hr['End date'] is not a number"),
        ("{{ hr['End date'] | bit(2) }}", "whole number"),
        ("{{ hr['End date'] | rdn }}", "distinguished name"),
        ("{{ hr['End date'] | regex('x') }}", "does not match"),
        (
            "{{ hr['End date'] < today }}",
            "hr['End date'] < today: text cannot be compared with a date; use | date",
        ),
        (
            "{{ hr['End date'] < hr['End date'] }}",
            "texts have no order; use | date or | int",
        ),
        ("{{ hr.list == 'b' }}", "| first"),
        (
            "{{ hr.list }} b",
            "| sort | first or put them together with | sort | join",
        ),
        ("{{ hr['End date'] and true }}", "compare it"),
    ] {
        let message = message(text, &sources);
        assert!(message.contains(part), "{text}: {message}");
        assert!(!message.contains("Secretvalue"), "{text}: {message}");
    }
}

#[test]
fn bad_filters_are_problems_of_the_configuration() {
    let sources = [TestSource::with("hr", &[("a", &["x"])])];
    for (filter, part) in [
        ("lowr", "did you mean | lower?"),
        ("zzz", "filters are: "),
        ("regex('(')", "'(' is not a regular expression"),
        ("regex", "write | regex('pattern')"),
        ("regex_replace('(a)', '\\1')", "$1"),
        ("date('dd-MM-yyyy')", "write it with %d, %m and %Y"),
        ("date('%d-%m')", "does not give day, month and year"),
        ("date(format='%d')", "no such argument 'format'"),
        ("date(3)", "not a format"),
        ("format('%Q')", "| format('%d-%m-%Y')"),
        ("pad", "| pad(6)"),
        ("pad(6, 'ab')", "| pad(6)"),
        ("pad(0)", "| pad(6)"),
        ("replace('', 'a')", "| replace('from', 'to')"),
        ("trim('x')", "without arguments"),
        ("bit(0)", "| bit(2)"),
        ("default", "write | default('text')"),
        ("pad(hr.b)", "not a constant"),
        ("trim(x=1)", "no argument named 'x'"),
        ("split('')", "| split(',')"),
        ("add_days('3')", "| add_days(3)"),
    ] {
        let refusal = refusal(&format!("{{{{ hr.a | {filter} }}}}"), &sources);
        assert!(refusal.contains(part), "{filter}: {refusal}");
    }
}
