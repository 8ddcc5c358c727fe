//! Plan, run and apply: one path, stopped after the guard or carried through.

use super::Source;
use super::after_run::{counts, held_items, holds_after_some, quiet, run_items, verdict, without_people};
use super::apply::OperatorAccount;
use super::attention::{Attention, Judgeable, Unjudged, list_after, list_after_some};
use super::certify::{busy, purge, purge_done};
use super::gather::ReadParts;
use super::inputs::{KeptHeader, KeptInput};
pub use super::maker::Scope;
use super::maker::{Made, Making, PlanMaker};
pub use super::planned::Planned;
use super::reason::without_reason;
use super::recover::Settled;
pub use super::run_error::RunError;
use super::settled::{done_of, waiting_since};
use super::state::{Ending, KeptHold, KeyHasher, Learned, Remembered, RunLease, StateWriter, StoreError};
use super::stopping::unless_stopped;
use super::target::{TargetReader, TargetWriter};
use crate::core::guard::{ApprovedPlan, Judged, could_judge, judge, may_be_missing};
use crate::core::input::PlanInput;
use crate::core::memory::decision::{Contact, Decision, HeldItem, is_rejected, settled_items};
use crate::core::memory::ledger::LedgerEntry;
use crate::core::memory::pin::{Pin, standing, with_new};
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId, SourceName};
use crate::core::plan::ActionKind;
use crate::core::plan::concern::Concern;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::report::{ChangeOutcome, RunReport, RunVerdict};
use crate::core::reads::profile::Profile;
use crate::core::reads::quality::{target_profile, target_summary};
use crate::core::reads::snapshot::SnapshotSummary;
use chrono::Utc;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Everything of a run that is over.
pub struct Finished<A = ()> {
    pub report: RunReport,
    pub planned: Planned,
    pub outcomes: Vec<ChangeOutcome>,
    /// What waits now.
    pub holds: Vec<HeldItem>,
    /// What waits now and did not wait before this run.
    pub new_holds: Vec<HeldItem>,
    /// What else needs a human, after a run that looked at everybody; nothing is new or solved by any other.
    pub attention: Attention,
    /// What the maker of the plan tells besides.
    pub also: A,
}

