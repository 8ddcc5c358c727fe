//! Why somebody is taken to have left, and how much that says (RULES 4.1).

use crate::core::model::ids::SourceName;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Why somebody is taken to have left. The code is part of an item's identity, the detail is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    pub code: EvidenceCode,
    /// How much it says; follows from the code.
    #[serde(default)]
    pub grade: Grade,
    pub source: Option<SourceName>,
    /// Dates and counts for people.
    pub detail: String,
    /// The day that it names, where it is a date: a decision is about this day and about no other (RULES 8.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
}

impl Evidence {
    /// Evidence with the grade of its code.
    pub fn new(code: EvidenceCode, source: Option<SourceName>, detail: String) -> Self {
        Self {
            grade: code.grade(),
            code,
            source,
            detail,
            day: None,
        }
    }

    /// The same with the day that it names.
    #[must_use]
    pub fn on(self, day: Option<NaiveDate>) -> Self {
        Self { day, ..self }
    }
}

/// How much evidence of leaving says (RULES 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// A record says so: an end date, a status, a disabled account, a leavers' OU.
    Strong,
    /// No record says anything. The weakest of all, and the default for what was written before there were grades.
    #[default]
    Weak,
}

/// The kinds of evidence, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceCode {
    /// The configured leaver condition holds: an end date, a status, a disabled account, a leavers' OU.
    LeaverCondition,
    /// Every contract row has ended, the one that was current in the last good read among them.
    ContractsEnded,
    /// Every contract row has ended, and none of them is the one that was current: that one is missing.
    NoCurrentRow,
    /// Missing from every authoritative source that ever had this person.
    Missing,
}

impl EvidenceCode {
    /// How much it says.
    pub fn grade(self) -> Grade {
        match self {
            EvidenceCode::LeaverCondition | EvidenceCode::ContractsEnded => Grade::Strong,
            EvidenceCode::NoCurrentRow | EvidenceCode::Missing => Grade::Weak,
        }
    }
}
