//! What humans decided, and what waits for them.

use crate::core::memory::apart::Apart;
use crate::core::memory::halves::Halves;
use crate::core::memory::refused::Refusals;
use crate::core::memory::shown::Shown;
use crate::core::model::ids::{CardId, ItemId, RunId, SourceName};
use crate::core::model::installation::KnownInstallation;
use crate::core::model::key::Key;
use crate::core::plan::hold::LiftedBy;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{ActionKind, HoldReason, Plan};
use crate::core::rules::lists::ListedCards;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Approve,
    Reject,
}

/// One decision about one item. It lets the same item pass in a later fresh plan; it never executes an old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub item: ItemId,
    pub answer: Answer,
    /// The codes of the reasons that were shown: only these are waived.
    pub waives: BTreeSet<String>,
    /// The operating-system user or web login, never an argument.
    pub by: String,
    pub at: DateTime<Utc>,
    /// An approval ends here; a rejection lasts until the item changes.
    pub until: Option<DateTime<Utc>>,
    pub note: Option<String>,
    #[serde(default)]
    pub about: About,
}

/// Whom a decision was about, and what else was shown that is no part of the item's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    // Kept in columns of their own, from which they can be taken out.
    #[serde(skip)]
    pub key: Option<Key>,
    #[serde(skip)]
    pub card: Option<CardId>,
    /// What waited; `None`: it is no item of a run, such as a read, or that a card is not somebody's.
    #[serde(skip)]
    pub action: Option<ActionKind>,
    /// The days that the evidence named; `None`: it was not noted, as in decisions of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<BTreeSet<NaiveDate>>,
    /// What else was shown; `None`: it was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// What an approval of a read waives, instead of reasons to hold.
pub const SNAPSHOT: &str = "snapshot";

/// Whose read it was, before the name of the source: another content of it is another question.
const READ_OF: &str = "read_of:";

/// The code under which a decision about a read names its source.
pub fn read_of(source: &SourceName) -> String {
    format!("{READ_OF}{source}")
}

/// The same of what only needs a human: that it is known.
pub const ATTENTION: &str = "attention";

/// Why a decision says nothing any more (RULES 8.4). An item that comes up again is a question of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyEnded {
    /// What was approved is done.
    Done,
    /// A run that could judge everything does not want the item any more.
    NotWanted,
    /// The source was read with another content.
    OtherContent,
    /// Somebody else has changed the card after the approval.
    CardChanged,
    /// The evidence names another day.
    OtherDay,
    /// The linked operator is called otherwise than was shown, or is in more groups.
    OperatorChanged,
    /// An earlier version did not note what was shown.
    NotNoted,
    /// Somebody has taken it back.
    TakenBack,
}

/// How long a rejection is quiet: if the item still stands there after that, it is asked once more.
pub const REJECTION_IS_QUIET: Duration = Duration::days(30);

impl Decision {
    /// The same without what it was about: for where the item stands beside it.
    #[must_use]
    pub fn without_about(&self) -> Decision {
        let about = About::default();
        Decision { about, ..self.clone() }
    }

    /// The codes that it lifts; whose read it is about is none.
    pub fn waived(&self) -> Vec<&str> {
        let codes = self.waives.iter().map(String::as_str);
        codes.filter(|code| !code.starts_with(READ_OF)).collect()
    }

    /// The source whose read it is about; `None`: it is about no read, or was made by a version that did not note it.
    pub fn source(&self) -> Option<&str> {
        self.waives.iter().find_map(|code| code.strip_prefix(READ_OF))
    }

    /// Whether it says no, and so lately that the item stays quiet.
    pub fn keeps_quiet(&self, now: DateTime<Utc>) -> bool {
        self.answer == Answer::Reject && now < self.quiet_until()
    }

    /// Until when what was rejected is quiet, if nothing about it changes.
    pub fn quiet_until(&self) -> DateTime<Utc> {
        let longest = self.at + REJECTION_IS_QUIET;
        self.until.map_or(longest, |until| until.min(longest))
    }

