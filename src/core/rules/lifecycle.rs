//! Leaving needs evidence (RULES 4): the leaver condition, ended contracts, and absence, the weakest of all.

pub mod dates;

use self::dates::{FirstSight, Holding};
use crate::core::input::PlanInput;
use crate::core::memory::ledger::{Absence, LedgerEntry, Sighting};
use crate::core::model::hour;
use crate::core::model::identity::{Describe, JoinedRecord, Moment, Truth};
use crate::core::model::ids::SourceName;
use crate::core::model::key::Key;
use crate::core::plan::{Evidence, EvidenceCode};
use crate::core::reads::clock::DOUBTED;
use crate::core::reads::merge::{Person, Population};
use crate::core::reads::snapshot::{Role, Snapshot};
use crate::core::rules::contracts::{Contracts, go_by_the_clock};
use crate::core::rules::policy::Policy;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Whether a present person leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    No,
    /// No contract is current, and one begins later: no leaver.
    NextContract,
    /// Every contract row has ended, which says nothing by itself: [`crate::core::rules::contracts::ended`].
    ContractsEnded,
    /// Evidence that has not held for `lifecycle.leaver.after`.
    Later {
        detail: String,
    },
    Now(Evidence),
    /// The condition gave neither yes nor no.
    Unknown(String),
}

/// Judges a present person. `sight`: what the ledger knows of when the evidence was first seen.
pub fn leaving(describe: &dyn Describe, person: &Person<'_>, input: &PlanInput, sight: FirstSight) -> Leaving {
    let PlanInput { moment, policy, .. } = input;
    let moment = *moment;
    if !input.clock.is_trusted() && go_by_the_clock(person) {
        return match person.contracts {
            Contracts::Ended => Leaving::ContractsEnded,
            Contracts::GoOn | Contracts::Next { .. } | Contracts::NotKnown(_) => Leaving::Unknown(DOUBTED.to_owned()),
        };
    }
    let joined = decisive(person);
    match (describe.leaving(&joined, moment), &person.contracts) {
        (Truth::True, _) => {}
        (_, Contracts::Ended) => return Leaving::ContractsEnded,
        (_, Contracts::NotKnown(why)) => return Leaving::Unknown(why.clone()),
        (Truth::Unknown(why), Contracts::GoOn | Contracts::Next { .. }) => return Leaving::Unknown(why),
        (Truth::False, Contracts::Next { .. }) => return Leaving::NextContract,
        (Truth::False, Contracts::GoOn) => return Leaving::No,
    }
    let holding = Holding {
        describe,
        joined: &joined,
        moment,
    };
    let by_date = holding.by_date();
    let ripe = ripe(EvidenceCode::LeaverCondition, input, |begun| {
        if by_date {
            holding.is_ripe(sight, begun, policy.leaver_after)
        } else {
            sight.is_seen_by(begun, policy.leaver_after, moment)
        }
    });
    match ripe {
        Leaving::Now(evidence) if by_date => Leaving::Now(evidence.on(Some(holding.began()))),
        other => other,
    }
}

/// What a leaver condition looks at. What a row says that has ended is what its end date says: of contracts that is judged
/// as a whole.
fn decisive<'p, 'a>(person: &'p Person<'a>) -> Cow<'p, JoinedRecord<'a>> {
    match &person.contracts {
        Contracts::GoOn | Contracts::Next { .. } => Cow::Borrowed(&person.joined),
        Contracts::NotKnown(_) | Contracts::Ended => Cow::Owned(person.joined.without_ended_rows()),
    }
}

