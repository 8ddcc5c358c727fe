//! The past as `history` tells it: runs, and what became of each item of one.

use crate::core::model::card::PersonCard;
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId, OperatorId, RunId};
use crate::core::model::key::Key;
use crate::core::model::operator_names::OperatorNames;
use crate::core::plan::report::RunReport;
use crate::core::plan::view::{ChangeView, FromTo, HoldView};
use crate::core::plan::{ActionKind, Change};
use crate::engine::records::{Ended, JournalEntry, JournalQuery, JournalValues, RecordsReader, RunItem};
use crate::engine::state::{StateReader, StoreError};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One run with its items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunHistory {
    /// `None`: its time is over, or the store is older; what the journal has is there all the same.
    pub run: Option<RunReport>,
    pub items: Vec<ItemHistory>,
}

/// What became of one item of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemHistory {
    pub item: ItemId,
    pub action: ActionKind,
    pub key: Option<Key>,
    pub person_id: Option<CardId>,
    /// First name and surname of the person, where they are still kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As far as it is known now: what was in doubt may have been settled by a later run.
    pub outcome: Ended,
    /// Why it was not done.
    pub message: Option<String>,
    /// Why it is held.
    pub reasons: Vec<HoldView>,
    /// Which rule brought it.
    pub why: Vec<String>,
    /// By field name, from and to. Empty once the values were taken out.
    pub fields: BTreeMap<String, FromTo>,
    /// Of an exchange or a merge: the second card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherCard>,
    /// Linked operators that were archived or woken with the card.
    pub operators: Vec<OperatorId>,
    /// What the linked operators are called, where that is still kept.
    #[serde(skip_serializing_if = "OperatorNames::is_empty")]
    pub operator_names: OperatorNames,
    /// Who let it pass, where that was needed, and when and with what note.
    pub approver: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
    pub note: Option<String>,
    /// When its first request was sent and its last answer came; `None`: nothing was sent.
    pub sent_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// How many requests it took, attempts that TOPdesk put off included.
    pub requests: u32,
    /// The later run that settled by reading what was in doubt.
    pub settled_by: Option<RunId>,
    /// The card right before and after. `None` for what did not exist, and once the values were taken out.
    pub before: Option<PersonCard>,
    pub after: Option<PersonCard>,
    /// The values were taken out: the person was anonymized or forgotten, or their time was over.
    pub values_removed: bool,
}

/// The second card of a change of two.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherCard {
    pub person_id: CardId,
    pub name: Option<String>,
    pub fields: BTreeMap<String, FromTo>,
    pub before: Option<PersonCard>,
    pub after: Option<PersonCard>,
}

/// Reads one run. `None` where nothing of it is kept.
pub async fn of_run(store: &(impl RecordsReader + StateReader), run: &RunId) -> Result<Option<RunHistory>, StoreError> {
    let report = store.run(run).await?;
    let items = store.run_items(run).await?;
    let query = JournalQuery {
        run: Some(run),
        ..JournalQuery::default()
    };
    let journal = store.journal(&query).await?;
    if report.is_none() && items.is_empty() && journal.is_empty() {
        return Ok(None);
    }
    let mut items = items_of(items, journal);
    // Nothing was written for what was held: who it is about stands with what waits, as long as it does.
    let held = items.iter().filter(|item| item.name.is_none()).map(|item| &item.item);
    let held: BTreeSet<ItemId> = held.cloned().collect();
    let waiting = if held.is_empty() {
        Vec::new()
    } else {
        store.holds().await?
    };
    let waiting = waiting.into_iter().map(|kept| kept.item);
    let waiting = waiting.filter(|waits| held.contains(&waits.change.id));
    let mut waiting: BTreeMap<ItemId, _> = waiting.map(|waits| (waits.change.id.clone(), waits)).collect();
    for item in &mut items {
        if let Some(waits) = waiting.remove(&item.item) {
            item.name = item.name.take().or(waits.name);
            if item.operator_names.is_empty() {
                item.operator_names = waits.change.operator_names;
            }
        }
    }
    Ok(Some(RunHistory { run: report, items }))
}

/// Puts the items of a run and its requests together: in the order of the plan, then what was cut off before its items
/// could be noted. Pure.
pub fn items_of(items: Vec<RunItem>, journal: Vec<JournalEntry>) -> Vec<ItemHistory> {
    let mut requests: BTreeMap<ItemId, Vec<JournalEntry>> = BTreeMap::new();
    let mut order: Vec<ItemId> = Vec::new();
    for entry in journal {
        let known = requests.entry(entry.item.clone()).or_default();
        if known.is_empty() {
            order.push(entry.item.clone());
        }
        known.push(entry);
    }
    let mut told: Vec<ItemHistory> = items
        .into_iter()
        .map(|item| {
            let sent = requests.remove(&item.item).unwrap_or_default();
            told(blank(item), sent)
        })
        .collect();
    for item in order {
        if let Some(sent) = requests.remove(&item) {
            told.push(cut_off(sent));
        }
    }
    told
}

fn blank(item: RunItem) -> ItemHistory {
    let RunItem {
        item,
        action,
        key,
        card,
        outcome,
        detail,
    } = item;
    ItemHistory {
        item,
        action,
        key,
        person_id: card,
        outcome,
        message: detail.message,
        reasons: detail.reasons,
        why: detail.why,
        fields: BTreeMap::new(),
        other: None,
        name: None,
        operators: detail.operators,
        operator_names: OperatorNames::default(),
        approver: None,
        approved_at: None,
        note: None,
        sent_at: None,
        ended_at: None,
        requests: 0,
        settled_by: None,
        before: None,
        after: None,
        values_removed: false,
    }
}

