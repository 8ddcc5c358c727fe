//! What a read has brought so far, over all bases and pages, and what was noticed on the way.

use super::address::Server;
use super::answer;
use super::entry::{self, Columns, Malformed};
use crate::config::LdapConfig;
use crate::core::memory::asked::mark_of_values;
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, KeyReading, KeySpec};
use crate::core::model::record::{AttributeNames, Place, RawRecord, Values};
use crate::core::reads::snapshot::{Effect, Finding, Rejection, RejectionScope};
use crate::sources::directory::{host_of_reference, is_named_harmless, is_own_forest_reference};
use ldap3::asn1::StructureTag;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

/// Protocol operation of an entry (RFC 4511 4.5.2).
pub(super) const ENTRY: u64 = 4;
/// Protocol operation of a reference (RFC 4511 4.5.3).
const REFERENCE: u64 = 19;

/// What has come so far, over all bases.
pub(super) struct Gathered<'a> {
    pub columns: &'a Columns,
    pub records: Vec<RawRecord>,
    /// Hash of the DN, ignoring case, to the place of the record.
    seen: HashMap<u64, usize>,
    /// Columns that at least one entry had.
    carried: Vec<bool>,
    pub findings: Vec<Finding>,
    /// Column to the number of entries with unread values.
    cut_off: BTreeMap<usize, u64>,
    /// Record and column where bytes had to be written as hex.
    hexed: Vec<(usize, usize)>,
    /// Columns that at least one entry has as text.
    texts: Vec<bool>,
    twice: u64,
    malformed: u64,
    skipped_references: BTreeSet<String>,
    /// References that the configuration names as harmless.
    named_references: BTreeSet<String>,
    /// Addresses of all others, those of one reference together.
    foreign_references: BTreeSet<Vec<String>>,
    harmless: &'a [String],
}

impl<'a> Gathered<'a> {
    /// `harmless` are the references that the configuration names.
    pub fn new(columns: &'a Columns, harmless: &'a [String]) -> Self {
        Self {
            columns,
            records: Vec::new(),
            seen: HashMap::new(),
            carried: vec![false; columns.names().len()],
            findings: Vec::new(),
            cut_off: BTreeMap::new(),
            hexed: Vec::new(),
            texts: vec![false; columns.names().len()],
            twice: 0,
            malformed: 0,
            skipped_references: BTreeSet::new(),
            named_references: BTreeSet::new(),
            foreign_references: BTreeSet::new(),
            harmless,
        }
    }

    /// Takes one item of an answer. True when it is an entry that was not there before.
    pub fn take(&mut self, item: StructureTag) -> bool {
        match item.id {
            ENTRY => match entry::convert(item, self.columns) {
                Ok(converted) => self.keep(converted),
                Err(Malformed) => {
                    self.malformed += 1;
                    false
                }
            },
            REFERENCE => {
                let addresses = entry::references(item);
                // One reference may list several servers for the same part of the tree.
                let all =
                    |known: &dyn Fn(&str) -> bool| !addresses.is_empty() && addresses.iter().all(|url| known(url));
                if all(&is_own_forest_reference) {
                    self.skipped_references.extend(addresses);
                } else if all(&|url| is_own_forest_reference(url) || is_named_harmless(url, self.harmless)) {
                    self.named_references.extend(addresses);
                } else {
                    self.foreign_references.insert(addresses);
                }
                false
            }
            // Intermediate messages (RFC 4511 4.13) belong to controls that were not sent.
            _ => false,
        }
    }

    fn keep(&mut self, converted: entry::Converted) -> bool {
        let Place::Dn(dn) = &converted.record.place else {
            unreachable!("entries of a directory stand at their DN");
        };
        let mut hasher = DefaultHasher::new();
        dn.bytes().for_each(|byte| byte.to_ascii_lowercase().hash(&mut hasher));
        match self.seen.entry(hasher.finish()) {
            Entry::Occupied(known) => {
                let same = match &self.records[*known.get()].place {
                    Place::Dn(other) => other.eq_ignore_ascii_case(dn),
                    Place::Line(_) => false,
                };
                if same {
                    self.twice += 1;
                    return false;
                }
                // Two names with one hash: both are kept, only a repetition of the second would go unseen here.
            }
            Entry::Vacant(free) => {
                free.insert(self.records.len());
            }
        }
        for (place, values) in converted.record.values.iter().enumerate() {
            let has = !values.as_slice().is_empty();
            self.carried[place] |= has;
            self.texts[place] |= has && !converted.hexed.contains(&place);
        }
        let index = self.records.len();
        self.hexed
            .extend(converted.hexed.into_iter().map(|place| (index, place)));
        for place in converted.cut_off {
            *self.cut_off.entry(place).or_default() += 1;
        }
        self.records.push(converted.record);
        true
    }

    pub fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Columns that no entry had. Nothing can be said of them when there are no entries.
    pub fn missing(&self) -> Vec<usize> {
        if self.records.is_empty() {
            return Vec::new();
        }
        (0..self.carried.len()).filter(|place| !self.carried[*place]).collect()
    }

    /// Whether there are entries and none of them has an anchor.
    pub fn has_no_anchor(&self) -> bool {
        !self.records.is_empty() && self.records.iter().all(|record| record.anchor.is_none())
    }

