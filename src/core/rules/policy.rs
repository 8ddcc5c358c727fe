//! The effective configuration in the words of the core, without secrets and addresses: what decides a plan.

use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, SourceName};
use crate::core::model::key::{Key, KeySpec};
use crate::core::reads::snapshot::Expectations;
use crate::core::rules::anonymize::Anonymize;
use crate::core::rules::window::Window;
use chrono::{Duration, NaiveTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Raised whenever the same input would give other changes than before: what such a version brings is held like a
/// changed configuration (RULES 8.3).
pub const DECISION_VERSION: u32 = 2;

/// Who rules a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldPolicy {
    /// The source rules.
    #[default]
    Enforce,
    /// Only an empty field is filled.
    Seed,
    /// The source rules, but an empty value never empties the field.
    NeverClear,
}

/// What to do when a list has no such entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingEntry {
    /// The person waits.
    #[default]
    Hold,
    /// The field stays as it is.
    Skip,
    /// The entry is created, once, as a change of its own. Not for branches, locations and languages.
    Create,
}

/// What happens to the person card of somebody who comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RehirePerson {
    Unarchive,
    Hold,
}

/// What happens to the archived operator of somebody who comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RehireOperator {
    /// A human decides whether the card wakes, with whatever becomes of the operator.
    #[default]
    Hold,
    /// An operator that cardsync archived with the card is woken with it, once that is approved.
    Restore,
    /// It stays archived: should it wake with the card, it is put back at once.
    KeepArchived,
}

/// The rules of one mapped field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRules {
    pub policy: FieldPolicy,
    pub missing: MissingEntry,
}

/// A class of change with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetClass {
    Archive,
    Unarchive,
    Create,
    /// Surname or first name changed.
    Names,
    /// One and the same field emptied.
    Blanked(CardField),
    /// One and the same field changed from one value to another. Names have a class of their own.
    Changed(CardField),
    /// List entries created.
    Lookups,
    /// A key written onto a card without one.
    Adopt,
    /// A key changed.
    Keys,
    Anonymize,
    /// An operator is taken along, or loses login or e-mail.
    Operators,
    /// An operator would wake up.
    OperatorsWoken,
}

impl fmt::Display for BudgetClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BudgetClass::Archive => f.write_str("archive"),
            BudgetClass::Unarchive => f.write_str("unarchive"),
            BudgetClass::Create => f.write_str("create"),
            BudgetClass::Names => f.write_str("names"),
            BudgetClass::Blanked(field) => write!(f, "blanked_fields:{field}"),
            BudgetClass::Changed(field) if field.identifies() => write!(f, "changed_logins:{field}"),
            BudgetClass::Changed(field) => write!(f, "changed_fields:{field}"),
            BudgetClass::Lookups => f.write_str("lookups"),
            BudgetClass::Adopt => f.write_str("adopt"),
            BudgetClass::Keys => f.write_str("keys"),
            BudgetClass::Anonymize => f.write_str("anonymize"),
            BudgetClass::Operators => f.write_str("operators"),
            BudgetClass::OperatorsWoken => f.write_str("operators_woken"),
        }
    }
}

/// A limit: `min(max, max(3, ceil(percent of base)))`; a maximum of 0 is 0. It holds for 24 hours and for 7 days alike, so
/// that a week of slices gives no more than one day; `per_week` gives the 7 days a number of their own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    pub max: Option<u32>,
    pub percent: Option<f64>,
    pub per_week: Option<u32>,
}

impl Budget {
    /// The number of items allowed, given the active cards that are ours.
    pub fn limit(&self, base: u64) -> u64 {
        let by_percent = self.percent.map(|percent| {
            // Both factors are far below 2^52: the product is exact enough for a ceiling.
            let share = (base as f64 * percent / 100.0).ceil();
            (share as u64).max(3)
        });
        match (self.max, by_percent) {
            (Some(max), Some(share)) => u64::from(max).min(share),
            (Some(max), None) => u64::from(max),
            (None, Some(share)) => share,
            (None, None) => 0,
        }
    }

    /// The number of items allowed in a window.
    pub fn limit_in(&self, window: Window, base: u64) -> u64 {
        match (window, self.per_week) {
            (Window::Week, Some(per_week)) => u64::from(per_week),
            (Window::Day, Some(_)) | (Window::Day | Window::Week, None) => self.limit(base),
        }
    }
}

/// The limits of all classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budgets {
    pub archive: Budget,
    pub unarchive: Budget,
    pub create: Budget,
    pub names: Budget,
    pub blanked_fields: Budget,
    #[serde(default = "changed_fields")]
    pub changed_fields: Budget,
    /// E-mail addresses and logins.
    #[serde(default = "changed_logins")]
    pub changed_logins: Budget,
    pub lookups: Budget,
    pub adopt: Budget,
    pub keys: Budget,
    pub anonymize: Budget,
    pub operators: Budget,
    pub operators_woken: Budget,
}

fn changed_fields() -> Budget {
    Budgets::default().changed_fields
}

