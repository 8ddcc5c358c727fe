//! Conditions: only the boolean true is true (RULES 4.3).

use super::advice;
use super::dates::Believe;
use super::expression::Program;
use super::filters::Refusal;
use super::inputs::{Input, Records};
use super::parse::{self, KnownSource};
use super::picks::{self, Pick};
use super::value::Value;
use crate::core::model::identity::{Moment, Truth, Unknown};
use crate::core::model::ids::SourceName;
use crate::core::model::record::{AttributeNames, SourceRecord};
use crate::core::reads::profile::Matched;
use chrono::NaiveDate;

/// A compiled condition.
#[derive(Debug)]
pub struct Condition {
    program: Program,
    picks: Vec<Pick>,
}

impl Condition {
    /// Compiles a condition over these sources, with or without braces.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(text: &str, sources: &[KnownSource]) -> Result<Self, Vec<Refusal>> {
        let program = parse::condition(text, sources)?;
        let picks = picks::of(&program);
        Ok(Condition { program, picks })
    }

    /// As the configuration has it.
    pub fn text(&self) -> &str {
        &self.program.text
    }

    /// As it was compiled.
    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// What it reads.
    pub fn inputs(&self) -> &[Input] {
        &self.program.inputs
    }

    /// Whether the answer can change with nothing but time.
    pub fn reads_clock(&self) -> bool {
        self.program.root.reads_clock()
    }

    /// Whether it holds on the very day that it compares with today.
    pub(super) fn counts_the_day_itself(&self) -> bool {
        advice::counts_the_day_itself(&self.program.root)
    }

    /// What in it can never be decided.
    pub(super) fn advice(&self) -> Vec<Refusal> {
        advice::of_condition(&self.program)
    }

    /// The answer over these records at this moment.
    pub fn holds(&self, records: Records<'_>, moment: Moment) -> Truth {
        self.answer(Believe::AllRead, records, moment)
    }

    /// The answer where no date counts that is no evidence by itself: `Unknown` says which and why. `first_day` is the
    /// person's first working day, where it is known.
    pub fn holds_beyond_doubt(&self, records: Records<'_>, moment: Moment, first_day: Option<NaiveDate>) -> Truth {
        self.answer(Believe::Evidence { first_day }, records, moment)
    }

    /// The answer for a row of an export with a row per contract, where no date counts that systems write for 'none' or that
    /// has two readings. A first day says nothing: rows of long ago stand there too.
    pub fn holds_of_row(&self, row: Records<'_>, moment: Moment) -> Truth {
        self.answer(Believe::Row, row, moment)
    }

    fn answer(&self, believe: Believe, records: Records<'_>, moment: Moment) -> Truth {
        match self.program.evaluate_believing(believe, records, moment) {
            Value::Bool(true) => Truth::True,
            Value::Bool(false) => Truth::False,
            Value::Absent(absent) => Truth::Unknown(unknown_in_words(&absent.why)),
            Value::Fault(message) => Truth::Unknown(message.into()),
            other => Truth::Unknown(format!(
                "the condition gives {}, not true or false; compare it with something",
                other.kind()
            )),
        }
    }

    /// How many records of one source it picks out; `picked` is the answer that does.
    pub fn matched(
        &self,
        source: &SourceName,
        names: &AttributeNames,
        records: &[SourceRecord],
        moment: Moment,
        picked: bool,
    ) -> Matched {
        picks::count(&self.program, &self.picks, source, names, records, moment, picked)
    }

    /// The attributes it read with their values, for `explain`.
    pub fn values_read(&self, records: Records<'_>) -> Vec<(String, Vec<String>)> {
        values_read(&self.program, records)
    }
}

/// The attributes a program read with their values.
pub fn values_read(program: &Program, records: Records<'_>) -> Vec<(String, Vec<String>)> {
    program
        .inputs
        .iter()
        .map(|input| (input.label.to_string(), input.raw_values(records)))
        .collect()
}

/// Why something is not known, as it is told.
pub(super) fn unknown_in_words(why: &Unknown) -> String {
    match why {
        Unknown::SourceRejected(source) => format!("source {source} was rejected"),
        Unknown::NoRecord(source) => format!("source {source} has no record with this key"),
        Unknown::DuplicateRecord(source) => format!("source {source} has several records with this key"),
        Unknown::NoCurrentRow(source) => format!("no row of source {source} is current"),
        Unknown::RowsDiffer(source) => format!("rows of source {source} are current together and differ"),
        Unknown::NoAttribute(source, attribute) => format!("source {source} has no attribute '{attribute}'"),
        Unknown::Unusable(message) | Unknown::Expression(message) => message.clone(),
    }
}
