//! The kinds of source and their options. What all kinds share is checked in [`super::validate`], what one kind alone has beside
//! its options. A new kind is a file here and a line in `kinds!`, and its reader a folder and a line in [`crate::sources`].
//!
//! Each option says in the schema what it decides (`x-decides`), see [`super::decides`].

mod csv;
mod expect;
mod ldap;
mod ldif;

pub use csv::{CsvConfig, PerContract, RowUnit, RowsConfig};
pub use expect::{Canaries, CanariesAtLeast, Expect};
pub use ldap::{LdapConfig, Plaintext};
pub use ldif::LdifConfig;

use super::problem::Fault;
use super::validate::is_blank;
use crate::core::reads::snapshot::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Makes the registry: the word after `type:` is the name of the variant in lower case.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($options:ty),)*) => {
        /// One source of identities.
        #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum SourceConfig {
            $($(#[$doc])* $kind($options),)*
        }

        impl SourceConfig {
            /// What every kind answers.
            pub fn options(&self) -> &dyn SourceOptions {
                match self {
                    $(SourceConfig::$kind(options) => options,)*
                }
            }

            /// The same, to change them.
            pub fn options_mut(&mut self) -> &mut dyn SourceOptions {
                match self {
                    $(SourceConfig::$kind(options) => options,)*
                }
            }
        }
    };
}

kinds! {
    /// An HR export.
    Csv(CsvConfig),
    /// A directory: OpenLDAP or Active Directory.
    Ldap(LdapConfig),
    /// An export of a directory by ldapsearch or ldifde.
    Ldif(LdifConfig),
}

impl SourceConfig {
    /// What every kind of source has.
    pub fn common(&self) -> SourceCommon<'_> {
        self.options().common()
    }
}

/// What the options of one kind of source must answer.
pub trait SourceOptions {
    /// The options that all kinds share.
    fn common(&self) -> SourceCommon<'_>;

    /// Whether its entries stand in a tree and are called by a DN.
    fn is_directory(&self) -> bool {
        false
    }

    /// How contracts are told apart, where a row is one, so that a person can have several.
    fn contracts(&self) -> Option<&PerContract> {
        None
    }

    /// Every file that an option names, those of secrets among them.
    fn each_path(&mut self, visit: &mut dyn FnMut(&mut PathBuf));

    /// Notes what is wrong with the options that this kind alone has. Opens no file and resolves no name.
    fn check(&self, at: &At, faults: &mut Vec<Fault>);
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
    /// Where a directory is searched; empty where it is read whole.
    pub bases: &'a [String],
    pub harmless_references: &'a [String],
}

/// The place of a source in the file.
pub struct At(pub usize);

impl At {
    /// The path of one of its options.
    pub fn option(&self, option: &str) -> String {
        format!("sources[{}].{option}", self.0)
    }
}

/// Notes what is wrong with the path of a file of people.
fn file_path(at: &At, path: &Path, faults: &mut Vec<Fault>) {
    if is_blank(&path.to_string_lossy()) {
        faults.push(Fault::new(at.option("path"), "is blank", "write the path of the file"));
    }
    let folder = path.parent().map(|folder| folder.to_string_lossy().into_owned());
    if folder.is_some_and(|folder| folder.contains(['*', '?'])) {
        let cure = "write the folder as it is called; only the name of the file may be a pattern";
        faults.push(Fault::new(
            at.option("path"),
            "has * or ? in the name of a folder",
            cure,
        ));
    }
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
