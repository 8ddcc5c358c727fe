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
use crate::core::model::key::KeySpec;
use crate::core::reads::snapshot::{Finding, SourceRead};
use crate::engine::{Progress, Source};
use std::collections::BTreeSet;

/// Makes the registry of readers: by kind, the type that reads it.
macro_rules! kinds {
    ($($kind:ident($source:ty),)*) => {
        /// A source of any kind.
        #[derive(Clone, Debug)]
        pub enum AnySource {
            $($kind(Box<$source>),)*
        }

        impl AnySource {
            /// The source of a configuration entry.
            pub fn from_config(config: &SourceConfig, key: &KeySpec) -> Self {
                match config {
                    $(SourceConfig::$kind(options) => {
                        AnySource::$kind(Box::new(<$source>::new(options.clone(), key.clone())))
                    })*
                }
            }
        }

        impl Source for AnySource {
            async fn read(&self, attributes: &BTreeSet<String>, progress: &dyn Progress) -> Result<SourceRead, Finding> {
                match self {
                    $(AnySource::$kind(source) => source.read(attributes, progress).await,)*
                }
            }

            async fn try_servers(&self) -> Result<Vec<(String, Option<Finding>)>, Finding> {
                match self {
                    $(AnySource::$kind(source) => source.try_servers().await,)*
                }
            }

            fn advice(&self) -> Vec<Finding> {
                match self {
                    $(AnySource::$kind(source) => source.advice(),)*
                }
            }
        }
    };
}

kinds! {
    Csv(csv::Csv),
    Ldap(ldap::LdapSource),
    Ldif(ldif::Ldif),
}