    /// The records with the columns that exist. A damaged text makes its record a rejection: hex must not become a name.
    pub fn finish(self, source: &SourceName, key: &KeySpec) -> Finished {
        let missing = self.missing();
        let damaged: BTreeMap<usize, usize> = self.hexed.into_iter().filter(|(_, place)| self.texts[*place]).collect();
        let kept: Vec<bool> = (0..self.carried.len()).map(|place| !missing.contains(&place)).collect();
        let names = self.columns.names();

        let mut records = self.records;
        let mut rejections = Vec::new();
        if !damaged.is_empty() {
            let all = std::mem::take(&mut records);
            for (index, record) in all.into_iter().enumerate() {
                let Some(place) = damaged.get(&index) else {
                    records.push(record);
                    continue;
                };
                rejections.push(Rejection {
                    content: mark_of_values(&record.values).into(),
                    source: source.clone(),
                    key: match *place == self.columns.key() {
                        true => None,
                        false => key_of(&record.values[self.columns.key()], key),
                    },
                    place: record.place,
                    scope: RejectionScope::Record,
                    message: format!(
                        "{} holds bytes that are not UTF-8 text; correct the value in the directory",
                        names[*place]
                    ),
                });
            }
        }
        if !missing.is_empty() {
            // A column that no entry has is unknown, not empty: it must not be there to be read as empty.
            for record in &mut records {
                let values = std::mem::take(&mut record.values).into_vec();
                record.values = values
                    .into_iter()
                    .zip(&kept)
                    .filter(|(_, kept)| **kept)
                    .map(|(v, _)| v)
                    .collect();
            }
        }
        let present = names
            .iter()
            .zip(&kept)
            .filter(|(_, kept)| **kept)
            .map(|(name, _)| name.clone());
        Finished {
            attributes: AttributeNames::new(present, true),
            missing: missing.into_iter().map(|place| names[place].clone()).collect(),
            records,
            rejections,
        }
    }

    /// What was found on the way, in words.
    pub fn findings(&mut self, server: &Server, config: &LdapConfig) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.findings);
        let mut add = |code: &str, effect, message: String, cure: &str| {
            findings.push(Finding::new(code, effect, message, cure));
        };
        if self.twice > 0 && config.base.as_slice().len() > 1 {
            add(
                "bases_overlap",
                Effect::Reject,
                format!("{server}: the bases overlap: {} entries came twice", self.twice),
                "leave out the base that lies below another one",
            );
        } else if self.twice > 0 {
            add(
                "entry_twice",
                Effect::Reject,
                format!(
                    "{server} sent {} entries twice: its pages do not fit together",
                    self.twice
                ),
                "read again when the directory is quiet; if it stays, the server's paging is at fault",
            );
        }
        if self.malformed > 0 {
            add(
                "entry_malformed",
                Effect::Reject,
                format!(
                    "{server}: {} entries have a form that LDAP does not allow",
                    self.malformed
                ),
                "the server or a proxy before it is at fault; try another server in url",
            );
        }
        for (place, entries) in &self.cut_off {
            let name = &self.columns.names()[*place];
            add(
                "unread_range",
                Effect::Reject,
                format!("{server} sent only a part of the values of '{name}' for {entries} entries (;range=)"),
                "take the attribute out of the mapping, or raise the server's limit (Active Directory: MaxValRange)",
            );
        }
        if !self.foreign_references.is_empty() {
            let all: Vec<String> = self
                .foreign_references
                .iter()
                .map(|urls| answer::targets(urls))
                .collect();
            let urls = self.foreign_references.iter().flatten();
            let hosts: BTreeSet<String> = urls.map(|url| host_of_reference(url)).collect();
            let hosts: Vec<String> = hosts.into_iter().collect();
            add(
                "reference",
                Effect::Reject,
                format!("{server} refers to parts that it does not hold: {}", all.join("; ")),
                &format!(
                    "if nobody of this source is there, say so in this source: harmless_references: [{}]; people who are there \
                     need a source of their own besides; or choose bases without these parts",
                    hosts.join(", ")
                ),
            );
        }
        if !self.named_references.is_empty() {
            let all: Vec<&str> = self.named_references.iter().map(String::as_str).collect();
            add(
                "reference_named",
                Effect::Note,
                format!(
                    "{server} refers to parts that harmless_references names: {}",
                    all.join(", ")
                ),
                "nothing to do, as long as nobody of this source is there",
            );
        }
        if !self.skipped_references.is_empty() {
            let all: Vec<&str> = self.skipped_references.iter().map(String::as_str).collect();
            add(
                "reference_skipped",
                Effect::Note,
                format!(
                    "{server} refers to parts of its own forest that hold no people: {}",
                    all.join(", ")
                ),
                "nothing to do; a base below the top of the domain brings no references",
            );
        }
        findings
    }
}

/// What goes into the snapshot.
pub(super) struct Finished {
    pub attributes: AttributeNames,
    pub missing: BTreeSet<String>,
    pub records: Vec<RawRecord>,
    pub rejections: Vec<Rejection>,
}

/// Whose record it is, where it has one usable key.
fn key_of(values: &Values, key: &KeySpec) -> Option<Key> {
    let [raw] = values.as_slice() else {
        return None;
    };
    match key.read(raw) {
        KeyReading::Key(key) => Some(key),
        KeyReading::None | KeyReading::Anonymized | KeyReading::TooLong { .. } | KeyReading::Hidden { .. } => None,
    }
}
