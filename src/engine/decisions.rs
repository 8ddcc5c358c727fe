//! Approve and reject: by item, by class, by whole plan. A decision binds the items that wait now and the reasons shown.

mod refused;

pub use refused::{Approved, Choice, Refused};

use super::attention::KeptConcern;
use super::state::{KeptHold, StateReader, StateWriter, StoreError};
use crate::core::memory::decision::{ATTENTION, About, Answer, Decision, HeldItem, SNAPSHOT, read_of};
use crate::core::memory::shown::Shown;
use crate::core::model::ids::{ItemId, SourceName};
use crate::core::model::visible;
use crate::core::plan::ActionKind;
use crate::core::plan::choices::{Offer, exclusive, join_questions};
use crate::core::plan::concern::half_way;
use crate::core::plan::report::RunReport;
use crate::core::plan::view::ChangeView;
use crate::core::reads::snapshot::{Effect, Finding, SnapshotSummary, Verdict};
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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
    /// What else needs a human.
    pub concerns: Vec<KeptConcern>,
    /// When the last run that was to look at everybody began: what was judged before it, it could not judge.
    pub last_look: Option<DateTime<Utc>>,
}

impl Waiting {
    /// Whether no run could judge since that time.
    pub fn is_stale(&self, judged_at: DateTime<Utc>) -> bool {
        self.last_look.is_some_and(|last| judged_at < last)
    }

    /// What waits in its order, with the choices of a question together, the best match first.
    pub fn by_question(&self) -> Vec<&KeptHold> {
        let mut place: BTreeMap<&ItemId, (usize, usize)> = BTreeMap::new();
        for (at, kept) in self.items.iter().enumerate() {
            for (choice, item) in kept.item.change.choices.iter().enumerate() {
                place.entry(item).or_insert((at, choice));
            }
        }
        let mut items: Vec<(usize, &KeptHold)> = self.items.iter().enumerate().collect();
        items.sort_by_key(|(at, kept)| place.get(&kept.item.change.id).copied().unwrap_or((*at, 0)));
        items.into_iter().map(|(_, kept)| kept).collect()
    }
}

/// Reads what waits since the last run.
pub async fn waiting(store: &impl StateReader, now: DateTime<Utc>) -> Result<Waiting, StoreError> {
    let mut items = store.holds().await?;
    let mut changes: Vec<&mut ChangeView> = items.iter_mut().map(|kept| &mut kept.item.change).collect();
    join_questions(&mut changes);
    let remembered = store.load(now).await?;
    // A run that failed before it read anything says nothing about snapshots.
    let runs = store.history(RUNS_LOOKED_AT).await?;
    // One that is going on has not looked yet.
    let looks = runs.iter().filter(|run| run.whole && run.finished_at.is_some());
    let last_look = looks.map(|run| run.started_at).max();
    let last = runs.iter().find(|run| !run.snapshots.is_empty());
    // Also what a run that was killed left: no list of it was kept.
    let half_ways = half_way(&remembered.half_done, &remembered.decisions, now);
    let decided: Vec<Decision> = remembered.decisions.into_values().collect();
    let snapshots = last
        .iter()
        .flat_map(|run| {
            run.snapshots
                .iter()
                .map(|snapshot| (snapshot, doubted_since(snapshot, &runs, run.started_at)))
        })
        .filter_map(|(snapshot, since)| snapshot_hold(snapshot, since))
        .filter(|hold| {
            !decided
                .iter()
                .any(|decision| decision.item == hold.id && decision.answer == Answer::Approve)
        })
        .collect();
    let mut concerns = store.concerns().await?;
    for concern in half_ways {
        if !concerns.iter().any(|kept| kept.concern.id == concern.id) {
            concerns.push(KeptConcern {
                concern,
                since: now,
                seen_at: now,
            });
        }
    }
    for kept in &mut concerns {
        // Said after the last run: the next one will not count it.
        let as_known = !kept.concern.is_open();
        let said = decided
            .iter()
            .find(|it| kept.concern.is_answered_by(&it.item) && it.keeps_known(Some(kept.seen_at), as_known, now));
        kept.concern.rejected_by = said.map(|it| it.by.clone());
    }
    Ok(Waiting {
        items,
        decided,
        snapshots,
        concerns,
        last_look,
    })
}