/// The parts of a run that write.
pub struct WriteParts<'a, W, S> {
    pub writer: &'a W,
    /// The account for approved items that touch an operator, where there is one.
    pub operator_account: Option<&'a OperatorAccount<'a, W>>,
    /// Longest time for sending changes.
    pub limit: Option<Duration>,
    pub store: &'a S,
    pub concurrency: usize,
    pub stop: &'a CancellationToken,
}

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Plans, judges, applies what is allowed, holds the rest, and remembers. The caller has the lease.
    pub async fn run<W: TargetWriter, T: StateWriter, M: PlanMaker>(
        &self,
        parts: &WriteParts<'_, W, T>,
        lease: &RunLease,
        maker: &M,
        command: &str,
    ) -> Result<Finished<M::Also>, RunError> {
        let mut report = RunReport::begun(lease.run().clone(), command, self.clock.now());
        report.whole = maker.is_whole();
        parts.store.start_run(lease, &report).await?;
        // On the heap: it holds all that was read, and a worker's stack is 2 MiB.
        match Box::pin(self.carry(parts, lease, maker, &mut report)).await {
            Ok(mut finished) => {
                report.finished_at = Some(self.clock.now());
                let fingerprint = finished.planned.judged.plan.fingerprint.clone();
                parts.store.finish_run(lease, &report, Some(&fingerprint)).await?;
                finished.report = report;
                Ok(finished)
            }
            Err(error) => {
                report.finished_at = Some(self.clock.now());
                // A run that was stopped has no verdict: it is no trouble to tell of.
                report.verdict = (!matches!(error, RunError::Stopped)).then_some(RunVerdict::Failed);
                report.failure = Some(error.to_string());
                // The first failure is the one to tell, also when the store that failed cannot note it.
                if let Err(second) = parts.store.finish_run(lease, &report, None).await {
                    tracing::warn!(
                        run.id = report.id.as_str(),
                        "the end of run {} could not be noted: {second}",
                        report.id
                    );
                }
                Err(error)
            }
        }
    }

    /// Settles what was left open, has the plan made, carries it out and remembers. The report is filled but for its end.
    async fn carry<W: TargetWriter, T: StateWriter, M: PlanMaker>(
        &self,
        parts: &WriteParts<'_, W, T>,
        lease: &RunLease,
        maker: &M,
        report: &mut RunReport,
    ) -> Result<Finished<M::Also>, RunError> {
        let store = parts.store;
        let narrowed = maker.reads_with(self, store).await?;
        let reads = narrowed.as_ref().unwrap_or(self);
        let (read, recovered) = Box::pin(reads.settle_to_write(parts, lease)).await?;
        let hasher = read.remembered.hasher.clone();
        let earlier_holds = store.holds().await?;
        let earlier_concerns = store.concerns().await?;
        let making = Making {
            parts: reads,
            store,
            read,
            run: lease.run(),
            recovered: &recovered,
        };
        let made = unless_stopped(parts.stop, maker.make(making)).await;
        let Made {
            mut planned,
            approved,
            pins,
            decisions,
            also,
        } = made.ok_or(RunError::Stopped)??;
        let Planned { judged, input } = &mut planned;
        let input = &*input;
        report.plan_id = Some(judged.plan.id.clone());
        report.snapshots.clone_from(&judged.plan.snapshots);
        report.clock.clone_from(&input.clock.doubts);
        let whole = maker.is_whole();
        let mut ledger = input.ledger.clone();
        let mut forgotten: Vec<CardId> = Vec::new();
        if whole {
            let seen = reads
                .remember_what_was_seen(store, lease, (judged, input), &hasher)
                .await?;
            ledger.extend(seen.ledger.into_iter().map(|entry| (entry.card.clone(), entry)));
            forgotten = seen.forgotten;
        }
        let (approved, unreasoned) = without_reason(approved, input, &reads.wants.archiving_reason);
        reads.pin_first(store, lease, &approved, (input, &pins)).await?;
        if let Some(aside) = maker.aside().filter(|_| !decisions.is_empty()) {
            // Before anything is decided or sent: what the decisions are about is on disk, whatever happens then.
            let waits = judge(judged.plan.clone(), &undecided(input, &decisions));
            let waits = reads.held(&waits, input, &[], lease);
            let learned = Learned {
                undo_holds: Some((aside, &judged.plan.id, &waits)),
                ..Learned::default()
            };
            store.learn(lease, learned, self.clock.now()).await?;
            store.decide(&decisions).await?;
        }
        let applier = reads.applier(parts, lease, input, ledger, &hasher);
        // Beside the work: nothing of it waits for a large file.
        let keeping = async {
            if maker.aside().is_none() {
                reads.keep_input(store, lease, judged, input).await;
            }
        };
        let (applied, ()) = futures::join!(applier.apply(&approved), keeping);
        let mut outcomes = applied?;
        outcomes.extend(unreasoned);
        outcomes.extend(recovered);
        reads.note_half_ways(store, judged, input).await?;
        let mut holds = reads.held(judged, input, &outcomes, lease);
        let earlier = waiting_since(&earlier_holds, &mut holds);
        let quiet: BTreeSet<ItemId> = quiet(&earlier_holds);
        let is_new = |hold: &&HeldItem| {
            // What was approved and then refused is news as well, and so is what somebody said no to long ago.
            let known = input.set_aside.get(&hold.change.id);
            let was_quiet = quiet.contains(&hold.change.id) && !hold.is_settled();
            !earlier.contains_key(&hold.change.id)
                || was_quiet
                || hold.set_aside.as_ref() != known
                || new_installation(hold, &earlier_holds)
        };
        let new_holds: Vec<HeldItem> = holds.iter().filter(is_new).cloned().collect();
        let items = run_items(judged, &outcomes, if whole { &new_holds } else { &[] });
        let items = without_people(items, &forgotten);
        let done = done_of(&outcomes);
        let could_judge = could_judge(&judged.plan, input);
        let attention = if whole {
            let missing = may_be_missing(input);
            let judgeable = Judgeable {
                everybody: could_judge,
                missing: &missing,
            };
            Some(list_after(earlier_concerns, judged, &judgeable, self.clock.now()).without(&forgotten))
        } else {
            list_after_some(earlier_concerns, judged, self.clock.now())
        };
        let ended = judged.ended_by(input, &done, whole);
        let mut learned = Learned {
            concerns: attention.as_ref().map(|it| it.now.as_slice()),
            done: &done,
            ended: Some(&ended),
            items: Some(&items),
            ..Learned::default()
        };
        let (now, settled);
        match maker.aside() {
            Some(aside) => learned.undo_holds = Some((aside, &judged.plan.id, &holds)),
            None => {
                now = holds_now(judged, &holds, earlier_holds, (whole, could_judge), &done);
                learned.holds = Some(&now);
                // What first contact or a configuration brought, and was let through and done, waits no longer: the next change
                // of the same card is another one.
                let brought = judged.contact.settled(&judged.plan, &done).filter(|_| whole);
                let known = if whole { &judged.contact } else { &input.contact };
                settled = with_refusals(brought, known, judged, &applier.state.refused(), &done);
                learned.contact = settled.as_ref();
            }
        }
        store
            .learn(lease, learned, input.clock.earliest(self.clock.now()))
            .await?;
        let written = applier.state.take_learned();
        purge_done(store, lease, written, &input.target, &hasher, self.clock.now()).await?;
        report.failure = applier.stopped_by().or_else(|| applier.state.alarm());
        report.counts = counts(judged, &outcomes, &holds);
        report.verdict = Some(match verdict(report, judged, &outcomes, &holds) {
            RunVerdict::Clean if M::leaves_something(&also) => RunVerdict::Attention,
            verdict => verdict,
        });
        Ok(Finished {
            report: report.clone(),
            planned,
            outcomes,
            holds,
            new_holds,
            attention: attention.unwrap_or_default(),
            also,
        })
    }

    /// What a whole run knows before it sends anything: cards and people as they were seen, and who is forgotten.
    async fn remember_what_was_seen<T: StateWriter>(
        &self,
        store: &T,
        lease: &RunLease,
        (judged, input): (&Judged, &PlanInput),
        hasher: &KeyHasher,
    ) -> Result<SeenByRun, RunError> {
        let mut ledger = judged.plan.ledger.clone();
        let busy = busy(store).await?;
        let now = self.clock.now();
        let purged = purge(&mut ledger, &busy, &input.target, hasher, lease.run(), now);
        let pins = standing(&judged.plan, &input.pins);
        // A read at a time that is not known is no yardstick for later ones.
        let trusted = input.clock.is_trusted();
        let profiles = profiles(input, &self.wants.fields);
        let learned = Learned {
            ledger: &ledger,
            contact: Some(&judged.contact),
            snapshots: if trusted { &judged.plan.snapshots } else { &[] },
            profiles: &profiles,
            pins: (pins != input.pins).then_some(pins.as_slice()),
            certificates: &purged.certificates,
            ..Learned::default()
        };
        // The purge finds by the keys that the ledger still has.
        for card in &purged.cards {
            store.purge(lease, card).await?;
        }
        store
            .learn(lease, learned, input.clock.earliest(self.clock.now()))
            .await?;
        Ok(SeenByRun {
            ledger,
            forgotten: purged.cards,
        })
    }

    /// Pins what is taken back, before anything is sent: an undo that is cut off must not leave the sync a way to do it all
    /// again. A pin on what was not undone after all goes with the next whole run.
    async fn pin_first<T: StateWriter>(
        &self,
        store: &T,
        lease: &RunLease,
        approved: &ApprovedPlan,
        (input, pins): (&PlanInput, &BTreeMap<ItemId, Vec<Pin>>),
    ) -> Result<(), StoreError> {
        let new = approved.changes().iter();
        let new: Vec<Pin> = new
            .filter_map(|approved| pins.get(&approved.change().id))
            .flatten()
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let standing = with_new(&input.pins, &new);
        let learned = Learned {
            pins: Some(&standing),
            ..Learned::default()
        };
        store.learn(lease, learned, self.clock.now()).await
    }

    /// What waits after these outcomes. Decisions are made on the machine's clock, so what they must come after is noted on it.
    fn held(&self, judged: &Judged, input: &PlanInput, outcomes: &[ChangeOutcome], lease: &RunLease) -> Vec<HeldItem> {
        held_items(
            judged,
            &input.target.cards,
            outcomes,
            lease.run(),
            self.clock.now(),
            Utc::now(),
            &input.set_aside,
        )
    }

    /// Keeps what the plan was made of. That it cannot be kept is no reason to leave the run's work undone.
    async fn keep_input<T: StateWriter>(&self, store: &T, lease: &RunLease, judged: &Judged, input: &Arc<PlanInput>) {
        let header = KeptHeader {
            run: lease.run().clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kept_at: Utc::now(),
            moment: input.moment.now,
            plan: judged.plan.id.clone(),
            fingerprint: judged.plan.fingerprint.clone(),
            config: self.config.clone(),
            forgotten: BTreeSet::new(),
            anonymized: input.anonymized(),
        };
        let input = Arc::clone(input);
        if let Err(error) = store.keep_input(lease, KeptInput { header, input }).await {
            let run = lease.run();
            tracing::warn!(
                run.id = run.as_str(),
                "the input of run {run} could not be kept, it cannot be replayed: {error}"
            );
        }
    }

    pub(crate) async fn keep_settled<T: StateWriter>(
        &self,
        store: &T,
        lease: &RunLease,
        settled: &[Settled],
    ) -> Result<(), StoreError> {
        for one in settled {
            let Some(outcome) = &one.outcome else { continue };
            let ending = Ending {
                outcome,
                after: one.after.as_ref(),
                learned: one.learned.as_ref(),
                at: self.clock.now(),
            };
            store.settle(lease, one.intent.id, ending).await?;
            let item = one.intent.change.id.as_str();
            tracing::info!(
                item.id = item,
                "settled by reading: item {item}, left open by run {}",
                one.intent.run
            );
        }
        Ok(())
    }
}

