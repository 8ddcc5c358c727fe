//! What the ledger learns from a write that took effect, whether its answer came or a later read showed it. Pure.

use crate::core::memory::certificate::Overwritten;
use crate::core::memory::ledger::{LastLook, LedgerEntry, Origin, OurArchive};
use crate::core::memory::seen::RuledFields;
use crate::core::model::card::{OperatorCard, PersonCard};
use crate::core::model::field::CardField;
use crate::core::model::ids::RunId;
use crate::core::model::key::Key;
use crate::core::plan::{Action, ActionKind, Change, Step};
use chrono::{DateTime, Utc};

/// A write that took effect.
pub(super) struct Effect<'a> {
    pub(super) change: &'a Change,
    /// Which of its requests, or one on the way to its safe end.
    pub(super) step: &'a Step,
    /// The card after it.
    pub(super) after: Option<&'a PersonCard>,
    /// The operators linked before it.
    pub(super) operators_before: &'a [OperatorCard],
    /// What the ledger knows of the card, this run's reads included.
    pub(super) known: Option<&'a LedgerEntry>,
    /// The fields whose values are remembered, where the configuration is at hand.
    pub(super) ruled: Option<&'a RuledFields>,
    /// The run that sent it, and when.
    pub(super) run: &'a RunId,
    pub(super) at: DateTime<Utc>,
    /// Who approved it, where that was needed.
    pub(super) approver: Option<&'a str>,
}