/// Since when the same content waits: the oldest of the runs, newest first, that found it one after the other.
fn doubted_since(snapshot: &SnapshotSummary, runs: &[RunReport], otherwise: DateTime<Utc>) -> DateTime<Utc> {
    let reads = runs.iter().filter(|run| !run.snapshots.is_empty());
    let same = |run: &&RunReport| {
        let mut reads = run.snapshots.iter();
        reads.any(|read| read.name == snapshot.name && read.acceptance == snapshot.acceptance)
    };
    reads.take_while(same).last().map_or(otherwise, |run| run.started_at)
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

/// A word without the brackets in which ids are shown.
fn bare(word: &str) -> &str {
    let inner = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    inner.unwrap_or(word)
}

/// Whether a word is this id, also in brackets.
fn is_id(id: &ItemId, word: &str) -> bool {
    bare(word) == id.as_str()
}

/// Whether a word names this item: its id, its action, a class it exceeds, or its plan.
pub fn names(word: &str, kept: &KeptHold) -> bool {
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

/// What a decision did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Decided {
    pub decisions: Vec<Decision>,
    /// Items with a reason that no approval lifts: they wait on.
    pub not_approvable: Vec<ItemId>,
    /// Items that a class, an action or a plan named and that have a doubt of their own: nothing was decided about them.
    pub one_by_one: Vec<ItemId>,
}

/// Who decides, when and why.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub by: &'a str,
    pub note: Option<&'a str>,
    /// When it ends; `None`: an approval after [`APPROVAL_LASTS`], a rejection never.
    pub until: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
}

/// One decision as it stands in a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetDecision {
    pub item: ItemId,
    pub answer: Answer,
    pub note: Option<String>,
    /// Where it stands, from 1, as a text editor counts.
    pub line: u64,
}

/// The decisions that words stand for. Pure.
///
/// # Errors
/// A word that names nothing that waits, and approvals that exclude each other: then nothing is decided.
pub fn decide(waiting: &Waiting, words: &[String], answer: Answer, said: Said<'_>) -> Result<Decided, Vec<Refused>> {
    let mut making = Making::new(waiting);
    let bare: BTreeSet<&str> = words.iter().map(|word| bare(word)).collect();
    let unknown: Vec<Refused> = words
        .iter()
        .filter(|word| !making.word(word, &bare, answer, said))
        .map(|word| Refused::UnknownWord(visible::line(word).into_owned()))
        .collect();
    if unknown.is_empty() {
        making.close()
    } else {
        Err(unknown)
    }
}

/// The decisions of a sheet: each line as if its item had been named alone, with its own note or the common one. Pure.
///
/// # Errors
/// Approvals that exclude each other, with their lines: then nothing is decided.
pub fn decide_sheet(waiting: &Waiting, sheet: &[SheetDecision], said: Said<'_>) -> Result<Decided, Vec<Refused>> {
    let mut making = Making::new(waiting);
    for line in sheet {
        let of_line = Said {
            note: line.note.as_deref().or(said.note),
            // A rejection has no end: it stays quiet until the item changes.
            until: said.until.filter(|_| line.answer == Answer::Approve),
            ..said
        };
        making.item(&line.item, line.answer, of_line);
        making.lines.insert(line.item.clone(), line.line);
    }
    making.close()
}

/// Decisions that are being made.
struct Making<'a> {
    waiting: &'a Waiting,
    by_id: BTreeMap<&'a ItemId, &'a KeptHold>,
    before: BTreeMap<&'a ItemId, &'a Decision>,
    decided: Decided,
    seen: BTreeSet<ItemId>,
    alone: BTreeSet<ItemId>,
    /// The line of each item that stands in a list.
    lines: BTreeMap<ItemId, u64>,
}