/// An item of which only requests are there: the run was cut off, or its report's time is over.
fn cut_off(sent: Vec<JournalEntry>) -> ItemHistory {
    let first = sent.first().expect("an item of the journal has a request");
    let item = RunItem {
        item: first.item.clone(),
        action: first.action,
        key: first.key.clone(),
        card: first.card.clone(),
        outcome: ended_by(&sent),
        detail: crate::engine::records::ItemDetail::default(),
    };
    told(blank(item), sent)
}

/// Adds what the requests of an item tell.
fn told(mut item: ItemHistory, sent: Vec<JournalEntry>) -> ItemHistory {
    item.requests = u32::try_from(sent.len()).unwrap_or(u32::MAX);
    item.sent_at = sent.first().map(|entry| entry.sent_at);
    let Some(last) = sent.last() else { return item };
    item.ended_at = last.settled_at.or(last.outcome_at);
    item.settled_by.clone_from(&last.settled_run);
    if item.outcome == Ended::InDoubt || last.settled.is_some() {
        item.outcome = ended_by(&sent);
        item.message.clone_from(&last.message);
    }
    let change = sent.iter().find_map(|entry| entry.values.as_ref());
    let change = change.map(|values| values.change.clone());
    if let Some(change) = change.as_ref().filter(|change| change.cards().len() > 1) {
        (item.person_id, item.key) = (change.card.clone(), change.key.clone());
    }
    item.person_id = item.person_id.or_else(|| last.card.clone());
    if let Some(decision) = &last.approval {
        item.approver = Some(decision.by.clone());
        item.approved_at = Some(decision.at);
        item.note.clone_from(&decision.note);
    }
    item.values_removed = sent.iter().any(|entry| entry.values.is_none());
    let operators = sent.iter().filter_map(|entry| entry.values.as_ref());
    item.operator_names = OperatorNames::of_cards(operators.flat_map(|values| &values.operators));
    let Some(change) = change else {
        item.name = name(&item);
        return item;
    };
    item.fields = fields(&change);
    if item.why.is_empty() {
        item.why.clone_from(&change.why);
    }
    let second = change.cards().get(1).map(|card| (*card).clone());
    let (of_other, own): (Vec<JournalEntry>, Vec<JournalEntry>) = sent
        .into_iter()
        .partition(|entry| second.is_some() && entry.card == second);
    (item.before, item.after) = images(own);
    item.name = name(&item);
    let view = ChangeView::new(&change, &[]);
    item.other = second.zip(view.other.or(view.twin)).map(|(person_id, view)| {
        let (before, after) = images(of_other);
        OtherCard {
            name: shown_name([&before, &after].into_iter().flatten(), &view.fields),
            person_id,
            fields: view.fields,
            before,
            after,
        }
    });
    item
}

/// A card right before the first and after the last of these requests to it.
fn images(sent: Vec<JournalEntry>) -> (Option<PersonCard>, Option<PersonCard>) {
    let mut values: Vec<JournalValues> = sent.into_iter().filter_map(|entry| entry.values).collect();
    let after = values.last_mut().and_then(|last| last.after.take());
    (values.into_iter().next().and_then(|first| first.before), after)
}

/// How requests ended, together. Of a change of two cards every step must be done, in whatever run.
fn ended_by(sent: &[JournalEntry]) -> Ended {
    let last = sent.last().map_or(Ended::InDoubt, JournalEntry::ended);
    let change = sent.iter().find_map(|entry| entry.values.as_ref()).map(|it| &it.change);
    let Some(change) = change.filter(|change| change.cards().len() > 1) else {
        return last;
    };
    let steps = i64::try_from(change.steps().len()).unwrap_or(i64::MAX);
    let done: BTreeSet<i64> = sent
        .iter()
        .filter(|entry| entry.ended() == Ended::Done && entry.step_index < steps)
        .map(|entry| entry.step_index)
        .collect();
    let all = i64::try_from(done.len()).is_ok_and(|done| done == steps);
    let put_back = |entry: &JournalEntry| entry.ended() == Ended::Done && entry.step_index >= steps;
    match last {
        Ended::Done | Ended::NotDone if done.is_empty() || all => last,
        Ended::Done | Ended::NotDone if sent.iter().any(put_back) => Ended::PutBack,
        Ended::Done | Ended::NotDone => Ended::HalfWay,
        Ended::InDoubt | Ended::Held | Ended::NotReached | Ended::HalfWay | Ended::PutBack => last,
    }
}

/// The person's name as the card has it before or after, or as it was written.
fn name(item: &ItemHistory) -> Option<String> {
    shown_name([&item.before, &item.after].into_iter().flatten(), &item.fields)
}

fn shown_name<'a>(
    cards: impl Iterator<Item = &'a PersonCard> + Clone,
    written: &BTreeMap<String, FromTo>,
) -> Option<String> {
    let of = |field: CardField| {
        let mut known = cards.clone().filter_map(|card| card.fields.text(field));
        known.next().map(str::to_owned).or_else(|| {
            let written = written.get(&field.name())?;
            written.to.clone()
        })
    };
    let parts: Vec<String> = [of(CardField::FirstName), of(CardField::SurName)]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The fields of a change as text; of a new list entry its list and name.
pub fn fields(change: &Change) -> BTreeMap<String, FromTo> {
    ChangeView::new(change, &[]).fields
}

#[cfg(test)]
mod tests;
