//! Reads everything a plan needs: the sources and TOPdesk side by side, then judges each read.

use super::state::Remembered;
use super::target::{TargetError, TargetReader, TargetWants};
use super::{Clock, Progress, Source};
use crate::domain::canaries;
use crate::domain::card::{FilterProof, TargetSnapshot};
use crate::domain::clock::{ClockJudgement, ClockReading, judge_clock};
use crate::domain::decision::Answer;
use crate::domain::groups::GroupsRead;
use crate::domain::identity::Moment;
use crate::domain::ids::{CardId, EnvironmentId, SourceName};
use crate::domain::input::PlanInput;
use crate::domain::key::Key;
use crate::domain::ledger::KnownWrites;
use crate::domain::policy::Policy;
use crate::domain::profile::CONTAINER;
use crate::domain::quality::{judge_source, judge_target, key_records};
use crate::domain::snapshot::{Effect, Finding, Role, Snapshot, SnapshotHistory, SnapshotReader, Verdict};
use crate::mapping::Mapping;
use chrono::{Duration, Utc};
use chrono_tz::Tz;
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// The name of the read of TOPdesk.
const TOPDESK: &str = "topdesk";

/// Cards of the ledger that a read lacks are asked for one by one, up to this many; more of them degrade the read.
const MOST_ASKED_ONE_BY_ONE: usize = 20;

/// A create whose answer was lost is settled by a full read that began this much later (RULES 2).
pub const SETTLING_TIME: Duration = Duration::minutes(10);

/// One configured source, ready to read.
pub struct SourcePart<S> {
    pub name: SourceName,
    pub role: Role,
    pub source: S,
}

/// The parts of a run that only read.
pub struct ReadParts<'a, S, R> {
    pub environment: EnvironmentId,
    pub policy: Policy,
    pub zone: Tz,
    pub mapping: &'a Mapping,
    pub sources: &'a [SourcePart<S>],
    pub reader: &'a R,
    pub wants: TargetWants,
    /// TOPdesk query for protected cards.
    pub protect_query: Option<String>,
    pub clock: &'a dyn Clock,
    pub progress: &'a dyn Progress,
}

/// What was read, before earlier doubts are settled and the input is put together.
#[derive(Clone)]
pub struct Readings {
    pub snapshots: Vec<Snapshot>,
    pub target: TargetSnapshot,
    pub policy: Policy,
    pub moment: Moment,
    pub clock: ClockJudgement,
}

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Reads the sources and TOPdesk. A source that cannot be read becomes a rejected snapshot; TOPdesk that cannot be
    /// read is an error: there is nothing to compare with.
    pub async fn read(&self, remembered: &Remembered) -> Result<Readings, TargetError> {
        let moment = Moment {
            now: self.clock.now(),
            zone: self.zone,
        };
        let sources = read_sources(
            self.sources,
            self.mapping,
            &self.policy,
            remembered,
            moment,
            self.progress,
        );
        let target = async {
            let began = Utc::now();
            let target = self.reader.read_all(&self.wants, self.progress).await;
            (target, began, Utc::now())
        };
        let (mut snapshots, (target, began, ended)) = futures::join!(sources, target);
        let mut target = target?;
        let mut readings: Vec<ClockReading> = snapshots.iter().filter_map(|read| read.clock.clone()).collect();
        readings.extend(target.server_time.map(|theirs| ClockReading {
            whose: TOPDESK.to_owned(),
            theirs,
            began,
            ended,
        }));
        let last_run = remembered.last_run_end.filter(|_| !self.clock.is_rehearsal());
        let clock = judge_clock(moment.now, &readings, last_run);
        target.read_at = moment.now;
        self.ask_for_missing(&mut target, remembered).await?;
        let mut policy = self.policy.clone();
        if let Some(query) = &self.protect_query {
            policy.protected.cards.extend(self.reader.cards_of_query(query).await?);
        }
        self.missing_reason(&mut target);
        let history = history_of(remembered, &SourceName::new(TOPDESK), moment);
        let known = remembered
            .ledger
            .values()
            .filter(|entry| entry.key.is_some())
            .map(|entry| &entry.card);
        let asked = &self.wants.fields;
        judge_target(&mut target, asked, known, &policy.target_expectations, &history);
        canaries::name_leavers(&mut snapshots, &policy, self.mapping, moment);
        Ok(Readings {
            snapshots,
            target,
            policy,
            moment,
            clock,
        })
    }

    /// Cards that the ledger knows and the read lacks: deleted, or hidden?
    async fn ask_for_missing(&self, target: &mut TargetSnapshot, remembered: &Remembered) -> Result<(), TargetError> {
        let missing: Vec<&CardId> = remembered
            .ledger
            .values()
            .filter(|entry| entry.key.is_some())
            .map(|entry| &entry.card)
            .filter(|id| target.cards.binary_search_by(|card| card.id.cmp(id)).is_err())
            .take(MOST_ASKED_ONE_BY_ONE + 1)
            .collect();
        if missing.len() > MOST_ASKED_ONE_BY_ONE || target.filters != FilterProof::None {
            return Ok(());
        }
        for id in missing {
            if self.reader.read_card(id, &self.wants.fields).await?.is_none() {
                target.confirmed_gone.insert(id.clone());
            }
        }
        Ok(())
    }

    fn missing_reason(&self, target: &mut TargetSnapshot) {
        let named = self.wants.archiving_reason.as_ref();
        let known = target
            .findings
            .iter()
            .any(|finding| finding.code.contains("archiving_reason"));
        if let (Some(name), None, false) = (named, &target.archiving_reason, known) {
            target.findings.push(Finding::new(
                "archiving_reason_missing",
                Effect::Note,
                format!("TOPdesk has no archiving reason '{name}': nothing is archived"),
                "add the reason in TOPdesk, or correct topdesk.archiving_reason",
            ));
        }
    }

    /// Puts the input of a plan together from what was read and remembered.
    ///
    /// `open` are the cards with a request whose effect was not known when the run began.
    pub fn input(&self, readings: Readings, remembered: Remembered, open: BTreeSet<CardId>) -> PlanInput {
        let Readings {
            snapshots,
            target,
            policy,
            moment,
            clock,
        } = readings;
        let in_doubt = unsettled(&remembered, &target, &clock);
        let purged_keys = purged(&remembered, &snapshots);
        PlanInput {
            environment: self.environment.clone(),
            policy,
            moment,
            clock,
            snapshots,
            target,
            ledger: remembered.ledger,
            decisions: remembered.decisions,
            contact: remembered.contact,
            budget_used: remembered.budget_used,
            set_aside: remembered.set_aside,
            groups: GroupsRead::default(),
            in_doubt,
            purged_keys,
            pins: remembered.pins,
            half_done: remembered.half_done,
            writes: KnownWrites {
                last: remembered.last_write,
                in_doubt: open,
            },
        }
    }
}

