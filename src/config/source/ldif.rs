//! An export of a directory by ldapsearch or ldifde.

use super::{At, Expect, SourceCommon, SourceOptions, file_path};
use crate::config::problem::Fault;
use crate::core::reads::snapshot::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
}

impl SourceOptions for LdifConfig {
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
            bases: &[],
            harmless_references: &self.harmless_references,
        }
    }

    fn is_directory(&self) -> bool {
        true
    }

    fn each_path(&mut self, visit: &mut dyn FnMut(&mut PathBuf)) {
        visit(&mut self.path);
    }

    fn check(&self, at: &At, faults: &mut Vec<Fault>) {
        file_path(at, &self.path, faults);
    }
}
