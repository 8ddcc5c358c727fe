//! Values fitted to fields.

use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{Describe, Desired, FieldProblem, Unknown, Wanted};
use crate::core::model::key::Key;
use crate::mapping::testing::{TestSource, compile, moment, with_joined};
use chrono::NaiveDate;

/// The desired value of a field whose rule is YAML, where hr.a has these values and ad.manager is a DN.
fn desired(field: &str, rule: &str, values: &[&str]) -> (Desired, Option<FieldProblem>) {
    let mapping = compile(&format!("fields:\n  {field}: {rule}\n")).unwrap();
    let sources = [
        TestSource::with("hr", &[("a", values)]),
        TestSource::without("hr2"),
        TestSource::with("ad", &[("manager", &["CN=Boss,DC=x"])]),
    ];
    let mut description = with_joined(&sources, |joined| mapping.describe(joined, moment()));
    let field = CardField::from_name(field).unwrap();
    (description.fields.remove(&field).unwrap(), description.problems.pop())
}

fn set(field: &str, value: &str) -> Desired {
    let (desired, problem) = desired(field, "\"{{ hr.a }}\"", &[value]);
    assert_eq!(problem, None, "{field}: {value}");
    desired
}

fn text(value: &str) -> Desired {
    Desired::Set(Wanted::Value(FieldValue::Text(value.into())))
}

/// Whether the person is held, and the field untouched.
fn misfit(field: &str, rule: &str, values: &[&str]) -> bool {
    let (desired, problem) = desired(field, rule, values);
    let problem = problem.unwrap_or_else(|| panic!("{field}: {values:?} gives {desired:?}"));
    assert_eq!(desired, Desired::Unknown(Unknown::Expression(problem.message.clone())));
    assert!(problem.message.starts_with(field), "{}", problem.message);
    for value in values.iter().filter(|value| value.len() > 2) {
        assert!(!problem.message.contains(value), "{}", problem.message);
    }
    problem.holds_person
}

#[test]
fn texts_are_single_composed_trimmed_lines() {
    assert_eq!(set("firstName", " Andre\u{301}\r\n Jan "), text("Andr\u{e9} Jan"));
    assert_eq!(set("firstName", "\t"), Desired::Clear);
    assert_eq!(set("firstName", "\u{1}\u{2}"), Desired::Clear);
    assert_eq!(set("jobTitle", "007"), text("007"));
    assert_eq!(
        desired("jobTitle", "\"{{ hr.a | date }}\"", &["2024-01-31"]).0,
        text("2024-01-31")
    );
}

#[test]
fn text_that_is_too_long_is_left_out_cut_or_holds() {
    let long = "\u{e9}".repeat(31);
    assert_eq!(set("firstName", &"\u{e9}".repeat(30)), text(&"\u{e9}".repeat(30)));
    assert!(!misfit("firstName", "\"{{ hr.a }}\"", &[&long]));
    assert!(!misfit(
        "firstName",
        "{ value: \"{{ hr.a }}\", too_long: skip }",
        &[&long]
    ));
    assert!(misfit(
        "firstName",
        "{ value: \"{{ hr.a }}\", too_long: reject }",
        &[&long]
    ));
    let cut = desired("firstName", "{ value: \"{{ hr.a }}\", too_long: truncate }", &[&long]);
    assert_eq!(cut, (text(&"\u{e9}".repeat(30)), None));
    let at_blank = format!("{} b", "a".repeat(29));
    let cut = desired(
        "firstName",
        "{ value: \"{{ hr.a }}\", too_long: truncate }",
        &[&at_blank],
    );
    assert_eq!(cut, (text(&"a".repeat(29)), None));
}

#[test]
fn a_surname_is_never_emptied_and_a_list_is_never_text() {
    assert!(misfit("surName", "\"{{ hr.a }}\"", &[" "]));
    assert!(misfit("surName", "\"{{ hr.a }}\"", &["\u{1}"]));
    assert!(misfit("jobTitle", "\"{{ hr.a }}\"", &["abcd", "efgh"]));
    let (_, problem) = desired("jobTitle", "\"{{ hr.a }}\"", &["a", "b"]);
    let message = problem.unwrap().message;
    assert!(message.contains("first") && message.contains("join"), "{message}");
}

#[test]
fn unknown_is_neither_clear_nor_a_problem() {
    let (unknown, problem) = desired("jobTitle", "\"{{ hr2.a }}\"", &[]);
    assert_eq!(unknown, Desired::Unknown(Unknown::NoRecord("hr2".into())));
    assert_eq!(problem, None);
    let (unknown, problem) = desired("surName", "\"{{ hr.b }}\"", &[]);
    assert_eq!(unknown, Desired::Unknown(Unknown::NoAttribute("hr".into(), "b".into())));
    assert_eq!(problem, None);
    let (unknown, problem) = desired("mobileNumber", "\"{{ hr.a | regex('^06') }}\"", &["+31"]);
    assert!(matches!(unknown, Desired::Unknown(Unknown::Expression(_))));
    assert_eq!(problem, None);
}