impl<'a> Making<'a> {
    fn new(waiting: &'a Waiting) -> Self {
        Self {
            waiting,
            by_id: waiting.items.iter().map(|kept| (&kept.item.change.id, kept)).collect(),
            before: waiting.decided.iter().map(|it| (&it.item, it)).collect(),
            decided: Decided::default(),
            seen: BTreeSet::new(),
            alone: BTreeSet::new(),
            lines: BTreeMap::new(),
        }
    }

    /// Everything that a word names; `false` where that is nothing. `ids`: every word, for items that are named by themselves.
    fn word(&mut self, word: &str, ids: &BTreeSet<&str>, answer: Answer, said: Said<'_>) -> bool {
        if let Some(kept) = self.by_id.get(&ItemId::new(bare(word))).copied() {
            self.held(kept, answer, said);
            return true;
        }
        let mut found = false;
        let waiting = self.waiting;
        for kept in waiting.items.iter().filter(|kept| names(word, kept)) {
            found = true;
            let id = &kept.item.change.id;
            // Somebody's no to this very item is no class's business either, also before a run has taken it in.
            let refused = self.before.get(id).is_some_and(|it| it.answer == Answer::Reject);
            let own = kept.item.has_own_doubt() || refused;
            if answer == Answer::Approve && own && !ids.contains(id.as_str()) {
                // What was approved by its id stands.
                if !self.before.get(id).is_some_and(|it| it.covers(&kept.item.change)) {
                    self.alone.insert(id.clone());
                }
            } else {
                self.held(kept, answer, said);
            }
        }
        let reads = waiting.snapshots.iter();
        for snapshot in reads.filter(|hold| is_id(&hold.id, word) || word == "snapshot") {
            found = true;
            self.read(snapshot, answer, said);
        }
        // There is nothing to approve of what is settled where it stands; that it is known, can be said.
        for kept in waiting.concerns.iter().filter(|_| answer == Answer::Reject) {
            let concern = &kept.concern;
            if is_id(&concern.id, word) || concern.code.name() == word {
                found = true;
                let about = About {
                    key: concern.key.clone(),
                    card: concern.person_id.clone(),
                    ..About::default()
                };
                let mut waives = BTreeSet::from([ATTENTION.to_owned()]);
                waives.extend(concern.source().as_ref().map(read_of));
                self.add(&concern.id, waives, about, answer, said);
            }
        }
        found
    }

    /// One item or read by its id.
    fn item(&mut self, id: &ItemId, answer: Answer, said: Said<'_>) {
        match self.by_id.get(id).copied() {
            Some(kept) => self.held(kept, answer, said),
            None => {
                if let Some(read) = self.waiting.snapshots.iter().find(|read| read.id == *id) {
                    self.read(read, answer, said);
                }
            }
        }
    }

    fn held(&mut self, kept: &KeptHold, answer: Answer, said: Said<'_>) {
        let change = &kept.item.change;
        let approvable = change.holds.iter().filter(|hold| hold.approvable);
        let waives = approvable.map(|hold| hold.code.clone()).collect();
        let mut shown = Shown::of_operators(&change.operator, &change.operator_names, &change.operator_groups);
        kept.item
            .reasons
            .iter()
            .map(Shown::of_reason)
            .for_each(|of| shown.extend(of));
        let about = About {
            key: change.key.clone(),
            card: change.person_id.clone(),
            action: Some(change.action),
            days: Some(change.evidence.iter().filter_map(|evidence| evidence.day).collect()),
            shown: Some(shown),
        };
        self.add(&change.id, waives, about, answer, said);
        if answer == Answer::Approve && change.holds.iter().any(|hold| !hold.approvable) {
            self.decided.not_approvable.push(change.id.clone());
        }
    }

    fn read(&mut self, read: &SnapshotHold, answer: Answer, said: Said<'_>) {
        let waives = BTreeSet::from([SNAPSHOT.to_owned(), read_of(&read.source)]);
        self.add(&read.id, waives, About::default(), answer, said);
    }

