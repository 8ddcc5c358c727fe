//! What a server says of itself: its root entry (RFC 4512 5.1) and its schema.
//!
//! All of it is optional: a server that hides it is read all the same.

use super::entry;
use super::schema::Schema;
use crate::core::model::dn::Dn;
use chrono::{DateTime, NaiveDateTime, Utc};
use ldap3::{Ldap, Scope};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// Paged results (RFC 2696).
const PAGING: &str = "1.2.840.113556.1.4.319";
/// Marks a server as Active Directory (MS-ADTS 3.1.1.3.4.3.1).
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";

/// The parts of the root entry that are used. `currentTime` exists only in Active Directory.
const ASKED: [&str; 10] = [
    "objectClass",
    "subschemaSubentry",
    "currentTime",
    "vendorName",
    "vendorVersion",
    "supportedControl",
    "supportedCapabilities",
    "namingContexts",
    "highestCommittedUSN",
    "dsServiceName",
];

/// How far each replica is, on the top entry of a tree that OpenLDAP replicates (RFC draft-zeilenga-ldup-sync).
const CONTEXT_CSN: &str = "contextCSN";

/// A server's description of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RootDse {
    /// Product and version where told, e.g. `OpenLDAP`.
    pub vendor: Option<String>,
    /// The server's clock.
    pub time: Option<DateTime<Utc>>,
    /// Where its schema is.
    pub subschema: Option<String>,
    /// The tops of its trees.
    pub contexts: Vec<String>,
    /// Active Directory: this server and the number of its last change; the number is of this server alone.
    pub usn: Option<(String, u64)>,
    /// Whether it offers paged results; `None` when it does not list what it offers.
    pub paging: Option<bool>,
}

impl RootDse {
    /// Asks the server; whatever does not come stays unknown.
    pub async fn ask(ldap: &mut Ldap, limit: Duration) -> Self {
        one_entry(ldap, "", "(objectClass=*)", &ASKED, limit)
            .await
            .map(|attributes| Self::from_attributes(&attributes))
            .unwrap_or_default()
    }

    fn from_attributes(attributes: &[(String, Vec<String>)]) -> Self {
        let values = |name: &str| {
            attributes
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map_or(&[][..], |(_, values)| values)
        };
        let first = |name: &str| values(name).first().cloned();
        let has = |name: &str, value: &str| values(name).iter().any(|known| known.eq_ignore_ascii_case(value));
        let vendor = match (first("vendorName"), first("vendorVersion")) {
            (Some(name), Some(version)) if !version.contains(&name) => Some(format!("{name} {version}")),
            (_, Some(version)) => Some(version),
            (Some(name), None) => Some(name),
            (None, None) if has("supportedCapabilities", ACTIVE_DIRECTORY) => Some("Active Directory".to_owned()),
            (None, None) if has("objectClass", "OpenLDAProotDSE") => Some("OpenLDAP".to_owned()),
            (None, None) => None,
        };
        let controls = values("supportedControl");
        Self {
            vendor,
            time: first("currentTime").and_then(|text| generalized_time(&text)),
            subschema: first("subschemaSubentry"),
            contexts: values("namingContexts").to_vec(),
            usn: first("dsServiceName").zip(first("highestCommittedUSN").and_then(|usn| usn.parse().ok())),
            paging: (!controls.is_empty()).then(|| controls.iter().any(|oid| oid == PAGING)),
        }
    }

    /// How far each replica is, as far as the server shows it to this account, in texts that sort as they rise.
    pub async fn update_marks(&self, ldap: &mut Ldap, bases: &[String], limit: Duration) -> BTreeMap<String, String> {
        if let Some((server, usn)) = &self.usn {
            return BTreeMap::from([(server.clone(), format!("{usn:020}"))]);
        }
        let mut marks = BTreeMap::new();
        for context in self
            .contexts
            .iter()
            .filter(|context| bases.iter().any(|base| is_under(base, context)))
        {
            let read = one_entry(ldap, context, "(objectClass=*)", &[CONTEXT_CSN], limit).await;
            let values = read.into_iter().flatten().flat_map(|(_, values)| values);
            marks.extend(
                values
                    .filter_map(|csn| csn_mark(&csn))
                    .map(|(replica, time)| (format!("{context} {replica}"), time)),
            );
        }
        marks
    }

    /// The names of all attributes the server knows, where it shows them to this account.
    pub async fn schema(&self, ldap: &mut Ldap, limit: Duration) -> Option<Schema> {
        let subschema = self.subschema.as_deref()?;
        let asked = ["attributeTypes", "objectClasses"];
        let attributes = one_entry(ldap, subschema, "(objectClass=*)", &asked, limit).await?;
        let values = |asked: &str| -> Vec<&str> {
            let named = attributes.iter().filter(|(name, _)| name.eq_ignore_ascii_case(asked));
            named.flat_map(|(_, values)| values).map(String::as_str).collect()
        };
        let schema = Schema::parse(values("attributeTypes"), values("objectClasses"));
        (!schema.is_empty()).then_some(schema)
    }
}

