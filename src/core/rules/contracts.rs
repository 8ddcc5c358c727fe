//! How the contracts of a person stand, and what it says when every one of them has ended (RULES 4.5).
//!
//! ```text
//! a row is current                          works here
//! not known of one, or a source is missing  not known: nothing changes
//! a row begins later                        next contract: no leaver, and without a card a joiner
//! all have ended
//!   the read cannot say who is missing      not counted
//!   they are the ones that went on before   has left: strong
//!   they are others                         a current row is missing: as weak as absence
//! ```

use crate::core::input::PlanInput;
use crate::core::memory::ledger::{LedgerEntry, Sighting};
use crate::core::model::identity::Part;
use crate::core::model::ids::SourceName;
use crate::core::model::record::{SourceRecord, Standing};
use crate::core::plan::EvidenceCode;
use crate::core::plan::hold::HoldReason;
use crate::core::reads::clock::DOUBTED;
use crate::core::reads::merge::{Person, Population};
use crate::core::reads::rows::Rows;
use crate::core::reads::snapshot::{Role, Snapshot};
use crate::core::rules::lifecycle::dates::{FirstSight, long_past};
use crate::core::rules::lifecycle::{Leaving, Missing, missing, ripe};
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;

/// How the contracts of one person stand, over all sources that decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contracts {
    /// A row is current, or a row is a person.
    GoOn,
    /// Not known whether one is current, and why.
    NotKnown(String),
    /// None is current, and one begins later.
    Next {
        /// The first day.
        from: Option<NaiveDate>,
        /// One has ended before: the days between are a gap.
        after_another: bool,
    },
    /// Every one has ended.
    Ended,
}

impl Contracts {
    /// Whether another source has more to say than a record of this standing: a contract that has ended there is no
    /// description of somebody who works here by another.
    pub(crate) fn are_elsewhere_than(&self, standing: Standing) -> bool {
        match (self, standing) {
            (Contracts::GoOn, Standing::NotKnown | Standing::NextRow | Standing::AllRowsEnded)
            | (Contracts::Next { .. }, Standing::AllRowsEnded) => true,
            (Contracts::GoOn, Standing::Current)
            | (Contracts::Next { .. }, Standing::Current | Standing::NotKnown | Standing::NextRow)
            | (Contracts::NotKnown(_) | Contracts::Ended, _) => false,
        }
    }
}

/// Puts together what the records of one person say, one per source that decides.
pub(crate) fn together<'a>(
    records: impl Iterator<Item = &'a SourceRecord>,
    authoritative: impl Iterator<Item = &'a Snapshot>,
) -> Contracts {
    let mut not_known = None;
    let mut next: Option<Option<NaiveDate>> = None;
    let mut after_another = false;
    for record in records {
        let rows = record.rows.as_deref();
        after_another |= record.standing == Standing::AllRowsEnded || rows.is_some_and(Rows::any_ended);
        match record.standing {
            Standing::Current => return Contracts::GoOn,
            Standing::NotKnown => {
                let why = rows.and_then(|rows| rows.why.clone()).unwrap_or_default();
                not_known.get_or_insert(format!("no contract row is current, and of one it is not known: {why}"));
            }
            Standing::NextRow => {
                let from = rows.and_then(|rows| rows.next);
                next = Some(match next.flatten() {
                    Some(known) => Some(from.map_or(known, |from| from.min(known))),
                    None => from,
                });
            }
            Standing::AllRowsEnded => {}
        }
    }
    // A source that cannot be read may know that the person is still there.
    let unread = authoritative.into_iter().find(|snapshot| snapshot.is_rejected());
    match (not_known, next, unread) {
        (Some(why), _, _) => Contracts::NotKnown(why),
        (None, Some(from), _) => Contracts::Next { from, after_another },
        (None, None, Some(snapshot)) => Contracts::NotKnown(format!(
            "every contract row has ended, and {} could not be read",
            snapshot.summary.name
        )),
        (None, None, None) => Contracts::Ended,
    }
}

/// What it says of somebody with a card that every contract row has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Not to be told from these reads.
    Open(String),
    /// The rows that went on have ended, or a gap may still be closed. Never `No` and never `Unknown`.
    Leaving(Leaving),
    /// A current row is missing. Never `Present`.
    Missing(Missing),
}