    fn add(&mut self, item: &ItemId, mut waives: BTreeSet<String>, mut about: About, answer: Answer, said: Said<'_>) {
        if !self.seen.insert(item.clone()) {
            return;
        }
        // What was approved of this item before stays approved: a second reason must not bring the first one back.
        if let Some(before) = self.before.get(item)
            && (answer, before.answer) == (Answer::Approve, Answer::Approve)
        {
            waives.extend(before.waives.iter().cloned());
            if let (Some(shown), Some(before)) = (&mut about.shown, &before.about.shown) {
                shown.extend(before.clone());
            }
        }
        let Said { by, note, until, now } = said;
        self.decided.decisions.push(Decision {
            item: item.clone(),
            answer,
            waives,
            by: by.to_owned(),
            at: now,
            until: match answer {
                Answer::Approve => Some(until.unwrap_or(now + APPROVAL_LASTS)),
                Answer::Reject => until,
            },
            note: note.map(str::to_owned),
            about,
        });
    }

    /// Of things that exclude each other at most one is approved: what was approved before counts too.
    fn close(mut self) -> Result<Decided, Vec<Refused>> {
        let now: BTreeMap<&ItemId, Answer> = self.decided.decisions.iter().map(|it| (&it.item, it.answer)).collect();
        let approved = |item: &ItemId| match (now.get(item), self.before.get(item)) {
            (Some(Answer::Approve), _) => Some(match self.lines.get(item) {
                Some(line) => Approved::Line(*line),
                None => Approved::Now,
            }),
            (Some(Answer::Reject), _) => None,
            (None, Some(before)) => (before.answer == Answer::Approve).then(|| Approved::Before(before.by.clone())),
            (None, None) => None,
        };
        let offers = self.waiting.items.iter().map(|kept| Offer::from(&kept.item.change));
        let mut refused = Vec::new();
        for (subject, mut items) in exclusive(offers) {
            items.sort_by_key(|item| {
                let choices = &self.by_id[item].item.change.choices;
                choices.iter().position(|choice| choice == *item)
            });
            let choices: Vec<Choice> = items
                .iter()
                .filter_map(|item| {
                    Some(Choice {
                        item: (*item).clone(),
                        what: choice_words(&self.by_id[item].item.change),
                        approved: approved(item)?,
                    })
                })
                .collect();
            let is_new = |choice: &Choice| !matches!(choice.approved, Approved::Before(_));
            if choices.len() > 1 && choices.iter().any(is_new) {
                refused.push(Refused::OneOf {
                    of: subject.to_string(),
                    choices,
                });
            }
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        self.decided.one_by_one = self
            .alone
            .into_iter()
            .filter(|item| !self.seen.contains(item))
            .collect();
        Ok(self.decided)
    }
}

/// What an item would do, as one answer of several.
pub fn choice_words(change: &ChangeView) -> String {
    match (change.action, &change.person_id) {
        (ActionKind::Create, _) => "a new card".to_owned(),
        (ActionKind::Adopt, Some(card)) => format!("card {card}"),
        (action, Some(card)) => format!("{action} of card {card}"),
        (action, None) => action.to_string(),
    }
}

/// The items whose decision these words take back: each by its id, whether it waits now or not. Pure.
///
/// # Errors
/// Words that name no item with a decision in force.
pub fn to_take_back(waiting: &Waiting, words: &[String]) -> Result<Vec<ItemId>, Vec<Refused>> {
    let mut items = Vec::new();
    let mut unknown = Vec::new();
    for word in words {
        let named = waiting.decided.iter().find(|decision| is_id(&decision.item, word));
        match named {
            Some(decision) => items.push(decision.item.clone()),
            None => unknown.push(Refused::NotDecided(visible::line(word).into_owned())),
        }
    }
    if unknown.is_empty() { Ok(items) } else { Err(unknown) }
}

/// Keeps decisions.
pub async fn keep(store: &impl StateWriter, decided: &Decided) -> Result<(), StoreError> {
    store.decide(&decided.decisions).await
}

#[cfg(test)]
mod tests;
