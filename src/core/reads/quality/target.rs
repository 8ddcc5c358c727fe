//! Judges the read of TOPdesk (RULES 3.6).

use super::against::{self, drop_message};
use super::doubts::{Doubts, Judgement};
use crate::core::model::card::{FilterProof, TargetSnapshot};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::{CardId, Generation, SourceName};
use crate::core::reads::profile::Profile;
use crate::core::reads::snapshot::{Effect, Expectations, Finding, SnapshotHistory, SnapshotSummary, Use};
use std::collections::{BTreeMap, BTreeSet};

/// Judges the read of TOPdesk (RULES 3.6): unique ids, count before and after, every linked card and every card of the
/// ledger in it, floor and drop, fields and groups as in earlier reads. A doubt degrades it: no create, archive,
/// unarchive, adopt or anonymize. `asked` are the fields that were asked for.
pub fn judge_target<'a>(
    target: &mut TargetSnapshot,
    asked: &BTreeSet<CardField>,
    ledger_cards: impl Iterator<Item = &'a CardId>,
    expected: &Expectations,
    history: &SnapshotHistory,
) {
    let name = SourceName::new("topdesk");
    let has = |id: &CardId| target.cards.binary_search_by(|card| card.id.cmp(id)).is_ok();
    let count = target.cards.len() as u64;
    let mut doubts = Doubts::new(&name, std::mem::take(&mut target.findings));
    let mut doubt = |code: &str, message: String, cure: &str| {
        doubts.add(Finding::new(code, Effect::NoAbsence, message, cure));
    };
    let (before, after) = target.counts;
    if before != count || after != count {
        doubt(
            "count_differs",
            format!("TOPdesk counted {before} person cards before the read and {after} after it, {count} were read"),
            "somebody worked in TOPdesk during the read, or cards are hidden: the next run reads again",
        );
    }
    let unseen: Vec<&str> = target
        .operators
        .iter()
        .filter_map(|operator| operator.linked_person.as_ref())
        .filter(|card| !has(card))
        .map(CardId::as_str)
        .collect();
    if !unseen.is_empty() {
        doubt(
            "linked_card_unseen",
            format!(
                "{} operators are linked to person cards that were not read, e.g. {}",
                unseen.len(),
                unseen[0]
            ),
            "take the branch filters off the account",
        );
    }
    // Asked for by id and unknown, by an account that sees everything: deleted. That is drift, not a bad read.
    let deleted = |card: &CardId| target.filters == FilterProof::None && target.confirmed_gone.contains(card);
    let gone: Vec<&str> = ledger_cards
        .filter(|card| !has(card) && !deleted(card))
        .map(CardId::as_str)
        .collect();
    if !gone.is_empty() {
        doubt(
            "known_card_unseen",
            format!(
                "{} cards that cardsync keeps were not read, e.g. {}",
                gone.len(),
                gone[0]
            ),
            "were they deleted, or does the account have a branch filter? take the filter off, or delete fewer at once",
        );
    }
    if count < expected.min_records {
        doubt(
            "below_floor",
            format!(
                "TOPdesk has {count} person cards, at least {} are expected",
                expected.min_records
            ),
            "check topdesk.url and topdesk.expect",
        );
    }
    if let Some(reference) = history.largest_accepted
        && let Some(message) = drop_message(&name, count, reference, expected.max_drop_percent)
    {
        let cards = target.cards.iter().map(|card| card.id.as_str());
        doubts.add_acceptable(
            ("dropped", Effect::NoAbsenceAcceptable),
            message,
            "check the account's filters; raise topdesk.expect.max_drop if cards were really deleted",
            cards,
        );
    }
    let profile = target_profile(target, asked);
    let emptied = against::emptied(&name, &profile, history, HALF, &mut doubts);
    against::shrunk(&name, &profile, history, expected.max_group_drop_percent, &mut doubts);
    let degraded = BTreeSet::from([
        Use::Absence,
        Use::Create,
        Use::Archive,
        Use::Unarchive,
        Use::Adopt,
        Use::Anonymize,
    ]);
    let Judgement {
        findings,
        verdict,
        acceptance,
        accepted,
    } = doubts.close(&history.accepted, &degraded);
    target.findings = findings;
    target.verdict = verdict;
    target.acceptance = acceptance;
    let is_accepted = accepted.is_some();
    target.accepted = accepted;
    if !is_accepted {
        let unknown = asked.iter().filter(|field| emptied.contains(&field.name()));
        target.unknown_fields = unknown.copied().collect();
    }
}

/// What cardsync itself empties with an approval must not make the next read a doubtful one: half of a field, in percent.
const HALF: f64 = 50.0;

/// Counts over the cards: fields that were asked for, branches and departments.
pub fn target_profile(target: &TargetSnapshot, asked: &BTreeSet<CardField>) -> Profile {
    let mut filled: BTreeMap<CardField, u64> = asked.iter().map(|field| (*field, 0)).collect();
    let mut groups: BTreeMap<CardField, BTreeMap<&str, u64>> = BTreeMap::new();
    for card in &target.cards {
        for (field, value) in card.fields.iter() {
            if let Some(count) = filled.get_mut(&field) {
                *count += 1;
            }
            if let (CardField::Branch | CardField::Department, FieldValue::Reference(entry)) = (field, value) {
                *groups.entry(field).or_default().entry(entry.label()).or_default() += 1;
            }
        }
    }
    let named = |counts: BTreeMap<&str, u64>| {
        counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count))
            .collect()
    };
    Profile {
        records: target.cards.len() as u64,
        filled: filled.into_iter().map(|(field, count)| (field.name(), count)).collect(),
        groups: groups
            .into_iter()
            .map(|(field, counts)| (field.name(), named(counts)))
            .collect(),
        ..Profile::default()
    }
}

/// The read of TOPdesk, as shown and stored beside the sources.
pub fn target_summary(target: &TargetSnapshot) -> SnapshotSummary {
    SnapshotSummary {
        name: SourceName::new("topdesk"),
        role: None,
        read_at: target.read_at,
        generation: Generation::new(target.read_at.to_rfc3339()),
        records: target.cards.len() as u64,
        keyless: 0,
        unreadable: 0,
        skipped: 0,
        verdict: target.verdict.clone(),
        findings: target.findings.clone(),
        acceptance: target.acceptance.clone(),
        accepted: target.accepted.clone(),
    }
}
