//! The last day of somebody who has left: a typed expression that must give a date, else it is not known.

use super::advice;
use super::dates::Believe;
use super::expression::Program;
use super::filters::Refusal;
use super::inputs::{Input, Records};
use super::parse::{self, KnownSource};
use super::value::Value;
use crate::core::model::identity::{LastDay, Moment};

/// The option.
pub(super) const PATH: &str = "lifecycle.anonymize.since";

/// The compiled expression.
#[derive(Debug)]
pub(super) struct LastDayRule {
    program: Program,
}

impl LastDayRule {
    /// Compiles it over these sources.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn compile(text: &str, sources: &[KnownSource]) -> Result<Self, Vec<Refusal>> {
        Ok(Self {
            program: parse::field(text, sources)?,
        })
    }

    /// What it reads.
    pub(super) fn inputs(&self) -> &[Input] {
        &self.program.inputs
    }

    /// What in it can never be decided.
    pub(super) fn advice(&self) -> Vec<Refusal> {
        let mut found = advice::of_expression(&self.program);
        found.extend(advice::of_dates(&self.program));
        found
    }

    /// The day, in the zone of the moment. A blank date is no date: nothing is guessed.
    pub(super) fn read(&self, records: Records<'_>, moment: Moment) -> LastDay {
        let evidence = Believe::Evidence { first_day: None };
        match self.program.evaluate_believing(evidence, records, moment) {
            Value::Date(date) => LastDay::On(date),
            Value::DateTime(time) => LastDay::On(time.with_timezone(&moment.zone).date_naive()),
            Value::NoDate | Value::Blank => LastDay::NotKnown(format!("{PATH} gives no date: it is blank")),
            Value::Absent(_) => LastDay::NotKnown(format!("{PATH} gives no date: what it reads is not known")),
            Value::Fault(message) => LastDay::NotKnown(format!("{PATH}: {message}")),
            other => LastDay::NotKnown(format!("{PATH} gives {}, not a date; add | date", other.kind())),
        }
    }
}
