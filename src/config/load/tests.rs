//! Whole files: the samples load, and wrong files say everything that is wrong.

use super::*;
use std::collections::BTreeSet;

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
fn a_pipe_is_no_configuration_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (file, what) in [
        (pipe.as_path(), "neither a file"),
        (Path::new("/dev/zero"), "neither a file"),
    ] {
        let said = load(file).unwrap_err().to_string();
        assert!(said.contains(what), "{said}");
    }
    let secret: crate::config::secret::SecretRef = serde_json::from_value(serde_json::json!({ "file": pipe })).unwrap();
    assert!(secret.read().unwrap_err().to_string().contains("it is not a file"));
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
            "c.yaml:7:29: topdesk.archived_logins_reserved: is text where true or false is expected; write true or false, without quotes",
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

#[test]
fn an_unreadable_file_has_one_line_that_says_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let told = |path: &Path| {
        load(path)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let missing = told(&folder.path().join("none.yaml"));
    assert!(
        missing.contains("none.yaml: cannot be read: No such file") && missing.contains("config init"),
        "{missing}"
    );
    assert!(told(folder.path()).contains("is a folder"));
    let file = folder.path().join("c.yaml");
    std::fs::write(&file, b"topdesk:\n  username: caf\xe9\n").unwrap();
    assert!(told(&file).contains("is not UTF-8 text, see line 2"));
    std::fs::write(&file, "a".repeat(MAX_BYTES + 1)).unwrap();
    assert!(told(&file).contains("is larger than"));
}

#[test]
fn relative_paths_start_in_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yaml");
    let password = "password: { env: TOPDESK_PASSWORD }";
    std::fs::write(&file, changed(&[(password, "password: { file: secret }")])).unwrap();
    let loaded = load(&file).unwrap();
    let crate::config::SourceConfig::Csv(csv) = &loaded.config.sources[0] else {
        panic!("a CSV source")
    };
    assert_eq!(csv.path, folder.path().join("people.csv"));
    let crate::config::secret::SecretRef::File(secret) = &loaded.config.topdesk.password else {
        panic!("a file")
    };
    assert_eq!(secret.file, folder.path().join("secret"));
}

#[test]
fn the_hash_follows_the_meaning_and_nothing_else() {
    let hash = |text: &str| from_text(Path::new("c.yaml"), text).unwrap().config_hash;
    let first = hash(sample("hr-only.yaml"));
    assert_eq!(first.len(), 64);
    let same = changed(&[
        ("timezone: Europe/Amsterdam", "# moved"),
        (
            "create: {",
            "timezone: Europe/Amsterdam\nguard: { archive: { max: 20, percent: 2% } }\nkey: { normalize: [trim] }\ncreate: {",
        ),
    ]);
    assert_eq!(hash(&same), first);
    let other = changed(&[(
        "role: authoritative",
        "role: authoritative\n    expect: { max_drop: 11% }",
    )]);
    assert_ne!(hash(&other), first);
    let in_another_folder = from_text(Path::new("/elsewhere/c.yaml"), sample("hr-only.yaml")).unwrap();
    assert_eq!(in_another_folder.config_hash, first);
}

#[test]
fn problems_found_elsewhere_get_their_place() {
    let loaded = from_text(Path::new("c.yaml"), sample("cardsync.yaml")).unwrap();
    let line_of = |path: &str| {
        let line = loaded.problem(path, "is wrong", "").place.unwrap().line as usize;
        sample("cardsync.yaml").lines().nth(line - 1).unwrap().trim_start()
    };
    assert!(line_of("fields.email").starts_with("email:"));
    assert!(line_of("fields.email.value").starts_with("email:"));
    assert!(line_of("fields.department.value").starts_with("department:"));
    assert!(line_of("sources[1].filter").starts_with("filter:"));
    assert!(line_of("sources[1].anchor").starts_with("- name: ad"));
    assert!(line_of("include").starts_with("include:"));
    let problem = loaded.problem("include", "no such source 'hx'", "did you mean 'hr'?");
    assert!(
        problem
            .to_string()
            .ends_with(": include: no such source 'hx'; did you mean 'hr'?"),
        "{problem}"
    );
}

