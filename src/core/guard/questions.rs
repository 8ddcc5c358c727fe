//! Which decisions a run has ended: an approval is used up when its item is done, and a question that nobody asks any more takes
//! its answers with it (RULES 8.4). A run that could not judge leaves every question as it is.

use super::Judged;
use crate::core::input::PlanInput;
use crate::core::memory::decision::{ATTENTION, About, Decision, SNAPSHOT, WhyEnded};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::plan::{Plan, SkipReason};
use crate::core::reads::snapshot::{Effect, Role, Snapshot, SnapshotSummary, Verdict};
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
                .filter(|decision| !wanted.contains(&decision.item) && !unknown.leaves_open(decision));
            ended.extend(gone.map(|decision| (decision.item.clone(), WhyEnded::NotWanted)));
        }
        if whole {
            let wanted = self.wanted();
            let over = input
                .decisions
                .values()
                .filter(|decision| !wanted.contains(&decision.item));
            let over = over.filter(|decision| self.has_other_content(decision));
            ended.extend(over.map(|decision| (decision.item.clone(), WhyEnded::OtherContent)));
        }
        ended.extend(done.iter().map(|item| (item.clone(), WhyEnded::Done)));
        ended
    }

    /// Whether the source of a decision about a read was read, with whatever is in it now. What could not be read to its end has
    /// no content that could be another one.
    fn has_other_content(&self, decision: &Decision) -> bool {
        let broken = |read: &SnapshotSummary| read.findings.iter().any(|finding| finding.effect == Effect::Reject);
        let mut reads = self.plan.snapshots.iter();
        let is_of = |source: &str| reads.any(|read| read.name.as_str() == source && !broken(read));
        decision.source().is_some_and(is_of)
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

/// Whether a source that decides cannot say who is missing.
fn is_partial(input: &PlanInput) -> bool {
    let decides = |read: &&Snapshot| read.summary.role == Some(Role::Authoritative);
    input
        .snapshots
        .iter()
        .filter(decides)
        .any(|read| !read.can_say_absent())
}

/// Of whom nothing can be said because they are in no read, and a read may lack them.
pub fn may_be_missing(input: &PlanInput) -> impl Fn(&Key) -> bool {
    let partial = is_partial(input);
    move |key| partial && !input.snapshots.iter().any(|read| read.names(key))
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
        let is_partial = is_partial(input);
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

    /// Whether it says nothing that an item or question is not there any more.
    fn leaves_open(&self, decision: &Decision) -> bool {
        let About { key, card, .. } = &decision.about;
        let listed = |reads: &[Snapshot], key: &Key| reads.iter().any(|read| read.names(key));
        if decision.waives.contains(ATTENTION) {
            // That something is not known is the question itself: it is over where the person is there and it is not asked.
            return self
                .partial
                .zip(key.as_ref())
                .is_some_and(|(reads, key)| !listed(reads, key));
        }
        let is_missing = |reads: &[Snapshot]| !key.as_ref().is_some_and(|key| listed(reads, key));
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
