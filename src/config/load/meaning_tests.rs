//! The checks of meaning as a table: one change to a right file, and the problems it brings.

use super::*;
use crate::config::validate::key_refusal;

const RIGHT: &str = include_str!("../../../config/cardsync.yaml");

/// The sample with one text replaced.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(RIGHT.matches(from).count(), 1, "'{from}' stands once in the sample");
    RIGHT.replace(from, to)
}

/// What is wrong, as `path: message; cure` without the place.
fn told(text: &str) -> Vec<String> {
    let Err(problems) = from_text(Path::new("c.yaml"), text) else {
        return Vec::new();
    };
    problems
        .iter()
        .map(|problem| {
            assert!(problem.place.is_some(), "{problem}");
            let text = problem.to_string();
            text.split_once(": ").expect("a place and a text").1.to_owned()
        })
        .collect()
}

#[test]
fn each_fault_of_meaning_is_told_with_its_option() {
    let hr_key = "key: Personnel number";
    let ad_urls = "url: [ldaps://dc1.example.net, ldaps://dc2.example.net]";
    let canaries = "canaries: { keys: [\"100001\", \"100007\", \"100020\"], at_least: 2 }";
    #[rustfmt::skip]
    let table: &[(&str, &str, &[&str])] = &[
        // TOPdesk
        ("url: https://example.topdesk.net", "url: http://example.topdesk.net", &["topdesk.url: is http://"]),
        ("url: https://example.topdesk.net", "url: https://example.topdesk.net/tas/secure/x", &["topdesk.url: has a path"]),
        ("username: api-cardsync", "username: ' '", &["topdesk.username: is blank"]),
        ("username: api-cardsync", "username: a:b", &["topdesk.username: contains a colon"]),
        ("archiving_reason: Out of service", "archiving_reason: ''", &["topdesk.archiving_reason: is blank"]),
        ("username: api-cardsync", "username: a\n  concurrency: 33", &["topdesk.concurrency: 33 is not between 1 and 32"]),
        ("username: api-cardsync", "username: a\n  concurrency: 0", &["topdesk.concurrency: 0 is not between"]),
        ("username: api-cardsync", "username: a\n  requests_per_second: 0", &["topdesk.requests_per_second: 0 is not"]),
        ("username: api-cardsync", "username: a\n  timeout: 0s", &["topdesk.timeout: is zero"]),
        ("password: { credential: topdesk }", "password: { credential: a/b }", &["topdesk.password.credential: is not the name"]),
        ("password: { credential: ldap }", "password: { env: '' }", &["sources[1].password.env: is not the name"]),
        ("timezone: Europe/Amsterdam", "timezone: Europe/Amsterdm",
            &["timezone: 'Europe/Amsterdm' is not a known time zone; did you mean 'Europe/Amsterdam'?"]),
        // sources
        ("name: ad", "name: hr", &["sources[1].name: 'hr' is also the name of sources[0]"]),
        ("name: ad", "name: my-ad", &["sources[1].name: 'my-ad' cannot be the first word"]),
        ("name: ad", "name: 2ad", &["sources[1].name: '2ad' cannot be the first word"]),
        ("name: ad", "name: today", &["sources[1].name: 'today' has a meaning of its own"]),
        ("name: ad", "name: \"true\"", &["sources[1].name: 'true' has a meaning of its own"]),
        ("role: authoritative", "role: enrich", &["sources: no source decides who exists"]),
        (hr_key, "key: ''", &["sources[0].key: is blank"]),
        (hr_key, "key: Nr\n    same_people_as: add", &["sources[0].same_people_as: there is no source 'add'; did you mean 'ad'?"]),
        (hr_key, "key: Nr\n    same_people_as: ad", &["sources[0].same_people_as: 'ad' is not authoritative"]),
        (hr_key, "key: Nr\n    same_people_as: hr", &["sources[0].same_people_as: names the source itself"]),
        ("key: employeeID", "key: employeeID\n    same_people_as: hr", &["sources[1].same_people_as: is for authoritative sources"]),
        ("max_age: 26h", "max_age: 0h", &["sources[0].expect.max_age: is zero"]),
        (canaries, "canaries: [\"1\"]", &["sources[0].expect.canaries: a bare list asks for all but one"]),
        (canaries, "canaries: [\"1\", \"1\", \"2\"]", &["sources[0].expect.canaries[1]: stands twice"]),
        (canaries, "canaries: { keys: [\"1\"], at_least: 2 }", &["sources[0].expect.canaries.at_least: 2 is not between 1 and"]),
        (canaries, "canaries: { keys: [\"1\"], at_least: 0 }", &["sources[0].expect.canaries.at_least: 0 is not between 1 and"]),
        (canaries, "canaries: { keys: [], at_least: 1 }", &["sources[0].expect.canaries.keys: has no keys"]),
        ("delimiter: \";\"", "delimiter: \";;\"", &["sources[0].delimiter: ';;' is not one plain character"]),
        ("delimiter: \";\"", "delimiter: \"\\t\"", &[]),
        ("delimiter: \";\"", "delimiter: '\"'", &["sources[0].delimiter: '\\\"' is not one plain character"]),
        ("encoding: windows-1252", "encoding: windows1252",
            &["sources[0].encoding: 'windows1252' is not a known encoding; did you mean 'windows-1252'?"]),
        ("encoding: windows-1252", "encoding: replacement", &["sources[0].encoding: 'replacement' is not a known encoding"]),
        ("path: /srv/hr/export.csv", "path: ''", &["sources[0].path: is blank"]),
        ("path: /srv/hr/export.csv", "path: /srv/hr/export-*.csv", &[]),
        ("delimiter: \";\"", "blank: [NULL]", &["sources[0].blank[0]: is empty where text is expected; in YAML a NULL without quotes"]),
        ("path: /srv/hr/export.csv", "path: /srv/*/export.csv", &["sources[0].path: has * or ? in the name of a folder"]),
        ("delimiter: \";\"", "blank: [\"NULL\", \"-\", N/A]\n    skip_lines: 2", &[]),
        ("delimiter: \";\"", "blank: [\"\", \" - \"]", &["sources[0].blank: ' - ' is blank or has blanks", "sources[0].blank: '' is blank"]),
        // directories
        (ad_urls, "url: []", &["sources[1].url: is an empty list"]),
        (ad_urls, "url: https://dc1.example.net", &["sources[1].url: is neither ldaps:// nor ldap://"]),
        (ad_urls, "url: [ldaps://dc1.example.net, dc2]", &["sources[1].url[1]: is not an address"]),
        (ad_urls, "url: ldaps://dc1.example.net/DC=example", &["sources[1].url: has a part after the host; the search base belongs"]),
        (ad_urls, "url: ldap://dc1.example.net\n    starttls: false", &["sources[1].url: would get the password unencrypted"]),
        (ad_urls, "url: ldap://dc1.example.net\n    starttls: false\n    plaintext: allowed", &[]),
        (ad_urls, "url: ldap://127.0.0.1:3890\n    starttls: false", &[]),
        (ad_urls, "url: ldap://dc1.example.net", &[]),
        (ad_urls, "url: ldaps://dc1.example.net\n    starttls: true", &["sources[1].starttls: has no use with ldaps://"]),
        (ad_urls, "url: ldaps://dc1.example.net\n    plaintext: allowed", &["sources[1].plaintext: has no use"]),
        (ad_urls, "url: ldap://dc1.example.net\n    starttls: true\n    plaintext: allowed", &["sources[1].plaintext: contradicts"]),
        ("filter: (&(objectCategory=person)(objectClass=user))", "filter: (&(objectClass=user)", &["sources[1].filter: has 1 open"]),
        ("base: OU=People,DC=example,DC=net", "base: []", &["sources[1].base: is blank"]),
        ("key: employeeID", "key: employeeID\n    page_size: 5001", &["sources[1].page_size: 5001 is not between 1 and 5000"]),
        ("key: employeeID", "key: employeeID\n    page_timeout: 0s", &["sources[1].page_timeout: is zero"]),
        // key and fields
        ("card_field: employeeNumber", "card_field: employeNumber",
            &["key.card_field: 'employeNumber' is not a field of a person card; did you mean 'employeeNumber'?"]),
        ("card_field: employeeNumber", "card_field: location", &["key.card_field: 'location' is not a text field"]),
        ("normalize: [trim, uppercase]", "normalize: [lowercase, uppercase]", &["key.normalize: has both"]),
        ("normalize: [trim, uppercase]", "normalize: [trim, trim]", &["key.normalize[1]: stands twice"]),
        ("  prefixes:", "  employeeNumber:", &["fields.employeeNumber: is the key field, which is written from the key itself"]),
        ("  surName:", "  birthName:", &["fields.surName: is missing"]),
        ("  surName:", "  lastName:", &["fields.lastName: unknown key; known here: surName, firstName"]),
        ("{ value: \"{{ hr.Site }}\", missing: hold }", "{ missing: skip }", &["fields.branch: has no expression; add 'value'"]),
        ("{ value: \"{{ hr.Site }}\", missing: hold }", "{ key: \"{{ hr.Site }}\" }", &["fields.branch.key: 'key' is for the field manager"]),
        ("{ value: \"{{ hr.Site }}\", missing: hold }", "{ value: \"{{ hr.Site }}\", missing: create }",
            &["fields.branch.missing: cardsync creates no branch entries"]),
        ("{ value: \"{{ hr.Site }}\", missing: hold }", "{ value: \"{{ hr.Site }}\", too_long: reject }",
            &["fields.branch.too_long: 'branch' is not a text field"]),
        ("{ value: \"{{ hr.Function }}\", policy: seed }", "{ value: x, missing: skip }", &["fields.jobTitle.missing: 'jobTitle' is not a ref"]),
        ("{ key: \"{{ hr['Manager number'] }}\" }", "{ key: x, dn: y }", &["fields.manager: has key and dn; keep exactly one"]),
        ("{ key: \"{{ hr['Manager number'] }}\" }", "{ key: x, missing: create }", &["fields.manager.missing: a manager is never created"]),
        ("\"{{ hr.Prefix }}\"", "''", &["fields.prefixes: has a blank expression"]),
        // lifecycle, limits, surroundings
        ("include: \"hr.Type != 'External'\"", "include: ' '", &["include: is blank"]),
        ("reads: 3", "reads: 1", &["lifecycle.missing.reads: 1 is too few"]),
        ("lifecycle:\n", "lifecycle:\n  joiner: { starts: ' ' }\n", &["lifecycle.joiner.starts: is blank"]),
        ("lifecycle:\n", "lifecycle:\n  joiner: { starts: \"{{ hr.Start | date }}\", before: 36h }\n",
            &["lifecycle.joiner.before: 36h is not a number of whole days"]),
        ("archive: { max: 20, percent: 2% }", "archive: {}", &["guard.archive: has no limit"]),
        ("archive: { max: 20, percent: 2% }", "archive: { percent: 51% }", &["guard.archive.percent: 51% is no limit"]),
        ("archive: { max: 20, percent: 2% }", "archive: { percent: 50% }", &[]),
        ("archive: { max: 20, percent: 2% }", "archive: off", &["guard.archive: is text where a map of options is expected"]),
        ("protect: { keys: [\"100001\"] }", "protect: { cards: [board] }", &["guard.protect.cards[0]: is not a card id"]),
        ("cron: \"*/30 6-20 * * mon-fri\"", "cron: hourly", &["schedule.cron: has 1 fields, not 5, 6 or 7"]),
        ("cron: \"*/30 6-20 * * mon-fri\"", "cron: \"75 6 * * *\"", &["schedule.cron: minute '75' is above 59; write a number from 0 to 59"]),
        ("sqlite: /var/lib/cardsync/cardsync.db", "sqlite: /var/lib/cardsync/", &["store.sqlite: is not the path of a file"]),
        ("store:", "notify: { command: [''] }\nstore:", &["notify.command: names no program"]),
    ];
    for (from, to, expected) in table {
        let told = told(&changed(from, to));
        let as_expected = told.len() == expected.len() && told.iter().zip(*expected).all(|(t, e)| t.starts_with(e));
        assert!(as_expected, "{to}\n gives {told:#?}\n not   {expected:#?}");
    }
}