#[test]
fn an_expression_that_fails_on_a_present_value_holds_the_person() {
    assert!(misfit(
        "optionalFields1.date1",
        "\"{{ hr.a | date }}\"",
        &["31-01-2024"]
    ));
    assert!(misfit("jobTitle", "\"{{ hr.a | int }}\"", &["abcdef"]));
}

#[test]
fn flags_numbers_and_dates() {
    let flag = |flag| Desired::Set(Wanted::Value(FieldValue::Flag(flag)));
    for yes in ["true", "Yes", "1", " TRUE "] {
        assert_eq!(set("isCaller", yes), flag(true), "{yes}");
    }
    for no in ["false", "No", "0"] {
        assert_eq!(set("isCaller", no), flag(false), "{no}");
    }
    assert_eq!(desired("isCaller", "\"{{ hr.a == 'J' }}\"", &["J"]).0, flag(true));
    assert!(misfit("isCaller", "\"{{ hr.a }}\"", &["perhaps"]));
    assert!(!misfit("isCaller", "\"{{ hr.a }}\"", &[""]));

    let number = |text: &str| Desired::Set(Wanted::Value(FieldValue::Number(text.into())));
    assert_eq!(set("optionalFields1.number1", "12,50"), number("12.5"));
    assert_eq!(set("optionalFields1.number1", "-3"), number("-3"));
    assert_eq!(
        desired("optionalFields1.number1", "\"{{ hr.a | int + 1 }}\"", &["4"]).0,
        number("5")
    );
    assert_eq!(set("optionalFields1.number1", ""), Desired::Clear);
    assert!(misfit("optionalFields1.number1", "\"{{ hr.a }}\"", &["twelve"]));

    let date = NaiveDate::from_ymd_opt(2024, 1, 31).unwrap();
    let wanted = Desired::Set(Wanted::Value(FieldValue::Date(date)));
    let rule = "\"{{ hr.a | date('%d-%m-%Y') }}\"";
    assert_eq!(desired("optionalFields2.date5", rule, &["31-01-2024"]).0, wanted);
    assert_eq!(
        desired("optionalFields2.date5", rule, &["31-12-9999"]).0,
        Desired::Clear
    );
    assert_eq!(desired("optionalFields2.date5", rule, &[""]).0, Desired::Clear);
    assert!(misfit("optionalFields2.date5", "\"{{ hr.a }}\"", &["31-01-2024"]));
}

#[test]
fn e_mail_addresses_have_an_at_and_no_blank() {
    assert_eq!(set("email", "jan@example.net"), text("jan@example.net"));
    assert_eq!(set("email", ""), Desired::Clear);
    for wrong in ["jan", "jan @example.net", "jan@example.net piet@example.net"] {
        assert!(!misfit("email", "\"{{ hr.a }}\"", &[wrong]), "{wrong}");
    }
}

#[test]
fn references_keep_names_and_managers_are_keys_or_dns() {
    assert_eq!(
        set("department", " Sales "),
        Desired::Set(Wanted::Entry("Sales".into()))
    );
    assert_eq!(set("branch", ""), Desired::Clear);
    let long = "x".repeat(101);
    assert_eq!(
        set("department", &long),
        Desired::Set(Wanted::Entry(long.as_str().into()))
    );
    assert!(!misfit(
        "department",
        "{ value: \"{{ hr.a }}\", missing: create }",
        &[&long]
    ));

    let manager = |key| Desired::Set(Wanted::ManagerKey(Key::stored(key)));
    assert_eq!(set("manager", " 100 "), manager("100"));
    assert_eq!(
        desired("manager", "{ key: \"{{ hr.a }}\" }", &["100"]).0,
        manager("100")
    );
    assert_eq!(desired("manager", "{ key: \"{{ hr.a }}\" }", &[""]).0, Desired::Clear);
    assert!(!misfit("manager", "{ key: \"{{ hr.a }}\" }", &["****"]));
    assert!(!misfit(
        "manager",
        "{ key: \"{{ hr.a }}\" }",
        &["123456789012345678901"]
    ));
    assert_eq!(
        desired("manager", "{ dn: \"{{ ad.manager }}\" }", &[]).0,
        Desired::Set(Wanted::ManagerDn {
            sources: ["ad".into()].into(),
            dn: "CN=Boss,DC=x".into()
        })
    );
}
