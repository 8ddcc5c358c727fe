//! The options of sources. What they mean together is in [`super::validate`].

use super::secret::SecretRef;
use super::units::{self, Percent, Span};
use crate::domain::snapshot::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// One source of identities.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SourceConfig {
    /// An HR export.
    Csv(CsvConfig),
    /// A directory: OpenLDAP or Active Directory.
    Ldap(LdapConfig),
    /// An export of a directory by ldapsearch or ldifde.
    Ldif(LdifConfig),
}

impl SourceConfig {
    /// Whether a row of it is a contract, so that a person can have several.
    pub fn is_per_contract(&self) -> bool {
        match self {
            SourceConfig::Csv(csv) => matches!(csv.rows, RowsConfig::Per(_)),
            SourceConfig::Ldap(_) | SourceConfig::Ldif(_) => false,
        }
    }

    /// What every kind of source has.
    pub fn common(&self) -> SourceCommon<'_> {
        match self {
            SourceConfig::Csv(c) => SourceCommon {
                name: &c.name,
                key: &c.key,
                role: c.role,
                expect: &c.expect,
                same_people_as: c.same_people_as.as_deref(),
                anchor: None,
                skip: c.skip.as_deref(),
                exclude: &[],
            },
            SourceConfig::Ldap(c) => SourceCommon {
                name: &c.name,
                key: &c.key,
                role: c.role,
                expect: &c.expect,
                same_people_as: c.same_people_as.as_deref(),
                anchor: c.anchor.as_deref(),
                skip: c.skip.as_deref(),
                exclude: &c.exclude,
            },
            SourceConfig::Ldif(c) => SourceCommon {
                name: &c.name,
                key: &c.key,
                role: c.role,
                expect: &c.expect,
                same_people_as: c.same_people_as.as_deref(),
                anchor: c.anchor.as_deref(),
                skip: c.skip.as_deref(),
                exclude: &c.exclude,
            },
        }
    }
}

/// The options that all kinds of source share.
#[derive(Clone, Copy, Debug)]
pub struct SourceCommon<'a> {
    pub name: &'a str,
    pub key: &'a str,
    pub role: Role,
    pub expect: &'a Expect,
    pub same_people_as: Option<&'a str>,
    pub anchor: Option<&'a str>,
    pub skip: Option<&'a str>,
    pub exclude: &'a [String],
}

/// A delimited text file with a header row.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvConfig {
    /// The first word of expressions over this source.
    pub name: String,
    /// The file, or a pattern with `*` and `?` in its last part: then the newest complete file that fits is read, newest by
    /// the date in the names where all have one (year first), else by modification time.
    pub path: PathBuf,
    /// One character, or `tab`. Default `,`.
    #[serde(default = "default_delimiter")]
    pub delimiter: String,
    /// Any WHATWG encoding name. Default `utf-8`; a byte order mark is recognised and removed.
    #[serde(default = "default_encoding")]
    pub encoding: String,
    /// How many lines of the file stand above the header: a title, a date. Default 0. A line such as `sep=;` that tells
    /// spreadsheets the delimiter is stepped over by itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip_lines: u64,
    /// Cells that mean nothing is there, written exactly so but for blanks around: `[NULL, "-", N/A]`. Default: only empty
    /// cells. They count in every column, the key too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub blank: BTreeSet<String>,
    /// One row per person (default), or one row per contract.
    #[serde(default)]
    pub rows: RowsConfig,
    /// The column that holds the key.
    pub key: String,
    /// Whether this source decides who exists.
    pub role: Role,
    /// Condition over one record: it is no person and is left aside, before conflicts and records without a key are looked
    /// at. Unknown skips nothing. Default: every record is a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
    /// What a good read looks like.
    #[serde(default)]
    pub expect: Expect,
    /// Another authoritative source that describes the same people: one key in both is then one person, not a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_people_as: Option<String>,
}

fn is_zero(lines: &u64) -> bool {
    *lines == 0
}
fn default_delimiter() -> String {
    ",".to_owned()
}
fn default_encoding() -> String {
    "utf-8".to_owned()
}

/// How many rows a person has in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RowsConfig {
    /// `one_per_person`
    #[default]
    #[serde(with = "units::one_per_person")]
    #[schemars(with = "units::OnePerPerson")]
    OnePerPerson,
    /// One row per contract: `{ per: contract, current: EXPR, main: EXPR }`.
    Per(PerContract),
}

