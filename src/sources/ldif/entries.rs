//! All entries of an LDIF text: each becomes a record or a rejection. Pure.

use super::entry::{self, Entry, Sign, Wanted};
use super::lines::{Content, Line, Lines};
use super::surroundings::Surroundings;
use crate::core::memory::asked::{mark_of, mark_of_values};
use crate::core::model::dn::same_for_all_spellings;
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, KeyReading, KeySpec};
use crate::core::model::record::{AttributeNames, Place, RawRecord, Values};
use crate::core::reads::snapshot::{Effect, Finding, Rejection, RejectionScope};
use crate::sources::text::Text;
use std::collections::{BTreeMap, BTreeSet};

/// How alike two attribute names must be to be worth suggesting (Jaro-Winkler).
const ALIKE: f64 = 0.85;

/// All entries of a text.
#[derive(Debug)]
pub struct Entries {
    pub attributes: AttributeNames,
    pub missing: BTreeSet<String>,
    pub records: Vec<RawRecord>,
    pub rejections: Vec<Rejection>,
    pub findings: Vec<Finding>,
}

/// Reads all entries; `entry_done` hears the number of entries so far.
pub fn parse(
    text: &Text,
    source: &SourceName,
    key: &KeySpec,
    wanted: &Wanted,
    mut entry_done: impl FnMut(u64),
) -> Entries {
    let mut reader = Reader {
        source,
        key,
        wanted,
        entries: 0,
        records: Vec::new(),
        lines: Vec::new(),
        hexed: Vec::new(),
        texts: vec![0; wanted.names.len()],
        rejections: Vec::new(),
        seen: BTreeSet::new(),
        dns: BTreeMap::new(),
        signs: Signs::default(),
        surroundings: Surroundings::default(),
    };
    let mut block: Vec<Content<'_>> = Vec::new();
    for line in Lines::new(text) {
        match line {
            Line::Blank => {
                reader.block(&mut block);
                entry_done(reader.entries);
            }
            Line::Comment { number, text } => reader.surroundings.comment(number, &text),
            Line::Content(line) => {
                // Entries need a blank line between them; without one they are still two.
                if entry::name_of(&line.text).is_some_and(|name| name.eq_ignore_ascii_case("dn")) {
                    reader.block(&mut block);
                }
                block.push(line);
            }
        }
    }
    reader.block(&mut block);
    let mut entries = reader.finish();
    // RFC 2849 ends every line, the last one too; so do the tools.
    if !text.text.is_empty() && !text.text.ends_with('\n') {
        entries.findings.push(cut_off(text.line_of(text.text.len())));
    }
    entries
}

/// What the entries say of the file; each kind with its first place and how often.
#[derive(Debug, Default)]
struct Signs {
    added: u64,
    changes: Vec<u64>,
    urls: Vec<(u64, String)>,
    ranges: Vec<(u64, String)>,
    doubled: Vec<(u64, u64)>,
}

struct Reader<'a> {
    source: &'a SourceName,
    key: &'a KeySpec,
    wanted: &'a Wanted,
    /// With a `dn`, usable or not.
    entries: u64,
    records: Vec<RawRecord>,
    /// The line of each record.
    lines: Vec<u64>,
    /// Record and attribute where bytes had to be written as hex.
    hexed: Vec<(usize, usize)>,
    /// How many records have the attribute as text.
    texts: Vec<u64>,
    rejections: Vec<Rejection>,
    /// All attribute names, in lower case.
    seen: BTreeSet<String>,
    /// The line of each DN.
    dns: BTreeMap<String, u64>,
    signs: Signs,
    surroundings: Surroundings,
}

