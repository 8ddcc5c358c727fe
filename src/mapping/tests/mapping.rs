//! The configuration as a whole: all problems at once, references, rules, explain.

use crate::config::{FieldPolicy, MissingEntry};
use crate::core::model::field::CardField;
use crate::core::model::identity::{Describe, Desired, FirstDay, Truth};
use crate::core::model::ids::SourceName;
use crate::mapping::Mapping;
use crate::mapping::testing::{TestSource, compile, config, moment, with_joined};

const SAMPLE: &str = "
key: { card_field: employeeNumber, normalize: [trim, uppercase] }
include: \"hr.Type != 'External'\"
fields:
  surName: \"{{ hr['Last name'] }}\"
  firstName: \"{{ hr['First name'] }}\"
  email: \"{{ ad.mail | lower }}\"
  branch: { value: \"{{ hr.Site }}\", missing: hold }
  department: { value: \"{{ hr.Department }}\", missing: create }
  manager: { dn: \"{{ ad.manager }}\" }
  jobTitle: { value: \"{{ hr.Function }}\", policy: seed }
  networkLoginName: \"{{ ad.sAMAccountName ~ '@' ~ ad.Mail }}\"
lifecycle:
  leaver: { when: \"{{ hr['End date'] | date < today or ad | ad_disabled }}\", after: 1d }
";

fn people() -> [TestSource; 3] {
    [
        TestSource::with(
            "hr",
            &[
                ("Last name", &["Jansen"]),
                ("First name", &["Jan"]),
                ("Site", &["Utrecht"]),
                ("Department", &[""]),
                ("Function", &["Clerk"]),
                ("Type", &["Internal"]),
                ("End date", &[""]),
            ],
        ),
        TestSource::without("hr2"),
        TestSource::with(
            "ad",
            &[
                ("mail", &["Jan@Example.net"]),
                ("manager", &["CN=Boss,DC=x"]),
                ("sAMAccountName", &["jan"]),
                ("userAccountControl", &["512"]),
            ],
        ),
    ]
}

#[test]
fn the_sample_compiles_and_says_what_it_needs() {
    let mapping = compile(SAMPLE).unwrap();
    let needed: Vec<(&str, Vec<&str>)> = mapping
        .references()
        .iter()
        .map(|(source, names)| (source.as_str(), names.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        needed,
        [
            ("ad", vec!["mail", "manager", "sAMAccountName", "userAccountControl"]),
            (
                "hr",
                vec![
                    "Department",
                    "End date",
                    "First name",
                    "Function",
                    "Last name",
                    "Site",
                    "Type"
                ]
            ),
        ]
    );
    let rule = mapping.rule(CardField::JobTitle).unwrap();
    assert_eq!(
        (rule.policy, rule.expression()),
        (FieldPolicy::Seed, "{{ hr.Function }}")
    );
    assert_eq!(
        mapping.rule(CardField::Department).unwrap().missing,
        MissingEntry::Create
    );
    assert!(mapping.rule(CardField::Fax).is_none());
}

#[test]
fn a_person_is_described() {
    let mapping = compile(SAMPLE).unwrap();
    with_joined(&people(), |joined| {
        assert_eq!(mapping.scope(joined, moment()), Truth::True);
        assert_eq!(mapping.leaving(joined, moment()), Truth::False);
        let description = mapping.describe(joined, moment());
        assert_eq!(description.problems, []);
        assert_eq!(description.fields.len(), 8);
        assert_eq!(description.fields[&CardField::Department], Desired::Clear);
        let evaluated = mapping.explain(joined, moment());
        let email = evaluated.iter().find(|one| one.field == CardField::Email).unwrap();
        assert_eq!(email.expression, "{{ ad.mail | lower }}");
        assert_eq!(
            email.inputs,
            [("ad.mail".to_owned(), vec!["Jan@Example.net".to_owned()])]
        );
        assert_eq!(email.raw.as_deref(), Some("jan@example.net"));
        for one in evaluated {
            assert_eq!(one.desired, description.fields[&one.field], "{}", one.field);
        }
    });
}

#[test]
fn a_rejected_directory_makes_only_its_own_values_unknown() {
    let mapping = compile(SAMPLE).unwrap();
    let [hr, hr2, _] = people();
    with_joined(&[hr, hr2, TestSource::rejected("ad")], |joined| {
        assert!(matches!(mapping.leaving(joined, moment()), Truth::Unknown(_)));
        let description = mapping.describe(joined, moment());
        assert_eq!(description.problems, []);
        assert!(matches!(description.fields[&CardField::SurName], Desired::Set(_)));
        assert!(matches!(description.fields[&CardField::Email], Desired::Unknown(_)));
    });
}

#[test]
fn the_same_record_gives_the_same_in_any_column_order() {
    let mapping = compile(SAMPLE).unwrap();
    let [hr, hr2, ad] = people();
    let reordered = TestSource::with(
        "hr",
        &[
            ("End date", &[""]),
            ("Type", &["Internal"]),
            ("Function", &["Clerk"]),
            ("Department", &[""]),
            ("Site", &["Utrecht"]),
            ("First name", &["Jan"]),
            ("Last name", &["Jansen"]),
        ],
    );
    let mut worlds = [
        [hr, hr2, ad],
        [reordered, people().into_iter().nth(1).unwrap(), {
            let [_, _, ad] = people();
            ad
        }],
    ];
    let mut results = Vec::new();
    for _ in 0..2 {
        for world in &worlds {
            results.push(with_joined(world, |joined| mapping.describe(joined, moment()).fields));
        }
        worlds.reverse();
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn whoever_would_be_archived_during_their_last_working_day_is_warned_of() {
    let warned = |when: &str, rest: &str| {
        let text = format!(
            "fields: {{ surName: \"{{{{ hr.a }}}}\" }}\nlifecycle: {{ leaver: {{ when: \"{{{{ {when} }}}}\"{rest} }} }}"
        );
        let mapping = compile(&text).unwrap();
        mapping
            .advice()
            .iter()
            .any(|advice| advice.message.contains("last working day"))
    };
    for when in [
        "hr.end | date <= today",
        "today >= hr.end | date",
        "hr.s == 'x' or hr.end | date <= today",
    ] {
        assert!(warned(when, ", after: 0d"), "{when}");
        assert!(warned(when, ", after: 23h"), "{when}");
        assert!(!warned(when, ""), "{when}: a day is the default");
        assert!(!warned(when, ", after: 0d, at: '18:00'"), "{when}");
    }
    for when in [
        "hr.end | date < today",
        "today > hr.end | date",
        "hr.start | date >= today",
    ] {
        assert!(!warned(when, ", after: 0d"), "{when}");
    }
}

#[test]
fn the_first_working_day_is_a_date_in_the_zone_or_blank_or_not_known() {
    let day = |starts: &str| {
        let text =
            format!("fields: {{ surName: \"{{{{ hr.a }}}}\" }}\nlifecycle: {{ joiner: {{ starts: \"{starts}\" }} }}");
        let mapping = compile(&text).unwrap();
        let sources = [TestSource::with(
            "hr",
            &[
                ("Start", &["2024-06-10"]),
                // Late in the evening in UTC is the next day in Amsterdam.
                ("When", &["20240609223000Z"]),
                ("None", &[""]),
                ("Odd", &["soon"]),
                ("Two", &["2024-06-10", "2024-07-01"]),
            ],
        )];
        with_joined(&sources, |joined| mapping.first_day(joined, moment()))
    };
    let on = |month, day| Some(FirstDay::On(chrono::NaiveDate::from_ymd_opt(2024, month, day).unwrap()));
    assert_eq!(day("{{ hr.Start | date }}"), on(6, 10));
    assert_eq!(day("{{ hr.When | generalized_time }}"), on(6, 10));
    assert_eq!(day("{{ hr.None | date }}"), Some(FirstDay::Blank));
    assert_eq!(day("{{ hr.None | date | default(today) }}"), on(6, 1));
    for unknown in [
        "{{ hr.Odd | date }}",
        "{{ hr.Two | date }}",
        "{{ hr.Gone | date }}",
        "{{ ad.Start | date }}",
    ] {
        assert!(
            matches!(day(unknown), Some(FirstDay::Unknown(_))),
            "{unknown}: {:?}",
            day(unknown)
        );
    }
    let mapping = compile("fields: { surName: \"{{ hr.a }}\" }").unwrap();
    assert_eq!(
        with_joined(&people(), |joined| mapping.first_day(joined, moment())),
        None
    );
}

#[test]
fn without_conditions_everybody_is_in_scope_and_nobody_leaves() {
    let mapping = compile("fields: { surName: \"{{ hr.a }}\" }").unwrap();
    with_joined(&people(), |joined| {
        assert_eq!(mapping.scope(joined, moment()), Truth::True);
        assert_eq!(mapping.leaving(joined, moment()), Truth::False);
    });
    assert!(mapping.include().is_none() && mapping.leaver().is_none());
}

#[test]
fn all_problems_are_found_at_once_and_say_where() {
    let problems = compile(
        "
key: { card_field: employeNumber }
include: \"hrr.Type != 'External'\"
fields:
  surname: \"{{ hr.a }}\"
  firstName: \"{{ hr.a | lowr }} {{ hrr.b }}\"
  email: { key: \"{{ hr.a }}\" }
  jobTitle: { value: \"{{ hr[x] }}\", policy: seed }
  branch: { value: \"{{ hr.a }}\", missing: create }
  manager: { dn: \"{{ hr.manager }}\" }
  location: { missing: skip }
lifecycle: { leaver: { when: \"{{ hr.a }} {{ hr.b }}\" }, joiner: { starts: \"{{ hr.a }}\" } }
",
    )
    .unwrap_err();
    let found: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem.path.as_str(), problem.cure.as_str()))
        .collect();
    for expected in [
        ("key.card_field", "did you mean 'employeeNumber'?"),
        ("include", "did you mean 'hr'?"),
        ("lifecycle.leaver.when", "put 'and' or 'or' inside one pair of braces"),
        (
            "lifecycle.joiner.starts",
            "use | date, e.g. {{ hr['Start date'] | date('%d-%m-%Y') }}",
        ),
        ("fields.surname", "did you mean 'surName'?"),
        ("fields.firstName", "did you mean | lower?"),
        ("fields.firstName", "did you mean 'hr'?"),
        ("fields.email", "write the expression as 'value'"),
        ("fields.branch.missing", "write 'hold' or 'skip'"),
        ("fields.manager.dn", "use 'key' with the manager's number"),
        ("fields.location", "write exactly one 'value'"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {problems:#?}");
    }
    assert!(problems.iter().any(|problem| problem.path == "fields.jobTitle.value"
        && problem.message.contains("references are static")));
    let shown = problems[0].to_string();
    assert!(shown.starts_with("key.card_field: 'employeNumber' is not"), "{shown}");
}

#[test]
fn a_key_must_be_text_and_a_dn_needs_directories() {
    let problems = compile("key: { card_field: branch }\nfields: { manager: { dn: \"{{ ad.a | default(hr.b) }}\" } }")
        .unwrap_err();
    assert_eq!(problems[0].path, "key.card_field");
    assert!(problems[1].message.contains("hr is a file of rows"));
}

#[test]
fn rows_per_contract_see_their_own_source_only() {
    let rest = "fields: { surName: \"{{ hr.a }}\" }";
    let with_rows = |current: &str| {
        let mut config = config(rest);
        let crate::config::SourceConfig::Csv(csv) = &mut config.sources[0] else {
            panic!("hr is a file");
        };
        csv.rows = crate::config::RowsConfig::Per(crate::config::PerContract {
            per: crate::config::RowUnit::Contract,
            current: current.to_owned(),
            main: None,
        });
        Mapping::compile(&config)
    };
    let mapping = with_rows("{{ hr['Contract end'] | date >= today }}").unwrap();
    let hr = SourceName::new("hr");
    assert!(mapping.contract(&hr).is_some());
    assert!(mapping.contract(&SourceName::new("hr2")).is_none());
    assert!(mapping.references()[&hr].contains("Contract end"));
    let problems = with_rows("ad.x == 'y'").unwrap_err();
    assert_eq!(problems[0].path, "sources[0].rows.current");
}

#[test]
fn conditions_that_can_never_be_decided_are_pointed_out() {
    let advice = |leaver: &str| {
        let mapping = compile(&format!(
            "fields: {{ surName: \"{{{{ hr.a }}}}\" }}\nlifecycle: {{ leaver: {{ when: \"{leaver}\" }} }}"
        ))
        .unwrap();
        let found = mapping.advice().iter().map(ToString::to_string);
        found.collect::<Vec<_>>().join("\n")
    };
    for (leaver, part) in [
        (
            "hr.end < today",
            "hr.end < today is never decided: it compares text with a date; use | date",
        ),
        ("not hr.end >= today", "hr.end < today is never decided"),
        ("hr.a < hr.b", "compares text with text"),
        ("hr.a | int == '5'", "compares a number with text"),
        ("hr.end | date", "the condition gives a date"),
        (
            "hr.active and hr.end | date < today",
            "hr.active is text, not true or false",
        ),
        ("not hr.active", "hr.active is text"),
    ] {
        assert!(advice(leaver).contains(part), "{leaver}: {}", advice(leaver));
        assert!(advice(leaver).starts_with("lifecycle.leaver.when: "), "{leaver}");
    }
    for fine in [
        "hr.end | date < today",
        "ad.expires | filetime < now",
        "hr.a == 'x' and hr.b in ['y']",
        "ad | ad_disabled",
        "hr.a | length > 3",
        "hr.a | default('x') == 'x'",
        "hr.end == ''",
    ] {
        assert_eq!(advice(fine), "", "{fine}");
    }
}
