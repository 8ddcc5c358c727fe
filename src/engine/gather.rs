//! Reads everything a plan needs: the sources and TOPdesk side by side, then judges each read.

use super::former::{Former, FormerReadings, ReadingRules, kept, to_compare};
use super::state::Remembered;
use super::target::{TargetError, TargetReader, TargetWants};
use super::{Clock, Progress, Source};
use crate::core::input::PlanInput;
use crate::core::memory::decision::Answer;
use crate::core::memory::ledger::KnownWrites;
use crate::core::model::card::{FilterProof, TargetSnapshot};
use crate::core::model::groups::GroupsRead;
use crate::core::model::identity::Moment;
use crate::core::model::ids::{CardId, EnvironmentId, SourceName};
use crate::core::model::key::{Key, KeySpec};
use crate::core::reads::canaries;
use crate::core::reads::clock::{ClockJudgement, ClockReading, Yardsticks, judge_clock};
use crate::core::reads::profile::CONTAINER;
use crate::core::reads::quality::{judge_source, judge_target, key_records};
use crate::core::reads::snapshot::{
    Effect, Expectations, Finding, Role, Snapshot, SnapshotHistory, SnapshotReader, SourceRead, Verdict,
};
use crate::core::rules::lists::hold_the_people;
use crate::core::rules::policy::Policy;
use crate::mapping::Mapping;
use crate::mapping::skip::SkipRule;
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
    /// The effective configuration as YAML, without secrets: kept with the input of a run.
    pub config: String,
    pub rules: ReadingRules,
    /// Makes a configuration that was kept ready again; `None` where this program cannot read it any more.
    pub former: fn(&str) -> Option<Former>,
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
pub struct Readings {
    pub snapshots: Vec<Snapshot>,
    pub target: TargetSnapshot,
    pub policy: Policy,
    pub moment: Moment,
    pub clock: ClockJudgement,
    /// The configuration of the last full run, where it was another one and can be compared.
    pub former: Option<FormerReadings>,
}

impl Readings {
    /// A copy that is compared with no other configuration.
    pub(crate) fn alone(&self) -> Readings {
        Readings {
            snapshots: self.snapshots.clone(),
            target: self.target.clone(),
            policy: self.policy.clone(),
            moment: self.moment,
            clock: self.clock.clone(),
            former: None,
        }
    }
}

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Reads the sources and TOPdesk. A source that cannot be read becomes a rejected snapshot; TOPdesk that cannot be
    /// read is an error: there is nothing to compare with.
    pub async fn read(&self, remembered: &Remembered) -> Result<Readings, TargetError> {
        let former = to_compare(&remembered.contact, &self.policy).and_then(self.former);
        self.read_beside(remembered, former).await
    }

    /// The same, with what a former configuration needs besides.
    pub async fn read_beside(&self, remembered: &Remembered, former: Option<Former>) -> Result<Readings, TargetError> {
        let moment = Moment {
            now: self.clock.now(),
            zone: self.zone,
        };
        let beside = former.as_ref().map(|former| (former, &self.rules));
        let sources = read_sources(
            self.sources,
            self.mapping,
            &self.policy,
            remembered,
            beside,
            moment,
            self.progress,
        );
        let target = async {
            let began = Utc::now();
            let target = self.reader.read_all(&self.wants, self.progress).await;
            (target, began, Utc::now())
        };
        let (reads, (target, began, ended)) = futures::join!(sources, target);
        let (mut snapshots, judged_otherwise): (Vec<_>, Vec<_>) = reads.into_iter().unzip();
        let mut target = target?;
        let mut readings: Vec<ClockReading> = snapshots.iter().filter_map(|read| read.clock.clone()).collect();
        readings.extend(target.server_time.map(|theirs| ClockReading {
            whose: TOPDESK.to_owned(),
            theirs,
            began,
            ended,
        }));
        let known = Yardsticks {
            last_run: remembered.last_run_end.filter(|_| !self.clock.is_rehearsal()),
            machine: Some(ended),
            built: super::built(),
            newest_change: target.cards.iter().filter_map(|card| card.modified_at).max(),
            zone: Some(moment.zone),
        };
        let clock = judge_clock(moment.now, &readings, &known);
        target.read_at = moment.now;
        target.forget_operators_of_the_anonymized(&self.policy.key);
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
        let former = match former {
            Some(former) => self
                .protected_before(former)
                .await
                .map(|(former, protected)| FormerReadings {
                    former,
                    judged_otherwise: judged_otherwise
                        .into_iter()
                        .flatten()
                        .map(|snapshot| (snapshot.summary.name.clone(), snapshot))
                        .collect(),
                    protected,
                }),
            None => None,
        };
        Ok(Readings {
            snapshots,
            target,
            policy,
            moment,
            clock,
            former,
        })
    }

    /// The cards that a former configuration protects by a query. Without an answer it cannot be compared.
    async fn protected_before(&self, former: Former) -> Option<(Former, BTreeSet<CardId>)> {
        let Some(query) = &former.rules.protect_query else {
            return Some((former, BTreeSet::new()));
        };
        match self.reader.cards_of_query(query).await {
            Ok(cards) => Some((former, cards)),
            Err(error) => {
                tracing::warn!(
                    "the former guard.protect.query was not answered, so that the plan is not compared: {error}"
                );
                None
            }
        }
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
        let (mut input, former) = self.input_beside(readings, remembered, open);
        input.former = former
            .and_then(|former| former.plan(&mut input, &self.rules))
            .as_ref()
            .map(kept);
        input
    }

    /// The same, with the former configuration not yet planned.
    pub fn input_beside(
        &self,
        readings: Readings,
        remembered: Remembered,
        open: BTreeSet<CardId>,
    ) -> (PlanInput, Option<FormerReadings>) {
        let Readings {
            snapshots,
            target,
            policy,
            moment,
            clock,
            former,
        } = readings;
        let in_doubt = unsettled(&remembered, &target, &clock);
        let (purged_keys, forgotten_cards) = purged(&remembered, &snapshots);
        let mut input = PlanInput {
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
            former: None,
            in_doubt,
            purged_keys,
            forgotten_cards,
            pins: remembered.pins,
            half_done: remembered.half_done,
            writes: KnownWrites {
                last: remembered.last_write,
                in_doubt: open,
                settled: remembered.settled_writes,
            },
        };
        hold_the_people(&mut input);
        (input, former)
    }
}

