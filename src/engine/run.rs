//! Plan, run and apply: one path, stopped after the guard or carried through.

use super::Source;
use super::after_run::{counts, held_items, holds_after_some, quiet, run_items, verdict, without_people};
use super::apply::OperatorAccount;
use super::attention::{Attention, Judgeable, Unjudged, list_after, list_after_some};
use super::certify::{busy, purge, purge_done};
use super::gather::ReadParts;
use super::inputs::{KeptHeader, KeptInput};
use super::pair_sheet::ListProblem;
pub use super::planned::Planned;
use super::reason::without_reason;
use super::recover::Settled;
use super::rekey::RekeyRequest;
use super::settled::{done_of, waiting_since};
use super::state::{Ending, KeptHold, Learned, Remembered, RunLease, StateWriter, StoreError};
use super::stopping::unless_stopped;
use super::target::{TargetError, TargetReader, TargetWriter};
use super::undo::UndoRequest;
use crate::domain::concern::Concern;
use crate::domain::decision::{Contact, HeldItem, is_rejected, settled_items};
use crate::domain::field::CardField;
use crate::domain::guard::{ApprovedPlan, Judged, could_judge, may_be_missing};
use crate::domain::hold::HoldReason;
use crate::domain::ids::{CardId, ItemId, SourceName};
use crate::domain::input::PlanInput;
use crate::domain::pin::standing;
use crate::domain::plan::ActionKind;
use crate::domain::profile::Profile;
use crate::domain::quality::{target_profile, target_summary};
use crate::domain::report::{ChangeOutcome, RunReport, RunVerdict};
use crate::domain::snapshot::SnapshotSummary;
use crate::domain::undo::Kept;
use crate::domain::view::{ChangeView, PlanView};
use chrono::Utc;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Why a run could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TOPdesk could not be read: nothing to compare with, nothing was written.
    #[error("TOPdesk could not be read: {0}")]
    Target(TargetError),
    /// `--only` names nobody.
    #[error(
        "no source record and no card has the key '{0}'; write it as the source or TOPdesk has it, `cardsync plan --all` lists keys"
    )]
    Nobody(String),
    /// Told to stop before anything was written.
    #[error("cardsync was told to stop while reading: nothing was written; run again")]
    Stopped,
    /// Nothing of that name is in the journal.
    #[error(
        "no run and no item '{0}' wrote anything; a run says its id when it ends, and items carry theirs in brackets"
    )]
    NothingToUndo(String),
    /// Lines of a list of pairs that do not hold.
    #[error(
        "no line was written{finished}: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    )]
    Pairs {
        problems: Vec<ListProblem>,
        /// What had been left half-way and was ended before, in words.
        finished: String,
    },
}

impl From<TargetError> for RunError {
    // Not as the source of the error: its text is part of this one already, and would be said twice.
    fn from(error: TargetError) -> Self {
        RunError::Target(error)
    }
}

/// Everything of a run that is over.
pub struct Finished {
    pub report: RunReport,
    pub planned: Planned,
    pub outcomes: Vec<ChangeOutcome>,
    /// What waits now.
    pub holds: Vec<HeldItem>,
    /// What waits now and did not wait before this run.
    pub new_holds: Vec<HeldItem>,
    /// What else needs a human, after a run that looked at everybody; nothing is new or solved by any other.
    pub attention: Attention,
    /// Of an undo: what is not undone, and why.
    pub kept: Vec<Kept>,
}

/// What a run gave, before its report is closed.
pub(super) struct Through {
    pub(super) planned: Planned,
    pub(super) outcomes: Vec<ChangeOutcome>,
    pub(super) holds: Vec<HeldItem>,
    pub(super) new_holds: Vec<HeldItem>,
    pub(super) attention: Attention,
    pub(super) kept: Vec<Kept>,
}

