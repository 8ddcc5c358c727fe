//! Servers that stop in the middle, lie, or say more than they should.

use super::*;
use crate::support::hostile_ldap::{Hostile, Script, Step};
use cardsync::config::units::Span;
use ldap3_proto::proto::LdapResultCode as Code;
use std::time::Duration;
use tempfile::TempDir;

/// A scripted server and a source with pages of 3 over it. The folder holds the password.
async fn source(script: Script) -> (Hostile, LdapConfig, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let server = Hostile::start(script).await;
    let mut config = config(&server.url(), folder.path());
    config.page_size = 3;
    (server, config, folder)
}

/// A read that came to an end; every finding that rejects it is in good words.
async fn outcome(searches: Vec<Vec<Step>>) -> SourceRead {
    let (server, config, _folder) = source(Script::searches(searches)).await;
    let read = read(&config, &["mail"]).await.expect("a read with findings");
    for finding in &read.findings {
        check_words(finding, &server.url());
    }
    read
}

/// A read that failed altogether.
async fn failure(script: Script, change: impl FnOnce(&mut LdapConfig)) -> Finding {
    let (server, mut config, _folder) = source(script).await;
    change(&mut config);
    let finding = read(&config, &["mail"]).await.expect_err("a finding");
    check_words(&finding, &server.url());
    assert_eq!(finding.effect, Effect::Reject);
    finding
}

#[tokio::test]
async fn three_good_pages_are_whole_and_ask_for_nothing_else() {
    let (server, config, _folder) = source(Script::searches(vec![
        vec![Step::People(0..3), Step::Page(b"one")],
        vec![Step::People(3..6), Step::Page(b"two")],
        vec![Step::People(6..7), Step::Page(b"")],
    ]))
    .await;
    let read = read(&config, &["mail", "dn"]).await.unwrap();
    assert_eq!(codes(&read), []);
    assert_eq!(read.records.len(), 7);
    assert_eq!(
        values(&read, &read.records[6], "dn"),
        ["uid=u6,ou=people,dc=example,dc=test"]
    );
    server.asked(|asked| {
        let cookies: Vec<_> = asked
            .pages
            .iter()
            .map(|(size, cookie)| (*size, cookie.as_slice()))
            .collect();
        assert_eq!(cookies, [(3, &b""[..]), (3, b"one"), (3, b"two")]);
        for search in &asked.searches {
            assert_eq!(search.attrs, ["mail", "employeeID", "objectGUID", "entryUUID"]);
        }
    });
}

#[tokio::test]
async fn a_code_in_the_middle_rejects_what_came_before() {
    for (code, name, word) in [
        (Code::SizeLimitExceeded, "size_limit", "size limit"),
        (Code::TimeLimitExceeded, "time_limit", "time limit"),
        (Code::AdminLimitExceeded, "admin_limit", "administrative limit"),
        (Code::UnwillingToPerform, "unwilling", "unwilling"),
        (Code::InsufficentAccessRights, "no_right_to_search", "may not search"),
        (Code::Other, "result_code", "code 80"),
    ] {
        let read = outcome(vec![
            vec![Step::People(0..3), Step::Page(b"one")],
            vec![Step::People(3..5), Step::Done(code, "says the server")],
        ])
        .await;
        assert_eq!(codes(&read), [(name, Effect::Reject)]);
        assert!(read.findings[0].message.contains(word), "{}", read.findings[0].message);
        assert!(read.findings[0].message.contains("says the server"));
        assert_eq!(read.records.len(), 5);
    }
}

#[tokio::test]
async fn a_referral_as_the_result_rejects_and_names_the_other_server() {
    let read = outcome(vec![vec![
        Step::People(0..1),
        Step::Refer(vec!["ldap://other.example.net/dc=example,dc=net"]),
    ]])
    .await;
    assert_eq!(codes(&read), [("referral", Effect::Reject)]);
    assert!(
        read.findings[0].message.contains("other.example.net"),
        "{}",
        read.findings[0].message
    );
}

#[tokio::test]
async fn a_cookie_that_is_lost_on_the_way_rejects() {
    // In the middle, on a page that looks like the last one and on one that does not.
    for second in [Step::People(3..5), Step::People(3..6), Step::People(3..10)] {
        let read = outcome(vec![
            vec![Step::People(0..3), Step::Page(b"one")],
            vec![second, Step::Done(Code::Success, "")],
        ])
        .await;
        assert_eq!(codes(&read), [("paging_unfinished", Effect::Reject)]);
    }
    // At once: exactly a page and no cookie.
    let read = outcome(vec![vec![Step::People(0..3), Step::Done(Code::Success, "")]]).await;
    assert_eq!(codes(&read), [("paging_unfinished", Effect::Reject)]);
}

