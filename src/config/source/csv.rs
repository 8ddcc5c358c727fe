//! An HR export: a delimited text file with a header row.

use super::{At, Expect, OneOrMany, SourceCommon, SourceOptions, file_path};
use crate::config::problem::Fault;
use crate::config::validate::is_blank;
use crate::config::{suggest, units};
use crate::core::reads::snapshot::Role;
use encoding_rs::Encoding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

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
    #[schemars(extend("x-decides" = "judging"))]
    pub skip: Option<String>,
    /// What a good read looks like.
    #[serde(default)]
    #[schemars(extend("x-decides" = "judging"))]
    pub expect: Expect,
    /// Another authoritative source that describes the same people: one key in both is then one person, not a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "judging"))]
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

impl SourceOptions for CsvConfig {
    fn common(&self) -> SourceCommon<'_> {
        SourceCommon {
            name: &self.name,
            key: &self.key,
            role: self.role,
            expect: &self.expect,
            same_people_as: self.same_people_as.as_deref(),
            anchor: None,
            skip: self.skip.as_deref(),
            exclude: &[],
            bases: &[],
            harmless_references: &[],
        }
    }

    fn contracts(&self) -> Option<&PerContract> {
        match &self.rows {
            RowsConfig::Per(per) => Some(per),
            RowsConfig::OnePerPerson => None,
        }
    }

    fn each_path(&mut self, visit: &mut dyn FnMut(&mut PathBuf)) {
        visit(&mut self.path);
    }

    fn check(&self, at: &At, faults: &mut Vec<Fault>) {
        file_path(at, &self.path, faults);
        let one_character = self.delimiter.len() == 1 && self.delimiter.is_ascii();
        if self.delimiter != "tab" && (!one_character || matches!(self.delimiter.as_str(), "\"" | "\n" | "\r" | "\0")) {
            let message = format!("'{}' is not one plain character", self.delimiter.escape_default());
            faults.push(Fault::new(
                at.option("delimiter"),
                message,
                "write e.g. \",\" or \";\" or tab",
            ));
        }
        match Encoding::for_label(self.encoding.as_bytes()) {
            Some(encoding) if encoding != encoding_rs::REPLACEMENT => {}
            _ => {
                const COMMON: [&str; 6] = [
                    "utf-8",
                    "utf-16le",
                    "utf-16be",
                    "windows-1252",
                    "iso-8859-1",
                    "iso-8859-15",
                ];
                let message = format!("'{}' is not a known encoding", self.encoding);
                let cure = match suggest::nearest(&self.encoding, COMMON) {
                    Some(meant) => format!("did you mean '{meant}'?"),
                    None => "utf-8 and windows-1252 are the usual ones".to_owned(),
                };
                faults.push(Fault::new(at.option("encoding"), message, cure));
            }
        }
        for word in &self.blank {
            if is_blank(word) || word.trim() != word {
                let message = format!("'{}' is blank or has blanks around it", word.escape_debug());
                let cure = "write the word alone, in quotes; empty cells are blank anyway";
                faults.push(Fault::new(at.option("blank"), message, cure));
            }
        }
        match &self.rows {
            RowsConfig::Per(per) if is_blank(&per.current) => {
                let cure = "write the condition that makes a row the current contract";
                faults.push(Fault::new(at.option("rows.current"), "is blank", cure));
            }
            RowsConfig::Per(per) => {
                let main = per.main.as_ref().map_or(&[][..], |main| main.as_slice());
                if per.main.is_some() && (main.is_empty() || main.iter().any(|text| is_blank(text))) {
                    let cure = "write what makes one of several current rows lead, e.g. \"{{ hr.FTE | number }}\", or take it out";
                    faults.push(Fault::new(at.option("rows.main"), "is blank", cure));
                }
            }
            RowsConfig::OnePerPerson => {}
        }
    }
}
