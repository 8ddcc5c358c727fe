//! What a read was like, in counts: how often each attribute is filled, how large each group is, how fresh it is. The
//! yardstick for the reads that follow. No personal data: the values of groups are names of departments, sites and
//! organisational units, and groups of a few people are not kept.

use crate::core::memory::apart::FEW;
use crate::core::model::dn::container;
use crate::core::model::record::{AttributeNames, Place, RawRecord, SourceRecord, Values};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// In `expect.groups`: the container of a directory entry, as `SOURCE.dn` is its place in expressions.
pub const CONTAINER: &str = "dn";

/// Fewer than these say nothing: one person moves and half of them are gone.
const FEWEST: u64 = 5;

/// An attribute that fewer people have is ordinarily empty: end dates come and go with those who leave.
const SPARSE_PERCENT: u64 = 10;

/// Beyond so many groups of one kind, by their size, how full their attributes are is not kept.
const MOST_GROUPS_LOOKED_INTO: usize = 100;

/// An attribute that most people have: losing a part of it is told sooner.
const USUAL_PERCENT: u64 = 50;

/// An attribute with more values than this is no group, and may be personal.
const MOST_GROUPS: usize = 500;

/// A group that shrank because people moved: the read as a whole lost less than this part of what the group lost.
const LOST_PART: u64 = 4;

/// Counts over one read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// People: records with different keys.
    pub records: u64,
    /// With a row per contract: how many rows they have together.
    #[serde(skip_serializing_if = "is_nought")]
    pub rows: u64,
    /// How many of them have something in an attribute.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub filled: BTreeMap<String, u64>,
    /// How many of them are in each group, by attribute and value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many people of each group have something in an attribute.
    #[serde(skip_serializing_if = "InGroups::is_empty")]
    pub in_groups: InGroups,
    /// Directories: attributes that somebody had in this or an earlier good read. Where nobody has one any more, it is empty
    /// and not unknown.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub proven: BTreeSet<String>,
    /// How many records each condition of the configuration held for, by its place there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub matched: BTreeMap<String, Matched>,
    /// Files: hash of the content, whatever the modification time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Box<str>>,
    /// Files: modification time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<DateTime<Utc>>,
    /// Files that are chosen by the date in their names: that date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_date: Option<NaiveDateTime>,
    /// Hash over the keys: whether two reads have the same people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Box<str>>,
    /// Directories: how far each replica is, by its id. The texts sort as they rise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub update_marks: BTreeMap<String, String>,
    /// Records that are no people, by `skip` and `exclude`.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// A hash of these two options; blank without them.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub skip_rule: Box<str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_nought(count: &u64) -> bool {
    *count == 0
}

/// How full the attributes of each group are: an access rule of a directory hides them in one unit, and over all it hardly shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InGroups {
    /// The order of the counts.
    pub attributes: Vec<String>,
    /// By the attribute that makes the groups and its value: how many people have each attribute.
    pub counts: BTreeMap<String, BTreeMap<String, Vec<u64>>>,
}

impl InGroups {
    fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The count of one attribute in one group.
    fn filled(&self, (kind, value): (&str, &str), attribute: &str) -> Option<u64> {
        let at = self.attributes.iter().position(|name| name == attribute)?;
        self.counts.get(kind)?.get(value)?.get(at).copied()
    }
}

/// How many records a condition picks out, as a whole and by each of its comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Matched {
    /// The condition as it is written: another one picks others out.
    pub text: String,
    /// By the whole condition: leavers, or people out of scope.
    pub all: u64,
    /// By a comparison as it is written, `hr.Status == 'Left'`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by: BTreeMap<String, u64>,
}

/// Something in a condition that picked out many records, and hardly any now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vanished {
    /// Place of the condition in the configuration.
    pub condition: String,
    /// The comparison; `None`: the condition as a whole.
    pub comparison: Option<String>,
    pub count: u64,
    pub before: u64,
}

/// An attribute that went mostly empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emptied {
    pub attribute: String,
    /// In this group alone, by the attribute that makes it and its value; `None`: in the whole read.
    pub group: Option<(String, String)>,
    pub filled: u64,
    pub records: u64,
    pub filled_before: u64,
    pub records_before: u64,
}

/// A group that lost many of its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    pub attribute: String,
    pub value: String,
    pub count: u64,
    pub before: u64,
    /// The read as a whole lost hardly anybody: they are elsewhere now.
    pub moved: bool,
}

