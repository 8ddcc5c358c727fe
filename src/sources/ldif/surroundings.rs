//! What tools write around the entries: results, references, counts and page cookies, as lines or as comments.
//!
//! It tells whether the export is whole. The forms are those of OpenLDAP's ldapsearch with none to three `-L`.

use super::entry::plain;
use super::lines::Content;
use crate::core::reads::snapshot::{Effect, Finding};
use crate::sources::directory::{host_of_reference, is_named_harmless, is_own_forest_reference};
use std::collections::BTreeSet;

/// What was found around the entries.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// Entries that the tool says it wrote.
    counted: Option<u64>,
    /// Searches begun and ended, where the tool says so.
    begun: u64,
    ended: u64,
    /// The line of a page cookie that no later page answered.
    open_cookie: Option<u64>,
    /// Line, code and text of results other than success.
    results: Vec<(u64, u32, String)>,
    /// Line and address of references to elsewhere.
    references: Vec<(u64, String)>,
    /// Lines of versions other than 1.
    versions: Vec<u64>,
}

impl Surroundings {
    /// A comment line, without its `#`.
    pub fn comment(&mut self, number: u64, text: &str) {
        let text = text.trim();
        if text == "LDAPv3" {
            self.begun += 1;
        } else if text == "search result" {
            self.ended += 1;
        } else if let Some(count) = text
            .strip_prefix("numEntries:")
            .and_then(|count| count.trim().parse::<u64>().ok())
        {
            // Exports of several bases may stand one after another in a file.
            self.counted = Some(self.counted.unwrap_or(0) + count);
        } else if let Some(state) = text.strip_prefix("pagedresults:") {
            self.cookie(number, state);
        } else if let Some(url) = text.strip_prefix("ref").map(|rest| rest.trim_start_matches([':', ' '])) {
            // With -L the tool writes the reference straight after the word: `# refldap://...`.
            if url.contains("://") && !url.contains(' ') {
                self.reference(number, url);
            }
        }
    }

    /// A `version` line.
    pub fn version(&mut self, number: u64, version: &str) {
        if version.trim() != "1" {
            self.versions.push(number);
        }
    }

    /// Whether these lines are such a block rather than an entry.
    pub fn is_block(lines: &[Content<'_>]) -> bool {
        let first = lines.first().and_then(|line| super::entry::name_of(&line.text));
        first.is_some_and(|name| {
            ["search", "result", "ref"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// A block of lines with a result or a reference.
    pub fn block(&mut self, lines: &[Content<'_>]) {
        for line in lines {
            if let Some(result) = plain(&line.text, "result") {
                let (code, text) = result.split_once(' ').unwrap_or((result, ""));
                // A result that cannot be read is no success.
                let code = code.parse().unwrap_or(u32::MAX);
                if code != 0 {
                    self.results.push((line.number, code, text.trim().to_owned()));
                }
            } else if let Some(url) = plain(&line.text, "ref") {
                self.reference(line.number, url);
            } else if let Some(state) = plain(&line.text, "pagedresults") {
                self.cookie(line.number, state);
            }
        }
    }

    fn cookie(&mut self, number: u64, state: &str) {
        let cookie = state.rsplit_once("cookie=").map_or("", |(_, cookie)| cookie.trim());
        self.open_cookie = (!cookie.is_empty()).then_some(number);
    }

    fn reference(&mut self, number: u64, url: &str) {
        if !is_own_forest_reference(url) {
            self.references.push((number, url.to_owned()));
        }
    }

    /// What this says of a file with so many entries. Every finding rejects the snapshot.
    /// `harmless` are the references that the configuration names.
    pub fn findings(&self, entries: u64, harmless: &[String]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut reject = |code: &str, message: String, cure: &str| {
            findings.push(Finding::new(code, Effect::Reject, message, cure));
        };
        for (line, code, text) in &self.results {
            let (name, cure) = result(*code);
            let code = if *code == u32::MAX {
                "unreadable".to_owned()
            } else {
                code.to_string()
            };
            reject(
                name,
                format!(
                    "line {line}: the search ended with result {code} ({text}) after {entries} entries: entries are missing"
                ),
                cure,
            );
        }
        let foreign: Vec<&(u64, String)> = self
            .references
            .iter()
            .filter(|(_, url)| !is_named_harmless(url, harmless))
            .collect();
        if let Some((line, url)) = foreign.first() {
            let hosts: BTreeSet<String> = foreign.iter().map(|(_, url)| host_of_reference(url)).collect();
            let hosts: Vec<String> = hosts.into_iter().collect();
            reject(
                "reference",
                format!(
                    "line {line}: {} references point elsewhere, the first to {url}: the entries there are missing",
                    foreign.len()
                ),
                &format!(
                    "If nobody of this source is there, say so in this source: harmless_references: [{}]; or choose a base \
                     below which nothing lies elsewhere.",
                    hosts.join(", ")
                ),
            );
        }
        if let Some(line) = self.open_cookie {
            reject(
                "unfinished_paging",
                format!("line {line}: the server had more pages, and the file ends without them"),
                "Export all pages: ldapsearch -E pr=500/noprompt.",
            );
        }
        if self.begun > self.ended {
            reject(
                "cut_off",
                format!(
                    "{} searches begin in the file and only {} end in it",
                    self.begun, self.ended
                ),
                "Export again; write to another name and rename the file when it is complete.",
            );
        }
        if let Some(counted) = self.counted.filter(|counted| *counted > entries) {
            reject(
                "cut_off",
                format!("the file says that it has {counted} entries, and has {entries}"),
                "Export again; write to another name and rename the file when it is complete.",
            );
        }
        if let Some(line) = self.versions.first() {
            reject(
                "ldif_version",
                format!("line {line}: the LDIF version is not 1"),
                "Export as LDIF version 1 (RFC 2849), as ldapsearch and ldifde do.",
            );
        }
        findings
    }
}

/// Name and cure of a result code (RFC 4511, 4.1.9).
fn result(code: u32) -> (&'static str, &'static str) {
    match code {
        3 => (
            "time_limit",
            "Raise the server's time limit for the account, or export in pages: ldapsearch -E pr=500/noprompt.",
        ),
        4 => (
            "size_limit",
            "Export in pages: ldapsearch -E pr=500/noprompt, or raise the server's size limit for the account.",
        ),
        11 => (
            "admin_limit",
            "Use smaller pages, or raise the server's administrative limit for the account.",
        ),
        32 => (
            "no_such_object",
            "Check the base of the search: it does not exist, or the account may not see it.",
        ),
        _ => (
            "result_code",
            "Export again and see to it that the search ends with result 0.",
        ),
    }
}
