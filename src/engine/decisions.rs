//! Approve and reject: by item, by class, by whole plan. A decision binds the items that wait now and the reasons shown.

use super::sheet::SheetDecision;
use super::state::{KeptHold, StateReader, StateWriter, StoreError};
use crate::domain::decision::{Answer, Decision, HeldItem};
use crate::domain::ids::{ItemId, SourceName};
use crate::domain::plan::ActionKind;
use crate::domain::snapshot::{Effect, Finding, SnapshotSummary, Verdict};
use crate::domain::visible;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

/// How long an approval holds when nothing else is said.
pub const APPROVAL_LASTS: Duration = Duration::days(7);

/// The longest that an approval can hold: what it was given for is another world after that.
pub const APPROVAL_LASTS_AT_MOST: Duration = Duration::days(30);

/// How far back the last run that read anything is looked for.
const RUNS_LOOKED_AT: u32 = 100;

/// A rejected or doubted snapshot whose content a human may accept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SnapshotHold {
    pub id: ItemId,
    pub source: SourceName,
    /// Otherwise it is used, but nobody counts as absent by it.
    pub rejected: bool,
    pub reasons: Vec<String>,
    pub since: DateTime<Utc>,
}

/// Everything that waits for a human.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    pub items: Vec<KeptHold>,
    /// The last decision in force about each item.
    pub decided: Vec<Decision>,
    pub snapshots: Vec<SnapshotHold>,
}

/// Reads what waits since the last run.
pub async fn waiting(store: &impl StateReader, now: DateTime<Utc>) -> Result<Waiting, StoreError> {
    let items = store.holds().await?;
    let remembered = store.load(now).await?;
    // A run that failed before it read anything says nothing about snapshots.
    let runs = store.history(RUNS_LOOKED_AT).await?;
    let last = runs.into_iter().find(|run| !run.snapshots.is_empty());
    let decided: Vec<Decision> = remembered.decisions.into_values().collect();
    let snapshots = last
        .iter()
        .flat_map(|run| run.snapshots.iter().map(|snapshot| (snapshot, run.started_at)))
        .filter_map(|(snapshot, since)| snapshot_hold(snapshot, since))
        .filter(|hold| {
            !decided
                .iter()
                .any(|decision| decision.item == hold.id && decision.answer == Answer::Approve)
        })
        .collect();
    Ok(Waiting {
        items,
        decided,
        snapshots,
    })
}

fn snapshot_hold(snapshot: &SnapshotSummary, since: DateTime<Utc>) -> Option<SnapshotHold> {
    let id = snapshot.acceptance.clone()?;
    // A note that names the item is what it is about, whatever it does to the read.
    let counts = |finding: &&Finding| finding.effect != Effect::Note || finding.message.contains(id.as_str());
    let reasons = snapshot
        .findings
        .iter()
        .filter(counts)
        .map(|finding| finding.message.clone())
        .collect();
    Some(SnapshotHold {
        id,
        source: snapshot.name.clone(),
        rejected: snapshot.verdict == Verdict::Rejected,
        reasons,
        since,
    })
}

/// The class a held item is listed under: the first budget it exceeds, else its action.
pub fn class_of(item: &HeldItem) -> String {
    let exceeded = item
        .change
        .holds
        .iter()
        .find_map(|hold| hold.code.strip_prefix("over_budget:"));
    exceeded.unwrap_or(item.change.action.name()).to_owned()
}

/// Whether a word is this id, also in the brackets in which it is shown.
fn is_id(id: &ItemId, word: &str) -> bool {
    word == id.as_str() || word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) == Some(id.as_str())
}

/// Whether a word names this item: its id, its action, a class it exceeds, or its plan.
fn names(word: &str, kept: &KeptHold) -> bool {
    let classes = kept
        .item
        .change
        .holds
        .iter()
        .filter_map(|hold| hold.code.strip_prefix("over_budget:"));
    let by_class = classes
        .flat_map(|class| [Some(class), class.split(':').next()])
        .flatten()
        .any(|class| class == word);
    let by_action = ActionKind::IN_ORDER
        .iter()
        .any(|kind| kind.name() == word && kept.item.change.action == *kind);
    is_id(&kept.item.change.id, word) || kept.plan.as_str() == word || by_class || by_action
}

/// A word that names nothing that waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing that waits is called '{word}'; `cardsync holds` lists ids, classes and the plan; an item that has changed since has a new id"
)]
pub struct UnknownWord {
    pub word: String,
}

/// What a decision did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decided {
    pub decisions: Vec<Decision>,
    /// Items with a reason that no approval lifts: they wait on.
    pub not_approvable: Vec<ItemId>,
}