    /// Whether somebody knows of what was judged at this time, and whether that run took it as known: a later decision stands
    /// over what the run said, and one that the run knew of stands as the run took it.
    pub fn keeps_known(&self, judged_at: Option<DateTime<Utc>>, as_known: bool, now: DateTime<Utc>) -> bool {
        let is_later = judged_at.is_none_or(|judged_at| self.at > judged_at);
        self.keeps_quiet(now) && (is_later || as_known)
    }

    /// Whether it lifts a reason: an approval by the codes that were shown, and as far as what they were about was shown.
    pub fn lifts(&self, reason: &HoldReason) -> bool {
        let about = Shown::of_reason(reason);
        self.answer == Answer::Approve
            && reason.approvable()
            && self.waives.contains(&reason.code())
            && self
                .about
                .shown
                .as_ref()
                .map_or(about.is_empty(), |shown| shown.covers(&about))
    }

    /// Whether it is an approval of every reason that is shown now, as far as an approval lifts it.
    pub fn covers(&self, change: &ChangeView) -> bool {
        let mut liftable = change.holds.iter().filter(|hold| hold.approvable);
        self.answer == Answer::Approve && liftable.all(|hold| self.waives.contains(&hold.code))
    }

    /// Whether it is in force.
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// An item that waits, as `holds` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldItem {
    pub change: ChangeView,
    /// The person's name as the card has it, or as a new card would: for whoever decides.
    #[serde(default)]
    pub name: Option<String>,
    pub reasons: Vec<HoldReason>,
    /// When it was held first.
    pub since: DateTime<Utc>,
    /// The run that held it last.
    pub run: RunId,
    /// The last time that it was about to be written, and was not after all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<SetAside>,
    /// The last run that could judge it; `None`: it was kept by an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_at: Option<DateTime<Utc>>,
}

/// An item that had passed the guard and was set aside while it was applied: TOPdesk refused it in a way that needs a
/// human, or what was read right before the write was not what had been judged. It waits from then on; only an approval
/// that is given later lifts it, so that the same request is not refused in every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    pub reason: HoldReason,
    /// On the machine's clock, as decisions are, whatever day is rehearsed.
    pub at: DateTime<Utc>,
}

impl SetAside {
    /// Whether this decision was made in knowledge of it.
    pub fn is_answered_by(&self, decision: &Decision) -> bool {
        decision.at > self.at && decision.waives.contains(&self.reason.code())
    }
}

/// Whether somebody has said no, not long ago, and the item has not changed since.
pub fn is_rejected(reasons: &[HoldReason]) -> bool {
    reasons
        .iter()
        .any(|reason| matches!(reason, HoldReason::Rejected { again: false, .. }))
}

/// Of held items those that wait for nobody: somebody has said no to them (`said_no`), or they only follow one of which that
/// is so.
pub fn settled_items<'a>(
    held: impl Iterator<Item = (&'a ItemId, &'a [HoldReason])> + Clone,
    said_no: impl Fn(&ItemId, &[HoldReason]) -> bool,
) -> BTreeSet<&'a ItemId> {
    let rejected = held.clone().filter(|(item, reasons)| said_no(item, reasons));
    let mut settled: BTreeSet<&ItemId> = rejected.map(|(item, _)| item).collect();
    loop {
        let follows = held.clone().filter(|(item, reasons)| {
            let on_settled = |reason: &HoldReason| match reason {
                HoldReason::DependsOn { item } => settled.contains(item),
                _other => false,
            };
            !settled.contains(item) && !reasons.is_empty() && reasons.iter().all(on_settled)
        });
        let follows: Vec<&ItemId> = follows.map(|(item, _)| item).collect();
        if follows.is_empty() {
            return settled;
        }
        settled.extend(follows);
    }
}

impl HeldItem {
    /// Whether something about this very person is asked, beside what concerns its whole class (RULES 8.5).
    pub fn has_own_doubt(&self) -> bool {
        self.reasons.iter().any(|reason| reason.lifted_by() == LiftedBy::Item)
    }

