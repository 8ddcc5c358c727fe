//! Leaving needs evidence (RULES 4): the leaver condition, ended contracts, and absence, the weakest of all.

use super::clock::DOUBTED;
use super::hour;
use super::identity::{Describe, JoinedRecord, Moment, Truth};
use super::ids::SourceName;
use super::input::PlanInput;
use super::key::Key;
use super::ledger::{Absence, LedgerEntry, Sighting};
use super::merge::{Person, Population};
use super::plan::{Evidence, EvidenceCode};
use super::policy::Policy;
use super::record::Standing;
use super::snapshot::{Role, Snapshot};
use chrono::{DateTime, Duration, NaiveDate, TimeZone, Utc};
use std::collections::BTreeMap;

/// Whether a present person leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    No,
    /// Evidence that has not held for `lifecycle.leaver.after`.
    Later {
        detail: String,
    },
    Now(Evidence),
    /// The condition gave neither yes nor no.
    Unknown(String),
}

/// Judges a present person. `since` is when the ledger first saw evidence that does not depend on the date.
pub fn leaving(
    describe: &dyn Describe,
    person: &Person<'_>,
    input: &PlanInput,
    since: Option<DateTime<Utc>>,
) -> Leaving {
    let PlanInput {
        moment, policy, clock, ..
    } = input;
    let moment = *moment;
    let contracts_ended = person.standing == Standing::AllRowsEnded;
    let condition = describe.leaving(&person.joined, moment);
    let (code, by_date) = match condition {
        Truth::True => {
            // A condition that also holds in a far past does not depend on today: a status, an OU, a disabled account.
            let far_past = Utc.timestamp_opt(-10_000_000_000, 0).single().expect("a valid time");
            let by_date = describe.leaving(&person.joined, moment.at(far_past)) != Truth::True;
            (EvidenceCode::LeaverCondition, by_date)
        }
        Truth::False | Truth::Unknown(_) if contracts_ended => (EvidenceCode::ContractsEnded, false),
        Truth::False => return Leaving::No,
        Truth::Unknown(why) => return Leaving::Unknown(why),
    };
    if !clock.is_trusted() {
        // Also that every contract has ended may be a matter of the date; nothing ripens.
        return match code {
            EvidenceCode::LeaverCondition => Leaving::Later {
                detail: format!("lifecycle.leaver.when holds; {DOUBTED}"),
            },
            EvidenceCode::ContractsEnded | EvidenceCode::Missing => Leaving::Unknown(DOUBTED.to_owned()),
        };
    }
    // With an hour it is as if time stood still since the clocks showed it last.
    let (by, begun) = match policy.leaver_at {
        Some(at) => {
            let by = hour::last(at, moment);
            (by, hour::before(by, policy.leaver_after, moment.zone))
        }
        None => (moment.now, moment.now - policy.leaver_after),
    };
    let mature = if by_date {
        describe.leaving(&person.joined, moment.at(begun)) == Truth::True
    } else {
        since.unwrap_or(moment.now) + policy.leaver_after <= by
    };
    let what = match code {
        EvidenceCode::LeaverCondition => "lifecycle.leaver.when holds",
        EvidenceCode::ContractsEnded => "every contract row has ended",
        EvidenceCode::Missing => unreachable!("absence is judged elsewhere"),
    };
    if mature {
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

/// How far ahead end dates are looked for.
const LOOK_AHEAD_DAYS: i64 = 90;

/// The day on which the leaver condition of somebody who stays today begins to hold, where that is near. Looked for by
/// halves: a condition that is not true for good once it is true may give any of its days.
pub fn leaves_on(describe: &dyn Describe, person: &Person<'_>, moment: Moment) -> Option<NaiveDate> {
    if !describe.leaves_by_date() {
        return None;
    }
    let at = |days: i64| moment.at(moment.now + Duration::days(days));
    let holds = |days: i64| describe.leaving(&person.joined, at(days)) == Truth::True;
    if !holds(LOOK_AHEAD_DAYS) {
        return None;
    }
    let (mut stays, mut leaves) = (0, LOOK_AHEAD_DAYS);
    while leaves - stays > 1 {
        let middle = (stays + leaves) / 2;
        if holds(middle) { leaves = middle } else { stays = middle }
    }
    Some(at(leaves).today())
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

/// Why the absence of somebody with an operator is not enough: another source has a record of them that is no evidence
/// of leaving, or cannot say. `None`: every second source agrees, or there is none.
pub fn second_source(describe: &dyn Describe, key: &Key, snapshots: &[Snapshot], moment: Moment) -> Option<String> {
    let others = snapshots
        .iter()
        .filter(|snapshot| snapshot.summary.role == Some(Role::Enrich));
    let objections: Vec<String> = others
        .filter_map(|snapshot| {
            let name = &snapshot.summary.name;
            if !snapshot.can_say_absent() {
                return Some(format!("{name} could not be read completely"));
            }
            let [record, ..] = snapshot.with_key(key) else {
                return None;
            };
            let joined = JoinedRecord::alone(snapshots, name, record);
            let leaves = describe.leaving(&joined, moment) == Truth::True;
            (!leaves).then(|| format!("{name} {} still has them", record.place))
        })
        .collect();
    (!objections.is_empty()).then(|| objections.join("; "))
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
        if !snapshot.is_rejected() && population.has(snapshot, key) {
            present = true;
            sighting.absent = None;
            continue;
        }
        if !snapshot.can_say_absent() {
            unknown.push(format!("{source} could not be read completely"));
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
        let detail = format!(
            "absent from {source} in {reads} of {} reads since {}",
            policy.missing_reads,
            since.format("%Y-%m-%d %H:%M UTC")
        );
        if reads >= policy.missing_reads && since + policy.missing_for <= now {
            evidence.push(Evidence::new(EvidenceCode::Missing, Some(source.clone()), detail));
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
