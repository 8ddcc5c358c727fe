//! Exports of a directory by ldapsearch or ldifde (LDIF, RFC 2849).
//!
//! Only the wanted attributes are kept. Change records and addresses of values elsewhere are refused.

mod entries;
mod entry;
mod lines;
mod surroundings;
#[cfg(test)]
mod tests;

use super::directory::known;
use super::file;
use super::newest::Exports;
use super::text::{Declared, TextReader};
use crate::config::LdifConfig;
use crate::core::model::ids::SourceName;
use crate::core::model::key::KeySpec;
use crate::core::reads::snapshot::{Finding, SourceRead};
use crate::engine::{Progress, Source};
use chrono::Utc;
use entry::Wanted;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Entries between two words of progress.
const PROGRESS_EVERY: u64 = 1000;

/// An LDIF file. The pseudo-attribute `dn` is there for every entry.
#[derive(Clone, Debug)]
pub struct Ldif {
    config: LdifConfig,
    name: SourceName,
    key: KeySpec,
}

impl Ldif {
    /// A source over this file. The key is only used to say whose entry a rejection is.
    pub fn new(config: LdifConfig, key: KeySpec) -> Self {
        Self {
            name: SourceName::new(config.name.as_str()),
            config,
            key,
        }
    }
}

impl Ldif {
    async fn read_file(
        &self,
        path: &Path,
        attributes: &BTreeSet<String>,
        progress: &dyn Progress,
    ) -> Result<SourceRead, Finding> {
        let read_at = Utc::now();
        let mut decoder = TextReader::new(Declared::ByMark);
        let facts = file::read(path, |bytes| {
            decoder.push(bytes);
            progress.advance(self.name.as_str(), 0, None);
        })
        .await?;
        let text = decoder.finish();
        let cure = |likely: &str| {
            format!("LDIF is UTF-8, and this looks like {likely}: export again with ldapsearch, or with ldifde -u.")
        };
        if let Some(doubt) = text.contradiction(path, cure) {
            return Err(doubt);
        }
        let wanted = wanted(attributes, &self.config);
        let entries = entries::parse(&text, &self.name, &self.key, &wanted, |entries| {
            if entries.is_multiple_of(PROGRESS_EVERY) {
                progress.advance(self.name.as_str(), entries, None);
            }
        });
        let total = (entries.records.len() + entries.rejections.len()) as u64;
        progress.advance(self.name.as_str(), total, Some(total));
        Ok(SourceRead {
            source: self.name.clone(),
            role: self.config.role,
            read_at,
            generation: facts.generation,
            key_attribute: self.config.key.clone(),
            attributes: entries.attributes,
            known_attributes: known(&self.config.rare, &entries.missing),
            missing_attributes: entries.missing,
            records: entries.records,
            rejections: entries.rejections,
            findings: entries.findings,
            modified_at: Some(facts.modified_at),
            content: Some(facts.content),
            update_marks: BTreeMap::new(),
            name_date: None,
            server_time: None,
        })
    }
}

impl Source for Ldif {
    async fn read(&self, attributes: &BTreeSet<String>, progress: &dyn Progress) -> Result<SourceRead, Finding> {
        let mut exports = Exports::of(&self.config.path, Utc::now()).await?;
        loop {
            let file = exports.take_next().expect("a file is left until the read is settled");
            let read = self.read_file(&file.path, attributes, progress).await;
            if let Some(settled) = exports.settle(file, read) {
                return settled;
            }
        }
    }

    fn advice(&self) -> Vec<Finding> {
        file::no_age_limit(&self.config.expect).into_iter().collect()
    }
}

/// What to keep: every name once, as attribute names ignore case.
fn wanted(attributes: &BTreeSet<String>, config: &LdifConfig) -> Wanted {
    let mut names: Vec<String> = vec![config.key.clone()];
    for name in attributes {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.clone());
        }
    }
    Wanted {
        names,
        key: 0,
        anchor: config.anchor.clone(),
        harmless: config.harmless_references.clone(),
    }
}