/// Reads one entry by its name. `None` when it is not there, not readable or late.
async fn one_entry(
    ldap: &mut Ldap,
    base: &str,
    filter: &str,
    attributes: &[&str],
    limit: Duration,
) -> Option<Vec<(String, Vec<String>)>> {
    let search = ldap.search(base, Scope::Base, filter, attributes);
    let (mut entries, _) = timeout(limit, search).await.ok()?.ok()?.success().ok()?;
    if entries.len() != 1 {
        return None;
    }
    let (_, attributes) = entry::parts(entries.remove(0).0).ok()?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some(
        attributes
            .into_iter()
            .map(|(name, values)| (name, values.into_iter().map(text).collect()))
            .collect(),
    )
}

fn is_under(base: &str, context: &str) -> bool {
    let names = Dn::parse(base).zip(Dn::parse(context));
    names.is_some_and(|(base, context)| base.is_within(&context))
}

/// `20260131120000.123456Z#000000#001#000000`: time, count, replica, change. The time and count sort as they rise.
fn csn_mark(csn: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = csn.split('#').collect();
    match parts.as_slice() {
        [time, count, replica, _] => Some((format!("#{replica}"), format!("{time}#{count}"))),
        _other => None,
    }
}

/// `20260131120000.0Z`; only in UTC, as servers tell their own clock.
fn generalized_time(text: &str) -> Option<DateTime<Utc>> {
    let digits = text.strip_suffix('Z')?.get(..14)?;
    let time = NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok()?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(attributes: &[(&str, &[&str])]) -> RootDse {
        let attributes: Vec<(String, Vec<String>)> = attributes
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|v| (*v).to_owned()).collect()))
            .collect();
        RootDse::from_attributes(&attributes)
    }

    #[test]
    fn active_directory_tells_its_clock() {
        let root = root(&[
            ("currentTime", &["20260131120005.0Z"]),
            ("supportedCapabilities", &[ACTIVE_DIRECTORY]),
            ("supportedControl", &["1.2.3", PAGING]),
            ("subschemaSubentry", &["CN=Aggregate,CN=Schema,CN=Configuration,DC=x"]),
        ]);
        assert_eq!(root.vendor.as_deref(), Some("Active Directory"));
        assert_eq!(root.time.unwrap().to_rfc3339(), "2026-01-31T12:00:05+00:00");
        assert_eq!(root.paging, Some(true));
    }

    #[test]
    fn other_servers_are_named_by_what_they_tell() {
        assert_eq!(
            root(&[("objectclass", &["top", "OpenLDAProotDSE"])]).vendor.as_deref(),
            Some("OpenLDAP")
        );
        let both = root(&[
            ("vendorName", &["389 Project"]),
            ("vendorVersion", &["389-Directory/2.4"]),
        ]);
        assert_eq!(both.vendor.as_deref(), Some("389 Project 389-Directory/2.4"));
        assert_eq!(root(&[]), RootDse::default());
        assert_eq!(root(&[("supportedControl", &["1.2.3"])]).paging, Some(false));
    }

    #[test]
    fn a_server_tells_how_far_it_is() {
        let root = root(&[
            ("highestCommittedUSN", &["12345"]),
            ("dsServiceName", &["CN=NTDS Settings,CN=DC1,CN=Servers"]),
        ]);
        assert_eq!(root.usn, Some(("CN=NTDS Settings,CN=DC1,CN=Servers".to_owned(), 12345)));
        assert_eq!(
            csn_mark("20260131120000.123456Z#000002#001#000000"),
            Some(("#001".to_owned(), "20260131120000.123456Z#000002".to_owned()))
        );
        assert_eq!(csn_mark("20260131120000Z"), None);
        assert!(is_under("ou=people,DC=x,dc=y", "dc=x,dc=y") && is_under("dc=y", "DC=y"));
        assert!(!is_under("dc=ay", "dc=y") && !is_under("ou=p,dc=y", "") && !is_under("xdc=y", "dc=y"));
    }

    #[test]
    fn times_that_are_not_utc_are_not_guessed() {
        assert!(generalized_time("20260131120000Z").is_some());
        for odd in ["20260131120000+0100", "2026", "20261331120000Z", "", "ééééééé0Z"] {
            assert_eq!(generalized_time(odd), None, "{odd}");
        }
    }
}
