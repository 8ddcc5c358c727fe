//! What a read was like, in counts: how often each attribute is filled, how large each group is, how fresh it is. The
//! yardstick for the reads that follow. No personal data: the values of groups are names of departments, sites and
//! organisational units, and groups of a few people are not kept.

use super::record::{AttributeNames, Place, SourceRecord, Values};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// In `expect.groups`: the container of a directory entry, as `SOURCE.dn` is its place in expressions.
pub const CONTAINER: &str = "dn";

/// Fewer than these say nothing: one person moves and half of them are gone.
const FEWEST: u64 = 5;

/// An attribute that fewer people have is ordinarily empty: end dates come and go with those who leave.
const SPARSE_PERCENT: u64 = 10;

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
    /// How many of them have something in an attribute.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub filled: BTreeMap<String, u64>,
    /// How many of them are in each group, by attribute and value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, BTreeMap<String, u64>>,
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
}

/// An attribute that went mostly empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emptied {
    pub attribute: String,
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
                if let Some(value) = group_of(person, name, *place) {
                    let counts = profile.groups.entry((*name).clone()).or_default();
                    *counts.entry(value).or_default() += 1;
                }
            }
        }
        for ((_, name), count) in columns.into_iter().zip(filled) {
            profile.filled.insert(name.to_owned(), count);
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
        self
    }

    /// Attributes of which less than half of what was filled is left, for as many people.
    pub fn emptied_since(&self, before: &Profile) -> Vec<Emptied> {
        let now = self.filled.iter();
        let emptied = now.filter_map(|(attribute, filled)| {
            let filled_before = *before.filled.get(attribute)?;
            let half_gone = 2 * filled * before.records < filled_before * self.records;
            let sparse = filled_before * 100 < before.records * SPARSE_PERCENT;
            (filled_before >= FEWEST && !sparse && half_gone).then(|| Emptied {
                attribute: attribute.clone(),
                filled: *filled,
                records: self.records,
                filled_before,
                records_before: before.records,
            })
        });
        emptied.collect()
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

    /// Replicas that are behind where they were.
    pub fn behind(&self, before: &Profile) -> Vec<String> {
        let marks = self.update_marks.iter();
        let behind =
            marks.filter(|(replica, mark)| before.update_marks.get(*replica).is_some_and(|known| *mark < known));
        behind.map(|(replica, _)| replica.clone()).collect()
    }
}

fn has_text(values: &Values) -> bool {
    values.as_slice().iter().any(|value| !value.trim().is_empty())
}

fn group_of(record: &SourceRecord, name: &str, place: Option<usize>) -> Option<String> {
    let value = match (place, &record.place) {
        (Some(place), _) => record.values.get(place)?.as_slice().first()?.trim(),
        (None, Place::Dn(dn)) if name.eq_ignore_ascii_case(CONTAINER) => container(dn)?,
        (None, Place::Dn(_) | Place::Line(_)) => return None,
    };
    (!value.is_empty()).then(|| value.to_owned())
}

/// Where an entry is: its name without the first part. A comma within a part is escaped.
fn container(dn: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, c) in dn.char_indices() {
        match c {
            ',' if !escaped => return dn.get(at + 1..),
            _other => escaped = c == '\\' && !escaped,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(counts: &[(&str, u64)]) -> BTreeMap<String, BTreeMap<String, u64>> {
        let counts = counts.iter().map(|(value, count)| ((*value).to_owned(), *count));
        BTreeMap::from([("Department".to_owned(), counts.collect())])
    }

    #[test]
    fn the_container_of_an_entry_is_what_follows_its_own_name() {
        assert_eq!(container(r"CN=Visser\, Jan,OU=Sales,DC=x"), Some("OU=Sales,DC=x"));
        assert_eq!(container(r"CN=a\\,OU=b"), Some("OU=b"));
        assert_eq!(container("DC=x"), None);
    }

    #[test]
    fn a_group_that_lost_people_who_are_elsewhere_has_moved() {
        let before = Profile {
            records: 100,
            groups: groups(&[("Sales", 20), ("Care", 80)]),
            ..Profile::default()
        };
        let renamed = Profile {
            records: 99,
            groups: groups(&[("Trade", 19), ("Care", 80)]),
            ..Profile::default()
        };
        let lost = Profile {
            records: 92,
            groups: groups(&[("Sales", 9), ("Care", 83)]),
            ..Profile::default()
        };
        let told = |now: &Profile| {
            let shrunk = now.shrunk_since(&before, 50.0);
            let told = shrunk.into_iter().map(|group| (group.value, group.count, group.moved));
            told.collect::<Vec<_>>()
        };
        assert_eq!(told(&renamed), [("Sales".to_owned(), 0, true)]);
        assert_eq!(told(&lost), [("Sales".to_owned(), 9, false)]);
        assert_eq!(told(&before), []);
    }

    #[test]
    fn small_groups_and_what_is_no_group_are_not_kept() {
        let many: Vec<String> = (0..=MOST_GROUPS).map(|number| format!("v{number}")).collect();
        let many: Vec<(&str, u64)> = many.iter().map(|value| (value.as_str(), 9)).collect();
        let kept = |counts: &[(&str, u64)]| {
            let profile = Profile {
                groups: groups(counts),
                ..Profile::default()
            };
            profile.kept().groups
        };
        assert_eq!(kept(&many), BTreeMap::new());
        assert_eq!(kept(&[("Board", 4), ("Sales", 5)]), groups(&[("Sales", 5)]));
    }

    #[test]
    fn an_attribute_is_empty_when_less_than_half_of_it_is_left() {
        let profile = |records, filled| Profile {
            records,
            filled: BTreeMap::from([("mail".to_owned(), filled)]),
            ..Profile::default()
        };
        let before = profile(100, 80);
        assert_eq!(profile(100, 40).emptied_since(&before), []);
        assert_eq!(profile(50, 20).emptied_since(&before), [], "fewer people, as full");
        let told = profile(100, 39).emptied_since(&before);
        assert_eq!((told[0].filled, told[0].filled_before), (39, 80));
        assert_eq!(profile(40, 0).emptied_since(&profile(40, 4)), [], "too few to tell");
        assert_eq!(profile(100, 0).emptied_since(&profile(100, 9)), [], "ordinarily empty");
    }

    #[test]
    fn a_replica_is_compared_with_itself_alone() {
        let profile = |marks: &[(&str, &str)]| Profile {
            update_marks: marks.iter().map(|(r, m)| ((*r).to_owned(), (*m).to_owned())).collect(),
            ..Profile::default()
        };
        let before = profile(&[("dc1", "00500")]);
        assert_eq!(profile(&[("dc1", "00500")]).behind(&before), Vec::<String>::new());
        assert_eq!(profile(&[("dc2", "00100")]).behind(&before), Vec::<String>::new());
        assert_eq!(profile(&[("dc1", "00499")]).behind(&before), ["dc1"]);
    }
}
