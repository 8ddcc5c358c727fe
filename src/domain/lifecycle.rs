//! Leaving needs evidence (RULES 4): the leaver condition, ended contracts, and absence, the weakest of all.

use super::clock::DOUBTED;
use super::identity::{Describe, Truth};
use super::ids::SourceName;
use super::input::PlanInput;
use super::key::Key;
use super::ledger::{Absence, LedgerEntry, Sighting};
use super::merge::{Person, Population};
use super::plan::{Evidence, EvidenceCode};
use super::record::Standing;
use super::snapshot::Role;
use chrono::{DateTime, TimeZone, Utc};
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
    let mature = if by_date {
        describe.leaving(&person.joined, moment.at(moment.now - policy.leaver_after)) == Truth::True
    } else {
        since.unwrap_or(moment.now) + policy.leaver_after <= moment.now
    };
    let what = match code {
        EvidenceCode::LeaverCondition => "lifecycle.leaver.when holds",
        EvidenceCode::ContractsEnded => "every contract row has ended",
        EvidenceCode::Missing => unreachable!("absence is judged elsewhere"),
    };
    let hours = policy.leaver_after.num_hours();
    if mature {
        Leaving::Now(Evidence {
            code,
            source: None,
            detail: format!("{what}, for at least {hours} hours"),
        })
    } else {
        Leaving::Later {
            detail: format!("{what}, but not yet for {hours} hours"),
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
            evidence.push(Evidence {
                code: EvidenceCode::Missing,
                source: Some(source.clone()),
                detail,
            });
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
