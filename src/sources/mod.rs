//! Where identities come from: CSV, LDIF and directories.
//!
//! A source reads and reports facts: records, rejections, findings. It judges nothing, normalises no key and never drops
//! a record silently.

pub mod csv;
pub mod directory;
pub mod file;
pub mod ldap;
pub mod ldif;
pub mod newest;
pub mod text;

use crate::config::SourceConfig;
use crate::domain::key::KeySpec;
use crate::domain::snapshot::{Finding, SourceRead};
use crate::engine::{Progress, Source};
use std::collections::BTreeSet;

/// A source of any kind.
#[derive(Clone, Debug)]
pub enum AnySource {
    Csv(csv::Csv),
    Ldap(Box<ldap::LdapSource>),
    Ldif(ldif::Ldif),
}

impl AnySource {
    /// The source of a configuration entry.
    pub fn from_config(config: &SourceConfig, key: &KeySpec) -> Self {
        match config {
            SourceConfig::Csv(csv) => AnySource::Csv(csv::Csv::new(csv.clone(), key.clone())),
            SourceConfig::Ldap(ldap) => AnySource::Ldap(Box::new(ldap::LdapSource::new(ldap.clone(), key.clone()))),
            SourceConfig::Ldif(ldif) => AnySource::Ldif(ldif::Ldif::new(ldif.clone(), key.clone())),
        }
    }
}

impl AnySource {
    /// Binds to every server of a directory that names several. Empty for all others.
    ///
    /// # Errors
    /// When the configuration itself is wrong.
    pub async fn try_servers(&self) -> Result<Vec<(String, Option<Finding>)>, Finding> {
        match self {
            AnySource::Ldap(source) => source.try_servers().await,
            AnySource::Csv(_) | AnySource::Ldif(_) => Ok(Vec::new()),
        }
    }
}

impl Source for AnySource {
    async fn read(&self, attributes: &BTreeSet<String>, progress: &dyn Progress) -> Result<SourceRead, Finding> {
        match self {
            AnySource::Csv(source) => source.read(attributes, progress).await,
            AnySource::Ldap(source) => source.read(attributes, progress).await,
            AnySource::Ldif(source) => source.read(attributes, progress).await,
        }
    }

    fn advice(&self) -> Vec<Finding> {
        match self {
            AnySource::Csv(source) => source.advice(),
            AnySource::Ldap(source) => source.advice(),
            AnySource::Ldif(source) => source.advice(),
        }
    }
}
