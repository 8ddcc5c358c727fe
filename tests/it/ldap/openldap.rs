//! A real OpenLDAP, started anew by each test: a quarter of a second.

use super::*;
use crate::support::slapd::{Names, Options, Slapd};
use cardsync::core::model::record::Place;
use cardsync::engine::Progress;
use std::sync::Mutex;

const GUID_ENTRY: &str = "\
dn: uid=guid,ou=disabled,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: adLikeUser
uid: guid
cn: Guid
sn: Guid
employeeID: EGUID
objectGUID:: eFY0Erya8N4BAgMEBQYHCA==

";

#[tokio::test]
async fn people_are_read_whole_whatever_protects_the_connection() {
    let server = Slapd::start(&Options {
        people: 2500,
        ldif: GUID_ENTRY.to_owned(),
        ..Options::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let mut encrypted = config(&server.ldaps(), folder.path());
    encrypted.ca_file = Some(server.ca_file());
    encrypted.base = many([BASE]);

    let ldaps = read(&encrypted, &["mail", "sn", "dn"])
        .await
        .expect("a read over LDAPS");
    assert_eq!(codes(&ldaps), []);
    assert_eq!(ldaps.records.len(), 2501);
    assert!(ldaps.generation.as_str().ends_with(&server.ldaps()));

    let mut starttls = encrypted.clone();
    starttls.url = many([&server.ldap()]);
    starttls.starttls = Some(true);
    let starttls = read(&starttls, &["mail", "sn", "dn"])
        .await
        .expect("a read over StartTLS");
    assert_eq!(starttls.records, ldaps.records);

    let mut plain = config(&server.ldap(), folder.path());
    plain.base = many([BASE]);
    let plain = read(&plain, &["mail", "sn", "dn"])
        .await
        .expect("a read without encryption on this machine");
    assert_eq!(plain.records, ldaps.records);

    // Only what was asked for is kept; values, order, anchors.
    let names: Vec<&str> = ldaps.attributes.iter().collect();
    assert_eq!(names, ["dn", "mail", "sn", "employeeID"]);
    let dn = "uid=u000007,ou=people,dc=example,dc=test";
    let person = ldaps
        .records
        .iter()
        .find(|r| r.place == Place::Dn(dn.into()))
        .expect("number 7");
    assert_eq!(
        values(&ldaps, person, "mail"),
        ["u000007@example.test", "second000007@example.test"]
    );
    assert_eq!(values(&ldaps, person, "sn"), ["Name 7"]);
    assert_eq!(values(&ldaps, person, "EMPLOYEEID"), ["E000007"]);
    assert_eq!(values(&ldaps, person, "dn"), [dn]);
    let uuid = person.anchor.as_deref().expect("an entryUUID");
    assert!(
        uuid.len() == 36 && uuid.bytes().filter(|b| *b == b'-').count() == 4,
        "{uuid}"
    );
    let guid = ldaps
        .records
        .iter()
        .find(|r| r.place.to_string().starts_with("uid=guid"))
        .expect("the GUID");
    assert_eq!(guid.anchor.as_deref(), Some("12345678-9abc-def0-0102-030405060708"));

    // Bases: several make one read; overlapping ones reject it.
    let mut two = encrypted.clone();
    two.base = many(["ou=people,dc=example,dc=test", "ou=disabled,dc=example,dc=test"]);
    let two = read(&two, &["mail"]).await.unwrap();
    assert_eq!((two.records.len(), codes(&two)), (2501, vec![]));
    let mut overlap = encrypted.clone();
    overlap.base = many(["ou=disabled,dc=example,dc=test", BASE]);
    let overlap = read(&overlap, &["mail"]).await.unwrap();
    assert_eq!(codes(&overlap), [("bases_overlap", Effect::Reject)]);
    assert_eq!(overlap.records.len(), 2501);
    assert!(
        overlap.findings[0].message.contains("251 entries came twice"),
        "{}",
        overlap.findings[0].message
    );
}

#[tokio::test]
async fn every_mistake_is_told_in_one_line() {
    let server = Slapd::start(&Options {
        people: 3,
        ..Options::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let good = config(&server.ldap(), folder.path());
    let failure = async |config: &LdapConfig| {
        let finding = read(config, &["mail"]).await.expect_err("a finding");
        check_words(&finding, config.url.as_slice()[0].as_str());
        assert_eq!(finding.effect, Effect::Reject);
        (finding.code.to_string(), finding.message)
    };

    let mut config = good.clone();
    std::fs::write(folder.path().join("wrong"), "not-the-password").unwrap();
    config.password = serde_yaml::from_str(&format!("file: '{}'", folder.path().join("wrong").display())).unwrap();
    let (code, message) = failure(&config).await;
    assert_eq!(code, "bind_refused");
    assert!(
        message.contains(READER) && !message.contains("not-the-password"),
        "{message}"
    );

    config = good.clone();
    config.url = many([&server.ldaps()]);
    let (code, message) = failure(&config).await;
    assert_eq!(code, "certificate_untrusted", "{message}");

    let other = Slapd::start(&Options::default());
    config.ca_file = Some(other.ca_file());
    let (code, message) = failure(&config).await;
    assert_eq!(code, "certificate_untrusted", "{message}");
    assert!(message.contains("ca.pem"), "{message}");

    config = good.clone();
    config.url = many(["ldap://no-such-host.invalid"]);
    assert_eq!(failure(&config).await.0, "unknown_host");

    let mut gone = Slapd::start(&Options::default());
    gone.kill();
    config.url = many([&gone.ldap()]);
    assert_eq!(failure(&config).await.0, "connection_refused");

    // What the server answers to a bad question is a finding of a read without people.
    config = good.clone();
    config.base = many(["ou=poeple,dc=example,dc=test"]);
    let wrong_base = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&wrong_base), [("no_such_base", Effect::Reject)]);
    assert!(
        wrong_base.findings[0].message.contains("'dc=example,dc=test'"),
        "{}",
        wrong_base.findings[0].message
    );
    config.base = many(["people"]);
    assert_eq!(
        codes(&read(&config, &["mail"]).await.unwrap()),
        [("base_malformed", Effect::Reject)]
    );

    // Attributes: misspelt, known by another name, known and empty.
    let misspelt = read(&good, &["mail", "telefoneNumber"]).await.unwrap();
    assert_eq!(codes(&misspelt), [("attribute_unknown", Effect::Reject)]);
    assert_eq!(misspelt.findings[0].cure, "did you mean 'telephoneNumber'?");
    let alias = read(&good, &["rfc822Mailbox"]).await.unwrap();
    assert_eq!(codes(&alias), [("attribute_other_name", Effect::Reject)]);
    let empty = read(&good, &["mail", "mobile"]).await.unwrap();
    assert_eq!(codes(&empty), [("attribute_empty_everywhere", Effect::Note)]);
    assert_eq!(empty.missing_attributes, BTreeSet::from(["mobile".to_owned()]));
    // The schema names it: nobody has it, which is not the same as not known.
    assert_eq!(empty.known_attributes, empty.missing_attributes);
    config = good.clone();
    config.anchor = Some("objectGUIDD".into());
    let anchor = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&anchor), [("attribute_unknown", Effect::Reject)]);
    assert_eq!(anchor.findings[0].cure, "did you mean 'objectGUID'?");
    config.key = "pager".into();
    config.anchor = None;
    let keyless = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&keyless), [("attribute_empty_everywhere", Effect::Reject)]);
}

