//! Judges a read: complete, degraded or rejected, and why (RULES 3). Only a complete snapshot can say that somebody is missing.

mod against;
mod doubts;
mod skipping;
mod target;

pub use target::{judge_target, target_profile, target_summary};

use self::against::drop_message;
use self::doubts::{Doubts, Judgement};
use crate::core::memory::asked::mark_of_values;
use crate::core::model::damage;
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, KeyReading, KeySpec, RawKey};
use crate::core::model::letters;
use crate::core::model::record::{AttributeNames, NoKey, SourceRecord, Standing, Unkeyed};
use crate::core::plan::short_hash;
use crate::core::reads::profile::{Matched, Profile};
use crate::core::reads::skipped::{self, Skipped};
use crate::core::reads::snapshot::{
    Effect, Expectations, Finding, Rejection, RejectionScope, Role, Snapshot, SnapshotHistory, SnapshotSummary,
    SourceRead, Use,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A read whose records have keys, sorted by key; before rows of one person are grouped and the read is judged.
#[derive(Clone, Debug)]
pub struct Keyed {
    pub read: SourceRead,
    pub records: Vec<SourceRecord>,
    /// Which records have no key, in words that stay the same from export to export.
    pub keyless: Vec<String>,
    /// Records without a usable key, of a source that decides: they may be anybody's.
    pub unkeyed: Vec<Unkeyed>,
    /// How many records each condition holds for, by its place in the configuration; counted by whoever has the conditions.
    pub matched: BTreeMap<String, Matched>,
    /// With a row per contract: how many different rows there were. 0 where a row is a person.
    pub rows: u64,
    /// Records that are no people, and their keys.
    pub skipped: Skipped,
    pub skipped_keys: BTreeSet<Key>,
}

impl Keyed {
    /// With the records that stood aside before keys were looked at.
    pub fn with_skipped(mut self, skipped: Skipped, spec: &KeySpec) -> Self {
        let position = self.read.attributes.position(&self.read.key_attribute);
        self.skipped_keys = skipped.keys(position, spec);
        self.skipped = skipped;
        self
    }

    /// Makes one record per person of an export with a row per contract. The rows are counted before: that some are
    /// missing shows in their number, not in that of the people.
    pub fn group(&mut self, group: impl FnOnce(Vec<SourceRecord>, &AttributeNames) -> Vec<SourceRecord>) {
        let records = std::mem::take(&mut self.records);
        self.records = group(records, &self.read.attributes);
        // A row that stands in the file twice is one row.
        let rows = self
            .records
            .iter()
            .map(|record| record.rows.as_ref().map_or(1, |rows| rows.all.len() as u64));
        self.rows = rows.sum();
    }
}

/// Reads the key of every record. Records without a usable key become rejections: they are present, not missing.
pub fn key_records(mut read: SourceRead, spec: &KeySpec) -> Keyed {
    let position = read.attributes.position(&read.key_attribute);
    let raw = std::mem::take(&mut read.records);
    let mut records = Vec::with_capacity(raw.len());
    let mut keyless = Vec::new();
    let mut unkeyed = Vec::new();
    for record in raw {
        let values = position.map_or(&[][..], |at| record.values[at].as_slice());
        let mut reject = |key: Option<Key>, message: String| {
            let source = read.source.clone();
            read.rejections.push(Rejection {
                source,
                place: record.place.clone(),
                key,
                scope: RejectionScope::Record,
                message,
                content: mark_of_values(&record.values).into(),
            });
        };
        let name = &read.key_attribute;
        let key = match values {
            [] => Err(NoKey::Empty),
            [value] => match spec.read(value) {
                KeyReading::Key(key) => Ok((key, RawKey(value.clone()))),
                KeyReading::None => Err(NoKey::Empty),
                KeyReading::Anonymized => {
                    reject(
                        None,
                        format!(
                            "{name} holds an asterisk, TOPdesk's mark of an anonymized card; correct it in the source"
                        ),
                    );
                    Err(NoKey::Anonymized)
                }
                KeyReading::TooLong { key, chars, limit } => {
                    let field = spec.card_field;
                    reject(
                        Some(key),
                        format!(
                            "{name} has {chars} characters, {field} takes {limit}; a key is never cut: correct it in the source"
                        ),
                    );
                    Err(NoKey::TooLong)
                }
                KeyReading::Hidden { key, letter } => {
                    reject(
                        Some(key),
                        format!(
                            "{name} holds {}, which is no part of a key: correct it in the source",
                            letters::named(letter)
                        ),
                    );
                    Err(NoKey::Hidden)
                }
            },
            several => {
                reject(
                    None,
                    format!(
                        "{name} has {} values; a person has one key: correct it in the source",
                        several.len()
                    ),
                );
                Err(NoKey::Several)
            }
        };
        match key {
            Ok((key, raw_key)) => records.push(SourceRecord {
                key,
                raw_key,
                place: record.place,
                values: record.values,
                anchor: record.anchor,
                standing: Standing::Current,
                rows: None,
            }),
            Err(why) => {
                if why == NoKey::Empty {
                    keyless.push(skipped::mark(&record));
                }
                if read.role == Role::Authoritative {
                    unkeyed.push(Unkeyed { record, why });
                }
            }
        }
    }
    damaged_texts(&mut read, &records);
    records.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.place.cmp(&b.place)));
    records.shrink_to_fit();
    keyless.sort();
    unkeyed.sort_by(|a: &Unkeyed, b: &Unkeyed| a.record.place.cmp(&b.record.place));
    unkeyed.shrink_to_fit();
    Keyed {
        read,
        records,
        keyless,
        unkeyed,
        matched: BTreeMap::new(),
        rows: 0,
        skipped: Skipped::default(),
        skipped_keys: BTreeSet::new(),
    }
}