/// What was remembered of a whole run.
struct SeenByRun {
    ledger: Vec<LedgerEntry>,
    /// Cards of people who are anonymized and were purged.
    forgotten: Vec<CardId>,
}

/// The whole list of what waits of the sync after a run of it.
fn holds_now(
    judged: &Judged,
    holds: &[HeldItem],
    earlier: Vec<KeptHold>,
    (whole, could_judge): (bool, bool),
    done: &[ItemId],
) -> Vec<KeptHold> {
    let now = holds.iter().map(|item| KeptHold {
        plan: judged.plan.id.clone(),
        item: item.clone(),
        undoes: None,
    });
    if whole {
        let unjudged = Unjudged::of(&judged.plan, could_judge);
        let left = earlier.into_iter().filter(|kept| unjudged.includes(kept));
        now.chain(left).collect()
    } else {
        holds_after_some(earlier, now.collect(), done)
    }
}

/// The same without these decisions: what would wait.
fn undecided(input: &PlanInput, decisions: &[Decision]) -> PlanInput {
    let mut input = input.clone();
    for decision in decisions {
        input.decisions.remove(&decision.item);
    }
    input
}

/// Whether an item that waited before waits for another TOPdesk now: that is news.
fn new_installation(hold: &HeldItem, earlier: &[KeptHold]) -> bool {
    let changed = |reason: &&HoldReason| matches!(reason, HoldReason::InstallationChanged { .. });
    let mut reasons = hold.reasons.iter().filter(changed);
    reasons.any(|reason| {
        let before = earlier.iter().filter(|kept| kept.item.change.id == hold.change.id);
        !before.flat_map(|kept| &kept.item.reasons).any(|known| known == reason)
    })
}