/// An export with one row per contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerContract {
    /// What a row is.
    pub per: RowUnit,
    /// Condition over the row: this contract is the current one, and describes the person. Somebody without a current row
    /// has left only when no row is undecided, none begins later, and the row that was current is one that has ended.
    pub current: String,
    /// Which of several current rows describes the person: a number (the highest leads), a date (the latest) or a condition
    /// (the row for which it holds); a list of them decides one after the other. Default: none leads, and fields in which
    /// the rows differ stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main: Option<OneOrMany>,
}

/// What a row of an export is, when not a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowUnit {
    Contract,
}

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
    pub starttls: Option<bool>,
    /// Say `plaintext: allowed` to send the password and all data unencrypted to a host that is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Plaintext>,
    /// PEM or DER file with the certificate authority, when the system's roots do not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// DN, user principal name or DOMAIN\user of the reading account.
    pub bind_dn: String,
    /// Its password.
    pub password: SecretRef,
    /// Where to search; a list is searched in order and gives one snapshot.
    pub base: OneOrMany,
    /// LDAP filter. Default `(objectClass=person)`.
    #[serde(default = "default_filter")]
    pub filter: String,
    /// Entries per page. Default 500.
    #[serde(default = "default_page_size")]
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
    pub skip: Option<String>,
    /// DNs of entries and of whole units that are no people, e.g. `OU=Service accounts,DC=example,DC=net`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Servers that the directory refers to and where nobody of this source is: `child.example.net`, or a DN such as
    /// `DC=child,DC=example,DC=net`. Any other reference rejects the read. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub harmless_references: Vec<String>,
    /// What a good read looks like.
    #[serde(default)]
    pub expect: Expect,
    /// Another authoritative source that describes the same people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_people_as: Option<String>,
    /// Longest wait for a connection. Default 10s.
    #[serde(default = "default_connect_timeout")]
    pub connect_timeout: Span,
    /// Longest wait for one page. Default 60s.
    #[serde(default = "super::default_timeout")]
    pub page_timeout: Span,
    /// Longest time for the whole read. Default 15m.
    #[serde(default = "default_total_timeout")]
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

/// An LDIF file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LdifConfig {
    /// The first word of expressions over this source.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The attribute that holds the key.
    pub key: String,
    /// Second anchor. Default: objectGUID or entryUUID where the entries have one.
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
    pub skip: Option<String>,
    /// DNs of entries and of whole units that are no people, e.g. `OU=Service accounts,DC=example,DC=net`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Servers that the directory refers to and where nobody of this source is: `child.example.net`, or a DN such as
    /// `DC=child,DC=example,DC=net`. Any other reference rejects the read. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub harmless_references: Vec<String>,
    /// What a good read looks like.
    #[serde(default)]
    pub expect: Expect,
    /// Another authoritative source that describes the same people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_people_as: Option<String>,
}

/// One text or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(text) => std::slice::from_ref(text),
            OneOrMany::Many(texts) => texts,
        }
    }
}

/// What a good read of a source looks like; anything else may not say that somebody is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Fewest records. Default 1.
    pub min_records: u64,
    /// Largest drop against the largest read accepted in the last 14 days. Default 10%.
    pub max_drop: Percent,
    /// Oldest accepted file. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
    /// Attributes whose values are groups, such as a department or a site; `dn` is where an entry of a directory stands.
    /// Default: what `department`, `branch` and `location` are made of, and `dn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Largest loss of a group against the largest read of the last 14 days; a group has at least 5 people. Default 50%.
    pub max_group_drop: Percent,
    /// Keys of people who are certainly there. A bare list: all but one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canaries: Option<Canaries>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            min_records: 1,
            max_drop: Percent(10.0),
            max_age: None,
            groups: None,
            max_group_drop: Percent(50.0),
            canaries: None,
        }
    }
}

/// People who are certainly there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Canaries {
    /// All but one must be found.
    Keys(Vec<String>),
    /// At least so many must be found.
    AtLeast(CanariesAtLeast),
}

/// Canaries with a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanariesAtLeast {
    pub keys: Vec<String>,
    pub at_least: usize,
}
