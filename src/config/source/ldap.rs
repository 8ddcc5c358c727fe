//! A directory server: OpenLDAP or Active Directory.

use super::{At, Expect, OneOrMany, SourceCommon, SourceOptions};
use crate::config::address::{LdapTransport, ldap_server};
use crate::config::problem::Fault;
use crate::config::secret::SecretRef;
use crate::config::units::Span;
use crate::config::validate::{is_blank, place_of_secret};
use crate::core::reads::snapshot::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A directory server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    /// The first word of expressions over this source.
    pub name: String,
    /// `ldaps://host[:port]` or `ldap://host[:port]`; a list is tried in order.
    pub url: OneOrMany,
    /// Upgrade `ldap://` with StartTLS. Default: true for `ldap://` unless the host is a loopback address or `plaintext` is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "how"))]
    pub starttls: Option<bool>,
    /// Say `plaintext: allowed` to send the password and all data unencrypted to a host that is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "how"))]
    pub plaintext: Option<Plaintext>,
    /// PEM or DER file with the certificate authority, when the system's roots do not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "how"))]
    pub ca_file: Option<PathBuf>,
    /// DN, user principal name or DOMAIN\user of the reading account.
    pub bind_dn: String,
    /// Its password.
    #[schemars(extend("x-decides" = "how"))]
    pub password: SecretRef,
    /// Where to search; a list is searched in order and gives one snapshot.
    pub base: OneOrMany,
    /// LDAP filter. Default `(objectClass=person)`.
    #[serde(default = "default_filter")]
    pub filter: String,
    /// Entries per page. Default 500.
    #[serde(default = "default_page_size")]
    #[schemars(extend("x-decides" = "how"))]
    pub page_size: u32,
    /// The attribute that holds the key.
    pub key: String,
    /// Second anchor: an attribute that never changes, e.g. `objectGUID` or `entryUUID`. Default: the one the server has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// Attributes that are right, and that at times nobody has: conditions take them for empty, not for unknown. Where the
    /// server shows its schema, or somebody had the attribute in an earlier read, that is known without being said. Default:
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rare: Vec<String>,
    /// Whether this source decides who exists.
    pub role: Role,
    /// Condition over one record: it is no person and is left aside, before conflicts and records without a key are looked
    /// at. Unknown skips nothing. Default: every record is a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "judging"))]
    pub skip: Option<String>,
    /// DNs of entries and of whole units that are no people, e.g. `OU=Service accounts,DC=example,DC=net`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-decides" = "judging"))]
    pub exclude: Vec<String>,
    /// Servers that the directory refers to and where nobody of this source is: `child.example.net`, or a DN such as
    /// `DC=child,DC=example,DC=net`. Any other reference rejects the read. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub harmless_references: Vec<String>,
    /// What a good read looks like.
    #[serde(default)]
    #[schemars(extend("x-decides" = "judging"))]
    pub expect: Expect,
    /// Another authoritative source that describes the same people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "judging"))]
    pub same_people_as: Option<String>,
    /// Longest wait for a connection. Default 10s.
    #[serde(default = "default_connect_timeout")]
    #[schemars(extend("x-decides" = "how"))]
    pub connect_timeout: Span,
    /// Longest wait for one page. Default 60s.
    #[serde(default = "crate::config::topdesk::default_timeout")]
    #[schemars(extend("x-decides" = "how"))]
    pub page_timeout: Span,
    /// Longest time for the whole read. Default 15m.
    #[serde(default = "default_total_timeout")]
    #[schemars(extend("x-decides" = "how"))]
    pub total_timeout: Span,
}

fn default_filter() -> String {
    "(objectClass=person)".to_owned()
}
fn default_page_size() -> u32 {
    500
}
fn default_connect_timeout() -> Span {
    Span::seconds(10)
}
fn default_total_timeout() -> Span {
    Span::seconds(15 * 60)
}

/// The words that allow an unencrypted directory connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Plaintext {
    Allowed,
}

impl SourceOptions for LdapConfig {
    fn common(&self) -> SourceCommon<'_> {
        SourceCommon {
            name: &self.name,
            key: &self.key,
            role: self.role,
            expect: &self.expect,
            same_people_as: self.same_people_as.as_deref(),
            anchor: self.anchor.as_deref(),
            skip: self.skip.as_deref(),
            exclude: &self.exclude,
            bases: self.base.as_slice(),
            harmless_references: &self.harmless_references,
        }
    }

    fn is_directory(&self) -> bool {
        true
    }

    fn each_path(&mut self, visit: &mut dyn FnMut(&mut PathBuf)) {
        self.ca_file.iter_mut().for_each(&mut *visit);
        self.password.each_path(visit);
    }

    fn check(&self, at: &At, faults: &mut Vec<Fault>) {
        servers(at, self, faults);
        search(at, self, faults);
        place_of_secret(&at.option("password"), &self.password, faults);
    }
}

