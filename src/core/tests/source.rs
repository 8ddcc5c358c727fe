//! Sources of the tests: rows with attributes of fixed names, read and judged like real ones.

use crate::core::model::identity::Moment;
use crate::core::model::ids::SourceName;
use crate::core::model::key::Key;
use crate::core::model::record::{AttributeNames, Place, RawRecord, Standing, Values};
use crate::core::reads::quality::{judge_source, key_records};
use crate::core::reads::skipped::Skipped;
use crate::core::reads::snapshot::{
    Effect, Finding, Rejection, RejectionScope, Role, Snapshot, SnapshotHistory, SourceRead,
};
use crate::core::rules::policy::Policy;
use crate::mapping::Mapping;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const ATTRIBUTES: [&str; 13] = [
    "key", "sur", "first", "job", "email", "login", "branch", "dept", "mgr", "end", "status", "scope", "start",
];

/// One row of a source, before its key is read.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub values: BTreeMap<&'static str, String>,
    pub anchor: Option<String>,
    pub ended: bool,
    /// It is no person.
    pub skipped: bool,
    /// The line it stands on; by its place otherwise.
    pub line: Option<u64>,
}

impl Row {
    pub fn with(mut self, attribute: &'static str, value: &str) -> Self {
        assert!(
            ATTRIBUTES.contains(&attribute),
            "{attribute} is no attribute of this world"
        );
        self.values.insert(attribute, value.to_owned());
        self
    }
}

/// The row of somebody whose values all follow from the key.
pub fn row(key: &str) -> Row {
    Row::default()
        .with("key", key)
        .with("sur", &format!("Sur{key}"))
        .with("first", &format!("First{key}"))
        .with("email", &format!("{}@example.net", key.to_lowercase()))
        .with("login", &key.to_lowercase())
}

#[derive(Clone, Debug)]
pub struct TestSource {
    pub name: SourceName,
    pub role: Role,
    pub rows: Vec<Row>,
    pub rejections: Vec<(Option<String>, RejectionScope)>,
    pub findings: Vec<Finding>,
    pub missing_attributes: BTreeSet<String>,
    pub history: SnapshotHistory,
    pub generation: u32,
    pub modified_at: Option<DateTime<Utc>>,
    pub content: Option<Box<str>>,
    pub update_marks: BTreeMap<String, String>,
    /// A row is a contract, by the rules of this mapping for the source.
    pub contracts: Option<Arc<Mapping>>,
    /// Stands for the options that skip rows.
    pub skip_rule: &'static str,
}

impl TestSource {
    pub fn new(name: &str, role: Role) -> Self {
        Self {
            name: name.into(),
            role,
            rows: Vec::new(),
            rejections: Vec::new(),
            findings: Vec::new(),
            missing_attributes: BTreeSet::new(),
            history: SnapshotHistory::default(),
            generation: 1,
            modified_at: None,
            content: None,
            update_marks: BTreeMap::new(),
            contracts: None,
            skip_rule: "",
        }
    }

    /// The read is rejected, beyond acceptance.
    pub fn reject(&mut self) {
        self.findings
            .push(Finding::new("cut_off", Effect::Reject, "cut off", "read again"));
    }

    /// The read cannot say that somebody is missing.
    pub fn degrade(&mut self) {
        self.findings
            .push(Finding::new("reference", Effect::NoAbsence, "a reference", "name it"));
    }

    pub fn row_of(&mut self, key: &str) -> &mut Row {
        let found = self.rows.iter_mut().find(|row| row.values["key"] == key);
        found.unwrap_or_else(|| panic!("no row with key {key}"))
    }

    pub fn set(&mut self, key: &str, attribute: &'static str, value: &str) {
        self.row_of(key).values.insert(attribute, value.to_owned());
    }

    pub fn remove(&mut self, key: &str) {
        self.row_of(key);
        self.rows.retain(|row| row.values["key"] != key);
    }

    fn lines(&self) -> impl Iterator<Item = (u64, &Row)> {
        let rows = self.rows.iter().enumerate();
        rows.map(|(number, row)| (row.line.unwrap_or(number as u64 + 2), row))
    }

    fn read(&self, now: DateTime<Utc>) -> SourceRead {
        let records = self.lines().map(|(line, row)| RawRecord {
            place: Place::Line(line),
            values: ATTRIBUTES
                .iter()
                .map(|name| Values::from_vec(row.values.get(name).cloned().into_iter().collect()))
                .collect(),
            anchor: row.anchor.as_deref().map(Into::into),
        });
        let rejections = self
            .rejections
            .iter()
            .enumerate()
            .map(|(number, (key, scope))| Rejection {
                source: self.name.clone(),
                place: Place::Line(number as u64 + 10_000),
                key: key.as_deref().map(Key::stored),
                scope: *scope,
                message: "cannot be read".to_owned(),
                content: Box::default(),
            });
        SourceRead {
            source: self.name.clone(),
            role: self.role,
            read_at: now,
            generation: self.generation.to_string().into(),
            key_attribute: "key".to_owned(),
            attributes: AttributeNames::new(ATTRIBUTES.map(str::to_owned), false),
            missing_attributes: self.missing_attributes.clone(),
            known_attributes: BTreeSet::new(),
            records: records.collect(),
            rejections: rejections.collect(),
            findings: self.findings.clone(),
            modified_at: self.modified_at,
            content: self.content.clone(),
            update_marks: self.update_marks.clone(),
            name_date: None,
            server_time: None,
        }
    }

    pub fn snapshot(&self, policy: &Policy, now: DateTime<Utc>) -> Snapshot {
        let mut read = self.read(now);
        let lines = self.lines().filter(|(_, row)| row.skipped);
        let aside: BTreeSet<Place> = lines.map(|(line, _)| Place::Line(line)).collect();
        let mut skipped = Skipped::take_out(&mut read, |_, record| aside.contains(&record.place));
        skipped.rule = self.skip_rule.into();
        let mut keyed = key_records(read, &policy.key).with_skipped(skipped, &policy.key);
        let ended: BTreeSet<Place> = self
            .lines()
            .filter(|(_, row)| row.ended)
            .map(|(line, _)| Place::Line(line))
            .collect();
        for record in keyed.records.iter_mut().filter(|record| ended.contains(&record.place)) {
            record.standing = Standing::AllRowsEnded;
        }
        if let Some(mapping) = &self.contracts {
            let rule = mapping.contract(&self.name).expect("a source with a row per contract");
            let moment = Moment {
                now,
                zone: chrono_tz::Europe::Amsterdam,
            };
            keyed.group(|records, names| rule.group(records, names, &self.name, moment));
        }
        let expected = policy.expectations.get(&self.name).cloned().unwrap_or_default();
        judge_source(keyed, &expected, &self.history, now)
    }
}
