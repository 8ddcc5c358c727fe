//! Rows that are current together: what they agree on is known, what they differ in is not, and nothing is decided by which
//! of them comes first.

use super::Mapping;
use super::inputs::Where;
use crate::core::model::field::CardField;
use crate::core::model::identity::{
    Description, Desired, FieldProblem, FirstDay, JoinedRecord, LastDay, Moment, Part, Truth, Unknown,
};
use crate::core::model::ids::SourceName;
use crate::core::model::record::{AttributeNames, SourceRecord, Standing};
use crate::core::reads::snapshot::{Effect, Finding};
use std::collections::{BTreeMap, BTreeSet};

/// So many people are named.
const NAMED: usize = 10;

/// The same person as other rows have them, with the source of these rows. Nearly nobody has any.
pub(super) fn others<'a>(joined: &JoinedRecord<'a>) -> Vec<(&'a SourceName, JoinedRecord<'a>)> {
    let mut others = Vec::new();
    for (source, (snapshot, part)) in &joined.parts {
        let Part::Record(record) = part else { continue };
        for beside in record.rows.iter().flat_map(|rows| &rows.beside) {
            let mut other = joined.clone();
            other.parts.insert(source, (snapshot, Part::Record(beside)));
            others.push((*source, other));
        }
    }
    others
}

/// What is said of a field, and of a person without a card, whose rows differ.
fn message(source: &SourceName) -> String {
    format!(
        "rows of {source} are current together and differ here: which one holds is not known; say in rows.main which row \
         leads, or correct the rows"
    )
}

impl Mapping {
    /// Fields in which rows that are current together differ, with the source of the rows.
    pub(super) fn disagreements<'a>(
        &self,
        joined: &JoinedRecord<'a>,
        moment: Moment,
        fields: &BTreeMap<CardField, Desired>,
    ) -> BTreeMap<CardField, &'a SourceName> {
        let mut found = BTreeMap::new();
        for (source, other) in others(joined) {
            let other = self.describe_alone(&other, moment);
            let differs = fields
                .iter()
                .filter(|(field, desired)| other.fields.get(field) != Some(desired));
            for (field, _) in differs {
                found.entry(*field).or_insert(source);
            }
        }
        found
    }

    /// Names the people of a read whose rows are current together and differ in a column that a field is made of, where
    /// nothing says which of them leads. No lines: the order of rows means nothing, and `explain` shows where they stand.
    pub fn rows_that_differ(
        &self,
        source: &SourceName,
        records: &[SourceRecord],
        names: &AttributeNames,
    ) -> Option<Finding> {
        let inputs = self.rules.values().flat_map(|rule| &rule.program().inputs);
        let read = inputs.filter(|input| input.source == *source && input.place == Where::Attribute);
        let columns: BTreeMap<usize, &str> = read
            .filter_map(|input| Some((names.position(&input.attribute)?, &*input.attribute)))
            .collect();
        let mut differing: BTreeSet<&str> = BTreeSet::new();
        let mut people: BTreeSet<&str> = BTreeSet::new();
        for record in records.iter().filter(|record| record.standing == Standing::Current) {
            for row in record.rows.iter().flat_map(|rows| &rows.beside) {
                let differ = columns
                    .iter()
                    .filter(|(at, _)| record.values.get(**at) != row.values.get(**at));
                for (_, column) in differ {
                    differing.insert(column);
                    people.insert(record.key.as_str());
                }
            }
        }
        if people.is_empty() {
            return None;
        }
        let columns: Vec<String> = differing.iter().map(|column| format!("'{column}'")).collect();
        let mut named: Vec<&str> = people.iter().take(NAMED).copied().collect();
        if people.len() > NAMED {
            named.push("...");
        }
        Some(Finding::new(
            "rows_differ",
            Effect::Note,
            format!(
                "{source} has rows of {} people that are current together and differ in {}: {}; fields in which they differ \
                 stay as they are",
                people.len(),
                columns.join(", "),
                named.join(", ")
            ),
            "say in rows.main which row leads, e.g. the one with the latest start, or correct the rows; cardsync explain \
             NUMBER shows them",
        ))
    }

    /// Makes unknown what the rows differ in, and says so.
    pub(super) fn agreed(&self, joined: &JoinedRecord<'_>, moment: Moment, description: Description) -> Description {
        let Description {
            mut fields,
            mut problems,
        } = description;
        for (field, source) in self.disagreements(joined, moment, &fields) {
            fields.insert(field, Desired::Unknown(Unknown::RowsDiffer(source.clone())));
            problems.retain(|problem| problem.field != field);
            problems.push(FieldProblem {
                field,
                message: message(source),
                holds_person: false,
            });
        }
        problems.sort();
        Description { fields, problems }
    }

    /// Whoever does not leave by one of the current rows does not leave.
    pub(super) fn leaving_agreed(joined: &JoinedRecord<'_>, of_one: impl Fn(&JoinedRecord<'_>) -> Truth) -> Truth {
        let rest = others(joined);
        let answers = rest.iter().map(|(_, other)| of_one(other));
        answers.fold(of_one(joined), |so_far, next| match (so_far, next) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::Unknown(why), _) | (_, Truth::Unknown(why)) => Truth::Unknown(why),
            (Truth::True, Truth::True) => Truth::True,
        })
    }

    /// Rows that differ in whether somebody is in scope say nothing.
    pub(super) fn scope_agreed(&self, joined: &JoinedRecord<'_>, moment: Moment, first: Truth) -> Truth {
        let rest = others(joined);
        let differs = rest
            .iter()
            .find(|(_, other)| self.scope_alone(other, moment) != first)
            .map(|(source, _)| message(source));
        match (first, differs) {
            (known @ (Truth::True | Truth::False), None) => known,
            (Truth::Unknown(why), _) => Truth::Unknown(why),
            (Truth::True | Truth::False, Some(message)) => Truth::Unknown(message),
        }
    }

    /// The first of the first days: whoever begins with one contract has begun.
    pub(super) fn first_day_agreed(&self, joined: &JoinedRecord<'_>, moment: Moment, first: FirstDay) -> FirstDay {
        let rest = others(joined);
        let days = rest.iter().filter_map(|(_, other)| self.first_day_alone(other, moment));
        days.fold(first, |so_far, next| match (so_far, next) {
            (FirstDay::On(a), FirstDay::On(b)) => FirstDay::On(a.min(b)),
            (day @ FirstDay::On(_), _) | (_, day @ FirstDay::On(_)) => day,
            (FirstDay::Unknown(why), _) | (_, FirstDay::Unknown(why)) => FirstDay::Unknown(why),
            (FirstDay::Blank, FirstDay::Blank) => FirstDay::Blank,
        })
    }

    /// The last of the last days.
    pub(super) fn last_day_agreed(&self, joined: &JoinedRecord<'_>, moment: Moment, first: LastDay) -> LastDay {
        let rest = others(joined);
        let days = rest.iter().map(|(_, other)| self.last_day_alone(other, moment));
        days.fold(first, |so_far, next| match (so_far, next) {
            (LastDay::On(a), LastDay::On(b)) => LastDay::On(a.max(b)),
            (LastDay::NotMapped, _) | (_, LastDay::NotMapped) => LastDay::NotMapped,
            (LastDay::NotKnown(why), _) | (_, LastDay::NotKnown(why)) => LastDay::NotKnown(why),
        })
    }
}