/// Strong evidence that holds: whether it has held long enough, by `mature` of the moment since which it must have held.
pub(crate) fn ripe(code: EvidenceCode, input: &PlanInput, mature: impl FnOnce(DateTime<Utc>) -> bool) -> Leaving {
    let PlanInput {
        moment, policy, clock, ..
    } = input;
    let moment = *moment;
    let what = match code {
        EvidenceCode::LeaverCondition => "lifecycle.leaver.when holds",
        EvidenceCode::ContractsEnded => "every contract row has ended",
        EvidenceCode::NoCurrentRow | EvidenceCode::Missing => unreachable!("absence is judged elsewhere"),
    };
    if !clock.is_trusted() {
        return Leaving::Later {
            detail: format!("{what}; {DOUBTED}"),
        };
    }
    if mature(begun(policy, moment)) {
        let detail = match policy.leaver_after.num_hours() {
            0 => what.to_owned(),
            hours => format!("{what}, for at least {hours} hours"),
        };
        Leaving::Now(Evidence::new(code, None, detail))
    } else {
        Leaving::Later {
            detail: format!("{what}{}", still_to_wait(policy, moment)),
        }
    }
}

/// What has held since then has held for `lifecycle.leaver.after`.
fn begun(policy: &Policy, moment: Moment) -> DateTime<Utc> {
    // With an hour it is as if time stood still since the clocks showed it last.
    let by = policy.leaver_at.map_or(moment.now, |at| hour::last(at, moment));
    hour::before(by, policy.leaver_after, moment.zone)
}

/// Evidence that a source gave before its record went, and that has held for long enough: that nobody says it any more
/// takes nothing of it back.
pub fn remembered(entry: &LedgerEntry, input: &PlanInput) -> Option<Evidence> {
    let PlanInput { moment, policy, .. } = input;
    let first_seen = entry.leaving_since.filter(|_| entry.leaving_is_certain)?;
    let ripe = FirstSight::from(entry).is_seen_by(begun(policy, *moment), policy.leaver_after, *moment);
    let day = first_seen.with_timezone(&moment.zone).date_naive();
    (ripe && input.clock.is_trusted()).then(|| {
        let detail = format!("lifecycle.leaver.when held from {day} on, and then the record went");
        Evidence::new(EvidenceCode::LeaverCondition, None, detail)
    })
}

/// What evidence that holds still waits for.
fn still_to_wait(policy: &Policy, moment: Moment) -> String {
    let hours = policy.leaver_after.num_hours();
    let Some(at) = policy.leaver_at.map(|at| at.format("%H:%M")) else {
        return format!(", but not yet for {hours} hours");
    };
    let zone = moment.zone;
    if policy.leaver_after.is_zero() {
        return format!("; the card is archived at the next {at} ({zone})");
    }
    format!(", but not yet for {hours} hours; the card is archived at the first {at} ({zone}) after that")
}

/// When the card of somebody who leaves on a date to come is archived at the earliest.
pub fn archived_when(policy: &Policy) -> String {
    let hours = policy.leaver_after.num_hours();
    match policy.leaver_at.map(|at| at.format("%H:%M")) {
        None => format!("the card is archived {hours} hours later at the earliest"),
        Some(at) if policy.leaver_after.is_zero() => format!("the card is archived at {at} at the earliest"),
        Some(at) => format!("the card is archived {hours} hours later at the earliest, at {at}"),
    }
}

/// What speaks against the absence of somebody with an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// A second source has a record of them that is no evidence of leaving.
    StillListed(String),
    /// A second source cannot say.
    Unreadable(String),
}

/// Why the absence of somebody with an operator is not enough: another source has a record of them that is no evidence
/// of leaving, or cannot say. `None`: every second source agrees, or there is none.
pub fn second_source(describe: &dyn Describe, key: &Key, snapshots: &[Snapshot], moment: Moment) -> Option<Objection> {
    let others = snapshots
        .iter()
        .filter(|snapshot| snapshot.summary.role == Some(Role::Enrich));
    let (mut unreadable, mut listed) = (Vec::new(), Vec::new());
    for snapshot in others {
        let name = &snapshot.summary.name;
        if !snapshot.can_say_absent() {
            unreadable.push(snapshot.why_not_absent());
        } else if let [record, ..] = snapshot.with_key(key) {
            let joined = JoinedRecord::alone(snapshots, name, record);
            if describe.leaving(&joined, moment) != Truth::True {
                listed.push(format!("{name} {} still has them", record.place));
            }
        }
    }
    match (unreadable.is_empty(), listed.is_empty()) {
        (true, true) => None,
        (true, false) => Some(Objection::StillListed(listed.join("; "))),
        (false, _) => {
            unreadable.extend(listed);
            Some(Objection::Unreadable(unreadable.join("; ")))
        }
    }
}