/// Reads the sources, all at once, and judges each read; also as a former configuration judges it, where that expects
/// something else. A source that cannot be read becomes a rejected snapshot.
pub async fn read_sources<S: Source>(
    sources: &[SourcePart<S>],
    mapping: &Mapping,
    policy: &Policy,
    remembered: &Remembered,
    beside: Option<(&Former, &ReadingRules)>,
    moment: Moment,
    progress: &dyn Progress,
) -> Vec<(Snapshot, Option<Snapshot>)> {
    let reads = sources
        .iter()
        .map(|part| read_source(part, mapping, policy, remembered, beside, moment, progress));
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

/// What is expected of a source, with the attributes that name groups.
fn expected_of(policy: &Policy, mapping: &Mapping, source: &SourceName) -> Expectations {
    let mut expected = policy.expectations.get(source).cloned().unwrap_or_default();
    expected.groups.get_or_insert_with(|| {
        let mut groups = mapping.group_attributes(source);
        groups.insert(CONTAINER.to_owned());
        groups
    });
    expected
}

async fn read_source<S: Source>(
    part: &SourcePart<S>,
    mapping: &Mapping,
    policy: &Policy,
    remembered: &Remembered,
    beside: Option<(&Former, &ReadingRules)>,
    moment: Moment,
    progress: &dyn Progress,
) -> (Snapshot, Option<Snapshot>) {
    let expected = expected_of(policy, mapping, &part.name);
    let mut attributes = mapping.references().get(&part.name).cloned().unwrap_or_default();
    let groups = policy.expectations.get(&part.name).and_then(|it| it.groups.as_ref());
    attributes.extend(
        groups
            .into_iter()
            .flatten()
            .filter(|group| *group != CONTAINER)
            .cloned(),
    );
    let more = beside.map_or_else(BTreeSet::new, |(former, rules)| {
        former.more_attributes(&part.name, rules, &attributes)
    });
    let began = Utc::now();
    match read_attributes(&part.source, &attributes, &more, progress).await {
        Err(finding) => (
            Snapshot::unreadable(part.name.clone(), part.role, moment.now, finding),
            None,
        ),
        Ok(mut read) => {
            // The run's own clock counts, also when a sandbox rehearses another day.
            read.read_at = moment.now;
            let clock = read.server_time.map(|theirs| ClockReading {
                whose: part.name.to_string(),
                theirs,
                began,
                ended: Utc::now(),
            });
            let history = history_of(remembered, &part.name, moment);
            let judging = |expected, skip| Judging {
                mapping,
                key: &policy.key,
                expected,
                skip,
                history: &history,
                moment,
            };
            let now = judging(expected, mapping.skip(&part.name));
            let otherwise = beside
                .filter(|(former, rules)| former.reads_alike(&part.name, rules))
                .map(|(former, _)| {
                    let expected = expected_of(&former.policy, mapping, &part.name);
                    judging(expected, former.mapping.skip(&part.name))
                })
                .filter(|then| !then.is_like(&now))
                .map(|then| then.judge(read.clone()));
            let mut snapshot = now.judge(read);
            snapshot.clock = clock;
            (snapshot, otherwise)
        }
    }
}

/// How one configuration judges the read of one source.
struct Judging<'a> {
    mapping: &'a Mapping,
    key: &'a KeySpec,
    expected: Expectations,
    /// What is no person.
    skip: Option<&'a SkipRule>,
    history: &'a SnapshotHistory,
    moment: Moment,
}