impl Profile {
    /// Counts over the people of a source. `asked` are attributes that should be there, in it or not.
    pub fn count<'a>(
        records: &[SourceRecord],
        names: &AttributeNames,
        asked: impl Iterator<Item = &'a str>,
        groups: &BTreeSet<String>,
    ) -> Self {
        let mut profile = Profile {
            filled: asked.map(|name| (name.to_owned(), 0)).collect(),
            ..Profile::default()
        };
        let columns: Vec<(usize, &str)> = names.iter().enumerate().collect();
        let mut filled = vec![0_u64; columns.len()];
        let places: Vec<(&String, Option<usize>)> = groups.iter().map(|name| (name, names.position(name))).collect();
        // People, not rows: of an export that has every row twice the first of each counts.
        for person in records.chunk_by(|a, b| a.key == b.key).filter_map(<[_]>::first) {
            profile.records += 1;
            for (count, values) in filled.iter_mut().zip(&person.values) {
                *count += u64::from(has_text(values));
            }
            for (name, place) in &places {
                if let Some(value) = group_of(&person.place, &person.values, name, *place) {
                    let inside = profile.in_groups.counts.entry((*name).clone()).or_default();
                    let inside = inside.entry(value.clone()).or_insert_with(|| vec![0; columns.len()]);
                    for (count, values) in inside.iter_mut().zip(&person.values) {
                        *count += u64::from(has_text(values));
                    }
                    let counts = profile.groups.entry((*name).clone()).or_default();
                    *counts.entry(value).or_default() += 1;
                }
            }
        }
        if !profile.in_groups.is_empty() {
            profile.in_groups.attributes = columns.iter().map(|(_, name)| (*name).to_owned()).collect();
        }
        for ((_, name), count) in columns.into_iter().zip(filled) {
            profile.filled.insert(name.to_owned(), count);
        }
        profile
    }

    /// The same with the records that stand aside counted in again, to compare with a read that did not skip them.
    pub fn with_skipped(&self, skipped: &[RawRecord], names: &AttributeNames, groups: &BTreeSet<String>) -> Self {
        let mut profile = self.clone();
        profile.records += skipped.len() as u64;
        for name in groups {
            let place = names.position(name);
            for record in skipped {
                if let Some(value) = group_of(&record.place, &record.values, name, place) {
                    let counts = profile.groups.entry(name.clone()).or_default();
                    *counts.entry(value).or_default() += 1;
                }
            }
        }
        profile
    }

    /// What is kept: groups of a few people say nothing and may name somebody; what has hundreds of values is no group.
    pub fn kept(mut self) -> Self {
        for counts in self.groups.values_mut() {
            if counts.len() > MOST_GROUPS {
                counts.clear();
            }
            counts.retain(|_, count| *count >= FEWEST);
        }
        self.groups.retain(|_, counts| !counts.is_empty());
        for (kind, inside) in &mut self.in_groups.counts {
            let sizes = self.groups.get(kind);
            let size = |value: &String| sizes.and_then(|sizes| sizes.get(value)).copied().unwrap_or(0);
            let mut largest: Vec<u64> = inside.keys().map(size).collect();
            largest.sort_unstable_by(|a, b| b.cmp(a));
            let least = largest
                .get(MOST_GROUPS_LOOKED_INTO)
                .map_or(FEWEST, |next| FEWEST.max(next + 1));
            inside.retain(|value, _| size(value) >= least);
        }
        self.in_groups.counts.retain(|_, inside| !inside.is_empty());
        if self.in_groups.is_empty() {
            self.in_groups.attributes.clear();
        }
        self
    }

    /// Attributes of which less than half of what was filled is left, for as many people; of an attribute that most people
    /// had, more than so many percent lost are enough.
    pub fn emptied_since(&self, before: &Profile, max_percent: f64) -> Vec<Emptied> {
        let now = self.filled.iter();
        let emptied = now.filter_map(|(attribute, filled)| {
            let filled_before = *before.filled.get(attribute)?;
            let half_gone = 2 * filled * before.records < filled_before * self.records;
            let sparse = filled_before * 100 < before.records * SPARSE_PERCENT;
            let usual = filled_before * 100 >= before.records * USUAL_PERCENT;
            let lost = lost(*filled, self.records, filled_before, before.records);
            let part_gone = usual && lost > FEW as f64 && lost * 100.0 > filled_before as f64 * max_percent;
            (filled_before >= FEWEST && !sparse && (half_gone || part_gone)).then(|| Emptied {
                attribute: attribute.clone(),
                group: None,
                filled: *filled,
                records: self.records,
                filled_before,
                records_before: before.records,
            })
        });
        emptied.collect()
    }

    /// Attributes that most people of a group had, and less than half of them have now.
    pub fn emptied_in_groups(&self, before: &Profile) -> Vec<Emptied> {
        let mut emptied = Vec::new();
        for (kind, groups) in &before.in_groups.counts {
            for (value, counts) in groups {
                let size = |profile: &Profile| profile.groups.get(kind).and_then(|sizes| sizes.get(value)).copied();
                let (Some(records), Some(records_before)) = (size(self), size(before)) else {
                    continue;
                };
                for (attribute, filled_before) in before.in_groups.attributes.iter().zip(counts) {
                    let Some(filled) = self.in_groups.filled((kind, value), attribute) else {
                        continue;
                    };
                    let usual = filled_before * 100 >= records_before * USUAL_PERCENT;
                    let lost = lost(filled, records, *filled_before, records_before);
                    let half_gone = 2 * filled * records_before < filled_before * records;
                    if *filled_before >= FEWEST && usual && half_gone && lost > FEW as f64 {
                        emptied.push(Emptied {
                            attribute: attribute.clone(),
                            group: Some((kind.clone(), value.clone())),
                            filled,
                            records,
                            filled_before: *filled_before,
                            records_before,
                        });
                    }
                }
            }
        }
        emptied
    }

    /// Groups that lost more than so many percent of their people.
    pub fn shrunk_since(&self, before: &Profile, max_percent: f64) -> Vec<Shrunk> {
        let lost_in_all = before.records.saturating_sub(self.records);
        let mut shrunk = Vec::new();
        for (attribute, groups) in &before.groups {
            // An attribute that is counted no more, or that went empty, is told otherwise.
            let Some(now) = self.groups.get(attribute) else {
                continue;
            };
            for (value, before) in groups.iter().filter(|(_, count)| **count >= FEWEST) {
                let count = now.get(value).copied().unwrap_or(0);
                let lost = before.saturating_sub(count);
                if lost as f64 * 100.0 > *before as f64 * max_percent {
                    shrunk.push(Shrunk {
                        attribute: attribute.clone(),
                        value: value.clone(),
                        count,
                        before: *before,
                        moved: lost_in_all * LOST_PART < lost,
                    });
                }
            }
        }
        shrunk
    }

    /// What in the conditions picked out many records and picks out less than half of them now, although the records are
    /// still there.
    pub fn vanished_since(&self, before: &Profile) -> Vec<Vanished> {
        let lost_in_all = before.records.saturating_sub(self.records);
        let gone = |count: u64, before: u64| {
            before > FEW && count * 2 < before && lost_in_all * LOST_PART < before.saturating_sub(count)
        };
        let mut vanished = Vec::new();
        for (condition, now) in &self.matched {
            let Some(before) = before.matched.get(condition) else {
                continue;
            };
            let found = vanished.len();
            // A comparison that is written no more was taken out by somebody.
            for (comparison, count) in &now.by {
                let before = before.by.get(comparison).copied().unwrap_or(0);
                if gone(*count, before) {
                    vanished.push(Vanished {
                        condition: condition.clone(),
                        comparison: Some(comparison.clone()),
                        count: *count,
                        before,
                    });
                }
            }
            if vanished.len() == found && now.text == before.text && gone(now.all, before.all) {
                vanished.push(Vanished {
                    condition: condition.clone(),
                    comparison: None,
                    count: now.all,
                    before: before.all,
                });
            }
        }
        vanished
    }

    /// Replicas that are behind where they were.
    pub fn behind(&self, before: &Profile) -> Vec<String> {
        let marks = self.update_marks.iter();
        let behind =
            marks.filter(|(replica, mark)| before.update_marks.get(*replica).is_some_and(|known| *mark < known));
        behind.map(|(replica, _)| replica.clone()).collect()
    }
}

/// How many values fewer there are than as many people would have had before.
fn lost(filled: u64, records: u64, filled_before: u64, records_before: u64) -> f64 {
    filled_before as f64 * records as f64 / records_before.max(1) as f64 - filled as f64
}

fn has_text(values: &Values) -> bool {
    values.as_slice().iter().any(|value| !value.trim().is_empty())
}

fn group_of(place: &Place, values: &[Values], name: &str, position: Option<usize>) -> Option<String> {
    let value = match (position, place) {
        // Of several values, which a directory gives in any order, always the same one.
        (Some(position), _) => values
            .get(position)?
            .as_slice()
            .iter()
            .map(|value| value.trim())
            .min()?,
        (None, Place::Dn(dn)) if name.eq_ignore_ascii_case(CONTAINER) => container(dn)?,
        (None, Place::Dn(_) | Place::Line(_)) => return None,
    };
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests;