fn servers(at: &At, ldap: &LdapConfig, faults: &mut Vec<Fault>) {
    let urls = ldap.url.as_slice();
    if urls.is_empty() {
        faults.push(Fault::new(
            at.option("url"),
            "is an empty list",
            "write at least one ldaps:// address",
        ));
    }
    let mut transports = Vec::new();
    for (i, text) in urls.iter().enumerate() {
        match ldap_server(text, ldap) {
            Ok((_, transport)) => transports.push(transport),
            Err(error) => {
                let path = match &ldap.url {
                    OneOrMany::One(_) => at.option("url"),
                    OneOrMany::Many(_) => format!("{}[{i}]", at.option("url")),
                };
                faults.push(Fault::new(path, error.message, error.cure));
            }
        }
    }
    let all_tls = !transports.is_empty() && transports.iter().all(|t| *t == LdapTransport::Tls);
    if all_tls && transports.len() == urls.len() && ldap.starttls == Some(true) {
        let cure = "ldaps:// is encrypted already; take the option out, or write ldap://";
        faults.push(Fault::new(at.option("starttls"), "has no use with ldaps://", cure));
    }
    if ldap.plaintext.is_some() && ldap.starttls == Some(true) {
        let cure = "take out 'plaintext' to be encrypted, or 'starttls' to be not";
        faults.push(Fault::new(at.option("plaintext"), "contradicts 'starttls: true'", cure));
    } else if ldap.plaintext.is_some() && all_tls && transports.len() == urls.len() {
        faults.push(Fault::new(
            at.option("plaintext"),
            "has no use with ldaps://",
            "take the option out",
        ));
    }
    for (option, time) in [
        ("connect_timeout", ldap.connect_timeout),
        ("page_timeout", ldap.page_timeout),
        ("total_timeout", ldap.total_timeout),
    ] {
        if time == Span::seconds(0) {
            faults.push(Fault::new(
                at.option(option),
                "is zero: every read would fail",
                "write a time such as 60s",
            ));
        }
    }
}

fn search(at: &At, ldap: &LdapConfig, faults: &mut Vec<Fault>) {
    if is_blank(&ldap.bind_dn) {
        let message =
            "is blank: cardsync never binds anonymously, because what an anonymous reader sees can shrink unnoticed";
        let cure = "write the DN, user principal name or DOMAIN\\user of an account that may read these people and nothing else";
        faults.push(Fault::new(at.option("bind_dn"), message, cure));
    }
    if ldap.ca_file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        faults.push(Fault::new(
            at.option("ca_file"),
            "is blank",
            "write a path, or take the option out",
        ));
    }
    if ldap.base.as_slice().is_empty() || ldap.base.as_slice().iter().any(|base| is_blank(base)) {
        faults.push(Fault::new(
            at.option("base"),
            "is blank",
            "write a DN such as OU=People,DC=example,DC=net",
        ));
    }
    if let Some(message) = filter_fault(&ldap.filter) {
        faults.push(Fault::new(
            at.option("filter"),
            message,
            "write it as (&(objectClass=person)(mail=*))",
        ));
    }
    if !(1..=5000).contains(&ldap.page_size) {
        let message = format!("{} is not between 1 and 5000", ldap.page_size);
        faults.push(Fault::new(at.option("page_size"), message, "500 is a good number"));
    }
}

/// What is wrong with the brackets of a filter. Literal brackets are written `\28` and `\29` there, so counting is enough.
fn filter_fault(filter: &str) -> Option<String> {
    let filter = filter.trim();
    if !filter.starts_with('(') {
        return Some("does not begin with (".to_owned());
    }
    let mut depth = 0i64;
    for (at, c) in filter.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 || (depth == 0 && at + 1 < filter.len()) {
            return Some(format!(
                "goes on after its last bracket, at character {}",
                filter[..=at].chars().count() + 1
            ));
        }
    }
    (depth > 0).then(|| format!("has {depth} open bracket(s) too many"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_of_filters_balance() {
        for good in ["(a=b)", "(&(a=b)(!(c=d)))", " (cn=M\\28x\\29) ", "(cn=é)"] {
            assert_eq!(filter_fault(good), None, "{good}");
        }
        for bad in ["", "a=b", "(a=b", "(a=b))", "(a=b)(c=d)", ")(", "(&(a=b)(c=d)"] {
            assert!(filter_fault(bad).is_some(), "{bad}");
        }
    }
}
