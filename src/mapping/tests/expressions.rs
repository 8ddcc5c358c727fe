//! What expressions give, and which are refused.

use crate::mapping::testing::{TestSource, evaluate, refusal};

fn world() -> Vec<TestSource> {
    vec![
        TestSource::with(
            "hr",
            &[
                ("Name", &["Jan"]),
                ("Last name", &["  Andre\u{301} "]),
                ("blank", &[" "]),
                ("none", &[]),
                ("list", &["a", " ", "b"]),
                ("one", &["", "x"]),
                ("end", &["2024-01-31"]),
                ("five", &["5"]),
            ],
        ),
        TestSource::without("gone"),
        TestSource::degraded("half"),
        TestSource::rejected("bad"),
        TestSource::with("ad", &[("mail", &["Jan@Example.net"])]),
    ]
}

fn check(cases: &[(&str, &str)]) {
    let world = world();
    for (text, expected) in cases {
        assert_eq!(evaluate(text, &world), *expected, "{text}");
    }
}

#[test]
fn references_are_set_blank_or_unknown() {
    check(&[
        ("{{ hr.Name }}", "Jan"),
        ("{{ hr['Last name'] }}", "Andr\u{e9}"),
        ("  {{- hr.Name -}}  ", "Jan"),
        ("{{ hr.blank }}", "blank"),
        ("{{ hr.none }}", "blank"),
        ("{{ hr.list }}", "[a, b]"),
        ("{{ hr.one }}", "x"),
        ("{{ hr.nothing }}", "unknown"),
        ("{{ hr.name }}", "unknown"),
        ("{{ ad.MAIL }}", "Jan@Example.net"),
        ("{{ ad.dn }}", "CN=Jan,OU=Leavers,OU=People,DC=example,DC=net"),
        ("{{ hr.dn }}", "unknown"),
        ("{{ gone.Name }}", "unknown"),
        ("{{ bad.Name }}", "unknown"),
    ]);
}

#[test]
fn a_missing_attribute_is_unknown_even_where_the_records_have_a_column_for_it() {
    let mut source = TestSource::with("hr", &[("Name", &[])]);
    assert_eq!(
        evaluate("{{ hr.Name }}", &[TestSource::with("hr", &[("Name", &[])])]),
        "blank"
    );
    source.snapshot.missing_attributes.insert("Name".to_owned());
    assert_eq!(evaluate("{{ hr.Name }}", &[source]), "unknown");
}

#[test]
fn text_with_parts_is_put_together() {
    check(&[
        ("{{ hr.Name }} {{ hr['Last name'] }}", "Jan Andr\u{e9}"),
        ("{{ hr.Name }} {{ hr.blank }}", "Jan"),
        ("{{ hr.blank }} {{ hr.none }}", "blank"),
        ("{{ hr.Name }} {{ bad.x }}", "unknown"),
        ("{{ hr.Name }} {{ gone.x }}", "unknown"),
        ("{{ hr.Name }} {{ gone.x | default('') }}", "Jan"),
        ("{{ hr.Name }}: {{ hr.end | date }}", "Jan: 2024-01-31"),
        ("{{ hr.Name }} {{ hr.list }}", "fault"),
        ("{{ hr.Name }}{# a comment #}", "Jan"),
        ("Head office", "Head office"),
        ("", "blank"),
        ("{{ hr.Name ~ ' ' ~ hr.Name }}", "Jan Jan"),
        ("{{ hr.Name + '-' + hr.Name }}", "Jan-Jan"),
        (
            "{{ hr.blank ~ (' ' if hr.blank is not blank else '') ~ hr.Name }}",
            "Jan",
        ),
        (
            "{{ hr.Name ~ (' ' if hr.Name is not blank else '') ~ hr.Name }}",
            "Jan Jan",
        ),
        ("{{ 'a' ~ 5 ~ true }}", "a5true"),
    ]);
}

#[test]
fn default_takes_what_there_is() {
    check(&[
        ("{{ hr.Name | default('x') }}", "Jan"),
        ("{{ hr.blank | default('x') }}", "x"),
        ("{{ hr.blank | default(hr.Name) }}", "Jan"),
        ("{{ hr.blank | default(hr.none) }}", "blank"),
        ("{{ gone.Name | default(hr.Name) }}", "Jan"),
        ("{{ hr.Name | default(gone.Name) }}", "Jan"),
        ("{{ gone.Name | default(hr.blank) }}", "blank"),
        // The one record that there is says: empty.
        ("{{ hr.blank | default(gone.Name) }}", "blank"),
        ("{{ gone.Name | default(gone.Other) }}", "unknown"),
        ("{{ gone.Name | lower | default(hr.Name | upper) }}", "JAN"),
        ("{{ hr.end | date('%d-%m-%Y') | default('x') }}", "fault"),
        ("{{ hr.blank | date | default('x') }}", "x"),
    ]);
}