#[tokio::test]
async fn certificates_that_expired_or_belong_to_another_name_are_refused() {
    for (options, code, word) in [
        (
            Options {
                expired: true,
                ..Options::default()
            },
            "certificate_expired",
            "expired on 2020-01-01",
        ),
        (
            Options {
                names: Names::OnlyElsewhere,
                ..Options::default()
            },
            "certificate_other_name",
            "not valid for 127.0.0.1 but for elsewhere.example.test",
        ),
    ] {
        let server = Slapd::start(&options);
        let folder = tempfile::tempdir().unwrap();
        for url in [server.ldaps(), server.ldap()] {
            let mut config = config(&url, folder.path());
            config.ca_file = Some(server.ca_file());
            config.starttls = Some(true);
            let finding = read(&config, &["mail"]).await.expect_err("a finding");
            check_words(&finding, &url);
            assert_eq!(&*finding.code, code);
            assert!(finding.message.contains(word), "{}", finding.message);
        }
    }
}

#[tokio::test]
async fn limits_of_the_server_reject_and_the_cure_works() {
    let server = Slapd::start(&Options {
        people: 400,
        reader_limits: "size.soft=100 size.hard=100 size.pr=50 size.prtotal=200".to_owned(),
        ..Options::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&server.ldap(), folder.path());

    let large_page = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&large_page), [("admin_limit", Effect::Reject)]);
    assert!(
        large_page.findings[0].message.contains("page_size 500"),
        "{}",
        large_page.findings[0].message
    );
    assert!(large_page.records.is_empty());

    config.page_size = 50;
    let stopped = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&stopped), [("size_limit", Effect::Reject)]);
    assert!(
        stopped.findings[0].cure.contains("size.prtotal"),
        "{}",
        stopped.findings[0].cure
    );
    assert_eq!(stopped.records.len(), 200);
    drop(server);

    let cured = Slapd::start(&Options {
        people: 400,
        reader_limits: "size.soft=100 size.hard=100 size.pr=50 size.prtotal=unlimited".to_owned(),
        ..Options::default()
    });
    config.url = many([&cured.ldap()]);
    let whole = read(&config, &["mail"]).await.unwrap();
    assert_eq!((codes(&whole), whole.records.len()), (vec![], 360));
}