/// Whether a person of the ledger whom no usable record names is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A source has them, whatever state the record is in.
    Present,
    /// A source that ever had them cannot say.
    Unknown(String),
    /// Absent, but not often or long enough.
    NotYet {
        detail: String,
    },
    Gone(Vec<Evidence>),
}

/// Judges absence and counts it: gives the sightings as they are after this read.
pub fn missing(
    entry: &LedgerEntry,
    key: &Key,
    population: &Population<'_>,
    input: &PlanInput,
) -> (Missing, BTreeMap<SourceName, Sighting>) {
    let PlanInput { snapshots, policy, .. } = input;
    let now = input.moment.now;
    let mut sightings = entry.sightings.clone();
    let mut unknown = Vec::new();
    let mut waiting = Vec::new();
    let mut evidence = Vec::new();
    let mut present = false;
    for (source, sighting) in &mut sightings {
        let snapshot = snapshots.iter().find(|snapshot| snapshot.summary.name == *source);
        let Some(snapshot) = snapshot.filter(|snapshot| snapshot.summary.role == Some(Role::Authoritative)) else {
            unknown.push(format!(
                "{source}, which had this person, is no longer an authoritative source"
            ));
            continue;
        };
        if !snapshot.is_rejected() && population.goes_on(snapshot, key) {
            present = true;
            sighting.absent = None;
            continue;
        }
        if !snapshot.can_say_absent() {
            unknown.push(snapshot.why_not_absent());
            continue;
        }
        if !input.clock.is_trusted() {
            unknown.push(format!("absent from {source}, but {DOUBTED}"));
            continue;
        }
        let generation = &snapshot.summary.generation;
        let absence = sighting.absent.get_or_insert_with(|| Absence {
            since: snapshot.summary.read_at,
            reads: 0,
            generation: "".into(),
        });
        // Enough is enough: a row that changes with every read would be written with every read.
        if absence.generation != *generation && absence.reads < policy.missing_reads {
            absence.generation = generation.clone();
            absence.reads += 1;
        }
        let (reads, since) = (absence.reads, absence.since);
        // Rows that have ended, and not the one that is missing.
        let (code, what) = if population.has(snapshot, key) {
            (EvidenceCode::NoCurrentRow, "no current contract row in")
        } else {
            (EvidenceCode::Missing, "absent from")
        };
        let detail = format!(
            "{what} {source} in {reads} of {} reads since {}",
            policy.missing_reads,
            since.with_timezone(&input.moment.zone).format("%Y-%m-%d %H:%M %Z")
        );
        if reads >= policy.missing_reads && since + policy.missing_for <= now {
            evidence.push(Evidence::new(code, Some(source.clone()), detail));
        } else {
            waiting.push(format!("{detail}, {} hours needed", policy.missing_for.num_hours()));
        }
    }
    let verdict = if present {
        Missing::Present
    } else if !unknown.is_empty() || sightings.is_empty() {
        Missing::Unknown(if unknown.is_empty() {
            "no source is known to have had this person".to_owned()
        } else {
            unknown.join("; ")
        })
    } else if !waiting.is_empty() {
        Missing::NotYet {
            detail: waiting.join("; "),
        }
    } else {
        Missing::Gone(evidence)
    };
    (verdict, sightings)
}