#[tokio::test]
async fn a_server_that_ignores_paging_and_gives_everything_is_fine() {
    let read = outcome(vec![vec![Step::People(0..10), Step::Done(Code::Success, "")]]).await;
    assert_eq!(codes(&read), [("paging_ignored", Effect::Note)]);
    assert_eq!(read.records.len(), 10);
}

#[tokio::test]
async fn a_server_that_goes_round_in_circles_is_left() {
    let empty = outcome(vec![
        vec![Step::People(0..3), Step::Page(b"same")],
        vec![Step::Page(b"same")],
    ])
    .await;
    assert_eq!(codes(&empty), [("paging_unfinished", Effect::Reject)]);
    assert_eq!(empty.records.len(), 3);
    let again = outcome(vec![vec![Step::People(0..3), Step::Page(b"same")]]).await;
    assert_eq!(
        codes(&again),
        [("paging_unfinished", Effect::Reject), ("entry_twice", Effect::Reject)]
    );
    assert_eq!(again.records.len(), 3);
}

#[tokio::test]
async fn empty_pages_and_a_cookie_that_stays_are_fine_as_long_as_people_come() {
    let read = outcome(vec![
        vec![Step::People(0..3), Step::Page(b"0")],
        vec![Step::Page(b"0")],
        vec![Step::People(3..6), Step::Page(b"0")],
        vec![Step::People(6..8), Step::Page(b"")],
    ])
    .await;
    assert_eq!(codes(&read), []);
    assert_eq!(read.records.len(), 8);
}

#[tokio::test]
async fn references_of_the_own_forest_are_skipped_by_name_and_any_other_rejects() {
    let own = Step::Reference(vec![
        "ldap://DomainDnsZones.example.net/DC=DomainDnsZones,DC=example,DC=net",
    ]);
    let read = outcome(vec![vec![Step::People(0..2), own.clone(), Step::Page(b"")]]).await;
    assert_eq!(codes(&read), [("reference_skipped", Effect::Note)]);
    assert!(read.findings[0].message.contains("DomainDnsZones"));

    let child = Step::Reference(vec!["ldap://child.example.net/DC=child,DC=example,DC=net"]);
    let read = outcome(vec![vec![own, child, Step::People(0..2), Step::Page(b"")]]).await;
    assert_eq!(
        codes(&read),
        [("reference", Effect::Reject), ("reference_skipped", Effect::Note)]
    );
    assert!(read.findings[0].message.contains("child.example.net"));

    // One reference with two addresses for the same part: each must be of the own forest.
    let both = Step::Reference(vec![
        "ldap://example.net/CN=Configuration,DC=example,DC=net",
        "ldap://child.example.net/DC=child,DC=example,DC=net",
    ]);
    let read = outcome(vec![vec![both, Step::People(0..2), Step::Page(b"")]]).await;
    assert_eq!(codes(&read), [("reference", Effect::Reject)]);

    // A reference without an address points nobody knows where.
    let read = outcome(vec![vec![Step::Reference(vec![]), Step::People(0..2), Step::Page(b"")]]).await;
    assert_eq!(codes(&read), [("reference", Effect::Reject)]);
}

#[tokio::test]
async fn values_that_were_not_all_sent_reject() {
    let attributes: Vec<(&str, &[u8])> = vec![
        ("employeeID", b"E1"),
        ("mail", b"a@example.test"),
        ("mail;range=0-0", b"b@example.test"),
    ];
    let read = outcome(vec![vec![Step::Entry("uid=a,dc=x", attributes), Step::Page(b"")]]).await;
    assert_eq!(codes(&read), [("unread_range", Effect::Reject)]);
    assert!(
        read.findings[0].message.contains("'mail' for 1 entries"),
        "{}",
        read.findings[0].message
    );
}

#[tokio::test]
async fn a_text_that_is_no_text_makes_its_record_a_rejection_that_keeps_the_key() {
    let damaged = Step::Entry(
        "uid=a,dc=x",
        vec![("employeeID", b" e900 "), ("mail", b"B\xf6r@example.test")],
    );
    let read = outcome(vec![vec![Step::People(0..2), damaged, Step::Page(b"")]]).await;
    assert_eq!(codes(&read), []);
    assert_eq!((read.records.len(), read.rejections.len()), (2, 1));
    let rejection = &read.rejections[0];
    assert_eq!(rejection.key.as_ref().map(|key| key.as_str()), Some("E900"));
    assert!(
        rejection.message.contains("mail") && !rejection.message.contains("example"),
        "{}",
        rejection.message
    );
}

#[tokio::test]
async fn success_without_entries_is_a_read_of_nobody() {
    let read = outcome(vec![vec![Step::Page(b"")]]).await;
    assert_eq!(codes(&read), []);
    assert!(read.records.is_empty() && read.missing_attributes.is_empty());
}