/// A text that was damaged on its way must not be written: the record is good for who is there and who leaves, and not for
/// its fields.
fn damaged_texts(read: &mut SourceRead, records: &[SourceRecord]) {
    for record in records {
        for (name, values) in read.attributes.iter().zip(&record.values) {
            let Some(damage) = values.as_slice().iter().find_map(|value| damage::of(value)) else {
                continue;
            };
            read.rejections.push(Rejection {
                source: read.source.clone(),
                place: record.place.clone(),
                key: Some(record.key.clone()),
                scope: RejectionScope::Fields,
                message: format!("'{name}' {damage}"),
                content: mark_of_values(std::slice::from_ref(values)).into(),
            });
        }
    }
}

/// Which people a read has, in one text that tells nobody who they are.
fn people_hash(records: &[SourceRecord]) -> Box<str> {
    let mut text = Vec::new();
    for record in records {
        text.extend_from_slice(record.key.as_str().as_bytes());
        text.push(0);
    }
    short_hash(&text).into()
}

/// An unreadable record goes by its key where that is known, else by what is wrong with it and where.
fn unreadable_mark(rejection: &Rejection) -> String {
    match &rejection.key {
        Some(key) => key.to_string(),
        None => format!("{} {}", rejection.place, rejection.message),
    }
}

