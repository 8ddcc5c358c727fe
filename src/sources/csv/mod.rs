//! Delimited text files with a header row: HR exports.
//!
//! The file is decoded as a whole, because one row can make the whole file doubtful; of the rows only the asked-for
//! columns are kept.

mod beginning;
mod cells;
mod cursor;
mod header;
mod quotes;
mod rows;
mod short;
#[cfg(test)]
mod tests;

use super::file;
use super::newest::Exports;
use super::text::{Declared, TextReader};
use crate::config::CsvConfig;
use crate::core::model::ids::SourceName;
use crate::core::model::key::KeySpec;
use crate::core::reads::snapshot::{Effect, Finding, SourceRead};
use crate::engine::{Progress, Source};
use chrono::Utc;
use rows::Layout;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Rows between two words of progress.
const PROGRESS_EVERY: u64 = 1000;

/// A CSV file.
#[derive(Clone, Debug)]
pub struct Csv {
    config: CsvConfig,
    name: SourceName,
    key: KeySpec,
}

impl Csv {
    /// A source over this file. The key is only used to say whose row a rejection is.
    pub fn new(config: CsvConfig, key: KeySpec) -> Self {
        Self {
            name: SourceName::new(config.name.as_str()),
            config,
            key,
        }
    }
}

/// The delimiter the configuration means: one ASCII character, or `tab`.
pub fn delimiter(text: &str) -> Result<u8, Finding> {
    match text.as_bytes() {
        _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(*byte),
        _ => Err(Finding::new(
            "delimiter_unknown",
            Effect::Reject,
            format!("delimiter '{text}' is not one ASCII character"),
            "Set `delimiter` to one character such as \";\" or \",\", or to tab.",
        )),
    }
}

/// The encoding the configuration means: a name of the WHATWG Encoding Standard.
pub fn encoding(label: &str) -> Result<Declared, Finding> {
    Declared::named(label).ok_or_else(|| {
        Finding::new(
            "encoding_unknown",
            Effect::Reject,
            format!("encoding '{label}' is not known"),
            "Set `encoding` to a WHATWG name such as utf-8, utf-16le, windows-1252 or iso-8859-15.",
        )
    })
}

impl Csv {
    async fn read_file(
        &self,
        path: &Path,
        attributes: &BTreeSet<String>,
        progress: &dyn Progress,
    ) -> Result<SourceRead, Finding> {
        let read_at = Utc::now();
        let delimiter = delimiter(&self.config.delimiter)?;
        let mut decoder = TextReader::new(encoding(&self.config.encoding)?);
        let facts = file::read(path, |bytes| {
            decoder.push(bytes);
            progress.advance(self.name.as_str(), 0, None);
        })
        .await?;
        let text = decoder.finish();
        if let Some(doubt) = text.contradiction(path, |name| format!("Set `encoding: {name}`.")) {
            return Err(doubt);
        }
        let mut asked = attributes.clone();
        asked.insert(self.config.key.clone());
        let layout = Layout {
            source: &self.name,
            delimiter,
            key_column: &self.config.key,
            key: &self.key,
            skip_lines: self.config.skip_lines,
            blank: &self.config.blank,
        };
        let rows = rows::parse(&text, layout, &asked, |rows| {
            if rows.is_multiple_of(PROGRESS_EVERY) {
                progress.advance(self.name.as_str(), rows, None);
            }
        })?;
        let total = (rows.records.len() + rows.rejections.len()) as u64;
        progress.advance(self.name.as_str(), total, Some(total));
        Ok(SourceRead {
            source: self.name.clone(),
            role: self.config.role,
            read_at,
            generation: facts.generation,
            key_attribute: self.config.key.clone(),
            attributes: rows.header.attributes,
            missing_attributes: rows.header.missing,
            known_attributes: BTreeSet::new(),
            records: rows.records,
            rejections: rows.rejections,
            findings: rows.findings,
            modified_at: Some(facts.modified_at),
            content: Some(facts.content),
            update_marks: BTreeMap::new(),
            name_date: None,
            server_time: None,
        })
    }
}

impl Source for Csv {
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
        let wrong = [
            delimiter(&self.config.delimiter).err(),
            encoding(&self.config.encoding).err(),
            file::no_age_limit(&self.config.expect),
        ];
        wrong.into_iter().flatten().collect()
    }
}