#[test]
fn access_on_the_first_day_and_a_mapped_flag_do_not_go_together() {
    let joiner = |access: &str| {
        let starts = "{{ hr.Start | date }}";
        let text = format!("lifecycle:\n  joiner: {{ starts: \"{starts}\", ssp_access: {access} }}\n");
        told(&changed("lifecycle:\n", &text).replace("\nfields:\n", "\nfields:\n  hasSspAccess: \"yes\"\n"))
    };
    assert_eq!(joiner("at_once"), Vec::<String>::new());
    let told = joiner("on_the_day");
    assert!(
        told[0].starts_with("lifecycle.joiner.ssp_access: on_the_day gives what create.hasSspAccess says"),
        "{told:?}"
    );
}

#[test]
fn a_fault_points_to_the_line_of_its_option() {
    let text = changed("max_drop: 5% ", "max_drop: 500% ").replace("reads: 3", "reads: 1");
    let problems = from_text(Path::new("c.yaml"), &text).unwrap_err();
    for problem in problems.iter() {
        let line = text.lines().nth(problem.place.unwrap().line as usize - 1).unwrap();
        assert!(line.contains("500%") || line.contains("reads: 1"), "{problem}");
    }
    assert_eq!(problems.len(), 2);
}

#[test]
fn keys_that_change_in_life_are_refused_by_what_writes_and_load_all_the_same() {
    let with_key = |key: &str| {
        let text = changed("key: { card_field: employeeNumber, normalize: [trim, uppercase] }", key)
            .replace("  networkLoginName:", "  # networkLoginName:")
            .replace("  email:", "  # email:")
            .replace("  firstName:", "  # firstName:");
        key_refusal(&from_text(Path::new("c.yaml"), &text).unwrap().config)
    };
    assert_eq!(with_key("key: { card_field: employeeNumber }"), None);
    for changing in ["email", "firstName", "birthName", "networkLoginName", "tasLoginName"] {
        let refusal = with_key(&format!("key: {{ card_field: {changing} }}")).unwrap();
        assert!(refusal.contains(changing), "{refusal}");
    }
    assert!(with_key("key: { card_field: email, immutable: true }").is_some());
    assert_eq!(with_key("key: { card_field: networkLoginName, immutable: true }"), None);
}