/// The card's entry after the effect, if the ledger learns something.
pub(super) fn after_done(effect: &Effect<'_>) -> Option<LedgerEntry> {
    let Effect {
        change,
        step,
        after,
        operators_before,
        known,
        ruled,
        run,
        at,
        approver,
    } = effect;
    let card = after
        .map(|card| card.id.clone())
        .or_else(|| step.card().or(change.card.as_ref()).cloned())?;
    let key = change.key_of(&card).cloned()?;
    // What becomes of the card is learned with the step that writes the card.
    if step.operator().is_some() {
        return None;
    }
    let known = known.cloned();
    if let Action::Merge { twin, fields, .. } = &change.action
        && *twin == card
    {
        let entry = known.unwrap_or_else(|| LedgerEntry::new(card, key.clone(), Origin::Matched, *at));
        return Some(twin_after(entry, key, fields.first().map(|change| change.field), step));
    }
    match change.action.kind() {
        ActionKind::Create => {
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card, key, Origin::Created, *at));
            entry.anchors.clone_from(&change.anchors);
            entry.access_later = change.access_later;
            entry.see(&change.seen_in, *at);
            Some(entry)
        }
        ActionKind::Adopt | ActionKind::Merge => {
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card, key.clone(), Origin::Adopted, *at));
            entry.goes_under(&key);
            entry.anchors.clone_from(&change.anchors);
            entry.see(&change.seen_in, *at);
            Some(entry)
        }
        ActionKind::Exchange => {
            // On the way to its safe end the card may have got back what it had: the other one's number.
            let is_back = matches!(step, Step::PatchCard { fields, .. } if fields != change.fields_on(&card));
            let key = change.keys().find(|of_change| (**of_change == key) != is_back)?.clone();
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card.clone(), key.clone(), Origin::Adopted, *at));
            entry.goes_under(&key);
            // The number that it bore was never that of its person, nor were the directory ids that came with it.
            entry
                .former_keys
                .retain(|former| !change.keys().any(|of_change| of_change == former));
            if change.card.as_ref() == Some(&card) {
                entry.anchors.clone_from(&change.anchors);
                entry.see(&change.seen_in, *at);
            } else {
                entry.anchors.clear();
            }
            Some(entry)
        }
        // The number of a leaver, before the archive: from then on the card is known as theirs.
        ActionKind::Archive if matches!(step, Step::PatchCard { .. }) => {
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card, key.clone(), Origin::Adopted, *at));
            entry.goes_under(&key);
            entry.anchors.clone_from(&change.anchors);
            Some(entry)
        }
        ActionKind::Archive => {
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card, key, Origin::Matched, *at));
            let awake = operators_before.iter().filter(|operator| !operator.archived);
            entry
                .archived_operators
                .extend(awake.clone().map(|operator| operator.id.clone()));
            entry.archived_by_us = Some(Box::new(OurArchive {
                at: *at,
                run: (*run).clone(),
                modified_at: after.and_then(|card| card.modified_at),
                modifier: after.and_then(|card| card.modifier.clone()),
                took_operators: awake.map(|operator| operator.id.clone()).collect(),
                put_back: false,
                // The sync archives nobody without evidence; who undoes says so without any.
                asked_for: change.evidence.is_empty(),
            }));
            entry.last_look = LastLook::Archived;
            Some(entry)
        }
        // On the way to its safe end the card was archived again.
        ActionKind::Unarchive if matches!(step, Step::ArchiveCard { .. }) => {
            let mut entry = known?;
            entry.archived_by_us = Some(Box::new(OurArchive {
                at: *at,
                run: (*run).clone(),
                modified_at: after.and_then(|card| card.modified_at),
                modifier: after.and_then(|card| card.modifier.clone()),
                took_operators: match &change.action {
                    Action::Unarchive { operators } => operators.wakes().to_vec(),
                    _other => Vec::new(),
                },
                put_back: true,
                asked_for: false,
            }));
            entry.last_look = LastLook::Archived;
            Some(entry)
        }
        ActionKind::Unarchive => {
            let mut entry = known?;
            entry.archived_by_us = None;
            entry.forget_leaving();
            entry.last_look = LastLook::Active;
            Some(entry)
        }
        // A card that is updated is ours by its key: the ledger knows it from the plan. What was written must not look later
        // as if somebody had entered it in TOPdesk.
        ActionKind::Update | ActionKind::SetReferences => {
            let before = known?;
            let mut entry = before.clone();
            if let (Some(ruled), Some(after)) = (ruled, after) {
                entry.seen = entry.seen.after_write(after, ruled, change.action.fields());
            }
            // Access is given once: from then on the flag is a human's.
            let mut fields = change.action.fields().iter();
            if fields.any(|change| change.field == CardField::HasSspAccess) {
                entry.access_later = false;
            }
            (entry != before).then_some(entry)
        }
        ActionKind::Anonymize => {
            let mut entry = known?;
            match step {
                Step::PatchCard { fields, .. } => {
                    entry.anonymized = true;
                    entry.overwritten = Some(Box::new(Overwritten {
                        at: *at,
                        run: (*run).clone(),
                        fields: fields.iter().map(|change| change.field).collect(),
                        approver: approver.map(str::to_owned),
                        operators: operators_before.iter().map(|operator| operator.id.clone()).collect(),
                    }));
                }
                // It was ours before, and is again: the clock goes on from the first time.
                Step::ArchiveCard { .. } => {
                    let (archive, after) = (entry.archived_by_us.as_mut()?, (*after)?);
                    archive.modified_at = after.modified_at;
                    archive.modifier.clone_from(&after.modifier);
                }
                Step::UnarchiveCard { .. }
                | Step::CreateEntry { .. }
                | Step::CreateCard { .. }
                | Step::ArchiveOperator { .. }
                | Step::UnarchiveOperator { .. }
                | Step::SetLoginPermission { .. } => return None,
            }
            Some(entry)
        }
        ActionKind::CreateEntry => None,
    }
}

/// The card that gave its key away, or got it back on the way to the safe end.
fn twin_after(mut entry: LedgerEntry, key: Key, key_field: Option<CardField>, step: &Step) -> LedgerEntry {
    let Step::PatchCard { fields, .. } = step else {
        return entry;
    };
    let Some(change) = fields.iter().find(|change| Some(change.field) == key_field) else {
        return entry;
    };
    entry.former_keys.retain(|former| *former != key);
    if change.to.is_some() {
        entry.key = Some(key);
    } else {
        entry.key = None;
        entry.former_keys.push(key);
    }
    entry
}