/// What is remembered of the environment, with what TOPdesk refused in this run and what it took after all; `None` where
/// nothing is new.
fn with_refusals(
    settled: Option<Contact>,
    known: &Contact,
    judged: &Judged,
    refused: &BTreeSet<ItemId>,
    done: &[ItemId],
) -> Option<Contact> {
    let mut refusals = known.refusals.clone();
    for change in &judged.plan.changes {
        if refused.contains(&change.id) {
            refusals.refused(change);
        } else if done.contains(&change.id) && !refusals.is_empty() {
            refusals.done(change);
        }
    }
    if refusals == known.refusals {
        return settled;
    }
    let contact = settled.unwrap_or_else(|| known.clone());
    Some(Contact { refusals, ..contact })
}

/// What the reads were like, under the names of their summaries.
fn profiles(input: &PlanInput, asked: &BTreeSet<CardField>) -> Vec<(SourceName, Profile)> {
    let sources = input.snapshots.iter();
    let sources = sources.map(|snapshot| (snapshot.summary.name.clone(), snapshot.profile.clone()));
    let target = target_profile(&input.target, asked).kept();
    sources.chain([(target_summary(&input.target).name, target)]).collect()
}

/// The cards of requests that earlier runs left open.
pub(crate) fn open_cards(settled: &[Settled]) -> BTreeSet<CardId> {
    let read = |one: &Settled| one.after.as_ref().map(|card| card.id.clone());
    let cards = settled
        .iter()
        .map(|one| read(one).or_else(|| one.intent.change.card.clone()));
    cards.flatten().collect()
}

/// What settled doubts teach the plan that follows.
pub(crate) fn take_in(settled: &[Settled], remembered: &mut Remembered) {
    for one in settled {
        if let Some(entry) = &one.learned {
            remembered.ledger.insert(entry.card.clone(), entry.clone());
        }
        if let (Some(_), Some(key), ActionKind::Create) =
            (&one.outcome, &one.intent.change.key, one.intent.change.action.kind())
        {
            remembered.in_doubt.keys.remove(key);
        }
    }
}

/// The exit code of `plan`: 4, 3, 2 or 0.
pub fn plan_exit_code(judged: &Judged) -> u8 {
    let rejected = judged.plan.snapshots.iter().any(SnapshotSummary::is_unusable_in_part);
    let held = judged.held.iter().map(|(item, reasons)| (item, reasons.as_slice()));
    let settled = settled_items(held, |_, reasons| is_rejected(reasons));
    if rejected {
        4
    } else if judged.plan.judged.nobody()
        || settled.len() < judged.held.len()
        || judged.concerns.iter().any(Concern::is_open)
    {
        3
    } else if !judged.approved.changes().is_empty() {
        2
    } else {
        0
    }
}
