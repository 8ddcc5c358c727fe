//! The answers of the records as they are, of each source one; [`super::agreement`] asks all rows that describe a person.

use super::Mapping;
use super::inputs::Records;
use crate::core::model::identity::{Description, FirstDay, JoinedRecord, LastDay, Moment, Truth};
use chrono::NaiveDate;

impl Mapping {
    pub(super) fn scope_alone(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        match &self.include {
            Some(condition) => condition.holds(Records::Joined(joined), moment),
            None => Truth::True,
        }
    }

    pub(super) fn leaving_alone(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        match &self.leaver {
            Some(condition) => condition.holds(Records::Joined(joined), moment),
            None => Truth::False,
        }
    }

    pub(super) fn leaving_beyond_doubt_alone(
        &self,
        joined: &JoinedRecord<'_>,
        moment: Moment,
        first_day: Option<NaiveDate>,
    ) -> Truth {
        match &self.leaver {
            Some(condition) => condition.holds_beyond_doubt(Records::Joined(joined), moment, first_day),
            None => Truth::False,
        }
    }

    pub(super) fn last_day_alone(&self, joined: &JoinedRecord<'_>, moment: Moment) -> LastDay {
        match &self.last_day {
            Some(rule) => rule.read(Records::Joined(joined), moment),
            None => LastDay::NotMapped,
        }
    }

    pub(super) fn first_day_alone(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Option<FirstDay> {
        let starts = self.starts.as_ref()?;
        Some(starts.day(Records::Joined(joined), moment))
    }

    pub(super) fn describe_alone(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Description {
        let mut problems = Vec::new();
        let fields = self
            .rules
            .iter()
            .map(|(field, rule)| {
                let (desired, problem) = rule.desired(Records::Joined(joined), moment, &self.key);
                problems.extend(problem);
                (*field, desired)
            })
            .collect();
        Description { fields, problems }
    }
}
