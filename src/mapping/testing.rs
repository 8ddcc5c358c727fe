//! A small world for tests: sources, records, a moment, and expressions over them.

use super::inputs::Records;
use super::parse::{self, KnownSource};
use super::value::Value;
use super::{Mapping, MappingProblem};
use crate::config::Config;
use crate::core::model::identity::{JoinedRecord, Moment, Part, Unknown};
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::{AttributeNames, Place, SourceRecord, Standing, Values};
use crate::core::reads::snapshot::{Effect, Finding, Role, Snapshot, Use, Verdict};
use chrono::{TimeZone, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// 1 June 2024, 00:30 in Amsterdam; still 31 May in UTC.
pub fn moment() -> Moment {
    Moment {
        now: Utc.with_ymd_and_hms(2024, 5, 31, 22, 30, 0).unwrap(),
        zone: chrono_tz::Europe::Amsterdam,
    }
}

/// One source and what it says of the person.
#[derive(Clone, Debug)]
pub struct TestSource {
    pub name: SourceName,
    pub snapshot: Snapshot,
    pub part: TestPart,
}

#[derive(Clone, Debug)]
pub enum TestPart {
    Record(SourceRecord),
    NoRecord,
    Unknown(Unknown),
}

impl TestSource {
    /// A complete snapshot in which the person has these attributes.
    pub fn with(name: &str, attributes: &[(&str, &[&str])]) -> Self {
        let directory = name.starts_with("ad");
        let names = attributes.iter().map(|(name, _)| (*name).to_owned());
        let mut source = Self::without(name);
        source.snapshot.attributes = AttributeNames::new(names, directory);
        source.part = TestPart::Record(record(attributes, directory));
        source
    }

    /// A complete snapshot without the person.
    pub fn without(name: &str) -> Self {
        let finding = Finding::new("test", Effect::Note, "", "");
        let mut snapshot = Snapshot::unreadable(name.into(), Role::Authoritative, moment().now, finding);
        snapshot.summary.verdict = Verdict::Complete;
        TestSource {
            name: name.into(),
            snapshot,
            part: TestPart::NoRecord,
        }
    }

    /// A snapshot without the person that cannot say who is absent.
    pub fn degraded(name: &str) -> Self {
        let mut source = Self::without(name);
        source.snapshot.summary.verdict = Verdict::Degraded {
            cannot: BTreeSet::from([Use::Absence]),
        };
        source
    }

    pub fn unknown(name: &str, why: Unknown) -> Self {
        let mut source = Self::without(name);
        source.snapshot.summary.verdict = Verdict::Rejected;
        source.part = TestPart::Unknown(why);
        source
    }

    pub fn rejected(name: &str) -> Self {
        Self::unknown(name, Unknown::SourceRejected(name.into()))
    }
}

pub fn record(attributes: &[(&str, &[&str])], directory: bool) -> SourceRecord {
    let values = attributes
        .iter()
        .map(|(_, values)| Values::from_vec(values.iter().map(|value| (*value).to_owned()).collect()));
    SourceRecord {
        key: Key::stored("1"),
        raw_key: RawKey("1".into()),
        place: if directory {
            Place::Dn("CN=Jan,OU=Leavers,OU=People,DC=example,DC=net".into())
        } else {
            Place::Line(2)
        },
        values: values.collect(),
        anchor: None,
        standing: Standing::Current,
        rows: None,
    }
}

/// Runs a function over the joined record of these sources.
pub fn with_joined<T>(sources: &[TestSource], run: impl FnOnce(&JoinedRecord<'_>) -> T) -> T {
    let key = Key::stored("1");
    let raw_key = RawKey("1".into());
    let mut parts = BTreeMap::new();
    for source in sources {
        let part = match &source.part {
            TestPart::Record(record) => Part::Record(record),
            TestPart::NoRecord => Part::NoRecord,
            TestPart::Unknown(why) => Part::Unknown(why.clone()),
        };
        parts.insert(&source.name, (&source.snapshot, part));
    }
    run(&JoinedRecord {
        key: &key,
        raw_key: &raw_key,
        parts,
    })
}

pub fn known(sources: &[TestSource]) -> Vec<KnownSource> {
    sources
        .iter()
        .map(|source| KnownSource {
            name: source.name.clone(),
            directory: source.name.as_str().starts_with("ad"),
        })
        .collect()
}

/// A value in a form for tables: text as it is, everything else marked with its kind.
pub fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Absent(_) => "unknown".to_owned(),
        Value::Fault(_) => "fault".to_owned(),
        Value::Blank => "blank".to_owned(),
        Value::NoDate => "no date".to_owned(),
        Value::Text(text) => text.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Date(date) => format!("date {date}"),
        Value::DateTime(moment) => format!("time {}", moment.to_rfc3339()),
        Value::Days(days) => format!("{days} days"),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("number {number}"),
    }
}