/// Judges somebody of whom every contract row has ended. `entry` already knows which sources have the person; gives the
/// sightings as they are after this read.
pub fn ended(
    person: &Person<'_>,
    entry: &LedgerEntry,
    population: &Population<'_>,
    input: &PlanInput,
) -> (Ended, BTreeMap<SourceName, Sighting>) {
    let (absent, sightings) = missing(entry, person.key, population, input);
    if !input.clock.is_trusted() {
        return (Ended::Open(DOUBTED.to_owned()), sightings);
    }
    let strong = strong(person, entry, &input.snapshots);
    if let (false, Missing::Unknown(why)) = (strong, &absent) {
        let why = format!("every contract row has ended, but {why}");
        return (Ended::Open(why), sightings);
    }
    if let Some(until) = gap_until(person, input) {
        let detail = format!(
            "every contract row has ended; lifecycle.leaver.gap leaves until {until} for the next contract to be entered"
        );
        // What is counted meanwhile counts.
        let waits = if strong {
            Ended::Leaving(Leaving::Later { detail })
        } else {
            Ended::Missing(Missing::NotYet { detail })
        };
        return (waits, sightings);
    }
    if !strong {
        return (Ended::Missing(absent), sightings);
    }
    let ripe = ripe(EvidenceCode::ContractsEnded, input, |begun| {
        FirstSight::from(entry).is_seen_by(begun, input.policy.leaver_after, input.moment)
    });
    let ripe = match ripe {
        Leaving::Now(evidence) => Leaving::Now(evidence.on(last_end(person, input))),
        other => other,
    };
    (Ended::Leaving(ripe), sightings)
}

/// Whether in every source that lists the person the contracts that went on are those that have ended, and every source
/// that had the person could be read completely: a row that cannot be used may be the next contract.
fn strong(person: &Person<'_>, entry: &LedgerEntry, snapshots: &[Snapshot]) -> bool {
    let mut listed = false;
    for snapshot in snapshots {
        if snapshot.summary.role != Some(Role::Authoritative) {
            continue;
        }
        let sighting = entry.sightings.get(&snapshot.summary.name);
        let records = snapshot.with_key(person.key);
        if sighting.is_none() && records.is_empty() {
            continue;
        }
        let known = sighting.and_then(|sighting| sighting.rows.as_deref());
        let proven = records.iter().all(|record| {
            let today = record.rows.as_deref().map(|rows| &rows.marks);
            known
                .zip(today)
                .is_some_and(|(known, today)| known.have_ended_in(today))
        });
        if !proven || !snapshot.can_say_absent() {
            return false;
        }
        listed |= !records.is_empty();
    }
    listed
}

/// Why the end of the contracts of somebody who has left by it is not taken at its word (RULES 4.6): it lies before the time
/// in which the source showed that a contract went on.
pub fn doubtful_end(person: &Person<'_>, entry: &LedgerEntry, input: &PlanInput) -> Option<HoldReason> {
    let since = entry.since.with_timezone(&input.moment.zone).date_naive();
    let first_seen = entry.leaving_since.unwrap_or(input.moment.now);
    if first_seen <= entry.since {
        return None;
    }
    let end = last_end(person, input)?;
    long_past(end, since, first_seen, input.moment)
}

/// The day on which the last contract ended, where the last day of each is known.
fn last_end(person: &Person<'_>, input: &PlanInput) -> Option<NaiveDate> {
    let records = input
        .snapshots
        .iter()
        .flat_map(|snapshot| snapshot.with_key(person.key));
    let ends = records.filter_map(|record| record.rows.as_ref().and_then(|rows| rows.ended));
    ends.max()
}

/// The day until which the next contract may still be entered; `None` where that day has come, or the last day is not known.
fn gap_until(person: &Person<'_>, input: &PlanInput) -> Option<NaiveDate> {
    let days = u64::from(input.policy.leaver_gap_days);
    let until = last_end(person, input)?.checked_add_days(Days::new(days))?;
    (days > 0 && input.moment.today() < until).then_some(until)
}

/// What the ledger remembers of the rows of a read: those of the last complete read in which a contract went on, or may have.
pub fn remember(sighting: &mut Sighting, snapshot: &Snapshot, record: &SourceRecord) {
    let goes_on = match record.standing {
        Standing::Current | Standing::NextRow | Standing::NotKnown => true,
        Standing::AllRowsEnded => false,
    };
    // Whatever else the read lacks, this row it has.
    sighting.worked |= record.standing == Standing::Current && record.rows.is_some();
    if let Some(rows) = record.rows.as_deref().filter(|_| goes_on && snapshot.can_say_absent())
        && sighting.rows.as_deref() != Some(&rows.marks)
    {
        sighting.rows = Some(Box::new(rows.marks.clone()));
    }
}

/// Whether the clock decides which rows of this person are current, and so which of them describes the person.
pub fn go_by_the_clock(person: &Person<'_>) -> bool {
    person.joined.parts.values().any(|(_, part)| match part {
        Part::Record(record) => record.rows.as_ref().is_some_and(|rows| rows.by_date),
        Part::NoRecord | Part::Unknown(_) => false,
    })
}

/// What the plan says of somebody between two contracts.
pub fn next_in_words(from: Option<NaiveDate>) -> String {
    match from {
        Some(from) => format!("next contract from {from}"),
        None => "a contract begins later".to_owned(),
    }
}