/// Judges a keyed read against what is expected of it and what earlier reads were like. `now` is the machine's clock: the
/// age of a file has nothing to do with the day that is rehearsed.
pub fn judge_source(keyed: Keyed, expected: &Expectations, history: &SnapshotHistory, now: DateTime<Utc>) -> Snapshot {
    let Keyed {
        read,
        records,
        keyless,
        unkeyed,
        matched,
        rows,
        skipped,
        skipped_keys,
    } = keyed;
    let SourceRead {
        source,
        role,
        read_at,
        generation,
        key_attribute,
        attributes,
        mut missing_attributes,
        known_attributes,
        records: _,
        rejections,
        findings,
        modified_at,
        name_date,
        content,
        update_marks,
        server_time: _,
    } = read;
    let asked = attributes.iter().chain(missing_attributes.iter().map(String::as_str));
    let asked = asked.filter(|name| *name != key_attribute);
    let groups = expected.groups.clone().unwrap_or_default();
    let mut profile = Profile::count(&records, &attributes, asked, &groups);
    profile.filled.remove(&key_attribute);
    let rare = rare(
        &mut profile,
        &attributes,
        &missing_attributes,
        &known_attributes,
        history,
    );
    profile.matched = matched;
    profile.modified_at = modified_at;
    profile.name_date = name_date;
    profile.people = Some(people_hash(&records));
    profile.content = content;
    profile.rows = rows;
    profile.update_marks = update_marks;
    profile.skipped = skipped.count();
    profile.skip_rule = skipped.rule.clone();
    // People, not rows: an export that has every row twice must not become the yardstick for whole ones.
    let count = profile.records;
    // Bad fields are no doubt about who is there.
    let bad = || {
        rejections
            .iter()
            .filter(|rejection| rejection.scope == RejectionScope::Record)
    };
    let unreadable = bad().count() as u64;
    let mut unreadable_marks: Vec<String> = bad().map(unreadable_mark).collect();
    unreadable_marks.sort();

    let mut doubts = Doubts::new(&source, findings);
    if let (Some(limit), Some(modified)) = (expected.max_age, modified_at) {
        let age = now - modified;
        if age > limit {
            doubts.add(Finding::new(
                "too_old",
                Effect::Reject,
                format!(
                    "{source} is {} hours old, {} hours are accepted",
                    age.num_hours(),
                    limit.num_hours()
                ),
                "see to the job that writes the export",
            ));
        }
    }
    against::older(&source, &profile, history, now, &mut doubts);
    // A read that already cannot be used says nothing by its size.
    let mut emptied = BTreeSet::new();
    if doubts.usable() {
        size(&source, &records, &profile, expected, history, &mut doubts);
        let skips_otherwise = against::skips_otherwise(&profile, history);
        let others = skipped.count() * u64::from(skips_otherwise && rows > 0);
        against::fewer_rows(
            &source,
            &records,
            rows + others,
            history,
            expected.max_drop_percent,
            &mut doubts,
        );
        emptied = against::emptied(&source, &profile, history, attribute_drop(expected), &mut doubts);
        // A unit that a new option takes out has not shrunk.
        let with_skipped = skips_otherwise.then(|| profile.with_skipped(&skipped.records, &attributes, &groups));
        let whole = with_skipped.as_ref().unwrap_or(&profile);
        against::shrunk(&source, whole, history, expected.max_group_drop_percent, &mut doubts);
        against::vanished(&source, &profile, history, &mut doubts);
        skipping::judge(&source, &skipped, &profile, expected, history, &mut doubts);
    }
    if role == Role::Enrich {
        doubts.extend(skipping::doubled(&source, &records));
    }
    if unreadable > count {
        doubts.add_acceptable(
            ("mostly_unreadable", Effect::RejectAcceptable),
            format!("{source} has {unreadable} records that cannot be read and {count} that can"),
            "see what is said of these records, and correct the export or how it is read",
            &unreadable_marks,
        );
    }
    for (code, what, marks, before) in [
        (
            "more_keyless",
            "records without a key",
            &keyless,
            history.last_good_keyless,
        ),
        (
            "more_unreadable",
            "unreadable records",
            &unreadable_marks,
            history.last_good_unreadable,
        ),
    ] {
        // Without an earlier good read there is nothing to compare with: this one is the first.
        let (Some(before), today) = (before, marks.len() as u64) else {
            continue;
        };
        if today > before {
            doubts.add_acceptable(
                (code, Effect::NoAbsenceAcceptable),
                format!("{source} has {today} {what}, {before} in its last good read: nobody counts as absent from it"),
                "give these records a key, or repair them, in the source",
                marks,
            );
        }
    }
    let Judgement {
        findings,
        verdict,
        acceptance,
        accepted,
    } = doubts.close(&history.accepted, &BTreeSet::from([Use::Absence]));
    let rare = rare
        .into_iter()
        .filter(|name| accepted.is_some() || !emptied.contains(name))
        .collect();
    if accepted.is_none() {
        missing_attributes.extend(emptied);
    }
    let summary = SnapshotSummary {
        name: source,
        role: Some(role),
        read_at,
        generation,
        records: count,
        keyless: keyless.len() as u64,
        unreadable,
        skipped: skipped.count(),
        verdict,
        findings,
        acceptance,
        accepted,
    };
    Snapshot::judged(
        summary,
        attributes,
        missing_attributes,
        records,
        rejections,
        profile.kept(),
    )
    .with_unkeyed(unkeyed)
    .with_rare(rare)
    .with_skipped(skipped_keys)
}