#[test]
fn the_environment_is_the_host() {
    let config = from_text(Path::new("c.yaml"), sample("hr-only.yaml")).unwrap().config;
    assert_eq!(
        crate::config::address::environment(&config).as_str(),
        "example.topdesk.net"
    );
}

/// Every option of the schema as `struct/option`, sources as `kind/option`; with a value, only those that it writes.
fn options(
    schema: &serde_json::Value,
    root: &serde_json::Value,
    owner: &str,
    value: Option<&serde_json::Value>,
    found: &mut BTreeSet<String>,
) {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        return options(&root["$defs"][name], root, name, value, found);
    }
    for form in ["anyOf", "oneOf"]
        .iter()
        .filter_map(|word| schema[*word].as_array())
        .flatten()
    {
        match form["properties"]["type"]["const"].as_str() {
            Some(kind) if value.is_some_and(|v| v["type"] != kind) => {}
            Some(kind) => options(form, root, kind, value, found),
            None => options(form, root, owner, value, found),
        }
    }
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        if value.is_none_or(|v| v.get(key).is_some()) {
            found.insert(format!("{owner}/{key}"));
            options(inner, root, owner, value.map(|v| &v[key]), found);
        }
    }
    for inner in [&schema["items"], &schema["additionalProperties"]]
        .into_iter()
        .filter(|inner| inner.is_object())
    {
        let of_list = value.and_then(|v| v.as_array()).into_iter().flatten();
        let of_map = value
            .and_then(|v| v.as_object())
            .into_iter()
            .flatten()
            .map(|(_, inner)| inner);
        match value {
            None => options(inner, root, owner, None, found),
            Some(_) => of_list
                .chain(of_map)
                .for_each(|v| options(inner, root, owner, Some(v), found)),
        }
    }
}

#[test]
fn all_options_has_every_option_of_the_schema() {
    let (schema, text) = (schema(), sample("all-options.yaml"));
    let mut known = BTreeSet::new();
    options(&schema, &schema, "", None, &mut known);
    assert!(
        known.len() > 100,
        "the walk over the schema finds the options: {known:?}"
    );
    let raw: serde_json::Value = serde_yaml::from_str(text).unwrap();
    let mut written = BTreeSet::new();
    options(&schema, &schema, "", Some(&raw), &mut written);
    // What one right file cannot say beside the rest, its comments say.
    let in_comments = [
        ("EnvSecret/env", "{ env: NAME }"),
        ("FieldOptions/dn", "{ dn: "),
        ("ldap/same_people_as", "same_people_as"),
    ];
    for (option, comment) in in_comments {
        assert!(!written.contains(option) && text.contains(comment), "{option}");
        written.insert(option.to_owned());
    }
    let missing: Vec<_> = known.difference(&written).collect();
    assert!(missing.is_empty(), "all-options.yaml lacks {missing:?}");
}

#[test]
fn all_options_explains_every_word_that_can_be_chosen() {
    let text = sample("all-options.yaml");
    for (name, definition) in schema()["$defs"].as_object().unwrap() {
        let listed = definition["enum"].as_array().into_iter().flatten();
        let described = definition["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|form| &form["const"]);
        for word in listed.chain(described).filter_map(|word| word.as_str()) {
            assert!(text.contains(word), "the word '{word}' of {name}");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Whatever somebody types into a file: an answer, never a panic, and every problem inside the file.
    #[test]
    fn a_damaged_file_gets_an_answer(at in 0usize..9_000, length in 0usize..60, typed in "[a-z0-9:{}\\[\\]\"'#&*!|>, \n-]{0,8}") {
        let text = sample("all-options.yaml");
        let mut characters: Vec<char> = text.chars().collect();
        let from = at.min(characters.len());
        let to = (from + length).min(characters.len());
        characters.splice(from..to, typed.chars());
        let damaged: String = characters.into_iter().collect();
        if let Err(problems) = from_text(Path::new("c.yaml"), &damaged) {
            proptest::prop_assert!(!problems.is_empty());
            let lines = damaged.lines().count() as u64 + 1;
            for problem in problems.iter() {
                proptest::prop_assert!(problem.place.is_none_or(|place| (1..=lines).contains(&place.line)), "{}", problem);
            }
        }
    }
}