fn changed_logins() -> Budget {
    Budgets::default().changed_logins
}

impl Default for Budgets {
    fn default() -> Self {
        let max = |max| Budget {
            max: Some(max),
            percent: None,
            per_week: None,
        };
        let percent = |percent| Budget {
            max: None,
            percent: Some(percent),
            per_week: None,
        };
        let both = |max, percent| Budget {
            max: Some(max),
            percent: Some(percent),
            per_week: None,
        };
        Self {
            archive: both(20, 2.0),
            unarchive: both(10, 1.0),
            create: percent(5.0),
            names: percent(2.0),
            blanked_fields: percent(2.0),
            changed_fields: percent(20.0),
            changed_logins: percent(5.0),
            lookups: max(10),
            adopt: max(0),
            keys: max(0),
            anonymize: max(0),
            operators: max(0),
            operators_woken: max(0),
        }
    }
}

impl Budgets {
    /// The limit of a class.
    pub fn of(&self, class: BudgetClass) -> Budget {
        match class {
            BudgetClass::Archive => self.archive,
            BudgetClass::Unarchive => self.unarchive,
            BudgetClass::Create => self.create,
            BudgetClass::Names => self.names,
            BudgetClass::Blanked(_) => self.blanked_fields,
            BudgetClass::Changed(field) if field.identifies() => self.changed_logins,
            BudgetClass::Changed(_) => self.changed_fields,
            BudgetClass::Lookups => self.lookups,
            BudgetClass::Adopt => self.adopt,
            BudgetClass::Keys => self.keys,
            BudgetClass::Anonymize => self.anonymize,
            BudgetClass::Operators => self.operators,
            BudgetClass::OperatorsWoken => self.operators_woken,
        }
    }
}

/// Who is never touched, absolutely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    pub keys: BTreeSet<Key>,
    pub cards: BTreeSet<CardId>,
}

/// What happens where a leaver with an operator is still the manager of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkLeft {
    /// Nothing.
    #[default]
    Off,
    /// The plan says so.
    Report,
    /// The archive waits.
    Hold,
}

/// What holds before somebody's first working day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joiners {
    /// A card is made, or made active again, at most so many calendar days before.
    pub days_before: u32,
    /// Access to the self-service portal is given on the day, not with the card.
    pub access_on_the_day: bool,
}

/// Everything configured that decides a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Hash of the effective configuration without secrets.
    pub config_hash: String,
    pub decision_version: u32,
    pub key: KeySpec,
    /// The field that holds the date of birth, where the configuration names one: it witnesses the human, not the seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<CardField>,
    pub fields: BTreeMap<CardField, FieldRules>,
    /// Flags of new cards.
    pub has_ssp_access: bool,
    pub is_caller: bool,
    /// Authoritative sources that describe the same people: each group is a set of names.
    pub same_people: Vec<BTreeSet<SourceName>>,
    /// What is expected of each source.
    pub expectations: BTreeMap<SourceName, Expectations>,
    /// What is expected of the TOPdesk read.
    pub target_expectations: Expectations,
    /// How long evidence of leaving must hold.
    #[serde(with = "seconds")]
    pub leaver_after: Duration,
    /// With a row per contract: so many days of the calendar after the last contract has ended a card stays.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub leaver_gap_days: u32,
    /// The time of day, in the zone of the run, at which leavers are archived; `None`: whenever the evidence has held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaver_at: Option<NaiveTime>,
    #[serde(default)]
    pub work_left: WorkLeft,
    /// `None`: a card is made as soon as the sources have the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joiners: Option<Joiners>,
    /// Complete reads that must miss a person, each with new content.
    pub missing_reads: u32,
    /// Time that must pass since the first of them.
    #[serde(with = "seconds")]
    pub missing_for: Duration,
    pub rehire: RehirePerson,
    #[serde(default)]
    pub rehire_operator: RehireOperator,
    /// Before a card is archived, its active operators lose the permission to log in.
    #[serde(default)]
    pub disarm: bool,
    /// Whether a card needs `isManager` before others may have it as their manager.
    pub manager_flag: bool,
    /// Whether an archived card keeps its login name reserved.
    pub archived_logins_reserved: bool,
    pub budgets: Budgets,
    pub protected: Protected,
    /// Who is anonymized, how and when; `None`: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymize: Option<Anonymize>,
}

fn is_nought(days: &u32) -> bool {
    *days == 0
}

/// Durations as whole seconds.
mod seconds {
    use chrono::Duration;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(span.num_seconds())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Ok(Duration::seconds(i64::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_the_rule() {
        let archive = Budgets::default().archive;
        assert_eq!(archive.limit(0), 3);
        assert_eq!(archive.limit(100), 3);
        assert_eq!(archive.limit(151), 4);
        assert_eq!(archive.limit(100_000), 20);
        assert_eq!(Budgets::default().operators.limit(100_000), 0);
        assert_eq!(Budgets::default().create.limit(101), 6);
    }
}