/// Attributes that nobody has right now, and that the source knows all the same (RULES 4.8): its schema says so, or somebody
/// had them in an earlier good read. A column that a file no longer has is no such attribute.
fn rare(
    profile: &mut Profile,
    attributes: &AttributeNames,
    missing: &BTreeSet<String>,
    known: &BTreeSet<String>,
    history: &SnapshotHistory,
) -> BTreeSet<String> {
    if attributes.of_directory() {
        let filled = profile.filled.iter().filter(|(_, count)| **count > 0);
        profile.proven = filled.map(|(name, _)| name.clone()).collect();
        let earlier = history.last_good.iter().flat_map(|before| &before.proven);
        profile
            .proven
            .extend(earlier.filter(|name| missing.contains(*name)).cloned());
    }
    let sure = |name: &&String| known.contains(*name) || profile.proven.contains(*name);
    missing.iter().filter(sure).cloned().collect()
}

/// Largest accepted loss of an attribute that most people have, in percent: near the drop that is accepted of the people, but
/// a few values come and go everywhere.
fn attribute_drop(expected: &Expectations) -> f64 {
    expected.max_drop_percent.clamp(10.0, 50.0)
}

/// Floor, drop and canaries (RULES 3.2).
fn size(
    source: &SourceName,
    records: &[SourceRecord],
    profile: &Profile,
    expected: &Expectations,
    history: &SnapshotHistory,
    doubts: &mut Doubts,
) {
    // Accepted is exactly this content: these people.
    let keys = || records.iter().map(|record| record.key.as_str());
    let count = profile.records;
    let cure = "check the export or filter";
    if count < expected.min_records {
        let message = format!(
            "{source} has {count} records with a key, at least {} are expected",
            expected.min_records
        );
        doubts.add_acceptable(("below_floor", Effect::RejectAcceptable), message, cure, keys());
    }
    // Where other records are skipped than were then, what is skipped is no loss.
    let (now, then) = match history
        .reference
        .as_ref()
        .filter(|_| against::skips_otherwise(profile, history))
    {
        Some(reference) => (count + profile.skipped, reference.skipped),
        None => (count, 0),
    };
    if let Some(reference) = history.largest_accepted
        && let Some(message) = drop_message(source, now, reference + then, expected.max_drop_percent)
    {
        doubts.add_acceptable(("dropped", Effect::RejectAcceptable), message, cure, keys());
    }
    let missing: Vec<&str> = expected
        .canaries
        .iter()
        .filter(|key| records.binary_search_by(|record| record.key.cmp(key)).is_err())
        .map(Key::as_str)
        .collect();
    if missing.is_empty() {
        return;
    }
    let message = format!(
        "{source} lacks {} of {} canaries ({}), {} must be there",
        missing.len(),
        expected.canaries.len(),
        missing.join(", "),
        expected.canaries_at_least
    );
    if expected.canaries.len() - missing.len() < expected.canaries_at_least {
        doubts.add_acceptable(("canaries_missing", Effect::RejectAcceptable), message, cure, keys());
    } else {
        doubts.add(Finding::new(
            "canary_gone",
            Effect::Note,
            message,
            "name another one in expect.canaries before the next one leaves",
        ));
    }
}
impl Snapshot {
    /// Why nobody counts as absent by it. What is wrong with the read stands with the reads.
    pub fn why_not_absent(&self) -> String {
        let name = &self.summary.name;
        if self.is_rejected() {
            format!("the read of {name} was rejected")
        } else {
            format!("the read of {name} is doubted and cannot say who is missing")
        }
    }
}