/// The decisions that words stand for. Pure.
pub fn decide(
    waiting: &Waiting,
    words: &[String],
    answer: Answer,
    by: &str,
    note: Option<&str>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Decided, Vec<UnknownWord>> {
    let mut decided = Decided {
        decisions: Vec::new(),
        not_approvable: Vec::new(),
    };
    let mut unknown = Vec::new();
    let mut seen: BTreeSet<ItemId> = BTreeSet::new();
    let until = match answer {
        Answer::Approve => Some(until.unwrap_or(now + APPROVAL_LASTS)),
        Answer::Reject => until,
    };
    let mut add = |item: &ItemId, mut waives: BTreeSet<String>| {
        if seen.insert(item.clone()) {
            // What was approved of this item before stays approved: a second reason must not bring the first one back.
            let before = waiting.decided.iter().find(|decision| decision.item == *item);
            if let Some(before) = before.filter(|it| answer == Answer::Approve && it.answer == Answer::Approve) {
                waives.extend(before.waives.iter().cloned());
            }
            decided.decisions.push(Decision {
                item: item.clone(),
                answer,
                waives,
                by: by.to_owned(),
                at: now,
                until,
                note: note.map(str::to_owned),
            });
        }
    };
    for word in words {
        let mut found = false;
        for kept in waiting.items.iter().filter(|kept| names(word, kept)) {
            found = true;
            let waives = kept
                .item
                .change
                .holds
                .iter()
                .filter(|hold| hold.approvable)
                .map(|hold| hold.code.clone())
                .collect();
            add(&kept.item.change.id, waives);
            if kept.item.change.holds.iter().any(|hold| !hold.approvable) {
                decided.not_approvable.push(kept.item.change.id.clone());
            }
        }
        for snapshot in waiting
            .snapshots
            .iter()
            .filter(|hold| is_id(&hold.id, word) || word == "snapshot")
        {
            found = true;
            add(&snapshot.id, BTreeSet::from(["snapshot".to_owned()]));
        }
        if !found {
            unknown.push(UnknownWord {
                word: visible::line(word).into_owned(),
            });
        }
    }
    if unknown.is_empty() { Ok(decided) } else { Err(unknown) }
}

/// The decisions of a sheet: each line as if its item had been named alone, with its own note or the common one. Pure.
pub fn decide_sheet(
    waiting: &Waiting,
    sheet: &[SheetDecision],
    by: &str,
    note: Option<&str>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Decided, Vec<UnknownWord>> {
    let mut all = Decided {
        decisions: Vec::new(),
        not_approvable: Vec::new(),
    };
    for line in sheet {
        let words = [line.item.to_string()];
        let note = line.note.as_deref().or(note);
        // A rejection has no end: it stays quiet until the item changes.
        let until = until.filter(|_| line.answer == Answer::Approve);
        let mut one = decide(waiting, &words, line.answer, by, note, until, now)?;
        all.decisions.append(&mut one.decisions);
        if line.answer == Answer::Approve {
            all.not_approvable.append(&mut one.not_approvable);
        }
    }
    Ok(all)
}

/// Keeps decisions.
pub async fn keep(store: &impl StateWriter, decided: &Decided) -> Result<(), StoreError> {
    store.decide(&decided.decisions).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::OperatorLink;
    use crate::domain::decision::HeldItem;
    use crate::domain::key::Key;
    use crate::domain::plan::{Action, Change, HoldReason, item_id};
    use crate::domain::view::ChangeView;
    use chrono::TimeZone;

    fn waits_for(reasons: &[HoldReason]) -> KeptHold {
        let mut change = Change {
            id: "".into(),
            action: Action::Archive {
                reason: None,
                disarm: Vec::new(),
                apart: Default::default(),
            },
            key: Some(Key::stored("1")),
            raw_key: None,
            card: Some("c1".into()),
            operator: OperatorLink::ProvenNone,
            evidence: Vec::new(),
            depends_on: Vec::new(),
            doubts: Vec::new(),
            why: Vec::new(),
            anchors: Vec::new(),
            overwrites: BTreeSet::new(),
            access_later: false,
            seen_in: Vec::new(),
        };
        change.id = item_id(&change);
        KeptHold {
            plan: "p1".into(),
            item: HeldItem {
                change: ChangeView::new(&change, reasons),
                name: None,
                reasons: reasons.to_vec(),
                since: Utc.timestamp_opt(0, 0).single().expect("a valid time"),
                run: "r1".into(),
                set_aside: None,
            },
            undoes: None,
        }
    }

    fn approve(items: Vec<KeptHold>, decided: Vec<Decision>) -> Decision {
        let waiting = Waiting {
            items,
            decided,
            snapshots: Vec::new(),
        };
        let now = Utc.timestamp_opt(100, 0).single().expect("a valid time");
        let words = ["archive".to_owned()];
        decide(&waiting, &words, Answer::Approve, "tester", None, None, now)
            .expect("it waits")
            .decisions
            .remove(0)
    }

    #[test]
    fn a_second_reason_does_not_bring_back_the_first_one() {
        let first = approve(vec![waits_for(&[HoldReason::OperatorUnproven])], Vec::new());
        assert_eq!(first.waives, BTreeSet::from(["operator_unproven".to_owned()]));
        let second = approve(vec![waits_for(&[HoldReason::ConfigChanged])], vec![first]);
        let both = ["config_changed", "operator_unproven"].map(str::to_owned);
        assert_eq!(second.waives, BTreeSet::from(both));
    }

    #[test]
    fn an_approval_after_a_rejection_starts_anew() {
        let mut rejected = approve(vec![waits_for(&[HoldReason::OperatorUnproven])], Vec::new());
        rejected.answer = Answer::Reject;
        let second = approve(vec![waits_for(&[HoldReason::ConfigChanged])], vec![rejected]);
        assert_eq!(second.waives, BTreeSet::from(["config_changed".to_owned()]));
    }
}
