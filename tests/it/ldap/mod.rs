//! The LDAP source against a real OpenLDAP and against servers that lie.

mod cures;
mod hostile;
mod openldap;

use crate::support::slapd::{BASE, READER, READER_PASSWORD};
use cardsync::config::{LdapConfig, OneOrMany};
use cardsync::core::model::field::CardField;
use cardsync::core::model::key::{KeySpec, Normaliser};
use cardsync::core::model::record::RawRecord;
use cardsync::core::reads::snapshot::{Effect, Finding, SourceRead};
use cardsync::engine::{Silent, Source};
use cardsync::sources::ldap::LdapSource;
use std::collections::BTreeSet;
use std::path::Path;

/// A configuration as a user would write it; the password is in a file of its own.
fn config(url: &str, folder: &Path) -> LdapConfig {
    let password = folder.join("password");
    std::fs::write(&password, format!("{READER_PASSWORD}\n")).expect("a password file");
    serde_yaml::from_str(&format!(
        "{{ name: ad, url: '{url}', bind_dn: '{READER}', password: {{ file: '{}' }}, base: 'ou=people,{BASE}',
            filter: '(objectClass=inetOrgPerson)', key: employeeID, role: authoritative }}",
        password.display()
    ))
    .expect("a valid configuration")
}

fn source_of(config: &LdapConfig) -> LdapSource {
    let key = KeySpec {
        card_field: CardField::EmployeeNumber,
        normalise: vec![Normaliser::Trim, Normaliser::Uppercase],
        immutable: false,
    };
    LdapSource::new(config.clone(), key)
}

async fn read(config: &LdapConfig, attributes: &[&str]) -> Result<SourceRead, Finding> {
    let attributes: BTreeSet<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    source_of(config).read(&attributes, &Silent).await
}

fn many<const N: usize>(texts: [&str; N]) -> OneOrMany {
    OneOrMany::Many(texts.map(str::to_owned).to_vec())
}

/// Code and effect of every finding.
fn codes(read: &SourceRead) -> Vec<(&str, Effect)> {
    read.findings
        .iter()
        .map(|finding| (&*finding.code, finding.effect))
        .collect()
}

/// The values of one attribute of one record.
fn values<'a>(read: &SourceRead, record: &'a RawRecord, name: &str) -> Vec<&'a str> {
    let place = read.attributes.position(name).expect("an attribute that was asked for");
    record.values[place].as_slice().iter().map(|value| &**value).collect()
}

/// One line that says what, where and the cure, without the password.
fn check_words(finding: &Finding, place: &str) {
    let Finding { message, cure, .. } = finding;
    assert!(message.contains(place), "where: {message}");
    assert!(!cure.is_empty(), "no cure: {message}");
    for text in [message, cure] {
        assert!(!text.contains('\n'), "more than one line: {text}");
        assert!(!text.contains(READER_PASSWORD), "the password: {text}");
    }
}