/// Evaluates an expression over sources.
pub fn evaluate(text: &str, sources: &[TestSource]) -> String {
    let program = parse::field(text, &known(sources)).unwrap_or_else(|refusals| panic!("{text}: {refusals:?}"));
    with_joined(sources, |joined| {
        shown(&program.evaluate(Records::Joined(joined), moment()))
    })
}

/// The message of an expression that cannot be evaluated.
pub fn message(text: &str, sources: &[TestSource]) -> String {
    let program = parse::field(text, &known(sources)).unwrap_or_else(|refusals| panic!("{text}: {refusals:?}"));
    with_joined(sources, |joined| {
        match program.evaluate(Records::Joined(joined), moment()) {
            Value::Fault(message) => message.into(),
            Value::Absent(absent) => format!("{:?}", absent.why),
            other => panic!("{text} gives {}", shown(&other)),
        }
    })
}

/// The first refusal of an expression, message and cure.
pub fn refusal(text: &str, sources: &[TestSource]) -> String {
    let refusals = parse::field(text, &known(sources)).expect_err(text);
    format!("{}; {}", refusals[0].message, refusals[0].cure)
}

/// A configuration with sources hr and hr2 (csv) and ad (ldap); the rest is YAML of the test.
pub fn config(rest: &str) -> Config {
    let yaml = format!(
        "
topdesk: {{ url: https://example.topdesk.net, username: api, password: {{ env: TOPDESK_PASSWORD }} }}
timezone: Europe/Amsterdam
create: {{ hasSspAccess: true, isCaller: true }}
sources:
  - {{ name: hr, type: csv, path: hr.csv, key: Number, role: authoritative }}
  - {{ name: hr2, type: csv, path: hr2.csv, key: Number, role: authoritative }}
  - name: ad
    type: ldap
    url: ldaps://dc.example.net
    bind_dn: cn=reader
    password: {{ env: AD_PASSWORD }}
    base: dc=example
    key: employeeID
    role: enrich
{rest}"
    );
    serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

pub fn compile(rest: &str) -> Result<Mapping, Vec<MappingProblem>> {
    Mapping::compile(&config(rest))
}

/// A configuration whose only source `hr` has a row per contract, with the columns of the domain's tests; `more` are further
/// options of `rows`, the rest is YAML of the test.
pub fn compile_contracts(current: &str, more: &str, rest: &str) -> Mapping {
    let yaml = format!(
        "
topdesk: {{ url: https://example.topdesk.net, username: api, password: {{ env: TOPDESK_PASSWORD }} }}
timezone: Europe/Amsterdam
create: {{ hasSspAccess: true, isCaller: true }}
sources:
  - name: hr
    type: csv
    path: hr.csv
    key: key
    role: authoritative
    rows: {{ per: contract, current: \"{current}\"{more} }}
fields:
  surName: \"{{{{ hr.sur }}}}\"
  firstName: \"{{{{ hr.first }}}}\"
  jobTitle: \"{{{{ hr.job }}}}\"
  email: \"{{{{ hr.email }}}}\"
  tasLoginName: \"{{{{ hr.login }}}}\"
  branch: \"{{{{ hr.branch }}}}\"
  department: {{ value: \"{{{{ hr.dept }}}}\", missing: create }}
  manager: {{ key: \"{{{{ hr.mgr }}}}\" }}
{rest}"
    );
    let config: Config = serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    Mapping::compile(&config).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// From the first day to the last one, both included.
pub const FROM_START_TO_END: &str = "hr.start | date <= today and hr.end | date >= today";