#[test]
fn default_does_not_stand_in_for_what_is_merely_unread() {
    check(&[
        ("{{ bad.Name | default(hr.Name) }}", "unknown"),
        ("{{ half.Name | default(hr.Name) }}", "unknown"),
        ("{{ hr.nothing | default('x') }}", "unknown"),
        ("{{ hr.blank | default(bad.Name) }}", "unknown"),
        ("{{ hr.blank | default(half.Name) }}", "unknown"),
        ("{{ gone.Name | default(bad.Name) }}", "unknown"),
    ]);
}

#[test]
fn inline_if_and_arithmetic() {
    check(&[
        ("{{ 'A' if hr.Name == 'Jan' else 'B' }}", "A"),
        ("{{ 'A' if hr.Name == 'Piet' else 'B' }}", "B"),
        ("{{ 'A' if hr.Name == 'Piet' }}", "blank"),
        ("{{ 'A' if bad.x == 'y' else 'B' }}", "unknown"),
        ("{{ 'A' if bad.x == 'y' else 'B' | default('C') }}", "unknown"),
        ("{{ hr.Name if hr.Name is defined else 'x' }}", "Jan"),
        ("{{ gone.x if gone.x is defined else hr.Name }}", "Jan"),
        ("{{ hr.end | date + days(1) }}", "date 2024-02-01"),
        ("{{ days(1) }}", "1 days"),
        ("{{ today - days(1) }}", "date 2024-05-31"),
        ("{{ today + 1 }}", "fault"),
        ("{{ hr.five | int + 2 }}", "number 7"),
        ("{{ hr.five | int - 0.5 }}", "number 4.5"),
        ("{{ hr.end + days(1) }}", "fault"),
        ("{{ today + days(999999999) }}", "fault"),
        ("{{ -1 }}", "number -1"),
        ("{{ today }}", "date 2024-06-01"),
        ("{{ hr.Name[:1] }}", "J"),
        ("{{ hr.Name[1:] }}", "an"),
        ("{{ (hr.Name ~ '.')[-2:] }}", "n."),
    ]);
}

#[test]
fn what_is_not_an_expression_is_refused_with_the_cure() {
    let world = world();
    for (text, part) in [
        ("{{ hrr.Name }}", "'hrr' is not a source; did you mean 'hr'?"),
        ("{{ zzz.Name }}", "sources are: hr, gone, half, bad, ad"),
        ("{{ tody }}", "did you mean 'today'?"),
        ("{{ hr }}", "'hr' is a source, not a value; write hr.attribute"),
        ("{{ hr[hr.Name] }}", "references are static"),
        ("{{ hr[today] }}", "references are static"),
        ("{{ hr[0] }}", "hr['0']"),
        ("{{ hr[''] }}", "names no attribute"),
        ("{{ hr.Name.first }}", "not an attribute of a source"),
        ("{{ hr.Name[0] }}", "use | sort | first"),
        ("{{ hr.Name.upper() }}", "write it as a filter: | upper"),
        ("{{ range(3) }}", "the only function is days"),
        ("{{ days('x') }}", "whole number"),
        ("{% if hr.Name %}x{% endif %}", "use an inline if"),
        ("{% for x in hr.list %}{{ x }}{% endfor %}", "use an inline if"),
        ("{{ hr.Name", "not a Jinja expression"),
        ("{{ }}", "not a Jinja expression"),
        ("{{ hr. }}", "not a Jinja expression"),
        ("{{ hr.five * 2 }}", "only + and -"),
        ("{{ -hr.five }}", "minus"),
        ("{{ {'a': 1} }}", "map"),
        ("{{ hr.Name is definde }}", "did you mean 'is defined'?"),
        ("{{ hr.Name is odd }}", "tests are: "),
        ("{{ hr.Name is containing }}", "needs one text"),
        ("{{ 'x' is defined }}", "asks about an attribute"),
        ("{{ hr.Name[::2] }}", "no step"),
        ("{{ (hr.Name == 'x') == false }}", "'and', 'or' and 'not'"),
        ("{{ false in [hr.Name == 'x'] }}", "'and', 'or' and 'not'"),
        ("{{ ad | lower }}", "'ad' is a source, not a value"),
    ] {
        let refusal = refusal(text, &world);
        assert!(refusal.contains(part), "{text}: {refusal}");
    }
}