/// Kills the server as soon as the first page is in.
struct KillAtFirstPage(Mutex<Option<Slapd>>);

impl Progress for KillAtFirstPage {
    fn advance(&self, _: &str, done: u64, _: Option<u64>) {
        assert!(done > 0);
        if let Some(mut server) = self.0.lock().unwrap().take() {
            server.kill();
        }
    }
}

#[tokio::test]
async fn a_server_killed_half_way_ends_the_read_or_starts_it_anew_on_the_next() {
    let options = Options {
        people: 2500,
        ..Options::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let attributes = BTreeSet::from(["mail".to_owned()]);

    let server = Slapd::start(&options);
    let mut config = config(&server.ldap(), folder.path());
    config.page_size = 5;
    let kill = KillAtFirstPage(Mutex::new(Some(server)));
    let finding = source_of(&config)
        .read(&attributes, &kill)
        .await
        .expect_err("a finding");
    check_words(&finding, config.url.as_slice()[0].as_str());
    assert_eq!(&*finding.code, "connection_lost");

    // Both failed: each is named with its reason.
    let mut dead = Slapd::start(&options);
    dead.kill();
    config.url = many([config.url.as_slice()[0].as_str(), &dead.ldap()]);
    let finding = source_of(&config)
        .read(&attributes, &Silent)
        .await
        .expect_err("a finding");
    assert_eq!(&*finding.code, "no_server");
    for url in config.url.as_slice() {
        check_words(&finding, url);
    }

    let (first, second) = (
        Slapd::start(&options),
        Slapd::start(&Options {
            people: 30,
            ..Options::default()
        }),
    );
    config.url = many([&dead.ldap(), &first.ldap(), &second.ldap()]);
    let kill = KillAtFirstPage(Mutex::new(Some(first)));
    let read = source_of(&config)
        .read(&attributes, &kill)
        .await
        .expect("the read of the last server");
    // 27 of 30 are in ou=people; nothing of the 2,250 of the first server is left.
    assert_eq!(read.records.len(), 27);
    assert_eq!(
        codes(&read),
        [("connection_refused", Effect::Note), ("connection_lost", Effect::Note)]
    );
    assert!(read.generation.as_str().ends_with(&second.ldap()));
}

#[tokio::test]
async fn a_probe_shows_what_a_read_would_meet() {
    let server = Slapd::start(&Options {
        people: 30,
        ldif:
            "dn: uid=keyless,ou=people,dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: keyless\ncn: K\nsn: K\n\n"
                .to_owned(),
        ..Options::default()
    });
    let mut dead = Slapd::start(&Options::default());
    dead.kill();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&server.ldap(), folder.path());
    config.url = many([&dead.ldap(), &server.ldap()]);
    config.page_size = 20;
    config.base = many(["ou=people,dc=example,dc=test", "ou=disabled,dc=example,dc=test"]);
    let report = source_of(&config).probe().await.unwrap();
    assert_eq!(
        (report.server.as_str(), report.vendor.as_deref()),
        (server.ldap().as_str(), Some("OpenLDAP"))
    );
    let shown: Vec<_> = report
        .bases
        .iter()
        .map(|base| (base.entries, base.with_key, base.more))
        .collect();
    assert_eq!(shown, [(20, 20, true), (3, 3, false)]);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (&*finding.code, finding.effect))
        .collect();
    assert_eq!(found, [("connection_refused", Effect::Note)]);

    config.filter = "(uid=keyless)".into();
    let report = source_of(&config).probe().await.unwrap();
    assert_eq!((report.bases[0].entries, report.bases[0].with_key), (1, 0));
    config.base = many(["ou=nowhere,dc=example,dc=test"]);
    let report = source_of(&config).probe().await.unwrap();
    assert!(report.bases.is_empty());
    assert!(
        report
            .findings
            .iter()
            .any(|finding| &*finding.code == "no_such_base" && finding.effect == Effect::Reject)
    );
    config.url = many([&dead.ldap()]);
    assert_eq!(
        &*source_of(&config).probe().await.expect_err("a finding").code,
        "connection_refused"
    );
}