/// Reads the sources, all at once, and judges each read. A source that cannot be read becomes a rejected snapshot.
pub async fn read_sources<S: Source>(
    sources: &[SourcePart<S>],
    mapping: &Mapping,
    policy: &Policy,
    remembered: &Remembered,
    moment: Moment,
    progress: &dyn Progress,
) -> Vec<Snapshot> {
    let reads = sources
        .iter()
        .map(|part| read_source(part, mapping, policy, remembered, moment, progress));
    join_all(reads).await
}

/// What earlier reads were like, and what humans accepted.
fn history_of(remembered: &Remembered, name: &SourceName, moment: Moment) -> SnapshotHistory {
    let mut history = remembered.snapshots.get(name).cloned().unwrap_or_default();
    let decisions = remembered.decisions.values();
    let accepted = decisions.filter(|decision| decision.answer == Answer::Approve && decision.in_force(moment.now));
    history.accepted.extend(accepted.map(|decision| decision.item.clone()));
    history
}

async fn read_source<S: Source>(
    part: &SourcePart<S>,
    mapping: &Mapping,
    policy: &Policy,
    remembered: &Remembered,
    moment: Moment,
    progress: &dyn Progress,
) -> Snapshot {
    let mut expected = policy.expectations.get(&part.name).cloned().unwrap_or_default();
    let mut attributes = mapping.references().get(&part.name).cloned().unwrap_or_default();
    match &expected.groups {
        Some(groups) => attributes.extend(groups.iter().filter(|group| *group != CONTAINER).cloned()),
        None => {
            let mut groups = mapping.group_attributes(&part.name);
            groups.insert(CONTAINER.to_owned());
            expected.groups = Some(groups);
        }
    }
    let began = Utc::now();
    match part.source.read(&attributes, progress).await {
        Err(finding) => Snapshot::unreadable(part.name.clone(), part.role, moment.now, finding),
        Ok(mut read) => {
            // The run's own clock counts, also when a sandbox rehearses another day.
            read.read_at = moment.now;
            let clock = read.server_time.map(|theirs| ClockReading {
                whose: part.name.to_string(),
                theirs,
                began,
                ended: Utc::now(),
            });
            let mut keyed = key_records(read, &policy.key);
            if let Some(current) = mapping.contract(&part.name) {
                let names = keyed.read.attributes.clone();
                keyed.records =
                    crate::mapping::contracts::group_rows(keyed.records, &names, &part.name, current, moment);
            }
            let history = history_of(remembered, &part.name, moment);
            // The age of a file is a matter of the real clock, whatever day is rehearsed.
            let mut snapshot = judge_source(keyed, &expected, &history, Utc::now());
            snapshot.clock = clock;
            snapshot
        }
    }
}

/// Keys that stay frozen: a full read that began late enough has not been had yet.
fn unsettled(remembered: &Remembered, target: &TargetSnapshot, clock: &ClockJudgement) -> BTreeSet<Key> {
    let whole = target.verdict == Verdict::Complete && clock.is_trusted();
    let settles = |sent| whole && target.read_at >= sent + SETTLING_TIME;
    remembered
        .in_doubt
        .keys
        .iter()
        .filter(|(_, sent)| !settles(**sent))
        .map(|(key, _)| key.clone())
        .collect()
}

/// Keys of the sources whose keyed hash belongs to an anonymized person.
fn purged(remembered: &Remembered, snapshots: &[Snapshot]) -> BTreeSet<Key> {
    let hashes: BTreeMap<&str, ()> = remembered
        .ledger
        .values()
        .filter(|entry| entry.key.is_none())
        .filter_map(|entry| entry.key_hash.as_deref().map(|hash| (hash, ())))
        .collect();
    if hashes.is_empty() {
        return BTreeSet::new();
    }
    let keys = snapshots
        .iter()
        .flat_map(|snapshot| snapshot.records().map(|record| &record.key));
    keys.filter(|key| hashes.contains_key(remembered.hasher.hash(key).as_str()))
        .cloned()
        .collect()
}
