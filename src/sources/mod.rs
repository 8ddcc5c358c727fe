//! Where identities come from: CSV, LDIF and directories.
//!
//! A source reads and reports facts: records, rejections, findings. It judges nothing, normalises no key and never drops
//! a record silently.

pub mod csv;
pub mod directory;
pub mod file;
pub mod ldif;
pub mod text;

use crate::domain::snapshot::{Finding, SourceRead};
use crate::engine::{Progress, Source};
use std::collections::BTreeSet;

/// A source of any kind.
#[derive(Clone, Debug)]
pub enum AnySource {
    Csv(csv::Csv),
    Ldif(ldif::Ldif),
}

impl Source for AnySource {
    async fn read(&self, attributes: &BTreeSet<String>, progress: &dyn Progress) -> Result<SourceRead, Finding> {
        match self {
            AnySource::Csv(source) => source.read(attributes, progress).await,
            AnySource::Ldif(source) => source.read(attributes, progress).await,
        }
    }

    fn advice(&self) -> Vec<Finding> {
        match self {
            AnySource::Csv(source) => source.advice(),
            AnySource::Ldif(source) => source.advice(),
        }
    }
}
