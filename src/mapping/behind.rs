//! What a question about a person is made of: the values that its expression reads.

use super::condition::Condition;
use super::contracts::ContractRule;
use super::first_day::Starts;
use super::inputs::{Input, Records};
use super::{Mapping, agreement};
use crate::core::memory::asked::Asked;
use crate::core::model::identity::JoinedRecord;

impl Mapping {
    /// What is read to answer it.
    pub(super) fn inputs_of(&self, asked: Asked) -> Vec<&Input> {
        match asked {
            Asked::Scope => self.include.iter().flat_map(Condition::inputs).collect(),
            Asked::Leaving => {
                let by_condition = self.leaver.iter().flat_map(Condition::inputs);
                let by_rows = self.contracts.values().flat_map(ContractRule::inputs);
                let by_start = self.starts.iter().flat_map(Starts::inputs);
                by_condition.chain(by_rows).chain(by_start).collect()
            }
            Asked::FirstDay => self.starts.iter().flat_map(Starts::inputs).collect(),
            Asked::Field(field) => {
                let rule = self.rules.get(&field);
                rule.iter().flat_map(|rule| &rule.program().inputs).collect()
            }
        }
    }
}

/// The values of one person, also of rows that lead as well as the describing one. Their order says nothing where the source
/// gives none.
pub(super) fn values(joined: &JoinedRecord<'_>, inputs: &[&Input]) -> Vec<String> {
    let beside = agreement::others(joined);
    let rows = std::iter::once(joined).chain(beside.iter().map(|(_, other)| other));
    let of_row = |row: &JoinedRecord<'_>| {
        let read = inputs.iter().map(|input| {
            let values = input.raw_values(Records::Joined(row));
            let mut values: Vec<String> = values.iter().map(|value| value.trim().to_owned()).collect();
            if input.is_a_set() {
                values.sort();
            }
            format!("{}={}", input.label, values.join("\u{1f}"))
        });
        read.collect::<Vec<String>>().join("\u{1e}")
    };
    let mut values: Vec<String> = rows.map(of_row).collect();
    values.sort();
    values
}
