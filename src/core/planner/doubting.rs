//! The mapping while the clock is doubted: what depends on the time is unknown, what does not is as it is.

use crate::core::memory::asked::Asked;
use crate::core::model::field::CardField;
use crate::core::model::identity::{
    Describe, Description, Desired, FirstDay, JoinedRecord, LastDay, Moment, Truth, Unknown,
};
use crate::core::reads::clock::{ClockJudgement, DOUBTED};
use chrono::NaiveDate;

/// Asks for every moment that it might be, and believes what is always the same.
pub(super) struct Doubting<'a> {
    pub inner: &'a dyn Describe,
    pub clock: &'a ClockJudgement,
}

impl Doubting<'_> {
    fn always(&self, moment: Moment, ask: impl Fn(Moment) -> Truth) -> Truth {
        let now = ask(moment);
        let same = self.clock.probes(moment).into_iter().all(|other| ask(other) == now);
        if same { now } else { Truth::Unknown(DOUBTED.to_owned()) }
    }
}

impl Describe for Doubting<'_> {
    fn scope(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        self.always(moment, |moment| self.inner.scope(joined, moment))
    }

    fn leaving(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        self.always(moment, |moment| self.inner.leaving(joined, moment))
    }

    fn leaving_beyond_doubt(&self, joined: &JoinedRecord<'_>, moment: Moment, first_day: Option<NaiveDate>) -> Truth {
        self.always(moment, |moment| {
            self.inner.leaving_beyond_doubt(joined, moment, first_day)
        })
    }

    fn last_day(&self, _: &JoinedRecord<'_>, _: Moment) -> LastDay {
        LastDay::NotKnown(DOUBTED.to_owned())
    }

    fn leaves_by_date(&self) -> bool {
        // From a time that is not known there is nothing to look ahead from.
        false
    }

    fn first_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Option<FirstDay> {
        // A day as such says nothing: whether it has come depends on the clock.
        let day = self.inner.first_day(joined, moment)?;
        Some(match day {
            FirstDay::On(_) => FirstDay::Unknown(DOUBTED.to_owned()),
            FirstDay::Blank | FirstDay::Unknown(_) => day,
        })
    }

    fn managers_by_dn(&self) -> bool {
        self.inner.managers_by_dn()
    }

    fn behind(&self, asked: Asked, joined: &JoinedRecord<'_>) -> Vec<String> {
        self.inner.behind(asked, joined)
    }

    fn describe(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Description {
        let mut now = self.inner.describe(joined, moment);
        for other in self.clock.probes(moment) {
            let other = self.inner.describe(joined, other);
            let differs = |field: &CardField, desired: &Desired| other.fields.get(field) != Some(desired);
            for (field, desired) in &mut now.fields {
                if differs(field, desired) {
                    *desired = Desired::Unknown(Unknown::Expression(DOUBTED.to_owned()));
                }
            }
        }
        now
    }
}
