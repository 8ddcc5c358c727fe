//! Which decisions a run has ended: an approval is used up when its item is done, and a question that nobody asks any more takes
//! its answers with it (RULES 8.4). A run that could not judge leaves every question as it is.

use super::Judged;
use crate::domain::decision::{ATTENTION, About, Decision, SNAPSHOT, WhyEnded};
use crate::domain::ids::{CardId, ItemId};
use crate::domain::input::PlanInput;
use crate::domain::key::Key;
use crate::domain::plan::{Plan, SkipReason};
use crate::domain::snapshot::{Role, Snapshot, SnapshotSummary, Verdict};
use std::collections::{BTreeMap, BTreeSet};

impl Judged {
    /// The decisions that end with this run. `whole`: it looked at everybody.
    pub fn ended_by(&self, input: &PlanInput, done: &[ItemId], whole: bool) -> BTreeMap<ItemId, WhyEnded> {
        let mut ended = self.ended.clone();
        if whole && could_judge(&self.plan, input) {
            let (wanted, unknown) = (self.wanted(), Unknown::of(&self.plan, input));
            let gone = input
                .decisions
                .values()
                .filter(|decision| is_asked_by_runs(decision))
                .filter(|decision| !wanted.contains(&decision.item) && !unknown.has(decision));
            ended.extend(gone.map(|decision| (decision.item.clone(), WhyEnded::NotWanted)));
        }
        ended.extend(done.iter().map(|item| (item.clone(), WhyEnded::Done)));
        ended
    }

    /// Everything that is asked now, or that stands as it was accepted.
    fn wanted(&self) -> BTreeSet<&ItemId> {
        let items = self.plan.changes.iter().map(|change| &change.id);
        let reads = self.plan.snapshots.iter();
        let reads = reads.flat_map(|read| read.acceptance.iter().chain(&read.accepted));
        let concerns = self.concerns.iter().map(|concern| &concern.id);
        items.chain(reads).chain(concerns).collect()
    }
}

/// Whether it answers a question that a run asks: about an item, a read, or what else needs a human. What somebody said of a card and a number, or of
/// the difference between two keys, stands until the opposite is said.
fn is_asked_by_runs(decision: &Decision) -> bool {
    decision.about.action.is_some() || decision.waives.contains(SNAPSHOT) || decision.waives.contains(ATTENTION)
}

/// Whether what is not in the plan is not wanted, as far as single people go.
pub fn could_judge(plan: &Plan, input: &PlanInput) -> bool {
    let target = input.target.verdict == Verdict::Complete;
    let rejected = |read: &SnapshotSummary| read.verdict == Verdict::Rejected;
    target && input.clock.is_trusted() && !plan.judged.nobody() && !plan.snapshots.iter().any(rejected)
}

/// Of whom this run could not tell what they need.
struct Unknown<'a> {
    keys: BTreeSet<&'a Key>,
    cards: BTreeSet<&'a CardId>,
    /// Of reads that cannot say who is missing: whoever is not in them may be.
    partial: Option<&'a [Snapshot]>,
}

impl<'a> Unknown<'a> {
    fn of(plan: &'a Plan, input: &'a PlanInput) -> Self {
        let decides = |read: &Snapshot| read.summary.role == Some(Role::Authoritative);
        let mut decide = input.snapshots.iter().filter(|read| decides(read));
        let is_partial = decide.any(|read| !read.can_say_absent());
        let skipped = || plan.skipped.iter().filter(|it| is_unknown(it.reason));
        let keys = plan.conflicts.iter().map(|it| &it.key);
        let keys = keys.chain(plan.rejections.iter().filter_map(|it| it.key.as_ref()));
        let cards = plan.conflicts.iter().flat_map(|it| &it.cards).chain(&plan.undecided);
        Unknown {
            keys: keys.chain(skipped().filter_map(|it| it.key.as_ref())).collect(),
            cards: cards.chain(skipped().filter_map(|it| it.card.as_ref())).collect(),
            partial: is_partial.then_some(&*input.snapshots),
        }
    }

    fn has(&self, decision: &Decision) -> bool {
        let About { key, card, .. } = &decision.about;
        let is_missing = |reads: &[Snapshot]| {
            let listed = |key: &Key| reads.iter().any(|read| read.names(key));
            !key.as_ref().is_some_and(listed)
        };
        self.partial.is_some_and(is_missing)
            || key.as_ref().is_some_and(|key| self.keys.contains(key))
            || card.as_ref().is_some_and(|card| self.cards.contains(card))
    }
}

/// Whether somebody is left alone because something about them is not known.
fn is_unknown(reason: SkipReason) -> bool {
    match reason {
        SkipReason::ScopeUnknown
        | SkipReason::StartUnknown
        | SkipReason::LeavingUnknown
        | SkipReason::AbsenceUnknown
        | SkipReason::SecondSource
        | SkipReason::Shielded
        | SkipReason::SeveralRecords
        | SkipReason::TargetDegraded
        | SkipReason::ManagerUnknown => true,
        SkipReason::Protected
        | SkipReason::ListedWithoutCard
        | SkipReason::SpecialAccount
        | SkipReason::OutOfScope
        | SkipReason::UnarchivedByHand
        | SkipReason::LeavingLater
        | SkipReason::LeavesOn
        | SkipReason::NextContract
        | SkipReason::StartsLater
        | SkipReason::LeftWithoutCard
        | SkipReason::LeaverMayHaveCard
        | SkipReason::MissingNotYet
        | SkipReason::Drift
        | SkipReason::ArchivedTwin
        | SkipReason::PossibleTwin
        | SkipReason::FieldLeft
        | SkipReason::LoginHeld
        | SkipReason::CardDeleted
        | SkipReason::AnonymizeInTopdesk
        | SkipReason::AnonymizationWaits
        | SkipReason::LegalHold => false,
    }
}
