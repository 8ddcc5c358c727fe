//! What the ledger learns from a write that took effect. Pure.

use crate::domain::card::{OperatorLink, PersonCard};
use crate::domain::ids::RunId;
use crate::domain::input::PlanInput;
use crate::domain::ledger::{LedgerEntry, Origin, OurArchive};
use crate::domain::plan::{ActionKind, Change};
use chrono::{DateTime, Utc};

/// The card's entry after a change that was done, if it differs from before.
pub fn after_done(
    change: &Change,
    after: Option<&PersonCard>,
    input: &PlanInput,
    run: &RunId,
    now: DateTime<Utc>,
) -> Option<LedgerEntry> {
    let card = after.map(|card| card.id.clone()).or_else(|| change.card.clone())?;
    let key = change.key.clone()?;
    let known = input.ledger.get(&card).cloned();
    match change.action.kind() {
        ActionKind::Create => {
            let mut entry = LedgerEntry::new(card, key, Origin::Created, now);
            entry.anchors.clone_from(&change.anchors);
            Some(entry)
        }
        ActionKind::Adopt => {
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card, key.clone(), Origin::Adopted, now));
            if entry.key.as_ref() != Some(&key) {
                entry.former_keys.extend(entry.key.take());
                entry.key = Some(key);
            }
            entry.anchors.clone_from(&change.anchors);
            Some(entry)
        }
        ActionKind::Archive => {
            let mut entry = known.unwrap_or_else(|| LedgerEntry::new(card, key, Origin::Matched, now));
            let took_operators = match &change.operator {
                OperatorLink::Active { operators } => operators.clone(),
                OperatorLink::Archived { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven => Vec::new(),
            };
            let modified_at = after.and_then(|card| card.modified_at);
            entry.archived_by_us = Some(OurArchive {
                at: now,
                run: run.clone(),
                modified_at,
                took_operators,
            });
            Some(entry)
        }
        ActionKind::Unarchive => {
            let mut entry = known?;
            entry.archived_by_us = None;
            entry.leaving_since = None;
            Some(entry)
        }
        // A card that is updated is ours by its key: the ledger knows it from the plan.
        ActionKind::Update | ActionKind::SetReferences | ActionKind::CreateEntry | ActionKind::Anonymize => None,
    }
}