impl Judging<'_> {
    fn is_like(&self, other: &Judging<'_>) -> bool {
        self.expected == other.expected && self.skip.map(SkipRule::mark) == other.skip.map(SkipRule::mark)
    }

    fn judge(&self, mut read: SourceRead) -> Snapshot {
        let skipped = self.skip.map(|rule| rule.take_out(&mut read, self.moment));
        let mut keyed = key_records(read, self.key).with_skipped(skipped.unwrap_or_default(), self.key);
        let source = keyed.read.source.clone();
        if let Some(rule) = self.mapping.contract(&source) {
            keyed.group(|records, names| rule.group(records, names, &source, self.moment));
            let differ = self
                .mapping
                .rows_that_differ(&source, &keyed.records, &keyed.read.attributes);
            keyed.read.findings.extend(differ);
        }
        let read = &keyed.read;
        keyed.matched = self
            .mapping
            .matched(&read.source, &read.attributes, &keyed.records, self.moment);
        // The age of a file is a matter of the real clock, whatever day is rehearsed.
        judge_source(keyed, &self.expected, self.history, Utc::now())
    }
}

/// Reads the attributes that are needed, and those of a former configuration besides; where the source lacks one of the
/// latter, only the former: what nobody asks for any more is no fault of the read.
async fn read_attributes(
    source: &impl Source,
    needed: &BTreeSet<String>,
    more: &BTreeSet<String>,
    progress: &dyn Progress,
) -> Result<SourceRead, Finding> {
    if !more.is_empty() {
        let all = needed.union(more).cloned().collect();
        let read = source.read(&all, progress).await?;
        if read.missing_attributes.is_disjoint(more) {
            return Ok(read);
        }
    }
    source.read(needed, progress).await
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

/// Keys of the sources whose keyed hash belongs to somebody who was purged; and the cards of those who were forgotten at their
/// wish, so that nobody says of them that they were anonymized.
fn purged(remembered: &Remembered, snapshots: &[Snapshot]) -> (BTreeSet<Key>, BTreeMap<Key, CardId>) {
    let purged = remembered.ledger.values().filter(|entry| entry.key.is_none());
    let purged: Vec<_> = purged
        .filter_map(|entry| Some((entry.key_hash.as_deref()?, entry)))
        .collect();
    let (mut keys, mut forgotten) = (BTreeSet::new(), BTreeMap::new());
    if purged.is_empty() {
        return (keys, forgotten);
    }
    let hashes: BTreeSet<&str> = purged.iter().map(|(hash, _)| *hash).collect();
    let only_forgotten = purged.iter().filter(|(_, entry)| !entry.anonymized);
    let cards: BTreeMap<&str, &CardId> = only_forgotten.map(|(hash, entry)| (*hash, &entry.card)).collect();
    for record in snapshots.iter().flat_map(Snapshot::records) {
        let hash = remembered.hasher.hash(&record.key);
        if hashes.contains(hash.as_str()) {
            let card = cards.get(hash.as_str());
            forgotten.extend(card.map(|card| (record.key.clone(), (*card).clone())));
            keys.insert(record.key.clone());
        }
    }
    (keys, forgotten)
}