impl Reader<'_> {
    fn block(&mut self, block: &mut Vec<Content<'_>>) {
        let lines = std::mem::take(block);
        let mut lines = lines.as_slice();
        while let Some((first, rest)) = lines.split_first()
            && let Some(version) = entry::plain(&first.text, "version")
        {
            self.surroundings.version(first.number, version);
            lines = rest;
        }
        let Some(first) = lines.first() else { return };
        if Surroundings::is_block(lines) {
            self.surroundings.block(lines);
        } else if entry::name_of(&first.text).is_some_and(|name| name.eq_ignore_ascii_case("dn")) {
            self.entry(lines);
        } else {
            let why = "the entry has no dn as its first line; export it again".to_owned();
            let content = mark_of(lines.iter().map(|line| line.text.as_ref()));
            self.reject(first.number, None, (why, content));
        }
    }

    fn entry(&mut self, lines: &[Content<'_>]) {
        self.entries += 1;
        let seen = &mut self.seen;
        let mut entry = entry::read(lines, self.wanted, |name| {
            let name = name.to_ascii_lowercase();
            if !seen.contains(&name) {
                seen.insert(name);
            }
        });
        self.signs(&entry);
        if !entry.dn.is_empty() {
            let first = *self.dns.entry(same_for_all_spellings(&entry.dn)).or_insert(entry.line);
            if first != entry.line {
                self.signs.doubled.push((first, entry.line));
            }
        }
        if let Some(why) = entry.unusable.take() {
            let key = self.key_of(&entry.values);
            let content = mark_of(lines.iter().map(|line| line.text.as_ref()));
            self.reject(entry.line, key, (why, content));
            return;
        }
        for (place, values) in entry.values.iter().enumerate() {
            if *values != Values::None && !entry.hexed.contains(&place) {
                self.texts[place] += 1;
            }
        }
        let index = self.records.len();
        self.hexed.extend(entry.hexed.iter().map(|place| (index, *place)));
        self.lines.push(entry.line);
        self.records.push(RawRecord {
            place: Place::Dn(entry.dn.into()),
            values: entry.values.into(),
            anchor: entry.anchor,
        });
    }

    fn signs(&mut self, entry: &Entry) {
        for sign in &entry.signs {
            match sign {
                Sign::Added => self.signs.added += 1,
                Sign::Change { line } => self.signs.changes.push(*line),
                Sign::Url { line, attribute } => self.signs.urls.push((*line, attribute.clone())),
                Sign::Range { line, attribute } => self.signs.ranges.push((*line, attribute.clone())),
            }
        }
    }

    fn key_of(&self, values: &[Values]) -> Option<Key> {
        let [raw] = values[self.wanted.key].as_slice() else {
            return None;
        };
        match self.key.read(raw) {
            KeyReading::Key(key) => Some(key),
            KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } | KeyReading::Hidden { .. } => None,
        }
    }

    fn reject(&mut self, line: u64, key: Option<Key>, (message, content): (String, String)) {
        self.rejections.push(Rejection {
            source: self.source.clone(),
            place: Place::Line(line),
            key,
            scope: RejectionScope::Record,
            message,
            content: content.into(),
        });
    }

    /// An attribute that is text elsewhere and bytes here is a damaged text, and hex must not become somebody's name.
    fn reject_damaged_texts(&mut self) {
        let damaged: BTreeMap<usize, usize> = self
            .hexed
            .iter()
            .copied()
            .filter(|(_, place)| self.texts[*place] > 0)
            .collect();
        if damaged.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.records);
        for (index, record) in records.into_iter().enumerate() {
            let Some(place) = damaged.get(&index) else {
                self.records.push(record);
                continue;
            };
            let key = if *place == self.wanted.key {
                None
            } else {
                self.key_of(&record.values)
            };
            let name = &self.wanted.names[*place];
            let why = format!("{name} holds bytes that are not UTF-8 text; correct the value in the directory");
            let content = mark_of_values(&record.values);
            self.reject(self.lines[index], key, (why, content));
        }
        self.rejections.sort_by(|left, right| left.place.cmp(&right.place));
    }

    fn finish(mut self) -> Entries {
        self.reject_damaged_texts();
        let mut findings = self.surroundings.findings(self.entries, &self.wanted.harmless);
        findings.extend(self.file_findings());
        let has = |name: &String| {
            let name = name.to_ascii_lowercase();
            self.seen.contains(&name) || (name == "dn" && self.entries > 0)
        };
        let kept: Vec<bool> = self.wanted.names.iter().map(has).collect();
        let (names, missing): (Vec<_>, Vec<_>) = self.wanted.names.iter().zip(&kept).partition(|(_, kept)| **kept);
        if self.entries == 0 {
            findings.push(no_entries());
        } else {
            let key = &self.wanted.names[self.wanted.key];
            findings.extend(
                missing
                    .iter()
                    .map(|(name, _)| missing_attribute(name, *name == key, &self.seen)),
            );
        }
        // Values of an attribute that the file does not have are unknown, not empty: they have no place in the records.
        if !missing.is_empty() {
            for record in &mut self.records {
                let values = std::mem::take(&mut record.values).into_iter();
                record.values = values
                    .zip(&kept)
                    .filter(|(_, kept)| **kept)
                    .map(|(value, _)| value)
                    .collect();
            }
        }
        self.records.shrink_to_fit();
        Entries {
            attributes: AttributeNames::new(names.into_iter().map(|(name, _)| name.clone()), true),
            missing: missing.into_iter().map(|(name, _)| name.clone()).collect(),
            records: self.records,
            rejections: self.rejections,
            findings,
        }
    }

    fn file_findings(&self) -> Vec<Finding> {
        let signs = &self.signs;
        let mut findings = Vec::new();
        let mut reject = |code: &str, message: String, cure: &str| {
            findings.push(Finding::new(code, Effect::Reject, message, cure));
        };
        let mixed = signs.added > 0 && signs.added < self.entries;
        if let Some(line) = signs.changes.first() {
            reject(
                "change_record",
                format!(
                    "line {line}: the file has {} records that change a directory",
                    signs.changes.len()
                ),
                "Export the entries themselves with ldapsearch or ldifde.",
            );
        } else if mixed {
            reject(
                "change_record",
                format!(
                    "{} of {} entries are additions: the file is a list of changes",
                    signs.added, self.entries
                ),
                "Export the entries themselves with ldapsearch or ldifde.",
            );
        }
        if let Some((line, attribute)) = signs.urls.first() {
            reject(
                "external_url",
                format!(
                    "line {line}: {attribute} and {} more values stand in other files",
                    signs.urls.len() - 1
                ),
                "Export with the values in the file: ldapsearch without -t.",
            );
        }
        if let Some((line, attribute)) = signs.ranges.first() {
            reject(
                "unread_range",
                format!(
                    "line {line}: {attribute} is only a part of the values, here and in {} more places",
                    signs.ranges.len() - 1
                ),
                "Export without that attribute, or with a tool that reads ranges to their end.",
            );
        }
        if let Some((first, second)) = signs.doubled.first() {
            reject(
                "duplicate_dn",
                format!(
                    "the entry of line {first} stands again in line {second}; {} entries stand more than once",
                    signs.doubled.len()
                ),
                "Export each base once, and bases that do not contain each other.",
            );
        }
        findings
    }
}

fn missing_attribute(name: &str, is_key: bool, seen: &BTreeSet<String>) -> Finding {
    let folded = name.to_ascii_lowercase();
    let near = seen
        .iter()
        .map(|known| (strsim::jaro_winkler(&folded, known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let hint = near
        .map(|(_, near)| format!("; did you mean '{near}'?"))
        .unwrap_or_default();
    let (what, effect) = if is_key {
        ("the key attribute", Effect::Reject)
    } else {
        ("attribute", Effect::Note)
    };
    Finding::new(
        "attribute_missing",
        effect,
        format!("no entry has {what} '{name}'{hint}"),
        "Add the attribute to the export, check its spelling, and whether the exporting account may read it. One that is right \
         and that nobody has at times goes under `rare`.",
    )
}

fn no_entries() -> Finding {
    Finding::new(
        "no_entries",
        Effect::Reject,
        "the file has no entries",
        "Check base and filter of the export, and whether it ran to its end.",
    )
}

fn cut_off(line: u64) -> Finding {
    Finding::new(
        "cut_off",
        Effect::Reject,
        format!("the file ends in the middle of line {line}, without a line end"),
        "Wait for the export to finish, or run it again; write to another name and rename the file when it is complete.",
    )
}