/// How far a run goes.
pub enum Scope {
    /// A whole run: it counts absence and remembers what it saw.
    Whole,
    /// Only what is also in this saved plan, unchanged. Counts nothing.
    Selected(Box<PlanView>),
    /// Only this person, by the key as somebody types it. Counts nothing.
    Only(String),
    /// The way back from what earlier runs wrote. Counts nothing.
    Undo(UndoRequest),
    /// Keys for cards that were paired with people of the sources. Counts nothing.
    Rekey(RekeyRequest),
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
    pub async fn run<W: TargetWriter, T: StateWriter>(
        &self,
        parts: &WriteParts<'_, W, T>,
        lease: &RunLease,
        scope: &Scope,
        command: &str,
    ) -> Result<Finished, RunError> {
        let mut report = RunReport::begun(lease.run().clone(), command, self.clock.now());
        report.whole = matches!(scope, Scope::Whole);
        parts.store.start_run(lease, &report).await?;
        // On the heap: each holds all that was read, and a worker's stack is 2 MiB.
        let through = match scope {
            Scope::Whole | Scope::Selected(_) | Scope::Only(_) => {
                Box::pin(self.run_through(parts, lease, scope, &mut report)).await
            }
            Scope::Undo(request) => Box::pin(self.undo_through(parts, lease, request, &mut report)).await,
            Scope::Rekey(request) => Box::pin(self.rekey_through(parts, lease, request, &mut report)).await,
        };
        match through {
            Ok(Through {
                planned,
                outcomes,
                holds,
                new_holds,
                attention,
                kept,
            }) => {
                report.finished_at = Some(self.clock.now());
                let fingerprint = planned.judged.plan.fingerprint.clone();
                parts.store.finish_run(lease, &report, Some(&fingerprint)).await?;
                Ok(Finished {
                    report,
                    planned,
                    outcomes,
                    holds,
                    new_holds,
                    attention,
                    kept,
                })
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

    async fn run_through<W: TargetWriter, T: StateWriter>(
        &self,
        parts: &WriteParts<'_, W, T>,
        lease: &RunLease,
        scope: &Scope,
        report: &mut RunReport,
    ) -> Result<Through, RunError> {
        let store = parts.store;
        let (read, recovered) = Box::pin(self.settle_to_write(parts, lease)).await?;
        let hasher = read.remembered.hasher.clone();
        let earlier_holds = store.holds().await?;
        let earlier_concerns = store.concerns().await?;
        let planned = unless_stopped(parts.stop, self.planned(read))
            .await
            .ok_or(RunError::Stopped)?;
        let mut planned = match scope {
            Scope::Whole | Scope::Selected(_) | Scope::Undo(_) | Scope::Rekey(_) => planned,
            Scope::Only(key) => planned.only(key)?,
        };
        let Planned { judged, input } = &mut planned;
        let input = &*input;
        report.plan_id = Some(judged.plan.id.clone());
        report.snapshots.clone_from(&judged.plan.snapshots);
        report.clock.clone_from(&input.clock.doubts);
        let whole = matches!(scope, Scope::Whole);
        let mut ledger = input.ledger.clone();
        let mut forgotten: Vec<CardId> = Vec::new();
        if whole {
            let mut plan_ledger = judged.plan.ledger.clone();
            let busy = busy(store).await?;
            let now = self.clock.now();
            let purged = purge(&mut plan_ledger, &busy, &input.target, &hasher, lease.run(), now);
            let pins = standing(&judged.plan, &input.pins);
            // A read at a time that is not known is no yardstick for later ones.
            let trusted = input.clock.is_trusted();
            let profiles = profiles(input, &self.wants.fields);
            let learned = Learned {
                ledger: &plan_ledger,
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
            forgotten.clone_from(&purged.cards);
            store
                .learn(lease, learned, input.clock.earliest(self.clock.now()))
                .await?;
            ledger.extend(plan_ledger.into_iter().map(|entry| (entry.card.clone(), entry)));
        }
        let approved = self.selected(judged, scope);
        let (approved, unreasoned) = without_reason(approved, input, &self.wants.archiving_reason);
        let applier = self.applier(parts, lease, input, ledger, &hasher);
        // Beside the work: nothing of it waits for a large file.
        let keeping = self.keep_input(store, lease, judged, input);
        let (applied, ()) = futures::join!(applier.apply(&approved), keeping);
        let mut outcomes = applied?;
        outcomes.extend(unreasoned);
        outcomes.extend(recovered);
        self.note_half_ways(store, judged, input).await?;
        // Decisions are made on the machine's clock, so what they must come after is noted on it too.
        let noted_at = Utc::now();
        let mut holds = held_items(
            judged,
            &input.target.cards,
            &outcomes,
            lease.run(),
            self.clock.now(),
            noted_at,
            &input.set_aside,
        );
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
        let plan = &judged.plan.id;
        let with_plan = |item: &HeldItem| KeptHold {
            plan: plan.clone(),
            item: item.clone(),
            undoes: None,
        };
        let now: Vec<KeptHold> = holds.iter().map(with_plan).collect();
        let could_judge = could_judge(&judged.plan, input);
        let now = if whole {
            let unjudged = Unjudged::of(&judged.plan, could_judge);
            let left = earlier_holds.iter().filter(|kept| unjudged.includes(kept));
            now.into_iter().chain(left.cloned()).collect()
        } else {
            holds_after_some(earlier_holds.clone(), now, &done)
        };
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
        // What first contact or a configuration brought, and was let through and done, waits no longer: the next change of
        // the same card is another one.
        let settled = judged.contact.settled(&judged.plan, &done).filter(|_| whole);
        let known = if whole { &judged.contact } else { &input.contact };
        let settled = with_refusals(settled, known, judged, &applier.state.refused(), &done);
        let ended = judged.ended_by(input, &done, whole);
        let learned = Learned {
            holds: Some(&now),
            concerns: attention.as_ref().map(|it| it.now.as_slice()),
            done: &done,
            ended: Some(&ended),
            contact: settled.as_ref(),
            items: Some(&items),
            ..Learned::default()
        };
        store
            .learn(lease, learned, input.clock.earliest(self.clock.now()))
            .await?;
        let written = applier.state.take_learned();
        purge_done(store, lease, written, &input.target, &hasher, self.clock.now()).await?;
        report.failure = applier.stopped_by().or_else(|| applier.state.alarm());
        report.counts = counts(judged, &outcomes, &holds);
        report.verdict = Some(verdict(report, judged, &outcomes, &holds));
        Ok(Through {
            planned,
            outcomes,
            holds,
            new_holds,
            attention: attention.unwrap_or_default(),
            kept: Vec::new(),
        })
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

    pub(super) async fn keep_settled<T: StateWriter>(
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

    /// A plan file selects, it never supplies: an item passes when the fresh plan has it with the same content.
    fn selected(&self, judged: &Judged, scope: &Scope) -> ApprovedPlan {
        let approved = judged.approved.clone();
        let saved = match scope {
            // Of one person: the plan was narrowed before.
            Scope::Whole | Scope::Only(_) | Scope::Undo(_) | Scope::Rekey(_) => return approved,
            Scope::Selected(saved) => saved,
        };
        let saved: BTreeMap<&ItemId, &ChangeView> = saved.changes.iter().map(|change| (&change.id, change)).collect();
        approved.keep(|change| {
            let now = ChangeView::new(change, &[]);
            saved.get(&change.id).is_some_and(|then| {
                then.action == now.action
                    && then.key == now.key
                    && then.person_id == now.person_id
                    && then.fields == now.fields
            })
        })
    }
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
pub(super) fn open_cards(settled: &[Settled]) -> BTreeSet<CardId> {
    let read = |one: &Settled| one.after.as_ref().map(|card| card.id.clone());
    let cards = settled
        .iter()
        .map(|one| read(one).or_else(|| one.intent.change.card.clone()));
    cards.flatten().collect()
}

/// What settled doubts teach the plan that follows.
pub(super) fn take_in(settled: &[Settled], remembered: &mut Remembered) {
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
