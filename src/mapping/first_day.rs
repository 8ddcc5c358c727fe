//! The first working day: an expression that gives a date.

use super::advice::{self, Kind};
use super::condition::{unknown_in_words, values_read};
use super::dates::Believe;
use super::expression::Program;
use super::filters::Refusal;
use super::inputs::{Input, Records};
use super::parse::{self, KnownSource};
use super::value::Value;
use crate::core::model::identity::{FirstDay, Moment};

/// A compiled expression for the first working day.
#[derive(Debug)]
pub struct Starts {
    program: Program,
}

impl Starts {
    /// Compiles the expression over these sources.
    ///
    /// # Errors
    /// Everything that is wrong with it, and that it can never give a date.
    pub fn compile(text: &str, sources: &[KnownSource]) -> Result<Self, Vec<Refusal>> {
        let program = parse::field(text, sources)?;
        match advice::kind(&program.root) {
            Some(Kind::Date) | None => Ok(Starts { program }),
            Some(kind @ (Kind::Text | Kind::Number | Kind::Truth)) => Err(vec![Refusal::new(
                format!("it gives {}, not a date", kind.name()),
                "use | date, e.g. {{ hr['Start date'] | date('%d-%m-%Y') }}",
            )]),
        }
    }

    /// As the configuration has it.
    pub fn text(&self) -> &str {
        &self.program.text
    }

    /// What it reads.
    pub fn inputs(&self) -> &[Input] {
        &self.program.inputs
    }

    /// What in it can never be decided.
    pub(super) fn advice(&self) -> Vec<Refusal> {
        let mut found = advice::of_expression(&self.program);
        found.extend(advice::of_dates(&self.program));
        found
    }

    /// The day over these records at this moment.
    pub fn day(&self, records: Records<'_>, moment: Moment) -> FirstDay {
        match self.program.evaluate_believing(Believe::FirstDay, records, moment) {
            Value::Date(day) => FirstDay::On(day),
            Value::DateTime(time) => FirstDay::On(time.with_timezone(&moment.zone).date_naive()),
            Value::Blank | Value::NoDate => FirstDay::Blank,
            Value::Absent(absent) => FirstDay::Unknown(unknown_in_words(&absent.why)),
            Value::Fault(message) => FirstDay::Unknown(message.into()),
            other => FirstDay::Unknown(format!("it gives {}; use | date", other.kind())),
        }
    }

    /// The attributes it read with their values, for `explain`.
    pub fn values_read(&self, records: Records<'_>) -> Vec<(String, Vec<String>)> {
        values_read(&self.program, records)
    }
}