#[tokio::test]
async fn a_key_that_nobody_has_rejects_even_when_the_schema_is_hidden() {
    let read = outcome(vec![vec![
        Step::Entry("uid=a,dc=x", vec![("mail", b"a@example.test")]),
        Step::Page(b""),
    ]])
    .await;
    assert_eq!(codes(&read), [("attribute_empty_everywhere", Effect::Reject)]);
    assert_eq!(read.missing_attributes, BTreeSet::from(["employeeID".to_owned()]));
    // Another attribute that nobody has is only unknown.
    let read = outcome(vec![vec![
        Step::Entry("uid=a,dc=x", vec![("employeeID", b"E1")]),
        Step::Page(b""),
    ]])
    .await;
    assert_eq!(codes(&read), [("attribute_empty_everywhere", Effect::Note)]);
    assert_eq!(read.missing_attributes, BTreeSet::from(["mail".to_owned()]));
    // What is unknown cannot be read as empty.
    assert_eq!(read.attributes.iter().collect::<Vec<_>>(), ["employeeID"]);
    assert_eq!(read.records[0].values.len(), 1);
}

#[tokio::test]
async fn a_cut_connection_or_bytes_that_are_no_ldap_end_the_read() {
    for last in [
        Step::Cut,
        Step::Bytes(&[0x30, 0x03, 0x02, 0x01, 0x01]),
        Step::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ] {
        let script = Script::searches(vec![
            vec![Step::People(0..3), Step::Page(b"one")],
            vec![Step::People(3..4), last.clone(), Step::Cut],
        ]);
        let finding = failure(script, |_| {}).await;
        assert_eq!(&*finding.code, "connection_lost", "{last:?}");
    }
}

#[tokio::test]
async fn a_page_or_a_read_beyond_its_limit_ends_in_time() {
    let slow = || {
        Script::searches(vec![
            vec![Step::People(0..3), Step::Page(b"one")],
            vec![
                Step::People(3..4),
                Step::Wait(Duration::from_secs(1_200)),
                Step::Page(b""),
            ],
        ])
    };
    let finding = failure(slow(), |config| config.page_timeout = Span::seconds(1)).await;
    assert_eq!(&*finding.code, "timeout");
    assert!(finding.message.contains("within 1 s"), "{}", finding.message);
    let finding = failure(slow(), |config| config.total_timeout = Span::seconds(1)).await;
    assert_eq!(&*finding.code, "total_timeout");
}

#[tokio::test]
async fn a_busy_server_is_left_for_the_next_and_its_entries_are_not_used() {
    let busy = vec![
        vec![Step::People(0..3), Step::Page(b"one")],
        vec![Step::Done(Code::Busy, "")],
    ];
    let (first, mut config, _folder) = source(Script::searches(busy)).await;
    let second = Hostile::start(Script::searches(vec![vec![Step::People(100..102), Step::Page(b"")]])).await;
    config.url = many([&first.url(), &second.url()]);
    let read = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&read), [("server_busy", Effect::Note)]);
    assert_eq!(read.records.len(), 2);
    assert!(read.generation.as_str().contains(&second.url()));
    assert!(read.findings[0].message.contains("another server was read instead"));
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_on_the_next_server() {
    let text = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 775, v2580";
    let (first, mut config, _folder) = source(Script::bind(Code::InvalidCredentials, text)).await;
    let second = Hostile::start(Script::searches(vec![vec![Step::Page(b"")]])).await;
    config.url = many([&first.url(), &second.url()]);
    let finding = read(&config, &[]).await.expect_err("a finding");
    check_words(&finding, &first.url());
    assert!(finding.message.contains("locked out"), "{}", finding.message);
    assert_eq!((first.asked(|a| a.binds), second.asked(|a| a.binds)), (1, 0));
}

#[tokio::test]
async fn a_server_without_starttls_never_gets_the_password() {
    let (server, mut config, _folder) = source(Script::searches(vec![vec![Step::Page(b"")]])).await;
    config.starttls = Some(true);
    let finding = read(&config, &[]).await.expect_err("a finding");
    check_words(&finding, &server.url());
    assert_eq!(&*finding.code, "starttls_refused");
    assert_eq!(server.asked(|asked| asked.binds), 0);
}

#[tokio::test]
async fn tls_to_a_server_that_speaks_none_is_told() {
    let (server, mut config, _folder) = source(Script::searches(vec![vec![Step::Page(b"")]])).await;
    let address = server.url().replace("ldap://", "ldaps://");
    config.url = many([&address]);
    config.connect_timeout = Span::seconds(5);
    let finding = read(&config, &[]).await.expect_err("a finding");
    check_words(&finding, &address);
    assert_eq!(&*finding.code, "not_tls");
}