    /// Those of them that wait for somebody.
    pub fn open(held: &[HeldItem]) -> Vec<&HeldItem> {
        let reasons = held.iter().map(|item| (&item.change.id, item.reasons.as_slice()));
        let settled = settled_items(reasons, |_, reasons| is_rejected(reasons));
        held.iter().filter(|item| !settled.contains(&item.change.id)).collect()
    }

    /// Somebody has said no, not long ago, and the item has not changed since: it waits for nobody.
    pub fn is_settled(&self) -> bool {
        is_rejected(&self.reasons)
    }
}

/// What stood there at first contact, or came with a changed configuration, and still waits (RULES 8.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The configuration and decision version that a full run has seen.
    pub seen: Option<SeenConfig>,
    /// Items that wait, by card and action: whatever their content becomes, they wait until approved.
    pub waiting: BTreeMap<String, Waiting>,
    /// Writes with our signature that this store does not know of.
    #[serde(default)]
    pub strange_writes: StrangeWrites,
    /// By number on `guard.protect` or on legal hold: the cards that bore it when a run looked. They stay on the list when
    /// the number changes.
    #[serde(default, skip_serializing_if = "ListedCards::is_empty")]
    pub listed: ListedCards,
    /// People without an active card who left or were out of scope.
    #[serde(default)]
    pub apart: Apart,
    /// Pairs of which one half may still be decided.
    #[serde(default, skip_serializing_if = "Halves::is_empty")]
    pub halves: Halves,
    /// What this TOPdesk was like when a full run saw it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<KnownInstallation>,
    /// What TOPdesk has refused for what is in it.
    #[serde(default, skip_serializing_if = "Refusals::is_empty")]
    pub refusals: Refusals,
}

/// Marks of writes that bear our signature and that this store does not know of: `CARD` for a card that was made,
/// `CARD@TIME` for one that was modified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrangeWrites {
    /// Seen, and nobody has said yet what they are.
    pub waiting: BTreeSet<String>,
    /// Somebody has looked at them.
    pub accepted: BTreeSet<String>,
}

/// A configuration that a full run has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenConfig {
    pub config_hash: String,
    pub decision_version: u32,
    /// The effective configuration as text, secrets by their place: what a changed one is compared with.
    #[serde(default)]
    pub config: Option<String>,
}

/// One waiting card and action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub card: CardId,
    pub action: ActionKind,
    pub reason: HoldReason,
    pub since: DateTime<Utc>,
}

impl Contact {
    /// Without what waited and is done now; `None` where nothing of it is. A place with something in it that is not done
    /// waits on.
    #[must_use]
    pub fn settled(&self, plan: &Plan, done: &[ItemId]) -> Option<Contact> {
        let done: BTreeSet<&ItemId> = done.iter().collect();
        let mut settled = BTreeSet::new();
        let mut open = BTreeSet::new();
        for change in &plan.changes {
            let Some(card) = &change.card else { continue };
            let slot = Contact::slot(card, change.action.kind());
            if done.contains(&change.id) {
                settled.insert(slot);
            } else {
                open.insert(slot);
            }
        }
        let waits_on = |slot: &String| !settled.contains(slot) || open.contains(slot);
        if self.waiting.keys().all(waits_on) {
            return None;
        }
        let mut left = self.clone();
        left.waiting.retain(|slot, _| waits_on(slot));
        Some(left)
    }

    /// The place of a card and action in [`Contact::waiting`]. A field that waits for an earlier change in one run is a
    /// plain update in the next: both have one place.
    pub fn slot(card: &CardId, action: ActionKind) -> String {
        let action = match action {
            ActionKind::SetReferences => ActionKind::Update,
            other => other,
        };
        format!("{card} {action}")
    }
}

/// Keys whose create was sent and whose answer was lost: frozen until a later full read settles them (RULES 2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InDoubt {
    pub keys: BTreeMap<Key, DateTime<Utc>>,
}
