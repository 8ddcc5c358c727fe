//! What goes wrong with real servers is told with a cure that works.

use super::*;
use crate::support::hostile_ldap::{Hostile, Script, Step};
use crate::support::slapd::{Options, Slapd};
use std::path::PathBuf;

/// A server that refuses the read, and what it is told as.
async fn refused(server: &Slapd, change: impl FnOnce(&mut LdapConfig)) -> Finding {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&server.ldaps(), folder.path());
    config.ca_file = Some(server.ca_file());
    change(&mut config);
    let finding = match read(&config, &["mail"]).await {
        Err(finding) => finding,
        Ok(read) => {
            let mut rejects = read.findings.into_iter().filter(|found| found.effect == Effect::Reject);
            rejects.next().expect("a finding that rejects")
        }
    };
    check_words(&finding, "127.0.0.1");
    finding
}

/// The certificate of a PEM file as its bare bytes, as Windows exports it.
fn as_der(pem: &Path) -> PathBuf {
    use base64::Engine;
    let text = std::fs::read_to_string(pem).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('-'));
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(lines.collect::<String>())
        .unwrap();
    let path = pem.with_extension("cer");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn a_server_that_demands_a_client_certificate_is_told_as_that() {
    let server = Slapd::start(&Options {
        people: 1,
        verify_client: "demand",
        ..Options::default()
    });
    let ldaps = refused(&server, |_| {}).await;
    assert_eq!(&*ldaps.code, "client_certificate_demanded", "{ldaps:?}");
    assert!(ldaps.cure.contains("TLSVerifyClient"), "{}", ldaps.cure);
    let starttls = refused(&server, |config| {
        config.url = many([&server.ldap()]);
        config.starttls = Some(true);
    })
    .await;
    assert_eq!(&*starttls.code, "client_certificate_demanded", "{starttls:?}");
}

#[tokio::test]
async fn a_server_that_only_asks_for_a_certificate_is_read() {
    let server = Slapd::start(&Options {
        people: 3,
        verify_client: "allow",
        ..Options::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&server.ldaps(), folder.path());
    // A certificate in DER is as good as one in PEM.
    config.ca_file = Some(as_der(&server.ca_file()));
    let read = read(&config, &["mail"]).await.expect("a read");
    assert_eq!(codes(&read), []);
    // The cure: take what the setting demands away.
    config.ca_file = Some(server.ca_file());
    assert!(super::read(&config, &["mail"]).await.is_ok());
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let server = Slapd::start(&Options::default());
    let other = Slapd::start(&Options::default());
    let finding = refused(&server, |config| config.ca_file = Some(other.ca_file())).await;
    assert_eq!(&*finding.code, "certificate_untrusted");
    assert!(finding.message.contains("it says that '"), "{}", finding.message);
}

#[tokio::test]
async fn a_port_that_speaks_tls_is_told_to_who_writes_ldap() {
    let server = Slapd::start(&Options::default());
    let finding = refused(&server, |config| {
        config.url = many([&server.ldaps().replace("ldaps://", "ldap://")]);
    })
    .await;
    assert!(finding.cure.contains("write ldaps://"), "{finding:?}");
}

#[tokio::test]
async fn a_locked_account_is_told_where_the_server_tells_it() {
    let server = Slapd::start(&Options {
        policies: true,
        reader_lines: "pwdAccountLockedTime: 000001010000Z\n",
        ldif: format!(
            "dn: cn=policy,{BASE}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: policy\n\
             pwdAttribute: userPassword\npwdLockout: TRUE\n\n"
        ),
        ..Options::default()
    });
    let finding = refused(&server, |_| {}).await;
    assert!(finding.message.contains("locked out"), "{finding:?}");
    assert!(finding.cure.contains("unlock"), "{}", finding.cure);
}

#[tokio::test]
async fn limits_are_told_as_what_they_are() {
    for (limits, page_size, cure) in [
        ("size.pr=10", 100, "size.pr)"),
        ("size.prtotal=disabled", 5, "size.prtotal"),
        ("size.unchecked=1", 5, "size.unchecked"),
    ] {
        let server = Slapd::start(&Options {
            people: 30,
            reader_limits: limits.to_owned(),
            ..Options::default()
        });
        let finding = refused(&server, |config| config.page_size = page_size).await;
        assert_eq!(&*finding.code, "admin_limit", "{limits}: {finding:?}");
        assert!(finding.cure.contains(cure), "{limits}: {finding:?}");
    }
}

#[tokio::test]
async fn a_name_in_the_filter_that_the_server_does_not_know_is_told() {
    let server = Slapd::start(&Options {
        people: 3,
        ..Options::default()
    });
    let attribute = refused(&server, |config| config.filter = "(emploeeID=*)".to_owned()).await;
    assert_eq!(&*attribute.code, "filter_unknown_name");
    assert!(attribute.cure.contains("'employeeID'"), "{attribute:?}");
    let class = refused(&server, |config| {
        config.filter = "(objectClass=inetOrgPersn)".to_owned()
    })
    .await;
    assert!(class.cure.contains("'inetOrgPerson'"), "{class:?}");
}

#[tokio::test]
async fn every_server_of_a_list_is_tried_and_a_refused_account_ends_it() {
    let server = Slapd::start(&Options::default());
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&server.ldap(), folder.path());
    assert_eq!(
        source_of(&config).try_servers().await.unwrap(),
        [],
        "every read tries a single one"
    );
    config.url = many([&server.ldap(), "ldap://127.0.0.1:1", &server.ldap()]);
    let tried = source_of(&config).try_servers().await.unwrap();
    let told: Vec<Option<&str>> = tried
        .iter()
        .map(|(_, failed)| failed.as_ref().map(|found| &*found.code))
        .collect();
    assert_eq!(told, [None, Some("connection_refused"), None]);
    std::fs::write(folder.path().join("password"), "wrong\n").unwrap();
    let tried = source_of(&config).try_servers().await.unwrap();
    assert_eq!(tried.len(), 1, "{tried:?}");
}

#[tokio::test]
async fn a_reference_that_is_named_rejects_no_longer_and_the_cure_says_how() {
    let referring = || {
        Script::searches(vec![vec![
            Step::People(0..2),
            Step::Reference(vec!["ldap://child.example.test/DC=child,DC=example,DC=test"]),
            Step::Page(b""),
        ]])
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Hostile::start(referring()).await;
    let mut config = config(&server.url(), folder.path());
    let rejected = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&rejected), [("reference", Effect::Reject)]);
    let cure = &rejected.findings[0].cure;
    assert!(cure.contains("harmless_references: [child.example.test]"), "{cure}");
    for name in ["child.example.test", "dc=child, dc=example, dc=test"] {
        let server = Hostile::start(referring()).await;
        config.url = many([&server.url()]);
        config.harmless_references = vec![name.to_owned()];
        let read = read(&config, &["mail"]).await.unwrap();
        assert_eq!(codes(&read), [("reference_named", Effect::Note)], "{name}");
        assert_eq!(read.records.len(), 2);
    }
    let server = Hostile::start(referring()).await;
    config.url = many([&server.url()]);
    config.harmless_references = vec!["other.example.test".to_owned()];
    let other = read(&config, &["mail"]).await.unwrap();
    assert_eq!(codes(&other), [("reference", Effect::Reject)]);
}
