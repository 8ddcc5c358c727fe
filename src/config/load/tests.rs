//! Whole files: the samples load, and wrong files say everything that is wrong.

use super::*;

const SAMPLES: [(&str, &str); 5] = [
    ("cardsync.yaml", include_str!("../../../config/cardsync.yaml")),
    ("hr-only.yaml", include_str!("../../../config/hr-only.yaml")),
    ("contracts.yaml", include_str!("../../../config/contracts.yaml")),
    ("openldap.yaml", include_str!("../../../config/openldap.yaml")),
    ("all-options.yaml", include_str!("../../../config/all-options.yaml")),
];

fn sample(name: &str) -> &'static str {
    SAMPLES.iter().find(|(known, _)| *known == name).unwrap().1
}

/// The problems of a text, one line each, without the count.
fn told(text: &str) -> Vec<String> {
    match from_text(Path::new("c.yaml"), text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_sample_loads() {
    for (name, text) in SAMPLES {
        if let Err(problems) = from_text(Path::new(name), text) {
            panic!("{problems}");
        }
    }
}

#[test]
fn every_file_in_config_is_a_known_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name();
        let name = name.to_str().unwrap();
        assert!(
            SAMPLES.iter().any(|(known, _)| *known == name),
            "{name} is loaded by no test"
        );
    }
}

/// A small right file, with some lines replaced.
fn changed(changes: &[(&str, &str)]) -> String {
    let mut text = sample("hr-only.yaml").to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is in the sample");
        text = text.replace(from, to);
    }
    text
}

#[test]
fn unknown_keys_types_words_and_units_are_told_all_at_once() {
    let text = "\
topdesk:
  url: https://example.topdesk.net
  user: api
  password: hunter2
  concurrency: many
  timeout: 5 minutes
  archived_logins_reserved: \"yes\"
timezone: Europe/Amsterdam
sources:
  - name: hr
    type: csv
    path: a.csv
    key: Nr
    role: authorative
    max_drop: 5
    expct: { min_records: 1 }
    expect: { min_records: -1, max_drop: 150%, canaries: [100001, \"100002\"] }
  - name: ad
    type: lpad
    url: ldaps://dc1.example.net
fields:
  surname: \"{{ hr.Name }}\"
  email: 5
  branch: { valeu: \"{{ hr.Site }}\", missing: make }
create: { hasSspAccess: 1 }
lifecycle:
guard: [archive]
shedule: { cron: \"* * * * *\" }
";
    assert_eq!(
        told(text),
        [
            "c.yaml:3:3: topdesk.user: unknown key; did you mean 'username'?",
            "c.yaml:4:13: topdesk.password: is text where a map of options is expected; the secret itself never stands in \
             this file: write { env: NAME }, { file: PATH } or { credential: NAME }",
            "c.yaml:5:16: topdesk.concurrency: is text where a whole number is expected",
            "c.yaml:6:12: topdesk.timeout: '5 minutes' is not a length of time; write a whole number and s, m, h or d, e.g. 26h",
            "c.yaml:7:29: topdesk.archived_logins_reserved: is text where true or false is expected",
            "c.yaml:14:11: sources[0].role: 'authorative' is not known; did you mean 'authoritative'?",
            "c.yaml:15:5: sources[0].max_drop: unknown key; did you mean 'expect.max_drop'?",
            "c.yaml:16:5: sources[0].expct: unknown key; did you mean 'expect'?",
            "c.yaml:17:28: sources[0].expect.min_records: is out of range; write a whole number, 0 or more",
            "c.yaml:17:42: sources[0].expect.max_drop: '150%' is not a percentage between 0% and 100%; write e.g. 5%",
            "c.yaml:17:59: sources[0].expect.canaries[0]: is a whole number where text is expected; put it in quotes",
            "c.yaml:19:11: sources[1].type: 'lpad' is not known; known here: csv, ldap, ldif",
            "c.yaml:22:3: fields.surname: unknown key; did you mean 'surName'?",
            "c.yaml:23:10: fields.email: is a whole number where text or a map of options is expected; put it in quotes",
            "c.yaml:24:13: fields.branch.valeu: unknown key; did you mean 'value'?",
            "c.yaml:24:46: fields.branch.missing: 'make' is not known; known here: hold, skip, create",
            "c.yaml:25:1: create.isCaller: is missing; add 'isCaller': May be chosen as the caller of a call",
            "c.yaml:25:25: create.hasSspAccess: is a whole number where true or false is expected",
            "c.yaml:27:1: guard: is a list where a map of options is expected",
            "c.yaml:28:1: shedule: unknown key; did you mean 'schedule'?",
        ]
    );
    let problems = from_text(Path::new("c.yaml"), text).unwrap_err().to_string();
    assert_eq!(problems.lines().count(), 21);
    assert!(problems.ends_with("\n20 problems in c.yaml"), "{problems}");
    assert!(!problems.contains("hunter2"));
}

#[test]
fn what_is_missing_is_told_at_the_map_that_lacks_it() {
    assert_eq!(
        told("topdesk:\n  url: https://example.topdesk.net\nsources: []\n"),
        [
            "c.yaml:1:1: create: is missing; add 'create': Flags of new cards",
            "c.yaml:1:1: fields: is missing; add 'fields': Card field: expression over `source.attribute`",
            "c.yaml:1:1: topdesk.password: is missing; add 'password': Its application password",
            "c.yaml:1:1: topdesk.username: is missing; add 'username': Login name of the API account",
            "c.yaml:3:1: sources: there is no source; add at least one with 'role: authoritative'",
        ]
    );
}

#[test]
fn double_keys_do_not_hide_other_problems() {
    let text = changed(&[
        ("create:", "timezone: Europe/Berlin\ncreate:"),
        ("role: authoritative", "rol: authoritative"),
    ]);
    assert_eq!(
        told(&text),
        [
            "c.yaml:16:5: sources[0].rol: unknown key; did you mean 'role'?",
            "c.yaml:24:1: timezone: stands here again, first on line 9; keep one of the two",
        ]
    );
}

#[test]
fn meaning_is_checked_beside_wrong_shape() {
    let text = changed(&[
        ("role: authoritative", "role: authoritative\n    colour: red"),
        ("https://", "http://"),
    ]);
    let told = told(&text);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("c.yaml:4:8: topdesk.url: is http://"), "{told:#?}");
    assert!(
        told[1].starts_with("c.yaml:17:5: sources[0].colour: unknown key; known here: type, name,"),
        "{told:#?}"
    );
}

#[test]
fn broken_yaml_is_told_with_its_place() {
    let told = told("topdesk:\n  url: [unclosed\nfields: {}\n");
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("c.yaml:"), "{told:?}");
    assert!(told[0].contains("not readable as YAML"), "{told:?}");
}
